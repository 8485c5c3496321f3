//! What the calling thread is to ports: the one that it works for, and how it stands to it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::queue::{Batch, Relation};
use super::{CompletionPort, Told};
use crate::file::File;
use crate::handle::recent::Recent;
use crate::handle::{self, Handle, Token};
use crate::sync::atomic::Ordering;
use crate::sync::thread_local;

/// A worker looks at the descriptors, without waiting, when it has taken so many packets since the
/// last time: calls that finish at once could keep the queue from ever being empty, and then nobody
/// else would be served. A prime, so that it falls into no step with the program's own rounds.
pub(super) const LOOK_EVERY: usize = 61;

/// The port that the calling thread works for.
struct Worker {
    #[expect(
        clippy::redundant_allocation,
        reason = "no counter that other threads use is touched"
    )]
    port: Option<Rc<Arc<CompletionPort>>>,
    /// The handle by which it asked for that port.
    handle: Option<Handle>,
    /// Packets that it took since it looked at the descriptors.
    unlooked: usize,
}

/// How the calling thread stands to the port that it works for: what every post asks, and so apart
/// from the rest, which has to be borrowed and destroyed.
struct Stance {
    /// That port's number; 0 for none. Every later port has another.
    port: Cell<u64>,
    /// It took a packet and has not come back: it counts as awake.
    awake: Cell<bool>,
    /// It is performing its port's events right now.
    harvesting: Cell<bool>,
    /// Has what else is kept for a worker let go of; see [`keeps`].
    let_go: Cell<Option<fn()>>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.rest();
    }
}

impl Worker {
    /// The next packets, if some wait at its port and the worker is back from others; see
    /// [`take_next`].
    #[inline]
    fn take_next(&mut self, room: usize, put: impl FnMut(Told)) -> Option<Batch> {
        let awake = stance(|stance| stance.awake.get())?;
        let port = self.port.as_ref().filter(|_| awake && self.unlooked < LOOK_EVERY)?;
        let (batch, duty) = port.queue.lock().take_next(room, port.concurrency, put)?;
        port.fulfil(duty);
        self.unlooked += batch.count;
        Some(batch)
    }

    #[inline]
    fn rest(&mut self) {
        let was_awake = stance(|stance| stance.awake.take()).unwrap_or(false);
        if let Some(port) = self.port.as_ref().filter(|_| was_awake) {
            port.queue.lock().rest();
        }
    }
}

thread_local! {
    static WORKER: RefCell<Worker> =
        const { RefCell::new(Worker { port: None, handle: None, unlooked: 0 }) };
    static STANCE: Stance = const {
        Stance {
            port: Cell::new(0),
            awake: Cell::new(false),
            harvesting: Cell::new(false),
            let_go: Cell::new(None),
        }
    };
    static REPORTED: Recent<dyn File> = const { Recent::empty() };
}

/// Whether files may be kept for the calling thread: whether it works for a port. When it does no
/// more, `let_go` is called.
pub fn keeps(let_go: fn()) -> bool {
    let is_worker = |stance: &Stance| {
        let is_worker = stance.port.get() != 0;
        if is_worker {
            stance.let_go.set(Some(let_go));
        }
        is_worker
    };
    stance(is_worker).unwrap_or(false)
}

/// What was kept for the thread's work for a port goes.
fn let_go() {
    let _ = REPORTED.try_with(Recent::clear);
    if let Some(let_go) = stance(|stance| stance.let_go.take()).flatten() {
        let_go();
    }
}

/// The file that the driver reports, for [`give_back`].
#[inline(always)]
pub(super) fn take_reported(token: Token) -> Option<Arc<dyn File>> {
    let known = REPORTED.try_with(|files| files.take(token.into())).ok().flatten();
    known.or_else(|| look_up(token))
}

#[inline(never)]
fn look_up(token: Token) -> Option<Arc<dyn File>> {
    let file = handle::table().file(token)?;
    if stance(|stance| stance.port.get() != 0) == Some(true) {
        drop(REPORTED.try_with(|files| files.reserve(token.into())));
    }
    Some(file)
}

/// A file is closed.
pub(crate) fn forget(token: Token) {
    drop(REPORTED.try_with(|files| files.forget(token.into())));
}

/// Returns what was reported.
#[inline(always)]
pub(super) fn give_back(token: Token, file: Arc<dyn File>) {
    drop(REPORTED.try_with(|files| files.give_back(token.into(), file)));
}

/// A port to wait on, as found behind a handle.
#[derive(Debug)]
pub enum Known {
    /// The one that the calling thread works for.
    Own(Rc<Arc<CompletionPort>>),
    /// Any other.
    Other(Arc<CompletionPort>),
}

impl std::ops::Deref for Known {
    type Target = Arc<CompletionPort>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        match self {
            Self::Own(port) => port,
            Self::Other(port) => port,
        }
    }
}

/// The next packets for a worker that is back at its port, up to `room`, if some wait: what nearly
/// every wait under load comes to. `put` is told of each, as by [`CompletionPort::wait`], and how
/// many is given. It looks at the queue once.
#[inline]
pub fn take_next(handle: Handle, room: usize, put: impl FnMut(Told)) -> Option<usize> {
    let batch = with_worker(|worker| {
        if worker.handle == Some(handle) { worker.take_next(room, put) } else { None }
    })??;
    Some(batch.count)
}

/// The port behind a handle, for a wait. A worker that comes back to its port does not need the
/// handle table to find it.
#[inline]
pub fn find(handle: Handle) -> Option<Known> {
    let own = with_worker(|worker| {
        let known = worker.port.as_ref().filter(|_| worker.handle == Some(handle));
        known.filter(|port| !port.is_closed.load(Ordering::Acquire)).cloned()
    });
    match own.flatten() {
        Some(port) => Some(Known::Own(port)),
        None => find_other(handle),
    }
}

fn find_other(handle: Handle) -> Option<Known> {
    let found = handle::table().port_of(handle)?;
    with_worker(|worker| {
        if worker.port.as_ref().is_some_and(|port| Arc::ptr_eq(port, &found)) {
            worker.handle = Some(handle);
        }
    });
    Some(Known::Other(found))
}

impl CompletionPort {
    /// The calling thread becomes (or is again) a worker of this port. True if it is counted as
    /// awake here, which the first look at the queue sets right.
    #[inline]
    pub(super) fn enter(self: &Arc<Self>) -> bool {
        let entered = with_worker(|worker| {
            if worker.port.as_ref().is_some_and(|port| port.id == self.id) {
                return Ok(stance(|stance| stance.awake.take()).unwrap_or(false));
            }
            worker.rest();
            worker.handle = None;
            stance(|stance| stance.port.set(self.id));
            Err(worker.port.replace(Rc::new(Arc::clone(self))))
        });
        match entered {
            Some(Ok(counted)) => counted,
            Some(Err(former)) => {
                // Outside the borrow: the last reference takes packets, and what they carry, along.
                drop(former);
                let_go();
                false
            }
            None => false,
        }
    }

    /// How the calling thread stands to this port.
    #[inline]
    pub(super) fn relation(&self) -> Relation {
        let of = |stance: &Stance| match (stance.harvesting.get(), stance.awake.get()) {
            _ if stance.port.get() != self.id => Relation::Stranger,
            (true, _) => Relation::Harvesting,
            (false, true) => Relation::Awake,
            (false, false) => Relation::Stranger,
        };
        stance(of).unwrap_or(Relation::Stranger)
    }
}

/// The calling thread is about to block outside its port: it does not count as awake meanwhile, and
/// what it left behind is looked after.
pub(crate) fn step_aside() {
    let _ = WORKER.try_with(|worker| {
        let mut worker = worker.borrow_mut();
        worker.rest();
        if let Some(port) = &worker.port {
            port.neglect();
        }
    });
}

/// The calling thread has taken packets and counts as awake until it is back; false if it will not
/// be, as it is being torn down.
#[inline]
pub(super) fn stays_awake() -> bool {
    with_worker(|_| stance(|stance| stance.awake.set(true))).is_some()
}

/// Nobody works for a closed port, and its descriptors are not kept for the thread's sake.
pub(super) fn retire() {
    let port = with_worker(|worker| worker.port.take());
    stance(|stance| stance.port.set(0));
    drop(port);
    let_go();
}

/// Whether the calling thread is to look at its port's descriptors; see [`LOOK_EVERY`].
pub(super) fn is_due(port: &CompletionPort) -> bool {
    let is_due = |worker: &mut Worker| {
        let own = worker.port.as_ref().is_some_and(|own| own.id == port.id);
        let due = own && worker.unlooked >= LOOK_EVERY;
        if due {
            worker.unlooked = 0;
        }
        due
    };
    with_worker(is_due).unwrap_or(false)
}

/// The calling thread took so many packets; see [`LOOK_EVERY`].
#[inline]
pub(super) fn note_taken(count: usize) {
    with_worker(|worker| worker.unlooked += count);
}

/// What the calling thread is to ports; `None` while the thread is being torn down.
#[inline]
fn with_worker<R>(call: impl FnOnce(&mut Worker) -> R) -> Option<R> {
    WORKER.try_with(|worker| call(&mut worker.borrow_mut())).ok()
}

/// How the calling thread stands to its port; `None` while the thread is being torn down.
#[inline]
fn stance<R>(call: impl FnOnce(&Stance) -> R) -> Option<R> {
    // The model destroys what was touched first first, and the worker's end asks for its stance.
    #[cfg(shuttle)]
    let _ = WORKER.try_with(|_| {});
    STANCE.try_with(call).ok()
}

/// The calling thread performs its port's events while this lives, also if a file panics.
pub(super) struct Harvest;

impl Harvest {
    pub(super) fn begin() -> Self {
        with_worker(|worker| {
            worker.unlooked = 0;
            stance(|stance| stance.harvesting.set(true))
        });
        Self
    }
}

impl Drop for Harvest {
    fn drop(&mut self) {
        stance(|stance| stance.harvesting.set(false));
    }
}

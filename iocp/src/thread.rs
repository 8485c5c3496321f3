//! The threads of the program, as far as completion cares: a way to wake each one, its APC queue,
//! and what happens to its I/O when it exits.

use std::cell::{Cell, OnceCell};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;

use crate::apc::{Apc, ApcQueue};
use crate::clock::Deadline;
use crate::handle;
use crate::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use crate::sync::{Lock, thread_local};

/// A thread of the program.
#[derive(Debug)]
pub struct Thread {
    id: u64,
    /// Readable while [`Thread::wake`] has not been consumed.
    wake: OnceLock<OwnedFd>,
    woken: AtomicBool,
    apcs: Lock<ApcQueue>,
    exited: AtomicBool,
    /// Whether it blocks in a synchronous operation: [`NONE`], [`BLOCKS`] or [`CANCELLED`].
    synchronous: AtomicU8,
}

const NONE: u8 = 0;
const BLOCKS: u8 = 1;
const CANCELLED: u8 = 2;

/// Stands for a descriptor that is not there: a negative number, which poll(2) passes over.
const MUTE: BorrowedFd<'static> = rustix::fs::CWD;
/// How often a thread that cannot be woken looks.
const TICK: Duration = Duration::from_millis(10);

fn new_eventfd() -> Result<OwnedFd, Errno> {
    eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
}

thread_local! {
    static ID: Cell<u64> = const { Cell::new(0) };
    static CURRENT: OnceCell<Current> = const { OnceCell::new() };
    /// Whether this thread has I/O that its exit cancels.
    static OWES_CANCEL: Cell<bool> = const { Cell::new(false) };
}

/// Ends the thread's affairs when the thread ends.
struct Current(Arc<Thread>);

impl Drop for Current {
    /// Not on the main thread: there this runs when the process exits, on a stack from which the
    /// frames that pending operations may point into are gone. The main thread's own ExitThread
    /// calls [`exit`] first.
    fn drop(&mut self) {
        let is_main = rustix::thread::gettid() == rustix::process::getpid();
        if !is_main {
            self.0.exit();
        }
    }
}

/// A number that no other thread of this process has or had.
#[inline]
pub fn id() -> u64 {
    match ID.with(Cell::get) {
        0 => new_id(),
        id => id,
    }
}

#[cold]
fn new_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    ID.with(|own| own.set(id));
    id
}

/// The calling thread. While the thread is being torn down, a stand-in without a future.
pub fn current() -> Arc<Thread> {
    CURRENT
        .try_with(|current| Arc::clone(&current.get_or_init(|| Current(Thread::new())).0))
        .unwrap_or_else(|_| Thread::new())
}

/// The calling thread exits, or has ended its part as one: its pending I/O is cancelled, except,
/// as on Windows since Vista, I/O on a port without an event (`test_async_thread_termination`).
pub fn exit() {
    current().exit();
}

/// Notes that the calling thread has issued I/O that its exit must cancel.
pub(crate) fn owes_cancel() {
    if !OWES_CANCEL.with(|owes| owes.replace(true)) {
        // Makes sure that the thread-exit hook exists.
        current();
    }
}

/// Whether the calling thread has pending I/O that its exit would cancel.
pub(crate) fn has_io() -> bool {
    if !OWES_CANCEL.with(Cell::get) {
        return false;
    }
    let (me, found) = (id(), Cell::new(false));
    for file in handle::table().files() {
        // It looks at the operations as a cancellation does, and chooses none.
        file.cancel(&|irp| {
            found.set(found.get() || irp.thread() == me && irp.dies_with_thread(file.core()));
            false
        });
    }
    OWES_CANCEL.with(|owes| owes.set(found.get()));
    found.get()
}

impl Thread {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            id: id(),
            wake: OnceLock::new(),
            woken: AtomicBool::new(false),
            apcs: Lock::default(),
            exited: AtomicBool::new(false),
            synchronous: AtomicU8::new(NONE),
        })
    }

    /// The thread's number.
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Makes the thread look again at what it waits for. The calling thread needs no such thing: it
    /// looks again before it waits.
    pub fn wake(&self) {
        if self.id != id()
            && !self.woken.swap(true, Ordering::SeqCst)
            && let Some(fd) = self.wake.get()
        {
            // It can only fail with a full counter, and then the thread is awake anyway.
            let _ = rustix::io::write(fd, &1_u64.to_ne_bytes());
        }
    }

    /// The descriptor that becomes readable on [`wake`](Self::wake). Called before the last look at
    /// the state that is waited for, so that no wake falls between.
    ///
    /// While the process has no descriptor left it is [`MUTE`], which never becomes readable, and
    /// the thread looks for itself every [`TICK`]: see [`patience`](Self::patience).
    pub(crate) fn wake_fd(&self) -> BorrowedFd<'_> {
        if self.wake.get().is_none()
            && let Ok(fd) = new_eventfd()
        {
            // Only the thread itself comes here.
            let _ = self.wake.set(fd);
        }
        self.wake.get().map_or(MUTE, AsFd::as_fd)
    }

    /// How long one poll of [`wake_fd`](Self::wake_fd) may take of a wait until the deadline.
    pub(crate) fn patience(&self, deadline: Deadline) -> Deadline {
        match self.wake.get() {
            Some(_) => deadline,
            None => deadline.at_most(TICK),
        }
    }

    /// Consumes wakes, so that the next [`wake`](Self::wake) is felt again. Called before each look
    /// at the state that is waited for. `readable`: the descriptor was reported.
    ///
    /// The counter is read before the flag falls: a wake that comes between writes nothing, but the
    /// look that follows sees what it was about. A wake that has raised the flag and not written
    /// yet makes the descriptor readable later, which is why a report always reads.
    pub(crate) fn rearm(&self, readable: bool) {
        if readable || self.woken.load(Ordering::SeqCst) {
            if let Some(fd) = self.wake.get() {
                let mut count = [0_u8; 8];
                let _ = rustix::io::read(fd, &mut count);
            }
            self.woken.store(false, Ordering::SeqCst);
        }
    }

    /// Cancels the synchronous operation that the thread blocks in; false when there is none.
    pub fn cancel_synchronous(&self) -> bool {
        let (from, to) = (BLOCKS, CANCELLED);
        let marked =
            self.synchronous.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst);
        if marked.is_ok() {
            self.wake();
        }
        // One that was cancelled a moment ago is still there.
        marked != Err(NONE)
    }

    /// Queues a call to the thread; false if the thread has exited.
    pub fn queue_apc(&self, apc: Apc) -> bool {
        let mut apcs = self.apcs.lock();
        // Under the lock: `exit` sets the flag under it too.
        if self.exited.load(Ordering::Relaxed) {
            return false;
        }
        apcs.push(apc);
        drop(apcs);
        self.wake();
        true
    }

    /// Whether calls wait for the thread.
    pub(crate) fn has_apcs(&self) -> bool {
        !self.apcs.lock().is_empty()
    }

    /// Whether the thread has ended: no call can be queued to it any more.
    pub(crate) fn has_exited(&self) -> bool {
        self.exited.load(Ordering::Relaxed)
    }

    /// Runs the queued calls, including those that they queue. True if any was made. Only the
    /// thread itself calls this.
    pub(crate) fn run_apcs(&self) -> bool {
        let mut any = false;
        while let Some(apc) = self.next_apc() {
            any |= apc.run();
        }
        any
    }

    fn next_apc(&self) -> Option<Apc> {
        self.apcs.lock().pop()
    }

    fn exit(&self) {
        let apcs = {
            let mut apcs = self.apcs.lock();
            self.exited.store(true, Ordering::Relaxed);
            std::mem::take(&mut *apcs)
        };
        drop(apcs);
        if OWES_CANCEL.try_with(|owes| owes.replace(false)).unwrap_or(true) {
            handle::table().files().iter().for_each(|file| {
                file.cancel(&|irp| irp.thread() == self.id && irp.dies_with_thread(file.core()));
            });
        }
    }
}

/// The calling thread blocks in a synchronous operation, while this lives. One inside another, as
/// in an APC, stands for itself.
#[derive(Debug)]
pub(crate) struct Synchronous {
    thread: Arc<Thread>,
    before: u8,
}

impl Synchronous {
    pub(crate) fn begin(thread: &Arc<Thread>) -> Self {
        let before = thread.synchronous.swap(BLOCKS, Ordering::SeqCst);
        Self { thread: Arc::clone(thread), before }
    }

    /// Whether somebody has cancelled it.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.thread.synchronous.load(Ordering::SeqCst) == CANCELLED
    }
}

impl Drop for Synchronous {
    fn drop(&mut self) {
        self.thread.synchronous.store(self.before, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, poll};

    use super::*;

    fn is_readable(thread: &Thread) -> bool {
        let mut fds = [PollFd::from_borrowed_fd(thread.wake_fd(), PollFlags::IN)];
        poll(&mut fds, Deadline::after_ms(0).timespec().as_ref()).unwrap() != 0
    }

    /// A thread that is not the calling one.
    fn another() -> Arc<Thread> {
        std::thread::spawn(Thread::new).join().unwrap()
    }

    /// It looks again before it waits.
    #[test]
    fn a_wake_of_the_calling_thread_costs_nothing() {
        let thread = Thread::new();
        thread.wake();
        assert!(!is_readable(&thread));
    }

    #[test]
    fn a_wake_is_felt_until_it_is_consumed() {
        let thread = another();
        assert!(!is_readable(&thread));
        thread.wake();
        thread.wake();
        assert!(is_readable(&thread));
        thread.rearm(true);
        assert!(!is_readable(&thread));
        thread.wake();
        assert!(is_readable(&thread), "felt again");
        thread.rearm(false);
        assert!(!is_readable(&thread), "consumed unseen");
    }

    /// The first wake may come before the thread ever waited: it has no descriptor yet, and looks
    /// at what it waits for after the first `rearm`.
    #[test]
    fn a_wake_before_the_first_wait_does_not_block_the_next() {
        let thread = another();
        thread.wake();
        let _ = thread.wake_fd();
        thread.rearm(false);
        thread.wake();
        assert!(is_readable(&thread));
    }

    #[test]
    fn the_innermost_synchronous_operation_is_cancelled() {
        let thread = another();
        assert!(!is_readable(&thread));
        assert!(!thread.cancel_synchronous(), "there is none");
        let outer = Synchronous::begin(&thread);
        let inner = Synchronous::begin(&thread);
        assert!(thread.cancel_synchronous());
        assert!(thread.cancel_synchronous(), "it is still there");
        assert!(inner.is_cancelled());
        drop(inner);
        assert!(!outer.is_cancelled());
        assert!(is_readable(&thread), "it was woken");
        drop(outer);
        assert!(!thread.cancel_synchronous());
    }

    #[test]
    fn numbers_are_not_shared() {
        let mine = id();
        assert_eq!(id(), mine);
        assert_eq!(current().id(), mine);
        let other = std::thread::spawn(id).join().unwrap();
        assert_ne!(other, mine);
    }

    /// winsock-semantics section 4: the routine never runs; and what it owns must not leak.
    #[test]
    fn the_calls_of_an_exited_thread_are_dropped_and_refused() {
        let owned = Arc::new(());
        let thread = std::thread::spawn({
            let owned = Arc::clone(&owned);
            move || {
                let thread = current();
                let call = Apc::new(move || panic!("ran at exit: {owned:?}"));
                assert!(thread.queue_apc(call));
                thread
            }
        });
        let thread = thread.join().unwrap();
        assert_eq!(Arc::strong_count(&owned), 1, "the queue was emptied");
        let held = Arc::clone(&owned);
        let call = Apc::new(move || panic!("ran after exit: {held:?}"));
        assert!(!thread.queue_apc(call));
        assert_eq!(Arc::strong_count(&owned), 1);
        assert!(!thread.run_apcs());
    }

    #[test]
    fn calls_run_in_order_with_those_that_they_queue() {
        let thread = current();
        let ran = Arc::new(std::sync::Mutex::new(Vec::new()));
        let record = |what| {
            let ran = Arc::clone(&ran);
            Apc::new(move || ran.lock().unwrap().push(what))
        };
        assert!(thread.queue_apc(record(1)));
        let (then, to) = (record(3), Arc::clone(&thread));
        assert!(thread.queue_apc(Apc::new(move || assert!(to.queue_apc(then)))));
        assert!(thread.queue_apc(record(2)));
        assert!(thread.has_apcs());
        assert!(thread.run_apcs());
        assert_eq!(*ran.lock().unwrap(), [1, 2, 3]);
        assert!(!thread.has_apcs());
        assert!(!thread.run_apcs());
    }
}

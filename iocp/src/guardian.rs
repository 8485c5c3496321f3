//! The guardian: one lazily started thread that makes sure that nothing waits for ever.
//!
//! It looks at what no other thread is looking at: ports with packets or pending operations and no
//! thread in them, and the reactor without a leader. Every 5 ms while it finds something to do
//! there, every 20 ms while it is called and others do the work, and not at all otherwise. Where
//! operations only wait it polls the drivers that will tell, and leaves others 5 ms to come first.
//! It also keeps the timers.
//!
//! Whoever leaves work behind first raises the object's flag and then calls `rouse`. The guardian
//! first lowers its own flag and then looks at all objects, so either it sees the object's flag or
//! it is roused again (I6).
#![cfg_attr(shuttle, allow(dead_code, reason = "the tests look instead of the thread"))]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::iter;
use std::os::fd::OwnedFd;
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::io::Errno;

use crate::clock::Deadline;
use crate::driver::Driver;
use crate::port::CompletionPort;
use crate::reactor::{self, Reactor};
use crate::sync::Lock;
use crate::sync::atomic::{AtomicBool, Ordering};

/// How soon the guardian looks again at what nobody else has seen to, and at what it is called for.
const TICK: Duration = Duration::from_millis(5);
/// How soon at the latest, while others do its work. A look takes the processor from a server for
/// longer than the server needs for a connection: two hundred a second were 2 % of its time.
const TICK_MAX: Duration = Duration::from_millis(20);
/// After so many looks that found nothing left behind it sleeps until it is called, which costs the
/// caller a system call.
const IDLE_LOOKS: u32 = 8;

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Found {
    /// Nobody has left anything behind since the last look.
    Nothing,
    /// Nobody else would see to it, but nothing is ready yet.
    Quiet,
    /// Somebody has, and others see to it, or did a moment ago.
    Attended,
    /// Nobody else saw to it.
    Neglected,
}

/// When the guardian looks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pace {
    tick: Duration,
    /// Looks in a row that found nothing.
    idle: u32,
}

impl Pace {
    const BRISK: Self = Self { tick: TICK, idle: 0 };

    /// The time until the next look; `None` until somebody calls.
    fn after(&mut self, found: Found) -> Option<Duration> {
        match found {
            Found::Neglected => *self = Self::BRISK,
            Found::Attended => *self = Self { tick: TICK_MAX.min(2 * self.tick), idle: 0 },
            Found::Nothing | Found::Quiet => self.idle = self.idle.saturating_add(1),
        }
        (self.idle < IDLE_LOOKS).then_some(self.tick)
    }
}

/// Called when its time comes; returns nothing and may take locks, but not the guardian's.
pub type TimerCall = Box<dyn FnOnce() + Send>;

struct Guardian {
    awake: AtomicBool,
    started: AtomicBool,
    /// Written to call the guardian.
    bell: OnceLock<OwnedFd>,
    ports: Lock<Vec<Weak<CompletionPort>>>,
    timers: Lock<BinaryHeap<Reverse<Timer>>>,
}

struct Timer {
    at: Instant,
    call: TimerCall,
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Timer {}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timer {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

static GUARDIAN: Guardian = Guardian {
    awake: AtomicBool::new(false),
    started: AtomicBool::new(false),
    bell: OnceLock::new(),
    ports: Lock::new(Vec::new()),
    timers: Lock::new(BinaryHeap::new()),
};

/// Whether the guardian is going to look anyway.
#[inline]
pub(crate) fn is_awake() -> bool {
    GUARDIAN.awake.load(Ordering::SeqCst)
}

/// Makes the guardian look at everything, soon.
#[inline]
pub(crate) fn rouse() {
    if !is_awake() && !GUARDIAN.awake.swap(true, Ordering::SeqCst) {
        ring();
    }
}

/// The guardian looks after this port from now on.
pub(crate) fn watch(port: &Arc<CompletionPort>) {
    let mut ports = GUARDIAN.ports.lock();
    ports.retain(|known| known.strong_count() > 0);
    ports.push(Arc::downgrade(port));
}

/// Every completion port, with a handle or without, for tools.
pub fn ports() -> Vec<Arc<CompletionPort>> {
    GUARDIAN.ports()
}

/// Calls `call` after `delay`, on the guardian's thread.
pub fn call_after(delay: Duration, call: impl FnOnce() + Send + 'static) {
    let Some(at) = Instant::now().checked_add(delay) else {
        return;
    };
    // Where nothing was made yet that wants looking after; without a descriptor the next tries.
    let _ = prepare();
    GUARDIAN.timers.lock().push(Reverse(Timer { at, call: Box::new(call) }));
    ring();
}

/// Makes what the guardian is called by. Whoever makes what it looks after calls this first, so
/// that the want of a descriptor is met where a call can say so.
///
/// # Errors
/// When the process has no descriptor left.
pub(crate) fn prepare() -> Result<(), Errno> {
    if GUARDIAN.bell.get().is_none() {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        GUARDIAN.bell.get_or_init(|| bell);
    }
    Ok(())
}

/// Calls the guardian's thread. The schedule tests have their own, which calls [`look`].
///
/// While the process cannot start a thread there is none, and the next who rouses it tries again:
/// the caller is in the middle of something, a packet in its hands, and must not fail.
fn ring() {
    #[cfg(not(shuttle))]
    match GUARDIAN.bell.get().filter(|_| has_started()) {
        Some(bell) => drop(rustix::io::write(bell, &1_u64.to_ne_bytes())),
        None => GUARDIAN.awake.store(false, Ordering::SeqCst),
    }
}

#[cfg(not(shuttle))]
fn has_started() -> bool {
    static STARTING: Lock<()> = Lock::new(());
    if !GUARDIAN.started.load(Ordering::Acquire) {
        let _one_at_a_time = STARTING.lock();
        if !GUARDIAN.started.load(Ordering::Acquire) {
            let started =
                crate::servant::spawn("linsock-guardian", None, || GUARDIAN.run()).is_ok();
            GUARDIAN.started.store(started, Ordering::Release);
        }
    }
    GUARDIAN.started.load(Ordering::Acquire)
}

/// What the guardian does when it wakes, for the schedule tests.
#[cfg(shuttle)]
pub fn look() {
    GUARDIAN.look();
}

/// What a look at everything gave.
struct Looked {
    found: Found,
    /// What nobody else would see to, and what will tell when there is something to do.
    quiet: Vec<Quiet>,
    next_timer: Option<Instant>,
}

/// Something whose operations only wait.
enum Quiet {
    Reactor(&'static Reactor),
    Port(Arc<CompletionPort>),
}

impl Quiet {
    fn driver(&self) -> &Driver {
        match self {
            Self::Reactor(reactor) => reactor.driver(),
            Self::Port(port) => port.driver(),
        }
    }
}

impl Guardian {
    fn run(&self) {
        let mut pace = Pace::BRISK;
        self.rest(Vec::new(), Some(TICK));
        loop {
            let Looked { found, quiet, next_timer } = self.look();
            let timer = next_timer.map(|at| at.saturating_duration_since(Instant::now()));
            let tick = pace.after(found);
            if tick.is_some() {
                self.awake.store(true, Ordering::SeqCst);
            }
            let is_ready = self.rest(quiet, [tick, timer].into_iter().flatten().min());
            if is_ready || tick.is_none() && self.awake.load(Ordering::SeqCst) {
                // Others may come first.
                self.awake.store(true, Ordering::SeqCst);
                pace = Pace::BRISK;
                self.rest(Vec::new(), Some(TICK));
            }
        }
    }

    /// Waits until the guardian is called, the time is up, or one of the drivers has something to
    /// report: true then.
    fn rest(&self, quiet: Vec<Quiet>, time: Option<Duration>) -> bool {
        let bell = self.bell.get().expect("INVARIANT: made before the thread is started");
        let drivers = quiet.iter().map(|quiet| PollFd::new(quiet.driver(), PollFlags::IN));
        let mut fds: Vec<_> = iter::once(PollFd::new(bell, PollFlags::IN)).chain(drivers).collect();
        let until = time.map_or(Deadline::Never, Deadline::after);
        let _ = poll(&mut fds, until.timespec().as_ref());
        let _ = rustix::io::read(bell, &mut [0; 8]);
        fds[1..].iter().any(|fd| !fd.revents().is_empty())
    }

    /// One look at everything.
    fn look(&self) -> Looked {
        self.awake.store(false, Ordering::SeqCst);
        let next_timer = self.fire_timers();
        let tended = shielded(|| self.tend());
        let (found, quiet) = tended.unwrap_or((Found::Neglected, Vec::new()));
        Looked { found, quiet, next_timer }
    }

    fn ports(&self) -> Vec<Arc<CompletionPort>> {
        self.ports.lock().iter().filter_map(Weak::upgrade).collect()
    }

    fn tend(&self) -> (Found, Vec<Quiet>) {
        let ports = self.ports();
        let (mut most, mut quiet) = (Found::Nothing, Vec::new());
        let mut note = |found, what: Quiet| {
            most = most.max(found);
            if found == Found::Quiet {
                quiet.push(what);
            }
        };
        if let Some(reactor) = reactor::existing() {
            note(reactor.tend(), Quiet::Reactor(reactor));
        }
        for port in ports {
            note(port.tend(), Quiet::Port(port));
        }
        (most, quiet)
    }

    /// Calls the timers that are due; returns when the next one is.
    fn fire_timers(&self) -> Option<Instant> {
        loop {
            let mut timers = self.timers.lock();
            let Reverse(next) = timers.peek()?;
            if next.at > Instant::now() {
                return Some(next.at);
            }
            let due = timers.pop();
            drop(timers);
            if let Some(Reverse(timer)) = due {
                let _ = shielded(timer.call);
            }
        }
    }
}

/// Runs `work`, which may reach the program's own code; `None` if that panicked. The guardian lives
/// on: everything else relies on it.
fn shielded<R>(work: impl FnOnce() -> R) -> Option<R> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Our choice: 5, 10 and then 20 ms while others do the work; eight looks in vain.
    #[test]
    fn the_less_there_is_to_do_the_less_it_looks() {
        let ms = |ms| Some(Duration::from_millis(ms));
        let mut pace = Pace::BRISK;
        assert_eq!([Found::Attended; 3].map(|found| pace.after(found)), [ms(10), ms(20), ms(20)]);
        assert_eq!([Found::Neglected; 2].map(|found| pace.after(found)), [ms(5); 2]);
        assert_eq!(pace.after(Found::Quiet), ms(5), "as nothing, for its driver will tell");
        assert_eq!(pace.after(Found::Attended), ms(10));
        assert_eq!([Found::Nothing; 7].map(|found| pace.after(found)), [ms(10); 7]);
        assert_eq!(pace.after(Found::Attended), ms(20), "counts anew");
        let idle = [Found::Nothing; 9].map(|found| pace.after(found));
        assert_eq!(idle[..7], [ms(20); 7]);
        assert_eq!(idle[7..], [None; 2]);
    }

    #[test]
    fn timers_are_ordered_by_their_time() {
        let now = Instant::now();
        let timer = |at| Timer { at, call: Box::new(|| ()) };
        let later = now + TICK;
        assert!(timer(now) == timer(now));
        assert!(timer(now) != timer(later));
        assert!(timer(now) < timer(later));
    }

    /// Each new port makes room for itself.
    #[test]
    fn ports_are_watched_as_long_as_they_are_there() {
        let port = CompletionPort::new(1).unwrap();
        (0..200).for_each(|_| drop(CompletionPort::new(1).unwrap()));
        let ports = GUARDIAN.ports.lock();
        let is_it = |known: &Weak<_>| std::ptr::eq(known.as_ptr(), Arc::as_ptr(&port));
        assert_eq!(ports.iter().filter(|known| is_it(known)).count(), 1);
        assert!(ports.len() < 200, "those of other tests are few");
    }
}

//! The guardian: one lazily started thread that makes sure that nothing waits for ever.
//!
//! It looks, every few milliseconds while somebody asked for it and not at all otherwise, at what
//! no other thread is looking at: ports with packets or pending operations and no thread in them,
//! and the reactor without a leader. It also keeps the timers.
//!
//! Whoever leaves work behind first raises the object's flag and then calls `rouse`. The guardian
//! first lowers its own flag and then looks at all objects, so either it sees the object's flag or
//! it is roused again (I6).
#![cfg_attr(shuttle, allow(dead_code, reason = "the tests look instead of the thread"))]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, OnceLock, Weak};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crate::port::CompletionPort;
use crate::reactor;
use crate::sync::Lock;
use crate::sync::atomic::{AtomicBool, Ordering};

/// How often the guardian looks while it is needed.
const TICK: Duration = Duration::from_millis(5);

/// Called when its time comes; returns nothing and may take locks, but not the guardian's.
pub type TimerCall = Box<dyn FnOnce() + Send>;

struct Guardian {
    awake: AtomicBool,
    thread: OnceLock<Thread>,
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
    thread: OnceLock::new(),
    ports: Lock::new(Vec::new()),
    timers: Lock::new(BinaryHeap::new()),
};

/// Makes the guardian look at everything, soon.
#[inline]
pub(crate) fn rouse() {
    if !GUARDIAN.awake.load(Ordering::SeqCst) && !GUARDIAN.awake.swap(true, Ordering::SeqCst) {
        unpark();
    }
}

/// The guardian looks after this port from now on.
pub(crate) fn watch(port: &Arc<CompletionPort>) {
    let mut ports = GUARDIAN.ports.lock();
    ports.retain(|known| known.strong_count() > 0);
    ports.push(Arc::downgrade(port));
}

/// Calls `call` after `delay`, on the guardian's thread.
pub fn call_after(delay: Duration, call: impl FnOnce() + Send + 'static) {
    let Some(at) = Instant::now().checked_add(delay) else {
        return;
    };
    GUARDIAN.timers.lock().push(Reverse(Timer { at, call: Box::new(call) }));
    GUARDIAN.awake.store(true, Ordering::SeqCst);
    unpark();
}

/// The guardian's thread. The schedule tests have their own, which calls [`look`].
///
/// While the process cannot start a thread there is none, and the next who rouses it tries again:
/// the caller is in the middle of something, a packet in its hands, and must not fail.
fn unpark() {
    #[cfg(not(shuttle))]
    match thread() {
        Some(thread) => thread.unpark(),
        None => GUARDIAN.awake.store(false, Ordering::SeqCst),
    }
}

#[cfg(not(shuttle))]
fn thread() -> Option<&'static Thread> {
    static STARTING: Lock<()> = Lock::new(());
    if GUARDIAN.thread.get().is_none() {
        let _one_at_a_time = STARTING.lock();
        if GUARDIAN.thread.get().is_none() {
            let builder = std::thread::Builder::new().name("linsock-guardian".into());
            let started = builder.spawn(|| GUARDIAN.run()).ok()?;
            // Nobody else sets it.
            let _ = GUARDIAN.thread.set(started.thread().clone());
        }
    }
    GUARDIAN.thread.get()
}

/// What the guardian does when it wakes, for the schedule tests.
#[cfg(shuttle)]
pub fn look() {
    GUARDIAN.look();
}

impl Guardian {
    #[cfg(not(shuttle))]
    fn run(&self) {
        loop {
            if self.awake.load(Ordering::SeqCst) {
                std::thread::sleep(TICK);
            }
            match self.look() {
                _ if self.awake.load(Ordering::SeqCst) => {}
                Some(at) => std::thread::park_timeout(at.saturating_duration_since(Instant::now())),
                None => std::thread::park(),
            }
        }
    }

    /// One look at everything; returns when the next timer is due.
    fn look(&self) -> Option<Instant> {
        self.awake.store(false, Ordering::SeqCst);
        let next_timer = self.fire_timers();
        if shielded(|| self.tend()) {
            self.awake.store(true, Ordering::SeqCst);
        }
        next_timer
    }

    fn tend(&self) -> bool {
        let ports: Vec<_> = self.ports.lock().iter().filter_map(Weak::upgrade).collect();
        let mut again = reactor::existing().is_some_and(reactor::Reactor::tend);
        for port in ports {
            again |= port.tend();
        }
        again
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
                shielded(|| {
                    (timer.call)();
                    false
                });
            }
        }
    }
}

/// Runs `work`, which may reach the program's own code; true if that panicked, for another look.
/// The guardian lives on: everything else relies on it.
fn shielded(work: impl FnOnce() -> bool) -> bool {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;

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

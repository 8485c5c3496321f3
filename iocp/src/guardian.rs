//! The guardian: one lazily started thread that makes sure that nothing waits for ever.
//!
//! It looks at what no other thread is looking at: ports with packets or pending operations and no
//! thread in them, and the reactor without a leader. Every 5 ms while it finds such, every 20 ms
//! while it is called and others do the work, and not at all otherwise. It also keeps the timers.
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
            Found::Nothing => self.idle = self.idle.saturating_add(1),
        }
        (self.idle < IDLE_LOOKS).then_some(self.tick)
    }
}

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

/// Whether the guardian is going to look anyway.
#[inline]
pub(crate) fn is_awake() -> bool {
    GUARDIAN.awake.load(Ordering::SeqCst)
}

/// Makes the guardian look at everything, soon.
#[inline]
pub(crate) fn rouse() {
    if !is_awake() && !GUARDIAN.awake.swap(true, Ordering::SeqCst) {
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
        let mut pace = Pace::BRISK;
        std::thread::park_timeout(TICK);
        loop {
            let (found, next_timer) = self.look();
            let timer = next_timer.map(|at| at.saturating_duration_since(Instant::now()));
            if let Some(tick) = pace.after(found) {
                self.awake.store(true, Ordering::SeqCst);
                rest(Some(timer.map_or(tick, |timer| timer.min(tick))));
                continue;
            }
            rest(timer);
            if self.awake.load(Ordering::SeqCst) {
                pace = Pace::BRISK;
                std::thread::park_timeout(TICK);
            }
        }
    }

    /// One look at everything; gives what it found and when the next timer is due.
    fn look(&self) -> (Found, Option<Instant>) {
        self.awake.store(false, Ordering::SeqCst);
        let next_timer = self.fire_timers();
        (shielded(|| self.tend()).unwrap_or(Found::Neglected), next_timer)
    }

    fn tend(&self) -> Found {
        let ports: Vec<_> = self.ports.lock().iter().filter_map(Weak::upgrade).collect();
        let reactor = reactor::existing().map_or(Found::Nothing, reactor::Reactor::tend);
        ports.iter().map(CompletionPort::tend).fold(reactor, Found::max)
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

/// Until the thread is called, or the time is up.
#[cfg(not(shuttle))]
fn rest(time: Option<Duration>) {
    match time {
        Some(time) => std::thread::park_timeout(time),
        None => std::thread::park(),
    }
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

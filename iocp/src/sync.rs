//! The one way this workspace locks, and everything else that a schedule can come between.
//!
//! Built with `--cfg shuttle`, every lock, atomic, thread-local and blocking system call here and
//! in the crates above is a place where the schedule tests (`winsock/tests/schedules.rs`) may let
//! another thread run. The code itself is the same in both builds.

#[cfg(shuttle)]
mod model;

use parking_lot::{Condvar, Mutex, MutexGuard};
use rustix::event::PollFd;
#[cfg(not(shuttle))]
use rustix::event::PollFlags;
use rustix::time::Timespec;

use crate::clock::Deadline;
use crate::driver::Driver;
#[cfg(not(shuttle))]
use crate::spin::spin;

#[cfg(shuttle)]
pub use model::atomic;
#[cfg(shuttle)]
pub use shuttle::thread_local;
#[cfg(not(shuttle))]
pub use std::thread_local;
/// The atomics of this crate.
#[cfg(not(shuttle))]
pub mod atomic {
    pub use std::sync::atomic::{
        AtomicBool, AtomicI32, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering,
    };
}

/// A mutex that a panic of its holder does not poison.
///
/// A panic inside an export is turned into an error for the C caller, and the process goes on; the
/// next call on the same object must not panic in turn because of it.
#[derive(Debug, Default)]
pub struct Lock<T>(Mutex<T>);

/// The lock, held.
pub type Locked<'a, T> = MutexGuard<'a, T>;

impl<T> Lock<T> {
    /// A new lock around `value`.
    pub const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Acquires the lock, waiting for it.
    #[inline]
    pub fn lock(&self) -> Locked<'_, T> {
        #[cfg(shuttle)]
        return model::until(|| self.0.try_lock());
        #[cfg(not(shuttle))]
        self.0.lock()
    }
}

/// A condition that a thread can wait for under a [`Lock`]. The schedule tests do not reach it.
#[derive(Debug, Default)]
pub struct Condition(Condvar);

impl Condition {
    /// A new one.
    pub const fn new() -> Self {
        Self(Condvar::new())
    }

    /// Lets go of the lock, waits to be told, and takes the lock again.
    pub fn wait<T>(&self, locked: &mut Locked<'_, T>) {
        self.0.wait(locked);
    }

    /// As [`wait`](Self::wait), for a time at most.
    pub fn wait_for<T>(&self, locked: &mut Locked<'_, T>, most: std::time::Duration) {
        self.0.wait_for(locked, most);
    }

    /// Tells everyone who waits.
    pub fn tell_all(&self) {
        self.0.notify_all();
    }
}

/// Polls descriptors until one reports something, a signal comes, or the deadline passes.
pub(crate) fn poll(fds: &mut [PollFd<'_>], deadline: Deadline) {
    #[cfg(shuttle)]
    return model::poll(fds, deadline);
    #[cfg(not(shuttle))]
    {
        spin(deadline, || reports(fds));
        let _ = rustix::event::poll(fds, deadline.timespec().as_ref());
    }
}

/// What a wait for the driver's events does before it blocks; gives until when it may.
#[inline]
pub(crate) fn before_wait(driver: &Driver, deadline: Deadline) -> Deadline {
    #[cfg(shuttle)]
    return model::ready(driver, deadline);
    #[cfg(not(shuttle))]
    {
        spin(deadline, || reports(&mut [PollFd::new(driver, PollFlags::IN)]));
        deadline
    }
}

/// Whether a descriptor has something to report now.
fn reports(fds: &mut [PollFd<'_>]) -> bool {
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    rustix::event::poll(fds, Some(&at_once)).unwrap_or(0) > 0
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use rustix::event::{EventfdFlags, PollFlags, eventfd};

    use super::*;

    #[test]
    fn who_waits_for_a_condition_lets_go_of_the_lock_until_it_is_told() {
        let (is_so, condition) = (&Lock::new(false), &Condition::new());
        let (begun, has_begun) = channel();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(move || {
                let mut is_so = is_so.lock();
                begun.send(()).unwrap();
                while !*is_so {
                    condition.wait(&mut is_so);
                }
            });
            has_begun.recv().unwrap();
            *is_so.lock() = true;
            condition.tell_all();
            waiter.join().unwrap();
        });
    }

    #[test]
    fn a_descriptor_reports_when_it_is_ready() {
        let reports_of = |count| {
            let fd = eventfd(count, EventfdFlags::CLOEXEC).unwrap();
            reports(&mut [PollFd::new(&fd, PollFlags::IN)])
        };
        assert!(!reports_of(0));
        assert!(reports_of(1));
    }
}

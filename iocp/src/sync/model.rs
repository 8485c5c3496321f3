//! Where the schedule tests come between.
//!
//! Everything stays what it is outside the tests, real locks and real descriptors; what is added
//! is a point before each step at which shuttle may switch to another of its threads. Those are
//! coroutines of one system thread, so nothing here may block it: a lock is tried until it is
//! had, a wait polls.

use rustix::event::{PollFd, PollFlags};
use shuttle::sync::atomic::AtomicBool;

use crate::clock::Deadline;
use crate::driver::Driver;

/// Another thread may run here.
pub(super) fn point() {
    AtomicBool::new(false).load(atomic::Ordering::SeqCst);
}

/// Tries until there is something; others run meanwhile.
pub(super) fn until<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    point();
    loop {
        if let Some(done) = attempt() {
            return done;
        }
        shuttle::thread::yield_now();
    }
}

/// See [`poll`](super::poll).
pub(super) fn poll(fds: &mut [PollFd<'_>], deadline: Deadline) {
    until(|| (super::reports(fds) || deadline.is_over()).then_some(()));
}

/// Waits for a driver to have something to report; what is left is a look that does not wait.
pub(super) fn ready(driver: &Driver, deadline: Deadline) -> Deadline {
    poll(&mut [PollFd::new(driver, PollFlags::IN)], deadline);
    Deadline::after_ms(0)
}

/// Atomics with a point before each access.
pub mod atomic {
    pub use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

    use super::point;

    macro_rules! atomics {
        ($($name:ident $value:ty),*) => { $(
            /// See [`std::sync::atomic`].
            #[derive(Debug, Default)]
            #[repr(transparent)]
            pub struct $name(std::sync::atomic::$name);

            #[allow(missing_docs)]
            impl $name {
                pub const fn new(value: $value) -> Self {
                    Self(std::sync::atomic::$name::new(value))
                }

                pub fn load(&self, order: Ordering) -> $value {
                    point();
                    self.0.load(order)
                }

                pub fn store(&self, value: $value, order: Ordering) {
                    point();
                    self.0.store(value, order);
                }

                pub fn swap(&self, value: $value, order: Ordering) -> $value {
                    point();
                    self.0.swap(value, order)
                }

                pub fn fetch_update(
                    &self,
                    set: Ordering,
                    fetch: Ordering,
                    update: impl FnMut($value) -> Option<$value>,
                ) -> Result<$value, $value> {
                    point();
                    self.0.fetch_update(set, fetch, update)
                }
            }
        )* };
    }

    macro_rules! counters {
        ($($name:ident $value:ty),*) => { $(
            #[allow(missing_docs)]
            impl $name {
                pub fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                    point();
                    self.0.fetch_add(value, order)
                }

                pub fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                    point();
                    self.0.fetch_sub(value, order)
                }
            }
        )* };
    }

    atomics!(AtomicBool bool, AtomicI32 i32, AtomicU64 u64, AtomicUsize usize);
    counters!(AtomicI32 i32, AtomicU64 u64, AtomicUsize usize);
}

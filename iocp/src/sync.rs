//! The one way this workspace locks.

use parking_lot::{Condvar, Mutex, MutexGuard};

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
        self.0.lock()
    }
}

/// A condition that a thread can wait for under a [`Lock`].
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

    /// Tells everyone who waits.
    pub fn tell_all(&self) {
        self.0.notify_all();
    }
}

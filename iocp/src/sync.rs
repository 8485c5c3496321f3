//! The one way this workspace locks.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A mutex that survives a panic of its holder.
///
/// A panic inside an export is turned into an error for the C caller, and the process goes on; the
/// next call on the same object must not panic in turn because of it.
#[derive(Debug, Default)]
pub struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    /// A new lock around `value`.
    pub const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Acquires the lock, waiting for it.
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! A socket's lock, held.

use std::ops::{Deref, DerefMut};

use linsock_iocp::sync::{Lock, Locked};

use super::Inner;

/// A socket's lock, held. Whatever happens to a socket happens under it, so this is the one place
/// where the trace looks: before the lock is let go.
pub(super) struct Held<'a>(Locked<'a, Inner>);

impl<'a> Held<'a> {
    /// Acquires the lock.
    #[inline]
    pub(super) fn new(lock: &'a Lock<Inner>) -> Self {
        Self(lock.lock())
    }
}

impl Deref for Held<'_> {
    type Target = Inner;

    #[inline]
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl DerefMut for Held<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Inner {
        &mut self.0
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.0.trace.is_some() {
            self.0.tell_changes();
        }
    }
}

//! Slim reader/writer locks.
//!
//! The first word counts the holders and says who sleeps; writers sleep on the second, so that a
//! release wakes one writer or all readers and never both. Readers that come while a writer sleeps
//! queue behind it.

use std::sync::atomic::{AtomicU32, Ordering};

use linsock::iocp::clock::Deadline;

use super::{SPINS, Shared, futex, shared};
use crate::export::{Outcome, export};
use crate::last_error::Error;

// Whoever finds a free lock with sleepers has not missed them: either a woken writer is on its way
// to take the lock, or the thread that released it is still in `wake`.

/// A slim reader/writer lock, in 8 octets of the program's.
#[repr(C)]
#[derive(Debug, Default)]
pub struct SRWLOCK {
    /// How many hold it ([`EXCLUSIVE`] for a writer), and the two bits below.
    state: AtomicU32,
    /// Changes whenever a sleeping writer is to look again.
    writers: AtomicU32,
}

const _: () = assert!(size_of::<SRWLOCK>() == 8);

// SAFETY: atomics.
unsafe impl Shared for SRWLOCK {}

const READER: u32 = 1;
const HOLDERS: u32 = (1 << 30) - 1;
const EXCLUSIVE: u32 = HOLDERS;
const READERS_SLEEP: u32 = 1 << 30;
const WRITERS_SLEEP: u32 = 1 << 31;

const fn is_free(state: u32) -> bool {
    state & HOLDERS == 0
}

/// Nobody who is asleep has an older claim, and one more reader can be counted.
const fn is_open_to_readers(state: u32) -> bool {
    state & HOLDERS < HOLDERS - 1 && state & (READERS_SLEEP | WRITERS_SLEEP) == 0
}

impl SRWLOCK {
    pub(super) fn acquire_shared(&self) {
        let mut spins = SPINS;
        loop {
            let state = self.state.load(Ordering::Relaxed);
            if is_open_to_readers(state) {
                if self.replace(state, state + READER) {
                    return;
                }
            } else if spins > 0 && state == EXCLUSIVE {
                spins -= 1;
                std::hint::spin_loop();
            } else if state & READERS_SLEEP != 0 || self.replace(state, state | READERS_SLEEP) {
                futex::wait(&self.state, state | READERS_SLEEP, Deadline::Never);
            }
        }
    }

    fn try_acquire_shared(&self) -> bool {
        let take = |state: u32| is_open_to_readers(state).then_some(state + READER);
        self.state.fetch_update(Ordering::Acquire, Ordering::Relaxed, take).is_ok()
    }

    pub(super) fn try_acquire_exclusive(&self) -> bool {
        let take = |state: u32| is_free(state).then_some(state | EXCLUSIVE);
        self.state.fetch_update(Ordering::Acquire, Ordering::Relaxed, take).is_ok()
    }

    pub(super) fn acquire_exclusive(&self) {
        let mut spins = SPINS;
        // Once this thread has slept, it cannot know whether other writers still do.
        let mut others = 0;
        loop {
            let state = self.state.load(Ordering::Relaxed);
            if is_free(state) {
                if self.replace(state, state | EXCLUSIVE | others) {
                    return;
                }
                continue;
            }
            if spins > 0 && state & (READERS_SLEEP | WRITERS_SLEEP) == 0 {
                spins -= 1;
                std::hint::spin_loop();
                continue;
            }
            if state & WRITERS_SLEEP == 0 && !self.replace(state, state | WRITERS_SLEEP) {
                continue;
            }
            others = WRITERS_SLEEP;
            // The turn is read before the state, so that a release in between changes the turn.
            let turn = self.writers.load(Ordering::Acquire);
            let state = self.state.load(Ordering::Relaxed);
            if !is_free(state) && state & WRITERS_SLEEP != 0 {
                futex::wait(&self.writers, turn, Deadline::Never);
            }
        }
    }

    pub(super) fn release_shared(&self) {
        let state = self.state.fetch_sub(READER, Ordering::Release) - READER;
        // Readers sleep during other readers' hold only behind a writer.
        if is_free(state) && state & WRITERS_SLEEP != 0 {
            self.wake(state);
        }
    }

    pub(super) fn release_exclusive(&self) {
        let state = self.state.fetch_sub(EXCLUSIVE, Ordering::Release) - EXCLUSIVE;
        if state != 0 {
            self.wake(state);
        }
    }

    /// Hands a free lock on: to a writer, or else to all readers. Whoever takes it meanwhile has
    /// the duty with it.
    #[cold]
    fn wake(&self, mut state: u32) {
        if state & WRITERS_SLEEP != 0 {
            let readers = state & READERS_SLEEP;
            if !self.replace(state, readers) {
                // Readers may have gone to sleep meanwhile; if the lock was taken, it is not ours.
                state = self.state.load(Ordering::Relaxed);
                if state != READERS_SLEEP | WRITERS_SLEEP || !self.replace(state, READERS_SLEEP) {
                    return;
                }
                state = READERS_SLEEP;
            } else {
                state = readers;
            }
            self.writers.fetch_add(1, Ordering::Release);
            if futex::wake(&raw const self.writers, 1) {
                return;
            }
            // No writer slept after all: the one that said so is awake and will look.
        }
        if state == READERS_SLEEP && self.replace(state, 0) {
            futex::wake(&raw const self.state, i32::MAX);
        }
    }

    fn check_held(&self, as_meant: impl Fn(u32) -> bool) -> Outcome<()> {
        let holders = self.state.load(Ordering::Relaxed) & HOLDERS;
        if as_meant(holders) { Ok(()) } else { Err(Error::ERROR_NOT_OWNER) }
    }

    pub(super) fn check_exclusive(&self) -> Outcome<()> {
        self.check_held(|holders| holders == EXCLUSIVE)
    }

    pub(super) fn check_shared(&self) -> Outcome<()> {
        self.check_held(|holders| holders != 0 && holders != EXCLUSIVE)
    }

    fn replace(&self, from: u32, to: u32) -> bool {
        self.state.compare_exchange(from, to, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }
}

export! {
    /// Makes memory a free slim reader/writer lock.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-initializesrwlock>
    fn InitializeSRWLock(SRWLock: *mut SRWLOCK) -> (), fail (); {
        let lock = shared(SRWLock)?;
        lock.writers.store(0, Ordering::Relaxed);
        lock.state.store(0, Ordering::Release);
        Ok(())
    }

    /// Acquires a lock for writing.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-acquiresrwlockexclusive>
    ///
    /// Blocks until nobody holds it; not recursive. Not alertable.
    fn AcquireSRWLockExclusive(SRWLock: *mut SRWLOCK) -> (), fail (); {
        shared(SRWLock)?.acquire_exclusive();
        Ok(())
    }

    /// Acquires a lock for writing if nobody holds it.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-tryacquiresrwlockexclusive>
    fn TryAcquireSRWLockExclusive(SRWLock: *mut SRWLOCK) -> u8, fail 0; {
        Ok(u8::from(shared(SRWLock)?.try_acquire_exclusive()))
    }

    /// Releases a lock that the calling thread holds for writing.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-releasesrwlockexclusive>
    ///
    /// # Differs from Windows
    /// A lock that is not held so is left as it is; the last error is ERROR_NOT_OWNER.
    fn ReleaseSRWLockExclusive(SRWLock: *mut SRWLOCK) -> (), fail (); {
        let lock = shared(SRWLock)?;
        lock.check_exclusive()?;
        lock.release_exclusive();
        Ok(())
    }

    /// Acquires a lock for reading.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-acquiresrwlockshared>
    ///
    /// Blocks while a writer holds it or waits for it. Not alertable.
    fn AcquireSRWLockShared(SRWLock: *mut SRWLOCK) -> (), fail (); {
        shared(SRWLock)?.acquire_shared();
        Ok(())
    }

    /// Acquires a lock for reading if no writer holds it or waits for it.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-tryacquiresrwlockshared>
    ///
    /// Never blocks.
    fn TryAcquireSRWLockShared(SRWLock: *mut SRWLOCK) -> u8, fail 0; {
        Ok(u8::from(shared(SRWLock)?.try_acquire_shared()))
    }

    /// Releases a lock that the calling thread holds for reading.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-releasesrwlockshared>
    ///
    /// # Differs from Windows
    /// A lock that is not held so is left as it is; the last error is ERROR_NOT_OWNER.
    fn ReleaseSRWLockShared(SRWLock: *mut SRWLOCK) -> (), fail (); {
        let lock = shared(SRWLock)?;
        lock.check_shared()?;
        lock.release_shared();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::UnsafeCell;

    use super::*;
    use crate::last_error;

    fn at(lock: &SRWLOCK) -> *mut SRWLOCK {
        std::ptr::from_ref(lock).cast_mut()
    }

    /// Two numbers that only the lock protects: what its orderings lack is a data race, which
    /// ThreadSanitizer reports.
    #[derive(Default)]
    struct Guarded([UnsafeCell<u64>; 2]);
    // SAFETY: the test writes with the lock held exclusively, and reads with it held.
    unsafe impl Sync for Guarded {}

    impl Guarded {
        fn get(&self, which: usize) -> u64 {
            // SAFETY: nobody writes, because the calling thread holds the lock.
            unsafe { self.0[which].get().read() }
        }

        fn set(&self, which: usize, number: u64) {
            // SAFETY: the calling thread holds the lock exclusively.
            unsafe { self.0[which].get().write(number) };
        }
    }

    #[test]
    fn readers_share_writers_do_not_and_releases_must_match() {
        let lock = SRWLOCK::default();
        let try_write = || {
            // SAFETY: the lock is a local.
            unsafe { TryAcquireSRWLockExclusive(at(&lock)) }
        };
        // SAFETY: the lock is a local.
        unsafe { AcquireSRWLockShared(at(&lock)) };
        // SAFETY: the lock is a local.
        unsafe { AcquireSRWLockShared(at(&lock)) };
        assert_eq!(try_write(), 0);
        last_error::set(0);
        // SAFETY: the lock is a local.
        unsafe { ReleaseSRWLockExclusive(at(&lock)) };
        assert_eq!(last_error::get(), Error::ERROR_NOT_OWNER.0);
        for free in [0, 1] {
            // SAFETY: the lock is a local.
            unsafe { ReleaseSRWLockShared(at(&lock)) };
            assert_eq!(try_write(), free);
        }
        assert_eq!(try_write(), 0);
        last_error::set(0);
        // SAFETY: the lock is a local.
        unsafe { ReleaseSRWLockShared(at(&lock)) };
        assert_eq!(last_error::get(), Error::ERROR_NOT_OWNER.0);
        // SAFETY: the lock is a local.
        unsafe { ReleaseSRWLockExclusive(at(&lock)) };
        assert_eq!(lock.state.load(Ordering::Relaxed), 0);
    }

    /// Writers move two numbers together; a reader that sees them apart was let in beside one.
    #[test]
    fn readers_never_see_half_a_write_and_nobody_sleeps_for_ever() {
        const ROUNDS: u64 = 5000;
        const WRITERS: u64 = 3;
        let lock = SRWLOCK::default();
        let numbers = Guarded::default();
        std::thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        lock.acquire_exclusive();
                        let next = numbers.get(0) + 1;
                        numbers.set(0, next);
                        if next % 64 == 0 {
                            std::thread::yield_now();
                        }
                        numbers.set(1, next);
                        lock.release_exclusive();
                    }
                });
            }
            for _ in 0..3 {
                scope.spawn(|| {
                    for round in 0..ROUNDS {
                        lock.acquire_shared();
                        let seen = (numbers.get(0), numbers.get(1));
                        if round % 64 == 0 {
                            std::thread::yield_now();
                        }
                        lock.release_shared();
                        assert_eq!(seen.0, seen.1);
                    }
                });
            }
        });
        let moved = numbers.0.map(UnsafeCell::into_inner);
        assert_eq!(moved, [WRITERS * ROUNDS; 2]);
        assert!(is_free(lock.state.into_inner()));
    }
}

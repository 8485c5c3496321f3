//! Condition variables.
//!
//! A condition variable is a number that every wake changes. A thread reads it while it still holds
//! the lock, so no wake can come between its look at the condition and its sleep unseen.

use std::sync::atomic::{AtomicU32, Ordering};

use linsock::iocp::clock::Deadline;

use super::futex::{self, Slept};
use super::{CRITICAL_SECTION, SRWLOCK, Shared, shared};
use crate::abi::{BOOL, FALSE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;

/// The lock is held for reading (winbase.h).
const CONDITION_VARIABLE_LOCKMODE_SHARED: u32 = 1;

/// A condition variable, in 8 octets of the program's.
#[repr(C, align(8))]
#[derive(Debug, Default)]
pub struct CONDITION_VARIABLE {
    wakes: AtomicU32,
}

const _: () = assert!(size_of::<CONDITION_VARIABLE>() == 8);

// SAFETY: an atomic.
unsafe impl Shared for CONDITION_VARIABLE {}

impl CONDITION_VARIABLE {
    /// Sleeps without the lock, and takes it again. `leave` gives it up, unless it refuses.
    fn sleep(
        &self,
        ms: u32,
        leave: impl FnOnce() -> Outcome<()>,
        enter: impl FnOnce(),
    ) -> Outcome<BOOL> {
        let seen = self.wakes.load(Ordering::Relaxed);
        leave()?;
        let slept = futex::wait(&self.wakes, seen, Deadline::after_ms(ms));
        enter();
        match slept {
            Slept::Woken => Ok(TRUE),
            Slept::TimedOut => Err(Error::ERROR_TIMEOUT),
        }
    }

    fn wake(&self, count: i32) {
        let wakes = &raw const self.wakes;
        self.wakes.fetch_add(1, Ordering::Relaxed);
        futex::wake(wakes, count);
    }
}

export! {
    /// Makes memory a condition variable.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-initializeconditionvariable>
    fn InitializeConditionVariable(ConditionVariable: *mut CONDITION_VARIABLE) -> (), fail (); {
        shared(ConditionVariable)?.wakes.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// Leaves a critical section once, sleeps until woken or the time is over, and enters it again.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-sleepconditionvariablecs>
    ///
    /// It may also return for no reason. Not alertable.
    ///
    /// # Errors
    /// ERROR_TIMEOUT (the section is entered again all the same), ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// A thread that is not inside gets ERROR_NOT_OWNER at once.
    fn SleepConditionVariableCS(
        ConditionVariable: *mut CONDITION_VARIABLE,
        CriticalSection: *mut CRITICAL_SECTION,
        dwMilliseconds: u32,
    ) -> BOOL, fail FALSE; {
        let (variable, section) = (shared(ConditionVariable)?, shared(CriticalSection)?);
        let leave = || if section.leave() { Ok(()) } else { Err(Error::ERROR_NOT_OWNER) };
        variable.sleep(dwMilliseconds, leave, || section.enter())
    }

    /// Releases a slim lock, sleeps until woken or the time is over, and acquires it again as it
    /// was held.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-sleepconditionvariablesrw>
    ///
    /// It may also return for no reason. Not alertable.
    ///
    /// # Errors
    /// ERROR_TIMEOUT (the lock is held again all the same), ERROR_INVALID_PARAMETER for unknown
    /// flags, ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// A lock that is not held as the flags say is ERROR_NOT_OWNER.
    fn SleepConditionVariableSRW(
        ConditionVariable: *mut CONDITION_VARIABLE,
        SRWLock: *mut SRWLOCK,
        dwMilliseconds: u32,
        Flags: u32,
    ) -> BOOL, fail FALSE; {
        let (variable, lock) = (shared(ConditionVariable)?, shared(SRWLock)?);
        match Flags {
            0 => {
                let leave = || lock.check_exclusive().map(|()| lock.release_exclusive());
                variable.sleep(dwMilliseconds, leave, || lock.acquire_exclusive())
            }
            CONDITION_VARIABLE_LOCKMODE_SHARED => {
                let leave = || lock.check_shared().map(|()| lock.release_shared());
                variable.sleep(dwMilliseconds, leave, || lock.acquire_shared())
            }
            _ => Err(Error::ERROR_INVALID_PARAMETER),
        }
    }

    /// Wakes one thread that sleeps on a condition variable.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-wakeconditionvariable>
    fn WakeConditionVariable(ConditionVariable: *mut CONDITION_VARIABLE) -> (), fail (); {
        shared(ConditionVariable)?.wake(1);
        Ok(())
    }

    /// Wakes every thread that sleeps on a condition variable.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-wakeallconditionvariable>
    fn WakeAllConditionVariable(ConditionVariable: *mut CONDITION_VARIABLE) -> (), fail (); {
        shared(ConditionVariable)?.wake(i32::MAX);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::last_error;

    fn at<T>(shared: &T) -> *mut T {
        std::ptr::from_ref(shared).cast_mut()
    }

    #[test]
    fn a_sleep_that_nobody_ends_times_out_with_the_lock_held() {
        let (variable, section) = (CONDITION_VARIABLE::default(), CRITICAL_SECTION::default());
        section.enter();
        let began = Instant::now();
        // SAFETY: both are locals.
        let result = unsafe { SleepConditionVariableCS(at(&variable), at(&section), 30) };
        assert_eq!((result, last_error::get()), (FALSE, Error::ERROR_TIMEOUT.0));
        assert!(began.elapsed() >= Duration::from_millis(30));
        assert!(section.leave());
    }

    #[test]
    fn sleeping_without_the_lock_and_with_unknown_flags_is_refused() {
        let (variable, section) = (CONDITION_VARIABLE::default(), CRITICAL_SECTION::default());
        // SAFETY: both are locals.
        let result = unsafe { SleepConditionVariableCS(at(&variable), at(&section), u32::MAX) };
        assert_eq!((result, last_error::get()), (FALSE, Error::ERROR_NOT_OWNER.0));
        let lock = SRWLOCK::default();
        for (flags, error) in [
            (0, Error::ERROR_NOT_OWNER),
            (1, Error::ERROR_NOT_OWNER),
            (2, Error::ERROR_INVALID_PARAMETER),
        ] {
            // SAFETY: both are locals.
            let result =
                unsafe { SleepConditionVariableSRW(at(&variable), at(&lock), u32::MAX, flags) };
            assert_eq!((result, last_error::get()), (FALSE, error.0), "{flags}");
        }
    }

    /// A baton goes round; every hand-over is a wake that must not get lost.
    #[test]
    fn no_wake_is_lost() {
        const THREADS: u32 = 3;
        const ROUNDS: u32 = 500;
        for mode in 0..2 {
            let (variable, section) = (CONDITION_VARIABLE::default(), CRITICAL_SECTION::default());
            let (lock, turn) = (SRWLOCK::default(), AtomicU32::new(0));
            std::thread::scope(|scope| {
                for mine in 0..THREADS {
                    let (variable, section, lock, turn) = (&variable, &section, &lock, &turn);
                    scope.spawn(move || {
                        for _ in 0..ROUNDS {
                            hand_over(mode, mine, variable, section, lock, turn);
                        }
                    });
                }
            });
            assert_eq!(turn.into_inner(), THREADS * ROUNDS);
        }

        fn hand_over(
            mode: u32,
            mine: u32,
            variable: &CONDITION_VARIABLE,
            section: &CRITICAL_SECTION,
            lock: &SRWLOCK,
            turn: &AtomicU32,
        ) {
            let is_mine = || turn.load(Ordering::Relaxed) % THREADS == mine;
            match mode {
                0 => {
                    section.enter();
                    while !is_mine() {
                        let leave = || section.leave().then_some(()).ok_or(Error::ERROR_NOT_OWNER);
                        variable.sleep(u32::MAX, leave, || section.enter()).unwrap();
                    }
                    turn.fetch_add(1, Ordering::Relaxed);
                    assert!(section.leave());
                }
                _ => {
                    lock.acquire_exclusive();
                    while !is_mine() {
                        let leave = || lock.check_exclusive().map(|()| lock.release_exclusive());
                        variable.sleep(u32::MAX, leave, || lock.acquire_exclusive()).unwrap();
                    }
                    turn.fetch_add(1, Ordering::Relaxed);
                    lock.release_exclusive();
                }
            }
            variable.wake(i32::MAX);
        }
    }
}

//! Locks that live in the program's memory: critical sections here, slim reader/writer locks and
//! condition variables in the files below.
//!
//! All zero is the initial state of each. A lock whose memory is invalid or misaligned is refused
//! with ERROR_NOACCESS in the last error: the functions that return nothing have no other way to
//! say that nothing was locked.
//!
//! # Differs from Windows
//! Windows raises an exception for invalid memory.
#![allow(unsafe_code, reason = "shared memory of the program, as atomics; futex")]

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use linsock::iocp::clock::Deadline;
use linsock::iocp::thread;

use crate::abi::{BOOL, FALSE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;

mod condition;
mod futex;
mod once;
mod srw;

pub use condition::{
    CONDITION_VARIABLE, InitializeConditionVariable, SleepConditionVariableCS,
    SleepConditionVariableSRW, WakeAllConditionVariable, WakeConditionVariable,
};
pub use once::{
    INIT_ONCE, InitOnceBeginInitialize, InitOnceComplete, InitOnceExecuteOnce, InitOnceFunction,
    InitOnceInitialize,
};
pub use srw::{
    AcquireSRWLockExclusive, AcquireSRWLockShared, InitializeSRWLock, ReleaseSRWLockExclusive,
    ReleaseSRWLockShared, SRWLOCK, TryAcquireSRWLockExclusive, TryAcquireSRWLockShared,
};

/// Looks at a lock before a thread goes to sleep for it: as long as a short section takes.
const SPINS: u32 = 100;

/// Flags that InitializeCriticalSectionEx takes: no debug information, dynamic spinning, static
/// initialization (winnt.h).
const KNOWN_FLAGS: u32 = 0x0100_0000 | 0x0200_0000 | 0x0400_0000;

const FREE: u32 = 0;
const HELD: u32 = 1;
/// Held, and a thread may sleep.
const CONTENDED: u32 = 2;

/// A critical section, in 40 octets of the program's.
#[repr(C)]
#[derive(Debug, Default)]
pub struct CRITICAL_SECTION {
    state: AtomicU32,
    /// How often the owner entered beyond the first time. Only the owner touches it.
    again: AtomicU32,
    /// [`thread::id`] of the owner; 0 when free.
    owner: AtomicU64,
    rest: [usize; 3],
}

const _: () = assert!(size_of::<CRITICAL_SECTION>() == 40);

/// Memory of the program that consists of atomics, which any octets are.
///
/// # Safety
/// Every field is an atomic integer or never looked at.
unsafe trait Shared {}

// SAFETY: atomics, and a rest that nobody reads.
unsafe impl Shared for CRITICAL_SECTION {}

/// The lock at an address that the program gave.
#[inline]
fn shared<'a, T: Shared>(at: *const T) -> Outcome<&'a T> {
    if !at.is_aligned() || ptr::check_writable(at.cast_mut(), 1).is_err() {
        return Err(Error::ERROR_NOACCESS);
    }
    // SAFETY: aligned, mapped and writable (checked), valid whatever its octets (`Shared`); the
    // program keeps a lock in place while it is used (the crate's safety chapter).
    Ok(unsafe { &*at })
}

impl CRITICAL_SECTION {
    fn initialize(&self) {
        self.again.store(0, Ordering::Relaxed);
        self.owner.store(0, Ordering::Relaxed);
        self.state.store(FREE, Ordering::Release);
    }

    #[inline]
    fn try_enter(&self) -> bool {
        let me = thread::id();
        if self.owner.load(Ordering::Relaxed) == me {
            self.again.fetch_add(1, Ordering::Relaxed);
            return true;
        }
        let taken = self.try_take();
        if taken {
            self.owner.store(me, Ordering::Relaxed);
        }
        taken
    }

    #[inline]
    fn enter(&self) {
        if !self.try_enter() {
            self.take_contended();
            self.owner.store(thread::id(), Ordering::Relaxed);
        }
    }

    /// False if the calling thread is not the owner; then nothing was done.
    #[inline]
    fn leave(&self) -> bool {
        if self.owner.load(Ordering::Relaxed) != thread::id() {
            return false;
        }
        let again = self.again.load(Ordering::Relaxed);
        if again > 0 {
            self.again.store(again - 1, Ordering::Relaxed);
            return true;
        }
        self.owner.store(0, Ordering::Relaxed);
        let state = &raw const self.state;
        if self.state.swap(FREE, Ordering::Release) == CONTENDED {
            futex::wake(state, 1);
        }
        true
    }

    #[inline]
    fn try_take(&self) -> bool {
        self.state.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[cold]
    fn take_contended(&self) {
        for _ in 0..SPINS {
            if self.state.load(Ordering::Relaxed) == FREE && self.try_take() {
                return;
            }
            std::hint::spin_loop();
        }
        // From here on the state is left as contended: a thread that slept cannot know whether
        // another still does.
        while self.state.swap(CONTENDED, Ordering::Acquire) != FREE {
            futex::wait(&self.state, CONTENDED, Deadline::Never);
        }
    }
}

export! {
    /// Makes memory a free critical section.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-initializecriticalsection>
    fn InitializeCriticalSection(lpCriticalSection: *mut CRITICAL_SECTION) -> (), fail (); {
        shared(lpCriticalSection)?.initialize();
        Ok(())
    }

    /// Makes memory a free critical section. The spin count is a hint that is not taken.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-initializecriticalsectionandspincount>
    ///
    /// # Errors
    /// ERROR_NOACCESS.
    fn InitializeCriticalSectionAndSpinCount(
        lpCriticalSection: *mut CRITICAL_SECTION,
        dwSpinCount: u32,
    ) -> BOOL, fail FALSE; {
        let _ = dwSpinCount;
        shared(lpCriticalSection)?.initialize();
        Ok(TRUE)
    }

    /// Makes memory a free critical section. The spin count is a hint that is not taken.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-initializecriticalsectionex>
    ///
    /// # Errors
    /// ERROR_NOACCESS, ERROR_INVALID_PARAMETER for flags that do not exist.
    fn InitializeCriticalSectionEx(
        lpCriticalSection: *mut CRITICAL_SECTION,
        dwSpinCount: u32,
        Flags: u32,
    ) -> BOOL, fail FALSE; {
        let _ = dwSpinCount;
        if Flags & !KNOWN_FLAGS != 0 {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        shared(lpCriticalSection)?.initialize();
        Ok(TRUE)
    }

    /// Accepts a spin count for a critical section: a hint that is not taken. Gives the one before,
    /// which was none.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-setcriticalsectionspincount>
    ///
    /// # Errors
    /// An invalid or misaligned pointer sets ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// It has no effect, and gives 0.
    fn SetCriticalSectionSpinCount(
        lpCriticalSection: *mut CRITICAL_SECTION,
        dwSpinCount: u32,
    ) -> u32, fail 0; {
        let _ = dwSpinCount;
        shared(lpCriticalSection)?;
        Ok(0)
    }

    /// Enters a critical section, once more if the calling thread is inside already.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-entercriticalsection>
    ///
    /// Blocks until the owner has left. Not alertable.
    fn EnterCriticalSection(lpCriticalSection: *mut CRITICAL_SECTION) -> (), fail (); {
        shared(lpCriticalSection)?.enter();
        Ok(())
    }

    /// Enters a critical section if that is possible at once.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-tryentercriticalsection>
    fn TryEnterCriticalSection(lpCriticalSection: *mut CRITICAL_SECTION) -> BOOL, fail FALSE; {
        Ok(BOOL::from(shared(lpCriticalSection)?.try_enter()))
    }

    /// Leaves a critical section.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-leavecriticalsection>
    ///
    /// # Differs from Windows
    /// A thread that is not inside changes nothing; the last error is ERROR_NOT_OWNER.
    fn LeaveCriticalSection(lpCriticalSection: *mut CRITICAL_SECTION) -> (), fail (); {
        if shared(lpCriticalSection)?.leave() { Ok(()) } else { Err(Error::ERROR_NOT_OWNER) }
    }

    /// Ends the use of a critical section, which holds nothing but its memory.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-deletecriticalsection>
    fn DeleteCriticalSection(lpCriticalSection: *mut CRITICAL_SECTION) -> (), fail (); {
        shared(lpCriticalSection)?.initialize();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::UnsafeCell;

    use super::*;
    use crate::last_error;

    fn at(section: &CRITICAL_SECTION) -> *mut CRITICAL_SECTION {
        std::ptr::from_ref(section).cast_mut()
    }

    struct Guarded<'a>(&'a UnsafeCell<u64>);
    // SAFETY: the tests touch the cell inside the critical section only.
    unsafe impl Send for Guarded<'_> {}

    impl Guarded<'_> {
        fn add_one(&self) {
            let at = self.0.get();
            // SAFETY: nobody else is inside the critical section.
            let before = unsafe { at.read() };
            // SAFETY: as above.
            unsafe { at.write(before + 1) };
        }
    }

    #[test]
    fn one_thread_at_a_time_is_inside() {
        const THREADS: u64 = 4;
        const ROUNDS: u64 = 20_000;
        let section = CRITICAL_SECTION::default();
        let total = UnsafeCell::new(0_u64);
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                let (section, total) = (&section, Guarded(&total));
                scope.spawn(move || {
                    let total = total;
                    for _ in 0..ROUNDS {
                        // SAFETY: the section outlives the scope.
                        unsafe { EnterCriticalSection(at(section)) };
                        total.add_one();
                        // SAFETY: as above.
                        unsafe { LeaveCriticalSection(at(section)) };
                    }
                });
            }
        });
        assert_eq!(total.into_inner(), THREADS * ROUNDS);
        assert_eq!(section.state.into_inner(), FREE);
    }

    #[test]
    fn the_owner_enters_again_and_others_do_not_until_it_has_left_as_often() {
        let section = CRITICAL_SECTION::default();
        // SAFETY: the section is a local.
        let others = || {
            std::thread::scope(|scope| {
                scope
                    .spawn(|| {
                        // SAFETY: the section outlives the scope.
                        let entered = unsafe { TryEnterCriticalSection(at(&section)) };
                        if entered != 0 {
                            // SAFETY: as above.
                            unsafe { LeaveCriticalSection(at(&section)) };
                        }
                        entered
                    })
                    .join()
                    .unwrap()
            })
        };
        assert_eq!(others(), TRUE);
        for _ in 0..3 {
            // SAFETY: the section is a local.
            assert_eq!(unsafe { TryEnterCriticalSection(at(&section)) }, TRUE);
            assert_eq!(others(), FALSE);
        }
        for last in [FALSE, FALSE, TRUE] {
            // SAFETY: the section is a local.
            unsafe { LeaveCriticalSection(at(&section)) };
            assert_eq!(others(), last);
        }
    }

    #[test]
    fn leaving_without_being_inside_is_refused() {
        let section = CRITICAL_SECTION::default();
        last_error::set(0);
        // SAFETY: the section is a local.
        unsafe { LeaveCriticalSection(at(&section)) };
        assert_eq!(last_error::get(), Error::ERROR_NOT_OWNER.0);
        // SAFETY: the section is a local.
        assert_eq!(unsafe { TryEnterCriticalSection(at(&section)) }, TRUE);
    }

    #[test]
    fn bad_memory_and_bad_flags_are_refused() {
        let section = CRITICAL_SECTION::default();
        let crooked = at(&section).wrapping_byte_add(4);
        for wild in [std::ptr::null_mut(), std::ptr::without_provenance_mut(64), crooked] {
            last_error::set(0);
            // SAFETY: invalid memory is answered, not followed.
            let result = unsafe { InitializeCriticalSectionAndSpinCount(wild, 0) };
            assert_eq!(result, FALSE);
            assert_eq!(last_error::get(), Error::ERROR_NOACCESS.0);
            // SAFETY: as above.
            assert_eq!(unsafe { TryEnterCriticalSection(wild) }, FALSE);
        }
        for (flags, result) in [(0, TRUE), (0x0100_0000, TRUE), (1, FALSE), (0x8000_0000, FALSE)] {
            // SAFETY: the section is a local.
            let got = unsafe { InitializeCriticalSectionEx(at(&section), 4000, flags) };
            assert_eq!(got, result, "{flags:#x}");
        }
    }
}

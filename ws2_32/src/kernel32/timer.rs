//! Waitable timers, and Windows' way to say when.
#![allow(unsafe_code, reason = "calls of the program's functions")]

use std::ffi::c_void;
use std::sync::Arc;
use std::time::{Duration, Instant};

use linsock::iocp::handle::{Handle, Object, table};
use linsock::iocp::timer::{Routine, Timer};

use super::clock::{file_time_now, file_time_of};
use super::object::names::{self, Kind, Name};
use super::object::no_access;
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::{self, Error};
use crate::ptr;

/// A function that is called on the thread that set a timer.
pub type TimerApc = unsafe extern "C-unwind" fn(*mut c_void, u32, u32);

const CREATE_WAITABLE_TIMER_MANUAL_RESET: u32 = 1;
const CREATE_WAITABLE_TIMER_HIGH_RESOLUTION: u32 = 2;

/// A number of 100-nanosecond intervals.
const fn intervals(count: u64) -> Duration {
    Duration::new(count / 10_000_000, (count % 10_000_000) as u32 * 100)
}

/// The time that a program says: below zero from now on, otherwise a time of day; `None` if no
/// clock reaches it.
pub(crate) fn due_at(due: i64) -> Option<Instant> {
    let left = if due < 0 {
        due.unsigned_abs()
    } else {
        due.unsigned_abs().saturating_sub(file_time_now())
    };
    Instant::now().checked_add(intervals(left))
}

fn timer(value: HANDLE) -> Outcome<Arc<Timer>> {
    let handle = Handle::from_value(value).ok_or(Error::ERROR_INVALID_HANDLE)?;
    let Some(Object::Other(other)) = table().get(handle) else {
        return Err(Error::ERROR_INVALID_HANDLE);
    };
    let any: Arc<dyn std::any::Any + Send + Sync> = other;
    any.downcast().map_err(|_| Error::ERROR_INVALID_HANDLE)
}

fn create(name: Option<Name>, manual_reset: bool) -> Outcome<HANDLE> {
    let timer = || Ok(Object::Other(Arc::new(Timer::new(manual_reset))));
    names::create(name, Kind::Timer, timer)
}

fn create_ex(name: Option<Name>, flags: u32) -> Outcome<HANDLE> {
    let known = CREATE_WAITABLE_TIMER_MANUAL_RESET | CREATE_WAITABLE_TIMER_HIGH_RESOLUTION;
    if flags & !known != 0 {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    create(name, flags & CREATE_WAITABLE_TIMER_MANUAL_RESET != 0)
}

/// The program's routine, as the timer calls it.
fn routine_of(routine: TimerApc, argument: *mut c_void) -> Routine {
    let argument = argument.expose_provenance();
    Arc::new(move |time| {
        let time = file_time_of(time);
        let low = u32::try_from(time & 0xFFFF_FFFF).unwrap_or(0);
        let high = u32::try_from(time >> 32).unwrap_or(0);
        // SAFETY: SetWaitableTimer's caller says that the routine takes the argument.
        unsafe { routine(std::ptr::with_exposed_provenance_mut(argument), low, high) };
    })
}

fn set(
    handle: HANDLE,
    due: *const i64,
    period: i32,
    routine: Option<TimerApc>,
    argument: *mut c_void,
    wakes_the_system: bool,
) -> Outcome<BOOL> {
    let period = u64::try_from(period).map_err(|_| Error::ERROR_INVALID_PARAMETER)?;
    let due = ptr::read(due).map_err(no_access)?;
    let routine = routine.map(|routine| routine_of(routine, argument));
    let period = Duration::from_millis(period);
    let set = timer(handle)?.set(due_at(due), period, routine);
    set.map_err(|_no_thread| Error::ERROR_NOT_ENOUGH_MEMORY)?;
    if wakes_the_system {
        // The page: the call succeeds and says this where the system does not support it.
        last_error::set(Error::ERROR_NOT_SUPPORTED.0);
    }
    Ok(TRUE)
}

export! {
    /// Creates a waitable timer.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-createwaitabletimera>
    ///
    /// # Errors
    /// As CreateEventA's, names and their errors among them.
    ///
    /// # Differs from Windows
    /// Other processes do not see the name; the security attributes are not looked at.
    fn CreateWaitableTimerA(
        lpTimerAttributes: *const u8,
        bManualReset: BOOL,
        lpTimerName: *const u8,
    ) -> HANDLE, fail 0; {
        let _ = lpTimerAttributes;
        create(Name::optional_a(lpTimerName)?, bManualReset != 0)
    }

    /// Creates a waitable timer.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createwaitabletimerw>
    ///
    /// Errors as [`CreateWaitableTimerA`].
    ///
    /// # Differs from Windows
    /// As [`CreateWaitableTimerA`].
    fn CreateWaitableTimerW(
        lpTimerAttributes: *const u8,
        bManualReset: BOOL,
        lpTimerName: *const u16,
    ) -> HANDLE, fail 0; {
        let _ = lpTimerAttributes;
        create(Name::optional_w(lpTimerName)?, bManualReset != 0)
    }

    /// Creates a waitable timer; every one has a high resolution.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-createwaitabletimerexa>
    ///
    /// # Errors
    /// As [`CreateWaitableTimerA`], and ERROR_INVALID_PARAMETER for flags that do not exist.
    ///
    /// # Differs from Windows
    /// As [`CreateWaitableTimerA`]; access rights mean nothing.
    fn CreateWaitableTimerExA(
        lpTimerAttributes: *const u8,
        lpTimerName: *const u8,
        dwFlags: u32,
        dwDesiredAccess: u32,
    ) -> HANDLE, fail 0; {
        let _ = (lpTimerAttributes, dwDesiredAccess);
        create_ex(Name::optional_a(lpTimerName)?, dwFlags)
    }

    /// Creates a waitable timer; every one has a high resolution.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createwaitabletimerexw>
    ///
    /// Errors as [`CreateWaitableTimerExA`].
    ///
    /// # Differs from Windows
    /// As [`CreateWaitableTimerExA`].
    fn CreateWaitableTimerExW(
        lpTimerAttributes: *const u8,
        lpTimerName: *const u16,
        dwFlags: u32,
        dwDesiredAccess: u32,
    ) -> HANDLE, fail 0; {
        let _ = (lpTimerAttributes, dwDesiredAccess);
        create_ex(Name::optional_w(lpTimerName)?, dwFlags)
    }

    /// Gives a handle of a waitable timer that has a name.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-openwaitabletimerw>
    ///
    /// # Errors
    /// As OpenEventA.
    ///
    /// # Differs from Windows
    /// As [`CreateWaitableTimerA`].
    fn OpenWaitableTimerA(
        dwDesiredAccess: u32,
        bInheritHandle: BOOL,
        lpTimerName: *const u8,
    ) -> HANDLE, fail 0; {
        let _ = (dwDesiredAccess, bInheritHandle);
        names::open(Name::optional_a(lpTimerName)?, Kind::Timer)
    }

    /// Gives a handle of a waitable timer that has a name.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-openwaitabletimerw>
    ///
    /// Errors and differences as [`OpenWaitableTimerA`].
    fn OpenWaitableTimerW(
        dwDesiredAccess: u32,
        bInheritHandle: BOOL,
        lpTimerName: *const u16,
    ) -> HANDLE, fail 0; {
        let _ = (dwDesiredAccess, bInheritHandle);
        names::open(Name::optional_w(lpTimerName)?, Kind::Timer)
    }

    /// Sets a waitable timer: a time of day in 100-nanosecond intervals since 1601 or, below zero,
    /// a time from now, and then a period in milliseconds unless that is 0.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-setwaitabletimer>
    ///
    /// The signal and the calls of an earlier setting are gone. The routine runs in alertable waits
    /// of the calling thread, whose end cancels the timer.
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for a period below zero, ERROR_NOACCESS, ERROR_INVALID_HANDLE,
    /// ERROR_NOT_ENOUGH_MEMORY. With `fResume` success sets the last error to ERROR_NOT_SUPPORTED.
    /// Never blocks.
    ///
    /// # Differs from Windows
    /// A time of day is counted from the call on: setting the system's clock later moves nothing.
    /// Periods that were missed, as while the process was stopped, are left out.
    fn SetWaitableTimer(
        hTimer: HANDLE,
        lpDueTime: *const i64,
        lPeriod: i32,
        pfnCompletionRoutine: Option<TimerApc>,
        lpArgToCompletionRoutine: *mut c_void,
        fResume: BOOL,
    ) -> BOOL, fail FALSE; {
        let argument = lpArgToCompletionRoutine;
        set(hTimer, lpDueTime, lPeriod, pfnCompletionRoutine, argument, fResume != 0)
    }

    /// Sets a waitable timer, as [`SetWaitableTimer`] does; a delay that can be tolerated is not
    /// made use of.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-setwaitabletimerex>
    ///
    /// Errors as [`SetWaitableTimer`], where a wake context stands for `fResume`.
    ///
    /// # Differs from Windows
    /// As [`SetWaitableTimer`].
    fn SetWaitableTimerEx(
        hTimer: HANDLE,
        lpDueTime: *const i64,
        lPeriod: i32,
        pfnCompletionRoutine: Option<TimerApc>,
        lpArgToCompletionRoutine: *mut c_void,
        WakeContext: *const c_void,
        TolerableDelay: u32,
    ) -> BOOL, fail FALSE; {
        let _ = TolerableDelay;
        let (argument, wakes) = (lpArgToCompletionRoutine, !WakeContext.is_null());
        set(hTimer, lpDueTime, lPeriod, pfnCompletionRoutine, argument, wakes)
    }

    /// Stops a waitable timer, whose signal stays as it is; calls that it queued are not made.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-cancelwaitabletimer>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. Never blocks.
    fn CancelWaitableTimer(hTimer: HANDLE) -> BOOL, fail FALSE; {
        timer(hTimer)?.cancel();
        Ok(TRUE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SetWaitableTimer page: 100-nanosecond intervals, negative values are relative.
    #[test]
    fn times_are_relative_below_zero_and_of_day_above() {
        let hour = 36_000_000_000;
        let left = |due| due_at(due).map(|at| at.saturating_duration_since(Instant::now()));
        let is_an_hour = |due| {
            let left = left(due).unwrap().as_secs();
            (3590..=3600).contains(&left)
        };
        assert!(is_an_hour(-hour));
        let now = i64::try_from(file_time_now()).unwrap();
        assert!(is_an_hour(now + hour));
        for over in [0, 1, now - hour] {
            assert_eq!(left(over), Some(Duration::ZERO));
        }
        assert_eq!(intervals(10_000_003), Duration::new(1, 300));
    }
}

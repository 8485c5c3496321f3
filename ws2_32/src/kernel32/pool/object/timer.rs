//! Timer objects of the thread pool.

use std::ffi::c_void;
use std::sync::Arc;
use std::time::Duration;

use linsock::iocp::alarm::{Due, Ring, Setting};
use linsock::iocp::sync::Lock;

use super::{CallbackEnvironment, Environment, Kind, Object};
use crate::abi::{BOOL, FALSE, HANDLE};
use crate::export::{Outcome, export};
use crate::kernel32::object::no_access;
use crate::kernel32::pool::instance::Instance;
use crate::kernel32::pool::no_memory;
use crate::kernel32::timer::due_at;
use crate::last_error::Error;
use crate::ptr;

/// A timer object's callback: instance, context, the object.
pub type TimerCallback = unsafe extern "system" fn(Instance, *mut c_void, HANDLE);

pub(super) struct Timer {
    function: TimerCallback,
    state: Lock<State>,
}

#[derive(Default)]
struct State {
    setting: Setting,
    /// It was given a time, which may be over.
    is_set: bool,
    /// It is set no more, also by who has found it before.
    closed: bool,
}

impl Timer {
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.setting.clear();
        state.is_set = false;
        state.closed = true;
    }
}

impl Ring for Object {
    fn ring(self: Arc<Self>, due: Due) {
        let Kind::Timer(timer) = &self.kind else { return };
        let mut state = timer.state.lock();
        if !state.setting.rings(due, &self.me) {
            return;
        }
        // Under the lock: who stops the timer and then waits does not miss it.
        self.tally.announce();
        drop(state);
        let own = Arc::clone(&self);
        // Without a thread to be had the callback is lost; nobody waits for it.
        let _ = self.queue(Box::new(move || own.timer()));
    }
}

impl Object {
    fn timer(&self) {
        let Kind::Timer(timer) = &self.kind else { return };
        // SAFETY: CreateThreadpoolTimer's caller says that the function takes the context.
        self.call(|instance, context| unsafe { (timer.function)(instance, context, self.number) });
    }
}

fn find(number: HANDLE) -> Outcome<Arc<Object>> {
    Object::find(number, |kind| matches!(kind, Kind::Timer(_)))
}

/// Sets a timer; true if a time that it was set to had not come.
fn set(number: HANDLE, due: *const i64, period: u32) -> Outcome<bool> {
    let due = if due.is_null() { None } else { Some(ptr::read(due).map_err(no_access)?) };
    let object = find(number)?;
    let Kind::Timer(timer) = &object.kind else { return Err(Error::ERROR_INVALID_HANDLE) };
    let mut state = timer.state.lock();
    if state.closed {
        return Err(Error::ERROR_INVALID_HANDLE);
    }
    let was_to_come = state.setting.is_set();
    state.setting.clear();
    state.is_set = due.is_some();
    if let Some(due) = due {
        let period = Duration::from_millis(period.into());
        state.setting.set(due_at(due), period, &object.me).map_err(no_memory)?;
    }
    Ok(was_to_come)
}

export! {
    /// Creates a timer object of the pool.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-createthreadpooltimer>
    ///
    /// Errors as TrySubmitThreadpoolCallback.
    ///
    /// # Differs from Windows
    /// As TrySubmitThreadpoolCallback.
    fn CreateThreadpoolTimer(
        pfnti: Option<TimerCallback>,
        pv: *mut c_void,
        pcbe: *const CallbackEnvironment,
    ) -> HANDLE, fail 0; {
        let function = pfnti.ok_or(Error::ERROR_INVALID_PARAMETER)?;
        let timer = Timer { function, state: Lock::default() };
        Object::enter(Kind::Timer(timer), pv, Environment::read(pcbe)?)
    }

    /// Sets a timer object: a time of day or, below zero, a time from now; then a period in
    /// milliseconds unless that is 0. Without a time it queues no more callbacks; those that are
    /// queued stay.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpooltimer>
    ///
    /// # Errors
    /// ERROR_NOACCESS, ERROR_INVALID_HANDLE, ERROR_NOT_ENOUGH_MEMORY. Never blocks.
    ///
    /// # Differs from Windows
    /// The window, by which it may be late, is not made use of. Periods that were missed are left
    /// out. Setting the system's clock later moves nothing.
    fn SetThreadpoolTimer(
        pti: HANDLE,
        pftDueTime: *const i64,
        msPeriod: u32,
        msWindowLength: u32,
    ) -> (), fail (); {
        let _ = msWindowLength;
        set(pti, pftDueTime, msPeriod).map(|_was_to_come| ())
    }

    /// Sets a timer object, as [`SetThreadpoolTimer`] does; TRUE if that called off a time that had
    /// not come.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpooltimerex>
    ///
    /// Errors as [`SetThreadpoolTimer`].
    ///
    /// # Differs from Windows
    /// As [`SetThreadpoolTimer`].
    fn SetThreadpoolTimerEx(
        pti: HANDLE,
        pftDueTime: *const i64,
        msPeriod: u32,
        msWindowLength: u32,
    ) -> BOOL, fail FALSE; {
        let _ = msWindowLength;
        set(pti, pftDueTime, msPeriod).map(BOOL::from)
    }

    /// Whether a timer object was given a time, which may be over.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-isthreadpooltimerset>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. Never blocks.
    fn IsThreadpoolTimerSet(pti: HANDLE) -> BOOL, fail FALSE; {
        let object = find(pti)?;
        let Kind::Timer(timer) = &object.kind else { return Err(Error::ERROR_INVALID_HANDLE) };
        Ok(BOOL::from(timer.state.lock().is_set))
    }

    /// Waits for the callbacks of a timer object that are queued or run; those that have not begun
    /// can be called off. The timer stays set.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-waitforthreadpooltimercallbacks>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. Blocks, and for ever inside a callback of that object that has not
    /// disassociated itself.
    fn WaitForThreadpoolTimerCallbacks(pti: HANDLE, fCancelPendingCallbacks: BOOL) -> (), fail (); {
        find(pti)?.wait(fCancelPendingCallbacks != 0);
        Ok(())
    }

    /// Closes a timer object, which ends when its callbacks have; they may do this themselves.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-closethreadpooltimer>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. Never blocks.
    fn CloseThreadpoolTimer(pti: HANDLE) -> (), fail (); {
        find(pti)?.release();
        Ok(())
    }
}

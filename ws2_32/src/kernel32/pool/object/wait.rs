//! Wait objects of the thread pool.

use std::ffi::c_void;
use std::sync::Arc;

use linsock::iocp::clock::Deadline;
use linsock::iocp::sync::Lock;
use linsock::iocp::watcher::{self, Watch, Watched};

use super::{CallbackEnvironment, Environment, Kind, Object};
use crate::abi::{BOOL, FALSE, HANDLE};
use crate::export::{Outcome, export};
use crate::kernel32::object::{no_access, waitable};
use crate::kernel32::pool::instance::Instance;
use crate::kernel32::pool::no_memory;
use crate::kernel32::timer::due_at;
use crate::last_error::Error;
use crate::ptr;

/// A wait object's callback: instance, context, the object, WAIT_OBJECT_0 or WAIT_TIMEOUT.
pub type WaitCallback = unsafe extern "system" fn(Instance, *mut c_void, HANDLE, u32);

const WAIT_OBJECT_0: u32 = 0;

pub(super) struct Wait {
    function: WaitCallback,
    state: Lock<State>,
}

#[derive(Default)]
struct State {
    watch: Option<Watch>,
    /// Counts settings: what an earlier one brings is nothing to the callback.
    epoch: u64,
    /// It waits no more, also for who has found it before.
    closed: bool,
}

impl State {
    /// True if it waited.
    fn unset(&mut self) -> bool {
        self.epoch += 1;
        self.watch.take().is_some()
    }
}

impl Wait {
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        state.unset();
    }
}

impl Object {
    /// The object of this setting was signaled, or its time is over.
    fn waited(self: &Arc<Self>, epoch: u64, what: &dyn Watched, is_signaled: bool) {
        let Kind::Wait(wait) = &self.kind else { return };
        let mut state = wait.state.lock();
        if state.epoch != epoch {
            if is_signaled {
                what.signal().give_back();
            }
            return;
        }
        state.unset();
        // Under the lock: who stops the wait and then waits for its callbacks does not miss it.
        self.tally.announce();
        drop(state);
        let (own, function) = (Arc::clone(self), wait.function);
        let result = if is_signaled { WAIT_OBJECT_0 } else { Error::WAIT_TIMEOUT.0 };
        // Without a thread to be had the callback is lost; nobody waits for it.
        let _ = self.queue(Box::new(move || {
            // SAFETY: CreateThreadpoolWait's caller says that the function takes the context.
            own.call(|instance, context| unsafe {
                function(instance, context, own.number, result);
            });
        }));
    }
}

fn find(number: HANDLE) -> Outcome<Arc<Object>> {
    Object::find(number, |kind| matches!(kind, Kind::Wait(_)))
}

fn deadline(timeout: *const i64) -> Outcome<Deadline> {
    if timeout.is_null() {
        return Ok(Deadline::Never);
    }
    let due = ptr::read(timeout).map_err(no_access)?;
    Ok(due_at(due).map_or(Deadline::Never, Deadline::At))
}

/// Has an object wait for a handle, or for none; true if it waited for one.
fn set(number: HANDLE, handle: HANDLE, timeout: *const i64) -> Outcome<bool> {
    let object = find(number)?;
    let Kind::Wait(wait) = &object.kind else { return Err(Error::ERROR_INVALID_HANDLE) };
    let what = match handle {
        0 => None,
        handle => Some(Arc::new(waitable(handle).ok_or(Error::ERROR_INVALID_HANDLE)?)),
    };
    let deadline = deadline(timeout)?;
    let mut state = wait.state.lock();
    if state.closed {
        return Err(Error::ERROR_INVALID_HANDLE);
    }
    let had_waited = state.unset();
    if let Some(what) = what {
        let (own, epoch, watched) = (Arc::clone(&object), state.epoch, Arc::clone(&what));
        let tell = Box::new(move |is_signaled| own.waited(epoch, &*watched, is_signaled));
        state.watch = Some(watcher::watch(what, deadline, tell).map_err(no_memory)?);
    }
    Ok(had_waited)
}

export! {
    /// Creates a wait object of the pool.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-createthreadpoolwait>
    ///
    /// Errors as TrySubmitThreadpoolCallback.
    ///
    /// # Differs from Windows
    /// As TrySubmitThreadpoolCallback.
    fn CreateThreadpoolWait(
        pfnwa: Option<WaitCallback>,
        pv: *mut c_void,
        pcbe: *const CallbackEnvironment,
    ) -> HANDLE, fail 0; {
        let function = pfnwa.ok_or(Error::ERROR_INVALID_PARAMETER)?;
        let wait = Wait { function, state: Lock::default() };
        Object::enter(Kind::Wait(wait), pv, Environment::read(pcbe)?)
    }

    /// Has a wait object wait for a handle, once, up to a time of day or, below zero, a time from
    /// now. Without a handle it waits no more; callbacks that are queued stay.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpoolwait>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE (of either), ERROR_NOACCESS, ERROR_NOT_ENOUGH_MEMORY. Never blocks for
    /// long.
    ///
    /// # Differs from Windows
    /// A handle that nobody can wait for is refused by the last error, not by an exception.
    fn SetThreadpoolWait(pwa: HANDLE, h: HANDLE, pftTimeout: *const i64) -> (), fail (); {
        set(pwa, h, pftTimeout).map(|_had_waited| ())
    }

    /// Has a wait object wait, as [`SetThreadpoolWait`] does; TRUE if it waited before.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpoolwaitex>
    ///
    /// Errors as [`SetThreadpoolWait`].
    ///
    /// # Differs from Windows
    /// As [`SetThreadpoolWait`].
    fn SetThreadpoolWaitEx(
        pwa: HANDLE,
        h: HANDLE,
        pftTimeout: *const i64,
        Reserved: *mut c_void,
    ) -> BOOL, fail FALSE; {
        let _ = Reserved;
        set(pwa, h, pftTimeout).map(BOOL::from)
    }

    /// Waits for the callbacks of a wait object that are queued or run; those that have not begun
    /// can be called off. What it waits for stays.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-waitforthreadpoolwaitcallbacks>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. Blocks, and for ever inside a callback of that object that has not
    /// disassociated itself.
    fn WaitForThreadpoolWaitCallbacks(pwa: HANDLE, fCancelPendingCallbacks: BOOL) -> (), fail (); {
        find(pwa)?.wait(fCancelPendingCallbacks != 0);
        Ok(())
    }

    /// Closes a wait object, which ends when its callbacks have; they may do this themselves.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-closethreadpoolwait>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. Never blocks for long.
    fn CloseThreadpoolWait(pwa: HANDLE) -> (), fail (); {
        find(pwa)?.release();
        Ok(())
    }
}

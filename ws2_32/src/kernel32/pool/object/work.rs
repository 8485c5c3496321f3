//! Work objects, and callbacks without an object.

use std::ffi::c_void;
use std::sync::Arc;

use super::{CallbackEnvironment, Environment, Kind, Membership, Object};
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::export;
use crate::kernel32::pool::instance::Instance;
use crate::last_error::Error;

/// A callback without an object: instance, context.
pub type SimpleCallback = unsafe extern "system" fn(Instance, *mut c_void);
/// A work object's: instance, context, the object.
pub type WorkCallback = unsafe extern "system" fn(Instance, *mut c_void, HANDLE);

impl Object {
    fn work(&self, function: WorkCallback) {
        // SAFETY: CreateThreadpoolWork's caller says that the function takes the context.
        self.call(|instance, context| unsafe { function(instance, context, self.number) });
    }

    fn simple(&self, function: SimpleCallback) {
        // SAFETY: TrySubmitThreadpoolCallback's caller says that the function takes the context.
        self.call(|instance, context| unsafe { function(instance, context) });
    }
}

export! {
    /// Has a thread of the pool call a function.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-trysubmitthreadpoolcallback>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for no function or an environment that is not one, ERROR_NOACCESS,
    /// ERROR_INVALID_HANDLE for a pool or a group that is gone, ERROR_NOT_ENOUGH_MEMORY also when
    /// the pool has no thread and none can be started. Never blocks.
    ///
    /// # Differs from Windows
    /// A callback that calls ExitThread ends the process. Of the environment the library, the
    /// activation context and the finalization callback are not looked at.
    fn TrySubmitThreadpoolCallback(
        pfns: Option<SimpleCallback>,
        pv: *mut c_void,
        pcbe: *const CallbackEnvironment,
    ) -> BOOL, fail FALSE; {
        let function = pfns.ok_or(Error::ERROR_INVALID_PARAMETER)?;
        let object = Object::new(0, Kind::Simple, pv, Environment::read(pcbe)?);
        Membership::join(&object);
        let own = Arc::clone(&object);
        let submitted = object.submit(Box::new(move || {
            own.simple(function);
            own.leave_group();
        }));
        submitted.inspect_err(|_| object.leave_group())?;
        Ok(TRUE)
    }

    /// Creates a work object.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-createthreadpoolwork>
    ///
    /// Errors as [`TrySubmitThreadpoolCallback`].
    ///
    /// # Differs from Windows
    /// As [`TrySubmitThreadpoolCallback`].
    fn CreateThreadpoolWork(
        pfnwk: Option<WorkCallback>,
        pv: *mut c_void,
        pcbe: *const CallbackEnvironment,
    ) -> HANDLE, fail 0; {
        let function = pfnwk.ok_or(Error::ERROR_INVALID_PARAMETER)?;
        Object::enter(Kind::Work(function), pv, Environment::read(pcbe)?)
    }

    /// Has a thread of the pool call the work's function, once for each call of this.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-submitthreadpoolwork>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. Never blocks.
    fn SubmitThreadpoolWork(pwk: HANDLE) -> (), fail (); {
        let object = Object::find(pwk, |kind| matches!(kind, Kind::Work(_)))?;
        let own = Arc::clone(&object);
        object.submit(Box::new(move || {
            if let Kind::Work(function) = own.kind {
                own.work(function);
            }
        }))
    }

    /// Waits for the callbacks of a work object; those that have not begun can be called off.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-waitforthreadpoolworkcallbacks>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. Blocks, and for ever inside a callback of that object that has not
    /// disassociated itself.
    fn WaitForThreadpoolWorkCallbacks(pwk: HANDLE, fCancelPendingCallbacks: BOOL) -> (), fail (); {
        Object::find(pwk, |kind| matches!(kind, Kind::Work(_)))?.wait(fCancelPendingCallbacks != 0);
        Ok(())
    }

    /// Closes a work object, which ends when its callbacks have; they may do this themselves.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-closethreadpoolwork>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. Never blocks.
    fn CloseThreadpoolWork(pwk: HANDLE) -> (), fail (); {
        Object::find(pwk, |kind| matches!(kind, Kind::Work(_)))?.release();
        Ok(())
    }
}

//! The older pair of the C runtime's functions for threads: a thread's handle is closed at its end.
#![allow(unsafe_code, reason = "calls to the program's functions")]

use std::cell::Cell;
use std::ffi::c_void;

use super::{CREATE_SUSPENDED, control, create, end_current, pthread, set_errno};
use crate::abi::HANDLE;
use crate::export::{export, guard};
use crate::last_error::Error;

/// A function that a thread of _beginthread begins with. It may be left by ExitThread.
pub type ThreadRoutine = unsafe extern "C-unwind" fn(*mut c_void);

const FAILED: HANDLE = usize::MAX;

/// What a new thread is handed. It is suspended until its handle is in here.
struct Start {
    function: ThreadRoutine,
    argument: *mut c_void,
    handle: HANDLE,
}

thread_local! {
    /// The handle that the end of the thread closes; 0 for none.
    static OWN_HANDLE: Cell<HANDLE> = const { Cell::new(0) };
}

/// The frame below the program's function. It holds nothing that is to be destroyed.
unsafe extern "C-unwind" fn run(start: *mut c_void) -> u32 {
    let (function, argument) = take(start);
    // SAFETY: _beginthread's caller says that the function takes the argument.
    unsafe { function(argument) };
    close_own_handle();
    0
}

#[inline(never)]
fn take(start: *mut c_void) -> (ThreadRoutine, *mut c_void) {
    // SAFETY: `_beginthread` boxed it for this thread alone.
    let Start { function, argument, handle } = *unsafe { Box::from_raw(start.cast::<Start>()) };
    OWN_HANDLE.set(handle);
    (function, argument)
}

#[inline(never)]
fn close_own_handle() {
    guard((), || match OWN_HANDLE.replace(0) {
        0 => Ok(()),
        handle => super::object::close(handle),
    });
}

/// Ends the calling thread and closes the handle that _beginthread gave.
///
/// <https://learn.microsoft.com/cpp/c-runtime-library/reference/endthread-endthreadex>
///
/// What else happens is as with [`ExitThread`](super::ExitThread).
// SAFETY: glibc has no such name.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn _endthread() -> ! {
    close_own_handle();
    end_current(0);
    pthread::exit()
}

export! {
    /// Creates a thread, whose handle is closed when it ends. Gives the handle, which may be gone
    /// already, or -1 and errno (EINVAL, EAGAIN).
    ///
    /// <https://learn.microsoft.com/cpp/c-runtime-library/reference/beginthread-beginthreadex>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for no function, ERROR_NOT_ENOUGH_MEMORY.
    fn _beginthread(
        start_address: Option<ThreadRoutine>,
        stack_size: u32,
        arglist: *mut c_void,
    ) -> HANDLE, fail FAILED; {
        let Some(function) = start_address else {
            set_errno(libc::EINVAL);
            return Err(Error::ERROR_INVALID_PARAMETER);
        };
        let stack = usize::try_from(stack_size).unwrap_or(0);
        let start = Box::into_raw(Box::new(Start { function, argument: arglist, handle: 0 }));
        let id = std::ptr::null_mut();
        let created = create(stack, Some(run), start.cast(), CREATE_SUSPENDED, id);
        let handle = created.inspect_err(|_| {
            set_errno(libc::EAGAIN);
            // SAFETY: no thread took the box.
            drop(unsafe { Box::from_raw(start) });
        })?;
        let thread = control(handle)?;
        // SAFETY: the thread waits to be resumed, and takes the box after that.
        unsafe { (*start).handle = handle };
        thread.resume();
        Ok(handle)
    }
}

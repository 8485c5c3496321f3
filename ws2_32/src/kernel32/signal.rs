//! What else there is to do with an object's handle: pulses, a signal and a wait in one, flags.
#![allow(unsafe_code, reason = "exports")]

use linsock::iocp::clock::Deadline;
use linsock::iocp::handle::{Handle, table};

use super::inherit;
use super::object::{WAIT_FAILED, Waitee, event, no_access, wait_for, waitable};
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;

const HANDLE_FLAG_INHERIT: u32 = 1;
const HANDLE_FLAG_PROTECT_FROM_CLOSE: u32 = 2;

/// Signals an event or a semaphore, or releases a mutex.
fn signal(object: &Waitee) -> Outcome<()> {
    match object {
        Waitee::Event(event) => {
            event.set();
            Ok(())
        }
        Waitee::Semaphore(semaphore) => {
            semaphore.release(1).map(drop).ok_or(Error::ERROR_TOO_MANY_POSTS)
        }
        Waitee::Mutant(mutant) if mutant.release() => Ok(()),
        Waitee::Mutant(_) => Err(Error::ERROR_NOT_OWNER),
        Waitee::File(_) | Waitee::Other(_) => Err(Error::ERROR_INVALID_HANDLE),
    }
}

fn check_handle(handle: HANDLE) -> Outcome<()> {
    let object = Handle::from_value(handle).and_then(|handle| table().get(handle));
    object.map(drop).ok_or(Error::ERROR_INVALID_HANDLE)
}

export! {
    /// Releases who waits for an event now, one thread if it resets itself, and leaves it without a
    /// signal.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-pulseevent>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. Never blocks.
    fn PulseEvent(hEvent: HANDLE) -> BOOL, fail FALSE; {
        let event = event(hEvent).ok_or(Error::ERROR_INVALID_HANDLE)?;
        event.set();
        event.reset();
        Ok(TRUE)
    }

    /// Signals one object and waits for another.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-signalobjectandwait>
    ///
    /// # Errors
    /// WAIT_FAILED with ERROR_INVALID_HANDLE, ERROR_TOO_MANY_POSTS, ERROR_NOT_OWNER; then nothing
    /// was signaled. Blocks; alertable if asked for.
    ///
    /// # Differs from Windows
    /// Another thread may see the signal before this one has begun to wait: a pulse in between is
    /// missed, as Windows' page warns that it may be.
    fn SignalObjectAndWait(
        hObjectToSignal: HANDLE,
        hObjectToWaitOn: HANDLE,
        dwMilliseconds: u32,
        bAlertable: BOOL,
    ) -> u32, fail WAIT_FAILED; {
        let bad = Error::ERROR_INVALID_HANDLE;
        let (first, second) = (waitable(hObjectToSignal), waitable(hObjectToWaitOn));
        let (first, second) = (first.ok_or(bad)?, second.ok_or(bad)?);
        signal(&first)?;
        Ok(wait_for(&second, Deadline::after_ms(dwMilliseconds), bAlertable != 0))
    }

    /// Tells the flags of a handle: HANDLE_FLAG_INHERIT, or none.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-gethandleinformation>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOACCESS.
    fn GetHandleInformation(hObject: HANDLE, lpdwFlags: *mut u32) -> BOOL, fail FALSE; {
        check_handle(hObject)?;
        let flags = if inherit::get(hObject) { HANDLE_FLAG_INHERIT } else { 0 };
        ptr::write(lpdwFlags, flags).map_err(no_access)?;
        Ok(TRUE)
    }

    /// Sets the flags of a handle. With HANDLE_FLAG_INHERIT a process that this one starts has it
    /// too, if CreateProcess is told so.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-sethandleinformation>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER for flags that do not exist,
    /// ERROR_NOT_SUPPORTED for one that is to be set and cannot be.
    ///
    /// # Differs from Windows
    /// Sockets, pipes, disk files and standard streams can be inherited; other objects are the
    /// process's own. No handle can be protected from being closed.
    fn SetHandleInformation(hObject: HANDLE, dwMask: u32, dwFlags: u32) -> BOOL, fail FALSE; {
        check_handle(hObject)?;
        if dwMask & !(HANDLE_FLAG_INHERIT | HANDLE_FLAG_PROTECT_FROM_CLOSE) != 0 {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        if dwMask & dwFlags & HANDLE_FLAG_PROTECT_FROM_CLOSE != 0 {
            return Err(Error::ERROR_NOT_SUPPORTED);
        }
        if dwMask & HANDLE_FLAG_INHERIT != 0 {
            inherit::set(hObject, dwFlags & HANDLE_FLAG_INHERIT != 0)?;
        }
        Ok(TRUE)
    }
}

//! Threads by their numbers, and what one thread does to another's calls.
#![allow(unsafe_code, reason = "the exports")]

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use linsock::iocp::handle::{AnyWaitable, Object};
use linsock::iocp::sync::Lock;

use super::{ApcFunction, Control, Stage, control, queue_call};
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::export;
use crate::kernel32::object;
use crate::last_error::Error;

/// Plain calls (`QUEUE_USER_APC_FLAGS_NONE`).
const FLAGS_NONE: u32 = 0;
/// Calls that are made wherever the thread is, and calls that are told its registers.
const SPECIAL: u32 = 0x1;
const WITH_CONTEXT: u32 = 0x1_0000;

/// The threads that the program may know by a number.
static KNOWN: Lock<BTreeMap<u32, Weak<Control>>> = Lock::new(BTreeMap::new());

impl Control {
    pub(super) fn make_known(self: &Arc<Self>) {
        // A stand-in for a thread that is being torn down does not take its place.
        KNOWN.lock().entry(self.id).or_insert_with(|| Arc::downgrade(self));
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let mut known = KNOWN.lock();
        let is_own = |known: &Weak<Self>| std::ptr::eq(known.as_ptr(), self);
        if known.get(&self.id).is_some_and(is_own) {
            known.remove(&self.id);
        }
    }
}

fn find(id: u32) -> Option<Arc<Control>> {
    KNOWN.lock().get(&id).and_then(Weak::upgrade)
}

export! {
    /// Opens a thread of this process by its number. A thread that has ended can be opened while
    /// there are handles of it.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-openthread>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER when there is no such thread, ERROR_NOT_ENOUGH_MEMORY. Never blocks.
    ///
    /// # Differs from Windows
    /// Of this process only, and the threads that it made by CreateThread and its kin or that have
    /// asked for their number. Every handle has every right but THREAD_TERMINATE.
    fn OpenThread(dwDesiredAccess: u32, bInheritHandle: BOOL, dwThreadId: u32) -> HANDLE, fail 0; {
        let (_, _) = (dwDesiredAccess, bInheritHandle);
        let found = find(dwThreadId).ok_or(Error::ERROR_INVALID_PARAMETER)?;
        object::enter(Object::Other(found as Arc<dyn AnyWaitable>))
    }

    /// Cancels the synchronous operation that a thread blocks in, which then fails with
    /// ERROR_OPERATION_ABORTED; what a send has moved until then is its result.
    ///
    /// <https://learn.microsoft.com/windows/win32/fileio/cancelsynchronousio-func>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOT_FOUND when the thread blocks in none. Never blocks.
    ///
    /// # Differs from Windows
    /// The blocking calls of a socket (receive, send, accept, connect, disconnect, ReadFile and
    /// WriteFile), reads of a pipe, and waits for the lock of a file can be cancelled; select,
    /// WSAPoll, names being resolved and writes to a pipe cannot, nor what waits for a terminal.
    fn CancelSynchronousIo(hThread: HANDLE) -> BOOL, fail FALSE; {
        let control = control(hThread)?;
        let cancelled = match &*control.stage.lock() {
            Stage::Running(thread) => thread.cancel_synchronous(),
            Stage::Starting { .. } | Stage::Ended => false,
        };
        if cancelled { Ok(TRUE) } else { Err(Error::ERROR_NOT_FOUND) }
    }

    /// Queues a call to a thread, as [`QueueUserAPC`](super::QueueUserAPC) does.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-queueuserapc2>
    ///
    /// # Errors
    /// As QueueUserAPC; ERROR_NOT_SUPPORTED; ERROR_INVALID_PARAMETER for flags that do not exist.
    ///
    /// # Differs from Windows
    /// Special calls (QUEUE_USER_APC_FLAGS_SPECIAL_USER_APC), which interrupt a thread wherever it
    /// is, and calls that are told the thread's registers are refused with ERROR_NOT_SUPPORTED: the
    /// thread may have a lock of the C library.
    fn QueueUserAPC2(
        ApcRoutine: Option<ApcFunction>,
        Thread: HANDLE,
        Data: usize,
        Flags: u32,
    ) -> BOOL, fail FALSE; {
        match Flags {
            FLAGS_NONE => {
                queue_call(ApcRoutine, Thread, Data)?;
                Ok(TRUE)
            }
            flags if flags & !(SPECIAL | WITH_CONTEXT) == 0 => Err(Error::ERROR_NOT_SUPPORTED),
            _ => Err(Error::ERROR_INVALID_PARAMETER),
        }
    }
}

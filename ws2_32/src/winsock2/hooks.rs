//! What Winsock 1.1 had for programs without threads, and Winsock 2 took away: blocking calls that
//! let the program's messages through.

use crate::abi::{BOOL, FALSE, SOCKET_ERROR};
use crate::export::export;
use crate::last_error::Error;

export! {
    /// Refuses to cancel a blocking call. Another thread closes the socket, or calls
    /// CancelSynchronousIo.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsacancelblockingcall>
    ///
    /// Errors, in order: WSANOTINITIALISED, WSAEOPNOTSUPP, which Winsock 2 gives.
    winsock fn WSACancelBlockingCall() -> i32, fail SOCKET_ERROR; {
        Err(Error::WSAEOPNOTSUPP)
    }

    /// FALSE: no call waits below one of the program's functions.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaisblocking>
    ///
    /// Errors as [`WSACancelBlockingCall`].
    winsock fn WSAIsBlocking() -> BOOL, fail FALSE; {
        Err(Error::WSAEOPNOTSUPP)
    }

    /// Refuses a function to be called while calls block: a null pointer.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasetblockinghook>
    ///
    /// Errors as [`WSACancelBlockingCall`].
    winsock fn WSASetBlockingHook(lpBlockFunc: *const ()) -> *const (), fail std::ptr::null(); {
        let _ = lpBlockFunc;
        Err(Error::WSAEOPNOTSUPP)
    }

    /// Refuses, as there is no such function.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaunhookblockinghook>
    ///
    /// Errors as [`WSACancelBlockingCall`].
    winsock fn WSAUnhookBlockingHook() -> i32, fail SOCKET_ERROR; {
        Err(Error::WSAEOPNOTSUPP)
    }
}

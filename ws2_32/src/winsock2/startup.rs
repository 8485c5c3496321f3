//! WSAStartup, WSACleanup and the last error.

use crate::abi::{SOCKET_ERROR, WSADATA};
use crate::export::export;
use crate::last_error::{self, Error};
use crate::ptr;

/// The only version that is negotiated up to: 2.2.
const HIGHEST: u16 = 0x0202;

/// The version to use when `wanted` is asked for: 1.0, 1.1, 2.0, 2.1 and 2.2 exist.
const fn negotiate(wanted: u16) -> Option<u16> {
    match wanted.to_le_bytes() {
        [0, _] => None,
        [1, 0] => Some(wanted),
        [1, _] => Some(0x0101),
        [2, minor] if minor < 2 => Some(wanted),
        _ => Some(HIGHEST),
    }
}

export! {
    /// Starts the use of Winsock.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsastartup>
    ///
    /// Returns 0 or the error itself: WSAVERNOTSUPPORTED for version 0, WSAEFAULT for a bad
    /// pointer.
    fn WSAStartup(version: u16, data: *mut WSADATA) -> i32, fail 10107; {
        let Some(used) = negotiate(version) else {
            return Ok(Error::WSAVERNOTSUPPORTED.0.cast_signed());
        };
        let mut answer = WSADATA {
            wVersion: used,
            wHighVersion: HIGHEST,
            iMaxSockets: if used < 0x0200 { 32_767 } else { 0 },
            iMaxUdpDg: if used < 0x0200 { 65_467 } else { 0 },
            lpVendorInfo: std::ptr::null_mut(),
            szDescription: [0; 257],
            szSystemStatus: [0; 129],
        };
        answer.szDescription[..11].copy_from_slice(b"WinSock 2.0");
        answer.szSystemStatus[..7].copy_from_slice(b"Running");
        if ptr::write(data, answer).is_err() {
            return Ok(Error::WSAEFAULT.0.cast_signed());
        }
        linsock::startup::startup();
        Ok(0)
    }

    /// Ends the use of Winsock; the last one closes every socket.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsacleanup>
    ///
    /// Errors: WSANOTINITIALISED.
    fn WSACleanup() -> i32, fail SOCKET_ERROR; {
        if linsock::startup::cleanup() { Ok(0) } else { Err(Error::WSANOTINITIALISED) }
    }

    /// The calling thread's last error, the same number that GetLastError gives.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsagetlasterror>
    fn WSAGetLastError() -> i32, fail 10107; {
        Ok(last_error::get().cast_signed())
    }

    /// Sets the calling thread's last error.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasetlasterror>
    fn WSASetLastError(error: i32) -> (), fail (); {
        last_error::set(error.cast_unsigned());
        Ok(())
    }
}

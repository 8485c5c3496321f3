//! WSADuplicateSocket: another handle of a socket, by way of a WSAPROTOCOL_INFO.

use linsock::catalog::Provider;
use linsock::socket::Socket;

use crate::abi::{SOCKET, SOCKET_ERROR};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;

/// Where WSAPROTOCOL_INFO has dwProviderReserved: of a duplicate its handle, otherwise 0.
const RESERVED_AT: usize = 112;

/// Makes the handle and describes it. Nothing is made that the program could not be told of.
fn duplicate(s: SOCKET, process: u32, to: *mut u8, info: fn(Provider) -> Vec<u8>) -> Outcome<i32> {
    let socket = Socket::from_value(s)?;
    let mut octets = info(socket.provider());
    ptr::check_writable(to, octets.len())?;
    if process != std::process::id() {
        return Err(Error::WSAEINVAL);
    }
    let handle = socket.duplicate()?.value();
    let reserved = u32::try_from(handle).unwrap_or(0).to_ne_bytes();
    octets[RESERVED_AT..RESERVED_AT + 4].copy_from_slice(&reserved);
    ptr::write_all(to, &octets)?;
    Ok(0)
}

/// The handle that WSASocket is to give of a WSAPROTOCOL_INFO; `None` if it describes no duplicate.
pub(super) fn claimed(info: *const u8) -> Outcome<Option<SOCKET>> {
    if info.is_null() {
        return Ok(None);
    }
    match ptr::read(info.wrapping_add(RESERVED_AT).cast::<u32>())? {
        0 => Ok(None),
        handle => Ok(Some(Socket::claim(handle as usize)?.value())),
    }
}

export! {
    /// Gives a socket another handle, which WSASocket gives the program: once for each call. Both
    /// are the same socket; it is closed with its last handle.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaduplicatesocketa>
    ///
    /// The handle is there from now on: closing the first one before WSASocket has been called
    /// leaves the socket open. Does not block.
    ///
    /// # Errors
    /// In order: WSAENOTSOCK, WSAEFAULT, WSAEINVAL (not this process), WSAEMFILE.
    ///
    /// # Differs from Windows
    /// For this process only (dwProcessId is GetCurrentProcessId()); another is WSAEINVAL.
    winsock fn WSADuplicateSocketA(
        s: SOCKET,
        dwProcessId: u32,
        lpProtocolInfo: *mut u8,
    ) -> i32, fail SOCKET_ERROR; {
        duplicate(s, dwProcessId, lpProtocolInfo, Provider::info_narrow)
    }

    /// As WSADuplicateSocketA.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaduplicatesocketw>
    ///
    /// # Errors
    /// As WSADuplicateSocketA.
    ///
    /// # Differs from Windows
    /// As WSADuplicateSocketA.
    winsock fn WSADuplicateSocketW(
        s: SOCKET,
        dwProcessId: u32,
        lpProtocolInfo: *mut u8,
    ) -> i32, fail SOCKET_ERROR; {
        duplicate(s, dwProcessId, lpProtocolInfo, Provider::info_wide)
    }
}

//! WSADuplicateSocket: another handle of a socket, by way of a WSAPROTOCOL_INFO.

use linsock::catalog::Provider;
use linsock::offer::{self, Place};
use linsock::socket::Socket;

use crate::abi::{SOCKET, SOCKET_ERROR};
use crate::export::{Outcome, export};
use crate::ptr;

/// Where WSAPROTOCOL_INFO has dwProviderReserved: of a duplicate its handle, or of one for another
/// process the number of that process; otherwise 0.
const RESERVED_AT: usize = 112;

/// Where it has dwServiceFlags2, 3 and 4, which are reserved too: the place of a duplicate for
/// another process, otherwise 0.
const PLACE_AT: usize = 4;

/// Makes the handle and describes it. Nothing is made that the program could not be told of.
fn duplicate(s: SOCKET, process: u32, to: *mut u8, info: fn(Provider) -> Vec<u8>) -> Outcome<i32> {
    let socket = Socket::from_value(s)?;
    let mut octets = info(socket.provider());
    ptr::check_writable(to, octets.len())?;
    let reserved = if process == std::process::id() {
        u32::try_from(socket.duplicate()?.value()).unwrap_or(0)
    } else {
        let Place(place) = offer::make(&socket, process)?;
        octets[PLACE_AT..PLACE_AT + place.len()].copy_from_slice(&place);
        process
    };
    octets[RESERVED_AT..RESERVED_AT + 4].copy_from_slice(&reserved.to_ne_bytes());
    ptr::write_all(to, &octets)?;
    Ok(0)
}

/// The handle that WSASocket is to give of a WSAPROTOCOL_INFO; `None` if it describes no duplicate.
pub(super) fn claimed(info: *const u8) -> Outcome<Option<SOCKET>> {
    if info.is_null() {
        return Ok(None);
    }
    let handle = match ptr::read(info.wrapping_add(RESERVED_AT).cast::<u32>())? {
        0 => return Ok(None),
        handle => handle as usize,
    };
    match ptr::read(info.wrapping_add(PLACE_AT).cast::<[u8; 12]>())? {
        nowhere if nowhere == [0; 12] => Ok(Some(Socket::claim(handle)?.value())),
        place => Ok(Some(offer::fetch(Place(place))?.handle().value())),
    }
}

export! {
    /// Gives a socket another handle, in this process or another, which WSASocket gives the program
    /// there: once for each call. Both are the same socket; it is closed with its last handle.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaduplicatesocketa>
    ///
    /// The handle is there from now on: closing the first one before WSASocket has been called
    /// leaves the socket open. Does not block.
    ///
    /// # Errors
    /// In order: WSAENOTSOCK, WSAEFAULT, WSAEINVAL (no such process), WSAEMFILE, WSAENOBUFS; and
    /// for another process WSAEOPNOTSUPP on a socket of ISO transport.
    ///
    /// # Differs from Windows
    /// Another process gets it by WSASocket only while this one lives, has to run with the same
    /// version of this library and in the same network namespace, and knows of what the program
    /// does with the socket what was done before: operations, the completion port, event
    /// selections and options that are not the kernel's are each process's own from then on. That
    /// another one has closed the sending half is known by the first send that is refused; a reset
    /// behind that, of which another one was told, reads as the end of the data. Connections that
    /// an accept has deferred (CF_DEFER) stay here. While a connection is being made or ended, and
    /// when it has failed, WSAEINVAL.
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

//! setsockopt, getsockopt, ioctlsocket.

use linsock::option;
use linsock::socket::Socket;

use crate::abi::{SOCKET, SOCKET_ERROR};
use crate::export::export;
use crate::last_error::Error;
use crate::ptr;

const FIONBIO: i32 = 0x8004_667E_u32.cast_signed();
const FIONREAD: i32 = 0x4004_667F;
const SIOCATMARK: i32 = 0x4004_7307;

/// No option is longer; a length beyond it is a caller's slip, not a reason to read so much.
const OPTION_MAX: usize = 1024;

/// Longer than any option that can be set: one that is too long is told from the longest.
const SETTABLE_MAX: usize = 144;

export! {
    /// Sets an option.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-setsockopt>
    ///
    /// Errors: WSAENOTSOCK, WSAEFAULT (pointer bad, or value too short), WSAENOPROTOOPT, WSAEINVAL.
    winsock fn setsockopt as "WS_setsockopt"(s: SOCKET, level: i32, name: i32, value: *const u8, len: i32) -> i32, fail SOCKET_ERROR; {
        let socket = Socket::from_value(s)?;
        let len = usize::try_from(len).map_err(|_| Error::WSAEFAULT)?.min(SETTABLE_MAX);
        let mut octets = [0; SETTABLE_MAX];
        ptr::read_into(value, &mut octets[..len])?;
        option::set(&socket, level, name, &octets[..len])?;
        Ok(0)
    }

    /// Gets an option.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-getsockopt>
    ///
    /// Errors: WSAENOTSOCK, WSAEFAULT (pointer bad, or room too small), WSAENOPROTOOPT, WSAEINVAL.
    winsock fn getsockopt as "WS_getsockopt"(s: SOCKET, level: i32, name: i32, value: *mut u8, len: *mut i32) -> i32, fail SOCKET_ERROR; {
        let socket = Socket::from_value(s)?;
        let room = usize::try_from(ptr::read(len)?).map_err(|_| Error::WSAEFAULT)?;
        ptr::check_writable(value, room.min(OPTION_MAX))?;
        let octets = option::get(&socket, level, name)?.octets(room).ok_or(Error::WSAEFAULT)?;
        ptr::write_all(value, &octets)?;
        ptr::write(len, i32::try_from(octets.len()).unwrap_or(i32::MAX))?;
        Ok(0)
    }

    /// FIONBIO, FIONREAD, SIOCATMARK.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-ioctlsocket>
    ///
    /// Errors: WSAENOTSOCK, WSAEFAULT, WSAEOPNOTSUPP; WSAEINVAL for making a socket blocking whose
    /// network events are selected.
    winsock fn ioctlsocket(s: SOCKET, command: i32, argument: *mut u32) -> i32, fail SOCKET_ERROR; {
        let socket = Socket::from_value(s)?;
        match command {
            FIONBIO => socket.control_blocking(ptr::read(argument)? != 0)?,
            FIONREAD => ptr::write(argument, socket.readable_octets())?,
            // Urgent data is never pending in line here: the mark is always at the next octet.
            SIOCATMARK => ptr::write(argument, 1)?,
            _ => return Err(Error::WSAEOPNOTSUPP),
        }
        Ok(0)
    }
}

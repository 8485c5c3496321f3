//! WSAHtonl and its siblings: numbers into the order of a socket's protocol and back. Every
//! protocol here has its numbers in network order.

use linsock::socket::Socket;

use crate::abi::{SOCKET, SOCKET_ERROR};
use crate::export::{Outcome, export};
use crate::ptr;

fn put<T: Copy>(s: SOCKET, number: T, at: *mut T) -> Outcome<i32> {
    Socket::from_value(s)?;
    ptr::write(at, number)?;
    Ok(0)
}

export! {
    /// Turns a 32-bit number into the order of the socket's protocol: network order.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsahtonl>
    ///
    /// # Errors
    /// SOCKET_ERROR with WSANOTINITIALISED, WSAENOTSOCK, WSAEFAULT.
    winsock fn WSAHtonl(s: SOCKET, hostlong: u32, lpnetlong: *mut u32) -> i32, fail SOCKET_ERROR; {
        put(s, hostlong.to_be(), lpnetlong)
    }

    /// Turns a 16-bit number into the order of the socket's protocol: network order.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsahtons>
    ///
    /// # Errors
    /// As WSAHtonl.
    winsock fn WSAHtons(s: SOCKET, hostshort: u16, lpnetshort: *mut u16) -> i32, fail SOCKET_ERROR; {
        put(s, hostshort.to_be(), lpnetshort)
    }

    /// Turns a 32-bit number of the socket's protocol into host order.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsantohl>
    ///
    /// # Errors
    /// As WSAHtonl.
    winsock fn WSANtohl(s: SOCKET, netlong: u32, lphostlong: *mut u32) -> i32, fail SOCKET_ERROR; {
        put(s, u32::from_be(netlong), lphostlong)
    }

    /// Turns a 16-bit number of the socket's protocol into host order.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsantohs>
    ///
    /// # Errors
    /// As WSAHtonl.
    winsock fn WSANtohs(s: SOCKET, netshort: u16, lphostshort: *mut u16) -> i32, fail SOCKET_ERROR; {
        put(s, u16::from_be(netshort), lphostshort)
    }
}

//! WSASendDisconnect and WSARecvDisconnect: the halves of shutdown, with disconnect data where the
//! provider has it.
//!
//! The order of the checks is our choice, as the pages give none: from the general to the
//! particular, WSANOTINITIALISED, WSAENOTSOCK, WSAEFAULT, WSAENOPROTOOPT, WSAENOTCONN.
#![allow(unsafe_code)]

use linsock::socket::Socket;

use crate::abi::{SOCKET, SOCKET_ERROR, WSABUF};
use crate::export::{Outcome, export};
use crate::last_error::{self, Error};
use crate::ptr;

/// Of outgoing data no more than this is copied: more than any provider takes is told from what
/// one takes by the octet too many.
const COPIED: usize = 1025;

fn len_of(buffer: &WSABUF) -> usize {
    usize::try_from(buffer.len).unwrap_or(usize::MAX)
}

/// The outgoing data, all of which has to be in memory that can be read.
fn outbound(data: *const WSABUF) -> Outcome<Option<Vec<u8>>> {
    if data.is_null() {
        return Ok(None);
    }
    let buffer = ptr::read(data)?;
    ptr::check_readable(buffer.buf, len_of(&buffer))?;
    ptr::read_all(buffer.buf, len_of(&buffer).min(COPIED)).map(Some)
}

/// The place for incoming disconnect data: checked whole, so that nothing is lost by a bad pointer.
struct Inbound {
    at: *mut WSABUF,
    buffer: WSABUF,
}

impl Inbound {
    fn new(at: *mut WSABUF) -> Outcome<Option<Self>> {
        if at.is_null() {
            return Ok(None);
        }
        ptr::check_writable(at, 1)?;
        let buffer = ptr::read(at)?;
        ptr::check_writable(buffer.buf, len_of(&buffer))?;
        Ok(Some(Self { at, buffer }))
    }

    /// Writes the data and, as its length, what came.
    fn put(self, data: &[u8]) -> Outcome<()> {
        if data.len() > len_of(&self.buffer) {
            return Err(Error::WSAEFAULT);
        }
        ptr::write_all(self.buffer.buf, data)?;
        let len = u32::try_from(data.len()).unwrap_or(u32::MAX);
        ptr::write(self.at, WSABUF { len, ..self.buffer })
    }
}

export! {
    /// Ends the sending half of a connection behind everything queued, and sends disconnect data
    /// where the provider has it; TCP has none. Equals shutdown(SD_SEND) otherwise: never blocks,
    /// whatever SO_LINGER says, queues no packet, frees nothing.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasenddisconnect>
    ///
    /// Errors, in order: WSAENOTSOCK; WSAEFAULT (the data is not in memory); WSAENOPROTOOPT (the
    /// provider has no disconnect data; nothing was sent); WSAEFAULT (more than 64 octets; nothing
    /// was sent); WSAENOTCONN.
    winsock fn WSASendDisconnect(s: SOCKET, data: *const WSABUF) -> i32, fail SOCKET_ERROR; {
        let socket = Socket::from_value(s)?;
        let data = outbound(data)?;
        socket.send_disconnect(data.as_deref())?;
        // As shutdown, which it equals without data.
        last_error::set(0);
        Ok(0)
    }

    /// Ends the receiving half of a connection and gives the disconnect data that came, where the
    /// provider has it; TCP has none, so the buffer's length becomes 0. Equals
    /// shutdown(SD_RECEIVE) otherwise: data that is waiting or comes later resets a TCP connection,
    /// the peer's FIN does not; a receive that pends takes its data first. Never blocks, queues no
    /// packet, frees nothing.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsarecvdisconnect>
    ///
    /// Errors, in order: WSAENOTSOCK; WSAEFAULT (the buffer is not in memory, or too small for the
    /// data, which is kept); WSAENOTCONN.
    ///
    /// A buffer on a TCP socket is no error: "implementations of TCP/IP that do not support
    /// disconnect data are not required to return the WSAENOPROTOOPT error code".
    winsock fn WSARecvDisconnect(s: SOCKET, data: *mut WSABUF) -> i32, fail SOCKET_ERROR; {
        let socket = Socket::from_value(s)?;
        let inbound = Inbound::new(data)?;
        let data = socket.recv_disconnect()?;
        if let Some(inbound) = inbound {
            inbound.put(&data)?;
        }
        last_error::set(0);
        Ok(0)
    }
}

//! sendto, recvfrom, WSASendTo, WSARecvFrom.
//!
//! On a stream socket they are send and recv: an address to send to is ignored, and the place for
//! the sender's is left alone (`test_tcp_sendto_recvfrom`).
#![allow(unsafe_code)]

use linsock::catalog::Provider;
use linsock::iocp::buffer::{Buffers, CheckedMemory};
use linsock::iocp::irp::Irp;
use linsock::iocp::overlapped::Overlapped;
use linsock::socket::{RecvOptions, Route, SenderArea, Socket};

use super::overlapped::{self, CompletionRoutine};
use super::read_ip;
use super::transfer::{
    buffers, cancelled, dword, octets, one_buffer, recv_options_for, send_flags, started, waited,
};
use crate::abi::{SOCKET, SOCKET_ERROR, WSABUF};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;

/// The destination that a caller gives; the default one on a stream, or when there is none.
pub(super) fn destination(socket: &Socket, to: *const u8, len: i32) -> Outcome<Route> {
    let Provider::Udp(family) = socket.provider() else {
        return Ok(Route::default());
    };
    if to.is_null() {
        return Ok(Route::default());
    }
    let to = read_ip(family, to, len)?;
    // sendto page: a port of 0 is no destination.
    if to.port() == 0 { Err(Error::WSAEADDRNOTAVAIL) } else { Ok(Route::to(Some(to))) }
}

/// The place for the sender's address; `None` on a stream, or when the caller does not want it.
fn sender_area(socket: &Socket, from: *mut u8, len: *mut i32) -> Outcome<Option<SenderArea>> {
    if from.is_null() || !socket.is_datagram() {
        return Ok(None);
    }
    let room = usize::try_from(ptr::read(len)?).unwrap_or(0);
    let needed = socket.domain().address_len();
    if room < needed {
        return Err(Error::WSAEFAULT);
    }
    ptr::check_writable(from, needed)?;
    ptr::check_writable(len, 1)?;
    Ok(Some(SenderArea::Lent {
        address: lent(from, needed),
        len: lent(len.cast(), size_of::<i32>()),
    }))
}

/// Memory of the caller's for what the operation writes when it is over.
pub(super) fn lent(at: *mut u8, len: usize) -> CheckedMemory {
    // SAFETY: the callers have checked that it is writable; that it stays so until the operation
    // is over is the contract of the call, kept by the C program.
    unsafe { CheckedMemory::new(at, len) }
}

fn recv_from(
    socket: &Socket,
    memory: Buffers,
    options: RecvOptions,
    area: Option<SenderArea>,
) -> Outcome<usize> {
    if socket.is_datagram() {
        Ok(socket.recv_from_blocking(memory, options, area).map_err(cancelled)?.0)
    } else {
        Ok(socket.recv_blocking(memory, options).map_err(cancelled)?.0)
    }
}

export! {
    /// Sends a datagram; blocks until the transport has taken it, unless the socket is
    /// non-blocking.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-sendto>
    ///
    /// Errors: WSAENOTSOCK, WSAEOPNOTSUPP (flags), WSAEFAULT, WSAEAFNOSUPPORT, WSAEADDRNOTAVAIL
    /// (port 0), WSAESHUTDOWN, WSAENOTCONN (no destination), WSAEMSGSIZE, WSAEACCES (broadcast),
    /// WSAEWOULDBLOCK, WSAETIMEDOUT.
    winsock fn sendto as "WS_sendto"(s: SOCKET, buf: *const u8, len: i32, flags: i32, to: *const u8, tolen: i32) -> i32, fail SOCKET_ERROR; {
        let socket = Socket::from_value(s)?;
        let flags = send_flags(flags.cast_unsigned())?;
        let memory = one_buffer(buf.cast_mut(), len, false)?;
        let to = destination(&socket, to, tolen)?;
        if !socket.is_datagram() {
            return Ok(octets(socket.send_blocking(memory, flags).map_err(cancelled)?.0));
        }
        Ok(octets(socket.send_to_blocking(memory, flags, to).map_err(cancelled)?))
    }

    /// Receives a datagram and tells who sent it; blocks for one, unless the socket is
    /// non-blocking.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-recvfrom>
    ///
    /// Errors: WSAENOTSOCK, WSAEOPNOTSUPP (flags), WSAEFAULT, WSAEINVAL (not bound), WSAESHUTDOWN,
    /// WSAEMSGSIZE (the buffer is full and the rest is gone), WSAECONNRESET (nobody listens at the
    /// default destination), WSAEWOULDBLOCK, WSAETIMEDOUT.
    winsock fn recvfrom as "WS_recvfrom"(s: SOCKET, buf: *mut u8, len: i32, flags: i32, from: *mut u8, fromlen: *mut i32) -> i32, fail SOCKET_ERROR; {
        let socket = Socket::from_value(s)?;
        let options = recv_options_for(&socket, flags.cast_unsigned())?;
        let memory = one_buffer(buf, len, true)?;
        let area = sender_area(&socket, from, fromlen)?;
        Ok(octets(recv_from(&socket, memory, options, area)?))
    }

    /// Sends a datagram from several buffers, overlapped if an OVERLAPPED is given.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasendto>
    ///
    /// Errors: as sendto; WSAEINVAL (no buffers, or a routine on a socket with a port),
    /// WSA_INVALID_HANDLE, WSA_IO_PENDING.
    winsock fn WSASendTo(s: SOCKET, bufs: *const WSABUF, count: u32, sent: *mut u32, flags: u32, to: *const u8, tolen: i32, ov: *mut Overlapped, routine: Option<CompletionRoutine>) -> i32, fail SOCKET_ERROR; {
        let socket = Socket::from_value(s)?;
        let (memory, flags) = (buffers(bufs, count, false)?, send_flags(flags)?);
        let to = destination(&socket, to, tolen)?;
        let bytes = if ov.is_null() {
            ptr::check_writable(sent, 1)?;
            match socket.is_datagram() {
                true => socket.send_to_blocking(memory, flags, to).map_err(cancelled)?,
                false => socket.send_blocking(memory, flags).map_err(cancelled)?.0,
            }
        } else {
            let target = overlapped::target(socket.core(), ov, routine)?;
            ptr::check_writable_opt(sent)?;
            match (socket.is_overlapped(), socket.is_datagram()) {
                (true, true) => started(socket.send_to(Irp::new(target, memory), flags, to)?)?,
                (true, false) => started(socket.send(Irp::new(target, memory), flags)?)?,
                (false, true) => {
                    waited(&socket, target, || socket.send_to_waiting(memory, flags, to))?
                }
                (false, false) => {
                    waited(&socket, target, || socket.send_waiting(memory, flags))?
                }
            }
        };
        ptr::write_opt(sent, dword(bytes))?;
        Ok(0)
    }

    /// Receives a datagram into several buffers and tells who sent it, overlapped if an OVERLAPPED
    /// is given: then the address is written when the operation completes.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsarecvfrom>
    ///
    /// Errors: as recvfrom and WSASendTo. An overlapped receive that is cut short pends, and
    /// completes with WSAEMSGSIZE.
    winsock fn WSARecvFrom(s: SOCKET, bufs: *const WSABUF, count: u32, got: *mut u32, flags: *mut u32, from: *mut u8, len: *mut i32, ov: *mut Overlapped, routine: Option<CompletionRoutine>) -> i32, fail SOCKET_ERROR; {
        let socket = Socket::from_value(s)?;
        let memory = buffers(bufs, count, true)?;
        let options = recv_options_for(&socket, ptr::read(flags)?)?;
        ptr::check_writable(flags, 1)?;
        let area = sender_area(&socket, from, len)?;
        let bytes = if ov.is_null() {
            ptr::check_writable(got, 1)?;
            recv_from(&socket, memory, options, area)?
        } else {
            let target = overlapped::target(socket.core(), ov, routine)?;
            ptr::check_writable_opt(got)?;
            match (socket.is_overlapped(), socket.is_datagram()) {
                (true, true) => {
                    started(socket.recv_from(Irp::new(target, memory), options, area)?)?
                }
                (true, false) => started(socket.recv(Irp::new(target, memory), options)?)?,
                (false, true) => {
                    waited(&socket, target, || socket.recv_from_waiting(memory, options, area))?
                }
                (false, false) => {
                    waited(&socket, target, || socket.recv_waiting(memory, options))?
                }
            }
        };
        ptr::write_opt(got, dword(bytes))?;
        ptr::write(flags, 0)?;
        Ok(0)
    }
}

//! The functions of mswsock.h: AcceptEx, ConnectEx, DisconnectEx and their address helper; those
//! that send files are in [`transmit`], those of Registered I/O in [`rio`].
#![allow(unsafe_code)]

pub mod rio;
pub mod transmit;

use linsock::afd::DisconnectMode;
use linsock::afd::address::{Domain, Family};
use linsock::iocp::buffer::{Buffers, CheckedMemory, RawBuffer};
use linsock::iocp::irp::{Irp, Target};
use linsock::iocp::overlapped::Overlapped;
use linsock::socket::{AcceptLayout, AddressArea, DeferredAddress, Socket};

use crate::abi::{BOOL, FALSE, GUID, SOCKET, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;
use crate::winsock2::{message, overlapped, read_address};

/// `TF_REUSE_SOCKET`.
const TF_REUSE_SOCKET: u32 = 2;

/// The GUIDs of SIO_GET_EXTENSION_FUNCTION_POINTER (winsock-semantics 6.1).
const fn mswsock_guid(data1: u32) -> GUID {
    GUID {
        data1,
        data2: 0xcbac,
        data3: 0x11cf,
        data4: [0x95, 0xca, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92],
    }
}

const ACCEPTEX: GUID = mswsock_guid(0xb536_7df1);
const GETACCEPTEXSOCKADDRS: GUID = mswsock_guid(0xb536_7df2);
const CONNECTEX: GUID = GUID {
    data1: 0x25a2_07b9,
    data2: 0xddf3,
    data3: 0x4660,
    data4: [0x8e, 0xe9, 0x76, 0xe5, 0x8c, 0x74, 0x06, 0x3e],
};
const DISCONNECTEX: GUID = GUID {
    data1: 0x7fda_2e11,
    data2: 0x8630,
    data3: 0x436f,
    data4: [0xa0, 0x31, 0xf5, 0x36, 0xa6, 0xee, 0xc1, 0x57],
};
const TRANSMITFILE: GUID = mswsock_guid(0xb536_7df0);
const TRANSMITPACKETS: GUID = GUID {
    data1: 0xd968_9da0,
    data2: 0x1f90,
    data3: 0x11d3,
    data4: [0x99, 0x71, 0x00, 0xc0, 0x4f, 0x68, 0xc8, 0x76],
};
const WSARECVMSG: GUID = GUID {
    data1: 0xf689_d7c8,
    data2: 0x6f1f,
    data3: 0x436b,
    data4: [0x8a, 0x53, 0xe5, 0x4f, 0xe3, 0x51, 0xc3, 0x22],
};
const WSASENDMSG: GUID = GUID {
    data1: 0xa441_e712,
    data2: 0x754f,
    data3: 0x43ca,
    data4: [0x84, 0xa7, 0x0d, 0xee, 0x44, 0xcf, 0x60, 0x6d],
};
const WSAPOLL: GUID = GUID {
    data1: 0x18c7_6f85,
    data2: 0xdc66,
    data3: 0x4964,
    data4: [0x97, 0x2e, 0x23, 0xc2, 0x72, 0x38, 0x31, 0x2b],
};

/// The address of an extension function, for the GUID that stands for it.
pub(crate) fn extension(guid: GUID) -> Option<usize> {
    Some(match guid {
        ACCEPTEX => AcceptEx as *const () as usize,
        GETACCEPTEXSOCKADDRS => GetAcceptExSockaddrs as *const () as usize,
        CONNECTEX => ConnectEx as *const () as usize,
        DISCONNECTEX => DisconnectEx as *const () as usize,
        TRANSMITFILE => transmit::TransmitFile as *const () as usize,
        TRANSMITPACKETS => transmit::TransmitPackets as *const () as usize,
        WSARECVMSG => message::WSARecvMsg as *const () as usize,
        WSASENDMSG => message::WSASendMsg as *const () as usize,
        WSAPOLL => crate::winsock2::poll::WSAPoll as *const () as usize,
        _ => return None,
    })
}

/// What an extension function that pended returns: FALSE and ERROR_IO_PENDING.
fn pending() -> Outcome<BOOL> {
    Err(Error::ERROR_IO_PENDING)
}

/// The target for functions that cannot do without an OVERLAPPED.
fn required_target(socket: &Socket, ov: *mut Overlapped) -> Outcome<Target> {
    overlapped::target(socket.core(), ov, None)
}

/// Marks the OVERLAPPED as Windows does before it looks at anything else: on every synchronous
/// failure it reads STATUS_PENDING (`test_AcceptEx`, `test_connect`).
fn mark(ov: *mut Overlapped) -> Outcome<()> {
    use linsock::NtStatus;
    ptr::write(ov.cast::<usize>(), NtStatus::PENDING.raw() as usize)
}

fn accept_ex(
    listener: SOCKET,
    acceptor: SOCKET,
    output: *mut u8,
    layout: AcceptLayout,
    ov: *mut Overlapped,
) -> Outcome<BOOL> {
    let listener = Socket::from_value(listener)?;
    listener.check_accept()?;
    let acceptor = Socket::from_value(acceptor)?;
    if layout.remote == 0 || output.is_null() && layout.receive > 0 {
        return Err(Error::WSAEFAULT);
    }
    let addresses = layout.local + layout.remote;
    ptr::check_writable(output, layout.receive + addresses)?;
    let target = required_target(&listener, ov)?;
    let data = [RawBuffer { base: output, len: layout.receive }];
    // SAFETY: the memory is the C program's, lent until the operation completes.
    let data = unsafe { Buffers::from_raw(&data) };
    let behind = output.wrapping_add(layout.receive);
    // SAFETY: checked to be writable; lent until the operation completes.
    let area = AddressArea(unsafe { CheckedMemory::new(behind, addresses) });
    listener.accept_ex(&acceptor, Irp::new(target, data), layout, Some(area))?;
    pending()
}

/// Finds one address in an AcceptEx buffer: where it is and how long.
fn find_address(area: *mut u8, len: u32) -> Outcome<Option<(*mut u8, i32)>> {
    if len == 0 {
        return Ok(None);
    }
    let at = area.wrapping_add(DeferredAddress::HEADER);
    let mut size: u32 = ptr::read(area.cast())?;
    if size == DeferredAddress::MARK {
        size = write_deferred(area, at, len as usize)?;
    }
    Ok(Some((at, size.cast_signed())))
}

/// Looks up the local address that AcceptEx left for later, and puts it in its place, which has
/// `room` octets from `area` on: as many as AcceptEx was told of, or it is no buffer of AcceptEx.
fn write_deferred(area: *mut u8, at: *mut u8, room: usize) -> Outcome<u32> {
    // A socket that was closed meanwhile has no address any more; the remote one is still told.
    let address = DeferredAddress::socket(ptr::read(at.cast())?)
        .and_then(|socket| socket.connection_address());
    let family: i32 = ptr::read(area.wrapping_add(DeferredAddress::FAMILY_AT).cast())?;
    let domain = Domain::from_number(family).unwrap_or(Domain::Ip(Family::Inet));
    let address = address.unwrap_or_else(|| domain.unspecified());
    address.with_octets(|octets| {
        let size = u32::try_from(octets.len()).unwrap_or(0);
        if DeferredAddress::HEADER + octets.len() > room {
            return Err(Error::WSAEFAULT);
        }
        ptr::write_all(at, octets)?;
        ptr::write(area.cast(), size)?;
        Ok(size)
    })
}

export! {
    /// Accepts a connection into a socket that exists already, with its first data if room is
    /// given. Always pends: FALSE and ERROR_IO_PENDING.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/mswsock/nf-mswsock-acceptex>
    ///
    /// Errors, in order: WSANOTINITIALISED, ERROR_INVALID_PARAMETER (no OVERLAPPED), WSAENOTSOCK
    /// (listener), WSAEINVAL (not listening), WSAENOTSOCK (acceptor), WSAEFAULT (buffer, remote
    /// length 0), WSAEINVAL (acceptor bound, connected or in another AcceptEx).
    ///
    /// # Differs from Windows
    /// The two addresses in the buffer are in a form of our own; GetAcceptExSockaddrs reads it.
    winsock fn AcceptEx(listener: SOCKET, acceptor: SOCKET, output: *mut u8, receive: u32, local: u32, remote: u32, received: *mut u32, ov: *mut Overlapped) -> BOOL, fail FALSE; {
        if ov.is_null() {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        mark(ov)?;
        if !received.is_null() {
            ptr::check_writable(received, 1)?;
        }
        let [receive, local, remote] = [receive, local, remote].map(|len| len as usize);
        accept_ex(listener, acceptor, output, AcceptLayout { receive, local, remote }, ov)
    }

    /// Finds the two addresses in an AcceptEx buffer. Outputs for an area of length 0 stay
    /// untouched.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/mswsock/nf-mswsock-getacceptexsockaddrs>
    fn GetAcceptExSockaddrs(output: *mut u8, receive: u32, local: u32, remote: u32, local_at: *mut *mut u8, local_len: *mut i32, remote_at: *mut *mut u8, remote_len: *mut i32) -> (), fail (); {
        let locals = output.wrapping_add(receive as usize);
        let remotes = locals.wrapping_add(local as usize);
        if let Some((at, len)) = find_address(locals, local)? {
            ptr::write(local_at, at)?;
            ptr::write(local_len, len)?;
        }
        if let Some((at, len)) = find_address(remotes, remote)? {
            ptr::write(remote_at, at)?;
            ptr::write(remote_len, len)?;
        }
        Ok(())
    }

    /// Connects a bound (or recycled) socket and sends first data. Always pends: FALSE and
    /// ERROR_IO_PENDING. Reached through SIO_GET_EXTENSION_FUNCTION_POINTER.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_connectex>
    ///
    /// Errors, in order: WSANOTINITIALISED, ERROR_INVALID_PARAMETER (no OVERLAPPED), WSAENOTSOCK,
    /// WSAEFAULT, WSAEAFNOSUPPORT, WSAEINVAL (not bound, listening, connecting), WSAEISCONN,
    /// WSAEADDRNOTAVAIL (any address, port 0).
    winsock fn ConnectEx as "linsock_ConnectEx"(s: SOCKET, name: *const u8, namelen: i32, data: *mut u8, len: u32, sent: *mut u32, ov: *mut Overlapped) -> BOOL, fail FALSE; {
        if ov.is_null() {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        mark(ov)?;
        let socket = Socket::from_value(s)?;
        let to = read_address(socket.domain(), name, namelen)?;
        if !sent.is_null() {
            ptr::check_writable(sent, 1)?;
        }
        let len = if data.is_null() { 0 } else { len as usize };
        ptr::check_readable(data, len)?;
        let target = required_target(&socket, ov)?;
        // SAFETY: the memory is the C program's, lent until the operation completes.
        let data = unsafe { Buffers::from_raw(&[RawBuffer { base: data, len }]) };
        socket.connect_ex(Irp::new(target, data), &to)?;
        pending()
    }

    /// Ends a connection; with TF_REUSE_SOCKET the handle can be used for another. Reached through
    /// SIO_GET_EXTENSION_FUNCTION_POINTER.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_disconnectex>
    ///
    /// With an OVERLAPPED it always pends: FALSE and ERROR_IO_PENDING, and queues its packet even
    /// under FILE_SKIP_COMPLETION_PORT_ON_SUCCESS. Without, it blocks until it is over.
    ///
    /// Errors, in order: WSANOTINITIALISED, WSAENOTSOCK, WSAEINVAL (reserved, flags), WSAEFAULT,
    /// WSAENOTCONN.
    ///
    /// # Differs from Windows
    /// Windows 10 returns TRUE for a second call without OVERLAPPED and without reuse; the page
    /// says WSAENOTCONN, and so do we.
    winsock fn DisconnectEx as "linsock_DisconnectEx"(s: SOCKET, ov: *mut Overlapped, flags: u32, reserved: u32) -> BOOL, fail FALSE; {
        let socket = Socket::from_value(s)?;
        let mode = match (flags, reserved) {
            (0, 0) => DisconnectMode::HalfClose,
            (TF_REUSE_SOCKET, 0) => DisconnectMode::Reuse,
            _ => return Err(Error::WSAEINVAL),
        };
        if ov.is_null() {
            socket.disconnect_blocking(mode)?;
            crate::last_error::set(0);
            return Ok(TRUE);
        }
        let target = required_target(&socket, ov)?;
        socket.disconnect(Irp::new(target, Buffers::empty()), mode)?;
        pending()
    }
}

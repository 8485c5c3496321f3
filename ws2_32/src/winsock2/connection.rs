//! Sockets and connections: socket, bind, listen, accept, connect, shutdown, closesocket, the
//! names.
#![allow(unsafe_code)]

use std::sync::Arc;

use linsock::afd::Shutdown;
use linsock::afd::address::{ADDRESS_MAX, Address, Domain};
use linsock::catalog::{Provider, Unknown};
use linsock::iocp::handle::{self, Handle};
use linsock::socket::{Accepted, Socket};
use linsock::transport::iso::tpdu::CONNECT_DATA_MAX;

use crate::abi::{INVALID_SOCKET, SOCKET, SOCKET_ERROR, WSABUF};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;
use crate::winsock2::duplicate::claimed;
use crate::winsock2::transfer::cancelled;
use crate::winsock2::{read_address, read_ip, write_address};

const AF_UNSPEC: u16 = 0;
const WSA_FLAG_OVERLAPPED: u32 = 0x01;
const WSA_FLAG_NO_HANDLE_INHERIT: u32 = 0x80;
const WSA_FLAG_REGISTERED_IO: u32 = 0x100;
/// OVERLAPPED, the multipoint flags, ACCESS_SYSTEM_SECURITY, NO_HANDLE_INHERIT, REGISTERED_IO.
const WSA_FLAGS: u32 = 0x01 | 0x02 | 0x04 | 0x08 | 0x10 | 0x40 | 0x80 | 0x100;

/// Creates a socket by numbers, of which 0 means "whatever fits".
fn create(family: i32, socket_type: i32, protocol: i32, overlapped: bool) -> Outcome<SOCKET> {
    let provider =
        Provider::find(family, socket_type, protocol).map_err(|unknown| match unknown {
            Unknown::Nothing => Error::WSAEINVAL,
            Unknown::Family => Error::WSAEAFNOSUPPORT,
            Unknown::Type => Error::WSAESOCKTNOSUPPORT,
            Unknown::Protocol => Error::WSAEPROTONOSUPPORT,
        })?;
    Ok(Socket::create(provider, overlapped)?.handle().value())
}

/// What a WSAPROTOCOL_INFO, if given, puts in place of FROM_PROTOCOL_INFO (-1): the family, type
/// and protocol of the catalog entry.
fn from_info(info: *const u8, numbers: [i32; 3]) -> Outcome<[i32; 3]> {
    if info.is_null() {
        return Ok(numbers);
    }
    let field = |at: usize| ptr::read(info.wrapping_add(at).cast::<i32>());
    let [family, socket_type, protocol] = numbers;
    let pick = |number: i32, at: usize| if number == -1 { field(at) } else { Ok(number) };
    Ok([pick(family, 76)?, pick(socket_type, 88)?, pick(protocol, 92)?])
}

fn wsa_socket(numbers: [i32; 3], info: *const u8, flags: u32) -> Outcome<SOCKET> {
    if flags & !WSA_FLAGS != 0 {
        return Err(Error::WSAEINVAL);
    }
    let s = match claimed(info)? {
        Some(duplicate) => duplicate,
        None => {
            let [family, socket_type, protocol] = from_info(info, numbers)?;
            create(family, socket_type, protocol, flags & WSA_FLAG_OVERLAPPED != 0)?
        }
    };
    if flags & WSA_FLAG_NO_HANDLE_INHERIT != 0
        && let Some(handle) = Handle::from_value(s)
    {
        handle::table().set_inherited(handle, false);
    }
    if flags & WSA_FLAG_REGISTERED_IO != 0 {
        Socket::from_value(s)?.want_registered_io();
    }
    Ok(s)
}

/// accept, up to the handle: the address is written before the connection has one, so that a bad
/// pointer loses nothing.
fn accept_into(socket: &Arc<Socket>, name: *mut u8, len: *mut i32) -> Outcome<SOCKET> {
    if !name.is_null() {
        ptr::check_writable(name, usize::try_from(ptr::read(len)?).unwrap_or(0))?;
    }
    let accepted = socket.accept_blocking().map_err(cancelled)?;
    finish_accept(socket, accepted, name, len)
}

fn finish_accept(
    socket: &Arc<Socket>,
    accepted: Accepted,
    name: *mut u8,
    len: *mut i32,
) -> Outcome<SOCKET> {
    if !name.is_null()
        && let Some(peer) = accepted.peer()
        && let Err(error) = write_address(peer, name, len)
    {
        socket.defer(accepted);
        return Err(error);
    }
    Ok(socket.adopt(accepted)?.handle().value())
}

/// A condition function: caller id, caller data, two QOS, callee id, callee data, group, context.
type ConditionProc = unsafe extern "system" fn(
    *mut WSABUF,
    *mut WSABUF,
    *mut u8,
    *mut u8,
    *mut WSABUF,
    *mut WSABUF,
    *mut u32,
    usize,
) -> i32;

/// Asks the program whether it wants the connection: CF_ACCEPT, CF_REJECT or CF_DEFER.
fn ask(condition: ConditionProc, accepted: &mut Accepted, context: usize) -> Outcome<i32> {
    let emitted = |address: Option<&Address>| {
        let mut room = [0; ADDRESS_MAX];
        let len = address.map_or(0, |address| {
            address.with_octets(|octets| {
                room[..octets.len()].copy_from_slice(octets);
                octets.len()
            })
        });
        (room, len)
    };
    let (mut caller, caller_len) = emitted(accepted.peer());
    let (mut callee, callee_len) = emitted(accepted.local().as_ref());
    let buffer = |octets: &mut [u8], len: usize| WSABUF {
        len: u32::try_from(len).unwrap_or(0),
        buf: octets.as_mut_ptr(),
    };
    let (mut caller_id, mut callee_id) =
        (buffer(&mut caller, caller_len), buffer(&mut callee, callee_len));
    let mut from_peer = accepted.peer_connect_data().unwrap_or_default().to_vec();
    let mut to_peer = [0; CONNECT_DATA_MAX];
    let room = if accepted.peer_connect_data().is_some() { to_peer.len() } else { 0 };
    let len = from_peer.len();
    let (mut caller_data, mut callee_data) =
        (buffer(&mut from_peer, len), buffer(&mut to_peer, room));
    let mut group = 0_u32;
    let none = std::ptr::null_mut();
    // SAFETY: the program gave this function for this purpose; its arguments live through the call
    // and no lock is held.
    let decision = unsafe {
        condition(
            &raw mut caller_id,
            &raw mut caller_data,
            none,
            none,
            &raw mut callee_id,
            &raw mut callee_data,
            &raw mut group,
            context,
        )
    };
    // The room was the program's to fill; a length that it never was, as on entry, is nothing.
    let answered = usize::try_from(callee_data.len).unwrap_or(usize::MAX);
    let answer = ptr::read_all(callee_data.buf, answered.min(room))?;
    let is_untouched = answered == room && answer.iter().all(|octet| *octet == 0);
    accepted.set_connect_data(if is_untouched { &[] } else { &answer })?;
    Ok(decision)
}

/// WSATRY_AGAIN: the condition function put the decision off.
const TRY_AGAIN: Error = Error(11002);

export! {
    /// Creates a socket for overlapped I/O.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-socket>
    ///
    /// Errors: WSAEAFNOSUPPORT, WSAEPROTONOSUPPORT, WSAEPROTOTYPE, WSAESOCKTNOSUPPORT, WSAEINVAL,
    /// WSAEMFILE.
    winsock fn socket as "WS_socket"(af: i32, socket_type: i32, protocol: i32) -> SOCKET, fail INVALID_SOCKET; {
        create(af, socket_type, protocol, true)
    }

    /// Creates a socket.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasocketa>
    ///
    /// With a protocol info of WSADuplicateSocket it gives the handle that was made there, and only
    /// the info is looked at: flags, family, type and protocol are the socket's.
    ///
    /// Errors: as socket; WSAEINVAL for unknown flags, and for the info of a duplicate that was
    /// given already; WSAEFAULT for a bad protocol info.
    winsock fn WSASocketA(af: i32, socket_type: i32, protocol: i32, info: *const u8, _group: u32, flags: u32) -> SOCKET, fail INVALID_SOCKET; {
        wsa_socket([af, socket_type, protocol], info, flags)
    }

    /// Creates a socket.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasocketw>
    ///
    /// Errors: as WSASocketA.
    winsock fn WSASocketW(af: i32, socket_type: i32, protocol: i32, info: *const u8, _group: u32, flags: u32) -> SOCKET, fail INVALID_SOCKET; {
        wsa_socket([af, socket_type, protocol], info, flags)
    }

    /// Gives the socket a local address.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-bind>
    ///
    /// Errors: WSAENOTSOCK, WSAEFAULT, WSAEAFNOSUPPORT, WSAEINVAL (bound already), WSAEADDRINUSE,
    /// WSAEADDRNOTAVAIL, WSAEACCES.
    ///
    /// # Differs from Windows
    /// A port that another socket has bound and does not listen on is given out again; listen
    /// tells.
    winsock fn bind as "WS_bind"(s: SOCKET, name: *const u8, namelen: i32) -> i32, fail SOCKET_ERROR; {
        let socket = Socket::from_value(s)?;
        socket.bind(read_address(socket.domain(), name, namelen)?)?;
        Ok(0)
    }

    /// Waits for connections.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-listen>
    ///
    /// Errors: WSAENOTSOCK, WSAEINVAL (not bound), WSAEISCONN, WSAEADDRINUSE.
    winsock fn listen as "WS_listen"(s: SOCKET, backlog: i32) -> i32, fail SOCKET_ERROR; {
        Socket::from_value(s)?.listen(backlog)?;
        Ok(0)
    }

    /// Takes a connection; blocks for one unless the socket is non-blocking.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-accept>
    ///
    /// Errors: WSAENOTSOCK, WSAEINVAL (not listening), WSAEFAULT (the connection stays for the next
    /// accept), WSAEWOULDBLOCK, WSAEMFILE, WSAEINTR (the socket was closed); WSAEINPROGRESS inside
    /// an APC that interrupted a blocking call.
    winsock fn accept as "WS_accept"(s: SOCKET, name: *mut u8, namelen: *mut i32) -> SOCKET, fail INVALID_SOCKET; {
        accept_into(&Socket::from_value(s)?, name, namelen)
    }

    /// Takes a connection if a condition function agrees.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaaccept>
    ///
    /// Errors: as accept; WSAECONNREFUSED when the function rejects (the peer sees a reset),
    /// WSATRY_AGAIN when it defers.
    winsock fn WSAAccept(s: SOCKET, name: *mut u8, namelen: *mut i32, condition: Option<ConditionProc>, context: usize) -> SOCKET, fail INVALID_SOCKET; {
        let socket = Socket::from_value(s)?;
        let Some(condition) = condition else { return accept_into(&socket, name, namelen) };
        let mut accepted = socket.accept_blocking().map_err(cancelled)?;
        match ask(condition, &mut accepted, context)? {
            0 => finish_accept(&socket, accepted, name, namelen),
            1 => {
                accepted.reject();
                Err(Error::WSAECONNREFUSED)
            }
            _ => {
                socket.defer(accepted);
                Err(TRY_AGAIN)
            }
        }
    }

    /// Connects; blocks until it is done unless the socket is non-blocking.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-connect>
    ///
    /// Errors: WSAENOTSOCK, WSAEFAULT, WSAEAFNOSUPPORT, WSAEADDRNOTAVAIL (no address or port),
    /// WSAEISCONN, WSAEALREADY, WSAEINVAL (listening, or ConnectEx pending), WSAEWOULDBLOCK,
    /// WSAECONNREFUSED, WSAETIMEDOUT, WSAENETUNREACH, WSAEHOSTUNREACH.
    winsock fn connect as "WS_connect"(s: SOCKET, name: *const u8, namelen: i32) -> i32, fail SOCKET_ERROR; {
        connect_to(s, name, namelen)
    }

    /// Connects, with connect data where the provider has it; TCP has none.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaconnect>
    ///
    /// Errors: as connect; WSAENOPROTOOPT for caller data.
    winsock fn WSAConnect(s: SOCKET, name: *const u8, namelen: i32, caller: *const WSABUF, callee: *mut WSABUF, _sqos: *const u8, _gqos: *const u8) -> i32, fail SOCKET_ERROR; {
        let socket = Socket::from_value(s)?;
        if caller.is_null() && (callee.is_null() || !socket.provider().is_iso()) {
            return connect_to(s, name, namelen);
        }
        if !socket.provider().is_iso() {
            return Err(Error::WSAENOPROTOOPT);
        }
        connect_with_data(&socket, (s, name, namelen), caller, callee)
    }

    /// Closes one or both halves of a connection. Never blocks, queues no packet.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-shutdown>
    ///
    /// Errors, in order: WSAENOTSOCK, WSAEINVAL (unknown half), WSAENOTCONN.
    winsock fn shutdown as "WS_shutdown"(s: SOCKET, how: i32) -> i32, fail SOCKET_ERROR; {
        let socket = Socket::from_value(s)?;
        let how = match how {
            0 => Shutdown::Receive,
            1 => Shutdown::Send,
            2 => Shutdown::Both,
            _ => return Err(Error::WSAEINVAL),
        };
        socket.shutdown(how)?;
        // test_shutdown: the last error reads 0 after success (Windows 7 and later).
        crate::last_error::set(0);
        Ok(0)
    }

    /// Closes a socket, of duplicates with the last one. Pending operations complete; data that was
    /// sent is delivered unless SO_LINGER says otherwise. Blocks only to linger.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-closesocket>
    ///
    /// Errors: WSAENOTSOCK; WSAEWOULDBLOCK (the socket stays) when a non-blocking socket would
    /// linger.
    winsock fn closesocket(s: SOCKET) -> i32, fail SOCKET_ERROR; {
        let socket = Socket::from_value(s)?;
        socket.close_one(Handle::from_value(s).ok_or(Error::WSAENOTSOCK)?)?;
        Ok(0)
    }

    /// The local address.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-getsockname>
    ///
    /// Errors, in order: WSAENOTSOCK, WSAEINVAL (not bound), WSAEFAULT.
    winsock fn getsockname as "WS_getsockname"(s: SOCKET, name: *mut u8, namelen: *mut i32) -> i32, fail SOCKET_ERROR; {
        write_address(&Socket::from_value(s)?.local_address()?, name, namelen)?;
        Ok(0)
    }

    /// The peer's address.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-getpeername>
    ///
    /// Errors, in order: WSAENOTSOCK, WSAENOTCONN, WSAEFAULT (`test_getpeername`).
    winsock fn getpeername as "WS_getpeername"(s: SOCKET, name: *mut u8, namelen: *mut i32) -> i32, fail SOCKET_ERROR; {
        write_address(&Socket::from_value(s)?.peer_address()?, name, namelen)?;
        Ok(0)
    }
}

/// connect on a datagram socket: an address of all zeros, or of no family, takes the default
/// destination away (connect page, `test_connect_udp`).
fn connect_datagram(socket: &Socket, name: *const u8, namelen: i32) -> Outcome<i32> {
    if namelen >= 2 && ptr::read(name.cast::<u16>())? == AF_UNSPEC {
        socket.set_destination(None)?;
        return Ok(0);
    }
    let Domain::Ip(family) = socket.domain() else {
        return Err(Error::WSAEAFNOSUPPORT);
    };
    let to = read_ip(family, name, namelen)?;
    let dissolves = to.ip().is_unspecified();
    socket.set_destination(Some(to).filter(|_| !dissolves))?;
    Ok(0)
}

fn connect_to(s: SOCKET, name: *const u8, namelen: i32) -> Outcome<i32> {
    let socket = Socket::from_value(s)?;
    if socket.is_datagram() {
        return connect_datagram(&socket, name, namelen);
    }
    let to = read_address(socket.domain(), name, namelen)?;
    // connect page: the remote address must not be all zeros, nor the port.
    if !to.is_somebody() {
        return Err(Error::WSAEADDRNOTAVAIL);
    }
    socket.connect_blocking(&to).map_err(cancelled)?;
    Ok(0)
}

/// WSAConnect with connect data: the caller's goes with the request, the callee's comes with the
/// confirm.
fn connect_with_data(
    socket: &Socket,
    (s, name, namelen): (SOCKET, *const u8, i32),
    caller: *const WSABUF,
    callee: *mut WSABUF,
) -> Outcome<i32> {
    if !caller.is_null() {
        let buffer = ptr::read(caller)?;
        let len = usize::try_from(buffer.len).unwrap_or(usize::MAX).min(CONNECT_DATA_MAX + 1);
        let data = ptr::read_all(buffer.buf, len)?;
        socket.with_user_data(|own| own.set_connect(&data))??;
    }
    if callee.is_null() {
        return connect_to(s, name, namelen);
    }
    let buffer = ptr::read(callee)?;
    let room = usize::try_from(buffer.len).unwrap_or(usize::MAX);
    ptr::check_writable(callee, 1)?;
    ptr::check_writable(buffer.buf, room)?;
    connect_to(s, name, namelen)?;
    let data = socket.with_user_data(|own| own.peer_connect.clone())?;
    if data.len() > room {
        return Err(Error::WSAEFAULT);
    }
    ptr::write_all(buffer.buf, &data)?;
    let len = u32::try_from(data.len()).unwrap_or(u32::MAX);
    ptr::write(callee, WSABUF { len, ..buffer })?;
    Ok(0)
}

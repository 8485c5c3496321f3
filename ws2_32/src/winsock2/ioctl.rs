//! WSAIoctl.
#![allow(unsafe_code)]

mod network;
pub mod tcp_info;

use std::time::Duration;

use linsock::catalog::Provider;
use linsock::iocp::overlapped::Overlapped;
use linsock::option::KeepAlive;
use linsock::socket::Socket;

use super::overlapped::{self, CompletionRoutine};
use super::transfer;
use crate::abi::{GUID, SOCKET, SOCKET_ERROR};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::{mswsock, ptr};

const SIO_GET_EXTENSION_FUNCTION_POINTER: u32 = 0xC800_0006;
const SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER: u32 = 0xC800_0024;
const SIO_KEEPALIVE_VALS: u32 = 0x9800_0004;
const SIO_BASE_HANDLE: u32 = 0x4800_0022;
const FIONBIO: u32 = 0x8004_667E;
const SIO_UDP_CONNRESET: u32 = 0x9800_000C;
const FIONREAD: u32 = 0x4004_667F;
const SIO_GET_INTERFACE_LIST: u32 = 0x4004_747F;
const SIO_IDEAL_SEND_BACKLOG_QUERY: u32 = 0x4004_747B;
const SIO_GET_BROADCAST_ADDRESS: u32 = 0x4800_0005;
const SIO_ROUTING_INTERFACE_QUERY: u32 = 0xC800_0014;
const SIO_ADDRESS_LIST_QUERY: u32 = 0x4800_0016;
const SIO_TCP_INFO: u32 = 0xD800_0027;
const SIO_LOOPBACK_FAST_PATH: u32 = 0x9800_0010;

// SAFETY: a GUID is valid whatever its octets.
unsafe impl ptr::Plain for GUID {}

/// Where an ioctl reads and writes.
struct Buffers {
    socket: SOCKET,
    input: *const u8,
    input_len: u32,
    output: *mut u8,
    output_len: u32,
    /// Where the octets are told that were written, or that are needed.
    returned: *mut u32,
}

impl Buffers {
    fn read<T: ptr::Plain>(&self) -> Outcome<T> {
        if (self.input_len as usize) < size_of::<T>() {
            return Err(Error::WSAEFAULT);
        }
        ptr::read(self.input.cast())
    }

    fn write<T: Copy>(&self, value: T) -> Outcome<u32> {
        if (self.output_len as usize) < size_of::<T>() {
            return Err(Error::WSAEFAULT);
        }
        ptr::write(self.output.cast(), value)?;
        Ok(u32::try_from(size_of::<T>()).unwrap_or(0))
    }

    fn write_all(&self, octets: &[u8]) -> Outcome<u32> {
        if (self.output_len as usize) < octets.len() {
            return Err(Error::WSAEFAULT);
        }
        ptr::write_all(self.output, octets)?;
        Ok(u32::try_from(octets.len()).unwrap_or(0))
    }
}

/// Performs an ioctl; gives the octets written.
fn perform(socket: &Socket, code: u32, buffers: &Buffers) -> Outcome<u32> {
    match code {
        SIO_GET_EXTENSION_FUNCTION_POINTER => {
            let function = mswsock::extension(buffers.read()?).ok_or(Error::WSAEINVAL)?;
            buffers.write(function)
        }
        SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER => {
            let table = mswsock::rio::table(buffers.read()?).ok_or(Error::WSAEINVAL)?;
            buffers.write(table)
        }
        SIO_KEEPALIVE_VALS => {
            let [on, time, interval]: [u32; 3] = buffers.read()?;
            let ms = |value: u32| Duration::from_millis(value.into());
            let times = KeepAlive { on: on != 0, time: ms(time), interval: ms(interval) };
            socket.with_options(|options, fd| {
                options.change(|options| options.set_keep_alive(times, fd))
            })?;
            Ok(0)
        }
        // The handle that was asked: of duplicates each is its own.
        SIO_BASE_HANDLE => buffers.write(buffers.socket & !3),
        FIONBIO => {
            socket.control_blocking(buffers.read::<u32>()? != 0)?;
            Ok(0)
        }
        SIO_UDP_CONNRESET => {
            socket.tell_unreachable(buffers.read::<u32>()? != 0)?;
            Ok(0)
        }
        FIONREAD => buffers.write(socket.readable_octets()),
        SIO_GET_INTERFACE_LIST => network::interface_list(socket, buffers),
        SIO_ADDRESS_LIST_QUERY => network::address_list(socket, buffers),
        SIO_ROUTING_INTERFACE_QUERY => network::route(socket, buffers),
        SIO_GET_BROADCAST_ADDRESS => network::broadcast_address(socket, buffers),
        SIO_TCP_INFO => tcp_info::tell(socket, buffers),
        SIO_IDEAL_SEND_BACKLOG_QUERY => {
            buffers.write(u32::try_from(socket.ideal_backlog()?).unwrap_or(u32::MAX))
        }
        // Windows has taken no other path since Windows 10, version 2004, nor does Linux.
        SIO_LOOPBACK_FAST_PATH if matches!(socket.provider(), Provider::Tcp(_)) => {
            buffers.read::<u32>()?;
            Ok(0)
        }
        _ => Err(Error::WSAEOPNOTSUPP),
    }
}

export! {
    /// Controls a socket, or tells of it and of the network, without blocking.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaioctl>
    ///
    /// Never pends; with an OVERLAPPED it completes at once with 0 octets, whatever it wrote
    /// (`test_get_extension_func`).
    ///
    /// SIO_ADDRESS_LIST_QUERY leaves the loopback interface out. SIO_LOOPBACK_FAST_PATH has no
    /// effect, as on Windows today.
    ///
    /// Errors: WSAENOTSOCK, WSAEFAULT (a pointer, or room or input too small), WSAEINVAL (unknown
    /// GUID; another version of TCP_INFO than 0), WSAEOPNOTSUPP (unknown code, or not this kind of
    /// socket), WSAENOTCONN, WSAENETUNREACH, WSAEHOSTUNREACH.
    ///
    /// # Differs from Windows
    /// SIO_GET_EXTENSION_FUNCTION_POINTER, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER (of
    /// Registered I/O), SIO_KEEPALIVE_VALS, SIO_BASE_HANDLE, SIO_UDP_CONNRESET,
    /// SIO_GET_INTERFACE_LIST, SIO_ADDRESS_LIST_QUERY, SIO_ROUTING_INTERFACE_QUERY,
    /// SIO_GET_BROADCAST_ADDRESS, SIO_IDEAL_SEND_BACKLOG_QUERY, SIO_LOOPBACK_FAST_PATH,
    /// SIO_TCP_INFO (version 0), FIONBIO, FIONREAD are there. Linux does not count what came out of
    /// order, fast retransmissions, repeated acknowledgements and timeouts: 0 in TCP_INFO_v0.
    winsock fn WSAIoctl(s: SOCKET, code: u32, input: *const u8, input_len: u32, output: *mut u8, output_len: u32, returned: *mut u32, ov: *mut Overlapped, routine: Option<CompletionRoutine>) -> i32, fail SOCKET_ERROR; {
        let socket = Socket::from_value(s)?;
        ptr::check_writable(returned, 1)?;
        let target = match ov.is_null() {
            true => None,
            false => Some(overlapped::target(socket.core(), ov, routine)?),
        };
        let buffers = Buffers { socket: s, input, input_len, output, output_len, returned };
        let written = perform(&socket, code, &buffers)?;
        ptr::write(returned, written)?;
        if let Some(target) = target {
            transfer::complete_at_once(&socket, target)?;
        }
        crate::last_error::set(0);
        Ok(0)
    }
}

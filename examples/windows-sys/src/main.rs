//! An echo server on a completion port that never throws a socket away, on `windows-sys` alone:
//! `AcceptEx`, `WSARecv`, `WSASend`, and `DisconnectEx` with `TF_REUSE_SOCKET` round and round on the
//! same handles. Its clients are `std::net`'s, which stay the system's own.
//!
//! ```text
//! cargo run --release --manifest-path examples/windows-sys/Cargo.toml [CONNECTIONS]
//! ```
//!
//! Exit status 0 when every connection was served and every echo was right.

use std::ffi::c_void;
use std::io::{Read, Write};
use std::mem::{size_of, size_of_val, zeroed};
use std::net::TcpStream;
use std::ptr::{null, null_mut};
use std::thread;

#[cfg(not(windows))]
use linsock_c as _; // the functions of windows-sys
use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Networking::WinSock::*;
use windows_sys::Win32::System::IO::{
    CreateIoCompletionPort, GetQueuedCompletionStatus, OVERLAPPED,
};
use windows_sys::Win32::System::Threading::INFINITE;
use windows_sys::core::GUID;

const POOL: usize = 8;
const CLIENTS: usize = 4;
const MESSAGE: usize = 64;
const ADDRESS: usize = size_of::<SOCKADDR_IN>() + 16;

#[derive(Clone, Copy)]
enum Step {
    Accepting,
    Receiving,
    Sending,
    Disconnecting,
}

/// A handle of the pool and the one operation that is under way on it. The OVERLAPPED is first, so
/// that a packet's pointer is the connection's.
#[repr(C)]
struct Connection {
    overlapped: OVERLAPPED,
    step: Step,
    socket: SOCKET,
    addresses: [u8; 2 * ADDRESS],
    message: [u8; MESSAGE],
}

struct Server {
    port: HANDLE,
    listener: SOCKET,
    accept_ex: LPFN_ACCEPTEX,
    disconnect_ex: LPFN_DISCONNECTEX,
}

fn check(good: bool, what: &str) {
    assert!(good, "{what}: error {}", unsafe { WSAGetLastError() });
}

/// A call is accepted if it succeeded at once or is pending; its packet comes in both cases.
fn accepted(succeeded: bool, what: &str) {
    check(succeeded || unsafe { WSAGetLastError() } == WSA_IO_PENDING, what);
}

fn open() -> SOCKET {
    let socket = unsafe {
        WSASocketW(AF_INET.into(), SOCK_STREAM, IPPROTO_TCP, null(), 0, WSA_FLAG_OVERLAPPED)
    };
    check(socket != INVALID_SOCKET, "WSASocket");
    socket
}

/// An extension's pointer, into `into`.
fn extension<F>(socket: SOCKET, id: GUID, into: &mut F) {
    let (mut bytes, code) = (0, SIO_GET_EXTENSION_FUNCTION_POINTER);
    let (id, size) = ((&raw const id).cast(), size_of::<GUID>() as u32);
    let (into, room) = ((&raw mut *into).cast::<c_void>(), size_of::<F>() as u32);
    let result =
        unsafe { WSAIoctl(socket, code, id, size, into, room, &mut bytes, null_mut(), None) };
    check(result == 0, "SIO_GET_EXTENSION_FUNCTION_POINTER");
}

impl Server {
    /// Listens on a port of the system's choice, which it gives beside itself.
    fn listen() -> (Self, u16) {
        let port = unsafe { CreateIoCompletionPort(INVALID_HANDLE_VALUE, null_mut(), 0, 1) };
        check(!port.is_null(), "CreateIoCompletionPort");
        let mut server = Self { port, listener: open(), accept_ex: None, disconnect_ex: None };
        let mut address: SOCKADDR_IN = unsafe { zeroed() };
        address.sin_family = AF_INET;
        address.sin_addr.S_un.S_addr = u32::from_ne_bytes([127, 0, 0, 1]);
        let (at, mut length) = ((&raw mut address).cast(), size_of_val(&address) as i32);
        unsafe {
            check(bind(server.listener, at, length) == 0, "bind");
            check(listen(server.listener, SOMAXCONN as i32) == 0, "listen");
            check(getsockname(server.listener, at, &mut length) == 0, "getsockname");
        }
        server.tie(server.listener);
        extension(server.listener, WSAID_ACCEPTEX, &mut server.accept_ex);
        extension(server.listener, WSAID_DISCONNECTEX, &mut server.disconnect_ex);
        (server, unsafe { ntohs(address.sin_port) })
    }

    fn tie(&self, socket: SOCKET) {
        let tied = unsafe { CreateIoCompletionPort(socket as HANDLE, self.port, 0, 0) };
        check(tied == self.port, "CreateIoCompletionPort");
    }

    /// Begins the next operation of a connection.
    fn start(&self, c: &mut Connection, step: Step, length: usize) {
        c.overlapped = unsafe { zeroed() };
        c.step = step;
        let (ov, mut flags, mut bytes) = (&raw mut c.overlapped, 0, 0);
        let mut buffer = WSABUF { len: length as u32, buf: c.message.as_mut_ptr() };
        unsafe {
            match step {
                Step::Accepting => {
                    let (accept_ex, size) = (self.accept_ex.unwrap(), ADDRESS as u32);
                    let room = c.addresses.as_mut_ptr().cast();
                    let done =
                        accept_ex(self.listener, c.socket, room, 0, size, size, &mut bytes, ov);
                    accepted(done != 0, "AcceptEx");
                }
                Step::Receiving => {
                    let buffer = &raw mut buffer;
                    let done = WSARecv(c.socket, buffer, 1, null_mut(), &mut flags, ov, None);
                    accepted(done == 0, "WSARecv");
                }
                Step::Sending => {
                    let done = WSASend(c.socket, &raw mut buffer, 1, null_mut(), 0, ov, None);
                    accepted(done == 0, "WSASend");
                }
                Step::Disconnecting => {
                    let done = self.disconnect_ex.unwrap()(c.socket, ov, TF_REUSE_SOCKET, 0);
                    accepted(done != 0, "DisconnectEx");
                }
            }
        }
    }

    /// What comes behind an operation that is over. True if a handle has been recycled.
    fn go_on(&self, c: &mut Connection, bytes: usize) -> bool {
        match c.step {
            Step::Accepting => {
                let (level, option) = (SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT);
                let listener = (&raw const self.listener).cast();
                let size = size_of::<SOCKET>() as i32;
                let result = unsafe { setsockopt(c.socket, level, option, listener, size) };
                check(result == 0, "SO_UPDATE_ACCEPT_CONTEXT");
                self.start(c, Step::Receiving, MESSAGE);
            }
            Step::Receiving if bytes > 0 => self.start(c, Step::Sending, bytes),
            Step::Receiving => self.start(c, Step::Disconnecting, 0),
            Step::Sending => self.start(c, Step::Receiving, MESSAGE),
            Step::Disconnecting => {
                self.start(c, Step::Accepting, 0);
                return true;
            }
        }
        false
    }

    /// Serves that many connections.
    fn serve(&self, connections: usize) {
        for _ in 0..POOL {
            let mut c: Box<Connection> = Box::new(unsafe { zeroed() });
            c.socket = open();
            self.tie(c.socket);
            self.start(Box::leak(c), Step::Accepting, 0); // the system's until the process ends
        }
        let mut served = 0;
        while served < connections {
            let (mut bytes, mut key, mut overlapped) = (0, 0, null_mut());
            let good = unsafe {
                let (bytes, key) = (&mut bytes, &mut key);
                GetQueuedCompletionStatus(self.port, bytes, key, &mut overlapped, INFINITE)
            };
            check(good != 0, "an operation");
            let connection = unsafe { &mut *overlapped.cast::<Connection>() };
            served += usize::from(self.go_on(connection, bytes as usize));
        }
    }
}

/// Connects so many times, and compares what comes back.
fn visit(port: u16, times: usize) {
    for turn in 0..times {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connect");
        let (message, mut echo) = ([turn as u8; MESSAGE], [0; MESSAGE]);
        stream.write_all(&message).expect("send");
        stream.read_exact(&mut echo).expect("receive");
        assert_eq!(message, echo);
    }
}

fn main() {
    let asked = std::env::args().nth(1).map(|it| it.parse().expect("a number of connections"));
    let each = asked.unwrap_or(20_000) / CLIENTS;
    let mut data: WSADATA = unsafe { zeroed() };
    assert_eq!(unsafe { WSAStartup(0x0202, &mut data) }, 0, "WSAStartup");
    let (server, port) = Server::listen();
    let clients: Vec<_> = (0..CLIENTS).map(|_| thread::spawn(move || visit(port, each))).collect();
    server.serve(each * CLIENTS);
    clients.into_iter().for_each(|it| it.join().expect("a client"));
    println!("{} connections, {POOL} handles, 0 failures", each * CLIENTS);
}

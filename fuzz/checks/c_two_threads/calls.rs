//! What one of the threads does.

use std::ptr::null_mut;
use std::sync::Arc;

use linsock_c::abi::{INVALID_SOCKET, SOCKET, WSABUF};
use linsock_c::kernel32::io::{CancelIo, CancelIoEx};
use linsock_c::mswsock::{AcceptEx, ConnectEx, DisconnectEx};
use linsock_c::winsock2::connection::{
    accept, closesocket, getpeername, getsockname, listen, shutdown,
};
use linsock_c::winsock2::disconnect::{WSARecvDisconnect, WSASendDisconnect};
use linsock_c::winsock2::events::{WSAEnumNetworkEvents, WSAEventSelect};
use linsock_c::winsock2::option::{getsockopt, setsockopt};
use linsock_c::winsock2::transfer::{WSAGetOverlappedResult, WSARecv, WSASend, recv, send};

use super::{EXTRA_MAX, Stage};
use crate::c::operations::{Operations, Outcome, Told, fresh};
use crate::c::sockets::{self, call, error};

/// What a send that waits sends.
static BULK: [u8; 1 << 16] = [7; 1 << 16];

const SOL_SOCKET: i32 = 0xFFFF;
const SO_UPDATE_ACCEPT_CONTEXT: i32 = 0x700B;
const SO_UPDATE_CONNECT_CONTEXT: i32 = 0x7010;
/// SO_ERROR, SO_CONNECT_TIME, SO_LINGER, SO_KEEPALIVE, SO_RCVBUF, SO_ACCEPTCONN.
const ASKED: [i32; 6] = [0x1007, 0x700C, 0x0080, 0x0008, 0x1002, 0x0002];
/// Room for any two addresses in a buffer of AcceptEx.
const AREA: u32 = 128;

/// The memory of one operation, which stays until everything is over.
struct Slot {
    overlapped: Box<[u64; 4]>,
    data: Box<[u8; 3 * AREA as usize]>,
}

pub(crate) struct Memory(Vec<Slot>);

pub(crate) struct Worker {
    stage: Arc<Stage>,
    pub(crate) operations: Operations,
    pub(crate) memory: Memory,
}

/// An OVERLAPPED, and memory for data.
#[derive(Clone, Copy)]
struct Given {
    overlapped: *mut u8,
    data: *mut u8,
}

impl Worker {
    pub(crate) fn new(stage: Arc<Stage>) -> Self {
        Self { stage, operations: Operations::default(), memory: Memory(Vec::new()) }
    }

    pub(crate) fn work(&mut self, script: &[u8]) {
        for step in script {
            sockets::forget_error();
            self.step(step & 15, step >> 4);
        }
    }

    fn step(&mut self, what: u8, how: u8) {
        let s = self.stage.handle;
        match what {
            0 => self.receive(s),
            1 => self.send(s, if how & 1 == 0 { 1 } else { BULK.len() }),
            2 => self.disconnect(s, how & 1 != 0),
            3 => self.connect(how & 1 != 0),
            4 => self.accept_with(how & 1 != 0),
            5 => self.cancel(s, how),
            6 => ended(call!(shutdown(s, i32::from(how % 3))) != 0),
            7 if how < 4 => ended(call!(closesocket(s)) != 0),
            7 | 8 => self.ask(s, how),
            9 => self.transfer_now(s, how),
            10 => self.say_goodbye(s, how),
            11 => self.operations.drain(self.stage.port, u32::from(how / 8)),
            12 => self.act_as_peer(how),
            13 => self.poll(s, how),
            14 => self.begin_something(s, how),
            _ => (0..how).for_each(|_| std::thread::yield_now()),
        }
    }

    fn given(&mut self) -> Given {
        let mut slot = Slot { overlapped: Box::new([0; 4]), data: Box::new([0; 384]) };
        for (word, octets) in slot.overlapped.iter_mut().zip(fresh(0).chunks(8)) {
            *word = u64::from_ne_bytes(octets.try_into().expect("eight octets"));
        }
        self.memory.0.push(slot);
        let slot = self.memory.0.last_mut().expect("it was just added");
        Given { overlapped: slot.overlapped.as_mut_ptr().cast(), data: slot.data.as_mut_ptr() }
    }

    /// An overlapped call has returned.
    fn note(&mut self, given: Given, failed: bool, socket: SOCKET) {
        let outcome = match failed.then(error) {
            None => Outcome::Done,
            Some(sockets::IO_PENDING) => Outcome::Pending,
            Some(why) => Outcome::Refused(why),
        };
        let told = match self.stage.port {
            0 => Told::Nobody,
            _ if outcome == Outcome::Done && self.stage.skips_port => Told::Nobody,
            port => Told::Packet(port),
        };
        self.operations.note(given.overlapped, socket, outcome, told);
    }

    fn receive(&mut self, s: SOCKET) {
        let given = self.given();
        let buffer = WSABUF { len: 64, buf: given.data };
        let (mut flags, none, ov) = (0, null_mut(), given.overlapped.cast());
        let result = call!(WSARecv(s, &raw const buffer, 1, none, &raw mut flags, ov, None));
        self.note(given, result != 0, s);
    }

    fn send(&mut self, s: SOCKET, len: usize) {
        let given = self.given();
        let len = u32::try_from(len).unwrap_or(0);
        let buffer = WSABUF { len, buf: BULK.as_ptr().cast_mut() };
        let (none, ov) = (null_mut(), given.overlapped.cast());
        let result = call!(WSASend(s, &raw const buffer, 1, none, 0, ov, None));
        self.note(given, result != 0, s);
    }

    fn disconnect(&mut self, s: SOCKET, reuse: bool) {
        let given = self.given();
        let flags = if reuse { 2 } else { 0 };
        let result = call!(DisconnectEx(s, given.overlapped.cast(), flags, 0));
        self.note(given, result == 0, s);
    }

    fn connect(&mut self, with_data: bool) {
        let (given, s) = (self.given(), self.stage.handle);
        sockets::bind_to(s, &self.stage.flavour.loopback());
        let at = &self.stage.at;
        let (name, len, sent) = (at.as_ptr(), sockets::len_of(at), u32::from(with_data));
        let (none, ov) = (null_mut(), given.overlapped.cast());
        let result = call!(ConnectEx(s, name, len, given.data, sent, none, ov));
        self.note(given, result == 0, s);
    }

    /// AcceptEx with the handle: as the listener, or as the one that accepts.
    fn accept_with(&mut self, listens: bool) {
        let given = self.given();
        let (listener, acceptor) = match listens {
            true => (self.stage.handle, self.open()),
            false => (self.stage.listener, self.stage.handle),
        };
        let (receive, ov) = (0, given.overlapped.cast());
        let (at, none) = (given.data, null_mut());
        let result = call!(AcceptEx(listener, acceptor, at, receive, AREA, AREA, none, ov));
        self.note(given, result == 0, listener);
    }

    /// Another socket, if there are not too many.
    fn open(&self) -> SOCKET {
        let mut extra = self.stage.extra();
        if extra.len() >= EXTRA_MAX {
            return INVALID_SOCKET;
        }
        let Some(s) = sockets::open(self.stage.flavour) else { return INVALID_SOCKET };
        extra.push(s);
        s
    }

    fn cancel(&self, s: SOCKET, how: u8) {
        let last =
            self.memory.0.last().map_or(null_mut(), |slot| slot.overlapped.as_ptr().cast_mut());
        let done = match how % 4 {
            0 => call!(CancelIo(s)),
            1 => call!(CancelIoEx(s, last.cast())),
            _ => call!(CancelIoEx(s, null_mut())),
        };
        ended(done == 0);
    }

    fn ask(&self, s: SOCKET, how: u8) {
        let (mut octets, mut len) = ([0; 128], 128);
        let (at, room) = (octets.as_mut_ptr(), &raw mut len);
        let name = ASKED[usize::from(how) % ASKED.len()];
        let context = self.stage.listener.to_ne_bytes();
        let update = [SO_UPDATE_ACCEPT_CONTEXT, SO_UPDATE_CONNECT_CONTEXT][usize::from(how & 1)];
        ended(
            match how % 8 {
                0..=3 => call!(getsockopt(s, SOL_SOCKET, name, at, room)),
                4 => call!(getsockname(s, at, room)),
                5 => call!(getpeername(s, at, room)),
                _ => call!(setsockopt(s, SOL_SOCKET, update, context.as_ptr(), 8)),
            } != 0,
        );
    }

    fn transfer_now(&mut self, s: SOCKET, how: u8) {
        let mut octets = [0; 64];
        let count = match how % 4 {
            0 => call!(recv(s, octets.as_mut_ptr(), 64, 0)),
            1 => call!(send(s, octets.as_ptr(), 64, 0)),
            2 => call!(send(s, BULK.as_ptr(), 1 << 16, 0)),
            _ => call!(recv(s, octets.as_mut_ptr(), 64, 2)),
        };
        ended(count < 0);
    }

    fn say_goodbye(&self, s: SOCKET, how: u8) {
        let none = null_mut();
        ended(
            match how & 1 {
                0 => call!(WSASendDisconnect(s, none)),
                _ => call!(WSARecvDisconnect(s, none)),
            } != 0,
        );
    }

    /// The other end, or somebody who connects.
    fn act_as_peer(&mut self, how: u8) {
        let peer = self.stage.peer;
        let mut octets = [0; 4096];
        match how % 8 {
            0 => ended(call!(send(peer, octets.as_ptr(), 100, 0)) < 0),
            1 => ended(call!(send(peer, octets.as_ptr(), 1, 0)) < 0),
            2 | 3 => ended(call!(recv(peer, octets.as_mut_ptr(), 4096, 0)) < 0),
            4 => ended(call!(shutdown(peer, 1)) != 0),
            5 => {
                sockets::set_linger(peer, how > 8);
                ended(call!(closesocket(peer)) != 0);
            }
            6 => sockets::connect_to(self.open(), &self.stage.at),
            _ => self.accept_now(),
        }
    }

    fn accept_now(&self) {
        let accepted = call!(accept(self.stage.listener, null_mut(), null_mut()));
        if accepted != INVALID_SOCKET {
            self.stage.extra().push(accepted);
        }
    }

    fn poll(&self, s: SOCKET, how: u8) {
        let (event, mut taken) = (self.stage.event, [0; 44]);
        ended(
            match how % 8 {
                0..=2 => {
                    sockets::wait_for(s, sockets::POLLRDNORM | sockets::POLLWRNORM, 0);
                    return;
                }
                3 | 4 => return self.ask_result(s),
                5 => call!(WSAEventSelect(s, event, 0x3F)),
                6 => call!(WSAEventSelect(s, 0, 0)),
                _ => call!(WSAEnumNetworkEvents(s, event, taken.as_mut_ptr())),
            } != 0,
        );
    }

    fn ask_result(&self, s: SOCKET) {
        let (mut bytes, mut flags) = (0, 0);
        let Some(last) = self.memory.0.last() else { return };
        let at = last.overlapped.as_ptr().cast_mut().cast();
        call!(WSAGetOverlappedResult(s, at, &raw mut bytes, 0, &raw mut flags));
    }

    fn begin_something(&self, s: SOCKET, how: u8) {
        match how % 4 {
            0 => sockets::connect_to(s, &self.stage.at),
            1 => ended(!sockets::bind_to(s, &self.stage.flavour.loopback())),
            2 => ended(call!(listen(s, 4)) != 0),
            _ => ended(call!(listen(self.stage.listener, 4)) != 0),
        }
    }
}

/// A call has returned. One that failed says why.
fn ended(failed: bool) {
    if failed {
        error();
    }
}

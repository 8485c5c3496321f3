//! send and recv and their kin, overlapped or not.

use std::cmp::Ordering;

use linsock_c::abi::{SOCKET, WSABUF};
use linsock_c::winsock2::datagram::{WSARecvFrom, WSASendTo, recvfrom, sendto};
use linsock_c::winsock2::transfer::{WSARecv, WSASend, recv, send};

use super::{Effect, Given, Run, Step, outcome};
use crate::c::memory::{BULK, Lent, Use};
use crate::c::operations::routine;
use crate::c::sockets::call;

pub(crate) const STEPS: &[Step] = &[
    send_it,
    recv_it,
    send_it_to,
    recv_it_from,
    send_buffers,
    recv_buffers,
    send_buffers_to,
    recv_buffers_from,
    send_buffers,
    recv_buffers,
];

/// OOB, PEEK, DONTROUTE, WAITALL, PUSH_IMMEDIATE, PARTIAL.
const FLAGS: &[u32] = &[1, 2, 4, 8, 0x20, 0x8000];
const BUFFERS_MAX: usize = 3;

pub(crate) type Routine =
    Option<unsafe extern "system" fn(u32, u32, *mut linsock::iocp::overlapped::Overlapped, u32)>;

impl Run<'_> {
    /// Memory to send from.
    pub(crate) fn outgoing(&mut self) -> Lent {
        match self.script.below(16) {
            0..=11 => {
                let octets = self.script.octets();
                self.memory.lend(&mut self.script, octets, Use::Read)
            }
            12 => {
                let octets = [7; 3000];
                self.memory.lend(&mut self.script, &octets, Use::Read)
            }
            13 => {
                // TODO: a send of memory with a hole is refused when what is in front of the hole
                // has been sent (winsock/src/socket/transfer.rs, `try_send`).
                self.intact = None;
                let front = self.script.below(200);
                let (at, len) = self.memory.holed(front);
                Lent { at, told: u32::try_from(len).unwrap_or(0) }
            }
            _ => Lent { at: self.memory.bulk(), told: u32::try_from(BULK).unwrap_or(0) },
        }
    }

    /// Memory to receive into.
    pub(crate) fn incoming(&mut self) -> Lent {
        if self.script.rarely(16) {
            let (at, len) = self.memory.holed(20);
            return Lent { at, told: u32::try_from(len).unwrap_or(0) };
        }
        let len = self.script.pick(&[16, 0, 1, 100, 2000]);
        self.memory.room(&mut self.script, len)
    }

    fn wsabuf(&mut self, purpose: Use) -> [u8; size_of::<WSABUF>()] {
        let lent = if purpose == Use::Read { self.outgoing() } else { self.incoming() };
        let mut octets = [0; size_of::<WSABUF>()];
        octets[..4].copy_from_slice(&lent.told.to_ne_bytes());
        octets[8..].copy_from_slice(&lent.at.addr().to_ne_bytes());
        octets
    }

    /// A single WSABUF, whose length a call may write; mostly none.
    pub(crate) fn one_wsabuf(&mut self, purpose: Use) -> *mut WSABUF {
        if self.script.rarely(3) {
            let octets = self.wsabuf(purpose);
            return self.memory.pointer(&mut self.script, &octets, Use::Write).cast();
        }
        std::ptr::null_mut()
    }

    /// An array of WSABUF, and how many there are.
    pub(crate) fn wsabufs(&mut self, purpose: Use) -> (*const WSABUF, u32) {
        let count = 1 + self.script.below(BUFFERS_MAX);
        let octets: Vec<u8> = (0..count).flat_map(|_| self.wsabuf(purpose)).collect();
        let array = self.memory.lend(&mut self.script, &octets, Use::Read);
        let told = match (array.told as usize).cmp(&octets.len()) {
            Ordering::Equal => u32::try_from(count).unwrap_or(0),
            Ordering::Less => array.told / 16,
            Ordering::Greater => array.told,
        };
        (array.at.cast(), told)
    }

    /// An OVERLAPPED and a routine for a transfer. One on a socket that is not for overlapped I/O
    /// waits for its end.
    pub(crate) fn given_for_transfer(&mut self, s: SOCKET) -> (Given, Routine) {
        let given = self.overlapped();
        let with_routine: Routine = self.script.rarely(6).then_some(routine);
        let waits = self.handles.find(s).is_some_and(|entry| !entry.overlapped && entry.reached);
        let none = Given { at: std::ptr::null_mut(), is_good: false, event: 0 };
        if waits || self.script.rarely(8) { (none, None) } else { (given, with_routine) }
    }

    pub(crate) fn place_for_count(&mut self) -> *mut u32 {
        self.memory.place_for(&mut self.script, 4).cast()
    }

    pub(crate) fn flags_in_memory(&mut self) -> *mut u32 {
        let flags = self.script.flags(FLAGS);
        self.memory.number(&mut self.script, flags).cast()
    }

    fn plain_flags(&mut self) -> i32 {
        self.script.flags(FLAGS).cast_signed()
    }
}

fn send_it(run: &mut Run<'_>) {
    let (s, data, flags) = (run.socket(), run.outgoing(), run.plain_flags());
    let sent = call!(send(s, data.at, data.told_signed(), flags));
    run.after(s, outcome(sent == -1), Effect::Changes);
    assert!(sent <= data.told_signed().max(0), "{sent} octets of {}", data.told_signed());
}

fn recv_it(run: &mut Run<'_>) {
    let (s, data, flags) = (run.socket(), run.incoming(), run.plain_flags());
    let received = call!(recv(s, data.at, data.told_signed(), flags));
    run.after(s, outcome(received == -1), Effect::Changes);
    assert!(received <= data.told_signed().max(0), "{received} octets");
}

fn send_it_to(run: &mut Run<'_>) {
    let (s, data, flags) = (run.socket(), run.outgoing(), run.plain_flags());
    let address = run.target_address(s);
    let to = run.lend_address(&address);
    let sent = call!(sendto(s, data.at, data.told_signed(), flags, to.at, to.told_signed()));
    run.after(s, outcome(sent == -1), Effect::Changes);
    run.note_reached(s);
}

fn recv_it_from(run: &mut Run<'_>) {
    let (s, data, flags) = (run.socket(), run.incoming(), run.plain_flags());
    let (from, len) = run.room_for_address();
    let received = call!(recvfrom(s, data.at, data.told_signed(), flags, from, len));
    run.after(s, outcome(received == -1), Effect::Changes);
}

fn send_buffers(run: &mut Run<'_>) {
    let (s, (buffers, count)) = (run.socket(), run.wsabufs(Use::Read));
    let (sent, flags) = (run.place_for_count(), run.script.flags(FLAGS));
    let (given, routine) = run.given_for_transfer(s);
    let result = call!(WSASend(s, buffers, count, sent, flags, given.at.cast(), routine));
    run.after_operation(s, given, routine.is_some(), outcome(result != 0), Effect::Changes);
}

fn recv_buffers(run: &mut Run<'_>) {
    let (s, (buffers, count)) = (run.socket(), run.wsabufs(Use::Write));
    let (got, flags) = (run.place_for_count(), run.flags_in_memory());
    let (given, routine) = run.given_for_transfer(s);
    let result = call!(WSARecv(s, buffers, count, got, flags, given.at.cast(), routine));
    run.after_operation(s, given, routine.is_some(), outcome(result != 0), Effect::Changes);
}

fn send_buffers_to(run: &mut Run<'_>) {
    let (s, (buffers, count)) = (run.socket(), run.wsabufs(Use::Read));
    let (sent, flags) = (run.place_for_count(), run.script.flags(FLAGS));
    let address = run.target_address(s);
    let to = run.lend_address(&address);
    let (given, routine) = run.given_for_transfer(s);
    let (ov, len) = (given.at.cast(), to.told_signed());
    let result = call!(WSASendTo(s, buffers, count, sent, flags, to.at, len, ov, routine));
    run.after_operation(s, given, routine.is_some(), outcome(result != 0), Effect::Changes);
    run.note_reached(s);
}

fn recv_buffers_from(run: &mut Run<'_>) {
    let (s, (buffers, count)) = (run.socket(), run.wsabufs(Use::Write));
    let (got, flags) = (run.place_for_count(), run.flags_in_memory());
    let (from, len) = run.room_for_address();
    let (given, routine) = run.given_for_transfer(s);
    let ov = given.at.cast();
    let result = call!(WSARecvFrom(s, buffers, count, got, flags, from, len, ov, routine));
    run.after_operation(s, given, routine.is_some(), outcome(result != 0), Effect::Changes);
}

//! WSASendMsg and WSARecvMsg with control messages of every kind; WSARecvEx; ReadFile and
//! WriteFile; GetOverlappedResultEx.

use linsock_c::kernel32::file_io::{GetOverlappedResultEx, ReadFile, WriteFile};
use linsock_c::winsock2::message::{WSAMSG, WSARecvMsg, WSASendMsg};
use linsock_c::winsock2::transfer::WSARecvEx;

use super::{Effect, Run, Step, outcome};
use crate::c::memory::{Lent, Use};
use crate::c::sockets::call;

pub(crate) const STEPS: &[Step] =
    &[send_message, recv_message, recv_ex, read_file, write_file, ask_result_within];

/// PEEK, OOB, TRUNC.
const FLAGS: &[u32] = &[2, 1, 0x100];
/// Octets of WSACMSGHDR.
const HEADER: usize = 16;

/// A structure of words and addresses at their places.
fn structure<const N: usize>(parts: &[(usize, &[u8])]) -> [u8; N] {
    let mut octets = [0; N];
    for (at, part) in parts {
        octets[*at..*at + part.len()].copy_from_slice(part);
    }
    octets
}

impl Run<'_> {
    /// A control message, whose length may be a lie.
    fn control_message(&mut self) -> Vec<u8> {
        let (level, kind) = (self.script.pick(&[0, 41, 0, 41, -1]), self.script.pick(&[19, 19, 4]));
        let data = if self.script.rarely(4) { self.script.octets().len() } else { 8 };
        let data = if level == 41 && data == 8 { 20 } else { data };
        let len = match self.script.below(8) {
            0..=4 => HEADER + data,
            5 => usize::from(self.script.octet()),
            6 => (HEADER + data) | 1 << self.script.below(64),
            _ => usize::MAX - self.script.below(16),
        };
        let mut octets = len.to_ne_bytes().to_vec();
        octets.extend([level, kind].map(i32::to_ne_bytes).concat());
        octets.extend((0..data).map(|_| self.script.octet()));
        octets.resize(octets.len().next_multiple_of(8), 0);
        octets
    }

    fn control(&mut self, purpose: Use) -> Lent {
        if purpose == Use::Write {
            let room = self.script.pick(&[0, 40, 24, 36, 16, 100]);
            return self.memory.room(&mut self.script, room);
        }
        let count = self.script.pick(&[0, 1, 2]);
        let octets: Vec<u8> = (0..count).flat_map(|_| self.control_message()).collect();
        self.memory.lend(&mut self.script, &octets, Use::Read)
    }

    /// A WSAMSG, and what it points at.
    fn message(&mut self, name: Lent, purpose: Use) -> *mut WSAMSG {
        let (buffers, count) = self.wsabufs(purpose);
        let (control, flags) = (self.control(purpose), self.script.flags(FLAGS));
        let octets = structure::<{ size_of::<WSAMSG>() }>(&[
            (0, &name.at.addr().to_ne_bytes()),
            (8, &name.told.to_ne_bytes()),
            (16, &buffers.addr().to_ne_bytes()),
            (24, &count.to_ne_bytes()),
            (32, &control.told.to_ne_bytes()),
            (40, &control.at.addr().to_ne_bytes()),
            (48, &flags.to_ne_bytes()),
        ]);
        self.memory.pointer(&mut self.script, &octets, Use::Write).cast()
    }
}

fn send_message(run: &mut Run<'_>) {
    let s = run.socket();
    let address = run.target_address(s);
    let name = run.lend_address(&address);
    let message = run.message(name, Use::Read);
    let (sent, flags) = (run.place_for_count(), run.script.flags(FLAGS));
    let (given, routine) = run.given_for_transfer(s);
    let result = call!(WSASendMsg(s, message, flags, sent, given.at.cast(), routine));
    run.after_operation(s, given, routine.is_some(), outcome(result != 0), Effect::Changes);
    run.note_reached(s);
}

fn recv_message(run: &mut Run<'_>) {
    let s = run.socket();
    let name = run.memory.room(&mut run.script, 28);
    let message = run.message(name, Use::Write);
    let got = run.place_for_count();
    let (given, routine) = run.given_for_transfer(s);
    let result = call!(WSARecvMsg(s, message, got, given.at.cast(), routine));
    run.after_operation(s, given, routine.is_some(), outcome(result != 0), Effect::Changes);
}

fn recv_ex(run: &mut Run<'_>) {
    let (s, data, flags) = (run.socket(), run.incoming(), run.flags_in_memory());
    let received = call!(WSARecvEx(s, data.at, data.told_signed(), flags.cast()));
    run.after(s, outcome(received == -1), Effect::Changes);
    assert!(received <= data.told_signed().max(0), "{received} octets");
}

fn read_file(run: &mut Run<'_>) {
    let (s, data, got) = (run.socket(), run.incoming(), run.place_for_count());
    let (given, _) = run.given_for_transfer(s);
    let read = call!(ReadFile(s, data.at, data.told, got, given.at.cast()));
    run.after_operation(s, given, false, outcome(read == 0), Effect::Changes);
}

fn write_file(run: &mut Run<'_>) {
    let (s, data, sent) = (run.socket(), run.outgoing(), run.place_for_count());
    let (given, _) = run.given_for_transfer(s);
    let written = call!(WriteFile(s, data.at, data.told, sent, given.at.cast()));
    run.after_operation(s, given, false, outcome(written == 0), Effect::Changes);
}

fn ask_result_within(run: &mut Run<'_>) {
    let (s, overlapped) = (run.socket(), run.some_overlapped());
    let bytes = run.place_for_count();
    let alertable = i32::from(run.script.octet() & 1);
    let told = call!(GetOverlappedResultEx(s, overlapped.cast(), bytes, 0, alertable));
    run.after_pair(s, outcome(told == 0), Effect::None);
}

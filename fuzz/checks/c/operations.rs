//! The overlapped operations of a run, and what is told of each: exactly once what it asked for, or
//! nothing when its call was refused.

use std::cell::RefCell;
use std::collections::HashMap;

use linsock::iocp::overlapped::Overlapped;
use linsock_c::abi::{HANDLE, OVERLAPPED_ENTRY};
use linsock_c::kernel32::clock::SleepEx;
use linsock_c::kernel32::io::GetQueuedCompletionStatusEx;

use super::memory::read;
use super::sockets::{call, eventually};

/// Octets of an OVERLAPPED.
pub(crate) const SIZE: usize = 32;
/// `Internal` and `InternalHigh` before an operation: what no operation leaves there.
const BEFORE: u64 = 0x5A5A_5A5A_0000_0001;
const STATUS_PENDING: u64 = 0x103;

/// What tells a program that an operation is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Only the OVERLAPPED, and an event.
    Nobody,
    /// A packet, at this port.
    Packet(HANDLE),
    /// A packet or none: its socket was given a port while it was in progress.
    PerhapsPacket,
    /// The completion routine.
    Routine,
}

/// How a call that could be overlapped ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    Pending,
    Refused(u32),
}

impl Outcome {
    pub(crate) const fn is_refused(self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

struct Operation {
    at: usize,
    socket: usize,
    pending: bool,
    /// What an operation does not change: Offset, OffsetHigh, hEvent.
    rest: Vec<u8>,
    told: Told,
}

/// All of a run's.
#[derive(Default)]
pub(crate) struct Operations {
    accepted: Vec<Operation>,
    refused: Vec<usize>,
    packets: HashMap<usize, u32>,
    /// Ports that are closed, with the packets that they had.
    closed_ports: Vec<HANDLE>,
}

thread_local! {
    /// How often the completion routine was called, by OVERLAPPED.
    static ROUTINES: RefCell<HashMap<usize, u32>> = RefCell::default();
}

/// The completion routine.
pub(crate) unsafe extern "system" fn routine(_: u32, _: u32, at: *mut Overlapped, _: u32) {
    ROUTINES.with_borrow_mut(|counts| *counts.entry(at.addr()).or_default() += 1);
}

/// An OVERLAPPED before its operation.
pub(crate) fn fresh(event: usize) -> [u8; SIZE] {
    let mut octets = [0; SIZE];
    octets[..8].copy_from_slice(&BEFORE.to_ne_bytes());
    octets[8..16].copy_from_slice(&BEFORE.to_ne_bytes());
    octets[16..24].fill(0x11);
    octets[24..].copy_from_slice(&event.to_ne_bytes());
    octets
}

fn word(octets: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(octets[at..at + 8].try_into().expect("eight octets"))
}

impl Operations {
    /// A call with the OVERLAPPED at `at`, which was [`fresh`], has returned.
    pub(crate) fn note(&mut self, at: *const u8, socket: usize, outcome: Outcome, told: Told) {
        let rest = read(at.wrapping_add(16), 16);
        let pending = outcome == Outcome::Pending;
        // What is in progress may be over at any moment.
        let begin = if pending { vec![0; 16] } else { read(at, 16) };
        let (internal, high) = (word(&begin, 0), word(&begin, 8));
        let at = at.addr();
        if outcome.is_refused() {
            let unstarted = [BEFORE, STATUS_PENDING].contains(&internal);
            assert!(unstarted && high == BEFORE, "refused, and Internal is {internal:#x}");
            self.refused.push(at);
            return;
        }
        if outcome == Outcome::Done {
            assert_ne!(internal, STATUS_PENDING, "done, and not over");
        }
        self.accepted.push(Operation { at, socket, pending, rest, told });
    }

    /// Takes in the operations of another thread.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.accepted.extend(other.accepted);
        self.refused.extend(other.refused);
        for (overlapped, count) in other.packets {
            *self.packets.entry(overlapped).or_default() += count;
        }
    }

    /// A socket was given a port: what is in progress on it may tell that.
    pub(crate) fn note_association(&mut self, socket: usize) {
        let waiting =
            |one: &&mut Operation| one.socket == socket && one.pending && one.told == Told::Nobody;
        for operation in self.accepted.iter_mut().filter(waiting) {
            operation.told = Told::PerhapsPacket;
        }
    }

    pub(crate) fn note_closed_port(&mut self, port: HANDLE) {
        self.closed_ports.push(port);
    }

    /// A packet was taken.
    pub(crate) fn note_packet(&mut self, overlapped: usize) {
        *self.packets.entry(overlapped).or_default() += 1;
    }

    pub(crate) fn packets_of(&self, overlapped: usize) -> u32 {
        self.packets.get(&overlapped).copied().unwrap_or(0)
    }

    /// OVERLAPPEDs that calls have been given, for calls that look at one.
    pub(crate) fn known(&self) -> Vec<usize> {
        self.accepted.iter().map(|one| one.at).chain(self.refused.iter().copied()).collect()
    }

    /// Takes what there is at a port, and what comes while it waits.
    pub(crate) fn drain(&mut self, port: HANDLE, ms: u32) {
        let none = OVERLAPPED_ENTRY {
            lpCompletionKey: 0,
            lpOverlapped: 0,
            Internal: 0,
            dwNumberOfBytesTransferred: 0,
        };
        let (mut entries, mut count) = ([none; 16], 0_u32);
        let at = entries.as_mut_ptr();
        while call!(GetQueuedCompletionStatusEx(port, at, 16, &raw mut count, ms, 0)) != 0 {
            for entry in &entries[..count as usize] {
                self.note_packet(entry.lpOverlapped);
            }
        }
    }

    /// Every socket is closed: everything is over, and was told once.
    pub(crate) fn hold_at_the_end(&mut self, ports: &[HANDLE]) {
        // Another thread may be about to tell.
        eventually(|| {
            ports.iter().for_each(|port| self.drain(*port, 0));
            while call!(SleepEx(0, 1)) != 0 {}
            self.accepted.iter().all(|one| self.missing(one) == 0).then_some(())
        });
        for operation in &self.accepted {
            let now = read(std::ptr::with_exposed_provenance(operation.at), SIZE);
            let over = ![BEFORE, STATUS_PENDING].contains(&word(&now, 0));
            assert!(over, "Internal is {:#x} after the close", word(&now, 0));
            assert_eq!(now[16..], operation.rest, "what is the program's in an OVERLAPPED");
            assert_eq!(self.missing(operation), 0, "{:?} not once", operation.told);
        }
        for at in &self.refused {
            assert_eq!(self.counts(*at), (0, 0), "a refused call was told of");
        }
        ROUTINES.with_borrow_mut(HashMap::clear);
    }

    /// How often a packet told of an OVERLAPPED, and a routine.
    fn counts(&self, at: usize) -> (u32, u32) {
        let routines = ROUTINES.with_borrow(|counts| counts.get(&at).copied().unwrap_or(0));
        (self.packets_of(at), routines)
    }

    /// How far what was told of an operation is from what it asked for.
    fn missing(&self, operation: &Operation) -> u32 {
        let (packets, routines) = self.counts(operation.at);
        match operation.told {
            Told::Nobody => packets + routines,
            Told::Packet(port) if self.closed_ports.contains(&port) => {
                packets.saturating_sub(1) + routines
            }
            Told::Packet(_) => packets.abs_diff(1) + routines,
            Told::PerhapsPacket => packets.saturating_sub(1) + routines,
            Told::Routine => packets + routines.abs_diff(1),
        }
    }
}

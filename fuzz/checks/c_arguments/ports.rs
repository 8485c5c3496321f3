//! Completion ports, cancelling, results; CloseHandle.

use linsock_c::abi::{HANDLE, INVALID_HANDLE_VALUE, OVERLAPPED_ENTRY};
use linsock_c::kernel32::io::{
    CancelIo, CancelIoEx, CreateIoCompletionPort, GetOverlappedResult, GetQueuedCompletionStatus,
    GetQueuedCompletionStatusEx, PostQueuedCompletionStatus, SetFileCompletionNotificationModes,
};
use linsock_c::kernel32::object::CloseHandle;
use linsock_c::winsock2::transfer::WSAGetOverlappedResult;

use super::handles::plain;
use super::{Effect, Run, Step, outcome};
use crate::c::memory::{Use, read};
use crate::c::operations::{Outcome, fresh};
use crate::c::sockets::{call, set_linger};

pub(crate) const STEPS: &[Step] = &[
    new_port,
    associate,
    take_one,
    take_some,
    post,
    set_modes,
    cancel_mine,
    cancel,
    ask_result,
    ask_winsock_for_result,
    close_handle,
];

/// Ports in one run.
const PORTS_MAX: usize = 4;
/// FILE_SKIP_COMPLETION_PORT_ON_SUCCESS.
const SKIP_PORT: u8 = 1;
/// What posted packets have in place of an OVERLAPPED: no address.
const POSTED: usize = 0x7000_0000_0000_0000;
const ENTRIES: usize = 3;

fn new_port(run: &mut Run<'_>) {
    if run.handles.count_ports() < PORTS_MAX {
        let port = call!(CreateIoCompletionPort(INVALID_HANDLE_VALUE, 0, 0, 0));
        assert!(!outcome(port == 0).is_refused(), "a port can be made");
        run.handles.add_port(port);
    }
}

fn associate(run: &mut Run<'_>) {
    let (s, port) = (run.socket(), run.handles.port_or_not(&mut run.script));
    // Without a port it would make one, and give only its handle.
    let given = call!(CreateIoCompletionPort(s, port, 7, 0));
    let associated = outcome(given == 0);
    run.after_pair(s, associated, Effect::None);
    if associated.is_refused() {
        return;
    }
    if !run.handles.is_port(given) {
        run.handles.add_port(given);
    }
    if let Some(entry) = run.handles.find_mut(s) {
        assert_eq!(entry.port, None, "a second port");
        entry.port = Some(plain(given));
        run.operations.note_association(plain(s));
    }
}

fn take_one(run: &mut Run<'_>) {
    let port = run.handles.port_or_not(&mut run.script);
    let mut place = |len: usize| run.memory.place_for(&mut run.script, len);
    let [bytes, key, overlapped] = [place(4), place(8), place(8)];
    let (at, out) = (overlapped.cast::<usize>(), bytes.cast());
    let taken = outcome(call!(GetQueuedCompletionStatus(port, out, key.cast(), at, 0)) == 0);
    let is_good = [(bytes, 4), (key, 8), (overlapped, 8)]
        .iter()
        .all(|(at, len)| run.memory.is_good(*at, *len));
    if !is_good {
        assert!(taken.is_refused(), "a packet went nowhere");
        return;
    }
    let octets = read(overlapped, size_of::<usize>());
    let number = usize::from_ne_bytes(octets.try_into().expect("eight octets"));
    if number != 0 {
        run.operations.note_packet(number);
    }
}

fn take_some(run: &mut Run<'_>) {
    let port = run.handles.port_or_not(&mut run.script);
    let size = size_of::<OVERLAPPED_ENTRY>();
    let entries = run.memory.room(&mut run.script, ENTRIES * size);
    let count = entries.told / u32::try_from(size).unwrap_or(1);
    let removed = run.memory.place_for(&mut run.script, 4);
    let alertable = i32::from(run.script.octet() & 1);
    let (at, out) = (entries.at.cast(), removed.cast());
    let taken = call!(GetQueuedCompletionStatusEx(port, at, count, out, 0, alertable));
    if outcome(taken == 0).is_refused() {
        return;
    }
    let removed = read(removed, 4).try_into().map_or(0, u32::from_ne_bytes);
    assert!(removed >= 1 && removed <= count, "{removed} packets of {count}");
    for entry in read(entries.at, removed as usize * size).chunks(size) {
        let number = entry[8..16].try_into().map_or(0, usize::from_ne_bytes);
        run.operations.note_packet(number);
    }
}

fn post(run: &mut Run<'_>) {
    let port = run.handles.port_or_not(&mut run.script);
    let (bytes, key) = (run.script.number(), run.script.number() as usize);
    let number = POSTED + run.posted.len();
    let posted = outcome(call!(PostQueuedCompletionStatus(port, bytes, key, number)) == 0);
    assert_eq!(posted.is_refused(), !run.handles.is_port(port), "{port:#x}");
    if !posted.is_refused() {
        run.posted.push((number, plain(port)));
    }
}

fn set_modes(run: &mut Run<'_>) {
    let (s, modes) = (run.socket(), run.script.octet() & 7);
    let set = outcome(call!(SetFileCompletionNotificationModes(s, modes)) == 0);
    run.after(s, set, Effect::None);
    if let Some(entry) = run.handles.find_mut(s).filter(|_| !set.is_refused()) {
        entry.skips_port |= modes & SKIP_PORT != 0;
    }
}

fn cancel_mine(run: &mut Run<'_>) {
    let s = run.socket();
    let cancelled = outcome(call!(CancelIo(s)) == 0);
    run.after(s, cancelled, Effect::None);
}

impl Run<'_> {
    /// An OVERLAPPED that an operation has or had; or one that none had, or no memory.
    pub(crate) fn some_overlapped(&mut self) -> *mut u8 {
        let known = self.operations.known();
        if known.is_empty() || self.script.rarely(3) {
            return self.memory.pointer(&mut self.script, &fresh(0), Use::Write);
        }
        std::ptr::with_exposed_provenance_mut(self.script.pick(&known))
    }
}

fn cancel(run: &mut Run<'_>) {
    let (s, overlapped) = (run.socket(), run.some_overlapped());
    let cancelled = outcome(call!(CancelIoEx(s, overlapped.cast())) == 0);
    run.after(s, cancelled, Effect::None);
}

fn ask_result(run: &mut Run<'_>) {
    let (s, overlapped) = (run.socket(), run.some_overlapped());
    let bytes = run.memory.place_for(&mut run.script, 4).cast();
    let told = outcome(call!(GetOverlappedResult(s, overlapped.cast(), bytes, 0)) == 0);
    run.after_pair(s, told, Effect::None);
}

fn ask_winsock_for_result(run: &mut Run<'_>) {
    let (s, overlapped) = (run.socket(), run.some_overlapped());
    let bytes = run.memory.place_for(&mut run.script, 4).cast();
    let flags = run.memory.place_for(&mut run.script, 4).cast();
    let result = call!(WSAGetOverlappedResult(s, overlapped.cast(), bytes, 0, flags));
    run.after(s, outcome(result == 0), Effect::None);
}

fn close_handle(run: &mut Run<'_>) {
    let handle: HANDLE = run.handles.closable(&mut run.script);
    if run.handles.is_socket(handle) {
        // A socket that lingers waits, whatever it is.
        set_linger(handle, run.script.rarely(2));
    }
    let closed = outcome(call!(CloseHandle(handle)) == 0);
    run.after_pair(handle, closed, Effect::Changes);
    if closed == Outcome::Done && run.handles.note_closed(handle) {
        run.operations.note_closed_port(plain(handle));
    }
}

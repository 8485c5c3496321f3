//! Events, waits, select, WSAPoll. No wait has a limit but 0.

use linsock_c::abi::{HANDLE, SOCKET, WSAPOLLFD};
use linsock_c::kernel32::clock::SleepEx;
use linsock_c::kernel32::object::{
    ReleaseMutex, ReleaseSemaphore, ResetEvent, SetEvent, WSACloseEvent, WSACreateEvent,
    WSAResetEvent, WSASetEvent, WSAWaitForMultipleEvents, WaitForMultipleObjects,
    WaitForSingleObjectEx,
};
use linsock_c::kernel32::thread::GetExitCodeThread;
use linsock_c::winsock2::events::{WSAEnumNetworkEvents, WSAEventSelect};
use linsock_c::winsock2::poll::{__WSAFDIsSet, WSAPoll, select};

use super::{Effect, Run, Step, outcome};
use crate::c::memory::{Lent, Use};
use crate::c::sockets::call;

pub(crate) const STEPS: &[Step] = &[
    new_event,
    close_event,
    signal,
    select_events,
    take_events,
    wait_for_many,
    wait_for_one,
    release,
    select_sets,
    is_in_set,
    poll,
    sleep,
];

/// Octets of WSANETWORKEVENTS.
const NETWORK_EVENTS: usize = 44;
/// Events in one run.
const EVENTS_MAX: usize = 8;

fn new_event(run: &mut Run<'_>) {
    if run.handles.events.len() < EVENTS_MAX {
        let event = call!(WSACreateEvent());
        assert!(!outcome(event == 0).is_refused(), "an event can be made");
        run.handles.events.push(event);
    }
}

fn close_event(run: &mut Run<'_>) {
    let event = run.handles.closable(&mut run.script);
    let closed = outcome(call!(WSACloseEvent(event)) == 0);
    run.after_pair(event, closed, Effect::None);
}

fn signal(run: &mut Run<'_>) {
    let event = run.handles.event(&mut run.script);
    let done = match run.script.below(4) {
        0 => call!(WSASetEvent(event)),
        1 => call!(WSAResetEvent(event)),
        2 => call!(SetEvent(event)),
        _ => call!(ResetEvent(event)),
    };
    outcome(done == 0);
}

fn select_events(run: &mut Run<'_>) {
    let (s, event) = (run.socket(), run.handles.event(&mut run.script));
    let events = match run.script.below(4) {
        0 | 1 => i32::from(run.script.octet()),
        2 => 0x3FF,
        _ => run.script.number().cast_signed(),
    };
    let done = outcome(call!(WSAEventSelect(s, event, events)) != 0);
    run.after(s, done, Effect::None);
}

fn take_events(run: &mut Run<'_>) {
    let (s, event) = (run.socket(), run.handles.event(&mut run.script));
    let events = run.memory.place_for(&mut run.script, NETWORK_EVENTS);
    let done = outcome(call!(WSAEnumNetworkEvents(s, event, events)) != 0);
    run.after(s, done, Effect::None);
}

/// How many things a call is told that an array has.
fn count_of(array: Lent, one: usize) -> u32 {
    array.told / u32::try_from(one).unwrap_or(1)
}

fn wait_for_many(run: &mut Run<'_>) {
    let count = 1 + run.script.below(3);
    let handle =
        |_| -> [u8; size_of::<HANDLE>()] { run.handles.event(&mut run.script).to_ne_bytes() };
    let handles: Vec<u8> = (0..count).flat_map(handle).collect();
    let array = run.memory.lend(&mut run.script, &handles, Use::Read);
    let (all, alertable) = (i32::from(run.script.octet() & 1), i32::from(run.script.octet() & 1));
    let (count, at) = (count_of(array, size_of::<HANDLE>()), array.at.cast());
    let ended = match run.script.rarely(2) {
        true => call!(WSAWaitForMultipleEvents(count, at, all, 0, alertable)),
        false => call!(WaitForMultipleObjects(count, at, all, 0)),
    };
    outcome(ended == u32::MAX);
}

fn wait_for_one(run: &mut Run<'_>) {
    let handle = run.handles.event(&mut run.script);
    let alertable = i32::from(run.script.octet() & 1);
    let ended = call!(WaitForSingleObjectEx(handle, 0, alertable));
    outcome(ended == u32::MAX);
}

fn release(run: &mut Run<'_>) {
    let handle = run.handles.closable(&mut run.script);
    let number = run.memory.place_for(&mut run.script, 4);
    let count = run.script.pick(&[1, 0, -1, i32::MAX]);
    let done = match run.script.below(3) {
        0 => call!(ReleaseSemaphore(handle, count, number.cast())),
        1 => call!(ReleaseMutex(handle)),
        _ => call!(GetExitCodeThread(handle, number.cast())),
    };
    outcome(done == 0);
}

impl Run<'_> {
    /// An fd_set; mostly none.
    fn set(&mut self) -> *mut u8 {
        if !self.script.rarely(2) {
            return std::ptr::null_mut();
        }
        let count = self.script.below(4);
        let sockets: Vec<SOCKET> = (0..count).map(|_| self.socket()).collect();
        let told = match self.script.below(12) {
            0 => u32::MAX,
            1 => 5,
            _ => u32::try_from(count).unwrap_or(0),
        };
        let mut octets = u64::from(told).to_ne_bytes().to_vec();
        octets.extend(sockets.iter().flat_map(|s| s.to_ne_bytes()));
        if told as usize > count {
            return self.memory.place_with_less(&octets);
        }
        self.memory.pointer(&mut self.script, &octets, Use::Write)
    }

    /// No time at all; or none that can be.
    fn no_time(&mut self) -> *const i32 {
        let time: [i32; 2] = self.script.pick(&[[0, 0], [0, 0], [0, 0], [-1, 0], [0, -1]]);
        let octets = time.map(i32::to_ne_bytes).concat();
        let at = self.memory.pointer(&mut self.script, &octets, Use::Read);
        // Null is for ever.
        if at.is_null() { self.memory.plain(&octets).cast() } else { at.cast() }
    }
}

fn select_sets(run: &mut Run<'_>) {
    let [read, write, except] = [run.set(), run.set(), run.set()];
    let time = run.no_time();
    let ready = call!(select(0, read, write, except, time));
    outcome(ready == -1);
}

fn is_in_set(run: &mut Run<'_>) {
    let (s, set) = (run.socket(), run.set());
    call!(__WSAFDIsSet(s, set));
}

fn poll(run: &mut Run<'_>) {
    let count = 1 + run.script.below(3);
    let entry = |_| {
        let (fd, wanted) = (run.socket(), run.script.flags(&[0x0100, 0x0200, 0x0010, 0x0310]));
        [&fd.to_ne_bytes()[..], &wanted.to_ne_bytes(), &[0; 4]].concat()
    };
    let entries: Vec<u8> = (0..count).flat_map(entry).collect();
    let array = run.memory.lend(&mut run.script, &entries, Use::Write);
    let count = count_of(array, size_of::<WSAPOLLFD>());
    let ready = call!(WSAPoll(array.at.cast(), count, 0));
    outcome(ready == -1);
}

/// Completion routines are called.
fn sleep(run: &mut Run<'_>) {
    let alertable = i32::from(run.script.octet() & 1);
    call!(SleepEx(0, alertable));
}

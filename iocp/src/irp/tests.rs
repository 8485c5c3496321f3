//! Who is told of the end of an operation, and when.

use std::os::fd::AsFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::event::{PollFd, PollFlags, poll};

use super::*;
use crate::clock::Deadline;
use crate::event::Waitable;
use crate::handle::{Handle, Token};
use crate::overlapped::{Overlapped, tests::lend};
use crate::wait::{self, Waited};

const PENDING: usize = 0x103;
const CANCELLED: usize = 0xC000_0120;
const KEY: usize = 42;

fn file() -> FileCore {
    FileCore::new(Handle::from_value(4).unwrap(), Token::from_value(1))
}

fn internal(overlapped: &Overlapped) -> usize {
    overlapped.internal.load(Ordering::Acquire)
}

/// What is given with an operation.
#[derive(Clone, Copy, Default)]
struct Given {
    event: bool,
    low_bit: bool,
    routine: bool,
}

const NOTHING: Given = Given { event: false, low_bit: false, routine: false };
const EVENT: Given = Given { event: true, ..NOTHING };
const EVENT_LOW: Given = Given { event: true, low_bit: true, ..NOTHING };
const ROUTINE: Given = Given { routine: true, ..NOTHING };
const ROUTINE_EVENT: Given = Given { routine: true, event: true, ..NOTHING };

struct Started {
    irp: Irp,
    overlapped: &'static Overlapped,
    event: Arc<Event>,
    routine_saw: Arc<Mutex<Option<(NtStatus, usize)>>>,
}

/// An operation of the calling thread.
fn start(given: Given) -> Started {
    let (overlapped, ptr) = lend();
    let event = Arc::new(Event::new(true, true));
    let routine_saw = Arc::new(Mutex::new(None));
    let saw = Arc::clone(&routine_saw);
    let routine: Routine = Box::new(move |status, bytes| {
        let before = saw.lock().unwrap().replace((status, bytes));
        assert_eq!(before, None, "once");
    });
    let beside = match given {
        Given { routine: true, .. } => {
            Some(Beside::Routine(Box::new((thread::current(), routine))))
        }
        Given { event: true, .. } => Some(Beside::Event(Arc::clone(&event))),
        _ => None,
    };
    let target = Target::overlapped(ptr, !given.low_bit, beside);
    Started { irp: Irp::new(target, Buffers::empty()), overlapped, event, routine_saw }
}

fn packets(port: &Arc<CompletionPort>) -> Vec<Packet> {
    std::iter::from_fn(|| port.wait_one(Deadline::after_ms(0)).ok()).collect()
}

/// Completes an operation and says who was told: the event, the handle, a packet, an APC.
fn told(given: Given, modes: u8, timing: Timing, is_associated: bool) -> String {
    let (file, port) = (file(), CompletionPort::new(1).unwrap());
    if is_associated {
        file.set_association(&port, KEY).unwrap();
    }
    file.add_modes(modes);
    file.signal().set();
    let Started { mut irp, overlapped, event, routine_saw } = start(given);
    irp.begin(&file);
    assert_eq!(internal(overlapped), PENDING);
    let touched = given.event && !given.routine;
    assert_eq!(event.is_set(), !touched, "reset at the start");
    let resets_handle = !given.event && !given.routine;
    assert_eq!(file.signal().is_set(), !resets_handle, "reset at the start");
    event.reset();
    file.signal().reset();

    let mut after = Deferred::default();
    assert!(irp.target.is_some());
    irp.complete(&file, timing, NtStatus::SUCCESS, 12, &mut after);
    assert!(irp.target.is_none());
    // I4: a spent one tells nobody.
    irp.complete(&file, timing, NtStatus::CANCELLED, 13, &mut after);
    after.run();
    assert_eq!(internal(overlapped), 0);
    assert_eq!(overlapped.internal_high.load(Ordering::Relaxed), 12);

    let mut told = String::new();
    if event.is_set() {
        told.push('E');
    }
    if file.signal().is_set() {
        told.push('H');
    }
    for packet in packets(&port) {
        assert_eq!(packet.key, KEY);
        assert_eq!(packet.overlapped, std::ptr::from_ref(overlapped).addr());
        assert_eq!((packet.status, packet.bytes), (NtStatus::SUCCESS, 12));
        assert!(packet.sink.is_none());
        told.push('P');
    }
    assert_eq!(*routine_saw.lock().unwrap(), None, "not before a wait");
    if wait::sleep(Deadline::after_ms(0), true) == Waited::Alerted {
        let saw = routine_saw.lock().unwrap().take();
        assert_eq!(saw, Some((NtStatus::SUCCESS, 12)));
        told.push('A');
    }
    told
}

const PORT: u8 = SKIP_PORT_ON_SUCCESS;
const HANDLE: u8 = SKIP_SET_EVENT_ON_HANDLE;

/// What is given, the modes, the timing; who is told, on a port.
///
/// Sources: winsock-semantics 1.11 ("Immediate success: packet, unless SKIP", "Pended I/O
/// always queues (also with SKIP set)", "`hEvent | 1`: no packet, the event is still
/// signalled", "Event and port both", "hEvent NULL: the socket handle itself"), 5.1 ("hEvent is
/// not signalled when a routine is given", "immediate success still queues the routine"), and
/// the page of SetFileCompletionNotificationModes for the handle ("an explicit event is still
/// signaled").
const ON_A_PORT: &[(Given, u8, Timing, &str)] = &[
    (NOTHING, 0, Timing::Inline, "HP"),
    (NOTHING, 0, Timing::Pended, "HP"),
    (NOTHING, PORT, Timing::Inline, "H"),
    (NOTHING, PORT, Timing::Pended, "HP"),
    (NOTHING, HANDLE, Timing::Inline, "P"),
    (NOTHING, HANDLE, Timing::Pended, "P"),
    (NOTHING, PORT | HANDLE, Timing::Inline, ""),
    (NOTHING, PORT | HANDLE, Timing::Pended, "P"),
    (EVENT, 0, Timing::Inline, "EP"),
    (EVENT, 0, Timing::Pended, "EP"),
    (EVENT, PORT, Timing::Inline, "E"),
    (EVENT, PORT, Timing::Pended, "EP"),
    (EVENT, HANDLE, Timing::Inline, "EP"),
    (EVENT, HANDLE, Timing::Pended, "EP"),
    (EVENT, PORT | HANDLE, Timing::Inline, "E"),
    (EVENT, PORT | HANDLE, Timing::Pended, "EP"),
    (EVENT_LOW, 0, Timing::Inline, "E"),
    (EVENT_LOW, 0, Timing::Pended, "E"),
    (EVENT_LOW, PORT | HANDLE, Timing::Inline, "E"),
    (EVENT_LOW, PORT | HANDLE, Timing::Pended, "E"),
];

/// The same without a port (a routine on a port is refused before there is an IRP: section 4).
const ALONE: &[(Given, u8, Timing, &str)] = &[
    (NOTHING, 0, Timing::Inline, "H"),
    (NOTHING, 0, Timing::Pended, "H"),
    (NOTHING, HANDLE, Timing::Inline, ""),
    (NOTHING, HANDLE, Timing::Pended, ""),
    (EVENT, 0, Timing::Inline, "E"),
    (EVENT, 0, Timing::Pended, "E"),
    (EVENT_LOW, 0, Timing::Pended, "E"),
    (ROUTINE, 0, Timing::Inline, "A"),
    (ROUTINE, 0, Timing::Pended, "A"),
    (ROUTINE, PORT | HANDLE, Timing::Inline, "A"),
    (ROUTINE_EVENT, 0, Timing::Inline, "A"),
    (ROUTINE_EVENT, 0, Timing::Pended, "A"),
];

#[test]
fn the_end_of_an_operation_is_told_as_the_documents_say() {
    for (is_associated, table) in [(true, ON_A_PORT), (false, ALONE)] {
        for (row, &(given, modes, timing, expected)) in table.iter().enumerate() {
            let told = told(given, modes, timing, is_associated);
            assert_eq!(told, expected, "row {row}, on a port: {is_associated}");
        }
    }
}

/// winsock-semantics section 4, from top to bottom.
#[test]
fn what_dies_with_its_thread() {
    let port = CompletionPort::new(1).unwrap();
    let (alone, on_port) = (file(), file());
    on_port.set_association(&port, KEY).unwrap();
    for given in [NOTHING, EVENT, EVENT_LOW, ROUTINE, ROUTINE_EVENT] {
        assert!(start(given).irp.dies_with_thread(&alone));
    }
    let low_alone = Given { low_bit: true, ..NOTHING };
    for given in [EVENT, EVENT_LOW, low_alone] {
        assert!(start(given).irp.dies_with_thread(&on_port));
    }
    assert!(!start(NOTHING).irp.dies_with_thread(&on_port));
}

/// `test_AcceptEx` and `test_connect`: a refused call leaves Internal at STATUS_PENDING; 1.11:
/// an immediate error queues no packet.
#[test]
fn a_refused_operation_tells_nobody() {
    let (file, port) = (file(), CompletionPort::new(1).unwrap());
    file.set_association(&port, KEY).unwrap();
    for given in [NOTHING, EVENT, ROUTINE] {
        let mut started = start(given);
        started.irp.begin(&file);
        started.event.reset();
        started.irp.refuse(NtStatus::INVALID_PARAMETER);
        assert!(started.irp.target.is_none());
        assert_eq!(internal(started.overlapped), PENDING);
        assert!(!started.event.is_set());
        assert!(!file.signal().is_set());
        assert!(packets(&port).is_empty());
        let slept = wait::sleep(Deadline::after_ms(0), true);
        assert_eq!(slept, Waited::TimedOut);
    }
}

/// The net under I4.
#[test]
fn a_lost_operation_ends_as_cancelled() {
    let file = file();
    for lose in [drop, discard] {
        let started = start(EVENT);
        started.irp.begin(&file);
        lose(started.irp);
        assert_eq!(internal(started.overlapped), CANCELLED);
        assert!(started.event.is_set());
    }
}

#[derive(Default)]
struct Counter {
    calls: AtomicUsize,
    done: Mutex<Option<Done>>,
    waker: Mutex<Option<Waker>>,
}

impl Sink for Counter {
    fn complete(&self, done: Done) -> Option<Waker> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        *self.done.lock().unwrap() = Some(done);
        self.waker.lock().unwrap().take()
    }
}

impl Counter {
    fn result(&self) -> (NtStatus, usize, Vec<u8>) {
        assert_eq!(self.calls.load(Ordering::Relaxed), 1, "once");
        let done = self.done.lock().unwrap().take().unwrap();
        (done.status, done.bytes, done.buffers.into_vec())
    }
}

fn start_sink(packet: bool) -> (Irp, Arc<Counter>) {
    let sink = Arc::new(Counter::default());
    let target = Target::Sink { sink: Arc::clone(&sink) as Arc<dyn Sink>, packet };
    (Irp::new(target, Buffers::from_vec(vec![1, 2, 3])), sink)
}

/// `Sink`'s own documentation: called once, with the memory the operation owned.
#[test]
fn a_sink_gets_its_memory_back_whatever_happens() {
    let file = file();
    let (mut irp, sink) = start_sink(false);
    let mut after = Deferred::default();
    irp.complete(&file, Timing::Pended, NtStatus::SUCCESS, 2, &mut after);
    assert_eq!(sink.result(), (NtStatus::SUCCESS, 2, vec![1, 2, 3]));

    let (mut irp, sink) = start_sink(false);
    irp.refuse(NtStatus::INVALID_HANDLE);
    assert_eq!(sink.result(), (NtStatus::INVALID_HANDLE, 0, vec![1, 2, 3]));

    let (irp, sink) = start_sink(false);
    drop(irp);
    assert_eq!(sink.result(), (NtStatus::CANCELLED, 0, vec![1, 2, 3]));
}

#[test]
fn a_sink_with_a_packet_is_in_the_packet() {
    let (file, port) = (file(), CompletionPort::new(1).unwrap());
    file.set_association(&port, KEY).unwrap();
    let (mut irp, sink) = start_sink(true);
    let key = irp.key();
    let mut after = Deferred::default();
    irp.complete(&file, Timing::Pended, NtStatus::SUCCESS, 3, &mut after);
    after.run();
    let [packet] = <[Packet; 1]>::try_from(packets(&port)).unwrap();
    assert_eq!((packet.key, packet.overlapped), (KEY, key));
    let carried = Arc::as_ptr(packet.sink.as_ref().unwrap());
    assert!(std::ptr::addr_eq(carried, Arc::as_ptr(&sink)));

    let (mut irp, _sink) = start_sink(false);
    let mut after = Deferred::default();
    irp.complete(&file, Timing::Pended, NtStatus::SUCCESS, 3, &mut after);
    after.run();
    assert!(packets(&port).is_empty());
}

struct Flag(Event);

impl std::task::Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.set();
    }
}

/// No lock is held while the program's code runs (ARCHITECTURE.md, lock order).
#[test]
fn wakers_wait_for_the_end_of_the_locked_region() {
    let flag = Arc::new(Flag(Event::new(true, false)));
    let (mut irp, sink) = start_sink(false);
    *sink.waker.lock().unwrap() = Some(Waker::from(Arc::clone(&flag)));
    let mut after = Deferred::default();
    irp.complete(&file(), Timing::Pended, NtStatus::SUCCESS, 0, &mut after);
    assert!(!flag.0.is_set());
    after.run();
    assert!(flag.0.take());
}

/// `Sink::is_attended`: it is watched by a driver unless it says otherwise.
#[test]
fn an_operation_is_attended_if_its_sink_says_so() {
    struct Attended;

    impl Sink for Attended {
        fn complete(&self, _: Done) -> Option<Waker> {
            None
        }
        fn is_attended(&self) -> bool {
            true
        }
    }

    let target = Target::Sink { sink: Arc::new(Attended), packet: false };
    assert!(Irp::new(target, Buffers::empty()).is_attended());
    assert!(!start_sink(false).0.is_attended());
    assert!(!start(NOTHING).irp.is_attended());
}

/// What a packet carries is the program's own, and may do anything when it is dropped.
#[test]
fn a_packet_that_nobody_takes_waits_for_the_end_of_the_locked_region() {
    let (file, port) = (file(), CompletionPort::new(1).unwrap());
    file.set_association(&port, KEY).unwrap();
    port.close();
    let (mut irp, sink) = start_sink(true);
    let mut after = Deferred::default();
    irp.complete(&file, Timing::Pended, NtStatus::SUCCESS, 0, &mut after);
    assert_eq!(Arc::strong_count(&sink), 2);
    after.run();
    assert_eq!(Arc::strong_count(&sink), 1);
}

/// Whether the port's next sleeper is woken: its driver has something to report.
fn is_woken(port: &CompletionPort) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(port.as_fd(), PollFlags::IN)];
    poll(&mut fds, Deadline::after_ms(0).timespec().as_ref()).unwrap() != 0
}

#[test]
fn a_port_is_woken_at_the_end_of_the_locked_region() {
    let port = CompletionPort::new(1).unwrap();
    let mut after = Deferred::default();
    after.wake_port(&port);
    after.wake_port(&port);
    assert!(!is_woken(&port));
    after.run();
    assert!(is_woken(&port));
}

/// I6: each port counts on its wake-up.
#[test]
fn two_ports_of_one_pass_are_both_woken() {
    let ports = [(); 2].map(|()| CompletionPort::new(1).unwrap());
    let mut after = Deferred::default();
    ports.iter().for_each(|port| after.wake_port(port));
    after.run();
    assert!(ports.iter().all(|port| is_woken(port)));
}

/// The net under I6.
#[test]
fn a_wake_up_outlives_a_panic() {
    let port = CompletionPort::new(1).unwrap();
    let mut after = Deferred::default();
    after.wake_port(&port);
    drop(after);
    assert!(is_woken(&port));
}

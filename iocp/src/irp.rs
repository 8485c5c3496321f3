//! The IRP: one operation in progress, and how its end is told.

use std::sync::Arc;
use std::task::Waker;

use linsock_afd::NtStatus;

use crate::apc::Apc;
use crate::buffer::Buffers;
use crate::event::Event;
use crate::file::{FileCore, SKIP_PORT_ON_SUCCESS, SKIP_SET_EVENT_ON_HANDLE};
use crate::overlapped::OverlappedPtr;
use crate::port::{CompletionPort, Packet};
use crate::thread::{self, Thread};

/// A completion routine: called on the issuing thread, in an alertable wait, with status and
/// octets.
pub type Routine = Box<dyn FnOnce(NtStatus, usize) + Send>;

/// Who is told, and how.
pub enum Target {
    /// The program's OVERLAPPED, and what it names.
    Overlapped {
        /// The structure.
        ptr: OverlappedPtr,
        /// Its event (`hEvent`); without one the file's handle is signaled.
        event: Option<Arc<Event>>,
        /// False when the low bit of `hEvent` asks for no packet.
        packet: bool,
        /// The completion routine and the thread it runs on; then no event is signaled.
        routine: Option<Box<(Arc<Thread>, Routine)>>,
    },
    /// Rust code: a blocking call, a future, an operation of the safe API.
    Sink {
        /// Where the result goes.
        sink: Arc<dyn Sink>,
        /// Whether the file's port gets a packet that carries the sink.
        packet: bool,
    },
}

/// Takes the result of an operation that has no OVERLAPPED.
pub trait Sink: std::any::Any + Send + Sync {
    /// The operation is over. Called once, possibly under a lock: it stores the result and hands
    /// back whom to wake.
    fn complete(&self, done: Done) -> Option<Waker>;

    /// As [`complete`](Self::complete), of an operation that was lost, as by a panic: no packet
    /// follows, whatever was asked for.
    fn lose(&self, done: Done) -> Option<Waker> {
        self.complete(done)
    }

    /// True when a thread blocks for the operation and polls its descriptor itself, so that no
    /// driver has to watch it.
    fn is_attended(&self) -> bool {
        false
    }
}

/// The result of an operation, with the memory it owned.
#[derive(Debug)]
pub struct Done {
    /// Its status.
    pub status: NtStatus,
    /// Octets transferred.
    pub bytes: usize,
    /// Its buffers.
    pub buffers: Buffers,
}

/// Whether an operation was over when its call returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// It was: the call reports the result itself.
    Inline,
    /// It was not: the call reported ERROR_IO_PENDING.
    Pended,
}

/// What is left to do once no lock is held: wake-ups, some of which run the program's code.
///
/// Nearly always it is nothing, so it is one pointer, and null.
#[derive(Debug, Default)]
pub struct Deferred(Option<Box<Late>>);

#[derive(Debug, Default)]
struct Late {
    wakers: Vec<Waker>,
    port: Option<Arc<CompletionPort>>,
    discarded: Vec<Packet>,
}

impl Deferred {
    fn late(&mut self) -> &mut Late {
        self.0.get_or_insert_default()
    }

    pub(crate) fn wake_port(&mut self, port: &Arc<CompletionPort>) {
        let late = self.late();
        match &late.port {
            Some(same) if Arc::ptr_eq(same, port) => {}
            None => late.port = Some(Arc::clone(port)),
            // Two ports in one pass is rare; waking one early under the lock is harmless.
            Some(_) => port.wake_one(),
        }
    }

    /// Drops a packet that its port no longer takes, once no lock is held.
    pub(crate) fn discard(&mut self, packet: Packet) {
        self.late().discarded.push(packet);
    }

    /// Adds a waker.
    #[inline]
    pub fn wake(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.late().wakers.push(waker);
        }
    }

    /// Does it. The caller holds no lock.
    #[inline]
    pub fn run(mut self) {
        if let Some(late) = self.0.take() {
            late.run();
        }
    }
}

impl Late {
    #[cold]
    fn run(mut self: Box<Self>) {
        let wakers = std::mem::take(&mut self.wakers);
        // The sleeper is woken by the drop, before the program's code runs.
        drop(self);
        for waker in wakers {
            waker.wake();
        }
    }
}

impl Drop for Late {
    /// The net under I6: the port counts on the wake-up, also when a panic comes in between.
    fn drop(&mut self) {
        if let Some(port) = self.port.take() {
            port.wake_one();
        }
    }
}

/// One operation in progress.
pub struct Irp {
    /// Taken by the completion; an IRP dropped with it still here is completed as cancelled.
    target: Option<Target>,
    thread: u64,
    /// The memory of the transfer.
    pub buffers: Buffers,
}

impl Irp {
    /// A new operation of the calling thread.
    #[inline]
    pub fn new(target: Target, buffers: Buffers) -> Self {
        Self { target: Some(target), thread: thread::id(), buffers }
    }

    /// The operation starts: `Internal` reads STATUS_PENDING and what will be signaled is reset.
    #[inline]
    pub fn begin(&self, file: &FileCore) {
        if let Some(Target::Overlapped { ptr, event, routine, .. }) = &self.target {
            ptr.begin();
            match (event, routine) {
                (_, Some(_)) => {}
                (Some(event), None) => event.reset(),
                (None, None) => file.signal().reset(),
            }
        }
    }

    /// The issuing thread.
    pub const fn thread(&self) -> u64 {
        self.thread
    }

    /// The operation's identity: the address of its OVERLAPPED or of its sink.
    #[inline]
    pub fn key(&self) -> usize {
        match &self.target {
            Some(Target::Overlapped { ptr, .. }) => ptr.addr(),
            Some(Target::Sink { sink, .. }) => Arc::as_ptr(sink).addr(),
            None => 0,
        }
    }

    /// See [`Sink::is_attended`].
    #[inline]
    pub fn is_attended(&self) -> bool {
        matches!(&self.target, Some(Target::Sink { sink, .. }) if sink.is_attended())
    }

    /// Whether the exit of the issuing thread cancels it: everything but I/O with a packet to a
    /// port and without an event (`test_async_thread_termination`).
    #[inline]
    pub fn dies_with_thread(&self, file: &FileCore) -> bool {
        match &self.target {
            Some(Target::Overlapped { event: None, packet: true, routine: None, .. }) => {
                file.association().is_none()
            }
            Some(Target::Overlapped { .. }) => true,
            // Operations of the safe API belong to their owner, not to a thread.
            Some(Target::Sink { .. }) | None => false,
        }
    }

    /// Called when the operation did not finish inside its call.
    #[inline]
    pub fn pended(&self, file: &FileCore) {
        if self.dies_with_thread(file) {
            thread::owes_cancel();
        }
        if let Some(association) = file.association()
            && !self.is_attended()
        {
            association.port.note_pending();
        }
    }

    /// The operation is over (I4, I5). `bytes` is what the caller is told was transferred.
    #[inline]
    pub fn complete(
        mut self,
        file: &FileCore,
        timing: Timing,
        status: NtStatus,
        bytes: usize,
        after: &mut Deferred,
    ) {
        let Some(target) = self.target.take() else {
            return;
        };
        let skip = timing == Timing::Inline && file.modes() & SKIP_PORT_ON_SUCCESS != 0;
        let association = file.association().filter(|_| !skip);
        match target {
            Target::Overlapped { ptr, event, packet, routine } => {
                let overlapped = ptr.addr();
                ptr.finish(status, bytes);
                match (routine, event) {
                    (Some(routine), _) => {
                        let (thread, routine) = *routine;
                        thread.queue_apc(Apc::new(move || routine(status, bytes)));
                        return;
                    }
                    (None, Some(event)) => event.set(),
                    (None, None) if file.modes() & SKIP_SET_EVENT_ON_HANDLE != 0 => {}
                    (None, None) => file.signal().set(),
                }
                if let Some(association) = association.filter(|_| packet) {
                    let key = association.key;
                    let packet = Packet { key, overlapped, status, bytes, sink: None };
                    association.port.post(packet, after);
                }
            }
            Target::Sink { sink, packet } => {
                let buffers = std::mem::replace(&mut self.buffers, Buffers::empty());
                after.wake(sink.complete(Done { status, bytes, buffers }));
                if let Some(association) = association.filter(|_| packet) {
                    let (key, overlapped) = (association.key, Arc::as_ptr(&sink).addr());
                    let packet = Packet { key, overlapped, status, bytes, sink: Some(sink) };
                    association.port.post(packet, after);
                }
            }
        }
    }

    /// The call is refused: nobody is told but the caller, by the return value. A sink, which is
    /// the caller's own, gets back the memory that the operation owned.
    #[inline]
    pub fn refuse(mut self, status: NtStatus) {
        if let Some(Target::Sink { sink, .. }) = self.target.take() {
            let buffers = std::mem::replace(&mut self.buffers, Buffers::empty());
            // Nobody waits yet, so there is no waker.
            let _none = sink.complete(Done { status, bytes: 0, buffers });
        }
    }
}

impl Drop for Irp {
    /// The net under I4: an IRP that gets lost, as by a panic, still tells its program.
    #[inline]
    fn drop(&mut self) {
        match self.target.take() {
            None => {}
            Some(Target::Overlapped { ptr, event, .. }) => {
                ptr.finish(NtStatus::CANCELLED, 0);
                if let Some(event) = event {
                    event.set();
                }
            }
            Some(Target::Sink { sink, .. }) => {
                let buffers = std::mem::replace(&mut self.buffers, Buffers::empty());
                let done = Done { status: NtStatus::CANCELLED, bytes: 0, buffers };
                if let Some(waker) = sink.lose(done) {
                    waker.wake();
                }
            }
        }
    }
}

impl std::fmt::Debug for Irp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Irp").field("key", &self.key()).field("thread", &self.thread).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

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
        let target = Target::Overlapped {
            ptr,
            event: given.event.then(|| Arc::clone(&event)),
            packet: !given.low_bit,
            routine: given.routine.then(|| Box::new((thread::current(), routine))),
        };
        Started { irp: Irp::new(target, Buffers::empty()), overlapped, event, routine_saw }
    }

    fn packets(port: &Arc<CompletionPort>) -> Vec<Packet> {
        let mut packets = Vec::new();
        let _ = port.wait(16, Deadline::after_ms(0), false, |packet| {
            packets.push(packet);
        });
        packets
    }

    /// Completes an operation and says who was told: the event, the handle, a packet, an APC.
    fn told(given: Given, modes: u8, timing: Timing, is_associated: bool) -> String {
        let (file, port) = (file(), CompletionPort::new(1).unwrap());
        if is_associated {
            file.set_association(&port, KEY).unwrap();
        }
        file.add_modes(modes);
        file.signal().set();
        let Started { irp, overlapped, event, routine_saw } = start(given);
        irp.begin(&file);
        assert_eq!(internal(overlapped), PENDING);
        let touched = given.event && !given.routine;
        assert_eq!(event.is_set(), !touched, "reset at the start");
        let resets_handle = !given.event && !given.routine;
        assert_eq!(file.signal().is_set(), !resets_handle, "reset at the start");
        event.reset();
        file.signal().reset();

        let mut after = Deferred::default();
        irp.complete(&file, timing, NtStatus::SUCCESS, 12, &mut after);
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
            let started = start(given);
            started.irp.begin(&file);
            started.event.reset();
            started.irp.refuse(NtStatus::INVALID_PARAMETER);
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
        let started = start(EVENT);
        started.irp.begin(&file);
        drop(started.irp);
        assert_eq!(internal(started.overlapped), CANCELLED);
        assert!(started.event.is_set());
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
        let (irp, sink) = start_sink(false);
        let mut after = Deferred::default();
        irp.complete(&file, Timing::Pended, NtStatus::SUCCESS, 2, &mut after);
        assert_eq!(sink.result(), (NtStatus::SUCCESS, 2, vec![1, 2, 3]));

        let (irp, sink) = start_sink(false);
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
        let (irp, sink) = start_sink(true);
        let key = irp.key();
        let mut after = Deferred::default();
        irp.complete(&file, Timing::Pended, NtStatus::SUCCESS, 3, &mut after);
        after.run();
        let [packet] = <[Packet; 1]>::try_from(packets(&port)).unwrap();
        assert_eq!((packet.key, packet.overlapped), (KEY, key));
        let carried = Arc::as_ptr(packet.sink.as_ref().unwrap());
        assert!(std::ptr::addr_eq(carried, Arc::as_ptr(&sink)));

        let (irp, _sink) = start_sink(false);
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
        let (irp, sink) = start_sink(false);
        *sink.waker.lock().unwrap() = Some(Waker::from(Arc::clone(&flag)));
        let mut after = Deferred::default();
        irp.complete(&file(), Timing::Pended, NtStatus::SUCCESS, 0, &mut after);
        assert!(!flag.0.is_set());
        after.run();
        assert!(flag.0.take());
    }
}

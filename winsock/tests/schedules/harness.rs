//! What the models share: connections, operations that count their ends, and the schedules.

#![allow(unsafe_code)] // An OVERLAPPED is lent.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Waker;

use linsock::NtStatus;
use linsock::afd::address::{Address, Family};
use linsock::catalog::Provider;
use linsock::device::{self, Device, HEAD, Patience, Question, ROW};
use linsock::iocp::buffer::{Buffers, CheckedMemory};
use linsock::iocp::clock::Deadline;
use linsock::iocp::event::Event;
use linsock::iocp::file::File;
use linsock::iocp::handle;
use linsock::iocp::irp::{Beside, Done, Irp, Sink, Target};
use linsock::iocp::overlapped::{Overlapped, OverlappedPtr};
use linsock::iocp::port::{CompletionPort, Packet};
use linsock::socket::{PollEvents, RecvOptions, Socket, Started};

/// Runs a model under many schedules: with few preemptions, where most bugs are, and at random.
pub(crate) fn explore(model: fn()) {
    let schedules = std::env::var("LINSOCK_SCHEDULES").ok().and_then(|text| text.parse().ok());
    let schedules = schedules.unwrap_or(300);
    for preemptions in [2, 4] {
        shuttle::check_pct(model, schedules, preemptions);
    }
    shuttle::check_random(model, schedules);
}

/// Runs each closure on a thread of its own, to the end of all.
pub(crate) fn together(threads: Vec<Box<dyn FnOnce() + Send>>) {
    let threads: Vec<_> = threads.into_iter().map(shuttle::thread::spawn).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

pub(crate) fn new_socket() -> Arc<Socket> {
    Socket::create(Provider::Tcp(Family::Inet), true).unwrap()
}

pub(crate) fn listener() -> Arc<Socket> {
    let socket = new_socket();
    socket.bind(Address::Ip("127.0.0.1:0".parse().unwrap())).unwrap();
    socket.listen(8).unwrap();
    socket
}

pub(crate) fn connect_to(listener: &Socket) -> Arc<Socket> {
    let socket = new_socket();
    socket.connect_blocking(&listener.local_address().unwrap()).unwrap();
    socket
}

/// A connection: both ends.
pub(crate) fn pair() -> (Arc<Socket>, Arc<Socket>) {
    let listener = listener();
    let client = connect_to(&listener);
    let server = listener.adopt(listener.accept_blocking().unwrap()).unwrap();
    listener.close_handle().unwrap();
    (client, server)
}

pub(crate) fn send(socket: &Socket, data: &[u8]) {
    let buffers = Buffers::from_vec(data.to_vec());
    let sent = socket.send_blocking(buffers, Default::default());
    // The peer may have reset the connection by now.
    assert!(sent.is_err() || sent.unwrap().0 == data.len());
}

/// The far end is done with: no TIME_WAIT, of which thousands of schedules would leave too many.
pub(crate) fn discard(socket: &Socket) {
    let _ = socket.abort();
}

/// An operation's result, which must come once.
#[derive(Debug, Default)]
pub(crate) struct Result {
    ends: AtomicUsize,
    packets: AtomicUsize,
    done: Mutex<Option<(NtStatus, Vec<u8>)>>,
}

impl Sink for Result {
    fn complete(&self, done: Done) -> Option<Waker> {
        assert_eq!(self.ends.fetch_add(1, Ordering::SeqCst), 0, "it ends once");
        let (status, bytes) = (done.status, done.bytes);
        let mut data = done.buffers.into_vec();
        data.truncate(bytes);
        *self.done.lock().unwrap() = Some((status, data));
        None
    }
}

impl Result {
    pub(crate) fn irp(self: &Arc<Self>, buffer: Vec<u8>, packet: bool) -> Irp {
        let sink = Arc::clone(self) as Arc<dyn Sink>;
        Irp::new(Target::Sink { sink, packet }, Buffers::from_vec(buffer))
    }

    /// The identity of its operation.
    pub(crate) fn key(self: &Arc<Self>) -> usize {
        Arc::as_ptr(self).addr()
    }

    /// Its packet was taken from the port.
    pub(crate) fn note(&self, packet: &Packet) {
        let sink = packet.sink.as_ref().map(|sink| Arc::as_ptr(sink).addr());
        if sink == Some(std::ptr::from_ref(self).addr()) {
            assert_eq!(self.packets.fetch_add(1, Ordering::SeqCst), 0, "one packet");
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.ends.load(Ordering::SeqCst) == 1
    }

    /// The status, and what was received. `packets`: how many there must have been.
    pub(crate) fn finished(&self, packets: usize) -> (NtStatus, Vec<u8>) {
        assert_eq!(self.ends.load(Ordering::SeqCst), 1, "it ended");
        assert_eq!(self.packets.load(Ordering::SeqCst), packets, "packets");
        self.done.lock().unwrap().clone().unwrap()
    }
}

/// An OVERLAPPED with an event, as a C program lends it.
pub(crate) struct Lent {
    pub(crate) overlapped: &'static Overlapped,
    pub(crate) event: Arc<Event>,
}

impl Lent {
    pub(crate) fn new() -> Self {
        let event = Arc::new(Event::new(true, false));
        Self { overlapped: Box::leak(Box::default()), event }
    }

    /// An operation that receives up to `len` octets.
    pub(crate) fn irp(&self, len: usize) -> Irp {
        // SAFETY: it is never freed.
        let ptr = unsafe { OverlappedPtr::new(NonNull::from(self.overlapped)) };
        let event = Beside::Event(Arc::clone(&self.event));
        let target = Target::overlapped(ptr, true, Some(event));
        Irp::new(target, Buffers::from_vec(vec![0; len]))
    }

    pub(crate) fn key(&self) -> usize {
        std::ptr::from_ref(self.overlapped).addr()
    }

    pub(crate) fn result(&self) -> (NtStatus, usize) {
        let status = self.overlapped.internal.load(Ordering::Acquire);
        let bytes = self.overlapped.internal_high.load(Ordering::Acquire);
        (NtStatus::from_raw(u32::try_from(status).unwrap()), bytes)
    }
}

/// Looks at the port a few times.
pub(crate) fn look(port: &Arc<CompletionPort>, results: &[Arc<Result>]) {
    for _ in 0..3 {
        harvest(port, results);
    }
}

/// Starts a receive of up to `len` octets whose end comes as a packet.
pub(crate) fn receive(socket: &Socket, len: usize) -> Arc<Result> {
    let result = Arc::new(Result::default());
    socket.recv(result.irp(vec![0; len], true), RecvOptions::default()).unwrap();
    result
}

/// Takes what is on the port now, performing what is ready.
pub(crate) fn harvest(port: &Arc<CompletionPort>, results: &[Arc<Result>]) -> usize {
    let Ok(packet) = port.wait_one(Deadline::after_ms(0)) else { return 0 };
    results.iter().for_each(|result| result.note(&packet));
    1
}

/// Takes everything that is left.
pub(crate) fn drain(port: &Arc<CompletionPort>, results: &[Arc<Result>]) {
    while harvest(port, results) > 0 {}
}

/// A handle of the driver's, tied to a port.
pub(crate) fn device(port: &Arc<CompletionPort>) -> Arc<dyn File> {
    let file = handle::table().file_of(Device::open().unwrap()).unwrap();
    file.associate(port, 9).unwrap();
    file
}

/// Asks for data, or the end of it, of some sockets.
pub(crate) fn poll(device: &Arc<dyn File>, sockets: &[usize]) -> Arc<Result> {
    let result = Arc::new(Result::default());
    let events = PollEvents::RECEIVE.or(PollEvents::DISCONNECT);
    let answer = Box::leak(Box::new([0; HEAD + 2 * ROW]));
    // SAFETY: leaked, and nobody reads it.
    let answer = unsafe { CheckedMemory::new(answer.as_mut_ptr(), answer.len()) };
    let question = Question {
        rows: sockets.iter().map(|socket| (*socket, events)).collect(),
        patience: Patience::Forever,
        exclusive: false,
        timeout: 0,
        answer,
    };
    assert_eq!(device::poll(device, result.irp(Vec::new(), true), question), Ok(Started::Pending));
    result
}

//! The provider's thread: it performs the sockets' I/O through one completion port, completes IRPs
//! and calls the clients' callbacks, one after the other. What is posted first is done first: a
//! close that is posted behind everything else finds it done.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::thread;

use linsock::NtStatus;
use linsock::iocp::buffer::Buffers;
use linsock::iocp::clock::Deadline;
use linsock::iocp::irp::{Deferred, Done, Irp as Operation, Sink, Target};
use linsock::iocp::port::{CompletionPort, Packet};
use linsock::iocp::sync::Lock;

use crate::ddk::object::in_callback;

/// Something for the provider's thread to do. If it is about an operation, it is done when that is
/// over, and sees how it ended.
struct Task<F>(Lock<(Option<Done>, Option<F>)>);

impl<F: FnOnce(Done) + Send + 'static> Sink for Task<F> {
    /// The packet that follows has it run.
    fn complete(&self, done: Done) -> Option<Waker> {
        self.0.lock().0 = Some(done);
        None
    }

    fn lose(&self, done: Done) -> Option<Waker> {
        let body = self.0.lock().1.take();
        deliver(Arc::new(Self(Lock::new((Some(done), body)))));
        None
    }

    fn run(self: Arc<Self>) {
        let taken = std::mem::take(&mut *self.0.lock());
        if let (Some(done), Some(body)) = taken {
            body(done);
        }
    }
}

/// An operation whose end `body` sees, on the provider's thread. If it is refused, nobody does.
pub(crate) fn operation(buffers: Buffers, body: impl FnOnce(Done) + Send + 'static) -> Operation {
    let sink = Arc::new(Task(Lock::new((None, Some(body)))));
    Operation::new(Target::Sink { sink, packet: true }, buffers)
}

static PORT: OnceLock<Arc<CompletionPort>> = OnceLock::new();

/// Makes the port of all sockets and its thread, if they are not there yet. A registration does it,
/// so that the want of a descriptor or a thread is met where a call can say so.
///
/// # Errors
/// STATUS_INSUFFICIENT_RESOURCES.
pub(crate) fn prepare() -> Result<(), NtStatus> {
    static ONE_AT_A_TIME: Lock<()> = Lock::new(());
    let _turn = ONE_AT_A_TIME.lock();
    if PORT.get().is_some() {
        return Ok(());
    }
    let port = CompletionPort::new(1).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    let worked = Arc::clone(&port);
    let named = thread::Builder::new().name("linsock-wsk".into());
    named.spawn(move || work(&worked)).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    PORT.get_or_init(|| port);
    Ok(())
}

/// The port of all sockets.
pub(crate) fn port() -> &'static Arc<CompletionPort> {
    PORT.get().expect("INVARIANT: nobody has a provider before WskRegister has prepared it")
}

fn work(port: &Arc<CompletionPort>) {
    let mut packets = VecDeque::new();
    while port.wait_all(Deadline::Never, &mut packets).is_ok() {
        while let Some(packet) = packets.pop_front() {
            if let Some(sink) = packet.sink {
                in_callback(|| sink.run());
            }
        }
    }
}

/// Has the provider's thread do something, behind everything that was posted before.
pub(crate) fn post(body: impl FnOnce() + Send + 'static) {
    let done = Done { status: NtStatus::SUCCESS, bytes: 0, buffers: Buffers::empty() };
    let body = |_| body();
    deliver(Arc::new(Task(Lock::new((Some(done), Some(body))))));
}

/// Queues the packet of an operation that has none of its own.
pub(crate) fn deliver(sink: Arc<dyn Sink>) {
    let sink = Some(sink);
    let packet = Packet { key: 0, overlapped: 0, status: NtStatus::SUCCESS, bytes: 0, sink };
    let mut after = Deferred::default();
    port().post(packet, &mut after);
    after.run();
}

/// Has a thread of its own do something that may wait.
///
/// # Errors
/// STATUS_INSUFFICIENT_RESOURCES, with nothing done, when no thread can be had.
pub(crate) fn system_thread(body: impl FnOnce() + Send + 'static) -> Result<(), NtStatus> {
    let started = thread::Builder::new().name("linsock-system".into()).spawn(body);
    started.map(drop).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)
}

/// As [`system_thread`], for a call that cannot say that there is none.
pub(crate) fn queue_work(call: &str, body: impl FnOnce() + Send + 'static) {
    if system_thread(body).is_err() {
        crate::misuse::report(call, format_args!("no thread can be had"));
    }
}

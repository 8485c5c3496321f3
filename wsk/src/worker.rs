//! The provider's thread: it performs the sockets' I/O through one completion port, completes IRPs
//! and calls the clients' callbacks, one after the other. What is posted first is done first: a
//! close that is posted behind everything else finds it done.

use std::any::Any;
use std::sync::{Arc, OnceLock, Weak};
use std::task::Waker;
use std::thread;

use linsock::NtStatus;
use linsock::iocp::buffer::Buffers;
use linsock::iocp::clock::Deadline;
use linsock::iocp::irp::{Deferred, Done, Irp as Operation, Sink, Target};
use linsock::iocp::port::{CompletionPort, Packet};
use linsock::iocp::sync::Lock;

use crate::ddk::object::in_callback;
use crate::request::Request;

type Body = Box<dyn FnOnce(Done) + Send>;

/// Something for the provider's thread to do. If it is about an operation, it is done when that is
/// over, and sees how it ended.
struct Task {
    done: Lock<Option<Done>>,
    body: Lock<Option<Body>>,
    own: Weak<Self>,
}

impl Task {
    fn new(done: Option<Done>, body: impl FnOnce(Done) + Send + 'static) -> Arc<Self> {
        Arc::new_cyclic(|own| Self {
            done: Lock::new(done),
            body: Lock::new(Some(Box::new(body))),
            own: Weak::clone(own),
        })
    }

    fn run(&self) {
        let (done, body) = (self.done.lock().take(), self.body.lock().take());
        if let (Some(done), Some(body)) = (done, body) {
            body(done);
        }
    }
}

impl Sink for Task {
    /// The packet that follows has it run.
    fn complete(&self, done: Done) -> Option<Waker> {
        *self.done.lock() = Some(done);
        None
    }

    fn lose(&self, done: Done) -> Option<Waker> {
        *self.done.lock() = Some(done);
        if let Some(own) = self.own.upgrade() {
            deliver(own);
        }
        None
    }
}

/// An operation whose end `body` sees, on the provider's thread. If it is refused, nobody does.
pub(crate) fn operation(buffers: Buffers, body: impl FnOnce(Done) + Send + 'static) -> Operation {
    let sink = Task::new(None, body);
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
    loop {
        // One at a time: a callback may post what others wait for.
        let Ok(packet) = port.wait_one(Deadline::Never) else { return };
        if let Some(sink) = packet.sink {
            in_callback(|| run(sink));
        }
    }
}

fn run(sink: Arc<dyn Sink>) {
    match (sink as Arc<dyn Any + Send + Sync>).downcast::<Request>() {
        Ok(request) => request.delivered(),
        Err(other) => {
            if let Ok(task) = other.downcast::<Task>() {
                task.run();
            }
        }
    }
}

/// Has the provider's thread do something, behind everything that was posted before.
pub(crate) fn post(body: impl FnOnce() + Send + 'static) {
    let done = Done { status: NtStatus::SUCCESS, bytes: 0, buffers: Buffers::empty() };
    deliver(Task::new(Some(done), |_| body()));
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
pub(crate) fn system_thread(body: impl FnOnce() + Send + 'static) {
    let started = thread::Builder::new().name("linsock-system".into()).spawn(body);
    if let Err(error) = started {
        crate::misuse::report("IoQueueWorkItem", format_args!("no thread: {error}"));
    }
}

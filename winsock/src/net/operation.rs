//! Operations that own their buffers.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use linsock_iocp::NtStatus;
use linsock_iocp::afd::DisconnectMode;
use linsock_iocp::buffer::{Buffers, SendFlags};
use linsock_iocp::clock::Deadline;
use linsock_iocp::event::Event;
use linsock_iocp::irp::{Done, Irp, Sink, Target};
use linsock_iocp::sync::Lock;
use linsock_iocp::wait::{self, Which};

use super::{Error, Result};
use crate::socket::{AcceptLayout, Ending, FilePart, RecvOptions, Socket, Transmission};
use linsock_iocp::afd::address::Address;

/// What an operation does.
#[derive(Debug)]
pub(super) enum What {
    Recv,
    Send,
    SendFile(FilePart),
    Connect(Address),
    AcceptInto(Arc<Socket>),
    HalfClose,
    Reuse,
    Disconnect(DisconnectMode, Arc<Ending>, Option<Duration>),
}

/// An operation that is not started yet.
///
/// Start it with [`start`](Self::start), [`queue`](Self::queue) it to the socket's port, or
/// `.await` or [`wait`](Self::wait) for it, which start it too.
#[derive(Debug)]
#[must_use = "nothing happens until the operation is started"]
pub struct Request {
    socket: Arc<Socket>,
    what: What,
    buffer: Vec<u8>,
    /// How many of its octets take part.
    part: usize,
}

/// An operation in progress: a future of its octets and its buffer.
///
/// Dropping it cancels the operation; what has happened by then has happened.
#[derive(Debug)]
#[must_use = "dropping an operation cancels it"]
pub struct Operation {
    socket: Arc<Socket>,
    state: Arc<OperationState>,
}

/// Where the result of an operation goes.
#[derive(Debug)]
pub(super) struct OperationState {
    slot: Lock<Slot>,
    finished: Event,
    /// The program's number for an operation that is queued to a port.
    pub(super) token: u64,
}

#[derive(Debug, Default)]
struct Slot {
    done: Option<Done>,
    waker: Option<Waker>,
}

impl OperationState {
    fn new(token: u64) -> Arc<Self> {
        Arc::new(Self { slot: Lock::default(), finished: Event::new(true, false), token })
    }

    pub(super) fn take(&self) -> Option<Done> {
        self.slot.lock().done.take()
    }
}

impl Sink for OperationState {
    fn complete(&self, done: Done) -> Option<Waker> {
        let mut slot = self.slot.lock();
        slot.done = Some(done);
        let waker = slot.waker.take();
        drop(slot);
        self.finished.set();
        waker
    }
}

/// The result of an operation: octets, and the buffer whatever happened.
pub type Outcome = (Result<usize>, Vec<u8>);

pub(super) fn outcome(done: Done) -> Outcome {
    let result =
        if done.status.is_success() { Ok(done.bytes) } else { Err(Error::of(done.status)) };
    (result, done.buffers.into_vec())
}

impl Request {
    pub(super) fn new(socket: &Arc<Socket>, what: What, buffer: Vec<u8>) -> Self {
        let part = buffer.len();
        Self { socket: Arc::clone(socket), what, buffer, part }
    }

    /// Only the first `count` octets of the buffer take part, or all of them if it has fewer: what
    /// was received can be sent without cutting the buffer, and the buffer keeps its length.
    pub fn first(mut self, count: usize) -> Self {
        self.part = count.min(self.buffer.len());
        self
    }

    /// Starts the operation. A refusal is its result.
    pub fn start(self) -> Operation {
        let socket = Arc::clone(&self.socket);
        let state = OperationState::new(0);
        // A refused operation has its result, and its buffer, in the state.
        let _refusal = self.begin(&state, false);
        Operation { socket, state }
    }

    /// Starts the operation; its end comes as a packet of the socket's port and carries `token`.
    ///
    /// # Errors
    /// The refusal, with the buffer. Without a port the operation is refused as invalid.
    pub fn queue(self, token: u64) -> std::result::Result<(), (Error, Vec<u8>)> {
        if self.socket.core().association().is_none() {
            return Err((Error::INVALID, self.buffer));
        }
        let state = OperationState::new(token);
        self.begin(&state, true).map_err(|status| {
            let buffer = state.take().map_or_else(Vec::new, |done| done.buffers.into_vec());
            (Error::of(status), buffer)
        })
    }

    /// Starts the operation and blocks until it is over.
    ///
    /// # Errors
    /// Why it failed; the buffer is lost then (use [`start`](Self::start) to keep it).
    pub fn wait(self) -> Result<(usize, Vec<u8>)> {
        let (result, buffer) = self.start().finish();
        Ok((result?, buffer))
    }

    fn begin(self, state: &Arc<OperationState>, packet: bool) -> std::result::Result<(), NtStatus> {
        let Self { socket, what, buffer, part } = self;
        let sink = Arc::clone(state) as Arc<dyn Sink>;
        let buffers = Buffers::from_vec_part(buffer, part);
        let irp = Irp::new(Target::Sink { sink, packet }, buffers);
        match what {
            What::Recv => socket.recv(irp, RecvOptions::default()).map(drop),
            What::Send => socket.send(irp, SendFlags::NONE).map(drop),
            What::SendFile(part) => {
                let mut transmission = Transmission::default();
                transmission.push_part(part);
                socket.transmit(irp, transmission)
            }
            What::Connect(to) => socket.connect_pending(irp, &to),
            What::AcceptInto(acceptor) => {
                let layout = AcceptLayout::without_addresses(socket.domain(), part);
                socket.accept_ex(&acceptor, irp, layout, None)
            }
            What::HalfClose => socket.disconnect(irp, DisconnectMode::HalfClose),
            What::Reuse => socket.disconnect(irp, DisconnectMode::Reuse),
            What::Disconnect(mode, ending, limit) => {
                socket.disconnect_reported(irp, mode, &ending, limit)
            }
        }
    }
}

impl IntoFuture for Request {
    type Output = Outcome;
    type IntoFuture = Operation;

    fn into_future(self) -> Operation {
        self.start()
    }
}

impl Operation {
    /// Whether it is over.
    pub fn is_finished(&self) -> bool {
        self.state.finished.is_set()
    }

    /// Asks for the operation to be cancelled; it is over soon after, with the error cancelled or,
    /// if it was over before, with its result.
    pub fn cancel(&self) {
        let key = Arc::as_ptr(&self.state).addr();
        self.socket.cancel_operations(&|irp| irp.key() == key);
    }

    /// Blocks until it is over; gives the result and the buffer.
    pub fn finish(self) -> Outcome {
        loop {
            if let Some(done) = self.state.take() {
                return outcome(done);
            }
            wait::wait(&[&self.state.finished], Which::Any, Deadline::Never, false);
        }
    }

    /// Blocks until it is over.
    ///
    /// # Errors
    /// Why it failed; the buffer is lost then (use [`finish`](Self::finish) to keep it).
    pub fn wait(self) -> Result<(usize, Vec<u8>)> {
        let (result, buffer) = self.finish();
        Ok((result?, buffer))
    }
}

impl Future for Operation {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        // A waker's clone and its end are the program's code, which no lock is held over.
        let waker = context.waker().clone();
        let mut slot = self.state.slot.lock();
        let done = slot.done.take();
        let former = if done.is_none() { slot.waker.replace(waker) } else { None };
        drop(slot);
        drop(former);
        done.map_or(Poll::Pending, |done| Poll::Ready(outcome(done)))
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        if !self.is_finished() {
            self.cancel();
        }
    }
}

//! Completion ports of the safe API.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use linsock_iocp::NtStatus;
use linsock_iocp::clock::Deadline;
use linsock_iocp::irp::Deferred;
use linsock_iocp::port::{self, NoPacket};

use super::operation::{self, OperationState};
use super::{Error, Result};

/// A completion port: a queue of the ends of operations, for any number of threads to take from.
///
/// Cloning gives another name for the same port; it closes with the last one.
#[derive(Clone, Debug)]
pub struct CompletionPort(Arc<Owned>);

#[derive(Debug)]
struct Owned(Arc<port::CompletionPort>);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// One packet.
#[derive(Debug)]
pub struct Packet {
    key: usize,
    token: u64,
    result: Result<usize>,
    buffer: Vec<u8>,
}

impl Packet {
    /// The number of the socket, as given to `associate`, or what was posted.
    pub const fn key(&self) -> usize {
        self.key
    }

    /// The number of the operation, as given to `queue`, or what was posted.
    pub const fn token(&self) -> u64 {
        self.token
    }

    /// Octets transferred, or why the operation failed.
    ///
    /// # Errors
    /// Why the operation failed.
    pub const fn result(&self) -> Result<usize> {
        self.result
    }

    /// The operation's buffer.
    pub fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }
}

impl CompletionPort {
    /// A new port that lets `concurrency` threads work at once; 0 is one for each processor.
    ///
    /// # Errors
    /// When the process has no descriptors left.
    pub fn new(concurrency: usize) -> Result<Self> {
        crate::settings::begin();
        let port = port::CompletionPort::new(concurrency).map_err(|_| Error::NO_DESCRIPTORS)?;
        Ok(Self(Arc::new(Owned(port))))
    }

    pub(super) fn inner(&self) -> &Arc<port::CompletionPort> {
        &self.0.0
    }

    /// Takes a packet, waiting for one; `None` when `timeout` passed first.
    ///
    /// The waiting thread performs the I/O of the port's sockets.
    ///
    /// # Errors
    /// The port was [closed](Self::close).
    pub fn wait(&self, timeout: Option<Duration>) -> Result<Option<Packet>> {
        let deadline = timeout.map_or(Deadline::Never, Deadline::after);
        match self.inner().wait_one(deadline) {
            Ok(packet) => Ok(Some(packet.into())),
            Err(NoPacket::TimedOut | NoPacket::Alerted) => Ok(None),
            Err(NoPacket::Closed) => Err(Error::of(NtStatus::CANCELLED)),
        }
    }

    /// Queues a packet of the program's own.
    pub fn post(&self, key: usize, token: usize) {
        let mut after = Deferred::default();
        let status = NtStatus::SUCCESS;
        let packet = port::Packet { key, overlapped: token, status, bytes: 0, sink: None };
        self.inner().post(packet, &mut after);
        after.run();
    }

    /// Closes the port: every wait on it fails, now and later.
    pub fn close(&self) {
        self.inner().close();
    }
}

impl From<port::Packet> for Packet {
    fn from(packet: port::Packet) -> Self {
        let key = packet.key;
        let operation = packet.sink.and_then(|sink| {
            (sink as Arc<dyn Any + Send + Sync>).downcast::<OperationState>().ok()
        });
        match operation {
            Some(state) => {
                let (result, buffer) = state.take().map_or_else(
                    || (Err(Error::of(NtStatus::CANCELLED)), Vec::new()),
                    operation::outcome,
                );
                Self { key, token: state.token, result, buffer }
            }
            None => {
                let result = Ok(packet.bytes);
                Self { key, token: packet.overlapped as u64, result, buffer: Vec::new() }
            }
        }
    }
}

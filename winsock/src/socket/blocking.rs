//! Blocking calls: an operation whose result the calling thread waits for, polling the socket
//! itself.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use linsock_iocp::NtStatus;
use linsock_iocp::afd::address::Address;
use linsock_iocp::afd::endpoint::state::Phase;
use linsock_iocp::afd::network_events::NetworkEvent;
use linsock_iocp::afd::{AcceptPhase, DisconnectMode};
use linsock_iocp::buffer::{Buffers, SendFlags};
use linsock_iocp::clock::Deadline;
use linsock_iocp::driver::Readiness;
use linsock_iocp::file::File;
use linsock_iocp::irp::{Deferred, Done, Irp, Sink, Target};
use linsock_iocp::sync::Lock;
use linsock_iocp::thread::{self, Thread};
use linsock_iocp::wait::{self, Blocked, Step};
use rustix::event::PollFlags;

use super::accept::Accepted;
use super::transfer::RecvOptions;
use super::{Socket, Started};
use crate::transport::tcp::Next;

/// The result of a blocking call, put there by whichever thread finishes it.
#[derive(Debug)]
pub struct SyncResult {
    done: Lock<Option<Done>>,
    caller: Arc<Thread>,
}

impl SyncResult {
    /// For the calling thread.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { done: Lock::default(), caller: thread::current() })
    }

    /// An IRP that completes into this.
    pub fn irp(self: &Arc<Self>, buffers: Buffers) -> Irp {
        Irp::new(Target::Sink { sink: Arc::clone(self) as Arc<dyn Sink>, packet: false }, buffers)
    }

    pub(crate) fn is_done(&self) -> bool {
        self.done.lock().is_some()
    }

    /// The result, taken.
    pub fn take(&self) -> Option<Done> {
        self.done.lock().take()
    }

    pub(crate) fn key(self: &Arc<Self>) -> usize {
        Arc::as_ptr(self).addr()
    }
}

impl Sink for SyncResult {
    fn complete(&self, done: Done) -> Option<Waker> {
        *self.done.lock() = Some(done);
        self.caller.wake();
        None
    }

    fn is_attended(&self) -> bool {
        true
    }
}

/// WSAEINPROGRESS: a blocking call inside an APC that interrupted one on the same thread.
const IN_PROGRESS: NtStatus = NtStatus::from_wsa(10036);

impl Socket {
    /// recv: blocks until data, the end of data, or SO_RCVTIMEO; on a non-blocking socket not at
    /// all. Gives the octets received and the memory that `buffers` owned.
    ///
    /// # Errors
    /// WSAEWOULDBLOCK, WSAETIMEDOUT, and by the state.
    pub fn recv_blocking(
        &self,
        buffers: Buffers,
        options: RecvOptions,
    ) -> Result<(usize, Vec<u8>), NtStatus> {
        let result = SyncResult::new();
        let started = self.recv(result.irp(buffers), options)?;
        let timeout = self.lock().options.receive_timeout();
        self.finish_blocking(started, &result, timeout)
    }

    /// Receives a message whole, however long it is; blocks for it.
    ///
    /// # Errors
    /// WSAEDISCON, and by the state.
    pub fn recv_message_blocking(&self) -> Result<Vec<u8>, NtStatus> {
        let result = SyncResult::new();
        let started = self.recv(result.irp(Buffers::for_message()), RecvOptions::default())?;
        let waited = started == Started::Pending;
        let ended = if waited { self.wait_to_end(&result) } else { outcome(&result) };
        ended.map(|(_, message)| message)
    }

    /// send: blocks until the transport has taken everything, or SO_SNDTIMEO. A non-blocking socket
    /// takes what there is room for.
    ///
    /// # Errors
    /// WSAEWOULDBLOCK when there is no room at all, WSAETIMEDOUT, and by the state.
    pub fn send_blocking(
        &self,
        buffers: Buffers,
        flags: SendFlags,
    ) -> Result<(usize, Vec<u8>), NtStatus> {
        let result = SyncResult::new();
        let started = self.send(result.irp(buffers), flags)?;
        let timeout = self.lock().options.send_timeout();
        let sent = self.finish_blocking(started, &result, timeout);
        if let Err(NtStatus::DEVICE_NOT_READY) = sent {
            self.send_would_block();
        }
        sent
    }

    /// connect: blocks until the connection is made or refused.
    ///
    /// # Errors
    /// WSAECONNREFUSED and its kin, WSAEISCONN, WSAEALREADY, WSAEINVAL.
    pub fn connect_blocking(&self, to: &Address) -> Result<(), NtStatus> {
        if self.is_nonblocking() {
            return self.connect_nonblocking(to);
        }
        let result = SyncResult::new();
        self.connect_pending(result.irp(Buffers::empty()), to)?;
        self.finish_blocking(Started::Pending, &result, None).map(drop)
    }

    /// As [`Self::connect_blocking`], in any blocking mode and until the deadline.
    ///
    /// # Errors
    /// As there; WSAETIMEDOUT, with the attempt given up.
    pub fn connect_waiting(&self, to: &Address, deadline: Deadline) -> Result<(), NtStatus> {
        if wait::is_blocking() {
            return Err(IN_PROGRESS);
        }
        let result = SyncResult::new();
        self.connect_pending(result.irp(Buffers::empty()), to)?;
        self.wait_until(&result, deadline).map(drop)
    }

    /// accept without a handle for the connection yet.
    ///
    /// # Errors
    /// WSAEWOULDBLOCK, WSAEINVAL when the socket does not listen, WSAEMFILE.
    pub fn accept_blocking(self: &Arc<Self>) -> Result<Accepted, NtStatus> {
        let (result, slot) = (SyncResult::new(), Arc::new(Lock::new(None)));
        let mut after = Deferred::default();
        let pending = self.accept_pending(result.irp(Buffers::empty()), &slot, &mut after);
        after.run();
        pending?;
        let finished = self.finish_blocking(Started::Pending, &result, None);
        // Once nothing is pending any more: what is left in the backlog is for the next accept.
        self.called(NetworkEvent::Accept);
        finished?;
        let accepted = slot.lock().take();
        accepted.ok_or(NtStatus::CANCELLED)
    }

    /// DisconnectEx without an OVERLAPPED: blocks until it is over, whatever the blocking mode.
    ///
    /// # Errors
    /// WSAENOTCONN; what ended the wait.
    pub fn disconnect_blocking(&self, mode: DisconnectMode) -> Result<(), NtStatus> {
        let result = SyncResult::new();
        self.disconnect(result.irp(Buffers::empty()), mode)?;
        self.wait_to_end(&result).map(drop)
    }

    /// A receive on a socket that was not opened for overlapped I/O: blocks even with an
    /// OVERLAPPED, in any blocking mode and without a limit (`test_nonblocking_async_recv`). Gives
    /// the octets.
    ///
    /// # Errors
    /// By the state.
    pub fn recv_waiting(&self, buffers: Buffers, options: RecvOptions) -> Result<usize, NtStatus> {
        let result = SyncResult::new();
        let started = self.recv(result.irp(buffers), options)?;
        self.wait_out(started, &result)
    }

    /// A send on such a socket.
    ///
    /// # Errors
    /// By the state.
    pub fn send_waiting(&self, buffers: Buffers, flags: SendFlags) -> Result<usize, NtStatus> {
        let result = SyncResult::new();
        let started = self.send(result.irp(buffers), flags)?;
        self.wait_out(started, &result)
    }

    pub(super) fn wait_out(
        &self,
        started: Started,
        result: &Arc<SyncResult>,
    ) -> Result<usize, NtStatus> {
        if started == Started::Pending {
            if wait::is_blocking() {
                return self.give_up(result, IN_PROGRESS).map(|(bytes, _)| bytes);
            }
            return self.wait_to_end(result).map(|(bytes, _)| bytes);
        }
        outcome(result).map(|(bytes, _)| bytes)
    }

    pub(super) fn finish_blocking(
        &self,
        started: Started,
        result: &Arc<SyncResult>,
        timeout: Option<Duration>,
    ) -> Result<(usize, Vec<u8>), NtStatus> {
        if started == Started::Pending && !result.is_done() {
            if self.is_nonblocking() {
                return self.give_up(result, NtStatus::DEVICE_NOT_READY);
            }
            if wait::is_blocking() {
                return self.give_up(result, IN_PROGRESS);
            }
            let deadline = timeout.map_or(Deadline::Never, Deadline::after);
            return self.wait_until(result, deadline);
        }
        outcome(result)
    }

    /// Waits for the result as long as it takes, unless CancelSynchronousIo ends that.
    fn wait_to_end(&self, result: &Arc<SyncResult>) -> Result<(usize, Vec<u8>), NtStatus> {
        self.wait_until(result, Deadline::Never)
    }

    fn wait_until(
        &self,
        result: &Arc<SyncResult>,
        deadline: Deadline,
    ) -> Result<(usize, Vec<u8>), NtStatus> {
        match self.wait_on(&|| result.is_done(), deadline) {
            Blocked::Over => outcome(result),
            Blocked::TimedOut => self.give_up(result, NtStatus::IO_TIMEOUT),
            Blocked::Cancelled => self.give_up(result, NtStatus::CANCELLED),
        }
    }

    /// Takes the operation back. If it was over after all, that counts; if part of a send is gone,
    /// that part is the result.
    fn give_up(
        &self,
        result: &Arc<SyncResult>,
        status: NtStatus,
    ) -> Result<(usize, Vec<u8>), NtStatus> {
        let key = result.key();
        self.cancel_operations(&|irp| irp.key() == key);
        let done = result.take().ok_or(status)?;
        match done.status {
            NtStatus::CANCELLED if done.buffers.done() > 0 => {
                Ok((done.buffers.done(), done.buffers.into_vec()))
            }
            NtStatus::CANCELLED => Err(status),
            other if other.is_success() => Ok((done.bytes, done.buffers.into_vec())),
            other => Err(other),
        }
    }

    /// Waits until `over`, performing what becomes possible on the socket.
    fn wait_on(&self, over: &dyn Fn() -> bool, deadline: Deadline) -> Blocked {
        wait::block_on(deadline, |ready| {
            if ready {
                let mut after = Deferred::default();
                self.handle_ready(Readiness::UNKNOWN, &mut after);
                after.run();
            }
            if over() { Step::Over } else { self.lock().next_step() }
        })
    }
}

impl super::Inner {
    /// What a blocked thread polls for: what the pending operations wait for, and nothing else, or
    /// it would spin on what is ready already and helps nobody.
    fn next_step(&mut self) -> Step {
        let (datagrams, outgoing) = self.waiting_datagrams();
        let accepts = self.endpoint.next_accept().is_some();
        let receives = self.endpoint.has_receives()
            || self.endpoint.accept_phase() == AcceptPhase::FirstReceive;
        let connects = matches!(self.endpoint.phase(), Phase::Connecting | Phase::ConnectingEx);
        // Unread data stands before the FIN; whoever reads it looks for the FIN behind it.
        let awaits_fin = self.fin_wait.is_awaited() && !receives && self.peek() != Next::Data;
        let mut interest = PollFlags::empty();
        if accepts || receives || awaits_fin || datagrams {
            interest |= PollFlags::IN | PollFlags::RDHUP;
        }
        if connects || self.endpoint.has_sends() || outgoing {
            interest |= PollFlags::OUT;
        }
        match self.tcp.shared_fd() {
            Some(fd) if !interest.is_empty() => Step::Ready(fd, interest),
            _ => Step::Woken,
        }
    }
}

fn outcome(result: &Arc<SyncResult>) -> Result<(usize, Vec<u8>), NtStatus> {
    let done = result.take().ok_or(NtStatus::CANCELLED)?;
    if done.status.is_success() {
        Ok((done.bytes, done.buffers.into_vec()))
    } else {
        Err(done.status)
    }
}

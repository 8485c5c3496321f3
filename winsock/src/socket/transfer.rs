//! send and recv: the hot path.

mod progress;

use linsock_iocp::NtStatus;
use linsock_iocp::afd::network_events::NetworkEvent;
use linsock_iocp::afd::{Indication, Receive, Start};
use linsock_iocp::buffer::{Buffers, RecvFlags, SendFlags};
use linsock_iocp::irp::{self, Deferred, Irp, Timing};
use rustix::io::Errno;

use super::operation::{Kind, Operation};
use super::{Inner, Socket, Started};
use crate::transport::status_of;
use crate::transport::tcp::{Next, Tcp};

/// How a receive takes data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecvOptions {
    /// MSG_OOB, MSG_PEEK.
    pub flags: RecvFlags,
    /// MSG_PEEK: the data stays.
    pub peek: bool,
    /// MSG_WAITALL: complete when the buffers are full, not before.
    pub wait_all: bool,
}

impl RecvOptions {
    /// The network event that a receive with these options enables again.
    #[inline]
    pub(super) fn enables(self) -> NetworkEvent {
        if self.flags.is_urgent() { NetworkEvent::Oob } else { NetworkEvent::Read }
    }
}

/// The outcome of one attempt at a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// Over: this many octets.
    Done(usize),
    /// Nothing, or not everything yet.
    Wait,
    /// Over: this many octets, and the message goes on.
    Cut(usize),
    /// The peer's FIN is next.
    Fin,
    /// This operation failed, not the connection.
    Refused(NtStatus),
    /// The connection failed.
    Failed(Errno),
}

impl Socket {
    /// Starts a receive.
    ///
    /// A receive that finishes here tells its completion too (packet, event) unless the modes skip
    /// it.
    ///
    /// # Errors
    /// By the state of the endpoint; nobody but the caller is told.
    pub fn recv(&self, mut irp: Irp, options: RecvOptions) -> Result<Started, NtStatus> {
        if self.is_datagram() {
            return self.recv_from(irp, options, None);
        }
        irp.begin(&self.core);
        let mut after = Deferred::default();
        let mut inner = self.lock();
        let started = match inner.start_recv(self, &mut irp, options, &mut after) {
            None => {
                inner.pend_recv(self, &mut irp, options);
                Ok(Started::Pending)
            }
            Some(over) => over,
        };
        irp::discard(irp);
        inner.reenable(self, options.enables());
        inner.settle(self, &mut after);
        drop(inner);
        after.run();
        started
    }

    /// Starts a send. A stream send completes when all of it was given to the transport.
    ///
    /// # Errors
    /// By the state of the endpoint; nobody but the caller is told.
    pub fn send(&self, mut irp: Irp, flags: SendFlags) -> Result<Started, NtStatus> {
        if self.is_datagram() {
            return self.send_to(irp, flags, super::Route::default());
        }
        irp.begin(&self.core);
        let mut after = Deferred::default();
        let mut inner = self.lock();
        let started = match inner.start_send(self, &mut irp, flags, &mut after) {
            None => {
                inner.pend_send(self, irp, flags);
                Ok(Started::Pending)
            }
            Some(over) => {
                irp::discard(irp);
                over
            }
        };
        inner.settle(self, &mut after);
        drop(inner);
        after.run();
        started
    }
}

impl Socket {
    /// Receives into a slice without waiting; `None` when it would have to.
    ///
    /// # Errors
    /// By the state of the endpoint.
    pub fn recv_now(&self, into: &mut [u8]) -> Result<Option<usize>, NtStatus> {
        let mut after = Deferred::default();
        let mut inner = self.open()?;
        let received = inner.recv_now(self, into, &mut after);
        inner.reenable(self, NetworkEvent::Read);
        inner.settle(self, &mut after);
        drop(inner);
        after.run();
        received
    }
}

impl Inner {
    fn recv_now(
        &mut self,
        socket: &Socket,
        into: &mut [u8],
        after: &mut Deferred,
    ) -> Result<Option<usize>, NtStatus> {
        match self.admit_recv(socket, after)? {
            Receive::End => return Ok(Some(0)),
            Receive::Behind => return Ok(None),
            Receive::Now => {}
        }
        if self.iso.is_some() {
            // Messages go through an operation, which can tell that one was cut.
            return Ok(None);
        }
        let Some(fd) = self.tcp.fd() else {
            return Ok(None);
        };
        let tried = match rustix::net::recv(fd, into, rustix::net::RecvFlags::DONTWAIT) {
            Ok((_, 0)) => Transfer::Fin,
            Ok((_, received)) => Transfer::Done(received),
            Err(Errno::AGAIN | Errno::INTR) => Transfer::Wait,
            Err(errno) => Transfer::Failed(errno),
        };
        match self.verify_fin(tried, false) {
            Transfer::Done(received) => {
                self.look_ahead();
                Ok(Some(received))
            }
            unfinished => {
                self.handle_unfinished(unfinished);
                match self.endpoint.recv()? {
                    Receive::End => Ok(Some(0)),
                    Receive::Now | Receive::Behind => Ok(None),
                }
            }
        }
    }

    /// The first look at a receive; `None` when it has to wait, and the IRP with it.
    #[inline]
    fn start_recv(
        &mut self,
        socket: &Socket,
        irp: &mut Irp,
        options: RecvOptions,
        after: &mut Deferred,
    ) -> Option<Result<Started, NtStatus>> {
        match self.admit_recv(socket, after) {
            Err(status) => {
                irp.refuse(status);
                return Some(Err(status));
            }
            Ok(Receive::End) if self.iso.is_some() => {
                irp.refuse(NtStatus::GRACEFUL_DISCONNECT);
                return Some(Err(NtStatus::GRACEFUL_DISCONNECT));
            }
            Ok(Receive::End) => {
                irp.complete(&socket.core, Timing::Inline, NtStatus::SUCCESS, 0, after);
                return Some(Ok(Started::Done(0)));
            }
            Ok(Receive::Behind) => return None,
            Ok(Receive::Now) => {}
        }
        // A call that is not overlapped must know, not guess.
        if !(self.tcp.readable || self.iso.is_some() || irp.is_attended()) {
            return None;
        }
        let tried = self.try_recv(irp, options);
        match self.verify_fin(tried, false) {
            Transfer::Wait => None,
            tried => Some(self.end_recv(socket, irp, tried, after)),
        }
    }

    #[inline]
    fn pend_recv(&mut self, socket: &Socket, irp: &mut Irp, options: RecvOptions) {
        irp.pended(&socket.core);
        let attended = irp.is_attended();
        self.endpoint.queue_recv(Operation::new(irp.take(), Kind::Recv(options)));
        if !attended {
            self.watch_edges(socket);
        }
    }

    /// Ends a receive whose first attempt has decided it.
    #[inline]
    fn end_recv(
        &mut self,
        socket: &Socket,
        irp: &mut Irp,
        tried: Transfer,
        after: &mut Deferred,
    ) -> Result<Started, NtStatus> {
        match tried {
            Transfer::Done(bytes) => {
                irp.complete(&socket.core, Timing::Inline, NtStatus::SUCCESS, bytes, after);
                // Reading on may have uncovered the FIN that a disconnect waits for.
                self.look_ahead();
                Ok(Started::Done(bytes))
            }
            // A warning, not an error: it completes as what has pended does.
            Transfer::Cut(bytes) => {
                irp.pended(&socket.core);
                irp.complete(&socket.core, Timing::Pended, NtStatus::BUFFER_OVERFLOW, bytes, after);
                Ok(Started::Pending)
            }
            Transfer::Fin if self.iso.is_some() => {
                irp.refuse(NtStatus::GRACEFUL_DISCONNECT);
                self.endpoint.handle_indication(Indication::PeerFin);
                Err(NtStatus::GRACEFUL_DISCONNECT)
            }
            Transfer::Wait => Err(refuse_lost(irp, Some(NtStatus::DEVICE_NOT_READY))),
            Transfer::Fin => {
                let bytes = irp.buffers.done();
                irp.complete(&socket.core, Timing::Inline, NtStatus::SUCCESS, bytes, after);
                self.endpoint.handle_indication(Indication::PeerFin);
                Ok(Started::Done(bytes))
            }
            Transfer::Refused(status) => {
                irp.refuse(status);
                Err(status)
            }
            Transfer::Failed(errno) => {
                self.handle_failure(errno);
                let status = self.endpoint.recv().err();
                Err(refuse_lost(irp, status))
            }
        }
    }

    /// The endpoint's admission, after what the transport may have to say about the end.
    #[inline(always)]
    fn admit_recv(&mut self, socket: &Socket, after: &mut Deferred) -> Result<Receive, NtStatus> {
        if self.closed {
            return Err(NtStatus::INVALID_HANDLE);
        }
        let admitted = self.endpoint.recv();
        if admitted == Ok(Receive::End) && self.tcp.unverified {
            if let Some(errno) = self.tcp.take_error() {
                self.handle_failure_after_fin(errno);
            }
            return self.endpoint.recv();
        }
        if admitted == Err(NtStatus::INVALID_CONNECTION) && self.finish_connect(socket, after) {
            return self.endpoint.recv();
        }
        admitted
    }

    /// The first look at a send; `None` when it has to wait, and the IRP with it.
    #[inline]
    fn start_send(
        &mut self,
        socket: &Socket,
        irp: &mut Irp,
        flags: SendFlags,
        after: &mut Deferred,
    ) -> Option<Result<Started, NtStatus>> {
        let start = match self.admit_send(socket, after) {
            Ok(start) => start,
            Err(status) => {
                irp.refuse(status);
                return Some(Err(status));
            }
        };
        if start == Start::Behind || !(self.tcp.writable || irp.is_attended()) {
            return None;
        }
        match self.try_send(irp, flags) {
            Transfer::Done(bytes) => {
                irp.complete(&socket.core, Timing::Inline, NtStatus::SUCCESS, bytes, after);
                Some(Ok(Started::Done(bytes)))
            }
            Transfer::Refused(status) => {
                irp.refuse(status);
                Some(Err(status))
            }
            Transfer::Failed(errno) => {
                self.handle_failure(errno);
                let status = self.endpoint.send().err();
                Some(Err(refuse_lost(irp, status)))
            }
            Transfer::Wait | Transfer::Fin | Transfer::Cut(_) => None,
        }
    }

    /// The endpoint's admission, after what the transport may have to say about a connect.
    #[inline(always)]
    pub(super) fn admit_send(
        &mut self,
        socket: &Socket,
        after: &mut Deferred,
    ) -> Result<Start, NtStatus> {
        match self.endpoint.send() {
            _ if self.closed => Err(NtStatus::INVALID_HANDLE),
            Err(NtStatus::INVALID_CONNECTION) if self.finish_connect(socket, after) => {
                self.endpoint.send()
            }
            admitted => admitted,
        }
    }

    fn pend_send(&mut self, socket: &Socket, irp: Irp, flags: SendFlags) {
        irp.pended(&socket.core);
        let attended = irp.is_attended();
        self.endpoint.queue_send(Operation::new(irp, Kind::Send(flags)));
        if !attended {
            self.watch_room(socket);
        }
    }

    /// One attempt to receive.
    #[inline(always)]
    pub(super) fn try_recv(&mut self, irp: &mut Irp, options: RecvOptions) -> Transfer {
        if self.iso.is_some() {
            return self.try_recv_message(irp, options);
        }
        recv_stream(&mut self.tcp, &mut irp.buffers, options)
    }

    /// One attempt to send.
    #[inline(always)]
    pub(super) fn try_send(&mut self, irp: &mut Irp, flags: SendFlags) -> Transfer {
        if self.iso.is_some() {
            return self.try_send_message(irp, flags);
        }
        send_stream(&mut self.tcp, &mut irp.buffers, flags)
    }

    /// An end of data may hide a reset: the kernel keeps giving 0 after a FIN, and tells the reset
    /// that answered our later data only as a waiting error. `clean` says that the driver has
    /// reported the end without an error. An error that another process was told is told no more.
    #[inline(always)]
    pub(super) fn verify_fin(&mut self, tried: Transfer, clean: bool) -> Transfer {
        if tried == Transfer::Fin { self.verify(clean) } else { tried }
    }

    #[inline(never)]
    fn verify(&mut self, clean: bool) -> Transfer {
        if !clean
            && self.tcp.unverified
            && let Some(errno) = self.tcp.take_error()
        {
            return Transfer::Failed(errno);
        }
        let is_reset = self.was_reset_elsewhere();
        if is_reset { Transfer::Failed(Errno::CONNRESET) } else { Transfer::Fin }
    }

    /// What an attempt says of the connection when it did not finish its operation.
    fn handle_unfinished(&mut self, tried: Transfer) {
        match tried {
            Transfer::Fin => self.endpoint.handle_indication(Indication::PeerFin),
            Transfer::Failed(errno) => self.handle_failure(errno),
            Transfer::Wait | Transfer::Done(_) | Transfer::Cut(_) | Transfer::Refused(_) => {}
        }
    }

    /// What a receive gives at the end of the peer's data: messages have no empty one to tell it by
    /// (WSARecv page, WSAEDISCON).
    pub(super) const fn status_of_the_end(&self) -> NtStatus {
        match self.iso {
            Some(_) => NtStatus::GRACEFUL_DISCONNECT,
            None => NtStatus::SUCCESS,
        }
    }
}

/// One attempt to receive from a stream.
#[inline(always)]
fn recv_stream(tcp: &mut Tcp, buffers: &mut Buffers, options: RecvOptions) -> Transfer {
    loop {
        let room = buffers.offered();
        if room == 0 {
            return wait_for_data(tcp);
        }
        let Some(fd) = tcp.fd() else {
            return Transfer::Wait;
        };
        let received = match buffers.recv(fd, options.flags) {
            Ok(0) => return Transfer::Fin,
            Ok(received) => received,
            Err(Errno::AGAIN | Errno::INTR) => {
                tcp.readable = false;
                return Transfer::Wait;
            }
            Err(errno @ (Errno::FAULT | Errno::INVAL | Errno::NOMEM)) => {
                return Transfer::Refused(status_of(errno));
            }
            Err(errno) => return Transfer::Failed(errno),
        };
        if options.peek {
            return Transfer::Done(received);
        }
        if received < room && !tcp.more_follows {
            tcp.readable = false;
        }
        if !options.wait_all || buffers.remaining() == 0 {
            return Transfer::Done(buffers.done());
        }
        if !tcp.readable {
            return Transfer::Wait;
        }
    }
}

/// A receive without room waits for data and leaves it there (`test_empty_recv`).
#[cold]
fn wait_for_data(tcp: &mut Tcp) -> Transfer {
    match tcp.peek() {
        Next::Data => Transfer::Done(0),
        Next::Nothing => Transfer::Wait,
        Next::Fin => Transfer::Fin,
        Next::Failed(errno) => Transfer::Failed(errno),
    }
}

/// One attempt to send to a stream.
#[inline(always)]
pub(super) fn send_stream(tcp: &mut Tcp, buffers: &mut Buffers, flags: SendFlags) -> Transfer {
    while buffers.remaining() > 0 {
        let Some(fd) = tcp.fd() else {
            return Transfer::Wait;
        };
        match buffers.send(fd, flags) {
            Ok(_) => tcp.unverified = true,
            Err(Errno::AGAIN) => {
                tcp.writable = false;
                return Transfer::Wait;
            }
            Err(Errno::INTR) => {}
            Err(errno @ (Errno::FAULT | Errno::INVAL | Errno::NOMEM | Errno::OPNOTSUPP)) => {
                return Transfer::Refused(status_of(errno));
            }
            Err(errno) => return Transfer::Failed(errno),
        }
    }
    // An empty send on a descriptor that is gone waits, as any other.
    if tcp.fd().is_some() { Transfer::Done(buffers.done()) } else { Transfer::Wait }
}

/// Refuses an operation whose attempt found the connection lost, with what the endpoint says now.
fn refuse_lost(irp: &mut Irp, status: Option<NtStatus>) -> NtStatus {
    let status = status.unwrap_or(NtStatus::CONNECTION_RESET);
    irp.refuse(status);
    status
}

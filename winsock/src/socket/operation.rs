//! One operation of a socket: its IRP, and what the socket has to know to perform it.

use linsock_iocp::NtStatus;
use linsock_iocp::file::FileCore;
use linsock_iocp::irp::{Deferred, Irp, Timing};

use super::Socket;
use super::accept::AcceptCall;
use super::datagram::{Route, SenderArea};
use super::packets::Packets;
use super::transfer::RecvOptions;
use super::transmit::Transmission;
use linsock_iocp::buffer::SendFlags;

/// An operation of a socket.
#[derive(Debug)]
pub struct Operation {
    /// The IRP.
    pub irp: Irp,
    /// What it does.
    pub kind: Kind,
}

/// What an operation does.
#[derive(Debug)]
pub enum Kind {
    /// Receives.
    Recv(RecvOptions),
    /// Sends.
    Send(SendFlags),
    /// Connects, and then sends the IRP's buffers, if any.
    Connect,
    /// Receives a datagram. Boxed, as the next: every stream would carry the room.
    RecvFrom(RecvOptions, Option<Box<SenderArea>>),
    /// Sends a datagram.
    SendTo(SendFlags, Option<Box<Route>>),
    /// Sends memory and files as datagrams. Boxed: it is large and rare.
    SendPackets(Box<Packets>),
    /// Sends memory and files, and may then disconnect. Boxed: it is large and rare.
    Transmit(Box<Transmission>),
    /// Disconnects.
    Disconnect,
    /// Accepts. Boxed: it is large and rare beside the transfers.
    Accept(Box<AcceptCall>),
}

impl Operation {
    /// A new operation.
    #[inline]
    pub const fn new(irp: Irp, kind: Kind) -> Self {
        Self { irp, kind }
    }

    /// Whether nothing of it has to be dropped.
    #[inline]
    pub(super) fn is_bare(&self) -> bool {
        self.irp.is_bare() && matches!(self.kind, Kind::Recv(_) | Kind::Send(_))
    }

    /// How it receives, if it does.
    #[inline]
    pub(super) fn recv_options(&self) -> RecvOptions {
        match self.kind {
            Kind::Recv(options) => options,
            _ => RecvOptions::default(),
        }
    }

    /// The octets that it has moved so far. They are told however it ends: a cancelled receive with
    /// MSG_WAITALL has taken them from the connection, and a cancelled send has given them to it.
    pub(super) fn moved(&self) -> usize {
        match &self.kind {
            Kind::Recv(_) | Kind::Connect | Kind::Send(_) => self.irp.buffers.done(),
            Kind::Transmit(transmission) => transmission.sent(),
            Kind::SendPackets(packets) => packets.sent(),
            Kind::RecvFrom(..) | Kind::SendTo(..) | Kind::Disconnect | Kind::Accept(_) => 0,
        }
    }

    /// Asks the processor for what the end of the operation writes, a system call ahead.
    #[inline]
    pub(super) fn fetch(&self) {
        self.irp.fetch();
        if let Kind::Accept(call) = &self.kind {
            call.fetch();
        }
    }

    /// Tells the end of an operation of `socket` (for an accept: of its listener, whose port and
    /// key the packet goes to).
    #[inline]
    pub(super) fn complete(
        &mut self,
        socket: &Socket,
        timing: Timing,
        status: NtStatus,
        bytes: usize,
        after: &mut Deferred,
    ) {
        match &self.kind {
            Kind::Accept(call) => {
                self.irp.complete(call.listener.core(), timing, status, bytes, after);
            }
            _ => self.irp.complete(&socket.core, timing, status, bytes, after),
        }
    }

    /// The file that an operation of `socket` was asked of: an accept, of its listener.
    pub(super) fn file<'a>(&'a self, socket: &'a Socket) -> &'a FileCore {
        match &self.kind {
            Kind::Accept(call) => call.listener.core(),
            _ => &socket.core,
        }
    }
}

impl super::Inner {
    /// Tells the end of an operation that the endpoint has given up.
    pub(super) fn finish(
        &mut self,
        socket: &Socket,
        mut operation: Operation,
        timing: Timing,
        status: NtStatus,
        after: &mut Deferred,
    ) {
        let status = match &operation.kind {
            Kind::Recv(_) if status.is_success() => self.status_of_the_end(),
            _ => status,
        };
        let bytes = operation.moved();
        match &operation.kind {
            Kind::Accept(call) => call.abandon(socket),
            Kind::Disconnect => self.report_the_end(),
            Kind::Transmit(_)
            | Kind::Recv(_)
            | Kind::Send(_)
            | Kind::RecvFrom(..)
            | Kind::SendTo(..)
            | Kind::SendPackets(_)
            | Kind::Connect => {}
        }
        operation.complete(socket, timing, status, bytes, after);
    }
}

//! The progress of transfers that could not finish at once.

use linsock_iocp::NtStatus;
use linsock_iocp::afd::{Endpoint, Indication, Receive};
use linsock_iocp::buffer::SendFlags;
use linsock_iocp::driver::Readiness;
use linsock_iocp::irp::{Deferred, Timing};

use super::super::operation::{Kind, Operation};
use super::super::{Inner, Socket};
use super::{Transfer, recv_stream};

impl Inner {
    /// The driver has reported: finishes what can be finished of a connection's transfers.
    #[inline]
    pub(in crate::socket) fn progress(
        &mut self,
        socket: &Socket,
        readiness: Readiness,
        after: &mut Deferred,
    ) {
        self.progress_recvs(socket, readiness, after);
        if self.endpoint.has_sends() {
            self.progress_sends(socket, after);
        }
        // While data flows, and may flow, nothing more is to be known.
        if self.endpoint.is_open() && !readiness.error() {
            return;
        }
        self.progress_end(readiness);
    }

    /// What is to be known of the end of a connection, beyond its transfers.
    #[inline(never)]
    fn progress_end(&mut self, readiness: Readiness) {
        self.look_ahead();
        self.note_delivery();
        if readiness.error()
            && self.iso.is_none()
            && self.endpoint.recv() == Ok(Receive::End)
            && let Some(errno) = self.tcp.take_error()
        {
            self.handle_failure_after_fin(errno);
        }
    }

    #[inline]
    pub(in crate::socket) fn progress_recvs(
        &mut self,
        socket: &Socket,
        readiness: Readiness,
        after: &mut Deferred,
    ) {
        while let Some(tried) = self.try_first_recv() {
            let (status, bytes) = match tried {
                Transfer::Done(bytes) => (NtStatus::SUCCESS, bytes),
                tried => match self.judge_first_recv(tried, socket, readiness, after) {
                    Some(ended) => ended,
                    None => return,
                },
            };
            let leaving = Leaving(&mut self.endpoint);
            if let Some(first) = leaving.0.first_recv() {
                first.irp.complete(&socket.core, Timing::Pended, status, bytes, after);
            }
            drop(leaving);
            self.endpoint.received();
        }
    }

    /// How the first pending receive ends when it has not just taken data, with the octets that it
    /// moved; `None` when it has ended, or goes on waiting.
    #[inline(never)]
    fn judge_first_recv(
        &mut self,
        tried: Transfer,
        socket: &Socket,
        readiness: Readiness,
        after: &mut Deferred,
    ) -> Option<(NtStatus, usize)> {
        match self.verify_fin(tried, !readiness.error()) {
            Transfer::Done(bytes) => Some((NtStatus::SUCCESS, bytes)),
            Transfer::Cut(bytes) => Some((NtStatus::BUFFER_OVERFLOW, bytes)),
            Transfer::Refused(status) => {
                Some((status, self.endpoint.first_recv().map_or(0, |first| first.moved())))
            }
            Transfer::Fin => {
                self.end_first_recv(socket, after);
                None
            }
            unfinished => {
                self.handle_unfinished(unfinished);
                None
            }
        }
    }

    /// The peer's FIN ends the first pending receive, with what it has.
    fn end_first_recv(&mut self, socket: &Socket, after: &mut Deferred) {
        let status = self.status_of_the_end();
        if let Some(mut operation) = self.endpoint.take_recv() {
            let bytes = operation.irp.buffers.done();
            operation.complete(socket, Timing::Pended, status, bytes, after);
        }
        self.endpoint.handle_indication(Indication::PeerFin);
    }

    #[inline]
    pub(in crate::socket) fn progress_sends(&mut self, socket: &Socket, after: &mut Deferred) {
        while self.tcp.writable
            && let Some(mut operation) = self.endpoint.take_send()
        {
            let tried = match &mut operation.kind {
                Kind::Send(flags) => self.try_send(&mut operation.irp, *flags),
                Kind::Transmit(transmission) => {
                    transmission.advance(&mut self.tcp, &mut operation.irp.buffers)
                }
                _ => self.try_send(&mut operation.irp, SendFlags::NONE),
            };
            let (status, bytes) = match tried {
                Transfer::Done(sent) if matches!(operation.kind, Kind::Transmit(_)) => {
                    self.end_transmission(socket, operation, sent, after);
                    self.endpoint.sent();
                    continue;
                }
                Transfer::Done(bytes) => (NtStatus::SUCCESS, bytes),
                Transfer::Refused(status) => (status, operation.moved()),
                unfinished => {
                    self.endpoint.return_send(operation);
                    self.handle_unfinished(unfinished);
                    if unfinished == Transfer::Wait && self.tcp.watched().is_some() {
                        self.watch_room(socket);
                    }
                    return;
                }
            };
            operation.complete(socket, Timing::Pended, status, bytes, after);
            self.endpoint.sent();
        }
    }

    /// One attempt at the first pending receive, which stays in its place; `None` without one, or
    /// when there is nothing new to read.
    #[inline]
    fn try_first_recv(&mut self) -> Option<Transfer> {
        if self.iso.is_some() {
            let mut operation = self.endpoint.take_recv()?;
            let options = operation.recv_options();
            let tried = self.try_recv_message(&mut operation.irp, options);
            self.endpoint.return_recv(operation);
            return Some(tried);
        }
        if !self.tcp.readable {
            return None;
        }
        let operation = self.endpoint.first_recv()?;
        operation.fetch();
        let options = operation.recv_options();
        Some(recv_stream(&mut self.tcp, &mut operation.irp.buffers, options))
    }
}

/// The first pending receive leaves, whatever comes between: its memory is the program's again. It
/// ends where it lies, and is not moved for that.
struct Leaving<'a>(&'a mut Endpoint<Operation>);

impl Drop for Leaving<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.0.first_recv().is_some_and(|first| first.is_bare()) {
            std::mem::forget(self.0.take_recv());
        } else {
            drop(self.0.take_recv());
        }
    }
}

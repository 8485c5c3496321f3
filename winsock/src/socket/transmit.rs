//! TransmitFile and TransmitPackets: memory and parts of files, sent in order as one operation,
//! and the end of the connection behind them where that is asked for. The IRP's own memory, if it
//! has any, goes first.
//!
//! A transmission waits among the sends. What ends the connection takes over when it has been
//! handed to the transport, so a second send that was queued meanwhile still goes before the FIN.

use std::collections::VecDeque;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use linsock_iocp::NtStatus;
use linsock_iocp::afd::{DisconnectMode, Start};
use linsock_iocp::buffer::{Buffers, SendFlags};
use linsock_iocp::irp::{Deferred, Irp, Timing};
use linsock_iocp::sys;
use rustix::fs::{OFlags, fcntl_getfl};
use rustix::io::{Errno, pread};
use rustix::net;

use super::blocking::SyncResult;
use super::operation::{Kind, Operation};
use super::transfer::{Transfer, send_stream};
use super::{Inner, Socket, Started};
use crate::transport::status_of;
use crate::transport::tcp::Tcp;

/// What is sent, in order, and what happens then.
#[derive(Debug, Default)]
pub struct Transmission {
    /// What is left; the first piece may have begun.
    pieces: VecDeque<Piece>,
    /// Octets that the transport has.
    sent: usize,
    /// How the connection ends then.
    then: Option<DisconnectMode>,
}

#[derive(Debug)]
enum Piece {
    Memory(Buffers),
    Part(FilePart),
}

/// A part of a file.
#[derive(Clone, Debug)]
pub struct FilePart {
    /// The file, open for reading.
    pub file: Arc<File>,
    /// Where the part begins, in octets.
    pub offset: u64,
    /// How many octets it has.
    pub len: u64,
}

impl Transmission {
    /// Adds memory.
    pub fn push_memory(&mut self, memory: Buffers) {
        if !memory.is_empty() {
            self.pieces.push_back(Piece::Memory(memory));
        }
    }

    /// Adds a part of a file.
    pub fn push_part(&mut self, part: FilePart) {
        if part.len > 0 {
            self.pieces.push_back(Piece::Part(part));
        }
    }

    /// Ends the connection behind it.
    pub const fn disconnect(&mut self, mode: DisconnectMode) {
        self.then = Some(mode);
    }

    /// Octets that the transport has.
    pub(super) const fn sent(&self) -> usize {
        self.sent
    }

    pub(super) const fn then(&self) -> Option<DisconnectMode> {
        self.then
    }

    /// Hands over as much as the transport takes; `head` goes first.
    pub(super) fn advance(&mut self, tcp: &mut Tcp, head: &mut Buffers) -> Transfer {
        if head.remaining() > 0 {
            let tried = self.advance_memory(tcp, head, !self.pieces.is_empty());
            if !matches!(tried, Transfer::Done(_)) {
                return tried;
            }
        }
        while let Some(piece) = self.pieces.pop_front() {
            let more = !self.pieces.is_empty();
            let (tried, piece) = match piece {
                Piece::Memory(mut memory) => {
                    (self.advance_memory(tcp, &mut memory, more), Piece::Memory(memory))
                }
                Piece::Part(mut part) => {
                    let before = part.len;
                    let tried = part.advance(tcp);
                    // What sendfile takes at once fits.
                    self.sent += usize::try_from(before - part.len).unwrap_or(0);
                    (tried, Piece::Part(part))
                }
            };
            if !matches!(tried, Transfer::Done(_)) {
                self.pieces.push_front(piece);
                return tried;
            }
        }
        Transfer::Done(self.sent)
    }

    fn advance_memory(&mut self, tcp: &mut Tcp, memory: &mut Buffers, more: bool) -> Transfer {
        let flags = if more { SendFlags::NONE.more() } else { SendFlags::NONE };
        let before = memory.done();
        let tried = send_stream(tcp, memory, flags);
        self.sent += memory.done() - before;
        tried
    }
}

impl FilePart {
    /// The most that one system call is asked for: Linux takes no more (sendfile(2)).
    const AT_ONCE: u64 = 0x7fff_f000;

    fn advance(&mut self, tcp: &mut Tcp) -> Transfer {
        while self.len > 0 {
            let Some(fd) = tcp.fd() else { return Transfer::Wait };
            let count = usize::try_from(self.len.min(Self::AT_ONCE)).unwrap_or(0);
            match send_file(fd, &self.file, self.offset, count) {
                Ok(0) => return Transfer::Refused(NtStatus::END_OF_FILE),
                Ok(sent) => {
                    tcp.unverified = true;
                    self.offset += sent as u64;
                    self.len -= sent as u64;
                }
                Err(Errno::AGAIN) => {
                    tcp.writable = false;
                    return Transfer::Wait;
                }
                Err(Errno::INTR) => {}
                Err(errno @ (Errno::INVAL | Errno::NOMEM | Errno::BADF)) => {
                    return Transfer::Refused(status_of(errno));
                }
                Err(Errno::IO) => return Transfer::Refused(NtStatus::IO_DEVICE_ERROR),
                Err(errno) => return Transfer::Failed(errno),
            }
        }
        Transfer::Done(0)
    }
}

/// Sends what the transport takes at once. A program that has the connection as its standard stream
/// may have made all descriptors of it wait, and sendfile(2) has no flag against that.
fn send_file(fd: BorrowedFd<'_>, file: &File, offset: u64, count: usize) -> Result<usize, Errno> {
    if fcntl_getfl(fd).is_ok_and(|flags| flags.contains(OFlags::NONBLOCK)) {
        return sys::send_file(fd, file.as_fd(), offset, count);
    }
    let mut octets = vec![0; count.min(0x1_0000)];
    let read = pread(file, &mut octets, offset)?;
    if read == 0 {
        return Ok(0);
    }
    let flags = net::SendFlags::DONTWAIT | net::SendFlags::NOSIGNAL;
    net::send(fd, &octets[..read], flags)
}

impl Socket {
    /// TransmitFile, TransmitPackets: always pends when it is admitted, even when it is over at
    /// once. Reading the files waits for the disk.
    ///
    /// # Errors
    /// WSAENOTCONN, also of a datagram socket (`test_TransmitFile`); WSAEOPNOTSUPP of a provider
    /// with messages; as a send. Nobody but the caller is told.
    pub fn transmit(&self, irp: Irp, transmission: Transmission) -> Result<(), NtStatus> {
        irp.begin(&self.core);
        let mut after = Deferred::default();
        let (mut inner, mut irp) = self.open_for(irp)?;
        let admitted = inner.admit_transmission(self, &mut after);
        let result = match admitted {
            Err(status) => {
                irp.refuse(status);
                Err(status)
            }
            Ok(start) => {
                inner.queue_transmission(self, irp, transmission, start, &mut after);
                Ok(())
            }
        };
        inner.settle(self, &mut after);
        drop(inner);
        after.run();
        result
    }

    /// The same, waited for in any blocking mode. Gives the octets that were sent.
    ///
    /// # Errors
    /// As [`transmit`](Self::transmit), and what ended it.
    pub fn transmit_waiting(&self, transmission: Transmission) -> Result<usize, NtStatus> {
        let result = SyncResult::new();
        self.transmit(result.irp(Buffers::empty()), transmission)?;
        self.wait_out(Started::Pending, &result)
    }

    /// Whether a transmission would be admitted now.
    ///
    /// # Errors
    /// As [`transmit`](Self::transmit).
    pub fn check_transmit(&self) -> Result<(), NtStatus> {
        let mut after = Deferred::default();
        let mut inner = self.open()?;
        let admitted = inner.admit_transmission(self, &mut after);
        inner.settle(self, &mut after);
        drop(inner);
        after.run();
        admitted.map(drop)
    }
}

impl Inner {
    fn admit_transmission(
        &mut self,
        socket: &Socket,
        after: &mut Deferred,
    ) -> Result<Start, NtStatus> {
        if socket.is_datagram() {
            return Err(NtStatus::INVALID_CONNECTION);
        }
        let start = self.admit_send(socket, after)?;
        if self.iso.is_some() { Err(NtStatus::NOT_SUPPORTED) } else { Ok(start) }
    }

    fn queue_transmission(
        &mut self,
        socket: &Socket,
        irp: Irp,
        transmission: Transmission,
        start: Start,
        after: &mut Deferred,
    ) {
        irp.pended(&socket.core);
        let attended = irp.is_attended();
        let kind = Kind::Transmit(Box::new(transmission));
        self.endpoint.queue_send(Operation::new(irp, kind));
        if start != Start::Behind {
            self.progress_sends(socket, after);
        }
        if self.endpoint.has_sends() && !attended {
            self.watch_room(socket);
        }
    }

    /// The transport has all of a transmission: it ends, or goes on as the disconnect that it asks
    /// for.
    pub(super) fn end_transmission(
        &mut self,
        socket: &Socket,
        mut operation: Operation,
        sent: usize,
        after: &mut Deferred,
    ) {
        let then = match &operation.kind {
            Kind::Transmit(transmission) => transmission.then(),
            _ => None,
        };
        let Some(mode) = then else {
            operation.complete(socket, Timing::Pended, NtStatus::SUCCESS, sent, after);
            return;
        };
        if let Err(refused) = self.endpoint.disconnect(mode, operation)
            && let Some(mut operation) = refused.irp
        {
            operation.complete(socket, Timing::Pended, refused.status, sent, after);
        }
    }
}

//! Datagram sockets: UDP over IPv4 and IPv6.
//!
//! A datagram socket is a socket whose traffic is [`Traffic`]; its connection endpoint stays open
//! for good and so refuses every verb of connections. Waiting, completing, watching and cancelling
//! are those of every socket.
//!
//! That nobody listened at a destination (ICMP port unreachable) is told by a later receive,
//! WSAECONNRESET (recvfrom page), unless SIO_UDP_CONNRESET is off.
//!
//! # Differs from Windows
//! That a datagram's time to live ran out (WSAENETRESET) is not told.

use std::net::SocketAddr;
use std::sync::Arc;

use linsock_iocp::afd::address::{self, Address, Domain, Family};
use linsock_iocp::afd::datagram::Datagrams;
use linsock_iocp::afd::{Shutdown, Start};
use linsock_iocp::buffer::{Beside, Buffers, CheckedMemory, ReceivedDatagram, SendFlags};
use linsock_iocp::irp::{Deferred, Irp, Timing};
use linsock_iocp::sync::Lock;
use linsock_iocp::{NtStatus, sys};
use rustix::io::Errno;
use rustix::net;

use super::blocking::SyncResult;
use super::operation::{Kind, Operation};
use super::passport::Affairs;
use super::transfer::RecvOptions;
use super::{Inner, Socket, Started};
use crate::catalog::Provider;
use crate::transport::{status_of, tcp};

/// What a datagram socket has instead of a connection.
#[derive(Debug)]
pub(super) struct Traffic {
    pub(super) datagrams: Datagrams<Operation>,
    /// Nobody listened at the default destination: the next receive tells.
    unreachable: bool,
    /// SIO_UDP_CONNRESET.
    tells_unreachable: bool,
}

impl Traffic {
    fn new() -> Self {
        Self::with(Datagrams::default(), true)
    }

    pub(super) const fn with(datagrams: Datagrams<Operation>, tells_unreachable: bool) -> Self {
        Self { datagrams, unreachable: false, tells_unreachable }
    }

    pub(super) const fn affairs(&self) -> Affairs {
        let Self { tells_unreachable, .. } = *self;
        Affairs::Datagrams { standing: self.datagrams.standing(), tells_unreachable }
    }
}

/// Where a datagram goes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Route {
    /// To whom; `None` to the default destination.
    pub to: Option<SocketAddr>,
    /// What is said beside it, such as where it leaves from.
    pub beside: Beside,
}

impl Route {
    /// To `to`, or to the default destination.
    pub const fn to(to: Option<SocketAddr>) -> Self {
        Self { to, beside: Beside::NOTHING }
    }

    fn is_default(&self) -> bool {
        self.to.is_none() && self.beside == Beside::NOTHING
    }
}

/// Who is told everything of a datagram that a receive has got.
pub trait Recipient: std::fmt::Debug + Send + Sync {
    /// A datagram came. Called under the socket's lock. False if there was no room for all that is
    /// to be told: then the receive ends as one whose buffers were too small.
    fn receive(&self, datagram: &ReceivedDatagram) -> bool;
}

/// Where a receive puts the sender's address when it is over.
#[derive(Debug)]
pub enum SenderArea {
    /// Whoever wants to know all.
    Recipient(Box<dyn Recipient>),
    /// Memory of a C program: the address, and an `int` for its length.
    Lent {
        /// Room for the address.
        address: CheckedMemory,
        /// Room for the length.
        len: CheckedMemory,
    },
    /// A Rust caller's.
    Slot(Arc<Lock<Option<SocketAddr>>>),
}

impl SenderArea {
    /// False if there was no room.
    fn write(&self, datagram: &ReceivedDatagram) -> bool {
        let from = match (self, &datagram.from) {
            (Self::Recipient(recipient), _) => return recipient.receive(datagram),
            (_, None) => return true,
            (_, Some(from)) => from,
        };
        match self {
            Self::Recipient(_) => {}
            Self::Lent { address, len } => {
                let (octets, count) = address::emit(from);
                address.write(0, &octets[..count]);
                len.write(0, &i32::try_from(count).unwrap_or(0).to_ne_bytes());
            }
            Self::Slot(slot) => *slot.lock() = Some(*from),
        }
        true
    }
}

/// The outcome of an attempt to receive.
enum Received {
    Whole(usize),
    /// The buffers were too small; the rest is gone.
    Cut(usize),
    Nothing,
    Failed(NtStatus),
}

impl Socket {
    /// Creates a datagram socket. It has a descriptor from the beginning.
    ///
    /// # Errors
    /// WSAEMFILE when handles or descriptors ran out; WSAEAFNOSUPPORT.
    pub(super) fn create_datagram(family: Family, overlapped: bool) -> Result<Arc<Self>, NtStatus> {
        let fd = tcp::create_datagram(family)?;
        Self::create_with(Provider::Udp(family), overlapped, |inner| {
            inner.tcp.attach(fd);
            inner.traffic = Some(Box::new(Traffic::new()));
        })
    }

    /// Whether the socket's type is SOCK_DGRAM.
    #[inline]
    pub const fn is_datagram(&self) -> bool {
        self.provider().is_datagram()
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// WSAENOTCONN without a destination, WSAESHUTDOWN, WSAEMSGSIZE, WSAEACCES (broadcast without
    /// SO_BROADCAST), and what the transport refuses; nobody but the caller is told.
    pub fn send_to(&self, irp: Irp, flags: SendFlags, route: Route) -> Result<Started, NtStatus> {
        irp.begin(&self.core);
        let mut after = Deferred::default();
        let (mut inner, irp) = self.open_for(irp)?;
        let started = inner.start_send_to(self, irp, flags, route, &mut after);
        inner.look_for_events(self);
        drop(inner);
        after.run();
        started
    }

    /// Receives a datagram and tells who sent it. One that is longer than the buffers fails with
    /// WSAEMSGSIZE when the buffers are full, and its rest is gone.
    ///
    /// # Errors
    /// WSAEINVAL when not bound, WSAESHUTDOWN; nobody but the caller is told.
    pub fn recv_from(
        &self,
        irp: Irp,
        options: RecvOptions,
        from: Option<SenderArea>,
    ) -> Result<Started, NtStatus> {
        irp.begin(&self.core);
        let mut after = Deferred::default();
        let (mut inner, irp) = self.open_for(irp)?;
        let started = inner.start_recv_from(self, irp, options, from, &mut after);
        inner.reenable(self, options.enables());
        drop(inner);
        after.run();
        started
    }

    /// sendto: blocks until the transport has taken the datagram, unless the socket is
    /// non-blocking.
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to); WSAEWOULDBLOCK, WSAETIMEDOUT.
    pub fn send_to_blocking(
        &self,
        buffers: Buffers,
        flags: SendFlags,
        route: Route,
    ) -> Result<usize, NtStatus> {
        let result = SyncResult::new();
        let started = self.send_to(result.irp(buffers), flags, route)?;
        let timeout = self.lock().options.send_timeout();
        let sent = self.finish_blocking(started, &result, timeout);
        if let Err(NtStatus::DEVICE_NOT_READY) = sent {
            self.send_would_block();
        }
        sent.map(|(octets, _)| octets)
    }

    /// recvfrom: blocks until there is a datagram, unless the socket is non-blocking. Gives the
    /// octets and the memory that `buffers` owned.
    ///
    /// # Errors
    /// As [`recv_from`](Self::recv_from); WSAEWOULDBLOCK, WSAETIMEDOUT, WSAECONNRESET.
    pub fn recv_from_blocking(
        &self,
        buffers: Buffers,
        options: RecvOptions,
        from: Option<SenderArea>,
    ) -> Result<(usize, Vec<u8>), NtStatus> {
        let result = SyncResult::new();
        let started = self.recv_from(result.irp(buffers), options, from)?;
        let timeout = self.lock().options.receive_timeout();
        self.finish_blocking(started, &result, timeout)
    }

    /// Receives a datagram into memory of the operation's own; gives the octets, the sender, and
    /// the memory.
    ///
    /// # Errors
    /// As [`recv_from_blocking`](Self::recv_from_blocking).
    pub fn recv_owned_from(
        &self,
        buffers: Buffers,
    ) -> Result<(usize, SocketAddr, Vec<u8>), NtStatus> {
        let slot = Arc::new(Lock::new(None));
        let area = Some(SenderArea::Slot(Arc::clone(&slot)));
        let (octets, buffer) = self.recv_from_blocking(buffers, RecvOptions::default(), area)?;
        let from = slot.lock().take();
        // The kernel names the sender of every datagram of the internet families.
        Ok((octets, from.ok_or(NtStatus::INVALID_ADDRESS)?, buffer))
    }

    /// A send on a socket that was not opened for overlapped I/O: blocks, as
    /// [`send_waiting`](Self::send_waiting).
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to).
    pub fn send_to_waiting(
        &self,
        buffers: Buffers,
        flags: SendFlags,
        route: Route,
    ) -> Result<usize, NtStatus> {
        let result = SyncResult::new();
        let started = self.send_to(result.irp(buffers), flags, route)?;
        self.wait_out(started, &result)
    }

    /// A receive on such a socket.
    ///
    /// # Errors
    /// As [`recv_from`](Self::recv_from).
    pub fn recv_from_waiting(
        &self,
        buffers: Buffers,
        options: RecvOptions,
        from: Option<SenderArea>,
    ) -> Result<usize, NtStatus> {
        let result = SyncResult::new();
        let started = self.recv_from(result.irp(buffers), options, from)?;
        self.wait_out(started, &result)
    }

    /// connect on a datagram socket: sets the default destination, or takes it away when `to` is
    /// `None` (connect page: "the address of all zeros").
    ///
    /// # Errors
    /// What the transport refuses; the destination is as before.
    pub fn set_destination(&self, to: Option<SocketAddr>) -> Result<(), NtStatus> {
        let mut inner = self.open()?;
        let fd = inner.tcp.fd().ok_or(NtStatus::INVALID_PARAMETER)?;
        let done = match &to {
            Some(to) => net::connect(fd, to),
            None => net::connect_unspec(fd),
        };
        done.map_err(status_of)?;
        inner.peer = to.map(Address::Ip);
        if let Some(traffic) = &mut inner.traffic {
            traffic.datagrams.set_connected(to.is_some());
            traffic.unreachable = false;
        }
        // The driver has nothing to report of it.
        inner.look_for_polls(self);
        Ok(())
    }

    /// SIO_UDP_CONNRESET: whether a receive tells that nobody listens where it sent.
    ///
    /// # Errors
    /// WSAEOPNOTSUPP on a socket of another type.
    pub fn tell_unreachable(&self, on: bool) -> Result<(), NtStatus> {
        let mut inner = self.open()?;
        let traffic = inner.traffic.as_mut().ok_or(NtStatus::NOT_SUPPORTED)?;
        traffic.tells_unreachable = on;
        traffic.unreachable &= on;
        let is_v6 = self.domain() == Domain::Ip(Family::Inet6);
        let fd = inner.tcp.fd().ok_or(NtStatus::INVALID_HANDLE)?;
        sys::set_reports(fd, is_v6, on).map_err(|_| NtStatus::NOT_SUPPORTED)
    }

    pub(super) fn bind_datagram(&self, inner: &mut Inner, to: SocketAddr) -> Result<(), NtStatus> {
        if let Some(traffic) = &inner.traffic {
            traffic.datagrams.check_bind()?;
        }
        let fd = inner.tcp.fd().ok_or(NtStatus::INVALID_PARAMETER)?;
        net::bind(fd, &to).map_err(status_of)?;
        if let Some(traffic) = &mut inner.traffic {
            traffic.datagrams.set_bound();
        }
        inner.look_for_events(self);
        Ok(())
    }
}

impl Inner {
    /// shutdown of a datagram socket; `None` on one of another type. The kernel is not told: it
    /// goes on accepting datagrams, and nobody gets an ICMP error (WSARecvDisconnect page).
    pub(super) fn shutdown_datagrams(&mut self, how: Shutdown) -> Option<Result<(), NtStatus>> {
        let traffic = self.traffic.as_mut()?;
        traffic.datagrams.shutdown(how);
        Some(Ok(()))
    }

    fn start_send_to(
        &mut self,
        socket: &Socket,
        mut irp: Irp,
        flags: SendFlags,
        route: Route,
        after: &mut Deferred,
    ) -> Result<Started, NtStatus> {
        let admitted = match &self.traffic {
            Some(traffic) => traffic.datagrams.send(route.to.is_some()),
            None => Err(NtStatus::NOT_SUPPORTED),
        };
        let tried = match admitted {
            Ok(Start::Now) => self.try_send_to(&mut irp.buffers, flags, &route),
            Ok(Start::Behind) => Ok(None),
            Err(status) => Err(status),
        };
        match tried {
            Err(status) => {
                irp.refuse(status);
                return Err(status);
            }
            Ok(Some(octets)) => {
                irp.complete(&socket.core, Timing::Inline, NtStatus::SUCCESS, octets, after);
                return Ok(Started::Done(octets));
            }
            Ok(None) => {}
        }
        irp.pended(&socket.core);
        let attended = irp.is_attended();
        let operation = Operation::new(
            irp,
            Kind::SendTo(flags, (!route.is_default()).then(|| Box::new(route))),
        );
        if let Some(traffic) = &mut self.traffic {
            traffic.datagrams.sends().push_back(operation);
        }
        if !attended {
            self.watch_room(socket);
        }
        Ok(Started::Pending)
    }

    /// One attempt; `None` when there is no room.
    pub(super) fn try_send_to(
        &mut self,
        buffers: &mut Buffers,
        flags: SendFlags,
        route: &Route,
    ) -> Result<Option<usize>, NtStatus> {
        loop {
            let fd = self.tcp.fd().ok_or(NtStatus::INVALID_HANDLE)?;
            match buffers.send_to(fd, flags, route.to.as_ref(), &route.beside) {
                Ok(octets) => {
                    if let Some(traffic) = &mut self.traffic {
                        // The kernel has chosen a port, if there was none.
                        traffic.datagrams.set_bound();
                    }
                    return Ok(Some(octets));
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.tcp.writable = false;
                    return Ok(None);
                }
                // An earlier datagram found nobody: the next receive tells, not this send.
                Err(_) if self.take_reports() => {}
                Err(Errno::CONNREFUSED) => self.note_unreachable(),
                Err(errno) => return Err(status_of_datagram(errno)),
            }
        }
    }

    /// Takes what was reported of earlier datagrams, of which the kernel tells whoever calls next.
    /// False if nothing was: then the call has failed itself.
    #[cold]
    fn take_reports(&mut self) -> bool {
        let Some(fd) = self.tcp.fd() else { return false };
        let reports = sys::take_reports(fd);
        if reports.nobody_listens {
            self.note_unreachable();
        }
        reports.any
    }

    fn note_unreachable(&mut self) {
        if let Some(traffic) = &mut self.traffic {
            traffic.unreachable = traffic.tells_unreachable;
        }
    }

    fn start_recv_from(
        &mut self,
        socket: &Socket,
        mut irp: Irp,
        options: RecvOptions,
        from: Option<SenderArea>,
        after: &mut Deferred,
    ) -> Result<Started, NtStatus> {
        let admitted = match &self.traffic {
            Some(traffic) => traffic.datagrams.recv(),
            None => Err(NtStatus::NOT_SUPPORTED),
        };
        let received = match admitted {
            Ok(Start::Now) => self.try_recv_from(&mut irp, options, from.as_ref()),
            Ok(Start::Behind) => Received::Nothing,
            Err(status) => Received::Failed(status),
        };
        match received {
            Received::Whole(octets) => {
                irp.complete(&socket.core, Timing::Inline, NtStatus::SUCCESS, octets, after);
                return Ok(Started::Done(octets));
            }
            // A warning, not an error: it completes as what has pended does, and is told once.
            Received::Cut(octets) => {
                irp.pended(&socket.core);
                let status = NtStatus::BUFFER_OVERFLOW;
                irp.complete(&socket.core, Timing::Pended, status, octets, after);
                return Ok(Started::Pending);
            }
            Received::Failed(status) => {
                irp.refuse(status);
                return Err(status);
            }
            Received::Nothing => {}
        }
        irp.pended(&socket.core);
        let attended = irp.is_attended();
        let operation = Operation::new(irp, Kind::RecvFrom(options, from.map(Box::new)));
        if let Some(traffic) = &mut self.traffic {
            traffic.datagrams.receives().push_back(operation);
        }
        if !attended {
            self.watch_edges(socket);
        }
        Ok(Started::Pending)
    }

    fn try_recv_from(
        &mut self,
        irp: &mut Irp,
        options: RecvOptions,
        from: Option<&SenderArea>,
    ) -> Received {
        if let Some(traffic) = &mut self.traffic
            && std::mem::take(&mut traffic.unreachable)
        {
            return Received::Failed(NtStatus::PORT_UNREACHABLE);
        }
        loop {
            let Some(fd) = self.tcp.fd() else { return Received::Nothing };
            match irp.buffers.recv_from(fd, options.flags) {
                Ok(datagram) => {
                    let all_told = from.is_none_or(|area| area.write(&datagram));
                    return if datagram.truncated || !all_told {
                        Received::Cut(datagram.octets)
                    } else {
                        Received::Whole(datagram.octets)
                    };
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.tcp.readable = false;
                    return Received::Nothing;
                }
                Err(errno) => {
                    let is_report = self.take_reports();
                    if errno == Errno::CONNREFUSED {
                        self.note_unreachable();
                    }
                    if let Some(traffic) = &mut self.traffic
                        && std::mem::take(&mut traffic.unreachable)
                    {
                        return Received::Failed(NtStatus::PORT_UNREACHABLE);
                    }
                    if !is_report && errno != Errno::CONNREFUSED {
                        return Received::Failed(status_of_datagram(errno));
                    }
                }
            }
        }
    }

    /// The driver has reported: finishes what can be finished.
    pub(super) fn progress_datagrams(&mut self, socket: &Socket, after: &mut Deferred) {
        while self.tcp.readable
            && let Some(mut operation) = self.take_datagram(Datagrams::receives)
        {
            let options = match &operation.kind {
                Kind::RecvFrom(options, _) => *options,
                _ => RecvOptions::default(),
            };
            let area = match &operation.kind {
                Kind::RecvFrom(_, area) => area.as_deref(),
                _ => None,
            };
            let (status, octets) = match self.try_recv_from(&mut operation.irp, options, area) {
                Received::Whole(octets) => (NtStatus::SUCCESS, octets),
                Received::Cut(octets) => (NtStatus::BUFFER_OVERFLOW, octets),
                Received::Failed(status) => (status, 0),
                Received::Nothing => {
                    self.return_datagram(Datagrams::receives, operation);
                    break;
                }
            };
            operation.complete(socket, Timing::Pended, status, octets, after);
        }
        while self.tcp.writable
            && let Some(mut operation) = self.take_datagram(Datagrams::sends)
        {
            let (status, octets) = match self.try_send_operation(&mut operation) {
                Ok(Some(octets)) => (NtStatus::SUCCESS, octets),
                Err(status) => (status, operation.moved()),
                Ok(None) => {
                    self.return_datagram(Datagrams::sends, operation);
                    break;
                }
            };
            operation.complete(socket, Timing::Pended, status, octets, after);
        }
    }

    fn take_datagram(&mut self, queue: QueueOf) -> Option<Operation> {
        queue(&mut self.traffic.as_mut()?.datagrams).pop_front()
    }

    fn return_datagram(&mut self, queue: QueueOf, operation: Operation) {
        if let Some(traffic) = &mut self.traffic {
            queue(&mut traffic.datagrams).push_front(operation);
        }
    }

    /// Cancels the pending datagrams that are chosen (at closesocket all of them, `test_recv` of
    /// AFD); returns how many.
    pub(super) fn cancel_datagrams(
        &mut self,
        socket: &Socket,
        chosen: &dyn Fn(&Irp) -> bool,
        after: &mut Deferred,
    ) -> usize {
        let Some(traffic) = &mut self.traffic else { return 0 };
        let gone = traffic.datagrams.cancel(|operation| chosen(&operation.irp));
        let count = gone.len();
        for mut operation in gone {
            operation.complete(socket, Timing::Pended, NtStatus::CANCELLED, 0, after);
        }
        count
    }

    /// Whether receives, and whether sends wait.
    pub(super) fn waiting_datagrams(&mut self) -> (bool, bool) {
        self.traffic.as_mut().map_or((false, false), |traffic| {
            let receives = !traffic.datagrams.receives().is_empty();
            (receives, !traffic.datagrams.sends().is_empty())
        })
    }
}

type QueueOf = fn(&mut Datagrams<Operation>) -> &mut linsock_iocp::afd::Queue<Operation>;

fn status_of_datagram(errno: Errno) -> NtStatus {
    match errno {
        Errno::MSGSIZE => NtStatus::BUFFER_OVERFLOW,
        Errno::DESTADDRREQ | Errno::NOTCONN => NtStatus::INVALID_CONNECTION,
        other => status_of(other),
    }
}

//! listen, accept, AcceptEx.

mod accepted;
mod crowd;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use linsock_iocp::NtStatus;
use linsock_iocp::afd::address::{Address, Domain};
use linsock_iocp::afd::endpoint::state::{Context, Origin, Verb};
use linsock_iocp::afd::{AcceptPhase, Indication};
use linsock_iocp::buffer::CheckedMemory;
use linsock_iocp::cache;
use linsock_iocp::clock;
use linsock_iocp::driver::{Interest, Readiness};
use linsock_iocp::guardian;
use linsock_iocp::handle::{self, Token};
use linsock_iocp::irp::{Deferred, Irp, Timing};
use linsock_iocp::sync::Lock;

use super::network_events::Selection;
use super::operation::{Kind, Operation};
use super::transfer::{RecvOptions, Transfer};
use super::{Inner, Socket};
use crate::option::SharedOptions;
use crate::transport::{status_of, tcp};
use crowd::Crowd;

pub use accepted::Accepted;

/// How long a listener rests when descriptors, or handles, have run out.
pub const ACCEPT_RETRY: Duration = Duration::from_millis(20);

/// How an AcceptEx buffer is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptLayout {
    /// Octets of first data; 0 completes with the connection.
    pub receive: usize,
    /// Octets reserved for the local address.
    pub local: usize,
    /// Octets reserved for the remote address.
    pub remote: usize,
}

impl AcceptLayout {
    /// For an accept that writes no addresses.
    pub const fn without_addresses(domain: Domain, receive: usize) -> Self {
        Self { receive, local: 0, remote: domain.address_len() + 16 }
    }

    /// AcceptEx page: each area must be 16 octets more than the largest address. A local area of 0
    /// is allowed and left out (`test_AcceptEx`).
    const fn fits(self, domain: Domain) -> bool {
        let least = domain.address_len() + 16;
        (self.local == 0 || self.local >= least) && self.remote >= least
    }
}

/// Where an AcceptEx writes the addresses: behind the first data.
///
/// What is written there is for GetAcceptExSockaddrs only: a length (u32), 4 octets of nothing, and
/// the address. The local address of a connection to a wildcard listener is looked up when it is
/// asked for; its place holds [`DeferredAddress`].
#[derive(Debug)]
pub struct AddressArea(pub CheckedMemory);

/// The stand-in for a local address: length [`DeferredAddress::MARK`], the address family (u32) in
/// the gap, then the socket's token.
#[derive(Clone, Copy, Debug)]
pub struct DeferredAddress;

impl DeferredAddress {
    /// The length that no address has.
    pub const MARK: u32 = u32::MAX;
    /// Octets of the length and the gap behind it.
    pub const HEADER: usize = 8;
    /// Where the address family is.
    pub const FAMILY_AT: usize = 4;

    /// The socket that is behind the header.
    pub fn socket(octets: [u8; 8]) -> Option<Arc<Socket>> {
        Socket::from_token(Token::from_value(u64::from_ne_bytes(octets)))
    }
}

/// What only a listener has, made when it is first needed.
#[derive(Debug, Default)]
pub(super) struct Listening {
    /// The sockets that an AcceptEx of this listener brought a connection, and that waited for
    /// their first data then.
    first_receivers: BTreeSet<Token>,
    /// How many of them there were when those that no longer wait were last left out.
    receivers_kept: usize,
    /// Connections that no accept could take when they came, for the next ones.
    pub(super) deferred: VecDeque<Accepted>,
    crowd: Crowd,
}

impl Listening {
    /// An AcceptEx waits for first data in a handle. Whose data has come is left out when there are
    /// twice as many as there were, so that each costs a bounded time once; the caller holds no
    /// lock but the listener's.
    fn note_receiver(&mut self, token: Token) {
        const FEW: usize = 64;
        self.first_receivers.insert(token);
        if self.first_receivers.len() > (2 * self.receivers_kept).max(FEW) {
            let waits = |socket: Arc<Socket>| {
                socket.lock().endpoint.accept_phase() == AcceptPhase::FirstReceive
            };
            self.first_receivers.retain(|token| Socket::from_token(*token).is_some_and(waits));
            self.receivers_kept = self.first_receivers.len();
        }
    }
}

/// One accept in progress.
#[derive(Debug)]
pub struct AcceptCall {
    pub(super) listener: Arc<Socket>,
    into: Into,
}

#[derive(Debug)]
enum Into {
    /// accept: whoever waits takes the connection.
    Slot(Arc<Lock<Option<Accepted>>>),
    /// AcceptEx.
    /// Without an area (the safe API) the context is current at once.
    Handle { acceptor: Arc<Socket>, layout: AcceptLayout, area: Option<AddressArea> },
}

impl AcceptCall {
    /// The accept failed: its accepting handle is free again. `holder` is the socket whose lock the
    /// caller holds; if that is the accepting one, its endpoint has seen to it itself.
    pub(super) fn abandon(&self, holder: &Socket) {
        if let Into::Handle { acceptor, .. } = &self.into
            && !std::ptr::eq(Arc::as_ptr(acceptor), holder)
        {
            acceptor.lock().give_up_accept();
        }
    }

    /// Asks the processor for what the accept will write when its connection is there.
    pub(super) fn fetch(&self) {
        if let Into::Handle { acceptor, area, .. } = &self.into {
            cache::fetch_file(acceptor);
            if let Some(area) = area {
                area.0.fetch();
            }
        }
    }

    const fn context(&self) -> Context {
        match &self.into {
            Into::Handle { area: Some(_), .. } => Context::AwaitsUpdate,
            Into::Handle { area: None, .. } | Into::Slot(_) => Context::Current,
        }
    }

    fn is_into(&self, socket: &Socket) -> bool {
        match &self.into {
            Into::Handle { acceptor, .. } => std::ptr::eq(Arc::as_ptr(acceptor), socket),
            Into::Slot(_) => false,
        }
    }
}

impl Socket {
    /// Whether an accept may be asked of this socket now.
    ///
    /// # Errors
    /// WSAEINVAL when it does not listen.
    pub fn check_accept(&self) -> Result<(), NtStatus> {
        self.check_listens()?;
        self.lock().endpoint.check(Verb::Accept)
    }

    /// listen page, accept page: a datagram socket does not support them.
    pub(super) const fn check_listens(&self) -> Result<(), NtStatus> {
        if self.is_datagram() { Err(NtStatus::NOT_SUPPORTED) } else { Ok(()) }
    }

    /// AcceptEx: always pends.
    ///
    /// # Errors
    /// WSAEINVAL when this socket does not listen, or the accepting one is bound, connected, or in
    /// another AcceptEx.
    pub fn accept_ex(
        self: &Arc<Self>,
        acceptor: &Arc<Self>,
        mut irp: Irp,
        layout: AcceptLayout,
        area: Option<AddressArea>,
    ) -> Result<(), NtStatus> {
        irp.begin(&self.core);
        let mut after = Deferred::default();
        if let Err(status) = self.reserve(acceptor) {
            irp.refuse(status);
            return Err(status);
        }
        let mut inner = self.lock();
        // Who closes the accepting handle looks for this call when `gone` is set, under this lock.
        let closed = acceptor.gone.is_set().then_some(NtStatus::INVALID_HANDLE);
        if let Some(status) = closed.or_else(|| inner.may_accept().err()) {
            drop(inner);
            acceptor.lock().give_up_accept();
            irp.refuse(status);
            return Err(status);
        }
        irp.pended(&self.core);
        let into = Into::Handle { acceptor: Arc::clone(acceptor), layout, area };
        let call = Box::new(AcceptCall { listener: Arc::clone(self), into });
        inner.endpoint.queue_accept(Operation::new(irp, Kind::Accept(call)));
        inner.place_deferred(self, &mut after);
        inner.watch(self, Interest::Level);
        inner.settle(self, &mut after);
        drop(inner);
        after.run();
        Ok(())
    }

    /// Reserves the accepting handle. One lock at a time: until it is reserved, it may be a
    /// listener itself, whose lock comes before others.
    fn reserve(self: &Arc<Self>, acceptor: &Arc<Self>) -> Result<(), NtStatus> {
        // test_AcceptEx: an acceptor that is a datagram socket.
        let unfit = acceptor.provider() != self.provider();
        if Arc::ptr_eq(self, acceptor) || unfit {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let mut accepting = acceptor.open()?;
        accepting.endpoint.begin_accept()?;
        accepting.accepting_for = Some(self.token());
        Ok(())
    }

    /// Queues an accept whose connection goes to `slot`.
    pub(super) fn accept_pending(
        self: &Arc<Self>,
        irp: Irp,
        slot: &Arc<Lock<Option<Accepted>>>,
        after: &mut Deferred,
    ) -> Result<(), NtStatus> {
        let (mut inner, mut irp) = self.open_for(irp)?;
        let may = self.check_listens().and_then(|()| inner.endpoint.check(Verb::Accept));
        if let Err(status) = may {
            irp.refuse(status);
            return Err(status);
        }
        let into = Into::Slot(Arc::clone(slot));
        let call = Box::new(AcceptCall { listener: Arc::clone(self), into });
        inner.endpoint.queue_accept(Operation::new(irp, Kind::Accept(call)));
        inner.progress_accepts(self, Readiness::UNKNOWN, after);
        inner.settle(self, after);
        Ok(())
    }

    /// Puts a connection back, for the next accept to find first (CF_DEFER).
    pub fn defer(&self, accepted: Accepted) {
        let mut after = Deferred::default();
        let mut inner = self.lock();
        inner.listening().deferred.push_front(accepted);
        inner.place_deferred(self, &mut after);
        inner.settle(self, &mut after);
        drop(inner);
        after.run();
    }

    /// Gives a connection that this listener accepted a handle; it has the listener's properties.
    ///
    /// # Errors
    /// WSAEMFILE.
    pub fn adopt(&self, accepted: Accepted) -> Result<Arc<Self>, NtStatus> {
        let (options, selection) = self.lock().inheritance();
        let socket = Self::create_with(self.provider(), self.overlapped, |inner| {
            inner.options = options;
            inner.selection = selection;
            inner.take_connection(accepted, Context::Current);
        })?;
        socket.set_nonblocking(self.is_nonblocking());
        socket.registered.inherit(&self.registered);
        socket.lock().look_for_events(&socket);
        Ok(socket)
    }

    /// SO_UPDATE_ACCEPT_CONTEXT: the accepted socket takes over the listener's properties.
    ///
    /// # Errors
    /// WSAENOTCONN; WSAEINVAL on a socket that connected.
    pub fn update_accept_context(&self, listener: &Self) -> Result<(), NtStatus> {
        let (options, selection) = listener.lock().inheritance();
        let mut inner = self.lock();
        inner.endpoint.update_context(Origin::Accepted)?;
        // The kernel has copied the listener's options to the connection already.
        inner.options.inherit(options);
        if inner.selection.is_none() && selection.is_some() {
            inner.selection = selection;
            self.set_nonblocking(true);
            inner.look_for_events(self);
        }
        Ok(())
    }

    /// This socket was closed while `listener` was to accept into it.
    pub(super) fn release_accept(&self, listener: Option<&Self>, after: &mut Deferred) {
        let Some(listener) = listener else { return };
        let mut inner = listener.lock();
        inner.endpoint.cancel(
            |operation| matches!(&operation.kind, Kind::Accept(call) if call.is_into(self)),
        );
        inner.settle(listener, after);
    }

    /// Cancels, of the AcceptEx calls of this listener that wait for first data in other handles,
    /// those that are chosen.
    pub(super) fn cancel_first_receives(
        &self,
        receivers: &[Token],
        chosen: &dyn Fn(&Irp) -> bool,
        after: &mut Deferred,
    ) -> usize {
        let mut cancelled = 0;
        for receiver in receivers.iter().filter_map(|token| Self::from_token(*token)) {
            let mut inner = receiver.lock();
            cancelled += inner.endpoint.cancel(|operation| match &operation.kind {
                Kind::Accept(call) => {
                    std::ptr::eq(Arc::as_ptr(&call.listener), self) && chosen(&operation.irp)
                }
                _ => false,
            });
            inner.settle(&receiver, after);
        }
        cancelled
    }
}

impl Inner {
    pub(super) fn listening(&mut self) -> &mut Listening {
        self.listening.get_or_insert_default()
    }

    /// Whether a connection waits that an accept has seen already.
    pub(super) fn has_deferred(&self) -> bool {
        self.listening.as_ref().is_some_and(|listening| !listening.deferred.is_empty())
    }

    /// The sockets that wait, or waited, for first data.
    pub(super) fn first_receivers(&self) -> Vec<Token> {
        let listening = self.listening.as_ref();
        listening.map_or_else(Vec::new, |some| some.first_receivers.iter().copied().collect())
    }

    /// What an accepted socket has from its listener.
    fn inheritance(&self) -> (SharedOptions, Option<Box<Selection>>) {
        (self.options.clone(), self.selection.as_ref().map(|selection| selection.inherited()))
    }

    fn may_accept(&self) -> Result<(), NtStatus> {
        if self.closed {
            return Err(NtStatus::INVALID_HANDLE);
        }
        self.endpoint.check(Verb::Accept)
    }

    /// The AcceptEx that had reserved this handle is over without a connection.
    fn give_up_accept(&mut self) {
        self.endpoint.abandon_accept();
        self.accepting_for = None;
    }

    /// Gives deferred connections to accepts that wait: the driver reports only the backlog.
    pub(super) fn place_deferred(&mut self, socket: &Socket, after: &mut Deferred) {
        while self.has_deferred() && self.endpoint.next_accept().is_some() {
            self.accept_one(socket, after);
        }
    }

    fn take_connection(&mut self, accepted: Accepted, context: Context) {
        self.attach(accepted);
        self.endpoint.handle_accepted(context);
    }

    fn attach(&mut self, accepted: Accepted) {
        self.tcp.attach(accepted.fd);
        self.peer = accepted.peer;
        if let Some(mut link) = accepted.link {
            link.accept();
            self.iso = Some(link);
            self.flush();
        }
        self.connected_at = Some(clock::coarse());
        self.accepting_for = None;
        self.forget_events();
        self.note_reopened();
    }

    /// Takes one connection for the oldest accept.
    fn accept_one(&mut self, socket: &Socket, after: &mut Deferred) {
        let too_small = |operation: &Operation| match &operation.kind {
            Kind::Accept(call) => {
                matches!(&call.into, Into::Handle { layout, .. } if !layout.fits(socket.domain()))
            }
            _ => false,
        };
        let Some(oldest) = self.endpoint.next_accept() else {
            if self.tcp.watched() == Some(Interest::Level) && self.iso.is_none() {
                self.watch(socket, Interest::Paused);
            }
            return;
        };
        if too_small(oldest) {
            // The connection stays in the backlog (test_AcceptEx).
            let waiting = self.has_deferred() || self.tcp.fd().is_some_and(tcp::is_readable);
            if waiting && let Some(operation) = self.endpoint.take_accept() {
                self.finish(socket, operation, Timing::Pended, NtStatus::BUFFER_TOO_SMALL, after);
            }
            return;
        }
        oldest.fetch();
        match self.take_waiting() {
            Ok(None) => {}
            Ok(Some(accepted)) => {
                if let Some(operation) = self.endpoint.take_accept() {
                    self.deliver(socket, operation, accepted, after);
                    self.fetch_accepts();
                }
            }
            Err(status) => self.fail_accept(socket, status, after),
        }
    }

    /// No descriptor could be had for a connection. On Windows the accepting handle exists already,
    /// so an AcceptEx does not fail for want of one: it waits, and is tried again in a while.
    fn fail_accept(&mut self, socket: &Socket, status: NtStatus, after: &mut Deferred) {
        let is_handle = |operation: &Operation| match &operation.kind {
            Kind::Accept(call) => matches!(call.into, Into::Handle { .. }),
            _ => false,
        };
        if !self.endpoint.next_accept().is_some_and(is_handle) {
            if let Some(operation) = self.endpoint.take_accept() {
                self.finish(socket, operation, Timing::Pended, status, after);
            }
            return;
        }
        self.watch(socket, Interest::Paused);
        let token = socket.token();
        guardian::call_after(ACCEPT_RETRY, move || {
            if let Some(listener) = Socket::from_token(token) {
                let mut inner = listener.lock();
                if !inner.closed {
                    inner.watch(&listener, Interest::Level);
                }
            }
        });
    }

    fn take_waiting(&mut self) -> Result<Option<Accepted>, NtStatus> {
        let deferred = self.listening.as_mut().and_then(|listening| listening.deferred.pop_front());
        if let Some(mut accepted) = deferred {
            if let (Some(link), Some(own)) = (&mut accepted.link, &self.iso) {
                // SO_CONNDATA and SO_DISCDATA of the listener are for all its connections.
                link.data.connect.clone_from(&own.data.connect);
                link.data.disconnect.clone_from(&own.data.disconnect);
            }
            return Ok(Some(accepted));
        }
        if self.iso.is_some() {
            return Ok(None);
        }
        let Some(fd) = self.tcp.fd() else {
            return Ok(None);
        };
        if self.tcp.watched() != Some(Interest::Level) && !tcp::is_readable(fd) {
            return Ok(None);
        }
        Ok(tcp::accept(fd)?.map(|(fd, peer)| Accepted { fd, peer, link: None }))
    }

    fn deliver(
        &mut self,
        socket: &Socket,
        mut operation: Operation,
        accepted: Accepted,
        after: &mut Deferred,
    ) {
        let Kind::Accept(call) = &operation.kind else {
            return;
        };
        let acceptor = match &call.into {
            Into::Slot(slot) => {
                *slot.lock() = Some(accepted);
                operation.complete(socket, Timing::Pended, NtStatus::SUCCESS, 0, after);
                return;
            }
            Into::Handle { acceptor, .. } => Arc::clone(acceptor),
        };
        let context = call.context();
        let mut inner = acceptor.lock();
        if inner.endpoint.accept_phase() != AcceptPhase::Waiting {
            // The accepting handle was closed under us: the connection waits for the next accept.
            drop(inner);
            self.listening().deferred.push_back(accepted);
            operation.complete(socket, Timing::Pended, NtStatus::CANCELLED, 0, after);
            return;
        }
        handle::table().fetch_slot(acceptor.handle());
        acceptor.gone.nudge();
        self.write_addresses(&operation, &accepted);
        // Options that the program set on the accepting handle before there was a connection, or
        // that a recycled one has from before.
        let _ = inner.options.apply_beyond(&self.options, &accepted.fd);
        if operation.irp.buffers.is_empty() {
            inner.take_connection(accepted, context);
            inner.look_for_events(&acceptor);
            operation.complete(&acceptor, Timing::Pended, NtStatus::SUCCESS, 0, after);
            return;
        }
        inner.attach(accepted);
        inner.endpoint.queue_first_receive(operation);
        inner.progress_first_receive(&acceptor, after);
        let waits = inner.endpoint.accept_phase() == AcceptPhase::FirstReceive;
        drop(inner);
        if waits {
            self.listening().note_receiver(acceptor.token());
        }
    }

    /// An accepted connection whose AcceptEx waits for its first data may have some.
    pub(super) fn progress_first_receive(&mut self, socket: &Socket, after: &mut Deferred) {
        let Some(mut operation) = self.endpoint.take_first_receive() else {
            return;
        };
        let Kind::Accept(call) = &operation.kind else { return };
        let (listener, context) = (Arc::clone(&call.listener), call.context());
        let tried = self.try_recv(&mut operation.irp, RecvOptions::default());
        let (status, bytes) = match tried {
            Transfer::Wait => {
                self.endpoint.queue_first_receive(operation);
                // The call is the listener's, and so is whoever waits for it.
                return self.watch_through(&listener, socket, Interest::Edges);
            }
            Transfer::Done(bytes) => (NtStatus::SUCCESS, bytes),
            Transfer::Cut(bytes) => (NtStatus::BUFFER_OVERFLOW, bytes),
            Transfer::Fin => (self.status_of_the_end(), 0),
            Transfer::Refused(status) => (status, 0),
            Transfer::Failed(errno) => (status_of(errno), 0),
        };
        self.endpoint.handle_accepted(context);
        if !std::ptr::eq(listener.driver(), socket.driver()) {
            self.tcp.unwatch(listener.driver());
        }
        operation.complete(socket, Timing::Pended, status, bytes, after);
        match tried {
            Transfer::Fin => self.endpoint.handle_indication(Indication::PeerFin),
            Transfer::Failed(errno) => self.handle_failure(errno),
            _ => {}
        }
    }

    fn write_addresses(&self, operation: &Operation, accepted: &Accepted) {
        let Kind::Accept(call) = &operation.kind else {
            return;
        };
        let Into::Handle { acceptor, layout, area: Some(area) } = &call.into else {
            return;
        };
        let write = |at: usize, address: &Address| {
            address.with_octets(|octets| {
                let header = u32::try_from(octets.len()).unwrap_or(0).to_ne_bytes();
                area.0.write(at, &header);
                area.0.write(at + DeferredAddress::HEADER, octets);
            });
        };
        if layout.local > 0 {
            match self.own_address() {
                Some(local) => write(0, local),
                None => {
                    area.0.write(0, &DeferredAddress::MARK.to_ne_bytes());
                    let family = u32::from(acceptor.domain().number()).to_ne_bytes();
                    area.0.write(DeferredAddress::FAMILY_AT, &family);
                    let token = acceptor.token().value().to_ne_bytes();
                    area.0.write(DeferredAddress::HEADER, &token);
                }
            }
        }
        if let Some(peer) = &accepted.peer {
            write(layout.local, peer);
        }
    }
}

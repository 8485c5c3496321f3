//! The socket: an endpoint, the transport it drives, and the lock around both.
//!
//! Every verb takes the lock once, asks the endpoint, makes at most one attempt at the system call,
//! and settles: the endpoint's requests are performed and its completions told until neither is
//! left. Packets are queued under the lock, so that they are in the order of the transfers;
//! wake-ups, which may run the program's code, come after it ([`Deferred`]).
//!
//! Lock order: a listener before a socket that accepts for it; any socket before a port's queue.

mod accept;
mod blocking;
mod close;
mod connect;
mod datagram;
mod disconnect;
mod elsewhere;
mod failure;
mod handles;
mod held;
mod iso;
mod listen;
mod name;
mod network_events;
mod notification;
mod operation;
mod packets;
mod passport;
mod polls;
mod readiness;
mod recent;
mod report;
mod snapshot;
mod time_wait;
mod trace;
mod transfer;
mod transmit;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use linsock_iocp::NtStatus;
use linsock_iocp::afd::address::{Address, Domain};
use linsock_iocp::afd::endpoint::state::Phase;
use linsock_iocp::afd::{AcceptPhase, Completion, Endpoint, Indication, Request};
use linsock_iocp::driver::{Driver, Interest, Readiness};
use linsock_iocp::event::Event;
use linsock_iocp::file::{AlreadyAssociated, File, FileCore};
use linsock_iocp::handle::{self, Handle, Object, Token};
use linsock_iocp::irp::{Deferred, Irp, Timing};
use linsock_iocp::port::CompletionPort;
use linsock_iocp::reactor;
use linsock_iocp::sync::Lock;

use crate::catalog::Provider;
use crate::option::SharedOptions;
use crate::rio::Registered;
use crate::settings;
use crate::transport::tcp::{Next, Tcp};
use held::Held;

pub use accept::{ACCEPT_RETRY, AcceptLayout, Accepted, AddressArea, DeferredAddress};
pub use blocking::SyncResult;
pub use datagram::{Recipient, Route, SenderArea};
pub use disconnect::Awaited;
pub use elsewhere::Emigrant;
pub use iso::UserData;
pub use name::{SocketView, Statistics};
pub use notification::{Events, Lifetime, Trigger, Wish};
pub use operation::{Kind, Operation};
pub use packets::Packets;
pub(crate) use passport::{Reader, Writer};
pub use readiness::PollEvents;
pub use report::{CloseReport, Ending, Side, TcpState};
pub use snapshot::Snapshot;
pub use transfer::{RecvOptions, Transfer};
pub use transmit::{FilePart, Transmission};

/// How an operation that was not refused started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    /// It is over: this many octets.
    Done(usize),
    /// It is in progress; its completion will be told.
    Pending,
}

/// A socket.
#[derive(Debug)]
pub struct Socket {
    core: FileCore,
    provider: Provider,
    overlapped: bool,
    nonblocking: AtomicBool,
    /// It has, or had, more than one handle.
    shared: AtomicBool,
    /// Signaled when the handle is closed, and nudged when another descriptor or none is to be
    /// polled, for those who poll the socket.
    gone: Event,
    /// Signaled when a listener of the ISO provider has a connection: its descriptor does not tell.
    news: Option<Box<Event>>,
    /// The port that notifications were first asked of, whose waiters look at the descriptor of a
    /// socket that is tied to none.
    home: OnceLock<Arc<CompletionPort>>,
    /// What it has of Registered I/O.
    registered: Registered,
    inner: Lock<Inner>,
}

/// What the lock protects.
#[derive(Debug)]
struct Inner {
    endpoint: Endpoint<Operation>,
    tcp: Tcp,
    options: SharedOptions,
    /// What the program bound to; `None` unless it did.
    bound: Option<Address>,
    /// The descriptor is bound to it (binding to any address and port 0 is put off until the port
    /// is asked for: the kernel chooses a port at connect anyway).
    really_bound: bool,
    peer: Option<Address>,
    /// The listener whose AcceptEx waits for this socket.
    accepting_for: Option<Token>,
    /// Boxed, as everything that few sockets have.
    listening: Option<Box<accept::Listening>>,
    /// Why the last non-blocking connect failed, for SO_ERROR.
    connect_error: Option<NtStatus>,
    /// By [`clock::coarse`].
    connected_at: Option<Duration>,
    /// How many connections of the handle this end has finished with.
    ended: u32,
    fin_wait: disconnect::FinWait,
    /// A disconnect waits for the peer's acknowledgement.
    awaits_delivery: bool,
    /// The disconnect that somebody wants a report of.
    ending: Option<Arc<Ending>>,
    /// When the pair leaves TIME_WAIT that a disconnect with reuse waits for.
    reusable_at: Option<Instant>,
    /// What a datagram socket has instead of a connection.
    traffic: Option<Box<datagram::Traffic>>,
    /// What a socket of the ISO provider has besides TCP.
    iso: Option<Box<iso::Link>>,
    /// WSAEventSelect. Boxed: most sockets have none.
    selection: Option<Box<network_events::Selection>>,
    /// ProcessSocketNotifications.
    registration: Option<Box<notification::Registration>>,
    /// IOCTL_AFD_POLL.
    polls: Option<Box<polls::Polls>>,
    /// The handles of a socket that WSADuplicateSocket has given others.
    handles: Option<Box<handles::Handles>>,
    /// What the trace has told; `None`: it was off when the socket was opened.
    trace: Option<Box<trace::Told>>,
    closed: bool,
}

impl Socket {
    /// Creates a socket and enters it into the handle table. No descriptor is made until one is
    /// needed: a socket meant for AcceptEx never needs one of its own. A datagram socket has one
    /// from the beginning.
    ///
    /// # Errors
    /// WSAEMFILE when the table is full or descriptors ran out; WSAEAFNOSUPPORT.
    pub fn create(provider: Provider, overlapped: bool) -> Result<Arc<Self>, NtStatus> {
        settings::begin();
        let created = match provider {
            Provider::Udp(family) => Self::create_datagram(family, overlapped),
            Provider::Iso(class) => Self::create_iso(class, overlapped),
            Provider::Tcp(_) | Provider::Unix => Self::create_with(provider, overlapped, |_| {}),
        };
        created.inspect(recent::note)
    }

    fn create_with(
        provider: Provider,
        overlapped: bool,
        prepare: impl FnOnce(&mut Inner),
    ) -> Result<Arc<Self>, NtStatus> {
        reactor::prepare().map_err(|_| NtStatus::TOO_MANY_OPENED_FILES)?;
        let mut created = None;
        handle::table()
            .insert_with(|handle, token| {
                let socket = Self::build(handle, token, provider, overlapped, prepare);
                Object::File(Arc::clone(created.insert(socket)) as Arc<dyn File>)
            })
            .map_err(|_| NtStatus::TOO_MANY_OPENED_FILES)?;
        let created = created.ok_or(NtStatus::TOO_MANY_OPENED_FILES)?;
        created.begin_trace();
        Ok(created)
    }

    /// As [`create_with`](Self::create_with), under a handle that it had in another process.
    fn create_under(
        handle: Handle,
        provider: Provider,
        overlapped: bool,
        prepare: impl FnOnce(&mut Inner),
    ) -> Result<Arc<Self>, NtStatus> {
        reactor::prepare().map_err(|_| NtStatus::TOO_MANY_OPENED_FILES)?;
        let mut created = None;
        handle::table().adopt(handle, |handle, token| {
            let socket = Self::build(handle, token, provider, overlapped, prepare);
            Object::File(Arc::clone(created.insert(socket)) as Arc<dyn File>)
        });
        let created = created.ok_or(NtStatus::INVALID_PARAMETER)?;
        created.begin_trace();
        Ok(created)
    }

    fn build(
        handle: Handle,
        token: Token,
        provider: Provider,
        overlapped: bool,
        prepare: impl FnOnce(&mut Inner),
    ) -> Arc<Self> {
        let mut inner = Inner::default();
        prepare(&mut inner);
        Arc::new(Self {
            core: FileCore::new(handle, token),
            provider,
            overlapped,
            nonblocking: AtomicBool::new(false),
            shared: AtomicBool::new(false),
            gone: Event::new(true, false),
            news: provider.is_iso().then(|| Box::new(Event::new(true, false))),
            home: OnceLock::new(),
            registered: Registered::default(),
            inner: Lock::new(inner),
        })
    }

    /// Nobody knows the handle yet.
    fn begin_trace(&self) {
        if let Some(told) = trace::Told::begin(self.handle(), self.provider) {
            told.tell_opened();
            self.lock().trace = Some(told);
        }
    }

    /// The handle.
    pub const fn handle(&self) -> Handle {
        self.core.handle()
    }

    /// What carries the socket's traffic.
    #[inline]
    pub const fn provider(&self) -> Provider {
        self.provider
    }

    /// What its addresses look like.
    #[inline]
    pub const fn domain(&self) -> Domain {
        self.provider.domain()
    }

    /// Whether the socket was opened for overlapped I/O.
    #[inline]
    pub const fn is_overlapped(&self) -> bool {
        self.overlapped
    }

    /// FIONBIO.
    pub fn set_nonblocking(&self, on: bool) {
        self.nonblocking.store(on, Ordering::Relaxed);
    }

    /// Whether calls without an OVERLAPPED fail with WSAEWOULDBLOCK rather than block.
    pub fn is_nonblocking(&self) -> bool {
        self.nonblocking.load(Ordering::Relaxed)
    }

    /// Signaled once the handle is closed.
    pub const fn gone(&self) -> &Event {
        &self.gone
    }

    /// What a waiter has to watch beside [`gone`](Self::gone) and the descriptor, if anything.
    pub fn news(&self) -> Option<&Event> {
        self.news.as_deref()
    }

    /// What completion works with.
    #[inline]
    pub const fn core(&self) -> &FileCore {
        &self.core
    }

    /// How the last connection ended, or began to end.
    pub fn close_reason(&self) -> Option<linsock_iocp::afd::CloseReason> {
        self.lock().endpoint.reason()
    }

    /// The state, for tests and tools.
    pub fn phase(&self) -> Phase {
        self.lock().endpoint.phase()
    }

    /// Cancels the pending operations that are chosen: those in this socket's queues, and the
    /// AcceptEx calls of this listener that have a connection and wait for its data. Such a call is
    /// the listener's, not the accepting socket's (`test_AcceptEx`).
    pub fn cancel_operations(&self, chosen: &dyn Fn(&Irp) -> bool) -> usize {
        let mut after = Deferred::default();
        let mut inner = self.lock();
        let is_own = |operation: &Operation| operation.file(self).handle() == self.handle();
        let mut cancelled =
            inner.endpoint.cancel(|operation| is_own(operation) && chosen(&operation.irp));
        cancelled += inner.cancel_datagrams(self, chosen, &mut after);
        inner.settle(self, &mut after);
        let receivers = inner.first_receivers();
        let polls = inner.polls_asked();
        drop(inner);
        cancelled += self.cancel_first_receives(&receivers, chosen, &mut after);
        cancelled += polls.map_or(0, |polls| polls.cancel(chosen, &mut after));
        after.run();
        cancelled
    }

    #[inline]
    fn lock(&self) -> Held<'_> {
        Held::new(&self.inner)
    }

    /// The lock, for a verb: refused once the handle is closed, which another thread may do between
    /// a call's look at the handle table and its turn here.
    #[inline]
    fn open(&self) -> Result<Held<'_>, NtStatus> {
        let inner = self.lock();
        if inner.closed { Err(NtStatus::INVALID_HANDLE) } else { Ok(inner) }
    }

    /// As [`open`](Self::open), for a verb that has an operation, which is given back.
    #[inline]
    fn open_for(&self, mut irp: Irp) -> Result<(Held<'_>, Irp), NtStatus> {
        match self.open() {
            Ok(inner) => Ok((inner, irp)),
            Err(status) => {
                irp.refuse(status);
                Err(status)
            }
        }
    }

    fn driver(&self) -> &Driver {
        match self.own_port() {
            Some(port) => port.driver(),
            None => reactor::reactor().driver(),
        }
    }

    /// The port whose waiters look at the descriptor, if it is one's.
    #[inline]
    fn own_port(&self) -> Option<&Arc<CompletionPort>> {
        match self.core.association() {
            Some(association) => Some(&association.port),
            None => self.home.get(),
        }
    }

    /// An operation of a socket without a port of its own waits.
    #[cold]
    fn note_pending(&self) {
        match self.home.get() {
            Some(port) => port.note_pending(),
            None => reactor::reactor().note_pending(),
        }
    }

    #[inline]
    const fn token(&self) -> Token {
        self.core.token()
    }
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            endpoint: Endpoint::new(),
            tcp: Tcp::default(),
            options: SharedOptions::default(),
            bound: None,
            really_bound: false,
            peer: None,
            accepting_for: None,
            listening: None,
            connect_error: None,
            connected_at: None,
            ended: 0,
            fin_wait: disconnect::FinWait::default(),
            awaits_delivery: false,
            ending: None,
            reusable_at: None,
            traffic: None,
            iso: None,
            selection: None,
            registration: None,
            polls: None,
            handles: None,
            trace: None,
            closed: false,
        }
    }
}

impl Inner {
    fn is_connected(&self) -> bool {
        self.endpoint.state().link().is_some()
    }

    fn waits_for_first_data(&self) -> bool {
        self.endpoint.accept_phase() == AcceptPhase::FirstReceive
    }

    /// Performs the endpoint's requests and tells its completions, until neither is left.
    #[inline]
    fn settle(&mut self, socket: &Socket, after: &mut Deferred) {
        if !self.endpoint.is_settled() {
            self.settle_all(socket, after);
        }
        if self.iso.is_some() {
            self.tend_link(socket);
        }
    }

    fn settle_all(&mut self, socket: &Socket, after: &mut Deferred) {
        loop {
            if let Some(request) = self.endpoint.poll_request() {
                self.perform(socket, request);
            } else if let Some(Completion { irp, status }) = self.endpoint.poll_completion() {
                self.finish(socket, irp, Timing::Pended, status, after);
            } else {
                return;
            }
        }
    }

    fn perform(&mut self, socket: &Socket, request: Request) {
        match request {
            Request::SendFin => self.send_fin(socket),
            Request::AwaitFin => self.await_fin(socket),
            Request::AwaitDelivery => self.await_delivery(socket),
            Request::Recycle { origin } => self.recycle(socket, origin),
            Request::RefuseData => self.refuse_data(socket),
            Request::Abort => self.abort(socket),
        }
    }

    /// Has the driver watch the descriptor for operations that wait. Failure leaves the operation
    /// to whoever blocks on the descriptor or looks again; it cannot be told to the program any
    /// more.
    #[inline(always)]
    fn watch(&mut self, socket: &Socket, interest: Interest) {
        if socket.core.association().is_none() {
            socket.note_pending();
        }
        if !self.tcp.is_watched_for(interest) {
            self.watch_anew(socket, interest);
        }
    }

    #[inline(never)]
    fn watch_anew(&mut self, socket: &Socket, interest: Interest) {
        let _ = self.tcp.watch(socket.driver(), socket.token(), interest);
    }

    /// As [`watch`](Self::watch), by the driver of another socket, whose operation it is for.
    fn watch_through(&mut self, other: &Socket, socket: &Socket, interest: Interest) {
        match other.own_port() {
            Some(port) => port.note_pending(),
            None => reactor::reactor().note_pending(),
        }
        let _ = self.tcp.watch(other.driver(), socket.token(), interest);
    }

    #[inline]
    fn watch_edges(&mut self, socket: &Socket) {
        self.watch(socket, Interest::Edges);
    }

    fn watch_room(&mut self, socket: &Socket) {
        self.watch(socket, Interest::EdgesAndRoom);
    }
}

impl File for Socket {
    fn core(&self) -> &FileCore {
        &self.core
    }

    #[inline]
    fn handle_ready(&self, readiness: Readiness, after: &mut Deferred) {
        let mut inner = self.lock();
        if let Some(listener) = inner.listener_of_embryo() {
            return self.progress_embryo(inner, &listener, readiness, after);
        }
        if inner.is_remnant() {
            return self.progress_remnant(inner, readiness);
        }
        inner.tcp.note(readiness);
        inner.note_edge(readiness);
        match inner.endpoint.phase() {
            Phase::Connected | Phase::ConnectedRaw | Phase::AcceptedRaw | Phase::Disconnecting => {
                inner.progress(self, readiness, after)
            }
            Phase::Listening if self.provider.is_iso() => inner.raise_embryos(self),
            Phase::Listening => inner.progress_accepts(self, readiness, after),
            Phase::Accepting => inner.progress_first_receive(self, after),
            Phase::Connecting | Phase::ConnectingEx => {
                inner.progress_connect(self, readiness, after)
            }
            Phase::Open if self.is_datagram() => inner.progress_datagrams(self, after),
            // A bare descriptor reports a hang-up; it means nothing without a connection.
            Phase::Open
            | Phase::OpenRecycled
            | Phase::Bound
            | Phase::BoundRecycled
            | Phase::Closed => {}
        }
        inner.look_for_events(self);
        inner.settle(self, after);
    }

    fn cancel(&self, chosen: &dyn Fn(&Irp) -> bool) -> usize {
        self.cancel_operations(chosen)
    }

    fn associate(&self, port: &Arc<CompletionPort>, key: usize) -> Result<(), AlreadyAssociated> {
        let mut inner = self.lock();
        if self.core.association().is_some() {
            return Err(AlreadyAssociated);
        }
        // What waits for first data is watched for its listener.
        let is_own = !inner.waits_for_first_data();
        let interest = if is_own { inner.tcp.unwatch(self.driver()) } else { None };
        self.core.set_association(port, key)?;
        if let Some(interest) = interest {
            inner.watch(self, interest);
            // What pends on the descriptor now depends on the port, which nobody may ever harvest.
            port.note_pending();
        }
        Ok(())
    }

    fn close(&self) {
        self.end();
    }

    fn close_handle(&self, handle: Handle) -> bool {
        self.release(handle)
    }
}

impl Inner {
    /// What the peer's FIN, a reset, or data that nobody may read has to do with the endpoint, when
    /// no receive is pending that would find out.
    #[inline]
    fn look_ahead(&mut self) {
        use linsock_iocp::afd::endpoint::state::{Link, RecvHalf};
        let awaits = self.fin_wait.is_awaited();
        let refuses = matches!(
            self.endpoint.state().link(),
            Some(Link { recv: RecvHalf::Shut { peer_ended: false }, .. })
        );
        if !(awaits || refuses)
            || self.endpoint.has_receives()
            || !self.tcp.readable && self.iso.is_none()
        {
            return;
        }
        match self.peek() {
            Next::Fin => self.endpoint.handle_indication(Indication::PeerFin),
            Next::Failed(errno) => self.handle_failure(errno),
            Next::Data if refuses => self.endpoint.handle_indication(Indication::DataRefused),
            Next::Data | Next::Nothing => {}
        }
    }
}

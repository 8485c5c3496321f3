//! getsockname, getpeername, SO_ERROR and other things a socket can be asked.

use linsock_iocp::afd::address::Address;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use linsock_iocp::NtStatus;
use linsock_iocp::afd::Receive;
use linsock_iocp::afd::endpoint::state::{Link, Phase, RecvHalf, Verb};
use linsock_iocp::clock;
use linsock_iocp::sys::{self, TcpFacts};
use rustix::net::sockopt;

use super::{Inner, Socket};
use crate::catalog::Provider;
use crate::option::SharedOptions;
use crate::transport::status_of;
use crate::transport::tcp::{self, Next};
use linsock_iocp::irp::Deferred;

/// What is counted of a connection or listener.
#[derive(Clone, Copy, Debug)]
pub struct Statistics {
    /// By the kernel.
    pub facts: TcpFacts,
    /// How long there is a connection.
    pub age: Duration,
    /// Octets that were sent and are not acknowledged; the FIN counts as one.
    pub in_flight: u32,
    /// Octets that the kernel keeps for the program at most.
    pub receive_buffer: usize,
}

impl Socket {
    /// getsockname.
    ///
    /// # Errors
    /// WSAEINVAL when not bound.
    pub fn local_address(&self) -> Result<Address, NtStatus> {
        let mut inner = self.lock_settled();
        if let Some(traffic) = &inner.traffic {
            let named = traffic.datagrams.is_bound().then_some(()).and_then(|()| inner.tcp.fd());
            return tcp::local_address(named.ok_or(NtStatus::INVALID_PARAMETER)?);
        }
        inner.endpoint.check(Verb::LocalName)?;
        if !inner.is_connected() {
            inner.bind_really()?;
        }
        let fd = inner.tcp.fd().ok_or(NtStatus::INVALID_PARAMETER)?;
        tcp::local_address(fd).map(|address| inner.named(address, true))
    }

    /// The local address of a connection that this listener accepted: the listener's own, unless
    /// that is any address.
    ///
    /// # Errors
    /// As [`local_address`](Self::local_address) of the connection.
    pub fn address_of_accepted(&self, connection: &Self) -> Result<Address, NtStatus> {
        let own = self.lock().own_address().cloned();
        own.map_or_else(|| connection.local_address(), Ok)
    }

    /// The local address of a connection whose context may not have been updated: what
    /// GetAcceptExSockaddrs gives.
    pub fn connection_address(&self) -> Option<Address> {
        let inner = self.lock();
        let address = tcp::local_address(inner.tcp.fd()?).ok()?;
        Some(inner.named(address, true))
    }

    /// getpeername.
    ///
    /// # Errors
    /// WSAENOTCONN.
    pub fn peer_address(&self) -> Result<Address, NtStatus> {
        let inner = self.lock_settled();
        if inner.traffic.is_none() {
            inner.endpoint.check(Verb::PeerName)?;
        }
        inner.peer.clone().ok_or(NtStatus::INVALID_CONNECTION)
    }

    /// SO_ERROR: why the last non-blocking connect failed, once. A reset is not told here
    /// (`test_tcp_reset`).
    pub fn take_error(&self) -> NtStatus {
        let mut inner = self.lock_settled();
        inner.connect_error.take().unwrap_or(NtStatus::SUCCESS)
    }

    /// SO_ACCEPTCONN.
    pub fn is_listening(&self) -> bool {
        self.phase() == Phase::Listening
    }

    /// SO_CONNECT_TIME: seconds since the connection was made; `None` when there is none. It tells
    /// too while an AcceptEx waits for first data, which is what programs ask it for (AcceptEx
    /// page).
    pub fn connect_seconds(&self) -> Option<u32> {
        let inner = self.lock();
        let accepting = inner.endpoint.phase() == Phase::Accepting && inner.tcp.fd().is_some();
        let since = inner.connected_at.filter(|_| accepting || inner.is_connected())?;
        let elapsed = clock::coarse().saturating_sub(since);
        Some(u32::try_from(elapsed.as_secs()).unwrap_or(u32::MAX))
    }

    /// What is counted of the connection or listener.
    ///
    /// # Errors
    /// WSAEOPNOTSUPP on a socket that is not TCP's; WSAENOTCONN.
    pub fn statistics(&self) -> Result<Statistics, NtStatus> {
        if !matches!(self.provider(), Provider::Tcp(_)) {
            return Err(NtStatus::NOT_SUPPORTED);
        }
        let inner = self.open()?;
        let has_none = matches!(
            inner.endpoint.phase(),
            Phase::Open | Phase::OpenRecycled | Phase::Bound | Phase::BoundRecycled
        );
        let fd = inner.tcp.fd().filter(|_| !has_none).ok_or(NtStatus::INVALID_CONNECTION)?;
        let facts = TcpFacts::of(fd).ok_or(NtStatus::INVALID_CONNECTION)?;
        let since = inner.connected_at.filter(|_| inner.is_connected());
        let age = since.map_or(Duration::ZERO, |since| clock::coarse().saturating_sub(since));
        let in_flight = sys::unacknowledged(fd).unwrap_or(0).saturating_sub(facts.octets_unsent);
        let receive_buffer = sockopt::socket_recv_buffer_size(fd).map_err(status_of)?;
        Ok(Statistics { facts, age, in_flight, receive_buffer })
    }

    /// As many octets as the kernel takes of a connection without waiting; they grow with it.
    ///
    /// # Errors
    /// WSAENOTCONN without a connection.
    pub fn ideal_backlog(&self) -> Result<usize, NtStatus> {
        let inner = self.open()?;
        let fd = inner.tcp.fd().filter(|_| inner.is_connected());
        sockopt::socket_send_buffer_size(fd.ok_or(NtStatus::INVALID_CONNECTION)?).map_err(status_of)
    }

    /// Octets that can be read now (FIONREAD).
    pub fn readable_octets(&self) -> u32 {
        let inner = self.lock();
        let octets = inner.tcp.fd().and_then(|fd| rustix::io::ioctl_fionread(fd).ok());
        octets.and_then(|n| u32::try_from(n).ok()).unwrap_or(0)
    }

    /// Looks at or changes the options, together with the descriptor they apply to, if there is
    /// one.
    ///
    /// # Errors
    /// WSAENOTSOCK, or what `access` says.
    pub fn with_options<R>(
        &self,
        access: impl FnOnce(&mut SharedOptions, Option<BorrowedFd<'_>>) -> Result<R, NtStatus>,
    ) -> Result<R, NtStatus> {
        let mut inner = self.open()?;
        let inner = &mut *inner;
        access(&mut inner.options, inner.tcp.fd())
    }
}

impl Inner {
    /// The one address that all connections to this listener have; `None` for any address.
    pub(super) fn own_address(&self) -> Option<&Address> {
        self.bound.as_ref().filter(|bound| self.really_bound && bound.is_somebody())
    }

    /// A listener keeps the port that the kernel chose for it: its connections are told by it.
    pub(super) fn learn_port(&mut self) {
        let address = self.tcp.fd().and_then(|fd| tcp::local_address(fd).ok());
        if let Some(address) = address {
            self.bound = Some(self.named(address, true));
            self.really_bound = true;
        }
    }
}

/// What select and WSAPoll want to know of a socket, taken at one moment.
#[derive(Clone, Debug)]
pub struct SocketView {
    /// The state.
    pub phase: Phase,
    /// The receiving half, if there is a connection.
    pub recv: Option<RecvHalf>,
    /// The descriptor.
    pub fd: Option<Arc<OwnedFd>>,
    /// A non-blocking connect failed and nobody was told.
    pub connect_failed: bool,
    /// A connection that was deferred waits for the next accept.
    pub deferred: bool,
    /// It is a datagram socket.
    pub datagram: bool,
    /// What can be received, where the descriptor does not tell.
    pub message: Option<Next>,
    /// Its connections count when they have been asked for, which the descriptor does not tell.
    pub requested: bool,
    /// How many connections of the handle have ended with this end's doing.
    pub ended: u32,
    /// The handle was closed.
    pub closed: bool,
}

impl SocketView {
    /// Whether the kernel's poll means anything: a bare descriptor reports a hang-up for ever.
    pub const fn is_pollable(&self) -> bool {
        self.datagram || has_news(self.phase)
    }

    /// Whether there is a connection: what its end tells a poll.
    pub const fn is_connected(&self) -> bool {
        matches!(
            self.phase,
            Phase::Connected | Phase::AcceptedRaw | Phase::ConnectedRaw | Phase::Disconnecting
        )
    }

    /// Whether a connection is being made.
    pub const fn is_connecting(&self) -> bool {
        matches!(self.phase, Phase::Connecting | Phase::ConnectingEx)
    }
}

/// Whether a descriptor in this state has anything to tell.
const fn has_news(phase: Phase) -> bool {
    !matches!(
        phase,
        // An accepting handle has nothing to tell before its AcceptEx is over.
        Phase::Accepting
            | Phase::Open
            | Phase::OpenRecycled
            | Phase::Bound
            | Phase::BoundRecycled
            | Phase::Closed
    )
}

impl Socket {
    /// Takes in what a poll of the descriptor has reported, and tells whether data, not the end of
    /// it, is next in line. A reset that shows here must reach the endpoint: the kernel tells it
    /// once.
    pub(crate) fn note_readable(&self) -> bool {
        let mut after = Deferred::default();
        let mut inner = self.lock();
        inner.tcp.readable = true;
        let next =
            if inner.endpoint.recv() == Ok(Receive::Now) { inner.peek() } else { Next::Nothing };
        if let Next::Failed(errno) = next {
            inner.handle_failure(errno);
            inner.settle(self, &mut after);
        }
        drop(inner);
        after.run();
        next == Next::Data
    }

    /// The two directions of the connection, if there is one.
    pub fn link(&self) -> Option<Link> {
        self.lock().endpoint.state().link().copied()
    }

    /// Whether the socket has a local address, or will have one as soon as it is asked for.
    pub fn is_bound(&self) -> bool {
        let inner = self.lock();
        match &inner.traffic {
            Some(traffic) => traffic.datagrams.is_bound(),
            None => inner.endpoint.check(Verb::LocalName).is_ok(),
        }
    }

    /// See [`SocketView`].
    pub fn view(&self) -> SocketView {
        let mut inner = self.lock();
        let message = inner.next_message();
        if let (Some(news), true) = (self.news(), !inner.has_deferred()) {
            news.reset();
        }
        SocketView {
            message,
            phase: inner.endpoint.phase(),
            recv: inner.endpoint.state().link().map(|link| link.recv),
            fd: inner.tcp.shared_fd(),
            connect_failed: inner.connect_error.is_some(),
            deferred: inner.has_deferred(),
            datagram: inner.traffic.is_some(),
            requested: self.provider().is_iso(),
            ended: inner.ended,
            closed: inner.closed,
        }
    }

    /// Whether a poll of what the view showed still tells of this socket.
    pub(crate) fn is_polled_by(&self, view: &SocketView) -> bool {
        let inner = self.lock();
        let told = view.datagram || has_news(inner.endpoint.phase());
        !inner.closed && inner.ended == view.ended && told == view.is_pollable()
    }
}

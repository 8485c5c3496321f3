//! What a socket is doing at one moment: for tools, and for programs that watch themselves.

use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use linsock_iocp::afd::address::Address;
use linsock_iocp::afd::endpoint::state::{Link, Phase};
use linsock_iocp::afd::{CloseReason, Pending};
use linsock_iocp::clock;
use linsock_iocp::handle::Handle;
use linsock_iocp::port::CompletionPort;

use super::disconnect::Awaited;
use super::report::TcpState;
use super::{Inner, Socket};
use crate::catalog::Provider;

/// A socket at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The handle it was made with.
    pub handle: Handle,
    /// What the kernel knows it by; `None`: it has needed none yet.
    pub descriptor: Option<RawFd>,
    /// What carries its traffic.
    pub provider: Provider,
    /// Its state.
    pub phase: Phase,
    /// The two directions of its connection; `None` without one.
    pub link: Option<Link>,
    /// Why the last connection ended, or began to.
    pub reason: Option<CloseReason>,
    /// What its disconnect waits for.
    pub awaits: Option<Awaited>,
    /// What the kernel says of the connection; `None` where it is not TCP.
    pub tcp_state: Option<TcpState>,
    /// Its own address.
    pub local: Option<Address>,
    /// The peer's, or where datagrams go by default.
    pub remote: Option<Address>,
    /// Operations that wait.
    pub pending: Pending,
    /// The port that completions go to, and the program's number for the socket there.
    pub port: Option<(Arc<CompletionPort>, usize)>,
    /// Octets that came and that the program has not received.
    pub unread: usize,
    /// Octets that the program sent and that the peer is not known to have.
    pub unsent: usize,
    /// Octets that were sent and received on the connection; `None` where it is not TCP.
    pub moved: Option<(u64, u64)>,
    /// Of a listener: connections that nobody has accepted, and how many the kernel keeps.
    pub backlog: Option<(u32, u32)>,
    /// How many connections the handle has had and is done with.
    pub former: u32,
    /// How long there is a connection.
    pub age: Option<Duration>,
    /// How long nothing has been sent or received on it.
    pub idle: Option<Duration>,
}

impl Socket {
    /// What it is doing; `None` once it is closed. Changes nothing and does not block.
    pub fn snapshot(&self) -> Option<Snapshot> {
        let inner = self.lock();
        (!inner.closed).then(|| inner.snapshot(self))
    }

    /// As [`snapshot`](Self::snapshot), for a tool that wants to know how the connection ends.
    pub(crate) fn snapshot_for_tools(&self) -> Option<Snapshot> {
        let mut inner = self.lock();
        if inner.closed {
            return None;
        }
        inner.have_the_end_told(self);
        Some(inner.snapshot(self))
    }
}

impl Inner {
    fn snapshot(&self, socket: &Socket) -> Snapshot {
        let phase = self.endpoint.phase();
        let figures = self.figures();
        let facts = figures.facts;
        let is_connected = self.is_connected();
        let port = socket.core().association();
        let traffic = self.traffic.as_ref().map(|traffic| traffic.datagrams.pending());
        let since = self.connected_at.filter(|_| is_connected);
        Snapshot {
            handle: socket.handle(),
            descriptor: self.tcp.fd().map(|fd| fd.as_raw_fd()),
            provider: socket.provider(),
            phase,
            link: self.endpoint.state().link().copied(),
            reason: self.endpoint.reason(),
            awaits: self.awaited(),
            tcp_state: facts.map(|_| figures.tcp_state()),
            local: self.local().filter(has_port).or_else(|| self.bound.clone()),
            remote: self.peer.clone(),
            pending: traffic.unwrap_or_else(|| self.endpoint.pending()),
            port: port.map(|known| (Arc::clone(&known.port), known.key)),
            unread: figures.unread,
            unsent: figures.unsent,
            moved: facts.filter(|_| is_connected).map(|_| figures.moved()),
            backlog: facts
                .filter(|_| phase == Phase::Listening)
                .map(|facts| (facts.waiting, facts.backlog)),
            former: self.ended,
            age: since.map(|since| clock::coarse().saturating_sub(since)),
            idle: facts.filter(|_| is_connected).map(|facts| facts.idle),
        }
    }
}

/// A descriptor that is not bound has an address of zeros.
fn has_port(address: &Address) -> bool {
    address.ip().is_none_or(|ip| ip.port() != 0)
}

//! Connections of a listener that have not been asked for yet.
//!
//! What TCP has accepted is no connection: it is held by a socket without an owner until its
//! Connection Request has come whole and can be taken in by the listener, or its time is over.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Weak};

use linsock_iocp::afd::address::{Address, TransportAddress};
use linsock_iocp::driver::{Interest, Readiness};
use linsock_iocp::irp::Deferred;

use super::super::accept::Accepted;
use super::super::held::Held;
use super::super::{Inner, Socket};
use super::{Link, REQUEST_LIMIT, Role, reference};
use crate::catalog::Provider;
use crate::transport::iso::connection::Connection;
use crate::transport::tcp;

/// Connections of one listener whose request has not come; one more, and the oldest is let go.
const EMBRYOS_MAX: usize = 256;
/// What Windows makes of SOMAXCONN.
const BACKLOG_MAX: usize = 200;
/// Connections that are taken for one report.
const EMBRYOS_AT_ONCE: usize = 64;

impl Socket {
    pub(super) fn is_embryo(&self) -> bool {
        self.lock().listener_of_embryo().is_some()
    }

    /// The driver has reported something of a connection to `parent` whose request has not come.
    pub(in crate::socket) fn progress_embryo(
        &self,
        mut inner: Held<'_>,
        parent: &Weak<Self>,
        readiness: Readiness,
        after: &mut Deferred,
    ) {
        inner.tcp.note(readiness);
        while inner.iso.as_ref().is_some_and(|link| link.is_undecided()) && inner.read_more() {}
        if inner.iso.as_ref().is_some_and(|link| link.is_undecided()) {
            return;
        }
        let born = inner.deliver_embryo(self);
        drop(inner);
        // One lock at a time: a listener's comes before others.
        if let (Some(listener), Some(accepted)) = (parent.upgrade(), born) {
            listener.take_in(accepted, after);
        }
        self.end_embryo();
    }

    pub(super) fn end_embryo(&self) {
        let parent = self.lock().listener_of_embryo();
        let _ = self.close_handle();
        if let Some(listener) = parent.and_then(|parent| parent.upgrade()) {
            let mut inner = listener.lock();
            if !inner.closed {
                inner.watch_for_requests(&listener);
            }
        }
    }

    /// A connection whose request has come.
    fn take_in(&self, accepted: Accepted, after: &mut Deferred) {
        let mut inner = self.lock();
        let backlog = inner.iso.as_ref().map_or(0, |link| link.backlog);
        if inner.closed || inner.listening().deferred.len() >= backlog {
            drop(inner);
            return accepted.reject();
        }
        inner.listening().deferred.push_back(accepted);
        inner.place_deferred(self, after);
        if let Some(news) = self.news()
            && inner.has_deferred()
        {
            news.set();
        }
        inner.look_for_events(self);
        inner.settle(self, after);
    }
}

impl Inner {
    /// The listener that has accepted this descriptor, whose request has not come.
    pub(in crate::socket) fn listener_of_embryo(&self) -> Option<Weak<Socket>> {
        match &self.iso.as_ref()?.role {
            Role::Embryo(listener) => Some(Weak::clone(listener)),
            Role::Owned | Role::Remnant(_) => None,
        }
    }

    /// Has the driver report the listener's connections, though no accept may wait.
    pub(in crate::socket) fn watch_for_requests(&mut self, socket: &Socket) {
        if self.iso.is_some() {
            if let Some(association) = socket.core.association() {
                association.port.note_pending();
            }
            self.watch(socket, Interest::Level);
        }
    }

    /// How many requests may wait for an accept: the backlog of listen, at least one.
    pub(in crate::socket) fn limit_requests(&mut self, backlog: i32) {
        if let Some(link) = &mut self.iso {
            link.backlog = usize::try_from(backlog).unwrap_or(1).clamp(1, BACKLOG_MAX);
        }
    }

    /// Takes connections of TCP, whose requests are then waited for. Not all at once: others have
    /// a turn, and the driver reports again what is left.
    pub(in crate::socket) fn raise_embryos(&mut self, socket: &Socket) {
        let Some(listener) = Socket::from_token(socket.token()) else { return };
        for _ in 0..EMBRYOS_AT_ONCE {
            match self.tcp.fd().map(tcp::accept) {
                Some(Ok(Some((fd, peer)))) => self.raise_embryo(&listener, fd, peer),
                _ => return,
            }
        }
    }

    fn raise_embryo(&mut self, listener: &Arc<Socket>, fd: OwnedFd, peer: Option<Address>) {
        let Some(link) = &mut self.iso else { return };
        link.embryos.retain(|embryo| embryo.strong_count() > 0);
        let class = link.class;
        if link.embryos.len() >= EMBRYOS_MAX
            && let Some(oldest) = link.embryos.remove(0).upgrade()
        {
            // Whoever means it has sent its request long ago.
            let _ = oldest.close_handle();
        }
        let embryo = Socket::create_with(Provider::Iso(class), true, |inner| {
            let mut link = Link::new(class);
            link.connection = Some(Box::new(Connection::listening(reference())));
            link.role = Role::Embryo(Arc::downgrade(listener));
            inner.iso = Some(link);
            inner.tcp.attach(fd);
            inner.peer = peer;
        });
        let Ok(embryo) = embryo else { return };
        if let Some(association) = listener.core.association() {
            // Whoever waits on the listener's port looks after it at once. It queues no packets.
            let _ = embryo.core.set_association(&association.port, association.key);
        }
        link.embryos.push(Arc::downgrade(&embryo));
        let mut inner = embryo.lock();
        inner.await_answer(&embryo, REQUEST_LIMIT);
        inner.watch_edges(&embryo);
    }

    /// The listener is closed: nobody will take what it holds.
    pub(in crate::socket) fn take_embryos(&mut self) -> Vec<Weak<Socket>> {
        self.iso.as_mut().map_or_else(Vec::new, |link| std::mem::take(&mut link.embryos))
    }

    /// The connection of an embryo whose request has come.
    fn deliver_embryo(&mut self, socket: &Socket) -> Option<Accepted> {
        let mut link = self.iso.take()?;
        self.iso = Some(Link::new(link.class));
        let request = link.connection.as_ref()?.peer_request()?;
        (link.calling, link.called) = (request.calling.clone(), request.called.clone());
        let calling = link.calling.clone();
        let peer = self.peer.take().and_then(|peer| peer.ip());
        link.role = Role::Owned;
        link.awaits = None;
        link.fate = None;
        self.tcp.unwatch(socket.driver());
        let fd = self.tcp.detach()?.into_own()?;
        let peer = peer.and_then(|host| TransportAddress::new(host, &calling)).map(Address::from);
        Some(Accepted::with_link(fd, peer, link))
    }
}

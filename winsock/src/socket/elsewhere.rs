//! Sockets that more than one process has.
//!
//! The kernel's socket is one, and everything that it knows is the same for all: the connection,
//! its data, most options. What this library knows is each process's own from the moment on at
//! which the other was given the socket: pending operations, the completion port, the selection of
//! events, and the state as far as it follows from calls.

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use linsock_iocp::NtStatus;
use linsock_iocp::afd::address::Family;
use linsock_iocp::afd::datagram::Datagrams;
use linsock_iocp::afd::endpoint::Standing;
use linsock_iocp::afd::endpoint::state::{Link, Origin, SendHalf};
use linsock_iocp::afd::{Endpoint, Indication};
use linsock_iocp::handle::Handle;
use linsock_iocp::irp::Deferred;
use rustix::net::{AddressFamily, SocketType, sockopt};

use super::datagram::Traffic;
use super::passport::{Affairs, Passport};
use super::{Inner, Socket};
use crate::catalog::Provider;
use crate::option::{Options, SharedOptions};
use crate::settings;
use crate::transport::tcp::Detached;

/// A socket for another process: the descriptor, and in words what it does not tell.
#[derive(Debug)]
pub struct Emigrant {
    /// The descriptor.
    pub fd: Arc<OwnedFd>,
    /// For [`Socket::immigrate`]: letters, digits and full stops.
    pub passport: String,
}

impl Socket {
    /// What another process needs to have the socket too, as it is now. From now on it may: closing
    /// the socket ends nothing but this process's part.
    ///
    /// Operations that pend stay this process's. If nobody is given the descriptor after all,
    /// [`note_stayed`](Self::note_stayed) is to be called.
    ///
    /// # Errors
    /// WSAENOTSOCK when it is closed; WSAEINVAL while a connection is being made or ended, and when
    /// one has failed; WSAEOPNOTSUPP for ISO transport, whose protocol is this process's work; what
    /// the kernel says when it refuses the descriptor or the address that bind put off.
    pub fn emigrate(&self) -> Result<Emigrant, NtStatus> {
        drop(self.lock_settled());
        self.open()?.emigrate(self)
    }

    /// As [`emigrate`](Self::emigrate), of a socket that has a descriptor by now; `None` for
    /// others, and for those that have to stay.
    pub fn emigrate_as_it_is(&self) -> Option<Emigrant> {
        drop(self.lock_settled());
        let mut inner = self.open().ok()?;
        inner.tcp.fd()?;
        inner.emigrate(self).ok()
    }

    /// An emigrant's descriptor has been given to nobody, and will not be.
    pub fn note_stayed(&self, fd: &OwnedFd) {
        let mut inner = self.lock();
        // The socket may have another descriptor by now.
        let is_its_own = inner.tcp.fd().is_some_and(|own| own.as_raw_fd() == fd.as_raw_fd());
        if let Some(handles) = inner.handles.as_deref_mut().filter(|_| is_its_own) {
            handles.elsewhere = handles.elsewhere.saturating_sub(1);
        }
    }

    /// Whether another process may have the socket.
    pub fn is_elsewhere(&self) -> bool {
        self.lock().is_elsewhere()
    }

    /// A socket that another process has, by what [`emigrate`](Self::emigrate) gave there: under
    /// `handle` if that is free, or under any.
    ///
    /// # Errors
    /// WSAEINVAL when the words are no passport of this version, the descriptor is not what they
    /// say, or the handle is taken; WSAEMFILE.
    pub fn immigrate(
        passport: &str,
        fd: OwnedFd,
        handle: Option<Handle>,
    ) -> Result<Arc<Self>, NtStatus> {
        settings::begin();
        let passport = Passport::read(passport).ok_or(NtStatus::INVALID_PARAMETER)?;
        let Passport { provider, overlapped, nonblocking, .. } = passport;
        if !is_of(&fd, provider) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let settle_in = |inner: &mut Inner| inner.settle_in(passport, fd);
        let socket = match handle {
            None => Self::create_with(provider, overlapped, settle_in)?,
            Some(handle) => Self::create_under(handle, provider, overlapped, settle_in)?,
        };
        socket.nonblocking.store(nonblocking, Ordering::Relaxed);
        let mut after = Deferred::default();
        socket.lock().settle(&socket, &mut after);
        after.run();
        Ok(socket)
    }
}

/// Whether a descriptor is one that a socket of the provider can have.
fn is_of(fd: &OwnedFd, provider: Provider) -> bool {
    let (family, kind) = match provider {
        Provider::Tcp(Family::Inet) => (AddressFamily::INET, SocketType::STREAM),
        Provider::Tcp(Family::Inet6) => (AddressFamily::INET6, SocketType::STREAM),
        Provider::Udp(Family::Inet) => (AddressFamily::INET, SocketType::DGRAM),
        Provider::Udp(Family::Inet6) => (AddressFamily::INET6, SocketType::DGRAM),
        Provider::Unix => (AddressFamily::UNIX, SocketType::STREAM),
        Provider::Iso(_) => return false,
    };
    sockopt::socket_domain(fd) == Ok(family) && sockopt::socket_type(fd) == Ok(kind)
}

impl Inner {
    fn emigrate(&mut self, socket: &Socket) -> Result<Emigrant, NtStatus> {
        if socket.provider().is_iso() {
            return Err(NtStatus::NOT_SUPPORTED);
        }
        let affairs = self.affairs().ok_or(NtStatus::INVALID_PARAMETER)?;
        self.bind_really()?;
        if !socket.is_datagram() {
            self.ensure_fd(socket.domain())?;
        }
        let fd = self.tcp.shared_fd().ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
        let passport = Passport {
            provider: socket.provider(),
            overlapped: socket.is_overlapped(),
            nonblocking: socket.is_nonblocking(),
            affairs,
            bound: self.bound.clone(),
            peer: self.peer.clone(),
            connected_at: self.connected_at,
            options: Options::clone(&self.options),
        };
        self.handles.get_or_insert_default().elsewhere += 1;
        Ok(Emigrant { fd, passport: passport.write() })
    }

    fn affairs(&self) -> Option<Affairs> {
        match &self.traffic {
            Some(traffic) => Some(traffic.affairs()),
            None => self.endpoint.standing().map(Affairs::Stream),
        }
    }

    /// Becomes what the passport says.
    fn settle_in(&mut self, passport: Passport, fd: OwnedFd) {
        self.tcp.attach(fd);
        match passport.affairs {
            Affairs::Stream(standing) => {
                if let Standing::Connected(Link { send: SendHalf::Closed, .. }) = standing {
                    self.tcp.note_fin();
                }
                self.endpoint = Endpoint::from_standing(standing);
            }
            Affairs::Datagrams { standing, tells_unreachable } => {
                let datagrams = Datagrams::from_standing(standing);
                self.traffic = Some(Box::new(Traffic::with(datagrams, tells_unreachable)));
            }
        }
        self.really_bound = passport.bound.is_some();
        self.bound = passport.bound;
        self.peer = passport.peer;
        self.connected_at = passport.connected_at;
        self.options = SharedOptions::from(passport.options);
        self.handles.get_or_insert_default().elsewhere = 1;
    }

    /// Whether another process may have the socket.
    #[inline]
    pub(super) fn is_elsewhere(&self) -> bool {
        self.handles.as_deref().is_some_and(|handles| handles.elsewhere > 0)
    }

    /// What of the peer's acknowledgements was the connection's beginning.
    fn syn(&self) -> u64 {
        let link = self.endpoint.state().link();
        u64::from(link.is_some_and(|link| link.origin == Origin::Connected))
    }

    /// A send was refused: if the half is closed by another process, it is for this one too. False
    /// if it is something else.
    pub(super) fn note_fin_elsewhere(&mut self) -> bool {
        let link = self.endpoint.state().link();
        let may_be = self.is_elsewhere() && link.is_some_and(|link| link.send != SendHalf::Closed);
        let is_closed = may_be && self.tcp.is_send_closed(self.syn());
        if is_closed {
            self.tcp.note_fin();
            self.endpoint.handle_indication(Indication::SendClosedElsewhere);
        }
        is_closed
    }

    /// Whether what looks like the end of data is a reset of which another process was told. One
    /// that came behind a FIN of ours cannot be told apart.
    #[inline]
    pub(super) fn was_reset_elsewhere(&self) -> bool {
        self.is_elsewhere() && self.tcp.is_cut(self.syn())
    }

    /// Lets go of the descriptor, which the caller closes by dropping it.
    ///
    /// The driver would go on watching one that another process has.
    pub(super) fn detach(&mut self, socket: &Socket) -> Option<Detached> {
        if let Some(handles) = self.handles.as_deref_mut().filter(|it| it.elsewhere > 0) {
            handles.elsewhere = 0;
            self.tcp.unwatch(socket.driver());
        }
        self.tcp.detach()
    }
}

//! TCP over IPv4 and IPv6, on the kernel's own TCP; and the kernel's streams between processes of
//! this host (AF_UNIX), which differ from it in little.
//!
//! The descriptor behind a handle comes and goes: it is created when first needed, brought by
//! accept, kept over a reuse on the connecting side, and let go of by a reuse on the accepting
//! side. What linsock must know of it between system calls is here too. The kernel's habits that
//! would break Windows' rules silently are commented where they are avoided.

use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use linsock_iocp::NtStatus;
use linsock_iocp::afd::address::{ADDRESS_MAX, Address, Domain, Family, UnixPath};
use linsock_iocp::driver::{Driver, Epoch, Interest, Readiness};
use linsock_iocp::handle::Token;
use linsock_iocp::sys::{self, TcpFacts};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    self, AddressFamily, RecvFlags, SocketAddrAny, SocketAddrUnix, SocketFlags, SocketType, sockopt,
};

use super::status_of;

/// The descriptor of a connection or listener, and what is known of its readiness.
#[derive(Debug, Default)]
pub struct Tcp {
    fd: Option<Descriptor>,
    watched: Option<Interest>,
    /// False when a receive found nothing more and the driver has reported nothing since.
    pub readable: bool,
    /// False when a send found no room and the driver has reported none since.
    pub writable: bool,
    /// The driver has reported what makes a short read mean nothing (see
    /// [`Readiness::more_follows`]).
    pub more_follows: bool,
    /// When the connection began to be made.
    began: Epoch,
    /// The FIN was given to the kernel.
    fin_sent: bool,
    /// It was refused: a reset came first.
    fin_refused: bool,
    /// Data was sent whose fate is not known: an end of data may be a reset behind a FIN.
    pub unverified: bool,
}

/// The descriptor, which is shared only once a thread blocks on it: an allocation that most
/// connections never need.
#[derive(Debug)]
enum Descriptor {
    Own(OwnedFd),
    Shared(Arc<OwnedFd>),
}

/// A descriptor that was let go of; dropping it closes it (when nobody blocks on it any more).
#[derive(Debug)]
pub struct Detached(Descriptor);

impl AsFd for Descriptor {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Own(fd) => fd.as_fd(),
            Self::Shared(fd) => fd.as_fd(),
        }
    }
}

impl Detached {
    /// A listener takes no connections from now on, and its port may be bound again, though a
    /// thread that blocks on the descriptor keeps it open until it runs.
    pub fn stop_listening(&self) {
        if let Descriptor::Shared(fd) = &self.0 {
            let _ = net::shutdown(fd, net::Shutdown::Both);
        }
    }

    /// The descriptor itself; `None` while a thread blocks on it.
    pub fn into_own(self) -> Option<OwnedFd> {
        match self.0 {
            Descriptor::Own(fd) => Some(fd),
            Descriptor::Shared(fd) => Arc::try_unwrap(fd).ok(),
        }
    }
}

impl AsFd for Detached {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// What is next in line to be received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Data.
    Data,
    /// The peer's FIN.
    Fin,
    /// Nothing yet.
    Nothing,
    /// The connection failed.
    Failed(Errno),
}

/// The kernel's numbers of the states.
const FIN_WAIT_1: u8 = 4;
const FIN_WAIT_2: u8 = 5;
const CLOSED: u8 = 7;
const LAST_ACK: u8 = 9;
const CLOSING: u8 = 11;

const FLAGS: SocketFlags = SocketFlags::CLOEXEC.union(SocketFlags::NONBLOCK);

impl Tcp {
    /// The descriptor, if there is one.
    #[inline]
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.fd.as_ref().map(AsFd::as_fd)
    }

    /// The descriptor, shared with a thread that is about to block on it.
    pub fn shared_fd(&mut self) -> Option<Arc<OwnedFd>> {
        let shared = match self.fd.take()? {
            Descriptor::Own(fd) => Arc::new(fd),
            Descriptor::Shared(fd) => fd,
        };
        self.fd = Some(Descriptor::Shared(Arc::clone(&shared)));
        Some(shared)
    }

    /// Takes a new descriptor; an old one is closed.
    pub fn attach(&mut self, fd: OwnedFd) {
        *self = Self { fd: Some(Descriptor::Own(fd)), ..Self::ready() };
    }

    /// Lets go of the descriptor, which the caller closes by dropping it.
    pub fn detach(&mut self) -> Option<Detached> {
        std::mem::take(self).fd.map(Detached)
    }

    /// A connect is about to start on the descriptor.
    pub fn begin_connect(&mut self) {
        self.began = Epoch::begin();
    }

    /// Whether a report says by itself that the connect has succeeded.
    pub fn is_connected_by(&self, readiness: Readiness) -> bool {
        readiness.is_plainly_writable() && readiness.is_newer_than(self.began)
    }

    /// Forgets what was known of the readiness: another connection begins on the descriptor.
    pub fn renew(&mut self) {
        let (fd, watched) = (self.fd.take(), self.watched);
        *self = Self { fd, watched, ..Self::ready() };
    }

    fn ready() -> Self {
        Self { readable: true, writable: true, ..Self::default() }
    }

    /// Has the driver watch the descriptor; cheap when it does already.
    ///
    /// # Errors
    /// When the kernel has no watches left.
    #[inline]
    pub fn watch(
        &mut self,
        driver: &Driver,
        token: Token,
        interest: Interest,
    ) -> Result<(), NtStatus> {
        let Some(fd) = self.fd.as_ref().map(AsFd::as_fd) else {
            return Ok(());
        };
        if self.is_watched_for(interest) {
            return Ok(());
        }
        let done = match self.watched {
            Some(_) => driver.modify(fd, token, interest),
            None => driver.add(fd, token, interest),
        };
        self.watched = Some(interest);
        done.map_err(status_of)
    }

    /// Whether the driver watches the descriptor for that already.
    #[inline]
    pub fn is_watched_for(&self, interest: Interest) -> bool {
        self.watched.is_some_and(|watched| watched.covers(interest))
    }

    /// What the driver watches the descriptor for, if it does.
    pub const fn watched(&self) -> Option<Interest> {
        self.watched
    }

    /// Moves the descriptor out of a driver, for another to take.
    pub fn unwatch(&mut self, driver: &Driver) -> Option<Interest> {
        let interest = self.watched.take()?;
        if let Some(fd) = self.fd() {
            driver.remove(fd);
        }
        Some(interest)
    }

    /// Takes in what the driver reports.
    #[inline]
    pub fn note(&mut self, readiness: Readiness) {
        self.readable |= readiness.readable();
        self.writable |= readiness.writable();
        self.more_follows |= readiness.more_follows();
    }

    /// Closes the sending half, if that has not been done.
    pub fn send_fin(&mut self) {
        if !std::mem::replace(&mut self.fin_sent, true)
            && let Some(fd) = self.fd()
        {
            // ENOTCONN means that a reset came first; the next transfer will tell.
            self.fin_refused = net::shutdown(fd, net::Shutdown::Write).is_err();
        }
    }

    /// The FIN was given to the kernel by another process.
    pub const fn note_fin(&mut self) {
        self.fin_sent = true;
    }

    /// Looks at what is next in line without taking it.
    pub fn peek(&mut self) -> Next {
        let Some(fd) = self.fd() else {
            return Next::Nothing;
        };
        let mut octet = [0_u8; 1];
        match net::recv(fd, &mut octet, RecvFlags::PEEK | RecvFlags::DONTWAIT) {
            Ok((_, 0)) => Next::Fin,
            Ok(_) => Next::Data,
            Err(Errno::AGAIN | Errno::INTR) => {
                self.readable = false;
                Next::Nothing
            }
            Err(errno) => Next::Failed(errno),
        }
    }

    /// The error that waits on the descriptor, taken: after the peer's FIN the kernel reports a
    /// reset here only (EPIPE), not by a receive.
    pub fn take_error(&self) -> Option<Errno> {
        sockopt::socket_error(self.fd()?).ok()?.err()
    }

    /// Whether an error waits on the descriptor; it stays there.
    pub fn has_failed(&self) -> bool {
        self.polls_as(PollFlags::ERR)
    }

    /// Whether the peer is gone in both directions.
    pub fn is_hung_up(&self) -> bool {
        self.polls_as(PollFlags::HUP)
    }

    /// Whether a poll that asks for nothing tells this.
    fn polls_as(&self, flag: PollFlags) -> bool {
        let Some(fd) = self.fd() else { return false };
        let mut polled = [PollFd::from_borrowed_fd(fd, PollFlags::empty())];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut polled, Some(&at_once)).is_ok() && polled[0].revents().contains(flag)
    }

    /// Octets that were given to the kernel and that the peer has not acknowledged.
    pub fn undelivered(&self) -> usize {
        let octets = self.fd().and_then(sys::unacknowledged).unwrap_or(0);
        // The FIN takes a number of its own, the last one.
        let data = octets.saturating_sub(u32::from(self.has_sent_fin()));
        usize::try_from(data).unwrap_or(usize::MAX)
    }

    /// Octets that were received by the kernel and by nobody else.
    pub fn unread(&self) -> usize {
        let octets = self.fd().and_then(|fd| rustix::io::ioctl_fionread(fd).ok()).unwrap_or(0);
        usize::try_from(octets).unwrap_or(usize::MAX)
    }

    /// True when everything that was sent was acknowledged, and so was the FIN unless it was
    /// refused. A reset that comes later leaves what was not.
    pub fn is_flushed(&self) -> bool {
        self.fd().and_then(sys::unacknowledged) == Some(0)
    }

    /// True when the kernel has taken our FIN.
    pub const fn has_sent_fin(&self) -> bool {
        self.fin_sent && !self.fin_refused
    }

    /// Whether the sending half is closed, whoever has done that, and what was sent has arrived or
    /// is on its way; `syn` is the one that the peer has acknowledged.
    pub fn is_send_closed(&self, syn: u64) -> bool {
        let Some(facts) = self.fd().and_then(TcpFacts::of) else {
            // A stream of this host hangs up when the peer is gone, and not by an end of ours.
            return !self.is_hung_up();
        };
        match facts.state {
            FIN_WAIT_1 | FIN_WAIT_2 | LAST_ACK | CLOSING => true,
            CLOSED => facts.has_fin_arrived(syn),
            _ => false,
        }
    }

    /// Whether the connection is over without a FIN of ours: then it was not the peer's that has
    /// ended it.
    pub fn is_cut(&self, syn: u64) -> bool {
        let facts = self.fd().and_then(TcpFacts::of);
        facts.is_some_and(|facts| facts.state == CLOSED && !facts.has_fin_arrived(syn))
    }

    /// True when a reset came before the FIN could be sent.
    pub const fn was_fin_refused(&self) -> bool {
        self.fin_refused
    }
}

/// A new socket that behaves as one on Windows does by default.
///
/// # Errors
/// When the family is not available or descriptors ran out.
pub fn create(domain: Domain) -> Result<OwnedFd, NtStatus> {
    match domain {
        Domain::Ip(family) => create_inet(family, SocketType::STREAM),
        // Until an address tells the family.
        Domain::Iso => create_inet(Family::Inet, SocketType::STREAM),
        Domain::Unix => net::socket_with(AddressFamily::UNIX, SocketType::STREAM, FLAGS, None)
            .map_err(status_of),
    }
}

/// A new datagram socket.
///
/// # Errors
/// When the family is not available or descriptors ran out.
pub fn create_datagram(family: Family) -> Result<OwnedFd, NtStatus> {
    let fd = create_inet(family, SocketType::DGRAM)?;
    // Without it the socket works, and tells less.
    let _ = sys::set_reports(fd.as_fd(), family == Family::Inet6, true);
    Ok(fd)
}

fn create_inet(family: Family, socket_type: SocketType) -> Result<OwnedFd, NtStatus> {
    let af = match family {
        Family::Inet => AddressFamily::INET,
        Family::Inet6 => AddressFamily::INET6,
    };
    let fd = net::socket_with(af, socket_type, FLAGS, None).map_err(status_of)?;
    if family == Family::Inet6 {
        // Windows: an IPv6 socket is IPv6 only unless asked otherwise.
        sockopt::set_ipv6_v6only(&fd, true).map_err(status_of)?;
    }
    Ok(fd)
}

/// The path as the kernel takes it.
fn unix_address(path: &UnixPath) -> Result<SocketAddrUnix, NtStatus> {
    match path.octets() {
        [0, name @ ..] => SocketAddrUnix::new_abstract_name(name),
        octets => SocketAddrUnix::new(octets),
    }
    .map_err(status_of)
}

/// Gives the descriptor a local address.
///
/// # Errors
/// As bind(2).
pub fn bind(fd: BorrowedFd<'_>, to: &Address) -> Result<(), NtStatus> {
    match to {
        Address::Ip(address) => net::bind(fd, address).map_err(status_of),
        Address::Iso(address) => net::bind(fd, &address.host()).map_err(status_of),
        Address::Unix(path) => net::bind(fd, &unix_address(path)?).map_err(status_of),
    }
}

/// Starts to connect.
///
/// # Errors
/// The kernel's refusal; that the connection is still being made is no error.
pub fn connect(fd: BorrowedFd<'_>, to: &Address) -> Result<(), NtStatus> {
    let connected = match to {
        Address::Ip(address) => net::connect(fd, address),
        Address::Iso(address) => net::connect(fd, &address.host()),
        Address::Unix(path) => match net::connect(fd, &unix_address(path)?) {
            // Nobody is there, or is and has no place left: both are a refusal on Windows, where
            // the kernel has errors of their own.
            Err(Errno::NOENT | Errno::AGAIN) => Err(Errno::CONNREFUSED),
            other => other,
        },
    };
    match connected {
        Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => Ok(()),
        Err(errno) => Err(status_of(errno)),
    }
}

/// How a connect that was started stands.
pub fn connect_result(fd: BorrowedFd<'_>) -> Result<bool, NtStatus> {
    match sockopt::socket_error(fd) {
        Ok(Ok(())) => Ok(net::getpeername(fd).is_ok_and(|peer| peer.is_some())),
        Ok(Err(errno)) | Err(errno) => Err(status_of(errno)),
    }
}

/// Takes a connection from a listener's backlog, with the peer's address; `None` when there is
/// none.
///
/// # Errors
/// When descriptors or memory ran out.
pub fn accept(fd: BorrowedFd<'_>) -> Result<Option<(OwnedFd, Option<Address>)>, NtStatus> {
    loop {
        return match net::acceptfrom_with(fd, FLAGS) {
            Ok((fd, from)) => Ok(Some((fd, from.and_then(address_of)))),
            // Gone before it was taken, or interrupted: look at the next.
            Err(Errno::CONNABORTED | Errno::INTR | Errno::PROTO) => continue,
            Err(Errno::AGAIN) => Ok(None),
            Err(errno) => Err(status_of(errno)),
        };
    }
}

/// True when the descriptor is readable now. An accept that finds nothing costs ten times more.
pub fn is_readable(fd: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    matches!(poll(&mut fds, Some(&now)), Ok(1))
}

/// The address of this host that a connection to `to` would have, with any port. Nothing is sent.
///
/// # Errors
/// WSAENETUNREACH and what else the kernel has against the way there.
pub fn source_towards(to: &SocketAddr) -> Result<SocketAddr, NtStatus> {
    let af = if to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let probe = net::socket_with(af, SocketType::DGRAM, FLAGS, None).map_err(status_of)?;
    // There is a way to everybody's address as well; nothing is sent.
    sockopt::set_socket_broadcast(&probe, true).map_err(status_of)?;
    net::connect(&probe, to).map_err(status_of)?;
    local_address(probe.as_fd())?.ip().ok_or(NtStatus::INVALID_ADDRESS)
}

/// The local address.
///
/// # Errors
/// As getsockname(2).
pub fn local_address(fd: BorrowedFd<'_>) -> Result<Address, NtStatus> {
    let any = net::getsockname(fd).map_err(status_of)?;
    address_of(any).ok_or(NtStatus::INVALID_ADDRESS)
}

/// The address, if it is of a domain that linsock has.
fn address_of(any: SocketAddrAny) -> Option<Address> {
    if let Ok(address) = SocketAddr::try_from(any.clone()) {
        return Some(Address::Ip(address));
    }
    if any.address_family() != AddressFamily::UNIX {
        return None;
    }
    // The kernel lets a path fill all the room and then counts the NUL behind it, which has none.
    // Nobody can be given such a name in a SOCKADDR_UN.
    let name = (any.addr_len() as usize <= ADDRESS_MAX).then(|| SocketAddrUnix::try_from(any).ok());
    let path = name.flatten().and_then(|name| match (name.abstract_name(), name.path_bytes()) {
        (Some(name), _) if !name.is_empty() => UnixPath::new(&[&[0], name].concat()),
        (None, Some(path)) => UnixPath::new(path),
        _ => None,
    });
    Some(Address::Unix(path.unwrap_or_default()))
}

/// Makes the next close of the descriptor a reset.
pub fn arm_reset(fd: BorrowedFd<'_>) {
    let _ = sockopt::set_socket_linger(fd, Some(std::time::Duration::ZERO));
}

/// Makes closing the descriptor graceful again.
pub fn disarm_reset(fd: BorrowedFd<'_>) {
    let _ = sockopt::set_socket_linger(fd, None);
}

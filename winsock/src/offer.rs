//! Sockets on their way into another process of this host.
//!
//! Who offers a socket keeps it, on a thread that waits for the other process and ends with the
//! last offer. The other one fetches it by the offer's [`Place`], which is all that has to be told,
//! by whatever way. Only the process that the offer is for is given the socket, and an offer whose
//! process has ended is over. Everybody can see that there is an offer, and only who made it knows
//! all of its place: nobody else can give the other process a socket in its stead.

use std::fmt;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::str::FromStr;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use linsock_iocp::NtStatus;
use linsock_iocp::sync::Lock;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;
use rustix::net::{
    self, AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
    sockopt,
};
use rustix::process::{Pid, PidfdFlags, pidfd_open, test_kill_process};
use rustix::rand::{GetRandomFlags, getrandom};

use crate::socket::{Emigrant, Socket};
use crate::transport::{last_words, status_of};

/// How long a process that fetches waits for one that has the offer and does not answer: it may be
/// stopped.
const PATIENCE: Duration = Duration::from_secs(10);

/// More than any passport has.
const PASSPORT_MAX: usize = 4096;

/// Where an offer is. Nobody can guess it, and it is good once. As text it is 24 hexadecimal
/// digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(pub [u8; 12]);

impl Place {
    fn new() -> Result<Self, NtStatus> {
        let mut octets = [0; 12];
        match getrandom(&mut octets, GetRandomFlags::empty()) {
            Ok(12) => Ok(Self(octets)),
            _ => Err(NtStatus::INSUFFICIENT_RESOURCES),
        }
    }

    /// A name in Linux' abstract namespace. Names are no secret there (/proc/net/unix), so it is
    /// half of the place: the whole of it comes before the passport.
    fn address(self) -> Result<SocketAddrUnix, NtStatus> {
        let name = format!("linsock-offer-{}", &self.to_string()[..12]);
        SocketAddrUnix::new_abstract_name(name.as_bytes()).map_err(status_of)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// A text is no [`Place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPlace;

impl fmt::Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the place of an offer is 24 hexadecimal digits")
    }
}

impl std::error::Error for NoPlace {}

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return Err(NoPlace) };
        let digit = |octet: u8| char::from(octet).to_digit(16);
        let octet = |[high, low]: [u8; 2]| u8::try_from(digit(high)? << 4 | digit(low)?).ok();
        let octets: Option<Vec<u8>> = pairs.iter().map(|pair| octet(*pair)).collect();
        octets.and_then(|octets| octets.try_into().ok()).map(Self).ok_or(NoPlace)
    }
}

/// A socket that waits for its process.
#[derive(Debug)]
struct Offer {
    listener: OwnedFd,
    target: Target,
    place: Place,
    /// Told if it stays.
    socket: Weak<Socket>,
    fd: Arc<OwnedFd>,
    passport: String,
    is_taken: bool,
}

/// The process that an offer is for.
#[derive(Debug)]
struct Target {
    id: Pid,
    /// Readable once the process has ended. `None` where there is none to be had, before Linux 5.3
    /// and in some containers: then it is looked after now and then.
    pidfd: Option<OwnedFd>,
}

/// How long an offer waits for a descriptor when there is none left.
const RETRY: Duration = Duration::from_millis(20);

/// How often a process is looked after that cannot be waited for.
const LOOK_AFTER: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

impl Target {
    fn of(process: u32) -> Result<Self, NtStatus> {
        let id = i32::try_from(process).ok().and_then(Pid::from_raw);
        let id = id.ok_or(NtStatus::INVALID_PARAMETER)?;
        let pidfd = match pidfd_open(id, PidfdFlags::empty()) {
            Ok(pidfd) => Some(pidfd),
            Err(Errno::NOSYS | Errno::PERM) => None,
            Err(errno @ (Errno::MFILE | Errno::NFILE)) => return Err(status_of(errno)),
            Err(_) => return Err(NtStatus::INVALID_PARAMETER),
        };
        let target = Self { id, pidfd };
        if target.has_ended() { Err(NtStatus::INVALID_PARAMETER) } else { Ok(target) }
    }

    fn has_ended(&self) -> bool {
        let Some(pidfd) = &self.pidfd else {
            return test_kill_process(self.id) == Err(Errno::SRCH);
        };
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut [PollFd::new(pidfd, PollFlags::IN)], Some(&at_once)) == Ok(1)
    }
}

/// What the keeper is told.
#[derive(Debug, Default)]
struct Offers {
    new: Vec<Offer>,
    /// What wakes the thread that keeps them; `None`: there is none.
    keeper: Option<Arc<OwnedFd>>,
}

static OFFERS: Lock<Offers> = Lock::new(Offers { new: Vec::new(), keeper: None });

/// Offers a socket to a process, which has it from the moment on at which it calls [`fetch`]. The
/// socket may be closed here meanwhile; this process has to live until then.
///
/// Does not block.
///
/// # Errors
/// As [`Socket::emigrate`]; WSAEINVAL when there is no such process; WSAEMFILE and WSAENOBUFS when
/// descriptors or threads ran out.
pub fn make(socket: &Arc<Socket>, process: u32) -> Result<Place, NtStatus> {
    let target = Target::of(process)?;
    let place = Place::new()?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let listener = net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
        .map_err(status_of)?;
    net::bind(&listener, &place.address()?).map_err(status_of)?;
    net::listen(&listener, 8).map_err(status_of)?;
    let Emigrant { fd, passport } = socket.emigrate()?;
    let socket = Arc::downgrade(socket);
    keep(Offer { listener, target, place, socket, fd, passport, is_taken: false })?;
    Ok(place)
}

/// Puts an offer where the keeper finds it.
fn keep(offer: Offer) -> Result<(), NtStatus> {
    let mut offers = OFFERS.lock();
    let woken = match &offers.keeper {
        Some(wake) => Ok(Arc::clone(wake)),
        None => start_keeper(),
    };
    match woken {
        Ok(wake) => {
            offers.keeper = Some(Arc::clone(&wake));
            offers.new.push(offer);
            drop(offers);
            let _ = rustix::io::write(&*wake, &1_u64.to_ne_bytes());
            Ok(())
        }
        Err(status) => {
            drop(offers);
            offer.end();
            Err(status)
        }
    }
}

fn start_keeper() -> Result<Arc<OwnedFd>, NtStatus> {
    let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
    let wake = Arc::new(wake.map_err(status_of)?);
    let keepers = Arc::clone(&wake);
    let started = thread::Builder::new().name("linsock-offers".into()).spawn(move || {
        let mut open = Vec::new();
        while is_needed(&mut open) {
            wait(&keepers, &open);
            open.extract_if(.., Offer::is_over).for_each(Offer::end);
        }
    });
    started.map(|_| wake).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)
}

/// Takes over what is new. False when there is nothing to keep: then there is no keeper.
fn is_needed(open: &mut Vec<Offer>) -> bool {
    let mut offers = OFFERS.lock();
    open.append(&mut offers.new);
    if open.is_empty() {
        offers.keeper = None;
    }
    !open.is_empty()
}

/// Waits until a process has come for an offer or has ended, or there is another offer.
fn wait(wake: &OwnedFd, open: &[Offer]) {
    let mut polled = vec![PollFd::new(wake, PollFlags::IN)];
    for offer in open {
        polled.push(PollFd::new(&offer.listener, PollFlags::IN));
        polled.extend(offer.target.pidfd.iter().map(|it| PollFd::new(it, PollFlags::IN)));
    }
    let blind = open.iter().any(|offer| offer.target.pidfd.is_none());
    let _ = poll(&mut polled, blind.then_some(&LOOK_AFTER));
    let _ = rustix::io::read(wake, &mut [0; 8]);
}

impl Offer {
    /// Whether it is over now: the socket is taken, or nobody is left to take it.
    fn is_over(&mut self) -> bool {
        self.is_taken = self.is_taken();
        self.is_taken || self.target.has_ended()
    }

    /// The socket of an offer that nobody has taken is this process's alone again.
    fn end(self) {
        if let Some(socket) = self.socket.upgrade().filter(|_| !self.is_taken) {
            socket.note_stayed(&self.fd);
        }
        // Others wait for this thread.
        last_words::close_without_a_wait(self.fd);
    }

    /// Gives the socket to whoever has come, if that is the process that it is for.
    fn is_taken(&self) -> bool {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let visitor = match net::accept_with(&self.listener, flags) {
            Ok(visitor) => visitor,
            Err(Errno::AGAIN) => return false,
            Err(_) => {
                // No descriptor is left for who has come, and there is nothing else to wait for.
                thread::sleep(RETRY);
                return false;
            }
        };
        let is_its_number =
            sockopt::socket_peercred(&visitor).is_ok_and(|who| who.pid == self.target.id);
        // The number is another's once the process has ended.
        if !is_its_number || self.target.has_ended() {
            return false;
        }
        let fds = [self.fd.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut beside = SendAncillaryBuffer::new(&mut space);
        let text = format!("{}{}", self.place, self.passport);
        let text = [IoSlice::new(text.as_bytes())];
        beside.push(SendAncillaryMessage::ScmRights(&fds))
            && net::sendmsg(&visitor, &text, &mut beside, SendFlags::NOSIGNAL).is_ok()
    }
}

/// Fetches a socket that another process has offered to this one.
///
/// Blocks until the other process has answered, which it does at once unless it is stopped: then
/// for ten seconds at most.
///
/// # Errors
/// WSAEINVAL when there is no such offer: taken already, for another process, of one that has ended
/// or has another version of this library; WSAEMFILE.
pub fn fetch(place: Place) -> Result<Arc<Socket>, NtStatus> {
    let nobody = |_| NtStatus::INVALID_PARAMETER;
    let flags = SocketFlags::CLOEXEC;
    let visitor = net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
        .map_err(status_of)?;
    for what in [sockopt::Timeout::Send, sockopt::Timeout::Recv] {
        sockopt::set_socket_timeout(&visitor, what, Some(PATIENCE)).map_err(status_of)?;
    }
    // What comes needs a descriptor, without which it would be lost.
    let room = visitor.try_clone().map_err(|_| NtStatus::TOO_MANY_OPENED_FILES)?;
    net::connect(&visitor, &place.address()?).map_err(nobody)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let mut text = [0; PASSPORT_MAX];
    drop(room);
    let message = loop {
        let mut into = [IoSliceMut::new(&mut text)];
        match net::recvmsg(&visitor, &mut into, &mut beside, RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::INTR) => {}
            received => break received.map_err(nobody)?,
        }
    };
    if message.flags.contains(ReturnFlags::CTRUNC) {
        // There was no descriptor left for it.
        return Err(NtStatus::TOO_MANY_OPENED_FILES);
    }
    let fd = beside.drain().find_map(|it| match it {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    let passport = std::str::from_utf8(&text[..message.bytes]).ok();
    // Whoever does not know all of the place has not made the offer.
    let passport = passport.and_then(|text| text.strip_prefix(&place.to_string()));
    let (Some(fd), Some(passport)) = (fd, passport) else {
        return Err(NtStatus::INVALID_PARAMETER);
    };
    Socket::immigrate(passport, fd, None)
}

//! The names of pipes, and who waits behind them.
//!
//! A name is a listening socket of the kernel's (AF_UNIX, in the abstract namespace), so a client
//! is connected, and may write, before the server does anything, and other processes find it. Its
//! backlog has as many places as instances listen, and no more: who comes then is told at once that
//! the pipe is busy. A backlog cannot be empty, so while no instance listens its one place is taken
//! by a [`Filler`].

use std::collections::{HashMap, VecDeque};
use std::fmt::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, LazyLock, Weak};
use std::time::Duration;

use linsock_iocp::NtStatus;
use linsock_iocp::irp::Deferred;
use linsock_iocp::sync::Lock;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionread};
use rustix::net::{
    self, AddressFamily, SocketAddrAny, SocketAddrUnix, SocketFlags, SocketType, sockopt,
};
use rustix::process::{Uid, geteuid};

use super::{Direction, End, Kind};
use crate::transport::{status_of, tcp};

/// Where a pipe is: `\\.\pipe\NAME`. Case means nothing in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path(String);

/// The kernel's name of a pipe has room for so many octets of its own.
const NAME_MAX: usize = 80;

impl Path {
    /// The pipe that a path names; slashes of both kinds are one. `None` for a path of something
    /// else.
    pub fn new(path: &str) -> Option<Self> {
        let path = path.replace('\\', "/").to_lowercase();
        let name = path
            .strip_prefix("//")?
            .split_once("/pipe/")
            .and_then(|(host, name)| matches!(host, "." | "?" | "localhost").then_some(name))?;
        (!name.is_empty()).then(|| Self(name.to_owned()))
    }

    /// The kernel's name. One that is too long ends with what tells it from others.
    fn octets(&self) -> String {
        let mut name = self.0.as_str();
        let mut tail = String::new();
        if name.len() > NAME_MAX {
            // FNV-1a: the same in every program, whatever it was built with.
            let hash = name.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, octet| {
                (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01B3)
            });
            // Writing to a string does not fail.
            let _ = write!(tail, "#{hash:016x}");
            name = &name[..name.floor_char_boundary(NAME_MAX - tail.len())];
        }
        format!("linsock/pipe/{name}{tail}")
    }

    /// The kernel's address.
    pub(super) fn address(&self) -> Result<SocketAddrUnix, NtStatus> {
        SocketAddrUnix::new_abstract_name(self.octets().as_bytes()).map_err(status_of)
    }
}

impl AsRef<str> for Path {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// What all instances of a pipe have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Octets or messages.
    pub kind: Kind,
    /// Who writes to whom.
    pub direction: Direction,
    /// How many instances there may be; `None`: as many as can be had.
    pub instances_max: Option<u32>,
    /// What a wait for an instance takes at most unless it is told.
    pub default_wait: Duration,
    /// How large the buffers were wished to be: of what the server writes, and of what it reads.
    pub sizes: [u32; 2],
    /// Whether other users may be clients.
    pub is_public: bool,
}

/// A pipe that has instances in this process.
#[derive(Debug)]
pub(super) struct Name {
    path: Path,
    pub(super) terms: Terms,
    queue: Lock<Queue>,
}

#[derive(Debug)]
struct Queue {
    /// `None` once the pipe has no instance.
    listener: Option<OwnedFd>,
    /// Has the same name as a socket of the other kind, so that nobody makes a pipe of that kind.
    guard: Option<OwnedFd>,
    /// Instances in the order in which they began to listen.
    listening: VecDeque<Weak<End>>,
    /// A client that came while no instance listened.
    stray: Option<OwnedFd>,
    /// How many clients the kernel lets wait.
    places: usize,
    /// One that is at hand, or waits in the backlog. Without one, for want of descriptors, a client
    /// waits where it would be refused.
    filler: Option<Filler>,
}

/// A connection of our own that waits in a backlog so that no other can.
#[derive(Debug)]
struct Filler {
    fd: OwnedFd,
    name: SocketAddrAny,
    /// Whether it waits there; it is made before, because clients are quick.
    waits: bool,
}

/// A client that has come.
pub(super) struct Client {
    pub(super) fd: OwnedFd,
    /// It came while no instance listened, in the moment that the filler needs.
    pub(super) is_stray: bool,
}

/// The pipes of this process, and how many instances each has.
static NAMES: LazyLock<Lock<Names>> = LazyLock::new(Lock::default);
type Names = HashMap<Path, (Arc<Name>, u32)>;

/// A part in a pipe, for as long as it has the instance: with the last one the name is free again.
#[derive(Debug)]
pub(super) struct Membership(Arc<Name>);

impl Membership {
    /// Joins the pipe, which is made for its first instance.
    ///
    /// # Errors
    /// STATUS_ACCESS_DENIED where the instance `must_be_first` and is not, where the pipe's terms
    /// are others, and where the pipe is another process's; STATUS_INSTANCE_NOT_AVAILABLE.
    pub(super) fn join(path: Path, terms: Terms, must_be_first: bool) -> Result<Self, NtStatus> {
        let mut names = NAMES.lock();
        if let Some((name, count)) = names.get_mut(&path) {
            let known = &name.terms;
            if must_be_first || (known.kind, known.direction) != (terms.kind, terms.direction) {
                return Err(NtStatus::ACCESS_DENIED);
            }
            if known.instances_max.is_some_and(|most| *count >= most) {
                return Err(NtStatus::INSTANCE_NOT_AVAILABLE);
            }
            *count += 1;
            return Ok(Self(Arc::clone(name)));
        }
        let name = Arc::new(Name::new(path.clone(), terms)?);
        names.insert(path, (Arc::clone(&name), 1));
        Ok(Self(name))
    }

    pub(super) fn name(&self) -> &Arc<Name> {
        &self.0
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let mut names = NAMES.lock();
        let Some((_, count)) = names.get_mut(&self.0.path) else { return };
        *count -= 1;
        if *count == 0 {
            // Under the lock: whoever makes the pipe again finds the kernel's name free.
            let gone = names.remove(&self.0.path);
            self.0.queue.lock().end();
            drop(gone);
        }
    }
}

/// The terms of a pipe of this process, and how many instances it has.
pub(super) fn known(path: &Path) -> Option<(Terms, u32)> {
    NAMES.lock().get(path).map(|(name, count)| (name.terms, *count))
}

pub(super) fn socket(kind: Kind, flags: SocketFlags) -> Result<OwnedFd, NtStatus> {
    let of = match kind {
        Kind::Octets => SocketType::STREAM,
        Kind::Messages => SocketType::SEQPACKET,
    };
    net::socket_with(AddressFamily::UNIX, of, flags, None).map_err(status_of)
}

impl Filler {
    /// One that is ready to come in between.
    fn new(kind: Kind) -> Result<Self, NtStatus> {
        let fd = socket(kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?;
        // The kernel finds it a name, by which it is known when it is accepted.
        net::bind(&fd, &SocketAddrUnix::new_unnamed()).map_err(status_of)?;
        let name = net::getsockname(&fd).map_err(status_of)?;
        Ok(Self { fd, name, waits: false })
    }

    /// Takes the place, if a client is not faster.
    fn take_place(&mut self, address: &SocketAddrUnix) {
        if !self.waits {
            self.waits = net::connect(&self.fd, address).is_ok();
        }
    }
}

impl Name {
    fn new(path: Path, terms: Terms) -> Result<Self, NtStatus> {
        let guard = Self::bound(terms.kind.other(), &path)?;
        let listener = Self::bound(terms.kind, &path)?;
        // Until an instance listens there is a place, and nobody has been told of the name.
        net::listen(&listener, 0).map_err(status_of)?;
        let (listening, stray, filler) = Default::default();
        let (listener, guard) = (Some(listener), Some(guard));
        let queue = Queue { listener, guard, listening, stray, places: 1, filler };
        Ok(Self { path, terms, queue: Lock::new(queue) })
    }

    fn bound(kind: Kind, path: &Path) -> Result<OwnedFd, NtStatus> {
        let fd = socket(kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?;
        match net::bind(&fd, &path.address()?) {
            Ok(()) => Ok(fd),
            // Another process's.
            Err(Errno::ADDRINUSE) => Err(NtStatus::ACCESS_DENIED),
            Err(errno) => Err(status_of(errno)),
        }
    }

    /// A descriptor by which a driver tells that a client has come.
    pub(super) fn bell(&self) -> Result<OwnedFd, NtStatus> {
        let queue = self.queue.lock();
        let listener = queue.listener.as_ref().ok_or(NtStatus::INVALID_HANDLE)?;
        listener.try_clone().map_err(|_| NtStatus::TOO_MANY_OPENED_FILES)
    }

    /// How many instances it has.
    pub(super) fn instances(&self) -> u32 {
        known(&self.path).map_or(0, |(_, count)| count)
    }

    /// An instance listens from now on; a client that waits already has it.
    pub(super) fn listen(&self, end: &Arc<End>, after: &mut Deferred) {
        let mut queue = self.queue.lock();
        if queue.listening.is_empty() {
            queue.turn_away_stray();
        }
        queue.listening.push_back(Arc::downgrade(end));
        self.settle_queue(&mut queue, after);
    }

    /// An instance listens no more.
    pub(super) fn stop_listening(&self, end: &End, after: &mut Deferred) {
        let mut queue = self.queue.lock();
        queue.listening.retain(|known| !std::ptr::eq(known.as_ptr(), end));
        self.settle_queue(&mut queue, after);
    }

    /// Gives the clients that have come to the instances that listen.
    pub(super) fn settle(&self, after: &mut Deferred) {
        self.settle_queue(&mut self.queue.lock(), after);
    }

    fn settle_queue(&self, queue: &mut Queue, after: &mut Deferred) {
        queue.listening.retain(|end| end.strong_count() > 0);
        while !queue.listening.is_empty() && queue.has_client() {
            // First, so that no other comes for the instance that gets this one.
            self.set_places(queue, queue.listening.len() - 1);
            let is_stray = queue.stray.is_some();
            let Some(fd) = queue.next_client() else { break };
            if queue.places == 0 {
                self.fill(queue);
            }
            if self.admits(fd.as_fd()) {
                queue.give(Client { fd, is_stray }, after);
            }
        }
        self.set_places(queue, queue.listening.len());
        if queue.places == 0 {
            self.fill(queue);
        }
    }

    /// Lets so many clients wait. The kernel's backlog is of those beside the first.
    fn set_places(&self, queue: &mut Queue, places: usize) {
        let backlog = i32::try_from(places.saturating_sub(1)).unwrap_or(i32::MAX);
        if let Some(listener) = queue.listener.as_ref().filter(|_| places != queue.places) {
            let _ = net::listen(listener, backlog);
            queue.places = places;
        }
        if queue.filler.is_none() {
            queue.filler = Filler::new(self.terms.kind).ok();
        }
    }

    /// Has the filler take the one place that a backlog has at least.
    fn fill(&self, queue: &mut Queue) {
        if let (Some(filler), Ok(address)) = (&mut queue.filler, self.path.address()) {
            filler.take_place(&address);
        }
    }

    /// Whether a client may be one: "the default security descriptor grants full control to the
    /// creator owner, and read access to Everyone" (CreateNamedPipe page); here to the user and to
    /// root.
    fn admits(&self, client: BorrowedFd<'_>) -> bool {
        let is_ours = |uid: Uid| uid == geteuid() || uid.is_root();
        self.terms.is_public || sockopt::socket_peercred(client).is_ok_and(|who| is_ours(who.uid))
    }
}

impl Queue {
    /// Whether a client, or the filler, waits.
    fn has_client(&self) -> bool {
        let waits = |listener: &OwnedFd| tcp::is_readable(listener.as_fd());
        self.stray.is_some() || self.listener.as_ref().is_some_and(waits)
    }

    /// The next client; the filler is none.
    fn next_client(&mut self) -> Option<OwnedFd> {
        if let Some(client) = self.stray.take() {
            return Some(client);
        }
        loop {
            let (client, from) = self.accept()?;
            let is_filler = self.filler.as_ref().is_some_and(|it| Some(&it.name) == from.as_ref());
            if !is_filler {
                return Some(client);
            }
            self.filler = None;
        }
    }

    /// Between the last instance that listened and the filler a client can come that would have
    /// been refused. One that has given up meanwhile was never here.
    fn turn_away_stray(&mut self) {
        while self.stray.is_none()
            && let Some(client) = self.next_client()
        {
            self.stray = (!has_given_up(&client)).then_some(client);
        }
    }

    fn accept(&self) -> Option<(OwnedFd, Option<SocketAddrAny>)> {
        let listener = self.listener.as_ref()?;
        loop {
            return match net::acceptfrom_with(listener, SocketFlags::CLOEXEC) {
                Ok(accepted) => Some(accepted),
                Err(Errno::INTR | Errno::CONNABORTED) => continue,
                // No descriptor is left: the client waits until somebody looks again.
                Err(_) => None,
            };
        }
    }

    /// The pipe has no instance any more: nobody finds it.
    fn end(&mut self) {
        (self.filler, self.guard, self.stray) = (None, None, None);
        if let Some(listener) = self.listener.take() {
            // A process that is being started may have a descriptor of it for a moment.
            let _ = net::shutdown(&listener, net::Shutdown::Both);
        }
    }

    /// The first instance that still listens has the client.
    fn give(&mut self, client: Client, after: &mut Deferred) {
        let mut client = Some(client);
        while let Some(end) = self.listening.pop_front() {
            let Some(end) = end.upgrade() else { continue };
            client = client.and_then(|client| end.take_client(client, after).err());
            if client.is_none() {
                return;
            }
        }
    }
}

/// Whether a client has closed its end, and has left nothing to be read.
pub(super) fn has_given_up(client: impl AsFd + Copy) -> bool {
    let mut polled = [PollFd::new(&client, PollFlags::IN)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut polled, Some(&at_once)).is_ok()
        && polled[0].revents().contains(PollFlags::HUP)
        && ioctl_fionread(client) == Ok(0)
}

#[cfg(test)]
mod tests {
    use linsock_iocp::file::File;
    use linsock_iocp::handle;

    use super::super::{Mode, Side};
    use super::*;

    /// Pipe Names page: `\\ServerName\pipe\PipeName`, "The pipe name string ... is not
    /// case-sensitive".
    #[test]
    fn a_path_names_a_pipe_of_this_host() {
        let named = |path: &str| Path::new(path).map(|path| path.0);
        for path in [r"\\.\pipe\Name", "//./PIPE/name", r"\\?\pipe\NAME", r"\\localhost\Pipe\name"]
        {
            assert_eq!(named(path).as_deref(), Some("name"), "{path}");
        }
        for path in [r"\\.\pipe\", r"\\.\nul", r"\\elsewhere\pipe\name", "/pipe/name", "name", ""] {
            assert_eq!(named(path), None, "{path}");
        }
        assert_eq!(named(r"\\.\pipe\a\b").as_deref(), Some("a/b"));
    }

    /// unix(7): 108 octets, the first of which is not the name's.
    #[test]
    fn a_long_name_is_told_from_others_by_what_the_kernel_has_room_for() {
        let of = |name: &str| Path::new(&format!(r"\\.\pipe\{name}")).unwrap();
        assert_eq!(of("Short").octets(), "linsock/pipe/short");
        let long = "\u{fc}".repeat(60);
        let one = of(&long);
        let other = of(&format!("{long}."));
        assert_ne!(one.octets(), other.octets());
        for name in [one, other] {
            assert!(name.octets().len() <= 107, "{}", name.octets());
            assert!(name.address().is_ok());
        }
    }

    const TERMS: Terms = Terms {
        kind: Kind::Octets,
        direction: Direction::Duplex,
        instances_max: None,
        default_wait: Duration::ZERO,
        sizes: [0; 2],
        is_public: false,
    };

    /// An instance that begins to listen when a client has come and gone, which has left this.
    fn instance_after(stray: &str, leaves: &[u8]) -> Arc<End> {
        let path = format!(r"\\.\pipe\{stray}-{}", std::process::id());
        let path = Path::new(&path).unwrap();
        // The name has a place, and no instance yet: as before the filler has come.
        let _membership = Membership::join(path.clone(), TERMS, true).unwrap();
        let opened = || super::super::connect(&path, Kind::Octets);
        let client = opened().unwrap().expect("a place in the backlog");
        rustix::io::write(&client, leaves).unwrap();
        drop(client);
        assert_eq!(opened().unwrap_err(), NtStatus::PIPE_NOT_AVAILABLE);
        let made = super::super::create(path.clone(), TERMS, Mode::default(), false, true);
        End::from_value(made.unwrap().value()).unwrap()
    }

    fn close(end: &End) {
        assert!(handle::table().remove(end.core().handle()).is_some());
        end.close();
        let Side::Server(_, name) = &end.side else { panic!("a server's end") };
        assert!(known(&name.path).is_none());
    }

    /// Our choice: Windows would have refused them, so a server is not told that one has come and
    /// gone.
    #[test]
    fn who_gave_up_before_an_instance_listened_was_never_there() {
        let server = instance_after("stray", b"");
        assert_eq!(server.disconnect(), Err(NtStatus::PIPE_LISTENING));
        close(&server);
    }

    /// Our choice: what it has left is not lost.
    #[test]
    fn who_left_something_is_there_until_it_is_read() {
        let server = instance_after("giver", b"x");
        assert_eq!(server.listen_blocking(), Err(NtStatus::PIPE_CONNECTED));
        assert_eq!(server.peek(9).unwrap().octets, b"x");
        // It is known now; ConnectNamedPipe page: ERROR_NO_DATA.
        assert_eq!(server.listen_blocking(), Err(NtStatus::PIPE_CLOSING));
        close(&server);
    }
}

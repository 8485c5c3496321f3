//! Named pipes: between processes of this host, over the kernel's AF_UNIX sockets.
//!
//! A server's instance goes from one client to the next by disconnecting and connecting again, on
//! one handle, as a socket does by `DisconnectEx` with `TF_REUSE_SOCKET`. The states are those of
//! the pages about named pipes:
//!
//! ```text
//!             listen                a client comes
//!  Disconnected ───────▶ Listening ────────────────▶ Connected
//!       ▲                    ▲                           │
//!       │               (a new one)                      │
//!       └──────────────── disconnect ────────────────────┘
//! ```
//!
//! What has been written is in the kernel, which hands it to the reader also when the writer's end
//! is closed. A pipe of messages is a SEQPACKET socket, whose messages arrive as they were written;
//! what did not fit into a buffer is kept here for the next read.
//!
//! # Differs from Windows
//! All instances of a pipe are one process's. A write waits for room in the kernel's buffer, which
//! has some 200 KB whatever size was asked for, not for a reader; a message has to fit into it.
//! What a client has not read when the server disconnects is not taken from it: it reads that, and
//! ERROR_BROKEN_PIPE then, as when the server's end is closed. Empty messages that stand last when
//! their writer closes are lost.

mod name;
mod transfer;
mod wait;

use std::any::Any;
use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use linsock_iocp::NtStatus;
use linsock_iocp::disk::Access;
use linsock_iocp::driver::{Driver, Interest, Readiness};
use linsock_iocp::file::{AlreadyAssociated, File, FileCore};
use linsock_iocp::handle::{self, Handle, Object, Token};
use linsock_iocp::irp::{Deferred, Irp, Timing};
use linsock_iocp::port::CompletionPort;
use linsock_iocp::reactor;
use linsock_iocp::sync::{Lock, Locked};
use rustix::io::{Errno, ioctl_fionbio};
use rustix::net::{self, SocketFlags, sockopt};

use crate::socket::Started;
use crate::transport::status_of;
use crate::transport::tcp::Tcp;
use name::{Client, Membership, Name};

pub use name::{Path, Terms};
pub use transfer::{Ended, Peeked};
pub use wait::wait_for_instance;

/// What a pipe carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Octets.
    Octets,
    /// Messages.
    Messages,
}

impl Kind {
    const fn other(self) -> Self {
        match self {
            Self::Octets => Self::Messages,
            Self::Messages => Self::Octets,
        }
    }
}

/// Who writes to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// PIPE_ACCESS_INBOUND: the client to the server.
    Inbound,
    /// PIPE_ACCESS_OUTBOUND: the server to the client.
    Outbound,
    /// PIPE_ACCESS_DUPLEX.
    Duplex,
}

impl Direction {
    /// What a server may do.
    const fn of_server(self) -> Access {
        let (read, write) = match self {
            Self::Inbound => (true, false),
            Self::Outbound => (false, true),
            Self::Duplex => (true, true),
        };
        Access { read, write, append: write }
    }

    /// Whether a client may open it so.
    const fn allows(self, client: Access) -> bool {
        let server = self.of_server();
        (server.write || !client.read) && (server.read || !client.write)
    }
}

/// How an end is used; each end has its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mode {
    /// PIPE_READMODE_MESSAGE: a read takes one message, or a part of one.
    pub by_messages: bool,
    /// PIPE_NOWAIT: nothing waits.
    pub nowait: bool,
}

/// Which end it is.
#[derive(Debug)]
enum Side {
    Server(Lock<Option<Membership>>, Arc<Name>),
    Client,
}

/// An end of a pipe, with a handle: an instance of the server's, or a client's.
#[derive(Debug)]
pub struct End {
    core: FileCore,
    side: Side,
    kind: Kind,
    access: Access,
    overlapped: bool,
    inner: Lock<Inner>,
}

/// Where an end stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A server's: no client can come.
    Disconnected,
    /// A server's: the next client is its.
    Listening,
    /// It has, or had, somebody at the other end.
    Connected,
    /// Its handle is closed.
    Closed,
}

#[derive(Debug)]
struct Inner {
    state: State,
    mode: Mode,
    /// The connection; while a listening instance is waited for, what tells of clients.
    link: Tcp,
    listens: VecDeque<Irp>,
    reads: VecDeque<Irp>,
    writes: VecDeque<Irp>,
    /// What a read has left of a message.
    rest: Vec<u8>,
    /// Its client came when it should have been refused, and the program does not know it yet.
    is_stray: bool,
}

/// The room for messages, which the kernel makes as large as it may.
const MESSAGE_ROOM: usize = 1 << 20;

/// Makes an instance of a pipe, which listens.
///
/// # Errors
/// STATUS_INVALID_PARAMETER for octets that are to be read by messages; STATUS_ACCESS_DENIED where
/// the instance `must_be_first` and is not, where the pipe's terms are others, and where the pipe
/// is another process's; STATUS_INSTANCE_NOT_AVAILABLE for more than there may be; when handles or
/// descriptors ran out.
pub fn create(
    path: Path,
    terms: Terms,
    mode: Mode,
    must_be_first: bool,
    overlapped: bool,
) -> Result<Handle, NtStatus> {
    if mode.by_messages && terms.kind == Kind::Octets {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let membership = Membership::join(path, terms, must_be_first)?;
    let name = Arc::clone(membership.name());
    let side = Side::Server(Lock::new(Some(membership)), Arc::clone(&name));
    let inner = Inner::new(State::Listening, mode, Tcp::default());
    let end = enter(side, terms.kind, terms.direction.of_server(), overlapped, inner)?;
    let mut after = Deferred::default();
    name.listen(&end, &mut after);
    after.run();
    Ok(end.core.handle())
}

/// Opens a pipe as a client.
///
/// # Errors
/// STATUS_OBJECT_NAME_NOT_FOUND; STATUS_PIPE_NOT_AVAILABLE while no instance listens;
/// STATUS_ACCESS_DENIED where the pipe is not open that way, which is known of pipes of this
/// process; when handles or descriptors ran out.
pub fn open(path: &Path, access: Access, overlapped: bool) -> Result<Handle, NtStatus> {
    if name::known(path).is_some_and(|(terms, _)| !terms.direction.allows(access)) {
        return Err(NtStatus::ACCESS_DENIED);
    }
    let (fd, kind) = match connect(path, Kind::Octets)? {
        Some(fd) => (fd, Kind::Octets),
        None => {
            let fd = connect(path, Kind::Messages)?;
            (fd.ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?, Kind::Messages)
        }
    };
    let mut link = Tcp::default();
    link.attach(fd);
    let inner = Inner::new(State::Connected, Mode::default(), link);
    Ok(enter(Side::Client, kind, access, overlapped, inner)?.core.handle())
}

/// A connection to a pipe; `None` if there is none of that kind.
fn connect(path: &Path, kind: Kind) -> Result<Option<OwnedFd>, NtStatus> {
    let fd = name::socket(kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?;
    match net::connect(&fd, &path.address()?) {
        Ok(()) => {}
        // The kernel has a name for each kind of socket.
        Err(Errno::CONNREFUSED) => return Ok(None),
        Err(Errno::AGAIN) => return Err(NtStatus::PIPE_NOT_AVAILABLE),
        Err(errno) => return Err(status_of(errno)),
    }
    // Each call says that it does not wait; a process that inherits the descriptor may want to.
    ioctl_fionbio(&fd, false).map_err(status_of)?;
    prepare(&fd, kind);
    Ok(Some(fd))
}

fn prepare(fd: &OwnedFd, kind: Kind) {
    if kind == Kind::Messages {
        // As much as the system allows.
        let _ = sockopt::set_socket_send_buffer_size(fd, MESSAGE_ROOM);
    }
}

fn enter(
    side: Side,
    kind: Kind,
    access: Access,
    overlapped: bool,
    inner: Inner,
) -> Result<Arc<End>, NtStatus> {
    reactor::prepare().map_err(|_| NtStatus::TOO_MANY_OPENED_FILES)?;
    let mut entered = None;
    let made = handle::table().insert_with(|handle, token| {
        let core = FileCore::new(handle, token);
        let end = Arc::new(End { core, side, kind, access, overlapped, inner: Lock::new(inner) });
        Object::File(Arc::clone(entered.insert(end)) as Arc<dyn File>)
    });
    made.ok().and(entered).ok_or(NtStatus::TOO_MANY_OPENED_FILES)
}

impl Inner {
    fn new(state: State, mode: Mode, link: Tcp) -> Self {
        let (listens, reads, writes) = Default::default();
        Self { state, mode, link, listens, reads, writes, rest: Vec::new(), is_stray: false }
    }

    /// The operations of all kinds.
    fn queues(&mut self) -> [&mut VecDeque<Irp>; 3] {
        [&mut self.listens, &mut self.reads, &mut self.writes]
    }

    /// Ends everything that waits.
    fn end_all(&mut self, core: &FileCore, status: NtStatus, after: &mut Deferred) {
        for mut irp in self.queues().into_iter().flat_map(std::mem::take) {
            let bytes = irp.buffers.done();
            irp.complete(core, Timing::Pended, status, bytes, after);
        }
    }

    /// Lets go of the descriptor. (It is taken out of the driver first: the listener's lives on
    /// under another number, and would be reported.)
    fn let_go(&mut self, driver: &Driver) {
        self.link.unwatch(driver);
        drop(self.link.detach());
        self.rest = Vec::new();
    }
}

impl End {
    /// The end behind a handle value; `None` for a handle of anything else.
    pub fn from_value(value: usize) -> Option<Arc<Self>> {
        let file = handle::table().file_of(Handle::from_value(value)?)?;
        (file as Arc<dyn Any + Send + Sync>).downcast().ok()
    }

    /// Whether it was opened for overlapped operations.
    pub const fn is_overlapped(&self) -> bool {
        self.overlapped
    }

    /// What the pipe carries.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What this end may do.
    pub const fn access(&self) -> Access {
        self.access
    }

    /// Whether it is a server's.
    pub const fn is_server(&self) -> bool {
        matches!(self.side, Side::Server(..))
    }

    /// The pipe's terms, and how many instances it has: known at a server's end.
    pub fn terms(&self) -> Option<(Terms, u32)> {
        let name = self.name()?;
        Some((name.terms, name.instances()))
    }

    /// How it is used.
    pub fn mode(&self) -> Mode {
        self.inner.lock().mode
    }

    /// Says how it is used from now on.
    ///
    /// # Errors
    /// STATUS_INVALID_PARAMETER for octets that are to be read by messages.
    pub fn set_mode(&self, mode: Mode) -> Result<(), NtStatus> {
        if mode.by_messages && self.kind == Kind::Octets {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        self.inner.lock().mode = mode;
        Ok(())
    }

    /// The process at the other end: of the client, or of the server.
    ///
    /// # Errors
    /// STATUS_PIPE_LISTENING, STATUS_PIPE_DISCONNECTED.
    pub fn other_process(&self) -> Result<u32, NtStatus> {
        let inner = self.connected()?;
        let fd = inner.link.fd().ok_or(NtStatus::PIPE_DISCONNECTED)?;
        let who = sockopt::socket_peercred(fd).map_err(status_of)?;
        Ok(who.pid.as_raw_nonzero().get().cast_unsigned())
    }

    /// The descriptor of the connection, for a process that inherits it.
    pub fn shared_fd(&self) -> Option<Arc<OwnedFd>> {
        let mut inner = self.inner.lock();
        if inner.state == State::Connected { inner.link.shared_fd() } else { None }
    }

    fn name(&self) -> Option<&Arc<Name>> {
        match &self.side {
            Side::Server(_, name) => Some(name),
            Side::Client => None,
        }
    }

    fn driver(&self) -> &Driver {
        match self.core.association() {
            Some(association) => association.port.driver(),
            None => reactor::reactor().driver(),
        }
    }

    const fn token(&self) -> Token {
        self.core.token()
    }

    /// Has the driver watch for operations that wait. If it cannot, whoever looks again finds them.
    fn watch(&self, inner: &mut Inner, interest: Interest) {
        if self.core.association().is_none() {
            reactor::reactor().note_pending();
        }
        let _ = inner.link.watch(self.driver(), self.token(), interest);
    }

    /// The lock of an end that has somebody at its other end. A client that has come is found here.
    fn connected(&self) -> Result<Locked<'_, Inner>, NtStatus> {
        let mut inner = self.inner.lock();
        if inner.state == State::Listening
            && let Some(name) = self.name()
        {
            drop(inner);
            let mut after = Deferred::default();
            name.settle(&mut after);
            after.run();
            inner = self.inner.lock();
        }
        inner.is_stray = false;
        match inner.state {
            State::Connected => Ok(inner),
            State::Listening => Err(NtStatus::PIPE_LISTENING),
            State::Disconnected => Err(NtStatus::PIPE_DISCONNECTED),
            State::Closed => Err(NtStatus::INVALID_HANDLE),
        }
    }

    /// A client has come for this instance.
    ///
    /// # Errors
    /// It is given back by one that does not listen any more.
    fn take_client(&self, client: Client, after: &mut Deferred) -> Result<(), Client> {
        let mut inner = self.inner.lock();
        if inner.state != State::Listening {
            return Err(client);
        }
        prepare(&client.fd, self.kind);
        inner.let_go(self.driver());
        // One that is waited for is told of.
        inner.is_stray = client.is_stray && inner.listens.is_empty();
        inner.link.attach(client.fd);
        inner.state = State::Connected;
        for mut irp in std::mem::take(&mut inner.listens) {
            irp.complete(&self.core, Timing::Pended, NtStatus::SUCCESS, 0, after);
        }
        Ok(())
    }

    /// ConnectNamedPipe: waits for a client.
    ///
    /// # Errors
    /// STATUS_ILLEGAL_FUNCTION at a client's end; STATUS_PIPE_CONNECTED, STATUS_PIPE_CLOSING where
    /// a client has come before, or has come and gone; STATUS_PIPE_LISTENING where nothing waits.
    /// Nobody but the caller is told.
    pub fn listen(self: &Arc<Self>, mut irp: Irp) -> Result<Started, NtStatus> {
        let mut after = Deferred::default();
        let started = self.start_listen(&mut irp, &mut after);
        if let Err(status) = started {
            irp.refuse(status);
        }
        after.run();
        started
    }

    fn start_listen(
        self: &Arc<Self>,
        irp: &mut Irp,
        after: &mut Deferred,
    ) -> Result<Started, NtStatus> {
        let name = self.name().ok_or(NtStatus::ILLEGAL_FUNCTION)?;
        let (before, was_stray) = self.begin_to_listen();
        match before {
            State::Disconnected => name.listen(self, after),
            State::Listening => name.settle(after),
            State::Connected | State::Closed => {}
        }
        // Before this end's lock, which the name takes when it has a client.
        let bell = name.bell();
        let mut inner = self.inner.lock();
        match (inner.state, before) {
            // Never at once (ConnectNamedPipe page), though its end is told now.
            (State::Connected, State::Disconnected) => {
                irp.begin(&self.core);
                irp.complete(&self.core, Timing::Pended, NtStatus::SUCCESS, 0, after);
                Ok(Started::Pending)
            }
            (State::Connected, _) if !was_stray && inner.has_left() => Err(NtStatus::PIPE_CLOSING),
            (State::Connected, _) => Err(NtStatus::PIPE_CONNECTED),
            (State::Listening, _) if inner.mode.nowait => Err(NtStatus::PIPE_LISTENING),
            (State::Listening, _) => self.pend_listen(&mut inner, bell?, irp),
            // Another thread has been faster.
            (State::Disconnected, _) => Err(NtStatus::PIPE_DISCONNECTED),
            (State::Closed, _) => Err(NtStatus::INVALID_HANDLE),
        }
    }

    /// A disconnected instance listens, and one whose client should not have been let in and has
    /// left nothing; gives the state before, and whether its client is such a one.
    fn begin_to_listen(&self) -> (State, bool) {
        let mut inner = self.inner.lock();
        let is_stray = std::mem::take(&mut inner.is_stray);
        if is_stray && inner.link.fd().is_some_and(name::has_given_up) {
            inner.let_go(self.driver());
            inner.state = State::Disconnected;
        }
        let before = inner.state;
        if before == State::Disconnected {
            inner.state = State::Listening;
        }
        (before, is_stray)
    }

    fn pend_listen(
        &self,
        inner: &mut Inner,
        bell: OwnedFd,
        irp: &mut Irp,
    ) -> Result<Started, NtStatus> {
        if inner.link.fd().is_none() {
            inner.link.attach(bell);
        }
        irp.begin(&self.core);
        irp.pended(&self.core);
        let attended = irp.is_attended();
        inner.listens.push_back(irp.take());
        if !attended {
            self.watch(inner, Interest::Level);
        }
        Ok(Started::Pending)
    }

    /// DisconnectNamedPipe: lets the client go. What waits ends with STATUS_PIPE_DISCONNECTED.
    ///
    /// # Errors
    /// STATUS_ILLEGAL_FUNCTION at a client's end, STATUS_PIPE_LISTENING, STATUS_PIPE_DISCONNECTED.
    pub fn disconnect(&self) -> Result<(), NtStatus> {
        if !self.is_server() {
            return Err(NtStatus::ILLEGAL_FUNCTION);
        }
        let mut after = Deferred::default();
        let mut inner = self.connected()?;
        inner.state = State::Disconnected;
        inner.end_all(&self.core, NtStatus::PIPE_DISCONNECTED, &mut after);
        inner.let_go(self.driver());
        drop(inner);
        after.run();
        Ok(())
    }

    fn cancel_operations(&self, chosen: &dyn Fn(&Irp) -> bool) -> usize {
        let mut after = Deferred::default();
        let mut inner = self.inner.lock();
        let mut cancelled = 0;
        for queue in inner.queues() {
            let (gone, left) = std::mem::take(queue).into_iter().partition(|irp| chosen(irp));
            *queue = left;
            for mut irp in Vec::from(gone) {
                let bytes = irp.buffers.done();
                irp.complete(&self.core, Timing::Pended, NtStatus::CANCELLED, bytes, &mut after);
                cancelled += 1;
            }
        }
        if inner.state == State::Listening && inner.listens.is_empty() {
            inner.let_go(self.driver());
        }
        drop(inner);
        after.run();
        cancelled
    }
}

impl File for End {
    fn core(&self) -> &FileCore {
        &self.core
    }

    fn handle_ready(&self, readiness: Readiness, after: &mut Deferred) {
        let mut inner = self.inner.lock();
        match (inner.state, self.name()) {
            (State::Listening, Some(name)) => {
                drop(inner);
                name.settle(after);
            }
            (State::Connected, _) => {
                inner.link.note(readiness);
                self.progress(&mut inner, after);
            }
            _ => {}
        }
    }

    fn cancel(&self, chosen: &dyn Fn(&Irp) -> bool) -> usize {
        self.cancel_operations(chosen)
    }

    fn associate(&self, port: &Arc<CompletionPort>, key: usize) -> Result<(), AlreadyAssociated> {
        // "Only ... handles that support overlapped I/O" (CreateIoCompletionPort page).
        if !self.overlapped {
            return Err(AlreadyAssociated);
        }
        let mut inner = self.inner.lock();
        if self.core.association().is_some() {
            return Err(AlreadyAssociated);
        }
        let interest = inner.link.unwatch(self.driver());
        self.core.set_association(port, key)?;
        if let Some(interest) = interest {
            self.watch(&mut inner, interest);
            // What waits depends on the port now, which nobody may ever look at.
            port.note_pending();
        }
        Ok(())
    }

    fn is_of_winsock(&self) -> bool {
        false
    }

    fn close(&self) {
        let mut after = Deferred::default();
        let mut inner = self.inner.lock();
        inner.state = State::Closed;
        inner.end_all(&self.core, NtStatus::CANCELLED, &mut after);
        inner.let_go(self.driver());
        drop(inner);
        if let Side::Server(membership, name) = &self.side {
            name.stop_listening(self, &mut after);
            drop(membership.lock().take());
        }
        after.run();
    }
}

//! What goes through a pipe: reads, writes, looks, and the calls that wait.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use linsock_iocp::NtStatus;
use linsock_iocp::buffer::{Buffers, RecvFlags, SendFlags};
use linsock_iocp::clock::Deadline;
use linsock_iocp::disk::Way;
use linsock_iocp::driver::{Interest, Readiness};
use linsock_iocp::file::File;
use linsock_iocp::irp::{Deferred, Irp, Timing};
use linsock_iocp::sys;
use linsock_iocp::wait::{self, Blocked, Step};
use rustix::event::PollFlags;
use rustix::io::{Errno, ioctl_fionread};
use rustix::net;

use super::{End, Inner, Kind, State};
use crate::socket::{Started, SyncResult};
use crate::transport::status_of;
use crate::transport::tcp::Next;

/// How a call that waits has ended: a message that goes on ends with STATUS_BUFFER_OVERFLOW, and
/// octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its status.
    pub status: NtStatus,
    /// The octets that it has moved.
    pub octets: usize,
}

/// A look into a pipe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peeked {
    /// What is next, as much as was asked for.
    pub octets: Vec<u8>,
    /// How many octets wait, of all messages.
    pub available: usize,
    /// How many octets of the next message are not among those that are given.
    pub left: usize,
}

/// What an attempt has come to.
enum Tried {
    /// Over; so many octets.
    Done(usize),
    /// Over, and the message goes on.
    More(usize),
    /// Nothing yet, or not everything.
    Wait,
    /// It fails.
    Failed(NtStatus),
}

/// How often somebody looks whether a pipe has been read, of which the kernel tells nothing.
const LOOK: [Duration; 2] = [Duration::from_micros(50), Duration::from_millis(5)];

impl End {
    /// Starts a read. In a pipe of octets it takes what is there, and waits for the first; of no
    /// length it waits until something is there. In a pipe of messages it takes one.
    ///
    /// # Errors
    /// STATUS_ACCESS_DENIED, STATUS_PIPE_LISTENING, STATUS_PIPE_DISCONNECTED; STATUS_PIPE_BROKEN
    /// where nobody will write any more, STATUS_PIPE_EMPTY where nothing waits. Nobody but the
    /// caller is told, except of STATUS_BUFFER_OVERFLOW, which is the end of a read.
    pub fn read(&self, irp: Irp) -> Result<Started, NtStatus> {
        self.start(Way::Read, irp)
    }

    /// Starts a write, which ends when the kernel has all of it. Where nothing waits a pipe of
    /// octets takes what it has room for.
    ///
    /// # Errors
    /// As [`read`](Self::read); STATUS_PIPE_CLOSING where nobody will read,
    /// STATUS_INSUFFICIENT_RESOURCES for a message that the kernel has no room for.
    pub fn write(&self, irp: Irp) -> Result<Started, NtStatus> {
        self.start(Way::Write, irp)
    }

    fn start(&self, way: Way, mut irp: Irp) -> Result<Started, NtStatus> {
        let mut after = Deferred::default();
        let started = self.admit(way).and_then(|mut inner| {
            irp.begin(&self.core);
            match inner.attempt(self.kind, way, &mut irp) {
                Tried::Done(octets) => {
                    irp.complete(&self.core, Timing::Inline, NtStatus::SUCCESS, octets, &mut after);
                    Ok(Started::Done(octets))
                }
                // A warning, which is told as what has waited is.
                Tried::More(octets) => {
                    let status = NtStatus::BUFFER_OVERFLOW;
                    irp.complete(&self.core, Timing::Pended, status, octets, &mut after);
                    Err(status)
                }
                Tried::Wait => {
                    self.pend(way, &mut inner, &mut irp);
                    Ok(Started::Pending)
                }
                Tried::Failed(status) => Err(status),
            }
        });
        if let Err(status) = started {
            irp.refuse(status);
        }
        after.run();
        started
    }

    fn admit(&self, way: Way) -> Result<linsock_iocp::sync::Locked<'_, Inner>, NtStatus> {
        let allowed = match way {
            Way::Read => self.access.read,
            Way::Write => self.access.write,
        };
        if allowed { self.connected() } else { Err(NtStatus::ACCESS_DENIED) }
    }

    fn pend(&self, way: Way, inner: &mut Inner, irp: &mut Irp) {
        irp.pended(&self.core);
        let attended = irp.is_attended();
        inner.queue(way).push_back(irp.take());
        if !attended {
            self.watch_for_pending(inner);
        }
    }

    fn watch_for_pending(&self, inner: &mut Inner) {
        let interest =
            if inner.writes.is_empty() { Interest::Edges } else { Interest::EdgesAndRoom };
        self.watch(inner, interest);
    }

    /// Performs what waits and has become possible.
    pub(super) fn progress(&self, inner: &mut Inner, after: &mut Deferred) {
        for way in [Way::Read, Way::Write] {
            while let Some(mut irp) = inner.queue(way).pop_front() {
                let (status, octets) = match inner.try_once(self.kind, way, &mut irp.buffers) {
                    Tried::Done(octets) => (NtStatus::SUCCESS, octets),
                    Tried::More(octets) => (NtStatus::BUFFER_OVERFLOW, octets),
                    // The other end was closed while it waited.
                    Tried::Failed(NtStatus::PIPE_CLOSING) => {
                        (NtStatus::PIPE_BROKEN, irp.buffers.done())
                    }
                    Tried::Failed(status) => (status, irp.buffers.done()),
                    Tried::Wait => {
                        inner.queue(way).push_front(irp);
                        break;
                    }
                };
                irp.complete(&self.core, Timing::Pended, status, octets, after);
            }
        }
    }

    /// Looks into the pipe, and leaves what is there.
    ///
    /// # Errors
    /// STATUS_ACCESS_DENIED at an end that only writes; STATUS_INVALID_PIPE_STATE while it listens;
    /// STATUS_PIPE_DISCONNECTED; STATUS_PIPE_BROKEN when nothing is there and nothing will come
    /// ([MS-FSCC] 2.3.50).
    pub fn peek(&self, most: usize) -> Result<Peeked, NtStatus> {
        let inner = self.admit(Way::Read).map_err(|status| match status {
            NtStatus::PIPE_LISTENING => NtStatus::INVALID_PIPE_STATE,
            status => status,
        })?;
        let fd = inner.link.fd().ok_or(NtStatus::PIPE_DISCONNECTED)?;
        let waiting = ioctl_fionread(fd).map_err(status_of)?;
        let in_kernel = usize::try_from(waiting).unwrap_or(usize::MAX);
        let available = in_kernel + inner.rest.len();
        if !inner.rest.is_empty() {
            let octets = inner.rest[..most.min(inner.rest.len())].to_vec();
            let left = inner.rest.len() - octets.len();
            return Ok(Peeked { octets, available, left });
        }
        let mut octets = vec![0; most.min(in_kernel)];
        let flags = net::RecvFlags::PEEK | net::RecvFlags::DONTWAIT;
        let next = match again(|| net::recv(fd, &mut octets, flags | net::RecvFlags::TRUNC)) {
            Ok((_, next)) => next,
            Err(Errno::AGAIN) => 0,
            Err(errno) => return Err(broken(errno)),
        };
        if available == 0 && inner.has_left() {
            return Err(NtStatus::PIPE_BROKEN);
        }
        octets.truncate(next);
        let left = match self.kind {
            Kind::Octets => 0,
            Kind::Messages => inner.next_message().unwrap_or(0).saturating_sub(octets.len()),
        };
        Ok(Peeked { octets, available, left })
    }

    /// As [`read`](Self::read), and waits for the end of it.
    pub fn read_blocking(self: &Arc<Self>, buffers: Buffers) -> Ended {
        self.block(buffers, |end, irp| end.read(irp))
    }

    /// As [`write`](Self::write), and waits for the end of it.
    pub fn write_blocking(self: &Arc<Self>, buffers: Buffers) -> Ended {
        self.block(buffers, |end, irp| end.write(irp))
    }

    /// As [`listen`](Self::listen), and waits for a client.
    ///
    /// # Errors
    /// As there; STATUS_CANCELLED.
    pub fn listen_blocking(self: &Arc<Self>) -> Result<(), NtStatus> {
        let ended = self.block(Buffers::empty(), Self::listen);
        if ended.status.is_success() { Ok(()) } else { Err(ended.status) }
    }

    /// TransactNamedPipe's first half: writes a message that is to be answered.
    ///
    /// # Errors
    /// STATUS_INVALID_READ_MODE where messages are not read as such; STATUS_PIPE_BUSY where one
    /// waits to be read already ([MS-FSCC] 2.3.52); those of the write.
    pub fn ask(self: &Arc<Self>, message: Buffers) -> Result<(), NtStatus> {
        if self.kind != Kind::Messages || !self.mode().by_messages {
            return Err(NtStatus::INVALID_READ_MODE);
        }
        if self.peek(0)?.available > 0 {
            return Err(NtStatus::PIPE_BUSY);
        }
        let written = self.write_blocking(message);
        if written.status.is_success() { Ok(()) } else { Err(written.status) }
    }

    /// Waits until the other end has read everything (FlushFileBuffers page), or is closed.
    ///
    /// # Errors
    /// STATUS_ACCESS_DENIED at an end that only reads; STATUS_PIPE_LISTENING,
    /// STATUS_PIPE_DISCONNECTED; STATUS_PIPE_CLOSING where the other end is closed before.
    pub fn flush(&self) -> Result<(), NtStatus> {
        let [mut pause, longest] = LOOK;
        loop {
            let inner = self.admit(Way::Write)?;
            let fd = inner.link.fd().ok_or(NtStatus::PIPE_DISCONNECTED)?;
            if inner.has_left() {
                return Err(NtStatus::PIPE_CLOSING);
            }
            if inner.writes.is_empty() && sys::unacknowledged(fd).unwrap_or(0) == 0 {
                return Ok(());
            }
            drop(inner);
            wait::sleep(Deadline::after(pause), false);
            pause = (2 * pause).min(longest);
        }
    }

    fn block(
        self: &Arc<Self>,
        buffers: Buffers,
        start: impl FnOnce(&Arc<Self>, Irp) -> Result<Started, NtStatus>,
    ) -> Ended {
        let result = SyncResult::new();
        if start(self, result.irp(buffers)) == Ok(Started::Pending) {
            let waited = wait::block_on(Deadline::Never, |ready| {
                if ready {
                    let mut after = Deferred::default();
                    self.handle_ready(Readiness::UNKNOWN, &mut after);
                    after.run();
                }
                if result.is_done() { Step::Over } else { self.inner.lock().next_step() }
            });
            if waited == Blocked::Cancelled {
                let key = result.key();
                self.cancel_operations(&|irp| irp.key() == key);
            }
        }
        let done = result.take();
        done.map_or(Ended { status: NtStatus::CANCELLED, octets: 0 }, |done| Ended {
            status: done.status,
            octets: done.bytes,
        })
    }
}

impl Inner {
    fn queue(&mut self, way: Way) -> &mut std::collections::VecDeque<Irp> {
        match way {
            Way::Read => &mut self.reads,
            Way::Write => &mut self.writes,
        }
    }

    /// What a thread polls for that waits for an operation.
    fn next_step(&mut self) -> Step {
        let mut interest = PollFlags::empty();
        if !(self.reads.is_empty() && self.listens.is_empty()) {
            interest |= PollFlags::IN | PollFlags::RDHUP;
        }
        if !self.writes.is_empty() {
            interest |= PollFlags::OUT;
        }
        match self.link.shared_fd() {
            Some(fd) if !interest.is_empty() => Step::Ready(fd, interest),
            _ => Step::Woken,
        }
    }

    /// The first attempt, which waits for its turn.
    fn attempt(&mut self, kind: Kind, way: Way, irp: &mut Irp) -> Tried {
        let is_open = match way {
            Way::Read => self.link.readable || !self.rest.is_empty(),
            Way::Write => self.link.writable,
        };
        let tried = if self.queue(way).is_empty() && (is_open || irp.is_attended()) {
            self.try_once(kind, way, &mut irp.buffers)
        } else {
            Tried::Wait
        };
        match tried {
            Tried::Wait if !self.mode.nowait => Tried::Wait,
            Tried::Wait if way == Way::Read => Tried::Failed(NtStatus::PIPE_EMPTY),
            Tried::Wait => Tried::Done(irp.buffers.done()),
            tried => tried,
        }
    }

    fn try_once(&mut self, kind: Kind, way: Way, buffers: &mut Buffers) -> Tried {
        match (way, kind) {
            (Way::Read, Kind::Octets) => self.read_octets(buffers),
            (Way::Read, Kind::Messages) => self.read_message(buffers),
            (Way::Write, Kind::Octets) => self.write_octets(buffers),
            (Way::Write, Kind::Messages) => self.write_message(buffers),
        }
    }

    fn read_octets(&mut self, buffers: &mut Buffers) -> Tried {
        let Some(fd) = self.link.fd() else { return Tried::Failed(NtStatus::PIPE_BROKEN) };
        let room = buffers.offered();
        if room == 0 {
            return match self.link.peek() {
                Next::Data => Tried::Done(0),
                Next::Nothing => Tried::Wait,
                Next::Fin | Next::Failed(_) => Tried::Failed(NtStatus::PIPE_BROKEN),
            };
        }
        match again(|| buffers.recv(fd, RecvFlags::default())) {
            Ok(0) => Tried::Failed(NtStatus::PIPE_BROKEN),
            Ok(octets) => {
                if octets < room && !self.link.more_follows {
                    self.link.readable = false;
                }
                Tried::Done(octets)
            }
            Err(errno) => self.not_read(errno),
        }
    }

    fn read_message(&mut self, buffers: &mut Buffers) -> Tried {
        if !self.rest.is_empty() {
            return self.read_rest(buffers);
        }
        let Some(fd) = self.link.fd() else { return Tried::Failed(NtStatus::PIPE_BROKEN) };
        let len = match self.next_message() {
            Ok(0) if self.has_left() => return Tried::Failed(NtStatus::PIPE_BROKEN),
            Ok(len) => len,
            Err(errno) => return self.not_read(errno),
        };
        let room = buffers.remaining();
        if len <= room {
            return match again(|| buffers.recv(fd, RecvFlags::default())) {
                Ok(octets) => Tried::Done(octets),
                Err(errno) => self.not_read(errno),
            };
        }
        if room > 0 {
            let mut rest = vec![0; len];
            match again(|| net::recv(fd, &mut rest, net::RecvFlags::DONTWAIT)) {
                Ok(_) => self.rest = rest,
                Err(errno) => return self.not_read(errno),
            }
            return self.read_rest(buffers);
        }
        self.cut(0)
    }

    /// A message goes on, which is told to those who read messages.
    fn cut(&self, octets: usize) -> Tried {
        if self.mode.by_messages { Tried::More(octets) } else { Tried::Done(octets) }
    }

    /// Reads what a read before has left of a message.
    fn read_rest(&mut self, buffers: &mut Buffers) -> Tried {
        let octets = self.rest.len().min(buffers.remaining());
        if !buffers.fill(&self.rest[..octets]) {
            return Tried::Failed(NtStatus::ACCESS_VIOLATION);
        }
        self.rest.drain(..octets);
        if self.rest.is_empty() { Tried::Done(octets) } else { self.cut(octets) }
    }

    /// The length of the next message in the kernel.
    fn next_message(&self) -> Result<usize, Errno> {
        let fd = self.link.fd().ok_or(Errno::NOTCONN)?;
        let flags = net::RecvFlags::PEEK | net::RecvFlags::TRUNC | net::RecvFlags::DONTWAIT;
        let mut nothing = [0_u8; 1];
        again(|| net::recv(fd, &mut nothing, flags)).map(|(_, len)| len)
    }

    fn not_read(&mut self, errno: Errno) -> Tried {
        if errno == Errno::AGAIN {
            self.link.readable = false;
            return Tried::Wait;
        }
        Tried::Failed(broken(errno))
    }

    fn write_octets(&mut self, buffers: &mut Buffers) -> Tried {
        while buffers.remaining() > 0 {
            let Some(fd) = self.link.fd() else { return Tried::Failed(NtStatus::PIPE_CLOSING) };
            if let Err(tried) = self.written(send(buffers, fd)) {
                return tried;
            }
        }
        Tried::Done(buffers.done())
    }

    fn write_message(&mut self, buffers: &mut Buffers) -> Tried {
        let Some(fd) = self.link.fd() else { return Tried::Failed(NtStatus::PIPE_CLOSING) };
        match self.written(send(buffers, fd)) {
            Ok(octets) => Tried::Done(octets),
            Err(tried) => tried,
        }
    }

    fn written(&mut self, sent: Result<usize, Errno>) -> Result<usize, Tried> {
        sent.map_err(|errno| match errno {
            Errno::AGAIN => {
                self.link.writable = false;
                Tried::Wait
            }
            Errno::PIPE | Errno::CONNRESET => Tried::Failed(NtStatus::PIPE_CLOSING),
            Errno::MSGSIZE => Tried::Failed(NtStatus::INSUFFICIENT_RESOURCES),
            errno => Tried::Failed(status_of(errno)),
        })
    }

    /// Whether the other end is closed.
    pub(super) fn has_left(&self) -> bool {
        self.state == State::Connected && self.link.is_hung_up()
    }
}

fn send(buffers: &mut Buffers, fd: BorrowedFd<'_>) -> Result<usize, Errno> {
    again(|| buffers.send(fd, SendFlags::default()))
}

/// Asks again where a signal came in between; and after a reset, which tells that the other end has
/// left without reading everything, and is told before what it has written.
fn again<T>(mut ask: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    let mut was_reset = false;
    loop {
        match ask() {
            Err(Errno::INTR) => {}
            Err(Errno::CONNRESET) if !was_reset => was_reset = true,
            asked => return asked,
        }
    }
}

/// Why nothing more can be read.
fn broken(errno: Errno) -> NtStatus {
    match errno {
        Errno::CONNRESET | Errno::NOTCONN => NtStatus::PIPE_BROKEN,
        errno => status_of(errno),
    }
}

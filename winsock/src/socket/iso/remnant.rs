//! Connections whose handle is closed, and whose release is not over.
//!
//! The peer is to hear the disconnect and what was sent before it, and its own last messages must
//! not make TCP reset the connection meanwhile: a socket without an owner sends what is left, takes
//! in what comes, and goes when the peer has confirmed or its time is over.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use linsock_iocp::clock::Deadline;
use linsock_iocp::driver::Readiness;
use linsock_iocp::wait::{self, Waited, Which};

use super::super::held::Held;
use super::super::{Inner, Socket};
use super::{Link, RELEASE_LIMIT, Role};
use crate::catalog::Provider;
use crate::transport::tcp;

/// Remnants of a process. Of more, the kernel sends what it has taken, and answers what comes with
/// a reset.
const REMNANTS_MAX: usize = 1024;

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// What a remnant knows of itself.
#[derive(Debug)]
pub(super) struct Remnant {
    /// Closing the descriptor would be a reset: if the process ends while something is unsent, the
    /// peer must not believe that it has everything.
    armed: bool,
    _place: Place,
}

/// One of [`REMNANTS_MAX`].
#[derive(Debug)]
struct Place;

impl Place {
    fn take() -> Option<Self> {
        let place = (COUNT.fetch_add(1, Ordering::Relaxed) < REMNANTS_MAX).then_some(Self);
        if place.is_none() {
            COUNT.fetch_sub(1, Ordering::Relaxed);
        }
        place
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        COUNT.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Inner {
    /// Whether there is something that the peer's host has not acknowledged.
    pub(in crate::socket) fn owes_peer(&mut self) -> bool {
        let unsent = self.connection().is_some_and(|connection| !connection.output().is_empty());
        unsent || !self.tcp.is_flushed()
    }

    pub(in crate::socket) fn is_remnant(&self) -> bool {
        matches!(self.iso.as_deref(), Some(Link { role: Role::Remnant(_), .. }))
    }

    /// The handle is closed: the release goes on without it. `None` when there is none.
    pub(in crate::socket) fn leave_remnant(&mut self, socket: &Socket) -> Option<Arc<Socket>> {
        let connection = self.iso.as_ref()?.connection.as_ref()?;
        let owes = connection.is_over() && !connection.output().is_empty();
        if !owes && !connection.is_releasing() {
            return None;
        }
        let remnant = Remnant { armed: false, _place: Place::take()? };
        let fd = self.own_descriptor(socket)?;
        let mut link = self.iso.take()?;
        link.role = Role::Remnant(remnant);
        let class = link.class;
        self.iso = Some(Link::new(class));
        Socket::create_with(Provider::Iso(class), true, |inner| {
            inner.iso = Some(link);
            inner.tcp.attach(fd);
        })
        .ok()
    }

    /// Gives the kernel what is to be sent.
    fn flush_remnant(&mut self) {
        self.flush();
        let unsent = self.connection().is_some_and(|connection| !connection.output().is_empty());
        let (Some(link), Some(fd)) = (&mut self.iso, self.tcp.fd()) else { return };
        let Role::Remnant(remnant) = &mut link.role else { return };
        if unsent && !remnant.armed {
            tcp::arm_reset(fd);
        } else if !unsent && remnant.armed {
            tcp::disarm_reset(fd);
        }
        remnant.armed = unsent;
    }

    /// The descriptor, for another socket. A thread that blocks on it has a share of it; then it is
    /// another of the same connection.
    fn own_descriptor(&mut self, socket: &Socket) -> Option<OwnedFd> {
        self.tcp.unwatch(socket.driver());
        let detached = self.tcp.detach()?;
        let another = rustix::io::fcntl_dupfd_cloexec(detached.as_fd(), 0).ok();
        detached.into_own().or(another)
    }
}

impl Socket {
    /// Lets a remnant do its work. With a linger time the caller waits for the peer's answer; what
    /// the peer's host has not acknowledged then is aborted (closesocket page).
    pub(in crate::socket) fn outlive_handle(&self, linger: Option<Duration>) {
        let mut inner = self.lock();
        inner.await_answer(self, RELEASE_LIMIT);
        inner.watch_room(self);
        self.progress_remnant(inner, Readiness::UNKNOWN);
        let Some(time) = linger else { return };
        let deadline = Deadline::after(time);
        if wait::wait(&[self.gone()], Which::Any, deadline, false) == Waited::TimedOut {
            self.end_remnant();
        }
    }

    /// The driver has reported something of a remnant.
    pub(in crate::socket) fn progress_remnant(&self, mut inner: Held<'_>, readiness: Readiness) {
        inner.tcp.note(readiness);
        inner.flush_remnant();
        while let Some(connection) = inner.connection()
            && !connection.is_over()
        {
            connection.forget_messages();
            if !inner.read_more() {
                break;
            }
        }
        inner.tend_link(self);
        let over = inner
            .connection()
            .is_none_or(|connection| connection.is_over() && connection.output().is_empty());
        drop(inner);
        if over {
            self.end_remnant();
        }
    }

    /// The peer has not confirmed in time. What is not sent yet goes on: a peer that is slow in
    /// taking messages has not heard of the disconnect.
    pub(super) fn give_up_remnant(&self) {
        let mut inner = self.lock();
        if inner.owes_peer() {
            return inner.await_answer(self, RELEASE_LIMIT);
        }
        drop(inner);
        self.end_remnant();
    }

    /// Closes the descriptor. A peer that has not heard everything must not believe that it has.
    fn end_remnant(&self) {
        let mut inner = self.lock();
        if inner.owes_peer()
            && let Some(fd) = inner.tcp.fd()
        {
            tcp::arm_reset(fd);
        }
        inner.iso = None;
        drop(inner);
        let _ = self.close_handle();
    }
}

//! select and WSAPoll: the kernel's poll on the sockets' descriptors, told in Windows' terms.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use linsock_iocp::afd::endpoint::state::{Phase, RecvHalf};
use linsock_iocp::clock::Deadline;
use linsock_iocp::driver::Readiness;
use linsock_iocp::event::{Waitable, Waiters};
use linsock_iocp::file::File;
use linsock_iocp::irp::Deferred;
use linsock_iocp::wait;
use rustix::event::PollFlags;

use crate::socket::{Socket, SocketView};
use crate::transport::tcp::Next;

/// What is known of a socket's readiness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Data can be received, or a connection accepted.
    pub data: bool,
    /// There is room to send, or a connect succeeded.
    pub room: bool,
    /// Urgent data is there.
    pub urgent: bool,
    /// The peer has closed its half.
    pub hung_up: bool,
    /// The connection was reset or aborted.
    pub failed: bool,
    /// A connect failed.
    pub connect_failed: bool,
    /// The handle was closed meanwhile.
    pub gone: bool,
}

impl Status {
    const fn is_any(self, interest: Interest) -> bool {
        interest.read && self.data
            || interest.write && self.room
            || interest.urgent && self.urgent
            || self.hung_up
            || self.failed
            || self.connect_failed
            || self.gone
    }
}

/// What a caller wants to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// Readable.
    pub read: bool,
    /// Writable.
    pub write: bool,
    /// Urgent data.
    pub urgent: bool,
    /// The end of the peer's data, though nobody asks for data.
    pub hang_up: bool,
}

/// Waits until one of the sockets has something its caller wants to know, or a failure; gives the
/// status of each. APCs run if it has to wait.
pub fn poll(sockets: &[(Arc<Socket>, Interest)], deadline: Deadline) -> Vec<Status> {
    let mut views: Vec<_> = sockets.iter().map(|(socket, _)| socket.view()).collect();
    loop {
        let fds: Vec<_> =
            sockets.iter().zip(&views).map(|((_, want), view)| flags(*want, view)).collect();
        let present: Vec<_> = fds.iter().flatten().cloned().collect();
        let watches: Vec<_> = sockets.iter().zip(&views).map(Watch::of).collect();
        let mut changes: Vec<&dyn Waitable> = watches.iter().map(|watch| watch as _).collect();
        changes.extend(sockets.iter().filter_map(|(s, _)| s.news()).map(|s| s as &dyn Waitable));
        // A state that speaks for itself does not wait for the kernel.
        let known = sockets
            .iter()
            .zip(&views)
            .any(|((_, want), view)| of(view, PollFlags::empty()).is_any(*want));
        let limit = if known { Deadline::after_ms(0) } else { deadline };
        let mut reported = wait::poll_descriptors(&present, &changes, limit).into_iter();
        let mut next = || reported.next().unwrap_or(PollFlags::empty());
        let mut statuses = Vec::with_capacity(sockets.len());
        for (((socket, _), fd), view) in sockets.iter().zip(&fds).zip(&mut views) {
            let revents = if fd.is_some() { next() } else { PollFlags::empty() };
            statuses.push(look(socket, revents, view));
        }
        let any = statuses.iter().zip(sockets).any(|(status, (_, want))| status.is_any(*want));
        if any || limit.is_over() {
            return statuses;
        }
    }
}

/// Lets time pass between two polls of a set whose only news nobody asked for, as when one waits
/// for room on a socket whose peer has hung up.
pub fn pause(sockets: &[(Arc<Socket>, Interest)], deadline: Deadline) {
    let gone: Vec<&dyn Waitable> = sockets.iter().map(|(s, _)| s.gone() as _).collect();
    let soon = Deadline::after_ms(1);
    let until = if deadline.is_over() { deadline } else { soon };
    wait::wait(&gone, wait::Which::Any, until, true);
}

fn flags(want: Interest, view: &SocketView) -> Option<(Arc<OwnedFd>, PollFlags)> {
    let fd = view.fd.clone().filter(|_| view.is_pollable())?;
    let mut flags = PollFlags::empty();
    if want.read {
        flags |= PollFlags::IN;
    }
    if want.read || want.hang_up {
        flags |= PollFlags::RDHUP;
    }
    if want.write {
        flags |= PollFlags::OUT;
    }
    if want.urgent {
        flags |= PollFlags::PRI;
    }
    Some((fd, flags))
}

/// Another descriptor than the one that is polled, or none, tells of the socket by now; or its
/// handle is closed.
struct Watch<'a> {
    socket: &'a Socket,
    view: &'a SocketView,
}

impl<'a> Watch<'a> {
    fn of(((socket, _), view): (&'a (Arc<Socket>, Interest), &'a SocketView)) -> Self {
        Self { socket, view }
    }
}

impl Waitable for Watch<'_> {
    fn take(&self) -> bool {
        !self.socket.is_polled_by(self.view)
    }

    fn give_back(&self) {}

    fn waiters(&self) -> &Waiters {
        self.socket.gone().waiters()
    }
}

/// What a socket has to tell, by what the kernel has reported of the descriptor in `view`, which is
/// brought up to date.
fn look(socket: &Socket, revents: PollFlags, view: &mut SocketView) -> Status {
    let status = look_closely(socket, revents);
    let former = std::mem::replace(view, socket.view());
    // Somebody else has taken in the end of the connection, as one does that disconnects.
    let ended = former.is_connected() && former.ended != view.ended;
    Status { hung_up: status.hung_up || ended, ..status }
}

fn look_closely(socket: &Socket, revents: PollFlags) -> Status {
    // The poll asked the kernel, not us: what it saw has to reach the endpoint.
    let news = PollFlags::ERR | PollFlags::HUP | PollFlags::OUT;
    if revents.intersects(news) && socket.view().is_connecting() {
        let mut after = Deferred::default();
        socket.handle_ready(Readiness::UNKNOWN, &mut after);
        after.run();
    }
    if revents.contains(PollFlags::IN) && socket.is_listening() && socket.provider().is_iso() {
        let mut after = Deferred::default();
        socket.handle_ready(Readiness::UNKNOWN, &mut after);
        after.run();
    }
    if !revents.contains(PollFlags::IN) || socket.is_listening() || socket.is_datagram() {
        return of(&socket.view(), revents);
    }
    // The kernel calls an end of data readable too; Windows calls it a hang-up only.
    let data = socket.note_readable();
    let status = of(&socket.view(), revents);
    Status { data: status.data && (data || !status.hung_up), ..status }
}

fn of(view: &SocketView, revents: PollFlags) -> Status {
    if view.datagram {
        return Status {
            // An error that waits is what a receive gives (ICMP port unreachable).
            data: revents.intersects(PollFlags::IN | PollFlags::ERR),
            room: revents.contains(PollFlags::OUT),
            gone: view.closed,
            ..Status::default()
        };
    }
    if let Some(next) = view.message {
        let failed = matches!(next, Next::Failed(_));
        return Status {
            data: next == Next::Data,
            room: failed || revents.contains(PollFlags::OUT),
            hung_up: failed || next == Next::Fin,
            failed,
            gone: view.closed,
            ..Status::default()
        };
    }
    let connected = view.is_connected();
    let ended = view.recv.is_some_and(RecvHalf::peer_ended);
    let failed = view.phase == Phase::Closed || connected && revents.contains(PollFlags::ERR);
    let hung = revents.intersects(PollFlags::RDHUP | PollFlags::HUP);
    // A connect that failed was readable to the kernel, which told the error so.
    let readable = (connected || view.phase == Phase::Listening) && !ended;
    Status {
        data: view.deferred || !view.requested && readable && revents.contains(PollFlags::IN),
        room: failed || connected && revents.contains(PollFlags::OUT),
        urgent: revents.contains(PollFlags::PRI),
        hung_up: ended || failed || connected && hung,
        failed,
        connect_failed: view.connect_failed,
        gone: view.closed,
    }
}

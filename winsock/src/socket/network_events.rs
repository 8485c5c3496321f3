//! WSAEventSelect: where the facts of the record come from.
//!
//! The facts are looked at whenever the driver has reported something, a re-enabling function was
//! called, or the selection changed. A socket without a selection pays one look at a null pointer.

use std::sync::Arc;

use linsock_iocp::NtStatus;
use linsock_iocp::afd::endpoint::state::{Phase, SendHalf};
use linsock_iocp::afd::network_events::{NetworkEvent, NetworkEvents, Signal, Taken};
use linsock_iocp::afd::{AbortCause, CloseReason, Receive};
use linsock_iocp::driver::Interest;
use linsock_iocp::event::Event;
use linsock_iocp::irp::Deferred;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::notification::Registration;
use super::polls::Polls;
use super::{Inner, Socket};
use crate::transport::tcp::{self, Next};

/// What the program selected, and the event that tells it.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    event: Arc<Event>,
    record: NetworkEvents,
}

impl Selection {
    fn indicate(&mut self, event: NetworkEvent, status: NtStatus) {
        if self.record.indicate(event, status) == Signal::Set {
            self.event.set();
        }
    }

    /// For a socket that this one has accepted: the same selection, nothing recorded.
    pub(super) fn inherited(&self) -> Box<Self> {
        let mut record = NetworkEvents::default();
        let _nothing_recorded = record.select(self.record.selected());
        Box::new(Self { event: Arc::clone(&self.event), record })
    }
}

/// Those who were told what happens to a socket that is closed now.
pub(super) struct Observers {
    registration: Option<Box<Registration>>,
    polls: Option<Box<Polls>>,
}

impl Observers {
    /// Tells them. The caller holds no lock: a registration's port may go with it, and what the
    /// port's packets hold.
    pub(super) fn tell_closed(self, after: &mut Deferred) {
        drop(self.registration);
        if let Some(polls) = self.polls {
            polls.tell_closed(after);
        }
    }
}

impl Socket {
    /// WSAEventSelect: `event` is set when one of the events of `mask` happens, and now if one has
    /// happened already. The socket becomes non-blocking. `None` or an empty mask selects nothing.
    ///
    /// The selection survives a disconnect with reuse (our choice: it belongs to the handle).
    ///
    /// # Errors
    /// WSAENOTSOCK when the handle is closed.
    pub fn event_select(&self, event: Option<Arc<Event>>, mask: u32) -> Result<(), NtStatus> {
        let mut after = Deferred::default();
        let mut inner = self.open()?;
        self.set_nonblocking(true);
        match event.filter(|_| mask != 0) {
            None => inner.selection = None,
            Some(event) => {
                let record = inner.selection.take().map(|old| old.record).unwrap_or_default();
                let mut selection = Box::new(Selection { event, record });
                if selection.record.select(mask) == Signal::Set {
                    selection.event.set();
                }
                inner.selection = Some(selection);
                inner.finish_connect(self, &mut after);
                inner.look_for_events(self);
                inner.settle(self, &mut after);
            }
        }
        drop(inner);
        after.run();
        Ok(())
    }

    /// FIONBIO.
    ///
    /// # Errors
    /// WSAEINVAL for making a socket blocking whose network events are selected (WSAEventSelect
    /// page).
    pub fn control_blocking(&self, nonblocking: bool) -> Result<(), NtStatus> {
        if !nonblocking && self.lock().selection.is_some() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        self.set_nonblocking(nonblocking);
        Ok(())
    }

    /// WSAEnumNetworkEvents: takes what has happened of the selected events, and resets `event`, if
    /// it is given, in the same step.
    ///
    /// # Errors
    /// WSAENOTSOCK when the handle is closed.
    pub fn take_network_events(&self, event: Option<&Event>) -> Result<Option<Taken>, NtStatus> {
        let mut inner = self.open()?;
        if let Some(event) = event {
            event.reset();
        }
        Ok(inner.selection.as_mut().map(|selection| selection.record.take()))
    }

    /// A send has failed with WSAEWOULDBLOCK.
    pub(super) fn send_would_block(&self) {
        self.called(NetworkEvent::Write);
    }

    /// The re-enabling function of `event` was called.
    pub(super) fn called(&self, event: NetworkEvent) {
        let mut after = Deferred::default();
        let mut inner = self.lock();
        inner.forget_told(event);
        inner.reenable(self, event);
        inner.settle(self, &mut after);
        drop(inner);
        after.run();
    }
}

impl Inner {
    /// The re-enabling function of `event` was called.
    #[inline]
    pub(super) fn reenable(&mut self, socket: &Socket, event: NetworkEvent) {
        if let Some(selection) = &mut self.selection {
            selection.record.reenable(event);
            self.look_for_events(socket);
        } else if event != NetworkEvent::Read
            && (self.registration.is_some() || self.polls.is_some())
        {
            // An accept that was given up hid the backlog from polls, and nothing watched it.
            self.look_for_events(socket);
        }
    }

    /// Another connection begins, or the former one is over.
    #[inline]
    pub(super) fn forget_events(&mut self) {
        if let Some(selection) = &mut self.selection {
            selection.record.begin_connection();
        }
        self.forget_all_told();
    }

    /// A connect is over.
    #[inline]
    pub(super) fn indicate_connect(&mut self, status: NtStatus) {
        if let Some(selection) = &mut self.selection {
            selection.indicate(NetworkEvent::Connect, status);
        }
    }

    /// Looks at the facts, if somebody wants to know.
    #[inline]
    pub(super) fn look_for_events(&mut self, socket: &Socket) {
        if self.is_observed() {
            self.tell_observers(socket);
        }
    }

    #[inline(never)]
    fn tell_observers(&mut self, socket: &Socket) {
        // Closed: what the endpoint held is gone, and a local close tells nothing (test_iocp).
        if self.selection.is_some() && !self.closed {
            self.look_at_facts(socket);
        }
        if self.registration.is_some() && !self.closed {
            self.look_for_notifications(socket);
        }
        if self.polls.is_some() && !self.closed {
            self.look_for_polls(socket);
        }
    }

    /// Nobody is told any more what happens, but for the close.
    pub(super) fn take_observers(&mut self) -> Observers {
        self.selection = None;
        Observers { registration: self.registration.take(), polls: self.polls.take() }
    }

    /// Whether somebody is told what happens, who does not call for it.
    #[inline]
    pub(super) const fn is_observed(&self) -> bool {
        self.selection.is_some() || self.registration.is_some() || self.polls.is_some()
    }

    #[cold]
    fn look_at_facts(&mut self, socket: &Socket) {
        // What is watched for no operation is looked after, though nobody may wait on the port.
        if let Some(association) = socket.core.association() {
            association.port.note_pending();
        }
        if self.traffic.is_some() {
            self.watch_room(socket);
            return self.look_at_datagrams();
        }
        match self.endpoint.phase() {
            Phase::Listening => self.look_at_backlog(socket),
            Phase::Connecting | Phase::ConnectingEx => self.watch_room(socket),
            Phase::Connected | Phase::ConnectedRaw | Phase::AcceptedRaw | Phase::Disconnecting => {
                self.watch_room(socket);
                self.look_at_connection();
            }
            Phase::Closed
            | Phase::Accepting
            | Phase::Open
            | Phase::OpenRecycled
            | Phase::Bound
            | Phase::BoundRecycled => {}
        }
        self.look_at_the_end();
    }

    fn indicate(&mut self, event: NetworkEvent, status: NtStatus) {
        if let Some(selection) = &mut self.selection {
            selection.indicate(event, status);
        }
    }

    fn is_enabled(&self, event: NetworkEvent) -> bool {
        self.selection.as_ref().is_some_and(|selection| selection.record.is_enabled(event))
    }

    /// A connection that an AcceptEx is going to take is not told (`test_accept_events`).
    fn look_at_backlog(&mut self, socket: &Socket) {
        if !self.is_enabled(NetworkEvent::Accept) || self.endpoint.next_accept().is_some() {
            return;
        }
        let pending = || self.iso.is_none() && self.tcp.fd().is_some_and(tcp::is_readable);
        if self.has_deferred() || pending() {
            self.indicate(NetworkEvent::Accept, NtStatus::SUCCESS);
        } else {
            self.watch(socket, Interest::Level);
        }
    }

    fn look_at_datagrams(&mut self) {
        let Some(flags) = self.tcp.fd().map(poll_now) else { return };
        let (receives, sends) = self.waiting_datagrams();
        if flags.intersects(PollFlags::IN | PollFlags::ERR) && !receives {
            self.indicate(NetworkEvent::Read, NtStatus::SUCCESS);
        }
        if flags.contains(PollFlags::OUT) && !sends {
            self.indicate(NetworkEvent::Write, NtStatus::SUCCESS);
        }
    }

    fn look_at_connection(&mut self) {
        let Some(flags) = self.tcp.fd().map(poll_now) else { return };
        if self.endpoint.recv() == Ok(Receive::Now) {
            match self.peek() {
                Next::Data => {
                    self.indicate(NetworkEvent::Read, NtStatus::SUCCESS);
                    // A reset, which receives find behind the data: at once too (D5, D6).
                    if self.iso.is_none() && flags.contains(PollFlags::ERR) {
                        self.indicate(NetworkEvent::Close, NtStatus::CONNECTION_ABORTED);
                    }
                }
                Next::Failed(errno) => self.handle_failure(errno),
                // At once, though the descriptor's own end comes later.
                Next::Fin if self.iso.is_some() => {
                    self.indicate(NetworkEvent::Close, NtStatus::SUCCESS);
                }
                Next::Fin | Next::Nothing => {}
            }
        }
        if flags.contains(PollFlags::PRI) {
            self.indicate(NetworkEvent::Oob, NtStatus::SUCCESS);
        }
        let sends = self.endpoint.state().link().map(|link| link.send);
        let may_send = sends == Some(SendHalf::Open) && !self.endpoint.has_sends();
        if may_send && flags.contains(PollFlags::OUT) && !flags.contains(PollFlags::ERR) {
            self.indicate(NetworkEvent::Write, NtStatus::SUCCESS);
        }
        // At once, though data may be unread before it (test_close_events, D5).
        if self.iso.is_none() && flags.contains(PollFlags::RDHUP) && !flags.contains(PollFlags::ERR)
        {
            self.indicate(NetworkEvent::Close, NtStatus::SUCCESS);
        }
    }

    /// A connection that failed reads WSAECONNABORTED here, whatever receives say
    /// (`test_close_events`, D6).
    fn look_at_the_end(&mut self) {
        let failed = match self.endpoint.reason() {
            Some(
                CloseReason::PeerReset
                | CloseReason::PeerResetAfterFin
                | CloseReason::Timeout
                | CloseReason::LocalAbort(AbortCause::FromOutside),
            ) => self.endpoint.phase() == Phase::Closed,
            _ => false,
        };
        if failed {
            self.indicate(NetworkEvent::Close, NtStatus::CONNECTION_ABORTED);
        }
    }
}

pub(super) fn poll_now(fd: std::os::fd::BorrowedFd<'_>) -> PollFlags {
    let wanted = PollFlags::IN | PollFlags::OUT | PollFlags::RDHUP | PollFlags::PRI;
    let mut fds = [PollFd::from_borrowed_fd(fd, wanted)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    match poll(&mut fds, Some(&now)) {
        Ok(1) => fds[0].revents(),
        _ => PollFlags::empty(),
    }
}

//! What can be done with a socket now, in the words of Windows' socket driver, AFD.
//!
//! ProcessSocketNotifications and IOCTL_AFD_POLL tell the same facts, which are looked at here.

use linsock_iocp::NtStatus;
use linsock_iocp::afd::Receive;
use linsock_iocp::afd::endpoint::state::{Phase, RecvHalf};
use linsock_iocp::driver::Interest;
use rustix::event::PollFlags;

use super::network_events::poll_now;
use super::{Inner, Socket};
use crate::transport::tcp::{self, Next};

/// Events of a poll, one bit each, as `AFD_POLL_*` counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PollEvents(u32);

impl PollEvents {
    /// None.
    pub const NONE: Self = Self(0);
    /// Data can be received.
    pub const RECEIVE: Self = Self(1);
    /// Urgent data can be received.
    pub const RECEIVE_EXPEDITED: Self = Self(2);
    /// There is room to send.
    pub const SEND: Self = Self(4);
    /// The peer has closed its half.
    pub const DISCONNECT: Self = Self(8);
    /// The connection was reset.
    pub const ABORT: Self = Self(0x10);
    /// The handle was closed. It is told unasked (`test_poll`).
    pub const LOCAL_CLOSE: Self = Self(0x20);
    /// There is a connection.
    pub const CONNECT: Self = Self(0x40);
    /// A connection can be accepted.
    pub const ACCEPT: Self = Self(0x80);
    /// A connect has failed.
    pub const CONNECT_FAIL: Self = Self(0x100);

    /// Those with these bits; what no event has is never told.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The bits.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Those that are in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those that are in one of them.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether one is in both.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    const fn when(self, condition: bool) -> Self {
        if condition { self } else { Self::NONE }
    }
}

/// What holds of a socket.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    pub(super) events: PollEvents,
    /// A receive would give the end of the data at once.
    pub(super) at_end: bool,
}

impl Facts {
    const NONE: Self = Self::of(PollEvents::NONE);

    const fn of(events: PollEvents) -> Self {
        Self { events, at_end: false }
    }
}

/// What is told of a connection that was reset (`test_poll_reset`).
const RESET: PollEvents = PollEvents::ABORT.or(PollEvents::SEND).or(PollEvents::CONNECT);

impl Inner {
    /// What holds now; what does not is watched for from here on.
    pub(super) fn facts(&mut self, socket: &Socket) -> Facts {
        if self.traffic.is_some() {
            self.watch_room(socket);
            return Facts::of(self.datagram_events());
        }
        match self.endpoint.phase() {
            Phase::Listening => Facts::of(self.backlog_events(socket)),
            Phase::Connecting | Phase::ConnectingEx => {
                self.watch_room(socket);
                Facts::NONE
            }
            Phase::Connected | Phase::ConnectedRaw | Phase::AcceptedRaw | Phase::Disconnecting => {
                self.watch_room(socket);
                self.connection_facts()
            }
            Phase::Closed => Facts::of(RESET),
            Phase::Accepting
            | Phase::Open
            | Phase::OpenRecycled
            | Phase::Bound
            | Phase::BoundRecycled => {
                Facts::of(PollEvents::CONNECT_FAIL.when(self.connect_error.is_some()))
            }
        }
    }

    /// Why the connect failed that is told.
    pub(super) fn connect_status(&self) -> NtStatus {
        self.connect_error.unwrap_or(NtStatus::SUCCESS)
    }

    fn datagram_events(&mut self) -> PollEvents {
        let flags = self.tcp.fd().map_or(PollFlags::empty(), poll_now);
        let (receives, sends) = self.waiting_datagrams();
        // An error that waits is what a receive gives (ICMP port unreachable).
        let data = flags.intersects(PollFlags::IN | PollFlags::ERR) && !receives;
        let room = flags.contains(PollFlags::OUT) && !sends;
        PollEvents::RECEIVE
            .when(data)
            .or(PollEvents::SEND.when(room))
            .or(PollEvents::CONNECT.when(self.peer.is_some()))
    }

    /// Connections that an AcceptEx is going to take are not told, as with WSAEventSelect.
    fn backlog_events(&mut self, socket: &Socket) -> PollEvents {
        if self.endpoint.next_accept().is_some() {
            return PollEvents::NONE;
        }
        let pending = || self.iso.is_none() && self.tcp.fd().is_some_and(tcp::is_readable);
        if self.has_deferred() || pending() {
            return PollEvents::ACCEPT;
        }
        self.watch(socket, Interest::Level);
        PollEvents::NONE
    }

    fn connection_facts(&mut self) -> Facts {
        let flags = self.tcp.fd().map_or(PollFlags::empty(), poll_now);
        let next = match self.endpoint.recv() {
            Ok(Receive::Now) => self.peek(),
            Ok(Receive::End) => Next::Fin,
            Ok(Receive::Behind) | Err(_) => Next::Nothing,
        };
        if let Next::Failed(errno) = next {
            self.handle_failure(errno);
            return Facts::of(RESET);
        }
        let at_end = next == Next::Fin;
        let link = self.endpoint.state().link();
        let ended = at_end || link.is_some_and(|link| RecvHalf::peer_ended(link.recv));
        // Behind unread data too (`test_poll`). The descriptor's own end comes later than ISO's.
        let hung = flags.intersects(PollFlags::RDHUP | PollFlags::HUP) && self.iso.is_none();
        let urgent = flags.contains(PollFlags::PRI) && !self.options.has_urgent_inline();
        // Whether or not this side has shut its own half (`test_poll`).
        let room = !self.endpoint.has_sends() && flags.contains(PollFlags::OUT);
        let events = PollEvents::CONNECT
            .or(PollEvents::RECEIVE.when(next == Next::Data))
            .or(PollEvents::RECEIVE_EXPEDITED.when(urgent))
            .or(PollEvents::SEND.when(room))
            .or(PollEvents::DISCONNECT.when(ended || hung))
            .or(RESET.when(flags.contains(PollFlags::ERR)));
        Facts { events, at_end }
    }
}

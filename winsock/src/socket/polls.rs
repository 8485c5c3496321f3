//! The polls that wait for a socket: the socket's side of [`device`](crate::device).

use std::sync::{Arc, Weak};

use linsock_iocp::NtStatus;
use linsock_iocp::afd::endpoint::state::Phase;
use linsock_iocp::irp::Deferred;

use super::{Inner, PollEvents, Socket};
use crate::device::{Poll, Requests, Seen};

/// What a socket has of polls.
#[derive(Debug, Default)]
pub(super) struct Polls {
    /// Those that wait for this socket, and which of their rows it is. What has ended meanwhile
    /// (elsewhere, by the clock, by a cancel) is left out when the socket is looked at next.
    waiting: Vec<(Weak<Poll>, usize)>,
    /// The poll that was there first: an exclusive one is replaced by the next exclusive one
    /// (`test_poll_exclusive`).
    main: Weak<Poll>,
    /// Those that were asked for through this socket's handle.
    asked: Option<Arc<Requests>>,
    /// How many may wait before those are looked for that have ended.
    limit: usize,
}

impl Polls {
    fn main(&self) -> Option<Arc<Poll>> {
        self.main.upgrade().filter(|main| !main.is_over())
    }

    /// The exclusive poll that has to make way for an exclusive one.
    fn displaced_by(&self, poll: &Poll) -> Option<Arc<Poll>> {
        self.main().filter(|main| {
            poll.is_exclusive() && main.is_exclusive() && !std::ptr::eq(&raw const **main, poll)
        })
    }

    /// Adds a poll; gives the one that makes way for it.
    fn add(&mut self, poll: &Arc<Poll>, row: usize) -> Option<Arc<Poll>> {
        if self.waiting.len() >= self.limit {
            self.waiting.retain(|(known, _)| known.upgrade().is_some_and(|poll| !poll.is_over()));
            self.limit = (2 * self.waiting.len()).max(8);
        }
        self.waiting.push((Arc::downgrade(poll), row));
        let displaced = self.displaced_by(poll);
        if displaced.is_some() || self.main().is_none() {
            self.main = Arc::downgrade(poll);
        }
        displaced
    }

    /// The handle was closed.
    pub(super) fn tell_closed(&self, after: &mut Deferred) {
        for (poll, row) in &self.waiting {
            if let Some(poll) = poll.upgrade() {
                let seen = [Seen::of(*row, PollEvents::LOCAL_CLOSE)];
                poll.finish(&seen, NtStatus::SUCCESS, after);
            }
        }
    }
}

impl Socket {
    /// The polls asked for through this handle.
    pub(crate) fn polls(&self) -> Result<Arc<Requests>, NtStatus> {
        let mut inner = self.open()?;
        Ok(Arc::clone(inner.polls.get_or_insert_default().asked.get_or_insert_default()))
    }

    /// What holds now of a row's events.
    pub(crate) fn look_for(&self, row: usize, wanted: PollEvents) -> Option<Seen> {
        let mut inner = self.lock_settled();
        if inner.closed {
            return Some(Seen::of(row, PollEvents::LOCAL_CLOSE));
        }
        inner.look_for(self, row, wanted)
    }

    /// An exclusive poll makes way for this one.
    pub(crate) fn make_way_for(&self, poll: &Poll, after: &mut Deferred) {
        let inner = self.lock();
        let displaced = inner.polls.as_ref().and_then(|polls| polls.displaced_by(poll));
        drop(inner);
        if let Some(displaced) = displaced {
            displaced.finish(&[], NtStatus::CANCELLED, after);
        }
    }

    /// The poll waits for this socket from now on, unless it is over by then.
    pub(crate) fn await_poll(&self, poll: &Arc<Poll>, row: usize, after: &mut Deferred) {
        let mut inner = self.lock();
        if inner.closed {
            drop(inner);
            let seen = [Seen::of(row, PollEvents::LOCAL_CLOSE)];
            return poll.finish(&seen, NtStatus::SUCCESS, after);
        }
        if poll.is_over() {
            return;
        }
        if let Some(displaced) = inner.polls.get_or_insert_default().add(poll, row) {
            displaced.finish(&[], NtStatus::CANCELLED, after);
        }
        if let Some(port) = poll.port() {
            inner.move_to(self, port);
        }
        if inner.endpoint.phase() == Phase::Connecting {
            inner.finish_connect(self, after);
            inner.look_for_polls(self);
        } else {
            inner.note_polls(self);
            // For this one alone: the others are looked for when something happens, and each that
            // comes would cost as much as there are.
            if let Some(seen) = inner.look_for(self, row, poll.wanted(row)) {
                poll.finish(&[seen], NtStatus::SUCCESS, after);
            }
        }
        inner.settle(self, after);
    }
}

impl Inner {
    /// The polls asked for through this handle, if there ever were any.
    pub(super) fn polls_asked(&self) -> Option<Arc<Requests>> {
        self.polls.as_ref()?.asked.clone()
    }

    fn look_for(&mut self, socket: &Socket, row: usize, wanted: PollEvents) -> Option<Seen> {
        let events = self.facts(socket).events.and(wanted);
        self.seen(row, events)
    }

    fn seen(&self, row: usize, events: PollEvents) -> Option<Seen> {
        let failed = events.meets(PollEvents::CONNECT_FAIL);
        let status = if failed { self.connect_status() } else { NtStatus::SUCCESS };
        (events != PollEvents::NONE).then_some(Seen { row, events, status })
    }

    /// What is watched for no operation is looked after, though nobody may wait on the port.
    fn note_polls(&self, socket: &Socket) {
        if let Some(association) = socket.core.association() {
            association.port.note_pending();
        }
    }

    /// Looks at the facts for the polls that wait.
    #[cold]
    pub(super) fn look_for_polls(&mut self, socket: &Socket) {
        if self.polls.as_ref().is_none_or(|polls| polls.waiting.is_empty()) {
            return;
        }
        self.note_polls(socket);
        let now = self.facts(socket).events;
        let Some(mut polls) = self.polls.take() else { return };
        // Under the socket's lock, as events are set there: it wakes threads, and runs nothing of
        // the program's.
        let mut after = Deferred::default();
        polls.waiting.retain(|(poll, row)| {
            let Some(poll) = poll.upgrade().filter(|poll| !poll.is_over()) else { return false };
            let seen = self.seen(*row, poll.wanted(*row).and(now));
            if let Some(seen) = seen {
                poll.finish(&[seen], NtStatus::SUCCESS, &mut after);
            }
            seen.is_none()
        });
        self.polls = Some(polls);
        after.run();
    }
}

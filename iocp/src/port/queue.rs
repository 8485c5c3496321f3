//! The queue of a port: which packets wait, who is there to take them, and whom to wake.
//!
//! Decisions only. There is no system call, no lock and no flag shared between threads in here, so
//! that the tests can run this very code through every order of events (`schedule.rs`).

use std::collections::VecDeque;

use super::{NoPacket, Packet};

/// A worker that is awake may leave this many packets queued without waking another.
pub(super) const LAZY_PACKETS: usize = 4;

#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Queue {
    packets: VecDeque<Packet>,
    /// Threads in `epoll_wait`.
    sleeping: usize,
    /// Threads that took a packet and have not come back.
    awake: usize,
    /// A wake-up is on its way.
    waking: bool,
    /// A thread has looked at the descriptors since the guardian last did.
    looked: bool,
    closed: bool,
}

/// How a thread relates to a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Stranger,
    Awake,
    Harvesting,
}

/// What a caller owes once it has let go of the queue's lock.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    Nothing,
    /// Wake one sleeper.
    Wake,
    /// Have the guardian look.
    Neglect,
}

/// What the guardian does for a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Nothing: sleepers watch the descriptors, and no packet waits.
    Attended,
    /// Nothing yet: somebody was here a moment ago.
    Later,
    /// Perform what is ready: nobody else does.
    Perform,
    /// Wake one sleeper for the packets.
    Wake,
}

/// What a look at the queue yielded; one packet needs no allocation.
#[derive(Debug)]
pub(super) enum Taken {
    None,
    One(Packet),
    Many(VecDeque<Packet>),
}

impl Queue {
    /// Adds a packet; gives it back if the port is closed.
    pub(super) fn post(
        &mut self,
        packet: Packet,
        relation: Relation,
        concurrency: usize,
    ) -> Result<Duty, Packet> {
        if self.closed {
            return Err(packet);
        }
        self.packets.push_back(packet);
        if relation == Relation::Harvesting || self.sleeping == 0 {
            return Ok(match relation {
                Relation::Stranger => Duty::Neglect,
                Relation::Awake | Relation::Harvesting => Duty::Nothing,
            });
        }
        let lazy = relation == Relation::Awake && self.packets.len() <= LAZY_PACKETS;
        let wake = !lazy && self.may_wake(concurrency);
        self.waking |= wake;
        Ok(if wake { Duty::Wake } else { Duty::Neglect })
    }

    /// Takes up to `room` packets; the taker counts as awake if there were any.
    pub(super) fn take(
        &mut self,
        room: usize,
        concurrency: usize,
    ) -> Result<(Taken, Duty), NoPacket> {
        self.waking = false;
        if self.closed {
            return Err(NoPacket::Closed);
        }
        let taken = match self.packets.len() {
            0 => return Ok((Taken::None, Duty::Nothing)),
            _ if room == 1 => self.packets.pop_front().map_or(Taken::None, Taken::One),
            waiting => Taken::Many(self.packets.drain(..waiting.min(room)).collect()),
        };
        self.awake += 1;
        let wake = self.packets.len() > LAZY_PACKETS && self.may_wake(concurrency);
        self.waking |= wake;
        let duty = if wake {
            Duty::Wake
        } else if self.packets.is_empty() {
            self.leave()
        } else {
            Duty::Neglect
        };
        Ok((taken, duty))
    }

    /// The taker is back, or will not come back.
    pub(super) const fn rest(&mut self) {
        self.awake -= 1;
    }

    /// A thread goes to sleep; false if there is no reason to.
    pub(super) fn fall_asleep(&mut self) -> bool {
        if !self.packets.is_empty() || self.closed {
            return false;
        }
        self.sleeping += 1;
        self.looked = true;
        true
    }

    /// The kernel has answered a sleeper. It will look at the queue before anything else.
    pub(super) const fn get_up(&mut self) {
        self.sleeping -= 1;
        self.waking = false;
    }

    /// A thread leaves the port for the program. If no other watches the descriptors, the guardian
    /// has to: the program may not come back for long.
    pub(super) const fn leave(&self) -> Duty {
        if self.sleeping == 0 { Duty::Neglect } else { Duty::Nothing }
    }

    /// The guardian's look.
    ///
    /// A wake-up that is on its way is not relied upon: the guardian itself may have harvested its
    /// edge, when it looked while nobody slept and somebody lay down meanwhile. Nor is the
    /// concurrency value: a worker that left packets behind may be blocked where Linux does not
    /// tell.
    pub(super) fn tend(&mut self) -> Look {
        if self.sleeping == 0 {
            return if std::mem::take(&mut self.looked) { Look::Later } else { Look::Perform };
        }
        if self.packets.is_empty() {
            return Look::Attended;
        }
        self.waking = true;
        Look::Wake
    }

    /// Closes the port; gives what nobody will take.
    pub(super) fn close(&mut self) -> VecDeque<Packet> {
        self.closed = true;
        std::mem::take(&mut self.packets)
    }

    /// The state, for comparison: packets, sleeping, awake, waking, looked, closed.
    #[cfg(test)]
    pub(super) fn snapshot(&self) -> (usize, usize, usize, bool, bool, bool) {
        let Self { packets, sleeping, awake, waking, looked, closed } = self;
        (packets.len(), *sleeping, *awake, *waking, *looked, *closed)
    }

    const fn may_wake(&self, concurrency: usize) -> bool {
        self.sleeping > 0 && !self.waking && self.awake < concurrency
    }
}

impl Taken {
    pub(super) const fn is_empty(&self) -> bool {
        matches!(self, Self::None)
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::One(_) => 1,
            Self::Many(packets) => packets.len(),
        }
    }

    pub(super) fn into_iter(self) -> impl Iterator<Item = Packet> {
        let (one, many) = match self {
            Self::None => (None, VecDeque::new()),
            Self::One(packet) => (Some(packet), VecDeque::new()),
            Self::Many(packets) => (None, packets),
        };
        one.into_iter().chain(many)
    }
}

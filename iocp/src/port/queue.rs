//! The queue of a port: which packets wait, who is there to take them, and whom to wake.
//!
//! Decisions only. There is no system call, no lock and no flag shared between threads in here, so
//! that the tests can run this very code through every order of events (`schedule.rs`).

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Load, NoPacket, Packet, Told};
use crate::irp::Sink;

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

/// Packets that somebody was told of.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) count: usize,
    /// What they were about, to be dropped where no lock is held: nearly always nothing.
    owned: Vec<Arc<dyn Sink>>,
}

impl Batch {
    #[cold]
    fn own(&mut self, sink: Arc<dyn Sink>) {
        self.owned.push(sink);
    }
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

impl Queue {
    /// What there is to do, and who does it.
    pub(super) fn load(&self) -> Load {
        let (packets, waiting) = (self.packets.len(), self.sleeping);
        Load { packets, waiting, working: self.awake, ..Load::default() }
    }

    /// True when nobody will take a packet any more.
    #[inline]
    pub(super) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Adds a packet.
    #[inline]
    pub(super) fn post(&mut self, packet: Packet, relation: Relation, concurrency: usize) -> Duty {
        self.packets.push_back(packet);
        if relation == Relation::Harvesting || self.sleeping == 0 {
            return match relation {
                Relation::Stranger => Duty::Neglect,
                Relation::Awake | Relation::Harvesting => Duty::Nothing,
            };
        }
        let lazy = relation == Relation::Awake && self.packets.len() <= LAZY_PACKETS;
        let wake = !lazy && self.may_wake(concurrency);
        self.waking |= wake;
        if wake { Duty::Wake } else { Duty::Neglect }
    }

    /// Takes a packet; then the taker counts as awake. A wake-up that was on its way has arrived.
    #[inline]
    pub(super) fn take_one(
        &mut self,
        concurrency: usize,
    ) -> Result<Option<(Packet, Duty)>, NoPacket> {
        self.arrive()?;
        let Some(packet) = self.packets.pop_front() else { return Ok(None) };
        self.awake += 1;
        Ok(Some((packet, self.duty_of_taker(concurrency))))
    }

    /// As [`take_one`](Self::take_one), up to `room` packets: `put` is told of each.
    #[inline]
    pub(super) fn take(
        &mut self,
        room: usize,
        concurrency: usize,
        put: impl FnMut(Told),
    ) -> Result<Option<(Batch, Duty)>, NoPacket> {
        self.arrive()?;
        if self.packets.is_empty() {
            return Ok(None);
        }
        let batch = self.tell(room, put);
        self.awake += 1;
        Ok(Some((batch, self.duty_of_taker(concurrency))))
    }

    /// Takes up to `room` packets from the front, and tells them.
    #[inline]
    fn tell(&mut self, room: usize, mut put: impl FnMut(Told)) -> Batch {
        let mut batch = Batch::default();
        while batch.count < room
            && let Some(packet) = self.packets.pop_front()
        {
            put(packet.told());
            if let Some(sink) = packet.sink {
                batch.own(sink);
            }
            batch.count += 1;
        }
        batch
    }

    /// As [`take_one`](Self::take_one), all packets: they change places with `room`, which is
    /// empty.
    pub(super) fn take_all(
        &mut self,
        room: &mut VecDeque<Packet>,
        concurrency: usize,
    ) -> Result<Option<((), Duty)>, NoPacket> {
        self.arrive()?;
        if self.packets.is_empty() {
            return Ok(None);
        }
        std::mem::swap(&mut self.packets, room);
        self.awake += 1;
        Ok(Some(((), self.duty_of_taker(concurrency))))
    }

    fn arrive(&mut self) -> Result<(), NoPacket> {
        self.waking = false;
        if self.closed { Err(NoPacket::Closed) } else { Ok(()) }
    }

    /// As [`rest`](Self::rest) and then [`take`](Self::take); `None`, with nothing done, if that
    /// would find none. A closed port has none.
    #[inline]
    pub(super) fn take_next(
        &mut self,
        room: usize,
        concurrency: usize,
        put: impl FnMut(Told),
    ) -> Option<(Batch, Duty)> {
        if self.packets.is_empty() {
            return None;
        }
        self.waking = false;
        let batch = self.tell(room, put);
        Some((batch, self.duty_of_taker(concurrency)))
    }

    /// What somebody owes who has taken packets and is counted as awake.
    #[inline]
    fn duty_of_taker(&mut self, concurrency: usize) -> Duty {
        if self.packets.is_empty() {
            return self.leave();
        }
        let wake = self.packets.len() > LAZY_PACKETS && self.may_wake(concurrency);
        self.waking |= wake;
        if wake { Duty::Wake } else { Duty::Neglect }
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

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use linsock_afd::NtStatus;

    use super::*;
    use crate::irp::Done;

    fn packet() -> Packet {
        Packet { key: 0, overlapped: 0, status: NtStatus::SUCCESS, bytes: 0, sink: None }
    }

    fn queue(sleeping: usize, awake: usize, packets: usize) -> Queue {
        let packets = (0..packets).map(|_| packet()).collect();
        Queue { packets, sleeping, awake, ..Queue::default() }
    }

    fn post(queue: &mut Queue, relation: Relation, concurrency: usize) -> Duty {
        queue.post(packet(), relation, concurrency)
    }

    /// How many packets a look took, and what it left to do.
    fn take(queue: &mut Queue, room: usize, concurrency: usize) -> (usize, Duty) {
        let mut told = 0;
        let taken = queue.take(room, concurrency, |_| told += 1).unwrap();
        let (batch, duty) = taken.unwrap_or_else(|| (Batch::default(), Duty::Nothing));
        assert_eq!(told, batch.count);
        (told, duty)
    }

    #[test]
    fn what_there_is_to_do_and_who_does_it_are_told_apart() {
        let expected = Load { packets: 3, waiting: 1, working: 2, concurrency: 0 };
        assert_eq!(queue(1, 2, 3).load(), expected);
    }

    #[test]
    fn a_packet_from_outside_wakes_one_sleeper_at_a_time() {
        let mut queue = queue(2, 0, 0);
        assert_eq!(post(&mut queue, Relation::Stranger, 2), Duty::Wake);
        assert_eq!(post(&mut queue, Relation::Stranger, 2), Duty::Neglect, "one is on its way");
        queue.get_up();
        assert_eq!(post(&mut queue, Relation::Stranger, 2), Duty::Wake, "it has arrived");
    }

    #[test]
    fn nobody_is_woken_beyond_the_concurrency_value() {
        for (awake, duty) in [(1, Duty::Wake), (2, Duty::Neglect), (3, Duty::Neglect)] {
            assert_eq!(post(&mut queue(1, awake, 0), Relation::Stranger, 2), duty, "{awake}");
        }
    }

    #[test]
    fn a_worker_wakes_nobody_while_few_packets_are_queued() {
        let mut queue = queue(1, 1, 0);
        for _ in 0..LAZY_PACKETS {
            assert_eq!(post(&mut queue, Relation::Awake, 2), Duty::Neglect);
        }
        assert_eq!(post(&mut queue, Relation::Awake, 2), Duty::Wake);
    }

    /// It takes them itself, or wakes one other for what it leaves.
    #[test]
    fn who_harvests_wakes_nobody() {
        let mut queue = queue(1, 0, LAZY_PACKETS);
        assert_eq!(post(&mut queue, Relation::Harvesting, 2), Duty::Nothing);
        assert_eq!(post(&mut queue, Relation::Harvesting, 2), Duty::Nothing);
        assert_eq!(take(&mut queue, 1, 2), (1, Duty::Wake));
    }

    /// A worker will be back; nobody knows of anyone else.
    #[test]
    fn without_sleepers_only_a_stranger_calls_the_guardian() {
        let duty = |relation| post(&mut queue(0, 0, 0), relation, 1);
        assert_eq!(duty(Relation::Stranger), Duty::Neglect);
        assert_eq!(duty(Relation::Awake), Duty::Nothing);
        assert_eq!(duty(Relation::Harvesting), Duty::Nothing);
    }

    #[test]
    fn who_leaves_more_than_a_few_packets_wakes_another() {
        let mut queue = queue(2, 0, LAZY_PACKETS + 2);
        assert_eq!(take(&mut queue, 1, 3), (1, Duty::Wake));
        assert_eq!(post(&mut queue, Relation::Stranger, 3), Duty::Neglect, "one is on its way");
        assert_eq!(take(&mut queue, 2, 3), (2, Duty::Neglect));
        assert_eq!(take(&mut queue, LAZY_PACKETS, 3), (LAZY_PACKETS, Duty::Nothing));
        assert_eq!(queue.awake, 3, "each that took some");
    }

    #[test]
    fn who_takes_the_last_packet_leaves_the_descriptors_to_a_sleeper_or_the_guardian() {
        assert_eq!(take(&mut queue(1, 0, 1), 1, 1), (1, Duty::Nothing));
        assert_eq!(take(&mut queue(0, 0, 1), 1, 1), (1, Duty::Neglect));
        assert_eq!(take(&mut queue(1, 0, LAZY_PACKETS + 2), 1, 1), (1, Duty::Neglect), "no more");
        assert_eq!(take(&mut queue(0, 0, LAZY_PACKETS + 2), 1, 3), (1, Duty::Neglect), "nobody");
    }

    #[test]
    fn a_look_that_finds_nothing_counts_nobody() {
        let mut queue = queue(0, 0, 0);
        assert_eq!(take(&mut queue, 1, 1), (0, Duty::Nothing));
        assert_eq!(queue.awake, 0);
    }

    /// `take_one` and `take_next` are `take` of one, for those who come back and for those who do
    /// not.
    #[test]
    fn there_is_one_way_to_take() {
        for packets in [0, 1, 2, LAZY_PACKETS + 1, LAZY_PACKETS + 2] {
            for (sleeping, awake) in [(0, 1), (1, 1), (1, 2), (2, 1)] {
                let fresh = || queue(sleeping, awake, packets);
                let (mut one, mut many) = (fresh(), fresh());
                let duty = one.take_one(2).unwrap().map(|(_, duty)| duty);
                assert_eq!(duty, many.take(1, 2, |_| {}).unwrap().map(|(_, duty)| duty));
                assert_eq!(one.snapshot(), many.snapshot());
                let (mut some, mut all, mut room) = (fresh(), fresh(), VecDeque::new());
                let duty = all.take_all(&mut room, 2).unwrap().map(|((), duty)| duty);
                assert_eq!(duty, some.take(usize::MAX, 2, |_| {}).unwrap().map(|(_, duty)| duty));
                assert_eq!((room.len(), all.snapshot()), (packets, some.snapshot()));
                for room in [1, 2, usize::MAX] {
                    let (mut back, mut next) = (fresh(), fresh());
                    back.rest();
                    let taken = back.take(room, 2, |_| {}).unwrap();
                    let taken = taken.map(|(batch, duty)| (batch.count, duty));
                    let told = next.take_next(room, 2, |_| {});
                    assert_eq!(told.map(|(batch, duty)| (batch.count, duty)), taken);
                    if taken.is_some() {
                        assert_eq!(next.snapshot(), back.snapshot());
                    } else {
                        assert_eq!(next.snapshot(), fresh().snapshot(), "nothing was done");
                    }
                }
            }
        }
        let mut closed = queue(0, 1, 1);
        closed.close();
        assert!(closed.take_next(1, 1, |_| {}).is_none());
    }

    struct Nobody;

    impl Sink for Nobody {
        fn complete(&self, _: Done) -> Option<Waker> {
            None
        }
    }

    #[test]
    fn what_packets_were_about_is_handed_to_who_takes_them() {
        let sink: Arc<dyn Sink> = Arc::new(Nobody);
        let owned = |key| Packet { key, sink: Some(Arc::clone(&sink)), ..packet() };
        let mut queue = queue(0, 1, 0);
        for packet in [packet(), owned(1), owned(2), packet(), owned(3)] {
            assert_eq!(queue.post(packet, Relation::Awake, 1), Duty::Nothing);
        }
        let mut keys = Vec::new();
        let (next, _) = queue.take_next(2, 1, |told| keys.push(told.key)).unwrap();
        assert_eq!((next.count, next.owned.len()), (2, 1));
        let (batch, _) = queue.take(9, 1, |told| keys.push(told.key)).unwrap().unwrap();
        assert_eq!((batch.count, batch.owned.len()), (3, 2));
        assert_eq!(keys, [0, 1, 2, 0, 3]);
        assert_eq!(Arc::strong_count(&sink), 4, "nothing was dropped by the queue");
        drop((next, batch));
        assert_eq!(Arc::strong_count(&sink), 1);
    }

    #[test]
    fn nobody_falls_asleep_over_packets_or_on_a_closed_port() {
        assert!(!queue(0, 0, 1).fall_asleep());
        let mut queue = queue(0, 0, 0);
        assert!(queue.fall_asleep());
        assert_eq!(queue.sleeping, 1);
        queue.close();
        assert!(!queue.fall_asleep());
        assert_eq!(queue.sleeping, 1);
    }

    #[test]
    fn the_guardian_performs_where_nobody_was_and_wakes_who_sleeps_over_packets() {
        let mut unattended = queue(0, 0, 1);
        unattended.looked = true;
        assert_eq!(unattended.tend(), Look::Later);
        assert_eq!(unattended.tend(), Look::Perform);
        assert_eq!(queue(1, 0, 0).tend(), Look::Attended);
        let mut left_behind = queue(1, 1, 1);
        assert_eq!(left_behind.tend(), Look::Wake);
        assert_eq!(post(&mut left_behind, Relation::Stranger, 2), Duty::Neglect, "on its way");
    }
}

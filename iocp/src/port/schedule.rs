//! Every order of events of the wake-up protocol (I6): no packet and no ready descriptor is left to
//! nobody.
//!
//! The decisions are the real code: the worlds below share one real [`Queue`] each. What surrounds
//! it is a model, atomic step by atomic step, of
//!
//! - [`CompletionPort`](super::CompletionPort): `wait`, `take`, `sleep`, `perform_asleep`, `post`,
//!   `leave`, `note_pending`, `neglect`, `wake_one` and `tend`;
//! - the guardian: `rouse` and `run`, with the token of `unpark`; its nap takes any time at all;
//! - epoll: the edge of the eventfd and the readiness of one descriptor stay on the ready list
//!   until somebody harvests them; each wakes one sleeper, whichever; a woken sleeper that finds
//!   the list empty sleeps on.
//!
//! All reachable worlds are enumerated. From each of them a world must be reachable in which no
//! packet waits while a thread sleeps for ever and no descriptor waits to be performed. The worlds
//! are finitely many and posts run out, so with fair scheduling that is: sooner or later, always.
//!
//! Each fault takes one line out of the protocol; the enumeration has to find that it was needed.

use std::collections::HashMap;

use linsock_afd::NtStatus;

use super::queue::{Duty, LAZY_PACKETS, Look, Queue, Relation};
use super::{NoPacket, Packet};

/// A line that is taken out of the protocol.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// Packets that are left to an awake worker are not the guardian's business.
    NoNeglect,
    /// Nor are the descriptors, when the last thread leaves the port.
    NoLeave,
    /// The guardian leaves packets to a wake-up that is on its way.
    TrustWaking,
    /// The guardian lowers its flag after it has looked.
    LowerLate,
    /// A wait that is alerted does not look at the queue once more.
    AlertFirst,
}

/// What a worker does when it has its first packet.
#[derive(Clone, Copy)]
enum Handling {
    /// Comes back for the next.
    Return,
    /// Posts this many, then blocks for ever where nobody can tell.
    PostAndBlock(usize),
}

/// What a thread is there for.
#[derive(Clone, Copy)]
enum Role {
    /// Waits for ever, again and again.
    Worker(Handling),
    /// Waits once, until its time is up or it has a packet, and never comes back.
    Visitor,
    /// Waits for ever, but an APC alerts it, and it does not come back.
    Alertable,
    /// Posts this many packets from outside.
    Poster(usize),
    /// Starts an operation whose descriptor becomes ready at any later time.
    Issuer,
}

/// Where a thread is: each place is one step that no other thread interrupts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    Start,
    Take,
    LieDown,
    EnterKernel,
    InKernel,
    Woken,
    GetUp {
        io: bool,
    },
    PerformIo,
    Handle {
        left: usize,
    },
    Leave,
    /// The two steps of `neglect`, then on to `Next`. Each is a load and, if need be, a store; a
    /// load that makes the store unnecessary has the effect of the store.
    Neglect(Next),
    Rouse(Next),
    WriteWake(Next),
    /// Gone, or blocked for ever.
    Away,
}

/// Where a thread goes on after a duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Next {
    Handle(usize),
    Start,
    Post(usize),
    Away,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Guardian {
    Parked,
    Lower,
    Swap,
    Look,
    Raise(Todo),
    Act(Todo),
    /// The packet of a descriptor that it performed.
    PostIo,
    Neglect,
    Done {
        again: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Todo {
    Nothing,
    Perform,
    Wake,
}

#[derive(Clone)]
struct World {
    queue: Queue,
    concurrency: usize,
    fault: Fault,
    /// The eventfd is on the ready list.
    edge: bool,
    /// The descriptor is on the ready list.
    io: bool,
    /// The operation was issued, and its descriptor is not ready yet.
    pending: bool,
    neglected: bool,
    roused: bool,
    token: bool,
    guardian: Guardian,
    threads: Vec<(Role, Place)>,
    awake: Vec<bool>,
    posted: usize,
    taken: usize,
}

type Key = (
    (usize, usize, usize, bool, bool, bool),
    [bool; 6],
    Guardian,
    [(Place, bool); MOST],
    (usize, usize),
);

/// The most threads of a case.
const MOST: usize = 3;

fn packet() -> Packet {
    Packet { key: 0, overlapped: 0, status: NtStatus::SUCCESS, bytes: 0, sink: None }
}

impl World {
    fn new(roles: &[Role], concurrency: usize, fault: Fault) -> Self {
        let start = |role: &Role| match *role {
            Role::Poster(left) => (*role, Place::Handle { left }),
            _ => (*role, Place::Start),
        };
        Self {
            queue: Queue::default(),
            concurrency,
            fault,
            edge: false,
            io: false,
            pending: false,
            neglected: false,
            roused: false,
            token: false,
            guardian: Guardian::Parked,
            threads: roles.iter().map(start).collect(),
            awake: vec![false; roles.len()],
            posted: 0,
            taken: 0,
        }
    }

    fn key(&self) -> Key {
        (
            self.queue.snapshot(),
            [self.edge, self.io, self.pending, self.neglected, self.roused, self.token],
            self.guardian,
            std::array::from_fn(|at| match self.threads.get(at) {
                Some((_, place)) => (*place, self.awake[at]),
                None => (Place::Away, false),
            }),
            (self.posted, self.taken),
        )
    }

    fn packets(&self) -> usize {
        self.queue.snapshot().0
    }

    /// Nothing waits that somebody would have to be woken for.
    fn is_good(&self) -> bool {
        let sleeps = |(role, place): &(Role, Place)| {
            matches!(role, Role::Worker(_) | Role::Alertable)
                && matches!(place, Place::EnterKernel | Place::InKernel | Place::Woken)
        };
        let stuck = self.packets() > 0 && self.threads.iter().any(sleeps);
        !stuck && !self.io
    }

    fn at(mut self, thread: usize, place: Place) -> Self {
        self.threads[thread].1 = place;
        self
    }

    /// The worlds after the kernel has woken one sleeper, whichever.
    fn wake_one(self) -> Vec<Self> {
        let sleepers: Vec<_> = (0..self.threads.len())
            .filter(|&thread| self.threads[thread].1 == Place::InKernel)
            .collect();
        if sleepers.is_empty() {
            return vec![self];
        }
        sleepers.into_iter().map(|thread| self.clone().at(thread, Place::Woken)).collect()
    }

    fn post(&mut self, relation: Relation) -> Duty {
        self.posted += 1;
        if self.queue.is_closed() {
            return Duty::Nothing;
        }
        self.queue.post(packet(), relation, self.concurrency)
    }

    /// Where a duty leads, that the queue gave to a thread.
    fn after(&self, duty: Duty, next: Next) -> Place {
        let left_alone = self.packets() == 0;
        match duty {
            Duty::Wake => Place::WriteWake(next),
            Duty::Neglect if left_alone && self.fault == Fault::NoLeave => next.place(),
            Duty::Neglect if !left_alone && self.fault == Fault::NoNeglect => next.place(),
            Duty::Neglect => Place::Neglect(next),
            Duty::Nothing => next.place(),
        }
    }

    fn successors(&self) -> Vec<Self> {
        let mut worlds = self.clone().step_guardian();
        if self.pending {
            let mut world = self.clone();
            world.pending = false;
            world.io = true;
            worlds.extend(world.wake_one());
        }
        for thread in 0..self.threads.len() {
            worlds.extend(self.clone().step(thread));
        }
        worlds
    }

    fn step(mut self, thread: usize) -> Vec<Self> {
        let (role, place) = self.threads[thread];
        let next = match place {
            Place::Away => return vec![],
            Place::Start if matches!(role, Role::Issuer) => {
                self.pending = true;
                Place::Neglect(Next::Away)
            }
            Place::Start => {
                if std::mem::take(&mut self.awake[thread]) {
                    self.queue.rest();
                }
                Place::Take
            }
            Place::Take => return self.step_take(thread),
            Place::LieDown if self.queue.fall_asleep() => Place::EnterKernel,
            Place::LieDown => Place::Take,
            Place::EnterKernel | Place::Woken if self.edge || self.io => self.harvest(),
            Place::EnterKernel | Place::Woken => Place::InKernel,
            // Its time is up, or the APC is there.
            Place::InKernel if matches!(role, Role::Visitor | Role::Alertable) => {
                Place::GetUp { io: false }
            }
            Place::InKernel => return vec![],
            Place::GetUp { io } => {
                self.queue.get_up();
                match role {
                    _ if io => Place::PerformIo,
                    Role::Alertable if self.fault == Fault::AlertFirst => Place::Leave,
                    _ => Place::Take,
                }
            }
            Place::PerformIo => {
                let duty = self.post(Relation::Harvesting);
                assert_eq!(duty, Duty::Nothing, "the harvester takes it itself");
                match role {
                    Role::Alertable if self.fault == Fault::AlertFirst => Place::Leave,
                    _ => Place::Take,
                }
            }
            Place::Handle { left } => self.step_handle(thread, left),
            Place::Leave => {
                let duty = self.queue.leave();
                self.after(duty, Next::Away)
            }
            Place::Neglect(next) => {
                self.neglected = true;
                Place::Rouse(next)
            }
            Place::Rouse(next) => {
                if !std::mem::replace(&mut self.roused, true) {
                    self.token = true;
                }
                next.place()
            }
            Place::WriteWake(next) => {
                self.edge = true;
                return self.at(thread, next.place()).wake_one();
            }
        };
        vec![self.at(thread, next)]
    }

    fn step_take(mut self, thread: usize) -> Vec<Self> {
        let role = self.threads[thread].0;
        let next = match self.queue.take_one(self.concurrency) {
            Err(NoPacket::Closed | NoPacket::TimedOut | NoPacket::Alerted) => Place::Leave,
            Ok(None) => match role {
                // Its time may be up, or the APC be there.
                Role::Visitor | Role::Alertable => {
                    return vec![
                        self.clone().at(thread, Place::Leave),
                        self.at(thread, Place::LieDown),
                    ];
                }
                _ => Place::LieDown,
            },
            Ok(Some((_, duty))) => {
                self.taken += 1;
                self.awake[thread] = true;
                let then = match role {
                    Role::Worker(Handling::PostAndBlock(left)) => Next::Handle(left),
                    Role::Worker(Handling::Return) => Next::Start,
                    _ => Next::Away,
                };
                self.after(duty, then)
            }
        };
        vec![self.at(thread, next)]
    }

    fn step_handle(&mut self, thread: usize, left: usize) -> Place {
        let relation = match self.threads[thread].0 {
            Role::Poster(_) => Relation::Stranger,
            _ => Relation::Awake,
        };
        match left.checked_sub(1) {
            None => Place::Away,
            Some(left) => {
                let duty = self.post(relation);
                self.after(duty, Next::Post(left))
            }
        }
    }

    fn harvest(&mut self) -> Place {
        self.edge = false;
        Place::GetUp { io: std::mem::take(&mut self.io) }
    }

    fn step_guardian(mut self) -> Vec<Self> {
        self.guardian = match self.guardian {
            Guardian::Parked if !std::mem::take(&mut self.token) => return vec![],
            Guardian::Parked => Guardian::Lower,
            Guardian::Lower => {
                if self.fault != Fault::LowerLate {
                    self.roused = false;
                }
                Guardian::Swap
            }
            Guardian::Swap if std::mem::take(&mut self.neglected) => Guardian::Look,
            Guardian::Swap => Guardian::Done { again: false },
            Guardian::Look => self.look(),
            Guardian::Raise(todo) => {
                self.neglected = true;
                Guardian::Act(todo)
            }
            Guardian::Act(Todo::Nothing) => Guardian::Done { again: true },
            Guardian::Act(Todo::Perform) => {
                self.edge = false;
                if std::mem::take(&mut self.io) {
                    Guardian::PostIo
                } else {
                    Guardian::Done { again: true }
                }
            }
            Guardian::Act(Todo::Wake) => {
                self.edge = true;
                self.guardian = Guardian::Done { again: true };
                return self.wake_one();
            }
            Guardian::PostIo => match self.post(Relation::Stranger) {
                Duty::Nothing => Guardian::Done { again: true },
                Duty::Wake => Guardian::Act(Todo::Wake),
                Duty::Neglect => Guardian::Neglect,
            },
            // Its own flag it raises itself, when it is done.
            Guardian::Neglect => {
                self.neglected = true;
                Guardian::Done { again: true }
            }
            Guardian::Done { again } => {
                if self.fault == Fault::LowerLate {
                    self.roused = false;
                }
                self.roused |= again;
                if self.roused { Guardian::Lower } else { Guardian::Parked }
            }
        };
        vec![self]
    }

    fn look(&mut self) -> Guardian {
        let waking = self.queue.snapshot().3;
        match self.queue.tend() {
            Look::Attended => Guardian::Done { again: false },
            Look::Wake if waking && self.fault == Fault::TrustWaking => {
                Guardian::Done { again: false }
            }
            Look::Wake => Guardian::Raise(Todo::Wake),
            Look::Perform => Guardian::Raise(Todo::Perform),
            Look::Later => Guardian::Raise(Todo::Nothing),
        }
    }
}

impl Next {
    const fn place(self) -> Place {
        match self {
            Self::Handle(left) | Self::Post(left) => Place::Handle { left },
            Self::Start => Place::Start,
            Self::Away => Place::Away,
        }
    }
}

/// Enumerates the worlds; gives the number of them, or one from which nothing good can come.
fn explore((roles, concurrency): Case, fault: Fault) -> Result<usize, String> {
    let mut known = HashMap::new();
    let mut worlds = vec![World::new(roles, concurrency, fault)];
    let mut before: Vec<Vec<usize>> = vec![vec![]];
    known.insert(worlds[0].key(), 0);
    let mut at = 0;
    while at < worlds.len() {
        for world in worlds[at].successors() {
            assert_eq!(world.posted, world.taken + world.packets(), "exactly once");
            let index = *known.entry(world.key()).or_insert(worlds.len());
            if index == worlds.len() {
                worlds.push(world);
                before.push(vec![]);
            }
            before[index].push(at);
        }
        at += 1;
    }
    let mut hopeful: Vec<bool> = worlds.iter().map(World::is_good).collect();
    let mut open: Vec<usize> = (0..worlds.len()).filter(|&at| hopeful[at]).collect();
    while let Some(at) = open.pop() {
        for &earlier in &before[at] {
            if !std::mem::replace(&mut hopeful[earlier], true) {
                open.push(earlier);
            }
        }
    }
    match hopeful.iter().position(|hopeful| !hopeful) {
        None => Ok(worlds.len()),
        Some(lost) => Err(format!("{:?}", worlds[lost].key())),
    }
}

const RETURNS: Role = Role::Worker(Handling::Return);

/// Who takes part, and how many may work at once.
type Case = (&'static [Role], usize);

/// A worker blocks while packets are left, and the concurrency value is used up.
const BLOCKS: Case = (&[RETURNS, Role::Worker(Handling::PostAndBlock(0)), Role::Poster(2)], 1);
/// The only worker takes a packet and blocks; then a descriptor becomes ready.
const BLOCKS_ALONE: Case =
    (&[Role::Worker(Handling::PostAndBlock(0)), Role::Issuer, Role::Poster(1)], 1);
/// The only thread in the port gives up; then a descriptor becomes ready.
const GIVES_UP: Case = (&[Role::Visitor, Role::Issuer], 1);
/// An alert comes together with what a sleeper was woken for.
const ALERTED: Case = (&[RETURNS, Role::Alertable, Role::Poster(1)], 2);

const CASES: &[Case] = &[
    BLOCKS,
    BLOCKS_ALONE,
    GIVES_UP,
    ALERTED,
    // One posts from outside to two sleepers, whatever the concurrency value.
    (&[RETURNS, RETURNS, Role::Poster(2)], 1),
    (&[RETURNS, RETURNS, Role::Poster(2)], 2),
    // Two post to one sleeper.
    (&[RETURNS, Role::Poster(1), Role::Poster(2)], 1),
    // A worker posts and blocks where nobody can tell: few packets, and more than are lazy.
    (&[RETURNS, Role::Worker(Handling::PostAndBlock(2)), Role::Poster(1)], 2),
    (&[RETURNS, Role::Worker(Handling::PostAndBlock(LAZY_PACKETS + 1)), Role::Poster(1)], 1),
    // A descriptor becomes ready while its port is empty, full, or being left.
    (&[Role::Issuer], 1),
    (&[RETURNS, Role::Issuer, Role::Poster(1)], 1),
    (&[RETURNS, Role::Visitor, Role::Issuer], 1),
    (&[RETURNS, Role::Visitor, Role::Poster(1)], 1),
    (&[RETURNS, Role::Alertable, Role::Issuer], 2),
];

#[test]
fn nothing_is_left_to_nobody_in_any_order_of_events() {
    let worlds: usize = CASES
        .iter()
        .map(|case| explore(*case, Fault::None).unwrap_or_else(|lost| panic!("lost: {lost}")))
        .sum();
    // Far fewer would mean that the enumeration has stopped looking.
    assert!(worlds > 100_000, "{worlds}");
}

#[test]
#[should_panic(expected = "lost")]
fn without_neglect_a_packet_is_lost() {
    explore(BLOCKS, Fault::NoNeglect).expect("lost");
}

#[test]
#[should_panic(expected = "lost")]
fn without_a_word_on_leaving_a_descriptor_is_lost_behind_a_worker() {
    explore(BLOCKS_ALONE, Fault::NoLeave).expect("lost");
}

#[test]
#[should_panic(expected = "lost")]
fn without_a_word_on_leaving_a_descriptor_is_lost_behind_a_timeout() {
    explore(GIVES_UP, Fault::NoLeave).expect("lost");
}

#[test]
#[should_panic(expected = "lost")]
fn a_guardian_that_trusts_a_wake_up_loses_the_one_it_harvested() {
    explore(BLOCKS_ALONE, Fault::TrustWaking).expect("lost");
}

#[test]
#[should_panic(expected = "lost")]
fn a_guardian_that_lowers_its_flag_after_its_look_loses_a_call() {
    explore(BLOCKS, Fault::LowerLate).expect("lost");
}

#[test]
#[should_panic(expected = "lost")]
fn an_alert_before_the_last_look_loses_the_packet_of_the_wake_up() {
    explore(ALERTED, Fault::AlertFirst).expect("lost");
}

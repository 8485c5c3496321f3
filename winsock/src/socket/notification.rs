//! ProcessSocketNotifications: readiness that a completion port tells.
//!
//! A socket has one registration at most. The facts are looked at where those of WSAEventSelect
//! are; what is new becomes a packet of the registration's port. A level that was told is looked at
//! again when a thread next waits at that port, as epoll(7) does, so a condition that lasts costs
//! nothing while nobody asks.

use std::sync::{Arc, Weak};

use linsock_iocp::NtStatus;
use linsock_iocp::afd::endpoint::state::SendHalf;
use linsock_iocp::afd::network_events::NetworkEvent;
use linsock_iocp::driver::Readiness;
use linsock_iocp::irp::{Deferred, Done, Sink};
use linsock_iocp::port::{CompletionPort, Packet};

use super::readiness::{Facts, PollEvents};
use super::{Inner, Socket};
use crate::rio::Registered;

/// Events of a notification, one bit each, as `SOCK_NOTIFY_EVENT_*` counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Events(u8);

impl Events {
    /// None.
    pub const NONE: Self = Self(0);
    /// A receive or an accept would not wait.
    pub const IN: Self = Self(1);
    /// A send would not wait.
    pub const OUT: Self = Self(2);
    /// The connection has ended, or the peer's half of it.
    pub const HANGUP: Self = Self(4);
    /// The connection, or the attempt to make one, has failed.
    pub const ERR: Self = Self(0x40);
    /// The registration is gone.
    pub const REMOVE: Self = Self(0x80);
    /// What can be asked for; failures and removals are told unasked.
    pub const REGISTERED: Self = Self(7);

    /// Those of a filter; `None` when it asks for what cannot be asked for.
    pub fn from_filter(filter: u16) -> Option<Self> {
        let bits = u8::try_from(filter).ok()?;
        (bits & !Self::REGISTERED.0 == 0).then_some(Self(bits))
    }

    /// The bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    const fn when(self, condition: bool) -> Self {
        if condition { self } else { Self::NONE }
    }
}

/// What makes an event worth telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// That it holds.
    Level,
    /// That it has come about, or once more.
    Edge,
}

/// How long a registration tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// One notification; then it is disabled.
    OneShot,
    /// Until it is disabled or removed.
    Persistent,
}

/// What a program registers.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// The completion key of the packets.
    pub key: usize,
    /// The events.
    pub filter: Events,
    /// See [`Trigger`].
    pub trigger: Trigger,
    /// See [`Lifetime`].
    pub lifetime: Lifetime,
}

/// A registration.
#[derive(Debug)]
pub(super) struct Registration {
    port: Arc<CompletionPort>,
    wish: Wish,
    enabled: bool,
    /// Told, and not ended since: no edge any more.
    told: Events,
    /// In packets that nobody has taken yet; meaningful while the ticket lives.
    queued: Events,
    ticket: Weak<Ticket>,
}

/// Lives as long as a packet of a registration waits at its port.
#[derive(Debug)]
struct Ticket;

impl Sink for Ticket {
    fn complete(&self, _done: Done) -> Option<std::task::Waker> {
        None
    }
}

impl Registration {
    fn new(port: &Arc<CompletionPort>, wish: Wish) -> Self {
        let (port, told, queued) = (Arc::clone(port), Events::NONE, Events::NONE);
        Self { port, wish, enabled: true, told, queued, ticket: Weak::new() }
    }

    fn change(&mut self, wish: Wish) {
        if wish.key != self.wish.key {
            // What waits at the port has another key: nobody learns of this registration by it.
            self.ticket = Weak::new();
        }
        (self.wish, self.enabled, self.told) = (wish, true, Events::NONE);
    }

    /// Takes in what holds now, and tells what of it is new.
    fn update(&mut self, socket: &Socket, now: Events) {
        let wanted = self.wish.filter != Events::NONE;
        let now = now.and(self.wish.filter.or(Events::ERR)).and(ALL.when(wanted));
        let ticket = self.ticket.upgrade();
        let queued = self.queued.and(ALL.when(ticket.is_some()));
        let new = match self.wish.trigger {
            Trigger::Level => now,
            Trigger::Edge => now.without(self.told),
        };
        self.told = now;
        let new = new.without(queued);
        let persists = self.wish.lifetime == Lifetime::Persistent;
        // One-shot: when the packet is gone that was there before, this one's turn has come.
        let lasts = persists || new == Events::NONE;
        if lasts && self.wish.trigger == Trigger::Level && now != Events::NONE {
            // Before the packet is there: who takes it may be back at once.
            self.port.look_again_at(socket.token());
        }
        if new != Events::NONE {
            self.queued = queued.or(new);
            self.post(new, ticket);
            self.enabled = persists;
        }
    }

    fn post(&mut self, events: Events, ticket: Option<Arc<Ticket>>) {
        let ticket = ticket.unwrap_or_else(|| Arc::new(Ticket));
        self.ticket = Arc::downgrade(&ticket);
        let packet = Packet {
            key: self.wish.key,
            overlapped: 0,
            status: NtStatus::SUCCESS,
            bytes: events.bits().into(),
            sink: Some(ticket),
        };
        // Under the socket's lock, as events are set there: it wakes a thread of the port, and runs
        // nothing of the program's.
        let mut after = Deferred::default();
        self.port.post(packet, &mut after);
        after.run();
    }
}

const ALL: Events = Events(0xFF);

impl Socket {
    /// What it has of Registered I/O.
    pub(crate) const fn registered(&self) -> &Registered {
        &self.registered
    }

    /// The threads of a port look at the descriptor from now on, unless another port has it.
    pub(crate) fn settle_at(&self, port: &Arc<CompletionPort>) {
        self.lock().move_to(self, port);
    }
}

impl Socket {
    /// Registers the socket, or changes its registration, and tells what holds already.
    ///
    /// # Errors
    /// WSAENOTSOCK when the handle is closed; WSAEINVAL when it is registered with another port.
    pub fn enable_notifications(
        &self,
        port: &Arc<CompletionPort>,
        wish: Wish,
    ) -> Result<(), NtStatus> {
        let mut after = Deferred::default();
        let mut inner = self.open()?;
        match &mut inner.registration {
            Some(known) if !Arc::ptr_eq(&known.port, port) => {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            Some(known) => known.change(wish),
            None => {
                inner.move_to(self, port);
                inner.registration = Some(Box::new(Registration::new(port, wish)));
            }
        }
        inner.finish_connect(self, &mut after);
        inner.look_for_events(self);
        inner.settle(self, &mut after);
        drop(inner);
        after.run();
        Ok(())
    }

    /// Stops notifications until the socket is registered again.
    ///
    /// # Errors
    /// WSAENOTSOCK; WSAEINVAL when it is not registered with this port.
    pub fn disable_notifications(&self, port: &Arc<CompletionPort>) -> Result<(), NtStatus> {
        let mut inner = self.open()?;
        inner.registration_with(port)?.enabled = false;
        Ok(())
    }

    /// Ends the registration: one more packet says so, the last one.
    ///
    /// # Errors
    /// As [`disable_notifications`](Self::disable_notifications).
    pub fn remove_notifications(&self, port: &Arc<CompletionPort>) -> Result<(), NtStatus> {
        let mut inner = self.open()?;
        inner.registration_with(port)?.post(Events::REMOVE, None);
        let registration = inner.registration.take();
        drop(inner);
        // With no lock held, as it may be the port's last friend.
        drop(registration);
        Ok(())
    }
}

impl Inner {
    fn registration_with(
        &mut self,
        port: &Arc<CompletionPort>,
    ) -> Result<&mut Registration, NtStatus> {
        let registration = self.registration.as_deref_mut();
        registration
            .filter(|known| Arc::ptr_eq(&known.port, port))
            .ok_or(NtStatus::INVALID_PARAMETER)
    }

    /// Who waits at the port of notifications, its own or those of Registered I/O, is to look at
    /// the descriptor, unless that belongs to a port already.
    pub(super) fn move_to(&mut self, socket: &Socket, port: &Arc<CompletionPort>) {
        if socket.own_port().is_some() {
            return;
        }
        let is_own = !self.waits_for_first_data();
        let interest = if is_own { self.tcp.unwatch(socket.driver()) } else { None };
        // Under the lock, and it was empty.
        let _ = socket.home.set(Arc::clone(port));
        if let Some(interest) = interest {
            self.watch(socket, interest);
        }
    }

    /// The driver has reported something: data may have come to what was told of already.
    #[inline]
    pub(super) fn note_edge(&mut self, readiness: Readiness) {
        if let Some(registration) = &mut self.registration
            && readiness.readable()
        {
            registration.told = registration.told.without(Events::IN);
        }
    }

    /// A call has shown that what was told is over, or has taken one of what may be several: more
    /// of it is worth telling.
    pub(super) fn forget_told(&mut self, event: NetworkEvent) {
        let events = match event {
            NetworkEvent::Accept => Events::IN,
            NetworkEvent::Write => Events::OUT,
            _ => return,
        };
        if let Some(registration) = &mut self.registration {
            registration.told = registration.told.without(events);
        }
    }

    /// Another connection begins, or the former one is over.
    pub(super) fn forget_all_told(&mut self) {
        if let Some(registration) = &mut self.registration {
            registration.told = Events::NONE;
        }
    }

    /// Looks at the facts of a socket that is registered.
    #[cold]
    pub(super) fn look_for_notifications(&mut self, socket: &Socket) {
        if self.registration.as_ref().is_none_or(|registration| !registration.enabled) {
            return;
        }
        let now = self.readiness(socket);
        if let Some(registration) = &mut self.registration {
            registration.update(socket, now);
        }
    }

    fn readiness(&mut self, socket: &Socket) -> Events {
        let Facts { events, at_end } = self.facts(socket);
        let is = |event| events.meets(event);
        let failed = is(PollEvents::ABORT);
        let data = at_end || is(PollEvents::RECEIVE.or(PollEvents::ACCEPT));
        let room = is(PollEvents::SEND) && self.may_send();
        Events::IN
            .when(data || failed)
            .or(Events::OUT.when(room || failed))
            .or(Events::HANGUP.when(failed || is(PollEvents::DISCONNECT)))
            .or(Events::ERR.when(failed || is(PollEvents::CONNECT_FAIL)))
    }

    /// Whether this side has not shut its half.
    fn may_send(&self) -> bool {
        let link = self.endpoint.state().link();
        self.traffic.is_some() || link.is_some_and(|link| link.send == SendHalf::Open)
    }
}

//! What the trace tells of a socket: what has become of its connection since it was looked at last.
//!
//! The endpoint's state says nearly everything that is to be told, so little else has to report:
//! what is seen of the connection while its descriptor is there, why a close is a hard one, and a
//! connect that is refused on the spot. What comes and goes while the lock is held once is told by
//! what it leaves behind. What becomes of a connection behind its handle is not told.

mod over;

use std::fmt;
use std::mem;
use std::net::SocketAddr;
use std::time::Instant;

use linsock_iocp::NtStatus;
use linsock_iocp::afd::address::Address;
use linsock_iocp::afd::endpoint::state::{Link, Origin, Phase, RecvHalf, SendHalf};
use linsock_iocp::afd::{AcceptPhase, CloseReason};
use linsock_iocp::clock;
use linsock_iocp::handle::Handle;
use linsock_iocp::trace::{self, Event, Field, Kinds};

use super::disconnect::Awaited;
use super::report::Figures;
use super::{Inner, Socket};
use crate::catalog::Provider;
use crate::transport::tcp;
use crate::view::ended;

pub(super) use over::Hard;

type Fields<'a> = &'a [(&'static str, Field<'a>)];

/// What of a socket is worth a line when it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Situation {
    phase: Phase,
    link: Option<Link>,
    /// A connection is here, and an AcceptEx waits for its first data.
    arrives: bool,
    waits: Option<Awaited>,
    /// Of a datagram socket: whether it has a name, and its peer.
    datagrams: Option<(bool, Option<SocketAddr>)>,
    reason: Option<CloseReason>,
    closed: bool,
}

/// What has been told of a socket.
#[derive(Debug)]
pub(super) struct Told {
    /// Whether there are lines of it. Without them a tool looks at the process, and is told of ends
    /// only.
    traced: bool,
    handle: usize,
    provider: Provider,
    situation: Situation,
    /// Which connection of the handle it is.
    connection: u32,
    /// Its two ends.
    names: [String; 2],
    since: Option<Instant>,
    /// What was seen of the connection when its descriptor was there the last time.
    figures: Option<Figures>,
    /// Why the close is a hard one.
    hard: Option<Hard>,
    /// It is closed, and another process has the connection still.
    left: bool,
}

impl Inner {
    /// Tells what has changed.
    #[cold]
    pub(super) fn tell_changes(&mut self) {
        // Out of here meanwhile, so that it can look at the rest.
        let Some(mut told) = self.trace.take() else { return };
        if !told.traced && !ended::is_watched() {
            return;
        }
        let now = Situation::of(self);
        if told.situation != now {
            told.tell_change(self, now);
        }
        self.trace = Some(told);
    }

    /// A tool looks at the process: the end of the connection is to be told.
    pub(super) fn have_the_end_told(&mut self, socket: &Socket) {
        if self.trace.is_none() {
            let mut told = Told::new(socket.handle(), socket.provider(), false);
            told.situation = Situation::of(self);
            if told.situation.has_connection() {
                told.begin_connection();
                told.connection += self.ended;
                told.names = names(self);
                told.since = self
                    .connected_at
                    .and_then(|at| Instant::now().checked_sub(clock::coarse().saturating_sub(at)));
            }
            self.trace = Some(told);
        }
    }

    /// Keeps what is seen of the connection, for the line that tells of its end.
    pub(super) fn note_for_trace(&mut self, figures: Figures) {
        if let Some(told) = self.trace.as_mut().filter(|_| figures.are_of_a_descriptor()) {
            told.figures = Some(figures);
        }
    }

    /// The handle is being closed, and why without a graceful end.
    #[inline]
    pub(super) fn note_hard_close(&mut self, hard: impl FnOnce() -> Option<Hard>) {
        if let Some(told) = &mut self.trace {
            told.hard = told.hard.or_else(hard);
        }
    }

    /// The handle is being closed, and another process has the connection still.
    #[inline]
    pub(super) fn note_left(&mut self, elsewhere: bool) {
        if let Some(told) = &mut self.trace {
            told.left = elsewhere;
        }
    }

    /// A connect was refused on the spot: nothing has changed that would tell.
    pub(super) fn tell_refused_connect(&self, to: &Address, status: NtStatus) {
        if let Some(told) = &self.trace {
            told.tell_failure(Some(status), Some(to));
        }
    }

    /// The handle is closed, and SO_LINGER's time was over before the peer had everything.
    pub(super) fn tell_linger_in_vain(&self) {
        if let Some(told) = &self.trace {
            let text = format_args!("SO_LINGER's time was over: TCP resets the connection");
            told.tell("linger-in-vain", text, &[]);
        }
    }

    pub(super) fn local(&self) -> Option<Address> {
        let address = tcp::local_address(self.tcp.fd()?).ok()?;
        Some(self.named(address, true))
    }
}

impl Situation {
    const NEW: Self = Self {
        phase: Phase::Open,
        link: None,
        arrives: false,
        waits: None,
        datagrams: None,
        reason: None,
        closed: false,
    };

    fn of(inner: &Inner) -> Self {
        let phase = inner.endpoint.phase();
        let peer = inner.peer.as_ref().and_then(Address::ip);
        Self {
            phase,
            link: inner.endpoint.state().link().copied(),
            arrives: inner.endpoint.accept_phase() == AcceptPhase::FirstReceive,
            waits: inner.awaited(),
            datagrams: inner.traffic.as_ref().map(|own| (own.datagrams.is_bound(), peer)),
            reason: inner.endpoint.reason(),
            closed: inner.closed,
        }
    }

    /// Whether there is a connection.
    const fn has_connection(&self) -> bool {
        self.link.is_some() || self.arrives
    }

    /// Whether there is one that goes on in one direction at least.
    fn is_alive(&self) -> bool {
        let is_over = self.link.is_some_and(|link| link.is_over()) || self.phase == Phase::Closed;
        self.has_connection() && !is_over && !self.closed
    }

    const fn is_connecting(&self) -> bool {
        matches!(self.phase, Phase::Connecting | Phase::ConnectingEx)
    }

    const fn is_recycled(&self) -> bool {
        matches!(self.phase, Phase::OpenRecycled | Phase::BoundRecycled)
    }
}

impl Told {
    /// What is to be kept of a socket that comes into being, to tell what becomes of it; `None`
    /// when nothing is.
    #[inline]
    pub(super) fn begin(handle: Handle, provider: Provider) -> Option<Box<Self>> {
        let traced = trace::wants(Kinds::CONNECTIONS);
        (traced || ended::is_watched()).then(|| Self::new(handle, provider, traced))
    }

    #[cold]
    fn new(handle: Handle, provider: Provider, traced: bool) -> Box<Self> {
        Box::new(Self {
            traced,
            handle: handle.value(),
            provider,
            situation: Situation::NEW,
            connection: 0,
            names: [String::new(), String::new()],
            since: None,
            figures: None,
            hard: None,
            left: false,
        })
    }

    /// The first line of a socket.
    pub(super) fn tell_opened(&self) {
        let name = self.provider.name();
        self.tell("opened", format_args!("opened: {name}"), &[("provider", Field::Text(&name))]);
    }

    fn tell(&self, name: &'static str, text: fmt::Arguments<'_>, fields: Fields<'_>) {
        if !self.traced {
            return;
        }
        trace::tell(Event { name, of: Some((self.handle, self.connection)), text, fields });
    }

    fn tell_change(&mut self, inner: &Inner, now: Situation) {
        let before = mem::replace(&mut self.situation, now);
        if now.datagrams.is_some() {
            self.tell_datagrams(inner, before);
        } else {
            self.tell_beginning(inner, before);
            self.tell_halves(inner, before);
            self.tell_wait(before);
            self.tell_end(inner, before);
        }
        if now.closed && !before.closed {
            self.tell("closed", format_args!("handle closed"), &[]);
        }
    }

    /// How it comes to a connection, or not.
    fn tell_beginning(&mut self, inner: &Inner, before: Situation) {
        let now = self.situation;
        if before.is_connecting() && now.phase != before.phase && !now.has_connection() {
            let status = inner.connect_error.filter(|_| !now.closed);
            self.tell_failure(status, None);
        }
        let accepted = before.phase == Phase::Accepting && !before.has_connection();
        if accepted && now.phase != Phase::Accepting && !now.has_connection() {
            self.tell("accept-ended", format_args!("no AcceptEx waits any more"), &[]);
        }
        if now.has_connection() && !before.has_connection() {
            return self.tell_connection(inner, before);
        }
        if now.phase != before.phase && !now.closed && !before.has_connection() {
            self.tell_phase(inner, before);
        }
        let was_raw = matches!(before.phase, Phase::AcceptedRaw | Phase::ConnectedRaw);
        if was_raw && now.phase == Phase::Connected {
            let text = format_args!("knows its connection (SO_UPDATE_..._CONTEXT)");
            self.tell("updated", text, &[]);
        }
    }

    /// A phase without a connection.
    fn tell_phase(&mut self, inner: &Inner, before: Situation) {
        match self.situation.phase {
            Phase::Bound | Phase::BoundRecycled if !before.is_connecting() => {
                self.tell_address("bound", "bound to", inner.bound.as_ref());
            }
            Phase::Listening => {
                self.tell_address("listening", "listens at", inner.local().as_ref());
            }
            Phase::Accepting => {
                self.tell("accepting", format_args!("AcceptEx waits for a connection"), &[]);
            }
            Phase::Connecting | Phase::ConnectingEx => {
                self.begin_connection();
                self.tell_address("connecting", "connects to", inner.peer.as_ref());
            }
            _ => {}
        }
    }

    fn begin_connection(&mut self) {
        self.connection += 1;
        self.since = Some(Instant::now());
        self.figures = None;
    }

    fn tell_address(&self, name: &'static str, verb: &str, address: Option<&Address>) {
        let address = shown(address);
        self.tell(name, format_args!("{verb} {address}"), &[("address", Field::Text(&address))]);
    }

    fn tell_failure(&self, status: Option<NtStatus>, to: Option<&Address>) {
        let Some(status) = status else {
            return self.tell("connect-failed", format_args!("the connect was given up"), &[]);
        };
        let (error, to) = (status.wsa(), to.map(|to| format!("; to {to}")).unwrap_or_default());
        let fields = [("status", Field::Text(&status)), ("error", Field::Number(error.into()))];
        self.tell("connect-failed", format_args!("not connected: {status} ({error}){to}"), &fields);
    }

    fn tell_connection(&mut self, inner: &Inner, before: Situation) {
        if !before.is_connecting() {
            self.begin_connection();
        }
        let now = self.situation;
        let accepted = now.arrives || now.link.is_some_and(|link| link.origin == Origin::Accepted);
        let arrow = if accepted { "<-" } else { "->" };
        let awaits = if now.arrives { "; its first data is awaited" } else { "" };
        self.names = names(inner);
        let [local, remote] = &self.names;
        self.tell(
            if accepted { "accepted" } else { "connected" },
            format_args!("connected {local} {arrow} {remote}{awaits}"),
            &[("local", Field::Text(local)), ("remote", Field::Text(remote))],
        );
    }

    /// What has become of the two directions. Where the connection is gone already, both are over.
    fn tell_halves(&self, inner: &Inner, before: Situation) {
        let now = self.situation;
        let (send, recv) = match now.link {
            Some(link) => (link.send, link.recv),
            None if now.is_recycled() && before.link.is_some() => {
                (SendHalf::Closed, RecvHalf::Ended)
            }
            None => return,
        };
        let open = (SendHalf::Open, RecvHalf::Open);
        let (sent_before, received_before) =
            before.link.map_or(open, |link| (link.send, link.recv));
        let fin_came = recv.peer_ended() && !received_before.peer_ended();
        let peer_first = now.reason == Some(CloseReason::PeerFin);
        if fin_came && peer_first {
            self.tell_fin_came();
        }
        let is_shut = |half| matches!(half, RecvHalf::Shut { .. });
        if is_shut(recv) && !is_shut(received_before) {
            self.tell("receive-shut", format_args!("receives no more (SD_RECEIVE)"), &[]);
        }
        match send {
            SendHalf::Closing if sent_before == SendHalf::Open => {
                let sends = inner.endpoint.sends().count();
                let text = format_args!("sends no more: the FIN waits behind what is queued");
                self.tell("send-closing", text, &[("sends", Field::number(sends))]);
            }
            SendHalf::Closed if sent_before != SendHalf::Closed => {
                if inner.tcp.was_fin_refused() {
                    let text = format_args!("no FIN can be sent: the connection was reset");
                    self.tell("fin-refused", text, &[]);
                } else {
                    self.tell("fin-sent", format_args!("FIN sent"), &[]);
                }
            }
            _ => {}
        }
        if fin_came && !peer_first {
            self.tell_fin_came();
        }
    }

    fn tell_fin_came(&self) {
        let text = format_args!("the peer's FIN: everything that it sent has been taken in");
        self.tell("peer-fin", text, &[]);
    }

    fn tell_wait(&self, before: Situation) {
        let now = self.situation;
        if before.phase == Phase::Disconnecting && now.phase == Phase::Connected && !now.closed {
            let text = format_args!("the disconnect is over, the connection is not");
            self.tell("disconnect-ended", text, &[]);
        }
        let Some(wait) = now.waits.filter(|wait| before.waits != Some(*wait)) else { return };
        let text = format_args!("the disconnect waits for {wait}");
        self.tell("disconnecting", text, &[("for", Field::Text(&wait))]);
    }

    /// That the connection is over, and why.
    fn tell_end(&mut self, inner: &Inner, before: Situation) {
        let now = self.situation;
        let begun = before.has_connection() || now.has_connection();
        let was_over = before.has_connection() && !before.is_alive();
        if begun && !was_over && !now.is_alive() {
            self.tell_reason(inner, before.link);
        }
        if now.is_recycled() && before.link.is_some() {
            self.tell("recycled", format_args!("ready for another connection"), &[]);
        }
    }

    fn tell_datagrams(&self, inner: &Inner, before: Situation) {
        let had = before.datagrams.unwrap_or_default();
        let Some((bound, peer)) = self.situation.datagrams.filter(|now| *now != had) else {
            return;
        };
        if bound && !had.0 {
            self.tell_address("bound", "bound to", inner.local().as_ref());
        }
        match peer {
            _ if peer == had.1 => {}
            Some(_) => self.tell_address("connected", "sends to", inner.peer.as_ref()),
            None => self.tell("dissolved", format_args!("sends to nobody by itself"), &[]),
        }
    }
}

/// The two ends of the connection, for people.
fn names(inner: &Inner) -> [String; 2] {
    [shown(inner.local().as_ref()), shown(inner.peer.as_ref())]
}

/// An address for people; one that is not known, or has no path, is a question mark.
fn shown(address: Option<&Address>) -> String {
    address.map(ToString::to_string).filter(|text| !text.is_empty()).unwrap_or_else(|| "?".into())
}

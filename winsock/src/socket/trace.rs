//! What the trace tells of a socket: what has become of its connection since it was looked at last.
//!
//! The endpoint's state says everything that is to be told, so nothing else has to report. What
//! comes and goes while the lock is held once is told by what it leaves behind.

use std::mem;
use std::time::Instant;

use linsock_iocp::afd::CloseReason;
use linsock_iocp::afd::address::Address;
use linsock_iocp::afd::endpoint::state::{Link, Origin, Phase, RecvHalf, SendHalf};
use linsock_iocp::handle::Handle;
use linsock_iocp::trace::{self, Event, Field, Kinds};

use super::Inner;
use super::report::Figures;
use crate::catalog::Provider;
use crate::transport::tcp;

/// What of a socket is worth a line when it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Situation {
    phase: Phase,
    link: Option<Link>,
    waits: Option<Awaited>,
    /// Of a datagram socket: whether it has a name, and a peer.
    datagrams: Option<(bool, bool)>,
    reason: Option<CloseReason>,
    closed: bool,
}

/// What a disconnect waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Fin,
    Delivery,
    TimeWait,
}

/// What has been told of a socket.
#[derive(Debug)]
pub(super) struct Told {
    handle: usize,
    situation: Situation,
    /// Which connection of the handle it is.
    connection: u32,
    since: Option<Instant>,
    /// What was seen of the connection while its descriptor was there.
    figures: Option<Figures>,
}

impl Inner {
    /// Tells what has changed.
    #[cold]
    pub(super) fn tell_changes(&mut self) {
        // Out of here meanwhile, so that it can look at the rest.
        let Some(mut told) = self.trace.take() else { return };
        let now = Situation::of(self);
        if told.situation != now {
            told.tell_change(self, now);
        }
        self.trace = Some(told);
    }

    /// Keeps what is seen of the connection, for the line that tells of its end.
    pub(super) fn note_for_trace(&mut self, figures: Figures) {
        if let Some(told) = &mut self.trace {
            told.figures.get_or_insert(figures);
        }
    }

    fn local(&self) -> Option<Address> {
        let address = tcp::local_address(self.tcp.fd()?).ok()?;
        Some(self.named(address, true))
    }
}

impl Situation {
    const NEW: Self = Self {
        phase: Phase::Open,
        link: None,
        waits: None,
        datagrams: None,
        reason: None,
        closed: false,
    };

    fn of(inner: &Inner) -> Self {
        let phase = inner.endpoint.phase();
        Self {
            phase,
            link: inner.endpoint.state().link().copied(),
            waits: (phase == Phase::Disconnecting).then(|| inner.awaited()).flatten(),
            datagrams: inner
                .traffic
                .as_ref()
                .map(|traffic| (traffic.datagrams.is_bound(), inner.peer.is_some())),
            reason: inner.endpoint.reason(),
            closed: inner.closed,
        }
    }

    /// Whether there is a connection that goes on in one direction at least.
    fn is_alive(&self) -> bool {
        self.link.is_some_and(|link| !link.is_over()) && self.phase != Phase::Closed
    }

    const fn is_connecting(&self) -> bool {
        matches!(self.phase, Phase::Connecting | Phase::ConnectingEx)
    }

    const fn is_recycled(&self) -> bool {
        matches!(self.phase, Phase::OpenRecycled | Phase::BoundRecycled)
    }
}

impl Inner {
    fn awaited(&self) -> Option<Awaited> {
        let waits = [
            (self.reusable_at.is_some(), Awaited::TimeWait),
            (self.awaits_delivery, Awaited::Delivery),
            (self.fin_wait.is_awaited(), Awaited::Fin),
        ];
        waits.into_iter().find_map(|(holds, wait)| holds.then_some(wait))
    }
}

impl Told {
    /// A socket comes into being: tells so, and what is to be kept to tell what becomes of it;
    /// `None` when nothing is.
    #[inline]
    pub(super) fn begin(handle: Handle, provider: Provider) -> Option<Box<Self>> {
        trace::wants(Kinds::CONNECTIONS).then(|| Self::tell_opened(handle, provider))
    }

    #[cold]
    fn tell_opened(handle: Handle, provider: Provider) -> Box<Self> {
        let told = Self {
            handle: handle.value(),
            situation: Situation::NEW,
            connection: 0,
            since: None,
            figures: None,
        };
        let name = provider.name();
        told.tell("opened", format_args!("opened: {name}"), &[("provider", Field::Text(&name))]);
        Box::new(told)
    }

    fn tell(
        &self,
        name: &'static str,
        text: std::fmt::Arguments<'_>,
        fields: &[(&'static str, Field<'_>)],
    ) {
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

    /// How it comes to a connection.
    fn tell_beginning(&mut self, inner: &Inner, before: Situation) {
        let now = self.situation;
        if before.phase == now.phase || now.closed {
            return;
        }
        if before.is_connecting() && now.link.is_none() {
            self.tell_failure(inner);
        }
        match now.phase {
            Phase::Bound if before.phase == Phase::Open => {
                self.tell_address("bound", "bound to", inner.bound.as_ref());
            }
            Phase::BoundRecycled if before.phase == Phase::OpenRecycled => {
                self.tell_address("bound", "bound to", inner.bound.as_ref());
            }
            Phase::Listening => {
                self.tell_address("listening", "listens at", inner.local().as_ref())
            }
            Phase::Accepting => {
                self.tell("accepting", format_args!("AcceptEx waits for a connection"), &[]);
            }
            Phase::Connecting | Phase::ConnectingEx => {
                self.begin_connection();
                self.tell_address("connecting", "connects to", inner.peer.as_ref());
            }
            Phase::Connected if before.link.is_some() => {
                self.tell(
                    "updated",
                    format_args!("knows its connection (SO_UPDATE_..._CONTEXT)"),
                    &[],
                );
            }
            Phase::Connected | Phase::AcceptedRaw | Phase::ConnectedRaw => {
                self.tell_connection(inner, before);
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
        match address {
            Some(at) => {
                self.tell(name, format_args!("{verb} {at}"), &[("address", Field::Text(at))]);
            }
            None => self.tell(name, format_args!("{verb} an address that is not known"), &[]),
        }
    }

    fn tell_failure(&self, inner: &Inner) {
        match inner.connect_error {
            Some(status) => {
                let error = status.wsa();
                let fields =
                    [("status", Field::Text(&status)), ("error", Field::Number(error.into()))];
                self.tell(
                    "connect-failed",
                    format_args!("not connected: {status} ({error})"),
                    &fields,
                );
            }
            None => self.tell("connect-failed", format_args!("the connect was given up"), &[]),
        }
    }

    fn tell_connection(&mut self, inner: &Inner, before: Situation) {
        if !before.is_connecting() {
            self.begin_connection();
        }
        let accepted = self.situation.link.is_some_and(|link| link.origin == Origin::Accepted);
        let arrow = if accepted { "<-" } else { "->" };
        let unknown = || "?".to_owned();
        let local = inner.local().map_or_else(unknown, |address| address.to_string());
        let remote = inner.peer.as_ref().map_or_else(unknown, ToString::to_string);
        self.tell(
            if accepted { "accepted" } else { "connected" },
            format_args!("connected {local} {arrow} {remote}"),
            &[("local", Field::Text(&local)), ("remote", Field::Text(&remote))],
        );
    }

    /// What has become of the two directions. Where the connection is gone already, both are over.
    fn tell_halves(&self, inner: &Inner, before: Situation) {
        let now = self.situation;
        let Some(link) = before.link.or(now.link) else { return };
        let (send, recv) = match now.link {
            Some(now) => (now.send, now.recv),
            None if now.is_recycled() => (SendHalf::Closed, RecvHalf::Ended),
            None => return,
        };
        let (sent_before, received_before) = match before.link {
            Some(_) => (link.send, link.recv),
            None => (SendHalf::Open, RecvHalf::Open),
        };
        let fin_came = recv.peer_ended() && !received_before.peer_ended();
        let tell_fin = || {
            let text = format_args!("the peer's FIN: everything that it sent has been taken in");
            self.tell("peer-fin", text, &[]);
        };
        let peer_first = now.reason == Some(CloseReason::PeerFin);
        if fin_came && peer_first {
            tell_fin();
        }
        if matches!(recv, RecvHalf::Shut { .. })
            && !matches!(received_before, RecvHalf::Shut { .. })
        {
            self.tell("receive-shut", format_args!("receives no more (SD_RECEIVE)"), &[]);
        }
        match send {
            SendHalf::Closing if sent_before == SendHalf::Open => {
                let sends = inner.endpoint.sends().count();
                let text = format_args!("sends no more: the FIN waits behind {sends} sends");
                self.tell("send-closing", text, &[("sends", Field::number(sends))]);
            }
            SendHalf::Closed if sent_before != SendHalf::Closed => {
                self.tell("fin-sent", format_args!("FIN sent"), &[]);
            }
            _ => {}
        }
        if fin_came && !peer_first {
            tell_fin();
        }
    }

    fn tell_wait(&self, before: Situation) {
        let Some(wait) = self.situation.waits.filter(|wait| before.waits != Some(*wait)) else {
            return;
        };
        let what = match wait {
            Awaited::Fin => "the peer's FIN",
            Awaited::Delivery => "the peer's acknowledgement",
            Awaited::TimeWait => "the end of TIME_WAIT",
        };
        let text = format_args!("the disconnect waits for {what}");
        self.tell("disconnecting", text, &[("for", Field::Text(&what))]);
    }

    /// That the connection is over, and why.
    fn tell_end(&mut self, inner: &Inner, before: Situation) {
        let now = self.situation;
        let begun = before.link.is_some() || now.link.is_some();
        let was_over = before.link.is_some() && !before.is_alive();
        let is_over = now.closed || !now.is_alive();
        if begun && is_over && !was_over {
            self.tell_reason(inner);
        }
        if now.is_recycled() && before.link.is_some() {
            self.tell("recycled", format_args!("ready for another connection"), &[]);
        }
    }

    fn tell_reason(&mut self, inner: &Inner) {
        let Some(reason) = self.situation.reason else { return };
        let figures = self.figures.take().unwrap_or_else(|| inner.figures());
        let Figures { unsent, unread, .. } = figures;
        let (sent, received) = figures.moved();
        let elapsed = self.since.map_or_else(Default::default, |since| since.elapsed());
        // The kernel resets a connection whose descriptor is closed over data.
        let resets = reason == CloseReason::LocalGraceful && self.situation.closed && unread > 0;
        let because = if resets { ", with data unread: TCP resets it" } else { "" };
        let text = format_args!(
            "over: {reason}{because}; sent {sent} (not acknowledged {unsent}), \
             received {received} (unread {unread}), {:.3} ms",
            elapsed.as_secs_f64() * 1e3
        );
        let fields = [
            ("reason", Field::Text(&reason.name())),
            ("resets", Field::Number(resets.into())),
            ("sent", Field::Number(sent)),
            ("unacknowledged", Field::number(unsent)),
            ("received", Field::Number(received)),
            ("unread", Field::number(unread)),
            ("microseconds", Field::Number(elapsed.as_micros().try_into().unwrap_or(u64::MAX))),
        ];
        self.tell("over", text, &fields);
    }

    fn tell_datagrams(&self, inner: &Inner, before: Situation) {
        let had = before.datagrams.unwrap_or_default();
        let Some((bound, peer)) = self.situation.datagrams.filter(|now| *now != had) else {
            return;
        };
        if bound && !had.0 {
            self.tell_address("bound", "bound to", inner.local().as_ref());
        }
        match (peer, had.1) {
            (true, false) => self.tell_address("connected", "sends to", inner.peer.as_ref()),
            (false, true) => self.tell("dissolved", format_args!("sends to nobody by itself"), &[]),
            _ => {}
        }
    }
}

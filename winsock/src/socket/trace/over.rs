//! The line that tells of a connection's end: why, and how much went over it.
//!
//! The endpoint knows what a call or an indication has told it. A program that closes its handle
//! has often not received to the end, so the kernel is asked as well: whether the peer's FIN, or a
//! reset, had come before.

use std::fmt;
use std::time::Duration;

use linsock_iocp::afd::endpoint::state::{Link, SendHalf};
use linsock_iocp::afd::{AbortCause, CloseReason};
use linsock_iocp::trace::Field;

use super::super::Inner;
use super::super::report::Figures;
use super::Told;
use crate::catalog::Provider;
use crate::view::ended::{self, Ended, Octets};

/// Why a handle is closed without a graceful end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::socket) enum Hard {
    /// SO_LINGER is on, with a time of 0.
    Linger,
    /// What is left of a transmission's files cannot be kept for the peer.
    Transmission,
    /// The program asked for it.
    Requested,
}

impl Hard {
    const fn name(self) -> &'static str {
        match self {
            Self::Linger => CloseReason::LocalAbort(AbortCause::LingerZero).name(),
            Self::Transmission => "local-reset-transmission",
            Self::Requested => CloseReason::LocalAbort(AbortCause::Requested).name(),
        }
    }
}

impl fmt::Display for Hard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linger => AbortCause::LingerZero.fmt(f),
            Self::Transmission => f.write_str("closed while a transmission was pending"),
            Self::Requested => AbortCause::Requested.fmt(f),
        }
    }
}

/// Why TCP resets what is closed here.
#[derive(Clone, Copy)]
enum Resets {
    Unread,
    Hard(Hard),
}

impl fmt::Display for Resets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unread => f.write_str(", with data unread: TCP resets it"),
            Self::Hard(hard) => write!(f, ", and TCP resets it: {hard}"),
        }
    }
}

impl Told {
    /// `before`: the two directions before what has ended them.
    pub(super) fn tell_reason(&mut self, inner: &Inner, before: Option<Link>) {
        // A descriptor that has been recycled knows nothing of the connection any more.
        let is_there = self.situation.link.is_some() && !self.situation.closed;
        let fresh = Some(inner.figures()).filter(|_| is_there);
        let fresh = fresh.filter(Figures::are_of_a_descriptor);
        let mut figures = fresh.or_else(|| self.figures.take()).unwrap_or_else(|| inner.figures());
        let told = self.situation.reason.unwrap_or(CloseReason::Cancelled);
        let refused = inner.tcp.was_fin_refused();
        let reason = reason(told, before, &figures, refused);
        figures.fin_came |= reason == CloseReason::PeerResetAfterFin;
        let resets = self.resets(reason, &figures);
        if self.left && self.situation.closed {
            let what = "left to another process that has the connection";
            return self.tell_over("left", what, false, &figures);
        }
        let (name, what) = match (reason, self.hard) {
            (CloseReason::LocalAbort(AbortCause::LingerZero), Some(hard)) => {
                (hard.name(), format!("this side reset the connection: {hard}"))
            }
            _ => {
                let resets = resets.map(|resets| resets.to_string()).unwrap_or_default();
                (reason.name(), format!("{reason}{resets}"))
            }
        };
        self.tell_over(name, &what, resets.is_some(), &figures);
    }

    fn resets(&self, reason: CloseReason, figures: &Figures) -> Option<Resets> {
        let is_graceful = matches!(reason, CloseReason::PeerFin | CloseReason::LocalGraceful);
        let is_tcp = matches!(self.provider, Provider::Tcp(_));
        // One that both sides have ended, or a reset, is not in the kernel's hands any more.
        if !(is_tcp && is_graceful && self.situation.closed && figures.is_open()) {
            return None;
        }
        match self.hard {
            Some(hard) => Some(Resets::Hard(hard)),
            None => (figures.unread > 0).then_some(Resets::Unread),
        }
    }

    fn tell_over(&self, name: &str, what: &str, resets: bool, figures: &Figures) {
        let elapsed = self.since.map_or_else(Default::default, |since| since.elapsed());
        if ended::is_watched() {
            self.note_end(name, what, figures, elapsed);
        }
        let milliseconds = elapsed.as_secs_f64() * 1e3;
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        let reason = [
            ("reason", Field::Text(&name)),
            ("resets", Field::Number(resets.into())),
            ("microseconds", Field::Number(micros)),
        ];
        // Elsewhere the kernel counts its own memory, or octets of a protocol.
        if !matches!(self.provider, Provider::Tcp(_)) {
            return self.tell("over", format_args!("over: {what}; {milliseconds:.3} ms"), &reason);
        }
        let (sent, received) = figures.moved();
        let Figures { unsent, unread, .. } = *figures;
        let part = |octets, what: &str| match octets {
            0 => String::new(),
            octets => format!(" ({octets} {what})"),
        };
        let undelivered = part(unsent, "undelivered");
        let left = part(unread, "unread");
        let text = format_args!(
            "over: {what}; sent {sent}{undelivered}, received {received}{left}, \
             {milliseconds:.3} ms"
        );
        let octets = [
            ("sent", Field::Number(sent)),
            ("undelivered", Field::number(unsent)),
            ("received", Field::Number(received)),
            ("unread", Field::number(unread)),
        ];
        self.tell("over", text, &[&reason[..], &octets[..]].concat());
    }
}

impl Told {
    /// For the tools that look at the process.
    #[cold]
    fn note_end(&self, name: &str, what: &str, figures: &Figures, age: Duration) {
        let is_tcp = matches!(self.provider, Provider::Tcp(_));
        let [local, remote] = self.names.clone();
        ended::note(Ended {
            handle: self.handle,
            connection: self.connection,
            provider: self.provider,
            local,
            remote,
            reason: name.to_owned(),
            what: what.to_owned(),
            octets: is_tcp.then(|| Octets {
                moved: figures.moved(),
                unsent: figures.unsent,
                unread: figures.unread,
            }),
            age,
        });
    }
}

/// The reason by what the kernel has seen and the endpoint has not been told.
fn reason(
    told: CloseReason,
    before: Option<Link>,
    figures: &Figures,
    fin_refused: bool,
) -> CloseReason {
    let knew_fin = before.is_some_and(|link| link.recv.peer_ended());
    let had_sent_fin = before.is_some_and(|link| link.send == SendHalf::Closed);
    match told {
        CloseReason::PeerFin | CloseReason::LocalGraceful if figures.failed || fin_refused => {
            if knew_fin {
                CloseReason::PeerResetAfterFin
            } else {
                CloseReason::PeerReset
            }
        }
        CloseReason::LocalGraceful if !had_sent_fin && figures.awaits_our_fin() => {
            CloseReason::PeerFin
        }
        told => told,
    }
}

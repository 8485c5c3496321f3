//! What a disconnect of the safe API reports of the connection's end.
//!
//! The figures are taken while the descriptor is still there: before a reset throws the data away,
//! before a recycled handle gets another connection. Nobody who did not ask for a report pays for
//! one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use linsock_iocp::NtStatus;
use linsock_iocp::afd::{AbortCause, CloseReason, DisconnectMode};
use linsock_iocp::guardian;
use linsock_iocp::irp::{Deferred, Irp};
use linsock_iocp::sync::Lock;
use linsock_iocp::sys::TcpFacts;

use super::{Inner, Socket};

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseReport {
    /// FIN, reset, time-out or abort, and why.
    pub reason: CloseReason,
    /// Octets that this side sent, or wanted to, and that the peer is not known to have. After a
    /// graceful end they are on their way; after a reset they are lost.
    pub unsent: usize,
    /// Octets that the peer sent and that nobody received.
    pub unread: usize,
    /// From the call to the end.
    pub elapsed: Duration,
    /// The last state that the kernel told of the connection.
    pub tcp_state: TcpState,
}

/// A side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// This one.
    Local,
    /// The peer.
    Peer,
}

impl CloseReport {
    /// Which side ended the connection first; `None` if neither did (the network gave up).
    pub const fn closed_first(&self) -> Option<Side> {
        match self.reason {
            CloseReason::PeerFin | CloseReason::PeerReset | CloseReason::PeerResetAfterFin => {
                Some(Side::Peer)
            }
            CloseReason::LocalGraceful | CloseReason::LocalAbort(_) | CloseReason::Cancelled => {
                Some(Side::Local)
            }
            CloseReason::Timeout => None,
        }
    }

    /// Whether both directions ended with a FIN, so that nothing is lost.
    pub const fn is_graceful(&self) -> bool {
        matches!(self.reason, CloseReason::PeerFin | CloseReason::LocalGraceful)
    }
}

/// A state of RFC 9293, 3.3.2, as Linux tells it: a connection in TIME-WAIT has left its socket and
/// reads as closed there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TcpState {
    /// ESTABLISHED.
    Established,
    /// SYN-SENT.
    SynSent,
    /// SYN-RECEIVED.
    SynReceived,
    /// FIN-WAIT-1: our FIN is not acknowledged.
    FinWait1,
    /// FIN-WAIT-2: our FIN is acknowledged, the peer's has not come.
    FinWait2,
    /// TIME-WAIT.
    TimeWait,
    /// CLOSED.
    Closed,
    /// CLOSE-WAIT: the peer's FIN has come, ours is not sent.
    CloseWait,
    /// LAST-ACK: the peer closed first and has not acknowledged our FIN.
    LastAck,
    /// LISTEN.
    Listen,
    /// CLOSING: both FINs crossed.
    Closing,
    /// Another, or the descriptor was gone.
    Unknown,
}

impl TcpState {
    /// As netstat shows it on Windows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Established => "ESTABLISHED",
            Self::SynSent => "SYN_SENT",
            Self::SynReceived => "SYN_RECEIVED",
            Self::FinWait1 => "FIN_WAIT_1",
            Self::FinWait2 => "FIN_WAIT_2",
            Self::TimeWait => "TIME_WAIT",
            Self::Closed => "CLOSED",
            Self::CloseWait => "CLOSE_WAIT",
            Self::LastAck => "LAST_ACK",
            Self::Listen => "LISTENING",
            Self::Closing => "CLOSING",
            Self::Unknown => "?",
        }
    }

    pub(crate) const fn from_kernel(number: Option<u8>) -> Self {
        match number {
            Some(1) => Self::Established,
            Some(2) => Self::SynSent,
            Some(3) => Self::SynReceived,
            Some(4) => Self::FinWait1,
            Some(5) => Self::FinWait2,
            Some(6) => Self::TimeWait,
            Some(7) => Self::Closed,
            Some(8) => Self::CloseWait,
            Some(9) => Self::LastAck,
            Some(10) => Self::Listen,
            Some(11) => Self::Closing,
            _ => Self::Unknown,
        }
    }
}

/// What was seen of a connection at its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    pub(super) unsent: usize,
    pub(super) unread: usize,
    /// The kernel has an error for the next call: the connection was reset, or given up.
    pub(super) failed: bool,
    /// Whether the peer's FIN is among what the kernel has received.
    pub(super) fin_came: bool,
    /// `None` where it is not TCP, or the descriptor is gone.
    pub(super) facts: Option<TcpFacts>,
    is_there: bool,
}

impl Figures {
    /// Whether there was a descriptor to look at.
    pub(super) const fn are_of_a_descriptor(&self) -> bool {
        self.is_there
    }

    /// Whether the kernel has a connection that is not over.
    pub(super) fn is_open(&self) -> bool {
        let is_over = matches!(self.tcp_state(), TcpState::Closed | TcpState::Unknown);
        !is_over && !self.failed
    }

    /// Whether the peer has closed, and this side has not.
    pub(super) fn awaits_our_fin(&self) -> bool {
        self.tcp_state() == TcpState::CloseWait
    }

    pub(super) fn tcp_state(&self) -> TcpState {
        TcpState::from_kernel(self.facts.map(|facts| facts.state))
    }

    /// The octets that were sent and received, as far as the kernel has counted.
    pub(super) fn moved(&self) -> (u64, u64) {
        let Some(facts) = &self.facts else { return (0, 0) };
        // The peer's FIN counts as an octet.
        let fin = u64::from(self.fin_came);
        (
            facts.octets_sent.saturating_sub(facts.octets_sent_again),
            facts.octets_received.saturating_sub(fin),
        )
    }
}

/// A disconnect that somebody wants a report of.
#[derive(Debug)]
pub struct Ending {
    since: Instant,
    figures: Lock<Option<Figures>>,
    report: Lock<Option<CloseReport>>,
}

impl Ending {
    /// One that begins now.
    pub fn begin() -> Arc<Self> {
        Arc::new(Self { since: Instant::now(), figures: Lock::default(), report: Lock::default() })
    }

    /// The report, once the disconnect is over; `None` if it was refused.
    pub fn report(&self) -> Option<CloseReport> {
        *self.report.lock()
    }
}

impl Socket {
    /// As [`disconnect`](Self::disconnect), with a report in `ending`; when `limit` is over first,
    /// the connection is reset.
    ///
    /// # Errors
    /// WSAENOTCONN.
    pub fn disconnect_reported(
        &self,
        irp: Irp,
        mode: DisconnectMode,
        ending: &Arc<Ending>,
        limit: Option<Duration>,
    ) -> Result<(), NtStatus> {
        self.disconnect_with(irp, mode, |inner| {
            inner.ending = Some(Arc::clone(ending));
            if let Some(limit) = limit {
                self.expire_after(limit, ending);
            }
        })
    }

    /// Resets the connection and says what that cost. The handle stays, without a connection.
    ///
    /// # Errors
    /// WSAENOTCONN.
    pub fn abort_reported(&self) -> Result<CloseReport, NtStatus> {
        let ending = Ending::begin();
        let mut after = Deferred::default();
        drop(self.lock_settled());
        let mut inner = self.open()?;
        // A disconnect that is under way ends too, and its report says the same.
        let figures = inner.figures();
        inner.see_the_end();
        inner.endpoint.abort(AbortCause::Requested)?;
        inner.settle(self, &mut after);
        let report = inner.report(&ending, figures);
        drop(inner);
        after.run();
        Ok(report)
    }

    fn expire_after(&self, limit: Duration, ending: &Arc<Ending>) {
        // A token, not a reference: a socket that is closed meanwhile leaves only this behind.
        let (token, ending) = (self.token(), Arc::clone(ending));
        guardian::call_after(limit, move || {
            if let Some(socket) = Self::from_token(token) {
                socket.expire(&ending);
            }
        });
    }

    fn expire(&self, ending: &Arc<Ending>) {
        let mut after = Deferred::default();
        let mut inner = self.lock();
        if inner.ending.as_ref().is_some_and(|current| Arc::ptr_eq(current, ending)) {
            inner.see_the_end();
            // Refused only if the end has come after all and the handle is being recycled.
            let _ = inner.endpoint.abort(AbortCause::DeadlinePassed);
            inner.settle(self, &mut after);
        }
        drop(inner);
        after.run();
    }
}

impl Inner {
    /// Takes the figures for the report, if one is wanted, while there is something to see.
    #[inline]
    pub(super) fn see_the_end(&mut self) {
        if self.ending.is_some() || self.trace.is_some() {
            self.keep_figures();
        }
    }

    #[cold]
    fn keep_figures(&mut self) {
        let figures = self.figures();
        if let Some(ending) = &self.ending {
            ending.figures.lock().get_or_insert(figures);
        }
        self.note_for_trace(figures);
    }

    /// A disconnect is over: whoever wants its report gets it before the completion is told.
    pub(super) fn report_the_end(&mut self) {
        self.see_the_end();
        if let Some(ending) = self.ending.take() {
            let figures = ending.figures.lock().take();
            let report = self.report(&ending, figures.unwrap_or_else(|| self.figures()));
            *ending.report.lock() = Some(report);
        }
    }

    fn report(&self, ending: &Ending, figures: Figures) -> CloseReport {
        let Figures { unsent, unread, .. } = figures;
        CloseReport {
            reason: self.endpoint.reason().unwrap_or(CloseReason::LocalGraceful),
            unsent,
            unread,
            elapsed: ending.since.elapsed(),
            tcp_state: figures.tcp_state(),
        }
    }

    pub(super) fn figures(&self) -> Figures {
        let queued: usize =
            self.endpoint.sends().map(|operation| operation.irp.buffers.remaining()).sum();
        let facts = self.tcp.fd().and_then(TcpFacts::of);
        let failed = self.tcp.has_failed();
        let link = self.endpoint.state().link();
        let fin_came = match TcpState::from_kernel(facts.map(|facts| facts.state)) {
            TcpState::CloseWait | TcpState::LastAck | TcpState::Closing | TcpState::TimeWait => {
                true
            }
            // In TIME-WAIT, unless there was a reset.
            TcpState::Closed if !failed && self.tcp.has_sent_fin() => true,
            _ => link.is_some_and(|link| link.recv.peer_ended()),
        };
        Figures {
            unsent: queued + self.tcp.undelivered(),
            unread: self.tcp.unread(),
            failed,
            fin_came,
            facts,
            is_there: self.tcp.fd().is_some(),
        }
    }
}

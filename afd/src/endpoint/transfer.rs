//! send and recv: the hot path. One look at the state, no allocation.

use super::state::{Closed, Connected, Disconnecting, Link, RecvHalf, SendHalf, State};
use super::{Endpoint, NtStatus, Request};

/// How an admitted operation starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Nothing is ahead of it: try now.
    Now,
    /// Others wait: queue it behind them.
    Behind,
}

/// How an admitted receive starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receive {
    /// Nothing is ahead of it: try now.
    Now,
    /// Others wait: queue it behind them.
    Behind,
    /// The peer has closed its half and everything was read: 0 octets.
    End,
}

impl<I> Endpoint<I> {
    /// Whether a send may start.
    ///
    /// # Errors
    /// WSAENOTCONN without a connection, WSAESHUTDOWN when this side has closed its sending half,
    /// the sticky status of a connection that ended badly.
    #[inline]
    pub fn send(&self) -> Result<Start, NtStatus> {
        match &self.state {
            State::Connected(Connected { link }) if link.send == SendHalf::Open => {
                Ok(if self.sends.is_empty() { Start::Now } else { Start::Behind })
            }
            State::Connected(_) | State::Disconnecting(_) => Err(NtStatus::PIPE_DISCONNECTED),
            State::Closed(Closed { link, reason }) => Err(match reason.transfer_status() {
                Some(status) if link.send == SendHalf::Open => status,
                _ => NtStatus::PIPE_DISCONNECTED,
            }),
            _ => Err(NtStatus::INVALID_CONNECTION),
        }
    }

    /// Whether a receive may start.
    ///
    /// # Errors
    /// WSAENOTCONN without a connection, WSAESHUTDOWN when this side has shut down its receiving
    /// half, the sticky status of a connection that ended badly.
    #[inline]
    pub fn recv(&self) -> Result<Receive, NtStatus> {
        let link = match &self.state {
            State::Connected(Connected { link })
            | State::Disconnecting(Disconnecting { link, .. }) => link,
            State::Closed(Closed { link: Link { recv: RecvHalf::Shut { .. }, .. }, .. }) => {
                return Err(NtStatus::PIPE_DISCONNECTED);
            }
            State::Closed(Closed { reason, .. }) => {
                return reason.transfer_status().map_or(Ok(Receive::End), Err);
            }
            _ => return Err(NtStatus::INVALID_CONNECTION),
        };
        match link.recv {
            RecvHalf::Open if self.receives.is_empty() => Ok(Receive::Now),
            RecvHalf::Open => Ok(Receive::Behind),
            RecvHalf::Ended => Ok(Receive::End),
            RecvHalf::Shut { .. } => Err(NtStatus::PIPE_DISCONNECTED),
        }
    }

    /// True while both halves of a connection are open, and so neither end has closed it.
    #[inline]
    pub fn is_open(&self) -> bool {
        matches!(
            &self.state,
            State::Connected(Connected {
                link: Link { send: SendHalf::Open, recv: RecvHalf::Open, .. }
            })
        )
    }

    /// Queues an admitted send (or what is left of it) behind the others.
    #[inline]
    pub fn queue_send(&mut self, irp: I) {
        self.sends.push_back(irp);
    }

    /// Queues an admitted receive behind the others.
    #[inline]
    pub fn queue_recv(&mut self, irp: I) {
        self.receives.push_back(irp);
    }

    /// Takes the oldest pending send for an attempt. It goes back with
    /// [`return_send`](Self::return_send), or the caller completes it and says
    /// [`sent`](Self::sent).
    #[inline]
    pub fn take_send(&mut self) -> Option<I> {
        self.sends.pop_front()
    }

    /// Puts a send that is not finished back at the front.
    #[inline]
    pub fn return_send(&mut self, irp: I) {
        self.sends.push_front(irp);
    }

    /// A taken send is finished. Behind the last one goes the FIN, if it is due.
    #[inline]
    pub fn sent(&mut self) {
        self.request_fin_if_due();
    }

    /// The oldest pending receive, for an attempt where it is. If that finishes it, the caller
    /// takes it out, completes it, and says [`received`](Self::received).
    #[inline]
    pub const fn first_recv(&mut self) -> Option<&mut I> {
        self.receives.front_mut()
    }

    /// Takes the oldest pending receive out, for an attempt that needs the rest of the endpoint, or
    /// for good. After an attempt it goes back with [`return_recv`](Self::return_recv).
    #[inline]
    pub fn take_recv(&mut self) -> Option<I> {
        self.receives.pop_front()
    }

    /// Puts a receive back at the front.
    #[inline]
    pub fn return_recv(&mut self, irp: I) {
        self.receives.push_front(irp);
    }

    /// A receive that was taken out is finished. Behind the last one, a receiving half that was
    /// shut down meanwhile refuses data.
    #[inline]
    pub fn received(&mut self) {
        if !self.is_open() {
            self.refuse_data_if_due();
        }
    }

    /// The sends that wait, oldest first.
    pub fn sends(&self) -> impl Iterator<Item = &I> {
        self.sends.iter()
    }

    /// True while sends wait.
    #[inline]
    pub fn has_sends(&self) -> bool {
        !self.sends.is_empty()
    }

    /// True while receives wait.
    #[inline]
    pub fn has_receives(&self) -> bool {
        !self.receives.is_empty()
    }

    /// Asks to refuse data when the receiving half is shut down and no receive is left to take it.
    pub(super) fn refuse_data_if_due(&mut self) {
        let shut = RecvHalf::Shut { peer_ended: false };
        if self.receives.is_empty() && self.state.link().is_some_and(|link| link.recv == shut) {
            self.requests.push_back(Request::RefuseData);
        }
    }

    /// Asks for the FIN when the sending half is closing and nothing is queued before it.
    pub(super) fn request_fin_if_due(&mut self) {
        let send = self.state.link().map(|link| link.send);
        if send == Some(SendHalf::Closing) && self.sends.is_empty() {
            self.requests.push_back(Request::SendFin);
        }
    }
}

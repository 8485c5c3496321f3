//! send and recv: the hot path. One look at the state, no allocation.

use super::state::{Closed, Connected, Disconnecting, RecvHalf, SendHalf, State};
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
            State::Closed(Closed { link: super::state::Link { recv: RecvHalf::Shut { .. }, .. }, .. }) => {
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

    /// Queues an admitted send (or what is left of it) behind the others.
    pub fn queue_send(&mut self, irp: I) {
        self.sends.push_back(irp);
    }

    /// Queues an admitted receive behind the others.
    pub fn queue_recv(&mut self, irp: I) {
        self.receives.push_back(irp);
    }

    /// The oldest pending send.
    pub fn next_send(&mut self) -> Option<&mut I> {
        self.sends.front_mut()
    }

    /// The oldest pending receive.
    pub fn next_recv(&mut self) -> Option<&mut I> {
        self.receives.front_mut()
    }

    /// Takes the oldest pending send, which the provider has finished and completes. Behind the last
    /// one goes the FIN, if it is due.
    pub fn take_send(&mut self) -> Option<I> {
        let irp = self.sends.pop_front();
        self.request_fin_if_due();
        irp
    }

    /// Takes the oldest pending receive, which the provider has finished and completes.
    pub fn take_recv(&mut self) -> Option<I> {
        self.receives.pop_front()
    }

    /// True while sends wait.
    pub fn has_sends(&self) -> bool {
        !self.sends.is_empty()
    }

    /// True while receives wait.
    pub fn has_receives(&self) -> bool {
        !self.receives.is_empty()
    }

    /// Asks for the FIN when the sending half is closing and nothing is queued before it.
    pub(super) fn request_fin_if_due(&mut self) {
        let send = self.state.link().map(|link| link.send);
        if send == Some(SendHalf::Closing) && self.sends.is_empty() {
            self.requests.push_back(Request::SendFin);
        }
    }
}

//! listen, accept, AcceptEx from both sides.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use super::state::{
    Accepting, Connected, Context, Link, Listening, Origin, State, Unconnected, Verb,
};
use super::{Endpoint, NtStatus};

/// How far the accepting side of an AcceptEx is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceptPhase {
    /// No AcceptEx is pending on this handle.
    Idle,
    /// Waiting for a connection.
    Waiting,
    /// Connected, waiting for the first data.
    FirstReceive,
}

impl<I> Endpoint<I> {
    /// Starts to listen, or listens on.
    ///
    /// # Errors
    /// WSAEINVAL when not bound, WSAEISCONN when connected.
    pub fn listen(&mut self) -> Result<(), NtStatus> {
        self.check(Verb::Listen)?;
        if let State::Bound(_) = self.state {
            self.state = State::Listening(Listening { accepts: VecDeque::new() });
        }
        Ok(())
    }

    /// Queues an accept that found no connection.
    pub fn queue_accept(&mut self, irp: I) {
        match &mut self.state {
            State::Listening(listening) => listening.accepts.push_back(irp),
            // Cannot be: the caller has checked `Verb::Accept` under the same lock.
            _ => self.complete(irp, NtStatus::INVALID_PARAMETER),
        }
    }

    /// The waiting accepts, oldest first.
    #[inline]
    pub fn accepts(&self) -> impl Iterator<Item = &I> {
        let accepts = match &self.state {
            State::Listening(listening) => Some(&listening.accepts),
            _ => None,
        };
        accepts.into_iter().flatten()
    }

    /// The oldest waiting accept.
    #[inline]
    pub fn next_accept(&self) -> Option<&I> {
        self.accepts().next()
    }

    /// Takes the oldest waiting accept; the caller completes it.
    pub fn take_accept(&mut self) -> Option<I> {
        match &mut self.state {
            State::Listening(listening) => listening.accepts.pop_front(),
            _ => None,
        }
    }

    /// Reserves this endpoint for a connection that an AcceptEx will bring.
    ///
    /// # Errors
    /// WSAEINVAL when bound (unless recycled), connected, or reserved already.
    pub fn begin_accept(&mut self) -> Result<(), NtStatus> {
        self.check(Verb::AcceptInto)?;
        let before = match &self.state {
            State::Open(open) => Unconnected::Open(*open),
            State::Bound(bound) => Unconnected::Bound(*bound),
            _ => return Err(NtStatus::INVALID_PARAMETER),
        };
        self.state = State::Accepting(Accepting { before, first_receive: None });
        Ok(())
    }

    /// The AcceptEx is over without a connection: the endpoint is as before.
    pub fn abandon_accept(&mut self) {
        if let State::Accepting(accepting) = &mut self.state
            && accepting.first_receive.is_none()
        {
            self.state = accepting.before.into();
        }
    }

    /// A connection was accepted into this endpoint. `context` tells by which call. Means nothing
    /// to an endpoint that is not free for one: what it holds must not get lost (I1).
    pub fn handle_accepted(&mut self, context: Context) {
        let free = match &self.state {
            State::Open(_) | State::Bound(_) => true,
            State::Accepting(accepting) => accepting.first_receive.is_none(),
            _ => false,
        };
        if !free {
            return;
        }
        self.reason = None;
        self.state = State::Connected(Connected { link: Link::new(Origin::Accepted, context) });
    }

    /// A connection is here, but its AcceptEx completes with the first data only. An endpoint that
    /// does not wait for one completes it with STATUS_CANCELLED.
    pub fn queue_first_receive(&mut self, irp: I) {
        match &mut self.state {
            State::Accepting(Accepting { first_receive: waiting @ None, .. }) => {
                *waiting = Some(Box::new(irp));
            }
            _ => self.complete(irp, NtStatus::CANCELLED),
        }
    }

    /// Takes the AcceptEx that waits for first data for an attempt. It goes back with
    /// [`queue_first_receive`](Self::queue_first_receive), or the caller completes it and says
    /// [`handle_accepted`](Self::handle_accepted).
    pub fn take_first_receive(&mut self) -> Option<I> {
        match &mut self.state {
            State::Accepting(accepting) => accepting.first_receive.take().map(|irp| *irp),
            _ => None,
        }
    }

    /// How far the accepting side is.
    pub const fn accept_phase(&self) -> AcceptPhase {
        match &self.state {
            State::Accepting(Accepting { first_receive: None, .. }) => AcceptPhase::Waiting,
            State::Accepting(_) => AcceptPhase::FirstReceive,
            _ => AcceptPhase::Idle,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_wait_in_order() {
        let mut listener = Endpoint::new();
        assert_eq!(listener.next_accept(), None);
        listener.bind().unwrap();
        listener.listen().unwrap();
        listener.queue_accept(1);
        listener.queue_accept(2);
        assert_eq!(listener.next_accept(), Some(&1));
        assert_eq!(listener.take_accept(), Some(1));
        assert_eq!(listener.next_accept(), Some(&2));
    }

    #[test]
    fn an_accepting_handle_says_how_far_it_is() {
        let mut acceptor = Endpoint::new();
        assert_eq!(acceptor.accept_phase(), AcceptPhase::Idle);
        acceptor.begin_accept().unwrap();
        assert_eq!(acceptor.accept_phase(), AcceptPhase::Waiting);
        acceptor.queue_first_receive(1);
        assert_eq!(acceptor.accept_phase(), AcceptPhase::FirstReceive);
        assert_eq!(acceptor.take_first_receive(), Some(1));
        acceptor.abandon_accept();
        assert_eq!(acceptor.accept_phase(), AcceptPhase::Idle);
    }
}

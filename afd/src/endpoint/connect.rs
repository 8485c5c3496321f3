//! bind, connect, ConnectEx.

use alloc::boxed::Box;

use super::state::{
    Bound, ConnectKind, Connected, Connecting, Context, Link, Origin, RecvHalf, SendHalf, State,
    Unconnected, Verb,
};
use super::{Endpoint, NtStatus};

impl<I> Endpoint<I> {
    /// The local address is set.
    ///
    /// # Errors
    /// WSAEINVAL unless Open.
    pub fn bind(&mut self) -> Result<(), NtStatus> {
        self.check(Verb::Bind)?;
        if let State::Open(open) = self.state {
            self.state = State::Bound(Bound { past: open.past });
        }
        Ok(())
    }

    /// Begins a connection; `irp` is what waits for it (`None`: a non-blocking `connect`).
    ///
    /// # Errors
    /// By the refusal table; the IRP comes back untouched.
    pub fn connect(&mut self, kind: ConnectKind, irp: Option<I>) -> Result<(), Refused<I>> {
        let verb = match kind {
            ConnectKind::Connect => Verb::Connect,
            ConnectKind::ConnectEx => Verb::ConnectEx,
        };
        let before = match (&self.state, self.check(verb)) {
            (State::Open(open), Ok(())) => Unconnected::Open(*open),
            (State::Bound(bound), Ok(())) => Unconnected::Bound(*bound),
            (_, refusal) => {
                let status = refusal.err().unwrap_or(NtStatus::INVALID_PARAMETER);
                return Err(Refused { irp, status });
            }
        };
        self.reason = None;
        self.state = State::Connecting(Connecting { kind, before, irp: irp.map(Box::new) });
        Ok(())
    }

    /// The connection is made. Gives back the operation that waited for it, which the provider
    /// finishes (ConnectEx may owe the peer its first data before it completes).
    pub fn handle_connected(&mut self) -> Option<I> {
        let State::Connecting(connecting) = &mut self.state else { return None };
        let irp = connecting.irp.take();
        let context = match connecting.kind {
            ConnectKind::Connect => Context::Current,
            ConnectKind::ConnectEx => Context::AwaitsUpdate,
        };
        self.state = State::Connected(Connected { link: Link::new(Origin::Connected, context) });
        irp.map(|irp| *irp)
    }

    /// The connection could not be made: the endpoint may try again (ConnectEx page: after
    /// WSAECONNREFUSED, WSAENETUNREACH and WSAETIMEDOUT). It is bound by now, if it was not before
    /// (connect page: an unbound socket is "marked as bound").
    pub fn handle_connect_failed(&mut self, status: NtStatus) {
        self.end_connect(status, |before| Unconnected::Bound(before.bound()));
    }

    /// The connection was refused on the spot: as if it had not been asked for.
    pub fn take_back_connect(&mut self, status: NtStatus) {
        self.end_connect(status, |before| before);
    }

    fn end_connect(&mut self, status: NtStatus, after: impl FnOnce(Unconnected) -> Unconnected) {
        let State::Connecting(connecting) = &mut self.state else { return };
        let irp = connecting.irp.take();
        self.state = after(connecting.before).into();
        self.complete_all(irp, status);
    }

    /// SO_UPDATE_ACCEPT_CONTEXT or SO_UPDATE_CONNECT_CONTEXT.
    ///
    /// # Errors
    /// WSAENOTCONN when there is no connection; WSAEINVAL when the other side's option is due.
    pub fn update_context(&mut self, origin: Origin) -> Result<(), NtStatus> {
        match &mut self.state {
            State::Connected(Connected { link }) if link.origin == origin => {
                link.context = Context::Current;
                Ok(())
            }
            State::Connected(_) => Err(NtStatus::INVALID_PARAMETER),
            _ => Err(NtStatus::INVALID_CONNECTION),
        }
    }
}

impl Link {
    /// A connection with both halves open.
    pub(super) const fn new(origin: Origin, context: Context) -> Self {
        Self { origin, context, send: SendHalf::Open, recv: RecvHalf::Open }
    }
}

/// A refused operation: the IRP, untouched, and the status.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused<I> {
    /// The operation that was not taken.
    pub irp: Option<I>,
    /// Why.
    pub status: NtStatus,
}

#[cfg(test)]
mod tests {
    use super::super::state::Phase;
    use super::*;

    const REFUSED: NtStatus = NtStatus::CONNECTION_REFUSED;

    /// connect page: "marked as bound"; our choice: what is refused on the spot has done nothing.
    #[test]
    fn a_connect_that_failed_leaves_it_bound_and_one_that_was_taken_back_does_not() {
        let mut endpoint = Endpoint::new();
        for (irp, ends, phase) in [
            (1, Endpoint::take_back_connect as fn(&mut Endpoint<_>, NtStatus), Phase::Open),
            (2, Endpoint::handle_connect_failed, Phase::Bound),
            (3, Endpoint::take_back_connect, Phase::Bound),
        ] {
            assert!(endpoint.connect(ConnectKind::Connect, Some(irp)).is_ok());
            ends(&mut endpoint, REFUSED);
            assert_eq!(endpoint.phase(), phase);
            let ended = endpoint.poll_completion().map(|ended| (ended.irp, ended.status));
            assert_eq!(ended, Some((irp, REFUSED)));
        }
    }
}

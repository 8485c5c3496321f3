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

    /// The connection could not be made: the endpoint is as before and may try again (ConnectEx
    /// page: after WSAECONNREFUSED, WSAENETUNREACH and WSAETIMEDOUT).
    pub fn handle_connect_failed(&mut self, status: NtStatus) {
        let State::Connecting(connecting) = &mut self.state else { return };
        let irp = connecting.irp.take();
        self.state = connecting.before.into();
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

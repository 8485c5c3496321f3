//! Disconnects that wait for the whole end of a connection and report it.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use linsock_iocp::NtStatus;
use linsock_iocp::afd::DisconnectMode;

use super::operation::{Operation, Outcome, Request, What};
use super::{Error, Result};
use crate::socket::{CloseReport, Ending, Socket};

/// The end of a connection, not begun yet: see [`Socket::disconnect`](super::Socket::disconnect).
///
/// `.await` it, [`wait`](Self::wait) for it, or [`start`](Self::start) it and do either later;
/// [`abortive`](Self::abortive) is over when it returns.
#[derive(Debug)]
#[must_use = "nothing happens until the disconnect is awaited, waited for or started"]
pub struct Disconnect {
    socket: Arc<Socket>,
    mode: DisconnectMode,
    limit: Option<Duration>,
}

impl Disconnect {
    pub(super) fn new(socket: &Arc<Socket>) -> Self {
        Self { socket: Arc::clone(socket), mode: DisconnectMode::Graceful, limit: None }
    }

    /// At the end the handle is ready for another connection, as by
    /// [`disconnect_reuse`](super::Socket::disconnect_reuse).
    ///
    /// It is not when the connection did not end gracefully: look at
    /// [`CloseReport::is_graceful`].
    pub const fn reuse(mut self) -> Self {
        self.mode = DisconnectMode::Reuse;
        self
    }

    /// When `limit` is over before the connection is, it is reset
    /// ([`AbortCause::DeadlinePassed`](super::AbortCause::DeadlinePassed)).
    ///
    /// Without a limit a peer that never closes is reset after `TcpFinWait2Delay` once our FIN has
    /// been sent, and one that never reads is waited for.
    pub const fn within(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Resets the connection now: what is pending fails, what the peer has not acknowledged is
    /// lost. Never blocks. The handle stays, without a connection, until it is dropped.
    ///
    /// # Errors
    /// Not connected.
    pub fn abortive(self) -> Result<CloseReport> {
        Ok(self.socket.abort_reported()?)
    }

    /// Starts it. Dropping what this gives cancels the wait, not what has happened: the sending
    /// half stays closed.
    pub fn start(self) -> Disconnecting {
        let ending = Ending::begin();
        let what = What::Disconnect(self.mode, Arc::clone(&ending), self.limit);
        let operation = Request::new(&self.socket, what, Vec::new()).start();
        Disconnecting { operation, ending }
    }

    /// Starts it and blocks until it is over.
    ///
    /// # Errors
    /// As [`Disconnecting`].
    pub fn wait(self) -> Result<CloseReport> {
        self.start().wait()
    }
}

impl IntoFuture for Disconnect {
    type Output = Result<CloseReport>;
    type IntoFuture = Disconnecting;

    fn into_future(self) -> Disconnecting {
        self.start()
    }
}

/// A disconnect in progress: a future of the report. It never blocks the thread that polls it.
///
/// A connection that ends otherwise than gracefully meanwhile, by a reset or the limit, has a
/// report too. It is an error when the disconnect was refused (not connected) or cancelled.
#[derive(Debug)]
#[must_use = "dropping it cancels the wait"]
pub struct Disconnecting {
    operation: Operation,
    ending: Arc<Ending>,
}

impl Disconnecting {
    /// Blocks until it is over.
    ///
    /// # Errors
    /// Not connected; cancelled.
    pub fn wait(self) -> Result<CloseReport> {
        let Self { operation, ending } = self;
        report(operation.finish(), &ending)
    }

    /// Gives up the wait; the sending half stays closed.
    pub fn cancel(&self) {
        self.operation.cancel();
    }
}

impl Future for Disconnecting {
    type Output = Result<CloseReport>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = Pin::new(&mut self.operation).poll(context);
        outcome.map(|outcome| report(outcome, &self.ending))
    }
}

/// An operation that was admitted and not cancelled has a report, however the connection ended.
fn report((result, _): Outcome, ending: &Ending) -> Result<CloseReport> {
    match (result, ending.report()) {
        (Err(error), None) => Err(error),
        (Err(error), Some(_)) if error.status() == NtStatus::CANCELLED => Err(error),
        (_, Some(report)) => Ok(report),
        // Every disconnect that was admitted leaves a report before it completes.
        (Ok(_), None) => Err(Error::INVALID),
    }
}

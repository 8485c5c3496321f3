//! The endpoint: the object behind a socket handle.
//!
//! Its methods come in families:
//!
//! - **Verbs**, named as the API: [`Endpoint::bind`], [`Endpoint::connect`],
//!   [`Endpoint::disconnect`] … They refuse with a status and change nothing, or they are
//!   admitted.
//! - **Queues**: a transfer that cannot finish at once is queued as an IRP, in order of issue;
//!   the provider takes the oldest when the transport is ready.
//! - **Inputs**, named `handle_*`: what the transport reported.
//! - **Outputs**, named `poll_*`. After every verb and every input: poll [`Request`]s until there
//!   is none and perform them (they may cause new inputs), then poll [`Completion`]s until there is
//!   none and complete them.
//!
//! `I` is the IRP. The endpoint only moves it (invariant I1).

mod accept;
mod connect;
mod disconnect;
mod standing;
pub mod state;
mod transfer;

use alloc::boxed::Box;

use crate::queue::{Queue, RareQueue};
use crate::reason::CloseReason;
use crate::status::NtStatus;

pub use accept::AcceptPhase;
pub use connect::Refused;
pub use disconnect::{CloseMode, DisconnectMode, Shutdown};
pub use standing::Standing;
pub use state::ConnectKind;
use state::{Open, Past, Phase, State, Verb};
pub use transfer::{Receive, Start};

/// What the transport provider has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// Close the sending half behind what was sent, then report [`Indication::FinSent`].
    SendFin,
    /// Report [`Indication::PeerFin`] as soon as the peer's FIN is next in line, even though no
    /// receive is pending; and [`Indication::FinWaitExpired`] when it has not come within
    /// `TcpFinWait2Delay`.
    AwaitFin,
    /// Report [`Indication::Delivered`] once the peer's host has acknowledged everything, the FIN
    /// included.
    AwaitDelivery,
    /// Both directions are over (the FIN may still be ours to send): make the handle's transport
    /// ready for another connection, then report [`Indication::Recycled`].
    Recycle {
        /// Who made the connection decides what is kept of it.
        origin: state::Origin,
    },
    /// Data must not be received any more: report [`Indication::DataRefused`] if any is waiting or
    /// comes.
    RefuseData,
    /// Reset the connection, now.
    Abort,
}

/// What the transport provider reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Indication {
    /// The FIN that was asked for has been given to the transport.
    FinSent,
    /// The peer's host has acknowledged everything that was sent, and the FIN behind it.
    Delivered,
    /// Everything the peer sent was read, and its FIN has come.
    PeerFin,
    /// The peer reset the connection; it had not closed its half.
    PeerReset,
    /// The peer, which had closed its half, reset the connection.
    PeerResetAfterFin,
    /// The transport gave up on the peer.
    TimedOut,
    /// The host ended the connection, because somebody who may administer it said so.
    EndedFromOutside,
    /// The peer's FIN did not come in time.
    FinWaitExpired,
    /// Data came although this side had shut down its receiving half.
    DataRefused,
    /// The handle's transport is ready for another connection.
    Recycled,
    /// Another process, which has the connection too, has closed the sending half.
    SendClosedElsewhere,
}

/// An operation that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completion<I> {
    /// The operation.
    pub irp: I,
    /// Its result. Octets transferred are the IRP's own business.
    pub status: NtStatus,
}

/// How many operations of each kind wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pending {
    /// AcceptEx calls of a listener; of an accepting socket, the one that awaits first data.
    pub accepts: usize,
    /// ConnectEx.
    pub connects: usize,
    /// Receives.
    pub receives: usize,
    /// Sends, of what has been given to the transport only in part or not at all.
    pub sends: usize,
    /// DisconnectEx.
    pub disconnects: usize,
}

/// The object behind a socket handle. See the [module](self) for how to drive it.
#[derive(Debug)]
pub struct Endpoint<I> {
    state: State<I>,
    receives: Queue<I>,
    sends: RareQueue<I>,
    /// Its IRP is boxed: it is rare, and every connection would carry its room.
    half_close: Option<disconnect::HalfClose<I>>,
    requests: Queue<Request>,
    /// Boxed, as in the state: most connections end without.
    completions: Queue<(Box<I>, NtStatus)>,
    reason: Option<CloseReason>,
}

impl<I> Default for Endpoint<I> {
    fn default() -> Self {
        Self::new()
    }
}

impl<I> Endpoint<I> {
    /// A new endpoint, neither bound nor connected.
    pub const fn new() -> Self {
        Self {
            state: State::Open(Open { past: Past::New }),
            receives: Queue::new(),
            sends: RareQueue::new(),
            half_close: None,
            requests: Queue::new(),
            completions: Queue::new(),
            reason: None,
        }
    }

    /// The state, for reading.
    #[inline]
    pub const fn state(&self) -> &State<I> {
        &self.state
    }

    /// The state without its contents.
    #[inline]
    pub fn phase(&self) -> Phase {
        self.state.phase()
    }

    /// Why the last connection ended, or how it began to: set by the first FIN or failure, and
    /// kept until the next connection is made.
    pub const fn reason(&self) -> Option<CloseReason> {
        self.reason
    }

    /// Whether the state allows `verb`.
    ///
    /// # Errors
    /// The status of the refusal table.
    #[inline]
    pub fn check(&self, verb: Verb) -> Result<(), NtStatus> {
        self.phase().refusal(verb).map_or(Ok(()), Err)
    }

    /// The next thing the provider has to do.
    #[inline]
    pub fn poll_request(&mut self) -> Option<Request> {
        self.requests.pop_front()
    }

    /// The next operation that is over.
    #[inline]
    pub fn poll_completion(&mut self) -> Option<Completion<I>> {
        self.completions.pop_front().map(|(irp, status)| Completion { irp: *irp, status })
    }

    /// True when neither requests nor completions wait: the check of the hot path.
    #[inline]
    pub fn is_settled(&self) -> bool {
        self.requests.is_empty() && self.completions.is_empty()
    }

    /// What waits.
    pub fn pending(&self) -> Pending {
        let (accepts, connects, disconnects) = match &self.state {
            State::Listening(listening) => (listening.accepts.len(), 0, 0),
            State::Accepting(accepting) => (usize::from(accepting.first_receive.is_some()), 0, 0),
            State::Connecting(connecting) => (0, usize::from(connecting.irp.is_some()), 0),
            State::Disconnecting(_) => (0, 0, 1),
            State::Open(_) | State::Bound(_) | State::Connected(_) | State::Closed(_) => (0, 0, 0),
        };
        Pending {
            accepts,
            connects,
            receives: self.receives.len(),
            sends: self.sends.len(),
            disconnects: disconnects + usize::from(self.half_close.is_some()),
        }
    }

    fn complete(&mut self, irp: impl Into<Box<I>>, status: NtStatus) {
        self.completions.push_back((irp.into(), status));
    }

    fn complete_all<T: Into<Box<I>>>(
        &mut self,
        irps: impl IntoIterator<Item = T>,
        status: NtStatus,
    ) {
        self.completions.extend(irps.into_iter().map(|irp| (irp.into(), status)));
    }
}

//! The states of a connection-oriented endpoint, and what each of them refuses.
//!
//! ```text
//!           bind            listen
//!   Open ─────────▶ Bound ─────────▶ Listening
//!    │  ◀───┐         │ ▲
//!    │ begin_accept   │ │ refused, cancelled
//!    ▼      │         ▼ │ (back to where it came from)
//!  Accepting┘      Connecting
//!    │                │
//!    ▼                ▼              disconnect(Reuse)
//!  Connected { send: SendHalf, recv: RecvHalf } ─────▶ Disconnecting
//!    │                                                    │  accepted: Open again
//!    │ reset, abort, time-out                             ▼  connected: Bound again
//!    └──────────────────▶ Closed(reason) ◀───────── failure
//! ```
//!
//! Every state is a struct whose doc lists the verbs it allows, the verbs it refuses (with the
//! status) and where it leads. The refusals are also data, [`Phase::refusals`], which the verbs
//! consult and the tests enumerate.

mod name;

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use crate::reason::CloseReason;
use crate::status::NtStatus;

/// What a caller can ask of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// `bind`.
    Bind,
    /// `listen`.
    Listen,
    /// `accept`, `AcceptEx` on the listening side.
    Accept,
    /// `AcceptEx` on the accepting side: take a connection into this handle.
    AcceptInto,
    /// `connect`.
    Connect,
    /// `ConnectEx`.
    ConnectEx,
    /// `send`, `WSASend`.
    Send,
    /// `recv`, `WSARecv`.
    Recv,
    /// `shutdown`, `WSASendDisconnect`, `WSARecvDisconnect`.
    Shutdown,
    /// `DisconnectEx`, `WskDisconnect`.
    Disconnect,
    /// `getpeername`.
    PeerName,
    /// `getsockname`.
    LocalName,
}

impl Verb {
    /// Every verb, for tests that enumerate.
    pub const ALL: [Self; 12] = [
        Self::Bind,
        Self::Listen,
        Self::Accept,
        Self::AcceptInto,
        Self::Connect,
        Self::ConnectEx,
        Self::Send,
        Self::Recv,
        Self::Shutdown,
        Self::Disconnect,
        Self::PeerName,
        Self::LocalName,
    ];
}

/// Whether the handle has carried a connection before.
///
/// `DisconnectEx` with `TF_REUSE_SOCKET` makes a handle that "can be passed to the AcceptEx or
/// ConnectEx function" (its page, without further conditions), so a recycled handle is spared the
/// two checks that a new one meets: ConnectEx needs a bound socket, AcceptEx an unbound one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Past {
    /// Never connected.
    New,
    /// Recycled by a disconnect with reuse.
    Recycled,
}

/// Neither bound nor connected.
///
/// - **Allowed**: bind, connect (binds by itself), AcceptEx into it.
/// - **Refused**: listen, getsockname: WSAEINVAL; ConnectEx: WSAEINVAL unless recycled;
///   transfers, shutdown, disconnect, getpeername: WSAENOTCONN.
/// - **Leads to**: Bound, Connecting, Accepting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// Whether the handle was recycled.
    pub past: Past,
}

/// Bound to a local address.
///
/// - **Allowed**: listen, connect, ConnectEx.
/// - **Refused**: bind: WSAEINVAL; AcceptEx into it: WSAEINVAL unless recycled; transfers,
///   shutdown, disconnect, getpeername: WSAENOTCONN.
/// - **Leads to**: Listening, Connecting, Accepting (recycled only).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Whether the handle was recycled.
    pub past: Past,
}

/// Waiting for connections.
///
/// - **Allowed**: accept, AcceptEx, listen (again), getsockname.
/// - **Refused**: bind, connect, ConnectEx, AcceptEx into it: WSAEINVAL; transfers, shutdown,
///   disconnect, getpeername: WSAENOTCONN (`test_shutdown`).
/// - **Leads to**: nowhere but close.
#[derive(Debug)]
pub struct Listening<I> {
    /// The accepts that wait for a connection, oldest first.
    pub accepts: VecDeque<I>,
}

/// The accepting side of a pending AcceptEx.
///
/// - **Allowed**: nothing.
/// - **Refused**: everything that Open would refuse, and bind, connect, ConnectEx, a second
///   AcceptEx: WSAEINVAL (`test_AcceptEx`).
/// - **Leads to**: Connected; back to where it came from when the accept is cancelled.
#[derive(Debug)]
pub struct Accepting<I> {
    /// Where the endpoint returns when no connection comes.
    pub before: Unconnected,
    /// Set once a connection is here and its first data is awaited.
    pub first_receive: Option<Box<I>>,
}

/// The two states a connection can start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unconnected {
    /// Not bound.
    Open(Open),
    /// Bound.
    Bound(Bound),
}

impl Unconnected {
    /// Bound, with the same past.
    pub(super) const fn bound(self) -> Bound {
        match self {
            Self::Open(Open { past }) | Self::Bound(Bound { past }) => Bound { past },
        }
    }
}

/// How a connection is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectKind {
    /// `connect`, `WSAConnect`.
    Connect,
    /// `ConnectEx`.
    ConnectEx,
}

/// A connection is being made.
///
/// - **Allowed**: getsockname; during `connect` also getpeername (`test_connecting_socket`).
/// - **Refused**: a second connect during connect: WSAEALREADY; connect during ConnectEx, ConnectEx
///   during either: WSAEINVAL; transfers, shutdown, disconnect: WSAENOTCONN.
/// - **Leads to**: Connected; Bound when it fails; back to where it came from when it is refused on
///   the spot or cancelled (it may try again).
#[derive(Debug)]
pub struct Connecting<I> {
    /// Which call started it.
    pub kind: ConnectKind,
    /// Where the endpoint returns when the connection cannot be made.
    pub before: Unconnected,
    /// The operation that waits; `None` for a non-blocking `connect`.
    pub irp: Option<Box<I>>,
}

/// Which side of the connection this endpoint was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// It accepted: after reuse it is "neither bound nor connected" (AcceptEx page).
    Accepted,
    /// It connected: after reuse it is "not connected, but still bound" (ConnectEx page).
    Connected,
}

/// Whether the socket knows its own connection yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// By `accept` or `connect`, or updated.
    Current,
    /// By AcceptEx or ConnectEx, before SO_UPDATE_ACCEPT_CONTEXT or SO_UPDATE_CONNECT_CONTEXT:
    /// getpeername, shutdown and (accepted) getsockname do not work (AcceptEx, ConnectEx pages).
    AwaitsUpdate,
}

/// The sending half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SendHalf {
    /// Sends are taken.
    Open,
    /// No more sends; the FIN waits behind the queued ones.
    Closing,
    /// The FIN has been given to the transport.
    Closed,
}

/// The receiving half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecvHalf {
    /// Receives are taken.
    Open,
    /// All the peer's data was read and its FIN has come: receives give 0 octets, for ever.
    Ended,
    /// Shut down by this side: receives are refused with WSAESHUTDOWN.
    Shut {
        /// The peer's FIN has come all the same.
        peer_ended: bool,
    },
}

impl RecvHalf {
    /// True when the peer's FIN has come and nothing is left to read before it.
    pub const fn peer_ended(self) -> bool {
        matches!(self, Self::Ended | Self::Shut { peer_ended: true })
    }
}

/// A connection: what Connected, Disconnecting and Closed share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Which side this is.
    pub origin: Origin,
    /// Whether the context was updated.
    pub context: Context,
    /// The sending half.
    pub send: SendHalf,
    /// The receiving half.
    pub recv: RecvHalf,
}

impl Link {
    /// Whether both directions have ended: our FIN is sent, the peer's has come. Nothing is lost
    /// then by closing.
    #[inline]
    pub const fn is_over(&self) -> bool {
        matches!(self.send, SendHalf::Closed) && self.recv.peer_ended()
    }
}

/// Connected; either half may be closed already.
///
/// - **Allowed**: send, recv, shutdown, disconnect, the names; with the context not updated only
///   send, recv and disconnect.
/// - **Refused**: bind, AcceptEx into it: WSAEINVAL; listen, connect, ConnectEx: WSAEISCONN; send
///   after this side's FIN and recv after this side's SD_RECEIVE: WSAESHUTDOWN; disconnect
///   without reuse when the sending half is closing or closed: WSAENOTCONN.
/// - **Leads to**: Disconnecting, Closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connected {
    /// The connection.
    pub link: Link,
}

/// A disconnect that waits for the peer's end is under way.
///
/// - **Allowed**: recv (the peer's data has to be read before the disconnect completes), shutdown,
///   the names.
/// - **Refused**: send: WSAESHUTDOWN; a second disconnect: WSAENOTCONN; the rest as in Connected.
/// - **Leads to**: Open or Bound, recycled; back to Connected (send half closed) without reuse or
///   when cancelled; Closed when the peer resets or never closes.
#[derive(Debug)]
pub struct Disconnecting<I> {
    /// The connection.
    pub link: Link,
    /// The disconnect.
    pub irp: Box<I>,
    /// What follows the end of both directions.
    pub then: Then,
    /// True from the request to recycle until the provider has done it.
    pub recycling: bool,
}

/// What follows when both directions of a connection are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Then {
    /// The handle stays with the connection that was.
    Stay,
    /// The handle is recycled.
    Recycle,
}

/// The connection ended badly; the handle is still open.
///
/// - **Allowed**: the names.
/// - **Refused**: transfers with the status of the reason (sticky), or WSAESHUTDOWN for a half
///   that this side had closed; shutdown, disconnect: WSAENOTCONN; connect, ConnectEx, listen:
///   WSAEISCONN; bind, AcceptEx into it: WSAEINVAL.
/// - **Leads to**: nowhere but close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The connection as it was.
    pub link: Link,
    /// Why it ended.
    pub reason: CloseReason,
}

/// The state of an endpoint. Operations are boxed: few states have one, and every connection
/// carries the room of the largest state. Its tag is on its own: every call looks at it.
#[derive(Debug)]
#[repr(u8)]
pub enum State<I> {
    /// See [`Open`].
    Open(Open),
    /// See [`Bound`].
    Bound(Bound),
    /// See [`Listening`].
    Listening(Listening<I>),
    /// See [`Accepting`].
    Accepting(Accepting<I>),
    /// See [`Connecting`].
    Connecting(Connecting<I>),
    /// See [`Connected`].
    Connected(Connected),
    /// See [`Disconnecting`].
    Disconnecting(Disconnecting<I>),
    /// See [`Closed`].
    Closed(Closed),
}

impl<I> From<Unconnected> for State<I> {
    fn from(before: Unconnected) -> Self {
        match before {
            Unconnected::Open(open) => Self::Open(open),
            Unconnected::Bound(bound) => Self::Bound(bound),
        }
    }
}

/// A state without its contents: the key of the refusal table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// [`Open`], never connected.
    Open,
    /// [`Open`], recycled.
    OpenRecycled,
    /// [`Bound`], never connected.
    Bound,
    /// [`Bound`], recycled.
    BoundRecycled,
    /// [`Listening`].
    Listening,
    /// [`Accepting`].
    Accepting,
    /// [`Connecting`] by `connect`.
    Connecting,
    /// [`Connecting`] by `ConnectEx`.
    ConnectingEx,
    /// [`Connected`].
    Connected,
    /// [`Connected`] by AcceptEx, context not updated.
    AcceptedRaw,
    /// [`Connected`] by ConnectEx, context not updated.
    ConnectedRaw,
    /// [`Disconnecting`].
    Disconnecting,
    /// [`Closed`].
    Closed,
}

const INVALID: NtStatus = NtStatus::INVALID_PARAMETER;
const NOT_CONNECTED: NtStatus = NtStatus::INVALID_CONNECTION;
const IS_CONNECTED: NtStatus = NtStatus::CONNECTION_ACTIVE;

/// What no state without a connection allows (`test_shutdown`, `test_connecting_socket`,
/// `test_DisconnectEx`, `test_getpeername`).
macro_rules! unconnected {
    ($($more:expr),* $(,)?) => {
        &[
            (Verb::Send, NOT_CONNECTED),
            (Verb::Recv, NOT_CONNECTED),
            (Verb::Shutdown, NOT_CONNECTED),
            (Verb::Disconnect, NOT_CONNECTED),
            $($more),*
        ]
    };
}

/// What no state with a connection allows (`test_connect`, `test_listen`, `test_AcceptEx`).
macro_rules! connected {
    ($($more:expr),* $(,)?) => {
        &[
            (Verb::Bind, INVALID),
            (Verb::Listen, IS_CONNECTED),
            (Verb::Accept, INVALID),
            (Verb::AcceptInto, INVALID),
            (Verb::ConnectEx, IS_CONNECTED),
            $($more),*
        ]
    };
}

impl Phase {
    /// Every phase, for tests that enumerate.
    pub const ALL: [Self; 13] = [
        Self::Open,
        Self::OpenRecycled,
        Self::Bound,
        Self::BoundRecycled,
        Self::Listening,
        Self::Accepting,
        Self::Connecting,
        Self::ConnectingEx,
        Self::Connected,
        Self::AcceptedRaw,
        Self::ConnectedRaw,
        Self::Disconnecting,
        Self::Closed,
    ];

    /// The verbs this state refuses whatever the arguments, each with its status.
    ///
    /// The halves of a connection refuse more (see [`Connected`]), and [`Closed`] refuses transfers
    /// with a status that depends on the reason.
    pub const fn refusals(self) -> &'static [(Verb, NtStatus)] {
        match self {
            Self::Open => unconnected![
                (Verb::Listen, INVALID),
                (Verb::Accept, INVALID),
                (Verb::ConnectEx, INVALID),
                (Verb::PeerName, NOT_CONNECTED),
                (Verb::LocalName, INVALID),
            ],
            Self::OpenRecycled => unconnected![
                (Verb::Listen, INVALID),
                (Verb::Accept, INVALID),
                (Verb::PeerName, NOT_CONNECTED),
                (Verb::LocalName, INVALID),
            ],
            Self::Bound => unconnected![
                (Verb::Bind, INVALID),
                (Verb::Accept, INVALID),
                (Verb::AcceptInto, INVALID),
                (Verb::PeerName, NOT_CONNECTED),
            ],
            Self::BoundRecycled => unconnected![
                (Verb::Bind, INVALID),
                (Verb::Accept, INVALID),
                (Verb::PeerName, NOT_CONNECTED),
            ],
            Self::Listening => unconnected![
                (Verb::Bind, INVALID),
                (Verb::AcceptInto, INVALID),
                (Verb::Connect, INVALID),
                (Verb::ConnectEx, INVALID),
                (Verb::PeerName, NOT_CONNECTED),
            ],
            Self::Accepting => unconnected![
                (Verb::Bind, INVALID),
                (Verb::Listen, INVALID),
                (Verb::Accept, INVALID),
                (Verb::AcceptInto, INVALID),
                (Verb::Connect, INVALID),
                (Verb::ConnectEx, INVALID),
                (Verb::PeerName, NOT_CONNECTED),
                (Verb::LocalName, INVALID),
            ],
            Self::Connecting => unconnected![
                (Verb::Bind, INVALID),
                (Verb::Listen, INVALID),
                (Verb::Accept, INVALID),
                (Verb::AcceptInto, INVALID),
                (Verb::Connect, NtStatus::CONNECT_IN_PROGRESS),
                (Verb::ConnectEx, INVALID),
            ],
            Self::ConnectingEx => unconnected![
                (Verb::Bind, INVALID),
                (Verb::Listen, INVALID),
                (Verb::Accept, INVALID),
                (Verb::AcceptInto, INVALID),
                (Verb::Connect, INVALID),
                (Verb::ConnectEx, INVALID),
                (Verb::PeerName, NOT_CONNECTED),
            ],
            Self::Connected => connected![(Verb::Connect, IS_CONNECTED)],
            Self::AcceptedRaw => connected![
                (Verb::Connect, INVALID),
                (Verb::Shutdown, NOT_CONNECTED),
                (Verb::PeerName, NOT_CONNECTED),
                (Verb::LocalName, INVALID),
            ],
            // test_connect: plain connect on a socket connected by ConnectEx is WSAEINVAL.
            Self::ConnectedRaw => connected![
                (Verb::Connect, INVALID),
                (Verb::Shutdown, NOT_CONNECTED),
                (Verb::PeerName, NOT_CONNECTED),
            ],
            Self::Disconnecting => connected![
                (Verb::Connect, IS_CONNECTED),
                (Verb::Send, NtStatus::PIPE_DISCONNECTED),
                (Verb::Disconnect, NOT_CONNECTED),
            ],
            Self::Closed => connected![
                (Verb::Connect, IS_CONNECTED),
                (Verb::Shutdown, NOT_CONNECTED),
                (Verb::Disconnect, NOT_CONNECTED),
            ],
        }
    }

    /// The status this state refuses `verb` with, or `None` if it may go on.
    #[inline]
    pub const fn refusal(self, verb: Verb) -> Option<NtStatus> {
        TABLE[self as usize][verb as usize]
    }
}

/// The refusals of every phase, spread out so that a look takes no search.
const TABLE: [[Option<NtStatus>; Verb::ALL.len()]; Phase::ALL.len()] = {
    let mut table = [[None; Verb::ALL.len()]; Phase::ALL.len()];
    let mut at = 0;
    while at < Phase::ALL.len() {
        let phase = Phase::ALL[at];
        let mut row = 0;
        while row < phase.refusals().len() {
            let (verb, status) = phase.refusals()[row];
            table[phase as usize][verb as usize] = Some(status);
            row += 1;
        }
        at += 1;
    }
    table
};

impl<I> State<I> {
    /// The state without its contents.
    #[inline]
    pub fn phase(&self) -> Phase {
        match self {
            Self::Open(Open { past: Past::New }) => Phase::Open,
            Self::Open(Open { past: Past::Recycled }) => Phase::OpenRecycled,
            Self::Bound(Bound { past: Past::New }) => Phase::Bound,
            Self::Bound(Bound { past: Past::Recycled }) => Phase::BoundRecycled,
            Self::Listening(_) => Phase::Listening,
            Self::Accepting(_) => Phase::Accepting,
            Self::Connecting(Connecting { kind: ConnectKind::Connect, .. }) => Phase::Connecting,
            Self::Connecting(Connecting { kind: ConnectKind::ConnectEx, .. }) => {
                Phase::ConnectingEx
            }
            Self::Connected(Connected { link }) => match (link.context, link.origin) {
                (Context::Current, _) => Phase::Connected,
                (Context::AwaitsUpdate, Origin::Accepted) => Phase::AcceptedRaw,
                (Context::AwaitsUpdate, Origin::Connected) => Phase::ConnectedRaw,
            },
            Self::Disconnecting(_) => Phase::Disconnecting,
            Self::Closed(_) => Phase::Closed,
        }
    }

    /// The connection, if there is or was one.
    #[inline]
    pub fn link(&self) -> Option<&Link> {
        match self {
            Self::Connected(Connected { link })
            | Self::Disconnecting(Disconnecting { link, .. })
            | Self::Closed(Closed { link, .. }) => Some(link),
            _ => None,
        }
    }
}

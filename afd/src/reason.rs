//! Why a connection ended.

use core::fmt;

use crate::status::NtStatus;

/// Why this side tore the connection down without a graceful close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AbortCause {
    /// `closesocket` with SO_LINGER on and a linger time of 0.
    LingerZero,
    /// Data came, or was waiting, after this side had shut down its receiving half.
    DataAfterReceiveShutdown,
    /// The peer did not send its FIN within `TcpFinWait2Delay`.
    FinWaitTimeout,
    /// The time that the program gave a graceful disconnect was over.
    DeadlinePassed,
    /// The program asked for it.
    Requested,
    /// `closesocket` while the connection was still being made.
    ConnectAbandoned,
    /// Somebody who may administer the host ended it, from outside of the program.
    FromOutside,
}

/// Why a connection ended, kept for the API, the trace and the error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The peer closed its sending half first.
    PeerFin,
    /// The peer reset the connection without having closed its half.
    PeerReset,
    /// The peer had closed its half and then answered our data with a reset.
    PeerResetAfterFin,
    /// This side closed its sending half first, and the peer followed.
    LocalGraceful,
    /// This side aborted.
    LocalAbort(AbortCause),
    /// The network stopped answering (retransmission or keep-alive ran out).
    Timeout,
    /// The operation that would have made the connection was cancelled.
    Cancelled,
}

impl CloseReason {
    /// What a transfer on a connection that ended for this reason is answered with, or `None` where
    /// the end was graceful and the halves of the connection say more.
    ///
    /// Sources: `STATUS_CONNECTION_RESET` for a bare reset (Windows test `test_tcp_reset`),
    /// `STATUS_CONNECTION_ABORTED` for FIN then reset (`test_shutdown`).
    pub const fn transfer_status(self) -> Option<NtStatus> {
        match self {
            Self::PeerFin | Self::LocalGraceful => None,
            Self::PeerReset => Some(NtStatus::CONNECTION_RESET),
            Self::PeerResetAfterFin => Some(NtStatus::CONNECTION_ABORTED),
            Self::LocalAbort(AbortCause::FinWaitTimeout | AbortCause::DeadlinePassed)
            | Self::Timeout => Some(NtStatus::IO_TIMEOUT),
            Self::LocalAbort(_) => Some(NtStatus::CONNECTION_ABORTED),
            Self::Cancelled => Some(NtStatus::CANCELLED),
        }
    }
}

impl CloseReason {
    /// A name for programs: words with hyphens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PeerFin => "peer-fin",
            Self::PeerReset => "peer-reset",
            Self::PeerResetAfterFin => "peer-reset-after-fin",
            Self::LocalGraceful => "local-fin",
            Self::LocalAbort(AbortCause::LingerZero) => "local-reset-linger",
            Self::LocalAbort(AbortCause::DataAfterReceiveShutdown) => "local-reset-data",
            Self::LocalAbort(AbortCause::FinWaitTimeout) => "local-reset-fin-wait",
            Self::LocalAbort(AbortCause::DeadlinePassed) => "local-reset-deadline",
            Self::LocalAbort(AbortCause::Requested) => "local-reset-requested",
            Self::LocalAbort(AbortCause::ConnectAbandoned) => "connect-abandoned",
            Self::LocalAbort(AbortCause::FromOutside) => "local-reset-outside",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for AbortCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LingerZero => "closed with SO_LINGER and a time of 0",
            Self::DataAfterReceiveShutdown => "data came after SD_RECEIVE",
            Self::FinWaitTimeout => "the peer's FIN did not come in time",
            Self::DeadlinePassed => "the time for the disconnect was over",
            Self::Requested => "the program asked for it",
            Self::ConnectAbandoned => "closed while it was being made",
            Self::FromOutside => "an administrator ended it, from outside of the program",
        })
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerFin => f.write_str("the peer closed first"),
            Self::PeerReset => f.write_str("the peer reset the connection"),
            Self::PeerResetAfterFin => f.write_str("the peer closed and then reset the connection"),
            Self::LocalGraceful => f.write_str("this side closed first"),
            Self::LocalAbort(cause) => write!(f, "this side reset the connection: {cause}"),
            Self::Timeout => f.write_str("the network stopped answering"),
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}

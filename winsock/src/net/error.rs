//! Errors of the safe API.

use std::fmt;
use std::io;

use linsock_iocp::NtStatus;

/// The result of a call.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a call or an operation failed: a Windows status, which has a Winsock error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Error(NtStatus);

impl Error {
    pub(super) const INVALID: Self = Self(NtStatus::INVALID_PARAMETER);
    pub(super) const NO_DESCRIPTORS: Self = Self(NtStatus::TOO_MANY_OPENED_FILES);

    pub(super) const fn of(status: NtStatus) -> Self {
        Self(status)
    }

    /// The status.
    pub const fn status(self) -> NtStatus {
        self.0
    }

    /// The Winsock error code, such as 10054 (WSAECONNRESET).
    pub fn wsa(self) -> u32 {
        self.0.wsa()
    }

    /// Whether the operation was cancelled.
    pub fn is_cancelled(self) -> bool {
        self.0 == NtStatus::CANCELLED
    }

    fn kind(self) -> io::ErrorKind {
        match self.wsa() {
            10013 => io::ErrorKind::PermissionDenied,
            10022 => io::ErrorKind::InvalidInput,
            10035 => io::ErrorKind::WouldBlock,
            10048 => io::ErrorKind::AddrInUse,
            10049 => io::ErrorKind::AddrNotAvailable,
            10051 => io::ErrorKind::NetworkUnreachable,
            10053 => io::ErrorKind::ConnectionAborted,
            10054 => io::ErrorKind::ConnectionReset,
            10057 => io::ErrorKind::NotConnected,
            10058 => io::ErrorKind::BrokenPipe,
            10060 => io::ErrorKind::TimedOut,
            10061 => io::ErrorKind::ConnectionRefused,
            10065 => io::ErrorKind::HostUnreachable,
            _ => io::ErrorKind::Other,
        }
    }
}

impl From<NtStatus> for Error {
    fn from(status: NtStatus) -> Self {
        Self(status)
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.wsa() {
            995 => "the operation was cancelled",
            10013 => "permission denied",
            10014 => "bad address",
            10022 => "not possible in this state or with these arguments",
            10024 => "too many open sockets",
            10035 => "the operation would block",
            10036 => "a blocking call is in progress",
            10037 => "a connect is in progress already",
            10048 => "address in use",
            10049 => "address not available",
            10051 => "network unreachable",
            10053 => "connection aborted",
            10054 => "connection reset by peer",
            10055 => "no room or no port left",
            10056 => "connected already",
            10057 => "not connected",
            10058 => "this half of the connection was shut down",
            10060 => "timed out",
            10061 => "connection refused",
            10065 => "host unreachable",
            code => return write!(f, "winsock error {code}"),
        };
        write!(f, "{text} ({})", self.wsa())
    }
}

impl std::error::Error for Error {}

//! Transport providers: what performs an endpoint's requests with system calls.

pub mod iso;
pub mod last_words;
pub mod port;
pub(crate) mod sock_diag;
pub mod tcp;

use linsock_iocp::NtStatus;
use rustix::io::Errno;

/// The status of a system call's error.
pub fn status_of(errno: Errno) -> NtStatus {
    match errno {
        Errno::AGAIN => NtStatus::DEVICE_NOT_READY,
        Errno::CONNRESET => NtStatus::CONNECTION_RESET,
        Errno::PIPE | Errno::CONNABORTED => NtStatus::CONNECTION_ABORTED,
        Errno::CONNREFUSED => NtStatus::CONNECTION_REFUSED,
        Errno::TIMEDOUT => NtStatus::IO_TIMEOUT,
        Errno::NETUNREACH | Errno::NETDOWN => NtStatus::NETWORK_UNREACHABLE,
        Errno::HOSTUNREACH | Errno::HOSTDOWN => NtStatus::HOST_UNREACHABLE,
        Errno::ADDRINUSE => NtStatus::ADDRESS_ALREADY_EXISTS,
        Errno::ADDRNOTAVAIL | Errno::NODEV => NtStatus::INVALID_ADDRESS,
        Errno::ACCESS | Errno::PERM => NtStatus::ACCESS_DENIED,
        Errno::FAULT => NtStatus::ACCESS_VIOLATION,
        Errno::NOTCONN => NtStatus::INVALID_CONNECTION,
        Errno::ISCONN => NtStatus::CONNECTION_ACTIVE,
        Errno::MFILE | Errno::NFILE => NtStatus::TOO_MANY_OPENED_FILES,
        Errno::NOBUFS | Errno::NOMEM => NtStatus::INSUFFICIENT_RESOURCES,
        Errno::OPNOTSUPP => NtStatus::NOT_SUPPORTED,
        Errno::NOPROTOOPT => NtStatus::OPTION_NOT_SUPPORTED,
        Errno::AFNOSUPPORT => NtStatus::from_wsa(10047),
        Errno::PROTONOSUPPORT => NtStatus::from_wsa(10043),
        Errno::MSGSIZE => NtStatus::BUFFER_OVERFLOW,
        _ => NtStatus::INVALID_PARAMETER,
    }
}

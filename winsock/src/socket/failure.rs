//! How a connection has ended, by the kernel's error.

use linsock_iocp::afd::Indication;
use rustix::io::Errno;

use super::Inner;

impl Inner {
    /// The transport failed under a transfer.
    pub(super) fn handle_failure(&mut self, errno: Errno) {
        if errno == Errno::PIPE && self.note_fin_elsewhere() {
            return;
        }
        self.see_the_end();
        self.endpoint.handle_indication(end_by(errno));
    }

    /// The error that was found behind the peer's FIN, where the kernel may call a reset by its
    /// plain name.
    pub(super) fn handle_failure_after_fin(&mut self, errno: Errno) {
        let indication = match end_by(errno) {
            Indication::PeerReset => Indication::PeerResetAfterFin,
            other => other,
        };
        self.endpoint.handle_indication(indication);
    }
}

const fn end_by(errno: Errno) -> Indication {
    match errno {
        // EPIPE is how the kernel tells a reset that follows a FIN (winsock-semantics 9).
        Errno::PIPE => Indication::PeerResetAfterFin,
        Errno::TIMEDOUT | Errno::HOSTUNREACH | Errno::NETUNREACH => Indication::TimedOut,
        // By the kernel's SOCK_DESTROY: `ss -K`, SetTcpEntry.
        Errno::CONNABORTED => Indication::EndedFromOutside,
        _ => Indication::PeerReset,
    }
}

//! What TIME_WAIT asks of a socket: to remember its pair when it has closed first, to wait for it
//! before its handle is used again, and not to connect a pair that is held.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use linsock_iocp::NtStatus;
use linsock_iocp::afd::Indication;
use linsock_iocp::afd::address::Address;
use linsock_iocp::afd::endpoint::state::Origin;
use linsock_iocp::guardian;
use linsock_iocp::irp::Deferred;

use super::{Inner, Socket};
use crate::time_wait::{self, Ended, Pair};
use crate::transport::tcp;

impl Socket {
    /// The pair has left TIME_WAIT: the disconnect that waited until then is over, unless it was
    /// cancelled and another one waits for something else.
    fn leave_time_wait(&self, until: Instant) {
        time_wait::settle();
        let mut after = Deferred::default();
        let mut inner = self.lock();
        if inner.reusable_at == Some(until) {
            inner.reusable_at = None;
            inner.endpoint.handle_indication(Indication::Recycled);
            inner.settle(self, &mut after);
        }
        drop(inner);
        after.run();
    }
}

impl Inner {
    /// The handle can be used again: now, or when the pair of its connection can.
    pub(super) fn recycled_after(&mut self, socket: &Socket, delay: Option<Duration>) {
        let Some(delay) = delay else {
            self.endpoint.handle_indication(Indication::Recycled);
            return;
        };
        let until = Instant::now() + delay;
        self.reusable_at = Some(until);
        // A token, not a reference: a socket that is closed meanwhile leaves only this behind.
        let token = socket.token();
        guardian::call_after(delay, move || {
            if let Some(socket) = Socket::from_token(token) {
                socket.leave_time_wait(until);
            }
        });
    }

    /// The connection is over, or is from now on the kernel's affair. Gives how long its pair is
    /// held, if it is.
    pub(super) fn enter_time_wait(&self, origin: Origin) -> Option<Duration> {
        if self.iso.is_some() {
            // The handle's next connection is another one of TCP, on another port.
            return None;
        }
        let chose_port = origin == Origin::Connected && self.chosen_port().is_some();
        let ended = Ended { reason: self.endpoint.reason(), chose_port };
        time_wait::enter(ended, || self.pair_of_a_clean_end())
    }

    /// Data that nobody read makes the kernel reset instead: no TIME_WAIT follows.
    fn pair_of_a_clean_end(&self) -> Option<Pair> {
        let remote = self.peer.as_ref()?.ip()?;
        let local = tcp::local_address(self.tcp.fd()?).ok()?.ip()?;
        (self.tcp.unread() == 0).then_some(Pair { local, remote })
    }

    /// The address that the program bound, if it chose the port.
    fn chosen_port(&self) -> Option<SocketAddr> {
        self.bound.as_ref()?.ip().filter(|bound| bound.port() != 0)
    }

    /// DisconnectEx page: "While in the TIME_WAIT state, a socket pair cannot be re-used."
    ///
    /// # Errors
    /// WSAEADDRINUSE.
    pub(super) fn check_pair(&self, to: &Address) -> Result<(), NtStatus> {
        if time_wait::is_empty() {
            return Ok(());
        }
        let (Some(bound), Some(to)) = (self.chosen_port(), to.ip()) else { return Ok(()) };
        // Which of the host's addresses the connection would have, the kernel says.
        let local = if bound.ip().is_unspecified() {
            tcp::source_towards(&to).ok().map(|from| SocketAddr::new(from.ip(), bound.port()))
        } else {
            Some(bound)
        };
        match local {
            Some(local) if time_wait::holds(&Pair { local, remote: to }) => {
                Err(NtStatus::ADDRESS_ALREADY_EXISTS)
            }
            _ => Ok(()),
        }
    }

    /// A connection was accepted: if its pair was held, its peer has opened it again.
    #[inline]
    pub(super) fn note_reopened(&self) {
        if !time_wait::is_empty()
            && let (Some(fd), Some(remote)) =
                (self.tcp.fd(), self.peer.as_ref().and_then(Address::ip))
            && let Some(local) = tcp::local_address(fd).ok().as_ref().and_then(Address::ip)
        {
            time_wait::reopened(&Pair { local, remote });
        }
    }

    /// What the kernel calls an address that is not available is, for a port of the program's
    /// choice, a pair that its own record holds; for a port of the kernel's choice, that there is
    /// none left (WSAENOBUFS, connect page and KB 196271). A host without an IPv6 address gets the
    /// same error from the kernel, so for that family only the loopback is certain.
    pub(super) fn refusal_of_pair(&self, to: &Address, status: NtStatus) -> NtStatus {
        let certain = to.ip().is_some_and(|to| to.is_ipv4() || to.ip().is_loopback());
        match status {
            NtStatus::INVALID_ADDRESS if self.chosen_port().is_some() => {
                NtStatus::ADDRESS_ALREADY_EXISTS
            }
            NtStatus::INVALID_ADDRESS if certain => NtStatus::INSUFFICIENT_RESOURCES,
            other => other,
        }
    }
}

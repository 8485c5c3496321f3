//! listen.

use linsock_iocp::NtStatus;
use linsock_iocp::afd::address::Address;
use linsock_iocp::afd::endpoint::state::Verb;
use rustix::net;

use super::{Inner, Socket};
use crate::transport::status_of;

impl Socket {
    /// listen.
    ///
    /// # Errors
    /// WSAEINVAL when not bound, WSAEISCONN when connected, WSAEADDRINUSE.
    pub fn listen(&self, backlog: i32) -> Result<(), NtStatus> {
        let mut inner = self.open()?;
        self.check_listens()?;
        inner.endpoint.check(Verb::Listen)?;
        // SOMAXCONN is 0x7fffffff on Windows, and SOMAXCONN_HINT(n) is -n; the kernel caps both.
        let backlog = backlog.saturating_abs();
        inner.bind_for_requests(self, backlog)?;
        inner.begin_listening(self, backlog)
    }

    /// bind, which is not put off, and listen in one: if either is refused, neither has happened.
    ///
    /// # Errors
    /// As bind and listen.
    pub fn bind_and_listen(&self, address: Address, backlog: i32) -> Result<(), NtStatus> {
        let mut inner = self.open()?;
        self.check_listens()?;
        inner.endpoint.check(Verb::Bind)?;
        self.check_domain(&address)?;
        inner.bound = Some(address);
        inner.really_bound = false;
        if let Err(status) = inner.bind_for_requests(self, backlog) {
            inner.bound = None;
            inner.really_bound = false;
            drop(inner.tcp.detach());
            return Err(status);
        }
        inner.endpoint.bind()?;
        inner.begin_listening(self, backlog)
    }
}

impl Inner {
    /// The kernel's part of listen.
    fn bind_for_requests(&mut self, socket: &Socket, backlog: i32) -> Result<(), NtStatus> {
        self.bind_really()?;
        let carrier = self.bound.as_ref().map_or_else(|| socket.domain(), Address::carrier);
        let fd = self.ensure_fd(carrier)?;
        let backlog = if socket.provider().is_iso() { i32::MAX } else { backlog };
        net::listen(fd, backlog).map_err(status_of)
    }

    /// Our part of listen.
    fn begin_listening(&mut self, socket: &Socket, backlog: i32) -> Result<(), NtStatus> {
        self.limit_requests(backlog);
        self.endpoint.listen()?;
        self.learn_port();
        self.watch_for_requests(socket);
        self.look_for_events(socket);
        Ok(())
    }
}

//! listen.

use linsock_iocp::NtStatus;
use linsock_iocp::afd::address::Address;
use linsock_iocp::afd::endpoint::state::{Phase, Verb};
use rustix::net::{self, sockopt};

use super::{Inner, Socket};
use crate::catalog::Provider;
use crate::transport::{port, status_of, tcp};

/// What the kernel is asked for at least, for TCP. Where a backlog is full Windows refuses a
/// connection and the peer tries again; Linux answers with a cookie, says "connected", and may
/// reset it later.
const LEAST_BACKLOG: i32 = 128;

impl Socket {
    /// listen.
    ///
    /// # Errors
    /// WSAEINVAL when not bound, WSAEISCONN when connected, WSAEADDRINUSE.
    ///
    /// # Differs from Windows
    /// A small backlog is taken for a larger one, so more connections wait than were asked for.
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
        self.bind_where_shown()?;
        let carrier = self.bound.as_ref().map_or_else(|| socket.domain(), Address::carrier);
        let exclusive = self.options.is_exclusive();
        let fd = self.ensure_fd(carrier)?;
        let backlog = match socket.provider() {
            Provider::Iso(_) => i32::MAX,
            Provider::Tcp(_) => backlog.max(LEAST_BACKLOG),
            Provider::Unix | Provider::Udp(_) => backlog,
        };
        if exclusive && matches!(socket.provider(), Provider::Tcp(_)) {
            port::leave_time_wait_reusable(fd)?;
        }
        net::listen(fd, backlog).map_err(status_of)
    }

    /// A recycled handle listens where getsockname says that it is bound: the end of its connection
    /// has freed a port that the system chose, and the kernel would choose another.
    ///
    /// # Differs from Windows
    /// It does choose another where somebody else has the port by now, or this end closed first: a
    /// connection in TIME_WAIT keeps the port from being bound again.
    fn bind_where_shown(&mut self) -> Result<(), NtStatus> {
        let Some(fd) = self.tcp.fd().filter(|_| self.endpoint.phase() == Phase::BoundRecycled)
        else {
            return Ok(());
        };
        let shown = tcp::local_address(fd)?;
        if shown.ip().is_none_or(|shown| shown.port() == 0) {
            return Ok(());
        }
        sockopt::set_socket_reuseaddr(fd, true).map_err(status_of)?;
        match tcp::bind(fd, &shown) {
            // It has kept its port; or somebody else, or a record in TIME_WAIT, has it.
            Err(NtStatus::INVALID_PARAMETER | NtStatus::ADDRESS_ALREADY_EXISTS) => Ok(()),
            bound => bound,
        }
    }

    /// Our part of listen.
    fn begin_listening(&mut self, socket: &Socket, backlog: i32) -> Result<(), NtStatus> {
        self.limit_requests(backlog);
        self.endpoint.listen()?;
        self.learn_port();
        socket.gone.nudge();
        self.watch_for_requests(socket);
        self.look_for_events(socket);
        Ok(())
    }
}

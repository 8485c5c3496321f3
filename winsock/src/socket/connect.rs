//! bind, connect, ConnectEx.

use std::os::fd::BorrowedFd;

use linsock_iocp::NtStatus;
use linsock_iocp::afd::ConnectKind;
use linsock_iocp::afd::address::{Address, Domain};
use linsock_iocp::afd::endpoint::state::{Origin, Phase, Verb};
use linsock_iocp::clock;
use linsock_iocp::driver::Readiness;
use linsock_iocp::irp::{Deferred, Irp, Timing};
use rustix::net::sockopt;

use super::held::Held;
use super::operation::{Kind, Operation};
use super::{Inner, Socket};
use crate::transport::{port, status_of, tcp};

impl Socket {
    /// bind.
    ///
    /// # Errors
    /// WSAEINVAL when bound already; WSAEADDRINUSE, WSAEADDRNOTAVAIL, WSAEACCES as the transport
    /// says.
    pub fn bind(&self, address: Address) -> Result<(), NtStatus> {
        // Any address and port 0: the kernel chooses when it has to (engine: 760 ns saved). No
        // path: there is nothing to do, but ConnectEx wants a bound socket.
        let put_off = address.is_anybody();
        self.bind_with(address, put_off)
    }

    /// As [`bind`](Self::bind); a port that the kernel is to choose is chosen now, so that what
    /// keeps it from doing so is told now.
    ///
    /// # Errors
    /// As `bind`.
    pub fn bind_now(&self, address: Address) -> Result<(), NtStatus> {
        self.bind_with(address, false)
    }

    fn bind_with(&self, address: Address, put_off: bool) -> Result<(), NtStatus> {
        let mut inner = self.open()?;
        if let (true, Address::Ip(address)) = (self.is_datagram(), &address) {
            return self.bind_datagram(&mut inner, *address);
        }
        inner.endpoint.check(Verb::Bind)?;
        self.check_domain(&address)?;
        inner.bound = Some(address);
        inner.really_bound = false;
        if !put_off && let Err(status) = inner.bind_really() {
            inner.bound = None;
            return Err(status);
        }
        inner.endpoint.bind()
    }

    /// ConnectEx: always pends, and completes when the connection is made and the IRP's buffers
    /// have been sent.
    ///
    /// # Errors
    /// WSAEINVAL when not bound or listening or connecting, WSAEISCONN when connected, and what the
    /// transport refuses at once.
    pub fn connect_ex(&self, irp: Irp, to: &Address) -> Result<(), NtStatus> {
        irp.begin(&self.core);
        irp.pended(&self.core);
        let mut after = Deferred::default();
        let (mut inner, irp) = self.open_for(irp)?;
        let operation = Operation::new(irp, Kind::Connect);
        let result = inner.start_connect(self, ConnectKind::ConnectEx, Some(operation), to);
        inner.settle(self, &mut after);
        drop(inner);
        after.run();
        result
    }

    /// connect on a non-blocking socket: starts, and does not wait.
    ///
    /// # Errors
    /// WSAEWOULDBLOCK when it was started, which is the normal result; else as
    /// [`Self::connect_ex`].
    pub fn connect_nonblocking(&self, to: &Address) -> Result<(), NtStatus> {
        // connect page: asked again and again, it tells how the attempt ended.
        let was_connecting = self.phase() == Phase::Connecting;
        drop(self.lock_settled());
        let mut inner = self.open()?;
        if was_connecting && let Some(status) = inner.connect_error.take() {
            return Err(status);
        }
        inner.start_connect(self, ConnectKind::Connect, None, to)?;
        Err(NtStatus::DEVICE_NOT_READY)
    }

    /// Starts a connect that `irp` waits for, and that then sends the IRP's buffers. Unlike
    /// ConnectEx it needs no bind before and no context update behind.
    ///
    /// # Errors
    /// As [`Self::connect_ex`].
    pub fn connect_pending(&self, irp: Irp, to: &Address) -> Result<(), NtStatus> {
        irp.pended(&self.core);
        let (mut inner, irp) = self.open_for(irp)?;
        let operation = Operation::new(irp, Kind::Connect);
        inner.start_connect(self, ConnectKind::Connect, Some(operation), to)
    }

    /// The lock, for a call that may find a connection still being made and has to know whether it
    /// is by now.
    pub(super) fn lock_settled(&self) -> Held<'_> {
        let mut inner = self.lock();
        if inner.endpoint.phase() != Phase::Connecting {
            return inner;
        }
        let mut after = Deferred::default();
        inner.finish_connect(self, &mut after);
        drop(inner);
        after.run();
        self.lock()
    }

    /// An address of another domain is refused before anything is done.
    pub(super) fn check_domain(&self, address: &Address) -> Result<(), NtStatus> {
        let same = address.domain() == self.domain();
        same.then_some(()).ok_or(NtStatus::from_wsa(10047))
    }

    /// SO_UPDATE_CONNECT_CONTEXT.
    ///
    /// # Errors
    /// WSAENOTCONN; WSAEINVAL on an accepted socket.
    pub fn update_connect_context(&self) -> Result<(), NtStatus> {
        self.lock().endpoint.update_context(Origin::Connected)
    }
}

impl Inner {
    /// The descriptor, made now if there is none.
    pub(super) fn ensure_fd(&mut self, domain: Domain) -> Result<BorrowedFd<'_>, NtStatus> {
        if self.tcp.fd().is_none() {
            let fd = tcp::create(domain)?;
            if self.iso.is_some() {
                // RFC 2126: a message must not wait for the acknowledgement of another. What is
                // accepted has it from its listener.
                sockopt::set_tcp_nodelay(&fd, true).map_err(status_of)?;
            }
            self.options.apply_all(&fd)?;
            self.tcp.attach(fd);
            self.really_bound = false;
        }
        self.tcp.fd().ok_or(NtStatus::INSUFFICIENT_RESOURCES)
    }

    /// Binds the descriptor to what the program asked for, if that is still to be done.
    pub(super) fn bind_really(&mut self) -> Result<(), NtStatus> {
        let Some(address) = self.bound.clone() else {
            return Ok(());
        };
        if self.really_bound && self.tcp.fd().is_some() {
            return Ok(());
        }
        let exclusive = self.options.is_exclusive();
        let recycled = matches!(self.endpoint.phase(), Phase::BoundRecycled);
        let fd = self.ensure_fd(address.carrier())?;
        let chosen_port = address.ip().is_some_and(|address| address.port() != 0);
        if chosen_port && (!exclusive || recycled) {
            // Windows lets a port be bound again while old connections of it are in TIME_WAIT.
            sockopt::set_socket_reuseaddr(fd, true).map_err(status_of)?;
        }
        match tcp::bind(fd, &address) {
            Err(NtStatus::ADDRESS_ALREADY_EXISTS) if chosen_port && exclusive => {
                port::bind_behind_time_wait(fd, &address)?;
            }
            bound => bound?,
        }
        self.really_bound = true;
        Ok(())
    }

    fn start_connect(
        &mut self,
        socket: &Socket,
        kind: ConnectKind,
        operation: Option<Operation>,
        to: &Address,
    ) -> Result<(), NtStatus> {
        self.connect_error = None;
        let attended = operation.as_ref().is_none_or(|operation| operation.irp.is_attended());
        if let Err(status) = socket.check_domain(to) {
            if let Some(mut operation) = operation {
                operation.irp.refuse(status);
            }
            return Err(status);
        }
        if let Err(refused) = self.endpoint.connect(kind, operation) {
            if let Some(mut operation) = refused.irp {
                operation.irp.refuse(refused.status);
            }
            return Err(refused.status);
        }
        if let Err(status) = self.try_connect(to) {
            self.endpoint.take_back_connect(status);
            while let Some(mut completion) = self.endpoint.poll_completion() {
                completion.irp.irp.refuse(status);
            }
            self.tell_refused_connect(to, status);
            return Err(status);
        }
        self.peer = Some(to.clone());
        self.forget_events();
        if !attended || self.is_observed() {
            self.watch_room(socket);
        }
        socket.gone.nudge();
        Ok(())
    }

    fn try_connect(&mut self, to: &Address) -> Result<(), NtStatus> {
        // connect page, ConnectEx page: "such as ADDR_ANY". The kernel would take it for loopback.
        if !to.is_somebody() {
            return Err(NtStatus::from_wsa(10049));
        }
        let needs_bind = self.bound.as_ref().is_some_and(|at| !at.is_anybody());
        if needs_bind {
            self.bind_really()?;
            self.check_pair(to)?;
        }
        self.tcp.renew();
        self.ensure_fd(to.carrier())?;
        self.tcp.begin_connect();
        let fd = self.ensure_fd(to.carrier())?;
        tcp::connect(fd, to).map_err(|status| self.refusal_of_pair(to, status))
    }

    /// The driver has reported something while a connection is being made.
    pub(super) fn progress_connect(
        &mut self,
        socket: &Socket,
        readiness: Readiness,
        after: &mut Deferred,
    ) {
        let Some(fd) = self.tcp.fd() else { return };
        // Room to send and no error: connected, without asking; unless the report is about the
        // descriptor's former connection.
        let told = self.tcp.is_connected_by(readiness);
        let carried = if told { Ok(true) } else { tcp::connect_result(fd) };
        let result = match carried {
            Ok(true) if self.iso.is_some() => {
                self.tcp.note(readiness);
                self.watch_edges(socket);
                self.ask_for_link(socket)
            }
            other => other,
        };
        match result {
            Ok(false) => {}
            Ok(true) => {
                self.connected_at = Some(clock::coarse());
                self.indicate_connect(NtStatus::SUCCESS);
                if let Some(mut operation) = self.endpoint.handle_connected() {
                    if operation.irp.buffers.remaining() == 0 {
                        operation.complete(socket, Timing::Pended, NtStatus::SUCCESS, 0, after);
                    } else {
                        self.endpoint.queue_send(operation);
                        self.progress_sends(socket, after);
                    }
                }
            }
            Err(status) => self.fail_connect(socket, status),
        }
    }

    pub(super) fn fail_connect(&mut self, socket: &Socket, status: NtStatus) {
        self.connect_error = Some(status);
        // The kernel answers the next connect on this descriptor with ECONNABORTED. The
        // socket is still bound, to the port that the program may have been shown.
        if self.really_bound
            && let Some(fd) = self.tcp.fd()
            && let Ok(address) = tcp::local_address(fd)
        {
            let address = self.named(address, true);
            self.bound = Some(address);
        }
        self.forget_link();
        self.tcp.detach();
        self.really_bound = false;
        self.endpoint.handle_connect_failed(status);
        // Bound now, to the port that the next attempt or the next who asks will choose.
        self.bound.get_or_insert_with(|| socket.domain().unspecified());
        self.indicate_connect(status);
    }

    /// For calls that find a connection still being made: true if it is made by now. A non-blocking
    /// connect is watched by select, which asks the kernel, not us.
    pub(super) fn finish_connect(&mut self, socket: &Socket, after: &mut Deferred) -> bool {
        if self.endpoint.phase() != Phase::Connecting {
            return false;
        }
        self.progress_connect(socket, Readiness::UNKNOWN, after);
        self.is_connected()
    }
}

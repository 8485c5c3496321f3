//! How connections end: shutdown, DisconnectEx, and the provider's part of both.

use std::fmt;
use std::time::Instant;

use linsock_iocp::NtStatus;
use linsock_iocp::afd::address::Domain;
use linsock_iocp::afd::endpoint::state::{Origin, Phase};
use linsock_iocp::afd::{DisconnectMode, Indication, Receive, Shutdown};
use linsock_iocp::guardian;
use linsock_iocp::irp::{Deferred, Irp};
use rustix::net;

use super::operation::{Kind, Operation};
use super::trace::Hard;
use super::{Inner, Socket};
use crate::settings;
use crate::transport::last_words::{self, Owed};
use crate::transport::tcp::{self, Next};

/// The wait for the peer's FIN in a disconnect with reuse.
#[derive(Debug, Default)]
pub(super) struct FinWait {
    /// When it began; `None` when no FIN is awaited.
    since: Option<Instant>,
    /// A timer of the guardian is on its way: one per socket, however often it is reused.
    armed: bool,
}

impl FinWait {
    pub(super) const fn is_awaited(&self) -> bool {
        self.since.is_some()
    }
}

/// What a disconnect waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// The peer's FIN, and everything before it.
    Fin,
    /// That the peer's host acknowledges everything.
    Delivery,
    /// That the pair may be used again.
    TimeWait,
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fin => "the peer's FIN",
            Self::Delivery => "the peer's acknowledgement",
            Self::TimeWait => "the end of TIME_WAIT",
        })
    }
}

impl Socket {
    /// shutdown.
    ///
    /// # Errors
    /// WSAENOTCONN.
    pub fn shutdown(&self, how: Shutdown) -> Result<(), NtStatus> {
        let mut after = Deferred::default();
        let mut inner = self.open()?;
        inner.finish_connect(self, &mut after);
        let result = match inner.shutdown_datagrams(how) {
            Some(done) => done,
            None => inner.endpoint.shutdown(how),
        };
        inner.settle(self, &mut after);
        drop(inner);
        after.run();
        result
    }

    /// WSASendDisconnect: shutdown(SD_SEND) and disconnect data, where the provider has it. Never
    /// blocks, whatever SO_LINGER says.
    ///
    /// # Errors
    /// WSAENOPROTOOPT for data on a provider that has none, whatever the state; WSAEFAULT for more
    /// than 64 octets; nothing is sent then. WSAENOTCONN.
    pub fn send_disconnect(&self, data: Option<&[u8]>) -> Result<(), NtStatus> {
        let Some(data) = data else { return self.shutdown(Shutdown::Send) };
        if !self.provider().has_disconnect_data() {
            return Err(NtStatus::OPTION_NOT_SUPPORTED);
        }
        let former = self.with_user_data(|own| {
            let former = own.disconnect.clone();
            own.set_disconnect(data).map(|()| former)
        })??;
        self.shutdown(Shutdown::Send).inspect_err(|_| {
            let _ = self.with_user_data(|own| own.disconnect = former);
        })
    }

    /// WSARecvDisconnect: shutdown(SD_RECEIVE) and the disconnect data that came, which is none on
    /// TCP. Never blocks. The data stays: another call gives it again.
    ///
    /// # Errors
    /// WSAENOTCONN.
    pub fn recv_disconnect(&self) -> Result<Vec<u8>, NtStatus> {
        self.shutdown(Shutdown::Receive)?;
        if !self.provider().is_iso() {
            return Ok(Vec::new());
        }
        self.with_user_data(|own| own.peer_disconnect.clone().unwrap_or_default())
    }

    /// DisconnectEx with an OVERLAPPED: always pends when it is admitted, even when it is over at
    /// once, and so always queues its packet (`test_DisconnectEx`,
    /// `test_shutdown_completion_port`).
    ///
    /// # Errors
    /// WSAENOTCONN.
    pub fn disconnect(&self, irp: Irp, mode: DisconnectMode) -> Result<(), NtStatus> {
        self.disconnect_with(irp, mode, |_| {})
    }

    /// As [`disconnect`](Self::disconnect); `admitted` is called under the lock once it is.
    pub(super) fn disconnect_with(
        &self,
        irp: Irp,
        mode: DisconnectMode,
        admitted: impl FnOnce(&mut Inner),
    ) -> Result<(), NtStatus> {
        irp.begin(&self.core);
        irp.pended(&self.core);
        let mut after = Deferred::default();
        let (mut inner, irp) = self.open_for(irp)?;
        inner.finish_connect(self, &mut after);
        let operation = Operation::new(irp, Kind::Disconnect);
        let result = inner.endpoint.disconnect(mode, operation).map_err(|refused| {
            if let Some(mut operation) = refused.irp {
                operation.irp.refuse(refused.status);
            }
            refused.status
        });
        if result.is_ok() {
            admitted(&mut inner);
        }
        inner.settle(self, &mut after);
        drop(inner);
        after.run();
        result
    }

    /// Ends the connection abortively, as a close with SO_LINGER 0 would, and closes the handle.
    ///
    /// # Errors
    /// WSAENOTSOCK when the handle is closed already.
    pub fn abort(&self) -> Result<(), NtStatus> {
        {
            let mut inner = self.lock();
            inner.options.set_linger(Some(0));
            inner.note_hard_close(|| Some(Hard::Requested));
            if let Some(fd) = inner.tcp.fd() {
                tcp::arm_reset(fd);
            }
        }
        self.close_handle()
    }

    fn check_fin_wait(&self) {
        let delay = settings::fin_wait2_delay();
        let mut after = Deferred::default();
        let mut inner = self.lock();
        inner.fin_wait.armed = false;
        if let Some(since) = inner.fin_wait.since {
            if since.elapsed() >= delay {
                inner.see_the_end();
                inner.endpoint.handle_indication(Indication::FinWaitExpired);
            } else {
                inner.arm_fin_wait(self);
            }
        }
        inner.settle(self, &mut after);
        drop(inner);
        after.run();
    }
}

impl Inner {
    /// What a disconnect that is under way waits for.
    pub(super) fn awaited(&self) -> Option<Awaited> {
        let waits = [
            (self.reusable_at.is_some(), Awaited::TimeWait),
            (self.awaits_delivery, Awaited::Delivery),
            (self.fin_wait.is_awaited(), Awaited::Fin),
        ];
        let wait = waits.into_iter().find_map(|(holds, wait)| holds.then_some(wait));
        wait.filter(|_| self.endpoint.phase() == Phase::Disconnecting)
    }
    pub(super) fn send_fin(&mut self, socket: &Socket) {
        self.see_who_closes_first();
        match self.iso {
            Some(_) => self.release_link(socket),
            None => self.tcp.send_fin(),
        }
        self.endpoint.handle_indication(Indication::FinSent);
    }

    /// The peer's FIN may be here though no receive has told of it, which only who wants to know
    /// asks the kernel for.
    fn see_who_closes_first(&mut self) {
        let is_wanted = self.ending.is_some() || self.trace.is_some();
        if is_wanted && self.endpoint.recv() == Ok(Receive::Now) && self.peek() == Next::Fin {
            self.endpoint.handle_indication(Indication::PeerFin);
        }
    }

    pub(super) fn await_fin(&mut self, socket: &Socket) {
        self.fin_wait.since = Some(Instant::now());
        if !self.fin_wait.armed {
            self.arm_fin_wait(socket);
        }
        self.watch_for_the_end(socket);
        self.look_ahead();
    }

    /// Over the loopback the peer's host has nearly always acknowledged already. Otherwise the
    /// kernel reports when it has. An acknowledgement in between is not missed: where the
    /// descriptor is watched for room already it is an edge, which waits for this lock, and being
    /// watched anew begins with a report.
    pub(super) fn await_delivery(&mut self, socket: &Socket) {
        self.awaits_delivery = true;
        self.note_delivery();
        if !self.awaits_delivery {
            return;
        }
        if let Some(association) = socket.core.association() {
            association.port.note_pending();
        }
        self.watch_room(socket);
    }

    /// Tells the endpoint once the peer's host has acknowledged everything.
    #[inline]
    pub(super) fn note_delivery(&mut self) {
        if !self.awaits_delivery || !self.tcp.is_flushed() {
            return;
        }
        self.awaits_delivery = false;
        let failed = self.tcp.was_fin_refused();
        match failed.then(|| self.tcp.take_error()).flatten() {
            Some(errno) => self.handle_failure(errno),
            None => self.endpoint.handle_indication(Indication::Delivered),
        }
    }

    /// Watches for what no pending operation of the program waits for.
    fn watch_for_the_end(&mut self, socket: &Socket) {
        if let Some(association) = socket.core.association() {
            association.port.note_pending();
        }
        self.watch_edges(socket);
    }

    fn arm_fin_wait(&mut self, socket: &Socket) {
        self.fin_wait.armed = true;
        let elapsed = self.fin_wait.since.map_or_else(Default::default, |since| since.elapsed());
        let left = settings::fin_wait2_delay().saturating_sub(elapsed);
        // A token, not a reference: a socket that is closed meanwhile leaves only this behind.
        let token = socket.token();
        guardian::call_after(left, move || {
            if let Some(socket) = Socket::from_token(token) {
                socket.check_fin_wait();
            }
        });
    }

    pub(super) fn refuse_data(&mut self, socket: &Socket) {
        self.watch_for_the_end(socket);
        self.look_ahead();
    }

    /// Resets the connection by closing its descriptor.
    pub(super) fn abort(&mut self, socket: &Socket) {
        self.fin_wait.since = None;
        self.awaits_delivery = false;
        self.see_the_end();
        let said = self.abort_link();
        if let Some(fd) = self.tcp.fd()
            && !said
        {
            tcp::arm_reset(fd);
            if self.is_elsewhere() {
                // Closing one of several descriptors resets nothing, and this does.
                let _ = net::connect_unspec(fd);
            }
        }
        self.detach(socket);
        self.really_bound = false;
        self.end_polls(socket);
    }

    /// Who polls the socket polls a connection that is over.
    fn end_polls(&mut self, socket: &Socket) {
        self.ended = self.ended.wrapping_add(1);
        socket.gone.nudge();
    }

    /// Makes the handle ready for another connection.
    ///
    /// An accepted handle lets go of its descriptor: closing it sends the FIN, if that is still
    /// due, and the kernel finishes the old connection alone. A connecting handle keeps its
    /// descriptor, its place in the driver and its explicit port, by dissolving the old
    /// association; but only when the peer has acknowledged everything, because dissolving drops
    /// what is unacknowledged. Otherwise it too gets a new descriptor at its next connect.
    ///
    /// Where the pair of the connection has to leave TIME_WAIT first, the disconnect completes
    /// then.
    pub(super) fn recycle(&mut self, socket: &Socket, origin: Origin) {
        self.fin_wait.since = None;
        let held = self.enter_time_wait(origin);
        if self.ending.is_some() {
            // The report tells what became of the connection after our FIN.
            self.tcp.send_fin();
        }
        self.see_the_end();
        self.peer = None;
        self.connected_at = None;
        self.forget_events();
        let owed = self.forget_link();
        let dissolved = origin == Origin::Connected && self.iso.is_none() && self.dissolve();
        if !dissolved {
            self.let_go(socket, owed);
        }
        match (origin, socket.domain()) {
            (Origin::Accepted, _) => self.bound = None,
            // The file of the path is there still, so the path cannot be bound again.
            (Origin::Connected, Domain::Unix) => self.bound = Some(Domain::Unix.unspecified()),
            (Origin::Connected, Domain::Ip(_) | Domain::Iso) => {}
        }
        self.recycled_after(socket, held);
        self.end_polls(socket);
    }

    /// Keeps the descriptor for the next connection. False when it cannot be kept.
    fn dissolve(&mut self) -> bool {
        self.tcp.send_fin();
        let dissolved = |fd| net::connect_unspec(fd).is_ok();
        if self.is_elsewhere() || !self.tcp.is_flushed() || !self.tcp.fd().is_some_and(dissolved) {
            return false;
        }
        self.tcp.renew();
        true
    }

    /// Closes the descriptor gracefully, whatever SO_LINGER says: a disconnect is no abort.
    fn let_go(&mut self, socket: &Socket, owed: Option<Vec<u8>>) {
        if self.is_elsewhere() {
            // Closing one of several descriptors sends no FIN.
            self.tcp.send_fin();
        }
        if self.options.linger().is_some()
            && let Some(fd) = self.tcp.fd()
        {
            let _ = net::sockopt::set_socket_linger(fd, None);
        }
        if let (Some(fd), Some(owed)) = (self.detach(socket), owed) {
            last_words::drain_in_background(fd, Owed { data: owed, fin: false });
        }
        self.really_bound = false;
    }
}

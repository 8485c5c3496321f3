//! closesocket: how the handle goes, and what of the connection outlives it.

use std::sync::Weak;
use std::time::Duration;

use linsock_iocp::NtStatus;
use linsock_iocp::afd::endpoint::state::{Phase, SendHalf};
use linsock_iocp::afd::{CloseMode, RareQueue};
use linsock_iocp::clock::Deadline;
use linsock_iocp::file::File;
use linsock_iocp::handle::Handle;
use linsock_iocp::irp::{Deferred, Timing};

use super::handles::Left;
use super::operation::{Kind, Operation};
use super::trace::Hard;
use super::{Inner, Socket, recent};
use crate::transport::last_words::{self, Owed};
use crate::transport::tcp::{self, Detached};

impl Socket {
    /// closesocket: takes the handle away and ends the socket's affairs.
    ///
    /// Blocks only with SO_LINGER on, a linger time above 0 and data unsent, on a blocking socket.
    ///
    /// # Errors
    /// WSAENOTSOCK; WSAEWOULDBLOCK (handle still valid) when a non-blocking socket would have to
    /// linger (closesocket page).
    pub fn close_handle(&self) -> Result<(), NtStatus> {
        self.close_one(self.handle())
    }

    /// closesocket by one of the socket's handles: the last one ends the socket's affairs.
    ///
    /// # Errors
    /// As [`close_handle`](Self::close_handle).
    pub fn close_one(&self, handle: Handle) -> Result<(), NtStatus> {
        if self.is_nonblocking() && self.would_linger() {
            return Err(NtStatus::DEVICE_NOT_READY);
        }
        if self.release(handle) { Ok(()) } else { Err(NtStatus::INVALID_HANDLE) }
    }

    /// Takes a handle away, and with the last one ends the socket's affairs. False if it is none,
    /// or closed already.
    pub(super) fn release(&self, handle: Handle) -> bool {
        let left = self.lock().drop_handle(self.core(), handle);
        match left {
            Left::Stale => false,
            Left::Others => true,
            Left::Nothing => {
                recent::forget(self);
                self.close();
                true
            }
        }
    }

    fn would_linger(&self) -> bool {
        let mut inner = self.lock();
        let lingers = inner.options.linger().is_some_and(|seconds| seconds > 0);
        lingers
            && !inner.has_other_handles()
            && !inner.is_elsewhere()
            && (inner.endpoint.has_sends() || inner.is_connected() && inner.owes_peer())
    }

    /// The handle is gone: completes everything pending and lets go of the transport.
    ///
    /// A transmission that pends makes it a hard close: what is left of files may be longer than
    /// any memory, and the peer must not take a part for the whole.
    pub(super) fn end(&self) {
        let mut after = Deferred::default();
        let mut inner = self.lock();
        if inner.closed {
            return;
        }
        let listener = inner.accepting_for.and_then(Self::from_token);
        let receivers = inner.first_receivers();
        let listened = inner.endpoint.phase() == Phase::Listening;
        let listening = inner.listening.take();
        let cut = inner.endpoint.sends().any(|send| matches!(send.kind, Kind::Transmit(_)));
        let lingers = if cut { Some(Duration::ZERO) } else { inner.linger_time() };
        let abort = lingers == Some(Duration::ZERO);
        let mode = if abort { CloseMode::Abort } else { CloseMode::Graceful };
        let elsewhere = inner.is_elsewhere();
        let origin = inner.endpoint.state().link().map(|link| link.origin);
        let owes_fin = inner.owes_fin();
        inner.see_the_end();
        inner.note_hard_close(|| match lingers {
            _ if cut => Some(Hard::Transmission),
            Some(Duration::ZERO) => Some(Hard::Linger),
            _ => None,
        });
        inner.note_left(elsewhere);
        let sends = inner.endpoint.close(mode);
        let owed = inner.take_over(self, sends, &mut after);
        inner.cancel_datagrams(self, &|_| true, &mut after);
        inner.settle(self, &mut after);
        inner.close_link(self, abort);
        inner.closed = true;
        let observers = inner.take_observers();
        if let Some(origin) = origin.filter(|_| !elsewhere) {
            inner.enter_time_wait(origin);
        }
        let embryos = inner.take_embryos();
        let remnant = if abort { None } else { inner.leave_remnant(self) };
        let owed = owed.or_else(|| inner.owed_by_link());
        if cut && let Some(fd) = inner.tcp.fd() {
            tcp::arm_reset(fd);
        }
        let fd = inner.detach(self);
        drop(inner);
        observers.tell_closed(&mut after);
        if let Some(fd) = fd.as_ref().filter(|_| listened && !elsewhere) {
            fd.stop_listening();
        }
        // Connections that no accept took: their descriptors close with no lock held.
        drop(listening);
        for embryo in embryos.iter().filter_map(Weak::upgrade) {
            let _ = embryo.close_handle();
        }
        self.gone.set();
        // Those who wait are woken before the descriptor closes, which with SO_LINGER may block.
        after.run();
        if let Some(remnant) = remnant {
            remnant.outlive_handle(lingers.filter(|_| !self.is_nonblocking()));
        }
        if let Some(fd) = fd {
            let owed = Owed { data: owed.unwrap_or_default(), fin: owes_fin };
            if !close_descriptor(fd, owed, lingers, !(elsewhere && self.is_nonblocking())) {
                self.lock().tell_linger_in_vain();
            }
        }
        let mut after = Deferred::default();
        self.release_accept(listener.as_deref(), &mut after);
        self.cancel_first_receives(&receivers, &|_| true, &mut after);
        after.run();
    }
}

/// Closes a descriptor whose peer is owed something; `linger` is the time of SO_LINGER, and without
/// it the kernel may know one, of a socket that somebody else has too: then it `waits` or not.
/// False when it was over before the peer had everything.
fn close_descriptor(fd: Detached, owed: Owed, linger: Option<Duration>, waits: bool) -> bool {
    match linger {
        Some(Duration::ZERO) => drop(fd),
        Some(time) => return last_words::linger(fd, &owed.data, Deadline::after(time)),
        None if !owed.data.is_empty() => last_words::drain_in_background(fd, owed),
        None if waits => drop(fd),
        None => last_words::close_without_a_wait(fd),
    }
    true
}

impl Inner {
    /// Whether a FIN is due behind sends that closing does not send: others have the socket too.
    fn owes_fin(&self) -> bool {
        let link = self.endpoint.state().link();
        self.is_elsewhere() && link.is_some_and(|link| link.send == SendHalf::Closing)
    }

    /// How long closing waits for the peer, and resets then; `None`: it does neither. Whoever has
    /// the socket too may lose nothing of what is under way.
    fn linger_time(&self) -> Option<Duration> {
        let seconds = self.options.linger().filter(|_| !self.is_elsewhere());
        seconds.map(|seconds| Duration::from_secs(seconds.into()))
    }

    /// Copies the data of sends that the caller's memory will not outlive, and completes them: they
    /// were accepted, so they are delivered.
    fn take_over(
        &mut self,
        socket: &Socket,
        sends: RareQueue<Operation>,
        after: &mut Deferred,
    ) -> Option<Vec<u8>> {
        let mut owed = None;
        for mut operation in sends {
            let (status, bytes) = match operation.irp.buffers.copy_rest() {
                Some(rest) if self.queue_last_words(&rest) => {
                    (NtStatus::SUCCESS, operation.irp.buffers.len())
                }
                Some(rest) => {
                    owed.get_or_insert_with(Vec::new).extend(rest);
                    (NtStatus::SUCCESS, operation.irp.buffers.len())
                }
                None => (NtStatus::ACCESS_VIOLATION, 0),
            };
            operation.complete(socket, Timing::Pended, status, bytes, after);
        }
        owed
    }
}

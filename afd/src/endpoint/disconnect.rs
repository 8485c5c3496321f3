//! How connections end: shutdown, disconnect, close, cancel, and the indications of the end.

use alloc::boxed::Box;
use core::mem;

use super::connect::Refused;
use super::state::{
    Bound, Closed, Connected, Disconnecting, Link, Open, Origin, Past, RecvHalf, SendHalf, State,
    Then, Verb,
};
use super::{Endpoint, Indication, NtStatus, Request};
use crate::queue::RareQueue;
use crate::reason::{AbortCause, CloseReason};

/// What `shutdown` closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shutdown {
    /// SD_RECEIVE.
    Receive,
    /// SD_SEND.
    Send,
    /// SD_BOTH.
    Both,
}

/// What `DisconnectEx` is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DisconnectMode {
    /// Flags 0: close the sending half; receiving goes on; the peer is not waited for.
    HalfClose,
    /// WskDisconnect: close the sending half, and wait until the peer's host has acknowledged
    /// everything, the FIN included; receiving goes on.
    Delivered,
    /// Close the sending half and wait for the peer's end: the whole connection, gracefully.
    /// Winsock has no such call; the safe API does.
    Graceful,
    /// TF_REUSE_SOCKET: end the connection and recycle the handle.
    Reuse,
}

/// A disconnect of the sending half in progress.
#[derive(Debug)]
pub(super) struct HalfClose<I> {
    irp: Box<I>,
    /// It waits for the peer's acknowledgement too.
    until_delivered: bool,
}

impl DisconnectMode {
    const fn is_half(self) -> bool {
        matches!(self, Self::HalfClose | Self::Delivered)
    }
}

/// How `closesocket` treats what was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseMode {
    /// Deliver it, then FIN.
    Graceful,
    /// Drop it and reset.
    Abort,
}

impl<I> Endpoint<I> {
    /// shutdown: idempotent, never blocks, queues no packet.
    ///
    /// # Errors
    /// WSAENOTCONN when not connected, listening, or the context was not updated.
    pub fn shutdown(&mut self, how: Shutdown) -> Result<(), NtStatus> {
        self.check(Verb::Shutdown)?;
        if matches!(how, Shutdown::Receive | Shutdown::Both) {
            self.shut_recv();
        }
        if matches!(how, Shutdown::Send | Shutdown::Both) {
            self.close_send();
        }
        Ok(())
    }

    /// DisconnectEx.
    ///
    /// # Errors
    /// WSAENOTCONN when not connected; when the transmit side is closing or closed already and no
    /// reuse is asked for (DisconnectEx page); when another disconnect is pending that ends later
    /// than its FIN. The IRP comes back untouched.
    pub fn disconnect(&mut self, mode: DisconnectMode, irp: I) -> Result<(), Refused<I>> {
        let link = match &self.state {
            State::Connected(Connected { link })
                if link.send == SendHalf::Open || !mode.is_half() && !self.awaits_delivery() =>
            {
                *link
            }
            _ => return Err(Refused { irp: Some(irp), status: NtStatus::INVALID_CONNECTION }),
        };
        match mode {
            DisconnectMode::HalfClose | DisconnectMode::Delivered => {
                let until_delivered = mode == DisconnectMode::Delivered;
                self.half_close = Some(HalfClose { irp: Box::new(irp), until_delivered });
                self.close_send();
            }
            DisconnectMode::Graceful => self.disconnect_both(link, Box::new(irp), Then::Stay),
            DisconnectMode::Reuse => self.disconnect_both(link, Box::new(irp), Then::Recycle),
        }
        Ok(())
    }

    fn awaits_delivery(&self) -> bool {
        self.half_close.as_ref().is_some_and(|half_close| half_close.until_delivered)
    }

    /// Completes the disconnect of the sending half, if there is one.
    fn end_half_close(&mut self, status: NtStatus) {
        if let Some(half_close) = self.half_close.take() {
            self.complete(half_close.irp, status);
        }
    }

    fn disconnect_both(&mut self, link: Link, irp: Box<I>, then: Then) {
        let recycling = false;
        self.state = State::Disconnecting(Disconnecting { link, irp, then, recycling });
        // With the peer's FIN here and nothing queued, recycling sends our FIN by itself.
        if then == Then::Recycle && self.finish_if_over() {
            return;
        }
        self.close_send();
        if !self.finish_if_over() {
            self.await_fin_if_due();
        }
    }

    /// Resets the connection: everything that is pending fails and nothing more is transferred.
    ///
    /// # Errors
    /// WSAENOTCONN when there is no connection to reset, or the handle is being recycled.
    pub fn abort(&mut self, cause: AbortCause) -> Result<(), NtStatus> {
        match &self.state {
            State::Connected(_) | State::Disconnecting(Disconnecting { recycling: false, .. }) => {
                self.fail(CloseReason::LocalAbort(cause));
                self.requests.push_back(Request::Abort);
                Ok(())
            }
            _ => Err(NtStatus::INVALID_CONNECTION),
        }
    }

    /// closesocket: completes everything that is pending and leaves the endpoint empty (I3).
    ///
    /// Gives back, in order, the sends that a graceful close still owes the peer: the provider
    /// takes over their data and completes them ("overlapped send still buffered: data still goes
    /// out", `test_send_buffering`). A pending receive of a connection completes with
    /// STATUS_CONNECTION_ABORTED (`test_iocp`), everything else with STATUS_CANCELLED
    /// (`test_AcceptEx`).
    pub fn close(&mut self, mode: CloseMode) -> RareQueue<I> {
        self.end_receives(NtStatus::CONNECTION_ABORTED);
        self.end_half_close(NtStatus::CANCELLED);
        let connected = match &self.state {
            State::Accepting(accepting) => accepting.first_receive.is_some(),
            state => state.link().is_some(),
        };
        self.end_state();
        self.requests.clear();
        let sends = mem::take(&mut self.sends);
        if connected {
            self.reason.get_or_insert(match mode {
                CloseMode::Graceful => CloseReason::LocalGraceful,
                CloseMode::Abort => CloseReason::LocalAbort(AbortCause::LingerZero),
            });
        }
        match mode {
            CloseMode::Graceful => sends,
            CloseMode::Abort => {
                self.complete_all(sends, NtStatus::CONNECTION_ABORTED);
                RareQueue::new()
            }
        }
    }

    /// Leaves the state, with what waits in it completed.
    fn end_state(&mut self) {
        let new = State::Open(Open { past: Past::New });
        // Nothing waits in these, in which nearly every socket is closed: nothing is moved.
        if matches!(&self.state, State::Connected(_) | State::Closed(_)) {
            self.state = new;
            return;
        }
        match mem::replace(&mut self.state, new) {
            State::Listening(listening) => {
                self.complete_all(listening.accepts, NtStatus::CANCELLED);
            }
            State::Accepting(accepting) => {
                self.complete_all(accepting.first_receive, NtStatus::CANCELLED);
            }
            State::Connecting(connecting) => {
                self.reason = Some(CloseReason::LocalAbort(AbortCause::ConnectAbandoned));
                self.complete_all(connecting.irp, NtStatus::CANCELLED);
            }
            State::Disconnecting(disconnecting) => {
                self.complete(disconnecting.irp, NtStatus::CANCELLED);
            }
            State::Open(_) | State::Bound(_) | State::Connected(_) | State::Closed(_) => {}
        }
    }

    /// Completes with STATUS_CANCELLED every pending operation that `chosen` picks; returns how
    /// many there were.
    ///
    /// A cancelled ConnectEx leaves the endpoint as before it; a cancelled disconnect with reuse
    /// leaves it connected with the sending half closed: the FIN cannot be called back. If both
    /// directions are over and only TIME_WAIT is waited for, the handle is recycled.
    pub fn cancel(&mut self, mut chosen: impl FnMut(&I) -> bool) -> usize {
        let before = self.completions.len();
        let receives = split_off(&mut self.receives, &mut chosen);
        let sends = split_off(&mut self.sends, &mut chosen);
        // What goes behind the last receive or send is due now, but only if there was one: without
        // any it has been asked for already.
        if !receives.is_empty() {
            self.refuse_data_if_due();
        }
        if !sends.is_empty() {
            self.request_fin_if_due();
        }
        self.complete_all(receives, NtStatus::CANCELLED);
        self.complete_all(sends, NtStatus::CANCELLED);
        if self.half_close.as_ref().is_some_and(|half_close| chosen(&half_close.irp)) {
            self.end_half_close(NtStatus::CANCELLED);
        }
        self.cancel_in_state(&mut chosen);
        self.completions.len() - before
    }

    /// What the provider saw of the connection's end.
    pub fn handle_indication(&mut self, indication: Indication) {
        match indication {
            Indication::FinSent => self.handle_fin_sent(),
            Indication::Delivered => self.handle_delivered(),
            Indication::PeerFin => self.handle_peer_fin(),
            Indication::PeerReset => self.fail(CloseReason::PeerReset),
            Indication::PeerResetAfterFin => self.fail(CloseReason::PeerResetAfterFin),
            Indication::TimedOut => self.fail(CloseReason::Timeout),
            Indication::EndedFromOutside => {
                self.fail(CloseReason::LocalAbort(AbortCause::FromOutside));
            }
            Indication::FinWaitExpired => self.handle_fin_wait_expired(),
            Indication::DataRefused => self.handle_data_refused(),
            Indication::Recycled => self.handle_recycled(),
            Indication::SendClosedElsewhere => self.handle_send_closed(),
        }
    }

    fn shut_recv(&mut self) {
        let Some(link) = self.link_mut() else { return };
        let before = link.recv;
        link.recv = match before {
            RecvHalf::Open => RecvHalf::Shut { peer_ended: false },
            RecvHalf::Ended => RecvHalf::Shut { peer_ended: true },
            shut @ RecvHalf::Shut { .. } => shut,
        };
        // A pending receive survives and takes the data that comes (test_shutdown).
        if before == RecvHalf::Open && self.receives.is_empty() {
            self.requests.push_back(Request::RefuseData);
        }
    }

    /// Closes the sending half: the FIN goes behind everything queued.
    fn close_send(&mut self) {
        let Some(link) = self.link_mut() else { return };
        if link.send == SendHalf::Open {
            link.send = SendHalf::Closing;
            self.request_fin_if_due();
        }
    }

    fn handle_fin_sent(&mut self) {
        let queued = !self.sends.is_empty();
        let Some(link) = self.link_mut() else { return };
        // A FIN that was not asked for, or was told of already, changes nothing.
        if link.send != SendHalf::Closing || queued {
            return;
        }
        link.send = SendHalf::Closed;
        if !link.recv.peer_ended() {
            self.reason.get_or_insert(CloseReason::LocalGraceful);
        }
        if self.awaits_delivery() {
            self.requests.push_back(Request::AwaitDelivery);
        } else {
            self.end_half_close(NtStatus::SUCCESS);
        }
        if !self.finish_if_over() {
            self.await_fin_if_due();
        }
    }

    /// What waits to be sent never will be; receiving goes on.
    fn handle_send_closed(&mut self) {
        let Some(link) = self.link_mut() else { return };
        if link.send != SendHalf::Closed {
            link.send = SendHalf::Closing;
            let sends = mem::take(&mut self.sends);
            self.complete_all(sends, NtStatus::PIPE_DISCONNECTED);
            self.handle_fin_sent();
        }
    }

    fn handle_delivered(&mut self) {
        let closed = self.state.link().is_some_and(|link| link.send == SendHalf::Closed);
        if closed && self.awaits_delivery() {
            self.end_half_close(NtStatus::SUCCESS);
        }
    }

    fn handle_peer_fin(&mut self) {
        let Some(link) = self.link_mut() else { return };
        link.recv = match link.recv {
            RecvHalf::Open | RecvHalf::Ended => RecvHalf::Ended,
            RecvHalf::Shut { .. } => RecvHalf::Shut { peer_ended: true },
        };
        self.reason.get_or_insert(CloseReason::PeerFin);
        self.end_receives(NtStatus::SUCCESS);
        self.finish_if_over();
    }

    fn handle_fin_wait_expired(&mut self) {
        if let State::Disconnecting(_) = self.state {
            // Refused while the handle is being recycled: the FIN has come after all.
            let _ = self.abort(AbortCause::FinWaitTimeout);
        }
    }

    fn handle_data_refused(&mut self) {
        let shut = matches!(self.state.link(), Some(Link { recv: RecvHalf::Shut { .. }, .. }));
        if shut && !matches!(self.state, State::Closed(_)) {
            self.fail(CloseReason::LocalAbort(AbortCause::DataAfterReceiveShutdown));
            self.requests.push_back(Request::Abort);
        }
    }

    fn handle_recycled(&mut self) {
        let state = mem::replace(&mut self.state, State::Open(Open { past: Past::Recycled }));
        match state {
            State::Disconnecting(Disconnecting { link, irp, recycling: true, .. }) => {
                self.state = recycled(link.origin);
                self.complete(irp, NtStatus::SUCCESS);
            }
            other => self.state = other,
        }
    }

    /// In a disconnect that waits for the peer: when its FIN is here and nothing is left to send,
    /// asks for the recycling or completes. True when it did.
    fn finish_if_over(&mut self) -> bool {
        let State::Disconnecting(disconnecting) = &mut self.state else { return false };
        let over = disconnecting.link.recv.peer_ended()
            && disconnecting.link.send != SendHalf::Closing
            && self.sends.is_empty();
        if !over {
            return false;
        }
        match disconnecting.then {
            Then::Stay => self.end_disconnect(NtStatus::SUCCESS),
            Then::Recycle if !disconnecting.recycling => {
                disconnecting.recycling = true;
                // Whoever recycles sends the FIN, if it is still ours to send: it is not asked for
                // twice.
                disconnecting.link.send = SendHalf::Closed;
                let origin = disconnecting.link.origin;
                self.requests.push_back(Request::Recycle { origin });
            }
            Then::Recycle => {}
        }
        true
    }

    /// Completes the disconnect; its connection is what it was otherwise.
    fn end_disconnect(&mut self, status: NtStatus) {
        let state = mem::replace(&mut self.state, State::Open(Open { past: Past::New }));
        self.state = match state {
            State::Disconnecting(Disconnecting { link, irp, .. }) => {
                self.complete(irp, status);
                State::Connected(Connected { link })
            }
            other => other,
        };
    }

    fn await_fin_if_due(&mut self) {
        if let State::Disconnecting(Disconnecting { link, recycling: false, .. }) = &self.state
            && link.send == SendHalf::Closed
            && !link.recv.peer_ended()
        {
            self.requests.push_back(Request::AwaitFin);
        }
    }

    /// Completes every pending receive; mostly there is none.
    fn end_receives(&mut self, status: NtStatus) {
        while let Some(irp) = self.receives.pop_front() {
            self.complete(irp, status);
        }
    }

    /// The connection is over and nothing more can be transferred.
    fn fail(&mut self, reason: CloseReason) {
        let (link, disconnect) =
            match mem::replace(&mut self.state, State::Open(Open { past: Past::New })) {
                State::Connected(Connected { link }) => (link, None),
                State::Disconnecting(Disconnecting { link, irp, .. }) => (link, Some(irp)),
                other => {
                    self.state = other;
                    return;
                }
            };
        self.state = State::Closed(Closed { link, reason });
        self.reason = Some(reason);
        // Nothing that was asked for on this connection can be done any more.
        self.requests.clear();
        let status = reason.transfer_status().unwrap_or(NtStatus::CONNECTION_ABORTED);
        self.end_receives(status);
        let sends = mem::take(&mut self.sends);
        self.complete_all(sends, status);
        self.end_half_close(status);
        self.complete_all(disconnect, status);
    }

    fn link_mut(&mut self) -> Option<&mut Link> {
        match &mut self.state {
            State::Connected(Connected { link })
            | State::Disconnecting(Disconnecting { link, .. }) => Some(link),
            _ => None,
        }
    }

    fn cancel_in_state(&mut self, chosen: &mut impl FnMut(&I) -> bool) {
        let state = mem::replace(&mut self.state, State::Open(Open { past: Past::New }));
        self.state = match state {
            State::Listening(mut listening) => {
                let accepts = split_off(&mut listening.accepts, chosen);
                self.complete_all(accepts, NtStatus::CANCELLED);
                State::Listening(listening)
            }
            State::Accepting(mut accepting) => match accepting.first_receive.take_if(|i| chosen(i))
            {
                Some(irp) => {
                    self.complete(irp, NtStatus::CANCELLED);
                    self.requests.push_back(Request::Abort);
                    accepting.before.into()
                }
                None => State::Accepting(accepting),
            },
            State::Connecting(mut connecting) => match connecting.irp.take_if(|i| chosen(i)) {
                Some(irp) => {
                    self.reason = Some(CloseReason::Cancelled);
                    self.complete(irp, NtStatus::CANCELLED);
                    self.requests.push_back(Request::Abort);
                    connecting.before.into()
                }
                None => State::Connecting(connecting),
            },
            State::Disconnecting(Disconnecting { link, irp, recycling, .. }) if chosen(&irp) => {
                self.complete(irp, NtStatus::CANCELLED);
                if recycling { recycled(link.origin) } else { State::Connected(Connected { link }) }
            }
            other => other,
        };
    }
}

/// What is left of a connection whose handle was recycled: who connected stays bound.
const fn recycled<I>(origin: Origin) -> State<I> {
    match origin {
        Origin::Accepted => State::Open(Open { past: Past::Recycled }),
        Origin::Connected => State::Bound(Bound { past: Past::Recycled }),
    }
}

/// Takes out of `queue` what `chosen` picks; the rest keeps its order.
fn split_off<I, Q>(queue: &mut Q, chosen: &mut impl FnMut(&I) -> bool) -> Q
where
    Q: Default + Extend<I> + IntoIterator<Item = I>,
{
    let (gone, kept) = mem::take(queue).into_iter().partition(|irp| chosen(irp));
    *queue = kept;
    gone
}

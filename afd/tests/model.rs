//! Random lives of an endpoint against a naive model of it.
//!
//! The model is plain lists and flags, written from design section 4 and winsock-semantics 1 to 4,
//! and shares nothing with the endpoint but the names of what happens (`harness/rig.rs`).

#[path = "harness/rig.rs"]
mod rig;

use linsock_afd::endpoint::state::{Context, Origin, Phase};
use linsock_afd::{AbortCause, CloseMode, CloseReason, DisconnectMode, Indication, Shutdown};
use proptest::prelude::*;
use rig::{Ask, Outcome, Rig, Step, Was};

const EINVAL: u32 = 10022;
const EALREADY: u32 = 10037;
const EISCONN: u32 = 10056;
const ENOTCONN: u32 = 10057;
const ESHUTDOWN: u32 = 10058;

/// A connection.
#[derive(Clone, Debug, Default)]
struct Connection {
    by_accept: bool,
    /// The context is not updated.
    raw: bool,
    /// Pending, oldest first.
    sends: Vec<u32>,
    recvs: Vec<u32>,
    half_close: Option<u32>,
    /// The half close waits for the acknowledgement.
    delivered: bool,
    /// The disconnect that waits for the peer, and whether the handle is not recycled by it.
    reuse: Option<u32>,
    stays: bool,
    /// This side has shut down sending, receiving.
    shut_send: bool,
    shut_recv: bool,
    fin_asked: bool,
    fin_sent: bool,
    peer_fin: bool,
    recycling: bool,
    /// What transfers are answered with after a bad end.
    dead: Option<Was>,
}

/// A socket, as somebody would write it who has read the pages only.
#[derive(Clone, Debug, Default)]
struct Model {
    issued: u32,
    bound: bool,
    recycled: bool,
    listening: bool,
    accepts: Vec<u32>,
    reserved: bool,
    first_receive: Option<u32>,
    /// `Some(true)`: by ConnectEx.
    connecting: Option<bool>,
    connect_irp: Option<u32>,
    connection: Option<Connection>,
    reason: Option<CloseReason>,
    /// What the step under way leads to.
    seen: Vec<Outcome>,
}

impl Connection {
    fn awaits_delivery(&self) -> bool {
        self.delivered && self.half_close.is_some()
    }
}

type Answer = Result<(), u32>;

fn error(was: Was) -> u32 {
    match was {
        Was::Reset => 10054,
        Was::Shut => 10058,
        Was::TimedOut => 10060,
        _ => 10053,
    }
}

impl Model {
    fn step(&mut self, step: Step, performs: Option<Ask>) -> Vec<Outcome> {
        let answer = match step {
            Step::Bind => self.bind(),
            Step::Listen => self.listen(),
            Step::Accept => self.accept(),
            Step::AcceptInto => self.accept_into(),
            Step::Connect => self.connect(false, false),
            Step::ConnectBlocking => self.connect(false, true),
            Step::ConnectEx => self.connect(true, true),
            Step::Update(origin) => self.update(origin),
            Step::Send => self.send(),
            Step::Recv => self.recv(),
            Step::Shutdown(how) => self.shutdown(how),
            Step::Disconnect(DisconnectMode::HalfClose) => self.half_close(false),
            Step::Disconnect(DisconnectMode::Delivered) => self.half_close(true),
            Step::Disconnect(DisconnectMode::Reuse) => self.reuse(),
            Step::Disconnect(DisconnectMode::Graceful) => self.graceful(),
            Step::Abort(cause) => self.abort(cause),
            Step::PeerName => self.peer_name(),
            Step::LocalName => self.local_name(),
            event => {
                self.happen(event, performs);
                Ok(())
            }
        };
        let seen = std::mem::take(&mut self.seen);
        answer.map_or_else(|error| vec![Outcome::Refused(error)], |()| seen)
    }

    fn happen(&mut self, event: Step, performs: Option<Ask>) {
        match event {
            Step::Cancel(number) => self.cancel(&|irp| irp == number),
            Step::CancelAll => self.cancel(&|_| true),
            Step::Close(mode) => self.close(mode),
            Step::AbandonAccept => self.reserved &= self.first_receive.is_some(),
            Step::AcceptDone if !self.accepts.is_empty() => {
                let irp = self.accepts.remove(0);
                self.done([irp], Was::Success);
            }
            Step::Accepted(context) if self.is_free() => self.accepted(context),
            Step::FirstReceive => self.first_receive(),
            Step::FirstData => {
                if let Some(irp) = self.first_receive.take() {
                    self.done([irp], Was::Success);
                    self.accepted(Context::AwaitsUpdate);
                }
            }
            Step::ConnectDone => self.connected(),
            Step::ConnectFailed => {
                let irp = self.connect_irp.take();
                self.bound |= self.connecting.take().is_some();
                self.done(irp, Was::ConnectRefused);
            }
            Step::SendDone => self.send_done(),
            Step::RecvDone => self.recv_done(),
            Step::Perform => self.performed(performs),
            Step::Report(indication) => self.report(indication),
            _ => {}
        }
    }

    fn issue(&mut self) -> u32 {
        self.issued += 1;
        self.issued
    }

    fn done(&mut self, irps: impl IntoIterator<Item = u32>, was: Was) {
        self.seen.extend(irps.into_iter().map(|irp| Outcome::Done(irp, was)));
    }

    fn asks(&mut self, ask: Ask) {
        self.seen.push(Outcome::Asks(ask));
    }

    /// Not listening, not reserved, not connecting, no connection.
    fn is_idle(&self) -> bool {
        !self.listening && !self.reserved && self.connecting.is_none() && self.connection.is_none()
    }

    /// A connection may be accepted into it.
    fn is_free(&self) -> bool {
        self.is_idle() || self.reserved && self.first_receive.is_none()
    }

    /// A connection that has not ended badly.
    fn live(&mut self) -> Option<&mut Connection> {
        self.connection.as_mut().filter(|connection| connection.dead.is_none())
    }

    // Making connections.

    fn bind(&mut self) -> Answer {
        if self.bound || !self.is_idle() {
            return Err(EINVAL);
        }
        self.bound = true;
        Ok(())
    }

    fn listen(&mut self) -> Answer {
        if self.connection.is_some() {
            return Err(EISCONN);
        }
        if !self.bound || self.reserved || self.connecting.is_some() {
            return Err(EINVAL);
        }
        self.listening = true;
        Ok(())
    }

    fn accept(&mut self) -> Answer {
        if !self.listening {
            return Err(EINVAL);
        }
        let irp = self.issue();
        self.accepts.push(irp);
        Ok(())
    }

    fn accept_into(&mut self) -> Answer {
        if !self.is_idle() || self.bound && !self.recycled {
            return Err(EINVAL);
        }
        self.reserved = true;
        Ok(())
    }

    fn connect(&mut self, ex: bool, waits: bool) -> Answer {
        if let Some(connection) = &self.connection {
            let unaware = connection.raw && connection.dead.is_none() && connection.reuse.is_none();
            return Err(if unaware && !ex { EINVAL } else { EISCONN });
        }
        if self.connecting == Some(false) && !ex {
            return Err(EALREADY);
        }
        if !self.is_idle() || ex && !self.bound && !self.recycled {
            return Err(EINVAL);
        }
        self.connecting = Some(ex);
        self.connect_irp = waits.then(|| self.issue());
        self.reason = None;
        Ok(())
    }

    fn connected(&mut self) {
        if let Some(ex) = self.connecting.take() {
            let irp = self.connect_irp.take();
            self.done(irp, Was::Success);
            self.connection = Some(Connection { raw: ex, ..Connection::default() });
        }
    }

    fn accepted(&mut self, context: Context) {
        self.reserved = false;
        self.reason = None;
        let raw = context == Context::AwaitsUpdate;
        self.connection = Some(Connection { by_accept: true, raw, ..Connection::default() });
    }

    fn first_receive(&mut self) {
        let irp = self.issue();
        if self.reserved && self.first_receive.is_none() {
            self.first_receive = Some(irp);
        } else {
            self.done([irp], Was::Cancelled);
        }
    }

    fn update(&mut self, origin: Origin) -> Answer {
        let by_accept = origin == Origin::Accepted;
        let connection = self.live().filter(|c| c.reuse.is_none()).ok_or(ENOTCONN)?;
        if connection.by_accept != by_accept {
            return Err(EINVAL);
        }
        connection.raw = false;
        Ok(())
    }

    fn peer_name(&self) -> Answer {
        let knows = match &self.connection {
            Some(c) => !c.raw || c.dead.is_some() || c.reuse.is_some(),
            None => self.connecting == Some(false),
        };
        knows.then_some(()).ok_or(ENOTCONN)
    }

    fn local_name(&self) -> Answer {
        let knows = match &self.connection {
            Some(c) => !c.raw || !c.by_accept || c.dead.is_some() || c.reuse.is_some(),
            None => self.connecting.is_some() || self.bound && !self.reserved,
        };
        knows.then_some(()).ok_or(EINVAL)
    }

    // Transfers.

    fn send(&mut self) -> Answer {
        let connection = self.connection.as_ref().ok_or(ENOTCONN)?;
        if connection.shut_send {
            return Err(ESHUTDOWN);
        }
        if let Some(was) = connection.dead {
            return Err(error(was));
        }
        let irp = self.issue();
        self.live().unwrap().sends.push(irp);
        Ok(())
    }

    fn recv(&mut self) -> Answer {
        let connection = self.connection.as_ref().ok_or(ENOTCONN)?;
        if connection.shut_recv {
            return Err(ESHUTDOWN);
        }
        if let Some(was) = connection.dead {
            return Err(error(was));
        }
        if connection.peer_fin {
            self.seen.push(Outcome::End);
            return Ok(());
        }
        let irp = self.issue();
        self.live().unwrap().recvs.push(irp);
        Ok(())
    }

    fn send_done(&mut self) {
        let Some(connection) = self.live().filter(|c| !c.sends.is_empty()) else {
            return;
        };
        let irp = connection.sends.remove(0);
        self.done([irp], Was::Success);
        self.fin_if_due();
    }

    fn recv_done(&mut self) {
        let Some(connection) = self.live().filter(|c| !c.recvs.is_empty()) else {
            return;
        };
        let irp = connection.recvs.remove(0);
        self.done([irp], Was::Success);
        self.refuse_data_if_due();
    }

    /// SD_RECEIVE: data that no receive is left to take resets the connection.
    fn refuse_data_if_due(&mut self) {
        if self.live().is_some_and(|c| c.shut_recv && !c.peer_fin && c.recvs.is_empty()) {
            self.asks(Ask::RefuseData);
        }
    }

    /// The FIN goes behind all queued sends, once.
    fn fin_if_due(&mut self) {
        let Some(c) = self.live() else { return };
        if c.shut_send && !c.fin_asked && c.sends.is_empty() && !c.recycling {
            c.fin_asked = true;
            self.asks(Ask::SendFin);
        }
    }

    // Ending.

    fn shutdown(&mut self, how: Shutdown) -> Answer {
        let c = self.live().filter(|c| !c.raw || c.reuse.is_some()).ok_or(ENOTCONN)?;
        let newly_shut = !c.shut_recv && how != Shutdown::Send;
        c.shut_recv |= how != Shutdown::Send;
        c.shut_send |= how != Shutdown::Receive;
        if newly_shut {
            self.refuse_data_if_due();
        }
        self.fin_if_due();
        Ok(())
    }

    fn half_close(&mut self, delivered: bool) -> Answer {
        self.live().filter(|c| !c.shut_send).ok_or(ENOTCONN)?;
        let irp = self.issue();
        let connection = self.live().unwrap();
        connection.half_close = Some(irp);
        connection.delivered = delivered;
        connection.shut_send = true;
        self.fin_if_due();
        Ok(())
    }

    fn reuse(&mut self) -> Answer {
        self.live().filter(|c| c.reuse.is_none() && !c.awaits_delivery()).ok_or(ENOTCONN)?;
        let irp = self.issue();
        let c = self.live().unwrap();
        c.reuse = Some(irp);
        // The peer has closed and nothing is queued: recycling sends the FIN by itself.
        let at_once = c.peer_fin && c.sends.is_empty() && !c.shut_send;
        c.shut_send = true;
        c.fin_sent |= at_once;
        let waits = c.fin_sent && !c.peer_fin;
        self.recycle_if_over();
        self.fin_if_due();
        if waits {
            self.asks(Ask::AwaitFin);
        }
        Ok(())
    }

    /// As reuse, but the FIN is sent in the ordinary way, and nothing is recycled.
    fn graceful(&mut self) -> Answer {
        self.live().filter(|c| c.reuse.is_none() && !c.awaits_delivery()).ok_or(ENOTCONN)?;
        let irp = self.issue();
        let c = self.live().unwrap();
        (c.reuse, c.stays, c.shut_send) = (Some(irp), true, true);
        let waits = c.fin_sent && !c.peer_fin;
        self.fin_if_due();
        self.recycle_if_over();
        if waits {
            self.asks(Ask::AwaitFin);
        }
        Ok(())
    }

    fn abort(&mut self, cause: AbortCause) -> Answer {
        self.live().filter(|c| !c.recycling).ok_or(ENOTCONN)?;
        self.asks(Ask::Abort);
        self.dies(Was::Aborted, CloseReason::LocalAbort(cause));
        Ok(())
    }

    /// Reuse is over when the peer's FIN and ours are through.
    fn recycle_if_over(&mut self) {
        let Some(c) = self.live() else { return };
        if c.stays && c.reuse.is_some() {
            if c.peer_fin && c.fin_sent && c.sends.is_empty() {
                c.stays = false;
                let irp = c.reuse.take();
                self.done(irp, Was::Success);
            }
            return;
        }
        if c.reuse.is_some() && !c.recycling && c.peer_fin && c.fin_sent && c.sends.is_empty() {
            c.recycling = true;
            let by_accept = c.by_accept;
            self.asks(if by_accept { Ask::RecycleAccepted } else { Ask::RecycleConnected });
        }
    }

    fn performed(&mut self, ask: Option<Ask>) {
        match ask {
            // Another process may have been faster.
            Some(Ask::SendFin) if self.live().is_some_and(|c| !c.fin_sent) => self.fin_sent(),
            Some(Ask::RecycleAccepted | Ask::RecycleConnected) => self.recycled(),
            _ => {}
        }
    }

    fn fin_sent(&mut self) {
        let Some(c) = self.live() else { return };
        c.fin_sent = true;
        let half_close = if c.delivered { None } else { c.half_close.take() };
        let delivery = c.awaits_delivery();
        let (peer_fin, waits) = (c.peer_fin, c.reuse.is_some() && !c.peer_fin);
        if !peer_fin {
            self.reason.get_or_insert(CloseReason::LocalGraceful);
        }
        self.done(half_close, Was::Success);
        if delivery {
            self.asks(Ask::AwaitDelivery);
        }
        self.recycle_if_over();
        if waits {
            self.asks(Ask::AwaitFin);
        }
    }

    fn send_closed_elsewhere(&mut self) {
        let Some(c) = self.live().filter(|c| !c.fin_sent && !c.recycling) else { return };
        c.shut_send = true;
        c.fin_asked = true;
        let sends = std::mem::take(&mut c.sends);
        self.done(sends, Was::Shut);
        self.fin_sent();
    }

    fn recycled(&mut self) {
        if self.live().is_some_and(|c| c.recycling) {
            let connection = self.connection.take().unwrap();
            self.bound = !connection.by_accept;
            self.recycled = true;
            self.done(connection.reuse, Was::Success);
        }
    }

    fn report(&mut self, indication: Indication) {
        let waits = self.live().is_some_and(|c| c.reuse.is_some() && !c.recycling);
        let deaf = self.live().is_some_and(|c| c.shut_recv);
        match indication {
            Indication::PeerFin => self.peer_fin(),
            Indication::PeerReset => self.dies(Was::Reset, CloseReason::PeerReset),
            Indication::PeerResetAfterFin => {
                self.dies(Was::Aborted, CloseReason::PeerResetAfterFin);
            }
            Indication::TimedOut => self.dies(Was::TimedOut, CloseReason::Timeout),
            Indication::EndedFromOutside => {
                self.dies(Was::Aborted, CloseReason::LocalAbort(AbortCause::FromOutside));
            }
            Indication::Delivered => self.delivered(),
            Indication::SendClosedElsewhere => self.send_closed_elsewhere(),
            Indication::FinWaitExpired if waits => {
                self.asks(Ask::Abort);
                self.dies(Was::TimedOut, CloseReason::LocalAbort(AbortCause::FinWaitTimeout));
            }
            Indication::DataRefused if deaf => {
                self.asks(Ask::Abort);
                let cause = AbortCause::DataAfterReceiveShutdown;
                self.dies(Was::Aborted, CloseReason::LocalAbort(cause));
            }
            _ => {}
        }
    }

    fn delivered(&mut self) {
        let Some(c) = self.live().filter(|c| c.fin_sent && c.delivered) else { return };
        let half_close = c.half_close.take();
        self.done(half_close, Was::Success);
    }

    fn peer_fin(&mut self) {
        let Some(connection) = self.live() else {
            return;
        };
        connection.peer_fin = true;
        let recvs = std::mem::take(&mut connection.recvs);
        self.reason.get_or_insert(CloseReason::PeerFin);
        self.done(recvs, Was::Success);
        self.recycle_if_over();
    }

    fn dies(&mut self, was: Was, reason: CloseReason) {
        let Some(connection) = self.live() else {
            return;
        };
        connection.dead = Some(was);
        let irps = everything(connection);
        self.reason = Some(reason);
        self.done(irps, was);
    }

    fn cancel(&mut self, chosen: &dyn Fn(u32) -> bool) {
        let mut gone = take(&mut self.accepts, chosen);
        gone.extend(self.cancel_on_connection(chosen));
        let first_receive = self.first_receive.take_if(|irp| chosen(*irp));
        let connect = self.connect_irp.take_if(|irp| chosen(*irp));
        if first_receive.is_some() {
            self.reserved = false;
            self.asks(Ask::Abort);
        }
        if connect.is_some() {
            self.connecting = None;
            self.reason = Some(CloseReason::Cancelled);
            self.asks(Ask::Abort);
        }
        self.done(gone.into_iter().chain(first_receive).chain(connect), Was::Cancelled);
    }

    fn cancel_on_connection(&mut self, chosen: &dyn Fn(u32) -> bool) -> Vec<u32> {
        let Some(c) = self.live() else {
            return Vec::new();
        };
        let mut gone = take(&mut c.recvs, chosen);
        let was_last = !gone.is_empty();
        gone.extend(take(&mut c.sends, chosen));
        gone.extend(c.half_close.take_if(|irp| chosen(*irp)));
        c.stays &= !c.reuse.is_some_and(chosen);
        let cancelled = c.reuse.take_if(|irp| chosen(*irp));
        let over = c.recycling && cancelled.is_some();
        gone.extend(cancelled);
        if was_last {
            self.refuse_data_if_due();
        }
        self.fin_if_due();
        if over {
            // Both directions are over: nothing to go back to.
            let connection = self.connection.take().unwrap();
            (self.bound, self.recycled) = (!connection.by_accept, true);
        }
        gone
    }

    fn close(&mut self, mode: CloseMode) {
        let had_connection = self.connection.is_some() || self.first_receive.is_some();
        let cancelled = std::mem::take(&mut self.accepts);
        let cancelled = cancelled.into_iter().chain(self.first_receive).chain(self.connect_irp);
        self.done(cancelled.collect::<Vec<_>>(), Was::Cancelled);
        if let Some(connection) = self.connection.take() {
            self.close_connection(connection, mode);
        }
        if self.connecting.is_some() {
            self.reason = Some(CloseReason::LocalAbort(AbortCause::ConnectAbandoned));
        }
        if had_connection {
            self.reason.get_or_insert(match mode {
                CloseMode::Graceful => CloseReason::LocalGraceful,
                CloseMode::Abort => CloseReason::LocalAbort(AbortCause::LingerZero),
            });
        }
        *self = Self {
            issued: self.issued,
            reason: self.reason,
            seen: std::mem::take(&mut self.seen),
            ..Self::default()
        };
    }

    fn close_connection(&mut self, connection: Connection, mode: CloseMode) {
        self.done(connection.recvs, Was::Aborted);
        self.done(connection.half_close.into_iter().chain(connection.reuse), Was::Cancelled);
        match mode {
            CloseMode::Graceful => {
                self.seen.extend(connection.sends.into_iter().map(Outcome::Owed))
            }
            CloseMode::Abort => self.done(connection.sends, Was::Aborted),
        }
    }

    fn phase(&self) -> Phase {
        match &self.connection {
            Some(Connection { dead: Some(_), .. }) => Phase::Closed,
            Some(Connection { reuse: Some(_), .. }) => Phase::Disconnecting,
            Some(Connection { raw: true, by_accept: true, .. }) => Phase::AcceptedRaw,
            Some(Connection { raw: true, .. }) => Phase::ConnectedRaw,
            Some(_) => Phase::Connected,
            None => self.unconnected_phase(),
        }
    }

    fn unconnected_phase(&self) -> Phase {
        match self.connecting {
            Some(true) => Phase::ConnectingEx,
            Some(false) => Phase::Connecting,
            None if self.reserved => Phase::Accepting,
            None if self.listening => Phase::Listening,
            None => match (self.bound, self.recycled) {
                (false, false) => Phase::Open,
                (false, true) => Phase::OpenRecycled,
                (true, false) => Phase::Bound,
                (true, true) => Phase::BoundRecycled,
            },
        }
    }
}

fn take(from: &mut Vec<u32>, chosen: &dyn Fn(u32) -> bool) -> Vec<u32> {
    let (gone, kept) = from.iter().partition(|irp| chosen(**irp));
    *from = kept;
    gone
}

fn everything(connection: &mut Connection) -> Vec<u32> {
    let mut irps = std::mem::take(&mut connection.recvs);
    irps.append(&mut connection.sends);
    irps.extend(connection.half_close.take());
    irps.extend(connection.reuse.take());
    irps
}

/// Endpoint and model side by side.
struct Pair {
    rig: Rig,
    model: Model,
}

impl Pair {
    fn step(&mut self, step: Step) {
        if !self.rig.may_happen(step) {
            return;
        }
        let performs = self.rig.owed.first().copied();
        let mut seen = self.rig.step(step);
        let mut expected = self.model.step(step, performs);
        seen.sort_unstable();
        expected.sort_unstable();
        assert_eq!(seen, expected, "outcomes of {step:?}");
        assert_eq!(self.rig.phase(), self.model.phase(), "phase after {step:?}");
        assert_eq!(self.rig.endpoint.reason(), self.model.reason, "reason after {step:?}");
    }

    /// A provider that does at once what it is asked for, as TCP does.
    fn perform_all(&mut self) {
        while !self.rig.owed.is_empty() {
            self.step(Step::Perform);
        }
    }
}

/// Where a life begins, so that most of it is spent on what matters.
const BEGINNINGS: &[&[Step]] = &[
    &[],
    &[Step::Bind, Step::Listen],
    &[Step::AcceptInto],
    &[Step::Bind, Step::ConnectEx],
    &[Step::Accepted(Context::Current)],
    &[Step::AcceptInto, Step::Accepted(Context::AwaitsUpdate)],
    &[Step::Bind, Step::ConnectEx, Step::ConnectDone, Step::Update(Origin::Connected)],
    &[Step::Connect, Step::ConnectDone, Step::Recv, Step::Send],
    &[
        Step::Accepted(Context::Current),
        Step::Report(Indication::PeerFin),
        Step::Disconnect(DisconnectMode::Reuse),
        Step::Perform,
    ],
];

fn setup_step() -> impl Strategy<Value = Step> {
    prop::sample::select(vec![
        Step::Bind,
        Step::Listen,
        Step::Accept,
        Step::AcceptInto,
        Step::AbandonAccept,
        Step::Connect,
        Step::ConnectBlocking,
        Step::ConnectEx,
        Step::Update(Origin::Accepted),
        Step::Update(Origin::Connected),
        Step::AcceptDone,
        Step::Accepted(Context::Current),
        Step::Accepted(Context::AwaitsUpdate),
        Step::FirstReceive,
        Step::FirstData,
        Step::ConnectDone,
        Step::ConnectFailed,
        Step::PeerName,
        Step::LocalName,
    ])
}

fn transfer_step() -> impl Strategy<Value = Step> {
    prop::sample::select(vec![Step::Send, Step::Recv, Step::SendDone, Step::RecvDone, Step::Retry])
}

fn teardown_step() -> impl Strategy<Value = Step> {
    prop::sample::select(vec![
        Step::Shutdown(Shutdown::Receive),
        Step::Shutdown(Shutdown::Send),
        Step::Shutdown(Shutdown::Both),
        Step::Disconnect(DisconnectMode::HalfClose),
        Step::Disconnect(DisconnectMode::Reuse),
        Step::Disconnect(DisconnectMode::Reuse),
        Step::Disconnect(DisconnectMode::Graceful),
        Step::Disconnect(DisconnectMode::Delivered),
        Step::Report(Indication::Delivered),
        Step::Report(Indication::SendClosedElsewhere),
        Step::Abort(AbortCause::Requested),
        Step::Report(Indication::PeerFin),
        Step::Report(Indication::PeerFin),
        Step::Report(Indication::FinWaitExpired),
        Step::Report(Indication::DataRefused),
        Step::CancelAll,
    ])
}

fn failure_step() -> impl Strategy<Value = Step> {
    prop::sample::select(vec![
        Step::Report(Indication::PeerReset),
        Step::Report(Indication::PeerResetAfterFin),
        Step::Report(Indication::TimedOut),
        Step::Report(Indication::EndedFromOutside),
    ])
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => setup_step(),
        4 => transfer_step(),
        4 => teardown_step(),
        3 => Just(Step::Perform),
        1 => (1..12u32).prop_map(Step::Cancel),
        // Rare, because little can happen afterwards.
        1 => prop_oneof![4 => Just(Step::Perform), 1 => failure_step()],
    ]
}

proptest! {
    // What fails becomes a named test in teardown.rs, not a file of seeds.
    #![proptest_config(ProptestConfig {
        cases: 10_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Statuses, phases, reasons, requests and completions agree at every step; after close every
    /// IRP has left, once.
    #[test]
    fn random_lives_agree_with_the_model(
        beginning in prop::sample::select(BEGINNINGS),
        steps in prop::collection::vec(any_step(), 1..40),
        eager in any::<bool>(),
        abort in any::<bool>(),
    ) {
        let mut pair = Pair { rig: Rig::default(), model: Model::default() };
        for step in beginning.iter().chain(&steps) {
            pair.step(*step);
            if eager {
                pair.perform_all();
            }
        }
        pair.step(Step::Close(if abort { CloseMode::Abort } else { CloseMode::Graceful }));
        prop_assert!(pair.rig.pending().is_empty());
    }
}

//! An endpoint on the bench: numbered IRPs, one name for everything that can happen to an endpoint,
//! and a provider that keeps requests until it is told to perform them.
//!
//! Every step checks what holds always: polls finish (P), a refusal changes nothing and gives the
//! IRP back (I2), no number completes twice or was never issued (I1), nothing is inside after close
//! (I3), and each request comes only when design section 4 allows it.

// Every test file is a crate of its own and uses its part of this one.
#![allow(dead_code)]

use std::collections::BTreeSet;
use std::fmt;

use linsock_afd::endpoint::state::{Context, Origin, RecvHalf, SendHalf, Verb};
use linsock_afd::endpoint::state::{Phase, State};
use linsock_afd::{
    AbortCause, AcceptPhase, CloseMode, Completion, ConnectKind, DisconnectMode, Endpoint,
    Indication, NtStatus, Receive, Request, Shutdown, Start,
};

/// More requests and completions than any step can cause with the few IRPs of a test.
const POLLS: usize = 1000;

/// An operation: a number, moved and never cloned.
#[derive(PartialEq, Eq)]
pub(crate) struct Irp(pub(crate) u32);

/// Nameless, so that endpoints that differ in the numbers of their IRPs alone print the same: an
/// endpoint is generic over its IRP and cannot look at the number.
impl fmt::Debug for Irp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("irp")
    }
}

/// Everything that can happen to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Bind,
    Listen,
    /// AcceptEx on the listening side; it is queued.
    Accept,
    /// AcceptEx on the accepting side.
    AcceptInto,
    /// The AcceptEx is over without a connection.
    AbandonAccept,
    /// Non-blocking connect: no IRP.
    Connect,
    /// Blocking connect: an IRP waits.
    ConnectBlocking,
    ConnectEx,
    Update(Origin),
    /// A send or receive that cannot be done at once and is queued when it is admitted.
    Send,
    Recv,
    Shutdown(Shutdown),
    Disconnect(DisconnectMode),
    /// The program has the connection reset.
    Abort(AbortCause),
    PeerName,
    LocalName,
    /// CancelIoEx on one IRP.
    Cancel(u32),
    /// CancelIoEx with a null OVERLAPPED.
    CancelAll,
    Close(CloseMode),
    /// The listener gives a connection to its oldest accept.
    AcceptDone,
    /// A connection was accepted into the endpoint.
    Accepted(Context),
    /// A connection is here and its AcceptEx waits for the first data.
    FirstReceive,
    /// The first data is here.
    FirstData,
    ConnectDone,
    ConnectFailed,
    /// The oldest queued send or receive is done.
    SendDone,
    RecvDone,
    /// The oldest queued send and receive are attempted and cannot be finished.
    Retry,
    /// The provider performs the oldest request it still owes.
    Perform,
    Report(Indication),
}

/// What a step leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// The call was refused, by its WSA error.
    Refused(u32),
    /// The receive gives 0 octets at once: the peer has closed.
    End,
    /// The provider is asked for this.
    Asks(Ask),
    /// This IRP is over.
    Done(u32, Was),
    /// The send goes on in the background after close.
    Owed(u32),
}

/// [`Request`], with an order, so that sets of outcomes can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ask {
    SendFin,
    AwaitFin,
    AwaitDelivery,
    RecycleAccepted,
    RecycleConnected,
    RefuseData,
    Abort,
}

/// The statuses an endpoint completes IRPs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Was {
    Success,
    /// STATUS_CANCELLED, 995.
    Cancelled,
    /// STATUS_CONNECTION_ABORTED, 10053.
    Aborted,
    /// STATUS_CONNECTION_RESET, 10054.
    Reset,
    /// STATUS_PIPE_DISCONNECTED, 10058.
    Shut,
    /// STATUS_IO_TIMEOUT, 10060.
    TimedOut,
    /// STATUS_CONNECTION_REFUSED, 10061: what [`Step::ConnectFailed`] brings.
    ConnectRefused,
}

impl From<Request> for Ask {
    fn from(request: Request) -> Self {
        match request {
            Request::SendFin => Self::SendFin,
            Request::AwaitFin => Self::AwaitFin,
            Request::AwaitDelivery => Self::AwaitDelivery,
            Request::Recycle { origin: Origin::Accepted } => Self::RecycleAccepted,
            Request::Recycle { origin: Origin::Connected } => Self::RecycleConnected,
            Request::RefuseData => Self::RefuseData,
            Request::Abort => Self::Abort,
        }
    }
}

impl From<NtStatus> for Was {
    /// The WSA numbers are those of winsock-semantics 6.4.
    fn from(status: NtStatus) -> Self {
        match status.wsa() {
            0 => Self::Success,
            995 => Self::Cancelled,
            10053 => Self::Aborted,
            10054 => Self::Reset,
            10058 => Self::Shut,
            10060 => Self::TimedOut,
            10061 => Self::ConnectRefused,
            other => panic!("no operation completes with WSA error {other}"),
        }
    }
}

/// The endpoint, its provider and its caller.
#[derive(Debug, Default)]
pub(crate) struct Rig {
    pub(crate) endpoint: Endpoint<Irp>,
    /// Requests the provider has to perform, oldest first.
    pub(crate) owed: Vec<Ask>,
    /// Numbers given out; the next IRP gets `issued + 1`.
    issued: u32,
    /// Numbers that are still inside.
    pending: BTreeSet<u32>,
    /// The FIN of this connection was asked for.
    fin_asked: bool,
    /// The provider watches for the end of the wait for the peer's FIN, or for data to refuse.
    fin_awaited: bool,
    data_refused: bool,
}

impl Rig {
    /// A rig with these steps behind it.
    pub(crate) fn after(steps: &[Step]) -> Self {
        let mut rig = Self::default();
        for step in steps {
            rig.step(*step);
        }
        rig
    }

    /// As [`after`](Self::after), of steps each of which was looked at when it was the last one:
    /// looking takes ten times as long as they do.
    #[allow(dead_code, reason = "only some tests go the same ways again and again")]
    pub(crate) fn again(steps: &[Step]) -> Self {
        let mut rig = Self::default();
        for step in steps {
            let mut seen = Vec::new();
            if rig.apply(*step, &mut seen).is_ok() {
                rig.settle(&mut seen);
            }
        }
        rig
    }

    /// Makes one thing happen and says what it leads to, in the order in which it came.
    pub(crate) fn step(&mut self, step: Step) -> Vec<Outcome> {
        let before = self.print();
        let mut seen = Vec::new();
        if let Err(status) = self.apply(step, &mut seen) {
            assert_eq!(before, self.print(), "{step:?} was refused and changed something (I2)");
            assert!(self.endpoint.is_settled(), "{step:?} was refused and has outputs (I2)");
            return vec![Outcome::Refused(status.wsa())];
        }
        self.settle(&mut seen);
        self.check(step);
        seen
    }

    /// Whether the provider may report this: what it was asked to watch for, and data before the
    /// FIN only.
    pub(crate) fn may_happen(&self, step: Step) -> bool {
        let ended = self.endpoint.state().link().is_some_and(|link| link.recv.peer_ended());
        match step {
            Step::Report(Indication::FinWaitExpired) => self.fin_awaited,
            Step::Report(Indication::DataRefused) => self.data_refused && !ended,
            _ => true,
        }
    }

    /// The whole endpoint, in words: equal words, equal behaviour from here on.
    pub(crate) fn print(&self) -> String {
        format!("{:?}", self.endpoint)
    }

    /// Everything that the future depends on, the provider's memory included.
    pub(crate) fn key(&self) -> String {
        let provider = (self.fin_asked, self.fin_awaited, self.data_refused);
        format!("{} {:?} {provider:?}", self.print(), self.owed)
    }

    pub(crate) fn phase(&self) -> Phase {
        self.endpoint.phase()
    }

    /// The number of the youngest IRP.
    pub(crate) fn issued(&self) -> u32 {
        self.issued
    }

    pub(crate) fn pending(&self) -> &BTreeSet<u32> {
        &self.pending
    }

    /// IRPs in the queues of the halves and of the state, as far as the public face shows them.
    pub(crate) fn shows_irps(&self) -> bool {
        self.endpoint.has_receives()
            || self.endpoint.has_sends()
            || self.endpoint.next_accept().is_some()
            || self.endpoint.accept_phase() == AcceptPhase::FirstReceive
            || matches!(self.endpoint.state(), State::Disconnecting(_))
    }

    fn apply(&mut self, step: Step, seen: &mut Vec<Outcome>) -> Result<(), NtStatus> {
        match step {
            Step::Bind => self.endpoint.bind(),
            Step::Listen => self.endpoint.listen(),
            Step::Accept => self.accept(),
            Step::AcceptInto => self.endpoint.begin_accept(),
            Step::Connect => self.connect(ConnectKind::Connect, false),
            Step::ConnectBlocking => self.connect(ConnectKind::Connect, true),
            Step::ConnectEx => self.connect(ConnectKind::ConnectEx, true),
            Step::Update(origin) => self.endpoint.update_context(origin),
            Step::Send => self.send(),
            Step::Recv => self.recv(seen),
            Step::Shutdown(how) => self.endpoint.shutdown(how),
            Step::Disconnect(mode) => self.disconnect(mode),
            Step::Abort(cause) => self.endpoint.abort(cause),
            Step::PeerName => self.endpoint.check(Verb::PeerName),
            Step::LocalName => self.endpoint.check(Verb::LocalName),
            other => {
                self.happen(other, seen);
                Ok(())
            }
        }
    }

    /// The steps that cannot be refused.
    fn happen(&mut self, step: Step, seen: &mut Vec<Outcome>) {
        match step {
            Step::Cancel(number) => self.cancel(|irp| irp.0 == number),
            Step::CancelAll => self.cancel(|_| true),
            Step::Close(mode) => self.close(mode, seen),
            Step::AbandonAccept => self.endpoint.abandon_accept(),
            Step::AcceptDone => {
                let irp = self.endpoint.take_accept();
                self.finish(irp, seen);
            }
            Step::Accepted(context) => self.accepted(context),
            Step::FirstReceive => {
                let irp = self.issue();
                self.endpoint.queue_first_receive(irp);
            }
            Step::FirstData => {
                if let Some(irp) = self.endpoint.take_first_receive() {
                    self.finish(Some(irp), seen);
                    self.accepted(Context::AwaitsUpdate);
                }
            }
            Step::ConnectDone => {
                self.begin_connection();
                let irp = self.endpoint.handle_connected();
                self.finish(irp, seen);
            }
            Step::ConnectFailed => {
                self.endpoint.handle_connect_failed(NtStatus::CONNECTION_REFUSED);
            }
            Step::SendDone => {
                if let Some(irp) = self.endpoint.take_send() {
                    self.finish(Some(irp), seen);
                    self.endpoint.sent();
                }
            }
            Step::RecvDone => {
                if let Some(irp) = self.endpoint.take_recv() {
                    self.finish(Some(irp), seen);
                    self.endpoint.received();
                }
            }
            Step::Retry => {
                if let Some(irp) = self.endpoint.take_send() {
                    self.endpoint.return_send(irp);
                }
                if let Some(irp) = self.endpoint.take_recv() {
                    self.endpoint.return_recv(irp);
                }
            }
            Step::Perform => self.perform(),
            Step::Report(indication) => self.report(indication),
            verb => unreachable!("{verb:?} is a verb"),
        }
    }

    fn issue(&mut self) -> Irp {
        self.issued += 1;
        self.pending.insert(self.issued);
        Irp(self.issued)
    }

    /// Takes back the number of a refused IRP, which must be the one that was handed in.
    fn unissue(&mut self, irp: Option<Irp>) {
        assert_eq!(irp, Some(Irp(self.issued)), "a refused IRP comes back (I2)");
        self.pending.remove(&self.issued);
        self.issued -= 1;
    }

    fn finish(&mut self, irp: Option<Irp>, seen: &mut Vec<Outcome>) {
        if let Some(irp) = irp {
            self.retire(&irp);
            seen.push(Outcome::Done(irp.0, Was::Success));
        }
    }

    fn retire(&mut self, irp: &Irp) {
        assert!(self.pending.remove(&irp.0), "IRP {} left the endpoint twice (I1)", irp.0);
    }

    fn accept(&mut self) -> Result<(), NtStatus> {
        self.endpoint.check(Verb::Accept)?;
        let irp = self.issue();
        self.endpoint.queue_accept(irp);
        Ok(())
    }

    fn connect(&mut self, kind: ConnectKind, waits: bool) -> Result<(), NtStatus> {
        let irp = waits.then(|| self.issue());
        self.endpoint.connect(kind, irp).map_err(|refused| {
            if waits {
                self.unissue(refused.irp);
            }
            refused.status
        })
    }

    fn send(&mut self) -> Result<(), NtStatus> {
        let start = self.endpoint.send()?;
        assert_eq!(start == Start::Behind, self.endpoint.has_sends(), "sends keep their order");
        let irp = self.issue();
        self.endpoint.queue_send(irp);
        Ok(())
    }

    fn recv(&mut self, seen: &mut Vec<Outcome>) -> Result<(), NtStatus> {
        let receive = self.endpoint.recv()?;
        if receive == Receive::End {
            seen.push(Outcome::End);
            return Ok(());
        }
        let behind = receive == Receive::Behind;
        assert_eq!(behind, self.endpoint.has_receives(), "receives keep their order");
        let irp = self.issue();
        self.endpoint.queue_recv(irp);
        Ok(())
    }

    fn disconnect(&mut self, mode: DisconnectMode) -> Result<(), NtStatus> {
        let irp = self.issue();
        self.endpoint.disconnect(mode, irp).map_err(|refused| {
            self.unissue(refused.irp);
            refused.status
        })
    }

    fn cancel(&mut self, chosen: impl Fn(&Irp) -> bool) {
        let before = self.pending.clone();
        let picked = before.iter().filter(|number| chosen(&Irp(**number))).count();
        let cancelled = self.endpoint.cancel(&chosen);
        assert!(cancelled <= picked, "{cancelled} cancelled of {picked} chosen");
    }

    fn close(&mut self, mode: CloseMode, seen: &mut Vec<Outcome>) {
        for irp in self.endpoint.close(mode) {
            self.retire(&irp);
            seen.push(Outcome::Owed(irp.0));
        }
        self.owed.clear();
    }

    fn accepted(&mut self, context: Context) {
        self.begin_connection();
        self.endpoint.handle_accepted(context);
    }

    fn begin_connection(&mut self) {
        if self.endpoint.state().link().is_none() {
            self.fin_asked = false;
            self.fin_awaited = false;
            self.data_refused = false;
            self.owed.clear();
        }
    }

    /// The oldest request is performed; what is only a watch brings nothing by itself.
    fn perform(&mut self) {
        if self.owed.is_empty() {
            return;
        }
        match self.owed.remove(0) {
            Ask::SendFin => self.endpoint.handle_indication(Indication::FinSent),
            Ask::RecycleAccepted | Ask::RecycleConnected => {
                self.endpoint.handle_indication(Indication::Recycled);
            }
            Ask::AwaitFin | Ask::AwaitDelivery | Ask::RefuseData | Ask::Abort => {}
        }
    }

    fn report(&mut self, indication: Indication) {
        let ends = matches!(
            indication,
            Indication::PeerReset
                | Indication::PeerResetAfterFin
                | Indication::TimedOut
                | Indication::EndedFromOutside
        );
        if ends {
            // There is no connection any more on which to do what was asked.
            self.owed.clear();
        }
        self.endpoint.handle_indication(indication);
    }

    fn settle(&mut self, seen: &mut Vec<Outcome>) {
        for _ in 0..POLLS {
            let settled = self.endpoint.is_settled();
            if let Some(request) = self.endpoint.poll_request() {
                assert!(!settled, "a request waited");
                self.ask(request);
                seen.push(Outcome::Asks(request.into()));
            } else if let Some(Completion { irp, status }) = self.endpoint.poll_completion() {
                assert!(!settled, "a completion waited");
                self.retire(&irp);
                seen.push(Outcome::Done(irp.0, status.into()));
            } else {
                assert!(settled);
                return;
            }
        }
        panic!("the endpoint does not settle (P)");
    }

    /// A request comes when the rules call for it and at no other time.
    fn ask(&mut self, request: Request) {
        let link = self.endpoint.state().link().copied();
        let send = link.map(|link| link.send);
        let recv = link.map(|link| link.recv);
        match request {
            Request::SendFin => {
                assert!(!self.endpoint.has_sends(), "the FIN goes behind the queued sends");
                assert_eq!(send, Some(SendHalf::Closing));
                assert!(!self.fin_asked, "one FIN per connection");
                self.fin_asked = true;
            }
            Request::AwaitDelivery => {
                assert_eq!(send, Some(SendHalf::Closed), "it goes behind the FIN");
            }
            Request::AwaitFin => {
                assert_eq!((self.phase(), send), (Phase::Disconnecting, Some(SendHalf::Closed)));
                assert!(!recv.unwrap().peer_ended(), "the FIN is here already");
                self.fin_awaited = true;
            }
            Request::Recycle { origin } => {
                assert_eq!(self.phase(), Phase::Disconnecting);
                assert_eq!(link.unwrap().origin, origin);
                assert!(recv.unwrap().peer_ended(), "reuse waits for the peer's FIN");
                assert!(!self.endpoint.has_sends() && send != Some(SendHalf::Closing));
            }
            Request::RefuseData => {
                assert_eq!(recv, Some(RecvHalf::Shut { peer_ended: false }));
                assert!(!self.endpoint.has_receives(), "a pending receive survives SD_RECEIVE");
                assert!(!self.data_refused, "data is refused once per connection");
                self.data_refused = true;
            }
            Request::Abort => self.owed.clear(),
        }
        let ask = request.into();
        // To watch for something twice is to watch for it.
        if !self.owed.contains(&ask) {
            self.owed.push(ask);
        }
    }

    fn check(&self, step: Step) {
        if matches!(step, Step::Close(_)) {
            assert_eq!(self.pending.len(), 0, "close completes everything (I3)");
            assert!(!self.shows_irps(), "nothing is inside after close (I3)");
        }
        if self.shows_irps() {
            assert!(!self.pending.is_empty(), "an IRP is inside that nobody handed in (I1)");
        }
        if self.phase() == Phase::Closed {
            assert!(self.pending.is_empty(), "a dead connection holds no IRP");
        }
    }
}

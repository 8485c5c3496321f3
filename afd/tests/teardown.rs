//! How connections end, rule by rule of design section 4. A test is named
//! `<state>_<stimulus>_<outcome>` and is a table: what happens, and everything it leads to.
//!
//! IRPs are numbered in the order in which they were admitted. `Perform` is the provider doing the
//! oldest thing it was asked for.

#[path = "harness/rig.rs"]
mod rig;

use Ask::{Abort, AwaitDelivery, AwaitFin, RecycleAccepted, RecycleConnected, RefuseData, SendFin};
use Outcome::{Asks, Done, End, Owed, Refused};
use Step::{Perform, Recv, RecvDone, Report, Send, SendDone};
use Was::{Aborted, Cancelled, Reset, Shut, Success, TimedOut};
use linsock_afd::endpoint::state::{Context, Origin, Phase};
use linsock_afd::{AbortCause, CloseMode, CloseReason, DisconnectMode, Indication, Shutdown};
use rig::{Ask, Outcome, Rig, Step, Was};

const HALF_CLOSE: Step = Step::Disconnect(DisconnectMode::HalfClose);
const REUSE: Step = Step::Disconnect(DisconnectMode::Reuse);
const GRACEFUL: Step = Step::Disconnect(DisconnectMode::Graceful);
const RESET: Step = Step::Abort(AbortCause::Requested);
const SD_RECEIVE: Step = Step::Shutdown(Shutdown::Receive);
const SD_SEND: Step = Step::Shutdown(Shutdown::Send);
const SD_BOTH: Step = Step::Shutdown(Shutdown::Both);
const CLOSE: Step = Step::Close(CloseMode::Graceful);
const ABORT: Step = Step::Close(CloseMode::Abort);
const PEER_FIN: Step = Report(Indication::PeerFin);
const PEER_RESET: Step = Report(Indication::PeerReset);
const FIN_THEN_RESET: Step = Report(Indication::PeerResetAfterFin);
const TIMED_OUT: Step = Report(Indication::TimedOut);
const FIN_WAIT_EXPIRED: Step = Report(Indication::FinWaitExpired);
const DATA_REFUSED: Step = Report(Indication::DataRefused);

/// WSAENOTCONN, WSAESHUTDOWN, WSAECONNRESET, WSAECONNABORTED, WSAETIMEDOUT (winsock2.h).
const NOT_CONNECTED: Outcome = Refused(10057);
const SHUT_DOWN: Outcome = Refused(10058);
const WAS_RESET: Outcome = Refused(10054);
const WAS_ABORTED: Outcome = Refused(10053);
const GAVE_UP: Outcome = Refused(10060);

type Scene<'a> = &'a [(Step, &'a [Outcome])];

fn play(mut rig: Rig, scene: Scene<'_>) -> Rig {
    for (at, (step, outcomes)) in scene.iter().enumerate() {
        assert_eq!(rig.step(*step), *outcomes, "line {at}: {step:?}");
    }
    rig
}

/// Connected by accept.
fn accepted() -> Rig {
    Rig::after(&[Step::Accepted(Context::Current)])
}

/// Connected by ConnectEx and updated; its IRP was 1.
fn connected() -> Rig {
    Rig::after(&[Step::Bind, Step::ConnectEx, Step::ConnectDone, Step::Update(Origin::Connected)])
}

fn ends(rig: &Rig, phase: Phase, reason: CloseReason) {
    assert_eq!((rig.phase(), rig.endpoint.reason()), (phase, Some(reason)));
}

// DisconnectEx, flags 0.

/// 4: "FIN behind all queued sends"; "completes when every queued send and the FIN have been given
/// to TCP".
#[test]
fn connected_half_close_goes_behind_queued_sends() {
    let rig = play(
        accepted(),
        &[
            (Send, &[]),
            (Send, &[]),
            (HALF_CLOSE, &[]),
            (SendDone, &[Done(1, Success)]),
            (SendDone, &[Done(2, Success), Asks(SendFin)]),
            (Perform, &[Done(3, Success)]),
        ],
    );
    ends(&rig, Phase::Connected, CloseReason::LocalGraceful);
}

/// 4: "receive goes on", "never waits for the peer's FIN" (test_DisconnectEx: the peer sends on).
#[test]
fn connected_half_close_leaves_receiving_open() {
    play(
        accepted(),
        &[
            (Recv, &[]),
            (HALF_CLOSE, &[Asks(SendFin)]),
            (Perform, &[Done(2, Success)]),
            (Send, &[SHUT_DOWN]),
            (RecvDone, &[Done(1, Success)]),
            (Recv, &[]),
            (PEER_FIN, &[Done(3, Success)]),
            (Recv, &[End]),
            (Recv, &[End]),
        ],
    );
}

/// DisconnectEx page: WSAENOTCONN when the transmit side is closing or closed and no
/// TF_REUSE_SOCKET is given. Also when the first is not over yet.
#[test]
fn half_closing_second_half_close_is_refused() {
    play(
        accepted(),
        &[
            (Send, &[]),
            (HALF_CLOSE, &[]),
            (HALF_CLOSE, &[NOT_CONNECTED]),
            (SendDone, &[Done(1, Success), Asks(SendFin)]),
            (HALF_CLOSE, &[NOT_CONNECTED]),
            (Perform, &[Done(2, Success)]),
            (HALF_CLOSE, &[NOT_CONNECTED]),
        ],
    );
}

/// A FIN that nobody asked for, or that waits behind sends, cannot have been sent.
#[test]
fn connected_stray_fin_sent_means_nothing() {
    const FIN_SENT: Step = Report(Indication::FinSent);
    let rig = play(
        accepted(),
        &[
            (FIN_SENT, &[]),
            (Send, &[]),
            (HALF_CLOSE, &[]),
            (FIN_SENT, &[]),
            (SendDone, &[Done(1, Success), Asks(SendFin)]),
            (Perform, &[Done(2, Success)]),
            (FIN_SENT, &[]),
            (REUSE, &[Asks(AwaitFin)]),
            (FIN_SENT, &[]),
        ],
    );
    assert_eq!(rig.phase(), Phase::Disconnecting);
}

/// An attempt that could not be finished keeps its turn (test_simultaneous_async_recv).
#[test]
fn connected_unfinished_attempts_keep_their_turn() {
    play(
        accepted(),
        &[
            (Send, &[]),
            (Recv, &[]),
            (Send, &[]),
            (Recv, &[]),
            (Step::Retry, &[]),
            (SendDone, &[Done(1, Success)]),
            (RecvDone, &[Done(2, Success)]),
        ],
    );
}

/// test_shutdown: every repetition gives 0; there is one FIN.
#[test]
fn connected_repeated_shutdown_sends_one_fin() {
    play(
        accepted(),
        &[
            (SD_SEND, &[Asks(SendFin)]),
            (SD_SEND, &[]),
            (SD_BOTH, &[Asks(RefuseData)]),
            (Perform, &[]),
            (SD_BOTH, &[]),
            (SD_RECEIVE, &[]),
        ],
    );
}

/// DisconnectEx page: after a first half-close, TF_REUSE_SOCKET is the supported second step; both
/// operations complete, each at its own time.
#[test]
fn half_closing_reuse_completes_both() {
    play(
        accepted(),
        &[
            (Send, &[]),
            (HALF_CLOSE, &[]),
            (REUSE, &[]),
            (SendDone, &[Done(1, Success), Asks(SendFin)]),
            (Perform, &[Asks(AwaitFin), Done(2, Success)]),
            (PEER_FIN, &[Asks(RecycleAccepted)]),
            (Perform, &[]),
            (Perform, &[Done(3, Success)]),
        ],
    );
}

#[test]
fn half_closed_reuse_only_waits_for_the_peer() {
    play(
        accepted(),
        &[
            (SD_SEND, &[Asks(SendFin)]),
            (Perform, &[]),
            (REUSE, &[Asks(AwaitFin)]),
            (PEER_FIN, &[Asks(RecycleAccepted)]),
        ],
    );
}

/// A cancelled half-close leaves the FIN behind the sends: it cannot be called back.
#[test]
fn half_closing_cancel_keeps_the_fin() {
    play(
        accepted(),
        &[
            (Send, &[]),
            (HALF_CLOSE, &[]),
            (Step::Cancel(2), &[Done(2, Cancelled)]),
            (Send, &[SHUT_DOWN]),
            (SendDone, &[Done(1, Success), Asks(SendFin)]),
            (Perform, &[]),
        ],
    );
}

/// The FIN goes behind the queued sends, and there are none left.
#[test]
fn half_closing_cancel_of_the_last_send_sends_the_fin() {
    play(
        accepted(),
        &[
            (Send, &[]),
            (Send, &[]),
            (HALF_CLOSE, &[]),
            (Step::Cancel(2), &[Done(2, Cancelled)]),
            (Step::Cancel(1), &[Asks(SendFin), Done(1, Cancelled)]),
            (Perform, &[Done(3, Success)]),
        ],
    );
}

/// One FIN, even if something else is cancelled before the provider has sent it.
#[test]
fn half_closing_cancel_of_a_receive_sends_no_second_fin() {
    play(
        accepted(),
        &[
            (Recv, &[]),
            (SD_SEND, &[Asks(SendFin)]),
            (Step::Cancel(1), &[Done(1, Cancelled)]),
            (Step::CancelAll, &[]),
            (Perform, &[]),
        ],
    );
}

// DisconnectEx, TF_REUSE_SOCKET.

/// TransmitFile page: not before all data the peer sent has been read and its FIN has come. Active
/// closer: this side's FIN is first.
#[test]
fn connected_reuse_waits_for_data_and_fin() {
    let rig = play(
        connected(),
        &[
            (REUSE, &[Asks(SendFin)]),
            (Perform, &[Asks(AwaitFin)]),
            (Send, &[SHUT_DOWN]),
            (Recv, &[]),
            (RecvDone, &[Done(3, Success)]),
            (Recv, &[]),
            (PEER_FIN, &[Asks(RecycleConnected), Done(4, Success)]),
            (Recv, &[End]),
            (Perform, &[]),
            (Perform, &[Done(2, Success)]),
        ],
    );
    ends(&rig, Phase::BoundRecycled, CloseReason::LocalGraceful);
}

/// Passive closer, nothing queued: recycling sends the FIN by itself, and nobody is waited for.
#[test]
fn peer_ended_reuse_recycles_at_once() {
    let rig = play(
        accepted(),
        &[(PEER_FIN, &[]), (REUSE, &[Asks(RecycleAccepted)]), (Perform, &[Done(1, Success)])],
    );
    ends(&rig, Phase::OpenRecycled, CloseReason::PeerFin);
}

/// Passive closer with sends queued: they go first, then the FIN, then the handle is recycled.
#[test]
fn peer_ended_reuse_sends_what_is_queued_first() {
    let rig = play(
        accepted(),
        &[
            (PEER_FIN, &[]),
            (Send, &[]),
            (REUSE, &[]),
            (SendDone, &[Done(1, Success), Asks(SendFin)]),
            (Perform, &[Asks(RecycleAccepted)]),
            (Perform, &[Done(2, Success)]),
        ],
    );
    ends(&rig, Phase::OpenRecycled, CloseReason::PeerFin);
}

/// The peer's FIN overtakes ours on the way: no recycling before ours has been sent.
#[test]
fn disconnecting_peer_fin_before_own_fin_waits_for_own() {
    play(
        accepted(),
        &[
            (REUSE, &[Asks(SendFin)]),
            (PEER_FIN, &[]),
            (Perform, &[Asks(RecycleAccepted)]),
            (Perform, &[Done(1, Success)]),
        ],
    );
}

/// compio tcp_disconnect: both ends disconnect with reuse at once, both complete.
#[test]
fn disconnecting_both_ends_at_once_both_complete() {
    for (rig, recycle) in [(accepted(), RecycleAccepted), (connected(), RecycleConnected)] {
        let first = rig.issued() + 1;
        play(
            rig,
            &[
                (REUSE, &[Asks(SendFin)]),
                (Perform, &[Asks(AwaitFin)]),
                (PEER_FIN, &[Asks(recycle)]),
                (Perform, &[]),
                (Perform, &[Done(first, Success)]),
            ],
        );
    }
}

#[test]
fn disconnecting_second_disconnect_is_refused() {
    play(
        accepted(),
        &[
            (REUSE, &[Asks(SendFin)]),
            (REUSE, &[NOT_CONNECTED]),
            (HALF_CLOSE, &[NOT_CONNECTED]),
            (Perform, &[Asks(AwaitFin)]),
            (REUSE, &[NOT_CONNECTED]),
        ],
    );
}

/// 4: "CancelIoEx … end it at once". The FIN cannot be called back; a second reuse may follow.
#[test]
fn disconnecting_cancel_leaves_it_half_closed() {
    play(
        accepted(),
        &[
            (REUSE, &[Asks(SendFin)]),
            (Perform, &[Asks(AwaitFin)]),
            (Step::CancelAll, &[Done(1, Cancelled)]),
            (Send, &[SHUT_DOWN]),
            (Recv, &[]),
            (HALF_CLOSE, &[NOT_CONNECTED]),
            (FIN_WAIT_EXPIRED, &[]),
            (REUSE, &[Asks(AwaitFin)]),
            (PEER_FIN, &[Asks(RecycleAccepted), Done(2, Success)]),
        ],
    );
}

/// Cancelled before the provider has sent the FIN: it is sent all the same, once.
#[test]
fn disconnecting_cancel_before_the_fin_sends_it_once() {
    play(
        accepted(),
        &[
            (REUSE, &[Asks(SendFin)]),
            (Step::CancelAll, &[Done(1, Cancelled)]),
            (REUSE, &[]),
            (Perform, &[Asks(AwaitFin)]),
        ],
    );
}

/// Both directions are over, so there is no connection to go back to; only the wait is cancelled.
#[test]
fn recycling_cancel_leaves_it_recycled() {
    play(
        accepted(),
        &[
            (PEER_FIN, &[]),
            (REUSE, &[Asks(RecycleAccepted)]),
            (Step::CancelAll, &[Done(1, Cancelled)]),
            (Perform, &[]),
            (Step::AcceptInto, &[]),
        ],
    );
}

/// Recycling sends the FIN that is still ours to send; nobody else asks for it, and no data can
/// come.
#[test]
fn recycling_shutdown_asks_for_nothing() {
    play(
        accepted(),
        &[
            (PEER_FIN, &[]),
            (REUSE, &[Asks(RecycleAccepted)]),
            (SD_BOTH, &[]),
            (FIN_THEN_RESET, &[Done(1, Aborted)]),
            (Send, &[SHUT_DOWN]),
        ],
    );
}

/// 4: "TcpFinWait2Delay … ends it with a reset and WSAETIMEDOUT".
#[test]
fn disconnecting_fin_wait_expired_resets_and_times_out() {
    let rig = play(
        accepted(),
        &[
            (Recv, &[]),
            (REUSE, &[Asks(SendFin)]),
            (Perform, &[Asks(AwaitFin)]),
            (FIN_WAIT_EXPIRED, &[Asks(Abort), Done(1, TimedOut), Done(2, TimedOut)]),
            (Recv, &[GAVE_UP]),
            (Send, &[SHUT_DOWN]),
        ],
    );
    ends(&rig, Phase::Closed, CloseReason::LocalAbort(AbortCause::FinWaitTimeout));
}

/// The safe API's graceful disconnect: ours behind the data, then the peer's, and the handle stays.
#[test]
fn disconnecting_gracefully_waits_for_the_peer_and_recycles_nothing() {
    let rig = play(
        accepted(),
        &[
            (Send, &[]),
            (GRACEFUL, &[]),
            (Send, &[SHUT_DOWN]),
            (SendDone, &[Done(1, Success), Asks(SendFin)]),
            (Perform, &[Asks(AwaitFin)]),
            (PEER_FIN, &[Done(2, Success)]),
            (Recv, &[End]),
            (REUSE, &[Asks(RecycleAccepted)]),
        ],
    );
    assert_eq!(rig.endpoint.reason(), Some(CloseReason::LocalGraceful));
}

/// With the peer's FIN here it is over as soon as ours is given to the transport.
#[test]
fn disconnecting_gracefully_after_the_peer() {
    let rig = play(
        accepted(),
        &[(PEER_FIN, &[]), (GRACEFUL, &[Asks(SendFin)]), (Perform, &[Done(1, Success)])],
    );
    assert_eq!(rig.phase(), Phase::Connected);
    assert_eq!(rig.endpoint.reason(), Some(CloseReason::PeerFin));
}

/// Sockets that two processes have (WSADuplicateSocket page, "only one underlying socket"): what
/// one closes is closed for the other, whose receives go on.
#[test]
fn a_half_that_another_process_closes_is_closed() {
    const CLOSED: Step = Report(Indication::SendClosedElsewhere);
    let rig = play(
        accepted(),
        &[
            (Send, &[]),
            (Recv, &[]),
            (HALF_CLOSE, &[]),
            (CLOSED, &[Done(1, Shut), Done(3, Success)]),
            (CLOSED, &[]),
            (Send, &[Refused(10058)]),
            (RecvDone, &[Done(2, Success)]),
            (REUSE, &[Asks(AwaitFin)]),
            (PEER_FIN, &[Asks(RecycleAccepted)]),
            (CLOSED, &[]),
        ],
    );
    assert_eq!(rig.phase(), Phase::Disconnecting);
}

/// WskDisconnect (S 004, chimney contract): over when the peer has acknowledged data and FIN; not
/// before the FIN is sent, and the connection stays half open.
#[test]
fn half_closing_until_delivered_waits_for_the_acknowledgement() {
    const DELIVERED_MODE: Step = Step::Disconnect(DisconnectMode::Delivered);
    const DELIVERED: Step = Report(Indication::Delivered);
    let rig = play(
        accepted(),
        &[
            (Send, &[]),
            (DELIVERED_MODE, &[]),
            (DELIVERED, &[]),
            (SendDone, &[Done(1, Success), Asks(SendFin)]),
            (DELIVERED, &[]),
            (Perform, &[Asks(AwaitDelivery)]),
            (Recv, &[]),
            (DELIVERED, &[Done(2, Success)]),
            (DELIVERED, &[]),
            (RecvDone, &[Done(3, Success)]),
        ],
    );
    assert!(!rig.endpoint.state().link().unwrap().is_over(), "the peer has not closed");
    let rig = play(rig, &[(PEER_FIN, &[])]);
    assert!(rig.endpoint.state().link().unwrap().is_over());
    let rig = play(accepted(), &[(PEER_FIN, &[]), (Send, &[])]);
    assert!(!rig.endpoint.state().link().unwrap().is_over(), "our FIN is not sent");
}

/// A handle is recycled once, however often the peer's FIN is seen.
#[test]
fn recycling_a_second_peer_fin_recycles_no_more() {
    play(
        accepted(),
        &[(PEER_FIN, &[]), (REUSE, &[Asks(RecycleAccepted)]), (PEER_FIN, &[]), (SD_SEND, &[])],
    );
}

/// CancelIoEx tells how many there were, whatever is told of others at the same time.
#[test]
fn cancel_counts_what_it_cancelled() {
    let mut rig = play(accepted(), &[(Recv, &[]), (Recv, &[]), (Send, &[])]);
    assert_eq!(rig.endpoint.cancel(|_| true), 3);
    assert_eq!(rig.endpoint.cancel(|_| true), 0);
}

/// Everything pending fails, the sticky status says who did it, and there is nothing left to abort.
#[test]
fn abort_resets_and_completes_everything() {
    let rig = play(
        accepted(),
        &[
            (Recv, &[]),
            (Send, &[]),
            (GRACEFUL, &[]),
            (RESET, &[Asks(Abort), Done(1, Aborted), Done(2, Aborted), Done(3, Aborted)]),
            (Recv, &[WAS_ABORTED]),
            (RESET, &[NOT_CONNECTED]),
        ],
    );
    ends(&rig, Phase::Closed, CloseReason::LocalAbort(AbortCause::Requested));
}

/// The delay belongs to the disconnect with reuse and to nothing else.
#[test]
fn half_closed_fin_wait_expired_means_nothing() {
    for steps in [&[][..], &[SD_SEND, Perform], &[PEER_FIN, REUSE]] {
        let mut rig = accepted();
        for step in steps {
            rig.step(*step);
        }
        let phase = rig.phase();
        assert_eq!(rig.step(FIN_WAIT_EXPIRED), []);
        assert_eq!(rig.phase(), phase, "{steps:?}");
    }
}

// The handle after reuse.

/// AcceptEx page: "neither bound nor connected"; DisconnectEx page: "AcceptEx or ConnectEx".
#[test]
fn accepted_recycled_takes_accept_ex_and_connect_ex() {
    for (next, phase) in
        [(Step::AcceptInto, Phase::Accepting), (Step::ConnectEx, Phase::ConnectingEx)]
    {
        let mut rig = play(accepted(), &[(PEER_FIN, &[]), (REUSE, &[Asks(RecycleAccepted)])]);
        rig.step(Perform);
        assert_eq!(rig.phase(), Phase::OpenRecycled);
        assert_eq!(rig.step(Step::LocalName), [Refused(10022)], "test_getsockname: unbound");
        assert_eq!(rig.step(next), []);
        assert_eq!(rig.phase(), phase);
    }
}

/// ConnectEx page: "not connected, but still bound"; DisconnectTest: no second bind.
#[test]
fn connected_recycled_stays_bound_and_takes_both() {
    for (next, phase) in
        [(Step::AcceptInto, Phase::Accepting), (Step::ConnectEx, Phase::ConnectingEx)]
    {
        let mut rig = play(connected(), &[(PEER_FIN, &[]), (REUSE, &[Asks(RecycleConnected)])]);
        rig.step(Perform);
        assert_eq!(rig.phase(), Phase::BoundRecycled);
        assert_eq!(rig.step(Step::LocalName), []);
        assert_eq!(rig.step(next), []);
        assert_eq!(rig.phase(), phase);
    }
}

/// A handle lives through many connections, and each begins with nothing of the last.
#[test]
fn recycled_next_connection_starts_afresh() {
    let mut rig = accepted();
    for _ in 0..3 {
        let first = rig.issued() + 1;
        rig = play(
            rig,
            &[
                (Send, &[]),
                (SendDone, &[Done(first, Success)]),
                (Recv, &[]),
                (PEER_FIN, &[Done(first + 1, Success)]),
                (REUSE, &[Asks(RecycleAccepted)]),
                (Perform, &[Done(first + 2, Success)]),
                (Step::AcceptInto, &[]),
                (Step::Accepted(Context::AwaitsUpdate), &[]),
                (Step::Update(Origin::Accepted), &[]),
            ],
        );
        assert_eq!((rig.phase(), rig.endpoint.reason()), (Phase::Connected, None));
    }
}

/// A refused or cancelled connection leaves a recycled handle recycled.
#[test]
fn recycled_failed_attempts_keep_it_recycled() {
    let rig = play(
        connected(),
        &[
            (PEER_FIN, &[]),
            (REUSE, &[Asks(RecycleConnected)]),
            (Perform, &[Done(2, Success)]),
            (Step::ConnectEx, &[]),
            (Step::ConnectFailed, &[Done(3, Was::ConnectRefused)]),
            (Step::ConnectEx, &[]),
            (Step::CancelAll, &[Asks(Abort), Done(4, Cancelled)]),
            (Step::AcceptInto, &[]),
            (Step::AbandonAccept, &[]),
        ],
    );
    ends(&rig, Phase::BoundRecycled, CloseReason::Cancelled);
}

// SD_RECEIVE, WSARecvDisconnect.

/// WSARecvDisconnect page: data queued or arriving later resets the connection.
#[test]
fn receive_shut_data_resets() {
    let rig = play(
        accepted(),
        &[
            (Send, &[]),
            (SD_RECEIVE, &[Asks(RefuseData)]),
            (Recv, &[SHUT_DOWN]),
            (DATA_REFUSED, &[Asks(Abort), Done(1, Aborted)]),
            (Recv, &[SHUT_DOWN]),
            (Send, &[WAS_ABORTED]),
        ],
    );
    ends(&rig, Phase::Closed, CloseReason::LocalAbort(AbortCause::DataAfterReceiveShutdown));
}

/// 4: "a FIN does not".
#[test]
fn receive_shut_fin_does_not_reset() {
    let rig = play(
        accepted(),
        &[(SD_RECEIVE, &[Asks(RefuseData)]), (PEER_FIN, &[]), (Recv, &[SHUT_DOWN]), (Send, &[])],
    );
    ends(&rig, Phase::Connected, CloseReason::PeerFin);
}

/// test_shutdown: an overlapped WSARecv that was pending survives and takes the data.
#[test]
fn receive_shut_pending_receive_survives() {
    play(
        accepted(),
        &[
            (Recv, &[]),
            (Recv, &[]),
            (SD_RECEIVE, &[]),
            (Recv, &[SHUT_DOWN]),
            (RecvDone, &[Done(1, Success)]),
            (RecvDone, &[Done(2, Success), Asks(RefuseData)]),
            (DATA_REFUSED, &[Asks(Abort)]),
        ],
    );
}

/// When the receive that survived is cancelled, nobody may take the data any more.
#[test]
fn receive_shut_cancel_of_the_last_receive_refuses_data() {
    play(
        accepted(),
        &[
            (Recv, &[]),
            (Recv, &[]),
            (SD_RECEIVE, &[]),
            (Step::Cancel(2), &[Done(2, Cancelled)]),
            (Step::Cancel(1), &[Asks(RefuseData), Done(1, Cancelled)]),
        ],
    );
}

/// The FIN completes the receive that survived; there is no data left to refuse.
#[test]
fn receive_shut_fin_completes_the_pending_receive() {
    play(accepted(), &[(Recv, &[]), (SD_RECEIVE, &[]), (PEER_FIN, &[Done(1, Success)])]);
}

/// Peer data that nobody may read can never be "read before its FIN": the reset ends the reuse.
#[test]
fn disconnecting_receive_shut_data_fails_the_reuse() {
    play(
        accepted(),
        &[
            (SD_RECEIVE, &[Asks(RefuseData)]),
            (Perform, &[]),
            (REUSE, &[Asks(SendFin)]),
            (Perform, &[Asks(AwaitFin)]),
            (DATA_REFUSED, &[Asks(Abort), Done(1, Aborted)]),
        ],
    );
}

/// With data waiting at SD_BOTH the connection is reset. The FIN that was asked for in the same
/// breath is pointless by then.
#[test]
fn connected_shutdown_both_with_data_waiting_only_resets() {
    let mut rig = accepted();
    rig.endpoint.shutdown(Shutdown::Both).unwrap();
    let first = rig.endpoint.poll_request();
    assert_eq!(first, Some(linsock_afd::Request::RefuseData));
    rig.endpoint.handle_indication(Indication::DataRefused);
    assert_eq!(rig.endpoint.poll_request(), Some(linsock_afd::Request::Abort));
    assert_eq!(rig.endpoint.poll_request(), None);
}

// Resets.

/// test_tcp_reset: pending WSARecv WSAECONNRESET, later transfers too; all that is pending fails.
#[test]
fn connected_peer_reset_fails_everything() {
    let rig = play(
        accepted(),
        &[
            (Recv, &[]),
            (Send, &[]),
            (HALF_CLOSE, &[]),
            (PEER_RESET, &[Done(1, Reset), Done(2, Reset), Done(3, Reset)]),
            (Recv, &[WAS_RESET]),
            (Recv, &[WAS_RESET]),
            (SD_SEND, &[NOT_CONNECTED]),
            (REUSE, &[NOT_CONNECTED]),
        ],
    );
    ends(&rig, Phase::Closed, CloseReason::PeerReset);
}

/// test_shutdown: "Send data to a peer which is closed": WSAECONNABORTED.
#[test]
fn peer_ended_reset_aborts() {
    let rig = play(
        accepted(),
        &[
            (PEER_FIN, &[]),
            (Send, &[]),
            (FIN_THEN_RESET, &[Done(1, Aborted)]),
            (Recv, &[WAS_ABORTED]),
            (Send, &[WAS_ABORTED]),
        ],
    );
    ends(&rig, Phase::Closed, CloseReason::PeerResetAfterFin);
}

/// winsock-semantics 2.2: the peer resets while it is pending: STATUS_CONNECTION_RESET (expected).
#[test]
fn disconnecting_peer_reset_fails_the_reuse() {
    let rig = play(
        accepted(),
        &[
            (Recv, &[]),
            (REUSE, &[Asks(SendFin)]),
            (Perform, &[Asks(AwaitFin)]),
            (PEER_RESET, &[Done(1, Reset), Done(2, Reset)]),
        ],
    );
    ends(&rig, Phase::Closed, CloseReason::PeerReset);
}

/// A recycling that comes too late for a connection that was reset recycles nothing.
#[test]
fn recycling_reset_wins() {
    play(
        accepted(),
        &[
            (PEER_FIN, &[]),
            (REUSE, &[Asks(RecycleAccepted)]),
            (FIN_THEN_RESET, &[Done(1, Aborted)]),
            (Report(Indication::Recycled), &[]),
            (Recv, &[WAS_ABORTED]),
        ],
    );
}

#[test]
fn connected_transport_gives_up_times_out() {
    let rig =
        play(accepted(), &[(Recv, &[]), (TIMED_OUT, &[Done(1, TimedOut)]), (Send, &[GAVE_UP])]);
    ends(&rig, Phase::Closed, CloseReason::Timeout);
}

/// recv page: WSAECONNABORTED.
#[test]
fn connected_host_ends_it_aborts() {
    let steps = [
        (Recv, &[][..]),
        (Report(Indication::EndedFromOutside), &[Done(1, Aborted)]),
        (Send, &[WAS_ABORTED]),
    ];
    let rig = play(accepted(), &steps);
    ends(&rig, Phase::Closed, CloseReason::LocalAbort(AbortCause::FromOutside));
}

/// Without a connection there is nothing to end.
#[test]
fn unconnected_indications_mean_nothing() {
    let paths: [&[Step]; 5] = [
        &[],
        &[Step::Bind, Step::Listen, Step::Accept],
        &[Step::AcceptInto, Step::FirstReceive],
        &[Step::Bind, Step::ConnectEx],
        &[Step::Accepted(Context::Current), PEER_RESET],
    ];
    let stray = [
        Report(Indication::FinSent),
        PEER_FIN,
        PEER_RESET,
        FIN_THEN_RESET,
        TIMED_OUT,
        FIN_WAIT_EXPIRED,
        DATA_REFUSED,
        Report(Indication::Recycled),
    ];
    for path in paths {
        for indication in stray {
            let mut rig = Rig::after(path);
            let before = rig.print();
            assert_eq!(rig.step(indication), []);
            assert_eq!(rig.print(), before, "{indication:?} after {path:?}");
        }
    }
}

// closesocket.

/// test_iocp: a pending WSARecv gets STATUS_CONNECTION_ABORTED; test_send_buffering: what was sent
/// still goes out.
#[test]
fn connected_close_aborts_receives_and_owes_sends() {
    let rig = play(
        accepted(),
        &[
            (Recv, &[]),
            (Send, &[]),
            (Recv, &[]),
            (Send, &[]),
            (CLOSE, &[Owed(2), Owed(4), Done(1, Aborted), Done(3, Aborted)]),
        ],
    );
    assert_eq!(rig.endpoint.reason(), Some(CloseReason::LocalGraceful));
}

/// closesocket page: linger 0 is abortive; nothing is owed.
#[test]
fn connected_abort_drops_sends() {
    let rig = play(
        accepted(),
        &[(Recv, &[]), (Send, &[]), (ABORT, &[Done(1, Aborted), Done(2, Aborted)])],
    );
    assert_eq!(rig.endpoint.reason(), Some(CloseReason::LocalAbort(AbortCause::LingerZero)));
}

#[test]
fn half_closing_close_cancels_the_half_close() {
    play(accepted(), &[(Send, &[]), (HALF_CLOSE, &[]), (CLOSE, &[Owed(1), Done(2, Cancelled)])]);
}

/// 4: "closesocket end[s] it at once".
#[test]
fn disconnecting_close_cancels_the_reuse() {
    play(
        accepted(),
        &[
            (Recv, &[]),
            (REUSE, &[Asks(SendFin)]),
            (Perform, &[Asks(AwaitFin)]),
            (CLOSE, &[Done(1, Aborted), Done(2, Cancelled)]),
        ],
    );
}

#[test]
fn recycling_close_cancels_the_reuse() {
    play(
        accepted(),
        &[
            (PEER_FIN, &[]),
            (REUSE, &[Asks(RecycleAccepted)]),
            (CLOSE, &[Done(1, Cancelled)]),
            (Report(Indication::Recycled), &[]),
        ],
    );
}

/// test_AcceptEx: closing the listener cancels its accepts.
#[test]
fn listening_close_cancels_accepts() {
    play(
        Rig::after(&[Step::Bind, Step::Listen]),
        &[
            (Step::Accept, &[]),
            (Step::Accept, &[]),
            (CLOSE, &[Done(1, Cancelled), Done(2, Cancelled)]),
        ],
    );
}

/// test_completion_port: connected and waiting for data when closed: CANCELLED is one of the two
/// accepted answers.
#[test]
fn accepting_close_cancels_the_first_receive() {
    play(
        Rig::after(&[Step::AcceptInto]),
        &[(Step::FirstReceive, &[]), (CLOSE, &[Done(1, Cancelled)])],
    );
}

#[test]
fn connecting_close_cancels_and_abandons() {
    for connect in [Step::ConnectBlocking, Step::ConnectEx] {
        let rig =
            play(Rig::after(&[Step::Bind]), &[(connect, &[]), (CLOSE, &[Done(1, Cancelled)])]);
        assert_eq!(
            rig.endpoint.reason(),
            Some(CloseReason::LocalAbort(AbortCause::ConnectAbandoned))
        );
    }
}

/// Everything was told at the reset; close adds nothing.
#[test]
fn dead_close_completes_nothing_more() {
    let rig = play(accepted(), &[(Recv, &[]), (PEER_RESET, &[Done(1, Reset)]), (CLOSE, &[])]);
    assert_eq!(rig.endpoint.reason(), Some(CloseReason::PeerReset));
}

/// A second close, as a race may bring it, is harmless.
#[test]
fn closed_close_again_does_nothing() {
    play(accepted(), &[(Recv, &[]), (CLOSE, &[Done(1, Aborted)]), (CLOSE, &[]), (ABORT, &[])]);
}

/// A reason is how a connection ended: without one there is none (`Endpoint::reason`).
#[test]
fn unconnected_close_has_no_reason() {
    let paths: [&[Step]; 4] =
        [&[], &[Step::Bind], &[Step::Bind, Step::Listen], &[Step::AcceptInto]];
    for path in paths {
        for mode in [CloseMode::Graceful, CloseMode::Abort] {
            let mut rig = Rig::after(path);
            rig.step(Step::Close(mode));
            assert_eq!(rig.endpoint.reason(), None, "{path:?} {mode:?}");
        }
    }
}

/// The first FIN decides (`Endpoint::reason`), whoever closes the handle afterwards.
#[test]
fn ended_close_keeps_who_was_first() {
    let first: [(&[Step], CloseReason); 4] = [
        (&[PEER_FIN], CloseReason::PeerFin),
        (&[PEER_FIN, SD_SEND, Perform], CloseReason::PeerFin),
        (&[SD_SEND, Perform], CloseReason::LocalGraceful),
        (&[SD_SEND, Perform, PEER_FIN], CloseReason::LocalGraceful),
    ];
    for (steps, reason) in first {
        let mut rig = accepted();
        for step in steps {
            rig.step(*step);
        }
        rig.step(CLOSE);
        assert_eq!(rig.endpoint.reason(), Some(reason), "{steps:?}");
    }
}

// Cancelling what makes connections.

/// test_AcceptEx: CancelIo on the listener.
#[test]
fn listening_cancel_takes_one_accept() {
    play(
        Rig::after(&[Step::Bind, Step::Listen]),
        &[
            (Step::Accept, &[]),
            (Step::Accept, &[]),
            (Step::Cancel(1), &[Done(1, Cancelled)]),
            (Step::AcceptDone, &[Done(2, Success)]),
        ],
    );
}

/// The connection that waited for its first data is dropped; the handle is as before.
#[test]
fn accepting_cancel_of_the_first_receive_aborts() {
    let rig = play(
        Rig::after(&[Step::AcceptInto]),
        &[(Step::FirstReceive, &[]), (Step::CancelAll, &[Asks(Abort), Done(1, Cancelled)])],
    );
    assert_eq!(rig.phase(), Phase::Open);
}

/// One AcceptEx per handle: a second connection for it is not taken, and the first IRP is not lost.
#[test]
fn accepting_second_first_receive_is_given_back() {
    play(
        Rig::after(&[Step::AcceptInto]),
        &[
            (Step::FirstReceive, &[]),
            (Step::FirstReceive, &[Done(2, Cancelled)]),
            (Step::FirstData, &[Done(1, Success)]),
        ],
    );
}

/// A connection for a handle that is not free for one changes nothing: no IRP may get lost (I1).
#[test]
fn busy_accepted_changes_nothing() {
    let paths: [&[Step]; 4] = [
        &[Step::AcceptInto, Step::FirstReceive],
        &[Step::Bind, Step::Listen, Step::Accept],
        &[Step::Bind, Step::ConnectEx],
        &[Step::Accepted(Context::Current), REUSE],
    ];
    for path in paths {
        let mut rig = Rig::after(path);
        let before = rig.print();
        rig.step(Step::Accepted(Context::Current));
        assert_eq!(rig.print(), before, "{path:?}");
    }
}

/// 4: a cancelled ConnectEx leaves the endpoint as before it.
#[test]
fn connecting_cancel_returns_to_bound() {
    let rig = play(
        Rig::after(&[Step::Bind]),
        &[(Step::ConnectEx, &[]), (Step::CancelAll, &[Asks(Abort), Done(1, Cancelled)])],
    );
    ends(&rig, Phase::Bound, CloseReason::Cancelled);
}

/// What was sent or received in the order of issue completes in that order
/// (test_simultaneous_async_recv), with cancelled ones taken out.
#[test]
fn connected_cancel_keeps_the_order_of_the_rest() {
    play(
        accepted(),
        &[
            (Recv, &[]),
            (Recv, &[]),
            (Recv, &[]),
            (Step::Cancel(2), &[Done(2, Cancelled)]),
            (RecvDone, &[Done(1, Success)]),
            (RecvDone, &[Done(3, Success)]),
        ],
    );
}

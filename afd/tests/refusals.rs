//! Every phase refuses what it should: all phases times all verbs, against a table that was written
//! from the documents and not from the code.
//!
//! Sources: a `test_…` name is a test of Wine that runs on Windows (winsock-semantics 1 quotes it);
//! a "page" is the function's page; "4" is design section 4; "choice" is ours where nothing speaks.

#[path = "harness/rig.rs"]
mod rig;

use linsock_afd::endpoint::state::{Context, Origin, Phase, Verb};
use linsock_afd::{DisconnectMode, Indication, Shutdown};
use rig::{Outcome, Rig, Step};

const EINVAL: u32 = 10022;
const EALREADY: u32 = 10037;
const EISCONN: u32 = 10056;
const ENOTCONN: u32 = 10057;
const ESHUTDOWN: u32 = 10058;
const ECONNRESET: u32 = 10054;
const OK: u32 = 0;

/// The phases of a row, the verb, its WSA error (0: allowed), and who says so.
type Row = (Verb, &'static [Phase], u32, &'static str);

const NEW: &[Phase] = &[Phase::Open];
const RECYCLED: &[Phase] = &[Phase::OpenRecycled];
const UNBOUND: &[Phase] = &[Phase::Open, Phase::OpenRecycled];
const BOUND: &[Phase] = &[Phase::Bound, Phase::BoundRecycled];
const LISTENING: &[Phase] = &[Phase::Listening];
const ACCEPTING: &[Phase] = &[Phase::Accepting];
const MAKING: &[Phase] = &[Phase::Connecting, Phase::ConnectingEx];
const RAW: &[Phase] = &[Phase::AcceptedRaw, Phase::ConnectedRaw];
const LIVE: &[Phase] = &[Phase::Connected, Phase::AcceptedRaw, Phase::ConnectedRaw];
const ENDING: &[Phase] = &[Phase::Disconnecting];
const DEAD: &[Phase] = &[Phase::Closed];
const IDLE: &[Phase] =
    &[Phase::Open, Phase::OpenRecycled, Phase::Bound, Phase::BoundRecycled, Phase::Accepting];

const TABLE: &[Row] = &[
    (Verb::Bind, UNBOUND, OK, "bind page"),
    (Verb::Bind, BOUND, EINVAL, "test_bind: twice"),
    (Verb::Bind, LISTENING, EINVAL, "bind page: already bound"),
    (Verb::Bind, ACCEPTING, EINVAL, "choice: reserved for the AcceptEx"),
    (Verb::Bind, MAKING, EINVAL, "bind page: already bound"),
    (Verb::Bind, LIVE, EINVAL, "bind page: already bound"),
    (Verb::Bind, ENDING, EINVAL, "as connected"),
    (Verb::Bind, DEAD, EINVAL, "as connected"),
    //
    (Verb::Listen, UNBOUND, EINVAL, "test_listen: unbound"),
    (Verb::Listen, BOUND, OK, "test_listen"),
    (Verb::Listen, LISTENING, OK, "test_listen: twice"),
    (Verb::Listen, ACCEPTING, EINVAL, "choice: reserved for the AcceptEx"),
    (Verb::Listen, MAKING, EINVAL, "choice: it is about to be connected"),
    (Verb::Listen, LIVE, EISCONN, "test_listen: connected"),
    (Verb::Listen, ENDING, EISCONN, "as connected"),
    (Verb::Listen, DEAD, EISCONN, "as connected"),
    //
    (Verb::Accept, UNBOUND, EINVAL, "test_accept: not listening"),
    (Verb::Accept, BOUND, EINVAL, "test_AcceptEx: bound, not listening"),
    (Verb::Accept, LISTENING, OK, "test_accept"),
    (Verb::Accept, ACCEPTING, EINVAL, "test_accept: not listening"),
    (Verb::Accept, MAKING, EINVAL, "test_accept: not listening"),
    (Verb::Accept, LIVE, EINVAL, "test_accept: not listening"),
    (Verb::Accept, ENDING, EINVAL, "test_accept: not listening"),
    (Verb::Accept, DEAD, EINVAL, "test_accept: not listening"),
    //
    (Verb::AcceptInto, NEW, OK, "test_AcceptEx"),
    (Verb::AcceptInto, RECYCLED, OK, "AcceptEx page: neither bound nor connected"),
    (Verb::AcceptInto, &[Phase::Bound], EINVAL, "test_AcceptEx: acceptor bound"),
    (Verb::AcceptInto, &[Phase::BoundRecycled], OK, "4: AcceptEx and ConnectEx after reuse"),
    (Verb::AcceptInto, LISTENING, EINVAL, "test_AcceptEx: acceptor bound"),
    (Verb::AcceptInto, ACCEPTING, EINVAL, "test_AcceptEx: in a pending AcceptEx"),
    (Verb::AcceptInto, MAKING, EINVAL, "choice: it is about to be connected"),
    (Verb::AcceptInto, LIVE, EINVAL, "test_AcceptEx: acceptor connected, either end"),
    (Verb::AcceptInto, ENDING, EINVAL, "as connected"),
    (Verb::AcceptInto, DEAD, EINVAL, "as connected"),
    //
    (Verb::Connect, UNBOUND, OK, "test_connect"),
    (Verb::Connect, BOUND, OK, "test_connect"),
    (Verb::Connect, LISTENING, EINVAL, "test_connect: listener"),
    (Verb::Connect, ACCEPTING, EINVAL, "test_AcceptEx: connect(acceptor)"),
    (Verb::Connect, &[Phase::Connecting], EALREADY, "test_connecting_socket"),
    (Verb::Connect, &[Phase::ConnectingEx], EINVAL, "test_connecting_socket"),
    (Verb::Connect, &[Phase::Connected], EISCONN, "test_connect"),
    (Verb::Connect, &[Phase::ConnectedRaw], EINVAL, "test_connect: ConnectEx, not updated"),
    (Verb::Connect, &[Phase::AcceptedRaw], EINVAL, "choice: as ConnectEx, not updated"),
    (Verb::Connect, ENDING, EISCONN, "test_DisconnectEx: after the half-close"),
    (Verb::Connect, DEAD, EISCONN, "winsock-semantics 9: EISCONN until reuse"),
    //
    (Verb::ConnectEx, NEW, EINVAL, "test_connect: not bound"),
    (Verb::ConnectEx, RECYCLED, OK, "4: AcceptEx and ConnectEx after reuse"),
    (Verb::ConnectEx, BOUND, OK, "test_connect; DisconnectTest: no second bind"),
    (Verb::ConnectEx, LISTENING, EINVAL, "test_connect: listener"),
    (Verb::ConnectEx, ACCEPTING, EINVAL, "test_AcceptEx: ConnectEx(acceptor)"),
    (Verb::ConnectEx, MAKING, EINVAL, "test_connecting_socket"),
    (Verb::ConnectEx, LIVE, EISCONN, "test_connect: by connect, accept or ConnectEx"),
    (Verb::ConnectEx, ENDING, EISCONN, "DisconnectTest: reuse false"),
    (Verb::ConnectEx, DEAD, EISCONN, "winsock-semantics 9: EISCONN until reuse"),
    //
    (Verb::Send, IDLE, ENOTCONN, "test_completion_port: unconnected"),
    (Verb::Send, LISTENING, ENOTCONN, "test_completion_port: unconnected"),
    (Verb::Send, MAKING, ENOTCONN, "test_connecting_socket"),
    (Verb::Send, LIVE, OK, "AcceptEx, ConnectEx pages: before the update too"),
    (Verb::Send, ENDING, ESHUTDOWN, "test_DisconnectEx: local send"),
    (Verb::Send, DEAD, ECONNRESET, "test_tcp_reset: sticky"),
    //
    (Verb::Recv, IDLE, ENOTCONN, "test_completion_port: unconnected"),
    (Verb::Recv, LISTENING, ENOTCONN, "test_completion_port: unconnected"),
    (Verb::Recv, MAKING, ENOTCONN, "test_connecting_socket"),
    (Verb::Recv, LIVE, OK, "AcceptEx, ConnectEx pages: before the update too"),
    (Verb::Recv, ENDING, OK, "4: the peer's data has to be read"),
    (Verb::Recv, DEAD, ECONNRESET, "test_tcp_reset: sticky"),
    //
    (Verb::Shutdown, IDLE, ENOTCONN, "test_shutdown: unconnected"),
    (Verb::Shutdown, LISTENING, ENOTCONN, "test_shutdown: listening"),
    (Verb::Shutdown, MAKING, ENOTCONN, "test_shutdown: unconnected"),
    (Verb::Shutdown, &[Phase::Connected], OK, "test_shutdown"),
    (Verb::Shutdown, RAW, ENOTCONN, "AcceptEx, ConnectEx pages: not updated"),
    (Verb::Shutdown, ENDING, OK, "test_shutdown: repeated"),
    (Verb::Shutdown, DEAD, ENOTCONN, "choice: there is nothing to shut down"),
    //
    (Verb::Disconnect, IDLE, ENOTCONN, "test_DisconnectEx: never connected"),
    (Verb::Disconnect, LISTENING, ENOTCONN, "choice: as shutdown in test_shutdown"),
    (Verb::Disconnect, MAKING, ENOTCONN, "DisconnectEx page: not connected"),
    (Verb::Disconnect, LIVE, OK, "test_DisconnectEx; choice: before the update too"),
    (Verb::Disconnect, ENDING, ENOTCONN, "DisconnectEx page: transmit side closing"),
    (Verb::Disconnect, DEAD, ENOTCONN, "DisconnectEx page: not connected"),
    //
    (Verb::PeerName, IDLE, ENOTCONN, "test_getpeername"),
    (Verb::PeerName, LISTENING, ENOTCONN, "test_getpeername"),
    (Verb::PeerName, &[Phase::Connecting], OK, "test_connecting_socket: during connect"),
    (Verb::PeerName, &[Phase::ConnectingEx], ENOTCONN, "test_connecting_socket: during ConnectEx"),
    (Verb::PeerName, &[Phase::Connected], OK, "test_getpeername"),
    (Verb::PeerName, RAW, ENOTCONN, "AcceptEx, ConnectEx pages: not updated"),
    (Verb::PeerName, ENDING, OK, "test_DisconnectEx: both ends"),
    (Verb::PeerName, DEAD, OK, "choice: the address is still known"),
    //
    (Verb::LocalName, UNBOUND, EINVAL, "test_getsockname: unbound"),
    (Verb::LocalName, BOUND, OK, "test_getsockname"),
    (Verb::LocalName, LISTENING, OK, "test_getsockname: after listen"),
    (Verb::LocalName, ACCEPTING, EINVAL, "test_getsockname: unbound"),
    (Verb::LocalName, MAKING, OK, "test_getsockname: bound"),
    (Verb::LocalName, &[Phase::Connected], OK, "test_getsockname: after connect"),
    (Verb::LocalName, &[Phase::AcceptedRaw], EINVAL, "AcceptEx page: not updated"),
    (Verb::LocalName, &[Phase::ConnectedRaw], OK, "choice: bound before ConnectEx"),
    (Verb::LocalName, ENDING, OK, "test_DisconnectEx: both ends"),
    (Verb::LocalName, DEAD, OK, "choice: the address is still known"),
];

/// How an endpoint gets into each phase.
fn path(phase: Phase) -> &'static [Step] {
    const REUSE: Step = Step::Disconnect(DisconnectMode::Reuse);
    const FIN: Step = Step::Report(Indication::PeerFin);
    match phase {
        Phase::Open => &[],
        Phase::OpenRecycled => &[Step::Accepted(Context::Current), FIN, REUSE, Step::Perform],
        Phase::Bound => &[Step::Bind],
        Phase::BoundRecycled => &[Step::Connect, Step::ConnectDone, FIN, REUSE, Step::Perform],
        Phase::Listening => &[Step::Bind, Step::Listen, Step::Accept],
        Phase::Accepting => &[Step::AcceptInto],
        Phase::Connecting => &[Step::ConnectBlocking],
        Phase::ConnectingEx => &[Step::Bind, Step::ConnectEx],
        Phase::Connected => &[Step::Connect, Step::ConnectDone, Step::Recv, Step::Send],
        Phase::AcceptedRaw => &[Step::AcceptInto, Step::Accepted(Context::AwaitsUpdate)],
        Phase::ConnectedRaw => &[Step::Bind, Step::ConnectEx, Step::ConnectDone],
        Phase::Disconnecting => &[Step::Connect, Step::ConnectDone, Step::Recv, REUSE],
        Phase::Closed => &[Step::Connect, Step::ConnectDone, Step::Report(Indication::PeerReset)],
    }
}

/// Every way to use a verb.
fn calls(verb: Verb) -> &'static [Step] {
    match verb {
        Verb::Bind => &[Step::Bind],
        Verb::Listen => &[Step::Listen],
        Verb::Accept => &[Step::Accept],
        Verb::AcceptInto => &[Step::AcceptInto],
        Verb::Connect => &[Step::Connect, Step::ConnectBlocking],
        Verb::ConnectEx => &[Step::ConnectEx],
        Verb::Send => &[Step::Send],
        Verb::Recv => &[Step::Recv],
        Verb::Shutdown => &[
            Step::Shutdown(Shutdown::Receive),
            Step::Shutdown(Shutdown::Send),
            Step::Shutdown(Shutdown::Both),
        ],
        Verb::Disconnect => {
            &[Step::Disconnect(DisconnectMode::HalfClose), Step::Disconnect(DisconnectMode::Reuse)]
        }
        Verb::PeerName => &[Step::PeerName],
        Verb::LocalName => &[Step::LocalName],
    }
}

fn row(phase: Phase, verb: Verb) -> &'static Row {
    let rows: Vec<_> = TABLE.iter().filter(|r| r.0 == verb && r.1.contains(&phase)).collect();
    assert_eq!(rows.len(), 1, "{verb:?} in {phase:?} has one row");
    rows[0]
}

/// Calls the verb in the phase; the WSA error, 0 when it was admitted. The rig checks that a
/// refusal changes nothing and gives the IRP back.
fn outcome(phase: Phase, call: Step) -> u32 {
    let mut rig = Rig::after(path(phase));
    assert_eq!(rig.phase(), phase, "the path leads there");
    match rig.step(call).as_slice() {
        [Outcome::Refused(error)] => {
            assert_eq!(rig.phase(), phase, "{call:?} was refused in {phase:?}");
            *error
        }
        _ => OK,
    }
}

#[test]
fn every_phase_answers_every_verb_as_the_documents_say() {
    let mut wrong = Vec::new();
    for phase in Phase::ALL {
        for verb in Verb::ALL {
            let (.., expected, source) = *row(phase, verb);
            for call in calls(verb) {
                let error = outcome(phase, *call);
                if error != expected {
                    wrong
                        .push(format!("{call:?} in {phase:?}: {error}, not {expected} ({source})"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// `check` is what callers ask before they touch the transport: it must not contradict the verb. It
/// knows nothing of halves and reasons, so it may allow what the verb then refuses (Closed only).
#[test]
fn check_agrees_with_the_verbs() {
    for phase in Phase::ALL {
        let rig = Rig::after(path(phase));
        for verb in Verb::ALL {
            let by_reason = phase == Phase::Closed && matches!(verb, Verb::Send | Verb::Recv);
            let expected = if by_reason { OK } else { row(phase, verb).2 };
            let error = rig.endpoint.check(verb).err().map_or(OK, |status| status.wsa());
            assert_eq!(error, expected, "{verb:?} in {phase:?}");
        }
    }
}

#[test]
fn no_phase_refuses_a_verb_twice() {
    for phase in Phase::ALL {
        for verb in Verb::ALL {
            let rows = phase.refusals().iter().filter(|row| row.0 == verb).count();
            assert!(rows <= 1, "{verb:?} in {phase:?}");
        }
    }
}

/// The phase does not change while the AcceptEx waits for its first data; nor do the refusals.
#[test]
fn accepting_with_a_connection_refuses_as_without() {
    for verb in Verb::ALL {
        for call in calls(verb) {
            let mut rig = Rig::after(&[Step::AcceptInto, Step::FirstReceive]);
            let expected = row(Phase::Accepting, verb).2;
            assert_eq!(rig.step(*call), [Outcome::Refused(expected)], "{call:?}");
        }
    }
}

/// What the halves refuse on top of the table: (steps on a connection, call, error, source).
const HALVES: &[(&[Step], Step, u32, &str)] = &[
    (&[Step::Shutdown(Shutdown::Send)], Step::Send, ESHUTDOWN, "test_shutdown"),
    (&[Step::Shutdown(Shutdown::Receive)], Step::Recv, ESHUTDOWN, "test_shutdown: not 0"),
    (&[Step::Shutdown(Shutdown::Both)], Step::Send, ESHUTDOWN, "test_shutdown"),
    (&[Step::Shutdown(Shutdown::Both)], Step::Recv, ESHUTDOWN, "test_shutdown"),
    (
        &[Step::Disconnect(DisconnectMode::HalfClose), Step::Perform],
        Step::Send,
        ESHUTDOWN,
        "test_DisconnectEx",
    ),
    (
        &[Step::Shutdown(Shutdown::Send)],
        Step::Disconnect(DisconnectMode::HalfClose),
        ENOTCONN,
        "DisconnectEx page: transmit side closing",
    ),
    (
        &[Step::Shutdown(Shutdown::Send), Step::Perform],
        Step::Disconnect(DisconnectMode::HalfClose),
        ENOTCONN,
        "DisconnectEx page: transmit side closed",
    ),
    (
        &[Step::Report(Indication::PeerFin), Step::Shutdown(Shutdown::Receive)],
        Step::Recv,
        ESHUTDOWN,
        "test_shutdown: own SD_RECEIVE counts more than the peer's FIN",
    ),
    (
        &[Step::Report(Indication::PeerResetAfterFin)],
        Step::Recv,
        10053,
        "test_shutdown: FIN, then reset",
    ),
    (&[Step::Report(Indication::TimedOut)], Step::Send, 10060, "send page: WSAETIMEDOUT"),
    (
        &[Step::Report(Indication::EndedFromOutside)],
        Step::Recv,
        10053,
        "recv page: WSAECONNABORTED, \"terminated due to a time-out or other failure\"",
    ),
    (
        &[Step::Shutdown(Shutdown::Send), Step::Report(Indication::PeerReset)],
        Step::Send,
        ESHUTDOWN,
        "choice: what this side had closed stays closed",
    ),
];

#[test]
fn halves_refuse_what_this_side_closed() {
    for (steps, call, error, source) in HALVES {
        let mut rig = Rig::after(&[Step::Accepted(Context::Current)]);
        for step in *steps {
            rig.step(*step);
        }
        for _ in 0..2 {
            assert_eq!(rig.step(*call), [Outcome::Refused(*error)], "{steps:?} {call:?}: {source}");
        }
    }
}

/// SO_UPDATE_ACCEPT_CONTEXT and SO_UPDATE_CONNECT_CONTEXT belong to one side each.
#[test]
fn update_context_is_refused_without_its_connection() {
    for phase in Phase::ALL {
        for origin in [Origin::Accepted, Origin::Connected] {
            let mine = match phase {
                Phase::AcceptedRaw => Some(Origin::Accepted),
                Phase::Connected | Phase::ConnectedRaw => Some(Origin::Connected),
                _ => None,
            };
            let expected = match mine {
                Some(side) if side == origin => OK,
                Some(_) => EINVAL,
                None => ENOTCONN,
            };
            assert_eq!(outcome(phase, Step::Update(origin)), expected, "{origin:?} in {phase:?}");
        }
    }
}

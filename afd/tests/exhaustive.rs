//! Not random: everything, up to a bound.
//!
//! The rig asserts the invariants at every step: each IRP leaves exactly once, polls finish,
//! refused verbs change nothing, requests come only when the rules call for them. Here every order
//! of events is driven through it, in two ways: all sequences up to a depth, and all reachable
//! states however long the way to them.

#[path = "harness/rig.rs"]
mod rig;

use std::collections::{BTreeSet, VecDeque};

use linsock_afd::endpoint::state::{Context, Origin, Phase};
use linsock_afd::{AbortCause, CloseMode, DisconnectMode, Indication, Shutdown};
use rig::{Outcome, Rig, Step};

/// The verbs and indications of a connection's life and end. Cancelling takes everything; the
/// walk over the states below also cancels IRPs one by one.
const ENDING: [Step; 14] = [
    Step::Send,
    Step::Recv,
    Step::SendDone,
    Step::RecvDone,
    Step::Shutdown(Shutdown::Receive),
    Step::Shutdown(Shutdown::Send),
    Step::Disconnect(DisconnectMode::HalfClose),
    Step::Disconnect(DisconnectMode::Reuse),
    Step::CancelAll,
    Step::Perform,
    Step::Report(Indication::PeerFin),
    Step::Report(Indication::PeerReset),
    Step::Report(Indication::FinWaitExpired),
    Step::Report(Indication::DataRefused),
];

/// How connections begin.
const BEGINNING: [Step; 13] = [
    Step::Bind,
    Step::Listen,
    Step::Accept,
    Step::AcceptDone,
    Step::AcceptInto,
    Step::AbandonAccept,
    Step::Accepted(Context::AwaitsUpdate),
    Step::FirstReceive,
    Step::FirstData,
    Step::ConnectBlocking,
    Step::ConnectEx,
    Step::ConnectDone,
    Step::ConnectFailed,
];

/// What the sequences leave out, and reports that nobody asked for.
const OTHERS: [Step; 14] = [
    Step::Disconnect(DisconnectMode::Delivered),
    Step::Report(Indication::Delivered),
    Step::Disconnect(DisconnectMode::Graceful),
    Step::Abort(AbortCause::Requested),
    Step::Retry,
    Step::Update(Origin::Accepted),
    Step::Update(Origin::Connected),
    Step::Shutdown(Shutdown::Both),
    Step::Report(Indication::PeerResetAfterFin),
    Step::Report(Indication::TimedOut),
    Step::Report(Indication::EndedFromOutside),
    Step::Report(Indication::FinSent),
    Step::Report(Indication::Recycled),
    Step::Report(Indication::SendClosedElsewhere),
];

/// What closes a connection for good, from wherever a sequence has led.
const CLOSES: [CloseMode; 2] = [CloseMode::Graceful, CloseMode::Abort];

/// Walks all sequences of `alphabet` that begin with `path`; returns how many it has covered.
///
/// A step that changed nothing and led to nothing is not walked on from: what follows it follows
/// its absence, and that is walked. So every sequence is covered, though few are played.
fn walk(alphabet: &[Step], path: &mut Vec<Step>, depth: usize, played: &mut usize) {
    let before = Rig::again(path).key();
    close_in_every_way(path);
    if depth == 0 {
        return;
    }
    for step in alphabet {
        let mut rig = Rig::again(path);
        if !rig.may_happen(*step) {
            continue;
        }
        *played += 1;
        let seen = rig.step(*step);
        if rig.key() == before {
            assert!(matches!(seen.as_slice(), [] | [Outcome::Refused(_) | Outcome::End]));
            continue;
        }
        path.push(*step);
        walk(alphabet, path, depth - 1, played);
        path.pop();
    }
}

/// After close nothing is inside and nothing is due (the rig asserts it), and a late report from
/// the transport brings nothing back.
fn close_in_every_way(path: &[Step]) {
    for mode in CLOSES {
        let mut rig = Rig::again(path);
        rig.step(Step::Close(mode));
        let after = rig.print();
        for late in [Indication::FinSent, Indication::PeerFin, Indication::Recycled] {
            assert_eq!(rig.step(Step::Report(late)), [], "{late:?} after close of {path:?}");
        }
        assert_eq!(rig.print(), after, "{path:?}");
    }
}

fn covers(beginning: &[Step], depth: usize) {
    let mut played = 0;
    // Looked at once, before it is gone again and again.
    Rig::after(beginning);
    walk(&ENDING, &mut beginning.to_vec(), depth, &mut played);
    println!("{played} steps played for all sequences of {depth} after {beginning:?}");
}

#[test]
fn every_sequence_on_an_accepted_connection() {
    covers(&[Step::Accepted(Context::Current)], 6);
}

#[test]
fn every_sequence_on_a_connection_by_connect_ex() {
    covers(&[Step::Bind, Step::ConnectEx, Step::ConnectDone], 6);
}

/// Starts where the teardown is half done.
#[test]
fn every_sequence_during_a_reuse() {
    covers(
        &[
            Step::Accepted(Context::Current),
            Step::Send,
            Step::Recv,
            Step::Disconnect(DisconnectMode::Reuse),
        ],
        6,
    );
}

/// At most this many IRPs inside: two of a kind meet two of another.
const IRPS: usize = 4;

/// Every state that any sequence of any length can reach with a few IRPs inside, and every step out
/// of it.
///
/// The endpoint is generic over its IRP, so states that print the same (with nameless IRPs) and
/// leave the provider with the same work have the same future: one way to each is enough.
#[test]
fn every_reachable_state_takes_every_step() {
    let alphabet = [&ENDING[..], &BEGINNING, &OTHERS].concat();
    let mut known = BTreeSet::new();
    let mut phases = BTreeSet::new();
    let mut ahead = VecDeque::from([Vec::new()]);
    while let Some(path) = ahead.pop_front() {
        close_in_every_way(&path);
        let now = Rig::again(&path);
        phases.insert(format!("{:?}", now.phase()));
        for step in steps_from(&now, &alphabet) {
            let mut rig = Rig::again(&path);
            rig.step(step);
            if rig.pending().len() <= IRPS && known.insert(rig.key()) {
                ahead.push_back([&path[..], &[step]].concat());
            }
        }
    }
    println!("{} states", known.len());
    assert_eq!(phases.len(), Phase::ALL.len(), "every phase is reached: {phases:?}");
}

/// The steps that may happen here, cancelling each single IRP among them.
fn steps_from(rig: &Rig, alphabet: &[Step]) -> Vec<Step> {
    let singles = rig.pending().iter().map(|number| Step::Cancel(*number));
    alphabet.iter().copied().chain(singles).filter(|step| rig.may_happen(*step)).collect()
}

//! An endpoint that another process took over stands where the first one did: it refuses what that
//! refuses, and nothing more.
//!
//! Source: WSADuplicateSocket page, "the underlying socket" is one.

#[path = "harness/rig.rs"]
mod rig;

use linsock_afd::endpoint::state::{Context, Link, Past, Phase, RecvHalf, Unconnected, Verb};
use linsock_afd::endpoint::{Endpoint, Standing};
use linsock_afd::{Indication, Request, Shutdown};
use rig::{Outcome, Rig, Step};

fn taken_over(steps: &[Step]) -> Option<Rig> {
    let there = Rig::after(steps);
    let standing = there.endpoint.standing()?;
    let mut here = Rig::default();
    here.endpoint = Endpoint::from_standing(standing);
    assert_eq!(here.endpoint.standing(), Some(standing), "it can be passed on again");
    // What comes is to be refused there too (WSARecvDisconnect page); nothing else is asked for.
    let is_shut = |link: &Link| link.recv == RecvHalf::Shut { peer_ended: false };
    let refuses = here.endpoint.state().link().is_some_and(is_shut);
    assert_eq!(here.endpoint.poll_request(), refuses.then_some(Request::RefuseData));
    assert_eq!(here.endpoint.poll_request(), None);
    Some(here)
}

#[test]
fn every_state_is_taken_over_or_stays() {
    let rows: [(&[Step], Option<Phase>); 11] = [
        (&[], Some(Phase::Open)),
        (&[Step::Bind], Some(Phase::Bound)),
        (&[Step::Bind, Step::Listen], Some(Phase::Listening)),
        (&[Step::AcceptInto], None),
        (&[Step::Connect], None),
        (&[Step::Bind, Step::ConnectEx], None),
        (&[Step::Connect, Step::ConnectDone], Some(Phase::Connected)),
        (&[Step::AcceptInto, Step::Accepted(Context::AwaitsUpdate)], Some(Phase::AcceptedRaw)),
        (&[Step::Bind, Step::ConnectEx, Step::ConnectDone], Some(Phase::ConnectedRaw)),
        (&[Step::Connect, Step::ConnectDone, Step::Report(Indication::PeerReset)], None),
        (&[Step::Connect, Step::ConnectDone, Step::Recv, Step::Send], Some(Phase::Connected)),
    ];
    for (steps, phase) in rows {
        let here = taken_over(steps);
        assert_eq!(here.as_ref().map(Rig::phase), phase, "{steps:?}");
        let Some(here) = here else { continue };
        let there = Rig::after(steps);
        for verb in Verb::ALL {
            assert_eq!(here.endpoint.check(verb), there.endpoint.check(verb), "{steps:?} {verb:?}");
        }
        assert!(!here.shows_irps(), "operations stay where they began: {steps:?}");
    }
}

#[test]
fn a_recycled_handle_is_one_elsewhere_too() {
    for past in [Past::New, Past::Recycled] {
        let open = Unconnected::Open(linsock_afd::endpoint::state::Open { past });
        let endpoint = Endpoint::<rig::Irp>::from_standing(Standing::Unconnected(open));
        let recycled = endpoint.phase() == Phase::OpenRecycled;
        assert_eq!(recycled, past == Past::Recycled);
    }
}

/// Halves that this side closed stay closed; the peer's end is found again by a receive.
#[test]
fn halves_stay_closed() {
    const SHUTDOWN: Outcome = Outcome::Refused(10058);
    let shut = |how, call| {
        let steps = [Step::Connect, Step::ConnectDone, Step::Shutdown(how), Step::Perform];
        taken_over(&steps).expect("a connection").step(call)
    };
    assert_eq!(shut(Shutdown::Send, Step::Send), [SHUTDOWN]);
    assert_eq!(shut(Shutdown::Receive, Step::Recv), [SHUTDOWN]);
    assert_ne!(shut(Shutdown::Send, Step::Recv), [SHUTDOWN]);
    assert_ne!(shut(Shutdown::Receive, Step::Send), [SHUTDOWN]);
    let ended = [Step::Connect, Step::ConnectDone, Step::Report(Indication::PeerFin)];
    let mut here = taken_over(&ended).expect("a connection");
    assert_ne!(here.step(Step::Recv), [SHUTDOWN]);
    assert_ne!(here.step(Step::Send), [SHUTDOWN]);
}

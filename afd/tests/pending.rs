//! What tools are told of an endpoint: what waits, and the names of the states (our choice).

use std::collections::BTreeSet;

use linsock_afd::endpoint::state::{Phase, RecvHalf, SendHalf};
use linsock_afd::{
    CloseMode, ConnectKind, DisconnectMode, Endpoint, Indication, NtStatus, Pending, Shutdown,
};

fn connected() -> Endpoint<u32> {
    let mut endpoint = Endpoint::new();
    endpoint.connect(ConnectKind::Connect, Some(0)).unwrap();
    endpoint.handle_connected();
    endpoint
}

#[test]
fn an_endpoint_counts_what_waits() {
    let nothing = Pending::default();
    let mut listener = Endpoint::new();
    listener.bind().unwrap();
    listener.listen().unwrap();
    assert_eq!(listener.pending(), nothing);
    listener.queue_accept(1);
    listener.queue_accept(2);
    assert_eq!(listener.pending(), Pending { accepts: 2, ..nothing });

    let mut acceptor = Endpoint::new();
    acceptor.begin_accept().unwrap();
    assert_eq!(acceptor.pending(), nothing, "the accept is the listener's");
    acceptor.queue_first_receive(1);
    assert_eq!(acceptor.pending(), Pending { accepts: 1, ..nothing });

    let mut client = Endpoint::new();
    client.connect(ConnectKind::Connect, Some(1)).unwrap();
    assert_eq!(client.pending(), Pending { connects: 1, ..nothing });
    client.take_back_connect(NtStatus::CONNECTION_REFUSED);
    client.connect(ConnectKind::Connect, None).unwrap();
    assert_eq!(client.pending(), nothing, "nobody is told");

    let mut one = connected();
    (0..3).for_each(|irp| one.queue_recv(irp));
    (0..2).for_each(|irp| one.queue_send(irp));
    assert_eq!(one.pending(), Pending { receives: 3, sends: 2, ..nothing });
    one.disconnect(DisconnectMode::Reuse, 9).unwrap();
    assert_eq!(one.pending(), Pending { receives: 3, sends: 2, disconnects: 1, ..nothing });
    one.close(CloseMode::Abort);
    assert_eq!(one.pending(), nothing);

    let mut half = connected();
    half.queue_send(1);
    half.disconnect(DisconnectMode::HalfClose, 9).unwrap();
    assert_eq!(half.pending(), Pending { sends: 1, disconnects: 1, ..nothing });
    half.take_send();
    half.sent();
    half.handle_indication(Indication::FinSent);
    assert_eq!(half.pending().sends, 0);
}

#[test]
fn no_two_states_have_one_name() {
    let names: BTreeSet<_> = Phase::ALL.map(Phase::name).into();
    assert_eq!(names.len(), Phase::ALL.len());
    let sends = [SendHalf::Open, SendHalf::Closing, SendHalf::Closed].map(SendHalf::name);
    assert_eq!(sends, ["open", "closing", "closed"]);
    let mut one = connected();
    let receiving = |one: &Endpoint<u32>| one.state().link().unwrap().recv.name();
    assert_eq!(receiving(&one), "open");
    one.shutdown(Shutdown::Receive).unwrap();
    assert_eq!(receiving(&one), "shut");
    let others = [RecvHalf::Ended, RecvHalf::Shut { peer_ended: true }].map(RecvHalf::name);
    assert_eq!(others, ["ended", "shut-ended"]);
}

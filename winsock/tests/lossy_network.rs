//! Networks that lose packets, and peers that stop answering.
//!
//! Each test runs itself again in a network namespace of its own, where nftables drop what the test
//! says. That takes root, `unshare`, `ip` and `nft`; where one is missing the test prints
//! `skipped: NAME` and passes.

use std::io::Write;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use linsock::net::{AbortCause, CloseReason, Family, Socket, TcpState};

const INSIDE: &str = "LINSOCK_TEST_INSIDE_NETWORK";
const MARGIN: Duration = Duration::from_secs(20);

/// Runs `body` in a network of its own: the loopback, and nothing dropped yet.
fn in_a_network(name: &str, body: fn(&Network)) {
    if std::env::var_os(INSIDE).is_some() {
        return body(&Network::new());
    }
    if !can_be_made() {
        // Past the capture of the test's output, so that whoever runs the tests sees it.
        let line = format!("skipped: {name}: needs root, unshare, ip and nft\n");
        std::io::stderr().write_all(line.as_bytes()).expect("standard error");
        return;
    }
    let this = std::env::current_exe().expect("the test's own program");
    let mut again = Command::new("unshare");
    again.args(["--net", "--"]).arg(this).args(["--exact", name, "--nocapture"]).env(INSIDE, "1");
    let output = again.output().expect("unshare starts");
    assert!(output.status.success(), "{}", all_of(&output));
    assert!(all_of(&output).contains("1 passed"), "{}", all_of(&output));
}

fn can_be_made() -> bool {
    let probe = "ip link set lo up && nft add table inet probe";
    let tried = Command::new("unshare").args(["--net", "--", "sh", "-c", probe]).output();
    tried.is_ok_and(|output| output.status.success())
}

fn all_of(output: &Output) -> String {
    let (out, errors) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(errors))
}

/// The network that this process is alone in.
struct Network;

impl Network {
    fn new() -> Self {
        run("ip", &["link", "set", "lo", "up"]);
        nft("add table inet t");
        nft("add chain inet t in { type filter hook input priority 0; }");
        Self
    }

    /// Nothing arrives any more.
    fn cut(&self) {
        nft("add rule inet t in drop");
    }

    /// One packet of so many is lost; not those that make connections, which are sent again after a
    /// whole second only.
    fn lose_one_of(&self, count: u32) {
        nft(&format!("add rule inet t in tcp flags & syn != syn numgen random mod {count} 0 drop"));
    }

    /// Resets are lost.
    fn lose_resets(&self) {
        nft("add rule inet t in tcp flags & rst == rst drop");
    }

    fn mend(&self) {
        nft("flush chain inet t in");
    }

    /// How often TCP sends unacknowledged data again before it gives the connection up.
    fn give_up_after(&self, retransmissions: u32) {
        let setting = "/proc/sys/net/ipv4/tcp_retries2";
        std::fs::write(setting, retransmissions.to_string()).expect("the namespace's own setting");
    }
}

fn nft(rule: &str) {
    run("nft", &[rule]);
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().expect("the program starts");
    assert!(output.status.success(), "{program} {arguments:?}: {}", all_of(&output));
}

fn listener() -> Socket {
    let listener = Socket::tcp(Family::Inet).unwrap();
    listener.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    listener.listen(8).unwrap();
    listener
}

/// A connection: (connected, accepted).
fn pair() -> (Socket, Socket) {
    let listener = listener();
    let client = Socket::tcp(Family::Inet).unwrap();
    client.connect(listener.local_address().unwrap()).unwrap();
    (client, listener.accept().unwrap())
}

#[test]
fn a_deadline_ends_a_peer_that_never_acknowledges() {
    in_a_network("a_deadline_ends_a_peer_that_never_acknowledges", |network| {
        let (client, _server) = pair();
        network.cut();
        client.send(b"into the void").unwrap();
        let limit = Duration::from_millis(100);
        let report = client.disconnect().within(limit).wait().unwrap();
        assert_eq!(report.reason, CloseReason::LocalAbort(AbortCause::DeadlinePassed));
        assert_eq!((report.unsent, report.tcp_state), (13, TcpState::FinWait1));
        assert!(report.elapsed >= limit && report.elapsed < MARGIN, "{report:?}");
    });
}

/// Source: design 4, "CancelIoEx and closesocket end it at once"; the FIN cannot be called back.
#[test]
fn a_reuse_whose_fin_is_never_acknowledged_can_be_cancelled_and_aborted() {
    in_a_network(
        "a_reuse_whose_fin_is_never_acknowledged_can_be_cancelled_and_aborted",
        |network| {
            let (client, _server) = pair();
            network.cut();
            let begun = Instant::now();
            let leaving = client.disconnect().reuse().start();
            leaving.cancel();
            assert_eq!(leaving.wait().unwrap_err().wsa(), 995);
            let leaving = client.disconnect().reuse().start();
            let aborted = client.disconnect().abortive().unwrap();
            assert_eq!(aborted.tcp_state, TcpState::FinWait1);
            assert_eq!(leaving.wait().unwrap().reason, aborted.reason);
            drop(client);
            assert!(begun.elapsed() < MARGIN);
        },
    );
}

/// Source: the recv page, WSAETIMEDOUT: "the connection has been dropped because of a network
/// failure".
#[test]
fn a_connection_that_the_network_gave_up_has_timed_out() {
    in_a_network("a_connection_that_the_network_gave_up_has_timed_out", |network| {
        network.give_up_after(1);
        let (client, _server) = pair();
        let receiving = client.recv_owned(vec![0; 8]).start();
        network.cut();
        client.send(b"lost").unwrap();
        let error = receiving.wait().unwrap_err();
        assert_eq!(error.wsa(), 10060, "{error}");
        assert_eq!(client.close_reason(), Some(CloseReason::Timeout));
        assert_eq!(client.recv(&mut [0; 8]).unwrap_err().wsa(), 10060, "it stays so");
    });
}

/// A disconnect that waits hears of it too, and says that neither side closed first.
#[test]
fn a_disconnect_that_the_network_ends_reports_a_timeout() {
    in_a_network("a_disconnect_that_the_network_ends_reports_a_timeout", |network| {
        network.give_up_after(1);
        let (client, _server) = pair();
        network.cut();
        let report = client.disconnect().wait().unwrap();
        assert_eq!((report.reason, report.closed_first()), (CloseReason::Timeout, None));
        assert!(!report.is_graceful());
    });
}

/// Half-open: the peer is gone, its reset was lost, and only what is sent next finds out.
#[test]
fn a_lost_reset_leaves_the_connection_half_open_until_data_is_sent() {
    in_a_network("a_lost_reset_leaves_the_connection_half_open_until_data_is_sent", |network| {
        let (client, server) = pair();
        network.lose_resets();
        server.disconnect().abortive().unwrap();
        drop(server);
        network.mend();
        let receiving = client.recv_owned(vec![0; 8]).start();
        assert!(!receiving.is_finished(), "nothing tells of the reset");
        client.send(b"anybody?").unwrap();
        assert_eq!(receiving.wait().unwrap_err().wsa(), 10054);
    });
}

/// Source: the closesocket page: a linger time that runs out is a hard close.
#[test]
fn closing_with_a_linger_time_gives_up_on_a_peer_that_never_acknowledges() {
    in_a_network(
        "closing_with_a_linger_time_gives_up_on_a_peer_that_never_acknowledges",
        |network| {
            let (client, server) = pair();
            client.set_linger(Some(Duration::from_secs(1))).unwrap();
            client.send(b"first").unwrap();
            assert_eq!(server.recv(&mut [0; 8]).unwrap(), 5);
            network.cut();
            client.send(b"unacknowledged").unwrap();
            let begun = Instant::now();
            drop(client);
            assert!(begun.elapsed() >= Duration::from_secs(1) && begun.elapsed() < MARGIN);
            // Its reset is lost as well: this end only knows when it sends.
            network.mend();
            let receiving = server.recv_owned(vec![0; 8]).start();
            server.send(b"anybody?").unwrap();
            assert_eq!(
                receiving.wait().unwrap_err().wsa(),
                10054,
                "what was unacknowledged is gone"
            );
        },
    );
}

/// Source: the ConnectEx page and design 4: CancelIoEx ends the attempt.
#[test]
fn a_connection_attempt_that_nobody_answers_can_be_cancelled() {
    in_a_network("a_connection_attempt_that_nobody_answers_can_be_cancelled", |network| {
        let listener = listener();
        let to = listener.local_address().unwrap();
        network.cut();
        let client = Socket::tcp(Family::Inet).unwrap();
        client.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let connecting = client.connect_owned(to, Vec::new()).start();
        assert!(!connecting.is_finished());
        connecting.cancel();
        assert_eq!(connecting.wait().unwrap_err().wsa(), 995);
        network.mend();
    });
}

/// Every octet that a graceful disconnect accepted arrives, however many packets are lost, and the
/// recycled handles carry the next connection.
#[test]
fn recycled_handles_lose_nothing_where_packets_are_lost() {
    in_a_network("recycled_handles_lose_nothing_where_packets_are_lost", |network| {
        let listener = listener();
        let to = listener.local_address().unwrap();
        let client = Socket::tcp(Family::Inet).unwrap();
        client.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let server = Socket::tcp(Family::Inet).unwrap();
        network.lose_one_of(10);
        for round in 0..5_u8 {
            let accepting = listener.accept_into(&server, Vec::new()).start();
            client.connect_owned(to, Vec::new()).wait().unwrap();
            accepting.wait().unwrap();
            let sent = vec![round; 1 << 18];
            let sending = client.send_owned(sent.clone()).start();
            let leaving = client.disconnect().reuse().start();
            assert_eq!(everything_from(&server), sent, "round {round}");
            let followed = server.disconnect().reuse().wait().unwrap();
            assert_eq!(sending.wait().unwrap().0, sent.len());
            assert_eq!(leaving.wait().unwrap().reason, CloseReason::LocalGraceful);
            assert_eq!(followed.reason, CloseReason::PeerFin);
        }
    });
}

/// KB 196271: no port is left for a connection, and the error says so.
#[test]
fn a_connect_without_a_port_left_is_refused_for_want_of_room() {
    in_a_network("a_connect_without_a_port_left_is_refused_for_want_of_room", |_| {
        let range = "/proc/sys/net/ipv4/ip_local_port_range";
        std::fs::write(range, "50000 50003").unwrap();
        for family in [Family::Inet, Family::Inet6] {
            let listener = Socket::tcp(family).unwrap();
            let any = if family == Family::Inet { "127.0.0.1:60000" } else { "[::1]:60001" };
            listener.bind(any.parse().unwrap()).unwrap();
            listener.listen(16).unwrap();
            let to = listener.local_address().unwrap();
            let clients: Vec<_> = (0..5).map(|_| Socket::tcp(family).unwrap()).collect();
            let refused = clients.iter().find_map(|client| client.connect(to).err());
            assert_eq!(refused.map(|error| error.wsa()), Some(10055), "WSAENOBUFS");
        }
    });
}

fn everything_from(socket: &Socket) -> Vec<u8> {
    let mut all = Vec::new();
    let mut part = vec![0; 1 << 16];
    loop {
        match socket.recv(&mut part).unwrap() {
            0 => return all,
            count => all.extend_from_slice(&part[..count]),
        }
    }
}

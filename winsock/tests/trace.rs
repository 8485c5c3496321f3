//! What the trace tells of sockets, by events and their particulars. Every expected line is our own
//! choice; what it says of the connection is by the rule that the row names.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use linsock::afd::Shutdown;
use linsock::net::{Family, Socket, UdpSocket};
use linsock::trace::{self, Form, Kinds};
use rustix::net::sockopt;
use rustix::pipe;

/// The trace is the process's, so there is one test; each row opens its sockets and reads what was
/// told of them.
#[test]
fn every_row_tells_its_connection() {
    let (from, to) = pipe::pipe().unwrap();
    // Room for everything that a row tells before it is read.
    let _ = pipe::fcntl_setpipe_size(&from, 1 << 20);
    trace::start(to, Form::Json, Kinds::CONNECTIONS);
    let mut lines = Lines(BufReader::new(File::from(from)));
    for (name, row) in ROWS {
        eprintln!("{name}");
        row(&mut lines);
    }
    trace::stop();
    let socket = Socket::tcp(Family::Inet).unwrap();
    drop(socket);
    let mut rest = String::new();
    lines.0.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "told after the end");
}

type Row = (&'static str, fn(&mut Lines));

const ROWS: &[Row] = &[
    ("the peer closes first", the_peer_closes_first),
    ("this side closes first", this_side_closes_first),
    ("reuse of a connecting handle", a_connecting_handle_is_reused),
    ("reuse of an accepted handle", an_accepted_handle_is_reused),
    ("closed over data", a_handle_is_closed_over_data),
    ("an abort", an_abort),
    ("the peer resets", the_peer_resets),
    ("a limit passes", a_limit_passes),
    ("nobody listens", nobody_listens),
    ("half a connection", the_receiving_half_ends),
    ("datagrams", datagrams),
    ("AF_UNIX", a_path),
    ("the peer's FIN, not received", the_peer_closed_unseen),
    ("the peer's reset, not seen", the_peer_reset_unseen),
    ("a FIN that is refused", a_fin_is_refused),
    ("data behind a half-close", data_comes_behind_a_half_close),
    ("data unread in TIME-WAIT", unread_in_time_wait),
    ("SO_LINGER behind the FINs", a_hard_close_behind_a_fin),
    ("a time of SO_LINGER", a_linger_in_vain),
    ("Socket::abort", an_aborted_handle),
    ("left to another process", a_connection_is_left),
    ("a cancelled reuse", a_reuse_is_cancelled),
    ("AcceptEx without its data", first_data_never_comes),
    ("a connect that is refused on the spot", refused_on_the_spot),
];

/// What was told, line by line.
struct Lines(BufReader<File>);

impl Lines {
    /// The lines of a handle up to the one that names `last`.
    fn until(&mut self, handle: usize, last: &str) -> Vec<String> {
        let own = format!("\"handle\":{handle},");
        let mut told = Vec::new();
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "{told:#?}");
            if line.contains(&own) {
                told.push(line.clone());
                if event(&line) == last {
                    return told;
                }
            }
        }
    }

    /// As `until`, the names of the events only; and the line of the end.
    fn life(&mut self, handle: usize, last: &str) -> (String, String) {
        let told = self.until(handle, last);
        let over = told.iter().find(|line| event(line) == "over").cloned().unwrap_or_default();
        (told.iter().map(|line| event(line)).collect::<Vec<_>>().join(" "), over)
    }
}

fn event(line: &str) -> &str {
    line.split("\"event\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

#[track_caller]
fn has(line: &str, parts: &[&str]) {
    for part in parts {
        assert!(line.contains(part), "{part} is not in {line}");
    }
}

fn any() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

fn listener() -> Socket {
    let listener = Socket::tcp(Family::Inet).unwrap();
    listener.bind(any()).unwrap();
    listener.listen(8).unwrap();
    listener
}

/// A connection, whose server is linsock's.
fn accepted() -> (Socket, TcpStream) {
    let listener = listener();
    let peer = TcpStream::connect(listener.local_address().unwrap()).unwrap();
    (listener.accept().unwrap(), peer)
}

/// A connection, whose client is linsock's.
fn connected() -> (Socket, TcpStream) {
    let listener = TcpListener::bind(any()).unwrap();
    let client = Socket::tcp(Family::Inet).unwrap();
    client.connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

fn the_peer_closes_first(lines: &mut Lines) {
    let (server, mut peer) = accepted();
    std::io::Write::write_all(&mut peer, b"hello").unwrap();
    assert_eq!(server.recv(&mut [0; 5]).unwrap(), 5);
    server.send(b"yes").unwrap();
    peer.read_exact(&mut [0; 3]).unwrap();
    drop(peer);
    assert_eq!(server.recv(&mut [0; 5]).unwrap(), 0);
    let handle = server.handle();
    drop(server);
    let (life, over) = lines.life(handle, "closed");
    assert_eq!(life, "opened accepted peer-fin over closed");
    has(
        &over,
        &["\"reason\":\"peer-fin\",\"resets\":0,", "\"sent\":3,", "\"received\":5,\"unread\":0,"],
    );
}

fn this_side_closes_first(lines: &mut Lines) {
    let (client, mut peer) = connected();
    client.shutdown(Shutdown::Send).unwrap();
    assert_eq!(peer.read(&mut [0; 1]).unwrap(), 0);
    drop(peer);
    assert_eq!(client.recv(&mut [0; 1]).unwrap(), 0);
    let handle = client.handle();
    drop(client);
    let (life, over) = lines.life(handle, "closed");
    assert_eq!(life, "opened connecting connected fin-sent peer-fin over closed");
    has(&over, &["\"reason\":\"local-fin\",\"resets\":0,", "\"sent\":0,", "\"received\":0,"]);
}

/// DisconnectEx page, `TF_REUSE_SOCKET`.
fn a_connecting_handle_is_reused(lines: &mut Lines) {
    let (client, peer) = connected();
    let handle = client.handle();
    let leaving = client.disconnect().reuse().start();
    let told = lines.until(handle, "disconnecting");
    has(told.last().unwrap(), &["\"for\":\"the peer's FIN\"", "\"connection\":1"]);
    drop(peer);
    leaving.wait().unwrap();
    assert_eq!(lines.life(handle, "recycled").0, "peer-fin over recycled");
    let again = TcpListener::bind(any()).unwrap();
    client.connect(again.local_addr().unwrap()).unwrap();
    let told = lines.until(handle, "connected");
    has(told.last().unwrap(), &["\"connection\":2", &again.local_addr().unwrap().to_string()]);
}

/// The same, where the peer has closed: both directions are over in one call.
fn an_accepted_handle_is_reused(lines: &mut Lines) {
    let (server, peer) = accepted();
    drop(peer);
    assert_eq!(server.recv(&mut [0; 1]).unwrap(), 0);
    server.disconnect().reuse().wait().unwrap();
    let handle = server.handle();
    let (life, over) = lines.life(handle, "recycled");
    assert_eq!(life, "opened accepted peer-fin fin-sent over recycled");
    has(&over, &["\"reason\":\"peer-fin\""]);
    drop(server);
    assert_eq!(lines.life(handle, "closed").0, "closed", "the connection has been told");
}

/// RFC 9293, 3.10.4, of CLOSE with data that was not received: a reset.
fn a_handle_is_closed_over_data(lines: &mut Lines) {
    let (server, mut peer) = accepted();
    std::io::Write::write_all(&mut peer, b"hello").unwrap();
    let mut first = [0; 1];
    assert_eq!(server.recv(&mut first).unwrap(), 1);
    let handle = server.handle();
    drop(server);
    let (life, over) = lines.life(handle, "closed");
    assert_eq!(life, "opened accepted over closed");
    has(&over, &["\"reason\":\"local-fin\",\"resets\":1,", "\"received\":5,\"unread\":4,"]);
    has(&over, &["with data unread: TCP resets it"]);
    let error = peer.read(&mut [0; 1]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "and so it did");
}

fn an_abort(lines: &mut Lines) {
    let (client, _peer) = connected();
    let handle = client.handle();
    client.disconnect().abortive().unwrap();
    let (life, over) = lines.life(handle, "over");
    assert_eq!(life, "opened connecting connected over");
    has(&over, &["\"reason\":\"local-reset-requested\""]);
}

fn the_peer_resets(lines: &mut Lines) {
    let (server, peer) = accepted();
    server.send(b"never read").unwrap();
    sockopt::set_socket_linger(&peer, Some(Duration::ZERO)).unwrap();
    drop(peer);
    assert!(server.recv(&mut [0; 1]).is_err());
    let handle = server.handle();
    drop(server);
    let (life, over) = lines.life(handle, "closed");
    assert_eq!(life, "opened accepted over closed");
    has(&over, &["\"reason\":\"peer-reset\"", "\"sent\":10,"]);
}

fn a_limit_passes(lines: &mut Lines) {
    let (client, _peer) = connected();
    let handle = client.handle();
    let report = client.disconnect().within(Duration::from_millis(20)).wait().unwrap();
    let (life, over) = lines.life(handle, "over");
    assert_eq!(life, "opened connecting connected fin-sent disconnecting over", "{report:?}");
    has(&over, &["\"reason\":\"local-reset-deadline\""]);
}

fn nobody_listens(lines: &mut Lines) {
    let reserved = TcpListener::bind(any()).unwrap();
    let to = reserved.local_addr().unwrap();
    drop(reserved);
    let client = Socket::tcp(Family::Inet).unwrap();
    client.connect(to).unwrap_err();
    let told = lines.until(client.handle(), "connect-failed");
    has(told.last().unwrap(), &["\"error\":10061", "STATUS_CONNECTION_REFUSED"]);
}

/// WSARecvDisconnect page: what comes later resets the connection.
fn the_receiving_half_ends(lines: &mut Lines) {
    let (server, mut peer) = accepted();
    let handle = server.handle();
    server.shutdown(Shutdown::Receive).unwrap();
    assert_eq!(lines.life(handle, "receive-shut").0, "opened accepted receive-shut");
    std::io::Write::write_all(&mut peer, b"hello").unwrap();
    let (life, over) = lines.life(handle, "over");
    assert_eq!(life, "over");
    has(&over, &["\"reason\":\"local-reset-data\""]);
}

fn datagrams(lines: &mut Lines) {
    let peer = std::net::UdpSocket::bind(any()).unwrap();
    let socket = UdpSocket::new(Family::Inet).unwrap();
    let handle = socket.handle();
    socket.bind(any()).unwrap();
    socket.connect(Some(peer.local_addr().unwrap())).unwrap();
    drop(socket);
    assert_eq!(lines.life(handle, "closed").0, "opened bound connected closed");
}

fn a_path(lines: &mut Lines) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a \"service\"");
    let listener = Socket::unix().unwrap();
    listener.bind_path(&path).unwrap();
    listener.listen(1).unwrap();
    let handle = listener.handle();
    drop(listener);
    let told = lines.until(handle, "listening");
    assert_eq!(lines.life(handle, "closed").0, "closed");
    has(told.last().unwrap(), &["a \\\\\\\"service\\\\\\\""]);
}

/// The kernel knows of the FIN, and the program closed without a receive that would have told.
fn the_peer_closed_unseen(lines: &mut Lines) {
    let (server, mut peer) = accepted();
    std::io::Write::write_all(&mut peer, b"hello").unwrap();
    assert_eq!(server.recv(&mut [0; 5]).unwrap(), 5);
    drop(peer);
    // The FIN is there when a receive without room ends.
    server.recv_owned(Vec::new()).wait().unwrap();
    let handle = server.handle();
    drop(server);
    let (_, over) = lines.life(handle, "closed");
    has(&over, &["\"reason\":\"peer-fin\",\"resets\":0", "\"received\":5,\"unread\":0"]);
}

fn the_peer_reset_unseen(lines: &mut Lines) {
    let (server, mut peer) = accepted();
    std::io::Write::write_all(&mut peer, b"hello").unwrap();
    sockopt::set_socket_linger(&peer, Some(Duration::ZERO)).unwrap();
    let ends = [peer.local_addr().unwrap(), peer.peer_addr().unwrap()];
    let ends = ends.map(|end| format!(":{:04X} ", end.port()));
    drop(peer);
    // A connection that was reset is in the kernel's list no more; others may have either port.
    let is_it = |line: &str| ends.iter().all(|end| line.contains(end));
    while std::fs::read_to_string("/proc/net/tcp").unwrap().lines().any(is_it) {}
    let handle = server.handle();
    drop(server);
    let (_, over) = lines.life(handle, "closed");
    has(&over, &["\"reason\":\"peer-reset\",\"resets\":0"]);
}

/// winsock-semantics 9: what is sent to a peer that has closed both directions is answered with a
/// reset, which only the next call is told.
fn a_fin_is_refused(lines: &mut Lines) {
    let (server, peer) = accepted();
    drop(peer);
    assert_eq!(server.recv(&mut [0; 1]).unwrap(), 0);
    server.send(b"late!").unwrap();
    let handle = server.handle();
    let _ = server.shutdown(Shutdown::Send);
    let (life, over) = lines.life(handle, "over");
    assert_eq!(life, "opened accepted peer-fin fin-refused over");
    has(&over, &["\"reason\":\"peer-reset-after-fin\"", "\"sent\":5,\"undelivered\":5"]);
}

/// DisconnectEx page, without flags: receiving goes on.
fn data_comes_behind_a_half_close(lines: &mut Lines) {
    let (client, mut peer) = connected();
    client.half_close().wait().unwrap();
    std::io::Write::write_all(&mut peer, &[7; 1000]).unwrap();
    drop(peer);
    let mut left = 1000;
    while left > 0 {
        left -= client.recv(&mut [0; 1000]).unwrap();
    }
    assert_eq!(client.recv(&mut [0; 1]).unwrap(), 0);
    let (life, over) = lines.life(client.handle(), "over");
    assert_eq!(life, "opened connecting connected fin-sent peer-fin over");
    has(&over, &["\"reason\":\"local-fin\"", "\"received\":1000,\"unread\":0"]);
}

/// Both FINs are through: the kernel resets nothing, whatever is unread.
fn unread_in_time_wait(lines: &mut Lines) {
    let (client, mut peer) = connected();
    client.shutdown(Shutdown::Send).unwrap();
    assert_eq!(peer.read(&mut [0; 1]).unwrap(), 0);
    std::io::Write::write_all(&mut peer, b"bye").unwrap();
    drop(peer);
    client.recv_owned(Vec::new()).wait().unwrap();
    let handle = client.handle();
    drop(client);
    let (_, over) = lines.life(handle, "closed");
    has(&over, &["\"reason\":\"local-fin\",\"resets\":0", "\"received\":3,\"unread\":3"]);
}

fn a_hard_close_behind_a_fin(lines: &mut Lines) {
    let (server, peer) = accepted();
    peer.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(server.recv(&mut [0; 1]).unwrap(), 0);
    server.set_linger(Some(Duration::ZERO)).unwrap();
    let handle = server.handle();
    drop(server);
    let (_, over) = lines.life(handle, "closed");
    has(&over, &["\"reason\":\"peer-fin\",\"resets\":1", "SO_LINGER and a time of 0"]);
}

/// closesocket page, "hard close".
fn a_linger_in_vain(lines: &mut Lines) {
    let (server, _peer) = accepted();
    let sending = server.send_owned(vec![7; 8 << 20]).start();
    server.set_linger(Some(Duration::from_secs(1))).unwrap();
    let handle = server.handle();
    drop(server);
    drop(sending);
    let told = lines.until(handle, "linger-in-vain");
    assert_eq!(event(&told[told.len() - 2]), "closed");
}

fn an_aborted_handle(lines: &mut Lines) {
    let (server, _peer) = accepted();
    let handle = server.handle();
    server.abort();
    let (_, over) = lines.life(handle, "closed");
    has(&over, &["\"reason\":\"local-reset-requested\"", "the program asked for it"]);
}

fn a_reuse_is_cancelled(lines: &mut Lines) {
    let (client, mut peer) = connected();
    drop(client.disconnect().reuse().start());
    let (life, _) = lines.life(client.handle(), "disconnect-ended");
    assert_eq!(life, "opened connecting connected fin-sent disconnecting disconnect-ended");
    std::io::Write::write_all(&mut peer, b"data").unwrap();
    drop(peer);
    assert_eq!(client.recv(&mut [0; 8]).unwrap(), 4);
    assert_eq!(client.recv(&mut [0; 8]).unwrap(), 0);
    let (life, over) = lines.life(client.handle(), "over");
    assert_eq!(life, "peer-fin over");
    has(&over, &["\"received\":4"]);
}

/// AcceptEx page: the connection is there, and the call waits for its data.
fn first_data_never_comes(lines: &mut Lines) {
    let listener = listener();
    let acceptor = Socket::tcp(Family::Inet).unwrap();
    let accepting = listener.accept_into(&acceptor, vec![0; 16]).start();
    let handle = acceptor.handle();
    assert_eq!(lines.life(handle, "accepting").0, "opened accepting");
    let peer = TcpStream::connect(listener.local_address().unwrap()).unwrap();
    let told = lines.until(handle, "accepted");
    has(told.last().unwrap(), &[&peer.local_addr().unwrap().to_string(), "\"connection\":1"]);
    drop(acceptor);
    drop(accepting);
    let (life, over) = lines.life(handle, "closed");
    assert_eq!(life, "over closed");
    has(&over, &["\"reason\":\"local-fin\"", "\"connection\":1"]);
}

/// connect page, WSAEADDRNOTAVAIL: "such as ADDR_ANY".
fn refused_on_the_spot(lines: &mut Lines) {
    let client = Socket::tcp(Family::Inet).unwrap();
    client.connect("0.0.0.0:0".parse().unwrap()).unwrap_err();
    let handle = client.handle();
    drop(client);
    let told = lines.until(handle, "connect-failed");
    has(told.last().unwrap(), &["\"error\":10049", "to 0.0.0.0:0"]);
    assert_eq!(lines.life(handle, "closed").0, "closed");
}

/// WSADuplicateSocket page: it ends with its last descriptor, which is not this one.
fn a_connection_is_left(lines: &mut Lines) {
    let (server, peer) = accepted();
    let mut other = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
    server.offer_to(other.id()).unwrap();
    let handle = server.handle();
    drop(server);
    let (_, over) = lines.life(handle, "closed");
    has(&over, &["\"reason\":\"left\"", "another process", "\"resets\":0"]);
    other.kill().unwrap();
    other.wait().unwrap();
    drop(peer);
}

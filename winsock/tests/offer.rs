//! Sockets that go to another process, by the safe API. This program starts itself as the other
//! one, which answers what it hears until its connection ends (source: WSADuplicateSocket page,
//! "only one underlying socket").

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use linsock::net::{Family, Socket, UdpSocket};
use linsock::offer::Place;
use linsock::time_wait;

/// The other process: not a test of its own.
const ROLE: &str = "LINSOCK_TEST_ROLE";

fn start(role: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_other_process", "--nocapture"])
        .env(ROLE, role)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn tell(child: &mut Child, place: Place) {
    writeln!(child.stdin.as_mut().unwrap(), "{place}").unwrap();
}

fn end(mut child: Child) {
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success(), "the child found nothing wrong");
}

#[test]
fn the_other_process() {
    let Ok(role) = std::env::var(ROLE) else { return };
    for line in BufReader::new(std::io::stdin()).lines() {
        let place: Place = line.unwrap().parse().unwrap();
        match role.as_str() {
            "echo" => echo(&Socket::fetch(place).unwrap()),
            "accept" => echo(&Socket::fetch(place).unwrap().accept().unwrap()),
            "datagrams" => {
                let socket = UdpSocket::fetch(place).unwrap();
                let mut buffer = [0; 64];
                let (octets, from) = socket.recv_from(&mut buffer).unwrap();
                socket.send_to(&buffer[..octets], from).unwrap();
            }
            "wrong" => assert!(UdpSocket::fetch(place).is_err()),
            _ => panic!("a role"),
        }
    }
}

fn echo(socket: &Socket) {
    let mut buffer = [0; 64];
    loop {
        match socket.recv(&mut buffer).unwrap() {
            0 => return,
            octets => socket.send(&buffer[..octets]).unwrap(),
        }
    }
}

fn listener() -> Socket {
    let listener = Socket::tcp(Family::Inet).unwrap();
    listener.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    listener.listen(16).unwrap();
    listener
}

/// What is sent comes back, and the connection ends with what the other end does.
fn check_answers(client: &Socket) {
    let mut buffer = [0; 64];
    client.send(b"hello").unwrap();
    assert_eq!(client.recv(&mut buffer).unwrap(), 5);
    assert_eq!(buffer[..5], *b"hello");
    client.shutdown(linsock::net::Shutdown::Send).unwrap();
    assert_eq!(client.recv(&mut buffer).unwrap(), 0);
}

#[test]
fn connections_go_to_a_worker() {
    let listener = listener();
    let mut worker = start("echo");
    for _ in 0..3 {
        let client = Socket::tcp(Family::Inet).unwrap();
        client.connect(listener.local_address().unwrap()).unwrap();
        let place = listener.accept().unwrap().offer_to(worker.id()).unwrap();
        tell(&mut worker, place);
        check_answers(&client);
    }
    end(worker);
}

/// A pair whose port the program chose is held when its connection is closed here; this one goes on.
#[test]
fn the_pair_of_a_connection_that_goes_on_is_not_held() {
    let listener = listener();
    let to = listener.local_address().unwrap();
    let client = Socket::tcp(Family::Inet).unwrap();
    // Nobody else has this port: it is the listener's at another address.
    client.bind(format!("127.0.0.78:{}", to.port()).parse().unwrap()).unwrap();
    client.connect(to).unwrap();
    let server = listener.accept().unwrap();
    let mut worker = start("echo");
    let place = client.offer_to(worker.id()).unwrap();
    drop(client);
    assert!(!time_wait::held().iter().any(|held| held.pair.remote == to));
    tell(&mut worker, place);
    check_answers(&server);
    end(worker);
}

#[test]
fn a_listener_goes_to_a_worker() {
    let listener = listener();
    let at = listener.local_address().unwrap();
    let mut worker = start("accept");
    let place = listener.offer_to(worker.id()).unwrap();
    drop(listener);
    tell(&mut worker, place);
    let client = Socket::tcp(Family::Inet).unwrap();
    client.connect(at).unwrap();
    check_answers(&client);
    end(worker);
}

#[test]
fn datagrams_go_to_a_worker() {
    let socket = UdpSocket::new(Family::Inet).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let at = socket.local_address().unwrap();
    let mut worker = start("datagrams");
    let place = socket.offer_to(worker.id()).unwrap();
    drop(socket);
    tell(&mut worker, place);
    let client = UdpSocket::new(Family::Inet).unwrap();
    client.send_to(b"hello", at).unwrap();
    let mut buffer = [0; 64];
    assert_eq!(client.recv_from(&mut buffer).unwrap().0, 5);
    end(worker);
}

/// What was refused is not lost: the socket is there still, and so is the connection.
#[test]
fn what_is_no_place_is_refused() {
    let listener = listener();
    let client = Socket::tcp(Family::Inet).unwrap();
    client.connect(listener.local_address().unwrap()).unwrap();
    let server = listener.accept().unwrap();
    let mut worker = start("wrong");
    let place = server.offer_to(worker.id()).unwrap();
    assert_eq!(place.to_string().parse(), Ok(place));
    assert_eq!(Socket::fetch(place).unwrap_err().wsa(), 10022, "for another process");
    tell(&mut worker, place);
    let ended = worker.id();
    end(worker);
    assert_eq!(server.offer_to(ended).unwrap_err().wsa(), 10022, "no such process");
    for text in ["", "0", &"0".repeat(23), &"0".repeat(25), &"g".repeat(24), &"é".repeat(12)] {
        assert!(text.parse::<Place>().is_err(), "{text}");
    }
    client.send(b"still").unwrap();
    assert_eq!(server.recv(&mut [0; 8]).unwrap(), 5);
}

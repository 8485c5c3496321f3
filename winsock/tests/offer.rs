//! Sockets that go to another process, by the safe API. This program starts itself as the other
//! one, which answers what it hears until its connection ends (source: WSADuplicateSocket page,
//! "only one underlying socket").

use std::io::{BufRead, BufReader, IoSlice, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd};
use std::process::{Child, Command, Stdio};
use std::thread;

use linsock::catalog::Provider;
use linsock::iocp::NtStatus;
use linsock::net::{Family, Socket, UdpSocket};
use linsock::offer::Place;
use linsock::{offer, socket, time_wait};
use rustix::net;
use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitOptions, getrlimit, kill_process, setrlimit, waitpid,
};

/// The other process: not a test of its own.
const ROLE: &str = "LINSOCK_TEST_ROLE";

fn start(role: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_other_process", "--nocapture"])
        .env(ROLE, role)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
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
    if let Some(process) = role.strip_prefix("offers to ") {
        return offer_to(process.parse().unwrap());
    }
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
            "thief" => assert_eq!(Socket::fetch(place).unwrap_err().wsa(), 10022),
            "poor" => {
                while_poor(|| assert_eq!(Socket::fetch(place).unwrap_err().wsa(), 10024));
                echo(&Socket::fetch(place).unwrap());
            }
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

/// Offers something, says where, and waits to be ended.
fn offer_to(process: u32) {
    let listener = listener();
    println!("\nplace {}", listener.offer_to(process).unwrap());
    let _ = std::io::stdin().read_line(&mut String::new());
}

/// The place that a process says.
fn told_by(child: &mut Child) -> Place {
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let place = lines.map_while(Result::ok).find_map(|it| it.strip_prefix("place ")?.parse().ok());
    place.expect("a place is told")
}

/// With room for one more descriptor.
fn while_poor(act: impl FnOnce()) {
    drop(listener());
    let next = std::fs::File::open("/dev/null").unwrap().as_raw_fd();
    let limit = getrlimit(Resource::Nofile);
    let low = Rlimit { current: Some(next.unsigned_abs().into()), ..limit };
    let low = Rlimit { current: low.current.map(|most: u64| most + 1), ..low };
    setrlimit(Resource::Nofile, low).unwrap();
    act();
    setrlimit(Resource::Nofile, limit).unwrap();
}

/// The names in Linux' abstract namespace, which everybody may read, that begin as a place does:
/// of a socket that listens, and of the connections that it has not accepted.
fn names_at(place: Place) -> Vec<String> {
    let begin = format!("@linsock-offer-{}", &place.to_string()[..12]);
    let all = std::fs::read_to_string("/proc/net/unix").unwrap();
    let names = all.lines().filter_map(|line| line.split(' ').next_back());
    names.filter(|name| name.starts_with(&begin)).map(|name| name[1..].to_owned()).collect()
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

/// Our choice: a descriptor has to be what the words say.
#[test]
fn words_about_another_descriptor_are_refused() {
    let socket = socket::Socket::create(Provider::Tcp(Family::Inet), true).unwrap();
    let passport = socket.emigrate().unwrap().passport;
    let other = |family, kind| net::socket(family, kind, None).unwrap();
    for fd in [
        other(net::AddressFamily::INET, net::SocketType::DGRAM),
        other(net::AddressFamily::INET6, net::SocketType::STREAM),
        other(net::AddressFamily::UNIX, net::SocketType::DGRAM),
    ] {
        let refused = socket::Socket::immigrate(&passport, fd, None).unwrap_err();
        assert_eq!(refused, NtStatus::INVALID_PARAMETER);
    }
    let fitting = other(net::AddressFamily::INET, net::SocketType::STREAM);
    socket::Socket::immigrate(&passport, fitting, None).unwrap().close_handle().unwrap();
    socket.close_handle().unwrap();
}

/// The names of offers are no secret: who takes one when it is free can give nobody anything.
#[test]
fn nobody_else_gives_a_socket() {
    let mut offers = start(&format!("offers to {}", std::process::id()));
    let place = told_by(&mut offers);
    let name = names_at(place).pop().expect("a name");
    offers.kill().unwrap();
    offers.wait().unwrap();
    let flags = net::SocketFlags::CLOEXEC;
    let (unix, kind) = (net::AddressFamily::UNIX, net::SocketType::SEQPACKET);
    let squatter = net::socket_with(unix, kind, flags, None).unwrap();
    let address = net::SocketAddrUnix::new_abstract_name(name.as_bytes()).unwrap();
    net::bind(&squatter, &address).unwrap();
    net::listen(&squatter, 1).unwrap();
    let gives = thread::spawn(move || {
        let mine = socket::Socket::create(Provider::Udp(Family::Inet), true).unwrap();
        let emigrant = mine.emigrate().unwrap();
        let visitor = net::accept_with(&squatter, flags).unwrap();
        let fds = [emigrant.fd.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut beside = net::SendAncillaryBuffer::new(&mut space);
        assert!(beside.push(net::SendAncillaryMessage::ScmRights(&fds)));
        let text = [IoSlice::new(emigrant.passport.as_bytes())];
        net::sendmsg(&visitor, &text, &mut beside, net::SendFlags::NOSIGNAL).unwrap();
    });
    assert_eq!(UdpSocket::fetch(place).unwrap_err().wsa(), 10022);
    gives.join().unwrap();
}

/// The number of a process that has ended may be another's. Numbers are given out in order, from
/// one that root may choose.
#[test]
fn a_number_that_is_used_again_is_nobody() {
    const NEXT: &str = "/proc/sys/kernel/ns_last_pid";
    let mut target = Command::new("sleep").arg("1000").spawn().unwrap();
    let id = target.id();
    let mut offers = start(&format!("offers to {id}"));
    let place = told_by(&mut offers);
    let offerer = Pid::from_child(&offers);
    kill_process(offerer, Signal::STOP).unwrap();
    waitpid(Some(offerer), WaitOptions::UNTRACED).unwrap();
    target.kill().unwrap();
    target.wait().unwrap();
    let mut thief = None;
    for _ in 0..50 {
        if std::fs::write(NEXT, (id - 1).to_string()).is_err() {
            break;
        }
        let started = start("thief");
        if started.id() == id {
            thief = Some(started);
            break;
        }
        end(started);
    }
    if let Some(mut thief) = thief {
        tell(&mut thief, place);
        while names_at(place).len() < 2 {
            thread::yield_now();
        }
        kill_process(offerer, Signal::CONT).unwrap();
        end(thief);
    }
    kill_process(offerer, Signal::CONT).unwrap();
    end(offers);
}

/// A socket that nobody fetched is this process's alone again: closing it says that it would linger
/// (closesocket page: WSAEWOULDBLOCK).
#[test]
fn what_was_not_fetched_is_ones_own() {
    let socket = socket::Socket::create(Provider::Tcp(Family::Inet), true).unwrap();
    let mut nobody = start("echo");
    let place = offer::make(&socket, nobody.id()).unwrap();
    assert!(socket.is_elsewhere());
    drop(nobody.stdin.take());
    assert!(nobody.wait().unwrap().success());
    while !names_at(place).is_empty() {
        thread::yield_now();
    }
    assert!(!socket.is_elsewhere());
}

/// A socket for which there is no descriptor is not lost.
#[test]
fn what_cannot_be_had_now_can_be_had_later() {
    let listener = listener();
    let client = Socket::tcp(Family::Inet).unwrap();
    client.connect(listener.local_address().unwrap()).unwrap();
    let mut worker = start("poor");
    let place = listener.accept().unwrap().offer_to(worker.id()).unwrap();
    tell(&mut worker, place);
    check_answers(&client);
    end(worker);
}

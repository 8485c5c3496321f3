//! What a process tells of its sockets: to itself, and to tools.

use std::io::Read;
use std::net::SocketAddr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddress, UnixStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use linsock::afd::endpoint::state::{Phase, RecvHalf, SendHalf};
use linsock::net::{CloseReason, CompletionPort, Family, Shutdown, Socket, TcpState, UdpSocket};
use linsock::socket::{Awaited, Snapshot};
use linsock::view::{self, service::NAME};
use rustix::process::{Signal, Uid, geteuid};

/// What linsock asks the kernel for at least.
const BACKLOG: u32 = 128;

fn snapshot_of(handle: usize) -> Snapshot {
    let is_it = |snapshot: &Snapshot| snapshot.handle.value() == handle;
    view::sockets().into_iter().find(is_it).expect("an open socket is told of")
}

/// What is told of it, as soon as it is what is expected.
fn wait_until(handle: usize, is_so: impl Fn(&Snapshot) -> bool) -> Snapshot {
    loop {
        let snapshot = snapshot_of(handle);
        if is_so(&snapshot) {
            return snapshot;
        }
        std::thread::yield_now();
    }
}

fn listener() -> (Socket, SocketAddr) {
    let listener = Socket::tcp(Family::Inet).unwrap();
    listener.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    listener.listen(7).unwrap();
    let address = listener.local_address().unwrap();
    (listener, address)
}

fn pair() -> (Socket, Socket) {
    let (listener, address) = listener();
    let client = Socket::tcp(Family::Inet).unwrap();
    client.connect(address).unwrap();
    (client, listener.accept().unwrap())
}

#[test]
fn a_handle_goes_through_its_states() {
    let (listener, address) = listener();
    let client = Socket::tcp(Family::Inet).unwrap();
    let fresh = snapshot_of(client.handle());
    assert_eq!((fresh.phase, fresh.descriptor, fresh.tcp_state), (Phase::Open, None, None));
    assert_eq!((fresh.local, fresh.remote, fresh.age), (None, None, None));

    client.connect(address).unwrap();
    let listening = wait_until(listener.handle(), |it| it.backlog == Some((1, BACKLOG)));
    assert_eq!((listening.phase, listening.tcp_state), (Phase::Listening, Some(TcpState::Listen)));
    assert_eq!(listening.local, Some(address.into()));
    let server = listener.accept().unwrap();
    assert_eq!(snapshot_of(listener.handle()).backlog, Some((0, BACKLOG)));

    let connected = snapshot_of(client.handle());
    assert_eq!(connected.tcp_state, Some(TcpState::Established));
    assert_eq!(connected.remote, Some(address.into()));
    assert_eq!(connected.local, snapshot_of(server.handle()).remote);
    assert!(connected.descriptor.is_some() && connected.age < Some(Duration::from_secs(9)));

    let leaving = client.disconnect_reuse().start();
    let waiting = wait_until(client.handle(), |it| it.awaits == Some(Awaited::Fin));
    assert_eq!((waiting.phase, waiting.pending.disconnects), (Phase::Disconnecting, 1));
    let ending = wait_until(server.handle(), |it| it.tcp_state == Some(TcpState::CloseWait));
    assert_eq!(ending.phase, Phase::Connected);
    assert_eq!(server.recv(&mut [0; 1]).unwrap(), 0);
    server.disconnect_reuse().wait().unwrap();
    leaving.wait().unwrap();
    let recycled = snapshot_of(client.handle());
    assert_eq!((recycled.phase, recycled.former), (Phase::BoundRecycled, 1));
    assert_eq!((recycled.link, recycled.age, recycled.idle), (None, None, None));
    let closed = client.handle();
    drop(client);
    assert!(view::sockets().iter().all(|snapshot| snapshot.handle.value() != closed));
}

#[test]
fn what_waits_is_counted() {
    let (client, server) = pair();
    client.send(b"four").unwrap();
    let unread = wait_until(server.handle(), |it| it.unread == 4);
    assert_eq!((unread.pending.receives, unread.moved), (0, Some((0, 4))));
    let sent = wait_until(client.handle(), |it| it.unsent == 0);
    assert_eq!(sent.moved, Some((4, 0)));
    let receives: Vec<_> = (0..3).map(|_| client.recv_owned(vec![0; 8]).start()).collect();
    assert_eq!(snapshot_of(client.handle()).pending.receives, 3);
    client.shutdown(Shutdown::Send).unwrap();
    let link = snapshot_of(client.handle()).link.unwrap();
    assert_eq!((link.send, link.recv), (SendHalf::Closed, RecvHalf::Open));
    server.recv(&mut [0; 8]).unwrap();
    assert_eq!(server.recv(&mut [0; 8]).unwrap(), 0);
    let half = snapshot_of(server.handle());
    assert_eq!(half.reason, Some(CloseReason::PeerFin));
    assert_eq!(half.link.unwrap().recv, RecvHalf::Ended);
    drop(server);
    for receive in receives {
        assert_eq!(receive.wait().unwrap().0, 0);
    }
}

#[test]
fn ports_and_datagrams_are_told_of() {
    let port = CompletionPort::new(3).unwrap();
    let ports = view::ports();
    let told = ports.iter().find(|port| port.load.concurrency == 3).expect("a port is told of");
    assert_eq!((told.handle, told.load.packets, told.load.waiting), (None, 0, 0));
    let socket = UdpSocket::new(Family::Inet).unwrap();
    assert_eq!(snapshot_of(socket.handle()).local, None, "it has a descriptor and no port");
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let told = snapshot_of(socket.handle());
    assert_eq!(told.local, Some(socket.local_address().unwrap().into()));
    assert_eq!((told.tcp_state, told.age), (None, None));
    drop(port);
}

fn answer() -> String {
    let address = UnixAddress::from_abstract_name(format!("{NAME}{}", std::process::id()));
    let mut answer = String::new();
    let mut stream = UnixStream::connect_addr(&address.unwrap()).unwrap();
    // Another user is hung up on, which may come as a reset.
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn tools_are_told_the_same_as_json() {
    let (client, server) = pair();
    let _receive = client.recv_owned(vec![0; 8]).start();
    let _port = CompletionPort::new(7).unwrap();
    let text = answer();
    let load = "\"packets\":0,\"waiting\":0,\"working\":0,\"concurrency\":7}";
    let is_port = |line: &&str| line.starts_with("{\"kind\":\"port\",\"id\":");
    assert!(text.lines().filter(is_port).any(|line| line.ends_with(load)), "{text}");
    let handle = format!("{{\"kind\":\"socket\",\"handle\":{},", client.handle());
    let line = text.lines().find(|line| line.starts_with(&handle)).unwrap();
    let local = client.local_address().unwrap();
    let remote = server.local_address().unwrap();
    for expected in [
        "\"provider\":\"linsock TCP/IP\",\"state\":\"connected\",\"send\":\"open\",\"receive\":\"open\"",
        &format!("\"tcp\":\"ESTABLISHED\",\"local\":\"{local}\",\"remote\":\"{remote}\""),
        "\"accepts\":0,\"connects\":0,\"receives\":1,\"sends\":0,\"disconnects\":0",
        "\"unread\":0,\"unsent\":0,\"former\":0",
    ] {
        assert!(line.contains(expected), "{expected}\n{line}");
    }
    for expected in ["descriptor", "sent", "received", "age_ms", "idle_ms"] {
        assert!(line.contains(&format!("\"{expected}\":")), "{expected}\n{line}");
    }
}

/// What has ended since a tool looks, and why: of connections that were there before, and of those
/// that came and went between two looks; and, of a handle that is recycled, of each.
#[test]
fn tools_are_told_what_has_ended() {
    let (before, its_peer) = pair();
    assert!(!answer().is_empty());
    let ended_of = |handle: usize| -> Vec<String> {
        let is_its = format!(",\"handle\":{handle},");
        let is_ended = |line: &&str| line.contains("\"kind\":\"ended\"") && line.contains(&is_its);
        answer().lines().filter(is_ended).map(str::to_owned).collect()
    };
    let (short, recycled) = pair();
    let (own, other) = (short.local_address().unwrap(), recycled.local_address().unwrap());
    short.send(b"hello").unwrap();
    let handles = [before.handle(), short.handle(), recycled.handle()];
    assert_eq!(ended_of(handles[1]), Vec::<String>::new(), "not yet");
    drop(its_peer);
    drop(before);
    drop(short);
    assert_eq!(recycled.recv(&mut [0; 8]).unwrap(), 5);
    recycled.disconnect_reuse().wait().unwrap();
    let [of_before, of_short, of_recycled] = handles.map(|handle| ended_of(handle).concat());
    for (line, expected) in [
        (&of_before, "\"reason\":\"peer-fin\""),
        (&of_short, "\"reason\":\"local-fin\""),
        (&of_short, &format!("\"local\":\"{own}\",\"remote\":\"{other}\"")),
        (&of_short, "\"sent\":5,\"received\":0,\"unsent\":0,\"unread\":0}"),
        (&of_recycled, "\"connection\":1,"),
        (&of_recycled, "\"reason\":\"peer-fin\""),
        (&of_recycled, "\"sent\":0,\"received\":5,"),
    ] {
        assert!(line.contains(expected), "{expected}\n{line}");
    }
}

/// Our choice: who may look is who might attach a debugger.
#[test]
fn other_users_are_told_nothing() {
    if !geteuid().is_root() {
        println!("skipped: other_users_are_told_nothing needs root");
        return;
    }
    let (_client, _server) = pair();
    assert!(!answer().is_empty());
    // A thread's own affair, and this one ends.
    let somebody = std::thread::spawn(|| {
        let nobody = Uid::from_raw(65_534);
        rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
        answer()
    });
    assert_eq!(somebody.join().unwrap(), "");
}

/// What a program holds back in its own threads, to wait for it (sigwait, signalfd), would find
/// this one and end the process.
#[test]
fn the_service_takes_no_signals() {
    let _socket = Socket::tcp(Family::Inet).unwrap();
    // Then it has its name, too.
    assert!(!answer().is_empty());
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let status = |task: PathBuf| std::fs::read_to_string(task.join("status")).unwrap_or_default();
    let mut all = tasks.map(|task| status(task.unwrap().path()));
    let own = all.find(|status| status.starts_with("Name:\tlinsock-view\n")).unwrap();
    let held = own.lines().find_map(|line| line.strip_prefix("SigBlk:\t")).unwrap();
    let held = u64::from_str_radix(held, 16).unwrap();
    for signal in [Signal::TERM, Signal::INT, Signal::USR1, Signal::ALARM] {
        assert_ne!(held & 1 << (signal.as_raw() - 1), 0, "{signal:?}");
    }
}

/// Not a test of its own: what the next one starts.
#[test]
fn the_other_process() {
    if std::env::var_os("LINSOCK_TEST_ROLE").is_some() {
        let _socket = Socket::tcp(Family::Inet).unwrap();
        let address = UnixAddress::from_abstract_name(format!("{NAME}{}", std::process::id()));
        assert!(UnixStream::connect_addr(&address.unwrap()).is_err(), "nobody may look");
    }
}

#[test]
fn a_process_can_be_kept_private() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "the_other_process"]);
    command.env("LINSOCK_TEST_ROLE", "private").env("LINSOCK_VIEW", "no");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

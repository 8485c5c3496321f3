//! TIME_WAIT: what is held, what waits for it, and the setting. The delays are real, one and two
//! seconds long, and measured.
//!
//! Sources: the DisconnectEx page ("While in the TIME_WAIT state, a socket pair cannot be re-used",
//! "causing the DisconnectEx call to be delayed", "from 0 to 300 seconds") and design section 6.

use std::io::Write;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use linsock::net::{Family, Socket};
use linsock::settings::{self, TimeWaitPolicy};
use linsock::time_wait::{self, Pair};

const SECOND: Duration = Duration::from_secs(1);
/// What "at once" may take on a busy machine: less than the shortest delay.
const AT_ONCE: Duration = Duration::from_millis(800);

/// The setting is the process's, so these tests take turns.
fn setting(policy: TimeWaitPolicy, seconds: u32) -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    settings::set_time_wait_policy(policy);
    settings::set_timed_wait_delay(seconds).unwrap();
    turn
}

fn listener_at(address: &str) -> Socket {
    let listener = Socket::tcp(Family::Inet).unwrap();
    listener.bind(address.parse().unwrap()).unwrap();
    listener.listen(16).unwrap();
    listener
}

/// A port that nobody else has, nor will: the system gives those from 32,768 on to whoever asks
/// for any (`ip_local_port_range`), and this process asks for each of the others once.
fn free_port() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + (std::process::id() % 20_000) as u16;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed);
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if Socket::tcp(Family::Inet).unwrap().bind(address).is_ok() {
            return address;
        }
    }
}

/// A connection: (connected, accepted). `from` is the port that the program chooses, if it does.
fn connection(listener: &Socket, from: Option<SocketAddr>) -> (Socket, Socket) {
    let client = Socket::tcp(Family::Inet).unwrap();
    if let Some(from) = from {
        client.bind(from).unwrap();
    }
    client.connect(listener.local_address().unwrap()).unwrap();
    (client, listener.accept().unwrap())
}

/// Ends the connection with reuse of both handles, `active` first; how long each took.
fn recycle(active: &Socket, passive: &Socket) -> (Duration, Duration) {
    let begun = Instant::now();
    let leaving = active.disconnect_reuse().start();
    assert_eq!(passive.recv(&mut [0; 1]).unwrap(), 0);
    passive.disconnect_reuse().wait().unwrap();
    let passive = begun.elapsed();
    leaving.wait().unwrap();
    (begun.elapsed(), passive)
}

fn is_held(local: SocketAddr, remote: SocketAddr) -> bool {
    time_wait::held().iter().any(|held| held.pair == Pair { local, remote })
}

/// Closes `active` first, with its handle, then the other.
fn close(active: Socket, passive: Socket) {
    drop(active);
    assert_eq!(passive.recv(&mut [0; 1]).unwrap(), 0);
}

fn connect_error(from: SocketAddr, to: SocketAddr) -> Option<u32> {
    let socket = Socket::tcp(Family::Inet).unwrap();
    socket.bind(from).unwrap();
    socket.connect(to).err().map(|error| error.wsa())
}

fn a_reuse_waits_for(seconds: u32) {
    let _turn = setting(TimeWaitPolicy::Auto, seconds);
    let delay = SECOND * seconds;
    let listener = listener_at("127.0.0.1:0");
    let to = listener.local_address().unwrap();
    let from = free_port();
    let (client, server) = connection(&listener, Some(from));
    let (active, passive) = recycle(&client, &server);
    assert!(active >= delay && active < delay + SECOND, "{active:?}");
    assert!(passive < AT_ONCE, "a passive closer and an accepted handle: {passive:?}");
    assert!(!is_held(from, to), "the pair is free, so the handle is");
    // The handle is bound to its port still, and takes another connection.
    let accepting = listener.accept_into(&server, Vec::new()).start();
    client.connect_owned(to, Vec::new()).wait().unwrap();
    accepting.wait().unwrap();
    assert_eq!(client.local_address().unwrap(), from);
}

#[test]
fn a_reuse_by_the_active_closer_with_a_port_of_its_choice_waits_one_second() {
    a_reuse_waits_for(1);
}

#[test]
fn a_reuse_by_the_active_closer_with_a_port_of_its_choice_waits_two_seconds() {
    a_reuse_waits_for(2);
}

#[test]
fn everywhere_else_nothing_waits() {
    let _turn = setting(TimeWaitPolicy::Auto, 300);
    let listener = listener_at("127.0.0.1:0");
    // The system chose the port.
    let (client, server) = connection(&listener, None);
    let (active, passive) = recycle(&client, &server);
    assert!(active < AT_ONCE && passive < AT_ONCE, "{active:?} {passive:?}");
    // The port was chosen, but the peer closed first; and an accepted handle closed first.
    let (client, server) = connection(&listener, Some(free_port()));
    let (active, passive) = recycle(&server, &client);
    assert!(active < AT_ONCE && passive < AT_ONCE, "{active:?} {passive:?}");
    // A reset leaves nothing behind.
    let from = free_port();
    let (client, _server) = connection(&listener, Some(from));
    client.abort();
    assert!(!is_held(from, listener.local_address().unwrap()));
}

#[test]
fn a_held_pair_is_in_use_and_no_other_is() {
    let _turn = setting(TimeWaitPolicy::Auto, 1);
    let (listener, other) = (listener_at("127.0.0.1:0"), listener_at("127.0.0.1:0"));
    let (to, elsewhere) = (listener.local_address().unwrap(), other.local_address().unwrap());
    let from = free_port();
    let (client, server) = connection(&listener, Some(from));
    let begun = Instant::now();
    close(client, server);
    assert!(is_held(from, to));
    assert_eq!(connect_error(from, to), Some(10048), "WSAEADDRINUSE");
    let any = SocketAddr::from(([0, 0, 0, 0], from.port()));
    assert_eq!(connect_error(any, to), Some(10048), "the same pair, bound otherwise");
    assert_eq!(connect_error(from, elsewhere), None, "another pair of the same port");
    drop(other.accept().unwrap());
    // A refused connect leaves the handle usable; the pair is free when the delay is over.
    let again = Socket::tcp(Family::Inet).unwrap();
    again.bind(from).unwrap();
    let outcome = loop {
        match again.connect(to) {
            Err(error) if error.wsa() == 10048 && begun.elapsed() < 10 * SECOND => {
                std::thread::yield_now();
            }
            outcome => break outcome,
        }
    };
    outcome.unwrap();
    assert!(begun.elapsed() >= SECOND, "{:?}", begun.elapsed());
}

#[test]
fn the_peer_may_open_the_pair_again() {
    let _turn = setting(TimeWaitPolicy::Auto, 300);
    let listener = listener_at("127.0.0.1:0");
    let to = listener.local_address().unwrap();
    let from = free_port();
    let (client, server) = connection(&listener, Some(from));
    close(client, server);
    drop(listener);
    assert!(is_held(from, to));
    // Now the former listener's port connects to the former client's.
    let listener = listener_at(&from.to_string());
    let peer = Socket::tcp(Family::Inet).unwrap();
    peer.bind(to).unwrap();
    peer.connect(from).unwrap();
    let server = listener.accept().unwrap();
    assert_eq!(server.peer_address().unwrap(), to);
    assert!(!is_held(from, to), "reopened");
}

#[test]
fn the_policy_never_holds_nothing() {
    let _turn = setting(TimeWaitPolicy::Never, 300);
    let listener = listener_at("127.0.0.1:0");
    let from = free_port();
    let (client, server) = connection(&listener, Some(from));
    let (active, _) = recycle(&client, &server);
    assert!(active < AT_ONCE, "{active:?}");
    assert!(!is_held(from, listener.local_address().unwrap()));
}

#[test]
fn the_policy_always_delays_every_active_reuse() {
    let _turn = setting(TimeWaitPolicy::Always, 1);
    let listener = listener_at("127.0.0.1:0");
    let (client, server) = connection(&listener, None);
    let (active, passive) = recycle(&client, &server);
    assert!(active >= SECOND && passive < AT_ONCE, "{active:?} {passive:?}");
    let (client, server) = connection(&listener, None);
    let (active, passive) = recycle(&server, &client);
    assert!(active >= SECOND && passive < AT_ONCE, "{active:?} {passive:?}");
}

#[test]
fn a_delay_of_0_holds_nothing() {
    let _turn = setting(TimeWaitPolicy::Auto, 0);
    let listener = listener_at("127.0.0.1:0");
    let from = free_port();
    let (client, server) = connection(&listener, Some(from));
    let (active, _) = recycle(&client, &server);
    assert!(active < AT_ONCE, "{active:?}");
}

#[test]
fn a_cancel_and_a_close_end_the_wait_at_once() {
    let _turn = setting(TimeWaitPolicy::Auto, 300);
    let listener = listener_at("127.0.0.1:0");
    let to = listener.local_address().unwrap();
    let (from, begun) = (free_port(), Instant::now());
    let (client, server) = connection(&listener, Some(from));
    let leaving = client.disconnect_reuse().start();
    assert_eq!(server.recv(&mut [0; 1]).unwrap(), 0);
    server.disconnect_reuse().wait().unwrap();
    while !is_held(from, to) {
        std::thread::yield_now();
    }
    leaving.cancel();
    assert_eq!(leaving.finish().0.unwrap_err().wsa(), 995);
    // The connection was over: the handle is recycled, and its pair is held.
    assert_eq!(client.connect(to).unwrap_err().wsa(), 10048);
    let other = listener_at("127.0.0.1:0");
    client.connect(other.local_address().unwrap()).unwrap();

    let (client, server) = connection(&listener, Some(free_port()));
    let from = client.local_address().unwrap();
    let leaving = client.disconnect_reuse().start();
    drop(server);
    while !is_held(from, to) {
        std::thread::yield_now();
    }
    drop(client);
    assert_eq!(leaving.finish().0.unwrap_err().wsa(), 995);
    assert!(begun.elapsed() < 10 * SECOND);
}

#[test]
fn the_delay_is_from_0_to_300_seconds() {
    let _turn = setting(TimeWaitPolicy::Auto, 300);
    let error = settings::set_timed_wait_delay(301).unwrap_err();
    let text = "TcpTimedWaitDelay is 301 seconds, but must be from 0 to 300";
    assert_eq!(error.to_string(), text);
    assert_eq!(settings::timed_wait_delay(), 300 * SECOND, "the refused value changes nothing");
}

/// The pairs in TIME_WAIT by /proc/net/tcp, IPv4 loopback only.
fn is_recorded(local: SocketAddr, remote: SocketAddr) -> bool {
    let hex = |at: SocketAddr| format!("0100007F:{:04X}", at.port());
    let record = format!("{} {} 06", hex(local), hex(remote));
    std::fs::read_to_string("/proc/net/tcp").unwrap().contains(&record)
}

/// Design section 6: "the kernel's records … are removed through sock_diag when their delay is
/// over …; where it may not, the effective delay is reported, not hidden".
#[test]
fn the_kernels_records_end_with_the_delay_or_it_is_told_that_they_do_not() {
    let _turn = setting(TimeWaitPolicy::Auto, 1);
    let listener = listener_at("127.0.0.1:0");
    let to = listener.local_address().unwrap();
    let from = free_port();
    let (client, server) = connection(&listener, Some(from));
    close(client, server);
    // The record is made when the peer's FIN has come.
    while !is_recorded(from, to) {
        std::thread::yield_now();
    }
    if time_wait::effective_delay() > SECOND {
        assert_eq!(time_wait::effective_delay(), 60 * SECOND, "the kernel's own");
        let line = "skipped: the kernel's records stay: removing them takes CAP_NET_ADMIN\n";
        std::io::stderr().write_all(line.as_bytes()).expect("standard error");
        return;
    }
    let begun = Instant::now();
    while is_recorded(from, to) {
        assert!(begun.elapsed() < 20 * SECOND, "the record outlives its delay");
        std::thread::yield_now();
    }
    assert!(!is_held(from, to), "not before its time");
    settings::set_timed_wait_delay(90).unwrap();
    assert_eq!(time_wait::effective_delay(), 90 * SECOND);
}

/// Not a test of its own: what a process with the environment of its parent sees.
#[test]
#[ignore = "run by `the_environment_and_the_file_set_it`"]
fn print_the_settings() {
    println!("{:?} {:?}", settings::timed_wait_delay(), settings::time_wait_policy());
}

#[test]
fn the_environment_and_the_file_set_it() {
    let file = std::env::temp_dir().join(format!("linsock-{}.conf", std::process::id()));
    std::fs::write(&file, "TcpTimedWaitDelay = 7\nTimeWaitPolicy = never\nbroken\n").unwrap();
    let run = |variables: &[(&str, &str)]| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "print_the_settings", "--ignored", "--nocapture"])
            .env_remove("LINSOCK_CONFIG")
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        (text(&output.stdout), text(&output.stderr))
    };
    let path = file.to_str().unwrap();
    let (out, err) = run(&[("LINSOCK_CONFIG", path)]);
    assert!(out.contains("7s Never"), "{out}");
    assert_eq!(err.matches("linsock: ").count(), 1, "{err}");
    assert!(err.contains(&format!("linsock: {path}:3: expected `Name = value`")), "{err}");
    let (out, _) = run(&[("LINSOCK_CONFIG", path), ("LINSOCK_TCP_TIMED_WAIT_DELAY", "9")]);
    assert!(out.contains("9s Never"), "the environment first: {out}");
    let (out, err) = run(&[("LINSOCK_TCP_TIMED_WAIT_DELAY", "301")]);
    assert!(out.contains("240s Auto"), "the default: {out}");
    let range = "TcpTimedWaitDelay is `301`, but must be from 0 to 300 seconds";
    assert!(err.contains(&format!("linsock: LINSOCK_TCP_TIMED_WAIT_DELAY: {range}")), "{err}");
    let (_, err) = run(&[("LINSOCK_CONFIG", "/nowhere/linsock.conf")]);
    assert!(err.contains("linsock: /nowhere/linsock.conf: cannot be read"), "{err}");
    std::fs::remove_file(file).unwrap();
}

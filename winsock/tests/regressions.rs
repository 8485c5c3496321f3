//! What a review found wrong once; each test failed before its cure.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use linsock::net::{CompletionPort, Family, Socket};

fn listener() -> Socket {
    let listener = Socket::tcp(Family::Inet).unwrap();
    listener.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    listener.listen(64).unwrap();
    listener
}

fn plain(listener: &Socket) -> TcpStream {
    TcpStream::connect(listener.local_address().unwrap()).unwrap()
}

#[test]
fn cancelling_a_listener_leaves_its_accepted_connections_alone() {
    // Source: CancelIoEx page: operations "issued for the specified file handle".
    let listener = listener();
    let acceptor = Socket::tcp(Family::Inet).unwrap();
    let accepting = listener.accept_into(&acceptor, vec![0; 8]).start();
    let mut peer = plain(&listener);
    peer.write_all(b"first").unwrap();
    assert_eq!(accepting.wait().unwrap().0, 5);
    let receiving = acceptor.recv_owned(vec![0; 8]).start();
    assert_eq!(listener.cancel_all(), 0);
    assert!(!receiving.is_finished());
    peer.write_all(b"more").unwrap();
    assert_eq!(receiving.wait().unwrap().0, 4);
}

#[test]
fn closing_a_former_listener_leaves_the_accept_of_another_alone() {
    // Source: test_AcceptEx: closing *the* listener completes its AcceptEx.
    let (first, second) = (listener(), listener());
    let acceptor = Socket::tcp(Family::Inet).unwrap();
    let accepting = first.accept_into(&acceptor, vec![0; 8]).start();
    let mut peer = plain(&first);
    peer.write_all(b"x").unwrap();
    assert_eq!(accepting.wait().unwrap().0, 1);
    drop(peer);
    assert_eq!(acceptor.recv(&mut [0; 8]).unwrap(), 0);
    acceptor.disconnect_reuse().wait().unwrap();
    let accepting = second.accept_into(&acceptor, vec![0; 8]).start();
    let mut peer = plain(&second);
    drop(first);
    assert!(!accepting.is_finished());
    peer.write_all(b"yy").unwrap();
    assert_eq!(accepting.wait().unwrap().0, 2);
}

#[test]
fn listeners_that_accept_into_each_other_are_refused_and_not_stuck() {
    // Source: test_AcceptEx: an accepting socket that is bound is WSAEINVAL.
    let (first, second) = (listener(), listener());
    std::thread::scope(|scope| {
        for (one, other) in [(&first, &second), (&second, &first)] {
            scope.spawn(move || {
                for _ in 0..20_000 {
                    let refused = one.accept_into(other, Vec::new()).start().finish();
                    assert_eq!(refused.0.unwrap_err().wsa(), 10022);
                }
            });
        }
    });
}

#[test]
fn a_blocking_disconnect_ends_on_a_port_that_nobody_polls() {
    // Source: design 5: a lost wake-up is impossible.
    let listener = listener();
    let mut peer = plain(&listener);
    let server = listener.accept().unwrap();
    let port = CompletionPort::new(1).unwrap();
    server.associate(&port, 1).unwrap();
    peer.write_all(b"abc").unwrap();
    std::thread::scope(|scope| {
        let leaving = scope.spawn(|| server.disconnect_reuse().wait());
        // The disconnect is under way once our FIN is there.
        assert_eq!(peer.read(&mut [0; 8]).unwrap(), 0);
        assert_eq!(server.recv(&mut [0; 8]).unwrap(), 3);
        drop(peer);
        leaving.join().unwrap().unwrap();
    });
}

#[test]
fn a_wait_for_a_slow_peer_costs_no_processor_time() {
    let listener = listener();
    let mut peer = plain(&listener);
    let server = listener.accept().unwrap();
    peer.write_all(b"unread").unwrap();
    let sending = server.send_owned(vec![0; 32 << 20]).start();
    std::thread::scope(|scope| {
        let leaving = scope.spawn(|| {
            let before = thread_time();
            server.half_close().wait().unwrap();
            thread_time() - before
        });
        // The peer rests a while, then reads everything.
        std::thread::sleep(Duration::from_millis(300));
        let mut all = Vec::new();
        peer.read_to_end(&mut all).unwrap();
        let spent = leaving.join().unwrap();
        // Performing 32 MB of sends takes some time; spinning would take all of it and more.
        assert!(spent < Duration::from_millis(250), "{spent:?}");
    });
    sending.wait().unwrap();
}

fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), u32::try_from(time.tv_nsec).unwrap())
}

#[test]
fn a_closing_socket_that_lingers_gives_up_with_a_reset() {
    // Source: closesocket page: blocks up to the linger time, then a hard close.
    let listener = listener();
    let mut peer = plain(&listener);
    let server = listener.accept().unwrap();
    server.set_linger(Some(Duration::from_secs(1))).unwrap();
    let sending = server.send_owned(vec![7; 32 << 20]).start();
    let begun = Instant::now();
    drop(server);
    assert!(begun.elapsed() >= Duration::from_secs(1));
    let mut all = Vec::new();
    let error = peer.read_to_end(&mut all).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert!(all.len() < 32 << 20);
    drop(sending);
}

#[test]
fn data_still_owed_when_the_process_ends_is_no_clean_end() {
    const PORT: &str = "LINSOCK_TEST_OWED_TO";
    if let Ok(port) = std::env::var(PORT) {
        let socket = Socket::tcp(Family::Inet).unwrap();
        socket.connect(format!("127.0.0.1:{port}").parse().unwrap()).unwrap();
        let sending = socket.send_owned(vec![7; 32 << 20]).start();
        drop(socket);
        sending.wait().unwrap();
        std::process::exit(0);
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "data_still_owed_when_the_process_ends_is_no_clean_end"])
        .env(PORT, listener.local_addr().unwrap().port().to_string())
        .spawn()
        .unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    assert!(child.wait().unwrap().success());
    let mut all = Vec::new();
    let error = peer.read_to_end(&mut all).expect_err("a clean end would say that this was all");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn the_port_that_was_shown_stays_after_a_refusal() {
    // Source: winsock-semantics 1.5: a refused socket is still bound.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let socket = Socket::tcp(Family::Inet).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let shown = socket.local_address().unwrap();
    assert_eq!(socket.connect(gone).unwrap_err().wsa(), 10061);
    assert_eq!(socket.local_address().unwrap(), shown);
}

#[test]
fn a_pending_receive_goes_on_when_its_socket_gets_a_port_that_nobody_polls() {
    // Source: test_completion_port ("IOCP created after AcceptEx"): association takes nothing away.
    let listener = listener();
    let mut peer = plain(&listener);
    let server = listener.accept().unwrap();
    let receiving = server.recv_owned(vec![0; 8]).start();
    let port = CompletionPort::new(1).unwrap();
    server.associate(&port, 1).unwrap();
    peer.write_all(b"data").unwrap();
    let begun = Instant::now();
    while !receiving.is_finished() {
        assert!(begun.elapsed() < Duration::from_secs(5), "nobody performs the receive");
        std::thread::yield_now();
    }
    assert_eq!(receiving.wait().unwrap().0, 4);
}

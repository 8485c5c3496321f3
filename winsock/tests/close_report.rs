//! The reports of how connections ended, on real sockets over loopback.
//!
//! The figures are our own (there is no such report on Windows); what they have to be follows from
//! what was sent and read, and from the states of RFC 9293, 3.3.2.

use std::future::{Future, IntoFuture};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use linsock::net::{AbortCause, CloseReason, CloseReport, Family, Result, Side, Socket, TcpState};
use linsock::socket::Snapshot;
use linsock::view;

const LONG: Duration = Duration::from_secs(30);

fn listener() -> Socket {
    let listener = Socket::tcp(Family::Inet).unwrap();
    listener.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    listener.listen(16).unwrap();
    listener
}

/// Both ends by linsock: (connected, accepted).
fn pair() -> (Socket, Socket) {
    let listener = listener();
    let client = Socket::tcp(Family::Inet).unwrap();
    client.connect(listener.local_address().unwrap()).unwrap();
    let server = listener.accept().unwrap();
    (client, server)
}

/// One end by linsock, accepted; the other a plain socket of the kernel.
fn accepted_from_plain() -> (Socket, TcpStream) {
    let listener = listener();
    let plain = TcpStream::connect(listener.local_address().unwrap()).unwrap();
    (listener.accept().unwrap(), plain)
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The smallest executor.
fn block_on<F: IntoFuture>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future.into_future());
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

fn wsa(result: Result<CloseReport>) -> u32 {
    result.expect_err("it fails").wsa()
}

#[test]
fn the_side_that_began_and_the_side_that_followed() {
    let (client, server) = pair();
    let leaving = client.disconnect().start();
    assert_eq!(server.recv(&mut [0; 8]).unwrap(), 0);
    let there = server.disconnect().wait().unwrap();
    let here = block_on(leaving).unwrap();
    assert_eq!((here.reason, here.closed_first()), (CloseReason::LocalGraceful, Some(Side::Local)));
    assert_eq!((there.reason, there.closed_first()), (CloseReason::PeerFin, Some(Side::Peer)));
    for report in [here, there] {
        assert!(report.is_graceful());
        assert_eq!((report.unsent, report.unread), (0, 0));
        assert!(report.elapsed < LONG);
    }
    // Both FINs are through on the side that began: what is left is TIME-WAIT, off the socket.
    assert_eq!(here.tcp_state, TcpState::Closed);
    assert!(matches!(there.tcp_state, TcpState::LastAck | TcpState::Closed), "{there:?}");
}

#[test]
fn a_graceful_disconnect_waits_for_unread_data_to_be_read() {
    let (server, mut plain) = accepted_from_plain();
    plain.write_all(b"unread").unwrap();
    let leaving = server.disconnect().start();
    assert_eq!(plain.read(&mut [0; 8]).unwrap(), 0);
    drop(plain);
    let mut buffer = [0; 3];
    assert_eq!(server.recv(&mut buffer).unwrap(), 3);
    assert_eq!(server.recv(&mut buffer).unwrap(), 3);
    assert!(leaving.wait().unwrap().is_graceful());
}

/// The peer's FIN is there, though this side has not received to the end: it closed first.
#[test]
fn a_peer_that_has_closed_unseen_was_first() {
    let (server, plain) = accepted_from_plain();
    plain.shutdown(std::net::Shutdown::Write).unwrap();
    while snapshot_of(&server).tcp_state != Some(TcpState::CloseWait) {
        thread::yield_now();
    }
    let report = server.disconnect().wait().unwrap();
    assert_eq!((report.reason, report.closed_first()), (CloseReason::PeerFin, Some(Side::Peer)));
}

fn snapshot_of(socket: &Socket) -> Snapshot {
    let is_it = |snapshot: &Snapshot| snapshot.handle.value() == socket.handle();
    view::sockets().into_iter().find(is_it).unwrap()
}

#[test]
fn a_deadline_ends_a_peer_that_never_reads() {
    let (server, mut plain) = accepted_from_plain();
    let size = 64 << 20;
    let sending = server.send_owned(vec![7; size]).start();
    let limit = Duration::from_millis(50);
    let begun = Instant::now();
    let report = block_on(server.disconnect().within(limit)).unwrap();
    assert!(begun.elapsed() >= limit && report.elapsed >= limit, "{report:?}");
    assert_eq!(report.reason, CloseReason::LocalAbort(AbortCause::DeadlinePassed));
    assert_eq!(report.closed_first(), Some(Side::Local));
    assert!(!report.is_graceful());
    assert_eq!(sending.finish().0.unwrap_err().wsa(), 10060, "its time is over");
    // What the peer's kernel has acknowledged and what it has not are all there is.
    let mut all = Vec::new();
    let error = plain.read_to_end(&mut all).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert!(report.unsent > 0 && report.unsent + all.len() <= size, "{report:?}");
}

#[test]
fn a_deadline_ends_a_peer_that_never_closes() {
    let (server, mut plain) = accepted_from_plain();
    let report = server.disconnect().reuse().within(Duration::from_millis(20)).wait().unwrap();
    assert_eq!(report.reason, CloseReason::LocalAbort(AbortCause::DeadlinePassed));
    assert_eq!((report.unsent, report.unread), (0, 0));
    assert!(matches!(report.tcp_state, TcpState::FinWait1 | TcpState::FinWait2), "{report:?}");
    assert_eq!(plain.read(&mut [0; 8]).unwrap(), 0, "the FIN came before the reset");
}

#[test]
fn a_deadline_that_is_not_needed_harms_nobody() {
    let (client, server) = pair();
    let limit = Duration::from_millis(20);
    let leaving = client.disconnect().reuse().within(limit).start();
    assert_eq!(server.recv(&mut [0; 8]).unwrap(), 0);
    assert!(server.disconnect().reuse().wait().unwrap().is_graceful());
    assert!(leaving.wait().unwrap().is_graceful());
    // The handles serve another connection when the time comes; it goes on.
    let listener = listener();
    let accepting = listener.accept_into(&server, Vec::new()).start();
    client.connect_owned(listener.local_address().unwrap(), Vec::new()).wait().unwrap();
    accepting.wait().unwrap();
    let (done, is_done) = std::sync::mpsc::channel();
    linsock::iocp::guardian::call_after(limit * 2, move || done.send(()).unwrap());
    is_done.recv_timeout(LONG).unwrap();
    client.send(b"alive").unwrap();
    assert_eq!(server.recv(&mut [0; 8]).unwrap(), 5);
}

#[test]
fn an_abort_says_what_it_cost() {
    let (server, mut plain) = accepted_from_plain();
    plain.write_all(b"12345").unwrap();
    assert_eq!(server.recv(&mut [0; 1]).unwrap(), 1);
    let receiving = server.recv_owned(vec![0; 2]);
    let report = server.disconnect().abortive().unwrap();
    assert_eq!(report.reason, CloseReason::LocalAbort(AbortCause::Requested));
    assert_eq!((report.unread, report.closed_first()), (4, Some(Side::Local)));
    assert_eq!(report.tcp_state, TcpState::Established);
    let error = plain.read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(receiving.wait().unwrap_err().wsa(), 10053, "this side aborted");
    assert_eq!(wsa(server.disconnect().abortive()), 10057, "once");
}

#[test]
fn an_abort_ends_a_graceful_disconnect_that_is_stuck() {
    let (server, _plain) = accepted_from_plain();
    let stuck = server.disconnect().start();
    let report = server.disconnect().abortive().unwrap();
    assert_eq!(stuck.wait().unwrap().reason, report.reason);
}

#[test]
fn a_peer_that_resets_is_reported_and_no_error() {
    let (server, plain) = accepted_from_plain();
    let leaving = server.disconnect().start();
    rustix::net::sockopt::set_socket_linger(&plain, Some(Duration::ZERO)).unwrap();
    drop(plain);
    let report = block_on(leaving).unwrap();
    assert_eq!((report.reason, report.closed_first()), (CloseReason::PeerReset, Some(Side::Peer)));
}

#[test]
fn refused_and_cancelled_disconnects_are_errors() {
    let fresh = Socket::tcp(Family::Inet).unwrap();
    assert_eq!(wsa(fresh.disconnect().wait()), 10057);
    assert_eq!(wsa(fresh.disconnect().abortive()), 10057);
    let (server, mut plain) = accepted_from_plain();
    let leaving = server.disconnect().start();
    assert_eq!(wsa(server.disconnect().wait()), 10057, "one at a time");
    leaving.cancel();
    assert_eq!(wsa(leaving.wait()), 995);
    // The FIN cannot be called back; the other direction goes on, and another disconnect may wait.
    assert_eq!(plain.read(&mut [0; 8]).unwrap(), 0);
    plain.write_all(b"more").unwrap();
    assert_eq!(server.recv(&mut [0; 8]).unwrap(), 4);
    drop(plain);
    assert!(server.disconnect().wait().unwrap().is_graceful());
}

//! How connections end, on real sockets over loopback. Every expected value names its source.

use std::future::Future;
use std::io::{Read, Write};
use std::net::{Shutdown as StdShutdown, SocketAddr, TcpListener, TcpStream};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use linsock::host;
use linsock::net::{
    AbortCause, CloseReason, CompletionPort, Error, Family, Outcome, Shutdown, Socket,
};
use linsock::time_wait::Pair;

const ANY_PORT: &str = "127.0.0.1:0";

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn listener() -> Socket {
    let listener = Socket::tcp(Family::Inet).unwrap();
    listener.bind(address(ANY_PORT)).unwrap();
    listener.listen(16).unwrap();
    listener
}

fn connected_to(listener: &Socket) -> Socket {
    let client = Socket::tcp(Family::Inet).unwrap();
    client.connect(listener.local_address().unwrap()).unwrap();
    client
}

/// Both ends by linsock: (connected, accepted).
fn pair() -> (Socket, Socket) {
    let listener = listener();
    let client = connected_to(&listener);
    let server = listener.accept().unwrap();
    (client, server)
}

/// One end by linsock, accepted; the other a plain socket of the kernel.
fn accepted_from_plain() -> (Socket, TcpStream) {
    let listener = listener();
    let plain = TcpStream::connect(listener.local_address().unwrap()).unwrap();
    (listener.accept().unwrap(), plain)
}

/// Makes the plain end reset instead of close.
fn reset(plain: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&plain, Some(Duration::ZERO)).unwrap();
}

fn wsa(outcome: Outcome) -> u32 {
    outcome.0.map_or_else(Error::wsa, |_| 0)
}

fn recv_error(socket: &Socket) -> u32 {
    socket.recv(&mut [0; 8]).expect_err("the receive fails").wsa()
}

#[test]
fn half_close_does_not_wait_for_the_peer_and_receiving_goes_on() {
    // Source: test_DisconnectEx (flags 0).
    let (server, mut plain) = accepted_from_plain();
    server.half_close().wait().unwrap();
    assert_eq!(plain.read(&mut [0; 8]).unwrap(), 0);
    plain.write_all(b"still").unwrap();
    let mut buffer = [0; 8];
    assert_eq!(server.recv(&mut buffer).unwrap(), 5);
    assert_eq!(server.send(b"x").unwrap_err().wsa(), 10058);
    // Source: the DisconnectEx page, "transmit closing state"; our choice over D1.
    assert_eq!(server.half_close().wait().unwrap_err().wsa(), 10057);
}

#[test]
fn half_close_goes_behind_queued_sends() {
    // Source: design 4, "FIN behind all queued sends".
    let (server, mut plain) = accepted_from_plain();
    let size = 32 << 20;
    let sending = server.send_owned(vec![7; size]).start();
    let closing = server.half_close().start();
    assert!(!closing.is_finished());
    let reader = thread::spawn(move || {
        let mut all = Vec::new();
        plain.read_to_end(&mut all).map(|_| all.len())
    });
    assert_eq!(sending.wait().unwrap().0, size);
    closing.wait().unwrap();
    assert_eq!(reader.join().unwrap().unwrap(), size);
}

#[test]
fn the_first_of_a_buffer_is_sent_and_received_and_the_buffer_stays_whole() {
    // Our choice: buffers of the safe API keep their length from one operation to the next.
    let (server, mut plain) = accepted_from_plain();
    let (sent, buffer) = server.send_owned(b"echo....".to_vec()).first(4).wait().unwrap();
    assert_eq!((sent, &buffer[..]), (4, &b"echo...."[..]));
    let mut read = [0; 4];
    plain.read_exact(&mut read).unwrap();
    assert_eq!(&read, b"echo");
    plain.write_all(b"123456").unwrap();
    let (received, buffer) = server.recv_owned(buffer).first(5).wait().unwrap();
    assert_eq!((received, &buffer[..]), (5, &b"12345..."[..]));
    let (received, buffer) = server.recv_owned(buffer).first(usize::MAX).wait().unwrap();
    assert_eq!((received, &buffer[..]), (1, &b"62345..."[..]));
}

#[test]
fn reuse_waits_until_the_data_is_read_and_the_fin_has_come() {
    // Source: TransmitFile page by winsock-semantics 2.2; design 4.
    let (server, mut plain) = accepted_from_plain();
    plain.write_all(b"unread").unwrap();
    let leaving = server.disconnect_reuse().start();
    assert_eq!(plain.read(&mut [0; 8]).unwrap(), 0);
    plain.shutdown(StdShutdown::Write).unwrap();
    let mut buffer = [0; 3];
    assert_eq!(server.recv(&mut buffer).unwrap(), 3);
    assert!(!leaving.is_finished());
    assert_eq!(server.recv(&mut buffer).unwrap(), 3);
    leaving.wait().unwrap();
}

#[test]
fn handles_serve_again_on_both_sides_and_crosswise() {
    // Source: DisconnectEx page, "can be passed to the AcceptEx or ConnectEx function".
    let first = listener();
    let second = listener();
    let (mut connector, mut acceptor) = (connected_to(&first), first.accept().unwrap());
    for round in 0..20 {
        let leaving = connector.disconnect_reuse().start();
        acceptor.disconnect_reuse().wait().unwrap();
        leaving.wait().unwrap();
        // Now the one that had accepted connects, to another listener, and the other accepts.
        std::mem::swap(&mut connector, &mut acceptor);
        let listener = if round % 2 == 0 { &second } else { &first };
        let accepting = listener.accept_into(&acceptor, Vec::new()).start();
        let to = listener.local_address().unwrap();
        connector.connect_owned(to, b"again".to_vec()).wait().unwrap();
        accepting.wait().unwrap();
        let mut buffer = [0; 8];
        assert_eq!(acceptor.recv(&mut buffer).unwrap(), 5, "round {round}");
    }
}

#[test]
fn a_cancelled_reuse_leaves_the_connection_half_closed() {
    // Source: design 4 (CancelIoEx ends it at once); that the FIN stays sent is our choice.
    let (server, mut plain) = accepted_from_plain();
    let leaving = server.disconnect_reuse().start();
    leaving.cancel();
    assert_eq!(wsa(leaving.finish()), 995);
    assert_eq!(plain.read(&mut [0; 8]).unwrap(), 0);
    plain.write_all(b"more").unwrap();
    assert_eq!(server.recv(&mut [0; 8]).unwrap(), 4);
    drop(plain);
    server.disconnect_reuse().wait().unwrap();
}

#[test]
fn closing_the_handle_ends_a_pending_reuse() {
    // Source: design 4; status by winsock-semantics 3.9 for operations that are no receives.
    let (server, _plain) = accepted_from_plain();
    let leaving = server.disconnect_reuse().start();
    drop(server);
    assert_eq!(wsa(leaving.finish()), 995);
}

#[test]
fn a_reset_ends_a_pending_reuse() {
    // Source: winsock-semantics 2.2 ("expect failure with STATUS_CONNECTION_RESET"): our choice.
    let (server, plain) = accepted_from_plain();
    let leaving = server.disconnect_reuse().start();
    reset(plain);
    assert_eq!(wsa(leaving.finish()), 10054);
}

#[test]
fn both_ends_may_recycle_at_once() {
    // Source: compio tcp_disconnect.rs, by winsock-semantics 2.2.
    let (client, server) = pair();
    let (a, b) = (client.disconnect_reuse().start(), server.disconnect_reuse().start());
    a.wait().unwrap();
    b.wait().unwrap();
}

#[test]
fn a_bare_reset_is_sticky() {
    // Source: test_tcp_reset.
    let (server, plain) = accepted_from_plain();
    let pending = server.recv_owned(vec![0; 8]).start();
    reset(plain);
    assert_eq!(wsa(pending.finish()), 10054);
    for _ in 0..3 {
        assert_eq!(recv_error(&server), 10054);
        assert_eq!(server.send(b"x").unwrap_err().wsa(), 10054);
    }
    assert_eq!(server.close_reason(), Some(CloseReason::PeerReset));
    // Not connected any more, so there is nothing to disconnect (DisconnectEx page).
    assert_eq!(server.disconnect_reuse().wait().unwrap_err().wsa(), 10057);
}

#[test]
fn a_reset_behind_a_fin_is_an_abort() {
    // Source: test_shutdown, "Send data to a peer which is closed"; hazard: winsock-semantics 9.
    let (server, plain) = accepted_from_plain();
    plain.shutdown(StdShutdown::Write).unwrap();
    drop(plain);
    server.send(b"hello").unwrap();
    assert_eq!(recv_error(&server), 10053);
    assert_eq!(recv_error(&server), 10053);
    assert_eq!(server.close_reason(), Some(CloseReason::PeerResetAfterFin));
}

#[test]
fn the_end_of_data_is_told_again_and_again() {
    // Source: test_shutdown.
    let (server, plain) = accepted_from_plain();
    plain.shutdown(StdShutdown::Write).unwrap();
    for _ in 0..3 {
        assert_eq!(server.recv(&mut [0; 8]).unwrap(), 0);
        assert_eq!(server.recv_owned(vec![0; 8]).wait().unwrap().0, 0);
    }
    assert_eq!(server.close_reason(), Some(CloseReason::PeerFin));
}

#[test]
fn after_shutting_down_receiving_later_data_resets() {
    // Source: WSARecvDisconnect page (seed 003); the pending receive survives: test_shutdown.
    let (server, mut plain) = accepted_from_plain();
    let pending = server.recv_owned(vec![0; 8]).start();
    server.shutdown(Shutdown::Receive).unwrap();
    assert_eq!(recv_error(&server), 10058);
    plain.write_all(b"hello").unwrap();
    assert_eq!(pending.wait().unwrap().0, 5);
    plain.write_all(b"refused").unwrap();
    let error = plain.read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let cause = AbortCause::DataAfterReceiveShutdown;
    assert_eq!(server.close_reason(), Some(CloseReason::LocalAbort(cause)));
}

#[test]
fn after_shutting_down_receiving_a_fin_does_not_reset() {
    // Source: WSARecvDisconnect page (seed 003) by design 4, "a FIN does not".
    let (server, mut plain) = accepted_from_plain();
    server.shutdown(Shutdown::Receive).unwrap();
    plain.shutdown(StdShutdown::Write).unwrap();
    server.send(b"answer").unwrap();
    let mut buffer = [0; 8];
    assert_eq!(plain.read(&mut buffer).unwrap(), 6);
    assert_eq!(recv_error(&server), 10058);
}

#[test]
fn dropping_a_socket_delivers_what_was_sent() {
    // Source: test_send_buffering: data of a pending send goes out after closesocket.
    let (server, mut plain) = accepted_from_plain();
    let size = 16 << 20;
    let sending = server.send_owned(vec![1; size]).start();
    drop(server);
    assert_eq!(sending.wait().unwrap().0, size);
    let mut all = Vec::new();
    plain.read_to_end(&mut all).unwrap();
    assert_eq!(all.len(), size);
}

#[test]
fn linger_zero_resets_but_not_on_a_disconnect() {
    // Source: closesocket page; a disconnect is graceful whatever SO_LINGER says (our choice, for
    // the socket pools that set it: porting 0).
    let (server, mut plain) = accepted_from_plain();
    server.set_linger(Some(Duration::ZERO)).unwrap();
    drop(server);
    let error = plain.read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);

    let (server, mut plain) = accepted_from_plain();
    server.set_linger(Some(Duration::ZERO)).unwrap();
    plain.shutdown(StdShutdown::Write).unwrap();
    assert_eq!(server.recv(&mut [0; 8]).unwrap(), 0);
    server.disconnect_reuse().wait().unwrap();
    assert_eq!(plain.read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn an_abort_resets() {
    // Source: closesocket page, a hard close, which this is without the option.
    let (server, mut plain) = accepted_from_plain();
    server.abort();
    let error = plain.read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn receives_are_filled_in_order_of_issue() {
    // Source: test_simultaneous_async_recv.
    let (server, mut plain) = accepted_from_plain();
    let receives: Vec<_> = (0..4).map(|_| server.recv_owned(vec![0; 2]).start()).collect();
    plain.write_all(b"aabbccdd").unwrap();
    for (receive, expected) in receives.into_iter().zip([b"aa", b"bb", b"cc", b"dd"]) {
        assert_eq!(receive.wait().unwrap(), (2, expected.to_vec()));
    }
}

#[test]
fn a_refused_connect_may_be_tried_again() {
    // Source: ConnectEx page, remarks (may retry after WSAECONNREFUSED).
    let gone = TcpListener::bind(ANY_PORT).unwrap().local_addr().unwrap();
    let socket = Socket::tcp(Family::Inet).unwrap();
    assert_eq!(socket.connect(gone).unwrap_err().wsa(), 10061);
    let listener = listener();
    assert_eq!(wsa(socket.connect_owned(gone, Vec::new()).start().finish()), 10061);
    socket.connect(listener.local_address().unwrap()).unwrap();
    assert_eq!(socket.connect(gone).unwrap_err().wsa(), 10056);
}

#[test]
fn the_same_over_ipv6() {
    let listener = Socket::tcp(Family::Inet6).unwrap();
    listener.bind(address("[::1]:0")).unwrap();
    listener.listen(1).unwrap();
    let client = Socket::tcp(Family::Inet6).unwrap();
    client.connect(listener.local_address().unwrap()).unwrap();
    let server = listener.accept().unwrap();
    client.send(b"six").unwrap();
    assert_eq!(server.recv(&mut [0; 8]).unwrap(), 3);
    assert_eq!(server.peer_address().unwrap(), client.local_address().unwrap());
}

#[test]
fn operations_can_be_awaited() {
    let listener = listener();
    let acceptor = Socket::tcp(Family::Inet).unwrap();
    let client = Socket::tcp(Family::Inet).unwrap();
    let to = listener.local_address().unwrap();
    let received = block_on(async {
        let accepting = listener.accept_into(&acceptor, vec![0; 16]).start();
        let (connected, _) = client.connect_owned(to, b"first data".to_vec()).await;
        connected.unwrap();
        let (received, buffer) = accepting.await;
        let end = client.disconnect_reuse().start();
        assert_eq!(acceptor.recv_owned(vec![0; 4]).await.0, Ok(0));
        acceptor.disconnect_reuse().await.0.unwrap();
        end.await.0.unwrap();
        buffer[..received.unwrap()].to_vec()
    });
    assert_eq!(received, b"first data");
}

#[test]
fn dropping_an_operation_cancels_it() {
    let (server, mut plain) = accepted_from_plain();
    drop(server.recv_owned(vec![0; 8]).start());
    plain.write_all(b"kept").unwrap();
    assert_eq!(server.recv(&mut [0; 8]).unwrap(), 4);
}

#[test]
fn a_port_brings_the_end_of_every_operation_once() {
    let port = CompletionPort::new(1).unwrap();
    let (server, mut plain) = accepted_from_plain();
    server.associate(&port, 77).unwrap();
    assert!(server.associate(&port, 78).is_err());
    server.recv_owned(vec![0; 8]).queue(1).unwrap();
    server.send_owned(b"out".to_vec()).queue(2).unwrap();
    plain.write_all(b"in").unwrap();
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let packet = port.wait(Some(Duration::from_secs(10))).unwrap().expect("a packet");
        assert_eq!(packet.key(), 77);
        tokens.push((packet.token(), packet.result().unwrap()));
    }
    tokens.sort_unstable();
    assert_eq!(tokens, [(1, 2), (2, 3)]);
    assert!(port.wait(Some(Duration::ZERO)).unwrap().is_none());
    port.post(5, 6);
    let packet = port.wait(None).unwrap().expect("the posted packet");
    assert_eq!((packet.key(), packet.token()), (5, 6));
    port.close();
    assert!(port.wait(None).is_err());
}

/// A waker that unparks a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

/// Ends a connection as an administrator does. None where this process may not.
fn ended_from_outside(socket: &Socket, plain: &TcpStream) -> Option<Pair> {
    let (local, remote) = (socket.local_address().unwrap(), plain.local_addr().unwrap());
    let pair = Pair { local, remote };
    let is_ended = host::reset(pair) == Ok(true);
    if !is_ended {
        println!("skipped: a connection that is ended from outside needs CAP_NET_ADMIN");
    }
    is_ended.then_some(pair)
}

const FROM_OUTSIDE: Option<CloseReason> = Some(CloseReason::LocalAbort(AbortCause::FromOutside));

/// recv page: WSAECONNABORTED, "terminated due to a time-out or other failure"; the other end sees
/// a reset (RFC 9293, 3.10.5).
#[test]
fn what_an_administrator_ends_is_no_reset_of_the_peer() {
    let (server, mut plain) = accepted_from_plain();
    let waiting = server.recv_owned(vec![0; 8]).start();
    let Some(pair) = ended_from_outside(&server, &plain) else { return };
    assert_eq!(waiting.wait().unwrap_err().wsa(), 10053);
    assert_eq!(server.close_reason(), FROM_OUTSIDE);
    let error = plain.read(&mut [0; 1]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(host::reset(pair), Ok(false), "nothing is left");
}

/// Nor behind the peer's FIN, where a reset is told by the waiting error alone.
#[test]
fn what_an_administrator_ends_behind_the_peers_end_is_no_reset_either() {
    let (server, plain) = accepted_from_plain();
    plain.shutdown(StdShutdown::Write).unwrap();
    assert_eq!(server.recv(&mut [0; 1]).unwrap(), 0);
    // From now on the end may hide a reset.
    server.send(b"x").unwrap();
    if ended_from_outside(&server, &plain).is_none() {
        return;
    }
    assert_eq!(server.recv(&mut [0; 1]).unwrap_err().wsa(), 10053);
    assert_eq!(server.close_reason(), FROM_OUTSIDE);
}

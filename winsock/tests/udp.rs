//! Datagram sockets of the safe API, on real sockets over loopback. What Windows says of them is in
//! the C program `udp.c`; here: the forms that an operation has.

use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use linsock::net::{CompletionPort, Family, Shutdown, UdpSocket};

/// (server, client), each with the other as default destination.
fn pair() -> (UdpSocket, UdpSocket) {
    let (server, client) = (bound(), bound());
    server.connect(Some(client.local_address().unwrap())).unwrap();
    client.connect(Some(server.local_address().unwrap())).unwrap();
    (server, client)
}

fn bound() -> UdpSocket {
    let socket = UdpSocket::new(Family::Inet).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket
}

#[test]
fn operations_are_awaited_and_taken_from_a_port() {
    let (server, client) = pair();
    let mut receiving = pin!(server.recv_owned(vec![0; 8]).into_future());
    let mut context = Context::from_waker(Waker::noop());
    assert!(receiving.as_mut().poll(&mut context).is_pending());
    client.send_owned(b"one".to_vec()).wait().unwrap();
    let outcome = loop {
        if let Poll::Ready(outcome) = receiving.as_mut().poll(&mut context) {
            break outcome;
        }
        std::thread::yield_now();
    };
    assert_eq!(outcome.0.unwrap(), 3);
    assert_eq!(&outcome.1[..3], b"one");

    let port = CompletionPort::new(0).unwrap();
    server.associate(&port, 7).unwrap();
    server.recv_owned(vec![0; 8]).queue(42).unwrap();
    client.send_owned(b"three".to_vec()).wait().unwrap();
    let packet = port.wait(Some(Duration::from_secs(30))).unwrap().unwrap();
    assert_eq!((packet.key(), packet.token()), (7, 42));
    assert_eq!(packet.result().unwrap(), 5);
}

#[test]
fn cancelling_dropping_and_closing_end_an_operation() {
    let (server, _client) = pair();
    let receiving = server.recv_owned(vec![0; 8]).start();
    assert_eq!(server.cancel_all(), 1);
    assert_eq!(receiving.finish().0.unwrap_err().wsa(), 995);
    drop(server.recv_owned(vec![0; 8]).start());
    assert_eq!(server.cancel_all(), 0, "dropped");
    let receiving = server.recv_owned(vec![0; 8]).start();
    drop(server);
    assert_eq!(receiving.finish().0.unwrap_err().wsa(), 995);
}

#[test]
fn a_datagram_that_does_not_fit_is_an_error_and_the_next_one_is_whole() {
    let (server, client) = pair();
    for text in [&b"too long"[..], b"next"] {
        client.send_to(text, server.local_address().unwrap()).unwrap();
    }
    let mut buffer = [0; 4];
    assert_eq!(server.recv_from(&mut buffer).unwrap_err().wsa(), 10040);
    assert_eq!(server.recv_from(&mut buffer).unwrap().0, 4);
    assert_eq!(&buffer, b"next");
    server.shutdown(Shutdown::Receive).unwrap();
    assert_eq!(server.recv_from(&mut buffer).unwrap_err().wsa(), 10058);
}

#[test]
fn a_receive_blocks_no_longer_than_it_may() {
    let server = bound();
    server.set_receive_timeout(Some(Duration::from_millis(20))).unwrap();
    assert_eq!(server.recv_from(&mut [0; 4]).unwrap_err().wsa(), 10060);
}

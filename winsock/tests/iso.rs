//! ISO transport sockets against peers that speak TCP by hand: what is on the wire, and what
//! hostile octets do.
//!
//! Sources: RFC 905, RFC 1006, RFC 2126; for malformed input disconnect-data 1.10.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use linsock::catalog::Provider;
use linsock::iocp::NtStatus;
use linsock::iocp::buffer::{Buffers, SendFlags};
use linsock::net::{ConnectData, DisconnectData, IsoSocket, Received, TransportAddress};
use linsock::socket::{RecvOptions, Socket, Started, SyncResult};
use linsock::transport::iso::tpdu::{self, Class, Connect, Manner, Tpdu, reason};

const LONG: Duration = Duration::from_secs(10);

fn listener() -> (IsoSocket, TransportAddress) {
    let listener = IsoSocket::new().unwrap();
    let any = TransportAddress::new("127.0.0.1:0".parse().unwrap(), b"service").unwrap();
    listener.bind(&any).unwrap();
    listener.listen(64).unwrap();
    let at = listener.local_address().unwrap();
    (listener, at)
}

fn plain(at: &TransportAddress) -> TcpStream {
    let stream = TcpStream::connect(at.host()).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

/// The next packet, whole; nothing at the end.
fn packet(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = [0; 4];
    if stream.read_exact(&mut head).is_err() {
        return Vec::new();
    }
    let len = tpdu::packet_len(&head).unwrap().unwrap();
    let mut rest = vec![0; len - head.len()];
    stream.read_exact(&mut rest).unwrap();
    rest
}

/// TCP has ended, one way or the other; not that nothing has come for a while.
fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

fn request(data: &[u8]) -> Vec<u8> {
    let connect = Connect {
        destination: 0,
        source: 0x77,
        class: Some(Class::Two),
        or_class_0: false,
        size: Some(11),
        calling: b"hand",
        called: b"service",
        data,
    };
    let mut octets = Vec::new();
    tpdu::emit_connect(&mut octets, &connect, false);
    octets
}

/// A connection to `listener` made by hand; with the reference of the other side.
fn connect_by_hand(listener: &IsoSocket, at: &TransportAddress) -> (TcpStream, IsoSocket, u16) {
    let mut stream = plain(at);
    stream.write_all(&request(b"hi")).unwrap();
    let request = listener.accept().unwrap();
    assert_eq!(request.data(), b"hi");
    assert_eq!(request.caller().unwrap().selector(), b"hand");
    let server = request.accept(&ConnectData::new(b"welcome").unwrap()).unwrap();
    let confirm = packet(&mut stream);
    match tpdu::decode(&confirm, Some(Class::Two)) {
        Ok(Tpdu::ConnectionConfirm(Connect { source, destination: 0x77, data, .. })) => {
            assert_eq!(data, b"welcome");
            (stream, server, source)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_disconnect_by_hand_is_heard_and_confirmed() {
    let (listener, at) = listener();
    let (mut stream, server, reference) = connect_by_hand(&listener, &at);
    let mut octets = Vec::new();
    tpdu::emit_data(&mut octets, Some(reference), true, |into| into.extend(b"last message"));
    let manner = Some(Manner::Orderly);
    tpdu::emit_disconnect(&mut octets, (reference, 0x77), reason::NORMAL, manner, b"so long");
    stream.write_all(&octets).unwrap();
    assert_eq!(server.recv().unwrap(), Received::Message(b"last message".to_vec()));
    let said = DisconnectData::new(b"so long").unwrap();
    assert_eq!(server.recv().unwrap(), Received::Disconnected(said));
    let confirm = packet(&mut stream);
    let expected = Tpdu::DisconnectConfirm { destination: 0x77, source: reference };
    assert_eq!(tpdu::decode(&confirm, Some(Class::Two)), Ok(expected));
    assert_eq!(server.send(b"too late").unwrap_err().wsa(), 10054);
}

#[test]
fn our_disconnect_is_on_the_wire_as_the_rfc_has_it() {
    let (listener, at) = listener();
    let (mut stream, server, reference) = connect_by_hand(&listener, &at);
    server.send(b"data").unwrap();
    server.disconnect(&DisconnectData::new(&[7; 64]).unwrap()).unwrap();
    let data = packet(&mut stream);
    let expected = Tpdu::Data { destination: Some(0x77), end: true, data: b"data" };
    assert_eq!(tpdu::decode(&data, Some(Class::Two)), Ok(expected));
    let disconnect = packet(&mut stream);
    let expected = Tpdu::DisconnectRequest {
        destination: 0x77,
        source: reference,
        reason: reason::NORMAL,
        manner: Manner::Orderly,
        data: &[7; 64],
    };
    assert_eq!(tpdu::decode(&disconnect, Some(Class::Two)), Ok(expected));
    // What crosses it is delivered; then the confirm ends it.
    let mut octets = Vec::new();
    tpdu::emit_data(&mut octets, Some(reference), true, |into| into.extend(b"crossing"));
    tpdu::emit_disconnect_confirm(&mut octets, reference, 0x77);
    stream.write_all(&octets).unwrap();
    assert_eq!(server.recv().unwrap(), Received::Message(b"crossing".to_vec()));
    assert_eq!(server.recv().unwrap(), Received::Disconnected(DisconnectData::NONE));
}

#[test]
fn a_refusal_says_why() {
    let (listener, at) = listener();
    let client = thread::spawn(move || {
        let client = IsoSocket::new().unwrap();
        let refused = client.connect(&at, &ConnectData::NONE).unwrap_err();
        (refused.wsa(), client.refusal())
    });
    listener.accept().unwrap().refuse(&DisconnectData::new(b"not today").unwrap());
    let why = DisconnectData::new(b"not today").unwrap();
    assert_eq!(client.join().unwrap(), (10061, Some(why)));
}

/// disconnect-data 1.8: TCP that ends without a DR is an error in class 2.
#[test]
fn the_end_of_tcp_alone_is_no_graceful_end() {
    let (listener, at) = listener();
    let (stream, server, _) = connect_by_hand(&listener, &at);
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(server.recv().unwrap_err().wsa(), 10054);
}

/// disconnect-data 1.10. The listener serves the next one.
#[test]
fn malformed_requests_are_answered_and_forgotten() {
    let (listener, at) = listener();
    let bad: [&[u8]; 6] = [
        b"GET / HTTP/1.0\r\n\r\n",
        &[3, 0, 0, 6, 1, 1],
        &[3, 0, 0, 7, 0xFF, 0xE0, 0],
        &[3, 0, 0, 11, 6, 0xE0, 0, 0, 0, 1, 0x40],
        &[3, 0, 0, 13, 8, 0xE0, 0, 0, 0, 1, 0x21, 0xC1, 9],
        &[3, 0, 0, 7, 2, 0xF0, 0x80],
    ];
    for octets in bad {
        let mut stream = plain(&at);
        stream.write_all(octets).unwrap();
        let answer = packet(&mut stream);
        let is_disconnect =
            matches!(tpdu::decode(&answer, None), Ok(Tpdu::DisconnectRequest { .. }));
        assert!(answer.is_empty() || is_disconnect, "{octets:x?}: {answer:x?}");
        assert!(is_closed(&mut stream), "and TCP ends");
    }
    connect_by_hand(&listener, &at);
}

#[test]
fn malformed_data_breaks_the_connection_with_an_answer() {
    let (listener, at) = listener();
    let bad: [&[u8]; 3] = [
        &[3, 0, 0, 7, 2, 0xF0, 0x80],
        &[3, 0, 0, 9, 4, 0x30, 0, 0, 0],
        &[3, 0, 0, 8, 9, 0xF0, 0, 0],
    ];
    for octets in bad {
        let (mut stream, server, _) = connect_by_hand(&listener, &at);
        stream.write_all(octets).unwrap();
        assert_eq!(server.recv().unwrap_err().wsa(), 10054, "{octets:x?}");
        let answer = packet(&mut stream);
        match tpdu::decode(&answer, Some(Class::Two)) {
            Ok(Tpdu::DisconnectRequest { reason: reason::PROTOCOL_ERROR, .. }) => {}
            other => panic!("{octets:x?}: {other:?}"),
        }
    }
}

/// A message that never ends is given up at the cap; what a length merely states costs nothing.
#[test]
fn a_message_without_an_end_is_given_up() {
    let (listener, at) = listener();
    let (mut stream, server, reference) = connect_by_hand(&listener, &at);
    let sender = thread::spawn(move || {
        let mut octets = Vec::new();
        tpdu::emit_data(&mut octets, Some(reference), false, |into| into.extend([0; 1 << 15]));
        for _ in 0..64 {
            if stream.write_all(&octets).is_err() {
                return;
            }
        }
    });
    let mut error = None;
    while error.is_none() {
        error = server.recv().err();
    }
    assert_eq!(error.unwrap().wsa(), 10054);
    drop(server);
    sender.join().unwrap();
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Hundreds who connect and say nothing keep nobody out, and leave nothing behind.
#[test]
fn a_flood_of_silent_peers_keeps_nobody_out() {
    let (listener, at) = listener();
    connect_by_hand(&listener, &at);
    let silent: Vec<_> = (0..400).map(|_| plain(&at)).collect();
    // Half a request is no more than none.
    for mut stream in &silent {
        let _ = stream.write_all(&request(b"")[..9]);
    }
    let (stream, server, _) = connect_by_hand(&listener, &at);
    let held = descriptors();
    drop((silent, stream, server));
    drop(listener);
    assert!(held < 400 + 256 + 150, "{held} descriptors");
}

/// disconnect-data 1.9 and 5 (closesocket): a close goes on behind the handle until the peer has
/// confirmed, and what the peer still sends does not make TCP take the disconnect back. On bare
/// TCP the unread messages would be answered by a reset.
#[test]
fn a_closed_handle_still_says_why_to_a_peer_that_talks() {
    let (listener, at) = listener();
    let (mut stream, server, reference) = connect_by_hand(&listener, &at);
    let mut messages = Vec::new();
    for _ in 0..50 {
        tpdu::emit_data(&mut messages, Some(reference), true, |into| into.extend([7; 1000]));
    }
    stream.write_all(&messages).unwrap();
    server.disconnect(&DisconnectData::new(b"enough").unwrap()).unwrap();
    drop(server);
    for _ in 0..20 {
        stream.write_all(&messages).unwrap();
    }
    let disconnect = packet(&mut stream);
    match tpdu::decode(&disconnect, Some(Class::Two)) {
        Ok(Tpdu::DisconnectRequest { data, .. }) => assert_eq!(data, b"enough"),
        other => panic!("{other:?}"),
    }
    let mut confirm = Vec::new();
    tpdu::emit_disconnect_confirm(&mut confirm, reference, 0x77);
    stream.write_all(&confirm).unwrap();
    assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0, "closed, not reset");
}

/// Behind a closed handle too: a peer that ends TCP or breaks the rules ends the wait.
#[test]
fn what_is_left_of_a_closed_handle_goes_with_the_peer() {
    let (listener, at) = listener();
    for breaks_the_rules in [false, true] {
        let (mut stream, server, _) = connect_by_hand(&listener, &at);
        drop(server);
        assert!(!packet(&mut stream).is_empty());
        if breaks_the_rules {
            stream.write_all(b"no packet").unwrap();
        } else {
            stream.shutdown(Shutdown::Write).unwrap();
        }
        assert!(is_closed(&mut stream));
    }
}

/// A socket without the safe API around it, and its peer.
fn connected_to(listener: &IsoSocket, at: TransportAddress) -> (Arc<Socket>, IsoSocket) {
    let client = Socket::create(Provider::Iso(Class::Two), true).unwrap();
    let server = thread::scope(|scope| {
        let server = scope.spawn(|| listener.accept().unwrap().accept(&ConnectData::NONE).unwrap());
        client.connect_blocking(&at.into()).unwrap();
        server.join().unwrap()
    });
    (client, server)
}

/// WSAEDISCON (WSARecv page, message-oriented sockets), for each one that waits.
#[test]
fn every_receive_that_waits_hears_the_disconnect() {
    let (listener, at) = listener();
    let (client, server) = connected_to(&listener, at);
    let pending: Vec<_> = (0..3)
        .map(|_| {
            let result = SyncResult::new();
            let irp = result.irp(Buffers::from_vec(vec![0; 8]));
            assert_eq!(client.recv(irp, RecvOptions::default()), Ok(Started::Pending));
            result
        })
        .collect();
    server.disconnect(&DisconnectData::new(b"bye").unwrap()).unwrap();
    // Behind them; the thread that waits performs all.
    let behind = client.recv_blocking(Buffers::from_vec(vec![0; 8]), RecvOptions::default());
    assert_eq!(behind.unwrap_err(), NtStatus::GRACEFUL_DISCONNECT);
    for result in pending {
        let done = result.take().unwrap();
        assert_eq!((done.status, done.bytes), (NtStatus::GRACEFUL_DISCONNECT, 0));
    }
    client.close_handle().unwrap();
}

/// As on TCP (test_send_buffering): they are told as sent, and heard as the messages that they are.
#[test]
fn sends_that_pend_are_heard_when_the_handle_is_gone() {
    const MESSAGE: usize = 50_000;
    let (listener, at) = listener();
    let (client, server) = connected_to(&listener, at);
    let (mut messages, mut pending) = (0, Vec::new());
    while pending.len() < 3 {
        let result = SyncResult::new();
        let irp = result.irp(Buffers::from_vec(vec![7; MESSAGE]));
        if client.send(irp, SendFlags::NONE) == Ok(Started::Pending) {
            pending.push(result);
        }
        messages += 1;
    }
    client.close_handle().unwrap();
    for result in pending {
        let done = result.take().unwrap();
        assert_eq!((done.status, done.bytes), (NtStatus::SUCCESS, MESSAGE));
    }
    for _ in 0..messages {
        assert_eq!(server.recv().unwrap(), Received::Message(vec![7; MESSAGE]));
    }
    assert_eq!(server.recv().unwrap(), Received::Disconnected(DisconnectData::NONE));
}

/// What a process says that ends at once: heard, if it fits into the kernel; else no clean end, not
/// even in class 0, where the end of TCP is the release.
#[test]
fn the_last_words_of_a_process_are_heard_or_missed_but_never_cut() {
    const TO: &str = "LINSOCK_TEST_LAST_WORDS";
    if let Ok(to) = std::env::var(TO) {
        let mut parts = to.split(' ');
        let mut next = || parts.next().unwrap();
        say_and_exit(next(), class_of(next()), next() == "much");
    }
    for (class, amount) in [("0", "little"), ("0", "much"), ("2", "little"), ("2", "much")] {
        let listener = if class == "0" { IsoSocket::class_0() } else { IsoSocket::new() }.unwrap();
        let any = TransportAddress::new("127.0.0.1:0".parse().unwrap(), b"service").unwrap();
        listener.bind(&any).unwrap();
        listener.listen(1).unwrap();
        let host = listener.local_address().unwrap().host();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_last_words_of_a_process_are_heard_or_missed_but_never_cut"])
            .env(TO, format!("{host} {class} {amount}"))
            .spawn()
            .unwrap();
        let server = listener.accept().unwrap().accept(&ConnectData::NONE).unwrap();
        assert!(child.wait().unwrap().success());
        let mut messages = Vec::new();
        let end = loop {
            match server.recv() {
                Ok(Received::Message(message)) => messages.push(message),
                Ok(Received::Disconnected(data)) => break Ok(data.octets().to_vec()),
                Err(error) => break Err(error.wsa()),
            }
        };
        match (class, amount) {
            ("2", "little") => {
                assert_eq!((end, messages), (Ok(b"bye".to_vec()), vec![vec![7; 50_000]]))
            }
            ("0", "little") => assert_eq!((end, messages), (Ok(Vec::new()), vec![vec![7; 50_000]])),
            _ => assert_eq!(end, Err(10054), "class {class}, {amount}"),
        }
    }
}

fn class_of(text: &str) -> Class {
    if text == "0" { Class::Zero } else { Class::Two }
}

/// Sends one message, or as many as are taken, disconnects, closes and ends the process.
fn say_and_exit(to: &str, class: Class, much: bool) -> ! {
    let client = Socket::create(Provider::Iso(class), true).unwrap();
    let to = TransportAddress::new(to.parse().unwrap(), b"service").unwrap();
    client.connect_blocking(&to.into()).unwrap();
    client.set_nonblocking(true);
    while client.send_blocking(Buffers::from_vec(vec![7; 50_000]), SendFlags::NONE).is_ok() && much
    {
    }
    client.send_disconnect((class == Class::Two).then_some(&b"bye"[..])).unwrap();
    client.close_handle().unwrap();
    std::process::exit(0);
}

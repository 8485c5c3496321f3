//! Files through the safe API, and transmissions of sockets. Source: TransmitFile page.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use linsock::catalog::Provider;
use linsock::iocp::NtStatus;
use linsock::iocp::afd::{DisconnectMode, Shutdown};
use linsock::iocp::buffer::{Buffers, SendFlags};
use linsock::net::{CompletionPort, Family, FilePart, Socket};
use linsock::socket::{self, Started, SyncResult, Transmission};

fn connected() -> (Socket, TcpStream) {
    let listener = Socket::tcp(Family::Inet).unwrap();
    listener.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    listener.listen(1).unwrap();
    let peer = TcpStream::connect(listener.local_address().unwrap()).unwrap();
    (listener.accept().unwrap(), peer)
}

/// A file that has no name any more.
fn file_with(name: &str, octets: &[u8]) -> Arc<File> {
    let path = std::env::temp_dir().join(format!("linsock-{name}-{}", std::process::id()));
    fs::write(&path, octets).unwrap();
    let file = File::open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    Arc::new(file)
}

#[test]
fn a_head_and_a_part_of_a_file_are_one_operation() {
    let (socket, mut peer) = connected();
    let file = file_with("part", b"0123456789");
    let part = FilePart { file: Arc::clone(&file), offset: 3, len: 4 };
    let (sent, head) = socket.send_file(b"head:".to_vec(), part.clone()).wait().unwrap();
    assert_eq!((sent, head.as_slice()), (9, &b"head:"[..]), "the memory comes back");
    let mut came = [0; 9];
    peer.read_exact(&mut came).unwrap();
    assert_eq!(&came, b"head:3456");

    let port = CompletionPort::new(1).unwrap();
    socket.associate(&port, 7).unwrap();
    socket.send_file(Vec::new(), part).queue(42).unwrap();
    let packet = port.wait(None).unwrap().unwrap();
    assert_eq!((packet.key(), packet.token()), (7, 42));
    assert_eq!(packet.result().unwrap(), 4);
}

#[test]
fn a_file_that_ends_early_fails_and_the_connection_goes_on() {
    let (socket, mut peer) = connected();
    let part = FilePart { file: file_with("short", b"abc"), offset: 1, len: 9 };
    assert!(socket.send_file(Vec::new(), part).wait().is_err());
    socket.send(b"!").unwrap();
    let mut came = [0; 3];
    peer.read_exact(&mut came).unwrap();
    assert_eq!(&came, b"bc!");
}

/// More than any buffer of the kernel's, to a peer that reads late.
#[test]
fn a_large_file_goes_as_room_comes() {
    let octets: Vec<u8> = (0..20_000_000_u32).map(|n| (n / 7 % 251) as u8).collect();
    let (socket, mut peer) = connected();
    let len = octets.len() as u64;
    let part = FilePart { file: file_with("large", &octets), offset: 0, len };
    let sending = socket.send_file(b"x".to_vec(), part).start();
    assert!(!sending.is_finished());
    let reader = std::thread::spawn(move || {
        let mut came = vec![0; octets.len() + 1];
        peer.read_exact(&mut came).unwrap();
        assert!(came[0] == b'x' && came[1..] == octets);
    });
    assert_eq!(sending.wait().unwrap().0 as u64, len + 1);
    reader.join().unwrap();
}

/// Our choice: what there is room for is sent by the call, though it is told as what has pended.
#[test]
fn what_fits_is_over_when_the_call_returns() {
    let (socket, _peer) = connected();
    let part = FilePart { file: file_with("fits", b"0123456789"), offset: 0, len: 10 };
    assert!(socket.send_file(b"x".to_vec(), part).start().is_finished());
}

/// Nothing pends on a closed handle (closesocket page); that the peer is reset is our choice, for
/// it must not take a part for the whole.
#[test]
fn closing_the_handle_cuts_a_file_off() {
    let (socket, mut peer) = connected();
    let octets = vec![7; 20_000_000];
    let part = FilePart { file: file_with("cut", &octets), offset: 0, len: octets.len() as u64 };
    let sending = socket.send_file(Vec::new(), part).start();
    assert!(!sending.is_finished());
    drop(socket);
    assert_eq!(sending.finish().0.unwrap_err().status(), NtStatus::CONNECTION_ABORTED);
    let error = peer.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

/// A socket without the safe API around it, closed when it is dropped, and its peer.
struct Sender(Arc<socket::Socket>);

impl Drop for Sender {
    fn drop(&mut self) {
        let _ = self.0.close_handle();
    }
}

fn sender() -> (Sender, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let sender = Sender(socket::Socket::create(Provider::Tcp(Family::Inet), true).unwrap());
    sender.0.connect_blocking(&listener.local_addr().unwrap().into()).unwrap();
    let (peer, _) = listener.accept().unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    (sender, peer)
}

fn memory(octets: &[u8]) -> Buffers {
    Buffers::from_vec(octets.to_vec())
}

/// TransmitPackets page: the elements go in the order of the array. What is empty is none.
#[test]
fn pieces_go_in_their_order_and_the_connection_ends_behind_them() {
    let (sender, mut peer) = sender();
    let file = file_with("pieces", b"0123456789");
    let mut transmission = Transmission::default();
    transmission.push_memory(memory(b""));
    transmission.push_memory(memory(b"head:"));
    transmission.push_part(FilePart { file: Arc::clone(&file), offset: 2, len: 3 });
    transmission.push_part(FilePart { file: Arc::clone(&file), offset: 9, len: 0 });
    transmission.push_memory(memory(b":tail:"));
    transmission.push_part(FilePart { file, offset: 0, len: 1 });
    transmission.disconnect(DisconnectMode::HalfClose);
    sender.0.check_transmit().unwrap();
    assert_eq!(sender.0.transmit_waiting(transmission), Ok(15));
    let mut came = Vec::new();
    peer.read_to_end(&mut came).unwrap();
    assert_eq!(came, b"head:234:tail:0");
    // WSAESHUTDOWN, as a send's.
    assert_eq!(sender.0.check_transmit().unwrap_err().wsa(), 10058);
    assert_eq!(sender.0.transmit_waiting(Transmission::default()).unwrap_err().wsa(), 10058);
}

/// Each round waits for the last one's end, so an end that waited for more to come, which the
/// kernel does for 200 ms, would take ten seconds in all.
#[test]
fn nothing_is_held_back_at_the_end() {
    let begun = Instant::now();
    let (sender, mut peer) = sender();
    let (socket, mut other_peer) = connected();
    let part = FilePart { file: file_with("flushed", b"0123456789"), offset: 0, len: 10 };
    for _ in 0..50 {
        let mut transmission = Transmission::default();
        transmission.push_part(part.clone());
        transmission.push_memory(memory(b"tail"));
        assert_eq!(sender.0.transmit_waiting(transmission), Ok(14));
        peer.read_exact(&mut [0; 14]).unwrap();
        let empty = FilePart { len: 0, ..part.clone() };
        assert_eq!(socket.send_file(b"head".to_vec(), empty).wait().unwrap().0, 4);
        other_peer.read_exact(&mut [0; 4]).unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

/// More memory than there is room for: it goes on where it stopped, and each octet counts once.
#[test]
fn memory_goes_on_where_it_stopped() {
    let (sender, mut peer) = sender();
    let octets: Vec<u8> = (0..20_000_000_u32).map(|n| (n / 7 % 251) as u8).collect();
    let mut transmission = Transmission::default();
    transmission.push_memory(memory(&octets));
    transmission.push_memory(memory(b"end"));
    let reader = std::thread::spawn(move || {
        let mut came = vec![0; octets.len() + 3];
        peer.read_exact(&mut came).unwrap();
        assert!(came[..octets.len()] == octets && came.ends_with(b"end"));
    });
    assert_eq!(sender.0.transmit_waiting(transmission), Ok(20_000_003));
    reader.join().unwrap();
}

/// Our choice: what was moved is told however the operation ends, for the stream goes on behind it.
#[test]
fn what_is_cancelled_tells_the_octets_that_went() {
    let octets = vec![7; 20_000_000];
    let cancelled = |sender: &Sender, result: &SyncResult| {
        assert_eq!(sender.0.cancel_operations(&|_| true), 1);
        let done = result.take().expect("it was cancelled");
        assert_eq!(done.status, NtStatus::CANCELLED);
        assert!((1..octets.len()).contains(&done.bytes), "{}", done.bytes);
        done.bytes
    };
    let arrives = |sender: &Sender, mut peer: TcpStream, bytes: usize| {
        sender.0.shutdown(Shutdown::Send).unwrap();
        let mut arrived = Vec::new();
        peer.read_to_end(&mut arrived).unwrap();
        assert_eq!(arrived.len(), bytes);
    };

    let ((one, peer), result) = (sender(), SyncResult::new());
    let mut transmission = Transmission::default();
    transmission.push_memory(memory(&octets));
    one.0.transmit(result.irp(Buffers::empty()), transmission).unwrap();
    let sent = cancelled(&one, &result);
    arrives(&one, peer, sent);

    let ((one, peer), result) = (sender(), SyncResult::new());
    let started = one.0.send(result.irp(memory(&octets)), SendFlags::NONE);
    assert_eq!(started, Ok(Started::Pending));
    let sent = cancelled(&one, &result);
    arrives(&one, peer, sent);
}

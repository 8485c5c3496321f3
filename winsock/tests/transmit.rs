//! Files through the safe API. Source: TransmitFile page.

use std::fs::{self, File};
use std::io::Read;
use std::net::TcpStream;
use std::sync::Arc;

use linsock::net::{CompletionPort, Family, FilePart, Socket};

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

//! `linsock peer`, by what the other side sees. The expected ends are those of RFC 9293, as Linux
//! tells them.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};

/// A peer that runs, and what it says.
struct Peer {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Peer {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_linsock"));
        command.arg("peer").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        let said = BufReader::new(child.stdout.take().unwrap());
        Self { child, said }
    }

    /// One that takes one connection; and that connection.
    fn of(manner: &str, more: &[&str]) -> (Self, TcpStream) {
        let mut peer = Self::start(&[&[manner, "--count", "1"], more].concat());
        let line = peer.line();
        let address = line.trim().strip_prefix("listening at ").expect("where it listens");
        let stream = TcpStream::connect(address.parse::<SocketAddr>().unwrap()).unwrap();
        (peer, stream)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line
    }

    /// What it says of its connection, and that it then ends well.
    #[track_caller]
    fn ends(mut self, how: &str) {
        let line = self.line();
        assert_eq!(line.trim().split_once(": ").map(|(_, how)| how), Some(how));
        assert!(self.child.wait().unwrap().success());
    }
}

#[track_caller]
fn is_reset(stream: &mut TcpStream) {
    let error = stream.read(&mut [0; 1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[track_caller]
fn has_ended(stream: &mut TcpStream) {
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn echo_sends_back_and_closes_behind_the_other_side() {
    let (peer, mut stream) = Peer::of("echo", &[]);
    stream.write_all(b"hello").unwrap();
    let mut back = [0; 5];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"hello");
    stream.shutdown(Shutdown::Write).unwrap();
    has_ended(&mut stream);
    peer.ends("the peer closed first; received 5");
}

#[test]
fn fin_closes_first_and_receives_to_the_end() {
    let (peer, mut stream) = Peer::of("fin", &["--after", "2"]);
    stream.write_all(b"hi").unwrap();
    has_ended(&mut stream);
    stream.write_all(b" there").unwrap();
    drop(stream);
    peer.ends("this side closed first; received 8");
}

#[test]
fn late_closes_when_the_other_side_has() {
    let (peer, mut stream) = Peer::of("late", &["--delay", "1"]);
    stream.write_all(b"bye").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    has_ended(&mut stream);
    peer.ends("the peer closed first; received 3");
}

#[test]
fn reset_resets_after_what_it_was_told_to_receive() {
    let (peer, mut stream) = Peer::of("reset", &["--after", "3"]);
    stream.write_all(b"bye").unwrap();
    is_reset(&mut stream);
    peer.ends("this side reset the connection: the program asked for it; received 3");
}

#[test]
fn unread_closes_over_what_it_does_not_receive() {
    let (peer, mut stream) = Peer::of("unread", &["--after", "2"]);
    stream.write_all(b"hello").unwrap();
    is_reset(&mut stream);
    peer.ends("this side closed, with data unread; received 2");
}

#[test]
fn deaf_resets_when_more_comes() {
    let (peer, mut stream) = Peer::of("deaf", &[]);
    has_ended(&mut stream);
    stream.write_all(b"hello?").unwrap();
    peer.ends("this side reset the connection: data came after SD_RECEIVE; received 0");
}

#[test]
fn stall_neither_receives_nor_ends() {
    let (mut peer, mut stream) = Peer::of("stall", &[]);
    stream.set_nonblocking(true).unwrap();
    let full = loop {
        if let Err(error) = stream.write(&[0; 65_536]) {
            break error.kind();
        }
    };
    assert_eq!(full, ErrorKind::WouldBlock, "no room is made");
    assert_eq!(stream.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(peer.child.try_wait().unwrap(), None);
    peer.child.kill().unwrap();
    peer.child.wait().unwrap();
}

#[test]
fn it_connects_as_well() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap();
    let peer = Peer::start(&["reset", "--after", "1", "--connect", &to.to_string()]);
    let (mut stream, _) = listener.accept().unwrap();
    stream.write_all(b"x").unwrap();
    is_reset(&mut stream);
    peer.ends("this side reset the connection: the program asked for it; received 1");
}

#[test]
fn what_cannot_be_done_is_said() {
    let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = reserved.local_addr().unwrap();
    drop(reserved);
    let mut peer = Peer::start(&["echo", "--connect", &to.to_string()]);
    assert_eq!(peer.child.wait().unwrap().code(), Some(1));
    let mut said = String::new();
    peer.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.starts_with(&format!("linsock: {to}: ")) && said.contains("10061"), "{said}");
}

//! A process of one thread, which does not wait at the port where its operations are: they end all
//! the same, because a future may be awaited where linsock knows nothing of it. The C programs have
//! the rest of this (`ws2_32/tests/c/alone.c`).

use std::future::Future;
use std::io::Write;
use std::net::TcpStream;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use linsock::net::{CompletionPort, Family, Socket};

const LIMIT: Duration = Duration::from_secs(20);

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// A connection whose end is on a port that the only thread has left with a packet.
fn connection(port: &CompletionPort) -> (Socket, TcpStream) {
    let listener = Socket::tcp(Family::Inet).unwrap();
    listener.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    listener.listen(1).unwrap();
    let peer = TcpStream::connect(listener.local_address().unwrap()).unwrap();
    let accepted = listener.accept().unwrap();
    accepted.associate(port, 0).unwrap();
    port.post(0, 0);
    assert!(port.wait(None).unwrap().is_some());
    assert_eq!(threads(), 1, "nobody can tell yet");
    (accepted, peer)
}

fn main() {
    if threads() > 1 {
        println!("skipped: a sanitizer has a thread of its own");
        return;
    }
    let port = CompletionPort::new(1).unwrap();
    let (socket, mut peer) = connection(&port);
    let begun = Instant::now();
    let mut receiving = pin!(socket.recv_owned(vec![0; 8]).start());
    let mut context = Context::from_waker(Waker::noop());
    assert!(receiving.as_mut().poll(&mut context).is_pending());
    peer.write_all(b"x").unwrap();
    let (received, _) = loop {
        if let Poll::Ready(outcome) = receiving.as_mut().poll(&mut context) {
            break outcome;
        }
        assert!(begun.elapsed() < LIMIT, "nobody performed it");
    };
    assert_eq!(received.unwrap(), 1);
}

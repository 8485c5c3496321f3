//! closesocket: when it has to wait, and what of the connection outlives the handle (source:
//! closesocket page); and operations that wait for the peer.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use linsock::catalog::Provider;
use linsock::iocp::NtStatus;
use linsock::iocp::afd::DisconnectMode;
use linsock::iocp::buffer::{Buffers, SendFlags};
use linsock::net::Family;
use linsock::option;
use linsock::socket::{RecvOptions, Socket, Started, SyncResult};

const SO_LINGER: i32 = 0x80;
const SO_RCVTIMEO: i32 = 0x1006;
const SIZE: usize = 32 << 20;

fn connected() -> (Arc<Socket>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // So that what is sent does not all fit into the peer.
    rustix::net::sockopt::set_socket_recv_buffer_size(&listener, 4096).unwrap();
    let socket = Socket::create(Provider::Tcp(Family::Inet), true).unwrap();
    socket.connect_blocking(&listener.local_addr().unwrap().into()).unwrap();
    (socket, listener.accept().unwrap().0)
}

fn set_linger(socket: &Socket, seconds: Option<u16>) {
    let value = [u16::from(seconds.is_some()), seconds.unwrap_or(0)].map(u16::to_ne_bytes);
    option::set(socket, option::SOL_SOCKET, SO_LINGER, &value.concat()).unwrap();
}

/// More than fits.
fn pend_send(socket: &Socket) -> Arc<SyncResult> {
    let result = SyncResult::new();
    let irp = result.irp(Buffers::from_vec(vec![7; SIZE]));
    assert_eq!(socket.send(irp, SendFlags::NONE), Ok(Started::Pending));
    result
}

/// A receive that waits for a millisecond, and performs meanwhile what was asked for before it.
fn wait_in_vain(socket: &Socket) {
    option::set(socket, option::SOL_SOCKET, SO_RCVTIMEO, &1_u32.to_ne_bytes()).unwrap();
    let received = socket.recv_blocking(Buffers::from_vec(vec![0; 8]), RecvOptions::default());
    assert_eq!(received.unwrap_err(), NtStatus::IO_TIMEOUT);
}

/// What the connection owes its peer when it is closed.
#[derive(Clone, Copy, Debug)]
enum Owed {
    Nothing,
    /// What the kernel has taken; no operation pends.
    ByTheKernel,
    ByASend,
}

fn owe(socket: &Socket, owed: Owed) {
    match owed {
        Owed::Nothing => {}
        Owed::ByTheKernel => {
            let all = Buffers::from_vec(vec![7; SIZE]);
            assert!(socket.send_blocking(all, SendFlags::NONE).unwrap().0 < SIZE);
        }
        Owed::ByASend => drop(pend_send(socket)),
    }
}

/// WSAEWOULDBLOCK with a linger time above 0; that there is none when nothing is to be waited for
/// is our choice.
#[test]
fn a_nonblocking_socket_is_not_closed_where_it_would_linger() {
    use Owed::{ByASend, ByTheKernel, Nothing};
    for (linger, owed, refused) in [
        (None, ByASend, false),
        (None, ByTheKernel, false),
        (Some(0), ByASend, false),
        (Some(0), ByTheKernel, false),
        (Some(1), Nothing, false),
        (Some(1), ByTheKernel, true),
        (Some(1), ByASend, true),
    ] {
        let (socket, _peer) = connected();
        socket.set_nonblocking(true);
        owe(&socket, owed);
        set_linger(&socket, linger);
        let closed = socket.close_handle();
        let expected = if refused { Err(NtStatus::DEVICE_NOT_READY) } else { Ok(()) };
        assert_eq!(closed, expected, "{linger:?}, {owed:?}");
        if refused {
            assert_eq!(socket.close_handle(), expected, "the handle stays valid");
            set_linger(&socket, Some(0));
            assert_eq!(socket.close_handle(), Ok(()));
        }
        // WSAENOTSOCK
        assert_eq!(socket.close_handle(), Err(NtStatus::INVALID_HANDLE));
    }
}

/// Graceful: the data goes first, also where a thread once waited on the descriptor, which makes it
/// one that is shared.
#[test]
fn a_connection_that_was_waited_on_delivers_what_was_sent() {
    let (socket, mut peer) = connected();
    wait_in_vain(&socket);
    let sent = pend_send(&socket);
    socket.close_handle().unwrap();
    assert_eq!(sent.take().unwrap().bytes, SIZE);
    let mut all = Vec::new();
    peer.read_to_end(&mut all).unwrap();
    assert_eq!(all.len(), SIZE);
}

/// As of WskDisconnect: the contract of offload cards, by which what completes is acknowledged. No
/// operation of the program has the descriptor watched.
#[test]
fn a_disconnect_until_delivery_ends_with_the_last_acknowledgement() {
    let (socket, mut peer) = connected();
    socket.set_nonblocking(true);
    owe(&socket, Owed::ByTheKernel);
    let result = SyncResult::new();
    socket.disconnect(result.irp(Buffers::empty()), DisconnectMode::Delivered).unwrap();
    assert!(result.take().is_none(), "the peer has no room for it");
    peer.read_to_end(&mut Vec::new()).unwrap();
    let begun = Instant::now();
    let done = loop {
        if let Some(done) = result.take() {
            break done;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "nobody has heard of it");
        std::thread::yield_now();
    };
    assert_eq!(done.status, NtStatus::SUCCESS);
    socket.close_handle().unwrap();
}

/// MSG_WAITALL (recv page), also of a receive that pends.
#[test]
fn a_receive_of_everything_waits_for_everything() {
    let (socket, mut peer) = connected();
    let result = SyncResult::new();
    let all = RecvOptions { wait_all: true, ..RecvOptions::default() };
    let irp = result.irp(Buffers::from_vec(vec![0; 8]));
    assert_eq!(socket.recv(irp, all), Ok(Started::Pending));
    peer.write_all(b"abc").unwrap();
    wait_in_vain(&socket);
    assert!(result.take().is_none(), "three of eight");
    peer.write_all(b"defgh").unwrap();
    wait_in_vain(&socket);
    let done = result.take().unwrap();
    assert_eq!((done.status, done.bytes), (NtStatus::SUCCESS, 8));
    assert_eq!(done.buffers.into_vec(), b"abcdefgh");
    socket.close_handle().unwrap();
}

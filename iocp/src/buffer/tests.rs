//! What a transfer moves, and what it counts.

use super::*;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::time::Timespec;
use std::net::{Ipv6Addr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};

fn pair() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap()
}

#[test]
fn several_buffers_are_filled_in_order_across_calls() {
    let (a, b) = pair();
    let (mut x, mut y) = ([0_u8; 2], [0_u8; 3]);
    let raw =
        [RawBuffer { base: x.as_mut_ptr(), len: 2 }, RawBuffer { base: y.as_mut_ptr(), len: 3 }];
    // SAFETY: x and y are not touched through references until the receives are over.
    let mut into = unsafe { Buffers::from_raw(&raw) };
    for (part, sent) in [(&b"1"[..], 1), (b"234", 3), (b"5", 1)] {
        Buffers::from_vec(part.to_vec()).send(a.as_fd(), SendFlags::NONE).unwrap();
        assert_eq!(into.recv(b.as_fd(), RecvFlags::NONE), Ok(sent));
    }
    assert_eq!((into.remaining(), &x, &y), (0, b"12", b"345"));
}

#[test]
fn a_bad_pointer_is_an_error_of_the_call() {
    let (a, b) = pair();
    let raw = [RawBuffer { base: std::ptr::without_provenance_mut(16), len: 4 }];
    // SAFETY: nothing lives there.
    let mut bad = unsafe { Buffers::from_raw(&raw) };
    assert_eq!(bad.send(a.as_fd(), SendFlags::NONE), Err(Errno::FAULT));
    assert_eq!(bad.copy_rest(), None);
    assert!(!bad.fill(b"x"));
    assert!(bad.fill(b""), "touches nothing");
    assert_eq!((bad.done(), bad.remaining()), (0, 4));
    Buffers::from_vec(b"data".to_vec()).send(a.as_fd(), SendFlags::NONE).unwrap();
    assert_eq!(bad.recv(b.as_fd(), RecvFlags::NONE), Err(Errno::FAULT));
}

#[test]
fn nothing_to_read_is_again_and_peeking_consumes_nothing() {
    let (a, b) = pair();
    let mut into = Buffers::from_vec(vec![0; 4]);
    assert_eq!(into.recv(b.as_fd(), RecvFlags::NONE), Err(Errno::AGAIN));
    Buffers::from_vec(b"abcd".to_vec()).send(a.as_fd(), SendFlags::NONE).unwrap();
    assert_eq!(into.recv(b.as_fd(), RecvFlags::new(false, true)), Ok(4));
    assert_eq!(into.done(), 0);
    assert_eq!(into.recv(b.as_fd(), RecvFlags::NONE), Ok(4));
    assert_eq!(into.into_vec(), b"abcd");
}

/// A caller's buffer, lent for ever.
fn lend(octets: &[u8]) -> RawBuffer {
    let octets = octets.to_vec().leak();
    RawBuffer { base: octets.as_mut_ptr(), len: octets.len() }
}

/// Memory in every shape, with these octets in it: one buffer, several, the operation's own.
fn shapes(octets: &[u8]) -> [Buffers; 3] {
    let (front, back) = octets.split_at(octets.len() / 2);
    let lent = |parts: &[&[u8]]| {
        let raw: Vec<_> = parts.iter().map(|part| lend(part)).collect();
        // SAFETY: nothing else knows the memory.
        unsafe { Buffers::from_raw(&raw) }
    };
    [lent(&[octets]), lent(&[front, &[], back]), Buffers::from_vec(octets.to_vec())]
}

/// As a send would.
#[test]
fn octets_are_taken_in_order_and_counted() {
    for mut from in shapes(b"abcdef") {
        let mut into = b"> ".to_vec();
        assert!(from.append_to(&mut into, 1));
        assert!(from.append_to(&mut into, 3));
        assert!(!from.append_to(&mut into, 3), "more than there is");
        assert_eq!(into, b"> abcd");
        assert_eq!((from.len(), from.done(), from.remaining()), (6, 4, 2));
        assert_eq!(from.copy_rest().unwrap(), b"ef");
        assert_eq!((from.len(), from.done(), from.remaining()), (6, 6, 0));
        assert_eq!(from.copy_rest().unwrap(), b"");
    }
}

#[test]
fn every_shape_is_sent_whole_and_from_where_the_last_send_left_it() {
    let (a, b) = pair();
    for skip in [0, 1, 4, 5] {
        for mut from in shapes(b"abcdef") {
            from.done = skip;
            assert_eq!(from.send(a.as_fd(), SendFlags::NONE), Ok(6 - skip));
            assert_eq!(from.remaining(), 0);
            let mut into = Buffers::from_vec(vec![0; 6 - skip]);
            assert_eq!(into.recv(b.as_fd(), RecvFlags::NONE), Ok(6 - skip));
            assert_eq!(into.into_vec(), b"abcdef"[skip..]);
        }
    }
}

/// As a receive would.
#[test]
fn octets_are_put_in_order_and_counted() {
    for mut into in shapes(b"......") {
        assert!(into.fill(b"a"));
        assert!(into.fill(b"bcd"));
        assert!(into.fill(b""));
        assert_eq!((into.len(), into.done(), into.remaining()), (6, 4, 2));
        into.done = 0;
        assert_eq!(into.copy_rest().unwrap(), b"abcd..");
    }
}

#[test]
fn only_the_memory_of_its_own_is_given_back() {
    let given_back = shapes(b"ab").map(Buffers::into_vec);
    assert_eq!(given_back, [vec![], vec![], b"ab".to_vec()]);
}

/// What is lent and in one piece need not be dropped; a list of pieces is our own.
#[test]
fn only_one_buffer_of_the_callers_or_none_has_nothing_to_drop() {
    assert_eq!(shapes(b"ab").map(|buffers| buffers.is_lent()), [true, false, false]);
    assert!(Buffers::empty().is_lent() && !Buffers::for_message().is_lent());
}

#[test]
fn room_is_what_all_buffers_have_together() {
    assert!(shapes(b"ab").iter().all(|buffers| !buffers.is_empty()));
    assert!(shapes(b"").iter().all(Buffers::is_empty));
    assert!(Buffers::empty().is_empty());
}

#[test]
fn a_message_grows_with_what_comes() {
    let mut message = Buffers::for_message();
    assert!(!message.is_empty());
    message.foresee(1000);
    assert!(message.fill(b"a mess"));
    assert!(message.fill(b"age"));
    assert_eq!(message.done(), 9);
    let message = message.into_vec();
    assert_eq!(message, b"a message");
    assert!(message.capacity() >= 1000, "was foreseen");
}

/// UIO_MAXIOV: what does not fit into one call goes with the next.
#[test]
fn a_thousand_buffers_are_filled_by_one_call() {
    let (a, b) = pair();
    let raw: Vec<_> = (0..VECTORS_MAX + 6).map(|_| lend(b".")).collect();
    // SAFETY: nothing else knows the memory.
    let mut into = unsafe { Buffers::from_raw(&raw) };
    let octets: Vec<u8> = (0..u8::MAX).cycle().take(raw.len()).collect();
    assert_eq!(Buffers::from_vec(octets.clone()).send(a.as_fd(), SendFlags::NONE), Ok(raw.len()));
    for expected in [VECTORS_MAX, 6] {
        assert_eq!(into.offered(), expected);
        assert_eq!(into.recv(b.as_fd(), RecvFlags::NONE), Ok(expected));
    }
    into.done = 0;
    let mut received = Vec::new();
    assert!(into.append_to(&mut received, VECTORS_MAX));
    assert!(into.append_to(&mut received, 6));
    assert_eq!(received, octets);
}

#[test]
fn fewer_buffers_are_offered_whole() {
    for mut buffers in shapes(b"abcdef") {
        assert!(buffers.fill(b"x"));
        assert_eq!(buffers.offered(), 5);
    }
}

#[test]
fn no_room_to_send_is_again() {
    let (a, b) = pair();
    let mut sent = 0;
    let error = loop {
        match Buffers::from_vec(vec![0; 1 << 16]).send(a.as_fd(), SendFlags::NONE) {
            Ok(octets) => sent += octets,
            Err(error) => break error,
        }
    };
    assert_eq!(error, Errno::AGAIN);
    assert!(sent > 0);
    let mut more = Buffers::from_vec(vec![0; 1 << 16]);
    assert_eq!(more.send_to(a.as_fd(), SendFlags::NONE, None, &Beside::NOTHING), Err(Errno::AGAIN));
    assert_eq!(more.done(), 0);
    drop(b);
    assert_eq!(more.send(a.as_fd(), SendFlags::NONE), Err(Errno::PIPE));
}

/// Waits until the descriptor has that to report.
fn until_ready(fd: &impl AsFd, flags: PollFlags) {
    let limit = Timespec { tv_sec: 10, tv_nsec: 0 };
    assert_eq!(poll(&mut [PollFd::new(fd, flags)], Some(&limit)), Ok(1));
}

/// MSG_OOB; what the kernel has no flag for is not passed on.
#[test]
fn urgent_data_goes_and_comes_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let a = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (b, _) = listener.accept().unwrap();
    let flags = SendFlags::new(true, false).partial();
    for send_to in [false, true] {
        let mut urgent = Buffers::from_vec(b"!".to_vec());
        let sent = match send_to {
            true => urgent.send_to(a.as_fd(), flags, None, &Beside::NOTHING),
            false => urgent.send(a.as_fd(), flags),
        };
        assert_eq!(sent, Ok(1));
        until_ready(&b, PollFlags::PRI);
        let mut into = Buffers::from_vec(vec![0]);
        assert_eq!(into.recv(b.as_fd(), RecvFlags::new(true, false)), Ok(1));
        assert_eq!(into.into_vec(), b"!");
    }
    let rest = Buffers::from_vec(vec![0]).recv(b.as_fd(), RecvFlags::NONE);
    assert_eq!(rest, Err(Errno::AGAIN), "nothing else came");
}

#[test]
fn flags_are_told_apart() {
    let urgent = [(false, false), (false, true), (true, false), (true, true)]
        .map(|(oob, peek)| RecvFlags::new(oob, peek).is_urgent());
    assert_eq!(urgent, [false, false, true, true]);
    let whole = SendFlags::new(true, true);
    assert!(!whole.is_partial() && !SendFlags::NONE.is_partial());
    assert!(whole.partial().is_partial() && SendFlags::NONE.partial().is_partial());
    assert_eq!(whole.partial().partial(), whole.partial());
}

/// The sender, MSG_TRUNC, MSG_PEEK.
#[test]
fn a_datagram_tells_who_sent_it_and_what_is_missing() {
    for any in ["127.0.0.1:0", "[::1]:0"] {
        let [a, b] = [(); 2].map(|()| UdpSocket::bind(any).unwrap());
        let (from, to) = (a.local_addr().unwrap(), b.local_addr().unwrap());
        let mut datagram = Buffers::from_vec(b"datagram".to_vec());
        assert_eq!(
            datagram.send_to(a.as_fd(), SendFlags::NONE, Some(&to), &Beside::NOTHING),
            Ok(8)
        );
        until_ready(&b, PollFlags::IN);
        let mut into = Buffers::from_vec(vec![0; 8]);
        let whole = ReceivedDatagram {
            octets: 8,
            from: Some(from),
            beside: Beside::NOTHING,
            truncated: false,
        };
        assert_eq!(into.recv_from(b.as_fd(), RecvFlags::new(false, true)), Ok(whole));
        assert_eq!(into.done(), 0, "only a look");
        assert_eq!(into.into_vec(), b"datagram");
        let mut into = Buffers::from_vec(vec![0; 4]);
        let cut = ReceivedDatagram {
            octets: 4,
            from: Some(from),
            beside: Beside::NOTHING,
            truncated: true,
        };
        assert_eq!(into.recv_from(b.as_fd(), RecvFlags::NONE), Ok(cut));
        assert_eq!(into.done(), 4);
        assert_eq!(into.recv_from(b.as_fd(), RecvFlags::NONE), Err(Errno::AGAIN));
        a.connect(to).unwrap();
        let mut datagram = Buffers::from_vec(b"to the peer".to_vec());
        assert_eq!(datagram.send_to(a.as_fd(), SendFlags::NONE, None, &Beside::NOTHING), Ok(11));
    }
}

#[test]
fn addresses_survive_the_way_to_the_kernel_and_back() {
    let ip = Ipv6Addr::from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    let v6 = SocketAddrV6::new(ip, 0x1234, 0x0005_6789, 7);
    for address in [SocketAddr::from(([1, 2, 3, 4], 0x1234)), SocketAddr::V6(v6)] {
        let mut name = SocketName::of(&address);
        assert_eq!(name.address(), Some(address));
        name.len -= 1;
        assert_eq!(name.address(), None, "cut short");
        (name.len, name.octets[0]) = (SocketName::ROOM, 0);
        assert_eq!(name.address(), None, "of no family");
    }
    assert_eq!(SocketName::default().address(), None);
}

#[test]
fn what_does_not_fit_into_checked_memory_is_left_out() {
    let lent = lend(b"......");
    // SAFETY: nothing else knows the memory; the last two octets are not told of.
    let memory = unsafe { CheckedMemory::new(lent.base, 4) };
    memory.write(0, b"ab");
    memory.write(3, b"dropped");
    memory.write(4, b"dropped");
    memory.write(9, b"dropped");
    // SAFETY: as above.
    let mut all = unsafe { Buffers::from_raw(&[lent]) };
    assert_eq!(all.copy_rest().unwrap(), b"ab.d..");
}

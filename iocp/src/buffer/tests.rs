//! What a transfer moves, and what it counts.

use super::*;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
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

//! The few system calls that rustix does not have.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// Octets that were sent on a TCP socket and are not acknowledged, the FIN counted as one (it takes
/// a sequence number); `None` if the descriptor is no such socket.
pub fn unacknowledged(fd: BorrowedFd<'_>) -> Option<u32> {
    let mut octets: libc::c_int = 0;
    // SAFETY: SIOCOUTQ (the same number as TIOCOUTQ) writes one int, which outlives the call.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCOUTQ, &raw mut octets) };
    if result == 0 { u32::try_from(octets).ok() } else { None }
}

/// The state of a TCP socket by the kernel's numbers (`TCP_ESTABLISHED` is 1); `None` if the
/// descriptor is no such socket.
pub fn tcp_state(fd: BorrowedFd<'_>) -> Option<u8> {
    let [first] = tcp_info(fd)?;
    Some(first.to_ne_bytes()[0])
}

/// How many connections wait to be accepted from a listener; 0 if the descriptor is none of TCP's.
pub fn backlog(fd: BorrowedFd<'_>) -> u32 {
    // tcpi_unacked, of a listener.
    tcp_info(fd).map_or(0, |[.., unacknowledged]: [u32; 7]| unacknowledged)
}

/// The first words of the kernel's struct tcp_info.
fn tcp_info<const N: usize>(fd: BorrowedFd<'_>) -> Option<[u32; N]> {
    let mut words = [0; N];
    let size = libc::socklen_t::try_from(size_of_val(&words)).ok()?;
    let mut len = size;
    // SAFETY: the kernel writes no more than the `len` octets that `words` has; both outlive the
    // call.
    let result = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut words).cast(),
            &raw mut len,
        )
    };
    (result == 0 && len == size).then_some(words)
}

/// Whether datagrams tell where they came to (IP_PKTINFO, IPV6_RECVPKTINFO).
///
/// # Errors
/// As setsockopt(2).
pub fn set_packet_info(fd: BorrowedFd<'_>, v6: bool, on: bool) -> std::io::Result<()> {
    let (level, name) = match v6 {
        true => (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
        false => (libc::IPPROTO_IP, libc::IP_PKTINFO),
    };
    let value = libc::c_int::from(on);
    let size = libc::socklen_t::try_from(size_of_val(&value)).unwrap_or(0);
    // SAFETY: the kernel reads one int, which outlives the call.
    let result =
        unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, (&raw const value).cast(), size) };
    if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// The time since some moment, a few milliseconds late: what is told in seconds need not read the
/// processor's counter.
#[inline]
pub fn coarse() -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes one timespec, which outlives it. It cannot fail: every kernel has the
    // clock.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &raw mut now) };
    let (seconds, nanos) = (u64::try_from(now.tv_sec), u32::try_from(now.tv_nsec));
    Duration::new(seconds.unwrap_or(0), nanos.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;
    use std::time::Instant;

    use super::*;

    fn connection() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let one = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (one, listener.accept().unwrap().0)
    }

    /// What Linux 6.18 does; sock_diag(7) documents the same number of a listener as `idiag_rqueue`.
    #[test]
    fn a_listener_tells_how_many_wait() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        for waiting in 0..3 {
            assert_eq!(backlog(listener.as_fd()), waiting);
            // Left to the listener, which resets it in the end.
            drop(TcpStream::connect(at).unwrap());
        }
        drop(listener.accept().unwrap());
        assert_eq!(backlog(listener.as_fd()), 2);
        assert_eq!(backlog(UnixStream::pair().unwrap().0.as_fd()), 0);
    }

    /// A peer that does not read acknowledges only what its buffer takes.
    #[test]
    fn what_the_peer_has_no_room_for_is_unacknowledged() {
        let (mut one, _silent) = connection();
        assert_eq!(unacknowledged(one.as_fd()), Some(0));
        one.set_nonblocking(true).unwrap();
        let error = loop {
            if let Err(error) = one.write(&[0; 1 << 16]) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        assert!(unacknowledged(one.as_fd()).unwrap() > 1);
        let (reader, _writer) = std::io::pipe().unwrap();
        assert_eq!(unacknowledged(reader.as_fd()), None);
    }

    /// CLOCK_MONOTONIC_COARSE (clock_gettime(2)): the monotonic clock, as of the last tick.
    #[test]
    fn the_coarse_clock_goes_as_fast_as_the_exact_one() {
        let (before, begun) = (coarse(), Instant::now());
        let now = loop {
            let now = coarse();
            assert!(begun.elapsed() < Duration::from_secs(10), "it stands still");
            if now > before + Duration::from_millis(50) {
                break now;
            }
        };
        // The first reading is late by a tick of the kernel, 10 ms where it is longest.
        assert!(now - before <= begun.elapsed() + Duration::from_millis(10));
    }

    /// TCP_ESTABLISHED is 1, TCP_LISTEN 10.
    #[test]
    fn the_state_is_the_kernels() {
        let (one, _other) = connection();
        assert_eq!(tcp_state(one.as_fd()), Some(1));
        assert_eq!(tcp_state(TcpListener::bind("127.0.0.1:0").unwrap().as_fd()), Some(10));
        assert_eq!(tcp_state(UnixStream::pair().unwrap().0.as_fd()), None);
    }
}

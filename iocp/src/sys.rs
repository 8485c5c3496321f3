//! The few system calls that rustix does not have.
#![allow(unsafe_code)]

mod facts;
pub(crate) mod quiet;

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use rustix::io::Errno;

pub use facts::TcpFacts;

/// Whether the kernel started the process with rights that its user has not (AT_SECURE): what the
/// environment says is then the word of somebody with less.
pub fn is_privileged() -> bool {
    // SAFETY: reads a table that the kernel gave the process.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

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
    let mut octets = [0; 64];
    let told = read_tcp_info(fd, &mut octets)?;
    let mut words = [0; N];
    for (word, octets) in words.iter_mut().zip(octets[..told].chunks_exact(4)) {
        *word = u32::from_ne_bytes(*octets.first_chunk()?);
    }
    Some(words)
}

/// The beginning of struct tcp_info; gives how much of it the kernel has told.
fn read_tcp_info(fd: BorrowedFd<'_>, to: &mut [u8]) -> Option<usize> {
    let mut len = libc::socklen_t::try_from(to.len()).ok()?;
    let (level, name, at) = (libc::IPPROTO_TCP, libc::TCP_INFO, to.as_mut_ptr().cast());
    // SAFETY: the kernel writes no more than the `len` octets that `to` has; both outlive the call.
    let result = unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, at, &raw mut len) };
    if result == 0 { usize::try_from(len).ok() } else { None }
}

/// What is done to a range of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeLock {
    /// Others that lock it too are let in.
    Shared,
    /// Nobody else is let in.
    Exclusive,
    /// It is nobody's.
    None,
}

/// Locks a range of an open file, for this opening of it, or unlocks it. No length means
/// everything from `start` on. Never waits.
///
/// # Errors
/// As fcntl(2); `Errno::AGAIN` when somebody has it.
pub fn lock_range(
    fd: BorrowedFd<'_>,
    lock: RangeLock,
    start: i64,
    len: Option<std::num::NonZeroI64>,
) -> Result<(), Errno> {
    let kind = match lock {
        RangeLock::Shared => libc::F_RDLCK,
        RangeLock::Exclusive => libc::F_WRLCK,
        RangeLock::None => libc::F_UNLCK,
    };
    let narrow = |number: libc::c_int| libc::c_short::try_from(number).unwrap_or_default();
    let range = libc::flock {
        l_type: narrow(kind),
        l_whence: narrow(libc::SEEK_SET),
        l_start: start,
        l_len: len.map_or(0, std::num::NonZeroI64::get),
        l_pid: 0,
    };
    // SAFETY: the kernel reads the local.
    if unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_OFD_SETLK, &raw const range) } == 0 {
        return Ok(());
    }
    match std::io::Error::last_os_error().raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::ACCESS) => Err(Errno::AGAIN),
        errno => Err(errno.unwrap_or(Errno::IO)),
    }
}

/// Sends a part of a file to a socket, without waiting for the socket: as many octets as it takes.
/// Nothing is the end of the file.
///
/// # Errors
/// As sendfile(2); `Errno::AGAIN` when there is no room. Never a signal.
pub fn send_file(
    to: BorrowedFd<'_>,
    from: BorrowedFd<'_>,
    mut offset: u64,
    count: usize,
) -> Result<usize, Errno> {
    quiet::without_signals(|| rustix::fs::sendfile(to, from, Some(&mut offset), count))
}

/// Options that rustix does not have; each is an int.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntOption {
    /// Whether datagrams tell where they came to.
    TellsWhere,
    /// The same, over IPv6.
    TellsWhere6,
    /// Whether they tell the hops that they have left.
    TellsHops,
    /// The same, over IPv6.
    TellsHops6,
    /// Whether they tell their class of traffic.
    TellsTraffic,
    /// The same, over IPv6.
    TellsTraffic6,
    /// The class of traffic of what is sent over IPv6.
    Traffic6,
    /// The interface, in network order, that datagrams leave by.
    Interface,
    /// The same, over IPv6.
    Interface6,
    /// How many connections a listener may have whose first data came with their SYN.
    FastOpen,
    /// A port that the kernel chooses for a bind is chosen at connect.
    LatePort,
}

impl IntOption {
    const fn numbers(self) -> (i32, i32) {
        match self {
            Self::TellsWhere => (libc::IPPROTO_IP, libc::IP_PKTINFO),
            Self::TellsWhere6 => (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
            Self::TellsHops => (libc::IPPROTO_IP, libc::IP_RECVTTL),
            Self::TellsHops6 => (libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT),
            Self::TellsTraffic => (libc::IPPROTO_IP, libc::IP_RECVTOS),
            Self::TellsTraffic6 => (libc::IPPROTO_IPV6, libc::IPV6_RECVTCLASS),
            Self::Traffic6 => (libc::IPPROTO_IPV6, libc::IPV6_TCLASS),
            Self::Interface => (libc::IPPROTO_IP, libc::IP_UNICAST_IF),
            Self::Interface6 => (libc::IPPROTO_IPV6, libc::IPV6_UNICAST_IF),
            Self::FastOpen => (libc::IPPROTO_TCP, libc::TCP_FASTOPEN),
            Self::LatePort => (libc::IPPROTO_IP, libc::IP_BIND_ADDRESS_NO_PORT),
        }
    }
}

/// Sets one of them.
///
/// # Errors
/// As setsockopt(2).
pub fn set_option(fd: BorrowedFd<'_>, option: IntOption, value: i32) -> Result<(), Errno> {
    let (level, name) = option.numbers();
    let set = set_int(fd, level, name, value);
    set.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::INVAL))
}

/// The longest packet that passes to the peer, as far as the kernel knows.
///
/// # Errors
/// As getsockopt(2); `Errno::NOTCONN` without a peer.
pub fn path_mtu(fd: BorrowedFd<'_>, v6: bool) -> Result<u32, Errno> {
    let (level, name) = match v6 {
        true => (libc::IPPROTO_IPV6, libc::IPV6_MTU),
        false => (libc::IPPROTO_IP, libc::IP_MTU),
    };
    let mut octets: u32 = 0;
    let mut len = libc::socklen_t::try_from(size_of_val(&octets)).unwrap_or(0);
    let to = (&raw mut octets).cast();
    // SAFETY: the kernel writes no more than the `len` octets of one int; both outlive the call.
    let result = unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, to, &raw mut len) };
    if result == 0 {
        return Ok(octets);
    }
    let error = std::io::Error::last_os_error();
    Err(Errno::from_io_error(&error).unwrap_or(Errno::INVAL))
}

fn set_int(fd: BorrowedFd<'_>, level: i32, name: i32, value: libc::c_int) -> std::io::Result<()> {
    let size = libc::socklen_t::try_from(size_of_val(&value)).unwrap_or(0);
    let value = (&raw const value).cast();
    // SAFETY: the kernel reads one int, which outlives the call.
    let result = unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, value, size) };
    if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// Has a datagram socket without a peer told of errors too that routers and hosts report
/// (IP_RECVERR, IPV6_RECVERR): its next call fails, and [`take_reports`] has the report. Of IPv6,
/// what comes to mapped addresses as well.
///
/// # Errors
/// As setsockopt(2).
pub fn set_reports(fd: BorrowedFd<'_>, v6: bool, on: bool) -> std::io::Result<()> {
    let value = libc::c_int::from(on);
    if v6 {
        set_int(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVERR, value)?;
    }
    set_int(fd, libc::IPPROTO_IP, libc::IP_RECVERR, value)
}

/// What reports there were of datagrams that did not arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reports {
    /// Whether there were any.
    pub any: bool,
    /// Whether one of them said that nobody listens at the port.
    pub nobody_listens: bool,
}

/// Takes the reports that a datagram socket has.
pub fn take_reports(fd: BorrowedFd<'_>) -> Reports {
    let mut reports = Reports::default();
    while let Some([errno, origin, ..]) = take_report(fd) {
        let origin = origin.to_ne_bytes()[0];
        // What the host itself refused was told to the call that it refused.
        if origin == libc::SO_EE_ORIGIN_ICMP || origin == libc::SO_EE_ORIGIN_ICMP6 {
            reports.any = true;
            reports.nobody_listens |= errno.cast_signed() == libc::ECONNREFUSED;
        }
    }
    reports
}

/// The next report: the first words of its `sock_extended_err`, in front of an address.
fn take_report(fd: BorrowedFd<'_>) -> Option<[u32; 2]> {
    const HEADER: usize = size_of::<libc::cmsghdr>();
    let mut control = [0_u64; 16];
    // SAFETY: all-zero is a valid msghdr (null pointers, zero lengths).
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control);
    let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
    // SAFETY: `message` and the room for control messages live through the call.
    let taken = unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut message, flags) };
    if taken < 0 {
        return None;
    }
    let word = control[HEADER / size_of::<u64>()].to_ne_bytes();
    let [a, b, c, d, e, f, g, h] = word;
    Some([u32::from_ne_bytes([a, b, c, d]), u32::from_ne_bytes([e, f, g, h])])
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
    use std::net::{TcpListener, TcpStream, UdpSocket};
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

    /// ip(7), IP_RECVERR.
    #[test]
    fn a_datagram_that_nobody_takes_is_reported_once() {
        for (v6, own) in [(false, "127.0.0.1:0"), (true, "[::1]:0")] {
            let gone = UdpSocket::bind(own).unwrap().local_addr().unwrap();
            let socket = UdpSocket::bind(own).unwrap();
            socket.set_nonblocking(true).unwrap();
            let receive = || socket.recv(&mut [0; 8]).unwrap_err().kind();
            socket.send_to(b"x", gone).unwrap();
            assert_eq!(receive(), ErrorKind::WouldBlock, "not asked for");
            set_reports(socket.as_fd(), v6, true).unwrap();
            assert_eq!(take_reports(socket.as_fd()), Reports::default());
            socket.send_to(b"x", gone).unwrap();
            assert_eq!(receive(), ErrorKind::ConnectionRefused);
            let told = Reports { any: true, nobody_listens: true };
            assert_eq!(take_reports(socket.as_fd()), told);
            assert_eq!(take_reports(socket.as_fd()), Reports::default());
            assert_eq!(receive(), ErrorKind::WouldBlock);
            // What is too long is told to its sender, and is no report.
            assert!(socket.send_to(&[0; 70_000], gone).is_err());
            assert_eq!(take_reports(socket.as_fd()), Reports::default());
        }
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

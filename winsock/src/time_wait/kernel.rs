//! The kernel's own records: it keeps a closed connection in TIME_WAIT for 60 s, whatever the
//! setting says. A process that may administer the network (CAP_NET_ADMIN) has the records of its
//! own closed connections removed when a shorter delay is over; one that may not says so.
//!
//! The requests are SOCK_DESTROY messages of sock_diag(7).

use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{
    self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, sockopt,
};

use super::Pair;

/// How long the kernel keeps a record (`TCP_TIMEWAIT_LEN`).
pub(super) const KEPT: Duration = Duration::from_secs(60);

const HEADER: usize = 16;
const REQUEST: usize = HEADER + 56;
/// `SOCK_DESTROY` of linux/sock_diag.h.
const SOCK_DESTROY: u16 = 21;
/// `NLM_F_REQUEST | NLM_F_ACK`.
const FLAGS: u16 = 1 | 4;
const NLMSG_ERROR: u16 = 2;
const IPPROTO_TCP: u8 = 6;
/// The kernel's state TIME_WAIT, as a bit: nothing but such a record is meant.
const TIME_WAIT: u32 = 1 << 6;
/// Requests that go with one call; the answers to so many fit any receive buffer.
const BATCH: usize = 64;
/// The kernel answers at once.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether this process may have records removed. Asked once, about a listener of our own: the
/// kernel says so only of a socket that exists.
pub(super) fn may_remove() -> bool {
    static MAY: OnceLock<bool> = OnceLock::new();
    *MAY.get_or_init(|| matches!(destroy_a_listener().as_deref(), Ok([Ok(())])))
}

fn destroy_a_listener() -> Result<Vec<Result<(), Errno>>, Errno> {
    let (family, flags) = (AddressFamily::INET, SocketFlags::CLOEXEC);
    let listener = net::socket_with(family, SocketType::STREAM, flags, None)?;
    net::bind(&listener, &SocketAddr::from(([127, 0, 0, 1], 0)))?;
    net::listen(&listener, 1)?;
    let local = SocketAddr::try_from(net::getsockname(&listener)?)?;
    let remote = SocketAddr::from(([0, 0, 0, 0], 0));
    Diag::open()?.destroy(&[Pair { local, remote }])
}

/// Has the kernel's records of these pairs removed; one that is gone already is no failure.
pub(super) fn remove(pairs: &[Pair]) {
    if pairs.is_empty() {
        return;
    }
    let Ok(diag) = Diag::open() else { return };
    for batch in pairs.chunks(BATCH) {
        // What cannot be removed ends by itself after 60 s.
        let _ = diag.destroy(batch);
    }
}

/// A socket to the kernel's sock_diag.
struct Diag(OwnedFd);

impl Diag {
    fn open() -> Result<Self, Errno> {
        let (family, flags) = (AddressFamily::NETLINK, SocketFlags::CLOEXEC);
        let protocol = Some(netlink::SOCK_DIAG);
        let fd = net::socket_with(family, SocketType::DGRAM, flags, protocol)?;
        sockopt::set_socket_timeout(&fd, sockopt::Timeout::Recv, Some(PATIENCE))?;
        Ok(Self(fd))
    }

    /// Asks for these records to be removed; gives the answer to each.
    fn destroy(&self, pairs: &[Pair]) -> Result<Vec<Result<(), Errno>>, Errno> {
        let requests: Vec<u8> = pairs.iter().flat_map(request).collect();
        net::send(&self.0, &requests, SendFlags::empty())?;
        let mut answers = Vec::new();
        let mut buffer = [0_u8; 4096];
        while answers.len() < pairs.len() {
            let (_, received) = net::recv(&self.0, &mut buffer[..], RecvFlags::empty())?;
            answers.extend(read_answers(&buffer[..received.min(4096)]));
        }
        Ok(answers)
    }
}

/// `nlmsghdr` and `inet_diag_req_v2`.
fn request(pair: &Pair) -> [u8; REQUEST] {
    let mut octets = [0; REQUEST];
    let mut put = |at: usize, field: &[u8]| octets[at..at + field.len()].copy_from_slice(field);
    let len = u32::try_from(REQUEST).unwrap_or(0);
    put(0, &len.to_ne_bytes());
    put(4, &SOCK_DESTROY.to_ne_bytes());
    put(6, &FLAGS.to_ne_bytes());
    // AF_INET, AF_INET6.
    let family = if pair.local.is_ipv4() { 2 } else { 10 };
    put(HEADER, &[family, IPPROTO_TCP]);
    put(HEADER + 4, &TIME_WAIT.to_ne_bytes());
    put(HEADER + 8, &pair.local.port().to_be_bytes());
    put(HEADER + 10, &pair.remote.port().to_be_bytes());
    for (at, ip) in [(HEADER + 12, pair.local.ip()), (HEADER + 28, pair.remote.ip())] {
        match ip {
            IpAddr::V4(ip) => put(at, &ip.octets()),
            IpAddr::V6(ip) => put(at, &ip.octets()),
        }
    }
    // Any interface; no cookie.
    put(HEADER + 48, &[0xFF; 8]);
    octets
}

/// The answers in what was received: each is an error number, 0 for success.
fn read_answers(mut octets: &[u8]) -> Vec<Result<(), Errno>> {
    let mut answers = Vec::new();
    while octets.len() >= HEADER + 4 {
        let word =
            |at: usize| u32::from_ne_bytes(octets[at..at + 4].try_into().unwrap_or_default());
        let len = usize::try_from(word(0)).unwrap_or(0);
        let kind = u16::from_ne_bytes([octets[4], octets[5]]);
        if kind == NLMSG_ERROR {
            let code = word(HEADER).cast_signed();
            answers.push(if code == 0 { Ok(()) } else { Err(Errno::from_raw_os_error(-code)) });
        }
        // Messages begin at multiples of four; one that is shorter than its header is the last.
        let next = len.next_multiple_of(4).max(HEADER);
        octets = octets.get(next..).unwrap_or_default();
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The offsets of linux/netlink.h and linux/inet_diag.h.
    #[test]
    fn a_request_has_the_kernels_layout() {
        let pair = Pair {
            local: "10.1.2.3:4660".parse().unwrap(),
            remote: "10.5.6.7:80".parse().unwrap(),
        };
        let octets = request(&pair);
        assert_eq!(octets[..4], 72_u32.to_ne_bytes());
        assert_eq!(octets[4..8], [21_u16.to_ne_bytes(), 5_u16.to_ne_bytes()].concat());
        assert_eq!(octets[16..18], [2, 6]);
        assert_eq!(octets[20..24], 64_u32.to_ne_bytes());
        assert_eq!(octets[24..28], [0x12, 0x34, 0, 80]);
        assert_eq!((&octets[28..32], &octets[44..48]), (&[10, 1, 2, 3][..], &[10, 5, 6, 7][..]));
        assert_eq!(octets[60..72], [0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
        let v6 = Pair { local: "[::1]:1".parse().unwrap(), remote: "[::2]:2".parse().unwrap() };
        let octets = request(&v6);
        assert_eq!((octets[16], octets[43], octets[59]), (10, 1, 2));
    }

    #[test]
    fn answers_are_read_and_garbage_is_not() {
        let answer = |code: i32| {
            let mut octets = vec![0; 36];
            octets[..4].copy_from_slice(&36_u32.to_ne_bytes());
            octets[4] = 2;
            octets[16..20].copy_from_slice(&(-code).to_ne_bytes());
            octets
        };
        let both = [answer(0), answer(2)].concat();
        assert_eq!(read_answers(&both), [Ok(()), Err(Errno::NOENT)]);
        for len in 0..both.len() {
            assert!(read_answers(&both[..len]).len() <= 2);
        }
        assert!(read_answers(&[0xFF; 64]).is_empty());
        assert!(read_answers(&[0; 64]).is_empty());
    }
}

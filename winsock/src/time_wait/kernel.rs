//! The kernel's own records: it keeps a closed connection in TIME_WAIT for 60 s, whatever the
//! setting says. A process that may administer the network (CAP_NET_ADMIN) has the records of its
//! own closed connections removed when a shorter delay is over; one that may not says so.
//!
//! The requests are messages of sock_diag(7). A record is looked up first, and removed by its
//! cookie: the peer may have opened the pair again meanwhile, and a connection is nobody's to
//! remove.

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
/// `SOCK_DIAG_BY_FAMILY` and `SOCK_DESTROY` of linux/sock_diag.h.
const LOOK_UP: u16 = 20;
const DESTROY: u16 = 21;
/// `NLM_F_REQUEST`, `NLM_F_ACK`.
const REQUESTS: u16 = 1;
const ACKNOWLEDGE: u16 = 4;
const NLMSG_ERROR: u16 = 2;
const IPPROTO_TCP: u8 = 6;
/// The kernel's numbers of the states TIME_WAIT and LISTEN.
const TIME_WAIT: u8 = 6;
const LISTEN: u8 = 10;
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
    let diag = Diag::open()?;
    let found = diag.look_up(&[Pair { local, remote }], |state| state == LISTEN)?;
    diag.destroy(&found)
}

/// Has the kernel's records of these pairs removed; one that is gone already is no failure.
pub(super) fn remove(pairs: &[Pair]) {
    if pairs.is_empty() {
        return;
    }
    let Ok(diag) = Diag::open() else { return };
    for batch in pairs.chunks(BATCH) {
        // What cannot be removed ends by itself after 60 s.
        let found = diag.look_up(batch, |state| state == TIME_WAIT);
        let _ = found.and_then(|found| diag.destroy(&found));
    }
}

/// Has the kernel reset a connection. False if there is none.
///
/// # Errors
/// EPERM, EOPNOTSUPP.
pub(super) fn reset(pair: Pair) -> Result<bool, Errno> {
    let diag = Diag::open()?;
    let found = diag.look_up(&[pair], |state| state != LISTEN)?;
    match diag.destroy(&found)?.pop() {
        None | Some(Err(Errno::NOENT)) => Ok(false),
        Some(result) => result.map(|()| true),
    }
}

/// A record of the kernel's: this one and no later one of the same pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    pair: Pair,
    cookie: [u8; 8],
}

/// `INET_DIAG_NOCOOKIE`: whichever there is.
const ANY: [u8; 8] = [0xFF; 8];

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

    /// The records of these pairs whose states are wanted.
    fn look_up(&self, pairs: &[Pair], wanted: impl Fn(u8) -> bool) -> Result<Vec<Record>, Errno> {
        let any = |pair: &Pair| Record { pair: *pair, cookie: ANY };
        let records: Vec<_> = pairs.iter().map(any).collect();
        let answers = self.ask(LOOK_UP, &records)?;
        let found = pairs.iter().zip(answers).filter_map(|(pair, answer)| match answer {
            Answer::Record { state, cookie } if wanted(state) => {
                Some(Record { pair: *pair, cookie })
            }
            Answer::Record { .. } | Answer::Result(_) => None,
        });
        Ok(found.collect())
    }

    /// Removes these records; gives the answer to each.
    fn destroy(&self, records: &[Record]) -> Result<Vec<Result<(), Errno>>, Errno> {
        let result = |answer| match answer {
            Answer::Result(result) => result,
            Answer::Record { .. } => Ok(()),
        };
        Ok(self.ask(DESTROY, records)?.into_iter().map(result).collect())
    }

    /// Sends a request for each record; gives the answers, in order.
    fn ask(&self, kind: u16, records: &[Record]) -> Result<Vec<Answer>, Errno> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let requests: Vec<u8> = records.iter().flat_map(|record| request(kind, record)).collect();
        net::send(&self.0, &requests, SendFlags::empty())?;
        let mut answers = Vec::new();
        let mut buffer = vec![0_u8; BUFFER];
        while answers.len() < records.len() {
            let (_, received) = net::recv(&self.0, &mut buffer[..], RecvFlags::empty())?;
            answers.extend(read_answers(&buffer[..received.min(BUFFER)]));
        }
        Ok(answers)
    }
}

/// Room for what one receive gives.
const BUFFER: usize = 16 << 10;

/// What the kernel answers a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// How it went.
    Result(Result<(), Errno>),
    /// What was looked up.
    Record { state: u8, cookie: [u8; 8] },
}

/// `nlmsghdr` and `inet_diag_req_v2`.
fn request(kind: u16, record: &Record) -> [u8; REQUEST] {
    let mut octets = [0; REQUEST];
    let mut put = |at: usize, field: &[u8]| octets[at..at + field.len()].copy_from_slice(field);
    let pair = &record.pair;
    let len = u32::try_from(REQUEST).unwrap_or(0);
    let flags = if kind == DESTROY { REQUESTS | ACKNOWLEDGE } else { REQUESTS };
    put(0, &len.to_ne_bytes());
    put(4, &kind.to_ne_bytes());
    put(6, &flags.to_ne_bytes());
    // AF_INET, AF_INET6.
    let family = if pair.local.is_ipv4() { 2 } else { 10 };
    put(HEADER, &[family, IPPROTO_TCP]);
    // All states: an exact request is not filtered by them.
    put(HEADER + 4, &u32::MAX.to_ne_bytes());
    put(HEADER + 8, &pair.local.port().to_be_bytes());
    put(HEADER + 10, &pair.remote.port().to_be_bytes());
    for (at, ip) in [(HEADER + 12, pair.local.ip()), (HEADER + 28, pair.remote.ip())] {
        match ip {
            IpAddr::V4(ip) => put(at, &ip.octets()),
            IpAddr::V6(ip) => put(at, &ip.octets()),
        }
    }
    // That of an address of a link, which the record is bound to; otherwise any.
    let interface = match pair.local {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(v6) => v6.scope_id(),
    };
    put(HEADER + 44, &interface.to_ne_bytes());
    put(HEADER + 48, &record.cookie);
    octets
}

/// The answers in what was received: error numbers, 0 for success, or an `inet_diag_msg`.
fn read_answers(mut octets: &[u8]) -> Vec<Answer> {
    let mut answers = Vec::new();
    while let Some(header) = octets.first_chunk::<HEADER>() {
        let [a, b, c, d, kind_low, kind_high, ..] = *header;
        let len = usize::try_from(u32::from_ne_bytes([a, b, c, d])).unwrap_or(0);
        let body = octets.get(HEADER..len).unwrap_or_default();
        match u16::from_ne_bytes([kind_low, kind_high]) {
            NLMSG_ERROR => answers.extend(read_result(body)),
            LOOK_UP => answers.extend(read_record(body)),
            _ => {}
        }
        // Messages begin at multiples of four; one that is shorter than its header is the last.
        octets = octets.get(len.next_multiple_of(4).max(HEADER)..).unwrap_or_default();
    }
    answers
}

fn read_result(body: &[u8]) -> Option<Answer> {
    let code = i32::from_ne_bytes(*body.first_chunk()?);
    let number = code.checked_neg().filter(|number| (0..4096).contains(number))?;
    Some(Answer::Result(match number {
        0 => Ok(()),
        number => Err(Errno::from_raw_os_error(number)),
    }))
}

/// Family, state, timer, retransmissions; then the ports, addresses, interface and cookie.
fn read_record(body: &[u8]) -> Option<Answer> {
    let state = *body.get(1)?;
    let cookie = body.get(44..52)?.try_into().ok()?;
    Some(Answer::Record { state, cookie })
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
        let octets = request(DESTROY, &Record { pair, cookie: *b"12345678" });
        assert_eq!(octets[..4], 72_u32.to_ne_bytes());
        assert_eq!(octets[4..8], [21_u16.to_ne_bytes(), 5_u16.to_ne_bytes()].concat());
        assert_eq!((&octets[16..18], &octets[20..24]), (&[2, 6][..], &[0xFF; 4][..]));
        assert_eq!(octets[24..28], [0x12, 0x34, 0, 80]);
        assert_eq!((&octets[28..32], &octets[44..48]), (&[10, 1, 2, 3][..], &[10, 5, 6, 7][..]));
        assert_eq!(octets[60..72], *b"\x00\x00\x00\x0012345678");
        let v6 = Pair { local: "[::1]:1".parse().unwrap(), remote: "[::2]:2".parse().unwrap() };
        let octets = request(LOOK_UP, &Record { pair: v6, cookie: ANY });
        assert_eq!(octets[4..8], [20_u16.to_ne_bytes(), 1_u16.to_ne_bytes()].concat());
        assert_eq!((octets[16], octets[43], octets[59], octets[60]), (10, 1, 2, 0));
        let of_link = Pair {
            local: "[fe80::1%7]:1".parse().unwrap(),
            remote: "[fe80::2%7]:2".parse().unwrap(),
        };
        let octets = request(LOOK_UP, &Record { pair: of_link, cookie: ANY });
        assert_eq!(octets[60..64], 7_u32.to_ne_bytes());
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
        let mut record = vec![0; 16 + 72];
        record[..4].copy_from_slice(&88_u32.to_ne_bytes());
        (record[4], record[17], record[60]) = (20, 6, 7);
        let both = [answer(0), record, answer(2)].concat();
        let looked_up = Answer::Record { state: 6, cookie: [7, 0, 0, 0, 0, 0, 0, 0] };
        let expected = [Answer::Result(Ok(())), looked_up, Answer::Result(Err(Errno::NOENT))];
        assert_eq!(read_answers(&both), expected);
        for len in 0..both.len() {
            assert!(read_answers(&both[..len]).len() <= 3);
        }
        assert!(read_answers(&[0xFF; 64]).is_empty());
        assert!(read_answers(&[0; 64]).is_empty());
    }
}

//! The kernel's own records: it keeps a closed connection in TIME_WAIT for 60 s, whatever the
//! setting says. A process that may administer the network (CAP_NET_ADMIN) has the records of its
//! own closed connections removed when a shorter delay is over; one that may not says so.
//!
//! The requests are messages of sock_diag(7). A record is looked up first, and removed by its
//! cookie: the peer may have opened the pair again meanwhile, and a connection is nobody's to
//! remove.

use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketFlags, SocketType};

use super::Pair;
use crate::transport::sock_diag::{self, DESTROY, Diag, HEADER, LOOK_UP, REQUEST};

/// How long the kernel keeps a record (`TCP_TIMEWAIT_LEN`).
pub(super) const KEPT: Duration = Duration::from_secs(60);

/// The kernel's numbers of the states TIME_WAIT and LISTEN.
const TIME_WAIT: u8 = 6;
const LISTEN: u8 = 10;
/// Requests that go with one call; the answers to so many fit any receive buffer.
const BATCH: usize = 64;

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

impl Diag {
    /// The records of these pairs whose states are wanted.
    fn look_up(&self, pairs: &[Pair], wanted: impl Fn(u8) -> bool) -> Result<Vec<Record>, Errno> {
        let any = |pair: &Pair| Record { pair: *pair, cookie: ANY };
        let records: Vec<_> = pairs.iter().map(any).collect();
        let answers = self.answers(LOOK_UP, &records)?;
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
        Ok(self.answers(DESTROY, records)?.into_iter().map(result).collect())
    }

    /// Sends a request for each record; gives the answers, in order.
    fn answers(&self, kind: u16, records: &[Record]) -> Result<Vec<Answer>, Errno> {
        let mut answers = Vec::new();
        if records.is_empty() {
            return Ok(answers);
        }
        let requests: Vec<u8> = records.iter().flat_map(|record| request(kind, record)).collect();
        self.ask(&requests, |received| {
            answers.extend(read_answers(received));
            answers.len() >= records.len()
        })?;
        Ok(answers)
    }
}

/// What the kernel answers a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// How it went.
    Result(Result<(), Errno>),
    /// What was looked up.
    Record { state: u8, cookie: [u8; 8] },
}

/// A request for one record, of whatever state: an exact request is not filtered by them.
fn request(kind: u16, record: &Record) -> [u8; REQUEST] {
    let pair = &record.pair;
    let flags = sock_diag::REQUESTS | if kind == DESTROY { sock_diag::ACKNOWLEDGE } else { 0 };
    let family = if pair.local.is_ipv4() { sock_diag::INET } else { sock_diag::INET6 };
    let mut octets = sock_diag::request(kind, flags, family, sock_diag::TCP);
    let mut put = |at: usize, field: &[u8]| octets[at..at + field.len()].copy_from_slice(field);
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
fn read_answers(octets: &[u8]) -> Vec<Answer> {
    let read = |(kind, body): (u16, &[u8])| match kind {
        sock_diag::ERROR => read_result(body),
        LOOK_UP => read_record(body),
        _ => None,
    };
    sock_diag::messages(octets).filter_map(read).collect()
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

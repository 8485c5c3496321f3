//! What the kernel tells of everybody's connections: those of the process's network namespace,
//! linsock's and others.

mod facts;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use linsock_iocp::NtStatus;
use rustix::io::Errno;

use crate::socket::TcpState;
use crate::time_wait::{self, Pair};
use crate::transport::{sock_diag, status_of};
use facts::Facts;

/// A socket, or what is left of one in TIME_WAIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// This end. An IPv4 address that IPv6 has mapped is told as one of IPv4.
    pub local: SocketAddr,
    /// The other end; of zeros where there is none.
    pub remote: SocketAddr,
    /// The state, of TCP.
    pub state: TcpState,
    /// The number that the kernel knows the socket by; its listener's where nobody has accepted it
    /// yet, and 0 in TIME_WAIT.
    pub inode: u64,
    /// How long a TIME_WAIT lasts.
    pub left: Option<Duration>,
}

/// The unit of the kernel's timers in /proc (USER_HZ).
const TICK: Duration = Duration::from_millis(10);

/// The TCP sockets of both families, in the kernel's order. A listener that takes both has a record
/// in each, if the kernel tells who does (sock_diag(7)). What changes while the kernel is asked may
/// be told twice.
///
/// # Errors
/// STATUS_NOT_SUPPORTED without /proc; when descriptors or memory ran out.
pub fn tcp() -> Result<Vec<Record>, NtStatus> {
    let mut records = sockets("tcp", sock_diag::TCP)?;
    give_to_listeners(&mut records);
    Ok(records)
}

/// The UDP sockets, as those of TCP.
///
/// # Errors
/// As those of [`tcp`].
pub fn udp() -> Result<Vec<Record>, NtStatus> {
    sockets("udp", sock_diag::UDP)
}

fn sockets(name: &str, protocol: u8) -> Result<Vec<Record>, NtStatus> {
    let mut found = records(&read(name)?);
    let of_v6 = match read(&format!("{name}6")) {
        // A kernel without IPv6.
        Err(NtStatus::NOT_SUPPORTED) => Vec::new(),
        text => records(&text?),
    };
    let facts = if of_v6.is_empty() { HashMap::new() } else { facts::of_ipv6(protocol) };
    let facts_of = |it: &Record| facts.get(&(it.inode, it.local, it.remote)).copied();
    found.extend(of_v6.iter().flat_map(|it| told(it, facts_of(it).unwrap_or_default())));
    Ok(found)
}

/// A file of the calling thread's network namespace: the main thread, whose /proc/net is, may have
/// ended.
fn read(name: &str) -> Result<String, NtStatus> {
    fs::read_to_string(format!("/proc/thread-self/net/{name}")).map_err(|error| refusal(&error))
}

fn refusal(error: &io::Error) -> NtStatus {
    match Errno::from_io_error(error) {
        None | Some(Errno::NOENT) => NtStatus::NOT_SUPPORTED,
        Some(errno) => status_of(errno),
    }
}

/// A socket of IPv6 as Windows tells it: what it does over IPv4 is IPv4's, and where it waits for
/// both families it is told in both.
fn told(record: &Record, facts: Facts) -> impl Iterator<Item = Record> {
    let (local, remote) = unmapped(record.local, record.remote);
    let scoped = |address| scoped(address, facts.interface);
    let itself = Record { local: scoped(local), remote: scoped(remote), ..*record };
    let any = local.is_ipv6() && local.ip().is_unspecified() && remote.ip().is_unspecified();
    let in_v4 = (any && facts.takes_v4).then(|| Record {
        local: SocketAddr::from((Ipv4Addr::UNSPECIFIED, local.port())),
        remote: SocketAddr::from((Ipv4Addr::UNSPECIFIED, remote.port())),
        ..*record
    });
    [Some(itself), in_v4].into_iter().flatten()
}

/// An address of a link is told with the link.
fn scoped(mut address: SocketAddr, interface: u32) -> SocketAddr {
    if let SocketAddr::V6(v6) = &mut address
        && v6.ip().is_unicast_link_local()
    {
        v6.set_scope_id(interface);
    }
    address
}

/// What nobody has accepted yet belongs to who listens there. (What has been closed has no number
/// either, and is in other states.)
fn give_to_listeners(records: &mut [Record]) {
    let listening = records.iter().filter(|record| record.state == TcpState::Listen);
    let listeners: HashMap<_, _> = listening.map(|it| (it.local, it.inode)).collect();
    let waits = [TcpState::SynReceived, TcpState::Established, TcpState::CloseWait];
    for it in records.iter_mut().filter(|it| it.inode == 0 && waits.contains(&it.state)) {
        let at = |ip| listeners.get(&SocketAddr::new(ip, it.local.port()));
        let of_v4 = || at(Ipv4Addr::UNSPECIFIED.into()).filter(|_| it.local.is_ipv4());
        // Of IPv6, or of both families.
        let of_v6 = || at(Ipv6Addr::UNSPECIFIED.into());
        let listener = listeners.get(&it.local).or_else(of_v4).or_else(of_v6);
        it.inode = listener.copied().unwrap_or(0);
    }
}

fn records(text: &str) -> Vec<Record> {
    text.lines().filter_map(record).collect()
}

/// `sl: local remote state queues timer:when ... inode`, in hexadecimal digits but for the inode.
fn record(line: &str) -> Option<Record> {
    let mut words = line.split_whitespace().skip(1);
    let (local, remote) = (address(words.next()?)?, address(words.next()?)?);
    let state = TcpState::from_kernel(u8::from_str_radix(words.next()?, 16).ok());
    let (_, ticks) = words.nth(1)?.split_once(':')?;
    let left = TICK * u32::from_str_radix(ticks, 16).unwrap_or(0);
    let inode = words.nth(3)?.parse().ok()?;
    let left = (state == TcpState::TimeWait).then_some(left);
    Some(Record { local, remote, state, inode, left })
}

/// `0100007F:1F90`: the words of the address in the byte order of the machine, and the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let word = |at: usize| u32::from_str_radix(ip.get(at..at + 8)?, 16).ok();
    let ip = match ip.len() {
        8 => IpAddr::from(Ipv4Addr::from(word(0)?.to_ne_bytes())),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?].map(u32::to_ne_bytes);
            let octets: [u8; 16] = words.concat().try_into().ok()?;
            IpAddr::from(Ipv6Addr::from(octets))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

/// What a socket of IPv6 does over IPv4: its own end is mapped, and the other is too or is none.
fn unmapped(local: SocketAddr, remote: SocketAddr) -> (SocketAddr, SocketAddr) {
    let plain = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    let other = match plain(remote) {
        none if none.ip().is_unspecified() => {
            SocketAddr::from((Ipv4Addr::UNSPECIFIED, none.port()))
        }
        other => other,
    };
    let both = (plain(local), other);
    if both.0.is_ipv4() && both.1.is_ipv4() { both } else { (local, remote) }
}

/// A pair that linsock holds, as its record is told.
pub fn told_pair(pair: Pair) -> Pair {
    let (local, remote) = unmapped(pair.local, pair.remote);
    Pair { local, remote }
}

/// Which processes have the sockets, by their numbers: those that this process may look into.
///
/// # Errors
/// As those of [`tcp`].
pub fn owners() -> Result<HashMap<u64, u32>, NtStatus> {
    let processes = fs::read_dir("/proc").map_err(|error| refusal(&error))?.flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut owners = HashMap::new();
    for process in numbers {
        for descriptor in descriptors(process)? {
            let name = fs::read_link(descriptor.path()).unwrap_or_default();
            let socket = name.to_str().and_then(|name| name.strip_prefix("socket:["));
            let inode = socket.and_then(|socket| socket.strip_suffix(']')?.parse().ok());
            if let Some(inode) = inode {
                // Of those that share a socket, the first.
                owners.entry(inode).or_insert(process);
            }
        }
    }
    Ok(owners)
}

/// What a process has open; nothing where it has ended or may not be looked into.
fn descriptors(process: u32) -> Result<impl Iterator<Item = fs::DirEntry>, NtStatus> {
    let is_own = process == std::process::id();
    let files = if is_own {
        // The main thread, whose /proc/PID/fd is, may have ended.
        fs::read_dir("/proc/thread-self/fd")
    } else {
        fs::read_dir(format!("/proc/{process}/fd"))
    };
    match files.map_err(|error| refusal(&error)) {
        Err(status @ (NtStatus::TOO_MANY_OPENED_FILES | NtStatus::INSUFFICIENT_RESOURCES)) => {
            Err(status)
        }
        files => Ok(files.into_iter().flatten().flatten()),
    }
}

/// The kernel's counters of a protocol, as `Tcp` or `Udp`, by their names in the RFCs' MIBs; those
/// of `Udp6` are IPv6's alone, and none without IPv6.
///
/// # Errors
/// As those of [`tcp`].
pub fn counters(protocol: &str) -> Result<HashMap<String, i64>, NtStatus> {
    if !protocol.ends_with('6') {
        return Ok(counters_in(&read("snmp")?, protocol));
    }
    match read("snmp6") {
        Err(NtStatus::NOT_SUPPORTED) => Ok(HashMap::new()),
        text => Ok(counters_of_ipv6(&text?, protocol)),
    }
}

/// Each on a line of its own.
fn counters_of_ipv6(text: &str, protocol: &str) -> HashMap<String, i64> {
    let counter = |line: &str| {
        let (name, number) = line.strip_prefix(protocol)?.split_once(char::is_whitespace)?;
        Some((name.to_owned(), number.trim().parse().ok()?))
    };
    text.lines().filter_map(counter).collect()
}

/// A line of names and one of numbers, both of which begin with the protocol.
fn counters_in(text: &str, protocol: &str) -> HashMap<String, i64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(protocol)?.strip_prefix(": "));
    let (names, numbers) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let pairs = names.split(' ').zip(numbers.split(' '));
    pairs.filter_map(|(name, number)| Some((name.to_owned(), number.parse().ok()?))).collect()
}

/// Ends a connection of anybody's: both ends see a reset. False if there is none; a listener is
/// none.
///
/// # Errors
/// STATUS_ACCESS_DENIED without CAP_NET_ADMIN in the network namespace; STATUS_NOT_SUPPORTED when
/// the kernel cannot.
pub fn reset(pair: Pair) -> Result<bool, NtStatus> {
    time_wait::reset(pair).map_err(status_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77 1
   1: 0100007F:1388 0100007F:1F90 06 00000000:00000000 03:0000176F 00000000     0        0 0 3
";

    #[test]
    fn the_kernels_records_are_read() {
        let [listener, closed] = records(TCP)[..] else { panic!("two") };
        let address: SocketAddr = "127.0.0.1:8080".parse().unwrap();
        assert_eq!((listener.local, listener.state), (address, TcpState::Listen));
        assert_eq!((listener.inode, listener.left), (77, None));
        assert_eq!((closed.remote, closed.state), (address, TcpState::TimeWait));
        assert_eq!(closed.left, Some(Duration::from_millis(59_990)));
        let v6 = super::address("00000000000000000000000001000000:0050").unwrap();
        assert_eq!(v6, "[::1]:80".parse().unwrap());
        for garbage in ["", "x", "0100007F", "0100007F:xyz", "01:1", "é100007F:1F90"] {
            assert_eq!(super::address(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn what_is_mapped_is_of_ipv4() {
        let parse = |text: &str| text.parse::<SocketAddr>().unwrap();
        let mapped = unmapped(parse("[::ffff:1.2.3.4]:5"), parse("[::ffff:0.0.0.0]:0"));
        assert_eq!(mapped, (parse("1.2.3.4:5"), parse("0.0.0.0:0")));
        // As the kernel tells a listener there, and a socket for datagrams.
        let mapped = unmapped(parse("[::ffff:1.2.3.4]:5"), parse("[::]:0"));
        assert_eq!(mapped, (parse("1.2.3.4:5"), parse("0.0.0.0:0")));
        for (local, remote) in [("[::]:5", "[::]:0"), ("[::1]:5", "[::ffff:1.2.3.4]:6")] {
            let both = (parse(local), parse(remote));
            assert_eq!(unmapped(both.0, both.1), both, "one end is IPv6's alone");
        }
    }

    fn record(local: &str, remote: &str, state: TcpState, inode: u64) -> Record {
        let (local, remote) = (local.parse().unwrap(), remote.parse().unwrap());
        Record { local, remote, state, inode, left: None }
    }

    #[test]
    fn who_takes_both_families_is_told_in_both() {
        let all = |record: &Record, facts| told(record, facts).collect::<Vec<_>>();
        let listener = record("[::]:5", "[::]:0", TcpState::Listen, 7);
        let both = Facts { interface: 0, takes_v4: true };
        assert_eq!(all(&listener, Facts::default()), [listener]);
        let in_v4 = record("0.0.0.0:5", "0.0.0.0:0", TcpState::Listen, 7);
        assert_eq!(all(&listener, both), [listener, in_v4]);
        for (local, remote) in [("[::1]:5", "[::]:0"), ("[::]:5", "[::1]:6")] {
            let one = record(local, remote, TcpState::Listen, 7);
            assert_eq!(all(&one, both), [one], "{local} {remote}");
        }
        let of_link = record("[fe80::1]:5", "[fe80::2]:6", TcpState::Established, 7);
        let scoped = record("[fe80::1%3]:5", "[fe80::2%3]:6", TcpState::Established, 7);
        assert_eq!(all(&of_link, Facts { interface: 3, takes_v4: false }), [scoped]);
        let global = record("[2001:db8::1]:5", "[2001:db8::2]:6", TcpState::Established, 7);
        assert_eq!(all(&global, Facts { interface: 3, takes_v4: false }), [global]);
    }

    #[test]
    fn what_waits_in_a_backlog_is_its_listeners() {
        let state = TcpState::Established;
        let mut records = [
            record("0.0.0.0:5", "0.0.0.0:0", TcpState::Listen, 7),
            record("1.2.3.4:5", "0.0.0.0:0", TcpState::Listen, 8),
            record("1.2.3.4:5", "1.2.3.4:6", state, 0),
            record("127.0.0.1:5", "127.0.0.1:6", TcpState::SynReceived, 0),
            record("127.0.0.1:5", "127.0.0.1:7", state, 9),
            record("127.0.0.1:5", "127.0.0.1:8", TcpState::FinWait2, 0),
            record("127.0.0.1:6", "127.0.0.1:8", TcpState::CloseWait, 0),
            record("[::1]:5", "[::1]:8", state, 0),
            record("[::]:9", "[::]:0", TcpState::Listen, 10),
            record("[::1]:9", "[::1]:8", state, 0),
            // It takes both families, though nobody has said so.
            record("1.2.3.4:9", "1.2.3.4:6", state, 0),
        ];
        give_to_listeners(&mut records);
        let owners = records.map(|record| record.inode);
        assert_eq!(owners, [7, 8, 8, 7, 9, 0, 0, 0, 10, 10, 10]);
    }

    #[test]
    fn counters_are_found_by_their_names() {
        let text =
            "Ip: A\nIp: 1\nTcp: RtoMin MaxConn InSegs\nTcp: 200 -1 77\nTcpExt: A\nTcpExt: 9\n";
        let counters = counters_in(text, "Tcp");
        assert_eq!((counters["RtoMin"], counters["MaxConn"], counters["InSegs"]), (200, -1, 77));
        assert!(counters_in(text, "Udp").is_empty());
        let text = "Ip6InReceives \t9\nUdp6InDatagrams      \t8\nUdp6NoPorts\t7\n";
        let counters = counters_of_ipv6(text, "Udp6");
        assert_eq!((counters["InDatagrams"], counters["NoPorts"], counters.len()), (8, 7, 2));
    }

    /// The file is the kernel's, which has had a datagram of ours at least.
    #[test]
    fn the_kernel_counts() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let before = counters("Udp").unwrap()["OutDatagrams"];
        socket.send_to(b"x", socket.local_addr().unwrap()).unwrap();
        assert!(counters("Udp").unwrap()["OutDatagrams"] > before);
        let six = counters("Udp6").unwrap();
        assert!(six.is_empty() || six.contains_key("OutDatagrams"));
    }

    #[test]
    fn the_owner_of_a_socket_is_its_process() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let record = tcp().unwrap().into_iter().find(|record| record.local == address).unwrap();
        assert_eq!(record.state, TcpState::Listen);
        assert_eq!(owners().unwrap().get(&record.inode), Some(&std::process::id()));
        let socket = std::net::UdpSocket::bind("[::1]:0").unwrap();
        let address = socket.local_addr().unwrap();
        assert!(udp().unwrap().iter().any(|record| record.local == address));
    }
}

//! What the kernel tells of everybody's connections: those of the process's network namespace,
//! linsock's and others.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use linsock_iocp::NtStatus;

use crate::socket::TcpState;
use crate::time_wait::{self, Pair};
use crate::transport::status_of;

/// A socket, or what is left of one in TIME_WAIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// This end. An IPv4 address that IPv6 has mapped is told as one of IPv4.
    pub local: SocketAddr,
    /// The other end; of zeros where there is none.
    pub remote: SocketAddr,
    /// The state, of TCP.
    pub state: TcpState,
    /// The number that the kernel knows the socket by; 0 in TIME_WAIT.
    pub inode: u64,
    /// How long a TIME_WAIT lasts.
    pub left: Option<Duration>,
}

/// The unit of the kernel's timers in /proc (USER_HZ).
const TICK: Duration = Duration::from_millis(10);

/// The TCP sockets of both families, in the kernel's order.
pub fn tcp() -> Vec<Record> {
    ["/proc/net/tcp", "/proc/net/tcp6"].into_iter().flat_map(read).collect()
}

/// The UDP sockets of both families, in the kernel's order.
pub fn udp() -> Vec<Record> {
    ["/proc/net/udp", "/proc/net/udp6"].into_iter().flat_map(read).collect()
}

/// A family that the kernel lacks has no records.
fn read(file: &str) -> Vec<Record> {
    records(&std::fs::read_to_string(file).unwrap_or_default())
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
    let left = TICK * u32::from_str_radix(ticks, 16).ok()?;
    let inode = words.nth(3)?.parse().ok()?;
    let left = (state == TcpState::TimeWait).then_some(left);
    let (local, remote) = unmapped(local, remote);
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

/// A connection over IPv4 of a socket that takes both families.
fn unmapped(local: SocketAddr, remote: SocketAddr) -> (SocketAddr, SocketAddr) {
    let plain = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    let both = (plain(local), plain(remote));
    if both.0.is_ipv4() && both.1.is_ipv4() { both } else { (local, remote) }
}

/// Which processes have the sockets, by their numbers: those that this process may look into.
pub fn owners() -> HashMap<u64, u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut owners = HashMap::new();
    for process in numbers {
        let open = std::fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
        for descriptor in open {
            let name = std::fs::read_link(descriptor.path()).unwrap_or_default();
            let socket = name.to_str().and_then(|name| name.strip_prefix("socket:["));
            let inode = socket.and_then(|socket| socket.strip_suffix(']')?.parse().ok());
            if let Some(inode) = inode {
                // Of those that share a socket, the first.
                owners.entry(inode).or_insert(process);
            }
        }
    }
    owners
}

/// The kernel's counters of a protocol, as `Tcp` or `Udp`, by their names in the RFCs' MIBs; those
/// of `Udp6` are IPv6's alone.
pub fn counters(protocol: &str) -> HashMap<String, i64> {
    let text = |file| std::fs::read_to_string(file).unwrap_or_default();
    if protocol.ends_with('6') {
        counters_of_ipv6(&text("/proc/net/snmp6"), protocol)
    } else {
        counters_in(&text("/proc/net/snmp"), protocol)
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
        for (local, remote) in [("[::]:5", "[::]:0"), ("[::ffff:1.2.3.4]:5", "[::]:0")] {
            let both = (parse(local), parse(remote));
            assert_eq!(unmapped(both.0, both.1), both, "one end is IPv6's alone");
        }
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
        let before = counters("Udp")["OutDatagrams"];
        socket.send_to(b"x", socket.local_addr().unwrap()).unwrap();
        assert!(counters("Udp")["OutDatagrams"] > before);
        assert!(counters("Udp6").is_empty() || counters("Udp6").contains_key("OutDatagrams"));
    }

    #[test]
    fn the_owner_of_a_socket_is_its_process() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let record = tcp().into_iter().find(|record| record.local == address).unwrap();
        assert_eq!(record.state, TcpState::Listen);
        assert_eq!(owners().get(&record.inode), Some(&std::process::id()));
        let socket = std::net::UdpSocket::bind("[::1]:0").unwrap();
        let address = socket.local_addr().unwrap();
        assert!(udp().iter().any(|record| record.local == address));
    }
}

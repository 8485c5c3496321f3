//! The options that are a number and the kernel's to mean: time to live, type of service,
//! keep-alive times and their like.

use std::net::Ipv4Addr;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use linsock_iocp::NtStatus;
use linsock_iocp::sys::{self, IntOption};
use rustix::io::{self, Errno};
use rustix::net::sockopt::{self, Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery};

use super::{IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, SOL_SOCKET, boolean, dword};
use crate::transport::status_of;

/// An option whose value is a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Tos,
    Ttl,
    MulticastInterface,
    MulticastTtl,
    MulticastLoop,
    DontFragment,
    PacketInfo,
    TellsHops,
    UnicastInterface,
    TellsTraffic,
    MtuDiscover,
    UnicastHops6,
    MulticastInterface6,
    MulticastHops6,
    MulticastLoop6,
    DontFragment6,
    PacketInfo6,
    TellsHops6,
    UnicastInterface6,
    Traffic6,
    TellsTraffic6,
    MtuDiscover6,
    KeepIdle,
    KeepCount,
    KeepInterval,
    MaxRetry,
    MaxRetryMs,
    FastOpen,
    /// Ports chosen by the system are random: here always.
    RandomizePort,
    /// Each local address has all ports for the system to choose from: here always.
    PortScalability,
    /// A port that the system chooses is chosen at connect, so that it may serve another peer too.
    ReuseUnicastPort,
}

/// What a value may be.
enum Range {
    Truth,
    /// From 0 to 255, in one octet or in four.
    Octet,
    /// From the first to the second.
    Within(u32, u32),
    /// Also all bits set, which stands for the system's choice.
    WithinOrDefault(u32, u32),
}

/// The longest time in seconds that the kernel waits before it looks after a connection.
const KEEP_MAX: u32 = 32_767;

/// The longest time in milliseconds that the kernel sends again.
const RETRY_MAX: u32 = i32::MAX.cast_unsigned();

/// Not limited.
const FOR_EVER: u32 = u32::MAX;

impl Number {
    /// The option with Windows' number, if it is one of these.
    pub(super) const fn of(level: i32, name: i32) -> Option<Self> {
        Some(match (level, name) {
            (IPPROTO_IP, 3) => Self::Tos,
            (IPPROTO_IP, 4) => Self::Ttl,
            (IPPROTO_IP, 9) => Self::MulticastInterface,
            (IPPROTO_IP, 10) => Self::MulticastTtl,
            (IPPROTO_IP, 11) => Self::MulticastLoop,
            (IPPROTO_IP, 14) => Self::DontFragment,
            (IPPROTO_IP, 19) => Self::PacketInfo,
            (IPPROTO_IP, 21) => Self::TellsHops,
            (IPPROTO_IP, 31) => Self::UnicastInterface,
            (IPPROTO_IP, 40) => Self::TellsTraffic,
            (IPPROTO_IP, 71) => Self::MtuDiscover,
            (IPPROTO_IPV6, 4) => Self::UnicastHops6,
            (IPPROTO_IPV6, 9) => Self::MulticastInterface6,
            (IPPROTO_IPV6, 10) => Self::MulticastHops6,
            (IPPROTO_IPV6, 11) => Self::MulticastLoop6,
            (IPPROTO_IPV6, 14) => Self::DontFragment6,
            (IPPROTO_IPV6, 19) => Self::PacketInfo6,
            (IPPROTO_IPV6, 21) => Self::TellsHops6,
            (IPPROTO_IPV6, 31) => Self::UnicastInterface6,
            (IPPROTO_IPV6, 39) => Self::Traffic6,
            (IPPROTO_IPV6, 40) => Self::TellsTraffic6,
            (IPPROTO_IPV6, 71) => Self::MtuDiscover6,
            (IPPROTO_TCP, 3) => Self::KeepIdle,
            (IPPROTO_TCP, 5) => Self::MaxRetry,
            (IPPROTO_TCP, 14) => Self::MaxRetryMs,
            (IPPROTO_TCP, 15) => Self::FastOpen,
            (IPPROTO_TCP, 16) => Self::KeepCount,
            (IPPROTO_TCP, 17) => Self::KeepInterval,
            (SOL_SOCKET, 0x3005) => Self::RandomizePort,
            (SOL_SOCKET, 0x3006) => Self::PortScalability,
            (SOL_SOCKET, 0x3007) => Self::ReuseUnicastPort,
            _ => return None,
        })
    }

    /// Whether it means something to datagrams only.
    pub(super) const fn is_of_datagrams(self) -> bool {
        matches!(
            self,
            Self::MulticastInterface
                | Self::MulticastTtl
                | Self::MulticastLoop
                | Self::PacketInfo
                | Self::PacketInfo6
                | Self::TellsHops
                | Self::TellsHops6
                | Self::TellsTraffic
                | Self::TellsTraffic6
                | Self::UnicastInterface
                | Self::UnicastInterface6
                | Self::MulticastInterface6
                | Self::MulticastHops6
                | Self::MulticastLoop6
        )
    }

    /// Whether only sockets over IPv6 have it.
    pub(super) const fn is_of_v6(self) -> bool {
        matches!(
            self,
            Self::UnicastHops6
                | Self::MulticastInterface6
                | Self::MulticastHops6
                | Self::MulticastLoop6
                | Self::DontFragment6
                | Self::PacketInfo6
                | Self::TellsHops6
                | Self::UnicastInterface6
                | Self::Traffic6
                | Self::TellsTraffic6
                | Self::MtuDiscover6
        )
    }

    /// Whether it is about the port that a bind is to choose.
    pub(super) const fn is_for_bind(self) -> bool {
        matches!(self, Self::RandomizePort | Self::PortScalability | Self::ReuseUnicastPort)
    }

    /// Whether it may be given, and asked for, as one octet.
    pub(super) const fn is_octet(self) -> bool {
        matches!(self.range(), Range::Octet)
    }

    pub(super) const fn is_truth(self) -> bool {
        matches!(self.range(), Range::Truth)
    }

    const fn range(self) -> Range {
        match self {
            Self::MulticastLoop
            | Self::MulticastLoop6
            | Self::DontFragment
            | Self::DontFragment6
            | Self::PacketInfo
            | Self::PacketInfo6
            | Self::TellsHops
            | Self::TellsHops6
            | Self::TellsTraffic
            | Self::TellsTraffic6
            | Self::FastOpen
            | Self::RandomizePort
            | Self::PortScalability
            | Self::ReuseUnicastPort => Range::Truth,
            Self::Tos => Range::Within(0, 255),
            Self::MulticastTtl => Range::Octet,
            Self::Ttl => Range::Within(1, 255),
            Self::MulticastInterface
            | Self::MulticastInterface6
            | Self::UnicastInterface
            | Self::UnicastInterface6 => Range::Within(0, u32::MAX),
            Self::MtuDiscover | Self::MtuDiscover6 => Range::Within(0, 3),
            Self::Traffic6 => Range::WithinOrDefault(0, 255),
            Self::UnicastHops6 => Range::WithinOrDefault(1, 255),
            Self::MulticastHops6 => Range::WithinOrDefault(0, 255),
            Self::KeepIdle | Self::KeepInterval => Range::Within(1, KEEP_MAX),
            Self::KeepCount => Range::Within(1, 255),
            Self::MaxRetry => Range::WithinOrDefault(0, RETRY_MAX / 1000),
            Self::MaxRetryMs => Range::WithinOrDefault(0, RETRY_MAX),
        }
    }

    /// What it is where the program has set nothing: what this kernel does.
    pub(super) const fn default(self) -> u32 {
        match self {
            Self::Ttl | Self::UnicastHops6 => 64,
            Self::MulticastTtl
            | Self::MulticastHops6
            | Self::MulticastLoop
            | Self::MulticastLoop6 => 1,
            Self::KeepIdle => 7200,
            Self::KeepCount => 9,
            Self::KeepInterval => 75,
            _ => 0,
        }
    }

    /// The value in what a program gave.
    ///
    /// # Errors
    /// WSAEFAULT when it is too short, WSAEINVAL when it is out of range.
    pub(super) fn read(self, value: &[u8]) -> Result<u32, NtStatus> {
        let (least, most, value) = match self.range() {
            Range::Truth => return boolean(value).map(u32::from),
            Range::Octet if value.len() < 4 => {
                return value.first().map(|&octet| octet.into()).ok_or(NtStatus::ACCESS_VIOLATION);
            }
            Range::Octet => (0, 255, dword(value)?),
            Range::Within(least, most) => (least, most, dword(value)?),
            Range::WithinOrDefault(least, most) => match dword(value)? {
                FOR_EVER => return Ok(FOR_EVER),
                value => (least, most, value),
            },
        };
        if (least..=most).contains(&value) { Ok(value) } else { Err(NtStatus::INVALID_PARAMETER) }
    }

    /// Tells a descriptor. One of the other family does not have the option: an IPv6 socket's
    /// connection to an IPv4 address is one over IPv4.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub(super) fn apply(self, fd: BorrowedFd<'_>, value: u32) -> Result<(), NtStatus> {
        match self.tell(fd, value) {
            Err(Errno::NOPROTOOPT) => Ok(()),
            told => told.map_err(status_of),
        }
    }

    fn tell(self, fd: BorrowedFd<'_>, value: u32) -> io::Result<()> {
        let low = value.to_le_bytes()[0];
        let on = value != 0;
        let given = (value != FOR_EVER).then_some(low);
        let seconds = Duration::from_secs(value.into());
        match self {
            Self::Tos => sockopt::set_ip_tos(fd, low),
            Self::Ttl => sockopt::set_ip_ttl(fd, value),
            Self::MulticastInterface => match Interface::of(value) {
                Interface::Address(address) => sockopt::set_ip_multicast_if(fd, &address),
                Interface::Index(index) => {
                    let any = Ipv4Addr::UNSPECIFIED;
                    sockopt::set_ip_multicast_if_with_ifindex(fd, &any, &any, index)
                }
            },
            Self::MulticastTtl => sockopt::set_ip_multicast_ttl(fd, value),
            Self::MulticastLoop => sockopt::set_ip_multicast_loop(fd, on),
            // Off is what the kernel does otherwise: it finds out what passes unfragmented.
            Self::DontFragment => sockopt::set_ip_mtu_discover(
                fd,
                if on { Ipv4PathMtuDiscovery::DO } else { Ipv4PathMtuDiscovery::WANT },
            ),
            Self::DontFragment6 => sockopt::set_ipv6_mtu_discover(
                fd,
                if on { Ipv6PathMtuDiscovery::DO } else { Ipv6PathMtuDiscovery::WANT },
            ),
            Self::PacketInfo => sys::set_option(fd, IntOption::TellsWhere, on.into()),
            Self::PacketInfo6 => sys::set_option(fd, IntOption::TellsWhere6, on.into()),
            Self::TellsHops => sys::set_option(fd, IntOption::TellsHops, on.into()),
            Self::TellsHops6 => sys::set_option(fd, IntOption::TellsHops6, on.into()),
            Self::TellsTraffic => sys::set_option(fd, IntOption::TellsTraffic, on.into()),
            Self::TellsTraffic6 => sys::set_option(fd, IntOption::TellsTraffic6, on.into()),
            Self::Traffic6 => sys::set_option(fd, IntOption::Traffic6, value.cast_signed()),
            // In network order, as Windows has it.
            Self::UnicastInterface => {
                sys::set_option(fd, IntOption::Interface, value.cast_signed())
            }
            // Windows has the machine's order here, the kernel that of the network.
            Self::UnicastInterface6 => {
                sys::set_option(fd, IntOption::Interface6, value.to_be().cast_signed())
            }
            Self::MtuDiscover => sockopt::set_ip_mtu_discover(fd, discovery(value)),
            Self::MtuDiscover6 => sockopt::set_ipv6_mtu_discover(fd, discovery6(value)),
            Self::UnicastHops6 => sockopt::set_ipv6_unicast_hops(fd, given),
            Self::MulticastInterface6 => sockopt::set_ipv6_multicast_if(fd, value),
            Self::MulticastHops6 => sockopt::set_ipv6_multicast_hops(fd, given.unwrap_or(1).into()),
            Self::MulticastLoop6 => sockopt::set_ipv6_multicast_loop(fd, on),
            Self::KeepIdle => sockopt::set_tcp_keepidle(fd, seconds),
            Self::KeepInterval => sockopt::set_tcp_keepintvl(fd, seconds),
            // The kernel counts to 127.
            Self::KeepCount => sockopt::set_tcp_keepcnt(fd, value.min(127)),
            Self::MaxRetry => {
                sockopt::set_tcp_user_timeout(fd, value.saturating_mul(1000).min(RETRY_MAX))
            }
            Self::MaxRetryMs => sockopt::set_tcp_user_timeout(fd, value.min(RETRY_MAX)),
            // It only saves time, where the kernel and the peer will; a connected descriptor has no
            // more use for it and refuses.
            Self::FastOpen => {
                let _ = sys::set_option(fd, IntOption::FastOpen, value.cast_signed());
                Ok(())
            }
            Self::RandomizePort | Self::PortScalability => Ok(()),
            Self::ReuseUnicastPort => sys::set_option(fd, IntOption::LatePort, on.into()),
        }
    }
}

/// What the kernel calls IP_PMTUDISC_*.
const fn discovery(value: u32) -> Ipv4PathMtuDiscovery {
    match value {
        1 => Ipv4PathMtuDiscovery::DO,
        2 => Ipv4PathMtuDiscovery::DONT,
        3 => Ipv4PathMtuDiscovery::PROBE,
        _ => Ipv4PathMtuDiscovery::WANT,
    }
}

/// The same, over IPv6.
const fn discovery6(value: u32) -> Ipv6PathMtuDiscovery {
    match value {
        1 => Ipv6PathMtuDiscovery::DO,
        2 => Ipv6PathMtuDiscovery::DONT,
        3 => Ipv6PathMtuDiscovery::PROBE,
        _ => Ipv6PathMtuDiscovery::WANT,
    }
}

/// A network interface, as IPv4's options name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interface {
    Address(Ipv4Addr),
    Index(u32),
}

impl Interface {
    /// Four octets in network order: an address, or the interface's index if the first is 0
    /// (IPPROTO_IP socket options page); the address 0 is the system's choice.
    pub(super) fn of(value: u32) -> Self {
        match Ipv4Addr::from(value.to_ne_bytes()) {
            Ipv4Addr::UNSPECIFIED => Self::Address(Ipv4Addr::UNSPECIFIED),
            address if address.octets()[0] == 0 => Self::Index(address.to_bits()),
            address => Self::Address(address),
        }
    }
}

/// What a program has set of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Numbers(pub(super) Vec<(Number, u32)>);

impl Numbers {
    pub(super) const NONE: Self = Self(Vec::new());

    pub(super) fn get(&self, number: Number) -> u32 {
        let set = self.0.iter().find(|(set, _)| *set == number);
        set.map_or_else(|| number.default(), |(_, value)| *value)
    }

    pub(super) fn set(&mut self, number: Number, value: u32) {
        // What was set last is told last: two of them may mean the same to the kernel.
        self.0.retain(|(set, _)| *set != number);
        self.0.push((number, value));
    }

    /// Takes over a listener's, except what was set here.
    pub(super) fn inherit(&mut self, listener: Self) {
        let own = std::mem::replace(self, listener);
        for (number, value) in own.0 {
            self.set(number, value);
        }
    }

    /// Those that a listener has not, or has otherwise.
    pub(super) fn beyond(&self, listener: &Self) -> Self {
        Self(self.0.iter().copied().filter(|set| !listener.0.contains(set)).collect())
    }

    /// Tells a descriptor all of them.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub(super) fn apply(&self, fd: BorrowedFd<'_>) -> Result<(), NtStatus> {
        self.0.iter().try_for_each(|(number, value)| number.apply(fd, *value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// IPPROTO_IP socket options page, IP_MULTICAST_IF: "0.0.0.0/8 is an interface index".
    #[test]
    fn an_interface_is_an_address_or_an_index() {
        let of = |octets: [u8; 4]| Interface::of(u32::from_ne_bytes(octets));
        assert_eq!(of([0, 0, 0, 0]), Interface::Address(Ipv4Addr::UNSPECIFIED));
        assert_eq!(of([127, 0, 0, 1]), Interface::Address(Ipv4Addr::LOCALHOST));
        assert_eq!(of([0, 0, 1, 2]), Interface::Index(258));
    }

    #[test]
    fn a_listeners_numbers_are_taken_over_unless_set() {
        let mut listener = Numbers::NONE;
        listener.set(Number::Ttl, 7);
        listener.set(Number::Tos, 8);
        let mut own = Numbers::NONE;
        own.set(Number::Ttl, 9);
        own.inherit(listener.clone());
        assert_eq!([own.get(Number::Ttl), own.get(Number::Tos)], [9, 8]);
        assert_eq!(own.beyond(&listener).0, [(Number::Ttl, 9)]);
        assert_eq!(listener.beyond(&listener), Numbers::NONE);
    }

    /// The kernel has what it was told, and a socket of the other family is left alone.
    #[test]
    fn the_kernel_is_told() {
        use std::os::fd::AsFd;

        use rustix::net::{AddressFamily, SocketType, socket};

        let make = |family, kind| socket(family, kind, None).unwrap();
        let tcp = make(AddressFamily::INET, SocketType::STREAM);
        let udp = make(AddressFamily::INET, SocketType::DGRAM);
        let udp6 = make(AddressFamily::INET6, SocketType::DGRAM);
        let tell = |fd: &std::os::fd::OwnedFd, number: Number, value| {
            number.apply(fd.as_fd(), value).unwrap();
        };
        let milliseconds = sockopt::tcp_user_timeout::<&std::os::fd::OwnedFd>;
        let seconds = |time: io::Result<Duration>| time.unwrap().as_secs();
        tell(&tcp, Number::Ttl, 7);
        tell(&tcp, Number::Tos, 0x10);
        tell(&tcp, Number::UnicastHops6, 9);
        assert_eq!(sockopt::ip_ttl(&tcp), Ok(7));
        assert_eq!(sockopt::ip_tos(&tcp), Ok(0x10));
        tell(&tcp, Number::KeepIdle, 30);
        tell(&tcp, Number::KeepInterval, 3);
        tell(&tcp, Number::KeepCount, 200);
        assert_eq!(seconds(sockopt::tcp_keepidle(&tcp)), 30);
        assert_eq!(seconds(sockopt::tcp_keepintvl(&tcp)), 3);
        assert_eq!(sockopt::tcp_keepcnt(&tcp), Ok(127));
        for (number, value, ms) in [
            (Number::MaxRetry, 20, 20_000),
            (Number::MaxRetry, FOR_EVER, RETRY_MAX),
            (Number::MaxRetryMs, 1500, 1500),
        ] {
            tell(&tcp, number, value);
            assert_eq!(milliseconds(&tcp), Ok(ms));
        }
        for (value, kernels) in [(1, Ipv4PathMtuDiscovery::DO), (0, Ipv4PathMtuDiscovery::WANT)] {
            tell(&udp, Number::DontFragment, value);
            assert_eq!(sockopt::ip_mtu_discover(&udp), Ok(kernels));
        }
        for (value, kernels) in [(1, Ipv6PathMtuDiscovery::DO), (0, Ipv6PathMtuDiscovery::WANT)] {
            tell(&udp6, Number::DontFragment6, value);
            assert_eq!(sockopt::ipv6_mtu_discover(&udp6), Ok(kernels));
        }
        path_discovery_is_told(&udp, &udp6);
        tell(&udp, Number::MulticastTtl, 3);
        tell(&udp, Number::MulticastLoop, 0);
        assert_eq!(sockopt::ip_multicast_ttl(&udp), Ok(3));
        assert_eq!(sockopt::ip_multicast_loop(&udp), Ok(false));
        tell(&udp6, Number::UnicastHops6, 9);
        tell(&udp6, Number::MulticastHops6, 4);
        tell(&udp6, Number::MulticastLoop6, 0);
        assert_eq!(sockopt::ipv6_unicast_hops(&udp6), Ok(9));
        assert_eq!(sockopt::ipv6_multicast_hops(&udp6), Ok(4));
        assert_eq!(sockopt::ipv6_multicast_loop(&udp6), Ok(false));
        tell(&udp6, Number::UnicastHops6, FOR_EVER);
        assert_eq!(sockopt::ipv6_unicast_hops(&udp6), Ok(64));
    }

    /// PMTUD_STATE of ws2ipdef.h: not set, do, do not, probe.
    fn path_discovery_is_told(udp: &std::os::fd::OwnedFd, udp6: &std::os::fd::OwnedFd) {
        use std::os::fd::AsFd;

        let [v4, v6] = [udp, udp6].map(AsFd::as_fd);
        for (value, kernels) in [
            (1, Ipv4PathMtuDiscovery::DO),
            (2, Ipv4PathMtuDiscovery::DONT),
            (3, Ipv4PathMtuDiscovery::PROBE),
            (0, Ipv4PathMtuDiscovery::WANT),
        ] {
            Number::MtuDiscover.apply(v4, value).unwrap();
            assert_eq!(sockopt::ip_mtu_discover(v4), Ok(kernels));
        }
        for (value, kernels) in [
            (1, Ipv6PathMtuDiscovery::DO),
            (2, Ipv6PathMtuDiscovery::DONT),
            (3, Ipv6PathMtuDiscovery::PROBE),
            (0, Ipv6PathMtuDiscovery::WANT),
        ] {
            Number::MtuDiscover6.apply(v6, value).unwrap();
            assert_eq!(sockopt::ipv6_mtu_discover(v6), Ok(kernels));
        }
    }

    #[test]
    fn values_have_their_range() {
        for (number, least, most) in [
            (Number::Ttl, 1, 255),
            (Number::Tos, 0, 255),
            (Number::KeepIdle, 1, 32_767),
            (Number::KeepCount, 1, 255),
            (Number::MaxRetry, 0, 2_147_483),
        ] {
            let read = |value: u32| number.read(&value.to_ne_bytes());
            assert_eq!((read(least), read(most)), (Ok(least), Ok(most)), "{number:?}");
            assert_eq!(read(most + 1), Err(NtStatus::INVALID_PARAMETER), "{number:?}");
            if let Some(below) = least.checked_sub(1) {
                assert_eq!(read(below), Err(NtStatus::INVALID_PARAMETER), "{number:?}");
            }
            assert_eq!(number.read(&[1]), Err(NtStatus::ACCESS_VIOLATION), "{number:?}");
        }
        assert_eq!(Number::MaxRetry.read(&[0xFF; 4]), Ok(FOR_EVER));
        assert_eq!(Number::Ttl.read(&[0xFF; 4]), Err(NtStatus::INVALID_PARAMETER));
        assert_eq!(Number::MulticastLoop.read(&[2]), Ok(1));
    }
}

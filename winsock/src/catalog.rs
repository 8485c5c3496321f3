//! The protocol catalog: the providers, and what WSAPROTOCOL_INFO says of each.
//!
//! The flags tell what the provider does, and each is kept by a test. Source of the numbers:
//! winsock-semantics 6.5 and 6.6, and the WSAPROTOCOL_INFO page.

use linsock_iocp::afd::address::{Domain, Family};

use crate::transport::iso::connection;
use crate::transport::iso::tpdu::Class;

/// XP1_GUARANTEED_DELIVERY, XP1_GUARANTEED_ORDER, XP1_GRACEFUL_CLOSE, XP1_IFS_HANDLES: a stream. No
/// CONNECT_DATA, no DISCONNECT_DATA: neither TCP nor AF_UNIX has them.
const STREAM_SERVICE: u32 = 0x2_0026;
/// XP1_GUARANTEED_DELIVERY, XP1_GUARANTEED_ORDER, XP1_MESSAGE_ORIENTED, XP1_GRACEFUL_CLOSE,
/// XP1_CONNECT_DATA, XP1_PARTIAL_MESSAGE. Graceful: what was sent is delivered first; there is no
/// half-open state. No XP1_IFS_HANDLES: the state is not the kernel's.
const MESSAGE_SERVICE: u32 = 0x4_00AE;
/// XP1_DISCONNECT_DATA.
const DISCONNECT_DATA: u32 = 0x100;
/// XP1_EXPEDITED_DATA.
const EXPEDITED_DATA: u32 = 0x40;
/// XP1_CONNECTIONLESS, XP1_MESSAGE_ORIENTED, XP1_SUPPORT_BROADCAST, XP1_SUPPORT_MULTIPOINT,
/// XP1_IFS_HANDLES.
const DATAGRAM_SERVICE: u32 = 0x2_0609;
/// The longest datagram over IPv4: 65,535 octets less the headers of IP and UDP. (Windows' catalog
/// says 65,467 or 65,527, neither of which is what can be sent.)
pub const DATAGRAM_MAX: u32 = 65_507;
/// The longest message of ISO transport that linsock takes: its cap on a TSDU.
const MESSAGE_MAX: u32 = 1 << 20;
const _: () = assert!(MESSAGE_MAX as usize == connection::MESSAGE_MAX);
/// PFL_MATCHES_PROTOCOL_ZERO.
const MATCHES_PROTOCOL_ZERO: u32 = 8;
/// Characters of `szProtocol`.
const NAME_MAX: usize = 256;

/// SOCK_STREAM.
pub const SOCK_STREAM: i32 = 1;
/// SOCK_DGRAM.
pub const SOCK_DGRAM: i32 = 2;
/// SOCK_SEQPACKET.
pub const SOCK_SEQPACKET: i32 = 5;
const ISOPROTO_TP0: i32 = 25;
const ISOPROTO_TP2: i32 = 27;
const IPPROTO_TCP: i32 = 6;
const IPPROTO_UDP: i32 = 17;

/// A transport provider: what carries a socket's traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provider {
    /// TCP.
    Tcp(Family),
    /// UDP.
    Udp(Family),
    /// Streams between processes of this host.
    Unix,
    /// ISO transport over TCP.
    Iso(Class),
}

/// All of them, in the order of their catalog ids.
pub const PROVIDERS: [Provider; 7] = [
    Provider::Tcp(Family::Inet),
    Provider::Udp(Family::Inet),
    Provider::Tcp(Family::Inet6),
    Provider::Udp(Family::Inet6),
    Provider::Unix,
    Provider::Iso(Class::Two),
    Provider::Iso(Class::Zero),
];

/// Why numbers name no provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// No family, type or protocol at all.
    Nothing,
    /// The address family.
    Family,
    /// A type that no provider has.
    Type,
    /// The type and the protocol do not go together.
    Protocol,
}

impl Provider {
    /// The provider for an address family, a socket type and a protocol, as `socket` takes them: 0
    /// means "whatever fits".
    ///
    /// # Errors
    /// By the rules of `test_WSASocket`.
    pub fn find(family: i32, socket_type: i32, protocol: i32) -> Result<Self, Unknown> {
        // test_WSASocket: the family 0 goes with a protocol or type that has one of its own.
        let family = if family == 0 && (socket_type != 0 || protocol != 0) { 2 } else { family };
        if family == 0 {
            return Err(Unknown::Nothing);
        }
        let domain = Domain::from_number(family).ok_or(Unknown::Family)?;
        match (domain, socket_type, protocol) {
            (Domain::Ip(family), 0 | SOCK_STREAM, 0 | IPPROTO_TCP) => Ok(Self::Tcp(family)),
            (Domain::Ip(family), SOCK_DGRAM, 0 | IPPROTO_UDP)
            | (Domain::Ip(family), 0, IPPROTO_UDP) => Ok(Self::Udp(family)),
            (Domain::Ip(_), 0 | SOCK_STREAM | SOCK_DGRAM, _) => Err(Unknown::Protocol),
            (Domain::Unix, 0 | SOCK_STREAM, 0) => Ok(Self::Unix),
            (Domain::Unix, 0 | SOCK_STREAM, _) => Err(Unknown::Protocol),
            (Domain::Iso, 0 | SOCK_SEQPACKET, 0 | ISOPROTO_TP2) => Ok(Self::Iso(Class::Two)),
            (Domain::Iso, 0 | SOCK_SEQPACKET, ISOPROTO_TP0) => Ok(Self::Iso(Class::Zero)),
            (Domain::Iso, 0 | SOCK_SEQPACKET, _) => Err(Unknown::Protocol),
            _ => Err(Unknown::Type),
        }
    }

    /// What its addresses look like.
    #[inline]
    pub const fn domain(self) -> Domain {
        match self {
            Self::Tcp(family) | Self::Udp(family) => Domain::Ip(family),
            Self::Unix => Domain::Unix,
            Self::Iso(_) => Domain::Iso,
        }
    }

    /// Whether it is ISO transport.
    #[inline]
    pub const fn is_iso(self) -> bool {
        matches!(self, Self::Iso(_))
    }

    /// Whether its sockets send datagrams: SOCK_DGRAM.
    #[inline]
    pub const fn is_datagram(self) -> bool {
        matches!(self, Self::Udp(_))
    }

    /// XP1 flags: what it does.
    pub const fn service(self) -> u32 {
        match self {
            Self::Tcp(_) => STREAM_SERVICE | EXPEDITED_DATA,
            Self::Udp(_) => DATAGRAM_SERVICE,
            Self::Unix => STREAM_SERVICE,
            Self::Iso(Class::Two) => MESSAGE_SERVICE | DISCONNECT_DATA,
            Self::Iso(Class::Zero) => MESSAGE_SERVICE,
        }
    }

    /// Whether it carries disconnect data.
    pub const fn has_disconnect_data(self) -> bool {
        self.service() & DISCONNECT_DATA != 0
    }

    /// Its number in the catalog.
    pub const fn id(self) -> u32 {
        match self {
            Self::Tcp(Family::Inet) => 1001,
            Self::Udp(Family::Inet) => 1002,
            Self::Tcp(Family::Inet6) => 1004,
            Self::Udp(Family::Inet6) => 1005,
            Self::Unix => 1007,
            Self::Iso(Class::Two) => 1008,
            Self::Iso(Class::Zero) => 1009,
        }
    }

    /// SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET.
    pub const fn socket_type(self) -> i32 {
        match self {
            Self::Tcp(_) | Self::Unix => SOCK_STREAM,
            Self::Udp(_) => SOCK_DGRAM,
            Self::Iso(_) => SOCK_SEQPACKET,
        }
    }

    /// The protocol's number; 0 where there is but one.
    pub const fn protocol(self) -> i32 {
        match self {
            Self::Tcp(_) => IPPROTO_TCP,
            Self::Udp(_) => IPPROTO_UDP,
            Self::Unix => 0,
            Self::Iso(Class::Two) => ISOPROTO_TP2,
            Self::Iso(Class::Zero) => ISOPROTO_TP0,
        }
    }

    /// The longest message in octets; 0 for a stream.
    pub const fn message_size(self) -> u32 {
        match self {
            Self::Tcp(_) | Self::Unix => 0,
            Self::Udp(_) => DATAGRAM_MAX,
            Self::Iso(_) => MESSAGE_MAX,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp(Family::Inet) => "linsock TCP/IP",
            Self::Udp(Family::Inet) => "linsock UDP/IP",
            Self::Tcp(Family::Inet6) => "linsock TCP/IPv6",
            Self::Udp(Family::Inet6) => "linsock UDP/IPv6",
            Self::Unix => "linsock AF_UNIX",
            Self::Iso(Class::Two) => "linsock ISO TP2/TCP",
            Self::Iso(Class::Zero) => "linsock ISO TP0/TCP",
        }
    }

    /// linsock's own GUIDs, not Microsoft's: one for each stack.
    const fn guid(self) -> [u8; 16] {
        match self {
            Self::Tcp(Family::Inet) | Self::Udp(Family::Inet) => *b"linsock-tcp/v4\0\0",
            Self::Tcp(Family::Inet6) | Self::Udp(Family::Inet6) => *b"linsock-tcp/v6\0\0",
            Self::Unix => *b"linsock-afunix\0\0",
            Self::Iso(_) => *b"linsock-iso-tcp\0",
        }
    }

    /// WSAPROTOCOL_INFOW: 628 octets.
    pub fn info_wide(self) -> Vec<u8> {
        let mut octets = self.info_head();
        let name: Vec<u8> = self.name().encode_utf16().flat_map(u16::to_le_bytes).collect();
        octets.extend(name);
        octets.resize(116 + NAME_MAX * 2, 0);
        octets
    }

    /// WSAPROTOCOL_INFOA: 372 octets.
    pub fn info_narrow(self) -> Vec<u8> {
        let mut octets = self.info_head();
        octets.extend(self.name().as_bytes());
        octets.resize(116 + NAME_MAX, 0);
        octets
    }

    fn info_head(self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(628);
        let domain = self.domain();
        let [most, least] = [domain.address_len(), domain.address_len_least()]
            .map(|len| u32::try_from(len).unwrap_or(0).to_le_bytes());
        for word in [self.service(), 0, 0, 0, MATCHES_PROTOCOL_ZERO] {
            octets.extend(word.to_le_bytes());
        }
        octets.extend(self.guid());
        octets.extend(self.id().to_le_bytes());
        // A chain of length 1: a base provider.
        octets.extend(1_u32.to_le_bytes());
        octets.resize(72, 0);
        octets.extend(2_u32.to_le_bytes());
        octets.extend(u32::from(domain.number()).to_le_bytes());
        octets.extend(most);
        octets.extend(least);
        octets.extend(self.socket_type().to_le_bytes());
        octets.extend(self.protocol().to_le_bytes());
        // Protocol offset, byte order, security: 0.
        octets.resize(108, 0);
        octets.extend(self.message_size().to_le_bytes());
        // Reserved: 0.
        octets.resize(116, 0);
        octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(info: &[u8], at: usize) -> u32 {
        u32::from_le_bytes(info[at..at + 4].try_into().unwrap())
    }

    /// Source: winsock-semantics 6.5 (sizes and offsets), 6.6 (values).
    #[test]
    fn the_entries_have_windows_layout() {
        for (family, number, len) in [(Family::Inet, 2, 16), (Family::Inet6, 23, 28)] {
            let tcp = Provider::Tcp(family);
            let (wide, narrow) = (tcp.info_wide(), tcp.info_narrow());
            assert_eq!((wide.len(), narrow.len()), (628, 372));
            let head = [0, 16, 40, 72].map(|at| word(&wide, at));
            assert_eq!(head, [0x20066, 8, 1, 2]);
            assert_eq!([76, 80, 84].map(|at| word(&wide, at)), [number, len, len]);
            assert_eq!([88, 92, 108].map(|at| word(&wide, at)), [1, 6, 0]);
            assert_eq!(wide[116..120], [b'l', 0, b'i', 0]);
            assert_eq!(narrow[116..119], *b"lin");

            let wide = Provider::Udp(family).info_wide();
            assert_eq!([0, 16, 76].map(|at| word(&wide, at)), [0x20609, 8, number]);
            assert_eq!([88, 92, 108].map(|at| word(&wide, at)), [2, 17, 65_507]);
        }
    }

    /// `afunix.h`: SOCKADDR_UN is 110 octets.
    #[test]
    fn a_unix_stream_is_a_stream_without_a_protocol_number() {
        let wide = Provider::Unix.info_wide();
        assert_eq!([0, 76, 80, 84].map(|at| word(&wide, at)), [0x20026, 1, 110, 2]);
        assert_eq!([88, 92, 108].map(|at| word(&wide, at)), [1, 0, 0]);
    }

    #[test]
    fn ids_are_unique_and_ascend() {
        let ids = PROVIDERS.map(Provider::id);
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    }

    /// Every entry is found again by its own numbers.
    #[test]
    fn an_entrys_numbers_find_it() {
        for provider in PROVIDERS {
            let family = i32::from(provider.domain().number());
            let found = Provider::find(family, provider.socket_type(), provider.protocol());
            assert_eq!(found, Ok(provider));
        }
    }
}

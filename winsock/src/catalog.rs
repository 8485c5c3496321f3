//! The protocol catalog: what WSAPROTOCOL_INFO says of each provider.
//!
//! Source of the numbers: winsock-semantics 6.5 and 6.6.

use linsock_iocp::afd::address::Family;

/// GUARANTEED_DELIVERY, GUARANTEED_ORDER, GRACEFUL_CLOSE, EXPEDITED_DATA, IFS_HANDLES. No
/// CONNECT_DATA, no DISCONNECT_DATA: TCP has neither.
const TCP_SERVICE: u32 = 0x2_0066;
/// CONNECTIONLESS, MESSAGE_ORIENTED, SUPPORT_BROADCAST, SUPPORT_MULTIPOINT, IFS_HANDLES.
const UDP_SERVICE: u32 = 0x2_0609;
/// The longest datagram over IPv4: 65,535 octets less the headers of IP and UDP. (Windows' catalog
/// says 65,467 or 65,527, neither of which is what can be sent.)
pub const DATAGRAM_MAX: u32 = 65_507;
/// PFL_MATCHES_PROTOCOL_ZERO.
const MATCHES_PROTOCOL_ZERO: u32 = 8;
/// Octets of `szProtocol`, in characters.
const NAME_MAX: usize = 256;

/// A catalog entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    service: u32,
    provider: u32,
    id: u32,
    family: Family,
    socket_type: i32,
    protocol: i32,
    /// 0 for a stream.
    message_size: u32,
    name: &'static str,
}

/// The entry of TCP over a family.
pub const fn tcp(family: Family) -> Entry {
    let (id, name) = match family {
        Family::Inet => (1001, "linsock TCP/IP"),
        Family::Inet6 => (1004, "linsock TCP/IPv6"),
    };
    Entry {
        service: TCP_SERVICE,
        provider: MATCHES_PROTOCOL_ZERO,
        id,
        family,
        socket_type: 1,
        protocol: 6,
        message_size: 0,
        name,
    }
}

/// The entry of UDP over a family.
pub const fn udp(family: Family) -> Entry {
    let (id, name) = match family {
        Family::Inet => (1002, "linsock UDP/IP"),
        Family::Inet6 => (1005, "linsock UDP/IPv6"),
    };
    Entry {
        service: UDP_SERVICE,
        provider: MATCHES_PROTOCOL_ZERO,
        id,
        family,
        socket_type: 2,
        protocol: 17,
        message_size: DATAGRAM_MAX,
        name,
    }
}

impl Entry {
    /// WSAPROTOCOL_INFOW: 628 octets.
    pub fn wide(&self) -> Vec<u8> {
        let mut octets = self.head();
        let name: Vec<u8> = self.name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        octets.extend(name);
        octets.resize(116 + NAME_MAX * 2, 0);
        octets
    }

    /// WSAPROTOCOL_INFOA: 372 octets.
    pub fn narrow(&self) -> Vec<u8> {
        let mut octets = self.head();
        octets.extend(self.name.as_bytes());
        octets.resize(116 + NAME_MAX, 0);
        octets
    }

    fn head(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(628);
        let address_len = u32::try_from(self.family.address_len()).unwrap_or(0);
        for word in [self.service, 0, 0, 0, self.provider] {
            octets.extend(word.to_le_bytes());
        }
        octets.extend(self.provider_id());
        octets.extend(self.id.to_le_bytes());
        // A chain of length 1: a base provider.
        octets.extend(1_u32.to_le_bytes());
        octets.resize(72, 0);
        octets.extend(2_u32.to_le_bytes());
        octets.extend(u32::from(self.family.number()).to_le_bytes());
        octets.extend(address_len.to_le_bytes());
        octets.extend(address_len.to_le_bytes());
        octets.extend(self.socket_type.to_le_bytes());
        octets.extend(self.protocol.to_le_bytes());
        // Protocol offset, byte order, security: 0.
        octets.resize(108, 0);
        octets.extend(self.message_size.to_le_bytes());
        // Reserved: 0.
        octets.resize(116, 0);
        octets
    }

    /// linsock's own provider, not Microsoft's: one GUID for each family.
    const fn provider_id(&self) -> [u8; 16] {
        match self.family {
            Family::Inet => *b"linsock-tcp/v4\0\0",
            Family::Inet6 => *b"linsock-tcp/v6\0\0",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: winsock-semantics 6.5 (sizes and offsets), 6.6 (values).
    #[test]
    fn the_entry_has_windows_layout() {
        for (family, number, len) in [(Family::Inet, 2, 16), (Family::Inet6, 23, 28)] {
            let (wide, narrow) = (tcp(family).wide(), tcp(family).narrow());
            assert_eq!((wide.len(), narrow.len()), (628, 372));
            let word = |at: usize| u32::from_le_bytes(wide[at..at + 4].try_into().unwrap());
            assert_eq!((word(0), word(16), word(40), word(72)), (0x20066, 8, 1, 2));
            assert_eq!((word(76), word(80), word(84)), (number, len, len));
            assert_eq!((word(88), word(92), word(108)), (1, 6, 0));
            assert_eq!(wide[116..120], [b'l', 0, b'i', 0]);
            assert_eq!(narrow[116..119], *b"lin");

            let wide = udp(family).wide();
            let word = |at: usize| u32::from_le_bytes(wide[at..at + 4].try_into().unwrap());
            assert_eq!((wide.len(), word(0), word(16), word(76)), (628, 0x20609, 8, number));
            assert_eq!((word(88), word(92), word(108)), (2, 17, 65_507));
        }
    }
}

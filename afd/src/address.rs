//! Socket addresses as Windows lays them out (`SOCKADDR_IN`, `SOCKADDR_IN6`), to and from
//! [`SocketAddr`].

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// An address family linsock's internet providers know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// `AF_INET`.
    Inet,
    /// `AF_INET6`.
    Inet6,
}

/// The largest address this module emits, in octets.
pub const ADDRESS_MAX: usize = 28;

impl Family {
    /// Windows' number (`AF_INET6` is 23 there, not Linux's 10).
    pub const fn number(self) -> u16 {
        match self {
            Self::Inet => 2,
            Self::Inet6 => 23,
        }
    }

    /// The family with this Windows number.
    pub const fn from_number(number: i32) -> Option<Self> {
        match number {
            2 => Some(Self::Inet),
            23 => Some(Self::Inet6),
            _ => None,
        }
    }

    /// Octets of this family's sockaddr.
    pub const fn address_len(self) -> usize {
        match self {
            Self::Inet => 16,
            Self::Inet6 => ADDRESS_MAX,
        }
    }

    /// The wildcard address with port 0.
    pub const fn unspecified(self) -> SocketAddr {
        match self {
            Self::Inet => SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0)),
            Self::Inet6 => SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, 0, 0, 0)),
        }
    }

    /// The family of an address.
    pub const fn of(address: &SocketAddr) -> Self {
        match address {
            SocketAddr::V4(_) => Self::Inet,
            SocketAddr::V6(_) => Self::Inet6,
        }
    }
}

/// Why octets are not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// Shorter than the family's sockaddr: WSAEFAULT (documented general meaning of that error).
    TooShort,
    /// A family that is not the socket's: WSAEAFNOSUPPORT.
    WrongFamily,
}

/// Reads the sockaddr of `family` from the front of `octets`.
///
/// # Errors
/// [`AddressError::TooShort`] is judged before [`AddressError::WrongFamily`].
pub fn parse(family: Family, octets: &[u8]) -> Result<SocketAddr, AddressError> {
    let Some(octets) = octets.get(..family.address_len()) else {
        return Err(AddressError::TooShort);
    };
    if u16::from_le_bytes([octets[0], octets[1]]) != family.number() {
        return Err(AddressError::WrongFamily);
    }
    let port = u16::from_be_bytes([octets[2], octets[3]]);
    let word = |at: usize| [octets[at], octets[at + 1], octets[at + 2], octets[at + 3]];
    Ok(match family {
        Family::Inet => SocketAddrV4::new(Ipv4Addr::from(word(4)), port).into(),
        Family::Inet6 => {
            let mut ip = [0; 16];
            ip.copy_from_slice(&octets[8..24]);
            let flow = u32::from_be_bytes(word(4));
            let scope = u32::from_le_bytes(word(24));
            SocketAddrV6::new(Ipv6Addr::from(ip), port, flow, scope).into()
        }
    })
}

/// Writes the sockaddr of `address`; returns the octets and how many of them count.
pub fn emit(address: &SocketAddr) -> ([u8; ADDRESS_MAX], usize) {
    let mut octets = [0; ADDRESS_MAX];
    let family = Family::of(address);
    octets[..2].copy_from_slice(&family.number().to_le_bytes());
    octets[2..4].copy_from_slice(&address.port().to_be_bytes());
    match address.ip() {
        IpAddr::V4(ip) => octets[4..8].copy_from_slice(&ip.octets()),
        IpAddr::V6(ip) => octets[8..24].copy_from_slice(&ip.octets()),
    }
    if let SocketAddr::V6(v6) = address {
        octets[4..8].copy_from_slice(&v6.flowinfo().to_be_bytes());
        octets[24..28].copy_from_slice(&v6.scope_id().to_le_bytes());
    }
    (octets, family.address_len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_the_round_trip() {
        for text in ["127.0.0.1:80", "255.1.2.3:65535", "[::1]:9", "[fe80::1%7]:443"] {
            let address: SocketAddr = text.parse().unwrap();
            let (octets, len) = emit(&address);
            assert_eq!(parse(Family::of(&address), &octets[..len]), Ok(address));
        }
    }

    #[test]
    fn short_and_foreign_addresses_are_told_apart() {
        let (octets, len) = emit(&"127.0.0.1:80".parse().unwrap());
        assert_eq!(parse(Family::Inet, &octets[..len - 1]), Err(AddressError::TooShort));
        assert_eq!(parse(Family::Inet6, &octets[..len]), Err(AddressError::TooShort));
        assert_eq!(parse(Family::Inet6, &octets), Err(AddressError::WrongFamily));
    }
}

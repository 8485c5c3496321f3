//! Socket addresses as Windows lays them out (`SOCKADDR_IN`, `SOCKADDR_IN6`, `SOCKADDR_UN`,
//! `SOCKADDR_TP`), to and from [`Address`].

mod transport;

use alloc::boxed::Box;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

pub use transport::{ISO_PORT, SELECTOR_MAX, TRANSPORT_ADDRESS_LEN, TransportAddress};

/// An address family of the internet providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// `AF_INET`.
    Inet,
    /// `AF_INET6`.
    Inet6,
}

/// The largest sockaddr of the internet families, in octets.
pub const INET_MAX: usize = 28;
/// The largest sockaddr of any family, in octets.
pub const ADDRESS_MAX: usize = 2 + PATH_MAX;
/// `UNIX_PATH_MAX`: octets of a `sun_path`.
pub const PATH_MAX: usize = 108;

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
            Self::Inet6 => INET_MAX,
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

/// What the addresses of a socket look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Domain {
    /// An internet address and a port.
    Ip(Family),
    /// A path: `AF_UNIX`.
    Unix,
    /// A transport selector at an internet address: `AF_ISO`.
    Iso,
}

impl Domain {
    /// Windows' number of the address family.
    pub const fn number(self) -> u16 {
        match self {
            Self::Ip(family) => family.number(),
            Self::Unix => 1,
            Self::Iso => 7,
        }
    }

    /// The domain with this Windows number.
    pub const fn from_number(number: i32) -> Option<Self> {
        match number {
            1 => Some(Self::Unix),
            7 => Some(Self::Iso),
            _ => match Family::from_number(number) {
                Some(family) => Some(Self::Ip(family)),
                None => None,
            },
        }
    }

    /// Octets of this domain's largest sockaddr.
    pub const fn address_len(self) -> usize {
        match self {
            Self::Ip(family) => family.address_len(),
            Self::Unix => ADDRESS_MAX,
            Self::Iso => TRANSPORT_ADDRESS_LEN,
        }
    }

    /// Octets of this domain's smallest sockaddr.
    pub const fn address_len_least(self) -> usize {
        match self {
            Self::Ip(family) => family.address_len(),
            Self::Unix => 2,
            Self::Iso => 8,
        }
    }

    /// The address of nobody.
    pub fn unspecified(self) -> Address {
        match self {
            Self::Ip(family) => Address::Ip(family.unspecified()),
            Self::Unix => Address::Unix(UnixPath::default()),
            Self::Iso => {
                let host = Family::Inet.unspecified();
                TransportAddress::new(host, &[]).map_or(Address::Ip(host), Address::from)
            }
        }
    }
}

/// The address of a socket, of any domain.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// An internet address and a port.
    Ip(SocketAddr),
    /// A path.
    Unix(UnixPath),
    /// A selector at an internet address.
    Iso(Box<TransportAddress>),
}

/// The path of an `AF_UNIX` address: at most [`PATH_MAX`] octets. Without any it names nobody; one
/// that begins with NUL is in Linux' abstract namespace; any other is a file's, which has a NUL
/// behind it that counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct UnixPath(Box<[u8]>);

impl UnixPath {
    /// The path in these octets; `None` when there are too many, or a NUL inside a file's path.
    pub fn new(octets: &[u8]) -> Option<Self> {
        let is_file = octets.first().is_some_and(|first| *first != 0);
        let most = if is_file { PATH_MAX - 1 } else { PATH_MAX };
        let fits = octets.len() <= most && !(is_file && octets.contains(&0));
        fits.then(|| Self(octets.into()))
    }

    /// The octets, without a NUL behind them.
    pub const fn octets(&self) -> &[u8] {
        &self.0
    }

    /// Whether it names nobody.
    pub const fn is_unnamed(&self) -> bool {
        self.0.is_empty()
    }
}

impl Address {
    /// The domain it is of.
    pub const fn domain(&self) -> Domain {
        match self {
            Self::Ip(address) => Domain::Ip(Family::of(address)),
            Self::Unix(_) => Domain::Unix,
            Self::Iso(_) => Domain::Iso,
        }
    }

    /// The internet address, if it is one, or that of the host of a transport address.
    pub const fn ip(&self) -> Option<SocketAddr> {
        match self {
            Self::Ip(address) => Some(*address),
            Self::Iso(address) => Some(address.host()),
            Self::Unix(_) => None,
        }
    }

    /// The domain of the connection that carries one to this address.
    pub const fn carrier(&self) -> Domain {
        match self.ip() {
            Some(address) => Domain::Ip(Family::of(&address)),
            None => Domain::Unix,
        }
    }

    /// Whether it leaves everything to the system: any address and port 0, or no path.
    pub fn is_anybody(&self) -> bool {
        match self {
            Self::Ip(address) => address.ip().is_unspecified() && address.port() == 0,
            Self::Unix(path) => path.is_unnamed(),
            Self::Iso(address) => Self::Ip(address.host()).is_anybody(),
        }
    }

    /// Whether it is one that a connection can be asked for.
    pub fn is_somebody(&self) -> bool {
        match self {
            Self::Ip(address) => !address.ip().is_unspecified() && address.port() != 0,
            Self::Unix(path) => !path.is_unnamed(),
            Self::Iso(address) => Self::Ip(address.host()).is_somebody(),
        }
    }

    /// Gives the sockaddr's octets to `to`.
    #[inline]
    pub fn with_octets<R>(&self, to: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Self::Ip(address) => {
                let (octets, len) = emit(address);
                to(&octets[..len])
            }
            Self::Iso(address) => to(&address.emit()),
            Self::Unix(path) => {
                let mut octets = [0; ADDRESS_MAX];
                octets[..2].copy_from_slice(&Domain::Unix.number().to_le_bytes());
                let name = path.octets();
                octets[2..2 + name.len()].copy_from_slice(name);
                let end = usize::from(name.first().is_some_and(|first| *first != 0));
                to(&octets[..2 + name.len() + end])
            }
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Ip(address)
    }
}

impl From<TransportAddress> for Address {
    fn from(address: TransportAddress) -> Self {
        Self::Iso(Box::new(address))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Iso(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{}", path.octets().escape_ascii()),
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

/// Reads the sockaddr of `domain` from the front of `octets`.
///
/// # Errors
/// As [`parse`]; a path that cannot be one is [`AddressError::TooShort`] as well: WSAEFAULT.
pub fn parse_any(domain: Domain, octets: &[u8]) -> Result<Address, AddressError> {
    match domain {
        Domain::Ip(family) => return parse(family, octets).map(Address::Ip),
        Domain::Iso => return TransportAddress::parse(octets).map(Address::from),
        Domain::Unix => {}
    }
    let Some((number, path)) = octets.split_first_chunk() else {
        return Err(AddressError::TooShort);
    };
    if u16::from_le_bytes(*number) != domain.number() {
        return Err(AddressError::WrongFamily);
    }
    let path = &path[..path.len().min(PATH_MAX)];
    let path = match path {
        // An abstract name has the length that was given; but nothing but NULs is no name.
        [0, ..] if path.iter().all(|octet| *octet == 0) => &[],
        [0, ..] => path,
        _ => path.split(|octet| *octet == 0).next().unwrap_or(path),
    };
    UnixPath::new(path).map(Address::Unix).ok_or(AddressError::TooShort)
}

/// Writes the sockaddr of `address`; returns the octets and how many of them count.
pub fn emit(address: &SocketAddr) -> ([u8; INET_MAX], usize) {
    let mut octets = [0; INET_MAX];
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

    fn unix(octets: &[u8]) -> Address {
        Address::Unix(UnixPath::new(octets).unwrap())
    }

    fn iso(host: &str) -> Address {
        TransportAddress::new(host.parse().unwrap(), b"sel").unwrap().into()
    }

    fn ip(text: &str) -> Address {
        Address::Ip(text.parse().unwrap())
    }

    /// winsock2.h, afunix.h, wshisotp.h: AF_UNIX 1, AF_INET 2, AF_ISO 7, AF_INET6 23; the sizes of
    /// sockaddr_in, sockaddr_in6 and sockaddr_un, the family of sockaddr_un, and what precedes the
    /// selector of sockaddr_tp.
    #[test]
    fn domains_have_windows_numbers_and_sizes() {
        let (inet, inet6) = (Domain::Ip(Family::Inet), Domain::Ip(Family::Inet6));
        let rows = [
            (Domain::Unix, 1, 2, 110),
            (inet, 2, 16, 16),
            (Domain::Iso, 7, 8, TRANSPORT_ADDRESS_LEN),
            (inet6, 23, 28, 28),
        ];
        for (domain, number, least, most) in rows {
            assert_eq!(domain.number(), number);
            assert_eq!(Domain::from_number(number.into()), Some(domain));
            assert_eq!((domain.address_len_least(), domain.address_len()), (least, most));
        }
        for number in [-1, 0, 3, 10, 24] {
            assert_eq!(Domain::from_number(number), None, "{number}");
        }
    }

    /// Who is nobody, who is anybody, and who can be connected to.
    #[test]
    fn addresses_say_whom_they_name() {
        let rows = [
            // Address, host, anybody, somebody, text.
            (ip("0.0.0.0:0"), Some("0.0.0.0:0"), true, false, "0.0.0.0:0"),
            (ip("0.0.0.0:1"), Some("0.0.0.0:1"), false, false, "0.0.0.0:1"),
            (ip("127.0.0.1:0"), Some("127.0.0.1:0"), false, false, "127.0.0.1:0"),
            (ip("[::1]:9"), Some("[::1]:9"), false, true, "[::1]:9"),
            (unix(b""), None, true, false, ""),
            (unix(b"/tmp/s"), None, false, true, "/tmp/s"),
            (unix(b"\0name"), None, false, true, "\\x00name"),
        ];
        for (address, host, anybody, somebody, text) in rows {
            assert_eq!(address.ip(), host.map(|host| host.parse().unwrap()));
            assert_eq!(
                (address.is_anybody(), address.is_somebody()),
                (anybody, somebody),
                "{text}"
            );
            assert_eq!(alloc::format!("{address}"), text);
        }
        for (host, anybody, somebody) in [("0.0.0.0:0", true, false), ("[::1]:102", false, true)] {
            let address = iso(host);
            assert_eq!(address.ip(), Some(host.parse().unwrap()));
            assert_eq!((address.is_anybody(), address.is_somebody()), (anybody, somebody));
            assert!(alloc::format!("{address}").contains(host));
        }
        assert!(UnixPath::default().is_unnamed());
        assert!(!UnixPath::new(b"x").unwrap().is_unnamed());
    }

    /// afunix.h: a path of NULs is no name; one that begins with NUL and goes on is abstract.
    #[test]
    fn paths_end_where_they_end() {
        let parsed = |path: &[u8]| parse_any(Domain::Unix, &[&[1, 0], path].concat());
        assert_eq!(parsed(b""), Ok(unix(b"")));
        assert_eq!(parsed(b"\0\0\0"), Ok(unix(b"")));
        assert_eq!(parsed(b"\0ab\0"), Ok(unix(b"\0ab\0")));
        assert_eq!(parsed(b"/x\0rest"), Ok(unix(b"/x")));
        assert_eq!(parsed(&[b'x'; PATH_MAX]), Err(AddressError::TooShort), "no room for its NUL");
    }

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

    fn octets_of(address: &Address) -> alloc::vec::Vec<u8> {
        address.with_octets(<[u8]>::to_vec)
    }

    /// `afunix.h`: the family, then up to 108 octets of path.
    #[test]
    fn paths_survive_the_round_trip() {
        for path in [&b"/tmp/a"[..], b"", b"\0abstract", &[b'x'; PATH_MAX - 1]] {
            let address = Address::Unix(UnixPath::new(path).unwrap());
            let octets = octets_of(&address);
            assert_eq!(octets[..2], [1, 0]);
            assert!(octets.len() <= Domain::Unix.address_len());
            assert_eq!(parse_any(Domain::Unix, &octets), Ok(address));
        }
        let address = Address::Unix(UnixPath::new(b"/tmp/a").unwrap());
        assert_eq!(octets_of(&address), *b"\x01\0/tmp/a\0");
        // A whole SOCKADDR_UN with NULs behind the path is the usual argument.
        let mut whole = [0; ADDRESS_MAX];
        whole[..8].copy_from_slice(b"\x01\0/tmp/a");
        assert_eq!(parse_any(Domain::Unix, &whole), Ok(address));
        assert_eq!(parse_any(Domain::Unix, &whole[..1]), Err(AddressError::TooShort));
        whole[0] = 2;
        assert_eq!(parse_any(Domain::Unix, &whole), Err(AddressError::WrongFamily));
        assert_eq!(UnixPath::new(&[b'x'; PATH_MAX]), None);
        assert_eq!(UnixPath::new(b"a\0b"), None);
    }
}

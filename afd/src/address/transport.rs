//! Transport addresses of ISO sockets (`SOCKADDR_TP`): a transport selector and the internet
//! address that carries the connection.
//!
//! Forms of the network address: IPv4 with a port (RFC 1277), IPv6 and IPv4 on the port 102 (RFC
//! 4548), and, as `ISO_NON_HIERARCHICAL`, text of linsock's own, `selector@host:port`. Host byte
//! order, as `wshisotp.h` has it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::AddressError;

/// Octets of a `SOCKADDR_TP`.
pub const TRANSPORT_ADDRESS_LEN: usize = 72;
/// The port of ISO transport (RFC 1006).
pub const ISO_PORT: u16 = 102;
/// The longest transport selector.
pub const SELECTOR_MAX: usize = 32;

const FAMILY: u16 = 7;
/// Octets in front of `tp_addr`.
const HEAD: usize = 8;
const ADDRESS_ROOM: usize = 64;
const HIERARCHICAL: u16 = 0;
const NON_HIERARCHICAL: u16 = 1;
/// F.69 with the prefix that RFC 1277 gives to TCP/IP, and the DSP of RFC 1006.
const RFC_1277: [u8; 6] = [0x54, 0x00, 0x72, 0x87, 0x22, 0x03];
/// The ICP of RFC 4548: IPv6.
const ICP_IPV6: [u8; 3] = [0x35, 0, 0];
/// The ICP of RFC 4548: IPv4.
const ICP_IPV4: [u8; 3] = [0x35, 0, 1];
/// The transport set of RFC 1277: TCP.
const SET_TCP: u32 = 1;
/// The selector that RFC 2126 gives an NSAP of IPv6.
const NSAP_SELECTOR: u8 = 0x80;

/// A transport address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TransportAddress {
    host: SocketAddr,
    selector: Vec<u8>,
}

impl TransportAddress {
    /// The address of `selector` at `host`; `None` when the selector is longer than
    /// [`SELECTOR_MAX`].
    pub fn new(host: SocketAddr, selector: &[u8]) -> Option<Self> {
        (selector.len() <= SELECTOR_MAX).then(|| Self { host, selector: selector.to_vec() })
    }

    /// Where TCP goes.
    pub const fn host(&self) -> SocketAddr {
        self.host
    }

    /// The transport selector (TSAP-ID).
    pub fn selector(&self) -> &[u8] {
        &self.selector
    }

    /// Reads a `SOCKADDR_TP`, which may be cut behind the address.
    ///
    /// # Errors
    /// Too short for what it says, another family, or no address of TCP.
    pub fn parse(octets: &[u8]) -> Result<Self, AddressError> {
        let Some((head, room)) = octets.split_first_chunk::<HEAD>() else {
            return Err(AddressError::TooShort);
        };
        let word = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        if word(0) != FAMILY {
            return Err(AddressError::WrongFamily);
        }
        let (kind, whole, selector) = (word(2), usize::from(word(4)), usize::from(word(6)));
        let address = room.get(..whole).filter(|_| whole <= ADDRESS_ROOM);
        let address = address.ok_or(AddressError::TooShort)?;
        let (selector, network) =
            address.split_at_checked(selector).ok_or(AddressError::TooShort)?;
        let parsed = match kind {
            HIERARCHICAL => host_of(network).and_then(|host| Self::new(host, selector)),
            NON_HIERARCHICAL if selector.is_empty() => Self::from_text(network),
            _ => None,
        };
        parsed.ok_or(AddressError::TooShort)
    }

    /// Writes the `SOCKADDR_TP`.
    pub fn emit(&self) -> [u8; TRANSPORT_ADDRESS_LEN] {
        let (kind, selector, network) = match self.network() {
            Some(network) => (HIERARCHICAL, &self.selector[..], network),
            None => (NON_HIERARCHICAL, &[][..], self.text().into_bytes()),
        };
        let whole = selector.len() + network.len();
        let mut octets = [0; TRANSPORT_ADDRESS_LEN];
        for (at, word) in
            [usize::from(FAMILY), kind.into(), whole, selector.len()].into_iter().enumerate()
        {
            let word = u16::try_from(word).unwrap_or(0).to_le_bytes();
            octets[2 * at..2 * at + 2].copy_from_slice(&word);
        }
        octets[HEAD..HEAD + selector.len()].copy_from_slice(selector);
        octets[HEAD + selector.len()..HEAD + whole].copy_from_slice(&network);
        octets
    }

    /// The network address by the standards; `None` for IPv6 on another port than 102 that fits as
    /// text, for which there is none.
    fn network(&self) -> Option<Vec<u8>> {
        match self.host.ip() {
            IpAddr::V4(ip) => {
                let [a, b, c, d] = ip.octets();
                let port = self.host.port();
                let digits = format!("{a:03}{b:03}{c:03}{d:03}{port:05}{SET_TCP:05}");
                Some([&RFC_1277[..], &packed(&digits)].concat())
            }
            IpAddr::V6(_) if self.host.port() != ISO_PORT && self.text().len() <= ADDRESS_ROOM => {
                None
            }
            IpAddr::V6(ip) => Some([&ICP_IPV6[..], &ip.octets(), &[NSAP_SELECTOR]].concat()),
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let is_plain = |octet: &u8| octet.is_ascii_graphic() && !b"'@".contains(octet);
        if self.selector.iter().all(is_plain) {
            text.extend(self.selector.iter().map(|octet| char::from(*octet)));
        } else {
            text.push('\'');
            for octet in &self.selector {
                let _ = write!(text, "{octet:02X}");
            }
            text.push_str("'H");
        }
        if !self.selector.is_empty() {
            text.push('@');
        }
        let _ = write!(text, "{}", self.host);
        text
    }

    /// Reads `selector@host:port`; the port 102 and the selector may be left out.
    fn from_text(text: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(text).ok()?.trim_end_matches('\0');
        let (selector, host) = text.rsplit_once('@').unwrap_or(("", text));
        let selector = match selector.strip_prefix('\'') {
            Some(hex) => unhex(hex.strip_suffix("'H")?)?,
            None => selector.as_bytes().to_vec(),
        };
        let bare = |host: &str| host.parse().ok().map(|ip: IpAddr| SocketAddr::new(ip, ISO_PORT));
        let bracketed = host.trim_start_matches('[').trim_end_matches(']');
        let host = host.parse().ok().or_else(|| bare(bracketed))?;
        Self::new(host, &selector)
    }
}

impl fmt::Display for TransportAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// Where a network address leads; nothing at all is any IPv4 address of this host.
fn host_of(network: &[u8]) -> Option<SocketAddr> {
    let v4 = |octets: [u8; 4]| IpAddr::V4(Ipv4Addr::from(octets));
    if network.is_empty() {
        return Some(SocketAddr::new(v4([0; 4]), ISO_PORT));
    }
    if let Some(digits) = network.strip_prefix(&RFC_1277) {
        let number = |from: usize, to: usize| unpacked(digits, from, to);
        let mut ip = [0; 4];
        for (at, octet) in ip.iter_mut().enumerate() {
            *octet = u8::try_from(number(3 * at, 3 * at + 3)?).ok()?;
        }
        let port = match digits.len() {
            6 => ISO_PORT,
            _ if number(17, 22)? == SET_TCP => u16::try_from(number(12, 17)?).ok()?,
            _ => return None,
        };
        return Some(SocketAddr::new(v4(ip), port));
    }
    if let Some(rest) = network.strip_prefix(&ICP_IPV4) {
        return Some(SocketAddr::new(v4(*rest.first_chunk()?), ISO_PORT));
    }
    let rest = network.strip_prefix(&ICP_IPV6)?;
    let ip: [u8; 16] = *rest.first_chunk()?;
    Some(SocketAddr::new(IpAddr::V6(Ipv6Addr::from(ip)), ISO_PORT))
}

/// Decimal digits, two to an octet.
fn packed(digits: &str) -> Vec<u8> {
    let digit = |octet: u8| octet - b'0';
    digits.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn unpacked(packed: &[u8], from: usize, to: usize) -> Option<u32> {
    (from..to).try_fold(0, |number, at| {
        let octet = *packed.get(at / 2)?;
        let digit = if at % 2 == 0 { octet >> 4 } else { octet & 15 };
        (digit < 10).then(|| number * 10 + u32::from(digit))
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(host: &str, selector: &[u8]) -> TransportAddress {
        TransportAddress::new(host.parse().unwrap(), selector).unwrap()
    }

    /// disconnect-data 1.12: 10.0.0.6 port 102 by RFC 1277.
    #[test]
    fn ipv4_is_written_as_rfc_1277_has_it() {
        let octets = address("10.0.0.6:102", &[1, 0]).emit();
        assert_eq!(octets[..8], [7, 0, 0, 0, 19, 0, 2, 0]);
        let network = [0x54, 0, 0x72, 0x87, 0x22, 3, 1, 0, 0, 0, 0, 6, 0, 0x10, 0x20, 0, 1];
        assert_eq!(octets[8..10], [1, 0]);
        assert_eq!(octets[10..27], network);
    }

    #[test]
    fn addresses_survive_the_round_trip() {
        let hosts =
            ["10.0.0.6:102", "127.0.0.1:65535", "[::1]:102", "[::1]:4711", "[2001:db8::1]:1"];
        for host in hosts {
            for selector in [&b""[..], b"TSAP", &[1, 0], &[b'x'; 12]] {
                let address = address(host, selector);
                assert_eq!(
                    TransportAddress::parse(&address.emit()),
                    Ok(address.clone()),
                    "{address}"
                );
            }
        }
        let long = address("127.0.0.1:1", &[0xFF; SELECTOR_MAX]);
        assert_eq!(TransportAddress::parse(&long.emit()), Ok(long));
    }

    #[test]
    fn an_address_is_shown_as_it_may_be_written() {
        for (host, selector, text) in [
            ("10.0.0.6:102", &b"svc"[..], "svc@10.0.0.6:102"),
            ("[::1]:4711", &[1, 0], "'0100'H@[::1]:4711"),
            ("[::1]:4711", b"a@b", "'614062'H@[::1]:4711"),
            ("10.0.0.6:102", b"", "10.0.0.6:102"),
            ("10.0.0.6:1", &[0x5A, 0xF0], "'5AF0'H@10.0.0.6:1"),
        ] {
            let address = address(host, selector);
            assert_eq!(address.selector(), selector);
            assert_eq!(format!("{address}"), text);
        }
    }

    /// RFC 1277: without a port the digits end behind the address. Decimal digits only.
    #[test]
    fn network_addresses_are_read_digit_by_digit() {
        let octets = |digits: &[u8]| {
            let network = [&RFC_1277[..], digits].concat();
            let len = u8::try_from(network.len()).unwrap();
            let mut octets = [0; TRANSPORT_ADDRESS_LEN];
            octets[..8].copy_from_slice(&[7, 0, 0, 0, len, 0, 0, 0]);
            octets[8..8 + network.len()].copy_from_slice(&network);
            octets
        };
        let parsed = |digits: &[u8]| TransportAddress::parse(&octets(digits));
        assert_eq!(parsed(&[0x25, 0x60, 0, 0, 0, 1]), Err(AddressError::TooShort), "256");
        assert_eq!(parsed(&[0x12, 0x70, 0, 0, 0, 1]), Ok(address("127.0.0.1:102", b"")));
        assert_eq!(parsed(&[0x0A, 0, 0, 0, 0, 1]), Err(AddressError::TooShort), "A is no digit");
    }

    /// A selector beside text that has its own: the text's place is for both.
    #[test]
    fn text_with_a_selector_of_the_header_is_refused() {
        let mut octets = [0; TRANSPORT_ADDRESS_LEN];
        octets[..8].copy_from_slice(&[7, 0, 1, 0, 9, 0, 1, 0]);
        octets[8..17].copy_from_slice(b"s10.0.0.6");
        assert_eq!(TransportAddress::parse(&octets), Err(AddressError::TooShort));
    }

    /// There is a network address for IPv6 on port 102 only; on another the text is written, as
    /// long as it has room.
    #[test]
    fn ipv6_on_another_port_is_written_as_text_if_it_fits() {
        let kind = |host: &str, selector: &[u8]| address(host, selector).emit()[2];
        assert_eq!(kind("[::1]:102", b"svc"), 0);
        assert_eq!(kind("[::1]:4711", b"svc"), 1);
        assert_eq!(kind("[::1]:4711", &[0xFF; SELECTOR_MAX]), 0, "too long for text");
    }

    #[test]
    fn text_may_leave_out_what_is_usual() {
        for (text, host, selector) in [
            ("10.0.0.6", "10.0.0.6:102", &b""[..]),
            ("svc@[::1]", "[::1]:102", b"svc"),
            ("'0100'H@10.0.0.6:2000", "10.0.0.6:2000", &[1, 0]),
            ("'5AF0'H@10.0.0.6:2000", "10.0.0.6:2000", &[0x5A, 0xF0]),
        ] {
            let mut octets = [0; TRANSPORT_ADDRESS_LEN];
            octets[..8].copy_from_slice(&[7, 0, 1, 0, u8::try_from(text.len()).unwrap(), 0, 0, 0]);
            octets[8..8 + text.len()].copy_from_slice(text.as_bytes());
            assert_eq!(TransportAddress::parse(&octets), Ok(address(host, selector)), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_of_tcp_is_refused() {
        let good = address("10.0.0.6:102", &[1]).emit();
        assert_eq!(TransportAddress::parse(&good[..7]), Err(AddressError::TooShort));
        assert_eq!(TransportAddress::parse(&good[..20]), Err(AddressError::TooShort));
        for (at, value) in [(4, 70), (6, 40), (2, 2), (9, 0x55), (25, 2)] {
            let mut bad = good;
            bad[at] = value;
            assert_eq!(TransportAddress::parse(&bad), Err(AddressError::TooShort), "octet {at}");
        }
        let mut bad = good;
        bad[0] = 2;
        assert_eq!(TransportAddress::parse(&bad), Err(AddressError::WrongFamily));
        assert_eq!(TransportAddress::new("1.2.3.4:5".parse().unwrap(), &[0; 33]), None);
    }
}

//! WSAAddressToString and WSAStringToAddress: a socket address with its port and scope, as text.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use linsock::afd::address::{self, Family};

use crate::abi::SOCKET_ERROR;
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;
use crate::wide::Unit;

use super::{number, parse_dotted};

/// Where a WSAPROTOCOL_INFO has its address family, in either unit.
const INFO_FAMILY_AT: usize = 76;

/// An address in Winsock's notation: the port follows if it has one, and an IPv6 address is in
/// brackets then; the scope stands behind `%`.
fn text_of(address: &SocketAddr) -> String {
    let (host, port) = match address {
        SocketAddr::V4(v4) => (v4.ip().to_string(), v4.port()),
        SocketAddr::V6(v6) => {
            let scope = v6.scope_id();
            let scope = if scope == 0 { String::new() } else { format!("%{scope}") };
            (format!("{}{scope}", v6.ip()), v6.port())
        }
    };
    match address {
        _ if port == 0 => host,
        SocketAddr::V4(_) => format!("{host}:{port}"),
        SocketAddr::V6(_) => format!("[{host}]:{port}"),
    }
}

/// A port in decimal, octal (0…) or hexadecimal (0x…).
fn port_of(text: &str) -> Option<u16> {
    number(text.as_bytes())?.try_into().ok()
}

/// An IPv4 address as inet_addr reads it, with a port if one follows.
fn v4_of(text: &str) -> Option<SocketAddrV4> {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, port_of(port)?),
        None => (text, 0),
    };
    // Behind a space inet_addr reads no more; here everything belongs to the address.
    let is_whole = !host.contains(|c: char| c.is_ascii_whitespace());
    let ip: Ipv4Addr = parse_dotted(host.as_bytes()).filter(|_| is_whole)?;
    Some(SocketAddrV4::new(ip, port))
}

/// An IPv6 address, with a scope behind `%`; in brackets if a port may follow.
fn v6_of(text: &str) -> Option<SocketAddrV6> {
    let (host, port) = match text.strip_prefix('[') {
        None => (text, 0),
        Some(rest) => match rest.split_once(']')? {
            (host, "") => (host, 0),
            (host, behind) => (host, port_of(behind.strip_prefix(':')?)?),
        },
    };
    let (ip, scope) = match host.split_once('%') {
        None => (host, 0),
        Some((ip, scope)) if scope.bytes().all(|c| c.is_ascii_digit()) => (ip, scope.parse().ok()?),
        Some(_) => return None,
    };
    Some(SocketAddrV6::new(ip.parse::<Ipv6Addr>().ok()?, port, 0, scope))
}

/// A provider that is named has to be one for the family.
fn check_info(info: *const u8, family: Family) -> Outcome<()> {
    if info.is_null() {
        return Ok(());
    }
    let its = ptr::read(info.wrapping_add(INFO_FAMILY_AT).cast::<i32>())?;
    if Family::from_number(its) == Some(family) { Ok(()) } else { Err(Error::WSAEINVAL) }
}

fn read_address(at: *const u8, len: u32, info: *const u8) -> Outcome<SocketAddr> {
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    if len < size_of::<u16>() {
        return Err(Error::WSAEINVAL);
    }
    let family = i32::from(ptr::read(at.cast::<u16>())?);
    let family = Family::from_number(family).ok_or(Error::WSAEINVAL)?;
    check_info(info, family)?;
    if len < family.address_len() {
        return Err(Error::WSAEINVAL);
    }
    let octets = ptr::read_all(at, family.address_len())?;
    address::parse(family, &octets).map_err(|_| Error::WSAEINVAL)
}

fn put_text<U: Unit>(address: &SocketAddr, at: *mut U, len: *mut u32) -> Outcome<i32> {
    let text = U::zero_ended(text_of(address).as_bytes());
    let room = usize::try_from(ptr::read(len)?).unwrap_or(usize::MAX);
    let needed = u32::try_from(text.len()).unwrap_or(u32::MAX);
    if room < text.len() {
        ptr::write(len, needed)?;
        return Err(Error::WSAEFAULT);
    }
    ptr::write_all(at, &text)?;
    ptr::write(len, needed)?;
    Ok(0)
}

fn put_address<U: Unit>(
    text: *const U,
    family: i32,
    info: *const u8,
    (at, len): (*mut u8, *mut i32),
) -> Outcome<i32> {
    let family = Family::from_number(family).ok_or(Error::WSAEINVAL)?;
    check_info(info, family)?;
    let text = String::from_utf8(U::read_text(text)?).map_err(|_| Error::WSAEINVAL)?;
    let needed = i32::try_from(family.address_len()).unwrap_or(i32::MAX);
    if ptr::read(len)? < needed {
        ptr::write(len, needed)?;
        return Err(Error::WSAEFAULT);
    }
    let address = match family {
        Family::Inet => v4_of(&text).map(SocketAddr::V4),
        Family::Inet6 => v6_of(&text).map(SocketAddr::V6),
    };
    let (octets, octets_len) = address::emit(&address.ok_or(Error::WSAEINVAL)?);
    ptr::write_all(at, &octets[..octets_len])?;
    ptr::write(len, needed)?;
    Ok(0)
}

export! {
    /// Writes an address (AF_INET, AF_INET6) as text, with its port and scope unless they are 0.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaaddresstostringa>
    ///
    /// The length counts octets with the zero, and is what was written or, after WSAEFAULT for want
    /// of room, what is needed.
    ///
    /// # Errors
    /// SOCKET_ERROR with WSANOTINITIALISED, WSAEFAULT, WSAEINVAL (another family, an address that
    /// is too short, a provider for another family).
    ///
    /// # Differs from Windows
    /// Of the providers only the address family counts; AF_UNIX and AF_ISO have no text.
    winsock fn WSAAddressToStringA(
        lpsaAddress: *const u8,
        dwAddressLength: u32,
        lpProtocolInfo: *const u8,
        lpszAddressString: *mut u8,
        lpdwAddressStringLength: *mut u32,
    ) -> i32, fail SOCKET_ERROR; {
        let address = read_address(lpsaAddress, dwAddressLength, lpProtocolInfo)?;
        put_text(&address, lpszAddressString, lpdwAddressStringLength)
    }

    /// As WSAAddressToStringA, in UTF-16; the length counts characters with the zero.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaaddresstostringw>
    ///
    /// # Errors
    /// As WSAAddressToStringA.
    ///
    /// # Differs from Windows
    /// As WSAAddressToStringA.
    winsock fn WSAAddressToStringW(
        lpsaAddress: *const u8,
        dwAddressLength: u32,
        lpProtocolInfo: *const u8,
        lpszAddressString: *mut u16,
        lpdwAddressStringLength: *mut u32,
    ) -> i32, fail SOCKET_ERROR; {
        let address = read_address(lpsaAddress, dwAddressLength, lpProtocolInfo)?;
        put_text(&address, lpszAddressString, lpdwAddressStringLength)
    }

    /// Reads an address (AF_INET, AF_INET6) with its port and scope, if it has them.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsastringtoaddressa>
    ///
    /// IPv4 is read as by inet_addr, a port as the parts of such an address. Too little room is
    /// WSAEFAULT, and the length is then what is needed.
    ///
    /// # Errors
    /// SOCKET_ERROR with WSANOTINITIALISED, WSAEFAULT, WSAEINVAL (another family, a text that is no
    /// address, a provider for another family).
    ///
    /// # Differs from Windows
    /// As WSAAddressToStringA. A scope is a number, not the name of an interface.
    winsock fn WSAStringToAddressA(
        AddressString: *const u8,
        AddressFamily: i32,
        lpProtocolInfo: *const u8,
        lpAddress: *mut u8,
        lpAddressLength: *mut i32,
    ) -> i32, fail SOCKET_ERROR; {
        let into = (lpAddress, lpAddressLength);
        put_address(AddressString, AddressFamily, lpProtocolInfo, into)
    }

    /// As WSAStringToAddressA, in UTF-16.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsastringtoaddressw>
    ///
    /// # Errors
    /// As WSAStringToAddressA.
    ///
    /// # Differs from Windows
    /// As WSAStringToAddressA.
    winsock fn WSAStringToAddressW(
        AddressString: *const u16,
        AddressFamily: i32,
        lpProtocolInfo: *const u8,
        lpAddress: *mut u8,
        lpAddressLength: *mut i32,
    ) -> i32, fail SOCKET_ERROR; {
        let into = (lpAddress, lpAddressLength);
        put_address(AddressString, AddressFamily, lpProtocolInfo, into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v6(text: &str) -> Option<String> {
        v6_of(text).map(|address| text_of(&SocketAddr::V6(address)))
    }

    fn v4(text: &str) -> Option<String> {
        v4_of(text).map(|address| text_of(&SocketAddr::V4(address)))
    }

    #[test]
    fn addresses_come_back_as_they_were_written() {
        for text in ["0.0.0.0", "255.255.255.255", "127.0.0.1:65535", "1.2.3.4:1"] {
            assert_eq!(v4(text).as_deref(), Some(text));
        }
        for text in ["::1", "::", "fe80::1%5", "[2001:db8::7]:80", "[fe80::1%4294967295]:65535"] {
            assert_eq!(v6(text).as_deref(), Some(text));
        }
        assert_eq!(v4("0x7f.1:0x50").as_deref(), Some("127.0.0.1:80"));
        assert_eq!(v6("[::1]").as_deref(), Some("::1"));
    }

    #[test]
    fn what_is_no_address_is_none() {
        for text in
            ["", ":80", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:x", "1.2.3.256", "1.2.3.4 ", "1.2 x"]
        {
            assert_eq!(v4(text), None, "{text}");
        }
        for text in ["", "[", "[]", "[::1", "::1]", "[::1]80", "[::1]:", "[::1]:65536", "::1%"] {
            assert_eq!(v6(text), None, "{text}");
        }
        for text in ["::1%eth0", "::1%+5", "::1%4294967296", "[::1]]", "1.2.3.4", "::1 "] {
            assert_eq!(v6(text), None, "{text}");
        }
    }
}

//! The functions of ws2tcpip.h, and those of winsock2.h that turn addresses into texts and numbers
//! into network order.
#![allow(unsafe_code, reason = "gethostname fills a local")]

use std::cell::RefCell;
use std::net::{Ipv4Addr, Ipv6Addr};

use linsock::afd::address::Family;

use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;
use crate::wide::Unit;

mod address_text;
mod extended;
mod host;
mod kept;
mod name_info;
mod order;
mod query;
mod resolve;
mod service;
mod workers;

pub use address_text::{
    WSAAddressToStringA, WSAAddressToStringW, WSAStringToAddressA, WSAStringToAddressW,
};
pub use extended::{
    ADDRINFOEX, ADDRINFOEXA, ADDRINFOEXW, FreeAddrInfoEx, FreeAddrInfoExW, GetAddrInfoExA,
    GetAddrInfoExCancel, GetAddrInfoExOverlappedResult, GetAddrInfoExW,
};
pub use host::{HOSTENT, gethostbyaddr, gethostbyname};
pub use name_info::{GetNameInfoW, getnameinfo};
pub use order::{WSAHtonl, WSAHtons, WSANtohl, WSANtohs};
pub use query::Routine;
pub(crate) use resolve::connectable;
pub use resolve::{
    ADDRINFO, ADDRINFOA, ADDRINFOW, FreeAddrInfoW, GetAddrInfoW, freeaddrinfo, getaddrinfo,
};
pub use service::{
    PROTOENT, SERVENT, getprotobyname, getprotobynumber, getservbyname, getservbyport,
};

/// What inet_addr gives for a text that is no address (ws2def.h).
const INADDR_NONE: u32 = u32::MAX;

const WSAHOST_NOT_FOUND: Error = Error(11001);
const WSATRY_AGAIN: Error = Error(11002);
const WSANO_RECOVERY: Error = Error(11003);
const WSANO_DATA: Error = Error(11004);
const WSATYPE_NOT_FOUND: Error = Error(10109);

/// The Winsock code of what the C library's resolver reports.
const fn resolver_error(code: i32) -> Error {
    match code {
        libc::EAI_AGAIN => WSATRY_AGAIN,
        libc::EAI_BADFLAGS => Error::WSAEINVAL,
        libc::EAI_FAMILY => Error::WSAEAFNOSUPPORT,
        libc::EAI_MEMORY => Error::ERROR_NOT_ENOUGH_MEMORY,
        libc::EAI_SERVICE => WSATYPE_NOT_FOUND,
        libc::EAI_SOCKTYPE => Error::WSAESOCKTNOSUPPORT,
        // No such name; EAI_NODATA (-5) and EAI_ADDRFAMILY (-9): not of that family.
        libc::EAI_NONAME | -5 | -9 => WSAHOST_NOT_FOUND,
        _ => WSANO_RECOVERY,
    }
}

/// The return value of a function that returns its error, and sets the last error too.
fn returned(outcome: Outcome<()>) -> Outcome<i32> {
    Ok(match outcome {
        Ok(()) => 0,
        Err(error) => {
            crate::last_error::set(error.0);
            error.0.cast_signed()
        }
    })
}

fn check_started() -> Outcome<()> {
    if linsock::startup::is_started() { Ok(()) } else { Err(Error::WSANOTINITIALISED) }
}

/// The name of this host.
fn host_name() -> Outcome<Vec<u8>> {
    let mut name = [0_u8; 257];
    // SAFETY: the C library writes at most that many octets to the local; the last stays zero.
    let result = unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len() - 1) };
    if result != 0 {
        return Err(Error::WSASYSCALLFAILURE);
    }
    Ok(name.split(|&octet| octet == 0).next().unwrap_or_default().to_vec())
}

/// One part of an address in inet_addr's notation: decimal, octal (0…) or hexadecimal (0x…).
fn number(part: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(part).ok()?;
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&text[2..], 16),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    // from_str_radix takes a sign, which an address has not.
    if digits.starts_with('+') { None } else { u32::from_str_radix(digits, radix).ok() }
}

/// Reads `a.b.c.d`, `a.b.c`, `a.b` or `a`, where the last part fills the rest.
fn parse_dotted(text: &[u8]) -> Option<Ipv4Addr> {
    let text = text.split(u8::is_ascii_whitespace).next()?;
    let parts = text.split(|&octet| octet == b'.').map(number).collect::<Option<Vec<_>>>()?;
    let (last, front) = parts.split_last()?;
    if front.len() > 3 || front.iter().any(|&part| part > 0xFF) {
        return None;
    }
    let room = 32 - 8 * u32::try_from(front.len()).ok()?;
    if room < 32 && *last >= 1 << room {
        return None;
    }
    let address = front.iter().zip([24, 16, 8]).fold(*last, |sum, (part, at)| sum | part << at);
    Some(Ipv4Addr::from(address))
}

/// The text of an address in memory.
fn address_text(family: i32, address: *const u8) -> Outcome<String> {
    Ok(match Family::from_number(family).ok_or(Error::WSAEAFNOSUPPORT)? {
        Family::Inet => Ipv4Addr::from(ptr::read(address.cast::<[u8; 4]>())?).to_string(),
        Family::Inet6 => Ipv6Addr::from(ptr::read(address.cast::<[u8; 16]>())?).to_string(),
    })
}

/// inet_ntop in either unit.
fn to_text<U: Unit>(family: i32, address: *const u8, at: *mut U, size: usize) -> Outcome<*const U> {
    let text = U::zero_ended(address_text(family, address)?.as_bytes());
    if at.is_null() || size < text.len() {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    ptr::write_all(at, &text)?;
    Ok(at)
}

/// inet_pton in either unit.
fn from_text<U: Unit>(family: i32, text: *const U, address: *mut u8) -> Outcome<i32> {
    let family = Family::from_number(family).ok_or(Error::WSAEAFNOSUPPORT)?;
    let text = match U::read_text(text) {
        Err(Error::WSAEINVAL) => return Ok(0),
        text => text?,
    };
    ptr::check_writable(address, if family == Family::Inet { 4 } else { 16 })?;
    let text = std::str::from_utf8(&text).unwrap_or_default();
    let octets = match family {
        Family::Inet => text.parse::<Ipv4Addr>().map(|ip| ip.octets().to_vec()),
        Family::Inet6 => text.parse::<Ipv6Addr>().map(|ip| ip.octets().to_vec()),
    };
    let Ok(octets) = octets else { return Ok(0) };
    ptr::write_all(address, &octets)?;
    Ok(1)
}

/// gethostname in either unit.
fn put_host_name<U: Unit>(at: *mut U, size: i32) -> Outcome<i32> {
    let text = U::zero_ended(&host_name()?);
    if usize::try_from(size).unwrap_or(0) < text.len() {
        return Err(Error::WSAEFAULT);
    }
    ptr::write_all(at, &text)?;
    Ok(0)
}

thread_local! {
    /// Where inet_ntoa leaves its text.
    static DOTTED: RefCell<[u8; 16]> = const { RefCell::new([0; 16]) };
}

export! {
    /// Turns a 32-bit number into network order.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-htonl>
    fn htonl as "WS_htonl" (hostlong: u32) -> u32, fail 0; {
        Ok(hostlong.to_be())
    }

    /// Turns a 16-bit number into network order.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-htons>
    fn htons as "WS_htons" (hostshort: u16) -> u16, fail 0; {
        Ok(hostshort.to_be())
    }

    /// Turns a 32-bit number into host order.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-ntohl>
    fn ntohl as "WS_ntohl" (netlong: u32) -> u32, fail 0; {
        Ok(u32::from_be(netlong))
    }

    /// Turns a 16-bit number into host order.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-ntohs>
    fn ntohs as "WS_ntohs" (netshort: u16) -> u16, fail 0; {
        Ok(u16::from_be(netshort))
    }

    /// Reads an IPv4 address of one to four parts. Gives it in network order.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-inet_addr>
    ///
    /// A text of one space is the address 0.
    ///
    /// # Errors
    /// INADDR_NONE; with WSAEFAULT for an invalid pointer, WSAEINVAL for any other text.
    fn inet_addr as "WS_inet_addr" (cp: *const u8) -> u32, fail INADDR_NONE; {
        let text = ptr::read_cstr(cp)?;
        if text == b" " {
            return Ok(0);
        }
        let address = parse_dotted(&text).ok_or(Error::WSAEINVAL)?;
        Ok(u32::from_ne_bytes(address.octets()))
    }

    /// Gives the text of an IPv4 address, in memory of the calling thread's that its next call
    /// overwrites.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-inet_ntoa>
    fn inet_ntoa as "WS_inet_ntoa" (r#in: u32) -> *mut u8, fail std::ptr::null_mut(); {
        let text = Ipv4Addr::from(r#in.to_ne_bytes()).to_string();
        Ok(DOTTED.with_borrow_mut(|dotted| {
            dotted.fill(0);
            dotted[..text.len()].copy_from_slice(text.as_bytes());
            dotted.as_mut_ptr()
        }))
    }

    /// Writes the text of an address (AF_INET, AF_INET6) and gives the buffer.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-inet_ntop>
    ///
    /// # Errors
    /// Null with WSAEAFNOSUPPORT, ERROR_INVALID_PARAMETER for no buffer or one that is too small,
    /// WSAEFAULT.
    ///
    /// # Differs from Windows
    /// Of the IPv6 addresses that hold an IPv4 address only ::ffff:a.b.c.d shows it.
    fn inet_ntop as "WS_inet_ntop" (
        Family: i32,
        pAddr: *const u8,
        pStringBuf: *mut u8,
        StringBufSize: usize,
    ) -> *const u8, fail std::ptr::null(); {
        to_text(Family, pAddr, pStringBuf, StringBufSize)
    }

    /// Reads an address (AF_INET in four decimal parts, AF_INET6). Gives 1, or 0 for a text that is
    /// none.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-inet_pton>
    ///
    /// # Errors
    /// -1 with WSAEAFNOSUPPORT, WSAEFAULT.
    fn inet_pton as "WS_inet_pton" (
        Family: i32,
        pszAddrString: *const u8,
        pAddrBuf: *mut u8,
    ) -> i32, fail -1; {
        from_text(Family, pszAddrString, pAddrBuf)
    }

    /// Gives the name of this host.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-gethostname>
    ///
    /// # Errors
    /// SOCKET_ERROR with WSANOTINITIALISED, WSAEFAULT for an invalid pointer or a buffer that is
    /// too small.
    winsock fn gethostname as "WS_gethostname" (name: *mut u8, namelen: i32) -> i32, fail -1; {
        put_host_name(name, namelen)
    }

    /// Gives the name of this host in UTF-16; the length counts characters.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-gethostnamew>
    ///
    /// # Errors
    /// As gethostname.
    winsock fn GetHostNameW(name: *mut u16, namelen: i32) -> i32, fail -1; {
        put_host_name(name, namelen)
    }

    /// As inet_ntop, in UTF-16; the size counts characters.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-inetntopw>
    ///
    /// # Errors
    /// As inet_ntop.
    ///
    /// # Differs from Windows
    /// As inet_ntop.
    fn InetNtopW(
        Family: i32,
        pAddr: *const u8,
        pStringBuf: *mut u16,
        StringBufSize: usize,
    ) -> *const u16, fail std::ptr::null(); {
        to_text(Family, pAddr, pStringBuf, StringBufSize)
    }

    /// As inet_pton, in UTF-16.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-inetptonw>
    ///
    /// # Errors
    /// As inet_pton.
    fn InetPtonW(Family: i32, pszAddrString: *const u16, pAddrBuf: *mut u8) -> i32, fail -1; {
        from_text(Family, pszAddrString, pAddrBuf)
    }
}

#[cfg(test)]
mod tests;

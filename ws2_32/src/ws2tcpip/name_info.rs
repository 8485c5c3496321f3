//! getnameinfo: an address to names, by the C library's resolver.

use std::ffi::{CStr, CString};

use linsock::afd::address::{AddressError, Family, parse};

use super::{WSAHOST_NOT_FOUND, check_started, resolver_error, returned};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;
use crate::wide::Unit;

/// Windows' flags (ws2def.h) and the C library's.
const FLAGS: &[(i32, i32)] = &[
    (0x01, libc::NI_NOFQDN),
    (0x02, libc::NI_NUMERICHOST),
    (0x04, libc::NI_NAMEREQD),
    (0x08, libc::NI_NUMERICSERV),
    (0x10, libc::NI_DGRAM),
];

/// A buffer of the program's for a name.
#[derive(Clone, Copy)]
struct Room<U> {
    at: *mut U,
    size: usize,
}

impl<U: Unit> Room<U> {
    fn new(at: *mut U, size: u32) -> Self {
        Self { at, size: usize::try_from(size).unwrap_or(0) }
    }

    fn is_wanted(self) -> bool {
        !self.at.is_null() && self.size != 0
    }

    /// Writes the text and its zero.
    fn fill(self, name: &CStr) -> Outcome<()> {
        let name = U::zero_ended(name.to_bytes());
        if name.len() > self.size {
            return Err(Error::ERROR_INSUFFICIENT_BUFFER);
        }
        ptr::write_all(self.at, &name)
    }
}

/// The address of the program's as the C library lays it out.
fn read_address(at: *const u8, len: i32) -> Outcome<Vec<u8>> {
    let len = usize::try_from(len).map_err(|_| Error::WSAEFAULT)?;
    if len < 2 {
        return Err(Error::WSAEFAULT);
    }
    let number = i32::from(ptr::read(at.cast::<u16>())?);
    let family = Family::from_number(number).ok_or(Error::WSAEAFNOSUPPORT)?;
    let mut octets = ptr::read_all(at, len.min(family.address_len()))?;
    match parse(family, &octets) {
        Ok(_) => {}
        Err(AddressError::TooShort) => return Err(Error::WSAEFAULT),
        Err(AddressError::WrongFamily) => return Err(Error::WSAEAFNOSUPPORT),
    }
    let number = match family {
        Family::Inet => libc::AF_INET,
        Family::Inet6 => libc::AF_INET6,
    };
    octets[..2].copy_from_slice(&number.to_le_bytes()[..2]);
    Ok(octets)
}

fn name<U: Unit>(
    (address, len): (*const u8, i32),
    node: Room<U>,
    service: Room<U>,
    flags: i32,
) -> Outcome<()> {
    check_started()?;
    let address = read_address(address, len)?;
    let known = FLAGS.iter().fold(0, |sum, (flag, _)| sum | flag);
    if flags & !known != 0 {
        return Err(Error::WSAEINVAL);
    }
    if !node.is_wanted() && !service.is_wanted() {
        return Err(WSAHOST_NOT_FOUND);
    }
    let asked = FLAGS.iter().filter(|(flag, _)| flags & flag != 0);
    let asked = asked.fold(0, |sum, (_, flag)| sum | flag);
    let [node_name, service_name] = ask(&address, [node, service].map(Room::is_wanted), asked)?;
    if node.is_wanted() {
        node.fill(&node_name)?;
    }
    if service.is_wanted() {
        service.fill(&service_name)?;
    }
    Ok(())
}

/// The names of the host and the service of an address, as the C library lays it out; empty where
/// it is not wanted.
fn ask(address: &[u8], wanted: [bool; 2], flags: i32) -> Outcome<[CString; 2]> {
    let (mut node, mut service) = ([0_u8; 1025], [0_u8; 64]);
    let sizes = [node.len(), service.len()].map(libc::socklen_t::try_from);
    let size = |at: usize| if wanted[at] { sizes[at].unwrap_or(0) } else { 0 };
    // SAFETY: the address is a local of that length, the names are locals of at least those sizes.
    let error = unsafe {
        libc::getnameinfo(
            address.as_ptr().cast(),
            libc::socklen_t::try_from(address.len()).unwrap_or(0),
            node.as_mut_ptr().cast(),
            size(0),
            service.as_mut_ptr().cast(),
            size(1),
            flags,
        )
    };
    if error != 0 {
        return Err(resolver_error(error));
    }
    let text = |name: &[u8]| CStr::from_bytes_until_nul(name).map(CStr::to_owned);
    Ok([text(&node), text(&service)].map(Result::unwrap_or_default))
}

/// The name of the host with an address.
pub(super) fn host_of(family: Family, octets: &[u8]) -> Outcome<CString> {
    let mut address = vec![0; family.address_len()];
    let number = match family {
        Family::Inet => libc::AF_INET,
        Family::Inet6 => libc::AF_INET6,
    };
    address[..2].copy_from_slice(&number.to_le_bytes()[..2]);
    // sin_addr comes behind the port, sin6_addr behind the flow information too.
    let at = if family == Family::Inet { 4 } else { 8 };
    address[at..at + octets.len()].copy_from_slice(octets);
    let [name, _service] = ask(&address, [true, false], libc::NI_NAMEREQD)?;
    Ok(name)
}

export! {
    /// Gives the host name and the service name of an address.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-getnameinfo>
    ///
    /// A buffer that is null or empty is not wanted. Blocks for the resolver; not alertable.
    ///
    /// # Errors
    /// Returned, and set as the last error: WSANOTINITIALISED, WSAEFAULT (also for an address that
    /// is too short), WSAEAFNOSUPPORT, WSAEINVAL for flags, WSAHOST_NOT_FOUND (also when neither
    /// name is wanted), WSATRY_AGAIN, WSANO_RECOVERY, ERROR_INSUFFICIENT_BUFFER.
    fn getnameinfo as "WS_getnameinfo" (
        pSockaddr: *const u8,
        SockaddrLength: i32,
        pNodeBuffer: *mut u8,
        NodeBufferSize: u32,
        pServiceBuffer: *mut u8,
        ServiceBufferSize: u32,
        Flags: i32,
    ) -> i32, fail Error::WSASYSCALLFAILURE.0.cast_signed(); {
        let node = Room::new(pNodeBuffer, NodeBufferSize);
        let service = Room::new(pServiceBuffer, ServiceBufferSize);
        returned(name((pSockaddr, SockaddrLength), node, service, Flags))
    }

    /// As getnameinfo, in UTF-16: the sizes count characters.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-getnameinfow>
    ///
    /// Blocks for the resolver; not alertable.
    ///
    /// # Errors
    /// As getnameinfo.
    fn GetNameInfoW(
        pSockaddr: *const u8,
        SockaddrLength: i32,
        pNodeBuffer: *mut u16,
        NodeBufferSize: u32,
        pServiceBuffer: *mut u16,
        ServiceBufferSize: u32,
        Flags: i32,
    ) -> i32, fail Error::WSASYSCALLFAILURE.0.cast_signed(); {
        let node = Room::new(pNodeBuffer, NodeBufferSize);
        let service = Room::new(pServiceBuffer, ServiceBufferSize);
        returned(name((pSockaddr, SockaddrLength), node, service, Flags))
    }
}

#[cfg(test)]
mod tests {
    use linsock::afd::address::emit;

    use super::*;
    use crate::last_error;

    fn ask(address: &[u8], sizes: (u32, u32), flags: i32) -> Result<(String, String), u32> {
        linsock::startup::startup();
        let (mut node, mut service) = ([0_u8; 300], [0_u8; 300]);
        let at = (node.as_mut_ptr(), service.as_mut_ptr());
        let len = i32::try_from(address.len()).unwrap();
        // SAFETY: the buffers are locals of at least those sizes.
        let error =
            unsafe { getnameinfo(address.as_ptr(), len, at.0, sizes.0, at.1, sizes.1, flags) };
        let text = |octets: &[u8]| {
            let text = octets.split(|&octet| octet == 0).next().unwrap();
            String::from_utf8(text.to_vec()).unwrap()
        };
        if error == 0 {
            Ok((text(&node), text(&service)))
        } else {
            assert_eq!(last_error::get().cast_signed(), error);
            Err(error.cast_unsigned())
        }
    }

    fn octets(text: &str) -> Vec<u8> {
        let (octets, len) = emit(&text.parse().unwrap());
        octets[..len].to_vec()
    }

    #[test]
    fn numeric_names_are_the_address_and_the_port() {
        const NUMERIC: i32 = 2 | 8;
        for (address, node, service) in
            [("127.0.0.1:80", "127.0.0.1", "80"), ("[2001:db8::1]:443", "2001:db8::1", "443")]
        {
            let names = |sizes| ask(&octets(address), sizes, NUMERIC);
            let [all, none] = [300, 0];
            assert_eq!(names((all, all)), Ok((node.into(), service.into())));
            assert_eq!(names((all, none)), Ok((node.into(), String::new())));
            assert_eq!(names((none, all)), Ok((String::new(), service.into())));
            assert_eq!(names((none, none)), Err(11001));
            let fits = u32::try_from(node.len() + 1).unwrap();
            assert_eq!(names((fits, none)), Ok((node.into(), String::new())));
            assert_eq!(names((fits - 1, none)), Err(122));
        }
    }

    #[test]
    fn bad_addresses_and_flags_are_refused() {
        let address = octets("127.0.0.1:80");
        assert_eq!(ask(&address[..15], (300, 300), 2), Err(10014));
        assert_eq!(ask(&address[..1], (300, 300), 2), Err(10014));
        assert_eq!(ask(&address, (300, 300), 0x20), Err(10022));
        let mut foreign = address.clone();
        // Linux's number for IPv6 is a family that Winsock does not resolve.
        foreign[0] = 10;
        assert_eq!(ask(&foreign, (300, 300), 2), Err(10047));
        // SAFETY: a bad pointer is answered.
        let fault = unsafe {
            getnameinfo(std::ptr::null(), 16, std::ptr::null_mut(), 0, std::ptr::null_mut(), 0, 0)
        };
        assert_eq!(fault, 10014);
    }
}

//! Linux's interfaces and their addresses.
#![allow(unsafe_code, reason = "getifaddrs of the C library")]

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use linsock::NtStatus;
use linsock::afd::address::Family;
use linsock::transport::status_of;
use rustix::io::Errno;

/// The families that were asked for.
#[derive(Clone, Copy)]
pub(crate) enum Families {
    All,
    One(Family),
}

impl Families {
    /// By Windows' number.
    pub(crate) fn new(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::All),
            number => Family::from_number(i32::try_from(number).ok()?).map(Self::One),
        }
    }

    fn has(self, address: &SocketAddr) -> bool {
        match self {
            Self::All => true,
            Self::One(family) => family == Family::of(address),
        }
    }
}

/// An address and the bits of its network.
pub(crate) struct Subnet {
    pub(crate) address: SocketAddr,
    pub(crate) prefix_len: u8,
}

/// What the link layer is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Ethernet,
    Loopback,
    PointToPoint,
    Tunnel,
    Other,
}

impl Link {
    const fn of_hardware(kind: u16) -> Self {
        match kind {
            libc::ARPHRD_ETHER => Self::Ethernet,
            libc::ARPHRD_LOOPBACK => Self::Loopback,
            libc::ARPHRD_PPP => Self::PointToPoint,
            libc::ARPHRD_TUNNEL | libc::ARPHRD_TUNNEL6 | libc::ARPHRD_SIT => Self::Tunnel,
            _ => Self::Other,
        }
    }
}

/// An interface.
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) index: u32,
    pub(crate) link: Link,
    pub(crate) hardware: Vec<u8>,
    pub(crate) is_running: bool,
    pub(crate) is_multicast: bool,
    pub(crate) is_broadcast: bool,
    pub(crate) is_point_to_point: bool,
    pub(crate) mtu: u32,
    pub(crate) subnets: Vec<Subnet>,
}

impl Interface {
    fn new(name: &CStr, flags: u32) -> Self {
        // SAFETY: the name ends with a zero.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
        let name = name.to_string_lossy().into_owned();
        // Kept by the kernel for every interface; a name has no slash.
        let mtu = std::fs::read_to_string(format!("/sys/class/net/{name}/mtu"));
        let mtu = mtu.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        let has = |flag: libc::c_int| flags & flag.cast_unsigned() != 0;
        Self {
            name,
            index,
            link: if has(libc::IFF_LOOPBACK) { Link::Loopback } else { Link::Other },
            hardware: Vec::new(),
            is_running: has(libc::IFF_UP) && has(libc::IFF_RUNNING),
            is_multicast: has(libc::IFF_MULTICAST),
            is_broadcast: has(libc::IFF_BROADCAST),
            is_point_to_point: has(libc::IFF_POINTOPOINT),
            mtu,
            subnets: Vec::new(),
        }
    }

    /// Takes note of the address of the link.
    fn set_link(&mut self, link: &libc::sockaddr_ll) {
        self.link = Link::of_hardware(link.sll_hatype);
        let len = usize::from(link.sll_halen).min(link.sll_addr.len());
        self.hardware = link.sll_addr[..len].to_vec();
    }
}

/// Reads an address of the C library's.
///
/// # Safety
/// The pointer is null, or at a sockaddr that is as long as its family says.
unsafe fn address_at(at: *const libc::sockaddr) -> Option<SocketAddr> {
    if at.is_null() {
        return None;
    }
    // SAFETY: as the caller says.
    match i32::from(unsafe { (*at).sa_family }) {
        libc::AF_INET => {
            // SAFETY: as the caller says.
            let v4 = unsafe { at.cast::<libc::sockaddr_in>().read_unaligned() };
            let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            Some(SocketAddrV4::new(ip, 0).into())
        }
        libc::AF_INET6 => {
            // SAFETY: as the caller says.
            let v6 = unsafe { at.cast::<libc::sockaddr_in6>().read_unaligned() };
            let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
            Some(SocketAddrV6::new(ip, 0, 0, v6.sin6_scope_id).into())
        }
        _ => None,
    }
}

/// The name of an interface: an address of it may have a label, as eth0:1.
fn without_label(name: &CStr) -> CString {
    let name = name.to_bytes().split(|octet| *octet == b':').next().unwrap_or_default();
    CString::new(name).unwrap_or_default()
}

/// The bits of a mask.
fn bits(mask: Option<SocketAddr>) -> u8 {
    let ones = match mask {
        Some(SocketAddr::V4(v4)) => v4.ip().to_bits().leading_ones(),
        Some(SocketAddr::V6(v6)) => v6.ip().to_bits().leading_ones(),
        None => 0,
    };
    u8::try_from(ones).unwrap_or(0)
}

/// The interfaces, in the order of their numbers: with the addresses of those families, and those
/// alone that have any if one family was asked for.
///
/// # Errors
/// When descriptors or memory ran out, or netlink is forbidden.
pub(crate) fn list(families: Families) -> Result<Vec<Interface>, NtStatus> {
    let mut found = BTreeMap::new();
    let mut first = std::ptr::null_mut();
    // SAFETY: gives a list, which is freed below.
    if unsafe { libc::getifaddrs(&raw mut first) } != 0 {
        let error = Errno::from_io_error(&io::Error::last_os_error());
        return Err(error.map_or(NtStatus::NOT_SUPPORTED, status_of));
    }
    let mut next = first;
    // SAFETY: the list's entries are valid until it is freed.
    while let Some(entry) = unsafe { next.as_ref() } {
        // SAFETY: an entry has a name.
        let name = unsafe { CStr::from_ptr(entry.ifa_name) };
        let name = without_label(name);
        let interface =
            found.entry(name).or_insert_with_key(|name| Interface::new(name, entry.ifa_flags));
        // SAFETY: what the C library gives is as long as its family says.
        let address = unsafe { address_at(entry.ifa_addr) };
        // SAFETY: as above.
        let mask = unsafe { address_at(entry.ifa_netmask) };
        if let Some(address) = address.filter(|address| families.has(address)) {
            interface.subnets.push(Subnet { address, prefix_len: bits(mask) });
        }
        // SAFETY: as above.
        let family = unsafe { entry.ifa_addr.as_ref() }.map(|address| address.sa_family);
        if family.map(i32::from) == Some(libc::AF_PACKET) {
            // SAFETY: an address of that family is one of the link.
            interface
                .set_link(&unsafe { entry.ifa_addr.cast::<libc::sockaddr_ll>().read_unaligned() });
        }
        next = entry.ifa_next;
    }
    // SAFETY: nothing of the list is held any more.
    unsafe { libc::freeifaddrs(first) };
    let mut found: Vec<Interface> = found.into_values().collect();
    if let Families::One(_) = families {
        found.retain(|interface| !interface.subnets.is_empty());
    }
    found.sort_by_key(|interface| interface.index);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// netdevice(7): an alias is an address of the interface before the colon.
    #[test]
    fn an_alias_is_no_interface_of_its_own() {
        assert_eq!(without_label(c"eth0:1"), c"eth0".to_owned());
        assert_eq!(without_label(c"lo"), c"lo".to_owned());
    }
}

//! The functions of the IP helper that know IPv4 alone: adapters, addresses and the best interface.

use std::mem::offset_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use linsock::NtStatus;
use linsock::afd::address::Family;
use linsock::transport::tcp::source_towards;

use super::block::{Block, Place};
use super::interfaces::{self, Families, Interface, Link, Subnet};
use super::layout::{IP_ADAPTER_INFO, IP_ADDR_STRING};
use super::{ERROR_GEN_FAILURE, code, hand_over, hand_over_octets, refusal};
use crate::abi::BOOL;
use crate::export::{Outcome, export};
use crate::kernel32::object::no_access;
use crate::last_error::Error;
use crate::ptr;
use crate::winsock2::read_ip;

/// The largest datagram that is put together.
const REASSEMBLED_MAX: u32 = 65_535;
/// MIB_IPADDR_PRIMARY.
const PRIMARY: u16 = 1;
/// Octets of a name, and of a description, with their zeros.
const NAME_ROOM: usize = 260;
const DESCRIPTION_ROOM: usize = 132;

fn v4_of(subnet: &Subnet) -> Option<Ipv4Addr> {
    match subnet.address.ip() {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    }
}

fn mask_of(subnet: &Subnet) -> Ipv4Addr {
    u32::MAX.checked_shl(32 - u32::from(subnet.prefix_len)).unwrap_or(0).into()
}

/// A MIB_IPADDRROW.
fn address_row(interface: &Interface, ip: Ipv4Addr, subnet: &Subnet) -> Vec<u8> {
    let mut row = ip.octets().to_vec();
    row.extend(interface.index.to_ne_bytes());
    row.extend(mask_of(subnet).octets());
    row.extend(u32::from(interface.is_broadcast).to_ne_bytes());
    row.extend(REASSEMBLED_MAX.to_ne_bytes());
    row.extend(0_u16.to_ne_bytes());
    row.extend(PRIMARY.to_ne_bytes());
    row
}

/// A MIB_IPADDRTABLE, sorted by addresses.
fn address_table(interfaces: &[Interface]) -> Vec<u8> {
    let mut rows = Vec::new();
    for interface in interfaces {
        let of_subnet = |subnet| Some((v4_of(subnet)?, interface, subnet));
        rows.extend(interface.subnets.iter().filter_map(of_subnet));
    }
    rows.sort_by_key(|(ip, ..)| *ip);
    let mut octets = u32::try_from(rows.len()).unwrap_or(u32::MAX).to_ne_bytes().to_vec();
    for (ip, interface, subnet) in rows {
        octets.extend(address_row(interface, ip, subnet));
    }
    octets
}

/// As much of a text as there is room for, with its zero.
fn cut(text: &str, room: usize) -> &[u8] {
    &text.as_bytes()[..text.len().min(room - 1)]
}

/// The texts of an address and its mask.
fn set_address(block: &mut Block, place: Place, at: usize, subnet: &Subnet) {
    let (ip, mask) = (subnet.address.ip().to_string(), mask_of(subnet).to_string());
    block.set(place, at + offset_of!(IP_ADDR_STRING, IpAddress), ip.as_bytes());
    block.set(place, at + offset_of!(IP_ADDR_STRING, IpMask), mask.as_bytes());
}

fn add_adapter(block: &mut Block, interface: &Interface) -> Place {
    let place = block.reserve(size_of::<IP_ADAPTER_INFO>());
    let name = offset_of!(IP_ADAPTER_INFO, AdapterName);
    block.set(place, name, cut(&interface.name, NAME_ROOM));
    let description = offset_of!(IP_ADAPTER_INFO, Description);
    block.set(place, description, cut(&interface.name, DESCRIPTION_ROOM));
    let known = interface.hardware.len().min(8);
    block.set(place, offset_of!(IP_ADAPTER_INFO, Address), &interface.hardware[..known]);
    let numbers = [
        (offset_of!(IP_ADAPTER_INFO, AddressLength), u32::try_from(known).unwrap_or(0)),
        (offset_of!(IP_ADAPTER_INFO, Index), interface.index),
        (offset_of!(IP_ADAPTER_INFO, Type), interface.link.number()),
    ];
    for (offset, number) in numbers {
        block.set_number(place, offset, number);
    }
    let list = offset_of!(IP_ADAPTER_INFO, IpAddressList);
    let subnets: Vec<_> = interface.subnets.iter().filter(|it| v4_of(it).is_some()).collect();
    let none = Subnet { address: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), prefix_len: 0 };
    let (first, others) = subnets.split_first().map_or((&none, &[][..]), |(one, all)| (*one, all));
    set_address(block, place, list, first);
    let add = |subnet: &&Subnet| {
        let entry = block.reserve(size_of::<IP_ADDR_STRING>());
        set_address(block, entry, 0, subnet);
        entry
    };
    let others: Vec<_> = others.iter().map(add).collect();
    let next = offset_of!(IP_ADDR_STRING, Next);
    block.link(place, list + next, next, &others);
    let none = cut("0.0.0.0", NAME_ROOM);
    let gateway = offset_of!(IP_ADAPTER_INFO, GatewayList);
    block.set(place, gateway + offset_of!(IP_ADDR_STRING, IpAddress), none);
    block.set(place, gateway + offset_of!(IP_ADDR_STRING, IpMask), none);
    place
}

fn adapters(base: usize, interfaces: &[Interface]) -> Block {
    let mut block = Block::new(base);
    let places: Vec<_> = interfaces.iter().map(|it| add_adapter(&mut block, it)).collect();
    block.chain(offset_of!(IP_ADAPTER_INFO, Next), &places);
    block
}

fn all() -> Outcome<Vec<Interface>> {
    interfaces::list(Families::All).map_err(refusal)
}

/// Addresses of nobody's (RFC 5737, RFC 3849), which the default route is for.
const NOBODY: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(203, 0, 113, 1), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

/// Where to ask the kernel for the way to an address. Programs ask for the way to 0.0.0.0 when they
/// want the default route's; Linux takes that for this host itself.
fn asked(to: &SocketAddr) -> SocketAddr {
    let ip = match to.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => NOBODY.0.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => NOBODY.1.into(),
        ip => ip,
    };
    let mut asked = *to;
    asked.set_ip(ip);
    if asked.port() == 0 {
        // Whichever: nothing is sent.
        asked.set_port(9);
    }
    asked
}

/// The interface whose address would be used.
fn best_towards(to: &SocketAddr) -> Outcome<u32> {
    let from = source_towards(&asked(to)).map_err(|status| match status {
        NtStatus::TOO_MANY_OPENED_FILES | NtStatus::INSUFFICIENT_RESOURCES => refusal(status),
        _ => Error::ERROR_NETWORK_UNREACHABLE,
    })?;
    let scope = match from {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(v6) => v6.scope_id(),
    };
    let from = from.ip();
    let found = all()?.into_iter().find(|interface| {
        let is_of_link = scope == 0 || scope == interface.index;
        let is_loopback = interface.link == Link::Loopback && from.is_loopback();
        is_of_link && interface.subnets.iter().any(|it| it.address.ip() == from || is_loopback)
    });
    found.map(|interface| interface.index).ok_or(Error::ERROR_NOT_FOUND)
}

fn store(at: *mut u32, value: impl FnOnce() -> Outcome<u32>) -> u32 {
    if at.is_null() {
        return Error::ERROR_INVALID_PARAMETER.0;
    }
    code(value().and_then(|value| ptr::write(at, value).map_err(no_access)))
}

export! {
    /// The IPv4 addresses of the host, with their interfaces and masks. Sorted.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getipaddrtable>
    ///
    /// # Errors
    /// Returned: ERROR_INSUFFICIENT_BUFFER with the size that is needed, ERROR_INVALID_PARAMETER,
    /// ERROR_NOACCESS.
    fn GetIpAddrTable(pIpAddrTable: *mut u8, pdwSize: *mut u32, bOrder: BOOL) -> u32,
        fail ERROR_GEN_FAILURE;
    {
        let _ = bOrder;
        let too_small = Error::ERROR_INSUFFICIENT_BUFFER;
        let table = |_| Ok(address_table(&all()?));
        Ok(code(hand_over_octets(pIpAddrTable, pdwSize, too_small, table)))
    }

    /// The adapters and their IPv4 addresses; loopback is none.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getadaptersinfo>
    ///
    /// # Errors
    /// Returned: ERROR_BUFFER_OVERFLOW with the size that is needed, ERROR_NO_DATA without an
    /// adapter, ERROR_INVALID_PARAMETER, ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// The adapters are Linux's interfaces, and their names too. Gateways, DHCP and WINS are not
    /// told.
    fn GetAdaptersInfo(AdapterInfo: *mut IP_ADAPTER_INFO, SizePointer: *mut u32) -> u32,
        fail ERROR_GEN_FAILURE;
    {
        let list = || {
            if SizePointer.is_null() {
                return Err(Error::ERROR_INVALID_PARAMETER);
            }
            let mut found = all()?;
            found.retain(|interface| interface.link != Link::Loopback);
            if found.is_empty() {
                return Err(Error::ERROR_NO_DATA);
            }
            hand_over(AdapterInfo.cast(), SizePointer, |base| adapters(base, &found))
        };
        Ok(code(list()))
    }

    /// How many interfaces the host has, loopback among them.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getnumberofinterfaces>
    ///
    /// # Errors
    /// Returned: ERROR_INVALID_PARAMETER, ERROR_NOACCESS.
    fn GetNumberOfInterfaces(pdwNumIf: *mut u32) -> u32, fail ERROR_GEN_FAILURE; {
        let count = || Ok(u32::try_from(all()?.len()).unwrap_or(u32::MAX));
        Ok(store(pdwNumIf, count))
    }

    /// The number of the interface that packets to an IPv4 address leave by; of 0.0.0.0, that of
    /// the default route.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getbestinterface>
    ///
    /// # Errors
    /// Returned: ERROR_INVALID_PARAMETER, ERROR_NETWORK_UNREACHABLE when there is no way,
    /// ERROR_NOT_FOUND when the way's address is no interface's, ERROR_NOACCESS.
    fn GetBestInterface(dwDestAddr: u32, pdwBestIfIndex: *mut u32) -> u32,
        fail ERROR_GEN_FAILURE;
    {
        let to = SocketAddr::from((Ipv4Addr::from(dwDestAddr.to_ne_bytes()), 0));
        Ok(store(pdwBestIfIndex, || best_towards(&to)))
    }

    /// The number of the interface that packets to an address leave by.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getbestinterfaceex>
    ///
    /// # Errors
    /// Returned, as those of GetBestInterface; ERROR_INVALID_PARAMETER also for another family.
    fn GetBestInterfaceEx(pDestAddr: *const u8, pdwBestIfIndex: *mut u32) -> u32,
        fail ERROR_GEN_FAILURE;
    {
        let best = || {
            let refused = |_| Error::ERROR_INVALID_PARAMETER;
            let number = ptr::read(pDestAddr.cast::<[u8; 2]>()).map_err(refused)?;
            let family = Family::from_number(u16::from_ne_bytes(number).into());
            let family = family.ok_or(Error::ERROR_INVALID_PARAMETER)?;
            let len = i32::try_from(family.address_len()).unwrap_or(i32::MAX);
            best_towards(&read_ip(family, pDestAddr, len).map_err(refused)?)
        };
        Ok(store(pdwBestIfIndex, best))
    }
}

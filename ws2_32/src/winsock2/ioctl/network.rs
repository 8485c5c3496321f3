//! The ioctls that tell of interfaces, addresses and routes.

use std::net::{Ipv4Addr, SocketAddr};

use linsock::afd::address::{self, Domain, Family};
use linsock::iocp::NtStatus;
use linsock::socket::Socket;
use linsock::transport::tcp;

use super::Buffers;
use crate::export::Outcome;
use crate::iphlpapi::block::Block;
use crate::iphlpapi::interfaces::{Families, Interface, Link, Subnet, list};
use crate::last_error::Error;
use crate::ptr;
use crate::winsock2::read_ip;

/// INTERFACE_INFO: the flags, and three addresses of 24 octets each: the interface's, that of
/// broadcasts, the mask.
const INTERFACE_INFO: usize = 76;
const ADDRESS: usize = 24;

const IFF_UP: u32 = 0x01;
const IFF_BROADCAST: u32 = 0x02;
const IFF_LOOPBACK: u32 = 0x04;
const IFF_POINTTOPOINT: u32 = 0x08;
const IFF_MULTICAST: u32 = 0x10;

/// SOCKET_ADDRESS_LIST: a count, aligned as the entries are; each a pointer and a length.
const LIST_HEAD: usize = 8;
const LIST_ENTRY: usize = 16;
const ENTRY_LENGTH: usize = 8;

/// The family of a socket's addresses.
///
/// # Errors
/// WSAEOPNOTSUPP when it is none of the internet.
fn family_of(socket: &Socket) -> Outcome<Family> {
    match socket.domain() {
        Domain::Ip(family) => Ok(family),
        Domain::Unix | Domain::Iso => Err(Error::WSAEOPNOTSUPP),
    }
}

fn flags_of(interface: &Interface) -> u32 {
    let flags = [
        (interface.is_running, IFF_UP),
        (interface.is_broadcast, IFF_BROADCAST),
        (interface.link == Link::Loopback, IFF_LOOPBACK),
        (interface.is_point_to_point, IFF_POINTTOPOINT),
        (interface.is_multicast, IFF_MULTICAST),
    ];
    flags.iter().filter(|(is_so, _)| *is_so).fold(0, |sum, (_, flag)| sum | flag)
}

fn info_of(interface: &Interface, subnet: &Subnet) -> [u8; INTERFACE_INFO] {
    let mask = u32::MAX.checked_shl(32 - u32::from(subnet.prefix_len)).unwrap_or(0);
    let of = |address| SocketAddr::from((Ipv4Addr::from_bits(address), 0));
    let mut info = [0; INTERFACE_INFO];
    info[..4].copy_from_slice(&flags_of(interface).to_ne_bytes());
    for (at, address) in [subnet.address, of(u32::MAX), of(mask)].iter().enumerate() {
        let (octets, len) = address::emit(address);
        let at = 4 + at * ADDRESS;
        info[at..at + len].copy_from_slice(&octets[..len]);
    }
    info
}

/// SIO_GET_INTERFACE_LIST: an INTERFACE_INFO for each IPv4 address.
pub(super) fn interface_list(socket: &Socket, buffers: &Buffers) -> Outcome<u32> {
    family_of(socket)?;
    let all = list(Families::One(Family::Inet))?;
    let infos = all.iter().flat_map(|one| one.subnets.iter().map(|subnet| info_of(one, subnet)));
    buffers.write_all(&infos.flatten().collect::<Vec<_>>())
}

/// SIO_ADDRESS_LIST_QUERY: the addresses of the socket's family that are no loopback's.
pub(super) fn address_list(socket: &Socket, buffers: &Buffers) -> Outcome<u32> {
    let all = list(Families::One(family_of(socket)?))?;
    let others = all.iter().filter(|interface| interface.link != Link::Loopback);
    let subnets: Vec<&Subnet> = others.flat_map(|interface| &interface.subnets).collect();
    let mut block = Block::new(buffers.output.addr());
    // The structure has one entry at least.
    let head = block.reserve(LIST_HEAD + LIST_ENTRY * subnets.len().max(1));
    block.set_number(head, 0, u32::try_from(subnets.len()).unwrap_or(0));
    for (at, subnet) in subnets.iter().enumerate() {
        let (octets, len) = address::emit(&subnet.address);
        let place = block.reserve(len);
        block.set(place, 0, &octets[..len]);
        let entry = LIST_HEAD + LIST_ENTRY * at;
        block.set_pointer(head, entry, place);
        block.set_number(head, entry + ENTRY_LENGTH, u32::try_from(len).unwrap_or(0));
    }
    let octets = block.into_octets();
    if (buffers.output_len as usize) < octets.len() {
        // WSAIoctl page: the length that is needed is told.
        ptr::write(buffers.returned, u32::try_from(octets.len()).unwrap_or(u32::MAX))?;
        return Err(Error::WSAEFAULT);
    }
    buffers.write_all(&octets)
}

/// SIO_ROUTING_INTERFACE_QUERY: the local address that would be used towards another.
pub(super) fn route(socket: &Socket, buffers: &Buffers) -> Outcome<u32> {
    let family = family_of(socket)?;
    let len = i32::try_from(buffers.input_len).unwrap_or(i32::MAX);
    let to = read_ip(family, buffers.input, len)?;
    let mut from = tcp::source_towards(&to)?;
    from.set_port(0);
    let (octets, len) = address::emit(&from);
    buffers.write_all(&octets[..len])
}

/// SIO_GET_BROADCAST_ADDRESS: where datagrams go that are for all.
pub(super) fn broadcast_address(socket: &Socket, buffers: &Buffers) -> Outcome<u32> {
    if socket.domain() != Domain::Ip(Family::Inet) || !socket.is_datagram() {
        return Err(NtStatus::NOT_SUPPORTED.into());
    }
    let (octets, len) = address::emit(&SocketAddr::from((Ipv4Addr::BROADCAST, 0)));
    buffers.write_all(&octets[..len])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ws2ipdef.h: flags, then three sockaddr_gen.
    #[test]
    fn an_interface_is_told_with_its_mask() {
        let subnet = Subnet { address: "10.1.2.3:0".parse().unwrap(), prefix_len: 20 };
        let interface = Interface {
            name: String::new(),
            index: 2,
            link: Link::Ethernet,
            hardware: Vec::new(),
            is_running: true,
            is_multicast: true,
            is_broadcast: true,
            is_point_to_point: false,
            mtu: 1500,
            subnets: Vec::new(),
        };
        let info = info_of(&interface, &subnet);
        assert_eq!(info[..4], (IFF_UP | IFF_BROADCAST | IFF_MULTICAST).to_ne_bytes());
        assert_eq!(info[4..12], [2, 0, 0, 0, 10, 1, 2, 3]);
        assert_eq!(info[28..36], [2, 0, 0, 0, 255, 255, 255, 255]);
        assert_eq!(info[52..60], [2, 0, 0, 0, 255, 255, 240, 0]);
        let all = Subnet { address: subnet.address, prefix_len: 0 };
        assert_eq!(info_of(&interface, &all)[56..60], [0; 4]);
    }
}

//! The interfaces as GetAdaptersAddresses lays them out.

use std::mem::offset_of;
use std::net::{IpAddr, SocketAddr};

use super::block::{Block, Place};
use super::interfaces::{Interface, Link, Subnet};
use super::layout::{
    ADDRESS_HEAD, IP_ADAPTER_ADDRESSES, IP_ADAPTER_PREFIX, IP_ADAPTER_UNICAST_ADDRESS,
};
use super::resolver::Resolver;

const SKIP_UNICAST: u32 = 0x01;
const SKIP_DNS_SERVER: u32 = 0x08;
const INCLUDE_PREFIX: u32 = 0x10;
const SKIP_FRIENDLY_NAME: u32 = 0x20;

const NO_MULTICAST: u32 = 0x10;
const IPV4_ENABLED: u32 = 0x80;
const IPV6_ENABLED: u32 = 0x100;
const STATUS_UP: u32 = 1;
const STATUS_DOWN: u32 = 2;
const DAD_STATE_PREFERRED: u32 = 4;
const CONNECTION_DEDICATED: u32 = 1;
const FOR_EVER: u32 = u32::MAX;

impl Link {
    /// The number of the standard (IF_TYPE_...).
    pub(super) const fn number(self) -> u32 {
        match self {
            Self::Ethernet => 6,
            Self::Loopback => 24,
            Self::PointToPoint => 23,
            Self::Tunnel => 131,
            Self::Other => 1,
        }
    }
}

/// The address of a subnet's network.
fn network_of(subnet: &Subnet) -> SocketAddr {
    let len = u32::from(subnet.prefix_len);
    let ip = match subnet.address.ip() {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - len).unwrap_or(0);
            IpAddr::V4((ip.to_bits() & mask).into())
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - len).unwrap_or(0);
            IpAddr::V6((ip.to_bits() & mask).into())
        }
    };
    SocketAddr::new(ip, 0)
}

fn add_unicast(block: &mut Block, subnet: &Subnet) -> Place {
    let place = block.add_address(size_of::<IP_ADAPTER_UNICAST_ADDRESS>(), &subnet.address);
    let numbers = [
        (offset_of!(IP_ADAPTER_UNICAST_ADDRESS, DadState), DAD_STATE_PREFERRED),
        (offset_of!(IP_ADAPTER_UNICAST_ADDRESS, ValidLifetime), FOR_EVER),
        (offset_of!(IP_ADAPTER_UNICAST_ADDRESS, PreferredLifetime), FOR_EVER),
        (offset_of!(IP_ADAPTER_UNICAST_ADDRESS, LeaseLifetime), FOR_EVER),
    ];
    for (offset, number) in numbers {
        block.set_number(place, offset, number);
    }
    let len = offset_of!(IP_ADAPTER_UNICAST_ADDRESS, OnLinkPrefixLength);
    block.set(place, len, &[subnet.prefix_len]);
    place
}

fn add_prefix(block: &mut Block, subnet: &Subnet) -> Place {
    let place = block.add_address(size_of::<IP_ADAPTER_PREFIX>(), &network_of(subnet));
    let len = u32::from(subnet.prefix_len);
    block.set_number(place, offset_of!(IP_ADAPTER_PREFIX, PrefixLength), len);
    place
}

fn set_numbers(block: &mut Block, place: Place, interface: &Interface) {
    let has_v4 = interface.subnets.iter().any(|subnet| subnet.address.is_ipv4());
    let has_v6 = interface.subnets.iter().any(|subnet| subnet.address.is_ipv6());
    let flags =
        [(!interface.is_multicast, NO_MULTICAST), (has_v4, IPV4_ENABLED), (has_v6, IPV6_ENABLED)];
    let flags = flags.iter().filter(|(is_so, _)| *is_so).fold(0, |all, (_, flag)| all | flag);
    let length = u32::try_from(size_of::<IP_ADAPTER_ADDRESSES>()).unwrap_or(u32::MAX);
    let index_of = |has| if has { interface.index } else { 0 };
    let numbers = [
        (offset_of!(IP_ADAPTER_ADDRESSES, Length), length),
        (offset_of!(IP_ADAPTER_ADDRESSES, IfIndex), interface.index),
        (offset_of!(IP_ADAPTER_ADDRESSES, Ipv6IfIndex), index_of(has_v6)),
        (offset_of!(IP_ADAPTER_ADDRESSES, Flags), flags),
        (offset_of!(IP_ADAPTER_ADDRESSES, Mtu), interface.mtu),
        (offset_of!(IP_ADAPTER_ADDRESSES, IfType), interface.link.number()),
        (
            offset_of!(IP_ADAPTER_ADDRESSES, OperStatus),
            if interface.is_running { STATUS_UP } else { STATUS_DOWN },
        ),
        (offset_of!(IP_ADAPTER_ADDRESSES, CompartmentId), 1),
        (offset_of!(IP_ADAPTER_ADDRESSES, ConnectionType), CONNECTION_DEDICATED),
    ];
    for (offset, number) in numbers {
        block.set_number(place, offset, number);
    }
}

fn set_hardware(block: &mut Block, place: Place, hardware: &[u8]) {
    let known = hardware.len().min(8);
    block.set(place, offset_of!(IP_ADAPTER_ADDRESSES, PhysicalAddress), &hardware[..known]);
    let length = u32::try_from(known).unwrap_or(0);
    block.set_number(place, offset_of!(IP_ADAPTER_ADDRESSES, PhysicalAddressLength), length);
}

fn add(block: &mut Block, interface: &Interface, flags: u32, resolver: &Resolver) -> Place {
    let next = offset_of!(ADDRESS_HEAD, Next);
    let place = block.reserve(size_of::<IP_ADAPTER_ADDRESSES>());
    set_numbers(block, place, interface);
    set_hardware(block, place, &interface.hardware);
    let name = offset_of!(IP_ADAPTER_ADDRESSES, AdapterName);
    block.set_text(place, name, interface.name.as_bytes());
    let suffix = offset_of!(IP_ADAPTER_ADDRESSES, DnsSuffix);
    block.set_wide_text(place, suffix, resolver.domain());
    let description = offset_of!(IP_ADAPTER_ADDRESSES, Description);
    block.set_wide_text(place, description, &interface.name);
    if flags & SKIP_FRIENDLY_NAME == 0 {
        let friendly = offset_of!(IP_ADAPTER_ADDRESSES, FriendlyName);
        block.set_wide_text(place, friendly, &interface.name);
    }
    if flags & SKIP_UNICAST == 0 {
        let list: Vec<_> = interface.subnets.iter().map(|s| add_unicast(block, s)).collect();
        let first = offset_of!(IP_ADAPTER_ADDRESSES, FirstUnicastAddress);
        block.link(place, first, next, &list);
    }
    if flags & INCLUDE_PREFIX != 0 {
        let list: Vec<_> = interface.subnets.iter().map(|s| add_prefix(block, s)).collect();
        block.link(place, offset_of!(IP_ADAPTER_ADDRESSES, FirstPrefix), next, &list);
    }
    if flags & SKIP_DNS_SERVER == 0 && interface.link != Link::Loopback {
        let size = size_of::<ADDRESS_HEAD>();
        let servers = resolver.servers().iter();
        let servers = servers.map(|ip| block.add_address(size, &SocketAddr::new(*ip, 0)));
        let list: Vec<_> = servers.collect();
        let first = offset_of!(IP_ADAPTER_ADDRESSES, FirstDnsServerAddress);
        block.link(place, first, next, &list);
    }
    place
}

/// The list, for memory that begins at `base`.
pub(super) fn lay_out(
    base: usize,
    interfaces: &[Interface],
    flags: u32,
    resolver: &Resolver,
) -> Block {
    let mut block = Block::new(base);
    let places: Vec<_> =
        interfaces.iter().map(|interface| add(&mut block, interface, flags, resolver)).collect();
    block.chain(offset_of!(IP_ADAPTER_ADDRESSES, Next), &places);
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_what_the_mask_leaves() {
        for (address, prefix_len, network) in [
            ("192.0.2.77:0", 24, "192.0.2.0:0"),
            ("192.0.2.77:0", 32, "192.0.2.77:0"),
            ("192.0.2.77:0", 0, "0.0.0.0:0"),
            ("[2001:db8::77]:0", 64, "[2001:db8::]:0"),
            ("[2001:db8::77]:0", 128, "[2001:db8::77]:0"),
            ("[2001:db8::77]:0", 0, "[::]:0"),
        ] {
            let subnet = Subnet { address: address.parse().unwrap(), prefix_len };
            assert_eq!(network_of(&subnet), network.parse().unwrap(), "{address}/{prefix_len}");
        }
    }
}

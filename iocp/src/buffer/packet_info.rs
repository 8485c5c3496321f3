//! What is told beside a datagram: the local address and the interface it came to, or is to leave
//! from (IP_PKTINFO, IPV6_PKTINFO).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A local address and an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketInfo {
    /// Of a datagram that came: the address it was sent to. Of one that leaves: where it comes
    /// from; unspecified for the system's choice.
    pub address: IpAddr,
    /// The interface's index; 0 for the system's choice.
    pub interface: u32,
}

/// The kernel's control messages: each a `cmsghdr` (its length, level, type) and its data, aligned
/// to eight octets.
#[repr(align(8))]
pub(super) struct Control {
    octets: [u8; Self::ROOM],
    len: usize,
}

const HEADER: usize = size_of::<libc::cmsghdr>();
/// `in_pktinfo`: interface, address to leave from, address in the header.
const V4: usize = 12;
/// `in6_pktinfo`: address, interface.
const V6: usize = 20;

const _: () = assert!(HEADER == 16);

impl Control {
    /// For both, whichever the kernel tells of a datagram.
    pub(super) const ROOM: usize = 96;

    /// Room for what the kernel tells.
    pub(super) const fn new() -> Self {
        Self { octets: [0; Self::ROOM], len: 0 }
    }

    pub(super) fn of(info: &PacketInfo) -> Self {
        let mut control = Self::new();
        let interface = info.interface.to_ne_bytes();
        match info.address {
            IpAddr::V4(address) => {
                let mut data = [0; V4];
                data[..4].copy_from_slice(&interface);
                data[4..8].copy_from_slice(&address.octets());
                control.put(libc::IPPROTO_IP, libc::IP_PKTINFO, &data);
            }
            IpAddr::V6(address) => {
                let mut data = [0; V6];
                data[..16].copy_from_slice(&address.octets());
                data[16..].copy_from_slice(&interface);
                control.put(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &data);
            }
        }
        control
    }

    fn put(&mut self, level: i32, kind: i32, data: &[u8]) {
        self.octets[..8].copy_from_slice(&(HEADER + data.len()).to_ne_bytes());
        self.octets[8..12].copy_from_slice(&level.to_ne_bytes());
        self.octets[12..16].copy_from_slice(&kind.to_ne_bytes());
        self.octets[HEADER..HEADER + data.len()].copy_from_slice(data);
        self.len = (HEADER + data.len()).next_multiple_of(8);
    }

    /// Has a message point here.
    pub(super) fn give_to(&mut self, message: &mut libc::msghdr, len: usize) {
        message.msg_control = self.octets.as_mut_ptr().cast();
        message.msg_controllen = len;
    }

    /// Octets that there are.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The kernel has written so many octets.
    pub(super) fn set_len(&mut self, len: usize) {
        self.len = len.min(Self::ROOM);
    }

    /// What the kernel told.
    pub(super) fn info(&self) -> Option<PacketInfo> {
        let mut rest = &self.octets[..self.len];
        while let Some((header, _)) = rest.split_first_chunk::<HEADER>() {
            let len = usize::from_ne_bytes(*header.first_chunk()?);
            let data = rest.get(HEADER..len)?;
            if let Some(info) = read(word(header, 8)?, word(header, 12)?, data) {
                return Some(info);
            }
            rest = rest.get(len.next_multiple_of(8)..).unwrap_or(&[]);
        }
        None
    }
}

fn word(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes)
}

fn read(level: u32, kind: u32, data: &[u8]) -> Option<PacketInfo> {
    Some(match (level.cast_signed(), kind.cast_signed()) {
        (libc::IPPROTO_IP, libc::IP_PKTINFO) => PacketInfo {
            address: Ipv4Addr::from(*data.get(8..)?.first_chunk::<4>()?).into(),
            interface: word(data, 0)?,
        },
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => PacketInfo {
            address: Ipv6Addr::from(*data.first_chunk::<16>()?).into(),
            interface: word(data, 16)?,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_read() {
        let v6 = PacketInfo { address: Ipv6Addr::LOCALHOST.into(), interface: 3 };
        assert_eq!(Control::of(&v6).info(), Some(v6));
        // The kernel reads the address to leave from where it does not tell that of the header.
        let v4 = PacketInfo { address: Ipv4Addr::LOCALHOST.into(), interface: 7 };
        let mut control = Control::of(&v4);
        assert_eq!(control.octets[HEADER..HEADER + 8], [7, 0, 0, 0, 127, 0, 0, 1]);
        control.octets[HEADER + 8..HEADER + V4].copy_from_slice(&[127, 0, 0, 9]);
        let told = PacketInfo { address: Ipv4Addr::new(127, 0, 0, 9).into(), interface: 7 };
        assert_eq!(control.info(), Some(told));
    }

    #[test]
    fn other_messages_are_passed_over_and_cut_ones_are_none() {
        let v6 = PacketInfo { address: Ipv6Addr::LOCALHOST.into(), interface: 3 };
        let mut control = Control::new();
        control.put(libc::IPPROTO_IP, libc::IP_TTL, &[64, 0, 0, 0]);
        let first = control.len;
        let second = Control::of(&v6);
        control.octets[first..first + second.len].copy_from_slice(&second.octets[..second.len]);
        control.set_len(first + second.len);
        assert_eq!(control.info(), Some(v6));
        for len in 0..first + HEADER + V6 {
            control.set_len(len);
            assert_eq!(control.info(), None, "{len}");
        }
    }
}

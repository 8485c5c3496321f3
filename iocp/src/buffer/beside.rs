//! What is told beside a datagram: the local address and the interface it came to, or is to leave
//! from (IP_PKTINFO, IPV6_PKTINFO), the hops that it has left (IP_TTL, IPV6_HOPLIMIT) and its class
//! of traffic (IP_TOS, IPV6_TCLASS).

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

/// A number in the header of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderField {
    /// Whether the header is IPv6's.
    pub is_v6: bool,
    /// The number.
    pub value: u8,
}

/// What is told of a datagram that came, or said of one that leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// Where it came to or is to leave from.
    pub info: Option<PacketInfo>,
    /// The hops that it has left.
    pub hops: Option<HeaderField>,
    /// Its class of traffic.
    pub traffic: Option<HeaderField>,
}

impl Beside {
    /// Nothing.
    pub const NOTHING: Self = Self { info: None, hops: None, traffic: None };

    /// The address and interface only.
    pub const fn at(info: PacketInfo) -> Self {
        Self { info: Some(info), ..Self::NOTHING }
    }
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

/// The messages of the hops, of IPv4 and of IPv6.
const HOPS: [(i32, i32); 2] =
    [(libc::IPPROTO_IP, libc::IP_TTL), (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT)];
/// Those of the class of traffic.
const TRAFFIC: [(i32, i32); 2] =
    [(libc::IPPROTO_IP, libc::IP_TOS), (libc::IPPROTO_IPV6, libc::IPV6_TCLASS)];

const _: () = assert!(HEADER == 16);

impl Control {
    /// For all of both versions, whichever the kernel tells of a datagram.
    pub(super) const ROOM: usize = 176;

    /// Room for what the kernel tells.
    pub(super) const fn new() -> Self {
        Self { octets: [0; Self::ROOM], len: 0 }
    }

    /// What is said of a datagram; `None` if that is nothing.
    pub(super) fn of(beside: &Beside) -> Option<Self> {
        let mut control = Self::new();
        if let Some(info) = &beside.info {
            control.put_info(info);
        }
        let fields = [(beside.hops, HOPS), (beside.traffic, TRAFFIC)];
        for (field, kinds) in fields {
            if let Some(HeaderField { is_v6, value }) = field {
                let (level, kind) = kinds[usize::from(is_v6)];
                control.put(level, kind, &u32::from(value).to_ne_bytes());
            }
        }
        (control.len > 0).then_some(control)
    }

    fn put_info(&mut self, info: &PacketInfo) {
        let interface = info.interface.to_ne_bytes();
        match info.address {
            IpAddr::V4(address) => {
                let mut data = [0; V4];
                data[..4].copy_from_slice(&interface);
                data[4..8].copy_from_slice(&address.octets());
                self.put(libc::IPPROTO_IP, libc::IP_PKTINFO, &data);
            }
            IpAddr::V6(address) => {
                let mut data = [0; V6];
                data[..16].copy_from_slice(&address.octets());
                data[16..].copy_from_slice(&interface);
                self.put(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &data);
            }
        }
    }

    fn put(&mut self, level: i32, kind: i32, data: &[u8]) {
        let to = &mut self.octets[self.len..];
        to[..8].copy_from_slice(&(HEADER + data.len()).to_ne_bytes());
        to[8..12].copy_from_slice(&level.to_ne_bytes());
        to[12..16].copy_from_slice(&kind.to_ne_bytes());
        to[HEADER..HEADER + data.len()].copy_from_slice(data);
        self.len += (HEADER + data.len()).next_multiple_of(8);
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
    pub(super) fn beside(&self) -> Beside {
        let mut beside = Beside::NOTHING;
        let mut rest = &self.octets[..self.len];
        while let Some(len) = beside.take_message(rest) {
            rest = rest.get(len.next_multiple_of(8)..).unwrap_or(&[]);
        }
        beside
    }
}

impl Beside {
    /// Takes in the first message; gives its length, or `None` if there is none.
    fn take_message(&mut self, octets: &[u8]) -> Option<usize> {
        let header = octets.first_chunk::<HEADER>()?;
        let len = usize::from_ne_bytes(*header.first_chunk()?);
        let data = octets.get(HEADER..len)?;
        let name = (word(header, 8)?.cast_signed(), word(header, 12)?.cast_signed());
        // A number, in one octet or in four by the machine's order.
        let field = |kinds: [(i32, i32); 2]| {
            let is_v6 = kinds.iter().position(|kind| *kind == name)? == 1;
            let value = word(data, 0).or_else(|| data.first().map(|&octet| octet.into()))?;
            Some(HeaderField { is_v6, value: value.to_le_bytes()[0] })
        };
        self.info = read_info(name, data).or(self.info);
        self.hops = field(HOPS).or(self.hops);
        self.traffic = field(TRAFFIC).or(self.traffic);
        Some(len)
    }
}

fn word(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes)
}

fn read_info(name: (i32, i32), data: &[u8]) -> Option<PacketInfo> {
    Some(match name {
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

    fn put(beside: Beside) -> Control {
        Control::of(&beside).unwrap()
    }

    #[test]
    fn what_is_put_is_read() {
        let v6 = PacketInfo { address: Ipv6Addr::LOCALHOST.into(), interface: 3 };
        assert_eq!(put(Beside::at(v6)).beside(), Beside::at(v6));
        // The kernel reads the address to leave from where it does not tell that of the header.
        let v4 = PacketInfo { address: Ipv4Addr::LOCALHOST.into(), interface: 7 };
        let mut control = put(Beside::at(v4));
        assert_eq!(control.octets[HEADER..HEADER + 8], [7, 0, 0, 0, 127, 0, 0, 1]);
        control.octets[HEADER + 8..HEADER + V4].copy_from_slice(&[127, 0, 0, 9]);
        let told = PacketInfo { address: Ipv4Addr::new(127, 0, 0, 9).into(), interface: 7 };
        assert_eq!(control.beside(), Beside::at(told));
    }

    #[test]
    fn all_that_is_put_is_read() {
        let info = PacketInfo { address: Ipv6Addr::LOCALHOST.into(), interface: 3 };
        for is_v6 in [false, true] {
            let [hops, traffic] = [64, 0xB8].map(|value| Some(HeaderField { is_v6, value }));
            let all = Beside { info: Some(info), hops, traffic };
            assert_eq!(put(all).beside(), all);
            let one = Beside { traffic, ..Beside::NOTHING };
            assert_eq!(put(one).beside(), one);
        }
        assert!(Control::of(&Beside::NOTHING).is_none());
    }

    /// ip(7): IP_TOS is told in one octet.
    #[test]
    fn a_number_may_be_one_octet() {
        let mut control = Control::new();
        control.put(libc::IPPROTO_IP, libc::IP_TOS, &[0x2E]);
        let traffic = Some(HeaderField { is_v6: false, value: 0x2E });
        assert_eq!(control.beside(), Beside { traffic, ..Beside::NOTHING });
    }

    #[test]
    fn other_messages_are_passed_over_and_cut_ones_are_none() {
        let v6 = PacketInfo { address: Ipv6Addr::LOCALHOST.into(), interface: 3 };
        let mut control = Control::new();
        control.put(libc::SOL_SOCKET, libc::SCM_RIGHTS, &[64, 0, 0, 0]);
        let first = control.len;
        control.put_info(&v6);
        assert_eq!(control.beside(), Beside::at(v6));
        for len in 0..first + HEADER + V6 {
            control.set_len(len);
            assert_eq!(control.beside(), Beside::NOTHING, "{len}");
        }
    }

    /// The kernel may tell everything of both versions.
    #[test]
    fn there_is_room_for_all() {
        let mut control = Control::new();
        control.put_info(&PacketInfo { address: Ipv4Addr::LOCALHOST.into(), interface: 1 });
        control.put_info(&PacketInfo { address: Ipv6Addr::LOCALHOST.into(), interface: 1 });
        for (level, kind) in HOPS.into_iter().chain(TRAFFIC) {
            control.put(level, kind, &[1, 0, 0, 0]);
        }
        assert!(control.len <= Control::ROOM);
    }
}

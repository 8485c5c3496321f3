//! Multicast groups: joined and left by options of datagram sockets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::BorrowedFd;

use linsock_iocp::NtStatus;
use linsock_iocp::afd::address::{AddressError, Family, parse};
use rustix::net::sockopt;

use super::number::Interface;
use super::{IPPROTO_IP, IPPROTO_IPV6, dword, front};
use crate::transport::status_of;

/// IP_ADD_MEMBERSHIP, IPV6_ADD_MEMBERSHIP.
const ADD: i32 = 12;
/// IP_DROP_MEMBERSHIP, IPV6_DROP_MEMBERSHIP.
const DROP: i32 = 13;
const IP_ADD_SOURCE_MEMBERSHIP: i32 = 15;
const IP_DROP_SOURCE_MEMBERSHIP: i32 = 16;
const MCAST_JOIN_GROUP: i32 = 41;
const MCAST_LEAVE_GROUP: i32 = 42;

/// Where `group_req` has the group: behind the interface, aligned as SOCKADDR_STORAGE is.
const GROUP_AT: usize = 8;

/// What an option does to the groups of a socket.
pub(super) struct Change {
    joins: bool,
    group: Group,
}

enum Group {
    V4 { group: Ipv4Addr, interface: Interface },
    V4FromSource { group: Ipv4Addr, source: Ipv4Addr, interface: Ipv4Addr },
    V6 { group: Ipv6Addr, interface: u32 },
}

/// Whether the option is one of these.
pub(super) const fn is_change(level: i32, name: i32) -> bool {
    matches!(
        (level, name),
        (IPPROTO_IP | IPPROTO_IPV6, ADD | DROP | MCAST_JOIN_GROUP | MCAST_LEAVE_GROUP)
            | (IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP | IP_DROP_SOURCE_MEMBERSHIP)
    )
}

impl Change {
    /// Reads what a program gave: `ip_mreq`, `ip_mreq_source`, `ipv6_mreq`, `group_req`.
    ///
    /// # Errors
    /// WSAEFAULT when it is too short; WSAEINVAL for an address of another family.
    pub(super) fn read(level: i32, name: i32, value: &[u8]) -> Result<Self, NtStatus> {
        let joins = matches!(name, ADD | IP_ADD_SOURCE_MEMBERSHIP | MCAST_JOIN_GROUP);
        let address = |at: usize| front::<4>(value.get(at..).unwrap_or(&[])).map(Ipv4Addr::from);
        let group = match (level, name) {
            (_, MCAST_JOIN_GROUP | MCAST_LEAVE_GROUP) => Group::read_any(level, value)?,
            // In Windows' order, which is not the kernel's.
            (_, IP_ADD_SOURCE_MEMBERSHIP | IP_DROP_SOURCE_MEMBERSHIP) => Group::V4FromSource {
                group: address(0)?,
                source: address(4)?,
                interface: address(8)?,
            },
            (IPPROTO_IP, _) => {
                let interface = Interface::of(u32::from_ne_bytes(address(4)?.octets()));
                Group::V4 { group: address(0)?, interface }
            }
            _ => Group::V6 {
                group: Ipv6Addr::from(front::<16>(value)?),
                interface: dword(value.get(16..).unwrap_or(&[]))?,
            },
        };
        Ok(Self { joins, group })
    }

    /// Joins the group, or leaves it.
    ///
    /// # Errors
    /// WSAEINVAL for what is no group; WSAEADDRNOTAVAIL for one that it is not in, or no such
    /// interface; what else the kernel refuses.
    pub(super) fn perform(&self, fd: BorrowedFd<'_>) -> Result<(), NtStatus> {
        let any = &Ipv4Addr::UNSPECIFIED;
        let done = match (&self.group, self.joins) {
            (Group::V4 { group, interface: Interface::Address(at) }, true) => {
                sockopt::set_ip_add_membership(fd, group, at)
            }
            (Group::V4 { group, interface: Interface::Address(at) }, false) => {
                sockopt::set_ip_drop_membership(fd, group, at)
            }
            (Group::V4 { group, interface: Interface::Index(index) }, true) => {
                sockopt::set_ip_add_membership_with_ifindex(fd, group, any, *index)
            }
            (Group::V4 { group, interface: Interface::Index(index) }, false) => {
                sockopt::set_ip_drop_membership_with_ifindex(fd, group, any, *index)
            }
            (Group::V4FromSource { group, source, interface }, true) => {
                sockopt::set_ip_add_source_membership(fd, group, interface, source)
            }
            (Group::V4FromSource { group, source, interface }, false) => {
                sockopt::set_ip_drop_source_membership(fd, group, interface, source)
            }
            (Group::V6 { group, interface }, true) => {
                sockopt::set_ipv6_add_membership(fd, group, *interface)
            }
            (Group::V6 { group, interface }, false) => {
                sockopt::set_ipv6_drop_membership(fd, group, *interface)
            }
        };
        done.map_err(status_of)
    }
}

impl Group {
    /// Reads `group_req`: an interface's index and an address of the level's family.
    fn read_any(level: i32, value: &[u8]) -> Result<Self, NtStatus> {
        let interface = dword(value)?;
        let family = if level == IPPROTO_IP { Family::Inet } else { Family::Inet6 };
        let address = parse(family, value.get(GROUP_AT..).unwrap_or(&[]));
        let refused = |error| match error {
            AddressError::TooShort => NtStatus::ACCESS_VIOLATION,
            AddressError::WrongFamily => NtStatus::INVALID_PARAMETER,
        };
        Ok(match address.map_err(refused)?.ip() {
            IpAddr::V4(group) if interface == 0 => {
                Self::V4 { group, interface: Interface::Address(Ipv4Addr::UNSPECIFIED) }
            }
            IpAddr::V4(group) => Self::V4 { group, interface: Interface::Index(interface) },
            IpAddr::V6(group) => Self::V6 { group, interface },
        })
    }
}

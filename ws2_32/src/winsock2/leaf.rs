//! WSAJoinLeaf: multicast groups by the call for sessions of many points.

use std::net::{IpAddr, SocketAddr};

use linsock::afd::address::{Address, Domain};
use linsock::option;
use linsock::socket::Socket;

use super::read_ip;
use crate::abi::{INVALID_SOCKET, SOCKET, WSABUF};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;

const SENDER_ONLY: u32 = 1;
const RECEIVER_ONLY: u32 = 2;
const BOTH: u32 = 4;

const IPPROTO_IP: i32 = 0;
const IPPROTO_IPV6: i32 = 41;
/// IP_ADD_MEMBERSHIP and IPV6_ADD_MEMBERSHIP.
const ADD_MEMBERSHIP: i32 = 12;

/// IP_MULTICAST_IF.
const MULTICAST_IF: i32 = 9;

/// Has the socket receive what is sent to a group, by the interface that it is bound to or else
/// sends to groups by.
fn receive(socket: &Socket, group: SocketAddr) -> Outcome<()> {
    let own = socket.local_address()?;
    match group {
        SocketAddr::V4(group) => {
            let interface = match own {
                Address::Ip(SocketAddr::V4(own)) if !own.ip().is_unspecified() => {
                    own.ip().octets().to_vec()
                }
                _ => option::get(socket, IPPROTO_IP, MULTICAST_IF)?.octets(4).unwrap_or_default(),
            };
            let request = [group.ip().octets().to_vec(), interface].concat();
            option::set(socket, IPPROTO_IP, ADD_MEMBERSHIP, &request)?;
        }
        SocketAddr::V6(group) => {
            let mut request = group.ip().octets().to_vec();
            request.extend(group.scope_id().to_ne_bytes());
            option::set(socket, IPPROTO_IPV6, ADD_MEMBERSHIP, &request)?;
        }
    }
    Ok(())
}

fn is_group(address: IpAddr) -> bool {
    address.is_multicast()
}

export! {
    /// Joins a multicast group; gives the socket itself, which is a leaf like every other of the
    /// group.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsajoinleaf>
    ///
    /// With JL_RECEIVER_ONLY or JL_BOTH the socket receives what is sent to the group, by the
    /// interface of the address that it is bound to, or for any address by that of IP_MULTICAST_IF
    /// (IPv6: by that of the group's scope); with JL_SENDER_ONLY the group is where its sends go.
    /// Never blocks.
    ///
    /// Errors, in order: WSAENOTSOCK; WSAEOPNOTSUPP (not a datagram socket of IPv4 or IPv6);
    /// WSAEFAULT, WSAEAFNOSUPPORT; WSAEINVAL (flags); WSAENOPROTOOPT (caller data);
    /// WSAEADDRNOTAVAIL (no group); to receive WSAEINVAL (not bound) and WSAEADDRINUSE (in the
    /// group already).
    ///
    /// # Differs from Windows
    /// The quality of service is not looked at. JL_BOTH gives sends no destination: sendto does.
    /// WSA_FLAG_MULTIPOINT_C_LEAF is not asked for. As with IP_ADD_MEMBERSHIP, a socket that is
    /// bound to one address gets only what is sent to that.
    winsock fn WSAJoinLeaf(
        s: SOCKET,
        name: *const u8,
        namelen: i32,
        caller: *const WSABUF,
        callee: *mut WSABUF,
        _sqos: *const u8,
        _gqos: *const u8,
        flags: u32,
    ) -> SOCKET, fail INVALID_SOCKET; {
        let socket = Socket::from_value(s)?;
        let (true, Domain::Ip(family)) = (socket.is_datagram(), socket.domain()) else {
            return Err(Error::WSAEOPNOTSUPP);
        };
        let group = read_ip(family, name, namelen)?;
        if !matches!(flags, SENDER_ONLY | RECEIVER_ONLY | BOTH) {
            return Err(Error::WSAEINVAL);
        }
        if !caller.is_null() && ptr::read(caller)?.len != 0 {
            return Err(Error::WSAENOPROTOOPT);
        }
        ptr::check_writable_opt(callee)?;
        if !is_group(group.ip()) {
            return Err(Error::WSAEADDRNOTAVAIL);
        }
        match flags {
            SENDER_ONLY => socket.set_destination(Some(group))?,
            _ => receive(&socket, group)?,
        }
        Ok(s)
    }
}

//! What the kernel tells of the sockets of IPv6 by sock_diag(7), and not in /proc: whether one
//! takes IPv4 too, and the scope of an address of a link.
//!
//! Anybody may ask. Where nobody may have a socket of netlink (a sandbox) nothing is known.

use std::collections::HashMap;
use std::net::{Ipv6Addr, SocketAddr};

use rustix::io::Errno;

use crate::transport::sock_diag::{self, DONE, Diag, ERROR, LOOK_UP};

/// A socket: its number (0 in TIME_WAIT) and its ends, without scopes.
pub(super) type Key = (u64, SocketAddr, SocketAddr);

/// What is known of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// The interface that it is bound to; 0 for none.
    pub(super) interface: u32,
    /// IPV6_V6ONLY is off; told of listeners, and of sockets for datagrams without a peer.
    pub(super) takes_v4: bool,
}

/// `inet_diag_msg`, in octets; attributes stand behind it.
const MESSAGE: usize = 72;
/// `INET_DIAG_SKV6ONLY`.
const V6ONLY: u16 = 11;

/// The facts of every socket of IPv6.
pub(super) fn of_ipv6(protocol: u8) -> HashMap<Key, Facts> {
    let mut facts = HashMap::new();
    // What has come until then is true.
    let _ = ask(protocol, &mut facts);
    facts
}

fn ask(protocol: u8, facts: &mut HashMap<Key, Facts>) -> Result<(), Errno> {
    let flags = sock_diag::REQUESTS | sock_diag::DUMP;
    let request = sock_diag::request(LOOK_UP, flags, sock_diag::INET6, protocol);
    Diag::open()?.ask(&request, |received| !read(received, facts))
}

/// Reads the messages; false when the last was among them.
fn read(octets: &[u8], facts: &mut HashMap<Key, Facts>) -> bool {
    for (kind, body) in sock_diag::messages(octets) {
        match kind {
            DONE | ERROR => return false,
            LOOK_UP => facts.extend(socket(body)),
            _ => {}
        }
    }
    true
}

/// An `inet_diag_msg` and its attributes: family, state, timer, retransmissions; then the ports,
/// addresses, interface and cookie; five numbers, of which the last is the socket's.
fn socket(message: &[u8]) -> Option<(Key, Facts)> {
    let number = |at: usize| Some(u32::from_ne_bytes(message.get(at..at + 4)?.try_into().ok()?));
    let end = |port: usize, at: usize| {
        let ip: [u8; 16] = message.get(at..at + 16)?.try_into().ok()?;
        let port = u16::from_be_bytes(message.get(port..port + 2)?.try_into().ok()?);
        Some(SocketAddr::from((Ipv6Addr::from(ip), port)))
    };
    let key = (number(68)?.into(), end(4, 8)?, end(6, 24)?);
    let takes_v4 = attribute(message.get(MESSAGE..)?, V6ONLY) == Some(0);
    Some((key, Facts { interface: number(40)?, takes_v4 }))
}

/// The first octet of an attribute: `nlattr`, whose length counts its head.
fn attribute(mut octets: &[u8], wanted: u16) -> Option<u8> {
    while let Some([len_low, len_high, kind_low, kind_high]) = octets.first_chunk() {
        if u16::from_ne_bytes([*kind_low, *kind_high]) == wanted {
            return octets.get(4).copied();
        }
        let len = usize::from(u16::from_ne_bytes([*len_low, *len_high]));
        octets = octets.get(len.next_multiple_of(4).max(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::sock_diag::HEADER;

    fn message(kind: u16, body: &[u8]) -> Vec<u8> {
        let len = u32::try_from(HEADER + body.len()).unwrap();
        let mut octets = len.to_ne_bytes().to_vec();
        octets.extend(kind.to_ne_bytes());
        octets.resize(HEADER, 0);
        octets.extend(body);
        octets
    }

    /// The offsets of linux/inet_diag.h.
    #[test]
    fn messages_are_read_and_garbage_is_not() {
        let mut body = vec![0; MESSAGE];
        body[..8].copy_from_slice(&[sock_diag::INET6, 10, 0, 0, 0x12, 0x34, 0, 80]);
        (body[23], body[39], body[40], body[68]) = (1, 2, 7, 9);
        body.extend([6, 0, 8, 0, 1, 1, 0, 0]);
        body.extend([5, 0, 11, 0, 0, 0, 0, 0]);
        let (one, last) = (message(LOOK_UP, &body), message(DONE, &[0; 4]));
        let mut facts = HashMap::new();
        assert!(read(&one, &mut facts), "more may follow");
        assert!(!read(&[&one[..], &last].concat(), &mut facts));
        let key = (9, "[::1]:4660".parse().unwrap(), "[::2]:80".parse().unwrap());
        assert_eq!(facts, HashMap::from([(key, Facts { interface: 7, takes_v4: true })]));
        for len in 0..one.len() {
            let mut facts = HashMap::new();
            read(&one[..len], &mut facts);
            assert!(facts.is_empty(), "{len}");
        }
        assert!(read(&[0xFF; 64], &mut facts) && read(&[0; 64], &mut facts));
        assert_eq!(attribute(&[0; 16], V6ONLY), None);
    }
}

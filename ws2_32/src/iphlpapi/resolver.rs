//! Who answers questions of names, as /etc/resolv.conf says it.

use std::mem::offset_of;
use std::net::IpAddr;

use super::block::{Block, Place};
use super::layout::{FIXED_INFO, IP_ADDR_STRING};

const BROADCAST_NODETYPE: u32 = 1;
/// Characters of a name, without the zero.
const NAME_MAX: usize = 131;

/// The host's settings.
#[derive(Default)]
pub(super) struct Resolver {
    servers: Vec<IpAddr>,
    domain: String,
}

impl Resolver {
    pub(super) fn of_host() -> Self {
        Self::parse(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default())
    }

    /// Reads the settings; a search list counts as a domain by its first member, and the last line
    /// of either kind prevails.
    fn parse(text: &str) -> Self {
        let mut found = Self::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            match (words.next(), words.next()) {
                (Some("nameserver"), Some(address)) => {
                    // Of an address of the link, the interface is not told.
                    let address = address.split('%').next().unwrap_or(address);
                    found.servers.extend(address.parse::<IpAddr>().ok());
                }
                (Some("domain" | "search"), Some(domain)) => domain.clone_into(&mut found.domain),
                _ => {}
            }
        }
        found
    }

    pub(super) fn servers(&self) -> &[IpAddr] {
        &self.servers
    }

    pub(super) fn domain(&self) -> &str {
        &self.domain
    }

    /// A FIXED_INFO, for memory that begins at `base`.
    pub(super) fn lay_out(&self, base: usize) -> Block {
        let mut block = Block::new(base);
        let info = block.reserve(size_of::<FIXED_INFO>());
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host = host.trim_end().split('.').next().unwrap_or_default();
        block.set(info, offset_of!(FIXED_INFO, HostName), cut(host));
        block.set(info, offset_of!(FIXED_INFO, DomainName), cut(&self.domain));
        block.set_number(info, offset_of!(FIXED_INFO, NodeType), BROADCAST_NODETYPE);
        let forwards = std::fs::read_to_string("/proc/sys/net/ipv4/ip_forward");
        let forwards = forwards.is_ok_and(|text| text.trim() == "1");
        block.set_number(info, offset_of!(FIXED_INFO, EnableRouting), forwards.into());
        block.set_number(info, offset_of!(FIXED_INFO, EnableDns), 1);
        self.add_servers(&mut block, info);
        block
    }

    /// The first server stands in the structure itself.
    fn add_servers(&self, block: &mut Block, info: Place) {
        let (next, text) =
            (offset_of!(IP_ADDR_STRING, Next), offset_of!(IP_ADDR_STRING, IpAddress));
        let list = offset_of!(FIXED_INFO, DnsServerList);
        let servers: Vec<_> = self.servers.iter().filter(|ip| ip.is_ipv4()).collect();
        let Some((first, others)) = servers.split_first() else { return };
        block.set(info, list + text, first.to_string().as_bytes());
        let add = |server: &&IpAddr| {
            let place = block.reserve(size_of::<IP_ADDR_STRING>());
            block.set(place, text, server.to_string().as_bytes());
            place
        };
        let others: Vec<_> = others.iter().map(add).collect();
        block.link(info, list + next, next, &others);
    }
}

/// As much of a name as there is room for.
fn cut(name: &str) -> &[u8] {
    &name.as_bytes()[..name.len().min(NAME_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_are_read_line_by_line() {
        let resolver = Resolver::parse(
            "# nameserver 192.0.2.9\nnameserver 192.0.2.1\nnameserver\tfe80::1%eth0\n\
             nameserver nonsense\ndomain first.example\nsearch second.example third.example\n\
             options ndots:2\nnameserver 192.0.2.2 # a comment\n",
        );
        let servers: Vec<_> = resolver.servers.iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["192.0.2.1", "fe80::1", "192.0.2.2"]);
        assert_eq!(resolver.domain, "second.example");
    }

    #[test]
    fn the_second_server_follows_the_structure() {
        let resolver = Resolver::parse("nameserver 192.0.2.1\nnameserver 192.0.2.2\n");
        let octets = resolver.lay_out(0x1000).into_octets();
        let size = size_of::<FIXED_INFO>();
        assert_eq!(octets.len(), size + size_of::<IP_ADDR_STRING>());
        let next = offset_of!(FIXED_INFO, DnsServerList) + offset_of!(IP_ADDR_STRING, Next);
        assert_eq!(octets[next..next + 8], (0x1000 + size).to_ne_bytes());
        let text = |at: usize| octets[at..].split(|o| *o == 0).next().unwrap_or_default();
        assert_eq!(text(next + 8), b"192.0.2.1");
        assert_eq!(text(size + 8), b"192.0.2.2");
    }
}

//! What the servers have in common: the command line and the rules of `bench/epoll_server.c`.

use std::env;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::exit;

/// Where a server listens: a port of the system's choice.
pub const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
pub const BACKLOG: i32 = 511;

/// The room for each connection: two messages, so that a message is a short read. The length of a
/// message is the first argument.
pub fn buffer_size(usage: &str) -> usize {
    match env::args().nth(1).and_then(|size| size.parse::<usize>().ok()) {
        Some(size @ 1..) => 2 * size,
        _ => {
            eprintln!("usage: {usage}");
            exit(2)
        }
    }
}

//! Ports that connections in TIME_WAIT alone keep.
//!
//! Windows lets an exclusive socket have such a port; Linux wants SO_REUSEADDR for it, of the
//! connections that are gone and of the socket that comes, and then looks away from others too.

use std::os::fd::BorrowedFd;

use linsock_iocp::NtStatus;
use linsock_iocp::afd::address::Address;
use rustix::net::sockopt;

use super::{status_of, tcp};

/// The state TIME_WAIT in /proc/net/tcp.
const TIME_WAIT: &str = "06";

/// Binds to a port that was refused, if nothing but connections in TIME_WAIT has it. What is bound
/// is exclusive all the same.
///
/// # Errors
/// WSAEADDRINUSE.
pub fn bind_behind_time_wait(fd: BorrowedFd<'_>, to: &Address) -> Result<(), NtStatus> {
    let port = to.ip().map_or(0, |address| address.port());
    if !is_in_time_wait_only(port) {
        return Err(NtStatus::ADDRESS_ALREADY_EXISTS);
    }
    sockopt::set_socket_reuseaddr(fd, true).map_err(status_of)?;
    let bound = tcp::bind(fd, to);
    sockopt::set_socket_reuseaddr(fd, false).map_err(status_of)?;
    bound
}

/// Before an exclusive socket listens: lets its connections leave a port behind that can be bound
/// again. While it listens nobody else can bind it, whatever this says; and the kernel looks at the
/// port once more.
///
/// # Errors
/// As setsockopt(2).
pub fn leave_time_wait_reusable(fd: BorrowedFd<'_>) -> Result<(), NtStatus> {
    sockopt::set_socket_reuseaddr(fd, true).map_err(status_of)
}

fn is_in_time_wait_only(port: u16) -> bool {
    let lists = ["/proc/net/tcp", "/proc/net/tcp6"].map(std::fs::read_to_string);
    let mut states = lists.iter().flatten().flat_map(|list| states_at(list, port)).peekable();
    states.peek().is_some() && states.all(|state| state == TIME_WAIT)
}

/// The states of what has this local port.
fn states_at(list: &str, port: u16) -> impl Iterator<Item = &str> {
    let local = format!(":{port:04X}");
    list.lines().skip(1).filter_map(move |line| {
        let mut words = line.split_whitespace().skip(1);
        let is_there = words.next()?.ends_with(&local);
        words.nth(1).filter(|_| is_there)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_of_a_port_are_those_of_its_own_end() {
        let list = "  sl  local_address rem_address   st tx_queue\n   0: 0100007F:1F90 \
                    00000000:0000 0A 00000000\n   1: 0100007F:1F90 0100007F:C001 06 0\n   2: \
                    0100007F:C001 0100007F:1F90 01 0\n";
        assert_eq!(states_at(list, 0x1F90).collect::<Vec<_>>(), ["0A", "06"]);
        assert_eq!(states_at(list, 0xC001).collect::<Vec<_>>(), ["01"]);
        assert_eq!(states_at(list, 1).count(), 0);
    }
}

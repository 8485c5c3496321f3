//! What is said to the kernel's sock_diag(7), and how its answers are read: messages of netlink(7)
//! about sockets of the internet families.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{
    self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, sockopt,
};

/// `nlmsghdr`.
pub(crate) const HEADER: usize = 16;
/// With the `inet_diag_req_v2` behind it.
pub(crate) const REQUEST: usize = HEADER + 56;
/// `SOCK_DIAG_BY_FAMILY` and `SOCK_DESTROY` of linux/sock_diag.h.
pub(crate) const LOOK_UP: u16 = 20;
pub(crate) const DESTROY: u16 = 21;
/// `NLMSG_ERROR`, `NLMSG_DONE`.
pub(crate) const ERROR: u16 = 2;
pub(crate) const DONE: u16 = 3;
/// `NLM_F_REQUEST`, `NLM_F_ACK`, `NLM_F_DUMP`.
pub(crate) const REQUESTS: u16 = 1;
pub(crate) const ACKNOWLEDGE: u16 = 4;
pub(crate) const DUMP: u16 = 0x300;
/// IPPROTO_TCP, IPPROTO_UDP.
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
/// Linux's AF_INET, AF_INET6.
pub(crate) const INET: u8 = 2;
pub(crate) const INET6: u8 = 10;

/// The kernel answers at once.
const PATIENCE: Duration = Duration::from_secs(1);
/// More than it puts into one answer.
const ROOM: usize = 64 << 10;

/// A socket to the kernel's sock_diag.
pub(crate) struct Diag(OwnedFd);

impl Diag {
    /// # Errors
    /// Where nobody may have a socket of netlink (a sandbox); when descriptors ran out.
    pub(crate) fn open() -> Result<Self, Errno> {
        let (family, flags) = (AddressFamily::NETLINK, SocketFlags::CLOEXEC);
        let protocol = Some(netlink::SOCK_DIAG);
        let fd = net::socket_with(family, SocketType::DGRAM, flags, protocol)?;
        sockopt::set_socket_timeout(&fd, sockopt::Timeout::Recv, Some(PATIENCE))?;
        Ok(Self(fd))
    }

    /// Sends requests, and hands on what is received until `take` says that it has everything.
    ///
    /// # Errors
    /// By the socket; when the kernel does not answer.
    pub(crate) fn ask(
        &self,
        requests: &[u8],
        mut take: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), Errno> {
        net::send(&self.0, requests, SendFlags::empty())?;
        let mut room = vec![0_u8; ROOM];
        loop {
            let (_, received) = net::recv(&self.0, &mut room[..], RecvFlags::empty())?;
            if received == 0 || take(&room[..received.min(ROOM)]) {
                return Ok(());
            }
        }
    }
}

/// A request about sockets in all states: `nlmsghdr` and `inet_diag_req_v2`, the rest of which is
/// zeros.
pub(crate) fn request(kind: u16, flags: u16, family: u8, protocol: u8) -> [u8; REQUEST] {
    let mut octets = [0; REQUEST];
    let mut put = |at: usize, field: &[u8]| octets[at..at + field.len()].copy_from_slice(field);
    put(0, &u32::try_from(REQUEST).unwrap_or(0).to_ne_bytes());
    put(4, &kind.to_ne_bytes());
    put(6, &flags.to_ne_bytes());
    put(HEADER, &[family, protocol]);
    put(HEADER + 4, &u32::MAX.to_ne_bytes());
    octets
}

/// The messages in what was received: what each is, and what stands behind its header.
pub(crate) fn messages(mut octets: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let [a, b, c, d, kind_low, kind_high, ..] = *octets.first_chunk::<HEADER>()?;
        let len = usize::try_from(u32::from_ne_bytes([a, b, c, d])).unwrap_or(0);
        let body = octets.get(HEADER..len).unwrap_or_default();
        // Messages begin at multiples of four; one that is shorter than its header is the last.
        octets = octets.get(len.next_multiple_of(4).max(HEADER)..).unwrap_or_default();
        Some((u16::from_ne_bytes([kind_low, kind_high]), body))
    })
}

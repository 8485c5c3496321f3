//! A connection between the backlog and a handle.

use std::os::fd::{AsFd, OwnedFd};

use linsock_iocp::NtStatus;
use linsock_iocp::afd::address::Address;
use rustix::net;

use super::super::iso::Link;
use crate::transport::tcp;

/// A connection that was taken from a backlog and has no handle yet.
#[derive(Debug)]
pub struct Accepted {
    pub(super) fd: OwnedFd,
    pub(super) peer: Option<Address>,
    /// Of the ISO provider: what the connection has besides TCP.
    pub(super) link: Option<Box<Link>>,
}

impl Accepted {
    /// The peer's address.
    pub const fn peer(&self) -> Option<&Address> {
        self.peer.as_ref()
    }

    /// The local address.
    pub fn local(&self) -> Option<Address> {
        let address = tcp::local_address(self.fd.as_fd()).ok()?;
        Some(match &self.link {
            Some(link) => link.local(address),
            None => address,
        })
    }

    pub(in crate::socket) const fn with_link(
        fd: OwnedFd,
        peer: Option<Address>,
        link: Box<Link>,
    ) -> Self {
        Self { fd, peer, link: Some(link) }
    }

    /// The connect data of the peer, if the provider has that.
    pub fn peer_connect_data(&self) -> Option<&[u8]> {
        self.link.as_ref().map(|link| &link.data.peer_connect[..])
    }

    /// Sets the connect data to answer with.
    ///
    /// # Errors
    /// WSAEFAULT for more than the provider carries.
    pub fn set_connect_data(&mut self, data: &[u8]) -> Result<(), NtStatus> {
        match &mut self.link {
            Some(link) => link.data.set_connect(data),
            None if data.is_empty() => Ok(()),
            None => Err(NtStatus::ACCESS_VIOLATION),
        }
    }

    /// Sets the disconnect data to refuse with, where the provider has it; at most 64 octets.
    pub fn set_disconnect_data(&mut self, data: &[u8]) {
        if let Some(link) = &mut self.link {
            let _ = link.data.set_disconnect(data);
        }
    }

    /// Refuses the connection: the peer sees a reset, or the refusal that its protocol has.
    pub fn reject(self) {
        match self.link {
            None => tcp::arm_reset(self.fd.as_fd()),
            Some(mut link) => {
                // A refusal fits into an empty socket buffer.
                let _ = net::send(&self.fd, &link.refuse(), net::SendFlags::NOSIGNAL);
            }
        }
    }
}

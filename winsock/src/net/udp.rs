//! Datagram sockets of the safe API.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use linsock_iocp::buffer::{Buffers, SendFlags};
use linsock_iocp::file::File;

use super::operation::{Request, What};
use super::{CompletionPort, Error, Family, Result, Shutdown, ip_of};
use crate::catalog::Provider;
use crate::socket;

/// A datagram socket handle. Dropping it closes it.
///
/// `Send` and `Sync`: any thread may use it, several at once. Operations with a default destination
/// ([`connect`](Self::connect)) can be awaited or taken from a port, as those of
/// [`Socket`](super::Socket).
///
/// ```
/// use linsock::net::{Family, UdpSocket};
///
/// # fn main() -> Result<(), linsock::net::Error> {
/// let server = UdpSocket::new(Family::Inet)?;
/// server.bind("127.0.0.1:0".parse().unwrap())?;
/// let client = UdpSocket::new(Family::Inet)?;
/// client.send_to(b"question", server.local_address()?)?;
///
/// let mut buffer = [0; 64];
/// let (octets, from) = server.recv_from(&mut buffer)?;
/// assert_eq!(&buffer[..octets], b"question");
/// server.send_to(b"answer", from)?;
/// assert_eq!(client.recv_from(&mut buffer)?.0, 6);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct UdpSocket {
    pub(super) inner: Arc<socket::Socket>,
}

impl Drop for UdpSocket {
    fn drop(&mut self) {
        // A datagram socket never lingers, so this cannot fail.
        let _ = self.inner.close_handle();
    }
}

impl UdpSocket {
    /// A new socket.
    ///
    /// # Errors
    /// When the process has no handles or descriptors left.
    pub fn new(family: Family) -> Result<Self> {
        Ok(Self { inner: socket::Socket::create(Provider::Udp(family), true)? })
    }

    /// Gives the socket a local address.
    ///
    /// # Errors
    /// Bound already; address in use or not of this host.
    pub fn bind(&self, address: SocketAddr) -> Result<()> {
        Ok(self.inner.bind(address.into())?)
    }

    /// The local address.
    ///
    /// # Errors
    /// Not bound: it is after the first datagram was sent.
    pub fn local_address(&self) -> Result<SocketAddr> {
        ip_of(self.inner.local_address()?)
    }

    /// The number that the trace ([`crate::trace`]) and the C functions know the socket by.
    pub fn handle(&self) -> usize {
        self.inner.handle().value()
    }

    /// Sets the default destination, the only one whose datagrams are received then; `None` takes
    /// it away.
    ///
    /// # Errors
    /// What the transport refuses; the destination is as before.
    pub fn connect(&self, to: Option<SocketAddr>) -> Result<()> {
        Ok(self.inner.set_destination(to)?)
    }

    /// Ties the socket to a port, for good: packets of its operations carry `key`.
    ///
    /// # Errors
    /// It has a port already.
    pub fn associate(&self, port: &CompletionPort, key: usize) -> Result<()> {
        self.inner.associate(port.inner(), key).map_err(|_| Error::INVALID)
    }

    /// Sends one datagram, blocking until the transport has taken it.
    ///
    /// # Errors
    /// Too long; this half was shut down; what the transport refuses.
    pub fn send_to(&self, data: &[u8], to: SocketAddr) -> Result<()> {
        let data = Buffers::from_vec(data.to_vec());
        self.inner.send_to_blocking(data, SendFlags::NONE, socket::Route::to(Some(to)))?;
        Ok(())
    }

    /// Receives one datagram, blocking for it; gives its length and its sender.
    ///
    /// # Errors
    /// Not bound; this half was shut down; the datagram was longer than `into`, and is lost;
    /// nobody listened where an earlier datagram went (WSAECONNRESET), after which the socket goes
    /// on.
    pub fn recv_from(&self, into: &mut [u8]) -> Result<(usize, SocketAddr)> {
        let buffer = Buffers::from_vec(vec![0; into.len()]);
        let (octets, from, buffer) = self.inner.recv_owned_from(buffer)?;
        into[..octets].copy_from_slice(&buffer[..octets]);
        Ok((octets, from))
    }

    /// Sends memory that the operation owns to the default destination, as one datagram.
    pub fn send_owned(&self, data: Vec<u8>) -> Request {
        Request::new(&self.inner, What::Send, data)
    }

    /// Receives one datagram into memory that the operation owns: all of `buffer`'s length.
    pub fn recv_owned(&self, buffer: Vec<u8>) -> Request {
        Request::new(&self.inner, What::Recv, buffer)
    }

    /// Closes one half or both; succeeds in every state. The kernel goes on accepting datagrams.
    ///
    /// # Errors
    /// None that this API can cause.
    pub fn shutdown(&self, how: Shutdown) -> Result<()> {
        Ok(self.inner.shutdown(how)?)
    }

    /// How long a receive may block; `None` for ever. Whole milliseconds count.
    ///
    /// # Errors
    /// None that this API can cause.
    pub fn set_receive_timeout(&self, limit: Option<Duration>) -> Result<()> {
        let ms = limit.map_or(0, |limit| u32::try_from(limit.as_millis()).unwrap_or(u32::MAX));
        let value = ms.to_ne_bytes();
        Ok(crate::option::set(&self.inner, crate::option::SOL_SOCKET, 0x1006, &value)?)
    }

    /// Cancels everything that is pending; returns how many operations that were.
    pub fn cancel_all(&self) -> usize {
        self.inner.cancel_operations(&|_| true)
    }
}

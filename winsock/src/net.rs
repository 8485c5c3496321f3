//! The safe API: Windows' connection model for Rust programs.
//!
//! A [`Socket`] is a handle, as in Winsock: it is created, bound, connected or accepted into, and
//! after a disconnect with reuse it takes another connection. Every call exists in three forms:
//!
//! - it **blocks**: [`Socket::connect`], [`Socket::recv`], …;
//! - it is an [`Operation`] that owns its buffers and can be **awaited** (any executor) or waited
//!   for;
//! - it is an operation whose end is **taken from a [`CompletionPort`]**.
//!
//! ```
//! use linsock::net::{Family, Socket};
//!
//! # fn main() -> Result<(), linsock::net::Error> {
//! let listener = Socket::tcp(Family::Inet)?;
//! listener.bind("127.0.0.1:0".parse().unwrap())?;
//! listener.listen(16)?;
//!
//! let client = Socket::tcp(Family::Inet)?;
//! client.connect(listener.local_address()?)?;
//! let server = listener.accept()?;
//!
//! client.send(b"hello")?;
//! let mut buffer = [0; 16];
//! assert_eq!(server.recv(&mut buffer)?, 5);
//!
//! // Both ends end the connection, and both handles are ready for another one.
//! let leaving = client.disconnect_reuse().start();
//! assert_eq!(server.recv(&mut buffer)?, 0);
//! server.disconnect_reuse().wait()?;
//! leaving.wait()?;
//! # Ok(())
//! # }
//! ```

mod disconnect;
mod error;
mod handover;
mod iso;
mod operation;
mod port;
mod udp;

use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use linsock_iocp::NtStatus;
use linsock_iocp::buffer::{Buffers, SendFlags};
use linsock_iocp::file::File;

use crate::catalog::Provider;
use crate::socket::{self, RecvOptions};

pub use crate::offer::{NoPlace, Place};
pub use crate::socket::{CloseReport, FilePart, Side, TcpState};

pub use disconnect::{Disconnect, Disconnecting};
pub use error::{Error, Result};
pub use iso::{ConnectData, DisconnectData, IsoRequest, IsoSocket, Received, TooLong, UserData};
pub use linsock_iocp::afd::address::{Address, Family, TransportAddress, UnixPath};
pub use linsock_iocp::afd::{AbortCause, CloseReason, Shutdown};
pub use operation::{Operation, Outcome, Request};
pub use port::{CompletionPort, Packet};
pub use udp::UdpSocket;

/// The internet address of a socket that has one.
fn ip_of(address: Address) -> Result<SocketAddr> {
    address.ip().ok_or_else(|| Error::from(NtStatus::from_wsa(WSAEAFNOSUPPORT)))
}

fn path_address(path: &Path) -> Result<Address> {
    let path = UnixPath::new(path.as_os_str().as_bytes());
    path.map(Address::Unix).ok_or_else(|| Error::from(NtStatus::ACCESS_VIOLATION))
}

const WSAEAFNOSUPPORT: u16 = 10047;

/// A socket handle. Dropping it closes it, gracefully unless [`Socket::set_linger`] says otherwise.
///
/// `Send` and `Sync`: any thread may use it, several at once.
#[derive(Debug)]
pub struct Socket {
    inner: Arc<socket::Socket>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        // It can only fail for a non-blocking socket that lingers; sockets of this API block.
        let _ = self.inner.close_handle();
    }
}

impl Socket {
    /// A new TCP socket.
    ///
    /// # Errors
    /// When the process has no handles left.
    pub fn tcp(family: Family) -> Result<Self> {
        Ok(Self { inner: socket::Socket::create(Provider::Tcp(family), true)? })
    }

    /// The number that the trace ([`crate::trace`]) and the C functions know the socket by.
    pub fn handle(&self) -> usize {
        self.inner.handle().value()
    }

    /// A new stream socket for connections between processes of this host (AF_UNIX), which are made
    /// by path: [`bind_path`](Self::bind_path), [`connect_path`](Self::connect_path).
    ///
    /// ```
    /// use linsock::net::Socket;
    ///
    /// # fn main() -> linsock::net::Result<()> {
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("service");
    /// let listener = Socket::unix()?;
    /// listener.bind_path(&path)?;
    /// listener.listen(1)?;
    /// let client = Socket::unix()?;
    /// client.connect_path(&path)?;
    /// listener.accept()?.send(b"hello")?;
    /// let mut greeting = [0; 5];
    /// assert_eq!(client.recv(&mut greeting)?, 5);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the process has no handles left.
    pub fn unix() -> Result<Self> {
        Ok(Self { inner: socket::Socket::create(Provider::Unix, true)? })
    }

    /// Gives the socket a local address.
    ///
    /// # Errors
    /// Bound already; address in use or not of this host.
    pub fn bind(&self, address: SocketAddr) -> Result<()> {
        Ok(self.inner.bind(address.into())?)
    }

    /// Gives a Unix socket a path. The file that this makes stays when the socket is closed.
    ///
    /// # Errors
    /// Bound already; the file exists (WSAEADDRINUSE); no Unix socket (WSAEAFNOSUPPORT); longer
    /// than 107 octets (WSAEFAULT).
    pub fn bind_path(&self, path: impl AsRef<Path>) -> Result<()> {
        Ok(self.inner.bind(path_address(path.as_ref())?)?)
    }

    /// Waits for connections, of which `backlog` may queue.
    ///
    /// # Errors
    /// Not bound, or connected.
    pub fn listen(&self, backlog: i32) -> Result<()> {
        Ok(self.inner.listen(backlog)?)
    }

    /// The local internet address.
    ///
    /// # Errors
    /// Not bound; a Unix socket (WSAEAFNOSUPPORT), which has a [`local_name`](Self::local_name).
    pub fn local_address(&self) -> Result<SocketAddr> {
        ip_of(self.inner.local_address()?)
    }

    /// The peer's internet address.
    ///
    /// # Errors
    /// Not connected; a Unix socket (WSAEAFNOSUPPORT), whose peer has a
    /// [`peer_name`](Self::peer_name).
    pub fn peer_address(&self) -> Result<SocketAddr> {
        ip_of(self.inner.peer_address()?)
    }

    /// The local address, whatever it looks like.
    ///
    /// # Errors
    /// Not bound.
    pub fn local_name(&self) -> Result<Address> {
        Ok(self.inner.local_address()?)
    }

    /// The peer's address, whatever it looks like.
    ///
    /// # Errors
    /// Not connected.
    pub fn peer_name(&self) -> Result<Address> {
        Ok(self.inner.peer_address()?)
    }

    /// Ties the socket to a port, for good: packets of its operations carry `key`.
    ///
    /// # Errors
    /// It has a port already.
    pub fn associate(&self, port: &CompletionPort, key: usize) -> Result<()> {
        self.inner.associate(port.inner(), key).map_err(|_| Error::INVALID)
    }

    /// Connects, blocking until it is done.
    ///
    /// # Errors
    /// Refused, unreachable, timed out; connected already.
    pub fn connect(&self, to: SocketAddr) -> Result<()> {
        Ok(self.inner.connect_blocking(&to.into())?)
    }

    /// Connects a Unix socket, blocking until it is done.
    ///
    /// # Errors
    /// Nobody listens there, or has no room (WSAECONNREFUSED); connected already; no Unix socket
    /// (WSAEAFNOSUPPORT).
    pub fn connect_path(&self, to: impl AsRef<Path>) -> Result<()> {
        Ok(self.inner.connect_blocking(&path_address(to.as_ref())?)?)
    }

    /// Takes a connection, blocking for one.
    ///
    /// # Errors
    /// Not listening; no descriptors left.
    pub fn accept(&self) -> Result<Self> {
        let accepted = self.inner.accept_blocking()?;
        Ok(Self { inner: self.inner.adopt(accepted)? })
    }

    /// Receives, blocking until there is something; 0 is the end of the peer's data.
    ///
    /// # Errors
    /// Not connected; reset; this half was shut down.
    pub fn recv(&self, into: &mut [u8]) -> Result<usize> {
        loop {
            if let Some(received) = self.inner.recv_now(into)? {
                return Ok(received);
            }
            // A receive without room waits for data and leaves it there.
            self.inner.recv_blocking(Buffers::empty(), RecvOptions::default())?;
        }
    }

    /// Sends all of it, blocking until the transport has taken it.
    ///
    /// # Errors
    /// Not connected; reset; this half was shut down.
    pub fn send(&self, data: &[u8]) -> Result<()> {
        self.inner.send_blocking(Buffers::from_vec(data.to_vec()), SendFlags::NONE)?;
        Ok(())
    }

    /// Closes one half or both. Never blocks.
    ///
    /// # Errors
    /// Not connected.
    pub fn shutdown(&self, how: Shutdown) -> Result<()> {
        Ok(self.inner.shutdown(how)?)
    }

    /// Receives into memory that the operation owns: all of `buffer`'s length.
    pub fn recv_owned(&self, buffer: Vec<u8>) -> Request {
        Request::new(&self.inner, operation::What::Recv, buffer)
    }

    /// Sends memory that the operation owns, all of it.
    pub fn send_owned(&self, data: Vec<u8>) -> Request {
        Request::new(&self.inner, operation::What::Send, data)
    }

    /// Sends memory that the operation owns, which may be empty, and then a part of a file, without
    /// a copy (TransmitFile). Reading the file waits for the disk; a file that ends early fails
    /// with ERROR_HANDLE_EOF, with what was there sent. Not on a datagram socket.
    pub fn send_file(&self, head: Vec<u8>, part: FilePart) -> Request {
        Request::new(&self.inner, operation::What::SendFile(part), head)
    }

    /// Connects and then sends `first`, which may be empty.
    pub fn connect_owned(&self, to: SocketAddr, first: Vec<u8>) -> Request {
        Request::new(&self.inner, operation::What::Connect(to.into()), first)
    }

    /// Accepts a connection into `acceptor`, and waits for first data if `first` has room for any.
    pub fn accept_into(&self, acceptor: &Self, first: Vec<u8>) -> Request {
        Request::new(&self.inner, operation::What::AcceptInto(Arc::clone(&acceptor.inner)), first)
    }

    /// Ends the connection in both directions and reports how it ended: gracefully, unless the
    /// [`Disconnect`] is told otherwise.
    ///
    /// The FIN goes behind everything sent, and the peer's is waited for; what the peer sends
    /// before it has to be received, by whoever receives on this socket.
    ///
    /// ```
    /// use std::time::Duration;
    /// use linsock::net::{Family, Side, Socket};
    ///
    /// # fn main() -> Result<(), linsock::net::Error> {
    /// # let listener = Socket::tcp(Family::Inet)?;
    /// # listener.bind("127.0.0.1:0".parse().unwrap())?;
    /// # listener.listen(16)?;
    /// # let client = Socket::tcp(Family::Inet)?;
    /// # client.connect(listener.local_address()?)?;
    /// # let server = listener.accept()?;
    /// let leaving = client.disconnect().within(Duration::from_secs(5)).start();
    /// assert_eq!(server.recv(&mut [0; 16])?, 0);
    /// let seen_there = server.disconnect().wait()?;
    /// let seen_here = leaving.wait()?;
    /// assert!(seen_here.is_graceful() && seen_there.is_graceful());
    /// assert_eq!(seen_here.closed_first(), Some(Side::Local));
    /// assert_eq!(seen_there.closed_first(), Some(Side::Peer));
    /// # Ok(())
    /// # }
    /// ```
    pub fn disconnect(&self) -> Disconnect {
        Disconnect::new(&self.inner)
    }

    /// Closes the sending half behind everything sent; receiving goes on. Over when the FIN was
    /// given to the transport; the peer is not waited for (`DisconnectEx` without flags).
    pub fn half_close(&self) -> Request {
        Request::new(&self.inner, operation::What::HalfClose, Vec::new())
    }

    /// Ends the connection and makes the handle ready for another: over when the peer's data has
    /// been read and its FIN has come (`DisconnectEx` with TF_REUSE_SOCKET).
    ///
    /// An accepted handle is unbound afterwards; one that connected stays bound. A peer that never
    /// closes is reset after `TcpFinWait2Delay`.
    pub fn disconnect_reuse(&self) -> Request {
        Request::new(&self.inner, operation::What::Reuse, Vec::new())
    }

    /// Resets the connection and closes the handle.
    pub fn abort(self) {
        // Fails only if the handle is closed already, which ownership rules out.
        let _ = self.inner.abort();
    }

    /// How the last connection ended, or which side began to end it.
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.inner.close_reason()
    }

    /// SO_LINGER: `None` closes in the background, zero resets, more blocks the close for as long.
    /// Whole seconds count, up to 65,535.
    ///
    /// # Errors
    /// None that this API can cause.
    pub fn set_linger(&self, time: Option<Duration>) -> Result<()> {
        let seconds = time.map(|time| u16::try_from(time.as_secs()).unwrap_or(u16::MAX));
        let on = u16::from(seconds.is_some()).to_ne_bytes();
        let value = [on, seconds.unwrap_or(0).to_ne_bytes()].concat();
        Ok(crate::option::set(&self.inner, crate::option::SOL_SOCKET, 0x80, &value)?)
    }

    /// TCP_NODELAY: small sends leave at once.
    ///
    /// # Errors
    /// None that this API can cause.
    pub fn set_no_delay(&self, on: bool) -> Result<()> {
        let value = u32::from(on).to_ne_bytes();
        Ok(crate::option::set(&self.inner, crate::option::IPPROTO_TCP, 1, &value)?)
    }

    /// Cancels everything that is pending on the socket; returns how many operations that were.
    pub fn cancel_all(&self) -> usize {
        self.inner.cancel_operations(&|_| true)
    }
}

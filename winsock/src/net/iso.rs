//! Sockets of ISO transport over TCP: messages, and data with every connect and disconnect.

use std::net::SocketAddr;
use std::sync::Arc;

use linsock_iocp::NtStatus;
use linsock_iocp::afd::address::{Address, TransportAddress};
use linsock_iocp::buffer::{Buffers, SendFlags};

use super::{Error, Result, Shutdown};
use crate::catalog::Provider;
use crate::socket::{self, Accepted};
use crate::transport::iso::tpdu::{CONNECT_DATA_MAX, Class, DISCONNECT_DATA_MAX};

/// More octets than the protocol carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl std::fmt::Display for TooLong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("more octets than ISO transport carries")
    }
}

impl std::error::Error for TooLong {}

/// User data of at most `MOST` octets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct UserData<const MOST: usize>(Vec<u8>);

/// What can go with a disconnect: at most 64 octets.
pub type DisconnectData = UserData<DISCONNECT_DATA_MAX>;
/// What can go with a connect, and with its answer: at most 32 octets.
pub type ConnectData = UserData<CONNECT_DATA_MAX>;

impl<const MOST: usize> UserData<MOST> {
    /// No data.
    pub const NONE: Self = Self(Vec::new());

    /// The data in `octets`.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn new(octets: &[u8]) -> std::result::Result<Self, TooLong> {
        if octets.len() <= MOST { Ok(Self(octets.to_vec())) } else { Err(TooLong) }
    }

    /// The octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

/// What a receive gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A message.
    Message(Vec<u8>),
    /// The peer has ended the connection, and said this.
    Disconnected(DisconnectData),
}

/// A socket of ISO transport: class 2 (RFC 2126), or class 0 (RFC 1006), which has no disconnect
/// data. Dropping it ends the connection behind everything
/// that was sent.
///
/// `Send` and `Sync`: any thread may use it, several at once.
///
/// ```
/// use linsock::net::{ConnectData, DisconnectData, IsoSocket, Received, TransportAddress};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = IsoSocket::new()?;
/// listener.bind(&TransportAddress::new("127.0.0.1:0".parse()?, b"clock").unwrap())?;
/// listener.listen(1)?;
/// let to = listener.local_address()?;
/// let client = std::thread::spawn(move || {
///     let client = IsoSocket::new().unwrap();
///     client.connect(&to, &ConnectData::NONE).unwrap();
///     client
/// });
/// let server = listener.accept()?.accept(&ConnectData::NONE)?;
/// let client = client.join().unwrap();
/// server.send(b"noon")?;
/// server.disconnect(&DisconnectData::new(b"closing time")?)?;
/// assert_eq!(client.recv()?, Received::Message(b"noon".to_vec()));
/// assert_eq!(client.recv()?, Received::Disconnected(DisconnectData::new(b"closing time")?));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct IsoSocket {
    inner: Arc<socket::Socket>,
}

impl Drop for IsoSocket {
    fn drop(&mut self) {
        // It can only fail for a non-blocking socket that lingers; sockets of this API block.
        let _ = self.inner.close_handle();
    }
}

impl IsoSocket {
    /// A new socket.
    ///
    /// # Errors
    /// When the process has no handles left.
    pub fn new() -> Result<Self> {
        Ok(Self { inner: socket::Socket::create(Provider::Iso(Class::Two), true)? })
    }

    /// The number that the trace ([`crate::trace`]) and the C functions know the socket by.
    pub fn handle(&self) -> usize {
        self.inner.handle().value()
    }

    /// A new socket of class 0, as the peers of RFC 1006 are.
    ///
    /// # Errors
    /// When the process has no handles left.
    pub fn class_0() -> Result<Self> {
        Ok(Self { inner: socket::Socket::create(Provider::Iso(Class::Zero), true)? })
    }

    /// Gives the socket a selector at an address of this host.
    ///
    /// # Errors
    /// Bound already; address in use or not of this host.
    pub fn bind(&self, address: &TransportAddress) -> Result<()> {
        Ok(self.inner.bind(address.clone().into())?)
    }

    /// Waits for connections, of which `backlog` may queue.
    ///
    /// # Errors
    /// Not bound, or connected.
    pub fn listen(&self, backlog: i32) -> Result<()> {
        Ok(self.inner.listen(backlog)?)
    }

    /// The local address.
    ///
    /// # Errors
    /// Not bound.
    pub fn local_address(&self) -> Result<TransportAddress> {
        transport(self.inner.local_address()?)
    }

    /// The peer's address.
    ///
    /// # Errors
    /// Not connected.
    pub fn peer_address(&self) -> Result<TransportAddress> {
        transport(self.inner.peer_address()?)
    }

    /// Connects, and gives what the peer said with its answer. Blocks until the peer answers.
    ///
    /// # Errors
    /// Refused ([`refusal`](Self::refusal) tells why), unreachable, timed out; connected already.
    pub fn connect(&self, to: &TransportAddress, data: &ConnectData) -> Result<ConnectData> {
        self.inner.with_user_data(|own| own.set_connect(data.octets()))??;
        self.inner.connect_blocking(&to.clone().into())?;
        Ok(UserData(self.inner.with_user_data(|own| own.peer_connect.clone())?))
    }

    /// What the peer said when it refused the connection, or ended it.
    pub fn refusal(&self) -> Option<DisconnectData> {
        self.inner.with_user_data(|own| own.peer_disconnect.clone()).ok().flatten().map(UserData)
    }

    /// Waits for somebody who wants to connect, and who is to be answered.
    ///
    /// # Errors
    /// Not listening; no descriptors left.
    pub fn accept(&self) -> Result<IsoRequest<'_>> {
        Ok(IsoRequest { listener: self, accepted: self.inner.accept_blocking()? })
    }

    /// Sends a message: at least one octet, and at most 1 MiB. Blocks until the transport has taken
    /// it.
    ///
    /// # Errors
    /// Not connected, too long, reset; the connection was ended.
    pub fn send(&self, message: &[u8]) -> Result<()> {
        self.inner.send_blocking(Buffers::from_vec(message.to_vec()), SendFlags::NONE)?;
        Ok(())
    }

    /// Receives the next message, or what the peer said at the end. Blocks for it.
    ///
    /// # Errors
    /// Not connected; the connection was aborted.
    pub fn recv(&self) -> Result<Received> {
        match self.inner.recv_message_blocking() {
            Ok(message) => Ok(Received::Message(message)),
            Err(NtStatus::GRACEFUL_DISCONNECT) => {
                Ok(Received::Disconnected(self.refusal().unwrap_or_default()))
            }
            Err(status) => Err(status.into()),
        }
    }

    /// Ends the connection behind everything that was sent, and says so. Never blocks. What the
    /// peer sent before it heard can still be received.
    ///
    /// # Errors
    /// Not connected; data on a socket of class 0 (WSAENOPROTOOPT; nothing is sent then).
    pub fn disconnect(&self, data: &DisconnectData) -> Result<()> {
        let data = Some(data.octets()).filter(|octets| !octets.is_empty());
        Ok(self.inner.send_disconnect(data)?)
    }

    /// Takes no more messages: if another comes, the connection is aborted. Never blocks.
    ///
    /// # Errors
    /// Not connected.
    pub fn stop_receiving(&self) -> Result<()> {
        Ok(self.inner.shutdown(Shutdown::Receive)?)
    }
}

fn transport(address: Address) -> Result<TransportAddress> {
    match address {
        Address::Iso(address) => Ok(*address),
        Address::Ip(_) | Address::Unix(_) => Err(Error::INVALID),
    }
}

/// Somebody who wants to connect. Dropped without an answer it is refused.
#[derive(Debug)]
pub struct IsoRequest<'a> {
    listener: &'a IsoSocket,
    accepted: Accepted,
}

impl IsoRequest<'_> {
    /// Who asks: its selector, and where it connects from.
    pub fn caller(&self) -> Option<&TransportAddress> {
        match self.accepted.peer() {
            Some(Address::Iso(address)) => Some(address),
            _ => None,
        }
    }

    /// The host that asks.
    pub fn host(&self) -> Option<SocketAddr> {
        self.accepted.peer().and_then(Address::ip)
    }

    /// The data of the request.
    pub fn data(&self) -> &[u8] {
        self.accepted.peer_connect_data().unwrap_or_default()
    }

    /// Answers that it may.
    ///
    /// # Errors
    /// No handles left.
    pub fn accept(mut self, data: &ConnectData) -> Result<IsoSocket> {
        self.accepted.set_connect_data(data.octets())?;
        Ok(IsoSocket { inner: self.listener.inner.adopt(self.accepted)? })
    }

    /// Answers that it may not, and why.
    pub fn refuse(mut self, data: &DisconnectData) {
        self.accepted.set_disconnect_data(data.octets());
        self.accepted.reject();
    }
}

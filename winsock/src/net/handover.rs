//! Sockets that go to other processes.

use super::{Error, Result, Socket, UdpSocket};
use crate::offer::{self, Place};

impl Socket {
    /// Offers the socket to another process of this host, which has it too once it has called
    /// [`fetch`](Self::fetch) with the place: a listener, a connection, whatever it is. Dropping it
    /// here ends nothing then; until then this process has to live, and an offer whose process ends
    /// is over.
    ///
    /// What a Winsock program does with `WSADuplicateSocket`
    /// (<https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaduplicatesocketw>).
    /// The place is text for an argument or a pipe, cannot be guessed and is good for one socket.
    ///
    /// Does not block.
    ///
    /// ```no_run
    /// use linsock::net::{Family, Socket};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // This process takes connections, and a worker answers them.
    /// let listener = Socket::tcp(Family::Inet)?;
    /// listener.bind("127.0.0.1:8080".parse()?)?;
    /// listener.listen(128)?;
    /// let mut worker = std::process::Command::new("worker").spawn()?;
    /// let place = listener.accept()?.offer_to(worker.id())?;
    /// println!("{place}");
    /// // There: let connection = Socket::fetch(place.parse()?)?;
    /// # worker.wait()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Invalid: no such process, or a connection that is being made or ended, or has failed. No
    /// descriptors or threads left.
    pub fn offer_to(&self, process: u32) -> Result<Place> {
        Ok(offer::make(&self.inner, process)?)
    }

    /// Fetches a socket that another process has [offered](Self::offer_to) to this one.
    ///
    /// Blocks until the other process has answered, which it does at once unless it is stopped:
    /// then for ten seconds at most.
    ///
    /// # Errors
    /// Invalid: fetched already, offered to another process, by one that has ended or that has
    /// another version of this library, or a datagram socket. No handles or descriptors left.
    pub fn fetch(place: Place) -> Result<Self> {
        let fetched = Self { inner: offer::fetch(place)? };
        if fetched.inner.is_datagram() { Err(Error::INVALID) } else { Ok(fetched) }
    }
}

impl UdpSocket {
    /// As [`Socket::offer_to`].
    ///
    /// # Errors
    /// As there.
    pub fn offer_to(&self, process: u32) -> Result<Place> {
        Ok(offer::make(&self.inner, process)?)
    }

    /// As [`Socket::fetch`].
    ///
    /// # Errors
    /// As there; invalid is here a socket of connections.
    pub fn fetch(place: Place) -> Result<Self> {
        let fetched = Self { inner: offer::fetch(place)? };
        if fetched.inner.is_datagram() { Ok(fetched) } else { Err(Error::INVALID) }
    }
}

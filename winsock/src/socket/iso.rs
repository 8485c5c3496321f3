//! Sockets of the ISO provider: messages, connect data and disconnect data over the descriptor of a
//! TCP connection.
//!
//! The endpoint rules as it does for TCP. Where TCP has a FIN, ISO transport has a Disconnect
//! Request; the [`Connection`] makes one out of what the endpoint asks for, and tells the endpoint
//! of the peer's. A connection counts as one when its Connection Request has been answered: a
//! descriptor that was accepted, and whose request has not come, is held by a socket without an
//! owner, the [`embryo`](Inner::raise_embryo).

mod embryo;
mod remnant;

use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use linsock_iocp::NtStatus;
use linsock_iocp::afd::address::{Address, TransportAddress};
use linsock_iocp::afd::endpoint::state::Phase;
use linsock_iocp::buffer::SendFlags;
use linsock_iocp::driver::Readiness;
use linsock_iocp::guardian;
use linsock_iocp::irp::{Deferred, Irp};
use rustix::io::Errno;
use rustix::net::{self, RecvFlags};

use super::transfer::{RecvOptions, Transfer};
use super::{Inner, Socket};
use crate::catalog::Provider;
use crate::transport::iso::connection::{Connection, Event, MESSAGE_MAX, Request};
use crate::transport::iso::tpdu::{CONNECT_DATA_MAX, Class, DISCONNECT_DATA_MAX};
use crate::transport::tcp::{self, Next};

/// Room for one receive from the kernel.
const READ: usize = 1 << 17;
/// A send waits while more than this has not been given to the kernel.
const BACKLOG: usize = 1 << 16;
/// How long a request may take: a peer that does not send it is let go (TS1 of disconnect-data 1.8,
/// seen from the other side).
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// How long a confirm may take (TS2).
const RELEASE_LIMIT: Duration = Duration::from_secs(10);

/// User data that a program sets, and that peers send: SO_CONNDATA, SO_DISCDATA.
#[derive(Clone, Debug, Default)]
pub struct UserData {
    /// To be sent with our request or confirm.
    pub connect: Vec<u8>,
    /// To be sent with our disconnect or refusal.
    pub disconnect: Vec<u8>,
    /// Came with the peer's request or confirm.
    pub peer_connect: Vec<u8>,
    /// Came with the peer's disconnect.
    pub peer_disconnect: Option<Vec<u8>>,
    /// The reason octet of the peer's disconnect.
    pub peer_reason: Option<u8>,
}

/// What a socket of this provider has besides a descriptor.
#[derive(Debug)]
pub(super) struct Link {
    class: Class,
    connection: Option<Box<Connection>>,
    /// The connection has been asked for, by the peer; or the peer has confirmed.
    begun: bool,
    /// How the connection has ended.
    fate: Option<Event>,
    pub(super) data: UserData,
    /// The selectors of an accepted connection: who asked, and whom.
    calling: Vec<u8>,
    called: Vec<u8>,
    /// Which answer is waited for; a timer that has another number is late.
    awaits: Option<u64>,
    role: Role,
    /// Of a listener: its embryos.
    embryos: Vec<Weak<Socket>>,
    /// Of a listener: requests that may wait for an accept.
    backlog: usize,
}

/// Whose the connection is.
#[derive(Debug)]
enum Role {
    /// The program's.
    Owned,
    /// Nobody's yet: it was accepted by this listener.
    Embryo(Weak<Socket>),
    /// Nobody's any more.
    Remnant(remnant::Remnant),
}

impl Link {
    pub(super) fn new(class: Class) -> Box<Self> {
        Box::new(Self {
            class,
            connection: None,
            begun: false,
            fate: None,
            data: UserData::default(),
            calling: Vec::new(),
            called: Vec::new(),
            awaits: None,
            role: Role::Owned,
            embryos: Vec::new(),
            backlog: 0,
        })
    }

    /// The address that was asked for.
    pub(super) fn local(&self, host: Address) -> Address {
        let named = host.ip().and_then(|host| TransportAddress::new(host, &self.called));
        named.map_or(host, Address::from)
    }

    /// Answers the request; with the connect data that was set.
    pub(super) fn accept(&mut self) {
        if let Some(connection) = &mut self.connection {
            // At most 32 octets can have been set.
            let _ = connection.accept(&self.data.connect);
        }
    }

    /// Refuses the request with the disconnect data that was set; gives what is to be sent.
    pub(super) fn refuse(&mut self) -> Vec<u8> {
        let Some(connection) = &mut self.connection else { return Vec::new() };
        if connection.refuse(&self.data.disconnect).is_err() {
            // Class 0 has no room for data.
            let _ = connection.refuse(&[]);
        }
        connection.output().to_vec()
    }

    /// Whether there is no connection yet, and there may be one.
    fn is_undecided(&self) -> bool {
        !self.begun && self.fate.is_none()
    }

    /// Takes in what has happened to the connection.
    fn take_events(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        while let Some(event) = connection.poll() {
            self.awaits = None;
            match event {
                Event::Requested | Event::Connected => {
                    self.begun = true;
                    self.data.peer_connect = connection.peer_connect_data().to_vec();
                }
                Event::Refused(_) | Event::Disconnected | Event::Released | Event::Broken => {
                    self.fate = Some(event);
                    self.data.peer_reason = connection.peer_reason();
                    let data = connection.peer_disconnect_data();
                    self.data.peer_disconnect = data.map(<[u8]>::to_vec);
                }
            }
        }
    }
}

/// A reference for a new connection: one TCP connection carries one, so any but 0 will do.
fn reference() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed) | 1
}

impl Socket {
    /// Creates a socket of the ISO provider.
    pub(super) fn create_iso(class: Class, overlapped: bool) -> Result<Arc<Self>, NtStatus> {
        Self::create_with(Provider::Iso(class), overlapped, |inner| {
            inner.iso = Some(Link::new(class));
        })
    }

    /// Looks at or changes the user data of connects and disconnects.
    ///
    /// # Errors
    /// WSAENOPROTOOPT on a provider that has none.
    pub fn with_user_data<R>(
        &self,
        access: impl FnOnce(&mut UserData) -> R,
    ) -> Result<R, NtStatus> {
        let mut inner = self.open()?;
        let link = inner.iso.as_mut().ok_or(NtStatus::OPTION_NOT_SUPPORTED)?;
        Ok(access(&mut link.data))
    }

    /// The time for an answer is over, if it was still `number` that was waited for.
    fn give_up_on(&self, number: u64) {
        let mut after = Deferred::default();
        let mut inner = self.lock();
        let late = inner.iso.as_ref().is_some_and(|link| link.awaits == Some(number));
        if late && inner.is_remnant() {
            drop(inner);
            return self.give_up_remnant();
        }
        if late && matches!(inner.endpoint.phase(), Phase::Connecting | Phase::ConnectingEx) {
            inner.fail_connect(self, NtStatus::IO_TIMEOUT);
        } else if late {
            inner.break_link(self, &mut after);
        }
        inner.settle(self, &mut after);
        drop(inner);
        after.run();
        if late && self.is_embryo() {
            self.end_embryo();
        }
    }
}

impl UserData {
    /// Sets the connect data.
    ///
    /// # Errors
    /// WSAEFAULT for more than 32 octets.
    pub fn set_connect(&mut self, data: &[u8]) -> Result<(), NtStatus> {
        if data.len() > CONNECT_DATA_MAX {
            return Err(NtStatus::ACCESS_VIOLATION);
        }
        self.connect = data.to_vec();
        Ok(())
    }

    /// Sets the disconnect data.
    ///
    /// # Errors
    /// WSAEFAULT for more than 64 octets.
    pub fn set_disconnect(&mut self, data: &[u8]) -> Result<(), NtStatus> {
        if data.len() > DISCONNECT_DATA_MAX {
            return Err(NtStatus::ACCESS_VIOLATION);
        }
        self.disconnect = data.to_vec();
        Ok(())
    }
}

impl Inner {
    fn connection(&mut self) -> Option<&mut Connection> {
        self.iso.as_mut()?.connection.as_deref_mut()
    }

    /// Gives the kernel what is to be sent.
    pub(super) fn flush(&mut self) {
        loop {
            let (Some(link), Some(fd)) = (&mut self.iso, self.tcp.fd()) else { return };
            let Some(connection) = &mut link.connection else { return };
            if connection.output().is_empty() {
                return;
            }
            match net::send(
                fd,
                connection.output(),
                net::SendFlags::DONTWAIT | net::SendFlags::NOSIGNAL,
            ) {
                Ok(sent) => connection.sent(sent),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.tcp.writable = false;
                    return;
                }
                Err(_) => {
                    // What the peer sent before it went is still to be read.
                    let unsent = connection.output().len();
                    return connection.sent(unsent);
                }
            }
        }
    }

    /// Reads once from the kernel. False when there was nothing, or there is no place for it.
    fn read_more(&mut self) -> bool {
        let more_follows = self.tcp.more_follows;
        let (Some(link), Some(fd)) = (&mut self.iso, self.tcp.fd()) else { return false };
        let Some(connection) = &mut link.connection else { return false };
        if !self.tcp.readable || !connection.wants_input() {
            return false;
        }
        let input = connection.input();
        input.reserve(READ);
        let room = input.capacity() - input.len();
        let read = net::recv(fd, rustix::buffer::spare_capacity(input), RecvFlags::DONTWAIT);
        match read {
            Ok((_, 0)) => {
                self.tcp.readable = false;
                connection.end_of_stream();
            }
            Ok((count, _)) => {
                self.tcp.readable = count == room || more_follows;
                connection.decode();
            }
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                self.tcp.readable = false;
                return false;
            }
            Err(_) => connection.reset(),
        }
        link.take_events();
        self.flush();
        true
    }

    /// What is next in line, as [`Tcp::peek`](tcp::Tcp::peek) tells it of TCP.
    pub(super) fn peek(&mut self) -> Next {
        if self.iso.is_none() {
            return self.tcp.peek();
        }
        loop {
            let Some(link) = &self.iso else { return Next::Nothing };
            if link.connection.as_ref().is_some_and(|connection| connection.receivable(0).is_some())
            {
                return Next::Data;
            }
            match link.fate {
                Some(Event::Disconnected | Event::Released) => return Next::Fin,
                Some(Event::Broken | Event::Refused(_)) => return Next::Failed(Errno::CONNRESET),
                _ => {}
            }
            if !self.read_more() {
                return Next::Nothing;
            }
        }
    }

    /// One attempt to receive a message, or as much of it as there is room for.
    pub(super) fn try_recv_message(&mut self, irp: &mut Irp, options: RecvOptions) -> Transfer {
        let room = irp.buffers.remaining();
        loop {
            let Some(connection) = self.connection() else { return Transfer::Wait };
            match connection.receivable(room) {
                Some(_) if room == 0 => return Transfer::Done(0),
                Some((count, _)) => {
                    let mut copied = true;
                    let buffers = &mut irp.buffers;
                    buffers.foresee(count);
                    let ends = if options.peek {
                        connection.look_at_message(count, |part| copied &= buffers.fill(part))
                    } else {
                        connection.take_message(count, |part| copied &= buffers.fill(part))
                    };
                    return match (copied, ends) {
                        (false, _) => Transfer::Refused(NtStatus::ACCESS_VIOLATION),
                        (true, true) => Transfer::Done(count),
                        (true, false) => Transfer::Cut(count),
                    };
                }
                None => {}
            }
            match self.iso.as_ref().and_then(|link| link.fate) {
                Some(Event::Disconnected | Event::Released) => return Transfer::Fin,
                Some(Event::Broken | Event::Refused(_)) => {
                    return Transfer::Failed(Errno::CONNRESET);
                }
                _ => {}
            }
            if !self.read_more() {
                return Transfer::Wait;
            }
        }
    }

    /// One attempt to send a message.
    pub(super) fn try_send_message(&mut self, irp: &mut Irp, flags: SendFlags) -> Transfer {
        self.flush();
        let size = irp.buffers.remaining();
        let Some(connection) = self.connection() else { return Transfer::Wait };
        if !connection.is_open() {
            // The peer has ended the connection, in both directions.
            return Transfer::Refused(NtStatus::CONNECTION_RESET);
        }
        if size > MESSAGE_MAX {
            return Transfer::Refused(NtStatus::BUFFER_OVERFLOW);
        }
        if connection.output().len() > BACKLOG {
            return Transfer::Wait;
        }
        let buffers = &mut irp.buffers;
        let append = |into: &mut Vec<u8>, count| buffers.append_to(into, count);
        if !connection.send_with(size, !flags.is_partial(), append) {
            return Transfer::Refused(NtStatus::ACCESS_VIOLATION);
        }
        self.flush();
        Transfer::Done(size)
    }

    /// The TCP connection is made: asks for the transport connection. True once it is there.
    ///
    /// # Errors
    /// The peer has refused.
    pub(super) fn ask_for_link(&mut self, socket: &Socket) -> Result<bool, NtStatus> {
        let calling = self.selector();
        let called = self.peer.as_ref().map_or_else(Vec::new, selector_of);
        let Some(link) = &mut self.iso else { return Ok(true) };
        if link.connection.is_none() {
            let request = Request {
                class: link.class,
                reference: reference(),
                calling: &calling,
                called: &called,
                data: &link.data.connect,
            };
            let connection = Connection::request(&request);
            link.connection = Some(Box::new(connection.map_err(|_| NtStatus::ACCESS_VIOLATION)?));
            (link.begun, link.fate) = (false, None);
            self.flush();
            self.await_answer(socket, REQUEST_LIMIT);
        }
        while self.iso.as_ref().is_some_and(|link| link.is_undecided()) && self.read_more() {}
        match &self.iso {
            Some(link) if link.begun => Ok(true),
            Some(link) if link.fate.is_none() => Ok(false),
            _ => Err(NtStatus::CONNECTION_REFUSED),
        }
    }

    /// The selector that the socket is bound to.
    fn selector(&self) -> Vec<u8> {
        self.bound.as_ref().map_or_else(Vec::new, selector_of)
    }

    /// An address of TCP as one of this socket's provider.
    pub(super) fn named(&self, address: Address, own: bool) -> Address {
        let (Some(link), Address::Ip(host)) = (&self.iso, &address) else { return address };
        let selector = match &self.bound {
            Some(bound) if own => selector_of(bound),
            _ if own => link.called.clone(),
            _ => link.calling.clone(),
        };
        TransportAddress::new(*host, &selector).map_or(address, Address::from)
    }

    /// Ends the connection behind what was sent; with the disconnect data that was set.
    pub(super) fn release_link(&mut self, socket: &Socket) {
        let Some(link) = &mut self.iso else { return };
        if let Some(connection) = &mut link.connection {
            let data = if link.class == Class::Two { &link.data.disconnect[..] } else { &[] };
            // At most 64 octets can have been set.
            let _ = connection.disconnect(data);
        }
        self.flush();
        self.await_answer(socket, RELEASE_LIMIT);
    }

    /// Gives the peer so long to answer.
    fn await_answer(&mut self, socket: &Socket, limit: Duration) {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        if let Some(link) = &mut self.iso {
            link.awaits = Some(number);
        }
        let token = socket.token();
        guardian::call_after(limit, move || {
            if let Some(socket) = Socket::from_token(token) {
                socket.give_up_on(number);
            }
        });
    }

    /// Says that the connection is aborted, as far as the kernel takes it at once. True if closing
    /// TCP must not take it back.
    pub(super) fn abort_link(&mut self) -> bool {
        let Some(connection) = self.connection() else { return false };
        connection.abort();
        self.flush();
        let said = self.iso.as_ref().is_some_and(|link| link.class == Class::Two);
        said && self.connection().is_some_and(|connection| connection.output().is_empty())
    }

    fn break_link(&mut self, socket: &Socket, after: &mut Deferred) {
        if let Some(connection) = self.connection() {
            connection.reset();
        }
        if let Some(link) = &mut self.iso {
            link.take_events();
        }
        // Whoever waits learns of it as of any other news.
        if self.is_connected() {
            self.progress(socket, Readiness::UNKNOWN, after);
        }
    }

    /// Sends what could not be sent before, and has the driver watch for room if some is left.
    pub(super) fn tend_link(&mut self, socket: &Socket) {
        self.flush();
        let (mut left, mut wants_fin) = (false, false);
        if let Some(connection) = self.connection() {
            left = !connection.output().is_empty();
            wants_fin = connection.wants_fin() || connection.is_over();
        }
        if left {
            if let Some(association) = socket.core.association() {
                association.port.note_pending();
            }
            self.watch_room(socket);
        } else if wants_fin {
            self.tcp.send_fin();
        }
    }

    /// The handle is closed: ends the connection, gracefully or not.
    pub(super) fn close_link(&mut self, socket: &Socket, abort: bool) {
        if !abort {
            self.release_link(socket);
        } else if self.abort_link()
            && let Some(fd) = self.tcp.fd()
        {
            // A reset of TCP would take back what was just said.
            tcp::disarm_reset(fd);
        }
    }

    /// What is left to be sent.
    pub(super) fn owed_by_link(&mut self) -> Option<Vec<u8>> {
        self.flush();
        let output = self.connection()?.output();
        (!output.is_empty()).then(|| output.to_vec())
    }

    /// A message that a closed handle still owes.
    pub(super) fn queue_last_words(&mut self, message: &[u8]) -> bool {
        match self.connection() {
            Some(connection) if connection.is_open() => {
                connection.send(message, true);
                true
            }
            _ => false,
        }
    }

    /// What can be received of messages; `None` where the descriptor tells.
    pub(super) fn next_message(&mut self) -> Option<Next> {
        let has_connection = self.iso.as_ref()?.connection.is_some();
        has_connection.then(|| self.peek())
    }

    /// Another connection begins, or none: the peer's last words stay until it is there.
    pub(super) fn forget_link(&mut self) -> Option<Vec<u8>> {
        let owed = self.owed_by_link();
        if let Some(link) = &mut self.iso {
            link.connection = None;
            (link.begun, link.fate) = (false, None);
            link.data.disconnect.clear();
        }
        owed
    }
}

fn selector_of(address: &Address) -> Vec<u8> {
    match address {
        Address::Iso(address) => address.selector().to_vec(),
        Address::Ip(_) | Address::Unix(_) => Vec::new(),
    }
}

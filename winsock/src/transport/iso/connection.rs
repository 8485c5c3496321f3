//! One ISO transport connection, of class 0 or 2, over one TCP connection: a state machine without
//! I/O and without a clock.
//!
//! The owner hands in what TCP brings ([`Connection::input`], [`Connection::decode`],
//! [`Connection::end_of_stream`]) and sends what [`Connection::output`] holds; it asks
//! [`Connection::poll`] what has become of it. The rules: disconnect-data 1.8 (states), 1.6 and 1.9
//! (release), 1.10 (malformed input).
//!
//! Memory: what a peer sends is held until it is received, up to [`MESSAGE_MAX`] and one packet.
//! Nothing is allocated for a length that a peer merely states.

mod inbox;
mod outbox;

use std::collections::VecDeque;
use std::ops::Range;

use super::tpdu::{
    self, CONNECT_DATA_MAX, Class, Connect, DISCONNECT_DATA_MAX, Fault, Manner, Tpdu, reason,
};
use inbox::Inbox;
use outbox::Outbox;

pub use inbox::MESSAGE_MAX;

/// Log2 of the TPDU size that class 0 offers: what every peer takes.
const SIZE_CLASS_0: u8 = 11;
/// What has become of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A Connection Request came: accept or refuse it ([`Connection::peer_request`]).
    Requested,
    /// The peer has accepted.
    Connected,
    /// The peer has refused, with this reason.
    Refused(u8),
    /// The peer has ended the connection, and everything it sent before is to be delivered first.
    Disconnected,
    /// Our disconnect has been confirmed.
    Released,
    /// The connection is broken: ended abruptly by the peer, or by an error of the protocol.
    Broken,
}

/// What a peer asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerRequest {
    /// The class that will be answered.
    pub class: Class,
    /// The calling selector.
    pub calling: Vec<u8>,
    /// The called selector.
    pub called: Vec<u8>,
    reference: u16,
    size: Option<u8>,
}

/// What a connection is asked for with.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The class.
    pub class: Class,
    /// This side's reference: not 0.
    pub reference: u16,
    /// The calling selector.
    pub calling: &'a [u8],
    /// The called selector.
    pub called: &'a [u8],
    /// Connect data.
    pub data: &'a [u8],
}

/// More user data than the protocol carries; nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Waiting for the peer's CR.
    Listening,
    /// CR received, not answered (WFTRESP).
    Asked,
    /// CR sent (WFCC).
    Asking,
    /// Open.
    Open,
    /// Our release is sent: what still comes is delivered, until the peer confirms.
    Closing,
    /// Over.
    Closed,
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Connection {
    state: State,
    class: Option<Class>,
    local: u16,
    remote: u16,
    /// Octets of user data in one DT.
    segment: usize,
    request: Option<PeerRequest>,
    inbox: Inbox,
    outbox: Outbox,
    event: VecDeque<Event>,
    peer_connect_data: Vec<u8>,
    peer_disconnect_data: Option<Vec<u8>>,
    peer_reason: Option<u8>,
    close_after_output: bool,
}

impl Connection {
    const fn new(state: State, class: Option<Class>, local: u16) -> Self {
        Self {
            state,
            class,
            local,
            remote: 0,
            segment: 0,
            request: None,
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            event: VecDeque::new(),
            peer_connect_data: Vec::new(),
            peer_disconnect_data: None,
            peer_reason: None,
            close_after_output: false,
        }
    }

    /// A connection that a peer will ask for.
    pub const fn listening(reference: u16) -> Self {
        Self::new(State::Listening, None, reference)
    }

    /// A connection that is asked for.
    ///
    /// # Errors
    /// More than 32 octets of connect data.
    pub fn request(request: &Request<'_>) -> Result<Self, TooLong> {
        if request.data.len() > CONNECT_DATA_MAX {
            return Err(TooLong);
        }
        let mut connection = Self::new(State::Asking, Some(request.class), request.reference);
        let connect = Connect {
            destination: 0,
            source: request.reference,
            class: Some(request.class),
            // An alternative would let the peer take away what the socket's catalog entry promises.
            or_class_0: false,
            // Class 2 without a size: 65,531 octets (RFC 2126).
            size: (request.class == Class::Zero).then_some(SIZE_CLASS_0),
            calling: request.calling,
            called: request.called,
            data: request.data,
        };
        tpdu::emit_connect(connection.outbox.end(), &connect, false);
        Ok(connection)
    }

    /// What the peer asks for, while it waits for an answer.
    pub const fn peer_request(&self) -> Option<&PeerRequest> {
        self.request.as_ref()
    }

    /// The peer's connect data: of its request, or of its confirm.
    pub fn peer_connect_data(&self) -> &[u8] {
        &self.peer_connect_data
    }

    /// The peer's disconnect data; `None` while it has not disconnected.
    pub fn peer_disconnect_data(&self) -> Option<&[u8]> {
        self.peer_disconnect_data.as_deref()
    }

    /// The reason octet of the peer's disconnect.
    pub const fn peer_reason(&self) -> Option<u8> {
        self.peer_reason
    }

    /// The class, once it is settled.
    pub const fn class(&self) -> Option<Class> {
        self.class
    }

    /// Accepts the peer's request.
    ///
    /// # Errors
    /// More than 32 octets of connect data. Without a request nothing happens.
    pub fn accept(&mut self, data: &[u8]) -> Result<(), TooLong> {
        if data.len() > CONNECT_DATA_MAX {
            return Err(TooLong);
        }
        let Some(request) = self.request.take() else { return Ok(()) };
        self.open(request.class, request.reference, request.size);
        let connect = Connect {
            destination: self.remote,
            source: self.local,
            class: Some(request.class),
            or_class_0: false,
            size: request.size,
            calling: &[],
            called: &[],
            data,
        };
        tpdu::emit_connect(self.outbox.end(), &connect, true);
        Ok(())
    }

    /// Refuses the peer's request.
    ///
    /// # Errors
    /// More than 64 octets of data, or any in class 0.
    pub fn refuse(&mut self, data: &[u8]) -> Result<(), TooLong> {
        let Some(request) = &self.request else { return Ok(()) };
        let reason = match request.class {
            Class::Zero if !data.is_empty() => return Err(TooLong),
            Class::Zero => reason::UNSPECIFIED,
            Class::Two => reason::REFUSED,
        };
        if data.len() > DISCONNECT_DATA_MAX {
            return Err(TooLong);
        }
        let references = (request.reference, 0);
        tpdu::emit_disconnect(self.outbox.end(), references, reason, None, data);
        self.close();
        Ok(())
    }

    /// Whether messages can be sent.
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Appends a message, or a part of one if `end` is false, to what is to be sent. The owner
    /// keeps [`output`](Self::output) small: nothing limits it here.
    pub fn send(&mut self, mut data: &[u8], end: bool) {
        self.send_with(data.len(), end, |into, count| {
            let (part, rest) = data.split_at(count);
            into.extend_from_slice(part);
            data = rest;
            true
        });
    }

    /// As [`send`](Self::send): `append` appends the next so many of `len` octets, or says that it
    /// cannot; then nothing is sent, and this is false.
    pub fn send_with(
        &mut self,
        mut len: usize,
        end: bool,
        mut append: impl FnMut(&mut Vec<u8>, usize) -> bool,
    ) -> bool {
        let destination = (self.class == Some(Class::Two)).then_some(self.remote);
        let before = self.outbox.end().len();
        // A message has at least one octet: an empty send is no message.
        while len > 0 {
            let part = len.min(self.segment);
            len -= part;
            let mut whole = true;
            tpdu::emit_data(self.outbox.end(), destination, end && len == 0, |into| {
                whole = append(into, part);
            });
            if !whole {
                self.outbox.end().truncate(before);
                return false;
            }
        }
        true
    }

    /// Ends the connection behind everything that was sent. The peer's last messages still come.
    ///
    /// # Errors
    /// More than 64 octets of data, or any in class 0: nothing is sent.
    pub fn disconnect(&mut self, data: &[u8]) -> Result<(), TooLong> {
        match self.class {
            _ if data.len() > DISCONNECT_DATA_MAX => return Err(TooLong),
            Some(Class::Two) => {}
            _ if data.is_empty() => {}
            _ => return Err(TooLong),
        }
        if self.state != State::Open {
            return Ok(());
        }
        if self.class == Some(Class::Two) {
            let manner = Some(Manner::Orderly);
            self.say_goodbye(reason::NORMAL, manner, data);
        }
        self.state = State::Closing;
        Ok(())
    }

    /// Ends the connection at once: what was not sent is dropped, and what arrived too.
    pub fn abort(&mut self) {
        if self.class == Some(Class::Two) && matches!(self.state, State::Open | State::Closing) {
            self.outbox.drop_unsent();
            let manner = Some(Manner::Abrupt);
            self.say_goodbye(reason::NORMAL, manner, &[]);
        }
        self.inbox.clear();
        self.close();
    }

    /// Whether our disconnect waits for the peer's answer.
    pub fn is_releasing(&self) -> bool {
        self.state == State::Closing
    }

    /// Drops the messages that have come.
    pub fn forget_messages(&mut self) {
        self.inbox.clear();
    }

    /// Whether the sending half of TCP is to be closed behind the output: class 0 has no other
    /// release.
    pub fn wants_fin(&self) -> bool {
        self.state == State::Closing && self.class == Some(Class::Zero)
    }

    /// Whether TCP is to be closed behind the output.
    pub const fn is_over(&self) -> bool {
        self.close_after_output
    }

    /// What is to be sent.
    pub fn output(&self) -> &[u8] {
        self.outbox.octets()
    }

    /// So many octets of the output were sent.
    pub fn sent(&mut self, count: usize) {
        self.outbox.sent(count);
    }

    /// Whether more input has a place. Messages that nobody receives hold the peer back.
    pub fn wants_input(&self) -> bool {
        self.state != State::Closed && self.inbox.has_room()
    }

    /// Where the owner appends what TCP brought; [`decode`](Self::decode) is to be called after.
    pub fn input(&mut self) -> &mut Vec<u8> {
        self.inbox.end()
    }

    /// Takes in what was appended to the input.
    pub fn decode(&mut self) {
        while self.state != State::Closed {
            match self.inbox.next_packet() {
                Ok(Some(tpdu)) => self.take_packet(tpdu),
                Ok(None) => return,
                // The stream cannot be followed any more: no TPDU can answer.
                Err(_) => return self.break_off(),
            }
        }
    }

    fn take_packet(&mut self, at: Range<usize>) {
        // Taken out for the time of the call, because what is decoded borrows it.
        let input = self.inbox.lend();
        match tpdu::decode(&input[at.clone()], self.class) {
            Ok(tpdu) => self.take(tpdu, at),
            Err(fault) => self.reject(fault, &input[at]),
        }
        self.inbox.give_back(input);
    }

    fn take(&mut self, tpdu: Tpdu<'_>, at: Range<usize>) {
        match (self.state, tpdu) {
            (State::Listening, Tpdu::ConnectionRequest(connect)) => self.take_request(&connect),
            (State::Asking, Tpdu::ConnectionConfirm(connect)) => self.take_confirm(&connect),
            (_, Tpdu::DisconnectRequest { source, reason, manner, data, .. }) => {
                self.take_disconnect(source, reason, manner, data);
            }
            (State::Closing, Tpdu::DisconnectConfirm { .. }) => self.released(),
            (State::Open | State::Closing, Tpdu::Data { destination, end, data }) => {
                if destination.is_none_or(|destination| destination == self.local) {
                    self.take_data(at.end - data.len()..at.end, end);
                }
            }
            (State::Asking, Tpdu::Error { .. }) => self.refused(reason::PROTOCOL_ERROR),
            (State::Closing, Tpdu::Error { .. }) => self.released(),
            // Never an ER for an ER (RFC 905 6.22).
            (_, Tpdu::Error { .. }) => self.break_off(),
            (State::Open, Tpdu::ConnectionConfirm(connect)) if connect.source == self.remote => {}
            (State::Closing, _) | (_, Tpdu::DisconnectConfirm { .. }) => {}
            _ => self.reject(Fault::Type, &[]),
        }
    }

    fn take_request(&mut self, connect: &Connect<'_>) {
        self.remote = connect.source;
        let Some(class) = connect.class else {
            return self.reject(Fault::Value, &[]);
        };
        let request = PeerRequest {
            class,
            calling: connect.calling.to_vec(),
            called: connect.called.to_vec(),
            reference: connect.source,
            size: connect.size,
        };
        self.peer_connect_data = connect.data.to_vec();
        self.request = Some(request);
        self.state = State::Asked;
        self.event.push_back(Event::Requested);
    }

    fn take_confirm(&mut self, connect: &Connect<'_>) {
        let fits = connect.class == self.class;
        self.remote = connect.source;
        if connect.destination != self.local || !fits {
            // RFC 2126 7: a peer of RFC 1006 may answer with class 0 though it was not offered.
            let reason = if fits { reason::PROTOCOL_ERROR } else { reason::NEGOTIATION_FAILED };
            if connect.class == Some(Class::Two) {
                self.say_goodbye(reason, None, &[]);
            }
            return self.refused(reason);
        }
        self.peer_connect_data = connect.data.to_vec();
        let stated =
            connect.size.or_else(|| (self.class == Some(Class::Zero)).then_some(SIZE_CLASS_0));
        self.open(self.class.unwrap_or(Class::Zero), connect.source, stated);
        self.event.push_back(Event::Connected);
    }

    fn open(&mut self, class: Class, remote: u16, size: Option<u8>) {
        self.class = Some(class);
        self.remote = remote;
        let header = if class == Class::Two { 5 } else { 3 };
        // Without a size: the TPDU that fills a packet (RFC 2126 6.4).
        let tpdu = size.map_or(tpdu::DATA_MAX + 3, |log2| 1 << log2);
        self.segment = tpdu - header;
        self.state = State::Open;
    }

    fn take_disconnect(&mut self, source: u16, reason: u8, manner: Manner, data: &[u8]) {
        self.peer_reason = Some(reason);
        self.peer_disconnect_data = Some(data.to_vec());
        match self.state {
            State::Asking => self.refused(reason),
            State::Closing => self.released(),
            State::Listening => self.break_off(),
            State::Asked => {
                self.confirm(source);
                self.break_off();
            }
            State::Open => {
                self.confirm(source);
                match manner {
                    Manner::Orderly => {
                        self.close();
                        self.event.push_back(Event::Disconnected);
                    }
                    Manner::Abrupt => self.break_off(),
                }
            }
            State::Closed => {}
        }
    }

    /// Answers a DR with a DC, which class 0 does not have.
    fn confirm(&mut self, source: u16) {
        let class = self.class.or_else(|| self.request.as_ref().map(|request| request.class));
        if class == Some(Class::Two) {
            tpdu::emit_disconnect_confirm(self.outbox.end(), source, self.local);
        }
    }

    fn take_data(&mut self, at: Range<usize>, end: bool) {
        if self.inbox.push(at, end).is_err() {
            self.reject(Fault::Length, &[]);
        }
    }

    /// Octets that can be received into so much room, and whether the message ends with them;
    /// `None` while a message has neither ended nor filled the room.
    pub fn receivable(&self, room: usize) -> Option<(usize, bool)> {
        self.inbox.receivable(room)
    }

    /// Gives the next octets of the message to `to`, part by part;
    /// [`receivable`](Self::receivable) says how many there are. True if the message ends with
    /// them.
    pub fn take_message(&mut self, count: usize, to: impl FnMut(&[u8])) -> bool {
        self.inbox.take(count, to)
    }

    /// As [`take_message`](Self::take_message), but the octets stay.
    pub fn look_at_message(&self, count: usize, to: impl FnMut(&[u8])) -> bool {
        self.inbox.look(count, to)
    }

    /// TCP brings no more.
    pub fn end_of_stream(&mut self) {
        match (self.state, self.class) {
            (State::Closed, _) => {}
            (State::Open, Some(Class::Zero)) if self.inbox.is_whole() => {
                self.close();
                self.event.push_back(Event::Disconnected);
            }
            (State::Closing, _) => self.released(),
            (State::Asking, _) => self.refused(reason::UNSPECIFIED),
            // Class 2 without a DR, or in the middle of a message: an error release.
            _ => self.break_off(),
        }
    }

    /// TCP failed.
    pub fn reset(&mut self) {
        match self.state {
            State::Closed => {}
            State::Asking => self.refused(reason::UNSPECIFIED),
            _ => self.break_off(),
        }
    }

    /// The next thing that happened.
    pub fn poll(&mut self) -> Option<Event> {
        self.event.pop_front()
    }

    /// Appends a DR of this connection's.
    fn say_goodbye(&mut self, reason: u8, manner: Option<Manner>, data: &[u8]) {
        let references = (self.remote, self.local);
        tpdu::emit_disconnect(self.outbox.end(), references, reason, manner, data);
    }

    fn reject(&mut self, fault: Fault, rejected: &[u8]) {
        let reason = match fault {
            Fault::Length => reason::INVALID_LENGTH,
            Fault::Value => reason::NEGOTIATION_FAILED,
            Fault::Framing | Fault::Type | Fault::Parameter => reason::PROTOCOL_ERROR,
        };
        match (self.state, self.class) {
            (State::Listening, _) => {
                let references = (self.remote, 0);
                tpdu::emit_disconnect(self.outbox.end(), references, reason, None, &[]);
            }
            (State::Open | State::Asked, Some(Class::Two)) => {
                let reason = reason::PROTOCOL_ERROR;
                self.say_goodbye(reason, None, &[]);
            }
            (_, Some(Class::Zero)) => {
                tpdu::emit_error(self.outbox.end(), self.remote, fault, rejected);
            }
            _ => {}
        }
        if self.state == State::Asking {
            self.refused(reason::PROTOCOL_ERROR);
        } else {
            self.break_off();
        }
    }

    fn refused(&mut self, reason: u8) {
        self.close();
        self.event.push_back(Event::Refused(reason));
    }

    fn released(&mut self) {
        self.close();
        self.event.push_back(Event::Released);
    }

    fn break_off(&mut self) {
        self.inbox.clear();
        self.close();
        self.event.push_back(Event::Broken);
    }

    fn close(&mut self) {
        self.state = State::Closed;
        self.request = None;
        self.close_after_output = true;
    }
}

#[cfg(test)]
mod tests;

//! TransmitPackets of a datagram socket: memory and parts of files, put together to datagrams and
//! sent to the default destination as one operation.

use std::collections::VecDeque;
use std::os::unix::fs::FileExt;

use linsock_iocp::NtStatus;
use linsock_iocp::afd::Start;
use linsock_iocp::afd::datagram::Datagrams;
use linsock_iocp::buffer::{Buffers, SendFlags};
use linsock_iocp::irp::{Deferred, Irp, Timing};

use super::blocking::SyncResult;
use super::datagram::Route;
use super::operation::{Kind, Operation};
use super::transmit::FilePart;
use super::{Inner, Socket, Started};
use crate::catalog::DATAGRAM_MAX;

/// The datagrams of an operation. They are put together when there is room for them, so that no
/// more than one is held.
#[derive(Debug, Default)]
pub struct Packets {
    messages: VecDeque<Message>,
    /// The last message goes on with the next piece.
    continues: bool,
    /// The longest datagram; `None` for as long as the message.
    most: Option<usize>,
    /// The datagram that the transport had no room for.
    next: Option<Buffers>,
    /// Octets that the transport has.
    sent: usize,
}

/// What is a datagram, or several of the longest length that was asked for.
#[derive(Debug, Default)]
struct Message {
    pieces: VecDeque<Piece>,
    octets: u64,
}

#[derive(Debug)]
enum Piece {
    Memory(Buffers),
    Part(FilePart),
}

impl Packets {
    /// Datagrams of at most so many octets; 0 for as long as they are put together.
    pub fn of_at_most(octets: usize) -> Self {
        Self { most: (octets > 0).then_some(octets), ..Self::default() }
    }

    /// Adds memory to the message.
    pub fn push_memory(&mut self, memory: Buffers) {
        let octets = memory.remaining() as u64;
        self.push(Piece::Memory(memory), octets);
    }

    /// Adds a part of a file to the message.
    pub fn push_part(&mut self, part: FilePart) {
        let octets = part.len;
        self.push(Piece::Part(part), octets);
    }

    /// The message is complete: what follows is in another.
    pub const fn end_message(&mut self) {
        self.continues = false;
    }

    fn push(&mut self, piece: Piece, octets: u64) {
        if octets == 0 {
            return;
        }
        if !self.continues {
            self.messages.push_back(Message::default());
            self.continues = true;
        }
        if let Some(message) = self.messages.back_mut() {
            message.pieces.push_back(piece);
            message.octets += octets;
        }
    }

    /// The next datagram, which is not counted as sent yet; `None` if that was the last.
    ///
    /// # Errors
    /// WSAEMSGSIZE for one that is longer than any; WSAEFAULT; ERROR_HANDLE_EOF and what else
    /// reading the file fails with.
    fn take_datagram(&mut self) -> Result<Option<Buffers>, NtStatus> {
        if let Some(next) = self.next.take() {
            return Ok(Some(next));
        }
        let Some(message) = self.messages.front_mut() else { return Ok(None) };
        let most = self.most.map_or(u64::MAX, |most| most as u64);
        let octets = u32::try_from(message.octets.min(most)).unwrap_or(u32::MAX);
        if octets > DATAGRAM_MAX {
            return Err(NtStatus::BUFFER_OVERFLOW);
        }
        let datagram = message.take(octets as usize)?;
        if message.octets == 0 {
            self.messages.pop_front();
        }
        Ok(Some(Buffers::from_vec(datagram)))
    }

    /// Octets that the transport has.
    pub(super) const fn sent(&self) -> usize {
        self.sent
    }
}

impl Message {
    fn take(&mut self, octets: usize) -> Result<Vec<u8>, NtStatus> {
        let mut datagram = Vec::with_capacity(octets);
        while datagram.len() < octets
            && let Some(piece) = self.pieces.front_mut()
        {
            let wanted = octets - datagram.len();
            let is_over = match piece {
                Piece::Memory(memory) => {
                    let count = wanted.min(memory.remaining());
                    if !memory.append_to(&mut datagram, count) {
                        return Err(NtStatus::ACCESS_VIOLATION);
                    }
                    memory.remaining() == 0
                }
                Piece::Part(part) => {
                    read(part, &mut datagram, wanted)?;
                    part.len == 0
                }
            };
            if is_over {
                self.pieces.pop_front();
            }
        }
        self.octets -= octets as u64;
        Ok(datagram)
    }
}

/// Reads on in a part of a file: all that is wanted, or up to the part's end.
fn read(part: &mut FilePart, datagram: &mut Vec<u8>, wanted: usize) -> Result<(), NtStatus> {
    let count = wanted.min(usize::try_from(part.len).unwrap_or(usize::MAX));
    let at = datagram.len();
    datagram.resize(at + count, 0);
    let read = part.file.read_exact_at(&mut datagram[at..], part.offset);
    read.map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => NtStatus::END_OF_FILE,
        _ => NtStatus::IO_DEVICE_ERROR,
    })?;
    part.offset += count as u64;
    part.len -= count as u64;
    Ok(())
}

impl Socket {
    /// TransmitPackets: always pends when it is admitted. Reading the files waits for the disk.
    ///
    /// # Errors
    /// WSAENOTCONN without a default destination; WSAESHUTDOWN; WSAEOPNOTSUPP on a socket of
    /// another type. Nobody but the caller is told.
    pub fn send_packets(&self, irp: Irp, packets: Packets) -> Result<(), NtStatus> {
        irp.begin(&self.core);
        let mut after = Deferred::default();
        let (mut inner, mut irp) = self.open_for(irp)?;
        let result = inner.admit_packets();
        match result {
            Ok(start) => inner.start_packets(self, irp, packets, start, &mut after),
            Err(status) => irp.refuse(status),
        }
        inner.look_for_events(self);
        drop(inner);
        after.run();
        result.map(drop)
    }

    /// The same, waited for in any blocking mode. Gives the octets that were sent.
    ///
    /// # Errors
    /// As [`send_packets`](Self::send_packets), and what ended it.
    pub fn send_packets_waiting(&self, packets: Packets) -> Result<usize, NtStatus> {
        let result = SyncResult::new();
        self.send_packets(result.irp(Buffers::empty()), packets)?;
        self.wait_out(Started::Pending, &result)
    }

    /// Whether datagrams would be admitted now.
    ///
    /// # Errors
    /// As [`send_packets`](Self::send_packets).
    pub fn check_packets(&self) -> Result<(), NtStatus> {
        self.open()?.admit_packets().map(drop)
    }
}

impl Inner {
    fn admit_packets(&self) -> Result<Start, NtStatus> {
        match &self.traffic {
            Some(traffic) => traffic.datagrams.send(false),
            None => Err(NtStatus::NOT_SUPPORTED),
        }
    }

    fn start_packets(
        &mut self,
        socket: &Socket,
        irp: Irp,
        packets: Packets,
        start: Start,
        after: &mut Deferred,
    ) {
        irp.pended(&socket.core);
        let attended = irp.is_attended();
        let mut operation = Operation::new(irp, Kind::SendPackets(Box::new(packets)));
        let tried = match start {
            Start::Behind => Ok(None),
            _ => self.try_send_operation(&mut operation),
        };
        let (status, octets) = match tried {
            Ok(Some(octets)) => (NtStatus::SUCCESS, octets),
            Err(status) => (status, operation.moved()),
            Ok(None) => {
                if let Some(traffic) = &mut self.traffic {
                    Datagrams::sends(&mut traffic.datagrams).push_back(operation);
                }
                if !attended {
                    self.watch_room(socket);
                }
                return;
            }
        };
        operation.complete(socket, Timing::Pended, status, octets, after);
    }

    /// Goes on with a send of datagrams: the octets when it is over, `None` when there is no room.
    pub(super) fn try_send_operation(
        &mut self,
        operation: &mut Operation,
    ) -> Result<Option<usize>, NtStatus> {
        let buffers = &mut operation.irp.buffers;
        match &mut operation.kind {
            Kind::SendTo(flags, route) => {
                let route = route.as_deref().copied().unwrap_or_default();
                self.try_send_to(buffers, *flags, &route)
            }
            Kind::SendPackets(packets) => self.try_send_packets(packets),
            _ => self.try_send_to(buffers, SendFlags::NONE, &Route::default()),
        }
    }

    fn try_send_packets(&mut self, packets: &mut Packets) -> Result<Option<usize>, NtStatus> {
        while let Some(mut datagram) = packets.take_datagram()? {
            match self.try_send_to(&mut datagram, SendFlags::NONE, &Route::default())? {
                Some(octets) => packets.sent += octets,
                None => {
                    packets.next = Some(datagram);
                    return Ok(None);
                }
            }
        }
        Ok(Some(packets.sent))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use super::*;

    fn memory(text: &str) -> Buffers {
        Buffers::from_vec(text.as_bytes().to_vec())
    }

    fn all(mut packets: Packets) -> Vec<String> {
        let next = || packets.take_datagram().unwrap();
        std::iter::from_fn(next)
            .map(|mut datagram| String::from_utf8(datagram.copy_rest().unwrap()).unwrap())
            .collect()
    }

    fn file(text: &str) -> FilePart {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        FilePart { file: Arc::new(file), offset: 0, len: text.len() as u64 }
    }

    /// TransmitPackets page: elements are combined unless TP_ELEMENT_EOP is set.
    #[test]
    fn pieces_are_combined_up_to_the_end_of_a_message() {
        let mut packets = Packets::of_at_most(0);
        packets.push_memory(memory("one"));
        packets.push_part(file(" two"));
        packets.end_message();
        packets.push_memory(memory(""));
        packets.end_message();
        packets.push_memory(memory("three"));
        assert_eq!(all(packets), ["one two", "three"]);
        assert!(all(Packets::default()).is_empty());
    }

    /// TransmitPackets page, nSendSize.
    #[test]
    fn messages_are_cut_into_datagrams_of_the_size() {
        let mut packets = Packets::of_at_most(4);
        packets.push_memory(memory("abc"));
        packets.push_part(file("defgh"));
        packets.push_memory(memory("i"));
        packets.end_message();
        packets.push_memory(memory("jk"));
        assert_eq!(all(packets), ["abcd", "efgh", "i", "jk"]);
    }

    /// The transport had no room: it is asked again with the same datagram.
    #[test]
    fn a_datagram_that_found_no_room_is_the_next() {
        let mut packets = Packets::of_at_most(2);
        packets.push_memory(memory("abcd"));
        let first = packets.take_datagram().unwrap();
        packets.next = first;
        assert_eq!(all(packets), ["ab", "cd"]);
    }

    #[test]
    fn what_is_too_long_or_not_there_is_an_error() {
        let mut packets = Packets::of_at_most(0);
        packets.push_memory(Buffers::from_vec(vec![0; 65_508]));
        assert_eq!(packets.take_datagram().err(), Some(NtStatus::BUFFER_OVERFLOW));
        let mut packets = Packets::of_at_most(0);
        let mut part = file("abc");
        part.len = 4;
        packets.push_part(part);
        assert_eq!(packets.take_datagram().err(), Some(NtStatus::END_OF_FILE));
    }
}

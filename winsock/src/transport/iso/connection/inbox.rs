//! What has come from a peer: undecoded octets, and messages that nobody has received.
//!
//! Messages stay where the kernel put them until they are received: a [`Piece`] is a place in the
//! input.

use std::collections::VecDeque;
use std::ops::Range;

use super::TooLong;
use super::tpdu::{self, Fault, TPKT_HEADER};

/// The longest message that is held for the program: the local cap on a TSDU.
pub const MESSAGE_MAX: usize = 1 << 20;
/// More pieces than this wait for the program; a peer that sends octet by octet fills this first.
const PIECES_ROOM: usize = 1 << 14;
/// A message of more pieces is not taken.
const PIECES_MAX: usize = 1 << 16;
/// So many octets that nobody will read stay where they are.
const SLACK: usize = 1 << 16;

/// User data of one DT, where it stands in the input.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    at: Range<usize>,
    /// It ends a message.
    end: bool,
}

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Inbox {
    input: Vec<u8>,
    decoded: usize,
    pieces: VecDeque<Piece>,
    /// Octets of the pieces.
    arrived: usize,
    /// Octets of the last message in the pieces, while its end has not come.
    unfinished: usize,
}

impl Inbox {
    pub(super) const fn new() -> Self {
        Self { input: Vec::new(), decoded: 0, pieces: VecDeque::new(), arrived: 0, unfinished: 0 }
    }

    /// Whole messages do not fill it. The part of one that is not whole has a limit of its own.
    pub(super) fn has_room(&self) -> bool {
        let whole = self.unfinished == 0;
        self.arrived - self.unfinished < MESSAGE_MAX && !(whole && self.pieces.len() > PIECES_ROOM)
    }

    /// Whether what came ends with a message.
    pub(super) fn is_whole(&self) -> bool {
        self.unfinished == 0 && self.decoded == self.input.len()
    }

    /// Where to append what came. Octets that nobody will read (headers, what was received) make up
    /// at most half of what is held, and [`SLACK`].
    pub(super) fn end(&mut self) -> &mut Vec<u8> {
        let held = self.arrived + self.input.len() - self.decoded;
        if self.input.len() > 2 * held + SLACK || held == 0 {
            self.pack();
        }
        &mut self.input
    }

    /// Moves what is still to be read together.
    fn pack(&mut self) {
        let mut front = 0;
        for piece in &mut self.pieces {
            let len = piece.at.len();
            self.input.copy_within(piece.at.clone(), front);
            piece.at = front..front + len;
            front += len;
        }
        self.input.drain(front..self.decoded);
        self.decoded = front;
    }

    /// The place of the next TPDU, if its packet has come whole; it counts as decoded then.
    ///
    /// # Errors
    /// [`Fault::Framing`].
    pub(super) fn next_packet(&mut self) -> Result<Option<Range<usize>>, Fault> {
        let at = self.decoded;
        let Some(len) = tpdu::packet_len(&self.input[at..])? else {
            return Ok(None);
        };
        if at + len > self.input.len() {
            return Ok(None);
        }
        self.decoded += len;
        Ok(Some(at + TPKT_HEADER..at + len))
    }

    /// The input, for as long as something borrows it; see [`give_back`](Self::give_back).
    pub(super) fn lend(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.input)
    }

    pub(super) fn give_back(&mut self, input: Vec<u8>) {
        self.input = input;
    }

    /// Takes in the user data of a DT.
    ///
    /// # Errors
    /// The message is longer than [`MESSAGE_MAX`], or has too many pieces.
    pub(super) fn push(&mut self, at: Range<usize>, end: bool) -> Result<(), TooLong> {
        let len = at.len();
        if self.unfinished + len > MESSAGE_MAX || self.pieces.len() > PIECES_MAX {
            return Err(TooLong);
        }
        self.arrived += len;
        self.unfinished = if end { 0 } else { self.unfinished + len };
        match self.pieces.back_mut() {
            _ if len > 0 => self.pieces.push_back(Piece { at, end }),
            // An empty DT in the middle of a message says nothing; behind one it ends it.
            _ if !end => {}
            Some(last) if !last.end => last.end = true,
            // What it ends has been received already.
            None => self.pieces.push_back(Piece { at, end }),
            Some(_) => {}
        }
        Ok(())
    }

    /// Octets that can be received into so much room, and whether the message ends with them;
    /// `None` while a message has neither ended nor filled the room.
    pub(super) fn receivable(&self, room: usize) -> Option<(usize, bool)> {
        let mut len = 0;
        for piece in &self.pieces {
            len += piece.at.len();
            if len > room {
                return Some((room, false));
            }
            if piece.end {
                return Some((len, true));
            }
        }
        (len > 0 && len == room).then_some((room, false))
    }

    /// Gives the next octets of the message to `to`, part by part; [`receivable`](Self::receivable)
    /// says how many there are. True if the message ends with them.
    pub(super) fn take(&mut self, mut count: usize, mut to: impl FnMut(&[u8])) -> bool {
        while let Some(piece) = self.pieces.front_mut() {
            let part = piece.at.len().min(count);
            to(&self.input[piece.at.start..piece.at.start + part]);
            piece.at.start += part;
            count -= part;
            self.arrived -= part;
            self.unfinished = self.unfinished.min(self.arrived);
            if !piece.at.is_empty() {
                return false;
            }
            let end = piece.end;
            self.pieces.pop_front();
            if end || count == 0 {
                return end;
            }
        }
        false
    }

    /// As [`take`](Self::take), but the octets stay.
    pub(super) fn look(&self, mut count: usize, mut to: impl FnMut(&[u8])) -> bool {
        for piece in &self.pieces {
            let part = piece.at.len().min(count);
            to(&self.input[piece.at.start..piece.at.start + part]);
            count -= part;
            if part < piece.at.len() {
                return false;
            }
            if piece.end || count == 0 {
                return piece.end;
            }
        }
        false
    }

    /// Forgets the messages.
    pub(super) fn clear(&mut self) {
        self.pieces.clear();
        (self.arrived, self.unfinished) = (0, 0);
    }
}

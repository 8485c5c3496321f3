//! What is to be sent: packets, of which TCP takes parts.

use super::tpdu;

/// A buffer is moved to its front when more than this has been sent from it.
const SLACK: usize = 1 << 16;

/// Packets one behind the other.
#[derive(Debug)]
pub(super) struct Outbox {
    octets: Vec<u8>,
    /// Octets that were sent.
    sent: usize,
    /// Octets behind those that belong to a packet whose front was sent.
    cut: usize,
}

impl Outbox {
    pub(super) const fn new() -> Self {
        Self { octets: Vec::new(), sent: 0, cut: 0 }
    }

    /// Where to append packets.
    pub(super) const fn end(&mut self) -> &mut Vec<u8> {
        &mut self.octets
    }

    /// What was not sent.
    pub(super) fn octets(&self) -> &[u8] {
        &self.octets[self.sent..]
    }

    /// So many octets were sent.
    pub(super) fn sent(&mut self, count: usize) {
        let mut left = count;
        while left > 0 {
            if self.cut == 0 {
                let len = tpdu::packet_len(&self.octets[self.sent..]).ok().flatten();
                self.cut = len.unwrap_or(left);
            }
            let step = left.min(self.cut);
            self.cut -= step;
            self.sent += step;
            left -= step;
        }
        if self.sent == self.octets.len() {
            self.octets.clear();
            self.sent = 0;
        } else if self.sent > SLACK {
            self.octets.drain(..self.sent);
            self.sent = 0;
        }
    }

    /// Drops what was not sent; but the rest of a packet whose front was sent has to follow it.
    pub(super) fn drop_unsent(&mut self) {
        self.octets.truncate(self.sent + self.cut);
    }
}

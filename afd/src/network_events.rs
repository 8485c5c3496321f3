//! The record of network events behind `WSAEventSelect`: what has happened on a socket, what the
//! program wants to hear of, and what it has to do before it hears of the same again.
//!
//! Facts come in by [`NetworkEvents::indicate`], as often as they are seen; each is recorded once
//! until its re-enabling function is called (WSAEventSelect page). What happened before it was
//! selected is kept and reported when it is (`test_close_events`).

use crate::status::NtStatus;

/// A network event of a socket; the value is its FD_*_BIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum NetworkEvent {
    /// Data can be received. Enabled again by a receive, also by one that fails.
    Read = 0,
    /// There is room to send. Enabled again by a send that failed with WSAEWOULDBLOCK.
    Write = 1,
    /// Urgent data can be received. Enabled again by a receive of it.
    Oob = 2,
    /// A connection can be accepted. Enabled again by an accept, also by one that fails.
    Accept = 3,
    /// A connect is over. Once per connect.
    Connect = 4,
    /// The peer has ended the connection, or it failed. Once per connection.
    Close = 5,
}

impl NetworkEvent {
    /// All of them, by bit number.
    pub const ALL: [Self; 6] =
        [Self::Read, Self::Write, Self::Oob, Self::Accept, Self::Connect, Self::Close];

    /// Its bit in a mask: FD_READ and its kin.
    pub const fn mask(self) -> u32 {
        1 << self as u8
    }
}

/// What is to be done with the event object.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Set it.
    Set,
    /// Leave it.
    Leave,
}

/// The record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkEvents {
    /// What the program selected.
    selected: u32,
    /// What has happened and was not taken.
    recorded: u32,
    /// What is not recorded again before it is enabled.
    disabled: u32,
    /// How the last connect went, and how the connection ended.
    connect: NtStatus,
    close: NtStatus,
}

/// The events that were taken, with the status of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Their mask.
    pub events: u32,
    connect: NtStatus,
    close: NtStatus,
}

impl Taken {
    /// The status of an event that is among them.
    pub const fn status(&self, event: NetworkEvent) -> NtStatus {
        match event {
            NetworkEvent::Connect => self.connect,
            NetworkEvent::Close => self.close,
            _ => NtStatus::SUCCESS,
        }
    }
}

impl Default for NetworkEvents {
    fn default() -> Self {
        let (connect, close) = (NtStatus::SUCCESS, NtStatus::SUCCESS);
        Self { selected: 0, recorded: 0, disabled: 0, connect, close }
    }
}

impl NetworkEvents {
    /// What the program selected.
    pub const fn selected(&self) -> u32 {
        self.selected
    }

    /// The program selects these events and no others. What has happened of them is told now; to
    /// select the same again tells nothing that was taken before (`test_close_events`).
    pub const fn select(&mut self, mask: u32) -> Signal {
        self.selected = mask;
        if self.recorded & mask != 0 { Signal::Set } else { Signal::Leave }
    }

    /// Whether the fact would be recorded: nobody need look for what would not.
    pub const fn is_enabled(&self, event: NetworkEvent) -> bool {
        self.disabled & event.mask() == 0
    }

    /// Something is so. Recorded once until it is enabled again.
    pub fn indicate(&mut self, event: NetworkEvent, status: NtStatus) -> Signal {
        if !self.is_enabled(event) {
            return Signal::Leave;
        }
        self.disabled |= event.mask();
        self.recorded |= event.mask();
        match event {
            NetworkEvent::Connect => self.connect = status,
            NetworkEvent::Close => self.close = status,
            _ => {}
        }
        if self.selected & event.mask() != 0 { Signal::Set } else { Signal::Leave }
    }

    /// The re-enabling function of an event was called. A receive and an accept also take the
    /// record away, which comes back if it is still so; a send does not (`test_write_events`).
    pub fn reenable(&mut self, event: NetworkEvent) {
        self.disabled &= !event.mask();
        if event != NetworkEvent::Write {
            self.recorded &= !event.mask();
        }
    }

    /// Another connection begins: nothing of the former one is told any more.
    pub const fn begin_connection(&mut self) {
        (self.recorded, self.disabled) = (0, 0);
    }

    /// Takes what has happened of the selected events.
    pub const fn take(&mut self) -> Taken {
        let events = self.recorded & self.selected;
        self.recorded &= !events;
        Taken { events, connect: self.connect, close: self.close }
    }
}

#[cfg(test)]
mod tests {
    use super::NetworkEvent::{Accept, Close, Connect, Oob, Read, Write};
    use super::*;

    const OK: NtStatus = NtStatus::SUCCESS;

    fn selected(events: &[NetworkEvent]) -> NetworkEvents {
        let mut record = NetworkEvents::default();
        assert_eq!(record.select(mask(events)), Signal::Leave);
        record
    }

    fn mask(events: &[NetworkEvent]) -> u32 {
        events.iter().fold(0, |mask, event| mask | event.mask())
    }

    /// winsock-semantics 6.2.
    #[test]
    fn the_numbers_are_windows_own() {
        assert_eq!(NetworkEvent::ALL.map(NetworkEvent::mask), [1, 2, 4, 8, 0x10, 0x20]);
    }

    /// WSAEventSelect page: recorded once until the re-enabling function.
    #[test]
    fn a_fact_is_told_once_until_it_is_enabled_again() {
        for event in [Read, Write, Oob, Accept] {
            let mut record = selected(&[event]);
            assert_eq!(record.indicate(event, OK), Signal::Set);
            assert_eq!(record.indicate(event, OK), Signal::Leave);
            assert_eq!(record.take().events, event.mask());
            assert_eq!(record.indicate(event, OK), Signal::Leave, "{event:?}: not enabled");
            assert_eq!(record.take().events, 0);
            record.reenable(event);
            assert_eq!(record.indicate(event, OK), Signal::Set, "{event:?}: enabled");
        }
    }

    /// test_close_events: "Selected late: reported. Selected first without FD_CLOSE: reported when
    /// FD_CLOSE is added."
    #[test]
    fn what_happened_before_it_was_selected_is_told_then() {
        let mut record = selected(&[Read]);
        assert_eq!(record.indicate(Close, OK), Signal::Leave);
        assert_eq!(record.take().events, 0);
        assert_eq!(record.select(mask(&[Read, Close])), Signal::Set);
        assert_eq!(record.selected(), mask(&[Read, Close]));
        assert_eq!(record.take().events, Close.mask());
        // Re-selecting the same mask does not signal again.
        assert_eq!(record.select(mask(&[Read, Close])), Signal::Leave);
    }

    /// test_write_events (D8): a send does not clear FD_WRITE. WSAEventSelect page: a receive and
    /// an accept do.
    #[test]
    fn a_receive_clears_its_record_and_a_send_does_not() {
        let mut record = selected(&[Read, Write]);
        let _ = record.indicate(Read, OK);
        let _ = record.indicate(Write, OK);
        record.reenable(Read);
        record.reenable(Write);
        assert_eq!(record.take().events, Write.mask());
    }

    /// WSAEnumNetworkEvents page: an error code for each event that is reported.
    #[test]
    fn a_connect_and_a_close_carry_how_they_went() {
        let mut record = selected(&[Connect, Close, Read]);
        let _ = record.indicate(Connect, NtStatus::CONNECTION_REFUSED);
        let _ = record.indicate(Close, NtStatus::CONNECTION_ABORTED);
        let _ = record.indicate(Read, OK);
        let taken = record.take();
        assert_eq!(taken.status(Connect), NtStatus::CONNECTION_REFUSED);
        assert_eq!(taken.status(Close), NtStatus::CONNECTION_ABORTED);
        assert_eq!(taken.status(Read), OK);
        record.begin_connection();
        assert_eq!(record.take().events, 0);
        assert_eq!(record.indicate(Connect, OK), Signal::Set);
        assert_eq!(record.take().status(Connect), OK);
    }

    /// WSAEventSelect page: "lNetworkEvents 0 cancels".
    #[test]
    fn nothing_selected_tells_nothing() {
        let mut record = selected(&[]);
        for event in NetworkEvent::ALL {
            assert_eq!(record.indicate(event, OK), Signal::Leave);
        }
        assert_eq!(record.take().events, 0);
    }
}

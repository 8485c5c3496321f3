//! SIO_TCP_INFO.

use std::time::Duration;

use linsock::socket::{Socket, Statistics};

use super::Buffers;
use crate::export::Outcome;
use crate::last_error::Error;

/// `TCP_INFO_v0`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TCP_INFO_v0 {
    /// A TCPSTATE.
    pub State: i32,
    /// The most octets in a segment.
    pub Mss: u32,
    /// Milliseconds since the connection was made.
    pub ConnectionTimeMs: u64,
    /// Whether timestamps are used.
    pub TimestampsEnabled: u8,
    /// The smoothed round trip in microseconds.
    pub RttUs: u32,
    /// The shortest one.
    pub MinRttUs: u32,
    /// Octets that were sent and are not acknowledged.
    pub BytesInFlight: u32,
    /// Octets of the congestion window.
    pub Cwnd: u32,
    /// Octets of the peer's window.
    pub SndWnd: u32,
    /// Octets of the own window.
    pub RcvWnd: u32,
    /// Octets of the receive buffer.
    pub RcvBuf: u32,
    /// Octets that were sent.
    pub BytesOut: u64,
    /// Octets that were received.
    pub BytesIn: u64,
    /// Octets that came out of order.
    pub BytesReordered: u32,
    /// Octets that were sent again.
    pub BytesRetrans: u32,
    /// Segments that were sent again before their time was over.
    pub FastRetrans: u32,
    /// Acknowledgements that came again.
    pub DupAcksIn: u32,
    /// How often a time was over.
    pub TimeoutEpisodes: u32,
    /// How often the SYN was sent again.
    pub SynRetrans: u8,
}

const SYN_SENT: u8 = 2;

/// TCPSTATE of the kernel's number, which is its place here: closed, established, SYN sent and
/// received, FIN wait 1 and 2, TIME_WAIT, closed, close wait, last ACK, listening, closing.
const STATES: [i32; 12] = [0, 4, 2, 3, 5, 6, 10, 0, 7, 9, 1, 8];

impl TCP_INFO_v0 {
    fn of(statistics: &Statistics) -> Self {
        let Statistics { facts, age, in_flight, receive_buffer } = statistics;
        let us = |time: Duration| u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        Self {
            State: STATES.get(usize::from(facts.state)).copied().unwrap_or(0),
            Mss: facts.segment,
            ConnectionTimeMs: u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
            TimestampsEnabled: facts.has_timestamps.into(),
            RttUs: us(facts.round_trip),
            MinRttUs: us(facts.least_round_trip),
            BytesInFlight: *in_flight,
            Cwnd: facts.congestion_window.saturating_mul(facts.segment),
            SndWnd: facts.send_window,
            RcvWnd: facts.receive_window,
            RcvBuf: u32::try_from(*receive_buffer).unwrap_or(u32::MAX),
            BytesOut: facts.octets_sent,
            BytesIn: facts.octets_received,
            BytesRetrans: u32::try_from(facts.octets_sent_again).unwrap_or(u32::MAX),
            SynRetrans: if facts.state == SYN_SENT { facts.retransmits } else { 0 },
            ..Self::default()
        }
    }
}

/// Version 0 of the structure.
pub(super) fn tell(socket: &Socket, buffers: &Buffers) -> Outcome<u32> {
    if buffers.read::<u32>()? != 0 {
        return Err(Error::WSAEINVAL);
    }
    buffers.write(TCP_INFO_v0::of(&socket.statistics()?))
}

#[cfg(test)]
mod tests {
    use linsock::iocp::sys::TcpFacts;

    use super::*;

    fn told(facts: TcpFacts) -> TCP_INFO_v0 {
        let age = Duration::from_millis(1500);
        TCP_INFO_v0::of(&Statistics { facts, age, in_flight: 70, receive_buffer: 7 })
    }

    /// The kernel's include/net/tcp_states.h, mstcpip.h's TCPSTATE.
    #[test]
    fn states_have_windows_numbers() {
        let state = |state| told(TcpFacts { state, ..TcpFacts::default() }).State;
        let kernels = [7, 10, 2, 3, 1, 4, 5, 8, 11, 9, 6];
        assert!(kernels.into_iter().map(state).eq(0..=10));
        assert_eq!(state(12), 0);
    }

    #[test]
    fn windows_are_told_in_octets() {
        let facts = TcpFacts {
            congestion_window: 10,
            segment: 1448,
            retransmits: 2,
            ..TcpFacts::default()
        };
        let info = told(facts);
        assert_eq!((info.BytesInFlight, info.Cwnd, info.RcvBuf), (70, 14_480, 7));
        assert_eq!((info.ConnectionTimeMs, info.SynRetrans), (1500, 0));
        assert_eq!(told(TcpFacts { state: SYN_SENT, ..facts }).SynRetrans, 2);
    }
}

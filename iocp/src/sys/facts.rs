//! What the kernel knows of a TCP connection: struct tcp_info.

use std::os::fd::BorrowedFd;
use std::time::Duration;

/// Of struct tcp_info, what has a use here. What an older kernel does not tell is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFacts {
    /// By the kernel's numbers (`TCP_ESTABLISHED` is 1).
    pub state: u8,
    /// How often what is the first to be acknowledged was sent again.
    pub retransmits: u8,
    /// Whether the two ends put timestamps into their segments.
    pub has_timestamps: bool,
    /// The most octets in a segment.
    pub segment: u32,
    /// The smoothed time of a round trip.
    pub round_trip: Duration,
    /// The shortest one lately; zero if none was measured.
    pub least_round_trip: Duration,
    /// Segments that the network is taken to hold at most.
    pub congestion_window: u32,
    /// Octets that the peer's window has.
    pub send_window: u32,
    /// Octets that the own window has.
    pub receive_window: u32,
    /// Octets that were sent, those counted that were sent again.
    pub octets_sent: u64,
    /// Octets that were received and acknowledged.
    pub octets_received: u64,
    /// Octets that were sent again.
    pub octets_sent_again: u64,
    /// Octets that wait to be sent for the first time.
    pub octets_unsent: u32,
    /// How long no data has been sent or received.
    pub idle: Duration,
    /// Of a listener: connections that nobody has accepted yet. Of a connection: segments that are
    /// not acknowledged.
    pub waiting: u32,
    /// Of a listener: how many the kernel keeps.
    pub backlog: u32,
    /// What the peer has acknowledged: octets, and a FIN or a SYN as one each.
    pub acknowledged: u64,
}

/// Octets of struct tcp_info that are looked at.
const LEN: usize = 240;
/// TCPI_OPT_TIMESTAMPS.
const TIMESTAMPS: u8 = 1;

impl TcpFacts {
    /// Of a TCP socket; `None` if the descriptor is none.
    pub fn of(fd: BorrowedFd<'_>) -> Option<Self> {
        let mut octets = [0; LEN];
        super::read_tcp_info(fd, &mut octets)?;
        Some(Self::parse(&octets))
    }

    /// Whether the peer has acknowledged a FIN, which counts behind all octets; `syn` is 1 if it
    /// has acknowledged a SYN.
    pub const fn has_fin_arrived(&self, syn: u64) -> bool {
        self.acknowledged > self.octets_sent.saturating_sub(self.octets_sent_again) + syn
    }

    fn parse(octets: &[u8; LEN]) -> Self {
        let word = |at: usize| octets[at..].first_chunk().copied().map_or(0, u32::from_ne_bytes);
        let long = |at: usize| octets[at..].first_chunk().copied().map_or(0, u64::from_ne_bytes);
        let time = |at: usize| match word(at) {
            u32::MAX => Duration::ZERO,
            us => Duration::from_micros(us.into()),
        };
        Self {
            state: octets[0],
            retransmits: octets[2],
            has_timestamps: octets[5] & TIMESTAMPS != 0,
            segment: word(16),
            waiting: word(24),
            backlog: word(28),
            idle: Duration::from_millis(word(44).min(word(52)).into()),
            round_trip: time(68),
            congestion_window: word(80),
            octets_received: long(128),
            octets_unsent: word(144),
            acknowledged: long(120),
            least_round_trip: time(148),
            octets_sent: long(200),
            octets_sent_again: long(208),
            send_window: word(228),
            receive_window: word(232),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::fd::AsFd;

    use super::*;

    /// The places by the kernel's own counting.
    #[test]
    fn the_octets_of_a_connection_are_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        client.write_all(&[7; 1000]).unwrap();
        server.read_exact(&mut [0; 1000]).unwrap();
        server.write_all(&[7; 300]).unwrap();
        client.read_exact(&mut [0; 300]).unwrap();
        let facts = TcpFacts::of(client.as_fd()).unwrap();
        assert_eq!(facts.state, 1, "established");
        assert_eq!((facts.octets_sent, facts.octets_received), (1000, 300));
        assert_eq!((facts.octets_sent_again, facts.octets_unsent), (0, 0));
        assert_eq!(facts.acknowledged, 1001, "the SYN is one");
        assert!((500..=65_536).contains(&facts.segment), "{facts:?}");
        assert!((1..=10_000).contains(&facts.congestion_window), "{facts:?}");
        assert!(facts.round_trip > Duration::ZERO && facts.round_trip < Duration::from_secs(5));
        assert!(facts.least_round_trip <= facts.round_trip, "{facts:?}");
        assert!(facts.idle < Duration::from_secs(5), "{facts:?}");
        let _second = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let of_listener = TcpFacts::of(listener.as_fd()).unwrap();
        assert_eq!(of_listener.state, 10, "listening");
        assert_eq!((of_listener.waiting, of_listener.backlog), (1, 128), "std listens with 128");
    }

    #[test]
    fn other_sockets_have_none() {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        assert_eq!(TcpFacts::of(udp.as_fd()), None);
    }

    #[test]
    fn a_round_trip_that_was_not_measured_is_zero() {
        assert_eq!(TcpFacts::parse(&[0xFF; LEN]).least_round_trip, Duration::ZERO);
    }
}

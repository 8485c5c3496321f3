//! The table of pairs in TIME_WAIT: pure, told what time it is.
//!
//! A hash map says whether a pair is held; a timer wheel of an eighth of a second says which pairs
//! to let go of. Both cost the same at ten pairs and at a million. A pair that is let go of before
//! its time leaves its place in the wheel, which is told from a new one by the tick.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::Pair;

const TICKS_PER_SECOND: u32 = 8;
/// More ticks than the longest delay (300 s) has.
const SLOTS: u32 = 4096;

/// The addresses and ports of a pair of IPv4.
type Key4 = [u8; 12];
/// The same of IPv6, with the scope of each.
type Key6 = [u8; 44];

enum Key {
    V4(Key4),
    V6(Key6),
}

impl From<&Pair> for Key {
    fn from(pair: &Pair) -> Self {
        let ports = [pair.local.port().to_be_bytes(), pair.remote.port().to_be_bytes()].concat();
        match (pair.local.ip(), pair.remote.ip()) {
            (IpAddr::V4(local), IpAddr::V4(remote)) => {
                let mut key = Key4::default();
                key[..4].copy_from_slice(&local.octets());
                key[4..8].copy_from_slice(&remote.octets());
                key[8..].copy_from_slice(&ports);
                Self::V4(key)
            }
            _ => {
                let mut key = [0; 44];
                for (at, address) in [(0, pair.local), (16, pair.remote)] {
                    let ip = match address.ip() {
                        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
                        IpAddr::V6(ip) => ip,
                    };
                    key[at..at + 16].copy_from_slice(&ip.octets());
                }
                key[32..36].copy_from_slice(&ports);
                key[36..40].copy_from_slice(&scope(pair.local).to_be_bytes());
                key[40..].copy_from_slice(&scope(pair.remote).to_be_bytes());
                Self::V6(key)
            }
        }
    }
}

fn scope(address: SocketAddr) -> u32 {
    match address {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(address) => address.scope_id(),
    }
}

/// Keys and when they are let go of.
#[derive(Debug)]
struct Wheel<K> {
    /// The tick at whose end the pair is free.
    held: HashMap<K, u32>,
    /// By tick, modulo the number of slots; the slots are made with the first pair.
    slots: Vec<Vec<K>>,
}

impl<K: Copy + Eq + Hash> Wheel<K> {
    fn new() -> Self {
        Self { held: HashMap::new(), slots: Vec::new() }
    }

    fn hold(&mut self, key: K, until: u32) {
        if self.slots.is_empty() {
            self.slots = std::iter::repeat_with(Vec::new).take(SLOTS as usize).collect();
        }
        self.held.insert(key, until);
        self.slots[(until % SLOTS) as usize].push(key);
    }

    fn expire(&mut self, tick: u32, mut free: impl FnMut(&K)) {
        if self.slots.is_empty() {
            return;
        }
        for key in std::mem::take(&mut self.slots[(tick % SLOTS) as usize]) {
            // Not if it was let go of and is held again, until later.
            if self.held.get(&key) == Some(&tick) {
                self.held.remove(&key);
                free(&key);
            }
        }
        if self.held.is_empty() {
            *self = Self::new();
        }
    }
}

/// The table.
#[derive(Debug)]
pub struct Table {
    epoch: Instant,
    /// Everything that ends before this tick has been let go of.
    swept: u32,
    v4: Wheel<Key4>,
    v6: Wheel<Key6>,
    /// What was let go of because its time was over, if anybody wants to know.
    expired: Option<Vec<Pair>>,
}

impl Table {
    /// An empty table; time begins at `now`.
    pub fn new(now: Instant) -> Self {
        Self { epoch: now, swept: 0, v4: Wheel::new(), v6: Wheel::new(), expired: None }
    }

    /// The pairs whose time was over since the last call. They are remembered from the first call
    /// on.
    pub fn take_expired(&mut self, now: Instant) -> Vec<Pair> {
        self.sweep(now);
        self.expired.replace(Vec::new()).unwrap_or_default()
    }

    /// Holds a pair for `delay` from `now`, at least; a pair that is held already begins again.
    pub fn hold(&mut self, pair: &Pair, now: Instant, delay: Duration) {
        self.sweep(now);
        // The tick in which the delay ends is over before the pair is free.
        let until = self.tick(now + delay) + 1;
        match Key::from(pair) {
            Key::V4(key) => self.v4.hold(key, until),
            Key::V6(key) => self.v6.hold(key, until),
        }
    }

    /// Whether a pair is held.
    pub fn holds(&mut self, pair: &Pair, now: Instant) -> bool {
        self.left(pair, now).is_some()
    }

    /// How long a pair is still held; `None` if it is not.
    pub fn left(&mut self, pair: &Pair, now: Instant) -> Option<Duration> {
        self.sweep(now);
        let until = match Key::from(pair) {
            Key::V4(key) => self.v4.held.get(&key),
            Key::V6(key) => self.v6.held.get(&key),
        };
        until.map(|until| self.until(*until, now))
    }

    /// Lets go of a pair: its peer has opened it again.
    pub fn release(&mut self, pair: &Pair) {
        match Key::from(pair) {
            Key::V4(key) => drop(self.v4.held.remove(&key)),
            Key::V6(key) => drop(self.v6.held.remove(&key)),
        }
    }

    /// Lets go of every pair whose time is over.
    pub fn sweep(&mut self, now: Instant) {
        let tick = self.tick(now);
        if self.count() == 0 {
            self.swept = tick;
        }
        while self.swept < tick {
            self.swept += 1;
            let mut free = |pair: Pair| {
                if let Some(expired) = &mut self.expired {
                    expired.push(pair);
                }
            };
            self.v4.expire(self.swept, |key| free(pair4(key)));
            self.v6.expire(self.swept, |key| free(pair6(key)));
        }
    }

    /// How many pairs are held, those included whose time is over and that were not swept.
    pub fn count(&self) -> usize {
        self.v4.held.len() + self.v6.held.len()
    }

    /// Every pair that is held, and for how long still.
    pub fn pairs(&mut self, now: Instant) -> Vec<(Pair, Duration)> {
        self.sweep(now);
        let v4 = self.v4.held.iter().map(|(key, until)| (pair4(key), *until));
        let v6 = self.v6.held.iter().map(|(key, until)| (pair6(key), *until));
        v4.chain(v6).map(|(pair, until)| (pair, self.until(until, now))).collect()
    }

    fn tick(&self, at: Instant) -> u32 {
        let ticks = at.saturating_duration_since(self.epoch).as_millis()
            * u128::from(TICKS_PER_SECOND)
            / 1000;
        // 17 years.
        u32::try_from(ticks).unwrap_or(u32::MAX - SLOTS)
    }

    fn until(&self, tick: u32, now: Instant) -> Duration {
        let end = Duration::from_secs(tick.into()) / TICKS_PER_SECOND;
        (self.epoch + end).saturating_duration_since(now)
    }
}

fn pair4(key: &Key4) -> Pair {
    let octets = |at: usize| <[u8; 4]>::try_from(&key[at..at + 4]).unwrap_or_default();
    let port = |at: usize| u16::from_be_bytes([key[at], key[at + 1]]);
    Pair {
        local: SocketAddr::from((octets(0), port(8))),
        remote: SocketAddr::from((octets(4), port(10))),
    }
}

fn pair6(key: &Key6) -> Pair {
    let address = |at: usize, port_at: usize, scope_at: usize| {
        let octets = <[u8; 16]>::try_from(&key[at..at + 16]).unwrap_or_default();
        let port = u16::from_be_bytes([key[port_at], key[port_at + 1]]);
        let scope = <[u8; 4]>::try_from(&key[scope_at..scope_at + 4]).unwrap_or_default();
        let scope = u32::from_be_bytes(scope);
        SocketAddr::V6(std::net::SocketAddrV6::new(octets.into(), port, 0, scope))
    };
    Pair { local: address(0, 32, 36), remote: address(16, 34, 40) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn pair(local: &str, remote: &str) -> Pair {
        Pair { local: local.parse().unwrap(), remote: remote.parse().unwrap() }
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_pair_is_held_for_its_delay_and_not_much_longer() {
        let begin = Instant::now();
        for delay in [0, 1, 2, 30, 240, 300].map(Duration::from_secs) {
            for offset in [0, 1, 62, 124, 125, 990].map(Duration::from_millis) {
                let mut table = Table::new(begin);
                let one = pair("10.0.0.1:1000", "10.0.0.2:2000");
                let held = begin + offset;
                table.hold(&one, held, delay);
                let last = held + delay - Duration::from_millis(u64::from(!delay.is_zero()));
                assert!(table.holds(&one, last), "{delay:?} {offset:?}");
                let free = held + delay + Duration::from_millis(251);
                assert!(!table.holds(&one, free), "{delay:?} {offset:?}");
                assert_eq!(table.count(), 0);
            }
        }
    }

    #[test]
    fn pairs_of_both_families_are_told_apart_and_listed() {
        let now = Instant::now();
        let mut table = Table::new(now);
        let held = [
            pair("10.0.0.1:1000", "10.0.0.2:2000"),
            pair("10.0.0.1:1000", "10.0.0.2:2001"),
            pair("10.0.0.1:1001", "10.0.0.2:2000"),
            pair("[::1]:1000", "[::1]:2000"),
            pair("[fe80::1%3]:1000", "[fe80::2%3]:2000"),
        ];
        for one in &held {
            table.hold(one, now, 10 * SECOND);
        }
        assert!(!table.holds(&pair("10.0.0.2:2000", "10.0.0.1:1000"), now), "the other way round");
        assert!(!table.holds(&pair("[fe80::1%4]:1000", "[fe80::2%4]:2000"), now), "another link");
        let listed = table.pairs(now + SECOND);
        assert_eq!(listed.len(), held.len());
        for (one, left) in listed {
            assert!(held.contains(&one), "{one:?}");
            assert!(left >= 9 * SECOND && left < 10 * SECOND, "{left:?}");
        }
        table.release(&held[0]);
        assert!(!table.holds(&held[0], now) && table.holds(&held[1], now));
    }

    #[test]
    fn a_pair_that_is_held_again_is_not_let_go_of_by_its_former_time() {
        let now = Instant::now();
        let mut table = Table::new(now);
        let one = pair("10.0.0.1:1000", "10.0.0.2:2000");
        table.hold(&one, now, SECOND);
        table.release(&one);
        table.hold(&one, now + SECOND / 2, 10 * SECOND);
        assert!(table.holds(&one, now + 5 * SECOND));
        assert_eq!(table.take_expired(now), []);
        table.hold(&one, now + 5 * SECOND, SECOND);
        assert!(!table.holds(&one, now + 7 * SECOND));
        assert_eq!(table.take_expired(now + 7 * SECOND), [one], "once");
        assert_eq!(table.take_expired(now + 8 * SECOND), []);
    }

    /// The wheel goes round and time may jump: against a map of instants.
    #[test]
    fn it_agrees_with_a_map_of_instants() {
        use proptest::prelude::*;
        let step = (0_u16..4, 0_u64..302, 0_u64..700_000, 0_u8..4);
        let tick = Duration::from_millis(250);
        proptest!(|(steps in prop::collection::vec(step, 1..200))| {
            let mut now = Instant::now();
            let mut table = Table::new(now);
            let mut naive: HashMap<Pair, Instant> = HashMap::new();
            for (n, delay, later, what) in steps {
                let one = Pair {
                    local: SocketAddr::from(([10, 0, 0, 1], 1000 + n)),
                    remote: SocketAddr::from(([10, 0, 0, 2], 80)),
                };
                let delay = Duration::from_secs(delay);
                match what {
                    0 => now += Duration::from_millis(later),
                    1 => {
                        table.release(&one);
                        naive.remove(&one);
                    }
                    _ => {
                        table.hold(&one, now, delay);
                        naive.insert(one, now + delay);
                    }
                }
                for (one, until) in &naive {
                    if now < *until {
                        prop_assert!(table.holds(one, now));
                    } else if now > *until + tick {
                        prop_assert!(!table.holds(one, now));
                    }
                }
                let live = naive.values().filter(|until| now <= **until + tick).count();
                prop_assert!(table.pairs(now).len() <= live);
            }
        });
    }
}

//! What a pair in TIME_WAIT costs: time per close (held, and later let go of) and octets per pair,
//! while so many pairs are held. `cargo run --release -p linsock --example time_wait_cost`.
//!
//! Growth must be flat: a program that closes a thousand times as many connections pays as much for
//! each.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use linsock::time_wait::Pair;
use linsock::time_wait::table::Table;

const DELAY: Duration = Duration::from_secs(240);
/// Closes that are timed, at each size.
const TIMED: u32 = 1_000_000;

/// The pairs of a client with many addresses to a server; no two are alike before 2³² are made.
fn pair(n: u32) -> Pair {
    let [a, b, c, d] = n.to_be_bytes();
    Pair {
        local: SocketAddr::from(([10, 0, a, b], 1024)),
        remote: SocketAddr::from(([10, 1, c, d], 80)),
    }
}

/// Resident memory, in octets.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4096
}

fn measure(size: u32) {
    let begin = Instant::now();
    let before = resident();
    let mut table = Table::new(begin);
    // A steady state: the pairs of the last 240 seconds.
    let step = DELAY / size;
    let mut now = begin;
    for n in 0..size {
        now += step;
        table.hold(&pair(n), now, DELAY);
    }
    let octets = resident().saturating_sub(before) / size as usize;
    let held = table.count();
    let clock = Instant::now();
    for n in size..size + TIMED {
        now += step;
        table.hold(&pair(n), now, DELAY);
    }
    let each = clock.elapsed() / TIMED;
    println!(
        "{held:>9} pairs held: {:>4} ns per close, {octets:>4} octets per pair",
        each.as_nanos()
    );
}

fn main() {
    for size in [1_000, 10_000, 100_000, 1_000_000] {
        measure(size);
    }
}

//! Spinning before a wait blocks, for programs that pay a processor for latency.
//!
//! Waking a sleeping processor takes tens of microseconds on a virtual machine, more than the rest
//! of a round trip together. A thread that looks again and again for a while finds what comes
//! meanwhile without that. Off by default.
#![cfg_attr(shuttle, allow(dead_code, reason = "the tests decide what comes before a wait"))]

use std::time::{Duration, Instant};

use crate::clock::Deadline;
use crate::sync::atomic::{AtomicU32, Ordering};

static MICROSECONDS: AtomicU32 = AtomicU32::new(0);

/// Sets how long every wait of this process looks before it blocks; zero is not at all. Fractions
/// of a microsecond are cut off; an hour and more counts as an hour.
pub fn set(time: Duration) {
    let micros = time.min(Duration::from_secs(3600)).as_micros();
    MICROSECONDS.store(u32::try_from(micros).unwrap_or(0), Ordering::Relaxed);
}

/// Looks until there is something, the time for it is over, or the deadline passes.
#[inline]
pub(crate) fn spin(deadline: Deadline, look: impl FnMut() -> bool) {
    let micros = MICROSECONDS.load(Ordering::Relaxed);
    if micros > 0 && !deadline.is_over() {
        spin_for(Duration::from_micros(micros.into()), deadline, look);
    }
}

#[cold]
fn spin_for(time: Duration, deadline: Deadline, mut look: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !look() && begun.elapsed() < time && !deadline.is_over() {
        std::hint::spin_loop();
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    /// How often a spin looks that finds something the third time.
    fn looks(spin: impl FnOnce(&mut dyn FnMut() -> bool)) -> u32 {
        let mut looks = 0;
        spin(&mut || {
            looks += 1;
            assert!(looks <= 3, "there is something already");
            looks == 3
        });
        looks
    }

    #[test]
    fn a_spin_looks_until_there_is_something_or_its_time_is_over() {
        assert_eq!(looks(|look| spin_for(HOUR, Deadline::Never, look)), 3);
        assert_eq!(looks(|look| spin_for(HOUR, Deadline::after(HOUR), look)), 3);
        assert_eq!(looks(|look| spin_for(Duration::ZERO, Deadline::Never, look)), 1);
        assert_eq!(looks(|look| spin_for(HOUR, Deadline::after_ms(0), look)), 1);
    }

    /// Off by default; the setting is the process's, so this is one test, and short.
    #[test]
    fn a_wait_spins_only_if_it_was_asked_for_and_may_wait() {
        assert_eq!(looks(|look| spin(Deadline::Never, look)), 0);
        set(Duration::from_micros(1));
        let looked = looks(|look| spin(Deadline::Never, look));
        let over = looks(|look| spin(Deadline::after_ms(0), look));
        set(Duration::from_nanos(999));
        assert!(looked > 0);
        assert_eq!(over, 0);
        assert_eq!(looks(|look| spin(Deadline::Never, look)), 0, "cut off");
    }
}

//! Time limits.

use std::time::{Duration, Instant};

use rustix::time::Timespec;

pub use crate::sys::coarse;

/// When a wait gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// Never.
    Never,
    /// At this instant.
    At(Instant),
}

impl Deadline {
    /// A deadline this long from now.
    pub fn after(duration: Duration) -> Self {
        Instant::now().checked_add(duration).map_or(Self::Never, Self::At)
    }

    /// A deadline in Windows milliseconds, where `u32::MAX` (INFINITE) means never.
    #[inline]
    pub fn after_ms(ms: u32) -> Self {
        if ms == u32::MAX { Self::Never } else { Self::after(Duration::from_millis(ms.into())) }
    }

    /// True when the deadline has passed.
    #[inline]
    pub fn is_over(self) -> bool {
        matches!(self, Self::At(at) if at <= Instant::now())
    }

    /// The one that comes first.
    #[must_use]
    pub fn sooner(self, other: Self) -> Self {
        match (self, other) {
            (Self::At(one), Self::At(another)) => Self::At(one.min(another)),
            (Self::Never, at) | (at, Self::Never) => at,
        }
    }

    /// The same, or this long from now if that is sooner.
    pub(crate) fn at_most(self, duration: Duration) -> Self {
        self.sooner(Self::after(duration))
    }

    /// What is left, for a poll; `None` is for ever.
    pub fn left(self) -> Option<Timespec> {
        self.timespec()
    }

    /// What is left, as the kernel wants it; `None` is for ever. Never negative.
    #[inline]
    pub(crate) fn timespec(self) -> Option<Timespec> {
        match self {
            Self::Never => None,
            Self::At(at) => Some(timespec(at.saturating_duration_since(Instant::now()))),
        }
    }
}

/// A duration as the kernel wants it.
#[inline]
pub(crate) fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_deadline_is_over_once_its_time_has_come() {
        assert!(Deadline::after_ms(0).is_over());
        assert!(!Deadline::after(HOUR).is_over());
        assert!(!Deadline::Never.is_over());
    }

    /// INFINITE, and what no clock reaches.
    #[test]
    fn what_is_too_far_away_is_never() {
        assert_eq!(Deadline::after_ms(u32::MAX), Deadline::Never);
        assert_ne!(Deadline::after_ms(u32::MAX - 1), Deadline::Never);
        assert_eq!(Deadline::after(Duration::MAX), Deadline::Never);
    }

    #[test]
    fn what_is_left_shrinks_to_nothing() {
        let left = |deadline: Deadline| deadline.left().map(|left| (left.tv_sec, left.tv_nsec));
        assert_eq!(left(Deadline::Never), None);
        assert_eq!(left(Deadline::after_ms(0)), Some((0, 0)), "not negative");
        let (seconds, _) = left(Deadline::after(2 * HOUR)).unwrap();
        assert!((3600..=7200).contains(&seconds), "{seconds}");
    }

    #[test]
    fn the_kernel_is_told_seconds_and_nanoseconds() {
        let told = timespec(Duration::new(3, 7));
        assert_eq!((told.tv_sec, told.tv_nsec), (3, 7));
        assert_eq!(timespec(Duration::MAX).tv_sec, i64::MAX);
    }
}

//! Time limits.

use std::time::{Duration, Instant};

use rustix::time::Timespec;

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

    /// The same, or this long from now if that is sooner.
    pub(crate) fn at_most(self, duration: Duration) -> Self {
        match (self, Self::after(duration)) {
            (Self::At(own), Self::At(other)) => Self::At(own.min(other)),
            (Self::Never, other) => other,
            (own, Self::Never) => own,
        }
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

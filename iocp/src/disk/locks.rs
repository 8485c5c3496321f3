//! Locks of ranges of a file.
//!
//! The kernel's locks of open file descriptions (`F_OFD_SETLK`) keep the openings of a file apart,
//! in this process and in others. Those of one opening the kernel merges and splits as it likes,
//! where Windows refuses what overlaps and gives back only what was locked as a whole: that is what
//! the list of [`Locks`] is for. In the kernel two locks of one opening overlap only if both are
//! shared.

use std::num::NonZeroI64;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use linsock_afd::NtStatus;
use rustix::io::Errno;

use super::status_of_errno;
use crate::sync::{Condition, Lock};
use crate::sys::{RangeLock, lock_range};
use crate::thread::{self, Synchronous};

/// A range of a file: where it begins, and how many octets it has. One of none is in nobody's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Where it begins.
    pub start: u64,
    /// How many octets it has.
    pub len: u64,
}

impl Range {
    /// The first place behind it. What lies behind all places is not told apart.
    const fn end(self) -> u64 {
        self.start.saturating_add(self.len)
    }

    const fn overlaps(self, other: Self) -> bool {
        self.len > 0 && other.len > 0 && self.start < other.end() && other.start < self.end()
    }

    /// What is left of it without another: nothing, or up to two parts.
    fn without(self, other: Self) -> impl Iterator<Item = Self> {
        let between = |start: u64, end: u64| Self { start, len: end.saturating_sub(start) };
        let before = between(self.start, self.end().min(other.start));
        let behind = between(self.start.max(other.end()), self.end());
        [before, behind].into_iter().filter(|part| part.len > 0)
    }

    /// As the kernel counts, whose files end at 2^63.
    fn in_kernel(self) -> Option<(i64, Option<NonZeroI64>)> {
        let start = i64::try_from(self.start).ok()?;
        let len = i64::try_from(self.end()).ok().map(|end| end - start);
        Some((start, len.and_then(NonZeroI64::new)))
    }
}

#[derive(Debug)]
struct Held {
    range: Range,
    exclusive: bool,
}

impl Held {
    const fn keeps_away(&self, range: Range, exclusive: bool) -> bool {
        (self.exclusive || exclusive) && self.range.overlaps(range)
    }
}

#[derive(Debug, Default)]
struct List {
    held: Vec<Held>,
    is_closed: bool,
}

impl List {
    fn lock(&mut self, fd: BorrowedFd<'_>, range: Range, exclusive: bool) -> Result<(), NtStatus> {
        if self.is_closed {
            return Err(NtStatus::INVALID_HANDLE);
        }
        if self.held.iter().any(|held| held.keeps_away(range, exclusive)) {
            return Err(NtStatus::LOCK_NOT_GRANTED);
        }
        let (start, len) = range.in_kernel().ok_or(NtStatus::INVALID_PARAMETER)?;
        let kind = if exclusive { RangeLock::Exclusive } else { RangeLock::Shared };
        // To the kernel no length is an endless one.
        if range.len > 0 {
            granted(lock_range(fd, kind, start, len))?;
        }
        self.held.push(Held { range, exclusive });
        Ok(())
    }

    /// Takes a lock off the list and out of the kernel, but for what others of the list still need.
    fn release(&mut self, fd: BorrowedFd<'_>, at: usize) {
        let mut parts = vec![self.held.swap_remove(at).range];
        for other in &self.held {
            parts = parts.into_iter().flat_map(|part| part.without(other.range)).collect();
        }
        let parts = parts.into_iter().filter(|part| part.len > 0);
        for (start, len) in parts.filter_map(Range::in_kernel) {
            // Giving back cannot fail.
            let _ = lock_range(fd, RangeLock::None, start, len);
        }
    }
}

/// How many times a lock of any file was given back in this process.
static RELEASES: Lock<u64> = Lock::new(0);
static RELEASED: Condition = Condition::new();
/// How often one who waits looks whether another process has given a lock back. The kernel could
/// wake him, but a thread that waits in there could not be told that its handle was closed.
const TICK: Duration = Duration::from_millis(10);

fn tell_release() {
    *RELEASES.lock() += 1;
    RELEASED.tell_all();
}

/// Waits for the next release behind those that were seen, or a little while.
fn await_release(seen: u64) {
    let mut releases = RELEASES.lock();
    if *releases == seen {
        RELEASED.wait_for(&mut releases, TICK);
    }
}

/// The locks of one opening of a file.
#[derive(Debug, Default)]
pub(super) struct Locks(Lock<List>);

impl Locks {
    pub(super) fn lock(
        &self,
        fd: BorrowedFd<'_>,
        range: Range,
        exclusive: bool,
        waits: bool,
    ) -> Result<(), NtStatus> {
        let operation = waits.then(|| Synchronous::begin(&thread::current()));
        loop {
            let seen = *RELEASES.lock();
            match self.0.lock().lock(fd, range, exclusive) {
                Err(NtStatus::LOCK_NOT_GRANTED) if waits => {}
                result => return result,
            }
            if operation.as_ref().is_some_and(Synchronous::is_cancelled) {
                return Err(NtStatus::CANCELLED);
            }
            await_release(seen);
        }
    }

    pub(super) fn unlock(&self, fd: BorrowedFd<'_>, range: Range) -> Result<(), NtStatus> {
        let mut list = self.0.lock();
        // Two of the same range are both shared, unless it has no octets.
        let at = list.held.iter().position(|held| held.range == range);
        list.release(fd, at.ok_or(NtStatus::RANGE_NOT_LOCKED)?);
        drop(list);
        tell_release();
        Ok(())
    }

    /// The handle is closed. Others may have the opening still.
    pub(super) fn close(&self, fd: BorrowedFd<'_>) {
        let mut list = self.0.lock();
        list.is_closed = true;
        if list.held.is_empty() {
            return;
        }
        while !list.held.is_empty() {
            list.release(fd, 0);
        }
        drop(list);
        tell_release();
    }
}

/// What the kernel says of a lock.
fn granted(result: Result<(), Errno>) -> Result<(), NtStatus> {
    result.map_err(|errno| match errno {
        Errno::AGAIN => NtStatus::LOCK_NOT_GRANTED,
        Errno::NOLCK => NtStatus::INSUFFICIENT_RESOURCES,
        errno => status_of_errno(errno),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_range() {
        let range = |(start, len)| Range { start, len };
        for (whole, other, left) in [
            ((10, 10), (0, 10), vec![(10, 10)]),
            ((10, 10), (20, 10), vec![(10, 10)]),
            ((10, 10), (5, 10), vec![(15, 5)]),
            ((10, 10), (15, 10), vec![(10, 5)]),
            ((10, 10), (12, 3), vec![(10, 2), (15, 5)]),
            ((10, 10), (0, 100), vec![]),
            ((0, u64::MAX), (5, 1), vec![(0, 5), (6, u64::MAX - 6)]),
        ] {
            let parts: Vec<_> = range(whole).without(range(other)).collect();
            assert_eq!(
                parts,
                left.into_iter().map(range).collect::<Vec<_>>(),
                "{whole:?} {other:?}"
            );
        }
    }

    #[test]
    fn ranges_overlap_where_both_have_an_octet() {
        for (a, b, expected) in [
            ((0, 1), (1, 1), false),
            ((0, 2), (1, 1), true),
            ((5, 0), (0, 10), false),
            ((0, u64::MAX), (u64::MAX - 1, 1), true),
        ] {
            let (a, b) = (Range { start: a.0, len: a.1 }, Range { start: b.0, len: b.1 });
            assert_eq!((a.overlaps(b), b.overlaps(a)), (expected, expected), "{a:?} {b:?}");
        }
    }

    #[test]
    fn the_kernel_has_ranges_up_to_its_end() {
        let in_kernel =
            |start, len| Range { start, len }.in_kernel().map(|(s, l)| (s, l.map(i64::from)));
        assert_eq!(in_kernel(3, 4), Some((3, Some(4))));
        assert_eq!(in_kernel(3, u64::MAX), Some((3, None)));
        assert_eq!(in_kernel(i64::MAX.cast_unsigned(), 5), Some((i64::MAX, None)));
        assert_eq!(in_kernel(i64::MAX.cast_unsigned() + 1, 1), None);
    }
}

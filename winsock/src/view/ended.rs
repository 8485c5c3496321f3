//! The connections that have ended while a tool looks at this process: the last of them, and why.
//!
//! Nobody keeps anything while nobody looks. A look has every socket watch for the end of its
//! connection, as the trace does (`socket::trace`), and is remembered for a minute.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use linsock_iocp::guardian;
use linsock_iocp::sync::Lock;
use linsock_iocp::sync::atomic::{AtomicBool, Ordering};

use crate::catalog::Provider;

/// How long a look is remembered, and an end.
pub(crate) const MEMORY: Duration = Duration::from_secs(60);

/// Of more ends than these only the last are kept.
const MOST: usize = 256;

/// How a connection has ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) handle: usize,
    /// Which connection of the handle it was.
    pub(crate) connection: u32,
    pub(crate) provider: Provider,
    pub(crate) local: String,
    pub(crate) remote: String,
    /// One word, for programs.
    pub(crate) reason: String,
    /// For people.
    pub(crate) what: String,
    /// Of TCP, whose octets the kernel counts.
    pub(crate) octets: Option<Octets>,
    pub(crate) age: Duration,
}

/// What went over a connection, and what did not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Octets {
    /// Sent, and received.
    pub(crate) moved: (u64, u64),
    pub(crate) unsent: usize,
    pub(crate) unread: usize,
}

/// An end, and when it came.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Counts the ends.
    pub(crate) number: u64,
    pub(crate) when: Instant,
    pub(crate) ended: Ended,
}

#[derive(Debug)]
struct Book {
    /// When a tool has looked last; `None`: nobody does.
    looked: Option<Instant>,
    entries: VecDeque<Entry>,
    next: u64,
}

static BOOK: Lock<Book> = Lock::new(Book { looked: None, entries: VecDeque::new(), next: 0 });
static IS_WATCHED: AtomicBool = AtomicBool::new(false);

/// Whether a tool looks at this process.
#[inline]
pub(crate) fn is_watched() -> bool {
    IS_WATCHED.load(Ordering::Relaxed)
}

/// A tool looks; gives what has ended since somebody does.
pub(crate) fn look() -> Vec<Entry> {
    let now = Instant::now();
    let mut book = BOOK.lock();
    let is_first = book.looked.replace(now).is_none();
    book.forget(now);
    let entries = book.entries.iter().cloned().collect();
    drop(book);
    IS_WATCHED.store(true, Ordering::Relaxed);
    if is_first {
        lapse_after(MEMORY);
    }
    entries
}

/// A connection has ended. Called under its socket's lock.
pub(crate) fn note(ended: Ended) {
    let mut book = BOOK.lock();
    if book.looked.is_none() {
        return;
    }
    book.add(ended, Instant::now());
}

/// Looks after a while whether somebody has looked.
fn lapse_after(time: Duration) {
    guardian::call_after(time, || {
        if let Some(left) = BOOK.lock().lapse(Instant::now()) {
            lapse_after(left);
        }
    });
}

impl Book {
    fn add(&mut self, ended: Ended, when: Instant) {
        if self.entries.len() == MOST {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { number: self.next, when, ended });
        self.next += 1;
    }

    fn forget(&mut self, now: Instant) {
        let is_old = |entry: &Entry| now.saturating_duration_since(entry.when) >= MEMORY;
        while self.entries.front().is_some_and(is_old) {
            self.entries.pop_front();
        }
    }

    /// Forgets everything when nobody has looked for long; else, how much longer that takes.
    fn lapse(&mut self, now: Instant) -> Option<Duration> {
        let since = self.looked.map_or(MEMORY, |looked| now.saturating_duration_since(looked));
        let left = MEMORY.checked_sub(since).filter(|left| !left.is_zero());
        if left.is_none() {
            self.looked = None;
            self.entries = VecDeque::new();
            IS_WATCHED.store(false, Ordering::Relaxed);
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended() -> Ended {
        Ended {
            handle: 4,
            connection: 1,
            provider: Provider::Unix,
            local: String::new(),
            remote: String::new(),
            reason: String::new(),
            what: String::new(),
            octets: None,
            age: Duration::ZERO,
        }
    }

    fn book(looked: Instant, ends: impl IntoIterator<Item = Instant>) -> Book {
        let mut book = Book { looked: Some(looked), entries: VecDeque::new(), next: 0 };
        ends.into_iter().for_each(|when| book.add(ended(), when));
        book
    }

    /// Our choice: a minute.
    #[test]
    fn an_end_and_a_look_are_remembered_for_a_minute() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let mut book = book(at(10), [at(0), at(1), at(30)]);
        book.forget(at(60));
        assert_eq!(book.entries.len(), 2);
        assert_eq!(book.lapse(at(60)), Some(Duration::from_secs(10)));
        assert_eq!(book.entries.len(), 2);
        assert_eq!(book.lapse(at(70)), None);
        assert!(book.entries.is_empty() && book.looked.is_none());
    }

    /// Our choice: 256, and each keeps its number.
    #[test]
    fn only_the_last_ends_are_kept() {
        let now = Instant::now();
        let book = book(now, [now; MOST + 2]);
        let numbers: Vec<_> = book.entries.iter().map(|entry| entry.number).collect();
        assert_eq!(numbers, (2..MOST as u64 + 2).collect::<Vec<_>>());
    }
}

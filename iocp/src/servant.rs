//! Threads of the library's own that run no code of the program.
//!
//! They take no signals: one that the program has held back in all of its threads, to wait for it,
//! would find such a thread and end the process. And they are counted, for a process ends with the
//! last thread of the program.

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::{Builder, Thread};

use crate::sys::quiet::without_any_signal;

/// How many there are at least.
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// How often that has changed.
static CHANGES: AtomicU64 = AtomicU64::new(0);

/// Starts one. `stack`: octets, where the usual two million are not wanted.
///
/// # Errors
/// When there can be no more threads.
pub fn spawn(
    name: &str,
    stack: Option<usize>,
    body: impl FnOnce() + Send + 'static,
) -> io::Result<Thread> {
    let builder = Builder::new().name(name.into());
    let builder = stack.into_iter().fold(builder, Builder::stack_size);
    let counted = move || {
        let _counted = Counted::new();
        body();
    };
    let started = without_any_signal(|| builder.spawn(counted))?;
    Ok(started.thread().clone())
}

/// Counts a thread as long as it is certainly there.
struct Counted;

impl Counted {
    fn new() -> Self {
        COUNT.fetch_add(1, Ordering::SeqCst);
        CHANGES.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        COUNT.fetch_sub(1, Ordering::SeqCst);
        CHANGES.fetch_add(1, Ordering::SeqCst);
    }
}

/// Whether these are all the threads but for `others`, as `threads` counts them all. False also
/// when one has begun or ended meanwhile.
pub fn are_all_but(others: usize, threads: impl FnOnce() -> Option<usize>) -> bool {
    let (changes, count) = (CHANGES.load(Ordering::SeqCst), COUNT.load(Ordering::SeqCst));
    let are_all = threads().is_some_and(|threads| threads <= count + others);
    are_all && CHANGES.load(Ordering::SeqCst) == changes
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::sys::quiet::holds_back;

    #[test]
    fn the_programs_signals_are_its_own() {
        let (tell, told) = mpsc::channel();
        let held = move || tell.send([libc::SIGTERM, libc::SIGSEGV].map(holds_back)).unwrap();
        spawn("servant", Some(1 << 16), held).unwrap();
        assert_eq!(told.recv().unwrap(), [true, false], "a fault of its own is not held back");
        assert!(!holds_back(libc::SIGTERM), "nor is anything here");
    }

    #[test]
    fn they_are_counted_as_long_as_they_are_there() {
        let (begin, begun) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let body = move || {
            begin.send(()).unwrap();
            let _ = ended.recv();
        };
        spawn("servant", None, body).unwrap();
        begun.recv().unwrap();
        // Other tests have theirs.
        assert!(COUNT.load(Ordering::SeqCst) >= 1);
        assert!(!are_all_but(0, || None));
        assert!(!are_all_but(0, || Some(usize::MAX)));
        assert!(!are_all_but(0, || {
            drop(Counted::new());
            Some(0)
        }));
        drop(end);
    }
}

//! Knowing that another thread sleeps in the kernel, without sleeping for it.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// Longer than anything takes that works; nothing waits for it to pass.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// A thread of a test, whose sleep can be awaited.
pub(crate) struct Sleeper<'scope, T> {
    handle: ScopedJoinHandle<'scope, T>,
    tid: Receiver<String>,
    begun: Instant,
}

/// Starts a thread that calls `begin` right before the call that is to sleep.
pub(crate) fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce(&Begin) -> T + Send + 'scope,
) -> Sleeper<'scope, T> {
    let (send, tid) = channel();
    let begun = Instant::now();
    let handle = scope.spawn(move || work(&Begin(send)));
    Sleeper { handle, tid, begun }
}

/// How a [`Sleeper`] says that it is about to sleep.
pub(crate) struct Begin(Sender<String>);

impl Begin {
    /// The next thing that the calling thread does is to sleep.
    pub(crate) fn sleeping(&self) {
        let tid = rustix::thread::gettid();
        let _ = self.0.send(tid.as_raw_nonzero().to_string());
    }
}

impl<T> Sleeper<'_, T> {
    /// Waits until the thread has begun to sleep, and sleeps. Once for each `sleeping`.
    pub(crate) fn until_asleep(&self) {
        let tid = self.tid.recv().expect("the thread says when it sleeps");
        let stat = format!("/proc/self/task/{tid}/stat");
        let since = Instant::now();
        loop {
            let text = std::fs::read_to_string(&stat).expect("the thread lives");
            // proc_pid_stat(5): the state is the first field after the name, S is asleep.
            if text.rsplit(')').next().unwrap().trim_start().starts_with('S') {
                return;
            }
            assert!(since.elapsed() < LONG, "the thread does not sleep");
            std::thread::yield_now();
        }
    }

    /// What the thread returned. A wait looks once more when its time is up, so a wake-up that
    /// never came shows in nothing but the time.
    pub(crate) fn join(self) -> T {
        let returned = self.handle.join().expect("the thread did not panic");
        assert!(self.begun.elapsed() < LONG, "the thread was not woken");
        returned
    }
}

//! Waits on behalf of others: one lazily started thread waits for all objects that anybody has it
//! watch, and tells of each one once.

use std::io;
use std::sync::Arc;

use crate::clock::Deadline;
use crate::event::{Event, Waitable};
use crate::servant;
use crate::sync::{Condition, Lock};
use crate::wait::{Waited, Which, wait};

/// An object that is held while it is watched.
pub trait Watched: Send + Sync {
    /// What is waited for.
    fn signal(&self) -> &dyn Waitable;
}

/// Told when the object was signaled (true; the signal is taken) or the time is over. Called once,
/// on the watcher's thread, with no lock held. It holds up all others.
pub type Tell = Box<dyn FnOnce(bool) + Send>;

/// A watch; dropping it ends it. Then the object's signal is everybody else's, but a call of
/// [`Tell`] may be on its way.
#[derive(Debug)]
pub struct Watch(u64);

struct Entry {
    number: u64,
    what: Arc<dyn Watched>,
    deadline: Deadline,
    tell: Tell,
}

/// What the thread waits for: the number of its watch, and the object.
type Listed = (u64, Arc<dyn Watched>);

#[derive(Default)]
struct List {
    entries: Vec<Entry>,
    last_number: u64,
    is_started: bool,
    /// The thread waits for the objects that were listed when it began, for the so-manieth time.
    waiting: bool,
    round: u64,
}

struct Watcher {
    list: Lock<List>,
    /// The thread has ended a wait.
    settled: Condition,
}

static WATCHER: Watcher = Watcher {
    list: Lock::new(List {
        entries: Vec::new(),
        last_number: 0,
        is_started: false,
        waiting: false,
        round: 0,
    }),
    settled: Condition::new(),
};

/// Signaled when the list has changed.
static CHANGED: Event = Event::new(false, false);

/// Watches an object until the deadline.
///
/// # Errors
/// When the thread cannot be started.
pub fn watch(what: Arc<dyn Watched>, deadline: Deadline, tell: Tell) -> io::Result<Watch> {
    let mut list = WATCHER.list.lock();
    if !list.is_started {
        servant::spawn("linsock-watcher", None, || WATCHER.run())?;
        list.is_started = true;
    }
    list.last_number += 1;
    let number = list.last_number;
    list.entries.push(Entry { number, what, deadline, tell });
    drop(list);
    CHANGED.set();
    Ok(Watch(number))
}

impl Drop for Watch {
    /// Waits until the thread has let go of the object: it must not take a signal that comes later.
    fn drop(&mut self) {
        let mut list = WATCHER.list.lock();
        let Some(at) = list.entries.iter().position(|entry| entry.number == self.0) else { return };
        let entry = list.entries.remove(at);
        let round = list.round;
        if list.waiting {
            CHANGED.set();
        }
        while list.waiting && list.round == round {
            WATCHER.settled.wait(&mut list);
        }
        drop(list);
        // What it holds may lock what it likes.
        drop(entry);
    }
}

impl Watcher {
    fn run(&self) {
        loop {
            let (watched, deadline) = self.begin();
            let mut signals = vec![&CHANGED as &dyn Waitable];
            signals.extend(watched.iter().map(|(_, what)| what.signal()));
            let waited = wait(&signals, Which::Any, deadline, false);
            let signaled = match waited {
                Waited::Object(index) => index.checked_sub(1).map(|at| &watched[at]),
                Waited::TimedOut | Waited::Alerted => None,
            };
            let is_signaled = signaled.is_some();
            let due = self.end(signaled);
            drop(watched);
            for entry in due {
                // A panic must not end the watches of all others.
                let tell = std::panic::AssertUnwindSafe(|| (entry.tell)(is_signaled));
                let _ = std::panic::catch_unwind(tell);
            }
        }
    }

    /// What to wait for now, and how long.
    fn begin(&self) -> (Vec<Listed>, Deadline) {
        let mut list = self.list.lock();
        list.waiting = true;
        list.round += 1;
        let watched = list.entries.iter().map(|entry| (entry.number, Arc::clone(&entry.what)));
        let deadlines = list.entries.iter().map(|entry| entry.deadline);
        (watched.collect(), deadlines.fold(Deadline::Never, Deadline::sooner))
    }

    /// The wait is over: takes the watch whose object was signaled or, if none was, those whose
    /// time is over, off the list.
    fn end(&self, signaled: Option<&Listed>) -> Vec<Entry> {
        let mut list = self.list.lock();
        let is_due = |entry: &mut Entry| match signaled {
            Some((number, _)) => entry.number == *number,
            None => entry.deadline.is_over(),
        };
        let due: Vec<_> = list.entries.extract_if(.., is_due).collect();
        if let Some((_, what)) = signaled.filter(|_| due.is_empty()) {
            // It is watched no more, and whoever has ended the watch waits for this.
            what.signal().give_back();
        }
        list.waiting = false;
        self.settled.tell_all();
        due
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);
    const QUIET: Duration = Duration::from_millis(20);

    impl Watched for Event {
        fn signal(&self) -> &dyn Waitable {
            self
        }
    }

    fn watched(event: &Arc<Event>, deadline: Deadline) -> (Watch, Receiver<bool>) {
        let (tell, told) = channel();
        let event = Arc::clone(event) as Arc<dyn Watched>;
        let watch = watch(event, deadline, Box::new(move |signaled| tell.send(signaled).unwrap()));
        (watch.unwrap(), told)
    }

    fn event() -> Arc<Event> {
        Arc::new(Event::new(false, false))
    }

    #[test]
    fn each_watch_is_told_once() {
        let events: Vec<_> = (0..100).map(|_| event()).collect();
        let watches: Vec<_> = events.iter().map(|event| watched(event, Deadline::Never)).collect();
        events.iter().for_each(|event| event.set());
        for (_, told) in &watches {
            assert_eq!(told.recv_timeout(LIMIT), Ok(true));
            assert!(told.recv_timeout(Duration::ZERO).is_err());
        }
        assert!(!events.iter().any(|event| event.is_set()), "the signal was taken");
    }

    #[test]
    fn a_watch_ends_with_its_time() {
        let event = event();
        let (_watch, told) = watched(&event, Deadline::after_ms(1));
        let (_long, not_told) = watched(&event, Deadline::after(2 * LIMIT));
        assert_eq!(told.recv_timeout(LIMIT), Ok(false));
        for _ in 0..100 {
            // The thread may find it so when it is told of the new watch.
            let (_watch, told) = watched(&event, Deadline::after_ms(0));
            assert_eq!(told.recv_timeout(LIMIT), Ok(false));
        }
        assert!(not_told.recv_timeout(QUIET).is_err());
    }

    /// A signal that comes after the watch has ended is not the watcher's, not even for a moment.
    #[test]
    fn an_ended_watch_takes_no_signal() {
        for _ in 0..500 {
            let event = event();
            let round = WATCHER.list.lock().round;
            let (watch, told) = watched(&event, Deadline::Never);
            let is_waiting = |list: &List| list.waiting && list.round > round;
            while !is_waiting(&WATCHER.list.lock()) {
                std::thread::yield_now();
            }
            drop(watch);
            event.set();
            assert!(event.take());
            assert!(told.try_recv().is_err());
        }
    }

    /// Two threads end and signal at once: it is told, or the signal stays.
    #[test]
    fn a_signal_is_told_or_left() {
        for _ in 0..500 {
            let event = event();
            let (watch, told) = watched(&event, Deadline::Never);
            std::thread::scope(|scope| {
                scope.spawn(|| event.set());
                drop(watch);
            });
            let is_left = event.take();
            assert_eq!(
                told.recv_timeout(if is_left { Duration::ZERO } else { LIMIT }).is_ok(),
                !is_left
            );
        }
    }
}

//! How many callbacks of an object are to come and how many run, for whoever waits for them or
//! calls them off.

use std::sync::Arc;

use crate::clock::Deadline;
use crate::event::Event;
use crate::sync::Lock;
use crate::wait::{Which, wait};

/// The callbacks of one object.
#[derive(Debug, Default)]
pub struct Tally(Lock<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Neither begun nor called off.
    expected: usize,
    /// Called off: as many of those that come next are left out.
    skipped: usize,
    running: usize,
    /// Dropped when no callback is expected or runs.
    notices: Vec<Arc<Notice>>,
}

/// Sets an event when the last of its holders has let go of it: the tallies that are to be idle.
#[derive(Debug)]
pub struct Notice(Arc<Event>);

impl Notice {
    /// A notice by this event.
    pub fn new(event: Arc<Event>) -> Arc<Self> {
        Arc::new(Self(event))
    }
}

impl Drop for Notice {
    fn drop(&mut self) {
        self.0.set();
    }
}

impl Counts {
    const fn is_idle(&self) -> bool {
        self.expected == 0 && self.running == 0
    }

    fn tell(&mut self) {
        if self.is_idle() {
            self.notices.clear();
        }
    }
}

impl Tally {
    /// A callback is to come.
    pub fn announce(&self) {
        self.0.lock().expected += 1;
    }

    /// One that was to come does not. False if none was.
    pub fn withdraw(&self) -> bool {
        let counts = &mut *self.0.lock();
        let of = if counts.expected > 0 { &mut counts.expected } else { &mut counts.skipped };
        let had_one = *of > 0;
        *of = of.saturating_sub(1);
        counts.tell();
        had_one
    }

    /// A callback's turn has come; false if it was called off, or nobody expects one.
    #[must_use]
    pub fn begin(&self) -> bool {
        let mut counts = self.0.lock();
        if counts.skipped > 0 {
            counts.skipped -= 1;
            return false;
        }
        let is_expected = counts.expected > 0;
        if is_expected {
            counts.expected -= 1;
            counts.running += 1;
        }
        is_expected
    }

    /// A callback is over.
    pub fn end(&self) {
        let mut counts = self.0.lock();
        counts.running = counts.running.saturating_sub(1);
        counts.tell();
    }

    /// Those that have not begun are called off; gives how many.
    pub fn cancel(&self) -> usize {
        let mut counts = self.0.lock();
        let cancelled = std::mem::take(&mut counts.expected);
        counts.skipped += cancelled;
        counts.tell();
        cancelled
    }

    /// Whether a callback is to come that has not begun.
    pub fn is_expecting(&self) -> bool {
        self.0.lock().expected > 0
    }

    /// Whether no callback is expected or runs.
    pub fn is_idle(&self) -> bool {
        self.0.lock().is_idle()
    }

    /// Holds the notice until no callback is expected or runs; true if that is so now.
    pub fn hold_until_idle(&self, notice: &Arc<Notice>) -> bool {
        let mut counts = self.0.lock();
        counts.notices.push(Arc::clone(notice));
        counts.tell();
        counts.is_idle()
    }

    /// Waits until no callback is expected or runs.
    pub fn wait(&self) {
        let event = Arc::new(Event::new(true, false));
        if !self.hold_until_idle(&Notice::new(Arc::clone(&event))) {
            wait(&[&*event], Which::Any, Deadline::Never, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_called_off_is_left_out_and_nothing_else() {
        let tally = Tally::default();
        assert!(!tally.begin(), "nobody expects one");
        (0..3).for_each(|_| tally.announce());
        assert!(tally.begin() && tally.is_expecting());
        assert_eq!((tally.cancel(), tally.is_expecting()), (2, false));
        tally.announce();
        assert_eq!([tally.begin(), tally.begin(), tally.begin()], [false, false, true]);
        assert!(!tally.is_idle());
        tally.end();
        tally.end();
        assert!(tally.is_idle());
    }

    #[test]
    fn a_withdrawn_one_is_waited_for_by_nobody() {
        let tally = Tally::default();
        assert!(!tally.withdraw());
        tally.announce();
        let event = Arc::new(Event::new(true, false));
        assert!(!tally.hold_until_idle(&Notice::new(Arc::clone(&event))));
        assert!(tally.withdraw());
        assert!(event.is_set() && tally.is_idle());
        tally.announce();
        tally.cancel();
        assert!(tally.withdraw(), "one that was called off does not come either");
        tally.announce();
        assert!(tally.begin());
    }

    #[test]
    fn who_waits_is_told_when_the_last_one_is_over() {
        let tally = &Tally::default();
        (0..2).for_each(|_| tally.announce());
        assert!(tally.begin() && tally.begin());
        let event = Arc::new(Event::new(true, false));
        assert!(!tally.hold_until_idle(&Notice::new(Arc::clone(&event))));
        let (done, told) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                tally.wait();
                done.send(()).unwrap();
            });
            tally.end();
            assert!(!event.is_set());
            assert!(told.recv_timeout(Duration::from_millis(20)).is_err(), "one still runs");
            tally.end();
            told.recv().unwrap();
        });
        assert!(event.is_set());
        tally.wait();
    }

    #[test]
    fn a_notice_waits_for_the_last_of_several() {
        let tallies = [Tally::default(), Tally::default(), Tally::default()];
        tallies[..2].iter().for_each(Tally::announce);
        let event = Arc::new(Event::new(true, false));
        let notice = Notice::new(Arc::clone(&event));
        let idle = tallies.each_ref().map(|tally| tally.hold_until_idle(&notice));
        assert_eq!(idle, [false, false, true]);
        drop(notice);
        tallies[0].cancel();
        assert!(!event.is_set());
        tallies[1].cancel();
        assert!(event.is_set());
    }
}

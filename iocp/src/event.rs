//! What a thread can wait for: events, semaphores, mutexes, and the end of a thread.

use std::sync::Arc;

use crate::sync::Lock;
use crate::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};
use crate::thread::{self, Thread};

/// The threads that wait for an object.
///
/// Setting the object and starting to wait for it are the two sides of a handshake: the setter
/// changes the state and then looks for waiters, the waiter adds itself and then looks at the
/// state, all sequentially consistent, so one of them sees the other.
///
/// An event's signal is handed to who waits when it is set, as on Windows: what happens to the
/// event before that thread runs, another set or a reset, does not take it away.
#[derive(Debug, Default)]
pub struct Waiters {
    count: AtomicU32,
    /// Made for the first who waits: every socket has two events, and nearly nobody waits for them.
    #[expect(clippy::box_collection, reason = "an empty one is to be small")]
    threads: Lock<Option<Box<Vec<Waiter>>>>,
}

/// One thread that waits, in the order in which they began.
#[derive(Debug)]
struct Waiter {
    thread: Arc<Thread>,
    /// It is content with this object, so that a signal can be handed to it. Who waits for several
    /// objects at once takes all or none.
    is_content: bool,
    /// It has been handed a signal and has not taken it.
    granted: bool,
}

impl Waiters {
    const fn new() -> Self {
        Self { count: AtomicU32::new(0), threads: Lock::new(None) }
    }

    /// The thread begins to wait, for this object or one of several if it `is_content` with it.
    pub(crate) fn add(&self, thread: &Arc<Thread>, is_content: bool) {
        let waiter = Waiter { thread: Arc::clone(thread), is_content, granted: false };
        self.threads.lock().get_or_insert_default().push(waiter);
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    /// The thread has ended its wait. True if it leaves a signal behind that was handed to it.
    #[must_use]
    pub(crate) fn remove(&self, thread: &Arc<Thread>) -> bool {
        let mut threads = self.threads.lock();
        let waiters = threads.iter_mut().flat_map(|waiters| waiters.iter());
        let found = waiters.enumerate().find(|(_, waiter)| Arc::ptr_eq(&waiter.thread, thread));
        let Some((at, _)) = found else { return false };
        let left = threads.as_mut().map(|waiters| waiters.remove(at));
        self.count.fetch_sub(1, Ordering::SeqCst);
        left.is_some_and(|waiter| waiter.granted)
    }

    /// Takes the signal that was handed to the thread, if one was.
    pub(crate) fn take_granted(&self, thread: &Arc<Thread>) -> bool {
        let mut threads = self.threads.lock();
        let mut waiters = threads.iter_mut().flat_map(|waiters| waiters.iter_mut());
        let granted = waiters.find(|waiter| waiter.granted && Arc::ptr_eq(&waiter.thread, thread));
        granted.map(|waiter| waiter.granted = false).is_some()
    }

    /// Hands signals, which `take` takes, to those who are content with one, and wakes everyone.
    #[cold]
    fn hand_over(&self, mut take: impl FnMut() -> bool) {
        let mut threads = self.threads.lock();
        let waiters = threads.iter_mut().flat_map(|waiters| waiters.iter_mut());
        for waiter in waiters.filter(|waiter| waiter.is_content && !waiter.granted) {
            if !take() {
                break;
            }
            waiter.granted = true;
        }
        wake_each(&threads);
    }

    #[inline]
    fn wake(&self) {
        if self.count.load(Ordering::SeqCst) != 0 {
            self.wake_all();
        }
    }

    #[cold]
    fn wake_all(&self) {
        wake_each(&self.threads.lock());
    }
}

#[expect(clippy::box_collection, reason = "as it is kept")]
fn wake_each(waiters: &Option<Box<Vec<Waiter>>>) {
    waiters.iter().flat_map(|waiters| waiters.iter()).for_each(|waiter| waiter.thread.wake());
}

/// Something a thread can wait for.
pub trait Waitable: Send + Sync {
    /// Takes the signal if it is there: an auto-reset event is reset, a semaphore counted down.
    fn take(&self) -> bool;
    /// Whether [`take`](Self::take) would succeed now. An object that taking changes says so
    /// without taking: giving back would wake the very thread that asks.
    fn is_signaled(&self) -> bool {
        let taken = self.take();
        if taken {
            self.give_back();
        }
        taken
    }
    /// Undoes a [`take`](Self::take) that a wait for all could not complete.
    fn give_back(&self);
    /// Who waits.
    fn waiters(&self) -> &Waiters;
}

/// An event object.
#[derive(Debug)]
pub struct Event {
    manual_reset: bool,
    signaled: AtomicBool,
    waiters: Waiters,
}

impl Event {
    /// A new event.
    pub const fn new(manual_reset: bool, signaled: bool) -> Self {
        Self { manual_reset, signaled: AtomicBool::new(signaled), waiters: Waiters::new() }
    }

    /// Signals the event.
    #[inline]
    pub fn set(&self) {
        self.signaled.store(true, Ordering::SeqCst);
        if self.waiters.count.load(Ordering::SeqCst) != 0 {
            // One of those who wait has the signal of an event that resets itself, all have that of
            // the other kind.
            self.waiters.hand_over(|| self.take());
        }
    }

    /// Wakes who waits, the signal as it was: what they wait for besides has changed.
    #[inline]
    pub fn nudge(&self) {
        self.waiters.wake();
    }

    /// Takes the signal away.
    #[inline]
    pub fn reset(&self) {
        self.signaled.store(false, Ordering::Release);
    }

    /// Whether the event is signaled now.
    #[inline]
    pub fn is_set(&self) -> bool {
        self.signaled.load(Ordering::SeqCst)
    }
}

impl Waitable for Event {
    fn take(&self) -> bool {
        if self.manual_reset {
            self.signaled.load(Ordering::SeqCst)
        } else {
            self.signaled.swap(false, Ordering::SeqCst)
        }
    }

    fn is_signaled(&self) -> bool {
        self.is_set()
    }

    fn give_back(&self) {
        if !self.manual_reset {
            self.set();
        }
    }

    fn waiters(&self) -> &Waiters {
        &self.waiters
    }
}

/// A counting semaphore.
#[derive(Debug)]
pub struct Semaphore {
    count: AtomicI32,
    max: i32,
    waiters: Waiters,
}

impl Semaphore {
    /// A new semaphore; `None` unless `0 <= initial <= max` and `max > 0`.
    pub fn new(initial: i32, max: i32) -> Option<Self> {
        (0 <= initial && initial <= max && max > 0).then(|| Self {
            count: AtomicI32::new(initial),
            max,
            waiters: Waiters::default(),
        })
    }

    /// Adds `by` and gives the count before; `None`, with nothing changed, if that passes the
    /// maximum or `by` is not positive.
    pub fn release(&self, by: i32) -> Option<i32> {
        let raise = |count: i32| count.checked_add(by).filter(|&sum| by > 0 && sum <= self.max);
        let before = self.count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, raise).ok()?;
        self.waiters.wake();
        Some(before)
    }
}

impl Waitable for Semaphore {
    fn take(&self) -> bool {
        let lower = |count: i32| (count > 0).then(|| count - 1);
        self.count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, lower).is_ok()
    }

    fn is_signaled(&self) -> bool {
        self.count.load(Ordering::SeqCst) > 0
    }

    fn give_back(&self) {
        self.release(1);
    }

    fn waiters(&self) -> &Waiters {
        &self.waiters
    }
}

/// A mutex object: owned by a thread, counted.
#[derive(Debug, Default)]
pub struct Mutant {
    owner: Lock<Option<(u64, u32)>>,
    waiters: Waiters,
}

impl Mutant {
    /// A new mutex object, owned by the calling thread if `owned`.
    pub fn new(owned: bool) -> Self {
        let owner = owned.then(|| (thread::id(), 1));
        Self { owner: Lock::new(owner), waiters: Waiters::default() }
    }

    /// Releases one hold; false if the calling thread is not the owner.
    pub fn release(&self) -> bool {
        let mut owner = self.owner.lock();
        match &mut *owner {
            Some((id, holds)) if *id == thread::id() => {
                *holds -= 1;
                if *holds == 0 {
                    *owner = None;
                    drop(owner);
                    self.waiters.wake();
                }
                true
            }
            _ => false,
        }
    }
}

impl Waitable for Mutant {
    fn take(&self) -> bool {
        let me = thread::id();
        let mut owner = self.owner.lock();
        match &mut *owner {
            None => *owner = Some((me, 1)),
            Some((id, holds)) if *id == me => *holds += 1,
            Some(_) => return false,
        }
        true
    }

    fn is_signaled(&self) -> bool {
        self.owner.lock().is_none_or(|(id, _)| id == thread::id())
    }

    fn give_back(&self) {
        self.release();
    }

    fn waiters(&self) -> &Waiters {
        &self.waiters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_tells_what_could_be_taken_and_takes_nothing() {
        for signaled in [false, true] {
            let semaphore = Semaphore::new(signaled.into(), 1).unwrap();
            let events = [true, false].map(|manual_reset| Event::new(manual_reset, signaled));
            let objects: [&dyn Waitable; 3] = [&semaphore, &events[0], &events[1]];
            for object in objects {
                assert_eq!(object.is_signaled(), signaled);
                assert_eq!(object.take(), signaled);
            }
        }
    }

    fn waiting(event: &Event, is_content: bool) -> Arc<Thread> {
        let thread = std::thread::spawn(thread::current).join().unwrap();
        event.waiters().add(&thread, is_content);
        thread
    }

    /// KeSetEvent, as Windows does it: each signal of an event that resets itself releases one of
    /// those who wait, the first first, however late they run.
    #[test]
    fn each_signal_of_an_auto_reset_event_goes_to_one_of_those_who_wait() {
        let event = Event::new(false, false);
        let all = waiting(&event, false);
        let [one, other] = [(); 2].map(|()| waiting(&event, true));
        event.set();
        assert!(!event.is_set(), "it is handed over");
        event.set();
        event.reset();
        assert!(event.waiters().take_granted(&one) && event.waiters().take_granted(&other));
        assert!(!event.waiters().take_granted(&one), "once");
        event.set();
        assert!(event.waiters().take_granted(&one), "it waits on");
        assert!(!event.waiters().take_granted(&all), "who needs others too is handed none");
        assert!([one, other, all].iter().all(|thread| !event.waiters().remove(thread)));
        event.set();
        assert!(event.is_set(), "nobody waits");
    }

    /// Who has had another object leaves its signal to the next, or to the event.
    #[test]
    fn a_signal_that_its_waiter_does_not_take_is_not_lost() {
        let event = Event::new(false, false);
        let [one, other] = [(); 2].map(|()| waiting(&event, true));
        event.set();
        for thread in [one, other] {
            assert!(event.waiters().remove(&thread), "handed over, and not taken");
            event.give_back();
        }
        assert!(event.is_set());
    }

    #[test]
    fn a_manual_reset_event_releases_all_who_wait_when_it_is_set_and_none_that_come_later() {
        let event = Event::new(true, false);
        let [one, other] = [(); 2].map(|()| waiting(&event, true));
        event.set();
        assert!(event.is_set());
        event.reset();
        let late = waiting(&event, true);
        assert!(event.waiters().take_granted(&one) && event.waiters().take_granted(&other));
        assert!(!event.waiters().take_granted(&late));
    }

    #[test]
    fn a_mutex_object_could_be_taken_by_its_owner_or_if_it_is_free() {
        let mutant = &Mutant::new(true);
        let elsewhere =
            || std::thread::scope(|scope| scope.spawn(|| mutant.is_signaled()).join().unwrap());
        assert!(mutant.is_signaled() && !elsewhere());
        assert!(mutant.release());
        assert!(mutant.is_signaled() && elsewhere());
    }

    /// As a wait for all does that cannot have the last of them.
    #[test]
    fn what_was_taken_can_be_given_back() {
        let (auto, manual) = (Event::new(false, true), Event::new(true, true));
        let (semaphore, mutant) = (Semaphore::new(2, 2).unwrap(), Mutant::new(false));
        let objects: [&dyn Waitable; 4] = [&auto, &manual, &semaphore, &mutant];
        assert!(objects.iter().all(|object| object.take()));
        manual.reset();
        objects.iter().for_each(|object| object.give_back());
        assert!(auto.is_set());
        assert!(!manual.is_set(), "nothing was taken from it");
        assert_eq!(semaphore.release(1), None, "as many as before");
        assert!(!mutant.release(), "not held");
    }

    /// `Waitable::is_signaled`, as an object has it that does not know better.
    #[test]
    fn a_look_at_an_object_changes_nothing() {
        struct Plain(Event);

        impl Waitable for Plain {
            fn take(&self) -> bool {
                self.0.take()
            }
            fn give_back(&self) {
                self.0.give_back();
            }
            fn waiters(&self) -> &Waiters {
                self.0.waiters()
            }
        }

        let plain = Plain(Event::new(false, false));
        assert!(!plain.is_signaled());
        assert!(!plain.0.is_set());
        plain.0.set();
        assert!(plain.is_signaled());
        assert!(plain.0.is_set(), "given back");
    }
}

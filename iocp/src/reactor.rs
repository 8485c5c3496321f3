//! The descriptors that belong to no port: one process-wide driver.
//!
//! Its events are performed by whichever thread waits for objects: one of them leads and polls it,
//! the others follow and are woken one by one as leaders leave. When nobody waits, the guardian
//! looks.

use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::OnceLock;

use rustix::event::epoll;
use rustix::io::Errno;

use crate::clock::Deadline;
use crate::driver::{Driver, HARVEST};
use crate::guardian::{self, Found};
use crate::irp::Deferred;
use crate::port;
use crate::sync::Lock;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::thread::Thread;

/// The process-wide driver and who polls it.
#[derive(Debug)]
pub struct Reactor {
    driver: Driver,
    led: AtomicBool,
    followers: Lock<Vec<Arc<Thread>>>,
    neglected: AtomicBool,
}

static REACTOR: OnceLock<Reactor> = OnceLock::new();

/// Makes the process's reactor if there is none yet. Whoever makes a file calls it first, so that
/// the want of a descriptor is met where a call can say so, and [`reactor`] has nothing to refuse.
///
/// # Errors
/// When the process has no descriptor left.
#[inline]
pub fn prepare() -> Result<(), Errno> {
    if REACTOR.get().is_none() {
        guardian::prepare()?;
        let driver = Driver::new()?;
        REACTOR.get_or_init(|| Reactor::new(driver));
    }
    Ok(())
}

/// The process's reactor.
///
/// # Panics
/// Before [`prepare`] has succeeded.
pub fn reactor() -> &'static Reactor {
    REACTOR.get().expect("INVARIANT: no file is made before `prepare` has succeeded")
}

/// Performs what is ready now of the descriptors without a port, for a thread that asks again and
/// again instead of waiting.
pub fn look() {
    if let Some(reactor) = existing() {
        let mut after = Deferred::default();
        reactor.perform(&mut after);
        after.run();
    }
}

/// The reactor, if a file was ever made.
pub(crate) fn existing() -> Option<&'static Reactor> {
    REACTOR.get()
}

impl Reactor {
    fn new(driver: Driver) -> Self {
        Self {
            driver,
            led: AtomicBool::new(false),
            followers: Lock::default(),
            neglected: AtomicBool::new(false),
        }
    }

    /// The driver.
    pub const fn driver(&self) -> &Driver {
        &self.driver
    }

    /// An operation waits on this driver: if nobody leads, the guardian has to look.
    pub fn note_pending(&self) {
        if !self.led.load(Ordering::SeqCst) {
            self.neglected.store(true, Ordering::SeqCst);
            guardian::rouse();
        }
    }

    /// Takes the lead if it is free; otherwise the thread is remembered as one to hand it to.
    pub(crate) fn lead_or_follow(&self, thread: &Arc<Thread>) -> bool {
        let mut followers = self.followers.lock();
        let leads = !self.led.swap(true, Ordering::SeqCst);
        if !leads && !followers.iter().any(|follower| Arc::ptr_eq(follower, thread)) {
            followers.push(Arc::clone(thread));
        }
        leads
    }

    /// The thread stops waiting; a leader hands over to a follower, or to the guardian. So does a
    /// follower while nobody leads: the lead may have been meant for it.
    pub(crate) fn leave(&self, thread: &Arc<Thread>, led: bool) {
        let mut followers = self.followers.lock();
        followers.retain(|follower| !Arc::ptr_eq(follower, thread));
        if led {
            self.led.store(false, Ordering::SeqCst);
        } else if self.led.load(Ordering::SeqCst) {
            return;
        }
        let next = followers.pop();
        drop(followers);
        match next {
            Some(follower) => follower.wake(),
            None => self.note_pending(),
        }
    }

    /// Performs what is ready now; false when nothing is. What is left to do may run the program's
    /// code: not while the caller leads.
    pub(crate) fn perform(&self, after: &mut Deferred) -> bool {
        let mut buffer = [const { MaybeUninit::<epoll::Event>::uninit() }; HARVEST];
        port::perform_files(self.driver.wait(&mut buffer, Deadline::after_ms(0)), after)
    }

    /// The guardian's look.
    pub(crate) fn tend(&self) -> Found {
        // Lowered before the look at the leader: one that leaves in between raises it again.
        if !self.neglected.swap(false, Ordering::SeqCst) {
            return Found::Nothing;
        }
        if self.led.load(Ordering::SeqCst) {
            return Found::Attended;
        }
        self.neglected.store(true, Ordering::SeqCst);
        let mut after = Deferred::default();
        let any = self.perform(&mut after);
        after.run();
        if any { Found::Neglected } else { Found::Quiet }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread;

    use std::os::fd::AsFd;

    use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};

    use crate::driver::Interest;
    use crate::handle::Token;

    fn new_reactor() -> Reactor {
        Reactor::new(Driver::new().unwrap())
    }

    fn threads<const N: usize>() -> [Arc<Thread>; N] {
        [(); N].map(|()| {
            let thread = std::thread::spawn(thread::current).join().unwrap();
            let _ = thread.wake_fd();
            thread
        })
    }

    /// Whether the thread was woken since this was last asked.
    fn was_woken(thread: &Arc<Thread>) -> bool {
        let mut fds = [PollFd::from_borrowed_fd(thread.wake_fd(), PollFlags::IN)];
        let at_once = Deadline::after_ms(0).timespec();
        let woken = poll(&mut fds, at_once.as_ref()).unwrap() != 0;
        thread.rearm(woken);
        woken
    }

    #[test]
    fn one_leads_and_the_lead_goes_from_one_to_the_next() {
        let (reactor, [a, b, c]) = (new_reactor(), threads());
        assert!(reactor.lead_or_follow(&a));
        assert!(!reactor.lead_or_follow(&b));
        assert!(!reactor.lead_or_follow(&b), "still follows, once");
        assert!(!reactor.lead_or_follow(&c));
        assert_eq!(reactor.followers.lock().len(), 2);
        reactor.leave(&a, true);
        let (next, other) = if was_woken(&b) { (&b, &c) } else { (&c, &b) };
        assert!(reactor.lead_or_follow(next));
        assert!(!was_woken(other), "one is enough");
        reactor.leave(next, true);
        assert!(was_woken(other));
        assert!(!reactor.neglected.load(Ordering::SeqCst));
        assert!(reactor.lead_or_follow(other));
        reactor.leave(other, true);
        assert!(reactor.neglected.load(Ordering::SeqCst), "the guardian's");
    }

    /// A follower may be woken to lead and leave instead: its own object was signaled too.
    #[test]
    fn a_lead_that_is_not_taken_goes_on() {
        let (reactor, [a, b, c]) = (new_reactor(), threads());
        assert!(reactor.lead_or_follow(&a));
        assert!(!reactor.lead_or_follow(&b));
        assert!(!reactor.lead_or_follow(&c));
        reactor.leave(&a, true);
        let (next, other) = if was_woken(&b) { (&b, &c) } else { (&c, &b) };
        reactor.leave(next, false);
        assert!(was_woken(other), "the lead was offered on");
        reactor.leave(other, false);
        assert!(reactor.neglected.load(Ordering::SeqCst), "the guardian's");
    }

    #[test]
    fn a_follower_that_leaves_a_leader_changes_nothing() {
        let (reactor, [a, b]) = (new_reactor(), threads());
        assert!(reactor.lead_or_follow(&a));
        assert!(!reactor.lead_or_follow(&b));
        reactor.leave(&b, false);
        assert!(!reactor.neglected.load(Ordering::SeqCst));
        reactor.leave(&a, true);
        assert!(!was_woken(&b), "no longer a follower");
        assert!(reactor.neglected.load(Ordering::SeqCst));
    }

    #[test]
    fn the_guardian_looks_until_somebody_leads() {
        let (reactor, [a]) = (new_reactor(), threads());
        assert_eq!(reactor.tend(), Found::Nothing, "nothing was ever neglected");
        reactor.note_pending();
        assert_eq!(reactor.tend(), Found::Quiet);
        assert_eq!(reactor.tend(), Found::Quiet, "again and again");
        assert!(reactor.lead_or_follow(&a));
        assert_eq!(reactor.tend(), Found::Attended);
        reactor.note_pending();
        assert_eq!(reactor.tend(), Found::Nothing, "the leader looks");
        reactor.leave(&a, true);
        let ready = eventfd(1, EventfdFlags::CLOEXEC).unwrap();
        reactor.driver.add(ready.as_fd(), Token::from_value(0), Interest::Edges).unwrap();
        assert_eq!(reactor.tend(), Found::Neglected, "there was something to do");
        assert_eq!(reactor.tend(), Found::Quiet);
    }
}

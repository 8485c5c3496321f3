//! The descriptors that belong to no port: one process-wide driver.
//!
//! Its events are performed by whichever thread waits for objects: one of them leads and polls it,
//! the others follow and are woken one by one as leaders leave. When nobody waits, the guardian
//! looks.

use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::epoll;

use crate::clock::Deadline;
use crate::driver::{Driver, HARVEST};
use crate::guardian;
use crate::irp::Deferred;
use crate::port;
use crate::sync::Lock;
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

/// The process's reactor.
pub fn reactor() -> &'static Reactor {
    REACTOR.get_or_init(|| Reactor {
        driver: Driver::new().expect("INVARIANT: the first I/O needs one descriptor"),
        led: AtomicBool::new(false),
        followers: Lock::default(),
        neglected: AtomicBool::new(false),
    })
}

/// The reactor, if any descriptor was ever given to it.
pub(crate) fn existing() -> Option<&'static Reactor> {
    REACTOR.get()
}

impl Reactor {
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
        if !leads
            && !followers
                .iter()
                .any(|follower| Arc::ptr_eq(follower, thread))
        {
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

    /// Performs what is ready now.
    pub(crate) fn perform(&self) {
        let mut after = Deferred::default();
        let mut buffer = [const { MaybeUninit::<epoll::Event>::uninit() }; HARVEST];
        port::perform_files(
            self.driver.wait(&mut buffer, Deadline::after_ms(0)),
            &mut after,
        );
        after.run();
    }

    /// The guardian's look. True if the reactor wants another.
    pub(crate) fn tend(&self) -> bool {
        // Lowered before the look at the leader: one that leaves in between raises it again.
        if !self.neglected.swap(false, Ordering::SeqCst) || self.led.load(Ordering::SeqCst) {
            return false;
        }
        self.neglected.store(true, Ordering::SeqCst);
        self.perform();
        true
    }
}

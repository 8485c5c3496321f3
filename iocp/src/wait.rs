//! Waiting: for objects, for an alert, for one descriptor.
//!
//! Every wait here runs the thread's APCs if it is alertable, and steps aside from the completion
//! port that the thread works for.

use std::cell::Cell;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags};

use crate::clock::Deadline;
use crate::event::Waitable;
use crate::irp::Deferred;
use crate::port;
use crate::reactor;
use crate::sync::{poll, thread_local};
use crate::thread::{self, Synchronous, Thread};

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The object with this index was signaled (for a wait for all: 0).
    Object(usize),
    /// The deadline passed.
    TimedOut,
    /// An APC ran.
    Alerted,
}

/// Whether one object or all of them are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Any one; the lowest index wins.
    Any,
    /// All at once.
    All,
}

/// Waits for objects.
pub fn wait(
    objects: &[&dyn Waitable],
    which: Which,
    deadline: Deadline,
    alertable: bool,
) -> Waited {
    if let Some(index) = take(objects, which) {
        return Waited::Object(index);
    }
    let thread = thread::current();
    if alertable && thread.run_apcs() {
        return Waited::Alerted;
    }
    if deadline.is_over() {
        // Somebody has to perform pending I/O for a program that only ever polls its events.
        if let Some(reactor) = reactor::existing() {
            let mut after = Deferred::default();
            reactor.perform(&mut after);
            after.run();
        }
        return take(objects, which).map_or(Waited::TimedOut, Waited::Object);
    }
    port::step_aside();
    begin_waiting(&thread, objects, which);
    let waited = block(&thread, objects, which, deadline, alertable);
    end_waiting(&thread, objects);
    waited
}

fn begin_waiting(thread: &Arc<Thread>, objects: &[&dyn Waitable], which: Which) {
    // A wait for all of one is a wait for it.
    let is_content = which == Which::Any || objects.len() == 1;
    objects.iter().for_each(|object| object.waiters().add(thread, is_content));
}

/// What was handed to the thread, which has had something else, goes to the next.
fn end_waiting(thread: &Arc<Thread>, objects: &[&dyn Waitable]) {
    for object in objects {
        if object.waiters().remove(thread) {
            object.give_back();
        }
    }
}

/// As [`take`], of a thread that waits.
fn take_waiting(thread: &Arc<Thread>, objects: &[&dyn Waitable], which: Which) -> Option<usize> {
    let granted = objects.iter().position(|object| object.waiters().take_granted(thread));
    granted.or_else(|| take(objects, which))
}

/// Waits for nothing but the deadline and, if alertable, an APC (`SleepEx`).
pub fn sleep(deadline: Deadline, alertable: bool) -> Waited {
    wait(&[], Which::Any, deadline, alertable)
}

fn block(
    thread: &Arc<Thread>,
    objects: &[&dyn Waitable],
    which: Which,
    deadline: Deadline,
    alertable: bool,
) -> Waited {
    let wake = thread.wake_fd();
    let mut lead = Lead { thread, leads: false };
    let mut readable = false;
    loop {
        thread.rearm(readable);
        if let Some(index) = take_waiting(thread, objects, which) {
            return Waited::Object(index);
        }
        if alertable && thread.has_apcs() {
            // An APC may itself wait for what only the leader performs.
            lead.leave();
            if thread.run_apcs() {
                return Waited::Alerted;
            }
        }
        if deadline.is_over() {
            return Waited::TimedOut;
        }
        let mut fds = [
            PollFd::from_borrowed_fd(wake, PollFlags::IN),
            PollFd::from_borrowed_fd(wake, PollFlags::empty()),
        ];
        let count = match reactor::existing().filter(|_| lead.take()) {
            Some(reactor) => {
                fds[1] = PollFd::new(reactor.driver(), PollFlags::IN);
                2
            }
            None => 1,
        };
        poll(&mut fds[..count], thread.patience(deadline));
        readable = !fds[0].revents().is_empty();
        if count == 2
            && !fds[1].revents().is_empty()
            && let Some(reactor) = reactor::existing()
        {
            let mut after = Deferred::default();
            reactor.perform(&mut after);
            if !after.is_nothing() {
                lead.leave();
                after.run();
            }
        }
    }
}

/// The calling thread's part in polling the reactor while it waits.
struct Lead<'a> {
    thread: &'a Arc<Thread>,
    leads: bool,
}

impl Lead<'_> {
    fn take(&mut self) -> bool {
        if !self.leads
            && let Some(reactor) = reactor::existing()
        {
            self.leads = reactor.lead_or_follow(self.thread);
        }
        self.leads
    }

    fn leave(&mut self) {
        let led = std::mem::take(&mut self.leads);
        if let Some(reactor) = reactor::existing() {
            reactor.leave(self.thread, led);
        }
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The index of a signaled object, its signal taken; for [`Which::All`], 0 when all signals could
/// be taken.
fn take(objects: &[&dyn Waitable], which: Which) -> Option<usize> {
    match which {
        Which::Any => objects.iter().position(|object| object.take()),
        Which::All => {
            // A look first: giving back wakes whoever waits, and that includes this thread.
            if !objects.iter().all(|object| object.is_signaled()) {
                return None;
            }
            let missing = objects.iter().position(|object| !object.take());
            match missing {
                None if objects.is_empty() => None,
                None => Some(0),
                Some(at) => {
                    objects[..at].iter().for_each(|object| object.give_back());
                    None
                }
            }
        }
    }
}

/// What a blocking call does next.
#[derive(Debug)]
pub enum Step {
    /// The call is over.
    Over,
    /// Wait until the descriptor is ready for this, or the thread is woken.
    Ready(Arc<OwnedFd>, PollFlags),
    /// Wait until the thread is woken.
    Woken,
}

/// How a blocking call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// Its `step` said so.
    Over,
    /// The deadline passed first.
    TimedOut,
    /// [`Thread::cancel_synchronous`].
    Cancelled,
}

/// True while the calling thread is inside a blocking call, as in an APC that interrupts one:
/// starting another there is undefined on Windows and WSAEINPROGRESS here (pages of
/// WSASendDisconnect and WSARecvDisconnect).
pub fn is_blocking() -> bool {
    BLOCKING.with(Cell::get)
}

thread_local! {
    static BLOCKING: Cell<bool> = const { Cell::new(false) };
}

/// A blocking call, until it returns or an APC inside it panics; holds what was before.
struct Blocking(bool);

impl Drop for Blocking {
    fn drop(&mut self) {
        BLOCKING.with(|blocking| blocking.set(self.0));
    }
}

/// Blocks the calling thread in a socket call.
///
/// `step` performs what is possible and says what to wait for; it is told whether its descriptor
/// was reported. The wait is alertable, as blocking Winsock calls are: APCs run, then it goes on.
pub fn block_on(deadline: Deadline, mut step: impl FnMut(bool) -> Step) -> Blocked {
    let thread = thread::current();
    let wake = thread.wake_fd();
    let (mut woken, mut ready) = (false, false);
    port::step_aside();
    let _blocking = Blocking(BLOCKING.with(|blocking| blocking.replace(true)));
    let operation = Synchronous::begin(&thread);
    loop {
        thread.rearm(woken);
        thread.run_apcs();
        let next = step(ready);
        if matches!(next, Step::Over) {
            return Blocked::Over;
        }
        if operation.is_cancelled() {
            return Blocked::Cancelled;
        }
        if deadline.is_over() {
            return Blocked::TimedOut;
        }
        let wake = PollFd::from_borrowed_fd(wake, PollFlags::IN);
        (woken, ready) = match &next {
            Step::Ready(fd, interest) => {
                let mut fds = [wake, PollFd::new(fd, *interest)];
                poll(&mut fds, thread.patience(deadline));
                (!fds[0].revents().is_empty(), !fds[1].revents().is_empty())
            }
            Step::Woken | Step::Over => {
                let mut fds = [wake];
                poll(&mut fds, thread.patience(deadline));
                (!fds[0].revents().is_empty(), false)
            }
        };
    }
}

/// Polls descriptors until one is ready, an object is signaled, or the deadline passes; gives what
/// each descriptor reported. APCs run if it has to wait, then it goes on (`test_select`,
/// `test_WSAPoll`).
pub fn poll_descriptors(
    fds: &[(Arc<OwnedFd>, PollFlags)],
    objects: &[&dyn Waitable],
    deadline: Deadline,
) -> Vec<PollFlags> {
    let mut polled: Vec<_> = fds.iter().map(|(fd, flags)| PollFd::new(fd, *flags)).collect();
    poll(&mut polled, Deadline::after_ms(0));
    if any_ready(&polled) || deadline.is_over() {
        return polled.iter().map(PollFd::revents).collect();
    }
    let thread = thread::current();
    port::step_aside();
    begin_waiting(&thread, objects, Which::Any);
    let reported = poll_until(&thread, fds, objects, deadline);
    end_waiting(&thread, objects);
    reported
}

fn any_ready(polled: &[PollFd<'_>]) -> bool {
    polled.iter().any(|fd| !fd.revents().is_empty())
}

fn poll_until(
    thread: &Arc<Thread>,
    fds: &[(Arc<OwnedFd>, PollFlags)],
    objects: &[&dyn Waitable],
    deadline: Deadline,
) -> Vec<PollFlags> {
    let wake = PollFd::from_borrowed_fd(thread.wake_fd(), PollFlags::IN);
    let mut polled = vec![wake];
    polled.extend(fds.iter().map(|(fd, flags)| PollFd::new(fd, *flags)));
    let mut woken = false;
    loop {
        thread.rearm(woken);
        thread.run_apcs();
        if take_waiting(thread, objects, Which::Any).is_some() {
            return vec![PollFlags::empty(); fds.len()];
        }
        poll(&mut polled, thread.patience(deadline));
        woken = !polled[0].revents().is_empty();
        if any_ready(&polled[1..]) || deadline.is_over() {
            return polled[1..].iter().map(PollFd::revents).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::event::{EventfdFlags, eventfd};

    use super::*;
    use crate::event::{Event, Waiters};
    use crate::port::CompletionPort;
    use crate::sync::atomic::{AtomicUsize, Ordering};

    /// An object that is signaled when it has been looked at so often.
    struct SignaledAt(usize, AtomicUsize, Event);

    impl Waitable for SignaledAt {
        fn take(&self) -> bool {
            self.1.fetch_add(1, Ordering::Relaxed) + 1 == self.0
        }
        fn give_back(&self) {}
        fn waiters(&self) -> &Waiters {
            self.2.waiters()
        }
    }

    fn signaled_at(look: usize) -> SignaledAt {
        SignaledAt(look, AtomicUsize::new(0), Event::new(false, false))
    }

    /// A blocking call whose second step is the last.
    fn block_once(first: Step) {
        let mut steps = [first, Step::Over].into_iter();
        let blocked = block_on(Deadline::Never, |_| steps.next().unwrap());
        assert_eq!(blocked, Blocked::Over);
    }

    /// A wake raises its flag and then writes. If a look comes in between, what it wrote is left,
    /// and every wait would return at once from then on (`Thread::rearm`).
    #[test]
    fn every_wait_consumes_what_a_late_wake_has_written() {
        let silent = || Arc::new(eventfd(0, EventfdFlags::CLOEXEC).unwrap());
        let waits: [(&str, &dyn Fn()); 5] = [
            ("objects", &|| {
                wait(&[&signaled_at(3)], Which::Any, Deadline::Never, false);
            }),
            ("woken", &|| block_once(Step::Woken)),
            ("descriptor", &|| block_once(Step::Ready(silent(), PollFlags::IN))),
            ("descriptors", &|| {
                poll_descriptors(&[(silent(), PollFlags::IN)], &[&signaled_at(2)], Deadline::Never);
            }),
            ("port", &|| {
                let port = CompletionPort::new(1).unwrap();
                assert!(port.wait(1, Deadline::after_ms(0), true, |_| {}).is_err());
            }),
        ];
        let thread = thread::current();
        for (name, wait) in waits {
            rustix::io::write(thread.wake_fd(), &1_u64.to_ne_bytes()).unwrap();
            wait();
            let mut fds = [PollFd::from_borrowed_fd(thread.wake_fd(), PollFlags::IN)];
            poll(&mut fds, Deadline::after_ms(0));
            assert!(fds[0].revents().is_empty(), "{name}");
        }
    }

    /// It need not probe a descriptor that was not reported.
    #[test]
    fn a_step_is_told_whether_its_descriptor_was_reported() {
        for (count, was_reported) in [(0, false), (1, true)] {
            let fd = Arc::new(eventfd(count, EventfdFlags::CLOEXEC).unwrap());
            let mut told = Vec::new();
            // A wake, so that the wait ends without a report too.
            rustix::io::write(thread::current().wake_fd(), &1_u64.to_ne_bytes()).unwrap();
            block_on(Deadline::Never, |is_ready| {
                told.push(is_ready);
                match told.len() {
                    1 => Step::Ready(Arc::clone(&fd), PollFlags::IN),
                    _ => Step::Over,
                }
            });
            assert_eq!(told, [false, was_reported]);
        }
    }
}

//! What a thread is to a port, and what the guardian is told: seen from inside, because a port that
//! errs here still hands out every packet, only later.

use std::cell::RefCell;

use super::worker::LOOK_EVERY;
use super::*;
use crate::handle::{Object, table};

fn new_port() -> Arc<CompletionPort> {
    CompletionPort::new(1).unwrap()
}

fn post(port: &Arc<CompletionPort>) {
    let mut after = Deferred::default();
    let packet = Packet { key: 0, overlapped: 0, status: NtStatus::SUCCESS, bytes: 0, sink: None };
    port.post(packet, &mut after);
    after.run();
}

/// A look for one packet.
fn poll_port(port: &Arc<CompletionPort>) -> Result<usize, NoPacket> {
    port.wait(1, Deadline::after_ms(0), false, |_| {})
}

fn post_and_take(port: &Arc<CompletionPort>) {
    post(port);
    assert_eq!(poll_port(port), Ok(1));
}

fn awake(port: &CompletionPort) -> usize {
    port.queue.lock().snapshot().2
}

#[test]
fn a_worker_counts_as_awake_from_its_packet_to_its_next_wait() {
    let (port, other) = (new_port(), new_port());
    post_and_take(&port);
    post_and_take(&port);
    assert_eq!(awake(&port), 1);
    assert_eq!(poll_port(&port), Err(NoPacket::TimedOut));
    assert_eq!(awake(&port), 0, "came back");
    post_and_take(&port);
    assert_eq!(poll_port(&other), Err(NoPacket::TimedOut));
    assert_eq!(awake(&port), 0, "works for another");
    post_and_take(&port);
    step_aside();
    assert_eq!(awake(&port), 0, "blocks elsewhere");
    let theirs = Arc::clone(&port);
    std::thread::spawn(move || post_and_take(&theirs)).join().unwrap();
    assert_eq!(awake(&port), 0, "has ended");
}

/// A call of the program's own in a thread-local's destructor.
struct AtExit(Box<dyn Fn()>);

impl Drop for AtExit {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn a_thread_that_is_being_torn_down_does_not_count() {
    thread_local! {
        static AT_EXIT: RefCell<Option<AtExit>> = const { RefCell::new(None) };
    }
    let port = new_port();
    let theirs = Arc::clone(&port);
    // What is touched first is destroyed last.
    let thread = std::thread::spawn(move || {
        AT_EXIT.with(|at_exit| {
            let last = Arc::clone(&theirs);
            *at_exit.borrow_mut() = Some(AtExit(Box::new(move || post_and_take(&last))));
        });
        post_and_take(&theirs);
    });
    thread.join().unwrap();
    assert_eq!(awake(&port), 0);
}

#[test]
fn a_thread_is_a_worker_of_one_port_and_a_stranger_to_all_others() {
    let (port, other) = (new_port(), new_port());
    let relations = || (port.relation(), other.relation());
    assert_eq!(relations(), (Relation::Stranger, Relation::Stranger));
    post_and_take(&port);
    assert_eq!(relations(), (Relation::Awake, Relation::Stranger));
    let harvest = Harvest::begin();
    assert_eq!(relations(), (Relation::Harvesting, Relation::Stranger));
    drop(harvest);
    assert_eq!(relations(), (Relation::Awake, Relation::Stranger));
    assert_eq!(poll_port(&port), Err(NoPacket::TimedOut));
    assert_eq!(relations(), (Relation::Stranger, Relation::Stranger), "not awake");
}

#[test]
fn a_worker_finds_its_own_port_without_the_table() {
    let [(port, handle), (other, other_handle)] = [(); 2].map(|()| {
        let port = new_port();
        let handle = table().insert(Object::Port(Arc::clone(&port))).unwrap();
        (port, handle)
    });
    let finds = |handle| {
        find(handle).map(|found| (Arc::ptr_eq(&found, &port), matches!(found, Known::Own(_))))
    };
    assert_eq!(finds(handle), Some((true, false)), "works for none");
    assert_eq!(poll_port(&port), Err(NoPacket::TimedOut));
    assert_eq!(finds(handle), Some((true, false)), "the first time");
    assert_eq!(finds(handle), Some((true, true)));
    assert_eq!(finds(other_handle), Some((false, false)));
    assert_eq!(poll_port(&other), Err(NoPacket::TimedOut));
    assert_eq!(finds(handle), Some((true, false)), "works for another");
    assert_eq!(poll_port(&port), Err(NoPacket::TimedOut));
    assert_eq!(finds(handle), Some((true, false)), "the first time again");
    assert_eq!(finds(handle), Some((true, true)));
    table().remove(handle).unwrap();
    port.close();
    assert!(find(handle).is_none());
    table().remove(other_handle).unwrap();
}

/// A port that the guardian does not know, so that only the test looks after it.
fn untended() -> Arc<CompletionPort> {
    let eventfd = || eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).unwrap();
    let port = CompletionPort {
        driver: Driver::new().unwrap(),
        wake: eventfd(),
        closed: eventfd(),
        queue: Lock::default(),
        concurrency: 1,
        neglected: AtomicBool::new(false),
        lasting: Lock::default(),
        any_lasting: AtomicBool::new(false),
        is_closed: AtomicBool::new(false),
        id: 0,
    };
    port.driver.add(port.wake.as_fd(), WAKE, Interest::Edges).unwrap();
    Arc::new(port)
}

/// Whether the next sleeper will wake at once.
fn is_woken(port: &CompletionPort) -> bool {
    let mut fds = [PollFd::new(port, PollFlags::IN)];
    poll(&mut fds, Deadline::after_ms(0));
    !fds[0].revents().is_empty()
}

#[test]
fn the_guardian_looks_until_somebody_sleeps_in_the_port() {
    let port = untended();
    assert_eq!(port.tend(), Found::Nothing, "nothing was ever neglected");
    port.note_pending();
    assert_eq!(port.tend(), Found::Quiet);
    assert_eq!(port.tend(), Found::Quiet, "again and again");
    port.wake_one();
    assert_eq!(port.tend(), Found::Neglected, "there was something to do");
    assert!(port.queue.lock().fall_asleep());
    assert_eq!(port.tend(), Found::Attended);
    assert_eq!(port.tend(), Found::Nothing);
}

#[test]
fn the_guardian_wakes_who_sleeps_over_packets() {
    let port = untended();
    assert!(port.queue.lock().fall_asleep());
    post(&port);
    assert!(is_woken(&port));
    let mut reports = [const { MaybeUninit::uninit() }; HARVEST];
    assert_eq!(port.driver.wait(&mut reports, Deadline::after_ms(0)).count(), 1);
    assert!(!is_woken(&port), "lost to another");
    assert_eq!(port.tend(), Found::Nothing, "not told of");
    port.note_pending();
    assert_eq!(port.tend(), Found::Neglected);
    assert!(is_woken(&port));
}

/// GetQueuedCompletionStatus page: a timeout of zero; what is ready is performed all the same.
#[test]
fn a_poll_asks_the_kernel_once() {
    let port = untended();
    port.wake_one();
    assert_eq!(poll_port(&port), Err(NoPacket::TimedOut));
    assert!(!is_woken(&port), "harvested");
}

#[test]
fn who_leaves_a_port_tells_the_guardian_unless_another_sleeps_there() {
    let port = untended();
    let is_neglected = || port.neglected.swap(false, Ordering::SeqCst);
    assert_eq!(poll_port(&port), Err(NoPacket::TimedOut));
    assert!(is_neglected());
    assert!(port.queue.lock().fall_asleep());
    assert_eq!(poll_port(&port), Err(NoPacket::TimedOut));
    assert!(!is_neglected());
    step_aside();
    assert!(is_neglected(), "it may have left packets");
}

/// It is about to look itself.
#[test]
fn who_harvests_does_not_call_the_guardian() {
    let port = untended();
    let is_neglected = || port.neglected.swap(false, Ordering::SeqCst);
    post_and_take(&port);
    is_neglected();
    let harvest = Harvest::begin();
    port.note_pending();
    assert!(!is_neglected());
    drop(harvest);
    port.note_pending();
    assert!(is_neglected());
}

/// `LOOK_EVERY`: the short way passes by the descriptors so many times and no more.
#[test]
fn a_worker_that_is_back_takes_the_short_way_until_a_look_is_due() {
    let port = new_port();
    let handle = table().insert(Object::Port(Arc::clone(&port))).unwrap();
    let at_once = || find(handle).unwrap().wait_one(Deadline::after_ms(0)).map(drop);
    let short_way = || (0..).take_while(|_| take_next(handle, 1, |_| {}).is_some()).count();
    (0..200).for_each(|_| post(&port));
    assert_eq!(short_way(), 0, "works for nobody");
    assert_eq!(at_once(), Ok(()));
    assert_eq!(short_way(), 0, "has come by the table");
    assert_eq!(at_once(), Ok(()));
    assert_eq!(short_way(), LOOK_EVERY - 2);
    assert_eq!(awake(&port), 1);
    assert_eq!(at_once(), Ok(()), "looks");
    assert_eq!(short_way(), LOOK_EVERY - 1);
    table().remove(handle);
    port.close();
    assert_eq!(short_way(), 0);
    assert_eq!(poll_port(&port), Err(NoPacket::Closed));
}

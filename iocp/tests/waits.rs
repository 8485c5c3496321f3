//! Waiting for events, semaphores, mutexes and APCs.
//!
//! Sources: the pages of WaitForMultipleObjects(Ex), SleepEx, CreateEvent, ReleaseSemaphore,
//! ReleaseMutex and QueueUserAPC; a `test_…` name is a test of Wine that runs on Windows
//! (winsock-semantics quotes it).

#[path = "harness/asleep.rs"]
mod asleep;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use asleep::{LONG, spawn};
use linsock_iocp::apc::Apc;
use linsock_iocp::clock::Deadline;
use linsock_iocp::event::{Event, Mutant, Semaphore, Waitable, Waiters};
use linsock_iocp::thread::{self, Thread};
use linsock_iocp::wait::{self, Blocked, Step, Waited, Which};
use rustix::event::PollFlags;

const MANUAL: bool = true;
const AUTO: bool = false;

fn now() -> Deadline {
    Deadline::after_ms(0)
}

fn long() -> Deadline {
    Deadline::after(LONG)
}

/// The state of objects now, taking what is there.
fn poll(object: &dyn Waitable) -> bool {
    wait::wait(&[object], Which::Any, now(), false) == Waited::Object(0)
}

fn queue(thread: &Arc<Thread>, call: impl FnOnce() + Send + 'static) -> bool {
    thread.queue_apc(Apc::new(call))
}

#[test]
fn a_manual_event_stays_and_an_auto_event_lets_one_through() {
    let (manual, auto) = (Event::new(MANUAL, true), Event::new(AUTO, true));
    assert!(poll(&manual) && poll(&manual), "stays signaled");
    manual.reset();
    assert!(!poll(&manual));
    assert!(poll(&auto));
    assert!(!poll(&auto), "reset by the wait");
    auto.set();
    auto.set();
    assert!(poll(&auto));
    assert!(!poll(&auto), "a second set of a set event is lost");
    auto.set();
    auto.reset();
    assert!(!poll(&auto));
}

/// WaitForMultipleObjects page: "the smallest index value of all the signaled objects".
#[test]
fn the_lowest_index_wins_and_only_it_is_taken() {
    let events = [(); 4].map(|()| Event::new(AUTO, false));
    let all = events.each_ref().map(|event| event as &dyn Waitable);
    let any = || wait::wait(&all, Which::Any, now(), false);
    events[3].set();
    events[1].set();
    events[2].set();
    assert_eq!(any(), Waited::Object(1));
    assert_eq!(any(), Waited::Object(2));
    assert_eq!(any(), Waited::Object(3));
    assert_eq!(any(), Waited::TimedOut);
}

/// WaitForMultipleObjects page: the states are modified only when all are signaled.
#[test]
fn a_wait_for_all_takes_all_or_nothing() {
    let (event, semaphore) = (Event::new(AUTO, true), Semaphore::new(1, 1).unwrap());
    let (mutant, last) = (Mutant::new(false), Event::new(AUTO, false));
    let objects: [&dyn Waitable; 4] = [&event, &semaphore, &mutant, &last];
    let all = |deadline| wait::wait(&objects, Which::All, deadline, false);
    assert_eq!(all(now()), Waited::TimedOut);
    assert_eq!(all(Deadline::after_ms(5)), Waited::TimedOut);
    assert!(event.is_set(), "untouched");
    assert_eq!(semaphore.release(1), None, "untouched: at its maximum");
    assert!(!mutant.release(), "untouched: not owned");
    last.set();
    assert_eq!(all(now()), Waited::Object(0));
    assert!(!poll(&event) && !poll(&semaphore) && !poll(&last));
    assert!(mutant.release() && !mutant.release(), "held once");
}

#[test]
fn a_wait_for_all_of_nothing_is_a_sleep() {
    assert_eq!(wait::wait(&[], Which::All, now(), false), Waited::TimedOut);
}

#[test]
fn a_wait_for_all_ends_with_the_last_of_them() {
    let (one, two) = (Event::new(AUTO, false), Event::new(AUTO, false));
    std::thread::scope(|scope| {
        let waiter = spawn(scope, |begin| {
            begin.sleeping();
            wait::wait(&[&one, &two], Which::All, long(), false)
        });
        waiter.until_asleep();
        two.set();
        one.set();
        assert_eq!(waiter.join(), Waited::Object(0));
    });
    assert!(!one.is_set() && !two.is_set());
}

/// KeSetEvent satisfies a wait when it is called: a reset right behind it comes too late, for who
/// waits for one object and for who waits for any of several.
#[test]
fn a_signal_is_handed_to_who_waits_however_short_it_is() {
    for kind in [MANUAL, AUTO] {
        for (which, count) in [(Which::Any, 1), (Which::Any, 2), (Which::All, 1)] {
            let events = [Event::new(kind, false), Event::new(kind, false)];
            let objects = events.each_ref().map(|event| event as &dyn Waitable);
            std::thread::scope(|scope| {
                let waiter = spawn(scope, |begin| {
                    begin.sleeping();
                    wait::wait(&objects[..count], which, long(), false)
                });
                waiter.until_asleep();
                events[count - 1].set();
                events[count - 1].reset();
                let index = if which == Which::Any { count - 1 } else { 0 };
                assert_eq!(waiter.join(), Waited::Object(index));
            });
        }
    }
}

/// An event that counts how often it is asked.
struct Counted {
    event: Event,
    asked: AtomicUsize,
}

impl Waitable for Counted {
    fn take(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.event.take()
    }
    fn is_signaled(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.event.is_signaled()
    }
    fn give_back(&self) {
        self.event.give_back();
    }
    fn waiters(&self) -> &Waiters {
        self.event.waiters()
    }
}

/// Giving back what a wait for all cannot keep must not wake the waiter itself, again and again.
#[test]
fn a_wait_for_all_sleeps_while_some_are_signaled() {
    let counted = Counted { event: Event::new(AUTO, true), asked: AtomicUsize::new(0) };
    let never = Event::new(AUTO, false);
    let limit = Deadline::after_ms(30);
    let waited = wait::wait(&[&counted, &never], Which::All, limit, false);
    assert_eq!(waited, Waited::TimedOut);
    let asked = counted.asked.load(Ordering::Relaxed);
    assert!(asked < 20, "asked {asked} times in 30 ms");
}

/// Two that wait for the same two in opposite order neither block one another nor lose a signal.
#[test]
fn waits_for_all_in_opposite_order_get_along() {
    const EACH: i32 = 2_000;
    let (one, two) = (&Semaphore::new(0, 2 * EACH).unwrap(), &Semaphore::new(0, 2 * EACH).unwrap());
    std::thread::scope(|scope| {
        for objects in [[one, two], [two, one]] {
            scope.spawn(move || {
                let objects = objects.map(|object| object as &dyn Waitable);
                for _ in 0..EACH {
                    let waited = wait::wait(&objects, Which::All, long(), false);
                    assert_eq!(waited, Waited::Object(0));
                }
            });
        }
        for semaphore in [one, two] {
            scope.spawn(move || {
                for _ in 0..2 * EACH {
                    semaphore.release(1).unwrap();
                }
            });
        }
    });
    assert!(!poll(one) && !poll(two), "all was taken, in pairs");
}

/// ReleaseSemaphore page: the previous count; a count above the maximum changes nothing.
#[test]
fn a_semaphore_counts() {
    assert!(Semaphore::new(2, 1).is_none());
    assert!(Semaphore::new(-1, 1).is_none());
    assert!(Semaphore::new(0, 0).is_none());
    let semaphore = Semaphore::new(1, 3).unwrap();
    assert_eq!(semaphore.release(2), Some(1));
    assert_eq!(semaphore.release(1), None);
    assert_eq!(semaphore.release(0), None);
    assert_eq!(semaphore.release(-1), None);
    assert!(poll(&semaphore) && poll(&semaphore) && poll(&semaphore));
    assert!(!poll(&semaphore));
    assert_eq!(semaphore.release(1), Some(0));
}

/// Every release lets exactly one of many waiters through.
#[test]
fn releases_and_waits_balance() {
    const WAITERS: usize = 4;
    const EACH: usize = 3_000;
    let semaphore = &Semaphore::new(0, i32::MAX).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..WAITERS {
            scope.spawn(move || {
                for _ in 0..EACH {
                    let waited = wait::wait(&[semaphore], Which::Any, long(), false);
                    assert_eq!(waited, Waited::Object(0));
                }
            });
        }
        for _ in 0..WAITERS * EACH / 2 {
            semaphore.release(2).unwrap();
        }
    });
    assert!(!poll(semaphore));
}

/// ReleaseMutex page: the owner waits without blocking, and releases once for each wait.
#[test]
fn a_mutex_object_is_held_and_counted() {
    let mutant = &Mutant::new(true);
    assert!(poll(mutant), "again, by its owner");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert!(!poll(mutant), "another's");
            assert!(!mutant.release(), "not the owner");
        });
    });
    assert!(mutant.release());
    std::thread::scope(|scope| {
        let next = spawn(scope, |begin| {
            begin.sleeping();
            let waited = wait::wait(&[mutant], Which::Any, long(), false);
            assert!(mutant.release());
            waited
        });
        next.until_asleep();
        assert!(mutant.release());
        assert_eq!(next.join(), Waited::Object(0));
    });
    assert!(!mutant.release(), "free");
}

#[test]
fn a_mutex_object_excludes() {
    let (mutant, inside) = (&Mutant::new(false), &AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(move || {
                for _ in 0..1_000 {
                    wait::wait(&[mutant], Which::Any, long(), false);
                    assert!(!inside.swap(true, Ordering::Relaxed), "alone");
                    assert!(inside.swap(false, Ordering::Relaxed));
                    assert!(mutant.release());
                }
            });
        }
    });
}

#[test]
fn a_wait_takes_its_time_and_no_signal() {
    let event = Event::new(AUTO, false);
    let limit = Duration::from_millis(20);
    let since = Instant::now();
    let waited = wait::wait(&[&event], Which::Any, Deadline::after(limit), false);
    assert_eq!(waited, Waited::TimedOut);
    assert!(since.elapsed() >= limit);
    let since = Instant::now();
    assert_eq!(wait::sleep(Deadline::after(limit), true), Waited::TimedOut);
    assert!(since.elapsed() >= limit);
}

/// One that stays entered is woken for nothing from then on, and never freed.
#[test]
fn an_object_forgets_who_no_longer_waits() {
    let (event, me) = (Event::new(AUTO, false), thread::current());
    let held = Arc::strong_count(&me);
    let waited = wait::wait(&[&event, &event], Which::Any, Deadline::after_ms(1), false);
    assert_eq!(waited, Waited::TimedOut);
    assert_eq!(Arc::strong_count(&me), held);
}

/// SetEvent page: a manual-reset event releases every waiter.
#[test]
fn a_manual_event_wakes_all() {
    let event = &Event::new(MANUAL, false);
    std::thread::scope(|scope| {
        let waiters = [(); 4].map(|()| {
            spawn(scope, |begin| {
                begin.sleeping();
                wait::wait(&[event], Which::Any, long(), false)
            })
        });
        waiters.iter().for_each(asleep::Sleeper::until_asleep);
        event.set();
        for waiter in waiters {
            assert_eq!(waiter.join(), Waited::Object(0));
        }
    });
}

/// No wake-up is lost, whether it comes before, while or after the other begins to wait.
#[test]
fn ping_pong_loses_no_wake_up() {
    const ROUNDS: usize = 20_000;
    let (ping, pong) = (&Event::new(AUTO, false), &Event::new(AUTO, false));
    let decoy = &Event::new(MANUAL, false);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for round in 0..ROUNDS {
                let waited = wait::wait(&[decoy, ping], Which::Any, long(), round % 2 == 0);
                assert_eq!(waited, Waited::Object(1), "{round}");
                pong.set();
            }
        });
        for round in 0..ROUNDS {
            ping.set();
            let waited = wait::wait(&[pong], Which::Any, long(), round % 2 == 1);
            assert_eq!(waited, Waited::Object(0), "{round}");
        }
    });
}

/// The same with wakes that mean nothing coming in between.
#[test]
fn ping_pong_among_foreign_wakes_loses_no_wake_up() {
    const ROUNDS: usize = 5_000;
    let (ping, pong) = (&Event::new(AUTO, false), &Event::new(AUTO, false));
    let is_over = &AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (send, receive) = std::sync::mpsc::channel();
        scope.spawn(move || {
            send.send(thread::current()).unwrap();
            for round in 0..ROUNDS {
                let waited = wait::wait(&[ping], Which::Any, long(), false);
                assert_eq!(waited, Waited::Object(0), "{round}");
                pong.set();
            }
        });
        let target = receive.recv().unwrap();
        scope.spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                target.wake();
                std::thread::yield_now();
            }
        });
        for round in 0..ROUNDS {
            ping.set();
            let waited = wait::wait(&[pong], Which::Any, long(), false);
            assert_eq!(waited, Waited::Object(0), "{round}");
        }
        is_over.store(true, Ordering::Relaxed);
    });
}

/// SleepEx page: WAIT_IO_COMPLETION once the queued calls have run, all of them and in order.
#[test]
fn an_alertable_sleep_runs_what_was_queued_before() {
    let ran = Arc::new(Mutex::new(Vec::new()));
    let me = thread::current();
    for number in 0..3 {
        let ran = Arc::clone(&ran);
        assert!(queue(&me, move || {
            ran.lock().unwrap().push((number, thread::id()));
        }));
    }
    assert_eq!(wait::sleep(now(), false), Waited::TimedOut);
    assert!(ran.lock().unwrap().is_empty(), "not alertable");
    assert_eq!(wait::sleep(Deadline::Never, true), Waited::Alerted);
    let me = me.id();
    assert_eq!(*ran.lock().unwrap(), [(0, me), (1, me), (2, me)]);
    assert_eq!(wait::sleep(now(), true), Waited::TimedOut);
}

#[test]
fn an_alertable_wait_ends_with_a_call_that_comes_while_it_sleeps() {
    let never = &Event::new(AUTO, false);
    for has_object in [false, true] {
        std::thread::scope(|scope| {
            let (send, receive) = std::sync::mpsc::channel();
            let waiter = spawn(scope, move |begin| {
                send.send(thread::current()).unwrap();
                begin.sleeping();
                if has_object {
                    wait::wait(&[never], Which::Any, long(), true)
                } else {
                    wait::sleep(long(), true)
                }
            });
            let target = receive.recv().unwrap();
            waiter.until_asleep();
            let ran_on = Arc::new(AtomicUsize::new(0));
            let on = Arc::clone(&ran_on);
            let record = move || {
                let id = usize::try_from(thread::id()).unwrap();
                on.store(id, Ordering::SeqCst);
            };
            assert!(queue(&target, record));
            assert_eq!(waiter.join(), Waited::Alerted);
            let id = usize::try_from(target.id()).unwrap();
            assert_eq!(ran_on.load(Ordering::SeqCst), id);
        });
    }
}

#[test]
fn a_wait_that_is_not_alertable_leaves_calls_alone() {
    let event = &Event::new(AUTO, false);
    let ran = Arc::new(AtomicBool::new(false));
    let seen = &ran;
    std::thread::scope(|scope| {
        let (send, receive) = std::sync::mpsc::channel();
        let waiter = spawn(scope, move |begin| {
            send.send(thread::current()).unwrap();
            begin.sleeping();
            let waited = wait::wait(&[event], Which::Any, long(), false);
            assert!(!seen.load(Ordering::SeqCst), "not alertable");
            (waited, wait::sleep(now(), true))
        });
        let target = receive.recv().unwrap();
        waiter.until_asleep();
        let record = Arc::clone(&ran);
        assert!(queue(&target, move || record.store(true, Ordering::SeqCst)));
        event.set();
        assert_eq!(waiter.join(), (Waited::Object(0), Waited::Alerted));
    });
}

/// QueueUserAPC page: it fails for a thread that has exited.
#[test]
fn a_call_to_an_exited_thread_is_refused() {
    let target = std::thread::spawn(thread::current).join().unwrap();
    assert!(!queue(&target, || panic!("ran")));
    let target = std::thread::spawn(|| {
        thread::exit();
        let me = thread::current();
        (queue(&me, || panic!("ran")), wait::sleep(now(), true))
    });
    assert_eq!(target.join().unwrap(), (false, Waited::TimedOut));
}

/// Calls that race with the exit of their thread run, or are dropped, or are refused; none stays.
#[test]
fn calls_that_race_with_an_exit_do_not_leak() {
    for _ in 0..200 {
        let owned = Arc::new(());
        let (send, receive) = std::sync::mpsc::channel();
        let exiting = std::thread::spawn(move || {
            send.send(thread::current()).unwrap();
            wait::sleep(now(), true);
        });
        let target = receive.recv().unwrap();
        // Not without end: a thread that is given calls faster than it makes them never gets to
        // exit.
        for _ in 0..100 {
            let held = Arc::clone(&owned);
            queue(&target, move || drop(held));
        }
        exiting.join().unwrap();
        assert!(!queue(&target, || panic!("ran")));
        assert_eq!(Arc::strong_count(&owned), 1);
    }
}

fn socket_pair() -> (Arc<std::os::fd::OwnedFd>, std::os::fd::OwnedFd) {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    let flags = SocketFlags::CLOEXEC;
    let pair = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None);
    let (one, other) = pair.unwrap();
    (Arc::new(one), other)
}

/// winsock-semantics 5.3: calls run inside a blocking call, which then goes on (test_accept,
/// test_WSARecv); 5.5: another blocking call in there is WSAEINPROGRESS here.
#[test]
fn a_blocking_call_runs_calls_and_goes_on() {
    let (fd, other) = &socket_pair();
    std::thread::scope(|scope| {
        let (send, receive) = std::sync::mpsc::channel();
        let blocked = spawn(scope, move |begin| {
            send.send(thread::current()).unwrap();
            begin.sleeping();
            let blocked = wait::block_on(long(), |is_ready| {
                if is_ready { Step::Over } else { Step::Ready(Arc::clone(fd), PollFlags::IN) }
            });
            assert!(!wait::is_blocking());
            blocked
        });
        let target = receive.recv().unwrap();
        blocked.until_asleep();
        let (tell, told) = std::sync::mpsc::channel();
        assert!(queue(&target, move || {
            tell.send(wait::is_blocking()).unwrap();
        }));
        assert!(told.recv_timeout(LONG).unwrap(), "runs while it waits");
        rustix::io::write(other, b"x").unwrap();
        assert_eq!(blocked.join(), Blocked::Over);
    });
}

#[test]
fn a_blocking_call_ends_when_its_time_is_up_or_it_is_woken() {
    let blocked = wait::block_on(Deadline::after_ms(5), |_| Step::Woken);
    assert_eq!(blocked, Blocked::TimedOut);
    let is_over = &AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (send, receive) = std::sync::mpsc::channel();
        let sleeper = spawn(scope, move |begin| {
            send.send(thread::current()).unwrap();
            begin.sleeping();
            wait::block_on(long(), |_| match is_over.load(Ordering::SeqCst) {
                true => Step::Over,
                false => Step::Woken,
            })
        });
        let target = receive.recv().unwrap();
        sleeper.until_asleep();
        is_over.store(true, Ordering::SeqCst);
        target.wake();
        assert_eq!(sleeper.join(), Blocked::Over);
    });
}

/// A call that panics must not leave its thread "in a blocking call" for ever.
#[test]
fn a_call_that_panics_ends_the_blocking_call() {
    let me = thread::current();
    assert!(queue(&me, || std::panic::resume_unwind(Box::new("a call"))));
    let blocked = std::panic::catch_unwind(|| wait::block_on(now(), |_| Step::Over));
    assert!(blocked.is_err());
    assert!(!wait::is_blocking());
}

/// winsock-semantics 5.4: not run by a select that is ready at once; run by one that has to wait,
/// or times out (test_select).
#[test]
fn a_select_runs_calls_only_if_it_has_to_wait() {
    let (fd, other) = socket_pair();
    let ran = Arc::new(AtomicUsize::new(0));
    let me = thread::current();
    let record = Arc::clone(&ran);
    assert!(queue(&me, move || {
        record.fetch_add(1, Ordering::SeqCst);
    }));
    let fds = [(Arc::clone(&fd), PollFlags::OUT)];
    let reported = wait::poll_descriptors(&fds, &[], long());
    assert_eq!(reported, [PollFlags::OUT]);
    assert_eq!(ran.load(Ordering::SeqCst), 0, "ready at once");
    let fds = [(fd, PollFlags::IN)];
    let reported = wait::poll_descriptors(&fds, &[], Deadline::after_ms(5));
    assert_eq!(reported, [PollFlags::empty()]);
    assert_eq!(ran.load(Ordering::SeqCst), 1, "had to wait");
    rustix::io::write(&other, b"x").unwrap();
    let reported = wait::poll_descriptors(&fds, &[], long());
    assert_eq!(reported, [PollFlags::IN]);
}

#[test]
fn a_select_ends_with_an_object_or_a_descriptor() {
    let (fd, other) = &socket_pair();
    let gone = &Event::new(AUTO, false);
    let wakes: [(&dyn Fn(), PollFlags); 2] = [
        (&|| gone.set(), PollFlags::empty()),
        (&|| assert_eq!(rustix::io::write(other, b"x"), Ok(1)), PollFlags::IN),
    ];
    for (wake, expected) in wakes {
        std::thread::scope(|scope| {
            let selecting = spawn(scope, |begin| {
                begin.sleeping();
                wait::poll_descriptors(&[(Arc::clone(fd), PollFlags::IN)], &[gone], long())
            });
            selecting.until_asleep();
            wake();
            assert_eq!(selecting.join(), [expected]);
        });
    }
}

//! Descriptors without a port: whoever waits performs them, and the guardian when nobody does.
//!
//! One reactor serves the process, so these tests take turns. Sources as in `waits.rs` and
//! `port.rs`.

#[path = "harness/asleep.rs"]
mod asleep;
#[allow(dead_code, reason = "shared with the tests of ports")]
#[path = "harness/pipe.rs"]
mod pipe;

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use asleep::{LONG, spawn};
use linsock_iocp::clock::Deadline;
use linsock_iocp::event::{Event, Waitable, Waiters};
use linsock_iocp::file::File;
use linsock_iocp::guardian;
use linsock_iocp::thread;
use linsock_iocp::wait::{self, Waited, Which};
use pipe::{CANCELLED, Given, PENDING, Pipe, queue, status, until_the_guardian_has_looked, write};

fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn long() -> Deadline {
    Deadline::after(LONG)
}

fn wait_for(event: &Event) -> Waited {
    wait::wait(&[event], Which::Any, long(), false)
}

/// A receive that pends, with the event that its end sets.
fn pending() -> (Arc<Pipe>, OwnedFd, Arc<Event>) {
    let (pipe, other) = Pipe::new();
    let event = Arc::new(Event::new(false, false));
    let overlapped = pipe.receive(Given::event(&event)).unwrap();
    assert_eq!(status(overlapped), PENDING);
    (pipe, other, event)
}

#[test]
fn a_waiting_thread_performs_what_becomes_ready() {
    let _turn = turn();
    let (pipe, other, event) = pending();
    std::thread::scope(|scope| {
        let waiter = spawn(scope, |begin| {
            begin.sleeping();
            (wait_for(&event), thread::id())
        });
        waiter.until_asleep();
        until_the_guardian_has_looked();
        write(&other);
        assert_eq!(waiter.join(), (Waited::Object(0), pipe.performed_by()));
    });
    pipe.close_handle();
}

/// An event that counts how often it is looked at.
struct Counted(Event, AtomicUsize);

impl Waitable for Counted {
    fn take(&self) -> bool {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.take()
    }
    fn give_back(&self) {
        self.0.give_back();
    }
    fn waiters(&self) -> &Waiters {
        self.0.waiters()
    }
}

#[test]
fn one_leads_and_the_others_sleep_on() {
    let _turn = turn();
    let (pipe, other, event) = pending();
    let leads = &Event::new(false, false);
    let follows = &Counted(Event::new(false, false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let leader = spawn(scope, |begin| {
            begin.sleeping();
            (wait_for(leads), thread::id())
        });
        leader.until_asleep();
        let follower = spawn(scope, |begin| {
            begin.sleeping();
            wait::wait(&[follows], Which::Any, long(), false)
        });
        follower.until_asleep();
        until_the_guardian_has_looked();
        write(&other);
        let since = Instant::now();
        while !event.is_set() {
            assert!(since.elapsed() < LONG);
            std::thread::yield_now();
        }
        until_the_guardian_has_looked();
        follows.0.set();
        assert_eq!(follower.join(), Waited::Object(0));
        let looks = follows.1.load(Ordering::Relaxed);
        assert_eq!(looks, 2, "before its sleep; then the signal is handed to it");
        leads.set();
        assert_eq!(leader.join(), (Waited::Object(0), pipe.performed_by()));
    });
    pipe.close_handle();
}

/// hEvent NULL: the handle itself is signaled (test_nonblocking_async_recv).
#[test]
fn the_handle_is_signaled_without_an_event() {
    let _turn = turn();
    let (pipe, other) = Pipe::new();
    pipe.receive(Given::default()).unwrap();
    assert!(!pipe.core().signal().is_set());
    write(&other);
    assert_eq!(wait_for(pipe.core().signal()), Waited::Object(0));
    pipe.receive(Given::default()).unwrap();
    assert!(!pipe.core().signal().is_set(), "reset by the next");
    pipe.close_handle();
    assert!(pipe.core().signal().is_set(), "and set by its end");
}

/// A program that only looks at Internal (HasOverlappedIoCompleted) and never waits.
#[test]
fn the_guardian_performs_what_nobody_waits_for() {
    let _turn = turn();
    let (pipe, other) = Pipe::new();
    for _ in 0..3 {
        let overlapped = pipe.receive(Given::default()).unwrap();
        write(&other);
        let since = Instant::now();
        while status(overlapped) == PENDING {
            assert!(since.elapsed() < LONG);
            std::thread::yield_now();
        }
        assert_eq!(status(overlapped), 0);
    }
    pipe.close_handle();
}

/// A program that polls its events with a timeout of 0 performs its own I/O.
#[test]
fn a_poll_of_an_event_performs_what_is_ready() {
    let _turn = turn();
    let (pipe, other, event) = pending();
    write(&other);
    let waited = wait::wait(&[&*event], Which::Any, Deadline::after_ms(0), false);
    assert_eq!(waited, Waited::Object(0));
    pipe.close_handle();
}

/// The leader's I/O is done first or last, or is nobody's that waits: the follower goes on.
#[test]
fn the_lead_is_handed_over_in_every_order() {
    let _turn = turn();
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let pipes = [pending(), pending(), pending()];
        std::thread::scope(|scope| {
            let mut waiters = pipes.each_ref().map(|(_, _, event)| {
                let waiter = spawn(scope, |begin| {
                    begin.sleeping();
                    wait_for(event)
                });
                waiter.until_asleep();
                Some(waiter)
            });
            for next in order {
                write(&pipes[next].1);
                let waiter = waiters[next].take().unwrap();
                assert_eq!(waiter.join(), Waited::Object(0), "{order:?}");
            }
        });
        pipes.iter().for_each(|(pipe, ..)| pipe.close_handle());
    }
}

/// A follower that is woken to lead may leave instead, for its own event: the one that stays must
/// not be left behind without a leader.
#[test]
fn the_lead_is_not_lost_when_followers_leave_with_the_leader() {
    let _turn = turn();
    for _ in 0..100 {
        let (pipe, other, event) = pending();
        let leave = [(); 2].map(|()| Event::new(true, false));
        std::thread::scope(|scope| {
            let start = |event| {
                let waiter = spawn(scope, move |begin| {
                    begin.sleeping();
                    wait_for(event)
                });
                waiter.until_asleep();
                waiter
            };
            let (first, stays, last) = (start(&leave[0]), start(&event), start(&leave[1]));
            until_the_guardian_has_looked();
            leave.iter().for_each(Event::set);
            write(&other);
            for waiter in [first, last, stays] {
                assert_eq!(waiter.join(), Waited::Object(0));
            }
        });
        pipe.close_handle();
    }
}

/// A call that runs inside a wait may itself wait for I/O, also on the thread that leads.
#[test]
fn a_call_inside_a_wait_may_wait_for_io() {
    let _turn = turn();
    let (pipe, other, event) = pending();
    let never = &Event::new(false, false);
    std::thread::scope(|scope| {
        let (send, receive) = channel();
        let waiter = spawn(scope, move |begin| {
            send.send(thread::current()).unwrap();
            begin.sleeping();
            wait::wait(&[never], Which::Any, long(), true)
        });
        let target = receive.recv().unwrap();
        waiter.until_asleep();
        let (begun, has_begun) = channel();
        let inner = Arc::clone(&event);
        assert!(queue(&target, move || {
            begun.send(()).unwrap();
            assert_eq!(wait_for(&inner), Waited::Object(0));
        }));
        has_begun.recv_timeout(LONG).unwrap();
        write(&other);
        assert_eq!(waiter.join(), Waited::Alerted);
    });
    pipe.close_handle();
}

/// winsock-semantics 5.1: the routine runs on the issuing thread, in an alertable wait.
#[test]
fn a_routine_runs_in_an_alertable_wait_of_its_thread() {
    let _turn = turn();
    let (pipe, other) = Pipe::new();
    let (tell, told) = channel();
    let given = Given {
        routine: Some(Box::new(move |status, bytes| {
            tell.send((status, bytes, thread::id())).unwrap();
        })),
        ..Given::default()
    };
    let overlapped = pipe.receive(given).unwrap();
    write(&other);
    let elsewhere = std::thread::spawn(|| wait::sleep(Deadline::after_ms(5), true));
    assert_eq!(elsewhere.join().unwrap(), Waited::TimedOut);
    assert_eq!(wait::sleep(long(), true), Waited::Alerted);
    assert_eq!(status(overlapped), 0);
    let (status, bytes, thread) = told.try_recv().unwrap();
    assert!(status.is_success());
    assert_eq!((bytes, thread), (1, thread::id()));
    pipe.close_handle();
}

/// winsock-semantics section 4, first row: everything is cancelled, the event set, the routine
/// never run; what other threads issued on the same file is not touched.
#[test]
fn the_exit_of_a_thread_cancels_what_it_issued() {
    let _turn = turn();
    let (pipe, other) = Pipe::new();
    let event = Arc::new(Event::new(true, false));
    let mine = pipe.receive(Given::default()).unwrap();
    let theirs = std::thread::scope(|scope| {
        let exiting = scope.spawn(|| {
            let routine =
                Given { routine: Some(Box::new(|_, _| panic!("ran at exit"))), ..Given::default() };
            [Given::default(), Given::event(&event), routine]
                .map(|given| pipe.receive(given).unwrap())
        });
        exiting.join().unwrap()
    });
    // A scope ends before the exit of its threads, a join does not.
    let done = |overlapped| status(overlapped) != PENDING;
    let since = Instant::now();
    while !theirs.into_iter().all(done) {
        assert!(since.elapsed() < LONG);
        std::thread::yield_now();
    }
    assert_eq!(theirs.map(status), [CANCELLED; 3]);
    assert!(event.is_set());
    assert_eq!(status(mine), PENDING, "of another thread");
    write(&other);
    assert_eq!(wait_for(pipe.core().signal()), Waited::Object(0));
    assert_eq!(wait::sleep(Deadline::after_ms(0), true), Waited::TimedOut);
    pipe.close_handle();
}

/// Also if it was the only one, and the thread has never been woken or waited.
#[test]
fn the_exit_of_a_thread_cancels_its_only_operation() {
    let _turn = turn();
    let (pipe, _silent) = Pipe::new();
    let issuing = Arc::clone(&pipe);
    let thread = std::thread::spawn(move || issuing.receive(Given::default()).unwrap());
    assert_eq!(status(thread.join().unwrap()), CANCELLED);
    pipe.close_handle();
}

#[test]
fn the_guardian_calls_its_timers_in_their_order() {
    let _turn = turn();
    let (tell, told) = channel();
    for ms in [20, 5, 10] {
        let (tell, since) = (tell.clone(), Instant::now());
        let delay = std::time::Duration::from_millis(ms);
        guardian::call_after(delay, move || {
            assert!(since.elapsed() >= delay);
            tell.send(ms).unwrap();
        });
    }
    let order = [(); 3].map(|()| told.recv_timeout(LONG).unwrap());
    assert_eq!(order, [5, 10, 20]);
}

/// Everything else relies on the guardian, so a call that panics does not end it.
#[test]
fn the_guardian_survives_a_call_that_panics() {
    let _turn = turn();
    let now = std::time::Duration::ZERO;
    guardian::call_after(now, || std::panic::resume_unwind(Box::new("a timer")));
    let (tell, told) = channel();
    guardian::call_after(now, move || tell.send(()).unwrap());
    told.recv_timeout(LONG).unwrap();
    let (pipe, other, event) = pending();
    write(&other);
    let since = Instant::now();
    while !event.take() {
        assert!(since.elapsed() < LONG);
        std::thread::yield_now();
    }
    pipe.close_handle();
}

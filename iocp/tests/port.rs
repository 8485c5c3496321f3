//! Completion ports, alone and with descriptors.
//!
//! Sources: the pages of GetQueuedCompletionStatus(Ex), PostQueuedCompletionStatus,
//! CreateIoCompletionPort and "I/O Completion Ports"; a `test_…` name is a test of Wine that runs
//! on Windows (winsock-semantics quotes it); I6 is in ARCHITECTURE.md.

#[path = "harness/asleep.rs"]
mod asleep;
#[path = "harness/pipe.rs"]
mod pipe;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};

use asleep::{LONG, Sleeper, spawn};
use linsock_iocp::NtStatus;
use linsock_iocp::clock::Deadline;
use linsock_iocp::event::Event;
use linsock_iocp::file::{AlreadyAssociated, File};
use linsock_iocp::irp::{Deferred, Done, Sink};
use linsock_iocp::port::{CompletionPort, NoPacket};
use linsock_iocp::thread;
use linsock_iocp::wait::{self, Waited, Which};
use pipe::{
    CANCELLED, Given, PENDING, Pipe, addr, packet, post, queue, status, take,
    until_the_guardian_has_looked, write,
};
use rustix::net::SendFlags;

fn now() -> Deadline {
    Deadline::after_ms(0)
}

fn long() -> Deadline {
    Deadline::after(LONG)
}

fn new_port(concurrency: usize) -> Arc<CompletionPort> {
    CompletionPort::new(concurrency).unwrap()
}

fn take_key(port: &Arc<CompletionPort>, deadline: Deadline) -> Result<usize, NoPacket> {
    take(port, deadline).map(|packet| packet.key)
}

/// Yields until it is so. Nothing else is waited for, so time is no part of it.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < LONG, "{what}");
        std::thread::yield_now();
    }
}

/// "I/O Completion Ports": packets are queued first in, first out.
#[test]
fn packets_come_in_the_order_they_were_posted() {
    let port = new_port(0);
    (0..100).for_each(|key| post(&port, key));
    for key in 0..100 {
        assert_eq!(take_key(&port, now()), Ok(key));
    }
    assert_eq!(take_key(&port, now()), Err(NoPacket::TimedOut));
}

/// PostQueuedCompletionStatus page: the values are handed on unchanged.
#[test]
fn a_posted_packet_is_handed_on_unchanged() {
    let port = new_port(0);
    let mut sent = packet(usize::MAX);
    (sent.overlapped, sent.bytes) = (0xDEAD_BEEF, 7);
    let mut after = Deferred::default();
    port.post(sent, &mut after);
    after.run();
    let got = take(&port, now()).unwrap();
    assert_eq!((got.key, got.overlapped, got.bytes), (usize::MAX, 0xDEAD_BEEF, 7));
    assert_eq!(got.status, NtStatus::SUCCESS);
}

/// GetQueuedCompletionStatus page: a timeout of zero returns at once.
#[test]
fn a_wait_takes_its_time() {
    let port = new_port(0);
    assert_eq!(take_key(&port, now()), Err(NoPacket::TimedOut));
    let limit = Duration::from_millis(20);
    let since = Instant::now();
    let waited = take_key(&port, Deadline::after(limit));
    assert_eq!(waited, Err(NoPacket::TimedOut));
    assert!(since.elapsed() >= limit);
}

/// Our own: a worker of the library takes what there is, in order, and nothing is left.
#[test]
fn all_packets_are_taken_at_once() {
    let port = new_port(0);
    (0..5).for_each(|key| post(&port, key));
    let mut room = VecDeque::new();
    assert_eq!(port.wait_all(now(), &mut room), Ok(()));
    assert!(room.iter().map(|packet| packet.key).eq(0..5));
    room.clear();
    assert_eq!(port.wait_all(now(), &mut room), Err(NoPacket::TimedOut));
    assert!(room.is_empty());
}

/// GetQueuedCompletionStatusEx page: up to ulCount entries, those that are there.
#[test]
fn several_packets_are_taken_at_once_and_no_more_than_asked_for() {
    let port = new_port(0);
    (0..5).for_each(|key| post(&port, key));
    let take_up_to = |room| {
        let mut keys = Vec::new();
        let count = port.wait(room, now(), false, |packet| keys.push(packet.key));
        count.map(|count| {
            assert_eq!(count, keys.len());
            keys
        })
    };
    assert_eq!(take_up_to(3), Ok(vec![0, 1, 2]));
    assert_eq!(take_up_to(3), Ok(vec![3, 4]));
    assert_eq!(take_up_to(3), Err(NoPacket::TimedOut));
    post(&port, 5);
    assert_eq!(take_up_to(0), Ok(vec![5]), "at least one");
}

#[test]
fn a_sleeper_is_woken_by_a_packet() {
    let port = &new_port(0);
    std::thread::scope(|scope| {
        let sleeper = spawn(scope, |begin| {
            begin.sleeping();
            take_key(port, long())
        });
        sleeper.until_asleep();
        post(port, 1);
        assert_eq!(sleeper.join(), Ok(1));
    });
}

/// Every packet reaches exactly one thread, whoever posts and waits how.
#[test]
fn every_packet_is_taken_exactly_once() {
    const POSTERS: usize = 4;
    const EACH: usize = 20_000;
    for (concurrency, room) in [(0, 1), (1, 1), (4, 7)] {
        let port = &new_port(concurrency);
        let seen = &Mutex::new(vec![0_u8; POSTERS * EACH]);
        std::thread::scope(|scope| {
            let waiters = [(); 4].map(|()| {
                scope.spawn(move || {
                    let mut mine = Vec::new();
                    while port
                        .wait(room, Deadline::Never, false, |packet| mine.push(packet.key))
                        .is_ok()
                    {}
                    let mut seen = seen.lock().unwrap();
                    mine.iter().for_each(|&key| seen[key] += 1);
                    mine.len()
                })
            });
            let posters = std::array::from_fn::<_, POSTERS, _>(|poster| {
                scope.spawn(move || (0..EACH).for_each(|at| post(port, poster * EACH + at)))
            });
            posters.into_iter().for_each(|poster| poster.join().unwrap());
            // Closing takes what nobody has taken: the end is a packet more than there are waiters
            // for.
            until("all is taken", || is_drained(port));
            port.close();
            let counts = waiters.map(|waiter| waiter.join().unwrap());
            assert_eq!(counts.iter().sum::<usize>(), POSTERS * EACH);
        });
        assert!(seen.lock().unwrap().iter().all(|&count| count == 1));
    }
}

/// Whether the port had no packets: a wait that takes one puts it back at the end.
fn is_drained(port: &Arc<CompletionPort>) -> bool {
    match take_key(port, now()) {
        Ok(key) => {
            post(port, key);
            false
        }
        Err(why) => why == NoPacket::TimedOut,
    }
}

/// ERROR_ABANDONED_WAIT_0 (GetQueuedCompletionStatus page, remarks).
#[test]
fn closing_wakes_every_waiter_and_refuses_the_next() {
    let port = &new_port(1);
    std::thread::scope(|scope| {
        let waiters: [_; 4] = std::array::from_fn(|at| {
            spawn(scope, move |begin| {
                begin.sleeping();
                port.wait(1, Deadline::Never, at % 2 == 0, |_| {})
            })
        });
        waiters.iter().for_each(Sleeper::until_asleep);
        port.close();
        assert_eq!(waiters.map(Sleeper::join), [Err(NoPacket::Closed); 4]);
    });
    assert_eq!(take_key(port, Deadline::Never), Err(NoPacket::Closed));
    port.close();
    assert_eq!(take_key(port, now()), Err(NoPacket::Closed));
}

#[derive(Default)]
struct NoSink;

impl Sink for NoSink {
    fn complete(&self, _: Done) -> Option<std::task::Waker> {
        None
    }
}

#[test]
fn a_closed_port_keeps_no_packets() {
    let port = new_port(1);
    let sink = Arc::new(NoSink);
    let post_sink = || {
        let mut packet = packet(0);
        packet.sink = Some(Arc::clone(&sink) as Arc<dyn Sink>);
        let mut after = Deferred::default();
        port.post(packet, &mut after);
        after.run();
    };
    post_sink();
    assert_eq!(Arc::strong_count(&sink), 2);
    port.close();
    assert_eq!(Arc::strong_count(&sink), 1, "those that waited");
    post_sink();
    assert_eq!(Arc::strong_count(&sink), 1, "those that come later");
}

/// A thread that worked for a port must not keep its descriptors once it has seen it closed.
#[test]
fn a_closed_port_is_let_go_of() {
    let port = new_port(1);
    post(&port, 0);
    assert_eq!(take_key(&port, now()), Ok(0));
    port.close();
    assert_eq!(take_key(&port, now()), Err(NoPacket::Closed));
    let weak = Arc::downgrade(&port);
    drop(port);
    // The guardian may hold it for the length of a look.
    until("the port is gone", || weak.strong_count() == 0);
}

/// GetQueuedCompletionStatusEx page, fAlertable: "and there are no available entries".
#[test]
fn a_packet_comes_before_a_call() {
    let port = new_port(1);
    assert!(queue(&thread::current(), || {}));
    post(&port, 1);
    assert_eq!(port.wait(1, now(), true, |_| {}), Ok(1));
    assert_eq!(port.wait(1, now(), false, |_| {}), Err(NoPacket::TimedOut));
    assert_eq!(port.wait(1, now(), true, |_| {}), Err(NoPacket::Alerted));
    assert_eq!(port.wait(1, now(), true, |_| {}), Err(NoPacket::TimedOut));
}

/// WAIT_IO_COMPLETION, by a call that comes while the thread sleeps; a packet ends it as well.
#[test]
fn an_alertable_wait_ends_with_a_call_or_a_packet() {
    let port = &new_port(1);
    for by_call in [true, false] {
        std::thread::scope(|scope| {
            let (send, receive) = channel();
            let waiter = spawn(scope, move |begin| {
                send.send(thread::current()).unwrap();
                begin.sleeping();
                port.wait(1, long(), true, |_| {})
            });
            let target = receive.recv().unwrap();
            waiter.until_asleep();
            if by_call {
                assert!(queue(&target, || {}));
                assert_eq!(waiter.join(), Err(NoPacket::Alerted));
            } else {
                post(port, 0);
                assert_eq!(waiter.join(), Ok(1));
            }
        });
    }
}

/// A wake-up for a packet that meets a call: the packet is not left behind (I6).
#[test]
fn calls_and_packets_that_come_together_are_not_lost() {
    const ROUNDS: usize = 500;
    let port = &new_port(2);
    let (send, receive) = channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            send.send(thread::current()).unwrap();
            while port.wait(1, Deadline::Never, true, |_| {}) != Err(NoPacket::Closed) {}
        });
        let target = receive.recv().unwrap();
        scope.spawn(move || while take(port, Deadline::Never).is_ok() {});
        let called = Arc::new(AtomicUsize::new(0));
        for round in 1..=ROUNDS {
            let count = Arc::clone(&called);
            assert!(queue(&target, move || {
                count.fetch_add(1, Ordering::SeqCst);
            }));
            post(port, round);
            until("the call is made", || called.load(Ordering::SeqCst) == round);
            until("the packet is taken", || is_drained(port));
        }
        port.close();
    });
}

/// The concurrency value: when the worker that took a packet blocks where Linux does not tell,
/// another is let in for what waits (engine plan 3.1, 9).
#[test]
fn a_blocked_worker_does_not_keep_packets_from_the_others() {
    let port = &new_port(1);
    let taken = &AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let workers = [(); 2].map(|()| {
            spawn(scope, |begin| {
                begin.sleeping();
                take(port, long()).unwrap();
                taken.fetch_add(1, Ordering::SeqCst);
                // Blocks until the other one has the other packet.
                until("both are taken", || taken.load(Ordering::SeqCst) == 2);
            })
        });
        workers.iter().for_each(Sleeper::until_asleep);
        post(port, 1);
        post(port, 2);
        workers.into_iter().for_each(Sleeper::join);
    });
}

/// I6: a worker posts few packets, which wake nobody, and then blocks outside.
#[test]
fn packets_of_a_worker_that_blocks_reach_the_others() {
    for lazy in 1..=5 {
        let port = &new_port(2);
        let (taken, blocked) = (&AtomicUsize::new(0), &Mutex::new(None));
        std::thread::scope(|scope| {
            let work = |begin: &asleep::Begin| {
                begin.sleeping();
                if take_key(port, long()) == Ok(0) {
                    *blocked.lock().unwrap() = Some(std::thread::current());
                    (1..=lazy).for_each(|key| post(port, key));
                    // Out of sight: a program may block anywhere.
                    while taken.load(Ordering::SeqCst) < lazy {
                        std::thread::park();
                    }
                    return;
                }
                while taken.fetch_add(1, Ordering::SeqCst) + 1 < lazy {
                    take(port, long()).unwrap();
                }
                blocked.lock().unwrap().as_ref().unwrap().unpark();
            };
            let workers = [spawn(scope, work), spawn(scope, work)];
            workers.iter().for_each(Sleeper::until_asleep);
            post(port, 0);
            workers.into_iter().for_each(Sleeper::join);
        });
    }
}

/// A worker that feeds itself packets never sleeps, and its descriptors are performed all the same.
#[test]
fn a_port_that_is_never_empty_does_not_starve_its_descriptors() {
    let port = &new_port(1);
    let (pipe, other) = Pipe::on(port, 7);
    let overlapped = pipe.receive(Given::default()).unwrap();
    std::thread::scope(|scope| {
        let worker = spawn(scope, |begin| {
            begin.sleeping();
            let since = Instant::now();
            while take_key(port, long()) == Ok(0) {
                assert!(since.elapsed() < LONG, "starved");
                post(port, 0);
            }
        });
        worker.until_asleep();
        until_the_guardian_has_looked();
        post(port, 0);
        write(&other);
        worker.join();
    });
    assert_eq!(status(overlapped), 0);
    pipe.close_handle();
}

/// Our own: what a worker keeps of the files that were reported goes with the handle that it
/// closes itself, and with its port.
#[test]
fn what_was_reported_is_let_go_of() {
    let port = &new_port(1);
    let report = |key: usize| {
        let (pipe, other) = Pipe::on(port, key);
        pipe.receive(Given::default()).unwrap();
        write(&other);
        assert_eq!(take_key(port, long()), Ok(key));
        pipe
    };
    let closed = report(1);
    let weak = Arc::downgrade(&closed);
    closed.close_handle();
    drop(closed);
    assert!(weak.upgrade().is_none());
    let (own, elsewhere) = (report(2), report(3));
    let weak = [&own, &elsewhere].map(Arc::downgrade);
    std::thread::scope(|scope| {
        scope.spawn(move || elsewhere.close_handle());
    });
    assert!(weak[1].upgrade().is_some(), "it is kept");
    port.close();
    assert_eq!(take_key(port, long()), Err(NoPacket::Closed));
    assert!(weak[1].upgrade().is_none());
    own.close_handle();
    drop(own);
    assert!(weak[0].upgrade().is_none());
}

#[test]
fn a_waiting_thread_performs_and_takes_the_completion() {
    let port = &new_port(1);
    let (pipe, other) = Pipe::on(port, 7);
    let overlapped = pipe.receive(Given::default()).unwrap();
    assert_eq!(status(overlapped), PENDING);
    std::thread::scope(|scope| {
        let waiter = spawn(scope, |begin| {
            begin.sleeping();
            (take(port, long()).unwrap(), thread::id())
        });
        waiter.until_asleep();
        until_the_guardian_has_looked();
        write(&other);
        let (packet, waiter) = waiter.join();
        assert_eq!(pipe.performed_by(), waiter);
        assert_eq!((packet.key, packet.overlapped), (7, addr(overlapped)));
        assert_eq!((packet.status, packet.bytes), (NtStatus::SUCCESS, 1));
    });
    pipe.close_handle();
}

/// winsock-semantics 1.11: event and port both; the low bit: only the event; immediate success:
/// packet.
#[test]
fn completions_reach_the_port_and_the_event() {
    let port = new_port(1);
    let (pipe, other) = Pipe::on(&port, 7);
    let event = Arc::new(Event::new(true, false));
    for pends in [true, false] {
        for low_bit in [true, false] {
            let given = Given { low_bit, ..Given::event(&event) };
            if !pends {
                write(&other);
            }
            let overlapped = pipe.receive(given).unwrap();
            assert_eq!(status(overlapped) == PENDING, pends);
            assert_eq!(event.is_set(), !pends, "reset at the start");
            if pends {
                write(&other);
                let waited = wait::wait(&[&*event], Which::Any, long(), false);
                assert_eq!(waited, Waited::Object(0), "through the guardian");
            }
            if low_bit {
                // One that came late would be the wrong one in the next round.
                assert_eq!(take_key(&port, now()), Err(NoPacket::TimedOut));
            } else {
                // The event is set first, and the packet may follow.
                assert_eq!(take(&port, long()).unwrap().overlapped, addr(overlapped));
            }
        }
    }
    pipe.close_handle();
}

/// `test_completion_port`, "IOCP created after AcceptEx": I/O that pends already goes to the port
/// too.
#[test]
fn io_issued_before_the_association_goes_to_the_port() {
    let port = new_port(1);
    let (pipe, other) = Pipe::new();
    let overlapped = pipe.receive(Given::default()).unwrap();
    pipe.associate(&port, 7).unwrap();
    assert_eq!(pipe.associate(&port, 8), Err(AlreadyAssociated));
    write(&other);
    let packet = take(&port, long()).unwrap();
    assert_eq!((packet.key, packet.overlapped), (7, addr(overlapped)));
    pipe.close_handle();
}

/// A program that takes nothing from its port still sees Internal change.
#[test]
fn the_guardian_performs_what_nobody_takes() {
    let port = new_port(1);
    let (pipe, other) = Pipe::on(&port, 7);
    for _ in 0..3 {
        let overlapped = pipe.receive(Given::default()).unwrap();
        write(&other);
        until("performed", || status(overlapped) != PENDING);
        assert_eq!(status(overlapped), 0);
    }
    pipe.close_handle();
}

/// The last thread leaves the port and does not come back: for a packet that has nothing to do with
/// the descriptor, because its time is up, or for a call.
#[test]
fn the_guardian_takes_over_when_the_last_sleeper_leaves() {
    for way in ["packet", "timeout", "call"] {
        let port = &new_port(1);
        let (pipe, other) = Pipe::on(port, 7);
        let overlapped = pipe.receive(Given::default()).unwrap();
        std::thread::scope(|scope| {
            let (send, receive) = channel();
            let sleeper = spawn(scope, move |begin| {
                send.send(thread::current()).unwrap();
                begin.sleeping();
                let deadline = match way {
                    "timeout" => Deadline::after_ms(20),
                    _ => long(),
                };
                port.wait(1, deadline, true, |_| {})
            });
            let target = receive.recv().unwrap();
            sleeper.until_asleep();
            until_the_guardian_has_looked();
            let expected = match way {
                "packet" => {
                    post(port, 0);
                    Ok(1)
                }
                "timeout" => Err(NoPacket::TimedOut),
                _ => {
                    assert!(queue(&target, || {}));
                    Err(NoPacket::Alerted)
                }
            };
            assert_eq!(sleeper.join(), expected);
        });
        write(&other);
        until(way, || status(overlapped) != PENDING);
        pipe.close_handle();
    }
}

/// A port that was closed still moves the I/O of its files.
#[test]
fn io_on_a_closed_port_is_still_performed() {
    let port = new_port(1);
    let (pipe, other) = Pipe::on(&port, 7);
    let event = Arc::new(Event::new(true, false));
    pipe.receive(Given::event(&event)).unwrap();
    port.close();
    write(&other);
    let waited = wait::wait(&[&*event], Which::Any, long(), false);
    assert_eq!(waited, Waited::Object(0));
    assert_eq!(take_key(&port, now()), Err(NoPacket::Closed));
    pipe.receive(Given::event(&event)).unwrap();
    write(&other);
    let waited = wait::wait(&[&*event], Which::Any, long(), false);
    assert_eq!(waited, Waited::Object(0));
    pipe.close_handle();
}

/// Many descriptors, many workers, some of which block at times: all that was sent arrives.
#[test]
fn many_descriptors_and_workers_lose_nothing() {
    const PIPES: usize = 32;
    const ROUNDS: usize = 200;
    let port = &new_port(2);
    let pipes = &std::array::from_fn::<_, PIPES, _>(|key| Pipe::on(port, key));
    let received = &AtomicUsize::new(0);
    for (pipe, _) in pipes {
        pipe.receive(Given::default()).unwrap();
    }
    std::thread::scope(|scope| {
        for worker in 0..3 {
            scope.spawn(move || {
                while let Ok(packet) = take(port, Deadline::Never) {
                    if packet.key >= PIPES {
                        continue;
                    }
                    assert_eq!((packet.status, packet.bytes), (NtStatus::SUCCESS, 1));
                    let count = received.fetch_add(1, Ordering::SeqCst);
                    pipes[packet.key].0.receive(Given::default()).unwrap();
                    post(port, PIPES);
                    if count % 64 == worker {
                        let target = count + 2;
                        until("others go on", || {
                            let now = received.load(Ordering::SeqCst);
                            now > target || now >= PIPES * ROUNDS - 2
                        });
                    }
                }
            });
        }
        for _ in 0..ROUNDS {
            pipes.iter().for_each(|(_, other)| write(other));
        }
        until("all has arrived", || received.load(Ordering::SeqCst) == PIPES * ROUNDS);
        port.close();
    });
    for (pipe, _) in pipes {
        pipe.close_handle();
    }
}

/// winsock-semantics section 4, the rows of a file on a port.
#[test]
fn the_exit_of_a_thread_cancels_all_but_plain_packets() {
    let port = new_port(1);
    let (pipe, other) = Pipe::on(&port, 7);
    let event = Arc::new(Event::new(true, false));
    let low_bit = || Given { low_bit: true, ..Given::default() };
    let issuing = Arc::clone(&pipe);
    let with_event = Given::event(&event);
    let low_bit = low_bit();
    // A join, unlike the end of a scope, waits for the exit itself.
    let thread = std::thread::spawn(move || {
        [with_event, low_bit, Given::default()].map(|given| issuing.receive(given).unwrap())
    });
    let [with_event, low_bit, plain] = thread.join().unwrap();
    assert_eq!(status(with_event), CANCELLED);
    assert!(event.is_set());
    assert_eq!(status(low_bit), CANCELLED);
    assert_eq!(status(plain), PENDING, "belongs to the port");
    let packet = take(&port, now()).unwrap();
    assert_eq!(packet.overlapped, addr(with_event));
    assert_eq!(packet.status, NtStatus::CANCELLED);
    assert_eq!(take_key(&port, now()), Err(NoPacket::TimedOut), "low bit");
    write(&other);
    let packet = take(&port, long()).unwrap();
    assert_eq!(packet.overlapped, addr(plain));
    assert_eq!((packet.status, packet.bytes), (NtStatus::SUCCESS, 1));
    pipe.close_handle();
}

/// I/O that was issued without a port and has one by the time of the exit is the port's.
#[test]
fn an_association_saves_plain_io_from_the_exit_of_its_thread() {
    let port = new_port(1);
    let (pipe, other) = Pipe::new();
    let (issuing, to) = (Arc::clone(&pipe), Arc::clone(&port));
    let thread = std::thread::spawn(move || {
        let overlapped = issuing.receive(Given::default()).unwrap();
        issuing.associate(&to, 7).unwrap();
        overlapped
    });
    let overlapped = thread.join().unwrap();
    assert_eq!(status(overlapped), PENDING);
    write(&other);
    assert_eq!(take(&port, long()).unwrap().overlapped, addr(overlapped));
    pipe.close_handle();
}

/// I4: whichever of completion, cancellation and closing comes first, there is one packet, and no
/// other comes; I8: nothing of a closed handle reaches the next.
#[test]
fn an_operation_ends_once_whoever_ends_it() {
    const ROUNDS: usize = 2_000;
    let port = &new_port(0);
    let current = &Mutex::new(None::<(Arc<Pipe>, OwnedFd)>);
    let (begin, end) = (&Barrier::new(4), &Barrier::new(4));
    let racer = |act: fn(&Pipe, &OwnedFd)| {
        move || {
            for _ in 0..ROUNDS {
                begin.wait();
                let (pipe, other) = {
                    let current = current.lock().unwrap();
                    let (pipe, other) = current.as_ref().unwrap();
                    (Arc::clone(pipe), other.try_clone().unwrap())
                };
                act(&pipe, &other);
                end.wait();
            }
        }
    };
    std::thread::scope(|scope| {
        // Into a pipe that is closed already there is no writing.
        scope.spawn(racer(|_, other| {
            let _ = rustix::net::send(other, b"x", SendFlags::NOSIGNAL);
        }));
        scope.spawn(racer(|pipe, _| assert!(pipe.cancel(&|_| true) <= 1)));
        scope.spawn(racer(|pipe, _| pipe.close_handle()));
        for round in 0..ROUNDS {
            let (pipe, other) = Pipe::on(port, round);
            let overlapped = pipe.receive(Given::default()).unwrap();
            *current.lock().unwrap() = Some((pipe, other));
            begin.wait();
            let packet = take(port, long()).unwrap();
            assert_eq!((packet.key, packet.overlapped), (round, addr(overlapped)));
            let (status, bytes) = (packet.status, packet.bytes);
            let ends = [(NtStatus::SUCCESS, 1), (NtStatus::CANCELLED, 0)];
            assert!(ends.contains(&(status, bytes)), "{status} {bytes}");
            end.wait();
            *current.lock().unwrap() = None;
            let left = take_key(port, now());
            assert_eq!(left, Err(NoPacket::TimedOut), "one packet");
        }
    });
}

/// A destructor of the program's own, that runs after those of the library.
struct AtExit(Option<Box<dyn FnOnce()>>);

impl Drop for AtExit {
    fn drop(&mut self) {
        if let Some(call) = self.0.take() {
            call();
        }
    }
}

thread_local! {
    static AT_EXIT: RefCell<AtExit> = const { RefCell::new(AtExit(None)) };
}

/// Programs close and drain things in destructors of thread-local objects, when the library's own
/// are gone already. Nothing of the thread stays behind.
#[test]
fn a_thread_that_is_being_torn_down_may_call() {
    let port = new_port(1);
    let (send, receive) = channel();
    let worked_for = Arc::clone(&port);
    let thread = std::thread::spawn(move || {
        let port = worked_for;
        let last = Arc::clone(&port);
        AT_EXIT.set(AtExit(Some(Box::new(move || {
            post(&last, 1);
            post(&last, 2);
            let taken = take_key(&last, now());
            let (pipe, other) = Pipe::on(&last, 7);
            let overlapped = pipe.receive(Given::default()).unwrap();
            write(&other);
            let second = take_key(&last, now());
            let third = take_key(&last, long());
            assert_eq!(status(overlapped), 0);
            pipe.close_handle();
            let slept = wait::sleep(Deadline::after_ms(1), true);
            send.send((taken, second, third, slept)).unwrap();
        }))));
        post(&port, 0);
        assert_eq!(take_key(&port, now()), Ok(0));
        assert_eq!(wait::sleep(now(), true), Waited::TimedOut);
    });
    thread.join().unwrap();
    let told = receive.try_recv().unwrap();
    assert_eq!(told, (Ok(1), Ok(2), Ok(7), Waited::TimedOut));
    let weak = Arc::downgrade(&port);
    drop(port);
    until("the port is gone", || weak.strong_count() == 0);
}

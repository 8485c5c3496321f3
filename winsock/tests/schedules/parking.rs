//! Nobody sleeps while there is something for him: ports, events, and the lead of the reactor.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use linsock::NtStatus;
use linsock::iocp::apc::Apc;
use linsock::iocp::clock::Deadline;
use linsock::iocp::event::{Event, Semaphore, Waitable};
use linsock::iocp::guardian;
use linsock::iocp::irp::Deferred;
use linsock::iocp::port::{CompletionPort, Packet};
use linsock::iocp::thread;
use linsock::iocp::wait::{self, Waited, Which};
use linsock::socket::RecvOptions;
use shuttle::thread::spawn;

use super::harness::{Lent, discard, explore, pair, send, together};

const QUIT: usize = 0;
const STRANGE: usize = 1;
const OWN: usize = 2;

fn post(port: &Arc<CompletionPort>, key: usize) {
    let mut after = Deferred::default();
    let packet = Packet { key, overlapped: 0, status: NtStatus::SUCCESS, bytes: 0, sink: None };
    port.post(packet, &mut after);
    after.run();
}

/// Handles packets until it is told to quit; posts two of its own for each of a stranger's.
fn work(port: &Arc<CompletionPort>, handled: &AtomicUsize, left: &AtomicUsize) {
    loop {
        let mut key = QUIT;
        port.wait(1, Deadline::Never, false, |packet| key = packet.key).unwrap();
        if key == QUIT {
            left.fetch_add(1, Ordering::SeqCst);
            return;
        }
        if key == STRANGE {
            (0..2).for_each(|_| post(port, OWN));
        }
        handled.fetch_add(1, Ordering::SeqCst);
    }
}

/// Workers that come back need no guardian: every packet finds one of them. Those that leave do:
/// what a leaving worker has left behind is the guardian's.
fn every_packet_finds_a_worker(concurrency: usize) {
    let port = CompletionPort::new(concurrency).unwrap();
    let (handled, left) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut threads: Vec<Box<dyn FnOnce() + Send>> = Vec::new();
    for _ in 0..2 {
        let (port, handled, left) = (Arc::clone(&port), Arc::clone(&handled), Arc::clone(&left));
        threads.push(Box::new(move || work(&port, &handled, &left)));
    }
    let posting = Arc::clone(&port);
    threads.push(Box::new(move || (0..2).for_each(|_| post(&posting, STRANGE))));
    threads.push(Box::new(move || {
        while handled.load(Ordering::SeqCst) < 6 {
            shuttle::thread::yield_now();
        }
        (0..2).for_each(|_| post(&port, QUIT));
        while left.load(Ordering::SeqCst) < 2 {
            guardian::look();
            shuttle::thread::yield_now();
        }
    }));
    together(threads);
}

/// One packet, one worker, who may have looked already and not be asleep yet.
#[test]
fn a_packet_between_the_look_and_the_sleep() {
    explore(|| {
        let port = CompletionPort::new(1).unwrap();
        let (posting, waiting) = (Arc::clone(&port), port);
        together(vec![
            Box::new(move || post(&posting, OWN)),
            Box::new(move || {
                let taken = waiting.wait(1, Deadline::Never, false, |packet| {
                    assert_eq!(packet.key, OWN);
                });
                assert_eq!(taken, Ok(1));
            }),
        ]);
    });
}

#[test]
fn every_packet_finds_a_worker_of_one() {
    explore(|| every_packet_finds_a_worker(1));
}

#[test]
fn every_packet_finds_a_worker_of_two() {
    explore(|| every_packet_finds_a_worker(2));
}

/// Two threads that wait for ever, two units: each gets one.
#[test]
fn a_semaphore_wakes_as_many_as_it_counts() {
    explore(|| {
        let semaphore = Arc::new(Semaphore::new(0, 2).unwrap());
        let mut threads: Vec<Box<dyn FnOnce() + Send>> = Vec::new();
        for _ in 0..2 {
            let semaphore = Arc::clone(&semaphore);
            threads.push(Box::new(move || {
                let waited = wait::wait(&[&*semaphore], Which::Any, Deadline::Never, false);
                assert_eq!(waited, Waited::Object(0));
            }));
        }
        for _ in 0..2 {
            let semaphore = Arc::clone(&semaphore);
            threads.push(Box::new(move || {
                semaphore.release(1).unwrap();
            }));
        }
        together(threads);
        assert!(!semaphore.take(), "nothing is left");
    });
}

/// A wait for all takes all or nothing: two that want the same two objects, each auto-reset and
/// set twice in the end, both get them.
#[test]
fn waits_for_all_do_not_rob_each_other() {
    explore(|| {
        let events: Vec<_> = (0..2).map(|_| Arc::new(Event::new(false, true))).collect();
        let mut threads: Vec<Box<dyn FnOnce() + Send>> = Vec::new();
        for reversed in [false, true] {
            let mut events = events.clone();
            if reversed {
                events.reverse();
            }
            threads.push(Box::new(move || {
                let objects: Vec<&dyn Waitable> = events.iter().map(|e| &**e as _).collect();
                let waited = wait::wait(&objects, Which::All, Deadline::Never, false);
                assert_eq!(waited, Waited::Object(0));
                // For the other one.
                events.iter().for_each(|event| event.set());
            }));
        }
        together(threads);
        assert!(events.iter().all(|event| event.take()));
    });
}

/// QueueUserAPC against a thread that is about to sleep.
#[test]
fn an_apc_ends_a_sleep() {
    explore(|| {
        let ran = Arc::new(AtomicUsize::new(0));
        let (tell, told) = std::sync::mpsc::channel();
        let counted = Arc::clone(&ran);
        let sleeper = spawn(move || {
            tell.send(thread::current()).unwrap();
            let slept = wait::sleep(Deadline::Never, true);
            assert_eq!(slept, Waited::Alerted);
            assert_eq!(counted.load(Ordering::SeqCst), 1);
        });
        let thread = loop {
            match told.try_recv() {
                Ok(thread) => break thread,
                Err(_) => shuttle::thread::yield_now(),
            }
        };
        let counted = Arc::clone(&ran);
        let call = Apc::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        assert!(thread.queue_apc(call));
        sleeper.join().unwrap();
    });
}

/// Sockets without a port: the thread that waits for the one performs the other, and when it leaves
/// the next one leads.
#[test]
fn the_lead_of_the_reactor_is_never_lost() {
    explore(|| {
        let mut threads: Vec<Box<dyn FnOnce() + Send>> = Vec::new();
        let mut sockets = Vec::new();
        for _ in 0..2 {
            let (client, server) = pair();
            sockets.extend([Arc::clone(&client), Arc::clone(&server)]);
            threads.push(Box::new(move || {
                let lent = Lent::new();
                server.recv(lent.irp(4), RecvOptions::default()).unwrap();
                let waited = wait::wait(&[&*lent.event], Which::Any, Deadline::Never, false);
                assert_eq!(waited, Waited::Object(0));
                assert_eq!(lent.result(), (NtStatus::SUCCESS, 4));
            }));
            threads.push(Box::new(move || send(&client, b"data")));
        }
        together(threads);
        sockets.iter().for_each(|socket| discard(socket));
    });
}

//! The guardian wakes for what nobody else looks at, and costs nothing otherwise. Alone in its
//! process: the calls of any other test would wake it too.

#[path = "harness/asleep.rs"]
mod asleep;
#[allow(dead_code, reason = "shared with the tests of ports")]
#[path = "harness/pipe.rs"]
mod pipe;

use std::fs;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use asleep::{LONG, spawn};
use linsock_iocp::clock::Deadline;
use linsock_iocp::event::Event;
use linsock_iocp::port::{CompletionPort, NoPacket};
use linsock_iocp::wait::{self, Waited, Which};
use pipe::{Given, PENDING, Pipe, status, take, until_the_guardian_has_looked, write};

/// The guardian's directory in proc(5), which has room for 15 characters of its name.
fn guardian() -> PathBuf {
    let tasks = fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    let is_it = |task: &PathBuf| {
        fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim() == "linsock-guardia")
    };
    tasks.into_iter().find(is_it).expect("the guardian runs")
}

/// Whether it sleeps, and how often it was switched from.
fn activity() -> (bool, Vec<String>) {
    let status = fs::read_to_string(guardian().join("status")).unwrap();
    let switches = status.lines().filter(|line| line.contains("ctxt_switches")).map(str::to_owned);
    (status.contains("(sleeping)"), switches.collect())
}

/// Returns once the guardian has slept through four of its longest ticks.
fn until_the_guardian_sleeps(why: &str) {
    until_the_guardian_has_looked();
    let since = Instant::now();
    loop {
        let before = activity();
        std::thread::sleep(Duration::from_millis(80));
        if before.0 && before == activity() {
            return;
        }
        assert!(since.elapsed() < LONG, "{why}");
    }
}

/// Returns once the guardian has slept four times more, which it only does between its looks.
fn until_the_guardian_has_napped() {
    let since = Instant::now();
    for _ in 0..4 {
        let before = activity();
        while activity().1 == before.1 {
            assert!(since.elapsed() < LONG, "the guardian goes on looking");
            std::thread::yield_now();
        }
    }
}

/// When the octet comes that nobody waits for.
#[derive(Clone, Copy)]
enum Comes {
    AtOnce,
    /// When the guardian has looked in vain.
    Later,
    /// When it does not look any more: what only waits costs nothing.
    MuchLater,
}

/// Receives, nobody waiting.
fn is_performed(pipe: &Pipe, other: &OwnedFd, comes: Comes) {
    let overlapped = pipe.receive(Given::default()).unwrap();
    match comes {
        Comes::AtOnce => {}
        Comes::Later => until_the_guardian_has_napped(),
        Comes::MuchLater => until_the_guardian_sleeps("nothing is ready"),
    }
    write(other);
    let since = Instant::now();
    while status(overlapped) == PENDING {
        assert!(since.elapsed() < LONG, "the guardian was called");
        std::thread::yield_now();
    }
}

#[test]
fn the_guardian_wakes_for_what_nobody_attends_and_sleeps_otherwise() {
    until_the_guardian_sleeps("nothing to do");
    let port = &CompletionPort::new(1).unwrap();
    let pipes = [Pipe::on(port, 7), Pipe::new()];
    for (pipe, other) in &pipes {
        for comes in [Comes::AtOnce, Comes::Later, Comes::MuchLater] {
            is_performed(pipe, other, comes);
        }
        pipe.receive(Given::default()).unwrap();
    }
    assert_eq!(port.wait(4, Deadline::Never, false, |_| {}), Ok(3));
    let over = &Event::new(true, false);
    std::thread::scope(|scope| {
        let worker = spawn(scope, |begin| {
            begin.sleeping();
            take(port, Deadline::Never).map(|packet| packet.key)
        });
        let leader = spawn(scope, |begin| {
            begin.sleeping();
            wait::wait(&[over], Which::Any, Deadline::Never, false)
        });
        worker.until_asleep();
        leader.until_asleep();
        until_the_guardian_sleeps("one sleeps in the port, one leads");
        port.close();
        assert_eq!(worker.join(), Err(NoPacket::Closed));
        over.set();
        assert_eq!(leader.join(), Waited::Object(0));
    });
    pipes.iter().for_each(|(pipe, _)| pipe.close_handle());
    a_port_that_is_closed_is_let_go();
}

/// Also while the guardian waits for what is pending there.
fn a_port_that_is_closed_is_let_go() {
    let port = CompletionPort::new(1).unwrap();
    let (pipe, _other) = Pipe::on(&port, 1);
    pipe.receive(Given::default()).unwrap();
    until_the_guardian_sleeps("nothing is ready");
    pipe.close_handle();
    drop(pipe);
    port.close();
    let since = Instant::now();
    while Arc::strong_count(&port) > 1 {
        assert!(since.elapsed() < LONG, "the guardian keeps it");
        std::thread::yield_now();
    }
}

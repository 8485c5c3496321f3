//! The clock's thread sleeps until the next time of all and is told of an earlier one. Alone in its
//! process: the timers of any other test would wake it too.

use std::fs;
use std::time::{Duration, Instant};

use linsock_iocp::clock::Deadline;
use linsock_iocp::timer::Timer;
use linsock_iocp::wait::{Waited, Which, wait};

const HOUR: Duration = Duration::from_secs(3600);
const LIMIT: Duration = Duration::from_secs(10);

/// Whether the clock's thread runs and sleeps.
fn clock_sleeps() -> bool {
    let tasks = fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    let read = |task: &std::path::Path, what| fs::read_to_string(task.join(what));
    tasks.into_iter().any(|task| {
        read(&task, "comm").is_ok_and(|name| name.trim() == "linsock-alarm")
            && read(&task, "status").is_ok_and(|status| status.contains("(sleeping)"))
    })
}

fn after(delay: Duration) -> Option<Instant> {
    Instant::now().checked_add(delay)
}

#[test]
fn an_earlier_time_wakes_the_clock() {
    let (late, early) = (Timer::new(true), Timer::new(false));
    late.set(after(HOUR), Duration::ZERO, None).unwrap();
    for round in 0..20 {
        let begun = Instant::now();
        while !clock_sleeps() {
            assert!(begun.elapsed() < LIMIT, "it waits for nothing that is near");
            std::thread::yield_now();
        }
        early.set(after(Duration::from_millis(2)), Duration::ZERO, None).unwrap();
        let waited = wait(&[&early], Which::Any, Deadline::after(LIMIT), false);
        assert_eq!(waited, Waited::Object(0), "round {round}");
    }
    assert_eq!(wait(&[&late], Which::Any, Deadline::after_ms(0), false), Waited::TimedOut);
}

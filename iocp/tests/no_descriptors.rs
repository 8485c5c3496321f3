//! Waiting while the process has no descriptor left. A process of its own: the limit is everyone's.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use linsock_iocp::apc::Apc;
use linsock_iocp::clock::Deadline;
use linsock_iocp::event::Event;
use linsock_iocp::thread::Thread;
use linsock_iocp::wait::{self, Waited, Which};
use rustix::event::{EventfdFlags, eventfd};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Takes every descriptor that the process may still have.
fn exhaust() -> Vec<OwnedFd> {
    let limits = Rlimit { current: Some(64), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, limits).unwrap();
    std::iter::from_fn(|| eventfd(0, EventfdFlags::CLOEXEC).ok()).collect()
}

/// A thread that was started while there were descriptors.
struct Waiter {
    thread: Arc<Thread>,
    stat: File,
    begin: Sender<()>,
    begun: Receiver<()>,
    handle: JoinHandle<Waited>,
}

impl Waiter {
    fn new(wait: impl FnOnce() -> Waited + Send + 'static) -> Self {
        let ((begin, may_begin), (has_begun, begun)) = (channel(), channel());
        let (tell, told) = channel();
        let handle = thread::spawn(move || {
            let tid = rustix::thread::gettid().as_raw_nonzero();
            tell.send((linsock_iocp::thread::current(), tid)).unwrap();
            may_begin.recv().unwrap();
            has_begun.send(()).unwrap();
            wait()
        });
        let (thread, tid) = told.recv().unwrap();
        let stat = File::open(format!("/proc/self/task/{tid}/stat")).unwrap();
        Self { thread, stat, begin, begun, handle }
    }

    /// Lets it wait, wakes it when it sleeps, and gives how its wait ended.
    fn woken(self, wake: impl FnOnce(&Thread)) -> Waited {
        self.begin.send(()).unwrap();
        self.begun.recv().unwrap();
        while !self.is_asleep() {
            thread::yield_now();
        }
        wake(&self.thread);
        self.handle.join().unwrap()
    }

    /// proc_pid_stat(5): the state is the first field after the name, S is asleep.
    fn is_asleep(&self) -> bool {
        let mut text = [0; 512];
        let len = self.stat.read_at(&mut text, 0).unwrap();
        let text = String::from_utf8_lossy(&text[..len]);
        text.rsplit(')').next().unwrap().trim_start().starts_with('S')
    }
}

/// Our choice: Windows' waits need no handle of their own, so ours do not fail for want of a
/// descriptor.
#[test]
fn a_thread_waits_without_a_descriptor_of_its_own() {
    let event = Arc::new(Event::new(true, false));
    let waited = Arc::clone(&event);
    let for_event =
        Waiter::new(move || wait::wait(&[&*waited], Which::Any, Deadline::Never, false));
    let for_apc = Waiter::new(|| wait::sleep(Deadline::Never, true));
    let for_time = Waiter::new(|| wait::sleep(Deadline::after(Duration::from_millis(30)), true));
    let there_is_room = Arc::new(Barrier::new(2));
    let (barrier, waited) = (Arc::clone(&there_is_room), Arc::clone(&event));
    let twice = Waiter::new(move || {
        wait::sleep(Deadline::after(Duration::from_millis(1)), true);
        barrier.wait();
        wait::wait(&[&*waited], Which::Any, Deadline::Never, false)
    });

    let held = exhaust();
    assert!(!held.is_empty());
    assert_eq!(for_event.woken(|_| event.set()), Waited::Object(0));
    let queue = |thread: &Thread| assert!(thread.queue_apc(Apc::new(|| {})));
    assert_eq!(for_apc.woken(queue), Waited::Alerted);
    assert_eq!(for_time.woken(|_| {}), Waited::TimedOut);

    event.reset();
    let wake = |_: &Thread| {
        drop(held);
        there_is_room.wait();
        event.set();
    };
    assert_eq!(twice.woken(wake), Waited::Object(0), "it gets its own when there is one again");
}

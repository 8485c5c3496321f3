//! Two threads that use one handle at the same time, as the input says. Whoever comes first: what
//! was accepted ends once, what was refused is told to nobody, neither thread gets stuck, and no
//! descriptor is left behind.
//!
//! An input does not say how the two interleave. What is found here has to be true of every way.

#[path = "c_two_threads/calls.rs"]
mod calls;

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Barrier, Mutex, Once, PoisonError};
use std::thread;
use std::time::Duration;

use crate::c::operations::Operations;
use crate::c::script::Script;
use crate::c::sockets::{self, Flavour, call};
use calls::Worker;
use linsock_c::abi::{HANDLE, INVALID_HANDLE_VALUE, SOCKET};
use linsock_c::kernel32::io::{CreateIoCompletionPort, SetFileCompletionNotificationModes};
use linsock_c::kernel32::object::{CloseHandle, WSACreateEvent};
use linsock_c::winsock2::connection::closesocket;

/// Calls of one thread.
const STEPS_MAX: usize = 40;
/// Longer than both threads take.
const STUCK: Duration = Duration::from_secs(15);
/// Sockets that the threads make.
const EXTRA_MAX: usize = 16;

pub(crate) fn check(octets: &[u8]) {
    sockets::startup();
    warm_up();
    let before = descriptors();
    run_apart(octets);
    // A thread of the library's may be about to close one.
    let left = sockets::eventually(|| (descriptors() <= before).then_some(()));
    assert!(left.is_some(), "{} descriptors, {before} before", descriptors());
    sockets::remove_paths();
}

/// On a thread of its own, because each thread that waits has a descriptor to be woken by, which
/// goes with it.
fn run_apart(octets: &[u8]) {
    let ended = thread::scope(|scope| scope.spawn(|| run(octets)).join());
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}

/// What the library makes once and keeps is there, before descriptors are counted.
fn warm_up() {
    static WARM: Once = Once::new();
    WARM.call_once(|| {
        for kind in 0..8 {
            run_apart(&[kind, 0, 4, 0x00, 0x10, 0x03, 0x0B, 0x00, 0x02, 0x08]);
            run_apart(&[kind, 0xFF, 4, 0x00, 0x10, 0x13, 0x0B, 0x00, 0x02, 0x08]);
        }
    });
}

/// Sockets and what waits for them.
fn descriptors() -> usize {
    let ours = |target: &str| target.starts_with("socket:") || target.contains("event");
    let entries = std::fs::read_dir("/proc/self/fd").expect("the list of descriptors");
    let links = entries.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    links.filter(|target| target.to_str().is_some_and(ours)).count()
}

/// What both threads have.
struct Stage {
    flavour: Flavour,
    /// The handle that both use.
    handle: SOCKET,
    /// The other end of its connection, if it has one; both may use it too.
    peer: SOCKET,
    listener: SOCKET,
    /// Where it listens.
    at: Vec<u8>,
    event: HANDLE,
    /// 0 for none.
    port: HANDLE,
    /// FILE_SKIP_COMPLETION_PORT_ON_SUCCESS.
    skips_port: bool,
    /// What the threads have made.
    extra: Mutex<Vec<SOCKET>>,
}

impl Stage {
    fn begin(kind: u8, modes: u8) -> Option<Self> {
        let flavour = match kind % 8 {
            4 => Flavour::Udp,
            5 => Flavour::Unix,
            6 => Flavour::Iso,
            _ => Flavour::Tcp,
        };
        let (listener, at) = match flavour {
            Flavour::Udp => (0, Vec::new()),
            _ => sockets::listener(flavour)?,
        };
        let (handle, peer) = match kind % 8 {
            // One that is to connect or to accept.
            2 => (sockets::open(flavour)?, 0),
            3 => (listener, 0),
            4 => sockets::datagram_pair(flavour)?.into(),
            // The one that was accepted.
            7 => {
                let [client, server] = sockets::connection(flavour, listener, &at)?;
                (server, client)
            }
            _ => sockets::connection(flavour, listener, &at)?.into(),
        };
        let (event, port, skips_port) = (call!(WSACreateEvent()), 0, false);
        let extra = Mutex::default();
        let mut stage =
            Self { flavour, handle, peer, listener, at, event, port, skips_port, extra };
        stage.set_modes(modes);
        Some(stage)
    }

    fn set_modes(&mut self, modes: u8) {
        if modes & 1 != 0 {
            self.port = call!(CreateIoCompletionPort(INVALID_HANDLE_VALUE, 0, 0, 0));
            call!(CreateIoCompletionPort(self.handle, self.port, 1, 0));
            // The same handle, or none at all: then it is refused.
            call!(CreateIoCompletionPort(self.listener, self.port, 2, 0));
            self.skips_port = modes & 2 != 0;
            call!(SetFileCompletionNotificationModes(self.handle, u8::from(self.skips_port)));
        }
        if modes & 4 != 0 {
            // Sends wait soon.
            sockets::shrink(self.handle);
            sockets::shrink(self.peer);
        }
        if modes & 8 != 0 {
            sockets::set_linger(self.handle, true);
        }
    }

    fn extra(&self) -> std::sync::MutexGuard<'_, Vec<SOCKET>> {
        self.extra.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes what is still open.
    fn end(&self) {
        let extra = std::mem::take(&mut *self.extra());
        for s in [self.handle, self.peer, self.listener].into_iter().chain(extra) {
            sockets::set_linger(s, true);
            call!(closesocket(s));
        }
    }
}

fn run(octets: &[u8]) {
    let mut script = Script::new(octets);
    let (kind, modes) = (script.octet(), script.octet());
    // There may be no such sockets here.
    let Some(stage) = Stage::begin(kind, modes) else { return };
    let stage = Arc::new(stage);
    let first = script.octets().to_vec();
    let second: Vec<u8> = std::iter::from_fn(|| script.next()).collect();
    let workers = run_both(&stage, [first, second]);
    stage.end();
    let mut operations = Operations::default();
    let mut memory = Vec::new();
    for worker in workers {
        operations.absorb(worker.operations);
        memory.push(worker.memory);
    }
    let port = Some(stage.port).filter(|port| *port != 0);
    operations.hold_at_the_end(port.as_slice());
    for handle in port.into_iter().chain([stage.event]) {
        assert_eq!(call!(CloseHandle(handle)), 1);
    }
}

/// Runs both scripts at the same time, and gives what is left.
fn run_both(stage: &Arc<Stage>, scripts: [Vec<u8>; 2]) -> Vec<Worker> {
    let start = Arc::new(Barrier::new(2));
    let (ended, ends) = mpsc::channel();
    for script in scripts {
        let (stage, start, ended) = (Arc::clone(stage), Arc::clone(&start), ended.clone());
        let work = move || {
            let mut worker = Worker::new(stage);
            start.wait();
            worker.work(&script[..script.len().min(STEPS_MAX)]);
            // Whoever looks after a run that has failed already does not care.
            let _ = ended.send(worker);
        };
        thread::spawn(work);
    }
    drop(ended);
    let next = || match ends.recv_timeout(STUCK) {
        Ok(worker) => worker,
        Err(RecvTimeoutError::Timeout) => panic!("a thread is stuck"),
        Err(RecvTimeoutError::Disconnected) => panic!("a thread has failed"),
    };
    vec![next(), next()]
}

//! Who waits for the ends of processes: one thread for all that have descriptors; for a child that
//! has only a number, or whose end a debugger keeps to itself for now, one of its own.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, OnceLock};

use linsock::iocp::servant;
use linsock::iocp::sync::Lock;
use rustix::event::epoll;
use rustix::io::Errno;

use super::hold::Hold;
use super::{Process, State};
use crate::export::Outcome;
use crate::last_error::Error;

/// The processes whose ends are waited for, in the order in which that began.
struct List {
    last: u64,
    processes: BTreeMap<u64, Arc<Process>>,
}

static LIST: Lock<List> = Lock::new(List { last: 0, processes: BTreeMap::new() });

impl List {
    fn add(&mut self, process: &Arc<Process>) -> u64 {
        self.last += 1;
        self.processes.insert(self.last, Arc::clone(process));
        self.last
    }
}

fn no_thread(_: std::io::Error) -> Error {
    Error::ERROR_NOT_ENOUGH_MEMORY
}

fn new_thread() -> std::thread::Builder {
    std::thread::Builder::new().name("linsock-process".into())
}

/// From now on somebody waits for its end, and collects that of a child.
pub(super) fn watch(process: &Arc<Process>) -> Outcome<()> {
    match &process.hold {
        Hold::Descriptor(fd) => watch_all_with(process, fd),
        Hold::Number(_) => watch_alone(process),
    }
}

/// The process of this number that is waited for and has not ended.
pub(super) fn find(id: u32) -> Option<Arc<Process>> {
    let list = LIST.lock();
    let same = list.processes.values().filter(|process| process.id() == id);
    let found: Vec<_> = same.map(Arc::clone).collect();
    drop(list);
    found.into_iter().find(|process| matches!(process.look(), State::Running { .. }))
}

fn watch_alone(process: &Arc<Process>) -> Outcome<()> {
    let number = LIST.lock().add(process);
    let waited_for = Arc::clone(process);
    let wait = move || {
        waited_for.hold.wait();
        LIST.lock().processes.remove(&number);
        waited_for.look();
    };
    let started = new_thread().spawn(wait).map(drop).map_err(no_thread);
    started.inspect_err(|_| drop(LIST.lock().processes.remove(&number)))
}

fn watch_all_with(process: &Arc<Process>, fd: &OwnedFd) -> Outcome<()> {
    let epoll = watcher()?;
    // The thread looks for it when this is done.
    let mut list = LIST.lock();
    let number = list.add(process);
    let data = epoll::EventData::new_u64(number);
    let added = epoll::add(epoll, fd, data, epoll::EventFlags::IN);
    if added.is_err() {
        list.processes.remove(&number);
    }
    added.map_err(|_| Error::ERROR_NOT_ENOUGH_MEMORY)
}

/// What the thread waits with, once it has been started.
fn watcher() -> Outcome<&'static OwnedFd> {
    static EPOLL: OnceLock<OwnedFd> = OnceLock::new();
    static IS_STARTED: Lock<bool> = Lock::new(false);
    let mut is_started = IS_STARTED.lock();
    if EPOLL.get().is_none() {
        let made = epoll::create(epoll::CreateFlags::CLOEXEC);
        let _ = EPOLL.set(made.map_err(|_| Error::ERROR_TOO_MANY_OPEN_FILES)?);
    }
    let epoll = EPOLL.get().ok_or(Error::ERROR_NOT_ENOUGH_MEMORY)?;
    if !*is_started {
        servant::spawn("linsock-process", None, || run(epoll)).map_err(no_thread)?;
        *is_started = true;
    }
    Ok(epoll)
}

fn run(epoll: &OwnedFd) {
    let mut events = Vec::with_capacity(16);
    loop {
        events.clear();
        let told = epoll::wait(epoll, rustix::buffer::spare_capacity(&mut events), None);
        if told.is_err_and(|errno| errno != Errno::INTR) {
            return;
        }
        for event in &events {
            let number = event.data.u64();
            let ended = LIST.lock().processes.remove(&number);
            if let Some(process) = ended {
                if let Hold::Descriptor(fd) = &process.hold {
                    let _ = epoll::delete(epoll, fd);
                }
                if let State::Running { .. } = process.look() {
                    wait_for_debugger(process);
                }
            }
        }
    }
}

/// A process that is traced has ended for its tracer first, which may take its time; nothing but a
/// wait for the child tells when it has ended for us.
fn wait_for_debugger(process: Arc<Process>) {
    let wait = Arc::clone(&process);
    let wait = move || {
        wait.hold.wait();
        wait.look();
    };
    if new_thread().spawn(wait).is_err() {
        process.hold.wait();
        process.look();
    }
}

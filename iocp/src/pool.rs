//! A pool of threads that make the program's callbacks.
//!
//! The threads wait at a completion port of the pool's own: a job is a packet that is posted there,
//! and a file that is bound to the pool is associated with that port, so that its completions need
//! nothing else. While a callback runs another thread stays at the port, which is started if it has
//! to be: what is queued never waits for a callback that blocks, and bound descriptors are always
//! watched, until the pool has as many threads as it may. Threads that were not needed for a while
//! leave; one that has issued I/O which its exit would cancel stays, as on Windows.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use linsock_afd::NtStatus;

use crate::clock::Deadline;
use crate::file::{AlreadyAssociated, File};
use crate::irp::Deferred;
use crate::port::{self, CompletionPort, NoPacket, Packet, Told};
use crate::sync::Lock;
use crate::thread;

mod tally;

pub use tally::{Notice, Tally};

/// Something to do once, on one of the threads.
pub type Job = Box<dyn FnOnce() + Send>;

/// Who is told of the completions of the files that are bound to it.
pub trait Binding: Send + Sync {
    /// An operation is over. Called on a thread of the pool, with no lock held.
    fn completed(self: Arc<Self>, told: Told);
}

/// Which of the jobs that wait are done first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Priority {
    /// Before all others.
    High,
    /// As nearly all are.
    #[default]
    Normal,
    /// After all others.
    Low,
}

/// What files are bound to: the key of their association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(usize);

/// The key of packets that stand for a job.
const JOB: usize = 0;
/// As many threads as a pool of Windows has unless it is told otherwise.
pub const MOST_THREADS: usize = 500;
/// How long a thread that is not needed stays.
const LINGER: Duration = Duration::from_secs(10);
/// The port wakes a thread for each packet: the pool itself counts its threads.
const NO_LIMIT: usize = usize::MAX;

/// A pool. Its threads leave when it is dropped.
pub struct Pool(Arc<Inner>);

struct Inner {
    port: Arc<CompletionPort>,
    crew: Lock<Crew>,
    work: Lock<Work>,
    linger: Duration,
}

/// The pool's threads.
#[derive(Debug)]
struct Crew {
    threads: usize,
    /// Those that run nothing, with those that are just starting.
    idle: usize,
    minimum: usize,
    maximum: usize,
    /// Octets of a thread's stack.
    stack: usize,
}

#[derive(Default)]
struct Work {
    /// By priority. For each job there is one packet, whichever thread takes it.
    jobs: [VecDeque<Job>; 3],
    bindings: HashMap<usize, Arc<dyn Binding>>,
    /// The last key that was given out; none is given out twice.
    last_key: usize,
}

impl Pool {
    /// Octets of a thread's stack unless somebody asks for others.
    pub const USUAL_STACK: usize = 2 << 20;

    /// A pool without a thread yet.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        Self::with_linger(LINGER)
    }

    fn with_linger(linger: Duration) -> io::Result<Self> {
        let (maximum, stack) = (MOST_THREADS, Self::USUAL_STACK);
        let crew = Crew { threads: 0, idle: 0, minimum: 0, maximum, stack };
        Ok(Self(Arc::new(Inner {
            port: CompletionPort::new(NO_LIMIT)?,
            crew: Lock::new(crew),
            work: Lock::default(),
            linger,
        })))
    }

    /// Makes sure that there is a thread: then no job is refused any more. For whoever could not
    /// tell anybody that one was.
    ///
    /// # Errors
    /// When there is none and none can be started.
    pub fn prepare(&self) -> io::Result<()> {
        self.0.staff()
    }

    /// Has a thread do the job.
    ///
    /// # Errors
    /// When there is no thread and none can be started; then nothing is done.
    pub fn submit(&self, job: Job, priority: Priority) -> io::Result<()> {
        self.0.staff()?;
        self.0.work.lock().jobs[priority as usize].push_back(job);
        let packet =
            Packet { key: JOB, overlapped: 0, status: NtStatus::SUCCESS, bytes: 0, sink: None };
        let mut after = Deferred::default();
        self.0.port.post(packet, &mut after);
        after.run();
        Ok(())
    }

    /// Gives a key to bind files to.
    pub fn bind(&self, binding: Arc<dyn Binding>) -> Key {
        let mut work = self.0.work.lock();
        work.last_key += 1;
        let key = work.last_key;
        work.bindings.insert(key, binding);
        Key(key)
    }

    /// Binds a file, for good.
    ///
    /// # Errors
    /// [`BindError`].
    pub fn associate(&self, file: &dyn File, key: Key) -> Result<(), BindError> {
        self.0.staff().map_err(|_| BindError::NoThread)?;
        file.associate(&self.0.port, key.0).map_err(|AlreadyAssociated| BindError::Already)
    }

    /// Nobody is told any more of what the files with this key complete.
    pub fn unbind(&self, key: Key) {
        let gone = self.0.work.lock().bindings.remove(&key.0);
        drop(gone);
    }

    /// Sets how many threads there may be; none is stopped for that.
    pub fn set_maximum(&self, maximum: usize) {
        let mut crew = self.0.crew.lock();
        crew.maximum = maximum.max(1);
        crew.minimum = crew.minimum.min(crew.maximum);
        if crew.threads > 0 && crew.idle == 0 {
            // What waits may have waited for this. Without a thread it goes on as it did.
            let _ = self.0.grow(&mut crew);
        }
    }

    /// Sets how many threads there are always, and starts them. The maximum follows if it has to.
    ///
    /// # Errors
    /// When not all can be started, and for more than [`MOST_THREADS`] that the maximum does not
    /// allow: nobody means to have as many threads as the system can bear.
    pub fn set_minimum(&self, minimum: usize) -> io::Result<()> {
        let mut crew = self.0.crew.lock();
        if minimum > crew.maximum.max(MOST_THREADS) {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        crew.maximum = crew.maximum.max(minimum);
        while crew.threads < minimum {
            self.0.hire(&mut crew)?;
        }
        crew.minimum = minimum;
        Ok(())
    }

    /// Sets how large the stack of each thread is that begins later.
    pub fn set_stack(&self, octets: usize) {
        self.0.crew.lock().stack = octets;
    }

    /// See [`set_stack`](Self::set_stack).
    pub fn stack(&self) -> usize {
        self.0.crew.lock().stack
    }

    /// Whether a job that is submitted now would find a thread, if the running ones never end.
    pub fn has_room(&self) -> bool {
        let crew = self.0.crew.lock();
        crew.idle > 0 || crew.threads < crew.maximum
    }
}

/// Why a file was not bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindError {
    /// It is associated with a port already.
    Already,
    /// No thread can be started.
    NoThread,
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.0.port.close();
    }
}

impl Inner {
    /// Makes sure that there is a thread, and a spare one if that is possible.
    fn staff(self: &Arc<Self>) -> io::Result<()> {
        let mut crew = self.crew.lock();
        if crew.idle > 0 {
            return Ok(());
        }
        let grown = self.grow(&mut crew);
        if crew.threads > 0 { Ok(()) } else { grown }
    }

    fn grow(self: &Arc<Self>, crew: &mut Crew) -> io::Result<()> {
        if crew.threads < crew.maximum { self.hire(crew) } else { Ok(()) }
    }

    fn hire(self: &Arc<Self>, crew: &mut Crew) -> io::Result<()> {
        let inner = Arc::clone(self);
        let builder = std::thread::Builder::new().name("linsock-pool".into());
        let builder = builder.stack_size(crew.stack);
        builder.spawn(move || inner.run())?;
        crew.threads += 1;
        crew.idle += 1;
        Ok(())
    }

    /// A thread of the pool.
    fn run(self: Arc<Self>) {
        loop {
            match self.port.wait_one(Deadline::after(self.linger)) {
                Ok(packet) => {
                    self.begin();
                    // A panic must not take the thread along: the crew counts on it.
                    let perform = std::panic::AssertUnwindSafe(|| self.perform(packet));
                    let _ = std::panic::catch_unwind(perform);
                    self.crew.lock().idle += 1;
                }
                Err(NoPacket::TimedOut) => {
                    if self.may_leave() {
                        return;
                    }
                }
                Err(NoPacket::Alerted) => {}
                Err(NoPacket::Closed) => return,
            }
        }
    }

    /// The calling thread is about to run a callback: another takes its place.
    fn begin(self: &Arc<Self>) {
        let mut crew = self.crew.lock();
        crew.idle -= 1;
        if crew.idle == 0 {
            // Without one, what comes waits for this thread or the guardian.
            let _ = self.grow(&mut crew);
        }
        drop(crew);
        // Nobody knows how long the callback takes, and so this thread does not count as awake.
        port::step_aside();
    }

    fn perform(&self, packet: Packet) {
        let told = packet.told();
        match packet.sink {
            Some(sink) => sink.run(),
            None if told.key == JOB => self.do_one(),
            None => {
                let binding = self.work.lock().bindings.get(&told.key).cloned();
                if let Some(binding) = binding {
                    binding.completed(told);
                }
            }
        }
    }

    fn do_one(&self) {
        let job = self.work.lock().jobs.iter_mut().find_map(VecDeque::pop_front);
        if let Some(job) = job {
            job();
        }
    }

    fn may_leave(&self) -> bool {
        if thread::has_io() {
            return false;
        }
        let mut crew = self.crew.lock();
        // The last one that is idle watches the port.
        let leaves = crew.idle > 1 && crew.threads > crew.minimum;
        if leaves {
            crew.threads -= 1;
            crew.idle -= 1;
        }
        leaves
    }
}

#[cfg(test)]
mod tests;

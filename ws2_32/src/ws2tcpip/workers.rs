//! Threads of the library's on which questions to the resolver are asked and completion routines
//! called.
//!
//! A thread that has nothing to do waits for the next job and does not end: what a program's
//! routine has begun on it, the end of the thread would cancel. There are as many as were ever busy
//! at once, because a job may block for as long as the resolver likes, or for ever in a routine.

use std::collections::VecDeque;

use linsock::iocp::sync::{Condition, Lock};

use crate::last_error::Error;

pub(super) type Job = Box<dyn FnOnce() + Send>;

struct Workers {
    jobs: VecDeque<Job>,
    /// Threads that wait for a job.
    idle: usize,
}

static WORKERS: Lock<Workers> = Lock::new(Workers { jobs: VecDeque::new(), idle: 0 });
static MORE: Condition = Condition::new();

/// Has a thread do the job.
///
/// # Errors
/// The job, if there is no thread for it.
pub(super) fn hand_over(job: impl FnOnce() + Send + 'static) -> Result<(), Job> {
    let job: Job = Box::new(job);
    let mut workers = WORKERS.lock();
    if workers.idle <= workers.jobs.len() {
        let builder = std::thread::Builder::new().name("linsock-names".into());
        if builder.spawn(work).is_err() {
            return Err(job);
        }
    }
    workers.jobs.push_back(job);
    drop(workers);
    MORE.tell_all();
    Ok(())
}

/// What the program is told then.
pub(super) fn no_thread(_job: Job) -> Error {
    Error::ERROR_NOT_ENOUGH_MEMORY
}

fn work() {
    let mut workers = WORKERS.lock();
    loop {
        if let Some(job) = workers.jobs.pop_front() {
            drop(workers);
            job();
            workers = WORKERS.lock();
        } else {
            workers.idle += 1;
            MORE.wait(&mut workers);
            workers.idle -= 1;
        }
    }
}

//! Asynchronous procedure calls: code that runs on a thread of the program, inside its next
//! alertable wait.

use std::collections::VecDeque;
use std::fmt;

/// One queued call.
pub struct Apc(Box<dyn FnOnce() -> bool + Send>);

impl Apc {
    /// Wraps a call.
    pub fn new(call: impl FnOnce() + Send + 'static) -> Self {
        Self::revocable(|| {
            call();
            true
        })
    }

    /// Wraps a call that may have been taken back when its time comes, which it tells by false.
    pub fn revocable(call: impl FnOnce() -> bool + Send + 'static) -> Self {
        Self(Box::new(call))
    }

    /// Makes the call; false if it was taken back. The caller holds no lock: this is the program's
    /// own code.
    pub fn run(self) -> bool {
        (self.0)()
    }
}

impl fmt::Debug for Apc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Apc")
    }
}

/// The calls queued to one thread, oldest first.
#[derive(Debug, Default)]
pub struct ApcQueue(VecDeque<Apc>);

impl ApcQueue {
    /// Adds a call.
    pub fn push(&mut self, apc: Apc) {
        self.0.push_back(apc);
    }

    /// Takes the oldest call.
    pub fn pop(&mut self) -> Option<Apc> {
        self.0.pop_front()
    }

    /// True when no call waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

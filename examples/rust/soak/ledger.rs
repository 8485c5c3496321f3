//! The books: every operation, every promised octet, and what the process holds.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Waker;

use linsock::NtStatus;
use linsock::iocp::buffer::Buffers;
use linsock::iocp::clock::Deadline;
use linsock::iocp::event::{Event, Waitable};
use linsock::iocp::handle;
use linsock::iocp::irp::{Done, Irp, Sink, Target};
use linsock::iocp::wait::{self, Which};
use linsock::time_wait;

use super::counting;

/// A sum over the octets of a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) octets: u64,
    hash: u64,
}

impl Sum {
    pub(crate) fn add(&mut self, data: &[u8]) {
        self.octets += data.len() as u64;
        for octet in data {
            self.hash = (self.hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    started: AtomicU64,
    ended: AtomicU64,
    twice: AtomicU64,
    connections: AtomicU64,
    /// By connection: what a graceful end has promised, and what the server got.
    promised: Mutex<HashMap<u64, Sum>>,
    arrived: Mutex<HashMap<u64, Sum>>,
    counts: Mutex<BTreeMap<String, u64>>,
    troubles: Mutex<Vec<String>>,
}

impl Ledger {
    pub(crate) fn count(&self, what: &str) {
        *self.counts.lock().unwrap().entry(what.into()).or_default() += 1;
    }

    pub(crate) fn connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn promise(&self, connection: u64, sum: Sum) {
        self.promised.lock().unwrap().insert(connection, sum);
    }

    pub(crate) fn arrive(&self, connection: u64, sum: Sum) {
        self.arrived.lock().unwrap().insert(connection, sum);
    }

    /// Something that must not happen; the run fails.
    pub(crate) fn trouble(&self, what: String) {
        let mut troubles = self.troubles.lock().unwrap();
        if troubles.len() < 20 {
            eprintln!("soak: {what}");
        }
        troubles.push(what);
    }

    pub(crate) fn open_operations(&self) -> u64 {
        self.started.load(Ordering::SeqCst) - self.ended.load(Ordering::SeqCst)
    }

    /// Connections whose promise was not kept, so far.
    pub(crate) fn missing(&self) -> Vec<(u64, Sum, Option<Sum>)> {
        let (promised, arrived) = (self.promised.lock().unwrap(), self.arrived.lock().unwrap());
        let got = |connection: &u64| arrived.get(connection).copied();
        let missing = promised.iter().filter(|(connection, sum)| got(connection) != Some(**sum));
        missing.map(|(connection, sum)| (*connection, *sum, got(connection))).collect()
    }

    /// Prints the counts; gives what failed: operations not ended once, promises, troubles.
    pub(crate) fn close(&self) -> u64 {
        for (what, count) in &*self.counts.lock().unwrap() {
            println!("  {count:>9}  {what}");
        }
        let promised: u64 = self.promised.lock().unwrap().values().map(|sum| sum.octets).sum();
        let missing = self.missing();
        for (connection, sum, got) in missing.iter().take(5) {
            eprintln!("soak: connection {connection}: promised {sum:?}, arrived {got:?}");
        }
        let (open, twice) = (self.open_operations(), self.twice.load(Ordering::SeqCst));
        println!("  {promised:>9}  octets promised by graceful ends");
        println!("  {open:>9}  operations that did not end, {twice} that ended twice");
        let troubles = self.troubles.lock().unwrap().len();
        open + twice + missing.len() as u64 + troubles as u64
    }

    pub(crate) fn operations(&self) -> u64 {
        self.started.load(Ordering::SeqCst)
    }

    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }
}

/// One operation: counted when it starts and when it ends.
#[derive(Debug)]
pub(crate) struct Op {
    ledger: Arc<Ledger>,
    /// For the server: what it was, and on which of its connections.
    pub(crate) step: Step,
    pub(crate) at: usize,
    over: AtomicBool,
    done: Mutex<Option<(NtStatus, usize, Vec<u8>)>>,
    finished: Event,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Accept,
    Receive,
    Send,
    Disconnect,
    Client,
}

impl Op {
    pub(crate) fn new(ledger: &Arc<Ledger>, step: Step, at: usize) -> Arc<Self> {
        let (ledger, finished) = (Arc::clone(ledger), Event::new(true, false));
        let (over, done) = (AtomicBool::new(false), Mutex::default());
        Arc::new(Self { ledger, step, at, over, done, finished })
    }

    /// Its IRP; it counts as started. A refused one ends too, by the memory that it gets back.
    pub(crate) fn irp(self: &Arc<Self>, memory: Vec<u8>) -> Irp {
        self.ledger.started.fetch_add(1, Ordering::SeqCst);
        let packet = self.step != Step::Client;
        let sink = Arc::clone(self) as Arc<dyn Sink>;
        Irp::new(Target::Sink { sink, packet }, Buffers::from_vec(memory))
    }

    pub(crate) fn key(self: &Arc<Self>) -> usize {
        Arc::as_ptr(self).addr()
    }

    /// Blocks until it is over: status, and the octets of a receive.
    pub(crate) fn wait(&self) -> (NtStatus, Vec<u8>) {
        wait::wait(&[&self.finished], Which::Any, Deadline::Never, false);
        let (status, bytes, mut memory) = self.take();
        memory.truncate(bytes);
        (status, memory)
    }

    pub(crate) fn take(&self) -> (NtStatus, usize, Vec<u8>) {
        self.done.lock().unwrap().take().expect("it is over")
    }
}

impl Sink for Op {
    fn complete(&self, done: Done) -> Option<Waker> {
        if self.over.swap(true, Ordering::SeqCst) {
            self.ledger.twice.fetch_add(1, Ordering::SeqCst);
            return None;
        }
        *self.done.lock().unwrap() = Some((done.status, done.bytes, done.buffers.into_vec()));
        self.ledger.ended.fetch_add(1, Ordering::SeqCst);
        self.finished.set();
        None
    }
}

impl Drop for Op {
    fn drop(&mut self) {
        debug_assert!(self.finished.take() || !*self.over.get_mut());
    }
}

/// What the process holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holdings {
    pub(crate) descriptors: usize,
    pub(crate) threads: usize,
    pub(crate) handles: usize,
    pub(crate) heap: isize,
    /// Pairs in the table of TIME_WAIT, which are there for a minute or two.
    pub(crate) pairs: usize,
}

impl Holdings {
    pub(crate) fn now() -> Self {
        let entries = |path| std::fs::read_dir(path).map_or(0, Iterator::count);
        Self {
            descriptors: entries("/proc/self/fd"),
            threads: entries("/proc/self/task"),
            handles: handle::table().files().len(),
            heap: counting::live(),
            pairs: time_wait::held().len(),
        }
    }

    /// What there is more of than before, by name. Queues keep the room that they once needed, and
    /// a pair takes up to 64 octets.
    pub(crate) fn leaked_since(self, before: Self) -> Vec<String> {
        const ROOM: isize = 256 << 10;
        let more = |name: &str, now: usize, then: usize| {
            (now > then).then(|| format!("{} {name}", now - then))
        };
        let pairs = self.pairs.saturating_sub(before.pairs).cast_signed();
        let heap = self.heap - before.heap - pairs * 64;
        [
            more("descriptors", self.descriptors, before.descriptors),
            more("threads", self.threads, before.threads),
            more("handles", self.handles, before.handles),
            (heap > ROOM).then(|| format!("{heap} octets of memory")),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

//! Completion ports.
//!
//! A port is a queue of packets in user space beside an epoll of the descriptors associated with
//! it. Threads that call `GetQueuedCompletionStatus` take packets; when there are none they wait in
//! `epoll_wait` themselves, perform what became possible, and so make packets. There is no thread
//! between the socket and the caller, and the kernel wakes the last one to wait first, as Windows
//! does.
//!
//! Wake-ups are what costs (a system call is 0.1 µs, a wake-up across cores 32 µs), so:
//!
//! - a packet made while a thread harvests its own port wakes nobody: that thread takes it, or
//!   wakes one other for what it leaves;
//! - a packet posted by a worker of the same port that is awake wakes nobody while few are queued:
//!   it will be back; the [`guardian`] looks after it in case it is not (I6);
//! - any other packet wakes one sleeper, unless as many threads as the concurrency value allows
//!   are awake already.
//!
//! The decisions are in `queue.rs`, where no system call is; here is what follows from them.

mod queue;
#[cfg(test)]
mod schedule;
#[cfg(test)]
mod tests;
mod worker;

use std::collections::{BTreeSet, VecDeque};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use linsock_afd::NtStatus;
use rustix::event::epoll;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd};
use rustix::io::Errno;

use crate::cache;
use crate::clock::Deadline;
use crate::driver::{Driver, HARVEST, Interest, Readiness, Report};
use crate::guardian::{self, Found};
use crate::handle::{self, Token};
use crate::irp::{Deferred, Sink};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{Lock, poll};
use crate::thread;

use queue::{Duty, Look, Queue, Relation};
use worker::Harvest;

pub(crate) use worker::forget;
pub(crate) use worker::step_aside;
pub use worker::{Known, find, keeps, take_next};

/// One completion, as it waits on a port.
#[cfg_attr(test, derive(Clone))]
pub struct Packet {
    /// The file's completion key, or what was posted.
    pub key: usize,
    /// The address of the OVERLAPPED, or what was posted.
    pub overlapped: usize,
    /// The status of the operation.
    pub status: NtStatus,
    /// Octets transferred.
    pub bytes: usize,
    /// The operation of the safe API that this packet is about.
    pub sink: Option<Arc<dyn Sink>>,
}

/// What a packet says, without the operation that it may be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// See [`Packet::key`].
    pub key: usize,
    /// See [`Packet::overlapped`].
    pub overlapped: usize,
    /// See [`Packet::status`].
    pub status: NtStatus,
    /// See [`Packet::bytes`].
    pub bytes: usize,
}

impl Packet {
    /// What it says.
    #[inline]
    pub const fn told(&self) -> Told {
        let Self { key, overlapped, status, bytes, sink: _ } = *self;
        Told { key, overlapped, status, bytes }
    }
}

/// What a port has to do, and who does it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Packets that nobody has taken.
    pub packets: usize,
    /// Threads that wait for packets.
    pub waiting: usize,
    /// Threads that took a packet and have not come back.
    pub working: usize,
    /// How many of these are wanted at once.
    pub concurrency: usize,
}

/// Why no packet was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPacket {
    /// WAIT_TIMEOUT.
    TimedOut,
    /// ERROR_ABANDONED_WAIT_0: the port was closed.
    Closed,
    /// WAIT_IO_COMPLETION: the wait was alertable and an APC ran.
    Alerted,
}

/// Tokens of the port's own descriptors; handle tokens are never this large.
const WAKE: Token = Token::from_value(u64::MAX);
const CLOSED: Token = Token::from_value(u64::MAX - 1);

/// A completion port.
#[derive(Debug)]
pub struct CompletionPort {
    driver: Driver,
    /// Edge-triggered and never read: every write is a new edge, which wakes one thread.
    wake: OwnedFd,
    /// Level-triggered: once written, it wakes every thread for ever.
    closed: OwnedFd,
    queue: Lock<Queue>,
    concurrency: usize,
    /// Raised when packets wait or descriptors are watched and no thread looked since.
    neglected: AtomicBool,
    /// Files to look at when a thread next waits: conditions that were told and may last.
    lasting: Lock<BTreeSet<Token>>,
    any_lasting: AtomicBool,
    /// Its handle is gone.
    is_closed: AtomicBool,
    id: u64,
}

impl std::fmt::Debug for Packet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packet")
            .field("key", &self.key)
            .field("status", &self.status)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl CompletionPort {
    /// A new port; `concurrency` 0 means as many threads as there are processors.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn new(concurrency: usize) -> Result<Arc<Self>, Errno> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let processors = || std::thread::available_parallelism().map_or(1, usize::from);
        guardian::prepare()?;
        let port = Arc::new(Self {
            driver: Driver::new()?,
            wake: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            closed: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            queue: Lock::default(),
            concurrency: if concurrency == 0 { processors() } else { concurrency },
            neglected: AtomicBool::new(false),
            lasting: Lock::default(),
            any_lasting: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            id: NEXT.fetch_add(1, Ordering::Relaxed),
        });
        port.driver.add(port.wake.as_fd(), WAKE, Interest::Edges)?;
        port.driver.add(port.closed.as_fd(), CLOSED, Interest::Level)?;
        guardian::watch(&port);
        Ok(port)
    }

    /// A number of its own.
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// What it has to do, and who does it.
    pub fn load(&self) -> Load {
        let concurrency = self.concurrency;
        Load { concurrency, ..self.queue.lock().load() }
    }

    /// The driver that watches this port's descriptors.
    pub const fn driver(&self) -> &Driver {
        &self.driver
    }

    /// Queues a packet and says, through `after`, whom to wake.
    pub fn post(self: &Arc<Self>, packet: Packet, after: &mut Deferred) {
        self.post_with(|| packet, after);
    }

    /// As [`post`](Self::post); the packet is put together where it is queued, and not copied
    /// there.
    #[inline(always)]
    pub(crate) fn post_with(
        self: &Arc<Self>,
        packet: impl FnOnce() -> Packet,
        after: &mut Deferred,
    ) {
        let relation = self.relation();
        let mut queue = self.queue.lock();
        if queue.is_closed() {
            drop(queue);
            return after.discard(packet());
        }
        let duty = queue.post(packet(), relation, self.concurrency);
        drop(queue);
        match duty {
            Duty::Nothing => {}
            Duty::Wake => after.wake_port(self),
            Duty::Neglect => self.neglect(),
        }
    }

    /// Takes a packet, waiting for one until the deadline.
    ///
    /// # Errors
    /// [`NoPacket`].
    #[inline]
    pub fn wait_one(self: &Arc<Self>, deadline: Deadline) -> Result<Packet, NoPacket> {
        let packet = self.wait_for(deadline, false, |queue| queue.take_one(self.concurrency))?;
        worker::note_taken(1);
        Ok(packet)
    }

    /// Takes up to `room` packets, waiting for the first until the deadline: `put` is told of each.
    /// It is called under the port's lock, so it stores and does nothing else.
    ///
    /// If there is no packet, an alertable wait runs the calling thread's APCs
    /// (GetQueuedCompletionStatusEx page: "and there are no available entries").
    ///
    /// # Errors
    /// [`NoPacket`].
    #[inline]
    pub fn wait(
        self: &Arc<Self>,
        room: usize,
        deadline: Deadline,
        alertable: bool,
        mut put: impl FnMut(Told),
    ) -> Result<usize, NoPacket> {
        let look = |queue: &mut Queue| queue.take(room.max(1), self.concurrency, &mut put);
        let batch = self.wait_for(deadline, alertable, look)?;
        worker::note_taken(batch.count);
        Ok(batch.count)
    }

    /// Takes all packets there are into `room`, which is empty, waiting for the first until the
    /// deadline.
    ///
    /// # Errors
    /// [`NoPacket`].
    pub fn wait_all(
        self: &Arc<Self>,
        deadline: Deadline,
        room: &mut VecDeque<Packet>,
    ) -> Result<(), NoPacket> {
        self.wait_for(deadline, false, |queue| queue.take_all(room, self.concurrency))?;
        worker::note_taken(room.len());
        Ok(())
    }

    /// Looks at the queue, and waits and looks again until there is something or a reason to stop.
    fn wait_for<T>(
        self: &Arc<Self>,
        deadline: Deadline,
        alertable: bool,
        mut look: impl FnMut(&mut Queue) -> Result<Option<(T, Duty)>, NoPacket>,
    ) -> Result<T, NoPacket> {
        self.look_if_due();
        let mut counted = self.enter();
        if self.any_lasting.load(Ordering::Relaxed) {
            self.look_at_lasting();
        }
        let mut last_look = deadline == Deadline::Never;
        let why = loop {
            match self.take(std::mem::take(&mut counted), &mut look) {
                Ok(Some(taken)) => return Ok(taken),
                Ok(None) => {}
                Err(why) => break why,
            }
            if alertable && thread::current().run_apcs() {
                break NoPacket::Alerted;
            }
            if deadline.is_over() {
                if last_look {
                    break NoPacket::TimedOut;
                }
                last_look = true;
            }
            self.sleep(deadline, alertable);
        };
        self.leave(why);
        Err(why)
    }

    /// Closes the port: every wait on it, now and later, fails with [`NoPacket::Closed`].
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        let packets = self.queue.lock().close();
        drop(packets);
        let _ = rustix::io::write(&self.closed, &1_u64.to_ne_bytes());
        // It may hold the port, to wait for what is pending there.
        guardian::rouse();
    }

    /// The next thread that waits here lets the file perform again first, whether or not the driver
    /// has something to report of it by then.
    pub fn look_again_at(&self, file: Token) {
        let mut lasting = self.lasting.lock();
        lasting.insert(file);
        self.any_lasting.store(true, Ordering::Relaxed);
    }

    #[cold]
    fn look_at_lasting(&self) {
        let mut lasting = self.lasting.lock();
        self.any_lasting.store(false, Ordering::Relaxed);
        let files = std::mem::take(&mut *lasting);
        drop(lasting);
        let mut after = Deferred::default();
        let harvest = Harvest::begin();
        for file in files.into_iter().filter_map(|token| handle::table().file(token)) {
            file.handle_ready(Readiness::UNKNOWN, &mut after);
        }
        drop(harvest);
        after.run();
    }

    /// Wakes one sleeper.
    pub(crate) fn wake_one(&self) {
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }

    /// An operation of the calling thread waits on this port's driver. A worker that harvests is
    /// about to look at it; anybody else may never come back, so the guardian has to know.
    #[inline]
    pub fn note_pending(&self) {
        // Most find that the guardian knows already.
        let knows = self.neglected.load(Ordering::SeqCst) && guardian::is_awake();
        if !knows && self.relation() != Relation::Harvesting {
            self.neglect();
        }
    }

    /// The guardian's look: performs what is ready if nobody sleeps in the port, and wakes a
    /// sleeper if packets wait.
    pub(crate) fn tend(self: &Arc<Self>) -> Found {
        if !self.neglected.swap(false, Ordering::SeqCst) {
            return Found::Nothing;
        }
        let mut queue = self.queue.lock();
        let (look, is_over) = (queue.tend(), queue.is_closed());
        drop(queue);
        if look == Look::Attended {
            return Found::Attended;
        }
        // Raised before the files are performed: one of them might panic.
        self.neglected.store(true, Ordering::SeqCst);
        match look {
            Look::Attended | Look::Later => Found::Attended,
            Look::Perform => {
                if is_over {
                    // All who slept are up and nobody falls asleep any more: it would only go on
                    // reporting.
                    self.driver.remove(self.closed.as_fd());
                }
                let mut after = Deferred::default();
                let any = self.perform(Deadline::after_ms(0), &mut after);
                after.run();
                if any { Found::Neglected } else { Found::Quiet }
            }
            Look::Wake => {
                self.wake_one();
                Found::Neglected
            }
        }
    }

    #[inline]
    fn neglect(&self) {
        if !self.neglected.load(Ordering::SeqCst) {
            self.neglected.store(true, Ordering::SeqCst);
        }
        guardian::rouse();
    }

    #[inline]
    fn take<T>(
        &self,
        counted: bool,
        look: impl FnOnce(&mut Queue) -> Result<Option<(T, Duty)>, NoPacket>,
    ) -> Result<Option<T>, NoPacket> {
        let mut queue = self.queue.lock();
        if counted {
            queue.rest();
        }
        let Some((taken, duty)) = look(&mut queue)? else { return Ok(None) };
        drop(queue);
        if !worker::stays_awake() {
            self.queue.lock().rest();
        }
        self.fulfil(duty);
        Ok(Some(taken))
    }

    /// See [`worker::is_due`].
    fn look_if_due(self: &Arc<Self>) {
        if worker::is_due(self) {
            let mut after = Deferred::default();
            self.perform_reports(Deadline::after_ms(0), || {}, &mut after);
            after.run();
        }
    }

    /// What a look at the queue left to do.
    #[inline]
    fn fulfil(&self, duty: Duty) {
        match duty {
            Duty::Nothing => {}
            Duty::Wake => self.wake_one(),
            Duty::Neglect => self.neglect(),
        }
    }

    /// The calling thread leaves without a packet.
    fn leave(&self, why: NoPacket) {
        if self.queue.lock().leave() == Duty::Neglect {
            self.neglect();
        }
        if why == NoPacket::Closed {
            worker::retire();
        }
    }

    #[inline]
    fn sleep(self: &Arc<Self>, deadline: Deadline, alertable: bool) {
        if !self.queue.lock().fall_asleep() {
            return;
        }
        let mut after = Deferred::default();
        if alertable {
            self.wait_alertable(deadline);
            self.perform_asleep(Deadline::after_ms(0), &mut after);
        } else {
            self.perform_asleep(deadline, &mut after);
        }
        after.run();
    }

    /// Harvests while counted as sleeping until the kernel has answered.
    #[inline]
    fn perform_asleep(self: &Arc<Self>, deadline: Deadline, after: &mut Deferred) {
        self.perform_reports(deadline, || self.queue.lock().get_up(), after);
    }

    /// Asks the kernel, calls `then`, and performs what was reported as a worker of this port.
    #[inline]
    fn perform_reports(
        self: &Arc<Self>,
        deadline: Deadline,
        then: impl FnOnce(),
        after: &mut Deferred,
    ) {
        let mut buffer = [const { MaybeUninit::<epoll::Event>::uninit() }; HARVEST];
        let reports = self.driver.wait(&mut buffer, deadline);
        then();
        let _harvest = Harvest::begin();
        perform_files(reports, after);
    }

    /// False when nothing was ready.
    fn perform(self: &Arc<Self>, deadline: Deadline, after: &mut Deferred) -> bool {
        let mut buffer = [const { MaybeUninit::<epoll::Event>::uninit() }; HARVEST];
        let reports = self.driver.wait(&mut buffer, deadline);
        perform_files(reports, after)
    }

    fn wait_alertable(&self, deadline: Deadline) {
        let thread = thread::current();
        let wake = thread.wake_fd();
        thread.rearm(false);
        if thread.has_apcs() {
            return;
        }
        let mut fds = [
            PollFd::from_borrowed_fd(wake, PollFlags::IN),
            PollFd::from_borrowed_fd(self.driver.as_fd(), PollFlags::IN),
        ];
        poll(&mut fds, thread.patience(deadline));
        thread.rearm(!fds[0].revents().is_empty());
    }
}

impl AsFd for CompletionPort {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.driver.as_fd()
    }
}

/// Lets every reported file perform what is pending; false when nothing was reported.
#[inline]
pub(crate) fn perform_files(
    mut reports: impl Iterator<Item = Report>,
    after: &mut Deferred,
) -> bool {
    let mut look_up = || {
        let report = reports.next()?;
        let file = worker::take_reported(report.token);
        Some((file.inspect(cache::fetch_file), report))
    };
    let mut next = look_up();
    let any = next.is_some();
    while let Some((file, report)) = next {
        // The next one is on its way into the cache while this one is at work.
        next = look_up();
        if let Some(file) = file {
            file.handle_ready(report.readiness, after);
            worker::give_back(report.token, file);
        }
    }
    any
}

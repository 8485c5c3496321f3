//! Windows' socket driver, for the programs that speak to it themselves: `\Device\Afd` and its one
//! request that they need, IOCTL_AFD_POLL.
//!
//! A poll waits for several sockets and ends with the first event of one. Each socket keeps those
//! that wait for it and looks at them wherever it looks at the facts
//! (`socket::polls`); whoever comes first of an event, a cancellation and the clock takes the IRP
//! out, so it ends once.
//!
//! Microsoft documents neither the device nor the request. What is here is what tests of the Wine
//! project have seen on Windows (`test_poll`, `test_poll_exclusive`, `test_poll_completion_port`,
//! `test_poll_reset`) and what its users rely on (wepoll, libuv, mio).

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use linsock_iocp::NtStatus;
use linsock_iocp::alarm::{Due, Ring, Setting};
use linsock_iocp::buffer::CheckedMemory;
use linsock_iocp::driver::Readiness;
use linsock_iocp::file::{AlreadyAssociated, File, FileCore};
use linsock_iocp::handle::{self, Handle, Object};
use linsock_iocp::irp::{Deferred, Irp, Timing};
use linsock_iocp::port::CompletionPort;
use linsock_iocp::reactor;
use linsock_iocp::sync::Lock;

use crate::settings;
use crate::socket::{PollEvents, Socket, Started};

/// An open `\Device\Afd`: a handle that polls are asked for by and that has a port.
#[derive(Debug)]
pub struct Device {
    core: FileCore,
    polls: Arc<Requests>,
}

impl Device {
    /// Opens it.
    ///
    /// # Errors
    /// WSAEMFILE when the handle table is full or descriptors ran out.
    pub fn open() -> Result<Handle, NtStatus> {
        settings::begin();
        let full = NtStatus::TOO_MANY_OPENED_FILES;
        reactor::prepare().map_err(|_| full)?;
        let entered = handle::table().insert_with(|handle, token| {
            let core = FileCore::new(handle, token);
            Object::File(Arc::new(Self { core, polls: Arc::default() }))
        });
        entered.map_err(|_| full)
    }
}

impl File for Device {
    fn core(&self) -> &FileCore {
        &self.core
    }

    fn handle_ready(&self, _: Readiness, _: &mut Deferred) {}

    fn cancel(&self, chosen: &dyn Fn(&Irp) -> bool) -> usize {
        let mut after = Deferred::default();
        let cancelled = self.polls.cancel(chosen, &mut after);
        after.run();
        cancelled
    }

    fn associate(&self, port: &Arc<CompletionPort>, key: usize) -> Result<(), AlreadyAssociated> {
        self.core.set_association(port, key)
    }

    /// Polls go on until they end by themselves (`test_poll_completion_port`).
    fn close(&self) {}

    fn is_of_winsock(&self) -> bool {
        false
    }
}

/// The polls that were asked for by one handle and are not over, by their addresses.
#[derive(Debug, Default)]
pub(crate) struct Requests(Lock<BTreeMap<usize, Arc<Poll>>>);

impl Requests {
    /// Those of a handle that polls can be asked for by.
    fn of(file: &Arc<dyn File>) -> Result<Arc<Self>, NtStatus> {
        let any = Arc::clone(file) as Arc<dyn Any + Send + Sync>;
        match any.downcast::<Device>() {
            Ok(device) => Ok(Arc::clone(&device.polls)),
            Err(any) => match any.downcast::<Socket>() {
                Ok(socket) => socket.polls(),
                Err(_other) => Err(NtStatus::INVALID_DEVICE_REQUEST),
            },
        }
    }

    fn enter(&self, poll: &Arc<Poll>) {
        self.0.lock().insert(Arc::as_ptr(poll).addr(), Arc::clone(poll));
    }

    fn remove(&self, poll: &Poll) {
        let gone = self.0.lock().remove(&std::ptr::from_ref(poll).addr());
        // Outside the lock: it may have been the last trace of the poll.
        drop(gone);
    }

    /// Cancels those that are chosen; returns how many.
    pub(crate) fn cancel(&self, chosen: &dyn Fn(&Irp) -> bool, after: &mut Deferred) -> usize {
        let polls: Vec<_> = self.0.lock().values().cloned().collect();
        polls.iter().filter(|poll| poll.cancel_if(chosen, after)).count()
    }
}

/// The length of an `AFD_POLL_INFO` without rows, in octets.
pub const HEAD: usize = 16;
/// The length of an `AFD_POLL_HANDLE_INFO`, in octets.
pub const ROW: usize = 16;

/// How long a poll waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Not at all: nothing is success then, with no rows (`test_poll`).
    None,
    /// Until then: STATUS_TIMEOUT.
    Until(Instant),
    /// For ever.
    Forever,
}

/// What a poll asks.
#[derive(Debug)]
pub struct Question {
    /// The sockets, by their handles' values, and the events.
    pub rows: Vec<(usize, PollEvents)>,
    /// How long it waits.
    pub patience: Patience,
    /// Whether it takes the place of one that is exclusive too and waits for one of the sockets.
    pub exclusive: bool,
    /// The time-out in the program's number, which is told back.
    pub timeout: i64,
    /// Where the answer goes, as `AFD_POLL_INFO`. What does not fit is left out.
    pub answer: CheckedMemory,
}

/// What is told of one row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) row: usize,
    pub(crate) events: PollEvents,
    pub(crate) status: NtStatus,
}

impl Seen {
    pub(crate) const fn of(row: usize, events: PollEvents) -> Self {
        Self { row, events, status: NtStatus::SUCCESS }
    }
}

/// A row while its poll is in progress.
#[derive(Debug)]
struct Row {
    value: usize,
    wanted: PollEvents,
}

/// A poll.
pub(crate) struct Poll {
    file: Arc<dyn File>,
    requests: Arc<Requests>,
    rows: Box<[Row]>,
    exclusive: bool,
    timeout: i64,
    answer: CheckedMemory,
    pending: Lock<Option<Pending>>,
}

/// What a poll has until it is over.
#[derive(Debug)]
struct Pending {
    irp: Irp,
    alarm: Setting,
}

/// IOCTL_AFD_POLL: tells which of the sockets have one of their events, as soon as one has. Of a
/// closed socket that is told unasked, and a status tells why a connect failed.
///
/// # Errors
/// WSAENOTSOCK for a row that is none, or a closed `file`; STATUS_INVALID_DEVICE_REQUEST for a
/// `file` that is neither a socket nor a [`Device`]; STATUS_INSUFFICIENT_RESOURCES when no clock
/// can be had. Nobody but the caller is told.
pub fn poll(file: &Arc<dyn File>, mut irp: Irp, question: Question) -> Result<Started, NtStatus> {
    let mut after = Deferred::default();
    let started = start(file, &mut irp, question, &mut after);
    if let Err(status) = started {
        irp.refuse(status);
    }
    after.run();
    started
}

/// As [`poll`]; a poll that waits takes the IRP out.
fn start(
    file: &Arc<dyn File>,
    irp: &mut Irp,
    question: Question,
    after: &mut Deferred,
) -> Result<Started, NtStatus> {
    let requests = Requests::of(file)?;
    let values = question.rows.iter().map(|(value, _)| *value);
    let sockets = values.map(Socket::from_value).collect::<Result<Vec<_>, _>>()?;
    let poll = Arc::new(Poll {
        file: Arc::clone(file),
        requests,
        rows: question.rows.into_iter().map(|(value, wanted)| Row { value, wanted }).collect(),
        exclusive: question.exclusive,
        timeout: question.timeout,
        answer: question.answer,
        pending: Lock::default(),
    });
    if poll.exclusive {
        sockets.iter().for_each(|socket| socket.make_way_for(&poll, after));
    }
    let look = |(row, socket): (usize, &Arc<Socket>)| socket.look_for(row, poll.wanted(row));
    let seen: Vec<_> = sockets.iter().enumerate().filter_map(look).collect();
    if !seen.is_empty() || question.patience == Patience::None {
        let bytes = poll.write(&seen);
        irp.begin(file.core());
        irp.complete(file.core(), Timing::Inline, NtStatus::SUCCESS, bytes, after);
        return Ok(Started::Done(bytes));
    }
    poll.pend(irp, question.patience)?;
    for (row, socket) in sockets.iter().enumerate() {
        socket.await_poll(&poll, row, after);
    }
    Ok(Started::Pending)
}

impl Poll {
    /// Takes the IRP in, and sets the clock.
    fn pend(self: &Arc<Self>, irp: &mut Irp, patience: Patience) -> Result<(), NtStatus> {
        let mut alarm = Setting::default();
        // Held until there is something to end: the alarm may ring at once.
        let mut pending = self.pending.lock();
        if let Patience::Until(at) = patience {
            let set = alarm.set(Some(at), Duration::ZERO, &Arc::downgrade(self));
            set.map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        }
        irp.begin(self.file.core());
        irp.pended(self.file.core());
        self.requests.enter(self);
        *pending = Some(Pending { irp: irp.take(), alarm });
        Ok(())
    }

    /// The port that its end is told to.
    pub(crate) fn port(&self) -> Option<&Arc<CompletionPort>> {
        self.file.core().association().map(|association| &association.port)
    }

    pub(crate) const fn is_exclusive(&self) -> bool {
        self.exclusive
    }

    /// Whether its end was told, or is being told.
    pub(crate) fn is_over(&self) -> bool {
        self.pending.lock().is_none()
    }

    /// The events of a row.
    pub(crate) fn wanted(&self, row: usize) -> PollEvents {
        self.rows[row].wanted
    }

    /// Tells the end, unless it was told. May be called under the lock of a socket.
    pub(crate) fn finish(&self, seen: &[Seen], status: NtStatus, after: &mut Deferred) {
        let pending = self.pending.lock().take();
        if let Some(pending) = pending {
            self.end(pending, seen, status, after);
        }
    }

    fn end(&self, pending: Pending, seen: &[Seen], status: NtStatus, after: &mut Deferred) {
        let Pending { mut irp, alarm } = pending;
        self.requests.remove(self);
        let bytes = if status.is_success() { self.write(seen) } else { 0 };
        irp.complete(self.file.core(), Timing::Pended, status, bytes, after);
        drop(alarm);
    }

    fn cancel_if(&self, chosen: &dyn Fn(&Irp) -> bool, after: &mut Deferred) -> bool {
        let mut held = self.pending.lock();
        let is_chosen = held.as_ref().is_some_and(|pending| chosen(&pending.irp));
        let pending = held.take_if(|_| is_chosen);
        drop(held);
        if let Some(pending) = pending {
            self.end(pending, &[], NtStatus::CANCELLED, after);
        }
        is_chosen
    }

    /// Writes the answer, and gives its length: the head as it was asked, and a row for each
    /// socket that was seen to have one of its events.
    fn write(&self, seen: &[Seen]) -> usize {
        let count = u32::try_from(seen.len()).unwrap_or(u32::MAX);
        let mut octets = Vec::with_capacity(HEAD + seen.len() * ROW);
        octets.extend(self.timeout.to_ne_bytes());
        octets.extend(count.to_ne_bytes());
        octets.extend(u32::from(self.exclusive).to_ne_bytes());
        for Seen { row, events, status } in seen {
            octets.extend(self.rows[*row].value.to_ne_bytes());
            octets.extend(events.bits().to_ne_bytes());
            octets.extend(status.raw().to_ne_bytes());
        }
        self.answer.write(0, &octets);
        octets.len()
    }
}

impl Ring for Poll {
    fn ring(self: Arc<Self>, _: Due) {
        let mut after = Deferred::default();
        self.finish(&[], NtStatus::TIMEOUT, &mut after);
        after.run();
    }
}

impl std::fmt::Debug for Poll {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Poll").field("rows", &self.rows).finish_non_exhaustive()
    }
}

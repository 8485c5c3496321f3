//! The IRP: one operation in progress, and how its end is told.

use std::sync::Arc;
use std::task::Waker;

use linsock_afd::NtStatus;

use crate::apc::Apc;
use crate::buffer::Buffers;
use crate::event::Event;
use crate::file::{Association, FileCore, SKIP_PORT_ON_SUCCESS, SKIP_SET_EVENT_ON_HANDLE};
use crate::overlapped::OverlappedPtr;
use crate::port::{CompletionPort, Packet};
use crate::thread::{self, Thread};
use crate::trace::{self, Event as Traced, Field};

/// A completion routine: called on the issuing thread, in an alertable wait, with status and
/// octets.
pub type Routine = Box<dyn FnOnce(NtStatus, usize) + Send>;

/// Who is told, and how.
pub enum Target {
    /// The program's OVERLAPPED. The file's handle is signaled.
    Overlapped {
        /// The structure.
        ptr: OverlappedPtr,
        /// False when the low bit of `hEvent` asks for no packet.
        packet: bool,
    },
    /// The program's OVERLAPPED, and something of its own beside it instead of the file's handle.
    /// (Apart: of the one above, which nearly all are, nothing has to be dropped.)
    OverlappedBeside {
        /// The structure.
        ptr: OverlappedPtr,
        /// As above.
        packet: bool,
        /// What is told.
        beside: Beside,
    },
    /// A call of ntdll's. Boxed: it is rare beside the transfers.
    Native(Box<Native>),
    /// Rust code: a blocking call, a future, an operation of the safe API.
    Sink {
        /// Where the result goes.
        sink: Arc<dyn Sink>,
        /// Whether the file's port gets a packet that carries the sink.
        packet: bool,
    },
    /// A ledger of many operations, which needs no memory for each.
    Ledger {
        /// Where the end is entered.
        ledger: Arc<dyn Ledger>,
        /// Which operation it is: a number of the program's, and what else the ledger has to know.
        context: usize,
        /// See there. (Not in a structure of their own, which would make every IRP larger.)
        kind: u8,
    },
}

/// What the end of an operation is told to beside its OVERLAPPED.
pub enum Beside {
    /// Its event (`hEvent`), which is signaled.
    Event(Arc<Event>),
    /// The completion routine and the thread it runs on. It gets no packet.
    Routine(Box<(Arc<Thread>, Routine)>),
}

impl Target {
    /// For an OVERLAPPED, and what is told beside it, if anything is.
    #[inline(always)]
    pub fn overlapped(ptr: OverlappedPtr, packet: bool, beside: Option<Beside>) -> Self {
        match beside {
            None => Self::Overlapped { ptr, packet },
            Some(beside) => Self::OverlappedBeside { ptr, packet, beside },
        }
    }
}

/// A call of ntdll's: its IO_STATUS_BLOCK, and what else it names.
pub struct Native {
    /// The block. Nothing is written there before the end (NtDeviceIoControlFile page).
    pub block: OverlappedPtr,
    /// Its event; without one the file's handle is signaled.
    pub event: Option<Arc<Event>>,
    /// What its packet carries; 0: it asks for none (`test_poll_completion_port`).
    pub context: usize,
    /// The APC routine, and the thread it runs on.
    pub routine: Option<(Arc<Thread>, Routine)>,
}

/// Takes the results of operations of which nothing else is kept. One that is refused is not
/// entered: its caller knows.
pub trait Ledger: Send + Sync {
    /// An operation is over. Called once for each, possibly under a lock: it stores the result and
    /// hands back whom to wake.
    fn enter(
        self: Arc<Self>,
        context: usize,
        kind: u8,
        status: NtStatus,
        bytes: usize,
    ) -> Option<Waker>;
}

/// Takes the result of an operation that has no OVERLAPPED.
pub trait Sink: std::any::Any + Send + Sync {
    /// The operation is over. Called once, possibly under a lock: it stores the result and hands
    /// back whom to wake.
    fn complete(&self, done: Done) -> Option<Waker>;

    /// As [`complete`](Self::complete), of an operation that was lost, as by a panic: no packet
    /// follows, whatever was asked for.
    fn lose(&self, done: Done) -> Option<Waker> {
        self.complete(done)
    }

    /// Its packet was taken by a thread that runs what its port brings.
    fn run(self: Arc<Self>) {}

    /// True when a thread blocks for the operation and polls its descriptor itself, so that no
    /// driver has to watch it.
    fn is_attended(&self) -> bool {
        false
    }
}

/// The result of an operation, with the memory it owned.
#[derive(Debug)]
pub struct Done {
    /// Its status.
    pub status: NtStatus,
    /// Octets transferred.
    pub bytes: usize,
    /// Its buffers.
    pub buffers: Buffers,
}

/// Whether an operation was over when its call returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// It was: the call reports the result itself.
    Inline,
    /// It was not: the call reported ERROR_IO_PENDING.
    Pended,
}

/// What is left to do once no lock is held: wake-ups, some of which run the program's code.
///
/// Nearly always it is nothing, so it is one pointer, and null.
#[derive(Debug, Default)]
pub struct Deferred(Option<Box<Late>>);

#[derive(Debug, Default)]
struct Late {
    wakers: Vec<Waker>,
    port: Option<Arc<CompletionPort>>,
    discarded: Vec<Packet>,
}

impl Deferred {
    fn late(&mut self) -> &mut Late {
        self.0.get_or_insert_default()
    }

    pub(crate) fn wake_port(&mut self, port: &Arc<CompletionPort>) {
        let late = self.late();
        match &late.port {
            Some(same) if Arc::ptr_eq(same, port) => {}
            None => late.port = Some(Arc::clone(port)),
            // Two ports in one pass is rare; waking one early under the lock is harmless.
            Some(_) => port.wake_one(),
        }
    }

    /// Drops a packet that its port no longer takes, once no lock is held.
    pub(crate) fn discard(&mut self, packet: Packet) {
        self.late().discarded.push(packet);
    }

    /// True when nothing is left to do.
    #[inline]
    pub const fn is_nothing(&self) -> bool {
        self.0.is_none()
    }

    /// Adds a waker.
    #[inline]
    pub fn wake(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.late().wakers.push(waker);
        }
    }

    /// Does it. The caller holds no lock.
    #[inline]
    pub fn run(mut self) {
        if let Some(late) = self.0.take() {
            late.run();
        }
    }
}

impl Late {
    #[cold]
    fn run(mut self: Box<Self>) {
        let wakers = std::mem::take(&mut self.wakers);
        // The sleeper is woken by the drop, before the program's code runs.
        drop(self);
        for waker in wakers {
            waker.wake();
        }
    }
}

impl Drop for Late {
    /// The net under I6: the port counts on the wake-up, also when a panic comes in between.
    fn drop(&mut self) {
        if let Some(port) = self.port.take() {
            port.wake_one();
        }
    }
}

/// One operation in progress.
pub struct Irp {
    /// Taken by the completion; an IRP dropped with it still here is completed as cancelled.
    target: Option<Target>,
    thread: u64,
    /// The memory of the transfer.
    pub buffers: Buffers,
}

impl Irp {
    /// A new operation of the calling thread.
    #[inline(always)]
    pub fn new(target: Target, buffers: Buffers) -> Self {
        Self::made_of(|| target, || buffers)
    }

    /// As [`new`](Self::new), of parts that are made where they are to be: not before it is known
    /// whose operation it is, and so not copied across that.
    #[inline(always)]
    pub fn made_of(target: impl FnOnce() -> Target, buffers: impl FnOnce() -> Buffers) -> Self {
        let thread = thread::id();
        Self { target: Some(target()), thread, buffers: buffers() }
    }

    /// The operation starts: `Internal` reads STATUS_PENDING and what will be signaled is reset.
    #[inline]
    pub fn begin(&self, file: &FileCore) {
        if let Some(Target::Overlapped { ptr, .. }) = &self.target {
            ptr.begin();
            file.signal().reset();
        } else {
            self.begin_rare(file);
        }
    }

    #[inline(never)]
    fn begin_rare(&self, file: &FileCore) {
        match &self.target {
            Some(Target::OverlappedBeside { ptr, beside, .. }) => {
                ptr.begin();
                if let Beside::Event(event) = beside {
                    event.reset();
                }
            }
            Some(Target::Native(call)) => {
                call.event.as_deref().unwrap_or_else(|| file.signal()).reset();
            }
            _ => {}
        }
    }

    /// Takes the operation out; what is left is spent.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let buffers = std::mem::replace(&mut self.buffers, Buffers::empty());
        Self { target: self.target.take(), thread: self.thread, buffers }
    }

    /// Whether it is spent, and nothing of it has to be dropped.
    #[inline]
    pub const fn is_bare(&self) -> bool {
        self.target.is_none() && self.buffers.is_lent()
    }

    /// The issuing thread.
    pub const fn thread(&self) -> u64 {
        self.thread
    }

    /// The operation's identity: the address of its OVERLAPPED or IO_STATUS_BLOCK or of its sink.
    #[inline]
    pub fn key(&self) -> usize {
        match &self.target {
            Some(Target::Overlapped { ptr, .. } | Target::OverlappedBeside { ptr, .. }) => {
                ptr.addr()
            }
            Some(Target::Native(call)) => call.block.addr(),
            Some(Target::Sink { sink, .. }) => Arc::as_ptr(sink).addr(),
            // Of the program's, nothing names one.
            Some(Target::Ledger { .. }) | None => 0,
        }
    }

    /// See [`Sink::is_attended`].
    #[inline]
    pub fn is_attended(&self) -> bool {
        matches!(&self.target, Some(Target::Sink { sink, .. }) if sink.is_attended())
    }

    /// Whether the exit of the issuing thread cancels it: everything but I/O with a packet to a
    /// port and without an event (`test_async_thread_termination`).
    #[inline]
    pub fn dies_with_thread(&self, file: &FileCore) -> bool {
        match &self.target {
            Some(Target::Overlapped { packet: true, .. }) => file.association().is_none(),
            Some(Target::Native(call)) => {
                call.event.is_some() || call.context == 0 || file.association().is_none()
            }
            Some(Target::Overlapped { .. } | Target::OverlappedBeside { .. }) => true,
            // Operations of the safe API, and of Registered I/O, belong to their owner, not to a
            // thread.
            Some(Target::Sink { .. } | Target::Ledger { .. }) | None => false,
        }
    }

    /// Asks the processor for what the end of the operation writes: the program's OVERLAPPED.
    #[inline]
    pub fn fetch(&self) {
        if let Some(Target::Overlapped { ptr, .. } | Target::OverlappedBeside { ptr, .. }) =
            &self.target
        {
            ptr.fetch();
        }
    }

    /// Called when the operation did not finish inside its call.
    #[inline]
    pub fn pended(&self, file: &FileCore) {
        // Nearly always; the rest comes to the same, by more questions.
        match (&self.target, file.association()) {
            (Some(Target::Overlapped { packet: true, .. }), Some(at)) => at.port.note_pending(),
            _ => self.pended_rare(file),
        }
    }

    #[inline(never)]
    fn pended_rare(&self, file: &FileCore) {
        if self.dies_with_thread(file) {
            thread::owes_cancel();
        }
        if let Some(association) = file.association()
            && !self.is_attended()
        {
            association.port.note_pending();
        }
    }

    /// The operation is over (I4, I5). `bytes` is what the caller is told was transferred. The IRP
    /// is spent: it tells nobody again.
    pub fn complete(
        &mut self,
        file: &FileCore,
        timing: Timing,
        status: NtStatus,
        bytes: usize,
        after: &mut Deferred,
    ) {
        if file.is_traced() {
            self.trace_end(file, timing, status, bytes);
        }
        // Before the program can know, and change them.
        let modes = file.modes();
        let skip = timing == Timing::Inline && modes & SKIP_PORT_ON_SUCCESS != 0;
        let association = file.association().filter(|_| !skip);
        let Some(Target::Overlapped { ptr, packet }) = &self.target else {
            return self.complete_rare(file, association, (status, bytes), after);
        };
        let (ptr, packet) = (ptr.again(), *packet);
        // Not dropped: of such a one nothing has to be, and it need not be looked at again.
        std::mem::forget(self.target.take());
        let overlapped = ptr.addr();
        ptr.finish(status, bytes);
        if modes & SKIP_SET_EVENT_ON_HANDLE == 0 {
            file.signal().set();
        }
        if packet && let Some(Association { port, key }) = association {
            let sink = None;
            port.post_with(|| Packet { key: *key, overlapped, status, bytes, sink }, after);
        }
    }

    /// The end of what has more to tell than its file.
    #[inline(never)]
    fn complete_rare(
        &mut self,
        file: &FileCore,
        association: Option<&Association>,
        (status, bytes): (NtStatus, usize),
        after: &mut Deferred,
    ) {
        let Some(target) = self.target.take() else { return };
        match target {
            // It has ended before this.
            Target::Overlapped { .. } => {}
            Target::OverlappedBeside { ptr, beside: Beside::Routine(routine), .. } => {
                ptr.finish(status, bytes);
                call_later(*routine, status, bytes);
            }
            Target::OverlappedBeside { ptr, packet, beside: Beside::Event(event) } => {
                let overlapped = ptr.addr();
                ptr.finish(status, bytes);
                event.set();
                if let Some(Association { port, key }) = association.filter(|_| packet) {
                    port.post(Packet { key: *key, overlapped, status, bytes, sink: None }, after);
                }
            }
            Target::Native(call) => call.complete(file, association, status, bytes, after),
            Target::Sink { sink, packet } => {
                let buffers = std::mem::replace(&mut self.buffers, Buffers::empty());
                let done = Done { status, bytes, buffers };
                complete_sink(sink, done, association.filter(|_| packet), after);
            }
            Target::Ledger { ledger, context, kind } => {
                after.wake(ledger.enter(context, kind, status, bytes));
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn trace_end(&self, file: &FileCore, timing: Timing, status: NtStatus, bytes: usize) {
        let (overlapped, whose) = match &self.target {
            Some(Target::Overlapped { ptr, .. } | Target::OverlappedBeside { ptr, .. }) => {
                (ptr.addr(), format!("the operation of OVERLAPPED {:#x}", ptr.addr()))
            }
            Some(Target::Native(call)) => {
                let block = call.block.addr();
                (call.context, format!("the call of IO_STATUS_BLOCK {block:#x}"))
            }
            // A call that blocks, or does not: its result is the caller's.
            Some(Target::Sink { sink, .. }) if sink.is_attended() => return,
            Some(Target::Sink { .. } | Target::Ledger { .. }) => {
                (0, "an operation without OVERLAPPED".to_owned())
            }
            None => return,
        };
        let how = match timing {
            Timing::Inline => "at once",
            Timing::Pended => "later",
        };
        let text = format_args!("{whose} ends {how}: {status}, {bytes} octets");
        let fields = [
            ("overlapped", Field::number(overlapped)),
            ("status", Field::Text(&status)),
            ("octets", Field::number(bytes)),
            ("timing", Field::Text(&how)),
        ];
        let of = Some((file.handle().value(), 0));
        trace::tell(Traced { name: "operation", of, text, fields: &fields });
    }

    #[cold]
    fn lose(&mut self, target: Target) {
        match target {
            Target::Overlapped { ptr, .. } => ptr.finish(NtStatus::CANCELLED, 0),
            Target::OverlappedBeside { ptr, beside, .. } => {
                ptr.finish(NtStatus::CANCELLED, 0);
                if let Beside::Event(event) = beside {
                    event.set();
                }
            }
            Target::Native(call) => {
                call.block.finish(NtStatus::CANCELLED, 0);
                if let Some(event) = call.event {
                    event.set();
                }
            }
            Target::Sink { sink, .. } => {
                let buffers = std::mem::replace(&mut self.buffers, Buffers::empty());
                let done = Done { status: NtStatus::CANCELLED, bytes: 0, buffers };
                if let Some(waker) = sink.lose(done) {
                    waker.wake();
                }
            }
            Target::Ledger { ledger, context, kind } => {
                if let Some(waker) = ledger.enter(context, kind, NtStatus::CANCELLED, 0) {
                    waker.wake();
                }
            }
        }
    }

    /// The call is refused: nobody is told but the caller, by the return value. A sink, which is
    /// the caller's own, gets back the memory that the operation owned. The IRP is spent.
    pub fn refuse(&mut self, status: NtStatus) {
        if let Some(Target::Sink { sink, .. }) = self.target.take() {
            let buffers = std::mem::replace(&mut self.buffers, Buffers::empty());
            // Nobody waits yet, so there is no waker.
            let _none = sink.complete(Done { status, bytes: 0, buffers });
        }
    }
}

impl Native {
    /// The call is over. Unlike an OVERLAPPED's, its event is set though it has a routine.
    #[cold]
    fn complete(
        self,
        file: &FileCore,
        association: Option<&Association>,
        status: NtStatus,
        bytes: usize,
        after: &mut Deferred,
    ) {
        let Self { block, event, context, routine } = self;
        block.finish(status, bytes);
        match event {
            Some(event) => event.set(),
            None if file.modes() & SKIP_SET_EVENT_ON_HANDLE != 0 => {}
            None => file.signal().set(),
        }
        if let Some(routine) = routine {
            call_later(routine, status, bytes);
        } else if let Some(Association { port, key }) = association.filter(|_| context != 0) {
            port.post(Packet { key: *key, overlapped: context, status, bytes, sink: None }, after);
        }
    }
}

// Apart: a packet without a sink has nothing to drop, and is queued in fewer steps.
#[inline(never)]
fn complete_sink(
    sink: Arc<dyn Sink>,
    done: Done,
    association: Option<&Association>,
    after: &mut Deferred,
) {
    let (status, bytes) = (done.status, done.bytes);
    after.wake(sink.complete(done));
    if let Some(Association { port, key }) = association {
        let (overlapped, sink) = (Arc::as_ptr(&sink).addr(), Some(sink));
        port.post(Packet { key: *key, overlapped, status, bytes, sink }, after);
    }
}

/// Drops a spent IRP. Nearly always there is nothing to drop, which is seen here without a call.
#[inline(always)]
pub fn discard(irp: Irp) {
    if irp.is_bare() {
        std::mem::forget(irp);
    } else {
        drop(irp);
    }
}

/// Has the thread run the completion routine in its next alertable wait.
#[cold]
fn call_later(routine: (Arc<Thread>, Routine), status: NtStatus, bytes: usize) {
    let (thread, routine) = routine;
    thread.queue_apc(Apc::new(move || routine(status, bytes)));
}

impl Drop for Irp {
    /// The net under I4: an IRP that gets lost, as by a panic, still tells its program.
    #[inline]
    fn drop(&mut self) {
        if let Some(target) = self.target.take() {
            self.lose(target);
        }
    }
}

impl std::fmt::Debug for Irp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Irp").field("key", &self.key()).field("thread", &self.thread).finish()
    }
}

#[cfg(test)]
mod tests;

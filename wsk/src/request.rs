//! One IRP in progress: accepted by a call, and completed exactly once.
//!
//! A request begins on the calling thread. What it waits for may be over before the call returns;
//! then the [`Style`] says whether the call completes it, or says STATUS_PENDING and leaves that to
//! the provider's thread, as Windows nearly always does. Everything that is over later is completed
//! by that thread.

use std::collections::hash_map::Entry;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::Waker;

use linsock::NtStatus;
use linsock::iocp::buffer::Buffers;
use linsock::iocp::irp::{Done, Irp as Operation, Sink, Target};
use linsock::iocp::sync::Lock;
use linsock::socket::Socket;
use rustc_hash::FxHashMap;

use crate::client::Client;
use crate::ddk::irp::{Irp, IrpPtr};
use crate::socket::WskSocket;
use crate::status::{self, Status};
use crate::{misuse, worker};

/// What a request ends with: IoStatus.Status and IoStatus.Information.
pub(crate) type Outcome = (Status, usize);

pub(crate) fn outcome(done: Done) -> Outcome {
    let status = status::of(done.status);
    (status, if status::is_success(status) { done.bytes } else { 0 })
}

/// How requests complete that are over at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// STATUS_PENDING, and the completion by the provider's thread.
    Pend,
    /// Inside the call.
    Inline,
}

const PEND: u8 = 0;
const INLINE: u8 = 1;
const RANDOM: u8 = 2;

static STYLE: LazyLock<AtomicU8> = LazyLock::new(|| {
    let (style, seed) = match std::env::var("LINSOCK_WSK_COMPLETION") {
        Ok(text) => match text.split_once(':').unwrap_or((&text, "1")) {
            ("inline", _) => (INLINE, 0),
            ("random", seed) => (RANDOM, seed.parse().unwrap_or(1)),
            _ => (PEND, 0),
        },
        Err(_) => (PEND, 0),
    };
    SEED.store(seed, Ordering::Relaxed);
    AtomicU8::new(style)
});
static SEED: AtomicU64 = AtomicU64::new(1);

/// Sets how requests complete that are over at once: 0 pend, 1 inline, 2 at random.
/// `LINSOCK_WSK_COMPLETION=pend|inline|random:SEED` says the same.
#[unsafe(no_mangle)]
pub extern "C" fn linsock_wsk_completion(Style: u32, Seed: u64) {
    STYLE.store(u8::try_from(Style).unwrap_or(PEND), Ordering::Relaxed);
    SEED.store(Seed | 1, Ordering::Relaxed);
}

fn style() -> Style {
    let step = |state: u64| {
        let mut next = state | 1;
        next ^= next << 13;
        next ^= next >> 7;
        Some(next ^ next << 17)
    };
    match STYLE.load(Ordering::Relaxed) {
        INLINE => Style::Inline,
        RANDOM => {
            let drawn = SEED.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step);
            if drawn.unwrap_or(0) & 0x10_0000 == 0 { Style::Pend } else { Style::Inline }
        }
        _ => Style::Pend,
    }
}

/// The call has not returned, and its operation is not over.
const STARTING: u8 = 0;
/// The call has said STATUS_PENDING: the packet, which is there or will come, has the request
/// completed.
const PENDED: u8 = 1;
/// The operation was over before the call returned; its packet is there, unless it was refused.
const FINISHED: u8 = 2;
/// The same, and no packet is there: none was made, or the provider's thread came first.
const DELIVERED: u8 = 3;

/// See the module's documentation. What its call makes of the end differs in type from call to
/// call, so that a request is one piece of memory.
pub(crate) type Request = dyn InProgress;

/// A [`Request`], which has the methods.
pub(crate) trait InProgress: Sink {
    fn head(&self) -> &Head;

    /// Changes what IoCancelIrp cancels, and what follows the completion routine.
    fn change(&self, change: &mut dyn FnMut(&mut Attached));

    /// Makes the outcome, once. It comes with what is left to be done.
    fn finish(&self) -> Option<(Outcome, Attached)>;
}

/// What every request has.
pub(crate) struct Head {
    irp: IrpPtr,
    call: &'static str,
    /// The socket of the call.
    socket: Option<Arc<WskSocket>>,
    phase: AtomicU8,
    /// Its operation was refused, or failed: known with the phase.
    failed: AtomicBool,
}

/// What few requests have.
#[derive(Default)]
pub(crate) struct Attached {
    /// The operation that IoCancelIrp cancels, if it is not the request's own on its own socket.
    other: Option<(Arc<Socket>, usize)>,
    /// A client that has one socket less when the completion routine has returned.
    leaves: Option<Arc<Client>>,
}

struct Whole<F> {
    head: Head,
    rest: Lock<Rest<F>>,
}

struct Rest<F> {
    done: Option<Done>,
    finish: Option<F>,
    attached: Attached,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Head { call, irp, .. } = self.head();
        f.debug_struct("Request").field("call", call).field("irp", irp).finish()
    }
}

/// The IRPs that the provider has.
static IN_FLIGHT: LazyLock<Lock<FxHashMap<usize, Arc<Request>>>> = LazyLock::new(Lock::default);

/// Whether the provider does not have this IRP; it is reported otherwise.
pub(crate) fn check_idle(call: &str, irp: *mut Irp) -> bool {
    let user = IN_FLIGHT.lock().get(&irp.addr()).map(|request| request.head().call);
    if let Some(user) = user {
        report_busy(call, irp, user);
    }
    user.is_none()
}

fn report_busy(call: &str, irp: *mut Irp, user: &str) {
    misuse::report(call, format_args!("the IRP {irp:?} is in the hands of {user}"));
}

unsafe extern "C" fn cancel(_device: *mut std::ffi::c_void, irp: *mut Irp) {
    let request = IN_FLIGHT.lock().get(&irp.addr()).cloned();
    if let Some(request) = request {
        request.take_back();
    }
}

impl Request {
    /// Accepts an IRP for a call, on a socket or none; `finish` makes its outcome.
    ///
    /// # Errors
    /// STATUS_INVALID_PARAMETER, with nothing completed, for null or an IRP that another call has
    /// (Wine's test, which ran on Windows; wsk 2.1).
    pub(crate) fn accept<F>(
        call: &'static str,
        irp: *mut Irp,
        socket: Option<Arc<WskSocket>>,
        finish: F,
    ) -> Result<Arc<Self>, Status>
    where
        F: FnOnce(Option<&Arc<WskSocket>>, Done) -> Outcome + Send + 'static,
    {
        let ptr = IrpPtr::new(irp).ok_or(status::INVALID_PARAMETER)?;
        let (phase, failed) = (AtomicU8::new(STARTING), AtomicBool::new(false));
        let head = Head { irp: ptr, call, socket, phase, failed };
        let rest = Rest { done: None, finish: Some(finish), attached: Attached::default() };
        let request: Arc<Self> = Arc::new(Whole { head, rest: Lock::new(rest) });
        // One look and one step: two calls may be given the same IRP at once.
        let user = match IN_FLIGHT.lock().entry(ptr.addr()) {
            Entry::Occupied(taken) => Some(taken.get().head().call),
            Entry::Vacant(free) => {
                free.insert(Arc::clone(&request));
                None
            }
        };
        if let Some(user) = user {
            report_busy(call, irp, user);
            return Err(status::INVALID_PARAMETER);
        }
        if !ptr.take_location(call) {
            IN_FLIGHT.lock().remove(&ptr.addr());
            return Err(status::INVALID_PARAMETER);
        }
        ptr.set_cancel_routine(cancel);
        Ok(request)
    }

    /// The socket of the call.
    pub(crate) fn socket(&self) -> Option<&Arc<WskSocket>> {
        self.head().socket.as_ref()
    }

    /// The operation to be started, whose end is the request's.
    pub(crate) fn operation(self: &Arc<Self>, buffers: Buffers) -> Operation {
        Operation::new(Target::Sink { sink: self.sink(), packet: true }, buffers)
    }

    fn sink(self: &Arc<Self>) -> Arc<dyn Sink> {
        Arc::<Self>::clone(self)
    }

    /// The client has one socket less when the completion routine has returned.
    pub(crate) fn leaves(&self, client: &Arc<Client>) {
        self.change(&mut |attached| attached.leaves = Some(Arc::clone(client)));
    }

    /// The operation on this socket that has this key is what IoCancelIrp cancels, instead of the
    /// request's own on its own socket.
    pub(crate) fn waits_for(&self, socket: &Arc<Socket>, key: usize) {
        self.change(&mut |attached| attached.other = Some((Arc::clone(socket), key)));
    }

    /// The key of the request's operation.
    pub(crate) fn key(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// IoCancelIrp may have been called when there was nothing to cancel yet. The IRP has to be the
    /// provider's: the caller is its thread, or the call that has not returned.
    pub(crate) fn heed_cancel(&self) {
        if self.head().irp.is_cancelled() {
            self.take_back();
        }
    }

    fn take_back(&self) {
        let mut other = None;
        self.change(&mut |attached| other.clone_from(&attached.other));
        match (other, &self.head().socket) {
            (Some((socket, key)), _) => {
                socket.cancel_operations(&|operation| operation.key() == key);
            }
            (None, Some(socket)) => socket.take_back(self.key()),
            (None, None) => {}
        }
    }

    /// The end of a request that no operation has.
    pub(crate) fn end(&self, status: NtStatus, buffers: Buffers, bytes: usize) {
        self.lose(Done { status, bytes, buffers });
    }

    /// As [`end`](Self::end), without octets.
    pub(crate) fn end_with(&self, status: NtStatus) {
        self.end(status, Buffers::empty(), 0);
    }

    /// The call returns: with the result, or with STATUS_PENDING.
    pub(crate) fn conclude(self: &Arc<Self>) -> Status {
        self.heed_cancel();
        // Before anybody else may complete it.
        self.head().irp.set_pending(true);
        if self.moves(STARTING, PENDED) {
            return status::PENDING;
        }
        // A refusal is told at once, on Windows too (wsk 2.2, WskConnect before WskBind).
        let pends = style() == Style::Pend && !self.head().failed.load(Ordering::Relaxed);
        if pends {
            self.leave_to_packet();
            return status::PENDING;
        }
        self.head().irp.set_pending(false);
        self.hand_back()
    }

    /// As [`conclude`](Self::conclude), by the provider's thread whatever the style.
    pub(crate) fn conclude_later(self: &Arc<Self>) -> Status {
        self.heed_cancel();
        self.head().irp.set_pending(true);
        if !self.moves(STARTING, PENDED) {
            self.leave_to_packet();
        }
        status::PENDING
    }

    /// The operation is over: its packet, or another where there is none, has the IRP completed.
    fn leave_to_packet(self: &Arc<Self>) {
        if !self.moves(FINISHED, PENDED) {
            self.post();
        }
    }

    fn moves(&self, from: u8, to: u8) -> bool {
        let phase = &self.head().phase;
        // A look first: an attempt costs ten times as much, and many fail.
        phase.load(Ordering::Acquire) == from
            && phase.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    fn post(self: &Arc<Self>) {
        self.head().phase.store(PENDED, Ordering::Release);
        worker::deliver(self.sink());
    }

    /// Hands the IRP back.
    fn hand_back(&self) -> Status {
        let head = self.head();
        let Some(((status, information), attached)) = self.finish() else {
            return status::PENDING;
        };
        IN_FLIGHT.lock().remove(&head.irp.addr());
        head.irp.complete(status, information);
        if let Some(client) = attached.leaves {
            client.socket_gone();
        }
        status
    }
}

impl<F> InProgress for Whole<F>
where
    F: FnOnce(Option<&Arc<WskSocket>>, Done) -> Outcome + Send + 'static,
{
    fn head(&self) -> &Head {
        &self.head
    }

    fn change(&self, change: &mut dyn FnMut(&mut Attached)) {
        change(&mut self.rest.lock().attached);
    }

    fn finish(&self) -> Option<(Outcome, Attached)> {
        let (done, finish, attached) = {
            let rest = &mut *self.rest.lock();
            (rest.done.take()?, rest.finish.take()?, std::mem::take(&mut rest.attached))
        };
        Some((finish(self.head.socket.as_ref(), done), attached))
    }
}

impl<F> Whole<F> {
    fn note(&self, done: Done) {
        self.head.failed.store(!done.status.is_success(), Ordering::Relaxed);
        self.rest.lock().done = Some(done);
    }
}

impl<F> Sink for Whole<F>
where
    F: FnOnce(Option<&Arc<WskSocket>>, Done) -> Outcome + Send + 'static,
{
    /// The packet that follows has the request completed, if the call has not seen to it.
    fn complete(&self, done: Done) -> Option<Waker> {
        self.note(done);
        let request: &Request = self;
        request.moves(STARTING, FINISHED);
        None
    }

    fn lose(&self, done: Done) -> Option<Waker> {
        self.note(done);
        let request: &Request = self;
        if !request.moves(STARTING, DELIVERED) {
            // It is there until the IRP is handed back.
            let own = IN_FLIGHT.lock().get(&self.head.irp.addr()).cloned();
            if let Some(own) = own {
                own.post();
            }
        }
        None
    }

    /// A call that has not returned sees to it itself.
    fn run(self: Arc<Self>) {
        let request: &Request = &*self;
        let overtaken = request.moves(FINISHED, DELIVERED);
        if !overtaken && self.head.phase.load(Ordering::Acquire) == PENDED {
            request.hand_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::c_void;
    use std::sync::Barrier;
    use std::sync::mpsc::{self, Receiver, Sender};
    use std::time::Duration;

    use super::*;
    use crate::ddk::irp::{IoAllocateIrp, IoFreeIrp, tests::set_completion_routine};

    unsafe extern "C" fn tell(_device: *mut c_void, irp: *mut Irp, context: *mut c_void) -> i32 {
        // SAFETY: what `new_irp` has given.
        let sender = unsafe { Box::from_raw(context.cast::<Sender<i32>>()) };
        // SAFETY: the test's IRP, which lives until the test frees it.
        let _ = sender.send(unsafe { (*irp).status() });
        status::MORE_PROCESSING_REQUIRED
    }

    /// An IRP, and where its status comes when it completes.
    fn new_irp() -> (*mut Irp, Receiver<i32>) {
        worker::prepare().unwrap();
        let (sender, receiver) = mpsc::channel();
        // SAFETY: no precondition.
        let irp = unsafe { IoAllocateIrp(1, 0) };
        set_completion_routine(irp, tell, Box::into_raw(Box::new(sender)).cast());
        (irp, receiver)
    }

    fn outcome(_socket: Option<&Arc<WskSocket>>, done: Done) -> Outcome {
        (status::of(done.status), done.bytes)
    }

    fn status_told(receiver: &Receiver<i32>) -> i32 {
        receiver.recv_timeout(Duration::from_secs(10)).unwrap()
    }

    /// I4, as a panic would have it.
    #[test]
    fn a_lost_operation_completes_its_irp() {
        let cancelled = status::of(NtStatus::CANCELLED);
        for lost_inside in [false, true] {
            let (irp, told) = new_irp();
            let request = Request::accept("test", irp, None, outcome).unwrap();
            let operation = request.operation(Buffers::empty());
            if lost_inside {
                drop(operation);
                assert_eq!(request.conclude(), cancelled);
            } else {
                assert_eq!(request.conclude(), status::PENDING);
                drop(operation);
            }
            assert_eq!(status_told(&told), cancelled);
            // SAFETY: it has completed, and nobody else has it.
            unsafe { IoFreeIrp(irp) };
        }
    }

    /// The provider's thread may have the packet before the call says STATUS_PENDING; the IRP
    /// completes once, and only then.
    #[test]
    fn a_packet_that_overtakes_its_call_waits_for_it() {
        let (irp, told) = new_irp();
        let request = Request::accept("test", irp, None, outcome).unwrap();
        let buffers = Buffers::empty();
        let done = Done { status: NtStatus::SUCCESS, bytes: 7, buffers };
        assert!(request.complete(done).is_none());
        Arc::clone(&request).run();
        assert!(told.try_recv().is_err(), "the call has not returned");
        assert_eq!(request.conclude_later(), status::PENDING);
        assert_eq!(status_told(&told), status::SUCCESS);
        Arc::clone(&request).run();
        assert!(told.try_recv().is_err(), "once");
        // SAFETY: as above.
        unsafe { IoFreeIrp(irp) };
    }

    unsafe extern "C" fn count(_device: *mut c_void, _irp: *mut Irp, context: *mut c_void) -> i32 {
        // SAFETY: the test's counter, which is never freed.
        unsafe { &*context.cast::<AtomicU8>() }.fetch_add(1, Ordering::SeqCst);
        status::MORE_PROCESSING_REQUIRED
    }

    /// Whoever comes first, the call that returns or the packet of its operation.
    #[test]
    fn a_call_and_its_packet_complete_the_irp_once() {
        worker::prepare().unwrap();
        for style in [INLINE, PEND] {
            STYLE.store(style, Ordering::Relaxed);
            for _ in 0..500 {
                let told: &'static AtomicU8 = Box::leak(Box::default());
                // SAFETY: no precondition.
                let irp = unsafe { IoAllocateIrp(1, 0) };
                set_completion_routine(irp, count, ptr::from_ref(told).cast_mut().cast());
                let request = Request::accept("test", irp, None, outcome).unwrap();
                let begin = Barrier::new(2);
                std::thread::scope(|scope| {
                    scope.spawn(|| {
                        begin.wait();
                        let buffers = Buffers::empty();
                        request.complete(Done { status: NtStatus::SUCCESS, bytes: 0, buffers });
                        Arc::clone(&request).run();
                    });
                    begin.wait();
                    request.conclude();
                });
                // What was left to the provider's thread is done when this is.
                let (done, is_done) = mpsc::channel();
                worker::post(move || done.send(()).unwrap());
                is_done.recv_timeout(Duration::from_secs(10)).unwrap();
                assert_eq!(told.load(Ordering::SeqCst), 1);
                // SAFETY: it has completed, and nobody else has it.
                unsafe { IoFreeIrp(irp) };
            }
        }
    }
}

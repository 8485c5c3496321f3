//! A file that receives: the smallest thing with a descriptor and pending operations.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use linsock_iocp::NtStatus;
use linsock_iocp::buffer::{Buffers, RecvFlags};
use linsock_iocp::clock::Deadline;
use linsock_iocp::driver::{Driver, Interest, Readiness};
use linsock_iocp::event::Event;
use linsock_iocp::file::{AlreadyAssociated, File, FileCore};
use linsock_iocp::guardian;
use linsock_iocp::handle::{Object, table};
use linsock_iocp::irp::{Beside, Deferred, Irp, Routine, Target, Timing};
use linsock_iocp::overlapped::{Overlapped, OverlappedPtr};
use linsock_iocp::port::{CompletionPort, NoPacket, Packet, Told};
use linsock_iocp::reactor;
use linsock_iocp::sync::Lock;
use linsock_iocp::thread::{self, Thread};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

/// One end of a socket pair, in the handle table.
pub(crate) struct Pipe {
    core: FileCore,
    inner: Lock<Inner>,
    performed_by: AtomicU64,
}

#[derive(Default)]
struct Inner {
    fd: Option<OwnedFd>,
    is_watched: bool,
    receives: VecDeque<Irp>,
}

/// What is given with a receive.
#[derive(Default)]
pub(crate) struct Given {
    pub(crate) event: Option<Arc<Event>>,
    /// The low bit of `hEvent`.
    pub(crate) low_bit: bool,
    pub(crate) routine: Option<Routine>,
}

impl Given {
    pub(crate) fn event(event: &Arc<Event>) -> Self {
        Self { event: Some(Arc::clone(event)), ..Self::default() }
    }
}

/// The program's OVERLAPPED, never freed.
pub(crate) type Shared = &'static Overlapped;

/// `Internal`: STATUS_PENDING is 0x103 (MS-ERREF).
pub(crate) const PENDING: usize = 0x103;
/// `Internal`: STATUS_CANCELLED (MS-ERREF).
pub(crate) const CANCELLED: usize = 0xC000_0120;

/// The status in an OVERLAPPED.
pub(crate) fn status(overlapped: Shared) -> usize {
    overlapped.internal.load(Ordering::Acquire)
}

/// The identity of an operation in its packet.
pub(crate) fn addr(overlapped: Shared) -> usize {
    std::ptr::from_ref(overlapped).addr()
}

impl Pipe {
    /// A new pipe, and the end to write to.
    pub(crate) fn new() -> (Arc<Self>, OwnedFd) {
        reactor::prepare().unwrap();
        let flags = SocketFlags::CLOEXEC;
        let (fd, other) = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap();
        let mut pipe = None;
        table()
            .insert_with(|handle, token| {
                let inner = Lock::new(Inner { fd: Some(fd), ..Inner::default() });
                let (core, performed_by) = (FileCore::new(handle, token), AtomicU64::new(0));
                let file = Arc::new(Self { core, inner, performed_by });
                Object::File(Arc::clone(pipe.insert(file)) as Arc<dyn File>)
            })
            .unwrap();
        (pipe.unwrap(), other)
    }

    /// A pipe on a port.
    pub(crate) fn on(port: &Arc<CompletionPort>, key: usize) -> (Arc<Self>, OwnedFd) {
        let (pipe, other) = Self::new();
        pipe.associate(port, key).unwrap();
        (pipe, other)
    }

    /// Starts to receive one octet; `None` if the handle is closed.
    pub(crate) fn receive(&self, given: Given) -> Option<Shared> {
        let overlapped: Shared = Box::leak(Box::default());
        // SAFETY: it is never freed, and shared references to it allow atomic stores.
        let ptr = unsafe { OverlappedPtr::new(NonNull::from(overlapped)) };
        let routine = given.routine.map(|routine| Box::new((thread::current(), routine)));
        let beside = routine.map(Beside::Routine).or_else(|| given.event.map(Beside::Event));
        let target = Target::overlapped(ptr, !given.low_bit, beside);
        let mut irp = Irp::new(target, Buffers::from_vec(vec![0]));
        irp.begin(&self.core);
        let mut after = Deferred::default();
        let mut inner = self.inner.lock();
        if inner.fd.is_none() {
            irp.refuse(NtStatus::INVALID_HANDLE);
            return None;
        }
        inner.receives.push_back(irp);
        inner.progress(&self.core, Timing::Inline, &mut after);
        if let Some(irp) = inner.receives.back() {
            irp.pended(&self.core);
            if self.core.association().is_none() {
                reactor::reactor().note_pending();
            }
            inner.watch(self);
        }
        drop(inner);
        after.run();
        Some(overlapped)
    }

    /// The thread that the last report reached.
    pub(crate) fn performed_by(&self) -> u64 {
        self.performed_by.load(Ordering::Relaxed)
    }

    fn driver(&self) -> &Driver {
        match self.core.association() {
            Some(association) => association.port.driver(),
            None => reactor::reactor().driver(),
        }
    }

    /// Closes the handle.
    pub(crate) fn close_handle(&self) {
        if let Some(Object::File(file)) = table().remove(self.core.handle()) {
            file.close();
        }
    }
}

impl Inner {
    fn watch(&mut self, pipe: &Pipe) {
        if let Some(fd) = self.fd.as_ref().filter(|_| !self.is_watched) {
            pipe.driver().add(fd.as_fd(), pipe.core.token(), Interest::Edges).unwrap();
            self.is_watched = true;
        }
    }

    fn progress(&mut self, core: &FileCore, timing: Timing, after: &mut Deferred) {
        while let (Some(irp), Some(fd)) = (self.receives.front_mut(), &self.fd) {
            let (status, bytes) = match irp.buffers.recv(fd.as_fd(), RecvFlags::NONE) {
                Ok(bytes) => (NtStatus::SUCCESS, bytes),
                Err(Errno::AGAIN) => return,
                Err(_) => (NtStatus::CONNECTION_RESET, 0),
            };
            if let Some(mut irp) = self.receives.pop_front() {
                irp.complete(core, timing, status, bytes, after);
            }
        }
    }
}

impl File for Pipe {
    fn core(&self) -> &FileCore {
        &self.core
    }

    fn handle_ready(&self, _: Readiness, after: &mut Deferred) {
        self.performed_by.store(thread::id(), Ordering::Relaxed);
        self.inner.lock().progress(&self.core, Timing::Pended, after);
    }

    fn cancel(&self, chosen: &dyn Fn(&Irp) -> bool) -> usize {
        let mut after = Deferred::default();
        let mut inner = self.inner.lock();
        let (gone, kept) =
            std::mem::take(&mut inner.receives).into_iter().partition::<VecDeque<_>, _>(chosen);
        inner.receives = kept;
        let count = gone.len();
        for mut irp in gone {
            irp.complete(&self.core, Timing::Pended, NtStatus::CANCELLED, 0, &mut after);
        }
        drop(inner);
        after.run();
        count
    }

    fn associate(&self, port: &Arc<CompletionPort>, key: usize) -> Result<(), AlreadyAssociated> {
        let mut inner = self.inner.lock();
        if self.core.association().is_some() {
            return Err(AlreadyAssociated);
        }
        let was_watched = std::mem::take(&mut inner.is_watched);
        if let Some(fd) = inner.fd.as_ref().filter(|_| was_watched) {
            self.driver().remove(fd.as_fd());
        }
        self.core.set_association(port, key)?;
        if was_watched {
            inner.watch(self);
        }
        Ok(())
    }

    fn close(&self) {
        self.inner.lock().fd = None;
        self.cancel(&|_| true);
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        assert!(self.inner.lock().receives.is_empty(), "I3");
    }
}

/// Writes one octet to the other end.
pub(crate) fn write(other: &OwnedFd) {
    rustix::io::write(other, b"x").unwrap();
}

/// A packet of the program's own.
pub(crate) fn packet(key: usize) -> Packet {
    Packet { key, overlapped: 0, status: NtStatus::SUCCESS, bytes: 0, sink: None }
}

/// PostQueuedCompletionStatus.
pub(crate) fn post(port: &Arc<CompletionPort>, key: usize) {
    let mut after = Deferred::default();
    port.post(packet(key), &mut after);
    after.run();
}

/// GetQueuedCompletionStatus: one packet.
pub(crate) fn take(port: &Arc<CompletionPort>, deadline: Deadline) -> Result<Told, NoPacket> {
    let mut taken = None;
    port.wait(1, deadline, false, |packet| taken = Some(packet))?;
    Ok(taken.expect("a packet"))
}

/// QueueUserAPC.
pub(crate) fn queue(thread: &Arc<Thread>, call: impl FnOnce() + Send + 'static) -> bool {
    thread.queue_apc(linsock_iocp::apc::Apc::new(call))
}

/// Returns when the guardian has looked at everything, from beginning to end, since the call:
/// timers come before a look.
pub(crate) fn until_the_guardian_has_looked() {
    for _ in 0..2 {
        let (tell, told) = std::sync::mpsc::channel();
        guardian::call_after(Duration::ZERO, move || tell.send(()).unwrap());
        told.recv().unwrap();
    }
}

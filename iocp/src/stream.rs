//! Streams: pipes, terminals, and whatever else the process's standard streams are.
//!
//! Their transfers wait, with an OVERLAPPED too, as those of Windows' anonymous pipes do.

use std::any::Any;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use linsock_afd::NtStatus;
use rustix::event::{PollFd, PollFlags};
use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat};
use rustix::io::{Errno, ioctl_fionread, read};
use rustix::pipe::{
    PipeFlags, SpliceFlags, fcntl_getpipe_size, fcntl_setpipe_size, pipe_with, tee,
};

use crate::buffer::Buffers;
use crate::clock::Deadline;
use crate::disk::{Access, Way, status_of_errno, tell};
use crate::driver::Readiness;
use crate::file::{AlreadyAssociated, File, FileCore};
use crate::handle::{self, Handle, Object, TableFull};
use crate::irp::{Deferred, Irp};
use crate::port::{self, CompletionPort};
use crate::sync::poll;
use crate::thread::{self, Synchronous};

/// One of the process's standard streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standard {
    /// Descriptor 0.
    Input,
    /// Descriptor 1.
    Output,
    /// Descriptor 2.
    Error,
}

/// What a stream is on.
#[derive(Debug)]
pub enum Descriptor {
    /// A descriptor of our own, closed with the last handle.
    Own(OwnedFd),
    /// A standard stream: whatever is open under its number, which is never closed here.
    Standard(Standard),
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Own(fd) => fd.as_fd(),
            Self::Standard(Standard::Input) => rustix::stdio::stdin(),
            Self::Standard(Standard::Output) => rustix::stdio::stdout(),
            Self::Standard(Standard::Error) => rustix::stdio::stderr(),
        }
    }
}

/// What kind of thing a stream is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A pipe, or a socket that came as a standard stream.
    Pipe,
    /// A terminal or another device.
    Character,
    /// A file.
    Disk,
}

/// A stream with a handle.
#[derive(Debug)]
pub struct Stream {
    core: FileCore,
    /// Shared with the duplicates of the handle.
    descriptor: Arc<Descriptor>,
    access: Access,
}

/// A look into a pipe.
#[derive(Debug, Default)]
pub struct Peeked {
    /// What is next, as much as was asked for.
    pub octets: Vec<u8>,
    /// How many octets wait.
    pub available: usize,
}

impl Stream {
    /// Enters a stream into the handle table. What it can do is what its descriptor was opened for.
    ///
    /// # Errors
    /// `Errno::BADF` for a standard stream that is not open, `Errno::MFILE` for a full table.
    pub fn enter(descriptor: Descriptor) -> Result<Handle, Errno> {
        let access = access_of(descriptor.as_fd())?;
        let entered = Self::enter_shared(Arc::new(descriptor), access);
        entered.map_err(|TableFull| Errno::MFILE)
    }

    fn enter_shared(descriptor: Arc<Descriptor>, access: Access) -> Result<Handle, TableFull> {
        handle::table().insert_with(|handle, token| {
            let core = FileCore::new(handle, token);
            Object::File(Arc::new(Self { core, descriptor, access }))
        })
    }

    /// Enters a stream under the handle that it has in the process that started this one.
    ///
    /// # Errors
    /// `Errno::EXIST` if the handle is another object's.
    pub fn adopt(handle: Handle, descriptor: Descriptor) -> Result<(), Errno> {
        let access = access_of(descriptor.as_fd())?;
        let descriptor = Arc::new(descriptor);
        let is_adopted = handle::table().adopt(handle, |handle, token| {
            let core = FileCore::new(handle, token);
            Object::File(Arc::new(Self { core, descriptor, access }))
        });
        if is_adopted { Ok(()) } else { Err(Errno::EXIST) }
    }

    /// Gives the stream another handle. A pipe is closed with the last one.
    ///
    /// # Errors
    /// [`TableFull`].
    pub fn duplicate(&self) -> Result<Handle, TableFull> {
        Self::enter_shared(Arc::clone(&self.descriptor), self.access)
    }

    /// The stream behind a handle value; `None` for a handle of anything else.
    pub fn from_value(value: usize) -> Option<Arc<Self>> {
        let file = handle::table().file_of(Handle::from_value(value)?)?;
        (file as Arc<dyn Any + Send + Sync>).downcast().ok()
    }

    /// What it is on.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// What kind of thing that is.
    pub fn kind(&self) -> Kind {
        match fstat(self.fd()).map(|known| FileType::from_raw_mode(known.st_mode)) {
            Ok(FileType::Fifo | FileType::Socket) => Kind::Pipe,
            Ok(FileType::RegularFile | FileType::BlockDevice) => Kind::Disk,
            _ => Kind::Character,
        }
    }

    /// Whether it is a terminal: a console.
    pub fn is_terminal(&self) -> bool {
        rustix::termios::isatty(self.fd())
    }

    /// What it can be used for.
    pub const fn access(&self) -> Access {
        self.access
    }

    /// Reads what is there, waiting for the first octet; or writes everything, waiting for who
    /// reads. Gives the octets.
    ///
    /// # Errors
    /// ERROR_ACCESS_DENIED for the wrong way; ERROR_BROKEN_PIPE when nobody has the other end;
    /// ERROR_NOACCESS; what the device says; STATUS_CANCELLED for a wait for a pipe's data that
    /// [`Thread::cancel_synchronous`](thread::Thread::cancel_synchronous) has ended.
    pub fn transfer(&self, way: Way, buffers: &mut Buffers) -> Result<usize, NtStatus> {
        let allowed = match way {
            Way::Read => self.access.read,
            Way::Write => self.access.write,
        };
        if !allowed {
            return Err(NtStatus::ACCESS_DENIED);
        }
        let is_pipe = self.kind() == Kind::Pipe;
        while buffers.remaining() > 0 {
            if is_pipe && way == Way::Read {
                self.await_data()?;
            }
            let moved = match way {
                Way::Read => buffers.read_stream(self.fd()),
                Way::Write => buffers.write_stream(self.fd()),
            };
            match moved {
                Ok(0) if way == Way::Read && self.is_pipe() => return Err(NtStatus::PIPE_BROKEN),
                Ok(_) if way == Way::Read => break,
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.wait_for(way),
                Err(errno) => return Err(refusal(errno)),
            }
        }
        Ok(buffers.done())
    }

    /// Performs a transfer with an OVERLAPPED, whose end is told as that of any operation. Gives
    /// the octets.
    ///
    /// # Errors
    /// As [`transfer`](Self::transfer); nobody but the caller is told.
    pub fn start(&self, way: Way, mut irp: Irp) -> Result<usize, NtStatus> {
        irp.begin(&self.core);
        let result = self.transfer(way, &mut irp.buffers);
        tell(&self.core, irp, result)
    }

    /// Looks into a pipe, and leaves what is there.
    ///
    /// # Errors
    /// ERROR_INVALID_FUNCTION's status for what is no pipe, ERROR_ACCESS_DENIED for one that is not
    /// read, ERROR_BROKEN_PIPE when nothing is there and nothing will come.
    pub fn peek(&self, most: usize) -> Result<Peeked, NtStatus> {
        if !self.is_pipe() {
            return Err(NtStatus::NOT_IMPLEMENTED);
        }
        if !self.access.read {
            return Err(NtStatus::ACCESS_DENIED);
        }
        let waiting = ioctl_fionread(self.fd()).map_err(refusal)?;
        let available = usize::try_from(waiting).unwrap_or(usize::MAX);
        if available == 0 && self.is_abandoned() {
            return Err(NtStatus::PIPE_BROKEN);
        }
        let octets = self.copy_of_next(most.min(available)).map_err(refusal)?;
        Ok(Peeked { octets, available })
    }

    /// Copies what is next through a pipe of its own.
    fn copy_of_next(&self, most: usize) -> Result<Vec<u8>, Errno> {
        let mut octets = vec![0; most];
        if most == 0 {
            return Ok(octets);
        }
        let (from, into) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        // What does not fit into the copy is not seen.
        if let (Ok(theirs), Ok(ours)) = (fcntl_getpipe_size(self.fd()), fcntl_getpipe_size(&into))
            && ours < theirs
        {
            let _ = fcntl_setpipe_size(&into, theirs);
        }
        let copied = match tee(self.fd(), &into, most, SpliceFlags::NONBLOCK) {
            // Somebody else has read it meanwhile.
            Err(Errno::AGAIN) => 0,
            copied => copied?,
        };
        let mut got = 0;
        while got < copied {
            match read(&from, &mut octets[got..copied])? {
                0 => break,
                count => got += count,
            }
        }
        octets.truncate(got);
        Ok(octets)
    }

    fn is_pipe(&self) -> bool {
        fstat(self.fd()).is_ok_and(|known| FileType::from_raw_mode(known.st_mode).is_fifo())
    }

    /// Nobody can write to the pipe any more, and nothing is in it.
    fn is_abandoned(&self) -> bool {
        let fd = self.fd();
        let mut fds = [PollFd::new(&fd, PollFlags::IN)];
        poll(&mut fds, Deadline::after_ms(0));
        let told = fds[0].revents();
        told.contains(PollFlags::HUP) && !told.contains(PollFlags::IN)
    }

    /// Waits until a descriptor that somebody has made non-blocking can be used.
    fn wait_for(&self, way: Way) {
        let fd = self.fd();
        let flags = if way == Way::Read { PollFlags::IN } else { PollFlags::OUT };
        poll(&mut [PollFd::new(&fd, flags)], Deadline::Never);
    }

    /// Waits until a read would not wait, which can be cancelled where a read could not. Calls to
    /// the thread stay queued. If another thread is faster the read waits after all.
    fn await_data(&self) -> Result<(), NtStatus> {
        let fd = self.fd();
        let data = PollFd::new(&fd, PollFlags::IN);
        let mut fds = [data.clone()];
        poll(&mut fds, Deadline::after_ms(0));
        if !fds[0].revents().is_empty() {
            return Ok(());
        }
        port::step_aside();
        let thread = thread::current();
        let operation = Synchronous::begin(&thread);
        let wake = PollFd::from_borrowed_fd(thread.wake_fd(), PollFlags::IN);
        let mut fds = [wake, data];
        loop {
            thread.rearm(!fds[0].revents().is_empty());
            if operation.is_cancelled() {
                return Err(NtStatus::CANCELLED);
            }
            poll(&mut fds, thread.patience(Deadline::Never));
            if !fds[1].revents().is_empty() {
                return Ok(());
            }
        }
    }

    fn fd(&self) -> BorrowedFd<'_> {
        (*self.descriptor).as_fd()
    }
}

fn access_of(fd: BorrowedFd<'_>) -> Result<Access, Errno> {
    let mode = fcntl_getfl(fd)?.intersection(OFlags::RWMODE);
    let write = mode != OFlags::RDONLY;
    Ok(Access { read: mode != OFlags::WRONLY, write, append: write })
}

const fn refusal(errno: Errno) -> NtStatus {
    match errno {
        Errno::PIPE => NtStatus::PIPE_BROKEN,
        errno => status_of_errno(errno),
    }
}

/// Makes a pipe: the end that is read, and the one that is written. It holds `size` octets or
/// more, unless that is more than the system allows.
///
/// # Errors
/// As pipe2(2).
pub fn new_pipe(size: u32) -> io::Result<(OwnedFd, OwnedFd)> {
    let (from, into) = pipe_with(PipeFlags::CLOEXEC)?;
    let size = usize::try_from(size).unwrap_or(0);
    if fcntl_getpipe_size(&into).is_ok_and(|has| has < size) {
        // "The size is only a suggestion" (CreatePipe page).
        let _ = fcntl_setpipe_size(&into, size);
    }
    Ok((from, into))
}

impl File for Stream {
    fn core(&self) -> &FileCore {
        &self.core
    }

    fn handle_ready(&self, _: Readiness, _: &mut Deferred) {}

    /// Nothing is ever pending.
    fn cancel(&self, _: &dyn Fn(&Irp) -> bool) -> usize {
        0
    }

    /// A stream is never opened for overlapped transfers.
    fn associate(&self, _: &Arc<CompletionPort>, _: usize) -> Result<(), AlreadyAssociated> {
        Err(AlreadyAssociated)
    }

    fn is_of_winsock(&self) -> bool {
        false
    }

    fn close(&self) {}
}

#[cfg(test)]
mod tests;

//! The transfers between memory and a pipe, a terminal or another stream. They wait.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::io::Errno;

use super::Buffers;
use super::at_file::vector_count;

impl Buffers {
    /// Reads once from a stream into what is left; counts what came. Nothing is its end.
    ///
    /// # Errors
    /// As readv(2).
    pub fn read_stream(&mut self, fd: BorrowedFd<'_>) -> Result<usize, Errno> {
        let read = self.with_rest(|rest| {
            let (vectors, count) = (rest.as_ptr(), vector_count(rest));
            // SAFETY: the kernel checks the addresses of the vectors, whose memory is lent for
            // writing (`from_raw`) or our own; the vectors live through the call.
            let read = unsafe { libc::readv(fd.as_raw_fd(), vectors, count) };
            usize::try_from(read).ok()
        });
        self.count(read, true)
    }

    /// Writes once from what is left to a stream; counts what was taken. A pipe that nobody reads
    /// is an error and never a signal.
    ///
    /// # Errors
    /// As writev(2).
    pub fn write_stream(&mut self, fd: BorrowedFd<'_>) -> Result<usize, Errno> {
        let written = self.with_rest(|rest| {
            let (vectors, count) = (rest.as_ptr(), vector_count(rest));
            let held = HeldPipeSignal::new();
            // SAFETY: the kernel checks the addresses of the vectors and only reads the memory,
            // which is lent (`from_raw`) or our own; the vectors live through the call.
            let written = unsafe { libc::writev(fd.as_raw_fd(), vectors, count) };
            let written = usize::try_from(written).ok();
            // The error stands in errno, which is looked at behind this.
            held.release(written.is_none() && errno() == libc::EPIPE);
            written
        });
        self.count(written, true)
    }
}

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// SIGPIPE, kept away from the calling thread: its default is to end the process, and what the
/// program does about signals is its own.
struct HeldPipeSignal {
    before: libc::sigset_t,
    /// Somebody else's, which stays.
    was_pending: bool,
}

fn pipe_signal() -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: fills in the local.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: filled in by the call before.
    let mut set = unsafe { set.assume_init() };
    // SAFETY: adds a signal that there is to a set of ours.
    unsafe { libc::sigaddset(&raw mut set, libc::SIGPIPE) };
    set
}

fn is_pending() -> bool {
    let mut set = pipe_signal();
    // SAFETY: fills in the local.
    let told = unsafe { libc::sigpending(&raw mut set) };
    // SAFETY: the set was filled in.
    told == 0 && unsafe { libc::sigismember(&raw const set, libc::SIGPIPE) } == 1
}

impl HeldPipeSignal {
    fn new() -> Self {
        let was_pending = is_pending();
        let (set, mut before) = (pipe_signal(), pipe_signal());
        // SAFETY: both sets are locals; the thread's mask is put back by `release`.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, &raw mut before) };
        Self { before, was_pending }
    }

    /// Takes back the signal that the write `raised`, and keeps errno as it is.
    fn release(self, raised: bool) {
        let error = errno();
        if raised && !self.was_pending {
            let (set, none) = (pipe_signal(), libc::timespec { tv_sec: 0, tv_nsec: 0 });
            // SAFETY: takes a pending signal, if there is one; nothing else is told.
            unsafe { libc::sigtimedwait(&raw const set, std::ptr::null_mut(), &raw const none) };
        }
        // SAFETY: the thread's own mask of before.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, std::ptr::null_mut())
        };
        // SAFETY: gives the address of the calling thread's errno.
        let at = unsafe { libc::__errno_location() };
        // SAFETY: that address is valid as long as the thread.
        unsafe { at.write(error) };
    }
}

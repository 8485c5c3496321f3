//! The transfers between memory and a pipe, a terminal or another stream. They wait.

use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::io::Errno;

use super::Buffers;
use super::at_file::vector_count;
use crate::sys::quiet::without_signals;

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
            without_signals(|| {
                // SAFETY: the kernel checks the addresses of the vectors and only reads the memory,
                // which is lent (`from_raw`) or our own; the vectors live through the call.
                let written = unsafe { libc::writev(fd.as_raw_fd(), vectors, count) };
                usize::try_from(written).map_err(|_| last_errno())
            })
        })?;
        self.count(Some(written), true)
    }
}

fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

//! The transfers between memory and a disk file. Unlike those of a socket they wait for the disk.

use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::io::Errno;

use super::{Buffers, VECTORS_MAX};

/// Where in a file a write goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// So many octets behind its beginning.
    At(u64),
    /// Behind its end, wherever that is by then.
    End,
}

impl Buffers {
    /// Reads once from a file into what is left; counts what came. Nothing is the end of the file.
    ///
    /// # Errors
    /// As preadv(2); `Errno::INVAL` for a place that no file has.
    pub fn read_at(&mut self, fd: BorrowedFd<'_>, offset: u64) -> Result<usize, Errno> {
        let offset = libc::off_t::try_from(offset).map_err(|_| Errno::INVAL)?;
        let read = self.with_rest(|rest| {
            let (vectors, count) = (rest.as_ptr(), vector_count(rest));
            // SAFETY: the kernel checks the addresses of the vectors, whose memory is lent for
            // writing (`from_raw`) or our own; the vectors live through the call.
            let read = unsafe { libc::preadv(fd.as_raw_fd(), vectors, count, offset) };
            usize::try_from(read).ok()
        });
        self.count(read, true)
    }

    /// Writes once from what is left to a file; counts what was taken.
    ///
    /// # Errors
    /// As pwritev2(2); `Errno::FBIG` for a place that no file has.
    pub fn write_at(&mut self, fd: BorrowedFd<'_>, place: Place) -> Result<usize, Errno> {
        let (offset, flags) = match place {
            Place::At(offset) => (libc::off_t::try_from(offset).map_err(|_| Errno::FBIG)?, 0),
            Place::End => (0, libc::RWF_APPEND),
        };
        let written = self.with_rest(|rest| {
            let (vectors, count) = (rest.as_ptr(), vector_count(rest));
            // SAFETY: the kernel checks the addresses of the vectors and only reads the memory,
            // which is lent (`from_raw`) or our own; the vectors live through the call.
            let written = unsafe { libc::pwritev2(fd.as_raw_fd(), vectors, count, offset, flags) };
            usize::try_from(written).ok()
        });
        self.count(written, true)
    }
}

pub(super) fn vector_count(vectors: &[libc::iovec]) -> libc::c_int {
    libc::c_int::try_from(vectors.len().min(VECTORS_MAX)).unwrap_or(0)
}

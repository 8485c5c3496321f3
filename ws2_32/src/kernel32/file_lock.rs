//! Locks of ranges of disk files.

use std::sync::Arc;

use linsock::NtStatus;
use linsock::iocp::buffer::Buffers;
use linsock::iocp::disk::{DiskFile, Range};
use linsock::iocp::file::File;
use linsock::iocp::irp::Irp;
use linsock::iocp::overlapped::Overlapped;

use super::file_io::{failed, of_overlapped};
use super::object::no_access;
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::winsock2::overlapped;

const LOCKFILE_FAIL_IMMEDIATELY: u32 = 1;
const LOCKFILE_EXCLUSIVE_LOCK: u32 = 2;

fn file_of(handle: HANDLE) -> Outcome<Arc<DiskFile>> {
    DiskFile::from_value(handle).ok_or(Error::ERROR_INVALID_HANDLE)
}

fn whole(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// An operation with an OVERLAPPED, which names the place; it is over when this returns.
fn overlapped(
    file: &DiskFile,
    len: u64,
    ov: *mut Overlapped,
    start: impl FnOnce(Irp, Range) -> Result<usize, NtStatus>,
) -> Outcome<BOOL> {
    let place = overlapped::place_of(overlapped::checked(ov).map_err(no_access)?);
    let target = overlapped::target(file.core(), ov, None).map_err(of_overlapped)?;
    let irp = Irp::new(target, Buffers::empty());
    start(irp, Range { start: place, len }).map(|_octets| TRUE).map_err(failed)
}

export! {
    /// Locks a range of a file for this handle, against every other handle, unless somebody has
    /// a part of it. The range may lie behind the file's end. It is given back by
    /// [`UnlockFile`], or when the handle is closed.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-lockfile>
    ///
    /// Never blocks.
    ///
    /// # Errors
    /// ERROR_LOCK_VIOLATION; ERROR_INVALID_HANDLE for what is no disk file, ERROR_ACCESS_DENIED for
    /// one that was not opened to be written, ERROR_INVALID_PARAMETER for a range from 2^63 on.
    ///
    /// # Differs from Windows
    /// It keeps away other locks, in every process, and not those who read and write without one.
    /// An exclusive lock wants a file that was opened to be written.
    fn LockFile(
        hFile: HANDLE,
        dwFileOffsetLow: u32,
        dwFileOffsetHigh: u32,
        nNumberOfBytesToLockLow: u32,
        nNumberOfBytesToLockHigh: u32,
    ) -> BOOL, fail FALSE; {
        let range = Range {
            start: whole(dwFileOffsetLow, dwFileOffsetHigh),
            len: whole(nNumberOfBytesToLockLow, nNumberOfBytesToLockHigh),
        };
        file_of(hFile)?.lock(range, true, false).map_err(failed)?;
        Ok(TRUE)
    }

    /// Locks a range of a file for this handle, from the place in the OVERLAPPED on: shared among
    /// those who lock it so too, or exclusively with LOCKFILE_EXCLUSIVE_LOCK.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-lockfileex>
    ///
    /// Blocks until the range is free, unless LOCKFILE_FAIL_IMMEDIATELY is set. The event or the
    /// completion port of the operation is told of success.
    ///
    /// # Errors
    /// As [`LockFile`]; ERROR_INVALID_PARAMETER for unknown flags and for `dwReserved`,
    /// ERROR_NOACCESS. A shared lock wants a file that was opened to be read.
    ///
    /// # Differs from Windows
    /// As LockFile. On a file that was opened for overlapped operations the call waits as well,
    /// where Windows gives ERROR_IO_PENDING. What another process gives back is seen after 10 ms.
    fn LockFileEx(
        hFile: HANDLE,
        dwFlags: u32,
        dwReserved: u32,
        nNumberOfBytesToLockLow: u32,
        nNumberOfBytesToLockHigh: u32,
        lpOverlapped: *mut Overlapped,
    ) -> BOOL, fail FALSE; {
        const KNOWN: u32 = LOCKFILE_FAIL_IMMEDIATELY | LOCKFILE_EXCLUSIVE_LOCK;
        if dwFlags & !KNOWN != 0 || dwReserved != 0 {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        let file = file_of(hFile)?;
        let exclusive = dwFlags & LOCKFILE_EXCLUSIVE_LOCK != 0;
        let waits = dwFlags & LOCKFILE_FAIL_IMMEDIATELY == 0;
        let len = whole(nNumberOfBytesToLockLow, nNumberOfBytesToLockHigh);
        let start = |irp, range| file.start_lock(irp, range, exclusive, waits);
        overlapped(&file, len, lpOverlapped, start)
    }

    /// Gives back a range that was locked by this handle, as it was locked: not a part of it, nor
    /// two at once.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-unlockfile>
    ///
    /// Never blocks.
    ///
    /// # Errors
    /// ERROR_NOT_LOCKED, ERROR_INVALID_HANDLE.
    fn UnlockFile(
        hFile: HANDLE,
        dwFileOffsetLow: u32,
        dwFileOffsetHigh: u32,
        nNumberOfBytesToUnlockLow: u32,
        nNumberOfBytesToUnlockHigh: u32,
    ) -> BOOL, fail FALSE; {
        let range = Range {
            start: whole(dwFileOffsetLow, dwFileOffsetHigh),
            len: whole(nNumberOfBytesToUnlockLow, nNumberOfBytesToUnlockHigh),
        };
        file_of(hFile)?.unlock(range).map_err(failed)?;
        Ok(TRUE)
    }

    /// As [`UnlockFile`], from the place in the OVERLAPPED on, whose event or port is told.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-unlockfileex>
    ///
    /// Never blocks.
    ///
    /// # Errors
    /// As UnlockFile; ERROR_INVALID_PARAMETER for `dwReserved`, ERROR_NOACCESS.
    fn UnlockFileEx(
        hFile: HANDLE,
        dwReserved: u32,
        nNumberOfBytesToUnlockLow: u32,
        nNumberOfBytesToUnlockHigh: u32,
        lpOverlapped: *mut Overlapped,
    ) -> BOOL, fail FALSE; {
        if dwReserved != 0 {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        let file = file_of(hFile)?;
        let len = whole(nNumberOfBytesToUnlockLow, nNumberOfBytesToUnlockHigh);
        overlapped(&file, len, lpOverlapped, |irp, range| file.start_unlock(irp, range))
    }
}

//! Disk files: what `TransmitFile` sends and `ReadFile` reads.
//!
//! # Differs from Windows
//! An overlapped transfer is over when its call returns, as on Windows where the cache has the
//! data; where it has not, the call waits for the disk.

use std::any::Any;
use std::fs::{self, File as OpenFile};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::Arc;

use linsock_afd::NtStatus;
use rustix::io::Errno;

use crate::buffer::{Buffers, Place};
use crate::driver::Readiness;
use crate::file::{AlreadyAssociated, File, FileCore};
use crate::handle::{self, Handle, Object, TableFull};
use crate::irp::{Deferred, Irp, Timing};
use crate::port::CompletionPort;
use crate::sync::{Lock, Locked};
use locks::Locks;

/// What a file was opened for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Its data may be read.
    pub read: bool,
    /// Its data may be written.
    pub write: bool,
    /// Data may be written behind its end.
    pub append: bool,
}

/// How a file was opened.
#[derive(Debug, Default)]
pub struct Opening {
    /// For what.
    pub access: Access,
    /// For transfers that each say where they begin (`FILE_FLAG_OVERLAPPED`).
    pub overlapped: bool,
    /// Where the file lies that goes away with the handle (`FILE_FLAG_DELETE_ON_CLOSE`).
    pub doomed: Option<PathBuf>,
}

/// Which way the octets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the file.
    Read,
    /// To the file.
    Write,
}

/// An open disk file with a handle.
#[derive(Debug)]
pub struct DiskFile {
    core: FileCore,
    file: Arc<OpenFile>,
    opening: Opening,
    /// Where a transfer begins that does not say so itself. Locked for the length of a transfer:
    /// those of a file that was not opened for overlapped ones come one after the other.
    position: Lock<u64>,
    locks: Locks,
}

impl DiskFile {
    /// Enters an open file into the handle table.
    ///
    /// # Errors
    /// [`TableFull`].
    pub fn enter(file: OpenFile, opening: Opening) -> Result<Handle, TableFull> {
        handle::table().insert_with(|handle, token| {
            let core = FileCore::new(handle, token);
            let (file, position, locks) = (Arc::new(file), Lock::new(0), Locks::default());
            Object::File(Arc::new(Self { core, file, opening, position, locks }))
        })
    }

    /// Enters a file under the handle that it has in the process that started this one. False if
    /// the handle is another object's.
    pub fn adopt(handle: Handle, file: OpenFile, opening: Opening, position: u64) -> bool {
        handle::table().adopt(handle, |handle, token| {
            let core = FileCore::new(handle, token);
            let (file, position) = (Arc::new(file), Lock::new(position));
            Object::File(Arc::new(Self { core, file, opening, position, locks: Locks::default() }))
        })
    }

    /// The file behind a handle value; `None` for a handle of anything else.
    pub fn from_value(value: usize) -> Option<Arc<Self>> {
        let file = handle::table().file_of(Handle::from_value(value)?)?;
        (file as Arc<dyn Any + Send + Sync>).downcast().ok()
    }

    /// The open file itself, which may outlive the handle.
    pub const fn file(&self) -> &Arc<OpenFile> {
        &self.file
    }

    /// What it was opened for.
    pub const fn access(&self) -> Access {
        self.opening.access
    }

    /// Whether its transfers each say where they begin.
    pub const fn is_overlapped(&self) -> bool {
        self.opening.overlapped
    }

    /// Where the next transfer begins that does not say so, to be moved.
    pub fn position(&self) -> Locked<'_, u64> {
        self.position.lock()
    }

    /// The length of the file, in octets.
    ///
    /// # Errors
    /// As fstat(2).
    pub fn size(&self) -> Result<u64, NtStatus> {
        self.file.metadata().map(|known| known.len()).map_err(|error| status_of(&error))
    }

    /// Makes the file end here, shorter or longer.
    ///
    /// # Errors
    /// ERROR_ACCESS_DENIED; as ftruncate(2).
    pub fn set_len(&self, len: u64) -> Result<(), NtStatus> {
        if !self.access().write {
            return Err(NtStatus::ACCESS_DENIED);
        }
        self.file.set_len(len).map_err(|error| status_of(&error))
    }

    /// Waits until the disk has everything.
    ///
    /// # Errors
    /// ERROR_ACCESS_DENIED; as fsync(2).
    pub fn flush(&self) -> Result<(), NtStatus> {
        if !(self.access().write || self.access().append) {
            return Err(NtStatus::ACCESS_DENIED);
        }
        self.file.sync_all().map_err(|error| status_of(&error))
    }

    /// Transfers, waiting for the disk: from `place` on, or from the file's position on. A file
    /// that was not opened for overlapped transfers goes on behind them. Gives the octets.
    ///
    /// # Errors
    /// ERROR_ACCESS_DENIED; ERROR_HANDLE_EOF when a place is given and nothing is there (without
    /// one that is a success with no octets); ERROR_NOACCESS; what the disk says.
    pub fn transfer(
        &self,
        way: Way,
        buffers: &mut Buffers,
        place: Option<u64>,
    ) -> Result<usize, NtStatus> {
        self.check(way)?;
        if self.is_overlapped() {
            return self.perform(way, buffers, place.unwrap_or(0)).map(|_behind| buffers.done());
        }
        let mut position = self.position();
        match self.perform(way, buffers, place.unwrap_or(*position)) {
            Ok(behind) => *position = behind,
            Err(NtStatus::END_OF_FILE) if place.is_none() => {}
            Err(status) => return Err(status),
        }
        Ok(buffers.done())
    }

    /// Performs an overlapped transfer, whose end is told as that of any operation. Gives the
    /// octets.
    ///
    /// # Errors
    /// As [`transfer`](Self::transfer); nobody but the caller is told.
    pub fn start(&self, way: Way, mut irp: Irp, place: u64) -> Result<usize, NtStatus> {
        irp.begin(&self.core);
        let result = self.transfer(way, &mut irp.buffers, Some(place));
        tell(&self.core, irp, result)
    }

    /// Locks a range of the file as an overlapped operation: as [`lock`](Self::lock).
    ///
    /// # Errors
    /// As [`lock`](Self::lock); nobody but the caller is told.
    pub fn start_lock(
        &self,
        irp: Irp,
        range: Range,
        exclusive: bool,
        waits: bool,
    ) -> Result<usize, NtStatus> {
        irp.begin(&self.core);
        let result = self.lock(range, exclusive, waits);
        tell(&self.core, irp, result.map(|()| 0))
    }

    /// Unlocks a range of the file as an overlapped operation: as [`unlock`](Self::unlock).
    ///
    /// # Errors
    /// As [`unlock`](Self::unlock); nobody but the caller is told.
    pub fn start_unlock(&self, irp: Irp, range: Range) -> Result<usize, NtStatus> {
        irp.begin(&self.core);
        let result = self.unlock(range);
        tell(&self.core, irp, result.map(|()| 0))
    }

    /// Locks a range of the file for this opening of it; with `waits`, when those who have it have
    /// given it back.
    ///
    /// # Errors
    /// ERROR_LOCK_VIOLATION; ERROR_INVALID_PARAMETER for a range that no file reaches;
    /// ERROR_ACCESS_DENIED: an exclusive lock wants a file that was opened to be written, a shared
    /// one a file that was opened to be read.
    pub fn lock(&self, range: Range, exclusive: bool, waits: bool) -> Result<(), NtStatus> {
        self.locks.lock(self.fd(), range, exclusive, waits)
    }

    /// Gives a lock of exactly this range back.
    ///
    /// # Errors
    /// ERROR_NOT_LOCKED.
    pub fn unlock(&self, range: Range) -> Result<(), NtStatus> {
        self.locks.unlock(self.fd(), range)
    }

    fn check(&self, way: Way) -> Result<(), NtStatus> {
        let Access { read, write, append } = self.access();
        let allowed = match way {
            Way::Read => read,
            Way::Write => write || append,
        };
        if allowed { Ok(()) } else { Err(NtStatus::ACCESS_DENIED) }
    }

    /// All of a transfer, or as much as the file has; tells where it ended.
    fn perform(&self, way: Way, buffers: &mut Buffers, place: u64) -> Result<u64, NtStatus> {
        let at_end = way == Way::Write && (place == u64::MAX || !self.access().write);
        while buffers.remaining() > 0 {
            let here = place.saturating_add(buffers.done() as u64);
            let moved = match way {
                Way::Read => buffers.read_at(self.fd(), here),
                Way::Write if at_end => buffers.write_at(self.fd(), Place::End),
                Way::Write => buffers.write_at(self.fd(), Place::At(here)),
            };
            match moved {
                Ok(0) if way == Way::Write => return Err(NtStatus::DISK_FULL),
                Ok(0) if buffers.done() == 0 => return Err(NtStatus::END_OF_FILE),
                Ok(0) => break,
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(status_of_errno(errno)),
            }
        }
        if at_end { self.size() } else { Ok(place.saturating_add(buffers.done() as u64)) }
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl File for DiskFile {
    fn core(&self) -> &FileCore {
        &self.core
    }

    fn handle_ready(&self, _: Readiness, _: &mut Deferred) {}

    /// Nothing is ever pending.
    fn cancel(&self, _: &dyn Fn(&Irp) -> bool) -> usize {
        0
    }

    /// A file that was not opened for overlapped transfers cannot have one.
    fn associate(&self, port: &Arc<CompletionPort>, key: usize) -> Result<(), AlreadyAssociated> {
        if !self.is_overlapped() {
            return Err(AlreadyAssociated);
        }
        self.core.set_association(port, key)
    }

    fn is_of_winsock(&self) -> bool {
        false
    }

    fn close(&self) {
        self.locks.close(self.fd());
        if let Some(path) = &self.opening.doomed {
            let _ = fs::remove_file(path);
        }
    }
}

/// Ends an operation that was begun, in the call that began it.
pub(crate) fn tell(
    core: &FileCore,
    mut irp: Irp,
    result: Result<usize, NtStatus>,
) -> Result<usize, NtStatus> {
    match result {
        Ok(octets) => {
            let mut after = Deferred::default();
            irp.complete(core, Timing::Inline, NtStatus::SUCCESS, octets, &mut after);
            after.run();
        }
        Err(status) => irp.refuse(status),
    }
    result
}

/// What the disk says, as an NTSTATUS.
pub fn status_of(error: &std::io::Error) -> NtStatus {
    Errno::from_io_error(error).map_or(NtStatus::IO_DEVICE_ERROR, status_of_errno)
}

/// As [`status_of`].
pub(crate) const fn status_of_errno(errno: Errno) -> NtStatus {
    match errno {
        Errno::FAULT => NtStatus::ACCESS_VIOLATION,
        Errno::ACCESS | Errno::PERM | Errno::BADF | Errno::ROFS => NtStatus::ACCESS_DENIED,
        Errno::NOSPC | Errno::DQUOT => NtStatus::DISK_FULL,
        Errno::FBIG => NtStatus::FILE_TOO_LARGE,
        Errno::INVAL => NtStatus::INVALID_PARAMETER,
        Errno::NOMEM => NtStatus::INSUFFICIENT_RESOURCES,
        _ => NtStatus::IO_DEVICE_ERROR,
    }
}

mod locks;
#[cfg(test)]
mod tests;

pub use locks::Range;

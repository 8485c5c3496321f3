//! Open files: their kind, length and position.

use std::sync::Arc;

use linsock::iocp::disk::{self, DiskFile};
use linsock::iocp::stream::{Kind, Stream};
use linsock::named_pipe::End;
use rustix::fs::{SeekFrom, fstat, fsync};
use rustix::io::Errno;

use super::file_io::failed;
use super::io::find_file;
use super::object::no_access;
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::{self, Error};
use crate::ptr;

const FILE_BEGIN: u32 = 0;
const FILE_CURRENT: u32 = 1;
const FILE_END: u32 = 2;

const FILE_TYPE_UNKNOWN: u32 = 0;
const FILE_TYPE_DISK: u32 = 1;
const FILE_TYPE_CHAR: u32 = 2;
const FILE_TYPE_PIPE: u32 = 3;

const INVALID_FILE_SIZE: u32 = u32::MAX;
const INVALID_SET_FILE_POINTER: u32 = u32::MAX;

fn file_of(file: HANDLE) -> Outcome<Arc<DiskFile>> {
    DiskFile::from_value(file).ok_or(Error::ERROR_INVALID_HANDLE)
}

fn refusal(errno: Errno) -> Error {
    Error(disk::status_of(&errno.into()).win32())
}

/// A file with a length and a position.
enum Measured {
    /// It was opened here.
    Opened(Arc<DiskFile>),
    /// A standard stream is it.
    Redirected(Arc<Stream>),
}

impl Measured {
    fn of(handle: HANDLE) -> Outcome<Self> {
        let stream = || Stream::from_value(handle).filter(|stream| stream.kind() == Kind::Disk);
        let opened = DiskFile::from_value(handle).map(Self::Opened);
        opened.or_else(|| stream().map(Self::Redirected)).ok_or(Error::ERROR_INVALID_HANDLE)
    }

    fn size(&self) -> Outcome<u64> {
        match self {
            Self::Opened(file) => file.size().map_err(failed),
            Self::Redirected(stream) => {
                let known = fstat(stream.descriptor()).map_err(refusal)?;
                Ok(known.st_size.cast_unsigned())
            }
        }
    }

    /// Moves the position to where the rule says, given where it is; gives where it is then.
    fn move_by(&self, rule: impl Fn(u64) -> Outcome<u64>) -> Outcome<u64> {
        match self {
            Self::Opened(file) => {
                let mut position = file.position();
                *position = rule(*position)?;
                Ok(*position)
            }
            Self::Redirected(stream) => {
                let go = |to| rustix::fs::seek(stream.descriptor(), to).map_err(refusal);
                go(SeekFrom::Start(rule(go(SeekFrom::Current(0))?)?))
            }
        }
    }
}

/// Moves the position; gives where it is then.
fn seek(file: HANDLE, by: i64, from: u32) -> Outcome<u64> {
    let file = Measured::of(file)?;
    file.move_by(|position| {
        let origin = match from {
            FILE_BEGIN => 0,
            FILE_CURRENT => position,
            FILE_END => file.size()?,
            _ => return Err(Error::ERROR_INVALID_PARAMETER),
        };
        let to = origin.checked_add_signed(by).ok_or(Error::ERROR_NEGATIVE_SEEK)?;
        i64::try_from(to).map(|_| to).map_err(|_| Error::ERROR_INVALID_PARAMETER)
    })
}

/// A stream keeps nothing back here. "The function fails if hFile is a handle to the console
/// output" (FlushFileBuffers page).
fn flush(stream: &Stream) -> Outcome<()> {
    if stream.is_terminal() {
        return Err(Error::ERROR_INVALID_HANDLE);
    }
    if !stream.access().write {
        return Err(Error::ERROR_ACCESS_DENIED);
    }
    if stream.kind() == Kind::Disk { fsync(stream.descriptor()).map_err(refusal) } else { Ok(()) }
}

/// The low half of a number. That it may look like a failure is why no error is told then
/// (SetFilePointer and GetFileSize pages).
#[allow(clippy::cast_possible_truncation, reason = "the other half is told apart")]
fn low_half(number: u64) -> u32 {
    last_error::set(0);
    number as u32
}

#[allow(clippy::cast_possible_truncation, reason = "what is left is 32 bits")]
const fn high_half(number: u64) -> u32 {
    (number >> 32) as u32
}

export! {
    /// What a handle stands for: FILE_TYPE_DISK, FILE_TYPE_CHAR for a console or another device,
    /// FILE_TYPE_PIPE for a pipe or a socket.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfiletype>
    ///
    /// # Errors
    /// FILE_TYPE_UNKNOWN with ERROR_INVALID_HANDLE.
    fn GetFileType(hFile: HANDLE) -> u32, fail FILE_TYPE_UNKNOWN; {
        find_file(hFile)?;
        Ok(match Stream::from_value(hFile).map(|stream| stream.kind()) {
            Some(Kind::Character) => FILE_TYPE_CHAR,
            Some(Kind::Disk) => FILE_TYPE_DISK,
            None if DiskFile::from_value(hFile).is_some() => FILE_TYPE_DISK,
            Some(Kind::Pipe) | None => FILE_TYPE_PIPE,
        })
    }

    /// The length of a file in octets: the low half; the high half goes to `lpFileSizeHigh`.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfilesize>
    ///
    /// # Errors
    /// INVALID_FILE_SIZE, which a length may be too: then the last error is 0.
    /// ERROR_INVALID_HANDLE, ERROR_NOACCESS; without room for a high half that is not 0,
    /// ERROR_INVALID_PARAMETER.
    fn GetFileSize(hFile: HANDLE, lpFileSizeHigh: *mut u32) -> u32, fail INVALID_FILE_SIZE; {
        let len = Measured::of(hFile)?.size()?;
        if !lpFileSizeHigh.is_null() {
            ptr::write(lpFileSizeHigh, high_half(len)).map_err(no_access)?;
        } else if high_half(len) != 0 {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        Ok(low_half(len))
    }

    /// The length of a file in octets.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfilesizeex>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOACCESS.
    fn GetFileSizeEx(hFile: HANDLE, lpFileSize: *mut i64) -> BOOL, fail FALSE; {
        let len = Measured::of(hFile)?.size()?;
        ptr::write(lpFileSize, len.cast_signed()).map_err(no_access)?;
        Ok(TRUE)
    }

    /// Moves the position of a file, from where transfers without an OVERLAPPED go on: by so many
    /// octets from its beginning, the position or its end. Gives the low half of where it is then;
    /// the high half goes to `lpDistanceToMoveHigh`, where that of the distance was.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-setfilepointer>
    ///
    /// # Errors
    /// INVALID_SET_FILE_POINTER, which a position may be too: then the last error is 0.
    /// ERROR_INVALID_HANDLE, ERROR_NOACCESS, ERROR_INVALID_PARAMETER, ERROR_NEGATIVE_SEEK.
    fn SetFilePointer(hFile: HANDLE, lDistanceToMove: i32, lpDistanceToMoveHigh: *mut i32, dwMoveMethod: u32) -> u32, fail INVALID_SET_FILE_POINTER; {
        if lpDistanceToMoveHigh.is_null() {
            let to = seek(hFile, lDistanceToMove.into(), dwMoveMethod)?;
            return Ok(low_half(to));
        }
        let high: i32 = ptr::read(lpDistanceToMoveHigh).map_err(no_access)?;
        ptr::check_writable(lpDistanceToMoveHigh, 1).map_err(no_access)?;
        let by = i64::from(high) << 32 | i64::from(lDistanceToMove.cast_unsigned());
        let to = seek(hFile, by, dwMoveMethod)?;
        ptr::write(lpDistanceToMoveHigh, high_half(to).cast_signed()).map_err(no_access)?;
        Ok(low_half(to))
    }

    /// As [`SetFilePointer`], with whole numbers.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-setfilepointerex>
    ///
    /// # Errors
    /// As SetFilePointer.
    fn SetFilePointerEx(hFile: HANDLE, liDistanceToMove: i64, lpNewFilePointer: *mut i64, dwMoveMethod: u32) -> BOOL, fail FALSE; {
        ptr::check_writable_opt(lpNewFilePointer).map_err(no_access)?;
        let to = seek(hFile, liDistanceToMove, dwMoveMethod)?;
        ptr::write_opt(lpNewFilePointer, to.cast_signed()).map_err(no_access)?;
        Ok(TRUE)
    }

    /// Makes a file end at its position.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-setendoffile>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED (not opened to be written), ERROR_DISK_FULL.
    fn SetEndOfFile(hFile: HANDLE) -> BOOL, fail FALSE; {
        let file = file_of(hFile)?;
        let position = *file.position();
        file.set_len(position).map_err(failed)?;
        Ok(TRUE)
    }

    /// Waits until the disk has what was written, or until a named pipe has been read.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-flushfilebuffers>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, also for a console; ERROR_ACCESS_DENIED (not opened to be written);
    /// of a named pipe ERROR_PIPE_LISTENING, ERROR_PIPE_NOT_CONNECTED, ERROR_NO_DATA.
    ///
    /// # Differs from Windows
    /// Nobody waits until an anonymous pipe has been read.
    fn FlushFileBuffers(hFile: HANDLE) -> BOOL, fail FALSE; {
        if let Some(end) = End::from_value(hFile) {
            end.flush().map_err(failed)?;
            return Ok(TRUE);
        }
        match Stream::from_value(hFile) {
            Some(stream) => flush(&stream)?,
            None => file_of(hFile)?.flush().map_err(failed)?,
        }
        Ok(TRUE)
    }
}

//! The times of open files, and full paths.

use std::ffi::OsString;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use linsock::iocp::disk::{self, DiskFile};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_OMIT, futimens, utimensat};
use rustix::io::Errno;

use super::clock::{FILETIME_OF_1970, file_time_of};
use super::disk::path_of;
use super::object::no_access;
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr::{self, Out};
use crate::wide::Unit;

const TICKS_PER_SECOND: i64 = 10_000_000;

fn file_of(file: HANDLE) -> Outcome<Arc<DiskFile>> {
    DiskFile::from_value(file).ok_or(Error::ERROR_INVALID_HANDLE)
}

fn disk_error(error: &std::io::Error) -> Error {
    Error(disk::status_of(error).win32())
}

/// Stores a time if there is a place for it.
fn put(place: Option<Out<u64>>, time: std::io::Result<SystemTime>) -> Outcome<()> {
    if let Some(place) = place {
        place.put(file_time_of(time.map_err(|error| disk_error(&error))?));
    }
    Ok(())
}

/// A file time as the kernel has it. None, and those that stand for none, change nothing.
fn timespec(place: *const u64) -> Outcome<Timespec> {
    let unchanged = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    if place.is_null() {
        return Ok(unchanged);
    }
    let time = ptr::read(place).map_err(no_access)?;
    if time == 0 || time == u64::MAX {
        return Ok(unchanged);
    }
    let since = time.checked_signed_diff(FILETIME_OF_1970);
    let since = since.ok_or(Error::ERROR_INVALID_PARAMETER)?;
    let tv_nsec = since.rem_euclid(TICKS_PER_SECOND) * 100;
    Ok(Timespec { tv_sec: since.div_euclid(TICKS_PER_SECOND), tv_nsec })
}

fn set_times(file: &DiskFile, times: &Timestamps) -> Result<(), Errno> {
    match futimens(file.file().as_fd(), times) {
        // Opened to be looked at only; by its name in proc(5) it is the same file.
        Err(Errno::BADF) => {
            let path = format!("/proc/self/fd/{}", file.file().as_raw_fd());
            utimensat(CWD, path, times, AtFlags::empty())
        }
        result => result,
    }
}

/// A path from the root on, without parts that lead back. Nothing of it needs to be there.
fn full_path(path: &Path) -> Outcome<PathBuf> {
    let here = std::env::current_dir().map_err(|error| disk_error(&error))?;
    let mut full = PathBuf::from("/");
    for part in here.join(path).components() {
        match part {
            Component::ParentDir => {
                full.pop();
            }
            Component::Normal(name) => full.push(name),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    Ok(full)
}

fn full_path_name<U: Unit>(
    name: *const U,
    room: u32,
    at: *mut U,
    part: *mut *mut U,
) -> Outcome<u32> {
    let path = path_of(name)?;
    let leads_inside = path.as_os_str().as_bytes().ends_with(b"/");
    let mut full = full_path(&path)?.into_os_string().into_vec();
    if leads_inside && full.len() > 1 {
        full.push(b'/');
    }
    store_path(&PathBuf::from(OsString::from_vec(full)), room, at, part)
}

/// Stores a path and the place of its last part, unless it leads inside a directory by its writing.
pub(super) fn store_path<U: Unit>(
    path: &Path,
    room: u32,
    at: *mut U,
    part: *mut *mut U,
) -> Outcome<u32> {
    let octets = path.as_os_str().as_bytes();
    let text = U::zero_ended(octets);
    let needed = u32::try_from(text.len()).map_err(|_| Error::ERROR_INVALID_PARAMETER)?;
    if needed > room {
        return Ok(needed);
    }
    let part = Out::optional(part).map_err(no_access)?;
    ptr::write_all(at, &text).map_err(no_access)?;
    if let Some(part) = part {
        let name = path.file_name().filter(|_| !octets.ends_with(b"/"));
        let units = name.map(|name| U::zero_ended(name.as_bytes()).len());
        let found = units.map(|units| at.wrapping_add(text.len() - units));
        part.put(found.unwrap_or(std::ptr::null_mut()));
    }
    Ok(needed - 1)
}

export! {
    /// Tells when an open file was made, read and written.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfiletime>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE for what is no disk file, ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// A file system that does not know when a file was made has the time of writing for it.
    fn GetFileTime(
        hFile: HANDLE,
        lpCreationTime: *mut u64,
        lpLastAccessTime: *mut u64,
        lpLastWriteTime: *mut u64,
    ) -> BOOL, fail FALSE; {
        let file = file_of(hFile)?;
        let made = Out::optional(lpCreationTime).map_err(no_access)?;
        let read = Out::optional(lpLastAccessTime).map_err(no_access)?;
        let written = Out::optional(lpLastWriteTime).map_err(no_access)?;
        let known = file.file().metadata().map_err(|error| disk_error(&error))?;
        put(made, known.created().or_else(|_| known.modified()))?;
        put(read, known.accessed())?;
        put(written, known.modified())?;
        Ok(TRUE)
    }

    /// Sets when an open file was read and written. A time that is not given, 0, or all ones
    /// changes nothing.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-setfiletime>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE for what is no disk file, ERROR_NOACCESS, ERROR_ACCESS_DENIED for
    /// a file of another user's, ERROR_INVALID_PARAMETER.
    ///
    /// # Differs from Windows
    /// When a file was made cannot be set, and is left out. What the file was opened for does not
    /// count, and a time of all ones does not keep later transfers from changing it.
    fn SetFileTime(
        hFile: HANDLE,
        lpCreationTime: *const u64,
        lpLastAccessTime: *const u64,
        lpLastWriteTime: *const u64,
    ) -> BOOL, fail FALSE; {
        let file = file_of(hFile)?;
        timespec(lpCreationTime)?;
        let times = Timestamps {
            last_access: timespec(lpLastAccessTime)?,
            last_modification: timespec(lpLastWriteTime)?,
        };
        set_times(&file, &times).map_err(|errno| disk_error(&errno.into()))?;
        Ok(TRUE)
    }

    /// Gives a path from the root on, without `.` and `..`; nothing of it needs to be there. The
    /// place of its last part goes to `lpFilePart`, if that is no directory by its writing. Gives
    /// its length without the zero or, if there is no room, the size that is needed.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfullpathnamea>
    ///
    /// # Errors
    /// 0; ERROR_NOACCESS, ERROR_PATH_NOT_FOUND for an empty path.
    ///
    /// # Differs from Windows
    /// It is a path of Linux, with slashes; there are no drives.
    fn GetFullPathNameA(
        lpFileName: *const u8,
        nBufferLength: u32,
        lpBuffer: *mut u8,
        lpFilePart: *mut *mut u8,
    ) -> u32, fail 0; {
        full_path_name(lpFileName, nBufferLength, lpBuffer, lpFilePart)
    }

    /// As [`GetFullPathNameA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfullpathnamew>
    ///
    /// # Differs from Windows
    /// As GetFullPathNameA.
    fn GetFullPathNameW(
        lpFileName: *const u16,
        nBufferLength: u32,
        lpBuffer: *mut u16,
        lpFilePart: *mut *mut u16,
    ) -> u32, fail 0; {
        full_path_name(lpFileName, nBufferLength, lpBuffer, lpFilePart)
    }
}

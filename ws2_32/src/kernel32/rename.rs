//! Files and directories that get another path, copies of files, and long paths.
//!
//! # Differs from Windows
//! Paths are as in [`super::disk`].

use std::fs::{self, File, FileTimes};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use linsock::iocp::disk;
use rustix::fs::{CWD, Mode, OFlags, RenameFlags, openat, renameat_with};
use rustix::io::Errno;

use super::disk::{check_kind, path_of, refusal, refused};
use super::object::no_access;
use crate::abi::{BOOL, FALSE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;
use crate::wide::Unit;

const MOVEFILE_REPLACE_EXISTING: u32 = 1;
const MOVEFILE_COPY_ALLOWED: u32 = 2;
const MOVEFILE_DELAY_UNTIL_REBOOT: u32 = 4;
const MOVEFILE_WRITE_THROUGH: u32 = 8;

/// How a file is moved.
#[derive(Clone, Copy)]
struct Way {
    /// What is there already goes away, unless it is a directory.
    replaces: bool,
    /// To another file system by a copy.
    copies: bool,
    /// The disk has it before the call returns.
    writes_through: bool,
}

impl Way {
    const MOVE_FILE: Self = Self { replaces: false, copies: true, writes_through: false };

    fn of(flags: u32) -> Outcome<Self> {
        const KNOWN: u32 =
            MOVEFILE_REPLACE_EXISTING | MOVEFILE_COPY_ALLOWED | MOVEFILE_WRITE_THROUGH;
        if flags & MOVEFILE_DELAY_UNTIL_REBOOT != 0 {
            return Err(Error::ERROR_NOT_SUPPORTED);
        }
        if flags & !KNOWN != 0 {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        Ok(Self {
            replaces: flags & MOVEFILE_REPLACE_EXISTING != 0,
            copies: flags & MOVEFILE_COPY_ALLOWED != 0,
            writes_through: flags & MOVEFILE_WRITE_THROUGH != 0,
        })
    }
}

fn disk_error(error: &io::Error) -> Error {
    Error(disk::status_of(error).win32())
}

/// Whether two paths name one file or directory.
fn is_same(a: &fs::Metadata, b: &fs::Metadata) -> bool {
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

/// Why a move failed: of the directory that is to have it, if that is what is missing.
fn move_refused(errno: Errno, from: &Path, to: &Path) -> Error {
    match errno {
        Errno::EXIST | Errno::NOTEMPTY => Error::ERROR_ALREADY_EXISTS,
        Errno::XDEV => Error::ERROR_NOT_SAME_DEVICE,
        // A directory into itself, or a file in the place of a directory.
        Errno::INVAL | Errno::ISDIR => Error::ERROR_ACCESS_DENIED,
        Errno::NOENT if fs::symlink_metadata(from).is_ok() => {
            match refusal(errno, to) {
                // All that can be missing is a part of the way there.
                Error::ERROR_FILE_NOT_FOUND => Error::ERROR_PATH_NOT_FOUND,
                other => other,
            }
        }
        errno => refusal(errno, from),
    }
}

/// Renames, and refuses to replace anything.
fn rename_to_nothing(from: &Path, to: &Path) -> Result<(), Errno> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // A file system that does not know how: between the look and the change somebody else may
        // put a file there.
        Err(Errno::INVAL | Errno::NOSYS) if fs::symlink_metadata(to).is_err() => {
            renameat_with(CWD, from, CWD, to, RenameFlags::empty())
        }
        Err(Errno::INVAL | Errno::NOSYS) => Err(Errno::EXIST),
        result => result,
    }
}

fn rename(from: &Path, to: &Path, replaces: bool) -> Result<(), Errno> {
    if !replaces {
        return rename_to_nothing(from, to);
    }
    if fs::symlink_metadata(to).is_ok_and(|there| there.is_dir()) {
        return Err(Errno::ACCESS);
    }
    renameat_with(CWD, from, CWD, to, RenameFlags::empty())
}

fn move_file(from: &Path, to: &Path, way: Way) -> Outcome<BOOL> {
    let known = fs::symlink_metadata(from).map_err(|error| refused(&error, from))?;
    let there = fs::symlink_metadata(to).ok();
    // A file is moved onto itself, by nobody's loss.
    if from == to || there.is_some_and(|there| is_same(&known, &there) && known.nlink() == 1) {
        return Ok(TRUE);
    }
    match rename(from, to, way.replaces) {
        Err(Errno::XDEV) if way.copies && known.is_file() => {
            copy_file(from, to, !way.replaces).map_err(|error| match error {
                Error::ERROR_FILE_EXISTS => Error::ERROR_ALREADY_EXISTS,
                other => other,
            })?;
            fs::remove_file(from).map_err(|error| refused(&error, from))?;
        }
        result => result.map_err(|errno| move_refused(errno, from, to))?,
    }
    if way.writes_through {
        flush_names(to)?;
    }
    Ok(TRUE)
}

/// Waits until the disk has what a path leads to, and the path itself.
fn flush_names(path: &Path) -> Outcome<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    for path in [path, directory] {
        let synced = File::open(path).and_then(|opened| opened.sync_all());
        synced.map_err(|error| disk_error(&error))?;
    }
    Ok(())
}

/// Opens what is copied to, and leaves what is in it.
fn open_target(to: &Path, mode: Mode, is_new: bool) -> Outcome<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let flags = if is_new { flags | OFlags::EXCL } else { flags };
    let target = openat(CWD, to, flags, mode).map_err(|errno| match refusal(errno, to) {
        Error::ERROR_FILE_NOT_FOUND => Error::ERROR_PATH_NOT_FOUND,
        other => other,
    })?;
    let target = File::from(target);
    check_kind(&target)?;
    Ok(target)
}

fn copy_file(from: &Path, to: &Path, is_new: bool) -> Outcome<()> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let source = openat(CWD, from, flags, Mode::empty()).map_err(|errno| refusal(errno, from))?;
    let mut source = File::from(source);
    check_kind(&source)?;
    let known = source.metadata().map_err(|error| disk_error(&error))?;
    let mut target = open_target(to, Mode::from_raw_mode(0o666), is_new)?;
    let there = target.metadata().map_err(|error| disk_error(&error))?;
    if is_same(&known, &there) {
        return Err(Error::ERROR_SHARING_VIOLATION);
    }
    target.set_len(0).map_err(|error| disk_error(&error))?;
    let copied = io::copy(&mut source, &mut target).and_then(|_| {
        let written = known.modified()?;
        target.set_times(FileTimes::new().set_modified(written))?;
        target.set_permissions(known.permissions())
    });
    copied.map_err(|error| {
        // Half a copy is none.
        let _ = fs::remove_file(to);
        disk_error(&error)
    })
}

fn copy<U: Unit>(from: *const U, to: *const U, is_new: BOOL) -> Outcome<BOOL> {
    copy_file(&path_of(from)?, &path_of(to)?, is_new != FALSE)?;
    Ok(TRUE)
}

/// Both paths of a move. Nowhere is where a file goes at the next start of the system only.
fn paths<U: Unit>(from: *const U, to: *const U) -> Outcome<(PathBuf, PathBuf)> {
    if to.is_null() {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    Ok((path_of(from)?, path_of(to)?))
}

fn move_ex<U: Unit>(from: *const U, to: *const U, flags: u32) -> Outcome<BOOL> {
    let way = Way::of(flags)?;
    let (from, to) = paths(from, to)?;
    move_file(&from, &to, way)
}

fn move_plain<U: Unit>(from: *const U, to: *const U) -> Outcome<BOOL> {
    let (from, to) = paths(from, to)?;
    move_file(&from, &to, Way::MOVE_FILE)
}

fn long_path<U: Unit>(name: *const U, to: *mut U, room: u32) -> Outcome<u32> {
    let path = path_of(name)?;
    fs::symlink_metadata(&path).map_err(|error| refused(&error, &path))?;
    let text = U::zero_ended(&U::read_text(name)?);
    let needed = u32::try_from(text.len()).map_err(|_| Error::ERROR_INVALID_PARAMETER)?;
    if needed > room {
        return Ok(needed);
    }
    ptr::write_all(to, &text).map_err(no_access)?;
    Ok(needed - 1)
}

export! {
    /// Gives a file or a directory another path. A file may go to another file system.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-movefilea>
    ///
    /// Waits for the disk.
    ///
    /// # Errors
    /// ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_ALREADY_EXISTS, ERROR_NOT_SAME_DEVICE (a
    /// directory to another file system), ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER (no path),
    /// ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// What others have open moves too, and so does a link instead of what it leads to.
    fn MoveFileA(lpExistingFileName: *const u8, lpNewFileName: *const u8) -> BOOL, fail FALSE; {
        move_plain(lpExistingFileName, lpNewFileName)
    }

    /// As [`MoveFileA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-movefilew>
    ///
    /// # Differs from Windows
    /// As MoveFileA.
    fn MoveFileW(lpExistingFileName: *const u16, lpNewFileName: *const u16) -> BOOL, fail FALSE; {
        move_plain(lpExistingFileName, lpNewFileName)
    }

    /// Gives a file or a directory another path. With MOVEFILE_REPLACE_EXISTING a file that has it
    /// goes away in the same moment; with MOVEFILE_COPY_ALLOWED a file may go to another file
    /// system; with MOVEFILE_WRITE_THROUGH the disk has it when the call returns.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-movefileexa>
    ///
    /// Waits for the disk.
    ///
    /// # Errors
    /// As MoveFileA; ERROR_ACCESS_DENIED for a directory that is to be replaced,
    /// ERROR_NOT_SAME_DEVICE without MOVEFILE_COPY_ALLOWED, ERROR_INVALID_PARAMETER for other
    /// flags, ERROR_NOT_SUPPORTED.
    ///
    /// # Differs from Windows
    /// As MoveFileA. MOVEFILE_DELAY_UNTIL_REBOOT is ERROR_NOT_SUPPORTED.
    fn MoveFileExA(
        lpExistingFileName: *const u8,
        lpNewFileName: *const u8,
        dwFlags: u32,
    ) -> BOOL, fail FALSE; {
        move_ex(lpExistingFileName, lpNewFileName, dwFlags)
    }

    /// As [`MoveFileExA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-movefileexw>
    ///
    /// # Differs from Windows
    /// As MoveFileExA.
    fn MoveFileExW(
        lpExistingFileName: *const u16,
        lpNewFileName: *const u16,
        dwFlags: u32,
    ) -> BOOL, fail FALSE; {
        move_ex(lpExistingFileName, lpNewFileName, dwFlags)
    }

    /// Copies a file, with the time when it was written and who may read and write it. What is
    /// there is replaced, unless `bFailIfExists` is set.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-copyfile>
    ///
    /// Waits for the disk.
    ///
    /// # Errors
    /// As CreateFileA of both; ERROR_FILE_EXISTS, ERROR_SHARING_VIOLATION (a file to itself),
    /// ERROR_DISK_FULL.
    fn CopyFileA(
        lpExistingFileName: *const u8,
        lpNewFileName: *const u8,
        bFailIfExists: BOOL,
    ) -> BOOL, fail FALSE; {
        copy(lpExistingFileName, lpNewFileName, bFailIfExists)
    }

    /// As [`CopyFileA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-copyfilew>
    fn CopyFileW(
        lpExistingFileName: *const u16,
        lpNewFileName: *const u16,
        bFailIfExists: BOOL,
    ) -> BOOL, fail FALSE; {
        copy(lpExistingFileName, lpNewFileName, bFailIfExists)
    }

    /// Gives a path with the long names of its parts; that is the path itself. Gives its length
    /// without the zero or, if there is no room, the size that is needed.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getlongpathnamea>
    ///
    /// # Errors
    /// 0; as GetFileAttributesA.
    ///
    /// # Differs from Windows
    /// There are no short names: every path that leads to something is its own long path.
    fn GetLongPathNameA(
        lpszShortPath: *const u8,
        lpszLongPath: *mut u8,
        cchBuffer: u32,
    ) -> u32, fail 0; {
        long_path(lpszShortPath, lpszLongPath, cchBuffer)
    }

    /// As [`GetLongPathNameA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getlongpathnamew>
    ///
    /// # Differs from Windows
    /// As GetLongPathNameA.
    fn GetLongPathNameW(
        lpszShortPath: *const u16,
        lpszLongPath: *mut u16,
        cchBuffer: u32,
    ) -> u32, fail 0; {
        long_path(lpszShortPath, lpszLongPath, cchBuffer)
    }
}

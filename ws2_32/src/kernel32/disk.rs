//! Disk files: opened, looked at and removed by their paths.
//!
//! # Differs from Windows
//! A path is one of Linux, with `\` for `/` as well; there are no drives, and case matters. Only
//! regular files are opened, NUL, CONIN$ and CONOUT$, and directories to be looked at: no devices.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use linsock::iocp::disk::{self, Access, DiskFile, Opening};
use linsock::iocp::handle;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

use super::inherit;
use super::named_pipe;
use super::object::no_access;
use crate::abi::{BOOL, FALSE, HANDLE, INVALID_HANDLE_VALUE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::{self, Error};
use crate::ptr;
use crate::wide::Unit;

const GENERIC_READ: u32 = 0x8000_0000;
const GENERIC_WRITE: u32 = 0x4000_0000;
const GENERIC_ALL: u32 = 0x1000_0000;
const FILE_READ_DATA: u32 = 1;
const FILE_WRITE_DATA: u32 = 2;
const FILE_APPEND_DATA: u32 = 4;

const FILE_ATTRIBUTE_READONLY: u32 = 0x1;
const FILE_ATTRIBUTE_DIRECTORY: u32 = 0x10;
const FILE_ATTRIBUTE_NORMAL: u32 = 0x80;
const INVALID_FILE_ATTRIBUTES: u32 = u32::MAX;

const FILE_FLAG_WRITE_THROUGH: u32 = 0x8000_0000;
const FILE_FLAG_OVERLAPPED: u32 = 0x4000_0000;
const FILE_FLAG_DELETE_ON_CLOSE: u32 = 0x0400_0000;
const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;

/// What becomes of a file that is there, and of one that is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disposition {
    CreateNew,
    CreateAlways,
    OpenExisting,
    OpenAlways,
    TruncateExisting,
}

impl Disposition {
    fn new(number: u32) -> Outcome<Self> {
        Ok(match number {
            1 => Self::CreateNew,
            2 => Self::CreateAlways,
            3 => Self::OpenExisting,
            4 => Self::OpenAlways,
            5 => Self::TruncateExisting,
            _ => return Err(Error::ERROR_INVALID_PARAMETER),
        })
    }

    const fn creates(self) -> bool {
        matches!(self, Self::CreateNew | Self::CreateAlways | Self::OpenAlways)
    }

    const fn opens(self) -> bool {
        !matches!(self, Self::CreateNew)
    }

    const fn truncates(self) -> bool {
        matches!(self, Self::CreateAlways | Self::TruncateExisting)
    }
}

/// A path as a program wrote it for Windows.
pub(super) fn path_of<U: Unit>(at: *const U) -> Outcome<PathBuf> {
    let text = U::read_text(at).map_err(|error| match error {
        Error::WSAEFAULT => Error::ERROR_NOACCESS,
        _ => Error::ERROR_PATH_NOT_FOUND,
    })?;
    if text.is_empty() {
        return Err(Error::ERROR_PATH_NOT_FOUND);
    }
    let slashed = text.into_iter().map(|octet| if octet == b'\\' { b'/' } else { octet });
    Ok(OsString::from_vec(slashed.collect()).into())
}

/// Why a path could not be used.
pub(super) fn refusal(errno: Errno, path: &Path) -> Error {
    match errno {
        Errno::NOENT => match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() && !parent.is_dir() => {
                Error::ERROR_PATH_NOT_FOUND
            }
            _ => Error::ERROR_FILE_NOT_FOUND,
        },
        Errno::NOTDIR => Error::ERROR_PATH_NOT_FOUND,
        Errno::EXIST => Error::ERROR_FILE_EXISTS,
        Errno::ISDIR => Error::ERROR_ACCESS_DENIED,
        Errno::MFILE | Errno::NFILE => Error::ERROR_TOO_MANY_OPEN_FILES,
        Errno::NAMETOOLONG => Error::ERROR_FILENAME_EXCED_RANGE,
        Errno::LOOP => Error::ERROR_CANT_RESOLVE_FILENAME,
        // No reader of a FIFO, no such device: nothing that is opened here.
        Errno::NXIO | Errno::NODEV => Error::ERROR_NOT_SUPPORTED,
        errno => Error(disk::status_of(&errno.into()).win32()),
    }
}

/// As [`refusal`], of an error of the standard library's.
pub(super) fn refused(error: &std::io::Error, path: &Path) -> Error {
    Errno::from_io_error(error).map_or(Error::ERROR_ACCESS_DENIED, |errno| refusal(errno, path))
}

fn access_of(wanted: u32) -> Access {
    let has = |bits| wanted & (bits | GENERIC_ALL) != 0;
    let write = has(GENERIC_WRITE | FILE_WRITE_DATA);
    let append = write || has(FILE_APPEND_DATA);
    Access { read: has(GENERIC_READ | FILE_READ_DATA), write, append }
}

/// The flags of open(2). Nothing that is not a file may hold the call up (NONBLOCK).
fn open_flags(access: Access, flags: u32) -> OFlags {
    let mut open = OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    open |= match (access.read, access.append) {
        (true, true) => OFlags::RDWR,
        (false, true) => OFlags::WRONLY,
        (true, false) => OFlags::RDONLY,
        // To be looked at only.
        (false, false) => OFlags::PATH,
    };
    if flags & FILE_FLAG_WRITE_THROUGH != 0 {
        open |= OFlags::DSYNC;
    }
    open
}

/// Opens or creates; tells whether the file was there before.
fn open(
    path: &Path,
    disposition: Disposition,
    flags: OFlags,
    mode: Mode,
) -> Result<(File, bool), Errno> {
    // Another process may take the file away, or put it there, between the two steps.
    for _ in 0..16 {
        if disposition.creates() {
            match openat(CWD, path, flags | OFlags::CREATE | OFlags::EXCL, mode) {
                Ok(made) => return Ok((made.into(), false)),
                Err(Errno::EXIST) if disposition.opens() => {}
                Err(errno) => return Err(errno),
            }
        }
        match openat(CWD, path, flags, Mode::empty()) {
            Ok(there) => return Ok((there.into(), true)),
            Err(Errno::NOENT) if disposition.creates() && !path.is_symlink() => {}
            Err(errno) => return Err(errno),
        }
    }
    Err(Errno::EXIST)
}

/// Only a regular file is a file here; told before anything is done to it.
pub(super) fn check_kind(file: &File) -> Outcome<()> {
    let kind = file.metadata().map_err(|_| Error::ERROR_ACCESS_DENIED)?.file_type();
    match (kind.is_file(), kind.is_dir()) {
        (true, _) => Ok(()),
        (_, true) => Err(Error::ERROR_ACCESS_DENIED),
        _ => Err(Error::ERROR_NOT_SUPPORTED),
    }
}

/// What has a name without being a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Device {
    /// NUL: it takes everything and has nothing.
    Nothing,
    /// CONIN$: the keys of the terminal that the process is in.
    Keys,
    /// CONOUT$: its screen.
    Screen,
}

impl Device {
    fn of(path: &Path) -> Option<Self> {
        let name = path.to_str()?.to_ascii_lowercase();
        Some(match name.trim_start_matches("//./") {
            "nul" | "nul:" => Self::Nothing,
            "conin$" => Self::Keys,
            "conout$" => Self::Screen,
            _ => return None,
        })
    }

    /// A console is read or written, whatever is asked for.
    fn open(self, wanted: u32, inherited: bool) -> Outcome<HANDLE> {
        let access = access_of(wanted);
        let (path, read, write) = match self {
            Self::Nothing => ("/dev/null", access.read || !access.append, access.append),
            Self::Keys => ("/dev/tty", true, false),
            Self::Screen => ("/dev/tty", false, true),
        };
        let opened =
            File::options().read(read).write(write).custom_flags(libc::O_NOCTTY).open(path);
        let opened = opened.map_err(|_| Error::ERROR_FILE_NOT_FOUND)?;
        last_error::set(0);
        super::pipe::enter(opened.into(), inherited)
    }
}

fn create_file<U: Unit>(
    name: *const U,
    wanted: u32,
    disposition: u32,
    attributes: u32,
    inherited: bool,
) -> Outcome<HANDLE> {
    let overlapped = attributes & FILE_FLAG_OVERLAPPED != 0;
    if let Some(pipe) = named_pipe::open(name, access_of(wanted), overlapped, inherited)? {
        return Ok(pipe);
    }
    let path = path_of(name)?;
    if let Some(device) = Device::of(&path) {
        return device.open(wanted, inherited);
    }
    let disposition = Disposition::new(disposition)?;
    let access = access_of(wanted);
    if disposition == Disposition::TruncateExisting && !access.write {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    let mut flags = open_flags(access, attributes);
    if flags.contains(OFlags::PATH) && disposition != Disposition::OpenExisting {
        // What only names a file cannot make one, or empty it.
        flags = flags.difference(OFlags::PATH);
    }
    let may_be_directory = attributes & FILE_FLAG_BACKUP_SEMANTICS != 0 && !disposition.truncates();
    if may_be_directory
        && disposition.opens()
        && let Some(directory) = open_directory(&path)
    {
        let access = Access { read: false, write: false, append: false };
        let told = if disposition.creates() { Error::ERROR_ALREADY_EXISTS.0 } else { 0 };
        let opening = Opening { access, overlapped: false, doomed: None };
        return enter(directory, opening, inherited, told);
    }
    let read_only = attributes & FILE_ATTRIBUTE_READONLY != 0;
    let mode = Mode::from_raw_mode(if read_only { 0o444 } else { 0o666 });
    let (file, existed) =
        open(&path, disposition, flags, mode).map_err(|errno| refusal(errno, &path))?;
    check_kind(&file)?;
    if existed && disposition.truncates() {
        truncate(&file, &path, access)?;
    }
    let doomed = (attributes & FILE_FLAG_DELETE_ON_CLOSE != 0).then_some(path);
    let told = existed && disposition.creates();
    let told = if told { Error::ERROR_ALREADY_EXISTS.0 } else { 0 };
    enter(file, Opening { access, overlapped, doomed }, inherited, told)
}

/// A handle of what was opened; the last error tells whether it was there.
fn enter(file: File, opening: Opening, inherited: bool, told: u32) -> Outcome<HANDLE> {
    let handle = DiskFile::enter(file, opening);
    let handle = handle.map_err(|_| Error::ERROR_TOO_MANY_OPEN_FILES)?;
    handle::table().set_inherited(handle, inherited);
    last_error::set(told);
    Ok(handle.value())
}

/// The directory of that path, if it is one that can be looked at.
fn open_directory(path: &Path) -> Option<File> {
    let flags = OFlags::CLOEXEC | OFlags::DIRECTORY | OFlags::PATH;
    openat(CWD, path, flags, Mode::empty()).ok().map(File::from)
}

/// Empties a file, which CREATE_ALWAYS may do without the right to write to it.
fn truncate(file: &File, path: &Path, access: Access) -> Outcome<()> {
    let emptied = if access.append {
        file.set_len(0)
    } else {
        File::options().write(true).open(path).and_then(|writable| writable.set_len(0))
    };
    emptied.map_err(|error| Error(disk::status_of(&error).win32()))
}

fn delete_file<U: Unit>(name: *const U) -> Outcome<BOOL> {
    let path = path_of(name)?;
    match fs::remove_file(&path) {
        Ok(()) => Ok(TRUE),
        Err(error) => Err(refused(&error, &path)),
    }
}

fn attributes<U: Unit>(name: *const U) -> Outcome<u32> {
    let path = path_of(name)?;
    fs::metadata(&path).map(|known| attributes_of(&known)).map_err(|error| refused(&error, &path))
}

pub(super) fn attributes_of(known: &fs::Metadata) -> u32 {
    let directory = if known.is_dir() { FILE_ATTRIBUTE_DIRECTORY } else { 0 };
    let read_only = if known.permissions().readonly() { FILE_ATTRIBUTE_READONLY } else { 0 };
    match directory | read_only {
        0 => FILE_ATTRIBUTE_NORMAL,
        set => set,
    }
}

/// Stores the directory for temporary files, with a slash at its end, and a zero. Gives its length
/// without the zero; or, if there is no room, the size that is needed, and stores nothing.
fn temp_path<U: Unit>(room: u32, at: *mut U) -> Outcome<u32> {
    let mut path = std::env::temp_dir().into_os_string().into_vec();
    if path.last() != Some(&b'/') {
        path.push(b'/');
    }
    let text = U::zero_ended(&path);
    let needed = u32::try_from(text.len()).map_err(|_| Error::ERROR_INVALID_PARAMETER)?;
    if needed > room {
        return Ok(needed);
    }
    ptr::write_all(at, &text).map_err(no_access)?;
    Ok(needed - 1)
}

export! {
    /// Opens or creates a disk file.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createfilea>
    ///
    /// Waits for the disk. A file that CREATE_ALWAYS or OPEN_ALWAYS found there is told by
    /// ERROR_ALREADY_EXISTS as the last error, one that was made by 0. With FILE_FLAG_OVERLAPPED
    /// the file can have a completion port. NUL, CONIN$ and CONOUT$ are what they are on Windows.
    /// The security attributes say whether processes that this one starts have the handle. With
    /// FILE_FLAG_BACKUP_SEMANTICS a directory is opened too, to be looked at.
    ///
    /// # Errors
    /// ERROR_NOACCESS, ERROR_PATH_NOT_FOUND, ERROR_FILE_NOT_FOUND, ERROR_FILE_EXISTS,
    /// ERROR_INVALID_PARAMETER (no such disposition; TRUNCATE_EXISTING without GENERIC_WRITE),
    /// ERROR_ACCESS_DENIED (also a directory without that flag), ERROR_NOT_SUPPORTED (what is no
    /// file),
    /// ERROR_TOO_MANY_OPEN_FILES, ERROR_FILENAME_EXCED_RANGE, ERROR_CANT_RESOLVE_FILENAME.
    ///
    /// # Differs from Windows
    /// Only regular files and directories are opened, by paths of Linux with `\` for `/` as well;
    /// to
    /// read a directory is ERROR_ACCESS_DENIED. Others are never kept away (`dwShareMode`), and
    /// hints
    /// and attributes other than FILE_ATTRIBUTE_READONLY have no effect.
    fn CreateFileA(
        lpFileName: *const u8,
        dwDesiredAccess: u32,
        dwShareMode: u32,
        lpSecurityAttributes: *const u8,
        dwCreationDisposition: u32,
        dwFlagsAndAttributes: u32,
        hTemplateFile: HANDLE,
    ) -> HANDLE, fail INVALID_HANDLE_VALUE; {
        let _unused = (dwShareMode, hTemplateFile);
        let inherited = inherit::is_asked_for(lpSecurityAttributes)?;
        let attributes = dwFlagsAndAttributes;
        create_file(lpFileName, dwDesiredAccess, dwCreationDisposition, attributes, inherited)
    }

    /// As [`CreateFileA`], with a name in UTF-16.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createfilew>
    ///
    /// # Differs from Windows
    /// As CreateFileA.
    fn CreateFileW(
        lpFileName: *const u16,
        dwDesiredAccess: u32,
        dwShareMode: u32,
        lpSecurityAttributes: *const u8,
        dwCreationDisposition: u32,
        dwFlagsAndAttributes: u32,
        hTemplateFile: HANDLE,
    ) -> HANDLE, fail INVALID_HANDLE_VALUE; {
        let _unused = (dwShareMode, hTemplateFile);
        let inherited = inherit::is_asked_for(lpSecurityAttributes)?;
        let attributes = dwFlagsAndAttributes;
        create_file(lpFileName, dwDesiredAccess, dwCreationDisposition, attributes, inherited)
    }

    /// Removes a file. Those who have it open keep it.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-deletefilea>
    ///
    /// # Errors
    /// As CreateFileA of a file that is not there or that is a directory.
    fn DeleteFileA(lpFileName: *const u8) -> BOOL, fail FALSE; {
        delete_file(lpFileName)
    }

    /// As [`DeleteFileA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-deletefilew>
    fn DeleteFileW(lpFileName: *const u16) -> BOOL, fail FALSE; {
        delete_file(lpFileName)
    }

    /// What a path names: FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_READONLY (nobody may write to
    /// it), or FILE_ATTRIBUTE_NORMAL.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfileattributesa>
    ///
    /// # Errors
    /// INVALID_FILE_ATTRIBUTES; as CreateFileA.
    fn GetFileAttributesA(lpFileName: *const u8) -> u32, fail INVALID_FILE_ATTRIBUTES; {
        attributes(lpFileName)
    }

    /// As [`GetFileAttributesA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfileattributesw>
    fn GetFileAttributesW(lpFileName: *const u16) -> u32, fail INVALID_FILE_ATTRIBUTES; {
        attributes(lpFileName)
    }

    /// The directory for temporary files (TMPDIR, or /tmp), with a slash at its end.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-gettemppatha>
    ///
    /// Gives its length without the zero, or the size that is needed.
    ///
    /// # Errors
    /// 0; ERROR_NOACCESS.
    fn GetTempPathA(nBufferLength: u32, lpBuffer: *mut u8) -> u32, fail 0; {
        temp_path(nBufferLength, lpBuffer)
    }

    /// As [`GetTempPathA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-gettemppathw>
    fn GetTempPathW(nBufferLength: u32, lpBuffer: *mut u16) -> u32, fail 0; {
        temp_path(nBufferLength, lpBuffer)
    }
}

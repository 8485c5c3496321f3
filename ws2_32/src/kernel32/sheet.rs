//! What a process shares with the one that it starts: a sheet, which is a file in memory.
//!
//! It says which handles are inherited, one line for each, and the new process writes its exit code
//! there, of which Linux itself keeps 8 bits. Which descriptor it is is told by a variable of the
//! environment, which is taken away before the program begins.
#![allow(unsafe_code, reason = "descriptors come by number; a handler of exit")]

use std::cell::Cell;
use std::ffi::{OsString, c_int, c_void};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

use rustix::fs::{MemfdFlags, fstat, memfd_create};
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_getfd, fcntl_setfd};

use super::child::kept_of;
use crate::export::Outcome;
use crate::last_error::Error;

/// Which descriptor has the sheet.
pub(super) const VARIABLE: &str = "LINSOCK_INHERITED_HANDLES";

/// In front of the list: the number of the process that has written an exit code, and the code. A
/// program that is not linked with this library, such as a shell, passes the sheet on to others.
const CODE_LEN: usize = 8;

/// The longest list that is read: of more handles than a process has descriptors.
const LIST_MAX: u64 = 64 << 20;

/// Which file a descriptor stands for: another process in between may have given the number to
/// another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) fd: RawFd,
    device: u64,
    inode: u64,
}

impl Place {
    pub(super) fn of(fd: BorrowedFd<'_>) -> Option<Self> {
        let known = fstat(fd).ok()?;
        Some(Self { fd: fd.as_raw_fd(), device: known.st_dev, inode: known.st_ino })
    }

    pub(super) fn write(&self) -> String {
        let Self { fd, device, inode } = self;
        format!("{fd}:{device}:{inode}")
    }

    pub(super) fn read<'a>(parts: &mut impl Iterator<Item = &'a str>) -> Option<Self> {
        let fd = parts.next()?.parse().ok()?;
        let device = parts.next()?.parse().ok()?;
        Some(Self { fd, device, inode: parts.next()?.parse().ok()? })
    }

    /// Whether the descriptor is still what it was said to be, and was passed on by exec: what is
    /// not is somebody else's, and nobody could have given it to us.
    pub(super) fn is_as_told(self) -> bool {
        // SAFETY: borrowed for this look, which fails for a number that is not open.
        let borrowed = unsafe { BorrowedFd::borrow_raw(self.fd) };
        Self::of(borrowed) == Some(self)
            && fcntl_getfd(borrowed).is_ok_and(|flags| !flags.contains(FdFlags::CLOEXEC))
    }

    /// Takes charge of a descriptor that is for one purpose alone; `None` if it is not what it was
    /// said to be.
    pub(super) fn take(self) -> Option<OwnedFd> {
        if self.fd <= 2 || !self.is_as_told() {
            return None;
        }
        // SAFETY: the process that started this one left it for us, and nobody else uses it.
        let fd = unsafe { OwnedFd::from_raw_fd(self.fd) };
        let _ = fcntl_setfd(&fd, FdFlags::CLOEXEC);
        Some(fd)
    }
}

/// The sheet of a process that was started here.
#[derive(Debug)]
pub(super) struct Sheet(File);

impl Sheet {
    pub(super) fn new(list: &str) -> Outcome<Self> {
        let made = memfd_create(c"linsock-sheet", MemfdFlags::CLOEXEC);
        // The numbers below 3 are those of the standard streams, which may be closed.
        let above = made.and_then(|fd| fcntl_dupfd_cloexec(fd, 3));
        let file = File::from(above.map_err(|_| Error::ERROR_TOO_MANY_OPEN_FILES)?);
        let octets = [&[0; CODE_LEN], list.as_bytes()].concat();
        file.write_all_at(&octets, 0).map_err(|_| Error::ERROR_NOT_ENOUGH_MEMORY)?;
        Ok(Self(file))
    }

    /// The descriptor, which the new process has under the same number.
    pub(super) fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// What tells the new process where it is.
    pub(super) fn variable(&self) -> Outcome<OsString> {
        let place = Place::of(self.0.as_fd()).ok_or(Error::ERROR_TOO_MANY_OPEN_FILES)?;
        Ok(format!("{VARIABLE}={}", place.write()).into())
    }

    /// The exit code of a process, of which Linux has kept these 8 bits.
    pub(super) fn code(&self, process: u32, kept: u32) -> u32 {
        let mut octets = [0; CODE_LEN];
        if self.0.read_exact_at(&mut octets, 0).is_err() {
            return kept;
        }
        let (writer, code) = (word(&octets[..4]), word(&octets[4..]));
        let is_it = kept_of(code).cast_unsigned() == kept || code & 0xFF == kept;
        if writer == process && is_it { code } else { kept }
    }
}

fn word(octets: &[u8]) -> u32 {
    octets.iter().rev().fold(0, |word, &octet| word << 8 | u32::from(octet))
}

/// The sheet of this process, and its number: a copy that fork makes is another one.
struct Own {
    file: File,
    process: u32,
}

static OWN: OnceLock<Own> = OnceLock::new();

thread_local! {
    /// What this thread has called ExitProcess with. Another one may do so too, and is not heard.
    static GIVEN: Cell<Option<u32>> = const { Cell::new(None) };
}

/// Writes this process's exit code.
pub(super) fn tell(code: u32) {
    if let Some(own) = OWN.get().filter(|own| own.process == std::process::id()) {
        let octets = [own.process.to_le_bytes(), code.to_le_bytes()].concat();
        let _ = own.file.write_all_at(&octets, 0);
    }
}

/// This thread is about to exit with the 8 bits that are kept of this code. True if it was before.
pub(super) fn note(code: u32) -> bool {
    GIVEN.replace(Some(code)).is_some()
}

/// The program has returned from main, or called exit.
extern "C" fn at_exit(status: c_int, _: *mut c_void) {
    let given = GIVEN.get().filter(|code| kept_of(*code) == status);
    tell(given.unwrap_or_else(|| status.cast_unsigned()));
}

unsafe extern "C" {
    /// As atexit, and the handler is told the status (glibc).
    fn on_exit(handler: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
}

/// Takes the sheet that the variable names, and gives its list.
pub(super) fn take(told: &str) -> Option<String> {
    let file = File::from(Place::read(&mut told.split(':'))?.take()?);
    let len = file.metadata().ok()?.len();
    let mut octets = vec![0; usize::try_from(len).ok().filter(|_| len <= LIST_MAX)?];
    file.read_exact_at(&mut octets, 0).ok()?;
    let list = String::from_utf8(octets.get(CODE_LEN..)?.to_vec()).ok()?;
    let own = Own { file, process: std::process::id() };
    if OWN.set(own).is_ok() {
        // SAFETY: the handler is a function of this library, which is never unloaded.
        unsafe { on_exit(at_exit, std::ptr::null_mut()) };
    }
    Some(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_told_if_it_is_the_one_that_was_kept() {
        let sheet = Sheet::new("list").unwrap();
        assert_eq!(sheet.code(99, 7), 7, "nothing is written");
        for (code, kept, expected) in [
            (0xC000_0005, 5, 0xC000_0005),
            (0x100, 0xFF, 0x100),
            (0x100, 0, 0x100),
            (0x1234, 0x35, 0x35),
            (0, 0, 0),
        ] {
            let octets = [99_u32.to_le_bytes(), u32::to_le_bytes(code)].concat();
            sheet.0.write_all_at(&octets, 0).unwrap();
            assert_eq!(sheet.code(99, kept), expected, "{code:#x}");
            assert_eq!(sheet.code(98, kept), kept, "another's");
        }
    }

    #[test]
    fn nothing_but_what_was_left_is_taken() {
        let file = File::open("/dev/null").unwrap();
        let at = Place::of(file.as_fd()).unwrap();
        assert!(Place { inode: 0, ..at }.take().is_none(), "another file");
        assert!(at.take().is_none(), "one that exec would have closed");
        assert!(Place { fd: 1, ..at }.take().is_none(), "a standard stream");
        assert!(Place { fd: 1 << 20, ..at }.take().is_none(), "none");
    }
}

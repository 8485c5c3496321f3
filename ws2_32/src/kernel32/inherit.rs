//! Handles that a process has from the one that started it.
//!
//! A handle that is inherited has the same value in the new process, whose descriptors are those of
//! the old one under the same numbers. What stands behind which is told by a variable of the
//! environment, which is taken away before the program begins. A process that is not linked with
//! this library has the descriptors only.
#![allow(unsafe_code, reason = "descriptors come by number; a function that runs at the start")]

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use linsock::iocp::disk::{Access, DiskFile, Opening};
use linsock::iocp::handle::{Handle, table};
use linsock::iocp::stream::{Descriptor, Stream};
use rustix::fs::fstat;
use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};

use super::object::no_access;
use crate::abi::HANDLE;
use crate::export::Outcome;
use crate::last_error::Error;
use crate::ptr;

/// Where the handles are told.
pub(super) const VARIABLE: &str = "LINSOCK_INHERITED_HANDLES";

/// Where bInheritHandle is in a SECURITY_ATTRIBUTES.
const INHERIT_OFFSET: usize = 16;

/// Whether the attributes of a new handle say that it is inherited; without any it is not.
pub(super) fn is_asked_for(attributes: *const u8) -> Outcome<bool> {
    if attributes.is_null() {
        return Ok(false);
    }
    let at = attributes.wrapping_add(INHERIT_OFFSET).cast::<i32>();
    Ok(ptr::read(at).map_err(no_access)? != 0)
}

/// Something that can be inherited: it is nothing but a descriptor and what we know of it.
pub(super) enum Inheritable {
    Stream(Arc<Stream>),
    Disk(Arc<DiskFile>),
}

impl Inheritable {
    /// `None` for what cannot be inherited: sockets, and objects that are the process's own.
    pub(super) fn of(value: HANDLE) -> Option<Self> {
        let stream = Stream::from_value(value).map(Self::Stream);
        stream.or_else(|| DiskFile::from_value(value).map(Self::Disk))
    }

    /// The descriptor of it, which stays open while this lives.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Stream(stream) => stream.descriptor().as_fd(),
            Self::Disk(file) => file.file().as_fd(),
        }
    }

    /// Whether it is one of the process's standard streams.
    pub(super) fn is_standard(&self) -> bool {
        match self {
            Self::Stream(stream) => matches!(stream.descriptor(), Descriptor::Standard(_)),
            Self::Disk(_) => false,
        }
    }

    /// What a descriptor cannot tell.
    fn known(&self) -> Known {
        match self {
            Self::Stream(_) => Known::Stream,
            Self::Disk(file) => Known::Disk {
                access: file.access(),
                overlapped: file.is_overlapped(),
                position: *file.position(),
            },
        }
    }
}

/// What is told of an object besides its descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Stream,
    Disk { access: Access, overlapped: bool, position: u64 },
}

/// What is told of a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Told {
    value: HANDLE,
    fd: RawFd,
    /// Which file it is: another process in between may have given the number to another.
    file: (u64, u64),
    known: Known,
}

impl Told {
    fn write(&self) -> String {
        let Self { value, fd, file: (device, inode), known } = self;
        let what = match known {
            Known::Stream => "stream".to_owned(),
            Known::Disk { access, overlapped, position } => {
                let bits = [access.read, access.write, access.append, *overlapped];
                let bits: String = bits.map(|bit| if bit { '1' } else { '0' }).iter().collect();
                format!("disk:{bits}:{position}")
            }
        };
        format!("{value}:{fd}:{device}:{inode}:{what}")
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let value = parts.next()?.parse().ok()?;
        let fd = parts.next()?.parse().ok()?;
        let file = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let known = match parts.next()? {
            "stream" => Known::Stream,
            "disk" => {
                let bits: Vec<_> = parts.next()?.chars().map(|bit| bit == '1').collect();
                let &[read, write, append, overlapped] = bits.as_slice() else { return None };
                let position = parts.next()?.parse().ok()?;
                Known::Disk { access: Access { read, write, append }, overlapped, position }
            }
            _ => return None,
        };
        parts.next().is_none().then_some(Self { value, fd, file, known })
    }
}

/// What a process that is started inherits.
#[derive(Default)]
pub(super) struct Inheritance {
    held: Vec<Inheritable>,
    told: Vec<String>,
}

impl Inheritance {
    /// Everything whose handle says that it is inherited. The standard streams go their own way.
    pub(super) fn of_all() -> Self {
        let mut all = Self::default();
        for (handle, _) in table().inherited_files() {
            let Some(object) = Inheritable::of(handle.value()) else { continue };
            let identity = fstat(object.fd()).map(|known| (known.st_dev, known.st_ino));
            if let (false, Ok(file)) = (object.is_standard(), identity) {
                let fd = object.fd().as_raw_fd();
                let told = Told { value: handle.value(), fd, file, known: object.known() };
                all.told.push(told.write());
                all.held.push(object);
            }
        }
        all
    }

    /// The descriptors that the new process has under the same numbers.
    pub(super) fn descriptors(&self) -> Vec<RawFd> {
        self.held.iter().map(|object| object.fd().as_raw_fd()).collect()
    }

    /// The variable that tells it what they are, if there is any.
    pub(super) fn variable(&self) -> Option<OsString> {
        (!self.told.is_empty()).then(|| format!("{VARIABLE}={}", self.told.join(",")).into())
    }
}

/// Takes a handle over; false if it is not what it was said to be.
fn adopt(told: Told) -> bool {
    if told.fd <= 2 {
        return false;
    }
    // SAFETY: borrowed for this look, which fails for a number that is not open.
    let borrowed = unsafe { BorrowedFd::borrow_raw(told.fd) };
    let identity = fstat(borrowed).map(|known| (known.st_dev, known.st_ino));
    // What is not passed on by exec is somebody else's: nobody could have given it to us.
    let is_passed_on = fcntl_getfd(borrowed).is_ok_and(|flags| !flags.contains(FdFlags::CLOEXEC));
    if identity != Ok(told.file) || !is_passed_on {
        return false;
    }
    let _ = fcntl_setfd(borrowed, FdFlags::CLOEXEC);
    // SAFETY: the process that started this one left it for this table, and nobody else uses it.
    let fd = unsafe { OwnedFd::from_raw_fd(told.fd) };
    let Some(handle) = Handle::from_value(told.value) else { return false };
    match told.known {
        Known::Stream => Stream::adopt(handle, fd).is_ok(),
        Known::Disk { access, overlapped, position } => {
            let opening = Opening { access, overlapped, doomed: None };
            DiskFile::adopt(handle, File::from(fd), opening, position)
        }
    }
}

/// Whether the process has no other thread: the library is not loaded by one that runs already.
fn is_alone() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
}

/// Takes over what the variable tells, and takes it away.
fn adopt_all() {
    let Some(told) = std::env::var_os(VARIABLE) else { return };
    if !is_alone() {
        return;
    }
    // SAFETY: there is no other thread that could read the environment.
    unsafe { std::env::remove_var(VARIABLE) };
    let told = told.to_string_lossy();
    told.split(',').filter_map(Told::read).for_each(|told| {
        adopt(told);
    });
}

extern "C" fn at_start() {
    let _ = std::panic::catch_unwind(adopt_all);
}

/// Runs before the program's main function.
#[used]
// SAFETY: the section holds functions of this type, which run once, in the one thread there is.
#[unsafe(link_section = ".init_array")]
static AT_START: extern "C" fn() = at_start;

/// Is called by what looks for handles, so that a program which is linked with parts of this
/// library has this one.
#[inline]
pub(super) fn is_linked() {
    std::hint::black_box(&AT_START);
}

/// Says whether a handle is inherited.
pub(super) fn set(value: HANDLE, inherited: bool) -> Outcome<()> {
    let handle = Handle::from_value(value).ok_or(Error::ERROR_INVALID_HANDLE)?;
    if inherited && Inheritable::of(value).is_none() {
        return Err(Error::ERROR_NOT_SUPPORTED);
    }
    if table().set_inherited(handle, inherited) { Ok(()) } else { Err(Error::ERROR_INVALID_HANDLE) }
}

/// Whether a handle is inherited.
pub(super) fn get(value: HANDLE) -> bool {
    Handle::from_value(value).and_then(|handle| table().is_inherited(handle)).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_understood() {
        let access = Access { read: true, write: false, append: true };
        let disk = Known::Disk { access, overlapped: true, position: 7 };
        for known in [Known::Stream, disk] {
            let told = Told { value: 1 << 22 | 4, fd: 9, file: (12, u64::MAX), known };
            assert_eq!(Told::read(&told.write()), Some(told));
        }
        for text in ["", "1:2:3", "4:9:1:1:other", "4:9:1:1:disk:101:7", "4:9:1:1:stream:1", "x"] {
            assert_eq!(Told::read(text), None, "{text}");
        }
    }

    #[test]
    fn nothing_but_what_was_left_is_taken_over() {
        let file = File::open("/dev/null").unwrap();
        let fd = file.as_raw_fd();
        let known = fstat(&file).unwrap();
        let told = Told { value: 1 << 20, fd, file: (known.st_dev, 0), known: Known::Stream };
        assert!(!adopt(told), "another file");
        let told = Told { file: (known.st_dev, known.st_ino), ..told };
        assert!(!adopt(told), "one that exec would have closed");
        assert!(!adopt(Told { fd: 1, ..told }), "a standard stream");
        assert!(!adopt(Told { fd: 1 << 20, ..told }), "none");
    }
}

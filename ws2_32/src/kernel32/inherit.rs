//! Handles that a process has from the one that started it.
//!
//! A handle that is inherited has the same value in the new process, whose descriptors are those of
//! the old one under the same numbers. What stands behind which is told by the sheet that both
//! processes share. A process that is not linked with this library has the descriptors only.
#![allow(unsafe_code, reason = "the environment; a function that runs at the start")]

use std::collections::BTreeSet;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;

use linsock::iocp::disk::{Access, DiskFile, Opening};
use linsock::iocp::handle::{Handle, table};
use linsock::iocp::stream::{Descriptor, Standard, Stream};
use linsock::iocp::sys;
use linsock::named_pipe::End;
use linsock::socket::{Emigrant, Socket};
use rustix::io::{Errno, fcntl_dupfd_cloexec};

use super::object::no_access;
use super::sheet::{self, Place, VARIABLE};
use super::standard;
use crate::abi::HANDLE;
use crate::export::Outcome;
use crate::last_error::Error;
use crate::ptr;

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
    /// An end of a named pipe that has another: a stream there.
    Pipe(Arc<OwnedFd>),
}

impl Inheritable {
    /// `None` for sockets, and for what cannot be inherited: objects that are the process's own.
    pub(super) fn of(value: HANDLE) -> Option<Self> {
        let stream = Stream::from_value(value).map(Self::Stream);
        let disk = || DiskFile::from_value(value).map(Self::Disk);
        let pipe = || End::from_value(value)?.shared_fd().map(Self::Pipe);
        stream.or_else(disk).or_else(pipe)
    }

    /// The descriptor of it, which stays open while this lives.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Stream(stream) => stream.descriptor().as_fd(),
            Self::Disk(file) => file.file().as_fd(),
            Self::Pipe(fd) => fd.as_fd(),
        }
    }

    /// Whether it is one of the process's standard streams.
    pub(super) fn is_standard(&self) -> bool {
        match self {
            Self::Stream(stream) => matches!(stream.descriptor(), Descriptor::Standard(_)),
            Self::Disk(_) | Self::Pipe(_) => false,
        }
    }

    /// What a descriptor cannot tell.
    fn known(&self) -> Known {
        match self {
            Self::Stream(_) | Self::Pipe(_) => Known::Stream,
            Self::Disk(file) => Known::Disk {
                access: file.access(),
                overlapped: file.is_overlapped(),
                position: *file.position(),
            },
        }
    }
}

/// What is told of an object besides its descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Known {
    Stream,
    /// It is this standard stream of the new process, and has no descriptor besides.
    Standard(Standard),
    Disk {
        access: Access,
        overlapped: bool,
        position: u64,
    },
    /// With its passport.
    Socket(String),
}

/// What is told of a handle.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    value: HANDLE,
    at: Place,
    known: Known,
}

impl Told {
    fn write(&self) -> String {
        let what = match &self.known {
            Known::Stream => "stream".to_owned(),
            Known::Socket(passport) => format!("socket:{passport}"),
            Known::Standard(_) => "standard".to_owned(),
            Known::Disk { access, overlapped, position } => {
                let bits = [access.read, access.write, access.append, *overlapped];
                let bits: String = bits.map(|bit| if bit { '1' } else { '0' }).iter().collect();
                format!("disk:{bits}:{position}")
            }
        };
        format!("{}:{}:{what}\n", self.value, self.at.write())
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let value = parts.next()?.parse().ok()?;
        let at = Place::read(&mut parts)?;
        let known = match parts.next()? {
            "stream" => Known::Stream,
            "standard" => Known::Standard(*standard::ALL.get(usize::try_from(at.fd).ok()?)?),
            "socket" => Known::Socket(parts.next()?.to_owned()),
            "disk" => {
                let bits: Vec<_> = parts.next()?.chars().map(|bit| bit == '1').collect();
                let &[read, write, append, overlapped] = bits.as_slice() else { return None };
                let position = parts.next()?.parse().ok()?;
                Known::Disk { access: Access { read, write, append }, overlapped, position }
            }
            _ => return None,
        };
        parts.next().is_none().then_some(Self { value, at, known })
    }
}

/// What a process that is started inherits.
#[derive(Default)]
pub(super) struct Inheritance {
    entries: Vec<(Kept, Told)>,
    /// The sockets, which stay if it is not started.
    leaving: Vec<(Arc<Socket>, Arc<OwnedFd>)>,
}

impl Drop for Inheritance {
    fn drop(&mut self) {
        self.leaving.iter().for_each(|(socket, fd)| socket.note_stayed(fd));
    }
}

/// A descriptor that stays open until the new process has it.
enum Kept {
    Object(Inheritable),
    Descriptor(Arc<OwnedFd>),
}

impl AsFd for Kept {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Object(object) => object.fd(),
            Self::Descriptor(fd) => fd.as_fd(),
        }
    }
}

impl Kept {
    /// The same under another number.
    fn again(&self) -> Result<Self, Errno> {
        Ok(Self::Descriptor(Arc::new(fcntl_dupfd_cloexec(self, 3)?)))
    }
}

impl Inheritance {
    /// What is there of a handle to be inherited. This process's standard streams go their own way,
    /// and a socket that has no descriptor yet stays here.
    fn take_in(&mut self, value: HANDLE) -> Option<(Kept, Known)> {
        if let Some(object) = Inheritable::of(value) {
            let known = object.known();
            return (!object.is_standard()).then_some((Kept::Object(object), known));
        }
        let socket = Socket::from_value(value).ok()?;
        let Emigrant { fd, passport } = socket.emigrate_as_it_is()?;
        self.leaving.push((socket, Arc::clone(&fd)));
        Some((Kept::Descriptor(fd), Known::Socket(passport)))
    }

    /// The process was started.
    pub(super) fn has_left(mut self) {
        self.leaving.clear();
    }

    /// The descriptor of a socket that the process inherits under this handle.
    pub(super) fn socket(&self, handle: HANDLE) -> Option<BorrowedFd<'_>> {
        let is_it = |told: &Told| told.value == handle && matches!(told.known, Known::Socket(_));
        self.entries.iter().find(|(_, told)| is_it(told)).map(|(kept, _)| kept.as_fd())
    }

    /// Everything whose handle says that it is inherited.
    pub(super) fn of_all() -> Outcome<Self> {
        let mut all = Self::default();
        let mut numbers = BTreeSet::new();
        for (handle, _) in table().inherited_files() {
            let value = handle.value();
            let Some((kept, known)) = all.take_in(value) else { continue };
            // Of two handles of one socket each has a descriptor there, and the numbers below 3
            // are those of the standard streams there.
            let number = kept.as_fd().as_raw_fd();
            let is_free = number > 2 && numbers.insert(number);
            let kept = if is_free { Ok(kept) } else { kept.again() };
            let kept = kept.map_err(|_| Error::ERROR_TOO_MANY_OPEN_FILES)?;
            if let Some(at) = Place::of(kept.as_fd()) {
                all.entries.push((kept, Told { value, at, known }));
            }
        }
        Ok(all)
    }

    /// Pipes that become standard streams are these and nothing else, so that whoever closes the
    /// stream ends the pipe.
    pub(super) fn become_streams(&mut self, streams: [Option<HANDLE>; 3]) {
        for ((fd, stream), value) in (0..).zip(standard::ALL).zip(streams) {
            let is_it = |told: &&mut Told| Some(told.value) == value && told.known == Known::Stream;
            if let Some(told) = self.entries.iter_mut().map(|(_, told)| told).find(is_it) {
                told.at.fd = fd;
                told.known = Known::Standard(stream);
            }
        }
    }

    /// The descriptors that the new process has under the same numbers.
    pub(super) fn descriptors(&self) -> Vec<RawFd> {
        let is_own = |told: &Told| !matches!(told.known, Known::Standard(_));
        let own = self.entries.iter().filter(|(_, told)| is_own(told)).map(|(_, told)| told.at.fd);
        own.collect()
    }

    /// What tells it what they are.
    pub(super) fn list(&self) -> String {
        self.entries.iter().map(|(_, told)| told.write()).collect()
    }
}

/// Takes a handle over; false if it is not what it was said to be.
fn adopt(told: Told) -> bool {
    let Some(handle) = Handle::from_value(told.value) else { return false };
    let adopted = |descriptor| Stream::adopt(handle, descriptor).is_ok();
    match told.known {
        Known::Stream => told.at.take().is_some_and(|fd| adopted(Descriptor::Own(fd))),
        Known::Standard(stream) => {
            let is_adopted = told.at.is_as_told() && adopted(Descriptor::Standard(stream));
            if is_adopted {
                standard::choose(stream, told.value);
            }
            is_adopted
        }
        Known::Disk { access, overlapped, position } => told.at.take().is_some_and(|fd| {
            let opening = Opening { access, overlapped, doomed: None };
            DiskFile::adopt(handle, File::from(fd), opening, position)
        }),
        Known::Socket(passport) => {
            let adopted = |fd| Socket::immigrate(&passport, fd, Some(handle)).is_ok();
            told.at.take().is_some_and(adopted)
        }
    }
}

/// Whether the process has no other thread: the library is not loaded by one that runs already.
fn is_alone() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
}

/// Takes over what the variable tells, and takes it away: processes that this one starts, and that
/// it tells nothing, are to know nothing of it.
fn adopt_all() {
    let Some(told) = std::env::var_os(VARIABLE) else { return };
    if !is_alone() {
        return;
    }
    // SAFETY: there is no other thread that could read the environment.
    unsafe { std::env::remove_var(VARIABLE) };
    // A process with more rights than its user begins with no handles of his.
    if sys::is_privileged() {
        return;
    }
    let list = told.to_str().and_then(sheet::take).unwrap_or_default();
    list.lines().filter_map(Told::read).for_each(|told| {
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
    if inherited && Inheritable::of(value).is_none() && Socket::from_value(value).is_err() {
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
        let at = Place::read(&mut "9:12:18446744073709551615".split(':')).unwrap();
        for known in [Known::Stream, disk, Known::Socket("12.ab.".to_owned())] {
            let told = Told { value: 1 << 22 | 4, at, known };
            let line = told.write();
            assert_eq!(Told::read(line.strip_suffix('\n').unwrap()), Some(told));
        }
        let at = Place::read(&mut "1:1:1".split(':')).unwrap();
        let told = Told { value: 4, at, known: Known::Standard(Standard::Output) };
        assert_eq!(Told::read(told.write().trim_end()), Some(told));
        for text in ["", "1:2:3", "4:9:1:1:other", "4:9:1:1:disk:101:7", "4:9:1:1:standard", "x"] {
            assert_eq!(Told::read(text), None, "{text}");
        }
    }

    #[test]
    fn nothing_but_what_was_left_is_taken_over() {
        let file = File::open("/dev/null").unwrap();
        let at = Place::of(file.as_fd()).unwrap();
        assert!(!adopt(Told { value: 1 << 20, at, known: Known::Stream }));
    }
}

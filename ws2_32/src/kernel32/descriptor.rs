//! Files by number (descriptors, as the C runtime has them) and by handle.
#![allow(unsafe_code, reason = "descriptors that the program says are open; errno; the exports")]

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::Seek;
use std::os::fd::{BorrowedFd, IntoRawFd};
use std::os::unix::fs::MetadataExt;

use linsock::iocp::disk::{Access, DiskFile, Opening};
use linsock::iocp::stream::Stream;
use linsock::iocp::sync::Lock;
use rustix::fs::{OFlags, SeekFrom, fcntl_getfl};

use super::inherit::Inheritable;
use super::standard;
use crate::abi::{HANDLE, INVALID_HANDLE_VALUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;

/// The handle of a descriptor, and which file that was.
#[derive(Clone, Copy)]
struct Known {
    handle: HANDLE,
    file: (u64, u64),
}

/// By descriptor. One that was closed, and stands for another file now, is found out when it is
/// asked for again.
static KNOWN: Lock<BTreeMap<i32, Known>> = Lock::new(BTreeMap::new());

fn bad_descriptor() -> Error {
    // SAFETY: gives an address.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: errno is the thread's own.
    unsafe { errno.write(libc::EBADF) };
    Error::ERROR_INVALID_HANDLE
}

/// A second descriptor of the same open file.
fn duplicate(fd: i32) -> Option<File> {
    if fd < 0 {
        return None;
    }
    // SAFETY: borrowed for this call, which fails for a descriptor that is not open.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    borrowed.try_clone_to_owned().ok().map(File::from)
}

fn access_of(file: &File) -> Option<Access> {
    let mode = fcntl_getfl(file).ok()?.intersection(OFlags::RWMODE);
    let write = mode != OFlags::RDONLY;
    Some(Access { read: mode != OFlags::WRONLY, write, append: write })
}

/// What is open under this number: a second descriptor of it, and which file it is.
fn file_of(fd: i32) -> Option<(File, Metadata)> {
    let file = duplicate(fd)?;
    let metadata = file.metadata().ok()?;
    Some((file, metadata))
}

fn identity_of(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// A standard stream that is no file has one handle, whoever asks for it.
fn standard_of(fd: i32) -> Option<HANDLE> {
    let stream = standard::ALL.get(usize::try_from(fd).ok()?)?;
    Some(standard::handle_of(*stream)).filter(|handle| Stream::from_value(*handle).is_some())
}

fn enter(mut file: File, metadata: &Metadata) -> Outcome<HANDLE> {
    if !metadata.is_file() {
        return super::pipe::enter(file.into(), true);
    }
    let access = access_of(&file).ok_or_else(bad_descriptor)?;
    let position = file.stream_position().unwrap_or(0);
    let entered = DiskFile::enter(file, Opening { access, ..Opening::default() });
    let handle = entered.map_err(|_| Error::ERROR_TOO_MANY_OPEN_FILES)?.value();
    if let Some(file) = DiskFile::from_value(handle) {
        *file.position() = position;
    }
    Ok(handle)
}

fn handle_of(fd: i32) -> Outcome<HANDLE> {
    let found = file_of(fd);
    let identity = found.as_ref().map(|(_, metadata)| identity_of(metadata));
    let is_stream = found.as_ref().is_some_and(|(_, metadata)| !metadata.is_file());
    if is_stream && let Some(handle) = standard_of(fd) {
        return Ok(handle);
    }
    let mut known = KNOWN.lock();
    let former = known.remove(&fd).filter(|known| Inheritable::of(known.handle).is_some());
    if let Some(same) = former.filter(|known| Some(known.file) == identity) {
        known.insert(fd, same);
        return Ok(same.handle);
    }
    if let Some(other) = former {
        // Nobody has it any more: its descriptor was closed.
        let _ = super::object::close(other.handle);
    }
    let (file, metadata) = found.ok_or_else(bad_descriptor)?;
    let handle = enter(file, &metadata)?;
    known.insert(fd, Known { handle, file: identity_of(&metadata) });
    Ok(handle)
}

fn descriptor_of(handle: HANDLE) -> Outcome<i32> {
    let object = Inheritable::of(handle).ok_or_else(bad_descriptor)?;
    let descriptor = object.fd().try_clone_to_owned().map_err(|_| bad_descriptor())?;
    if let Inheritable::Disk(file) = &object {
        let position = SeekFrom::Start(*file.position());
        rustix::fs::seek(&descriptor, position).map_err(|_| bad_descriptor())?;
    }
    super::object::close(handle)?;
    Ok(descriptor.into_raw_fd())
}

export! {
    /// Gives the handle of a file or another stream that has a number. It is the same one
    /// each time, and not to be closed.
    ///
    /// <https://learn.microsoft.com/cpp/c-runtime-library/reference/get-osfhandle>
    ///
    /// # Errors
    /// INVALID_HANDLE_VALUE with errno EBADF.
    ///
    /// # Differs from Windows
    /// The handle of a regular file has a position of its own, which begins where the number's was.
    /// Any handle but those of 0, 1 and 2 keeps the file open after the number was closed, until
    /// the handle of that number is asked for again: the end of a pipe comes later.
    fn _get_osfhandle(fd: i32) -> HANDLE, fail INVALID_HANDLE_VALUE; {
        handle_of(fd)
    }

    /// Gives a file that has a handle a number. Who closes the number closes the file.
    ///
    /// <https://learn.microsoft.com/cpp/c-runtime-library/reference/open-osfhandle>
    ///
    /// # Errors
    /// -1 with errno EBADF.
    ///
    /// # Differs from Windows
    /// The number takes the file over: the handle itself is not valid any more.
    fn _open_osfhandle(osfhandle: HANDLE, flags: i32) -> i32, fail -1; {
        let _ = flags;
        descriptor_of(osfhandle)
    }
}

//! Files mapped into memory, and shared memory of the process.
//!
//! # Differs from Windows
//! The names of mappings are known in this process only, so what is shared with other processes is
//! shared through files; nothing in them is executed. A view begins at a multiple of the page size,
//! not of 64 KiB. To
//! read behind the end of a file that was made shorter is SIGBUS.
#![allow(unsafe_code, reason = "mmap and munmap of memory that nobody else has; the exports")]

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use linsock::iocp::disk::{self, DiskFile};
use linsock::iocp::handle::{Handle, Object, table};
use linsock::iocp::sync::Lock;
use rustix::fs::{MemfdFlags, memfd_create};

use super::object::names::{self, Kind, Name};
use crate::abi::{BOOL, FALSE, HANDLE, INVALID_HANDLE_VALUE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;

const PAGE_READONLY: u32 = 2;
const PAGE_READWRITE: u32 = 4;
const PAGE_WRITECOPY: u32 = 8;
const SEC_COMMIT: u32 = 0x800_0000;

const FILE_MAP_COPY: u32 = 1;
const FILE_MAP_WRITE: u32 = 2;
const FILE_MAP_READ: u32 = 4;
const FILE_MAP_ALL_ACCESS: u32 = 0xF_001F;

/// Views begin at multiples of this in their files (GetSystemInfo, dwAllocationGranularity).
const GRANULARITY: u64 = 0x1_0000;

/// A file, or memory, that views can be made of.
pub(super) struct Mapping {
    file: Arc<File>,
    size: u64,
    is_writable: bool,
}

/// How a view may be used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    Read,
    Write,
    /// What is written stays the view's own.
    Copy,
}

/// The sizes of the views by their addresses.
static VIEWS: Lock<BTreeMap<usize, usize>> = Lock::new(BTreeMap::new());

fn failed(error: &std::io::Error) -> Error {
    Error(disk::status_of(error).win32())
}

impl Mapping {
    /// Of a file; without a size, of all of it.
    fn of_file(file: HANDLE, size: u64, is_writable: bool) -> Outcome<Self> {
        let file = DiskFile::from_value(file).ok_or(Error::ERROR_INVALID_HANDLE)?;
        let access = file.access();
        if !access.read || is_writable && !access.write {
            return Err(Error::ERROR_ACCESS_DENIED);
        }
        let file = Arc::clone(file.file());
        let len = file.metadata().map_err(|error| failed(&error))?.len();
        if size == 0 && len == 0 {
            return Err(Error::ERROR_FILE_INVALID);
        }
        if size > len {
            if !is_writable {
                return Err(Error::ERROR_NOT_ENOUGH_MEMORY);
            }
            file.set_len(size).map_err(|error| failed(&error))?;
        }
        Ok(Self { file, size: if size == 0 { len } else { size }, is_writable })
    }

    /// Of memory, all zero.
    fn of_memory(size: u64, is_writable: bool) -> Outcome<Self> {
        if size == 0 {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        let file = memfd_create(c"linsock", MemfdFlags::CLOEXEC).map(File::from);
        let file = file.map_err(|_| Error::ERROR_TOO_MANY_OPEN_FILES)?;
        file.set_len(size).map_err(|error| failed(&error))?;
        Ok(Self { file: Arc::new(file), size, is_writable })
    }

    fn find(handle: HANDLE) -> Outcome<Arc<Self>> {
        let object = Handle::from_value(handle).and_then(|handle| table().get(handle));
        let Some(Object::Closable(any)) = object else { return Err(Error::ERROR_INVALID_HANDLE) };
        any.downcast().map_err(|_| Error::ERROR_INVALID_HANDLE)
    }

    /// Makes a view of so many octets, or of all that follow, at an address or anywhere (0).
    fn view(&self, view: View, offset: u64, len: usize, base: usize) -> Outcome<usize> {
        if view == View::Write && !self.is_writable {
            return Err(Error::ERROR_ACCESS_DENIED);
        }
        if !(offset | base as u64).is_multiple_of(GRANULARITY) {
            return Err(Error::ERROR_MAPPED_ALIGNMENT);
        }
        let rest = self.size.checked_sub(offset).filter(|rest| *rest > 0);
        let rest = rest.ok_or(Error::ERROR_INVALID_PARAMETER)?;
        let rest = usize::try_from(rest).map_err(|_| Error::ERROR_NOT_ENOUGH_MEMORY)?;
        let len = if len == 0 { rest } else { len };
        if len > rest {
            return Err(Error::ERROR_ACCESS_DENIED);
        }
        let at = self.map(view, offset, len, base)?;
        VIEWS.lock().insert(at, len);
        Ok(at)
    }

    fn map(&self, view: View, offset: u64, len: usize, base: usize) -> Outcome<usize> {
        let (protection, mut sharing) = match view {
            View::Read => (libc::PROT_READ, libc::MAP_SHARED),
            View::Write => (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED),
            View::Copy => (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE),
        };
        let offset = libc::off_t::try_from(offset).map_err(|_| Error::ERROR_INVALID_PARAMETER)?;
        if base != 0 {
            sharing |= libc::MAP_FIXED_NOREPLACE;
        }
        let (place, file) = (std::ptr::without_provenance_mut(base), self.file.as_raw_fd());
        // SAFETY: memory which nobody has: it is the kernel's choice, or nothing is there yet.
        let at = unsafe { libc::mmap(place, len, protection, sharing, file, offset) };
        if at == libc::MAP_FAILED {
            let error = std::io::Error::last_os_error();
            return Err(match error.raw_os_error() {
                Some(libc::EEXIST | libc::EPERM | libc::ENOMEM) if base != 0 => {
                    Error::ERROR_INVALID_ADDRESS
                }
                _ => failed(&error),
            });
        }
        if base != 0 && at.addr() != base {
            // A kernel before 4.17, and valgrind's, takes the address for a wish (mmap(2)).
            // SAFETY: the memory was just made, and nobody knows of it.
            unsafe { libc::munmap(at, len) };
            return Err(Error::ERROR_INVALID_ADDRESS);
        }
        Ok(at.expose_provenance())
    }
}

fn create(
    file: HANDLE,
    protection: u32,
    size: u64,
    name: Outcome<Option<Name>>,
) -> Outcome<HANDLE> {
    let is_writable = match protection & !SEC_COMMIT {
        PAGE_READWRITE => true,
        PAGE_READONLY | PAGE_WRITECOPY => false,
        _ => return Err(Error::ERROR_INVALID_PARAMETER),
    };
    names::create(name?, Kind::Section, || {
        let mapping = match file {
            INVALID_HANDLE_VALUE => Mapping::of_memory(size, is_writable)?,
            file => Mapping::of_file(file, size, is_writable)?,
        };
        Ok(Object::Closable(Arc::new(mapping)))
    })
}

/// A view at an address, or anywhere.
fn make_view(
    mapping: HANDLE,
    access: u32,
    offset: u64,
    len: usize,
    base: usize,
) -> Outcome<*mut u8> {
    let view = match access {
        FILE_MAP_READ => View::Read,
        FILE_MAP_COPY => View::Copy,
        FILE_MAP_ALL_ACCESS => View::Write,
        access if access & !FILE_MAP_READ == FILE_MAP_WRITE => View::Write,
        _ => return Err(Error::ERROR_INVALID_PARAMETER),
    };
    let at = Mapping::find(mapping)?.view(view, offset, len, base)?;
    Ok(std::ptr::with_exposed_provenance_mut(at))
}

fn joined(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

export! {
    /// Makes a mapping of a file, or of memory (INVALID_HANDLE_VALUE), from which views are made.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-createfilemappinga>
    ///
    /// A file that is shorter than the mapping is made longer if it may be written.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED, ERROR_FILE_INVALID (an empty file and no size),
    /// ERROR_INVALID_PARAMETER (protection; memory without a size), ERROR_NOT_ENOUGH_MEMORY (a file
    /// that is too short and not to be written), ERROR_NOACCESS; for names as CreateEvent.
    /// ERROR_ALREADY_EXISTS tells that there is a mapping of that name: it is what is given, as it
    /// was made.
    ///
    /// # Differs from Windows
    /// No protection other than PAGE_READONLY, PAGE_READWRITE and PAGE_WRITECOPY; a name is known
    /// in
    /// this process only.
    fn CreateFileMappingA(
        hFile: HANDLE,
        lpFileMappingAttributes: *const u8,
        flProtect: u32,
        dwMaximumSizeHigh: u32,
        dwMaximumSizeLow: u32,
        lpName: *const u8,
    ) -> HANDLE, fail 0; {
        let _ = lpFileMappingAttributes;
        let size = joined(dwMaximumSizeHigh, dwMaximumSizeLow);
        create(hFile, flProtect, size, Name::optional_a(lpName))
    }

    /// As [`CreateFileMappingA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-createfilemappingw>
    ///
    /// Errors and differences as [`CreateFileMappingA`].
    fn CreateFileMappingW(
        hFile: HANDLE,
        lpFileMappingAttributes: *const u8,
        flProtect: u32,
        dwMaximumSizeHigh: u32,
        dwMaximumSizeLow: u32,
        lpName: *const u16,
    ) -> HANDLE, fail 0; {
        let _ = lpFileMappingAttributes;
        let size = joined(dwMaximumSizeHigh, dwMaximumSizeLow);
        create(hFile, flProtect, size, Name::optional_w(lpName))
    }

    /// Another handle of the mapping that has the name.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-openfilemappinga>
    ///
    /// # Errors
    /// ERROR_FILE_NOT_FOUND, ERROR_INVALID_HANDLE (an object of another kind has it),
    /// ERROR_INVALID_PARAMETER (no name), ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// The handle allows what the mapping was made for; it is not inherited.
    fn OpenFileMappingA(
        dwDesiredAccess: u32,
        bInheritHandle: BOOL,
        lpName: *const u8,
    ) -> HANDLE, fail 0; {
        let _ = (dwDesiredAccess, bInheritHandle);
        names::open(Name::optional_a(lpName)?, Kind::Section)
    }

    /// As [`OpenFileMappingA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-openfilemappingw>
    ///
    /// Errors and differences as [`OpenFileMappingA`].
    fn OpenFileMappingW(
        dwDesiredAccess: u32,
        bInheritHandle: BOOL,
        lpName: *const u16,
    ) -> HANDLE, fail 0; {
        let _ = (dwDesiredAccess, bInheritHandle);
        names::open(Name::optional_w(lpName)?, Kind::Section)
    }

    /// Makes a view of a mapping, of so many octets or, of none, of all that follow. It stays when
    /// the handle is closed.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-mapviewoffile>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER (access; behind the end), ERROR_ACCESS_DENIED
    /// (to write what is not to be written; more than there is), ERROR_MAPPED_ALIGNMENT.
    fn MapViewOfFile(
        hFileMappingObject: HANDLE,
        dwDesiredAccess: u32,
        dwFileOffsetHigh: u32,
        dwFileOffsetLow: u32,
        dwNumberOfBytesToMap: usize,
    ) -> *mut u8, fail std::ptr::null_mut(); {
        let offset = joined(dwFileOffsetHigh, dwFileOffsetLow);
        make_view(hFileMappingObject, dwDesiredAccess, offset, dwNumberOfBytesToMap, 0)
    }

    /// As [`MapViewOfFile`], at an address, unless that is null.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-mapviewoffileex>
    ///
    /// # Errors
    /// As MapViewOfFile; ERROR_INVALID_ADDRESS where something is already,
    /// ERROR_MAPPED_ALIGNMENT for an address that is no multiple of the granularity.
    fn MapViewOfFileEx(
        hFileMappingObject: HANDLE,
        dwDesiredAccess: u32,
        dwFileOffsetHigh: u32,
        dwFileOffsetLow: u32,
        dwNumberOfBytesToMap: usize,
        lpBaseAddress: *mut u8,
    ) -> *mut u8, fail std::ptr::null_mut(); {
        let offset = joined(dwFileOffsetHigh, dwFileOffsetLow);
        let (mapping, base) = (hFileMappingObject, lpBaseAddress.addr());
        make_view(mapping, dwDesiredAccess, offset, dwNumberOfBytesToMap, base)
    }

    /// Takes a view away.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-unmapviewoffile>
    ///
    /// # Errors
    /// ERROR_INVALID_ADDRESS for what no view begins at.
    fn UnmapViewOfFile(lpBaseAddress: *const u8) -> BOOL, fail FALSE; {
        let mut views = VIEWS.lock();
        let len = views.remove(&lpBaseAddress.addr()).ok_or(Error::ERROR_INVALID_ADDRESS)?;
        // SAFETY: the view is ours, and the program gives it up. Under the lock, so that another
        // view at its address is entered after it was left.
        unsafe { libc::munmap(lpBaseAddress.cast_mut().cast(), len) };
        drop(views);
        ptr::forget_pages();
        Ok(TRUE)
    }
}

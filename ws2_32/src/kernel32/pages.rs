//! Memory by pages: reserved, committed, protected, locked.
//!
//! Reserved memory is mapped without any right; to commit pages is to allow what their protection
//! says, and to decommit them is to map them afresh, which also makes them zero again.
#![allow(unsafe_code, reason = "mmap and its family, on memory that nobody else has")]

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ops::Range;

use linsock::iocp::sync::{Lock, Locked};

use super::object::no_access;
use crate::abi::{BOOL, FALSE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr::{self, Out};

mod record;

use record::{Page, Protection, Reservation};

const MEM_COMMIT: u32 = 0x1000;
const MEM_RESERVE: u32 = 0x2000;
const MEM_DECOMMIT: u32 = 0x4000;
const MEM_RELEASE: u32 = 0x8000;
const MEM_TOP_DOWN: u32 = 0x10_0000;

const PAGE_NOACCESS: u32 = 1;
const PAGE_READONLY: u32 = 2;
const PAGE_READWRITE: u32 = 4;
const PAGE_EXECUTE: u32 = 0x10;
const PAGE_EXECUTE_READ: u32 = 0x20;
const PAGE_EXECUTE_READWRITE: u32 = 0x40;

const ERROR_WORKING_SET_QUOTA: Error = Error(1453);

/// Reservations begin at multiples of this (GetSystemInfo, dwAllocationGranularity).
const GRANULARITY: usize = 0x1_0000;

/// The reservations by their first addresses.
type Reservations = BTreeMap<usize, Reservation>;

static RESERVATIONS: Lock<Reservations> = Lock::new(BTreeMap::new());

fn page_size() -> usize {
    // SAFETY: asks a number.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).unwrap_or(4096)
}

/// The pages that an octet of the range is in.
fn pages_of(at: usize, size: usize) -> Outcome<Range<usize>> {
    let page = page_size();
    let end = at.checked_add(size).and_then(|end| end.checked_next_multiple_of(page));
    let end = end.filter(|_| size > 0).ok_or(Error::ERROR_INVALID_PARAMETER)?;
    Ok(at / page * page..end)
}

fn protection(windows: u32) -> Outcome<Protection> {
    let kernel = match windows {
        PAGE_NOACCESS => libc::PROT_NONE,
        PAGE_READONLY => libc::PROT_READ,
        PAGE_READWRITE => libc::PROT_READ | libc::PROT_WRITE,
        PAGE_EXECUTE => libc::PROT_EXEC,
        PAGE_EXECUTE_READ => libc::PROT_READ | libc::PROT_EXEC,
        PAGE_EXECUTE_READWRITE => libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC,
        _ => return Err(Error::ERROR_INVALID_PARAMETER),
    };
    Ok(Protection { windows, kernel })
}

fn pointer(at: usize) -> *mut c_void {
    std::ptr::with_exposed_provenance_mut(at)
}

/// Maps memory without any right; at this address if `placement` is a flag that says so.
fn map(at: usize, size: usize, placement: i32) -> Option<usize> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | placement;
    // SAFETY: the memory is fresh, or placed over pages of a reservation that the program gives up.
    let mapped = unsafe { libc::mmap(pointer(at), size, libc::PROT_NONE, flags, -1, 0) };
    (mapped != libc::MAP_FAILED).then(|| mapped.expose_provenance())
}

fn unmap(pages: &Range<usize>) {
    if !pages.is_empty() {
        // SAFETY: pages that `map` mapped and that the program gives up, or has not seen.
        unsafe { libc::munmap(pointer(pages.start), pages.len()) };
    }
}

/// Lets the kernel protect pages of a reservation.
fn protect(pages: &Range<usize>, protection: Protection) -> Outcome<()> {
    // SAFETY: memory of a reservation, of which the program says what may be done with it.
    let result = unsafe { libc::mprotect(pointer(pages.start), pages.len(), protection.kernel) };
    if result == 0 { Ok(()) } else { Err(Error::ERROR_NOT_ENOUGH_MEMORY) }
}

/// Maps a reservation wherever there is room.
fn reserve_anywhere(size: usize) -> Outcome<Range<usize>> {
    let size = pages_of(0, size)?.len();
    let larger = size.checked_add(GRANULARITY).ok_or(Error::ERROR_NOT_ENOUGH_MEMORY)?;
    let mapped = map(0, larger, 0).ok_or(Error::ERROR_NOT_ENOUGH_MEMORY)?;
    let start = mapped.next_multiple_of(GRANULARITY);
    unmap(&(mapped..start));
    unmap(&(start + size..mapped + larger));
    Ok(start..start + size)
}

/// Maps a reservation at an address, if nothing is there. Never where null pointers lead, though
/// Linux lets some processes: 0 would read as a failure, and no stray null pointer would be found.
fn reserve_at(at: usize, size: usize) -> Outcome<Range<usize>> {
    if at < GRANULARITY {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    let end = pages_of(at, size)?.end;
    let pages = at / GRANULARITY * GRANULARITY..end;
    let mapped = map(pages.start, pages.len(), libc::MAP_FIXED_NOREPLACE);
    match mapped {
        Some(mapped) if mapped == pages.start => Ok(pages),
        // A kernel that does not know the flag took the address for a hint.
        Some(mapped) => {
            unmap(&(mapped..mapped + pages.len()));
            Err(Error::ERROR_INVALID_ADDRESS)
        }
        None => Err(Error::ERROR_INVALID_ADDRESS),
    }
}

/// The reservation that all of these pages are in.
fn holder<'a>(
    reservations: &'a mut Locked<'_, Reservations>,
    pages: &Range<usize>,
) -> Outcome<&'a mut Reservation> {
    let found = reservations.range_mut(..=pages.start).next_back().map(|(_, found)| found);
    found.filter(|found| pages.end <= found.end()).ok_or(Error::ERROR_INVALID_ADDRESS)
}

fn commit(reservation: &mut Reservation, pages: &Range<usize>, with: Protection) -> Outcome<()> {
    protect(pages, with)?;
    reservation.set(pages, Page::Committed(with));
    Ok(())
}

fn allocate(at: usize, size: usize, kind: u32, with: Protection) -> Outcome<usize> {
    let mut reservations = RESERVATIONS.lock();
    let reserves = kind & MEM_RESERVE != 0 || at == 0;
    if !reserves {
        let pages = pages_of(at, size)?;
        commit(holder(&mut reservations, &pages)?, &pages, with)?;
        return Ok(pages.start);
    }
    let pages = if at == 0 { reserve_anywhere(size)? } else { reserve_at(at, size)? };
    let mut reservation = Reservation::new(&pages);
    if kind & MEM_COMMIT != 0 {
        commit(&mut reservation, &pages, with).inspect_err(|_| unmap(&pages))?;
    }
    reservations.insert(pages.start, reservation);
    Ok(pages.start)
}

fn decommit(at: usize, size: usize) -> Outcome<()> {
    let mut reservations = RESERVATIONS.lock();
    let pages = if size == 0 {
        let whole = reservations.get(&at).ok_or(Error::ERROR_INVALID_ADDRESS)?;
        at..whole.end()
    } else {
        pages_of(at, size)?
    };
    let reservation = holder(&mut reservations, &pages)?;
    map(pages.start, pages.len(), libc::MAP_FIXED).ok_or(Error::ERROR_NOT_ENOUGH_MEMORY)?;
    reservation.set(&pages, Page::Reserved);
    Ok(())
}

fn release(at: usize, size: usize) -> Outcome<()> {
    if size != 0 {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    let mut reservations = RESERVATIONS.lock();
    let released = reservations.remove(&at).ok_or(Error::ERROR_INVALID_ADDRESS)?;
    // Under the lock: another reservation may take the place as soon as it is free.
    unmap(&(at..released.end()));
    Ok(())
}

/// Changes the protection of committed pages. Tells Windows' number of the first one's before that,
/// because the place for it may be in these pages.
fn reprotect(at: usize, size: usize, with: Protection, tell: impl FnOnce(u32)) -> Outcome<()> {
    let pages = pages_of(at, size)?;
    let mut reservations = RESERVATIONS.lock();
    let reservation = holder(&mut reservations, &pages)?;
    match reservation.page(pages.start) {
        Page::Committed(before) if reservation.is_committed(&pages) => {
            tell(before.windows);
            commit(reservation, &pages, with)
        }
        _ => Err(Error::ERROR_INVALID_ADDRESS),
    }
}

export! {
    /// Reserves pages, commits reserved ones, or both. Committed pages are zero at first. Gives the
    /// address of the first page.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualalloc>
    ///
    /// Without an address, MEM_COMMIT reserves too.
    ///
    /// # Errors
    /// Null with ERROR_INVALID_PARAMETER for no size, no or unknown flags, unknown protections and
    /// addresses below 65536; ERROR_INVALID_ADDRESS for pages that are in use, or not all in one
    /// reservation;
    /// ERROR_NOT_ENOUGH_MEMORY.
    ///
    /// # Differs from Windows
    /// MEM_TOP_DOWN has no effect; MEM_RESET, large pages, write watches and PAGE_GUARD are
    /// ERROR_INVALID_PARAMETER. The memory of committed pages is promised as Linux promises it.
    fn VirtualAlloc(
        lpAddress: usize,
        dwSize: usize,
        flAllocationType: u32,
        flProtect: u32,
    ) -> usize, fail 0; {
        let kind = flAllocationType & !MEM_TOP_DOWN;
        if kind == 0 || kind & !(MEM_COMMIT | MEM_RESERVE) != 0 {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        let at = allocate(lpAddress, dwSize, kind, protection(flProtect)?)?;
        // Pages that were committed before may have lost a right.
        ptr::forget_pages();
        Ok(at)
    }

    /// Decommits pages (MEM_DECOMMIT), or gives a whole reservation back (MEM_RELEASE, with a size
    /// of 0).
    ///
    /// <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualfree>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for other flags and for a size with MEM_RELEASE,
    /// ERROR_INVALID_ADDRESS for what is no reservation or not all in one, ERROR_NOT_ENOUGH_MEMORY.
    fn VirtualFree(lpAddress: usize, dwSize: usize, dwFreeType: u32) -> BOOL, fail FALSE; {
        match dwFreeType {
            MEM_DECOMMIT => decommit(lpAddress, dwSize)?,
            MEM_RELEASE => release(lpAddress, dwSize)?,
            _ => return Err(Error::ERROR_INVALID_PARAMETER),
        }
        ptr::forget_pages();
        Ok(TRUE)
    }

    /// Changes the protection of committed pages, and gives that of the first before.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualprotect>
    ///
    /// # Errors
    /// ERROR_NOACCESS when the former protection cannot be stored, ERROR_INVALID_PARAMETER for an
    /// unknown protection, ERROR_INVALID_ADDRESS for pages that are not all committed and in one
    /// reservation, ERROR_NOT_ENOUGH_MEMORY.
    ///
    /// # Differs from Windows
    /// Only memory of VirtualAlloc has a protection that is known; PAGE_GUARD is
    /// ERROR_INVALID_PARAMETER.
    fn VirtualProtect(
        lpAddress: usize,
        dwSize: usize,
        flNewProtect: u32,
        lpflOldProtect: *mut u32,
    ) -> BOOL, fail FALSE; {
        let with = protection(flNewProtect)?;
        let former = Out::new(lpflOldProtect).map_err(no_access)?;
        reprotect(lpAddress, dwSize, with, |before| former.put(before))?;
        ptr::forget_pages();
        Ok(TRUE)
    }

    /// Keeps pages in memory.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtuallock>
    ///
    /// # Errors
    /// ERROR_NOACCESS for memory that cannot be read, ERROR_WORKING_SET_QUOTA beyond what the
    /// process may lock (RLIMIT_MEMLOCK), ERROR_INVALID_PARAMETER for no size.
    fn VirtualLock(lpAddress: usize, dwSize: usize) -> BOOL, fail FALSE; {
        let pages = pages_of(lpAddress, dwSize)?;
        ptr::check_readable(pointer(pages.start).cast::<u8>(), pages.len()).map_err(no_access)?;
        // SAFETY: changes where memory is, and nothing in it.
        let result = unsafe { libc::mlock(pointer(pages.start), pages.len()) };
        if result == 0 { Ok(TRUE) } else { Err(ERROR_WORKING_SET_QUOTA) }
    }

    /// Lets pages go out of memory again.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualunlock>
    ///
    /// # Errors
    /// ERROR_NOACCESS for memory that is not there, ERROR_INVALID_PARAMETER for no size.
    ///
    /// # Differs from Windows
    /// Pages that were not locked are accepted.
    fn VirtualUnlock(lpAddress: usize, dwSize: usize) -> BOOL, fail FALSE; {
        let pages = pages_of(lpAddress, dwSize)?;
        // SAFETY: changes where memory is, and nothing in it.
        let result = unsafe { libc::munlock(pointer(pages.start), pages.len()) };
        if result == 0 { Ok(TRUE) } else { Err(Error::ERROR_NOACCESS) }
    }
}

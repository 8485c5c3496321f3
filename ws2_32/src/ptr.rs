//! Caller memory during a call: the only module that reads and writes a C program's buffers and
//! structures.
//!
//! Every access is preceded by a check that the memory is mapped with the right permission, so a
//! hostile pointer is WSAEFAULT and not a crash. The check costs a system call for a page that the
//! thread has not used lately and nothing for one that it has: each thread remembers pages that
//! passed.
//!
//! # Differs from Windows
//! A page that was valid a moment ago and has been unmapped since, or made read-only, is taken for
//! valid by the memory of the check; then the program faults, as it would on touching the memory
//! itself.
#![allow(unsafe_code)]

use std::cell::Cell;

use crate::last_error::Error;

const PAGE_BITS: u32 = 12;
const PAGE: usize = 1 << PAGE_BITS;
/// Pages that a thread remembers, several in each place: a program's stack and its heap may meet in
/// one, and would oust each other with every call.
const REMEMBERED: usize = 2 * PLACES;
const PLACES: usize = 512;

/// How memory is going to be used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

thread_local! {
    static PASSED: [Place; PLACES] = const { [const { Place::new() }; PLACES] };
}

/// The pages that were asked for last of those that meet here, each by its address, and 0 for none.
struct Place {
    /// One that can be written, and so read.
    last: Cell<usize>,
    /// The one that was `last` before.
    former: Cell<usize>,
    /// One that can only be read.
    read_only: Cell<usize>,
}

impl Place {
    const fn new() -> Self {
        Self { last: Cell::new(0), former: Cell::new(0), read_only: Cell::new(0) }
    }

    fn has(&self, page: usize, access: Access) -> bool {
        let address = page << PAGE_BITS;
        if self.last.get() == address {
            return true;
        }
        let found = self.former.get() == address;
        if found {
            self.last.swap(&self.former);
        }
        found || access == Access::Read && self.read_only.get() == address
    }

    /// A page passed; whether it can be written is known if that was asked.
    fn keep(&self, page: usize, access: Access) {
        let address = page << PAGE_BITS;
        match access {
            Access::Write => self.former.set(self.last.replace(address)),
            Access::Read => self.read_only.set(address),
        }
    }
}

/// Whether all of `at..at + len` can be accessed. No octets are always accessible.
#[inline(always)]
fn accessible(at: usize, len: usize, access: Access) -> bool {
    len <= PAGE && len > 0 && lies_in_last_page(at, len) || accessible_at_all(at, len, access)
}

/// Whether the thread's last look at the memory's place was at its page, and found it writable:
/// what nearly every check comes to.
#[inline]
fn lies_in_last_page(at: usize, len: usize) -> bool {
    // A last octet in the kept page means that the first is there too: the page before it has
    // another place, and the length is no more than a page.
    let lies = |passed: &[Place; PLACES]| {
        let kept = passed[(at >> PAGE_BITS) % PLACES].last.get();
        kept != 0 && at.wrapping_add(len - 1).wrapping_sub(kept) < PAGE
    };
    PASSED.try_with(lies).unwrap_or(false)
}

#[cold]
#[inline(never)]
fn accessible_at_all(at: usize, len: usize, access: Access) -> bool {
    if len == 0 {
        return true;
    }
    let Some(last) = at.checked_add(len - 1) else { return false };
    let (first, last) = (at >> PAGE_BITS, last >> PAGE_BITS);
    if last - first > REMEMBERED {
        return first != 0 && probe(first, last - first + 1, access);
    }
    (first..=last).all(|page| page_accessible(page, access))
}

/// Memory has been taken away or protected: the calling thread asks about every page again.
pub(crate) fn forget_pages() {
    let forget = |passed: &[Place; PLACES]| {
        for kept in passed.iter().flat_map(|p| [&p.last, &p.former, &p.read_only]) {
            kept.set(0);
        }
    };
    // A thread that is being torn down remembers nothing.
    let _ = PASSED.try_with(forget);
}

fn page_accessible(page: usize, access: Access) -> bool {
    if page == 0 {
        return false;
    }
    let remembered = PASSED.try_with(|passed| {
        let place = &passed[page % PLACES];
        let remembered = place.has(page, access);
        if !remembered && probe(page, 1, access) {
            place.keep(page, access);
            return true;
        }
        remembered
    });
    remembered.unwrap_or_else(|_| probe(page, 1, access))
}

/// Asks the kernel. MADV_POPULATE faults the pages in as an access would, and changes nothing.
#[cold]
fn probe(page: usize, count: usize, access: Access) -> bool {
    let advice = match access {
        Access::Read => libc::MADV_POPULATE_READ,
        Access::Write => libc::MADV_POPULATE_WRITE,
    };
    let at = std::ptr::without_provenance_mut(page << PAGE_BITS);
    // SAFETY: populating faults pages in and changes no content, whatever the address.
    let result = unsafe { libc::madvise(at, count << PAGE_BITS, advice) };
    result == 0 || (!populate_is_known() && readable_through_kernel(page))
}

/// Whether the kernel knows MADV_POPULATE (Linux 5.14): asked of memory that is surely there.
fn populate_is_known() -> bool {
    static KNOWN: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *KNOWN.get_or_init(|| {
        let here = 0_u8;
        let page = (&raw const here).addr() >> PAGE_BITS;
        let at = std::ptr::without_provenance_mut(page << PAGE_BITS);
        // SAFETY: as in `probe`.
        unsafe { libc::madvise(at, 1 << PAGE_BITS, libc::MADV_POPULATE_READ) == 0 }
    })
}

/// The check for kernels without MADV_POPULATE, and for tools that do not let it through: whether
/// one octet can be read. It cannot tell read-only memory.
fn readable_through_kernel(page: usize) -> bool {
    let mut octet = 0_u8;
    let local = libc::iovec { iov_base: (&raw mut octet).cast(), iov_len: 1 };
    let at = std::ptr::without_provenance_mut(page << PAGE_BITS);
    let remote = libc::iovec { iov_base: at, iov_len: 1 };
    let here = std::process::id().cast_signed();
    // SAFETY: the kernel writes one octet to `octet` and checks the other address.
    let read =
        unsafe { libc::process_vm_readv(here, &raw const local, 1, &raw const remote, 1, 0) };
    read == 1
}

/// Fails with WSAEFAULT unless all of the memory can be read.
pub(crate) fn check_readable<T>(at: *const T, count: usize) -> Result<(), Error> {
    check(at.addr(), count.saturating_mul(size_of::<T>()), Access::Read)
}

/// Fails with WSAEFAULT unless all of the memory can be written.
#[inline]
pub(crate) fn check_writable<T>(at: *mut T, count: usize) -> Result<(), Error> {
    check(at.addr(), count.saturating_mul(size_of::<T>()), Access::Write)
}

/// Fails with WSAEFAULT unless the place can be written or is not given.
#[inline]
pub(crate) fn check_writable_opt<T>(at: *mut T) -> Result<(), Error> {
    if at.is_null() { Ok(()) } else { check_writable(at, 1) }
}

/// Fails with WSAEFAULT unless the first and the last octet can be used: the check for data
/// buffers, which the kernel checks in full when it transfers.
#[inline]
pub(crate) fn check_ends(at: *mut u8, len: usize, writable: bool) -> Result<(), Error> {
    let access = if writable { Access::Write } else { Access::Read };
    if len == 0 {
        return Ok(());
    }
    let last = at.addr().checked_add(len - 1).ok_or(Error::WSAEFAULT)?;
    check(at.addr(), 1, access)?;
    if at.addr() ^ last < PAGE { Ok(()) } else { check(last, 1, access) }
}

/// As [`check_ends`] for what is received into. Of what is sent everything has to be there: the
/// kernel would send what lies before a hole, and then it could no longer be refused.
#[inline]
pub(crate) fn check_data(at: *mut u8, len: usize, writable: bool) -> Result<(), Error> {
    check_ends(at, len, writable)?;
    if writable || len <= PAGE { Ok(()) } else { check_readable(at, len) }
}

#[inline]
fn check(at: usize, len: usize, access: Access) -> Result<(), Error> {
    if accessible(at, len, access) { Ok(()) } else { Err(Error::WSAEFAULT) }
}

/// Types that are valid whatever their octets, and so can be read from a caller.
///
/// # Safety
/// The type has no invalid bit patterns.
pub(crate) unsafe trait Plain: Copy {}

macro_rules! plain {
    ($($ty:ty),*) => {
        // SAFETY: integers and pointers are valid whatever their octets.
        $(unsafe impl Plain for $ty {})*
    };
}
plain!(u8, u16, u32, u64, i32, i64, usize, *mut u8);
// SAFETY: an array of such is such.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

/// Reads a value.
///
/// # Errors
/// WSAEFAULT.
#[inline]
pub(crate) fn read<T: Plain>(at: *const T) -> Result<T, Error> {
    check_readable(at, 1)?;
    // SAFETY: the memory is readable (checked) and `T` is valid whatever it holds.
    Ok(unsafe { at.read_unaligned() })
}

/// Reads octets into memory of ours.
///
/// # Errors
/// WSAEFAULT.
#[inline]
pub(crate) fn read_into(at: *const u8, into: &mut [u8]) -> Result<(), Error> {
    check_readable(at, into.len())?;
    // SAFETY: the memory is readable (checked), and cannot overlap `into`, which is ours.
    unsafe { std::ptr::copy_nonoverlapping(at, into.as_mut_ptr(), into.len()) };
    Ok(())
}

/// Reads `count` values.
///
/// # Errors
/// WSAEFAULT.
pub(crate) fn read_all<T: Plain>(at: *const T, count: usize) -> Result<Vec<T>, Error> {
    check_readable(at, count)?;
    // SAFETY: the memory is readable (checked) and `T` is valid whatever it holds.
    Ok((0..count).map(|n| unsafe { at.wrapping_add(n).read_unaligned() }).collect())
}

/// A place of the caller's that was checked once, to be written when there is a value.
pub(crate) struct Out<T>(*mut T);

impl<T: Copy> Out<T> {
    /// Checks the place.
    ///
    /// # Errors
    /// WSAEFAULT.
    #[inline]
    pub(crate) fn new(at: *mut T) -> Result<Self, Error> {
        check_writable(at, 1)?;
        Ok(Self(at))
    }

    /// Checks the place; nearly always it is in the page of one that passed a moment ago.
    ///
    /// # Errors
    /// WSAEFAULT.
    #[inline]
    pub(crate) fn beside<U>(passed: &Out<U>, at: *mut T) -> Result<Self, Error> {
        let last = at.addr().wrapping_add(size_of::<T>() - 1);
        if (at.addr() ^ passed.0.addr()) | (last ^ passed.0.addr()) < PAGE {
            return Ok(Self(at));
        }
        Self::new(at)
    }

    /// Checks the place, if there is one.
    ///
    /// # Errors
    /// WSAEFAULT.
    #[inline(always)]
    pub(crate) fn optional(at: *mut T) -> Result<Option<Self>, Error> {
        if at.is_null() { Ok(None) } else { Self::new(at).map(Some) }
    }

    /// Reads what is there: what can be written can be read.
    #[inline]
    pub(crate) fn get(&self) -> T
    where
        T: Plain,
    {
        // SAFETY: as in `put`, and `T` is valid whatever the memory holds.
        unsafe { self.0.read_unaligned() }
    }

    /// Writes the value.
    #[inline]
    pub(crate) fn put(&self, value: T) {
        // SAFETY: `new` has checked the memory in this same call, and the C program does not take
        // it away meanwhile.
        unsafe { self.0.write_unaligned(value) };
    }
}

/// Places of the caller's, one behind the other, that were checked once.
pub(crate) struct OutMany<T> {
    first: *mut T,
    count: usize,
}

impl<T: Copy> OutMany<T> {
    /// Checks the places.
    ///
    /// # Errors
    /// WSAEFAULT.
    #[inline]
    pub(crate) fn new(first: *mut T, count: usize) -> Result<Self, Error> {
        check_writable(first, count)?;
        Ok(Self { first, count })
    }

    /// How many there are.
    #[inline]
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// Writes the value to one of them; there is no place beyond the last.
    #[inline]
    pub(crate) fn put(&self, at: usize, value: T) {
        if at < self.count {
            // SAFETY: `new` has checked this memory in this same call, as in `Out::put`.
            unsafe { self.first.wrapping_add(at).write_unaligned(value) };
        }
    }
}

/// Writes a value.
///
/// # Errors
/// WSAEFAULT.
#[inline]
pub(crate) fn write<T: Copy>(at: *mut T, value: T) -> Result<(), Error> {
    check_writable(at, 1)?;
    // SAFETY: the memory is writable (checked).
    unsafe { at.write_unaligned(value) };
    Ok(())
}

/// Writes a value if the caller wants it.
///
/// # Errors
/// WSAEFAULT.
#[inline]
pub(crate) fn write_opt<T: Copy>(at: *mut T, value: T) -> Result<(), Error> {
    if at.is_null() { Ok(()) } else { write(at, value) }
}

/// Writes values.
///
/// # Errors
/// WSAEFAULT.
pub(crate) fn write_all<T: Copy>(at: *mut T, values: &[T]) -> Result<(), Error> {
    check_writable(at, values.len())?;
    let (octets, into, count) = (values.as_ptr().cast::<u8>(), at.cast(), size_of_val(values));
    // SAFETY: the memory is writable (checked) and cannot overlap the values, which are ours. As
    // octets, because it need not be aligned.
    unsafe { std::ptr::copy_nonoverlapping(octets, into, count) };
    Ok(())
}

/// Reads a string that ends with a zero octet.
///
/// # Errors
/// WSAEFAULT.
pub(crate) fn read_cstr(at: *const u8) -> Result<Vec<u8>, Error> {
    let mut octets = Vec::new();
    loop {
        let next = at.wrapping_add(octets.len());
        match read(next)? {
            0 => return Ok(octets),
            octet => octets.push(octet),
        }
    }
}

/// Reads a string of UTF-16 units that ends with a zero unit.
///
/// # Errors
/// WSAEFAULT.
pub(crate) fn read_wide(at: *const u16) -> Result<Vec<u16>, Error> {
    let mut units = Vec::new();
    loop {
        let next = at.wrapping_add(units.len());
        match read(next)? {
            0 => return Ok(units),
            unit => units.push(unit),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::c_void;

    use super::*;

    #[test]
    fn wild_pointers_are_faults_and_good_ones_are_not() {
        let mut here = 7_u32;
        assert_eq!(read(&raw const here), Ok(7));
        assert_eq!(write(&raw mut here, 8), Ok(()));
        for wild in [0, 16, 0xFFF, usize::MAX - 64, usize::MAX - 1, 0xdead_beef_0000] {
            let at = std::ptr::without_provenance_mut::<u32>(wild);
            assert_eq!(read(at), Err(Error::WSAEFAULT), "{wild:#x}");
            assert_eq!(write(at, 1), Err(Error::WSAEFAULT), "{wild:#x}");
        }
    }

    #[test]
    fn read_only_memory_can_be_read_and_not_written() {
        static CONSTANT: [u8; 4] = *b"text";
        let at = CONSTANT.as_ptr().cast_mut();
        for _ in 0..2 {
            assert_eq!(read_all(at, 4), Ok(b"text".to_vec()));
            assert_eq!(write(at, 0), Err(Error::WSAEFAULT));
        }
    }

    /// What is kept of a page tells all of its address: a hostile one that differs in a bit that no
    /// address of the program's has is no other page.
    #[test]
    fn no_address_is_taken_for_a_page_that_passed() {
        static CONSTANT: [u8; 4] = *b"text";
        let mut here = 7_u32;
        let (constant, here) = (CONSTANT.as_ptr().addr(), &raw mut here);
        assert_eq!(write(here, 8), Ok(()));
        for at in [constant, here.addr()] {
            assert!(read(std::ptr::with_exposed_provenance::<u8>(at)).is_ok());
            // The processors of AArch64 pass over the highest octet.
            for bit in 47..if cfg!(target_arch = "aarch64") { 56 } else { usize::BITS } {
                let wild = std::ptr::without_provenance_mut::<u8>(at ^ 1 << bit);
                assert_eq!(read(wild), Err(Error::WSAEFAULT), "{wild:?}");
                assert_eq!(write(wild, 1), Err(Error::WSAEFAULT), "{wild:?}");
            }
        }
    }

    fn map_pages(count: usize) -> *mut c_void {
        let (prot, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: asks for fresh memory.
        unsafe { libc::mmap(std::ptr::null_mut(), count << PAGE_BITS, prot, flags, -1, 0) }
    }

    /// Our choice; what is remembered passes even when it is gone, by which it is seen here.
    #[test]
    fn two_pages_that_meet_in_one_place_are_both_remembered() {
        let map = map_pages(2 * PLACES + 1);
        let page = |n: usize| map.wrapping_byte_add((n * PLACES) << PAGE_BITS).cast::<u8>();
        for n in [0, 1, 0] {
            assert_eq!(check_writable(page(n), 1), Ok(()));
        }
        // SAFETY: gives back what nothing uses.
        unsafe { libc::munmap(map, (2 * PLACES + 1) << PAGE_BITS) };
        for n in [1, 0, 1] {
            assert_eq!(check_readable(page(n), 1), Ok(()));
        }
    }

    #[test]
    fn a_range_that_runs_into_nothing_is_a_fault() {
        let map = map_pages(2);
        // SAFETY: gives back the second page, which nothing uses.
        unsafe { libc::munmap(map.wrapping_byte_add(4096), 4096) };
        let end = map.wrapping_byte_add(4092).cast::<u8>();
        assert_eq!(check_writable(end, 4), Ok(()));
        assert_eq!(check_writable(end, 5), Err(Error::WSAEFAULT));
    }
}

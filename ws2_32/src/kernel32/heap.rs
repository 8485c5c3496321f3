//! Heaps, over the C library's allocator.
//!
//! A block is preceded by a header with its size and a seal that depends on its address and its
//! heap. A pointer that is no block of the heap it is given with does not match its seal and is
//! refused. A private heap also knows its blocks, to free them when it is destroyed.
#![allow(unsafe_code, reason = "malloc and its family")]

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use linsock::iocp::sync::Lock;

use super::object::no_access;
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;

mod global;

pub use global::{
    GlobalAlloc, GlobalFree, GlobalLock, GlobalReAlloc, GlobalSize, GlobalUnlock, LocalAlloc,
    LocalFree, LocalLock, LocalReAlloc, LocalSize, LocalUnlock,
};

/// The block's memory is to be zero (winnt.h).
const HEAP_ZERO_MEMORY: u32 = 8;
/// The block must stay where it is (winnt.h).
const HEAP_REALLOC_IN_PLACE_ONLY: u32 = 0x10;

/// Octets in front of a block: its size and its seal. As long as malloc's alignment.
const HEADER: usize = 16;
const SEAL: usize = 0x6c69_6e73_6f63_6b21;

/// What a private heap holds.
#[derive(Debug)]
struct Heap {
    /// Octets that it may hold; 0 for no limit.
    limit: usize,
    held: Lock<Held>,
}

#[derive(Debug, Default)]
struct Held {
    blocks: HashSet<usize>,
    octets: usize,
}

/// The private heaps by handle: the address of each.
static HEAPS: RwLock<BTreeMap<HANDLE, Arc<Heap>>> = RwLock::new(BTreeMap::new());

/// The process heap, or a private one.
enum Home {
    Process,
    Private(Arc<Heap>),
}

/// The handle of the process heap: the address of something that no other heap can have.
fn process_heap() -> HANDLE {
    static PLACE: u64 = 0;
    (&raw const PLACE).addr()
}

fn home(heap: HANDLE) -> Outcome<Home> {
    if heap == process_heap() {
        return Ok(Home::Process);
    }
    let heaps = HEAPS.read().unwrap_or_else(PoisonError::into_inner);
    heaps.get(&heap).cloned().map(Home::Private).ok_or(Error::ERROR_INVALID_HANDLE)
}

impl Heap {
    /// Whether `more` octets fit after `less` were given back.
    fn fits(&self, held: &Held, less: usize, more: usize) -> bool {
        let rest = held.octets.saturating_sub(less);
        self.limit == 0 || rest.checked_add(more).is_some_and(|sum| sum <= self.limit)
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        for block in self.held.lock().blocks.drain() {
            free(std::ptr::with_exposed_provenance_mut(block));
        }
    }
}

const fn base_of(block: *mut u8) -> *mut u8 {
    block.wrapping_sub(HEADER)
}

fn seal(heap: HANDLE, block: *mut u8) -> usize {
    SEAL ^ heap ^ block.addr().rotate_left(20)
}

/// Writes the header of a block at `base` and gives the block.
fn stamp(heap: HANDLE, base: *mut u8, size: usize) -> Option<*mut u8> {
    let block = base.wrapping_add(HEADER);
    ptr::write(base.cast::<[usize; 2]>(), [size, seal(heap, block)]).ok()?;
    Some(block)
}

/// The size of a block, if it is one of this heap.
fn size_of_block(heap: HANDLE, block: *mut u8) -> Outcome<usize> {
    if !block.addr().is_multiple_of(HEADER) || block.addr() < HEADER {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    match ptr::read(base_of(block).cast::<[usize; 2]>()) {
        Ok([size, sealed]) if sealed == seal(heap, block) => Ok(size),
        _ => Err(Error::ERROR_INVALID_PARAMETER),
    }
}

/// A new block.
fn new_block(heap: HANDLE, size: usize, zero: bool) -> Option<*mut u8> {
    let total = size.checked_add(HEADER)?;
    let base = if zero {
        // SAFETY: calloc has no preconditions.
        unsafe { libc::calloc(1, total) }
    } else {
        // SAFETY: malloc has no preconditions.
        unsafe { libc::malloc(total) }
    };
    if base.is_null() { None } else { stamp(heap, base.cast(), size) }
}

/// Gives a block that was found good back to the C library.
fn free(block: *mut u8) {
    // The seal is broken first, so that a second free is refused while the memory lies idle.
    let _ = ptr::write(base_of(block).cast::<[usize; 2]>(), [0, 0]);
    // SAFETY: `block` is a block of ours (its seal or its heap's list said so), so its base came
    // from malloc.
    unsafe { libc::free(base_of(block).cast()) };
}

/// A block of the process heap.
pub(crate) fn allocate(size: usize, zero: bool) -> Option<*mut u8> {
    new_block(process_heap(), size, zero)
}

/// Frees a block of the process heap; false if it is none.
pub(crate) fn release(block: *mut u8) -> bool {
    let is_block = size_of_block(process_heap(), block).is_ok();
    if is_block {
        free(block);
    }
    is_block
}

fn allocate_in(heap: HANDLE, size: usize, zero: bool) -> Outcome<*mut u8> {
    let block = match home(heap)? {
        Home::Process => new_block(heap, size, zero),
        Home::Private(private) => {
            let mut held = private.held.lock();
            let fits = private.fits(&held, 0, size);
            fits.then(|| new_block(heap, size, zero)).flatten().inspect(|block| {
                held.blocks.insert(block.expose_provenance());
                held.octets += size;
            })
        }
    };
    block.ok_or(Error::ERROR_NOT_ENOUGH_MEMORY)
}

fn free_in(heap: HANDLE, block: *mut u8) -> Outcome<()> {
    match home(heap)? {
        Home::Process => {
            if release(block) {
                Ok(())
            } else {
                Err(Error::ERROR_INVALID_PARAMETER)
            }
        }
        Home::Private(private) => {
            let mut held = private.held.lock();
            if !held.blocks.remove(&block.addr()) {
                return Err(Error::ERROR_INVALID_PARAMETER);
            }
            held.octets -= size_of_block(heap, block).unwrap_or(0).min(held.octets);
            free(block);
            Ok(())
        }
    }
}

/// Changes the size of a good block of `old` octets.
fn resize(heap: HANDLE, block: *mut u8, old: usize, size: usize, flags: u32) -> Option<*mut u8> {
    if flags & HEAP_REALLOC_IN_PLACE_ONLY != 0 {
        return if size <= old { stamp(heap, base_of(block), size) } else { None };
    }
    let total = size.checked_add(HEADER)?;
    // SAFETY: `block` is a block of ours (its seal matched), so its base came from malloc.
    let base = unsafe { libc::realloc(base_of(block).cast(), total) };
    if base.is_null() {
        return None;
    }
    let moved = stamp(heap, base.cast(), size)?;
    if flags & HEAP_ZERO_MEMORY != 0 && size > old {
        // SAFETY: the block now has `size` octets, and nobody else knows the new ones.
        unsafe { std::ptr::write_bytes(moved.wrapping_add(old), 0, size - old) };
    }
    Some(moved)
}

fn reallocate_in(heap: HANDLE, block: *mut u8, size: usize, flags: u32) -> Outcome<*mut u8> {
    let home = home(heap)?;
    let old = size_of_block(heap, block)?;
    let resized = match home {
        Home::Process => resize(heap, block, old, size, flags),
        Home::Private(private) => {
            let mut held = private.held.lock();
            if !held.blocks.contains(&block.addr()) {
                return Err(Error::ERROR_INVALID_PARAMETER);
            }
            let fits = private.fits(&held, old, size);
            let resized = fits.then(|| resize(heap, block, old, size, flags)).flatten();
            resized.inspect(|moved| {
                held.blocks.remove(&block.addr());
                held.blocks.insert(moved.expose_provenance());
                held.octets = held.octets.saturating_sub(old) + size;
            })
        }
    };
    resized.ok_or(Error::ERROR_NOT_ENOUGH_MEMORY)
}

fn validate(heap: HANDLE, block: *mut u8) -> Outcome<()> {
    match home(heap)? {
        Home::Process if block.is_null() => Ok(()),
        Home::Process => size_of_block(heap, block).map(drop),
        Home::Private(private) => {
            let held = private.held.lock();
            if block.is_null() {
                let mut blocks = held.blocks.iter().copied();
                let whole = std::ptr::with_exposed_provenance_mut;
                return blocks.try_for_each(|block| size_of_block(heap, whole(block)).map(drop));
            }
            let is_held = held.blocks.contains(&block.addr());
            size_of_block(heap, block)?;
            if is_held { Ok(()) } else { Err(Error::ERROR_INVALID_PARAMETER) }
        }
    }
}

const COMPATIBILITY: i32 = 0;
const TERMINATION_ON_CORRUPTION: i32 = 1;
const OPTIMIZE_RESOURCES: i32 = 3;
/// The kind of heap that has low fragmentation.
const LOW_FRAGMENTATION: u32 = 2;

/// What a caller of HeapSetInformation gives.
struct Given {
    at: *const u8,
    length: usize,
}

impl Given {
    fn read<const N: usize>(&self) -> Outcome<[u32; N]> {
        if self.length < size_of::<[u32; N]>() {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        ptr::read(self.at.cast()).map_err(no_access)
    }
}

fn set_information(heap: HANDLE, class: i32, given: &Given) -> Outcome<()> {
    match class {
        COMPATIBILITY => {
            home(heap)?;
            let is_ours = given.read()? == [LOW_FRAGMENTATION];
            if is_ours { Ok(()) } else { Err(Error::ERROR_INVALID_PARAMETER) }
        }
        // Of all heaps; none need be named.
        TERMINATION_ON_CORRUPTION if given.at.is_null() && given.length == 0 => Ok(()),
        OPTIMIZE_RESOURCES => {
            if heap != 0 {
                home(heap)?;
            }
            // HEAP_OPTIMIZE_RESOURCES_INFORMATION: a version and flags.
            if given.read()? != [1, 0] {
                return Err(Error::ERROR_INVALID_PARAMETER);
            }
            // SAFETY: malloc_trim has no preconditions.
            unsafe { libc::malloc_trim(0) };
            Ok(())
        }
        _ => Err(Error::ERROR_INVALID_PARAMETER),
    }
}

export! {
    /// Gives the handle of the process heap.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-getprocessheap>
    fn GetProcessHeap() -> HANDLE, fail 0; {
        Ok(process_heap())
    }

    /// Creates a private heap; with a maximum size it refuses to hold more.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapcreate>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER when the initial size passes a maximum.
    ///
    /// # Differs from Windows
    /// The options are not looked at: every heap is serialized, and none raises exceptions.
    fn HeapCreate(flOptions: u32, dwInitialSize: usize, dwMaximumSize: usize) -> HANDLE, fail 0; {
        let _ = flOptions;
        if dwMaximumSize != 0 && dwInitialSize > dwMaximumSize {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        let heap = Arc::new(Heap { limit: dwMaximumSize, held: Lock::default() });
        let handle = Arc::as_ptr(&heap).addr();
        HEAPS.write().unwrap_or_else(PoisonError::into_inner).insert(handle, heap);
        Ok(handle)
    }

    /// Destroys a private heap and frees its blocks.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapdestroy>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, also for the process heap.
    fn HeapDestroy(hHeap: HANDLE) -> BOOL, fail FALSE; {
        let heap = HEAPS.write().unwrap_or_else(PoisonError::into_inner).remove(&hHeap);
        heap.map(|_| TRUE).ok_or(Error::ERROR_INVALID_HANDLE)
    }

    /// Allocates a block, aligned to 16 octets.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapalloc>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOT_ENOUGH_MEMORY.
    ///
    /// # Differs from Windows
    /// HEAP_GENERATE_EXCEPTIONS is ignored. Windows does not set the last error.
    fn HeapAlloc(
        hHeap: HANDLE,
        dwFlags: u32,
        dwBytes: usize,
    ) -> *mut u8, fail std::ptr::null_mut(); {
        allocate_in(hHeap, dwBytes, dwFlags & HEAP_ZERO_MEMORY != 0)
    }

    /// Changes the size of a block, which may move unless HEAP_REALLOC_IN_PLACE_ONLY is given. On
    /// failure the block stays as it was.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heaprealloc>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER for what is no block of the heap,
    /// ERROR_NOT_ENOUGH_MEMORY.
    ///
    /// # Differs from Windows
    /// A block never grows in place. Windows does not set the last error.
    fn HeapReAlloc(
        hHeap: HANDLE,
        dwFlags: u32,
        lpMem: *mut u8,
        dwBytes: usize,
    ) -> *mut u8, fail std::ptr::null_mut(); {
        reallocate_in(hHeap, lpMem, dwBytes, dwFlags)
    }

    /// Frees a block. A null pointer is freed already.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapfree>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER for what is no block of the heap.
    fn HeapFree(hHeap: HANDLE, dwFlags: u32, lpMem: *mut u8) -> BOOL, fail FALSE; {
        let _ = dwFlags;
        if !lpMem.is_null() {
            free_in(hHeap, lpMem)?;
        }
        Ok(TRUE)
    }

    /// Looks whether a block, or every block of a heap, is what the heap made it.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapvalidate>
    ///
    /// # Errors
    /// FALSE with ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER for what is no block of the heap.
    ///
    /// # Differs from Windows
    /// Of the process heap, whose blocks the C library has, only single blocks are looked at.
    /// Windows does not set the last error.
    fn HeapValidate(hHeap: HANDLE, dwFlags: u32, lpMem: *const u8) -> BOOL, fail FALSE; {
        let _ = dwFlags;
        validate(hHeap, lpMem.cast_mut())?;
        Ok(TRUE)
    }

    /// Changes how a heap works: of the classes that are documented each asks for what is so
    /// already, but HeapOptimizeResources, which gives memory that no block needs to the system.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapsetinformation>
    ///
    /// HeapEnableTerminationOnCorruption: the C library always ends a program whose heap is found
    /// broken. HeapCompatibilityInformation: 2, a heap with low fragmentation.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE; ERROR_NOACCESS; ERROR_INVALID_PARAMETER for other classes, lengths,
    /// versions and kinds of heaps.
    fn HeapSetInformation(
        HeapHandle: HANDLE,
        HeapInformationClass: i32,
        HeapInformation: *const u8,
        HeapInformationLength: usize,
    ) -> BOOL, fail FALSE; {
        let given = Given { at: HeapInformation, length: HeapInformationLength };
        set_information(HeapHandle, HeapInformationClass, &given)?;
        Ok(TRUE)
    }

    /// Gives the size of a block as it was asked for.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapsize>
    ///
    /// # Errors
    /// (SIZE_T)-1 with ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER for what is no block of the
    /// heap.
    fn HeapSize(hHeap: HANDLE, dwFlags: u32, lpMem: *const u8) -> usize, fail usize::MAX; {
        let _ = dwFlags;
        home(hHeap)?;
        size_of_block(hHeap, lpMem.cast_mut())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::last_error;

    fn new_heap(limit: usize) -> HANDLE {
        // SAFETY: no pointers.
        let heap = unsafe { HeapCreate(0, 0, limit) };
        assert_ne!(heap, 0);
        heap
    }

    fn octets(block: *mut u8, count: usize) -> Vec<u8> {
        ptr::read_all(block, count).unwrap()
    }

    #[test]
    fn blocks_have_the_size_that_was_asked_for_and_keep_what_is_in_them() {
        for heap in [process_heap(), new_heap(0)] {
            // SAFETY: blocks of this heap.
            unsafe {
                #![allow(clippy::multiple_unsafe_ops_per_block, reason = "one story")]
                let block = HeapAlloc(heap, HEAP_ZERO_MEMORY, 100);
                assert_eq!(block.addr() % 16, 0);
                assert_eq!(HeapSize(heap, 0, block), 100);
                assert_eq!(octets(block, 100), [0; 100]);
                ptr::write_all(block, &[7; 100]).unwrap();
                let block = HeapReAlloc(heap, HEAP_ZERO_MEMORY, block, 100_000);
                assert_eq!(HeapSize(heap, 0, block), 100_000);
                let content = octets(block, 100_000);
                assert!(content[..100] == [7; 100] && content[100..].iter().all(|&o| o == 0));
                assert_eq!(HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, 10), block);
                assert_eq!(HeapSize(heap, 0, block), 10);
                assert!(HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, 11).is_null());
                assert_eq!(HeapFree(heap, 0, block), TRUE);
                assert_eq!(HeapFree(heap, 0, std::ptr::null_mut()), TRUE);
                let empty = HeapAlloc(heap, 0, 0);
                assert!(!empty.is_null());
                assert_eq!(HeapSize(heap, 0, empty), 0);
                assert_eq!(HeapFree(heap, 0, empty), TRUE);
            }
        }
    }

    #[test]
    fn what_is_no_block_of_the_heap_is_refused() {
        let (one, two) = (new_heap(0), process_heap());
        let blocks = [one, two].map(|heap| {
            // SAFETY: no pointers.
            unsafe { HeapAlloc(heap, 0, 32) }
        });
        let wild = std::ptr::without_provenance_mut::<u8>(0x10);
        let inside = blocks[1].wrapping_add(16);
        for (heap, block) in
            [(one, blocks[1]), (two, blocks[0]), (one, wild), (two, wild), (two, inside)]
        {
            last_error::set(0);
            // SAFETY: a bad pointer is answered, not followed.
            assert_eq!(unsafe { HeapFree(heap, 0, block) }, FALSE);
            assert_eq!(last_error::get(), Error::ERROR_INVALID_PARAMETER.0);
            // SAFETY: as above.
            assert_eq!(unsafe { HeapSize(heap, 0, block) }, usize::MAX);
            // SAFETY: as above.
            assert!(unsafe { HeapReAlloc(heap, 0, block, 64) }.is_null());
        }
        // SAFETY: as above.
        assert_eq!(unsafe { LocalFree(wild) }, wild);
        // SAFETY: the block is one.
        assert!(unsafe { LocalFree(blocks[1]) }.is_null());
        // SAFETY: a heap of this test.
        assert_eq!(unsafe { HeapDestroy(one) }, TRUE);
        for gone in [one, two, 0, 12] {
            // SAFETY: a bad handle is answered.
            assert_eq!(unsafe { HeapDestroy(gone) }, FALSE);
            assert_eq!(last_error::get(), Error::ERROR_INVALID_HANDLE.0);
        }
        // SAFETY: a bad handle is answered.
        assert!(unsafe { HeapAlloc(one, 0, 1) }.is_null());
    }

    #[test]
    fn a_heap_with_a_maximum_holds_no_more() {
        let heap = new_heap(1000);
        // SAFETY: a heap and a block of this test.
        unsafe {
            #![allow(clippy::multiple_unsafe_ops_per_block, reason = "one story")]
            let block = HeapAlloc(heap, 0, 600);
            assert!(!block.is_null());
            assert!(HeapAlloc(heap, 0, 401).is_null());
            assert!(HeapReAlloc(heap, 0, block, 1001).is_null());
            let block = HeapReAlloc(heap, 0, block, 1000);
            assert!(!block.is_null());
            assert_eq!(HeapFree(heap, 0, block), TRUE);
            assert!(!HeapAlloc(heap, 0, 1000).is_null());
            assert_eq!(HeapDestroy(heap), TRUE);
            assert_eq!(HeapCreate(0, 2, 1), 0);
        }
        assert!(allocate(usize::MAX, true).is_none());
    }
}

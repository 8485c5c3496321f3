//! An allocator that counts what is allocated.
#![allow(unsafe_code)] // The trait is unsafe; everything is left to the system's allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};

static HEAP: AtomicIsize = AtomicIsize::new(0);

/// Octets allocated now, as they were asked for.
pub(crate) fn live() -> isize {
    HEAP.load(Ordering::SeqCst)
}

/// The system's allocator, counting.
pub(crate) struct Counting;

// SAFETY: everything is the system's allocator's doing; the count changes nothing of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HEAP.fetch_add(layout.size().cast_signed(), Ordering::Relaxed);
        // SAFETY: the caller's layout, as it came.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HEAP.fetch_sub(layout.size().cast_signed(), Ordering::Relaxed);
        // SAFETY: the caller's memory and layout, as they came.
        unsafe { System.dealloc(at, layout) }
    }
}

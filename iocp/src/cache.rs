//! Asking the processor for memory before it is read.
//!
//! A server finds most of its connections cold: between two visits the kernel has had the caches to
//! itself, and the first look at a socket waits for the last-level cache, line after line. Which
//! sockets come next is known a system call ahead, and memory that is asked for then has arrived
//! when the call returns. (What it gains: BENCHMARKS, "Peers".)
//!
//! Nothing here changes what the program does; where the processor has no such request, or none
//! that we know of, nothing happens.
#![allow(unsafe_code)]

use std::sync::Arc;

use crate::file::File;

const LINE: usize = 64;
/// The most that is asked for at once: the processor keeps about so many requests.
const LINES_MAX: usize = 16;
/// Octets before the value that an [`Arc`] keeps its counts in.
const COUNTS: usize = 2 * size_of::<usize>();
/// Octets of a file that are asked for: about the length of a stream socket, the largest there is.
const FILE: usize = 592;

/// Asks for a value.
#[inline]
pub fn fetch<T: ?Sized>(value: &T) {
    fetch_range(std::ptr::from_ref(value).addr(), size_of_val(value));
}

/// Asks for a file and its counts.
#[inline]
pub fn fetch_file<T: File + ?Sized>(file: &Arc<T>) {
    fetch_range(Arc::as_ptr(file).addr() - COUNTS, COUNTS + FILE);
}

/// Asks for the memory at an address, which need not be there.
// Always: with a length that the compiler knows, this is one instruction for each line.
#[inline(always)]
pub(crate) fn fetch_range(address: usize, len: usize) {
    let len = len.min(LINES_MAX * LINE);
    let mut at = 0;
    while at < len {
        fetch_line(address.wrapping_add(at));
        at += LINE;
    }
    // The last octet, whose line the steps miss where the memory does not begin with a line.
    fetch_line(address.wrapping_add(len.saturating_sub(1)));
}

#[inline]
fn fetch_line(address: usize) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the instruction is in every x86-64 processor, and takes any address: where no
        // memory is, it does nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::without_provenance(address)) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = address;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The module's promise: no address is refused, and nothing changes.
    #[test]
    fn memory_that_is_not_there_may_be_asked_for() {
        for address in [0, 1, LINE - 1, usize::MAX] {
            fetch_range(address, 0);
            fetch_range(address, 3 * LINE);
        }
        let value = Box::new([7_u8; 3 * LINE]);
        fetch(&*value);
        let nothing: Box<[u8]> = Box::new([]);
        fetch(&*nothing);
        assert_eq!((value.iter().copied().min(), value.len()), (Some(7), 3 * LINE));
    }
}

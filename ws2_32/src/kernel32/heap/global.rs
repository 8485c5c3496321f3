//! The older allocator's two families, GlobalAlloc and LocalAlloc, over the process heap.
//!
//! # Differs from Windows
//! Movable memory is handed out as fixed memory: its handle is its address, and locking it changes
//! nothing. A program has to take the handle that a ReAlloc gives.

use super::{HEAP_ZERO_MEMORY, allocate, process_heap, reallocate_in, release, size_of_block};
use crate::abi::{BOOL, FALSE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;

/// The memory is to be zero; GMEM_ZEROINIT and LMEM_ZEROINIT (winbase.h).
const ZERO: u32 = 0x40;
/// Only the attributes are to change; GMEM_MODIFY and LMEM_MODIFY (winbase.h).
const MODIFY: u32 = 0x80;

fn new(size: usize, flags: u32) -> Outcome<*mut u8> {
    allocate(size, flags & ZERO != 0).ok_or(Error::ERROR_NOT_ENOUGH_MEMORY)
}

/// A block of the process heap.
fn block(at: *mut u8) -> Outcome<*mut u8> {
    size_of_block(process_heap(), at).map(|_| at).map_err(|_| Error::ERROR_INVALID_HANDLE)
}

fn resize(at: *mut u8, size: usize, flags: u32) -> Outcome<*mut u8> {
    let at = block(at)?;
    if flags & MODIFY != 0 {
        return Ok(at);
    }
    let zero = if flags & ZERO != 0 { HEAP_ZERO_MEMORY } else { 0 };
    reallocate_in(process_heap(), at, size, zero)
}

/// Gives null, or an error for what is no block. No block is freed already.
fn free(at: *mut u8) -> Outcome<*mut u8> {
    if at.is_null() || release(at) {
        Ok(std::ptr::null_mut())
    } else {
        Err(Error::ERROR_INVALID_HANDLE)
    }
}

fn size(at: *const u8) -> Outcome<usize> {
    size_of_block(process_heap(), at.cast_mut()).map_err(|_| Error::ERROR_INVALID_HANDLE)
}

export! {
    /// Allocates memory; zero if GMEM_ZEROINIT is given.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-globalalloc>
    ///
    /// # Errors
    /// Null with ERROR_NOT_ENOUGH_MEMORY.
    ///
    /// # Differs from Windows
    /// Movable memory (GMEM_MOVEABLE) is handed out as fixed: the handle is the address.
    fn GlobalAlloc(uFlags: u32, uBytes: usize) -> *mut u8, fail std::ptr::null_mut(); {
        new(uBytes, uFlags)
    }

    /// Changes the size of memory, which may move; GMEM_ZEROINIT makes what is new of it zero.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-globalrealloc>
    ///
    /// # Errors
    /// Null with ERROR_INVALID_HANDLE, ERROR_NOT_ENOUGH_MEMORY; then it is as it was.
    ///
    /// # Differs from Windows
    /// Fixed memory may move without GMEM_MOVEABLE; GMEM_MODIFY changes nothing.
    fn GlobalReAlloc(
        hMem: *mut u8,
        uBytes: usize,
        uFlags: u32,
    ) -> *mut u8, fail std::ptr::null_mut(); {
        resize(hMem, uBytes, uFlags)
    }

    /// Frees memory. Gives null, or the handle if it is no such memory.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-globalfree>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE.
    fn GlobalFree(hMem: *mut u8) -> *mut u8, fail hMem; {
        free(hMem)
    }

    /// Gives the address of memory, which is its handle.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-globallock>
    ///
    /// # Errors
    /// Null with ERROR_INVALID_HANDLE.
    fn GlobalLock(hMem: *mut u8) -> *mut u8, fail std::ptr::null_mut(); {
        block(hMem)
    }

    /// Accepts that memory may move again, which it never does.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-globalunlock>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE.
    ///
    /// # Differs from Windows
    /// It gives TRUE, as for fixed memory, also for what was to be movable.
    fn GlobalUnlock(hMem: *mut u8) -> BOOL, fail FALSE; {
        block(hMem)?;
        Ok(TRUE)
    }

    /// Gives the size of memory as it was asked for.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-globalsize>
    ///
    /// # Errors
    /// 0 with ERROR_INVALID_HANDLE.
    fn GlobalSize(hMem: *const u8) -> usize, fail 0; {
        size(hMem)
    }

    /// Allocates memory; zero if LMEM_ZEROINIT is given.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-localalloc>
    ///
    /// # Errors
    /// Null with ERROR_NOT_ENOUGH_MEMORY.
    ///
    /// # Differs from Windows
    /// As GlobalAlloc.
    fn LocalAlloc(uFlags: u32, uBytes: usize) -> *mut u8, fail std::ptr::null_mut(); {
        new(uBytes, uFlags)
    }

    /// Changes the size of memory, which may move; LMEM_ZEROINIT makes what is new of it zero.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-localrealloc>
    ///
    /// # Errors
    /// Null with ERROR_INVALID_HANDLE, ERROR_NOT_ENOUGH_MEMORY; then it is as it was.
    ///
    /// # Differs from Windows
    /// Fixed memory may move without LMEM_MOVEABLE; LMEM_MODIFY changes nothing.
    fn LocalReAlloc(
        hMem: *mut u8,
        uBytes: usize,
        uFlags: u32,
    ) -> *mut u8, fail std::ptr::null_mut(); {
        resize(hMem, uBytes, uFlags)
    }

    /// Frees memory of this family, or what a function of the system allocated for
    /// the program, such as the text of FormatMessageA. Gives null, or the pointer if it is no such
    /// memory.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-localfree>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE.
    fn LocalFree(hMem: *mut u8) -> *mut u8, fail hMem; {
        free(hMem)
    }

    /// Gives the address of memory, which is its handle.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-locallock>
    ///
    /// # Errors
    /// Null with ERROR_INVALID_HANDLE.
    fn LocalLock(hMem: *mut u8) -> *mut u8, fail std::ptr::null_mut(); {
        block(hMem)
    }

    /// Accepts that memory may move again, which it never does.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-localunlock>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE.
    ///
    /// # Differs from Windows
    /// It gives FALSE with ERROR_NOT_LOCKED, as for fixed memory, also for what was to be movable.
    fn LocalUnlock(hMem: *mut u8) -> BOOL, fail FALSE; {
        block(hMem)?;
        Err(Error::ERROR_NOT_LOCKED)
    }

    /// Gives the size of memory as it was asked for.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-localsize>
    ///
    /// # Errors
    /// 0 with ERROR_INVALID_HANDLE.
    fn LocalSize(hMem: *const u8) -> usize, fail 0; {
        size(hMem)
    }
}

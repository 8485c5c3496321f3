//! Where threads run, and what they are called.
//!
//! A mask has one bit for each of the first 64 processors, as on Windows.
#![allow(unsafe_code, reason = "sched_setaffinity and its family")]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::object::no_access;
use super::super::{child, wide};
use super::control;
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export};
use crate::kernel32::object::CURRENT_PROCESS;
use crate::last_error::Error;
use crate::ptr;

/// HRESULTs: success, and failures by their Win32 codes (winerror.h).
const S_OK: i32 = 0;
const E_HANDLE: i32 = 0x8007_0006_u32.cast_signed();
const E_POINTER: i32 = 0x8000_4003_u32.cast_signed();

/// The kernel's number of the calling thread.
pub(super) fn own_kernel_id() -> i32 {
    // SAFETY: asks a number.
    unsafe { libc::gettid() }
}

const SET_SIZE: usize = size_of::<libc::cpu_set_t>();

/// The processors that a thread may use, or an error if it is gone.
fn affinity_of(thread: i32) -> Outcome<usize> {
    let mut set = std::mem::MaybeUninit::<libc::cpu_set_t>::zeroed();
    // SAFETY: the kernel fills the local, whose size it is told.
    let result = unsafe { libc::sched_getaffinity(thread, SET_SIZE, set.as_mut_ptr()) };
    if result != 0 {
        return Err(Error::ERROR_INVALID_HANDLE);
    }
    // SAFETY: zero octets are an empty set, and so is what the kernel made of them a set.
    let set = unsafe { set.assume_init() };
    // SAFETY: the processor's number is below the set's size.
    let has = |cpu: &usize| unsafe { libc::CPU_ISSET(*cpu, &set) };
    Ok((0..64).filter(has).fold(0, |mask, cpu| mask | 1 << cpu))
}

fn set_affinity(thread: i32, mask: usize) -> Outcome<()> {
    let mut set = std::mem::MaybeUninit::<libc::cpu_set_t>::zeroed();
    // SAFETY: zero octets are an empty set.
    let set = unsafe { set.assume_init_mut() };
    for cpu in (0..64).filter(|cpu| mask >> cpu & 1 == 1) {
        // SAFETY: the processor's number is below the set's size.
        unsafe { libc::CPU_SET(cpu, set) };
    }
    // SAFETY: the kernel reads the local, whose size it is told.
    let result = unsafe { libc::sched_setaffinity(thread, SET_SIZE, set) };
    if result == 0 { Ok(()) } else { Err(Error::ERROR_INVALID_PARAMETER) }
}

/// What the process may use: what it could at first, and what it has been told since.
fn process_masks() -> &'static (usize, AtomicUsize) {
    static MASKS: OnceLock<(usize, AtomicUsize)> = OnceLock::new();
    MASKS.get_or_init(|| {
        let main = std::process::id().cast_signed();
        let at_first = affinity_of(main).unwrap_or(1);
        (at_first, AtomicUsize::new(at_first))
    })
}

/// A mask that is not empty, and within another.
fn check_within(mask: usize, allowed: usize) -> Outcome<()> {
    let is_within = mask != 0 && mask & !allowed == 0;
    if is_within { Ok(()) } else { Err(Error::ERROR_INVALID_PARAMETER) }
}

/// Every thread of the process, by the kernel's number.
fn threads() -> Vec<i32> {
    let entries = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Whatever handle of it the program has, only this process is known from within.
pub(crate) fn check_process(process: HANDLE) -> Outcome<()> {
    let is_own = process == CURRENT_PROCESS || child::is_own(process)?;
    if is_own { Ok(()) } else { Err(Error::ERROR_NOT_SUPPORTED) }
}

/// The kernel's names of threads have at most 15 octets; whole characters of a longer one.
fn short_name(name: &str) -> &str {
    name.get(..name.floor_char_boundary(15)).unwrap_or_default()
}

/// Names a thread for debuggers.
fn describe(thread: HANDLE, description: *const u16) -> i32 {
    let Ok(control) = control(thread) else { return E_HANDLE };
    let Ok(units) = ptr::read_wide(description) else { return E_POINTER };
    let name = String::from_utf8(wide::narrow(&units)).unwrap_or_default();
    let write = |id| std::fs::write(format!("/proc/self/task/{id}/comm"), short_name(&name));
    // A thread that has ended needs no name, and a system without /proc has no place for one.
    let _ = control.with_kernel_id(write);
    S_OK
}

export! {
    /// Restricts a thread to the processors of a mask. Gives the mask before.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-setthreadaffinitymask>
    ///
    /// # Errors
    /// 0 with ERROR_INVALID_HANDLE, also for a thread that has ended, and ERROR_INVALID_PARAMETER
    /// for no processor or one that the process may not use.
    fn SetThreadAffinityMask(hThread: HANDLE, dwThreadAffinityMask: usize) -> usize, fail 0; {
        check_within(dwThreadAffinityMask, process_masks().1.load(Ordering::Relaxed))?;
        let change = |id| {
            let before = affinity_of(id)?;
            set_affinity(id, dwThreadAffinityMask).map(|()| before)
        };
        control(hThread)?.with_kernel_id(change).ok_or(Error::ERROR_INVALID_HANDLE)?
    }

    /// Gives the processors that the process may use, and those of the system.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getprocessaffinitymask>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOT_SUPPORTED for another process, ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// The system's are those that the process could use at first.
    fn GetProcessAffinityMask(
        hProcess: HANDLE,
        lpProcessAffinityMask: *mut usize,
        lpSystemAffinityMask: *mut usize,
    ) -> BOOL, fail FALSE; {
        check_process(hProcess)?;
        let (system, process) = process_masks();
        ptr::check_writable(lpSystemAffinityMask, 1).map_err(no_access)?;
        ptr::write(lpProcessAffinityMask, process.load(Ordering::Relaxed)).map_err(no_access)?;
        ptr::write(lpSystemAffinityMask, *system).map_err(no_access)?;
        Ok(TRUE)
    }

    /// Restricts every thread of the process to the processors of a mask.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-setprocessaffinitymask>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOT_SUPPORTED for another process,
    /// ERROR_INVALID_PARAMETER for no processor or one that the system does not have.
    ///
    /// # Differs from Windows
    /// A thread that was restricted to fewer processors may use all of the mask.
    fn SetProcessAffinityMask(
        hProcess: HANDLE,
        dwProcessAffinityMask: usize,
    ) -> BOOL, fail FALSE; {
        check_process(hProcess)?;
        let (system, process) = process_masks();
        check_within(dwProcessAffinityMask, *system)?;
        set_affinity(own_kernel_id(), dwProcessAffinityMask)?;
        for thread in threads() {
            // A thread that has ended meanwhile runs nowhere.
            let _ = set_affinity(thread, dwProcessAffinityMask);
        }
        process.store(dwProcessAffinityMask, Ordering::Relaxed);
        Ok(TRUE)
    }

    /// Gives the number of the processor that the thread runs on, which may change at any time.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentprocessornumber>
    fn GetCurrentProcessorNumber() -> u32, fail 0; {
        // SAFETY: asks a number.
        let processor = unsafe { libc::sched_getcpu() };
        Ok(u32::try_from(processor).unwrap_or(0))
    }

    /// Names a thread, for debuggers and tools of the system. Gives an HRESULT.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-setthreaddescription>
    ///
    /// # Errors
    /// E_HANDLE, E_POINTER.
    ///
    /// # Differs from Windows
    /// The name is cut off after 15 octets.
    fn SetThreadDescription(hThread: HANDLE, lpThreadDescription: *const u16) -> i32, fail E_HANDLE; {
        Ok(describe(hThread, lpThreadDescription))
    }
}

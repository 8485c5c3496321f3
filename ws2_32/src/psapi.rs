//! The little of psapi that programs watch themselves by.

use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::export;
use crate::kernel32::object::no_access;
use crate::kernel32::thread::{check_process, page_faults};
use crate::last_error::Error;
use crate::ptr;

/// What GetProcessMemoryInfo tells.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct PROCESS_MEMORY_COUNTERS {
    /// The size of the structure.
    pub cb: u32,
    /// Page faults.
    pub PageFaultCount: u32,
    /// The most memory that it has had.
    pub PeakWorkingSetSize: usize,
    /// The memory that it has.
    pub WorkingSetSize: usize,
    /// Of the system's, as the next three.
    pub QuotaPeakPagedPoolUsage: usize,
    /// Of the system's.
    pub QuotaPagedPoolUsage: usize,
    /// Of the system's.
    pub QuotaPeakNonPagedPoolUsage: usize,
    /// Of the system's.
    pub QuotaNonPagedPoolUsage: usize,
    /// What it has for itself, in memory or swapped out.
    pub PagefileUsage: usize,
    /// The most of that.
    pub PeakPagefileUsage: usize,
}

/// The same, and one member more.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
struct Extended {
    counters: PROCESS_MEMORY_COUNTERS,
    private_usage: usize,
}

/// A line of proc(5), status: kilobytes, in octets.
fn octets_in(status: &str, name: &str) -> usize {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    number.map_or(0, |kilobytes| kilobytes.saturating_mul(1024))
}

fn counters(status: &str, size: u32) -> PROCESS_MEMORY_COUNTERS {
    let own = octets_in(status, "RssAnon") + octets_in(status, "VmSwap");
    let working = octets_in(status, "VmRSS");
    PROCESS_MEMORY_COUNTERS {
        cb: size,
        PageFaultCount: page_faults(),
        // The kernel notes the highest when it changes, and not always at once.
        PeakWorkingSetSize: octets_in(status, "VmHWM").max(working),
        WorkingSetSize: working,
        PagefileUsage: own,
        PeakPagefileUsage: own,
        ..PROCESS_MEMORY_COUNTERS::default()
    }
}

const SHORT: u32 = 72;
const LONG: u32 = 80;
const _: () = {
    assert!(size_of::<PROCESS_MEMORY_COUNTERS>() == SHORT as usize);
    assert!(size_of::<Extended>() == LONG as usize);
};

export! {
    /// Tells how much memory the process uses.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/psapi/nf-psapi-getprocessmemoryinfo>
    ///
    /// A structure that is long enough for PROCESS_MEMORY_COUNTERS_EX is filled in as one.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOT_SUPPORTED for another process,
    /// ERROR_INSUFFICIENT_BUFFER, ERROR_NOACCESS; ERROR_NOT_SUPPORTED without proc(5).
    ///
    /// # Differs from Windows
    /// The pools of the system are 0, and the highest use of the page file is that of now.
    fn GetProcessMemoryInfo(
        Process: HANDLE,
        ppsmemCounters: *mut PROCESS_MEMORY_COUNTERS,
        cb: u32,
    ) -> BOOL, fail FALSE; {
        check_process(Process)?;
        if cb < SHORT {
            return Err(Error::ERROR_INSUFFICIENT_BUFFER);
        }
        let status = std::fs::read_to_string("/proc/self/status");
        let status = status.map_err(|_| Error::ERROR_NOT_SUPPORTED)?;
        if cb < LONG {
            ptr::write(ppsmemCounters, counters(&status, SHORT)).map_err(no_access)?;
        } else {
            let counters = counters(&status, LONG);
            let told = Extended { counters, private_usage: counters.PagefileUsage };
            ptr::write(ppsmemCounters.cast(), told).map_err(no_access)?;
        }
        Ok(TRUE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// proc(5).
    #[test]
    fn lines_are_found_by_their_whole_names() {
        let status = "Name:\tVmRSS\nVmRSSx:\t1 kB\nVmRSS:\t    12 kB\nVmHWM:\t x kB\n";
        assert_eq!(octets_in(status, "VmRSS"), 12 * 1024);
        assert_eq!(octets_in(status, "VmHWM"), 0);
        assert_eq!(octets_in(status, "VmSwap"), 0);
    }
}

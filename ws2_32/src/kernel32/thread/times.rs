//! When threads and the process began and ended, and how long they have run.
#![allow(unsafe_code, reason = "getrusage, sysconf; the exports")]

use std::mem::MaybeUninit;
use std::sync::OnceLock;
use std::time::Duration;

use super::schedule::check_process;
use super::{Control, control, own_kernel_id};
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export};
use crate::kernel32::clock::{file_time_now, in_ticks, read_clock};
use crate::kernel32::object::no_access;
use crate::ptr::Out;

/// How long something has run, in units of 100 ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Used {
    kernel: u64,
    user: u64,
}

/// A thread's last times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Last {
    exit: u64,
    used: Used,
}

/// A place of the kernel's numbers of a thread or a process in proc(5).
const USER_TIME: usize = 14;
const KERNEL_TIME: usize = 15;
const START_TIME: usize = 22;

fn in_ticks_of(time: libc::timeval) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let micros = u64::try_from(time.tv_usec).unwrap_or(0);
    in_ticks(Duration::from_secs(seconds) + Duration::from_micros(micros))
}

/// What the kernel has counted of the calling thread or of the process.
fn usage_of(who: libc::c_int) -> Option<libc::rusage> {
    let mut usage = MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: the kernel fills in the local.
    let is_known = unsafe { libc::getrusage(who, usage.as_mut_ptr()) } == 0;
    // SAFETY: filled in.
    is_known.then(|| unsafe { usage.assume_init() })
}

/// The page faults of the process.
pub(crate) fn page_faults() -> u32 {
    let faults = usage_of(libc::RUSAGE_SELF).map_or(0, |usage| usage.ru_minflt + usage.ru_majflt);
    u32::try_from(faults).unwrap_or(u32::MAX)
}

/// The use of the calling thread or of the process, to the microsecond.
fn used_by(who: libc::c_int) -> Used {
    let Some(usage) = usage_of(who) else { return Used::default() };
    Used { kernel: in_ticks_of(usage.ru_stime), user: in_ticks_of(usage.ru_utime) }
}

/// A number of the line of proc(5), a time in the kernel's ticks, in units of 100 ns.
fn time_in(line: &str, place: usize) -> Option<u64> {
    // The second entry is a name in brackets, and may have blanks and brackets itself.
    let (_, behind) = line.rsplit_once(')')?;
    let ticks: u64 = behind.split_whitespace().nth(place - 3)?.parse().ok()?;
    // SAFETY: asks a number.
    let in_a_second = u64::try_from(unsafe { libc::sysconf(libc::_SC_CLK_TCK) }).ok()?;
    ticks.checked_mul(10_000_000)?.checked_div(in_a_second)
}

fn line_of(thread: i32) -> Option<String> {
    std::fs::read_to_string(format!("/proc/self/task/{thread}/stat")).ok()
}

/// When that was which the line of proc(5) counts from the system's start on.
fn start_in(line: &str) -> Option<u64> {
    let booted = file_time_now().checked_sub(in_ticks(read_clock(libc::CLOCK_BOOTTIME)))?;
    Some(booted + time_in(line, START_TIME)?)
}

/// When the calling thread, which somebody else made, began; now, if the system does not tell.
pub(super) fn own_start() -> u64 {
    let told = line_of(own_kernel_id()).and_then(|line| start_in(&line));
    told.unwrap_or_else(file_time_now)
}

/// The calling thread's last times, for it ends.
pub(super) fn last() -> Last {
    Last { exit: file_time_now(), used: used_by(libc::RUSAGE_THREAD) }
}

fn process_start() -> u64 {
    static START: OnceLock<u64> = OnceLock::new();
    *START.get_or_init(|| {
        let line = std::fs::read_to_string("/proc/self/stat").ok();
        line.and_then(|line| start_in(&line)).unwrap_or_else(file_time_now)
    })
}

/// What a thread that runs has used.
fn used_by_thread(id: i32) -> Used {
    if id == own_kernel_id() {
        return used_by(libc::RUSAGE_THREAD);
    }
    let line = line_of(id).unwrap_or_default();
    let time = |place| time_in(&line, place).unwrap_or(0);
    Used { kernel: time(KERNEL_TIME), user: time(USER_TIME) }
}

/// The kernel's clock of a thread's time (pthread_getcpuclockid of the C library makes it so).
const fn clock_of(thread: i32) -> libc::clockid_t {
    /// Of one thread, and only while it runs.
    const OF_THREAD: i32 = 4 | 2;
    !thread << 3 | OF_THREAD
}

fn nanoseconds_of(clock: libc::clockid_t) -> u64 {
    u64::try_from(read_clock(clock).as_nanos()).unwrap_or(u64::MAX)
}

/// When a thread ended, 0 if it has not, and what it has used.
fn times_of(thread: &Control) -> (u64, Used) {
    if let Some(used) = thread.with_kernel_id(used_by_thread) {
        return (0, used);
    }
    thread.last.get().map(|last| (last.exit, last.used)).unwrap_or_default()
}

/// The four places that the times go to.
struct Places([Out<u64>; 4]);

impl Places {
    fn new(places: [*mut u64; 4]) -> Outcome<Self> {
        let [creation, exit, kernel, user] = places.map(|place| Out::new(place).map_err(no_access));
        Ok(Self([creation?, exit?, kernel?, user?]))
    }

    fn put(&self, creation: u64, exit: u64, used: Used) {
        let Self([to_creation, to_exit, to_kernel, to_user]) = self;
        to_creation.put(creation);
        to_exit.put(exit);
        to_kernel.put(used.kernel);
        to_user.put(used.user);
    }
}

export! {
    /// Tells when a thread began and ended, and how long it has run in the kernel and outside.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getthreadtimes>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOACCESS. Waits for a thread that was created a moment ago to
    /// get its number.
    ///
    /// # Differs from Windows
    /// A thread that has not ended has the exit time 0. Those that run, other than the calling one,
    /// are told in steps of 10 ms.
    fn GetThreadTimes(
        hThread: HANDLE,
        lpCreationTime: *mut u64,
        lpExitTime: *mut u64,
        lpKernelTime: *mut u64,
        lpUserTime: *mut u64,
    ) -> BOOL, fail FALSE; {
        let thread = control(hThread)?;
        let places = Places::new([lpCreationTime, lpExitTime, lpKernelTime, lpUserTime])?;
        let (exit, used) = times_of(&thread);
        places.put(thread.created, exit, used);
        Ok(TRUE)
    }

    /// Tells when the process began, and how long its threads have run in the kernel and outside.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocesstimes>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOT_SUPPORTED for another process, ERROR_NOACCESS.
    /// Never blocks.
    ///
    /// # Differs from Windows
    /// The exit time is 0. The creation time is known to 10 ms.
    fn GetProcessTimes(
        hProcess: HANDLE,
        lpCreationTime: *mut u64,
        lpExitTime: *mut u64,
        lpKernelTime: *mut u64,
        lpUserTime: *mut u64,
    ) -> BOOL, fail FALSE; {
        check_process(hProcess)?;
        let places = Places::new([lpCreationTime, lpExitTime, lpKernelTime, lpUserTime])?;
        places.put(process_start(), 0, used_by(libc::RUSAGE_SELF));
        Ok(TRUE)
    }

    /// Tells how much a thread has run.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/realtimeapiset/nf-realtimeapiset-querythreadcycletime>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOACCESS. Waits for a thread that was created a moment ago to
    /// get its number.
    ///
    /// # Differs from Windows
    /// A cycle is a nanosecond of the processor's time, whatever the processor's frequency.
    fn QueryThreadCycleTime(ThreadHandle: HANDLE, CycleTime: *mut u64) -> BOOL, fail FALSE; {
        let thread = control(ThreadHandle)?;
        let out = Out::new(CycleTime).map_err(no_access)?;
        let running = thread.with_kernel_id(|id| nanoseconds_of(clock_of(id)));
        let last = || thread.last.get().map(|last| (last.used.kernel + last.used.user) * 100);
        out.put(running.or_else(last).unwrap_or(0));
        Ok(TRUE)
    }

    /// Tells how much the threads of the process have run, as [`QueryThreadCycleTime`] does.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/realtimeapiset/nf-realtimeapiset-queryprocesscycletime>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOT_SUPPORTED for another process, ERROR_NOACCESS.
    /// Never blocks.
    ///
    /// # Differs from Windows
    /// A cycle is a nanosecond of the processor's time, whatever the processor's frequency.
    fn QueryProcessCycleTime(ProcessHandle: HANDLE, CycleTime: *mut u64) -> BOOL, fail FALSE; {
        check_process(ProcessHandle)?;
        let out = Out::new(CycleTime).map_err(no_access)?;
        out.put(nanoseconds_of(libc::CLOCK_PROCESS_CPUTIME_ID));
        Ok(TRUE)
    }

    /// Tells that the process is none of 32 bits on a system of 64.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/wow64apiset/nf-wow64apiset-iswow64process>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOT_SUPPORTED for another process, ERROR_NOACCESS.
    /// Never blocks.
    fn IsWow64Process(hProcess: HANDLE, Wow64Process: *mut BOOL) -> BOOL, fail FALSE; {
        check_process(hProcess)?;
        Out::new(Wow64Process).map_err(no_access)?.put(FALSE);
        Ok(TRUE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// proc(5); the name of a program may be anything.
    #[test]
    fn times_are_found_behind_any_name() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10 250 50 13 14 15 16 17 18 1000 20";
        for name in ["name", "a b) (c", ")"] {
            let line = format!("77 ({name}) {rest}");
            // SAFETY: asks a number.
            let in_a_second = u64::try_from(unsafe { libc::sysconf(libc::_SC_CLK_TCK) }).unwrap();
            let expected = |ticks: u64| Some(ticks * 10_000_000 / in_a_second);
            assert_eq!(time_in(&line, USER_TIME), expected(250), "{line}");
            assert_eq!(time_in(&line, KERNEL_TIME), expected(50), "{line}");
            assert_eq!(time_in(&line, START_TIME), expected(1000), "{line}");
        }
        assert_eq!(time_in("77 (short) S 1", USER_TIME), None);
        assert_eq!(time_in("", USER_TIME), None);
    }
}

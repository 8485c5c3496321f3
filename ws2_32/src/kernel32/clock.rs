//! Time, and letting it pass.
#![allow(unsafe_code, reason = "clock_gettime and getrusage fill locals")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use linsock::iocp::clock::Deadline;
use linsock::iocp::wait::{Waited, sleep};

use super::object::no_access;
use crate::abi::{BOOL, TRUE};
use crate::export::export;
use crate::ptr;

/// Ticks of the performance counter in a second: 10 MHz, as on Windows 10.
const TICKS_PER_SECOND: u64 = 10_000_000;
/// 100-nanosecond intervals from 1601, where FILETIME starts, to 1970.
pub(super) const FILETIME_OF_1970: u64 = 116_444_736_000_000_000;
/// An alertable sleep ended because an APC ran (winnt.h).
const WAIT_IO_COMPLETION: u32 = 192;

/// What a clock of the kernel shows.
pub(super) fn read_clock(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one timespec to a local of that type.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// A duration in units of 100 nanoseconds, by 64-bit arithmetic alone.
pub(super) fn in_ticks(duration: Duration) -> u64 {
    duration.as_secs() * TICKS_PER_SECOND + u64::from(duration.subsec_nanos() / 100)
}

/// Milliseconds since the system started, its sleep included.
pub(super) fn milliseconds_since_start() -> u64 {
    let time = read_clock(libc::CLOCK_BOOTTIME);
    time.as_secs() * 1000 + u64::from(time.subsec_millis())
}

/// The time of day as a file time.
pub(crate) fn file_time_now() -> u64 {
    file_time_of(SystemTime::now())
}

/// A time of day as a file time; before 1970 is 1970.
pub(super) fn file_time_of(time: SystemTime) -> u64 {
    let since_1970 = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    FILETIME_OF_1970 + in_ticks(since_1970)
}

/// How often the calling thread was switched away from while it could have gone on.
fn involuntary_switches() -> libc::c_long {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the kernel writes one rusage to a local of that type.
    unsafe { libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr()) };
    // SAFETY: zero octets were a valid rusage before the kernel wrote one.
    unsafe { usage.assume_init() }.ru_nivcsw
}

/// Sleeps; true if an APC ended it.
fn sleep_ms(ms: u32, alertable: bool) -> bool {
    let alerted = sleep(Deadline::after_ms(ms), alertable) == Waited::Alerted;
    if ms == 0 && !alerted {
        std::thread::yield_now();
    }
    alerted
}

export! {
    /// Reads the performance counter.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/profileapi/nf-profileapi-queryperformancecounter>
    ///
    /// # Errors
    /// ERROR_NOACCESS. Never blocks.
    fn QueryPerformanceCounter(lpPerformanceCount: *mut i64) -> BOOL, fail 0; {
        let ticks = i64::try_from(in_ticks(read_clock(libc::CLOCK_MONOTONIC))).unwrap_or(i64::MAX);
        ptr::write(lpPerformanceCount, ticks).map_err(no_access)?;
        Ok(TRUE)
    }

    /// Gives the counts of the performance counter in a second: 10 million, always.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/profileapi/nf-profileapi-queryperformancefrequency>
    ///
    /// # Errors
    /// ERROR_NOACCESS. Never blocks.
    fn QueryPerformanceFrequency(lpFrequency: *mut i64) -> BOOL, fail 0; {
        ptr::write(lpFrequency, TICKS_PER_SECOND.cast_signed()).map_err(no_access)?;
        Ok(TRUE)
    }

    /// Gives the milliseconds since the system started, modulo 2³².
    ///
    /// <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-gettickcount>
    ///
    /// # Differs from Windows
    /// The resolution is a millisecond: there is no coarser timer tick.
    fn GetTickCount() -> u32, fail 0; {
        Ok(u32::try_from(milliseconds_since_start() & 0xFFFF_FFFF).unwrap_or(0))
    }

    /// Gives the milliseconds since the system started.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-gettickcount64>
    ///
    /// # Differs from Windows
    /// The resolution is a millisecond: there is no coarser timer tick.
    fn GetTickCount64() -> u64, fail 0; {
        Ok(milliseconds_since_start())
    }

    /// Gives the time of day as 100-nanosecond intervals since 1601, UTC.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getsystemtimeasfiletime>
    ///
    /// # Errors
    /// An invalid pointer sets ERROR_NOACCESS. Never blocks.
    fn GetSystemTimeAsFileTime(lpSystemTimeAsFileTime: *mut u64) -> (), fail (); {
        // FILETIME is two halves, the low one first: a little-endian 64-bit number.
        ptr::write(lpSystemTimeAsFileTime, file_time_now().to_le()).map_err(no_access)
    }

    /// Suspends the calling thread; 0 gives the processor up once. INFINITE never returns.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-sleep>
    ///
    /// Blocks for the time given. Not alertable. Pending I/O makes progress meanwhile.
    fn Sleep(dwMilliseconds: u32) -> (), fail (); {
        sleep_ms(dwMilliseconds, false);
        Ok(())
    }

    /// Suspends the calling thread until the time is over or, if alertable, an APC has run; the
    /// latter returns WAIT_IO_COMPLETION.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-sleepex>
    ///
    /// Blocks for the time given. Pending I/O makes progress meanwhile.
    fn SleepEx(dwMilliseconds: u32, bAlertable: BOOL) -> u32, fail 0; {
        let alerted = sleep_ms(dwMilliseconds, bAlertable != 0);
        Ok(if alerted { WAIT_IO_COMPLETION } else { 0 })
    }

    /// Gives the processor to another thread that is ready to run; whether there was one.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-switchtothread>
    fn SwitchToThread() -> BOOL, fail 0; {
        let before = involuntary_switches();
        std::thread::yield_now();
        Ok(BOOL::from(involuntary_switches() != before))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::last_error::{self, Error};

    fn counter() -> i64 {
        let mut count = 0;
        // SAFETY: the pointer is to a local.
        assert_eq!(unsafe { QueryPerformanceCounter(&raw mut count) }, TRUE);
        count
    }

    #[test]
    fn the_clocks_advance_by_what_was_slept() {
        // SAFETY: no pointers.
        let (ticks, count) = (unsafe { GetTickCount64() }, counter());
        let began = Instant::now();
        // SAFETY: no pointers.
        unsafe { Sleep(30) };
        let slept = began.elapsed();
        assert!(slept >= Duration::from_millis(30) && slept < Duration::from_secs(5));
        let counted = counter() - count;
        assert!((300_000..50_000_000).contains(&counted), "{counted}");
        // SAFETY: no pointers.
        let elapsed = unsafe { GetTickCount64() } - ticks;
        assert!((29..5000).contains(&elapsed), "{elapsed}");
    }

    #[test]
    fn the_short_tick_count_is_the_low_half_of_the_long_one() {
        // SAFETY: no pointers.
        let long = unsafe { GetTickCount64() };
        // SAFETY: no pointers.
        let short = unsafe { GetTickCount() };
        let difference = u64::from(short).wrapping_sub(long) & 0xFFFF_FFFF;
        assert!(difference < 1000, "{difference}");
    }

    #[test]
    fn the_system_time_is_today_in_units_of_1601() {
        let mut time = 0_u64;
        // SAFETY: the pointer is to a local.
        unsafe { GetSystemTimeAsFileTime(&raw mut time) };
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert!((time / TICKS_PER_SECOND - 11_644_473_600).abs_diff(unix) <= 1);
    }

    #[test]
    fn invalid_pointers_are_errors() {
        let wild = std::ptr::without_provenance_mut::<i64>(16);
        // SAFETY: an invalid pointer is answered, not followed.
        assert_eq!(unsafe { QueryPerformanceFrequency(wild) }, 0);
        assert_eq!(last_error::get(), Error::ERROR_NOACCESS.0);
    }

    #[test]
    fn an_alertable_sleep_ends_with_an_apc_and_another_does_not() {
        let thread = linsock::iocp::thread::current();
        assert!(thread.queue_apc(linsock::iocp::apc::Apc::new(|| ())));
        // SAFETY: no pointers.
        assert_eq!(unsafe { SleepEx(1, 0) }, 0);
        // SAFETY: no pointers.
        assert_eq!(unsafe { SleepEx(u32::MAX, TRUE) }, WAIT_IO_COMPLETION);
        // SAFETY: no pointers.
        assert_eq!(unsafe { SleepEx(0, TRUE) }, 0);
    }

    /// FILETIME page: 1601; the well-known distance to 1970.
    #[test]
    fn the_time_of_day_counts_from_1601() {
        assert_eq!(file_time_of(UNIX_EPOCH), 116_444_736_000_000_000);
        assert_eq!(file_time_of(UNIX_EPOCH + Duration::from_nanos(700)), 116_444_736_000_000_007);
    }
}

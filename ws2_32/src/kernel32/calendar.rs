//! Times of day as dates, and as the multimedia timer has them.
//!
//! A file time counts 100 nanoseconds from the beginning of 1601, where a period of 400 years of
//! the Gregorian calendar begins; so days are counted from there.
#![allow(unsafe_code, reason = "localtime_r fills a local")]

use std::time::Duration;

use super::clock::{file_time_now, in_ticks, milliseconds_since_start, read_clock};
use super::object::no_access;
use crate::abi::{BOOL, FALSE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;

/// File times of a second.
const SECOND: u64 = 10_000_000;
const DAY: u64 = 86_400 * SECOND;
/// Seconds from 1601 to 1970.
const SECONDS_TO_1970: i64 = 11_644_473_600;
/// The last year that a SYSTEMTIME can have to be turned into a file time (its page).
const LAST_YEAR: u16 = 30827;

/// timeBeginPeriod succeeded (mmsystem.h).
const TIMERR_NOERROR: u32 = 0;
/// The period is out of range (mmsystem.h).
const TIMERR_NOCANDO: u32 = 97;
/// The longest period of the multimedia timer, in milliseconds.
const LONGEST_PERIOD: u32 = 1_000_000;

/// A date and a time of day.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SYSTEMTIME {
    /// 1601 to 30827.
    pub wYear: u16,
    /// 1 to 12.
    pub wMonth: u16,
    /// 0 is Sunday.
    pub wDayOfWeek: u16,
    /// 1 to 31.
    pub wDay: u16,
    /// 0 to 23.
    pub wHour: u16,
    /// 0 to 59.
    pub wMinute: u16,
    /// 0 to 59.
    pub wSecond: u16,
    /// 0 to 999.
    pub wMilliseconds: u16,
}

const _: () = assert!(size_of::<SYSTEMTIME>() == 16);

// SAFETY: integers.
unsafe impl ptr::Plain for SYSTEMTIME {}

/// The periods of the multimedia timer.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TIMECAPS {
    /// The shortest, in milliseconds.
    pub wPeriodMin: u32,
    /// The longest.
    pub wPeriodMax: u32,
}

const fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_of_month(year: u16, month: u16) -> u16 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1601 to the beginning of a year.
fn days_before_year(year: u16) -> u64 {
    let years = u64::from(year) - 1601;
    years * 365 + years / 4 - years / 100 + years / 400
}

/// The year that the day is in, and the days of it that are over.
fn year_of(day: u64) -> Option<(u16, u16)> {
    // 400 years have 146,097 days. One year more than that makes of it is never too early.
    let mut year = u16::try_from(1602 + day * 400 / 146_097).ok()?;
    while days_before_year(year) > day {
        year -= 1;
    }
    Some((year, u16::try_from(day - days_before_year(year)).ok()?))
}

/// The date of a file time, which has to be below 2⁶³.
pub(super) fn date_of(file_time: u64) -> Outcome<SYSTEMTIME> {
    let invalid = Error::ERROR_INVALID_PARAMETER;
    if file_time >= 1 << 63 {
        return Err(invalid);
    }
    let (day, rest) = (file_time / DAY, file_time % DAY);
    let (wYear, mut left) = year_of(day).ok_or(invalid)?;
    let mut wMonth = 1;
    while left >= days_of_month(wYear, wMonth) {
        left -= days_of_month(wYear, wMonth);
        wMonth += 1;
    }
    let part = |unit: u64, of: u64| u16::try_from(rest / unit % of).unwrap_or(0);
    Ok(SYSTEMTIME {
        wYear,
        wMonth,
        // The first day of 1601 was a Monday.
        wDayOfWeek: u16::try_from((day + 1) % 7).unwrap_or(0),
        wDay: left + 1,
        wHour: part(3600 * SECOND, 24),
        wMinute: part(60 * SECOND, 60),
        wSecond: part(SECOND, 60),
        wMilliseconds: part(SECOND / 1000, 1000),
    })
}

/// The file time of a date; the day of the week is not looked at.
fn file_time_of(date: &SYSTEMTIME) -> Outcome<u64> {
    let &SYSTEMTIME { wYear, wMonth, wDay, wHour, wMinute, wSecond, wMilliseconds, .. } = date;
    let is_date = (1601..=LAST_YEAR).contains(&wYear)
        && (1..=12).contains(&wMonth)
        && (1..=days_of_month(wYear, wMonth)).contains(&wDay);
    if !is_date || wHour > 23 || wMinute > 59 || wSecond > 59 || wMilliseconds > 999 {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    let of_months: u64 = (1..wMonth).map(|month| u64::from(days_of_month(wYear, month))).sum();
    let days = days_before_year(wYear) + of_months + u64::from(wDay) - 1;
    let minutes = u64::from(wHour) * 60 + u64::from(wMinute);
    let ms = (minutes * 60 + u64::from(wSecond)) * 1000 + u64::from(wMilliseconds);
    Ok(days * DAY + ms * (SECOND / 1000))
}

/// Seconds since 1970.
pub(super) fn seconds_now() -> i64 {
    i64::try_from(file_time_now() / SECOND).unwrap_or(0) - SECONDS_TO_1970
}

/// The file time of so many seconds since 1970.
pub(super) fn file_time_of_1970(seconds: i64) -> Outcome<u64> {
    let since_1601 = seconds.checked_add(SECONDS_TO_1970).map(u64::try_from);
    let ticks = since_1601.and_then(Result::ok).and_then(|since| since.checked_mul(SECOND));
    ticks.ok_or(Error::ERROR_INVALID_PARAMETER)
}

/// By how many seconds the local time is ahead of UTC, now.
fn offset_now() -> i64 {
    let now = seconds_now();
    let mut local = std::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: fills a local; zero octets were a valid tm before.
    unsafe { libc::localtime_r(&raw const now, local.as_mut_ptr()) };
    // SAFETY: zero octets are a valid tm, and so is what the C library made of them.
    unsafe { local.assume_init() }.tm_gmtoff
}

/// A file time moved by so many seconds.
fn shifted(file_time: u64, seconds: i64) -> Outcome<u64> {
    let moved = file_time.checked_add_signed(seconds * SECOND.cast_signed());
    moved.filter(|moved| *moved < 1 << 63).ok_or(Error::ERROR_INVALID_PARAMETER)
}

/// FILETIME is two halves, the low one first: a little-endian 64-bit number.
fn read_file_time(at: *const u64) -> Outcome<u64> {
    ptr::read(at).map(u64::from_le).map_err(no_access)
}

fn write_file_time(at: *mut u64, time: u64) -> Outcome<()> {
    ptr::write(at, time.to_le()).map_err(no_access)
}

/// Milliseconds of a period that the multimedia timer takes.
const fn is_period(period: u32) -> bool {
    1 <= period && period <= LONGEST_PERIOD
}

fn accept_period(period: u32) -> u32 {
    if is_period(period) { TIMERR_NOERROR } else { TIMERR_NOCANDO }
}

export! {
    /// Gives the date and the time of day, UTC.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getsystemtime>
    ///
    /// # Errors
    /// An invalid pointer sets ERROR_NOACCESS. Never blocks.
    fn GetSystemTime(lpSystemTime: *mut SYSTEMTIME) -> (), fail (); {
        ptr::write(lpSystemTime, date_of(file_time_now())?).map_err(no_access)
    }

    /// Gives the date and the time of day in the local time zone.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getlocaltime>
    ///
    /// # Errors
    /// An invalid pointer sets ERROR_NOACCESS.
    fn GetLocalTime(lpSystemTime: *mut SYSTEMTIME) -> (), fail (); {
        let local = shifted(file_time_now(), offset_now())?;
        ptr::write(lpSystemTime, date_of(local)?).map_err(no_access)
    }

    /// Gives the time of day as 100-nanosecond intervals since 1601, UTC.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getsystemtimepreciseasfiletime>
    ///
    /// # Errors
    /// An invalid pointer sets ERROR_NOACCESS. Never blocks.
    fn GetSystemTimePreciseAsFileTime(lpSystemTimeAsFileTime: *mut u64) -> (), fail (); {
        write_file_time(lpSystemTimeAsFileTime, file_time_now())
    }

    /// Turns a date into a file time. The day of the week is not looked at.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/timezoneapi/nf-timezoneapi-systemtimetofiletime>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for what is no date between 1601 and 30827, ERROR_NOACCESS.
    fn SystemTimeToFileTime(
        lpSystemTime: *const SYSTEMTIME,
        lpFileTime: *mut u64,
    ) -> BOOL, fail FALSE; {
        let date = ptr::read(lpSystemTime).map_err(no_access)?;
        write_file_time(lpFileTime, file_time_of(&date)?)?;
        Ok(TRUE)
    }

    /// Turns a file time into a date.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/timezoneapi/nf-timezoneapi-filetimetosystemtime>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for a time of 2⁶³ or more, ERROR_NOACCESS.
    fn FileTimeToSystemTime(
        lpFileTime: *const u64,
        lpSystemTime: *mut SYSTEMTIME,
    ) -> BOOL, fail FALSE; {
        let date = date_of(read_file_time(lpFileTime)?)?;
        ptr::write(lpSystemTime, date).map_err(no_access)?;
        Ok(TRUE)
    }

    /// Turns UTC into local time, by what the local time differs from it now.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-filetimetolocalfiletime>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for a time out of range, ERROR_NOACCESS.
    fn FileTimeToLocalFileTime(
        lpFileTime: *const u64,
        lpLocalFileTime: *mut u64,
    ) -> BOOL, fail FALSE; {
        let local = shifted(read_file_time(lpFileTime)?, offset_now())?;
        write_file_time(lpLocalFileTime, local)?;
        Ok(TRUE)
    }

    /// Turns local time into UTC, by what the local time differs from it now.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-localfiletimetofiletime>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for a time out of range, ERROR_NOACCESS.
    fn LocalFileTimeToFileTime(
        lpLocalFileTime: *const u64,
        lpFileTime: *mut u64,
    ) -> BOOL, fail FALSE; {
        let universal = shifted(read_file_time(lpLocalFileTime)?, -offset_now())?;
        write_file_time(lpFileTime, universal)?;
        Ok(TRUE)
    }

    /// Compares two file times: -1 if the first is earlier, 0, or 1 if it is later.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-comparefiletime>
    ///
    /// # Errors
    /// 0 with ERROR_NOACCESS.
    fn CompareFileTime(lpFileTime1: *const u64, lpFileTime2: *const u64) -> i32, fail 0; {
        let (one, two) = (read_file_time(lpFileTime1)?, read_file_time(lpFileTime2)?);
        Ok(one.cmp(&two) as i32)
    }

    /// Gives the time since the system started, without its sleep, in 100-nanosecond intervals.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/realtimeapi/nf-realtimeapi-queryunbiasedinterrupttime>
    ///
    /// # Errors
    /// ERROR_NOACCESS. Never blocks.
    fn QueryUnbiasedInterruptTime(UnbiasedTime: *mut u64) -> BOOL, fail FALSE; {
        let time: Duration = read_clock(libc::CLOCK_MONOTONIC);
        ptr::write(UnbiasedTime, in_ticks(time)).map_err(no_access)?;
        Ok(TRUE)
    }

    /// Gives the milliseconds since the system started, modulo 2³².
    ///
    /// <https://learn.microsoft.com/windows/win32/api/timeapi/nf-timeapi-timegettime>
    ///
    /// # Differs from Windows
    /// The resolution is a millisecond, whatever timeBeginPeriod was told.
    fn timeGetTime() -> u32, fail 0; {
        Ok(u32::try_from(milliseconds_since_start() & 0xFFFF_FFFF).unwrap_or(0))
    }

    /// Accepts a period of the multimedia timer, in milliseconds.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/timeapi/nf-timeapi-timebeginperiod>
    ///
    /// # Errors
    /// TIMERR_NOCANDO for a period out of range.
    ///
    /// # Differs from Windows
    /// It has no effect: the system's timers are always as fine as they get.
    fn timeBeginPeriod(uPeriod: u32) -> u32, fail TIMERR_NOCANDO; {
        Ok(accept_period(uPeriod))
    }

    /// Accepts the end of a period that timeBeginPeriod was told.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/timeapi/nf-timeapi-timeendperiod>
    ///
    /// # Errors
    /// TIMERR_NOCANDO for a period out of range.
    ///
    /// # Differs from Windows
    /// It has no effect, also when no such period began.
    fn timeEndPeriod(uPeriod: u32) -> u32, fail TIMERR_NOCANDO; {
        Ok(accept_period(uPeriod))
    }

    /// Tells which periods the multimedia timer takes.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/timeapi/nf-timeapi-timegetdevcaps>
    ///
    /// # Errors
    /// TIMERR_NOCANDO for an invalid pointer or another size.
    fn timeGetDevCaps(ptc: *mut TIMECAPS, cbtc: u32) -> u32, fail TIMERR_NOCANDO; {
        if usize::try_from(cbtc) != Ok(size_of::<TIMECAPS>()) {
            return Ok(TIMERR_NOCANDO);
        }
        let periods = TIMECAPS { wPeriodMin: 1, wPeriodMax: LONGEST_PERIOD };
        ptr::write(ptc, periods).map_err(no_access)?;
        Ok(TIMERR_NOERROR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every day of two periods of 400 years, counted one by one; the calendar begins anew with
    /// each.
    #[test]
    fn dates_follow_each_other_without_a_gap() {
        let (mut year, mut month, mut day) = (1601, 1, 1);
        let mut time = 0;
        while year < 2401 {
            let date = date_of(time + 12 * 3600 * SECOND).unwrap();
            assert_eq!((date.wYear, date.wMonth, date.wDay, date.wHour), (year, month, day, 12));
            assert_eq!(file_time_of(&date), Ok(time + 12 * 3600 * SECOND));
            day += 1;
            if day > days_of_month(year, month) {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
            time += DAY;
        }
    }

    #[test]
    fn every_year_begins_where_the_former_ends() {
        for year in 1602..=LAST_YEAR {
            let begins = days_before_year(year);
            assert_eq!(year_of(begins), Some((year, 0)));
            let last = 364 + u16::from(is_leap(year - 1));
            assert_eq!(year_of(begins - 1), Some((year - 1, last)));
        }
        assert_eq!(date_of((1 << 63) - 1).unwrap().wYear, LAST_YEAR + 1);
        assert!(date_of(1 << 63).is_err());
    }
}

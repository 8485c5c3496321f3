//! The time zone that the process is in, as the C library knows it (TZ, /etc/localtime).
#![allow(unsafe_code, reason = "localtime_r fills a local; exports")]

use std::ffi::CStr;

use super::calendar::{SYSTEMTIME, date_of, file_time_of_1970, seconds_now};
use super::object::no_access;
use crate::export::{Outcome, export};
use crate::ptr::Out;

const TIME_ZONE_ID_INVALID: u32 = u32::MAX;
const TIME_ZONE_ID_UNKNOWN: u32 = 0;
const TIME_ZONE_ID_STANDARD: u32 = 1;
const TIME_ZONE_ID_DAYLIGHT: u32 = 2;

const DAY: i64 = 86_400;
/// A yearly change is never further away.
const DAYS: i64 = 366;

/// TIME_ZONE_INFORMATION.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
#[allow(non_camel_case_types, non_snake_case, reason = "Windows' names")]
pub struct TIME_ZONE_INFORMATION {
    /// UTC is local time plus so many minutes.
    pub Bias: i32,
    /// What standard time is called.
    pub StandardName: [u16; 32],
    /// When standard time begins; all zero where there is no other.
    pub StandardDate: SYSTEMTIME,
    /// In standard time, to be added to the bias: 0.
    pub StandardBias: i32,
    /// What daylight time is called.
    pub DaylightName: [u16; 32],
    /// When daylight time begins.
    pub DaylightDate: SYSTEMTIME,
    /// In daylight time, to be added to the bias: mostly -60.
    pub DaylightBias: i32,
}

const _: () = assert!(size_of::<TIME_ZONE_INFORMATION>() == 172);

/// The local time at a moment.
#[derive(Clone, Copy)]
struct Local {
    at: i64,
    /// Seconds ahead of UTC.
    ahead: i64,
    daylight: bool,
    name: [u16; 32],
}

impl Local {
    fn at(at: i64) -> Self {
        let mut local = std::mem::MaybeUninit::<libc::tm>::zeroed();
        // SAFETY: fills a local; zero octets were a valid tm before.
        unsafe { libc::localtime_r(&raw const at, local.as_mut_ptr()) };
        // SAFETY: zero octets are a valid tm, and so is what the C library made of them.
        let local = unsafe { local.assume_init() };
        let mut name = [0; 32];
        if !local.tm_zone.is_null() {
            // SAFETY: the C library's text, which it keeps as long as the process lasts.
            let text = unsafe { CStr::from_ptr(local.tm_zone) }.to_string_lossy();
            name.iter_mut().take(31).zip(text.encode_utf16()).for_each(|(to, from)| *to = from);
        }
        Self { at, ahead: local.tm_gmtoff, daylight: local.tm_isdst > 0, name }
    }

    /// The first moment of the other kind of time, which begins between this moment and a later
    /// one.
    fn change(mut self, mut later: Self) -> Self {
        while later.at - self.at > 1 {
            let between = Self::at(self.at + (later.at - self.at) / 2);
            if between.daylight == self.daylight { self = between } else { later = between }
        }
        later
    }
}

/// The next change after a moment.
fn next_change(from: Local) -> Option<Local> {
    let mut days = (1..=DAYS).map(|day| Local::at(from.at + day * DAY));
    let mut last = from;
    days.find_map(|day| {
        let before = std::mem::replace(&mut last, day);
        (day.daylight != before.daylight).then(|| before.change(day))
    })
}

/// The rule for a change, at which clocks stop being so far ahead: the time of day that they show,
/// on the first to fourth of a day of the week in a month, or on the last (5).
fn rule(change: i64, ahead: i64) -> Outcome<SYSTEMTIME> {
    let shown = |at: i64| date_of(file_time_of_1970(at + ahead)?);
    let (date, in_a_week) = (shown(change)?, shown(change + 7 * DAY)?);
    let is_last = in_a_week.wMonth != date.wMonth;
    let wDay = if is_last { 5 } else { (date.wDay - 1) / 7 + 1 };
    Ok(SYSTEMTIME { wYear: 0, wDay, wMilliseconds: 0, ..date })
}

const NO_RULE: SYSTEMTIME = SYSTEMTIME {
    wYear: 0,
    wMonth: 0,
    wDayOfWeek: 0,
    wDay: 0,
    wHour: 0,
    wMinute: 0,
    wSecond: 0,
    wMilliseconds: 0,
};

fn minutes(seconds: i64) -> i32 {
    i32::try_from(seconds / 60).unwrap_or(0)
}

/// What holds at a moment, and which kind of time it is then.
fn zone_at(at: i64) -> Outcome<(TIME_ZONE_INFORMATION, u32)> {
    let now = Local::at(at);
    let without_daylight = TIME_ZONE_INFORMATION {
        Bias: -minutes(now.ahead),
        StandardName: now.name,
        StandardDate: NO_RULE,
        StandardBias: 0,
        DaylightName: now.name,
        DaylightDate: NO_RULE,
        DaylightBias: 0,
    };
    let Some((next, after)) = next_change(now).and_then(|next| Some((next, next_change(next)?)))
    else {
        return Ok((without_daylight, TIME_ZONE_ID_UNKNOWN));
    };
    // `next` ends the time that is now, and `after` the other one.
    let (standard, daylight, ends, begins, kind) = if now.daylight {
        (next, now, next, after, TIME_ZONE_ID_DAYLIGHT)
    } else {
        (now, next, after, next, TIME_ZONE_ID_STANDARD)
    };
    let zone = TIME_ZONE_INFORMATION {
        Bias: -minutes(standard.ahead),
        StandardName: standard.name,
        StandardDate: rule(ends.at, daylight.ahead)?,
        DaylightName: daylight.name,
        DaylightDate: rule(begins.at, standard.ahead)?,
        DaylightBias: minutes(standard.ahead - daylight.ahead),
        ..without_daylight
    };
    Ok((zone, kind))
}

export! {
    /// Tells the time zone: UTC is local time plus the bias. Gives TIME_ZONE_ID_STANDARD or
    /// TIME_ZONE_ID_DAYLIGHT, whichever is now, or TIME_ZONE_ID_UNKNOWN where there is no daylight
    /// time.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/timezoneapi/nf-timezoneapi-gettimezoneinformation>
    ///
    /// # Errors
    /// TIME_ZONE_ID_INVALID; ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// The names are those of Linux, such as CET and CEST. The rules are those of the next two
    /// changes; one in the last week of a month is said to be always in the last.
    fn GetTimeZoneInformation(
        lpTimeZoneInformation: *mut TIME_ZONE_INFORMATION,
    ) -> u32, fail TIME_ZONE_ID_INVALID; {
        let at = Out::new(lpTimeZoneInformation).map_err(no_access)?;
        let (zone, kind) = zone_at(seconds_now())?;
        at.put(zone);
        Ok(kind)
    }
}

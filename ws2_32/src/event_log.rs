//! The event log of advapi32: what is reported goes to syslog(3).
#![allow(unsafe_code, reason = "syslog, and the exports")]

use std::collections::BTreeMap;
use std::ffi::{CString, c_int};

use linsock::iocp::sync::Lock;

use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export};
use crate::kernel32::object::no_access;
use crate::last_error::Error;
use crate::ptr;
use crate::wide::{Unit, read_text_opt};

const EVENTLOG_ERROR_TYPE: u16 = 0x01;
const EVENTLOG_WARNING_TYPE: u16 = 0x02;
const EVENTLOG_AUDIT_SUCCESS: u16 = 0x08;
const EVENTLOG_AUDIT_FAILURE: u16 = 0x10;

/// The sources that were registered and not given back, by their handles.
struct Sources {
    open: BTreeMap<HANDLE, Vec<u8>>,
    /// No multiple of 4, which the handles of objects are: CloseHandle knows none of these.
    last: HANDLE,
}

static SOURCES: Lock<Sources> = Lock::new(Sources { open: BTreeMap::new(), last: 1 });

fn register<U: Unit>(server: *const U, source: *const U) -> Outcome<HANDLE> {
    const RPC_S_SERVER_UNAVAILABLE: Error = Error(1722);
    if read_text_opt(server).map_err(no_access)?.is_some_and(|server| !server.is_empty()) {
        return Err(RPC_S_SERVER_UNAVAILABLE);
    }
    let source = U::read_text(source).map_err(no_access)?;
    let mut sources = SOURCES.lock();
    sources.last += 4;
    let handle = sources.last;
    sources.open.insert(handle, source);
    Ok(handle)
}

const fn priority(kind: u16) -> c_int {
    match kind {
        EVENTLOG_ERROR_TYPE => libc::LOG_USER | libc::LOG_ERR,
        EVENTLOG_WARNING_TYPE => libc::LOG_USER | libc::LOG_WARNING,
        EVENTLOG_AUDIT_SUCCESS => libc::LOG_AUTH | libc::LOG_NOTICE,
        EVENTLOG_AUDIT_FAILURE => libc::LOG_AUTH | libc::LOG_WARNING,
        _ => libc::LOG_USER | libc::LOG_INFO,
    }
}

/// One line: who reports, which event (the identifier without severity and facility), and what is
/// said about it.
fn line(source: &[u8], event: u32, texts: &[Vec<u8>]) -> CString {
    let mut line = [source, format!(": event {}:", event & 0xFFFF).as_bytes()].concat();
    for text in texts {
        line.push(b' ');
        line.extend(text);
    }
    CString::new(line).unwrap_or_default()
}

fn report<U: Unit>(
    log: HANDLE,
    kind: u16,
    event: u32,
    count: u16,
    texts: *const *const U,
) -> Outcome<BOOL> {
    let count = if texts.is_null() { 0 } else { usize::from(count) };
    let texts = ptr::read_all(texts.cast::<usize>(), count).map_err(no_access)?;
    let texts = texts.into_iter().map(std::ptr::with_exposed_provenance::<U>);
    let texts: Vec<_> = texts.map(U::read_text).collect::<Outcome<_>>().map_err(no_access)?;
    let source = SOURCES.lock().open.get(&log).cloned();
    let line = line(&source.ok_or(Error::ERROR_INVALID_HANDLE)?, event, &texts);
    // SAFETY: a format with one text, and a text that ends with a zero.
    unsafe { libc::syslog(priority(kind), c"%s".as_ptr(), line.as_ptr()) };
    Ok(TRUE)
}

export! {
    /// Names the source of what is reported to the event log.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-registereventsourcea>
    ///
    /// # Errors
    /// RPC_S_SERVER_UNAVAILABLE for another machine's log, ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// The log is that of syslog(3).
    fn RegisterEventSourceA(
        lpUNCServerName: *const u8,
        lpSourceName: *const u8,
    ) -> HANDLE, fail 0; {
        register(lpUNCServerName, lpSourceName)
    }

    /// As [`RegisterEventSourceA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-registereventsourcew>
    ///
    /// Errors and differences as [`RegisterEventSourceA`].
    fn RegisterEventSourceW(
        lpUNCServerName: *const u16,
        lpSourceName: *const u16,
    ) -> HANDLE, fail 0; {
        register(lpUNCServerName, lpSourceName)
    }

    /// Gives the handle of a source back.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-deregistereventsource>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE.
    fn DeregisterEventSource(hEventLog: HANDLE) -> BOOL, fail FALSE; {
        let known = SOURCES.lock().open.remove(&hEventLog);
        known.map(|_source| TRUE).ok_or(Error::ERROR_INVALID_HANDLE)
    }

    /// Reports an event to the log.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-reporteventa>
    ///
    /// May wait for syslog(3).
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// The log is that of syslog(3), one line for an event: its source, the lower half of its
    /// identifier and its texts, which no message file is put around. The category, the user and
    /// the
    /// data are not told.
    fn ReportEventA(
        hEventLog: HANDLE,
        wType: u16,
        wCategory: u16,
        dwEventID: u32,
        lpUserSid: *const u8,
        wNumStrings: u16,
        dwDataSize: u32,
        lpStrings: *const *const u8,
        lpRawData: *const u8,
    ) -> BOOL, fail FALSE; {
        let _ = (wCategory, lpUserSid, dwDataSize, lpRawData);
        report(hEventLog, wType, dwEventID, wNumStrings, lpStrings)
    }

    /// As [`ReportEventA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-reporteventw>
    ///
    /// Errors and differences as [`ReportEventA`].
    fn ReportEventW(
        hEventLog: HANDLE,
        wType: u16,
        wCategory: u16,
        dwEventID: u32,
        lpUserSid: *const u8,
        wNumStrings: u16,
        dwDataSize: u32,
        lpStrings: *const *const u16,
        lpRawData: *const u8,
    ) -> BOOL, fail FALSE; {
        let _ = (wCategory, lpUserSid, dwDataSize, lpRawData);
        report(hEventLog, wType, dwEventID, wNumStrings, lpStrings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_line() {
        let texts = [b"cannot".to_vec(), b"open 80".to_vec()];
        assert_eq!(
            line(b"server", 0xC000_0CE3, &texts).as_bytes(),
            b"server: event 3299: cannot open 80"
        );
        assert_eq!(line(b"server", 7, &[]).as_bytes(), b"server: event 7:");
        let levels = [0, 1, 2, 4, 8, 16].map(|kind| priority(kind) & 7);
        assert_eq!(levels, [6, 3, 4, 6, 5, 4], "syslog(3): 3 error, 4 warning, 5 notice, 6 info");
    }
}

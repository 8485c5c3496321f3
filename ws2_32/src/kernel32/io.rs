//! Completion ports, cancellation, and the Win32 view of an operation's result.
#![allow(unsafe_code)]

use std::sync::Arc;

use linsock::NtStatus;
use linsock::iocp::clock::Deadline;
use linsock::iocp::event::Waitable;
use linsock::iocp::file::{File, SKIP_PORT_ON_SUCCESS, SKIP_SET_EVENT_ON_HANDLE};
use linsock::iocp::handle::{self, Handle, Object};
use linsock::iocp::irp::{Deferred, Irp};
use linsock::iocp::overlapped::Overlapped;
use linsock::iocp::port::{self, CompletionPort, Known, NoPacket, Packet, Told};
use linsock::iocp::thread;
use linsock::iocp::wait::{self, Waited, Which};
use linsock::settings;

use crate::abi::{BOOL, FALSE, HANDLE, INVALID_HANDLE_VALUE, OVERLAPPED_ENTRY, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr::{self, Out, OutMany};
use crate::winsock2::overlapped;

pub(crate) fn find_port(value: HANDLE) -> Outcome<Known> {
    Handle::from_value(value).and_then(port::find).ok_or(Error::ERROR_INVALID_HANDLE)
}

pub(crate) fn find_file(value: HANDLE) -> Outcome<Arc<dyn File>> {
    let file = Handle::from_value(value).and_then(|handle| handle::table().file_of(handle));
    file.ok_or(Error::ERROR_INVALID_HANDLE)
}

fn create_port(concurrency: u32) -> Outcome<HANDLE> {
    let no_memory = Error::ERROR_NOT_ENOUGH_MEMORY;
    settings::begin();
    let port = CompletionPort::new(concurrency as usize).map_err(|_| no_memory)?;
    let handle = handle::table().insert(Object::Port(port)).map_err(|_| no_memory)?;
    Ok(handle.value())
}

fn associate(file: HANDLE, existing: HANDLE, key: usize, concurrency: u32) -> Outcome<HANDLE> {
    if file == INVALID_HANDLE_VALUE {
        // A port of its own; a port that exists cannot be given without a file (the page).
        return if existing == 0 {
            create_port(concurrency)
        } else {
            Err(Error::ERROR_INVALID_PARAMETER)
        };
    }
    let file = find_file(file)?;
    let port = if existing == 0 { create_port(concurrency)? } else { existing };
    match file.associate(&*find_port(port)?, key) {
        Ok(()) => Ok(port),
        Err(_already) => {
            if existing == 0 {
                close_unused(port);
            }
            Err(Error::ERROR_INVALID_PARAMETER)
        }
    }
}

fn close_unused(port: HANDLE) {
    if let Some(Object::Port(port)) =
        Handle::from_value(port).and_then(|h| handle::table().remove(h))
    {
        port.close();
    }
}

fn failure(no_packet: NoPacket) -> Error {
    match no_packet {
        NoPacket::TimedOut => Error::WAIT_TIMEOUT,
        NoPacket::Closed => Error::ERROR_ABANDONED_WAIT_0,
        NoPacket::Alerted => Error::WAIT_IO_COMPLETION,
    }
}

/// One packet of a port, waiting for it.
#[inline]
fn next_packet(port: HANDLE, ms: u32) -> Outcome<Told> {
    let handle = Handle::from_value(port).ok_or(Error::ERROR_INVALID_HANDLE)?;
    let mut next = None;
    port::take_next(handle, 1, |told| next = Some(told));
    next.map_or_else(|| wait_for_packet(handle, ms), Ok)
}

#[cold]
fn wait_for_packet(handle: Handle, ms: u32) -> Outcome<Told> {
    let mut next = None;
    wait_for_packets(handle, 1, ms, false, |told| next = Some(told))?;
    // There is one, or it would have failed.
    next.ok_or(Error::WAIT_TIMEOUT)
}

fn wait_for_packets(
    handle: Handle,
    room: usize,
    ms: u32,
    alertable: bool,
    put: impl FnMut(Told),
) -> Outcome<usize> {
    let port = port::find(handle).ok_or(Error::ERROR_INVALID_HANDLE)?;
    port.wait(room, Deadline::after_ms(ms), alertable, put).map_err(failure)
}

/// The packets of a port, waiting for the first: as many as there are and find room, and how many.
///
/// # Errors
/// As GetQueuedCompletionStatusEx.
#[inline]
pub(crate) fn next_packets(
    port: HANDLE,
    entries: &OutMany<OVERLAPPED_ENTRY>,
    ms: u32,
    alertable: bool,
) -> Outcome<u32> {
    let mut at = 0;
    let mut put = |told: Told| {
        let entry = OVERLAPPED_ENTRY {
            lpCompletionKey: told.key,
            lpOverlapped: told.overlapped,
            Internal: told.status.raw() as usize,
            dwNumberOfBytesTransferred: dword(told.bytes),
        };
        entries.put(at, entry);
        at += 1;
    };
    let handle = Handle::from_value(port).ok_or(Error::ERROR_INVALID_HANDLE)?;
    if let Some(count) = port::take_next(handle, entries.count(), &mut put) {
        return Ok(dword(count));
    }
    wait_for_packets(handle, entries.count(), ms, alertable, put).map(dword)
}

/// TRUE, or the Win32 code of the status.
fn told(status: NtStatus) -> Outcome<BOOL> {
    if status.is_success() { Ok(TRUE) } else { Err(Error(status.win32())) }
}

fn dword(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

export! {
    /// Creates a completion port, or ties a file (a socket) to one, for good.
    ///
    /// <https://learn.microsoft.com/windows/win32/fileio/createiocompletionport>
    ///
    /// Errors: ERROR_INVALID_HANDLE; ERROR_INVALID_PARAMETER when the file has a port already (it
    /// keeps that port and its key) or a port is given without a file.
    fn CreateIoCompletionPort(file: HANDLE, existing: HANDLE, key: usize, concurrency: u32) -> HANDLE, fail 0; {
        associate(file, existing, key, concurrency)
    }

    /// Takes a packet, waiting for one up to `ms` milliseconds (INFINITE: for ever).
    ///
    /// <https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-getqueuedcompletionstatus>
    ///
    /// FALSE with an OVERLAPPED: a packet of a failed operation, its Win32 error in the last error.
    /// FALSE without: WAIT_TIMEOUT, ERROR_ABANDONED_WAIT_0 (the port was closed),
    /// ERROR_INVALID_HANDLE. On success the last error is left alone (`test_completion_port`).
    fn GetQueuedCompletionStatus(port: HANDLE, bytes: *mut u32, key: *mut usize, ov: *mut usize, ms: u32) -> BOOL, fail FALSE; {
        let bad = |_| Error::ERROR_NOACCESS;
        let bytes = Out::new(bytes).map_err(bad)?;
        let key = Out::beside(&bytes, key).map_err(bad)?;
        let ov = Out::beside(&bytes, ov).map_err(bad)?;
        ov.put(0);
        let packet = next_packet(port, ms)?;
        bytes.put(dword(packet.bytes));
        key.put(packet.key);
        ov.put(packet.overlapped);
        told(packet.status)
    }

    /// Takes up to `count` packets, waiting for the first.
    ///
    /// <https://learn.microsoft.com/windows/win32/fileio/getqueuedcompletionstatusex-func>
    ///
    /// Errors: as GetQueuedCompletionStatus; WAIT_IO_COMPLETION when the wait was alertable and an
    /// APC ran. The status of each operation is in its entry's `Internal`.
    fn GetQueuedCompletionStatusEx(port: HANDLE, entries: *mut OVERLAPPED_ENTRY, count: u32, removed: *mut u32, ms: u32, alertable: BOOL) -> BOOL, fail FALSE; {
        let bad = |_| Error::ERROR_NOACCESS;
        if count == 0 {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        let entries = OutMany::new(entries, count as usize).map_err(bad)?;
        let removed = Out::new(removed).map_err(bad)?;
        removed.put(0);
        removed.put(next_packets(port, &entries, ms, alertable != 0)?);
        Ok(TRUE)
    }

    /// Queues a packet of the program's own; its OVERLAPPED is not looked at.
    ///
    /// <https://learn.microsoft.com/windows/win32/fileio/postqueuedcompletionstatus>
    ///
    /// Errors: ERROR_INVALID_HANDLE.
    fn PostQueuedCompletionStatus(port: HANDLE, bytes: u32, key: usize, overlapped: usize) -> BOOL, fail FALSE; {
        let mut after = Deferred::default();
        let bytes = bytes as usize;
        let packet = Packet { key, overlapped, status: NtStatus::SUCCESS, bytes, sink: None };
        find_port(port)?.post(packet, &mut after);
        after.run();
        Ok(TRUE)
    }

    /// Chooses which notifications a file leaves out. Modes add up; none can be taken back.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-setfilecompletionnotificationmodes>
    ///
    /// Errors: ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER (unknown mode).
    fn SetFileCompletionNotificationModes(file: HANDLE, modes: u8) -> BOOL, fail FALSE; {
        let file = find_file(file)?;
        if modes & !(SKIP_PORT_ON_SUCCESS | SKIP_SET_EVENT_ON_HANDLE) != 0 {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        file.core().add_modes(modes);
        Ok(TRUE)
    }

    /// Cancels the operations on a file that the calling thread issued.
    ///
    /// <https://learn.microsoft.com/windows/win32/fileio/cancelio>
    ///
    /// Errors: ERROR_INVALID_HANDLE. That there was nothing to cancel is none.
    fn CancelIo(file: HANDLE) -> BOOL, fail FALSE; {
        let me = thread::id();
        find_file(file)?.cancel(&|irp: &Irp| irp.thread() == me);
        Ok(TRUE)
    }

    /// Cancels one operation on a file, or all of them, whoever issued them.
    ///
    /// <https://learn.microsoft.com/windows/win32/fileio/cancelioex-func>
    ///
    /// Errors: ERROR_INVALID_HANDLE, ERROR_NOT_FOUND when nothing was pending.
    fn CancelIoEx(file: HANDLE, ov: *mut Overlapped) -> BOOL, fail FALSE; {
        let wanted = ov.addr();
        let cancelled = find_file(file)?.cancel(&|irp: &Irp| wanted == 0 || irp.key() == wanted);
        if cancelled > 0 { Ok(TRUE) } else { Err(Error::ERROR_NOT_FOUND) }
    }

    /// The result of an overlapped operation, by Win32 codes.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-getoverlappedresult>
    ///
    /// Errors: ERROR_NOACCESS, ERROR_IO_INCOMPLETE, the code of the status. The file is looked at
    /// only to wait for it (`test_overlapped`).
    fn GetOverlappedResult(file: HANDLE, ov: *mut Overlapped, transferred: *mut u32, wait: BOOL) -> BOOL, fail FALSE; {
        let at = overlapped::checked(ov).map_err(|_| Error::ERROR_NOACCESS)?;
        ptr::check_writable(transferred, 1).map_err(|_| Error::ERROR_NOACCESS)?;
        if overlapped::result_of(at).0 == NtStatus::PENDING {
            if wait == 0 {
                return Err(Error::ERROR_IO_INCOMPLETE);
            }
            wait_for(file, overlapped::event_of(at), Deadline::Never, false)?;
        }
        let (status, bytes) = overlapped::result_of(at);
        ptr::write(transferred, dword(bytes))?;
        told(status)
    }
}

/// Waits for `hEvent`, or for the file's own signal.
///
/// # Errors
/// WAIT_TIMEOUT; WAIT_IO_COMPLETION after an APC.
pub(super) fn wait_for(
    file: HANDLE,
    event: usize,
    until: Deadline,
    alertable: bool,
) -> Outcome<()> {
    let wait = |signal: &dyn Waitable| wait::wait(&[signal], Which::Any, until, alertable);
    let waited = match overlapped::find_event(event)? {
        Some(event) => wait(&*event),
        None => wait(find_file(file)?.core().signal()),
    };
    match waited {
        Waited::Object(_) => Ok(()),
        Waited::TimedOut => Err(Error::WAIT_TIMEOUT),
        Waited::Alerted => Err(Error::WAIT_IO_COMPLETION),
    }
}

//! From a caller's OVERLAPPED to the target of an IRP.
#![allow(unsafe_code)]

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use linsock::NtStatus;
use linsock::iocp::event::Event;
use linsock::iocp::handle::{self, Handle, Object};
use linsock::iocp::irp::{Routine, Target};
use linsock::iocp::overlapped::{Overlapped, OverlappedPtr};
use linsock::iocp::thread;
use linsock::socket::Socket;

use crate::export::Outcome;
use crate::last_error::Error;
use crate::ptr;

/// A completion routine: error, octets, OVERLAPPED, flags.
pub(crate) type CompletionRoutine = unsafe extern "system" fn(u32, u32, *mut Overlapped, u32);

/// Reads what the caller's OVERLAPPED asks for.
///
/// # Errors
/// WSAEFAULT for a pointer that is not writable memory, WSAEINVAL for a routine on a socket that
/// has a port, WSA_INVALID_HANDLE for an `hEvent` that is no event.
pub(crate) fn target(
    socket: &Socket,
    overlapped: *mut Overlapped,
    routine: Option<CompletionRoutine>,
) -> Outcome<Target> {
    let at = checked(overlapped)?;
    if routine.is_some() && socket.core().association().is_some() {
        return Err(Error::WSAEINVAL);
    }
    // With a completion routine, hEvent is the program's own (OVERLAPPED page).
    let wanted = if routine.is_some() { 0 } else { event_of(at) };
    let routine =
        routine.map(|routine| Box::new((thread::current(), call_of(routine, overlapped))));
    Ok(Target::Overlapped {
        // SAFETY: valid and aligned (checked); that it stays so until completion is the contract of
        // every overlapped call, kept by the C program.
        ptr: unsafe { OverlappedPtr::new(at) },
        event: find_event(wanted)?,
        packet: wanted & 1 == 0,
        routine,
    })
}

/// The OVERLAPPED behind a pointer.
///
/// # Errors
/// WSAEFAULT.
pub(crate) fn checked(overlapped: *mut Overlapped) -> Outcome<NonNull<Overlapped>> {
    ptr::check_writable(overlapped, 1)?;
    NonNull::new(overlapped).filter(|at| at.is_aligned()).ok_or(Error::WSAEFAULT)
}

/// The status and octets of an OVERLAPPED, as they stand.
pub(crate) fn result_of(at: NonNull<Overlapped>) -> (NtStatus, usize) {
    // SAFETY: checked to be valid; the members are atomics, as completions may write them.
    let overlapped = unsafe { at.as_ref() };
    let status = overlapped.internal.load(Ordering::Acquire) & 0xFFFF_FFFF;
    let status = NtStatus::from_raw(u32::try_from(status).unwrap_or(0));
    (status, overlapped.internal_high.load(Ordering::Relaxed))
}

/// `hEvent`.
pub(crate) fn event_of(at: NonNull<Overlapped>) -> usize {
    // SAFETY: checked to be valid; no operation writes anything but the two atomics.
    unsafe { at.as_ref() }.event
}

/// The event behind `hEvent`; `None` for none.
///
/// # Errors
/// WSA_INVALID_HANDLE.
pub(crate) fn find_event(value: usize) -> Outcome<Option<Arc<Event>>> {
    if value & !3 == 0 {
        return Ok(None);
    }
    match Handle::from_value(value).and_then(|handle| handle::table().get(handle)) {
        Some(Object::Event(event)) => Ok(Some(event)),
        _ => Err(Error::ERROR_INVALID_HANDLE),
    }
}

/// The caller's routine as a call that can wait in an APC queue.
fn call_of(routine: CompletionRoutine, overlapped: *mut Overlapped) -> Routine {
    let address = overlapped.expose_provenance();
    Box::new(move |status: NtStatus, bytes: usize| {
        let overlapped = std::ptr::with_exposed_provenance_mut(address);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        // SAFETY: the program gave this function for this purpose; it is called on the thread that
        // issued the operation, in an alertable wait, with no lock held.
        unsafe { routine(status.wsa(), bytes, overlapped, 0) };
    })
}

//! From a caller's OVERLAPPED to the target of an IRP.
#![allow(unsafe_code)]

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use linsock::NtStatus;
use linsock::iocp::event::Event;
use linsock::iocp::file::FileCore;
use linsock::iocp::handle::{self, Handle, Object};
use linsock::iocp::irp::{Beside, Routine, Target};
use linsock::iocp::overlapped::{Overlapped, OverlappedPtr};
use linsock::iocp::thread::{self, Thread};

use crate::export::Outcome;
use crate::last_error::Error;
use crate::ptr;

/// A completion routine: error, octets, OVERLAPPED, flags.
pub(crate) type CompletionRoutine = unsafe extern "system" fn(u32, u32, *mut Overlapped, u32);

/// A completion routine of ReadFileEx and its like: error, octets, OVERLAPPED.
pub(crate) type FileRoutine = unsafe extern "system" fn(u32, u32, *mut Overlapped);

/// The target of an operation on a file that is told by the OVERLAPPED at `overlapped`.
///
/// # Errors
/// WSAEFAULT for a pointer that is not writable memory, WSAEINVAL for a routine on a file that has
/// a port, WSA_INVALID_HANDLE for an `hEvent` that is no event.
pub(crate) fn target(
    file: &FileCore,
    overlapped: *mut Overlapped,
    routine: Option<CompletionRoutine>,
) -> Outcome<Target> {
    let at = checked(overlapped)?;
    let event = event_of(at);
    let Some(routine) = routine else {
        return Ok(told(at, event & 1 == 0, find_event(event)?.map(Beside::Event)));
    };
    // With a completion routine, hEvent is the program's own (OVERLAPPED page).
    let beside = Beside::Routine(apc_of(file, call_of(routine, at.as_ptr()))?);
    Ok(told(at, true, Some(beside)))
}

/// The address of an OVERLAPPED that is told alone, with its file's handle, as nearly all are;
/// and whether it asks for a packet. `None` for any other.
///
/// # Errors
/// WSAEFAULT.
// Always: so the IRP is put together where it is passed, and its parts are not copied there.
#[inline(always)]
pub(crate) fn lone(
    overlapped: *mut Overlapped,
    routine: Option<CompletionRoutine>,
) -> Outcome<Option<Lone>> {
    let at = checked(overlapped)?;
    let event = event_of(at);
    let is_lone = routine.is_none() && event & !3 == 0;
    Ok(is_lone.then_some(Lone { at, packet: event & 1 == 0 }))
}

/// See [`lone`].
pub(crate) struct Lone {
    at: NonNull<Overlapped>,
    packet: bool,
}

impl Lone {
    /// Its target.
    #[inline(always)]
    pub(crate) fn target(self) -> Target {
        told(self.at, self.packet, None)
    }
}

/// As [`target`], with a routine of ReadFileEx or WriteFileEx.
///
/// # Errors
/// As [`target`].
pub(crate) fn target_of_file(
    file: &FileCore,
    overlapped: *mut Overlapped,
    routine: FileRoutine,
) -> Outcome<Target> {
    let at = checked(overlapped)?;
    let beside = Beside::Routine(apc_of(file, file_call_of(routine, overlapped))?);
    Ok(told(at, true, Some(beside)))
}

#[inline(always)]
fn told(at: NonNull<Overlapped>, packet: bool, beside: Option<Beside>) -> Target {
    // SAFETY: valid and aligned (checked); that it stays so until completion is the contract of
    // every overlapped call, kept by the C program.
    let ptr = unsafe { OverlappedPtr::new(at) };
    Target::overlapped(ptr, packet, beside)
}

/// The calling thread, and what it will run in an alertable wait.
#[cold]
fn apc_of(file: &FileCore, routine: Routine) -> Outcome<Box<(Arc<Thread>, Routine)>> {
    if file.association().is_some() {
        return Err(Error::WSAEINVAL);
    }
    Ok(Box::new((thread::current(), routine)))
}

/// The OVERLAPPED behind a pointer.
///
/// # Errors
/// WSAEFAULT.
// Always: it is on the way of each overlapped call, and left out of it otherwise.
#[inline(always)]
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

/// Where in a file the operation begins.
pub(crate) fn place_of(at: NonNull<Overlapped>) -> u64 {
    // SAFETY: as in `event_of`.
    let overlapped = unsafe { at.as_ref() };
    u64::from(overlapped.offset_high) << 32 | u64::from(overlapped.offset)
}

/// The event behind `hEvent`; `None` for none.
///
/// # Errors
/// WSA_INVALID_HANDLE.
#[inline]
pub(crate) fn find_event(value: usize) -> Outcome<Option<Arc<Event>>> {
    if value & !3 == 0 { Ok(None) } else { event_behind(value).map(Some) }
}

#[cold]
fn event_behind(value: usize) -> Outcome<Arc<Event>> {
    match Handle::from_value(value).and_then(|handle| handle::table().get(handle)) {
        Some(Object::Event(event)) => Ok(event),
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

/// As [`call_of`], with Win32's code for the status.
fn file_call_of(routine: FileRoutine, overlapped: *mut Overlapped) -> Routine {
    let address = overlapped.expose_provenance();
    Box::new(move |status: NtStatus, bytes: usize| {
        let overlapped = std::ptr::with_exposed_provenance_mut(address);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        // SAFETY: as in `call_of`.
        unsafe { routine(status.win32(), bytes, overlapped) };
    })
}

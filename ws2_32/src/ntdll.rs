//! The part of ntdll that programs call which speak to Winsock's driver themselves, as wepoll,
//! libuv and mio do: `\Device\Afd`, completion ports by their native names, keyed events.
//!
//! These functions return a status and leave the last error alone.

pub mod device;
pub mod keyed_event;
pub mod object;
pub mod port;

use linsock::NtStatus;
use linsock::iocp::clock::Deadline;
use linsock::iocp::handle::{self, Handle, Object};

use crate::abi::{HANDLE, IO_STATUS_BLOCK};
use crate::kernel32::timer::due_at;
use crate::last_error::Error;
use crate::ptr;

/// A status, as it crosses the boundary.
pub type NTSTATUS = i32;

/// What a function returns whose body has failed in a way that nobody foresaw.
const INTERNAL_ERROR: NTSTATUS = NtStatus::INTERNAL_ERROR.raw().cast_signed();

/// The result of a native call: a status that is no error, or one that is.
type Native = Result<NtStatus, NtStatus>;

/// Success and failure are told in the same way.
fn told(result: Native) -> NTSTATUS {
    result.unwrap_or_else(|status| status).raw().cast_signed()
}

/// A pointer of the caller's was bad.
fn bad_pointer(_: Error) -> NtStatus {
    NtStatus::ACCESS_VIOLATION
}

/// What is behind a handle.
fn object(value: HANDLE) -> Result<Object, NtStatus> {
    let found = Handle::from_value(value).and_then(|handle| handle::table().get(handle));
    found.ok_or(NtStatus::INVALID_HANDLE)
}

/// When a wait gives up: no time is never; below zero it counts from now, in 100-nanosecond
/// intervals, otherwise it is a time of day since 1601.
fn deadline(at: *const i64) -> Result<Deadline, NtStatus> {
    if at.is_null() {
        return Ok(Deadline::Never);
    }
    let due = ptr::read(at).map_err(bad_pointer)?;
    Ok(due_at(due).map_or(Deadline::Never, Deadline::At))
}

/// The result of a call that is over when it returns.
fn report(block: *mut IO_STATUS_BLOCK, status: NtStatus, information: usize) -> Native {
    let Status = status.raw() as usize;
    ptr::write(block, IO_STATUS_BLOCK { Status, Information: information }).map_err(bad_pointer)?;
    Ok(status)
}

//! Keyed events.
#![allow(unsafe_code, reason = "the exports")]

use std::any::Any;
use std::sync::{Arc, LazyLock};

use linsock::NtStatus;
use linsock::iocp::handle::Object;
use linsock::iocp::keyed_event::{KeyedEvent, Role};
use linsock::iocp::wait::Waited;

use super::{INTERNAL_ERROR, NTSTATUS, Native, bad_pointer, deadline, object, told};
use crate::abi::HANDLE;
use crate::export::export;
use crate::kernel32;
use crate::ptr;

/// The one without a handle, which every process has.
static OWN: LazyLock<Arc<KeyedEvent>> = LazyLock::new(Arc::default);

fn find(value: HANDLE) -> Result<Arc<KeyedEvent>, NtStatus> {
    if value == 0 {
        return Ok(Arc::clone(&OWN));
    }
    let Object::Closable(any) = object(value)? else {
        return Err(NtStatus::OBJECT_TYPE_MISMATCH);
    };
    let any: Arc<dyn Any + Send + Sync> = any;
    any.downcast().map_err(|_| NtStatus::OBJECT_TYPE_MISMATCH)
}

fn create(handle: *mut HANDLE, flags: u32) -> Native {
    if flags != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    ptr::check_writable(handle, 1).map_err(bad_pointer)?;
    let event = Object::Closable(Arc::new(KeyedEvent::default()));
    let value = kernel32::object::enter(event).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    ptr::write(handle, value).map_err(bad_pointer)?;
    Ok(NtStatus::SUCCESS)
}

fn meet(event: HANDLE, key: usize, role: Role, alertable: u8, timeout: *const i64) -> Native {
    // The lowest bit is the object's own.
    if key & 1 != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let event = find(event)?;
    Ok(match event.meet(key, role, deadline(timeout)?, alertable != 0) {
        Waited::Object(_) => NtStatus::SUCCESS,
        Waited::TimedOut => NtStatus::TIMEOUT,
        Waited::Alerted => NtStatus::USER_APC,
    })
}

export! {
    /// Creates a keyed event.
    ///
    /// Microsoft documents neither it nor its like; wepoll calls them.
    ///
    /// # Errors
    /// STATUS_INVALID_PARAMETER for flags, STATUS_ACCESS_VIOLATION,
    /// STATUS_INSUFFICIENT_RESOURCES.
    ///
    /// # Differs from Windows
    /// Access rights mean nothing, and a name is not looked at: the event is the process's own.
    fn NtCreateKeyedEvent(
        KeyedEventHandle: *mut HANDLE,
        _DesiredAccess: u32,
        _ObjectAttributes: *const u8,
        Flags: u32,
    ) -> NTSTATUS, fail INTERNAL_ERROR; {
        Ok(told(create(KeyedEventHandle, Flags)))
    }

    /// Waits to be released by a thread that comes with the same key. The handle 0 is an event that
    /// every process has.
    ///
    /// Microsoft documents neither it nor its like; wepoll calls them. Blocks until the time is
    /// over; `Timeout` as NtWaitForSingleObject's.
    ///
    /// # Errors
    /// STATUS_INVALID_PARAMETER for an odd key, STATUS_INVALID_HANDLE,
    /// STATUS_OBJECT_TYPE_MISMATCH, STATUS_ACCESS_VIOLATION. No errors: STATUS_TIMEOUT, and
    /// STATUS_USER_APC from an alertable wait.
    fn NtWaitForKeyedEvent(
        KeyedEventHandle: HANDLE,
        Key: usize,
        Alertable: u8,
        Timeout: *const i64,
    ) -> NTSTATUS, fail INTERNAL_ERROR; {
        Ok(told(meet(KeyedEventHandle, Key, Role::Wait, Alertable, Timeout)))
    }

    /// Releases a thread that waits with the same key, and waits for one to come if there is none.
    ///
    /// Microsoft documents neither it nor its like; wepoll calls them. Blocks as
    /// [`NtWaitForKeyedEvent`], and has its errors.
    fn NtReleaseKeyedEvent(
        KeyedEventHandle: HANDLE,
        Key: usize,
        Alertable: u8,
        Timeout: *const i64,
    ) -> NTSTATUS, fail INTERNAL_ERROR; {
        Ok(told(meet(KeyedEventHandle, Key, Role::Release, Alertable, Timeout)))
    }
}

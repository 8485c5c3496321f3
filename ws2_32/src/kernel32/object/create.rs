//! Events, semaphores and mutexes are created, or found by their names.
//!
//! # Differs from Windows
//! Names are this process's own. Security attributes and access rights mean nothing: every handle
//! may do everything.

use std::sync::Arc;

use linsock::iocp::event::{Mutant, Semaphore};
use linsock::iocp::handle::Object;

use super::names::{Kind, Name, create, open};
use super::new_event;
use crate::abi::{BOOL, HANDLE};
use crate::export::{Outcome, export};
use crate::last_error::Error;

const CREATE_EVENT_MANUAL_RESET: u32 = 1;
const CREATE_EVENT_INITIAL_SET: u32 = 2;
const CREATE_MUTEX_INITIAL_OWNER: u32 = 1;

fn event(name: Option<Name>, manual_reset: bool, signaled: bool) -> Outcome<HANDLE> {
    create(name, Kind::Event, || Ok(new_event(manual_reset, signaled)))
}

fn event_of(name: Option<Name>, flags: u32) -> Outcome<HANDLE> {
    if flags & !(CREATE_EVENT_MANUAL_RESET | CREATE_EVENT_INITIAL_SET) != 0 {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    let has = |flag| flags & flag != 0;
    event(name, has(CREATE_EVENT_MANUAL_RESET), has(CREATE_EVENT_INITIAL_SET))
}

fn mutex(name: Option<Name>, is_owned: bool) -> Outcome<HANDLE> {
    create(name, Kind::Mutant, || Ok(Object::Mutant(Arc::new(Mutant::new(is_owned)))))
}

fn mutex_of(name: Option<Name>, flags: u32) -> Outcome<HANDLE> {
    if flags & !CREATE_MUTEX_INITIAL_OWNER != 0 {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    mutex(name, flags & CREATE_MUTEX_INITIAL_OWNER != 0)
}

fn semaphore(name: Option<Name>, initial: i32, maximum: i32) -> Outcome<HANDLE> {
    create(name, Kind::Semaphore, || {
        let semaphore = Semaphore::new(initial, maximum).ok_or(Error::ERROR_INVALID_PARAMETER)?;
        Ok(Object::Semaphore(Arc::new(semaphore)))
    })
}

/// The flags of CreateSemaphoreEx are reserved.
fn semaphore_of(name: Option<Name>, initial: i32, maximum: i32, flags: u32) -> Outcome<HANDLE> {
    if flags != 0 {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    semaphore(name, initial, maximum)
}

export! {
    /// Creates an event object.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createeventa>
    ///
    /// Its name, if it has one that is not empty, finds it again in this process: a second creation
    /// gives another handle of the same object, and its other arguments mean nothing. The name goes
    /// with the last handle.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE if the name is that of another kind of object, ERROR_NOACCESS,
    /// ERROR_FILENAME_EXCED_RANGE for a name of more than 260 characters, ERROR_PATH_NOT_FOUND for
    /// one with a backslash behind "Global\" or "Local\", ERROR_NOT_ENOUGH_MEMORY. Success sets the
    /// last error to 0, or to ERROR_ALREADY_EXISTS for the handle of an object that was there.
    ///
    /// # Differs from Windows
    /// Other processes do not see the name, which is UTF-8 here; the security attributes are not
    /// looked at.
    fn CreateEventA(
        lpEventAttributes: *const u8,
        bManualReset: BOOL,
        bInitialState: BOOL,
        lpName: *const u8,
    ) -> HANDLE, fail 0; {
        let _ = lpEventAttributes;
        event(Name::optional_a(lpName)?, bManualReset != 0, bInitialState != 0)
    }

    /// Creates an event object; the flags say what it is like.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createeventexa>
    ///
    /// Names, errors and differences as [`CreateEventA`]; unknown flags are
    /// ERROR_INVALID_PARAMETER.
    fn CreateEventExA(
        lpEventAttributes: *const u8,
        lpName: *const u8,
        dwFlags: u32,
        dwDesiredAccess: u32,
    ) -> HANDLE, fail 0; {
        let _ = (lpEventAttributes, dwDesiredAccess);
        event_of(Name::optional_a(lpName)?, dwFlags)
    }

    /// Creates a semaphore.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-createsemaphorea>
    ///
    /// Names, errors and differences as [`CreateEventA`]; ERROR_INVALID_PARAMETER unless
    /// 0 <= initial <= maximum and maximum > 0.
    fn CreateSemaphoreA(
        lpSemaphoreAttributes: *const u8,
        lInitialCount: i32,
        lMaximumCount: i32,
        lpName: *const u8,
    ) -> HANDLE, fail 0; {
        let _ = lpSemaphoreAttributes;
        semaphore(Name::optional_a(lpName)?, lInitialCount, lMaximumCount)
    }

    /// Creates a semaphore. The flags are reserved.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-createsemaphoreexa>
    ///
    /// Names, errors and differences as [`CreateSemaphoreA`]; any flag is
    /// ERROR_INVALID_PARAMETER.
    fn CreateSemaphoreExA(
        lpSemaphoreAttributes: *const u8,
        lInitialCount: i32,
        lMaximumCount: i32,
        lpName: *const u8,
        dwFlags: u32,
        dwDesiredAccess: u32,
    ) -> HANDLE, fail 0; {
        let _ = (lpSemaphoreAttributes, dwDesiredAccess);
        semaphore_of(Name::optional_a(lpName)?, lInitialCount, lMaximumCount, dwFlags)
    }

    /// Creates a mutex, which the calling thread owns at once if it asks for that.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createmutexa>
    ///
    /// Names and errors as [`CreateEventA`]. Of a mutex that was there the caller becomes no owner.
    ///
    /// # Differs from Windows
    /// As [`CreateEventA`]. A mutex whose owner ended stays owned: no wait gives WAIT_ABANDONED.
    fn CreateMutexA(
        lpMutexAttributes: *const u8,
        bInitialOwner: BOOL,
        lpName: *const u8,
    ) -> HANDLE, fail 0; {
        let _ = lpMutexAttributes;
        mutex(Name::optional_a(lpName)?, bInitialOwner != 0)
    }

    /// Creates a mutex; a flag says whether the calling thread owns it at once.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createmutexexa>
    ///
    /// Names, errors and differences as [`CreateMutexA`]; unknown flags are
    /// ERROR_INVALID_PARAMETER.
    fn CreateMutexExA(
        lpMutexAttributes: *const u8,
        lpName: *const u8,
        dwFlags: u32,
        dwDesiredAccess: u32,
    ) -> HANDLE, fail 0; {
        let _ = (lpMutexAttributes, dwDesiredAccess);
        mutex_of(Name::optional_a(lpName)?, dwFlags)
    }

    /// Gives a handle of an event that has a name.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-openeventa>
    ///
    /// # Errors
    /// ERROR_FILE_NOT_FOUND if no object has the name, ERROR_INVALID_HANDLE if one of another kind
    /// has it, ERROR_INVALID_PARAMETER for no name, ERROR_NOACCESS, ERROR_FILENAME_EXCED_RANGE,
    /// ERROR_PATH_NOT_FOUND.
    ///
    /// # Differs from Windows
    /// Only objects of this process are found. Access rights and inheritance mean nothing.
    fn OpenEventA(
        dwDesiredAccess: u32,
        bInheritHandle: BOOL,
        lpName: *const u8,
    ) -> HANDLE, fail 0; {
        let _ = (dwDesiredAccess, bInheritHandle);
        open(Name::optional_a(lpName)?, Kind::Event)
    }

    /// Gives a handle of a mutex that has a name.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-openmutexa>
    ///
    /// Errors and differences as [`OpenEventA`].
    fn OpenMutexA(
        dwDesiredAccess: u32,
        bInheritHandle: BOOL,
        lpName: *const u8,
    ) -> HANDLE, fail 0; {
        let _ = (dwDesiredAccess, bInheritHandle);
        open(Name::optional_a(lpName)?, Kind::Mutant)
    }

    /// Gives a handle of a semaphore that has a name.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-opensemaphorea>
    ///
    /// Errors and differences as [`OpenEventA`].
    fn OpenSemaphoreA(
        dwDesiredAccess: u32,
        bInheritHandle: BOOL,
        lpName: *const u8,
    ) -> HANDLE, fail 0; {
        let _ = (dwDesiredAccess, bInheritHandle);
        open(Name::optional_a(lpName)?, Kind::Semaphore)
    }

    /// Creates an event object.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createeventw>
    ///
    /// Names, errors and differences as [`CreateEventA`].
    fn CreateEventW(
        lpEventAttributes: *const u8,
        bManualReset: BOOL,
        bInitialState: BOOL,
        lpName: *const u16,
    ) -> HANDLE, fail 0; {
        let _ = lpEventAttributes;
        event(Name::optional_w(lpName)?, bManualReset != 0, bInitialState != 0)
    }

    /// Creates an event object; the flags say what it is like.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createeventexw>
    ///
    /// Names, errors and differences as [`CreateEventA`]; unknown flags are
    /// ERROR_INVALID_PARAMETER.
    fn CreateEventExW(
        lpEventAttributes: *const u8,
        lpName: *const u16,
        dwFlags: u32,
        dwDesiredAccess: u32,
    ) -> HANDLE, fail 0; {
        let _ = (lpEventAttributes, dwDesiredAccess);
        event_of(Name::optional_w(lpName)?, dwFlags)
    }

    /// Creates a semaphore.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createsemaphorew>
    ///
    /// Names, errors and differences as [`CreateEventA`]; ERROR_INVALID_PARAMETER unless
    /// 0 <= initial <= maximum and maximum > 0.
    fn CreateSemaphoreW(
        lpSemaphoreAttributes: *const u8,
        lInitialCount: i32,
        lMaximumCount: i32,
        lpName: *const u16,
    ) -> HANDLE, fail 0; {
        let _ = lpSemaphoreAttributes;
        semaphore(Name::optional_w(lpName)?, lInitialCount, lMaximumCount)
    }

    /// Creates a semaphore. The flags are reserved.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createsemaphoreexw>
    ///
    /// Names, errors and differences as [`CreateSemaphoreA`]; any flag is
    /// ERROR_INVALID_PARAMETER.
    fn CreateSemaphoreExW(
        lpSemaphoreAttributes: *const u8,
        lInitialCount: i32,
        lMaximumCount: i32,
        lpName: *const u16,
        dwFlags: u32,
        dwDesiredAccess: u32,
    ) -> HANDLE, fail 0; {
        let _ = (lpSemaphoreAttributes, dwDesiredAccess);
        semaphore_of(Name::optional_w(lpName)?, lInitialCount, lMaximumCount, dwFlags)
    }

    /// Creates a mutex, which the calling thread owns at once if it asks for that.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createmutexw>
    ///
    /// Names, errors and differences as [`CreateMutexA`].
    fn CreateMutexW(
        lpMutexAttributes: *const u8,
        bInitialOwner: BOOL,
        lpName: *const u16,
    ) -> HANDLE, fail 0; {
        let _ = lpMutexAttributes;
        mutex(Name::optional_w(lpName)?, bInitialOwner != 0)
    }

    /// Creates a mutex; a flag says whether the calling thread owns it at once.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createmutexexw>
    ///
    /// Names, errors and differences as [`CreateMutexA`]; unknown flags are
    /// ERROR_INVALID_PARAMETER.
    fn CreateMutexExW(
        lpMutexAttributes: *const u8,
        lpName: *const u16,
        dwFlags: u32,
        dwDesiredAccess: u32,
    ) -> HANDLE, fail 0; {
        let _ = (lpMutexAttributes, dwDesiredAccess);
        mutex_of(Name::optional_w(lpName)?, dwFlags)
    }

    /// Gives a handle of an event that has a name.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-openeventw>
    ///
    /// Errors and differences as [`OpenEventA`].
    fn OpenEventW(
        dwDesiredAccess: u32,
        bInheritHandle: BOOL,
        lpName: *const u16,
    ) -> HANDLE, fail 0; {
        let _ = (dwDesiredAccess, bInheritHandle);
        open(Name::optional_w(lpName)?, Kind::Event)
    }

    /// Gives a handle of a mutex that has a name.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-openmutexw>
    ///
    /// Errors and differences as [`OpenEventA`].
    fn OpenMutexW(
        dwDesiredAccess: u32,
        bInheritHandle: BOOL,
        lpName: *const u16,
    ) -> HANDLE, fail 0; {
        let _ = (dwDesiredAccess, bInheritHandle);
        open(Name::optional_w(lpName)?, Kind::Mutant)
    }

    /// Gives a handle of a semaphore that has a name.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-opensemaphorew>
    ///
    /// Errors and differences as [`OpenEventA`].
    fn OpenSemaphoreW(
        dwDesiredAccess: u32,
        bInheritHandle: BOOL,
        lpName: *const u16,
    ) -> HANDLE, fail 0; {
        let _ = (dwDesiredAccess, bInheritHandle);
        open(Name::optional_w(lpName)?, Kind::Semaphore)
    }
}

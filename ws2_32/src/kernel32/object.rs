//! Objects that are waited for: events, semaphores, mutexes; waits; and the handles of everything.

use std::sync::Arc;

use linsock::iocp::clock::Deadline;
use linsock::iocp::event::{Event, Mutant, Semaphore, Waitable};
use linsock::iocp::file::File;
use linsock::iocp::handle::{AnyWaitable, Handle, Object, table};
use linsock::iocp::stream::Stream;
use linsock::iocp::wait::{self, Waited, Which};
use linsock::iocp::watcher::Watched;

use super::{inherit, thread};
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;

mod create;
pub(super) mod names;

pub use create::{
    CreateEventA, CreateEventExA, CreateEventExW, CreateEventW, CreateMutexA, CreateMutexExA,
    CreateMutexExW, CreateMutexW, CreateSemaphoreA, CreateSemaphoreExA, CreateSemaphoreExW,
    CreateSemaphoreW, OpenEventA, OpenEventW, OpenMutexA, OpenMutexW, OpenSemaphoreA,
    OpenSemaphoreW,
};

/// The most objects that one wait takes (winnt.h).
pub const MAXIMUM_WAIT_OBJECTS: usize = 64;
/// A wait failed (winbase.h).
pub const WAIT_FAILED: u32 = u32::MAX;
/// The pseudo handle of the process (GetCurrentProcess page).
pub const CURRENT_PROCESS: HANDLE = usize::MAX;
/// The pseudo handle of the calling thread (GetCurrentThread page).
pub const CURRENT_THREAD: HANDLE = usize::MAX - 1;

const DUPLICATE_CLOSE_SOURCE: u32 = 1;

/// The functions of kernel32 call an invalid pointer ERROR_NOACCESS.
pub(crate) fn no_access(_: Error) -> Error {
    Error::ERROR_NOACCESS
}

/// An object that can be waited for, held for the length of a wait.
#[derive(Clone)]
pub enum Waitee {
    /// A file, for the signal of its handle.
    File(Arc<dyn File>),
    /// An event.
    Event(Arc<Event>),
    /// A semaphore.
    Semaphore(Arc<Semaphore>),
    /// A mutex.
    Mutant(Arc<Mutant>),
    /// A thread or a timer.
    Other(Arc<dyn AnyWaitable>),
}

impl Waitee {
    /// What is waited for.
    pub fn signal(&self) -> &dyn Waitable {
        match self {
            Self::File(file) => file.core().signal(),
            Self::Event(event) => &**event,
            Self::Semaphore(semaphore) => &**semaphore,
            Self::Mutant(mutant) => &**mutant,
            Self::Other(other) => &**other,
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        std::ptr::addr_eq(self.signal(), other.signal())
    }
}

impl Watched for Waitee {
    fn signal(&self) -> &dyn Waitable {
        self.signal()
    }
}

/// The object to wait for behind a handle. `None` for a stale handle and for a completion port.
pub fn waitable(value: HANDLE) -> Option<Waitee> {
    if value == CURRENT_THREAD {
        return Some(Waitee::Other(thread::current()));
    }
    match table().get(Handle::from_value(value)?)? {
        Object::File(file) => Some(Waitee::File(file)),
        Object::Event(event) => Some(Waitee::Event(event)),
        Object::Semaphore(semaphore) => Some(Waitee::Semaphore(semaphore)),
        Object::Mutant(mutant) => Some(Waitee::Mutant(mutant)),
        Object::Other(other) => Some(Waitee::Other(other)),
        Object::Port(_) | Object::Private(_) | Object::Closable(_) => None,
    }
}

/// The event behind a handle.
pub fn event(value: HANDLE) -> Option<Arc<Event>> {
    match table().get(Handle::from_value(value)?)? {
        Object::Event(event) => Some(event),
        _ => None,
    }
}

fn known_event(value: HANDLE) -> Outcome<Arc<Event>> {
    event(value).ok_or(Error::ERROR_INVALID_HANDLE)
}

/// Enters an object into the handle table.
pub(crate) fn enter(object: Object) -> Outcome<HANDLE> {
    match table().insert(object) {
        Ok(handle) => Ok(handle.value()),
        Err(_full) => Err(Error::ERROR_NOT_ENOUGH_MEMORY),
    }
}

fn new_event(manual_reset: bool, signaled: bool) -> Object {
    Object::Event(Arc::new(Event::new(manual_reset, signaled)))
}

/// The value that tells a program how its wait ended.
fn result_of(waited: Waited) -> u32 {
    match waited {
        Waited::Object(index) => u32::try_from(index).unwrap_or(WAIT_FAILED),
        Waited::TimedOut => Error::WAIT_TIMEOUT.0,
        Waited::Alerted => Error::WAIT_IO_COMPLETION.0,
    }
}

/// Waits for one object.
fn wait_for_one(handle: HANDLE, ms: u32, alertable: bool) -> Outcome<u32> {
    let object = waitable(handle).ok_or(Error::ERROR_INVALID_HANDLE)?;
    Ok(wait_for(&object, Deadline::after_ms(ms), alertable))
}

/// Waits for an object; gives the value that tells a program how its wait ended.
pub(super) fn wait_for(object: &Waitee, deadline: Deadline, alertable: bool) -> u32 {
    result_of(wait::wait(&[object.signal()], Which::Any, deadline, alertable))
}

/// Waits for the objects of an array of handles. `fault` is what an invalid pointer is called.
fn wait_for_many(
    count: u32,
    handles: *const HANDLE,
    all: bool,
    ms: u32,
    alertable: bool,
    fault: Error,
) -> Outcome<u32> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count == 0 || count > MAXIMUM_WAIT_OBJECTS {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    let handles = ptr::read_all(handles, count).map_err(|_| fault)?;
    let objects = handles
        .into_iter()
        .map(waitable)
        .collect::<Option<Vec<_>>>()
        .ok_or(Error::ERROR_INVALID_HANDLE)?;
    let repeats = |(at, object): (usize, &Waitee)| objects[..at].iter().any(|o| o.is_same(object));
    if all && objects.iter().enumerate().any(repeats) {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    let signals: Vec<_> = objects.iter().map(Waitee::signal).collect();
    let which = if all { Which::All } else { Which::Any };
    Ok(result_of(wait::wait(&signals, which, Deadline::after_ms(ms), alertable)))
}

/// Closes a handle of any kind.
pub(crate) fn close(value: HANDLE) -> Outcome<()> {
    inherit::is_linked();
    if matches!(value, CURRENT_PROCESS | CURRENT_THREAD) {
        return Ok(());
    }
    let handle = Handle::from_value(value).ok_or(Error::ERROR_INVALID_HANDLE)?;
    if let Some(file) = table().file_of(handle) {
        let is_closed = file.close_handle(handle);
        return if is_closed { Ok(()) } else { Err(Error::ERROR_INVALID_HANDLE) };
    }
    let is_handle = |object: &Object| !matches!(object, Object::Private(_) | Object::File(_));
    // Those that wait for another object, and what it has set going, hold on to it themselves.
    if let Object::Port(port) = names::remove(handle, is_handle)? {
        port.close();
    }
    Ok(())
}

/// A second handle of the object behind a handle.
fn duplicate(source: HANDLE) -> Outcome<HANDLE> {
    if source == CURRENT_PROCESS {
        return super::child::enter_current();
    }
    if source == CURRENT_THREAD {
        return enter(Object::Other(thread::current()));
    }
    if let Some(stream) = Stream::from_value(source) {
        return stream.duplicate().map(Handle::value).map_err(|_| Error::ERROR_NOT_ENOUGH_MEMORY);
    }
    let handle = Handle::from_value(source).ok_or(Error::ERROR_INVALID_HANDLE)?;
    names::duplicate(handle)
}

export! {
    /// Signals an event.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-setevent>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. Never blocks.
    fn SetEvent(hEvent: HANDLE) -> BOOL, fail FALSE; {
        known_event(hEvent)?.set();
        Ok(TRUE)
    }

    /// Takes an event's signal away.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-resetevent>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. Never blocks.
    fn ResetEvent(hEvent: HANDLE) -> BOOL, fail FALSE; {
        known_event(hEvent)?.reset();
        Ok(TRUE)
    }

    /// Raises a semaphore's count and gives the count before.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-releasesemaphore>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER for a count below 1, ERROR_TOO_MANY_POSTS for
    /// a count that passes the maximum, ERROR_NOACCESS. Never blocks.
    fn ReleaseSemaphore(
        hSemaphore: HANDLE,
        lReleaseCount: i32,
        lpPreviousCount: *mut i32,
    ) -> BOOL, fail FALSE; {
        if lReleaseCount <= 0 {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        let Some(Waitee::Semaphore(semaphore)) = waitable(hSemaphore) else {
            return Err(Error::ERROR_INVALID_HANDLE);
        };
        if !lpPreviousCount.is_null() {
            ptr::check_writable(lpPreviousCount, 1).map_err(no_access)?;
        }
        let before = semaphore.release(lReleaseCount).ok_or(Error::ERROR_TOO_MANY_POSTS)?;
        ptr::write_opt(lpPreviousCount, before).map_err(no_access)?;
        Ok(TRUE)
    }

    /// Releases a mutex once.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-releasemutex>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOT_OWNER. Never blocks.
    fn ReleaseMutex(hMutex: HANDLE) -> BOOL, fail FALSE; {
        let Some(Waitee::Mutant(mutant)) = waitable(hMutex) else {
            return Err(Error::ERROR_INVALID_HANDLE);
        };
        if mutant.release() { Ok(TRUE) } else { Err(Error::ERROR_NOT_OWNER) }
    }

    /// Waits until an object is signaled or the time is over.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitforsingleobject>
    ///
    /// # Errors
    /// WAIT_FAILED with ERROR_INVALID_HANDLE. Blocks; not alertable. Pending I/O makes progress
    /// meanwhile.
    ///
    /// # Differs from Windows
    /// Completion ports and the pseudo handle of the process are ERROR_INVALID_HANDLE.
    fn WaitForSingleObject(hHandle: HANDLE, dwMilliseconds: u32) -> u32, fail WAIT_FAILED; {
        wait_for_one(hHandle, dwMilliseconds, false)
    }

    /// Waits until an object is signaled, the time is over or, if alertable, an APC has run.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitforsingleobjectex>
    ///
    /// Errors, blocking and differences as [`WaitForSingleObject`].
    fn WaitForSingleObjectEx(
        hHandle: HANDLE,
        dwMilliseconds: u32,
        bAlertable: BOOL,
    ) -> u32, fail WAIT_FAILED; {
        wait_for_one(hHandle, dwMilliseconds, bAlertable != 0)
    }

    /// Waits until one or all of up to 64 objects are signaled or the time is over.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitformultipleobjects>
    ///
    /// # Errors
    /// WAIT_FAILED with ERROR_INVALID_PARAMETER (no objects, too many, or one of them twice in a
    /// wait for all), ERROR_NOACCESS, ERROR_INVALID_HANDLE. Blocks; not alertable.
    ///
    /// # Differs from Windows
    /// As [`WaitForSingleObject`].
    fn WaitForMultipleObjects(
        nCount: u32,
        lpHandles: *const HANDLE,
        bWaitAll: BOOL,
        dwMilliseconds: u32,
    ) -> u32, fail WAIT_FAILED; {
        let fault = Error::ERROR_NOACCESS;
        wait_for_many(nCount, lpHandles, bWaitAll != 0, dwMilliseconds, false, fault)
    }

    /// Waits as [`WaitForMultipleObjects`] does and, if alertable, ends when an APC has run.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitformultipleobjectsex>
    ///
    /// Errors, blocking and differences as [`WaitForMultipleObjects`].
    fn WaitForMultipleObjectsEx(
        nCount: u32,
        lpHandles: *const HANDLE,
        bWaitAll: BOOL,
        dwMilliseconds: u32,
        bAlertable: BOOL,
    ) -> u32, fail WAIT_FAILED; {
        let (all, alertable) = (bWaitAll != 0, bAlertable != 0);
        wait_for_many(nCount, lpHandles, all, dwMilliseconds, alertable, Error::ERROR_NOACCESS)
    }

    /// Creates a manual-reset event that is not signaled.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsacreateevent>
    ///
    /// # Errors
    /// WSANOTINITIALISED, WSA_NOT_ENOUGH_MEMORY.
    winsock fn WSACreateEvent() -> HANDLE, fail 0; {
        enter(new_event(true, false))
    }

    /// Closes an event.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsacloseevent>
    ///
    /// # Errors
    /// WSANOTINITIALISED, WSA_INVALID_HANDLE. Never blocks.
    ///
    /// # Differs from Windows
    /// A handle of another kind is refused, not closed.
    winsock fn WSACloseEvent(hEvent: HANDLE) -> BOOL, fail FALSE; {
        let handle = Handle::from_value(hEvent).ok_or(Error::ERROR_INVALID_HANDLE)?;
        names::remove(handle, |object| matches!(object, Object::Event(_)))?;
        Ok(TRUE)
    }

    /// Signals an event.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasetevent>
    ///
    /// # Errors
    /// WSANOTINITIALISED, WSA_INVALID_HANDLE. Never blocks.
    winsock fn WSASetEvent(hEvent: HANDLE) -> BOOL, fail FALSE; {
        known_event(hEvent)?.set();
        Ok(TRUE)
    }

    /// Takes an event's signal away.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaresetevent>
    ///
    /// # Errors
    /// WSANOTINITIALISED, WSA_INVALID_HANDLE. Never blocks.
    winsock fn WSAResetEvent(hEvent: HANDLE) -> BOOL, fail FALSE; {
        known_event(hEvent)?.reset();
        Ok(TRUE)
    }

    /// Waits until one or all of up to 64 events are signaled, the time is over or, if alertable,
    /// an APC has run.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsawaitformultipleevents>
    ///
    /// # Errors
    /// WSA_WAIT_FAILED with WSANOTINITIALISED, WSA_INVALID_PARAMETER (as
    /// [`WaitForMultipleObjects`]), WSAEFAULT, WSA_INVALID_HANDLE. Blocks.
    winsock fn WSAWaitForMultipleEvents(
        cEvents: u32,
        lphEvents: *const HANDLE,
        fWaitAll: BOOL,
        dwTimeout: u32,
        fAlertable: BOOL,
    ) -> u32, fail WAIT_FAILED; {
        let (all, alertable) = (fWaitAll != 0, fAlertable != 0);
        wait_for_many(cEvents, lphEvents, all, dwTimeout, alertable, Error::WSAEFAULT)
    }

    /// Closes a handle of any kind: a socket as closesocket does; a port, which ends every wait on
    /// it; any other object. The pseudo handles are accepted and stay valid.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-closehandle>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. A socket that lingers can block.
    fn CloseHandle(hObject: HANDLE) -> BOOL, fail FALSE; {
        close(hObject)?;
        Ok(TRUE)
    }

    /// Gives an object a second handle, in this process.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-duplicatehandle>
    ///
    /// The pseudo handles of the process and of the calling thread become real ones.
    /// DUPLICATE_CLOSE_SOURCE closes the source whatever the result.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOACCESS, ERROR_NOT_SUPPORTED, ERROR_NOT_ENOUGH_MEMORY.
    ///
    /// # Differs from Windows
    /// Sockets, disk files and completion ports are ERROR_NOT_SUPPORTED. Access rights mean
    /// nothing, and inheritance only for pipes and standard streams.
    fn DuplicateHandle(
        hSourceProcessHandle: HANDLE,
        hSourceHandle: HANDLE,
        hTargetProcessHandle: HANDLE,
        lpTargetHandle: *mut HANDLE,
        dwDesiredAccess: u32,
        bInheritHandle: BOOL,
        dwOptions: u32,
    ) -> BOOL, fail FALSE; {
        let _ = dwDesiredAccess;
        if hSourceProcessHandle != CURRENT_PROCESS {
            return Err(Error::ERROR_INVALID_HANDLE);
        }
        let closes = dwOptions & DUPLICATE_CLOSE_SOURCE != 0;
        let copied = match hTargetProcessHandle {
            CURRENT_PROCESS => {
                copy_to(hSourceHandle, lpTargetHandle, closes, bInheritHandle != 0)
            }
            _ => Err(Error::ERROR_INVALID_HANDLE),
        };
        let closed = if closes { close(hSourceHandle) } else { Ok(()) };
        copied.and(closed)?;
        Ok(TRUE)
    }
}

/// Duplicates a handle and stores it; a program that only closes the source needs no copy.
fn copy_to(source: HANDLE, target: *mut HANDLE, closes: bool, inherited: bool) -> Outcome<()> {
    if target.is_null() && closes {
        return Ok(());
    }
    ptr::check_writable(target, 1).map_err(no_access)?;
    let copy = duplicate(source)?;
    if inherited && Stream::from_value(copy).is_some() {
        inherit::set(copy, true)?;
    }
    ptr::write(target, copy).map_err(no_access)
}

#[cfg(test)]
#[allow(unsafe_code, reason = "calls of exports")]
mod tests;

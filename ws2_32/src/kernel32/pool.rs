//! The process's thread pool, and the functions of it that need no object: work items, and sockets
//! whose completions call a function.
#![allow(unsafe_code, reason = "calls of the program's functions")]

use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::{Arc, OnceLock};

use linsock::NtStatus;
use linsock::iocp::handle::{Handle, Object, table};
use linsock::iocp::pool::{BindError, Binding, Key, Pool, Priority};
use linsock::iocp::port::Told;
use linsock::iocp::sync::Lock;

use super::io::find_file;
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;

pub mod instance;
pub mod object;
pub mod queue;
pub mod registered;

/// A function that is queued to the pool.
pub type WorkItem = unsafe extern "system" fn(*mut c_void) -> u32;
/// A function that a completion calls: error, octets, OVERLAPPED.
pub type CompletionRoutine = unsafe extern "system" fn(u32, u32, *mut c_void);

const WT_EXECUTEINIOTHREAD: u32 = 0x1;
const WT_EXECUTEINWAITTHREAD: u32 = 0x4;
const WT_EXECUTEONLYONCE: u32 = 0x8;
const WT_EXECUTELONGFUNCTION: u32 = 0x10;
const WT_EXECUTEINTIMERTHREAD: u32 = 0x20;
const WT_EXECUTEINPERSISTENTTHREAD: u32 = 0x80;
const WT_TRANSFER_IMPERSONATION: u32 = 0x100;
const KNOWN_FLAGS: u32 = WT_EXECUTEINIOTHREAD
    | WT_EXECUTEINWAITTHREAD
    | WT_EXECUTEONLYONCE
    | WT_EXECUTELONGFUNCTION
    | WT_EXECUTEINTIMERTHREAD
    | WT_EXECUTEINPERSISTENTTHREAD
    | WT_TRANSFER_IMPERSONATION;

/// A pool that is made for the first who needs it, and stays.
struct Lasting {
    pool: OnceLock<Arc<Pool>>,
    making: Lock<()>,
    maximum: Option<usize>,
}

impl Lasting {
    const fn new(maximum: Option<usize>) -> Self {
        Self { pool: OnceLock::new(), making: Lock::new(()), maximum }
    }

    fn get(&'static self) -> Outcome<&'static Arc<Pool>> {
        let _one_at_a_time = self.making.lock();
        if let Some(pool) = self.pool.get() {
            return Ok(pool);
        }
        let pool = Pool::new().map_err(no_memory)?;
        if let Some(maximum) = self.maximum {
            pool.set_maximum(maximum);
        }
        Ok(self.pool.get_or_init(|| Arc::new(pool)))
    }
}

/// The process's pool.
pub(crate) fn shared() -> Outcome<&'static Arc<Pool>> {
    static POOL: Lasting = Lasting::new(None);
    POOL.get()
}

/// The one thread for what asks for the timer's, or for one that never ends.
fn persistent() -> Outcome<&'static Arc<Pool>> {
    static POOL: Lasting = Lasting::new(Some(1));
    POOL.get()
}

/// What the flags of the old functions choose. The upper half is the process's maximum of threads
/// (WT_SET_MAX_THREADPOOL_THREADS).
pub(crate) fn chosen(flags: u32) -> Outcome<&'static Arc<Pool>> {
    let (limit, flags) = (flags >> 16, flags & 0xFFFF);
    if flags & !KNOWN_FLAGS != 0 {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    if limit != 0 {
        shared()?.set_maximum(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    let on_one_thread = WT_EXECUTEINTIMERTHREAD | WT_EXECUTEINPERSISTENTTHREAD;
    if flags & on_one_thread == 0 { shared() } else { persistent() }
}

/// Whatever a pool cannot have: a descriptor, a thread.
pub(crate) fn no_memory<E>(_: E) -> Error {
    Error::ERROR_NOT_ENOUGH_MEMORY
}

pub(crate) fn bind_failure(error: BindError) -> Error {
    match error {
        BindError::Already => Error::ERROR_INVALID_PARAMETER,
        BindError::NoThread => Error::ERROR_NOT_ENOUGH_MEMORY,
    }
}

/// What a program holds that is no kernel object, behind its number.
pub(crate) fn find_private<T: Send + Sync + 'static>(value: HANDLE) -> Outcome<Arc<T>> {
    let object = Handle::from_value(value).and_then(|handle| table().get(handle));
    let Some(Object::Private(any)) = object else { return Err(Error::ERROR_INVALID_HANDLE) };
    any.downcast().map_err(|_| Error::ERROR_INVALID_HANDLE)
}

/// Takes the number of what [`find_private`] has found away; of several that race, one does it.
pub(crate) fn forget_private<T: Send + Sync + 'static>(value: HANDLE, found: &Arc<T>) -> bool {
    let is_it = |object: &Object| match object {
        Object::Private(any) => std::ptr::addr_eq(Arc::as_ptr(any), Arc::as_ptr(found)),
        _ => false,
    };
    Handle::from_value(value).is_some_and(|handle| table().remove_if(handle, is_it).is_some())
}

/// What all sockets that are bound to one function have in common.
struct Bound(CompletionRoutine);

impl Binding for Bound {
    fn completed(self: Arc<Self>, told: Told) {
        // As the status, which programs give to RtlNtStatusToDosError; success is 0 in both.
        let error = if told.status.is_success() { NtStatus::SUCCESS } else { told.status }.raw();
        let bytes = u32::try_from(told.bytes).unwrap_or(u32::MAX);
        let overlapped = std::ptr::with_exposed_provenance_mut(told.overlapped);
        // SAFETY: BindIoCompletionCallback's caller says that the function takes these, and the
        // OVERLAPPED of an operation is the program's until it has been told.
        unsafe { self.0(error, bytes, overlapped) };
    }
}

/// The key of a function: one for all sockets, as none of them is ever bound to another.
fn key_of(pool: &Pool, function: CompletionRoutine) -> Key {
    static KEYS: Lock<Option<HashMap<usize, Key>>> = Lock::new(None);
    let mut keys = KEYS.lock();
    let key = keys.get_or_insert_default().entry(function as usize);
    *key.or_insert_with(|| pool.bind(Arc::new(Bound(function))))
}

export! {
    /// Has a thread of the pool call a function.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-queueuserworkitem>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for no function or flags that do not exist,
    /// ERROR_NOT_ENOUGH_MEMORY when there is no thread and none can be started. Never blocks.
    ///
    /// # Differs from Windows
    /// A callback that calls ExitThread ends the process.
    fn QueueUserWorkItem(
        Function: Option<WorkItem>,
        Context: *mut c_void,
        Flags: u32,
    ) -> BOOL, fail FALSE; {
        let function = Function.ok_or(Error::ERROR_INVALID_PARAMETER)?;
        let context = Context.expose_provenance();
        let call = move || {
            // SAFETY: the caller says that the function takes the context.
            unsafe { function(std::ptr::with_exposed_provenance_mut(context)) };
        };
        chosen(Flags)?.submit(Box::new(call), Priority::Normal).map_err(no_memory)?;
        Ok(TRUE)
    }

    /// Binds a socket to the pool, for good: what it completes calls the function there, unless the
    /// operation asked for no packet.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-bindiocompletioncallback>
    ///
    /// The function is given 0 or the NTSTATUS of the failure, as programs know it that give it to
    /// RtlNtStatusToDosError; then octets and OVERLAPPED. The flags are not looked at.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE; ERROR_INVALID_PARAMETER for no function and for a socket that has a
    /// port already; ERROR_NOT_ENOUGH_MEMORY. Never blocks.
    ///
    /// # Differs from Windows
    /// A callback that calls ExitThread ends the process.
    fn BindIoCompletionCallback(
        FileHandle: HANDLE,
        Function: Option<CompletionRoutine>,
        Flags: u32,
    ) -> BOOL, fail FALSE; {
        let _ = Flags;
        let function = Function.ok_or(Error::ERROR_INVALID_PARAMETER)?;
        let (file, pool) = (find_file(FileHandle)?, shared()?);
        pool.associate(&*file, key_of(pool, function)).map_err(bind_failure)?;
        Ok(TRUE)
    }
}

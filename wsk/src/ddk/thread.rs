//! System threads and work items.
//!
//! A thread is made by pthread_create so that PsTerminateSystemThread can end it by pthread_exit:
//! the unwinding that this forces passes no frame of this library that has anything to destroy.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::dispatcher::{Header, THREAD};
use crate::{misuse, status, worker};

/// KSTART_ROUTINE. It may be left by PsTerminateSystemThread, so unwinding passes it.
pub type StartRoutine = unsafe extern "C-unwind" fn(context: *mut c_void);

/// A thread object: what `PETHREAD` points at, and what its handle is.
#[repr(C)]
#[derive(Debug)]
pub struct Thread {
    header: Header,
    references: AtomicUsize,
    start: Option<StartRoutine>,
    context: *mut c_void,
}

thread_local! {
    static NUMBER: Cell<u32> = const { Cell::new(0) };
    static CURRENT: Cell<*mut Thread> = const { Cell::new(ptr::null_mut()) };
}

/// A number of the calling thread, never 0.
pub(crate) fn number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    if NUMBER.get() == 0 {
        NUMBER.set(NEXT.fetch_add(1, Ordering::Relaxed));
    }
    NUMBER.get()
}

fn allocate(start: Option<StartRoutine>, context: *mut c_void, references: usize) -> *mut Thread {
    let references = AtomicUsize::new(references);
    Box::into_raw(Box::new(Thread { header: Header::new(THREAD, 0), references, start, context }))
}

extern "C-unwind" fn trampoline(thread: *mut c_void) -> *mut c_void {
    let thread = thread.cast::<Thread>();
    CURRENT.set(thread);
    let (start, context) = {
        // SAFETY: the object that PsCreateSystemThread has made, with a reference of this thread's.
        let thread = unsafe { &*thread };
        (thread.start, thread.context)
    };
    if let Some(start) = start {
        // SAFETY: the client's function, with the argument it asked for.
        unsafe { start(context) };
    }
    end();
    ptr::null_mut()
}

/// The calling thread's object is signaled and loses its reference.
fn end() {
    let thread = CURRENT.replace(ptr::null_mut());
    if !thread.is_null() {
        // SAFETY: this thread has a reference.
        let header = unsafe { &(*thread).header };
        header.signal(|_| Some(1));
        release(thread);
    }
}

fn release(thread: *mut Thread) {
    // SAFETY: the caller has a reference.
    let references = unsafe { &(*thread).references };
    if references.fetch_sub(1, Ordering::AcqRel) == 1 {
        // SAFETY: that was the last reference to what `allocate` has made.
        drop(unsafe { Box::from_raw(thread) });
    }
}

type Entry = extern "C-unwind" fn(*mut c_void) -> *mut c_void;

unsafe extern "C" {
    fn pthread_create(
        id: *mut libc::pthread_t,
        attributes: *const libc::pthread_attr_t,
        entry: Entry,
        argument: *mut c_void,
    ) -> libc::c_int;
    fn pthread_detach(id: libc::pthread_t) -> libc::c_int;
}

unsafe extern "C-unwind" {
    fn pthread_exit(value: *mut c_void) -> !;
}

/// Creates a thread.
///
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-pscreatesystemthread>
///
/// # Errors
/// STATUS_INVALID_PARAMETER without a routine, STATUS_INSUFFICIENT_RESOURCES.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PsCreateSystemThread(
    ThreadHandle: *mut *mut Thread,
    _DesiredAccess: u32,
    _ObjectAttributes: *mut c_void,
    _ProcessHandle: *mut c_void,
    _ClientId: *mut c_void,
    Start: Option<StartRoutine>,
    StartContext: *mut c_void,
) -> i32 {
    if Start.is_none() || ThreadHandle.is_null() {
        return status::INVALID_PARAMETER;
    }
    // One reference is the thread's, one the handle's.
    let thread = allocate(Start, StartContext, 2);
    let mut id = 0;
    // SAFETY: `trampoline` takes what it is given here.
    let failed = unsafe { pthread_create(&raw mut id, ptr::null(), trampoline, thread.cast()) };
    if failed != 0 {
        release(thread);
        release(thread);
        return status::INSUFFICIENT_RESOURCES;
    }
    // SAFETY: the thread was just made, and nobody joins it.
    unsafe { pthread_detach(id) };
    // SAFETY: the caller's result.
    unsafe { ThreadHandle.write(thread) };
    status::SUCCESS
}

/// Ends the calling thread, which PsCreateSystemThread has made.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn PsTerminateSystemThread(_ExitStatus: i32) -> i32 {
    if CURRENT.get().is_null() {
        return status::INVALID_PARAMETER;
    }
    end();
    // SAFETY: see the module's documentation.
    unsafe { pthread_exit(ptr::null_mut()) }
}

/// The calling thread's object; one is made for a thread that has none.
#[unsafe(no_mangle)]
pub extern "C" fn PsGetCurrentThread() -> *mut Thread {
    if CURRENT.get().is_null() {
        CURRENT.set(allocate(None, ptr::null_mut(), 1));
    }
    CURRENT.get()
}

/// The calling thread's number.
#[unsafe(no_mangle)]
pub extern "C" fn PsGetCurrentThreadId() -> usize {
    usize::try_from(number()).unwrap_or(0)
}

/// The process's number.
#[unsafe(no_mangle)]
pub extern "C" fn PsGetCurrentProcessId() -> usize {
    usize::try_from(std::process::id()).unwrap_or(0)
}

/// The object of a thread's handle, with a reference.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ObReferenceObjectByHandle(
    Handle: *mut Thread,
    _DesiredAccess: u32,
    _ObjectType: *mut c_void,
    _AccessMode: i8,
    Object: *mut *mut Thread,
    _HandleInformation: *mut c_void,
) -> i32 {
    if Handle.is_null() {
        return status::INVALID_HANDLE;
    }
    // SAFETY: the handle is open and so has a reference.
    unsafe { ObfReferenceObject(Handle) };
    // SAFETY: the caller's result.
    unsafe { Object.write(Handle) };
    status::SUCCESS
}

/// Takes another reference.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ObfReferenceObject(Object: *mut Thread) {
    // SAFETY: the caller has a reference.
    let references = unsafe { &(*Object).references };
    references.fetch_add(1, Ordering::Relaxed);
}

/// Gives a reference back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ObfDereferenceObject(Object: *mut Thread) {
    release(Object);
}

/// Closes a thread's handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ZwClose(Handle: *mut Thread) -> i32 {
    if Handle.is_null() {
        return status::INVALID_HANDLE;
    }
    release(Handle);
    status::SUCCESS
}

/// A function of a work item.
type ItemRoutine = unsafe extern "C" fn(device: *mut c_void, context: *mut c_void);

/// IO_WORKITEM.
#[derive(Debug)]
pub struct WorkItem {
    device: usize,
}

/// WORK_QUEUE_ITEM.
#[repr(C)]
#[derive(Debug)]
pub struct QueueItem {
    list: [usize; 2],
    routine: Option<unsafe extern "C" fn(parameter: *mut c_void)>,
    parameter: *mut c_void,
}

/// Makes a work item.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IoAllocateWorkItem(DeviceObject: *mut c_void) -> *mut WorkItem {
    Box::into_raw(Box::new(WorkItem { device: DeviceObject.expose_provenance() }))
}

/// Frees a work item. Its routine may do that itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IoFreeWorkItem(Item: *mut WorkItem) {
    // SAFETY: IoAllocateWorkItem has made it.
    drop(unsafe { Box::from_raw(Item) });
}

/// Has a system thread, which may wait, call the routine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IoQueueWorkItem(
    Item: *mut WorkItem,
    Routine: Option<ItemRoutine>,
    _QueueType: u32,
    Context: *mut c_void,
) {
    // SAFETY: the caller's work item.
    let device = unsafe { (*Item).device };
    let context = Context.expose_provenance();
    let Some(routine) = Routine else {
        return misuse::report("IoQueueWorkItem", format_args!("there is no routine"));
    };
    worker::queue_work("IoQueueWorkItem", move || {
        let (device, context) =
            (ptr::with_exposed_provenance_mut(device), ptr::with_exposed_provenance_mut(context));
        // SAFETY: the client's function, with the argument it asked for.
        unsafe { routine(device, context) };
    });
}

/// Has a system thread, which may wait, call the item's routine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ExQueueWorkItem(Item: *mut QueueItem, _QueueType: u32) {
    // SAFETY: the caller's item.
    let item = unsafe { &*Item };
    let parameter = item.parameter.expose_provenance();
    let Some(routine) = item.routine else {
        return misuse::report("ExQueueWorkItem", format_args!("there is no routine"));
    };
    worker::queue_work("ExQueueWorkItem", move || {
        // SAFETY: the client's function, with the argument it asked for.
        unsafe { routine(ptr::with_exposed_provenance_mut(parameter)) };
    });
}

//! What threads wait for: events, semaphores, mutexes. They are the client's memory; what waiting
//! and signaling do to them is the dispatcher's.

use std::cell::Cell;
use std::ffi::c_void;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::dispatcher::{
    self, Header, MUTANT, NOTIFICATION_EVENT, SEMAPHORE, SYNCHRONIZATION_EVENT,
};
use crate::{misuse, status};

/// 100 ns from 1601 to 1970.
const EPOCH: u64 = 116_444_736_000_000_000;
const WAIT_ANY: u32 = 1;
const OBJECTS_MAX: usize = 64;

/// KSEMAPHORE.
#[repr(C)]
#[derive(Debug)]
pub struct Semaphore {
    header: Header,
    limit: i32,
}

/// KMUTEX.
#[repr(C)]
#[derive(Debug)]
pub struct Mutex {
    header: Header,
    rest: [u64; 4],
}

const _: () = assert!(size_of::<Mutex>() == 0x38);

thread_local! {
    static CALLBACK_DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Runs the client's code: a callback, or a completion routine on the provider's thread.
pub(crate) fn in_callback<R>(body: impl FnOnce() -> R) -> R {
    CALLBACK_DEPTH.set(CALLBACK_DEPTH.get() + 1);
    let result = body();
    CALLBACK_DEPTH.set(CALLBACK_DEPTH.get() - 1);
    result
}

/// When a wait ends. A negative time is relative, in 100 ns.
fn deadline(timeout: *const i64) -> Option<Option<Instant>> {
    // SAFETY: the caller's LARGE_INTEGER, or null.
    let Some(time) = (unsafe { timeout.as_ref() }) else { return Some(None) };
    let left = match u64::try_from(*time) {
        Ok(at) => at.saturating_sub(system_time()),
        Err(_) => time.unsigned_abs(),
    };
    Some(Instant::now().checked_add(Duration::from_nanos(left.saturating_mul(100))))
}

pub(crate) fn system_time() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    EPOCH + u64::try_from(since.as_nanos() / 100).unwrap_or(0)
}

fn check_may_wait(call: &str, end: Option<Instant>) {
    let waits = end.is_none_or(|end| end > Instant::now());
    if waits && CALLBACK_DEPTH.get() > 0 {
        let rule = "a callback or completion routine must not wait";
        misuse::report(call, format_args!("{rule}"));
    } else if waits && super::misc::KeGetCurrentIrql() > 1 {
        misuse::report(call, format_args!("a thread at DISPATCH_LEVEL must not wait"));
    }
}

/// Initializes an event.
///
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-keinitializeevent>
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KeInitializeEvent(Event: *mut Header, Type: u32, State: u8) {
    let kind = if Type == 0 { NOTIFICATION_EVENT } else { SYNCHRONIZATION_EVENT };
    // SAFETY: the caller's memory, of that size.
    unsafe { Event.write(Header::new(kind, i32::from(State != 0))) };
}

/// Signals an event; gives whether it was before.
///
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-kesetevent>
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KeSetEvent(Event: *mut Header, _Increment: i32, _Wait: u8) -> i32 {
    Header::at(Event.cast()).signal(|_| Some(1))
}

/// Ends the signal; gives whether there was one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KeResetEvent(Event: *mut Header) -> i32 {
    Header::at(Event.cast()).signal(|_| Some(0))
}

/// Ends the signal.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KeClearEvent(Event: *mut Header) {
    Header::at(Event.cast()).signal(|_| Some(0));
}

/// Whether an event is signaled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KeReadStateEvent(Event: *mut Header) -> i32 {
    Header::at(Event.cast()).state()
}

/// Initializes a semaphore.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KeInitializeSemaphore(Object: *mut Semaphore, Count: i32, Limit: i32) {
    let semaphore = Semaphore { header: Header::new(SEMAPHORE, Count), limit: Limit };
    // SAFETY: the caller's memory, of that size.
    unsafe { Object.write(semaphore) };
}

/// Adds to a semaphore; gives what it was. Beyond the limit the kernel raises an exception; here it
/// is reported, and the count stays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KeReleaseSemaphore(
    Object: *mut Semaphore,
    _Increment: i32,
    Adjustment: i32,
    _Wait: u8,
) -> i32 {
    // SAFETY: the caller's semaphore.
    let limit = unsafe { (*Object).limit };
    let add = |count: i32| count.checked_add(Adjustment).filter(|sum| *sum <= limit);
    let before = Header::at(Object.cast()).signal(add);
    if add(before).is_none() {
        misuse::report("KeReleaseSemaphore", format_args!("the limit is exceeded"));
    }
    before
}

/// Initializes a mutex.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KeInitializeMutex(Object: *mut Mutex, _Level: u32) {
    let header = Header::new(MUTANT, 1);
    let mutex = Mutex { header, rest: [0; 4] };
    // SAFETY: the caller's memory, of that size.
    unsafe { Object.write(mutex) };
}

/// Releases a mutex that the calling thread owns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KeReleaseMutex(Object: *mut Mutex, _Wait: u8) -> i32 {
    // SAFETY: the caller's mutex.
    let header = unsafe { &(*Object).header };
    header.release_mutex().unwrap_or_else(|| {
        misuse::report("KeReleaseMutex", format_args!("the thread does not own the mutex"));
        header.state()
    })
}

/// Waits for an object; the time-out is in 100 ns, relative if negative, endless if null.
///
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-kewaitforsingleobject>
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KeWaitForSingleObject(
    Object: *mut c_void,
    _WaitReason: u32,
    _WaitMode: i8,
    _Alertable: u8,
    Timeout: *const i64,
) -> i32 {
    let Some(end) = deadline(Timeout) else { return status::INVALID_PARAMETER };
    wait("KeWaitForSingleObject", &[Object], true, end)
}

fn wait(call: &str, objects: &[*mut c_void], any: bool, end: Option<Instant>) -> i32 {
    let waited = dispatcher::wait(objects, any, end, || check_may_wait(call, end));
    waited.unwrap_or(status::TIMEOUT)
}

/// Waits for any or all of some objects.
///
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-kewaitformultipleobjects>
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KeWaitForMultipleObjects(
    Count: u32,
    Objects: *const *mut c_void,
    WaitType: u32,
    _WaitReason: u32,
    _WaitMode: i8,
    _Alertable: u8,
    Timeout: *const i64,
    _WaitBlockArray: *mut c_void,
) -> i32 {
    let count = usize::try_from(Count).unwrap_or(usize::MAX);
    if count == 0 || count > OBJECTS_MAX || Objects.is_null() {
        return status::INVALID_PARAMETER;
    }
    // SAFETY: the caller's array.
    let objects = unsafe { std::slice::from_raw_parts(Objects, count) };
    let Some(end) = deadline(Timeout) else { return status::INVALID_PARAMETER };
    wait("KeWaitForMultipleObjects", objects, WaitType == WAIT_ANY, end)
}

/// Sleeps.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KeDelayExecutionThread(
    _WaitMode: i8,
    _Alertable: u8,
    Interval: *const i64,
) -> i32 {
    if let Some(Some(end)) = deadline(Interval) {
        check_may_wait("KeDelayExecutionThread", Some(end));
        std::thread::sleep(end.saturating_duration_since(Instant::now()));
    }
    status::SUCCESS
}

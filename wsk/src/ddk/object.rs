//! What threads wait for: events, semaphores, mutexes, threads. They are the client's memory, in
//! Windows' layout; a thread that waits sleeps on the signal state itself.

use std::cell::Cell;
use std::ffi::c_void;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::thread;
use crate::{misuse, status};

const NOTIFICATION_EVENT: u8 = 0;
const SYNCHRONIZATION_EVENT: u8 = 1;
const MUTANT: u8 = 2;
const SEMAPHORE: u8 = 5;
/// A thread: signaled for ever once it has ended.
pub(crate) const THREAD: u8 = 6;

/// 100 ns from 1601 to 1970.
const EPOCH: u64 = 116_444_736_000_000_000;
const WAIT_ANY: u32 = 1;
const OBJECTS_MAX: usize = 64;

/// DISPATCHER_HEADER.
#[repr(C)]
#[derive(Debug)]
pub struct Header {
    kind: u8,
    parts: [u8; 3],
    signal: AtomicI32,
    /// Of a mutex: the thread that has it. Windows has the list of waiters here.
    owner: AtomicU32,
    rest: [u32; 3],
}

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

const _: () = assert!(size_of::<Header>() == 0x18 && size_of::<Mutex>() == 0x38);

/// Threads that wait for several objects sleep on this number, which every signal then changes.
static GENERATION: AtomicI32 = AtomicI32::new(0);
static WAITING_FOR_MANY: AtomicU32 = AtomicU32::new(0);

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

pub(super) fn futex_wait(word: &AtomicI32, value: i32, left: Option<Duration>) {
    let time = left.map(|left| libc::timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(left.subsec_nanos()),
    });
    let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the word lives through the call; the time, if there is one, too.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, time) };
}

pub(super) fn futex_wake(word: *mut i32, count: i32) {
    let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the address is only looked up: its memory may be gone by now.
    unsafe { libc::syscall(libc::SYS_futex, word, operation, count) };
}

impl Header {
    pub(crate) const fn new(kind: u8, signal: i32) -> Self {
        Self {
            kind,
            parts: [0; 3],
            signal: AtomicI32::new(signal),
            owner: AtomicU32::new(0),
            rest: [0; 3],
        }
    }

    fn at<'a>(object: *mut c_void) -> &'a Self {
        // SAFETY: the client's object, which it keeps while somebody waits for it.
        unsafe { &*object.cast::<Self>() }
    }

    /// Changes the signal state and wakes who waits; gives what it was.
    pub(crate) fn signal(&self, change: impl Fn(i32) -> i32) -> i32 {
        // Whoever waits may free the object as soon as it sees the signal.
        let (word, everyone) = (self.signal.as_ptr(), self.kind != SYNCHRONIZATION_EVENT);
        let update =
            self.signal.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |old| Some(change(old)));
        futex_wake(word, if everyone { i32::MAX } else { 1 });
        if WAITING_FOR_MANY.load(Ordering::SeqCst) > 0 {
            GENERATION.fetch_add(1, Ordering::SeqCst);
            futex_wake(GENERATION.as_ptr(), i32::MAX);
        }
        update.unwrap_or_default()
    }

    /// Takes the signal, as its kind has it.
    fn take(&self) -> bool {
        match self.kind {
            NOTIFICATION_EVENT | THREAD => self.signal.load(Ordering::SeqCst) > 0,
            MUTANT => self.take_mutex(),
            _ => self
                .signal
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| {
                    (count > 0).then(|| count - 1)
                })
                .is_ok(),
        }
    }

    /// Whether [`take`](Self::take) would, if nobody came first.
    fn is_signaled(&self) -> bool {
        self.signal.load(Ordering::SeqCst) > 0 || self.kind == MUTANT && self.is_mine()
    }

    /// Undoes a [`take`](Self::take).
    fn give_back(&self) {
        match self.kind {
            NOTIFICATION_EVENT | THREAD => {}
            MUTANT => self.release_mutex(),
            SYNCHRONIZATION_EVENT => drop(self.signal(|_| 1)),
            _ => drop(self.signal(|count| count + 1)),
        }
    }

    fn is_mine(&self) -> bool {
        self.owner.load(Ordering::SeqCst) == thread::number()
    }

    /// By its owner. The state counts up to 1, which is free.
    fn release_mutex(&self) {
        if self.signal.load(Ordering::SeqCst) == 0 {
            self.owner.store(0, Ordering::SeqCst);
        }
        self.signal(|state| state + 1);
    }

    fn take_mutex(&self) -> bool {
        let exchange =
            |from, to| self.signal.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst);
        if exchange(1, 0).is_ok() {
            self.owner.store(thread::number(), Ordering::SeqCst);
            return true;
        }
        if self.is_mine() {
            // Owned already: the state counts down below 0.
            self.signal.fetch_sub(1, Ordering::SeqCst);
            return true;
        }
        false
    }
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
    Header::at(Event.cast()).signal(|_| 1)
}

/// Ends the signal; gives whether there was one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KeResetEvent(Event: *mut Header) -> i32 {
    Header::at(Event.cast()).signal.swap(0, Ordering::SeqCst)
}

/// Ends the signal.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KeClearEvent(Event: *mut Header) {
    Header::at(Event.cast()).signal.store(0, Ordering::SeqCst);
}

/// Whether an event is signaled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KeReadStateEvent(Event: *mut Header) -> i32 {
    Header::at(Event.cast()).signal.load(Ordering::SeqCst)
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
    let before = Header::at(Object.cast()).signal(|count| add(count).unwrap_or(count));
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
    let before = header.signal.load(Ordering::SeqCst);
    if header.is_mine() {
        header.release_mutex();
    } else {
        misuse::report("KeReleaseMutex", format_args!("the thread does not own the mutex"));
    }
    before
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
    let object = Header::at(Object);
    if object.take() {
        return status::SUCCESS;
    }
    let Some(end) = deadline(Timeout) else { return status::INVALID_PARAMETER };
    check_may_wait("KeWaitForSingleObject", end);
    loop {
        let seen = object.signal.load(Ordering::SeqCst);
        if object.take() {
            return status::SUCCESS;
        }
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return status::TIMEOUT;
        }
        futex_wait(&object.signal, seen, left);
    }
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
    WAITING_FOR_MANY.fetch_add(1, Ordering::SeqCst);
    let mut looked = false;
    let waited = loop {
        let generation = GENERATION.load(Ordering::SeqCst);
        if let Some(index) = take(objects, WaitType == WAIT_ANY) {
            break i32::try_from(index).unwrap_or(0);
        }
        if !looked {
            check_may_wait("KeWaitForMultipleObjects", end);
            looked = true;
        }
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            break status::TIMEOUT;
        }
        futex_wait(&GENERATION, generation, left);
    };
    WAITING_FOR_MANY.fetch_sub(1, Ordering::SeqCst);
    waited
}

/// Takes the first signal that there is; or, for all of them, every one or none.
fn take(objects: &[*mut c_void], any: bool) -> Option<usize> {
    if any {
        return objects.iter().position(|object| Header::at(*object).take());
    }
    // A look first: giving back wakes whoever waits, and that includes this thread.
    if !objects.iter().all(|object| Header::at(*object).is_signaled()) {
        return None;
    }
    let missed = objects.iter().position(|object| !Header::at(*object).take());
    let Some(missed) = missed else { return Some(0) };
    objects[..missed].iter().for_each(|object| Header::at(*object).give_back());
    None
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

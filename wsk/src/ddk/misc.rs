//! Spin locks, interrupt request levels, singly linked lists, rundown protection, time, strings,
//! devices that nobody opens.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use super::dispatcher::{Header, futex_wait, futex_wake};
use super::object;
use crate::{misuse, status};

const DISPATCH_LEVEL: u8 = 2;

thread_local! {
    static IRQL: Cell<u8> = const { Cell::new(0) };
}

/// The calling thread's interrupt request level: a number that spin locks raise.
#[unsafe(no_mangle)]
pub extern "C" fn KeGetCurrentIrql() -> u8 {
    IRQL.get()
}

/// Raises the level; gives what it was.
#[unsafe(no_mangle)]
pub extern "C" fn KfRaiseIrql(NewIrql: u8) -> u8 {
    IRQL.replace(NewIrql)
}

/// Lowers the level.
#[unsafe(no_mangle)]
pub extern "C" fn KeLowerIrql(NewIrql: u8) {
    IRQL.set(NewIrql);
}

fn lock_at<'a>(lock: *mut usize) -> &'a AtomicUsize {
    // SAFETY: the client's KSPIN_LOCK, aligned and alive.
    unsafe { AtomicUsize::from_ptr(lock) }
}

fn spin(lock: &AtomicUsize) {
    let me = usize::try_from(super::thread::number()).unwrap_or(1);
    if lock.load(Ordering::Relaxed) == me {
        misuse::report("KeAcquireSpinLock", format_args!("the thread holds the lock already"));
    }
    while lock.compare_exchange_weak(0, me, Ordering::Acquire, Ordering::Relaxed).is_err() {
        // A thread of a process can be suspended while it holds the lock.
        std::thread::yield_now();
    }
}

/// Initializes a spin lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KeInitializeSpinLock(SpinLock: *mut usize) {
    lock_at(SpinLock).store(0, Ordering::Relaxed);
}

/// Acquires a spin lock and raises the level; gives what that was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KeAcquireSpinLockRaiseToDpc(SpinLock: *mut usize) -> u8 {
    let old = KfRaiseIrql(DISPATCH_LEVEL);
    spin(lock_at(SpinLock));
    old
}

/// Releases a spin lock and lowers the level.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KeReleaseSpinLock(SpinLock: *mut usize, NewIrql: u8) {
    lock_at(SpinLock).store(0, Ordering::Release);
    KeLowerIrql(NewIrql);
}

/// Acquires a spin lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KeAcquireSpinLockAtDpcLevel(SpinLock: *mut usize) {
    spin(lock_at(SpinLock));
}

/// Releases a spin lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KeReleaseSpinLockFromDpcLevel(SpinLock: *mut usize) {
    lock_at(SpinLock).store(0, Ordering::Release);
}

/// FAST_MUTEX: its event is signaled while nobody owns it.
#[repr(C)]
#[derive(Debug)]
pub struct FastMutex {
    count: i32,
    owner: usize,
    contention: u32,
    event: Header,
    old_irql: u32,
}

/// Initializes a fast mutex.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ExInitializeFastMutex(Mutex: *mut FastMutex) {
    let event = Header::new(1, 1);
    // SAFETY: the caller's memory, of that size.
    unsafe { Mutex.write(FastMutex { count: 1, owner: 0, contention: 0, event, old_irql: 0 }) };
}

/// Acquires a fast mutex.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ExAcquireFastMutex(Mutex: *mut FastMutex) {
    // SAFETY: the caller's fast mutex.
    let event = unsafe { &raw mut (*Mutex).event };
    // SAFETY: an event; no time-out.
    unsafe { object::KeWaitForSingleObject(event.cast(), 0, 0, 0, ptr::null()) };
}

/// Releases a fast mutex.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ExReleaseFastMutex(Mutex: *mut FastMutex) {
    // SAFETY: the caller's fast mutex.
    let event = unsafe { &raw mut (*Mutex).event };
    // SAFETY: an event.
    unsafe { object::KeSetEvent(event, 0, 0) };
}

/// The count of a rundown reference, in the lower half of the client's EX_RUNDOWN_REF: twice the
/// references, and 1 once it runs down.
fn rundown_at<'a>(reference: *mut u64) -> &'a AtomicI32 {
    // SAFETY: the client's EX_RUNDOWN_REF, aligned and alive.
    unsafe { AtomicI32::from_ptr(reference.cast()) }
}

/// Initializes rundown protection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ExInitializeRundownProtection(RunRef: *mut u64) {
    // SAFETY: the client's memory, of that size.
    unsafe { RunRef.write(0) };
}

/// Takes a reference, unless it runs down.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ExAcquireRundownProtection(RunRef: *mut u64) -> u8 {
    let more = |count: i32| (count & 1 == 0).then_some(count + 2);
    let taken = rundown_at(RunRef).fetch_update(Ordering::SeqCst, Ordering::SeqCst, more);
    u8::from(taken.is_ok())
}

/// Gives a reference back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ExReleaseRundownProtection(RunRef: *mut u64) {
    match rundown_at(RunRef).fetch_sub(2, Ordering::SeqCst) {
        ..=1 => {
            let rule = "no reference was taken";
            misuse::report("ExReleaseRundownProtection", format_args!("{rule}"));
        }
        // The last of a reference that runs down. Whoever waits may free it from here on.
        3 => futex_wake(RunRef.cast(), i32::MAX),
        _ => {}
    }
}

/// Runs down: waits until no reference is left; no other is given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ExWaitForRundownProtectionRelease(RunRef: *mut u64) {
    let reference = rundown_at(RunRef);
    let mut count = reference.fetch_or(1, Ordering::SeqCst) | 1;
    while count > 1 {
        futex_wait(reference, count, None);
        count = reference.load(Ordering::SeqCst);
    }
}

/// SLIST_HEADER: the first entry, and the depth above a bit that locks both.
#[repr(C, align(16))]
#[derive(Debug)]
pub struct SListHeader {
    first: AtomicUsize,
    depth: AtomicU64,
}

const LOCKED: u64 = 1 << 63;

impl SListHeader {
    fn at<'a>(head: *mut Self) -> &'a Self {
        // SAFETY: the client's list head, aligned and alive.
        unsafe { &*head }
    }

    /// Changes the first entry and the depth as one; gives the first entry that was.
    fn change(&self, change: impl FnOnce(*mut usize, u64) -> (*mut usize, u64)) -> *mut usize {
        while self.depth.fetch_or(LOCKED, Ordering::Acquire) & LOCKED != 0 {
            std::thread::yield_now();
        }
        let first = ptr::with_exposed_provenance_mut(self.first.load(Ordering::Relaxed));
        let (next, depth) = change(first, self.depth.load(Ordering::Relaxed) & !LOCKED);
        self.first.store(next.expose_provenance(), Ordering::Relaxed);
        self.depth.store(depth, Ordering::Release);
        first
    }
}

/// Initializes a list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitializeSListHead(ListHead: *mut SListHeader) {
    // SAFETY: the caller's memory, of that size.
    unsafe { ListHead.write(SListHeader { first: AtomicUsize::new(0), depth: AtomicU64::new(0) }) };
}

/// Puts an entry in front; gives what was there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InterlockedPushEntrySList(
    ListHead: *mut SListHeader,
    ListEntry: *mut usize,
) -> *mut usize {
    SListHeader::at(ListHead).change(|first, depth| {
        // SAFETY: the caller's entry, whose first word is the link.
        unsafe { ListEntry.write(first.expose_provenance()) };
        (ListEntry, depth + 1)
    })
}

/// Takes the first entry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InterlockedPopEntrySList(ListHead: *mut SListHeader) -> *mut usize {
    SListHeader::at(ListHead).change(|first, depth| {
        // SAFETY: an entry of the list, if there is one: its first word is the link.
        match unsafe { first.as_ref() } {
            Some(next) => (ptr::with_exposed_provenance_mut(*next), depth - 1),
            None => (first, depth),
        }
    })
}

/// Takes the whole list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InterlockedFlushSList(ListHead: *mut SListHeader) -> *mut usize {
    SListHeader::at(ListHead).change(|_, _| (ptr::null_mut(), 0))
}

/// How many entries there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn QueryDepthSList(ListHead: *mut SListHeader) -> u16 {
    let depth = SListHeader::at(ListHead).depth.load(Ordering::Relaxed) & !LOCKED;
    u16::try_from(depth).unwrap_or(u16::MAX)
}

/// The time, in 100 ns since 1601.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KeQuerySystemTimePrecise(CurrentTime: *mut i64) {
    let now = i64::try_from(object::system_time()).unwrap_or(i64::MAX);
    // SAFETY: the caller's LARGE_INTEGER.
    unsafe { CurrentTime.write(now) };
}

fn since_start() -> u128 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos()
}

/// Time since the first call, in 100 ns.
#[unsafe(no_mangle)]
pub extern "C" fn KeQueryInterruptTime() -> u64 {
    u64::try_from(since_start() / 100).unwrap_or(u64::MAX)
}

/// A counter of nanoseconds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn KeQueryPerformanceCounter(PerformanceFrequency: *mut i64) -> i64 {
    // SAFETY: the caller's LARGE_INTEGER, or null.
    if let Some(frequency) = unsafe { PerformanceFrequency.as_mut() } {
        *frequency = 1_000_000_000;
    }
    i64::try_from(since_start()).unwrap_or(i64::MAX)
}

/// UNICODE_STRING.
#[repr(C)]
#[derive(Debug)]
pub struct UnicodeString {
    pub(crate) length: u16,
    pub(crate) room: u16,
    pub(crate) buffer: *const u16,
}

/// Describes a string that ends with 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn RtlInitUnicodeString(Destination: *mut UnicodeString, Source: *const u16) {
    let mut units = 0_u16;
    if !Source.is_null() {
        // SAFETY: the caller's string, up to its 0.
        while unsafe { *Source.wrapping_add(usize::from(units)) } != 0 && units < 0x7FFE {
            units += 1;
        }
    }
    let room = if Source.is_null() { 0 } else { units * 2 + 2 };
    // SAFETY: the caller's structure.
    unsafe { Destination.write(UnicodeString { length: units * 2, room, buffer: Source }) };
}

/// DEVICE_OBJECT, as far as it is filled in.
#[repr(C)]
#[derive(Debug)]
pub struct DeviceObject {
    kind: i16,
    size: u16,
    references: i32,
    driver: *mut c_void,
    links: [usize; 4],
    flags: u32,
    characteristics: u32,
    vpb: usize,
    extension: *mut c_void,
    device_type: u32,
    stack_size: i8,
}

/// Makes a device. Nobody can open it; its extension is the driver's memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IoCreateDevice(
    DriverObject: *mut c_void,
    DeviceExtensionSize: u32,
    _DeviceName: *const UnicodeString,
    DeviceType: u32,
    DeviceCharacteristics: u32,
    _Exclusive: u8,
    Result: *mut *mut DeviceObject,
) -> i32 {
    let extension = usize::try_from(DeviceExtensionSize).unwrap_or(0);
    // SAFETY: a size above zero.
    let memory = unsafe { libc::calloc(1, size_of::<DeviceObject>() + extension) };
    let device = memory.cast::<DeviceObject>();
    // SAFETY: zeroed memory of that size, or null.
    let Some(object) = (unsafe { device.as_mut() }) else {
        return status::INSUFFICIENT_RESOURCES;
    };
    object.kind = 3;
    object.references = 1;
    object.driver = DriverObject;
    object.characteristics = DeviceCharacteristics;
    object.extension = device.wrapping_add(1).cast();
    object.device_type = DeviceType;
    object.stack_size = 1;
    // SAFETY: the caller's result.
    unsafe { Result.write(device) };
    status::SUCCESS
}

/// Ends a device.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IoDeleteDevice(Device: *mut DeviceObject) {
    // SAFETY: IoCreateDevice allocated it.
    unsafe { libc::free(Device.cast()) };
}

/// Names nothing: there is no object manager.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IoCreateSymbolicLink(
    _Link: *const UnicodeString,
    _Device: *const UnicodeString,
) -> i32 {
    status::SUCCESS
}

/// Names nothing: there is no object manager.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IoDeleteSymbolicLink(_Link: *const UnicodeString) -> i32 {
    status::SUCCESS
}

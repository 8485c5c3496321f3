use std::sync::atomic::AtomicU64;

use super::super::object::{CloseHandle, DuplicateHandle, WaitForSingleObject};
use super::*;
use crate::last_error;

const LONG_MS: u32 = 10_000;

fn spawn(function: ThreadStart, argument: usize, flags: u32) -> HANDLE {
    let argument = std::ptr::with_exposed_provenance_mut(argument);
    // SAFETY: the function takes a number for its argument.
    let handle = unsafe {
        CreateThread(std::ptr::null(), 0, Some(function), argument, flags, std::ptr::null_mut())
    };
    assert_ne!(handle, 0);
    handle
}

fn ended(handle: HANDLE, ms: u32) -> bool {
    // SAFETY: no pointers.
    unsafe { WaitForSingleObject(handle, ms) == 0 }
}

fn exit_code(handle: HANDLE) -> u32 {
    let mut code = 0;
    // SAFETY: the pointer is to a local.
    assert_eq!(unsafe { GetExitCodeThread(handle, &raw mut code) }, TRUE);
    code
}

fn close(handle: HANDLE) {
    // SAFETY: no pointers.
    assert_eq!(unsafe { CloseHandle(handle) }, TRUE);
}

fn queue(function: ApcFunction, handle: HANDLE, number: usize) -> u32 {
    // SAFETY: the function takes the number.
    unsafe { QueueUserAPC(Some(function), handle, number) }
}

extern "C-unwind" fn double(argument: *mut c_void) -> u32 {
    u32::try_from(argument.addr()).unwrap() * 2
}

extern "C-unwind" fn leave_early(argument: *mut c_void) -> u32 {
    // SAFETY: this frame has nothing to destroy.
    unsafe { ExitThread(u32::try_from(argument.addr()).unwrap_or(0) + 1) }
}

extern "C-unwind" fn leave_early_by_c(argument: *mut c_void) -> u32 {
    // SAFETY: this frame has nothing to destroy.
    unsafe { _endthreadex(u32::try_from(argument.addr()).unwrap_or(0) + 2) }
}

extern "C-unwind" fn leave_by_pthread(_argument: *mut c_void) -> u32 {
    pthread::exit()
}

#[test]
fn a_thread_ends_with_its_exit_code_whichever_way_it_ends() {
    for (function, code) in [
        (double as ThreadStart, 42),
        (leave_early, 22),
        (leave_early_by_c, 23),
        (leave_by_pthread, 0),
    ] {
        let handle = spawn(function, 21, 0);
        assert!(ended(handle, LONG_MS));
        assert_eq!(exit_code(handle), code);
        assert_eq!(queue(count, handle, 1), 0);
        assert_eq!(last_error::get(), Error::ERROR_GEN_FAILURE.0);
        close(handle);
    }
}

static COUNTED: AtomicU64 = AtomicU64::new(0);

extern "C-unwind" fn count(number: usize) {
    COUNTED.fetch_add(number as u64, Ordering::SeqCst);
}

extern "C-unwind" fn counted(_argument: *mut c_void) -> u32 {
    u32::try_from(COUNTED.load(Ordering::SeqCst)).unwrap()
}

#[test]
fn a_suspended_thread_begins_when_resumed_and_first_makes_the_calls_queued_to_it() {
    let handle = spawn(counted, 0, CREATE_SUSPENDED);
    assert_eq!(queue(count, handle, 5), 1);
    assert_eq!(queue(count, handle, 6), 1);
    assert!(!ended(handle, 30));
    assert_eq!(exit_code(handle), STILL_ACTIVE);
    assert_eq!(COUNTED.load(Ordering::SeqCst), 0);
    // SAFETY: no pointers.
    assert_eq!(unsafe { ResumeThread(handle) }, 1);
    assert!(ended(handle, LONG_MS));
    assert_eq!(exit_code(handle), 11);
    // SAFETY: no pointers.
    assert_eq!(unsafe { ResumeThread(handle) }, 0);
    close(handle);
}

extern "C-unwind" fn sleep_alertably(_argument: *mut c_void) -> u32 {
    // SAFETY: no pointers.
    unsafe { super::super::clock::SleepEx(LONG_MS, TRUE) }
}

extern "C-unwind" fn nothing(_number: usize) {}

#[test]
fn an_apc_wakes_a_thread_that_sleeps_alertably() {
    let handle = spawn(sleep_alertably, 0, 0);
    assert_eq!(queue(nothing, handle, 0), 1);
    // Queued before the thread began, it may have run already; one more surely finds it asleep.
    if !ended(handle, 50) {
        queue(nothing, handle, 0);
    }
    assert!(ended(handle, LONG_MS));
    assert_eq!(exit_code(handle), Error::WAIT_IO_COMPLETION.0);
    close(handle);
}

extern "C-unwind" fn report_id(argument: *mut c_void) -> u32 {
    // SAFETY: no pointers.
    let id = unsafe { GetCurrentThreadId() };
    let _ = argument;
    id
}

#[test]
fn the_number_of_a_thread_is_known_before_it_begins_and_is_its_own() {
    let (mut one, mut two) = (0_u32, 0_u32);
    for id in [&mut one, &mut two] {
        // SAFETY: the function ignores its argument; the number goes to a local.
        let handle = unsafe {
            _beginthreadex(std::ptr::null(), 4096, Some(report_id), std::ptr::null_mut(), 0, id)
        };
        assert!(ended(handle, LONG_MS));
        assert_eq!(exit_code(handle), *id);
        close(handle);
    }
    assert_ne!(one, two);
}

#[test]
fn the_pseudo_handle_is_the_calling_thread_and_can_become_a_real_one() {
    let mut real = 0;
    // SAFETY: the handle goes to a local.
    let result = unsafe {
        DuplicateHandle(
            CURRENT_PROCESS,
            CURRENT_THREAD,
            CURRENT_PROCESS,
            &raw mut real,
            0,
            FALSE,
            2,
        )
    };
    assert_eq!(result, TRUE);
    for handle in [real, CURRENT_THREAD] {
        assert_eq!(exit_code(handle), STILL_ACTIVE);
        assert!(!ended(handle, 0));
        assert_eq!(queue(nothing, handle, 0), 1);
        // SAFETY: no pointers.
        let slept = unsafe { super::super::clock::SleepEx(LONG_MS, TRUE) };
        assert_eq!(slept, Error::WAIT_IO_COMPLETION.0);
    }
    close(real);
}

#[test]
fn a_foreign_thread_that_ends_is_signaled_too() {
    let mut real = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| real = object::enter(Object::Other(current())).unwrap());
    });
    assert!(ended(real, LONG_MS));
    assert_eq!(exit_code(real), 0);
    close(real);
}

#[test]
fn bad_arguments_create_no_thread() {
    let null = std::ptr::null_mut();
    let wild = std::ptr::without_provenance_mut(16);
    for (function, flags, id, error) in [
        (None, 0, std::ptr::null_mut(), Error::ERROR_INVALID_PARAMETER),
        (Some(double as ThreadStart), 1, std::ptr::null_mut(), Error::ERROR_INVALID_PARAMETER),
        (Some(double), 0, wild, Error::ERROR_NOACCESS),
    ] {
        // SAFETY: bad arguments are answered.
        let handle = unsafe { CreateThread(std::ptr::null(), 0, function, null, flags, id) };
        assert_eq!(handle, 0);
        assert_eq!(last_error::get(), error.0);
    }
    // SAFETY: a bad argument is answered.
    let handle = unsafe { _beginthreadex(std::ptr::null(), 0, None, null, 0, null.cast()) };
    let errno = std::io::Error::last_os_error().raw_os_error();
    assert_eq!((handle, errno), (0, Some(libc::EINVAL)));
    // A stack that no machine has.
    let (stack, function) = (usize::MAX / 2, Some(double as ThreadStart));
    // SAFETY: a bad argument is answered.
    let handle =
        unsafe { CreateThread(std::ptr::null(), stack, function, null, 0, std::ptr::null_mut()) };
    assert_eq!((handle, last_error::get()), (0, Error::ERROR_NOT_ENOUGH_MEMORY.0));
    // SAFETY: a bad handle is answered.
    assert_eq!(unsafe { ResumeThread(12) }, RESUME_FAILED);
}

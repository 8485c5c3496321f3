//! Threads.
//!
//! A thread is made by pthread_create, so that ExitThread can end it by pthread_exit: the unwinding
//! that this forces may only pass frames of this library that have nothing to destroy. The
//! `trampoline` is such a frame, and ExitThread itself stays outside the boundary of the other
//! exports, which catches unwinding.
//!
//! The end of a thread, whichever way it comes: its pending I/O is cancelled, its exit code stored,
//! and then it is signaled. A waiter may free everything the thread used right then.
#![allow(unsafe_code, reason = "pthread_create, and calls to the program's functions")]

use std::cell::{Cell, OnceCell};
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use linsock::iocp::apc::{Apc, ApcQueue};
use linsock::iocp::event::{Event, Waitable, Waiters};
use linsock::iocp::handle::{AnyWaitable, Handle, Object, table};
use linsock::iocp::sync::{Condition, Lock};
use linsock::iocp::thread::Thread;

use schedule::own_kernel_id;

use super::child;
use super::object::{self, CURRENT_PROCESS, CURRENT_THREAD, no_access};
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export, guard};
use crate::last_error::Error;
use crate::ptr;

mod last;
mod open;
mod pthread;
mod runtime;
mod schedule;
mod times;

pub use open::{CancelSynchronousIo, OpenThread, QueueUserAPC2};
pub use runtime::{_beginthread, _endthread, ThreadRoutine};
pub(crate) use schedule::check_process;
pub use schedule::{
    GetCurrentProcessorNumber, GetProcessAffinityMask, SetProcessAffinityMask,
    SetThreadAffinityMask, SetThreadDescription,
};
pub(crate) use times::page_faults;
pub use times::{
    GetProcessTimes, GetThreadTimes, IsWow64Process, QueryProcessCycleTime, QueryThreadCycleTime,
};

/// A function that a thread begins with. It may be left by ExitThread, so unwinding passes it.
pub type ThreadStart = unsafe extern "C-unwind" fn(*mut c_void) -> u32;
/// A function that is queued to a thread.
pub type ApcFunction = unsafe extern "C-unwind" fn(usize);

/// What GetExitCodeThread gives for a thread that has not ended (winbase.h).
const STILL_ACTIVE: u32 = 259;
/// What ResumeThread gives on failure.
const RESUME_FAILED: u32 = u32::MAX;
/// What GetThreadPriority gives on failure (winbase.h).
const THREAD_PRIORITY_ERROR_RETURN: i32 = 0x7FFF_FFFF;
const THREAD_PRIORITY_NORMAL: i32 = 0;
/// The two numbers that switch background work on and off; they are no priority (winbase.h).
const THREAD_MODE_BACKGROUND: [i32; 2] = [0x1_0000, 0x2_0000];
const CREATE_SUSPENDED: u32 = 4;
const STACK_SIZE_PARAM_IS_A_RESERVATION: u32 = 0x1_0000;

/// A thread, as its handles know it.
#[derive(Debug)]
pub struct Control {
    id: u32,
    /// The kernel's number of the thread; 0 until it runs.
    kernel_id: AtomicI32,
    exit_code: AtomicU32,
    /// What SetThreadPriority set last.
    priority: AtomicI32,
    /// When it was made, as a file time.
    created: u64,
    /// Of one that has ended.
    last: OnceLock<times::Last>,
    stage: Lock<Stage>,
    /// It has been resumed, or its `kernel_id` is known.
    resumed: Condition,
    ended: Event,
}

#[derive(Debug)]
enum Stage {
    /// It has not reached the program's function; calls queued to it run before that.
    Starting { suspended: bool, apcs: ApcQueue },
    /// It runs.
    Running(Arc<Thread>),
    /// It has ended, or is beyond all code of the program.
    Ended,
}

/// Ends the thread for its waiters even if something else than this module ended it.
struct Current(Arc<Control>);

impl Drop for Current {
    /// Not on the main thread, for what ends there is the process: see the twin in `iocp::thread`.
    fn drop(&mut self) {
        if own_kernel_id() != std::process::id().cast_signed() {
            self.0.end(0);
        }
    }
}

thread_local! {
    static ID: Cell<u32> = const { Cell::new(0) };
    static CURRENT: OnceCell<Current> = const { OnceCell::new() };
}

/// A number for a thread: a multiple of 4, as on Windows.
fn new_id() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(4);
    NEXT.fetch_add(4, Ordering::Relaxed)
}

fn own_id() -> u32 {
    if ID.get() == 0 {
        ID.set(new_id());
    }
    ID.get()
}

/// The calling thread's number, by which others may find it from now on.
fn current_id() -> u32 {
    if ID.get() == 0 {
        current();
    }
    ID.get()
}

/// The calling thread, whoever made it.
pub fn current() -> Arc<Control> {
    let this = || {
        let stage = Stage::Running(linsock::iocp::thread::current());
        let control = Control::new(own_id(), times::own_start(), stage);
        control.kernel_id.store(own_kernel_id(), Ordering::Relaxed);
        control
    };
    CURRENT
        .try_with(|current| Arc::clone(&current.get_or_init(|| Current(this())).0))
        .unwrap_or_else(|_| this())
}

/// The thread behind a handle.
fn control(value: HANDLE) -> Outcome<Arc<Control>> {
    if value == CURRENT_THREAD {
        return Ok(current());
    }
    let handle = Handle::from_value(value).ok_or(Error::ERROR_INVALID_HANDLE)?;
    let Some(Object::Other(other)) = table().get(handle) else {
        return Err(Error::ERROR_INVALID_HANDLE);
    };
    let any: Arc<dyn std::any::Any + Send + Sync> = other;
    any.downcast().map_err(|_| Error::ERROR_INVALID_HANDLE)
}

impl Control {
    fn new(id: u32, created: u64, stage: Stage) -> Arc<Self> {
        let control = Arc::new(Self {
            id,
            kernel_id: AtomicI32::new(0),
            exit_code: AtomicU32::new(STILL_ACTIVE),
            priority: AtomicI32::new(THREAD_PRIORITY_NORMAL),
            created,
            last: OnceLock::new(),
            stage: Lock::new(stage),
            resumed: Condition::new(),
            ended: Event::new(true, false),
        });
        control.make_known();
        control
    }

    /// The new thread itself: waits to be resumed and runs what was queued to it meanwhile.
    fn start(&self) {
        let mut stage = self.stage.lock();
        self.kernel_id.store(own_kernel_id(), Ordering::Relaxed);
        self.resumed.tell_all();
        while let Stage::Starting { suspended, apcs } = &mut *stage {
            if *suspended {
                self.resumed.wait(&mut stage);
            } else if let Some(apc) = apcs.pop() {
                drop(stage);
                apc.run();
                stage = self.stage.lock();
            } else {
                *stage = Stage::Running(linsock::iocp::thread::current());
            }
        }
    }

    /// Does something with the kernel's number of the thread, which cannot end meanwhile; `None` if
    /// it has ended.
    fn with_kernel_id<R>(&self, act: impl FnOnce(i32) -> R) -> Option<R> {
        let mut stage = self.stage.lock();
        // A thread that was created is on its way, and takes its number before anything else.
        while self.kernel_id.load(Ordering::Relaxed) == 0 {
            self.resumed.wait(&mut stage);
        }
        let has_ended = matches!(*stage, Stage::Ended);
        (!has_ended).then(|| act(self.kernel_id.load(Ordering::Relaxed)))
    }

    fn set_priority(&self, number: i32) -> Outcome<()> {
        match number {
            // "Idle", those around "normal" (the outer ones are the real-time class's), "critical".
            -15 | -7..=6 | 15 => self.priority.store(number, Ordering::Relaxed),
            _ if THREAD_MODE_BACKGROUND.contains(&number) => {}
            _ => return Err(Error::ERROR_INVALID_PARAMETER),
        }
        Ok(())
    }

    /// How often the thread was suspended before: 0 or 1.
    fn resume(&self) -> u32 {
        match &mut *self.stage.lock() {
            Stage::Starting { suspended, .. } if *suspended => {
                *suspended = false;
                self.resumed.tell_all();
                1
            }
            _ => 0,
        }
    }

    /// False if the thread has ended.
    fn queue_apc(&self, apc: Apc) -> bool {
        match &mut *self.stage.lock() {
            Stage::Starting { apcs, .. } => {
                apcs.push(apc);
                true
            }
            Stage::Running(thread) => thread.queue_apc(apc),
            Stage::Ended => false,
        }
    }

    /// The thread itself ends. Only the first time counts.
    fn end(&self, exit_code: u32) {
        linsock::iocp::thread::exit();
        // The end is told first, for it is looked at when the stage says so.
        self.last.get_or_init(times::last);
        let before = std::mem::replace(&mut *self.stage.lock(), Stage::Ended);
        if !matches!(before, Stage::Ended) {
            self.exit_code.store(exit_code, Ordering::Release);
            self.ended.set();
        }
    }
}

impl Waitable for Control {
    fn take(&self) -> bool {
        self.ended.take()
    }

    fn give_back(&self) {
        self.ended.give_back();
    }

    fn waiters(&self) -> &Waiters {
        self.ended.waiters()
    }
}

impl AnyWaitable for Control {}

/// What a new thread is handed.
struct Start {
    control: Arc<Control>,
    function: ThreadStart,
    parameter: *mut c_void,
}

/// The first frame of a thread. It holds nothing that is to be destroyed.
extern "C-unwind" fn trampoline(start: *mut c_void) -> *mut c_void {
    let (function, parameter) = begin(start);
    // SAFETY: CreateThread's caller says that the function takes the parameter.
    let exit_code = unsafe { function(parameter) };
    end_current(exit_code);
    std::ptr::null_mut()
}

#[inline(never)]
fn begin(start: *mut c_void) -> (ThreadStart, *mut c_void) {
    // SAFETY: `create` boxed it for this thread alone.
    let Start { control, function, parameter } = *unsafe { Box::from_raw(start.cast::<Start>()) };
    ID.set(control.id);
    CURRENT.with(|current| {
        let _ = current.set(Current(Arc::clone(&control)));
    });
    control.start();
    (function, parameter)
}

#[inline(never)]
fn end_current(exit_code: u32) {
    guard((), || {
        super::fls::thread_ends();
        current().end(exit_code);
        last::ends(exit_code);
        Ok(())
    });
}

/// What the two functions that create threads have in common.
fn create(
    stack: usize,
    function: Option<ThreadStart>,
    parameter: *mut c_void,
    flags: u32,
    id: *mut u32,
) -> Outcome<HANDLE> {
    let function = function.ok_or(Error::ERROR_INVALID_PARAMETER)?;
    if flags & !(CREATE_SUSPENDED | STACK_SIZE_PARAM_IS_A_RESERVATION) != 0 {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    let suspended = flags & CREATE_SUSPENDED != 0;
    let stage = Stage::Starting { suspended, apcs: ApcQueue::default() };
    let control = Control::new(new_id(), super::clock::file_time_now(), stage);
    // The number is there before the thread can look at it.
    ptr::write_opt(id, control.id).map_err(no_access)?;
    let handle = object::enter(Object::Other(Arc::clone(&control) as Arc<dyn AnyWaitable>))?;
    let start = Box::into_raw(Box::new(Start { control, function, parameter }));
    let exact = flags & STACK_SIZE_PARAM_IS_A_RESERVATION != 0;
    if pthread::create_detached(stack, exact, trampoline, start.cast()).is_err() {
        // SAFETY: no thread took the box.
        drop(unsafe { Box::from_raw(start) });
        if let Some(handle) = Handle::from_value(handle) {
            table().remove(handle);
        }
        return Err(Error::ERROR_NOT_ENOUGH_MEMORY);
    }
    Ok(handle)
}

/// Sets the C library's errno, where _beginthreadex says why it failed.
fn set_errno(errno: c_int) {
    // SAFETY: glibc gives the address of the calling thread's errno.
    let at = unsafe { libc::__errno_location() };
    // SAFETY: that address is valid as long as the thread.
    unsafe { at.write(errno) };
}

/// Ends the calling thread.
///
/// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-exitthread>
///
/// Its pending I/O is cancelled, except on a completion port without an event.
///
/// # Differs from Windows
/// C++ objects on the thread's stack are destroyed. Inside a completion routine or an APC it ends
/// the process. The process ends 20 ms after its last thread; threads of the thread pool count
/// among them until they have been idle for 10 s, and those of GetAddrInfoEx and Winsock Kernel for
/// ever.
// SAFETY: glibc has no such name.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ExitThread(dwExitCode: u32) -> ! {
    end_current(dwExitCode);
    pthread::exit()
}

/// Ends the calling thread, as [`ExitThread`] does.
///
/// <https://learn.microsoft.com/cpp/c-runtime-library/reference/endthread-endthreadex>
// SAFETY: glibc has no such name.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn _endthreadex(retval: u32) -> ! {
    end_current(retval);
    pthread::exit()
}

/// What the two functions that queue calls have in common.
fn queue_call(function: Option<ApcFunction>, thread: HANDLE, data: usize) -> Outcome<()> {
    let control = control(thread)?;
    let function = function.ok_or(Error::ERROR_INVALID_PARAMETER)?;
    let apc = Apc::new(move || {
        // SAFETY: QueueUserAPC's caller says that the function takes the number.
        unsafe { function(data) };
    });
    if control.queue_apc(apc) { Ok(()) } else { Err(Error::ERROR_GEN_FAILURE) }
}

export! {
    /// Creates a thread.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-createthread>
    ///
    /// With CREATE_SUSPENDED it waits for [`ResumeThread`] before it begins. The handle can be
    /// closed while the thread runs.
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for unknown flags or no function, ERROR_NOACCESS,
    /// ERROR_NOT_ENOUGH_MEMORY.
    ///
    /// # Differs from Windows
    /// Without STACK_SIZE_PARAM_IS_A_RESERVATION a stack is 1 MB at least, as a reservation there.
    fn CreateThread(
        lpThreadAttributes: *const u8,
        dwStackSize: usize,
        lpStartAddress: Option<ThreadStart>,
        lpParameter: *mut c_void,
        dwCreationFlags: u32,
        lpThreadId: *mut u32,
    ) -> HANDLE, fail 0; {
        let _ = lpThreadAttributes;
        create(dwStackSize, lpStartAddress, lpParameter, dwCreationFlags, lpThreadId)
    }

    /// Creates a thread, as [`CreateThread`] does; a failure is in errno too (EINVAL, EAGAIN).
    ///
    /// <https://learn.microsoft.com/cpp/c-runtime-library/reference/beginthread-beginthreadex>
    fn _beginthreadex(
        security: *const u8,
        stack_size: u32,
        start_address: Option<ThreadStart>,
        arglist: *mut c_void,
        initflag: u32,
        thrdaddr: *mut u32,
    ) -> HANDLE, fail 0; {
        let _ = security;
        let stack = usize::try_from(stack_size).unwrap_or(0);
        create(stack, start_address, arglist, initflag, thrdaddr).inspect_err(|error| {
            let lacking = *error == Error::ERROR_NOT_ENOUGH_MEMORY;
            set_errno(if lacking { libc::EAGAIN } else { libc::EINVAL });
        })
    }

    /// Gives a thread's exit code, or STILL_ACTIVE (259) while it has not ended.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getexitcodethread>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOACCESS. Never blocks.
    fn GetExitCodeThread(hThread: HANDLE, lpExitCode: *mut u32) -> BOOL, fail FALSE; {
        let exit_code = match child::code_of_first_thread(hThread) {
            Some(code) => code?,
            None => control(hThread)?.exit_code.load(Ordering::Acquire),
        };
        ptr::write(lpExitCode, exit_code).map_err(no_access)?;
        Ok(TRUE)
    }

    /// Refuses to end a thread from outside.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-terminatethread>
    ///
    /// # Errors
    /// ERROR_ACCESS_DENIED, ERROR_INVALID_HANDLE. Never blocks.
    ///
    /// # Differs from Windows
    /// No handle has the right to end a thread (THREAD_TERMINATE), which would leave the locks of
    /// the C library locked: the thread goes on.
    fn TerminateThread(hThread: HANDLE, dwExitCode: u32) -> BOOL, fail FALSE; {
        let _ = dwExitCode;
        control(hThread)?;
        Err(Error::ERROR_ACCESS_DENIED)
    }

    /// Lets a thread that was created suspended begin. Gives how often it was suspended before.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-resumethread>
    ///
    /// # Errors
    /// (DWORD)-1 with ERROR_INVALID_HANDLE. Never blocks.
    fn ResumeThread(hThread: HANDLE) -> u32, fail RESUME_FAILED; {
        match child::resume_first_thread(hThread) {
            Some(before) => Ok(before),
            None => Ok(control(hThread)?.resume()),
        }
    }

    /// Notes a thread's priority, for [`GetThreadPriority`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-setthreadpriority>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. A number that is no priority is refused with ERROR_INVALID_PARAMETER
    /// (choice: the page names no code).
    ///
    /// # Differs from Windows
    /// It has no effect on how the thread is scheduled.
    fn SetThreadPriority(hThread: HANDLE, nPriority: i32) -> BOOL, fail FALSE; {
        let control = control(hThread)?;
        control.set_priority(nPriority)?;
        Ok(TRUE)
    }

    /// Gives a thread's priority, as it was set last.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getthreadpriority>
    ///
    /// # Errors
    /// THREAD_PRIORITY_ERROR_RETURN with ERROR_INVALID_HANDLE. Never blocks.
    fn GetThreadPriority(hThread: HANDLE) -> i32, fail THREAD_PRIORITY_ERROR_RETURN; {
        Ok(control(hThread)?.priority.load(Ordering::Relaxed))
    }

    /// Gives the pseudo handle that means the calling thread.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentthread>
    fn GetCurrentThread() -> HANDLE, fail CURRENT_THREAD; {
        Ok(CURRENT_THREAD)
    }

    /// Gives the calling thread's number.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentthreadid>
    ///
    /// # Differs from Windows
    /// It is unique in the process only, and not the kernel's.
    fn GetCurrentThreadId() -> u32, fail 0; {
        Ok(current_id())
    }

    /// Gives the number of the thread behind a handle.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getthreadid>
    ///
    /// # Errors
    /// 0 with ERROR_INVALID_HANDLE. Never blocks.
    fn GetThreadId(Thread: HANDLE) -> u32, fail 0; {
        match child::id_of_first_thread(Thread) {
            Some(id) => Ok(id),
            None => Ok(control(Thread)?.id),
        }
    }

    /// Gives the pseudo handle that means this process.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentprocess>
    fn GetCurrentProcess() -> HANDLE, fail CURRENT_PROCESS; {
        Ok(CURRENT_PROCESS)
    }

    /// Gives this process's number.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentprocessid>
    fn GetCurrentProcessId() -> u32, fail 0; {
        Ok(std::process::id())
    }

    /// Queues a call to a thread, which makes it in its next alertable wait, or before its function
    /// if it has not begun. Gives 0 on failure.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-queueuserapc>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER for no function, ERROR_GEN_FAILURE when the
    /// thread has ended. Never blocks.
    fn QueueUserAPC(
        pfnAPC: Option<ApcFunction>,
        hThread: HANDLE,
        dwData: usize,
    ) -> u32, fail 0; {
        queue_call(pfnAPC, hThread, dwData).map(|()| 1)
    }
}

#[cfg(test)]
mod tests;

//! Faults of the processor that nobody handles.
//!
//! A fault is a signal here. The program's filter is called by the thread that faults, where it
//! faults, as on Windows; then the process ends by the signal, unless the filter says to go on.
#![allow(unsafe_code, reason = "sigaction, and a call to the program's function")]

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::export::{Outcome, export};

const EXCEPTION_ACCESS_VIOLATION: u32 = 0xC000_0005;
const EXCEPTION_ILLEGAL_INSTRUCTION: u32 = 0xC000_001D;
const EXCEPTION_INT_DIVIDE_BY_ZERO: u32 = 0xC000_0094;

/// What the filter says when the fault is repaired.
const EXCEPTION_CONTINUE_EXECUTION: i32 = -1;

const FAULTS: [c_int; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];

/// EXCEPTION_RECORD.
#[repr(C)]
pub struct Record {
    code: u32,
    flags: u32,
    next: *const Self,
    address: *const c_void,
    parameters: u32,
    information: [usize; 15],
}

/// EXCEPTION_POINTERS. There is no CONTEXT.
#[repr(C)]
pub struct Pointers {
    record: *const Record,
    context: *const c_void,
}

const _: () = assert!(size_of::<Record>() == 152 && size_of::<Pointers>() == 16);

/// A filter of the program's.
pub type Filter = unsafe extern "C" fn(*const Pointers) -> i32;

/// The filter's address, or 0.
static FILTER: AtomicUsize = AtomicUsize::new(0);

const fn code_of(signal: c_int) -> u32 {
    match signal {
        libc::SIGILL => EXCEPTION_ILLEGAL_INSTRUCTION,
        libc::SIGFPE => EXCEPTION_INT_DIVIDE_BY_ZERO,
        _ => EXCEPTION_ACCESS_VIOLATION,
    }
}

/// Where the thread was.
fn instruction(context: *const c_void) -> Option<usize> {
    // SAFETY: the kernel hands a handler that asks for it the context.
    let machine = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext };
    #[cfg(target_arch = "x86_64")]
    let at = *machine.gregs.get(usize::try_from(libc::REG_RIP).ok()?)?;
    #[cfg(target_arch = "aarch64")]
    let at = machine.pc;
    usize::try_from(at).ok()
}

extern "C" fn on_fault(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel hands a handler that asks for it what it knows.
    let info = unsafe { &*info };
    // SAFETY: of a fault it is set; otherwise it is a number that is not looked at.
    let place = unsafe { info.si_addr() }.addr();
    if info.si_code <= 0 {
        // Somebody has sent it; it comes again when this returns, and ends the process.
        set_action(signal, libc::SIG_DFL);
        // SAFETY: sends a signal to this thread.
        unsafe { libc::raise(signal) };
        return;
    }
    let is_memory = matches!(signal, libc::SIGSEGV | libc::SIGBUS);
    let mut information = [0; 15];
    information[1] = place;
    let record = Record {
        code: code_of(signal),
        flags: 0,
        next: std::ptr::null(),
        address: std::ptr::without_provenance(instruction(context).unwrap_or(place)),
        parameters: if is_memory { 2 } else { 0 },
        information: if is_memory { information } else { [0; 15] },
    };
    let pointers = Pointers { record: &raw const record, context: std::ptr::null() };
    // Meanwhile other threads that fault ask the filter too. One that faults in the filter ends the
    // process: its signal is blocked there.
    if ask(&pointers) != Some(EXCEPTION_CONTINUE_EXECUTION) {
        set_action(signal, libc::SIG_DFL);
    }
}

fn ask(pointers: &Pointers) -> Option<i32> {
    let filter = filter_at(FILTER.load(Ordering::Acquire))?;
    // SAFETY: SetUnhandledExceptionFilter's caller says that it is a filter.
    Some(unsafe { filter(pointers) })
}

fn filter_at(address: usize) -> Option<Filter> {
    // SAFETY: 0 is no filter, and anything else came as one.
    unsafe { std::mem::transmute::<usize, Option<Filter>>(address) }
}

fn set_action(signal: c_int, handler: libc::sighandler_t) {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: of zeros it is an action with the default and without flags.
    let action = unsafe { action.assume_init_mut() };
    action.sa_sigaction = handler;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: the handler takes these arguments, or is the default.
    unsafe { libc::sigaction(signal, action, std::ptr::null_mut()) };
}

/// Whether the signal does what it does by itself, or is ours: handlers of the program's stay.
fn is_free(signal: c_int) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: fills in the local.
    let told = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: zeros or filled in, either is one.
    let handler = unsafe { action.assume_init() }.sa_sigaction;
    told == 0 && (handler == libc::SIG_DFL || handler == on_fault as *const () as usize)
}

fn set(filter: Option<Filter>) -> Outcome<usize> {
    let address = filter.map_or(0, |filter| filter as usize);
    let before = FILTER.swap(address, Ordering::AcqRel);
    let handler =
        if address == 0 { libc::SIG_DFL } else { on_fault as *const () as libc::sighandler_t };
    FAULTS.into_iter().filter(|signal| is_free(*signal)).for_each(|s| set_action(s, handler));
    Ok(before)
}

export! {
    /// Says which function is called when a thread faults: with the exception that Windows would
    /// raise, in that thread. When it returns the process ends, unless it says
    /// EXCEPTION_CONTINUE_EXECUTION. Gives the function that was called before.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/errhandlingapi/nf-errhandlingapi-setunhandledexceptionfilter>
    ///
    /// # Differs from Windows
    /// Faults are those of memory, of instructions and of arithmetic; a division by zero stands for
    /// all of the last. Whether memory was read or written is not told, and there is no context.
    /// The process ends by the signal. Handlers of signals that the program has set stay. A stack
    /// that has overflown has no room for the call, unless the thread has an alternate one.
    fn SetUnhandledExceptionFilter(lpTopLevelExceptionFilter: Option<Filter>) -> usize, fail 0; {
        set(lpTopLevelExceptionFilter)
    }
}

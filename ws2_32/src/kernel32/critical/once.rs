//! One-time initialization.
//!
//! The word holds the state in its low two bits and, once done, the program's context in the rest:
//! that is why a context may not use these bits.

use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use linsock::iocp::clock::Deadline;

use super::{Shared, futex, shared};
use crate::abi::{BOOL, FALSE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;

/// A program's initialization: it may store a context, and says whether it succeeded.
pub type InitOnceFunction =
    unsafe extern "C-unwind" fn(*mut INIT_ONCE, *mut c_void, *mut *mut c_void) -> BOOL;

/// A one-time initialization, in 8 octets of the program's.
#[repr(C)]
#[derive(Debug, Default)]
pub struct INIT_ONCE {
    word: AtomicU64,
}

const _: () = assert!(size_of::<INIT_ONCE>() == 8);

// SAFETY: an atomic.
unsafe impl Shared for INIT_ONCE {}

const INIT_ONCE_CHECK_ONLY: u32 = 1;
const INIT_ONCE_ASYNC: u32 = 2;
const INIT_ONCE_INIT_FAILED: u32 = 4;

const STATE: u64 = 3;
const FRESH: u64 = 0;
/// One thread initializes, the others wait for it.
const RUNNING: u64 = 1;
const DONE: u64 = 2;
/// Any number of threads initialize, and the first to complete wins.
const RACING: u64 = 3;

/// What a thread finds that wants something initialized.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// It is this thread's to do.
    Mine,
    /// It has been done, with this context.
    Done(u64),
}

impl INIT_ONCE {
    /// The initialization's context, if it is done.
    fn context(&self) -> Option<u64> {
        let word = self.word.load(Ordering::Acquire);
        (word & STATE == DONE).then_some(word & !STATE)
    }

    /// Begins alone, or waits for who has begun.
    fn begin(&self) -> Outcome<Found> {
        loop {
            let word = self.word.load(Ordering::Acquire);
            match word & STATE {
                FRESH if self.replace(word, RUNNING) => return Ok(Found::Mine),
                FRESH => {}
                RUNNING => self.sleep_while_running(),
                DONE => return Ok(Found::Done(word & !STATE)),
                _ => return Err(Error::ERROR_INVALID_PARAMETER),
            }
        }
    }

    /// Begins beside others.
    fn begin_race(&self) -> Outcome<Found> {
        loop {
            let word = self.word.load(Ordering::Acquire);
            match word & STATE {
                FRESH if self.replace(word, RACING) => return Ok(Found::Mine),
                FRESH => {}
                RACING => return Ok(Found::Mine),
                DONE => return Ok(Found::Done(word & !STATE)),
                _ => return Err(Error::ERROR_INVALID_PARAMETER),
            }
        }
    }

    /// Ends what was begun in the state `begun`, if it is in that state still.
    fn end(&self, begun: u64, end: u64) -> Outcome<()> {
        if !self.replace(begun, end) {
            return Err(Error::ERROR_GEN_FAILURE);
        }
        if begun == RUNNING {
            futex::wake(self.low_half(), i32::MAX);
        }
        Ok(())
    }

    fn replace(&self, from: u64, to: u64) -> bool {
        self.word.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// The half of the word with the state, by whose address the kernel knows the sleepers.
    const fn low_half(&self) -> *const AtomicU32 {
        const { assert!(cfg!(target_endian = "little")) };
        (&raw const self.word).cast()
    }

    fn sleep_while_running(&self) {
        // SAFETY: inside the word, aligned, and only the kernel looks at it.
        let word = unsafe { &*self.low_half() };
        futex::wait(word, 1, Deadline::Never);
    }
}

/// The word that stands for a context of the program's.
fn done_with(context: u64) -> Outcome<u64> {
    if context & STATE == 0 { Ok(context | DONE) } else { Err(Error::ERROR_INVALID_PARAMETER) }
}

/// A place for a context, if the program wants it.
fn check_place(context: *mut u64) -> Outcome<()> {
    ptr::check_writable_opt(context).map_err(|_| Error::ERROR_NOACCESS)
}

fn put(context: *mut u64, value: u64) -> Outcome<()> {
    ptr::write_opt(context, value).map_err(|_| Error::ERROR_NOACCESS)
}

/// Calls the program's initialization. Gives its context, or `None` if it failed.
fn call(once: *mut INIT_ONCE, function: InitOnceFunction, parameter: *mut c_void) -> Option<u64> {
    let mut context = std::ptr::null_mut();
    // SAFETY: InitOnceExecuteOnce's caller says that the function takes the parameter; the context
    // is a local.
    let succeeded = unsafe { function(once, parameter, &raw mut context) };
    (succeeded != 0).then(|| u64::try_from(context.expose_provenance()).unwrap_or(0))
}

export! {
    /// Makes memory a one-time initialization that has not begun, which all zero is too.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-initonceinitialize>
    ///
    /// # Errors
    /// An invalid or misaligned pointer sets ERROR_NOACCESS.
    fn InitOnceInitialize(InitOnce: *mut INIT_ONCE) -> (), fail (); {
        shared(InitOnce)?.word.store(FRESH, Ordering::Release);
        Ok(())
    }

    /// Initializes something once: the first thread calls the function, the others wait for it and
    /// get its context. If the function fails, the next thread calls it.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-initonceexecuteonce>
    ///
    /// # Errors
    /// FALSE when the function failed; its last error stands. ERROR_NOACCESS,
    /// ERROR_INVALID_PARAMETER for no function, for a context that uses its low two bits, and for
    /// an initialization that began with INIT_ONCE_ASYNC. Blocks while another thread is inside the
    /// function; not alertable.
    ///
    /// # Differs from Windows
    /// The function has to return: leaving it by ExitThread or a C++ exception ends the process.
    fn InitOnceExecuteOnce(
        InitOnce: *mut INIT_ONCE,
        InitFn: Option<InitOnceFunction>,
        Parameter: *mut c_void,
        Context: *mut u64,
    ) -> BOOL, fail FALSE; {
        let once = shared(InitOnce)?;
        let function = InitFn.ok_or(Error::ERROR_INVALID_PARAMETER)?;
        check_place(Context)?;
        let context = match once.begin()? {
            Found::Done(context) => context,
            Found::Mine => {
                let Some(context) = call(InitOnce, function, Parameter) else {
                    once.end(RUNNING, FRESH)?;
                    return Ok(FALSE);
                };
                let done = done_with(context);
                once.end(RUNNING, *done.as_ref().unwrap_or(&FRESH))?;
                done.map(|_| context)?
            }
        };
        put(Context, context)?;
        Ok(TRUE)
    }

    /// Begins a one-time initialization, or tells that it is done and gives its context.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-initoncebegininitialize>
    ///
    /// With INIT_ONCE_ASYNC several threads may initialize at once; else the others wait. With
    /// INIT_ONCE_CHECK_ONLY nothing begins.
    ///
    /// # Errors
    /// ERROR_NOACCESS, ERROR_INVALID_PARAMETER for unknown flags and for an initialization that
    /// another thread began in the other way, ERROR_GEN_FAILURE for INIT_ONCE_CHECK_ONLY while it
    /// is not done. Blocks, unless told otherwise, while another thread initializes; not alertable.
    fn InitOnceBeginInitialize(
        lpInitOnce: *mut INIT_ONCE,
        dwFlags: u32,
        fPending: *mut BOOL,
        lpContext: *mut u64,
    ) -> BOOL, fail FALSE; {
        let once = shared(lpInitOnce)?;
        if dwFlags & !(INIT_ONCE_CHECK_ONLY | INIT_ONCE_ASYNC) != 0 {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        ptr::check_writable(fPending, 1).map_err(|_| Error::ERROR_NOACCESS)?;
        check_place(lpContext)?;
        let found = if dwFlags & INIT_ONCE_CHECK_ONLY != 0 {
            once.context().map(Found::Done).ok_or(Error::ERROR_GEN_FAILURE)?
        } else if dwFlags & INIT_ONCE_ASYNC != 0 {
            once.begin_race()?
        } else {
            once.begin()?
        };
        let is_mine = found == Found::Mine;
        ptr::write(fPending, BOOL::from(is_mine)).map_err(|_| Error::ERROR_NOACCESS)?;
        if let Found::Done(context) = found {
            put(lpContext, context)?;
        }
        Ok(TRUE)
    }

    /// Completes a one-time initialization, or with INIT_ONCE_INIT_FAILED leaves it to the next
    /// thread.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-initoncecomplete>
    ///
    /// # Errors
    /// ERROR_NOACCESS, ERROR_INVALID_PARAMETER for flags that are unknown or exclude each other and
    /// for a context that uses its low two bits or belongs to a failure, ERROR_GEN_FAILURE when
    /// nothing was begun in this way or, with INIT_ONCE_ASYNC, another thread was first. Never
    /// blocks.
    fn InitOnceComplete(
        lpInitOnce: *mut INIT_ONCE,
        dwFlags: u32,
        lpContext: u64,
    ) -> BOOL, fail FALSE; {
        let once = shared(lpInitOnce)?;
        let (begun, end) = match dwFlags {
            0 => (RUNNING, done_with(lpContext)?),
            INIT_ONCE_ASYNC => (RACING, done_with(lpContext)?),
            INIT_ONCE_INIT_FAILED if lpContext == 0 => (RUNNING, FRESH),
            _ => return Err(Error::ERROR_INVALID_PARAMETER),
        };
        once.end(begun, end)?;
        Ok(TRUE)
    }
}

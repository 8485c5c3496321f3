//! A callback that runs: what the program may ask for while it does.
//!
//! Its number is valid on its own thread and while it runs; any other is refused.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use linsock::iocp::event::{Event, Semaphore};
use linsock::iocp::pool::{Pool, Tally};

use crate::abi::{BOOL, FALSE, HANDLE};
use crate::export::{Outcome, export};
use crate::kernel32::critical::{CRITICAL_SECTION, LeaveCriticalSection};
use crate::kernel32::library::FreeLibrary;
use crate::kernel32::object::{self, ReleaseMutex, Waitee};
use crate::last_error::Error;

/// A callback's number, as the program sees it.
pub type Instance = usize;

struct Running {
    number: Instance,
    pool: Arc<Pool>,
    /// Of the object that the callback is of, until the program says that it is no more.
    tally: Option<Arc<Tally>>,
    afterwards: Vec<Afterwards>,
}

/// What is done when the callback has returned.
enum Afterwards {
    Set(Arc<Event>),
    Release(Arc<Semaphore>, i32),
    /// By handle: its owner is this thread, and it may have been closed.
    ReleaseMutex(HANDLE),
    /// By address, which is checked when it is left.
    Leave(usize),
    /// By handle, which is checked when it is freed.
    Free(usize),
}

thread_local! {
    static RUNNING: RefCell<Option<Running>> = const { RefCell::new(None) };
}

/// Makes a callback that has begun in the tally.
pub(crate) fn run(pool: &Arc<Pool>, tally: &Arc<Tally>, call: impl FnOnce(Instance)) {
    static LAST: AtomicUsize = AtomicUsize::new(0);
    let number = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    let tally = Some(Arc::clone(tally));
    let running = Running { number, pool: Arc::clone(pool), tally, afterwards: Vec::new() };
    let outer = RUNNING.replace(Some(running));
    call(number);
    if let Some(running) = RUNNING.replace(outer) {
        running.afterwards.into_iter().for_each(Afterwards::perform);
        if let Some(tally) = running.tally {
            tally.end();
        }
    }
}

impl Afterwards {
    #[allow(unsafe_code, reason = "a call of an export")]
    fn perform(self) {
        match self {
            Self::Set(event) => event.set(),
            Self::Release(semaphore, by) => {
                // A count that would pass the maximum stays, as nobody can be told.
                let _ = semaphore.release(by);
            }
            Self::ReleaseMutex(handle) => {
                // SAFETY: it takes no pointer.
                unsafe { ReleaseMutex(handle) };
            }
            Self::Leave(section) => {
                let section = std::ptr::with_exposed_provenance_mut(section);
                // SAFETY: it checks the pointer, as for any caller.
                unsafe { LeaveCriticalSection(section) };
            }
            Self::Free(library) => {
                // SAFETY: it takes no pointer that it would follow.
                unsafe { FreeLibrary(library) };
            }
        }
    }
}

/// The callback with this number, which is the calling thread's.
fn with<R>(number: Instance, act: impl FnOnce(&mut Running) -> Outcome<R>) -> Outcome<R> {
    RUNNING.with_borrow_mut(|running| {
        let running = running.as_mut().filter(|running| running.number == number);
        act(running.ok_or(Error::ERROR_INVALID_PARAMETER)?)
    })
}

fn afterwards(number: Instance, what: Afterwards) -> Outcome<()> {
    with(number, |running| {
        running.afterwards.push(what);
        Ok(())
    })
}

export! {
    /// Tells that a callback takes long: TRUE if another thread is there for the others, or can be.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-callbackmayrunlong>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for a callback that does not run on the calling thread.
    fn CallbackMayRunLong(pci: Instance) -> BOOL, fail FALSE; {
        with(pci, |running| Ok(BOOL::from(running.pool.has_room())))
    }

    /// The callback counts no more as one of its object: nobody waits for it.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-disassociatecurrentthreadfromcallback>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for a callback that does not run on the calling thread.
    fn DisassociateCurrentThreadFromCallback(pci: Instance) -> (), fail (); {
        if let Some(tally) = with(pci, |running| Ok(running.tally.take()))? {
            tally.end();
        }
        Ok(())
    }

    /// Sets an event when the callback has returned.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-seteventwhencallbackreturns>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER for a callback that does not run on the
    /// calling thread.
    fn SetEventWhenCallbackReturns(pci: Instance, evt: HANDLE) -> (), fail (); {
        let event = object::event(evt).ok_or(Error::ERROR_INVALID_HANDLE)?;
        afterwards(pci, Afterwards::Set(event))
    }

    /// Raises a semaphore's count when the callback has returned.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-releasesemaphorewhencallbackreturns>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER for a count that no semaphore has and for a
    /// callback that does not run on the calling thread.
    fn ReleaseSemaphoreWhenCallbackReturns(pci: Instance, sem: HANDLE, crel: u32) -> (), fail (); {
        let Some(Waitee::Semaphore(semaphore)) = object::waitable(sem) else {
            return Err(Error::ERROR_INVALID_HANDLE);
        };
        let by = i32::try_from(crel).map_err(|_| Error::ERROR_INVALID_PARAMETER)?;
        afterwards(pci, Afterwards::Release(semaphore, by))
    }

    /// Releases a mutex when the callback has returned.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-releasemutexwhencallbackreturns>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER for a callback that does not run on the
    /// calling thread.
    fn ReleaseMutexWhenCallbackReturns(pci: Instance, r#mut: HANDLE) -> (), fail (); {
        let Some(Waitee::Mutant(_)) = object::waitable(r#mut) else {
            return Err(Error::ERROR_INVALID_HANDLE);
        };
        afterwards(pci, Afterwards::ReleaseMutex(r#mut))
    }

    /// Gives a library back when the callback has returned.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-freelibrarywhencallbackreturns>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for a callback that does not run on the calling thread.
    fn FreeLibraryWhenCallbackReturns(pci: Instance, r#mod: usize) -> (), fail (); {
        afterwards(pci, Afterwards::Free(r#mod))
    }

    /// Leaves a critical section when the callback has returned.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-leavecriticalsectionwhencallbackreturns>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for a callback that does not run on the calling thread.
    fn LeaveCriticalSectionWhenCallbackReturns(
        pci: Instance,
        pcs: *mut CRITICAL_SECTION,
    ) -> (), fail (); {
        afterwards(pci, Afterwards::Leave(pcs.expose_provenance()))
    }
}

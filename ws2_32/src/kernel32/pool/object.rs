//! The objects of the thread pool API: work, timers, waits, I/O, and what they are made with.
//!
//! The program's pointer to one is its number in the handle table, so that a stale one is refused.
//! An object lives as long as a callback is expected or runs, whatever the program has closed.
#![allow(unsafe_code, reason = "functions that the program names by address")]

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use linsock::iocp::handle::{Object as Entry, table};
use linsock::iocp::pool::{Job, Pool, Priority, Tally};

use super::instance::{self, Instance};
use super::{find_private, forget_private, no_memory, shared};
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export};
use crate::kernel32::object::no_access;
use crate::last_error::Error;
use crate::ptr;

pub mod group;
pub mod io;
pub mod timer;
pub mod wait;
pub mod work;

use group::Membership;

/// A callback environment, as the program's pointer to one is passed.
pub type CallbackEnvironment = u8;

/// The part of TP_CALLBACK_ENVIRON that both of its versions have, in words of 64 bits.
const ENVIRONMENT_WORDS: usize = 8;
const VERSIONS: [u32; 2] = [1, 3];

/// What an object is made with.
struct Environment {
    pool: Arc<Pool>,
    priority: Priority,
    membership: Option<Membership>,
}

impl Environment {
    /// What the program asks for, of a pool that has a thread: the functions that submit callbacks
    /// later have no result.
    fn read(at: *const CallbackEnvironment) -> Outcome<Self> {
        let environment = Self::as_asked(at)?;
        environment.pool.prepare().map_err(no_memory)?;
        Ok(environment)
    }

    fn as_asked(at: *const CallbackEnvironment) -> Outcome<Self> {
        if at.is_null() {
            let pool = Arc::clone(shared()?);
            return Ok(Self { pool, priority: Priority::Normal, membership: None });
        }
        let words: [u64; ENVIRONMENT_WORDS] = ptr::read(at.cast()).map_err(no_access)?;
        let [version, pool, group, cancel, _library, _context, _finalization, flags] = words;
        let version = low(version);
        if !VERSIONS.contains(&version) {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        let handle = |word: u64| HANDLE::try_from(word).unwrap_or(0);
        let pool = match handle(pool) {
            0 => Arc::clone(shared()?),
            pool => Arc::clone(&find_private::<OwnPool>(pool)?.0),
        };
        let membership = match handle(group) {
            0 => None,
            group => Some(Membership::of(group, handle(cancel))?),
        };
        // Version 1 has no priority there.
        let priority = if version == 1 { Ok(Priority::Normal) } else { priority(flags >> 32) };
        Ok(Self { pool, priority: priority?, membership })
    }
}

fn low(word: u64) -> u32 {
    u32::try_from(word & 0xFFFF_FFFF).unwrap_or(0)
}

/// TP_CALLBACK_PRIORITY (winnt.h).
fn priority(number: u64) -> Outcome<Priority> {
    match number {
        0 => Ok(Priority::High),
        1 => Ok(Priority::Normal),
        2 => Ok(Priority::Low),
        _ => Err(Error::ERROR_INVALID_PARAMETER),
    }
}

/// An object, whatever its kind.
struct Object {
    /// As the program knows it; 0 for a callback without an object.
    number: HANDLE,
    kind: Kind,
    context: usize,
    environment: Environment,
    tally: Arc<Tally>,
    /// The program has let go of it.
    released: AtomicBool,
    me: Weak<Self>,
}

/// What calls back, and the function that it calls.
enum Kind {
    /// A callback without an object, which has its function itself.
    Simple,
    Work(work::WorkCallback),
    Timer(timer::Timer),
    Wait(wait::Wait),
    Io(io::Io),
}

impl Object {
    /// Makes an object and gives its number.
    fn enter(kind: Kind, context: *mut c_void, environment: Environment) -> Outcome<HANDLE> {
        let mut made = None;
        let entered = table().insert_with(|handle, _| {
            let object = Self::new(handle.value(), kind, context, environment);
            made = Some(Arc::clone(&object));
            Entry::Private(object)
        });
        let number = entered.map_err(no_memory)?.value();
        if let Some(object) = made {
            Membership::join(&object);
        }
        Ok(number)
    }

    fn new(
        number: HANDLE,
        kind: Kind,
        context: *mut c_void,
        environment: Environment,
    ) -> Arc<Self> {
        let context = context.expose_provenance();
        Arc::new_cyclic(|me| Self {
            number,
            kind,
            context,
            environment,
            tally: Arc::default(),
            released: AtomicBool::new(false),
            me: Weak::clone(me),
        })
    }

    /// The object behind the program's pointer, if it is of the kind that is meant.
    fn find(number: HANDLE, is_meant: impl FnOnce(&Kind) -> bool) -> Outcome<Arc<Self>> {
        let found = find_private::<Self>(number)?;
        if is_meant(&found.kind) { Ok(found) } else { Err(Error::ERROR_INVALID_HANDLE) }
    }

    /// Queues a callback.
    fn submit(&self, job: Job) -> Outcome<()> {
        self.tally.announce();
        self.queue(job)
    }

    /// Queues a callback that is expected.
    fn queue(&self, job: Job) -> Outcome<()> {
        let Environment { pool, priority, .. } = &self.environment;
        let submitted = pool.submit(job, *priority);
        submitted.map_err(|error| {
            self.tally.withdraw();
            self.leave_group_if_over();
            no_memory(error)
        })
    }

    /// Makes a callback whose turn has come, unless it was called off.
    fn call(&self, function: impl FnOnce(Instance, *mut c_void)) {
        if self.tally.begin() {
            let context = std::ptr::with_exposed_provenance_mut(self.context);
            let call = |instance| function(instance, context);
            instance::run(&self.environment.pool, &self.tally, call);
        }
        self.leave_group_if_over();
    }

    /// No callback is queued any more by itself; those that are queued stay.
    fn disarm(&self) {
        match &self.kind {
            Kind::Timer(timer) => timer.close(),
            Kind::Wait(wait) => wait.close(),
            Kind::Simple | Kind::Work(_) | Kind::Io(_) => {}
        }
    }

    /// The program lets go of the object; false if it has before.
    fn release(self: &Arc<Self>) -> bool {
        let released = forget_private(self.number, self);
        if released {
            self.disarm();
            self.released.store(true, Ordering::SeqCst);
            self.leave_group_if_over();
            if let Kind::Io(io) = &self.kind {
                io.close(self);
            }
        }
        released
    }

    /// What was let go of stays in its group until its callbacks are over: who closes the group
    /// waits for those too. Not so I/O, which may never be over.
    fn leave_group_if_over(&self) {
        let may_leave = matches!(self.kind, Kind::Io(_)) || self.tally.is_idle();
        if self.released.load(Ordering::SeqCst) && may_leave {
            self.leave_group();
        }
    }

    fn leave_group(&self) {
        if let Some(membership) = &self.environment.membership {
            membership.leave(self);
        }
    }

    /// Waits for the callbacks, with those that have not begun called off if that is asked for.
    fn wait(&self, cancels: bool) {
        if cancels {
            self.tally.cancel();
        }
        self.tally.wait();
    }
}

/// The stacks of a pool's threads, in octets.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TP_POOL_STACK_INFORMATION {
    /// Of addresses.
    pub StackReserve: usize,
    /// Of memory, from the beginning on.
    pub StackCommit: usize,
}

/// A pool of the program's own.
struct OwnPool(Arc<Pool>);

export! {
    /// Creates a pool of threads, beside the process's own.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-createthreadpool>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER unless the argument is NULL, ERROR_NOT_ENOUGH_MEMORY.
    fn CreateThreadpool(reserved: *mut c_void) -> HANDLE, fail 0; {
        if !reserved.is_null() {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        let pool = OwnPool(Arc::new(Pool::new().map_err(no_memory)?));
        let number = table().insert(Entry::Private(Arc::new(pool))).map_err(no_memory)?;
        Ok(number.value())
    }

    /// Closes a pool, which ends when the last of its objects has.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-closethreadpool>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. Never blocks.
    fn CloseThreadpool(ptpp: HANDLE) -> (), fail (); {
        let pool = find_private::<OwnPool>(ptpp)?;
        let closed = forget_private(ptpp, &pool);
        if closed { Ok(()) } else { Err(Error::ERROR_INVALID_HANDLE) }
    }

    /// Sets how many threads a pool may have, 1 at least; none is stopped for that.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpoolthreadmaximum>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. Never blocks.
    fn SetThreadpoolThreadMaximum(ptpp: HANDLE, cthrdMost: u32) -> (), fail (); {
        let pool = find_private::<OwnPool>(ptpp)?;
        pool.0.set_maximum(usize::try_from(cthrdMost).unwrap_or(usize::MAX));
        Ok(())
    }

    /// Sets how large a stack the threads of a pool have that begin later; 0 is the usual size.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpoolstackinformation>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOACCESS; ERROR_INVALID_PARAMETER for a part to commit that is
    /// larger than the whole. Never blocks.
    ///
    /// # Differs from Windows
    /// No part of a stack is committed before it is used.
    fn SetThreadpoolStackInformation(
        ptpp: HANDLE,
        ptpsi: *const TP_POOL_STACK_INFORMATION,
    ) -> BOOL, fail FALSE; {
        let pool = find_private::<OwnPool>(ptpp)?;
        let [reserve, commit]: [usize; 2] = ptr::read(ptpsi.cast()).map_err(no_access)?;
        let reserve = if reserve == 0 { Pool::USUAL_STACK } else { reserve };
        if commit > reserve {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        pool.0.set_stack(reserve);
        Ok(TRUE)
    }

    /// Tells how large a stack the threads of a pool have that begin later.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-querythreadpoolstackinformation>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOACCESS. Never blocks.
    ///
    /// # Differs from Windows
    /// Nothing is told to be committed, for nothing is before it is used.
    fn QueryThreadpoolStackInformation(
        ptpp: HANDLE,
        ptpsi: *mut TP_POOL_STACK_INFORMATION,
    ) -> BOOL, fail FALSE; {
        let pool = find_private::<OwnPool>(ptpp)?;
        let told = TP_POOL_STACK_INFORMATION { StackReserve: pool.0.stack(), StackCommit: 0 };
        ptr::write(ptpsi, told).map_err(no_access)?;
        Ok(TRUE)
    }

    /// Sets how many threads a pool always has, and starts them. The maximum follows if it has to.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpoolthreadminimum>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE; ERROR_NOT_ENOUGH_MEMORY if not all can be started, and for more than
    /// 500 that the maximum does not allow. Never blocks.
    fn SetThreadpoolThreadMinimum(ptpp: HANDLE, cthrdMic: u32) -> BOOL, fail FALSE; {
        let pool = find_private::<OwnPool>(ptpp)?;
        let minimum = usize::try_from(cthrdMic).unwrap_or(usize::MAX);
        pool.0.set_minimum(minimum).map_err(no_memory)?;
        Ok(TRUE)
    }
}

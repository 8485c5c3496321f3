//! Timer queues.

use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use linsock::iocp::alarm::{Due, Ring, Setting};
use linsock::iocp::event::Event;
use linsock::iocp::handle::{Object as Entry, table};
use linsock::iocp::pool::{Notice, Pool, Priority, Tally};
use linsock::iocp::sync::Lock;

use super::{
    WT_EXECUTEINTIMERTHREAD, WT_EXECUTEONLYONCE, chosen, find_private, forget_private, instance,
    no_memory,
};
use crate::abi::{BOOL, FALSE, HANDLE, INVALID_HANDLE_VALUE, TRUE};
use crate::export::{Outcome, export};
use crate::kernel32::object::{event, no_access};
use crate::last_error::Error;
use crate::ptr::Out;

/// The callback of a queue's timer and of a registered wait: context, and TRUE if a time was over.
pub type WaitOrTimerCallback = unsafe extern "system" fn(*mut c_void, u8);

/// A queue: its timers by their addresses, which are theirs as long as they are here. One that was
/// deleted stays until its callbacks are over: who deletes the queue waits for those too.
#[derive(Default)]
struct Queue(Lock<HashMap<usize, Arc<Timer>>>);

/// A timer of a queue.
struct Timer {
    number: HANDLE,
    queue: Weak<Queue>,
    function: WaitOrTimerCallback,
    context: usize,
    pool: Arc<Pool>,
    flags: u32,
    tally: Arc<Tally>,
    state: Lock<State>,
    me: Weak<Self>,
}

#[derive(Default)]
struct State {
    setting: Setting,
    /// It is set no more, also by who has found it before: nobody waits for its callbacks then.
    deleted: bool,
}

/// The queue that timers without one are in.
fn common() -> Arc<Queue> {
    static COMMON: Lock<Option<Arc<Queue>>> = Lock::new(None);
    Arc::clone(COMMON.lock().get_or_insert_default())
}

fn find_queue(number: HANDLE) -> Outcome<Arc<Queue>> {
    if number == 0 { Ok(common()) } else { find_private(number) }
}

/// A time from now in milliseconds; INFINITE is never.
fn after(ms: u32) -> Option<Instant> {
    let delay = (ms != u32::MAX).then(|| Duration::from_millis(ms.into()))?;
    Instant::now().checked_add(delay)
}

impl Timer {
    fn period(&self, ms: u32) -> Duration {
        let once = self.flags & WT_EXECUTEONLYONCE != 0;
        if once { Duration::ZERO } else { Duration::from_millis(ms.into()) }
    }

    /// Sets it, unless it was deleted.
    fn set(&self, state: &mut State, due: u32, period: u32) -> Outcome<()> {
        if state.deleted {
            return Ok(());
        }
        state.setting.set(after(due), self.period(period), &self.me).map_err(no_memory)
    }

    /// Stops it and takes its number away; false if that has happened before. Callbacks that are
    /// queued or run go on.
    fn delete(self: &Arc<Self>) -> bool {
        let deleted = forget_private(self.number, self);
        let mut state = self.state.lock();
        state.setting.clear();
        state.deleted = true;
        drop(state);
        self.leave_if_over();
        deleted
    }

    /// Takes it out of its queue if it was deleted and no callback is expected or runs.
    fn leave_if_over(&self) {
        let is_over = self.state.lock().deleted && self.tally.is_idle();
        if let Some(queue) = self.queue.upgrade().filter(|_| is_over) {
            let gone = queue.0.lock().remove(&std::ptr::from_ref(self).addr());
            drop(gone);
        }
    }

    /// It has to be called by the timers' thread, which has not come to the last call yet: a thread
    /// that makes the calls itself would not have seen the period go by.
    fn is_late(&self) -> bool {
        self.flags & WT_EXECUTEINTIMERTHREAD != 0 && self.tally.is_expecting()
    }

    fn call(&self) {
        if self.tally.begin() {
            instance::run(&self.pool, &self.tally, |_| {
                let context = std::ptr::with_exposed_provenance_mut(self.context);
                // SAFETY: CreateTimerQueueTimer's caller says that the function takes the context.
                unsafe { (self.function)(context, 1) };
            });
        }
        self.leave_if_over();
    }
}

impl Ring for Timer {
    fn ring(self: Arc<Self>, due: Due) {
        let mut state = self.state.lock();
        if !state.setting.rings(due, &self.me) || self.is_late() {
            return;
        }
        // Under the lock: who deletes the timer and then waits does not miss it.
        self.tally.announce();
        drop(state);
        let own = Arc::clone(&self);
        if self.pool.submit(Box::new(move || own.call()), Priority::Normal).is_err() {
            // There is no thread to be had, and nobody waits for what is lost.
            self.tally.withdraw();
            self.leave_if_over();
        }
    }
}

/// What the functions that end something with callbacks are told to do about those.
pub(crate) enum Completion {
    /// INVALID_HANDLE_VALUE: wait for them.
    Wait,
    /// Set an event when they are over.
    Tell(Arc<Event>),
    /// Nothing.
    Ignore,
}

impl Completion {
    /// # Errors
    /// ERROR_INVALID_HANDLE.
    pub(crate) fn of(value: HANDLE) -> Outcome<Self> {
        match value {
            0 => Ok(Self::Ignore),
            INVALID_HANDLE_VALUE => Ok(Self::Wait),
            value => event(value).map(Self::Tell).ok_or(Error::ERROR_INVALID_HANDLE),
        }
    }

    /// Does it, for callbacks of which no more are expected.
    ///
    /// # Errors
    /// ERROR_IO_PENDING, which tells that some are not over.
    pub(crate) fn see_to(self, tallies: &[&Tally]) -> Outcome<BOOL> {
        match self {
            Self::Wait => {
                tallies.iter().for_each(|tally| tally.wait());
                return Ok(TRUE);
            }
            Self::Tell(event) => {
                let notice = Notice::new(event);
                tallies.iter().for_each(|tally| {
                    tally.hold_until_idle(&notice);
                });
            }
            Self::Ignore => {}
        }
        let all_over = tallies.iter().all(|tally| tally.is_idle());
        if all_over { Ok(TRUE) } else { Err(Error::ERROR_IO_PENDING) }
    }
}

/// Deletes a timer.
fn delete_timer(queue: HANDLE, timer: HANDLE, completion: HANDLE) -> Outcome<BOOL> {
    find_queue(queue)?;
    let (timer, completion) = (find_private::<Timer>(timer)?, Completion::of(completion)?);
    if !timer.delete() {
        return Err(Error::ERROR_INVALID_HANDLE);
    }
    completion.see_to(&[&*timer.tally])
}

/// Deletes a queue and its timers.
fn delete_queue(number: HANDLE, completion: Completion) -> Outcome<BOOL> {
    let queue = find_private::<Queue>(number)?;
    if !forget_private(number, &queue) {
        return Err(Error::ERROR_INVALID_HANDLE);
    }
    let timers: Vec<_> = queue.0.lock().values().cloned().collect();
    for timer in &timers {
        timer.delete();
    }
    let tallies: Vec<_> = timers.iter().map(|timer| &*timer.tally).collect();
    completion.see_to(&tallies)
}

export! {
    /// Creates a queue for timers.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-createtimerqueue>
    ///
    /// # Errors
    /// ERROR_NOT_ENOUGH_MEMORY.
    fn CreateTimerQueue() -> HANDLE, fail 0; {
        let number = table().insert(Entry::Private(Arc::<Queue>::default())).map_err(no_memory)?;
        Ok(number.value())
    }

    /// Creates a timer in a queue (NULL: one that all have), which calls a function on a thread of
    /// the pool after `DueTime` and then each `Period` milliseconds unless that is 0. Those with
    /// WT_EXECUTEINTIMERTHREAD or WT_EXECUTEINPERSISTENTTHREAD are called on one thread, one after
    /// the other.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-createtimerqueuetimer>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for no function or flags that do not exist, ERROR_NOACCESS,
    /// ERROR_INVALID_HANDLE, ERROR_NOT_ENOUGH_MEMORY. Never blocks.
    ///
    /// # Differs from Windows
    /// With WT_EXECUTEONLYONCE a period is not looked at. Periods that were missed are left out;
    /// with WT_EXECUTEINTIMERTHREAD also those that go by while the thread is busy. A callback
    /// that calls ExitThread ends the process.
    fn CreateTimerQueueTimer(
        phNewTimer: *mut HANDLE,
        TimerQueue: HANDLE,
        Callback: Option<WaitOrTimerCallback>,
        Parameter: *mut c_void,
        DueTime: u32,
        Period: u32,
        Flags: u32,
    ) -> BOOL, fail FALSE; {
        let function = Callback.ok_or(Error::ERROR_INVALID_PARAMETER)?;
        let out = Out::new(phNewTimer).map_err(no_access)?;
        let (queue, pool) = (find_queue(TimerQueue)?, Arc::clone(chosen(Flags)?));
        // Later nobody could be told that there is no thread.
        pool.prepare().map_err(no_memory)?;
        let context = Parameter.expose_provenance();
        let mut made = None;
        let entered = table().insert_with(|handle, _| {
            let timer = Arc::new_cyclic(|me| Timer {
                number: handle.value(),
                queue: Arc::downgrade(&queue),
                function,
                context,
                pool,
                flags: Flags,
                tally: Arc::default(),
                state: Lock::default(),
                me: Weak::clone(me),
            });
            made = Some(Arc::clone(&timer));
            Entry::Private(timer)
        });
        // The number is there before the callback can look at it.
        out.put(entered.map_err(no_memory)?.value());
        let Some(timer) = made else { return Err(Error::ERROR_NOT_ENOUGH_MEMORY) };
        queue.0.lock().insert(Arc::as_ptr(&timer).addr(), Arc::clone(&timer));
        let set = timer.set(&mut timer.state.lock(), DueTime, Period);
        set.inspect_err(|_| {
            timer.delete();
        })?;
        Ok(TRUE)
    }

    /// Sets a timer anew. One without a period whose time has come stays as it is.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-changetimerqueuetimer>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE (of either), ERROR_NOT_ENOUGH_MEMORY. Never blocks.
    ///
    /// # Differs from Windows
    /// That the timer is in the queue that is named is not looked at.
    fn ChangeTimerQueueTimer(
        TimerQueue: HANDLE,
        Timer: HANDLE,
        DueTime: u32,
        Period: u32,
    ) -> BOOL, fail FALSE; {
        find_queue(TimerQueue)?;
        let timer = find_private::<Timer>(Timer)?;
        let mut state = timer.state.lock();
        if !state.setting.has_rung_out() {
            timer.set(&mut state, DueTime, Period)?;
        }
        Ok(TRUE)
    }

    /// Deletes a timer. Its callbacks that are queued or run go on: an event is set when they are
    /// over, INVALID_HANDLE_VALUE waits for that.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-deletetimerqueuetimer>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. ERROR_IO_PENDING if callbacks were not over and it did not wait: the
    /// timer is deleted all the same. Blocks only if told so, and for ever in its own callback.
    ///
    /// # Differs from Windows
    /// That the timer is in the queue that is named is not looked at.
    fn DeleteTimerQueueTimer(
        TimerQueue: HANDLE,
        Timer: HANDLE,
        CompletionEvent: HANDLE,
    ) -> BOOL, fail FALSE; {
        delete_timer(TimerQueue, Timer, CompletionEvent)
    }

    /// Deletes a timer and does not wait: what [`DeleteTimerQueueTimer`] does without an event.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-deletetimerqueuetimer>
    ///
    /// Obsolete; errors as [`DeleteTimerQueueTimer`].
    fn CancelTimerQueueTimer(TimerQueue: HANDLE, Timer: HANDLE) -> BOOL, fail FALSE; {
        delete_timer(TimerQueue, Timer, 0)
    }

    /// Deletes a queue and its timers, as [`DeleteTimerQueueTimer`] does each.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-deletetimerqueueex>
    ///
    /// Errors and blocking as [`DeleteTimerQueueTimer`].
    fn DeleteTimerQueueEx(TimerQueue: HANDLE, CompletionEvent: HANDLE) -> BOOL, fail FALSE; {
        delete_queue(TimerQueue, Completion::of(CompletionEvent)?)
    }

    /// Deletes a queue and its timers, and does not wait for their callbacks.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-deletetimerqueue>
    ///
    /// Errors as [`DeleteTimerQueueTimer`].
    fn DeleteTimerQueue(TimerQueue: HANDLE) -> BOOL, fail FALSE; {
        delete_queue(TimerQueue, Completion::Ignore)
    }
}

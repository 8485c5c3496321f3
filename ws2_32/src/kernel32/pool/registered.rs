//! Registered waits: objects that call a function when they are signaled.

use std::ffi::c_void;
use std::sync::Arc;

use linsock::iocp::clock::Deadline;
use linsock::iocp::handle::{Object as Entry, table};
use linsock::iocp::pool::{Pool, Priority, Tally};
use linsock::iocp::sync::Lock;
use linsock::iocp::watcher::{self, Watch, Watched};

use super::queue::{Completion, WaitOrTimerCallback};
use super::{
    WT_EXECUTEINWAITTHREAD, WT_EXECUTEONLYONCE, chosen, find_private, forget_private, instance,
    no_memory,
};
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export};
use crate::kernel32::object::{Waitee, no_access, waitable};
use crate::last_error::Error;
use crate::ptr::Out;

/// A wait that is registered.
struct Registered {
    number: HANDLE,
    function: WaitOrTimerCallback,
    context: usize,
    what: Arc<Waitee>,
    ms: u32,
    flags: u32,
    pool: Arc<Pool>,
    tally: Arc<Tally>,
    stage: Lock<Stage>,
}

enum Stage {
    /// It waits, until this is dropped.
    Waiting(#[expect(dead_code, reason = "held, and not looked at")] Watch),
    /// Its callback is queued or runs, or it is about to wait.
    Resting,
    /// It was unregistered, or was to be called once and has been: it waits no more.
    Ended,
}

impl Registered {
    /// Begins to wait, unless it has ended.
    fn arm(self: &Arc<Self>) -> Outcome<()> {
        let mut stage = self.stage.lock();
        if matches!(*stage, Stage::Resting) {
            let own = Arc::clone(self);
            let tell = Box::new(move |is_signaled| own.waited(is_signaled));
            let what = Arc::clone(&self.what) as Arc<dyn Watched>;
            let watch = watcher::watch(what, Deadline::after_ms(self.ms), tell);
            *stage = Stage::Waiting(watch.map_err(no_memory)?);
        }
        Ok(())
    }

    /// The object was signaled, or the time is over. On the watcher's thread.
    fn waited(self: &Arc<Self>, is_signaled: bool) {
        let mut stage = self.stage.lock();
        if matches!(*stage, Stage::Ended) {
            if is_signaled {
                self.what.signal().give_back();
            }
            return;
        }
        *stage = if self.has(WT_EXECUTEONLYONCE) { Stage::Ended } else { Stage::Resting };
        // Under the lock: who unregisters it and then waits does not miss it.
        self.tally.announce();
        drop(stage);
        if self.has(WT_EXECUTEINWAITTHREAD) {
            return self.call(is_signaled);
        }
        let own = Arc::clone(self);
        let submitted = self.pool.submit(Box::new(move || own.call(is_signaled)), Priority::Normal);
        if submitted.is_err() {
            // There is no thread to be had, and nobody waits for what is lost.
            self.tally.withdraw();
        }
    }

    const fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    fn call(self: &Arc<Self>, is_signaled: bool) {
        if self.tally.begin() {
            instance::run(&self.pool, &self.tally, |_| {
                let context = std::ptr::with_exposed_provenance_mut(self.context);
                // SAFETY: RegisterWaitForSingleObject's caller says that the function takes the
                // context.
                unsafe { (self.function)(context, u8::from(!is_signaled)) };
            });
        }
        // The watcher's thread is there: it has told of this wait.
        let _ = self.arm();
    }

    fn end(&self) {
        let before = std::mem::replace(&mut *self.stage.lock(), Stage::Ended);
        // Outside the lock, which the watcher may wait for.
        drop(before);
    }
}

fn unregister(number: HANDLE, completion: Completion) -> Outcome<BOOL> {
    let registered = find_private::<Registered>(number)?;
    if !forget_private(number, &registered) {
        return Err(Error::ERROR_INVALID_HANDLE);
    }
    registered.end();
    completion.see_to(&[&*registered.tally])
}

export! {
    /// Has a function called on a thread of the pool when an object is signaled or a time is over,
    /// again and again unless WT_EXECUTEONLYONCE is given. With WT_EXECUTEINWAITTHREAD it is called
    /// by the thread that waits, which all have in common.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-registerwaitforsingleobject>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for no function or flags that do not exist, ERROR_NOACCESS,
    /// ERROR_INVALID_HANDLE, ERROR_NOT_ENOUGH_MEMORY. Never blocks.
    ///
    /// # Differs from Windows
    /// It waits again when the callback has returned: callbacks of one registration do not overlap.
    /// A callback that calls ExitThread ends the process.
    fn RegisterWaitForSingleObject(
        phNewWaitObject: *mut HANDLE,
        hObject: HANDLE,
        Callback: Option<WaitOrTimerCallback>,
        Context: *mut c_void,
        dwMilliseconds: u32,
        dwFlags: u32,
    ) -> BOOL, fail FALSE; {
        let function = Callback.ok_or(Error::ERROR_INVALID_PARAMETER)?;
        let out = Out::new(phNewWaitObject).map_err(no_access)?;
        let what = Arc::new(waitable(hObject).ok_or(Error::ERROR_INVALID_HANDLE)?);
        let pool = Arc::clone(chosen(dwFlags)?);
        if dwFlags & WT_EXECUTEINWAITTHREAD == 0 {
            // Later nobody could be told that there is no thread, and the signal would be lost.
            pool.prepare().map_err(no_memory)?;
        }
        let context = Context.expose_provenance();
        let mut made = None;
        let entered = table().insert_with(|handle, _| {
            let registered = Arc::new(Registered {
                number: handle.value(),
                function,
                context,
                what,
                ms: dwMilliseconds,
                flags: dwFlags,
                pool,
                tally: Arc::default(),
                stage: Lock::new(Stage::Resting),
            });
            made = Some(Arc::clone(&registered));
            Entry::Private(registered)
        });
        // The number is there before the callback can look at it.
        out.put(entered.map_err(no_memory)?.value());
        let Some(registered) = made else { return Err(Error::ERROR_NOT_ENOUGH_MEMORY) };
        registered.arm().inspect_err(|_| {
            forget_private(registered.number, &registered);
        })?;
        Ok(TRUE)
    }

    /// Ends a registered wait. Its callbacks that are queued or run go on.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-unregisterwait>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. ERROR_IO_PENDING if a callback was not over: the wait has ended all
    /// the same. Never blocks for long.
    fn UnregisterWait(WaitHandle: HANDLE) -> BOOL, fail FALSE; {
        unregister(WaitHandle, Completion::Ignore)
    }

    /// Ends a registered wait, as [`UnregisterWait`] does. An event is set when its callbacks are
    /// over, INVALID_HANDLE_VALUE waits for that.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-unregisterwaitex>
    ///
    /// Errors as [`UnregisterWait`]. Blocks only if told so, and for ever in a callback of its own.
    fn UnregisterWaitEx(WaitHandle: HANDLE, CompletionEvent: HANDLE) -> BOOL, fail FALSE; {
        unregister(WaitHandle, Completion::of(CompletionEvent)?)
    }
}

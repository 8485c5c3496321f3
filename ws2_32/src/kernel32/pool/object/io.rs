//! I/O objects: sockets whose completions call a function.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use linsock::iocp::pool::{Binding, Key};
use linsock::iocp::port::Told;

use super::{CallbackEnvironment, Environment, Kind, Object};
use crate::abi::{BOOL, HANDLE};
use crate::export::{Outcome, export};
use crate::kernel32::io::find_file;
use crate::kernel32::pool::instance::Instance;
use crate::kernel32::pool::{bind_failure, find_private};
use crate::last_error::Error;

/// An I/O object's callback: instance, context, OVERLAPPED, Win32 error, octets, the object.
pub type IoCallback =
    unsafe extern "system" fn(Instance, *mut c_void, *mut c_void, u32, usize, HANDLE);

pub(super) struct Io {
    function: IoCallback,
    key: OnceLock<Key>,
    /// The program has let go of it; then it is unbound when nothing is expected any more.
    closed: AtomicBool,
}

impl Io {
    /// The program lets go of the object.
    pub(super) fn close(&self, object: &Object) {
        self.closed.store(true, Ordering::SeqCst);
        self.unbind_if_over(object);
    }

    fn unbind_if_over(&self, object: &Object) {
        if self.closed.load(Ordering::SeqCst)
            && object.tally.is_idle()
            && let Some(key) = self.key.get()
        {
            object.environment.pool.unbind(*key);
        }
    }
}

impl Binding for Object {
    fn completed(self: Arc<Self>, told: Told) {
        let Kind::Io(io) = &self.kind else { return };
        let error = if told.status.is_success() { 0 } else { told.status.win32() };
        let overlapped = std::ptr::with_exposed_provenance_mut(told.overlapped);
        self.call(|instance, context| {
            // SAFETY: CreateThreadpoolIo's caller says that the function takes the context, and the
            // OVERLAPPED of an operation is the program's until it has been told.
            unsafe { (io.function)(instance, context, overlapped, error, told.bytes, self.number) };
        });
        io.unbind_if_over(&self);
    }
}

fn find(number: HANDLE) -> Outcome<Arc<Object>> {
    Object::find(number, |kind| matches!(kind, Kind::Io(_)))
}

export! {
    /// Creates an I/O object for a socket, which is bound to the pool for good.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-createthreadpoolio>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE; ERROR_INVALID_PARAMETER for no function and for a socket that has a
    /// port already; otherwise as TrySubmitThreadpoolCallback. Never blocks.
    ///
    /// # Differs from Windows
    /// As TrySubmitThreadpoolCallback.
    fn CreateThreadpoolIo(
        fl: HANDLE,
        pfnio: Option<IoCallback>,
        pv: *mut c_void,
        pcbe: *const CallbackEnvironment,
    ) -> HANDLE, fail 0; {
        let function = pfnio.ok_or(Error::ERROR_INVALID_PARAMETER)?;
        let (file, environment) = (find_file(fl)?, Environment::read(pcbe)?);
        let io = Io { function, key: OnceLock::new(), closed: AtomicBool::new(false) };
        let number = Object::enter(Kind::Io(io), pv, environment)?;
        let object = find_private::<Object>(number)?;
        let pool = &object.environment.pool;
        let key = pool.bind(Arc::clone(&object) as Arc<dyn Binding>);
        if let Kind::Io(io) = &object.kind {
            let _only_here = io.key.set(key);
        }
        pool.associate(&*file, key).map_err(|error| {
            object.release();
            bind_failure(error)
        })?;
        Ok(number)
    }

    /// Tells that an operation is about to be started, whose completion is to call the function.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-startthreadpoolio>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. Never blocks.
    ///
    /// # Differs from Windows
    /// A completion that was not announced calls nobody, and does no harm.
    fn StartThreadpoolIo(pio: HANDLE) -> (), fail (); {
        find(pio)?.tally.announce();
        Ok(())
    }

    /// Tells that the operation did not start, or that no completion follows it.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-cancelthreadpoolio>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. Never blocks.
    fn CancelThreadpoolIo(pio: HANDLE) -> (), fail (); {
        find(pio)?.tally.withdraw();
        Ok(())
    }

    /// Waits for the callbacks of an I/O object, of operations that are pending too; those that
    /// have not begun can be called off, and the operations go on.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-waitforthreadpooliocallbacks>
    ///
    /// As many of the completions that come next are left out as were called off.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. Blocks, and for ever inside a callback of that object that has not
    /// disassociated itself.
    fn WaitForThreadpoolIoCallbacks(pio: HANDLE, fCancelPendingCallbacks: BOOL) -> (), fail (); {
        find(pio)?.wait(fCancelPendingCallbacks != 0);
        Ok(())
    }

    /// Closes an I/O object, which ends when its callbacks have; they may do this themselves.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-closethreadpoolio>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. Never blocks.
    fn CloseThreadpoolIo(pio: HANDLE) -> (), fail (); {
        find(pio)?.release();
        Ok(())
    }
}

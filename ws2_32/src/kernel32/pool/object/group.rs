//! Cleanup groups: objects that are closed together.

use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::Arc;

use linsock::iocp::handle::{Object as Entry, table};
use linsock::iocp::sync::Lock;

use super::{Kind, Object};
use crate::abi::{BOOL, HANDLE};
use crate::export::{Outcome, export};
use crate::kernel32::pool::{find_private, forget_private, no_memory};
use crate::last_error::Error;

/// Called for a member that its group has cancelled: the member's context, the cleanup's.
pub type CancelCallback = unsafe extern "system" fn(*mut c_void, *mut c_void);

/// A cleanup group: its members by their addresses, which are theirs as long as they are here.
#[derive(Default)]
struct Group(Lock<HashMap<usize, Arc<Object>>>);

/// What an object has of its group.
pub(super) struct Membership {
    group: Arc<Group>,
    cancelled: Option<CancelCallback>,
}

impl Membership {
    /// `cancelled` is the address of a [`CancelCallback`], or 0.
    pub(super) fn of(group: HANDLE, cancelled: usize) -> Outcome<Self> {
        let at = std::ptr::with_exposed_provenance::<c_void>(cancelled);
        // SAFETY: who has put it into the environment says that it is such a function, and a null
        // pointer is none.
        let cancelled = unsafe { std::mem::transmute::<*const c_void, Option<CancelCallback>>(at) };
        Ok(Self { group: find_private(group)?, cancelled })
    }

    /// The object becomes a member of the group that it is made for, if it is made for one.
    pub(super) fn join(object: &Arc<Object>) {
        if let Some(membership) = &object.environment.membership {
            let member = Arc::clone(object);
            membership.group.0.lock().insert(Arc::as_ptr(object).addr(), member);
        }
    }

    /// The object is a member no more.
    pub(super) fn leave(&self, object: &Object) {
        let gone = self.group.0.lock().remove(&std::ptr::from_ref(object).addr());
        drop(gone);
    }
}

/// Closes a member; when callbacks are called off, gives whom to tell.
fn close(member: &Arc<Object>, cancels: bool) -> Option<CancelCallback> {
    let closes = member.release();
    if !cancels {
        return None;
    }
    let called_off = member.tally.cancel();
    // A callback without an object is over when it runs: only one that has not begun is cancelled.
    let is_cancelled = closes || called_off > 0 && matches!(member.kind, Kind::Simple);
    let membership = member.environment.membership.as_ref().filter(|_| is_cancelled)?;
    membership.cancelled
}

export! {
    /// Creates a cleanup group.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-createthreadpoolcleanupgroup>
    ///
    /// # Errors
    /// ERROR_NOT_ENOUGH_MEMORY.
    fn CreateThreadpoolCleanupGroup() -> HANDLE, fail 0; {
        let number = table().insert(Entry::Private(Arc::<Group>::default())).map_err(no_memory)?;
        Ok(number.value())
    }

    /// Closes all members of a group and waits for their callbacks, and for those of members other
    /// than I/O that were closed before. Callbacks that have not begun can be called off; then the
    /// group's function is called for each member that was not closed before, on the calling
    /// thread, when no callback of any member is left.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-closethreadpoolcleanupgroupmembers>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. Blocks, and for ever inside a callback of a member that has not
    /// disassociated itself.
    fn CloseThreadpoolCleanupGroupMembers(
        ptpcg: HANDLE,
        fCancelPendingCallbacks: BOOL,
        pvCleanupContext: *mut c_void,
    ) -> (), fail (); {
        let group = find_private::<Group>(ptpcg)?;
        let cancels = fCancelPendingCallbacks != 0;
        let members = std::mem::take(&mut *group.0.lock());
        let closed: Vec<_> =
            members.values().map(|member| (member, close(member, cancels))).collect();
        closed.iter().for_each(|(member, _)| member.tally.wait());
        for (member, told) in closed {
            if let Some(told) = told {
                let context = std::ptr::with_exposed_provenance_mut(member.context);
                // SAFETY: who has set the function for the group says that it takes these.
                unsafe { told(context, pvCleanupContext) };
            }
        }
        Ok(())
    }

    /// Closes a cleanup group, whose members were closed before.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-closethreadpoolcleanupgroup>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE. Never blocks.
    fn CloseThreadpoolCleanupGroup(ptpcg: HANDLE) -> (), fail (); {
        let group = find_private::<Group>(ptpcg)?;
        let closed = forget_private(ptpcg, &group);
        if closed { Ok(()) } else { Err(Error::ERROR_INVALID_HANDLE) }
    }
}

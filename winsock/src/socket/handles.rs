//! The handles of a socket: nearly always one, more after WSADuplicateSocket.
//!
//! A socket's own handle is its identity in the driver, so its place in the handle table stays the
//! socket's until the last handle is closed; a closed own handle is only no handle any more
//! ([`Table::retire`](linsock_iocp::handle::Table::retire)). Everything else is shared, because
//! there is but one socket: options, pending operations, the completion port, the selection of
//! network events.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use linsock_iocp::NtStatus;
use linsock_iocp::file::{File, FileCore};
use linsock_iocp::handle::{Handle, Object, table};

use super::{Inner, Socket};

/// The handles of a socket that has, or had, more than its own, here or elsewhere.
#[derive(Debug)]
pub(super) struct Handles {
    own_is_open: bool,
    others: Vec<Other>,
    /// How often the socket was given to another process, which may have it.
    pub(super) elsewhere: u32,
}

/// Another handle.
#[derive(Debug)]
struct Other {
    handle: Handle,
    /// WSASocket has given it to the program.
    claimed: bool,
}

impl Default for Handles {
    fn default() -> Self {
        Self { own_is_open: true, others: Vec::new(), elsewhere: 0 }
    }
}

/// What a closed handle leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// It was no handle of the socket's.
    Stale,
    /// The socket has others.
    Others,
    /// It was the last one.
    Nothing,
}

impl Socket {
    /// Gives the socket another handle, for [`claim`](Self::claim) to find.
    ///
    /// # Errors
    /// WSAENOTSOCK when it is closed; WSAEMFILE when the handle table is full.
    pub fn duplicate(self: &Arc<Self>) -> Result<Handle, NtStatus> {
        let mut inner = self.open()?;
        if table().file(self.token()).is_none() {
            return Err(NtStatus::INVALID_HANDLE);
        }
        self.shared.store(true, Ordering::Release);
        let handle = table()
            .insert(Object::File(Arc::clone(self) as Arc<dyn File>))
            .map_err(|_| NtStatus::TOO_MANY_OPENED_FILES)?;
        let handles = inner.handles.get_or_insert_default();
        handles.others.push(Other { handle, claimed: false });
        Ok(handle)
    }

    /// Takes charge of a handle that [`duplicate`](Self::duplicate) made: once.
    ///
    /// # Errors
    /// WSAEINVAL when it is none, or taken or closed already.
    pub fn claim(value: usize) -> Result<Handle, NtStatus> {
        let socket = Self::from_value(value).map_err(|_| NtStatus::INVALID_PARAMETER)?;
        let mut inner = socket.lock();
        let others = inner.handles.iter_mut().flat_map(|handles| &mut handles.others);
        let other = others
            .into_iter()
            .find(|other| other.handle.value() == value && !other.claimed)
            .ok_or(NtStatus::INVALID_PARAMETER)?;
        other.claimed = true;
        Ok(other.handle)
    }

    /// Whether it has, or had, more than one handle.
    #[inline]
    pub(super) fn is_shared(&self) -> bool {
        self.shared.load(Ordering::Acquire)
    }
}

impl Inner {
    pub(super) fn has_other_handles(&self) -> bool {
        let open = |handles: &Handles| handles.others.len() + usize::from(handles.own_is_open);
        self.handles.as_deref().is_some_and(|handles| open(handles) > 1)
    }

    /// Closes a handle of the socket with this core. The table decides, which the end of all
    /// sockets (WSACleanup) empties without asking.
    pub(super) fn drop_handle(&mut self, core: &FileCore, handle: Handle) -> Left {
        let is_own = handle == core.handle();
        let closed = |is_closed, left| if is_closed { left } else { Left::Stale };
        match self.handles.as_deref_mut() {
            Some(handles) if is_own && !handles.others.is_empty() => {
                let is_retired = table().retire(handle);
                handles.own_is_open &= !is_retired;
                closed(is_retired, Left::Others)
            }
            None | Some(_) if is_own => closed(table().remove(handle).is_some(), Left::Nothing),
            Some(handles) => {
                let is_open = handles.others.iter().any(|other| other.handle == handle);
                if !is_open || table().remove(handle).is_none() {
                    return Left::Stale;
                }
                handles.others.retain(|other| other.handle != handle);
                let is_last = !handles.own_is_open && handles.others.is_empty();
                if is_last && table().remove_retired(core.token()) {
                    Left::Nothing
                } else {
                    Left::Others
                }
            }
            None => Left::Stale,
        }
    }
}

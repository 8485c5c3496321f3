//! The sockets that a thread has used lately, so that most calls find theirs without the handle
//! table, whose locks other threads use.
//!
//! What is kept is weak: a socket ends as it would without. One whose handle was closed is not
//! found here, whoever still uses it.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use linsock_iocp::handle::Handle;

use super::Socket;

/// More than a busy server's connections of one batch, and than the slots that a few hundred
/// handles go round in.
const PLACES: usize = 256;

struct Recent {
    handle: Option<Handle>,
    socket: Weak<Socket>,
}

thread_local! {
    static RECENT: RefCell<[Recent; PLACES]> =
        const { RefCell::new([const { Recent { handle: None, socket: Weak::new() } }; PLACES]) };
}

/// A handle is a number of slots times 4 in its low bits.
#[inline]
const fn place(handle: Handle) -> usize {
    (handle.value() >> 2) % PLACES
}

/// The socket behind a handle, if the thread has used it lately and it is open.
#[inline]
pub(super) fn find(handle: Handle) -> Option<Arc<Socket>> {
    let find = |recent: &RefCell<[Recent; PLACES]>| {
        let recent = &recent.borrow()[place(handle)];
        if recent.handle == Some(handle) { recent.socket.upgrade() } else { None }
    };
    let socket = RECENT.try_with(find).ok()??;
    if socket.gone.is_set() { None } else { Some(socket) }
}

/// The thread uses the socket.
pub(super) fn note(socket: &Arc<Socket>) {
    let handle = socket.handle();
    put(Recent { handle: Some(handle), socket: Arc::downgrade(socket) }, handle);
}

/// The handle is closed: here its memory is let go of at once, for the next socket to have it warm.
pub(super) fn forget(handle: Handle) {
    put(Recent { handle: None, socket: Weak::new() }, handle);
}

fn put(recent: Recent, handle: Handle) {
    let put = |all: &RefCell<[Recent; PLACES]>| {
        std::mem::replace(&mut all.borrow_mut()[place(handle)], recent)
    };
    // What was there goes when nothing is borrowed.
    drop(RECENT.try_with(put));
}

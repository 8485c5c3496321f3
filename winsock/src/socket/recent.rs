//! The sockets that a thread has used lately, so that most calls find theirs without the handle
//! table, whose locks other threads use.
//!
//! What is kept is weak: a socket ends as it would without. (The memory of one that another thread
//! has closed is kept until its place is wanted: some 150 KB for a thread at most.) A socket whose
//! handle was closed is not found here, whoever still uses it.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use linsock_iocp::handle::Handle;
use linsock_iocp::sync::thread_local;

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

/// A handle has the number of its slot above its two low bits; neighbours have different places.
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
    // Of several handles, only the table knows which are closed.
    if socket.gone.is_set() || socket.is_shared() { None } else { Some(socket) }
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

#[cfg(test)]
mod tests {
    use linsock_iocp::afd::address::Family;
    use linsock_iocp::file::File;
    use linsock_iocp::handle::table;

    use super::*;
    use crate::catalog::Provider;

    fn open() -> Arc<Socket> {
        Socket::create(Provider::Tcp(Family::Inet), true).unwrap()
    }

    fn is(found: Option<Arc<Socket>>, socket: &Arc<Socket>) -> bool {
        found.is_some_and(|found| Arc::ptr_eq(&found, socket))
    }

    #[test]
    fn each_thread_finds_the_sockets_that_it_has_used() {
        let socket = open();
        let handle = socket.handle();
        assert!(is(find(handle), &socket), "who opens one uses it");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert!(find(handle).is_none());
                assert!(is(Socket::from_value(handle.value()).ok(), &socket));
                assert!(is(find(handle), &socket));
            });
        });
        socket.close_handle().unwrap();
    }

    /// Section 4 of the design: a stale handle is WSAENOTSOCK, also while a call still holds the
    /// socket, and whichever thread has closed it.
    #[test]
    fn a_closed_handle_is_found_by_nobody() {
        let held = open();
        let handle = held.handle();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let socket = Socket::from_value(handle.value()).unwrap();
                table().remove(handle).unwrap();
                File::close(&*socket);
            });
        });
        assert!(find(handle).is_none(), "noted, held, and closed elsewhere");
        assert!(Socket::from_value(handle.value()).is_err());
    }

    #[test]
    fn a_socket_ends_though_it_was_noted() {
        let socket = open();
        let weak = Arc::downgrade(&socket);
        table().remove(socket.handle()).unwrap();
        File::close(&*socket);
        drop(socket);
        assert!(weak.upgrade().is_none());
    }

    /// Whoever comes last to a place has it.
    #[test]
    fn two_sockets_with_one_place_are_both_found_by_their_handles() {
        let sockets: Vec<_> = (0..=PLACES).map(|_| open()).collect();
        for _ in 0..2 {
            for socket in &sockets {
                assert!(is(Socket::from_value(socket.handle().value()).ok(), socket));
            }
        }
        for socket in sockets {
            socket.close_handle().unwrap();
        }
    }
}

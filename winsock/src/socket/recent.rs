//! From a handle value to its socket; and the sockets that a worker of a port has used lately,
//! which its calls borrow.

use std::any::Any;
use std::sync::Arc;

use linsock_iocp::NtStatus;
use linsock_iocp::handle::recent::{Name, Recent};
use linsock_iocp::handle::{self, Handle, Token};
use linsock_iocp::port;
use linsock_iocp::sync::thread_local;

use super::Socket;

thread_local! {
    static RECENT: Recent<Socket> = const { Recent::empty() };
}

impl Socket {
    /// The socket behind a handle value.
    ///
    /// # Errors
    /// WSAENOTSOCK.
    #[inline]
    pub fn from_value(value: usize) -> Result<Arc<Self>, NtStatus> {
        Self::with(value, |socket| Ok(Arc::clone(socket)))
    }

    /// Has `call` work with the socket behind a handle value: for a call that is made often.
    ///
    /// # Errors
    /// WSAENOTSOCK; what `call` fails with.
    #[inline(always)]
    pub fn with<R, E: From<NtStatus>>(
        value: usize,
        call: impl FnOnce(&Arc<Self>) -> Result<R, E>,
    ) -> Result<R, E> {
        let Some(socket) = borrow(value) else { return Err(NtStatus::INVALID_HANDLE.into()) };
        let result = call(&socket);
        give_back(socket);
        result
    }

    /// The socket behind a driver token, while its handle is open.
    pub(crate) fn from_token(token: Token) -> Option<Arc<Self>> {
        let file = handle::table().file(token)?;
        (file as Arc<dyn Any + Send + Sync>).downcast().ok()
    }
}

/// The socket behind a handle value, for [`give_back`].
// Never inline, as the next: together they are four dozen instructions, and what inlines them keeps
// everything in memory across their rare cases.
#[inline(never)]
fn borrow(value: usize) -> Option<Arc<Socket>> {
    take(value).or_else(|| look_up(value))
}

/// Returns a socket.
#[inline(never)]
fn give_back(socket: Arc<Socket>) {
    drop(RECENT.try_with(|recent| recent.give_back(name_of(&socket), socket)));
}

/// Takes the socket from where the thread keeps it, if it does and the handle is open.
#[inline]
fn take(value: usize) -> Option<Arc<Socket>> {
    let socket = RECENT.try_with(|recent| recent.take(Name::of_value(value))).ok()??;
    // Of several handles, only the table knows which are closed.
    if socket.gone.is_set() || socket.is_shared() { None } else { Some(socket) }
}

#[cold]
fn look_up(value: usize) -> Option<Arc<Socket>> {
    let file = handle::table().file_of(Handle::from_value(value)?)?;
    let socket: Arc<Socket> = (file as Arc<dyn Any + Send + Sync>).downcast().ok()?;
    reserve(&socket);
    Some(socket)
}

/// The thread will use the socket, which it has just opened.
pub(super) fn note(socket: &Arc<Socket>) {
    reserve(socket);
    give_back(Arc::clone(socket));
}

/// The thread is about to use the socket, and will give it back.
fn reserve(socket: &Socket) {
    if port::keeps(let_go) {
        drop(RECENT.try_with(|recent| recent.reserve(name_of(socket))));
    }
}

/// The socket is closed: here its memory is let go of at once.
pub(super) fn forget(socket: &Socket) {
    drop(RECENT.try_with(|recent| recent.forget(name_of(socket))));
}

fn let_go() {
    let _ = RECENT.try_with(Recent::clear);
}

#[inline]
const fn name_of(socket: &Socket) -> Name {
    Name::of_value(socket.handle().value())
}

#[cfg(test)]
mod tests {

    use linsock_iocp::afd::address::Family;
    use linsock_iocp::clock::Deadline;
    use linsock_iocp::file::File;
    use linsock_iocp::handle::table;
    use linsock_iocp::port::CompletionPort;

    use super::*;
    use crate::catalog::Provider;

    fn open() -> Arc<Socket> {
        Socket::create(Provider::Tcp(Family::Inet), true).unwrap()
    }

    /// Runs on a thread of its own, which works for a port.
    fn as_worker(work: impl FnOnce(&Arc<CompletionPort>) + Send) {
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let port = CompletionPort::new(1).unwrap();
                assert!(port.wait_one(Deadline::after_ms(0)).is_err());
                work(&port);
            });
            worker.join().unwrap();
        });
    }

    fn use_it(handle: Handle) -> bool {
        Socket::with(handle.value(), |_| Ok::<_, NtStatus>(())).is_ok()
    }

    /// Whether the thread keeps the socket.
    fn keeps(socket: &Arc<Socket>) -> bool {
        let kept = take(socket.handle().value());
        let is_it = kept.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, socket));
        kept.into_iter().for_each(give_back);
        is_it
    }

    #[test]
    fn each_worker_keeps_the_sockets_that_it_has_used() {
        let socket = open();
        as_worker(|_| {
            assert!(!keeps(&socket));
            assert!(use_it(socket.handle()) && keeps(&socket) && keeps(&socket));
            let own = open();
            assert!(keeps(&own), "who opens one uses it");
            own.close_handle().unwrap();
        });
        socket.close_handle().unwrap();
    }

    /// It may never come back, and would keep what others close.
    #[test]
    fn who_works_for_no_port_keeps_nothing() {
        let socket = open();
        assert!(use_it(socket.handle()) && !keeps(&socket));
        let weak = Arc::downgrade(&socket);
        socket.close_handle().unwrap();
        drop(socket);
        assert!(weak.upgrade().is_none());
    }

    /// Section 4 of the design: a stale handle is WSAENOTSOCK, also while a call still holds the
    /// socket, and whichever thread has closed it.
    #[test]
    fn a_closed_handle_is_found_by_nobody() {
        let socket = open();
        let handle = socket.handle();
        as_worker(|_| {
            assert!(use_it(handle) && keeps(&socket));
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    table().remove(handle).unwrap();
                    File::close(&*socket);
                });
            });
            assert!(!keeps(&socket), "kept, and closed elsewhere");
            assert!(!use_it(handle));
        });
    }

    #[test]
    fn a_socket_ends_with_its_handle_where_it_was_kept() {
        as_worker(|_| {
            let socket = open();
            let weak = Arc::downgrade(&socket);
            assert!(keeps(&socket));
            drop(socket);
            let closed = Socket::with(weak.upgrade().unwrap().handle().value(), |socket| {
                socket.close_handle()
            });
            assert!(closed.is_ok() && weak.upgrade().is_none());
        });
    }

    /// What others have closed goes with the worker's port, and what is open is looked up again.
    #[test]
    fn a_worker_that_leaves_its_port_lets_go() {
        let (closed, open) = (open(), open());
        let weak = Arc::downgrade(&closed);
        as_worker(|port| {
            assert!(use_it(closed.handle()) && use_it(open.handle()));
            std::thread::scope(|scope| {
                scope.spawn(move || closed.close_handle().unwrap());
            });
            assert!(weak.upgrade().is_some(), "the memory is kept");
            port.close();
            assert!(port.wait_one(Deadline::Never).is_err());
            assert!(weak.upgrade().is_none() && !keeps(&open));
            assert!(use_it(open.handle()) && !keeps(&open));
            let other = CompletionPort::new(1).unwrap();
            assert!(other.wait_one(Deadline::after_ms(0)).is_err());
            assert!(use_it(open.handle()) && keeps(&open));
        });
        open.close_handle().unwrap();
    }

    /// Whoever comes last to a place has it.
    #[test]
    fn two_sockets_with_one_place_are_both_found_by_their_handles() {
        as_worker(|_| {
            let sockets: Vec<_> = (0..600).map(|_| open()).collect();
            for _ in 0..2 {
                for socket in &sockets {
                    let found = Socket::from_value(socket.handle().value()).unwrap();
                    assert!(Arc::ptr_eq(&found, socket));
                }
            }
            for socket in sockets {
                socket.close_handle().unwrap();
            }
        });
    }

    /// A call within a call finds the socket too, and it is kept once.
    #[test]
    fn a_socket_in_use_is_found_in_the_table() {
        as_worker(|_| {
            let socket = open();
            let handle = socket.handle();
            let within = Socket::with(handle.value(), |outer| {
                assert!(Arc::ptr_eq(&Socket::from_value(handle.value())?, outer));
                Ok::<_, NtStatus>(())
            });
            assert!(within.is_ok() && keeps(&socket));
            assert_eq!(Arc::strong_count(&socket), 3, "ours, the table's and the thread's");
            socket.close_handle().unwrap();
        });
    }
}

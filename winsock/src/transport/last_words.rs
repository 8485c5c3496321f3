//! Closing a descriptor whose peer does not have everything yet.
//!
//! While data is owed the close is armed as a reset, so that a process that ends meanwhile does not
//! make the peer believe that it has everything.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use linsock_iocp::clock::Deadline;
use linsock_iocp::sys;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net;

use super::tcp::{Detached, arm_reset, disarm_reset};

/// The kernel's number of the state CLOSED.
const CLOSED: u8 = 7;

/// closesocket with a linger time: sends `data` and closes gracefully once the peer has
/// acknowledged all data; resets when the deadline passes first (closesocket page, "hard close"),
/// and gives false then.
///
/// The kernel's own lingering would return at the deadline and go on in the background.
pub fn linger(fd: Detached, data: &[u8], deadline: Deadline) -> bool {
    arm_reset(fd.as_fd());
    let delivered = send_all(&fd, data, deadline) && is_acknowledged(&fd, deadline);
    if delivered {
        disarm_reset(fd.as_fd());
    }
    delivered
}

/// What a graceful close owes the peer when the kernel had no room for it.
#[derive(Debug, Default)]
pub struct Owed {
    /// Octets.
    pub data: Vec<u8>,
    /// A FIN behind them, which closing the descriptor does not send: others have it too.
    pub fin: bool,
}

/// Delivers what is owed and then closes gracefully, without a limit, on a thread of its own.
pub fn drain_in_background(fd: Detached, owed: Owed) {
    // Here already: the thread may not have run when the process ends.
    arm_reset(fd.as_fd());
    let drain = move || {
        if send_all(&fd, &owed.data, Deadline::Never) {
            disarm_reset(fd.as_fd());
            if owed.fin {
                let _ = net::shutdown(&fd, net::Shutdown::Write);
            }
        }
    };
    // Without a thread the data is lost and the connection reset: nothing better is left to do.
    let _ = std::thread::Builder::new().name("linsock-drain".into()).spawn(drain);
}

/// Closes a descriptor without a wait for the peer, which the kernel's SO_LINGER would be if nobody
/// else has it. The option stays: it is that of whoever else does.
pub fn close_without_a_wait(fd: impl AsFd + Send + 'static) {
    let lingers =
        net::sockopt::socket_linger(&fd).is_ok_and(|time| time.is_some_and(|it| !it.is_zero()));
    if lingers {
        let _ = std::thread::Builder::new().name("linsock-linger".into()).spawn(move || drop(fd));
    }
}

/// Gives all of it to the kernel; false when the connection or the time ended first.
fn send_all(fd: &Detached, mut rest: &[u8], deadline: Deadline) -> bool {
    while !rest.is_empty() {
        match net::send(fd, rest, net::SendFlags::NOSIGNAL) {
            Ok(sent) => rest = &rest[sent..],
            Err(Errno::AGAIN) if deadline.is_over() => return false,
            Err(Errno::AGAIN | Errno::INTR) => {
                let _ = poll(&mut [PollFd::new(fd, PollFlags::OUT)], deadline.left().as_ref());
            }
            Err(_) => return false,
        }
    }
    true
}

/// Waits until the peer has acknowledged all data; false when the time or the connection ended
/// first.
fn is_acknowledged(fd: &Detached, deadline: Deadline) -> bool {
    let at_most = |octets| sys::unacknowledged(fd.as_fd()).is_none_or(|left| left <= octets);
    if at_most(0) {
        return true;
    }
    // The acknowledgement of data is no event to wait for, that of the FIN is. It takes a number of
    // its own and need not be waited for itself.
    let _ = net::shutdown(fd, net::Shutdown::Write);
    at_most(1) || wait_for_changes(fd, deadline, || at_most(1)).unwrap_or(false)
}

/// Looks again at every change of the connection's state, until the deadline.
fn wait_for_changes(
    fd: &Detached,
    deadline: Deadline,
    is_done: impl Fn() -> bool,
) -> Result<bool, Errno> {
    let changes = epoll::create(CreateFlags::CLOEXEC)?;
    let edges = EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
    epoll::add(&changes, fd, EventData::new_u64(0), edges)?;
    while !is_done() {
        if deadline.is_over() || sys::tcp_state(fd.as_fd()) == Some(CLOSED) {
            return Ok(false);
        }
        let mut event = [MaybeUninit::<epoll::Event>::uninit()];
        let _ = epoll::wait(&changes, &mut event, deadline.left().as_ref());
    }
    Ok(true)
}

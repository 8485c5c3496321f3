//! How many connections one report of a listener brings.

use std::os::fd::BorrowedFd;

use linsock_iocp::driver::{Interest, Readiness};
use linsock_iocp::irp::Deferred;
use linsock_iocp::{cache, sys};

use crate::socket::operation::{Kind, Operation};
use crate::socket::{Inner, Socket};

/// The most that come besides the first. What a worker takes together it also has in its caches
/// together (16 were no better than 8, and 4 not as good).
const MOST: u32 = 7;
/// How many reports pass after a look that found nobody: it is a system call.
const PAUSE: u8 = 4;

/// A listener's memory of how much it pays to look whether more connections wait.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    pause: u8,
}

impl Crowd {
    /// How many connections to take besides the one that was reported.
    pub(super) fn look(&mut self, listener: BorrowedFd<'_>) -> u32 {
        if self.pause > 0 {
            self.pause -= 1;
            return 0;
        }
        let waiting = sys::backlog(listener);
        if waiting == 0 {
            self.pause = PAUSE;
        }
        waiting.min(MOST)
    }
}

impl Inner {
    /// Gives the oldest accept a connection, and deferred ones to all accepts that wait.
    ///
    /// One connection per report, so that a flood of them does not starve those already in; the
    /// driver reports the next one by itself. Several where nobody else had anything to report:
    /// each report less is a wait less.
    pub(in crate::socket) fn progress_accepts(
        &mut self,
        socket: &Socket,
        readiness: Readiness,
        after: &mut Deferred,
    ) {
        self.accept_one(socket, after);
        if readiness.is_alone()
            && let Some(fd) = self.tcp.fd()
        {
            let more = self.listening.get_or_insert_default().crowd.look(fd);
            for _ in 0..more {
                // Paused: nobody waits for more, or descriptors have run out.
                if self.tcp.watched() != Some(Interest::Level) {
                    break;
                }
                self.accept_one(socket, after);
            }
        }
        self.place_deferred(socket, after);
    }

    /// Asks the processor for the accepts that come next; the second's call is known when it is
    /// there itself.
    pub(super) fn fetch_accepts(&self) {
        let mut accepts = self.endpoint.accepts();
        if let Some(Operation { kind: Kind::Accept(call), .. }) = accepts.next() {
            cache::fetch(&**call);
        }
        if let Some(second) = accepts.next() {
            cache::fetch(second);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_look_that_finds_nobody_lets_reports_pass() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (mut crowd, at) = (Crowd::default(), listener.local_addr().unwrap());
        assert_eq!(crowd.look(listener.as_fd()), 0);
        let _clients: Vec<_> = (0..9).map(|_| TcpStream::connect(at).unwrap()).collect();
        for _ in 0..PAUSE {
            assert_eq!(crowd.look(listener.as_fd()), 0);
        }
        assert_eq!(crowd.look(listener.as_fd()), MOST);
        drop((0..4).map(|_| listener.accept().unwrap()).collect::<Vec<_>>());
        assert_eq!(crowd.look(listener.as_fd()), 5);
    }
}

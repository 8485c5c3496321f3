//! What a datagram socket has instead of a connection: two halves that can be shut down, and the
//! transfers that wait.
//!
//! Pure, as the endpoint: it refuses with a status and changes nothing, or admits; IRPs are moved
//! in and leave exactly once. The connection verbs are not here: the endpoint of a datagram socket
//! is never connected and refuses them.

use crate::endpoint::{Pending, Shutdown, Start};
use crate::queue::Queue;
use crate::status::NtStatus;

/// How a datagram socket stands, without its operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// It has a local address: by bind, or because something was sent.
    pub bound: bool,
    /// It has a default destination.
    pub connected: bool,
    /// This side has shut down its sending half.
    pub send_shut: bool,
    /// This side has shut down its receiving half.
    pub recv_shut: bool,
}

/// The state and the queues.
#[derive(Debug)]
pub struct Datagrams<I> {
    standing: Standing,
    receives: Queue<I>,
    sends: Queue<I>,
}

impl<I> Default for Datagrams<I> {
    fn default() -> Self {
        Self::from_standing(Standing::default())
    }
}

impl<I> Datagrams<I> {
    /// One that stands as another did, maybe in another process.
    pub const fn from_standing(standing: Standing) -> Self {
        Self { standing, receives: Queue::new(), sends: Queue::new() }
    }

    /// How it stands.
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// Whether it has a local address.
    pub const fn is_bound(&self) -> bool {
        self.standing.bound
    }

    /// Whether it has a default destination.
    pub const fn is_connected(&self) -> bool {
        self.standing.connected
    }

    /// bind is allowed once, and not after something was sent.
    ///
    /// # Errors
    /// WSAEINVAL.
    pub const fn check_bind(&self) -> Result<(), NtStatus> {
        if self.standing.bound { Err(NtStatus::INVALID_PARAMETER) } else { Ok(()) }
    }

    /// It has a local address from now on.
    pub const fn set_bound(&mut self) {
        self.standing.bound = true;
    }

    /// It has, or has lost, its default destination.
    pub const fn set_connected(&mut self, connected: bool) {
        self.standing.connected = connected;
        self.standing.bound |= connected;
    }

    /// shutdown: succeeds in every state, any number of times (`test_shutdown`). A receive that
    /// pends survives, as on a connection.
    pub const fn shutdown(&mut self, how: Shutdown) {
        self.standing.send_shut |= matches!(how, Shutdown::Send | Shutdown::Both);
        self.standing.recv_shut |= matches!(how, Shutdown::Receive | Shutdown::Both);
    }

    /// Whether a send may start.
    ///
    /// # Errors
    /// WSAESHUTDOWN; WSAENOTCONN without a destination.
    pub const fn send(&self, has_destination: bool) -> Result<Start, NtStatus> {
        if self.standing.send_shut {
            Err(NtStatus::PIPE_DISCONNECTED)
        } else if !has_destination && !self.standing.connected {
            Err(NtStatus::INVALID_CONNECTION)
        } else if self.sends.is_empty() {
            Ok(Start::Now)
        } else {
            Ok(Start::Behind)
        }
    }

    /// Whether a receive may start.
    ///
    /// # Errors
    /// WSAESHUTDOWN; WSAEINVAL without a local address.
    pub const fn recv(&self) -> Result<Start, NtStatus> {
        if self.standing.recv_shut {
            Err(NtStatus::PIPE_DISCONNECTED)
        } else if !self.standing.bound {
            Err(NtStatus::INVALID_PARAMETER)
        } else if self.receives.is_empty() {
            Ok(Start::Now)
        } else {
            Ok(Start::Behind)
        }
    }

    /// What waits.
    pub fn pending(&self) -> Pending {
        let (receives, sends) = (self.receives.len(), self.sends.len());
        Pending { receives, sends, ..Pending::default() }
    }

    /// The receives that wait, oldest first.
    pub const fn receives(&mut self) -> &mut Queue<I> {
        &mut self.receives
    }

    /// The sends that wait, oldest first.
    pub const fn sends(&mut self) -> &mut Queue<I> {
        &mut self.sends
    }

    /// Takes out what `chosen` picks; the rest keeps its order.
    pub fn cancel(&mut self, mut chosen: impl FnMut(&I) -> bool) -> Queue<I> {
        let mut gone = Queue::new();
        for queue in [&mut self.receives, &mut self.sends] {
            let (picked, kept): (Queue<I>, Queue<I>) =
                core::mem::take(queue).into_iter().partition(|irp| chosen(irp));
            *queue = kept;
            gone.extend(picked);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The wsa codes of a send without and with a destination, and of a receive; 0 is admitted.
    fn answers(datagrams: &Datagrams<u32>) -> [u32; 3] {
        let code = |answer: Result<Start, NtStatus>| answer.map_or_else(NtStatus::wsa, |_| 0);
        [code(datagrams.send(false)), code(datagrams.send(true)), code(datagrams.recv())]
    }

    /// recvfrom page: "not been bound"; send page: not connected; test_shutdown for the rest.
    #[test]
    fn what_is_refused_in_which_state() {
        let mut one = Datagrams::default();
        assert_eq!(answers(&one), [10057, 0, 10022]);
        assert!(!one.is_bound() && !one.is_connected());
        one.set_bound();
        assert!(one.is_bound() && !one.is_connected());
        assert_eq!(one.check_bind().map_err(NtStatus::wsa), Err(10022));
        assert_eq!(answers(&one), [10057, 0, 0]);
        one.set_connected(true);
        assert_eq!(answers(&one), [0, 0, 0]);
        assert!(one.is_connected());
        one.set_connected(false);
        assert!(one.is_bound() && !one.is_connected());
        assert_eq!(answers(&one), [10057, 0, 0], "still bound");
        one.shutdown(Shutdown::Send);
        one.shutdown(Shutdown::Send);
        assert_eq!(answers(&one), [10058, 10058, 0]);
        one.shutdown(Shutdown::Receive);
        assert_eq!(answers(&one), [10058, 10058, 10058]);
        let mut unbound = Datagrams::default();
        unbound.shutdown(Shutdown::Both);
        assert_eq!(answers(&unbound), [10058; 3]);
    }

    #[test]
    fn transfers_wait_in_order_and_leave_once() {
        let mut one = Datagrams::default();
        one.set_connected(true);
        for irp in 1..=4 {
            one.receives().push_back(irp);
            one.sends().push_back(10 + irp);
        }
        assert_eq!(one.recv(), Ok(Start::Behind));
        assert_eq!(one.send(true), Ok(Start::Behind));
        one.shutdown(Shutdown::Both);
        let gone: alloc::vec::Vec<_> = one.cancel(|irp| irp % 2 == 0).into_iter().collect();
        assert_eq!(gone, [2, 4, 12, 14], "those that pend survive a shutdown");
        assert_eq!(one.receives().pop_front(), Some(1));
        assert_eq!(one.cancel(|_| true).into_iter().count(), 3);
        assert_eq!(one.cancel(|_| true).into_iter().count(), 0);
    }
}

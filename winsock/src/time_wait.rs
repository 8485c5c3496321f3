//! TIME_WAIT: the pairs of addresses that may not be used again yet, and the setting.
//!
//! Whoever closes a connection first leaves its pair in TIME_WAIT for `TcpTimedWaitDelay`
//! (DisconnectEx page). Linux keeps a record of its own for 60 s. What linsock holds itself is what
//! the kernel's record does not say: the pairs of sockets that the program bound to a port of its
//! choice, for as long as the setting says. A port that the system chose is chosen anew for the
//! next connection, so nothing waits for it and nothing is held here.
//!
//! While a pair is held, connecting it again is refused with WSAEADDRINUSE, and a disconnect with
//! reuse by the side that closed first completes only when it is free, because the handle stays
//! bound to that port. It blocks that pair and no other. The connections of an accepted handle are
//! not held: the handle becomes unbound, and whether their pair can be used again is for the peer
//! to say.

mod kernel;
pub mod table;

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use linsock_iocp::afd::CloseReason;
use linsock_iocp::guardian;
use linsock_iocp::sync::Lock;
use rustix::io::Errno;

use crate::settings::{self, TimeWaitPolicy};
use table::Table;

/// The two ends of a connection, as this side sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pair {
    /// This side.
    pub local: SocketAddr,
    /// The peer.
    pub remote: SocketAddr,
}

/// A pair that linsock holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The pair.
    pub pair: Pair,
    /// How long it is still held.
    pub left: Duration,
}

struct TimeWait {
    table: Table,
    /// A sweep is on its way.
    sweeping: bool,
    /// The kernel's records are removed when their pairs are free here.
    removing: bool,
}

impl TimeWait {
    /// The pairs that are free here and of which the kernel may have a record still.
    fn take_expired(&mut self) -> Vec<Pair> {
        if self.removing { self.table.take_expired(Instant::now()) } else { Vec::new() }
    }
}

static TIME_WAIT: LazyLock<Lock<TimeWait>> = LazyLock::new(|| {
    Lock::new(TimeWait { table: Table::new(Instant::now()), sweeping: false, removing: false })
});

/// How many pairs are held, for those who only want to know whether there are any.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// How long pairs are kept between sweeps that nobody asked for.
const SWEEP: Duration = Duration::from_secs(1);

/// Has the kernel reset a connection of anybody's.
pub(crate) fn reset(pair: Pair) -> Result<bool, Errno> {
    kernel::reset(pair)
}

/// Every pair that linsock holds in this process.
pub fn held() -> Vec<Held> {
    let pairs = TIME_WAIT.lock().table.pairs(Instant::now());
    pairs.into_iter().map(|(pair, left)| Held { pair, left }).collect()
}

/// How long a pair is really kept from use: `TcpTimedWaitDelay`, but not less than the kernel's 60
/// s unless this process may have the kernel's records removed (CAP_NET_ADMIN in its network
/// namespace).
pub fn effective_delay() -> Duration {
    let delay = settings::timed_wait_delay();
    if delay >= kernel::KEPT || kernel::may_remove() { delay } else { kernel::KEPT }
}

/// How a connection's end leaves its pair.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    /// Who closed first.
    pub(crate) reason: Option<CloseReason>,
    /// The program bound the socket to a port of its choice, and it connected.
    pub(crate) chose_port: bool,
}

impl Ended {
    /// Whether the pair is held and a disconnect with reuse waits for it.
    fn is_held(self) -> bool {
        let active = matches!(self.reason, None | Some(CloseReason::LocalGraceful));
        active
            && match settings::time_wait_policy() {
                TimeWaitPolicy::Auto => self.chose_port,
                TimeWaitPolicy::Always => true,
                TimeWaitPolicy::Never => false,
            }
    }
}

/// A connection has ended gracefully, and this side closed first unless `ended` says otherwise:
/// holds its pair. Gives how long a disconnect with reuse has to wait; `None` if it does not.
pub(crate) fn enter(ended: Ended, pair: impl FnOnce() -> Option<Pair>) -> Option<Duration> {
    if !ended.is_held() {
        return None;
    }
    let delay = settings::timed_wait_delay();
    let pair = pair()?;
    if delay.is_zero() {
        return None;
    }
    let now = Instant::now();
    let shorter = delay < kernel::KEPT && kernel::may_remove();
    let mut time_wait = TIME_WAIT.lock();
    if shorter && !std::mem::replace(&mut time_wait.removing, true) {
        let _from_now_on = time_wait.table.take_expired(now);
    }
    time_wait.table.hold(&pair, now, delay);
    HELD.store(time_wait.table.count(), Ordering::Relaxed);
    if !std::mem::replace(&mut time_wait.sweeping, true) {
        guardian::call_after(SWEEP, sweep);
    }
    time_wait.table.left(&pair, now)
}

/// Whether a pair may not be connected yet.
pub(crate) fn holds(pair: &Pair) -> bool {
    let mut time_wait = TIME_WAIT.lock();
    let held = time_wait.table.holds(pair, Instant::now());
    let expired = time_wait.take_expired();
    drop(time_wait);
    // Before anybody connects the pair again.
    kernel::remove(&expired);
    held
}

/// Whether any pair is held: nobody need find out its own address if none is.
pub(crate) fn is_empty() -> bool {
    HELD.load(Ordering::Relaxed) == 0
}

/// The peer has opened the pair again, which it may (RFC 9293, 3.6.1).
pub(crate) fn reopened(pair: &Pair) {
    TIME_WAIT.lock().table.release(pair);
}

/// One timer for the table, not one for each pair.
fn sweep() {
    let mut time_wait = TIME_WAIT.lock();
    time_wait.table.sweep(Instant::now());
    let expired = time_wait.take_expired();
    HELD.store(time_wait.table.count(), Ordering::Relaxed);
    time_wait.sweeping = time_wait.table.count() > 0;
    if time_wait.sweeping {
        guardian::call_after(SWEEP, sweep);
    }
    drop(time_wait);
    kernel::remove(&expired);
}

/// Lets go of what is free, here and in the kernel: the caller is about to use a pair again.
pub(crate) fn settle() {
    let expired = TIME_WAIT.lock().take_expired();
    kernel::remove(&expired);
}

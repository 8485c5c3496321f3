//! The seam to the kernel's readiness notification: one epoll.
//!
//! Required behaviour, should another driver ever stand here: a descriptor is added once and
//! reports, edge-triggered, every change to readable, writable, hung up or failed, with the current
//! state as the first report; any number of threads may wait, and the one that began last is woken
//! first.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;

use crate::clock::Deadline;
use crate::handle::Token;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::before_wait;

/// Events taken per wait. Sixteen keeps a receive and the send that answers it close together in
/// the cache; the figures are in BENCHMARKS.md's sources.
pub(crate) const HARVEST: usize = 16;

/// What the kernel reports of a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    flags: EventFlags,
    /// The epoch when the kernel was asked.
    asked: Epoch,
    /// See [`is_alone`](Self::is_alone).
    alone: bool,
}

/// A moment in the order of waits and of connections that begin.
///
/// A descriptor can be dissolved and connect again while a thread still holds a report about its
/// former connection. Who would take a report at its word first asks whether it is
/// [newer](Readiness::is_newer_than) than the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(u64);

static EPOCH: AtomicU64 = AtomicU64::new(1);

impl Epoch {
    /// A connection begins.
    pub fn begin() -> Self {
        Self(EPOCH.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn now() -> Self {
        Self(EPOCH.load(Ordering::SeqCst))
    }
}

impl Readiness {
    /// Everything may have changed: what a thread that did not ask the driver assumes.
    pub const UNKNOWN: Self = Self {
        flags: EventFlags::IN.union(EventFlags::OUT).union(EventFlags::ERR),
        asked: Epoch(0),
        alone: false,
    };

    /// Data, a connection, or the end of data.
    pub const fn readable(self) -> bool {
        self.flags.intersects(EventFlags::IN.union(EventFlags::RDHUP).union(Self::FAILED))
    }

    /// Room to send, or a finished connect.
    pub const fn writable(self) -> bool {
        self.flags.intersects(EventFlags::OUT.union(Self::FAILED))
    }

    /// A receive that gives less than it has room for does not mean that nothing follows: the peer
    /// has closed its half, or urgent data stands in the way.
    pub const fn more_follows(self) -> bool {
        let follows = EventFlags::RDHUP.union(EventFlags::HUP).union(EventFlags::PRI);
        self.flags.intersects(follows)
    }

    /// Whether the kernel was asked after that connection began.
    pub fn is_newer_than(self, connection: Epoch) -> bool {
        self.asked >= connection
    }

    /// Room to send and neither error nor hang-up: a connect has succeeded.
    pub const fn is_plainly_writable(self) -> bool {
        self.flags.contains(EventFlags::OUT) && !self.flags.intersects(Self::FAILED)
    }

    /// Nothing else was reported: who does more than was asked for keeps nobody waiting.
    pub const fn is_alone(self) -> bool {
        self.alone
    }

    /// An error waits.
    pub const fn error(self) -> bool {
        self.flags.contains(EventFlags::ERR)
    }

    const FAILED: EventFlags = EventFlags::ERR.union(EventFlags::HUP);
}

/// What a descriptor is watched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Data and the end of it, edge-triggered: connections with receives pending.
    Edges,
    /// The same, and room to send: connections with sends pending, or being made.
    EdgesAndRoom,
    /// Readable, level-triggered: listeners, whose next connection must not be probed for (an
    /// accept that finds nothing costs ten times more than the report).
    Level,
    /// Nothing for now.
    Paused,
}

impl Interest {
    /// Whether being watched for this is enough for who wants `other`.
    pub fn covers(self, other: Self) -> bool {
        self == other || (self, other) == (Self::EdgesAndRoom, Self::Edges)
    }

    const fn flags(self) -> EventFlags {
        match self {
            Self::Edges => {
                EventFlags::IN.union(EventFlags::PRI).union(EventFlags::RDHUP).union(EventFlags::ET)
            }
            Self::EdgesAndRoom => Self::Edges.flags().union(EventFlags::OUT),
            Self::Level => EventFlags::IN,
            Self::Paused => EventFlags::empty(),
        }
    }
}

/// One reported event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report {
    pub(crate) token: Token,
    pub(crate) readiness: Readiness,
}

/// An epoll instance.
#[derive(Debug)]
pub struct Driver(OwnedFd);

impl Driver {
    /// A new one.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn new() -> Result<Self, Errno> {
        epoll::create(CreateFlags::CLOEXEC).map(Self)
    }

    /// Starts to watch a descriptor.
    ///
    /// # Errors
    /// When the kernel has no memory or watches left.
    pub fn add(&self, fd: BorrowedFd<'_>, token: Token, interest: Interest) -> Result<(), Errno> {
        epoll::add(&self.0, fd, EventData::new_u64(token.value()), interest.flags())
    }

    /// Changes what a descriptor is watched for.
    ///
    /// # Errors
    /// When it is not watched.
    pub fn modify(
        &self,
        fd: BorrowedFd<'_>,
        token: Token,
        interest: Interest,
    ) -> Result<(), Errno> {
        epoll::modify(&self.0, fd, EventData::new_u64(token.value()), interest.flags())
    }

    /// Stops watching a descriptor. Closing it does this too.
    pub fn remove(&self, fd: BorrowedFd<'_>) {
        // Failure means that it was not watched: what was asked for.
        let _ = epoll::delete(&self.0, fd);
    }

    /// Waits for events until the deadline; none on time-out or when a signal came.
    #[inline]
    pub(crate) fn wait<'a>(
        &self,
        buffer: &'a mut [MaybeUninit<epoll::Event>; HARVEST],
        deadline: Deadline,
    ) -> impl Iterator<Item = Report> + use<'a> {
        let timeout = before_wait(self, deadline).timespec();
        let asked = Epoch::now();
        let taken = match epoll::wait(&self.0, buffer, timeout.as_ref()) {
            Ok((taken, _)) => taken,
            Err(_) => &mut [],
        };
        let alone = taken.len() == 1;
        taken.iter().map(move |event| {
            let (data, flags) = (event.data, event.flags);
            let readiness = Readiness { flags, asked, alone };
            Report { token: Token::from_value(data.u64()), readiness }
        })
    }
}

impl AsFd for Driver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use rustix::event::{EventfdFlags, eventfd};

    use super::*;

    fn readiness(flags: EventFlags) -> Readiness {
        Readiness { flags, asked: Epoch::now(), alone: false }
    }

    /// epoll_ctl(2): ERR and HUP are reported whatever is asked for, and make every call return.
    #[test]
    fn what_the_kernel_reports_is_what_it_means() {
        let (out, failed) = (EventFlags::OUT, Readiness::FAILED);
        let means = |flags| {
            let it = readiness(flags);
            let meanings = [
                (it.readable(), 'r'),
                (it.writable(), 'w'),
                (it.is_plainly_writable(), 'p'),
                (it.more_follows(), 'm'),
                (it.error(), 'e'),
            ];
            meanings.iter().filter(|(is, _)| *is).map(|(_, letter)| *letter).collect::<String>()
        };
        assert_eq!(means(EventFlags::empty()), "");
        assert_eq!(means(EventFlags::IN), "r");
        assert_eq!(means(out), "wp");
        assert_eq!(means(EventFlags::RDHUP), "rm");
        assert_eq!(means(EventFlags::PRI), "m");
        assert_eq!(means(EventFlags::HUP), "rwm");
        assert_eq!(means(EventFlags::ERR), "rwe");
        assert_eq!(means(out | EventFlags::HUP), "rwm");
        assert_eq!(means(out | EventFlags::ERR), "rwe");
        assert_eq!(means(out | failed | EventFlags::IN), "rwme");
    }

    /// I9.
    #[test]
    fn a_report_is_newer_than_a_connection_that_began_before_the_kernel_was_asked() {
        let before = readiness(EventFlags::OUT);
        let connection = Epoch::begin();
        assert!(!before.is_newer_than(connection));
        assert!(readiness(EventFlags::OUT).is_newer_than(connection));
        assert!(!Readiness::UNKNOWN.is_newer_than(connection));
    }

    #[test]
    fn edges_and_room_are_enough_for_who_wants_edges() {
        use Interest::{Edges, EdgesAndRoom, Level, Paused};
        for one in [Edges, EdgesAndRoom, Level, Paused] {
            for other in [Edges, EdgesAndRoom, Level, Paused] {
                let enough = one == other || one == EdgesAndRoom && other == Edges;
                assert_eq!(one.covers(other), enough, "{one:?} {other:?}");
            }
        }
    }

    /// Our choice (ARCHITECTURE): who is reported alone may take more time.
    #[test]
    fn a_report_is_alone_when_it_is_the_only_one() {
        let driver = Driver::new().unwrap();
        let fds = [1, 2].map(|_| eventfd(1, EventfdFlags::CLOEXEC).unwrap());
        let mut alone = Vec::new();
        for (value, fd) in (1..).zip(&fds) {
            driver.add(fd.as_fd(), Token::from_value(value), Interest::Level).unwrap();
            let mut buffer = [const { MaybeUninit::<epoll::Event>::uninit() }; HARVEST];
            let reports = driver.wait(&mut buffer, Deadline::after_ms(0));
            alone.push(reports.map(|report| report.readiness.is_alone()).collect::<Vec<_>>());
        }
        assert_eq!(alone, [vec![true], vec![false, false]]);
    }

    #[test]
    fn a_descriptor_is_reported_as_it_is_watched() {
        let driver = Driver::new().unwrap();
        let (fd, token) = (eventfd(1, EventfdFlags::CLOEXEC).unwrap(), Token::from_value(7));
        let reports = || {
            let mut buffer = [const { MaybeUninit::uninit() }; HARVEST];
            let reports = driver.wait(&mut buffer, Deadline::after_ms(0));
            reports.map(|report| (report.token, report.readiness.writable())).collect::<Vec<_>>()
        };
        let watch = |interest| driver.modify(fd.as_fd(), token, interest);
        assert_eq!(watch(Interest::Level), Err(Errno::NOENT), "not yet");
        assert_eq!(driver.add(fd.as_fd(), token, Interest::Paused), Ok(()));
        assert_eq!(driver.add(fd.as_fd(), token, Interest::Paused), Err(Errno::EXIST));
        assert_eq!(reports(), []);
        assert_eq!(watch(Interest::Level), Ok(()));
        assert_eq!(reports(), [(token, false)]);
        assert_eq!(reports(), [(token, false)], "as long as it is readable");
        assert_eq!(watch(Interest::Edges), Ok(()));
        assert_eq!(reports(), [(token, false)]);
        assert_eq!(reports(), [], "once");
        assert_eq!(watch(Interest::EdgesAndRoom), Ok(()));
        assert_eq!(reports(), [(token, true)]);
        assert_eq!(watch(Interest::Level), Ok(()));
        driver.remove(fd.as_fd());
        assert_eq!(reports(), []);
    }
}

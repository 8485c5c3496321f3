//! What holds on to a process, so that its number is not taken for another's.

use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process, pidfd_open,
    pidfd_send_signal, waitid,
};

use super::code::End;

/// What holds on to a process.
#[derive(Debug)]
pub(super) enum Hold {
    /// A descriptor of it (pidfd).
    Descriptor(OwnedFd),
    /// Its number, which is a child's own until its end is collected here. Where there are no such
    /// descriptors: before Linux 5.3, in some containers, under valgrind.
    Number(Pid),
}

impl Hold {
    /// Of a child whose end is not collected yet.
    pub(super) fn of_child(id: Pid) -> Result<Self, Errno> {
        match pidfd_open(id, PidfdFlags::empty()) {
            Err(Errno::NOSYS | Errno::PERM) => Ok(Self::Number(id)),
            opened => opened.map(Self::Descriptor),
        }
    }

    /// Of any process.
    pub(super) fn of(id: Pid) -> Result<Self, Errno> {
        pidfd_open(id, PidfdFlags::empty()).map(Self::Descriptor)
    }

    fn wait_id(&self) -> WaitId<'_> {
        match self {
            Self::Descriptor(fd) => WaitId::PidFd(fd.as_fd()),
            Self::Number(id) => WaitId::Pid(*id),
        }
    }

    /// Collects a child's end, if it has ended.
    pub(super) fn collect(&self) -> Result<Option<End>, Errno> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        let status = retry_on_intr(|| waitid(self.wait_id(), options))?;
        let end = |status: WaitIdStatus| End::of(status.exit_status(), status.terminating_signal());
        Ok(status.map(end))
    }

    /// Waits for a child's end, and leaves it to be collected.
    pub(super) fn wait(&self) {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let _ = retry_on_intr(|| waitid(self.wait_id(), options));
    }

    /// Whether it has ended, as far as that can be told without collecting it.
    pub(super) fn is_over(&self) -> bool {
        let Self::Descriptor(fd) = self else { return false };
        let mut fds = [PollFd::new(fd, PollFlags::IN)];
        poll(&mut fds, Some(&Timespec::default())).is_ok() && !fds[0].revents().is_empty()
    }

    /// How it ended, if somebody else has collected that and the kernel tells.
    pub(super) fn told_end(&self) -> Option<End> {
        match self {
            Self::Descriptor(fd) => End::told(fd.as_fd()),
            Self::Number(_) => None,
        }
    }

    /// Ends it. A child that is held by its number must not be collected meanwhile.
    pub(super) fn kill(&self) -> Result<(), Errno> {
        match self {
            Self::Descriptor(fd) => pidfd_send_signal(fd, Signal::KILL),
            Self::Number(id) => kill_process(*id, Signal::KILL),
        }
    }
}

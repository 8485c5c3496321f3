//! How a process ended, as Linux tells it and as an exit code of Windows.

use std::os::fd::{AsRawFd, BorrowedFd};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By itself, with 8 bits of a code.
    Exited(u32),
    /// By a signal.
    Killed(i32),
}

/// PIDFD_GET_INFO: what the kernel tells of a process (linux/pidfd.h, Linux 6.13); of the end of
/// one that was collected since Linux 6.15.
#[repr(C)]
#[derive(Default)]
struct Info {
    mask: u64,
    cgroup: u64,
    numbers: [u32; 11],
    wait_status: i32,
}

const _: () = assert!(size_of::<Info>() == 64);

/// `_IOWR(0xFF, 11, struct pidfd_info)` of 64 octets.
const PIDFD_GET_INFO: libc::c_ulong = 0xC040_FF0B;
/// The status is asked for, and told.
const PIDFD_INFO_EXIT: u64 = 1 << 3;

impl End {
    /// Of what waitid(2) tells.
    pub(super) fn of(exit_status: Option<i32>, signal: Option<i32>) -> Self {
        match signal {
            Some(signal) => Self::Killed(signal),
            None => Self::Exited(exit_status.unwrap_or(0).cast_unsigned()),
        }
    }

    /// Of a process that somebody else has collected, if the kernel tells.
    pub(super) fn told(process: BorrowedFd<'_>) -> Option<Self> {
        let mut info = Info { mask: PIDFD_INFO_EXIT, ..Info::default() };
        // SAFETY: the kernel fills in the local, whose size is in the request.
        let told = unsafe { libc::ioctl(process.as_raw_fd(), PIDFD_GET_INFO, &raw mut info) };
        if told != 0 || info.mask & PIDFD_INFO_EXIT == 0 {
            return None;
        }
        let status = info.wait_status;
        Some(match libc::WIFSIGNALED(status) {
            true => Self::Killed(libc::WTERMSIG(status)),
            false => Self::Exited(libc::WEXITSTATUS(status).cast_unsigned()),
        })
    }

    /// The exit code; `given` is what TerminateProcess gave.
    pub(super) fn code(self, given: Option<u32>) -> u32 {
        match (self, given) {
            (Self::Killed(libc::SIGKILL), Some(given)) => given,
            (Self::Exited(code), _) => code,
            (Self::Killed(signal), _) => code_of_signal(signal),
        }
    }
}

/// What Windows would have ended the process with.
const fn code_of_signal(signal: i32) -> u32 {
    const STATUS_ACCESS_VIOLATION: u32 = 0xC000_0005;
    const STATUS_ILLEGAL_INSTRUCTION: u32 = 0xC000_001D;
    const STATUS_INTEGER_DIVIDE_BY_ZERO: u32 = 0xC000_0094;
    const STATUS_BREAKPOINT: u32 = 0x8000_0003;
    const STATUS_CONTROL_C_EXIT: u32 = 0xC000_013A;
    // abort's page.
    const ABORTED: u32 = 3;
    match signal {
        libc::SIGSEGV | libc::SIGBUS => STATUS_ACCESS_VIOLATION,
        libc::SIGILL => STATUS_ILLEGAL_INSTRUCTION,
        libc::SIGFPE => STATUS_INTEGER_DIVIDE_BY_ZERO,
        libc::SIGTRAP => STATUS_BREAKPOINT,
        libc::SIGINT | libc::SIGHUP | libc::SIGTERM => STATUS_CONTROL_C_EXIT,
        libc::SIGABRT => ABORTED,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_exit_codes() {
        for (end, given, expected) in [
            (End::of(Some(7), None), None, 7),
            (End::of(Some(7), None), Some(0x1234_5678), 7),
            (End::of(None, Some(libc::SIGKILL)), Some(0x1234_5678), 0x1234_5678),
            (End::of(None, Some(libc::SIGKILL)), None, 1),
            (End::of(None, Some(libc::SIGSEGV)), Some(9), 0xC000_0005),
            (End::of(None, Some(libc::SIGABRT)), None, 3),
            (End::of(None, Some(libc::SIGINT)), None, 0xC000_013A),
        ] {
            assert_eq!(end.code(given), expected, "{end:?} {given:?}");
        }
    }
}

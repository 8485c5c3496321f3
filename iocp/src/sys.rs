//! The few system calls that rustix does not have.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, BorrowedFd};

/// Octets that were sent on a TCP socket and are not acknowledged, the FIN counted as one (it takes
/// a sequence number); `None` if the descriptor is no such socket.
pub fn unacknowledged(fd: BorrowedFd<'_>) -> Option<u32> {
    let mut octets: libc::c_int = 0;
    // SAFETY: SIOCOUTQ (the same number as TIOCOUTQ) writes one int, which outlives the call.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCOUTQ, &raw mut octets) };
    if result == 0 { u32::try_from(octets).ok() } else { None }
}

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

/// The state of a TCP socket by the kernel's numbers (`TCP_ESTABLISHED` is 1); `None` if the
/// descriptor is no such socket.
pub fn tcp_state(fd: BorrowedFd<'_>) -> Option<u8> {
    let mut state = 0_u8;
    let mut len: libc::socklen_t = 1;
    // SAFETY: the kernel writes no more than the one octet that `len` allows, the first of struct
    // tcp_info, which is the state; both outlive the call.
    let result = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut state).cast(),
            &raw mut len,
        )
    };
    (result == 0 && len == 1).then_some(state)
}

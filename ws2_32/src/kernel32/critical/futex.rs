//! The kernel's wait queue for one 32-bit word.

use std::sync::atomic::AtomicU32;

use linsock::iocp::clock::Deadline;

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slept {
    /// Woken, or the word had changed already, or for no reason.
    Woken,
    /// The deadline passed.
    TimedOut,
}

/// Sleeps while the word is `expected`.
pub(super) fn wait(word: &AtomicU32, expected: u32, deadline: Deadline) -> Slept {
    let timeout = match deadline {
        Deadline::Never => None,
        Deadline::At(at) => {
            let left = at.saturating_duration_since(std::time::Instant::now());
            Some(libc::timespec {
                tv_sec: left.as_secs().try_into().unwrap_or(libc::time_t::MAX),
                tv_nsec: left.subsec_nanos().into(),
            })
        }
    };
    let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the kernel reads the word and the timeout, both alive for the length of the call.
    let result =
        unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, expected, timeout) };
    if result == -1 && deadline.is_over() { Slept::TimedOut } else { Slept::Woken }
}

/// Wakes up to `count` sleepers; whether there was one.
pub(super) fn wake(word: *const AtomicU32, count: i32) -> bool {
    let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: waking uses the address as a name only; the memory may be gone already.
    unsafe { libc::syscall(libc::SYS_futex, word, operation, count) > 0 }
}

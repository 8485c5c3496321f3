//! Writing without the signals that tell of a failed write.
//!
//! SIGPIPE (nobody reads) and SIGXFSZ (the file would be longer than the process may make one) end
//! the process by default. What the program does about signals is its own; a call of this library
//! has an error instead. Sockets have MSG_NOSIGNAL for that, other descriptors nothing.

use rustix::io::Errno;

/// Performs a system call with both signals held back from the calling thread; the one that it
/// raised is taken away. One that waited before stays.
pub(crate) fn without_signals<T>(call: impl FnOnce() -> Result<T, Errno>) -> Result<T, Errno> {
    let held = Held::begin();
    let result = call();
    held.end(match result {
        Err(Errno::PIPE) => Some(libc::SIGPIPE),
        Err(Errno::FBIG) => Some(libc::SIGXFSZ),
        _ => None,
    });
    result
}

/// Performs a call with all signals held back from the calling thread, but for those that tell of
/// its own faults. A thread that it starts has them held back too.
pub(crate) fn without_any_signal<T>(call: impl FnOnce() -> T) -> T {
    let faults =
        [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGSYS];
    let (mut all, mut former) = (set_of(&[]), set_of(&[]));
    // SAFETY: writes the set that it is given.
    unsafe { libc::sigfillset(&raw mut all) };
    for fault in faults {
        // SAFETY: writes the set that it is given; these are signals.
        unsafe { libc::sigdelset(&raw mut all, fault) };
    }
    // SAFETY: reads the one set and writes the other; both outlive the call.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, &raw mut former) };
    let result = call();
    // SAFETY: reads the set, which outlives the call.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const former, std::ptr::null_mut()) };
    result
}

/// Whether the signal is held back from the calling thread.
#[cfg(test)]
pub(crate) fn holds_back(signal: libc::c_int) -> bool {
    let mut held = set_of(&[]);
    // SAFETY: writes the set, which outlives the call.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), &raw mut held) };
    has(&held, signal)
}

struct Held {
    former: libc::sigset_t,
    /// Of the two, those that waited for the thread before: they are not ours to take away.
    waited: libc::sigset_t,
}

impl Held {
    fn begin() -> Self {
        let (both, mut former) = (set_of(&[libc::SIGPIPE, libc::SIGXFSZ]), set_of(&[]));
        // SAFETY: reads the one set and writes the other; both outlive the call.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const both, &raw mut former) };
        Self { former, waited: waiting() }
    }

    fn end(self, raised: Option<libc::c_int>) {
        // One that was not held back before did not wait before.
        let is_ours =
            |signal: &libc::c_int| !(has(&self.former, *signal) && has(&self.waited, *signal));
        if let Some(signal) = raised.filter(is_ours) {
            let (one, at_once) = (set_of(&[signal]), libc::timespec { tv_sec: 0, tv_nsec: 0 });
            // SAFETY: reads the set and the time, which outlive the call.
            unsafe { libc::sigtimedwait(&raw const one, std::ptr::null_mut(), &raw const at_once) };
        }
        let former = &raw const self.former;
        // SAFETY: reads the set, which outlives the call.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, former, std::ptr::null_mut()) };
    }
}

fn set_of(signals: &[libc::c_int]) -> libc::sigset_t {
    // SAFETY: all-zero is a valid sigset_t: on Linux the empty one.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    for signal in signals {
        // SAFETY: writes the set that it is given; these are signals.
        unsafe { libc::sigaddset(&raw mut set, *signal) };
    }
    set
}

/// The signals that wait for the thread or the process.
fn waiting() -> libc::sigset_t {
    let mut set = set_of(&[]);
    // SAFETY: writes the set that it is given.
    unsafe { libc::sigpending(&raw mut set) };
    set
}

fn has(set: &libc::sigset_t, signal: libc::c_int) -> bool {
    // SAFETY: reads a set.
    unsafe { libc::sigismember(set, signal) == 1 }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    use super::super::send_file;
    use super::*;

    /// A send whose peer is gone, by a thread that holds SIGPIPE back.
    fn send_to_nobody(file: &File) {
        let (near, far) = UnixStream::pair().unwrap();
        drop(far);
        assert_eq!(send_file(near.as_fd(), file.as_fd(), 0, 1), Err(Errno::PIPE));
    }

    /// Our choice: a library raises no signal, and takes none away. On a thread of its own, whose
    /// signals are held back.
    #[test]
    fn a_peer_that_is_gone_is_no_signal() {
        let check = || {
            let file = File::open(std::env::current_exe().unwrap()).unwrap();
            let pipe = set_of(&[libc::SIGPIPE]);
            let none = std::ptr::null_mut();
            // SAFETY: reads the set, which outlives the call.
            unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const pipe, none) };
            send_to_nobody(&file);
            assert!(!has(&waiting(), libc::SIGPIPE), "the one that the send has raised");
            // SAFETY: the signal is held back; it goes to the calling thread.
            unsafe { libc::raise(libc::SIGPIPE) };
            send_to_nobody(&file);
            assert!(has(&waiting(), libc::SIGPIPE), "one that waited before");
            Held { former: pipe, waited: set_of(&[]) }.end(Some(libc::SIGPIPE));
            assert!(!has(&waiting(), libc::SIGPIPE));
        };
        std::thread::spawn(check).join().unwrap();
    }
}

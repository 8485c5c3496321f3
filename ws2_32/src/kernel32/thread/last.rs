//! The end of a process with its last thread.
//!
//! Linux ends a process with the last of all its threads, and the library has some of its own. Only
//! a main thread that calls ExitThread leaves others behind, so it has somebody wait for their end.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use linsock::iocp::servant;

use super::own_kernel_id;
use crate::kernel32::misc::ExitProcess;

/// How often is looked whether they have ended: no descriptor tells.
const INTERVAL: Duration = Duration::from_millis(20);

/// What the thread that ended last has ended with.
static CODE: AtomicU32 = AtomicU32::new(0);

/// The calling thread is about to end.
pub(super) fn ends(exit_code: u32) {
    CODE.store(exit_code, Ordering::Relaxed);
    static IS_WATCHED: AtomicBool = AtomicBool::new(false);
    let is_main = own_kernel_id() == std::process::id().cast_signed();
    if is_main && !IS_WATCHED.swap(true, Ordering::Relaxed) {
        // Without a thread the process goes on until somebody ends it.
        let _ = servant::spawn("linsock-last", None, end_with_the_last);
    }
}

fn end_with_the_last() {
    // The main thread is counted although it has ended.
    while !(has_main_ended() && servant::are_all_but(1, threads)) {
        std::thread::sleep(INTERVAL);
    }
    // SAFETY: it has no conditions.
    unsafe { ExitProcess(CODE.load(Ordering::Relaxed)) }
}

fn threads() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count())
}

/// Whether nothing is left of it but its number: before that it may have destructors to run.
fn has_main_ended() -> bool {
    let stat = std::fs::read("/proc/self/stat").unwrap_or_default();
    // The state stands behind the name, which may have anything in it, in parentheses.
    let name_end = stat.iter().rposition(|octet| *octet == b')');
    name_end.is_some_and(|at| stat[at..].starts_with(b") Z"))
}

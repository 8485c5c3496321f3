//! WSAStartup and WSACleanup: a count, and the end of every socket with the last WSACleanup.

use std::sync::atomic::{AtomicU32, Ordering};

use linsock_iocp::handle;
use linsock_iocp::sync::Lock;

use crate::settings;

static COUNT: AtomicU32 = AtomicU32::new(0);
static CHANGING: Lock<()> = Lock::new(());

/// Counts one more user of Winsock.
pub fn startup() {
    settings::begin();
    let _changing = CHANGING.lock();
    COUNT.fetch_add(1, Ordering::AcqRel);
}

/// Counts one less; the last one closes every socket. False when nobody had started.
pub fn cleanup() -> bool {
    let _changing = CHANGING.lock();
    let lower = |count: u32| count.checked_sub(1);
    let Ok(before) = COUNT.fetch_update(Ordering::AcqRel, Ordering::Acquire, lower) else {
        return false;
    };
    if before == 1 {
        for file in handle::table().take_files() {
            file.close();
        }
    }
    true
}

/// Whether Winsock is started.
#[inline]
pub fn is_started() -> bool {
    COUNT.load(Ordering::Relaxed) != 0
}

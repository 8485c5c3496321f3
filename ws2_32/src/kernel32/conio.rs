//! Keys of the console: the C runtime's conio.h.
//!
//! The console is the terminal that the process is in, whatever its standard input is. Its settings
//! are changed for the length of a call only, so that a process that is killed between two calls
//! leaves it in order.
//!
//! # Differs from Windows
//! What is typed between two calls is shown by the terminal. A process without a terminal, or one
//! that is not in the terminal's foreground, gets no key.
#![allow(unsafe_code, reason = "tcsetattr and poll on a descriptor of ours")]

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::OnceLock;

use linsock::iocp::sync::Lock;
use rustix::io::{Errno, read, retry_on_intr};
use rustix::process::getpgrp;
use rustix::termios::tcgetpgrp;

use crate::export::export;

/// No key, or a failure (stdio.h).
const EOF: i32 = -1;

/// A key that was given back by _ungetch.
static GIVEN_BACK: Lock<Option<u8>> = Lock::new(None);

fn console() -> Option<&'static File> {
    static CONSOLE: OnceLock<Option<File>> = OnceLock::new();
    let open = || File::options().read(true).write(true).open("/dev/tty").ok();
    CONSOLE.get_or_init(open).as_ref()
}

/// A process in the background that touches the terminal's settings is stopped. A terminal that
/// does not control this process stops nobody.
pub(super) fn is_in_foreground(console: impl AsFd) -> bool {
    match tcgetpgrp(console) {
        Ok(in_front) => in_front == getpgrp(),
        Err(errno) => errno == Errno::NOTTY,
    }
}

/// What the settings were before the first of the calls that are under way.
struct Before {
    settings: libc::termios,
    calls: usize,
}

/// `None` while no call is under way.
static BEFORE: Lock<Option<Before>> = Lock::new(None);

fn settings_of(console: &File) -> Option<libc::termios> {
    let mut settings = std::mem::MaybeUninit::<libc::termios>::uninit();
    // SAFETY: the C library fills the local if it succeeds.
    if unsafe { libc::tcgetattr(console.as_raw_fd(), settings.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: filled in.
    Some(unsafe { settings.assume_init() })
}

fn set(console: &File, settings: &libc::termios) {
    // SAFETY: the settings are read only.
    unsafe { libc::tcsetattr(console.as_raw_fd(), libc::TCSANOW, settings) };
}

/// A terminal that gives single keys, and shows them if it is to. The last of several threads puts
/// its settings back.
struct Unbuffered {
    console: &'static File,
}

impl Unbuffered {
    fn new(shows: bool) -> Option<Self> {
        let console = console().filter(|console| is_in_foreground(*console))?;
        let mut before = BEFORE.lock();
        let mut settings = match before.as_mut() {
            Some(others) => {
                others.calls += 1;
                others.settings
            }
            None => before.insert(Before { settings: settings_of(console)?, calls: 1 }).settings,
        };
        settings.c_lflag &= !(libc::ICANON | if shows { 0 } else { libc::ECHO });
        settings.c_cc[libc::VMIN] = 1;
        settings.c_cc[libc::VTIME] = 0;
        set(console, &settings);
        Some(Self { console })
    }

    fn has_key(&self) -> bool {
        let mut poll =
            libc::pollfd { fd: self.console.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one element, a local.
        unsafe { libc::poll(&raw mut poll, 1, 0) == 1 && poll.revents & libc::POLLIN != 0 }
    }

    fn read_key(&self) -> Option<u8> {
        let mut key = [0_u8; 1];
        let read = retry_on_intr(|| read(self.console, &mut key));
        (read == Ok(1)).then_some(key[0])
    }
}

impl Drop for Unbuffered {
    fn drop(&mut self) {
        let mut before = BEFORE.lock();
        if let Some(Before { settings, calls }) = before.as_mut() {
            *calls -= 1;
            if *calls == 0 {
                set(self.console, settings);
                *before = None;
            }
        }
    }
}

fn next_key(shows: bool) -> i32 {
    if let Some(key) = GIVEN_BACK.lock().take() {
        return i32::from(key);
    }
    let key = Unbuffered::new(shows).and_then(|console| console.read_key());
    key.map_or(EOF, i32::from)
}

export! {
    /// Whether a key waits to be read.
    ///
    /// <https://learn.microsoft.com/cpp/c-runtime-library/reference/kbhit>
    ///
    /// Never blocks.
    ///
    /// # Differs from Windows
    /// Without a terminal, or in its background, no key ever waits.
    fn _kbhit() -> i32, fail 0; {
        let given_back = GIVEN_BACK.lock().is_some();
        Ok(i32::from(given_back || Unbuffered::new(false).is_some_and(|c| c.has_key())))
    }

    /// Reads a key, and does not show it.
    ///
    /// <https://learn.microsoft.com/cpp/c-runtime-library/reference/getch-getwch>
    ///
    /// Blocks until a key is typed.
    ///
    /// # Differs from Windows
    /// Function keys give the octets that the terminal sends. Without a terminal, or in its
    /// background, it gives -1 at once.
    fn _getch() -> i32, fail EOF; {
        Ok(next_key(false))
    }

    /// Reads a key, and lets the terminal show it.
    ///
    /// <https://learn.microsoft.com/cpp/c-runtime-library/reference/getche-getwche>
    ///
    /// Blocks until a key is typed.
    ///
    /// # Differs from Windows
    /// As [`_getch`].
    fn _getche() -> i32, fail EOF; {
        Ok(next_key(true))
    }

    /// Gives back one key, which the next read gets. Gives the key, or -1 if one is there already.
    ///
    /// <https://learn.microsoft.com/cpp/c-runtime-library/reference/ungetch-ungetwch-ungetch-nolock-ungetwch-nolock>
    fn _ungetch(c: i32) -> i32, fail EOF; {
        let mut given_back = GIVEN_BACK.lock();
        match u8::try_from(c) {
            Ok(key) if given_back.is_none() => {
                *given_back = Some(key);
                Ok(c)
            }
            _ => Ok(EOF),
        }
    }
}

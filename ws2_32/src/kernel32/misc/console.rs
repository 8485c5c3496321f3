//! Console control events: SIGINT is CTRL_C_EVENT, SIGTERM is CTRL_CLOSE_EVENT.
//!
//! The signal handler writes one octet into a pipe; a thread that is started with the first handler
//! of the program reads it and calls the handlers, so they run outside of any signal handler, on a
//! thread of their own, as on Windows.
#![allow(unsafe_code, reason = "sigaction, and calls to the program's handlers")]

use std::ffi::c_int;
use std::io::Read;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use linsock::iocp::sync::Lock;

use crate::abi::{BOOL, FALSE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;

/// A program's handler: it is told the event and says whether it handled it.
pub type ControlHandler = unsafe extern "C-unwind" fn(u32) -> BOOL;

const CTRL_C_EVENT: u32 = 0;
const CTRL_CLOSE_EVENT: u32 = 2;

/// The program's handlers, oldest first.
static HANDLERS: Lock<Vec<ControlHandler>> = Lock::new(Vec::new());
/// CTRL_C_EVENT is ignored: a null handler was added.
static IGNORES_CTRL_C: AtomicBool = AtomicBool::new(false);
/// Where the signal handler writes; -1 until the thread runs.
static PIPE: AtomicI32 = AtomicI32::new(-1);
/// Held while the thread is started.
static STARTING: Lock<()> = Lock::new(());

/// Octets of a page.
pub(super) fn page_size() -> u32 {
    // SAFETY: asks a number.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u32::try_from(size).unwrap_or(4096)
}

extern "C" fn on_signal(signal: c_int) {
    // SAFETY: errno is the interrupted thread's, and is put back below.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let before = unsafe { errno.read() };
    // SAFETY: write is async-signal-safe; the octet is a local. A full pipe loses what is in it
    // many times already.
    unsafe { libc::write(PIPE.load(Ordering::Relaxed), (&raw const signal).cast(), 1) };
    // SAFETY: as above.
    unsafe { errno.write(before) };
}

/// Lets `handler` be what the signal does.
fn set_action(signal: c_int, handler: libc::sighandler_t) -> Outcome<()> {
    let action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: zero octets are a sigaction: no flags, an empty mask, the default action.
    let mut action = unsafe { action.assume_init() };
    action.sa_sigaction = handler;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: the action is a local; the handler is async-signal-safe or one of the system's.
    let result = unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) };
    if result == 0 { Ok(()) } else { Err(Error::ERROR_INVALID_PARAMETER) }
}

/// Starts the thread and takes the signals, once.
fn start() -> Outcome<()> {
    let _starting = STARTING.lock();
    if PIPE.load(Ordering::Acquire) != -1 {
        return Ok(());
    }
    let no_memory = |_| Error::ERROR_NOT_ENOUGH_MEMORY;
    let (mut reader, writer) = std::io::pipe().map_err(no_memory)?;
    // SAFETY: sets a flag of a descriptor of ours.
    unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
    let name = String::from("linsock-console");
    let run = move || {
        let mut signal = [0_u8];
        while reader.read_exact(&mut signal).is_ok() {
            deliver(c_int::from(signal[0]));
        }
    };
    std::thread::Builder::new().name(name).spawn(run).map_err(no_memory)?;
    PIPE.store(writer.into_raw_fd(), Ordering::Release);
    let handler = on_signal as extern "C" fn(c_int) as libc::sighandler_t;
    set_action(libc::SIGINT, handler)?;
    set_action(libc::SIGTERM, handler)
}

/// Asks the handlers, the last one added first, until one has handled the event.
fn deliver(signal: c_int) {
    let event = if signal == libc::SIGINT { CTRL_C_EVENT } else { CTRL_CLOSE_EVENT };
    if event == CTRL_C_EVENT && IGNORES_CTRL_C.load(Ordering::Relaxed) {
        return;
    }
    // No lock is held while the program's own code runs.
    let handlers = HANDLERS.lock().clone();
    let handled = handlers.iter().rev().any(|handler| {
        // SAFETY: the program registered it as a function that takes an event.
        let handled = unsafe { handler(event) };
        handled != 0
    });
    if !handled {
        // What the signal would have done: it ends the process.
        let _ = set_action(signal, libc::SIG_DFL);
        let process = std::process::id().cast_signed();
        // SAFETY: sends a signal to this process.
        unsafe { libc::kill(process, signal) };
    }
}

fn set_handler(handler: Option<ControlHandler>, add: bool) -> Outcome<()> {
    match (handler, add) {
        (None, ignore) => {
            IGNORES_CTRL_C.store(ignore, Ordering::Relaxed);
            start()
        }
        (Some(handler), true) => {
            HANDLERS.lock().push(handler);
            start()
        }
        (Some(handler), false) => {
            let mut handlers = HANDLERS.lock();
            let at = handlers.iter().rposition(|known| std::ptr::fn_addr_eq(*known, handler));
            handlers.remove(at.ok_or(Error::ERROR_INVALID_PARAMETER)?);
            Ok(())
        }
    }
}

/// Leaves the terminal: nothing typed there ends the process any more.
fn leave() -> Outcome<()> {
    static LEFT: AtomicBool = AtomicBool::new(false);
    let has_none = std::fs::File::open("/dev/tty").is_err();
    if has_none || LEFT.swap(true, Ordering::Relaxed) {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    // SAFETY: changes the session of the process, and nothing in memory.
    if unsafe { libc::setsid() } == -1 {
        // It leads a group, as what a shell starts does, and cannot leave the terminal's session.
        set_action(libc::SIGINT, libc::SIG_IGN)?;
        set_action(libc::SIGHUP, libc::SIG_IGN)?;
    }
    Ok(())
}

export! {
    /// Leaves the console: what is typed there, and its end, concern the process no more.
    ///
    /// <https://learn.microsoft.com/windows/console/freeconsole>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for a process that has no console, or none any more (remark of the
    /// page on AttachConsole; the code is our choice).
    ///
    /// # Differs from Windows
    /// The standard handles stay as they are.
    fn FreeConsole() -> BOOL, fail FALSE; {
        leave()?;
        Ok(TRUE)
    }

    /// Adds or removes a handler for console control events. A null handler makes the process
    /// ignore CTRL_C_EVENT, or no longer.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/consoleapi/nf-consoleapi-setconsolectrlhandler>
    ///
    /// SIGINT is CTRL_C_EVENT and SIGTERM is CTRL_CLOSE_EVENT. The handlers run on a thread of
    /// their own, the last one added first; if none handles the event, the signal ends the process.
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for a handler that was not added, ERROR_NOT_ENOUGH_MEMORY.
    ///
    /// # Differs from Windows
    /// A process that has handled CTRL_CLOSE_EVENT goes on; one thread serves all events in turn.
    fn SetConsoleCtrlHandler(
        HandlerRoutine: Option<ControlHandler>,
        Add: BOOL,
    ) -> BOOL, fail FALSE; {
        set_handler(HandlerRoutine, Add != 0)?;
        Ok(TRUE)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::last_error;

    static EVENTS: Lock<Option<mpsc::Sender<(u32, u32)>>> = Lock::new(None);

    extern "C-unwind" fn first(event: u32) -> BOOL {
        report(1, event);
        TRUE
    }

    extern "C-unwind" fn second(event: u32) -> BOOL {
        report(2, event);
        BOOL::from(event == CTRL_CLOSE_EVENT)
    }

    fn report(handler: u32, event: u32) {
        if let Some(events) = &*EVENTS.lock() {
            let _ = events.send((handler, event));
        }
    }

    fn set(handler: Option<ControlHandler>, add: BOOL) -> BOOL {
        // SAFETY: the handlers take an event.
        unsafe { SetConsoleCtrlHandler(handler, add) }
    }

    /// To the calling thread, so that it has been handled when this returns.
    fn send(signal: c_int) {
        // SAFETY: this process handles the signal.
        unsafe { libc::raise(signal) };
    }

    #[test]
    fn the_last_handler_is_asked_first_and_the_others_if_it_declines() {
        let (sender, events) = mpsc::channel();
        *EVENTS.lock() = Some(sender);
        assert_eq!(set(Some(first), FALSE), FALSE);
        assert_eq!(last_error::get(), Error::ERROR_INVALID_PARAMETER.0);
        assert_eq!([set(Some(first), TRUE), set(Some(second), TRUE)], [TRUE, TRUE]);
        let next = || events.recv_timeout(Duration::from_secs(10)).unwrap();
        send(libc::SIGTERM);
        assert_eq!(next(), (2, CTRL_CLOSE_EVENT));
        send(libc::SIGINT);
        assert_eq!([next(), next()], [(2, CTRL_C_EVENT), (1, CTRL_C_EVENT)]);
        assert_eq!(set(None, TRUE), TRUE);
        send(libc::SIGINT);
        // Served in turn, so the ignored event has passed when the next one is reported.
        send(libc::SIGTERM);
        assert_eq!(next(), (2, CTRL_CLOSE_EVENT));
        assert_eq!([set(None, FALSE), set(Some(second), FALSE)], [TRUE, TRUE]);
        send(libc::SIGTERM);
        assert_eq!(next(), (1, CTRL_CLOSE_EVENT));
        assert_eq!(set(Some(first), FALSE), TRUE);
        *EVENTS.lock() = None;
    }
}

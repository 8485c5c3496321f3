//! Broken rules: what Windows answers with a blue screen, or with nothing until much later.
//!
//! Each is reported on standard error with the call that broke the rule and, where known, the one
//! that set it up, and counted. On in debug builds; in others with `LINSOCK_WSK_CHECK=1`. With
//! `LINSOCK_WSK_CHECK=abort` the first one ends the process, so that a debugger shows who it was;
//! `0` switches the reports off.

use std::fmt::Arguments;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Off,
    Report,
    Abort,
}

static COUNT: AtomicU32 = AtomicU32::new(0);

fn mode() -> Mode {
    static MODE: OnceLock<Mode> = OnceLock::new();
    *MODE.get_or_init(|| match std::env::var("LINSOCK_WSK_CHECK").as_deref() {
        Ok("0") => Mode::Off,
        Ok("abort") => Mode::Abort,
        Ok(_) => Mode::Report,
        Err(_) if cfg!(debug_assertions) => Mode::Report,
        Err(_) => Mode::Off,
    })
}

/// Whether rules are checked that cost something to check.
pub fn is_on() -> bool {
    mode() != Mode::Off
}

/// A rule was broken by `call`.
pub fn report(call: &str, rule: Arguments<'_>) {
    COUNT.fetch_add(1, Ordering::Relaxed);
    match mode() {
        Mode::Off => {}
        Mode::Report => eprintln!("linsock: misuse in {call}: {rule}"),
        Mode::Abort => {
            eprintln!("linsock: misuse in {call}: {rule}");
            std::process::abort();
        }
    }
}

/// What the loader of a driver has to say.
pub(crate) fn say(text: Arguments<'_>) {
    eprintln!("linsock: {text}");
}

/// How often a rule was broken in this process.
#[unsafe(no_mangle)]
pub extern "C" fn linsock_wsk_misuses() -> u32 {
    COUNT.load(Ordering::Relaxed)
}

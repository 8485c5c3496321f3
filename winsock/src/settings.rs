//! Settings of the process, under Windows' own value names.
//!
//! A value comes from the first of these that has it: a call (`set_…`), the environment, the
//! configuration file, the default. The environment and the file are read once, when a setting is
//! first needed. A value that cannot be used is reported on the standard error stream, once, and
//! the next source counts.
//!
//! The configuration file is the one that `LINSOCK_CONFIG` names, else
//! `$XDG_CONFIG_HOME/linsock.conf` (`~/.config/linsock.conf`), else `/etc/linsock.conf`. See
//! [`config`] for its form.

pub mod config;
mod trace;

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Once, OnceLock};
use std::time::Duration;

use config::{Config, Fault};
use linsock_iocp::spin;
use linsock_iocp::sys::is_privileged;

use crate::view::service;

/// Which disconnects with reuse wait for TIME_WAIT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeWaitPolicy {
    /// Those by the side that closed first, of a socket that the program bound to a port of its
    /// choice: where Windows' handle could not be used again before.
    #[default]
    Auto,
    /// All by the side that closed first: for tests of what a program does meanwhile.
    Always,
    /// None, and no pair is held.
    Never,
}

/// A value that a setting does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfRange {
    name: &'static str,
    most: u32,
    value: u32,
}

impl std::fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, most, value } = self;
        write!(f, "{name} is {value} seconds, but must be from 0 to {most}")
    }
}

impl std::error::Error for OutOfRange {}

/// The largest `TcpTimedWaitDelay` (DisconnectEx page).
pub const TIMED_WAIT_MOST: u32 = 300;
/// Twice the maximum segment lifetime of 120 seconds (DisconnectEx page).
const TIMED_WAIT_DEFAULT: u32 = 240;
/// Our choice: the two minutes that users of Windows report.
const FIN_WAIT2_DEFAULT: u32 = 120;

/// Stands for "not set by a call".
const UNSET: u32 = u32::MAX;
static TIMED_WAIT: AtomicU32 = AtomicU32::new(UNSET);
static POLICY: AtomicU32 = AtomicU32::new(UNSET);

/// `TcpTimedWaitDelay`: how long the pair of a connection that this side closed first may not be
/// used again.
pub fn timed_wait_delay() -> Duration {
    let seconds = match TIMED_WAIT.load(Ordering::Relaxed) {
        UNSET => sources().timed_wait.unwrap_or(TIMED_WAIT_DEFAULT),
        seconds => seconds,
    };
    Duration::from_secs(seconds.into())
}

/// Sets `TcpTimedWaitDelay`, for connections that end from now on.
///
/// # Errors
/// [`OutOfRange`]: 0 to 300 seconds.
pub fn set_timed_wait_delay(seconds: u32) -> Result<(), OutOfRange> {
    if seconds > TIMED_WAIT_MOST {
        let (name, most) = ("TcpTimedWaitDelay", TIMED_WAIT_MOST);
        return Err(OutOfRange { name, most, value: seconds });
    }
    TIMED_WAIT.store(seconds, Ordering::Relaxed);
    Ok(())
}

/// Which disconnects with reuse wait for TIME_WAIT.
pub fn time_wait_policy() -> TimeWaitPolicy {
    match POLICY.load(Ordering::Relaxed) {
        0 => TimeWaitPolicy::Auto,
        1 => TimeWaitPolicy::Always,
        2 => TimeWaitPolicy::Never,
        _ => sources().policy.unwrap_or_default(),
    }
}

/// Sets the policy, for connections that end from now on.
pub fn set_time_wait_policy(policy: TimeWaitPolicy) {
    POLICY.store(policy as u32, Ordering::Relaxed);
}

/// `TcpFinWait2Delay`: how long a disconnect with reuse waits for the peer's FIN before it resets
/// the connection. 1 to 300 seconds.
pub fn fin_wait2_delay() -> Duration {
    Duration::from_secs(sources().fin_wait2.unwrap_or(FIN_WAIT2_DEFAULT).into())
}

/// Tells the engine what it has to know from the beginning: `SpinMicroseconds`, how long a wait
/// looks before it blocks (0, the default, to 100,000), and what is traced. Lets the tools look,
/// unless `View` is no or the process has rights that its user has not. Called by everything that a
/// program begins with.
pub fn begin() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        let micros = sources().spin.unwrap_or(0);
        spin::set(Duration::from_micros(micros.into()));
        let mut faults = Vec::new();
        trace::begin(|name| std::env::var_os(name), &mut faults);
        report(&faults);
        if sources().view.unwrap_or(true) && !is_privileged() {
            service::start();
        }
    });
}

/// The environment and, for what it does not say, the file.
fn sources() -> &'static Config {
    static SOURCES: OnceLock<Config> = OnceLock::new();
    SOURCES.get_or_init(|| {
        let mut faults = Vec::new();
        let environment = config::from_environment(|name| std::env::var(name).ok(), &mut faults);
        let file = read_file(&mut faults);
        report(&faults);
        environment.or(file)
    })
}

fn report(faults: &[Fault]) {
    for fault in faults {
        // Not eprintln!, which panics when nobody reads.
        let _ = writeln!(std::io::stderr(), "linsock: {fault}");
    }
}

fn read_file(faults: &mut Vec<Fault>) -> Config {
    let named = std::env::var_os("LINSOCK_CONFIG").map(PathBuf::from);
    let must_exist = named.is_some();
    let homes = [
        std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from),
        std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")),
        Some(PathBuf::from("/etc")),
    ];
    let usual = homes.into_iter().flatten().map(|home| home.join("linsock.conf"));
    let path = named.or_else(|| usual.into_iter().find(|path| path.exists()));
    let Some(path) = path else { return Config::default() };
    match std::fs::read_to_string(&path) {
        Ok(text) => config::parse(&path.display().to_string(), &text, faults),
        Err(error) => {
            if must_exist {
                faults.push(Fault::unreadable(&path.display().to_string(), &error));
            }
            Config::default()
        }
    }
}

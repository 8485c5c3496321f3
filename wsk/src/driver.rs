//! Loads a driver into the process: DriverEntry, until a signal or a limit; then DriverUnload.

use std::ffi::{CStr, c_char, c_int};
use std::mem::MaybeUninit;
use std::ptr;
use std::time::Duration;

use crate::ddk::misc::UnicodeString;
use crate::{misuse, status};

/// DRIVER_INITIALIZE.
pub type DriverEntry =
    unsafe extern "C" fn(driver: *mut DriverObject, registry: *mut UnicodeString) -> i32;
/// DRIVER_UNLOAD.
pub type DriverUnload = unsafe extern "C" fn(driver: *mut DriverObject);

/// DRIVER_OBJECT.
#[repr(C)]
#[derive(Debug)]
pub struct DriverObject {
    kind: i16,
    size: i16,
    device: usize,
    flags: u32,
    start: usize,
    code_size: u32,
    section: usize,
    extension: usize,
    name: UnicodeString,
    hardware: usize,
    fast_io: usize,
    init: Option<DriverEntry>,
    start_io: usize,
    unload: Option<DriverUnload>,
    major: [usize; 28],
}

/// What the program was started with.
#[derive(Debug, Default, PartialEq, Eq)]
struct Arguments {
    limit: Option<Duration>,
}

fn parse<'a>(words: impl Iterator<Item = &'a str>) -> Result<Arguments, String> {
    let mut arguments = Arguments::default();
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        let seconds = match word {
            "--seconds" => words.next().unwrap_or_default(),
            _ => word.strip_prefix("--seconds=").ok_or_else(|| format!("unknown: `{word}`"))?,
        };
        let number: f64 =
            seconds.parse().map_err(|_| format!("`{seconds}` is no time in seconds"))?;
        let limit = Duration::try_from_secs_f64(number).map_err(|error| error.to_string())?;
        arguments.limit = Some(limit);
    }
    Ok(arguments)
}

/// The `main` of a driver that `linsock cc --wsk` has linked: loads it, waits for SIGINT, SIGTERM
/// or the end of `--seconds N`, and unloads it.
///
/// The exit status is 0 if DriverEntry succeeded and no rule was broken, 1 otherwise, 2 for
/// arguments that mean nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linsock_run_driver(
    argc: c_int,
    argv: *const *const c_char,
    entry: Option<DriverEntry>,
) -> c_int {
    let words: Vec<String> = (1..usize::try_from(argc).unwrap_or(0))
        .map(|at| {
            // SAFETY: main's array has so many strings.
            let word = unsafe { *argv.wrapping_add(at) };
            // SAFETY: a string that ends with 0.
            unsafe { CStr::from_ptr(word) }.to_string_lossy().into_owned()
        })
        .collect();
    let arguments = match parse(words.iter().map(String::as_str)) {
        Ok(arguments) => arguments,
        Err(error) => {
            misuse::say(format_args!("{error}; usage: [--seconds N]"));
            return 2;
        }
    };
    let Some(entry) = entry else { return 2 };
    run(entry, arguments.limit)
}

fn run(entry: DriverEntry, limit: Option<Duration>) -> c_int {
    let signals = block_signals();
    // SAFETY: all-zero is a valid driver object.
    let mut driver: DriverObject = unsafe { MaybeUninit::zeroed().assume_init() };
    (driver.kind, driver.init) = (4, Some(entry));
    driver.size = i16::try_from(size_of::<DriverObject>()).unwrap_or(0);
    let mut registry = UnicodeString { length: 0, room: 0, buffer: ptr::null() };
    // SAFETY: the driver's entry point, with what its page says it is called with.
    let status = unsafe { entry(&raw mut driver, &raw mut registry) };
    if !status::is_success(status) {
        misuse::say(format_args!("DriverEntry failed with 0x{status:08X}"));
        return 1;
    }
    wait_for_signal(&signals, limit);
    match driver.unload {
        // SAFETY: the driver's own function.
        Some(unload) => unsafe { unload(&raw mut driver) },
        None => misuse::report("DriverEntry", format_args!("the driver cannot be unloaded")),
    }
    c_int::from(misuse::linsock_wsk_misuses() > 0)
}

fn block_signals() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: initializes the set.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: initialized by `sigemptyset`.
    let mut set = unsafe { set.assume_init() };
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // SAFETY: a valid set and signal.
        unsafe { libc::sigaddset(&raw mut set, signal) };
    }
    // SAFETY: as above. Threads that the driver makes inherit the mask.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut()) };
    set
}

fn wait_for_signal(signals: &libc::sigset_t, limit: Option<Duration>) {
    let limit = limit.map(|limit| libc::timespec {
        tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(limit.subsec_nanos()),
    });
    let limit = limit.as_ref().map_or(ptr::null(), ptr::from_ref);
    loop {
        // SAFETY: a valid set; a valid time or none.
        let signal = unsafe { libc::sigtimedwait(signals, ptr::null_mut(), limit) };
        let error = std::io::Error::last_os_error();
        if signal > 0 || error.raw_os_error() == Some(libc::EAGAIN) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_read_in_both_spellings() {
        let limit = |words: &[&str]| parse(words.iter().copied()).map(|arguments| arguments.limit);
        assert_eq!(limit(&[]), Ok(None));
        assert_eq!(limit(&["--seconds", "2"]), Ok(Some(Duration::from_secs(2))));
        assert_eq!(limit(&["--seconds=0.5"]), Ok(Some(Duration::from_millis(500))));
        for bad in [&["--seconds"][..], &["--seconds=-1"], &["now"]] {
            assert!(limit(bad).is_err(), "{bad:?}");
        }
    }
}

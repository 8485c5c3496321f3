//! Compiles one source file into a private directory, runs it, and cleans up.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus};

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::arguments::{Arguments, DRIVER};
use crate::compiler::{self, Language};
use crate::error::Error;
use crate::locate::Installation;

/// Compiles `file` and runs it, as `prepare` wants it run. The result is the program's status, or
/// that of a failed compiler.
pub(crate) fn run(
    installation: &Installation,
    is_driver: bool,
    file: &Path,
    arguments: &[OsString],
    prepare: impl FnOnce(&mut Command),
) -> Result<ExitCode, Error> {
    let language = language(file)?;
    // The compiler would say so too, but not what to do.
    File::open(file).map_err(|source| Error::Source { file: file.to_path_buf(), source })?;
    // From here on a signal ends the child, and we live to remove the directory.
    let mut signals = catch_signals().map_err(Error::Prepare)?;
    let directory =
        tempfile::Builder::new().prefix("linsock-").tempdir().map_err(Error::Prepare)?;
    // The program's own name, for its messages and for `ps`.
    let program = directory.path().join(file.file_stem().unwrap_or_default());

    let options = ["-O2".into(), "-g".into(), file.into(), "-o".into(), program.clone().into()];
    let driver = is_driver.then(|| DRIVER.into());
    let options = driver.into_iter().chain(options).collect();
    let line = compiler::command_line(installation, Arguments::parse(options))?;
    let mut child = compiler::start(language, &line, Command::spawn)?;
    let compiled = wait(&mut child, &mut signals, "the compiler")?;
    if !compiled.success() {
        return Ok(exit_code(compiled));
    }

    start(&program, arguments, prepare, &mut signals)
}

/// Runs a program, as `prepare` wants it run. The result is its status.
pub(crate) fn execute(
    program: &Path,
    arguments: &[OsString],
    prepare: impl FnOnce(&mut Command),
) -> Result<ExitCode, Error> {
    let mut signals = catch_signals().map_err(Error::Prepare)?;
    start(program, arguments, prepare, &mut signals)
}

fn start(
    program: &Path,
    arguments: &[OsString],
    prepare: impl FnOnce(&mut Command),
    signals: &mut Signals,
) -> Result<ExitCode, Error> {
    let name = program.display().to_string();
    let mut command = Command::new(program);
    command.args(arguments);
    prepare(&mut command);
    let mut child =
        command.spawn().map_err(|source| Error::Start { program: name.clone(), source })?;
    wait(&mut child, signals, &name).map(exit_code)
}

/// Whether a file can be compiled and run.
pub(crate) fn is_source(file: &Path) -> bool {
    language(file).is_ok()
}

fn language(file: &Path) -> Result<Language, Error> {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("c") => Ok(Language::C),
        Some("cc" | "cpp" | "cxx") => Ok(Language::Cxx),
        _ => Err(Error::Extension { file: file.to_path_buf() }),
    }
}

/// What is ignored stays ignored, for the child as well: `nohup linsock run` means the program.
fn catch_signals() -> io::Result<Signals> {
    let ignored = ignored_signals(&fs::read_to_string("/proc/self/status").unwrap_or_default());
    let ends = [SIGHUP, SIGINT, SIGQUIT, SIGTERM].into_iter();
    Signals::new(ends.filter(|signal| ignored >> (signal - 1) & 1 == 0).chain([SIGCHLD]))
}

/// The mask in the line `SigIgn:`; signal 1 is the lowest bit.
fn ignored_signals(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Waits for the child and passes on what only we were sent.
fn wait(child: &mut Child, signals: &mut Signals, name: &str) -> Result<ExitStatus, Error> {
    let failed = |source| Error::Wait { program: name.to_owned(), source };
    for signal in signals.forever() {
        match signal {
            SIGCHLD => {
                if let Some(status) = child.try_wait().map_err(failed)? {
                    return Ok(status);
                }
            }
            SIGTERM => forward(child, Signal::TERM),
            SIGHUP => forward(child, Signal::HUP),
            // Keys of the terminal, which the child has received itself.
            _ => {}
        }
    }
    Err(failed(io::ErrorKind::Interrupted.into()))
}

fn forward(child: &Child, signal: Signal) {
    // The child has not been waited for, so its number is still its own, and it may have ended.
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// The status as a shell reports it.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_chooses_the_language() {
        let rows = [
            ("a.c", Some(Language::C)),
            ("a.b/x.c", Some(Language::C)),
            ("a.cc", Some(Language::Cxx)),
            ("a.cpp", Some(Language::Cxx)),
            ("a.cxx", Some(Language::Cxx)),
            ("a.h", None),
            ("a.rs", None),
            ("c", None),
            (".c", None),
        ];
        for (file, expected) in rows {
            assert_eq!(language(Path::new(file)).ok(), expected, "{file}");
        }
    }

    #[test]
    fn a_signal_becomes_128_and_its_number() {
        // Wait statuses: the exit code lies in the second octet, the signal in the first.
        for (raw, expected) in [(0, 0), (7 << 8, 7), (255 << 8, 255), (9, 137), (6 | 0x80, 134)] {
            let code = exit_code(ExitStatus::from_raw(raw));
            assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(expected)), "{raw:#x}");
        }
    }
}

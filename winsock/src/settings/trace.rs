//! The trace, by the environment: `LINSOCK_TRACE` says what is told, `LINSOCK_TRACE_FILE` where
//! (the standard error stream without it) and `LINSOCK_TRACE_FORM` how.

use std::ffi::{OsStr, OsString};
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;

use linsock_iocp::sys;
use linsock_iocp::trace::{self, Form, Kinds};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use super::config::Fault;

const KINDS: &str = "LINSOCK_TRACE";
const FILE: &str = "LINSOCK_TRACE_FILE";
const FORM: &str = "LINSOCK_TRACE_FORM";

/// Begins the trace if the environment asks for one.
pub(super) fn begin(get: impl Fn(&str) -> Option<OsString>, faults: &mut Vec<Fault>) {
    let word = |name| get(name).map(|value| value.to_string_lossy().into_owned());
    let Some(kinds) = word(KINDS).filter(|kinds| !kinds.is_empty()) else { return };
    if sys::is_privileged() {
        let what = "not for a program that has more rights than its user".to_owned();
        return faults.push(Fault::new(KINDS, what));
    }
    let mut fault = |variable: &str, what: String| faults.push(Fault::new(variable, what));
    let kinds = match kinds_of(&kinds) {
        Ok(kinds) => kinds,
        Err(what) => return fault(KINDS, what),
    };
    let form = word(FORM).map_or(Ok(Form::Text), |form| form_of(&form)).unwrap_or_else(|what| {
        fault(FORM, what);
        Form::Text
    });
    let file = get(FILE).filter(|file| !file.is_empty());
    match file.as_deref().map_or_else(standard_error, open) {
        Ok(to) => trace::start(to, form, kinds),
        Err(error) => fault(FILE, format!("{}: {error}", file.unwrap_or_default().display())),
    }
}

fn kinds_of(text: &str) -> Result<Kinds, String> {
    let mut kinds = Kinds::default();
    for word in text.split(',').map(str::trim) {
        kinds = kinds.and(match word {
            "connections" | "1" => Kinds::CONNECTIONS,
            "operations" => Kinds::OPERATIONS,
            "calls" => Kinds::CALLS,
            "all" => Kinds::CONNECTIONS.and(Kinds::OPERATIONS).and(Kinds::CALLS),
            _ => {
                let known = "connections, operations, calls and all";
                return Err(format!("`{word}` is no part of a trace (there are {known})"));
            }
        });
    }
    Ok(kinds)
}

fn form_of(text: &str) -> Result<Form, String> {
    match text {
        "text" => Ok(Form::Text),
        "json" => Ok(Form::Json),
        _ => Err(format!("`{text}` is no form of a trace (there are text and json)")),
    }
}

/// Appended to: a program's children write into the same file. A pipe with a name that nobody reads
/// is not waited for.
fn open(path: &OsStr) -> io::Result<OwnedFd> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let opened = OwnedFd::from(options.open(path)?);
    fcntl_setfl(&opened, fcntl_getfl(&opened)? - OFlags::NONBLOCK)?;
    Ok(opened)
}

fn standard_error() -> io::Result<OwnedFd> {
    io::stderr().as_fd().try_clone_to_owned()
}

#[cfg(test)]
mod tests {
    use rustix::fs::{FileType, Mode};

    use super::*;

    #[test]
    fn parts_are_named_one_by_one_or_together() {
        assert_eq!(kinds_of("1"), Ok(Kinds::CONNECTIONS));
        assert_eq!(kinds_of("calls, operations"), Ok(Kinds::CALLS.and(Kinds::OPERATIONS)));
        assert_eq!(kinds_of("all"), kinds_of("operations,connections,calls"));
    }

    #[test]
    fn what_is_no_part_is_a_fault_that_names_the_parts() {
        for (name, value, what) in [
            (KINDS, "everything", "`everything` is no part of a trace"),
            (KINDS, "calls,", "`` is no part of a trace"),
            (FORM, "xml", "`xml` is no form of a trace"),
            (FILE, "/nowhere/at/all", "/nowhere/at/all: No such file"),
        ] {
            let mut faults = Vec::new();
            let get = |asked: &str| match asked {
                // A trace that does begin tells of nothing that this test does.
                _ if asked == name => Some(value.into()),
                KINDS => Some("calls".into()),
                FILE => Some("/dev/null".into()),
                _ => None,
            };
            begin(get, &mut faults);
            let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(told[0].starts_with(&format!("{name}: {what}")), "{told:?}");
        }
        trace::stop();
    }

    #[test]
    fn a_pipe_that_nobody_reads_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
        let error = open(path.as_os_str()).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(rustix::io::Errno::NXIO.raw_os_error()));
    }

    #[test]
    fn nothing_begins_unasked() {
        let mut faults = Vec::new();
        begin(|name| (name != KINDS).then(|| "json".into()), &mut faults);
        begin(|name| (name == KINDS).then(OsString::new), &mut faults);
        assert_eq!(faults, []);
    }
}

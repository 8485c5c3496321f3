//! The trace, by the environment: `LINSOCK_TRACE` says what is told, `LINSOCK_TRACE_FILE` where
//! (the standard error stream without it) and `LINSOCK_TRACE_FORM` how.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use linsock_iocp::trace::{self, Form, Kinds};

use super::config::Fault;

const KINDS: &str = "LINSOCK_TRACE";
const FILE: &str = "LINSOCK_TRACE_FILE";
const FORM: &str = "LINSOCK_TRACE_FORM";

/// Begins the trace if the environment asks for one.
pub(super) fn begin(get: impl Fn(&str) -> Option<String>, faults: &mut Vec<Fault>) {
    let Some(kinds) = get(KINDS).filter(|kinds| !kinds.is_empty()) else { return };
    if is_privileged(&std::fs::read("/proc/self/auxv").unwrap_or_default()) {
        let what = "not for a program that has more rights than its user".to_owned();
        return faults.push(Fault::new(KINDS, what));
    }
    let mut fault = |variable: &str, what: String| faults.push(Fault::new(variable, what));
    let kinds = match kinds_of(&kinds) {
        Ok(kinds) => kinds,
        Err(what) => return fault(KINDS, what),
    };
    let form = get(FORM).map_or(Ok(Form::Text), |form| form_of(&form)).unwrap_or_else(|what| {
        fault(FORM, what);
        Form::Text
    });
    let file = get(FILE).filter(|file| !file.is_empty());
    match file.as_deref().map_or_else(standard_error, open) {
        Ok(to) => trace::start(to, form, kinds),
        Err(error) => fault(FILE, format!("{}: {error}", file.unwrap_or_default())),
    }
}

/// Whether the kernel started the process with rights that its user has not (AT_SECURE): then the
/// environment, which is the user's, may name no file. So too where that cannot be told.
fn is_privileged(auxiliary: &[u8]) -> bool {
    const AT_SECURE: u64 = 23;
    let (entries, _) = auxiliary.as_chunks::<16>();
    let word = |octets: &[u8]| octets.first_chunk().map_or(0, |octets| u64::from_ne_bytes(*octets));
    let mut entries = entries.iter().map(|entry| (word(&entry[..8]), word(&entry[8..])));
    entries.find(|(kind, _)| *kind == AT_SECURE).is_none_or(|(_, value)| value != 0)
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

/// Appended to: a program's children write into the same file.
fn open(path: &str) -> io::Result<OwnedFd> {
    OpenOptions::new().append(true).create(true).open(path).map(OwnedFd::from)
}

fn standard_error() -> io::Result<OwnedFd> {
    io::stderr().as_fd().try_clone_to_owned()
}

#[cfg(test)]
mod tests {
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
                _ if asked == name => Some(value.to_owned()),
                KINDS => Some("calls".to_owned()),
                FILE => Some("/dev/null".to_owned()),
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
    fn a_program_with_more_rights_than_its_user_is_not_traced() {
        let entries = |secure: u64| {
            let words = [6, 4096, 23, secure, 0, 0];
            words.into_iter().flat_map(u64::to_ne_bytes).collect::<Vec<_>>()
        };
        assert!(!is_privileged(&entries(0)));
        assert!(is_privileged(&entries(1)));
        assert!(is_privileged(&[]) && is_privileged(&entries(0)[..24]), "not known");
    }

    #[test]
    fn nothing_begins_unasked() {
        let mut faults = Vec::new();
        begin(|name| (name != KINDS).then(|| "json".to_owned()), &mut faults);
        begin(|name| (name == KINDS).then(String::new), &mut faults);
        assert_eq!(faults, []);
    }
}

//! `linsock trace` and `linsock explain`, on a program whose connections end in every common way.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const LINSOCK: &str = env!("CARGO_BIN_EXE_linsock");
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ends.c");
/// What the program ends with.
const STATUS: Option<i32> = Some(3);

/// The account of the program's connections: six ends of three, one of them left open.
const ACCOUNT: &[&str] = &[
    "6  connections",
    "over: the peer closed first",
    "over: this side closed first",
    "over: this side closed first, with data unread: TCP resets it",
    "5 octets unread",
    "over: the peer reset the connection",
    "1  not over, although the peer has closed",
    "1  not connected: STATUS_CONNECTION_REFUSED (10061)",
];

struct Built {
    _directory: TempDir,
    program: PathBuf,
}

/// The program, compiled once.
static BUILT: LazyLock<Built> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("ends");
    let output = linsock(&["cc", "-Wall", "-Werror", SOURCE, "-o", text(&program)]);
    assert!(output.status.success(), "{}", errors(&output));
    Built { _directory: directory, program }
});

fn program() -> &'static str {
    text(&BUILT.program)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn linsock(arguments: &[&str]) -> Output {
    Command::new(LINSOCK).args(arguments).output().expect("the command starts")
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn has_all(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

#[test]
fn people_see_each_connection_begin_and_end_and_the_status_is_the_programs() {
    let output = linsock(&["trace", program()]);
    assert_eq!(output.status.code(), STATUS);
    let told = errors(&output);
    has_all(&told, &["listens at 127.0.0.1:", "connected 127.0.0.1:", " -> ", " <- ", "FIN sent"]);
    has_all(&told, &["with data unread: TCP resets it; sent 0, received 5 (5 unread), "]);
    assert!(!told.contains("WSAStartup"), "calls were not asked for:\n{told}");
    assert!(output.stdout.is_empty());
}

#[test]
fn calls_are_told_with_arguments_results_and_errors() {
    let output = linsock(&["trace", "--calls", "--operations", program()]);
    assert_eq!(output.status.code(), STATUS);
    let told = errors(&output);
    has_all(&told, &["socket(2, 1, 6) = 0x", "listen(0x", "closesocket(0x"]);
    has_all(&told, &[", 1, 0) = -1 (WSAECONNRESET)", " = -1 (WSAECONNREFUSED)"]);
    has_all(&told, &["the operation of OVERLAPPED 0x", " ends later: STATUS_SUCCESS, 0 octets"]);
    assert_eq!(told.matches(" ends later").count(), 1, "blocking calls are none:\n{told}");
    let listens = told.lines().filter(|line| line.contains("listen(0x")).count();
    assert_eq!(listens, 1, "a call is told once:\n{told}");
}

#[test]
fn a_trace_in_a_file_is_explained() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("trace.json");
    let output = linsock(&["trace", "--json", "-o", text(&file), program()]);
    assert_eq!(output.status.code(), STATUS);
    assert_eq!(errors(&output), "");
    let lines = fs::read_to_string(&file).unwrap();
    assert!(lines.lines().all(|line| line.starts_with("{\"time\":") && line.ends_with("\"}")));

    let output = linsock(&["explain", text(&file)]);
    assert!(output.status.success(), "{}", errors(&output));
    has_all(&String::from_utf8_lossy(&output.stdout), ACCOUNT);
    let output = linsock(&["explain", SOURCE]);
    assert_eq!(output.status.code(), Some(1));
    has_all(&errors(&output), &["ends.c has no line of a trace"]);
}

/// From the source, and after a signal too: servers end by one.
#[test]
fn a_program_that_a_signal_ends_is_explained() {
    let mut command = Command::new(LINSOCK);
    command.args(["trace", "--explain", SOURCE, "stay"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    assert_eq!(ready, "ready\n");
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(128 + 15), "{told}");
    has_all(&told, ACCOUNT);
}

#[test]
fn what_cannot_be_done_is_said_and_the_program_runs() {
    for (variable, value, said) in [
        (
            "LINSOCK_TRACE",
            "everything",
            "linsock: LINSOCK_TRACE: `everything` is no part of a trace",
        ),
        ("LINSOCK_TRACE_FILE", "/nowhere/file", "linsock: LINSOCK_TRACE_FILE: /nowhere/file: "),
    ] {
        let mut command = Command::new(program());
        command.env("LINSOCK_TRACE", "connections").env(variable, value);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), STATUS);
        assert!(errors(&output).starts_with(said), "{}", errors(&output));
    }
    let output = linsock(&["trace", "-o", "/nowhere/file", program()]);
    assert_eq!(output.status.code(), Some(1));
    has_all(&errors(&output), &["cannot write the trace to /nowhere/file"]);
    let output = linsock(&["trace", "/nowhere/program"]);
    assert_eq!(output.status.code(), Some(1));
    has_all(&errors(&output), &["cannot start /nowhere/program"]);
}

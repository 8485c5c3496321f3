//! The C conformance programs, built by `linsock cc` with every compiler that is installed, and
//! run.
//!
//! Each program states what Windows does, row by row, with the source of every expected value; it
//! prints `NAME: N passed, N failed` and says by its exit status whether all rows hold.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The programs have a watchdog of their own (60 s); this one is for the case that it fails.
const LIMIT: Duration = Duration::from_secs(120);

/// Where the programs are: those of Winsock, and those of Winsock Kernel.
const DIRECTORIES: [&str; 2] = ["../ws2_32/tests/c", "../wsk/tests/c"];

fn source(name: &str) -> PathBuf {
    let directory = DIRECTORIES[usize::from(name.starts_with("wsk_"))];
    Path::new(env!("CARGO_MANIFEST_DIR")).join(directory).join(name).with_extension("c")
}

fn is_installed(compiler: &str) -> bool {
    let mut version = Command::new(compiler);
    version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}

/// Runs a program to its end or to the limit.
fn run(program: &Path) -> Output {
    let mut command = Command::new(program);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.current_dir(program.parent().expect("a directory of its own"));
    let mut child = command.spawn().expect("the program starts");
    let begun = Instant::now();
    while child.try_wait().expect("the program can be waited for").is_none() {
        if begun.elapsed() > LIMIT {
            let _ = child.kill();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().expect("the output can be read")
}

/// By every compiler at the same time: the programs wait more than they work.
fn conforms(name: &str) {
    let scratch = tempfile::tempdir().expect("a directory for the program");
    let compilers = ["gcc", "clang"].into_iter().filter(|compiler| is_installed(compiler));
    let compilers: Vec<_> = compilers.collect();
    assert!(!compilers.is_empty(), "no compiler: install gcc or clang");
    std::thread::scope(|scope| {
        for compiler in compilers {
            // Each in a directory of its own, where some programs make files.
            let directory = scratch.path().join(compiler);
            std::fs::create_dir(&directory).expect("a directory for the program");
            scope.spawn(move || conforms_by(compiler, name, &directory.join(name)));
        }
    });
}

fn conforms_by(compiler: &str, name: &str, program: &Path) {
    let compiled = Command::new(env!("CARGO_BIN_EXE_linsock"))
        .args(["cc", "-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-o"])
        .arg(program)
        .arg(source(name))
        .env("CC", compiler)
        .output()
        .expect("linsock cc starts");
    let messages = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{name} does not compile with {compiler}:\n{messages}");
    let output = run(program);
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} ({compiler}): {}\n{text}{errors}", output.status);
    assert!(text.contains(" passed, 0 failed"), "{name} ({compiler}) checked nothing:\n{text}");
}

/// The kernel's numbers and layouts, as a compiler for Windows has them from its own headers.
#[test]
fn the_kernels_headers_are_laid_out_as_on_windows() {
    let headers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wsk/tests/headers");
    let golden = std::fs::read_to_string(headers.join("layout.golden")).expect("the golden file");
    let scratch = tempfile::tempdir().expect("a directory for the program");
    for compiler in ["gcc", "clang"].into_iter().filter(|compiler| is_installed(compiler)) {
        let program = scratch.path().join(compiler);
        let compiled = Command::new(env!("CARGO_BIN_EXE_linsock"))
            .args(["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(&program)
            .arg(headers.join("layout.c"))
            .env("CC", compiler)
            .status()
            .expect("linsock cc starts");
        assert!(compiled.success(), "{compiler}");
        let printed = String::from_utf8(run(&program).stdout).expect("text");
        assert_eq!(printed, golden, "{compiler}");
    }
}

macro_rules! programs {
    ($($name:ident),* $(,)?) => {
        $(#[test] fn $name() { conforms(stringify!($name)); })*

        /// Every program in the directories is in the list above.
        #[test]
        fn no_program_is_left_out() {
            let mut found: Vec<String> = DIRECTORIES
                .map(|directory| Path::new(env!("CARGO_MANIFEST_DIR")).join(directory))
                .into_iter()
                .flat_map(|path| std::fs::read_dir(path).expect("the directory of the programs"))
                .map(|entry| entry.expect("an entry").path())
                .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
                .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
                .collect();
            found.sort();
            let mut listed = vec![$(stringify!($name).to_owned()),*];
            listed.sort();
            assert_eq!(found, listed);
        }
    };
}

programs![
    acceptex,
    afd_poll,
    across,
    apc,
    close_matrix,
    closesocket,
    completion_port,
    connect_by_name,
    connectex,
    crt,
    wide,
    signals,
    message,
    duplicate,
    beside,
    ioctls,
    packets,
    files,
    read_write,
    ip_options,
    disconnect_data,
    disconnectex,
    elsewhere,
    events_waits,
    extension,
    hostile,
    kernel32,
    init_once,
    calendar,
    console,
    crt_headers,
    named_objects,
    processes,
    pages,
    text,
    thread_storage,
    unicode,
    names,
    network_events,
    no_descriptors,
    no_threads,
    options,
    protocols,
    resolve,
    resolve_overlapped,
    resolve_wide,
    results,
    regressions,
    reuse_stress,
    select_poll,
    send_recv_disconnect,
    shutdown,
    startup,
    thread_exit,
    thread_pool,
    tcp_tables,
    ended_outside,
    table_rows,
    time_wait,
    timers,
    transfer,
    transmit,
    udp,
    unix_streams,
    libraries,
    named_pipe_server,
    named_pipes,
    directories,
    system,
    ip_helper,
    file_mapping,
    fiber_storage,
    moves,
    places,
    services,
    file_locks,
    pipes,
    process,
    programs,
    notifications,
    registered_io,
    cancel_calls,
    heap_and_pool,
    formats,
    library_habits,
    wsk_disconnect,
    wsk_events,
    wsk_irp,
    wsk_no_descriptors,
    wsk_refusals,
    wsk_sockets,
    wsk_stress,
];

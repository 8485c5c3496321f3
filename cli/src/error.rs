//! What can go wrong, and what the user can do about it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// A failure of ours; a failure of the compiler or of the program is an exit status instead.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(
        "no {language} compiler is installed: tried {tried}; install one (`apt install {package}`) \
         or name the one to use in ${variable}"
    )]
    NoCompiler {
        language: &'static str,
        tried: String,
        package: &'static str,
        variable: &'static str,
    },
    #[error("cannot start {program}: {source}")]
    Start { program: String, source: io::Error },
    #[error(
        "linsock's headers were not found (no winsock2.h in {}); set LINSOCK_HOME to the directory \
         that holds include/ and lib/", list(.looked))]
    NoHeaders { looked: Vec<PathBuf> },
    #[error(
        "linsock's C library was not found (looked for {}); build it with `cargo build` in \
         linsock's source tree, or set LINSOCK_HOME to the directory that holds include/ and lib/",
        list(.looked)
    )]
    NoLibrary { looked: Vec<PathBuf> },
    #[error("cannot read {}: {source}; name an existing C or C++ source file", .file.display())]
    Source { file: PathBuf, source: io::Error },
    #[error(
        "{} is not a source file that can be run: its name must end in .c (C) or in .cc, .cpp or \
         .cxx (C++); compile anything else with `linsock cc` or `linsock c++`",
        .file.display()
    )]
    Extension { file: PathBuf },
    #[error("cannot prepare to run the program: {0}; TMPDIR names where its directory is made")]
    Prepare(io::Error),
    #[error("cannot wait for {program}: {source}")]
    Wait { program: String, source: io::Error },
    #[error("cannot read the kernel's connections: {0}; they are in /proc")]
    Connections(linsock::NtStatus),
    #[error("cannot write the output: {0}")]
    Output(io::Error),
    #[error("no output is named; windres' arguments are `INPUT OUTPUT`, or have `-o OUTPUT`")]
    NoOutput,
    #[error("cannot name this command to a build system: {0}")]
    Command(String),
    #[error("linsock in {} cannot be installed over itself", .prefix.display())]
    InstalledAlready { prefix: PathBuf },
    #[error("cannot install {}: {source}; --prefix names another place", .path.display())]
    Install { path: PathBuf, source: io::Error },
    #[error("cannot write the trace to {}: {source}", .file.display())]
    TraceFile { file: PathBuf, source: io::Error },
    #[error("cannot read the trace {}: {source}", .file.display())]
    Trace { file: PathBuf, source: io::Error },
    #[error(
        "{} has no line of a trace; `linsock trace --json -o FILE PROGRAM` writes one",
        .file.display()
    )]
    NoTrace { file: PathBuf },
    #[error("{address}: {source}")]
    Peer { address: SocketAddr, source: linsock::net::Error },
    #[error("there is no process {process}")]
    NoProcess { process: u32 },
    #[error(
        "process {process} tells nothing ({source}): it is not a linsock program of this user, has \
         had no socket and no completion port yet, its setting View is no, or it is stopped"
    )]
    Silent { process: u32, source: io::Error },
    #[error("no terminal to draw on ({0}); `linsock sockets` prints the same once")]
    Screen(io::Error),
}

impl Error {
    /// Whether the reader of the output has gone away, as `head` does.
    pub(crate) fn is_end_of_reading(&self) -> bool {
        matches!(self, Self::Output(source) if source.kind() == io::ErrorKind::BrokenPipe)
    }

    /// 127 for a missing compiler, as a shell has it; clap ends with 2 for a usage error.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(if matches!(self, Self::NoCompiler { .. }) { 127 } else { 1 })
    }
}

fn list(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    paths.join(", ")
}

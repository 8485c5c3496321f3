//! `linsock trace`: runs a program and tells what happens to its connections.
//!
//! The program tells itself, by what the environment asks of it (`LINSOCK_TRACE`), so this command
//! only asks; with `--explain` it also reads what the program tells, by a pipe with a name.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread::JoinHandle;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::error::Error;
use crate::explain::Account;
use crate::locate::Installation;
use crate::run;

/// What the command was asked for.
#[derive(clap::Args)]
#[command(override_usage = "linsock trace [OPTIONS] <PROGRAM> [ARGS]...")]
pub(crate) struct Arguments {
    /// Tell how overlapped operations end, too.
    #[arg(long)]
    operations: bool,
    /// Tell the calls from WSAStartup on, too, with their arguments and results.
    #[arg(long)]
    calls: bool,
    /// A JSON object for each line, for `linsock explain` and other programs.
    #[arg(long)]
    json: bool,
    /// Append to FILE and not to the standard error stream.
    #[arg(short, long, value_name = "FILE", conflicts_with = "explain")]
    output: Option<PathBuf>,
    /// Tell nothing until the program has ended, and then how its connections ended.
    #[arg(long, conflicts_with_all = ["json", "operations", "calls"])]
    explain: bool,
    /// PROGRAM is the source of a client of Winsock Kernel.
    #[arg(long)]
    wsk: bool,
    /// The program, or a source file as for `linsock run`, and its arguments.
    #[arg(value_name = "PROGRAM", required = true)]
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    program: Vec<OsString>,
}

/// Runs the program; the result is its status.
///
/// # Errors
/// It cannot be compiled or started.
pub(crate) fn trace(arguments: &Arguments) -> Result<ExitCode, Error> {
    if arguments.explain {
        return explain(arguments);
    }
    let mut kinds = vec!["connections"];
    kinds.extend(arguments.operations.then_some("operations"));
    kinds.extend(arguments.calls.then_some("calls"));
    let form = if arguments.json { "json" } else { "text" };
    let file = match &arguments.output {
        Some(file) => output(file)?,
        None => OsString::new(),
    };
    start(arguments, &kinds.join(","), form, file)
}

/// The file, as the program is told: it may change its directory before it begins to tell.
fn output(file: &Path) -> Result<OsString, Error> {
    let failed = |source| Error::TraceFile { file: file.to_owned(), source };
    // A pipe waits here for its reader, and not in the program.
    OpenOptions::new().append(true).create(true).open(file).map_err(failed)?;
    std::path::absolute(file).map(Into::into).map_err(failed)
}

fn start(
    arguments: &Arguments,
    kinds: &str,
    form: &str,
    file: OsString,
) -> Result<ExitCode, Error> {
    let prepare = |command: &mut Command| {
        let names = ["LINSOCK_TRACE", "LINSOCK_TRACE_FORM", "LINSOCK_TRACE_FILE"];
        command.envs(names.into_iter().zip([kinds.into(), form.into(), file]));
    };
    let (program, rest) = (Path::new(&arguments.program[0]), &arguments.program[1..]);
    if arguments.wsk || run::is_source(program) {
        return run::run(&Installation::find()?, arguments.wsk, program, rest, prepare);
    }
    run::execute(program, rest, prepare)
}

/// Runs the program, counts what it tells, and prints the account.
fn explain(arguments: &Arguments) -> Result<ExitCode, Error> {
    let directory =
        tempfile::Builder::new().prefix("linsock-").tempdir().map_err(Error::Prepare)?;
    let path = directory.path().join("trace");
    let (mut own_end, reader) = read_pipe(&path).map_err(Error::Prepare)?;
    let status = start(arguments, "connections", "json", path.into());
    // Behind all that the program has told.
    own_end.write_all(END.as_bytes()).map_err(Error::Output)?;
    let account = reader.join().unwrap_or_default();
    write!(io::stderr(), "{}", account.text()).map_err(Error::Output)?;
    status
}

/// The line after the last one.
const END: &str = "end of the trace\n";

/// Makes a pipe with a name, and a thread that reads it; gives an end for writing, too.
fn read_pipe(path: &Path) -> io::Result<(File, JoinHandle<Account>)> {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
    // For both: neither we nor the program then wait for the other to open it.
    let pipe = OpenOptions::new().read(true).write(true).open(path)?;
    let own_end = pipe.try_clone()?;
    let reader = std::thread::Builder::new().spawn(move || {
        let mut account = Account::default();
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            if line == END.trim_end().as_bytes() {
                break;
            }
            account.take(&String::from_utf8_lossy(&line));
        }
        account
    })?;
    Ok((own_end, reader))
}

//! The `linsock` command: compiles unmodified Winsock programs with the system compiler.
//!
//! It never interprets the compiler's options beyond what is needed to add our headers and library.
//! Start reading at `compiler`, which puts the command line together.
#![forbid(unsafe_code)]

mod arguments;
mod compiler;
mod error;
mod explain;
mod install;
mod json;
mod locate;
mod peer;
mod protocols;
mod resources;
mod run;
mod sockets;
mod time_wait;
mod toolchain;
mod top;
mod trace;
mod view;
mod windows;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
// Nothing is called: the dependency has cargo build the C library that programs are linked with.
use linsock_c as _;

use crate::compiler::{Language, shell_words};
use crate::error::Error;
use crate::locate::Installation;

/// Windows Sockets for Linux: compile and run unmodified Winsock programs.
#[derive(Parser)]
#[command(name = "linsock", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the C compiler ($CC, cc, gcc or clang) with linsock's headers and library.
    // `--help` and every other option belong to the compiler.
    #[command(disable_help_flag = true)]
    Cc(CompilerArguments),
    /// Run the C++ compiler ($CXX, c++, g++ or clang++) with linsock's headers and library.
    #[command(name = "c++", disable_help_flag = true)]
    Cxx(CompilerArguments),
    /// Compile one source file and run it; the exit status is the program's.
    #[command(override_usage = "linsock run [--wsk] <FILE> [ARGS]...")]
    Run {
        /// FILE is a driver, a client of Winsock Kernel: load it, and unload it at a signal or
        /// after `--seconds N`, which is an argument of the program.
        #[arg(long)]
        wsk: bool,
        /// The program (FILE.c is C; FILE.cc, FILE.cpp and FILE.cxx are C++) and its arguments.
        // One list: an option after FILE is the program's, `--help` included.
        #[arg(value_name = "FILE", required = true)]
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        program: Vec<OsString>,
    },
    /// Run a program and tell how its connections begin and end, and why.
    Trace(trace::Arguments),
    /// Count how the connections of a trace ended, and say what may be done about it.
    Explain(explain::Arguments),
    /// Show the sockets of running linsock programs, and what they wait for.
    Sockets(sockets::Arguments),
    /// The same, again and again, on the whole screen.
    Top(top::Arguments),
    /// Be a peer that closes, resets, stalls or answers late, for tests of the other side.
    Peer(peer::Arguments),
    /// Stand in for a resource compiler: take windres' arguments and make an empty object, as there
    /// are no resources here.
    #[command(disable_help_flag = true)]
    Windres(CompilerArguments),
    /// Print what a build system must add when it compiles.
    Cflags,
    /// Print what a build system must add when it links.
    Libs,
    /// Copy the command, the headers and the library to where other users find them.
    Install(install::Arguments),
    /// Print a file by which a build system takes linsock for a compiler for Windows.
    Toolchain(toolchain::Arguments),
    /// List the transport providers, as WSAEnumProtocols does.
    Protocols(protocols::Arguments),
    /// Show the pairs in TIME_WAIT: those that linsock programs hold, and the kernel's.
    TimeWait(time_wait::Arguments),
    /// Print where headers and library were found, and the flags, as shell assignments.
    Env,
}

#[derive(clap::Args)]
struct CompilerArguments {
    /// Arguments of the compiler, unchanged.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

fn main() -> ExitCode {
    match execute(Cli::parse().command) {
        Ok(status) => status,
        Err(error) => {
            // Not eprintln!, which panics when nobody reads. Who has read enough of the output is
            // told nothing.
            if !error.is_end_of_reading() {
                let _ = writeln!(io::stderr(), "linsock: {error}");
            }
            error.exit_code()
        }
    }
}

fn execute(command: Command) -> Result<ExitCode, Error> {
    let find = Installation::find;
    match command {
        Command::Cc(compiler) => compiler::replace(Language::C, &find()?, compiler.args),
        Command::Cxx(compiler) => compiler::replace(Language::Cxx, &find()?, compiler.args),
        Command::Windres(windres) => resources::compile(&find()?, &windres.args),
        Command::Run { wsk, program } => {
            run::run(&find()?, wsk, Path::new(&program[0]), &program[1..], |_| {})
        }
        Command::Trace(arguments) => trace::trace(&arguments),
        Command::Sockets(arguments) => sockets::print(&arguments),
        Command::Top(arguments) => top::run(&arguments),
        Command::Peer(arguments) => peer::run(&arguments),
        Command::Explain(arguments) => print(explain::text(&arguments)?.trim_end()),
        Command::Protocols(arguments) => print(&protocols::text(&arguments)),
        Command::Install(arguments) => print(&install::install(&arguments, &find()?)?),
        Command::Toolchain(arguments) => print(&toolchain::text(&arguments, &find()?)?),
        Command::TimeWait(arguments) => time_wait::print(&arguments),
        Command::Cflags => print(&shell_words(&compiler::cflags(&find()?))),
        Command::Libs => print(&shell_words(&compiler::libs(&find()?)?)),
        Command::Env => print(&environment(&find()?)?),
    }
}

fn environment(installation: &Installation) -> Result<String, Error> {
    let cflags = shell_words(&compiler::cflags(installation));
    let libs = shell_words(&compiler::libs(installation)?);
    let assignments = [
        ("LINSOCK_INCLUDE", installation.headers().into()),
        ("LINSOCK_LIBRARY", installation.library()?.into()),
        ("LINSOCK_CFLAGS", OsString::from(cflags)),
        ("LINSOCK_LIBS", OsString::from(libs)),
    ];
    let lines = assignments.map(|(name, value)| format!("{name}={}", shell_words(&[value])));
    Ok(lines.join("\n"))
}

fn print(text: &str) -> Result<ExitCode, Error> {
    // Not println!, which panics when the reader has gone away.
    writeln!(io::stdout(), "{text}").map_err(Error::Output)?;
    Ok(ExitCode::SUCCESS)
}

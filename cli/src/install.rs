//! Copies the command, the headers and the C library to where an installation has them.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{self, Path, PathBuf};

use crate::compiler;
use crate::error::Error;
use crate::locate::Installation;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What gets bin/linsock, include/linsock, lib/linsock and lib/pkgconfig/linsock.pc. It may be
    /// moved afterwards.
    #[arg(long, default_value = "/usr/local")]
    prefix: PathBuf,
}

/// Where they lie in a prefix.
const HEADERS: &str = "include/linsock";
const LIBRARY: &str = "lib/linsock/liblinsock_c.a";

/// Installs what `installation` found, and says what to do with it.
pub(crate) fn install(arguments: &Arguments, installation: &Installation) -> Result<String, Error> {
    let prefix = path::absolute(&arguments.prefix).map_err(failed(&arguments.prefix))?;
    let library = installation.library()?;
    let headers = prefix.join(HEADERS);
    if is_same(installation.headers(), &headers) {
        return Err(Error::InstalledAlready { prefix });
    }
    remove_old_headers(&headers).map_err(failed(&headers))?;
    copy_tree(installation.headers(), &headers)?;
    copy(library, &prefix.join(LIBRARY))?;
    let command = env::current_exe().map_err(|error| Error::Command(error.to_string()))?;
    copy(&command, &prefix.join("bin/linsock"))?;
    let description = prefix.join("lib/pkgconfig/linsock.pc");
    make_parent(&description)?;
    let text = package(&Installation::at_prefix(&prefix)?)?;
    fs::write(&description, text).map_err(failed(&description))?;
    Ok(format!("linsock is installed in {}", prefix.display()))
}

/// The headers of another version do not stay behind. What is not ours does.
fn remove_old_headers(headers: &Path) -> io::Result<()> {
    if headers.join("winsock2.h").is_file() { fs::remove_dir_all(headers) } else { Ok(()) }
}

fn copy_tree(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to).map_err(failed(to))?;
    for entry in fs::read_dir(from).map_err(failed(from))? {
        let source = entry.map_err(failed(from))?.path();
        let target = to.join(source.file_name().unwrap_or_default());
        if source.is_dir() {
            copy_tree(&source, &target)?;
        } else {
            copy(&source, &target)?;
        }
    }
    Ok(())
}

/// Puts the new file in the place of the old one, which may be running.
fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    make_parent(to)?;
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = to.with_file_name(name);
    fs::copy(from, &new).and_then(|_| fs::rename(&new, to)).map_err(failed(to))
}

fn make_parent(file: &Path) -> Result<(), Error> {
    let parent = file.parent().unwrap_or(file);
    fs::create_dir_all(parent).map_err(failed(parent))
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

fn failed(path: &Path) -> impl Fn(io::Error) -> Error + '_ {
    |source| Error::Install { path: path.to_path_buf(), source }
}

/// pkg-config's description, which tells of the prefix it lies in.
fn package(installation: &Installation) -> Result<String, Error> {
    let relative = |words: Vec<OsString>, path: &Path, from_prefix: &str| {
        let words = compiler::shell_words(&words);
        words.replace(&path.display().to_string(), &format!("${{prefix}}/{from_prefix}"))
    };
    let cflags = relative(compiler::cflags(installation), installation.headers(), HEADERS);
    let libs = relative(compiler::libs(installation)?, installation.library()?, LIBRARY);
    Ok(format!(
        "prefix=${{pcfiledir}}/../..\n\nName: linsock\nDescription: Windows Sockets for Linux\n\
         Version: {}\nCflags: {cflags}\nLibs: {libs}\n",
        env!("CARGO_PKG_VERSION")
    ))
}

//! Which file is the program that CreateProcess and its kin are to start.

use std::ffi::OsString;
use std::fs::metadata;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::line;
use crate::export::Outcome;
use crate::last_error::Error;

/// The names that a program may have: without the ".exe" that it has on Windows; with it, if the
/// name is to be completed.
fn spellings(path: &Path, is_completed: bool) -> Vec<PathBuf> {
    let mut spellings = vec![path.to_owned()];
    match path.extension() {
        Some(extension) if extension.eq_ignore_ascii_case("exe") => {
            spellings.push(path.with_extension(""));
        }
        None if is_completed => spellings.push(path.with_extension("exe")),
        _ => {}
    }
    spellings
}

fn is_file(path: &Path) -> bool {
    path.is_file()
}

/// Whether somebody may execute it.
fn is_program(path: &Path) -> bool {
    metadata(path).is_ok_and(|known| known.is_file() && known.permissions().mode() & 0o111 != 0)
}

/// Where a program of that name is: it may have a path, or is looked for in the directory of this
/// program, in the current one, and in those of PATH.
fn search(name: &[u8], is_good: fn(&Path) -> bool) -> Option<PathBuf> {
    let name = path_from(name);
    let good = |path: PathBuf| spellings(&path, true).into_iter().find(|path| is_good(path));
    if name.as_os_str().as_bytes().contains(&b'/') {
        return good(absolute(&name));
    }
    let own = std::env::current_exe().ok();
    let own = own.as_deref().and_then(Path::parent).map(Path::to_owned);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let listed: Vec<_> = std::env::split_paths(&path).collect();
    let directories = own.into_iter().chain(std::env::current_dir().ok()).chain(listed);
    directories
        .filter(|directory| directory.is_absolute())
        .find_map(|directory| good(directory.join(&name)))
}

fn path_from(text: &[u8]) -> PathBuf {
    let slashed = text.iter().map(|&octet| if octet == b'\\' { b'/' } else { octet });
    OsString::from_vec(slashed.collect()).into()
}

/// The new process may begin in another directory than the one that a path counts from.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// What nobody may execute is taken only where there is nothing else: then the refusal says so.
fn first(find: impl Fn(fn(&Path) -> bool) -> Option<PathBuf>) -> Outcome<PathBuf> {
    find(is_program).or_else(|| find(is_file)).ok_or(Error::ERROR_FILE_NOT_FOUND)
}

/// The program of a name that _spawn and its kin are given, which is completed; they look for it in
/// other directories if they are told so.
pub(super) fn find_named(name: &[u8], is_searched: bool) -> Outcome<PathBuf> {
    if is_searched {
        return first(|is_good| search(name, is_good));
    }
    let named = spellings(&absolute(&path_from(name)), true);
    first(|is_good| named.iter().find(|path| is_good(path)).cloned())
}

/// The program of an application's name, to which nothing is added; or of a command line.
pub(super) fn find(application: Option<&[u8]>, line: Option<&[u8]>) -> Outcome<PathBuf> {
    match (application, line) {
        (Some(application), _) => {
            let named = spellings(&absolute(&path_from(application)), false);
            first(|is_good| named.iter().find(|path| is_good(path)).cloned())
        }
        (None, Some(line)) => {
            let names = line::names(line);
            first(|is_good| names.iter().find_map(|name| search(name, is_good)))
        }
        (None, None) => Err(Error::ERROR_INVALID_PARAMETER),
    }
}

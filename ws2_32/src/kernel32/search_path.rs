//! SearchPath.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::disk::path_of;
use super::file_time::store_path;
use super::library;
use super::object::no_access;
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::wide::{Unit, read_text_opt};

/// Where to look: the directories that the program names, or the usual ones.
fn directories<U: Unit>(given: *const U) -> Outcome<Vec<PathBuf>> {
    let Some(given) = read_text_opt(given).map_err(no_access)? else {
        return Ok(library::directories());
    };
    let slashed: Vec<_> =
        given.into_iter().map(|octet| if octet == b'\\' { b'/' } else { octet }).collect();
    let parts = slashed.split(|octet| *octet == b';').filter(|part| !part.is_empty());
    Ok(parts.map(|part| PathBuf::from(OsStr::from_bytes(part))).collect())
}

fn search<U: Unit>(
    path: *const U,
    name: *const U,
    extension: *const U,
    room: u32,
    at: *mut U,
    part: *mut *mut U,
) -> Outcome<u32> {
    let mut name = path_of(name)?;
    let extension = read_text_opt(extension).map_err(no_access)?;
    if let (Some(extension), None) = (extension, name.extension()) {
        let mut longer = name.into_os_string().into_vec();
        longer.extend(extension);
        name = PathBuf::from(std::ffi::OsString::from_vec(longer));
    }
    let mut places = directories(path)?.into_iter().map(|directory| directory.join(&name));
    let found = places.find(|place| place.is_file()).ok_or(Error::ERROR_FILE_NOT_FOUND)?;
    store_path(&found, room, at, part)
}

export! {
    /// Looks for a file in directories, which a semicolon parts, or in the usual ones: the
    /// program's, the current one, and those of PATH. The extension, which begins with a dot, goes
    /// to a name that has none. Gives the length of the path without the zero or, if there is no
    /// room, the size that is needed.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processenv/nf-processenv-searchpatha>
    ///
    /// # Errors
    /// 0; ERROR_FILE_NOT_FOUND, ERROR_NOACCESS, ERROR_PATH_NOT_FOUND for an empty name.
    ///
    /// # Differs from Windows
    /// It is a path of Linux, with slashes. There are no directories of the system among the usual
    /// ones.
    fn SearchPathA(
        lpPath: *const u8,
        lpFileName: *const u8,
        lpExtension: *const u8,
        nBufferLength: u32,
        lpBuffer: *mut u8,
        lpFilePart: *mut *mut u8,
    ) -> u32, fail 0; {
        search(lpPath, lpFileName, lpExtension, nBufferLength, lpBuffer, lpFilePart)
    }

    /// As [`SearchPathA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processenv/nf-processenv-searchpathw>
    ///
    /// # Differs from Windows
    /// As SearchPathA.
    fn SearchPathW(
        lpPath: *const u16,
        lpFileName: *const u16,
        lpExtension: *const u16,
        nBufferLength: u32,
        lpBuffer: *mut u16,
        lpFilePart: *mut *mut u16,
    ) -> u32, fail 0; {
        search(lpPath, lpFileName, lpExtension, nBufferLength, lpBuffer, lpFilePart)
    }
}

//! Directories: made, removed and listed by pattern; and what is known of a file by its path.
//!
//! # Differs from Windows
//! Paths and patterns are as in [`super::disk`]: case matters. A name of Linux may be no UTF-8;
//! then the functions that end in W show U+FFFD in it. There are no short names.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::vec::IntoIter;

use super::clock::file_time_of;
use super::disk::{attributes_of, path_of, refused};
use super::object::no_access;
use crate::abi::{BOOL, FALSE, HANDLE, INVALID_HANDLE_VALUE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;
use crate::wide::Unit;

/// Room for a name, in units, and for a short name, which is always empty.
const NAME: usize = 260;
const SHORT_NAME: usize = 14;
/// The only level of GetFileAttributesEx.
const GET_FILE_EX_INFO_STANDARD: i32 = 0;

/// WIN32_FILE_ATTRIBUTE_DATA, with which a WIN32_FIND_DATA begins. A time is a FILETIME.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
#[allow(non_camel_case_types, non_snake_case, reason = "Windows' names")]
pub struct WIN32_FILE_ATTRIBUTE_DATA {
    /// What it is.
    pub dwFileAttributes: u32,
    /// When it was made.
    pub ftCreationTime: [u32; 2],
    /// When it was read.
    pub ftLastAccessTime: [u32; 2],
    /// When it was written.
    pub ftLastWriteTime: [u32; 2],
    /// The upper half of its size.
    pub nFileSizeHigh: u32,
    /// The lower half.
    pub nFileSizeLow: u32,
}

/// WIN32_FIND_DATA, of octets or of UTF-16.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
#[allow(non_camel_case_types, non_snake_case, reason = "Windows' names")]
pub struct WIN32_FIND_DATA<U> {
    /// What is known of it.
    pub data: WIN32_FILE_ATTRIBUTE_DATA,
    /// Nothing.
    pub dwReserved: [u32; 2],
    /// The name, without a directory.
    pub cFileName: [U; NAME],
    /// Empty.
    pub cAlternateFileName: [U; SHORT_NAME],
}

/// What a listing found.
struct Found {
    name: Vec<u8>,
    data: WIN32_FILE_ATTRIBUTE_DATA,
}

/// The listings that were begun and not closed, by their handles.
struct Listings {
    open: BTreeMap<HANDLE, IntoIter<Found>>,
    /// No multiple of 4, which the handles of objects are: CloseHandle knows none of these.
    last: HANDLE,
}

static LISTINGS: Mutex<Listings> = Mutex::new(Listings { open: BTreeMap::new(), last: 2 });

fn listings() -> std::sync::MutexGuard<'static, Listings> {
    // No code that holds the lock can panic half way through a change.
    LISTINGS.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The lower half and the upper one.
pub(super) const fn halves(whole: u64) -> [u32; 2] {
    [(whole & 0xFFFF_FFFF) as u32, (whole >> 32) as u32]
}

pub(super) fn data_of(known: &Metadata) -> WIN32_FILE_ATTRIBUTE_DATA {
    let written = known.modified();
    let time = |at: std::io::Result<_>| at.map_or([0; 2], |at| halves(file_time_of(at)));
    let made = known.created().or_else(|_| known.modified());
    let size = halves(if known.is_dir() { 0 } else { known.len() });
    WIN32_FILE_ATTRIBUTE_DATA {
        dwFileAttributes: attributes_of(known),
        ftCreationTime: time(made),
        ftLastAccessTime: time(known.accessed()),
        ftLastWriteTime: time(written),
        nFileSizeHigh: size[1],
        nFileSizeLow: size[0],
    }
}

/// Whether a name is one of a pattern: `*` is any text and `?` any octet. `*.*` is every name.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if pattern == b"*.*" {
        return true;
    }
    // Where to go on if the last `*` has to take one octet more.
    let (mut p, mut n, mut again) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                again = Some((p, n));
                p += 1;
            }
            Some(octet) if *octet == b'?' || *octet == name[n] => (p, n) = (p + 1, n + 1),
            _ => match again {
                Some((star, from)) => {
                    again = Some((star, from + 1));
                    (p, n) = (star + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|octet| *octet == b'*')
}

/// The names of a directory that a pattern means, in order, with its own and its parent's.
fn list(directory: &Path, pattern: &[u8]) -> Outcome<Vec<Found>> {
    let is_known = |error| match refused(&error, directory) {
        Error::ERROR_FILE_NOT_FOUND => Error::ERROR_PATH_NOT_FOUND,
        other => other,
    };
    let entries = fs::read_dir(directory).map_err(is_known)?;
    let names = entries.filter_map(|entry| Some(entry.ok()?.file_name().as_bytes().to_vec()));
    let mut names: Vec<_> = names.chain([b".".to_vec(), b"..".to_vec()]).collect();
    names.retain(|name| matches(pattern, name));
    names.sort();
    let known = |name: Vec<u8>| {
        let path = directory.join(std::ffi::OsStr::from_bytes(&name));
        // What has gone meanwhile is not told; a link to nothing is told as the link.
        let known = fs::metadata(&path).or_else(|_| fs::symlink_metadata(&path)).ok()?;
        Some(Found { name, data: data_of(&known) })
    };
    Ok(names.into_iter().filter_map(known).collect())
}

/// What a path means whose last part may be a pattern.
fn find(path: &Path) -> Outcome<Vec<Found>> {
    let octets = path.as_os_str().as_bytes();
    let (directory, name) = match octets.iter().rposition(|octet| *octet == b'/') {
        Some(slash) => (&octets[..=slash], &octets[slash + 1..]),
        None => (&b"."[..], octets),
    };
    if name.is_empty() {
        return Err(Error::ERROR_FILE_NOT_FOUND);
    }
    if name.contains(&b'*') || name.contains(&b'?') {
        return list(Path::new(std::ffi::OsStr::from_bytes(directory)), name);
    }
    let known = fs::metadata(path).map_err(|error| refused(&error, path))?;
    Ok(vec![Found { name: name.to_vec(), data: data_of(&known) }])
}

/// Stores a name and its zero in an array that is zero all over; one that is too long is cut off.
fn store<U: Unit + Default>(name: &[u8]) -> [U; NAME] {
    let mut to = [U::default(); NAME];
    let units = U::zero_ended(name);
    let length = units.len().min(NAME) - 1;
    to[..length].copy_from_slice(&units[..length]);
    to
}

fn hand_out<U: Unit + Default>(found: &Found, at: &ptr::Out<WIN32_FIND_DATA<U>>) {
    at.put(WIN32_FIND_DATA {
        data: found.data,
        dwReserved: [0; 2],
        cFileName: store(&found.name),
        cAlternateFileName: [U::default(); SHORT_NAME],
    });
}

fn find_first<U: Unit + Default>(name: *const U, at: *mut WIN32_FIND_DATA<U>) -> Outcome<HANDLE> {
    let at = ptr::Out::new(at).map_err(no_access)?;
    let mut found = find(&path_of(name)?)?.into_iter();
    let first = found.next().ok_or(Error::ERROR_FILE_NOT_FOUND)?;
    hand_out(&first, &at);
    let mut listings = listings();
    listings.last += 4;
    let handle = listings.last;
    listings.open.insert(handle, found);
    Ok(handle)
}

fn find_next<U: Unit + Default>(listing: HANDLE, at: *mut WIN32_FIND_DATA<U>) -> Outcome<BOOL> {
    let at = ptr::Out::new(at).map_err(no_access)?;
    let mut listings = listings();
    let found = listings.open.get_mut(&listing).ok_or(Error::ERROR_INVALID_HANDLE)?;
    let next = found.next().ok_or(Error::ERROR_NO_MORE_FILES)?;
    hand_out(&next, &at);
    Ok(TRUE)
}

fn attributes_ex<U: Unit>(
    name: *const U,
    level: i32,
    at: *mut WIN32_FILE_ATTRIBUTE_DATA,
) -> Outcome<BOOL> {
    if level != GET_FILE_EX_INFO_STANDARD {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    let at = ptr::Out::new(at).map_err(no_access)?;
    let path = path_of(name)?;
    at.put(data_of(&fs::metadata(&path).map_err(|error| refused(&error, &path))?));
    Ok(TRUE)
}

/// A directory is made in one that is there.
fn create(path: PathBuf) -> Outcome<BOOL> {
    fs::create_dir(&path).map(|()| TRUE).map_err(|error| match refused(&error, &path) {
        Error::ERROR_FILE_EXISTS => Error::ERROR_ALREADY_EXISTS,
        Error::ERROR_FILE_NOT_FOUND => Error::ERROR_PATH_NOT_FOUND,
        other => other,
    })
}

fn remove(path: PathBuf) -> Outcome<BOOL> {
    if fs::metadata(&path).is_ok_and(|known| !known.is_dir()) {
        return Err(Error::ERROR_DIRECTORY);
    }
    fs::remove_dir(&path).map(|()| TRUE).map_err(|error| {
        let is_full = error.kind() == std::io::ErrorKind::DirectoryNotEmpty;
        if is_full { Error::ERROR_DIR_NOT_EMPTY } else { refused(&error, &path) }
    })
}

export! {
    /// Makes a directory.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createdirectorya>
    ///
    /// # Errors
    /// ERROR_ALREADY_EXISTS, ERROR_PATH_NOT_FOUND; else as CreateFileA.
    ///
    /// # Differs from Windows
    /// The security attributes are not looked at: Linux' mask of the process counts.
    fn CreateDirectoryA(
        lpPathName: *const u8,
        lpSecurityAttributes: *const u8,
    ) -> BOOL, fail FALSE; {
        let _ = lpSecurityAttributes;
        create(path_of(lpPathName)?)
    }

    /// As [`CreateDirectoryA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createdirectoryw>
    ///
    /// # Differs from Windows
    /// As CreateDirectoryA.
    fn CreateDirectoryW(
        lpPathName: *const u16,
        lpSecurityAttributes: *const u8,
    ) -> BOOL, fail FALSE; {
        let _ = lpSecurityAttributes;
        create(path_of(lpPathName)?)
    }

    /// Removes an empty directory.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-removedirectorya>
    ///
    /// # Errors
    /// ERROR_DIR_NOT_EMPTY, ERROR_DIRECTORY for what is none; else as CreateFileA.
    fn RemoveDirectoryA(lpPathName: *const u8) -> BOOL, fail FALSE; {
        remove(path_of(lpPathName)?)
    }

    /// As [`RemoveDirectoryA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-removedirectoryw>
    fn RemoveDirectoryW(lpPathName: *const u16) -> BOOL, fail FALSE; {
        remove(path_of(lpPathName)?)
    }

    /// Begins a listing of the names that a path means: its last part may have `*` and `?`. The
    /// names come in the order of their octets, as they were when the listing began.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-findfirstfilea>
    ///
    /// # Errors
    /// INVALID_HANDLE_VALUE: ERROR_FILE_NOT_FOUND for no name, ERROR_PATH_NOT_FOUND for no
    /// directory; else as CreateFileA.
    ///
    /// # Differs from Windows
    /// Case matters; short names are not matched, and not told.
    fn FindFirstFileA(
        lpFileName: *const u8,
        lpFindFileData: *mut WIN32_FIND_DATA<u8>,
    ) -> HANDLE, fail INVALID_HANDLE_VALUE; {
        find_first(lpFileName, lpFindFileData)
    }

    /// As [`FindFirstFileA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-findfirstfilew>
    ///
    /// # Differs from Windows
    /// As FindFirstFileA.
    fn FindFirstFileW(
        lpFileName: *const u16,
        lpFindFileData: *mut WIN32_FIND_DATA<u16>,
    ) -> HANDLE, fail INVALID_HANDLE_VALUE; {
        find_first(lpFileName, lpFindFileData)
    }

    /// Goes on with a listing.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-findnextfilea>
    ///
    /// # Errors
    /// ERROR_NO_MORE_FILES, ERROR_INVALID_HANDLE, ERROR_NOACCESS.
    fn FindNextFileA(
        hFindFile: HANDLE,
        lpFindFileData: *mut WIN32_FIND_DATA<u8>,
    ) -> BOOL, fail FALSE; {
        find_next(hFindFile, lpFindFileData)
    }

    /// As [`FindNextFileA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-findnextfilew>
    fn FindNextFileW(
        hFindFile: HANDLE,
        lpFindFileData: *mut WIN32_FIND_DATA<u16>,
    ) -> BOOL, fail FALSE; {
        find_next(hFindFile, lpFindFileData)
    }

    /// Ends a listing.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-findclose>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE.
    fn FindClose(hFindFile: HANDLE) -> BOOL, fail FALSE; {
        let closed = listings().open.remove(&hFindFile);
        if closed.is_some() { Ok(TRUE) } else { Err(Error::ERROR_INVALID_HANDLE) }
    }

    /// Tells attributes, times and size of what a path names.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfileattributesexa>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for another level than GetFileExInfoStandard; else as CreateFileA.
    fn GetFileAttributesExA(
        lpFileName: *const u8,
        fInfoLevelId: i32,
        lpFileInformation: *mut WIN32_FILE_ATTRIBUTE_DATA,
    ) -> BOOL, fail FALSE; {
        attributes_ex(lpFileName, fInfoLevelId, lpFileInformation)
    }

    /// As [`GetFileAttributesExA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfileattributesexw>
    fn GetFileAttributesExW(
        lpFileName: *const u16,
        fInfoLevelId: i32,
        lpFileInformation: *mut WIN32_FILE_ATTRIBUTE_DATA,
    ) -> BOOL, fail FALSE; {
        attributes_ex(lpFileName, fInfoLevelId, lpFileInformation)
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    /// fileapi/nf-fileapi-findfirstfilea, and what a wildcard is everywhere.
    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*", "a.b", true),
            ("*.*", "name", true),
            ("*.txt", "a.txt", true),
            ("*.txt", "a.txt.txt", true),
            ("*.txt", "a.txt1", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbX", false),
            ("abc", "abcd", false),
            ("abcd", "abc", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}

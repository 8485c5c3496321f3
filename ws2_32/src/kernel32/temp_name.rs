//! Names for temporary files.
#![allow(unsafe_code, reason = "the exports")]

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::SystemTime;

use linsock::iocp::disk;

use super::disk::path_of;
use super::object::no_access;
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;
use crate::wide::Unit;

/// The room that the name may use, by its page.
const MAX_PATH: usize = 260;

/// The name with that number.
fn name(directory: &Path, prefix: &[u8], number: u16) -> Outcome<Vec<u8>> {
    let mut name = directory.as_os_str().as_bytes().to_vec();
    if name.last() != Some(&b'/') {
        name.push(b'/');
    }
    name.extend(prefix.iter().take(3));
    name.extend(format!("{number:X}.TMP").bytes());
    // "The string cannot be longer than MAX_PATH - 14 characters", so that there is room.
    if name.len() < MAX_PATH { Ok(name) } else { Err(Error::ERROR_BUFFER_OVERFLOW) }
}

/// Makes an empty file under the first name that is free, and gives the number in it.
fn make(directory: &Path, prefix: &[u8]) -> Outcome<u16> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let octets = since.as_micros().to_le_bytes();
    let first = u16::from_le_bytes([octets[0], octets[1]]);
    // 0 asks for a name, and so is none.
    for number in (0..=u16::MAX).map(|n| first.wrapping_add(n)).filter(|number| *number != 0) {
        let path = name(directory, prefix, number)?;
        let path = Path::new(std::ffi::OsStr::from_bytes(&path));
        match File::create_new(path) {
            Ok(_) => return Ok(number),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error(disk::status_of(&error).win32())),
        }
    }
    Err(Error::ERROR_FILE_EXISTS)
}

fn temp_file_name<U: Unit>(
    directory: *const U,
    prefix: *const U,
    number: u32,
    at: *mut U,
) -> Outcome<u32> {
    let directory = path_of(directory)?;
    let prefix = U::read_text(prefix).map_err(no_access)?;
    ptr::check_writable(at, MAX_PATH).map_err(no_access)?;
    if !directory.is_dir() {
        return Err(Error::ERROR_DIRECTORY);
    }
    let octets = number.to_le_bytes();
    // Of the number the low half counts.
    let number = match u16::from_le_bytes([octets[0], octets[1]]) {
        0 => make(&directory, &prefix)?,
        number => number,
    };
    let text = U::zero_ended(&name(&directory, &prefix, number)?);
    ptr::write_all(at, &text).map_err(no_access)?;
    Ok(number.into())
}

export! {
    /// Makes a name for a temporary file, of a directory, three characters and a number. Without a
    /// number the file is made too, empty, under a name that was free.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-gettempfilenamea>
    ///
    /// # Errors
    /// ERROR_NOACCESS, ERROR_DIRECTORY, ERROR_BUFFER_OVERFLOW, ERROR_FILE_EXISTS (no number is
    /// free); as CreateFile.
    fn GetTempFileNameA(
        lpPathName: *const u8,
        lpPrefixString: *const u8,
        uUnique: u32,
        lpTempFileName: *mut u8,
    ) -> u32, fail 0; {
        temp_file_name(lpPathName, lpPrefixString, uUnique, lpTempFileName)
    }

    /// As [`GetTempFileNameA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-gettempfilenamew>
    fn GetTempFileNameW(
        lpPathName: *const u16,
        lpPrefixString: *const u16,
        uUnique: u32,
        lpTempFileName: *mut u16,
    ) -> u32, fail 0; {
        temp_file_name(lpPathName, lpPrefixString, uUnique, lpTempFileName)
    }
}

//! Where the process is: its current directory, and the room on a file system.
#![allow(unsafe_code, reason = "exports")]

use std::io::ErrorKind;
use std::path::PathBuf;

use rustix::fs::{StatVfs, statvfs};

use super::disk::{path_of, refusal, refused};
use super::file_time::store_path;
use super::object::no_access;
use crate::abi::{BOOL, FALSE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr::Out;
use crate::wide::Unit;

/// Octets of a sector, of which clusters are said to consist.
const SECTOR: u64 = 512;

fn current<U: Unit>(room: u32, at: *mut U) -> Outcome<u32> {
    let here = std::env::current_dir().map_err(|_| Error::ERROR_PATH_NOT_FOUND)?;
    store_path(&here, room, at, std::ptr::null_mut())
}

fn go_to<U: Unit>(path: *const U) -> Outcome<BOOL> {
    let path = path_of(path)?;
    std::env::set_current_dir(&path).map(|()| TRUE).map_err(|error| match error.kind() {
        ErrorKind::NotADirectory if path.exists() => Error::ERROR_DIRECTORY,
        _ => refused(&error, &path),
    })
}

/// The file system that a path is on; without one, that of the current directory.
fn file_system<U: Unit>(path: *const U) -> Outcome<StatVfs> {
    let path = if path.is_null() { PathBuf::from(".") } else { path_of(path)? };
    statvfs(&path).map_err(|errno| refusal(errno, &path))
}

fn put<T: Copy>(place: *mut T, value: T) -> Outcome<()> {
    if let Some(place) = Out::optional(place).map_err(no_access)? {
        place.put(value);
    }
    Ok(())
}

fn clusters<U: Unit>(path: *const U, places: [*mut u32; 4]) -> Outcome<BOOL> {
    let known = file_system(path)?;
    let number = |many: u64| u32::try_from(many).unwrap_or(u32::MAX);
    let values = [known.f_frsize.div_ceil(SECTOR), SECTOR, known.f_bavail, known.f_blocks];
    places.into_iter().zip(values).try_for_each(|(place, value)| put(place, number(value)))?;
    Ok(TRUE)
}

fn octets<U: Unit>(path: *const U, places: [*mut u64; 3]) -> Outcome<BOOL> {
    let known = file_system(path)?;
    let blocks = [known.f_bavail, known.f_blocks, known.f_bfree];
    let octets = |blocks: u64| blocks.saturating_mul(known.f_frsize);
    places.into_iter().zip(blocks).try_for_each(|(place, blocks)| put(place, octets(blocks)))?;
    Ok(TRUE)
}

export! {
    /// The directory where relative paths begin. Gives its length without the zero or, if there is
    /// no room, the size that is needed.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getcurrentdirectory>
    ///
    /// # Errors
    /// 0; ERROR_NOACCESS; ERROR_PATH_NOT_FOUND if it was removed.
    ///
    /// # Differs from Windows
    /// It is a path of Linux, with slashes.
    fn GetCurrentDirectoryA(nBufferLength: u32, lpBuffer: *mut u8) -> u32, fail 0; {
        current(nBufferLength, lpBuffer)
    }

    /// As [`GetCurrentDirectoryA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getcurrentdirectory>
    ///
    /// # Differs from Windows
    /// As GetCurrentDirectoryA.
    fn GetCurrentDirectoryW(nBufferLength: u32, lpBuffer: *mut u16) -> u32, fail 0; {
        current(nBufferLength, lpBuffer)
    }

    /// Sets the directory where relative paths begin, for all threads.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-setcurrentdirectory>
    ///
    /// # Errors
    /// ERROR_NOACCESS, ERROR_PATH_NOT_FOUND, ERROR_FILE_NOT_FOUND, ERROR_DIRECTORY for a file,
    /// ERROR_ACCESS_DENIED.
    fn SetCurrentDirectoryA(lpPathName: *const u8) -> BOOL, fail FALSE; {
        go_to(lpPathName)
    }

    /// As [`SetCurrentDirectoryA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-setcurrentdirectory>
    fn SetCurrentDirectoryW(lpPathName: *const u16) -> BOOL, fail FALSE; {
        go_to(lpPathName)
    }

    /// The room on the file system of a path, or of the current directory, in clusters. What is
    /// asked for by a null pointer is not told.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getdiskfreespacea>
    ///
    /// # Errors
    /// ERROR_NOACCESS, ERROR_PATH_NOT_FOUND, ERROR_FILE_NOT_FOUND, ERROR_ACCESS_DENIED.
    ///
    /// # Differs from Windows
    /// Any path will do, as it need not be a root. A sector has 512 octets. A number that does not
    /// fit is the largest that does.
    fn GetDiskFreeSpaceA(
        lpRootPathName: *const u8,
        lpSectorsPerCluster: *mut u32,
        lpBytesPerSector: *mut u32,
        lpNumberOfFreeClusters: *mut u32,
        lpTotalNumberOfClusters: *mut u32,
    ) -> BOOL, fail FALSE; {
        let sizes = [lpSectorsPerCluster, lpBytesPerSector];
        let counts = [lpNumberOfFreeClusters, lpTotalNumberOfClusters];
        clusters(lpRootPathName, [sizes[0], sizes[1], counts[0], counts[1]])
    }

    /// As [`GetDiskFreeSpaceA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getdiskfreespacew>
    ///
    /// # Differs from Windows
    /// As GetDiskFreeSpaceA.
    fn GetDiskFreeSpaceW(
        lpRootPathName: *const u16,
        lpSectorsPerCluster: *mut u32,
        lpBytesPerSector: *mut u32,
        lpNumberOfFreeClusters: *mut u32,
        lpTotalNumberOfClusters: *mut u32,
    ) -> BOOL, fail FALSE; {
        let sizes = [lpSectorsPerCluster, lpBytesPerSector];
        let counts = [lpNumberOfFreeClusters, lpTotalNumberOfClusters];
        clusters(lpRootPathName, [sizes[0], sizes[1], counts[0], counts[1]])
    }

    /// The room on the file system of a path, or of the current directory, in octets: what the user
    /// may take of it, what there is, and what of it is free. What is asked for by a null pointer
    /// is
    /// not told.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getdiskfreespaceexa>
    ///
    /// # Errors
    /// As GetDiskFreeSpace.
    fn GetDiskFreeSpaceExA(
        lpDirectoryName: *const u8,
        lpFreeBytesAvailableToCaller: *mut u64,
        lpTotalNumberOfBytes: *mut u64,
        lpTotalNumberOfFreeBytes: *mut u64,
    ) -> BOOL, fail FALSE; {
        let places = [lpFreeBytesAvailableToCaller, lpTotalNumberOfBytes, lpTotalNumberOfFreeBytes];
        octets(lpDirectoryName, places)
    }

    /// As [`GetDiskFreeSpaceExA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getdiskfreespaceexw>
    fn GetDiskFreeSpaceExW(
        lpDirectoryName: *const u16,
        lpFreeBytesAvailableToCaller: *mut u64,
        lpTotalNumberOfBytes: *mut u64,
        lpTotalNumberOfFreeBytes: *mut u64,
    ) -> BOOL, fail FALSE; {
        let places = [lpFreeBytesAvailableToCaller, lpTotalNumberOfBytes, lpTotalNumberOfFreeBytes];
        octets(lpDirectoryName, places)
    }
}

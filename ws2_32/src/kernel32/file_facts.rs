//! What is known of an open file or directory.
#![allow(unsafe_code, reason = "exports")]

use std::os::unix::fs::MetadataExt;

use linsock::iocp::disk::DiskFile;

use super::directory::{data_of, halves};
use super::object::no_access;
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::export;
use crate::last_error::Error;
use crate::ptr::Out;

/// BY_HANDLE_FILE_INFORMATION. A time is a FILETIME.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
#[allow(non_camel_case_types, non_snake_case, reason = "Windows' names")]
pub struct BY_HANDLE_FILE_INFORMATION {
    /// What it is.
    pub dwFileAttributes: u32,
    /// When it was made.
    pub ftCreationTime: [u32; 2],
    /// When it was read.
    pub ftLastAccessTime: [u32; 2],
    /// When it was written.
    pub ftLastWriteTime: [u32; 2],
    /// The file system that it is in.
    pub dwVolumeSerialNumber: u32,
    /// The upper half of its size.
    pub nFileSizeHigh: u32,
    /// The lower half.
    pub nFileSizeLow: u32,
    /// How many names it has.
    pub nNumberOfLinks: u32,
    /// The upper half of what tells it from the others in its file system.
    pub nFileIndexHigh: u32,
    /// The lower half.
    pub nFileIndexLow: u32,
}

const _: () = assert!(size_of::<BY_HANDLE_FILE_INFORMATION>() == 52);

export! {
    /// Tells what is known of an open file or directory.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfileinformationbyhandle>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE for what is no disk file, ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// The serial number of the volume is Linux's number of the device, which may be another one
    /// after a restart; the index is the number of the inode. A directory has no size.
    fn GetFileInformationByHandle(
        hFile: HANDLE,
        lpFileInformation: *mut BY_HANDLE_FILE_INFORMATION,
    ) -> BOOL, fail FALSE; {
        let at = Out::new(lpFileInformation).map_err(no_access)?;
        let file = DiskFile::from_value(hFile).ok_or(Error::ERROR_INVALID_HANDLE)?;
        let known = file.file().metadata().map_err(|_| Error::ERROR_ACCESS_DENIED)?;
        let data = data_of(&known);
        let (volume, index) = (halves(known.dev()), halves(known.ino()));
        at.put(BY_HANDLE_FILE_INFORMATION {
            dwFileAttributes: data.dwFileAttributes,
            ftCreationTime: data.ftCreationTime,
            ftLastAccessTime: data.ftLastAccessTime,
            ftLastWriteTime: data.ftLastWriteTime,
            dwVolumeSerialNumber: volume[0] ^ volume[1],
            nFileSizeHigh: data.nFileSizeHigh,
            nFileSizeLow: data.nFileSizeLow,
            nNumberOfLinks: u32::try_from(known.nlink()).unwrap_or(u32::MAX),
            nFileIndexHigh: index[1],
            nFileIndexLow: index[0],
        });
        Ok(TRUE)
    }
}

//! Opening and closing, the time, and what a status means to Win32.
#![allow(unsafe_code, reason = "structures of the caller's; the exports")]

use linsock::NtStatus;
use linsock::device::Device;

use super::{INTERNAL_ERROR, NTSTATUS, Native, bad_pointer, report, told};
use crate::abi::{HANDLE, IO_STATUS_BLOCK, OBJECT_ATTRIBUTES, UNICODE_STRING};
use crate::export::export;
use crate::kernel32::{clock, object};
use crate::last_error::Error;
use crate::ptr::{self, Plain};

/// The device, in lower case. What follows it is the driver's affair, which does not look at it.
const DEVICE: &str = r"\device\afd";

/// FILE_SYNCHRONOUS_IO_ALERT and FILE_SYNCHRONOUS_IO_NONALERT: calls wait for their ends.
const SYNCHRONOUS: u32 = 0x30;
const FILE_OPENED: usize = 1;

// SAFETY: integers and pointers are valid whatever their octets.
unsafe impl Plain for OBJECT_ATTRIBUTES {}
// SAFETY: as above.
unsafe impl Plain for UNICODE_STRING {}

/// The name in the attributes, in lower case.
fn name_of(attributes: *const OBJECT_ATTRIBUTES) -> Result<String, NtStatus> {
    let attributes = ptr::read(attributes).map_err(bad_pointer)?;
    if attributes.Length as usize != size_of::<OBJECT_ATTRIBUTES>() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if attributes.RootDirectory != 0 {
        return Err(NtStatus::NOT_SUPPORTED);
    }
    if attributes.ObjectName.is_null() {
        return Err(NtStatus::OBJECT_PATH_SYNTAX_BAD);
    }
    let name = ptr::read(attributes.ObjectName).map_err(bad_pointer)?;
    let units = ptr::read_all(name.Buffer, usize::from(name.Length / 2)).map_err(bad_pointer)?;
    Ok(String::from_utf16_lossy(&units).to_lowercase())
}

fn open(
    handle: *mut HANDLE,
    attributes: *const OBJECT_ATTRIBUTES,
    block: *mut IO_STATUS_BLOCK,
    options: u32,
) -> Native {
    ptr::check_writable(handle, 1).map_err(bad_pointer)?;
    ptr::check_writable(block, 1).map_err(bad_pointer)?;
    let name = name_of(attributes)?;
    if !name.starts_with('\\') {
        return Err(NtStatus::OBJECT_PATH_SYNTAX_BAD);
    }
    let rest = name.strip_prefix(DEVICE).ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
    if !rest.is_empty() && !rest.starts_with('\\') {
        return Err(NtStatus::OBJECT_NAME_NOT_FOUND);
    }
    if options & SYNCHRONOUS != 0 {
        return Err(NtStatus::NOT_SUPPORTED);
    }
    let opened = Device::open()?;
    ptr::write(handle, opened.value()).map_err(bad_pointer)?;
    report(block, NtStatus::SUCCESS, FILE_OPENED)
}

fn create(attributes: &[usize; 2], open: impl FnOnce() -> Native) -> Native {
    // An endpoint of one's own: WSASocket makes those.
    if attributes.iter().any(|value| *value != 0) {
        return Err(NtStatus::NOT_SUPPORTED);
    }
    open()
}

fn close(handle: HANDLE) -> Native {
    match object::close(handle) {
        Ok(()) => Ok(NtStatus::SUCCESS),
        Err(Error::WSAEFAULT) => Err(NtStatus::ACCESS_VIOLATION),
        Err(_) => Err(NtStatus::INVALID_HANDLE),
    }
}

export! {
    /// Opens `\Device\Afd` or a name in it: a handle for IOCTL_AFD_POLL.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntcreatefile>
    ///
    /// Upper and lower case are the same. CloseHandle and NtClose close it.
    ///
    /// # Errors
    /// STATUS_ACCESS_VIOLATION, STATUS_INVALID_PARAMETER (the attributes' length),
    /// STATUS_OBJECT_PATH_SYNTAX_BAD, STATUS_OBJECT_NAME_NOT_FOUND for any other name,
    /// STATUS_TOO_MANY_OPENED_FILES, STATUS_NOT_SUPPORTED for extended attributes, a root directory
    /// or FILE_SYNCHRONOUS_IO_*.
    ///
    /// # Differs from Windows
    /// Nothing but the device can be opened: CreateFile opens files. No endpoint can be made by
    /// extended attributes. Access rights mean nothing.
    fn NtCreateFile(
        FileHandle: *mut HANDLE,
        _DesiredAccess: u32,
        ObjectAttributes: *const OBJECT_ATTRIBUTES,
        IoStatusBlock: *mut IO_STATUS_BLOCK,
        _AllocationSize: *const i64,
        _FileAttributes: u32,
        _ShareAccess: u32,
        _CreateDisposition: u32,
        CreateOptions: u32,
        EaBuffer: *const u8,
        EaLength: u32,
    ) -> NTSTATUS, fail INTERNAL_ERROR; {
        let extended = [EaBuffer.addr(), EaLength as usize];
        Ok(told(create(&extended, || {
            open(FileHandle, ObjectAttributes, IoStatusBlock, CreateOptions)
        })))
    }

    /// As [`NtCreateFile`], of what is there.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntopenfile>
    fn NtOpenFile(
        FileHandle: *mut HANDLE,
        _DesiredAccess: u32,
        ObjectAttributes: *const OBJECT_ATTRIBUTES,
        IoStatusBlock: *mut IO_STATUS_BLOCK,
        _ShareAccess: u32,
        OpenOptions: u32,
    ) -> NTSTATUS, fail INTERNAL_ERROR; {
        Ok(told(open(FileHandle, ObjectAttributes, IoStatusBlock, OpenOptions)))
    }

    /// Closes a handle of any kind, as CloseHandle does.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntclose>
    ///
    /// # Errors
    /// STATUS_INVALID_HANDLE. A socket that lingers can block.
    fn NtClose(Handle: HANDLE) -> NTSTATUS, fail INTERNAL_ERROR; {
        Ok(told(close(Handle)))
    }

    /// The Win32 code of a status.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-rtlntstatustodoserror>
    fn RtlNtStatusToDosError(Status: NTSTATUS) -> u32, fail Error::WSASYSCALLFAILURE.0; {
        Ok(NtStatus::from_raw(Status.cast_unsigned()).win32())
    }

    /// The time of day, in 100-nanosecond intervals since 1601.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntquerysystemtime>
    ///
    /// # Errors
    /// STATUS_ACCESS_VIOLATION.
    fn NtQuerySystemTime(SystemTime: *mut u64) -> NTSTATUS, fail INTERNAL_ERROR; {
        let written = ptr::write(SystemTime, clock::file_time_now());
        Ok(told(written.map(|()| NtStatus::SUCCESS).map_err(bad_pointer)))
    }
}

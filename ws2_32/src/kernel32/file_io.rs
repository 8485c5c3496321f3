//! ReadFile and WriteFile on sockets, which are files of their system's: the transfers of Winsock
//! with the results of kernel32.
//!
//! # Differs from Windows
//! There are no other files here.
#![allow(unsafe_code)]

use linsock::NtStatus;
use linsock::iocp::buffer::{Buffers, RawBuffer, SendFlags};
use linsock::iocp::clock::Deadline;
use linsock::iocp::irp::{Irp, Target};
use linsock::iocp::overlapped::Overlapped;
use linsock::socket::{RecvOptions, Socket, Started};

use super::object::no_access;
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::{self, Error};
use crate::ptr::{self, Out};
use crate::winsock2::overlapped::{self, FileRoutine};
use crate::winsock2::transfer;

/// Which way the octets go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// ReadFile.
    In,
    /// WriteFile.
    Out,
}

/// The Win32 code of a status: a peer that has reset its connection is ERROR_NETNAME_DELETED here.
fn failed(status: NtStatus) -> Error {
    Error(status.win32())
}

fn file_of(file: HANDLE) -> Outcome<std::sync::Arc<Socket>> {
    Socket::from_value(file).map_err(|_| Error::ERROR_INVALID_HANDLE)
}

fn memory(way: Way, at: *mut u8, len: u32) -> Outcome<Buffers> {
    let len = len as usize;
    ptr::check_data(at, len, way == Way::In).map_err(no_access)?;
    // SAFETY: the memory is the C program's, lent for the operation by the call; no Rust reference
    // to it exists.
    Ok(unsafe { Buffers::from_raw(&[RawBuffer { base: at, len }]) })
}

impl Way {
    fn start(self, socket: &Socket, irp: Irp) -> Outcome<Started> {
        match self {
            Self::In => socket.recv(irp, RecvOptions::default()),
            Self::Out => socket.send(irp, SendFlags::default()),
        }
        .map_err(failed)
    }

    /// With an OVERLAPPED on a socket that was not opened for overlapped I/O.
    fn wait_for(self, socket: &Socket, memory: Buffers, target: Target) -> Outcome<usize> {
        transfer::waited_for(socket, target, || match self {
            Self::In => socket.recv_waiting(memory, RecvOptions::default()),
            Self::Out => socket.send_waiting(memory, SendFlags::default()),
        })
        .map_err(failed)
    }

    fn block(self, socket: &Socket, memory: Buffers) -> Outcome<usize> {
        match self {
            Self::In => socket.recv_blocking(memory, RecvOptions::default()),
            Self::Out => socket.send_blocking(memory, SendFlags::default()),
        }
        .map(|(octets, _)| octets)
        .map_err(failed)
    }
}

/// ReadFile and WriteFile.
fn transfer(
    way: Way,
    file: HANDLE,
    data: (*mut u8, u32),
    told: *mut u32,
    ov: *mut Overlapped,
) -> Outcome<BOOL> {
    let socket = file_of(file)?;
    // The count may be left out only with an OVERLAPPED.
    let told = if ov.is_null() { Out::new(told).map(Some) } else { Out::optional(told) };
    let told = told.map_err(no_access)?;
    if let Some(told) = &told {
        told.put(0);
    }
    let memory = memory(way, data.0, data.1)?;
    let octets = if ov.is_null() {
        // "lpOverlapped must point to a valid OVERLAPPED" where a file was opened for that.
        if socket.is_overlapped() {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        way.block(&socket, memory)?
    } else {
        let target = overlapped::target(&socket, ov, None).map_err(of_overlapped)?;
        if socket.is_overlapped() {
            transfer::started(way.start(&socket, Irp::new(target, memory))?)?
        } else {
            way.wait_for(&socket, memory, target)?
        }
    };
    if let Some(told) = told {
        told.put(transfer::dword(octets));
    }
    Ok(TRUE)
}

/// ReadFileEx and WriteFileEx: the routine runs in an alertable wait of the calling thread, also
/// for what is over at once.
fn transfer_ex(
    way: Way,
    file: HANDLE,
    data: (*mut u8, u32),
    ov: *mut Overlapped,
    routine: Option<FileRoutine>,
) -> Outcome<BOOL> {
    let socket = file_of(file)?;
    let routine = routine.ok_or(Error::ERROR_INVALID_PARAMETER)?;
    let memory = memory(way, data.0, data.1)?;
    let target = overlapped::target_of_file(&socket, ov, routine).map_err(of_overlapped)?;
    if socket.is_overlapped() {
        way.start(&socket, Irp::new(target, memory))?;
    } else {
        way.wait_for(&socket, memory, target)?;
    }
    last_error::set(0);
    Ok(TRUE)
}

/// What Winsock says of an OVERLAPPED, in kernel32's words.
const fn of_overlapped(error: Error) -> Error {
    match error {
        Error::WSAEFAULT => Error::ERROR_NOACCESS,
        Error::WSAEINVAL => Error::ERROR_INVALID_PARAMETER,
        other => other,
    }
}

export! {
    /// Receives from a socket.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-readfile>
    ///
    /// With an OVERLAPPED as WSARecv. Without one only on a socket that was not opened for
    /// overlapped I/O, and then it blocks as recv does. TRUE with 0 octets is the end of the
    /// peer's data.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE for what is no socket, ERROR_NOACCESS, ERROR_INVALID_PARAMETER (no
    /// OVERLAPPED), ERROR_IO_PENDING, the Win32 code of the operation's status.
    fn ReadFile(
        hFile: HANDLE,
        lpBuffer: *mut u8,
        nNumberOfBytesToRead: u32,
        lpNumberOfBytesRead: *mut u32,
        lpOverlapped: *mut Overlapped,
    ) -> BOOL, fail FALSE; {
        let data = (lpBuffer, nNumberOfBytesToRead);
        transfer(Way::In, hFile, data, lpNumberOfBytesRead, lpOverlapped)
    }

    /// Sends to a socket.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-writefile>
    ///
    /// With an OVERLAPPED as WSASend; otherwise as ReadFile.
    ///
    /// # Errors
    /// As ReadFile.
    fn WriteFile(
        hFile: HANDLE,
        lpBuffer: *const u8,
        nNumberOfBytesToWrite: u32,
        lpNumberOfBytesWritten: *mut u32,
        lpOverlapped: *mut Overlapped,
    ) -> BOOL, fail FALSE; {
        let data = (lpBuffer.cast_mut(), nNumberOfBytesToWrite);
        transfer(Way::Out, hFile, data, lpNumberOfBytesWritten, lpOverlapped)
    }

    /// Receives from a socket; a routine is called in an alertable wait of the calling thread when
    /// it is over. hEvent is the program's own.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-readfileex>
    ///
    /// # Errors
    /// As ReadFile; ERROR_INVALID_PARAMETER without a routine, and on a socket with a port. That it
    /// pends is success.
    fn ReadFileEx(
        hFile: HANDLE,
        lpBuffer: *mut u8,
        nNumberOfBytesToRead: u32,
        lpOverlapped: *mut Overlapped,
        lpCompletionRoutine: Option<FileRoutine>,
    ) -> BOOL, fail FALSE; {
        let data = (lpBuffer, nNumberOfBytesToRead);
        transfer_ex(Way::In, hFile, data, lpOverlapped, lpCompletionRoutine)
    }

    /// Sends to a socket; as ReadFileEx.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-writefileex>
    ///
    /// # Errors
    /// As ReadFileEx.
    fn WriteFileEx(
        hFile: HANDLE,
        lpBuffer: *const u8,
        nNumberOfBytesToWrite: u32,
        lpOverlapped: *mut Overlapped,
        lpCompletionRoutine: Option<FileRoutine>,
    ) -> BOOL, fail FALSE; {
        let data = (lpBuffer.cast_mut(), nNumberOfBytesToWrite);
        transfer_ex(Way::Out, hFile, data, lpOverlapped, lpCompletionRoutine)
    }

    /// The result of an overlapped operation, waited for up to `dwMilliseconds` milliseconds
    /// (INFINITE: for ever).
    ///
    /// <https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-getoverlappedresultex>
    ///
    /// # Errors
    /// ERROR_NOACCESS; ERROR_IO_INCOMPLETE (no time was given), WAIT_TIMEOUT, WAIT_IO_COMPLETION (
    /// an APC ran in an alertable wait); the Win32 code of the status.
    fn GetOverlappedResultEx(
        hFile: HANDLE,
        lpOverlapped: *mut Overlapped,
        lpNumberOfBytesTransferred: *mut u32,
        dwMilliseconds: u32,
        bAlertable: BOOL,
    ) -> BOOL, fail FALSE; {
        let at = overlapped::checked(lpOverlapped).map_err(no_access)?;
        ptr::check_writable(lpNumberOfBytesTransferred, 1).map_err(no_access)?;
        if overlapped::result_of(at).0 == NtStatus::PENDING {
            if dwMilliseconds == 0 {
                return Err(Error::ERROR_IO_INCOMPLETE);
            }
            let until = Deadline::after_ms(dwMilliseconds);
            super::io::wait_for(hFile, overlapped::event_of(at), until, bAlertable != 0)?;
        }
        let (status, octets) = overlapped::result_of(at);
        ptr::write(lpNumberOfBytesTransferred, transfer::dword(octets))?;
        if status.is_success() { Ok(TRUE) } else { Err(failed(status)) }
    }
}

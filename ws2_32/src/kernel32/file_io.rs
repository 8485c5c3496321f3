//! ReadFile and WriteFile: on sockets the transfers of Winsock with the results of kernel32, and on
//! disk files and streams those of the file.
#![allow(unsafe_code)]

use std::sync::Arc;

use linsock::NtStatus;
use linsock::iocp::buffer::{Buffers, RawBuffer, SendFlags};
use linsock::iocp::clock::Deadline;
use linsock::iocp::disk::{DiskFile, Way};
use linsock::iocp::file::FileCore;
use linsock::iocp::irp::{Deferred, Irp, Target, Timing};
use linsock::iocp::overlapped::Overlapped;
use linsock::iocp::stream::Stream;
use linsock::named_pipe::{End, Ended};
use linsock::socket::{RecvOptions, Socket, Started};

use super::object::no_access;
use super::{inherit, named_pipe};
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::{self, Error};
use crate::ptr::{self, Out};
use crate::winsock2::overlapped::{self, FileRoutine};
use crate::winsock2::transfer;

/// The Win32 code of a status: a peer that has reset its connection is ERROR_NETNAME_DELETED here.
pub(super) fn failed(status: NtStatus) -> Error {
    Error(status.win32())
}

/// What is read and written.
enum Subject {
    Socket(Arc<Socket>),
    Disk(Arc<DiskFile>),
    Stream(Arc<Stream>),
    Pipe(Arc<End>),
}

impl Subject {
    fn of(file: HANDLE) -> Outcome<Self> {
        inherit::is_linked();
        if let Ok(socket) = Socket::from_value(file) {
            return Ok(Self::Socket(socket));
        }
        let disk = DiskFile::from_value(file).map(Self::Disk);
        let stream = || Stream::from_value(file).map(Self::Stream);
        let pipe = || End::from_value(file).map(Self::Pipe);
        disk.or_else(stream).or_else(pipe).ok_or(Error::ERROR_INVALID_HANDLE)
    }

    fn core(&self) -> &FileCore {
        match self {
            Self::Socket(socket) => socket.core(),
            Self::Disk(file) => linsock::iocp::file::File::core(&**file),
            Self::Stream(stream) => linsock::iocp::file::File::core(&**stream),
            Self::Pipe(end) => linsock::iocp::file::File::core(&**end),
        }
    }

    fn is_overlapped(&self) -> bool {
        match self {
            Self::Socket(socket) => socket.is_overlapped(),
            Self::Disk(file) => file.is_overlapped(),
            Self::Stream(_) => false,
            Self::Pipe(end) => end.is_overlapped(),
        }
    }

    /// A transfer with an OVERLAPPED, which on what was not opened for that is waited for. `place`
    /// is where in a file it begins.
    fn start(&self, way: Way, memory: Buffers, target: Target, place: u64) -> Outcome<Started> {
        match self {
            Self::Socket(socket) if socket.is_overlapped() => {
                start(way, socket, Irp::new(target, memory))
            }
            Self::Socket(socket) => wait_for(way, socket, memory, target).map(Started::Done),
            Self::Disk(file) => file.start(way, Irp::new(target, memory), place).map(Started::Done),
            Self::Stream(stream) => stream.start(way, Irp::new(target, memory)).map(Started::Done),
            Self::Pipe(end) if end.is_overlapped() => match way {
                Way::Read => end.read(Irp::new(target, memory)),
                Way::Write => end.write(Irp::new(target, memory)),
            },
            Self::Pipe(end) => tell_waited(self.core(), target, || wait_in_pipe(way, end, memory)),
        }
        .map_err(failed)
    }

    /// A transfer without an OVERLAPPED.
    fn block(&self, way: Way, mut memory: Buffers, told: Option<&Out<u32>>) -> Outcome<usize> {
        match self {
            Self::Pipe(end) => return named_pipe::ended(wait_in_pipe(way, end, memory), told),
            Self::Socket(socket) => block(way, socket, memory),
            Self::Disk(file) => file.transfer(way, &mut memory, None),
            Self::Stream(stream) => stream.transfer(way, &mut memory),
        }
        .map_err(failed)
    }
}

fn memory(way: Way, at: *mut u8, len: u32) -> Outcome<Buffers> {
    let len = len as usize;
    ptr::check_data(at, len, way == Way::Read).map_err(no_access)?;
    // SAFETY: the memory is the C program's, lent for the operation by the call; no Rust reference
    // to it exists.
    Ok(unsafe { Buffers::from_raw(&[RawBuffer { base: at, len }]) })
}

fn start(way: Way, socket: &Socket, irp: Irp) -> Result<Started, NtStatus> {
    match way {
        Way::Read => socket.recv(irp, RecvOptions::default()),
        Way::Write => socket.send(irp, SendFlags::default()),
    }
}

/// With an OVERLAPPED on a socket that was not opened for overlapped I/O.
fn wait_for(way: Way, socket: &Socket, memory: Buffers, target: Target) -> Result<usize, NtStatus> {
    transfer::waited_for(socket, target, || match way {
        Way::Read => socket.recv_waiting(memory, RecvOptions::default()),
        Way::Write => socket.send_waiting(memory, SendFlags::default()),
    })
}

fn wait_in_pipe(way: Way, end: &Arc<End>, memory: Buffers) -> Ended {
    match way {
        Way::Read => end.read_blocking(memory),
        Way::Write => end.write_blocking(memory),
    }
}

/// Performs what waits, and tells its end by an OVERLAPPED of which nobody was told before.
pub(super) fn tell_waited(
    file: &FileCore,
    target: Target,
    wait: impl FnOnce() -> Ended,
) -> Result<Started, NtStatus> {
    let mut irp = Irp::new(target, Buffers::empty());
    irp.begin(file);
    let Ended { status, octets } = wait();
    if status.is_success() || status == NtStatus::BUFFER_OVERFLOW {
        let mut after = Deferred::default();
        irp.complete(file, Timing::Inline, status, octets, &mut after);
        after.run();
    } else {
        irp.refuse(status);
    }
    if status.is_success() { Ok(Started::Done(octets)) } else { Err(status) }
}

fn block(way: Way, socket: &Socket, memory: Buffers) -> Result<usize, NtStatus> {
    match way {
        Way::Read => socket.recv_blocking(memory, RecvOptions::default()),
        Way::Write => socket.send_blocking(memory, SendFlags::default()),
    }
    .map(|(octets, _)| octets)
}

/// ReadFile and WriteFile.
fn transfer(
    way: Way,
    file: HANDLE,
    data: (*mut u8, u32),
    told: *mut u32,
    ov: *mut Overlapped,
) -> Outcome<BOOL> {
    let subject = Subject::of(file)?;
    // The count may be left out only with an OVERLAPPED.
    let told = if ov.is_null() { Out::new(told).map(Some) } else { Out::optional(told) };
    let told = told.map_err(no_access)?;
    if let Some(told) = &told {
        told.put(0);
    }
    let memory = memory(way, data.0, data.1)?;
    let octets = if ov.is_null() {
        // "lpOverlapped must point to a valid OVERLAPPED" where a file was opened for that.
        if subject.is_overlapped() {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        subject.block(way, memory, told.as_ref())?
    } else {
        let place = overlapped::place_of(overlapped::checked(ov).map_err(no_access)?);
        let target = overlapped::target(subject.core(), ov, None).map_err(of_overlapped)?;
        transfer::started(subject.start(way, memory, target, place)?)?
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
    let subject = Subject::of(file)?;
    let routine = routine.ok_or(Error::ERROR_INVALID_PARAMETER)?;
    let memory = memory(way, data.0, data.1)?;
    let place = overlapped::place_of(overlapped::checked(ov).map_err(no_access)?);
    let target = overlapped::target_of_file(subject.core(), ov, routine).map_err(of_overlapped)?;
    subject.start(way, memory, target, place)?;
    last_error::set(0);
    Ok(TRUE)
}

/// What Winsock says of an OVERLAPPED, in kernel32's words.
pub(super) const fn of_overlapped(error: Error) -> Error {
    match error {
        Error::WSAEFAULT => Error::ERROR_NOACCESS,
        Error::WSAEINVAL => Error::ERROR_INVALID_PARAMETER,
        other => other,
    }
}

export! {
    /// Reads from a disk file, a pipe or another stream, or receives from a socket.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-readfile>
    ///
    /// Of a socket: with an OVERLAPPED as WSARecv. Without one only on a socket that was not opened
    /// for overlapped I/O, and then it blocks as recv does. TRUE with 0 octets is the end of the
    /// peer's data.
    ///
    /// Of a file: with an OVERLAPPED from the place that it names, otherwise from the file's
    /// position on, which moves; always over when the call returns. TRUE with 0 octets is the end
    /// of the file, and with an OVERLAPPED it is ERROR_HANDLE_EOF.
    ///
    /// Of a stream: waits for the first octet, and gives what is there. TRUE with 0 octets is the
    /// end of what is no pipe; ERROR_BROKEN_PIPE that of a pipe.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE for what is neither, ERROR_NOACCESS, ERROR_INVALID_PARAMETER (no
    /// OVERLAPPED), ERROR_IO_PENDING, ERROR_ACCESS_DENIED, the Win32 code of the operation's
    /// status.
    fn ReadFile(
        hFile: HANDLE,
        lpBuffer: *mut u8,
        nNumberOfBytesToRead: u32,
        lpNumberOfBytesRead: *mut u32,
        lpOverlapped: *mut Overlapped,
    ) -> BOOL, fail FALSE; {
        let data = (lpBuffer, nNumberOfBytesToRead);
        transfer(Way::Read, hFile, data, lpNumberOfBytesRead, lpOverlapped)
    }

    /// Writes to a disk file, a pipe or another stream, or sends to a socket.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-writefile>
    ///
    /// On a socket with an OVERLAPPED as WSASend; otherwise as ReadFile. On a file the place
    /// 0xFFFFFFFFFFFFFFFF is its end. To a stream everything is written, however long that takes.
    ///
    /// # Errors
    /// As ReadFile, also ERROR_BROKEN_PIPE when nobody reads; ERROR_DISK_FULL,
    /// ERROR_FILE_TOO_LARGE.
    fn WriteFile(
        hFile: HANDLE,
        lpBuffer: *const u8,
        nNumberOfBytesToWrite: u32,
        lpNumberOfBytesWritten: *mut u32,
        lpOverlapped: *mut Overlapped,
    ) -> BOOL, fail FALSE; {
        let data = (lpBuffer.cast_mut(), nNumberOfBytesToWrite);
        transfer(Way::Write, hFile, data, lpNumberOfBytesWritten, lpOverlapped)
    }

    /// Reads or receives; a routine is called in an alertable wait of the calling thread when
    /// it is over. hEvent is the program's own.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-readfileex>
    ///
    /// # Errors
    /// As ReadFile; ERROR_INVALID_PARAMETER without a routine, and with a port. That it
    /// pends is success.
    fn ReadFileEx(
        hFile: HANDLE,
        lpBuffer: *mut u8,
        nNumberOfBytesToRead: u32,
        lpOverlapped: *mut Overlapped,
        lpCompletionRoutine: Option<FileRoutine>,
    ) -> BOOL, fail FALSE; {
        let data = (lpBuffer, nNumberOfBytesToRead);
        transfer_ex(Way::Read, hFile, data, lpOverlapped, lpCompletionRoutine)
    }

    /// Writes or sends; as ReadFileEx.
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
        transfer_ex(Way::Write, hFile, data, lpOverlapped, lpCompletionRoutine)
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

//! Named pipes: the C face of [`linsock::named_pipe`].
#![allow(unsafe_code)]

use std::sync::Arc;
use std::time::Duration;

use linsock::NtStatus;
use linsock::iocp::buffer::Buffers;
use linsock::iocp::clock::Deadline;
use linsock::iocp::disk::Access;
use linsock::iocp::file::File;
use linsock::iocp::handle;
use linsock::iocp::irp::Irp;
use linsock::iocp::overlapped::Overlapped;
use linsock::named_pipe::{self, Direction, End, Ended, Kind, Mode, Path, Terms};

pub mod exchange;

use super::file_io::{failed, of_overlapped, tell_waited};
use super::inherit;
use super::object::no_access;
use crate::abi::{BOOL, FALSE, HANDLE, INVALID_HANDLE_VALUE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::{self, Error};
use crate::ptr::{self, Out};
use crate::wide::Unit;
use crate::winsock2::{overlapped, transfer};

const FILE_FLAG_FIRST_PIPE_INSTANCE: u32 = 0x0008_0000;
const FILE_FLAG_OVERLAPPED: u32 = 0x4000_0000;
const PIPE_NOWAIT: u32 = 1;
const PIPE_READMODE_MESSAGE: u32 = 2;
const PIPE_TYPE_MESSAGE: u32 = 4;
const PIPE_REJECT_REMOTE_CLIENTS: u32 = 8;
const PIPE_SERVER_END: u32 = 1;
const PIPE_UNLIMITED_INSTANCES: u32 = 255;
const NMPWAIT_USE_DEFAULT_WAIT: u32 = 0;
const DEFAULT_WAIT: Duration = Duration::from_millis(50);

/// Where lpSecurityDescriptor is in SECURITY_ATTRIBUTES, and what in a SECURITY_DESCRIPTOR.
const DESCRIPTOR_OFFSET: usize = 8;
const CONTROL_OFFSET: usize = 2;
const DACL_OFFSET: usize = 32;
const SE_DACL_PRESENT: u16 = 4;

/// The path of a pipe that a program names.
fn path_of<U: Unit>(at: *const U) -> Outcome<Option<Path>> {
    let text = U::read_text(at).map_err(|error| match error {
        Error::WSAEFAULT => Error::ERROR_NOACCESS,
        _ => Error::ERROR_INVALID_NAME,
    })?;
    Ok(std::str::from_utf8(&text).ok().and_then(Path::new))
}

/// Whether everybody may use what has these attributes: their descriptor has a DACL, and it is
/// null, "which allows all access" (SECURITY_DESCRIPTOR page).
fn is_public(attributes: *const u8) -> Outcome<bool> {
    if attributes.is_null() {
        return Ok(false);
    }
    let at = attributes.wrapping_add(DESCRIPTOR_OFFSET).cast::<usize>();
    let descriptor = ptr::read(at).map_err(no_access)?;
    if descriptor == 0 {
        return Ok(false);
    }
    let descriptor = std::ptr::with_exposed_provenance::<u8>(descriptor);
    let control = descriptor.wrapping_add(CONTROL_OFFSET).cast::<u16>();
    let list = descriptor.wrapping_add(DACL_OFFSET).cast::<usize>();
    let (control, list) =
        (ptr::read(control).map_err(no_access)?, ptr::read(list).map_err(no_access)?);
    Ok(control & SE_DACL_PRESENT != 0 && list == 0)
}

fn mode_of(mode: u32) -> Mode {
    Mode { by_messages: mode & PIPE_READMODE_MESSAGE != 0, nowait: mode & PIPE_NOWAIT != 0 }
}

fn create<U: Unit>(
    name: *const U,
    open_mode: u32,
    pipe_mode: u32,
    instances_max: u32,
    sizes: [u32; 2],
    default_wait: u32,
    attributes: *const u8,
) -> Outcome<HANDLE> {
    let path = path_of(name)?.ok_or(Error::ERROR_INVALID_NAME)?;
    let direction = match open_mode & 3 {
        1 => Direction::Inbound,
        2 => Direction::Outbound,
        3 => Direction::Duplex,
        _ => return Err(Error::ERROR_INVALID_PARAMETER),
    };
    let known =
        PIPE_NOWAIT | PIPE_READMODE_MESSAGE | PIPE_TYPE_MESSAGE | PIPE_REJECT_REMOTE_CLIENTS;
    if pipe_mode & !known != 0 || !(1..=PIPE_UNLIMITED_INSTANCES).contains(&instances_max) {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    let is_limited = instances_max != PIPE_UNLIMITED_INSTANCES;
    let terms = Terms {
        kind: if pipe_mode & PIPE_TYPE_MESSAGE != 0 { Kind::Messages } else { Kind::Octets },
        direction,
        instances_max: is_limited.then_some(instances_max),
        default_wait: match default_wait {
            0 => DEFAULT_WAIT,
            ms => Duration::from_millis(ms.into()),
        },
        sizes,
        is_public: is_public(attributes)?,
    };
    let inherited = inherit::is_asked_for(attributes)?;
    let first = open_mode & FILE_FLAG_FIRST_PIPE_INSTANCE != 0;
    let overlapped = open_mode & FILE_FLAG_OVERLAPPED != 0;
    let made = named_pipe::create(path, terms, mode_of(pipe_mode), first, overlapped);
    let handle = made.map_err(failed)?;
    handle::table().set_inherited(handle, inherited);
    last_error::set(0);
    Ok(handle.value())
}

/// Opens a pipe whose path CreateFile was given; `None`: it is another's.
pub(super) fn open<U: Unit>(
    name: *const U,
    access: Access,
    overlapped: bool,
    inherited: bool,
) -> Outcome<Option<HANDLE>> {
    // What is wrong with the name is told by who opens files.
    let Ok(Some(path)) = path_of(name) else { return Ok(None) };
    let handle = named_pipe::open(&path, access, overlapped).map_err(failed)?;
    handle::table().set_inherited(handle, inherited);
    last_error::set(0);
    Ok(Some(handle.value()))
}

fn end_of(pipe: HANDLE) -> Outcome<Arc<End>> {
    End::from_value(pipe).ok_or(Error::ERROR_INVALID_HANDLE)
}

/// How long a client waits for an instance; `None`: as long as the server wished.
fn until(wait: u32) -> Option<Deadline> {
    (wait != NMPWAIT_USE_DEFAULT_WAIT).then(|| Deadline::after_ms(wait))
}

fn wait_for<U: Unit>(name: *const U, wait: u32) -> Outcome<BOOL> {
    let path = path_of(name)?.ok_or(Error::ERROR_INVALID_NAME)?;
    named_pipe::wait_for_instance(&path, until(wait)).map_err(failed)?;
    Ok(TRUE)
}

/// The octets of a call that has waited; of a message that goes on, which is an error, they are
/// told as well.
pub(super) fn ended(ended: Ended, told: Option<&Out<u32>>) -> Outcome<usize> {
    let octets = transfer::dword(ended.octets);
    match ended.status {
        status if status.is_success() => Ok(ended.octets),
        status => {
            if status == NtStatus::BUFFER_OVERFLOW {
                told.inspect(|told| told.put(octets));
            }
            Err(failed(status))
        }
    }
}

/// GetNamedPipeHandleState: what is told beside the name of a user.
fn state(
    pipe: HANDLE,
    state: *mut u32,
    instances: *mut u32,
    of_remote_clients: [*mut u32; 2],
) -> Outcome<BOOL> {
    let end = end_of(pipe)?;
    // "must be NULL if ... a client and server process on the same computer" (its page).
    if of_remote_clients.iter().any(|at| !at.is_null()) {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    let state = Out::optional(state).map_err(no_access)?;
    let instances = Out::optional(instances).map_err(no_access)?;
    let Mode { by_messages, nowait } = end.mode();
    let read = if by_messages { PIPE_READMODE_MESSAGE } else { 0 };
    state.inspect(|at| at.put(read | u32::from(nowait)));
    instances.inspect(|at| at.put(end.terms().map_or(1, |(_, count)| count)));
    Ok(TRUE)
}

export! {
    /// Makes an instance of a named pipe, to which a client can connect from now on.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-createnamedpipea>
    ///
    /// Never blocks. Its clients are processes of this host and of the same user, or root's, or
    /// everybody's if the attributes' descriptor has a null DACL.
    ///
    /// # Errors
    /// ERROR_NOACCESS, ERROR_INVALID_NAME for what is no `\\.\pipe\NAME`; ERROR_INVALID_PARAMETER
    /// (no direction, an unknown mode, messages read from octets, 0 or more than 255 instances);
    /// ERROR_ACCESS_DENIED (not the first instance, other terms than the first one's, another
    /// process's pipe); ERROR_PIPE_BUSY for more instances than there may be;
    /// ERROR_TOO_MANY_OPEN_FILES.
    ///
    /// # Differs from Windows
    /// All instances are one process's. Descriptors other than those with a null DACL have no
    /// effect. The sizes are told and not kept to: the kernel has room for some 200 KB.
    fn CreateNamedPipeA(
        lpName: *const u8,
        dwOpenMode: u32,
        dwPipeMode: u32,
        nMaxInstances: u32,
        nOutBufferSize: u32,
        nInBufferSize: u32,
        nDefaultTimeOut: u32,
        lpSecurityAttributes: *const u8,
    ) -> HANDLE, fail INVALID_HANDLE_VALUE; {
        let sizes = [nOutBufferSize, nInBufferSize];
        let wait = nDefaultTimeOut;
        create(lpName, dwOpenMode, dwPipeMode, nMaxInstances, sizes, wait, lpSecurityAttributes)
    }

    /// As [`CreateNamedPipeA`], with a name in UTF-16.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-createnamedpipew>
    ///
    /// # Differs from Windows
    /// As CreateNamedPipeA.
    fn CreateNamedPipeW(
        lpName: *const u16,
        dwOpenMode: u32,
        dwPipeMode: u32,
        nMaxInstances: u32,
        nOutBufferSize: u32,
        nInBufferSize: u32,
        nDefaultTimeOut: u32,
        lpSecurityAttributes: *const u8,
    ) -> HANDLE, fail INVALID_HANDLE_VALUE; {
        let sizes = [nOutBufferSize, nInBufferSize];
        let wait = nDefaultTimeOut;
        create(lpName, dwOpenMode, dwPipeMode, nMaxInstances, sizes, wait, lpSecurityAttributes)
    }

    /// Waits until an instance has a client. An instance that was disconnected listens again.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-connectnamedpipe>
    ///
    /// With FILE_FLAG_OVERLAPPED it does not block.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_INVALID_FUNCTION at a client's end; ERROR_IO_PENDING;
    /// ERROR_PIPE_CONNECTED where a client has come before, ERROR_NO_DATA where it has gone again;
    /// ERROR_PIPE_LISTENING with PIPE_NOWAIT; ERROR_INVALID_PARAMETER (no OVERLAPPED on what was
    /// opened for them), ERROR_NOACCESS.
    fn ConnectNamedPipe(hNamedPipe: HANDLE, lpOverlapped: *mut Overlapped) -> BOOL, fail FALSE; {
        let end = end_of(hNamedPipe)?;
        if lpOverlapped.is_null() {
            if end.is_overlapped() {
                return Err(Error::ERROR_INVALID_PARAMETER);
            }
            end.listen_blocking().map_err(failed)?;
            return Ok(TRUE);
        }
        let target = overlapped::target(end.core(), lpOverlapped, None).map_err(of_overlapped)?;
        if end.is_overlapped() {
            let started = end.listen(Irp::new(target, Buffers::empty())).map_err(failed)?;
            transfer::started(started)?;
        } else {
            tell_waited(end.core(), target, || match end.listen_blocking() {
                Ok(()) => Ended { status: NtStatus::SUCCESS, octets: 0 },
                Err(status) => Ended { status, octets: 0 },
            })
            .map_err(failed)?;
        }
        Ok(TRUE)
    }

    /// Lets an instance's client go. What waits ends with ERROR_PIPE_NOT_CONNECTED.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-disconnectnamedpipe>
    ///
    /// Never blocks.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_INVALID_FUNCTION at a client's end, ERROR_PIPE_LISTENING where
    /// no client has come, ERROR_PIPE_NOT_CONNECTED where it was let go before.
    ///
    /// # Differs from Windows
    /// The client reads what was written before, and then sees the pipe's end as of a closed one:
    /// ERROR_BROKEN_PIPE.
    fn DisconnectNamedPipe(hNamedPipe: HANDLE) -> BOOL, fail FALSE; {
        end_of(hNamedPipe)?.disconnect().map_err(failed)?;
        Ok(TRUE)
    }

    /// Waits until an instance of a pipe has no client; it may have one again before the program
    /// opens it.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-waitnamedpipea>
    ///
    /// Blocks, for `nTimeOut` milliseconds at most, or as long as the server wished.
    ///
    /// # Errors
    /// ERROR_NOACCESS, ERROR_INVALID_NAME; ERROR_FILE_NOT_FOUND where there is no such pipe, which
    /// is not waited for; ERROR_SEM_TIMEOUT.
    ///
    /// # Differs from Windows
    /// Of another process's wish nothing is known: then it is 50 ms.
    fn WaitNamedPipeA(lpNamedPipeName: *const u8, nTimeOut: u32) -> BOOL, fail FALSE; {
        wait_for(lpNamedPipeName, nTimeOut)
    }

    /// As [`WaitNamedPipeA`], with a name in UTF-16.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-waitnamedpipew>
    fn WaitNamedPipeW(lpNamedPipeName: *const u16, nTimeOut: u32) -> BOOL, fail FALSE; {
        wait_for(lpNamedPipeName, nTimeOut)
    }

    /// Says how an end is read, and whether it waits.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-setnamedpipehandlestate>
    ///
    /// Never blocks.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOACCESS; ERROR_INVALID_PARAMETER: an unknown mode, messages of
    /// a pipe of octets, and what only clients on other hosts may say.
    fn SetNamedPipeHandleState(
        hNamedPipe: HANDLE,
        lpMode: *const u32,
        lpMaxCollectionCount: *const u32,
        lpCollectDataTimeout: *const u32,
    ) -> BOOL, fail FALSE; {
        let end = end_of(hNamedPipe)?;
        if !(lpMaxCollectionCount.is_null() && lpCollectDataTimeout.is_null()) {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        if !lpMode.is_null() {
            let mode = ptr::read(lpMode).map_err(no_access)?;
            if mode & !(PIPE_NOWAIT | PIPE_READMODE_MESSAGE) != 0 {
                return Err(Error::ERROR_INVALID_PARAMETER);
            }
            end.set_mode(mode_of(mode)).map_err(failed)?;
        }
        Ok(TRUE)
    }

    /// How an end is read and whether it waits, and how many instances its pipe has. Every place is
    /// optional.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getnamedpipehandlestatea>
    ///
    /// Never blocks.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOACCESS, ERROR_INVALID_PARAMETER for what only clients on other
    /// hosts have, and for a place for the name of the client's user.
    ///
    /// # Differs from Windows
    /// A client is told of one instance. The client's user is not told.
    fn GetNamedPipeHandleStateA(
        hNamedPipe: HANDLE,
        lpState: *mut u32,
        lpCurInstances: *mut u32,
        lpMaxCollectionCount: *mut u32,
        lpCollectDataTimeout: *mut u32,
        lpUserName: *mut u8,
        nMaxUserNameSize: u32,
    ) -> BOOL, fail FALSE; {
        if !lpUserName.is_null() && nMaxUserNameSize != 0 {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        state(hNamedPipe, lpState, lpCurInstances, [lpMaxCollectionCount, lpCollectDataTimeout])
    }

    /// As [`GetNamedPipeHandleStateA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-getnamedpipehandlestatew>
    ///
    /// # Differs from Windows
    /// As GetNamedPipeHandleStateA.
    fn GetNamedPipeHandleStateW(
        hNamedPipe: HANDLE,
        lpState: *mut u32,
        lpCurInstances: *mut u32,
        lpMaxCollectionCount: *mut u32,
        lpCollectDataTimeout: *mut u32,
        lpUserName: *mut u16,
        nMaxUserNameSize: u32,
    ) -> BOOL, fail FALSE; {
        if !lpUserName.is_null() && nMaxUserNameSize != 0 {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        state(hNamedPipe, lpState, lpCurInstances, [lpMaxCollectionCount, lpCollectDataTimeout])
    }

    /// What a pipe is: which end, octets or messages, its sizes, and how many instances there may
    /// be. Every place is optional.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-getnamedpipeinfo>
    ///
    /// Never blocks.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// A client is told sizes of 0, and that there may be as many instances as can be had.
    fn GetNamedPipeInfo(
        hNamedPipe: HANDLE,
        lpFlags: *mut u32,
        lpOutBufferSize: *mut u32,
        lpInBufferSize: *mut u32,
        lpMaxInstances: *mut u32,
    ) -> BOOL, fail FALSE; {
        let end = end_of(hNamedPipe)?;
        let places = [lpFlags, lpOutBufferSize, lpInBufferSize, lpMaxInstances];
        let [flags, written, read, most] = places.map(|at| Out::optional(at).map_err(no_access));
        let kind = if end.kind() == Kind::Messages { PIPE_TYPE_MESSAGE } else { 0 };
        let side = if end.is_server() { PIPE_SERVER_END } else { 0 };
        let terms = end.terms().map(|(terms, _)| terms);
        let sizes = terms.map_or([0; 2], |terms| terms.sizes);
        let instances = terms.and_then(|terms| terms.instances_max);
        let told = [kind | side, sizes[0], sizes[1], instances.unwrap_or(PIPE_UNLIMITED_INSTANCES)];
        for (at, value) in [flags?, written?, read?, most?].into_iter().zip(told) {
            at.inspect(|at| at.put(value));
        }
        Ok(TRUE)
    }

    /// The process of an instance's client.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getnamedpipeclientprocessid>
    ///
    /// Never blocks.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOACCESS, ERROR_PIPE_LISTENING, ERROR_PIPE_NOT_CONNECTED.
    fn GetNamedPipeClientProcessId(
        Pipe: HANDLE,
        ClientProcessId: *mut u32,
    ) -> BOOL, fail FALSE; {
        let end = end_of(Pipe)?;
        let told = Out::new(ClientProcessId).map_err(no_access)?;
        let id = if end.is_server() { end.other_process().map_err(failed)? } else { own_id() };
        told.put(id);
        Ok(TRUE)
    }

    /// The process that has made a pipe.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getnamedpipeserverprocessid>
    ///
    /// Never blocks.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOACCESS.
    fn GetNamedPipeServerProcessId(
        Pipe: HANDLE,
        ServerProcessId: *mut u32,
    ) -> BOOL, fail FALSE; {
        let end = end_of(Pipe)?;
        let told = Out::new(ServerProcessId).map_err(no_access)?;
        let id = if end.is_server() { own_id() } else { end.other_process().map_err(failed)? };
        told.put(id);
        Ok(TRUE)
    }
}

fn own_id() -> u32 {
    std::process::id()
}

//! Anonymous pipes.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use linsock::iocp::handle::table;
use linsock::iocp::stream::{self, Descriptor, Stream, new_pipe};
use linsock::named_pipe::{End, Peeked};

use super::file_io::failed;
use super::inherit::is_asked_for;
use super::object::{close, no_access};
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr::{self, Out};

/// Gives a descriptor a handle, which is inherited or not.
pub(super) fn enter(descriptor: OwnedFd, inherited: bool) -> Outcome<HANDLE> {
    let entered = Stream::enter(Descriptor::Own(descriptor));
    let handle = entered.map_err(|_| Error::ERROR_TOO_MANY_OPEN_FILES)?;
    table().set_inherited(handle, inherited);
    Ok(handle.value())
}

/// Both ends of a new pipe, or nothing.
fn create(size: u32, inherited: bool) -> Outcome<(HANDLE, HANDLE)> {
    let (from, into) = new_pipe(size).map_err(|_| Error::ERROR_TOO_MANY_OPEN_FILES)?;
    let reader = enter(from, inherited)?;
    match enter(into, inherited) {
        Ok(writer) => Ok((reader, writer)),
        Err(error) => {
            close(reader)?;
            Err(error)
        }
    }
}

/// How much of a caller's buffer a look at a pipe fills.
fn room_at(buffer: *mut u8, size: u32) -> Outcome<usize> {
    if buffer.is_null() {
        return Ok(0);
    }
    let room = usize::try_from(size).unwrap_or(usize::MAX);
    ptr::check_writable(buffer, room).map_err(no_access)?;
    Ok(room)
}

/// A pipe that can be looked into.
enum Pipe {
    Named(Arc<End>),
    Anonymous(Arc<Stream>),
}

impl Pipe {
    fn of(pipe: HANDLE) -> Outcome<Self> {
        let named = End::from_value(pipe).map(Self::Named);
        let anonymous = || Stream::from_value(pipe).map(Self::Anonymous);
        named.or_else(anonymous).ok_or(Error::ERROR_INVALID_HANDLE)
    }

    fn peek(&self, room: usize) -> Outcome<Peeked> {
        match self {
            Self::Named(end) => end.peek(room).map_err(failed),
            Self::Anonymous(stream) => {
                let stream::Peeked { octets, available } = stream.peek(room).map_err(failed)?;
                Ok(Peeked { octets, available, left: 0 })
            }
        }
    }
}

export! {
    /// Makes a pipe of octets: what is written to one handle is read from the other. Whether
    /// processes that this one starts have the handles is said by the attributes.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-createpipe>
    ///
    /// ReadFile waits for the first octet, and WriteFile until the pipe has taken everything; an
    /// OVERLAPPED changes nothing about that.
    ///
    /// # Errors
    /// ERROR_NOACCESS, ERROR_TOO_MANY_OPEN_FILES.
    fn CreatePipe(
        hReadPipe: *mut HANDLE,
        hWritePipe: *mut HANDLE,
        lpPipeAttributes: *const u8,
        nSize: u32,
    ) -> BOOL, fail FALSE; {
        let reader = Out::new(hReadPipe).map_err(no_access)?;
        let writer = Out::new(hWritePipe).map_err(no_access)?;
        let (from, into) = create(nSize, is_asked_for(lpPipeAttributes)?)?;
        reader.put(from);
        writer.put(into);
        Ok(TRUE)
    }

    /// Looks into a pipe: how many octets wait there, and the next ones, which stay; of messages
    /// those of the next one, and how many more it has. Every place is optional.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-peeknamedpipe>
    ///
    /// Never blocks.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE; ERROR_BAD_PIPE for a named one without a client,
    /// ERROR_PIPE_NOT_CONNECTED; ERROR_INVALID_FUNCTION for what is no pipe, ERROR_ACCESS_DENIED
    /// for the end that is written, ERROR_BROKEN_PIPE when nothing waits and nobody can write any
    /// more, ERROR_NOACCESS.
    fn PeekNamedPipe(
        hNamedPipe: HANDLE,
        lpBuffer: *mut u8,
        nBufferSize: u32,
        lpBytesRead: *mut u32,
        lpTotalBytesAvail: *mut u32,
        lpBytesLeftThisMessage: *mut u32,
    ) -> BOOL, fail FALSE; {
        let pipe = Pipe::of(hNamedPipe)?;
        let room = room_at(lpBuffer, nBufferSize)?;
        let read = Out::optional(lpBytesRead).map_err(no_access)?;
        let available = Out::optional(lpTotalBytesAvail).map_err(no_access)?;
        let left = Out::optional(lpBytesLeftThisMessage).map_err(no_access)?;
        let peeked = pipe.peek(room)?;
        ptr::write_all(lpBuffer, &peeked.octets).map_err(no_access)?;
        let count = |octets: usize| u32::try_from(octets).unwrap_or(u32::MAX);
        read.inspect(|read| read.put(count(peeked.octets.len())));
        available.inspect(|available| available.put(count(peeked.available)));
        left.inspect(|left| left.put(count(peeked.left)));
        Ok(TRUE)
    }
}

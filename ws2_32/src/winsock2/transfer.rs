//! send, recv, WSASend, WSARecv, WSAGetOverlappedResult.
#![allow(unsafe_code)]

use linsock::NtStatus;
use linsock::iocp::buffer::{Buffers, RawBuffer, RecvFlags, SendFlags};
use linsock::iocp::clock::Deadline;
use linsock::iocp::event::Waitable;
use linsock::iocp::irp::{Deferred, Irp, Target, Timing};
use linsock::iocp::overlapped::Overlapped;
use linsock::iocp::wait::{self, Which};
use linsock::socket::{RecvOptions, Socket, Started};

use super::overlapped::{self, CompletionRoutine};
use crate::abi::{BOOL, FALSE, SOCKET, SOCKET_ERROR, TRUE, WSABUF};
use crate::export::{Outcome, export};
use crate::last_error::{self, Error};
use crate::ptr::{self, Out};

const MSG_OOB: u32 = 0x1;
const MSG_PEEK: u32 = 0x2;
const MSG_DONTROUTE: u32 = 0x4;
const MSG_WAITALL: u32 = 0x8;
const MSG_PUSH_IMMEDIATE: u32 = 0x20;
const MSG_PARTIAL: u32 = 0x8000;

fn recv_options(flags: u32) -> Outcome<RecvOptions> {
    if flags & !(MSG_OOB | MSG_PEEK | MSG_WAITALL | MSG_PUSH_IMMEDIATE | MSG_PARTIAL) != 0 {
        return Err(Error::WSAEOPNOTSUPP);
    }
    let (oob, peek) = (flags & MSG_OOB != 0, flags & MSG_PEEK != 0);
    if flags & MSG_WAITALL != 0 && flags & (MSG_OOB | MSG_PEEK | MSG_PARTIAL) != 0 {
        return Err(Error::WSAEOPNOTSUPP);
    }
    Ok(RecvOptions { flags: RecvFlags::new(oob, peek), peek, wait_all: flags & MSG_WAITALL != 0 })
}

/// As [`recv_options`], for a socket: MSG_WAITALL is for streams that may block (recv and WSARecv
/// pages).
#[inline]
pub(super) fn recv_options_for(socket: &Socket, flags: u32) -> Outcome<RecvOptions> {
    let options = recv_options(flags)?;
    let is_stream = !socket.is_datagram() && !socket.provider().is_iso();
    if options.wait_all && (!is_stream || socket.is_nonblocking()) {
        return Err(Error::WSAEOPNOTSUPP);
    }
    Ok(options)
}

pub(super) fn send_flags(flags: u32) -> Outcome<SendFlags> {
    if flags & !(MSG_OOB | MSG_DONTROUTE | MSG_PARTIAL) != 0 {
        return Err(Error::WSAEOPNOTSUPP);
    }
    let send = SendFlags::new(flags & MSG_OOB != 0, flags & MSG_DONTROUTE != 0);
    Ok(if flags & MSG_PARTIAL != 0 { send.partial() } else { send })
}

/// The buffer of a WSABUF array of one: what most programs give.
#[inline]
fn lone_buffer(array: *const WSABUF, writable: bool) -> Outcome<RawBuffer> {
    lent(ptr::read(array)?, writable)
}

/// The buffers of a WSABUF array.
pub(super) fn buffers(array: *const WSABUF, count: u32, writable: bool) -> Outcome<Buffers> {
    if count == 0 {
        return Err(Error::WSAEINVAL);
    }
    let count = usize::try_from(count).map_err(|_| Error::WSAEFAULT)?;
    let buffers = ptr::read_all(array, count)?.into_iter().map(|buffer| lent(buffer, writable));
    Ok(lend(&buffers.collect::<Outcome<Vec<_>>>()?))
}

/// What an operation will use after its call has to be there when the call is made.
#[inline]
fn lent(buffer: WSABUF, writable: bool) -> Outcome<RawBuffer> {
    let (base, len) = (buffer.buf, buffer.len as usize);
    ptr::check_data(base, len, writable)?;
    Ok(RawBuffer { base, len })
}

// SAFETY: a length and an address, valid whatever their octets.
unsafe impl ptr::Plain for WSABUF {}

#[inline]
fn lend(raw: &[RawBuffer]) -> Buffers {
    // SAFETY: the memory is the C program's, lent for the operation by the call; no Rust reference
    // to it exists, and if it is invalid the transfer fails.
    unsafe { Buffers::from_raw(raw) }
}

/// The buffer of send and recv. Windows takes a negative length for a bad address.
pub(super) fn one_buffer(base: *mut u8, len: i32, writable: bool) -> Outcome<Buffers> {
    let len = usize::try_from(len).map_err(|_| Error::WSAEFAULT)?;
    ptr::check_data(base, len, writable)?;
    Ok(lend(&[RawBuffer { base, len }]))
}

/// What the call returns for an overlapped operation that was started: its octets, or pending.
pub(crate) fn started(started: Started) -> Outcome<usize> {
    match started {
        Started::Done(bytes) => Ok(bytes),
        Started::Pending => Err(Error::ERROR_IO_PENDING),
    }
}

/// What a blocking call fails with: its pages have WSAEINTR for one that is cancelled, by a
/// closesocket in another thread, and WSA_OPERATION_ABORTED for overlapped operations only.
pub(crate) fn cancelled(status: NtStatus) -> Error {
    match status {
        NtStatus::CANCELLED => Error::WSAEINTR,
        status => status.into(),
    }
}

/// An operation with an OVERLAPPED on a socket that was not opened for overlapped I/O: `wait`
/// performs it to its end, and then the OVERLAPPED is told (`test_nonblocking_async_recv`).
pub(crate) fn waited(
    socket: &Socket,
    target: Target,
    wait: impl FnOnce() -> Result<usize, NtStatus>,
) -> Outcome<usize> {
    waited_for(socket, target, wait).map_err(Error::from)
}

/// As [`waited`], with the status of what failed.
pub(crate) fn waited_for(
    socket: &Socket,
    target: Target,
    wait: impl FnOnce() -> Result<usize, NtStatus>,
) -> Result<usize, NtStatus> {
    let mut irp = Irp::new(target, Buffers::empty());
    irp.begin(socket.core());
    match wait() {
        Ok(bytes) => {
            let mut after = Deferred::default();
            irp.complete(socket.core(), Timing::Inline, NtStatus::SUCCESS, bytes, &mut after);
            after.run();
            Ok(bytes)
        }
        Err(status) => {
            irp.refuse(status);
            Err(status)
        }
    }
}

pub(super) fn octets(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}

/// Tells a count of octets to whoever wants it.
#[inline]
fn put(told: Option<Out<u32>>, bytes: usize) {
    if let Some(told) = told {
        told.put(dword(bytes));
    }
}

pub(crate) fn dword(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

// The rarer ways of WSASend and WSARecv are apart, so that what they need is not cared for in the
// usual one.

#[inline(never)]
fn send_and_wait(
    socket: &Socket,
    memory: Buffers,
    sent: *mut u32,
    flags: SendFlags,
) -> Outcome<i32> {
    let told = Out::new(sent)?;
    told.put(dword(socket.send_blocking(memory, flags).map_err(cancelled)?.0));
    Ok(0)
}

#[inline(never)]
fn recv_and_wait(
    socket: &Socket,
    memory: Buffers,
    received: *mut u32,
    options: RecvOptions,
) -> Outcome<()> {
    let told = Out::new(received)?;
    told.put(dword(socket.recv_blocking(memory, options).map_err(cancelled)?.0));
    Ok(())
}

#[inline(never)]
fn send_told(
    socket: &Socket,
    memory: Buffers,
    sent: *mut u32,
    flags: SendFlags,
    (ov, routine): (*mut Overlapped, Option<CompletionRoutine>),
) -> Outcome<i32> {
    let target = overlapped::target(socket.core(), ov, routine)?;
    let told = Out::optional(sent)?;
    let bytes = if socket.is_overlapped() {
        started(socket.send(Irp::new(target, memory), flags)?)?
    } else {
        waited(socket, target, || socket.send_waiting(memory, flags))?
    };
    put(told, bytes);
    Ok(0)
}

#[inline(never)]
fn recv_told(
    socket: &Socket,
    memory: Buffers,
    received: *mut u32,
    options: RecvOptions,
    (ov, routine): (*mut Overlapped, Option<CompletionRoutine>),
) -> Outcome<()> {
    let target = overlapped::target(socket.core(), ov, routine)?;
    let told = Out::optional(received)?;
    let bytes = if socket.is_overlapped() {
        started(socket.recv(Irp::new(target, memory), options)?)?
    } else {
        waited(socket, target, || socket.recv_waiting(memory, options))?
    };
    put(told, bytes);
    Ok(())
}

/// The rest of WSASend.
#[inline(always)]
fn send_from(
    socket: &Socket,
    memory: impl FnOnce() -> Buffers,
    sent: *mut u32,
    flags: u32,
    ov: *mut Overlapped,
    routine: Option<CompletionRoutine>,
) -> Outcome<i32> {
    let flags = send_flags(flags)?;
    if ov.is_null() {
        return send_and_wait(socket, memory(), sent, flags);
    }
    match overlapped::lone(ov, routine)? {
        Some(lone) if socket.is_overlapped() => {
            let told = Out::optional(sent)?;
            put(told, started(socket.send(Irp::made_of(|| lone.target(), memory), flags)?)?);
            Ok(0)
        }
        _ => send_told(socket, memory(), sent, flags, (ov, routine)),
    }
}

/// The rest of WSARecv.
#[inline(always)]
fn recv_into(
    socket: &Socket,
    memory: impl FnOnce() -> Buffers,
    received: *mut u32,
    flags: *mut u32,
    ov: *mut Overlapped,
    routine: Option<CompletionRoutine>,
) -> Outcome<i32> {
    let flags = Out::new(flags)?;
    let options = recv_options_for(socket, flags.get())?;
    if ov.is_null() {
        recv_and_wait(socket, memory(), received, options)?;
        flags.put(0);
        return Ok(0);
    }
    match overlapped::lone(ov, routine)? {
        Some(lone) if socket.is_overlapped() => {
            let told = Out::optional(received)?;
            put(told, started(socket.recv(Irp::made_of(|| lone.target(), memory), options)?)?);
        }
        _ => recv_told(socket, memory(), received, options, (ov, routine))?,
    }
    flags.put(0);
    Ok(0)
}

export! {
    /// Sends; blocks until the transport has taken everything, unless the socket is non-blocking.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-send>
    ///
    /// Errors: WSAENOTSOCK, WSAEOPNOTSUPP (flags), WSAEFAULT, WSAENOTCONN, WSAESHUTDOWN,
    /// WSAECONNRESET, WSAECONNABORTED, WSAEWOULDBLOCK, WSAETIMEDOUT.
    winsock fn send as "WS_send"(s: SOCKET, buf: *const u8, len: i32, flags: i32) -> i32, fail SOCKET_ERROR; {
        Socket::with(s, |socket| {
            let flags = send_flags(flags.cast_unsigned())?;
            let memory = one_buffer(buf.cast_mut(), len, false)?;
            let (sent, _) = socket.send_blocking(memory, flags).map_err(cancelled)?;
            Ok(octets(sent))
        })
    }

    /// Receives; blocks until there is something, unless the socket is non-blocking. 0 is the end
    /// of the peer's data.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-recv>
    ///
    /// Errors: as send.
    winsock fn recv as "WS_recv"(s: SOCKET, buf: *mut u8, len: i32, flags: i32) -> i32, fail SOCKET_ERROR; {
        Socket::with(s, |socket| {
            let options = recv_options_for(socket, flags.cast_unsigned())?;
            let memory = one_buffer(buf, len, true)?;
            let (received, _) = socket.recv_blocking(memory, options).map_err(cancelled)?;
            Ok(octets(received))
        })
    }

    /// Receives as recv; of a message that is longer than the buffer it gives what fits, and sets
    /// MSG_PARTIAL instead of failing.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsarecvex>
    ///
    /// Errors: as recv.
    winsock fn WSARecvEx(s: SOCKET, buf: *mut u8, len: i32, flags: *mut i32) -> i32, fail SOCKET_ERROR; {
        let socket = Socket::from_value(s)?;
        let flags = Out::new(flags)?;
        let options = recv_options_for(&socket, flags.get().cast_unsigned())?;
        match socket.recv_blocking(one_buffer(buf, len, true)?, options) {
            Ok((received, _)) => {
                flags.put(0);
                Ok(octets(received))
            }
            // Then the buffer is full.
            Err(NtStatus::BUFFER_OVERFLOW) => {
                flags.put(MSG_PARTIAL.cast_signed());
                Ok(len)
            }
            Err(status) => Err(cancelled(status)),
        }
    }

    /// Sends from several buffers, overlapped if an OVERLAPPED is given: then it completes when the
    /// transport has taken everything.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasend>
    ///
    /// Errors: as send; WSAEINVAL (no buffers, or a routine on a socket with a port),
    /// WSA_INVALID_HANDLE, WSA_IO_PENDING.
    winsock fn WSASend(s: SOCKET, bufs: *const WSABUF, count: u32, sent: *mut u32, flags: u32, ov: *mut Overlapped, routine: Option<CompletionRoutine>) -> i32, fail SOCKET_ERROR; {
        Socket::with(s, |socket| {
            // Two ways, so that the memory of the first is put together where it is used.
            if count == 1 {
                let lone = lone_buffer(bufs, false)?;
                return send_from(socket, || lend(&[lone]), sent, flags, ov, routine);
            }
            let several = buffers(bufs, count, false)?;
            send_from(socket, || several, sent, flags, ov, routine)
        })
    }

    /// Receives into several buffers, overlapped if an OVERLAPPED is given.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsarecv>
    ///
    /// Errors: as WSASend.
    winsock fn WSARecv(s: SOCKET, bufs: *const WSABUF, count: u32, received: *mut u32, flags: *mut u32, ov: *mut Overlapped, routine: Option<CompletionRoutine>) -> i32, fail SOCKET_ERROR; {
        Socket::with(s, |socket| {
            // As in WSASend.
            if count == 1 {
                let lone = lone_buffer(bufs, true)?;
                return recv_into(socket, || lend(&[lone]), received, flags, ov, routine);
            }
            let several = buffers(bufs, count, true)?;
            recv_into(socket, || several, received, flags, ov, routine)
        })
    }

    /// The result of an overlapped operation, by WSA codes. The wait is not alertable.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsagetoverlappedresult>
    ///
    /// Errors, in order: WSAENOTSOCK, WSAEFAULT, WSA_IO_INCOMPLETE, the code of the status. On
    /// success the last error is set to the status's code too (Windows 10 1809 and later).
    winsock fn WSAGetOverlappedResult(s: SOCKET, ov: *mut Overlapped, transferred: *mut u32, wait: BOOL, flags: *mut u32) -> BOOL, fail FALSE; {
        let socket = Socket::from_value(s)?;
        let at = overlapped::checked(ov)?;
        ptr::check_writable(transferred, 1)?;
        ptr::check_writable(flags, 1)?;
        if overlapped::result_of(at).0 == NtStatus::PENDING {
            if wait == 0 {
                return Err(Error::ERROR_IO_INCOMPLETE);
            }
            wait_for_result(&socket, at)?;
        }
        let (status, bytes) = overlapped::result_of(at);
        ptr::write(transferred, dword(bytes))?;
        ptr::write(flags, 0)?;
        last_error::set(status.wsa());
        // An event that somebody else signaled ends the wait with the status still pending: that is
        // success on Windows (test_WSAGetOverlappedResult).
        if status.is_success() { Ok(TRUE) } else { Err(status.into()) }
    }
}

/// Waits for `hEvent`, or for the socket's own signal.
fn wait_for_result(socket: &Socket, at: std::ptr::NonNull<Overlapped>) -> Outcome<()> {
    let event = overlapped::find_event(overlapped::event_of(at))?;
    let signal: &dyn Waitable = match &event {
        Some(event) => &**event,
        None => socket.core().signal(),
    };
    wait::wait(&[signal], Which::Any, Deadline::Never, false);
    Ok(())
}

/// Tells the OVERLAPPED of a call that is over at once, with 0 octets.
pub(crate) fn complete_at_once(socket: &Socket, target: Target) -> Outcome<()> {
    waited(socket, target, || Ok(0)).map(drop)
}

//! What goes over a connection, and how it ends.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use linsock::NtStatus;
use linsock::afd::DisconnectMode;
use linsock::afd::endpoint::state::Phase;
use linsock::iocp::buffer::{Buffers, RecvFlags, SendFlags};
use linsock::iocp::irp::Done;
use linsock::socket::RecvOptions;

use super::{Socket, end, memory, on_socket, outcome, started};
use crate::ddk::irp::Irp;
use crate::ddk::memory::WskBuf;
use crate::request::Request;
use crate::socket::WskSocket;
use crate::status::{self, Status};
use crate::{misuse, worker};

const MSG_OOB: u32 = 1;
const NODELAY: u32 = 2;
const ABORTIVE: u32 = 1;
const WAITALL: u32 = 2;
const DRAIN: u32 = 4;

/// Sends. Complete when TCP has taken everything.
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_send>
///
/// # Differs from Windows
/// Windows' TCP keeps the client's memory until the peer has acknowledged it; here the kernel has
/// copied it.
pub(super) unsafe extern "C" fn WskSend(
    socket: Socket,
    buffer: *const WskBuf,
    flags: u32,
    irp: *mut Irp,
) -> Status {
    let finish = |socket: &Arc<WskSocket>, done: Done| {
        socket.look_at_backlog();
        outcome(done)
    };
    on_socket("WskSend", socket, irp, finish, |socket, request| {
        if flags & !(MSG_OOB | NODELAY) != 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let operation = request.operation(memory("WskSend", buffer)?);
        let flags = SendFlags::new(flags & MSG_OOB != 0, false);
        started(socket.socket.send(operation, flags))
    })
}

/// Sends, without control information.
pub(super) unsafe extern "C" fn WskSendEx(
    socket: Socket,
    buffer: *const WskBuf,
    flags: u32,
    _control_len: u32,
    _control: *const c_void,
    irp: *mut Irp,
) -> Status {
    // SAFETY: the same caller's pointers.
    unsafe { WskSend(socket, buffer, flags, irp) }
}

/// Receives.
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_receive>
pub(super) unsafe extern "C" fn WskReceive(
    socket: Socket,
    buffer: *const WskBuf,
    flags: u32,
    irp: *mut Irp,
) -> Status {
    let room = WskBuf::read(buffer).map_or(0, |buffer| buffer.length);
    let finish = move |socket: &Arc<WskSocket>, done: Done| {
        socket.received(&done, room);
        outcome(done)
    };
    on_socket("WskReceive", socket, irp, finish, |socket, request| {
        let drains = flags & DRAIN != 0;
        if flags & !(WAITALL | DRAIN) != 0 || drains && (flags & WAITALL != 0 || room > 0) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        if drains {
            drain(socket, request);
            return Ok(());
        }
        let mut buffers = memory("WskReceive", buffer)?;
        let wait_all = flags & WAITALL != 0;
        if socket.take_held(&mut buffers) && (!wait_all || buffers.remaining() == 0) {
            let done = buffers.done();
            request.end(NtStatus::SUCCESS, buffers, done);
            return Ok(());
        }
        let options = RecvOptions { flags: RecvFlags::NONE, peek: false, wait_all };
        started(socket.socket.recv(request.operation(buffers), options))
    })
}

/// Receives; there is no control information.
pub(super) unsafe extern "C" fn WskReceiveEx(
    socket: Socket,
    buffer: *const WskBuf,
    flags: u32,
    control_len: *mut u32,
    _control: *mut c_void,
    control_flags: *mut u32,
    irp: *mut Irp,
) -> Status {
    for figure in [control_len, control_flags] {
        // SAFETY: the client's number, or null.
        if let Some(figure) = unsafe { figure.as_mut() } {
            *figure = 0;
        }
    }
    // SAFETY: the same caller's pointers.
    unsafe { WskReceive(socket, buffer, flags, irp) }
}

/// WSK_FLAG_DRAIN: throws away what comes, up to the peer's end.
fn drain(socket: &Arc<WskSocket>, request: &Arc<Request>) {
    const SCRATCH: usize = 1 << 16;
    socket.state.lock().held.clear();
    let (own, waiting) = (Arc::clone(socket), Arc::clone(request));
    let operation = worker::operation(Buffers::from_vec(vec![0; SCRATCH]), move |done| {
        if done.status.is_success() && done.bytes > 0 {
            drain(&own, &waiting);
        } else {
            waiting.end_with(done.status);
        }
    });
    let key = operation.key();
    request.waits_for(&socket.socket, key);
    match socket.socket.recv(operation, RecvOptions::default()) {
        // It may have been cancelled before it waited.
        Ok(_) => request.heed_cancel(),
        Err(status) => request.end_with(status),
    }
}

impl WskSocket {
    /// Gives data that was indicated and not accepted. True if there was some.
    fn take_held(&self, buffers: &mut Buffers) -> bool {
        let mut state = self.state.lock();
        let count = state.held.len().min(buffers.remaining());
        if count == 0 {
            return false;
        }
        let octets: Vec<u8> = state.held.drain(..count).collect();
        buffers.fill(&octets)
    }
}

/// Gives back data that the client retains.
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_release_data_indication_list>
pub(super) unsafe extern "C" fn WskRelease(socket: Socket, list: *const c_void) -> Status {
    let Some(socket) = WskSocket::find("WskRelease", socket) else {
        return status::INVALID_HANDLE;
    };
    if socket.release(list) {
        return status::SUCCESS;
    }
    misuse::report("WskRelease", format_args!("the list {list:?} is not retained"));
    status::INVALID_PARAMETER
}

/// Disconnects. Graceful: complete when the peer's host has acknowledged all data and the FIN;
/// receiving goes on. Abortive: the connection is reset, and what is pending on it fails.
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_disconnect>
///
/// A graceful disconnect that is stuck is forced to complete, with STATUS_CONNECTION_ABORTED, by an
/// abortive one, or by WskCloseSocket, with STATUS_CANCELLED.
pub(super) unsafe extern "C" fn WskDisconnect(
    socket: Socket,
    buffer: *const WskBuf,
    flags: u32,
    irp: *mut Irp,
) -> Status {
    let buffer = WskBuf::read(buffer);
    let length = buffer.map_or(0, |buffer| buffer.length);
    let finish = move |socket: &Arc<WskSocket>, done: Done| {
        // Refused because the connection is dead already.
        let refused = done.status == NtStatus::INVALID_CONNECTION;
        if refused && socket.socket.phase() == Phase::Closed {
            return (status::FILE_FORCED_CLOSED, 0);
        }
        let status = status::of(done.status);
        (status, if status::is_success(status) { length } else { 0 })
    };
    on_socket("WskDisconnect", socket, irp, finish, |socket, request| {
        match flags {
            0 => {}
            ABORTIVE if length > 0 => {
                let rule = "Buffer must be NULL with WSK_FLAG_ABORTIVE";
                misuse::report("WskDisconnect", format_args!("{rule}"));
                return Err(NtStatus::INVALID_PARAMETER);
            }
            ABORTIVE => return abort(socket, request),
            _ => return Err(NtStatus::INVALID_PARAMETER),
        }
        if length > 0 {
            let data = memory("WskDisconnect", buffer.as_ref().map_or(ptr::null(), ptr::from_ref))?;
            // The FIN goes behind it; what fails it fails the disconnect.
            socket.socket.send(worker::operation(data, drop), SendFlags::NONE)?;
        }
        let operation = request.operation(Buffers::empty());
        started(socket.socket.disconnect(operation, DisconnectMode::Delivered))
    })
}

fn abort(socket: &Arc<WskSocket>, request: &Arc<Request>) -> Result<(), NtStatus> {
    // What the client did not accept is gone with the connection.
    socket.state.lock().held.clear();
    match socket.socket.abort_reported() {
        Ok(_) => {}
        // The peer was first: there is nothing left to reset.
        Err(_) if socket.socket.phase() == Phase::Closed => {}
        Err(status) => return Err(status),
    }
    end(request, Ok(0));
    Ok(())
}

/// Closes: everything that is pending completes with STATUS_CANCELLED, and the connection is reset
/// unless both directions are disconnected. Complete when no request and no callback is left.
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_close_socket>
pub(super) unsafe extern "C" fn WskCloseSocket(socket: Socket, irp: *mut Irp) -> Status {
    let request = match Request::accept("WskCloseSocket", irp, None, |_, done| outcome(done)) {
        Ok(request) => request,
        Err(status) => return status,
    };
    let Some(socket) = WskSocket::find("WskCloseSocket", socket) else {
        request.end_with(NtStatus::INVALID_HANDLE);
        return request.conclude();
    };
    socket.bury();
    // WskDeregister waits for the completion routine too.
    request.leaves(&socket.client);
    let (accepts, left, retained) = {
        let state = &mut *socket.state.lock();
        let left: Vec<_> = state
            .backlog
            .drain(..)
            .chain(std::mem::take(&mut state.inspected).into_values())
            .collect();
        (std::mem::take(&mut state.accepts), left, std::mem::take(&mut state.retained))
    };
    if !retained.is_empty() {
        let rule = format_args!("{} data indications are not released", retained.len());
        misuse::report("WskCloseSocket", rule);
    }
    accepts.into_iter().for_each(|accept| accept.request.end_with(NtStatus::CANCELLED));
    drop(left);
    socket.socket.cancel_operations(&|_| true);
    socket.close_connection();
    request.end_with(NtStatus::SUCCESS);
    // Behind every completion and callback that is due.
    request.conclude_later()
}

//! Datagrams.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use linsock::NtStatus;
use linsock::afd::address::Address;
use linsock::iocp::buffer::SendFlags;
use linsock::iocp::irp::Done;
use linsock::iocp::sync::Lock;
use linsock::socket::{RecvOptions, Route, SenderArea};

use super::{INVALID_DEVICE_STATE, NOT_IMPLEMENTED, Socket, memory, on_socket, plain, started};
use crate::ddk::irp::Irp;
use crate::ddk::memory::WskBuf;
use crate::socket::{WskSocket, read_address, write_address};
use crate::status::{self, Status};

/// Sends a datagram.
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_send_to>
pub(super) unsafe extern "C" fn WskSendTo(
    socket: Socket,
    buffer: *const WskBuf,
    flags: u32,
    remote: *const u8,
    _control_len: u32,
    _control: *const c_void,
    irp: *mut Irp,
) -> Status {
    on_socket("WskSendTo", socket, irp, plain, |socket, request| {
        if flags != 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        if !socket.socket.is_bound() {
            return Err(INVALID_DEVICE_STATE);
        }
        let to = if remote.is_null() { None } else { read_address(remote)?.ip() };
        let operation = request.operation(memory("WskSendTo", buffer)?);
        started(socket.socket.send_to(operation, SendFlags::NONE, Route::to(to)))
    })
}

/// Sends the buffers of a list as one datagram each: not there (Windows 8 and later have it).
pub(super) unsafe extern "C" fn WskSendMessages(
    socket: Socket,
    _list: *const c_void,
    _flags: u32,
    _remote: *const u8,
    _control_len: u32,
    _control: *const c_void,
    irp: *mut Irp,
) -> Status {
    on_socket("WskSendMessages", socket, irp, plain, |_, _| Err(NOT_IMPLEMENTED))
}

/// Receives a datagram.
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_receive_from>
pub(super) unsafe extern "C" fn WskReceiveFrom(
    socket: Socket,
    buffer: *const WskBuf,
    flags: u32,
    remote: *mut u8,
    control_len: *mut u32,
    _control: *mut c_void,
    control_flags: *mut u32,
    irp: *mut Irp,
) -> Status {
    let sender = Arc::new(Lock::new(None));
    let (seen, remote) = (Arc::clone(&sender), remote.expose_provenance());
    let finish = move |_: &Arc<WskSocket>, done: Done| {
        let from = seen.lock().take().map(Address::Ip);
        let remote = ptr::with_exposed_provenance_mut(remote);
        write_address(remote, from.ok_or(NtStatus::INVALID_ADDRESS));
        let cut = done.status == NtStatus::BUFFER_OVERFLOW;
        (status::of(done.status), if done.status.is_success() || cut { done.bytes } else { 0 })
    };
    for figure in [control_len, control_flags] {
        // SAFETY: the client's number, or null.
        if let Some(figure) = unsafe { figure.as_mut() } {
            *figure = 0;
        }
    }
    on_socket("WskReceiveFrom", socket, irp, finish, |socket, request| {
        if flags != 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let operation = request.operation(memory("WskReceiveFrom", buffer)?);
        let area = Some(SenderArea::Slot(sender));
        started(socket.socket.recv_from(operation, RecvOptions::default(), area))
    })
}

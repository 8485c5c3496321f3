//! How a connection is made: addresses, listening, connecting, accepting.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use linsock::NtStatus;
use linsock::afd::endpoint::state::Phase;
use linsock::iocp::buffer::Buffers;
use linsock::iocp::irp::Done;
use linsock::iocp::sync::Lock;

use super::{
    INVALID_DEVICE_STATE, NOT_IMPLEMENTED, Socket, end, memory, on_socket, plain, started,
};
use crate::ddk::irp::Irp;
use crate::ddk::memory::WskBuf;
use crate::events::{InspectId, StreamEvents};
use crate::socket::{
    Accept, Callbacks, Category, Unclaimed, WskSocket, read_address, write_address,
};
use crate::status::{self, Status};

/// SOMAXCONN.
const BACKLOG: i32 = 0x7FFF_FFFF;
/// WskConnectEx takes no more.
const CONNECT_DATA_MAX: usize = 65_535;

/// Binds; a listening socket listens from then on.
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_bind>
pub(super) unsafe extern "C" fn WskBind(
    socket: Socket,
    local: *const u8,
    flags: u32,
    irp: *mut Irp,
) -> Status {
    on_socket("WskBind", socket, irp, plain, |socket, request| {
        if flags != 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let address = read_address(local)?;
        let listens = socket.category == Category::Listen;
        if listens && socket.socket.is_datagram() {
            return Err(NOT_IMPLEMENTED);
        }
        if socket.socket.is_bound() {
            return Err(INVALID_DEVICE_STATE);
        }
        if listens {
            socket.socket.bind_and_listen(address, BACKLOG)?;
        } else {
            socket.socket.bind_now(address)?;
        }
        socket.pump_accepts();
        end(request, Ok(0));
        Ok(())
    })
}

/// Makes a bound stream socket listen.
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_listen>
pub(super) unsafe extern "C" fn WskListen(socket: Socket, irp: *mut Irp) -> Status {
    on_socket("WskListen", socket, irp, plain, |socket, request| {
        if socket.socket.phase() != Phase::Bound {
            return Err(INVALID_DEVICE_STATE);
        }
        socket.socket.listen(BACKLOG)?;
        socket.pump_accepts();
        end(request, Ok(0));
        Ok(())
    })
}

fn connect(
    call: &'static str,
    socket: Socket,
    remote: *const u8,
    data: Result<Buffers, NtStatus>,
    irp: *mut Irp,
) -> Status {
    let finish = |socket: &Arc<WskSocket>, done: Done| {
        if done.status.is_success() {
            socket.look();
        }
        (status::of(done.status), 0)
    };
    on_socket(call, socket, irp, finish, |socket, request| {
        let (remote, data) = (read_address(remote)?, data?);
        // WskConnect before WskBind (Wine's test, which ran on Windows; wsk 2.2).
        if socket.socket.phase() != Phase::Bound {
            return Err(INVALID_DEVICE_STATE);
        }
        started(socket.socket.connect_pending(request.operation(data), &remote))
    })
}

/// Connects. <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_connect>
pub(super) unsafe extern "C" fn WskConnect(
    socket: Socket,
    remote: *const u8,
    flags: u32,
    irp: *mut Irp,
) -> Status {
    let data = if flags == 0 { Ok(Buffers::empty()) } else { Err(NtStatus::INVALID_PARAMETER) };
    connect("WskConnect", socket, remote, data, irp)
}

/// Connects and sends first data.
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_connect_ex>
pub(super) unsafe extern "C" fn WskConnectEx(
    socket: Socket,
    remote: *const u8,
    buffer: *const WskBuf,
    flags: u32,
    irp: *mut Irp,
) -> Status {
    let data = match memory("WskConnectEx", buffer) {
        _ if flags != 0 => Err(NtStatus::INVALID_PARAMETER),
        _ if buffer.is_null() => Ok(Buffers::empty()),
        Ok(data) if data.len() > CONNECT_DATA_MAX => Err(NtStatus::BUFFER_OVERFLOW),
        data => data,
    };
    connect("WskConnectEx", socket, remote, data, irp)
}

/// Accepts a connection.
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_accept>
pub(super) unsafe extern "C" fn WskAccept(
    socket: Socket,
    flags: u32,
    context: *mut c_void,
    dispatch: *const StreamEvents,
    local: *mut u8,
    remote: *mut u8,
    irp: *mut Irp,
) -> Status {
    let slot = Arc::new(Lock::new(None::<Unclaimed>));
    let taken = Arc::clone(&slot);
    let (context, events) = (context.expose_provenance(), dispatch.expose_provenance());
    let (local, remote) = (local.expose_provenance(), remote.expose_provenance());
    let finish = move |listener: &Arc<WskSocket>, done: Done| {
        let connection = taken.lock().take().filter(|_| done.status.is_success());
        let Some(connection) = connection else { return (status::of(done.status), 0) };
        let client = &listener.client;
        write_address(ptr::with_exposed_provenance_mut(local), connection.local_address());
        write_address(ptr::with_exposed_provenance_mut(remote), connection.peer_address());
        let callbacks =
            Callbacks { connection: ptr::with_exposed_provenance(events), ..Callbacks::NONE };
        let context = ptr::with_exposed_provenance_mut(context);
        let category = Category::Connection;
        let made = WskSocket::make("WskAccept", client, category, connection, context, callbacks);
        made.look();
        (status::SUCCESS, made.addr())
    };
    on_socket("WskAccept", socket, irp, finish, |socket, request| {
        if flags != 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        if !socket.socket.is_listening() {
            return Err(INVALID_DEVICE_STATE);
        }
        let accept = Accept { request: Arc::clone(request), slot: Arc::clone(&slot) };
        {
            let mut state = socket.state.lock();
            // Closed meanwhile: nobody would end it.
            if socket.is_closing() {
                return Err(NtStatus::INVALID_HANDLE);
            }
            state.accepts.push_back(accept);
        }
        socket.pump_accepts();
        Ok(())
    })
}

/// Decides about a connection that WskInspectEvent has left pending.
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_inspect_complete>
pub(super) unsafe extern "C" fn WskInspectComplete(
    socket: Socket,
    id: *const InspectId,
    action: u32,
    irp: *mut Irp,
) -> Status {
    // SAFETY: the client's structure, or null.
    let serial = unsafe { id.as_ref() }.map(|id| id.serial);
    on_socket("WskInspectComplete", socket, irp, plain, |socket, request| {
        let known = serial.and_then(|serial| socket.state.lock().inspected.remove(&serial));
        let connection = known.ok_or(NtStatus::INVALID_PARAMETER)?;
        if action == 1 {
            socket.keep(connection);
            socket.pump_accepts();
        }
        end(request, Ok(0));
        Ok(())
    })
}

/// The local address.
pub(super) unsafe extern "C" fn WskGetLocalAddress(
    socket: Socket,
    local: *mut u8,
    irp: *mut Irp,
) -> Status {
    on_socket("WskGetLocalAddress", socket, irp, plain, |socket, request| {
        let bound = socket.socket.is_bound();
        let address = socket.socket.local_address().ok().filter(|_| bound);
        write_address(local, Ok(address.ok_or(INVALID_DEVICE_STATE)?));
        end(request, Ok(0));
        Ok(())
    })
}

/// The peer's address.
pub(super) unsafe extern "C" fn WskGetRemoteAddress(
    socket: Socket,
    remote: *mut u8,
    irp: *mut Irp,
) -> Status {
    on_socket("WskGetRemoteAddress", socket, irp, plain, |socket, request| {
        write_address(remote, Ok(socket.socket.peer_address()?));
        end(request, Ok(0));
        Ok(())
    })
}

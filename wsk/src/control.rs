//! WskControlSocket and WskControlClient: options, ioctls, and which events are told.

use std::ffi::c_void;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use linsock::NtStatus;
use linsock::iocp::buffer::Buffers;
use linsock::option;

use crate::client::{Client, Guid, NPI_WSK_INTERFACE_ID};
use crate::ddk::irp::Irp;
use crate::events::{ACCEPT, ALL, OF_CONNECTIONS};
use crate::misuse;
use crate::request::Request;
use crate::socket::{Category, WskSocket};
use crate::status::{self, Status};
use linsock::afd::endpoint::state::Phase;

const INVALID_DEVICE_STATE: NtStatus = status::as_nt(status::INVALID_DEVICE_STATE);
const SET_OPTION: u32 = 0;
const GET_OPTION: u32 = 1;
const IOCTL: u32 = 2;
const SOL_SOCKET: u32 = 0xFFFF;
const SO_CONDITIONAL_ACCEPT: u32 = 0x3002;
const SO_WSK_EVENT_CALLBACK: u32 = 0x4002;
const QUERY_IDEAL_SEND_BACKLOG: u32 = 0x4F00_0003;
const QUERY_RECEIVE_BACKLOG: u32 = 0x4F00_0004;
const SET_TCP_SILENT_MODE: u32 = 0x0F00_0007;
const EVENT_DISABLE: u32 = 0x8000_0000;
const TRANSPORT_LIST_QUERY: u32 = 2;
const SET_STATIC_EVENT_CALLBACKS: u32 = 7;
const TDI_BEHAVIOR: u32 = 8;

/// WSK_EVENT_CALLBACK_CONTROL.
#[repr(C)]
struct EventControl {
    npi: *const Guid,
    events: u32,
}

/// The client's buffers of a control call.
struct Areas {
    input: *const u8,
    input_len: usize,
    output: *mut u8,
    output_len: usize,
    returned: *mut usize,
}

impl Areas {
    fn input<'a>(&self) -> &'a [u8] {
        if self.input.is_null() {
            return &[];
        }
        // SAFETY: the client's buffer, valid for the call.
        unsafe { std::slice::from_raw_parts(self.input, self.input_len) }
    }

    /// Gives octets back; how many there are is told both ways.
    fn give(&self, octets: &[u8]) -> Result<usize, NtStatus> {
        if octets.len() > self.output_len || self.output.is_null() {
            return Err(NtStatus::BUFFER_TOO_SMALL);
        }
        // SAFETY: the client's buffer, which has the room.
        unsafe { std::ptr::copy_nonoverlapping(octets.as_ptr(), self.output, octets.len()) };
        // SAFETY: the client's number, or null.
        if let Some(returned) = unsafe { self.returned.as_mut() } {
            *returned = octets.len();
        }
        Ok(octets.len())
    }

    fn event_control(&self) -> Option<u32> {
        if self.input_len < size_of::<EventControl>() || self.input.is_null() {
            return None;
        }
        // SAFETY: the client's buffer, which is as long.
        let control = unsafe { self.input.cast::<EventControl>().read_unaligned() };
        // SAFETY: the client's constant.
        let npi = unsafe { control.npi.as_ref() }?;
        (*npi == NPI_WSK_INTERFACE_ID).then_some(control.events)
    }
}

/// Ends a control call with or without an IRP.
fn conclude(
    call: &'static str,
    irp: *mut Irp,
    body: impl FnOnce() -> Result<(NtStatus, usize), NtStatus>,
) -> Status {
    if irp.is_null() {
        return match body() {
            Ok((status, _)) | Err(status) => status::of(status),
        };
    }
    let request =
        match Request::accept(call, irp, None, |_, done| (status::of(done.status), done.bytes)) {
            Ok(request) => request,
            Err(status) => return status,
        };
    match body() {
        Ok((status, bytes)) => request.end(status, Buffers::empty(), bytes),
        Err(status) => request.end_with(status),
    }
    request.conclude()
}

/// Options, ioctls, and events.
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_control_socket>
pub(crate) unsafe extern "C" fn WskControlSocket(
    socket: *mut c_void,
    kind: u32,
    code: u32,
    level: u32,
    input_len: usize,
    input: *const u8,
    output_len: usize,
    output: *mut u8,
    returned: *mut usize,
    irp: *mut Irp,
) -> Status {
    let areas = Areas { input, input_len, output, output_len, returned };
    conclude("WskControlSocket", irp, || {
        let socket = WskSocket::find("WskControlSocket", socket).ok_or(NtStatus::INVALID_HANDLE)?;
        if socket.is_silent() {
            return Err(INVALID_DEVICE_STATE);
        }
        match (kind, level, code) {
            (SET_OPTION, SOL_SOCKET, SO_WSK_EVENT_CALLBACK) => set_events(&socket, &areas),
            (SET_OPTION, SOL_SOCKET, SO_CONDITIONAL_ACCEPT) => {
                if socket.socket.is_bound() {
                    return Err(INVALID_DEVICE_STATE);
                }
                socket.state.lock().conditional = areas.input().iter().any(|octet| *octet != 0);
                Ok((NtStatus::SUCCESS, 0))
            }
            (SET_OPTION, ..) => {
                let (level, name) = (level.cast_signed(), code.cast_signed());
                option::set(&socket.socket, level, name, areas.input())?;
                Ok((NtStatus::SUCCESS, 0))
            }
            (GET_OPTION, ..) => {
                let value = option::get(&socket.socket, level.cast_signed(), code.cast_signed())?;
                let octets = value.octets(areas.output_len).ok_or(NtStatus::BUFFER_TOO_SMALL)?;
                Ok((NtStatus::SUCCESS, areas.give(&octets)?))
            }
            (IOCTL, ..) => query(&socket, code, &areas).map(|count| (NtStatus::SUCCESS, count)),
            _ => Err(NtStatus::INVALID_PARAMETER),
        }
    })
}

fn query(socket: &WskSocket, code: u32, areas: &Areas) -> Result<usize, NtStatus> {
    match code {
        SET_TCP_SILENT_MODE => silence(socket).map(|()| 0),
        QUERY_RECEIVE_BACKLOG => {
            let held = socket.state.lock().held.len();
            let waiting = usize::try_from(socket.socket.readable_octets()).unwrap_or(0);
            areas.give(&(held + waiting).to_ne_bytes())
        }
        QUERY_IDEAL_SEND_BACKLOG => {
            let ideal = ideal_backlog(socket).ok_or(INVALID_DEVICE_STATE)?;
            areas.give(&ideal.to_ne_bytes())
        }
        _ => Err(NtStatus::NOT_SUPPORTED),
    }
}

/// As much as the kernel takes without waiting; it grows with the connection. `None` without a
/// connection.
pub(crate) fn ideal_backlog(socket: &WskSocket) -> Option<usize> {
    let fd = socket.socket.view().fd?;
    let mut size: libc::c_int = 0;
    let mut len = libc::socklen_t::try_from(size_of::<libc::c_int>()).unwrap_or(0);
    let (level, name) = (libc::SOL_SOCKET, libc::SO_SNDBUF);
    let (to, to_len) = ((&raw mut size).cast(), &raw mut len);
    // SAFETY: an open descriptor, and room for a value of that size.
    let failed = unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, to, to_len) };
    if failed == 0 { usize::try_from(size).ok() } else { None }
}

/// The connection sends nothing any more, its end included. The kernel lets a process do that which
/// may administer the network.
fn silence(socket: &WskSocket) -> Result<(), NtStatus> {
    let view = socket.socket.view();
    let connected = view.phase == Phase::Connected;
    let fd = view.fd.filter(|_| connected).ok_or(INVALID_DEVICE_STATE)?;
    let on: libc::c_int = 1;
    let size = libc::socklen_t::try_from(size_of::<libc::c_int>()).unwrap_or(0);
    let (level, name) = (libc::IPPROTO_TCP, libc::TCP_REPAIR);
    // SAFETY: an open descriptor, and a value of that size.
    let failed =
        unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, (&raw const on).cast(), size) };
    if failed != 0 {
        return Err(NtStatus::NOT_SUPPORTED);
    }
    socket.silent.store(true, Ordering::Release);
    Ok(())
}

/// SO_WSK_EVENT_CALLBACK: several are enabled together, and disabled one at a time.
fn set_events(socket: &Arc<WskSocket>, areas: &Areas) -> Result<(NtStatus, usize), NtStatus> {
    let events = areas.event_control().ok_or(NtStatus::INVALID_PARAMETER)?;
    let (disables, events) = (events & EVENT_DISABLE != 0, events & !EVENT_DISABLE);
    if events == 0 || events & !ALL != 0 || disables && !events.is_power_of_two() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let listens = socket.socket.is_listening();
    let mut state = socket.state.lock();
    if disables {
        if state.fixed_events & events != 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        state.events &= !events;
        state.inherited_events &= !events;
        return Ok((NtStatus::SUCCESS, 0));
    }
    let connected = socket.socket.phase() == Phase::Connected;
    if socket.category == Category::Connection && !connected {
        let rule = "events of a connection are enabled after it is made";
        misuse::report("WskControlSocket", format_args!("{rule}"));
        return Err(INVALID_DEVICE_STATE);
    }
    if listens {
        state.events |= events & ACCEPT;
        state.inherited_events |= events & OF_CONNECTIONS;
    } else {
        state.events |= events;
    }
    drop(state);
    if listens {
        socket.pump_accepts();
    }
    socket.look();
    socket.look_at_backlog();
    Ok((NtStatus::SUCCESS, 0))
}

/// What concerns all sockets of a client.
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_control_client>
pub(crate) unsafe extern "C" fn WskControlClient(
    client: *const Client,
    code: u32,
    input_len: usize,
    input: *const u8,
    output_len: usize,
    output: *mut u8,
    returned: *mut usize,
    irp: *mut Irp,
) -> Status {
    let Some(client) = Client::of(client) else { return status::INVALID_HANDLE };
    let areas = Areas { input, input_len, output, output_len, returned };
    conclude("WskControlClient", irp, || match code {
        SET_STATIC_EVENT_CALLBACKS => {
            let events = areas.event_control().filter(|events| events & !ALL == 0);
            let events = events.ok_or(NtStatus::INVALID_PARAMETER)?;
            let set = client.set_static_events(events);
            set.map_err(status::as_nt)?;
            Ok((NtStatus::SUCCESS, 0))
        }
        TDI_BEHAVIOR => Ok((NtStatus::SUCCESS, 0)),
        TRANSPORT_LIST_QUERY => list_transports(&areas).map(|count| (NtStatus::SUCCESS, count)),
        _ => Err(NtStatus::NOT_SUPPORTED),
    })
}

fn list_transports(areas: &Areas) -> Result<usize, NtStatus> {
    let mut octets = Vec::new();
    for (socket_type, protocol) in [(1_u16, 6_u32), (2, 17)] {
        for family in [2_u16, 23] {
            // WSK_TRANSPORT: version 1.0, and a provider without a name.
            octets.extend(0x0100_u16.to_ne_bytes());
            octets.extend(socket_type.to_ne_bytes());
            octets.extend(protocol.to_ne_bytes());
            octets.extend(family.to_ne_bytes());
            octets.extend([0; 2 + 16]);
        }
    }
    areas.give(&octets)
}

//! The functions of the dispatch tables.

mod datagram;
mod establish;
mod stream;

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use linsock::NtStatus;
use linsock::iocp::buffer::Buffers;
use linsock::iocp::irp::Done;

use crate::client::Client;
use crate::control::{WskControlClient, WskControlSocket};
use crate::ddk::irp::Irp;
use crate::ddk::memory::WskBuf;
use crate::events::{ListenEvents, StreamEvents};
use crate::misuse;
use crate::names::{WskFreeAddressInfo, WskGetAddressInfo, WskGetNameInfo};
use crate::request::{Outcome, Request, outcome};
use crate::socket::{Callbacks, Category, WskSocket, create, read_address};
use crate::status::{self, Status};
use datagram::{WskReceiveFrom, WskSendMessages, WskSendTo};
use establish::{
    WskAccept, WskBind, WskConnect, WskConnectEx, WskGetLocalAddress, WskGetRemoteAddress,
    WskInspectComplete, WskListen,
};
use stream::{
    WskCloseSocket, WskDisconnect, WskReceive, WskReceiveEx, WskRelease, WskSend, WskSendEx,
};

const NOT_IMPLEMENTED: NtStatus = status::as_nt(status::NOT_IMPLEMENTED);
const INVALID_DEVICE_STATE: NtStatus = status::as_nt(status::INVALID_DEVICE_STATE);
type Socket = *mut c_void;

/// A dispatch table: a version, or nothing, and functions.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Table<const N: usize>([*const c_void; N]);

// SAFETY: addresses of functions and of a constant.
unsafe impl<const N: usize> Sync for Table<N> {}

macro_rules! table {
    ($name:ident: $($function:expr),* $(,)?) => {
        pub(crate) static $name: Table<{ [$(stringify!($function)),*].len() }> =
            Table([$($function as *const c_void),*]);
    };
}

/// MAKE_WSK_VERSION(1, 0), in front of the provider's functions.
const VERSION: *const c_void = ptr::without_provenance(0x0100);

table!(
    PROVIDER_DISPATCH: VERSION, WskSocket, WskSocketConnect, WskControlClient, WskGetAddressInfo,
    WskFreeAddressInfo, WskGetNameInfo,
);
table!(BASIC_DISPATCH: WskControlSocket, WskCloseSocket);
table!(
    LISTEN_DISPATCH: WskControlSocket, WskCloseSocket, WskBind, WskAccept, WskInspectComplete,
    WskGetLocalAddress,
);
table!(
    CONNECTION_DISPATCH: WskControlSocket, WskCloseSocket, WskBind, WskConnect, WskGetLocalAddress,
    WskGetRemoteAddress, WskSend, WskReceive, WskDisconnect, WskRelease, WskConnectEx, WskSendEx,
    WskReceiveEx,
);
table!(
    STREAM_DISPATCH: WskControlSocket, WskCloseSocket, WskBind, WskAccept, WskConnect, WskListen,
    WskSend, WskReceive, WskDisconnect, WskRelease, WskGetLocalAddress, WskGetRemoteAddress,
    WskConnectEx, WskSendEx, WskReceiveEx,
);
table!(
    DATAGRAM_DISPATCH: WskControlSocket, WskCloseSocket, WskBind, WskSendTo, WskReceiveFrom,
    WskRelease, WskGetLocalAddress, WskSendMessages,
);

fn plain(_socket: &Arc<WskSocket>, done: Done) -> Outcome {
    outcome(done)
}

/// Runs a call on an open socket: `body` starts what the request waits for; a refusal ends it.
/// `finish` makes the outcome.
fn on_socket(
    call: &'static str,
    socket: Socket,
    irp: *mut Irp,
    finish: impl FnOnce(&Arc<WskSocket>, Done) -> Outcome + Send + 'static,
    body: impl FnOnce(&Arc<WskSocket>, &Arc<Request>) -> Result<(), NtStatus>,
) -> Status {
    let finish = move |socket: Option<&Arc<WskSocket>>, done| match socket {
        Some(socket) => finish(socket, done),
        None => outcome(done),
    };
    let request = match Request::accept(call, irp, WskSocket::find(call, socket), finish) {
        Ok(request) => request,
        Err(status) => return status,
    };
    let started = match request.socket() {
        Some(socket) if socket.is_silent() => Err(INVALID_DEVICE_STATE),
        Some(socket) => body(socket, &request),
        None => Err(NtStatus::INVALID_HANDLE),
    };
    if let Err(status) = started {
        request.end_with(status);
    }
    request.conclude()
}

/// Ends a request whose work is done, with octets or a refusal.
fn end(request: &Arc<Request>, result: Result<usize, NtStatus>) {
    match result {
        Ok(bytes) => request.end(NtStatus::SUCCESS, Buffers::empty(), bytes),
        Err(status) => request.end_with(status),
    }
}

/// The memory that a WSK_BUF describes.
fn memory(call: &str, buffer: *const WskBuf) -> Result<Buffers, NtStatus> {
    let buffer = WskBuf::read(buffer).ok_or(NtStatus::INVALID_PARAMETER)?;
    if let Some(whole) = buffer.in_one() {
        // SAFETY: the client keeps the MDL and its memory until the completion (the pages' rule).
        return Ok(unsafe { Buffers::from_raw(&[whole]) });
    }
    let Some(parts) = buffer.buffers() else {
        misuse::report(call, format_args!("the WSK_BUF is longer than its MDLs"));
        return Err(NtStatus::INVALID_PARAMETER);
    };
    if parts.is_empty() {
        return Ok(Buffers::empty());
    }
    // SAFETY: the client keeps the MDLs and their memory until the completion (the pages' rule).
    Ok(unsafe { Buffers::from_raw(&parts) })
}

/// A refused operation has ended the request already.
fn started<T>(_result: Result<T, NtStatus>) -> Result<(), NtStatus> {
    Ok(())
}

/// Makes a socket. <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_socket>
pub(crate) unsafe extern "C" fn WskSocket(
    client: *const Client,
    family: u16,
    socket_type: u16,
    protocol: u32,
    flags: u32,
    context: *mut c_void,
    dispatch: *const c_void,
    _process: *mut c_void,
    _thread: *mut c_void,
    _security: *mut c_void,
    irp: *mut Irp,
) -> Status {
    // wsk 2.1: no client, nothing is completed.
    let Some(client) = Client::of(client) else { return status::INVALID_HANDLE };
    let context = context.expose_provenance();
    let made = Category::of_flags(flags)
        .ok_or(NtStatus::INVALID_PARAMETER)
        .and_then(|category| Ok((category, create(category, family, socket_type, protocol)?)));
    let callbacks = callbacks_of(flags, dispatch);
    // What is not made a socket of the client's goes with the request.
    let refusal = made.as_ref().err().copied();
    let finish = move |done: Done| {
        let (Ok((category, socket)), true) = (made, done.status.is_success()) else {
            return (status::of(done.status), 0);
        };
        let context = ptr::with_exposed_provenance_mut(context);
        let made = WskSocket::make("WskSocket", &client, category, socket, context, callbacks);
        (status::SUCCESS, made.addr())
    };
    let request = match Request::accept("WskSocket", irp, None, |_, done| finish(done)) {
        Ok(request) => request,
        Err(status) => return status,
    };
    request.end_with(refusal.unwrap_or(NtStatus::SUCCESS));
    request.conclude()
}

fn callbacks_of(flags: u32, dispatch: *const c_void) -> Callbacks {
    /// WSK_CLIENT_STREAM_DISPATCH.
    #[repr(C)]
    struct Both {
        listen: *const ListenEvents,
        connection: *const StreamEvents,
    }
    match Category::of_flags(flags) {
        _ if dispatch.is_null() => Callbacks::NONE,
        Some(Category::Listen) => Callbacks { listen: dispatch.cast(), ..Callbacks::NONE },
        Some(Category::Connection) => Callbacks { connection: dispatch.cast(), ..Callbacks::NONE },
        Some(Category::Stream) => {
            // SAFETY: the client's table for a stream socket.
            let both = unsafe { &*dispatch.cast::<Both>() };
            Callbacks { listen: both.listen, connection: both.connection }
        }
        _ => Callbacks::NONE,
    }
}

/// Makes, binds and connects a socket in one call.
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_socket_connect>
pub(crate) unsafe extern "C" fn WskSocketConnect(
    client: *const Client,
    socket_type: u16,
    protocol: u32,
    local: *const u8,
    remote: *const u8,
    _flags: u32,
    context: *mut c_void,
    dispatch: *const StreamEvents,
    _process: *mut c_void,
    _thread: *mut c_void,
    _security: *mut c_void,
    irp: *mut Irp,
) -> Status {
    let Some(client) = Client::of(client) else { return status::INVALID_HANDLE };
    let made = read_address(local).and_then(|local| {
        let remote = read_address(remote)?;
        let family = local.domain().number();
        let socket = create(Category::Connection, family, socket_type, protocol)?;
        socket.bind(local)?;
        Ok((socket, remote))
    });
    let (context, events) = (context.expose_provenance(), dispatch.expose_provenance());
    let begun = made.as_ref().map(|(socket, remote)| (Arc::clone(socket), remote.clone()));
    let begun = begun.map_err(|status| *status);
    let finish = move |done: Done| match (made, done.status.is_success()) {
        (Ok((socket, _)), true) => {
            let context = ptr::with_exposed_provenance_mut(context);
            let connection = ptr::with_exposed_provenance(events);
            let callbacks = Callbacks { connection, ..Callbacks::NONE };
            let category = Category::Connection;
            let name = "WskSocketConnect";
            let made = WskSocket::make(name, &client, category, socket, context, callbacks);
            made.look();
            (status::SUCCESS, made.addr())
        }
        _ => (status::of(done.status), 0),
    };
    let request = match Request::accept("WskSocketConnect", irp, None, |_, done| finish(done)) {
        Ok(request) => request,
        Err(status) => return status,
    };
    match begun {
        Ok((socket, remote)) => {
            // A refusal ends the request too.
            let _ = socket.connect_pending(request.operation(Buffers::empty()), &remote);
            request.waits_for(&socket, request.key());
        }
        Err(status) => request.end_with(status),
    }
    request.conclude()
}

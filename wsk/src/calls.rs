//! The functions of the dispatch tables.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use linsock::NtStatus;
use linsock::afd::DisconnectMode;
use linsock::afd::address::Address;
use linsock::afd::endpoint::state::Phase;
use linsock::iocp::buffer::{Buffers, RecvFlags, SendFlags};
use linsock::iocp::irp::Done;
use linsock::iocp::sync::Lock;
use linsock::socket::{RecvOptions, SenderArea};

use crate::client::Client;
use crate::control::{WskControlClient, WskControlSocket};
use crate::ddk::irp::Irp;
use crate::ddk::memory::WskBuf;
use crate::events::{InspectId, ListenEvents, StreamEvents, internal};
use crate::request::{Outcome, Request};
use crate::socket::{Accept, Callbacks, Category, WskSocket, create, read_address, write_address};
use crate::status::{self, Status};
use crate::{misuse, worker};

const MSG_OOB: u32 = 1;
const NODELAY: u32 = 2;
const ABORTIVE: u32 = 1;
const WAITALL: u32 = 2;
const DRAIN: u32 = 4;
/// SOMAXCONN.
const BACKLOG: i32 = 0x7FFF_FFFF;
/// WskConnectEx takes no more.
const CONNECT_DATA_MAX: usize = 65_535;
const NOT_IMPLEMENTED: NtStatus = NtStatus::from_raw(0xC000_0002);
const INVALID_DEVICE_STATE: NtStatus = NtStatus::from_raw(0xC000_0184);
const FILE_FORCED_CLOSED: NtStatus = NtStatus::from_raw(0xC000_00B6);
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

table!(PROVIDER_DISPATCH: VERSION, WskSocket, WskSocketConnect, WskControlClient, WskGetAddressInfo, WskFreeAddressInfo, WskGetNameInfo);
table!(BASIC_DISPATCH: WskControlSocket, WskCloseSocket);
table!(LISTEN_DISPATCH: WskControlSocket, WskCloseSocket, WskBind, WskAccept, WskInspectComplete, WskGetLocalAddress);
table!(
    CONNECTION_DISPATCH: WskControlSocket, WskCloseSocket, WskBind, WskConnect, WskGetLocalAddress,
    WskGetRemoteAddress, WskSend, WskReceive, WskDisconnect, WskRelease, WskConnectEx, WskSendEx, WskReceiveEx,
);
table!(
    STREAM_DISPATCH: WskControlSocket, WskCloseSocket, WskBind, WskAccept, WskConnect, WskListen, WskSend, WskReceive,
    WskDisconnect, WskRelease, WskGetLocalAddress, WskGetRemoteAddress, WskConnectEx, WskSendEx, WskReceiveEx,
);
table!(
    DATAGRAM_DISPATCH: WskControlSocket, WskCloseSocket, WskBind, WskSendTo, WskReceiveFrom, WskRelease,
    WskGetLocalAddress, WskSendMessages,
);

fn plain(done: Done) -> Outcome {
    let status = status::of(done.status);
    (status, if status::is_success(status) { done.bytes } else { 0 })
}

/// Runs a call on an open socket: `body` starts what the request waits for; a refusal ends it.
fn on_socket(
    call: &'static str,
    socket: Socket,
    irp: *mut Irp,
    finish: impl FnOnce(Done) -> Outcome + Send + 'static,
    body: impl FnOnce(&Arc<WskSocket>, &Arc<Request>) -> Result<(), NtStatus>,
) -> Status {
    let request = match Request::accept(call, irp, finish) {
        Ok(request) => request,
        Err(status) => return status,
    };
    let started = match WskSocket::find(call, socket) {
        Some(socket) => body(&socket, &request),
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

/// Takes an operation back when its IRP is cancelled.
fn cancellable(socket: &Arc<WskSocket>, request: &Arc<Request>) {
    let socket = Arc::clone(&socket.socket);
    request.on_cancel(move |key| {
        socket.cancel_operations(&|operation| operation.key() == key);
    });
}

/// A refused operation has ended the request already.
fn started<T>(_result: Result<T, NtStatus>) -> Result<(), NtStatus> {
    Ok(())
}

/// Resolves a name: not there.
unsafe extern "C" fn WskGetAddressInfo(
    _client: *const Client,
    _node: *const c_void,
    _service: *const c_void,
    _name_space: u32,
    _provider: *const c_void,
    _hints: *const c_void,
    _result: *mut *mut c_void,
    _process: *mut c_void,
    _thread: *mut c_void,
    irp: *mut Irp,
) -> Status {
    refuse("WskGetAddressInfo", irp)
}

/// Names an address: not there.
unsafe extern "C" fn WskGetNameInfo(
    _client: *const Client,
    _address: *const c_void,
    _address_len: u32,
    _node: *mut c_void,
    _service: *mut c_void,
    _flags: u32,
    _process: *mut c_void,
    _thread: *mut c_void,
    irp: *mut Irp,
) -> Status {
    refuse("WskGetNameInfo", irp)
}

fn refuse(call: &'static str, irp: *mut Irp) -> Status {
    match Request::accept(call, irp, plain) {
        Ok(request) => {
            request.end_with(NOT_IMPLEMENTED);
            request.conclude()
        }
        Err(status) => status,
    }
}

extern "C" fn WskFreeAddressInfo(_client: *const Client, _info: *mut c_void) {}

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
    let refusal = made.as_ref().err().copied();
    let finish = move |done: Done| {
        let (Ok((category, socket)), true) = (made, done.status.is_success()) else {
            return (status::of(done.status), 0);
        };
        let context = ptr::with_exposed_provenance_mut(context);
        let made = WskSocket::make("WskSocket", &client, category, socket, context, callbacks);
        (status::SUCCESS, made.addr())
    };
    let request = match Request::accept("WskSocket", irp, finish) {
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
    let socket = made.as_ref().ok().map(|(socket, _)| Arc::clone(socket));
    let finish = move |done: Done| match (socket, done.status.is_success()) {
        (Some(socket), true) => {
            let context = ptr::with_exposed_provenance_mut(context);
            let connection = ptr::with_exposed_provenance(events);
            let callbacks = Callbacks { connection, ..Callbacks::NONE };
            let category = Category::Connection;
            let name = "WskSocketConnect";
            let made = WskSocket::make(name, &client, category, socket, context, callbacks);
            made.state.lock().bound = true;
            made.look();
            (status::SUCCESS, made.addr())
        }
        (socket, _) => {
            if let Some(socket) = socket {
                let _ = socket.close_handle();
            }
            (status::of(done.status), 0)
        }
    };
    let request = match Request::accept("WskSocketConnect", irp, finish) {
        Ok(request) => request,
        Err(status) => return status,
    };
    match made {
        Ok((socket, remote)) => {
            use linsock::iocp::file::File;
            let _ = socket.associate(worker::port(), 0);
            let _refused_or_begun =
                socket.connect_pending(request.operation(Buffers::empty()), &remote);
            request.on_cancel(move |key| {
                socket.cancel_operations(&|operation| operation.key() == key);
            });
        }
        Err(status) => request.end_with(status),
    }
    request.conclude()
}

/// Binds; a listening socket listens from then on.
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_bind>
pub(crate) unsafe extern "C" fn WskBind(
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
        if socket.state.lock().bound {
            return Err(INVALID_DEVICE_STATE);
        }
        socket.socket.bind(address)?;
        // Bound for good, so that an address in use is told now and not by a later call.
        socket.socket.local_address()?;
        if listens {
            socket.socket.listen(BACKLOG)?;
        }
        socket.state.lock().bound = true;
        socket.pump_accepts();
        end(request, Ok(0));
        Ok(())
    })
}

/// Makes a bound stream socket listen.
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_listen>
pub(crate) unsafe extern "C" fn WskListen(socket: Socket, irp: *mut Irp) -> Status {
    on_socket("WskListen", socket, irp, plain, |socket, request| {
        if !socket.state.lock().bound || socket.socket.phase() != Phase::Bound {
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
    let own = socket.expose_provenance();
    let finish = move |done: Done| {
        let socket = WskSocket::find_quietly(ptr::with_exposed_provenance::<c_void>(own));
        if let Some(socket) = socket.filter(|_| done.status.is_success()) {
            socket.look();
        }
        (status::of(done.status), 0)
    };
    on_socket(call, socket, irp, finish, |socket, request| {
        let (remote, data) = (read_address(remote)?, data?);
        // WskConnect before WskBind (Wine's test, which ran on Windows; wsk 2.2).
        if !socket.state.lock().bound || socket.socket.phase() != Phase::Bound {
            return Err(INVALID_DEVICE_STATE);
        }
        let result = socket.socket.connect_pending(request.operation(data), &remote);
        if let Err(status) = result {
            request.end_with(status);
        }
        cancellable(socket, request);
        Ok(())
    })
}

/// Connects. <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_connect>
pub(crate) unsafe extern "C" fn WskConnect(
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
pub(crate) unsafe extern "C" fn WskConnectEx(
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
pub(crate) unsafe extern "C" fn WskAccept(
    socket: Socket,
    flags: u32,
    context: *mut c_void,
    dispatch: *const StreamEvents,
    local: *mut u8,
    remote: *mut u8,
    irp: *mut Irp,
) -> Status {
    let slot = Arc::new(Lock::new(None::<Arc<linsock::socket::Socket>>));
    let taken = Arc::clone(&slot);
    let client = WskSocket::find("WskAccept", socket).map(|socket| Arc::clone(&socket.client));
    let (context, events) = (context.expose_provenance(), dispatch.expose_provenance());
    let (local, remote) = (local.expose_provenance(), remote.expose_provenance());
    let finish = move |done: Done| {
        let connection = taken.lock().take();
        let (Some(client), Some(connection), true) = (client, connection, done.status.is_success())
        else {
            return (status::of(done.status), 0);
        };
        write_address(ptr::with_exposed_provenance_mut(local), connection.local_address());
        write_address(ptr::with_exposed_provenance_mut(remote), connection.peer_address());
        let callbacks =
            Callbacks { connection: ptr::with_exposed_provenance(events), ..Callbacks::NONE };
        let context = ptr::with_exposed_provenance_mut(context);
        let category = Category::Connection;
        let made = WskSocket::make("WskAccept", &client, category, connection, context, callbacks);
        made.state.lock().bound = true;
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
        socket.state.lock().accepts.push_back(accept);
        let own = Arc::downgrade(socket);
        request.on_cancel(move |key| {
            let Some(socket) = own.upgrade() else { return };
            let mut state = socket.state.lock();
            let at = state.accepts.iter().position(|a| Arc::as_ptr(&a.request).addr() == key);
            let gone = at.and_then(|at| state.accepts.remove(at));
            drop(state);
            if let Some(accept) = gone {
                accept.request.end_with(NtStatus::CANCELLED);
            }
        });
        socket.pump_accepts();
        Ok(())
    })
}

/// Decides about a connection that WskInspectEvent has left pending.
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_inspect_complete>
pub(crate) unsafe extern "C" fn WskInspectComplete(
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
            socket.state.lock().backlog.push_back(connection);
            socket.pump_accepts();
        } else {
            let _ = connection.abort();
        }
        end(request, Ok(0));
        Ok(())
    })
}

/// The local address.
pub(crate) unsafe extern "C" fn WskGetLocalAddress(
    socket: Socket,
    local: *mut u8,
    irp: *mut Irp,
) -> Status {
    on_socket("WskGetLocalAddress", socket, irp, plain, |socket, request| {
        let bound = socket.state.lock().bound;
        let address = socket.socket.local_address().ok().filter(|_| bound);
        write_address(local, Ok(address.ok_or(INVALID_DEVICE_STATE)?));
        end(request, Ok(0));
        Ok(())
    })
}

/// The peer's address.
pub(crate) unsafe extern "C" fn WskGetRemoteAddress(
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

/// Sends. Complete when TCP has taken everything.
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_send>
///
/// # Differs from Windows
/// Windows' TCP keeps the client's memory until the peer has acknowledged it; here the kernel has
/// copied it.
pub(crate) unsafe extern "C" fn WskSend(
    socket: Socket,
    buffer: *const WskBuf,
    flags: u32,
    irp: *mut Irp,
) -> Status {
    on_socket("WskSend", socket, irp, plain, |socket, request| {
        if flags & !(MSG_OOB | NODELAY) != 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let operation = request.operation(memory("WskSend", buffer)?);
        let flags = SendFlags::new(flags & MSG_OOB != 0, false);
        let sent = started(socket.socket.send(operation, flags));
        cancellable(socket, request);
        sent
    })
}

/// Sends, without control information.
pub(crate) unsafe extern "C" fn WskSendEx(
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
pub(crate) unsafe extern "C" fn WskReceive(
    socket: Socket,
    buffer: *const WskBuf,
    flags: u32,
    irp: *mut Irp,
) -> Status {
    let room = WskBuf::read(buffer).map_or(0, |buffer| buffer.length);
    let own = socket.expose_provenance();
    let finish = move |done: Done| {
        let socket = ptr::with_exposed_provenance::<c_void>(own);
        if let Some(socket) = WskSocket::find_quietly(socket) {
            socket.received(&done, room);
        }
        plain(done)
    };
    on_socket("WskReceive", socket, irp, finish, |socket, request| {
        let drains = flags & DRAIN != 0;
        if flags & !(WAITALL | DRAIN) != 0 || drains && (flags & WAITALL != 0 || room > 0) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        cancellable(socket, request);
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
pub(crate) unsafe extern "C" fn WskReceiveEx(
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
    let operation = internal(Buffers::from_vec(vec![0; SCRATCH]), move |done| {
        if done.status.is_success() && done.bytes > 0 {
            drain(&own, &waiting);
        } else {
            waiting.end_with(done.status);
        }
    });
    let key = operation.key();
    let cancelled = Arc::clone(&socket.socket);
    request.on_cancel(move |_| {
        cancelled.cancel_operations(&|operation| operation.key() == key);
    });
    if let Err(status) = socket.socket.recv(operation, RecvOptions::default()) {
        request.end_with(status);
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
pub(crate) unsafe extern "C" fn WskRelease(socket: Socket, list: *const c_void) -> Status {
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
pub(crate) unsafe extern "C" fn WskDisconnect(
    socket: Socket,
    buffer: *const WskBuf,
    flags: u32,
    irp: *mut Irp,
) -> Status {
    let buffer = WskBuf::read(buffer);
    let length = buffer.map_or(0, |buffer| buffer.length);
    let finish = move |done: Done| {
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
        if socket.socket.phase() == Phase::Closed {
            return Err(FILE_FORCED_CLOSED);
        }
        if length > 0 {
            let data = memory("WskDisconnect", buffer.as_ref().map_or(ptr::null(), ptr::from_ref))?;
            // The FIN goes behind it; what fails it fails the disconnect.
            socket.socket.send(internal(data, drop), SendFlags::NONE)?;
        }
        let operation = request.operation(Buffers::empty());
        let begun = started(socket.socket.disconnect(operation, DisconnectMode::Delivered));
        cancellable(socket, request);
        begun
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
pub(crate) unsafe extern "C" fn WskCloseSocket(socket: Socket, irp: *mut Irp) -> Status {
    let closed = WskSocket::find_quietly(socket);
    let finish = move |done: Done| {
        if let Some(socket) = closed {
            socket.client.socket_gone();
        }
        (status::of(done.status), 0)
    };
    let request = match Request::accept("WskCloseSocket", irp, finish) {
        Ok(request) => request,
        Err(status) => return status,
    };
    let Some(socket) = WskSocket::find("WskCloseSocket", socket) else {
        request.end_with(NtStatus::INVALID_HANDLE);
        return request.conclude();
    };
    socket.bury();
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
    for connection in left {
        let _ = connection.abort();
    }
    socket.socket.cancel_operations(&|_| true);
    socket.close_connection();
    request.end_with(NtStatus::SUCCESS);
    // Behind every completion and callback that is due.
    request.conclude_later()
}

/// Sends a datagram.
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_send_to>
pub(crate) unsafe extern "C" fn WskSendTo(
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
        if !socket.state.lock().bound {
            return Err(INVALID_DEVICE_STATE);
        }
        let to = if remote.is_null() { None } else { read_address(remote)?.ip() };
        let operation = request.operation(memory("WskSendTo", buffer)?);
        let sent = started(socket.socket.send_to(operation, SendFlags::NONE, to));
        cancellable(socket, request);
        sent
    })
}

/// Sends the buffers of a list as one datagram each: not there (Windows 8 and later have it).
pub(crate) unsafe extern "C" fn WskSendMessages(
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
pub(crate) unsafe extern "C" fn WskReceiveFrom(
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
    let finish = move |done: Done| {
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
        let received = started(socket.socket.recv_from(operation, RecvOptions::default(), area));
        cancellable(socket, request);
        received
    })
}

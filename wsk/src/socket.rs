//! What a `WSK_SOCKET` is: a socket of linsock, what the client gave with it, and what the provider
//! holds for it.

use std::collections::VecDeque;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::sync::{Arc, LazyLock};

use linsock::NtStatus;
use linsock::afd::address::{self, Address, Family};
use linsock::catalog::Provider;
use linsock::iocp::file::File;
use linsock::iocp::sync::Lock;
use linsock::socket::Socket;
use rustc_hash::FxHashMap;

use crate::calls;
use crate::client::Client;
use crate::events::{Indication, ListenEvents, StreamEvents};
use crate::request::Request;
use crate::{misuse, worker};

/// The category of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// Options and nothing else.
    Basic,
    /// Accepts connections.
    Listen,
    /// Connects, or was accepted.
    Connection,
    /// Either, as it turns out.
    Stream,
    /// Datagrams.
    Datagram,
}

impl Category {
    /// By the flag of WskSocket.
    pub(crate) const fn of_flags(flags: u32) -> Option<Self> {
        Some(match flags {
            0 => Self::Basic,
            1 => Self::Listen,
            2 => Self::Connection,
            4 => Self::Datagram,
            8 => Self::Stream,
            _ => return None,
        })
    }

    const fn table(self) -> *const c_void {
        match self {
            Self::Basic => (&raw const calls::BASIC_DISPATCH).cast(),
            Self::Listen => (&raw const calls::LISTEN_DISPATCH).cast(),
            Self::Connection => (&raw const calls::CONNECTION_DISPATCH).cast(),
            Self::Stream => (&raw const calls::STREAM_DISPATCH).cast(),
            Self::Datagram => (&raw const calls::DATAGRAM_DISPATCH).cast(),
        }
    }
}

/// What the client wants to be called with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Callbacks {
    pub(crate) listen: *const ListenEvents,
    pub(crate) connection: *const StreamEvents,
}

impl Callbacks {
    pub(crate) const NONE: Self = Self { listen: ptr::null(), connection: ptr::null() };
}

// SAFETY: the client's tables, which are constant and outlive the socket.
unsafe impl Send for Callbacks {}

/// A socket of a client. What the client has is a pointer to this, whose first word is the
/// `Dispatch` that it reads.
#[repr(C)]
#[derive(Debug)]
pub struct WskSocket {
    dispatch: *const c_void,
    pub(crate) category: Category,
    pub(crate) socket: Arc<Socket>,
    pub(crate) client: Arc<Client>,
    context: AtomicPtr<c_void>,
    pub(crate) callbacks: Lock<Callbacks>,
    pub(crate) state: Lock<State>,
    pub(crate) closing: AtomicBool,
    /// SIO_WSK_SET_TCP_SILENT_MODE: it can only be closed.
    pub(crate) silent: AtomicBool,
    /// The call that made it.
    made_by: &'static str,
}

// SAFETY: `dispatch` is a constant table; everything else is synchronised.
unsafe impl Send for WskSocket {}
// SAFETY: as above.
unsafe impl Sync for WskSocket {}

/// A socket of linsock that no client has yet: it goes, with its connection, unless one gets it.
#[derive(Debug)]
pub(crate) struct Unclaimed(Option<Arc<Socket>>);

impl Unclaimed {
    pub(crate) const fn new(socket: Arc<Socket>) -> Self {
        Self(Some(socket))
    }

    fn claim(mut self) -> Option<Arc<Socket>> {
        self.0.take()
    }
}

impl std::ops::Deref for Unclaimed {
    type Target = Arc<Socket>;

    fn deref(&self) -> &Arc<Socket> {
        self.0.as_ref().expect("INVARIANT: only `claim` empties it, and consumes it")
    }
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        if let Some(socket) = self.0.take() {
            let _ = socket.abort();
        }
    }
}

/// What the provider holds for a socket.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// The events that are enabled.
    pub(crate) events: u32,
    /// Those that cannot be disabled.
    pub(crate) fixed_events: u32,
    /// For the sockets that this listener accepts.
    pub(crate) inherited_events: u32,
    /// SO_CONDITIONAL_ACCEPT.
    pub(crate) conditional: bool,
    pub(crate) accepts: VecDeque<Accept>,
    /// Connections that are being waited for.
    pub(crate) awaited: usize,
    /// None could be, and it is tried again in a while.
    pub(crate) retries: bool,
    /// Connections that nobody has taken.
    pub(crate) backlog: VecDeque<Unclaimed>,
    /// Connections that wait for WskInspectComplete.
    pub(crate) inspected: FxHashMap<u32, Unclaimed>,
    pub(crate) inspections: u32,
    /// Data that was indicated and not accepted.
    pub(crate) held: VecDeque<u8>,
    /// No receive event before the client has received.
    pub(crate) blocked: bool,
    /// What WskSendBacklogEvent has told.
    pub(crate) backlog_told: usize,
    /// Somebody looks for data.
    pub(crate) looking: bool,
    /// The peer's disconnect has been told.
    pub(crate) end_told: bool,
    /// What the client retains, by the address of its list.
    pub(crate) retained: FxHashMap<usize, Box<Indication>>,
}

/// A WskAccept that waits.
#[derive(Debug)]
pub(crate) struct Accept {
    pub(crate) request: Arc<Request>,
    pub(crate) slot: Arc<Lock<Option<Unclaimed>>>,
}

static SOCKETS: LazyLock<Lock<FxHashMap<usize, Arc<WskSocket>>>> = LazyLock::new(Lock::default);
/// Closed sockets whose memory stays readable for a while, so that a late call can be told.
static GRAVES: Lock<VecDeque<Arc<WskSocket>>> = Lock::new(VecDeque::new());
const GRAVES_MAX: usize = 1024;

impl WskSocket {
    /// Makes a socket around one of linsock.
    pub(crate) fn make(
        call: &'static str,
        client: &Arc<Client>,
        category: Category,
        socket: Unclaimed,
        context: *mut c_void,
        callbacks: Callbacks,
    ) -> Arc<Self> {
        let socket = socket.claim().expect("INVARIANT: nobody claims a socket twice");
        client.socket_made();
        let fixed = client.static_events();
        let made = Arc::new(Self {
            dispatch: category.table(),
            category,
            socket,
            client: Arc::clone(client),
            context: AtomicPtr::new(context),
            callbacks: Lock::new(callbacks),
            state: Lock::new(State { events: fixed, fixed_events: fixed, ..State::default() }),
            closing: AtomicBool::new(false),
            silent: AtomicBool::new(false),
            made_by: call,
        });
        SOCKETS.lock().insert(made.addr(), Arc::clone(&made));
        made
    }

    /// The socket behind a client's pointer; a pointer that is none is reported.
    pub(crate) fn find(call: &str, socket: *const c_void) -> Option<Arc<Self>> {
        let found = SOCKETS.lock().get(&socket.addr()).cloned();
        if found.is_none() {
            report_unknown(call, socket);
        }
        found
    }

    /// What the client has.
    pub(crate) fn addr(self: &Arc<Self>) -> usize {
        Arc::as_ptr(self).addr()
    }

    pub(crate) fn pointer(self: &Arc<Self>) -> *mut c_void {
        Arc::as_ptr(self).cast_mut().cast()
    }

    pub(crate) fn context(&self) -> *mut c_void {
        self.context.load(Ordering::Acquire)
    }

    pub(crate) fn set_client(&self, context: *mut c_void, connection: *const StreamEvents) {
        self.context.store(context, Ordering::Release);
        self.callbacks.lock().connection = connection;
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.silent.load(Ordering::Acquire)
    }

    /// The client may not use it any more.
    pub(crate) fn bury(self: &Arc<Self>) {
        self.closing.store(true, Ordering::Release);
        if let Some(buried) = SOCKETS.lock().remove(&self.addr())
            && misuse::is_on()
        {
            let mut graves = GRAVES.lock();
            graves.push_back(buried);
            if graves.len() > GRAVES_MAX {
                graves.pop_front();
            }
        }
    }

    /// IoCancelIrp: what the request with this key waits for here, an accept or an operation of the
    /// same key, is cancelled.
    pub(crate) fn take_back(&self, key: usize) {
        let accept = {
            let accepts = &mut self.state.lock().accepts;
            let at = accepts.iter().position(|accept| accept.request.key() == key);
            at.and_then(|at| accepts.remove(at))
        };
        match accept {
            Some(accept) => accept.request.end_with(NtStatus::CANCELLED),
            None => {
                self.socket.cancel_operations(&|operation| operation.key() == key);
            }
        }
    }

    /// Ends the connection, if any: gracefully only when both directions are disconnected already
    /// (wsk 3.6).
    pub(crate) fn close_connection(&self) {
        let _ = if self.socket.link().is_some_and(|link| link.is_over()) {
            self.socket.close_handle()
        } else {
            self.socket.abort()
        };
    }
}

fn report_unknown(call: &str, socket: *const c_void) {
    let buried = GRAVES.lock().iter().find(|grave| grave.addr() == socket.addr()).cloned();
    match buried {
        Some(grave) => {
            let maker = grave.made_by;
            misuse::report(call, format_args!("the socket {socket:?} of {maker} has been closed"));
        }
        None => misuse::report(call, format_args!("{socket:?} is not an open socket")),
    }
}

/// The open sockets of a client, by the calls that made them.
pub(crate) fn names(client: &Arc<Client>) -> Vec<&'static str> {
    let sockets = SOCKETS.lock();
    let own = sockets.values().filter(|socket| Arc::ptr_eq(&socket.client, client));
    own.map(|socket| socket.made_by).collect()
}

/// A new socket of linsock for a client. The packets of its operations go to the provider's thread.
pub(crate) fn create(
    category: Category,
    family: u16,
    socket_type: u16,
    protocol: u32,
) -> Result<Unclaimed, NtStatus> {
    const SOCK_STREAM: u16 = 1;
    const SOCK_DGRAM: u16 = 2;
    const TCP: u32 = 6;
    const UDP: u32 = 17;
    let family = Family::from_number(family.into()).ok_or(NtStatus::from_wsa(10047))?;
    let provider = match (category, socket_type, protocol) {
        (Category::Datagram, SOCK_DGRAM, UDP) => Provider::Udp(family),
        // It can be made, and cannot be bound (Wine's test, which ran on Windows; wsk 2.2).
        (Category::Listen, SOCK_DGRAM, UDP) => Provider::Udp(family),
        (Category::Basic, SOCK_DGRAM, UDP) => Provider::Udp(family),
        (Category::Datagram, _, _) => return Err(NtStatus::INVALID_PARAMETER),
        (_, SOCK_STREAM, TCP) => Provider::Tcp(family),
        _ => return Err(NtStatus::NOT_SUPPORTED),
    };
    let socket = Socket::create(provider, true)?;
    if socket.is_datagram() {
        // Our choice: WskReceiveFrom's page knows no receive that fails for an earlier send.
        socket.tell_unreachable(false)?;
    }
    // It is new, so it has no port yet.
    let _ = socket.associate(worker::port(), 0);
    Ok(Unclaimed::new(socket))
}

/// Reads the client's sockaddr.
pub(crate) fn read_address(at: *const u8) -> Result<Address, NtStatus> {
    if at.is_null() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    // SAFETY: a sockaddr begins with its family.
    let number = unsafe { at.cast::<u16>().read_unaligned() };
    let family = Family::from_number(number.into()).ok_or(NtStatus::INVALID_PARAMETER)?;
    // SAFETY: a sockaddr of that family has so many octets.
    let octets = unsafe { std::slice::from_raw_parts(at, family.address_len()) };
    address::parse(family, octets).map(Address::Ip).map_err(|_| NtStatus::INVALID_PARAMETER)
}

/// Writes a sockaddr where the client wants it, if it does.
pub(crate) fn write_address(to: *mut u8, address: Result<Address, NtStatus>) {
    let Some(ip) = address.ok().and_then(|address| address.ip()) else { return };
    if !to.is_null() {
        let (octets, count) = address::emit(&ip);
        // SAFETY: the client's room for a sockaddr of the socket's family.
        unsafe { ptr::copy_nonoverlapping(octets.as_ptr(), to, count) };
    }
}

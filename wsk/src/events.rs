//! The callbacks of a client: connections, data, and the peer's disconnect, told by the provider's
//! thread, one after the other.

use std::ffi::c_void;
use std::sync::Arc;
use std::{mem, ptr};

use linsock::NtStatus;
use linsock::afd::endpoint::state::Phase;
use linsock::iocp::buffer::Buffers;
use linsock::iocp::guardian;
use linsock::iocp::irp::Done;
use linsock::socket::{ACCEPT_RETRY, AcceptLayout, RecvOptions, Socket};

use crate::control::ideal_backlog;
use crate::ddk::memory::{Mdl, WskBuf};
use crate::socket::{Accept, Callbacks, Category, Unclaimed, WskSocket, create, write_address};
use crate::status::{self, Status};
use crate::worker;

pub(crate) const RECEIVE: u32 = 0x40;
pub(crate) const DISCONNECT: u32 = 0x80;
pub(crate) const ACCEPT: u32 = 0x200;
pub(crate) const SEND_BACKLOG: u32 = 0x10;
const RECEIVE_FROM: u32 = 0x100;
/// Every event that can be enabled.
pub(crate) const ALL: u32 = SEND_BACKLOG | RECEIVE | DISCONNECT | RECEIVE_FROM | ACCEPT;
pub(crate) const OF_CONNECTIONS: u32 = SEND_BACKLOG | RECEIVE | DISCONNECT;
const ABORTIVE: u32 = 1;
/// How many connections are waited for at once: as many as one report of a listener brings.
const AHEAD: usize = 8;
/// Octets of one indication.
const READ: usize = 1 << 16;

type AcceptEvent = unsafe extern "C" fn(
    context: *mut c_void,
    flags: u32,
    local: *mut u8,
    remote: *mut u8,
    socket: *mut c_void,
    accept_context: *mut *mut c_void,
    accept_dispatch: *mut *const StreamEvents,
) -> Status;
type InspectEvent = unsafe extern "C" fn(
    context: *mut c_void,
    local: *mut u8,
    remote: *mut u8,
    id: *mut InspectId,
) -> u32;
type ReceiveEvent = unsafe extern "C" fn(
    context: *mut c_void,
    flags: u32,
    indication: *mut DataIndication,
    bytes: usize,
    accepted: *mut usize,
) -> Status;
type DisconnectEvent = unsafe extern "C" fn(context: *mut c_void, flags: u32) -> Status;

/// WSK_CLIENT_LISTEN_DISPATCH.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct ListenEvents {
    accept: Option<AcceptEvent>,
    inspect: Option<InspectEvent>,
    abort: Option<unsafe extern "C" fn(context: *mut c_void, id: *mut InspectId) -> Status>,
}

/// WSK_CLIENT_CONNECTION_DISPATCH.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct StreamEvents {
    receive: Option<ReceiveEvent>,
    disconnect: Option<DisconnectEvent>,
    send_backlog: Option<unsafe extern "C" fn(context: *mut c_void, ideal: usize) -> Status>,
}

/// WSK_INSPECT_ID.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct InspectId {
    key: usize,
    pub(crate) serial: u32,
}

/// WSK_DATA_INDICATION.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct DataIndication {
    next: *mut Self,
    buffer: WskBuf,
}

/// Data that is indicated, with the structures that the client reads.
#[derive(Debug)]
pub(crate) struct Indication {
    list: DataIndication,
    mdl: Mdl,
    octets: Vec<u8>,
}

// SAFETY: its pointers lead into itself.
unsafe impl Send for Indication {}

impl Indication {
    fn new(octets: Vec<u8>) -> Box<Self> {
        let buffer = WskBuf { mdl: ptr::null_mut(), offset: 0, length: octets.len() };
        let list = DataIndication { next: ptr::null_mut(), buffer };
        let mut indication =
            Box::new(Self { list, mdl: Mdl::describing(ptr::null_mut(), 0), octets });
        let (base, len) = (indication.octets.as_mut_ptr(), indication.octets.len());
        indication.mdl = Mdl::describing(base, len);
        indication.list.buffer.mdl = &raw mut indication.mdl;
        indication
    }
}

/// What is to be done for those who want connections.
enum Step {
    /// A WskAccept gets a connection.
    Give(Accept, Unclaimed),
    /// The client is told of it.
    Tell(Unclaimed),
    /// One more is waited for; it is counted already.
    Await,
    /// Nothing.
    Nothing,
}

impl WskSocket {
    // ---- connections ----

    /// Hands out the connections that are there, and waits for as many more as are wanted.
    pub(crate) fn pump_accepts(self: &Arc<Self>) {
        self.pump(|own, connection| {
            let own = Arc::clone(own);
            worker::post(move || own.tell_connection(connection));
        });
    }

    fn pump(self: &Arc<Self>, tell: impl Fn(&Arc<Self>, Unclaimed)) {
        loop {
            match self.next_step() {
                Step::Give(Accept { request, slot }, connection) => {
                    *slot.lock() = Some(connection);
                    request.end_with(NtStatus::SUCCESS);
                }
                Step::Tell(connection) => tell(self, connection),
                Step::Await if self.await_connection() => {}
                Step::Await | Step::Nothing => return,
            }
        }
    }

    /// What to do next for those who want connections. As many are waited for as are asked for, and
    /// for a client that is told of connections as many as one report brings.
    fn next_step(&self) -> Step {
        let mut state = self.state.lock();
        let told = state.events & ACCEPT != 0;
        let asked = if told { AHEAD } else { state.accepts.len().min(AHEAD) };
        if asked == 0 || self.is_closing() {
            return Step::Nothing;
        }
        if let Some(connection) = state.backlog.pop_front() {
            return match state.accepts.pop_front() {
                Some(accept) => Step::Give(accept, connection),
                None => Step::Tell(connection),
            };
        }
        if state.awaited < asked {
            state.awaited += 1;
            return Step::Await;
        }
        Step::Nothing
    }

    /// False if no connection can be waited for now.
    fn await_connection(self: &Arc<Self>) -> bool {
        let family = self.socket.domain().number();
        let (own, made) = (Arc::clone(self), create(Category::Connection, family, 1, 6));
        let started = made.and_then(|accepted| {
            let layout = AcceptLayout::without_addresses(self.socket.domain(), 0);
            let acceptor = Arc::clone(&accepted);
            let operation =
                worker::operation(Buffers::empty(), move |done| own.take_in(done.status, accepted));
            self.socket.accept_ex(&acceptor, operation, layout, None)
        });
        started.inspect_err(|status| self.fail_accepts(*status)).is_ok()
    }

    /// No connection can be had now. Who asked for one that is not waited for is told; a client
    /// that is told of connections by an event asks for none, so it is tried again in a while.
    fn fail_accepts(self: &Arc<Self>, status: NtStatus) {
        let mut state = self.state.lock();
        state.awaited -= 1;
        let kept = state.awaited.min(state.accepts.len());
        let failed = state.accepts.split_off(kept);
        let told = state.events & ACCEPT != 0 && !self.is_closing();
        let tries_again = told && state.awaited == 0 && !mem::replace(&mut state.retries, true);
        drop(state);
        failed.into_iter().for_each(|accept| accept.request.end_with(status));
        if tries_again {
            let own = Arc::downgrade(self);
            guardian::call_after(ACCEPT_RETRY, move || {
                if let Some(own) = own.upgrade() {
                    own.state.lock().retries = false;
                    own.pump_accepts();
                }
            });
        }
    }

    fn take_in(self: &Arc<Self>, status: NtStatus, connection: Unclaimed) {
        if !status.is_success() {
            return self.fail_accepts(status);
        }
        let conditional = {
            let mut state = self.state.lock();
            state.awaited -= 1;
            state.conditional && !self.is_closing()
        };
        let admitted = if conditional { self.inspect(connection) } else { Some(connection) };
        if let Some(admitted) = admitted {
            self.keep(admitted);
        }
        // This is the provider's thread.
        self.pump(Self::tell_connection);
    }

    /// Keeps a connection for who takes it. One that comes behind the close goes.
    pub(crate) fn keep(&self, connection: Unclaimed) {
        let mut state = self.state.lock();
        if self.is_closing() {
            drop(state);
            return;
        }
        state.backlog.push_back(connection);
    }

    /// Asks the client about a connection. Gives it back if it is accepted; one that is not decided
    /// about is kept elsewhere.
    fn inspect(self: &Arc<Self>, connection: Unclaimed) -> Option<Unclaimed> {
        const REJECT: u32 = 0;
        const ACCEPT: u32 = 1;
        let listen = self.callbacks.lock().listen;
        // SAFETY: the client's table, which outlives the socket.
        let Some(inspect) = (unsafe { listen.as_ref() }).and_then(|events| events.inspect) else {
            return Some(connection);
        };
        let (mut local, mut remote) = (Sockaddr::default(), Sockaddr::default());
        write_address(local.0.as_mut_ptr(), self.socket.address_of_accepted(&connection));
        write_address(remote.0.as_mut_ptr(), connection.peer_address());
        let watched = Arc::clone(&connection);
        let serial = {
            let mut state = self.state.lock();
            if self.is_closing() {
                drop(state);
                return None;
            }
            state.inspections += 1;
            let serial = state.inspections;
            // Known before it is asked about: the answer may come at once.
            state.inspected.insert(serial, connection);
            serial
        };
        let mut id = InspectId { key: self.addr(), serial };
        let (local, remote) = (local.0.as_mut_ptr(), remote.0.as_mut_ptr());
        // SAFETY: the client's function, with what its page says it is called with.
        match unsafe { inspect(self.context(), local, remote, &raw mut id) } {
            ACCEPT => self.state.lock().inspected.remove(&serial),
            REJECT => {
                let rejected = self.state.lock().inspected.remove(&serial);
                drop(rejected);
                None
            }
            _ => {
                self.watch_inspected(serial, &watched);
                None
            }
        }
    }

    /// Tells the client if a connection ends that it has not decided about.
    fn watch_inspected(self: &Arc<Self>, serial: u32, connection: &Arc<Socket>) {
        let (own, watched) = (Arc::clone(self), Arc::clone(connection));
        let looking = worker::operation(Buffers::empty(), move |done| {
            if done.status.is_success() && !has_ended(&watched) {
                return;
            }
            let undecided = own.state.lock().inspected.remove(&serial);
            if undecided.is_some() {
                own.tell_abort(serial);
            }
        });
        let _ = connection.recv(looking, RecvOptions::default());
    }

    fn tell_abort(self: &Arc<Self>, serial: u32) {
        let listen = self.callbacks.lock().listen;
        // SAFETY: the client's table, which outlives the socket.
        let abort = unsafe { listen.as_ref() }.and_then(|events| events.abort);
        if let Some(abort) = abort.filter(|_| !self.is_closing()) {
            let mut id = InspectId { key: self.addr(), serial };
            // SAFETY: the client's function, with what its page says it is called with.
            unsafe { abort(self.context(), &raw mut id) };
        }
    }

    fn tell_connection(self: &Arc<Self>, connection: Unclaimed) {
        let listen = self.callbacks.lock().listen;
        // SAFETY: the client's table, which outlives the socket.
        let accept = unsafe { listen.as_ref() }.and_then(|events| events.accept);
        let Some(accept) = accept.filter(|_| !self.is_closing()) else { return };
        let (mut local, mut remote) = (Sockaddr::default(), Sockaddr::default());
        write_address(local.0.as_mut_ptr(), self.socket.address_of_accepted(&connection));
        write_address(remote.0.as_mut_ptr(), connection.peer_address());
        let made = Self::make(
            "WskAcceptEvent",
            &self.client,
            Category::Connection,
            connection,
            ptr::null_mut(),
            Callbacks::NONE,
        );
        let (mut context, mut events) = (ptr::null_mut(), ptr::null());
        let (local, remote) = (local.0.as_mut_ptr(), remote.0.as_mut_ptr());
        let (to_context, to_events) = (&raw mut context, &raw mut events);
        let (own, socket) = (self.context(), made.pointer());
        // SAFETY: the client's function, with what its page says it is called with.
        let status = unsafe { accept(own, 0, local, remote, socket, to_context, to_events) };
        if !status::is_success(status) {
            // The provider drops it: the client must not close it (the event's page).
            made.bury();
            let _ = made.socket.abort();
            made.client.socket_gone();
            return;
        }
        made.set_client(context, events);
        {
            let inherited = self.state.lock().inherited_events;
            let mut state = made.state.lock();
            state.events |= inherited;
            state.fixed_events |= inherited;
        }
        made.look();
    }

    // ---- data, and the peer's end ----

    /// Looks for data or the peer's end, if the client wants to be told.
    pub(crate) fn look(self: &Arc<Self>) {
        let mut state = self.state.lock();
        let wanted = state.events & (RECEIVE | DISCONNECT) != 0;
        if !wanted || state.looking || state.blocked || state.end_told || self.is_closing() {
            return;
        }
        if !matches!(self.socket.phase(), Phase::Connected) {
            return;
        }
        state.looking = true;
        drop(state);
        let own = Arc::clone(self);
        // A receive without room completes when there is data or an end, and takes nothing.
        let looking = worker::operation(Buffers::empty(), move |done| own.looked(done.status));
        if let Err(status) = self.socket.recv(looking, RecvOptions::default()) {
            let own = Arc::clone(self);
            worker::post(move || own.looked(status));
        }
    }

    fn looked(self: &Arc<Self>, status: NtStatus) {
        let events = {
            let mut state = self.state.lock();
            state.looking = false;
            state.events
        };
        if self.is_closing() || status == NtStatus::CANCELLED {
            return;
        }
        if !status.is_success() {
            return self.tell_end_if_lost();
        }
        if has_ended(&self.socket) {
            return self.tell_end(0);
        }
        let receive = self.stream_events().and_then(|table| table.receive);
        match receive.filter(|_| events & RECEIVE != 0) {
            Some(receive) => self.indicate_next(receive),
            // Data that nobody is told of: the next look comes behind the client's receive.
            None => self.state.lock().blocked = true,
        }
    }

    fn stream_events(&self) -> Option<&'static StreamEvents> {
        let connection = self.callbacks.lock().connection;
        // SAFETY: the client's table, which is constant and outlives the socket.
        unsafe { connection.as_ref() }
    }

    fn indicate_next(self: &Arc<Self>, receive: ReceiveEvent) {
        let mut octets = vec![0; READ];
        match self.socket.recv_now(&mut octets) {
            Ok(Some(0)) => self.tell_end(0),
            Ok(Some(count)) => {
                octets.truncate(count);
                self.indicate(receive, octets);
                self.look();
            }
            // The client's own receive came first.
            Ok(None) => self.look(),
            Err(_) => self.tell_end_if_lost(),
        }
    }

    fn indicate(self: &Arc<Self>, receive: ReceiveEvent, octets: Vec<u8>) {
        let count = octets.len();
        let mut indication = Indication::new(octets);
        let list = &raw mut indication.list;
        self.state.lock().retained.insert(list.addr(), indication);
        let mut accepted = count;
        let to_accepted = &raw mut accepted;
        // SAFETY: the client's function, with what its page says it is called with.
        let status = unsafe { receive(self.context(), 0, list, count, to_accepted) };
        if status == status::PENDING {
            return;
        }
        let mut state = self.state.lock();
        let Some(indication) = state.retained.remove(&list.addr()) else { return };
        let taken = if status == status::SUCCESS { accepted.min(count) } else { 0 };
        if taken < count {
            state.held.extend(&indication.octets[taken..]);
            state.blocked = true;
        }
    }

    /// WskRelease. False if the list is not one that the client retains.
    pub(crate) fn release(&self, list: *const c_void) -> bool {
        self.state.lock().retained.remove(&list.addr()).is_some()
    }

    /// A receive of the client's is over: it may have found the end, or made way for events.
    pub(crate) fn received(self: &Arc<Self>, done: &Done, room: usize) {
        if done.status == NtStatus::CANCELLED || self.is_closing() {
            return;
        }
        let own = Arc::clone(self);
        let (ended, lost) = (done.bytes < room, !done.status.is_success());
        {
            let mut state = self.state.lock();
            if state.events & (RECEIVE | DISCONNECT) == 0 && state.held.is_empty() {
                // Nobody wants to be told.
                state.blocked = false;
                return;
            }
        }
        // Behind the completion.
        worker::post(move || {
            if lost {
                return own.tell_end_if_lost();
            }
            let empty = own.state.lock().held.is_empty();
            if empty && ended && has_ended(&own.socket) {
                return own.tell_end(0);
            }
            if empty {
                own.state.lock().blocked = false;
                own.look();
            }
        });
    }

    /// The connection failed: by the peer or from outside, unless it was us.
    pub(crate) fn tell_end_if_lost(self: &Arc<Self>) {
        use linsock::afd::{AbortCause, CloseReason};
        let local = match self.socket.close_reason() {
            Some(CloseReason::LocalAbort(cause)) => cause != AbortCause::FromOutside,
            reason => reason == Some(CloseReason::Cancelled),
        };
        if self.socket.phase() == Phase::Closed && !local {
            // No further data will be received.
            self.state.lock().held.clear();
            self.tell_end(ABORTIVE);
        }
    }

    /// WskDisconnectEvent, once.
    fn tell_end(self: &Arc<Self>, flags: u32) {
        let told = {
            let mut state = self.state.lock();
            let wanted = state.events & DISCONNECT != 0 && !state.end_told && !self.is_closing();
            state.end_told |= wanted;
            wanted
        };
        let disconnect = self.stream_events().and_then(|table| table.disconnect);
        if let (true, Some(disconnect)) = (told, disconnect) {
            // SAFETY: the client's function, with what its page says it is called with.
            unsafe { disconnect(self.context(), flags) };
        }
    }
}

impl WskSocket {
    /// WskSendBacklogEvent: as much as the kernel takes without waiting is another amount than was
    /// told, or nothing was told yet.
    pub(crate) fn look_at_backlog(self: &Arc<Self>) {
        let told = {
            let state = self.state.lock();
            if state.events & SEND_BACKLOG == 0 {
                return;
            }
            state.backlog_told
        };
        let Some(ideal) = ideal_backlog(self).filter(|ideal| *ideal != told) else { return };
        let own = Arc::clone(self);
        worker::post(move || {
            let event = own.stream_events().and_then(|table| table.send_backlog);
            let Some(event) = event.filter(|_| !own.is_closing()) else { return };
            own.state.lock().backlog_told = ideal;
            // SAFETY: the client's function, with what its page says it is called with.
            unsafe { event(own.context(), ideal) };
        });
    }
}

/// Whether the peer has disconnected, and everything it sent was received.
fn has_ended(socket: &Socket) -> bool {
    socket.link().is_some_and(|link| link.recv.peer_ended())
}

/// Room for a sockaddr of any family.
#[repr(C, align(8))]
#[derive(Default)]
struct Sockaddr([u8; 28]);

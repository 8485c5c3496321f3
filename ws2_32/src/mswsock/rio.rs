//! Registered I/O: the functions of RIO_EXTENSION_FUNCTION_TABLE.
//!
//! The queue of requests of a socket has the socket's own number, so that closesocket ends it, as
//! on Windows, and no later socket is taken for it. Completion queues and buffers have numbers of
//! their own, which are not used twice.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use linsock::afd::address;
use linsock::catalog::Provider;
use linsock::iocp::buffer::{Buffers, CheckedMemory, RawBuffer, ReceivedDatagram};
use linsock::iocp::handle::{self, Handle};
use linsock::iocp::sync::Lock;
use linsock::rio::{
    Ask, Completion, CompletionQueue, Half, NoNotification, Notification, RequestQueue,
};
use linsock::socket::{Recipient, RecvOptions, Route, SenderArea, Socket};

use crate::abi::{
    BOOL, FALSE, GUID, RIO_BUF, RIO_NOTIFICATION_COMPLETION, RIORESULT, SOCKET, TRUE,
};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;
use crate::winsock2::transfer::dword;
use crate::winsock2::{overlapped, read_ip};

const RIO_INVALID_BUFFERID: usize = 0xFFFF_FFFF;
const RIO_CORRUPT_CQ: u32 = u32::MAX;

const WSAEINVAL: i32 = 10022;

const RIO_EVENT_COMPLETION: i32 = 1;
const RIO_IOCP_COMPLETION: i32 = 2;

const RIO_MSG_DONT_NOTIFY: u32 = 1;
/// The request may wait for a later one. It is performed at once: there is nothing to be gained.
const RIO_MSG_DEFER: u32 = 2;
const RIO_MSG_WAITALL: u32 = 4;
const RIO_MSG_COMMIT_ONLY: u32 = 8;

/// SOCKADDR_INET.
const ADDRESS: usize = 28;

// SAFETY: numbers, valid whatever their octets.
unsafe impl ptr::Plain for RIO_BUF {}
// SAFETY: as above.
unsafe impl ptr::Plain for RIO_NOTIFICATION_COMPLETION {}

/// Memory that the program has registered.
#[derive(Clone, Copy, Debug)]
struct Region {
    base: usize,
    len: usize,
}

static REGIONS: Lock<BTreeMap<usize, Region>> = Lock::new(BTreeMap::new());
static QUEUES: Lock<BTreeMap<usize, Arc<CompletionQueue>>> = Lock::new(BTreeMap::new());

/// A number that no other queue or buffer has, in the form of a pointer.
fn number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0x1000);
    NEXT.fetch_add(16, Ordering::Relaxed)
}

/// The queue of a number.
///
/// # Errors
/// WSAEINVAL.
fn queue(cq: usize) -> Outcome<Arc<CompletionQueue>> {
    QUEUES.lock().get(&cq).cloned().ok_or(Error::WSAEINVAL)
}

/// The socket of a queue of requests.
///
/// # Errors
/// WSAEINVAL.
fn socket_of(rq: usize) -> Outcome<Arc<Socket>> {
    let socket = Socket::from_value(rq).map_err(|_| Error::WSAEINVAL)?;
    socket.request_queue()?;
    Ok(socket)
}

/// A part of registered memory.
///
/// # Errors
/// WSAEFAULT where the memory is not registered (any more), WSAEINVAL for what lies outside of it.
fn part(of: RIO_BUF) -> Outcome<RawBuffer> {
    let region = REGIONS.lock().get(&of.BufferId).copied().ok_or(Error::WSAEFAULT)?;
    let (offset, len) = (of.Offset as usize, of.Length as usize);
    if offset + len > region.len {
        return Err(Error::WSAEINVAL);
    }
    let base = std::ptr::with_exposed_provenance_mut(region.base + offset);
    Ok(RawBuffer { base, len })
}

/// A part of registered memory for an address.
///
/// # Errors
/// As [`part`]; WSAEFAULT where it is too small, or is not there any more.
fn address_part(at: *const RIO_BUF) -> Outcome<Option<RawBuffer>> {
    if at.is_null() {
        return Ok(None);
    }
    let part = part(ptr::read(at)?)?;
    if part.len < ADDRESS {
        return Err(Error::WSAEFAULT);
    }
    ptr::check_writable(part.base, ADDRESS)?;
    Ok(Some(part))
}

/// The arguments that every request has.
struct Given {
    data: *const RIO_BUF,
    count: u32,
    flags: u32,
    context: usize,
}

impl Given {
    const fn new(data: *const RIO_BUF, count: u32, flags: u32, context: usize) -> Self {
        Self { data, count, flags, context }
    }

    /// The memory, and what is to be told; `None` for RIO_MSG_COMMIT_ONLY, which asks for nothing:
    /// no request is waiting for it.
    ///
    /// # Errors
    /// WSAEINVAL, WSAEFAULT.
    fn request(&self, flags: u32, address: *const RIO_BUF) -> Outcome<Option<(Buffers, Ask)>> {
        if self.flags & RIO_MSG_COMMIT_ONLY != 0 {
            let is_alone = self.flags == RIO_MSG_COMMIT_ONLY && address.is_null();
            let is_empty = self.data.is_null() && self.count == 0 && self.context == 0;
            return if is_alone && is_empty { Ok(None) } else { Err(Error::WSAEINVAL) };
        }
        if self.flags & !(RIO_MSG_DONT_NOTIFY | RIO_MSG_DEFER | flags) != 0 {
            return Err(Error::WSAEINVAL);
        }
        let memory = match (self.data.is_null(), self.count) {
            // A datagram may have none.
            (true, 0) => Buffers::empty(),
            (false, 1) => {
                let part = part(ptr::read(self.data)?)?;
                // SAFETY: the memory is the C program's, lent for the request by its registration;
                // if it is invalid by now the transfer fails.
                unsafe { Buffers::from_raw(&[part]) }
            }
            _ => return Err(Error::WSAEINVAL),
        };
        let notifies = self.flags & RIO_MSG_DONT_NOTIFY == 0;
        Ok(Some((memory, Ask { context: self.context, notifies })))
    }
}

/// Where the sender's address goes: a SOCKADDR_INET in registered memory.
#[derive(Debug)]
struct Sender(CheckedMemory);

impl Recipient for Sender {
    fn receive(&self, datagram: &ReceivedDatagram) -> bool {
        if let Some(from) = &datagram.from {
            let (octets, len) = address::emit(from);
            self.0.write(0, &octets[..len]);
        }
        true
    }
}

fn receive(rq: usize, given: &Given, sender: *const RIO_BUF) -> Outcome<BOOL> {
    let socket = socket_of(rq)?;
    let Some((memory, ask)) = given.request(RIO_MSG_WAITALL, sender)? else { return Ok(TRUE) };
    let wait_all = given.flags & RIO_MSG_WAITALL != 0;
    if wait_all && socket.is_datagram() {
        return Err(Error::WSAEINVAL);
    }
    let from = address_part(sender)?.filter(|_| socket.is_datagram()).map(|part| {
        // SAFETY: checked to be writable; that it stays so until the request is over is what its
        // registration says.
        let area = unsafe { CheckedMemory::new(part.base, ADDRESS) };
        SenderArea::Recipient(Box::new(Sender(area)))
    });
    let options = RecvOptions { wait_all, ..RecvOptions::default() };
    socket.request_receive(memory, options, from, ask)?;
    Ok(TRUE)
}

fn send(rq: usize, given: &Given, to: *const RIO_BUF) -> Outcome<BOOL> {
    let socket = socket_of(rq)?;
    let Some((memory, ask)) = given.request(0, to)? else { return Ok(TRUE) };
    let to = match (address_part(to)?, socket.provider()) {
        (Some(part), Provider::Udp(family)) => {
            let len = i32::try_from(family.address_len()).unwrap_or(0);
            Route::to(Some(read_ip(family, part.base, len)?))
        }
        _ => Route::default(),
    };
    socket.request_send(memory, to, ask)?;
    Ok(TRUE)
}

/// How the program wants to be told.
///
/// # Errors
/// WSAEFAULT, WSAEINVAL.
fn notification(at: *const RIO_NOTIFICATION_COMPLETION) -> Outcome<Option<Notification>> {
    if at.is_null() {
        return Ok(None);
    }
    let wanted = ptr::read(at)?;
    Ok(Some(match wanted.Type {
        RIO_EVENT_COMPLETION => {
            let event = overlapped::find_event(wanted.Handle).ok().flatten();
            let event = event.ok_or(Error::WSAEINVAL)?;
            // A BOOL, in the place of a pointer.
            Notification::Event { event, resets: wanted.Second & 0xFFFF_FFFF != 0 }
        }
        RIO_IOCP_COMPLETION => {
            let handle = Handle::from_value(wanted.Handle).ok_or(Error::WSAEINVAL)?;
            let port = handle::table().port_of(handle).ok_or(Error::WSAEINVAL)?;
            Notification::Packet { port, key: wanted.Second, overlapped: wanted.Third }
        }
        _ => return Err(Error::WSAEINVAL),
    }))
}

fn result(completion: Completion) -> RIORESULT {
    let status = completion.status;
    RIORESULT {
        Status: if status.is_success() { 0 } else { status.wsa().cast_signed() },
        BytesTransferred: dword(completion.bytes),
        SocketContext: completion.socket_context as u64,
        RequestContext: completion.request_context as u64,
    }
}

export! {
    /// Requests a receive into registered memory. What becomes of it is told by the completion
    /// queue; that the connection is over, too.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_rioreceive>
    ///
    /// Errors: WSAEINVAL (no such queue, or its completion queue is closed; flags; outside of the
    /// registered memory), WSAEFAULT (the buffer is not registered), WSAENOBUFS (as many are under
    /// way as may be).
    ///
    /// # Differs from Windows
    /// RIO_MSG_DEFER has no effect: a request is performed at once.
    winsock fn RIOReceive as "linsock_RIOReceive"(SocketQueue: usize, pData: *const RIO_BUF, DataBufferCount: u32, Flags: u32, RequestContext: usize) -> BOOL, fail FALSE; {
        let given = Given::new(pData, DataBufferCount, Flags, RequestContext);
        receive(SocketQueue, &given, std::ptr::null())
    }

    /// As RIOReceive; of a datagram it tells who sent it, in a SOCKADDR_INET of registered memory.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_rioreceiveex>
    ///
    /// Errors: as RIOReceive; WSAEFAULT (too little room for the address).
    ///
    /// # Differs from Windows
    /// As RIOSendEx.
    winsock fn RIOReceiveEx as "linsock_RIOReceiveEx"(
        SocketQueue: usize,
        pData: *const RIO_BUF,
        DataBufferCount: u32,
        pLocalAddress: *const RIO_BUF,
        pRemoteAddress: *const RIO_BUF,
        pControlContext: *const RIO_BUF,
        pFlags: *const RIO_BUF,
        Flags: u32,
        RequestContext: usize,
    ) -> BOOL, fail FALSE; {
        let given = Given::new(pData, DataBufferCount, Flags, RequestContext);
        refuse_beside([pLocalAddress, pControlContext, pFlags])?;
        receive(SocketQueue, &given, pRemoteAddress)
    }

    /// Requests a send of registered memory, which is over when the transport has taken all of it.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_riosend>
    ///
    /// Errors: as RIOReceive.
    ///
    /// # Differs from Windows
    /// As RIOReceive.
    winsock fn RIOSend as "linsock_RIOSend"(SocketQueue: usize, pData: *const RIO_BUF, DataBufferCount: u32, Flags: u32, RequestContext: usize) -> BOOL, fail FALSE; {
        let given = Given::new(pData, DataBufferCount, Flags, RequestContext);
        send(SocketQueue, &given, std::ptr::null())
    }

    /// As RIOSend; a datagram goes to a SOCKADDR_INET of registered memory.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_riosendex>
    ///
    /// Errors: as RIOReceive; WSAEAFNOSUPPORT, WSAEFAULT (the address).
    ///
    /// # Differs from Windows
    /// A local address, control messages and flags are WSAEOPNOTSUPP.
    winsock fn RIOSendEx as "linsock_RIOSendEx"(
        SocketQueue: usize,
        pData: *const RIO_BUF,
        DataBufferCount: u32,
        pLocalAddress: *const RIO_BUF,
        pRemoteAddress: *const RIO_BUF,
        pControlContext: *const RIO_BUF,
        pFlags: *const RIO_BUF,
        Flags: u32,
        RequestContext: usize,
    ) -> BOOL, fail FALSE; {
        let given = Given::new(pData, DataBufferCount, Flags, RequestContext);
        refuse_beside([pLocalAddress, pControlContext, pFlags])?;
        send(SocketQueue, &given, pRemoteAddress)
    }

    /// Closes a completion queue. Requests that end there later tell nobody, and no more are taken.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_rioclosecompletionqueue>
    winsock fn RIOCloseCompletionQueue as "linsock_RIOCloseCompletionQueue"(CQ: usize) -> (), fail (); {
        let closed = QUEUES.lock().remove(&CQ).ok_or(Error::WSAEINVAL)?;
        closed.close();
        Ok(())
    }

    /// Creates a completion queue. 0 (RIO_INVALID_CQ): it failed.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_riocreatecompletionqueue>
    ///
    /// Errors: WSAEFAULT, WSAEINVAL (the size; the kind of notification, its event or port).
    winsock fn RIOCreateCompletionQueue as "linsock_RIOCreateCompletionQueue"(QueueSize: u32, NotificationCompletion: *const RIO_NOTIFICATION_COMPLETION) -> usize, fail 0; {
        let notification = notification(NotificationCompletion)?;
        let queue = CompletionQueue::new(QueueSize as usize, notification)?;
        let cq = number();
        QUEUES.lock().insert(cq, queue);
        Ok(cq)
    }

    /// Gives a socket its queue of requests, which closesocket ends. 0 (RIO_INVALID_RQ): it failed.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_riocreaterequestqueue>
    ///
    /// Errors: WSAENOTSOCK, WSAEINVAL (no such completion queue; the socket has a queue of
    /// requests; a request of other than one buffer), WSAEOPNOTSUPP (the socket was not made with
    /// WSA_FLAG_REGISTERED_IO), WSAENOBUFS (a completion queue has no places for as many).
    winsock fn RIOCreateRequestQueue as "linsock_RIOCreateRequestQueue"(
        Socket: SOCKET,
        MaxOutstandingReceive: u32,
        MaxReceiveDataBuffers: u32,
        MaxOutstandingSend: u32,
        MaxSendDataBuffers: u32,
        ReceiveCQ: usize,
        SendCQ: usize,
        SocketContext: usize,
    ) -> usize, fail 0; {
        let socket = Socket::from_value(Socket)?;
        let is_one = |buffers: u32, requests: u32| buffers == 1 || buffers == 0 && requests == 0;
        let are_one = is_one(MaxReceiveDataBuffers, MaxOutstandingReceive)
            && is_one(MaxSendDataBuffers, MaxOutstandingSend);
        if !are_one {
            return Err(Error::WSAEINVAL);
        }
        let receives = Half::new(&queue(ReceiveCQ)?, MaxOutstandingReceive as usize)?;
        let sends = Half::new(&queue(SendCQ)?, MaxOutstandingSend as usize)?;
        socket.set_request_queue(RequestQueue::new(receives, sends, SocketContext))?;
        Ok(socket.handle().value())
    }

    /// Takes completions; RIO_CORRUPT_CQ: the queue or the memory is none.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_riodequeuecompletion>
    ///
    /// The status of a completion is 0 or a Winsock error.
    winsock fn RIODequeueCompletion as "linsock_RIODequeueCompletion"(CQ: usize, Array: *mut RIORESULT, ArraySize: u32) -> u32, fail RIO_CORRUPT_CQ; {
        let queue = queue(CQ)?;
        ptr::check_writable(Array, ArraySize as usize)?;
        let results = queue.dequeue(ArraySize as usize, result);
        ptr::write_all(Array, &results)?;
        Ok(dword(results.len()))
    }

    /// Forgets registered memory. Requests that are under way go on with it.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_rioderegisterbuffer>
    winsock fn RIODeregisterBuffer as "linsock_RIODeregisterBuffer"(BufferId: usize) -> (), fail (); {
        REGIONS.lock().remove(&BufferId).map(drop).ok_or(Error::WSAEINVAL)
    }

    /// Asks to be told, once, when a completion queue has something; at once if it has. Gives the
    /// error itself.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_rionotify>
    ///
    /// Errors: WSAEINVAL (no such queue, or made without notification), WSAEALREADY.
    winsock fn RIONotify as "linsock_RIONotify"(CQ: usize) -> i32, fail WSAEINVAL; {
        Ok(match queue(CQ)?.notify() {
            Ok(()) => 0,
            Err(NoNotification::Never) => WSAEINVAL,
            Err(NoNotification::Already) => Error::WSAEALREADY.0.cast_signed(),
        })
    }

    /// Registers memory for requests. RIO_INVALID_BUFFERID: it failed.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_rioregisterbuffer>
    ///
    /// Errors: WSAEFAULT, WSAEINVAL (no memory).
    winsock fn RIORegisterBuffer as "linsock_RIORegisterBuffer"(DataBuffer: *mut u8, DataLength: u32) -> usize, fail RIO_INVALID_BUFFERID; {
        let len = DataLength as usize;
        if len == 0 {
            return Err(Error::WSAEINVAL);
        }
        ptr::check_writable(DataBuffer, len)?;
        let id = number();
        REGIONS.lock().insert(id, Region { base: DataBuffer.expose_provenance(), len });
        Ok(id)
    }

    /// Changes the size of a completion queue.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_rioresizecompletionqueue>
    ///
    /// Errors: WSAEINVAL, WSAENOBUFS (queues of requests have more places).
    winsock fn RIOResizeCompletionQueue as "linsock_RIOResizeCompletionQueue"(CQ: usize, QueueSize: u32) -> BOOL, fail FALSE; {
        queue(CQ)?.resize(QueueSize as usize)?;
        Ok(TRUE)
    }

    /// Changes how many requests of a socket may be under way.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_rioresizerequestqueue>
    ///
    /// Errors: WSAEINVAL (no such queue; more are under way), WSAENOBUFS.
    winsock fn RIOResizeRequestQueue as "linsock_RIOResizeRequestQueue"(RQ: usize, MaxOutstandingReceive: u32, MaxOutstandingSend: u32) -> BOOL, fail FALSE; {
        let socket = socket_of(RQ)?;
        let requests = socket.request_queue()?;
        requests.resize(MaxOutstandingReceive as usize, MaxOutstandingSend as usize)?;
        Ok(TRUE)
    }
}

/// What nothing is told in, and nothing taken from.
fn refuse_beside(given: [*const RIO_BUF; 3]) -> Outcome<()> {
    if given.iter().all(|at| at.is_null()) { Ok(()) } else { Err(Error::WSAEOPNOTSUPP) }
}

const MULTIPLE_RIO: GUID = GUID {
    data1: 0x8509_e081,
    data2: 0x96dd,
    data3: 0x4005,
    data4: [0xb1, 0x65, 0x9e, 0x2e, 0xe8, 0xc7, 0x9e, 0x3f],
};

/// The words of the table that a GUID stands for: its size, and functions.
pub(crate) fn table(guid: GUID) -> Option<[usize; 14]> {
    let table = [
        size_of::<[usize; 14]>(),
        RIOReceive as *const () as usize,
        RIOReceiveEx as *const () as usize,
        RIOSend as *const () as usize,
        RIOSendEx as *const () as usize,
        RIOCloseCompletionQueue as *const () as usize,
        RIOCreateCompletionQueue as *const () as usize,
        RIOCreateRequestQueue as *const () as usize,
        RIODequeueCompletion as *const () as usize,
        RIODeregisterBuffer as *const () as usize,
        RIONotify as *const () as usize,
        RIORegisterBuffer as *const () as usize,
        RIOResizeCompletionQueue as *const () as usize,
        RIOResizeRequestQueue as *const () as usize,
    ];
    (guid == MULTIPLE_RIO).then_some(table)
}

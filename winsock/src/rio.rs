//! Registered I/O: requests in queues of sockets, and their completions in queues that the program
//! looks at when it wants to.
//!
//! <https://learn.microsoft.com/windows/win32/api/mswsock/ns-mswsock-rio_extension_function_table>
//!
//! A request is an operation of the socket as any other, whose end is told by an entry of a
//! [`CompletionQueue`]. Each entry has its place before the request is made: a queue of requests
//! reserves as many as it may have under way, and a request is under way until its entry has been
//! taken. So a completion queue is never too small.
//!
//! The lock of a completion queue is taken under that of a socket, never the other way.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Wake, Waker};

use linsock_iocp::NtStatus;
use linsock_iocp::buffer::{Buffers, SendFlags};
use linsock_iocp::event::Event;
use linsock_iocp::irp::{Deferred, Irp, Ledger, Target};
use linsock_iocp::port::{CompletionPort, Packet};
use linsock_iocp::reactor;
use linsock_iocp::sync::Lock;

use crate::socket::{RecvOptions, Route, SenderArea, Socket};

/// The most entries of a completion queue (RIO_MAX_CQ_SIZE).
pub const SIZE_MAX: usize = 0x800_0000;

/// How the program is told that a completion queue has something, once for each time it asks.
#[derive(Debug)]
pub enum Notification {
    /// An event is set.
    Event {
        /// The event.
        event: Arc<Event>,
        /// It is reset when the program asks.
        resets: bool,
    },
    /// A packet comes.
    Packet {
        /// Where.
        port: Arc<CompletionPort>,
        /// See [`Packet::key`].
        key: usize,
        /// See [`Packet::overlapped`].
        overlapped: usize,
    },
}

/// Where requests that are over are told. Any thread may use it.
#[derive(Debug)]
pub struct CompletionQueue {
    /// `None`: the program looks on its own.
    notification: Option<Notification>,
    state: Lock<State>,
    /// Set under the lock.
    is_closed: AtomicBool,
}

#[derive(Debug)]
struct State {
    entries: VecDeque<Entry>,
    size: usize,
    /// Places that queues of requests have.
    reserved: usize,
    /// The program has asked, and has not been told.
    is_armed: bool,
}

/// A request that is over.
#[derive(Debug)]
struct Entry {
    requests: Arc<RequestQueue>,
    direction: Direction,
    completion: Completion,
}

impl Entry {
    /// The program takes it: another request may have its place.
    fn leave(&self) -> Completion {
        self.requests.half(self.direction).end();
        self.completion
    }
}

/// What is told of a request that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completion {
    /// How it ended.
    pub status: NtStatus,
    /// Octets transferred.
    pub bytes: usize,
    /// The program's number for the socket.
    pub socket_context: usize,
    /// The program's number for the request.
    pub request_context: usize,
}

/// Why the program cannot ask to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoNotification {
    /// The queue was made without one, or is closed.
    Never,
    /// It has asked already.
    Already,
}

impl CompletionQueue {
    /// A queue for at most `size` completions.
    ///
    /// # Errors
    /// WSAEINVAL for none, and for more than [`SIZE_MAX`].
    pub fn new(size: usize, notification: Option<Notification>) -> Result<Arc<Self>, NtStatus> {
        reactor::prepare().map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        let state =
            State { entries: VecDeque::new(), size: allowed(size)?, reserved: 0, is_armed: false };
        let is_closed = AtomicBool::new(false);
        Ok(Arc::new(Self { notification, state: Lock::new(state), is_closed }))
    }

    /// Changes how many completions it is for.
    ///
    /// # Errors
    /// As [`new`](Self::new); WSAENOBUFS for fewer than queues of requests have reserved.
    pub fn resize(&self, size: usize) -> Result<(), NtStatus> {
        let size = allowed(size)?;
        let mut state = self.state.lock();
        if size < state.reserved {
            return Err(NtStatus::INSUFFICIENT_RESOURCES);
        }
        state.size = size;
        Ok(())
    }

    /// Asks to be told when there is something; at once if there is.
    ///
    /// # Errors
    /// See [`NoNotification`].
    pub fn notify(&self) -> Result<(), NoNotification> {
        let notification = self.notification.as_ref().ok_or(NoNotification::Never)?;
        let mut state = self.state.lock();
        if self.is_closed() {
            return Err(NoNotification::Never);
        }
        if state.is_armed {
            return Err(NoNotification::Already);
        }
        if let Notification::Event { event, resets: true } = notification {
            event.reset();
        }
        state.is_armed = state.entries.is_empty();
        let tells = !state.is_armed;
        drop(state);
        if tells {
            notification.tell();
        }
        Ok(())
    }

    /// Takes up to `most` completions, in the order in which the requests ended. Where there is
    /// none, and no port whose threads look at the sockets, it looks at them: a program may do
    /// nothing else.
    pub fn dequeue<T>(&self, most: usize, tell: impl FnMut(Completion) -> T) -> Vec<T> {
        let mut taken = self.take(most);
        let has_port = matches!(self.notification, Some(Notification::Packet { .. }));
        if taken.is_empty() && !has_port {
            reactor::look();
            taken = self.take(most);
        }
        taken.iter().map(Entry::leave).map(tell).collect()
    }

    fn take(&self, most: usize) -> Vec<Entry> {
        let mut state = self.state.lock();
        let count = most.min(state.entries.len());
        state.entries.drain(..count).collect()
    }

    /// What is told from now on is lost.
    pub fn close(&self) {
        let mut state = self.state.lock();
        self.is_closed.store(true, Ordering::Release);
        let entries = std::mem::take(&mut state.entries);
        drop(state);
        // They may be the last to have their queues of requests, which give their places back.
        drop(entries);
    }

    fn insert(self: &Arc<Self>, entry: Entry, notifies: bool) -> Option<Waker> {
        let mut state = self.state.lock();
        if self.is_closed() {
            drop(state);
            return None;
        }
        state.entries.push_back(entry);
        // It stays armed until it is told: who asks again before that has asked already.
        (notifies && state.is_armed).then(|| Waker::from(Arc::clone(self)))
    }

    /// Changes how many places somebody has here and there, all at once; nothing when there are not
    /// as many left.
    fn exchange<const N: usize>(
        &self,
        changes: [(&AtomicUsize, usize); N],
    ) -> Result<(), NtStatus> {
        // Under the lock: two threads may do so at once.
        let mut state = self.state.lock();
        let held: usize = changes.iter().map(|(places, _)| places.load(Ordering::Relaxed)).sum();
        let wanted = changes.iter().fold(0, |sum: usize, (_, wanted)| sum.saturating_add(*wanted));
        let others = state.reserved - held;
        if self.is_closed() && wanted > 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        if wanted > state.size - others {
            return Err(NtStatus::INSUFFICIENT_RESOURCES);
        }
        state.reserved = others + wanted;
        changes.iter().for_each(|(places, wanted)| places.store(*wanted, Ordering::Relaxed));
        Ok(())
    }

    fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }
}

/// Tells the program, as it wanted.
impl Wake for CompletionQueue {
    fn wake(self: Arc<Self>) {
        let Some(notification) = &self.notification else { return };
        let mut state = self.state.lock();
        if !std::mem::take(&mut state.is_armed) {
            return;
        }
        if let Notification::Event { event, .. } = notification {
            // Under the lock: who asks again resets the event, and it is not set after that.
            return event.set();
        }
        drop(state);
        notification.tell();
    }
}

impl Notification {
    fn tell(&self) {
        match self {
            Self::Event { event, .. } => event.set(),
            Self::Packet { port, key, overlapped } => {
                let (key, overlapped) = (*key, *overlapped);
                let status = NtStatus::SUCCESS;
                let mut after = Deferred::default();
                port.post(Packet { key, overlapped, status, bytes: 0, sink: None }, &mut after);
                after.run();
            }
        }
    }
}

fn allowed(size: usize) -> Result<usize, NtStatus> {
    if (1..=SIZE_MAX).contains(&size) { Ok(size) } else { Err(NtStatus::INVALID_PARAMETER) }
}

/// The requests of a socket.
#[derive(Debug)]
pub struct RequestQueue {
    receives: Half,
    sends: Half,
    context: usize,
}

/// Which way a request's data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Receive,
    Send,
}

/// The requests of one direction.
#[derive(Debug)]
pub struct Half {
    completions: Arc<CompletionQueue>,
    /// So many may be under way.
    most: AtomicUsize,
    under_way: AtomicUsize,
}

impl Half {
    /// For so many requests under way, which end there. It has their places.
    ///
    /// # Errors
    /// WSAENOBUFS when there are not as many left; WSAEINVAL when that queue is closed.
    pub fn new(completions: &Arc<CompletionQueue>, most: usize) -> Result<Self, NtStatus> {
        let completions = Arc::clone(completions);
        let half = Self { completions, most: AtomicUsize::new(0), under_way: AtomicUsize::new(0) };
        half.completions.exchange([(&half.most, most)])?;
        Ok(half)
    }

    fn begin(&self) -> Result<(), NtStatus> {
        if self.completions.is_closed() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let most = self.most();
        let one_more = |count: usize| (count < most).then_some(count + 1);
        let begun = self.under_way.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        begun.map(drop).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)
    }

    fn end(&self) {
        self.under_way.fetch_sub(1, Ordering::Relaxed);
    }

    fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }

    fn resize(&self, most: usize) -> Result<(), NtStatus> {
        self.completions.exchange([(&self.most, most)])
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        // No places are never refused.
        let _ = self.completions.exchange([(&self.most, 0)]);
    }
}

impl RequestQueue {
    /// The queue of a socket, for which the program has this number.
    pub fn new(receives: Half, sends: Half, context: usize) -> Arc<Self> {
        Arc::new(Self { receives, sends, context })
    }

    const fn half(&self, direction: Direction) -> &Half {
        match direction {
            Direction::Receive => &self.receives,
            Direction::Send => &self.sends,
        }
    }

    /// Changes how many receives and sends may be under way.
    ///
    /// # Errors
    /// WSAENOBUFS when a completion queue has no places for as many; WSAEINVAL for fewer than there
    /// are, and where a completion queue is closed. Then nothing is changed.
    pub fn resize(&self, receives: usize, sends: usize) -> Result<(), NtStatus> {
        let is_less = |half: &Half, most| most < half.under_way.load(Ordering::Relaxed);
        if is_less(&self.receives, receives) || is_less(&self.sends, sends) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let queue = &self.receives.completions;
        if Arc::ptr_eq(queue, &self.sends.completions) {
            return queue.exchange([(&self.receives.most, receives), (&self.sends.most, sends)]);
        }
        // First what may be refused: places that are given up may be another's at once.
        let before = self.receives.most();
        self.receives.resize(receives.max(before))?;
        self.sends.resize(sends).inspect_err(|_| {
            let _ = self.receives.resize(before);
        })?;
        self.receives.resize(receives)
    }

    /// The port whose threads look at the socket: one where a queue tells what has ended.
    pub(crate) fn port(&self) -> Option<&Arc<CompletionPort>> {
        [&self.receives, &self.sends].into_iter().find_map(|half| {
            match &half.completions.notification {
                Some(Notification::Packet { port, .. }) => Some(port),
                _ => None,
            }
        })
    }

    /// Begins a request; what the socket refuses is over at once, and told as every end is: only
    /// what is wrong with the request itself is told by the call.
    fn request<T>(
        self: &Arc<Self>,
        direction: Direction,
        ask: Ask,
        memory: Buffers,
        make: impl FnOnce(Irp) -> Result<T, NtStatus>,
    ) -> Result<(), NtStatus> {
        self.half(direction).begin()?;
        let (context, kind) = (ask.context, kind(direction, ask.notifies));
        let ledger = Arc::clone(self) as Arc<dyn Ledger>;
        if let Err(status) = make(Irp::new(Target::Ledger { ledger, context, kind }, memory))
            && let Some(waker) = Arc::clone(self).enter(context, kind, status, 0)
        {
            waker.wake();
        }
        Ok(())
    }
}

/// The kinds of a request, in its IRP.
const SEND: u8 = 1;
const NOTIFIES: u8 = 2;

const fn kind(direction: Direction, notifies: bool) -> u8 {
    let direction = match direction {
        Direction::Receive => 0,
        Direction::Send => SEND,
    };
    direction | if notifies { NOTIFIES } else { 0 }
}

impl Ledger for RequestQueue {
    fn enter(
        self: Arc<Self>,
        context: usize,
        kind: u8,
        status: NtStatus,
        bytes: usize,
    ) -> Option<Waker> {
        let is_send = kind & SEND != 0;
        let direction = if is_send { Direction::Send } else { Direction::Receive };
        let (socket_context, request_context) = (self.context, context);
        let completion = Completion { status, bytes, socket_context, request_context };
        let queue = Arc::clone(&self.half(direction).completions);
        queue.insert(Entry { requests: self, direction, completion }, kind & NOTIFIES != 0)
    }
}

/// What a program wants to hear of a request's end.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// Its number for the request.
    pub context: usize,
    /// The end is worth a notification.
    pub notifies: bool,
}

/// What a socket has of this: whether it was made for it, and its requests.
#[derive(Debug, Default)]
pub(crate) struct Registered {
    is_wanted: AtomicBool,
    requests: OnceLock<Arc<RequestQueue>>,
}

impl Registered {
    /// As the listener: a connection that it accepts is made for what it is made for.
    pub(crate) fn inherit(&self, listener: &Self) {
        self.is_wanted.store(listener.is_wanted.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

impl Socket {
    /// WSA_FLAG_REGISTERED_IO: the socket may have a queue of requests.
    pub fn want_registered_io(&self) {
        self.registered().is_wanted.store(true, Ordering::Relaxed);
    }

    /// Gives the socket its queue of requests, which it has for good. The threads of the port that
    /// the queue's notifications go to look at the socket from then on, unless it has a port.
    ///
    /// # Errors
    /// WSAEOPNOTSUPP for a socket that was not made for it; WSAEINVAL if it has one.
    pub fn set_request_queue(&self, requests: Arc<RequestQueue>) -> Result<(), NtStatus> {
        if !self.registered().is_wanted.load(Ordering::Relaxed) {
            return Err(NtStatus::NOT_SUPPORTED);
        }
        let port = requests.port().map(Arc::clone);
        let set = self.registered().requests.set(requests);
        set.map_err(|_| NtStatus::INVALID_PARAMETER)?;
        if let Some(port) = port {
            self.settle_at(&port);
        }
        Ok(())
    }

    /// Its queue of requests.
    ///
    /// # Errors
    /// WSAEINVAL if it has none.
    pub fn request_queue(&self) -> Result<&Arc<RequestQueue>, NtStatus> {
        self.registered().requests.get().ok_or(NtStatus::INVALID_PARAMETER)
    }

    /// Requests a receive; of a datagram, with its sender's address.
    ///
    /// # Errors
    /// WSAENOBUFS when as many are under way as may be.
    pub fn request_receive(
        &self,
        memory: Buffers,
        options: RecvOptions,
        from: Option<SenderArea>,
        ask: Ask,
    ) -> Result<(), NtStatus> {
        let requests = self.request_queue()?;
        requests.request(Direction::Receive, ask, memory, |irp| match self.is_datagram() {
            true => self.recv_from(irp, options, from),
            false => self.recv(irp, options),
        })
    }

    /// Requests a send; of a datagram, to the route's destination.
    ///
    /// # Errors
    /// WSAENOBUFS when as many are under way as may be.
    pub fn request_send(&self, memory: Buffers, to: Route, ask: Ask) -> Result<(), NtStatus> {
        let requests = self.request_queue()?;
        requests.request(Direction::Send, ask, memory, |irp| match self.is_datagram() {
            true => self.send_to(irp, SendFlags::default(), to),
            false => self.send(irp, SendFlags::default()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    /// The threads that wait for what a queue tells are those that look at the socket.
    #[test]
    fn a_queue_that_tells_a_port_gives_the_socket_its_threads() {
        let port = CompletionPort::new(1).unwrap();
        let packet = Notification::Packet { port: Arc::clone(&port), key: 0, overlapped: 0 };
        let told = CompletionQueue::new(2, Some(packet)).unwrap();
        let looked_at = CompletionQueue::new(4, None).unwrap();
        for (receives, sends, expected) in
            [(&told, &looked_at, true), (&looked_at, &told, true), (&looked_at, &looked_at, false)]
        {
            let half = |queue| Half::new(queue, 1).unwrap();
            let requests = RequestQueue::new(half(receives), half(sends), 0);
            assert_eq!(requests.port().is_some_and(|found| Arc::ptr_eq(found, &port)), expected);
        }
    }

    /// Our choice: what two threads change at once is counted once (a program has to take turns,
    /// but nothing of the queue's may break).
    #[test]
    fn places_are_neither_lost_nor_counted_twice() {
        let queue = CompletionQueue::new(64, None).unwrap();
        let half = || Half::new(&queue, 4).unwrap();
        let requests = RequestQueue::new(half(), half(), 0);
        let together = Barrier::new(2);
        thread::scope(|scope| {
            for mine in [3, 5] {
                let (requests, together) = (&requests, &together);
                scope.spawn(move || {
                    together.wait();
                    (0..100_000).try_for_each(|_| requests.resize(mine, 7 - mine))
                });
            }
        });
        drop(requests);
        assert_eq!(queue.state.lock().reserved, 0);
        assert!(Half::new(&queue, 64).is_ok());
        assert_eq!(Half::new(&queue, 65).unwrap_err(), NtStatus::INSUFFICIENT_RESOURCES);
    }
}

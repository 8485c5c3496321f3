//! Calls of Registered I/O with arguments of every kind: queues and buffers that are good, closed or
//! never were, descriptions of buffers that are bad memory or point elsewhere, sizes that fit and
//! that do not, in every order. Whatever they are: no crash, no panic, nothing is written outside
//! of what was registered, and what was accepted ends once, unless its queue was closed.

use std::collections::BTreeMap;

use linsock_c::abi::{INVALID_SOCKET, RIORESULT, SOCKET};
use linsock_c::mswsock::rio::{
    RIOCloseCompletionQueue, RIOCreateCompletionQueue, RIOCreateRequestQueue, RIODequeueCompletion,
    RIODeregisterBuffer, RIONotify, RIOReceive, RIOReceiveEx, RIORegisterBuffer,
    RIOResizeCompletionQueue, RIOResizeRequestQueue, RIOSend, RIOSendEx,
};
use linsock_c::winsock2::connection::{WSASocketW, listen};
use linsock_c::winsock2::transfer::{recv, send};

use crate::c::memory::{Memory, Use, read};
use crate::c::script::Script;
use crate::c::sockets::{
    Flavour, accept_from, bind_to, call, close, connect_to, error, eventually, forget_error,
    name_of, remove_paths, set_nonblocking, startup, wait_for,
};
use crate::c::sockets::{POLLRDNORM, POLLWRNORM};

const STEPS_MAX: usize = 64;
/// Queues, and registered memory, in one run.
const THINGS_MAX: usize = 8;
/// WSA_FLAG_OVERLAPPED and WSA_FLAG_REGISTERED_IO.
const FLAGS: u32 = 0x101;
const RIO_CORRUPT_CQ: u32 = u32::MAX;
const RIO_INVALID_BUFFERID: usize = 0xFFFF_FFFF;
const DEFER: u32 = 2;
const COMMIT_ONLY: u32 = 8;
const RESULT: usize = size_of::<RIORESULT>();

/// A queue of requests: where its receives and its sends end.
#[derive(Clone, Copy)]
struct Requests {
    id: usize,
    ends: [usize; 2],
}

/// A request that was accepted.
struct Request {
    queue: usize,
    /// Its start was put off, and nobody may ever ask for it.
    is_deferred: bool,
    ends: usize,
}

struct Run<'a> {
    script: Script<'a>,
    memory: Memory,
    sockets: Vec<SOCKET>,
    completions: Vec<usize>,
    closed: Vec<usize>,
    requests: Vec<Requests>,
    /// What is registered, and how long it is.
    buffers: Vec<(usize, u32)>,
    /// By their contexts.
    accepted: BTreeMap<usize, Request>,
}

type Step = fn(&mut Run<'_>);

const STEPS: &[Step] = &[
    create_completions,
    create_requests,
    register,
    receive,
    send_some,
    receive,
    send_some,
    receive_from,
    send_to,
    dequeue,
    dequeue,
    notify,
    resize_completions,
    resize_requests,
    deregister,
    plain_send,
    plain_receive,
    close_completions,
    close_socket,
];

pub(crate) fn check(octets: &[u8]) {
    startup();
    let Some(mut run) = Run::begin(Script::new(octets)) else { return };
    run.prepare();
    for _ in 0..STEPS_MAX {
        let Some(kind) = run.script.next() else { break };
        if run.memory.is_nearly_used() {
            break;
        }
        forget_error();
        STEPS[usize::from(kind) % STEPS.len()](&mut run);
        run.memory.hold();
    }
    run.end();
}

/// A socket that may have a queue of requests.
fn open(flavour: Flavour) -> Option<SOCKET> {
    let [family, kind, protocol] = flavour.numbers();
    let s = call!(WSASocketW(family, kind, protocol, std::ptr::null(), 0, FLAGS));
    (s != INVALID_SOCKET).then(|| {
        set_nonblocking(s);
        s
    })
}

fn stream_pair() -> Option<[SOCKET; 2]> {
    // What it accepts may have a queue because it may.
    let listener = open(Flavour::Tcp)?;
    let listens = bind_to(listener, &Flavour::Tcp.loopback()) && call!(listen(listener, 16)) == 0;
    let at = listens.then(|| name_of(listener)).flatten().expect("a port of this host's");
    let client = open(Flavour::Tcp)?;
    connect_to(client, &at);
    let server = eventually(|| {
        wait_for(listener, POLLRDNORM, 1);
        accept_from(listener)
    });
    assert!(wait_for(client, POLLWRNORM, 5000), "a connection");
    close(listener);
    Some([client, server.expect("a connection to a listener of this process")])
}

fn datagram_pair() -> Option<[SOCKET; 2]> {
    let pair = [open(Flavour::Udp)?, open(Flavour::Udp)?];
    let bound = pair.iter().all(|s| bind_to(*s, &Flavour::Udp.loopback()));
    assert!(bound, "a port of this host's");
    let [Some(a), Some(b)] = pair.map(name_of) else { return None };
    connect_to(pair[0], &b);
    connect_to(pair[1], &a);
    Some(pair)
}

impl<'a> Run<'a> {
    fn begin(mut script: Script<'a>) -> Option<Self> {
        let pair = if script.rarely(3) { datagram_pair()? } else { stream_pair()? };
        Some(Self {
            script,
            memory: Memory::new(),
            sockets: pair.to_vec(),
            completions: Vec::new(),
            closed: Vec::new(),
            requests: Vec::new(),
            buffers: Vec::new(),
            accepted: BTreeMap::new(),
        })
    }

    /// What most of the calls need: a queue of both kinds for each socket, and memory.
    fn prepare(&mut self) {
        let queue = call!(RIOCreateCompletionQueue(64, std::ptr::null()));
        assert_ne!(queue, 0, "a queue can be made");
        self.completions.push(queue);
        for s in self.sockets.clone() {
            let id = call!(RIOCreateRequestQueue(s, 8, 1, 8, 1, queue, queue, 7));
            assert_ne!(id, 0, "a queue can be made");
            self.requests.push(Requests { id, ends: [queue; 2] });
        }
        let memory = self.memory.plain(&[0xA5; 200]);
        let id = call!(RIORegisterBuffer(memory, 200));
        assert_ne!(id, RIO_INVALID_BUFFERID, "memory can be registered");
        self.buffers.push((id, 200));
    }

    /// One of these numbers, or something else that is none of them.
    fn any_of(&mut self, known: &[usize]) -> usize {
        let others =
            [0, 1, usize::MAX, RIO_INVALID_BUFFERID, self.sockets.first().map_or(4, |s| *s)];
        if known.is_empty() || self.script.rarely(8) {
            let wild = self.script.number() as usize;
            return self.script.pick(&[&others[..], &self.closed, &[wild]].concat());
        }
        self.script.pick(known)
    }

    fn completion_queue(&mut self) -> usize {
        let known = self.completions.clone();
        self.any_of(&known)
    }

    fn request_queue(&mut self) -> usize {
        let known: Vec<_> = self.requests.iter().map(|requests| requests.id).collect();
        self.any_of(&known)
    }

    fn size(&mut self) -> u32 {
        self.script.pick_or_any(&[0, 1, 1, 2, 2, 4, 4, 16, 64]).cast_unsigned()
    }

    /// A description of a buffer: one that fits, or not.
    fn description(&mut self) -> *const u8 {
        let known: Vec<_> = self.buffers.iter().map(|(id, _)| *id).collect();
        let id = self.any_of(&known);
        let len = self.buffers.iter().find(|known| known.0 == id).map_or(9, |known| known.1);
        let offset = if self.script.rarely(3) { self.script.number() } else { 0 };
        let offset = if self.script.rarely(2) { offset % (len + 1) } else { offset };
        let length = Memory::told(&mut self.script, len.saturating_sub(offset) as usize);
        let octets = [&id.to_ne_bytes()[..], &offset.to_ne_bytes(), &length.to_ne_bytes()].concat();
        self.memory.pointer(&mut self.script, &octets, Use::Read)
    }

    fn flags(&mut self) -> u32 {
        self.script.flags(&[1, DEFER, 4, COMMIT_ONLY, 1 | DEFER])
    }

    /// A request: the queue, the count of its buffers, its flags and its context.
    fn request(&mut self) -> (usize, u32, u32, usize) {
        let (queue, flags) = (self.request_queue(), self.flags());
        let count = self.script.pick_or_any(&[1, 1, 1, 1, 1, 1, 0, 2]).cast_unsigned();
        (queue, count, flags, 1 + self.accepted.len())
    }

    fn after_request(&mut self, asked: (usize, u32, u32, usize), half: usize, succeeded: bool) {
        let (queue, _, flags, context) = asked;
        if !succeeded {
            error();
            return;
        }
        let known = self.requests.iter().find(|known| known.id == queue);
        let known = known.expect("a request went to no queue");
        if flags & COMMIT_ONLY == 0 {
            let (queue, is_deferred) = (known.ends[half], flags & DEFER != 0);
            self.accepted.insert(context, Request { queue, is_deferred, ends: 0 });
        } else {
            // The number is used up.
            let queue = usize::MAX;
            self.accepted.insert(context, Request { queue, is_deferred: true, ends: 0 });
        }
    }

    /// Completions that were dequeued.
    fn note(&mut self, queue: usize, results: &[u8]) {
        for result in results.chunks_exact(RESULT) {
            let context = usize::from_ne_bytes(result[16..24].try_into().expect("eight octets"));
            let request = self.accepted.get_mut(&context).expect("nobody asked for it");
            request.ends += 1;
            assert_eq!(request.ends, 1, "request {context} ended again");
            assert_eq!(request.queue, queue, "request {context} ended in another queue");
        }
    }

    fn end(mut self) {
        for s in std::mem::take(&mut self.sockets) {
            close(s);
        }
        let room = vec![0; 16 * RESULT];
        for queue in self.completions.clone() {
            let is_over = eventually(|| {
                let at = room.as_ptr().cast_mut().cast();
                let count = call!(RIODequeueCompletion(queue, at, 16));
                assert_ne!(count, RIO_CORRUPT_CQ, "an open queue");
                self.note(queue, &read(room.as_ptr(), count as usize * RESULT));
                let waits = |one: &Request| one.queue == queue && one.ends == 0 && !one.is_deferred;
                (count == 0 && !self.accepted.values().any(waits)).then_some(())
            });
            assert!(is_over.is_some(), "a request that was accepted has not ended");
            call!(RIOCloseCompletionQueue(queue));
        }
        for (id, _) in std::mem::take(&mut self.buffers) {
            call!(RIODeregisterBuffer(id));
        }
        self.memory.hold();
        remove_paths();
    }
}

fn create_completions(run: &mut Run<'_>) {
    let size = run.size();
    let notification = if run.script.rarely(4) {
        // An event or a port that there is not, or no kind at all.
        let octets: Vec<_> =
            (0..8).flat_map(|_| u32::from(run.script.octet()).to_ne_bytes()).collect();
        run.memory.pointer(&mut run.script, &octets, Use::Read)
    } else {
        std::ptr::null_mut()
    };
    // Each takes memory for its places.
    let size = if size > 1 << 16 && size < 1 << 27 { size | 1 << 28 } else { size };
    if run.completions.len() == THINGS_MAX {
        return;
    }
    match call!(RIOCreateCompletionQueue(size, notification.cast_const().cast())) {
        0 => drop(error()),
        queue => run.completions.push(queue),
    }
}

fn create_requests(run: &mut Run<'_>) {
    let sockets = run.sockets.clone();
    let s = run.any_of(&sockets);
    let [receives, sends] = [run.size(), run.size()];
    let [most_received, most_sent] =
        [0; 2].map(|_: u8| if run.script.rarely(8) { run.size() } else { 1 });
    let ends = [run.completion_queue(), run.completion_queue()];
    let context = run.script.number() as usize;
    let id = call!(RIOCreateRequestQueue(
        s,
        receives,
        most_received,
        sends,
        most_sent,
        ends[0],
        ends[1],
        context
    ));
    if id == 0 {
        error();
        return;
    }
    assert!(sockets.contains(&s), "a queue of no socket's");
    assert!(ends.iter().all(|end| run.completions.contains(end)), "a queue without an end");
    run.requests.push(Requests { id, ends });
}

fn register(run: &mut Run<'_>) {
    let lent = run.memory.lend(&mut run.script, &[0xA5; 200], Use::Write);
    if run.buffers.len() == THINGS_MAX {
        return;
    }
    let id = call!(RIORegisterBuffer(lent.at, lent.told));
    if id == RIO_INVALID_BUFFERID {
        error();
        return;
    }
    assert!(run.memory.is_good(lent.at, lent.told as usize), "registered: {:?}", lent.at);
    run.buffers.push((id, lent.told));
}

fn receive(run: &mut Run<'_>) {
    let (asked, at) = (run.request(), run.description());
    let (queue, count, flags, context) = asked;
    let done = call!(RIOReceive(queue, at.cast(), count, flags, context));
    run.after_request(asked, 0, done != 0);
}

fn send_some(run: &mut Run<'_>) {
    let (asked, at) = (run.request(), run.description());
    let (queue, count, flags, context) = asked;
    let done = call!(RIOSend(queue, at.cast(), count, flags, context));
    run.after_request(asked, 1, done != 0);
}

/// What comes beside the data: mostly nothing.
fn beside(run: &mut Run<'_>) -> *const u8 {
    if run.script.rarely(4) { run.description() } else { std::ptr::null() }
}

fn receive_from(run: &mut Run<'_>) {
    let (asked, at) = (run.request(), run.description());
    let [local, remote, control, place] = [0; 4].map(|_: u8| beside(run));
    let (queue, count, flags, context) = asked;
    let done = call!(RIOReceiveEx(
        queue,
        at.cast(),
        count,
        local.cast(),
        remote.cast(),
        control.cast(),
        place.cast(),
        flags,
        context
    ));
    run.after_request(asked, 0, done != 0);
}

fn send_to(run: &mut Run<'_>) {
    let (asked, at) = (run.request(), run.description());
    let [local, remote, control, place] = [0; 4].map(|_: u8| beside(run));
    let (queue, count, flags, context) = asked;
    let done = call!(RIOSendEx(
        queue,
        at.cast(),
        count,
        local.cast(),
        remote.cast(),
        control.cast(),
        place.cast(),
        flags,
        context
    ));
    run.after_request(asked, 1, done != 0);
}

fn dequeue(run: &mut Run<'_>) {
    let queue = run.completion_queue();
    let room = run.memory.room(&mut run.script, 3 * RESULT);
    let most = room.told / u32::try_from(RESULT).unwrap_or(1);
    match call!(RIODequeueCompletion(queue, room.at.cast(), most)) {
        RIO_CORRUPT_CQ => drop(error()),
        count => {
            assert!(count <= most, "{count} completions of {most}");
            run.note(queue, &read(room.at, count as usize * RESULT));
        }
    }
}

fn notify(run: &mut Run<'_>) {
    let queue = run.completion_queue();
    let told = call!(RIONotify(queue));
    // The value is the error: WSAEINVAL, WSAEALREADY.
    assert!([0, 10022, 10037].contains(&told), "RIONotify: {told}");
    assert!(told != 0 || run.completions.contains(&queue), "told of no queue");
}

fn resize_completions(run: &mut Run<'_>) {
    let (queue, size) = (run.completion_queue(), run.size());
    let size = if size > 1 << 16 && size < 1 << 27 { size | 1 << 28 } else { size };
    if call!(RIOResizeCompletionQueue(queue, size)) == 0 {
        error();
    } else {
        assert!(run.completions.contains(&queue), "another size of no queue");
    }
}

fn resize_requests(run: &mut Run<'_>) {
    let (queue, receives, sends) = (run.request_queue(), run.size(), run.size());
    if call!(RIOResizeRequestQueue(queue, receives, sends)) == 0 {
        error();
    }
}

fn deregister(run: &mut Run<'_>) {
    let known: Vec<_> = run.buffers.iter().map(|(id, _)| *id).collect();
    let id = run.any_of(&known);
    call!(RIODeregisterBuffer(id));
    run.buffers.retain(|(known, _)| *known != id);
    run.closed.push(id);
}

fn plain_send(run: &mut Run<'_>) {
    if let Some(s) = run.sockets.last() {
        call!(send(*s, [0x5A; 32].as_ptr(), 32, 0));
    }
}

fn plain_receive(run: &mut Run<'_>) {
    if let Some(s) = run.sockets.last() {
        let mut room = [0; 32];
        call!(recv(*s, room.as_mut_ptr(), 32, 0));
    }
}

fn close_completions(run: &mut Run<'_>) {
    if !run.script.rarely(3) {
        return;
    }
    let queue = run.completion_queue();
    call!(RIOCloseCompletionQueue(queue));
    run.completions.retain(|known| *known != queue);
    run.closed.push(queue);
}

fn close_socket(run: &mut Run<'_>) {
    if run.script.rarely(4)
        && let Some(s) = run.sockets.pop()
    {
        close(s);
        run.requests.retain(|requests| requests.id != s);
        run.closed.push(s);
    }
}

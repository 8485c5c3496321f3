//! What the sockets and completion ports of this process are doing: for programs that watch
//! themselves, and for `linsock sockets` and `linsock top`, which ask the [`service`].
//!
//! A look takes the lock of one object at a time, for a few system calls. What is seen of two
//! objects is not of the same moment.

pub(crate) mod ended;
pub mod service;

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use linsock_iocp::afd::CloseReason;
use linsock_iocp::guardian;
use linsock_iocp::handle::{Handle, table};
use linsock_iocp::port::{CompletionPort, Load};
use linsock_iocp::trace::{Field, object};

use crate::socket::{Snapshot, Socket, TcpState};
use crate::time_wait::{self, Held};
use ended::{Entry, Octets};

/// A completion port at one moment.
#[derive(Clone, Debug)]
pub struct Port {
    /// A number of its own.
    pub id: u64,
    /// Its handle; `None` for one of the safe API.
    pub handle: Option<Handle>,
    /// What it has to do, and who does it.
    pub load: Load,
}

/// Every socket that is open.
pub fn sockets() -> Vec<Snapshot> {
    open_sockets().filter_map(|socket| socket.snapshot()).collect()
}

fn open_sockets() -> impl Iterator<Item = Arc<Socket>> {
    let files = table().files().into_iter();
    files.filter_map(|file| (file as Arc<dyn Any + Send + Sync>).downcast().ok())
}

/// Every completion port that is open.
pub fn ports() -> Vec<Port> {
    let handles = table().ports();
    let handle_of = |port: &Arc<CompletionPort>| {
        handles.iter().find(|(_, known)| Arc::ptr_eq(known, port)).map(|(handle, _)| *handle)
    };
    let ports = guardian::ports().into_iter();
    ports.map(|port| Port { id: port.id(), handle: handle_of(&port), load: port.load() }).collect()
}

/// Everything, a JSON object on each line, of which `kind` says what it is; for a tool, which may
/// come again and wants to know then what has ended.
fn lines() -> String {
    let ended = ended::look();
    let ended = ended.iter().map(ended_line);
    let ports = ports().into_iter().map(|port| port_line(&port));
    // One after the other: of many there is to be no list in the memory of this process.
    let sockets = open_sockets().filter_map(|socket| socket.snapshot_for_tools());
    let sockets = sockets.map(|snapshot| socket_line(&snapshot));
    let pairs = time_wait::held().into_iter().map(|held| pair_line(&held));
    ports.chain(sockets).chain(ended).chain(pairs).map(|line| line + "\n").collect()
}

fn port_line(port: &Port) -> String {
    let load = port.load;
    let mut fields = vec![
        ("kind", Field::Text(&"port")),
        ("id", Field::Number(port.id)),
        ("packets", Field::number(load.packets)),
        ("waiting", Field::number(load.waiting)),
        ("working", Field::number(load.working)),
        ("concurrency", Field::number(load.concurrency)),
    ];
    fields.extend(port.handle.map(|handle| ("handle", Field::number(handle.value()))));
    object(&fields)
}

fn pair_line(held: &Held) -> String {
    let left = u64::try_from(held.left.as_millis()).unwrap_or(u64::MAX);
    object(&[
        ("kind", Field::Text(&"pair")),
        ("local", Field::Text(&held.pair.local)),
        ("remote", Field::Text(&held.pair.remote)),
        ("left_ms", Field::Number(left)),
    ])
}

/// Named as what a socket tells, with `over` for why, and `ago_ms`.
fn ended_line(entry: &Entry) -> String {
    let ended = &entry.ended;
    let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let provider = ended.provider.name();
    let mut fields = vec![
        ("kind", Field::Text(&"ended")),
        ("number", Field::Number(entry.number)),
        ("handle", Field::number(ended.handle)),
        ("connection", Field::Number(ended.connection.into())),
        ("provider", Field::Text(&provider)),
        ("state", Field::Text(&"over")),
        ("local", Field::Text(&ended.local)),
        ("remote", Field::Text(&ended.remote)),
        ("reason", Field::Text(&ended.reason)),
        ("over", Field::Text(&ended.what)),
        ("age_ms", Field::Number(ms(ended.age))),
        ("ago_ms", Field::Number(ms(entry.when.elapsed()))),
    ];
    if let Some(Octets { moved: (sent, received), unsent, unread }) = ended.octets {
        fields.extend([
            ("sent", Field::Number(sent)),
            ("received", Field::Number(received)),
            ("unsent", Field::number(unsent)),
            ("unread", Field::number(unread)),
        ]);
    }
    object(&fields)
}

/// What is not known is left out.
fn socket_line(snapshot: &Snapshot) -> String {
    let texts = texts(snapshot);
    let known = texts.iter().filter(|(_, text)| !text.is_empty());
    let mut fields =
        vec![("kind", Field::Text(&"socket")), ("handle", Field::number(snapshot.handle.value()))];
    fields.extend(known.map(|(name, text)| (*name, Field::Text(text))));
    fields.extend(counts(snapshot));
    fields.extend(numbers(snapshot));
    object(&fields)
}

/// Names and addresses; an empty one is not known.
fn texts(snapshot: &Snapshot) -> [(&'static str, String); 9] {
    let link = snapshot.link.as_ref();
    [
        ("provider", snapshot.provider.name().to_owned()),
        ("state", snapshot.phase.name().to_owned()),
        ("send", shown(link.map(|link| link.send.name()))),
        ("receive", shown(link.map(|link| link.recv.name()))),
        ("tcp", shown(snapshot.tcp_state.map(TcpState::name))),
        ("local", shown(snapshot.local.as_ref())),
        ("remote", shown(snapshot.remote.as_ref())),
        ("for", shown(snapshot.awaits)),
        ("reason", shown(snapshot.reason.map(CloseReason::name))),
    ]
}

fn shown(what: Option<impl ToString>) -> String {
    what.map(|what| what.to_string()).unwrap_or_default()
}

/// What is always known.
fn counts(snapshot: &Snapshot) -> [(&'static str, Field<'static>); 8] {
    let pending = snapshot.pending;
    [
        ("accepts", Field::number(pending.accepts)),
        ("connects", Field::number(pending.connects)),
        ("receives", Field::number(pending.receives)),
        ("sends", Field::number(pending.sends)),
        ("disconnects", Field::number(pending.disconnects)),
        ("unread", Field::number(snapshot.unread)),
        ("unsent", Field::number(snapshot.unsent)),
        ("former", Field::Number(snapshot.former.into())),
    ]
}

/// What some sockets have.
fn numbers(snapshot: &Snapshot) -> Vec<(&'static str, Field<'static>)> {
    let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let (port, moved, backlog) = (snapshot.port.as_ref(), snapshot.moved, snapshot.backlog);
    let numbers = [
        ("descriptor", snapshot.descriptor.and_then(|fd| u64::try_from(fd).ok())),
        ("port", port.map(|(port, _)| port.id())),
        ("key", port.and_then(|(_, key)| u64::try_from(*key).ok())),
        ("sent", moved.map(|(sent, _)| sent)),
        ("received", moved.map(|(_, received)| received)),
        ("queued", backlog.map(|(queued, _)| queued.into())),
        ("backlog", backlog.map(|(_, most)| most.into())),
        ("age_ms", snapshot.age.map(ms)),
        ("idle_ms", snapshot.idle.map(ms)),
    ];
    let known = numbers.into_iter().filter_map(|(name, number)| Some((name, number?)));
    known.map(|(name, number)| (name, Field::Number(number))).collect()
}

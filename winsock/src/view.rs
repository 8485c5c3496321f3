//! What the sockets and completion ports of this process are doing: for programs that watch
//! themselves, and for `linsock sockets` and `linsock top`, which ask the [`service`].
//!
//! A look takes the lock of one object at a time, for a few system calls. What is seen of two
//! objects is not of the same moment.

pub mod service;

use std::any::Any;
use std::sync::Arc;

use linsock_iocp::afd::endpoint::state::Link;
use linsock_iocp::guardian;
use linsock_iocp::handle::{Handle, table};
use linsock_iocp::port::{CompletionPort, Load};
use linsock_iocp::trace::{Field, object};

use crate::socket::{Snapshot, Socket};
use crate::time_wait::{self, Held};

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
    let files = table().files().into_iter();
    let sockets = files.filter_map(|file| (file as Arc<dyn Any + Send + Sync>).downcast().ok());
    sockets.filter_map(|socket: Arc<Socket>| socket.snapshot()).collect()
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

/// Everything, a JSON object on each line, of which `kind` says what it is.
fn lines() -> String {
    let ports = ports().into_iter().map(|port| port_line(&port));
    let sockets = sockets().into_iter().map(|snapshot| socket_line(&snapshot));
    let pairs = time_wait::held().into_iter().map(|held| pair_line(&held));
    ports.chain(sockets).chain(pairs).map(|line| line + "\n").collect()
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

/// What is not known is left out.
fn socket_line(snapshot: &Snapshot) -> String {
    let ms = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let pending = snapshot.pending;
    let descriptor = snapshot.descriptor.and_then(|fd| usize::try_from(fd).ok());
    let (name, state) = (snapshot.provider.name(), snapshot.phase.name());
    let (send, receive) = snapshot.link.map_or(("", ""), halves);
    let tcp = snapshot.tcp_state.map_or("", |state| state.name());
    let reason = snapshot.reason.map_or("", |reason| reason.name());
    let awaits = shown(snapshot.awaits.as_ref());
    let (local, remote) = (shown(snapshot.local.as_ref()), shown(snapshot.remote.as_ref()));
    let mut fields = vec![
        ("kind", Field::Text(&"socket")),
        ("handle", Field::number(snapshot.handle.value())),
        ("provider", Field::Text(&name)),
        ("state", Field::Text(&state)),
    ];
    let texts: [(_, &dyn std::fmt::Display, bool); 7] = [
        ("send", &send, send.is_empty()),
        ("receive", &receive, receive.is_empty()),
        ("tcp", &tcp, tcp.is_empty()),
        ("local", &local, local.is_empty()),
        ("remote", &remote, remote.is_empty()),
        ("for", &awaits, awaits.is_empty()),
        ("reason", &reason, reason.is_empty()),
    ];
    fields.extend(texts.iter().filter(|known| !known.2).map(|it| (it.0, Field::Text(it.1))));
    let counts = [
        ("accepts", pending.accepts),
        ("connects", pending.connects),
        ("receives", pending.receives),
        ("sends", pending.sends),
        ("disconnects", pending.disconnects),
        ("unread", snapshot.unread),
        ("unsent", snapshot.unsent),
    ];
    fields.extend(counts.map(|(name, count)| (name, Field::number(count))));
    fields.push(("former", Field::Number(snapshot.former.into())));
    fields.extend(descriptor.map(|fd| ("descriptor", Field::number(fd))));
    if let Some((port, key)) = &snapshot.port {
        fields.extend([("port", Field::Number(port.id())), ("key", Field::number(*key))]);
    }
    if let Some((sent, received)) = snapshot.moved {
        fields.extend([("sent", Field::Number(sent)), ("received", Field::Number(received))]);
    }
    if let Some((waiting, backlog)) = snapshot.backlog {
        let (waiting, backlog) = (Field::Number(waiting.into()), Field::Number(backlog.into()));
        fields.extend([("queued", waiting), ("backlog", backlog)]);
    }
    fields.extend(snapshot.age.map(|age| ("age_ms", Field::Number(ms(age)))));
    fields.extend(snapshot.idle.map(|idle| ("idle_ms", Field::Number(ms(idle)))));
    object(&fields)
}

const fn halves(link: Link) -> (&'static str, &'static str) {
    (link.send.name(), link.recv.name())
}

fn shown(what: Option<&impl ToString>) -> String {
    what.map(ToString::to_string).unwrap_or_default()
}

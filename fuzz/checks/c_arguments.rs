//! Calls of the C functions with arguments of every kind: handles that are good, closed, of
//! something else or of nothing; pointers that are good, null, unmapped, misaligned, read-only or
//! cut off by an unmapped page; lengths that fit and that do not. Whatever they are: no crash, no
//! panic, nothing is written elsewhere, a refused call has done nothing, and what was accepted ends
//! once.
//!
//! Nothing waits: sockets do not block, limits are 0, and where a call could wait all the same the
//! arguments are chosen so that it does not.

#[path = "c_arguments/connections.rs"]
mod connections;
#[path = "c_arguments/duplicates.rs"]
mod duplicates;
#[path = "c_arguments/events.rs"]
mod events;
#[path = "c_arguments/extensions.rs"]
mod extensions;
#[path = "c_arguments/files.rs"]
mod files;
#[path = "c_arguments/handles.rs"]
mod handles;
#[path = "c_arguments/messages.rs"]
mod messages;
#[path = "c_arguments/names.rs"]
mod names;
#[path = "c_arguments/objects.rs"]
mod objects;
#[path = "c_arguments/options.rs"]
mod options;
#[path = "c_arguments/ports.rs"]
mod ports;
#[path = "c_arguments/texts.rs"]
mod texts;
#[path = "c_arguments/transfers.rs"]
mod transfers;

use crate::c::memory::{Memory, Use};
use crate::c::operations::{self, Operations, Outcome, Told};
use crate::c::script::Script;
use crate::c::sockets::{self, Flavour, error, forget_error};
use extensions::Accepting;
use handles::Handles;
use linsock_c::abi::{HANDLE, SOCKET};

/// Calls in one run.
const STEPS_MAX: usize = 64;
/// Sockets in one run.
const SOCKETS_MAX: usize = 32;

/// What a call does to the connection of its socket when it succeeds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// It carries an octet each way as before.
    None,
    /// It may not.
    Changes,
}

struct Run<'a> {
    script: Script<'a>,
    memory: Memory,
    handles: Handles,
    operations: Operations,
    /// A connection that nothing has happened to yet.
    intact: Option<[SOCKET; 2]>,
    /// Where this run listens.
    targets: Vec<(Flavour, Vec<u8>)>,
    /// The buffers of AcceptEx calls that were accepted.
    accepting: Vec<Accepting>,
    /// Packets that were posted: the numbers in place of an OVERLAPPED.
    posted: Vec<(usize, HANDLE)>,
}

type Step = fn(&mut Run<'_>);

/// The calls, most of them more than once, by what finds more. New ones come last: what is kept of
/// former runs goes on to mean what it meant.
const STEPS: &[&[Step]] = &[
    connections::STEPS,
    transfers::STEPS,
    transfers::STEPS,
    extensions::STEPS,
    extensions::STEPS,
    options::STEPS,
    events::STEPS,
    ports::STEPS,
    names::STEPS,
    messages::STEPS,
    texts::STEPS,
    objects::STEPS,
    files::STEPS,
    duplicates::STEPS,
];

pub(crate) fn check(octets: &[u8]) {
    sockets::startup();
    let Some(mut run) = Run::begin(Script::new(octets)) else { return };
    for _ in 0..STEPS_MAX {
        let Some(kind) = run.script.next() else { break };
        if run.memory.is_nearly_used() {
            break;
        }
        let steps = STEPS[usize::from(kind) % STEPS.len()];
        let step = run.script.pick(steps);
        forget_error();
        step(&mut run);
        run.memory.hold();
    }
    run.end();
}

impl<'a> Run<'a> {
    fn begin(mut script: Script<'a>) -> Option<Self> {
        let (flavour, kind) = (script.octet(), script.octet());
        let flavour = match flavour % 9 {
            0..=2 => Flavour::Tcp,
            other => sockets::FLAVOURS[usize::from(other) - 2],
        };
        let mut run = Self {
            script,
            memory: Memory::new(),
            handles: Handles::begin(),
            operations: Operations::default(),
            intact: None,
            targets: Vec::new(),
            accepting: Vec::new(),
            posted: Vec::new(),
        };
        run.listen(Flavour::Tcp);
        if flavour != Flavour::Tcp && !flavour.is_datagram() {
            run.listen(flavour);
        }
        run.connect_pair(flavour, kind)?;
        Some(run)
    }

    fn listen(&mut self, flavour: Flavour) {
        // There may be no IPv6 here.
        let Some((s, at)) = sockets::listener(flavour) else { return };
        self.handles.add_socket(s, flavour, true).reached = true;
        self.targets.push((flavour, at));
    }

    fn connect_pair(&mut self, flavour: Flavour, kind: u8) -> Option<()> {
        let pair = if flavour.is_datagram() {
            sockets::datagram_pair(flavour)
        } else {
            let (_, at) = self.targets.iter().find(|(of, _)| *of == flavour)?;
            let listener = self.handles.first_of(flavour)?;
            sockets::connection(flavour, listener, at)
        };
        let Some(pair) = pair else {
            self.close_all();
            return None;
        };
        for (s, bit) in pair.into_iter().zip([1, 2]) {
            self.handles.add_socket(s, flavour, true).reached = true;
            if kind & bit != 0 {
                self.handles.associate(s, self.handles.port);
            }
        }
        if kind & 4 != 0 {
            // Sends wait soon.
            pair.iter().for_each(|s| sockets::shrink(*s));
        }
        if flavour.is_datagram() {
            self.targets.extend(sockets::name_of(pair[1]).map(|name| (flavour, name)));
        }
        self.intact = Some(pair);
        Some(())
    }

    fn end(mut self) {
        self.close_all();
        let ports = self.handles.open_ports();
        self.operations.hold_at_the_end(&ports);
        self.hold_posted();
        self.memory.hold();
        self.handles.end();
        sockets::remove_paths();
    }

    fn close_all(&mut self) {
        for s in self.handles.open_sockets() {
            sockets::close(s);
        }
    }

    /// A call on `socket` has returned. One that was refused has left its connection alone.
    fn after(&mut self, socket: SOCKET, outcome: Outcome, effect: Effect) {
        if !self.handles.is_socket(socket) {
            assert!(outcome.is_refused(), "{socket:#x} is no socket, and the call succeeded");
        }
        self.after_pair(socket, outcome, effect);
    }

    fn after_pair(&mut self, socket: SOCKET, outcome: Outcome, effect: Effect) {
        let Some([a, b]) = self.intact else { return };
        if ![a, b].contains(&handles::plain(socket)) {
            return;
        }
        if outcome.is_refused() {
            assert!(sockets::carries(a, b) && sockets::carries(b, a), "refused: {outcome:?}");
        } else if effect == Effect::Changes {
            self.intact = None;
        }
    }

    /// A socket of any kind, or something else.
    fn socket(&mut self) -> SOCKET {
        self.handles.socket(&mut self.script)
    }

    /// An OVERLAPPED for an operation of `socket`, which may be `None` in various ways.
    fn overlapped(&mut self) -> Given {
        let event = self.handles.event_of_overlapped(&mut self.script);
        let octets = operations::fresh(event);
        let at = self.memory.pointer(&mut self.script, &octets, Use::Write);
        let is_good = self.memory.is_good(at, octets.len());
        Given { at, is_good, event }
    }

    /// An overlapped call on `socket` has returned.
    fn after_operation(
        &mut self,
        socket: SOCKET,
        given: Given,
        has_routine: bool,
        outcome: Outcome,
        effect: Effect,
    ) {
        self.after(socket, outcome, effect);
        if !given.is_good {
            let synchronous = given.at.is_null() && outcome != Outcome::Pending;
            assert!(synchronous || outcome.is_refused(), "without an OVERLAPPED: {outcome:?}");
            return;
        }
        let told = match self.handles.find(socket) {
            _ if has_routine => Told::Routine,
            Some(entry) if outcome == Outcome::Done && entry.skips_port => Told::Nobody,
            Some(entry) if given.event & 1 == 0 => entry.port.map_or(Told::Nobody, Told::Packet),
            _ => Told::Nobody,
        };
        self.operations.note(given.at, handles::plain(socket), outcome, told);
    }

    /// Packets that the program posted come once too.
    fn hold_posted(&self) {
        for (number, port) in &self.posted {
            let count = self.operations.packets_of(*number);
            let lost = count == 0 && !self.handles.is_port(*port);
            assert!(count == 1 || lost, "a posted packet came {count} times");
        }
    }
}

/// An OVERLAPPED as a call is given it.
#[derive(Clone, Copy)]
struct Given {
    at: *mut u8,
    /// It is one.
    is_good: bool,
    /// Its `hEvent`.
    event: usize,
}

/// How a call ended that fails with this value.
fn outcome(failed: bool) -> Outcome {
    match failed.then(error) {
        None => Outcome::Done,
        Some(sockets::IO_PENDING) => Outcome::Pending,
        Some(error) => Outcome::Refused(error),
    }
}

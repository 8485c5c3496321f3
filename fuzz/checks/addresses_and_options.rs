//! Any octets as an address and as the value of an option, of any length: taken or refused, and
//! nothing is written beyond the room there is; what was set can be asked for, and what was refused
//! has changed nothing.
//!
//! Nothing leaves this host: what reads as an address of another is turned into one of this.

#[path = "addresses_and_options/addresses.rs"]
mod addresses;
#[path = "addresses_and_options/options.rs"]
mod options;

use crate::c::memory::Memory;
use crate::c::script::Script;
use crate::c::sockets::{self, FLAVOURS, Flavour, call, error, forget_error};
use linsock_c::abi::SOCKET;
use linsock_c::winsock2::connection::listen;

/// Calls in one run.
const STEPS_MAX: usize = 64;

/// A call with an address or an option.
type Step = fn(&mut Run<'_>);

struct Run<'a> {
    script: Script<'a>,
    memory: Memory,
    /// One of each flavour that has been asked for; two that are connected.
    sockets: Vec<(SOCKET, Flavour)>,
    /// Ports of this run, where somebody may send to.
    ports: Vec<u16>,
}

pub(crate) fn check(octets: &[u8]) {
    sockets::startup();
    let mut run = Run::begin(Script::new(octets));
    for _ in 0..STEPS_MAX {
        let Some(kind) = run.script.next() else { break };
        if run.memory.is_nearly_used() {
            break;
        }
        let steps = if kind & 1 == 0 { addresses::STEPS } else { options::STEPS };
        let step = steps[usize::from(kind >> 1) % steps.len()];
        forget_error();
        step(&mut run);
        run.memory.hold();
    }
    run.end();
}

impl<'a> Run<'a> {
    fn begin(script: Script<'a>) -> Self {
        let mut run =
            Self { script, memory: Memory::new(), sockets: Vec::new(), ports: Vec::new() };
        let (listener, at) = sockets::listener(Flavour::Tcp).expect("a listener");
        let pair = sockets::connection(Flavour::Tcp, listener, &at).expect("a connection");
        let datagrams = sockets::datagram_pair(Flavour::Udp).expect("two bound sockets");
        let name = sockets::name_of(datagrams[0]).expect("a bound socket");
        run.ports.extend([&at, &name].map(|at| u16::from_be_bytes([at[2], at[3]])));
        run.sockets.extend([listener, pair[0], pair[1]].map(|s| (s, Flavour::Tcp)));
        run.sockets.extend(datagrams.map(|s| (s, Flavour::Udp)));
        run
    }

    fn end(self) {
        for (s, _) in &self.sockets {
            sockets::close(*s);
        }
        self.memory.hold();
        sockets::remove_paths();
    }

    /// A new socket, or one that has been used.
    fn socket(&mut self) -> (SOCKET, Flavour) {
        let flavour = self.script.pick(&FLAVOURS);
        if self.script.rarely(3)
            && self.sockets.len() < STEPS_MAX
            && let Some(s) = sockets::open(flavour)
        {
            self.sockets.push((s, flavour));
        }
        let last = self.sockets.len() - 1;
        if self.script.rarely(2) {
            return self.sockets[last];
        }
        self.sockets[self.script.below(last + 1)]
    }
}

/// Whether a call has worked; one that has not says why, in one of its own words.
fn worked(is_so: bool) -> bool {
    if !is_so {
        error();
    }
    is_so
}

/// A bound socket listens.
fn listens(s: SOCKET) -> bool {
    worked(call!(listen(s, 1)) == 0)
}

//! socket, bind, listen, accept, connect, shutdown, closesocket, the names.

use linsock_c::abi::{INVALID_SOCKET, SOCKET, WSABUF};
use linsock_c::winsock2::connection::{
    WSAAccept, WSAConnect, WSASocketA, WSASocketW, accept, bind, closesocket, connect, getpeername,
    getsockname, listen, shutdown, socket,
};

use super::{Effect, Run, SOCKETS_MAX, Step, outcome};
use crate::c::memory::{Lent, Use};
use crate::c::sockets::{self, FLAVOURS, Flavour, call, connect_to, set_nonblocking};

pub(crate) const STEPS: &[Step] = &[
    open,
    open_by_info,
    bind_it,
    listen_at_it,
    visit,
    visit,
    accept_one,
    accept_one_if,
    connect_it,
    connect_it_with_data,
    shut_it_down,
    close_it,
    ask_its_name,
    ask_its_peer,
];

/// Room for every address.
const NAME: usize = 112;

fn flavour_of([family, socket_type, protocol]: [i32; 3]) -> Flavour {
    match (family, socket_type, protocol) {
        (23, 2, _) | (23, 0, 17) => Flavour::Udp6,
        (23, ..) => Flavour::Tcp6,
        (1, ..) => Flavour::Unix,
        (7, _, 25) => Flavour::IsoClass0,
        (7, ..) => Flavour::Iso,
        (_, 2, _) | (_, 0, 17) => Flavour::Udp,
        _ => Flavour::Tcp,
    }
}

impl Run<'_> {
    /// A socket of a kind, for a call that needs an unused one; or any.
    pub(crate) fn unused_socket(&mut self, flavour: Flavour) -> SOCKET {
        if self.handles.count_sockets() >= SOCKETS_MAX || self.script.rarely(3) {
            return self.socket();
        }
        match sockets::open(flavour) {
            Some(s) => {
                self.handles.add_socket(s, flavour, true);
                s
            }
            None => INVALID_SOCKET,
        }
    }

    fn add_opened(&mut self, s: SOCKET, flavour: Flavour, overlapped: bool) {
        if outcome(s == INVALID_SOCKET).is_refused() {
            return;
        }
        set_nonblocking(s);
        self.handles.add_socket(s, flavour, overlapped);
    }

    /// Family, type and protocol: of a provider, nearly, or any.
    fn numbers(&mut self) -> [i32; 3] {
        let mut numbers = self.script.pick(&FLAVOURS).numbers();
        match self.script.below(8) {
            0..=3 => {}
            4 => numbers[self.script.below(3)] = 0,
            5 => numbers[self.script.below(3)] = -1,
            6 => numbers[self.script.below(3)] = i32::from(self.script.octet()),
            _ => numbers[self.script.below(3)] = self.script.number().cast_signed(),
        }
        numbers
    }

    pub(crate) fn flavour_of_socket(&mut self, s: SOCKET) -> Flavour {
        let known = self.handles.find(s).map(|entry| entry.flavour);
        known.unwrap_or_else(|| self.script.pick(&FLAVOURS))
    }

    /// An address to bind to.
    fn own_address(&mut self, s: SOCKET) -> Vec<u8> {
        let flavour = self.flavour_of_socket(s);
        let address = flavour.loopback();
        self.spoilt(address)
    }

    /// An address to connect or send to: nobody but this run listens there.
    pub(crate) fn target_address(&mut self, s: SOCKET) -> Vec<u8> {
        let flavour = self.flavour_of_socket(s);
        let target = self.targets.iter().find(|(of, _)| *of == flavour);
        let address = target.map_or_else(|| flavour.loopback(), |(_, at)| at.clone());
        self.spoilt(address)
    }

    /// An address, or something like one.
    fn spoilt(&mut self, mut address: Vec<u8>) -> Vec<u8> {
        match self.script.below(12) {
            0..=7 => {}
            8 => address = self.script.pick(&FLAVOURS).loopback(),
            // The wildcard, or no path.
            9 => address[2..].fill(0),
            // Part of a path may be a path elsewhere.
            10 if address[0] == 1 => address.truncate(self.script.below(3)),
            10 => address.truncate(self.script.below(address.len() + 1)),
            // No family has such a number.
            _ => address[1] = 0x77,
        }
        address
    }

    pub(crate) fn lend_address(&mut self, address: &[u8]) -> Lent {
        self.memory.lend(&mut self.script, address, Use::Read)
    }

    /// A place for an address, and one for its length.
    pub(crate) fn room_for_address(&mut self) -> (*mut u8, *mut i32) {
        let name = self.memory.room(&mut self.script, NAME);
        let len = self.memory.number(&mut self.script, name.told);
        (name.at, len.cast())
    }

    fn after_accept(&mut self, listener: SOCKET, accepted: SOCKET) {
        let outcome = outcome(accepted == INVALID_SOCKET);
        self.after(listener, outcome, Effect::None);
        let Some(entry) = self.handles.find(listener) else { return };
        if !outcome.is_refused() {
            let (flavour, overlapped) = (entry.flavour, entry.overlapped);
            self.handles.add_socket(accepted, flavour, overlapped).reached = true;
        }
    }

    pub(crate) fn note_reached(&mut self, s: SOCKET) {
        if let Some(entry) = self.handles.find_mut(s) {
            entry.reached = true;
        }
    }
}

fn open(run: &mut Run<'_>) {
    if run.handles.count_sockets() < SOCKETS_MAX {
        let [family, socket_type, protocol] = run.numbers();
        let s = call!(socket(family, socket_type, protocol));
        run.add_opened(s, flavour_of([family, socket_type, protocol]), true);
    }
}

fn open_by_info(run: &mut Run<'_>) {
    if run.handles.count_sockets() >= SOCKETS_MAX {
        return;
    }
    let (numbers, [family, socket_type, protocol]) = (run.numbers(), run.numbers());
    let mut info = vec![0; 628];
    for (at, number) in [76, 88, 92].into_iter().zip(numbers) {
        info[at..at + 4].copy_from_slice(&number.to_ne_bytes());
    }
    let info = match run.script.rarely(2) {
        true => run.memory.pointer(&mut run.script, &info, Use::Read),
        false => std::ptr::null_mut(),
    };
    let flags = run.script.flags(&[0x01, 0x80, 0x02, 0x100]);
    let (is_wide, group) = (run.script.rarely(2), run.script.number());
    let s = match is_wide {
        true => call!(WSASocketW(family, socket_type, protocol, info, group, flags)),
        false => call!(WSASocketA(family, socket_type, protocol, info, group, flags)),
    };
    let asked = [family, socket_type, protocol];
    let pick = |at: usize| if asked[at] == -1 { numbers[at] } else { asked[at] };
    run.add_opened(s, flavour_of([pick(0), pick(1), pick(2)]), flags & 1 != 0);
}

fn bind_it(run: &mut Run<'_>) {
    let flavour = run.script.pick(&FLAVOURS);
    let s = run.unused_socket(flavour);
    let address = run.own_address(s);
    let name = run.lend_address(&address);
    let bound = outcome(call!(bind(s, name.at, name.told_signed())) != 0);
    run.after(s, bound, Effect::Changes);
    run.note_reached(s);
}

fn listen_at_it(run: &mut Run<'_>) {
    let s = run.socket();
    let backlog = run.script.pick(&[5, 0, -1, i32::MAX, i32::MIN]);
    let listens = outcome(call!(listen(s, backlog)) != 0);
    run.after(s, listens, Effect::Changes);
}

/// Somebody connects to a listener of the run.
fn visit(run: &mut Run<'_>) {
    let (flavour, at) = run.targets[run.script.below(run.targets.len())].clone();
    if run.handles.count_sockets() < SOCKETS_MAX
        && let Some(s) = sockets::open(flavour)
    {
        connect_to(s, &at);
        run.handles.add_socket(s, flavour, true).reached = true;
    }
}

fn accept_one(run: &mut Run<'_>) {
    if run.handles.count_sockets() < SOCKETS_MAX {
        let (s, (name, len)) = (run.socket(), run.room_for_address());
        let accepted = call!(accept(s, name, len));
        run.after_accept(s, accepted);
    }
}

/// CF_ACCEPT, CF_REJECT, CF_DEFER or none of them, as the context says.
unsafe extern "system" fn condition(
    _: *mut WSABUF,
    _: *mut WSABUF,
    _: *mut u8,
    _: *mut u8,
    _: *mut WSABUF,
    _: *mut WSABUF,
    _: *mut u32,
    context: usize,
) -> i32 {
    i32::try_from(context).unwrap_or(0)
}

fn accept_one_if(run: &mut Run<'_>) {
    if run.handles.count_sockets() < SOCKETS_MAX {
        let (s, (name, len)) = (run.socket(), run.room_for_address());
        let context = run.script.below(4);
        let accepted = match run.script.rarely(4) {
            true => call!(WSAAccept(s, name, len, None, context)),
            false => call!(WSAAccept(s, name, len, Some(condition), context)),
        };
        run.after_accept(s, accepted);
    }
}

fn connect_it(run: &mut Run<'_>) {
    let flavour = run.script.pick(&FLAVOURS);
    let s = run.unused_socket(flavour);
    let address = run.target_address(s);
    let name = run.lend_address(&address);
    let connected = outcome(call!(connect(s, name.at, name.told_signed())) != 0);
    run.after(s, connected, Effect::Changes);
    run.note_reached(s);
}

fn connect_it_with_data(run: &mut Run<'_>) {
    let flavour = run.script.pick(&[Flavour::Tcp, Flavour::Iso, Flavour::IsoClass0]);
    let s = run.unused_socket(flavour);
    let address = run.target_address(s);
    let name = run.lend_address(&address);
    let caller = run.one_wsabuf(Use::Read);
    let callee = run.one_wsabuf(Use::Write);
    let len = name.told_signed();
    let (no_qos, none) = (std::ptr::null(), std::ptr::null());
    let connected = call!(WSAConnect(s, name.at, len, caller, callee, no_qos, none));
    let connected = outcome(connected != 0);
    run.after(s, connected, Effect::Changes);
    run.note_reached(s);
}

fn shut_it_down(run: &mut Run<'_>) {
    let s = run.socket();
    let how = run.script.pick(&[0, 1, 2, 3, -1]);
    let shut = outcome(call!(shutdown(s, how)) != 0);
    run.after(s, shut, Effect::Changes);
}

fn close_it(run: &mut Run<'_>) {
    let s = run.socket();
    let closed = outcome(call!(closesocket(s)) != 0);
    run.after(s, closed, Effect::Changes);
    if !closed.is_refused() {
        run.handles.note_closed(s);
    }
}

fn ask_its_name(run: &mut Run<'_>) {
    let (s, (name, len)) = (run.socket(), run.room_for_address());
    let named = outcome(call!(getsockname(s, name, len)) != 0);
    run.after(s, named, Effect::None);
}

fn ask_its_peer(run: &mut Run<'_>) {
    let (s, (name, len)) = (run.socket(), run.room_for_address());
    let named = outcome(call!(getpeername(s, name, len)) != 0);
    run.after(s, named, Effect::None);
}

//! AcceptEx, ConnectEx, DisconnectEx and what belongs to them; WSASendDisconnect and
//! WSARecvDisconnect.

use linsock_c::abi::SOCKET;
use linsock_c::mswsock::{AcceptEx, ConnectEx, DisconnectEx, GetAcceptExSockaddrs};
use linsock_c::winsock2::disconnect::{WSARecvDisconnect, WSASendDisconnect};

use super::{Effect, Given, Run, Step, outcome};
use crate::c::memory::Use;
use crate::c::operations::{Outcome, SIZE, fresh};
use crate::c::sockets::{FLAVOURS, Flavour, bind_to, call};

pub(crate) const STEPS: &[Step] = &[
    accept_it,
    connect_it,
    disconnect_it,
    find_addresses,
    find_addresses_in_anything,
    send_disconnect,
    recv_disconnect,
];

const TF_REUSE_SOCKET: u32 = 2;
/// More than a step may use of the memory.
const TOO_LONG: u64 = 4000;

/// The buffer of an AcceptEx.
#[derive(Clone, Copy)]
pub(crate) struct Accepting {
    at: *mut u8,
    receive: u32,
    local: u32,
    remote: u32,
}

/// Octets of the largest address, and 16.
const fn address_room(flavour: Flavour) -> u32 {
    match flavour {
        Flavour::Tcp | Flavour::Udp => 32,
        Flavour::Tcp6 | Flavour::Udp6 => 44,
        Flavour::Unix => 126,
        Flavour::Iso | Flavour::IsoClass0 => 88,
    }
}

impl Run<'_> {
    fn area(&mut self, flavour: Flavour) -> u32 {
        let exact = address_room(flavour);
        match self.script.below(16) {
            0..=9 => exact,
            10 | 11 => 0,
            12 => 1,
            13 => exact - 1,
            14 => exact + 8,
            _ => self.script.pick(&[u32::MAX, 1 << 31]),
        }
    }

    fn buffer_of_accept(&mut self, flavour: Flavour) -> Accepting {
        let receive = self.script.pick(&[0, 0, 0, 1, 10, 200, u32::MAX]);
        let (local, remote) = (self.area(flavour), self.area(flavour));
        let whole = u64::from(receive) + u64::from(local) + u64::from(remote);
        let len = usize::try_from(whole).ok().filter(|_| whole < TOO_LONG);
        let at = match len {
            Some(len) => self.memory.place_for(&mut self.script, len),
            None => self.memory.place_for_less(),
        };
        Accepting { at, receive, local, remote }
    }

    /// What DisconnectEx is given: without an OVERLAPPED it would wait for a peer.
    pub(crate) fn given_for_disconnect(&mut self, s: SOCKET, is_valid: bool) -> Given {
        let given = self.overlapped();
        let waits = self.handles.find(s).is_some_and(|entry| entry.reached);
        if given.at.is_null() && is_valid && waits {
            let at = self.memory.plain(&fresh(0));
            return Given { at, is_good: self.memory.is_good(at, SIZE), event: 0 };
        }
        given
    }
}

fn accept_it(run: &mut Run<'_>) {
    let listener = match run.script.rarely(4) {
        true => run.socket(),
        false => run.script.pick(&run.handles.listeners()),
    };
    let flavour = run.flavour_of_socket(listener);
    let acceptor = run.unused_socket(flavour);
    let buffer = run.buffer_of_accept(flavour);
    let received = run.memory.place_for(&mut run.script, 4);
    let given = run.overlapped();
    let Accepting { at, receive, local, remote } = buffer;
    let (received, ov) = (received.cast(), given.at.cast());
    let result = call!(AcceptEx(listener, acceptor, at, receive, local, remote, received, ov));
    let accepted = outcome(result == 0);
    assert_ne!(accepted, Outcome::Done, "AcceptEx always pends");
    if !run.handles.is_socket(acceptor) {
        assert!(accepted.is_refused(), "an AcceptEx into no socket");
    }
    run.after_pair(acceptor, accepted, Effect::Changes);
    run.after_operation(listener, given, false, accepted, Effect::Changes);
    if !accepted.is_refused() {
        run.note_reached(acceptor);
        run.accepting.push(buffer);
    }
}

fn connect_it(run: &mut Run<'_>) {
    let flavour = run.script.pick(&FLAVOURS);
    let s = run.unused_socket(flavour);
    let flavour = run.flavour_of_socket(s);
    if !run.script.rarely(4) && Some(s) != run.intact.map(|[a, _]| a) {
        bind_to(s, &flavour.loopback());
    }
    let address = run.target_address(s);
    let name = run.lend_address(&address);
    let data = run.outgoing();
    let sent = run.memory.place_for(&mut run.script, 4).cast();
    let given = run.overlapped();
    let (len, ov) = (name.told_signed(), given.at.cast());
    let result = call!(ConnectEx(s, name.at, len, data.at, data.told, sent, ov));
    let connected = outcome(result == 0);
    assert_ne!(connected, Outcome::Done, "ConnectEx always pends");
    run.after_operation(s, given, false, connected, Effect::Changes);
    run.note_reached(s);
}

fn disconnect_it(run: &mut Run<'_>) {
    let s = run.socket();
    let flags = run.script.pick(&[0, TF_REUSE_SOCKET, TF_REUSE_SOCKET, 1, 3, 0xFFFF_FFFF]);
    let reserved = u32::from(run.script.rarely(8));
    let is_valid = [0, TF_REUSE_SOCKET].contains(&flags) && reserved == 0;
    let given = run.given_for_disconnect(s, is_valid);
    let disconnected = outcome(call!(DisconnectEx(s, given.at.cast(), flags, reserved)) == 0);
    assert_ne!(disconnected, Outcome::Done, "DisconnectEx pends, where it may not wait");
    run.after_operation(s, given, false, disconnected, Effect::Changes);
}

fn find(run: &mut Run<'_>, buffer: Accepting) {
    let mut place = |len: usize| run.memory.place_for(&mut run.script, len);
    let outputs = [place(8), place(4), place(8), place(4)];
    let [local_at, local_len, remote_at, remote_len] = outputs;
    let Accepting { at, receive, local, remote } = buffer;
    call!(GetAcceptExSockaddrs(
        at,
        receive,
        local,
        remote,
        local_at.cast(),
        local_len.cast(),
        remote_at.cast(),
        remote_len.cast()
    ));
}

fn find_addresses(run: &mut Run<'_>) {
    if !run.accepting.is_empty() {
        let buffer = run.accepting[run.script.below(run.accepting.len())];
        find(run, buffer);
    }
}

/// A buffer that no AcceptEx has written, with the mark of an address that is yet to be looked up.
fn find_addresses_in_anything(run: &mut Run<'_>) {
    let (flavour, handle) = (run.script.pick(&FLAVOURS), run.socket());
    let (local, remote) = (run.area(flavour).min(500), run.area(flavour).min(500));
    let mut octets = vec![0; local as usize + remote as usize];
    let [family, ..] = flavour.numbers();
    let deferred = [&[0xFF; 4], &family.to_ne_bytes()[..], &handle.to_ne_bytes()].concat();
    let at = if run.script.rarely(2) { local as usize } else { 0 };
    let count = deferred.len().min(octets.len() - at);
    octets[at..at + count].copy_from_slice(&deferred[..count]);
    let at = run.memory.pointer(&mut run.script, &octets, Use::Write);
    find(run, Accepting { at, receive: 0, local, remote });
}

fn send_disconnect(run: &mut Run<'_>) {
    let (s, data) = (run.socket(), run.one_wsabuf(Use::Read));
    let sent = outcome(call!(WSASendDisconnect(s, data)) != 0);
    run.after(s, sent, Effect::Changes);
}

fn recv_disconnect(run: &mut Run<'_>) {
    let (s, data) = (run.socket(), run.one_wsabuf(Use::Write));
    let received = outcome(call!(WSARecvDisconnect(s, data)) != 0);
    run.after(s, received, Effect::Changes);
}

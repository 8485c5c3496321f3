//! WSADuplicateSocket, and sockets that are made of what it gives.

use linsock_c::abi::{INVALID_SOCKET, SOCKET};
use linsock_c::winsock2::connection::{WSASocketW, closesocket};
use linsock_c::winsock2::duplicate::{WSADuplicateSocketA, WSADuplicateSocketW};

use super::{Effect, Run, Step, outcome};
use crate::c::memory::Use;
use crate::c::operations::Outcome;
use crate::c::sockets::call;

pub(crate) const STEPS: &[Step] = &[describe, duplicate];

/// WSAPROTOCOL_INFOW.
const DESCRIPTION: usize = 628;

/// Where it has the handle, which is there from the description on.
const HANDLE_AT: usize = 112;

fn close(handle: SOCKET) {
    assert_eq!(call!(closesocket(handle)), 0, "the duplicate is open");
    assert_ne!(call!(closesocket(handle)), 0, "the duplicate is closed");
}

/// A description in memory of any kind, for our process or one that there cannot be: nobody else is
/// to be given a socket.
fn describe(run: &mut Run<'_>) {
    let s = run.socket();
    let own = std::process::id();
    let process = match run.script.pick_or_any(&[own.cast_signed(), 0, -1]).cast_unsigned() {
        same if same == own => own,
        0 => 0,
        other => other | 1 << 31,
    };
    let at = run.memory.place_for(&mut run.script, DESCRIPTION);
    let told = match run.script.rarely(2) {
        true => call!(WSADuplicateSocketA(s, process, at.cast())),
        false => call!(WSADuplicateSocketW(s, process, at.cast())),
    };
    let told = outcome(told != 0);
    run.after(s, told, Effect::None);
    if told == Outcome::Done {
        // SAFETY: the call has written there, and memory of a run stays until it is over.
        let handle = unsafe { at.wrapping_add(HANDLE_AT).cast::<u32>().read_unaligned() };
        close(handle as SOCKET);
    }
}

/// Another handle of a socket, from its description as it is or with an octet changed. It is one
/// more: closing it changes nothing for the first.
fn duplicate(run: &mut Run<'_>) {
    let s = run.socket();
    let mut description = [0_u8; DESCRIPTION];
    let at = description.as_mut_ptr();
    let told = outcome(call!(WSADuplicateSocketW(s, std::process::id(), at.cast())) != 0);
    run.after(s, told, Effect::None);
    if told != Outcome::Done {
        return;
    }
    let handle = u32::from_ne_bytes(description[HANDLE_AT..][..4].try_into().expect("four"));
    let handle = handle as SOCKET;
    if run.script.rarely(3) {
        let place = run.script.below(DESCRIPTION);
        description[place] ^= run.script.octet().max(1);
    }
    let given = run.memory.pointer(&mut run.script, &description, Use::Read);
    let [family, socket_type, protocol] = [(); 3].map(|()| run.script.pick(&[-1, -1, -1, 0, 2]));
    let made = call!(WSASocketW(family, socket_type, protocol, given.cast_const().cast(), 0, 1));
    if made != INVALID_SOCKET {
        assert_ne!(made, s, "a handle of its own");
        close(made);
    }
    if made != handle {
        close(handle);
    }
}

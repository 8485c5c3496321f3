//! setsockopt and getsockopt, with any octets as a value.

use linsock_c::abi::SOCKET;
use linsock_c::winsock2::connection::connect;
use linsock_c::winsock2::ioctl::WSAIoctl;
use linsock_c::winsock2::option::{getsockopt, setsockopt};

use super::{Run, Step, worked};
use crate::c::memory::Use;
use crate::c::sockets::{self, Flavour, call, error};

pub(crate) const STEPS: &[Step] = &[set, get, set_and_get, set_and_get, set_and_connect];

const SOL_SOCKET: i32 = 0xFFFF;
const IPPROTO_TCP: i32 = 6;
const IPPROTO_IPV6: i32 = 41;
const IPV6_V6ONLY: i32 = 27;
const WSAEWOULDBLOCK: u32 = 10035;
const SO_SNDBUF: i32 = 0x1001;
const SO_RCVBUF: i32 = 0x1002;

const LEVELS: &[i32] = &[SOL_SOCKET, SOL_SOCKET, SOL_SOCKET, IPPROTO_TCP, IPPROTO_IPV6, 0, 17, -1];
/// Those that linsock knows.
const NAMES: &[i32] = &[
    0x0001, 0x0002, 0x0004, 0x0008, 0x0010, 0x0020, 0x0080, 0x0100, !0x0080, !0x0004, 0x1001,
    0x1002, 0x1005, 0x1006, 0x1007, 0x1008, 0x2003, 0x2004, 0x2005, 0x3002, 0x7000, 0x7001, 0x7002,
    0x7003, 0x7004, 0x7005, 0x7006, 0x7007, 0x700B, 0x700C, 0x7010, 27,
    // Of IPPROTO_IP, IPPROTO_IPV6 and IPPROTO_TCP.
    2, 3, 4, 5, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 41, 42,
];
/// User data of connects and disconnects, which there may be none of.
const USER_DATA: std::ops::RangeInclusive<i32> = 0x7000..=0x7007;

/// What the value of an option is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Word,
    Linger,
}

/// Options that are given as they were set.
const KEPT: &[(i32, i32, Kind)] = &[
    // SO_DEBUG, SO_REUSEADDR, SO_KEEPALIVE, SO_DONTROUTE, SO_BROADCAST, SO_OOBINLINE.
    (SOL_SOCKET, 0x0001, Kind::Bool),
    (SOL_SOCKET, 0x0004, Kind::Bool),
    (SOL_SOCKET, 0x0008, Kind::Bool),
    (SOL_SOCKET, 0x0010, Kind::Bool),
    (SOL_SOCKET, 0x0020, Kind::Bool),
    (SOL_SOCKET, 0x0100, Kind::Bool),
    // SO_DONTLINGER, SO_EXCLUSIVEADDRUSE, SO_CONDITIONAL_ACCEPT.
    (SOL_SOCKET, !0x0080, Kind::Bool),
    (SOL_SOCKET, !0x0004, Kind::Bool),
    (SOL_SOCKET, 0x3002, Kind::Bool),
    (SOL_SOCKET, 0x0080, Kind::Linger),
    (SOL_SOCKET, SO_SNDBUF, Kind::Word),
    (SOL_SOCKET, SO_RCVBUF, Kind::Word),
    // SO_SNDTIMEO, SO_RCVTIMEO.
    (SOL_SOCKET, 0x1005, Kind::Word),
    (SOL_SOCKET, 0x1006, Kind::Word),
    (IPPROTO_TCP, 0x0001, Kind::Bool),
    (IPPROTO_IPV6, IPV6_V6ONLY, Kind::Bool),
];

/// What is given when these octets were set.
fn given(kind: Kind, set: &[u8]) -> Option<Vec<u8>> {
    let front = &set[..set.len().min(4)];
    match kind {
        Kind::Bool => {
            let on = front.iter().any(|octet| *octet != 0);
            Some(u32::from(on).to_ne_bytes().to_vec())
        }
        Kind::Word => Some(front.to_vec()),
        Kind::Linger => match front {
            [0, 0, ..] => Some(vec![0; 4]),
            [_, _, seconds @ ..] => Some([&1_u16.to_ne_bytes()[..], seconds].concat()),
            _ => None,
        },
    }
}

/// An option as it is now.
fn ask(s: SOCKET, level: i32, name: i32) -> Option<Vec<u8>> {
    let (mut octets, mut len) = ([0xA5; 8], 4);
    let got = worked(call!(getsockopt(s, level, name, octets.as_mut_ptr(), &raw mut len)) == 0);
    assert_eq!(octets[4..], [0xA5; 4], "{level:#x} {name:#x}");
    assert_eq!(len, 4, "{level:#x} {name:#x}");
    got.then(|| octets[..4].to_vec())
}

impl Run<'_> {
    fn option(&mut self) -> [i32; 2] {
        [self.script.pick(LEVELS), self.script.pick_or_any(NAMES)]
    }

    fn value(&mut self) -> Vec<u8> {
        match self.script.below(5) {
            4 => self.group(),
            0 => u32::from(self.script.octet() & 1).to_ne_bytes().to_vec(),
            1 | 2 => self.script.number().to_ne_bytes().to_vec(),
            _ => self.script.octets().to_vec(),
        }
    }

    /// ip_mreq, ip_mreq_source, ipv6_mreq, group_req: of this host, or of nobody.
    fn group(&mut self) -> Vec<u8> {
        let len = self.script.pick(&[8, 12, 20, 136, 11, 19, 135]);
        let mut octets = vec![0; len];
        let front: [u8; 4] = self.script.pick(&[[224, 0, 0, 251], [0xFF, 1, 0, 0], [1, 0, 0, 0]]);
        octets[..4].copy_from_slice(&front);
        if len > 130 {
            octets[8] = self.script.pick(&[2, 23]);
            octets[12..16].copy_from_slice(&[224, 0, 0, 251]);
        }
        for _ in 0..self.script.below(4) {
            let (at, octet) = (self.script.below(len), self.script.octet());
            octets[at] = octet;
        }
        octets
    }
}

fn set(run: &mut Run<'_>) {
    let ((s, _), [level, name], value) = (run.socket(), run.option(), run.value());
    let value = run.memory.lend(&mut run.script, &value, Use::Read);
    worked(call!(setsockopt(s, level, name, value.at, value.told_signed())) == 0);
}

fn get(run: &mut Run<'_>) {
    let ((s, _), [level, name]) = (run.socket(), run.option());
    let len = run.script.pick(&[4, 4, 1, 2, 8, 0, 3, 64, 372, 628, 1100, 12, 20, 136]);
    let room = run.memory.room(&mut run.script, len);
    let len = run.memory.number(&mut run.script, room.told);
    let got = worked(call!(getsockopt(s, level, name, room.at, len.cast())) == 0);
    run.hold_room(room, len, got);
    if got {
        let is_data = level == SOL_SOCKET && USER_DATA.contains(&name);
        let len = crate::c::memory::read(len, 4);
        assert!(is_data || len != [0; 4], "{level:#x} {name:#x} has no value");
    }
}

/// What was set is given; what was refused has changed nothing.
fn set_and_get(run: &mut Run<'_>) {
    let ((s, flavour), (level, name, kind)) = (run.socket(), run.script.pick(KEPT));
    let octets = run.value();
    let before = ask(s, level, name);
    let value = run.memory.lend(&mut run.script, &octets, Use::Read);
    let set = worked(call!(setsockopt(s, level, name, value.at, value.told_signed())) == 0);
    let after = ask(s, level, name);
    // TODO: of SO_SNDBUF and SO_RCVBUF a number that the kernel refuses is kept all the same
    // (winsock/src/option.rs, `Options::set`).
    if !set && [SO_SNDBUF, SO_RCVBUF].contains(&name) {
        return;
    }
    if !set {
        assert_eq!(after, before, "{level:#x} {name:#x} of {flavour:?} was refused");
        return;
    }
    let told = value.told as usize;
    let is_v6_only = (level, name) == (IPPROTO_IPV6, IPV6_V6ONLY);
    // What is not of this family can be set and not be asked for.
    if told > octets.len() || is_v6_only && before.is_none() {
        return;
    }
    let expected = given(kind, &octets[..told]);
    assert_eq!(after, expected, "{level:#x} {name:#x} of {flavour:?} was set");
}

const SIO_KEEPALIVE_VALS: u32 = 0x9800_0004;

fn keep_alive(s: SOCKET, values: [u32; 3]) {
    let (none, mut written) = (std::ptr::null_mut(), 0);
    let (input, ov) = (values.map(u32::to_ne_bytes).concat(), std::ptr::null_mut());
    let (at, out) = (input.as_ptr(), &raw mut written);
    worked(call!(WSAIoctl(s, SIO_KEEPALIVE_VALS, at, 12, none, 0, out, ov, None)) == 0);
}

/// Whatever was set before there was a descriptor does not keep a socket from connecting.
fn set_and_connect(run: &mut Run<'_>) {
    let flavour = run.script.pick(&[Flavour::Tcp, Flavour::Unix, Flavour::Iso, Flavour::Tcp6]);
    let Some((listener, at)) = sockets::listener(flavour) else { return };
    let s = sockets::open(flavour).expect("a socket as the listener is");
    for _ in 0..run.script.below(4) {
        let (level, name, _) = run.script.pick(KEPT);
        let mut value = run.script.number();
        if [SO_SNDBUF, SO_RCVBUF].contains(&name) {
            // TODO: what the kernel refuses is refused by connect only.
            value &= i32::MAX.cast_unsigned();
        }
        worked(call!(setsockopt(s, level, name, value.to_ne_bytes().as_ptr(), 4)) == 0);
    }
    // TODO: a Unix socket takes keep-alive times, and cannot connect then.
    if run.script.rarely(4) && flavour != Flavour::Unix {
        let (time, interval) = (run.script.number(), run.script.number());
        keep_alive(s, [1, time, interval]);
    }
    let connects = worked(call!(connect(s, at.as_ptr(), sockets::len_of(&at))) == 0);
    assert!(connects || error() == WSAEWOULDBLOCK, "{flavour:?} cannot connect: {}", error());
    sockets::close(s);
    sockets::close(listener);
}

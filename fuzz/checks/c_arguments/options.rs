//! setsockopt, getsockopt, ioctlsocket, WSAIoctl.

use linsock_c::winsock2::ioctl::WSAIoctl;
use linsock_c::winsock2::option::{getsockopt, ioctlsocket, setsockopt};

use super::{Effect, Run, Step, outcome};
use crate::c::memory::{Lent, Use};
use crate::c::operations::routine;
use crate::c::sockets::call;

pub(crate) const STEPS: &[Step] = &[set, get, control, control_it];

const LEVELS: &[i32] = &[0xFFFF, 0xFFFF, 0xFFFF, 6, 41, 0, 17, -1];
/// Those of `SOL_SOCKET`, `IPPROTO_TCP` and `IPPROTO_IPV6` that linsock knows.
const NAMES: &[i32] = &[
    0x0001, 0x0002, 0x0004, 0x0008, 0x0010, 0x0020, 0x0080, 0x0100, !0x0080, !0x0004, 0x1001,
    0x1002, 0x1005, 0x1006, 0x1007, 0x1008, 0x2003, 0x2004, 0x2005, 0x3002, 0x7000, 0x7001, 0x7002,
    0x7003, 0x7004, 0x7005, 0x7006, 0x7007, 0x700B, 0x700C, 0x7010, 27,
    // Of IPPROTO_IP, IPPROTO_IPV6 and IPPROTO_TCP.
    2, 3, 4, 5, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 41, 42,
    // Of what datagrams tell of their way, ports and paths.
    21, 31, 39, 40, 71, 73, 0x3005, 0x3006, 0x3007,
];
/// Octets that options have.
const LENGTHS: &[usize] = &[4, 4, 4, 1, 2, 8, 0, 3, 64, 372, 628, 12, 20, 136];

const FIONBIO: u32 = 0x8004_667E;
const FIONREAD: u32 = 0x4004_667F;
const SIOCATMARK: u32 = 0x4004_7307;
const SIO_GET_EXTENSION_FUNCTION_POINTER: u32 = 0xC800_0006;
const SIO_KEEPALIVE_VALS: u32 = 0x9800_0004;
const SIO_ROUTING_INTERFACE_QUERY: u32 = 0xC800_0014;
const CODES: &[u32] = &[
    SIO_GET_EXTENSION_FUNCTION_POINTER,
    SIO_KEEPALIVE_VALS,
    // SIO_BASE_HANDLE, SIO_UDP_CONNRESET.
    0x4800_0022,
    0x9800_000C,
    FIONBIO,
    FIONREAD,
    SIOCATMARK,
    SIO_ROUTING_INTERFACE_QUERY,
    // Interfaces, addresses, the broadcast address, TCP's facts, two about speed.
    0x4004_747F,
    0x4800_0016,
    0x4800_0005,
    0xD800_0027,
    0x9800_0010,
    0x4004_747B,
];
/// AcceptEx, GetAcceptExSockaddrs, ConnectEx, DisconnectEx, WSAPoll: `Data1` of each.
const EXTENSIONS: &[u32] = &[0xb536_7df1, 0xb536_7df2, 0x25a2_07b9, 0x7fda_2e11, 0x18c7_6f85];
const GUIDS: [[u8; 12]; 4] = [
    [0xac, 0xcb, 0xcf, 0x11, 0x95, 0xca, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92],
    [0xf3, 0xdd, 0x60, 0x46, 0x8e, 0xe9, 0x76, 0xe5, 0x8c, 0x74, 0x06, 0x3e],
    [0x30, 0x86, 0x6f, 0x43, 0xa0, 0x31, 0xf5, 0x36, 0xa6, 0xee, 0xc1, 0x57],
    [0x66, 0xdc, 0x64, 0x49, 0x97, 0x2e, 0x23, 0xc2, 0x72, 0x38, 0x31, 0x2b],
];

impl Run<'_> {
    fn option(&mut self) -> [i32; 2] {
        [self.script.pick(LEVELS), self.script.pick_or_any(NAMES)]
    }

    /// The value of an option: a handle, a small or a large number, any octets, or groups.
    fn value(&mut self) -> Lent {
        let octets = match self.script.below(5) {
            4 => self.group(),
            0 => self.socket().to_ne_bytes().to_vec(),
            1 => u32::from(self.script.octet()).to_ne_bytes().to_vec(),
            2 => self.script.number().to_ne_bytes().to_vec(),
            _ => self.script.octets().to_vec(),
        };
        self.memory.lend(&mut self.script, &octets, Use::Read)
    }

    /// ip_mreq, ip_mreq_source, ipv6_mreq, group_req: of this host, or of nobody.
    fn group(&mut self) -> Vec<u8> {
        let len = self.script.pick(&[8, 12, 20, 136, 11, 19, 135]);
        let mut octets = vec![0; len];
        let at = if len > 130 { 8 } else { 0 };
        let address = self.script.pick(&[[224, 0, 0, 251], [0xFF, 1, 0, 0], [2, 0, 0, 0]]);
        octets[at..][..3].copy_from_slice(&address[..3]);
        for _ in 0..self.script.below(4) {
            let (at, octet) = (self.script.below(len), self.script.octet());
            octets[at] = octet;
        }
        octets
    }

    /// What an ioctl reads. Nothing makes a socket block.
    fn input_of(&mut self, code: u32) -> Lent {
        let number = self.script.number();
        let octets = match code {
            SIO_GET_EXTENSION_FUNCTION_POINTER => {
                let first = self.script.pick(EXTENSIONS).to_ne_bytes();
                [&first[..], &self.script.pick(&GUIDS)].concat()
            }
            SIO_KEEPALIVE_VALS => {
                let on = u32::from(self.script.octet() & 1);
                [on, number, self.script.number()].map(u32::to_ne_bytes).concat()
            }
            SIO_ROUTING_INTERFACE_QUERY => {
                let at = self.script.below(self.targets.len());
                self.targets[at].1.clone()
            }
            FIONBIO => (number | 1).to_ne_bytes().to_vec(),
            _ => number.to_ne_bytes().to_vec(),
        };
        self.memory.lend(&mut self.script, &octets, Use::Read)
    }
}

fn set(run: &mut Run<'_>) {
    let (s, [level, name], value) = (run.socket(), run.option(), run.value());
    let set = outcome(call!(setsockopt(s, level, name, value.at, value.told_signed())) != 0);
    run.after(s, set, Effect::None);
}

fn get(run: &mut Run<'_>) {
    let (s, [level, name]) = (run.socket(), run.option());
    let len = run.script.pick(LENGTHS);
    let value = run.memory.room(&mut run.script, len);
    let len = run.memory.number(&mut run.script, value.told).cast();
    let got = outcome(call!(getsockopt(s, level, name, value.at, len)) != 0);
    run.after(s, got, Effect::None);
}

fn control(run: &mut Run<'_>) {
    let s = run.socket();
    let command = match run.script.rarely(8) {
        true => run.script.number(),
        false => run.script.pick(&[FIONBIO, FIONREAD, SIOCATMARK]),
    };
    let value = run.script.number() | 1;
    let argument = run.memory.number(&mut run.script, value).cast();
    let done = outcome(call!(ioctlsocket(s, command.cast_signed(), argument)) != 0);
    run.after(s, done, Effect::None);
}

fn control_it(run: &mut Run<'_>) {
    let s = run.socket();
    let code = match run.script.rarely(8) {
        true => run.script.number(),
        false => run.script.pick(CODES),
    };
    let input = run.input_of(code);
    let len = run.script.pick(&[8, 4, 0, 16, 28, 88, 1024]);
    let output = run.memory.room(&mut run.script, len);
    let returned = run.memory.place_for(&mut run.script, 4).cast();
    let given = run.overlapped();
    let with = if run.script.rarely(6) { Some(routine as _) } else { None };
    let (into, out, ov) = (input.at, output.at, given.at.cast());
    let result = call!(WSAIoctl(s, code, into, input.told, out, output.told, returned, ov, with));
    run.after_operation(s, given, with.is_some(), outcome(result != 0), Effect::None);
}

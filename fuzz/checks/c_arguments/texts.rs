//! Texts in UTF-16, addresses as texts, the names of services and protocols.

use linsock_c::kernel32::wide::{MultiByteToWideChar, WideCharToMultiByte};
use linsock_c::ws2tcpip::{
    GetHostNameW, GetNameInfoW, InetNtopW, InetPtonW, WSAAddressToStringA, WSAAddressToStringW,
    WSAHtonl, WSANtohs, WSAStringToAddressA, WSAStringToAddressW, getprotobyname, getprotobynumber,
    getservbyname, getservbyport,
};

use super::{Effect, Run, Step, outcome};
use crate::c::memory::{Lent, Use};
use crate::c::sockets::{FLAVOURS, call};

pub(crate) const STEPS: &[Step] = &[
    write_address,
    read_address,
    wide_address,
    wide_octets,
    service,
    protocol,
    name_it,
    host_name,
    widen,
    narrow,
    swap_for,
];

const NUMERIC: i32 = 2 | 8;
const TEXTS: &[&str] = &[
    "127.0.0.1:80",
    "[::1%1]:0x50",
    "fe80::1%4294967296",
    "1.2.3.4:65536",
    "http",
    "tcp",
    "[::1]",
    "Bücher",
];

impl Run<'_> {
    /// A text in units of two octets; half a pair, or no end, among them.
    pub(crate) fn wide_text(&mut self) -> *mut u16 {
        let mut octets: Vec<u8> = match self.script.rarely(3) {
            true => self.script.octets().to_vec(),
            false => self.script.pick(TEXTS).encode_utf16().flat_map(u16::to_ne_bytes).collect(),
        };
        if self.script.rarely(16) {
            return self.memory.place_with_less(&octets).cast();
        }
        octets.extend([0; 2]);
        self.memory.pointer(&mut self.script, &octets, Use::Read).cast()
    }

    /// A provider, or none; its family is anything.
    fn info(&mut self) -> *mut u8 {
        if !self.script.rarely(4) {
            return std::ptr::null_mut();
        }
        let mut octets = vec![0; 628];
        let family = self.family();
        octets[76..80].copy_from_slice(&family.to_ne_bytes());
        self.memory.pointer(&mut self.script, &octets, Use::Read)
    }

    /// Room for a text in units of so many octets, and the place of its length.
    fn room_for_text(&mut self, unit: u32) -> (Lent, *mut u32) {
        let len = self.script.pick(&[140, 65, 22, 10, 1, 0]);
        let text = self.memory.room(&mut self.script, len);
        let told = self.memory.number(&mut self.script, text.told / unit);
        (text, told.cast())
    }
}

fn write_address(run: &mut Run<'_>) {
    let address = run.script.pick(&FLAVOURS).loopback();
    let (name, info) = (run.lend_address(&address), run.info());
    let is_wide = run.script.rarely(2);
    let (text, len) = run.room_for_text(1 + u32::from(is_wide));
    let (at, told) = (name.at, name.told);
    let failed = match is_wide {
        true => call!(WSAAddressToStringW(at, told, info, text.at.cast(), len)),
        false => call!(WSAAddressToStringA(at, told, info, text.at, len)),
    };
    outcome(failed != 0);
}

fn read_address(run: &mut Run<'_>) {
    let (family, info) = (run.family(), run.info());
    let (at, len) = run.room_for_address();
    let failed = match run.script.rarely(2) {
        true => call!(WSAStringToAddressW(run.wide_text(), family, info, at, len)),
        false => call!(WSAStringToAddressA(run.text(), family, info, at, len)),
    };
    outcome(failed != 0);
}

fn wide_address(run: &mut Run<'_>) {
    let (family, text) = (run.family(), run.wide_text());
    let address = run.memory.place_for(&mut run.script, if family == 23 { 16 } else { 4 });
    outcome(call!(InetPtonW(family, text, address)) == -1);
}

fn wide_octets(run: &mut Run<'_>) {
    let family = run.family();
    let octets: Vec<u8> = (0..16).map(|_| run.script.octet()).collect();
    let address = run.memory.pointer(&mut run.script, &octets, Use::Read);
    let text = run.memory.room(&mut run.script, 130);
    let size = (text.told / 2) as usize;
    outcome(call!(InetNtopW(family, address, text.at.cast(), size)).is_null());
}

fn service(run: &mut Run<'_>) {
    let protocol = if run.script.rarely(2) { run.text() } else { std::ptr::null_mut() };
    let found = match run.script.rarely(2) {
        true => call!(getservbyname(run.text(), protocol)),
        false => call!(getservbyport(run.script.number().cast_signed(), protocol)),
    };
    outcome(found.is_null());
}

fn protocol(run: &mut Run<'_>) {
    let found = match run.script.rarely(2) {
        true => call!(getprotobyname(run.text())),
        false => call!(getprotobynumber(run.script.number().cast_signed())),
    };
    outcome(found.is_null());
}

fn name_it(run: &mut Run<'_>) {
    let address = run.script.pick(&FLAVOURS).loopback();
    let name = run.lend_address(&address);
    let [node, service] = [130, 16].map(|len| run.memory.room(&mut run.script, len));
    let flags = run.script.flags(&[1, 4, 0x10]).cast_signed() | NUMERIC;
    let (len, n, s) = (name.told_signed(), node.at.cast(), service.at.cast());
    let (n_len, s_len) = (node.told / 2, service.told / 2);
    let failed = call!(GetNameInfoW(name.at, len, n, n_len, s, s_len, flags));
    assert!(failed == 0 || super::error().cast_signed() == failed, "two errors");
}

fn host_name(run: &mut Run<'_>) {
    let len = run.script.pick(&[514, 128, 2, 0]);
    let name = run.memory.room(&mut run.script, len);
    let count = if name.told > 1000 { name.told } else { name.told / 2 };
    outcome(call!(GetHostNameW(name.at.cast(), count.cast_signed())) != 0);
}

/// A length for a text: to its end, or what is told.
fn length(run: &mut Run<'_>, told: u32) -> i32 {
    if run.script.rarely(4) { -1 } else { told.cast_signed() }
}

fn widen(run: &mut Run<'_>) {
    let page = run.script.pick(&[0, 65001, 1252, 1]);
    let flags = run.script.flags(&[8, 1]);
    let mut octets = run.script.octets().to_vec();
    octets.push(0);
    let text = run.memory.lend(&mut run.script, &octets, Use::Read);
    let len = length(run, text.told);
    let room = run.memory.room(&mut run.script, 64);
    let size = if room.told > 1000 { room.told } else { room.told / 2 }.cast_signed();
    let count = call!(MultiByteToWideChar(page, flags, text.at, len, room.at.cast(), size));
    outcome(count == 0);
    assert!(count >= 0 && (size == 0 || count <= size.max(0)), "{count} units in {size}");
}

fn narrow(run: &mut Run<'_>) {
    let page = run.script.pick(&[0, 65001, 1252, 1]);
    let flags = run.script.flags(&[0x80, 0x400]);
    let (text, room) = (run.wide_text(), run.memory.room(&mut run.script, 64));
    let len = if run.script.rarely(4) { run.script.number().cast_signed() } else { -1 };
    let used = match run.script.rarely(4) {
        true => run.memory.place_for(&mut run.script, 4).cast(),
        false => std::ptr::null_mut(),
    };
    let (at, size, none) = (room.at, room.told_signed(), std::ptr::null());
    let count = call!(WideCharToMultiByte(page, flags, text, len, at, size, none, used));
    outcome(count == 0);
    assert!(count >= 0 && (size == 0 || count <= size.max(0)), "{count} octets in {size}");
}

fn swap_for(run: &mut Run<'_>) {
    let (s, number) = (run.socket(), run.script.number());
    let place = run.memory.place_for(&mut run.script, 4);
    let short = u16::try_from(number & 0xFFFF).unwrap_or(0);
    let failed = match run.script.rarely(2) {
        true => call!(WSAHtonl(s, number, place.cast())),
        false => call!(WSANtohs(s, short, place.cast())),
    };
    run.after(s, outcome(failed != 0), Effect::None);
}

//! Texts and numbers of addresses; the catalog; WSAStartup. Nothing asks a name server.

use std::ffi::CString;
use std::ptr::null_mut;

use linsock_c::winsock2::protocols::{WSAEnumProtocolsA, WSAEnumProtocolsW};
use linsock_c::winsock2::startup::WSAStartup;
use linsock_c::ws2tcpip::{
    ADDRINFOA, freeaddrinfo, getaddrinfo, gethostname, getnameinfo, htonl, htons, inet_addr,
    inet_ntoa, inet_ntop, inet_pton, ntohl, ntohs,
};

use super::{Run, Step, outcome};
use crate::c::memory::{Use, read};
use crate::c::sockets::{FLAVOURS, call};

pub(crate) const STEPS: &[Step] = &[
    text_to_address,
    address_to_text,
    text_to_v4,
    v4_to_text,
    host_name,
    resolve,
    resolve_address,
    list_protocols,
    start,
    swap,
];

const AI_NUMERICHOST: u32 = 4;
const NUMERIC: i32 = 2 | 8;
const TEXTS: &[&str] =
    &["127.0.0.1", "::1", "0x7f.1", "1.2.3", "::ffff:1.2.3.4", " ", "fe80::1%1", "256.1.1.1"];

impl Run<'_> {
    /// A text that ends in zero, or may not; or none.
    pub(crate) fn text(&mut self) -> *mut u8 {
        let mut octets = match self.script.rarely(3) {
            true => self.script.octets().to_vec(),
            false => self.script.pick(TEXTS).as_bytes().to_vec(),
        };
        if !self.script.rarely(16) {
            octets.push(0);
            return self.memory.pointer(&mut self.script, &octets, Use::Read);
        }
        // Its end is the end of the memory.
        self.memory.place_with_less(&octets)
    }

    pub(crate) fn family(&mut self) -> i32 {
        self.script.pick(&[2, 23, 2, 23, 0, 1, 7, 10, -1])
    }
}

fn text_to_address(run: &mut Run<'_>) {
    let (family, text) = (run.family(), run.text());
    let address = run.memory.place_for(&mut run.script, if family == 23 { 16 } else { 4 });
    outcome(call!(inet_pton(family, text, address)) == -1);
}

fn address_to_text(run: &mut Run<'_>) {
    let family = run.family();
    let octets: Vec<u8> = (0..16).map(|_| run.script.octet()).collect();
    let address = run.memory.pointer(&mut run.script, &octets, Use::Read);
    let len = run.script.pick(&[46, 65, 16, 4, 1]);
    let text = run.memory.room(&mut run.script, len);
    let size = match run.script.rarely(16) {
        true if !text.at.is_null() && text.told as usize > len => usize::MAX,
        _ => text.told as usize,
    };
    let given = call!(inet_ntop(family, address, text.at, size));
    if !outcome(given.is_null()).is_refused() {
        assert_eq!(given, text.at.cast_const(), "the buffer is given back");
        let room = len.min(size);
        let is_all_there = run.memory.is_good(given, room);
        assert!(!is_all_there || read(given, room).contains(&0), "a text without an end");
    }
}

fn text_to_v4(run: &mut Run<'_>) {
    let text = run.text();
    // INADDR_NONE is an address too, which is no failure.
    call!(inet_addr(text));
}

fn v4_to_text(run: &mut Run<'_>) {
    let number = run.script.number();
    let text = call!(inet_ntoa(number));
    assert!(!text.is_null(), "a text");
}

fn host_name(run: &mut Run<'_>) {
    let len = run.script.pick(&[257, 64, 1, 0]);
    let name = run.memory.room(&mut run.script, len);
    outcome(call!(gethostname(name.at, name.told_signed())) != 0);
}

/// The functions that give their error give the one that they set.
fn same_error(returned: i32) {
    if returned != 0 {
        assert_eq!(super::error().cast_signed(), returned);
    }
}

fn resolve(run: &mut Run<'_>) {
    let node = run.text();
    let port = CString::new(run.script.number().to_string()).expect("digits");
    let service = match run.script.rarely(2) {
        true => run.memory.pointer(&mut run.script, port.as_bytes_with_nul(), Use::Read),
        false => null_mut(),
    };
    let mut hints = vec![0; size_of::<ADDRINFOA>()];
    let flags = run.script.flags(&[1, 2, 8, 0x100, 0x400, 0x800, 0x2_0000]) | AI_NUMERICHOST;
    let wanted = [flags, run.family().cast_unsigned(), u32::from(run.script.octet() & 3), 0];
    hints[..16].copy_from_slice(&wanted.map(u32::to_ne_bytes).concat());
    let mut hints = run.memory.pointer(&mut run.script, &hints, Use::Read);
    if hints.is_null() {
        // Without hints a name would be looked for.
        hints = run.memory.unmapped();
    }
    let result = run.memory.place_for(&mut run.script, 8);
    let error = call!(getaddrinfo(node, service, hints.cast(), result.cast()));
    same_error(error);
    if error == 0 {
        let list = read(result, 8).try_into().map_or(0, usize::from_ne_bytes);
        call!(freeaddrinfo(std::ptr::with_exposed_provenance_mut(list)));
    }
}

fn resolve_address(run: &mut Run<'_>) {
    let flavour = run.script.pick(&FLAVOURS);
    let address = flavour.loopback();
    let address = run.lend_address(&address);
    let [node, service] = [64, 8].map(|len| run.memory.room(&mut run.script, len));
    let flags = run.script.flags(&[1, 4, 0x10]).cast_signed() | NUMERIC;
    let error = call!(getnameinfo(
        address.at,
        address.told_signed(),
        node.at,
        node.told,
        service.at,
        service.told,
        flags
    ));
    same_error(error);
}

fn list_protocols(run: &mut Run<'_>) {
    let numbers: [i32; 3] = [run.script.pick(&[6, 17, 25, 0, -1]), 27, 0];
    let list = match run.script.rarely(2) {
        true => null_mut(),
        false => {
            let octets = numbers.map(i32::to_ne_bytes).concat();
            run.memory.pointer(&mut run.script, &octets, Use::Read)
        }
    };
    let wide = run.script.rarely(2);
    let room = run.script.pick(&[0, 372, 628 * 2, 372 * 7]);
    let buffer = run.memory.room(&mut run.script, room);
    let len = run.memory.number(&mut run.script, buffer.told).cast();
    let count = match wide {
        true => call!(WSAEnumProtocolsW(list.cast(), buffer.at, len)),
        false => call!(WSAEnumProtocolsA(list.cast(), buffer.at, len)),
    };
    outcome(count == -1);
}

fn start(run: &mut Run<'_>) {
    let version = run.script.pick(&[0x0202, 0x0101, 0, 0x0001, 0xFFFF]);
    let data = run.memory.place_for(&mut run.script, 408);
    let error = call!(WSAStartup(version, data.cast()));
    assert_ne!(error, 10107, "a panic inside the call");
}

fn swap(run: &mut Run<'_>) {
    let number = run.script.number();
    let swapped = call!(htonl(number));
    assert_eq!(call!(ntohl(swapped)), number);
    let [low, high, ..] = number.to_ne_bytes();
    let short = u16::from_ne_bytes([low, high]);
    let swapped = call!(htons(short));
    assert_eq!(call!(ntohs(swapped)), short);
}

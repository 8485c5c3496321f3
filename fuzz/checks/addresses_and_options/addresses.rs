//! bind, connect, sendto, getnameinfo and the names, with any octets as an address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use linsock::afd::address::{self, Address, Domain, Family, TransportAddress};
use linsock_c::winsock2::connection::{bind, connect, getpeername, getsockname};
use linsock_c::winsock2::datagram::{recvfrom, sendto};
use linsock_c::ws2tcpip::{getnameinfo, inet_addr, inet_ntop, inet_pton};

use super::{Run, Step, listens, worked};
use crate::c::memory::{Lent, Memory, Use, read};
use crate::c::sockets::{Flavour, bind_to, call, close, directory, error, name_of, open};

pub(crate) const STEPS: &[Step] = &[
    bind_it,
    connect_it,
    send_it_to,
    recv_it_from,
    name_it,
    ask_names,
    bind_another_to_its_name,
    texts,
    listen_at_it,
];

const NUMERIC: i32 = 2 | 8;
const WSAEFAULT: u32 = 10014;
const WSAEAFNOSUPPORT: u32 = 10047;
/// More than any address has.
const LONGEST: usize = 140;

fn domain_of(flavour: Flavour) -> Domain {
    let [family, ..] = flavour.numbers();
    Domain::from_number(family).expect("a family of a provider")
}

impl Run<'_> {
    /// Octets that may be an address for a socket of this flavour.
    fn octets(&mut self, flavour: Flavour) -> Vec<u8> {
        let mut octets = match self.script.below(4) {
            0 => {
                let family: u8 = self.script.pick(&[1, 2, 7, 23, 0, 10]);
                [&[family, 0], self.script.octets()].concat()
            }
            1 => {
                // A transport address in linsock's own form: a text.
                let text = self.script.octets();
                let len = u8::try_from(text.len()).unwrap_or(u8::MAX);
                [&[7, 0, 1, 0, len, 0, 0, 0], text].concat()
            }
            _ => self.nearly_good(flavour),
        };
        octets.truncate(LONGEST);
        octets
    }

    /// An address with some octets changed, and perhaps more behind it.
    fn nearly_good(&mut self, flavour: Flavour) -> Vec<u8> {
        let mut octets = flavour.loopback();
        for _ in 0..self.script.below(4) {
            let (at, octet) = (self.script.below(octets.len()), self.script.octet());
            octets[at] = octet;
        }
        let more = self.script.below(16);
        octets.extend((0..more).map(|_| self.script.octet()));
        octets
    }

    /// Such octets in memory; what the call is told of is safe to call with.
    fn address(&mut self, flavour: Flavour, port: u16) -> Lent {
        let octets = self.octets(flavour);
        let told = Memory::told(&mut self.script, octets.len());
        let octets = &octets[..octets.len().min(told as usize)];
        let octets = made_safe(flavour, octets, port);
        let exact = u32::try_from(octets.len()).unwrap_or(0);
        if (told as usize) > LONGEST + 256 || told.cast_signed() < 0 {
            return Lent { at: self.memory.place_with_less(&octets), told };
        }
        Lent { at: self.memory.pointer(&mut self.script, &octets, Use::Read), told: exact }
    }

    /// A port to connect or send to: nobody but this run listens there.
    fn port(&mut self) -> u16 {
        self.script.pick(&[0, self.ports[0], self.ports[1]])
    }
}

/// The address that the octets are, at a port of this host.
fn made_safe(flavour: Flavour, octets: &[u8], port: u16) -> Vec<u8> {
    if let [1, 0, path @ ..] = octets {
        return safe_path(path);
    }
    let domain = domain_of(flavour);
    let whole = &octets[..octets.len().min(domain.address_len())];
    let safe = match address::parse_any(domain, whole) {
        Ok(Address::Ip(host)) => Address::Ip(safe_host(host, port)),
        Ok(Address::Iso(at)) => {
            let safe = TransportAddress::new(safe_host(at.host(), 0), at.selector());
            Address::from(safe.expect("a selector that has been one"))
        }
        Ok(Address::Unix(_)) | Err(_) => return octets.to_vec(),
    };
    let behind = &octets[whole.len()..];
    safe.with_octets(|safe| [safe, behind].concat())
}

/// The host itself, or any of its addresses.
fn safe_host(mut at: SocketAddr, port: u16) -> SocketAddr {
    let is_safe = at.ip().is_loopback() || at.ip().is_unspecified();
    match at.ip() {
        _ if is_safe => {}
        IpAddr::V4(_) => at.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(_) => at.set_ip(Ipv6Addr::LOCALHOST.into()),
    }
    at.set_port(port);
    at
}

/// The path as one in the directory of this process.
fn safe_path(path: &[u8]) -> Vec<u8> {
    let directory = directory().into_os_string().into_encoded_bytes();
    let (lead, name) = match path {
        [] => return vec![1, 0],
        [0, name @ ..] if name.iter().all(|octet| *octet == 0) => return [&[1, 0], path].concat(),
        // A name that is no file's.
        [0, name @ ..] => (&[1, 0, 0][..], name),
        name => (&[1, 0][..], name),
    };
    let name: Vec<u8> =
        name.iter().map(|octet| if *octet == b'/' { b'_' } else { *octet }).collect();
    [lead, &directory, b"/of-", &name].concat()
}

fn bind_it(run: &mut Run<'_>) {
    let (s, flavour) = run.socket();
    // Only the kernel chooses ports to bind to.
    let name = run.address(flavour, 0);
    worked(call!(bind(s, name.at, name.told_signed())) == 0);
}

fn connect_it(run: &mut Run<'_>) {
    let (s, flavour) = run.socket();
    let port = run.port();
    let name = run.address(flavour, port);
    worked(call!(connect(s, name.at, name.told_signed())) == 0);
}

fn send_it_to(run: &mut Run<'_>) {
    let (s, flavour) = run.socket();
    let port = run.port();
    let to = run.address(flavour, port);
    let data = b"data".as_ptr();
    worked(call!(sendto(s, data, 4, 0, to.at, to.told_signed())) >= 0);
}

fn listen_at_it(run: &mut Run<'_>) {
    let (s, _) = run.socket();
    listens(s);
}

impl Run<'_> {
    /// A call has been given room for a name and its length. Nothing is written in the room beyond
    /// the length.
    pub(crate) fn hold_room(&self, room: Lent, len: *const u8, has_worked: bool) {
        if !self.memory.is_good(len, 4) || room.told.cast_signed() < 0 {
            return;
        }
        let len = read(len, 4).try_into().map_or(0, u32::from_ne_bytes);
        assert!(len <= room.told, "{len} octets in room for {}", room.told);
        assert!(has_worked || len == room.told, "a refused call has changed a length");
        let written = if has_worked { len as usize } else { 0 };
        if self.memory.is_good(room.at, room.told as usize) {
            let rest = &read(room.at, room.told as usize)[written..];
            assert!(rest.iter().all(|octet| *octet == 0xA5), "{rest:?} behind {written} octets");
        }
    }
}

fn recv_it_from(run: &mut Run<'_>) {
    let (s, _) = run.socket();
    let name = run.memory.room(&mut run.script, 120);
    let len = run.memory.number(&mut run.script, name.told);
    let mut data = [0; 8];
    let got = call!(recvfrom(s, data.as_mut_ptr(), 8, 0, name.at, len.cast()));
    if worked(got >= 0) {
        run.hold_room(name, len, true);
    }
}

fn ask_names(run: &mut Run<'_>) {
    let (s, _) = run.socket();
    let room = run.script.pick(&[110, 72, 28, 16, 120, 2]);
    for ask in [getsockname, getpeername] {
        let name = run.memory.room(&mut run.script, room);
        let len = run.memory.number(&mut run.script, name.told);
        let named = worked(call!(ask(s, name.at, len.cast())) == 0);
        run.hold_room(name, len, named);
    }
}

/// What getsockname gives is an address for bind.
fn bind_another_to_its_name(run: &mut Run<'_>) {
    let (s, flavour) = run.socket();
    let Some(name) = name_of(s) else { return };
    let Some(another) = open(flavour) else { return };
    if !bind_to(another, &name) {
        let why = error();
        assert!(![WSAEFAULT, WSAEAFNOSUPPORT].contains(&why), "{name:?} is refused with {why}");
    }
    close(another);
}

fn name_it(run: &mut Run<'_>) {
    let (_, flavour) = run.socket();
    let port = run.port();
    let address = run.address(flavour, port);
    let [node, service] = [(), ()].map(|()| {
        let len = run.script.pick(&[64, 16, 8, 1]);
        run.memory.room(&mut run.script, len)
    });
    let flags = run.script.flags(&[1, 4, 0x10]).cast_signed() | NUMERIC;
    let (at, len) = (address.at, address.told_signed());
    let (n, s) = (node.at, service.at);
    let failed = call!(getnameinfo(at, len, n, node.told, s, service.told, flags));
    assert!(failed == 0 || error().cast_signed() == failed, "two errors");
    for room in [node, service] {
        let is_text = failed == 0 && !room.at.is_null() && room.told > 0;
        let len = (room.told as usize).min(64);
        if is_text && run.memory.is_good(room.at, len) {
            assert!(read(room.at, len).contains(&0), "a name without an end");
        }
    }
}

/// Texts that are addresses read as the addresses they were written from.
fn texts(run: &mut Run<'_>) {
    let mut text = run.script.octets().to_vec();
    text.push(0);
    call!(inet_addr(text.as_ptr()));
    for (family, len) in [(Family::Inet, 4), (Family::Inet6, 16)] {
        let (number, mut octets) = (i32::from(family.number()), [0xA5_u8; 17]);
        let is_one = call!(inet_pton(number, text.as_ptr(), octets.as_mut_ptr())) == 1;
        let written = if is_one { len } else { 0 };
        assert!(octets[written..].iter().all(|octet| *octet == 0xA5), "{octets:?}");
        let mut again = [0; 65];
        let (at, room) = (again.as_mut_ptr(), again.len());
        let written = call!(inet_ntop(number, octets.as_ptr(), at, room));
        assert!(!written.is_null(), "any octets are an address");
        let mut same = [0; 16];
        assert_eq!(call!(inet_pton(number, again.as_ptr(), same.as_mut_ptr())), 1);
        assert_eq!(same[..len], octets[..len], "{again:?}");
    }
}

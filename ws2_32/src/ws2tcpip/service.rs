//! getservbyname, getservbyport, getprotobyname and getprotobynumber: the names of ports and of
//! protocols, as the C library has them (/etc/services, /etc/protocols, or what nsswitch.conf
//! names).
//!
//! Small systems come without these files; the names that programs ask for most are known here, and
//! count where the C library has nothing.

use std::ffi::{CStr, CString, c_char, c_int};
use std::mem::offset_of;

use super::WSANO_DATA;
use super::kept::{Block, Kept};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::wide;

/// A service, in the order of 64-bit Windows.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SERVENT {
    /// Its official name.
    pub s_name: *mut u8,
    /// Its other names, up to a null pointer.
    pub s_aliases: *mut *mut u8,
    /// The protocol that it goes over.
    pub s_proto: *mut u8,
    /// Its port, in network order.
    pub s_port: i16,
}

/// A protocol.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PROTOENT {
    /// Its official name.
    pub p_name: *mut u8,
    /// Its other names, up to a null pointer.
    pub p_aliases: *mut *mut u8,
    /// Its number.
    pub p_proto: i16,
}

const _: () = assert!(size_of::<SERVENT>() == 32 && size_of::<PROTOENT>() == 24);

/// The services that are known without a file: names, the official one first, port, protocols.
const SERVICES: &[(&[&str], u16, &[&str])] = &[
    (&["echo"], 7, &["tcp", "udp"]),
    (&["discard", "sink"], 9, &["tcp", "udp"]),
    (&["daytime"], 13, &["tcp", "udp"]),
    (&["ftp-data"], 20, &["tcp"]),
    (&["ftp"], 21, &["tcp"]),
    (&["ssh"], 22, &["tcp"]),
    (&["telnet"], 23, &["tcp"]),
    (&["smtp", "mail"], 25, &["tcp"]),
    (&["time", "timserver"], 37, &["tcp", "udp"]),
    (&["domain"], 53, &["tcp", "udp"]),
    (&["tftp"], 69, &["udp"]),
    (&["http", "www"], 80, &["tcp"]),
    (&["pop3", "pop-3"], 110, &["tcp"]),
    (&["ntp"], 123, &["udp"]),
    (&["imap", "imap2"], 143, &["tcp"]),
    (&["snmp"], 161, &["tcp", "udp"]),
    (&["ldap"], 389, &["tcp", "udp"]),
    (&["https"], 443, &["tcp", "udp"]),
    (&["imaps"], 993, &["tcp"]),
    (&["pop3s"], 995, &["tcp"]),
];

/// The protocols that are known without a file: names, the official one first, number.
const PROTOCOLS: &[(&[&str], u8)] = &[
    (&["ip", "IP"], 0),
    (&["icmp", "ICMP"], 1),
    (&["igmp", "IGMP"], 2),
    (&["tcp", "TCP"], 6),
    (&["udp", "UDP"], 17),
    (&["ipv6", "IPv6"], 41),
    (&["ipv6-icmp", "icmpv6"], 58),
];

/// A service as it was found.
#[derive(Debug, PartialEq, Eq)]
struct Service {
    name: Vec<u8>,
    aliases: Vec<Vec<u8>>,
    protocol: Vec<u8>,
    port: u16,
}

/// A protocol as it was found.
#[derive(Debug, PartialEq, Eq)]
struct Protocol {
    name: Vec<u8>,
    aliases: Vec<Vec<u8>>,
    number: i16,
}

/// The official name and the others.
fn split(names: &[&str]) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
    let (name, aliases) = names.split_first()?;
    let aliases = aliases.iter().map(|alias| alias.as_bytes().to_vec());
    Some((name.as_bytes().to_vec(), aliases.collect()))
}

fn is_among(name: &CStr, names: &[&str]) -> bool {
    names.iter().any(|known| known.as_bytes() == name.to_bytes())
}

// The libc package has only the variants that share one answer among all threads.
unsafe extern "C" {
    fn getservbyname_r(
        name: *const c_char,
        protocol: *const c_char,
        entry: *mut libc::servent,
        room: *mut c_char,
        size: usize,
        found: *mut *mut libc::servent,
    ) -> c_int;
    fn getservbyport_r(
        port: c_int,
        protocol: *const c_char,
        entry: *mut libc::servent,
        room: *mut c_char,
        size: usize,
        found: *mut *mut libc::servent,
    ) -> c_int;
    fn getprotobyname_r(
        name: *const c_char,
        entry: *mut libc::protoent,
        room: *mut c_char,
        size: usize,
        found: *mut *mut libc::protoent,
    ) -> c_int;
    fn getprotobynumber_r(
        number: c_int,
        entry: *mut libc::protoent,
        room: *mut c_char,
        size: usize,
        found: *mut *mut libc::protoent,
    ) -> c_int;
}

/// Asks the C library with more and more room until its answer fits, and gives what `own` makes of
/// it while the room is there. Any failure is "not found": the tables above are asked next.
fn with_room<E, R>(
    ask: impl Fn(*mut E, *mut c_char, usize, *mut *mut E) -> c_int,
    own: impl FnOnce(&E) -> R,
) -> Option<R> {
    const LIMIT: usize = 1 << 20;
    let mut entry = std::mem::MaybeUninit::<E>::uninit();
    let mut room: Vec<c_char> = vec![0; 1024];
    loop {
        let mut found = std::ptr::null_mut();
        let error = ask(entry.as_mut_ptr(), room.as_mut_ptr(), room.len(), &raw mut found);
        if error == libc::ERANGE && room.len() < LIMIT {
            room.resize(room.len() * 2, 0);
            continue;
        }
        if error != 0 || found.is_null() {
            return None;
        }
        // SAFETY: the C library has filled the entry and points to it; what it refers to is in
        // `room`.
        return Some(own(unsafe { &*found }));
    }
}

/// A text of the C library's.
fn text(at: *const c_char) -> Vec<u8> {
    if at.is_null() {
        return Vec::new();
    }
    // SAFETY: the C library's texts end in zero.
    unsafe { CStr::from_ptr(at) }.to_bytes().to_vec()
}

/// A list of texts of the C library's.
fn texts(mut at: *mut *mut c_char) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    if at.is_null() {
        return all;
    }
    loop {
        // SAFETY: the list ends in a null pointer, which has not been reached.
        let next = unsafe { *at };
        if next.is_null() {
            return all;
        }
        all.push(text(next));
        at = at.wrapping_add(1);
    }
}

impl Service {
    fn own(entry: &libc::servent) -> Self {
        let [high, low, ..] = entry.s_port.to_ne_bytes();
        Self {
            name: text(entry.s_name),
            aliases: texts(entry.s_aliases),
            protocol: text(entry.s_proto),
            port: u16::from_be_bytes([high, low]),
        }
    }

    /// From the table: the first that fits, over the protocol or over any.
    fn known(fits: impl Fn(&[&str], u16) -> bool, protocol: Option<&CStr>) -> Option<Self> {
        let fitting = SERVICES.iter().filter(|(names, port, _)| fits(names, *port));
        let mut over = fitting.flat_map(|(names, port, protocols)| {
            protocols.iter().map(|protocol| (*names, *port, protocol.as_bytes()))
        });
        let wanted = |over: &[u8]| protocol.is_none_or(|protocol| protocol.to_bytes() == over);
        let (names, port, protocol) = over.find(|(_, _, protocol)| wanted(protocol))?;
        let (name, aliases) = split(names)?;
        Some(Self { name, aliases, protocol: protocol.to_vec(), port })
    }

    fn by_name(name: &CStr, protocol: Option<&CStr>) -> Option<Self> {
        let over = protocol.map_or(std::ptr::null(), CStr::as_ptr);
        let ask = |entry, room, size, found| {
            // SAFETY: the texts end in zero, or there is none; the rest are locals of our caller's.
            unsafe { getservbyname_r(name.as_ptr(), over, entry, room, size, found) }
        };
        let is_it = |names: &[&str], _port| is_among(name, names);
        with_room(ask, Self::own).or_else(|| Self::known(is_it, protocol))
    }

    fn by_port(port: u16, protocol: Option<&CStr>) -> Option<Self> {
        let over = protocol.map_or(std::ptr::null(), CStr::as_ptr);
        let ask = |entry, room, size, found| {
            // SAFETY: as in `by_name`.
            unsafe { getservbyport_r(port.to_be().into(), over, entry, room, size, found) }
        };
        let is_it = |_names: &[&str], known| known == port;
        with_room(ask, Self::own).or_else(|| Self::known(is_it, protocol))
    }

    fn keep(&self) -> Outcome<*mut SERVENT> {
        thread_local! {
            static KEPT: Kept = const { Kept::new() };
        }
        let mut block = Block::for_structure_of(size_of::<SERVENT>());
        let aliases: Vec<_> = self.aliases.iter().map(|alias| block.text(alias)).collect();
        let aliases = block.list(&aliases);
        let (name, protocol) = (block.text(&self.name), block.text(&self.protocol));
        block.point(offset_of!(SERVENT, s_name), name);
        block.point(offset_of!(SERVENT, s_aliases), aliases);
        block.point(offset_of!(SERVENT, s_proto), protocol);
        block.number(offset_of!(SERVENT, s_port), self.port.to_be().cast_signed());
        block.keep(&KEPT)
    }
}

impl Protocol {
    fn own(entry: &libc::protoent) -> Self {
        Self {
            name: text(entry.p_name),
            aliases: texts(entry.p_aliases),
            number: i16::try_from(entry.p_proto).unwrap_or_default(),
        }
    }

    fn known(fits: impl Fn(&[&str], i32) -> bool) -> Option<Self> {
        let mut all = PROTOCOLS.iter();
        let (names, number) = all.find(|(names, number)| fits(names, i32::from(*number)))?;
        let (name, aliases) = split(names)?;
        Some(Self { name, aliases, number: i16::from(*number) })
    }

    fn by_name(name: &CStr) -> Option<Self> {
        let ask = |entry, room, size, found| {
            // SAFETY: the text ends in zero; the rest are locals of our caller's.
            unsafe { getprotobyname_r(name.as_ptr(), entry, room, size, found) }
        };
        let is_it = |names: &[&str], _number| is_among(name, names);
        with_room(ask, Self::own).or_else(|| Self::known(is_it))
    }

    fn by_number(number: i32) -> Option<Self> {
        let ask = |entry, room, size, found| {
            // SAFETY: locals of our caller's.
            unsafe { getprotobynumber_r(number, entry, room, size, found) }
        };
        with_room(ask, Self::own).or_else(|| Self::known(|_, known| known == number))
    }

    fn keep(&self) -> Outcome<*mut PROTOENT> {
        thread_local! {
            static KEPT: Kept = const { Kept::new() };
        }
        let mut block = Block::for_structure_of(size_of::<PROTOENT>());
        let aliases: Vec<_> = self.aliases.iter().map(|alias| block.text(alias)).collect();
        let aliases = block.list(&aliases);
        let name = block.text(&self.name);
        block.point(offset_of!(PROTOENT, p_name), name);
        block.point(offset_of!(PROTOENT, p_aliases), aliases);
        block.number(offset_of!(PROTOENT, p_proto), self.number);
        block.keep(&KEPT)
    }
}

/// The port of a service over a protocol.
pub(super) fn port_over(protocol: &CStr, name: &CStr) -> Option<u16> {
    let names = spellings(name.to_bytes().to_vec()).ok()?;
    names.iter().find_map(|name| Service::by_name(name, Some(protocol))).map(|found| found.port)
}

/// The name, and what it is in small letters: the files are written so, and Windows does not mind.
fn spellings(name: Vec<u8>) -> Outcome<Vec<CString>> {
    let small = name.to_ascii_lowercase();
    let mut all = vec![name];
    if all[0] != small {
        all.push(small);
    }
    all.into_iter().map(|name| CString::new(name).map_err(|_| WSANO_DATA)).collect()
}

/// The protocol that is asked for: none or an empty text means any.
fn read_protocol(at: *const u8) -> Outcome<Option<CString>> {
    let text = wide::read_text_opt(at)?.unwrap_or_default().to_ascii_lowercase();
    if text.is_empty() {
        return Ok(None);
    }
    CString::new(text).map(Some).map_err(|_| WSANO_DATA)
}

fn read_name(at: *const u8) -> Outcome<Vec<CString>> {
    spellings(wide::read_text_opt(at)?.ok_or(Error::WSAEFAULT)?)
}

export! {
    /// Gives the port of a service, over one protocol or, for a null pointer or an empty text, the
    /// first that it has.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-getservbyname>
    ///
    /// The structure is the library's, one for each thread: it stays until the thread's next call
    /// of this or of getservbyport. May block for the system's name services; not alertable.
    ///
    /// # Errors
    /// A null pointer, with WSANOTINITIALISED, WSAEFAULT, WSANO_DATA (no such service),
    /// WSA_NOT_ENOUGH_MEMORY.
    winsock fn getservbyname as "WS_getservbyname" (name: *const u8, proto: *const u8) -> *mut SERVENT, fail std::ptr::null_mut(); {
        let (names, protocol) = (read_name(name)?, read_protocol(proto)?);
        let found = names.iter().find_map(|name| Service::by_name(name, protocol.as_deref()));
        found.ok_or(WSANO_DATA)?.keep()
    }

    /// Gives the service at a port (network order), over one protocol or any, as getservbyname.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-getservbyport>
    ///
    /// May block for the system's name services; not alertable.
    ///
    /// # Errors
    /// As getservbyname.
    winsock fn getservbyport as "WS_getservbyport" (port: i32, proto: *const u8) -> *mut SERVENT, fail std::ptr::null_mut(); {
        let protocol = read_protocol(proto)?;
        let [high, low, ..] = port.to_ne_bytes();
        let found = Service::by_port(u16::from_be_bytes([high, low]), protocol.as_deref());
        found.ok_or(WSANO_DATA)?.keep()
    }

    /// Gives the number of a protocol.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-getprotobyname>
    ///
    /// The structure is the library's, one for each thread: it stays until the thread's next call
    /// of this or of getprotobynumber. May block for the system's name services; not alertable.
    ///
    /// # Errors
    /// A null pointer, with WSANOTINITIALISED, WSAEFAULT, WSANO_DATA (no such protocol),
    /// WSA_NOT_ENOUGH_MEMORY.
    winsock fn getprotobyname as "WS_getprotobyname" (name: *const u8) -> *mut PROTOENT, fail std::ptr::null_mut(); {
        let found = read_name(name)?.iter().find_map(|name| Protocol::by_name(name));
        found.ok_or(WSANO_DATA)?.keep()
    }

    /// Gives the name of a protocol.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-getprotobynumber>
    ///
    /// May block for the system's name services; not alertable.
    ///
    /// # Errors
    /// As getprotobyname.
    winsock fn getprotobynumber as "WS_getprotobynumber" (number: i32) -> *mut PROTOENT, fail std::ptr::null_mut(); {
        Protocol::by_number(number).ok_or(WSANO_DATA)?.keep()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tables count only where the C library has nothing, so they are asked by themselves.
    #[test]
    fn what_every_program_asks_for_is_known_without_a_file() {
        let known = |name: &str, over| {
            let is_it = |names: &[&str], _port: u16| names.contains(&name);
            Service::known(is_it, over).map(|found| (found.port, found.protocol))
        };
        assert_eq!(known("http", None), Some((80, b"tcp".to_vec())));
        assert_eq!(known("www", Some(c"tcp")), Some((80, b"tcp".to_vec())));
        assert_eq!(known("domain", Some(c"udp")), Some((53, b"udp".to_vec())));
        assert_eq!(known("ssh", Some(c"udp")), None);
        assert_eq!(known("", Some(c"udp")), None);
        let at = |port| Service::known(|_, known| known == port, None).map(|found| found.name);
        assert_eq!(at(443), Some(b"https".to_vec()));
        assert_eq!(at(1), None);
        let number = |name: &str| {
            Protocol::known(|names, _| names.contains(&name)).map(|found| found.number)
        };
        assert_eq!([number("icmpv6"), number("tcp"), number("none")], [Some(58), Some(6), None]);
    }

    #[test]
    fn the_c_library_is_asked_again_with_more_room() {
        let asked = std::cell::Cell::new(0);
        let found = with_room(
            |entry: *mut u32, _room, size, found: *mut *mut u32| {
                asked.set(asked.get() + 1);
                if size < 5000 {
                    return libc::ERANGE;
                }
                // SAFETY: a local of the function that asks.
                unsafe { entry.write(7) };
                // SAFETY: as above.
                unsafe { found.write(entry) };
                0
            },
            |entry| *entry,
        );
        assert_eq!((found, asked.get()), (Some(7), 4));
        assert_eq!(with_room(|_: *mut u32, _, _, _| libc::ERANGE, |entry| *entry), None);
    }
}

//! getaddrinfo: names and services to addresses, by the C library's resolver.

use std::ffi::{CStr, CString};
use std::mem::offset_of;

use linsock::afd::address::Family;

use super::{
    WSAHOST_NOT_FOUND, WSANO_RECOVERY, WSATYPE_NOT_FOUND, check_started, host_name, resolver_error,
    returned, service,
};
use crate::export::{Outcome, export};
use crate::kernel32::heap;
use crate::last_error::Error;
use crate::ptr;
use crate::wide::{self, Unit};

/// An address that a name has, or what kind is wanted, with names of that unit.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ADDRINFO<U> {
    /// AI_*.
    pub ai_flags: i32,
    /// AF_*.
    pub ai_family: i32,
    /// SOCK_*.
    pub ai_socktype: i32,
    /// IPPROTO_*.
    pub ai_protocol: i32,
    /// Octets of the address.
    pub ai_addrlen: usize,
    /// The host's canonical name, in the first element if it was wanted.
    pub ai_canonname: *mut U,
    /// The address.
    pub ai_addr: *mut u8,
    /// The next element.
    pub ai_next: *mut Self,
}

/// What getaddrinfo gives.
pub type ADDRINFOA = ADDRINFO<u8>;
/// What GetAddrInfoW gives.
pub type ADDRINFOW = ADDRINFO<u16>;

const _: () = assert!(size_of::<ADDRINFOA>() == 48 && size_of::<ADDRINFOW>() == 48);

/// An element of the lists that programs get. Its address and the canonical name follow it in one
/// block.
pub(super) trait Element: Copy {
    /// What names consist of.
    type Unit: Unit;
    /// Where it points to the next.
    const NEXT_AT: usize;
    /// The element with these members.
    fn of(info: ADDRINFO<Self::Unit>, next: *mut Self) -> Self;
}

impl<U: Unit> Element for ADDRINFO<U> {
    type Unit = U;
    const NEXT_AT: usize = offset_of!(Self, ai_next);

    fn of(info: Self, next: *mut Self) -> Self {
        Self { ai_next: next, ..info }
    }
}

/// Octets behind an element for its address.
const ADDRESS_ROOM: usize = 32;

const AF_UNSPEC: i32 = 0;
const AF_INET: i32 = 2;
const AF_INET6: i32 = 23;

const AI_NUMERICHOST: i32 = 4;
const AI_CANONNAME: i32 = 2;
const AI_FQDN: i32 = 0x2_0000;
const AI_ALL: i32 = 0x100;
const AI_V4MAPPED: i32 = 0x800;

/// Windows' flags (ws2def.h) and the C library's.
const FLAGS: &[(i32, i32)] = &[
    (1, libc::AI_PASSIVE),
    (AI_CANONNAME, libc::AI_CANONNAME),
    (AI_NUMERICHOST, libc::AI_NUMERICHOST),
    (8, libc::AI_NUMERICSERV),
    (AI_ALL, libc::AI_ALL),
    (0x400, libc::AI_ADDRCONFIG),
    (AI_V4MAPPED, libc::AI_V4MAPPED),
    // The full name is what the C library calls canonical.
    (AI_FQDN, libc::AI_CANONNAME),
    // What only Windows' name services know: AI_DNS_ONLY, AI_NON_AUTHORITATIVE, AI_SECURE,
    // AI_RETURN_PREFERRED_NAMES, AI_FILESERVER.
    (0x10, 0),
    (0x4000, 0),
    (0x8000, 0),
    (0x1_0000, 0),
    (0x4_0000, 0),
];

/// What kind of address is wanted, in Windows' numbers.
#[derive(Clone, Copy, Default)]
struct Hints {
    flags: i32,
    family: i32,
    socket_type: i32,
    protocol: i32,
}

impl Hints {
    fn read<E: Element>(at: *const E) -> Outcome<Self> {
        if at.is_null() {
            return Ok(Self::default());
        }
        ptr::check_readable(at, 1)?;
        let [flags, family, socket_type, protocol] = ptr::read(at.cast::<[i32; 4]>())?;
        // Length, name and address, and the next element.
        let reserved = ptr::read(at.wrapping_byte_add(16).cast::<[usize; 3]>())?;
        let next = ptr::read(at.wrapping_byte_add(E::NEXT_AT).cast::<usize>())?;
        if reserved != [0; 3] || next != 0 {
            return Err(WSANO_RECOVERY);
        }
        Ok(Self { flags, family, socket_type, protocol })
    }

    /// The hints for the C library. A socket type that is left open is a stream there, unless the
    /// service has a name, so that each address comes once.
    fn translate(self, named_service: bool) -> Outcome<libc::addrinfo> {
        let known = FLAGS.iter().fold(0, |sum, (flag, _)| sum | flag);
        if self.flags & !known != 0 || self.flags & AI_CANONNAME != 0 && self.flags & AI_FQDN != 0 {
            return Err(Error::WSAEINVAL);
        }
        let asked = FLAGS.iter().filter(|(flag, _)| self.flags & flag != 0);
        let open = self.socket_type == 0 && self.protocol == 0 && !named_service;
        Ok(libc::addrinfo {
            ai_flags: asked.fold(0, |sum, (_, flag)| sum | flag),
            ai_family: match self.family {
                AF_UNSPEC => libc::AF_UNSPEC,
                AF_INET => libc::AF_INET,
                AF_INET6 => libc::AF_INET6,
                _ => return Err(Error::WSAEAFNOSUPPORT),
            },
            ai_socktype: match self.socket_type {
                0 if open => libc::SOCK_STREAM,
                // Any, stream, datagram, raw: the same numbers.
                0..=3 => self.socket_type,
                _ => return Err(Error::WSAESOCKTNOSUPPORT),
            },
            ai_protocol: self.protocol,
            ai_addrlen: 0,
            ai_addr: std::ptr::null_mut(),
            ai_canonname: std::ptr::null_mut(),
            ai_next: std::ptr::null_mut(),
        })
    }
}

/// One answer of the C library.
struct Answer {
    socket_type: i32,
    protocol: i32,
    /// The address as Windows lays it out.
    address: Vec<u8>,
    canonical_name: Option<CString>,
}

/// The C library's list, freed with this.
struct List(*mut libc::addrinfo);

impl Drop for List {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: getaddrinfo made the list, and it is freed once.
            unsafe { libc::freeaddrinfo(self.0) };
        }
    }
}

impl List {
    fn ask(node: Option<&CStr>, service: Option<&CStr>, hints: &libc::addrinfo) -> Outcome<Self> {
        let mut list = Self(std::ptr::null_mut());
        let text = |text: Option<&CStr>| text.map_or(std::ptr::null(), CStr::as_ptr);
        // SAFETY: the texts end in zero, hints and result are locals of the right types.
        let error = unsafe { libc::getaddrinfo(text(node), text(service), hints, &raw mut list.0) };
        if error == 0 { Ok(list) } else { Err(resolver_error(error)) }
    }

    fn answers(&self) -> Outcome<Vec<Answer>> {
        let mut answers = Vec::new();
        let mut next = self.0;
        while !next.is_null() {
            // SAFETY: an element of the C library's list, which lives as long as `self`.
            let info = unsafe { &*next };
            next = info.ai_next;
            let (family, len) = match info.ai_family {
                libc::AF_INET => (AF_INET, 16),
                libc::AF_INET6 => (AF_INET6, 28),
                _ => continue,
            };
            let mut address = ptr::read_all(info.ai_addr.cast::<u8>(), len)?;
            address[..2].copy_from_slice(&family.to_le_bytes()[..2]);
            let canonical_name = (!info.ai_canonname.is_null()).then(|| {
                // SAFETY: the C library's texts end in zero and live as long as the list.
                unsafe { CStr::from_ptr(info.ai_canonname) }.to_owned()
            });
            answers.push(Answer {
                socket_type: info.ai_socktype,
                protocol: info.ai_protocol,
                address,
                canonical_name,
            });
        }
        Ok(answers)
    }
}

impl Answer {
    fn family(&self) -> i32 {
        i32::from(u16::from_le_bytes([self.address[0], self.address[1]]))
    }

    /// Writes the answer into a block of the process heap, in front of `next`.
    fn store<E: Element>(&self, flags: i32, next: *mut E) -> Outcome<*mut E> {
        let name = self.canonical_name.as_ref().map(|name| E::Unit::zero_ended(name.as_bytes()));
        let name = name.as_deref();
        let size = size_of::<E>() + ADDRESS_ROOM + name.map_or(0, size_of_val);
        let block = heap::allocate(size, true).ok_or(Error::ERROR_NOT_ENOUGH_MEMORY)?;
        let address_at = block.wrapping_add(size_of::<E>());
        let name_at = address_at.wrapping_add(ADDRESS_ROOM).cast();
        ptr::write_all(address_at, &self.address)?;
        ptr::write_all(name_at, name.unwrap_or_default())?;
        let info = ADDRINFO {
            ai_flags: flags,
            ai_family: self.family(),
            ai_socktype: self.socket_type,
            ai_protocol: self.protocol,
            ai_addrlen: self.address.len(),
            ai_canonname: name.map_or(std::ptr::null_mut(), |_| name_at),
            ai_addr: address_at,
            ai_next: std::ptr::null_mut(),
        };
        ptr::write(block.cast(), E::of(info, next))?;
        Ok(block.cast())
    }
}

/// A text of the program's; `None` for a null pointer.
fn read_text<U: Unit>(at: *const U) -> Outcome<Option<CString>> {
    let text = wide::read_text_opt(at)?.map(CString::new);
    text.transpose().map_err(|_| WSAHOST_NOT_FOUND)
}

/// An empty name and "..localmachine" mean this host (getaddrinfo page).
fn resolve_own_name(node: CString) -> Outcome<CString> {
    if !node.is_empty() && node.as_bytes() != b"..localmachine" {
        return Ok(node);
    }
    CString::new(host_name()?).map_err(|_| WSANO_RECOVERY)
}

/// The texts of a question, read from the program.
struct Question {
    node: Option<CString>,
    service: Option<CString>,
}

impl Question {
    fn read<U: Unit>(node: *const U, service: *const U) -> Outcome<Self> {
        let (node, service) = (read_text(node)?, read_text(service)?);
        if node.is_none() && service.is_none() {
            return Err(WSAHOST_NOT_FOUND);
        }
        Ok(Self { node, service })
    }

    /// Asks the C library; gives at least one answer.
    fn ask(self, hints: Hints) -> Outcome<Vec<Answer>> {
        let Self { node, service } = self;
        if node.is_none() && hints.flags & (AI_CANONNAME | AI_FQDN) != 0 {
            return Err(Error::WSAEINVAL);
        }
        let is_number = |text: &CString| text.as_bytes().iter().all(u8::is_ascii_digit);
        let named_service = service.as_ref().is_some_and(|service| !is_number(service));
        let asked = hints.translate(named_service)?;
        let node = node.map(resolve_own_name).transpose()?;
        // An empty service is port 0.
        let port = service.as_deref().map(|text| if text.is_empty() { c"0" } else { text });
        if port.is_some_and(|port| is_too_large(port.to_bytes())) {
            return Err(WSATYPE_NOT_FOUND);
        }
        let answers = List::ask(node.as_deref(), port, &asked).and_then(|list| list.answers());
        let mut answers = match (answers, port) {
            (Err(WSATYPE_NOT_FOUND), Some(name)) => ask_for_port(node.as_deref(), name, &asked)?,
            (answers, _) => answers?,
        };
        // Raw sockets have no services.
        answers.retain(|answer| hints.socket_type != 0 || answer.socket_type != libc::SOCK_RAW);
        if !named_service {
            for answer in &mut answers {
                (answer.socket_type, answer.protocol) = (hints.socket_type, hints.protocol);
            }
        }
        if answers.is_empty() { Err(WSAHOST_NOT_FOUND) } else { Ok(answers) }
    }
}

/// Asks for the ports of a service that the resolver does not know: `service` may.
///
/// # Errors
/// WSATYPE_NOT_FOUND if it does not either, or not for that type of socket.
fn ask_for_port(node: Option<&CStr>, name: &CStr, asked: &libc::addrinfo) -> Outcome<Vec<Answer>> {
    const KINDS: [(&CStr, i32, i32); 2] = [
        (c"tcp", libc::SOCK_STREAM, libc::IPPROTO_TCP),
        (c"udp", libc::SOCK_DGRAM, libc::IPPROTO_UDP),
    ];
    let fits = |wanted: i32, is: i32| wanted == 0 || wanted == is;
    let mut answers = Vec::new();
    for (over, socket_type, protocol) in KINDS {
        let is_wanted = fits(asked.ai_socktype, socket_type) && fits(asked.ai_protocol, protocol);
        if let Some(port) = service::port_over(over, name).filter(|_| is_wanted) {
            let port = CString::new(port.to_string()).map_err(|_| WSATYPE_NOT_FOUND)?;
            let kind = libc::addrinfo { ai_socktype: socket_type, ai_protocol: protocol, ..*asked };
            answers.extend(List::ask(node, Some(&port), &kind)?.answers()?);
        }
    }
    if answers.is_empty() { Err(WSATYPE_NOT_FOUND) } else { Ok(answers) }
}

/// A question as a program has asked it; it refers to nothing of the program's any more.
pub(super) struct Lookup {
    question: Question,
    hints: Hints,
}

impl Lookup {
    /// Reads the question.
    ///
    /// # Errors
    /// WSAEFAULT, WSAHOST_NOT_FOUND for no names, WSANO_RECOVERY for reserved members of the hints;
    /// WSAEINVAL for half a surrogate pair.
    pub(super) fn read<E: Element>(
        node: *const E::Unit,
        service: *const E::Unit,
        hints: *const E,
    ) -> Outcome<Self> {
        Ok(Self { question: Question::read(node, service)?, hints: Hints::read(hints)? })
    }

    /// Asks. Blocks.
    ///
    /// # Errors
    /// The resolver's.
    pub(super) fn ask(self) -> Outcome<Found> {
        Ok(Found { flags: self.hints.flags, answers: self.question.ask(self.hints)? })
    }
}

/// What was found, for whom.
pub(super) struct Found {
    flags: i32,
    answers: Vec<Answer>,
}

impl Found {
    /// The list for the program.
    ///
    /// # Errors
    /// WSA_NOT_ENOUGH_MEMORY.
    fn list<E: Element>(&self) -> Outcome<*mut E> {
        let mut head: *mut E = std::ptr::null_mut();
        for answer in self.answers.iter().rev() {
            let flags = if answer.canonical_name.is_some() { self.flags } else { 0 };
            head = answer.store(flags, head).inspect_err(|_| free_list(head))?;
        }
        Ok(head)
    }

    /// Gives the list to the program.
    ///
    /// # Errors
    /// WSAEFAULT, WSA_NOT_ENOUGH_MEMORY.
    pub(super) fn give<E: Element>(&self, result: *mut *mut E) -> Outcome<()> {
        let head = self.list()?;
        ptr::write(result, head).inspect_err(|_| free_list(head))
    }
}

fn answer<E: Element>(
    node: *const E::Unit,
    service: *const E::Unit,
    hints: *const E,
    result: *mut *mut E,
) -> Outcome<()> {
    check_started()?;
    ptr::write(result, std::ptr::null_mut())?;
    Lookup::read(node, service, hints)?.ask()?.give(result)
}

/// The official name and the IPv4 addresses of a host, or of this one.
pub(super) fn addresses_of(name: *const u8) -> Outcome<(CString, Vec<Vec<u8>>)> {
    let node = resolve_own_name(read_text(name)?.unwrap_or_default())?;
    let hints = Hints { flags: AI_CANONNAME, family: AF_INET, ..Hints::default() };
    let answers = List::ask(Some(&node), None, &hints.translate(false)?)?.answers()?;
    let official = answers.first().and_then(|answer| answer.canonical_name.clone());
    // sin_addr, behind family and port.
    let addresses = answers.iter().map(|answer| answer.address[4..8].to_vec()).collect();
    Ok((official.unwrap_or(node), addresses))
}

/// The addresses at which a service of a host is to be found over TCP, in Windows' layout.
///
/// # Errors
/// WSAEFAULT, WSAEINVAL when either name is missing, WSATYPE_NOT_FOUND, and the resolver's.
pub(crate) fn connectable<U: Unit>(
    (node, service): (*const U, *const U),
    family: Family,
    with_mapped: bool,
) -> Outcome<Vec<Vec<u8>>> {
    let node = Some(read_text(node)?.ok_or(Error::WSAEINVAL)?);
    let service = read_text(service)?.ok_or(Error::WSAEINVAL)?;
    let is_number = service.as_bytes().iter().all(u8::is_ascii_digit);
    let port = if is_number {
        service
    } else {
        let port = service::port_over(c"tcp", &service).ok_or(WSATYPE_NOT_FOUND)?;
        CString::new(port.to_string()).map_err(|_| WSATYPE_NOT_FOUND)?
    };
    let hints = Hints {
        flags: if with_mapped { AI_V4MAPPED | AI_ALL } else { 0 },
        family: family.number().into(),
        socket_type: libc::SOCK_STREAM,
        protocol: libc::IPPROTO_TCP,
    };
    let answers = Question { node, service: Some(port) }.ask(hints)?;
    Ok(answers.into_iter().map(|answer| answer.address).collect())
}

/// A number that is no port.
fn is_too_large(service: &[u8]) -> bool {
    let is_number = service.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(service).unwrap_or_default();
    is_number && text.parse::<u16>().is_err()
}

/// Frees elements until the end or until one is not ours.
pub(super) fn free_list<E: Element>(mut at: *mut E) {
    while ptr::check_readable(at, 1).is_ok()
        && let Ok(next) = ptr::read(at.wrapping_byte_add(E::NEXT_AT).cast::<*mut u8>())
        && heap::release(at.cast())
    {
        at = next.cast();
    }
}

export! {
    /// Gives the addresses of a host name and the port of a service.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-getaddrinfo>
    ///
    /// Socket type and protocol are given back as they were asked for; if none was, a service with
    /// a name gives each that it has. Blocks for the resolver; not alertable.
    ///
    /// # Errors
    /// Returned, and set as the last error: WSANOTINITIALISED, WSAEFAULT, WSAHOST_NOT_FOUND (also
    /// for no names at all), WSANO_RECOVERY (also for reserved members of the hints), WSATRY_AGAIN,
    /// WSAEINVAL for flags, WSAEAFNOSUPPORT, WSAESOCKTNOSUPPORT, WSATYPE_NOT_FOUND,
    /// WSA_NOT_ENOUGH_MEMORY.
    ///
    /// # Differs from Windows
    /// The flags for Windows' name services (AI_DNS_ONLY, AI_SECURE, …) are accepted without
    /// effect.
    fn getaddrinfo as "WS_getaddrinfo" (
        pNodeName: *const u8,
        pServiceName: *const u8,
        pHints: *const ADDRINFOA,
        ppResult: *mut *mut ADDRINFOA,
    ) -> i32, fail Error::WSASYSCALLFAILURE.0.cast_signed(); {
        returned(answer(pNodeName, pServiceName, pHints, ppResult))
    }

    /// Frees what getaddrinfo gave. What it did not give is left alone.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-freeaddrinfo>
    fn freeaddrinfo as "WS_freeaddrinfo" (pAddrInfo: *mut ADDRINFOA) -> (), fail (); {
        free_list(pAddrInfo);
        Ok(())
    }

    /// As getaddrinfo, in UTF-16.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-getaddrinfow>
    ///
    /// Blocks for the resolver; not alertable.
    ///
    /// # Errors
    /// As getaddrinfo; WSAEINVAL also for a text with half a surrogate pair.
    ///
    /// # Differs from Windows
    /// As getaddrinfo. A name with characters outside ASCII is asked for in UTF-8, not in the
    /// encoding for internationalized domain names.
    fn GetAddrInfoW(
        pNodeName: *const u16,
        pServiceName: *const u16,
        pHints: *const ADDRINFOW,
        ppResult: *mut *mut ADDRINFOW,
    ) -> i32, fail Error::WSASYSCALLFAILURE.0.cast_signed(); {
        returned(answer(pNodeName, pServiceName, pHints, ppResult))
    }

    /// Frees what GetAddrInfoW gave. What it did not give is left alone.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-freeaddrinfow>
    fn FreeAddrInfoW(pAddrInfo: *mut ADDRINFOW) -> (), fail (); {
        free_list(pAddrInfo);
        Ok(())
    }
}

#[cfg(test)]
mod tests;

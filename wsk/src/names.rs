//! Names and addresses, by the C library's resolver, on a thread that may wait.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

use linsock::NtStatus;
use linsock::afd::address::{self, Family};

use crate::client::Client;
use crate::ddk::irp::Irp;
use crate::ddk::misc::UnicodeString;
use crate::request::{Request, outcome};
use crate::socket::read_address;
use crate::status::{self, Status};
use crate::worker;

const NOT_FOUND: NtStatus = status::as_nt(status::NOT_FOUND);
/// Windows' flags (ws2def.h) and the C library's.
const HINTS: [(c_int, c_int); 3] =
    [(1, libc::AI_PASSIVE), (2, libc::AI_CANONNAME), (4, libc::AI_NUMERICHOST)];
const NAME_FLAGS: [(c_int, c_int); 5] = [
    (0x01, libc::NI_NOFQDN),
    (0x02, libc::NI_NUMERICHOST),
    (0x04, libc::NI_NAMEREQD),
    (0x08, libc::NI_NUMERICSERV),
    (0x10, libc::NI_DGRAM),
];

/// ADDRINFOEXW, with its address and its canonical name behind it.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct AddressInfo {
    flags: c_int,
    family: c_int,
    socket_type: c_int,
    protocol: c_int,
    address_len: usize,
    name: *mut u16,
    address: *mut u8,
    blob: *mut c_void,
    blob_len: usize,
    provider: *mut c_void,
    next: *mut Self,
    octets: [u8; 28],
}

/// The front of an ADDRINFOEXW, as a client fills it in.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Hints {
    flags: c_int,
    family: c_int,
    socket_type: c_int,
    protocol: c_int,
}

/// What is asked for.
#[derive(Default)]
struct Query {
    node: Option<CString>,
    service: Option<CString>,
    flags: c_int,
    family: c_int,
    socket_type: c_int,
    protocol: c_int,
}

fn translate(flags: c_int, table: &[(c_int, c_int)]) -> c_int {
    table.iter().filter(|(from, _)| flags & from != 0).map(|(_, to)| to).sum()
}

/// The text of a UNICODE_STRING; `None` for null.
fn text(string: *const UnicodeString) -> Result<Option<CString>, NtStatus> {
    // SAFETY: the client's string, or null.
    let Some(string) = (unsafe { string.as_ref() }) else { return Ok(None) };
    if string.buffer.is_null() {
        return Ok(None);
    }
    // SAFETY: the client's buffer has so many octets.
    let units =
        unsafe { std::slice::from_raw_parts(string.buffer, usize::from(string.length / 2)) };
    let text = String::from_utf16(units).map_err(|_| NtStatus::INVALID_PARAMETER)?;
    CString::new(text).map(Some).map_err(|_| NtStatus::INVALID_PARAMETER)
}

fn failure(code: c_int) -> NtStatus {
    match code {
        libc::EAI_MEMORY => NtStatus::INSUFFICIENT_RESOURCES,
        libc::EAI_BADFLAGS | libc::EAI_FAMILY | libc::EAI_SOCKTYPE => NtStatus::INVALID_PARAMETER,
        libc::EAI_AGAIN => NtStatus::IO_TIMEOUT,
        // An unknown host (Wine's test, which ran on Windows; wsk 4.2).
        _ => NOT_FOUND,
    }
}

fn resolve(query: &Query) -> Result<*mut AddressInfo, NtStatus> {
    // SAFETY: all-zero is a valid addrinfo.
    let mut hints: libc::addrinfo = unsafe { std::mem::zeroed() };
    hints.ai_flags = translate(query.flags, &HINTS);
    hints.ai_family = match Family::from_number(query.family) {
        Some(Family::Inet) => libc::AF_INET,
        Some(Family::Inet6) => libc::AF_INET6,
        None => libc::AF_UNSPEC,
    };
    hints.ai_socktype = query.socket_type;
    hints.ai_protocol = query.protocol;
    let node = query.node.as_ref().map_or(ptr::null(), |node| node.as_ptr());
    let service = query.service.as_ref().map_or(ptr::null(), |service| service.as_ptr());
    let mut found = ptr::null_mut();
    // SAFETY: strings that end with 0 or null; the result is freed below.
    let code = unsafe { libc::getaddrinfo(node, service, &raw const hints, &raw mut found) };
    if code != 0 {
        return Err(failure(code));
    }
    let list = copy(found);
    // SAFETY: what getaddrinfo gave, and nothing refers to it any more.
    unsafe { libc::freeaddrinfo(found) };
    Ok(list)
}

/// The list as Windows has it, in memory that WskFreeAddressInfo frees.
fn copy(mut found: *const libc::addrinfo) -> *mut AddressInfo {
    let mut list: Vec<Box<AddressInfo>> = Vec::new();
    // SAFETY: a list of getaddrinfo's, up to null.
    while let Some(one) = unsafe { found.as_ref() } {
        found = one.ai_next;
        let Some(address) = socket_address(one.ai_addr.cast(), one.ai_family) else { continue };
        let (octets, address_len) = address::emit(&address);
        let name = if one.ai_canonname.is_null() {
            ptr::null_mut()
        } else {
            // SAFETY: a string of getaddrinfo's.
            let name = unsafe { CStr::from_ptr(one.ai_canonname) }.to_string_lossy();
            let units: Vec<u16> = name.encode_utf16().chain([0]).collect();
            Box::into_raw(units.into_boxed_slice()).cast()
        };
        list.push(Box::new(AddressInfo {
            flags: 0,
            family: Family::of(&address).number().into(),
            socket_type: one.ai_socktype,
            protocol: one.ai_protocol,
            address_len,
            name,
            address: ptr::null_mut(),
            blob: ptr::null_mut(),
            blob_len: 0,
            provider: ptr::null_mut(),
            next: ptr::null_mut(),
            octets,
        }));
    }
    list.into_iter().rev().fold(ptr::null_mut(), |next, mut one| {
        one.address = one.octets.as_mut_ptr();
        one.next = next;
        Box::into_raw(one)
    })
}

/// A sockaddr of the C library's.
fn socket_address(at: *const u8, family: c_int) -> Option<std::net::SocketAddr> {
    let family = match family {
        libc::AF_INET => Family::Inet,
        libc::AF_INET6 => Family::Inet6,
        _ => return None,
    };
    // SAFETY: a sockaddr of that family has so many octets.
    let mut octets = unsafe { std::slice::from_raw_parts(at, family.address_len()) }.to_vec();
    // Only the number of the family differs.
    octets[..2].copy_from_slice(&family.number().to_le_bytes());
    address::parse(family, &octets).ok()
}

/// Resolves a name.
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_get_address_info>
///
/// # Differs from Windows
/// Name spaces and providers are those of the C library: what the call names is not looked at.
pub(crate) unsafe extern "C" fn WskGetAddressInfo(
    _client: *const Client,
    node: *const UnicodeString,
    service: *const UnicodeString,
    _name_space: u32,
    _provider: *const c_void,
    hints: *const Hints,
    result: *mut *mut AddressInfo,
    _process: *mut c_void,
    _thread: *mut c_void,
    irp: *mut Irp,
) -> Status {
    let request = match Request::accept("WskGetAddressInfo", irp, None, |_, done| outcome(done)) {
        Ok(request) => request,
        Err(status) => return status,
    };
    let query = text(node).and_then(|node| {
        let mut query = Query { node, service: text(service)?, ..Query::default() };
        // SAFETY: the client's structure, or null.
        if let Some(hints) = unsafe { hints.as_ref() } {
            (query.flags, query.family) = (hints.flags, hints.family);
            (query.socket_type, query.protocol) = (hints.socket_type, hints.protocol);
        }
        Ok(query)
    });
    match query {
        Ok(query) => {
            let (waiting, result) = (request.clone(), result.expose_provenance());
            let started = worker::system_thread(move || match resolve(&query) {
                Ok(list) => {
                    // SAFETY: the client's pointer, which stays until the completion.
                    unsafe {
                        ptr::with_exposed_provenance_mut::<*mut AddressInfo>(result).write(list)
                    };
                    waiting.end_with(NtStatus::SUCCESS);
                }
                Err(status) => waiting.end_with(status),
            });
            if let Err(status) = started {
                request.end_with(status);
            }
        }
        Err(status) => request.end_with(status),
    }
    request.conclude()
}

/// Frees what WskGetAddressInfo gave.
pub(crate) unsafe extern "C" fn WskFreeAddressInfo(
    _client: *const Client,
    mut info: *mut AddressInfo,
) {
    while !info.is_null() {
        // SAFETY: `copy` has made each of the list.
        let one = unsafe { Box::from_raw(info) };
        info = one.next;
        if !one.name.is_null() {
            // SAFETY: a string that ends with 0.
            let len =
                (0..).take_while(|at| unsafe { *one.name.wrapping_add(*at) } != 0).count() + 1;
            let name = ptr::slice_from_raw_parts_mut(one.name, len);
            // SAFETY: `copy` has made it, of this length.
            drop(unsafe { Box::from_raw(name) });
        }
    }
}

/// Names an address.
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nc-wsk-pfn_wsk_get_name_info>
pub(crate) unsafe extern "C" fn WskGetNameInfo(
    _client: *const Client,
    address: *const u8,
    _address_len: u32,
    node: *mut UnicodeString,
    service: *mut UnicodeString,
    flags: c_int,
    _process: *mut c_void,
    _thread: *mut c_void,
    irp: *mut Irp,
) -> Status {
    let request = match Request::accept("WskGetNameInfo", irp, None, |_, done| outcome(done)) {
        Ok(request) => request,
        Err(status) => return status,
    };
    match read_address(address).map(|address| address.ip()) {
        Ok(Some(address)) => {
            let waiting = request.clone();
            let (node, service) = (node.expose_provenance(), service.expose_provenance());
            let started = worker::system_thread(move || {
                let named =
                    name(address, translate(flags, &NAME_FLAGS)).and_then(|(host, port)| {
                        write(ptr::with_exposed_provenance_mut(node), &host)?;
                        write(ptr::with_exposed_provenance_mut(service), &port)
                    });
                waiting.end_with(named.err().unwrap_or(NtStatus::SUCCESS));
            });
            if let Err(status) = started {
                request.end_with(status);
            }
        }
        Ok(None) => request.end_with(NtStatus::INVALID_PARAMETER),
        Err(status) => request.end_with(status),
    }
    request.conclude()
}

/// Host and service.
fn name(address: std::net::SocketAddr, flags: c_int) -> Result<(String, String), NtStatus> {
    const HOST_MAX: usize = 1025;
    const SERVICE_MAX: usize = 32;
    let (mut octets, len) = address::emit(&address);
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let number = u16::try_from(family).unwrap_or(0);
    octets[..2].copy_from_slice(&number.to_ne_bytes());
    let (mut host, mut service): ([c_char; HOST_MAX], [c_char; SERVICE_MAX]) =
        ([0; HOST_MAX], [0; SERVICE_MAX]);
    // SAFETY: a sockaddr of that family, and two buffers of those sizes.
    let code = unsafe {
        libc::getnameinfo(
            octets.as_ptr().cast(),
            libc::socklen_t::try_from(len).unwrap_or(0),
            host.as_mut_ptr(),
            1025,
            service.as_mut_ptr(),
            32,
            flags,
        )
    };
    if code != 0 {
        return Err(failure(code));
    }
    let text = |buffer: *const c_char| {
        // SAFETY: getnameinfo ends it with 0.
        unsafe { CStr::from_ptr(buffer) }.to_string_lossy().into_owned()
    };
    Ok((text(host.as_ptr()), text(service.as_ptr())))
}

/// Fills a UNICODE_STRING of the client's; nothing for null.
fn write(to: *mut UnicodeString, text: &str) -> Result<(), NtStatus> {
    // SAFETY: the client's structure, which stays until the completion, or null.
    let Some(to) = (unsafe { to.as_mut() }) else { return Ok(()) };
    let units: Vec<u16> = text.encode_utf16().collect();
    if units.len() * 2 > usize::from(to.room) {
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    // SAFETY: the client's buffer, which has the room.
    unsafe { ptr::copy_nonoverlapping(units.as_ptr(), to.buffer.cast_mut(), units.len()) };
    to.length = u16::try_from(units.len() * 2).unwrap_or(0);
    Ok(())
}

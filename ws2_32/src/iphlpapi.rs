//! The little of iphlpapi that socket programs need: the adapters and their addresses, the names of
//! interfaces, the servers that answer questions of names, and the tables and counters of TCP and
//! UDP.
#![allow(unsafe_code, reason = "if_nametoindex and if_indextoname of the C library; the exports")]

mod adapters;
pub(crate) mod block;
pub mod connections;
pub(crate) mod interfaces;
pub mod layout;
pub mod older;
mod resolver;
mod table;

use std::ffi::CString;

use block::Block;
use interfaces::Families;
use layout::{FIXED_INFO, IP_ADAPTER_ADDRESSES};
use linsock::NtStatus;
use resolver::Resolver;

use crate::export::{Outcome, export};
use crate::kernel32::object::no_access;
use crate::last_error::Error;
use crate::ptr;

/// What these functions give when they panic.
const ERROR_GEN_FAILURE: u32 = 31;
/// The room that if_indextoname may use, by its page.
const IF_NAMESIZE: usize = 256;

/// Writes a block where the caller wants it if it has the room, and says how large it is if not.
fn hand_over(at: *mut u8, size: *mut u32, block: impl FnOnce(usize) -> Block) -> Outcome<()> {
    let octets = |base| Ok(block(base).into_octets());
    hand_over_octets(at, size, Error::ERROR_BUFFER_OVERFLOW, octets)
}

/// The same with octets that are made for where they will lie.
fn hand_over_octets(
    at: *mut u8,
    size: *mut u32,
    too_small: Error,
    octets: impl FnOnce(usize) -> Outcome<Vec<u8>>,
) -> Outcome<()> {
    if size.is_null() {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    let size = ptr::Out::new(size).map_err(no_access)?;
    let octets = octets(at.addr())?;
    let needed = u32::try_from(octets.len()).map_err(|_| Error::ERROR_NOT_ENOUGH_MEMORY)?;
    let is_enough = !at.is_null() && needed <= size.get();
    if !is_enough {
        size.put(needed);
        return Err(too_small);
    }
    ptr::write_all(at, &octets).map_err(no_access)
}

/// Why the kernel does not tell.
const fn refusal(status: NtStatus) -> Error {
    match status {
        NtStatus::ACCESS_DENIED => Error::ERROR_ACCESS_DENIED,
        NtStatus::TOO_MANY_OPENED_FILES => Error::ERROR_TOO_MANY_OPEN_FILES,
        NtStatus::INSUFFICIENT_RESOURCES => Error::ERROR_NOT_ENOUGH_MEMORY,
        _ => Error::ERROR_NOT_SUPPORTED,
    }
}

/// The result of functions that return their error.
fn code(outcome: Outcome<()>) -> u32 {
    outcome.map_or_else(|error| error.0, |()| 0)
}

/// Stores the name of an interface and its zero.
fn store_name(index: u32, at: *mut u8) -> Outcome<*mut u8> {
    let mut name = [0; libc::IF_NAMESIZE];
    // SAFETY: the array is as large as the C library wants it.
    let found = unsafe { libc::if_indextoname(index, name.as_mut_ptr()) };
    if found.is_null() {
        return Err(Error::ERROR_FILE_NOT_FOUND);
    }
    let octets = name.map(|octet| octet.to_ne_bytes()[0]); // signed or not, by the machine
    let end = octets.iter().position(|octet| *octet == 0).unwrap_or(octets.len() - 1);
    ptr::check_writable(at, IF_NAMESIZE).map_err(no_access)?;
    ptr::write_all(at, &octets[..=end]).map_err(no_access)?;
    Ok(at)
}

export! {
    /// Lists the adapters with their addresses.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getadaptersaddresses>
    ///
    /// # Errors
    /// Returned: ERROR_BUFFER_OVERFLOW with the size that is needed, ERROR_INVALID_PARAMETER,
    /// ERROR_NO_DATA, ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// The adapters are Linux's interfaces, and their names too. Not told: anycast and multicast
    /// addresses, gateways, WINS servers, metrics, link speeds, DHCP servers, and how an address
    /// was made. The name servers of the host are those of every adapter but loopback.
    fn GetAdaptersAddresses(
        Family: u32,
        Flags: u32,
        Reserved: *mut u8,
        AdapterAddresses: *mut IP_ADAPTER_ADDRESSES,
        SizePointer: *mut u32,
    ) -> u32, fail ERROR_GEN_FAILURE; {
        let _ = Reserved;
        let list = || {
            let families = Families::new(Family).ok_or(Error::ERROR_INVALID_PARAMETER)?;
            if SizePointer.is_null() {
                return Err(Error::ERROR_INVALID_PARAMETER);
            }
            let found = interfaces::list(families).map_err(refusal)?;
            if found.is_empty() {
                return Err(Error::ERROR_NO_DATA);
            }
            let resolver = Resolver::of_host();
            hand_over(AdapterAddresses.cast(), SizePointer, |base| {
                adapters::lay_out(base, &found, Flags, &resolver)
            })
        };
        Ok(code(list()))
    }

    /// Tells the name of the host, its domain and its name servers.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getnetworkparams>
    ///
    /// The servers are those of /etc/resolv.conf that have an IPv4 address.
    ///
    /// # Errors
    /// Returned: ERROR_BUFFER_OVERFLOW with the size that is needed, ERROR_INVALID_PARAMETER,
    /// ERROR_NOACCESS.
    fn GetNetworkParams(
        pFixedInfo: *mut FIXED_INFO,
        pOutBufLen: *mut u32,
    ) -> u32, fail ERROR_GEN_FAILURE; {
        let resolver = Resolver::of_host();
        Ok(code(hand_over(pFixedInfo.cast(), pOutBufLen, |base| resolver.lay_out(base))))
    }

    /// The number of an interface, by its name; 0 if there is none.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-if_nametoindex>
    ///
    /// # Differs from Windows
    /// The name is Linux's, as lo or eth0. A pointer that is not valid gives 0 and ERROR_NOACCESS.
    fn if_nametoindex as "WS_if_nametoindex"(InterfaceName: *const u8) -> u32, fail 0; {
        let name = ptr::read_cstr(InterfaceName).map_err(no_access)?;
        let Ok(name) = CString::new(name) else { return Ok(0) };
        // SAFETY: the name ends with a zero.
        Ok(unsafe { libc::if_nametoindex(name.as_ptr()) })
    }

    /// The name of an interface, by its number; a null pointer if there is none.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-if_indextoname>
    ///
    /// # Errors
    /// ERROR_FILE_NOT_FOUND and ERROR_NOACCESS (choice: the page names no code).
    ///
    /// # Differs from Windows
    /// The name is Linux's, as lo or eth0.
    fn if_indextoname as "WS_if_indextoname"(
        InterfaceIndex: u32,
        InterfaceName: *mut u8,
    ) -> *mut u8, fail std::ptr::null_mut(); {
        store_name(InterfaceIndex, InterfaceName)
    }
}

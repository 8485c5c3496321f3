//! gethostbyname and gethostbyaddr: what programs asked before there was getaddrinfo.

use std::cell::Cell;
use std::ffi::CString;

use linsock::afd::address::Family;

use super::{WSAHOST_NOT_FOUND, name_info, resolve};
use crate::export::{Outcome, export};
use crate::kernel32::heap;
use crate::last_error::Error;
use crate::ptr;

/// A host: its names and addresses.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HOSTENT {
    /// Its official name.
    pub h_name: *mut u8,
    /// Its other names, up to a null pointer: none.
    pub h_aliases: *mut *mut u8,
    /// AF_*.
    pub h_addrtype: i16,
    /// Octets of an address.
    pub h_length: i16,
    /// Its addresses, up to a null pointer.
    pub h_addr_list: *mut *mut u8,
}

const _: () = assert!(size_of::<HOSTENT>() == 32);

const POINTER: usize = size_of::<usize>();

/// The one host that a thread keeps for its program: a block of the process heap.
struct Kept(Cell<*mut u8>);

impl Drop for Kept {
    fn drop(&mut self) {
        heap::release(self.0.get());
    }
}

thread_local! {
    static KEPT: Kept = const { Kept(Cell::new(std::ptr::null_mut())) };
}

/// Lays a host out in one block: the structure, the empty list of aliases, the list of addresses,
/// the addresses, the name. The thread's former one ends.
fn keep(name: &CString, family: Family, addresses: &[Vec<u8>]) -> Outcome<*mut HOSTENT> {
    let length = addresses.first().ok_or(WSAHOST_NOT_FOUND)?.len();
    let aliases_at = size_of::<HOSTENT>();
    let list_at = aliases_at + POINTER;
    let octets_at = list_at + (addresses.len() + 1) * POINTER;
    let name_at = octets_at + addresses.len() * length;
    let name = name.as_bytes_with_nul();
    let no_memory = Error::ERROR_NOT_ENOUGH_MEMORY;
    let block = heap::allocate(name_at + name.len(), true).ok_or(no_memory)?;
    let part = |at: usize| block.wrapping_add(at);
    for (index, octets) in addresses.iter().enumerate() {
        let octets_at = octets_at + index * length;
        ptr::write(part(list_at + index * POINTER).cast(), part(octets_at))?;
        ptr::write_all(part(octets_at), octets)?;
    }
    ptr::write_all(part(name_at), name)?;
    let host = HOSTENT {
        h_name: part(name_at),
        h_aliases: part(aliases_at).cast(),
        h_addrtype: i16::try_from(family.number()).map_err(|_| Error::WSAEAFNOSUPPORT)?,
        h_length: i16::try_from(length).map_err(|_| Error::WSAEFAULT)?,
        h_addr_list: part(list_at).cast(),
    };
    ptr::write(block.cast(), host)?;
    // A thread that is being torn down keeps nothing.
    let former = KEPT.try_with(|kept| kept.0.replace(block)).unwrap_or_default();
    heap::release(former);
    Ok(block.cast())
}

export! {
    /// Gives the IPv4 addresses of a host name; of this host for no name, an empty one or none.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-gethostbyname>
    ///
    /// The structure is the library's, one for each thread: it stays until the thread's next call
    /// of this or of gethostbyaddr. Blocks for the resolver; not alertable.
    ///
    /// # Errors
    /// A null pointer, with WSANOTINITIALISED, WSAEFAULT, WSAHOST_NOT_FOUND, WSATRY_AGAIN,
    /// WSANO_RECOVERY, WSA_NOT_ENOUGH_MEMORY.
    ///
    /// # Differs from Windows
    /// There are no aliases: the C library's resolver tells the official name only.
    winsock fn gethostbyname as "WS_gethostbyname" (name: *const u8) -> *mut HOSTENT, fail std::ptr::null_mut(); {
        let (name, addresses) = resolve::addresses_of(name)?;
        keep(&name, Family::Inet, &addresses)
    }

    /// Gives the name of the host with an address.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-gethostbyaddr>
    ///
    /// The structure is as gethostbyname's. Blocks for the resolver; not alertable.
    ///
    /// # Errors
    /// A null pointer, with WSANOTINITIALISED, WSAEAFNOSUPPORT, WSAEFAULT (also for a length that
    /// is not the family's), and as gethostbyname.
    winsock fn gethostbyaddr as "WS_gethostbyaddr" (addr: *const u8, len: i32, family: i32) -> *mut HOSTENT, fail std::ptr::null_mut(); {
        let family = Family::from_number(family).ok_or(Error::WSAEAFNOSUPPORT)?;
        let length = if family == Family::Inet { 4 } else { 16 };
        if usize::try_from(len) != Ok(length) {
            return Err(Error::WSAEFAULT);
        }
        let octets = ptr::read_all(addr, length)?;
        keep(&name_info::host_of(family, &octets)?, family, &[octets])
    }
}

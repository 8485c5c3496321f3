//! gethostbyname and gethostbyaddr: what programs asked before there was getaddrinfo.

use std::ffi::CString;
use std::mem::offset_of;

use linsock::afd::address::Family;

use super::kept::{Block, Kept};
use super::{WSAHOST_NOT_FOUND, name_info, resolve};
use crate::export::{Outcome, export};
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

thread_local! {
    static KEPT: Kept = const { Kept::new() };
}

/// Lays a host out for the thread.
fn keep(name: &CString, family: Family, addresses: &[Vec<u8>]) -> Outcome<*mut HOSTENT> {
    let length = addresses.first().ok_or(WSAHOST_NOT_FOUND)?.len();
    let mut block = Block::for_structure_of(size_of::<HOSTENT>());
    let aliases = block.list(&[]);
    let places: Vec<_> = addresses.iter().map(|octets| block.octets(octets)).collect();
    let addresses = block.list(&places);
    let name = block.text(name.as_bytes());
    block.point(offset_of!(HOSTENT, h_name), name);
    block.point(offset_of!(HOSTENT, h_aliases), aliases);
    block.point(offset_of!(HOSTENT, h_addr_list), addresses);
    let family = i16::try_from(family.number()).map_err(|_| Error::WSAEAFNOSUPPORT)?;
    block.number(offset_of!(HOSTENT, h_addrtype), family);
    let length = i16::try_from(length).map_err(|_| Error::WSAEFAULT)?;
    block.number(offset_of!(HOSTENT, h_length), length);
    block.keep(&KEPT)
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

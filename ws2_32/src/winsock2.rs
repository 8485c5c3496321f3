//! The functions of winsock2.h.

pub mod connection;
pub mod datagram;
pub mod disconnect;
pub mod events;
pub mod ioctl;
pub mod option;
pub(crate) mod overlapped;
pub mod poll;
pub mod startup;
pub mod transfer;

use std::net::SocketAddr;

use linsock::afd::address::{self, AddressError, Family};

use crate::export::Outcome;
use crate::last_error::Error;
use crate::ptr;

/// Reads the sockaddr at `name` for a socket of `family`.
///
/// # Errors
/// WSAEFAULT when it is not there or shorter than the family's; WSAEAFNOSUPPORT for another family.
pub(crate) fn read_address(family: Family, name: *const u8, len: i32) -> Outcome<SocketAddr> {
    let len = usize::try_from(len).unwrap_or(0).min(address::ADDRESS_MAX);
    if len < family.address_len() {
        return Err(Error::WSAEFAULT);
    }
    let octets = ptr::read_all(name, len)?;
    address::parse(family, &octets).map_err(|error| match error {
        AddressError::TooShort => Error::WSAEFAULT,
        AddressError::WrongFamily => Error::WSAEAFNOSUPPORT,
    })
}

/// Writes an address to `name`, whose room is at `len`, and its length there.
///
/// # Errors
/// WSAEFAULT when either pointer is bad or the room too small; nothing is written then.
pub(crate) fn write_address(address: &SocketAddr, name: *mut u8, len: *mut i32) -> Outcome<()> {
    let (octets, needed) = address::emit(address);
    let room = usize::try_from(ptr::read(len)?).unwrap_or(0);
    if room < needed {
        return Err(Error::WSAEFAULT);
    }
    ptr::write_all(name, &octets[..needed])?;
    ptr::write(len, i32::try_from(needed).unwrap_or(i32::MAX))
}

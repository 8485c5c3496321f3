//! The functions of winsock2.h.

pub mod by_name;
pub mod connection;
pub mod datagram;
pub mod disconnect;
pub mod duplicate;
pub mod events;
pub mod hooks;
pub mod ioctl;
pub mod leaf;
pub mod message;
pub mod notifications;
pub mod option;
pub(crate) mod overlapped;
pub mod poll;
pub mod protocols;
pub mod startup;
pub mod transfer;

use std::net::SocketAddr;

use linsock::afd::address::{self, Address, AddressError, Domain, Family};

use crate::export::Outcome;
use crate::last_error::Error;
use crate::ptr;

/// Reads the sockaddr at `name` for a socket of `domain`.
///
/// # Errors
/// WSAEFAULT when it is not there or shorter than the domain's; WSAEAFNOSUPPORT for another family.
pub(crate) fn read_address(domain: Domain, name: *const u8, len: i32) -> Outcome<Address> {
    let len = usize::try_from(len).unwrap_or(0).min(domain.address_len());
    if len < domain.address_len_least() {
        return Err(Error::WSAEFAULT);
    }
    let octets = ptr::read_all(name, len)?;
    address::parse_any(domain, &octets).map_err(unfit)
}

/// As [`read_address`], for a family of the internet.
pub(crate) fn read_ip(family: Family, name: *const u8, len: i32) -> Outcome<SocketAddr> {
    let len = usize::try_from(len).unwrap_or(0);
    if len < family.address_len() {
        return Err(Error::WSAEFAULT);
    }
    let octets = ptr::read_all(name, family.address_len())?;
    address::parse(family, &octets).map_err(unfit)
}

fn unfit(error: AddressError) -> Error {
    match error {
        AddressError::TooShort => Error::WSAEFAULT,
        AddressError::WrongFamily => Error::WSAEAFNOSUPPORT,
    }
}

/// Writes an address to `name`, whose room is at `len`, and its length there.
///
/// # Errors
/// WSAEFAULT when either pointer is bad or the room too small; nothing is written then.
pub(crate) fn write_address(address: &Address, name: *mut u8, len: *mut i32) -> Outcome<()> {
    let room = usize::try_from(ptr::read(len)?).unwrap_or(0);
    address.with_octets(|octets| {
        if room < octets.len() {
            return Err(Error::WSAEFAULT);
        }
        ptr::write_all(name, octets)?;
        ptr::write(len, i32::try_from(octets.len()).unwrap_or(i32::MAX))
    })
}

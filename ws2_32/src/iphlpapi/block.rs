//! A block of structures that point at each other, made in memory of ours for the place in the
//! program's where it will lie.

use std::net::SocketAddr;

use linsock::afd::address;

use super::layout::{ADDRESS_HEAD, SOCKET_ADDRESS};

/// Octets that begin at an address of the program's.
pub(crate) struct Block {
    base: usize,
    octets: Vec<u8>,
}

/// A structure in a block: where it begins, in octets from the block's beginning.
#[derive(Clone, Copy)]
pub(crate) struct Place(usize);

impl Block {
    pub(crate) const fn new(base: usize) -> Self {
        Self { base, octets: Vec::new() }
    }

    pub(crate) fn into_octets(self) -> Vec<u8> {
        self.octets
    }

    /// Room for a structure, all zero.
    pub(crate) fn reserve(&mut self, size: usize) -> Place {
        // Every structure has a pointer in it.
        let at = self.octets.len().next_multiple_of(align_of::<u64>());
        self.octets.resize(at + size, 0);
        Place(at)
    }

    /// Sets octets of a structure.
    pub(crate) fn set(&mut self, place: Place, offset: usize, octets: &[u8]) {
        let at = place.0 + offset;
        self.octets[at..at + octets.len()].copy_from_slice(octets);
    }

    pub(crate) fn set_number(&mut self, place: Place, offset: usize, number: u32) {
        self.set(place, offset, &number.to_ne_bytes());
    }

    /// Makes a member point at a structure.
    pub(crate) fn set_pointer(&mut self, place: Place, offset: usize, to: Place) {
        let address = self.base.wrapping_add(to.0);
        self.set(place, offset, &address.to_ne_bytes());
    }

    /// Adds a text and its zero, and makes a member point at it.
    pub(crate) fn set_text(&mut self, place: Place, offset: usize, text: &[u8]) {
        let at = self.reserve(text.len() + 1);
        self.set(at, 0, text);
        self.set_pointer(place, offset, at);
    }

    /// The same in UTF-16.
    pub(crate) fn set_wide_text(&mut self, place: Place, offset: usize, text: &str) {
        let octets: Vec<u8> = text.encode_utf16().flat_map(u16::to_ne_bytes).collect();
        let at = self.reserve(octets.len() + size_of::<u16>());
        self.set(at, 0, &octets);
        self.set_pointer(place, offset, at);
    }

    /// Adds a structure that is an entry of a list of addresses.
    pub(crate) fn add_address(&mut self, size: usize, address: &SocketAddr) -> Place {
        use std::mem::offset_of;
        let place = self.reserve(size);
        let length = u32::try_from(size).unwrap_or(u32::MAX);
        self.set_number(place, offset_of!(ADDRESS_HEAD, Length), length);
        let (octets, len) = address::emit(address);
        let at = self.reserve(len);
        self.set(at, 0, &octets[..len]);
        let member = offset_of!(ADDRESS_HEAD, Address);
        self.set_pointer(place, member + offset_of!(SOCKET_ADDRESS, lpSockaddr), at);
        let length = u32::try_from(len).unwrap_or(u32::MAX);
        self.set_number(place, member + offset_of!(SOCKET_ADDRESS, iSockaddrLength), length);
        place
    }

    /// Makes a member point at the first of the entries, and each entry at the next.
    pub(crate) fn link(&mut self, place: Place, offset: usize, next: usize, entries: &[Place]) {
        if let Some(first) = entries.first() {
            self.set_pointer(place, offset, *first);
        }
        self.chain(next, entries);
    }

    /// Makes each entry point at the next.
    pub(crate) fn chain(&mut self, next: usize, entries: &[Place]) {
        for pair in entries.windows(2) {
            self.set_pointer(pair[0], next, pair[1]);
        }
    }
}

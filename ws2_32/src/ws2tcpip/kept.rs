//! What a thread keeps for its program: the one host, the one service and the one protocol that the
//! functions from before getaddrinfo give, each until the thread's next call for one of its kind.

use std::cell::Cell;
use std::thread::LocalKey;

use crate::export::Outcome;
use crate::kernel32::heap;
use crate::last_error::Error;
use crate::ptr;

const POINTER: usize = size_of::<usize>();

/// A place for one structure with all that it points to: a block of the process heap.
pub(super) struct Kept(Cell<*mut u8>);

impl Kept {
    pub(super) const fn new() -> Self {
        Self(Cell::new(std::ptr::null_mut()))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        heap::release(self.0.get());
    }
}

/// Where something stands in a block.
#[derive(Clone, Copy)]
pub(super) struct Place(usize);

/// A block that is being put together: a structure in front, what it points to behind it. Pointers
/// are places until the block has an address.
pub(super) struct Block {
    octets: Vec<u8>,
    pointers: Vec<(usize, Place)>,
}

impl Block {
    /// A block for a structure of that size, of zeros.
    pub(super) fn for_structure_of(size: usize) -> Self {
        Self { octets: vec![0; size], pointers: Vec::new() }
    }

    /// Appends octets.
    pub(super) fn octets(&mut self, octets: &[u8]) -> Place {
        let at = self.octets.len();
        self.octets.extend_from_slice(octets);
        Place(at)
    }

    /// Appends a text and its zero.
    pub(super) fn text(&mut self, text: &[u8]) -> Place {
        let at = self.octets(text);
        self.octets.push(0);
        at
    }

    /// Appends a list of pointers, up to a null pointer.
    pub(super) fn list(&mut self, places: &[Place]) -> Place {
        let at = self.octets.len().next_multiple_of(POINTER);
        self.octets.resize(at + (places.len() + 1) * POINTER, 0);
        let pointers = places.iter().enumerate();
        self.pointers.extend(pointers.map(|(index, &place)| (at + index * POINTER, place)));
        Place(at)
    }

    /// Sets a member of the structure to a pointer.
    pub(super) fn point(&mut self, member: usize, to: Place) {
        self.pointers.push((member, to));
    }

    /// Sets a member of the structure to a short number.
    pub(super) fn number(&mut self, member: usize, number: i16) {
        self.octets[member..member + 2].copy_from_slice(&number.to_ne_bytes());
    }

    /// Gives the block an address, and to the thread. Its former one ends.
    pub(super) fn keep<T>(self, kept: &'static LocalKey<Kept>) -> Outcome<*mut T> {
        let no_memory = Error::ERROR_NOT_ENOUGH_MEMORY;
        let block = heap::allocate(self.octets.len(), false).ok_or(no_memory)?;
        ptr::write_all(block, &self.octets)?;
        for (at, Place(to)) in self.pointers {
            ptr::write(block.wrapping_add(at).cast(), block.wrapping_add(to))?;
        }
        // A thread that is being torn down keeps nothing.
        let former = kept.try_with(|kept| kept.0.replace(block)).unwrap_or_default();
        heap::release(former);
        Ok(block.cast())
    }
}

//! The files that a worker has used lately, so that most of its calls and reports find theirs
//! without the table, whose locks and counts other threads use.
//!
//! What is kept is owned, and lent by being taken out and given back: no count is touched. So only
//! the workers of a port keep anything, which hold on to their port anyway, and a worker that
//! leaves its port lets go of everything. A file that another thread has closed is kept until then,
//! or until its place is wanted; it is some 700 octets by then. Who finds one asks whether it is
//! open.

use std::cell::Cell;
use std::sync::Arc;

use super::Token;
use crate::file::File;

/// More than a busy server's connections of one batch, and than the slots that a few hundred
/// handles go round in. (A thread of the model has little room, and few handles.)
const PLACES: usize = if cfg!(shuttle) { 4 } else { 256 };

/// The files of one thread, by one kind of name.
pub struct Recent<T: ?Sized>([Place<T>; PLACES]);

/// Whose place it is, and the file unless it is lent.
struct Place<T: ?Sized> {
    /// 0 for nobody's.
    name: Cell<u64>,
    file: Cell<Option<Arc<T>>>,
}

/// What a file is known by: a handle value of the program's, or a token of the driver's.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    number: u64,
    slot: usize,
}

impl Name {
    /// A handle value, whatever it is.
    #[inline]
    pub const fn of_value(value: usize) -> Self {
        // A handle has the number of its slot above its two low bits.
        Self { number: value as u64, slot: value >> 2 }
    }
}

impl From<Token> for Name {
    #[inline]
    fn from(token: Token) -> Self {
        Self { number: token.value(), slot: token.index() }
    }
}

impl<T: File + ?Sized> Recent<T> {
    /// None.
    pub const fn empty() -> Self {
        Self([const { Place { name: Cell::new(0), file: Cell::new(None) } }; PLACES])
    }

    /// Takes a file, which [`give_back`](Self::give_back) returns; `None` if the thread has not
    /// used it lately. It may be closed, or have other handles.
    #[inline]
    pub fn take(&self, name: Name) -> Option<Arc<T>> {
        self.place(name)?.file.take()
    }

    /// Returns a file to its place, if that is its own still. What is left goes when nothing of the
    /// thread's is used.
    #[inline]
    #[must_use]
    pub fn give_back(&self, name: Name, file: Arc<T>) -> Option<Arc<T>> {
        match self.place(name) {
            Some(place) => place.file.replace(Some(file)),
            None => Some(file),
        }
    }

    /// The thread is about to use a file: its place is made. Gives what was there.
    #[must_use]
    pub fn reserve(&self, name: Name) -> Option<Arc<T>> {
        let place = &self.0[name.slot % PLACES];
        place.name.set(name.number);
        place.file.take()
    }

    /// The file is closed: its memory is let go of at once, for the next file to have it warm.
    #[must_use]
    pub fn forget(&self, name: Name) -> Option<Arc<T>> {
        let place = self.place(name)?;
        place.name.set(0);
        place.file.take()
    }

    /// Lets go of everything.
    pub fn clear(&self) {
        for place in &self.0 {
            place.name.set(0);
            drop(place.file.take());
        }
    }

    /// The place of a file, if it is that one's. Neighbours have different places.
    #[inline]
    fn place(&self, name: Name) -> Option<&Place<T>> {
        let place = &self.0[name.slot % PLACES];
        (place.name.get() == name.number).then_some(place)
    }
}

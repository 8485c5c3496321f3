//! SOCKETs and HANDLEs: one table of objects, addressed by index and generation, never by
//! descriptor.
//!
//! A handle is `(generation << 20 | index) << 2`: a multiple of 4 as on Windows, and below 2³¹
//! because programs keep sockets in an `int`. A slot's generation grows with each use and slots are
//! reused oldest first, so a stale handle is told from a new one for at least 511 reuses of its
//! slot. Events of the driver carry the full 32-bit generation.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use crate::event::{Event, Mutant, Semaphore, Waitable};
use crate::file::File;
use crate::port::CompletionPort;
use crate::sync::Lock;

const INDEX_BITS: u32 = 20;
const GENERATION_BITS: u32 = 9;
const CHUNK: usize = 1 << 10;
const CHUNKS: usize = (1 << INDEX_BITS) / CHUNK;

/// A handle value, as the program sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle(u32);

impl Handle {
    /// The value that the program holds.
    pub const fn value(self) -> usize {
        self.0 as usize
    }

    /// The handle in a value from the program. The low two bits are ignored, as Windows does.
    ///
    /// `None` when no handle can have this value.
    pub fn from_value(value: usize) -> Option<Self> {
        let value = u32::try_from(value & !3).ok()?;
        (value != 0 && value < 1 << 31).then_some(Self(value))
    }

    const fn index(self) -> usize {
        (self.0 as usize >> 2) & ((1 << INDEX_BITS) - 1)
    }

    const fn generation(self) -> u32 {
        self.0 >> (2 + INDEX_BITS)
    }
}

/// The identity of a table entry in the driver: never reused while the process lives (short of 2³²
/// uses of one slot).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token(u64);

impl Token {
    pub(crate) const fn value(self) -> u64 {
        self.0
    }

    pub(crate) const fn from_value(value: u64) -> Self {
        Self(value)
    }

    const fn new(index: usize, generation: u32) -> Self {
        Self((generation as u64) << 32 | index as u64)
    }
}

/// What a handle stands for.
#[derive(Clone)]
pub enum Object {
    /// Something that performs I/O: a socket.
    File(Arc<dyn File>),
    /// A completion port.
    Port(Arc<CompletionPort>),
    /// An event.
    Event(Arc<Event>),
    /// A semaphore.
    Semaphore(Arc<Semaphore>),
    /// A mutex.
    Mutant(Arc<Mutant>),
    /// Anything else that can be waited for, such as a thread.
    Other(Arc<dyn AnyWaitable>),
}

/// A waitable object of a front door's own.
pub trait AnyWaitable: Waitable + std::any::Any {}

struct Slot(Lock<Entry>);

#[derive(Default)]
struct Entry {
    generation: u32,
    object: Option<Object>,
}

/// The handle table.
pub struct Table {
    chunks: [OnceLock<Box<[Slot]>>; CHUNKS],
    /// Slots ever used; the first is left out so that no handle is 0.
    used: AtomicUsize,
    free: Lock<VecDeque<usize>>,
}

/// The process has as many handles as it can: "too many open files".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableFull;

/// Freed slots rest until this many are free, so that stale handles stay stale for long.
const RESTING: usize = 64;

/// The process's table.
pub fn table() -> &'static Table {
    static TABLE: Table = Table {
        chunks: [const { OnceLock::new() }; CHUNKS],
        used: AtomicUsize::new(1),
        free: Lock::new(VecDeque::new()),
    };
    &TABLE
}

impl Table {
    /// Enters an object, which learns its own handle and token first.
    ///
    /// # Errors
    /// [`TableFull`].
    pub fn insert_with(
        &self,
        object: impl FnOnce(Handle, Token) -> Object,
    ) -> Result<Handle, TableFull> {
        let index = self.take_slot()?;
        let slot = self.slot(index).ok_or(TableFull)?;
        let mut entry = slot.0.lock();
        entry.generation = entry.generation.wrapping_add(1);
        let generation = entry.generation;
        let visible = generation & ((1 << GENERATION_BITS) - 1);
        let handle =
            Handle((visible << INDEX_BITS | u32::try_from(index).map_err(|_| TableFull)?) << 2);
        entry.object = Some(object(handle, Token::new(index, generation)));
        Ok(handle)
    }

    /// Enters an object.
    ///
    /// # Errors
    /// [`TableFull`].
    pub fn insert(&self, object: Object) -> Result<Handle, TableFull> {
        self.insert_with(|_, _| object)
    }

    /// The object behind a handle.
    #[inline]
    pub fn get(&self, handle: Handle) -> Option<Object> {
        let entry = self.slot(handle.index())?.0.lock();
        let visible = entry.generation & ((1 << GENERATION_BITS) - 1);
        if visible == handle.generation() {
            entry.object.clone()
        } else {
            None
        }
    }

    /// The file behind a driver token; `None` once the handle was closed.
    #[inline]
    pub(crate) fn file(&self, token: Token) -> Option<Arc<dyn File>> {
        let index = usize::try_from(token.0 & 0xFFFF_FFFF).ok()?;
        let entry = self.slot(index)?.0.lock();
        match &entry.object {
            Some(Object::File(file)) if Token::new(index, entry.generation) == token => {
                Some(Arc::clone(file))
            }
            _ => None,
        }
    }

    /// Takes a handle out of the table; `None` if it is stale. Of several that race, one gets it.
    pub fn remove(&self, handle: Handle) -> Option<Object> {
        self.remove_if(handle, |_| true)
    }

    /// Takes a handle out of the table if its object is the one that is meant.
    pub fn remove_if(&self, handle: Handle, meant: impl FnOnce(&Object) -> bool) -> Option<Object> {
        let mut entry = self.slot(handle.index())?.0.lock();
        let visible = entry.generation & ((1 << GENERATION_BITS) - 1);
        if visible != handle.generation() || !entry.object.as_ref().is_some_and(meant) {
            return None;
        }
        let object = entry.object.take();
        drop(entry);
        self.free.lock().push_back(handle.index());
        object
    }

    /// Every file, for the rare passes over all of them (thread exit, WSACleanup).
    pub fn files(&self) -> Vec<Arc<dyn File>> {
        (1..self.used.load(Ordering::Acquire))
            .filter_map(|index| match &self.slot(index)?.0.lock().object {
                Some(Object::File(file)) => Some(Arc::clone(file)),
                _ => None,
            })
            .collect()
    }

    fn take_slot(&self) -> Result<usize, TableFull> {
        let mut free = self.free.lock();
        if free.len() > RESTING
            && let Some(index) = free.pop_front()
        {
            return Ok(index);
        }
        let index = self.used.load(Ordering::Relaxed);
        if index == CHUNK * CHUNKS {
            return free.pop_front().ok_or(TableFull);
        }
        if index.is_multiple_of(CHUNK) || index == 1 {
            self.chunks[index / CHUNK].get_or_init(|| {
                (0..CHUNK)
                    .map(|_| Slot(Lock::new(Entry::default())))
                    .collect()
            });
        }
        // Under the lock of the free list, so nobody else counts.
        self.used.store(index + 1, Ordering::Release);
        Ok(index)
    }

    #[inline]
    fn slot(&self, index: usize) -> Option<&Slot> {
        self.chunks.get(index / CHUNK)?.get()?.get(index % CHUNK)
    }
}

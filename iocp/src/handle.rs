//! SOCKETs and HANDLEs: one table of objects, addressed by index and generation, never by
//! descriptor.
//!
//! A handle is `(generation << 20 | index) << 2`: a multiple of 4 as on Windows, and below 2³¹
//! because programs keep sockets in an `int`. A slot's generation grows with each use and slots are
//! reused oldest first, so a stale handle is told from a new one for at least 511 reuses of its
//! slot. Events of the driver carry the full 32-bit generation.

pub mod recent;

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use crate::cache;
use crate::event::{Event, Mutant, Semaphore, Waitable};
use crate::file::File;
use crate::port::{self, CompletionPort};
use crate::sync::Lock;
use crate::sync::atomic::{AtomicUsize, Ordering};

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
    #[inline]
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

/// The identity of a table entry in the driver, never reused while the process lives (short of 2³²
/// uses of one slot).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(u64);

impl Token {
    /// As a number.
    pub const fn value(self) -> u64 {
        self.0
    }

    /// Of a number, which may be nobody's.
    pub const fn from_value(value: u64) -> Self {
        Self(value)
    }

    const fn new(index: usize, generation: u32) -> Self {
        Self((generation as u64) << 32 | index as u64)
    }

    const fn index(self) -> usize {
        (self.0 & 0xFFFF_FFFF) as usize
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
    /// What is no kernel object and only has a number for the program, which the functions of its
    /// own kind take: nobody waits for it or closes it as a handle.
    Private(Arc<dyn std::any::Any + Send + Sync>),
    /// What has a handle that is closed like others, and that nobody waits for: a file mapping.
    Closable(Arc<dyn std::any::Any + Send + Sync>),
}

/// A waitable object of a front door's own.
pub trait AnyWaitable: Waitable + std::any::Any {}

struct Slot(Lock<Entry>);

#[derive(Default)]
struct Entry {
    generation: u32,
    /// A process that this one starts may have it: HANDLE_FLAG_INHERIT.
    inherited: bool,
    held: Held,
}

/// What a slot holds.
#[derive(Default)]
enum Held {
    #[default]
    Nothing,
    /// What the slot's handle stands for.
    Open(Object),
    /// A file whose own handle was closed and that has others: only its token finds it.
    Retired(Arc<dyn File>),
}

impl Entry {
    /// The handle of what the slot holds.
    #[inline]
    fn handle(&self, index: usize) -> Option<Handle> {
        let visible = self.generation & ((1 << GENERATION_BITS) - 1);
        Some(Handle((visible << INDEX_BITS | u32::try_from(index).ok()?) << 2))
    }

    /// What the handle stands for, if it is not stale.
    #[inline]
    fn open(&self, handle: Handle) -> Option<&Object> {
        let visible = self.generation & ((1 << GENERATION_BITS) - 1);
        match &self.held {
            Held::Open(object) if visible == handle.generation() => Some(object),
            _ => None,
        }
    }

    /// The file of this slot's own: not one that has another handle here.
    #[inline]
    fn own_file(&self, index: usize) -> Option<&Arc<dyn File>> {
        let (Held::Open(Object::File(file)) | Held::Retired(file)) = &self.held else {
            return None;
        };
        (file.core().token().index() == index).then_some(file)
    }
}

/// The handle table.
pub struct Table {
    chunks: [OnceLock<Box<[Slot; CHUNK]>>; CHUNKS],
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
        let handle = entry.handle(index).ok_or(TableFull)?;
        let object = object(handle, Token::new(index, generation));
        // WSASocket page: "inheritable by default"; other handles are as they are asked for.
        entry.inherited = matches!(&object, Object::File(file) if file.is_of_winsock());
        entry.held = Held::Open(object);
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
        self.slot(handle.index())?.0.lock().open(handle).cloned()
    }

    /// The file behind a handle: what nearly every call wants.
    #[inline]
    pub fn file_of(&self, handle: Handle) -> Option<Arc<dyn File>> {
        let entry = self.slot(handle.index())?.0.lock();
        match entry.open(handle) {
            Some(Object::File(file)) => Some(Arc::clone(file)),
            _ => None,
        }
    }

    /// The completion port behind a handle.
    #[inline]
    pub fn port_of(&self, handle: Handle) -> Option<Arc<CompletionPort>> {
        let entry = self.slot(handle.index())?.0.lock();
        match entry.open(handle) {
            Some(Object::Port(port)) => Some(Arc::clone(port)),
            _ => None,
        }
    }

    /// The file behind a driver token; `None` once its last handle was closed.
    #[inline]
    pub fn file(&self, token: Token) -> Option<Arc<dyn File>> {
        let index = token.index();
        let entry = self.slot(index)?.0.lock();
        match &entry.held {
            Held::Open(Object::File(file)) | Held::Retired(file)
                if Token::new(index, entry.generation) == token =>
            {
                Some(Arc::clone(file))
            }
            _ => None,
        }
    }

    /// Asks the processor for the table's own memory of a handle, which is looked up soon.
    #[inline]
    pub fn fetch_slot(&self, handle: Handle) {
        if let Some(slot) = self.slot(handle.index()) {
            cache::fetch(slot);
        }
    }

    /// Takes a handle out of the table; `None` if it is stale. Of several that race, one gets it.
    pub fn remove(&self, handle: Handle) -> Option<Object> {
        self.remove_if(handle, |_| true)
    }

    /// Takes a handle out of the table if its object is the one that is meant.
    pub fn remove_if(&self, handle: Handle, meant: impl FnOnce(&Object) -> bool) -> Option<Object> {
        let mut entry = self.slot(handle.index())?.0.lock();
        if !entry.open(handle).is_some_and(meant) {
            return None;
        }
        let Held::Open(object) = std::mem::take(&mut entry.held) else { return None };
        let token = Token::new(handle.index(), entry.generation);
        drop(entry);
        port::forget(token);
        self.free.lock().push_back(handle.index());
        Some(object)
    }

    /// Closes a file's own handle while it has others: from now on only its token finds it. False
    /// if the handle is stale or stands for no file.
    pub fn retire(&self, handle: Handle) -> bool {
        let Some(slot) = self.slot(handle.index()) else { return false };
        let mut entry = slot.0.lock();
        let Some(Object::File(file)) = entry.open(handle) else { return false };
        entry.held = Held::Retired(Arc::clone(file));
        true
    }

    /// Takes a file out of the table whose own handle was closed before; false if it is gone.
    pub fn remove_retired(&self, token: Token) -> bool {
        let Some(slot) = self.slot(token.index()) else { return false };
        let mut entry = slot.0.lock();
        if Token::new(token.index(), entry.generation) != token
            || !matches!(entry.held, Held::Retired(_))
        {
            return false;
        }
        let file = std::mem::take(&mut entry.held);
        drop(entry);
        drop(file);
        port::forget(token);
        self.free.lock().push_back(token.index());
        true
    }

    /// Whether processes that this one starts may have a handle; `None` if it is stale.
    pub fn is_inherited(&self, handle: Handle) -> Option<bool> {
        let entry = self.slot(handle.index())?.0.lock();
        entry.open(handle).map(|_| entry.inherited)
    }

    /// Says whether processes that this one starts may have a handle. False if it is stale.
    pub fn set_inherited(&self, handle: Handle, inherited: bool) -> bool {
        let Some(slot) = self.slot(handle.index()) else { return false };
        let mut entry = slot.0.lock();
        let is_open = entry.open(handle).is_some();
        if is_open {
            entry.inherited = inherited;
        }
        is_open
    }

    /// The files that processes which this one starts may have, with their handles.
    pub fn inherited_files(&self) -> Vec<(Handle, Arc<dyn File>)> {
        let inherited = |index: usize| {
            let entry = self.slot(index)?.0.lock();
            match &entry.held {
                Held::Open(Object::File(file)) if entry.inherited => {
                    Some((entry.handle(index)?, Arc::clone(file)))
                }
                _ => None,
            }
        };
        (1..self.used.load(Ordering::Acquire)).filter_map(inherited).collect()
    }

    /// Enters an object under a handle that it had in another process; such a handle is inherited
    /// again. False if the handle's slot is not free.
    pub fn adopt(&self, handle: Handle, object: impl FnOnce(Handle, Token) -> Object) -> bool {
        let index = handle.index();
        if index == 0 || !self.take_this_slot(index) {
            return false;
        }
        let Some(slot) = self.slot(index) else { return false };
        let mut entry = slot.0.lock();
        entry.generation = handle.generation();
        entry.inherited = true;
        entry.held = Held::Open(object(handle, Token::new(index, handle.generation())));
        true
    }

    /// Every file once, for the rare passes over all of them (thread exit).
    pub fn files(&self) -> Vec<Arc<dyn File>> {
        (1..self.used.load(Ordering::Acquire))
            .filter_map(|index| self.slot(index)?.0.lock().own_file(index).cloned())
            .collect()
    }

    /// Every completion port with its handle, for tools.
    pub fn ports(&self) -> Vec<(Handle, Arc<CompletionPort>)> {
        let port = |index| {
            let entry = self.slot(index)?.0.lock();
            match &entry.held {
                Held::Open(Object::Port(port)) => Some((entry.handle(index)?, Arc::clone(port))),
                _ => None,
            }
        };
        (1..self.used.load(Ordering::Acquire)).filter_map(port).collect()
    }

    /// What else there is behind handles that can be waited for, for the rare search through it.
    pub fn others(&self) -> Vec<Arc<dyn AnyWaitable>> {
        let other = |index| match &self.slot(index)?.0.lock().held {
            Held::Open(Object::Other(other)) => Some(Arc::clone(other)),
            _ => None,
        };
        (1..self.used.load(Ordering::Acquire)).filter_map(other).collect()
    }

    /// Takes every file of Winsock's out of the table with all of its handles (WSACleanup); gives
    /// each once.
    pub fn take_files(&self) -> Vec<Arc<dyn File>> {
        let take = |index| {
            let mut entry = self.slot(index)?.0.lock();
            let file = entry.own_file(index).cloned();
            match &entry.held {
                Held::Open(Object::File(file)) | Held::Retired(file) if file.is_of_winsock() => {}
                _ => return None,
            }
            entry.held = Held::Nothing;
            drop(entry);
            self.free.lock().push_back(index);
            file
        };
        (1..self.used.load(Ordering::Acquire)).filter_map(take).collect()
    }

    fn take_slot(&self) -> Result<usize, TableFull> {
        let mut free = self.free.lock();
        if free.len() > RESTING
            && let Some(index) = free.pop_front()
        {
            // The next one has rested long enough to be cold.
            free.front().and_then(|&next| self.slot(next)).inspect(|slot| cache::fetch(*slot));
            return Ok(index);
        }
        let index = self.used.load(Ordering::Relaxed);
        if index == CHUNK * CHUNKS {
            return free.pop_front().ok_or(TableFull);
        }
        self.use_slot(index);
        Ok(index)
    }

    /// Uses the next slot for the first time. Under the lock of the free list, so nobody else
    /// counts.
    fn use_slot(&self, index: usize) {
        if index.is_multiple_of(CHUNK) || index == 1 {
            self.chunks[index / CHUNK]
                .get_or_init(|| Box::new(std::array::from_fn(|_| Slot(Lock::default()))));
        }
        self.used.store(index + 1, Ordering::Release);
    }

    /// Takes a slot that is free; those before it that were never used become free.
    fn take_this_slot(&self, index: usize) -> bool {
        let mut free = self.free.lock();
        for next in self.used.load(Ordering::Relaxed)..=index {
            self.use_slot(next);
            free.push_back(next);
        }
        let at = free.iter().position(|&one| one == index);
        at.and_then(|at| free.remove(at)).is_some()
    }

    #[inline]
    fn slot(&self, index: usize) -> Option<&Slot> {
        Some(&self.chunks.get(index / CHUNK)?.get()?[index % CHUNK])
    }
}

#[cfg(test)]
mod tests;

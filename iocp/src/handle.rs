//! SOCKETs and HANDLEs: one table of objects, addressed by index and generation, never by
//! descriptor.
//!
//! A handle is `(generation << 20 | index) << 2`: a multiple of 4 as on Windows, and below 2³¹
//! because programs keep sockets in an `int`. A slot's generation grows with each use and slots are
//! reused oldest first, so a stale handle is told from a new one for at least 511 reuses of its
//! slot. Events of the driver carry the full 32-bit generation.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use crate::cache;
use crate::event::{Event, Mutant, Semaphore, Waitable};
use crate::file::File;
use crate::port::CompletionPort;
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
    object: Option<Object>,
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
        if visible == handle.generation() { entry.object.clone() } else { None }
    }

    /// The file behind a handle: what nearly every call wants.
    #[inline]
    pub fn file_of(&self, handle: Handle) -> Option<Arc<dyn File>> {
        let entry = self.slot(handle.index())?.0.lock();
        let visible = entry.generation & ((1 << GENERATION_BITS) - 1);
        match &entry.object {
            Some(Object::File(file)) if visible == handle.generation() => Some(Arc::clone(file)),
            _ => None,
        }
    }

    /// The completion port behind a handle.
    #[inline]
    pub fn port_of(&self, handle: Handle) -> Option<Arc<CompletionPort>> {
        let entry = self.slot(handle.index())?.0.lock();
        let visible = entry.generation & ((1 << GENERATION_BITS) - 1);
        match &entry.object {
            Some(Object::Port(port)) if visible == handle.generation() => Some(Arc::clone(port)),
            _ => None,
        }
    }

    /// The file behind a driver token; `None` once the handle was closed.
    #[inline]
    pub fn file(&self, token: Token) -> Option<Arc<dyn File>> {
        let index = token.index();
        let entry = self.slot(index)?.0.lock();
        match &entry.object {
            Some(Object::File(file)) if Token::new(index, entry.generation) == token => {
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
            // The next one has rested long enough to be cold.
            free.front().and_then(|&next| self.slot(next)).inspect(|slot| cache::fetch(*slot));
            return Ok(index);
        }
        let index = self.used.load(Ordering::Relaxed);
        if index == CHUNK * CHUNKS {
            return free.pop_front().ok_or(TableFull);
        }
        if index.is_multiple_of(CHUNK) || index == 1 {
            self.chunks[index / CHUNK]
                .get_or_init(|| Box::new(std::array::from_fn(|_| Slot(Lock::default()))));
        }
        // Under the lock of the free list, so nobody else counts.
        self.used.store(index + 1, Ordering::Release);
        Ok(index)
    }

    #[inline]
    fn slot(&self, index: usize) -> Option<&Slot> {
        Some(&self.chunks.get(index / CHUNK)?.get()?[index % CHUNK])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::{AlreadyAssociated, FileCore};
    use crate::irp::{Deferred, Irp};

    fn new_table() -> Table {
        Table {
            chunks: [const { OnceLock::new() }; CHUNKS],
            used: AtomicUsize::new(1),
            free: Lock::new(VecDeque::new()),
        }
    }

    fn event() -> Object {
        Object::Event(Arc::new(Event::new(true, false)))
    }

    fn is(object: Option<Object>, event: &Arc<Event>) -> bool {
        matches!(object, Some(Object::Event(found)) if Arc::ptr_eq(&found, event))
    }

    /// Inserts and removes until the slot comes up again; gives the new handle.
    fn reuse(table: &Table, index: usize) -> Handle {
        reuse_for(&event(), table, index)
    }

    fn reuse_for(object: &Object, table: &Table, index: usize) -> Handle {
        loop {
            let handle = table.insert(object.clone()).unwrap();
            if handle.index() == index {
                return handle;
            }
            table.remove(handle).unwrap();
        }
    }

    /// Module documentation: a multiple of 4 as on Windows, below 2³¹, and not 0.
    #[test]
    fn a_handle_is_a_small_positive_multiple_of_four() {
        let table = new_table();
        for _ in 0..3 * CHUNK {
            let value = table.insert(event()).unwrap().value();
            assert!(value != 0 && value.is_multiple_of(4) && value < 1 << 31, "{value}");
        }
        let largest = (1 << (INDEX_BITS + GENERATION_BITS)) - 1;
        let last = Handle(largest << 2);
        assert_eq!(last.value(), (1 << 31) - 4);
        assert_eq!(Handle::from_value(last.value()), Some(last));
    }

    /// `test_completion_port` and `test_connect_completion_port` wait for a handle with the low bit
    /// set.
    #[test]
    fn the_low_two_bits_are_ignored() {
        let table = new_table();
        let one = Arc::new(Event::new(true, false));
        let handle = table.insert(Object::Event(Arc::clone(&one))).unwrap();
        table.insert(event()).unwrap();
        for low in 0..4 {
            let found = Handle::from_value(handle.value() | low).unwrap();
            assert_eq!(found, handle);
            assert!(is(table.get(found), &one));
        }
    }

    #[test]
    fn what_no_handle_can_be_is_none() {
        let impossible = [0, 1, 3, 1 << 31, 0xFFFF_FFFF, usize::MAX, 1 << 32, 8 + (1 << 32)];
        for value in impossible {
            assert_eq!(Handle::from_value(value), None, "{value:#x}");
        }
        let table = new_table();
        for value in [4, 8, (1 << 31) - 4] {
            let handle = Handle::from_value(value).unwrap();
            assert!(table.get(handle).is_none(), "{value:#x}");
            assert!(table.remove(handle).is_none(), "{value:#x}");
        }
    }

    #[test]
    fn a_stale_handle_finds_nothing_and_removes_nothing() {
        let table = new_table();
        let stale = table.insert(event()).unwrap();
        assert!(table.remove(stale).is_some());
        assert!(table.get(stale).is_none());
        assert!(table.remove(stale).is_none(), "once only");
        let fresh = reuse(&table, stale.index());
        assert_ne!(fresh, stale);
        assert!(table.get(stale).is_none());
        assert!(table.remove(stale).is_none());
        assert!(table.get(fresh).is_some(), "untouched by the stale one");
    }

    /// Module documentation: at least 511 reuses.
    #[test]
    fn a_handle_stays_stale_for_511_reuses_of_its_slot() {
        let table = new_table();
        let stale = table.insert(event()).unwrap();
        table.remove(stale).unwrap();
        for round in 0..511 {
            let fresh = reuse(&table, stale.index());
            assert_ne!(fresh, stale, "{round}");
            assert!(table.get(stale).is_none(), "{round}");
            table.remove(fresh).unwrap();
        }
        let again = reuse(&table, stale.index());
        assert_eq!(again, stale, "nine bits of generation have come round");
    }

    /// Module documentation: oldest first; `RESTING`: 64 rest.
    #[test]
    fn slots_are_reused_oldest_first_after_a_rest() {
        let table = new_table();
        let handles: Vec<_> = (0..=RESTING).map(|_| table.insert(event()).unwrap()).collect();
        for &handle in &handles {
            table.remove(handle).unwrap();
        }
        let next = table.insert(event()).unwrap();
        assert_eq!(next.index(), handles[0].index(), "65 rested");
        let next = table.insert(event()).unwrap();
        assert_eq!(next.index(), RESTING + 2, "64 rest, so a slot never used");
        table.remove(next).unwrap();
        let next = table.insert(event()).unwrap();
        assert_eq!(next.index(), handles[1].index());
    }

    #[test]
    fn remove_if_takes_only_what_is_meant() {
        let table = new_table();
        let handle = table.insert(event()).unwrap();
        let is_port = |object: &Object| matches!(object, Object::Port(_));
        let is_event = |object: &Object| matches!(object, Object::Event(_));
        assert!(table.remove_if(handle, is_port).is_none());
        assert!(table.get(handle).is_some());
        assert!(table.remove_if(handle, is_event).is_some());
        assert!(table.get(handle).is_none());
    }

    struct Nothing(FileCore);

    impl File for Nothing {
        fn core(&self) -> &FileCore {
            &self.0
        }
        fn handle_ready(&self, _: crate::driver::Readiness, _: &mut Deferred) {}
        fn cancel(&self, _: &dyn Fn(&Irp) -> bool) -> usize {
            0
        }
        fn associate(&self, _: &Arc<CompletionPort>, _: usize) -> Result<(), AlreadyAssociated> {
            Ok(())
        }
        fn close(&self) {}
    }

    fn insert_file(table: &Table) -> (Handle, Token) {
        let mut given = None;
        let handle = table
            .insert_with(|handle, token| {
                given = Some((handle, token));
                Object::File(Arc::new(Nothing(FileCore::new(handle, token))))
            })
            .unwrap();
        let (told, token) = given.unwrap();
        assert_eq!(told, handle, "the object learns its own handle");
        (handle, token)
    }

    /// As [`Table::get`], for the kinds that are asked for by name.
    #[test]
    fn files_and_ports_are_found_by_their_own_handles() {
        let table = new_table();
        let found = |handle| (table.file_of(handle).is_some(), table.port_of(handle).is_some());
        let (stale, _) = insert_file(&table);
        let file = table.remove(stale).unwrap();
        let port = Object::Port(CompletionPort::new(1).unwrap());
        let (mut known, index) = (vec![stale], stale.index());
        for (object, expected) in [(file, (true, false)), (port, (false, true))] {
            for _ in 0..3 {
                let handle = reuse_for(&object, &table, index);
                assert_eq!(found(handle), expected);
                for &stale in &known {
                    assert_eq!(found(stale), (false, false));
                }
                known.push(handle);
                table.remove(handle).unwrap();
            }
        }
        assert_eq!(found(reuse(&table, index)), (false, false), "an event");
    }

    /// I8: also when the nine bits in the handle have come round.
    #[test]
    fn a_token_of_a_closed_handle_finds_nobody() {
        let table = new_table();
        let (handle, token) = insert_file(&table);
        assert_eq!(table.file(token).unwrap().core().handle(), handle);
        assert_eq!(table.files().len(), 1);
        table.remove(handle).unwrap();
        assert!(table.file(token).is_none());
        assert!(table.files().is_empty());
        for _ in 0..511 {
            let other = reuse(&table, handle.index());
            assert!(table.file(token).is_none());
            table.remove(other).unwrap();
        }
        let (same, fresh) = loop {
            let (found, token) = insert_file(&table);
            if found.index() == handle.index() {
                break (found, token);
            }
            table.remove(found).unwrap();
        };
        assert_eq!(same, handle, "the handle is back");
        assert_ne!(fresh, token, "the token is not");
        assert!(table.file(token).is_none());
        assert!(table.file(fresh).is_some());
        for foreign in [u64::MAX, u64::MAX - 1, 0] {
            assert!(table.file(Token::from_value(foreign)).is_none());
        }
    }

    #[test]
    fn a_full_table_says_so_and_goes_on_with_what_is_freed() {
        let table = new_table();
        let first = table.insert(event()).unwrap();
        table.used.store(CHUNK * CHUNKS, Ordering::Relaxed);
        assert_eq!(table.insert(event()), Err(TableFull));
        table.remove(first).unwrap();
        let again = table.insert(event()).unwrap();
        assert_eq!(again.index(), first.index());
        assert_ne!(again, first);
        assert_eq!(table.insert(event()), Err(TableFull));
    }

    #[test]
    fn threads_that_insert_and_remove_get_their_own() {
        const THREADS: usize = 4;
        let table = &new_table();
        let work = move || {
            let mut held = VecDeque::new();
            for _ in 0..2_000 {
                let mine = Arc::new(Event::new(true, false));
                let handle = table.insert(Object::Event(Arc::clone(&mine))).unwrap();
                assert!(is(table.get(handle), &mine));
                held.push_back((handle, mine));
                if let Some((handle, mine)) = (held.len() > 8).then(|| held.pop_front()).flatten() {
                    assert!(is(table.remove(handle), &mine));
                    assert!(table.remove(handle).is_none());
                }
            }
            for (handle, mine) in held {
                assert!(is(table.remove(handle), &mine));
            }
        };
        std::thread::scope(|scope| (0..THREADS).for_each(|_| drop(scope.spawn(work))));
        let mut free = Vec::from(table.free.lock().clone());
        free.sort_unstable();
        free.dedup();
        let used = table.used.load(Ordering::Relaxed);
        assert_eq!(free.len(), used - 1, "every slot is free, once");
        assert!(used <= 1 + THREADS * 10 + RESTING, "slots were reused: {used}");
    }

    #[test]
    fn of_several_that_remove_one_gets_it() {
        let table = &new_table();
        for _ in 0..300 {
            let handle = table.insert(event()).unwrap();
            let got = std::thread::scope(|scope| {
                [(); 3]
                    .map(|()| scope.spawn(move || table.remove(handle).is_some()))
                    .map(|thread| thread.join().unwrap())
            });
            assert_eq!(got.iter().filter(|got| **got).count(), 1);
        }
    }
}

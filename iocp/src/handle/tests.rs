use super::*;
use crate::file::{AlreadyAssociated, FileCore};
use crate::irp::{Deferred, Irp};
use crate::port::CompletionPort;

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

/// Closing a file's own handle while it has another: the driver still finds it, the program only by
/// the other handle, and the slot is not reused before the file is gone.
#[test]
fn a_retired_file_is_found_by_its_token_only() {
    let table = new_table();
    let (own, token) = insert_file(&table);
    let file = table.file(token).unwrap();
    let other = table.insert(Object::File(Arc::clone(&file))).unwrap();
    assert_eq!(table.files().len(), 1, "one file, two handles");
    assert!(!table.remove_retired(token), "its handle is open");
    assert!(table.retire(own));
    assert!(!table.retire(own), "once only");
    assert!(table.get(own).is_none() && table.file_of(own).is_none());
    assert!(table.remove(own).is_none());
    assert!(table.file(token).is_some() && table.file_of(other).is_some());
    assert_eq!(table.files().len(), 1);
    table.remove(other).unwrap();
    assert!(table.file(token).is_some(), "until it is let go of");
    assert!(table.remove_retired(token));
    assert!(!table.remove_retired(token));
    assert!(table.file(token).is_none() && table.files().is_empty());
    assert_ne!(reuse(&table, own.index()), own);
}

#[test]
fn only_files_can_be_retired() {
    let table = new_table();
    let event = table.insert(event()).unwrap();
    assert!(!table.retire(event));
    assert!(table.get(event).is_some());
}

/// WSACleanup: each file once, whatever its handles, and nothing else.
#[test]
fn all_files_are_taken_at_once() {
    let table = new_table();
    let event = table.insert(event()).unwrap();
    let (open, first) = insert_file(&table);
    let (retired, second) = insert_file(&table);
    let [shared, alone] = [first, second].map(|token| table.file(token).unwrap());
    let handles = [shared, alone].map(|file| table.insert(Object::File(file)).unwrap());
    assert!(table.retire(retired));
    assert_eq!(table.take_files().len(), 2);
    for handle in handles.into_iter().chain([open, retired]) {
        assert!(table.get(handle).is_none());
    }
    assert!(table.file(first).is_none() && table.file(second).is_none());
    assert!(table.get(event).is_some());
    assert_eq!(table.free.lock().len(), 4, "every slot is free, once");
}

#[test]
fn a_handle_says_whether_it_is_inherited() {
    let table = new_table();
    let handle = table.insert(event()).unwrap();
    assert_eq!(table.is_inherited(handle), Some(false));
    assert!(table.set_inherited(handle, true));
    assert_eq!(table.is_inherited(handle), Some(true));
    assert!(table.inherited_files().is_empty(), "an event is no file");
    table.remove(handle).unwrap();
    assert_eq!(table.is_inherited(handle), None);
    assert!(!table.set_inherited(handle, true));
    let (file, _) = insert_file(&table);
    assert!(table.set_inherited(file, true));
    let inherited: Vec<_> = table.inherited_files().iter().map(|(handle, _)| *handle).collect();
    assert_eq!(inherited, [file]);
}

/// What comes from another process keeps its value, and no slot is lost or given twice.
#[test]
fn a_handle_is_adopted_where_it_was() {
    let table = new_table();
    for value in [(5 << INDEX_BITS | 9) << 2, 9 << 2, (3 << INDEX_BITS | 2000) << 2] {
        let handle = Handle::from_value(value).unwrap();
        let is_free = handle.index() != 9 || handle.generation() == 5;
        assert_eq!(table.adopt(handle, |_, _| event()), is_free, "{handle:?}");
        assert_eq!(table.get(handle).is_some(), is_free);
        assert_eq!(table.is_inherited(handle), is_free.then_some(true));
    }
    let others: Vec<_> = (0..2100).map(|_| table.insert(event()).unwrap()).collect();
    let mut indices: Vec<_> = others.iter().map(|handle| handle.index()).collect();
    indices.extend([9, 2000]);
    indices.sort_unstable();
    indices.dedup();
    assert_eq!(indices.len(), 2102);
}

#[test]
fn ports_are_found_with_their_handles() {
    let table = new_table();
    table.insert(event()).unwrap();
    let ports = [1, 2].map(|concurrency| CompletionPort::new(concurrency).unwrap());
    let handles =
        ports.each_ref().map(|port| table.insert(Object::Port(Arc::clone(port))).unwrap());
    let found = table.ports();
    assert_eq!(found.iter().map(|(handle, _)| *handle).collect::<Vec<_>>(), handles);
    assert!(found.iter().zip(&ports).all(|((_, found), port)| Arc::ptr_eq(found, port)));
    table.remove(handles[0]).unwrap();
    assert_eq!(table.ports().len(), 1);
}

//! Fiber local storage: thread local storage whose indexes have a callback for what is left there.
//!
//! An index has an age as in [`super::tls`]. What a thread stores lies in a list of its own, which
//! the book of all threads has too: who frees an index takes from every list what is stored there.
//! A value is taken out under the book's lock before its callback runs, so its callback runs once,
//! whether the thread ends or the index is freed; no lock is held while it runs.
//!
//! # Differs from Windows
//! There are no fibers, so the storage is the thread's.
#![allow(unsafe_code, reason = "calls of the program's callbacks")]

use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use linsock::iocp::sync::{Condition, Lock};

use crate::abi::{BOOL, FALSE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::{self, Error};

/// A function that gets what is left at an index.
pub type FlsCallback = unsafe extern "C-unwind" fn(*const c_void);

/// No index is free (fibersapi.h).
const FLS_OUT_OF_INDEXES: u32 = 0xFFFF_FFFF;
/// The indexes of a process (winnt.h: FLS_MAXIMUM_AVAILABLE).
const INDEXES: usize = 4080;

/// Changed under the book's lock only.
static AGES: [AtomicU32; INDEXES] = [const { AtomicU32::new(0) }; INDEXES];
static BOOK: Lock<Book> =
    Lock::new(Book { callbacks: [None; INDEXES], running: [0; INDEXES], threads: BTreeMap::new() });
/// A callback has returned.
static RETURNED: Condition = Condition::new();

/// What is known of all indexes and threads.
struct Book {
    callbacks: [Option<FlsCallback>; INDEXES],
    /// Callbacks of an index that were begun and have not returned.
    running: [u32; INDEXES],
    /// What the threads have stored, by the numbers of [`linsock::iocp::thread::id`].
    threads: BTreeMap<u64, Arc<Values>>,
}

#[derive(Clone, Copy, Default)]
struct Stored {
    age: u32,
    value: usize,
}

/// What a thread has stored, up to the largest index that it has stored something at. Its lock is
/// taken after the book's.
type Values = Lock<Vec<Stored>>;

/// The calling thread's values; what is left when the thread is torn down goes to the callbacks.
struct Own(Arc<Values>);

impl Drop for Own {
    /// Not on the main thread: there this runs when the process exits, before the program's own
    /// exit functions, which may still use what is stored.
    fn drop(&mut self) {
        let is_main = rustix::thread::gettid() == rustix::process::getpid();
        if !is_main {
            hand_over_all(&self.0);
            BOOK.lock().threads.remove(&linsock::iocp::thread::id());
        }
    }
}

thread_local! {
    static OWN: OnceCell<Own> = const { OnceCell::new() };
    /// How many callbacks are on the calling thread's stack.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

const fn is_in_use(age: u32) -> bool {
    age & 1 == 1
}

/// An index in use, and its age.
fn in_use(index: u32) -> Outcome<(usize, u32)> {
    let index = usize::try_from(index).map_err(|_| Error::ERROR_INVALID_PARAMETER)?;
    let age = AGES.get(index).map_or(0, |age| age.load(Ordering::Relaxed));
    if is_in_use(age) { Ok((index, age)) } else { Err(Error::ERROR_INVALID_PARAMETER) }
}

fn own() -> Outcome<Arc<Values>> {
    let found = OWN.try_with(|own| Arc::clone(&own.get_or_init(enter).0));
    found.map_err(|_| Error::ERROR_NOT_ENOUGH_MEMORY)
}

/// Enters the calling thread into the book.
fn enter() -> Own {
    let values = Arc::new(Values::new(Vec::new()));
    BOOK.lock().threads.insert(linsock::iocp::thread::id(), Arc::clone(&values));
    Own(values)
}

fn stored(values: &Values, index: usize, age: u32) -> usize {
    let values = values.lock();
    values.get(index).filter(|stored| stored.age == age).map_or(0, |stored| stored.value)
}

fn store(values: &Values, index: usize, new: Stored) {
    let mut values = values.lock();
    if values.len() <= index {
        values.resize(index + 1, Stored::default());
    }
    values[index] = new;
}

/// Takes out what is stored at an index of that age, unless it is 0.
fn take(values: &Values, index: usize, age: u32) -> Option<usize> {
    let mut values = values.lock();
    let place = values.get_mut(index).filter(|stored| stored.age == age)?;
    Some(std::mem::take(place).value).filter(|&value| value != 0)
}

/// A callback that is to run, and what it gets. It counts as running.
struct Due {
    index: usize,
    callback: FlsCallback,
    value: usize,
}

impl Book {
    fn due(&mut self, index: usize, callback: FlsCallback, value: usize) -> Due {
        self.running[index] += 1;
        Due { index, callback, value }
    }

    /// Takes from a thread's values the first one from an index on that has a callback.
    fn next_due(&mut self, values: &Values, from: usize) -> Option<Due> {
        let end = values.lock().len();
        (from..end).find_map(|index| {
            let callback = self.callbacks[index]?;
            let value = take(values, index, AGES[index].load(Ordering::Relaxed))?;
            Some(self.due(index, callback, value))
        })
    }

    /// An index is no longer in use: what the threads have stored there is due.
    fn free(&mut self, index: usize, age: u32) -> Vec<Due> {
        AGES[index].store(age.wrapping_add(1), Ordering::Relaxed);
        let Some(callback) = self.callbacks[index].take() else { return Vec::new() };
        let taken = self.threads.values().filter_map(|values| take(values, index, age));
        let taken: Vec<_> = taken.collect();
        taken.into_iter().map(|value| self.due(index, callback, value)).collect()
    }
}

/// Runs a callback, without a lock.
fn run(due: &Due) {
    DEPTH.set(DEPTH.get() + 1);
    // SAFETY: FlsAlloc's caller says that the function takes what is stored at the index.
    unsafe { (due.callback)(std::ptr::with_exposed_provenance(due.value)) };
    DEPTH.set(DEPTH.get() - 1);
    BOOK.lock().running[due.index] -= 1;
    RETURNED.tell_all();
}

/// Hands what a thread has stored to the callbacks, index by index.
fn hand_over_all(values: &Values) {
    let mut from = 0;
    loop {
        // The lock is not held while the callback runs.
        let due = BOOK.lock().next_due(values, from);
        let Some(due) = due else { return };
        from = due.index + 1;
        run(&due);
    }
}

/// The calling thread ends, by whichever way of this library: the callbacks of what it has stored
/// run, before the thread is signaled.
pub(super) fn thread_ends() {
    let values = OWN.try_with(|own| own.get().map(|own| Arc::clone(&own.0)));
    if let Ok(Some(values)) = values {
        hand_over_all(&values);
    }
}

/// Waits until no callback of an index runs in another thread. One who is inside a callback does
/// not wait: two such might wait for each other.
fn wait_for_others(index: usize) {
    let mut book = BOOK.lock();
    while DEPTH.get() == 0 && book.running[index] != 0 {
        RETURNED.wait(&mut book);
    }
}

export! {
    /// Hands out an index, at which every thread has the value 0. The callback gets the values that
    /// are not 0, each once: those of a thread when it ends, and those of all threads, in the
    /// thread that frees the index, when it is freed. The value is no longer stored when it runs.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fibersapi/nf-fibersapi-flsalloc>
    ///
    /// # Errors
    /// FLS_OUT_OF_INDEXES with ERROR_NO_MORE_ITEMS: all are in use. Never blocks.
    ///
    /// # Differs from Windows
    /// There are no fibers: the storage is the thread's. Callbacks do not run for the main thread
    /// when the process exits, only for its ExitThread. One that calls ExitThread ends the process.
    fn FlsAlloc(lpCallback: Option<FlsCallback>) -> u32, fail FLS_OUT_OF_INDEXES; {
        let mut book = BOOK.lock();
        // Programs take 0 for none.
        let free = |&index: &usize| !is_in_use(AGES[index].load(Ordering::Relaxed));
        let index = (1..INDEXES).find(free).ok_or(Error::ERROR_NO_MORE_ITEMS)?;
        book.callbacks[index] = lpCallback;
        AGES[index].fetch_add(1, Ordering::Relaxed);
        u32::try_from(index).map_err(|_| Error::ERROR_NO_MORE_ITEMS)
    }

    /// Gives the calling thread's value at an index. Success sets the last error to 0, which tells
    /// a value of 0 from a failure.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fibersapi/nf-fibersapi-flsgetvalue>
    ///
    /// # Errors
    /// 0 with ERROR_INVALID_PARAMETER for an index that is not in use. Never blocks.
    fn FlsGetValue(dwFlsIndex: u32) -> usize, fail 0; {
        let (index, age) = in_use(dwFlsIndex)?;
        let value = OWN.try_with(|own| own.get().map(|own| stored(&own.0, index, age)));
        last_error::set(0);
        Ok(value.ok().flatten().unwrap_or(0))
    }

    /// Stores the calling thread's value at an index. The callback does not get the one that was
    /// there.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fibersapi/nf-fibersapi-flssetvalue>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for an index that is not in use, ERROR_NOT_ENOUGH_MEMORY in a thread
    /// that is being torn down. Never blocks.
    fn FlsSetValue(dwFlsIndex: u32, lpFlsData: usize) -> BOOL, fail FALSE; {
        let (index, age) = in_use(dwFlsIndex)?;
        store(&*own()?, index, Stored { age, value: lpFlsData });
        Ok(TRUE)
    }

    /// Gives an index back; its callback gets what the threads have stored there.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/fibersapi/nf-fibersapi-flsfree>
    ///
    /// Waits until the callback has returned in threads that end meanwhile, unless it is called
    /// by a callback.
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for an index that is not in use.
    fn FlsFree(dwFlsIndex: u32) -> BOOL, fail FALSE; {
        let (index, due) = {
            let mut book = BOOK.lock();
            let (index, age) = in_use(dwFlsIndex)?;
            (index, book.free(index, age))
        };
        due.iter().for_each(run);
        wait_for_others(index);
        Ok(TRUE)
    }
}

//! Thread local storage: behind each of 1088 indexes, one value for every thread.
//!
//! An index has an age, which grows by one when the index is handed out and again when it is given
//! back, so the age of one in use is odd. A thread keeps with each value the age that it was stored
//! under. What a former owner of the index has left behind in any thread is of another age, and so
//! is nothing, without a visit to the threads.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::abi::{BOOL, FALSE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::{self, Error};

/// No index is free (winbase.h).
const TLS_OUT_OF_INDEXES: u32 = 0xFFFF_FFFF;
/// The indexes of a process (TlsAlloc page).
const INDEXES: usize = 1088;

static AGES: [AtomicU32; INDEXES] = [const { AtomicU32::new(0) }; INDEXES];

/// What a thread has stored.
#[derive(Clone, Copy, Default)]
struct Stored {
    age: u32,
    value: usize,
}

thread_local! {
    /// The calling thread's values, up to the largest index that it has stored one at.
    static STORED: RefCell<Vec<Stored>> = const { RefCell::new(Vec::new()) };
}

const fn is_in_use(age: u32) -> bool {
    age & 1 == 1
}

/// Moves an index from one state to the other; `None` if it is not in the state that is meant.
fn grow_older(age: &AtomicU32, was_in_use: bool) -> Option<u32> {
    let older = |age: u32| (is_in_use(age) == was_in_use).then(|| age.wrapping_add(1));
    age.fetch_update(Ordering::Relaxed, Ordering::Relaxed, older).ok()
}

fn age_of(index: u32) -> Option<&'static AtomicU32> {
    AGES.get(usize::try_from(index).ok()?)
}

/// An index in use, and its age.
fn in_use(index: u32) -> Outcome<(usize, u32)> {
    let age = age_of(index).map(|age| age.load(Ordering::Relaxed)).filter(|&age| is_in_use(age));
    let age = age.ok_or(Error::ERROR_INVALID_PARAMETER)?;
    Ok((usize::try_from(index).unwrap_or(INDEXES), age))
}

/// What the calling thread stored at an index of that age. A thread that is being torn down has
/// nothing.
fn stored(index: usize, age: u32) -> usize {
    let found = STORED.try_with(|stored| stored.borrow().get(index).copied());
    found.ok().flatten().filter(|stored| stored.age == age).map_or(0, |stored| stored.value)
}

fn store(index: usize, new: Stored) -> Outcome<()> {
    let put = |stored: &RefCell<Vec<Stored>>| {
        let mut stored = stored.borrow_mut();
        if stored.len() <= index {
            stored.resize(index + 1, Stored::default());
        }
        stored[index] = new;
    };
    STORED.try_with(put).map_err(|_| Error::ERROR_NOT_ENOUGH_MEMORY)
}

export! {
    /// Hands out an index, at which every thread has the value 0.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-tlsalloc>
    ///
    /// # Errors
    /// TLS_OUT_OF_INDEXES with ERROR_NO_MORE_ITEMS: all 1088 are in use. Never blocks.
    fn TlsAlloc() -> u32, fail TLS_OUT_OF_INDEXES; {
        let index = AGES.iter().position(|age| grow_older(age, false).is_some());
        let index = index.and_then(|index| u32::try_from(index).ok());
        index.ok_or(Error::ERROR_NO_MORE_ITEMS)
    }

    /// Gives the calling thread's value at an index. Success sets the last error to 0, which tells
    /// a value of 0 from a failure.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-tlsgetvalue>
    ///
    /// # Errors
    /// 0 with ERROR_INVALID_PARAMETER for an index that is not in use. Never blocks.
    ///
    /// # Differs from Windows
    /// Windows does not check that an index below its limit is in use.
    fn TlsGetValue(dwTlsIndex: u32) -> usize, fail 0; {
        let (index, age) = in_use(dwTlsIndex)?;
        last_error::set(0);
        Ok(stored(index, age))
    }

    /// Stores the calling thread's value at an index.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-tlssetvalue>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for an index that is not in use, ERROR_NOT_ENOUGH_MEMORY in a thread
    /// that is being torn down. Never blocks.
    ///
    /// # Differs from Windows
    /// As [`TlsGetValue`].
    fn TlsSetValue(dwTlsIndex: u32, lpTlsValue: usize) -> BOOL, fail FALSE; {
        let (index, age) = in_use(dwTlsIndex)?;
        store(index, Stored { age, value: lpTlsValue })?;
        Ok(TRUE)
    }

    /// Gives an index back. What the threads have stored there is not freed, and is not seen again.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-tlsfree>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for an index that is not in use. Never blocks.
    fn TlsFree(dwTlsIndex: u32) -> BOOL, fail FALSE; {
        let freed = age_of(dwTlsIndex).and_then(|age| grow_older(age, true));
        freed.map(|_| TRUE).ok_or(Error::ERROR_INVALID_PARAMETER)
    }
}

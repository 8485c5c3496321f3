//! The handles of the standard streams.

use linsock::iocp::handle::table;
use linsock::iocp::stream::{Descriptor, Standard, Stream};
use linsock::iocp::sync::Lock;

use crate::abi::{BOOL, FALSE, HANDLE, INVALID_HANDLE_VALUE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;

const STD_INPUT_HANDLE: u32 = 0xFFFF_FFF6;
const STD_OUTPUT_HANDLE: u32 = 0xFFFF_FFF5;
const STD_ERROR_HANDLE: u32 = 0xFFFF_FFF4;

/// The streams in the order of their descriptors.
pub(super) const ALL: [Standard; 3] = [Standard::Input, Standard::Output, Standard::Error];

/// The handles that were given out or set; `None` before.
static HANDLES: [Lock<Option<HANDLE>>; 3] = [const { Lock::new(None) }; 3];

const fn place(stream: Standard) -> usize {
    match stream {
        Standard::Input => 0,
        Standard::Output => 1,
        Standard::Error => 2,
    }
}

fn stream(number: u32) -> Outcome<Standard> {
    match number {
        STD_INPUT_HANDLE => Ok(Standard::Input),
        STD_OUTPUT_HANDLE => Ok(Standard::Output),
        STD_ERROR_HANDLE => Ok(Standard::Error),
        _ => Err(Error::ERROR_INVALID_HANDLE),
    }
}

/// The handle of a standard stream; 0 if nothing is open there.
pub(super) fn handle_of(stream: Standard) -> HANDLE {
    let mut known = HANDLES[place(stream)].lock();
    *known.get_or_insert_with(|| {
        let Ok(handle) = Stream::enter(Descriptor::Standard(stream)) else { return 0 };
        table().set_inherited(handle, true);
        handle.value()
    })
}

/// The handle of a standard stream, if the program has said which.
pub(super) fn chosen(stream: Standard) -> Option<HANDLE> {
    *HANDLES[place(stream)].lock()
}

/// Says which handle a standard stream has.
pub(super) fn choose(stream: Standard, handle: HANDLE) {
    *HANDLES[place(stream)].lock() = Some(handle);
}

export! {
    /// Gives the handle of a standard stream: for ReadFile, WriteFile and the functions of the
    /// console. It stands for whatever is open as descriptor 0, 1 or 2, and closing it does not
    /// close that. NULL if nothing is open there.
    ///
    /// <https://learn.microsoft.com/windows/console/getstdhandle>
    ///
    /// # Errors
    /// INVALID_HANDLE_VALUE with ERROR_INVALID_HANDLE for another number, and never otherwise.
    ///
    /// # Differs from Windows
    /// A wait for the handle of the input is not for input. What the C library buffers for the same
    /// stream comes when it is flushed.
    fn GetStdHandle(nStdHandle: u32) -> HANDLE, fail INVALID_HANDLE_VALUE; {
        Ok(handle_of(stream(nStdHandle)?))
    }

    /// Says which handle GetStdHandle gives, and with which stream processes that this one starts
    /// begin. The descriptors and the C library's streams are left as they are.
    ///
    /// <https://learn.microsoft.com/windows/console/setstdhandle>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE for another number. The handle is not looked at.
    fn SetStdHandle(nStdHandle: u32, hHandle: HANDLE) -> BOOL, fail FALSE; {
        choose(stream(nStdHandle)?, hHandle);
        Ok(TRUE)
    }
}

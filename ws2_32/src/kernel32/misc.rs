//! The rest: the last error, texts for errors, debug output, console signals, the system.

use std::io::Write;
use std::sync::OnceLock;

use super::heap;
use super::object::no_access;
use super::wide;
use crate::export::{Outcome, export};
use crate::last_error::{self, Error};
use crate::ptr;

mod console;
mod text;

pub use console::{ControlHandler, FreeConsole, SetConsoleCtrlHandler};

const FORMAT_MESSAGE_ALLOCATE_BUFFER: u32 = 0x100;
const FORMAT_MESSAGE_FROM_STRING: u32 = 0x400;
const FORMAT_MESSAGE_FROM_HMODULE: u32 = 0x800;
const FORMAT_MESSAGE_FROM_SYSTEM: u32 = 0x1000;
const FORMAT_MESSAGE_MAX_WIDTH_MASK: u32 = 0xFF;

/// What GetSystemInfo gives: 64-bit Windows' layout.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SYSTEM_INFO {
    /// PROCESSOR_ARCHITECTURE_AMD64 (9) or PROCESSOR_ARCHITECTURE_ARM64 (12).
    pub wProcessorArchitecture: u16,
    /// Nothing.
    pub wReserved: u16,
    /// Octets of a page.
    pub dwPageSize: u32,
    /// The lowest address a program can have.
    pub lpMinimumApplicationAddress: usize,
    /// The highest address a program can have.
    pub lpMaximumApplicationAddress: usize,
    /// One bit per processor, up to 64.
    pub dwActiveProcessorMask: usize,
    /// Processors that this process may use.
    pub dwNumberOfProcessors: u32,
    /// Obsolete.
    pub dwProcessorType: u32,
    /// What reservations are multiples of.
    pub dwAllocationGranularity: u32,
    /// Obsolete.
    pub wProcessorLevel: u16,
    /// Obsolete.
    pub wProcessorRevision: u16,
}

const _: () = assert!(size_of::<SYSTEM_INFO>() == 48);

/// The text of a message, with the end that the flags ask for.
fn message(flags: u32, id: u32) -> String {
    let end = if flags & FORMAT_MESSAGE_MAX_WIDTH_MASK == FORMAT_MESSAGE_MAX_WIDTH_MASK {
        " "
    } else {
        "\r\n"
    };
    match text::of(id) {
        Some(text) => format!("{text}.{end}"),
        None => format!("error {id}{end}"),
    }
}

/// A unit of text: an octet or half of UTF-16. The texts here are ASCII, and alike in both.
trait Unit: Copy + From<u8> {}

impl Unit for u8 {}
impl Unit for u16 {}

fn in_units<T: Unit>(text: &str) -> Vec<T> {
    text.bytes().chain([0]).map(T::from).collect()
}

/// Gives the program a text in memory of the process heap. Gives its length.
fn store_allocated<T: Unit>(text: &str, least: u32, at: *mut *mut T) -> Outcome<u32> {
    ptr::check_writable(at, 1).map_err(no_access)?;
    let count = (text.len() + 1).max(usize::try_from(least).unwrap_or(0));
    let size = count.checked_mul(size_of::<T>()).ok_or(Error::ERROR_NOT_ENOUGH_MEMORY)?;
    let buffer = heap::allocate(size, true).ok_or(Error::ERROR_NOT_ENOUGH_MEMORY)?.cast();
    ptr::write_all(buffer, &in_units::<T>(text)).map_err(no_access)?;
    ptr::write(at, buffer).map_err(no_access)?;
    u32::try_from(text.len()).map_err(|_| Error::ERROR_INSUFFICIENT_BUFFER)
}

/// Writes a text and its zero into a buffer. Gives its length.
fn store<T: Unit>(text: &str, size: u32, buffer: *mut T) -> Outcome<u32> {
    let len = u32::try_from(text.len()).unwrap_or(u32::MAX);
    if buffer.is_null() {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    if len >= size {
        return Err(Error::ERROR_INSUFFICIENT_BUFFER);
    }
    ptr::write_all(buffer, &in_units::<T>(text)).map_err(no_access)?;
    Ok(len)
}

/// What the two FormatMessages do.
fn format_message<T: Unit>(flags: u32, id: u32, buffer: *mut T, size: u32) -> Outcome<u32> {
    if flags & FORMAT_MESSAGE_FROM_SYSTEM == 0 {
        let other = FORMAT_MESSAGE_FROM_STRING | FORMAT_MESSAGE_FROM_HMODULE;
        let is_other = flags & other != 0;
        let refused =
            if is_other { Error::ERROR_NOT_SUPPORTED } else { Error::ERROR_INVALID_PARAMETER };
        return Err(refused);
    }
    let text = message(flags, id);
    if flags & FORMAT_MESSAGE_ALLOCATE_BUFFER != 0 {
        store_allocated(&text, size, buffer.cast::<*mut T>())
    } else {
        store(&text, size, buffer)
    }
}

/// Gives a text to whoever debugs, if the environment asks for it.
fn debug_output(text: impl FnOnce() -> Option<Vec<u8>>) {
    static WANTED: OnceLock<bool> = OnceLock::new();
    if *WANTED.get_or_init(|| std::env::var_os("LINSOCK_DEBUG").is_some())
        && let Some(text) = text()
    {
        // Nobody is there to be told that the output is closed.
        let _ = std::io::stderr().lock().write_all(&text);
    }
}

export! {
    /// Gives the calling thread's last error.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/errhandlingapi/nf-errhandlingapi-getlasterror>
    fn GetLastError() -> u32, fail last_error::get(); {
        Ok(last_error::get())
    }

    /// Sets the calling thread's last error.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/errhandlingapi/nf-errhandlingapi-setlasterror>
    fn SetLastError(dwErrCode: u32) -> (), fail (); {
        last_error::set(dwErrCode);
        Ok(())
    }

    /// Gives the text of an error code. Gives its length without the zero, or 0.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-formatmessagea>
    ///
    /// With FORMAT_MESSAGE_ALLOCATE_BUFFER the text is freed with LocalFree.
    ///
    /// # Errors
    /// ERROR_INSUFFICIENT_BUFFER, ERROR_NOACCESS, ERROR_NOT_ENOUGH_MEMORY, ERROR_INVALID_PARAMETER,
    /// ERROR_NOT_SUPPORTED for other sources than FORMAT_MESSAGE_FROM_SYSTEM.
    ///
    /// # Differs from Windows
    /// The wording is this library's own, in English only; a code that it does not know is "error"
    /// and its number where Windows fails. Insertions and line widths mean nothing.
    fn FormatMessageA(
        dwFlags: u32,
        lpSource: *const u8,
        dwMessageId: u32,
        dwLanguageId: u32,
        lpBuffer: *mut u8,
        nSize: u32,
        Arguments: *const u8,
    ) -> u32, fail 0; {
        let _ = (lpSource, dwLanguageId, Arguments);
        format_message(dwFlags, dwMessageId, lpBuffer, nSize)
    }

    /// Gives the text of an error code in UTF-16. Gives its length without the zero, or 0.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-formatmessagew>
    ///
    /// Sizes and lengths are those of UTF-16 units; errors and differences as [`FormatMessageA`].
    fn FormatMessageW(
        dwFlags: u32,
        lpSource: *const u8,
        dwMessageId: u32,
        dwLanguageId: u32,
        lpBuffer: *mut u16,
        nSize: u32,
        Arguments: *const u8,
    ) -> u32, fail 0; {
        let _ = (lpSource, dwLanguageId, Arguments);
        format_message(dwFlags, dwMessageId, lpBuffer, nSize)
    }

    /// Gives a text to a debugger: to the standard error output, if the environment has
    /// LINSOCK_DEBUG.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/debugapi/nf-debugapi-outputdebugstringa>
    ///
    /// An invalid pointer is ignored, as on Windows.
    fn OutputDebugStringA(lpOutputString: *const u8) -> (), fail (); {
        debug_output(|| ptr::read_cstr(lpOutputString).ok());
        Ok(())
    }

    /// As [`OutputDebugStringA`], in UTF-16; the output is UTF-8.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/debugapi/nf-debugapi-outputdebugstringw>
    fn OutputDebugStringW(lpOutputString: *const u16) -> (), fail (); {
        debug_output(|| ptr::read_wide(lpOutputString).ok().map(|units| wide::narrow(&units)));
        Ok(())
    }

    /// Describes the system: processors and memory.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getsysteminfo>
    ///
    /// # Errors
    /// An invalid pointer sets ERROR_NOACCESS.
    fn GetSystemInfo(lpSystemInfo: *mut SYSTEM_INFO) -> (), fail (); {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let info = SYSTEM_INFO {
            wProcessorArchitecture: if cfg!(target_arch = "aarch64") { 12 } else { 9 },
            wReserved: 0,
            dwPageSize: console::page_size(),
            lpMinimumApplicationAddress: 0x1_0000,
            lpMaximumApplicationAddress: 0x7FFF_FFFE_FFFF,
            dwActiveProcessorMask: usize::MAX >> (64 - processors.clamp(1, 64)),
            dwNumberOfProcessors: u32::try_from(processors).unwrap_or(1),
            dwProcessorType: 8664,
            dwAllocationGranularity: 0x1_0000,
            wProcessorLevel: 0,
            wProcessorRevision: 0,
        };
        ptr::write(lpSystemInfo, info).map_err(no_access)
    }
}

/// Ends the process.
///
/// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-exitprocess>
///
/// # Differs from Windows
/// Who has not started the process by CreateProcess or its kin sees the low 8 bits of the code, or
/// 255 if they are 0 and the code is not. Other threads run until the C library has called the
/// program's exit handlers.
// SAFETY: glibc has no such name.
#[allow(unsafe_code, reason = "it never returns, which the boundary's macro cannot express")]
#[unsafe(no_mangle)]
pub unsafe extern "system" fn ExitProcess(uExitCode: u32) -> ! {
    let kept = super::child::kept_of(uExitCode);
    if super::sheet::note(uExitCode) {
        // SAFETY: called by a handler of exit, it goes on with the others (glibc).
        unsafe { libc::exit(kept) }
    }
    std::process::exit(kept)
}

#[cfg(test)]
#[allow(unsafe_code, reason = "calls of exports")]
mod tests {
    use super::super::heap::{GetProcessHeap, HeapSize, LocalFree};
    use super::*;

    fn format(flags: u32, id: u32, size: usize) -> (String, u32) {
        let mut buffer = vec![0xFF_u8; size];
        let (at, size) = (buffer.as_mut_ptr(), u32::try_from(size).unwrap());
        let null = std::ptr::null();
        // SAFETY: the buffer has that size.
        let len = unsafe { FormatMessageA(flags, null, id, 0, at, size, null) };
        let text = buffer.split(|&octet| octet == 0).next().unwrap();
        let text = if len == 0 { String::new() } else { String::from_utf8(text.to_vec()).unwrap() };
        assert_eq!(text.len(), usize::try_from(len).unwrap());
        (text, last_error::get())
    }

    #[test]
    fn messages_end_in_a_line_break_and_fit_or_fail() {
        let system = FORMAT_MESSAGE_FROM_SYSTEM;
        let (known, _) = format(system, 10061, 200);
        assert!(known.contains("refused") && known.ends_with(".\r\n"), "{known:?}");
        assert_eq!(format(system, 123_456, 200).0, "error 123456\r\n");
        assert!(format(system | 0xFF, 10061, 200).0.ends_with("refused. "));
        assert_eq!(format(system, 10061, known.len() + 1).0, known);
        for (flags, id, size, error) in [
            (system, 10061, known.len(), Error::ERROR_INSUFFICIENT_BUFFER),
            (FORMAT_MESSAGE_FROM_STRING, 0, 100, Error::ERROR_NOT_SUPPORTED),
            (0, 0, 100, Error::ERROR_INVALID_PARAMETER),
        ] {
            assert_eq!(format(flags, id, size), (String::new(), error.0));
        }
    }

    #[test]
    fn an_allocated_message_is_a_block_that_localfree_takes() {
        let flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_ALLOCATE_BUFFER;
        let null = std::ptr::null();
        let mut text = std::ptr::null_mut::<u8>();
        // SAFETY: with that flag the buffer is the address of a pointer.
        let len = unsafe { FormatMessageA(flags, null, 5, 0, (&raw mut text).cast(), 300, null) };
        assert_eq!(ptr::read_cstr(text).unwrap().len(), usize::try_from(len).unwrap());
        // SAFETY: no pointers.
        let heap = unsafe { GetProcessHeap() };
        // SAFETY: a block of the process heap.
        assert_eq!(unsafe { HeapSize(heap, 0, text) }, 300);
        // SAFETY: as above.
        assert!(unsafe { LocalFree(text) }.is_null());
        let wild = std::ptr::without_provenance_mut(16);
        // SAFETY: a bad pointer is answered.
        let len = unsafe { FormatMessageA(flags, null, 5, 0, wild, 0, null) };
        assert_eq!(len, 0);
        assert_eq!(last_error::get(), Error::ERROR_NOACCESS.0);
    }

    #[test]
    fn the_last_error_is_what_was_set_and_reading_it_changes_nothing() {
        // SAFETY: no pointers.
        unsafe { SetLastError(77) };
        for _ in 0..2 {
            // SAFETY: no pointers.
            assert_eq!(unsafe { GetLastError() }, 77);
        }
    }

    #[test]
    fn the_system_has_processors_and_pages() {
        let mut info = std::mem::MaybeUninit::<SYSTEM_INFO>::uninit();
        // SAFETY: the pointer is to a local.
        unsafe { GetSystemInfo(info.as_mut_ptr()) };
        // SAFETY: filled in.
        let info = unsafe { info.assume_init() };
        assert!(info.dwPageSize >= 4096 && info.dwPageSize.is_power_of_two());
        let processors = std::thread::available_parallelism().unwrap().get();
        assert_eq!(info.dwNumberOfProcessors, u32::try_from(processors).unwrap());
        assert_eq!(info.dwActiveProcessorMask.count_ones(), info.dwNumberOfProcessors.min(64));
    }
}

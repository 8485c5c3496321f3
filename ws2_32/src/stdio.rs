//! printf and scanf with the sizes of the Microsoft C runtime (`%I64d`, `%I32d`, `%Id`; `%ws` of
//! WCHAR), which the headers give to programs under the usual names.
//!
//! <https://learn.microsoft.com/cpp/c-runtime-library/format-specification-syntax-printf-and-wprintf-functions>
//!
//! Everything else is the C library's, and so is a format without such a size. The functions with a
//! list of arguments are in Rust; those with the arguments themselves make a list of them, which
//! takes the machine's own language.
#![allow(unsafe_code, reason = "the C library's functions; lists of arguments")]

mod format;
mod list;
mod short;
mod utf_16;
mod variadic;
mod widened;

use std::ffi::{CStr, c_char, c_int, c_void};

use format::{Use, Utf16, translated};

use crate::export::export;

/// A `va_list`, which C passes by its address: on x86-64 because it is an array, on AArch64 because
/// it is larger than two words.
pub type Arguments = *mut c_void;
/// A `FILE`.
pub type Stream = c_void;

mod c {
    use std::ffi::{c_char, c_int};

    use super::{Arguments, Stream};

    unsafe extern "C" {
        pub(super) fn vprintf(format: *const c_char, arguments: Arguments) -> c_int;
        pub(super) fn vfprintf(to: *mut Stream, format: *const c_char, from: Arguments) -> c_int;
        pub(super) fn vsprintf(to: *mut c_char, format: *const c_char, from: Arguments) -> c_int;
        pub(super) fn vsnprintf(
            to: *mut c_char,
            size: usize,
            format: *const c_char,
            from: Arguments,
        ) -> c_int;
        // What the C library's headers make of vscanf and its kin, for C99 and later.
        #[link_name = "__isoc99_vscanf"]
        pub(super) fn vscanf(format: *const c_char, to: Arguments) -> c_int;
        #[link_name = "__isoc99_vfscanf"]
        pub(super) fn vfscanf(from: *mut Stream, format: *const c_char, to: Arguments) -> c_int;
        #[link_name = "__isoc99_vsscanf"]
        pub(super) fn vsscanf(from: *const c_char, format: *const c_char, to: Arguments) -> c_int;
    }
}

/// A format for the C library, as long as it is needed.
enum Format {
    /// The program's own.
    Given(*const c_char),
    Translated(Vec<u8>),
    /// With the list of arguments.
    Narrowed(short::Narrowed),
    /// With the list of arguments.
    Widened(widened::Widened),
}

impl Format {
    /// # Safety
    /// As the C library asks: a text that ends with a zero.
    unsafe fn of(given: *const c_char, used: Use) -> Self {
        if given.is_null() {
            return Self::Given(given);
        }
        // SAFETY: the text ends with a zero.
        let octets = unsafe { CStr::from_ptr(given) }.to_bytes();
        translated(octets, used).map_or(Self::Given(given), Self::Translated)
    }

    /// With texts in UTF-16.
    ///
    /// # Safety
    /// As [`of`](Self::of), and the arguments are what the format says.
    unsafe fn with(given: *const c_char, arguments: Arguments, used: Use, which: Utf16) -> Self {
        if !given.is_null() {
            // SAFETY: the text ends with a zero.
            let octets = unsafe { CStr::from_ptr(given) }.to_bytes();
            let changed = match used {
                Use::Print => {
                    // SAFETY: the caller says what the arguments are.
                    let narrowed = unsafe { short::Narrowed::of(octets, arguments, which) };
                    narrowed.map(Self::Narrowed)
                }
                Use::Scan => {
                    // SAFETY: as above.
                    let widened = unsafe { widened::Widened::of(octets, arguments, which) };
                    widened.map(Self::Widened)
                }
            };
            if let Some(changed) = changed {
                return changed;
            }
        }
        // SAFETY: the caller says so.
        unsafe { Self::of(given, used) }
    }

    fn as_ptr(&self) -> *const c_char {
        match self {
            Self::Given(given) => *given,
            Self::Translated(octets) => octets.as_ptr().cast(),
            Self::Narrowed(narrowed) => narrowed.format().as_ptr().cast(),
            Self::Widened(widened) => widened.format().as_ptr().cast(),
        }
    }
}

export! {
    /// vprintf.
    ///
    /// # Safety
    /// As of the C library's, here and below: the format ends with a zero, and the arguments are
    /// what it says.
    fn linsock_vprintf(format: *const c_char, arguments: Arguments) -> c_int, fail -1; {
        // SAFETY: the caller says so.
        let format = unsafe { Format::with(format, arguments, Use::Print, Utf16::Marked) };
        // SAFETY: a translated format takes what the program's takes.
        Ok(unsafe { c::vprintf(format.as_ptr(), arguments) })
    }

    /// vfprintf.
    fn linsock_vfprintf(
        to: *mut Stream,
        format: *const c_char,
        arguments: Arguments,
    ) -> c_int, fail -1; {
        // SAFETY: the caller says so.
        let format = unsafe { Format::with(format, arguments, Use::Print, Utf16::Marked) };
        // SAFETY: a translated format takes what the program's takes.
        Ok(unsafe { c::vfprintf(to, format.as_ptr(), arguments) })
    }

    /// vsprintf.
    fn linsock_vsprintf(
        to: *mut c_char,
        format: *const c_char,
        arguments: Arguments,
    ) -> c_int, fail -1; {
        // SAFETY: the caller says so.
        let format = unsafe { Format::with(format, arguments, Use::Print, Utf16::Marked) };
        // SAFETY: a translated format takes what the program's takes.
        Ok(unsafe { c::vsprintf(to, format.as_ptr(), arguments) })
    }

    /// vsnprintf.
    fn linsock_vsnprintf(
        to: *mut c_char,
        size: usize,
        format: *const c_char,
        arguments: Arguments,
    ) -> c_int, fail -1; {
        // SAFETY: the caller says so.
        let format = unsafe { Format::with(format, arguments, Use::Print, Utf16::Marked) };
        // SAFETY: a translated format takes what the program's takes.
        Ok(unsafe { c::vsnprintf(to, size, format.as_ptr(), arguments) })
    }

    /// vscanf.
    fn linsock_vscanf(format: *const c_char, arguments: Arguments) -> c_int, fail -1; {
        // SAFETY: the caller says so.
        let format = unsafe { Format::with(format, arguments, Use::Scan, Utf16::Marked) };
        // SAFETY: a translated format takes what the program's takes.
        Ok(unsafe { c::vscanf(format.as_ptr(), arguments) })
    }

    /// vfscanf.
    fn linsock_vfscanf(
        from: *mut Stream,
        format: *const c_char,
        arguments: Arguments,
    ) -> c_int, fail -1; {
        // SAFETY: the caller says so.
        let format = unsafe { Format::with(format, arguments, Use::Scan, Utf16::Marked) };
        // SAFETY: a translated format takes what the program's takes.
        Ok(unsafe { c::vfscanf(from, format.as_ptr(), arguments) })
    }

    /// vsscanf.
    fn linsock_vsscanf(
        from: *const c_char,
        format: *const c_char,
        arguments: Arguments,
    ) -> c_int, fail -1; {
        // SAFETY: the caller says so.
        let format = unsafe { Format::with(format, arguments, Use::Scan, Utf16::Marked) };
        // SAFETY: a translated format takes what the program's takes.
        Ok(unsafe { c::vsscanf(from, format.as_ptr(), arguments) })
    }
}

pub use utf_16::*;
pub use variadic::*;

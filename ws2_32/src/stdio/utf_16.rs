//! The functions for programs whose wide texts are UTF-16 (`-municode`).

use std::ffi::{c_char, c_int};

use super::format::{Use, Utf16};
use super::{Arguments, Format, Stream, c};
use crate::export::export;

export! {
    /// vprintf.
    ///
    /// # Safety
    /// As of the C library's, here and below: the format ends with a zero, and the arguments
    /// are what it says.
    fn linsock_short_vprintf(format: *const c_char, arguments: Arguments) -> c_int, fail -1; {
        // SAFETY: the caller says so.
        let format = unsafe { Format::with(format, arguments, Use::Print, Utf16::Wide) };
        // SAFETY: the arguments are what that format takes, as long as it lives.
        Ok(unsafe { c::vprintf(format.as_ptr(), arguments) })
    }

    /// vfprintf.
    fn linsock_short_vfprintf(
        to: *mut Stream,
        format: *const c_char,
        arguments: Arguments,
    ) -> c_int, fail -1; {
        // SAFETY: the caller says so.
        let format = unsafe { Format::with(format, arguments, Use::Print, Utf16::Wide) };
        // SAFETY: the arguments are what that format takes, as long as it lives.
        Ok(unsafe { c::vfprintf(to, format.as_ptr(), arguments) })
    }

    /// vsprintf.
    fn linsock_short_vsprintf(
        to: *mut c_char,
        format: *const c_char,
        arguments: Arguments,
    ) -> c_int, fail -1; {
        // SAFETY: the caller says so.
        let format = unsafe { Format::with(format, arguments, Use::Print, Utf16::Wide) };
        // SAFETY: the arguments are what that format takes, as long as it lives.
        Ok(unsafe { c::vsprintf(to, format.as_ptr(), arguments) })
    }

    /// vsnprintf.
    fn linsock_short_vsnprintf(
        to: *mut c_char,
        size: usize,
        format: *const c_char,
        arguments: Arguments,
    ) -> c_int, fail -1; {
        // SAFETY: the caller says so.
        let format = unsafe { Format::with(format, arguments, Use::Print, Utf16::Wide) };
        // SAFETY: the arguments are what that format takes, as long as it lives.
        Ok(unsafe { c::vsnprintf(to, size, format.as_ptr(), arguments) })
    }

    /// vscanf.
    fn linsock_short_vscanf(format: *const c_char, arguments: Arguments) -> c_int, fail -1; {
        // SAFETY: the caller says so.
        let format = unsafe { Format::with(format, arguments, Use::Scan, Utf16::Wide) };
        // SAFETY: the arguments are what that format takes, as long as it lives.
        Ok(unsafe { c::vscanf(format.as_ptr(), arguments) })
    }

    /// vfscanf.
    fn linsock_short_vfscanf(
        from: *mut Stream,
        format: *const c_char,
        arguments: Arguments,
    ) -> c_int, fail -1; {
        // SAFETY: the caller says so.
        let format = unsafe { Format::with(format, arguments, Use::Scan, Utf16::Wide) };
        // SAFETY: the arguments are what that format takes, as long as it lives.
        Ok(unsafe { c::vfscanf(from, format.as_ptr(), arguments) })
    }

    /// vsscanf.
    fn linsock_short_vsscanf(
        from: *const c_char,
        format: *const c_char,
        arguments: Arguments,
    ) -> c_int, fail -1; {
        // SAFETY: the caller says so.
        let format = unsafe { Format::with(format, arguments, Use::Scan, Utf16::Wide) };
        // SAFETY: the arguments are what that format takes, as long as it lives.
        Ok(unsafe { c::vsscanf(from, format.as_ptr(), arguments) })
    }
}

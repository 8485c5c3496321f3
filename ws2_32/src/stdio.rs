//! printf and scanf with the sizes of the Microsoft C runtime (`%I64d`, `%I32d`, `%Id`; `%ws` of
//! WCHAR), which the headers give to programs under the usual names.
//!
//! <https://learn.microsoft.com/cpp/c-runtime-library/format-specification-syntax-printf-and-wprintf-functions>
//!
//! Everything else is the C library's, and so is a format without such a size. The functions with a
//! list of arguments are in Rust; those with the arguments themselves make a list of them, which
//! takes the machine's own language, and are there for x86-64 only.
#![allow(unsafe_code, reason = "the C library's functions; lists of arguments")]

mod format;
#[cfg(target_arch = "x86_64")]
mod short;
mod utf_16;
#[cfg(target_arch = "x86_64")]
mod widened;

use std::ffi::{CStr, c_char, c_int, c_void};

use format::{Use, Utf16, translated};

use crate::export::export;

/// A `va_list`, which C passes by its address, as it does arrays.
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
    #[cfg(target_arch = "x86_64")]
    Narrowed(short::Narrowed),
    /// With the list of arguments.
    #[cfg(target_arch = "x86_64")]
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
    #[cfg(target_arch = "x86_64")]
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

    /// # Safety
    /// As there.
    #[cfg(not(target_arch = "x86_64"))]
    unsafe fn with(given: *const c_char, _: Arguments, used: Use, _: Utf16) -> Self {
        // SAFETY: the caller says so.
        unsafe { Self::of(given, used) }
    }

    fn as_ptr(&self) -> *const c_char {
        match self {
            Self::Given(given) => *given,
            Self::Translated(octets) => octets.as_ptr().cast(),
            #[cfg(target_arch = "x86_64")]
            Self::Narrowed(narrowed) => narrowed.format().as_ptr().cast(),
            #[cfg(target_arch = "x86_64")]
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
#[cfg(target_arch = "x86_64")]
pub use variadic::*;

/// The functions with their arguments.
#[cfg(target_arch = "x86_64")]
mod variadic {
    use std::arch::naked_asm;

    use super::{
        linsock_short_vfprintf, linsock_short_vfscanf, linsock_short_vprintf, linsock_short_vscanf,
        linsock_short_vsnprintf, linsock_short_vsprintf, linsock_short_vsscanf, linsock_vfprintf,
        linsock_vfscanf, linsock_vprintf, linsock_vscanf, linsock_vsnprintf, linsock_vsprintf,
        linsock_vsscanf,
    };

    /// Stores the registers that may hold arguments, makes the list of those behind the first
    /// `named` ones (System V ABI of x86-64, 3.5.7), and hands its address on as the argument that
    /// is passed in `register`.
    ///
    /// The frame: the list at 8, the registers at 32, the caller's stack behind 216 and the return
    /// address. It is a multiple of 16 with that address, as a call wants it.
    macro_rules! with_list {
        ($function:ident, named $named:literal, list in $register:literal) => {
            naked_asm!(
                ".cfi_startproc",
                "endbr64",
                "sub rsp, 216",
                ".cfi_adjust_cfa_offset 216",
                "mov [rsp + 32], rdi",
                "mov [rsp + 40], rsi",
                "mov [rsp + 48], rdx",
                "mov [rsp + 56], rcx",
                "mov [rsp + 64], r8",
                "mov [rsp + 72], r9",
                "test al, al",
                "je 2f",
                "movaps [rsp + 80], xmm0",
                "movaps [rsp + 96], xmm1",
                "movaps [rsp + 112], xmm2",
                "movaps [rsp + 128], xmm3",
                "movaps [rsp + 144], xmm4",
                "movaps [rsp + 160], xmm5",
                "movaps [rsp + 176], xmm6",
                "movaps [rsp + 192], xmm7",
                "2:",
                concat!("mov dword ptr [rsp + 8], 8 * ", $named),
                "mov dword ptr [rsp + 12], 48",
                "lea rax, [rsp + 224]",
                "mov [rsp + 16], rax",
                "lea rax, [rsp + 32]",
                "mov [rsp + 24], rax",
                concat!("lea ", $register, ", [rsp + 8]"),
                "call {function}",
                "add rsp, 216",
                ".cfi_adjust_cfa_offset -216",
                "ret",
                ".cfi_endproc",
                function = sym $function,
            )
        };
    }

    /// printf.
    ///
    /// # Safety
    /// As of the C library's, here and below. The arguments are those of C.
    #[unsafe(naked)]
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn linsock_printf() {
        with_list!(linsock_vprintf, named 1, list in "rsi")
    }

    /// fprintf.
    #[unsafe(naked)]
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn linsock_fprintf() {
        with_list!(linsock_vfprintf, named 2, list in "rdx")
    }

    /// sprintf.
    #[unsafe(naked)]
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn linsock_sprintf() {
        with_list!(linsock_vsprintf, named 2, list in "rdx")
    }

    /// snprintf.
    #[unsafe(naked)]
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn linsock_snprintf() {
        with_list!(linsock_vsnprintf, named 3, list in "rcx")
    }

    /// scanf.
    #[unsafe(naked)]
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn linsock_scanf() {
        with_list!(linsock_vscanf, named 1, list in "rsi")
    }

    /// fscanf.
    #[unsafe(naked)]
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn linsock_fscanf() {
        with_list!(linsock_vfscanf, named 2, list in "rdx")
    }

    /// sscanf.
    #[unsafe(naked)]
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn linsock_sscanf() {
        with_list!(linsock_vsscanf, named 2, list in "rdx")
    }

    /// printf, of a program whose wide texts are UTF-16.
    #[unsafe(naked)]
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn linsock_short_printf() {
        with_list!(linsock_short_vprintf, named 1, list in "rsi")
    }

    /// fprintf, of a program whose wide texts are UTF-16.
    #[unsafe(naked)]
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn linsock_short_fprintf() {
        with_list!(linsock_short_vfprintf, named 2, list in "rdx")
    }

    /// sprintf, of a program whose wide texts are UTF-16.
    #[unsafe(naked)]
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn linsock_short_sprintf() {
        with_list!(linsock_short_vsprintf, named 2, list in "rdx")
    }

    /// snprintf, of a program whose wide texts are UTF-16.
    #[unsafe(naked)]
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn linsock_short_snprintf() {
        with_list!(linsock_short_vsnprintf, named 3, list in "rcx")
    }

    /// scanf, of a program whose wide texts are UTF-16.
    #[unsafe(naked)]
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn linsock_short_scanf() {
        with_list!(linsock_short_vscanf, named 1, list in "rsi")
    }

    /// fscanf, of a program whose wide texts are UTF-16.
    #[unsafe(naked)]
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn linsock_short_fscanf() {
        with_list!(linsock_short_vfscanf, named 2, list in "rdx")
    }

    /// sscanf, of a program whose wide texts are UTF-16.
    #[unsafe(naked)]
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn linsock_short_sscanf() {
        with_list!(linsock_short_vsscanf, named 2, list in "rdx")
    }
}

//! Text in UTF-16 and in octets.
//!
//! # Differs from Windows
//! The only encoding of octets is UTF-8: the code pages of the system and of the thread (CP_ACP,
//! CP_OEMCP, CP_THREAD_ACP) are UTF-8 too, as on a Windows that was told to use it.

use super::object::no_access;
use crate::abi::{BOOL, FALSE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;

const CP_ACP: u32 = 0;
const CP_OEMCP: u32 = 1;
const CP_THREAD_ACP: u32 = 3;
const CP_UTF8: u32 = 65001;

const MB_ERR_INVALID_CHARS: u32 = 8;
/// What may be said about composed characters, which are left as they are.
const MB_OTHER_FLAGS: u32 = 1 | 2 | 4;
const WC_ERR_INVALID_CHARS: u32 = 0x80;
/// What may be said about characters that a code page lacks; UTF-8 lacks none.
const WC_OTHER_FLAGS: u32 = 0x10 | 0x20 | 0x40 | 0x200 | 0x400;

/// Octets as UTF-16; what is not UTF-8 becomes U+FFFD.
pub(crate) fn widen(octets: &[u8]) -> Vec<u16> {
    String::from_utf8_lossy(octets).encode_utf16().collect()
}

/// UTF-16 as octets of UTF-8; half a surrogate pair becomes U+FFFD.
pub(crate) fn narrow(units: &[u16]) -> Vec<u8> {
    String::from_utf16_lossy(units).into_bytes()
}

/// A code page that is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    /// CP_UTF8 itself, which takes few flags.
    Utf8,
    /// A code page that the system chooses.
    Chosen,
}

impl Page {
    fn new(number: u32) -> Outcome<Self> {
        match number {
            CP_UTF8 => Ok(Self::Utf8),
            CP_ACP | CP_OEMCP | CP_THREAD_ACP => Ok(Self::Chosen),
            _ => Err(Error::ERROR_INVALID_PARAMETER),
        }
    }

    fn check_flags(self, flags: u32, strict: u32, others: u32) -> Outcome<()> {
        let known = if self == Self::Utf8 { strict } else { strict | others };
        if flags & !known == 0 { Ok(()) } else { Err(Error::ERROR_INVALID_FLAGS) }
    }
}

/// Reads the text that a caller gives: of so many units, or up to its zero, which is a part of it.
fn read_text<T: ptr::Plain + Default>(
    at: *const T,
    count: i32,
    read_all_of: impl FnOnce(*const T) -> Result<Vec<T>, Error>,
) -> Outcome<Vec<T>> {
    if at.is_null() || count == 0 || count < -1 {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    let Ok(count) = usize::try_from(count) else {
        let mut text = read_all_of(at).map_err(no_access)?;
        text.push(T::default());
        return Ok(text);
    };
    ptr::read_all(at, count).map_err(no_access)
}

/// Writes a text where the caller wants it, unless only its length is asked for. Gives the length.
fn put_text<T: Copy>(text: &[T], at: *mut T, room: i32) -> Outcome<i32> {
    let len = i32::try_from(text.len()).map_err(|_| Error::ERROR_INSUFFICIENT_BUFFER)?;
    if room == 0 {
        return Ok(len);
    }
    if room < 0 || at.is_null() {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    if len > room {
        return Err(Error::ERROR_INSUFFICIENT_BUFFER);
    }
    ptr::write_all(at, text).map_err(no_access)?;
    Ok(len)
}

export! {
    /// Turns octets into UTF-16. Gives the units, or with a size of 0 how many there would be. A
    /// length of -1 means up to the zero, which is converted too.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/stringapiset/nf-stringapiset-multibytetowidechar>
    ///
    /// What is not UTF-8 becomes U+FFFD, or is an error with MB_ERR_INVALID_CHARS.
    ///
    /// # Errors
    /// 0 with ERROR_INVALID_PARAMETER, ERROR_INVALID_FLAGS, ERROR_INSUFFICIENT_BUFFER,
    /// ERROR_NO_UNICODE_TRANSLATION, ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// The code pages are UTF-8 and those that the system chooses, which are UTF-8 too; others are
    /// ERROR_INVALID_PARAMETER. A buffer that is too small is left as it was.
    fn MultiByteToWideChar(
        CodePage: u32,
        dwFlags: u32,
        lpMultiByteStr: *const u8,
        cbMultiByte: i32,
        lpWideCharStr: *mut u16,
        cchWideChar: i32,
    ) -> i32, fail 0; {
        Page::new(CodePage)?.check_flags(dwFlags, MB_ERR_INVALID_CHARS, MB_OTHER_FLAGS)?;
        if lpMultiByteStr.addr() == lpWideCharStr.addr() {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        let octets = read_text(lpMultiByteStr, cbMultiByte, ptr::read_cstr)?;
        if dwFlags & MB_ERR_INVALID_CHARS != 0 && std::str::from_utf8(&octets).is_err() {
            return Err(Error::ERROR_NO_UNICODE_TRANSLATION);
        }
        put_text(&widen(&octets), lpWideCharStr, cchWideChar)
    }

    /// Turns UTF-16 into octets. Gives the octets, or with a size of 0 how many there would be. A
    /// length of -1 means up to the zero, which is converted too.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/stringapiset/nf-stringapiset-widechartomultibyte>
    ///
    /// Half a surrogate pair becomes U+FFFD, or is an error with WC_ERR_INVALID_CHARS.
    ///
    /// # Errors
    /// 0 with ERROR_INVALID_PARAMETER, also for a default character with CP_UTF8,
    /// ERROR_INVALID_FLAGS, ERROR_INSUFFICIENT_BUFFER, ERROR_NO_UNICODE_TRANSLATION,
    /// ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// As [`MultiByteToWideChar`]; the default character is never needed.
    fn WideCharToMultiByte(
        CodePage: u32,
        dwFlags: u32,
        lpWideCharStr: *const u16,
        cchWideChar: i32,
        lpMultiByteStr: *mut u8,
        cbMultiByte: i32,
        lpDefaultChar: *const u8,
        lpUsedDefaultChar: *mut BOOL,
    ) -> i32, fail 0; {
        let page = Page::new(CodePage)?;
        page.check_flags(dwFlags, WC_ERR_INVALID_CHARS, WC_OTHER_FLAGS)?;
        let wants_default = !lpDefaultChar.is_null() || !lpUsedDefaultChar.is_null();
        let overlaps = lpMultiByteStr.addr() == lpWideCharStr.addr();
        if overlaps || page == Page::Utf8 && wants_default {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        let units = read_text(lpWideCharStr, cchWideChar, ptr::read_wide)?;
        let is_whole = char::decode_utf16(units.iter().copied()).all(|unit| unit.is_ok());
        if dwFlags & WC_ERR_INVALID_CHARS != 0 && !is_whole {
            return Err(Error::ERROR_NO_UNICODE_TRANSLATION);
        }
        let used_default = if is_whole { FALSE } else { TRUE };
        ptr::write_opt(lpUsedDefaultChar, used_default).map_err(no_access)?;
        put_text(&narrow(&units), lpMultiByteStr, cbMultiByte)
    }

    /// Gives the system's code page: UTF-8, always.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getacp>
    fn GetACP() -> u32, fail CP_UTF8; {
        Ok(CP_UTF8)
    }
}

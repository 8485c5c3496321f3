//! The process: its program, command line and environment, and whether it is debugged.
#![allow(unsafe_code, reason = "raise, getenv's family through std, and the program's headers")]

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::OnceLock;

use super::object::no_access;
use super::{library, wide};
use crate::abi::{BOOL, FALSE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;
use crate::wide::{Unit, read_text_opt};

/// The handle of the program: the address where it was loaded, as on Windows.
pub(super) fn program() -> usize {
    // SAFETY: asks a number.
    let headers = unsafe { libc::getauxval(libc::AT_PHDR) };
    // They lie in the first page of the program.
    usize::try_from(headers & !0xFFF).unwrap_or(0)
}

/// The module behind a name; no name means the program.
fn module<U: Unit>(name: *const U) -> Outcome<usize> {
    match read_text_opt(name).map_err(no_access)? {
        None => Ok(program()),
        Some(name) => library::handle_of_name(&name),
    }
}

fn program_path(module: usize) -> Outcome<Vec<u8>> {
    if module != 0 && module != program() {
        return library::path_of(module).ok_or(Error::ERROR_MOD_NOT_FOUND);
    }
    let path = std::env::current_exe().map_err(|_| Error::ERROR_MOD_NOT_FOUND)?;
    Ok(path.into_os_string().into_vec())
}

/// Stores a path and a zero, cut off if there is no room. Gives what was stored, without the zero.
fn store_path<T: Copy + Default>(path: &[T], at: *mut T, room: u32) -> Outcome<u32> {
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    let Some(most) = room.checked_sub(1) else {
        return Err(Error::ERROR_INSUFFICIENT_BUFFER);
    };
    let kept = &path[..path.len().min(most)];
    ptr::write_all(at, &[kept, &[T::default()]].concat()).map_err(no_access)?;
    if kept.len() < path.len() {
        // Windows gives the size then, and this error.
        crate::last_error::set(Error::ERROR_INSUFFICIENT_BUFFER.0);
        return u32::try_from(room).map_err(|_| Error::ERROR_INVALID_PARAMETER);
    }
    u32::try_from(kept.len()).map_err(|_| Error::ERROR_INVALID_PARAMETER)
}

/// An argument as it has to stand in a command line to be found again in it.
fn quoted(argument: &[u8]) -> Vec<u8> {
    let is_plain = |octet: &u8| !matches!(octet, b' ' | b'\t' | b'\n' | b'"');
    if !argument.is_empty() && argument.iter().all(is_plain) {
        return argument.to_vec();
    }
    let mut line = vec![b'"'];
    let mut backslashes = 0;
    for &octet in argument {
        if octet == b'"' {
            // Those before a quote mean half of them, and the quote needs one of its own.
            line.extend(std::iter::repeat_n(b'\\', backslashes + 1));
        }
        backslashes = if octet == b'\\' { backslashes + 1 } else { 0 };
        line.push(octet);
    }
    line.extend(std::iter::repeat_n(b'\\', backslashes));
    line.push(b'"');
    line
}

/// The command line, with a zero.
fn command_line() -> &'static [u8] {
    static LINE: OnceLock<Vec<u8>> = OnceLock::new();
    LINE.get_or_init(|| {
        let arguments: Vec<_> = std::env::args_os().map(|a| quoted(a.as_bytes())).collect();
        let mut line = arguments.join(&b' ');
        line.push(0);
        line
    })
}

fn command_line_wide() -> &'static [u16] {
    static LINE: OnceLock<Vec<u16>> = OnceLock::new();
    LINE.get_or_init(|| wide::widen(command_line()))
}

/// A name that a variable of the environment can have.
fn variable_name(octets: Vec<u8>) -> Outcome<OsString> {
    let is_name = !octets.is_empty() && !octets.contains(&b'=');
    is_name.then(|| OsString::from_vec(octets)).ok_or(Error::ERROR_INVALID_PARAMETER)
}

fn variable(name: Vec<u8>) -> Outcome<Vec<u8>> {
    let name = variable_name(name).map_err(|_| Error::ERROR_ENVVAR_NOT_FOUND)?;
    let value = std::env::var_os(name).ok_or(Error::ERROR_ENVVAR_NOT_FOUND)?;
    Ok(value.into_vec())
}

/// Stores a value and its zero if there is room, and gives its length; else the size it needs.
fn store_value<T: Copy + Default>(value: &[T], at: *mut T, room: u32) -> Outcome<u32> {
    let len = u32::try_from(value.len()).map_err(|_| Error::ERROR_INVALID_PARAMETER)?;
    if len >= room {
        return len.checked_add(1).ok_or(Error::ERROR_INVALID_PARAMETER);
    }
    ptr::write_all(at, &[value, &[T::default()]].concat()).map_err(no_access)?;
    Ok(len)
}

fn set_variable(name: Vec<u8>, value: Option<Vec<u8>>) -> Outcome<()> {
    let name = variable_name(name)?;
    match value {
        // SAFETY: the program says by its call that no other thread reads the environment past the
        // lock of this library, as it would for setenv.
        Some(value) => unsafe { std::env::set_var(name, OsString::from_vec(value)) },
        // SAFETY: as above.
        None => unsafe { std::env::remove_var(name) },
    }
    Ok(())
}

fn narrow_at(at: *const u16) -> Outcome<Vec<u8>> {
    ptr::read_wide(at).map(|units| wide::narrow(&units)).map_err(no_access)
}

fn octets_at(at: *const u8) -> Outcome<Vec<u8>> {
    ptr::read_cstr(at).map_err(no_access)
}

export! {
    /// Gives the handle of the program, the address where it was loaded, or that of a library that
    /// is loaded.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-getmodulehandlea>
    ///
    /// # Errors
    /// ERROR_MOD_NOT_FOUND, ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// The program has no name. Windows' libraries are those of LoadLibraryA, all of them loaded.
    fn GetModuleHandleA(lpModuleName: *const u8) -> usize, fail 0; {
        module(lpModuleName)
    }

    /// As [`GetModuleHandleA`], of a name in UTF-16.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-getmodulehandlew>
    ///
    /// Errors and differences as [`GetModuleHandleA`].
    fn GetModuleHandleW(lpModuleName: *const u16) -> usize, fail 0; {
        module(lpModuleName)
    }

    /// Gives the path of the program or of a library of its own, cut off with
    /// ERROR_INSUFFICIENT_BUFFER if the buffer is too small; then the result is the buffer's size.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-getmodulefilenamea>
    ///
    /// # Errors
    /// 0 with ERROR_MOD_NOT_FOUND for any other module, ERROR_NOACCESS,
    /// ERROR_INSUFFICIENT_BUFFER for no room at all.
    ///
    /// # Differs from Windows
    /// It is a path of Linux, with slashes.
    fn GetModuleFileNameA(hModule: usize, lpFilename: *mut u8, nSize: u32) -> u32, fail 0; {
        store_path(&program_path(hModule)?, lpFilename, nSize)
    }

    /// Gives the path of the program in UTF-16.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-getmodulefilenamew>
    ///
    /// Errors and differences as [`GetModuleFileNameA`].
    fn GetModuleFileNameW(hModule: usize, lpFilename: *mut u16, nSize: u32) -> u32, fail 0; {
        store_path(&wide::widen(&program_path(hModule)?), lpFilename, nSize)
    }

    /// Gives the command line, quoted as Windows' programs expect it. It is the process's own and
    /// not to be changed.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processenv/nf-processenv-getcommandlinea>
    fn GetCommandLineA() -> *const u8, fail std::ptr::null(); {
        Ok(command_line().as_ptr())
    }

    /// Gives the command line in UTF-16.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processenv/nf-processenv-getcommandlinew>
    fn GetCommandLineW() -> *const u16, fail std::ptr::null(); {
        Ok(command_line_wide().as_ptr())
    }

    /// Gives a variable of the environment: its length without the zero or, if the buffer is too
    /// small, the size that it needs.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processenv/nf-processenv-getenvironmentvariablea>
    ///
    /// # Errors
    /// 0 with ERROR_ENVVAR_NOT_FOUND, ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// The case of a name matters.
    fn GetEnvironmentVariableA(
        lpName: *const u8,
        lpBuffer: *mut u8,
        nSize: u32,
    ) -> u32, fail 0; {
        let value = variable(octets_at(lpName)?)?;
        crate::last_error::set(0);
        store_value(&value, lpBuffer, nSize)
    }

    /// Gives a variable of the environment in UTF-16.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processenv/nf-processenv-getenvironmentvariablew>
    ///
    /// Errors and differences as [`GetEnvironmentVariableA`].
    fn GetEnvironmentVariableW(
        lpName: *const u16,
        lpBuffer: *mut u16,
        nSize: u32,
    ) -> u32, fail 0; {
        let value = variable(narrow_at(lpName)?)?;
        crate::last_error::set(0);
        store_value(&wide::widen(&value), lpBuffer, nSize)
    }

    /// Sets a variable of the environment, or removes it if there is no value. The C library's
    /// getenv sees it too.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processenv/nf-processenv-setenvironmentvariablea>
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for an empty name or one with "=", ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// The case of a name matters. A thread that calls getenv meanwhile is not protected, as with
    /// setenv.
    fn SetEnvironmentVariableA(lpName: *const u8, lpValue: *const u8) -> BOOL, fail FALSE; {
        let value = if lpValue.is_null() { None } else { Some(octets_at(lpValue)?) };
        set_variable(octets_at(lpName)?, value)?;
        Ok(TRUE)
    }

    /// Sets a variable of the environment, given in UTF-16.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processenv/nf-processenv-setenvironmentvariablew>
    ///
    /// Errors and differences as [`SetEnvironmentVariableA`].
    fn SetEnvironmentVariableW(lpName: *const u16, lpValue: *const u16) -> BOOL, fail FALSE; {
        let value = if lpValue.is_null() { None } else { Some(narrow_at(lpValue)?) };
        set_variable(narrow_at(lpName)?, value)?;
        Ok(TRUE)
    }

    /// Whether a debugger traces the process.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/debugapi/nf-debugapi-isdebuggerpresent>
    fn IsDebuggerPresent() -> BOOL, fail FALSE; {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
        Ok(BOOL::from(tracer.is_some_and(|tracer| tracer.trim() != "0")))
    }

    /// Stops in the debugger (SIGTRAP), or ends the process if there is none.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/debugapi/nf-debugapi-debugbreak>
    fn DebugBreak() -> (), fail (); {
        // SAFETY: raises a signal that ends the process unless somebody handles it.
        unsafe { libc::raise(libc::SIGTRAP) };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_as_they_are_taken_apart_again() {
        for (argument, expected) in [
            ("plain", "plain"),
            ("", "\"\""),
            ("two words", "\"two words\""),
            (r"C:\dir\", r"C:\dir\"),
            (r"a dir\", r#""a dir\\""#),
            (r#"say "hi""#, r#""say \"hi\"""#),
            (r#"a\"b"#, r#""a\\\"b""#),
        ] {
            assert_eq!(quoted(argument.as_bytes()), expected.as_bytes(), "{argument}");
        }
    }
}

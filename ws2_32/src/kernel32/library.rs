//! Libraries by name: those of Windows, for programs that look a function up because an older
//! Windows may lack it, and the program's own.
//!
//! The libraries of Windows whose functions are in this one are known by their names and always
//! loaded.
#![allow(unsafe_code, reason = "the exports")]

mod own;
mod table;

use super::object::no_access;
use super::version::HERE;
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;
use crate::wide::Unit;

/// A library of Windows that has functions of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Library {
    Kernel32,
    Synch,
    Winmm,
    Ws2_32,
    Mswsock,
    Iphlpapi,
    Advapi32,
    Bcrypt,
    Psapi,
    Ntdll,
}

use Library::{Advapi32, Bcrypt, Iphlpapi, Kernel32, Mswsock, Ntdll, Psapi, Synch, Winmm, Ws2_32};

/// A library that can be loaded by its name, and where functions are looked for that it has.
struct Loadable {
    name: &'static str,
    libraries: &'static [Library],
}

/// The handle of each is its address here.
static LOADABLE: [Loadable; 11] = [
    Loadable { name: "kernel32", libraries: &[Kernel32] },
    Loadable { name: "kernelbase", libraries: &[Kernel32, Synch] },
    Loadable { name: "api-ms-win-core-synch-l1-2-0", libraries: &[Synch] },
    Loadable { name: "winmm", libraries: &[Winmm] },
    Loadable { name: "ws2_32", libraries: &[Ws2_32] },
    Loadable { name: "mswsock", libraries: &[Mswsock] },
    Loadable { name: "iphlpapi", libraries: &[Iphlpapi] },
    Loadable { name: "advapi32", libraries: &[Advapi32] },
    Loadable { name: "bcrypt", libraries: &[Bcrypt] },
    Loadable { name: "psapi", libraries: &[Psapi] },
    Loadable { name: "ntdll", libraries: &[Ntdll] },
];

/// Where libraries lie.
const SYSTEM_DIRECTORY: &[u8] = b"/usr/lib";

const LOAD_AS_DATA: u32 = 0x02 | 0x20 | 0x40;

impl Loadable {
    fn handle(&'static self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    fn of_handle(handle: usize) -> Option<&'static Self> {
        LOADABLE.iter().find(|library| library.handle() == handle)
    }

    /// By the last part of a path, in any case, with or without its ending.
    fn of_path(path: &[u8]) -> Option<&'static Self> {
        let name = path.rsplit(|octet| matches!(octet, b'/' | b'\\')).next()?;
        let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
        let name = name.strip_suffix(".dll").unwrap_or(&name);
        LOADABLE.iter().find(|library| library.name == name)
    }
}

/// The handle of the library with that name, if it is loaded.
pub(super) fn handle_of_name(path: &[u8]) -> Outcome<usize> {
    let of_windows = Loadable::of_path(path).map(Loadable::handle);
    of_windows.or_else(|| own::handle_of_name(path)).ok_or(Error::ERROR_MOD_NOT_FOUND)
}

pub(super) use own::directories;

/// The path of a library of the program's own.
pub(super) fn path_of(handle: usize) -> Option<Vec<u8>> {
    own::path(handle)
}

fn load<U: Unit>(name: *const U, file: HANDLE, flags: u32) -> Outcome<usize> {
    // "It must be NULL"; and there is nothing that could be read as data.
    if file != 0 || flags & LOAD_AS_DATA != 0 {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    let name = U::read_text(name).map_err(no_access)?;
    match Loadable::of_path(&name) {
        Some(library) => Ok(library.handle()),
        None => own::load(&name),
    }
}

/// Stores the directory if it fits, and gives its length; else the size that it needs.
fn store_system_directory<U: Unit>(at: *mut U, room: u32) -> Outcome<u32> {
    let text = U::zero_ended(SYSTEM_DIRECTORY);
    let size = u32::try_from(text.len()).map_err(|_| Error::ERROR_INVALID_PARAMETER)?;
    if room < size {
        return Ok(size);
    }
    ptr::write_all(at, &text).map_err(no_access)?;
    Ok(size - 1)
}

export! {
    /// Loads a library of the program's own, or gives the handle of one of Windows whose functions
    /// are in this one.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-loadlibrarya>
    ///
    /// Of Windows' the last part of a path counts, in any case, with or without `.dll`. The
    /// program's are shared objects, named `.dll` or, though the name says `.dll` or none, `.so`;
    /// made by `linsock cc -shared`, they use the program's sockets and handles as their own. They
    /// are looked for in the program's directory, the current one and those of PATH. DllMain is
    /// called when one comes with its first use, goes with its last, and when the process ends.
    /// Blocks while another thread loads or frees.
    ///
    /// # Errors
    /// ERROR_MOD_NOT_FOUND, ERROR_NOACCESS, ERROR_BAD_EXE_FORMAT, ERROR_DLL_INIT_FAILED.
    ///
    /// # Differs from Windows
    /// Of Windows' libraries kernel32, kernelbase, api-ms-win-core-synch-l1-2-0, winmm, ws2_32,
    /// mswsock, iphlpapi, advapi32, bcrypt, psapi and ntdll are there. DllMain does not hear of
    /// threads. A program that is linked statically can load nothing. One that `linsock cc` does
    /// not link shares its sockets only if it is linked with `-rdynamic`.
    fn LoadLibraryA(lpLibFileName: *const u8) -> usize, fail 0; {
        load(lpLibFileName, 0, 0)
    }

    /// As [`LoadLibraryA`], of a name in UTF-16.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-loadlibraryw>
    ///
    /// Errors and differences as [`LoadLibraryA`].
    fn LoadLibraryW(lpLibFileName: *const u16) -> usize, fail 0; {
        load(lpLibFileName, 0, 0)
    }

    /// As [`LoadLibraryA`]; where to search does not matter.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-loadlibraryexa>
    ///
    /// # Errors
    /// As [`LoadLibraryA`]; ERROR_INVALID_PARAMETER for a file, and to load as data.
    fn LoadLibraryExA(lpLibFileName: *const u8, hFile: HANDLE, dwFlags: u32) -> usize, fail 0; {
        load(lpLibFileName, hFile, dwFlags)
    }

    /// As [`LoadLibraryExA`], of a name in UTF-16.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-loadlibraryexw>
    ///
    /// Errors and differences as [`LoadLibraryExA`].
    fn LoadLibraryExW(lpLibFileName: *const u16, hFile: HANDLE, dwFlags: u32) -> usize, fail 0; {
        load(lpLibFileName, hFile, dwFlags)
    }

    /// Gives a library back: with its last use one of the program's own goes.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-freelibrary>
    ///
    /// # Errors
    /// ERROR_MOD_NOT_FOUND for what is no library (choice: the page names no code).
    fn FreeLibrary(hLibModule: usize) -> BOOL, fail FALSE; {
        let is_known = Loadable::of_handle(hLibModule).is_some() || own::free(hLibModule);
        if is_known { Ok(TRUE) } else { Err(Error::ERROR_MOD_NOT_FOUND) }
    }

    /// Finds a function of a library by its name.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-getprocaddress>
    ///
    /// # Errors
    /// ERROR_PROC_NOT_FOUND, ERROR_MOD_NOT_FOUND for what is no library, ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// There are no numbers of functions (ERROR_PROC_NOT_FOUND), and the program has no functions
    /// that could be looked up.
    fn GetProcAddress(
        hModule: usize,
        lpProcName: *const u8,
    ) -> *const (), fail std::ptr::null(); {
        let is_program = hModule == 0 || hModule == super::process::program();
        // A number stands in the low word of what would be an address.
        if is_program || lpProcName.addr() >> 16 == 0 && !lpProcName.is_null() {
            return Err(Error::ERROR_PROC_NOT_FOUND);
        }
        let name = ptr::read_cstr(lpProcName).map_err(no_access)?;
        let name = std::str::from_utf8(&name).map_err(|_| Error::ERROR_PROC_NOT_FOUND)?;
        let found = match Loadable::of_handle(hModule) {
            Some(module) => module.libraries.iter().find_map(|one| table::address(*one, name)),
            None if own::is_loaded(hModule) => own::address(hModule, name),
            None => return Err(Error::ERROR_MOD_NOT_FOUND),
        };
        found.ok_or(Error::ERROR_PROC_NOT_FOUND)
    }

    /// Gives the directory of the system's libraries: its length without the zero or, if the buffer
    /// is too small, the size that it needs.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getsystemdirectorya>
    ///
    /// # Errors
    /// ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// It is Linux's: /usr/lib. Programs put the name of a library behind it, for LoadLibrary.
    fn GetSystemDirectoryA(lpBuffer: *mut u8, uSize: u32) -> u32, fail 0; {
        store_system_directory(lpBuffer, uSize)
    }

    /// As [`GetSystemDirectoryA`], in UTF-16.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getsystemdirectoryw>
    ///
    /// Errors and differences as [`GetSystemDirectoryA`].
    fn GetSystemDirectoryW(lpBuffer: *mut u16, uSize: u32) -> u32, fail 0; {
        store_system_directory(lpBuffer, uSize)
    }

    /// Gives the version of Windows: major in the lowest octet, minor in the next, build above.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getversion>
    ///
    /// # Differs from Windows
    /// Always 6.2, build 9200, what an application that does not declare what it was made for is
    /// told by every Windows since.
    fn GetVersion() -> u32, fail 0; {
        Ok(HERE.build << 16 | HERE.minor << 8 | HERE.major)
    }
}

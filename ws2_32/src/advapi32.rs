//! The little of advapi32 that socket programs need: random octets.
#![allow(unsafe_code, reason = "getrandom, and the exports")]

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::abi::{BOOL, FALSE, TRUE};
use crate::export::{Outcome, export};
use crate::kernel32::object::no_access;
use crate::last_error::Error;
use crate::ptr;
use crate::wide::{Unit, read_text_opt};

const PROV_RSA_FULL: u32 = 1;
const PROV_RSA_AES: u32 = 24;
const CRYPT_VERIFYCONTEXT: u32 = 0xF000_0000;
const CRYPT_MACHINE_KEYSET: u32 = 0x20;
const CRYPT_SILENT: u32 = 0x40;
const NTE_BAD_FLAGS: Error = Error(0x8009_0009);
const NTE_BAD_KEYSET: Error = Error(0x8009_0016);
const NTE_PROV_TYPE_NOT_DEF: Error = Error(0x8009_0017);

/// The contexts that were acquired and not released.
struct Contexts {
    open: BTreeSet<usize>,
    last: usize,
}

static CONTEXTS: Mutex<Contexts> = Mutex::new(Contexts { open: BTreeSet::new(), last: 0 });

fn contexts() -> std::sync::MutexGuard<'static, Contexts> {
    // No code that holds the lock can panic half way through a change.
    CONTEXTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn acquire<U: Unit>(
    context: *mut usize,
    container: *const U,
    kind: u32,
    flags: u32,
) -> Outcome<BOOL> {
    let context = ptr::Out::new(context).map_err(no_access)?;
    if flags & !(CRYPT_VERIFYCONTEXT | CRYPT_MACHINE_KEYSET | CRYPT_SILENT) != 0 {
        return Err(NTE_BAD_FLAGS);
    }
    if !matches!(kind, PROV_RSA_FULL | PROV_RSA_AES) {
        return Err(NTE_PROV_TYPE_NOT_DEF);
    }
    let is_named = read_text_opt(container).map_err(no_access)?.is_some();
    let is_without_keys = flags & CRYPT_VERIFYCONTEXT == CRYPT_VERIFYCONTEXT;
    if !is_without_keys {
        return Err(NTE_BAD_KEYSET);
    }
    if is_named {
        // "pszContainer must be set to NULL" with this flag.
        return Err(NTE_BAD_FLAGS);
    }
    let mut contexts = contexts();
    contexts.last += 1;
    let number = contexts.last;
    contexts.open.insert(number);
    context.put(number);
    Ok(TRUE)
}

/// Fills memory of the program's from the kernel's generator.
///
/// # Errors
/// WSAEFAULT; ERROR_NOT_SUPPORTED where the kernel has none.
pub(crate) fn fill(at: *mut u8, len: u32) -> Outcome<()> {
    let len = len as usize;
    ptr::check_writable(at, len)?;
    let mut filled = 0;
    while filled < len {
        let to = at.wrapping_add(filled).cast();
        // SAFETY: the memory is the C program's, lent for writing by the call; the kernel checks
        // it, and no Rust reference to it exists.
        let count = unsafe { libc::getrandom(to, len - filled, 0) };
        match usize::try_from(count) {
            Ok(count) => filled += count,
            Err(_) => match std::io::Error::last_os_error().raw_os_error() {
                Some(libc::EINTR) => {}
                Some(libc::EFAULT) => return Err(Error::WSAEFAULT),
                _ => return Err(Error::ERROR_NOT_SUPPORTED),
            },
        }
    }
    Ok(())
}

/// As [`fill`], with this library's error for memory that is not there.
fn random(at: *mut u8, len: u32) -> Outcome<()> {
    fill(at, len).map_err(|error| match error {
        Error::WSAEFAULT => no_access(error),
        other => other,
    })
}

export! {
    /// Acquires a context for random octets.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptacquirecontexta>
    ///
    /// # Errors
    /// ERROR_NOACCESS; NTE_BAD_KEYSET without CRYPT_VERIFYCONTEXT, NTE_PROV_TYPE_NOT_DEF,
    /// NTE_BAD_FLAGS.
    ///
    /// # Differs from Windows
    /// There are no keys and no containers of keys, so only contexts with CRYPT_VERIFYCONTEXT, of
    /// the types PROV_RSA_FULL and PROV_RSA_AES. The provider's name is not looked at.
    fn CryptAcquireContextA(
        phProv: *mut usize,
        szContainer: *const u8,
        szProvider: *const u8,
        dwProvType: u32,
        dwFlags: u32,
    ) -> BOOL, fail FALSE; {
        let _ = szProvider;
        acquire(phProv, szContainer, dwProvType, dwFlags)
    }

    /// As [`CryptAcquireContextA`], with names in UTF-16.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptacquirecontextw>
    ///
    /// Errors and differences as [`CryptAcquireContextA`].
    fn CryptAcquireContextW(
        phProv: *mut usize,
        szContainer: *const u16,
        szProvider: *const u16,
        dwProvType: u32,
        dwFlags: u32,
    ) -> BOOL, fail FALSE; {
        let _ = szProvider;
        acquire(phProv, szContainer, dwProvType, dwFlags)
    }

    /// Fills memory with random octets from the kernel's generator.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptgenrandom>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOACCESS.
    fn CryptGenRandom(hProv: usize, dwLen: u32, pbBuffer: *mut u8) -> BOOL, fail FALSE; {
        if !contexts().open.contains(&hProv) {
            return Err(Error::ERROR_INVALID_HANDLE);
        }
        random(pbBuffer, dwLen).map(|()| TRUE)
    }

    /// Fills memory with random octets from the kernel's generator. It is RtlGenRandom, which has
    /// this name in the library.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/ntsecapi/nf-ntsecapi-rtlgenrandom>
    ///
    /// # Errors
    /// FALSE, with ERROR_NOACCESS (choice: the page names no code).
    fn SystemFunction036(RandomBuffer: *mut u8, RandomBufferLength: u32) -> u8, fail 0; {
        random(RandomBuffer, RandomBufferLength).map(|()| 1)
    }

    /// Releases a context.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptreleasecontext>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE; NTE_BAD_FLAGS for flags, of which there are none: the context is
    /// released all the same.
    fn CryptReleaseContext(hProv: usize, dwFlags: u32) -> BOOL, fail FALSE; {
        if !contexts().open.remove(&hProv) {
            return Err(Error::ERROR_INVALID_HANDLE);
        }
        if dwFlags == 0 { Ok(TRUE) } else { Err(NTE_BAD_FLAGS) }
    }
}

//! Random octets.
#![allow(unsafe_code, reason = "the export")]

use linsock::NtStatus;

use crate::advapi32;
use crate::export::export;
use crate::last_error::Error;

const BCRYPT_RNG_USE_ENTROPY_IN_BUFFER: u32 = 1;
const BCRYPT_USE_SYSTEM_PREFERRED_RNG: u32 = 2;
/// The handle of the random number generator that needs not be opened.
const BCRYPT_RNG_ALG_HANDLE: usize = 0x81;

/// The status of BCryptGenRandom.
fn generate(algorithm: usize, buffer: *mut u8, len: u32, flags: u32) -> NtStatus {
    let is_preferred = flags & BCRYPT_USE_SYSTEM_PREFERRED_RNG != 0;
    if flags & !(BCRYPT_RNG_USE_ENTROPY_IN_BUFFER | BCRYPT_USE_SYSTEM_PREFERRED_RNG) != 0 {
        return NtStatus::INVALID_PARAMETER;
    }
    let wanted = if is_preferred { 0 } else { BCRYPT_RNG_ALG_HANDLE };
    if algorithm != wanted {
        return NtStatus::INVALID_HANDLE;
    }
    match advapi32::fill(buffer, len) {
        Ok(()) => NtStatus::SUCCESS,
        Err(Error::WSAEFAULT) => NtStatus::INVALID_PARAMETER,
        Err(_) => NtStatus::INSUFFICIENT_RESOURCES,
    }
}

export! {
    /// Fills a buffer with random octets, of the kernel's generator.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptgenrandom>
    ///
    /// # Errors
    /// A status: STATUS_INVALID_PARAMETER for other flags or a bad pointer, STATUS_INVALID_HANDLE
    /// for another algorithm than the system's preferred one or BCRYPT_RNG_ALG_HANDLE. The last
    /// error is left alone. Blocks only while the machine starts.
    fn BCryptGenRandom(
        hAlgorithm: usize,
        pbBuffer: *mut u8,
        cbBuffer: u32,
        dwFlags: u32,
    ) -> i32, fail NtStatus::INSUFFICIENT_RESOURCES.raw().cast_signed(); {
        Ok(generate(hAlgorithm, pbBuffer, cbBuffer, dwFlags).raw().cast_signed())
    }
}

//! WSAEnumProtocols: the protocol catalog.

use linsock::catalog::{PROVIDERS, Provider};

use crate::abi::SOCKET_ERROR;
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;

/// A list of protocols that is longer than this ends here: there are 256 numbers.
const LIST_MAX: usize = 256;

/// The providers whose protocol is in the list of numbers at `wanted`, which a 0 ends; all, without
/// a list. AF_UNIX has the protocol 0, so no list names it.
fn chosen(wanted: *const i32) -> Outcome<Vec<Provider>> {
    if wanted.is_null() {
        return Ok(PROVIDERS.to_vec());
    }
    let mut numbers = Vec::new();
    for at in 0..LIST_MAX {
        match ptr::read(wanted.wrapping_add(at))? {
            0 => break,
            number => numbers.push(number),
        }
    }
    Ok(PROVIDERS.into_iter().filter(|one| numbers.contains(&one.protocol())).collect())
}

fn enumerate(
    wanted: *const i32,
    buffer: *mut u8,
    len: *mut u32,
    info: fn(Provider) -> Vec<u8>,
) -> Outcome<i32> {
    let room = ptr::read(len)?;
    let providers = chosen(wanted)?;
    let octets: Vec<u8> = providers.iter().flat_map(|provider| info(*provider)).collect();
    let needed = u32::try_from(octets.len()).unwrap_or(u32::MAX);
    if buffer.is_null() || room < needed {
        ptr::write(len, needed)?;
        return Err(Error::WSAENOBUFS);
    }
    ptr::write_all(buffer, &octets)?;
    ptr::write(len, needed)?;
    Ok(i32::try_from(providers.len()).unwrap_or(i32::MAX))
}

export! {
    /// Lists the providers, or those of some protocols. Returns how many.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaenumprotocolsa>
    ///
    /// Errors: WSAEFAULT (a bad pointer), WSAENOBUFS (no room; the length needed is written).
    winsock fn WSAEnumProtocolsA(protocols: *const i32, buffer: *mut u8, len: *mut u32) -> i32, fail SOCKET_ERROR; {
        enumerate(protocols, buffer, len, Provider::info_narrow)
    }

    /// Lists the providers, or those of some protocols. Returns how many.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaenumprotocolsw>
    ///
    /// Errors: as WSAEnumProtocolsA.
    winsock fn WSAEnumProtocolsW(protocols: *const i32, buffer: *mut u8, len: *mut u32) -> i32, fail SOCKET_ERROR; {
        enumerate(protocols, buffer, len, Provider::info_wide)
    }
}

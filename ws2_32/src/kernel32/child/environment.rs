//! The environment of a new process.

use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::super::object::no_access;
use super::super::sheet::VARIABLE;
use super::super::wide;
use crate::export::Outcome;
use crate::ptr;

/// What this process has: "NAME=value", each.
pub(super) fn own() -> Vec<Vec<u8>> {
    let entry = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        let mut entry = name.into_vec();
        entry.push(b'=');
        entry.extend_from_slice(value.as_bytes());
        entry
    };
    std::env::vars_os().filter(|(name, _)| name != VARIABLE).map(entry).collect()
}

/// A block of texts that an empty one ends. What cmd.exe keeps there of its own, with names that
/// begin with "=", is left out.
fn block<T>(
    mut at: *const T,
    read: impl Fn(*const T) -> Outcome<Vec<T>>,
    octets: impl Fn(Vec<T>) -> Vec<u8>,
) -> Outcome<Vec<Vec<u8>>> {
    let mut entries = Vec::new();
    loop {
        let entry = read(at).map_err(no_access)?;
        if entry.is_empty() {
            return Ok(entries);
        }
        at = at.wrapping_add(entry.len() + 1);
        entries.push(octets(entry));
        if entries.last().is_some_and(|entry| entry.starts_with(b"=")) {
            entries.pop();
        }
    }
}

/// What a program gives, in octets or in UTF-16.
pub(super) fn given(at: *const u8, is_wide: bool) -> Outcome<Vec<Vec<u8>>> {
    if is_wide {
        block(at.cast::<u16>(), ptr::read_wide, |units| wide::narrow(&units))
    } else {
        block(at, ptr::read_cstr, |octets| octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_ends_with_an_empty_text() {
        let octets = b"=C:=C:\\x\0A=1\0B=\0\0C=3\0\0";
        let expected = vec![b"A=1".to_vec(), b"B=".to_vec()];
        assert_eq!(given(octets.as_ptr(), false), Ok(expected.clone()));
        let wide: Vec<_> = octets.iter().map(|&octet| u16::from(octet)).collect();
        assert_eq!(given(wide.as_ptr().cast(), true), Ok(expected));
        assert_eq!(given([0_u8; 2].as_ptr(), false), Ok(vec![]));
    }
}

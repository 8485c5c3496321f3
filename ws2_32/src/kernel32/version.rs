//! Which Windows this is: what every Windows since 8 tells a program that does not declare what it
//! was made for.
#![allow(unsafe_code, reason = "exports")]

use std::cmp::Ordering;

use super::object::no_access;
use crate::abi::{BOOL, FALSE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr::{self, Plain};

const ERROR_BAD_ARGUMENTS: Error = Error(160);
const ERROR_OLD_WIN_VERSION: Error = Error(1150);

/// What can be asked about, each a bit of a type mask.
mod part {
    pub(super) const MINOR: u32 = 0x01;
    pub(super) const MAJOR: u32 = 0x02;
    pub(super) const BUILD: u32 = 0x04;
    pub(super) const PLATFORM: u32 = 0x08;
    pub(super) const SERVICE_PACK_MINOR: u32 = 0x10;
    pub(super) const SERVICE_PACK_MAJOR: u32 = 0x20;
    pub(super) const SUITE: u32 = 0x40;
    pub(super) const PRODUCT: u32 = 0x80;
    pub(super) const ALL: u32 = 0xFF;
}

/// Bits of a condition in a mask.
const WIDTH: u32 = 3;
const VER_EQUAL: u8 = 1;
const VER_GREATER: u8 = 2;
const VER_GREATER_EQUAL: u8 = 3;
const VER_LESS: u8 = 4;
const VER_LESS_EQUAL: u8 = 5;
const VER_AND: u8 = 6;
const VER_OR: u8 = 7;

/// A version: what a program asks for, or what there is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version {
    pub(super) major: u32,
    pub(super) minor: u32,
    pub(super) build: u32,
    platform: u32,
    service_pack_major: u16,
    service_pack_minor: u16,
    suite: u16,
    product: u8,
}

/// Windows 8, a workstation. Also in numbers for GetVersion.
pub(super) const HERE: Version = Version {
    major: 6,
    minor: 2,
    build: 9200,
    platform: 2,
    service_pack_major: 0,
    service_pack_minor: 0,
    suite: 0,
    product: 1,
};

/// OSVERSIONINFOEX: with text of octets or of UTF-16.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct OSVERSIONINFOEX<Unit> {
    /// The octets of the structure.
    pub dwOSVersionInfoSize: u32,
    /// The version.
    pub dwMajorVersion: u32,
    /// The version, second part.
    pub dwMinorVersion: u32,
    /// The build.
    pub dwBuildNumber: u32,
    /// VER_PLATFORM_WIN32_NT.
    pub dwPlatformId: u32,
    /// The service pack, as a text; not looked at.
    pub szCSDVersion: [Unit; 128],
    /// The service pack.
    pub wServicePackMajor: u16,
    /// The service pack, second part.
    pub wServicePackMinor: u16,
    /// Product suites.
    pub wSuiteMask: u16,
    /// VER_NT_WORKSTATION, VER_NT_DOMAIN_CONTROLLER or VER_NT_SERVER.
    pub wProductType: u8,
    /// Nothing.
    pub wReserved: u8,
}

/// With text of octets.
pub type OSVERSIONINFOEXA = OSVERSIONINFOEX<u8>;
/// With text of UTF-16.
pub type OSVERSIONINFOEXW = OSVERSIONINFOEX<u16>;

const _: () = assert!(size_of::<OSVERSIONINFOEXA>() == 156);
const _: () = assert!(size_of::<OSVERSIONINFOEXW>() == 284);

// SAFETY: integers only, without padding.
unsafe impl Plain for OSVERSIONINFOEXA {}
// SAFETY: as above.
unsafe impl Plain for OSVERSIONINFOEXW {}

/// OSVERSIONINFO, with which an OSVERSIONINFOEX begins.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct OSVERSIONINFO<Unit> {
    /// The octets of the structure.
    pub dwOSVersionInfoSize: u32,
    /// The version.
    pub dwMajorVersion: u32,
    /// The version, second part.
    pub dwMinorVersion: u32,
    /// The build.
    pub dwBuildNumber: u32,
    /// VER_PLATFORM_WIN32_NT.
    pub dwPlatformId: u32,
    /// The service pack, as a text: empty.
    pub szCSDVersion: [Unit; 128],
}

/// With text of octets.
pub type OSVERSIONINFOA = OSVERSIONINFO<u8>;
/// With text of UTF-16.
pub type OSVERSIONINFOW = OSVERSIONINFO<u16>;

const _: () = assert!(size_of::<OSVERSIONINFOA>() == 148);
const _: () = assert!(size_of::<OSVERSIONINFOW>() == 276);

impl<Unit> From<OSVERSIONINFOEX<Unit>> for Version {
    fn from(info: OSVERSIONINFOEX<Unit>) -> Self {
        Self {
            major: info.dwMajorVersion,
            minor: info.dwMinorVersion,
            build: info.dwBuildNumber,
            platform: info.dwPlatformId,
            service_pack_major: info.wServicePackMajor,
            service_pack_minor: info.wServicePackMinor,
            suite: info.wSuiteMask,
            product: info.wProductType,
        }
    }
}

/// The condition that a mask has for a part; 0 if it has none.
fn condition(mask: u64, part: u32) -> u8 {
    let bits = (mask >> (part.trailing_zeros() * WIDTH)) & 7;
    bits.to_le_bytes()[0]
}

/// Whether the condition allows what is here to stand so to what is asked for.
fn allows(condition: u8, order: Ordering) -> bool {
    match condition {
        VER_EQUAL => order.is_eq(),
        VER_GREATER => order.is_gt(),
        VER_GREATER_EQUAL => order.is_ge(),
        VER_LESS => order.is_lt(),
        VER_LESS_EQUAL => order.is_le(),
        _ => false,
    }
}

/// Whether the suites that are asked for are here: all of them, or any.
fn has_suites(condition: u8, here: u16, wanted: u16) -> bool {
    match condition {
        VER_AND => here & wanted == wanted,
        VER_OR => wanted == 0 || here & wanted != 0,
        _ => false,
    }
}

/// The parts of the version proper are one number: a later part counts only where the earlier ones
/// are equal.
fn is_ordered(wanted: &Version, types: u32, conditions: u64) -> bool {
    let parts = [
        (part::MAJOR, HERE.major.cmp(&wanted.major)),
        (part::MINOR, HERE.minor.cmp(&wanted.minor)),
        (part::SERVICE_PACK_MAJOR, HERE.service_pack_major.cmp(&wanted.service_pack_major)),
        (part::SERVICE_PACK_MINOR, HERE.service_pack_minor.cmp(&wanted.service_pack_minor)),
    ];
    let mut asked = parts.into_iter().filter(|(part, _)| types & part != 0);
    let decided = asked.clone().find(|(_, order)| order.is_ne()).or_else(|| asked.next_back());
    decided.is_none_or(|(part, order)| allows(condition(conditions, part), order))
}

fn verify(wanted: &Version, types: u32, conditions: u64) -> Outcome<BOOL> {
    if types & part::ALL == 0 {
        return Err(ERROR_BAD_ARGUMENTS);
    }
    let others = [
        (part::BUILD, HERE.build.cmp(&wanted.build)),
        (part::PLATFORM, HERE.platform.cmp(&wanted.platform)),
        (part::PRODUCT, HERE.product.cmp(&wanted.product)),
    ];
    let mut asked = others.into_iter().filter(|(part, _)| types & part != 0);
    let of_suites = condition(conditions, part::SUITE);
    let is_here = is_ordered(wanted, types, conditions)
        && asked.all(|(part, order)| allows(condition(conditions, part), order))
        && (types & part::SUITE == 0 || has_suites(of_suites, HERE.suite, wanted.suite));
    if is_here { Ok(TRUE) } else { Err(ERROR_OLD_WIN_VERSION) }
}

/// Tells this version where the program has room for it, which the first number there says.
fn tell<Unit: Copy + Default>(at: *mut OSVERSIONINFO<Unit>) -> Outcome<BOOL> {
    let size = ptr::read(at.cast_const().cast::<u32>()).map_err(no_access)?;
    let info = OSVERSIONINFO {
        dwOSVersionInfoSize: size,
        dwMajorVersion: HERE.major,
        dwMinorVersion: HERE.minor,
        dwBuildNumber: HERE.build,
        dwPlatformId: HERE.platform,
        szCSDVersion: [Unit::default(); 128],
    };
    let size = size as usize;
    if size == size_of::<OSVERSIONINFOEX<Unit>>() {
        let info = OSVERSIONINFOEX {
            dwOSVersionInfoSize: info.dwOSVersionInfoSize,
            dwMajorVersion: info.dwMajorVersion,
            dwMinorVersion: info.dwMinorVersion,
            dwBuildNumber: info.dwBuildNumber,
            dwPlatformId: info.dwPlatformId,
            szCSDVersion: info.szCSDVersion,
            wServicePackMajor: HERE.service_pack_major,
            wServicePackMinor: HERE.service_pack_minor,
            wSuiteMask: HERE.suite,
            wProductType: HERE.product,
            wReserved: 0,
        };
        ptr::write(at.cast(), info).map_err(no_access)?;
    } else if size == size_of_val(&info) {
        ptr::write(at, info).map_err(no_access)?;
    } else {
        return Err(Error::ERROR_INSUFFICIENT_BUFFER);
    }
    Ok(TRUE)
}

export! {
    /// Tells which Windows this is, in an OSVERSIONINFO or an OSVERSIONINFOEX, whose size the first
    /// number says.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getversionexa>
    ///
    /// # Errors
    /// ERROR_INSUFFICIENT_BUFFER for another size (choice: the page names no code), ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// As GetVersion.
    fn GetVersionExA(lpVersionInformation: *mut OSVERSIONINFOA) -> BOOL, fail FALSE; {
        tell(lpVersionInformation)
    }

    /// As [`GetVersionExA`], with text of UTF-16.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getversionexw>
    ///
    /// # Differs from Windows
    /// As GetVersion.
    fn GetVersionExW(lpVersionInformation: *mut OSVERSIONINFOW) -> BOOL, fail FALSE; {
        tell(lpVersionInformation)
    }

    /// Adds a condition for a part of the version to a mask for VerifyVersionInfo.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winnt/nf-winnt-versetconditionmask>
    ///
    /// A part that does not exist leaves the mask as it was.
    fn VerSetConditionMask(ConditionMask: u64, TypeMask: u32, Condition: u8) -> u64, fail 0; {
        let parts = (0..part::ALL.count_ones()).filter(|part| TypeMask & (1 << part) != 0);
        let condition = u64::from(Condition & 7);
        Ok(parts.fold(ConditionMask, |mask, part| mask | condition << (part * WIDTH)))
    }

    /// Compares the version of Windows with one: this is 6.2, build 9200, a workstation.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-verifyversioninfoa>
    ///
    /// # Errors
    /// ERROR_OLD_WIN_VERSION if a condition does not hold, ERROR_BAD_ARGUMENTS if nothing is asked,
    /// ERROR_NOACCESS. Never blocks.
    ///
    /// # Differs from Windows
    /// Always that, as GetVersion: no program declares that it was made for a later one.
    fn VerifyVersionInfoA(
        lpVersionInformation: *const OSVERSIONINFOEXA,
        dwTypeMask: u32,
        dwlConditionMask: u64,
    ) -> BOOL, fail FALSE; {
        let wanted = ptr::read(lpVersionInformation).map_err(no_access)?;
        verify(&wanted.into(), dwTypeMask, dwlConditionMask)
    }

    /// As [`VerifyVersionInfoA`], of a structure whose text is UTF-16.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-verifyversioninfow>
    ///
    /// # Differs from Windows
    /// As VerifyVersionInfoA.
    fn VerifyVersionInfoW(
        lpVersionInformation: *const OSVERSIONINFOEXW,
        dwTypeMask: u32,
        dwlConditionMask: u64,
    ) -> BOOL, fail FALSE; {
        let wanted = ptr::read(lpVersionInformation).map_err(no_access)?;
        verify(&wanted.into(), dwTypeMask, dwlConditionMask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_are_all_or_any() {
        for (condition, here, wanted, expected) in [
            (VER_AND, 6, 2, true),
            (VER_AND, 6, 3, false),
            (VER_OR, 6, 3, true),
            (VER_OR, 6, 1, false),
            (VER_OR, 0, 0, true),
            (VER_EQUAL, 6, 6, false),
        ] {
            assert_eq!(
                has_suites(condition, here, wanted),
                expected,
                "{condition} {here} {wanted}"
            );
        }
    }
}

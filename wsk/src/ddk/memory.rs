//! Pool and memory descriptor lists. Pool is the heap; every address is mapped.

use std::ffi::c_void;
use std::ptr;

use linsock::iocp::buffer::RawBuffer;

use super::irp::Irp;

const PAGE: usize = 0x1000;
const MDL_PAGES_LOCKED: i16 = 2;
const MDL_SOURCE_IS_NONPAGED_POOL: i16 = 4;
const POOL_FLAG_UNINITIALIZED: u64 = 2;

/// MDL.
#[repr(C)]
#[derive(Debug)]
pub struct Mdl {
    next: *mut Self,
    size: i16,
    flags: i16,
    process: *mut c_void,
    mapped: *mut c_void,
    start: *mut c_void,
    byte_count: u32,
    byte_offset: u32,
}

const _: () = assert!(size_of::<Mdl>() == 0x30);

/// WSK_BUF.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct WskBuf {
    /// The first of a chain.
    pub mdl: *mut Mdl,
    /// Where the data begins in the first MDL.
    pub offset: u32,
    /// Octets.
    pub length: usize,
}

impl Mdl {
    /// One that describes memory.
    pub(crate) fn describing(memory: *mut u8, length: usize) -> Self {
        let offset = memory.addr() % PAGE;
        Self {
            next: ptr::null_mut(),
            size: 0x30,
            flags: MDL_SOURCE_IS_NONPAGED_POOL,
            process: ptr::null_mut(),
            mapped: memory.cast(),
            start: memory.wrapping_sub(offset).cast(),
            byte_count: u32::try_from(length).unwrap_or(u32::MAX),
            byte_offset: u32::try_from(offset).unwrap_or(0),
        }
    }

    fn buffer(&self) -> RawBuffer {
        let offset = usize::try_from(self.byte_offset).unwrap_or(0);
        let len = usize::try_from(self.byte_count).unwrap_or(0);
        RawBuffer { base: self.start.cast::<u8>().wrapping_add(offset), len }
    }
}

impl WskBuf {
    /// Copies the caller's, which may be gone after the call; the MDLs stay.
    pub(crate) fn read(buffer: *const Self) -> Option<Self> {
        // SAFETY: the client's structure, valid for the time of the call.
        (!buffer.is_null()).then(|| unsafe { buffer.read() })
    }

    /// The memory, where it is all in the first MDL.
    pub(crate) fn in_one(&self) -> Option<RawBuffer> {
        let skip = usize::try_from(self.offset).ok()?;
        // SAFETY: the client's chain, which stays until the completion.
        let RawBuffer { base, len } = unsafe { self.mdl.as_ref() }?.buffer();
        let is_in = self.length > 0 && len.checked_sub(skip)? >= self.length;
        is_in.then(|| RawBuffer { base: base.wrapping_add(skip), len: self.length })
    }

    /// The memory, MDL by MDL; `None` if the MDLs have less than the length says.
    pub(crate) fn buffers(&self) -> Option<Vec<RawBuffer>> {
        let mut buffers = Vec::new();
        let (mut mdl, mut left) = (self.mdl.cast_const(), self.length);
        let mut skip = usize::try_from(self.offset).ok()?;
        while left > 0 {
            // SAFETY: the client's chain, which stays until the completion.
            let whole = unsafe { mdl.as_ref() }?;
            let RawBuffer { base, len } = whole.buffer();
            if skip > len {
                return None;
            }
            let part = left.min(len - skip);
            if part > 0 {
                buffers.push(RawBuffer { base: base.wrapping_add(skip), len: part });
            }
            left -= part;
            skip = 0;
            mdl = whole.next;
        }
        Some(buffers)
    }
}

fn allocate(size: usize, zeroed: bool) -> *mut c_void {
    let size = size.max(1);
    if zeroed {
        // SAFETY: a size above zero.
        unsafe { libc::calloc(1, size) }
    } else {
        // SAFETY: a size above zero.
        unsafe { libc::malloc(size) }
    }
}

/// Allocates memory; not zeroed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ExAllocatePool(_PoolType: u32, NumberOfBytes: usize) -> *mut c_void {
    allocate(NumberOfBytes, false)
}

/// Allocates memory; not zeroed.
///
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-exallocatepoolwithtag>
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ExAllocatePoolWithTag(
    _PoolType: u32,
    NumberOfBytes: usize,
    _Tag: u32,
) -> *mut c_void {
    allocate(NumberOfBytes, false)
}

/// Allocates zeroed memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ExAllocatePoolZero(
    _PoolType: u32,
    NumberOfBytes: usize,
    _Tag: u32,
) -> *mut c_void {
    allocate(NumberOfBytes, true)
}

/// Allocates memory; not zeroed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ExAllocatePoolUninitialized(
    _PoolType: u32,
    NumberOfBytes: usize,
    _Tag: u32,
) -> *mut c_void {
    allocate(NumberOfBytes, false)
}

/// Allocates memory, zeroed unless the flags say otherwise.
///
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-exallocatepool2>
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ExAllocatePool2(
    Flags: u64,
    NumberOfBytes: usize,
    _Tag: u32,
) -> *mut c_void {
    allocate(NumberOfBytes, Flags & POOL_FLAG_UNINITIALIZED == 0)
}

/// Frees memory of the pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ExFreePool(P: *mut c_void) {
    // SAFETY: the functions above allocated it.
    unsafe { libc::free(P) };
}

/// Frees memory of the pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ExFreePoolWithTag(P: *mut c_void, _Tag: u32) {
    // SAFETY: the functions above allocated it.
    unsafe { libc::free(P) };
}

/// Allocates an MDL for memory of the caller's.
///
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-ioallocatemdl>
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IoAllocateMdl(
    VirtualAddress: *mut c_void,
    Length: u32,
    SecondaryBuffer: u8,
    _ChargeQuota: u8,
    Irp: *mut Irp,
) -> *mut Mdl {
    let memory = allocate(size_of::<Mdl>(), false).cast::<Mdl>();
    if memory.is_null() {
        return memory;
    }
    let length = usize::try_from(Length).unwrap_or(0);
    let mdl = Mdl { flags: 0, ..Mdl::describing(VirtualAddress.cast(), length) };
    // SAFETY: fresh memory of that size.
    unsafe { memory.write(mdl) };
    // SAFETY: the caller's IRP, if it gave one.
    if let Some(irp) = unsafe { Irp.as_mut() } {
        if SecondaryBuffer == 0 {
            irp.mdl = memory;
        } else {
            append(&mut irp.mdl, memory);
        }
    }
    memory
}

fn append(chain: &mut *mut Mdl, mdl: *mut Mdl) {
    let mut at = chain;
    // SAFETY: the client's chain.
    while let Some(next) = unsafe { at.as_mut() } {
        at = &mut next.next;
    }
    *at = mdl;
}

/// Frees an MDL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IoFreeMdl(Mdl: *mut Mdl) {
    // SAFETY: IoAllocateMdl allocated it.
    unsafe { libc::free(Mdl.cast()) };
}

fn flag(mdl: *mut Mdl, set: i16, clear: i16) {
    // SAFETY: the caller's MDL.
    if let Some(mdl) = unsafe { mdl.as_mut() } {
        mdl.flags = mdl.flags & !clear | set;
    }
}

/// The memory is of nonpaged pool: nothing to do but to say so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn MmBuildMdlForNonPagedPool(Mdl: *mut Mdl) {
    flag(Mdl, MDL_SOURCE_IS_NONPAGED_POOL, 0);
}

/// Locks pages: nothing to do in user mode but to say so. An address that leads nowhere is found by
/// the transfer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn MmProbeAndLockPages(Mdl: *mut Mdl, _AccessMode: i8, _Operation: u32) {
    flag(Mdl, MDL_PAGES_LOCKED, 0);
}

/// Unlocks pages.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn MmUnlockPages(Mdl: *mut Mdl) {
    flag(Mdl, 0, MDL_PAGES_LOCKED);
}

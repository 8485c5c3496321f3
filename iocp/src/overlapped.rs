//! The caller's `OVERLAPPED`: the one structure that an operation writes after its call returned.
#![allow(unsafe_code)]

use std::ptr::NonNull;

use linsock_afd::NtStatus;

use crate::cache;
use crate::sync::atomic::{AtomicUsize, Ordering};

/// `OVERLAPPED` as Windows lays it out (x64: 32 octets).
///
/// The first two members are atomics because the program polls them (`HasOverlappedIoCompleted`)
/// while a completion writes them from another thread.
#[repr(C)]
#[derive(Debug, Default)]
pub struct Overlapped {
    /// The NTSTATUS: `STATUS_PENDING` while the operation is in progress.
    pub internal: AtomicUsize,
    /// Octets transferred.
    pub internal_high: AtomicUsize,
    /// File position; sockets ignore it.
    pub offset: u32,
    /// File position, high half; sockets ignore it.
    pub offset_high: u32,
    /// The event to signal, or null. Low bit: no completion packet.
    pub event: usize,
}

const _: () = assert!(size_of::<Overlapped>() == 32 && align_of::<Overlapped>() == 8);

/// The part that an operation writes, with which an [`Overlapped`] begins: `IO_STATUS_BLOCK`.
#[repr(C)]
#[derive(Debug, Default)]
pub struct StatusBlock {
    /// As [`Overlapped::internal`].
    pub status: AtomicUsize,
    /// As [`Overlapped::internal_high`].
    pub information: AtomicUsize,
}

const _: () = assert!(size_of::<StatusBlock>() == 16 && align_of::<StatusBlock>() == 8);

/// A pointer to a caller's [`Overlapped`] or [`StatusBlock`], held for as long as the operation is
/// in progress.
#[derive(Debug)]
pub struct OverlappedPtr(NonNull<StatusBlock>);

// SAFETY: the pointee is only touched through atomics, and `new` demands that it stays valid on
// whichever thread completes the operation.
unsafe impl Send for OverlappedPtr {}
// SAFETY: as above; `&OverlappedPtr` only gives out the address.
unsafe impl Sync for OverlappedPtr {}

impl OverlappedPtr {
    /// Takes charge of the caller's structure.
    ///
    /// # Safety
    /// `at` is aligned, and valid for reads and writes until the operation it is used for has
    /// completed or was refused. That is the contract of every overlapped call of Winsock; the
    /// caller of the C function keeps it.
    #[inline]
    pub unsafe fn new(at: NonNull<Overlapped>) -> Self {
        Self(at.cast())
    }

    /// The same, of a call of ntdll's.
    ///
    /// # Safety
    /// As [`new`](Self::new).
    #[inline]
    pub const unsafe fn of_block(at: NonNull<StatusBlock>) -> Self {
        Self(at)
    }

    /// The address: the operation's identity in packets and in `CancelIoEx`.
    #[inline]
    pub fn addr(&self) -> usize {
        self.0.addr().get()
    }

    /// The same pointer, for the end of an operation that forgets this one.
    #[inline]
    pub(crate) const fn again(&self) -> Self {
        Self(self.0)
    }

    /// Asks the processor for the structure.
    #[inline]
    pub(crate) fn fetch(&self) {
        cache::fetch_range(self.addr(), size_of::<Overlapped>());
    }

    /// The operation starts: `Internal` reads STATUS_PENDING. It stays so when the call is refused
    /// (`test_AcceptEx`, `test_connect`).
    #[inline]
    pub fn begin(&self) {
        let pending = status_word(NtStatus::PENDING);
        self.get().status.store(pending, Ordering::Release);
    }

    /// The operation is over (I5). The structure belongs to the caller again when this returns, so
    /// the pointer is consumed.
    #[inline]
    pub fn finish(self, status: NtStatus, bytes: usize) {
        let block = self.get();
        block.information.store(bytes, Ordering::Relaxed);
        block.status.store(status_word(status), Ordering::Release);
    }

    #[inline]
    fn get(&self) -> &StatusBlock {
        // SAFETY: valid until `finish` or refusal by the contract of `new`, and this value does
        // not outlive either; an OVERLAPPED begins with the block (a test holds the offsets).
        unsafe { self.0.as_ref() }
    }
}

/// `Internal` is a `ULONG_PTR` that holds a 32-bit status, not sign-extended.
const fn status_word(status: NtStatus) -> usize {
    status.raw() as usize
}

#[cfg(test)]
pub(crate) mod tests {
    use std::mem::offset_of;

    use super::*;

    /// A structure that is valid for ever, and the pointer that an operation holds.
    pub(crate) fn lend() -> (&'static Overlapped, OverlappedPtr) {
        let overlapped: &'static Overlapped = Box::leak(Box::default());
        // SAFETY: it is never freed, and shared references to it allow atomic stores.
        let ptr = unsafe { OverlappedPtr::new(NonNull::from(overlapped)) };
        (overlapped, ptr)
    }

    /// OVERLAPPED page, x64.
    #[test]
    fn the_layout_is_that_of_windows() {
        assert_eq!(offset_of!(Overlapped, internal), offset_of!(StatusBlock, status));
        assert_eq!(offset_of!(Overlapped, internal), 0);
        assert_eq!(offset_of!(Overlapped, internal_high), offset_of!(StatusBlock, information));
        assert_eq!(offset_of!(Overlapped, internal_high), 8);
        assert_eq!(offset_of!(Overlapped, offset), 16);
        assert_eq!(offset_of!(Overlapped, offset_high), 20);
        assert_eq!(offset_of!(Overlapped, event), 24);
    }

    /// STATUS_PENDING is 0x103 and STATUS_CANCELLED 0xC0000120 (MS-ERREF); `Internal` holds 32
    /// bits.
    #[test]
    fn internal_holds_the_status_without_a_sign() {
        let (overlapped, ptr) = lend();
        assert_eq!(ptr.addr(), std::ptr::from_ref(overlapped).addr());
        ptr.begin();
        assert_eq!(overlapped.internal.load(Ordering::Acquire), 0x103);
        ptr.finish(NtStatus::CANCELLED, 7);
        assert_eq!(overlapped.internal.load(Ordering::Acquire), 0xC000_0120);
        assert_eq!(overlapped.internal_high.load(Ordering::Relaxed), 7);
    }

    /// I5, as a program that polls HasOverlappedIoCompleted sees it.
    #[test]
    fn whoever_sees_the_status_sees_the_octets() {
        for round in 1..=500 {
            let (overlapped, ptr) = lend();
            ptr.begin();
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    while overlapped.internal.load(Ordering::Acquire) == 0x103 {
                        std::thread::yield_now();
                    }
                    assert_eq!(overlapped.internal_high.load(Ordering::Relaxed), round);
                });
                ptr.finish(NtStatus::SUCCESS, round);
            });
        }
    }
}

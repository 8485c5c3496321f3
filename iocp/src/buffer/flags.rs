//! The flags of a transfer.

/// Flags of a receive that the kernel understands as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecvFlags(i32);

impl RecvFlags {
    /// None.
    pub const NONE: Self = Self(0);

    /// Windows' MSG_OOB, MSG_PEEK and MSG_WAITALL as the kernel's.
    ///
    /// MSG_WAITALL is not passed on: with MSG_DONTWAIT it means nothing, so the operation waits for
    /// the rest itself.
    pub const fn new(oob: bool, peek: bool) -> Self {
        Self(if oob { libc::MSG_OOB } else { 0 } | if peek { libc::MSG_PEEK } else { 0 })
    }

    /// As every receive of ours is made: without waiting.
    #[inline]
    pub(super) const fn for_kernel(self) -> i32 {
        self.0 | libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL
    }

    /// Whether urgent data is asked for.
    #[inline]
    pub const fn is_urgent(self) -> bool {
        self.0 & libc::MSG_OOB != 0
    }
}

/// Flags of a send that the kernel understands as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendFlags(i32);

/// A bit that the kernel has no meaning for, and is not told.
const PARTIAL: i32 = 1 << 30;

impl SendFlags {
    /// None.
    pub const NONE: Self = Self(0);

    /// As every send of ours is made: without waiting, and without a signal.
    #[inline]
    pub(super) const fn for_kernel(self) -> i32 {
        self.0 & !PARTIAL | libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL
    }

    /// More of the message follows (MSG_PARTIAL), on a socket whose provider has messages.
    #[must_use]
    pub const fn partial(self) -> Self {
        Self(self.0 | PARTIAL)
    }

    /// More of the stream follows at once, so that a packet may wait for it.
    #[must_use]
    pub const fn more(self) -> Self {
        Self(self.0 | libc::MSG_MORE)
    }

    /// Whether more of the message follows.
    pub const fn is_partial(self) -> bool {
        self.0 & PARTIAL != 0
    }

    /// Windows' MSG_OOB and MSG_DONTROUTE as the kernel's.
    pub const fn new(oob: bool, dont_route: bool) -> Self {
        Self(if oob { libc::MSG_OOB } else { 0 } | if dont_route { libc::MSG_DONTROUTE } else { 0 })
    }
}

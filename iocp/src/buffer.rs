//! The memory of a transfer: a caller's buffers, or buffers the operation owns; and the two system
//! calls that touch it.
//!
//! The kernel checks caller memory itself (EFAULT), so hostile pointers are errors here, not
//! crashes. With one buffer the system call is made directly: in a program with threads glibc's
//! wrappers are cancellation points, which cost two atomic operations each and mean nothing here.
//! The kernel touches the memory only inside these calls, never between them: cancelling an
//! operation is therefore just forgetting it.
#![allow(unsafe_code)]

mod at_file;
mod at_stream;
mod beside;
mod flags;

use std::net::{SocketAddr, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::io::Errno;

use crate::cache;

use beside::Control;

pub use at_file::Place;
pub use beside::{Beside, HeaderField, PacketInfo};
pub use flags::{RecvFlags, SendFlags};

/// The memory of one transfer, and how much of it is done.
#[derive(Debug)]
pub struct Buffers {
    memory: Memory,
    /// Octets in all.
    len: usize,
    done: usize,
}

#[derive(Debug)]
enum Memory {
    /// One caller buffer: nearly every call.
    One(*mut u8),
    /// Several caller buffers.
    Many(Box<[libc::iovec]>),
    /// Memory of the operation's own, given back when it is over; the first octets take part.
    Owned(Vec<u8>),
    /// A message, which grows with what is received.
    Message(Vec<u8>),
}

// SAFETY: the raw pointers are caller memory handed over for the operation (contract of
// `from_raw`), to be used by whichever thread performs it.
unsafe impl Send for Buffers {}
// SAFETY: a shared reference gives no access to the memory.
unsafe impl Sync for Buffers {}

/// UIO_MAXIOV: vectors that the kernel takes at once; the rest goes with the next call.
const VECTORS_MAX: usize = 1024;

/// A caller's buffer: address and length. Building one is safe; using it is promised by
/// [`Buffers::from_raw`].
#[derive(Clone, Copy, Debug)]
pub struct RawBuffer {
    /// Where it begins.
    pub base: *mut u8,
    /// How long it is, in octets.
    pub len: usize,
}

impl RawBuffer {
    const fn iovec(self) -> libc::iovec {
        libc::iovec { iov_base: self.base.cast(), iov_len: self.len }
    }
}

impl Buffers {
    /// A caller's buffers, in order.
    ///
    /// # Safety
    /// The memory is the caller's to lend: no Rust reference to it lives while the operation is in
    /// progress. It may be invalid (then the transfer fails with EFAULT).
    #[inline]
    pub unsafe fn from_raw(buffers: &[RawBuffer]) -> Self {
        match buffers {
            [one] => Self { memory: Memory::One(one.base), len: one.len, done: 0 },
            many => Self::from_many(many.iter().map(|buffer| buffer.iovec()).collect()),
        }
    }

    #[cold]
    fn from_many(many: Box<[libc::iovec]>) -> Self {
        let len = many.iter().map(|iov| iov.iov_len).sum();
        Self { memory: Memory::Many(many), len, done: 0 }
    }

    /// Memory of the operation's own: its length is what is sent, or how much may be received.
    #[inline]
    pub fn from_vec(vec: Vec<u8>) -> Self {
        let all = vec.len();
        Self::from_vec_part(vec, all)
    }

    /// The same; only the first octets take part, at most `part` of them.
    #[inline]
    pub fn from_vec_part(vec: Vec<u8>, part: usize) -> Self {
        let len = part.min(vec.len());
        Self { memory: Memory::Owned(vec), len, done: 0 }
    }

    /// Memory of the operation's own that takes one message, however long it is. Only
    /// [`fill`](Self::fill) puts octets there.
    pub const fn for_message() -> Self {
        Self { memory: Memory::Message(Vec::new()), len: usize::MAX, done: 0 }
    }

    /// No memory.
    #[inline]
    pub const fn empty() -> Self {
        Self { memory: Memory::One(std::ptr::null_mut()), len: 0, done: 0 }
    }

    /// A copy of what is left, for a graceful close that outlives the caller's memory; `None` when
    /// the memory is not readable.
    pub fn copy_rest(&mut self) -> Option<Vec<u8>> {
        let mut copy = Vec::new();
        self.append_to(&mut copy, self.remaining()).then_some(copy)
    }

    /// Appends the next `count` octets to a vector and counts them, as a send would; false, with
    /// nothing done, when there are not as many or the memory is not readable.
    pub fn append_to(&mut self, into: &mut Vec<u8>, count: usize) -> bool {
        if count > self.remaining() {
            return false;
        }
        let whole = match &self.memory {
            Memory::Owned(own) | Memory::Message(own) => {
                into.extend_from_slice(&own[self.done..self.done + count]);
                true
            }
            Memory::One(_) | Memory::Many(_) => self.append_lent(into, count),
        };
        if whole {
            self.done += count;
        }
        whole
    }

    fn append_lent(&mut self, into: &mut Vec<u8>, count: usize) -> bool {
        into.reserve(count);
        let spare = into.spare_capacity_mut().as_mut_ptr();
        let here = rustix::process::getpid().as_raw_pid();
        let whole = self.with_rest(|rest| {
            by_parts(rest, count, |at, octets, part| {
                let to = libc::iovec { iov_base: spare.wrapping_add(at).cast(), iov_len: octets };
                let (to, from, vectors) = (&raw const to, part.as_ptr(), part.len() as u64);
                // SAFETY: `to` lies in the room that was just reserved; the kernel checks the
                // addresses of the `part` and only reads them.
                unsafe { libc::process_vm_readv(here, to, 1, from, vectors, 0) }
            })
        });
        if whole {
            // SAFETY: the kernel has written `count` octets behind the vector's end.
            unsafe { into.set_len(into.len() + count) };
        }
        whole
    }

    /// Copies octets into what is left, as a receive would, and counts them; false when the memory
    /// is not writable.
    pub fn fill(&mut self, from: &[u8]) -> bool {
        let whole = match &mut self.memory {
            Memory::Owned(own) => {
                own[self.done..self.done + from.len()].copy_from_slice(from);
                true
            }
            Memory::Message(own) => {
                own.extend_from_slice(from);
                true
            }
            Memory::One(_) | Memory::Many(_) => from.is_empty() || self.fill_lent(from),
        };
        if whole {
            self.done += from.len();
        }
        whole
    }

    fn fill_lent(&mut self, from: &[u8]) -> bool {
        let here = rustix::process::getpid().as_raw_pid();
        self.with_rest(|rest| {
            by_parts(rest, from.len(), |at, octets, part| {
                // The kernel only reads it.
                let base = from[at..].as_ptr().cast_mut().cast();
                let from = libc::iovec { iov_base: base, iov_len: octets };
                let (from, to, vectors) = (&raw const from, part.as_ptr(), part.len() as u64);
                // SAFETY: `from` lies in a live slice, which is read; the memory it goes to is lent
                // for writing (`from_raw`), and the kernel checks it.
                unsafe { libc::process_vm_readv(here, to, vectors, from, 1, 0) }
            })
        })
    }

    /// So many octets will come, for memory that grows.
    pub fn foresee(&mut self, count: usize) {
        if let Memory::Message(own) = &mut self.memory {
            own.reserve_exact(count);
        }
    }

    /// The operation's own memory, given back; empty if it was the caller's.
    pub fn into_vec(self) -> Vec<u8> {
        match self.memory {
            Memory::Owned(vec) | Memory::Message(vec) => vec,
            Memory::One(_) | Memory::Many(_) => Vec::new(),
        }
    }

    /// Whether it is one caller buffer or none: nothing is owned.
    #[inline]
    pub(crate) const fn is_lent(&self) -> bool {
        matches!(self.memory, Memory::One(_))
    }

    /// Octets in all.
    #[inline]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// True when there is no room at all.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Octets transferred so far.
    #[inline]
    pub const fn done(&self) -> usize {
        self.done
    }

    /// Octets still to be transferred.
    #[inline]
    pub const fn remaining(&self) -> usize {
        self.len - self.done
    }

    /// How much of what is left one receive can fill: the kernel takes no more vectors at once.
    #[inline]
    pub fn offered(&self) -> usize {
        match &self.memory {
            Memory::Many(many) if many.len() > VECTORS_MAX => {
                rest_of(many, self.done).iter().take(VECTORS_MAX).map(|iov| iov.iov_len).sum()
            }
            _ => self.remaining(),
        }
    }

    /// Receives once, without waiting, into what is left; counts what came.
    ///
    /// # Errors
    /// As recvmsg(2); `Errno::AGAIN` when nothing is there.
    // Always, as `send`: a system call's result goes through memory otherwise.
    #[inline(always)]
    pub fn recv(&mut self, fd: BorrowedFd<'_>, flags: RecvFlags) -> Result<usize, Errno> {
        let flags = flags.for_kernel();
        let received = match self.rest_in_one() {
            Some((to, len)) => {
                let (fd, none) = (fd.as_raw_fd(), std::ptr::null::<libc::c_void>());
                // SAFETY: the kernel checks the address; the memory is lent for writing
                // (`from_raw`) or our own and exclusively borrowed.
                let received =
                    unsafe { libc::syscall(libc::SYS_recvfrom, fd, to, len, flags, none, none) };
                usize::try_from(received).ok()
            }
            None => self.recv_many(fd, flags),
        };
        self.count(received, flags & libc::MSG_PEEK == 0)
    }

    #[cold]
    fn recv_many(&mut self, fd: BorrowedFd<'_>, flags: i32) -> Option<usize> {
        self.with_rest(|rest| {
            let mut message = header(rest);
            // SAFETY: the kernel checks the addresses of the vectors, whose memory is lent for
            // writing (`from_raw`); `message` and the vectors live through the call.
            let received = unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut message, flags) };
            usize::try_from(received).ok()
        })
    }

    /// Sends once, without waiting, from what is left; counts what was taken.
    ///
    /// # Errors
    /// As sendmsg(2); `Errno::AGAIN` when there is no room.
    #[inline(always)]
    pub fn send(&mut self, fd: BorrowedFd<'_>, flags: SendFlags) -> Result<usize, Errno> {
        let flags = flags.for_kernel();
        let sent = match self.rest_in_one() {
            Some((from, len)) => {
                let (fd, none) = (fd.as_raw_fd(), std::ptr::null::<libc::c_void>());
                // SAFETY: the kernel checks the address and only reads; the memory is lent
                // (`from_raw`) or our own.
                let sent =
                    unsafe { libc::syscall(libc::SYS_sendto, fd, from, len, flags, none, 0) };
                usize::try_from(sent).ok()
            }
            None => self.send_many(fd, flags),
        };
        self.count(sent, true)
    }

    #[cold]
    fn send_many(&mut self, fd: BorrowedFd<'_>, flags: i32) -> Option<usize> {
        self.with_rest(|rest| {
            let message = header(rest);
            // SAFETY: the kernel checks the addresses of the vectors and only reads; `message` and
            // the vectors live through the call.
            let sent = unsafe { libc::sendmsg(fd.as_raw_fd(), &raw const message, flags) };
            usize::try_from(sent).ok()
        })
    }

    /// Receives one datagram, without waiting, and tells who sent it.
    ///
    /// # Errors
    /// As recvmsg(2); `Errno::AGAIN` when nothing is there.
    pub fn recv_from(
        &mut self,
        fd: BorrowedFd<'_>,
        flags: RecvFlags,
    ) -> Result<ReceivedDatagram, Errno> {
        let flags = flags.for_kernel();
        let mut from = SocketName::default();
        let mut control = Control::new();
        let mut truncated = false;
        let received = self.with_rest(|rest| {
            let mut message = header(rest);
            message.msg_name = from.octets.as_mut_ptr().cast();
            message.msg_namelen = SocketName::ROOM;
            control.give_to(&mut message, Control::ROOM);
            // SAFETY: the kernel checks the addresses of the vectors, whose memory is lent for
            // writing (`from_raw`) or our own; `message`, the vectors, the name and the control
            // messages live through the call.
            let received = unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut message, flags) };
            truncated = message.msg_flags & libc::MSG_TRUNC != 0;
            from.len = message.msg_namelen;
            control.set_len(message.msg_controllen);
            usize::try_from(received).ok()
        });
        let octets = self.count(received, flags & libc::MSG_PEEK == 0)?;
        let beside = control.beside();
        Ok(ReceivedDatagram { octets, from: from.address(), beside, truncated })
    }

    /// Sends one datagram, without waiting, to `to` or to the descriptor's peer, with what is said
    /// beside it.
    ///
    /// # Errors
    /// As sendmsg(2); `Errno::AGAIN` when there is no room.
    pub fn send_to(
        &mut self,
        fd: BorrowedFd<'_>,
        flags: SendFlags,
        to: Option<&SocketAddr>,
        beside: &Beside,
    ) -> Result<usize, Errno> {
        let flags = flags.for_kernel();
        let mut name = to.map(SocketName::of);
        let mut control = Control::of(beside);
        let sent = self.with_rest(|rest| {
            let mut message = header(rest);
            if let Some(name) = &mut name {
                message.msg_name = name.octets.as_mut_ptr().cast();
                message.msg_namelen = name.len;
            }
            if let Some(control) = &mut control {
                control.give_to(&mut message, control.len());
            }
            // SAFETY: the kernel checks the addresses of the vectors and only reads; `message`, the
            // vectors, the name and the control message live through the call.
            let sent = unsafe { libc::sendmsg(fd.as_raw_fd(), &raw const message, flags) };
            usize::try_from(sent).ok()
        });
        self.count(sent, true)
    }

    #[inline]
    fn count(&mut self, moved: Option<usize>, consumes: bool) -> Result<usize, Errno> {
        let Some(moved) = moved else { return Err(last_errno()) };
        if consumes {
            self.done += moved;
        }
        Ok(moved)
    }

    /// Where what is left lies, and how long it is, if it is in one piece.
    #[inline(always)]
    fn rest_in_one(&mut self) -> Option<(*mut u8, usize)> {
        // One by one, the usual first: a table of jumps costs more than both.
        let base = if let Memory::One(base) = self.memory {
            base
        } else if let Memory::Owned(vec) = &mut self.memory {
            vec.as_mut_ptr()
        } else {
            return None;
        };
        Some((base.wrapping_add(self.done), self.len - self.done))
    }

    /// Hands `call` the vectors of what is left.
    fn with_rest<R>(&mut self, call: impl FnOnce(&mut [libc::iovec]) -> R) -> R {
        if let Some((base, len)) = self.rest_in_one() {
            return call(&mut [RawBuffer { base, len }.iovec()]);
        }
        match &self.memory {
            Memory::Many(many) => call(&mut rest_of(many, self.done)),
            _ => call(&mut []),
        }
    }
}

/// What the last system call of this thread failed with.
#[cold]
fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

/// A datagram that was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceivedDatagram {
    /// Octets that are in the buffers.
    pub octets: usize,
    /// Who sent it.
    pub from: Option<SocketAddr>,
    /// What the descriptor tells of it.
    pub beside: Beside,
    /// It was longer than the buffers; the rest is gone.
    pub truncated: bool,
}

/// A sockaddr of the internet families, in the kernel's octets.
struct SocketName {
    octets: [u8; Self::ROOM as usize],
    len: libc::socklen_t,
}

impl Default for SocketName {
    fn default() -> Self {
        Self { octets: [0; Self::ROOM as usize], len: 0 }
    }
}

impl SocketName {
    /// `sockaddr_in6`: family, port, flow information, address, scope.
    const ROOM: libc::socklen_t = 28;
    /// `sockaddr_in`: family, port, address, padding.
    const V4: libc::socklen_t = 16;

    #[allow(clippy::cast_possible_truncation, reason = "AF_INET and AF_INET6 are small")]
    const FAMILIES: [u16; 2] = [libc::AF_INET as u16, libc::AF_INET6 as u16];

    fn of(address: &SocketAddr) -> Self {
        let mut name = Self::default();
        name.octets[2..4].copy_from_slice(&address.port().to_be_bytes());
        let family = match address {
            SocketAddr::V4(v4) => {
                name.octets[4..8].copy_from_slice(&v4.ip().octets());
                name.len = Self::V4;
                Self::FAMILIES[0]
            }
            SocketAddr::V6(v6) => {
                name.octets[4..8].copy_from_slice(&v6.flowinfo().to_be_bytes());
                name.octets[8..24].copy_from_slice(&v6.ip().octets());
                name.octets[24..28].copy_from_slice(&v6.scope_id().to_ne_bytes());
                name.len = Self::ROOM;
                Self::FAMILIES[1]
            }
        };
        name.octets[..2].copy_from_slice(&family.to_ne_bytes());
        name
    }

    /// The address; `None` if the kernel gave none, or one of another family.
    fn address(&self) -> Option<SocketAddr> {
        let part = |at: usize| <[u8; 4]>::try_from(&self.octets[at..at + 4]).unwrap_or_default();
        let [low, high, port_high, port_low] = part(0);
        let port = u16::from_be_bytes([port_high, port_low]);
        let family = u16::from_ne_bytes([low, high]);
        if self.len >= Self::V4 && family == Self::FAMILIES[0] {
            return Some(SocketAddr::from((part(4), port)));
        }
        let ip = <[u8; 16]>::try_from(&self.octets[8..24]).unwrap_or_default();
        let (flow, scope) = (u32::from_be_bytes(part(4)), u32::from_ne_bytes(part(24)));
        let v6 = || SocketAddr::V6(SocketAddrV6::new(ip.into(), port, flow, scope));
        (self.len >= Self::ROOM && family == Self::FAMILIES[1]).then(v6)
    }
}

/// Caller memory that was checked to be writable when the operation started, for what the
/// operation writes itself when it is over (the addresses of AcceptEx).
#[derive(Debug)]
pub struct CheckedMemory {
    base: *mut u8,
    len: usize,
}

// SAFETY: caller memory handed over for the operation (contract of `new`).
unsafe impl Send for CheckedMemory {}
// SAFETY: a shared reference only writes octets that nobody else uses meanwhile (contract of
// `new`).
unsafe impl Sync for CheckedMemory {}

impl CheckedMemory {
    /// Takes charge of caller memory.
    ///
    /// # Safety
    /// `base..base + len` is writable now and stays so until the operation has completed, and no
    /// Rust reference to it lives meanwhile.
    pub const unsafe fn new(base: *mut u8, len: usize) -> Self {
        Self { base, len }
    }

    /// Asks the processor for the memory.
    #[inline]
    pub fn fetch(&self) {
        cache::fetch_range(self.base.addr(), self.len);
    }

    /// Writes `octets` at an offset; what does not fit is left out.
    pub fn write(&self, at: usize, octets: &[u8]) {
        let room = self.len.saturating_sub(at);
        let count = octets.len().min(room);
        // SAFETY: the range lies inside the memory that `new` promised to be writable.
        unsafe {
            std::ptr::copy_nonoverlapping(octets.as_ptr(), self.base.wrapping_add(at), count)
        };
    }
}

fn header(vectors: &mut [libc::iovec]) -> libc::msghdr {
    // SAFETY: all-zero is a valid msghdr (null pointers, zero lengths).
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = vectors.as_mut_ptr();
    message.msg_iovlen = vectors.len().min(VECTORS_MAX);
    message
}

/// Has `copy` move `count` octets from or to the vectors, as many vectors at a time as the kernel
/// takes; false unless all were moved. It is told how many octets were moved before, how many are
/// to be now, and the vectors.
fn by_parts(
    vectors: &[libc::iovec],
    count: usize,
    mut copy: impl FnMut(usize, usize, &[libc::iovec]) -> libc::ssize_t,
) -> bool {
    let mut done = 0;
    for part in vectors.chunks(VECTORS_MAX) {
        let room: usize = part.iter().map(|iov| iov.iov_len).sum();
        let octets = room.min(count - done);
        if usize::try_from(copy(done, octets, part)) != Ok(octets) {
            return false;
        }
        done += octets;
    }
    done == count
}

#[inline]
fn advance(vector: libc::iovec, by: usize) -> libc::iovec {
    let by = by.min(vector.iov_len);
    libc::iovec { iov_base: vector.iov_base.wrapping_byte_add(by), iov_len: vector.iov_len - by }
}

fn rest_of(vectors: &[libc::iovec], mut done: usize) -> Vec<libc::iovec> {
    let mut rest = Vec::with_capacity(vectors.len());
    for vector in vectors {
        let skip = done.min(vector.iov_len);
        done -= skip;
        if skip < vector.iov_len {
            rest.push(advance(*vector, skip));
        }
    }
    rest
}

#[cfg(test)]
mod tests;

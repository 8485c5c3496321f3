//! Completion: IRPs, `OVERLAPPED`, completion ports, events, APCs, waits, cancellation, and the
//! epoll driver underneath.
//!
//! This crate is the fence around memory that a caller shares with an operation in progress: only
//! [`overlapped`], [`buffer`] and [`sys`] contain `unsafe`. It knows nothing of sockets; whatever
//! performs I/O is a [`file::File`].
//!
//! Start reading at [`irp`], then [`port`], then [`wait`]. What makes progress when:
//!
//! - a thread in `GetQueuedCompletionStatus` sits in `epoll_wait` on its port ([`port`]);
//! - a thread that waits for events polls the descriptors that belong to no port ([`wait`],
//!   [`reactor`]);
//! - a thread blocked in a socket call polls that socket ([`wait::block_on`]);
//! - the threads of a [`pool`] wait at its port, and make the program's callbacks;
//! - the [`alarm`] clock tells timers that their time has come, and the [`watcher`] waits for
//!   objects on behalf of the pool's;
//! - the [`guardian`] covers the rest, within milliseconds.
//!
//! Invariants, referred to from elsewhere by number (ARCHITECTURE.md lists them all):
//!
//! - **I4** An IRP completes exactly once: [`irp::Irp::complete`] consumes it.
//! - **I5** `InternalHigh` is written before `Internal`, and `Internal` before any notification;
//!   afterwards the `OVERLAPPED` is not touched again.
//! - **I6** While packets wait on a port and threads sleep in it, a wake-up is on its way or the
//!   guardian is awake.
#![deny(unsafe_code)]

pub mod alarm;
pub mod apc;
pub mod buffer;
pub mod cache;
pub mod clock;
pub mod disk;
pub mod driver;
pub mod event;
pub mod file;
pub mod guardian;
pub mod handle;
pub mod irp;
pub mod keyed_event;
pub mod overlapped;
pub mod pool;
pub mod port;
pub mod reactor;
pub mod servant;
pub mod spin;
pub mod stream;
pub mod sync;
pub mod sys;
pub mod thread;
pub mod timer;
pub mod trace;
pub mod wait;
pub mod watcher;

pub use linsock_afd as afd;
pub use linsock_afd::NtStatus;

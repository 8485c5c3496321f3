//! What performs I/O behind a handle, as completion sees it.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use crate::driver::Readiness;
use crate::event::Event;
use crate::handle::{self, Handle, Token};
use crate::irp::{Deferred, Irp};
use crate::port::CompletionPort;
use crate::sync::atomic::{AtomicU8, Ordering};
use crate::trace::{self, Kinds};

/// Something that performs I/O: it owns IRPs and finishes them when the kernel is ready.
pub trait File: Any + Send + Sync {
    /// The part that completion works with.
    fn core(&self) -> &FileCore;

    /// The kernel reports readiness: perform what is pending. Idempotent; any thread may call it.
    fn handle_ready(&self, readiness: Readiness, after: &mut Deferred);

    /// Cancels the pending operations that are chosen; returns how many.
    fn cancel(&self, chosen: &dyn Fn(&Irp) -> bool) -> usize;

    /// Ties the file to a port, for good.
    ///
    /// # Errors
    /// [`AlreadyAssociated`] if it has one.
    fn associate(&self, port: &Arc<CompletionPort>, key: usize) -> Result<(), AlreadyAssociated>;

    /// The last handle was closed: completes everything pending and lets go of the transport.
    fn close(&self);

    /// Whether the file is Winsock's: a socket, which WSACleanup closes.
    fn is_of_winsock(&self) -> bool {
        true
    }

    /// Closes one of the file's handles, and with the last one the file. False if it is none, or
    /// closed already.
    fn close_handle(&self, handle: Handle) -> bool {
        let is_closed = handle::table().remove(handle).is_some();
        if is_closed {
            self.close();
        }
        is_closed
    }
}

/// The file has a port already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlreadyAssociated;

/// The port that a file's completions go to.
#[derive(Debug)]
pub struct Association {
    /// The port.
    pub port: Arc<CompletionPort>,
    /// The program's number for this file.
    pub key: usize,
}

/// `FILE_SKIP_COMPLETION_PORT_ON_SUCCESS`.
pub const SKIP_PORT_ON_SUCCESS: u8 = 1;
/// `FILE_SKIP_SET_EVENT_ON_HANDLE`.
pub const SKIP_SET_EVENT_ON_HANDLE: u8 = 2;

/// What every file has.
#[derive(Debug)]
pub struct FileCore {
    handle: Handle,
    token: Token,
    /// Signaled when an operation without an event completes, reset when one starts.
    signal: Event,
    association: OnceLock<Association>,
    modes: AtomicU8,
    is_traced: bool,
}

impl FileCore {
    /// For a file with this handle. The ends of its operations are traced if that is wanted now.
    // Inline: a socket is built in its place then, and not copied there.
    #[inline]
    pub fn new(handle: Handle, token: Token) -> Self {
        Self {
            handle,
            token,
            signal: Event::new(true, false),
            association: OnceLock::new(),
            modes: AtomicU8::new(0),
            is_traced: trace::wants(Kinds::OPERATIONS),
        }
    }

    /// The file's handle.
    #[inline]
    pub const fn handle(&self) -> Handle {
        self.handle
    }

    /// The file's token in the driver.
    #[inline]
    pub const fn token(&self) -> Token {
        self.token
    }

    /// Whether the ends of its operations are traced.
    #[inline]
    pub const fn is_traced(&self) -> bool {
        self.is_traced
    }

    /// The signal of the handle itself.
    #[inline]
    pub const fn signal(&self) -> &Event {
        &self.signal
    }

    /// The port, if there is one.
    #[inline]
    pub fn association(&self) -> Option<&Association> {
        self.association.get()
    }

    /// Sets the port; the file has moved its descriptor already.
    ///
    /// # Errors
    /// [`AlreadyAssociated`].
    pub fn set_association(
        &self,
        port: &Arc<CompletionPort>,
        key: usize,
    ) -> Result<(), AlreadyAssociated> {
        let association = Association { port: Arc::clone(port), key };
        self.association.set(association).map_err(|_| AlreadyAssociated)
    }

    /// The notification modes.
    #[inline]
    pub fn modes(&self) -> u8 {
        self.modes.load(Ordering::Relaxed)
    }

    /// Adds notification modes; none can be taken back (SetFileCompletionNotificationModes page).
    pub fn add_modes(&self, modes: u8) {
        self.modes.fetch_or(modes, Ordering::Relaxed);
    }
}

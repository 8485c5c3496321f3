//! WaitNamedPipe: until an instance of a pipe listens.

use std::time::Duration;

use linsock_iocp::NtStatus;
use linsock_iocp::clock::Deadline;
use linsock_iocp::wait;

use super::name::{self, Path};
use crate::transport::sock_diag::{DONE, DUMP, Diag, ERROR, HEADER, LOOK_UP, REQUESTS, messages};

/// What a wait takes at most for the pipe of another process, which has not told its own wish.
/// "A value of zero will result in a default time-out of 50 milliseconds" (CreateNamedPipe page).
const DEFAULT: Duration = Duration::from_millis(50);
/// Between two looks: the kernel tells nobody of a place in a backlog.
const LOOK: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(20)];

/// Waits until a client could open the pipe, which another may be faster to do; `None`: as long as
/// the pipe's maker has wished. Blocks.
///
/// # Errors
/// STATUS_OBJECT_NAME_NOT_FOUND; STATUS_IO_TIMEOUT.
pub fn wait_for_instance(path: &Path, until: Option<Deadline>) -> Result<(), NtStatus> {
    let wished = || name::known(path).map_or(DEFAULT, |(terms, _)| terms.default_wait);
    let until = until.unwrap_or_else(|| Deadline::after(wished()));
    let [mut pause, longest] = LOOK;
    loop {
        match has_place(path.address()?.abstract_name().unwrap_or_default()) {
            None => return Err(NtStatus::OBJECT_NAME_NOT_FOUND),
            Some(true) => return Ok(()),
            Some(false) if until.is_over() => return Err(NtStatus::IO_TIMEOUT),
            Some(false) => {}
        }
        wait::sleep(Deadline::after(pause).sooner(until), false);
        pause = (2 * pause).min(longest);
    }
}

/// AF_UNIX, and the state of a socket that listens.
const UNIX: u8 = 1;
const LISTENS: u32 = 1 << 10;
/// `UDIAG_SHOW_NAME`, `UDIAG_SHOW_RQLEN`; `UNIX_DIAG_NAME`, `UNIX_DIAG_RQLEN` (linux/unix_diag.h).
const SHOW: u32 = 1 | 0x10;
const NAME: u16 = 0;
const LENGTHS: u16 = 4;
/// `unix_diag_req`, `unix_diag_msg`.
const REQUEST: usize = HEADER + 24;
const FIXED: usize = 16;

/// Whether a listener of that name has a place for a client; `None` where there is no such
/// listener. Where the kernel is not to be asked every pipe has one, and opening it tells.
fn has_place(name: &[u8]) -> Option<bool> {
    let mut found = None;
    let asked = Diag::open().and_then(|diag| {
        diag.ask(&request(), |octets| {
            for (kind, body) in messages(octets) {
                if matches!(kind, DONE | ERROR) {
                    return true;
                }
                if let Some(listener) = Listener::read(body).filter(|it| it.name == name) {
                    found = Some(listener.waiting <= listener.backlog);
                }
            }
            false
        })
    });
    if asked.is_ok() { found } else { Some(true) }
}

fn request() -> [u8; REQUEST] {
    let mut octets = [0; REQUEST];
    let mut put = |at: usize, field: &[u8]| octets[at..at + field.len()].copy_from_slice(field);
    put(0, &u32::try_from(REQUEST).unwrap_or(0).to_ne_bytes());
    put(4, &LOOK_UP.to_ne_bytes());
    put(6, &(REQUESTS | DUMP).to_ne_bytes());
    put(HEADER, &[UNIX]);
    put(HEADER + 4, &LISTENS.to_ne_bytes());
    put(HEADER + 12, &SHOW.to_ne_bytes());
    octets
}

/// A socket that listens, as sock_diag(7) tells of it.
#[derive(Debug, Default)]
struct Listener<'a> {
    /// In the abstract namespace.
    name: &'a [u8],
    waiting: u32,
    backlog: u32,
}

impl<'a> Listener<'a> {
    /// `None` without a name in the abstract namespace.
    fn read(body: &'a [u8]) -> Option<Self> {
        let mut found = Self::default();
        let mut rest = body.get(FIXED..)?;
        // `nlattr`: its length with these four octets, and what it is.
        while let [a, b, c, d, ..] = *rest {
            let len = usize::from(u16::from_ne_bytes([a, b]));
            let value = rest.get(4..len)?;
            match u16::from_ne_bytes([c, d]) {
                NAME => found.name = value.strip_prefix(&[0])?,
                LENGTHS => {
                    let number =
                        |at: usize| value.get(at..).and_then(|rest| rest.first_chunk()).copied();
                    found.waiting = u32::from_ne_bytes(number(0)?);
                    found.backlog = u32::from_ne_bytes(number(4)?);
                }
                _ => {}
            }
            rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        }
        (!found.name.is_empty()).then_some(found)
    }
}

//! select, WSAPoll, __WSAFDIsSet.
#![allow(unsafe_code)]

use std::sync::Arc;
use std::time::Duration;

use linsock::iocp::clock::Deadline;
use linsock::poll::{self, Interest, Status};
use linsock::socket::Socket;

use crate::abi::{INVALID_SOCKET, SOCKET, SOCKET_ERROR, WSAPOLLFD};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;

const POLLRDNORM: i16 = 0x0100;
const POLLRDBAND: i16 = 0x0200;
const POLLWRNORM: i16 = 0x0010;
const POLLERR: i16 = 0x0001;
const POLLHUP: i16 = 0x0002;
const POLLNVAL: i16 = 0x0004;

/// Where the sockets of an `fd_set` begin, behind the 32-bit count and its padding.
const SET_HEADER: usize = 8;

/// The sockets in a set; none if there is no set.
fn members(set: *const u8) -> Outcome<Vec<SOCKET>> {
    if set.is_null() {
        return Ok(Vec::new());
    }
    let count: u32 = ptr::read(set.cast())?;
    ptr::read_all(set.wrapping_add(SET_HEADER).cast(), count as usize)
}

/// Leaves in a set the sockets that are ready.
fn keep(set: *mut u8, ready: &[SOCKET]) -> Outcome<()> {
    if set.is_null() {
        return Ok(());
    }
    ptr::write_all(set.wrapping_add(SET_HEADER).cast(), ready)?;
    ptr::write(set.cast(), u32::try_from(ready.len()).unwrap_or(0))
}

/// `timeval`: two 32-bit numbers on Windows.
pub(crate) fn timeout(at: *const i32) -> Outcome<Deadline> {
    if at.is_null() {
        return Ok(Deadline::Never);
    }
    let [seconds, micros]: [i32; 2] = ptr::read(at.cast())?;
    let seconds = u64::try_from(seconds).map_err(|_| Error::WSAEINVAL)?;
    // Too few microseconds are less than no time: nanomsg's nn_poll without a limit asks for -1000,
    // and its test of that passes on Windows.
    let micros = (seconds * 1_000_000).saturating_add_signed(micros.into());
    Ok(Deadline::after(Duration::from_micros(micros)))
}

/// What one of the three sets asks.
#[derive(Clone, Copy)]
struct Asked {
    interest: Interest,
    answers: fn(&Status) -> bool,
}

const READ: Asked = Asked {
    interest: Interest { read: true, write: false, urgent: false, hang_up: true },
    answers: |status| status.data || status.hung_up || status.failed || status.gone,
};
const WRITE: Asked = Asked {
    interest: Interest { read: false, write: true, urgent: false, hang_up: false },
    answers: |status| status.room,
};
const EXCEPT: Asked = Asked {
    interest: Interest { read: false, write: false, urgent: true, hang_up: false },
    answers: |status| status.connect_failed || status.urgent,
};

fn select_in(sets: [*mut u8; 3], deadline: Deadline) -> Outcome<i32> {
    let asked = [READ, WRITE, EXCEPT];
    let members = [members(sets[0])?, members(sets[1])?, members(sets[2])?];
    let mut polled: Vec<(Arc<Socket>, Interest)> = Vec::new();
    for (set, asked) in members.iter().zip(asked) {
        for value in set {
            polled.push((Socket::from_value(*value)?, asked.interest));
        }
    }
    if polled.is_empty() {
        return Err(Error::WSAEINVAL);
    }
    let answers = wait(&polled, asked, &members, deadline)?;
    let mut total = 0;
    for (set, ready) in sets.into_iter().zip(&answers) {
        keep(set, ready)?;
        total += ready.len();
    }
    Ok(i32::try_from(total).unwrap_or(i32::MAX))
}

/// Polls until one of the sets has an answer or the deadline passes. A hang-up does not answer who
/// asked only for room, but the kernel reports it all the same.
fn wait(
    polled: &[(Arc<Socket>, Interest)],
    asked: [Asked; 3],
    members: &[Vec<SOCKET>; 3],
    deadline: Deadline,
) -> Outcome<[Vec<SOCKET>; 3]> {
    loop {
        let statuses = poll::poll(polled, deadline);
        let mut next = statuses.iter();
        let answers = [0, 1, 2].map(|set| {
            let ready = |(value, status): (&SOCKET, &Status)| {
                (asked[set].answers)(status).then_some(*value)
            };
            members[set].iter().zip(next.by_ref()).filter_map(ready).collect::<Vec<_>>()
        });
        if answers.iter().any(|ready| !ready.is_empty()) || deadline.is_over() {
            return Ok(answers);
        }
        // Closed meanwhile and asked for nothing that a closed socket answers (test_select).
        if statuses.iter().any(|status| status.gone) {
            return Err(Error::WSAENOTSOCK);
        }
        poll::pause(polled, deadline);
    }
}

fn revents(status: &Status, wanted: i16) -> i16 {
    if status.gone {
        return POLLNVAL;
    }
    let mut revents = 0;
    if status.data {
        revents |= POLLRDNORM & wanted;
    }
    if status.room {
        revents |= POLLWRNORM & wanted;
    }
    if status.urgent {
        revents |= POLLRDBAND & wanted;
    }
    if status.hung_up || status.connect_failed {
        revents |= POLLHUP;
    }
    if status.failed || status.connect_failed {
        revents |= POLLERR;
    }
    revents
}

fn poll_all(at: *mut WSAPOLLFD, count: u32, timeout: i32) -> Outcome<i32> {
    if count == 0 {
        return Err(Error::WSAEINVAL);
    }
    let mut entries = ptr::read_all(at, count as usize)?;
    ptr::check_writable(at, entries.len())?;
    let allowed = POLLRDNORM | POLLRDBAND | POLLWRNORM;
    if entries.iter().any(|entry| entry.events & !allowed != 0) {
        return Err(Error::WSAEINVAL);
    }
    let sockets: Vec<_> = entries.iter().map(|entry| Socket::from_value(entry.fd).ok()).collect();
    let polled: Vec<_> = sockets
        .iter()
        .zip(&entries)
        .filter_map(|(socket, entry)| {
            let interest = Interest {
                read: entry.events & POLLRDNORM != 0,
                write: entry.events & POLLWRNORM != 0,
                urgent: entry.events & POLLRDBAND != 0,
                // POLLHUP cannot be asked for and is told (WSAPoll page).
                hang_up: true,
            };
            Some((Arc::clone(socket.as_ref()?), interest))
        })
        .collect();
    let deadline = u32::try_from(timeout).map_or(Deadline::Never, Deadline::after_ms);
    let mut statuses = poll::poll(&polled, deadline).into_iter();
    let mut ready = 0;
    for (entry, socket) in entries.iter_mut().zip(&sockets) {
        entry.revents = match socket.as_ref().and_then(|_| statuses.next()) {
            Some(status) => revents(&status, entry.events),
            None => POLLNVAL,
        };
        // test_WSAPoll: a closed socket counts, the handle that never is one does not.
        ready += i32::from(entry.revents != 0 && entry.fd != INVALID_SOCKET);
    }
    ptr::write_all(at, &entries)?;
    Ok(ready)
}

// SAFETY: three integers, valid whatever their octets.
unsafe impl ptr::Plain for WSAPOLLFD {}

export! {
    /// Waits until sockets are ready; leaves in the sets those that are. Runs APCs while it waits.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-select>
    ///
    /// Errors: WSAENOTSOCK (the sets unchanged), WSAEFAULT, WSAEINVAL (no socket, negative time).
    winsock fn select as "WS_select"(_nfds: i32, read: *mut u8, write: *mut u8, except: *mut u8, time: *const i32) -> i32, fail SOCKET_ERROR; {
        select_in([read, write, except], timeout(time)?)
    }

    /// Waits until sockets are ready. Runs APCs while it waits.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsapoll>
    ///
    /// Errors: WSAEINVAL (no entries, or events that cannot be asked for), WSAEFAULT.
    winsock fn WSAPoll(entries: *mut WSAPOLLFD, count: u32, timeout: i32) -> i32, fail SOCKET_ERROR; {
        poll_all(entries, count, timeout)
    }

    /// Whether a socket is in a set: what FD_ISSET calls.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-__wsafdisset>
    fn __WSAFDIsSet(s: SOCKET, set: *const u8) -> i32, fail 0; {
        Ok(i32::from(members(set)?.contains(&s)))
    }
}

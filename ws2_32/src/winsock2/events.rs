//! WSAEventSelect and WSAEnumNetworkEvents.
#![allow(unsafe_code)]

use std::sync::Arc;

use linsock::afd::network_events::{NetworkEvent, Taken};
use linsock::iocp::event::Event;
use linsock::socket::Socket;

use crate::abi::{HANDLE, SOCKET, SOCKET_ERROR};
use crate::export::{Outcome, export};
use crate::kernel32::object;
use crate::last_error::Error;
use crate::ptr;

/// FD_MAX_EVENTS.
const EVENTS: usize = 10;
/// FD_ALL_EVENTS: the four that never happen to a socket here are taken and not told.
const ALL_EVENTS: u32 = (1 << EVENTS) - 1;

/// WSANETWORKEVENTS: a mask, and an error code for each of its bits.
const MASK_AT: usize = 0;
const CODES_AT: usize = 4;
const SIZE: usize = CODES_AT + 4 * EVENTS;

/// The event object behind a handle, where one is needed.
fn event_if(is_needed: bool, handle: HANDLE) -> Outcome<Option<Arc<Event>>> {
    if !is_needed {
        return Ok(None);
    }
    object::event(handle).map(Some).ok_or(Error::WSAEINVAL)
}

/// Writes what was taken: codes for the reported bits only (`test_close_events`).
fn write_taken(at: *mut u8, taken: Taken) -> Outcome<()> {
    for (bit, event) in NetworkEvent::ALL.into_iter().enumerate() {
        if taken.events & event.mask() != 0 {
            let code = taken.status(event).wsa();
            ptr::write(at.wrapping_add(CODES_AT + 4 * bit).cast::<u32>(), code)?;
        }
    }
    ptr::write(at.wrapping_add(MASK_AT).cast::<u32>(), taken.events)
}

export! {
    /// Ties network events of a socket to an event object, which is set when one of them happens or
    /// has happened. The socket becomes non-blocking. A mask of 0 unties them.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaeventselect>
    ///
    /// Errors, in order: WSAENOTSOCK; WSAEINVAL (no event object for a mask that is not 0, or an
    /// unknown bit).
    winsock fn WSAEventSelect(s: SOCKET, event: HANDLE, events: i32) -> i32, fail SOCKET_ERROR; {
        let socket = Socket::from_value(s)?;
        let mask = events.cast_unsigned();
        if mask & !ALL_EVENTS != 0 {
            return Err(Error::WSAEINVAL);
        }
        let event = event_if(mask != 0, event)?;
        socket.event_select(event, mask)?;
        Ok(0)
    }

    /// Tells which of the selected network events have happened since the last call, and clears
    /// them and, in the same step, the event object if it is given.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaenumnetworkevents>
    ///
    /// Errors, in order: WSAENOTSOCK; WSAEFAULT (nothing is cleared then); WSAEINVAL (not an event
    /// object).
    winsock fn WSAEnumNetworkEvents(s: SOCKET, event: HANDLE, events: *mut u8) -> i32, fail SOCKET_ERROR; {
        let socket = Socket::from_value(s)?;
        ptr::check_writable(events, SIZE)?;
        let event = event_if(event != 0, event)?;
        match socket.take_network_events(event.as_deref())? {
            Some(taken) => write_taken(events, taken)?,
            None => ptr::write(events.wrapping_add(MASK_AT).cast::<u32>(), 0)?,
        }
        Ok(0)
    }
}

//! ProcessSocketNotifications: the readiness of sockets, told by a completion port.
#![allow(unsafe_code, reason = "a structure of the caller's; the export")]

use std::sync::Arc;

use linsock::iocp::port::CompletionPort;
use linsock::socket::{Events, Lifetime, Socket, Trigger, Wish};
use linsock::startup;

use crate::abi::{HANDLE, OVERLAPPED_ENTRY, SOCKET};
use crate::export::{Outcome, export};
use crate::kernel32::io;
use crate::last_error::Error;
use crate::ptr::{self, Out, OutMany, Plain};

const OP_NONE: u8 = 0;
const OP_ENABLE: u8 = 1;
const OP_DISABLE: u8 = 2;
const OP_REMOVE: u8 = 4;

const ONESHOT: u8 = 1;
const PERSISTENT: u8 = 2;
const LEVEL: u8 = 4;
const EDGE: u8 = 8;

/// One registration, and what became of it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SOCK_NOTIFY_REGISTRATION {
    /// The socket.
    pub socket: SOCKET,
    /// The key of its packets.
    pub completionKey: usize,
    /// `SOCK_NOTIFY_REGISTER_EVENT_*`.
    pub eventFilter: u16,
    /// `SOCK_NOTIFY_OP_*`.
    pub operation: u8,
    /// `SOCK_NOTIFY_TRIGGER_*`.
    pub triggerFlags: u8,
    /// 0, or why it was refused.
    pub registrationResult: u32,
}

// SAFETY: integers are valid whatever their octets.
unsafe impl Plain for SOCK_NOTIFY_REGISTRATION {}

/// The two choices of the trigger flags; each has to be made.
fn trigger(flags: u8) -> Option<(Lifetime, Trigger)> {
    let lifetime = match flags & (ONESHOT | PERSISTENT) {
        ONESHOT => Lifetime::OneShot,
        PERSISTENT => Lifetime::Persistent,
        _ => return None,
    };
    let trigger = match flags & !(ONESHOT | PERSISTENT) {
        LEVEL => Trigger::Level,
        EDGE => Trigger::Edge,
        _ => return None,
    };
    Some((lifetime, trigger))
}

/// What an entry asks for.
fn wish(asked: &SOCK_NOTIFY_REGISTRATION) -> Outcome<Wish> {
    let filter = Events::from_filter(asked.eventFilter).ok_or(Error::WSAEINVAL)?;
    let (lifetime, trigger) = trigger(asked.triggerFlags).ok_or(Error::WSAEINVAL)?;
    Ok(Wish { key: asked.completionKey, filter, trigger, lifetime })
}

fn register(port: &Arc<CompletionPort>, asked: &SOCK_NOTIFY_REGISTRATION) -> Outcome<()> {
    let socket = Socket::from_value(asked.socket)?;
    match asked.operation {
        OP_NONE => Ok(()),
        OP_ENABLE => Ok(socket.enable_notifications(port, wish(asked)?)?),
        OP_DISABLE => Ok(socket.disable_notifications(port)?),
        OP_REMOVE => Ok(socket.remove_notifications(port)?),
        _ => Err(Error::WSAEINVAL),
    }
}

/// Performs the registrations one by one; each entry says how it went.
fn register_all(
    port: &Arc<CompletionPort>,
    entries: *mut SOCK_NOTIFY_REGISTRATION,
    count: usize,
) -> Outcome<()> {
    ptr::check_writable(entries, count)?;
    for at in (0..count).map(|n| entries.wrapping_add(n)) {
        let mut entry = ptr::read(at)?;
        entry.registrationResult = register(port, &entry).map_or_else(|error| error.0, |()| 0);
        ptr::write(at, entry)?;
    }
    Ok(())
}

export! {
    /// Registers sockets for notifications of their readiness, and takes packets of the port.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-processsocketnotifications>
    ///
    /// Blocks up to `timeoutMs` for the first packet, if `completionCount` asks for any. A packet
    /// has the registration's key, no OVERLAPPED, and the events as its number of octets
    /// (`SocketNotificationRetrieveEvents`); every way to take packets gives it.
    ///
    /// # Errors
    /// Returned: WSANOTINITIALISED; WSAEINVAL (neither registrations nor packets are asked for, or
    /// packets without room or a place for their number); WSAEFAULT; ERROR_INVALID_HANDLE;
    /// WAIT_TIMEOUT; ERROR_ABANDONED_WAIT_0. In `registrationResult`: WSAENOTSOCK; WSAEINVAL (not
    /// one operation, an unknown event, not one of each pair of trigger flags, not registered, or
    /// with another port).
    ///
    /// # Differs from Windows
    /// A lasting condition of a level trigger is told again when a thread next waits at the port,
    /// not to those that wait already. Closing a socket ends its registration without a packet; the
    /// page leaves that open.
    fn ProcessSocketNotifications(
        completionPort: HANDLE,
        registrationCount: u32,
        registrationInfos: *mut SOCK_NOTIFY_REGISTRATION,
        timeoutMs: u32,
        completionCount: u32,
        completionPortEntries: *mut OVERLAPPED_ENTRY,
        receivedEntryCount: *mut u32,
    ) -> u32, fail Error::WSASYSCALLFAILURE.0; {
        let process = || {
            if !startup::is_started() {
                return Err(Error::WSANOTINITIALISED);
            }
            let takes = completionCount != 0;
            let has_room = !completionPortEntries.is_null() && !receivedEntryCount.is_null();
            if takes && !has_room || !takes && registrationCount == 0 {
                return Err(Error::WSAEINVAL);
            }
            let port = io::find_port(completionPort)?;
            let room = || OutMany::new(completionPortEntries, completionCount as usize);
            let places = if takes { Some((room()?, Out::new(receivedEntryCount)?)) } else { None };
            if let Some((_, received)) = &places {
                received.put(0);
            }
            register_all(&port, registrationInfos, registrationCount as usize)?;
            if let Some((room, received)) = &places {
                received.put(io::next_packets(completionPort, room, timeoutMs, false)?);
            }
            Ok(())
        };
        Ok(process().map_or_else(|error: Error| error.0, |()| 0))
    }
}

//! GetAddrInfoEx: as getaddrinfo, within a time, and overlapped.

use std::sync::Arc;

use linsock::iocp::clock::Deadline;
use linsock::iocp::event::Event;
use linsock::iocp::overlapped::Overlapped;
use linsock::iocp::sync::Lock;
use linsock::iocp::wait::{self, Which};

use super::query::{self, Query, Routine};
use super::resolve::{ADDRINFO, Element, Lookup, free_list};
use super::{check_started, returned, workers};
use crate::abi::{GUID, HANDLE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;
use crate::wide::Unit;
use crate::winsock2::poll::timeout;

/// An address that a name has, or what kind is wanted, with what name services add to it: nothing
/// here.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ADDRINFOEX<U> {
    /// AI_*.
    pub ai_flags: i32,
    /// AF_*.
    pub ai_family: i32,
    /// SOCK_*.
    pub ai_socktype: i32,
    /// IPPROTO_*.
    pub ai_protocol: i32,
    /// Octets of the address.
    pub ai_addrlen: usize,
    /// The host's canonical name, in the first element if it was wanted.
    pub ai_canonname: *mut U,
    /// The address.
    pub ai_addr: *mut u8,
    /// What the name service knows beside.
    pub ai_blob: *mut u8,
    /// Its octets.
    pub ai_bloblen: usize,
    /// The name service that answered.
    pub ai_provider: *mut GUID,
    /// The next element.
    pub ai_next: *mut Self,
}

/// What GetAddrInfoExA gives.
pub type ADDRINFOEXA = ADDRINFOEX<u8>;
/// What GetAddrInfoExW gives.
pub type ADDRINFOEXW = ADDRINFOEX<u16>;

const _: () = assert!(size_of::<ADDRINFOEXA>() == 72 && size_of::<ADDRINFOEXW>() == 72);

impl<U: Unit> Element for ADDRINFOEX<U> {
    type Unit = U;
    const NEXT_AT: usize = std::mem::offset_of!(Self, ai_next);

    fn of(info: ADDRINFO<U>, next: *mut Self) -> Self {
        Self {
            ai_flags: info.ai_flags,
            ai_family: info.ai_family,
            ai_socktype: info.ai_socktype,
            ai_protocol: info.ai_protocol,
            ai_addrlen: info.ai_addrlen,
            ai_canonname: info.ai_canonname,
            ai_addr: info.ai_addr,
            ai_blob: std::ptr::null_mut(),
            ai_bloblen: 0,
            ai_provider: std::ptr::null_mut(),
            ai_next: next,
        }
    }
}

/// All name spaces, and the one of the internet.
const NS_ALL: u32 = 0;
const NS_DNS: u32 = 12;

const WSASERVICE_NOT_FOUND: Error = Error(10108);
const WSAETIMEDOUT: Error = Error(10060);

/// The C library decides which sources of names there are (nsswitch.conf); for the program they are
/// the domain name system.
fn check_name_space(name_space: u32, provider: *const GUID) -> Outcome<()> {
    let is_known = matches!(name_space, NS_ALL | NS_DNS) && provider.is_null();
    if is_known { Ok(()) } else { Err(WSASERVICE_NOT_FOUND) }
}

/// The checks of both forms, and the question.
fn read<E: Element>(
    (node, service): (*const E::Unit, *const E::Unit),
    (name_space, provider): (u32, *const GUID),
    hints: *const E,
    result: *mut *mut E,
) -> Outcome<Lookup> {
    check_started()?;
    ptr::write(result, std::ptr::null_mut())?;
    check_name_space(name_space, provider)?;
    Lookup::read(node, service, hints)
}

/// Asks, and waits for the answer until the deadline. The resolver cannot be interrupted: its late
/// answer goes nowhere.
fn ask_within<R: Send + 'static>(
    deadline: Deadline,
    ask: impl FnOnce() -> Outcome<R> + Send + 'static,
) -> Outcome<R> {
    if matches!(deadline, Deadline::Never) {
        return ask();
    }
    let answer = Arc::new((Event::new(true, false), Lock::new(None)));
    let shared = Arc::clone(&answer);
    let keep = move || {
        let found = ask();
        *shared.1.lock() = Some(found);
        shared.0.set();
    };
    workers::hand_over(keep).map_err(workers::no_thread)?;
    wait::wait(&[&answer.0], Which::Any, deadline, false);
    let found = answer.1.lock().take();
    found.unwrap_or(Err(WSAETIMEDOUT))
}

export! {
    /// Gives the addresses of a host name and the port of a service, in UTF-16, at once or
    /// overlapped.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-getaddrinfoexw>
    ///
    /// Without an OVERLAPPED it blocks for the resolver, or until the timeout; not alertable. With
    /// one it returns WSA_IO_PENDING, and a thread of the library's asks; at the end the result is
    /// at `ppResult`, which the OVERLAPPED's Pointer names, GetAddrInfoExOverlappedResult tells
    /// how it went, and the event is set or the routine called, on a thread of the library's.
    ///
    /// # Errors
    /// Returned, and set as the last error, as GetAddrInfoW; WSASERVICE_NOT_FOUND for a name space
    /// other than NS_ALL and NS_DNS or a provider, WSAEINVAL for a bad timeout or a routine without
    /// an OVERLAPPED, WSAETIMEDOUT, WSA_INVALID_HANDLE for an `hEvent` that is no event.
    ///
    /// # Differs from Windows
    /// As GetAddrInfoW. The name spaces are NS_ALL and NS_DNS; there are no providers to choose
    /// from. An overlapped question never ends within the call.
    fn GetAddrInfoExW(
        pName: *const u16,
        pServiceName: *const u16,
        dwNameSpace: u32,
        lpNspId: *const GUID,
        hints: *const ADDRINFOEXW,
        ppResult: *mut *mut ADDRINFOEXW,
        limit: *const i32,
        lpOverlapped: *mut Overlapped,
        lpCompletionRoutine: Option<Routine>,
        lpHandle: *mut HANDLE,
    ) -> i32, fail Error::WSASYSCALLFAILURE.0.cast_signed(); {
        let start = || {
            let lookup = read((pName, pServiceName), (dwNameSpace, lpNspId), hints, ppResult)?;
            let deadline = timeout(limit)?;
            if !lpOverlapped.is_null() {
                let told = (lpOverlapped, lpCompletionRoutine);
                let ask = move || lookup.ask();
                return Query::start(ask, deadline, ppResult, told, lpHandle);
            }
            if lpCompletionRoutine.is_some() {
                return Err(Error::WSAEINVAL);
            }
            ask_within(deadline, move || lookup.ask())?.give(ppResult)
        };
        returned(start())
    }

    /// As GetAddrInfoExW, and never overlapped. Blocks for the resolver; not alertable.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-getaddrinfoexa>
    ///
    /// # Errors
    /// As GetAddrInfoExW; WSAEINVAL for any of the last four arguments, which are reserved.
    ///
    /// # Differs from Windows
    /// As GetAddrInfoExW.
    fn GetAddrInfoExA(
        pName: *const u8,
        pServiceName: *const u8,
        dwNameSpace: u32,
        lpNspId: *const GUID,
        hints: *const ADDRINFOEXA,
        ppResult: *mut *mut ADDRINFOEXA,
        limit: *const i32,
        lpOverlapped: *mut Overlapped,
        lpCompletionRoutine: Option<Routine>,
        lpNameHandle: *mut HANDLE,
    ) -> i32, fail Error::WSASYSCALLFAILURE.0.cast_signed(); {
        let answer = || {
            let lookup = read((pName, pServiceName), (dwNameSpace, lpNspId), hints, ppResult)?;
            let is_plain = limit.is_null() && lpOverlapped.is_null() && lpNameHandle.is_null();
            if !is_plain || lpCompletionRoutine.is_some() {
                return Err(Error::WSAEINVAL);
            }
            lookup.ask()?.give(ppResult)
        };
        returned(answer())
    }

    /// Frees what GetAddrInfoExW gave. What it did not give is left alone.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-freeaddrinfoexw>
    fn FreeAddrInfoExW(pAddrInfoEx: *mut ADDRINFOEXW) -> (), fail (); {
        free_list(pAddrInfoEx);
        Ok(())
    }

    /// Frees what GetAddrInfoExA gave. What it did not give is left alone.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-freeaddrinfoex>
    fn FreeAddrInfoEx(pAddrInfoEx: *mut ADDRINFOEXA) -> (), fail (); {
        free_list(pAddrInfoEx);
        Ok(())
    }

    /// Ends an overlapped GetAddrInfoExW with WSA_E_CANCELLED.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-getaddrinfoexcancel>
    ///
    /// Does not block; the routine is called on a thread of the library's.
    ///
    /// # Errors
    /// Returned, and set as the last error: WSA_INVALID_HANDLE for a question that is over or never
    /// was, WSAEFAULT, WSA_NOT_ENOUGH_MEMORY.
    fn GetAddrInfoExCancel(lpHandle: *mut HANDLE) -> i32, fail Error::WSASYSCALLFAILURE.0.cast_signed(); {
        returned(ptr::read(lpHandle).and_then(query::cancel))
    }

    /// Tells how an overlapped GetAddrInfoExW went.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-getaddrinfoexoverlappedresult>
    ///
    /// # Errors
    /// Returned, and set as the last error: WSAEINPROGRESS while it goes on, WSAEINVAL for no
    /// OVERLAPPED, WSAEFAULT for a bad one, and what the question ended with.
    fn GetAddrInfoExOverlappedResult(lpOverlapped: *mut Overlapped) -> i32, fail Error::WSASYSCALLFAILURE.0.cast_signed(); {
        returned(query::result(lpOverlapped))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn an_answer_in_time_counts_and_a_late_one_does_not() {
        assert_eq!(ask_within(Deadline::after_ms(600_000), || Ok(7)), Ok(7));
        assert_eq!(ask_within(Deadline::Never, || Ok(7)), Ok(7));
        let refused = || Err::<u8, _>(Error::WSAEINVAL);
        assert_eq!(ask_within(Deadline::after_ms(600_000), refused), Err(Error::WSAEINVAL));
        let (answer, ask) = channel::<u8>();
        let late = move || Ok(ask.recv().unwrap_or(0));
        assert_eq!(ask_within(Deadline::after_ms(30), late), Err(WSAETIMEDOUT));
        drop(answer);
    }
}

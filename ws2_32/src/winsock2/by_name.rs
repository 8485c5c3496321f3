//! WSAConnectByName and WSAConnectByList: connect to whichever of several addresses answers first
//! in turn.

use linsock::NtStatus;
use linsock::afd::address::{self, Address, Domain, Family};
use linsock::iocp::clock::Deadline;
use linsock::option;
use linsock::socket::Socket;

use crate::abi::{BOOL, FALSE, SOCKET, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr::{self, Out};
use crate::wide::Unit;
use crate::winsock2::poll::timeout;
use crate::winsock2::{read_address, write_address};
use crate::ws2tcpip;

const IPPROTO_IPV6: i32 = 41;
const IPV6_V6ONLY: i32 = 27;

/// An entry of a SOCKET_ADDRESS_LIST: the address, and its length in the low half.
const ENTRY: usize = 16;
/// The first entry stands behind the count.
const ENTRIES_AT: usize = 8;

/// Where the program wants an address written: checked before anything is connected, because
/// afterwards it is too late to refuse.
struct Wanted(Option<(*mut u8, *mut i32)>);

impl Wanted {
    /// A null address is not wanted, and its length not looked at.
    fn new(at: *mut u8, len: *mut u32, domain: Domain) -> Outcome<Self> {
        if at.is_null() {
            return Ok(Self(None));
        }
        let room = Out::new(len)?.get();
        let needed = domain.address_len();
        if usize::try_from(room).unwrap_or(usize::MAX) < needed {
            return Err(Error::WSAEFAULT);
        }
        ptr::check_writable(at, needed)?;
        Ok(Self(Some((at, len.cast()))))
    }

    fn fill(self, address: Result<Address, NtStatus>) -> Outcome<()> {
        match self.0 {
            Some((at, len)) => write_address(&address?, at, len),
            None => Ok(()),
        }
    }
}

/// What both functions take beside the addresses.
struct Call {
    local: Wanted,
    remote: Wanted,
    deadline: Deadline,
}

impl Call {
    fn read(
        domain: Domain,
        (local, local_len): (*mut u8, *mut u32),
        (remote, remote_len): (*mut u8, *mut u32),
        limit: *const i32,
        reserved: *const u8,
    ) -> Outcome<Self> {
        if !reserved.is_null() {
            return Err(Error::WSAEINVAL);
        }
        Ok(Self {
            local: Wanted::new(local, local_len, domain)?,
            remote: Wanted::new(remote, remote_len, domain)?,
            deadline: timeout(limit)?,
        })
    }

    /// Tries one address after the other; the error is that of the last.
    fn connect(self, socket: &Socket, addresses: &[Address]) -> Outcome<BOOL> {
        let mut failed = Error::WSAEINVAL;
        for to in addresses {
            match socket.connect_waiting(to, self.deadline) {
                Ok(()) => {
                    self.local.fill(socket.local_address())?;
                    self.remote.fill(socket.peer_address())?;
                    return Ok(TRUE);
                }
                Err(status) => failed = status.into(),
            }
            if self.deadline.is_over() {
                break;
            }
        }
        Err(failed)
    }
}

/// The family of a stream socket of the internet.
fn family_of(socket: &Socket) -> Outcome<Family> {
    match socket.domain() {
        Domain::Ip(family) if !socket.is_datagram() => Ok(family),
        _ => Err(Error::WSAEOPNOTSUPP),
    }
}

/// Whether the socket takes IPv4 addresses too, mapped to IPv6.
fn is_dual(socket: &Socket, family: Family) -> bool {
    let only = || option::get(socket, IPPROTO_IPV6, IPV6_V6ONLY).ok()?.octets(4);
    family == Family::Inet6 && only().is_some_and(|only| only.iter().all(|octet| *octet == 0))
}

fn by_name<U: Unit>(
    s: SOCKET,
    names: (*const U, *const U),
    local: (*mut u8, *mut u32),
    remote: (*mut u8, *mut u32),
    (limit, reserved): (*const i32, *const u8),
) -> Outcome<BOOL> {
    let socket = Socket::from_value(s)?;
    let family = family_of(&socket)?;
    let call = Call::read(socket.domain(), local, remote, limit, reserved)?;
    let found = ws2tcpip::connectable(names, family, is_dual(&socket, family))?;
    let parsed = found.iter().map(|octets| address::parse(family, octets).map(Address::Ip));
    let addresses: Result<Vec<_>, _> = parsed.collect();
    call.connect(&socket, &addresses.map_err(|_| Error::WSAEAFNOSUPPORT)?)
}

/// Reads a SOCKET_ADDRESS_LIST; every address has to be the socket's kind before one is tried.
fn read_list(domain: Domain, list: *const u8) -> Outcome<Vec<Address>> {
    let count = usize::try_from(ptr::read(list.cast::<i32>())?).unwrap_or(0);
    if count == 0 {
        return Err(Error::WSAEINVAL);
    }
    let entries = list.wrapping_add(ENTRIES_AT);
    ptr::check_readable(entries.cast::<[u8; ENTRY]>(), count)?;
    (0..count)
        .map(|n| {
            let entry = entries.wrapping_add(n * ENTRY);
            let at = ptr::read(entry.cast::<*mut u8>())?;
            let len = ptr::read(entry.wrapping_add(size_of::<usize>()).cast::<i32>())?;
            read_address(domain, at, len)
        })
        .collect()
}

export! {
    /// Connects a stream socket to a service of a host: to the first of its addresses that answers,
    /// one after the other. Blocks, also in non-blocking mode; not alertable.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaconnectbynamea>
    ///
    /// An IPv6 socket without IPV6_V6ONLY takes IPv4 addresses too, in mapped form. Both addresses
    /// may be null; the timeout may be, and then only the system's own limit holds. It does not
    /// hold for the resolver.
    ///
    /// # Errors
    /// FALSE with WSANOTINITIALISED, WSAENOTSOCK, WSAEOPNOTSUPP (no stream socket of the internet),
    /// WSAEINVAL (no name, no service, a reserved argument, a bad timeout), WSAEFAULT (also for
    /// too little room for an address; nothing is connected), WSAETIMEDOUT, the resolver's as
    /// getaddrinfo, and those of connect, of the last address that was tried.
    winsock fn WSAConnectByNameA(
        s: SOCKET,
        nodename: *const u8,
        servicename: *const u8,
        LocalAddressLength: *mut u32,
        LocalAddress: *mut u8,
        RemoteAddressLength: *mut u32,
        RemoteAddress: *mut u8,
        timeout: *const i32,
        Reserved: *const u8,
    ) -> BOOL, fail FALSE; {
        let (local, remote) =
            ((LocalAddress, LocalAddressLength), (RemoteAddress, RemoteAddressLength));
        by_name(s, (nodename, servicename), local, remote, (timeout, Reserved))
    }

    /// As WSAConnectByNameA, with names in UTF-16. Blocks.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaconnectbynamew>
    ///
    /// # Errors
    /// As WSAConnectByNameA.
    winsock fn WSAConnectByNameW(
        s: SOCKET,
        nodename: *const u16,
        servicename: *const u16,
        LocalAddressLength: *mut u32,
        LocalAddress: *mut u8,
        RemoteAddressLength: *mut u32,
        RemoteAddress: *mut u8,
        timeout: *const i32,
        Reserved: *const u8,
    ) -> BOOL, fail FALSE; {
        let (local, remote) =
            ((LocalAddress, LocalAddressLength), (RemoteAddress, RemoteAddressLength));
        by_name(s, (nodename, servicename), local, remote, (timeout, Reserved))
    }

    /// Connects a stream socket to the first address of a list that answers, one after the other.
    /// Blocks, also in non-blocking mode; not alertable.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaconnectbylist>
    ///
    /// All addresses are of the socket's family: IPv4 ones for an IPv6 socket in mapped form.
    ///
    /// # Errors
    /// As WSAConnectByNameA, without the resolver's; WSAEINVAL for an empty list, WSAEAFNOSUPPORT
    /// for an address of another family: then none is tried.
    winsock fn WSAConnectByList(
        s: SOCKET,
        SocketAddress: *const u8,
        LocalAddressLength: *mut u32,
        LocalAddress: *mut u8,
        RemoteAddressLength: *mut u32,
        RemoteAddress: *mut u8,
        timeout: *const i32,
        Reserved: *const u8,
    ) -> BOOL, fail FALSE; {
        let socket = Socket::from_value(s)?;
        family_of(&socket)?;
        let (local, remote) =
            ((LocalAddress, LocalAddressLength), (RemoteAddress, RemoteAddressLength));
        let call = Call::read(socket.domain(), local, remote, timeout, Reserved)?;
        call.connect(&socket, &read_list(socket.domain(), SocketAddress)?)
    }
}

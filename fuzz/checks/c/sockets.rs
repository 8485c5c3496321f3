//! Calls with good arguments: what sets a run up, looks after it and ends it.

use std::path::PathBuf;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use linsock::afd::address::{Address, TransportAddress, UnixPath};
use linsock_c::abi::{INVALID_SOCKET, SOCKET, WSADATA, WSAPOLLFD};
use linsock_c::winsock2::connection::{
    accept, bind, closesocket, connect, getsockname, listen, socket,
};
use linsock_c::winsock2::option::{ioctlsocket, setsockopt};
use linsock_c::winsock2::poll::WSAPoll;
use linsock_c::winsock2::startup::{WSAGetLastError, WSASetLastError, WSAStartup};
use linsock_c::winsock2::transfer::{recv, send};

/// Calls an exported function.
macro_rules! call {
    ($function:ident($($argument:expr),* $(,)?)) => {{
        // SAFETY: pointers lead to memory that stays until the run is over, or to where nothing
        // is, which is what the exports have to answer with an error.
        unsafe { $function($($argument),*) }
    }};
}
pub(crate) use call;

pub(crate) const POLLRDNORM: i16 = 0x0100;
pub(crate) const POLLWRNORM: i16 = 0x0010;
const FIONBIO: i32 = 0x8004_667E_u32.cast_signed();
pub(crate) const SOL_SOCKET: i32 = 0xFFFF;
pub(crate) const SO_LINGER: i32 = 0x0080;

pub(crate) const IO_PENDING: u32 = 997;
/// What a panic inside an exported function becomes.
const WSASYSCALLFAILURE: u32 = 10107;

/// Longer than anything takes that is not stuck.
pub(crate) const LONG: Duration = Duration::from_secs(5);

/// A kind of socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    Tcp,
    Udp,
    Tcp6,
    Udp6,
    Unix,
    Iso,
    IsoClass0,
}

pub(crate) const FLAVOURS: [Flavour; 7] = [
    Flavour::Tcp,
    Flavour::Udp,
    Flavour::Tcp6,
    Flavour::Udp6,
    Flavour::Unix,
    Flavour::Iso,
    Flavour::IsoClass0,
];

impl Flavour {
    /// Address family, type and protocol.
    pub(crate) const fn numbers(self) -> [i32; 3] {
        match self {
            Self::Tcp => [2, 1, 6],
            Self::Udp => [2, 2, 17],
            Self::Tcp6 => [23, 1, 6],
            Self::Udp6 => [23, 2, 17],
            Self::Unix => [1, 1, 0],
            Self::Iso => [7, 5, 27],
            Self::IsoClass0 => [7, 5, 25],
        }
    }

    pub(crate) const fn is_datagram(self) -> bool {
        matches!(self, Self::Udp | Self::Udp6)
    }

    pub(crate) const fn is_unix(self) -> bool {
        matches!(self, Self::Unix)
    }

    /// A local address that the kernel completes, as octets.
    pub(crate) fn loopback(self) -> Vec<u8> {
        let host = |text: &str| text.parse().expect("an address");
        let address = match self {
            Self::Tcp | Self::Udp => Address::Ip(host("127.0.0.1:0")),
            Self::Tcp6 | Self::Udp6 => Address::Ip(host("[::1]:0")),
            Self::Iso | Self::IsoClass0 => {
                let at = TransportAddress::new(host("127.0.0.1:0"), b"there");
                Address::from(at.expect("a short selector"))
            }
            Self::Unix => {
                let path = new_path().into_os_string().into_encoded_bytes();
                Address::Unix(UnixPath::new(&path).expect("a short path"))
            }
        };
        address.with_octets(<[u8]>::to_vec)
    }
}

/// Winsock is started once, and stays so.
pub(crate) fn startup() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let mut data = std::mem::MaybeUninit::<WSADATA>::uninit();
        assert_eq!(call!(WSAStartup(0x0202, data.as_mut_ptr())), 0);
    });
}

/// A directory of this process's, for the files of Unix sockets.
pub(crate) fn directory() -> PathBuf {
    std::env::temp_dir().join(format!("linsock-fuzz-{}", std::process::id()))
}

fn new_path() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Whether it can be made is what bind will tell.
    let _ = std::fs::create_dir_all(directory());
    directory().join(NEXT.fetch_add(1, Ordering::Relaxed).to_string())
}

/// Removes the files of Unix sockets.
pub(crate) fn remove_paths() {
    let _ = std::fs::remove_dir_all(directory());
}

/// The last error becomes one that no call sets.
pub(crate) fn forget_error() {
    call!(WSASetLastError(0));
}

/// Why a call has failed. It says so, and it was no panic.
pub(crate) fn error() -> u32 {
    let error = call!(WSAGetLastError()).cast_unsigned();
    assert_ne!(error, WSASYSCALLFAILURE, "a panic inside the call");
    assert_ne!(error, 0, "a call failed and does not say why");
    error
}

pub(crate) fn set_nonblocking(s: SOCKET) {
    let mut on = 1_u32;
    assert_eq!(call!(ioctlsocket(s, FIONBIO, &raw mut on)), 0);
}

/// SO_LINGER: off, or on with 0 seconds, so that a close resets the connection.
pub(crate) fn set_linger(s: SOCKET, resets: bool) {
    let value = [u8::from(resets), 0, 0, 0];
    // A datagram socket has no such option.
    call!(setsockopt(s, SOL_SOCKET, SO_LINGER, value.as_ptr(), 4));
}

/// SO_SNDBUF and SO_RCVBUF: so little room that sends wait, and so much that what was sent does not
/// take the kernel seconds.
pub(crate) fn shrink(s: SOCKET) {
    let least = 32_768_u32.to_ne_bytes();
    for name in [0x1001, 0x1002] {
        call!(setsockopt(s, SOL_SOCKET, name, least.as_ptr(), 4));
    }
}

/// A non-blocking socket.
pub(crate) fn open(flavour: Flavour) -> Option<SOCKET> {
    let [family, socket_type, protocol] = flavour.numbers();
    let s = call!(socket(family, socket_type, protocol));
    if s == INVALID_SOCKET {
        return None;
    }
    set_nonblocking(s);
    Some(s)
}

/// Closes a socket at once and leaves nothing behind.
pub(crate) fn close(s: SOCKET) {
    set_linger(s, true);
    assert_eq!(call!(closesocket(s)), 0, "an open socket is closed");
}

/// getsockname.
pub(crate) fn name_of(s: SOCKET) -> Option<Vec<u8>> {
    let mut name = [0; 128];
    let mut len = 128;
    let got = call!(getsockname(s, name.as_mut_ptr(), &raw mut len));
    (got == 0).then(|| name[..usize::try_from(len).unwrap_or(0)].to_vec())
}

pub(crate) fn len_of(octets: &[u8]) -> i32 {
    i32::try_from(octets.len()).unwrap_or(i32::MAX)
}

pub(crate) fn bind_to(s: SOCKET, address: &[u8]) -> bool {
    call!(bind(s, address.as_ptr(), len_of(address))) == 0
}

/// Starts to connect.
pub(crate) fn connect_to(s: SOCKET, address: &[u8]) {
    call!(connect(s, address.as_ptr(), len_of(address)));
}

pub(crate) fn accept_from(listener: SOCKET) -> Option<SOCKET> {
    let s = call!(accept(listener, std::ptr::null_mut(), std::ptr::null_mut()));
    (s != INVALID_SOCKET).then_some(s)
}

/// Whether the socket has one of the events within `ms`.
pub(crate) fn wait_for(s: SOCKET, events: i16, ms: i32) -> bool {
    let mut entry = WSAPOLLFD { fd: s, events, revents: 0 };
    call!(WSAPoll(&raw mut entry, 1, ms)) == 1
}

/// Repeats until there is a result, for as long as nothing takes.
pub(crate) fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if begin.elapsed() > LONG {
            return None;
        }
    }
}

/// A listener and its address.
pub(crate) fn listener(flavour: Flavour) -> Option<(SOCKET, Vec<u8>)> {
    let s = open(flavour)?;
    let listens = bind_to(s, &flavour.loopback()) && call!(listen(s, 16)) == 0;
    let Some(name) = listens.then(|| name_of(s)).flatten() else {
        close(s);
        return None;
    };
    Some((s, name))
}

/// A new connection to a listener: the socket that connected, and the accepted one.
pub(crate) fn connection(flavour: Flavour, listener: SOCKET, at: &[u8]) -> Option<[SOCKET; 2]> {
    let client = open(flavour)?;
    connect_to(client, at);
    let server = eventually(|| {
        // ISO transport asks for its connection when that of TCP is there: somebody has to look.
        wait_for(client, POLLWRNORM, 0);
        wait_for(listener, POLLRDNORM, 1);
        accept_from(listener)
    });
    let server = server.expect("a connection to a listener of this process");
    assert!(wait_for(client, POLLWRNORM, 5000), "a connection");
    Some([client, server])
}

/// Two datagram sockets that send to each other.
pub(crate) fn datagram_pair(flavour: Flavour) -> Option<[SOCKET; 2]> {
    let pair = [open(flavour)?, open(flavour)?];
    let bound = pair.iter().all(|s| bind_to(*s, &flavour.loopback()));
    let [Some(a), Some(b)] = pair.map(name_of) else {
        assert!(!bound, "a bound socket has a name");
        pair.into_iter().for_each(close);
        return None;
    };
    connect_to(pair[0], &b);
    connect_to(pair[1], &a);
    Some(pair)
}

/// One octet from one socket to the other: whether it arrives, and nothing else.
pub(crate) fn carries(from: SOCKET, to: SOCKET) -> bool {
    let (octet, mut got) = ([0x5A_u8], [0; 2]);
    if call!(send(from, octet.as_ptr(), 1, 0)) != 1 || !wait_for(to, POLLRDNORM, 5000) {
        return false;
    }
    call!(recv(to, got.as_mut_ptr(), 2, 0)) == 1 && got == [0x5A, 0]
}

//! `windows-sys` on Linux: the functions that it declares are linsock's.
//!
//! `windows-sys` declares each function of Windows by [`link!`], which everywhere but on Windows
//! names a symbol and no library. This crate takes the macro's place and binds each to linsock's
//! symbol, so that a Rust program written on `windows-sys` builds for Linux. Its `Cargo.toml` says
//! so, and one line of its source brings the library:
//!
//! ```toml
//! [target.'cfg(not(windows))'.dependencies]
//! linsock-ws2_32 = { path = "…/linsock/ws2_32" }
//!
//! [patch.crates-io]
//! windows-link = { path = "…/linsock/sys/windows-link" }                # windows-sys 0.61
//! windows-targets = { path = "…/linsock/sys/windows-targets-0.52" }     # 0.52 and 0.59
//! ```
//!
//! ```ignore
//! #[cfg(not(windows))]
//! use linsock_c as _; // the functions of windows-sys
//! ```
//!
//! (`windows-targets-0.53` is for `windows-sys` 0.60. This crate cannot bring the library itself:
//! what linsock is built on has `windows-link` among its own dependencies, for Windows.)
//!
//! A function that linsock does not have is an undefined symbol when the program is linked, and
//! only if it is called; PARITY.md lists those that there are. What a crate keeps behind
//! `cfg(windows)` stays out: the target is Linux.
//!
//! # Differs from Windows
//!
//! `std::io::Error::last_os_error` reads the C library's `errno`; the last error of Windows is
//! `GetLastError` or `WSAGetLastError`. A handle is not a descriptor, and `std`'s own sockets and
//! files are not handles.
#![no_std]

/// Declares a function of Windows, bound to linsock's symbol for it.
///
/// The symbol is the function's own name, or `WS_name` where the C library has a function of that
/// name: `connect` would otherwise be Linux's, which takes other numbers and other handles.
#[macro_export]
macro_rules! link {
    (
        $library:literal $abi:literal $symbol:literal $(#[$meta:meta])*
        fn $name:ident $($rest:tt)*
    ) => {
        unsafe extern $abi {
            #[link_name = $symbol]
            pub fn $name $($rest)*;
        }
    };
    ($library:literal $abi:literal $(#[$meta:meta])* fn $name:ident $($rest:tt)*) => {
        unsafe extern $abi {
            #[link_name = $crate::__symbol!($name)]
            pub fn $name $($rest)*;
        }
    };
}

/// The symbol of a function.
#[doc(hidden)]
#[macro_export]
#[rustfmt::skip] // a table
macro_rules! __symbol {
    (accept) => { "WS_accept" };
    (bind) => { "WS_bind" };
    (connect) => { "WS_connect" };
    (freeaddrinfo) => { "WS_freeaddrinfo" };
    (getaddrinfo) => { "WS_getaddrinfo" };
    (gethostbyaddr) => { "WS_gethostbyaddr" };
    (gethostbyname) => { "WS_gethostbyname" };
    (gethostname) => { "WS_gethostname" };
    (getnameinfo) => { "WS_getnameinfo" };
    (getpeername) => { "WS_getpeername" };
    (getprotobyname) => { "WS_getprotobyname" };
    (getprotobynumber) => { "WS_getprotobynumber" };
    (getservbyname) => { "WS_getservbyname" };
    (getservbyport) => { "WS_getservbyport" };
    (getsockname) => { "WS_getsockname" };
    (getsockopt) => { "WS_getsockopt" };
    (htonl) => { "WS_htonl" };
    (htons) => { "WS_htons" };
    (if_indextoname) => { "WS_if_indextoname" };
    (if_nametoindex) => { "WS_if_nametoindex" };
    (inet_addr) => { "WS_inet_addr" };
    (inet_ntoa) => { "WS_inet_ntoa" };
    (inet_ntop) => { "WS_inet_ntop" };
    (inet_pton) => { "WS_inet_pton" };
    (listen) => { "WS_listen" };
    (ntohl) => { "WS_ntohl" };
    (ntohs) => { "WS_ntohs" };
    (recv) => { "WS_recv" };
    (recvfrom) => { "WS_recvfrom" };
    (select) => { "WS_select" };
    (send) => { "WS_send" };
    (sendto) => { "WS_sendto" };
    (setsockopt) => { "WS_setsockopt" };
    (shutdown) => { "WS_shutdown" };
    (socket) => { "WS_socket" };
    ($name:ident) => { stringify!($name) };
}

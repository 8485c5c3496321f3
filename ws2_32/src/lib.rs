//! The C ABI of ws2_32, mswsock and the little of kernel32 that socket programs need.
//!
//! Each exported function maps its C arguments to the socket behind the handle and its result back;
//! no rule of Winsock lives here. One macro exports ([`export`](mod@export)), and caller memory is
//! touched in one place for each kind: buffers and structures in `ptr`, the `OVERLAPPED` in
//! `winsock2::overlapped`, the locks in `kernel32::critical`.
//!
//! Names that glibc also has are exported as `WS_name`, and the headers bind the plain name to that
//! symbol; a library that exported a bare `connect` would hijack the process's own.
//!
//! # Safety
//!
//! Every exported function is `unsafe` to call from Rust for the same reason, stated once here: it
//! takes pointers from C. A pointer that is not valid memory is answered with WSAEFAULT; a pointer
//! to memory that is valid but not the caller's to give, or that is freed while an operation it was
//! given to is in progress, is the caller's error, as on Windows.
#![deny(unsafe_code)]
#![allow(
    non_snake_case,
    non_camel_case_types,
    clippy::missing_safety_doc,
    clippy::too_many_arguments,
    reason = "the names and signatures are Windows', and the safety chapter is above"
)]

// For its exports: one C library carries both.
extern crate linsock_wsk as _;

pub mod abi;
pub mod advapi32;
pub mod bcrypt;
pub mod event_log;
pub mod export;
pub mod iphlpapi;
pub mod kernel32;
pub mod last_error;
pub mod mswsock;
pub mod ntdll;
pub mod psapi;
pub(crate) mod ptr;
pub mod stdio;
mod trace;
pub(crate) mod wide;
pub mod winsock2;
pub mod ws2tcpip;

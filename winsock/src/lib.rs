//! Windows Sockets for Linux: the socket behind every handle, its transport providers, and the safe
//! Rust API.
//!
//! This crate contains no `unsafe`: caller memory and system calls on it are fenced in
//! `linsock-iocp`. It joins the pure endpoint (`linsock-afd`) to a transport: a verb goes to the
//! endpoint, the endpoint's requests go to the transport, and what the transport saw goes back.
//!
//! Start reading at [`socket`]; the API for Rust programs is [`net`].
#![forbid(unsafe_code)]

pub mod catalog;
pub mod device;
pub mod host;
pub mod named_pipe;
pub mod net;
pub mod offer;
pub mod option;
pub mod poll;
pub mod rio;
pub mod settings;
pub mod socket;
pub mod startup;
pub mod time_wait;
pub mod transport;
pub mod view;

pub use linsock_iocp as iocp;
pub use linsock_iocp::{NtStatus, afd, trace};

/// The README's Rust program.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

//! Winsock Kernel in user mode, and the little of the kernel that its clients use.
//!
//! A client of WSK compiles for Linux and runs on real TCP. `ddk` is the ground it stands on: IRPs,
//! MDLs, events, threads, pool. The rest is the provider: [`client`] registers clients, [`socket`]
//! holds what a `WSK_SOCKET` is, [`request`] one IRP in progress, `calls` the functions of the
//! dispatch tables, `events` the callbacks. No rule of a connection lives here: behind each socket
//! is the same [`linsock::socket::Socket`] that Winsock programs use.
//!
//! # Safety
//!
//! Every exported function is `unsafe` to call from Rust for the same reason, stated once here: it
//! takes pointers from C, which have to be what the function's documentation page says. A kernel
//! stops the machine otherwise; here a rule that is seen to be broken is reported ([`misuse`]). A
//! panic inside an exported function, a bug of linsock's, ends the process, as a bug check does:
//! the functions of the kernel have no way to say that they themselves are broken.
#![allow(unsafe_code, reason = "this crate is a C interface to the caller's memory")]
#![allow(
    non_snake_case,
    non_camel_case_types,
    clippy::missing_safety_doc,
    clippy::too_many_arguments,
    reason = "the names and signatures are Windows', and the safety chapter is above"
)]

mod calls;
pub mod client;
mod control;
pub mod ddk;
pub mod driver;
mod events;
pub mod misuse;
mod names;
pub mod request;
pub mod socket;
pub mod status;
mod worker;

//! The endpoint behind every socket: its states, its verbs, and every rule of teardown.
//!
//! This crate performs no I/O, reads no clock, holds no descriptor and contains no `unsafe`. It
//! decides from the state alone: refuse a call with a status, complete it, or keep it pending; and
//! it says what the transport provider has to do next. Whoever owns an [`Endpoint`] performs the
//! [`Request`]s it polls and reports what happened as [`Indication`]s.
//!
//! Start reading at [`endpoint::state`], which is the page with the rules.
//!
//! Invariants, referred to from elsewhere by number (ARCHITECTURE.md lists them all):
//!
//! - **I1** An IRP handed to an endpoint leaves it exactly once: it is moved in and moved out, and
//!   the endpoint never clones it.
//! - **I2** A refused verb changes nothing.
//! - **I3** After [`Endpoint::close`] the endpoint holds no IRP.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod address;
pub mod datagram;
pub mod endpoint;
pub mod network_events;
mod queue;
pub mod reason;
pub mod status;

pub use endpoint::{
    AcceptPhase, CloseMode, Completion, ConnectKind, DisconnectMode, Endpoint, Indication, Pending,
    Receive, Request, Shutdown, Start,
};
pub use queue::{Queue, RareQueue};
pub use reason::{AbortCause, CloseReason};
pub use status::NtStatus;

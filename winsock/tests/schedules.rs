//! Schedules: the sockets, ports, events and waits themselves, run under shuttle, which decides at
//! every lock, atomic and wait which thread goes on.
//!
//! ```text
//! RUSTFLAGS="--cfg shuttle" cargo test --release -p linsock --test schedules --target-dir target/shuttle -- --test-threads 1
//! ```
//!
//! Nothing is replaced by a model but time and the guardian's thread: the connections are real, on
//! the loopback. `LINSOCK_SCHEDULES` is the number of schedules of each kind for each test. A
//! failure prints a seed with which it can be repeated.
//!
//! The wake-up protocol of the completion port is also enumerated completely, every order of
//! events of up to four threads (`iocp/src/port/schedule.rs`).
#![cfg(shuttle)]

#[path = "schedules/harness.rs"]
mod harness;

#[path = "schedules/exactly_once.rs"]
mod exactly_once;
#[path = "schedules/parking.rs"]
mod parking;
#[path = "schedules/reuse.rs"]
mod reuse;

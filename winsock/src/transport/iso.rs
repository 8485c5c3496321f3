//! ISO transport over TCP: class 2 (RFC 2126), which carries disconnect data, and class 0 (RFC
//! 1006).
//!
//! [`tpdu`] has the octets, [`connection`] the state machine of one connection. Both are pure.

pub mod connection;
pub mod tpdu;

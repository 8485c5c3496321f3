//! What the checks of the C functions have in common.
#![allow(dead_code, reason = "each check uses a part")]

#[path = "c/memory.rs"]
pub(crate) mod memory;
#[path = "c/operations.rs"]
pub(crate) mod operations;
#[path = "c/script.rs"]
pub(crate) mod script;
#[path = "c/sockets.rs"]
pub(crate) mod sockets;

//! The little of kernel32 that socket programs need.

pub mod address;
pub mod clock;
pub mod critical;
pub mod file_io;
pub mod heap;
pub mod io;
pub mod misc;
pub mod object;
pub mod pool;
pub mod signal;
pub mod thread;
pub mod timer;

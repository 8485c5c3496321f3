//! The little of the kernel that clients of WSK stand on, in user mode.

mod dispatcher;
pub mod irp;
pub mod memory;
pub mod misc;
pub mod object;
pub mod thread;

//! The little of kernel32 that socket programs need.

pub mod calendar;
pub mod clock;
pub mod conio;
pub mod critical;
pub mod heap;
pub mod io;
pub mod misc;
pub mod object;
pub mod pages;
pub mod process;
pub mod thread;
pub mod tls;
pub mod wide;

//! The little of kernel32 that socket programs need.

pub mod address;
pub mod calendar;
pub mod clock;
pub mod conio;
pub mod critical;
pub mod descriptor;
pub mod directory;
pub mod disk;
pub mod file_io;
pub mod heap;
pub mod io;
pub mod library;
pub mod mapping;
pub mod misc;
pub mod object;
pub mod pages;
pub mod pool;
pub mod process;
pub mod seek;
pub mod signal;
pub mod temp_name;
pub mod thread;
pub mod timer;
pub mod tls;
pub mod version;
pub mod wide;

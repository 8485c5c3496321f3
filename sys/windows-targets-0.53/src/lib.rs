//! As `windows-link`, for the versions of `windows-sys` that ask for `windows-targets`.
#![no_std]

pub use windows_link::link;

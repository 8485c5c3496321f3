#![no_main]

#[path = "../checks/iso_connection.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| check::check(octets));

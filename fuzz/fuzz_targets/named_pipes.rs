#![no_main]

#[path = "../checks/c.rs"]
mod c;
#[path = "../checks/named_pipes.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| check::check(octets));

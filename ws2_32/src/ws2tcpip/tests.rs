use super::*;
use crate::last_error;

fn pton(family: i32, text: &std::ffi::CStr) -> (i32, Vec<u8>) {
    let mut octets = [0xEE_u8; 16];
    // SAFETY: the text ends in zero and the buffer is a local.
    let result = unsafe { inet_pton(family, text.as_ptr().cast(), octets.as_mut_ptr()) };
    (result, octets.to_vec())
}

fn ntop(family: i32, octets: &[u8; 16], size: usize) -> Result<String, u32> {
    let mut buffer = [0xFF_u8; 64];
    let at = buffer.as_mut_ptr();
    // SAFETY: the buffer is a local of at least that size.
    let text = unsafe { inet_ntop(family, octets.as_ptr(), at, size) };
    if text.is_null() {
        return Err(last_error::get());
    }
    assert_eq!(text, at.cast_const());
    Ok(String::from_utf8(ptr::read_cstr(text).unwrap()).unwrap())
}

#[test]
fn network_order_is_big_endian() {
    // SAFETY: no pointers.
    let long = unsafe { htonl(0x0102_0304) };
    // SAFETY: no pointers.
    let short = unsafe { htons(0x0102) };
    assert_eq!((long.to_ne_bytes(), short.to_ne_bytes()), ([1, 2, 3, 4], [1, 2]));
    // SAFETY: no pointers.
    assert_eq!(unsafe { ntohl(long) }, 0x0102_0304);
    // SAFETY: no pointers.
    assert_eq!(unsafe { ntohs(short) }, 0x0102);
}

#[test]
fn texts_become_addresses_or_do_not() {
    for (family, text, result, octets) in [
        (2, c"127.0.0.1", 1, &[127, 0, 0, 1][..]),
        (2, c"255.255.255.255", 1, &[255; 4]),
        (2, c"1.2.3", 0, &[]),
        (2, c"1.2.3.256", 0, &[]),
        (2, c"1.2.3.4 ", 0, &[]),
        (2, c"::1", 0, &[]),
        (23, c"::1", 1, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        (23, c"::ffff:1.2.3.4", 1, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4]),
        (23, c"1.2.3.4", 0, &[]),
        (23, c"fe80::1%1", 0, &[]),
        (23, c"", 0, &[]),
    ] {
        let (got, buffer) = pton(family, text);
        assert_eq!(got, result, "{text:?}");
        assert!(buffer.starts_with(octets), "{text:?}");
        assert!(buffer[octets.len()..].iter().all(|&octet| octet == 0xEE), "{text:?}");
    }
    // Linux's number for IPv6.
    assert_eq!(pton(10, c"::1").0, -1);
    assert_eq!(last_error::get(), Error::WSAEAFNOSUPPORT.0);
    let (text, mut octets) = (c"1.2.3.4".as_ptr().cast::<u8>(), [0_u8; 4]);
    for (text, buffer) in [(std::ptr::null(), octets.as_mut_ptr()), (text, std::ptr::null_mut())] {
        // SAFETY: a bad pointer is answered.
        assert_eq!(unsafe { inet_pton(2, text, buffer) }, -1);
        assert_eq!(last_error::get(), Error::WSAEFAULT.0);
    }
}

#[test]
fn addresses_become_texts_if_there_is_room() {
    let mut v4 = [0; 16];
    v4[..4].copy_from_slice(&[10, 0, 0, 1]);
    let mut v6 = [0; 16];
    v6[15] = 1;
    assert_eq!(ntop(2, &v4, 9), Ok("10.0.0.1".into()));
    assert_eq!(ntop(2, &v4, 8), Err(Error::ERROR_INVALID_PARAMETER.0));
    assert_eq!(ntop(23, &v6, 4), Ok("::1".into()));
    assert_eq!(ntop(23, &v6, 0), Err(Error::ERROR_INVALID_PARAMETER.0));
    assert_eq!(ntop(10, &v6, 64), Err(Error::WSAEAFNOSUPPORT.0));
}

#[test]
fn dotted_addresses_have_one_to_four_parts_in_three_radices() {
    for (text, address) in [
        (c"1.2.3.4", Some([1, 2, 3, 4])),
        (c"1.2.772", Some([1, 2, 3, 4])),
        (c"1.131844", Some([1, 2, 3, 4])),
        (c"16909060", Some([1, 2, 3, 4])),
        (c"0x01.02.003.0X4", Some([1, 2, 3, 4])),
        (c"1.2.3.4 trailing", Some([1, 2, 3, 4])),
        (c" ", Some([0; 4])),
        (c"0", Some([0; 4])),
        (c"255.255.255.254", Some([255, 255, 255, 254])),
        (c"1.2.3.256", None),
        (c"256.2.3.4", None),
        (c"1.2.65536", None),
        (c"1.16777216", None),
        (c"1.2.3.4.5", None),
        (c"1..2", None),
        (c"08", None),
        (c"+1.2.3.4", None),
        (c"name", None),
        (c"", None),
    ] {
        // SAFETY: the text ends in zero.
        let got = unsafe { inet_addr(text.as_ptr().cast()) };
        assert_eq!(got, address.map_or(INADDR_NONE, u32::from_ne_bytes), "{text:?}");
    }
    // SAFETY: a bad pointer is answered.
    assert_eq!(unsafe { inet_addr(std::ptr::null()) }, INADDR_NONE);
    assert_eq!(last_error::get(), Error::WSAEFAULT.0);
}

#[test]
fn the_text_of_an_address_is_the_threads_own() {
    let text = |octets: [u8; 4]| {
        // SAFETY: no pointers.
        let at = unsafe { inet_ntoa(u32::from_ne_bytes(octets)) };
        (at.addr(), String::from_utf8(ptr::read_cstr(at).unwrap()).unwrap())
    };
    let long = text([255, 255, 255, 255]);
    assert_eq!(long.1, "255.255.255.255");
    assert_eq!(text([1, 2, 3, 4]), (long.0, "1.2.3.4".into()));
    let other = std::thread::spawn(move || text([5, 6, 7, 8])).join().unwrap();
    assert_ne!(other.0, long.0);
}

#[test]
fn the_host_has_a_name_that_needs_room() {
    linsock::startup::startup();
    let mut buffer = [0xFF_u8; 300];
    let mut ask = |size| {
        // SAFETY: the buffer is a local of at least that size.
        (unsafe { gethostname(buffer.as_mut_ptr(), size) }, last_error::get())
    };
    assert_eq!(ask(300).0, 0);
    for size in [0, -1, 1] {
        assert_eq!(ask(size), (-1, Error::WSAEFAULT.0), "{size}");
    }
    let name = buffer.split(|&octet| octet == 0).next().unwrap();
    assert_eq!(name, std::fs::read("/proc/sys/kernel/hostname").unwrap().trim_ascii_end());
    // SAFETY: a bad pointer is answered.
    assert_eq!(unsafe { gethostname(std::ptr::null_mut(), 300) }, -1);
}

#[test]
fn the_resolvers_errors_are_winsocks() {
    for (code, error) in [
        (libc::EAI_AGAIN, 11002),
        (libc::EAI_BADFLAGS, 10022),
        (libc::EAI_FAIL, 11003),
        (libc::EAI_FAMILY, 10047),
        (libc::EAI_MEMORY, 8),
        (libc::EAI_NONAME, 11001),
        (libc::EAI_NODATA, 11001),
        (libc::EAI_SERVICE, 10109),
        (libc::EAI_SOCKTYPE, 10044),
        (libc::EAI_SYSTEM, 11003),
    ] {
        assert_eq!(resolver_error(code), Error(error), "{code}");
    }
}

use std::mem::offset_of;

use windows_sys::Win32::Networking::WinSock as oracle;

use super::*;
use crate::last_error;

const _: () = {
    assert!(size_of::<ADDRINFOA>() == size_of::<oracle::ADDRINFOA>());
    assert!(offset_of!(ADDRINFOA, ai_addrlen) == offset_of!(oracle::ADDRINFOA, ai_addrlen));
    assert!(offset_of!(ADDRINFOA, ai_canonname) == offset_of!(oracle::ADDRINFOA, ai_canonname));
    assert!(offset_of!(ADDRINFOA, ai_addr) == offset_of!(oracle::ADDRINFOA, ai_addr));
    assert!(offset_of!(ADDRINFOA, ai_next) == offset_of!(oracle::ADDRINFOA, ai_next));
};

/// Flags, family, socket type, protocol.
type Numbers = [i32; 4];

fn hints(numbers: Numbers) -> ADDRINFOA {
    ADDRINFOA {
        ai_flags: numbers[0],
        ai_family: numbers[1],
        ai_socktype: numbers[2],
        ai_protocol: numbers[3],
        ai_addrlen: 0,
        ai_canonname: std::ptr::null_mut(),
        ai_addr: std::ptr::null_mut(),
        ai_next: std::ptr::null_mut(),
    }
}

/// The answers: family, socket type, protocol, and the address in Windows' layout.
type Answers = Vec<(i32, i32, i32, Vec<u8>)>;

fn ask(
    node: Option<&CStr>,
    service: Option<&CStr>,
    hints: Option<&ADDRINFOA>,
) -> Result<Answers, i32> {
    linsock::startup::startup();
    let text = |text: Option<&CStr>| text.map_or(std::ptr::null(), |text| text.as_ptr().cast());
    let hints = hints.map_or(std::ptr::null(), std::ptr::from_ref);
    let mut list = std::ptr::without_provenance_mut(8);
    // SAFETY: the texts end in zero, the rest are locals.
    let error = unsafe { getaddrinfo(text(node), text(service), hints, &raw mut list) };
    if error != 0 {
        assert!(list.is_null());
        assert_eq!(last_error::get().cast_signed(), error);
        return Err(error);
    }
    let (mut answers, mut at) = (Vec::new(), list);
    while !at.is_null() {
        // SAFETY: an element of the list.
        let info = unsafe { *at };
        let address = ptr::read_all(info.ai_addr.cast_const(), info.ai_addrlen).unwrap();
        answers.push((info.ai_family, info.ai_socktype, info.ai_protocol, address));
        at = info.ai_next;
    }
    // SAFETY: getaddrinfo's list.
    unsafe { freeaddrinfo(list) };
    Ok(answers)
}

const LOOPBACK: [u8; 16] = [2, 0, 0, 80, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];

#[test]
fn an_address_comes_once_with_the_type_and_the_protocol_that_were_asked_for() {
    for (socket_type, protocol) in [(0, 0), (0, 6), (0, 17), (1, 0), (1, 6), (2, 17), (2, 0)] {
        let hints = hints([AI_NUMERICHOST, 0, socket_type, protocol]);
        let answers = ask(Some(c"127.0.0.1"), Some(c"80"), Some(&hints));
        assert_eq!(answers, Ok(vec![(2, socket_type, protocol, LOOPBACK.to_vec())]));
    }
    let answers = ask(Some(c"127.0.0.1"), Some(c"80"), None);
    assert_eq!(answers, Ok(vec![(2, 0, 0, LOOPBACK.to_vec())]));
}

#[test]
fn an_ipv6_address_has_windows_family_and_its_scope() {
    let mut expected = vec![23, 0, 1, 187, 0, 0, 0, 0, 0xfe, 0x80];
    expected.resize(28, 0);
    expected[23] = 1;
    expected[24] = 7;
    let answers = ask(Some(c"fe80::1%7"), Some(c"443"), Some(&hints([AI_NUMERICHOST, 23, 1, 6])));
    assert_eq!(answers, Ok(vec![(23, 1, 6, expected)]));
}

#[test]
fn no_name_is_the_wildcard_or_the_loopback() {
    for (passive, address) in [(1, [0, 0, 0, 0]), (0, [127, 0, 0, 1])] {
        let answers = ask(None, Some(c"0"), Some(&hints([passive, 2, 1, 0]))).unwrap();
        assert_eq!(answers.len(), 1);
        assert_eq!(answers[0].3[4..8], address);
    }
}

#[test]
fn the_canonical_name_is_in_the_first_element() {
    linsock::startup::startup();
    let hints = hints([AI_CANONNAME | AI_NUMERICHOST, 2, 1, 0]);
    let mut list = std::ptr::null_mut();
    let node = c"127.0.0.1".as_ptr().cast();
    // SAFETY: locals and a text that ends in zero.
    let error = unsafe { getaddrinfo(node, std::ptr::null(), &raw const hints, &raw mut list) };
    assert_eq!(error, 0);
    // SAFETY: the first element.
    let info = unsafe { *list };
    assert_eq!(ptr::read_cstr(info.ai_canonname), Ok(b"127.0.0.1".to_vec()));
    // SAFETY: getaddrinfo's list; what is no such list is left alone.
    unsafe { freeaddrinfo(list) };
    for alien in
        [std::ptr::null_mut(), std::ptr::without_provenance_mut(16), (&raw const hints).cast_mut()]
    {
        // SAFETY: as above.
        unsafe { freeaddrinfo(alien) };
    }
}

#[test]
fn bad_questions_have_their_errors() {
    let mut reserved = hints([0; 4]);
    reserved.ai_addrlen = 1;
    let host = Some(c"127.0.0.1");
    for (node, service, hints, error) in [
        (None, None, hints([0; 4]), 11001),
        (host, None, reserved, 11003),
        (host, None, hints([0x20, 0, 0, 0]), 10022),
        (host, None, hints([AI_CANONNAME | AI_FQDN, 0, 0, 0]), 10022),
        (None, Some(c"80"), hints([AI_CANONNAME, 0, 0, 0]), 10022),
        // Linux's number for IPv6.
        (host, None, hints([0, 10, 0, 0]), 10047),
        (host, None, hints([0, 0, 5, 0]), 10044),
        (Some(c"no.number"), None, hints([AI_NUMERICHOST, 0, 0, 0]), 11001),
        (host, None, hints([AI_NUMERICHOST, 23, 1, 0]), 11001),
        (host, Some(c"no-such-service"), hints([0, 0, 1, 0]), 10109),
        (host, Some(c"65536"), hints([0, 0, 1, 0]), 10109),
    ] {
        assert_eq!(ask(node, service, Some(&hints)), Err(error), "{node:?} {service:?} {hints:?}");
    }
    let wild = std::ptr::without_provenance_mut(16);
    // SAFETY: a bad pointer is answered.
    let error = unsafe { getaddrinfo(wild, wild, wild.cast(), std::ptr::null_mut()) };
    assert_eq!(error, 10014);
    let mut list = std::ptr::null_mut();
    // SAFETY: a bad pointer is answered.
    let error = unsafe { getaddrinfo(wild, std::ptr::null(), wild.cast(), &raw mut list) };
    assert_eq!(error, 10014);
}

/// Where the resolver has no file of services: what is known without one.
#[test]
fn a_service_has_its_port_for_each_type_of_socket_that_is_wanted() {
    let ports = |name: &CStr, socket_type: i32, protocol: i32| {
        let hints = Hints { flags: AI_NUMERICHOST, family: AF_INET, socket_type, protocol };
        let asked = hints.translate(true).unwrap();
        let answers = ask_for_port(Some(c"127.0.0.1"), name, &asked)?;
        let port = |answer: &Answer| u16::from_be_bytes([answer.address[2], answer.address[3]]);
        let kind = |answer: &Answer| (answer.socket_type, answer.protocol, port(answer));
        Ok::<Vec<_>, Error>(answers.iter().map(kind).collect())
    };
    assert_eq!(ports(c"domain", 0, 0), Ok(vec![(1, 6, 53), (2, 17, 53)]));
    assert_eq!(ports(c"domain", 2, 0), Ok(vec![(2, 17, 53)]));
    assert_eq!(ports(c"domain", 0, 6), Ok(vec![(1, 6, 53)]));
    assert_eq!(ports(c"HTTP", 1, 0), Ok(vec![(1, 6, 80)]));
    assert_eq!(ports(c"domain", 1, 17), Err(WSATYPE_NOT_FOUND));
    assert_eq!(ports(c"no such service", 1, 0), Err(WSATYPE_NOT_FOUND));
}

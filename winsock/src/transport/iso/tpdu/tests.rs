//! The octet vectors of disconnect-data, appendix A, both ways; malformed input (1.10); and random
//! octets.

use proptest::prelude::*;

use super::*;

fn octets(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

const SELECTORS: ([u8; 2], [u8; 2]) = ([1, 0], [1, 2]);

fn request(class: Class) -> Connect<'static> {
    Connect {
        destination: 0,
        source: 0x1234,
        class: Some(class),
        or_class_0: false,
        size: Some(11),
        calling: &SELECTORS.0,
        called: &SELECTORS.1,
        data: &[],
    }
}

fn confirm(class: Class) -> Connect<'static> {
    let none: &[u8] = &[];
    Connect { destination: 0x1234, source: 7, calling: none, called: none, ..request(class) }
}

/// One vector: its octets, what they mean, in which class, and what writes them.
fn check(hex: &str, class: Option<Class>, meaning: Tpdu<'_>, emit: impl FnOnce(&mut Vec<u8>)) {
    let expected = octets(hex);
    assert_eq!(packet_len(&expected), Ok(Some(expected.len())), "{hex}");
    assert_eq!(decode(&expected[TPKT_HEADER..], class), Ok(meaning), "{hex}");
    let mut written = Vec::new();
    emit(&mut written);
    assert_eq!(written, expected, "{hex}");
}

#[test]
fn connection_vectors() {
    let cr2 = Connect { data: b"CALLERDATA", ..request(Class::Two) };
    check(
        "0300002314e00000123421c0010bc1020100c2020102c6010043414c4c455244415441",
        None,
        Tpdu::ConnectionRequest(cr2),
        |into| emit_connect(into, &cr2, false),
    );
    let cc2 = Connect { data: b"CALLEEDATA", ..confirm(Class::Two) };
    check(
        "0300001b0cd01234000721c0010bc6010043414c4c454544415441",
        Some(Class::Two),
        Tpdu::ConnectionConfirm(cc2),
        |into| emit_connect(into, &cc2, true),
    );
    let cr0 = request(Class::Zero);
    check(
        "0300001611e00000123400c0010bc1020100c2020102",
        None,
        Tpdu::ConnectionRequest(cr0),
        |into| emit_connect(into, &cr0, false),
    );
    let cc0 = Connect { calling: &[1, 0], called: &[1, 2], ..confirm(Class::Zero) };
    check(
        "0300001611d01234000700c0010bc1020100c2020102",
        Some(Class::Zero),
        Tpdu::ConnectionConfirm(cc0),
        |into| emit_connect(into, &cc0, true),
    );
    let cr20 = Connect { or_class_0: true, ..request(Class::Two) };
    check(
        "0300001c17e00000123421c0010bc1020100c2020102c60100c70100",
        None,
        Tpdu::ConnectionRequest(cr20),
        |into| emit_connect(into, &cr20, false),
    );
}

#[test]
fn data_vectors() {
    let check_data = |hex, class, destination, end, data| {
        let meaning = Tpdu::Data { destination, end, data };
        check(hex, Some(class), meaning, |into| {
            emit_data(into, destination, end, |into| into.extend(data))
        });
    };
    let two = Class::Two;
    let hex = "0300001504f000070066697273742068616c662c20";
    check_data(hex, two, Some(7), false, b"first half, ");
    let hex = "0300001404f00007807365636f6e642068616c66";
    check_data(hex, two, Some(7), true, b"second half");
    check_data("0300000e04f01234807265706c79", two, Some(0x1234), true, b"reply");
    check_data("0300001202f080747030206d657373616765", Class::Zero, None, true, b"tp0 message");
}

#[test]
fn disconnect_vectors() {
    let data: Vec<u8> = (0..64).collect();
    let hex = "0300004e09800007123480e00180".to_owned()
        + &data.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    let (destination, source) = (7, 0x1234);
    let meaning = |manner, data| Tpdu::DisconnectRequest {
        destination,
        source,
        reason: reason::NORMAL,
        manner,
        data,
    };
    let two = Some(Class::Two);
    check(&hex, two, meaning(Manner::Orderly, &data), |into| {
        emit_disconnect(into, (7, 0x1234), reason::NORMAL, Some(Manner::Orderly), &data);
    });
    check("0300000e09800007123480e001c0", two, meaning(Manner::Abrupt, &[]), |into| {
        emit_disconnect(into, (7, 0x1234), reason::NORMAL, Some(Manner::Abrupt), &[]);
    });
    let refusal = Tpdu::DisconnectRequest {
        destination: 0x1234,
        source: 0,
        reason: reason::REFUSED,
        manner: Manner::Abrupt,
        data: b"go away",
    };
    check("0300001206801234000088676f2061776179", two, refusal, |into| {
        emit_disconnect(into, (0x1234, 0), reason::REFUSED, None, b"go away");
    });
    let refusal = Tpdu::DisconnectRequest {
        destination: 0x1234,
        source: 0,
        reason: reason::ADDRESS_UNKNOWN,
        manner: Manner::Orderly,
        data: &[],
    };
    check("0300000b06801234000003", Some(Class::Zero), refusal, |into| {
        emit_disconnect(into, (0x1234, 0), reason::ADDRESS_UNKNOWN, None, &[]);
    });
    let confirm = Tpdu::DisconnectConfirm { destination: 0x1234, source: 7 };
    check("0300000a05c012340007", two, confirm, |into| emit_disconnect_confirm(into, 0x1234, 7));
    let error = Tpdu::Error { destination: 0x1234, cause: 2 };
    check("0300000d0870123402c10202a0", Some(Class::Zero), error, |into| {
        emit_error(into, 0x1234, Fault::Type, &[2, 0xA0]);
    });
}

/// RFC 1859 and RFC 2126 read alike: plain 80 is orderly, C0 is not.
#[test]
fn a_plain_normal_disconnect_is_orderly() {
    let plain = octets("0300000b06800007123480");
    let decoded = decode(&plain[4..], Some(Class::Two)).unwrap();
    assert!(matches!(decoded, Tpdu::DisconnectRequest { manner: Manner::Orderly, .. }));
}

/// disconnect-data 1.10: python-snap7's client sends this.
#[test]
fn a_stray_octet_behind_a_disconnect_of_class_0_is_passed_over() {
    let stray = octets("0300000d06800000000100000a");
    let decoded = decode(&stray[4..], Some(Class::Zero)).unwrap();
    assert!(matches!(decoded, Tpdu::DisconnectRequest { reason: 0, data: [], .. }));
}

#[test]
fn malformed_input_is_refused() {
    assert_eq!(packet_len(&[4]), Err(Fault::Framing), "version");
    assert_eq!(packet_len(&[3, 0, 0, 6]), Err(Fault::Framing), "shorter than any packet");
    assert_eq!(packet_len(&[3, 9, 1]), Ok(None), "what is reserved is ignored");
    let two = Some(Class::Two);
    let cases: [(&str, Option<Class>, Fault); 13] = [
        ("ffe0", None, Fault::Length),
        ("06e000001234", None, Fault::Length),
        ("05e00000123400", None, Fault::Length),
        ("0230", None, Fault::Length),
        ("023000", None, Fault::Type),
        ("08e00000123421c001", None, Fault::Length),
        ("09e00000123421c00106", None, Fault::Value),
        ("09e00000123421c40102", None, Fault::Value),
        ("08e00000123421c102", None, Fault::Length),
        ("04f0000700", None, Fault::Type),
        ("02f080", two, Fault::Length),
        ("04f0000780", Some(Class::Zero), Fault::Length),
        ("04c0123400", two, Fault::Length),
    ];
    for (hex, class, fault) in cases {
        assert_eq!(decode(&octets(hex), class), Err(fault), "{hex}");
    }
    let long = [octets("06e00000123421"), vec![0; CONNECT_DATA_MAX + 1]].concat();
    assert_eq!(decode(&long, None), Err(Fault::Length), "too much connect data");
}

proptest! {
    /// Nothing that a peer sends makes the decoder panic, and what it accepts it reads within the
    /// packet.
    #[test]
    fn any_octets_are_read_or_refused(tpdu in prop::collection::vec(any::<u8>(), 0..96), two: bool, known: bool) {
        let class = known.then_some(if two { Class::Two } else { Class::Zero });
        let _ = packet_len(&tpdu);
        if let Ok(Tpdu::Data { data, .. }) = decode(&tpdu, class) {
            prop_assert!(data.len() < tpdu.len());
        }
    }

    /// What is written is read back.
    #[test]
    fn connects_survive_the_round_trip(
        refs: (u16, u16), two: bool, or_class_0: bool, size in prop::option::of(7_u8..=13),
        calling in prop::collection::vec(any::<u8>(), 1..=SELECTOR_MAX),
        called in prop::collection::vec(any::<u8>(), 0..=SELECTOR_MAX),
        data in prop::collection::vec(any::<u8>(), 0..=CONNECT_DATA_MAX),
    ) {
        let connect = Connect {
            destination: refs.0, source: refs.1.max(1), class: Some(if two { Class::Two } else { Class::Zero }),
            or_class_0, size, calling: &calling, called: &called, data: &data,
        };
        for confirm in [false, true] {
            let mut written = Vec::new();
            emit_connect(&mut written, &connect, confirm);
            prop_assert!(written.len() <= 128 + TPKT_HEADER, "RFC 905 13.3.5: at most 128 octets");
            let expected = if confirm { Tpdu::ConnectionConfirm(connect) } else { Tpdu::ConnectionRequest(connect) };
            prop_assert_eq!(decode(&written[TPKT_HEADER..], None), Ok(expected));
        }
    }
}

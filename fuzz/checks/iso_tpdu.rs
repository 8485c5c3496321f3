//! Any octets as a TPDU: read or refused; and what was read can be written, and reads the same.

use linsock::transport::iso::tpdu::{self, Class, DATA_MAX, TPKT_HEADER, Tpdu};

pub(crate) fn check(octets: &[u8]) {
    let _ = tpdu::packet_len(octets);
    for class in [None, Some(Class::Zero), Some(Class::Two)] {
        let Ok(read) = tpdu::decode(octets, class) else { continue };
        let mut written = Vec::new();
        if write(&mut written, read) {
            assert_eq!(tpdu::packet_len(&written), Ok(Some(written.len())));
            assert_eq!(tpdu::decode(&written[TPKT_HEADER..], class), Ok(read));
        }
    }
}

/// False for what linsock never writes.
fn write(into: &mut Vec<u8>, tpdu: Tpdu<'_>) -> bool {
    match tpdu {
        Tpdu::ConnectionRequest(connect) if connect.class.is_some() => {
            tpdu::emit_connect(into, &connect, false);
        }
        Tpdu::ConnectionConfirm(connect) if connect.class.is_some() => {
            tpdu::emit_connect(into, &connect, true);
        }
        Tpdu::DisconnectRequest { destination, source, reason, manner, data } => {
            tpdu::emit_disconnect(into, (destination, source), reason, Some(manner), data);
        }
        Tpdu::DisconnectConfirm { destination, source } => {
            tpdu::emit_disconnect_confirm(into, destination, source);
        }
        Tpdu::Data { destination, end, data } if data.len() <= DATA_MAX => {
            tpdu::emit_data(into, destination, end, |into| into.extend_from_slice(data));
        }
        _ => return false,
    }
    true
}

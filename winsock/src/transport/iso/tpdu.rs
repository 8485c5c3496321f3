//! The octets of ISO transport over TCP: TPKT (RFC 1006) and TPDUs of classes 0 and 2 (RFC 905, RFC
//! 2126).
//!
//! Pure: octets in, values out, and back. Decoding borrows from the input and allocates nothing.

use std::ops::RangeInclusive;

/// Octets of the packet header.
pub const TPKT_HEADER: usize = 4;
/// Octets that a packet may have, its header included.
const TPKT: RangeInclusive<usize> = 7..=0xFFFF;
/// The longest user data of a Disconnect Request.
pub const DISCONNECT_DATA_MAX: usize = 64;
/// The longest user data of a Connection Request or Confirm.
pub const CONNECT_DATA_MAX: usize = 32;
/// The longest transport selector of a `sockaddr_tp`.
pub const SELECTOR_MAX: usize = 32;
/// Octets of one DT that are sent at most (RFC 1006); more are taken.
pub const DATA_MAX: usize = 65_524;

const CR: u8 = 0xE0;
const CC: u8 = 0xD0;
const DR: u8 = 0x80;
const DC: u8 = 0xC0;
const DT: u8 = 0xF0;
const ED: u8 = 0x10;
const ER: u8 = 0x70;

const SIZE: u8 = 0xC0;
const CALLING: u8 = 0xC1;
const CALLED: u8 = 0xC2;
const VERSION: u8 = 0xC4;
const OPTIONS: u8 = 0xC6;
const ALTERNATIVES: u8 = 0xC7;
/// "Additional information" of a DR: how the connection ends.
const ADDITIONAL: u8 = 0xE0;
/// The rejected TPDU in an ER.
const REJECTED: u8 = 0xC1;
/// Octet 7 of CR and CC in class 2: no explicit flow control.
const CLASS_2: u8 = 0x21;

/// A transport protocol class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// RFC 1006: no disconnect data, released by closing TCP.
    Zero,
    /// RFC 2126: explicit release with data.
    Two,
}

/// How a disconnect ends the connection (RFC 2126 4.2.3, RFC 1859 2.4; both are read).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Everything that was sent before is delivered first.
    Orderly,
    /// At once.
    Abrupt,
}

/// The reasons of a Disconnect Request that are sent (RFC 905 13.5.3); any is accepted.
pub mod reason {
    /// Not specified.
    pub const UNSPECIFIED: u8 = 0;
    /// Nobody is known under the called selector.
    pub const ADDRESS_UNKNOWN: u8 = 3;
    /// Normal, asked for by the user.
    pub const NORMAL: u8 = 0x80;
    /// The class is not supported.
    pub const NEGOTIATION_FAILED: u8 = 0x82;
    /// Protocol error.
    pub const PROTOCOL_ERROR: u8 = 0x85;
    /// The request was refused.
    pub const REFUSED: u8 = 0x88;
    /// A length is wrong.
    pub const INVALID_LENGTH: u8 = 0x8A;
}

/// What is wrong with octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No TPKT: the stream cannot be followed any more.
    Framing,
    /// A length inside the TPDU is wrong.
    Length,
    /// The code of the TPDU is none, or not one of the class.
    Type,
    /// A parameter that has no place there.
    Parameter,
    /// A value that is not allowed.
    Value,
}

/// A Connection Request or Confirm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connect<'a> {
    /// The receiver's reference; 0 in a request.
    pub destination: u16,
    /// The sender's reference.
    pub source: u16,
    /// The class that is preferred, or selected; `None`: one that linsock does not have.
    pub class: Option<Class>,
    /// Class 0 will do as well.
    pub or_class_0: bool,
    /// Log2 of the TPDU size, if it is stated.
    pub size: Option<u8>,
    /// The calling selector.
    pub calling: &'a [u8],
    /// The called selector.
    pub called: &'a [u8],
    /// User data.
    pub data: &'a [u8],
}

/// A TPDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tpdu<'a> {
    /// CR.
    ConnectionRequest(Connect<'a>),
    /// CC.
    ConnectionConfirm(Connect<'a>),
    /// DR.
    DisconnectRequest {
        /// The receiver's reference.
        destination: u16,
        /// The sender's reference; 0 in a refusal.
        source: u16,
        /// Why.
        reason: u8,
        /// How.
        manner: Manner,
        /// User data; nothing in class 0.
        data: &'a [u8],
    },
    /// DC.
    DisconnectConfirm {
        /// The receiver's reference.
        destination: u16,
        /// The sender's reference.
        source: u16,
    },
    /// DT.
    Data {
        /// The receiver's reference; class 0 has none.
        destination: Option<u16>,
        /// It ends a message.
        end: bool,
        /// User data.
        data: &'a [u8],
    },
    /// ED, which linsock does not negotiate.
    Expedited,
    /// ER.
    Error {
        /// The receiver's reference.
        destination: u16,
        /// Why.
        cause: u8,
    },
}

/// How long the packet at the front of `octets` is; `None` when its header has not come yet.
///
/// # Errors
/// [`Fault::Framing`].
pub fn packet_len(octets: &[u8]) -> Result<Option<usize>, Fault> {
    match octets {
        [version, ..] if *version != 3 => Err(Fault::Framing),
        [_, _, high, low, ..] => {
            let len = usize::from(u16::from_be_bytes([*high, *low]));
            if TPKT.contains(&len) { Ok(Some(len)) } else { Err(Fault::Framing) }
        }
        _ => Ok(None),
    }
}

/// Reads the TPDU in a packet (without the packet's header) of a connection of class `class`, which
/// is `None` before there is one.
///
/// # Errors
/// By RFC 905 and the rules of disconnect-data 1.10.
pub fn decode(tpdu: &[u8], class: Option<Class>) -> Result<Tpdu<'_>, Fault> {
    let [indicator, code, ..] = *tpdu else {
        return Err(Fault::Length);
    };
    let header_len = usize::from(indicator) + 1;
    if indicator == u8::MAX || header_len > tpdu.len() {
        return Err(Fault::Length);
    }
    let (header, data) = tpdu.split_at(header_len);
    match (code & 0xF0, code) {
        (CR, _) => Ok(Tpdu::ConnectionRequest(connect(header, data, false)?)),
        (CC, _) => Ok(Tpdu::ConnectionConfirm(connect(header, data, true)?)),
        (_, DR) => disconnect_request(header, data, class),
        (_, DC) => {
            let [.., d1, d0, s1, s0] = front::<6>(header)?;
            let destination = u16::from_be_bytes([d1, d0]);
            Ok(Tpdu::DisconnectConfirm { destination, source: u16::from_be_bytes([s1, s0]) })
        }
        (_, DT) => data_transfer(header, data, class),
        (_, ED) => Ok(Tpdu::Expedited),
        (_, ER) => {
            let [.., d1, d0, cause] = front::<5>(header)?;
            Ok(Tpdu::Error { destination: u16::from_be_bytes([d1, d0]), cause })
        }
        _ => Err(Fault::Type),
    }
}

fn front<const N: usize>(header: &[u8]) -> Result<[u8; N], Fault> {
    header.first_chunk().copied().ok_or(Fault::Length)
}

fn connect<'a>(header: &'a [u8], data: &'a [u8], confirm: bool) -> Result<Connect<'a>, Fault> {
    let [_, _, d1, d0, s1, s0, class] = front::<7>(header)?;
    let mut connect = Connect {
        destination: u16::from_be_bytes([d1, d0]),
        source: u16::from_be_bytes([s1, s0]),
        class: match class >> 4 {
            0 => Some(Class::Zero),
            2 => Some(Class::Two),
            _ => None,
        },
        or_class_0: false,
        size: None,
        calling: &[],
        called: &[],
        data,
    };
    let mut rest = &header[7..];
    while let [code, len, after @ ..] = rest {
        let Some((value, behind)) = after.split_at_checked(usize::from(*len)) else {
            return Err(Fault::Length);
        };
        rest = behind;
        match (*code, value) {
            (SIZE, [size @ 7..=13]) => connect.size = Some(*size),
            (SIZE, _) => return Err(Fault::Value),
            (CALLING, selector) => connect.calling = selector,
            (CALLED, selector) => connect.called = selector,
            (ALTERNATIVES, classes) => connect.or_class_0 = classes.iter().any(|c| c >> 4 == 0),
            (VERSION, [1]) => {}
            (VERSION, _) => return Err(Fault::Value),
            // Unknown ones are ignored in a request (RFC 905 13.2.3), and in a confirm because
            // real peers add some of their own.
            _ => {}
        }
    }
    let too_long = data.len() > CONNECT_DATA_MAX
        || connect.calling.len().max(connect.called.len()) > SELECTOR_MAX;
    let misplaced = confirm && connect.source == 0;
    if too_long || !rest.is_empty() || misplaced { Err(Fault::Length) } else { Ok(connect) }
}

/// The connection is over anyway: what is odd behind the reason is passed over.
fn disconnect_request<'a>(
    header: &'a [u8],
    data: &'a [u8],
    class: Option<Class>,
) -> Result<Tpdu<'a>, Fault> {
    let [_, _, d1, d0, s1, s0, reason] = front::<7>(header)?;
    let mut manner = Manner::Orderly;
    let mut rest = &header[7..];
    while let [code, len, after @ ..] = rest {
        let Some((value, behind)) = after.split_at_checked(usize::from(*len)) else {
            break;
        };
        rest = behind;
        if *code == ADDITIONAL && value != [0x80] {
            manner = Manner::Abrupt;
        }
    }
    if reason != reason::NORMAL && class == Some(Class::Two) {
        manner = Manner::Abrupt;
    }
    let carries = class != Some(Class::Zero) && data.len() <= DISCONNECT_DATA_MAX;
    Ok(Tpdu::DisconnectRequest {
        destination: u16::from_be_bytes([d1, d0]),
        source: u16::from_be_bytes([s1, s0]),
        reason,
        manner,
        data: if carries { data } else { &[] },
    })
}

fn data_transfer<'a>(
    header: &'a [u8],
    data: &'a [u8],
    class: Option<Class>,
) -> Result<Tpdu<'a>, Fault> {
    let (destination, end) = match (class, header) {
        (Some(Class::Zero), [_, _, end]) => (None, *end),
        (Some(Class::Two), [_, _, d1, d0, end]) => (Some(u16::from_be_bytes([*d1, *d0])), *end),
        (None, _) => return Err(Fault::Type),
        _ => return Err(Fault::Length),
    };
    Ok(Tpdu::Data { destination, end: end & 0x80 != 0, data })
}

/// Writes a packet around what `tpdu` writes.
fn packet(into: &mut Vec<u8>, tpdu: impl FnOnce(&mut Vec<u8>)) {
    let start = into.len();
    into.extend([3, 0, 0, 0]);
    tpdu(into);
    let len = into.len() - start;
    debug_assert!(TPKT.contains(&len), "{len}");
    let len = u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes();
    into[start + 2..start + 4].copy_from_slice(&len);
}

/// Writes a header of a TPDU, whose length indicator is its own length less one.
fn header(into: &mut Vec<u8>, octets: impl FnOnce(&mut Vec<u8>)) {
    let start = into.len();
    into.push(0);
    octets(into);
    into[start] = u8::try_from(into.len() - start - 1).unwrap_or(u8::MAX);
}

fn references(into: &mut Vec<u8>, code: u8, destination: u16, source: u16) {
    into.push(code);
    into.extend(destination.to_be_bytes());
    into.extend(source.to_be_bytes());
}

fn parameter(into: &mut Vec<u8>, code: u8, value: &[u8]) {
    into.extend([code, u8::try_from(value.len()).unwrap_or(u8::MAX)]);
    into.extend(value);
}

/// Appends a CR or CC; `class` has to be one of linsock's, else it is 0.
pub fn emit_connect(into: &mut Vec<u8>, connect: &Connect<'_>, confirm: bool) {
    let class = connect.class.unwrap_or(Class::Zero);
    packet(into, |into| {
        header(into, |into| {
            let code = if confirm { CC } else { CR };
            references(into, code, connect.destination, connect.source);
            into.push(if class == Class::Two { CLASS_2 } else { 0 });
            if let Some(size) = connect.size {
                parameter(into, SIZE, &[size]);
            }
            if !connect.calling.is_empty() || !connect.called.is_empty() {
                parameter(into, CALLING, connect.calling);
                parameter(into, CALLED, connect.called);
            }
            if class == Class::Two {
                // The default of ISO and that of RFC 2126 contradict each other: say it.
                parameter(into, OPTIONS, &[0]);
            }
            if connect.or_class_0 {
                parameter(into, ALTERNATIVES, &[0]);
            }
        });
        into.extend(connect.data);
    });
}

/// Appends a DR.
pub fn emit_disconnect(
    into: &mut Vec<u8>,
    (destination, source): (u16, u16),
    reason: u8,
    manner: Option<Manner>,
    data: &[u8],
) {
    packet(into, |into| {
        header(into, |into| {
            references(into, DR, destination, source);
            into.push(reason);
            match manner {
                None => {}
                Some(Manner::Orderly) => parameter(into, ADDITIONAL, &[0x80]),
                Some(Manner::Abrupt) => parameter(into, ADDITIONAL, &[0xC0]),
            }
        });
        into.extend(data);
    });
}

/// Appends a DC.
pub fn emit_disconnect_confirm(into: &mut Vec<u8>, destination: u16, source: u16) {
    packet(into, |into| header(into, |into| references(into, DC, destination, source)));
}

/// Appends a DT: at most [`DATA_MAX`] octets, which `append` appends; `destination` is `None` in
/// class 0.
pub fn emit_data(
    into: &mut Vec<u8>,
    destination: Option<u16>,
    end: bool,
    append: impl FnOnce(&mut Vec<u8>),
) {
    packet(into, |into| {
        header(into, |into| {
            into.push(DT);
            if let Some(destination) = destination {
                into.extend(destination.to_be_bytes());
            }
            into.push(if end { 0x80 } else { 0 });
        });
        append(into);
    });
}

/// Appends an ER that shows the rejected TPDU up to `culprit` octets (mandatory in class 0).
pub fn emit_error(into: &mut Vec<u8>, destination: u16, fault: Fault, rejected: &[u8]) {
    let cause = match fault {
        Fault::Parameter => 1,
        Fault::Type => 2,
        Fault::Value | Fault::Length => 3,
        Fault::Framing => 0,
    };
    packet(into, |into| {
        header(into, |into| {
            into.push(ER);
            into.extend(destination.to_be_bytes());
            into.push(cause);
            parameter(into, REJECTED, &rejected[..rejected.len().min(64)]);
        });
    });
}

#[cfg(test)]
mod tests;

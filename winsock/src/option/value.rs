//! What getsockopt gives.

/// The value of an option, as getsockopt gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A BOOL: as many octets as the caller has room for, up to four.
    Bool(bool),
    /// A number of one octet: in four if the caller has the room, else in one.
    Octet(u8),
    /// All of it or nothing.
    Whole(Vec<u8>),
    /// All of it, and it may be nothing.
    Data(Vec<u8>),
}

impl Value {
    pub(super) fn dword(value: u32) -> Self {
        Self::Whole(value.to_ne_bytes().to_vec())
    }

    /// The octets for a caller with `room`; `None` if that is too little.
    pub fn octets(self, room: usize) -> Option<Vec<u8>> {
        let octets = match self {
            Self::Bool(on) => u32::from(on).to_ne_bytes()[..room.min(4)].to_vec(),
            Self::Octet(number) if room < 4 => vec![number],
            Self::Octet(number) => u32::from(number).to_ne_bytes().to_vec(),
            Self::Data(octets) => return (octets.len() <= room).then_some(octets),
            Self::Whole(octets) => octets,
        };
        (!octets.is_empty() && octets.len() <= room).then_some(octets)
    }
}

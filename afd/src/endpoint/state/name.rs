//! What tools call the states.

use super::{Phase, RecvHalf, SendHalf};

impl Phase {
    /// A name for people and programs: words with hyphens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::OpenRecycled => "recycled",
            Self::Bound => "bound",
            Self::BoundRecycled => "recycled-bound",
            Self::Listening => "listening",
            Self::Accepting => "accepting",
            Self::Connecting => "connecting",
            Self::ConnectingEx => "connecting-ex",
            Self::Connected => "connected",
            Self::AcceptedRaw => "accepted-raw",
            Self::ConnectedRaw => "connected-raw",
            Self::Disconnecting => "disconnecting",
            Self::Closed => "over",
        }
    }
}

impl SendHalf {
    /// A name for people and programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closing => "closing",
            Self::Closed => "closed",
        }
    }
}

impl RecvHalf {
    /// A name for people and programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Ended => "ended",
            Self::Shut { peer_ended: false } => "shut",
            Self::Shut { peer_ended: true } => "shut-ended",
        }
    }
}

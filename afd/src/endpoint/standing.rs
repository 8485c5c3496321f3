//! What of an endpoint another process can take over.

use alloc::collections::VecDeque;

use super::state::{
    Bound, Connected, Link, Listening, Open, RecvHalf, SendHalf, State, Unconnected,
};
use super::{Endpoint, Request};

/// How an endpoint stands, without its operations, which stay where they were begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Without a connection.
    Unconnected(Unconnected),
    /// Waiting for connections.
    Listening,
    /// With one.
    Connected(Link),
}

impl<I> Endpoint<I> {
    /// How it stands; `None` while a connection is being made or ended, and when one has failed.
    ///
    /// A FIN that waits behind sends is left to this process, and that of the peer is found again
    /// by the first receive.
    pub fn standing(&self) -> Option<Standing> {
        Some(match &self.state {
            State::Open(open) => Standing::Unconnected(Unconnected::Open(*open)),
            State::Bound(bound) => Standing::Unconnected(Unconnected::Bound(*bound)),
            State::Listening(_) => Standing::Listening,
            State::Connected(Connected { link }) => Standing::Connected(Link {
                send: if link.send == SendHalf::Open { SendHalf::Open } else { SendHalf::Closed },
                recv: match link.recv {
                    RecvHalf::Open | RecvHalf::Ended => RecvHalf::Open,
                    RecvHalf::Shut { .. } => RecvHalf::Shut { peer_ended: false },
                },
                ..*link
            }),
            State::Accepting(_)
            | State::Connecting(_)
            | State::Disconnecting(_)
            | State::Closed(_) => return None,
        })
    }

    /// An endpoint that stands as one in another process did. It may have a [`Request`].
    pub fn from_standing(standing: Standing) -> Self {
        let refuses = matches!(
            standing,
            Standing::Connected(Link { recv: RecvHalf::Shut { peer_ended: false }, .. })
        );
        let state = match standing {
            Standing::Unconnected(Unconnected::Open(Open { past })) => State::Open(Open { past }),
            Standing::Unconnected(Unconnected::Bound(Bound { past })) => {
                State::Bound(Bound { past })
            }
            Standing::Listening => State::Listening(Listening { accepts: VecDeque::new() }),
            Standing::Connected(link) => State::Connected(Connected { link }),
        };
        let mut endpoint = Self { state, ..Self::new() };
        if refuses {
            endpoint.requests.push_back(Request::RefuseData);
        }
        endpoint
    }
}

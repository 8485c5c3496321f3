//! What a socket is, as text: for another process that is given the descriptor.

mod words;

use std::time::Duration;

use linsock_iocp::afd::address::{self, Address, Domain};
use linsock_iocp::afd::datagram;
use linsock_iocp::afd::endpoint::Standing;
use linsock_iocp::afd::endpoint::state::{
    Bound, Context, Link, Open, Origin, Past, RecvHalf, SendHalf, Unconnected,
};
pub(crate) use words::{Reader, Writer};

use crate::catalog::{PROVIDERS, Provider};
use crate::option::Options;

/// Who wrote it: another version may mean something else by the same words.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a socket is, except for its descriptor.
#[derive(Debug)]
pub(super) struct Passport {
    pub(super) provider: Provider,
    pub(super) overlapped: bool,
    pub(super) nonblocking: bool,
    pub(super) affairs: Affairs,
    pub(super) bound: Option<Address>,
    pub(super) peer: Option<Address>,
    pub(super) connected_at: Option<Duration>,
    pub(super) options: Options,
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Affairs {
    Stream(Standing),
    Datagrams {
        standing: datagram::Standing,
        /// SIO_UDP_CONNRESET.
        tells_unreachable: bool,
    },
}

impl Passport {
    /// The text: small letters, digits and full stops.
    pub(super) fn write(&self) -> String {
        let mut to = Writer::default();
        to.octets(VERSION.as_bytes());
        to.number(self.provider.id());
        to.number(self.overlapped);
        to.number(self.nonblocking);
        write_affairs(self.affairs, &mut to);
        write_address(self.bound.as_ref(), &mut to);
        write_address(self.peer.as_ref(), &mut to);
        to.maybe(self.connected_at.map(|at| u64::try_from(at.as_millis()).unwrap_or(u64::MAX)));
        self.options.write(&mut to);
        to.finish()
    }

    /// Reads what [`write`](Self::write) wrote; `None` for anything else.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut from = Reader::new(text);
        if from.octets()? != VERSION.as_bytes() {
            return None;
        }
        let id: u32 = from.number()?;
        let provider = PROVIDERS.into_iter().find(|provider| provider.id() == id)?;
        let domain = provider.domain();
        let passport = Self {
            provider,
            overlapped: from.truth()?,
            nonblocking: from.truth()?,
            affairs: read_affairs(provider, &mut from)?,
            bound: read_address(domain, &mut from)?,
            peer: read_address(domain, &mut from)?,
            connected_at: from.maybe()?.map(Duration::from_millis),
            options: Options::read(&mut from)?,
        };
        from.ends_here().then_some(passport)
    }
}

fn write_affairs(affairs: Affairs, to: &mut Writer) {
    match affairs {
        Affairs::Stream(Standing::Unconnected(unconnected)) => {
            let (kind, past) = match unconnected {
                Unconnected::Open(Open { past }) => (0_u8, past),
                Unconnected::Bound(Bound { past }) => (1, past),
            };
            to.number(kind);
            to.number(past == Past::Recycled);
        }
        Affairs::Stream(Standing::Listening) => to.number(2_u8),
        Affairs::Stream(Standing::Connected(Link { origin, context, send, recv })) => {
            to.number(3_u8);
            to.number(origin == Origin::Accepted);
            to.number(context == Context::Current);
            to.number(send == SendHalf::Open);
            to.number(recv == RecvHalf::Open);
        }
        Affairs::Datagrams { standing, tells_unreachable } => {
            let datagram::Standing { bound, connected, send_shut, recv_shut } = standing;
            let truths = [bound, connected, send_shut, recv_shut, tells_unreachable];
            truths.into_iter().for_each(|truth| to.number(truth));
        }
    }
}

fn read_affairs(provider: Provider, from: &mut Reader<'_>) -> Option<Affairs> {
    if provider.is_datagram() {
        let standing = datagram::Standing {
            bound: from.truth()?,
            connected: from.truth()?,
            send_shut: from.truth()?,
            recv_shut: from.truth()?,
        };
        return Some(Affairs::Datagrams { standing, tells_unreachable: from.truth()? });
    }
    let past = |from: &mut Reader<'_>| Some(if from.truth()? { Past::Recycled } else { Past::New });
    Some(Affairs::Stream(match from.number::<u8>()? {
        0 => Standing::Unconnected(Unconnected::Open(Open { past: past(from)? })),
        1 => Standing::Unconnected(Unconnected::Bound(Bound { past: past(from)? })),
        2 => Standing::Listening,
        3 => Standing::Connected(Link {
            origin: if from.truth()? { Origin::Accepted } else { Origin::Connected },
            context: if from.truth()? { Context::Current } else { Context::AwaitsUpdate },
            send: if from.truth()? { SendHalf::Open } else { SendHalf::Closed },
            recv: match from.truth()? {
                true => RecvHalf::Open,
                false => RecvHalf::Shut { peer_ended: false },
            },
        }),
        _ => return None,
    }))
}

fn write_address(address: Option<&Address>, to: &mut Writer) {
    match address {
        Some(address) => address.with_octets(|octets| to.octets(octets)),
        None => to.octets(&[]),
    }
}

fn read_address(domain: Domain, from: &mut Reader<'_>) -> Option<Option<Address>> {
    match from.octets()?.as_slice() {
        [] => Some(None),
        octets => address::parse_any(domain, octets).ok().map(Some),
    }
}

#[cfg(test)]
mod tests {
    use linsock_iocp::afd::address::Family;

    use super::*;

    fn passport(provider: Provider, affairs: Affairs) -> Passport {
        Passport {
            provider,
            overlapped: true,
            nonblocking: false,
            affairs,
            bound: None,
            peer: None,
            connected_at: None,
            options: Options::NONE,
        }
    }

    fn again(passport: &Passport) -> String {
        let text = passport.write();
        assert!(text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'.'), "{text}");
        format!("{:?}", Passport::read(&text).expect("what was written is read"))
    }

    #[test]
    fn every_standing_arrives() {
        let mut all = vec![Standing::Listening];
        for past in [Past::New, Past::Recycled] {
            all.push(Standing::Unconnected(Unconnected::Open(Open { past })));
            all.push(Standing::Unconnected(Unconnected::Bound(Bound { past })));
        }
        for origin in [Origin::Accepted, Origin::Connected] {
            for context in [Context::Current, Context::AwaitsUpdate] {
                for send in [SendHalf::Open, SendHalf::Closed] {
                    for recv in [RecvHalf::Open, RecvHalf::Shut { peer_ended: false }] {
                        all.push(Standing::Connected(Link { origin, context, send, recv }));
                    }
                }
            }
        }
        for standing in all {
            let one = passport(Provider::Tcp(Family::Inet), Affairs::Stream(standing));
            assert_eq!(again(&one), format!("{one:?}"));
        }
    }

    #[test]
    fn addresses_and_datagrams_arrive() {
        let standing = datagram::Standing { bound: true, send_shut: true, ..Default::default() };
        let affairs = Affairs::Datagrams { standing, tells_unreachable: true };
        let mut one = passport(Provider::Udp(Family::Inet6), affairs);
        one.bound = Some(Address::Ip("[fe80::1%7]:9".parse().unwrap()));
        one.peer = Some(Address::Ip("[::1]:65535".parse().unwrap()));
        one.connected_at = Some(Duration::from_millis(1234));
        assert_eq!(again(&one), format!("{one:?}"));
        let mut one = passport(Provider::Unix, Affairs::Stream(Standing::Listening));
        let path = address::UnixPath::new(b"/tmp/a path, with: everything").unwrap();
        one.bound = Some(Address::Unix(path));
        assert_eq!(again(&one), format!("{one:?}"));
    }

    /// Whatever is left out, added or of another version is no passport.
    #[test]
    fn nothing_else_is_one() {
        let text =
            passport(Provider::Tcp(Family::Inet), Affairs::Stream(Standing::Listening)).write();
        for end in 0..text.len() {
            assert!(Passport::read(&text[..end]).is_none(), "{end}");
        }
        assert!(Passport::read(&format!("{text}0.")).is_none());
        assert!(Passport::read(&format!("00{text}")).is_none());
        assert!(Passport::read(&text.replacen('.', ".99", 1)).is_none());
    }
}

//! The options of a socket on their way into another process.

use super::number::{Number, Numbers};
use super::{IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, Options, SOL_SOCKET};
use crate::socket::{Reader, Writer};

/// The names that a number can have, by level.
const NAMES: [(i32, std::ops::Range<i32>); 4] = [
    (IPPROTO_IP, 0..0x80),
    (IPPROTO_IPV6, 0..0x80),
    (IPPROTO_TCP, 0..0x80),
    (SOL_SOCKET, 0x3000..0x3010),
];

impl Number {
    /// By which level and name a program knows it.
    fn name(self) -> Option<(i32, i32)> {
        let mut names =
            NAMES.into_iter().flat_map(|(level, names)| names.map(move |it| (level, it)));
        names.find(|&(level, name)| Self::of(level, name) == Some(self))
    }
}

impl Options {
    /// Writes all of them.
    pub(crate) fn write(&self, to: &mut Writer) {
        let Self {
            reuse_address,
            exclusive_address,
            keep_alive,
            no_delay,
            ipv6_only,
            dont_route,
            broadcast,
            debug,
            oob_inline,
            conditional_accept,
            linger_seconds,
            receive_buffer,
            send_buffer,
            receive_timeout_ms,
            send_timeout_ms,
            numbers,
        } = self;
        let truths = [
            reuse_address,
            exclusive_address,
            dont_route,
            broadcast,
            debug,
            oob_inline,
            conditional_accept,
        ];
        truths.into_iter().for_each(|&truth| to.number(truth));
        [keep_alive, no_delay, ipv6_only].into_iter().for_each(|&truth| to.maybe(truth));
        to.maybe(*linger_seconds);
        to.maybe(*receive_buffer);
        to.maybe(*send_buffer);
        to.number(*receive_timeout_ms);
        to.number(*send_timeout_ms);
        numbers.write(to);
    }

    /// Reads what [`write`](Self::write) wrote.
    pub(crate) fn read(from: &mut Reader<'_>) -> Option<Self> {
        // Members are evaluated in the order in which they stand here.
        Some(Self {
            reuse_address: from.truth()?,
            exclusive_address: from.truth()?,
            dont_route: from.truth()?,
            broadcast: from.truth()?,
            debug: from.truth()?,
            oob_inline: from.truth()?,
            conditional_accept: from.truth()?,
            keep_alive: from.maybe::<u8>()?.map(|truth| truth != 0),
            no_delay: from.maybe::<u8>()?.map(|truth| truth != 0),
            ipv6_only: from.maybe::<u8>()?.map(|truth| truth != 0),
            linger_seconds: from.maybe()?,
            receive_buffer: from.maybe()?,
            send_buffer: from.maybe()?,
            receive_timeout_ms: from.number()?,
            send_timeout_ms: from.number()?,
            numbers: Numbers::read(from)?,
        })
    }
}

impl Numbers {
    fn write(&self, to: &mut Writer) {
        let named = self.0.iter().filter_map(|&(number, value)| Some((number.name()?, value)));
        let named: Vec<_> = named.collect();
        to.number(named.len() as u64);
        for ((level, name), value) in named {
            to.number(level.cast_unsigned());
            to.number(name.cast_unsigned());
            to.number(value);
        }
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let count: u8 = from.number()?;
        let mut one = || {
            let (level, name): (u32, u32) = (from.number()?, from.number()?);
            let number = Number::of(level.cast_signed(), name.cast_signed())?;
            Some((number, from.number()?))
        };
        Some(Self((0..count).map(|_| one()).collect::<Option<_>>()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(options: &Options) -> Option<String> {
        let mut writer = Writer::default();
        options.write(&mut writer);
        let text = writer.finish();
        let mut reader = Reader::new(&text);
        let read = Options::read(&mut reader)?;
        reader.ends_here().then(|| format!("{read:?}"))
    }

    #[test]
    fn all_of_them_arrive() {
        let mut options = Options::NONE;
        assert_eq!(again(&options), Some(format!("{options:?}")));
        options.reuse_address = true;
        options.debug = true;
        options.conditional_accept = true;
        options.keep_alive = Some(false);
        options.ipv6_only = Some(true);
        options.linger_seconds = Some(0);
        options.send_buffer = Some(u32::MAX);
        options.receive_timeout_ms = 7;
        options.send_timeout_ms = u32::MAX;
        options.numbers.set(Number::Ttl, 9);
        options.numbers.set(Number::ReuseUnicastPort, 1);
        assert_eq!(again(&options), Some(format!("{options:?}")));
    }

    /// One that had no name would be lost on the way.
    #[test]
    fn every_number_has_a_name() {
        let named = NAMES.into_iter().flat_map(|(level, names)| {
            names.filter_map(move |name| Number::of(level, name).map(|it| (it, (level, name))))
        });
        let named: Vec<_> = named.collect();
        assert_eq!(named.len(), 31, "as many as there are");
        for (number, name) in named {
            assert_eq!(number.name(), Some(name));
        }
    }
}

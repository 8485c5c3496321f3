//! Numbers and octets as words of text, which go into an environment variable and through a
//! message unchanged.

use std::fmt::Write as _;

/// Between two words; no word has it.
const BETWEEN: char = '.';

/// Writes words.
#[derive(Debug, Default)]
pub(crate) struct Writer(String);

impl Writer {
    /// A number.
    pub(crate) fn number(&mut self, number: impl Into<u64>) {
        let _ = write!(self.0, "{}{BETWEEN}", number.into());
    }

    /// A number that may not be there.
    pub(crate) fn maybe(&mut self, number: Option<impl Into<u64>>) {
        match number {
            Some(number) => self.number(number),
            None => self.0.push(BETWEEN),
        }
    }

    /// Octets, any number of them.
    pub(crate) fn octets(&mut self, octets: &[u8]) {
        octets.iter().for_each(|octet| {
            let _ = write!(self.0, "{octet:02x}");
        });
        self.0.push(BETWEEN);
    }

    /// What was written.
    pub(crate) fn finish(self) -> String {
        self.0
    }
}

/// Reads them again, in the same order. `None` is a word that is missing or of another kind.
#[derive(Debug)]
pub(crate) struct Reader<'a>(std::str::Split<'a, char>);

impl<'a> Reader<'a> {
    /// Of a text.
    pub(crate) fn new(text: &'a str) -> Self {
        Self(text.split(BETWEEN))
    }

    /// A number that fits.
    pub(crate) fn number<T: TryFrom<u64>>(&mut self) -> Option<T> {
        T::try_from(self.0.next()?.parse().ok()?).ok()
    }

    /// A truth value.
    pub(crate) fn truth(&mut self) -> Option<bool> {
        match self.number::<u8>()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// A number that may not be there.
    pub(crate) fn maybe<T: TryFrom<u64>>(&mut self) -> Option<Option<T>> {
        match self.0.next()? {
            "" => Some(None),
            word => Some(Some(T::try_from(word.parse().ok()?).ok()?)),
        }
    }

    /// Octets.
    pub(crate) fn octets(&mut self) -> Option<Vec<u8>> {
        let (pairs, []) = self.0.next()?.as_bytes().as_chunks::<2>() else { return None };
        let octet = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        pairs.iter().map(octet).collect()
    }

    /// Whether nothing is left.
    pub(crate) fn ends_here(mut self) -> bool {
        self.0.next() == Some("") && self.0.next().is_none()
    }
}

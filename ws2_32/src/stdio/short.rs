//! printf of texts in UTF-16, which become UTF-8: `%ws`, of which the C library knows nothing, and
//! in programs that are compiled with `-municode` `%ls` and its kin too.
//!
//! The C library takes units of 32 bits for those, and would read beyond every end. Each such text
//! of a list of arguments gives its place there to one in UTF-8 while the C library prints, and has
//! it back when that is over: the list may be printed once more.

use std::ffi::CString;

use super::Arguments;
use super::format::{Use, Utf16, translated};
use super::list::List;

/// A conversion of a format, behind its `%`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Conversion<'a> {
    pub(super) whole: &'a [u8],
    /// Flags and width.
    pub(super) field: &'a [u8],
    precision: Option<&'a [u8]>,
    pub(super) size: &'a [u8],
    pub(super) letter: u8,
}

/// Splits off the octets at the beginning that are among these.
fn leading<'a>(rest: &mut &'a [u8], among: &[u8]) -> &'a [u8] {
    let length = rest.iter().take_while(|octet| among.contains(octet)).count();
    let (taken, left) = rest.split_at(length);
    *rest = left;
    taken
}

impl<'a> Conversion<'a> {
    pub(super) fn read(behind: &'a [u8]) -> Option<Self> {
        let mut rest = behind;
        let field = leading(&mut rest, b"-+ #'*0123456789");
        let precision = rest.strip_prefix(b".").map(|digits| {
            rest = digits;
            leading(&mut rest, b"*0123456789")
        });
        let sizes: &[u8] = if rest.starts_with(b"I") { b"I0123456789" } else { b"hlwLqjzt" };
        let size = leading(&mut rest, sizes);
        let letter = *rest.first()?;
        let whole = behind.get(..=behind.len() - rest.len())?;
        Some(Self { whole, field, precision, size, letter })
    }

    /// Whether it is a text, or a character, in UTF-16.
    pub(super) fn is_meant(&self, which: Utf16) -> bool {
        let has = |letter: u8| self.size.contains(&letter);
        match self.letter {
            b's' | b'c' => has(b'w') || has(b'l') && which == Utf16::Wide,
            b'S' | b'C' => has(b'w') || !has(b'h') && which == Utf16::Wide,
            _ => false,
        }
    }
}

/// The parts of a format: what stands as it is, and the conversion behind it.
fn parts(format: &[u8]) -> impl Iterator<Item = (&[u8], Option<Conversion<'_>>)> {
    let mut rest = Some(format);
    std::iter::from_fn(move || {
        let now = rest.take()?;
        let Some(at) = now.iter().position(|octet| *octet == b'%') else {
            return Some((now, None));
        };
        let (text, behind) = now.split_at(at);
        let Some(conversion) = Conversion::read(&behind[1..]) else { return Some((now, None)) };
        rest = behind.get(1 + conversion.whole.len()..);
        Some((text, Some(conversion)))
    })
}

/// What is elsewhere than it was, while this lives.
pub(super) struct Swap {
    place: *mut u64,
    before: u64,
    /// What the place tells of.
    _text: Option<CString>,
}

impl Swap {
    /// # Safety
    /// It is the place of an argument of a list that lives as long as this.
    pub(super) unsafe fn new(place: *mut u64, now: u64, text: Option<CString>) -> Self {
        // SAFETY: the caller says so.
        let before = unsafe { place.replace(now) };
        Self { place, before, _text: text }
    }

    pub(super) const fn before(&self) -> u64 {
        self.before
    }
}

impl Drop for Swap {
    fn drop(&mut self) {
        // SAFETY: it is the place of an argument of the list, which is still the caller's.
        unsafe { self.place.write(self.before) };
    }
}

/// A format for the C library, and the list of arguments as that takes it, while this lives.
pub(super) struct Narrowed {
    format: Vec<u8>,
    list: List,
    which: Utf16,
    swaps: Vec<Swap>,
}

impl Narrowed {
    /// `None` if the format has no such texts, or has what is in no format of Windows.
    ///
    /// # Safety
    /// The arguments are what the format says.
    pub(super) unsafe fn of(format: &[u8], arguments: Arguments, which: Utf16) -> Option<Self> {
        parts(format).find(|(_, it)| it.as_ref().is_some_and(|it| it.is_meant(which)))?;
        // SAFETY: the caller says that it is a list.
        let list = unsafe { arguments.cast::<List>().read() };
        let mut narrowed = Self { format: Vec::new(), list, which, swaps: Vec::new() };
        for (text, conversion) in parts(format) {
            narrowed.format.extend_from_slice(text);
            if let Some(conversion) = conversion {
                // SAFETY: the caller says what the arguments are.
                unsafe { narrowed.pass(&conversion) }?;
            }
        }
        narrowed.format.push(0);
        if let Some(format) = translated(narrowed.format.strip_suffix(b"\0")?, Use::Print) {
            narrowed.format = format;
        }
        Some(narrowed)
    }

    pub(super) fn format(&self) -> &[u8] {
        &self.format
    }

    /// Passes the arguments of a conversion, and changes them if it is one of a text in UTF-16.
    ///
    /// # Safety
    /// They are what it says.
    unsafe fn pass(&mut self, conversion: &Conversion<'_>) -> Option<()> {
        conversion.field.iter().filter(|octet| **octet == b'*').for_each(|_| {
            self.list.word();
        });
        if conversion.is_meant(self.which) {
            // SAFETY: as above.
            unsafe { self.narrow(conversion) };
            return Some(());
        }
        if conversion.precision == Some(b"*") {
            self.list.word();
        }
        match conversion.letter {
            b'd' | b'i' | b'o' | b'u' | b'x' | b'X' | b'p' | b'n' | b'c' | b's' | b'C' | b'S' => {
                self.list.word();
            }
            b'a' | b'A' | b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => match conversion.size {
                b"L" => self.list.pass_long_real(),
                _ => self.list.pass_real(),
            },
            // Places of arguments, which no format of Windows has.
            b'$' => return None,
            // To the C library too it takes no argument.
            _ => {}
        }
        self.format.push(b'%');
        self.format.extend_from_slice(conversion.whole);
        Some(())
    }

    /// Makes a text, or character, one in UTF-8. Its precision counts units.
    ///
    /// # Safety
    /// As [`pass`](Self::pass).
    unsafe fn narrow(&mut self, conversion: &Conversion<'_>) {
        self.format.push(b'%');
        self.format.extend_from_slice(conversion.field);
        let most = match conversion.precision {
            None => usize::MAX,
            Some(b"*") => {
                self.format.extend_from_slice(b".*");
                let place = self.list.word();
                // SAFETY: the place of an int.
                let asked = unsafe { place.cast::<i32>().read() };
                // One below zero is none.
                self.swap(place, u64::from(u32::MAX), None);
                usize::try_from(asked).unwrap_or(usize::MAX)
            }
            Some(digits) => number(digits),
        };
        let place = self.list.word();
        // SAFETY: the place of a pointer or an int.
        let argument = unsafe { place.read() };
        let units = match conversion.letter {
            b's' | b'S' => {
                let from = usize::try_from(argument).unwrap_or(0);
                // SAFETY: the caller says that it is a text of so many units, or one with an end.
                unsafe { units_at(std::ptr::with_exposed_provenance(from), most) }
            }
            _ => u16::try_from(argument & 0xFFFF).ok().filter(|unit| *unit != 0).map(|u| vec![u]),
        };
        // No text and no character are the same to the C library, narrow or wide.
        let letter = if matches!(conversion.letter, b's' | b'S') { b's' } else { b'c' };
        self.format.push(if units.is_some() { b's' } else { letter });
        if let Some(units) = units {
            let text = CString::new(String::from_utf16_lossy(&units)).unwrap_or_default();
            let at = text.as_ptr().expose_provenance();
            self.swap(place, at as u64, Some(text));
        }
    }

    fn swap(&mut self, place: *mut u64, now: u64, text: Option<CString>) {
        // SAFETY: the place of an argument.
        self.swaps.push(unsafe { Swap::new(place, now, text) });
    }
}

pub(super) fn number(digits: &[u8]) -> usize {
    let digit = |octet: &u8| usize::from(octet.wrapping_sub(b'0'));
    digits.iter().fold(0, |sum: usize, octet| sum.saturating_mul(10).saturating_add(digit(octet)))
}

/// The units of a text, at most so many; `None` for none.
///
/// # Safety
/// It has as many, or ends with a zero before.
unsafe fn units_at(from: *const u16, most: usize) -> Option<Vec<u16>> {
    if from.is_null() {
        return None;
    }
    let unit = |at: usize| {
        // SAFETY: nothing before this place was the end.
        unsafe { from.wrapping_add(at).read_unaligned() }
    };
    Some((0..most).map(unit).take_while(|unit| *unit != 0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_falls_into_its_parts() {
        let split = |format: &'static str| -> Vec<_> {
            let show = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
            let told = |it: Conversion<'_>| (show(it.whole), it.is_meant(Utf16::Wide));
            parts(format.as_bytes()).map(|(text, it)| (show(text), it.map(told))).collect()
        };
        let part =
            |text: &str, whole: &str, wide| (text.to_owned(), Some((whole.to_owned(), wide)));
        let end = |text: &str| (text.to_owned(), None);
        assert_eq!(split(""), [end("")]);
        assert_eq!(split("100%"), [end("100%")]);
        assert_eq!(
            split("a%-5.*lsb%I64d%%%hS%.3S"),
            [
                part("a", "-5.*ls", true),
                part("b", "I64d", false),
                part("", "%", false),
                part("", "hS", false),
                part("", ".3S", true),
                end(""),
            ]
        );
    }

    /// cpp/c-runtime-library/format-specification-syntax-printf-and-wprintf-functions: the sizes.
    #[test]
    fn what_is_wide_is_said_by_size_and_letter() {
        for (texts, marked, wide) in [
            ("ws wS wc wC -5.3ws", true, true),
            ("ls lc S C lS lC", false, true),
            ("hs hS hc hC s c ld I64d wd lf", false, false),
        ] {
            for text in texts.split(' ') {
                let conversion = Conversion::read(text.as_bytes()).unwrap();
                assert_eq!(conversion.is_meant(Utf16::Marked), marked, "{text}");
                assert_eq!(conversion.is_meant(Utf16::Wide), wide, "{text}");
            }
        }
    }

    #[test]
    fn a_precision_is_a_number() {
        assert_eq!([number(b""), number(b"012"), number(&[b'9'; 40])], [0, 12, usize::MAX]);
    }
}

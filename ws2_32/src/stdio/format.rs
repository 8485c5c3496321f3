//! Formats as the Microsoft C runtime has them, in the C library's words.
//!
//! The two differ in the sizes `I64`, `I32` and `I` (of pointers), for which the C library has
//! `ll`, nothing and `z`: to it `I` asks for other digits, and 64 is a width. With `h` a text is
//! narrow, as that of `%hS`. What is translated is never longer than what it was.

/// Whether a format is to print or to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Print,
    Scan,
}

/// Which texts are UTF-16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Utf16 {
    /// Those with `w`, of WCHAR: `wchar_t` has 32 bits.
    Marked,
    /// All that are wide.
    Wide,
}

/// A conversion's size in Microsoft's words: its length there, and the C library's word.
fn size(at: &[u8]) -> Option<(usize, &'static [u8])> {
    match at {
        [b'I', b'6', b'4', ..] => Some((3, b"ll")),
        [b'I', b'3', b'2', ..] => Some((3, b"")),
        [b'I', ..] => Some((1, b"z")),
        [b'h', b'S', ..] => Some((2, b"s")),
        [b'h', b'C', ..] => Some((2, b"c")),
        _ => None,
    }
}

/// What may stand between a conversion's `%` and its size: flags, a width, a precision, a place.
const fn is_before_size(octet: u8) -> bool {
    matches!(octet, b'-' | b'+' | b' ' | b'#' | b'0'..=b'9' | b'*' | b'.' | b'$' | b'\'')
}

/// The length of a set of characters behind its `[`, whose bracket may be its first character.
pub(super) fn set_length(at: &[u8]) -> usize {
    let begin = usize::from(at.first() == Some(&b'^'));
    let begin = begin + usize::from(at.get(begin) == Some(&b']'));
    let end = at.iter().skip(begin).position(|octet| *octet == b']');
    end.map_or(at.len(), |end| begin + end + 1)
}

/// The conversions of a format: for each where its size would stand.
struct Sizes<'a> {
    format: &'a [u8],
    at: usize,
    used: Use,
}

impl Iterator for Sizes<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let rest = self.format.get(self.at..)?;
        let begin = self.at + rest.iter().position(|octet| *octet == b'%')? + 1;
        let rest = self.format.get(begin..)?;
        if rest.first() == Some(&b'%') {
            self.at = begin + 1;
            return self.next();
        }
        let place = begin + rest.iter().take_while(|octet| is_before_size(**octet)).count();
        self.at = place;
        let behind = self.format.get(place..)?;
        if behind.first() == Some(&b'%') {
            // It ends this conversion, as in `%5%`, and begins none.
            self.at = place + 1;
        }
        // A set may hold anything.
        let letters = behind.iter().take_while(|octet| matches!(octet, b'l' | b'h' | b'm')).count();
        if self.used == Use::Scan && behind.get(letters) == Some(&b'[') {
            let set = behind.get(letters + 1..).unwrap_or(&[]);
            self.at = place + letters + 1 + set_length(set);
        }
        Some(place)
    }
}

/// The format in the C library's words, with its zero; `None` if it is in them already.
pub(super) fn translated(format: &[u8], used: Use) -> Option<Vec<u8>> {
    let sizes = Sizes { format, at: 0, used };
    let (mut done, mut copied) = (Vec::new(), 0);
    for place in sizes {
        let Some((length, word)) = size(format.get(place..).unwrap_or(&[])) else { continue };
        done.reserve(format.len() + 1);
        done.extend_from_slice(format.get(copied..place).unwrap_or(&[]));
        done.extend_from_slice(word);
        copied = place + length;
    }
    if copied == 0 {
        return None;
    }
    done.extend_from_slice(format.get(copied..).unwrap_or(&[]));
    done.push(0);
    Some(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// cpp/c-runtime-library/format-specification-syntax-printf-and-wprintf-functions: the sizes.
    #[test]
    fn sizes_are_translated_where_they_stand() {
        for (format, expected) in [
            ("%I64d", "%lld"),
            ("%-08I64x|%+.3I64u", "%-08llx|%+.3llu"),
            ("%*.*I64i", "%*.*lli"),
            ("%I32d %I32u", "%d %u"),
            ("%Id %Iu %Ix", "%zd %zu %zx"),
            ("%2$I64d", "%2$lld"),
            ("%% %I64d %%I64d", "%% %lld %%I64d"),
            ("I64 %I64d I64", "I64 %lld I64"),
            ("%I", "%z"),
            ("%I6", "%z6"),
            ("%5%I64d %I64d", "%5%I64d %lld"),
            ("%hS %05hC %hs %hd %I32d", "%s %05c %hs %hd %d"),
        ] {
            for used in [Use::Print, Use::Scan] {
                let wanted = format!("{expected}\0").into_bytes();
                assert_eq!(translated(format.as_bytes(), used), Some(wanted), "{format}");
            }
        }
    }

    #[test]
    fn what_has_no_such_size_stays() {
        for format in ["", "I64", "%d", "%lld %s", "%%I64d", "%", "%5", "INFO %s: 100%"] {
            for used in [Use::Print, Use::Scan] {
                assert_eq!(translated(format.as_bytes(), used), None, "{format}");
            }
        }
    }

    #[test]
    fn a_set_to_read_holds_anything() {
        for format in ["%[%I64d]", "%5[^]%I64d]", "%l[]%I64d]", "%*[%I64d", "%[^"] {
            assert_eq!(translated(format.as_bytes(), Use::Scan), None, "{format}");
        }
        let behind = translated(b"%[%I64d]%I64d", Use::Scan);
        assert_eq!(behind, Some(b"%[%I64d]%lld\0".to_vec()));
        let ignored = translated(b"%*I64d", Use::Scan);
        assert_eq!(ignored, Some(b"%*lld\0".to_vec()));
    }
}

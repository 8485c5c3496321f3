//! Texts of the program's in both of Windows' forms: octets for the functions that end in A, UTF-16
//! for those that end in W. What is done with a text is the same, so such a pair is one function of
//! the [`Unit`].

use crate::export::Outcome;
use crate::last_error::Error;
use crate::ptr;

/// What a text consists of.
pub(crate) trait Unit: Copy {
    /// Reads a text that ends with a zero, as octets: UTF-8 if it was wide.
    ///
    /// # Errors
    /// WSAEFAULT; WSAEINVAL for half a surrogate pair, which is no character.
    fn read_text(at: *const Self) -> Outcome<Vec<u8>>;

    /// The text and its zero.
    fn zero_ended(text: &[u8]) -> Vec<Self>;
}

impl Unit for u8 {
    fn read_text(at: *const Self) -> Outcome<Vec<u8>> {
        ptr::read_cstr(at)
    }

    fn zero_ended(text: &[u8]) -> Vec<Self> {
        [text, &[0]].concat()
    }
}

impl Unit for u16 {
    fn read_text(at: *const Self) -> Outcome<Vec<u8>> {
        let text = String::from_utf16(&ptr::read_wide(at)?).map_err(|_| Error::WSAEINVAL)?;
        Ok(text.into_bytes())
    }

    fn zero_ended(text: &[u8]) -> Vec<Self> {
        String::from_utf8_lossy(text).encode_utf16().chain([0]).collect()
    }
}

/// As [`Unit::read_text`], and `None` for a null pointer.
///
/// # Errors
/// As [`Unit::read_text`].
pub(crate) fn read_text_opt<U: Unit>(at: *const U) -> Outcome<Option<Vec<u8>>> {
    if at.is_null() { Ok(None) } else { U::read_text(at).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_texts_come_and_go() {
        for text in ["", "host", "Bücher", "日本", "\u{1F600}"] {
            let wide = u16::zero_ended(text.as_bytes());
            assert_eq!(wide.last(), Some(&0));
            assert_eq!(u16::read_text(wide.as_ptr()), Ok(text.as_bytes().to_vec()));
        }
        assert_eq!(u16::zero_ended("\u{1F600}".as_bytes()), [0xD83D, 0xDE00, 0]);
        assert_eq!(u16::zero_ended(b"a\xFF"), [0x61, 0xFFFD, 0]);
    }

    #[test]
    fn half_a_pair_and_no_memory_are_refused() {
        for units in [&[0xD83D, 0][..], &[0xDE00, 0], &[0xDE00, 0xD83D, 0], &[0x61, 0xD800, 0]] {
            assert_eq!(u16::read_text(units.as_ptr()), Err(Error::WSAEINVAL));
        }
        assert_eq!(u16::read_text(std::ptr::without_provenance(16)), Err(Error::WSAEFAULT));
        assert_eq!(u16::read_text(std::ptr::null()), Err(Error::WSAEFAULT));
        assert_eq!(read_text_opt(std::ptr::null::<u16>()), Ok(None));
    }
}

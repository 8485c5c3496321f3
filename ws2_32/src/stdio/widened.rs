//! scanf of texts in UTF-16: those that `super::short` prints. The C library reads them in UTF-8
//! into memory of its own (`%ms`), and when it is done they go to where the program wants them. A
//! width counts octets.

use std::ffi::{CStr, c_char};

use super::Arguments;
use super::format::{Use, Utf16, set_length, translated};
use super::list::List;
use super::short::{Conversion, Swap, number};

/// Where the C library reads a text to.
enum Place {
    /// Characters: as many zeros, as it may find fewer.
    Characters(Vec<u8>),
    /// What it allocates, in a box of this.
    Text(*mut *mut c_char),
}

/// A text that is read.
struct Text {
    place: Place,
    /// In the place of the program's pointer.
    swap: Swap,
}

/// The longest run of characters that is understood.
const MOST_CHARACTERS: usize = 1 << 20;

/// A format for the C library, and the list of arguments as that takes it, while this lives.
pub(super) struct Widened {
    format: Vec<u8>,
    list: List,
    texts: Vec<Text>,
}

/// A conversion's set of characters, with its end.
fn set_of<'a>(conversion: &Conversion<'_>, behind: &'a [u8]) -> &'a [u8] {
    let length = if conversion.letter == b'[' { set_length(behind) } else { 0 };
    behind.get(..length).unwrap_or(&[])
}

/// Whether it is a text, or characters, in UTF-16.
fn is_meant(conversion: &Conversion<'_>, which: Utf16) -> bool {
    let has = |letter: u8| conversion.size.contains(&letter);
    let is_set = conversion.letter == b'[';
    conversion.is_meant(which) || is_set && (has(b'w') || has(b'l') && which == Utf16::Wide)
}

impl Widened {
    /// `None` if the format has no such texts, or has what is in no format of Windows.
    ///
    /// # Safety
    /// The arguments are what the format says.
    pub(super) unsafe fn of(format: &[u8], arguments: Arguments, which: Utf16) -> Option<Self> {
        // SAFETY: the caller says that it is a list.
        let list = unsafe { arguments.cast::<List>().read() };
        let mut widened = Self { format: Vec::new(), list, texts: Vec::new() };
        let mut rest = format;
        while let Some(at) = rest.iter().position(|octet| *octet == b'%') {
            let (text, behind) = rest.split_at(at);
            let conversion = Conversion::read(&behind[1..])?;
            let behind = behind.get(1 + conversion.whole.len()..)?;
            let set = set_of(&conversion, behind);
            rest = behind.get(set.len()..)?;
            widened.format.extend_from_slice(text);
            // SAFETY: the caller says what the arguments are.
            unsafe { widened.pass(&conversion, set, which) }?;
        }
        if widened.texts.is_empty() {
            return None;
        }
        widened.format.extend_from_slice(rest);
        match translated(&widened.format, Use::Scan) {
            Some(format) => widened.format = format,
            None => widened.format.push(0),
        }
        Some(widened)
    }

    pub(super) fn format(&self) -> &[u8] {
        &self.format
    }

    /// Passes the argument of a conversion, and changes it if it is one of a text in UTF-16.
    ///
    /// # Safety
    /// It is what it says.
    unsafe fn pass(&mut self, it: &Conversion<'_>, set: &[u8], which: Utf16) -> Option<()> {
        let (is_left_out, is_text) = (it.field.contains(&b'*'), is_meant(it, which));
        self.format.push(b'%');
        if !is_text {
            self.format.extend_from_slice(it.whole);
        } else {
            self.format.extend_from_slice(it.field);
            let is_allocated = !is_left_out && !is_character(it);
            self.format.extend_from_slice(if is_allocated { b"m" } else { b"" });
            self.format.push(it.letter.to_ascii_lowercase());
        }
        self.format.extend_from_slice(set);
        match it.letter {
            // Places of arguments and memory of the C library's, which no format of Windows has.
            b'$' | b'm' => return None,
            b'd' | b'i' | b'o' | b'u' | b'x' | b'X' | b'p' | b'n' | b'c' | b's' | b'C' | b'S'
            | b'[' | b'a' | b'A' | b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => {}
            // To the C library too it takes no argument.
            _ => return Some(()),
        }
        if is_left_out {
            return Some(());
        }
        let place = self.list.word();
        if is_text {
            let (to, at) = new_place(it)?;
            // SAFETY: the place of a pointer of the caller's list.
            let swap = unsafe { Swap::new(place, at as u64, None) };
            self.texts.push(Text { place: to, swap });
        }
        Some(())
    }
}

/// Whether it is of characters, which no zero ends.
const fn is_character(conversion: &Conversion<'_>) -> bool {
    matches!(conversion.letter, b'c' | b'C')
}

/// A place for what a conversion reads, and the address for the C library.
fn new_place(conversion: &Conversion<'_>) -> Option<(Place, usize)> {
    if !is_character(conversion) {
        let read = Box::into_raw(Box::new(std::ptr::null_mut()));
        return Some((Place::Text(read), read.expose_provenance()));
    }
    let count = number(conversion.field).max(1);
    let mut characters = (count <= MOST_CHARACTERS).then(|| vec![0; count])?;
    let at = characters.as_mut_ptr().expose_provenance();
    Some((Place::Characters(characters), at))
}

impl Text {
    fn store(&self, octets: &[u8], end: Option<u16>) {
        let text = String::from_utf8_lossy(octets);
        let wanted = usize::try_from(self.swap.before()).unwrap_or(0);
        let wanted = std::ptr::with_exposed_provenance_mut::<u16>(wanted);
        for (at, unit) in text.encode_utf16().chain(end).enumerate() {
            // SAFETY: the program says that there is room for what it has asked for.
            unsafe { wanted.wrapping_add(at).write_unaligned(unit) };
        }
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        match &self.place {
            Place::Characters(characters) => {
                let count = characters.iter().rposition(|octet| *octet != 0).map_or(0, |at| at + 1);
                self.store(characters.get(..count).unwrap_or(&[]), None);
            }
            Place::Text(read) => {
                // SAFETY: it came from a box, and only the C library knew of it.
                let read = unsafe { *Box::from_raw(*read) };
                if !read.is_null() {
                    // SAFETY: the C library has put a text there.
                    self.store(unsafe { CStr::from_ptr(read) }.to_bytes(), Some(0));
                }
                // SAFETY: the C library has allocated it for us, or nothing.
                unsafe { libc::free(read.cast()) };
            }
        }
    }
}

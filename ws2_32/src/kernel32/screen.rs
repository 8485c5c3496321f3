//! The console as a screen: its size, its colours, its modes.
//!
//! A console is a terminal that is open as a stream; everything else is ERROR_INVALID_HANDLE, as on
//! Windows where the streams are redirected. Colours are set by the escape sequences of ECMA-48.
#![allow(unsafe_code, reason = "a structure of Windows is written to the program's memory")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};

use linsock::iocp::buffer::Buffers;
use linsock::iocp::disk::Way;
use linsock::iocp::stream::{Descriptor, Standard, Stream};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr,
};

use super::conio::is_in_foreground;
use super::file_io::failed;
use super::object::no_access;
use super::wide;
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr::{self, Out};

const ENABLE_PROCESSED_INPUT: u32 = 1;
const ENABLE_LINE_INPUT: u32 = 2;
const ENABLE_ECHO_INPUT: u32 = 4;
/// ENABLE_PROCESSED_OUTPUT, ENABLE_WRAP_AT_EOL_OUTPUT, ENABLE_VIRTUAL_TERMINAL_PROCESSING: what
/// terminals do.
const OUTPUT_MODE: u32 = 1 | 2 | 4;

/// Light grey on black: what a console begins with.
const PLAIN: u16 = 7;
const BACKGROUND_SHIFT: u32 = 4;
const FOREGROUND_INTENSITY: u16 = 8;
const COMMON_LVB_REVERSE_VIDEO: u16 = 0x4000;
const COMMON_LVB_UNDERSCORE: u16 = 0x8000;

/// The attributes that were set last: a terminal does not tell.
static ATTRIBUTES: AtomicU16 = AtomicU16::new(PLAIN);
/// The mode of the output that was set last.
static MODE: AtomicU32 = AtomicU32::new(OUTPUT_MODE);

/// COORD.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Coord {
    x: i16,
    y: i16,
}

/// CONSOLE_SCREEN_BUFFER_INFO.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    size: Coord,
    cursor: Coord,
    attributes: u16,
    /// Left, top, right, bottom.
    window: [i16; 4],
    most: Coord,
}

const _: () = assert!(size_of::<Screen>() == 22);

/// A console behind a handle.
fn console(handle: HANDLE) -> Outcome<Arc<Stream>> {
    let stream = Stream::from_value(handle).filter(|stream| stream.is_terminal());
    stream.ok_or(Error::ERROR_INVALID_HANDLE)
}

/// A console that is written to.
fn screen(handle: HANDLE) -> Outcome<Arc<Stream>> {
    let console = console(handle)?;
    if is_input(&console) { Err(Error::ERROR_INVALID_HANDLE) } else { Ok(console) }
}

/// Whether a console is for reading: a terminal is open for both as each standard stream.
fn is_input(console: &Stream) -> bool {
    matches!(console.descriptor(), Descriptor::Standard(Standard::Input)) || !console.access().write
}

/// The sequence that sets the attributes.
fn sequence(attributes: u16) -> String {
    // Windows counts blue, green, red; terminals red, green, blue.
    let colour = |bits: u16| (bits & 1) << 2 | bits & 2 | (bits & 4) >> 2;
    let background = attributes >> BACKGROUND_SHIFT;
    let mut codes = vec![0];
    let add = |codes: &mut Vec<u16>, bits: u16, dark: u16, bright: u16| {
        let first = if bits & FOREGROUND_INTENSITY != 0 { bright } else { dark };
        codes.push(first + colour(bits));
    };
    if attributes & 0xF != PLAIN {
        add(&mut codes, attributes, 30, 90);
    }
    if background & 0xF != 0 {
        add(&mut codes, background, 40, 100);
    }
    if attributes & COMMON_LVB_UNDERSCORE != 0 {
        codes.push(4);
    }
    if attributes & COMMON_LVB_REVERSE_VIDEO != 0 {
        codes.push(7);
    }
    let codes: Vec<_> = codes.iter().map(u16::to_string).collect();
    format!("\x1b[{}m", codes.join(";"))
}

fn size_of_screen(console: &Stream) -> Coord {
    let cells = |count: u16| i16::try_from(count).unwrap_or(i16::MAX);
    match tcgetwinsize(console.descriptor()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
            Coord { x: cells(size.ws_col), y: cells(size.ws_row) }
        }
        _ => Coord { x: 80, y: 25 },
    }
}

fn settings(console: &Stream) -> Outcome<Termios> {
    tcgetattr(console.descriptor()).map_err(|_| Error::ERROR_INVALID_HANDLE)
}

/// The modes of Windows and of terminals that mean the same.
const INPUT_MODES: [(u32, LocalModes); 3] = [
    (ENABLE_PROCESSED_INPUT, LocalModes::ISIG),
    (ENABLE_LINE_INPUT, LocalModes::ICANON),
    (ENABLE_ECHO_INPUT, LocalModes::ECHO),
];

fn input_mode(console: &Stream) -> Outcome<u32> {
    let local = settings(console)?.local_modes;
    let set = INPUT_MODES.iter().filter(|(_, mode)| local.contains(*mode));
    Ok(set.fold(0, |all, (bit, _)| all | bit))
}

fn set_input_mode(console: &Stream, mode: u32) -> Outcome<()> {
    if mode & ENABLE_ECHO_INPUT != 0 && mode & ENABLE_LINE_INPUT == 0 {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    if !is_in_foreground(console.descriptor()) {
        return Err(Error::ERROR_ACCESS_DENIED);
    }
    let mut settings = settings(console)?;
    for (bit, local) in INPUT_MODES {
        settings.local_modes.set(local, mode & bit != 0);
    }
    if mode & ENABLE_LINE_INPUT == 0 {
        settings.special_codes[SpecialCodeIndex::VMIN] = 1;
        settings.special_codes[SpecialCodeIndex::VTIME] = 0;
    }
    let set = tcsetattr(console.descriptor(), OptionalActions::Now, &settings);
    set.map_err(|_| Error::ERROR_ACCESS_DENIED)
}

unsafe extern "C" {
    static stdout: *mut libc::FILE;
    static stderr: *mut libc::FILE;
}

/// What the C library keeps back comes first: on Windows it keeps nothing back for a console.
fn flush() {
    // SAFETY: the C library's own streams, which it locks; a pointer that the program has changed
    // is a stream too.
    unsafe { libc::fflush(stdout) };
    // SAFETY: as above.
    unsafe { libc::fflush(stderr) };
}

fn write(console: &Stream, text: Vec<u8>) -> Outcome<()> {
    flush();
    console.transfer(Way::Write, &mut Buffers::from_vec(text)).map(|_octets| ()).map_err(failed)
}

/// What WriteConsole writes, and how many characters the caller counts that as.
fn write_text(
    console: HANDLE,
    count: u32,
    told: *mut u32,
    text: impl FnOnce(usize) -> Outcome<Vec<u8>>,
) -> Outcome<BOOL> {
    let console = screen(console)?;
    let told = Out::optional(told).map_err(no_access)?;
    let units = usize::try_from(count).map_err(|_| Error::ERROR_INVALID_PARAMETER)?;
    write(&console, text(units).map_err(no_access)?)?;
    told.inspect(|told| told.put(count));
    Ok(TRUE)
}

export! {
    /// Tells the mode of a console: of one that is read, whether lines are put together, shown, and
    /// Ctrl+C is a signal.
    ///
    /// <https://learn.microsoft.com/windows/console/getconsolemode>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE for what is no terminal, ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// The other modes of the input are never set.
    fn GetConsoleMode(hConsoleHandle: HANDLE, lpMode: *mut u32) -> BOOL, fail FALSE; {
        let console = console(hConsoleHandle)?;
        let output = || Ok(MODE.load(Ordering::Relaxed));
        let mode = if is_input(&console) { input_mode(&console) } else { output() };
        ptr::write(lpMode, mode?).map_err(no_access)?;
        Ok(TRUE)
    }

    /// Sets the mode of a console.
    ///
    /// <https://learn.microsoft.com/windows/console/setconsolemode>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE for what is no terminal; ERROR_INVALID_PARAMETER for
    /// ENABLE_ECHO_INPUT without ENABLE_LINE_INPUT; ERROR_ACCESS_DENIED in the terminal's
    /// background.
    ///
    /// # Differs from Windows
    /// Of the input ENABLE_PROCESSED_INPUT, ENABLE_LINE_INPUT and ENABLE_ECHO_INPUT have an effect.
    /// The mode of the output is kept and told, and has none: escape sequences always count.
    fn SetConsoleMode(hConsoleHandle: HANDLE, dwMode: u32) -> BOOL, fail FALSE; {
        let console = console(hConsoleHandle)?;
        if is_input(&console) {
            set_input_mode(&console, dwMode)?;
        } else {
            MODE.store(dwMode, Ordering::Relaxed);
        }
        Ok(TRUE)
    }

    /// Tells the size of a console and the attributes that were set last.
    ///
    /// <https://learn.microsoft.com/windows/console/getconsolescreenbufferinfo>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE for what is no terminal or is read, ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// What can be seen is all that there is, and the cursor is told to be at its beginning: a
    /// terminal answers that question among the keys. One without a size has 80 columns and 25
    /// lines.
    fn GetConsoleScreenBufferInfo(
        hConsoleOutput: HANDLE,
        lpConsoleScreenBufferInfo: *mut Screen,
    ) -> BOOL, fail FALSE; {
        let size = size_of_screen(&*screen(hConsoleOutput)?);
        let screen = Screen {
            size,
            cursor: Coord::default(),
            attributes: ATTRIBUTES.load(Ordering::Relaxed),
            window: [0, 0, size.x - 1, size.y - 1],
            most: size,
        };
        ptr::write(lpConsoleScreenBufferInfo, screen).map_err(no_access)?;
        Ok(TRUE)
    }

    /// Sets the colours of what is written from now on. What the C library has kept back for the
    /// standard streams is written before.
    ///
    /// <https://learn.microsoft.com/windows/console/setconsoletextattribute>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE for what is no terminal or is read. Blocks as a write.
    ///
    /// # Differs from Windows
    /// Light grey and black are the terminal's own colours, whatever these are.
    fn SetConsoleTextAttribute(hConsoleOutput: HANDLE, wAttributes: u16) -> BOOL, fail FALSE; {
        write(&*screen(hConsoleOutput)?, sequence(wAttributes).into_bytes())?;
        ATTRIBUTES.store(wAttributes, Ordering::Relaxed);
        Ok(TRUE)
    }

    /// Writes a text of so many octets to a console.
    ///
    /// <https://learn.microsoft.com/windows/console/writeconsole>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE for what is no terminal or is read, ERROR_NOACCESS. Blocks as a write.
    fn WriteConsoleA(
        hConsoleOutput: HANDLE,
        lpBuffer: *const u8,
        nNumberOfCharsToWrite: u32,
        lpNumberOfCharsWritten: *mut u32,
        lpReserved: *const u8,
    ) -> BOOL, fail FALSE; {
        let _ = lpReserved;
        write_text(hConsoleOutput, nNumberOfCharsToWrite, lpNumberOfCharsWritten, |count| {
            ptr::read_all(lpBuffer, count)
        })
    }

    /// As [`WriteConsoleA`], of a text in UTF-16.
    ///
    /// <https://learn.microsoft.com/windows/console/writeconsole>
    ///
    /// Errors and blocking as [`WriteConsoleA`].
    fn WriteConsoleW(
        hConsoleOutput: HANDLE,
        lpBuffer: *const u16,
        nNumberOfCharsToWrite: u32,
        lpNumberOfCharsWritten: *mut u32,
        lpReserved: *const u8,
    ) -> BOOL, fail FALSE; {
        let _ = lpReserved;
        write_text(hConsoleOutput, nNumberOfCharsToWrite, lpNumberOfCharsWritten, |count| {
            ptr::read_all(lpBuffer, count).map(|units| wide::narrow(&units))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ECMA-48, 8.3.117, and the bright colours that terminals add; SetConsoleTextAttribute's bits.
    #[test]
    fn attributes_are_the_sequences_of_terminals() {
        for (attributes, expected) in [
            (PLAIN, "\x1b[0m"),
            (4, "\x1b[0;31m"),
            (2, "\x1b[0;32m"),
            (1, "\x1b[0;34m"),
            (4 | 8, "\x1b[0;91m"),
            (15, "\x1b[0;97m"),
            (0, "\x1b[0;30m"),
            (PLAIN | 0x10, "\x1b[0;44m"),
            (6 | 0xC0, "\x1b[0;33;101m"),
            (PLAIN | COMMON_LVB_UNDERSCORE | COMMON_LVB_REVERSE_VIDEO, "\x1b[0;4;7m"),
        ] {
            assert_eq!(sequence(attributes), expected, "{attributes:#x}");
        }
    }
}

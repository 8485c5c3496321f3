//! The trace: what happens to sockets and operations, a line for each event, as it happens.
//!
//! Whoever has something to tell asks [`wants`] first, which is a look at one octet, and
//! [`tell`]s it: the line is formed and written then and there, by the thread it happened on, so
//! nothing is lost when the process ends at once. What is told of one socket is told under that
//! socket's lock, and so in order. No code of the program runs meanwhile, and no signal comes of
//! it; but whoever reads a pipe slowly slows the program down, as with any program that writes
//! there. What cannot be written (a full disk, a pipe without a reader, a full one that does not
//! block) is lost, and the next line that can be says how many were.

use std::fmt::{self, Write as _};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::io::Errno;
use rustix::{io, process, thread};

use crate::sync::Lock;
use crate::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use crate::sys::quiet::without_signals;

/// What is told. Some of them together: [`Kinds::and`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    /// How connections begin and end, and why.
    pub const CONNECTIONS: Self = Self(1);
    /// How overlapped operations and those of the safe API end.
    pub const OPERATIONS: Self = Self(2);
    /// The calls of the C functions, with arguments and results.
    pub const CALLS: Self = Self(4);
    /// Nothing: whoever asks for it is asked of calls as if they were traced ([`ask`]).
    pub const QUESTIONS: Self = Self(8);

    /// These and those.
    #[must_use]
    pub const fn and(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }
}

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// For people: the time of day (UTC), process, thread, handle, and what happened.
    #[default]
    Text,
    /// For programs: a JSON object.
    Json,
}

/// Something that is worth a line.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// Its name, for programs: words with hyphens.
    pub name: &'static str,
    /// Whose it is, and which connection of that handle; 0: none.
    pub of: Option<(usize, u32)>,
    /// What happened, for people.
    pub text: fmt::Arguments<'a>,
    /// The particulars, for programs.
    pub fields: &'a [(&'static str, Field<'a>)],
}

/// A particular of an event.
#[derive(Clone, Copy)]
pub enum Field<'a> {
    /// A number.
    Number(u64),
    /// A text.
    Text(&'a dyn fmt::Display),
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl Field<'_> {
    /// A count or an address.
    pub fn number(number: usize) -> Self {
        Self::Number(u64::try_from(number).unwrap_or(u64::MAX))
    }
}

/// Where the lines go.
#[derive(Debug)]
struct Output {
    to: OwnedFd,
    form: Form,
    lost: AtomicU64,
    /// Half a line was written.
    broken: AtomicBool,
}

impl Output {
    const fn new(to: OwnedFd, form: Form) -> Self {
        Self { to, form, lost: AtomicU64::new(0), broken: AtomicBool::new(false) }
    }
}

static WANTED: AtomicU8 = AtomicU8::new(0);
static OUTPUT: Lock<Option<Arc<Output>>> = Lock::new(None);

/// Begins to tell events of these kinds, in place of what was told before. Each line is one
/// write to `to`, which should append if it is a file that others write too.
pub fn start(to: OwnedFd, form: Form, kinds: Kinds) {
    *OUTPUT.lock() = Some(Arc::new(Output::new(to, form)));
    change(Kinds(!Kinds::QUESTIONS.0), kinds);
}

/// Tells no more. A line that another thread is about to write may still come.
pub fn stop() {
    change(Kinds(!Kinds::QUESTIONS.0), Kinds::default());
    *OUTPUT.lock() = None;
}

/// Has [`Kinds::QUESTIONS`] wanted, or no more. It is for what happens once in a million calls
/// and is not to cost the others a look of their own.
pub fn ask(on: bool) {
    change(Kinds::QUESTIONS, if on { Kinds::QUESTIONS } else { Kinds::default() });
}

/// Of `these`, exactly `kinds` are wanted from now on.
fn change(these: Kinds, kinds: Kinds) {
    let changed = |wanted: u8| Some(wanted & !these.0 | kinds.0 & these.0);
    let _ = WANTED.fetch_update(Ordering::Relaxed, Ordering::Relaxed, changed);
}

/// Whether events of any of these kinds are told.
#[inline]
pub fn wants(kinds: Kinds) -> bool {
    WANTED.load(Ordering::Relaxed) & kinds.0 != 0
}

/// Tells an event, to whoever wanted its kind.
#[cold]
pub fn tell(event: Event<'_>) {
    let output = OUTPUT.lock().clone();
    if let Some(output) = output {
        output.tell(event);
    }
}

impl Output {
    fn tell(&self, event: Event<'_>) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let fields = [("lines", Field::Number(lost))];
            let text = format_args!("lines that were lost, because nobody took them: {lost}");
            self.write(Event { name: "lost", of: None, text, fields: &fields }, lost);
        }
        self.write(event, 1);
    }

    /// Writes a line; `worth` is how many are lost with it.
    fn write(&self, event: Event<'_>, worth: u64) {
        let mut line = match self.form {
            Form::Text => text_line(event),
            Form::Json => json_line(event),
        };
        if self.broken.swap(false, Ordering::Relaxed) {
            line.insert(0, '\n');
        }
        let mut left = line.as_bytes();
        while !left.is_empty() {
            match without_signals(|| io::write(&self.to, left)) {
                Ok(written) => left = &left[written..],
                Err(Errno::INTR) => {}
                Err(_) => {
                    self.lost.fetch_add(worth, Ordering::Relaxed);
                    if left.len() < line.len() {
                        self.broken.store(true, Ordering::Relaxed);
                    }
                    return;
                }
            }
        }
    }
}

fn text_line(event: Event<'_>) -> String {
    let (process, thread) = who();
    let now = now();
    let (seconds, micros) = (now.as_secs(), now.subsec_micros());
    let (hours, minutes, seconds) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let time = format!("{hours:02}:{minutes:02}:{seconds:02}.{micros:06}");
    let mut line = format!("{time} {process:>7} {thread:>7} ");
    // A String takes everything.
    let _ = match event.of {
        Some((handle, 0)) => write!(line, "{handle:<#10x} "),
        Some((handle, nth)) => write!(line, "{:<10} ", format!("{handle:#x}.{nth}")),
        None => write!(line, "{:<10} ", "-"),
    };
    let _ = writeln!(line, "{}", event.text);
    line
}

fn json_line(event: Event<'_>) -> String {
    let (process, thread) = who();
    let now = now();
    let (seconds, micros) = (now.as_secs(), now.subsec_micros());
    let mut line = format!("{{\"time\":{seconds}.{micros:06},\"process\":{process}");
    let _ = write!(line, ",\"thread\":{thread},\"event\":\"{}\"", event.name);
    if let Some((handle, connection)) = event.of {
        let _ = write!(line, ",\"handle\":{handle},\"connection\":{connection}");
    }
    for member in event.fields {
        line.push(',');
        push_member(&mut line, *member);
    }
    let _ = writeln!(line, ",\"text\":{}}}", Quoted(event.text));
    line
}

/// Particulars as a JSON object, on one line without its end.
pub fn object(fields: &[(&'static str, Field<'_>)]) -> String {
    let mut line = String::from("{");
    for (at, member) in fields.iter().enumerate() {
        line.push_str(if at == 0 { "" } else { "," });
        push_member(&mut line, *member);
    }
    line.push('}');
    line
}

fn push_member(line: &mut String, (name, field): (&'static str, Field<'_>)) {
    let _ = match field {
        Field::Number(number) => write!(line, "\"{name}\":{number}"),
        Field::Text(text) => write!(line, "\"{name}\":{}", Quoted(format_args!("{text}"))),
    };
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn who() -> (i32, i32) {
    (process::getpid().as_raw_pid(), thread::gettid().as_raw_pid())
}

/// A text as JSON has it.
struct Quoted<'a>(fmt::Arguments<'a>);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for letter in self.0.to_string().chars() {
            match letter {
                '"' | '\\' => write!(f, "\\{letter}")?,
                control if control < ' ' => write!(f, "\\u{:04x}", u32::from(control))?,
                other => f.write_char(other)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read;

    use rustix::pipe::{PipeFlags, pipe_with};

    use super::*;

    fn output(form: Form, flags: PipeFlags) -> (File, Output) {
        let (from, to) = pipe_with(flags).unwrap();
        (File::from(from), Output::new(to, form))
    }

    fn event<'a>(text: fmt::Arguments<'a>, fields: &'a [(&'static str, Field<'a>)]) -> Event<'a> {
        Event { name: "peer-fin", of: Some((0x104, 2)), text, fields }
    }

    fn read(from: &mut File) -> String {
        let mut octets = vec![0; 65_536];
        let read = from.read(&mut octets).unwrap();
        String::from_utf8(octets[..read].to_vec()).unwrap()
    }

    #[test]
    fn people_read_time_process_thread_handle_and_connection() {
        let (mut from, output) = output(Form::Text, PipeFlags::CLOEXEC);
        output.tell(event(format_args!("the peer's FIN"), &[]));
        output.tell(Event { of: None, ..event(format_args!("alone"), &[]) });
        let text = read(&mut from);
        let words: Vec<Vec<&str>> = text.lines().map(|l| l.split_whitespace().collect()).collect();
        assert_eq!(words[0][1], std::process::id().to_string());
        assert_eq!(words[0][3..], ["0x104.2", "the", "peer's", "FIN"], "{text}");
        assert_eq!(words[1][3..], ["-", "alone"], "{text}");
        let time: Vec<_> = words[0][0].split([':', '.']).map(str::parse::<u32>).collect();
        assert!(time.len() == 4 && time.iter().all(Result::is_ok), "{text}");
    }

    #[test]
    fn programs_read_json_whatever_is_in_the_texts() {
        let (mut from, output) = output(Form::Json, PipeFlags::CLOEXEC);
        let fields = [("path", Field::Text(&"a\"b\\c\n")), ("octets", Field::Number(7))];
        output.tell(event(format_args!("bound"), &fields));
        let line = read(&mut from);
        let (head, tail) = line.split_once(",\"event\"").unwrap();
        assert!(head.starts_with("{\"time\":") && head.contains("\"process\":"), "{line}");
        assert_eq!(
            tail,
            ":\"peer-fin\",\"handle\":260,\"connection\":2,\"path\":\"a\\\"b\\\\c\\u000a\",\
             \"octets\":7,\"text\":\"bound\"}\n"
        );
    }

    #[test]
    fn an_object_has_what_it_is_given() {
        let fields = [("path", Field::Text(&"a\"b")), ("octets", Field::Number(7))];
        assert_eq!(object(&fields), r#"{"path":"a\"b","octets":7}"#);
        assert_eq!(object(&[]), "{}");
    }

    #[test]
    fn what_nobody_reads_is_counted() {
        let (mut from, output) = output(Form::Text, PipeFlags::CLOEXEC | PipeFlags::NONBLOCK);
        while output.lost.load(Ordering::Relaxed) == 0 {
            output.tell(event(format_args!("line"), &[]));
        }
        output.tell(event(format_args!("line"), &[]));
        assert_eq!(output.lost.load(Ordering::Relaxed), 2);
        read(&mut from);
        output.tell(event(format_args!("line"), &[]));
        while let Ok(octets) = from.read(&mut [0; 1]) {
            assert_eq!(octets, 1);
            let rest = read(&mut from);
            if rest.contains("nobody took them: 2") {
                return;
            }
        }
        panic!("the loss was not told");
    }

    /// SIGPIPE would end the process.
    #[test]
    fn a_reader_that_goes_away_is_no_harm() {
        let (from, output) = output(Form::Text, PipeFlags::CLOEXEC);
        drop(from);
        output.tell(event(format_args!("line"), &[]));
        assert_eq!(output.lost.load(Ordering::Relaxed), 1);
    }

    /// A write of more than a pipe's room that does not block is done in part.
    #[test]
    fn behind_half_a_line_another_begins() {
        let (mut from, output) = output(Form::Json, PipeFlags::CLOEXEC | PipeFlags::NONBLOCK);
        let long = "x".repeat(100_000);
        output.tell(event(format_args!("{long}"), &[]));
        assert_eq!(output.lost.load(Ordering::Relaxed), 1);
        while from.read(&mut [0; 65_536]).is_ok() {}
        output.tell(event(format_args!("short"), &[]));
        let lines = read(&mut from);
        assert!(lines.starts_with("\n{\"time\":"), "{lines}");
        assert_eq!(lines.trim().lines().count(), 2, "what was lost, and the line: {lines}");
    }
}

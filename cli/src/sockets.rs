//! `linsock sockets`: the sockets of running programs, once; and what there is to say of each.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use crate::error::Error;
use crate::json::{number, word};
use crate::view::{self, Process};

/// What the command was asked for.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Print JSON, an object for each socket and completion port, and for each connection that has
    /// ended within a minute while somebody looked.
    #[arg(long)]
    json: bool,
    /// Print also those that have no address yet, as the sockets of pending AcceptEx calls.
    #[arg(long)]
    all: bool,
    /// Only these processes.
    #[arg(value_name = "PID")]
    processes: Vec<u32>,
}

/// Prints the table.
///
/// # Errors
/// A process that was named tells nothing, or the output cannot be written.
pub(crate) fn print(arguments: &Arguments) -> Result<ExitCode, Error> {
    let processes = ask(&arguments.processes)?;
    let text = if arguments.json {
        processes.iter().map(json).collect()
    } else {
        let rows: Vec<_> = processes.iter().flat_map(rows).collect();
        let is_shown = |row: &&Row| arguments.all || !row.is_idle();
        let shown: Vec<_> = rows.iter().filter(is_shown).cloned().collect();
        table(&shown) + &notes(&rows, rows.len() - shown.len())
    };
    io::stdout().write_all(text.as_bytes()).map_err(Error::Output)?;
    Ok(ExitCode::SUCCESS)
}

/// Asks those, or everybody.
///
/// # Errors
/// One that was named tells nothing.
pub(crate) fn ask(named: &[u32]) -> Result<Vec<Process>, Error> {
    if named.is_empty() {
        return Ok(view::all());
    }
    named.iter().map(|process| view::ask(*process)).collect()
}

/// A program's lines, each with whose it is. Its name may have any letters.
fn json(process: &Process) -> String {
    let name = process.name.replace(['"', '\\'], "?");
    let head = format!("{{\"process\":{},\"program\":\"{name}\",", process.id);
    let kinds = ["port", "socket", "ended"];
    let lines = kinds.into_iter().flat_map(|kind| process.lines(kind));
    lines.map(|line| format!("{head}{}\n", &line[1..])).collect()
}

/// After so long without data something may have been forgotten.
const LONG: Duration = Duration::from_secs(10);

/// A socket of a process, as the process has told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) process: u32,
    pub(crate) program: String,
    line: String,
}

/// The sockets of a process.
pub(crate) fn rows(process: &Process) -> Vec<Row> {
    rows_of(process, "socket")
}

/// The connections of a process that have ended lately.
pub(crate) fn ended(process: &Process) -> Vec<Row> {
    rows_of(process, "ended")
}

fn rows_of(process: &Process, kind: &str) -> Vec<Row> {
    let row = |line: &str| Row {
        process: process.id,
        program: process.name.clone(),
        line: line.to_owned(),
    };
    process.lines(kind).map(row).collect()
}

impl Row {
    /// A text; empty where there is nothing to tell.
    pub(crate) fn text(&self, name: &str) -> &str {
        word(&self.line, name).unwrap_or_default()
    }

    /// A number; 0 where there is nothing to tell.
    pub(crate) fn count(&self, name: &str) -> u64 {
        number(&self.line, name).unwrap_or(0)
    }

    /// A time, if it is told.
    pub(crate) fn time(&self, name: &str) -> Option<Duration> {
        number(&self.line, name).map(Duration::from_millis)
    }

    /// Which socket it is, as long as it is open.
    pub(crate) fn key(&self) -> (u32, u64) {
        (self.process, self.count("handle"))
    }

    /// Whether something that is shown of it has this in it.
    pub(crate) fn contains(&self, text: &str) -> bool {
        cells(self).iter().any(|cell| cell.contains(text))
    }

    /// What carries it: `TCP/IP`.
    pub(crate) fn provider(&self) -> &str {
        let name = self.text("provider");
        name.strip_prefix("linsock ").unwrap_or(name)
    }

    /// Its state as Winsock has it, and which of its halves are over.
    pub(crate) fn state(&self) -> String {
        if self.ended().is_some() {
            return format!("over: {}", self.text("reason"));
        }
        let mut state = self.text("state").to_owned();
        match self.text("send") {
            "closing" => state += ", fin waits",
            "closed" => state += ", fin sent",
            _ => {}
        }
        match self.text("receive") {
            "ended" | "shut-ended" => state += ", fin came",
            "shut" => state += ", receives shut",
            _ => {}
        }
        state
    }

    /// How long ago it has ended, of a connection that has.
    pub(crate) fn ended(&self) -> Option<Duration> {
        self.time("ago_ms").filter(|_| self.text("kind") == "ended")
    }

    /// What is pending.
    pub(crate) fn pending(&self) -> String {
        let kinds = ["accepts", "connects", "receives", "sends", "disconnects"];
        let counts = kinds.map(|kind| (self.count(kind), kind));
        let some = counts.iter().filter(|(count, _)| *count > 0);
        let words = some.map(|(count, kind)| match count {
            1 => format!("1 {}", kind.trim_end_matches('s')),
            _ => format!("{count} {kind}"),
        });
        words.collect::<Vec<_>>().join(", ")
    }

    /// It is an open handle and nothing more.
    pub(crate) fn is_idle(&self) -> bool {
        self.text("local").is_empty() && self.text("remote").is_empty()
    }

    fn is_quiet(&self) -> bool {
        self.time("idle_ms").is_some_and(|idle| idle >= LONG)
    }

    /// What a reader should know of it.
    pub(crate) fn note(&self) -> Option<String> {
        if let Some(ago) = self.ended() {
            return Some(format!("over since {}: {}", shown(Some(ago)), self.text("over")));
        }
        let (unread, unsent) = (self.count("unread"), self.count("unsent"));
        let (queued, backlog) = (self.count("queued"), self.count("backlog"));
        let in_use = matches!(self.text("state"), "connected" | "accepted-raw" | "connected-raw");
        let has_closed = matches!(self.text("send"), "closing" | "closed");
        let knows_the_end = has_closed && matches!(self.text("receive"), "ended" | "shut-ended");
        let note = if backlog > 0 && queued > backlog {
            "the backlog is full: who connects waits or is refused".into()
        } else if queued > 0 && self.count("accepts") == 0 {
            format!("connections that wait for an accept: {queued}")
        } else if !self.text("for").is_empty() {
            format!("its disconnect waits for {}", self.text("for"))
        } else if !self.is_quiet() {
            return None;
        } else if in_use && self.text("tcp") == "CLOSED" && knows_the_end {
            "both sides have closed, and the handle is open still".into()
        } else if in_use && self.text("tcp") == "CLOSED" {
            "TCP has no connection any more, which this program has not seen".into()
        } else if unread > 0 && self.count("receives") == 0 {
            format!("octets that nobody receives: {unread}; a close now resets the connection")
        } else if self.text("tcp") == "CLOSE_WAIT" && !has_closed {
            "the peer has closed, this program has not".into()
        } else if self.text("tcp") == "FIN_WAIT_2" {
            "this program has sent its FIN, the peer does not".into()
        } else if unsent > 0 {
            format!("octets that the peer does not take: {unsent}")
        } else if in_use && self.text("receive") == "open" && self.is_left_alone() {
            "no receive is pending: nobody learns that the peer closes".into()
        } else {
            return None;
        };
        Some(note)
    }

    /// It is tied to a completion port, and nothing is pending.
    fn is_left_alone(&self) -> bool {
        self.count("port") > 0 && self.pending().is_empty()
    }
}

/// A time for people.
pub(crate) fn shown(time: Option<Duration>) -> String {
    let Some(time) = time else { return String::new() };
    let seconds = time.as_secs();
    match seconds {
        0..100 => format!("{:.1} s", time.as_secs_f64()),
        100..6000 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

/// Shown, unless it is nothing.
pub(crate) fn some(count: u64) -> String {
    if count == 0 { String::new() } else { count.to_string() }
}

const HEAD: [&str; 12] = [
    "PID", "PROGRAM", "HANDLE", "PROVIDER", "STATE", "TCP", "LOCAL", "REMOTE", "PENDING", "UNREAD",
    "UNSENT", "IDLE",
];

fn cells(row: &Row) -> [String; 12] {
    [
        row.process.to_string(),
        row.program.clone(),
        format!("{:#x}", row.count("handle")),
        row.provider().to_owned(),
        row.state(),
        row.text("tcp").to_owned(),
        row.text("local").to_owned(),
        row.text("remote").to_owned(),
        row.pending(),
        some(row.count("unread")),
        some(row.count("unsent")),
        shown(row.time("idle_ms")),
    ]
}

/// The table: columns as wide as what is in them.
fn table(rows: &[Row]) -> String {
    let lines: Vec<_> = rows.iter().map(cells).collect();
    let mut widths = HEAD.map(str::len);
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for line in std::iter::once(&HEAD.map(str::to_owned)).chain(&lines) {
        let padded = line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        let _ = writeln!(text, "{}", padded.collect::<Vec<_>>().join("  ").trim_end());
    }
    text
}

/// How many sockets, and what should be known of them.
fn notes(rows: &[Row], hidden: usize) -> String {
    let mut text = format!("{} sockets", rows.len());
    if hidden > 0 {
        let _ = write!(text, ", {hidden} of them without an address (--all shows them)");
    }
    text.push('\n');
    for row in rows {
        if let Some(note) = row.note() {
            let (process, handle) = row.key();
            let _ = writeln!(text, "note: {process} {handle:#x}: {note}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(fields: &str) -> Row {
        let line = format!("{{\"kind\":\"socket\",\"handle\":260{fields}}}");
        Row { process: 7, program: "server".into(), line }
    }

    fn connected(fields: &str) -> Row {
        row(&format!(
            r#","provider":"linsock TCP/IP","state":"connected","send":"open","receive":"open"{fields}"#
        ))
    }

    /// The peer has closed, and so has this side; `send` says whether its FIN waits.
    fn over(send: &str, fields: &str) -> Row {
        row(&format!(r#","state":"connected","send":"{send}","receive":"ended"{fields}"#))
    }

    #[test]
    fn a_row_says_what_there_is() {
        let row = connected(
            r#","tcp":"ESTABLISHED","local":"127.0.0.1:80","remote":"127.0.0.1:9","receives":1,"sends":2,"unread":0,"unsent":5,"idle_ms":1500"#,
        );
        assert_eq!(row.key(), (7, 260));
        assert_eq!(row.pending(), "1 receive, 2 sends");
        let text = table(&[row]);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("PID  PROGRAM  HANDLE  PROVIDER  STATE"), "{text}");
        let expected = "7    server   0x104   TCP/IP    connected  ESTABLISHED  127.0.0.1:80  \
                        127.0.0.1:9  1 receive, 2 sends          5       1.5 s";
        assert_eq!(lines[1], expected);
    }

    /// Our choice of what is worth a note, after ten seconds of silence.
    #[test]
    fn what_may_have_been_forgotten_has_a_note() {
        let notes = [
            (connected(r#","tcp":"CLOSE_WAIT","idle_ms":10000"#), "the peer has closed"),
            (connected(r#","tcp":"FIN_WAIT_2","idle_ms":10000"#), "sent its FIN"),
            (connected(r#","tcp":"CLOSED","unread":3,"idle_ms":10000"#), "no connection any more"),
            (over("closed", r#","tcp":"CLOSED","idle_ms":10000"#), "both sides have closed"),
            (over("closing", r#","tcp":"CLOSE_WAIT","unsent":3,"idle_ms":10000"#), "not take: 3"),
            (connected(r#","unread":3,"idle_ms":10000"#), "nobody receives: 3"),
            (connected(r#","unsent":3,"idle_ms":10000"#), "not take: 3"),
            (connected(r#","port":264,"idle_ms":10000"#), "no receive is pending"),
            (row(r#","state":"listening","queued":1,"backlog":5"#), "an accept: 1"),
            (row(r#","state":"listening","queued":6,"backlog":5,"accepts":1"#), "is full"),
            (row(r#","state":"disconnecting","for":"the peer's FIN""#), "waits for the peer's FIN"),
        ];
        for (row, expected) in notes {
            let note = row.note().unwrap_or_default();
            assert!(note.contains(expected), "{note}, {expected}");
        }
        let quiet = [
            connected(r#","tcp":"CLOSE_WAIT","idle_ms":9999"#),
            connected(r#","unread":3,"receives":1,"idle_ms":10000"#),
            connected(r#","port":264,"receives":1,"idle_ms":10000"#),
            connected(r#","idle_ms":10000"#),
            row(r#","state":"listening","queued":1,"backlog":5,"accepts":1"#),
        ];
        for row in quiet {
            assert_eq!(row.note(), None, "{row:?}");
        }
    }

    #[test]
    fn halves_that_are_over_are_part_of_the_state() {
        for (send, receive, expected) in [
            ("open", "open", "connected"),
            ("closed", "open", "connected, fin sent"),
            ("closing", "ended", "connected, fin waits, fin came"),
            ("open", "shut", "connected, receives shut"),
            ("closed", "shut-ended", "connected, fin sent, fin came"),
        ] {
            let row =
                row(&format!(r#","state":"connected","send":"{send}","receive":"{receive}""#));
            assert_eq!(row.state(), expected);
        }
    }

    #[test]
    fn what_has_ended_says_why() {
        let line = r#"{"kind":"ended","number":1,"handle":260,"reason":"peer-fin","over":"the peer closed first","ago_ms":1500}"#;
        let row = Row { process: 7, program: "server".into(), line: line.into() };
        assert_eq!(row.state(), "over: peer-fin");
        assert_eq!(row.note().unwrap(), "over since 1.5 s: the peer closed first");
        assert_eq!(connected("").ended(), None);
    }

    #[test]
    fn times_are_short() {
        let shown = |ms| shown(Some(Duration::from_millis(ms)));
        assert_eq!(
            [1_500, 99_999, 100_000, 6_000_000].map(shown),
            ["1.5 s", "100.0 s", "1 min", "1 h"]
        );
    }
}

//! `linsock explain`: how the connections of a trace ended, and what may be done about it.
//!
//! A trace is read line by line and only counted, so it may be as long as it likes; what is kept is
//! a row for each way to end, and what is known of the connections that go on.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::json::{number, raw, word};

/// What the command was asked for.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A trace, as `linsock trace --json -o FILE` writes it; `-`: the standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Explains a file.
///
/// # Errors
/// It cannot be read, or has no line of a trace.
pub(crate) fn text(arguments: &Arguments) -> Result<String, Error> {
    let unreadable = |source| Error::Trace { file: arguments.file.clone(), source };
    let input: Box<dyn BufRead> = if arguments.file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(&arguments.file).map_err(unreadable)?))
    };
    let mut account = Account::default();
    for line in input.split(b'\n') {
        account.take(&String::from_utf8_lossy(&line.map_err(unreadable)?));
    }
    if account.is_empty() {
        return Err(Error::NoTrace { file: arguments.file.clone() });
    }
    Ok(account.text())
}

/// What a trace has told so far.
#[derive(Debug, Default)]
pub(crate) struct Account {
    events: u64,
    lost: u64,
    lingered: u64,
    connections: u64,
    /// How connections ended, in words.
    ends: BTreeMap<String, Row>,
    /// Why connections were not made.
    failures: BTreeMap<String, Row>,
    /// The connections that go on.
    open: HashMap<Key, Halves>,
}

/// A connection: process, handle, and which of the handle's.
type Key = (u64, u64, u64);

/// What has happened to the directions of a connection that goes on.
#[derive(Clone, Copy, Debug, Default)]
struct Halves {
    fin_came: bool,
    fin_sent: bool,
}

/// A way to end.
#[derive(Debug)]
struct Row {
    count: u64,
    /// Where it was seen first.
    first: String,
    hint: Option<&'static str>,
    /// Octets that were not read, and not delivered, of all together.
    unread: u64,
    undelivered: u64,
}

impl Account {
    /// Whether no line of a trace was among what was taken.
    pub(crate) const fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// Takes a line. What is none of a trace's is passed over: a program may write where its trace
    /// goes.
    pub(crate) fn take(&mut self, line: &str) {
        let is_own = line.starts_with("{\"time\":") && number(line, "process").is_some();
        let Some(event) = word(line, "event").filter(|_| is_own) else { return };
        self.events += 1;
        let field = |name| number(line, name).unwrap_or(0);
        let key = (field("process"), field("handle"), field("connection"));
        match event {
            "connected" | "accepted" => {
                self.connections += 1;
                self.open.insert(key, Halves::default());
            }
            "peer-fin" => self.note(key, |halves| halves.fin_came = true),
            "fin-sent" => self.note(key, |halves| halves.fin_sent = true),
            "over" => {
                self.open.remove(&key);
                let reason = word(line, "reason").unwrap_or_default();
                let resets = field("resets") > 0;
                let is_clean = !resets && matches!(reason, "peer-fin" | "local-fin" | "left");
                count(&mut self.ends, line, hint(reason, resets, field("unread")), !is_clean);
            }
            "connect-failed" => {
                count(&mut self.failures, line, hint_of_failure(field("error")), false);
            }
            "linger-in-vain" => self.lingered += 1,
            "lost" => self.lost += field("lines"),
            _ => {}
        }
    }

    fn note(&mut self, key: Key, change: impl FnOnce(&mut Halves)) {
        if let Some(halves) = self.open.get_mut(&key) {
            change(halves);
        }
    }

    /// The account, for people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{:>10}  connections\n", self.connections);
        for (what, row) in sorted(&self.ends) {
            row.write(&mut text, what);
        }
        if self.lingered > 0 {
            let what = "of them reset behind the handle: SO_LINGER's time was over before the data";
            put(&mut text, self.lingered, what);
        }
        self.write_open(&mut text);
        for (what, row) in sorted(&self.failures) {
            row.write(&mut text, what);
        }
        if self.lost > 0 {
            put(&mut text, self.lost, "lines of the trace were lost: the counts are too low");
        }
        text
    }

    fn write_open(&self, text: &mut String) {
        let such = |fin_came, fin_sent| {
            let is = |halves: &&Halves| (halves.fin_came, halves.fin_sent) == (fin_came, fin_sent);
            self.open.values().filter(is).count() as u64
        };
        for (fin_came, fin_sent, what, hint) in [
            (false, false, "not over when the trace ended", None),
            (true, false, "not over, although the peer has closed", Some(CLOSE_WAIT)),
            (false, true, "not over: the peer has not closed", Some(FIN_WAIT)),
        ] {
            let count = such(fin_came, fin_sent);
            if count > 0 {
                put(text, count, what);
                hint.into_iter().for_each(|hint| put_hint(text, hint));
            }
        }
    }
}

const CLOSE_WAIT: &str = "in CLOSE_WAIT: call shutdown, DisconnectEx or closesocket when a receive \
                          gives 0 octets";
const FIN_WAIT: &str = "half-open: the peer may still send; a DisconnectEx with TF_REUSE_SOCKET \
                        completes when it closes";

impl Row {
    fn write(&self, text: &mut String, what: &str) {
        put(text, self.count, what);
        let details = [(self.unread, "unread"), (self.undelivered, "not delivered")];
        for (octets, what) in details.into_iter().filter(|(octets, _)| *octets > 0) {
            put_hint(text, &format!("{octets} octets {what}"));
        }
        if let Some(hint) = self.hint {
            put_hint(text, hint);
            put_hint(text, &format!("first: {}", self.first));
        }
    }
}

fn put(text: &mut String, count: u64, what: &str) {
    // A String takes everything, here and below.
    let _ = writeln!(text, "{count:>10}  {what}");
}

fn put_hint(text: &mut String, hint: &str) {
    let _ = writeln!(text, "{:>10}      {hint}", "");
}

/// The most frequent first.
fn sorted(rows: &BTreeMap<String, Row>) -> Vec<(&String, &Row)> {
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.count));
    rows
}

/// `loses`: what is undelivered then is lost, and not on its way.
fn count(rows: &mut BTreeMap<String, Row>, line: &str, hint: Option<&'static str>, loses: bool) {
    let said = word(line, "text").unwrap_or_default();
    let what = said.split(';').next().unwrap_or_default();
    let field = |name| number(line, name).unwrap_or(0);
    let row = rows.entry(what.to_owned()).or_insert_with(|| Row {
        count: 0,
        first: place(line),
        hint,
        unread: 0,
        undelivered: 0,
    });
    row.count += 1;
    row.unread += field("unread");
    row.undelivered += if loses { field("undelivered") } else { 0 };
}

fn place(line: &str) -> String {
    let field = |name| number(line, name).unwrap_or(0);
    let time = raw(line, "time").unwrap_or_default();
    let (handle, nth) = (field("handle"), field("connection"));
    format!("handle {handle:#x}, connection {nth}, process {}, at {time}", field("process"))
}

/// What may be done about an end.
fn hint(reason: &str, resets: bool, unread: u64) -> Option<&'static str> {
    Some(match reason {
        "local-fin" | "peer-fin" if resets && unread > 0 => {
            "what is not read is lost, and the peer sees a reset: receive until 0 octets come, \
             then closesocket"
        }
        "peer-reset" => {
            "the peer aborted, ended, or closed with data unread; what was not delivered is lost"
        }
        "peer-reset-after-fin" => {
            "the peer closed both directions at once: what was sent then, or was on its way, came \
             too late for it"
        }
        "local-reset-linger" => {
            "SO_LINGER with 0 discards what is not sent: leave it off to deliver"
        }
        "local-reset-transmission" => "wait for TransmitFile to end before closesocket",
        "local-reset-data" => "after SD_RECEIVE the peer's data has nowhere to go",
        "local-reset-fin-wait" => "TcpFinWait2Delay was over; the peer never closed its side",
        "local-reset-outside" => "somebody who may administer the host ended it, as `ss -K` does",
        "timeout" => "the peer's host answered no more: retransmissions or keep-alive ran out",
        _ => return None,
    })
}

/// What may be done about a connect that failed, by the error of Winsock.
const fn hint_of_failure(error: u64) -> Option<&'static str> {
    match error {
        10061 => Some("WSAECONNREFUSED: nobody listens there, or the peer refused"),
        10060 => Some("WSAETIMEDOUT: no answer from there"),
        10048 => Some("WSAEADDRINUSE: the pair is in use or in TIME_WAIT (`linsock time-wait`)"),
        10049 => Some("WSAEADDRNOTAVAIL: no such address, or no port is left"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"{"time":1795.000001,"process":7,"thread":7"#;

    fn account(events: &[(&str, u64, &str)]) -> String {
        let mut account = Account::default();
        for (event, nth, rest) in events {
            account.take(&format!(
                r#"{HEAD},"event":"{event}","handle":260,"connection":{nth}{rest}}}"#
            ));
        }
        account.take("what the program says itself");
        account.text()
    }

    #[test]
    fn ends_are_counted_by_their_reason_the_most_frequent_first() {
        let over = r#","reason":"peer-fin","resets":0,"unread":0,"text":"over: by the peer; 1 ms""#;
        let reset = r#","reason":"local-fin","resets":1,"unread":5,"text":"over: unread; 2 ms""#;
        let text = account(&[
            ("accepted", 1, ""),
            ("over", 1, reset),
            ("accepted", 2, ""),
            ("over", 2, over),
            ("accepted", 3, ""),
            ("over", 3, over),
        ]);
        let rows: Vec<_> = text.lines().collect();
        assert_eq!(rows[0], "         3  connections");
        assert_eq!(rows[1], "         2  over: by the peer");
        assert_eq!(rows[2], "         1  over: unread");
        assert_eq!(rows[3].trim(), "5 octets unread");
        assert!(rows[4].contains("receive until 0 octets come"), "{text}");
        let first = "first: handle 0x104, connection 1, process 7, at 1795.000001";
        assert_eq!(rows[5].trim(), first);
        assert_eq!(rows.len(), 6, "{text}");
    }

    #[test]
    fn what_goes_on_is_told_by_its_directions() {
        let text = account(&[
            ("connected", 1, ""),
            ("connected", 2, ""),
            ("peer-fin", 2, ""),
            ("connected", 3, ""),
            ("fin-sent", 3, ""),
        ]);
        for row in ["1  not over when", "1  not over, although the peer", "1  not over: the peer"] {
            assert!(text.contains(row), "{row}: {text}");
        }
        assert!(text.contains("CLOSE_WAIT") && text.contains("half-open"), "{text}");
    }

    #[test]
    fn connects_that_failed_are_no_connections() {
        let rest = r#","status":"STATUS_CONNECTION_REFUSED","error":10061,"text":"not connected""#;
        let text = account(&[("connecting", 1, ""), ("connect-failed", 1, rest)]);
        assert!(text.starts_with("         0  connections\n         1  not connected\n"), "{text}");
        assert!(text.contains("nobody listens there"), "{text}");
    }

    #[test]
    fn what_a_program_says_itself_is_none_of_the_trace() {
        let mut account = Account::default();
        account.take(r#"{"event":"over","text":"my own log"}"#);
        assert!(account.is_empty());
    }

    #[test]
    fn a_text_cannot_pass_for_a_field() {
        let line = r#"{"time":1.000000,"process":1,"event":"over","text":"a \",\"reason\":\"peer-fin\" b"}"#;
        assert_eq!(word(line, "reason"), None);
    }
}

//! `linsock time-wait`: the pairs that linsock holds in running processes, and the kernel's.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use linsock::host;

use crate::error::Error;
use crate::json::{number, word};
use crate::view;

/// How often `--watch` looks.
const INTERVAL: Duration = Duration::from_secs(1);

/// What the command was asked for.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Print JSON, one object.
    #[arg(long)]
    json: bool,
    /// Print again every second, until interrupted.
    #[arg(long)]
    watch: bool,
    /// Only the pairs of this process, and no records of the kernel.
    #[arg(value_name = "PID")]
    process: Option<u32>,
}

/// One pair, and how long it is still held.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    /// The process that holds it; `None`: the kernel.
    process: Option<u32>,
    local: SocketAddr,
    remote: SocketAddr,
    left: Duration,
}

/// Prints the tables.
///
/// # Errors
/// The process that was named is none of linsock's, or the output cannot be written.
pub(crate) fn print(arguments: &Arguments) -> Result<ExitCode, Error> {
    loop {
        let rows = rows(arguments.process)?;
        let text = if arguments.json { json(&rows) } else { table(&rows) };
        let mut out = io::stdout();
        let clear = if arguments.watch && out.is_terminal() { "\x1b[H\x1b[2J" } else { "" };
        write!(out, "{clear}{text}").and_then(|()| out.flush()).map_err(Error::Output)?;
        if !arguments.watch {
            return Ok(ExitCode::SUCCESS);
        }
        std::thread::sleep(INTERVAL);
    }
}

fn rows(process: Option<u32>) -> Result<Vec<Row>, Error> {
    let processes = match process {
        Some(process) => return Ok(pairs(&view::ask(process)?)),
        None => view::all(),
    };
    let mut rows: Vec<_> = processes.iter().flat_map(pairs).collect();
    let of_host = host::tcp().map_err(Error::Connections)?;
    rows.extend(of_host.into_iter().filter_map(of_kernel));
    Ok(rows)
}

/// What a process holds.
fn pairs(process: &view::Process) -> Vec<Row> {
    process.lines("pair").filter_map(|line| told(process.id, line)).collect()
}

fn told(process: u32, line: &str) -> Option<Row> {
    Some(Row {
        process: Some(process),
        local: word(line, "local")?.parse().ok()?,
        remote: word(line, "remote")?.parse().ok()?,
        left: Duration::from_millis(number(line, "left_ms")?),
    })
}

/// A record of the kernel's, if it is one of TIME_WAIT.
fn of_kernel(record: host::Record) -> Option<Row> {
    let host::Record { local, remote, left, .. } = record;
    Some(Row { process: None, local, remote, left: left? })
}

fn table(rows: &[Row]) -> String {
    let mut text = format!("{:>10}  {:<46}  {:<46}  {:>9}\n", "HELD BY", "LOCAL", "REMOTE", "LEFT");
    for row in rows {
        let by = row.process.map_or_else(|| "kernel".to_owned(), |process| process.to_string());
        let left = row.left.as_secs_f64();
        let (local, remote) = (row.local.to_string(), row.remote.to_string());
        let _ = writeln!(text, "{by:>10}  {local:<46}  {remote:<46}  {left:>7.1} s");
    }
    let own = rows.iter().filter(|row| row.process.is_some()).count();
    let _ = writeln!(text, "{own} held by linsock, {} by the kernel", rows.len() - own);
    text
}

/// Addresses and numbers need no escapes.
fn json(rows: &[Row]) -> String {
    let objects: Vec<_> = rows
        .iter()
        .map(|row| {
            let by = row.process.map_or_else(|| "null".to_owned(), |process| process.to_string());
            let (local, remote, left) = (row.local, row.remote, row.left.as_millis());
            let ends = format!("\"local\":\"{local}\",\"remote\":\"{remote}\"");
            format!("{{\"process\":{by},{ends},\"left_ms\":{left}}}")
        })
        .collect();
    format!("{{\"time_wait\":[{}]}}\n", objects.join(","))
}

#[cfg(test)]
mod tests {
    use linsock::net::TcpState;

    use super::*;

    #[test]
    fn of_the_kernels_records_those_of_time_wait_are_told() {
        let left = Some(Duration::from_secs(1));
        let end = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let record = host::Record {
            local: end(1),
            remote: end(2),
            state: TcpState::TimeWait,
            inode: 0,
            left,
        };
        let row = of_kernel(record).unwrap();
        assert_eq!((row.process, row.local, row.remote), (None, end(1), end(2)));
        assert_eq!(of_kernel(host::Record { left: None, ..record }), None);
    }

    #[test]
    fn an_answer_is_read_and_printed() {
        let line = r#"{"kind":"pair","local":"[::1]:80","remote":"10.0.0.1:9","left_ms":1500}"#;
        let row = told(7, line).unwrap();
        assert_eq!(told(7, "nonsense"), None);
        let expected = "{\"time_wait\":[{\"process\":7,\"local\":\"[::1]:80\",\
                        \"remote\":\"10.0.0.1:9\",\"left_ms\":1500}]}\n";
        assert_eq!(json(std::slice::from_ref(&row)), expected);
        let text = table(&[row]);
        assert!(text.contains("1.5 s\n1 held by linsock, 0 by the kernel\n"), "{text}");
    }
}

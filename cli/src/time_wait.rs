//! `linsock time-wait`: the pairs that linsock holds in running processes, and the kernel's.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use crate::error::Error;
use crate::json::{number, word};
use crate::view;

/// How often `--watch` looks.
const INTERVAL: Duration = Duration::from_secs(1);
/// The unit of the kernel's timers in /proc (USER_HZ).
const TICK: Duration = Duration::from_millis(10);
/// The state TIME_WAIT in /proc/net/tcp.
const TIME_WAIT: &str = "06";

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
    for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
        rows.extend(records(&std::fs::read_to_string(file).unwrap_or_default()));
    }
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

/// The records of /proc/net/tcp or tcp6 that are in TIME_WAIT.
fn records(text: &str) -> Vec<Row> {
    text.lines().filter_map(record).collect()
}

fn record(line: &str) -> Option<Row> {
    let mut words = line.split_whitespace().skip(1);
    let local = address(words.next()?)?;
    let remote = address(words.next()?)?;
    if words.next()? != TIME_WAIT {
        return None;
    }
    let (_, ticks) = words.nth(1)?.split_once(':')?;
    let left = TICK * u32::from_str_radix(ticks, 16).ok()?;
    Some(Row { process: None, local, remote, left })
}

/// `0100007F:1F90`: the words of the address in the byte order of the machine, and the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let word = |at: usize| u32::from_str_radix(ip.get(at..at + 8)?, 16).ok();
    let ip = match ip.len() {
        8 => IpAddr::from(Ipv4Addr::from(word(0)?.to_ne_bytes())),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?].map(u32::to_ne_bytes);
            let octets: [u8; 16] = words.concat().try_into().ok()?;
            IpAddr::from(Ipv6Addr::from(octets))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
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
    use super::*;

    const TCP: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 0100007F:1388 0100007F:1F90 06 00000000:00000000 03:0000176F 00000000     0        0 0 3
";

    #[test]
    fn the_kernels_records_are_read() {
        let row = Row {
            process: None,
            local: "127.0.0.1:5000".parse().unwrap(),
            remote: "127.0.0.1:8080".parse().unwrap(),
            left: Duration::from_millis(59_990),
        };
        assert_eq!(records(TCP), [row]);
        let v6 = address("00000000000000000000000001000000:0050").unwrap();
        assert_eq!(v6, "[::1]:80".parse().unwrap());
        for garbage in ["", "x", "0100007F", "0100007F:xyz", "01:1", "é100007F:1F90"] {
            assert_eq!(address(garbage), None, "{garbage}");
        }
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

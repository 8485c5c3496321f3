//! `linsock time-wait`: the pairs that linsock holds in running processes, and the kernel's.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddress, UnixStream};
use std::process::ExitCode;
use std::time::Duration;

use linsock::time_wait::service::NAME;

use crate::error::Error;

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
    if let Some(process) = process {
        return held_by(process).map_err(|source| no_pairs(process, source));
    }
    let unix = std::fs::read_to_string("/proc/net/unix").unwrap_or_default();
    // One that has ended meanwhile, or is another user's, has nothing to tell.
    let mut rows: Vec<_> = processes(&unix).into_iter().flat_map(held_by).flatten().collect();
    for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
        rows.extend(records(&std::fs::read_to_string(file).unwrap_or_default()));
    }
    Ok(rows)
}

fn no_pairs(process: u32, source: io::Error) -> Error {
    if std::path::Path::new(&format!("/proc/{process}")).exists() {
        Error::NoPairs { process, source }
    } else {
        Error::NoProcess { process }
    }
}

/// Asks a process for its pairs.
fn held_by(process: u32) -> io::Result<Vec<Row>> {
    let address = UnixAddress::from_abstract_name(format!("{NAME}{process}"))?;
    let mut text = String::new();
    UnixStream::connect_addr(&address)?.read_to_string(&mut text)?;
    Ok(text.lines().filter_map(|line| answered(process, line)).collect())
}

/// A line of a process's answer: `LOCAL REMOTE MILLISECONDS`.
fn answered(process: u32, line: &str) -> Option<Row> {
    let mut words = line.split(' ');
    let local = words.next()?.parse().ok()?;
    let remote = words.next()?.parse().ok()?;
    let left = Duration::from_millis(words.next()?.parse().ok()?);
    Some(Row { process: Some(process), local, remote, left })
}

/// The processes that have such a socket, by /proc/net/unix.
fn processes(unix: &str) -> Vec<u32> {
    let name = |line: &str| line.rsplit_once('@')?.1.strip_prefix(NAME)?.parse().ok();
    let mut found: Vec<u32> = unix.lines().filter_map(name).collect();
    found.sort_unstable();
    found.dedup();
    found
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
    fn the_processes_are_found_by_their_sockets() {
        let unix = format!("0: 2 0 10000 1 1 9 @{NAME}12\n0: 2 0 1 1 1 9 @{NAME}7\n0: /run/x@y\n");
        assert_eq!(processes(&unix), [7, 12]);
    }

    #[test]
    fn an_answer_is_read_and_printed() {
        let row = answered(7, "[::1]:80 10.0.0.1:9 1500").unwrap();
        assert_eq!(answered(7, "nonsense"), None);
        let expected = "{\"time_wait\":[{\"process\":7,\"local\":\"[::1]:80\",\
                        \"remote\":\"10.0.0.1:9\",\"left_ms\":1500}]}\n";
        assert_eq!(json(std::slice::from_ref(&row)), expected);
        let text = table(&[row]);
        assert!(text.contains("1.5 s\n1 held by linsock, 0 by the kernel\n"), "{text}");
    }
}

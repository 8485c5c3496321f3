//! Asks running programs what they are doing (`linsock::view`).

use std::io::{self, ErrorKind, Read};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

use linsock::view::service::NAME;
use rustix::net::sockopt::socket_peercred;
use rustix::process::geteuid;

use crate::error::Error;
use crate::json::word;

/// A process that does not answer, because it is stopped or means no good, is not waited for
/// longer.
const PATIENCE: Duration = Duration::from_secs(2);
/// More than any process has to tell.
const MOST: usize = 64 << 20;

/// What a process has told.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    /// Its number.
    pub(crate) id: u32,
    /// The name of its program, as ps shows it.
    pub(crate) name: String,
    told: String,
}

impl Process {
    /// For tests of what is made of it.
    #[cfg(test)]
    pub(crate) fn new(id: u32, name: &str, told: String) -> Self {
        Self { id, name: name.to_owned(), told }
    }

    /// The lines of one kind. What could move the cursor of a terminal is no line of ours.
    pub(crate) fn lines(&self, kind: &str) -> impl Iterator<Item = &str> {
        let is_own = |line: &&str| !line.contains(char::is_control) && line.starts_with('{');
        let lines = self.told.lines().filter(is_own);
        lines.filter(move |line| word(line, "kind") == Some(kind))
    }
}

/// Asks one process.
///
/// # Errors
/// There is none of that number, or it does not tell.
pub(crate) fn ask(process: u32) -> Result<Process, Error> {
    answer_of(process).map_err(|source| {
        if Path::new(&format!("/proc/{process}")).exists() {
            Error::Silent { process, source }
        } else {
            Error::NoProcess { process }
        }
    })
}

/// Asks every process that may be asked.
pub(crate) fn all() -> Vec<Process> {
    let unix = std::fs::read_to_string("/proc/net/unix").unwrap_or_default();
    // One that has ended meanwhile, or is another user's, has nothing to tell.
    numbers(&unix).into_iter().filter_map(|process| answer_of(process).ok()).collect()
}

fn answer_of(process: u32) -> io::Result<Process> {
    // A child may have the socket of one that has ended, and answers nothing.
    std::fs::metadata(format!("/proc/{process}"))?;
    let address = SocketAddr::from_abstract_name(format!("{NAME}{process}"))?;
    let stream = UnixStream::connect_addr(&address)?;
    // The name is anybody's to take.
    let server = socket_peercred(&stream)?;
    if server.uid != geteuid() && !geteuid().is_root() {
        return Err(ErrorKind::PermissionDenied.into());
    }
    if u32::try_from(server.pid.as_raw_pid()) != Ok(process) {
        return Err(ErrorKind::NotFound.into());
    }
    let told = read_all(stream)?;
    let name = std::fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    let name = name.trim().replace(char::is_control, "?");
    Ok(Process { id: process, name, told: String::from_utf8_lossy(&told).into_owned() })
}

/// Reads to the end, which has to come in time.
fn read_all(mut stream: UnixStream) -> io::Result<Vec<u8>> {
    let begin = Instant::now();
    let mut told = Vec::new();
    let mut piece = vec![0; 1 << 16];
    while told.len() < MOST {
        let left = PATIENCE.saturating_sub(begin.elapsed());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(octets) => told.extend(&piece[..octets]),
            // The time is looked at above.
            Err(error)
                if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(told)
}

/// The processes that have such a socket, by /proc/net/unix.
fn numbers(unix: &str) -> Vec<u32> {
    let name = |line: &str| line.rsplit_once('@')?.1.strip_prefix(NAME)?.parse().ok();
    let mut found: Vec<u32> = unix.lines().filter_map(name).collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processes_are_found_by_their_sockets() {
        let unix = format!("0: 2 0 10000 1 1 9 @{NAME}12\n0: 2 0 1 1 1 9 @{NAME}7\n0: /run/x@y\n");
        assert_eq!(numbers(&unix), [7, 12]);
    }

    /// One that tells an octet now and then would keep root's tool for ever.
    #[test]
    fn who_tells_slowly_is_given_up() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let slow = std::thread::spawn(move || {
            use std::io::Write;
            while (&theirs).write_all(b"x").is_ok() {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let begin = Instant::now();
        assert_eq!(read_all(ours).unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(begin.elapsed() < 5 * PATIENCE);
        slow.join().unwrap();
    }

    #[test]
    fn what_is_told_at_once_is_read_to_the_end() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let text = vec![b'x'; 300_000];
        let copy = text.clone();
        let told = std::thread::spawn(move || {
            use std::io::Write;
            (&theirs).write_all(&copy)
        });
        assert_eq!(read_all(ours).unwrap(), text);
        told.join().unwrap().unwrap();
    }

    #[test]
    fn what_is_no_line_of_ours_is_passed_over() {
        let told = "{\"kind\":\"pair\"}\n{\"kind\":\"pair\",\"local\":\"\u{1b}[2J\"}\nx\n\
                    {\"kind\":\"port\"}\n";
        let process = Process { id: 1, name: String::new(), told: told.into() };
        assert_eq!(process.lines("pair").collect::<Vec<_>>(), ["{\"kind\":\"pair\"}"]);
    }
}

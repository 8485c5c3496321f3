//! Asks running programs what they are doing (`linsock::view`).
//!
//! Who answers may be anybody's program, and may be broken, stopped, or mean no good: it can keep
//! its answer back, but nobody else's, and has nothing shown but lines of ours.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{Duration, Instant};

use linsock::view::service::NAME;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::sockopt::socket_peercred;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use rustix::process::geteuid;

use crate::error::Error;
use crate::json::{names, word};

/// Processes that do not answer, because they are stopped or mean no good, are not waited for
/// longer, however many they are.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many are asked at a time, which wants a descriptor for each.
const AT_ONCE: usize = 500;
/// More than any process has to tell.
const MOST: usize = 64 << 20;
/// More than there is in any line; a column of a table is not to be wider.
const LONGEST: usize = 4096;

/// What a process has told.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    /// Its number.
    pub(crate) id: u32,
    /// The name of its program, as ps shows it.
    pub(crate) name: String,
    /// Lines that are ours, and nothing else.
    told: String,
}

impl Process {
    /// Of what has been told, the lines that are ours count.
    pub(crate) fn new(id: u32, name: &str, told: &str) -> Self {
        let own = told.lines().filter(|line| is_own(line));
        let told = own.fold(String::new(), |told, line| told + line + "\n");
        Self { id, name: name.trim().replace(char::is_control, "?"), told }
    }

    /// The lines of one kind.
    pub(crate) fn lines(&self, kind: &str) -> impl Iterator<Item = &str> {
        self.told.lines().filter(move |line| word(line, "kind") == Some(kind))
    }
}

/// What could move the cursor of a terminal is no line of ours, nor is what says whose it is: that
/// is for the kernel to say.
fn is_own(line: &str) -> bool {
    let is_shown = line.len() <= LONGEST && !line.contains(char::is_control);
    let says_whose = |name: &&str| matches!(*name, "process" | "program");
    is_shown && names(line).is_some_and(|names| !names.iter().any(says_whose))
}

/// Asks one process.
///
/// # Errors
/// There is none of that number, or it does not tell.
pub(crate) fn ask(process: u32) -> Result<Process, Error> {
    let answer = put(process).and_then(|question| {
        let mut asked = [question];
        hear(&mut asked, Instant::now() + PATIENCE);
        let [question] = asked;
        question.answer()
    });
    answer.map_err(|source| {
        if Path::new(&format!("/proc/{process}")).exists() {
            Error::Silent { process, source }
        } else {
            Error::NoProcess { process }
        }
    })
}

/// Asks every process that may be asked.
pub(crate) fn all() -> Vec<Process> {
    let unix = std::fs::read("/proc/net/unix").unwrap_or_default();
    let mut answers = Vec::new();
    for some in numbers(&String::from_utf8_lossy(&unix)).chunks(AT_ONCE) {
        // One that has ended meanwhile, or is another user's, has nothing to tell.
        let mut asked: Vec<_> = some.iter().filter_map(|process| put(*process).ok()).collect();
        hear(&mut asked, Instant::now() + PATIENCE);
        answers.extend(asked.into_iter().filter_map(|question| question.answer().ok()));
    }
    answers
}

/// A process that was asked, and what it has told so far.
struct Question {
    process: u32,
    stream: OwnedFd,
    told: Vec<u8>,
    /// Whether it has told everything; `None` as long as there may be more.
    end: Option<io::Result<()>>,
}

/// Asks, and does not wait.
fn put(process: u32) -> io::Result<Question> {
    // A child may have the socket of one that has ended, and answers nothing.
    std::fs::metadata(format!("/proc/{process}"))?;
    let address = SocketAddrUnix::new_abstract_name(format!("{NAME}{process}").as_bytes())?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let stream = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    // Of one whose queue is full because it lets nobody in, this is not waited for either.
    connect(&stream, &address)?;
    // The name is anybody's to take.
    let server = socket_peercred(&stream)?;
    if server.uid != geteuid() && !geteuid().is_root() {
        return Err(ErrorKind::PermissionDenied.into());
    }
    if u32::try_from(server.pid.as_raw_pid()) != Ok(process) {
        return Err(ErrorKind::NotFound.into());
    }
    Ok(Question { process, stream, told: Vec::new(), end: None })
}

/// Takes what they tell, until all of them have or the time is over.
fn hear(asked: &mut [Question], deadline: Instant) {
    let mut piece = vec![0; 1 << 16];
    loop {
        let mut open: Vec<_> = asked.iter_mut().filter(|it| it.end.is_none()).collect();
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok(left) = Timespec::try_from(left) else { return };
        if open.is_empty() || left == Timespec::default() {
            return;
        }
        let polled = open.iter().map(|it| PollFd::new(&it.stream, PollFlags::IN));
        let mut polled: Vec<_> = polled.collect();
        match poll(&mut polled, Some(&left)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
        let tells: Vec<_> = polled.iter().map(|it| !it.revents().is_empty()).collect();
        for (question, _) in open.iter_mut().zip(tells).filter(|(_, tells)| *tells) {
            question.listen(&mut piece);
        }
    }
}

impl Question {
    fn listen(&mut self, piece: &mut [u8]) {
        match rustix::io::read(&self.stream, &mut *piece) {
            Ok(0) => self.end = Some(Ok(())),
            Ok(_) if self.told.len() > MOST => {
                self.told = Vec::new();
                self.end = Some(Err(ErrorKind::FileTooLarge.into()));
            }
            Ok(octets) => self.told.extend(&piece[..octets]),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(errno) => self.end = Some(Err(errno.into())),
        }
    }

    fn answer(self) -> io::Result<Process> {
        self.end.unwrap_or_else(|| Err(ErrorKind::TimedOut.into()))?;
        let name = std::fs::read(format!("/proc/{}/comm", self.process)).unwrap_or_default();
        let (name, told) = (String::from_utf8_lossy(&name), String::from_utf8_lossy(&self.told));
        Ok(Process::new(self.process, &name, &told))
    }
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
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn the_processes_are_found_by_their_sockets() {
        let unix = format!("0: 2 0 10000 1 1 9 @{NAME}12\n0: 2 0 1 1 1 9 @{NAME}7\n0: /run/x@y\n");
        assert_eq!(numbers(&unix), [7, 12]);
    }

    fn question(process: u32) -> (Question, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        (Question { process, stream: ours.into(), told: Vec::new(), end: None }, theirs)
    }

    /// One that tells an octet now and then would keep root's tool for ever, and one that tells
    /// nothing would keep it from what others tell.
    #[test]
    fn who_does_not_come_to_the_end_is_given_up_alone() {
        let ((slow, mut teller), (silent, _keeps)) = (question(1), question(2));
        let (prompt, mut other) = question(std::process::id());
        let telling = std::thread::spawn(move || {
            while teller.write_all(b"x").is_ok() {
                std::thread::yield_now();
            }
        });
        other.write_all(b"{\"kind\":\"pair\"}\n").unwrap();
        drop(other);
        let mut asked = [slow, silent, prompt];
        hear(&mut asked, Instant::now() + Duration::from_millis(50));
        let [slow, silent, prompt] = asked.map(Question::answer);
        assert_eq!(slow.unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(silent.unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(prompt.unwrap().lines("pair").count(), 1);
        telling.join().unwrap();
    }

    #[test]
    fn what_is_told_is_read_to_the_end() {
        let (question, mut theirs) = question(std::process::id());
        let line = "{\"kind\":\"pair\"}\n";
        let told = std::thread::spawn(move || theirs.write_all(line.repeat(20_000).as_bytes()));
        let mut asked = [question];
        hear(&mut asked, Instant::now() + Duration::from_secs(60));
        told.join().unwrap().unwrap();
        let [question] = asked;
        assert_eq!(question.answer().unwrap().lines("pair").count(), 20_000);
    }

    #[test]
    fn who_tells_without_end_is_given_up() {
        let (question, mut theirs) = question(1);
        let told = std::thread::spawn(move || while theirs.write_all(&[b'x'; 1 << 16]).is_ok() {});
        let mut asked = [question];
        hear(&mut asked, Instant::now() + Duration::from_secs(60));
        let [question] = asked;
        assert_eq!(question.answer().unwrap_err().kind(), ErrorKind::FileTooLarge);
        told.join().unwrap();
    }

    #[test]
    fn what_is_no_line_of_ours_is_passed_over() {
        let wide = format!("{{\"kind\":\"pair\",\"local\":\"{}\"}}", "x".repeat(LONGEST));
        let told = [
            "{\"kind\":\"pair\"}",
            "{\"kind\":\"pair\",\"local\":\"\u{1b}[2J\"}",
            "{\"kind\":\"pair\",\"local\":\"\u{9b}2J\"}",
            "{\"kind\":\"pair\",\"process\":1}",
            "{\"kind\":\"pair\",\"program\":\"init\"}",
            "{\"kind\":\"pair\"} }",
            "x",
            &wide,
            "{\"kind\":\"port\"}",
        ];
        let process = Process::new(1, "\u{1b}a\n", &told.join("\n"));
        assert_eq!(process.lines("pair").collect::<Vec<_>>(), ["{\"kind\":\"pair\"}"]);
        assert_eq!((process.lines("port").count(), process.name.as_str()), (1, "?a"));
    }
}

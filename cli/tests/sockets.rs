//! `linsock sockets` and `linsock top`, run on a process that has sockets: this one.

use std::fs::File;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Output, Stdio};

use linsock::net::{Family, Socket};
use linsock::view::service::NAME;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use rustix::net::{bind, connect, listen, socket_with};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

fn linsock(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linsock"));
    command.args(arguments).output().expect("the command starts")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

fn listener() -> (Socket, SocketAddr) {
    let listener = Socket::tcp(Family::Inet).unwrap();
    listener.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    listener.listen(1).unwrap();
    let address = listener.local_address().unwrap();
    (listener, address)
}

#[test]
fn the_sockets_of_a_process_are_listed() {
    let (listener, address) = listener();
    let fresh = Socket::tcp(Family::Inet6).unwrap();
    let client = Socket::tcp(Family::Inet).unwrap();
    client.connect(address).unwrap();
    let process = std::process::id().to_string();

    let output = linsock(&["sockets", &process]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    let line = |part: &str| {
        let found = table.lines().find(|line| line.contains(part));
        found.unwrap_or_else(|| panic!("{part}\n{table}"))
    };
    assert!(line("PID").starts_with("PID  "), "{table}");
    let own = client.local_address().unwrap().to_string();
    let connected = line(&own);
    assert!(connected.starts_with(&process), "{table}");
    let is_connected = connected.contains("  connected  ESTABLISHED  ");
    assert!(is_connected && connected.contains(&address.to_string()), "{table}");
    let handle = format!("{:#x}", listener.handle());
    // Other tests have sockets in this process, too.
    assert!(line(&format!("  {handle}  ")).contains("  listening  "), "{table}");
    line(&format!("note: {process} {handle}: connections that wait for an accept: 1"));
    line("of them without an address (--all shows them)");
    let handle = format!("{:#x}", fresh.handle());
    assert!(!table.contains(&handle), "{table}");
    assert!(text(&linsock(&["sockets", "--all"]).stdout).contains(&handle));

    let json = text(&linsock(&["sockets", "--json", &process]).stdout);
    let begin = format!("{{\"process\":{process},\"program\":\"sockets-");
    assert!(json.lines().all(|line| line.starts_with(&begin) && line.ends_with('}')), "{json}");
    assert!(json.lines().any(|line| line.contains(&format!("\"local\":\"{own}\""))), "{json}");
}

#[test]
fn a_process_that_has_nothing_to_tell_is_an_error() {
    for command in ["sockets", "top"] {
        let output = linsock(&[command, "1"]);
        assert_eq!(output.status.code(), Some(1));
        let error = text(&output.stderr);
        assert!(error.contains("process 1 tells nothing"), "{error}");
        let error = text(&linsock(&[command, "4194305"]).stderr);
        assert!(error.contains("no process 4194305"), "{error}");
    }
    let output = linsock(&["top"]);
    assert_eq!(output.status.code(), Some(1), "the output is a pipe");
    assert!(text(&output.stderr).contains("no terminal to draw on"), "{}", text(&output.stderr));
}

/// It says that it is ready, and ends with its input.
#[test]
fn a_program_that_makes_only_a_port_is_seen() {
    let scratch = tempfile::tempdir().unwrap();
    let source = scratch.path().join("port.c");
    let program = scratch.path().join("port");
    let text_of = "#include <windows.h>\n#include <stdio.h>\nint main(void)\n{\n    \
                   CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 3);\n    puts(\"ready\");\n    \
                   fflush(stdout);\n    return getchar();\n}\n";
    std::fs::write(&source, text_of).unwrap();
    let (from, to) = (source.to_str().unwrap(), program.to_str().unwrap());
    let compiled = linsock(&["cc", from, "-o", to]);
    assert!(compiled.status.success(), "{}", text(&compiled.stderr));
    let mut command = Command::new(&program);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 6]).unwrap();
    let json = text(&linsock(&["sockets", "--json", &child.id().to_string()]).stdout);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(json.contains("\"kind\":\"port\"") && json.contains("\"concurrency\":3"), "{json}");
}

/// Anybody may take any name, and let nobody in.
#[test]
fn who_lets_nobody_in_is_not_waited_for() {
    let mut other = Command::new("sleep").arg("1000").spawn().unwrap();
    let name = SocketAddrUnix::new_abstract_name(format!("{NAME}{}", other.id()).as_bytes());
    let name = name.unwrap();
    let socket = || {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap()
    };
    let taken = socket();
    bind(&taken, &name).unwrap();
    listen(&taken, 0).unwrap();
    let mut queue = Vec::new();
    loop {
        let client = socket();
        match connect(&client, &name) {
            Ok(()) => queue.push(client),
            Err(errno) => break assert_eq!(errno, Errno::AGAIN),
        }
    }
    let (_listener, address) = listener();
    assert!(text(&linsock(&["sockets"]).stdout).contains(&address.to_string()));
    let output = linsock(&["sockets", &other.id().to_string()]);
    assert!(text(&output.stderr).contains("tells nothing"), "{}", text(&output.stderr));
    other.kill().unwrap();
    other.wait().unwrap();
}

/// As `linsock sockets | head` does.
#[test]
fn who_has_read_enough_is_told_nothing() {
    let _listener = listener();
    let (from, to) = std::io::pipe().unwrap();
    drop(from);
    let mut command = Command::new(env!("CARGO_BIN_EXE_linsock"));
    let output = command.args(["sockets"]).stdout(to).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(1), ""));
}

/// A terminal of 30 lines of 150 letters: the side of the user, and of the program.
fn terminal() -> (File, OwnedFd) {
    let user = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&user).unwrap();
    unlockpt(&user).unwrap();
    let size = Winsize { ws_row: 30, ws_col: 150, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&user, size).unwrap();
    let name = ptsname(&user, Vec::new()).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    (File::from(user), open(name.as_c_str(), flags, Mode::empty()).unwrap())
}

/// What is on the screen: enough of a terminal for a program that places its letters.
struct Screen {
    user: File,
    letters: Vec<Vec<char>>,
    /// Line and column, from 0.
    cursor: (usize, usize),
    rest: String,
}

impl Screen {
    fn new(user: File) -> Self {
        Self { user, letters: vec![vec![' '; 150]; 30], cursor: (0, 0), rest: String::new() }
    }

    /// Reads until this is on the screen.
    fn wait_for(&mut self, expected: &str) {
        while !self.text().contains(expected) {
            let mut octets = [0; 65_536];
            let read = self.user.read(&mut octets).expect("the program draws on");
            self.rest += &text(&octets[..read]);
            while self.take().is_some() {}
        }
    }

    /// Reads until the program has given this command.
    fn wait_for_command(&mut self, expected: &str) {
        while !self.rest.contains(expected) {
            let mut octets = [0; 65_536];
            let read = self.user.read(&mut octets).expect("the program draws on");
            self.rest += &text(&octets[..read]);
        }
        let (_, rest) = self.rest.split_once(expected).unwrap();
        self.rest = rest.to_owned();
    }

    fn text(&self) -> String {
        self.letters.iter().flat_map(|line| line.iter().chain(&['\n'])).collect()
    }

    /// Takes a letter or a command; `None` when there is no whole one.
    fn take(&mut self) -> Option<()> {
        let Some(command) = self.rest.strip_prefix('\x1b') else {
            let letter = self.rest.chars().next()?;
            self.rest.remove(0);
            let (line, column) = self.cursor;
            if let Some(place) = self.letters.get_mut(line).and_then(|line| line.get_mut(column)) {
                *place = letter;
            }
            self.cursor.1 += 1;
            return Some(());
        };
        let end = command.find(|letter: char| letter.is_ascii_alphabetic())?;
        if command[end..].starts_with('H') {
            let numbers = command[..end].trim_start_matches('[').split(';');
            let mut numbers = numbers.map(|number| number.parse().unwrap_or(1));
            self.cursor = (numbers.next()? - 1, numbers.next().unwrap_or(1) - 1);
        }
        self.rest.drain(..=end + 1);
        Some(())
    }
}

/// `linsock top` on a terminal of its own, looking at this process.
fn top() -> (Screen, Child) {
    let (user, program) = terminal();
    let side = || Stdio::from(program.try_clone().unwrap());
    let child = Command::new(env!("CARGO_BIN_EXE_linsock"))
        .args(["top", "--interval", "0.1", &std::process::id().to_string()])
        .env("TERM", "xterm")
        // A process group whose parent is in another can be stopped.
        .process_group(0)
        .stdin(side())
        .stdout(side())
        .stderr(side())
        .spawn()
        .unwrap();
    (Screen::new(user), child)
}

#[test]
fn the_whole_screen_shows_them_until_the_user_has_seen_enough() {
    let (listener, address) = listener();
    let (mut screen, mut child) = top();
    screen.wait_for(&address.to_string());
    screen.wait_for("q quit");
    screen.user.write_all(format!("/{address}").as_bytes()).unwrap();
    screen.wait_for(&format!("filter: {address}_"));
    screen.user.write_all(b"\r").unwrap();
    screen.wait_for(&format!("by process, filter {address}"));
    screen.wait_for(&format!("socket {:#x}: TCP/IP", listener.handle()));
    screen.wait_for("(1 shown)");
    drop(listener);
    screen.wait_for("  gone  ");
    screen.user.write_all(b"q").unwrap();
    assert!(child.wait().unwrap().success());
}

/// A terminal that is left as a program has made it shows nothing that is typed.
#[test]
fn a_signal_gives_the_terminal_back() {
    let (_listener, address) = listener();
    let (mut screen, mut child) = top();
    let is_raw = |screen: &Screen| {
        let modes = tcgetattr(&screen.user).unwrap().local_modes;
        !modes.contains(LocalModes::ECHO)
    };
    screen.wait_for(&address.to_string());
    assert!(is_raw(&screen));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(!is_raw(&screen));
}

/// Nor is a shell of use on a screen that somebody else draws on, and what the shell wrote there is
/// to be gone afterwards.
#[test]
fn a_stop_gives_the_terminal_back_until_it_goes_on() {
    let (_listener, address) = listener();
    let is_raw = |screen: &Screen| {
        let modes = tcgetattr(&screen.user).unwrap().local_modes;
        !modes.contains(LocalModes::ECHO)
    };
    for by_key in [false, true] {
        let (mut screen, mut child) = top();
        let process = Pid::from_child(&child);
        screen.wait_for(&address.to_string());
        if by_key {
            screen.user.write_all(b"\x1a").unwrap();
        } else {
            kill_process(process, Signal::TSTP).unwrap();
        }
        let (_, status) = waitpid(Some(process), WaitOptions::UNTRACED).unwrap().unwrap();
        assert!(status.stopped(), "{status:?}");
        assert!(!is_raw(&screen));
        kill_process(process, Signal::CONT).unwrap();
        screen.wait_for_command("[?1049l");
        screen.letters.iter_mut().for_each(|line| line.fill(' '));
        screen.wait_for(&address.to_string());
        assert!(is_raw(&screen));
        screen.user.write_all(b"q").unwrap();
        assert!(child.wait().unwrap().success());
    }
}

/// One whose window is closed has no use for a program that reads its end again and again.
#[test]
fn a_terminal_that_is_gone_ends_it() {
    let (_listener, address) = listener();
    let (mut screen, mut child) = top();
    screen.wait_for(&address.to_string());
    drop(screen);
    let status = child.wait().unwrap();
    assert!(status.code().is_some(), "{status}");
}

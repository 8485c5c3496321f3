//! A Windows service under a manager that does what systemd does: it listens at NOTIFY_SOCKET and
//! sends SIGTERM (sd_notify(3), systemd.service(5)).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const LINSOCK: &str = env!("CARGO_BIN_EXE_linsock");
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/service.c");

struct Built {
    directory: TempDir,
    program: PathBuf,
}

fn built() -> Built {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("service");
    let mut compile = Command::new(LINSOCK);
    compile.args(["cc", "-Wall", "-Werror", SOURCE, "-o"]).arg(&program);
    assert!(compile.status().unwrap().success());
    Built { directory, program }
}

/// What systemd is told next.
fn told(manager: &UnixDatagram) -> String {
    let mut text = [0; 256];
    let length = manager.recv(&mut text).expect("the service reports");
    String::from_utf8_lossy(&text[..length]).into_owned()
}

fn line(child: &mut BufReader<impl Read>) -> String {
    let mut line = String::new();
    child.read_line(&mut line).unwrap();
    line
}

fn terminate(child: &Child) {
    kill_process(Pid::from_child(child), Signal::TERM).unwrap();
}

#[test]
fn a_service_starts_serves_and_stops() {
    let Built { directory, program } = built();
    let path = directory.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut child =
        Command::new(&program).env("NOTIFY_SOCKET", &path).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(told(&manager), "STATUS=starting\nEXTEND_TIMEOUT_USEC=3000000");
    let listens = line(&mut said);
    let port = listens.trim().strip_prefix("echo of 1 listens on ").expect(&listens);
    assert_eq!(told(&manager), "READY=1\nSTATUS=running");

    let mut client = TcpStream::connect(("127.0.0.1", port.parse().unwrap())).unwrap();
    client.write_all(b"hello").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut back = String::new();
    client.read_to_string(&mut back).unwrap();
    assert_eq!(back, "hello");

    terminate(&child);
    assert_eq!(told(&manager), "STOPPING=1\nSTATUS=stopping\nEXTEND_TIMEOUT_USEC=2000000");
    assert_eq!(told(&manager), "STATUS=stopped");
    assert_eq!(line(&mut said), "stopped\n");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn without_a_manager_it_is_told_so() {
    let built = built();
    let output = Command::new(&built.program).env_remove("NOTIFY_SOCKET").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "no service: 1063\n");
    assert_eq!(output.status.code(), Some(3));
}

//! `linsock time-wait`, run on a process that holds a pair: this one.

use std::net::SocketAddr;
use std::process::{Command, Output};

use linsock::net::{Family, Socket};

fn time_wait(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linsock"));
    command.arg("time-wait").args(arguments).output().expect("the command starts")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// Closes a connection from a port of our choice first; gives its pair.
fn hold_a_pair() -> (SocketAddr, SocketAddr) {
    let listener = Socket::tcp(Family::Inet).unwrap();
    listener.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    listener.listen(1).unwrap();
    let chosen = Socket::tcp(Family::Inet).unwrap();
    chosen.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let from = chosen.local_address().unwrap();
    drop(chosen);
    let client = Socket::tcp(Family::Inet).unwrap();
    client.bind(from).unwrap();
    let to = listener.local_address().unwrap();
    client.connect(to).unwrap();
    let server = listener.accept().unwrap();
    drop(client);
    assert_eq!(server.recv(&mut [0; 1]).unwrap(), 0);
    (from, to)
}

#[test]
fn it_shows_what_a_process_holds_and_what_the_kernel_does() {
    let (from, to) = hold_a_pair();
    let process = std::process::id().to_string();

    let output = time_wait(&["--json", &process]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let json = text(&output.stdout);
    let begin = format!(
        "{{\"time_wait\":[{{\"process\":{process},\"local\":\"{from}\",\"remote\":\"{to}\",\"left_ms\":"
    );
    let left = json.strip_prefix(&begin).and_then(|rest| rest.strip_suffix("}]}\n"));
    let left: u64 = left.unwrap_or_else(|| panic!("{json}")).parse().unwrap();
    assert!((200_000..=240_250).contains(&left), "the default is 240 s: {left}");

    let output = time_wait(&[]);
    let table = text(&output.stdout);
    let own = table.lines().find(|line| line.trim_start().starts_with(&process));
    assert!(own.is_some_and(|line| line.contains(&from.to_string())), "{table}");
    assert!(table.lines().last().is_some_and(|line| line.contains("held by linsock")), "{table}");
}

#[test]
fn a_process_that_has_nothing_to_tell_is_an_error() {
    let output = time_wait(&["1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("process 1 tells nothing"), "{}", text(&output.stderr));
    let output = time_wait(&["4194305"]);
    assert!(text(&output.stderr).contains("no process 4194305"), "{}", text(&output.stderr));
}

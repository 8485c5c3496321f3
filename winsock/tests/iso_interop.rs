//! Class 0 against a foreign implementation: python-snap7, which talks to industrial controllers.
//!
//! It is looked for where `LINSOCK_TEST_PYTHON` says, and among python3's own packages; where it is
//! missing the tests print `skipped: NAME` and pass.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use linsock::net::{ConnectData, DisconnectData, IsoSocket, Received, TransportAddress};

/// "Setup communication" of S7comm: a request with the reference 0x0100 and its answer differ in
/// the kind (1, 3) and in two octets of status.
const SETUP: [u8; 18] = [0x32, 1, 0, 0, 1, 0, 0, 8, 0, 0, 0xF0, 0, 0, 1, 0, 1, 1, 0xE0];

const CLIENT: &str = "
import sys, snap7
client = snap7.client.Client()
client.connect('127.0.0.1', 0, 2, int(sys.argv[1]))
print('connected', client.get_connected(), flush=True)
client.disconnect()
print('disconnected', flush=True)
";

const SERVER: &str = "
import socket, sys, snap7
probe = socket.socket()
probe.bind(('127.0.0.1', 0))
port = probe.getsockname()[1]
probe.close()
server = snap7.server.Server(log=False)
server.start(tcp_port=port)
print(port, flush=True)
sys.stdin.read()
server.stop()
";

/// A Python program and what it prints.
struct Python {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Python {
    /// `None`, and a line that says so, where snap7 is missing.
    fn run(test: &str, program: &str, arguments: &[String]) -> Option<Self> {
        let python = |code: &str| {
            let mut python = Command::new("python3");
            python.args(["-c", code]).stdin(Stdio::piped()).stderr(Stdio::null());
            if let Some(packages) = std::env::var_os("LINSOCK_TEST_PYTHON") {
                python.env("PYTHONPATH", packages);
            }
            python
        };
        if !python("import snap7").status().is_ok_and(|status| status.success()) {
            let line = format!("skipped: {test}: needs python3 and python-snap7\n");
            std::io::stderr().write_all(line.as_bytes()).unwrap();
            return None;
        }
        let mut child = python(program).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Some(Self { child, lines })
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("another line").expect("text")
    }
}

fn at(host: &str, selector: &[u8]) -> TransportAddress {
    TransportAddress::new(host.parse().unwrap(), selector).unwrap()
}

#[test]
fn a_client_of_snap7_connects_talks_and_disconnects() {
    let listener = IsoSocket::class_0().unwrap();
    listener.bind(&at("127.0.0.1:0", b"")).unwrap();
    listener.listen(1).unwrap();
    let port = listener.local_address().unwrap().host().port().to_string();
    let name = "a_client_of_snap7_connects_talks_and_disconnects";
    let Some(mut client) = Python::run(name, CLIENT, &[port]) else { return };
    let request = listener.accept().unwrap();
    assert_eq!(request.caller().unwrap().selector().len(), 2, "rack and slot");
    let server = request.accept(&ConnectData::NONE).unwrap();
    let Received::Message(setup) = server.recv().unwrap() else { panic!("a message") };
    assert_eq!((setup[0], setup[1], setup[10]), (0x32, 1, 0xF0), "setup communication");
    let answer = [&[0x32, 3], &setup[2..10], &[0, 0], &setup[10..]].concat();
    server.send(&answer).unwrap();
    assert_eq!(client.line(), "connected True");
    assert_eq!(client.line(), "disconnected");
    assert_eq!(server.recv().unwrap(), Received::Disconnected(DisconnectData::NONE));
}

#[test]
fn a_server_of_snap7_answers_class_0_and_cannot_pretend_to_class_2() {
    let name = "a_server_of_snap7_answers_class_0_and_cannot_pretend_to_class_2";
    let Some(mut server) = Python::run(name, SERVER, &[]) else { return };
    let to = at(&format!("127.0.0.1:{}", server.line()), &[1, 2]);
    // RFC 2126 7: it answers class 0 to whatever is asked.
    let two = IsoSocket::new().unwrap();
    assert_eq!(two.connect(&to, &ConnectData::NONE).unwrap_err().wsa(), 10061);

    let client = IsoSocket::class_0().unwrap();
    client.connect(&to, &ConnectData::NONE).unwrap();
    client.send(&SETUP).unwrap();
    let Received::Message(answer) = client.recv().unwrap() else { panic!("a message") };
    assert_eq!((answer[0], answer[1], answer[12]), (0x32, 3, 0xF0), "its answer");
    let data = DisconnectData::new(b"x").unwrap();
    assert_eq!(client.disconnect(&data).unwrap_err().wsa(), 10042, "class 0 has none");
    client.disconnect(&DisconnectData::NONE).unwrap();
    assert_eq!(client.recv().unwrap(), Received::Disconnected(DisconnectData::NONE));
}

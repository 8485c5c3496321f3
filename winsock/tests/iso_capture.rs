//! The exchange as another implementation reads it: captured on the loopback and dissected by
//! tshark. Takes root and tshark; where one is missing the test prints `skipped: NAME` and passes.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::thread;

use linsock::net::{ConnectData, DisconnectData, IsoSocket, Received, TransportAddress};

const FIELDS: [&str; 6] = [
    "cotp.type",
    "cotp.class",
    "cotp.opts.no_explicit_flow_control",
    "cotp.cause",
    "cotp.eot",
    "data.data",
];

/// A capture of one port, running: its lines are what tshark makes of each TPDU.
struct Capture {
    tshark: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// tshark ends when nobody reads what it has to say.
    _messages: Lines<BufReader<ChildStderr>>,
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = self.tshark.kill();
        let _ = self.tshark.wait();
    }
}

impl Capture {
    /// `None` where nobody may capture.
    fn of(port: u16) -> Option<Self> {
        let mut tshark = Command::new("tshark");
        tshark.args(["-i", "lo", "-l", "-f", &format!("tcp port {port}"), "-Y", "cotp"]);
        tshark.args(["-d", &format!("tcp.port=={port},tpkt"), "-T", "fields", "-E", "separator=|"]);
        tshark.args(FIELDS.iter().flat_map(|field| ["-e", field]));
        tshark.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut tshark = tshark.spawn().ok()?;
        let mut messages = BufReader::new(tshark.stderr.take()?).lines();
        let lines = BufReader::new(tshark.stdout.take()?).lines();
        // It says so when it has begun, or ends with a complaint.
        let begun =
            messages.by_ref().map_while(Result::ok).any(|line| line.contains("Capture started"));
        let capture = Self { tshark, lines, _messages: messages };
        begun.then_some(capture)
    }

    fn next(&mut self) -> String {
        self.lines.next().expect("another TPDU").expect("text")
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[test]
fn tshark_reads_connect_data_and_disconnect_data() {
    let listener = IsoSocket::new().unwrap();
    let any = TransportAddress::new("127.0.0.1:0".parse().unwrap(), &[1, 2]).unwrap();
    listener.bind(&any).unwrap();
    listener.listen(4).unwrap();
    let at = listener.local_address().unwrap();
    let Some(mut capture) = Capture::of(at.host().port()) else {
        let line =
            "skipped: tshark_reads_connect_data_and_disconnect_data: needs root and tshark\n";
        return std::io::stderr().write_all(line.as_bytes()).unwrap();
    };
    let last_words: Vec<u8> = (0..64).collect();
    let client = thread::spawn(move || {
        let refused = IsoSocket::new().unwrap();
        assert!(refused.connect(&at, &ConnectData::new(b"FIRST").unwrap()).is_err());
        let client = IsoSocket::new().unwrap();
        client.connect(&at, &ConnectData::new(b"CALLERDATA").unwrap()).unwrap();
        while let Received::Message(_) = client.recv().unwrap() {}
    });
    listener.accept().unwrap().refuse(&DisconnectData::new(b"go away").unwrap());
    let request = listener.accept().unwrap();
    let server = request.accept(&ConnectData::new(b"CALLEEDATA").unwrap()).unwrap();
    server.send(b"reply").unwrap();
    server.disconnect(&DisconnectData::new(&last_words).unwrap()).unwrap();
    client.join().unwrap();

    let expected = [
        // CR, refused by a DR with the reason 136 (88h).
        format!("0x0e|2|1||{}|{}", "", hex(b"FIRST")),
        format!("0x08|||136|{}|{}", "", hex(b"go away")),
        // CR, CC, DT, DR with the reason 128 (80h), DC.
        format!("0x0e|2|1||{}|{}", "", hex(b"CALLERDATA")),
        format!("0x0d|2|1||{}|{}", "", hex(b"CALLEEDATA")),
        format!("0x0f||||1|{}", hex(b"reply")),
        format!("0x08|||128||{}", hex(&last_words)),
        "0x0c|||||".to_owned(),
    ];
    for line in expected {
        assert_eq!(capture.next(), line);
    }
}

//! A whole connection against a hostile peer and a hostile owner. The input is a script: what the
//! peer sends, well formed or not, and what the owner asks for, in any order.

use linsock::transport::iso::connection::{Connection, Event, MESSAGE_MAX, Request};
use linsock::transport::iso::tpdu::{self, Class, TPKT_HEADER};

const OURS: u16 = 0x0101;
const THEIRS: u16 = 0x0202;
/// What the connection may hold of a peer's octets: a message that is whole, one that is not, as
/// much again that is no longer wanted, and the last read.
const HELD_MAX: usize = 4 * MESSAGE_MAX + (1 << 18);
/// The longest answer to something that a peer sends.
const ANSWER_MAX: usize = 300;

pub(crate) fn check(script: &[u8]) {
    let mut script = Script(script);
    let Some(mut run) = Run::begin(script.octet()) else { return };
    while let Some(step) = script.next() {
        run.step(step, &mut script);
        run.hold();
    }
    run.end();
}

struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn octet(&mut self) -> u8 {
        self.next().unwrap_or(0)
    }

    fn octets(&mut self) -> &'a [u8] {
        let count = usize::from(self.octet()).min(self.0.len());
        let (octets, rest) = self.0.split_at(count);
        self.0 = rest;
        octets
    }
}

struct Run {
    connection: Connection,
    class: Class,
    /// Everything that was sent.
    wire: Vec<u8>,
    /// Octets that the owner sent, at least.
    owed: usize,
    fed: usize,
    received: usize,
    ends: usize,
}

impl Run {
    /// A connection that is asked for, that is to be asked for, or that is open.
    fn begin(kind: u8) -> Option<Self> {
        let class = if kind & 1 == 0 { Class::Zero } else { Class::Two };
        let ask = |reference| {
            let (calling, called) = (&b"calling"[..], &b"called"[..]);
            let request = Request { class, reference, calling, called, data: b"data" };
            Connection::request(&request).ok()
        };
        let connection = match kind / 2 % 4 {
            0 => Connection::listening(OURS),
            1 => ask(OURS)?,
            2 => {
                let (mut ours, mut theirs) = (Connection::listening(OURS), ask(THEIRS)?);
                carry(&mut theirs, &mut ours);
                ours.accept(b"").ok()?;
                carry(&mut ours, &mut theirs);
                ours
            }
            _ => {
                let (mut ours, mut theirs) = (ask(OURS)?, Connection::listening(THEIRS));
                carry(&mut ours, &mut theirs);
                theirs.accept(b"").ok()?;
                carry(&mut theirs, &mut ours);
                ours
            }
        };
        let owed = connection.output().len();
        let (wire, fed) = (Vec::new(), 0);
        Some(Self { connection, class, wire, owed, fed, received: 0, ends: 0 })
    }

    fn step(&mut self, step: u8, script: &mut Script<'_>) {
        match step % 13 {
            0 => self.feed(script.octets()),
            1 => self.feed_packet(script.octets()),
            2 => self.feed_data(usize::from(script.octet()) << 8, true),
            3 => self.feed_data(usize::from(script.octet()) << 8, false),
            4 => self.connection.end_of_stream(),
            5 => self.connection.reset(),
            6 => drop(self.connection.accept(script.octets())),
            7 => drop(self.connection.refuse(script.octets())),
            8 => drop(self.connection.disconnect(script.octets())),
            9 => self.connection.abort(),
            10 => self.receive(usize::from(script.octet()) << 12),
            11 => self.send(usize::from(script.octet()) << 8),
            _ => self.transmit(usize::from(script.octet()) << 4),
        }
    }

    fn feed(&mut self, octets: &[u8]) {
        // An owner does not read for a connection that has no place for more.
        if self.connection.wants_input() {
            self.fed += octets.len();
            self.connection.input().extend_from_slice(octets);
            self.connection.decode();
        }
    }

    fn feed_packet(&mut self, tpdu: &[u8]) {
        let len = u16::try_from(tpdu.len() + TPKT_HEADER).unwrap_or(u16::MAX).to_be_bytes();
        self.feed(&[&[3, 0, len[0], len[1]], tpdu].concat());
    }

    fn feed_data(&mut self, len: usize, end: bool) {
        let mut packet = Vec::new();
        let destination = (self.class == Class::Two).then_some(OURS);
        tpdu::emit_data(&mut packet, destination, end, |into| into.resize(into.len() + len, 7));
        self.feed(&packet);
    }

    fn send(&mut self, len: usize) {
        if self.connection.is_open() && self.connection.output().len() < MESSAGE_MAX {
            let before = self.connection.output().len();
            self.connection.send(&vec![7; len], true);
            self.owed += self.connection.output().len() - before;
        }
    }

    fn transmit(&mut self, count: usize) {
        let count = count.min(self.connection.output().len());
        self.wire.extend_from_slice(&self.connection.output()[..count]);
        self.connection.sent(count);
    }

    fn receive(&mut self, room: usize) {
        let Some((count, end)) = self.connection.receivable(room) else { return };
        assert!(count <= room);
        let mut looked: Vec<u8> = Vec::new();
        let looked_end = self.connection.look_at_message(count, |part| looked.extend(part));
        let mut taken: Vec<u8> = Vec::new();
        let taken_end = self.connection.take_message(count, |part| taken.extend(part));
        assert_eq!((taken.len(), taken_end, looked_end), (count, end, end));
        assert_eq!(taken, looked);
        self.received += count;
    }

    /// What holds after every step.
    fn hold(&mut self) {
        let peer_spoke = self.connection.peer_request().is_some();
        while let Some(event) = self.connection.poll() {
            match event {
                Event::Requested => assert!(peer_spoke || self.connection.is_over()),
                Event::Connected => {}
                Event::Refused(_) | Event::Disconnected | Event::Released | Event::Broken => {
                    self.ends += 1;
                }
            }
        }
        assert!(self.ends <= 1 && self.received <= self.fed);
        assert!(self.ends == 0 || self.connection.is_over() && !self.connection.is_open());
        assert!(self.connection.input().len() <= HELD_MAX);
        // Accept, refuse and disconnect carry a little data of the owner's.
        assert!(self.wire.len() + self.connection.output().len() <= self.owed + 2 * ANSWER_MAX);
    }

    /// What was sent are whole packets, however it ended.
    fn end(mut self) {
        self.transmit(usize::MAX);
        let mut rest = &self.wire[..];
        while !rest.is_empty() {
            let len = tpdu::packet_len(rest).ok().flatten();
            let len = len.filter(|len| *len <= rest.len());
            let (packet, behind) = rest.split_at(len.expect("a whole packet"));
            let class = self.connection.class();
            assert!(tpdu::decode(&packet[TPKT_HEADER..], class).is_ok(), "{packet:?} {class:?}");
            rest = behind;
        }
    }
}

fn carry(from: &mut Connection, to: &mut Connection) {
    to.input().extend_from_slice(from.output());
    to.decode();
    from.sent(from.output().len());
    while to.poll().is_some() {}
}

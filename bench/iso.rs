//! Messages of ISO transport beside octets of TCP: throughput of both through the same safe API, one
//! way over the loopback, in one run, taking turns. `cargo run --release -p linsock --example
//! iso_throughput`

use std::thread;
use std::time::{Duration, Instant};

use linsock::net::{ConnectData, Family, IsoSocket, Received, Socket, TransportAddress};

/// Octets of one turn.
const TURN: usize = 1 << 28;
const TURNS: usize = 21;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Outcome<()> {
    for size in [1 << 10, 1 << 16] {
        let octets = if size < 4096 { TURN / 8 } else { TURN };
        // Messages must not wait for each other's acknowledgement, so ISO transport sets
        // TCP_NODELAY; without it TCP makes large packets out of small sends.
        for no_delay in [true, false] {
            compare(size, octets, no_delay)?;
        }
    }
    Ok(())
}

fn compare(size: usize, octets: usize, no_delay: bool) -> Outcome<()> {
    let (mut ratios, mut tcp, mut iso) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..TURNS {
        // Who goes first alternates.
        let (first, second) = if turn % 2 == 0 {
            let first = over_tcp(size, octets, no_delay)?;
            (first, over_iso(size, octets)?)
        } else {
            let second = over_iso(size, octets)?;
            (over_tcp(size, octets, no_delay)?, second)
        };
        ratios.push(first.as_secs_f64() / second.as_secs_f64());
        tcp.push(rate(octets, first));
        iso.push(rate(octets, second));
    }
    let (tcp, iso, ratio) = (median(&mut tcp), median(&mut iso), median(&mut ratios));
    let (low, high) = (ratios[0], ratios[TURNS - 1]);
    let manner = if no_delay { " without delay" } else { "" };
    println!(
        "{size} octets: tcp{manner} {tcp:.0} MiB/s, iso {iso:.0} MiB/s: {ratio:.2} ({low:.2}-{high:.2})"
    );
    Ok(())
}

fn rate(octets: usize, time: Duration) -> f64 {
    octets as f64 / time.as_secs_f64() / f64::from(1 << 20)
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn over_tcp(size: usize, octets: usize, no_delay: bool) -> Outcome<Duration> {
    let listener = Socket::tcp(Family::Inet)?;
    listener.bind("127.0.0.1:0".parse()?)?;
    listener.listen(1)?;
    let to = listener.local_address()?;
    let sender = thread::spawn(move || -> Outcome<()> {
        let client = Socket::tcp(Family::Inet)?;
        client.set_no_delay(no_delay)?;
        client.connect(to)?;
        let message = vec![7; size];
        for _ in 0..octets / size {
            client.send(&message)?;
        }
        Ok(())
    });
    let server = listener.accept()?;
    let begun = Instant::now();
    let mut into = vec![0; size];
    let mut received = 0;
    while received < octets {
        received += server.recv(&mut into)?;
    }
    let time = begun.elapsed();
    sender.join().map_err(|_| "the sender has died")??;
    Ok(time)
}

fn over_iso(size: usize, octets: usize) -> Outcome<Duration> {
    let listener = IsoSocket::new()?;
    let any = TransportAddress::new("127.0.0.1:0".parse()?, b"bench");
    listener.bind(&any.ok_or("a selector has at most 32 octets")?)?;
    listener.listen(1)?;
    let to = listener.local_address()?;
    let sender = thread::spawn(move || -> Outcome<()> {
        let client = IsoSocket::new()?;
        client.connect(&to, &ConnectData::NONE)?;
        let message = vec![7; size];
        for _ in 0..octets / size {
            client.send(&message)?;
        }
        Ok(())
    });
    let server = listener.accept()?.accept(&ConnectData::NONE)?;
    let begun = Instant::now();
    let mut received = 0;
    while received < octets {
        match server.recv()? {
            Received::Message(message) => received += message.len(),
            Received::Disconnected(_) => return Err("ended early".into()),
        }
    }
    let time = begun.elapsed();
    sender.join().map_err(|_| "the sender has died")??;
    Ok(time)
}

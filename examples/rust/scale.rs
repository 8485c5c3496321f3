//! Many idle connections in one process: what each costs in memory, what the few that are active
//! feel of them, and how long it takes to close them all gracefully.
//!
//! ```text
//! cargo run --release --example scale -- [CONNECTIONS...]      10000 50000 without
//! ```
//!
//! The far ends are in a process of their own, so that each has half of the descriptors. Every idle
//! socket has a receive pending on the completion port. Exit status 1 if a round trip of the active
//! few takes more than 1.25 of what it takes alone; a size that the limit of descriptors does not
//! allow is skipped by name.

#[path = "counting.rs"]
mod counting;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, ExitCode};
use std::time::{Duration, Instant};

use counting::Counting;
use linsock::net::{CompletionPort, Family, Packet, Result, Socket};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const ACTIVE: usize = 16;
const ROUNDS: usize = 20_000;
/// Of which the fastest counts: everything else that runs on the machine only makes it slower.
const REPEATS: usize = 5;
/// Room of the receive that each idle socket has pending; the program's memory, not linsock's.
const ROOM: usize = 16;
/// Connections from one address: fewer than the ephemeral ports that there are.
const PER_ADDRESS: usize = 10_000;
/// Accepts under way at once.
const AT_ONCE: usize = 128;
const FLAT: f64 = 1.25;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Scale {
    port: CompletionPort,
    listener: Socket,
    listens: SocketAddr,
}

/// What one size came to.
struct Figures {
    connections: usize,
    bytes: isize,
    round_trip: Duration,
    open: Duration,
    close: Duration,
}

const LISTENER: usize = usize::MAX;

impl Scale {
    fn new() -> Result<Self> {
        let (port, listener) = (CompletionPort::new(1)?, Socket::tcp(Family::Inet)?);
        listener.bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)))?;
        listener.listen(511)?;
        listener.associate(&port, LISTENER)?;
        let listens = listener.local_address()?;
        Ok(Self { port, listener, listens })
    }

    fn next(&self) -> Packet {
        let taken = self.port.wait(Some(Duration::from_secs(20))).expect("the port is open");
        taken.expect("something happens within 20 s")
    }

    fn socket(&self, key: usize) -> Result<Socket> {
        let socket = Socket::tcp(Family::Inet)?;
        socket.associate(&self.port, key)?;
        Ok(socket)
    }

    /// Takes `count` connections, as they come.
    fn accept(&self, count: usize) -> Result<Vec<Socket>> {
        let mut servers: Vec<Socket> = Vec::new();
        let mut accepted = 0;
        while accepted < count {
            while servers.len() < count && servers.len() < accepted + AT_ONCE {
                let server = self.socket(servers.len())?;
                let accept = self.listener.accept_into(&server, Vec::new());
                accept.queue(0).map_err(|refused| refused.0)?;
                servers.push(server);
            }
            self.next().result()?;
            accepted += 1;
        }
        Ok(servers)
    }

    /// Both ends of the few that will be active: clients, then servers.
    fn active(&self) -> Result<(Vec<Socket>, Vec<Socket>)> {
        let connect = |key| {
            let client = self.socket(key)?;
            client.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, self.listens.port())))?;
            Ok(client)
        };
        let clients: Result<Vec<_>> = (0..ACTIVE).map(connect).collect();
        let accept = |key| {
            let server = self.listener.accept()?;
            server.associate(&self.port, ACTIVE + key)?;
            Ok(server)
        };
        let servers: Result<Vec<_>> = (0..ACTIVE).map(accept).collect();
        Ok((clients?, servers?))
    }

    /// The time of one round trip of 16 octets, with 16 under way at once.
    fn round_trip(&self, clients: &[Socket], servers: &[Socket]) -> Result<Duration> {
        let side = |key: usize| {
            if key < clients.len() { &clients[key] } else { &servers[key - clients.len()] }
        };
        const RECEIVED: u64 = 1;
        const SENT: u64 = 2;
        for socket in clients.iter().chain(servers) {
            socket.recv_owned(vec![0; ROOM]).queue(RECEIVED).map_err(|refused| refused.0)?;
        }
        let begun = Instant::now();
        for client in clients {
            client.send_owned(vec![7; ROOM]).queue(SENT).map_err(|refused| refused.0)?;
        }
        let (mut done, mut going) = (0, clients.len());
        while going > 0 {
            let packet = self.next();
            let key = packet.key();
            if packet.token() == SENT {
                continue;
            }
            packet.result()?;
            let is_client = key < clients.len();
            done += usize::from(is_client);
            if is_client && done + going > ROUNDS {
                going -= 1;
                continue;
            }
            let memory = packet.into_buffer();
            side(key).recv_owned(vec![0; ROOM]).queue(RECEIVED).map_err(|refused| refused.0)?;
            side(key).send_owned(memory).queue(SENT).map_err(|refused| refused.0)?;
        }
        let time = begun.elapsed() / u32::try_from(done).expect("as many as rounds");
        for socket in clients.iter().chain(servers) {
            socket.cancel_all();
        }
        while self.port.wait(Some(Duration::ZERO))?.is_some() {}
        Ok(time)
    }

    fn measure(&self, connections: usize, active: &(Vec<Socket>, Vec<Socket>)) -> Result<Figures> {
        let (before, begun) = (counting::live(), Instant::now());
        let mut peer = Peer::start(self.listens, connections);
        let servers = self.accept(connections)?;
        let open = begun.elapsed();
        for socket in &servers {
            socket.recv_owned(vec![0; ROOM]).queue(0).map_err(|refused| refused.0)?;
        }
        let sockets = connections.max(1).cast_signed();
        let bytes = (counting::live() - before) / sockets - ROOM.cast_signed();
        let trips: Result<Vec<_>> =
            (0..REPEATS).map(|_| self.round_trip(&active.0, &active.1)).collect();
        let round_trip = trips?.into_iter().min().expect("several");
        let close = self.close_all(servers)?;
        peer.finish();
        Ok(Figures { connections, bytes, round_trip, open, close })
    }

    /// Says goodbye on every connection, and hears the peer's.
    fn close_all(&self, servers: Vec<Socket>) -> Result<Duration> {
        let begun = Instant::now();
        for server in &servers {
            server.half_close().queue(1).map_err(|refused| refused.0)?;
        }
        let mut servers: Vec<_> = servers.into_iter().map(Some).collect();
        let mut left = servers.len();
        while left > 0 {
            let packet = self.next();
            if packet.token() == 0 {
                packet.result()?;
                drop(servers[packet.key()].take());
                left -= 1;
            }
        }
        Ok(begun.elapsed())
    }
}

/// The process with the far ends.
struct Peer(Child);

impl Peer {
    fn start(listens: SocketAddr, connections: usize) -> Self {
        let this = std::env::current_exe().expect("the program has a path");
        let arguments = ["peer".to_string(), listens.port().to_string(), connections.to_string()];
        Self(Command::new(this).args(arguments).spawn().expect("the program starts"))
    }

    fn finish(&mut self) {
        assert!(self.0.wait().is_ok_and(|status| status.success()), "the peer failed");
    }
}

/// Connects, waits for the end of each connection and closes its own side.
fn peer(port: u16, connections: usize) -> Result<()> {
    descriptors();
    let scale = Scale::new()?;
    let mut sockets = Vec::new();
    for at in 0..connections {
        let socket = scale.socket(at)?;
        let last = u8::try_from(1 + at / PER_ADDRESS).expect("fewer than 2.5 million");
        socket.connect(SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), port)))?;
        socket.recv_owned(vec![0; ROOM]).queue(0).map_err(|refused| refused.0)?;
        sockets.push(Some(socket));
    }
    for _ in 0..connections {
        let packet = scale.port.wait(None)?.expect("a wait without a limit brings a packet");
        packet.result()?;
        drop(sockets[packet.key()].take());
    }
    Ok(())
}

/// Raises the limit of descriptors as far as it goes.
fn descriptors() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.unwrap_or(u64::MAX).max(200_000);
    let tries = [wanted, limit.maximum.unwrap_or(wanted)];
    for most in tries {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: Some(most) });
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

fn run(sizes: &[usize]) -> Result<bool> {
    let (limit, scale) = (descriptors(), Scale::new()?);
    let active = scale.active()?;
    println!(
        "{:>11}  {:>15}  {:>13}  {:>14}  {:>15}",
        "connections", "bytes/endpoint", "ns/round trip", "open, us each", "close, us each"
    );
    let alone = scale.measure(0, &active)?.round_trip;
    println!("{:>11}  {:>15}  {:>13}  {:>14}  {:>15}", 0, "-", alone.as_nanos(), "-", "-");
    let mut flat = true;
    for &size in sizes {
        if limit < size as u64 + 100 {
            println!(
                "skipped: {size} connections need {} descriptors, {limit} are allowed",
                size + 100
            );
            continue;
        }
        let Figures { connections, bytes, round_trip, open, close } =
            scale.measure(size, &active)?;
        let each = |time: Duration| time.as_secs_f64() * 1e6 / connections as f64;
        let (open, close) = (each(open), each(close));
        println!(
            "{connections:>11}  {bytes:>15}  {:>13}  {open:>14.1}  {close:>15.1}",
            round_trip.as_nanos()
        );
        flat &= round_trip.as_secs_f64() <= alone.as_secs_f64() * FLAT;
    }
    Ok(flat)
}

fn main() -> ExitCode {
    let numbers = |texts: &[String]| texts.iter().map(|text| text.parse::<usize>()).collect();
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let (is_peer, texts) = match arguments.split_first() {
        Some((role, rest)) if role == "peer" => (true, rest),
        _ => (false, &arguments[..]),
    };
    let sizes: std::result::Result<Vec<_>, _> = numbers(texts);
    let sizes = match sizes {
        Ok(sizes) if is_peer && sizes.len() == 2 => {
            let ended = peer(u16::try_from(sizes[0]).expect("a port"), sizes[1]);
            ended.expect("the peer's connections end");
            return ExitCode::SUCCESS;
        }
        Ok(sizes) if sizes.is_empty() => vec![10_000, 50_000],
        Ok(sizes) => sizes,
        Err(_) => {
            eprintln!("usage: scale [CONNECTIONS...]");
            return ExitCode::from(2);
        }
    };
    match run(&sizes) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("scale: the active connections feel the idle ones");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("scale: {error}");
            ExitCode::FAILURE
        }
    }
}

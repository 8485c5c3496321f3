//! `linsock peer`: a peer that ends its connections in a way of your choice, for tests of what the
//! other side makes of it.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use linsock::afd::Shutdown;
use linsock::net::{self, Family, Socket};

use crate::error::Error;

/// What the command was asked for.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What it does to each connection.
    #[arg(value_enum)]
    manner: Manner,
    /// Take connections here; the port 0 is one of the system's choice. The first line of the
    /// output says where.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Connect there instead of listening.
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with = "listen")]
    connect: Option<SocketAddr>,
    /// Receive so many octets first (not for echo and late).
    #[arg(long, value_name = "OCTETS", default_value_t = 0)]
    after: usize,
    /// Then wait for so long (not for echo; late waits behind the end).
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    delay: u64,
    /// End after so many connections; without it one that connects makes one, and one that listens
    /// goes on.
    #[arg(long, value_name = "CONNECTIONS")]
    count: Option<usize>,
}

/// A way to end a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Manner {
    /// Send back what comes, and close when the other side has.
    Echo,
    /// Close the sending half, and receive to the end.
    Fin,
    /// Receive to the end, and only then wait and close: the other side is half-closed meanwhile.
    Late,
    /// Reset the connection.
    Reset,
    /// Close when more has come than was received, which resets the connection.
    Unread,
    /// Close both halves: what comes then resets the connection.
    Deaf,
    /// Receive no more and end nothing, until this command is stopped.
    Stall,
}

/// Serves, or connects, until there were enough connections.
///
/// # Errors
/// The address cannot be used, the other side cannot be connected to, or the output not written.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    let served = match arguments.connect {
        Some(to) => connect(arguments, to),
        None => listen(arguments),
    };
    served.map(|()| ExitCode::SUCCESS)
}

fn connect(arguments: &Arguments, to: SocketAddr) -> Result<(), Error> {
    let failed = |source| Error::Peer { address: to, source };
    let mut running = Vec::new();
    for _ in 0..arguments.count.unwrap_or(1) {
        let socket = open(to).map_err(failed)?;
        socket.connect(to).map_err(failed)?;
        running.push(start(arguments, socket, to));
    }
    finish(running)
}

fn listen(arguments: &Arguments) -> Result<(), Error> {
    let failed = |source| Error::Peer { address: arguments.listen, source };
    let listener = open(arguments.listen).map_err(failed)?;
    listener.bind(arguments.listen).map_err(failed)?;
    listener.listen(128).map_err(failed)?;
    say(&format!("listening at {}", listener.local_address().map_err(failed)?))?;
    let mut running = Vec::new();
    let mut taken = 0;
    while arguments.count.is_none_or(|count| taken < count) {
        let socket = listener.accept().map_err(failed)?;
        taken += 1;
        // It may be gone already.
        let from = socket.peer_address().unwrap_or(arguments.listen);
        running.retain(|thread: &JoinHandle<_>| !thread.is_finished());
        running.push(start(arguments, socket, from));
    }
    finish(running)
}

fn open(at: SocketAddr) -> net::Result<Socket> {
    Socket::tcp(if at.is_ipv4() { Family::Inet } else { Family::Inet6 })
}

fn finish(running: Vec<JoinHandle<Result<(), Error>>>) -> Result<(), Error> {
    running.into_iter().try_for_each(|thread| thread.join().unwrap_or(Ok(())))
}

/// Treats a connection on a thread of its own, and says what came of it.
fn start(
    arguments: &Arguments,
    socket: Socket,
    other: SocketAddr,
) -> JoinHandle<Result<(), Error>> {
    let (manner, after) = (arguments.manner, arguments.after);
    let delay = Duration::from_millis(arguments.delay);
    thread::spawn(move || {
        let mut received = 0;
        let treated = treat(&socket, manner, after, delay, &mut received);
        let how = match (socket.close_reason(), treated) {
            (Some(reason), _) => reason.to_string(),
            (None, Err(error)) => error.to_string(),
            (None, Ok(())) => "this side closed, with data unread".to_owned(),
        };
        // Before it is said, so that whoever reads it finds it done.
        drop(socket);
        say(&format!("{other}: {how}; received {received}"))
    })
}

fn treat(
    socket: &Socket,
    manner: Manner,
    after: usize,
    delay: Duration,
    received: &mut usize,
) -> net::Result<()> {
    let mut take = |octets: usize, back: bool| take(socket, octets, back, received);
    if !matches!(manner, Manner::Echo | Manner::Late) {
        take(after, false)?;
        thread::sleep(delay);
    }
    match manner {
        Manner::Echo => {
            take(usize::MAX, true)?;
            socket.shutdown(Shutdown::Send)
        }
        Manner::Fin => {
            socket.shutdown(Shutdown::Send)?;
            take(usize::MAX, false)
        }
        Manner::Late => {
            take(usize::MAX, false)?;
            thread::sleep(delay);
            socket.shutdown(Shutdown::Send)
        }
        Manner::Reset => socket.disconnect().abortive().map(drop),
        // A receive without room waits for data and leaves it there.
        Manner::Unread => socket.recv_owned(Vec::new()).wait().map(drop),
        Manner::Deaf => {
            socket.shutdown(Shutdown::Receive)?;
            socket.disconnect().wait().map(drop)
        }
        Manner::Stall => loop {
            thread::park();
        },
    }
}

/// Receives so many octets, or to the end, and sends them back if that is wanted.
fn take(socket: &Socket, octets: usize, back: bool, received: &mut usize) -> net::Result<()> {
    let mut room = vec![0; 64 << 10];
    let mut left = octets;
    while left > 0 {
        let part = left.min(room.len());
        let count = socket.recv(&mut room[..part])?;
        if count == 0 {
            break;
        }
        *received += count;
        left -= count;
        if back {
            socket.send(&room[..count])?;
        }
    }
    Ok(())
}

fn say(line: &str) -> Result<(), Error> {
    let mut out = io::stdout();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(Error::Output)
}

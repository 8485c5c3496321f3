//! The server under test by linsock's safe API: one completion port, one thread.
//!
//!     linsock_server SIZE [close|reuse]          SIZE: bytes in a message
//!
//! Prints its port, and echoes on every connection until the peer closes. Then `close` (the
//! default) drops the socket and accepts into a new one; `reuse` disconnects with reuse and accepts
//! into the same handle again. The same work as `bench/iocp_server.c`: a fixed pool of connections
//! goes round, each with one operation under way. Buffers travel with the operations; those of
//! connections that have ended wait for the next ones.

use std::process::ExitCode;

use linsock::net::{CompletionPort, Family, Packet, Request, Result, Socket};
use linsock_bench_peers::{ADDRESS, BACKLOG, buffer_size};

const POOL: usize = 128;

/// The key of the listener; a connection's is its place in the pool.
const LISTENER: usize = usize::MAX;

/// The token of a connection's operation. That of an accept is the connection's place.
#[derive(Clone, Copy)]
enum Step {
    Receive,
    Send,
    Disconnect,
}

impl Step {
    fn of(packet: &Packet) -> Self {
        match packet.token() {
            0 => Self::Receive,
            1 => Self::Send,
            _ => Self::Disconnect,
        }
    }
}

struct Server {
    port: CompletionPort,
    listener: Socket,
    sockets: Vec<Socket>,
    buffers: Vec<Vec<u8>>,
    buffer_size: usize,
    reuse: bool,
}

impl Server {
    fn new(buffer_size: usize, reuse: bool) -> Result<Self> {
        let (port, listener) = (CompletionPort::new(1)?, Socket::tcp(Family::Inet)?);
        listener.set_no_delay(true)?; // accepted sockets inherit it
        listener.bind(ADDRESS)?;
        listener.listen(BACKLOG)?;
        listener.associate(&port, LISTENER)?;
        let (sockets, buffers) = (Vec::new(), Vec::new());
        let mut server = Self { port, listener, sockets, buffers, buffer_size, reuse };
        for at in 0..POOL {
            let socket = server.socket(at)?;
            server.sockets.push(socket);
            server.accept(at)?;
        }
        Ok(server)
    }

    fn socket(&self, at: usize) -> Result<Socket> {
        let socket = Socket::tcp(Family::Inet)?;
        socket.associate(&self.port, at)?;
        Ok(socket)
    }

    fn accept(&self, at: usize) -> Result<()> {
        let request = self.listener.accept_into(&self.sockets[at], Vec::new());
        request.queue(at as u64).map_err(|(error, _)| error)
    }

    fn replace(&mut self, at: usize) -> Result<()> {
        self.sockets[at] = self.socket(at)?;
        self.accept(at)
    }

    fn receive(&mut self, at: usize, mut buffer: Vec<u8>) -> Result<()> {
        buffer.resize(self.buffer_size, 0);
        self.queue(at, self.sockets[at].recv_owned(buffer), Step::Receive)
    }

    fn queue(&mut self, at: usize, request: Request, step: Step) -> Result<()> {
        match request.queue(step as u64) {
            Ok(()) => Ok(()),
            Err((_, buffer)) => {
                self.buffers.push(buffer);
                self.replace(at)
            }
        }
    }

    /// An operation is over: begins the next one.
    fn completed(&mut self, packet: Packet) -> Result<()> {
        if packet.key() == LISTENER {
            let at = usize::try_from(packet.token()).expect("a place in the pool");
            return match packet.result() {
                Ok(_) => {
                    let buffer = self.buffers.pop().unwrap_or_default();
                    self.receive(at, buffer)
                }
                Err(_) => self.replace(at),
            };
        }
        let (at, step, result) = (packet.key(), Step::of(&packet), packet.result());
        let buffer = packet.into_buffer();
        match (step, result) {
            (Step::Receive, Ok(received @ 1..)) => {
                self.queue(at, self.sockets[at].send_owned(buffer).first(received), Step::Send)
            }
            (Step::Send, Ok(_)) => self.receive(at, buffer),
            (Step::Receive, Ok(0)) if self.reuse => {
                self.buffers.push(buffer);
                self.queue(at, self.sockets[at].disconnect_reuse(), Step::Disconnect)
            }
            (Step::Disconnect, Ok(_)) => self.accept(at),
            (Step::Receive | Step::Send, _) => {
                self.buffers.push(buffer);
                self.replace(at)
            }
            (Step::Disconnect, Err(_)) => self.replace(at),
        }
    }

    fn run(&mut self) -> Result<()> {
        while let Some(packet) = self.port.wait(None)? {
            self.completed(packet)?;
        }
        Ok(())
    }
}

fn serve(buffer_size: usize, reuse: bool) -> Result<()> {
    let mut server = Server::new(buffer_size, reuse)?;
    println!("{}", server.listener.local_address()?.port());
    server.run()
}

fn main() -> ExitCode {
    let buffer_size = buffer_size("linsock_server SIZE [close|reuse]");
    let reuse = std::env::args().nth(2).as_deref() == Some("reuse");
    match serve(buffer_size, reuse) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("linsock_server: {error}");
            ExitCode::FAILURE
        }
    }
}

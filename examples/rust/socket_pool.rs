//! A pool of socket handles that are never closed: an echo server that recycles each handle with a
//! disconnect and accepts into it again, and a client that recycles with a disconnect and connects
//! again. The same as `examples/c/socket_pool.c`, by the safe API.
//!
//! Run it: `cargo run --release -p linsock --example socket_pool [CONNECTIONS]`

use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use linsock::net::{CompletionPort, Family, Packet, Result, Socket};

/// Handles on each side.
const POOL: usize = 20;
const MESSAGE: &[u8] = b"recycle me";
const BUFFER: usize = 512;

/// What the packet of an operation is about; its number travels as the operation's token.
#[derive(Clone, Copy)]
enum Step {
    Accepted,
    Connected,
    Received,
    Sent,
    Disconnected,
    /// Posted, not an operation: the server is to stop.
    Stop,
}

impl Step {
    const ALL: [Self; 6] = [
        Self::Accepted,
        Self::Connected,
        Self::Received,
        Self::Sent,
        Self::Disconnected,
        Self::Stop,
    ];

    fn of(packet: &Packet) -> Self {
        let number = usize::try_from(packet.token()).unwrap_or(usize::MAX);
        Self::ALL.get(number).copied().unwrap_or(Self::Stop)
    }
}

/// Handles with a port, each known by its place in the pool.
struct Pool {
    port: CompletionPort,
    sockets: Vec<Socket>,
}

impl Pool {
    fn new() -> Result<Self> {
        let port = CompletionPort::new(1)?;
        let mut sockets = Vec::new();
        for key in 0..POOL {
            let socket = Socket::tcp(Family::Inet)?;
            // Once for the life of the handle: port and key survive every reuse.
            socket.associate(&port, key)?;
            sockets.push(socket);
        }
        Ok(Self { port, sockets })
    }

    fn receive(&self, at: usize) {
        let request = self.sockets[at].recv_owned(vec![0; BUFFER]);
        request.queue(Step::Received as u64).expect("a connected socket receives");
    }

    fn send(&self, at: usize, data: Vec<u8>) {
        let request = self.sockets[at].send_owned(data);
        request.queue(Step::Sent as u64).expect("a connected socket sends");
    }

    fn recycle(&self, at: usize) {
        let request = self.sockets[at].disconnect_reuse();
        request.queue(Step::Disconnected as u64).expect("a connected socket disconnects");
    }

    fn next(&self) -> Packet {
        let packet = self.port.wait(None).expect("the port is open");
        packet.expect("a wait without a limit brings a packet")
    }
}

struct Server {
    listener: Socket,
    pool: Pool,
}

impl Server {
    fn new() -> Result<Self> {
        let (listener, pool) = (Socket::tcp(Family::Inet)?, Pool::new()?);
        listener.bind("127.0.0.1:0".parse().expect("an address"))?;
        listener.listen(128)?;
        // The ends of accepts come to the listener's port; the key says that it is an accept, and
        // the token which handle it was for.
        listener.associate(&pool.port, usize::MAX)?;
        Ok(Self { listener, pool })
    }

    fn accept(&self, at: usize) {
        let request = self.listener.accept_into(&self.pool.sockets[at], Vec::new());
        request.queue(at as u64).expect("a free handle accepts");
    }

    /// Serves until told to stop; gives the connections served.
    fn run(&self) -> usize {
        (0..POOL).for_each(|at| self.accept(at));
        let mut served = 0;
        loop {
            let packet = self.pool.next();
            if packet.key() == usize::MAX {
                self.pool.receive(usize::try_from(packet.token()).expect("a place in the pool"));
                continue;
            }
            match (Step::of(&packet), packet.key()) {
                (Step::Received, at) => match packet.result() {
                    Ok(0) | Err(_) => self.pool.recycle(at),
                    Ok(received) => {
                        let mut data = packet.into_buffer();
                        data.truncate(received);
                        self.pool.send(at, data);
                    }
                },
                (Step::Sent, at) => self.pool.receive(at),
                (Step::Disconnected, at) => {
                    served += 1;
                    self.accept(at);
                }
                (Step::Stop | Step::Accepted | Step::Connected, _) => return served,
            }
        }
    }
}

/// Makes `connections` connections through the handles of one pool; gives how many echoed right.
fn run_client(server: &Server, connections: usize) -> Result<usize> {
    let to = server.listener.local_address()?;
    let pool = Pool::new()?;
    let connect = |at: usize| {
        let request = pool.sockets[at].connect_owned(to, MESSAGE.to_vec());
        request.queue(Step::Connected as u64).expect("a free handle connects");
    };
    let (mut started, mut over, mut right) = (POOL.min(connections), 0, 0);
    (0..started).for_each(connect);
    while over < connections {
        let packet = pool.next();
        let (step, at) = (Step::of(&packet), packet.key());
        packet.result()?;
        match step {
            Step::Connected => pool.receive(at),
            Step::Received => {
                right += usize::from(packet.into_buffer().starts_with(MESSAGE));
                pool.recycle(at);
            }
            Step::Disconnected => {
                over += 1;
                if started < connections {
                    started += 1;
                    connect(at);
                }
            }
            Step::Accepted | Step::Sent | Step::Stop => unreachable!("the client does not do this"),
        }
    }
    Ok(right)
}

fn main() -> Result<ExitCode> {
    let wanted = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let server = Server::new()?;
    let begun = Instant::now();
    let (right, served) = thread::scope(|scope| {
        let serving = scope.spawn(|| server.run());
        let right = run_client(&server, wanted);
        server.pool.port.post(0, Step::Stop as usize);
        (right, serving.join().expect("the server does not panic"))
    });
    let (right, seconds) = (right?, begun.elapsed().as_secs_f64());
    println!("connections: {right} of {wanted} echoed, {served} served");
    println!("handles created: {} (server {POOL}, client {POOL}, 1 listener)", 2 * POOL + 1);
    println!("rate: {:.0} connections/s", wanted as f64 / seconds);
    // The last handles may still be on their way back to the server's pool.
    Ok(if right == wanted && served + POOL >= wanted {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

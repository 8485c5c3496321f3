//! The server: a pool of handles on one port, two threads, and a book of what arrived.

use std::any::Any;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use linsock::NtStatus;
use linsock::afd::DisconnectMode;
use linsock::afd::address::{Address, Family};
use linsock::catalog::Provider;
use linsock::iocp::clock::Deadline;
use linsock::iocp::file::File;
use linsock::iocp::port::{CompletionPort, Packet};
use linsock::socket::{AcceptLayout, RecvOptions, Socket};

use super::ledger::{Ledger, Op, Step, Sum};

const POOL: usize = 128;
const WORKERS: usize = 2;
const BUFFER: usize = 16 << 10;
/// Octets of a connection's number, which come first.
pub(crate) const HEADER: usize = 8;

/// One place in the pool: a handle and the connection on it.
struct Place {
    socket: Arc<Socket>,
    header: Vec<u8>,
    sum: Sum,
}

pub(crate) struct Server {
    ledger: Arc<Ledger>,
    listener: Arc<Socket>,
    port: Arc<CompletionPort>,
    places: Vec<Mutex<Place>>,
    /// Places with an operation under way.
    busy: AtomicUsize,
    stopping: AtomicBool,
}

fn new_socket() -> Arc<Socket> {
    Socket::create(Provider::Tcp(Family::Inet), true).expect("a handle")
}

impl Server {
    pub(crate) fn start(ledger: &Arc<Ledger>) -> (Arc<Self>, Vec<JoinHandle<()>>) {
        let port = CompletionPort::new(WORKERS).expect("a port");
        let listener = new_socket();
        // Every loopback address, so that clients do not run out of pairs.
        listener.bind(Address::Ip("0.0.0.0:0".parse().expect("an address"))).expect("bind");
        listener.listen(511).expect("listen");
        listener.associate(&port, 0).expect("a new handle has no port");
        let place =
            || Mutex::new(Place { socket: new_socket(), header: Vec::new(), sum: Sum::default() });
        let server = Arc::new(Self {
            ledger: Arc::clone(ledger),
            listener,
            port,
            places: (0..POOL).map(|_| place()).collect(),
            busy: AtomicUsize::new(POOL),
            stopping: AtomicBool::new(false),
        });
        for (at, place) in server.places.iter().enumerate() {
            let mut place = place.lock().unwrap();
            place.socket.associate(&server.port, at).expect("a new handle has no port");
            server.accept(at, &mut place);
        }
        let work = |_| {
            let server = Arc::clone(&server);
            std::thread::spawn(move || server.work())
        };
        let workers = (0..WORKERS).map(work).collect();
        (server, workers)
    }

    pub(crate) fn port_number(&self) -> u16 {
        let address = self.listener.local_address().expect("it is bound");
        address.ip().map_or(0, |ip: SocketAddr| ip.port())
    }

    /// No more connections: what waits is cancelled, and the workers end with the last place.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.listener.cancel_operations(&|_| true);
    }

    /// After the workers have ended.
    pub(crate) fn close(&self) {
        for place in &self.places {
            let _closed = place.lock().unwrap().socket.close_handle();
        }
        self.listener.close_handle().expect("it is open");
        self.port.close();
    }

    fn work(&self) {
        while self.busy.load(Ordering::SeqCst) > 0 {
            if let Ok(packet) = self.port.wait_one(Deadline::after_ms(20)) {
                self.handle(packet);
            }
        }
    }

    fn handle(&self, packet: Packet) {
        let sink = packet.sink.expect("an operation's") as Arc<dyn Any + Send + Sync>;
        let op: Arc<Op> = sink.downcast().expect("ours");
        let mut place = self.places[op.at].lock().unwrap();
        let (status, bytes, memory) = op.take();
        match op.step {
            Step::Accept if status.is_success() => self.receive(op.at, &mut place, memory),
            Step::Receive if status.is_success() && bytes > 0 => {
                place.take(&memory[..bytes]);
                self.receive(op.at, &mut place, memory);
            }
            Step::Receive if status.is_success() => self.end(op.at, &mut place),
            Step::Send => {}
            Step::Disconnect if status.is_success() => self.accept(op.at, &mut place),
            Step::Accept if status == NtStatus::CANCELLED => self.accept(op.at, &mut place),
            // The connection was reset, or its peer was killed.
            Step::Accept | Step::Receive | Step::Disconnect | Step::Client => {
                self.ledger.count(&format!("connections that the server saw fail: {status:?}"));
                self.replace(op.at, &mut place);
            }
        }
    }

    fn accept(&self, at: usize, place: &mut Place) {
        place.header.clear();
        place.sum = Sum::default();
        if self.stopping.load(Ordering::SeqCst) {
            self.busy.fetch_sub(1, Ordering::SeqCst);
            return;
        }
        let layout = AcceptLayout::without_addresses(self.listener.domain(), 0);
        let irp = Op::new(&self.ledger, Step::Accept, at).irp(Vec::new());
        if let Err(status) = self.listener.accept_ex(&place.socket, irp, layout, None) {
            self.ledger.trouble(format!("AcceptEx into a free handle: {status:?}"));
        }
        if self.stopping.load(Ordering::SeqCst) {
            // Stopped in between: nobody else cancels this one.
            self.listener.cancel_operations(&|_| true);
        }
    }

    fn receive(&self, at: usize, place: &mut Place, mut memory: Vec<u8>) {
        memory.resize(BUFFER, 0);
        let irp = Op::new(&self.ledger, Step::Receive, at).irp(memory);
        if place.socket.recv(irp, RecvOptions::default()).is_err() {
            self.ledger.count("receives that the server was refused: reset before");
            self.replace(at, place);
        }
    }

    /// The peer's data has ended: it is booked and answered with its length; then the handle is
    /// recycled, or every third one replaced.
    fn end(&self, at: usize, place: &mut Place) {
        let Ok(header) = <[u8; HEADER]>::try_from(&place.header[..]) else {
            return self.replace(at, place);
        };
        let connection = u64::from_le_bytes(header);
        self.ledger.arrive(connection, place.sum);
        let answer = Op::new(&self.ledger, Step::Send, at);
        let irp = answer.irp(place.sum.octets.to_le_bytes().to_vec());
        let _refused = place.socket.send(irp, Default::default());
        if connection % 3 == 0 {
            return self.replace(at, place);
        }
        let irp = Op::new(&self.ledger, Step::Disconnect, at).irp(Vec::new());
        if place.socket.disconnect(irp, DisconnectMode::Reuse).is_err() {
            self.replace(at, place);
        }
    }

    fn replace(&self, at: usize, place: &mut Place) {
        if place.socket.close_handle().is_err() {
            self.ledger.trouble("a handle of the pool was closed".into());
        }
        place.socket = new_socket();
        place.socket.associate(&self.port, at).expect("a new handle has no port");
        self.accept(at, place);
    }
}

impl Place {
    fn take(&mut self, data: &[u8]) {
        let of_header = data.len().min(HEADER - self.header.len());
        self.header.extend(&data[..of_header]);
        self.sum.add(&data[of_header..]);
    }
}

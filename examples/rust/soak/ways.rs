//! The clients: every way to begin, use and end a connection.
#![allow(unsafe_code)] // An OVERLAPPED is lent to an operation that dies with its thread.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use linsock::NtStatus;
use linsock::afd::address::{Address, Family};
use linsock::afd::{DisconnectMode, Shutdown};
use linsock::catalog::Provider;
use linsock::iocp::buffer::Buffers;
use linsock::iocp::clock::Deadline;
use linsock::iocp::event::Event;
use linsock::iocp::irp::{Beside, Irp, Target};
use linsock::iocp::overlapped::{Overlapped, OverlappedPtr};
use linsock::iocp::wait::{self, Waited, Which};
use linsock::option;
use linsock::socket::{RecvOptions, Socket};

use super::ledger::{Ledger, Op, Step, Sum};
use super::server::HEADER;

/// Why a connection could not be used to its end: something that another part of the run does to
/// everybody, such as taking all descriptors.
pub(crate) type Ended<T> = Result<T, NtStatus>;

/// A client: one thread.
pub(crate) struct Client {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) port: u16,
    pub(crate) random: Random,
    /// The handle that is recycled, while it is good.
    recycled: Option<Arc<Socket>>,
}

/// xorshift: the same run for the same seed, as far as threads allow.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// A connection that has sent its number.
struct Open {
    socket: Arc<Socket>,
    number: u64,
    sum: Sum,
}

type Way = fn(&mut Client) -> Ended<()>;

const WAYS: [(&str, Way); 9] = [
    ("graceful: shutdown, read to the end, close", Client::graceful),
    ("graceful: close with sends under way", Client::close),
    ("graceful: DisconnectEx, half", Client::half),
    ("reuse: DisconnectEx and ConnectEx on one handle", Client::reuse),
    ("abortive: linger 0", Client::abort),
    ("abortive: with sends and receives pending", Client::abort_busy),
    ("cancel: a receive, then graceful", Client::cancel),
    ("thread exit: its receive dies, the connection does not", Client::thread_exit),
    ("the peer process is killed", Client::killed),
];

impl Client {
    pub(crate) fn new(ledger: &Arc<Ledger>, port: u16, seed: u64) -> Self {
        Self { ledger: Arc::clone(ledger), port, random: Random(seed | 1), recycled: None }
    }

    /// One connection in some way.
    pub(crate) fn one(&mut self) {
        let rare = self.random.below(400) == 0;
        let ways = WAYS.len() as u64 - 1;
        let way = if rare { ways } else { self.random.below(ways) };
        let (name, run) = WAYS[usize::try_from(way).unwrap_or(0)];
        match run(self) {
            Ok(()) => self.ledger.count(name),
            Err(status) => self.ledger.count(&format!("given up: {status:?}")),
        }
    }

    pub(crate) fn finish(mut self) {
        if let Some(socket) = self.recycled.take() {
            let _closed = socket.close_handle();
        }
    }

    fn to(&mut self) -> SocketAddr {
        let last = u8::try_from(1 + self.random.below(250)).unwrap_or(1);
        SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), self.port))
    }

    fn open(&mut self) -> Ended<Open> {
        let socket = Socket::create(Provider::Tcp(Family::Inet), true)?;
        let opened = self.open_on(&socket);
        if opened.is_err() {
            let _closed = socket.close_handle();
        }
        opened
    }

    fn open_on(&mut self, socket: &Arc<Socket>) -> Ended<Open> {
        let to = Address::Ip(self.to());
        let number = self.ledger.connection();
        if self.random.below(2) == 0 && !socket.is_bound() {
            socket.connect_blocking(&to)?;
            self.send(socket, &number.to_le_bytes())?;
        } else {
            if !socket.is_bound() {
                socket.bind(Address::Ip(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))))?;
            }
            // The number goes with the connect.
            let op = Op::new(&self.ledger, Step::Client, 0);
            socket.connect_ex(op.irp(number.to_le_bytes().to_vec()), &to)?;
            let (status, _) = op.wait();
            if !status.is_success() {
                return Err(status);
            }
            socket.update_connect_context()?;
        }
        Ok(Open { socket: Arc::clone(socket), number, sum: Sum::default() })
    }

    fn data(&mut self) -> Vec<u8> {
        let most = [64, 4 << 10, 100 << 10][usize::try_from(self.random.below(3)).unwrap_or(0)];
        let len = usize::try_from(1 + self.random.below(most)).unwrap_or(1);
        let seed = self.random.below(251);
        (0..len as u64).map(|at| u8::try_from((at * 31 + seed) % 251).unwrap_or(0)).collect()
    }

    fn send(&self, socket: &Socket, data: &[u8]) -> Ended<()> {
        let op = Op::new(&self.ledger, Step::Client, 0);
        socket.send(op.irp(data.to_vec()), Default::default())?;
        let (status, _) = op.wait();
        if status.is_success() { Ok(()) } else { Err(status) }
    }

    /// Sends a few times, one after the other.
    fn use_it(&mut self, open: &mut Open) -> Ended<()> {
        for _ in 0..1 + self.random.below(4) {
            let data = self.data();
            self.send(&open.socket, &data)?;
            open.sum.add(&data);
        }
        Ok(())
    }

    fn read_to_the_end(&self, open: &Open) -> Ended<()> {
        self.read_answer(open, false)
    }

    /// Reads the server's answer, its length of what it got, and, unless only that is wanted, the
    /// end behind it.
    fn read_answer(&self, open: &Open, only: bool) -> Ended<()> {
        let mut answer = Vec::new();
        while !only || answer.len() < HEADER {
            let op = Op::new(&self.ledger, Step::Client, 0);
            open.socket.recv(op.irp(vec![0; 16]), RecvOptions::default())?;
            match op.wait() {
                (NtStatus::SUCCESS, data) if data.is_empty() => break,
                (NtStatus::SUCCESS, data) => answer.extend(data),
                (status, _) => return Err(status),
            }
        }
        if answer != open.sum.octets.to_le_bytes() {
            self.ledger.trouble(format!("sent {}, answered {answer:?}", open.sum.octets));
        }
        Ok(())
    }

    fn close_handle(&self, open: &Open) {
        if let Err(status) = open.socket.close_handle() {
            self.ledger.trouble(format!("close of an open handle: {status:?}"));
        }
    }

    /// Runs what ends a connection; the handle is closed either way.
    fn ending(&mut self, run: impl FnOnce(&mut Self, &mut Open) -> Ended<()>) -> Ended<()> {
        let mut open = self.open()?;
        let ended = self.use_it(&mut open).and_then(|()| run(self, &mut open));
        self.close_handle(&open);
        ended
    }

    fn end_gracefully(&mut self, open: &mut Open) -> Ended<()> {
        open.socket.shutdown(Shutdown::Send)?;
        self.ledger.promise(open.number, open.sum);
        self.read_to_the_end(open)
    }

    fn graceful(&mut self) -> Ended<()> {
        self.ending(Self::end_gracefully)
    }

    fn half(&mut self) -> Ended<()> {
        self.ending(|client, open| {
            let op = Op::new(&client.ledger, Step::Client, 0);
            open.socket.disconnect(op.irp(Vec::new()), DisconnectMode::HalfClose)?;
            let (status, _) = op.wait();
            if !status.is_success() {
                return Err(status);
            }
            client.ledger.promise(open.number, open.sum);
            client.read_to_the_end(open)
        })
    }

    /// What a close finds under way it takes over: a send that succeeds then is a promise.
    fn close(&mut self) -> Ended<()> {
        let mut open = self.open()?;
        if self.random.below(2) == 0 {
            // SO_SNDBUF: the kernel takes little, so that the rest is linsock's to deliver.
            option::set(&open.socket, option::SOL_SOCKET, 0x1001, &4096_i32.to_ne_bytes())?;
        }
        let sends: Vec<_> = (0..8)
            .map(|_| {
                let data = [self.data(), self.data()].concat();
                let op = Op::new(&self.ledger, Step::Client, 0);
                let sent = open.socket.send(op.irp(data.clone()), Default::default());
                (sent.is_ok(), op, data)
            })
            .collect();
        self.close_handle(&open);
        let mut all = true;
        for (started, op, data) in sends {
            let (status, _) = op.wait();
            all &= started && status.is_success();
            open.sum.add(&data);
        }
        if !all {
            return Err(NtStatus::CONNECTION_ABORTED);
        }
        self.ledger.promise(open.number, open.sum);
        Ok(())
    }

    fn reuse(&mut self) -> Ended<()> {
        let socket = match self.recycled.take() {
            Some(socket) => socket,
            None => Socket::create(Provider::Tcp(Family::Inet), true)?,
        };
        let ended = self.reuse_one(&socket);
        if ended.is_ok() {
            self.recycled = Some(socket);
        } else {
            let _closed = socket.close_handle();
        }
        ended
    }

    fn reuse_one(&mut self, socket: &Arc<Socket>) -> Ended<()> {
        let mut open = self.open_on(socket)?;
        self.use_it(&mut open)?;
        let op = Op::new(&self.ledger, Step::Client, 0);
        socket.disconnect(op.irp(Vec::new()), DisconnectMode::Reuse)?;
        self.ledger.promise(open.number, open.sum);
        // The answer has to be read, or the peer's end cannot come. That end is the disconnect's.
        let read = self.read_answer(&open, true);
        let (status, _) = op.wait();
        read?;
        if status.is_success() { Ok(()) } else { Err(status) }
    }

    fn abort(&mut self) -> Ended<()> {
        let mut open = self.open()?;
        let used = self.use_it(&mut open);
        open.socket.abort()?;
        used
    }

    fn abort_busy(&mut self) -> Ended<()> {
        let open = self.open()?;
        let data = self.data();
        let ops: Vec<_> = (0..6).map(|_| Op::new(&self.ledger, Step::Client, 0)).collect();
        for (n, op) in ops.iter().enumerate() {
            // A refusal ends the operation as well.
            if n % 2 == 0 {
                let _refused = open.socket.recv(op.irp(vec![0; 16]), RecvOptions::default());
            } else {
                let _refused = open.socket.send(op.irp(data.repeat(20)), Default::default());
            }
        }
        open.socket.abort()?;
        ops.iter().for_each(|op| drop(op.wait()));
        Ok(())
    }

    fn cancel(&mut self) -> Ended<()> {
        self.ending(|client, open| {
            let op = Op::new(&client.ledger, Step::Client, 0);
            let started = open.socket.recv(op.irp(vec![0; 16]), RecvOptions::default())?;
            let own = op.key();
            let cancelled = open.socket.cancel_operations(&|irp| irp.key() == own);
            let (status, _) = op.wait();
            if cancelled == 1 && status != NtStatus::CANCELLED {
                client.ledger.trouble(format!("cancelled, ended with {status:?} ({started:?})"));
            }
            if status == NtStatus::CANCELLED { client.end_gracefully(open) } else { Err(status) }
        })
    }

    fn thread_exit(&mut self) -> Ended<()> {
        self.ending(|client, open| {
            let lent: Box<Overlapped> = Box::default();
            let at = NonNull::from(&*lent);
            let event = Arc::new(Event::new(true, false));
            // SAFETY: it lives until the event tells that the operation is over.
            let ptr = unsafe { OverlappedPtr::new(at) };
            let target = Target::overlapped(ptr, true, Some(Beside::Event(Arc::clone(&event))));
            let socket = Arc::clone(&open.socket);
            let issue = move || {
                let irp = Irp::new(target, Buffers::from_vec(vec![0; 16]));
                socket.recv(irp, RecvOptions::default()).map(drop)
            };
            std::thread::spawn(issue).join().expect("it does not panic")?;
            let waited = wait::wait(&[&*event], Which::Any, Deadline::Never, false);
            let status = lent.internal.load(Ordering::Acquire) & 0xFFFF_FFFF;
            let status = NtStatus::from_raw(u32::try_from(status).unwrap_or(0));
            if waited != Waited::Object(0) || status == NtStatus::PENDING {
                client.ledger.trouble(format!("the receive of a dead thread: {status:?}"));
            }
            if status == NtStatus::CANCELLED { client.end_gracefully(open) } else { Err(status) }
        })
    }

    /// A process of its own, killed while it sends.
    fn killed(&mut self) -> Ended<()> {
        let to = self.to();
        self.ledger.connection();
        let this = std::env::current_exe().map_err(|_| NtStatus::TOO_MANY_OPENED_FILES)?;
        let spawned = Command::new(this)
            .args(["victim", &to.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        // Descriptors may be all in use just now.
        let mut child = spawned.map_err(|_| NtStatus::TOO_MANY_OPENED_FILES)?;
        let mut first = [0];
        if let Some(out) = &mut child.stdout {
            // It is connected and sends.
            let _ = std::io::Read::read(out, &mut first);
        }
        std::thread::sleep(Duration::from_millis(self.random.below(5)));
        let _ = child.kill();
        let _ = child.wait();
        Ok(())
    }
}

/// The process that will be killed.
pub(crate) fn victim(to: &str) {
    use std::io::Write;
    let Ok(mut stream) = std::net::TcpStream::connect(to) else { return };
    let mut told = false;
    while stream.write_all(&[7; 1000]).is_ok() {
        if !std::mem::replace(&mut told, true) {
            let _ = std::io::stdout().write_all(b"!");
            let _ = std::io::stdout().flush();
        }
    }
}

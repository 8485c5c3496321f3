//! A recycled handle never hears of the connection before, nor that connection's operations of the
//! next.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use linsock::NtStatus;
use linsock::afd::DisconnectMode;
use linsock::iocp::clock::Deadline;
use linsock::iocp::file::File;
use linsock::iocp::handle;
use linsock::iocp::port::{CompletionPort, Packet};
use linsock::socket::{AcceptLayout, RecvOptions, Socket};

use super::harness::{
    Result, connect_to, discard, explore, listener, new_socket, receive, send, together,
};

/// One connection after the other on the same handle, driven by two threads on its port.
struct Server {
    listener: Arc<Socket>,
    socket: Arc<Socket>,
    port: Arc<CompletionPort>,
    /// By connection: the receive.
    receives: [Arc<Result>; 2],
    accepts: [Arc<Result>; 2],
    disconnect: Arc<Result>,
    /// Threads that may stop.
    over: AtomicUsize,
}

impl Server {
    fn accept(&self, connection: usize) {
        let layout = AcceptLayout::without_addresses(self.listener.domain(), 0);
        let irp = self.accepts[connection].irp(Vec::new(), true);
        self.listener.accept_ex(&self.socket, irp, layout, None).unwrap();
    }

    fn receive(&self, connection: usize) {
        let irp = self.receives[connection].irp(vec![0; 8], true);
        let started = self.socket.recv(irp, RecvOptions::default());
        assert!(started.is_ok() || self.receives[connection].is_over(), "{started:?}");
    }

    fn is(packet: &Packet, result: &Arc<Result>) -> bool {
        let sink = packet.sink.as_ref().map(|sink| Arc::as_ptr(sink).addr());
        sink == Some(Arc::as_ptr(result).addr())
    }

    fn handle(&self, packet: &Packet) {
        if Self::is(packet, &self.accepts[0]) {
            self.receive(0);
        } else if Self::is(packet, &self.receives[0]) {
            let irp = self.disconnect.irp(Vec::new(), true);
            self.socket.disconnect(irp, DisconnectMode::Reuse).unwrap();
        } else if Self::is(packet, &self.disconnect) {
            assert_eq!(packet.status, NtStatus::SUCCESS);
            self.accept(1);
        } else if Self::is(packet, &self.accepts[1]) {
            self.receive(1);
        } else if Self::is(packet, &self.receives[1]) {
            self.over.store(1, Ordering::SeqCst);
        }
    }

    fn work(&self) {
        while self.over.load(Ordering::SeqCst) == 0 {
            match self.port.wait_one(Deadline::after_ms(0)) {
                Ok(packet) => self.handle(&packet),
                Err(_) => shuttle::thread::yield_now(),
            }
        }
    }
}

#[test]
fn a_recycled_handle_hears_nothing_of_the_connection_before() {
    explore(|| {
        let listener = listener();
        let port = CompletionPort::new(2).unwrap();
        let socket = new_socket();
        listener.associate(&port, 1).unwrap();
        socket.associate(&port, 2).unwrap();
        let server = Arc::new(Server {
            listener,
            socket,
            port,
            receives: Default::default(),
            accepts: Default::default(),
            disconnect: Arc::default(),
            over: AtomicUsize::new(0),
        });
        server.accept(0);
        let (first, second) = (Arc::clone(&server), Arc::clone(&server));
        let clients = Arc::clone(&server);
        together(vec![
            Box::new(move || first.work()),
            Box::new(move || second.work()),
            Box::new(move || {
                for octet in [b'A', b'B'] {
                    let client = connect_to(&clients.listener);
                    send(&client, &[octet; 8]);
                    client.close_handle().unwrap();
                }
            }),
        ]);
        for (receive, octet) in server.receives.iter().zip([b'A', b'B']) {
            let (status, data) = receive.finished(0);
            assert_eq!((status, data), (NtStatus::SUCCESS, vec![octet; 8]));
        }
        discard(&server.socket);
        server.listener.close_handle().unwrap();
    });
}

/// The slot of the handle table, which others use again: whoever comes with the old number finds
/// nobody, or himself.
#[test]
fn a_stale_number_finds_nobody() {
    explore(|| {
        let old = new_socket();
        let (value, token) = (old.handle().value(), old.core().token());
        let closing = Arc::clone(&old);
        let heir: Arc<Mutex<Option<Arc<Socket>>>> = Arc::default();
        let found = Arc::clone(&heir);
        together(vec![
            Box::new(move || closing.close_handle().unwrap()),
            Box::new(move || {
                // Until the slot is used again. Its index is in the low 22 bits.
                let mut next = new_socket();
                while (next.handle().value() ^ value) & 0x3F_FFFF != 0 {
                    next.close_handle().unwrap();
                    shuttle::thread::yield_now();
                    next = new_socket();
                }
                *found.lock().unwrap() = Some(next);
            }),
            Box::new(move || {
                for _ in 0..100 {
                    if let Ok(found) = Socket::from_value(value) {
                        assert!(Arc::ptr_eq(&found, &old));
                    }
                    if let Some(found) = handle::table().file(token) {
                        assert_eq!(found.core().token(), token);
                    }
                }
            }),
        ]);
        assert!(Socket::from_value(value).is_err());
        assert!(handle::table().file(token).is_none());
        heir.lock().unwrap().take().unwrap().close_handle().unwrap();
    });
}

/// Two close one handle, and a third opens: one of the two succeeds.
#[test]
fn one_of_two_closes_succeeds() {
    explore(|| {
        let (client, server) = super::harness::pair();
        let port = CompletionPort::new(1).unwrap();
        server.associate(&port, 1).unwrap();
        let result = receive(&server, 1);
        let closed = Arc::new(AtomicUsize::new(0));
        let close = |socket: &Arc<Socket>| -> Box<dyn FnOnce() + Send> {
            let (socket, closed) = (Arc::clone(socket), Arc::clone(&closed));
            Box::new(move || {
                if socket.close_handle().is_ok() {
                    closed.fetch_add(1, Ordering::SeqCst);
                }
            })
        };
        let (one, other) = (close(&server), close(&server));
        together(vec![one, other, Box::new(|| discard(&new_socket()))]);
        assert_eq!(closed.load(Ordering::SeqCst), 1);
        super::harness::drain(&port, &[Arc::clone(&result)]);
        assert_eq!(result.finished(1).0, NtStatus::CONNECTION_ABORTED);
        discard(&client);
    });
}

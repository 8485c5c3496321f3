//! Calls that race with the end of the handle they are made on. Every operation that was taken ends
//! once, whatever wins (design 5: exactly-once completion).

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use linsock::net::{CompletionPort, Family, Socket};

const ROUNDS: usize = 300;

fn pair(listener: &Socket) -> (Socket, Socket) {
    let client = Socket::tcp(Family::Inet).unwrap();
    client.connect(listener.local_address().unwrap()).unwrap();
    (client, listener.accept().unwrap())
}

fn listener() -> Socket {
    let listener = Socket::tcp(Family::Inet).unwrap();
    listener.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    listener.listen(64).unwrap();
    listener
}

#[test]
fn cancel_data_and_close_race_and_each_receive_ends_once() {
    let listener = listener();
    for _ in 0..ROUNDS {
        let (client, server) = pair(&listener);
        let receives: Vec<_> = (0..3).map(|_| server.recv_owned(vec![0; 4]).start()).collect();
        let start = Barrier::new(3);
        thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                server.cancel_all()
            });
            scope.spawn(|| {
                start.wait();
                client.send(b"12345678").unwrap();
            });
            start.wait();
            drop(server.disconnect_reuse().start());
        });
        drop(server);
        for receive in receives {
            let (result, buffer) = receive.finish();
            // Data, cancelled, or closed under it: never nothing, and never twice (a second end
            // would find no state to go to). The memory comes back in every case.
            assert!(result.is_err() || result == Ok(4), "{result:?}");
            assert_eq!(buffer.len(), 4);
        }
    }
}

#[test]
fn every_packet_of_a_port_comes_once_while_sockets_close() {
    let listener = listener();
    let port = CompletionPort::new(2).unwrap();
    let mut queued = 0;
    let mut taken = 0;
    for round in 0..ROUNDS {
        let (client, server) = pair(&listener);
        server.associate(&port, round).unwrap();
        for token in 0..4 {
            server.recv_owned(vec![0; 2]).queue(token).unwrap();
            queued += 1;
        }
        let start = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                // Some receives get data, then the connection ends or the handle is closed.
                let _ = client.send(b"abcd");
                drop(client);
            });
            start.wait();
            while let Some(packet) = port.wait(Some(Duration::ZERO)).unwrap() {
                assert_eq!(packet.key(), round);
                taken += 1;
            }
            drop(server);
        });
        while taken < queued {
            port.wait(Some(Duration::from_secs(10))).unwrap().expect("every receive ends");
            taken += 1;
        }
    }
    assert!(port.wait(Some(Duration::from_millis(20))).unwrap().is_none(), "a packet too many");
}

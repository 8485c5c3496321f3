//! Every operation that was taken ends once, against cancellation, data, a reset, the end of the
//! handle, of the thread and of the port.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use linsock::NtStatus;
use linsock::afd::DisconnectMode;
use linsock::iocp::clock::Deadline;
use linsock::iocp::event::{Event, Waitable};
use linsock::iocp::file::File;
use linsock::iocp::irp::Deferred;
use linsock::iocp::port::{CompletionPort, NoPacket};
use linsock::iocp::wait::{self, Waited, Which};
use linsock::iocp::{guardian, thread};
use linsock::socket::{AcceptLayout, RecvOptions, Socket};
use shuttle::thread::spawn;

use super::harness::{
    Lent, Result, connect_to, device, discard, drain, explore, listener, look, new_socket, pair,
    poll, receive, send, together,
};

/// The ends that a receive of a connection may have when it races with cancel, data and close.
fn is_an_end_of_a_receive(status: NtStatus) -> bool {
    [NtStatus::SUCCESS, NtStatus::CANCELLED, NtStatus::CONNECTION_ABORTED].contains(&status)
}

#[test]
fn receives_against_cancel_data_and_close() {
    explore(|| {
        let (client, server) = pair();
        let port = CompletionPort::new(2).unwrap();
        server.associate(&port, 7).unwrap();
        let receives = vec![receive(&server, 4), receive(&server, 4)];
        let (canceled, closed, looked) =
            (Arc::clone(&server), Arc::clone(&server), (Arc::clone(&port), receives.clone()));
        let peer = Arc::clone(&client);
        together(vec![
            Box::new(move || {
                canceled.cancel_operations(&|_| true);
            }),
            Box::new(move || send(&peer, b"12345678")),
            Box::new(move || look(&looked.0, &looked.1)),
            Box::new(move || closed.close_handle().unwrap()),
        ]);
        drain(&port, &receives);
        let mut received = Vec::new();
        for receive in &receives {
            let (status, data) = receive.finished(1);
            assert!(is_an_end_of_a_receive(status), "{status:?}");
            received.extend(data);
        }
        assert!(b"12345678".starts_with(&received), "in order, nothing twice: {received:?}");
        discard(&client);
    });
}

/// Polls of the driver: two handles ask for what comes to one connection, and one asks for both.
#[test]
fn polls_against_cancel_data_and_close() {
    explore(|| {
        let (client, server) = pair();
        let port = CompletionPort::new(2).unwrap();
        let device = device(&port);
        let both = [&server, &client].map(|socket| socket.handle().value());
        let polls =
            vec![poll(&device, &both[..1]), poll(&device, &both[..1]), poll(&device, &both)];
        let (canceled, closed) = (Arc::clone(&device), Arc::clone(&server));
        let (peer, looked) = (Arc::clone(&client), (Arc::clone(&port), polls.clone()));
        let own = polls[0].key();
        together(vec![
            Box::new(move || {
                canceled.cancel(&|irp| irp.key() == own);
            }),
            Box::new(move || send(&peer, b"1234")),
            Box::new(move || look(&looked.0, &looked.1)),
            Box::new(move || closed.close_handle().unwrap()),
        ]);
        drain(&port, &polls);
        for (index, poll) in polls.iter().enumerate() {
            let (status, _) = poll.finished(1);
            let ends = [NtStatus::SUCCESS, NtStatus::CANCELLED];
            assert!(ends[..=usize::from(index == 0)].contains(&status), "{index}: {status:?}");
        }
        discard(&client);
        assert_eq!(device.cancel(&|_| true), 0, "nothing is left");
        assert!(device.close_handle(device.core().handle()));
    });
}

/// A reset instead of data.
#[test]
fn a_send_and_a_receive_against_a_reset_and_cancel() {
    explore(|| {
        let (client, server) = pair();
        let port = CompletionPort::new(1).unwrap();
        server.associate(&port, 7).unwrap();
        let results = vec![receive(&server, 4), Arc::new(Result::default())];
        let refused = Arc::new(AtomicBool::new(false));
        let sender = (Arc::clone(&server), Arc::clone(&results[1]), Arc::clone(&refused));
        let (canceled, looked) = (Arc::clone(&server), (Arc::clone(&port), results.clone()));
        together(vec![
            Box::new(move || {
                let irp = sender.1.irp(vec![1; 64], true);
                let sent = sender.0.send(irp, Default::default());
                sender.2.store(sent.is_err(), Ordering::SeqCst);
            }),
            Box::new(move || discard(&client)),
            Box::new(move || {
                canceled.cancel_operations(&|_| true);
            }),
            Box::new(move || look(&looked.0, &looked.1)),
        ]);
        server.close_handle().unwrap();
        drain(&port, &results);
        results[0].finished(1);
        // A send that was refused has told its caller and nobody else.
        results[1].finished(usize::from(!refused.load(Ordering::SeqCst)));
    });
}

/// winsock-semantics section 4: the exit of the issuing thread cancels what has an event. What
/// cancellation leaves behind is still there: no octet is lost.
#[test]
fn a_receive_against_the_exit_of_its_thread_and_data() {
    explore(|| {
        let (client, server) = pair();
        let lent = Arc::new(Lent::new());
        let issuer = (Arc::clone(&server), Arc::clone(&lent));
        let (canceled, own) = (Arc::clone(&server), lent.key());
        let (peer, waiter) = (Arc::clone(&client), Arc::clone(&lent));
        let issued = spawn(move || {
            issuer.0.recv(issuer.1.irp(4), RecvOptions::default()).unwrap();
            thread::exit();
        });
        together(vec![
            Box::new(move || send(&peer, b"data")),
            Box::new(move || {
                canceled.cancel_operations(&|irp| irp.key() == own);
            }),
            Box::new(move || {
                let waited = wait::wait(&[&*waiter.event], Which::Any, Deadline::Never, false);
                assert_eq!(waited, Waited::Object(0));
            }),
        ]);
        issued.join().unwrap();
        let left = server.recv_now(&mut [0; 8]).unwrap().unwrap_or(0);
        match lent.result() {
            (NtStatus::SUCCESS, bytes) => assert_eq!((bytes, left), (4, 0)),
            (NtStatus::CANCELLED, bytes) => assert_eq!((bytes, left), (0, 4)),
            other => panic!("{other:?}"),
        }
        discard(&server);
        discard(&client);
    });
}

/// Whoever waits on a port that is closed hears of it; what completes afterwards ends all the same.
#[test]
fn receives_and_waiters_against_the_end_of_their_port() {
    explore(|| {
        let (client, server) = pair();
        let port = CompletionPort::new(1).unwrap();
        server.associate(&port, 7).unwrap();
        let receives = vec![receive(&server, 4), receive(&server, 4)];
        let closing = Arc::clone(&port);
        let peer = Arc::clone(&client);
        let mut threads: Vec<Box<dyn FnOnce() + Send>> =
            vec![Box::new(move || closing.close()), Box::new(move || send(&peer, b"12345678"))];
        for _ in 0..2 {
            let (port, results) = (Arc::clone(&port), receives.clone());
            threads.push(Box::new(move || {
                while let Ok(packet) = port.wait_one(Deadline::Never) {
                    results.iter().for_each(|result| result.note(&packet));
                }
            }));
        }
        together(threads);
        let closed = port.wait(1, Deadline::Never, false, |_| {});
        assert_eq!(closed, Err(NoPacket::Closed));
        server.close_handle().unwrap();
        for receive in receives {
            assert!(receive.is_over(), "with or without a packet");
        }
        discard(&client);
    });
}

/// AcceptEx: the connection that a cancelled one did not take is there for the next.
#[test]
fn an_accept_against_a_connection_cancel_and_the_end_of_its_handle() {
    explore(|| {
        let listener = listener();
        let port = CompletionPort::new(1).unwrap();
        listener.associate(&port, 7).unwrap();
        let acceptor = new_socket();
        let accept = Arc::new(Result::default());
        let domain = listener.domain();
        let layout = AcceptLayout::without_addresses(domain, 0);
        listener.accept_ex(&acceptor, accept.irp(Vec::new(), true), layout, None).unwrap();
        let (to, canceled, closed) =
            (Arc::clone(&listener), Arc::clone(&listener), Arc::clone(&acceptor));
        let looked = (Arc::clone(&port), vec![Arc::clone(&accept)]);
        let client = spawn(move || connect_to(&to));
        together(vec![
            Box::new(move || {
                canceled.cancel_operations(&|_| true);
            }),
            Box::new(move || closed.close_handle().unwrap()),
            Box::new(move || look(&looked.0, &looked.1)),
        ]);
        let client = client.join().unwrap();
        drain(&port, &[Arc::clone(&accept)]);
        let (status, _) = accept.finished(1);
        match status {
            NtStatus::SUCCESS => {}
            NtStatus::CANCELLED => {
                let next = listener.accept_blocking().unwrap();
                discard(&listener.adopt(next).unwrap());
            }
            other => panic!("{other:?}"),
        }
        listener.close_handle().unwrap();
        discard(&client);
    });
}

/// DisconnectEx with reuse waits for the peer; the peer's FIN, its reset, a cancel and the end of
/// the handle race to end it.
#[test]
fn a_disconnect_against_the_peer_cancel_and_close() {
    explore(|| {
        let (client, server) = pair();
        let port = CompletionPort::new(1).unwrap();
        server.associate(&port, 7).unwrap();
        let results = vec![receive(&server, 4), Arc::new(Result::default())];
        let irp = results[1].irp(Vec::new(), true);
        server.disconnect(irp, DisconnectMode::Reuse).unwrap();
        let (canceled, closed) = (Arc::clone(&server), Arc::clone(&server));
        let looked = (Arc::clone(&port), results.clone());
        together(vec![
            Box::new(move || client.close_handle().unwrap()),
            Box::new(move || {
                canceled.cancel_operations(&|_| true);
            }),
            Box::new(move || closed.close_handle().unwrap()),
            Box::new(move || look(&looked.0, &looked.1)),
        ]);
        drain(&port, &results);
        for result in results {
            result.finished(1);
        }
    });
}

/// Progress without anybody in a port or a wait: the guardian's looks alone end the receive.
#[test]
fn the_guardian_ends_what_nobody_waits_for() {
    explore(|| {
        let (client, server) = pair();
        let port = CompletionPort::new(1).unwrap();
        server.associate(&port, 7).unwrap();
        let result = Arc::new(Result::default());
        let (issuer, issued) = (Arc::clone(&server), Arc::clone(&result));
        let peer = Arc::clone(&client);
        let watched = Arc::clone(&result);
        together(vec![
            Box::new(move || {
                let irp = issued.irp(vec![0; 4], true);
                issuer.recv(irp, RecvOptions::default()).unwrap();
            }),
            Box::new(move || send(&peer, b"data")),
            Box::new(move || {
                while !watched.is_over() {
                    guardian::look();
                    shuttle::thread::yield_now();
                }
            }),
        ]);
        drain(&port, &[Arc::clone(&result)]);
        assert_eq!(result.finished(1), (NtStatus::SUCCESS, b"data".to_vec()));
        discard(&server);
        discard(&client);
    });
}

/// The same look by whoever polls an event instead of waiting.
#[test]
fn a_poll_of_an_event_ends_what_nobody_waits_for() {
    explore(|| {
        let (client, server) = pair();
        let result = Arc::new(Result::default());
        server.recv(result.irp(vec![0; 4], false), RecvOptions::default()).unwrap();
        let (peer, polled) = (Arc::clone(&client), Arc::clone(&result));
        together(vec![
            Box::new(move || send(&peer, b"data")),
            Box::new(move || {
                let never = Event::new(true, false);
                while !polled.is_over() {
                    wait::wait(&[&never], Which::Any, Deadline::after_ms(0), false);
                    shuttle::thread::yield_now();
                }
                assert!(!never.take());
            }),
        ]);
        assert_eq!(result.finished(0).0, NtStatus::SUCCESS);
        discard(&server);
        discard(&client);
    });
}

/// A reported descriptor whose handle is gone.
#[test]
fn a_report_against_the_end_of_the_handle() {
    explore(|| {
        let (client, server) = pair();
        let port = CompletionPort::new(1).unwrap();
        server.associate(&port, 7).unwrap();
        let result = receive(&server, 4);
        send(&client, b"data");
        let (reported, closed): (Arc<Socket>, _) = (Arc::clone(&server), Arc::clone(&server));
        together(vec![
            Box::new(move || {
                let mut after = Deferred::default();
                reported.handle_ready(linsock::iocp::driver::Readiness::UNKNOWN, &mut after);
                after.run();
            }),
            Box::new(move || closed.close_handle().unwrap()),
        ]);
        drain(&port, &[Arc::clone(&result)]);
        let (status, data) = result.finished(1);
        assert_eq!(status == NtStatus::SUCCESS, data == b"data", "{status:?} {data:?}");
        discard(&client);
    });
}

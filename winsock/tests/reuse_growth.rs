//! Ten thousand connections on one handle of each side leave nothing behind.
//!
//! Alone in its process: it counts the process's descriptors, handles and memory.

use std::net::SocketAddr;
use std::path::Path;

use linsock::net::{Family, Socket};

const CYCLES: usize = 10_000;
/// Enough for every buffer, queue and thread that is made once.
const WARM_UP: usize = 1_000;
/// Pages that an allocator may hold back. The smallest thing that a cycle could lose is a timer, of
/// some 60 octets: 150 pages in all.
const SLACK: usize = 64;

fn descriptors() -> usize {
    std::fs::read_dir(Path::new("/proc/self/fd")).unwrap().count()
}

/// Resident pages.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse().unwrap()
}

/// One connection from its beginning to its end; `client_first` says who closes actively.
fn cycle(listener: &Socket, to: SocketAddr, client: &Socket, server: &Socket, client_first: bool) {
    let accepting = listener.accept_into(server, Vec::new()).start();
    client.connect_owned(to, b"first".to_vec()).wait().unwrap();
    accepting.wait().unwrap();
    let mut buffer = [0; 8];
    assert_eq!(server.recv(&mut buffer).unwrap(), 5);
    server.send(b"answer").unwrap();
    assert_eq!(client.recv(&mut buffer).unwrap(), 6);
    let (active, passive) = if client_first { (client, server) } else { (server, client) };
    let leaving = active.disconnect_reuse().start();
    assert_eq!(passive.recv(&mut buffer).unwrap(), 0);
    passive.disconnect_reuse().wait().unwrap();
    leaving.wait().unwrap();
}

#[test]
fn ten_thousand_cycles_on_one_handle_leave_nothing_behind() {
    let listener = Socket::tcp(Family::Inet).unwrap();
    listener.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    listener.listen(16).unwrap();
    let to = listener.local_address().unwrap();
    let (client, server) = (Socket::tcp(Family::Inet).unwrap(), Socket::tcp(Family::Inet).unwrap());
    let run = |cycles: usize| {
        // Both sides take turns, so that neither runs out of ephemeral pairs in TIME-WAIT.
        (0..cycles).for_each(|n| cycle(&listener, to, &client, &server, n % 2 == 0));
    };
    run(WARM_UP);
    let before = (descriptors(), resident());
    run(CYCLES);
    let after = (descriptors(), resident());
    assert_eq!(after.0, before.0, "descriptors");
    let grown = after.1.saturating_sub(before.1);
    assert!(grown <= SLACK, "{grown} pages more after {CYCLES} cycles");
}

//! A soak: connections opened, used and ended in every way at once, while descriptors run out, peers
//! are killed and networks lose everything; then the books are closed.
//!
//! ```text
//! cargo run --release --example soak -- --seconds 20
//! ```
//!
//! Exit status 0 if every operation ended once, every octet accepted on a connection that was closed
//! gracefully arrived, and descriptors, threads, handles and memory are back to where they were. The
//! last line has the sums.

#[path = "../counting.rs"]
mod counting;
mod faults;
mod ledger;
mod server;
mod ways;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use counting::Counting;
use ledger::{Holdings, Ledger};
use server::Server;
use ways::Client;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const CLIENTS: u64 = 6;
/// What a run may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(30);

/// Everything at once for a while, to the end of all connections.
fn run(ledger: &Arc<Ledger>, time: Duration, seed: u64) {
    let (server, workers) = Server::start(ledger);
    let port = server.port_number();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let faults = [
            scope.spawn(|| faults::starve(ledger, &over)),
            scope.spawn(|| {
                if !faults::lose(ledger, &over) {
                    ledger.count("skipped: the lossy network needs root, ip and nft");
                }
            }),
        ];
        let begun = Instant::now();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|n| {
                scope.spawn(move || {
                    let mut client = Client::new(ledger, port, seed.wrapping_mul(CLIENTS + n + 1));
                    while begun.elapsed() < time {
                        client.one();
                    }
                    client.finish();
                })
            })
            .collect();
        clients.into_iter().for_each(|client| client.join().expect("a client"));
        over.store(true, Ordering::SeqCst);
        faults.into_iter().for_each(|fault| fault.join().expect("a fault"));
    });
    // What was promised may still be on its way.
    wait_until(|| ledger.missing().is_empty());
    server.stop();
    workers.into_iter().for_each(|worker| worker.join().expect("a worker"));
    server.close();
    wait_until(|| ledger.open_operations() == 0);
}

fn wait_until(mut done: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while !done() {
        if begun.elapsed() > PATIENCE {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let seconds = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["victim", to] => {
            ways::victim(to);
            return ExitCode::SUCCESS;
        }
        [] => Some(300),
        ["--seconds", seconds] => seconds.parse().ok(),
        _ => None,
    };
    let Some(seconds) = seconds else {
        eprintln!("usage: soak [--seconds N]   (300 without)");
        return ExitCode::from(2);
    };
    soak(Duration::from_secs(seconds))
}

fn soak(time: Duration) -> ExitCode {
    // What is made once for the life of a process: threads, descriptors, the room of queues.
    let warm_up = Arc::new(Ledger::default());
    run(&warm_up, (time / 5).min(Duration::from_secs(10)), 1);
    drop(warm_up);
    let before = Holdings::now();
    println!("before: {before:?}");
    let ledger = Arc::new(Ledger::default());
    run(&ledger, time, 2);
    let lost = ledger.close();
    let (operations, connections) = (ledger.operations(), ledger.connections());
    drop(ledger);
    wait_until(|| Holdings::now().leaked_since(before).is_empty());
    let after = Holdings::now();
    println!("after:  {after:?}");
    let leaked = after.leaked_since(before);
    leaked.iter().for_each(|what| eprintln!("soak: leaked: {what}"));
    println!(
        "{operations} operations, {connections} connections, {lost} lost, {} leaked",
        leaked.len()
    );
    if lost == 0 && leaked.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

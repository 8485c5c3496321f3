//! What goes wrong around the connections: no descriptors left, no ports left, a network that loses
//! everything.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use linsock::NtStatus;
use linsock::net::{Family, Socket};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::ledger::Ledger;

/// Now and then takes all descriptors away from the whole process for a moment.
pub(crate) fn starve(ledger: &Ledger, over: &AtomicBool) {
    let before = getrlimit(Resource::Nofile);
    while !over.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(300));
        let used = std::fs::read_dir("/proc/self/fd").map_or(100, Iterator::count) as u64;
        let none = Rlimit { current: Some(used.min(64)), maximum: before.maximum };
        if setrlimit(Resource::Nofile, none).is_err() {
            return;
        }
        std::thread::sleep(Duration::from_millis(30));
        let _ = setrlimit(Resource::Nofile, before);
        ledger.count("times that all descriptors were gone for 30 ms");
    }
}

/// Runs in a network of its own, where nftables drop and ports are few; false if that cannot be
/// made.
#[allow(unsafe_code)]
pub(crate) fn lose(ledger: &Arc<Ledger>, over: &AtomicBool) -> bool {
    // SAFETY: unsharing the network changes nothing that memory safety relies on.
    let made = unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWNET) };
    let rules = "ip link set lo up && nft add table inet t && \
                 nft 'add chain inet t in { type filter hook input priority 0; }' && \
                 echo '50000 50019' >/proc/sys/net/ipv4/ip_local_port_range";
    if made.is_err() || !shell(rules) {
        return false;
    }
    let mut round = 0_u32;
    while !over.load(Ordering::SeqCst) {
        let outcome = match round % 4 {
            0 => silence(ledger, Ending::Abort),
            1 => silence(ledger, Ending::Limit),
            2 => delay(ledger),
            _ => exhaust(ledger),
        };
        // Descriptors may be gone just now.
        let _ = shell("nft flush chain inet t in");
        match outcome {
            Err(error) if error.status() == NtStatus::TOO_MANY_OPENED_FILES => {
                ledger.count("given up in the lossy network: no descriptors");
            }
            Err(error) => ledger.trouble(format!("lossy network, round {round}: {error}")),
            Ok(()) => {}
        }
        round += 1;
    }
    true
}

fn shell(command: &str) -> bool {
    Command::new("sh").args(["-c", command]).status().is_ok_and(|status| status.success())
}

fn cut() -> bool {
    shell("nft add rule inet t in drop")
}

fn pair(ledger: &Ledger) -> linsock::net::Result<(Socket, Socket)> {
    let listener = Socket::tcp(Family::Inet)?;
    listener.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    listener.listen(1)?;
    let client = Socket::tcp(Family::Inet)?;
    client.connect(listener.local_address()?)?;
    ledger.connection();
    Ok((client, listener.accept()?))
}

enum Ending {
    Abort,
    Limit,
}

/// The network goes silent under a connection with sends pending; every operation ends all the
/// same.
fn silence(ledger: &Ledger, ending: Ending) -> linsock::net::Result<()> {
    let (client, server) = pair(ledger)?;
    if !cut() {
        return Ok(());
    }
    let received = server.recv_owned(vec![0; 64]).start();
    let sent: Vec<_> = (0..3).map(|_| client.send_owned(vec![1; 4 << 20]).start()).collect();
    match ending {
        Ending::Abort => client.abort(),
        Ending::Limit => {
            let limit = Duration::from_millis(50);
            let report = client.disconnect().within(limit).wait();
            if report.is_ok_and(|report| report.is_graceful()) {
                ledger.trouble("a graceful end without a network".into());
            }
        }
    }
    let ends = sent.into_iter().map(|send| send.finish().0);
    if ends.filter(Result::is_ok).count() == 3 {
        ledger.trouble("12 MiB were sent without a network".into());
    }
    server.abort();
    if received.finish().0.is_ok() {
        ledger.trouble("received without a network".into());
    }
    ledger.count("lossy network: silent, ended without the peer");
    Ok(())
}

/// The network is silent for a while, and then everything arrives after all.
fn delay(ledger: &Ledger) -> linsock::net::Result<()> {
    let (client, server) = pair(ledger)?;
    if !cut() {
        return Ok(());
    }
    client.send(b"late")?;
    let leaving = client.disconnect().start();
    std::thread::sleep(Duration::from_millis(20));
    while !shell("nft flush chain inet t in") {
        std::thread::yield_now();
    }
    let mut octets = [0; 8];
    let mut got = 0;
    while got < 4 {
        got += server.recv(&mut octets[got..])?;
    }
    let end = server.recv(&mut octets[4..])?;
    let there = server.disconnect().wait()?;
    let here = leaving.wait()?;
    if end != 0 || !here.is_graceful() || !there.is_graceful() {
        ledger.trouble(format!("late, but not graceful: {here:?} {there:?}"));
    }
    ledger.count("lossy network: late, and everything arrived");
    Ok(())
}

/// Twenty ports, and more connections than that.
fn exhaust(ledger: &Ledger) -> linsock::net::Result<()> {
    let listener = Socket::tcp(Family::Inet)?;
    listener.bind(SocketAddr::from(([127, 0, 0, 1], 60000)))?;
    listener.listen(64)?;
    let to = listener.local_address()?;
    let mut clients = Vec::new();
    let refused = loop {
        let client = Socket::tcp(Family::Inet)?;
        match client.connect(to) {
            Ok(()) => clients.push(client),
            Err(error) => break error,
        }
        ledger.connection();
    };
    if clients.len() > 20 {
        ledger.trouble(format!("{} connections over 20 ports", clients.len()));
    }
    ledger.count(&format!("lossy network: ports exhausted: {refused}"));
    clients.into_iter().for_each(Socket::abort);
    Ok(())
}

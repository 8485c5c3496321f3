//! A peer that never closes: `TcpFinWait2Delay` ends a disconnect with reuse.
//!
//! The setting is read once per process, so the test runs itself again with a short one.

use std::io::Read;
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use linsock::net::{AbortCause, CloseReason, Family, Socket};

const SETTING: &str = "LINSOCK_TCP_FIN_WAIT2_DELAY";

#[test]
fn a_peer_that_never_closes_is_reset_when_the_delay_is_over() {
    if std::env::var_os(SETTING).is_some() {
        return wait_for_the_reset();
    }
    let this = std::env::current_exe().expect("the test's own program");
    let output = Command::new(this)
        .args(["--exact", "a_peer_that_never_closes_is_reset_when_the_delay_is_over"])
        .env(SETTING, "1")
        .output()
        .expect("the test starts itself");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

/// Source: design 4 ("TcpFinWait2Delay ends it with a reset and WSAETIMEDOUT"), our choice.
fn wait_for_the_reset() {
    let listener = Socket::tcp(Family::Inet).unwrap();
    listener.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    listener.listen(1).unwrap();
    let mut peer = TcpStream::connect(listener.local_address().unwrap()).unwrap();
    let server = listener.accept().unwrap();
    let begun = Instant::now();
    let error = server.disconnect_reuse().wait().unwrap_err();
    assert_eq!(error.wsa(), 10060);
    assert!(begun.elapsed() >= Duration::from_secs(1));
    let cause = AbortCause::FinWaitTimeout;
    assert_eq!(server.close_reason(), Some(CloseReason::LocalAbort(cause)));
    // The peer sees our FIN first; then what it sends meets the reset.
    assert_eq!(peer.read(&mut [0; 8]).unwrap(), 0);
    let reset = std::iter::repeat_with(|| std::io::Write::write(&mut peer, b"x"));
    assert!(reset.take(1000).any(|written| written.is_err()));
}

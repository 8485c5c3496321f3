//! Tells `linsock time-wait`, run by the same user, which pairs this process holds.
//!
//! A socket in the abstract namespace, named after the process, and one thread that sleeps in
//! accept. Both begin with the first pair: most processes never have them. Whoever connects gets
//! one line for each pair, `LOCAL REMOTE MILLISECONDS`, and the end; nothing is read from it.

use std::fmt::Write as _;
use std::io::Write;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::sync::Once;
use std::time::Duration;

use rustix::net::sockopt;
use rustix::process;

/// What the names of these sockets begin with; the process id follows.
pub const NAME: &str = "linsock/time-wait/";

/// A client that does not read is not waited for longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Starts the service, once. Without it, for want of a descriptor or a thread, only the tool sees
/// less.
pub(super) fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let name = format!("{NAME}{}", std::process::id());
        let listener = SocketAddr::from_abstract_name(name)
            .and_then(|address| UnixListener::bind_addr(&address));
        if let Ok(listener) = listener {
            let serve = move || listener.incoming().flatten().for_each(|client| answer(&client));
            let _ = std::thread::Builder::new().name("linsock-time-wait".into()).spawn(serve);
        }
    });
}

fn answer(mut client: &UnixStream) {
    let mine = process::geteuid();
    let asks = sockopt::socket_peercred(client).map(|peer| peer.uid);
    // Root may look at everybody's, as everywhere.
    if !asks.is_ok_and(|uid| uid == mine || uid.is_root()) {
        return;
    }
    let mut lines = String::new();
    for held in super::held() {
        let (local, remote) = (held.pair.local, held.pair.remote);
        let _ = writeln!(lines, "{local} {remote} {}", held.left.as_millis());
    }
    let _ = client.set_write_timeout(Some(PATIENCE));
    let _ = client.write_all(lines.as_bytes());
}

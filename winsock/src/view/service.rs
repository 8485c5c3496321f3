//! Tells the tools, run by the same user or by root, what this process is doing.
//!
//! A socket in the abstract namespace, named after the process, and one thread that sleeps in
//! accept. Both begin with the first socket of the process, unless the setting `View` says no.
//! Whoever connects gets a JSON object on each line, and the end; nothing is read from it.

use std::io::Write;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::time::Duration;

use rustix::net::sockopt;
use rustix::process;

/// What the names of these sockets begin with; the process id follows.
pub const NAME: &str = "linsock/view/";

/// A client that does not read is not waited for longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a client waits for a descriptor when there is none.
const RETRY: Duration = Duration::from_millis(50);

/// Its own needs are small, and a program may have bounded its memory.
const STACK: usize = 256 << 10;

/// Starts the service. Without it, for want of a descriptor or a thread, only the tools see less.
pub(crate) fn start() {
    // The schedule tests have threads of their own making only.
    if cfg!(shuttle) {
        return;
    }
    let name = format!("{NAME}{}", std::process::id());
    let listener =
        SocketAddr::from_abstract_name(name).and_then(|address| UnixListener::bind_addr(&address));
    if let Ok(listener) = listener {
        let serve = move || listener.incoming().for_each(answer_or_rest);
        let builder = std::thread::Builder::new().name("linsock-view".into()).stack_size(STACK);
        let _ = builder.spawn(serve);
    }
}

/// Who cannot be let in for want of a descriptor waits, and is not the only thing to do.
fn answer_or_rest(client: std::io::Result<UnixStream>) {
    match client {
        Ok(client) => answer(&client),
        Err(_) => std::thread::sleep(RETRY),
    }
}

fn answer(mut client: &UnixStream) {
    let mine = process::geteuid();
    let asks = sockopt::socket_peercred(client).map(|peer| peer.uid);
    // Root may look at everybody's, as everywhere.
    if !asks.is_ok_and(|uid| uid == mine || uid.is_root()) {
        return;
    }
    let lines = super::lines();
    let _ = client.set_write_timeout(Some(PATIENCE));
    let _ = client.write_all(lines.as_bytes());
}

//! Tells the tools, run by the same user or by root, what this process is doing.
//!
//! A socket in the abstract namespace, named after the process, and one thread that sleeps in
//! accept. Both begin with WSAStartup, or with the first socket or completion port of the process,
//! unless the setting `View` says no.
//! Whoever connects gets a JSON object on each line, and the end; nothing is read from it.

use std::io::{ErrorKind, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::time::{Duration, Instant};

use linsock_iocp::servant;
use rustix::net::sockopt;
use rustix::process;

/// What the names of these sockets begin with; the process id follows.
pub const NAME: &str = "linsock/view/";

/// A client that does not read, or slowly, is not waited for longer: others wait meanwhile, and
/// have twice as much patience.
const PATIENCE: Duration = Duration::from_secs(1);

/// Octets of a write.
const PIECE: usize = 1 << 16;

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
        let _ = servant::spawn("linsock-view", Some(STACK), serve);
    }
}

/// Who cannot be let in for want of a descriptor waits, and is not the only thing to do.
fn answer_or_rest(client: std::io::Result<UnixStream>) {
    match client {
        Ok(client) => answer(&client),
        Err(_) => std::thread::sleep(RETRY),
    }
}

fn answer(client: &UnixStream) {
    let mine = process::geteuid();
    let asks = sockopt::socket_peercred(client).map(|peer| peer.uid);
    // Root may look at everybody's, as everywhere.
    if !asks.is_ok_and(|uid| uid == mine || uid.is_root()) {
        return;
    }
    tell(client, super::lines().as_bytes(), PATIENCE);
}

fn tell(mut client: &UnixStream, mut rest: &[u8], patience: Duration) {
    let begin = Instant::now();
    while !rest.is_empty() {
        let left = patience.saturating_sub(begin.elapsed());
        // Refused when nothing is left.
        if client.set_write_timeout(Some(left)).is_err() {
            return;
        }
        // Not more: that goes on as long as a little is taken now and then.
        match client.write(&rest[..rest.len().min(PIECE)]) {
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// Our choice: an answer takes no longer, whatever the client does.
    #[test]
    fn who_takes_a_little_now_and_then_is_given_up() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let answer = vec![b'x'; 64 << 20];
        let taker = std::thread::spawn(move || {
            let mut octets: usize = 0;
            while theirs.read(&mut [0; 1]).is_ok_and(|read| read > 0) {
                octets += 1;
            }
            octets
        });
        tell(&ours, &answer, Duration::from_millis(100));
        drop(ours);
        assert!(taker.join().unwrap() < answer.len());
    }

    #[test]
    fn an_answer_is_told_to_the_end() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let taker = std::thread::spawn(move || {
            let mut answer = Vec::new();
            theirs.read_to_end(&mut answer).map(|_| answer)
        });
        let answer: Vec<u8> = (0..1 << 20).map(|octet: u32| octet.to_ne_bytes()[0]).collect();
        tell(&ours, &answer, Duration::from_secs(60));
        drop(ours);
        assert_eq!(taker.join().unwrap().unwrap(), answer);
    }
}

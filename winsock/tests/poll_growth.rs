//! Polls that ended at another socket leave nothing behind at the one where nothing happens.
//!
//! Alone in its process: it counts the process's memory.
#![allow(unsafe_code)] // A poll's answer is lent.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

use linsock::afd::address::Family;
use linsock::catalog::Provider;
use linsock::device::{self, Device, HEAD, Patience, Question, ROW};
use linsock::iocp::buffer::{Buffers, CheckedMemory};
use linsock::iocp::file::File;
use linsock::iocp::handle;
use linsock::iocp::irp::{Done, Irp, Sink, Target};
use linsock::socket::{PollEvents, Socket, Started};

const CYCLES: usize = 20_000;
/// Enough for everything that is made once.
const WARM_UP: usize = 1_000;
/// Pages that an allocator may hold back. A poll is some 200 octets: 1,000 pages in all.
const SLACK: usize = 64;

#[derive(Default)]
struct Ends(AtomicUsize);

impl Sink for Ends {
    fn complete(&self, _: Done) -> Option<Waker> {
        self.0.fetch_add(1, Ordering::Relaxed);
        None
    }
}

/// Resident pages.
fn resident() -> usize {
    let text = std::fs::read_to_string(Path::new("/proc/self/statm")).unwrap();
    text.split(' ').nth(1).unwrap().parse().unwrap()
}

fn new_socket() -> Arc<Socket> {
    Socket::create(Provider::Tcp(Family::Inet), true).unwrap()
}

/// A poll that waits for both sockets, and ends when the second one is closed.
fn cycle(device: &Arc<dyn File>, quiet: &Socket, answer: &mut [u8], ends: &Arc<Ends>) {
    let closed = new_socket();
    // SAFETY: the poll has ended when this returns, and nobody reads it.
    let answer = unsafe { CheckedMemory::new(answer.as_mut_ptr(), answer.len()) };
    let sockets = [quiet.handle().value(), closed.handle().value()];
    let question = Question {
        rows: sockets.map(|socket| (socket, PollEvents::RECEIVE)).to_vec(),
        patience: Patience::Forever,
        exclusive: false,
        timeout: 0,
        answer,
    };
    let before = ends.0.load(Ordering::Relaxed);
    let sink = Arc::clone(ends) as Arc<dyn Sink>;
    let irp = Irp::new(Target::Sink { sink, packet: false }, Buffers::empty());
    assert_eq!(device::poll(device, irp, question), Ok(Started::Pending));
    closed.close_handle().unwrap();
    assert_eq!(ends.0.load(Ordering::Relaxed), before + 1);
}

#[test]
fn polls_that_end_elsewhere_leave_nothing_behind() {
    let device = handle::table().file_of(Device::open().unwrap()).unwrap();
    let (quiet, ends) = (new_socket(), Arc::default());
    let mut answer = [0; HEAD + 2 * ROW];
    let mut run = |cycles| (0..cycles).for_each(|_| cycle(&device, &quiet, &mut answer, &ends));
    run(WARM_UP);
    let before = resident();
    run(CYCLES);
    let grown = resident().saturating_sub(before);
    assert!(grown <= SLACK, "{grown} pages more after {CYCLES} polls");
    quiet.close_handle().unwrap();
}

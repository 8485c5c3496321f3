//! The provider's thread: it performs the sockets' I/O through one completion port, completes IRPs
//! and calls the clients' callbacks, one after the other. What is posted first is done first: a
//! close that is posted behind everything else finds it done.

use std::sync::{Arc, OnceLock};
use std::thread;

use linsock::NtStatus;
use linsock::iocp::clock::Deadline;
use linsock::iocp::irp::{Deferred, Done, Sink};
use linsock::iocp::port::{CompletionPort, Packet};
use linsock::iocp::sync::Lock;

use crate::ddk::object::in_callback;

/// Something for the provider's thread to do.
struct Task(Lock<Option<Box<dyn FnOnce() + Send>>>);

impl Sink for Task {
    fn complete(&self, _done: Done) -> Option<std::task::Waker> {
        None
    }
}

/// The port of all sockets; its thread starts with it.
pub(crate) fn port() -> &'static Arc<CompletionPort> {
    static PORT: OnceLock<Arc<CompletionPort>> = OnceLock::new();
    PORT.get_or_init(|| {
        let port = CompletionPort::new(1)
            .expect("INVARIANT: WSK needs a few descriptors before anything else works");
        let worked = Arc::clone(&port);
        thread::Builder::new()
            .name("linsock-wsk".into())
            .spawn(move || work(&worked))
            .expect("INVARIANT: WSK needs its thread before anything else works");
        port
    })
}

fn work(port: &Arc<CompletionPort>) {
    loop {
        // One at a time: a callback may post what others wait for.
        let taken = port.wait(1, Deadline::Never, false, |packet| {
            if let Some(task) = packet.sink.and_then(as_task)
                && let Some(body) = task.0.lock().take()
            {
                in_callback(body);
            }
        });
        if taken.is_err() {
            return;
        }
    }
}

fn as_task(sink: Arc<dyn Sink>) -> Option<Arc<Task>> {
    (sink as Arc<dyn std::any::Any + Send + Sync>).downcast().ok()
}

/// Has the provider's thread do something, behind everything that was posted before.
pub(crate) fn post(body: impl FnOnce() + Send + 'static) {
    let task: Arc<dyn Sink> = Arc::new(Task(Lock::new(Some(Box::new(body)))));
    let packet =
        Packet { key: 0, overlapped: 0, status: NtStatus::SUCCESS, bytes: 0, sink: Some(task) };
    let mut after = Deferred::default();
    port().post(packet, &mut after);
    after.run();
}

/// Has a thread of its own do something that may wait.
pub(crate) fn system_thread(body: impl FnOnce() + Send + 'static) {
    let started = thread::Builder::new().name("linsock-system".into()).spawn(body);
    if let Err(error) = started {
        crate::misuse::report("IoQueueWorkItem", format_args!("no thread: {error}"));
    }
}

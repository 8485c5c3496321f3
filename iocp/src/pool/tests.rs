use std::sync::mpsc::channel;
use std::sync::{Barrier, Weak};

use super::*;
use crate::buffer::Buffers;
use crate::driver::Readiness;
use crate::event::Event;
use crate::file::FileCore;
use crate::handle::{Handle, Object, table};
use crate::irp::{Beside, Irp, Target};
use crate::overlapped::tests::lend;
use crate::sync::atomic::{AtomicUsize, Ordering};

const SHORT: Duration = Duration::from_millis(20);
const LIMIT: Duration = Duration::from_secs(10);

fn submit(pool: &Pool, job: impl FnOnce() + Send + 'static) {
    pool.submit(Box::new(job), Priority::Normal).unwrap();
}

fn wait_until(is_so: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LIMIT);
        std::thread::yield_now();
    }
}

#[test]
fn every_job_is_done_once() {
    const JOBS: usize = 2000;
    let pool = Pool::new().unwrap();
    let (done, told) = channel();
    for n in 0..JOBS {
        let done = done.clone();
        submit(&pool, move || done.send(n).unwrap());
    }
    let mut all: Vec<_> = (0..JOBS).map(|_| told.recv_timeout(LIMIT).unwrap()).collect();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..JOBS));
    drop(pool);
    drop(done);
    assert!(told.recv_timeout(LIMIT).is_err(), "and not twice");
}

/// Jobs that wait for each other: each needs a thread of its own.
#[test]
fn a_job_never_waits_for_another_that_blocks() {
    const JOBS: usize = 30;
    let pool = Pool::new().unwrap();
    let all = Arc::new(Barrier::new(JOBS + 1));
    for _ in 0..JOBS {
        let all = Arc::clone(&all);
        submit(&pool, move || {
            all.wait();
        });
    }
    all.wait();
}

#[test]
fn a_job_that_panics_takes_no_thread_along() {
    let pool = Pool::new().unwrap();
    pool.set_maximum(1);
    submit(&pool, || std::panic::resume_unwind(Box::new(())));
    let (done, told) = channel();
    submit(&pool, move || done.send(()).unwrap());
    told.recv_timeout(LIMIT).unwrap();
    assert_eq!(pool.0.crew.lock().threads, 1);
}

#[test]
fn the_maximum_is_kept_and_priorities_order_what_waits() {
    let pool = Pool::new().unwrap();
    pool.set_maximum(1);
    let (go, may_go) = channel::<()>();
    let (done, told) = channel();
    submit(&pool, move || may_go.recv().unwrap());
    for priority in [Priority::Low, Priority::Normal, Priority::High] {
        let done = done.clone();
        pool.submit(Box::new(move || done.send(priority).unwrap()), priority).unwrap();
    }
    wait_until(|| pool.0.crew.lock().idle == 0);
    assert!(!pool.has_room());
    go.send(()).unwrap();
    let order: Vec<_> = (0..3).map(|_| told.recv_timeout(LIMIT).unwrap()).collect();
    assert_eq!(order, [Priority::High, Priority::Normal, Priority::Low]);
    assert_eq!(pool.0.crew.lock().threads, 1);
}

#[test]
fn threads_that_are_not_needed_leave_but_for_the_minimum() {
    let pool = Pool::with_linger(SHORT).unwrap();
    assert!(pool.set_minimum(MOST_THREADS + 1).is_err());
    assert_eq!(pool.0.crew.lock().threads, 0, "none was started");
    pool.set_minimum(8).unwrap();
    assert_eq!(pool.0.crew.lock().threads, 8);
    pool.set_minimum(3).unwrap();
    wait_until(|| pool.0.crew.lock().threads == 3);
    pool.set_minimum(0).unwrap();
    wait_until(|| pool.0.crew.lock().threads == 1);
    std::thread::sleep(3 * SHORT);
    let crew = pool.0.crew.lock();
    assert_eq!((crew.threads, crew.idle), (1, 1), "one watches the port");
}

/// A pool's threads, the idle ones among them, the minimum and the maximum.
fn crew(pool: &Pool) -> (usize, usize, usize, usize) {
    let Crew { threads, idle, minimum, maximum, stack: _ } = *pool.0.crew.lock();
    (threads, idle, minimum, maximum)
}

/// SetThreadpoolThreadMaximum and -Minimum pages; that each makes room for the other is our choice.
#[test]
fn the_limits_make_room_for_each_other() {
    let pool = Pool::new().unwrap();
    assert_eq!(crew(&pool), (0, 0, 0, MOST_THREADS), "500 is the default");
    pool.set_maximum(0);
    assert_eq!(crew(&pool), (0, 0, 0, 1), "and no thread is started for it");
    pool.set_minimum(3).unwrap();
    assert_eq!(crew(&pool), (3, 3, 3, 3));
    pool.set_maximum(2);
    assert_eq!(crew(&pool), (3, 3, 2, 2), "none is stopped for it");
    pool.set_maximum(8);
    assert_eq!(crew(&pool), (3, 3, 2, 8), "what is idle is enough");

    // As if they had been started.
    pool.0.crew.lock().threads = MOST_THREADS + 1;
    pool.set_minimum(MOST_THREADS).unwrap();
    assert!(pool.set_minimum(MOST_THREADS + 1).is_err());
    pool.set_maximum(MOST_THREADS + 1);
    pool.set_minimum(MOST_THREADS + 1).unwrap();
}

#[test]
fn a_higher_maximum_is_for_what_waits_already() {
    let pool = Pool::new().unwrap();
    assert!(pool.has_room(), "it has none yet and may start one");
    pool.prepare().unwrap();
    assert_eq!(crew(&pool), (1, 1, 0, MOST_THREADS));
    pool.prepare().unwrap();
    assert_eq!(crew(&pool), (1, 1, 0, MOST_THREADS), "there is one");
    pool.set_maximum(1);
    assert!(pool.has_room(), "it is idle");
    let (go, may_go) = channel::<()>();
    let (done, told) = channel();
    submit(&pool, move || may_go.recv().unwrap());
    wait_until(|| pool.0.crew.lock().idle == 0);
    submit(&pool, move || done.send(()).unwrap());
    assert!(told.recv_timeout(SHORT).is_err(), "the one thread is busy");
    assert!(!pool.has_room());
    pool.set_maximum(2);
    told.recv_timeout(LIMIT).unwrap();
    go.send(()).unwrap();
}

/// CreateThreadpoolIo page: the file is bound to the pool, and to nothing else. Somebody watches it
/// from then on.
#[test]
fn a_file_is_bound_once_and_watched() {
    struct Nobody;
    impl Binding for Nobody {
        fn completed(self: Arc<Self>, _: Told) {}
    }
    let pool = Pool::new().unwrap();
    let keys = [(); 2].map(|()| pool.bind(Arc::new(Nobody)));
    assert_ne!(keys[0], keys[1]);
    let (file, handle) = Endless::enter();
    pool.associate(&*file, keys[1]).unwrap();
    let association = file.0.association().unwrap();
    assert!(Arc::ptr_eq(&association.port, &pool.0.port));
    assert_eq!(Key(association.key), keys[1]);
    assert_eq!(crew(&pool), (1, 1, 0, MOST_THREADS));
    assert_eq!(pool.associate(&*file, keys[0]), Err(BindError::Already));
    table().remove(handle).unwrap();
}

#[test]
fn the_threads_of_a_dropped_pool_leave() {
    let pool = Pool::new().unwrap();
    pool.set_minimum(2).unwrap();
    let inner = Arc::downgrade(&pool.0);
    drop(pool);
    wait_until(|| Weak::strong_count(&inner) == 0);
}

/// Packets with a key are the binding's, as long as there is one.
#[test]
fn completions_go_to_what_the_file_is_bound_to() {
    struct Count(AtomicUsize);
    impl Binding for Count {
        fn completed(self: Arc<Self>, told: Told) {
            self.0.fetch_add(told.bytes, Ordering::SeqCst);
        }
    }

    let pool = Pool::new().unwrap();
    pool.set_minimum(1).unwrap();
    let counts = [0, 0].map(|zero| Arc::new(Count(AtomicUsize::new(zero))));
    let keys = [0, 1].map(|n: usize| pool.bind(Arc::clone(&counts[n]) as Arc<dyn Binding>));
    let complete = |key: Key, bytes| {
        let mut after = Deferred::default();
        let status = NtStatus::SUCCESS;
        pool.0
            .port
            .post(Packet { key: key.0, overlapped: 8, status, bytes, sink: None }, &mut after);
        after.run();
    };
    let count = |n: usize| counts[n].0.load(Ordering::SeqCst);
    complete(keys[0], 1);
    complete(keys[1], 10);
    wait_until(|| (count(0), count(1)) == (1, 10));
    pool.unbind(keys[0]);
    complete(keys[0], 1);
    complete(keys[1], 10);
    wait_until(|| count(1) == 20);
    assert_ne!(
        pool.bind(Arc::clone(&counts[0]) as Arc<dyn Binding>),
        keys[0],
        "no key comes again"
    );
    assert_eq!(count(0), 1);
}

/// A file whose operations never end.
struct Endless(FileCore, Lock<Vec<Irp>>);

impl File for Endless {
    fn core(&self) -> &FileCore {
        &self.0
    }
    fn handle_ready(&self, _: Readiness, _: &mut Deferred) {}
    fn cancel(&self, chosen: &dyn Fn(&Irp) -> bool) -> usize {
        self.1.lock().extract_if(.., |irp| chosen(irp)).count()
    }
    fn associate(&self, port: &Arc<CompletionPort>, key: usize) -> Result<(), AlreadyAssociated> {
        self.0.set_association(port, key)
    }
    fn close(&self) {}
}

impl Endless {
    fn enter() -> (Arc<Self>, Handle) {
        let mut entered = None;
        let handle = table().insert_with(|handle, token| {
            let file = Arc::new(Self(FileCore::new(handle, token), Lock::default()));
            entered = Some(Arc::clone(&file));
            Object::File(file)
        });
        (entered.unwrap(), handle.unwrap())
    }

    fn start(&self) {
        let event = Beside::Event(Arc::new(Event::new(true, false)));
        let target = Target::overlapped(lend().1, true, Some(event));
        let irp = Irp::new(target, Buffers::empty());
        irp.pended(&self.0);
        self.1.lock().push(irp);
    }
}

/// thread_exit.c: its exit would cancel the operation.
#[test]
fn a_thread_with_pending_io_stays() {
    let (endless, handle) = Endless::enter();
    let pool = Pool::with_linger(SHORT).unwrap();
    pool.set_minimum(4).unwrap();
    let (started, told) = channel();
    let file = Arc::clone(&endless);
    submit(&pool, move || {
        assert!(!thread::has_io());
        file.start();
        assert!(thread::has_io());
        started.send(thread::id()).unwrap();
    });
    let owner = told.recv_timeout(LIMIT).unwrap();
    pool.set_minimum(0).unwrap();
    wait_until(|| pool.0.crew.lock().threads == 1);
    assert_eq!(endless.1.lock().len(), 1, "not cancelled");
    let (asked, answer) = channel();
    submit(&pool, move || asked.send((thread::id(), thread::has_io())).unwrap());
    assert_eq!(answer.recv_timeout(LIMIT), Ok((owner, true)));
    endless.cancel(&|_| true);
    let (asked, answer) = channel();
    submit(&pool, move || asked.send(thread::has_io()).unwrap());
    assert_eq!(answer.recv_timeout(LIMIT), Ok(false));
    table().remove(handle).unwrap();
}

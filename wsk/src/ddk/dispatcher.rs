//! The dispatcher: who waits for what, and what a signal does.
//!
//! Objects are the client's memory, in Windows' layout; their state changes under one lock, as in
//! the kernel. A signal is given to who waits while it is made, by who makes it: what happens to
//! the object before the waiting thread runs, a reset or another signal, does not take it away. A
//! thread that was given its signal does not look at the object again, so its owner may free it.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use linsock::iocp::sync::Lock;

use super::thread;

pub(super) const NOTIFICATION_EVENT: u8 = 0;
pub(super) const SYNCHRONIZATION_EVENT: u8 = 1;
pub(super) const MUTANT: u8 = 2;
pub(super) const SEMAPHORE: u8 = 5;
/// A thread: signaled for ever once it has ended.
pub(crate) const THREAD: u8 = 6;

/// DISPATCHER_HEADER.
#[repr(C)]
#[derive(Debug)]
pub struct Header {
    kind: u8,
    parts: [u8; 3],
    /// Above 0: signaled. Changed under the lock of [`WAITS`].
    signal: AtomicI32,
    /// Of a mutex: the thread that has it, as [`thread::number`]. Windows has the list of waiters
    /// here.
    owner: AtomicI32,
    rest: [u32; 3],
}

const _: () = assert!(size_of::<Header>() == 0x18);

/// A wait has not been given what it waits for.
const WAITING: i32 = -1;

/// One thread that waits.
struct Wait {
    /// The addresses of the objects: whoever waits keeps them until the wait is over.
    objects: Vec<usize>,
    /// Content with any one of them.
    any: bool,
    thread: u32,
    /// [`WAITING`], or the index of the object that it was given (0 for all of them).
    given: AtomicI32,
}

/// Everyone who waits, in the order in which they began. Its lock is the dispatcher's: a leaf, no
/// other is taken and nothing of the client's is called while it is held.
static WAITS: Lock<Vec<Arc<Wait>>> = Lock::new(Vec::new());

impl Header {
    pub(crate) const fn new(kind: u8, signal: i32) -> Self {
        Self {
            kind,
            parts: [0; 3],
            signal: AtomicI32::new(signal),
            owner: AtomicI32::new(0),
            rest: [0; 3],
        }
    }

    pub(super) fn at<'a>(object: *mut c_void) -> &'a Self {
        // SAFETY: the client's object, which it keeps while somebody waits for it.
        unsafe { &*object.cast::<Self>() }
    }

    /// The signal state, as it stands.
    pub(super) fn state(&self) -> i32 {
        self.signal.load(Ordering::SeqCst)
    }

    /// Changes the signal state, if `change` gives another, and hands the signal to who waits.
    /// Gives what the state was.
    pub(crate) fn signal(&self, change: impl FnOnce(i32) -> Option<i32>) -> i32 {
        let mut waits = WAITS.lock();
        let before = self.state();
        let Some(state) = change(before) else { return before };
        self.signal.store(state, Ordering::SeqCst);
        let served = self.serve(&mut waits);
        // Told last: whoever is told may free the object.
        for (wait, index) in &served {
            wait.given.store(*index, Ordering::SeqCst);
        }
        drop(waits);
        for (wait, _) in served {
            futex_wake(wait.given.as_ptr(), 1);
        }
        before
    }

    /// Gives the signal to those who wait for it, first come, first served, as long as it lasts.
    fn serve(&self, waits: &mut Vec<Arc<Wait>>) -> Vec<(Arc<Wait>, i32)> {
        let own = std::ptr::from_ref(self).addr();
        let mut served = Vec::new();
        waits.retain(|wait| {
            if self.state() <= 0 || !wait.objects.contains(&own) {
                return true;
            }
            match wait.take() {
                Some(index) => served.push((Arc::clone(wait), index)),
                None => return true,
            }
            false
        });
        served
    }

    /// By a mutex' owner, who has it once less; false, and nothing happened, by anybody else.
    pub(super) fn release_mutex(&self) -> Option<i32> {
        let mut is_owner = true;
        let before = self.signal(|state| {
            is_owner = self.owner.load(Ordering::SeqCst) == number_of(thread::number());
            if !is_owner {
                return None;
            }
            if state == 0 {
                self.owner.store(0, Ordering::SeqCst);
            }
            Some(state + 1)
        });
        is_owner.then_some(before)
    }

    /// Whether a thread could take the signal. Under the lock.
    fn is_there_for(&self, thread: u32) -> bool {
        let is_mine = || self.owner.load(Ordering::SeqCst) == number_of(thread);
        self.state() > 0 || self.kind == MUTANT && is_mine()
    }

    /// A thread takes the signal that is there, as its kind has it. Under the lock.
    fn take_for(&self, thread: u32) {
        match self.kind {
            NOTIFICATION_EVENT | THREAD => {}
            SYNCHRONIZATION_EVENT => self.signal.store(0, Ordering::SeqCst),
            kind => {
                if kind == MUTANT {
                    self.owner.store(number_of(thread), Ordering::SeqCst);
                }
                // Of a mutex that is owned already the state counts down below 0.
                self.signal.fetch_sub(1, Ordering::SeqCst);
            }
        }
    }
}

fn number_of(thread: u32) -> i32 {
    thread.cast_signed()
}

impl Wait {
    /// Takes the first signal that is there; or, for all of them, every one or none. Under the
    /// lock.
    fn take(&self) -> Option<i32> {
        let header = |object: &usize| Header::at(std::ptr::with_exposed_provenance_mut(*object));
        let is_there = |object: &usize| header(object).is_there_for(self.thread);
        if self.any {
            let index = self.objects.iter().position(is_there)?;
            header(&self.objects[index]).take_for(self.thread);
            return i32::try_from(index).ok();
        }
        self.objects.iter().all(is_there).then(|| {
            self.objects.iter().for_each(|object| header(object).take_for(self.thread));
            0
        })
    }

    /// Sleeps until it is given what it waits for, or until the end.
    fn sleep(&self, end: Option<Instant>) {
        while self.given.load(Ordering::SeqCst) == WAITING {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return;
            }
            futex_wait(&self.given, WAITING, left);
        }
    }
}

/// Waits for any or all of some objects; gives the index of the one that it took, or 0 for all of
/// them. `None` when the time is over. `before_sleep` is told that the thread is going to sleep.
pub(super) fn wait(
    objects: &[*mut c_void],
    any: bool,
    end: Option<Instant>,
    before_sleep: impl FnOnce(),
) -> Option<i32> {
    let objects = objects.iter().map(|object| object.expose_provenance()).collect();
    let given = AtomicI32::new(WAITING);
    let wait = Arc::new(Wait { objects, any, thread: thread::number(), given });
    {
        let mut waits = WAITS.lock();
        if let Some(index) = wait.take() {
            return Some(index);
        }
        if end.is_some_and(|end| end <= Instant::now()) {
            return None;
        }
        waits.push(Arc::clone(&wait));
    }
    before_sleep();
    wait.sleep(end);
    // The signal may be on its way while the time ends: it is given under the lock.
    let mut waits = WAITS.lock();
    let given = wait.given.load(Ordering::SeqCst);
    if given == WAITING {
        waits.retain(|other| !Arc::ptr_eq(other, &wait));
        return None;
    }
    Some(given)
}

pub(super) fn futex_wait(word: &AtomicI32, value: i32, left: Option<Duration>) {
    let time = left.map(|left| libc::timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(left.subsec_nanos()),
    });
    let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the word lives through the call; the time, if there is one, too.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, time) };
}

pub(super) fn futex_wake(word: *mut i32, count: i32) {
    let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the address is only looked up: its memory may be gone by now.
    unsafe { libc::syscall(libc::SYS_futex, word, operation, count) };
}

#[cfg(test)]
mod tests {
    use super::*;

    type Event = Arc<Header>;

    fn object(kind: u8, signal: i32) -> Event {
        Arc::new(Header::new(kind, signal))
    }

    fn pointer(object: &Header) -> *mut c_void {
        std::ptr::from_ref(object).cast_mut().cast()
    }

    /// How many wait for the object now.
    fn waiting(object: &Header) -> usize {
        let own = std::ptr::from_ref(object).addr();
        WAITS.lock().iter().filter(|wait| wait.objects.contains(&own)).count()
    }

    fn until(condition: impl Fn() -> bool) {
        while !condition() {
            std::thread::yield_now();
        }
    }

    /// A thread that waits for the objects, once it does.
    fn waiter(objects: &[&Event], any: bool) -> std::thread::JoinHandle<Option<i32>> {
        let objects: Vec<Event> = objects.iter().map(|object| Arc::clone(object)).collect();
        let last = objects.last().map(Arc::clone).unwrap();
        let before = waiting(&last);
        let thread = std::thread::spawn(move || {
            let pointers: Vec<_> = objects.iter().map(|object| pointer(object)).collect();
            wait(&pointers, any, None, || {})
        });
        until(|| waiting(&last) > before);
        thread
    }

    fn set(event: &Header) -> i32 {
        event.signal(|_| Some(1))
    }

    fn reset(event: &Header) -> i32 {
        event.signal(|_| Some(0))
    }

    fn try_take(object: &Header) -> Option<i32> {
        wait(&[pointer(object)], true, Some(Instant::now()), || panic!("it does not sleep"))
    }

    /// KeSetEvent page: "releases all waiting threads"; what follows does not take that away.
    #[test]
    fn a_notification_event_that_is_reset_at_once_releases_everyone() {
        let event = object(NOTIFICATION_EVENT, 0);
        let threads: Vec<_> = (0..4).map(|_| waiter(&[&event], true)).collect();
        assert_eq!((set(&event), reset(&event)), (0, 1));
        assert!(threads.into_iter().all(|thread| thread.join().unwrap() == Some(0)));
        assert_eq!(try_take(&event), None);
    }

    /// Each signal of a synchronization event releases one thread, also two in a row.
    #[test]
    fn every_signal_of_a_synchronization_event_releases_one() {
        let event = object(SYNCHRONIZATION_EVENT, 0);
        let threads: Vec<_> = (0..3).map(|_| waiter(&[&event], true)).collect();
        assert_eq!((set(&event), set(&event), waiting(&event)), (0, 0, 1));
        assert_eq!((set(&event), set(&event), set(&event)), (0, 0, 1));
        assert!(threads.into_iter().all(|thread| thread.join().unwrap() == Some(0)));
        assert_eq!((try_take(&event), try_take(&event)), (Some(0), None));
    }

    #[test]
    fn a_semaphore_releases_as_many_as_it_counts() {
        let semaphore = object(SEMAPHORE, 0);
        let threads: Vec<_> = (0..2).map(|_| waiter(&[&semaphore], true)).collect();
        assert_eq!(semaphore.signal(|count| Some(count + 3)), 0);
        assert!(threads.into_iter().all(|thread| thread.join().unwrap() == Some(0)));
        assert_eq!((try_take(&semaphore), try_take(&semaphore)), (Some(0), None));
        assert_eq!(semaphore.signal(|_| None), 0, "a refused change");
    }

    /// KeWaitForMultipleObjects page: all are taken at once, or none.
    #[test]
    fn who_waits_for_all_takes_all_or_none() {
        let [a, b] = [0, 0].map(|signal| object(SYNCHRONIZATION_EVENT, signal));
        let thread = waiter(&[&a, &b], false);
        assert_eq!((set(&a), try_take(&a), set(&b)), (0, Some(0), 0));
        assert_eq!((waiting(&a), b.state()), (1, 1), "b's signal is still there");
        set(&a);
        assert_eq!(thread.join().unwrap(), Some(0));
        assert_eq!((try_take(&a), try_take(&b)), (None, None));
    }

    #[test]
    fn who_waits_for_any_is_told_which() {
        let [a, b] = [0, 0].map(|signal| object(SYNCHRONIZATION_EVENT, signal));
        let thread = waiter(&[&a, &b], true);
        set(&b);
        assert_eq!(thread.join().unwrap(), Some(1));
        assert_eq!((a.state(), b.state(), waiting(&a), waiting(&b)), (0, 0, 0, 0));
        let both = [pointer(&a), pointer(&b)];
        set(&a);
        set(&b);
        assert_eq!(wait(&both, true, None, || panic!("it does not sleep")), Some(0));
        assert_eq!(b.state(), 1);
    }

    #[test]
    fn a_mutex_is_owned_as_often_as_it_was_taken_and_then_the_next_has_it() {
        let mutex = object(MUTANT, 1);
        assert_eq!((try_take(&mutex), try_take(&mutex)), (Some(0), Some(0)));
        let other = Arc::clone(&mutex);
        let thread = std::thread::spawn(move || {
            let refused = other.release_mutex();
            let given = wait(&[pointer(&other)], true, None, || {});
            (refused, given, other.release_mutex())
        });
        until(|| waiting(&mutex) == 1);
        assert_eq!((mutex.release_mutex(), waiting(&mutex)), (Some(-1), 1));
        assert_eq!(mutex.release_mutex(), Some(0));
        assert_eq!(thread.join().unwrap(), (None, Some(0), Some(0)));
        assert_eq!(mutex.state(), 1);
    }

    #[test]
    fn who_has_waited_long_enough_waits_no_more() {
        let event = object(SYNCHRONIZATION_EVENT, 0);
        let soon = Instant::now() + Duration::from_millis(1);
        assert_eq!(wait(&[pointer(&event)], true, Some(soon), || {}), None);
        assert_eq!((waiting(&event), set(&event), event.state()), (0, 0, 1));
    }

    /// The thread that was given the signal may free the object while the other is in KeSetEvent.
    #[test]
    fn an_object_may_be_freed_as_soon_as_the_wait_for_it_is_over() {
        for _ in 0..500 {
            let event = Box::into_raw(Box::new(Header::new(NOTIFICATION_EVENT, 0)));
            let address = event.expose_provenance();
            let thread = std::thread::spawn(move || {
                let event = std::ptr::with_exposed_provenance_mut::<Header>(address);
                assert_eq!(wait(&[event.cast()], true, None, || {}), Some(0));
                // SAFETY: made above, and nobody else looks at it after the signal.
                drop(unsafe { Box::from_raw(event) });
            });
            // SAFETY: alive until it is signaled.
            set(unsafe { &*event });
            thread.join().unwrap();
        }
    }
}

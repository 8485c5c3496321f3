//! Overlapped questions to the resolver.
//!
//! A question is answered by a worker, given up at its deadline by another, or cancelled. Whoever
//! takes its [`Completion`] tells the program: there is one, so the program is told once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Weak};

use linsock::NtStatus;
use linsock::iocp::clock::Deadline;
use linsock::iocp::event::Event;
use linsock::iocp::overlapped::{Overlapped, OverlappedPtr};
use linsock::iocp::sync::Lock;
use linsock::iocp::wait::{self, Which};

use super::extended::ADDRINFOEXW;
use super::resolve::Found;
use super::workers;
use crate::abi::HANDLE;
use crate::export::Outcome;
use crate::last_error::Error;
use crate::ptr;
use crate::winsock2::overlapped::{checked, event_of, find_event, result_of};

/// A completion routine: error, octets, OVERLAPPED.
pub type Routine = unsafe extern "system" fn(u32, u32, *mut Overlapped);

const WSA_E_CANCELLED: Error = Error(10111);
const WSAETIMEDOUT: Error = Error(10060);

/// Where an OVERLAPPED has its Pointer.
const POINTER_AT: usize = 16;

/// How the program learns that its question is over.
enum Notice {
    Nothing,
    Event(Arc<Event>),
    /// The routine, and the address of the OVERLAPPED that it is called with.
    Routine(Routine, usize),
}

/// What is left to do when a question is over.
struct Completion {
    overlapped: OverlappedPtr,
    /// The address of the program's place for the list.
    result: usize,
    notice: Notice,
    /// What the program may cancel it by.
    handle: Option<HANDLE>,
}

/// A question that is being asked.
pub(super) struct Query {
    /// There until the question is over.
    completion: Lock<Option<Completion>>,
    /// Set then.
    over: Event,
}

/// The questions that can be cancelled, by handle.
struct Cancellable {
    last: u32,
    queries: BTreeMap<HANDLE, Weak<Query>>,
}

static CANCELLABLE: Lock<Cancellable> =
    Lock::new(Cancellable { last: 0, queries: BTreeMap::new() });

impl Cancellable {
    /// A handle that no other question has, and no object: theirs are below 2³¹.
    fn add(&mut self, query: &Arc<Query>) -> HANDLE {
        const OBJECTS_END: u32 = 1 << 31;
        loop {
            self.last = (self.last + 4) % OBJECTS_END;
            let handle = (OBJECTS_END | self.last) as HANDLE;
            if let Entry::Vacant(free) = self.queries.entry(handle) {
                free.insert(Arc::downgrade(query));
                return handle;
            }
        }
    }
}

impl Completion {
    /// Tells the program. No lock is held: the routine is the program's.
    fn run(self, outcome: Outcome<Found>) {
        if let Some(handle) = self.handle {
            CANCELLABLE.lock().queries.remove(&handle);
        }
        let result = std::ptr::with_exposed_provenance_mut::<*mut ADDRINFOEXW>(self.result);
        let error = match outcome.and_then(|found| found.give(result)) {
            Ok(()) => 0,
            Err(Error(error)) => error,
        };
        self.overlapped.finish(status_of(error), 0);
        match self.notice {
            Notice::Nothing => {}
            Notice::Event(event) => event.set(),
            Notice::Routine(routine, at) => {
                let overlapped = std::ptr::with_exposed_provenance_mut(at);
                // SAFETY: the program gave this function for this purpose, and no lock is held.
                unsafe { routine(error, 0, overlapped) };
            }
        }
    }
}

/// An error as `Internal` holds it.
fn status_of(error: u32) -> NtStatus {
    match u16::try_from(error) {
        Ok(0) => NtStatus::SUCCESS,
        Ok(error) => NtStatus::from_wsa(error),
        Err(_) => NtStatus::INVALID_PARAMETER,
    }
}

impl Query {
    /// Starts a question. Success is WSA_IO_PENDING, an error.
    ///
    /// # Errors
    /// WSA_IO_PENDING; WSAEFAULT, WSA_INVALID_HANDLE, WSA_NOT_ENOUGH_MEMORY when nothing was
    /// started.
    pub(super) fn start(
        ask: impl FnOnce() -> Outcome<Found> + Send + 'static,
        deadline: Deadline,
        result: *mut *mut ADDRINFOEXW,
        (overlapped, routine): (*mut Overlapped, Option<Routine>),
        handle_at: *mut HANDLE,
    ) -> Outcome<()> {
        let at = checked(overlapped)?;
        ptr::check_writable_opt(handle_at)?;
        let notice = match routine {
            Some(routine) => Notice::Routine(routine, overlapped.expose_provenance()),
            None => find_event(event_of(at))?.map_or(Notice::Nothing, Notice::Event),
        };
        if let Notice::Event(event) = &notice {
            event.reset();
        }
        let result_address = result.expose_provenance();
        ptr::write(overlapped.wrapping_byte_add(POINTER_AT).cast(), result_address)?;
        // SAFETY: valid and aligned (checked); that it stays so until the question is over is the
        // contract of every overlapped call, kept by the C program.
        let overlapped = unsafe { OverlappedPtr::new(at) };
        overlapped.begin();
        let query = Arc::new(Self { completion: Lock::new(None), over: Event::new(true, false) });
        let handle = (!handle_at.is_null()).then(|| CANCELLABLE.lock().add(&query));
        let completion = Completion { overlapped, result: result_address, notice, handle };
        *query.completion.lock() = Some(completion);
        ptr::write_opt(handle_at, handle.unwrap_or(0))?;
        query.hand_over(ask, deadline).inspect_err(|_| query.abandon())?;
        Err(Error::ERROR_IO_PENDING)
    }

    fn hand_over(
        self: &Arc<Self>,
        ask: impl FnOnce() -> Outcome<Found> + Send + 'static,
        deadline: Deadline,
    ) -> Outcome<()> {
        if !matches!(deadline, Deadline::Never) {
            let query = Arc::clone(self);
            workers::hand_over(move || {
                wait::wait(&[&query.over], Which::Any, deadline, false);
                query.finish(Err(WSAETIMEDOUT));
            })
            .map_err(workers::no_thread)?;
        }
        let query = Arc::clone(self);
        workers::hand_over(move || query.finish(ask())).map_err(workers::no_thread)
    }

    fn take(&self) -> Option<Completion> {
        let completion = self.completion.lock().take();
        self.over.set();
        completion
    }

    /// The question is over, if it was not before.
    fn finish(&self, outcome: Outcome<Found>) {
        if let Some(completion) = self.take() {
            completion.run(outcome);
        }
    }

    /// The question was never asked, and the program knows.
    fn abandon(&self) {
        let Some(completion) = self.take() else { return };
        if let Some(handle) = completion.handle {
            CANCELLABLE.lock().queries.remove(&handle);
        }
        completion.overlapped.finish(status_of(Error::ERROR_NOT_ENOUGH_MEMORY.0), 0);
    }
}

/// GetAddrInfoExCancel.
pub(super) fn cancel(handle: HANDLE) -> Outcome<()> {
    let query = CANCELLABLE.lock().queries.get(&handle).and_then(Weak::upgrade);
    let completion = query.and_then(|query| query.take()).ok_or(Error::ERROR_INVALID_HANDLE)?;
    let run = move || completion.run(Err(WSA_E_CANCELLED));
    // The routine may want a lock that the program holds while it cancels: it is called here only
    // if there is no thread for it.
    workers::hand_over(run).unwrap_or_else(|job| job());
    Ok(())
}

/// GetAddrInfoExOverlappedResult.
pub(super) fn result(overlapped: *mut Overlapped) -> Outcome<()> {
    if overlapped.is_null() {
        return Err(Error::WSAEINVAL);
    }
    match result_of(checked(overlapped)?).0 {
        NtStatus::PENDING => Err(Error::WSAEINPROGRESS),
        status if status.is_success() => Ok(()),
        status => Err(status.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    const WSAHOST_NOT_FOUND: u32 = 11001;

    /// What a program has for a question, at a place that stays.
    struct Place {
        overlapped: Box<Overlapped>,
        result: Box<*mut ADDRINFOEXW>,
        handle: Box<HANDLE>,
    }

    /// What a routine was called with: error, octets, address.
    static TOLD: Lock<Vec<(u32, u32, usize)>> = Lock::new(Vec::new());

    unsafe extern "system" fn routine(error: u32, octets: u32, overlapped: *mut Overlapped) {
        TOLD.lock().push((error, octets, overlapped.addr()));
    }

    impl Place {
        fn new() -> Self {
            let overlapped = Box::<Overlapped>::default();
            // Another test's may have stood there.
            let at = (&raw const *overlapped).addr();
            TOLD.lock().retain(|(_, _, address)| *address != at);
            Self { overlapped, result: Box::new(std::ptr::null_mut()), handle: Box::new(0) }
        }

        /// Asks what is answered, with "no such host", when the sender says so.
        fn ask(&mut self, deadline: Deadline) -> Sender<()> {
            let (sender, answer): (Sender<()>, Receiver<()>) = channel();
            let ask = move || {
                // A sender that is gone is an answer too.
                let _ = answer.recv();
                Err(Error(WSAHOST_NOT_FOUND))
            };
            let told = (&raw mut *self.overlapped, Some(routine as Routine));
            let (result, handle) = (&raw mut *self.result, &raw mut *self.handle);
            let started = Query::start(ask, deadline, result, told, handle);
            assert_eq!(started, Err(Error::ERROR_IO_PENDING));
            sender
        }

        fn result(&mut self) -> u32 {
            result(&raw mut *self.overlapped).map_or_else(|error| error.0, |()| 0)
        }

        /// What the routine was told, once it has been.
        fn told(&self) -> Vec<(u32, u32)> {
            let at = (&raw const *self.overlapped).addr();
            loop {
                let told = TOLD.lock().clone();
                let mine = told.into_iter().filter(|(_, _, address)| *address == at);
                let mine: Vec<_> = mine.map(|(error, octets, _)| (error, octets)).collect();
                if !mine.is_empty() {
                    return mine;
                }
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn an_answer_ends_a_question_and_its_handle() {
        let mut place = Place::new();
        let answer = place.ask(Deadline::Never);
        assert_eq!(place.result(), Error::WSAEINPROGRESS.0);
        answer.send(()).unwrap();
        assert_eq!(place.told(), [(WSAHOST_NOT_FOUND, 0)]);
        assert_eq!(place.result(), WSAHOST_NOT_FOUND);
        assert_eq!(cancel(*place.handle), Err(Error::ERROR_INVALID_HANDLE));
        assert!(place.result.is_null());
    }

    /// D `GetAddrInfoExCancel`: the question ends with WSA_E_CANCELLED; a late answer is nobody's.
    #[test]
    fn a_cancelled_question_is_over_though_the_resolver_is_not() {
        let mut place = Place::new();
        let answer = place.ask(Deadline::after_ms(600_000));
        assert_eq!(cancel(*place.handle), Ok(()));
        assert_eq!(cancel(*place.handle), Err(Error::ERROR_INVALID_HANDLE));
        assert_eq!(place.told(), [(WSA_E_CANCELLED.0, 0)]);
        assert_eq!(place.result(), WSA_E_CANCELLED.0);
        answer.send(()).unwrap();
        assert_eq!(place.told().len(), 1);
    }

    #[test]
    fn a_question_is_given_up_at_its_deadline() {
        let mut place = Place::new();
        let answer = place.ask(Deadline::after_ms(30));
        assert_eq!(place.told(), [(WSAETIMEDOUT.0, 0)]);
        assert_eq!(place.result(), WSAETIMEDOUT.0);
        assert_eq!(cancel(*place.handle), Err(Error::ERROR_INVALID_HANDLE));
        drop(answer);
    }

    /// Nothing is left of a question that is over: no handle, and no thread that waits for its
    /// deadline.
    #[test]
    fn a_question_that_is_over_is_forgotten() {
        let mut place = Place::new();
        let answer = place.ask(Deadline::after_ms(600_000));
        let query = CANCELLABLE.lock().queries.get(&*place.handle).cloned().unwrap();
        answer.send(()).unwrap();
        assert_eq!(place.told(), [(WSAHOST_NOT_FOUND, 0)]);
        assert!(!CANCELLABLE.lock().queries.contains_key(&*place.handle));
        let begun = std::time::Instant::now();
        while query.strong_count() != 0 {
            assert!(begun.elapsed() < std::time::Duration::from_secs(20), "a thread waits on");
            std::thread::yield_now();
        }
    }

    /// More questions at once than there are idle threads: none waits for another's answer.
    #[test]
    fn questions_do_not_wait_for_each_other() {
        let mut places: Vec<_> = (0..20).map(|_| Place::new()).collect();
        let answers: Vec<_> = places.iter_mut().map(|p| p.ask(Deadline::Never)).collect();
        for (place, answer) in places.iter_mut().zip(answers).rev() {
            assert_eq!(place.result(), Error::WSAEINPROGRESS.0);
            answer.send(()).unwrap();
            assert_eq!(place.told(), [(WSAHOST_NOT_FOUND, 0)]);
        }
    }

    #[test]
    fn no_question_has_the_handle_of_another_or_of_an_object() {
        let mut places: Vec<_> = (0..3).map(|_| Place::new()).collect();
        let answers: Vec<_> = places.iter_mut().map(|p| p.ask(Deadline::Never)).collect();
        let mut handles: Vec<_> = places.iter().map(|place| *place.handle).collect();
        assert!(handles.iter().all(|handle| *handle >= 1 << 31));
        handles.sort_unstable();
        handles.dedup();
        assert_eq!(handles.len(), 3);
        drop(answers);
        for place in &places {
            assert_eq!(place.told(), [(WSAHOST_NOT_FOUND, 0)]);
        }
    }
}

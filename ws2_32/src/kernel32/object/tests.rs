use super::*;
use crate::last_error;

const INVALID: Error = Error::ERROR_INVALID_HANDLE;
const SOON_MS: u32 = 10;

fn new(manual: BOOL, signaled: BOOL) -> HANDLE {
    // SAFETY: null pointers.
    let handle = unsafe { CreateEventA(std::ptr::null(), manual, signaled, std::ptr::null()) };
    assert_ne!(handle, 0);
    handle
}

fn new_semaphore(initial: i32, maximum: i32) -> HANDLE {
    // SAFETY: null pointers.
    unsafe { CreateSemaphoreA(std::ptr::null(), initial, maximum, std::ptr::null()) }
}

fn wait_one(handle: HANDLE) -> u32 {
    // SAFETY: no pointers.
    unsafe { WaitForSingleObject(handle, 0) }
}

fn wait_many(handles: &[HANDLE], all: BOOL) -> u32 {
    let count = u32::try_from(handles.len()).unwrap();
    // SAFETY: the array is a local of that length.
    unsafe { WaitForMultipleObjects(count, handles.as_ptr(), all, SOON_MS) }
}

fn close_all(handles: &[HANDLE]) {
    for handle in handles {
        // SAFETY: no pointers.
        assert_eq!(unsafe { CloseHandle(*handle) }, TRUE);
    }
}

fn failed(result: u32, error: Error) {
    assert_eq!((result, last_error::get()), (WAIT_FAILED, error.0));
}

#[test]
fn events_keep_or_lose_their_signal_as_they_were_created() {
    let timeout = Error::WAIT_TIMEOUT.0;
    for (manual, second) in [(TRUE, 0), (FALSE, timeout)] {
        let event = new(manual, FALSE);
        assert_eq!(wait_one(event), timeout);
        // SAFETY: no pointers.
        assert_eq!(unsafe { SetEvent(event | 3) }, TRUE);
        assert_eq!(wait_one(event), 0);
        assert_eq!(wait_one(event), second);
        // SAFETY: no pointers.
        assert_eq!(unsafe { ResetEvent(event) }, TRUE);
        assert_eq!(wait_one(event), timeout);
        close_all(&[event]);
        failed(wait_one(event), INVALID);
        // SAFETY: no pointers.
        assert_eq!(unsafe { SetEvent(event) }, FALSE);
    }
}

#[test]
fn semaphores_count() {
    let semaphore = new_semaphore(1, 2);
    assert_eq!([wait_one(semaphore), wait_one(semaphore)], [0, 258]);
    let mut before = -1;
    for (count, result, error) in
        [(0, FALSE, 87), (3, FALSE, 298), (2, TRUE, 298), (1, FALSE, 298), (-1, FALSE, 87)]
    {
        // SAFETY: the pointer is to a local.
        let got = unsafe { ReleaseSemaphore(semaphore, count, &raw mut before) };
        assert_eq!((got, last_error::get()), (result, error), "{count}");
    }
    assert_eq!(before, 0);
    let wild = std::ptr::without_provenance_mut(16);
    assert_eq!(wait_one(semaphore), 0);
    // SAFETY: a bad pointer is answered.
    assert_eq!(unsafe { ReleaseSemaphore(semaphore, 1, wild) }, FALSE);
    assert_eq!(last_error::get(), Error::ERROR_NOACCESS.0);
    assert_eq!([wait_one(semaphore), wait_one(semaphore)], [0, 258]);
    close_all(&[semaphore]);
    for (initial, maximum) in [(-1, 1), (0, 0), (2, 1)] {
        assert_eq!(new_semaphore(initial, maximum), 0);
        assert_eq!(last_error::get(), Error::ERROR_INVALID_PARAMETER.0);
    }
}

#[test]
fn a_mutex_belongs_to_a_thread() {
    // SAFETY: null pointers.
    let mutex = unsafe { CreateMutexA(std::ptr::null(), TRUE, std::ptr::null()) };
    assert_eq!(wait_one(mutex), 0);
    let other = || std::thread::scope(|scope| scope.spawn(|| wait_one(mutex)).join().unwrap());
    // SAFETY: no pointers.
    let release = || (unsafe { ReleaseMutex(mutex) }, last_error::get());
    for result in [258, 258, 0] {
        assert_eq!(other(), result);
        release();
    }
    assert_eq!(release(), (FALSE, Error::ERROR_NOT_OWNER.0));
    close_all(&[mutex]);
}

#[test]
fn waits_for_many_take_one_or_all_and_refuse_what_makes_no_sense() {
    let (one, two) = (new(FALSE, TRUE), new(FALSE, FALSE));
    assert_eq!(wait_many(&[two, one], TRUE), 258);
    // The signal that could not be taken together with the other is still there.
    assert_eq!(wait_many(&[two, one], FALSE), 1);
    for event in [one, two] {
        // SAFETY: no pointers.
        assert_eq!(unsafe { SetEvent(event) }, TRUE);
    }
    assert_eq!(wait_many(&[two, one], TRUE), 0);
    assert_eq!(wait_many(&[two, one, one], FALSE), 258);
    failed(wait_many(&[one, two, one], TRUE), Error::ERROR_INVALID_PARAMETER);
    failed(wait_many(&[], FALSE), Error::ERROR_INVALID_PARAMETER);
    failed(wait_many(&[one; 65], FALSE), Error::ERROR_INVALID_PARAMETER);
    assert_eq!(wait_many(&[one; 64], FALSE), 258);
    failed(wait_many(&[one, 0], FALSE), INVALID);
    // SAFETY: a bad pointer is answered.
    failed(unsafe { WaitForMultipleObjects(1, std::ptr::null(), 0, 0) }, Error::ERROR_NOACCESS);
    close_all(&[one, two]);
}

#[test]
fn a_wait_ends_when_another_thread_sets_the_event() {
    let event = new(FALSE, FALSE);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            // SAFETY: no pointers.
            assert_eq!(unsafe { SetEvent(event) }, TRUE);
        });
        // SAFETY: no pointers.
        assert_eq!(unsafe { WaitForSingleObject(event, 10_000) }, 0);
    });
    close_all(&[event]);
}

#[test]
fn winsock_events_are_manual_reset_and_their_functions_take_nothing_else() {
    linsock::startup::startup();
    let semaphore = new_semaphore(1, 1);
    // SAFETY: no pointers.
    let event = unsafe { WSACreateEvent() };
    let wait = |handles: &[HANDLE]| {
        let count = u32::try_from(handles.len()).unwrap();
        // SAFETY: the array is a local of that length.
        unsafe { WSAWaitForMultipleEvents(count, handles.as_ptr(), FALSE, 0, FALSE) }
    };
    assert_eq!(wait(&[event]), 258);
    // SAFETY: no pointers.
    assert_eq!(unsafe { WSASetEvent(event) }, TRUE);
    assert_eq!([wait(&[event]), wait(&[event])], [0, 0]);
    // SAFETY: no pointers.
    assert_eq!(unsafe { WSAResetEvent(event) }, TRUE);
    assert_eq!(wait(&[event]), 258);
    failed(wait(&[]), Error::ERROR_INVALID_PARAMETER);
    failed(wait(&[8]), INVALID);
    // SAFETY: a bad pointer is answered.
    let fault = unsafe { WSAWaitForMultipleEvents(1, std::ptr::null(), 0, 0, 0) };
    failed(fault, Error::WSAEFAULT);
    type Call = unsafe extern "system" fn(HANDLE) -> BOOL;
    for call in [WSACloseEvent as Call, WSASetEvent, WSAResetEvent] {
        for handle in [semaphore, 0, usize::MAX] {
            // SAFETY: no pointers.
            assert_eq!(unsafe { call(handle) }, FALSE);
            assert_eq!(last_error::get(), INVALID.0);
        }
    }
    // SAFETY: no pointers.
    assert_eq!(unsafe { WSACloseEvent(event) }, TRUE);
    failed(wait(&[event]), INVALID);
    close_all(&[semaphore]);
}

fn copy(source: HANDLE, target: *mut HANDLE, options: u32) -> (BOOL, u32) {
    last_error::set(0);
    let (from, to) = (CURRENT_PROCESS, CURRENT_PROCESS);
    // SAFETY: `target` is a local or a bad pointer, which is answered.
    let result = unsafe { DuplicateHandle(from, source, to, target, 0, FALSE, options) };
    (result, last_error::get())
}

#[test]
fn a_second_handle_is_the_same_object_and_outlives_the_first() {
    let (event, mut second) = (new(TRUE, FALSE), 0);
    assert_eq!(copy(event, &raw mut second, 2), (TRUE, 0));
    assert_ne!(event, second);
    failed(wait_many(&[event, second], TRUE), Error::ERROR_INVALID_PARAMETER);
    close_all(&[event]);
    // SAFETY: no pointers.
    assert_eq!(unsafe { SetEvent(second) }, TRUE);
    let mut third = 0;
    assert_eq!(copy(second, &raw mut third, DUPLICATE_CLOSE_SOURCE), (TRUE, 0));
    failed(wait_one(second), INVALID);
    assert_eq!(wait_one(third), 0);
    let wild = std::ptr::without_provenance_mut(16);
    assert_eq!(copy(third, wild, 0), (FALSE, Error::ERROR_NOACCESS.0));
    let mut process = 0;
    assert_eq!(copy(CURRENT_PROCESS, &raw mut process, 0).0, TRUE);
    assert_eq!(wait_one(process), Error::WAIT_TIMEOUT.0);
    close_all(&[process]);
    assert_eq!(copy(8, &raw mut second, 0), (FALSE, INVALID.0));
    assert_eq!(copy(third, std::ptr::null_mut(), DUPLICATE_CLOSE_SOURCE), (TRUE, 0));
    failed(wait_one(third), INVALID);
}

#[test]
fn ports_are_refused_and_pseudo_handles_close() {
    let port = linsock::iocp::port::CompletionPort::new(0).unwrap();
    let port = enter(Object::Port(port)).unwrap();
    failed(wait_one(port), INVALID);
    let mut second = 0;
    assert_eq!(copy(port, &raw mut second, 0).1, Error::ERROR_NOT_SUPPORTED.0);
    close_all(&[port, CURRENT_PROCESS, CURRENT_THREAD, CURRENT_THREAD]);
    for handle in [0, port, 3] {
        // SAFETY: no pointers.
        assert_eq!(unsafe { CloseHandle(handle) }, FALSE);
        assert_eq!(last_error::get(), INVALID.0);
    }
}

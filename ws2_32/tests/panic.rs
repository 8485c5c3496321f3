//! A panic inside an exported function is the caller's error, WSASYSCALLFAILURE, and nothing more.

use std::ptr::{null, null_mut};

use linsock_c::abi::{BOOL, HANDLE, INVALID_SOCKET, SOCKET, SOCKET_ERROR, WSADATA};
use linsock_c::export::linsock_panic_in_next_call;
use linsock_c::kernel32::io::{CreateIoCompletionPort, PostQueuedCompletionStatus};
use linsock_c::kernel32::object::{CloseHandle, CreateEventA, WaitForSingleObject};
use linsock_c::winsock2::connection::{closesocket, listen, socket};
use linsock_c::winsock2::startup::{WSACleanup, WSAGetLastError, WSASetLastError, WSAStartup};

const AF_INET: i32 = 2;
const SOCK_STREAM: i32 = 1;
const INVALID_HANDLE_VALUE: HANDLE = usize::MAX;
const WSASYSCALLFAILURE: i32 = 10107;

/// Makes the panic happen in `call`, which has to return `failure`.
fn panics<R: PartialEq + std::fmt::Debug>(name: &str, failure: R, call: impl FnOnce() -> R) {
    // SAFETY: sets the thread's last error.
    unsafe { WSASetLastError(0) };
    // SAFETY: arms the panic of the next call.
    unsafe { linsock_panic_in_next_call() };
    assert_eq!(call(), failure, "{name}");
    // SAFETY: reads the thread's last error.
    let error = unsafe { WSAGetLastError() };
    assert_eq!(error, WSASYSCALLFAILURE, "{name}");
}

fn open() -> SOCKET {
    // SAFETY: takes no pointer.
    unsafe { socket(AF_INET, SOCK_STREAM, 0) }
}

fn close(s: SOCKET) -> i32 {
    // SAFETY: takes no pointer.
    unsafe { closesocket(s) }
}

fn port() -> HANDLE {
    // SAFETY: takes no pointer.
    unsafe { CreateIoCompletionPort(INVALID_HANDLE_VALUE, 0, 0, 0) }
}

fn event() -> HANDLE {
    // SAFETY: an event without attributes and without a name.
    unsafe { CreateEventA(null(), 0, 1, null()) }
}

fn post(port: HANDLE) -> BOOL {
    // SAFETY: the address is only passed on.
    unsafe { PostQueuedCompletionStatus(port, 0, 0, 0) }
}

fn wait(event: HANDLE) -> u32 {
    // SAFETY: takes no pointer.
    unsafe { WaitForSingleObject(event, 0) }
}

fn close_handle(handle: HANDLE) -> BOOL {
    // SAFETY: takes no pointer.
    unsafe { CloseHandle(handle) }
}

fn startup() -> i32 {
    let mut data = WSADATA {
        wVersion: 0,
        wHighVersion: 0,
        iMaxSockets: 0,
        iMaxUdpDg: 0,
        lpVendorInfo: null_mut(),
        szDescription: [0; 257],
        szSystemStatus: [0; 129],
    };
    // SAFETY: the structure is writable for the length of the call.
    unsafe { WSAStartup(0x0202, &raw mut data) }
}

/// Everything once, without a panic: nothing is locked, lost or closed.
fn works(s: SOCKET, port: HANDLE, event: HANDLE) {
    let another = open();
    assert_ne!(another, INVALID_SOCKET);
    assert_eq!(close(another), 0);
    assert_eq!(post(port), 1);
    assert_eq!(wait(event), 0, "the event is signaled");
    let again = [self::port(), self::event()];
    for handle in again {
        assert_ne!(handle, 0);
        assert_eq!(close_handle(handle), 1);
    }
    assert_ne!(s, INVALID_SOCKET);
}

/// An event that stays signaled.
fn signaled_event() -> HANDLE {
    // SAFETY: an event without attributes and without a name.
    unsafe { CreateEventA(null(), 1, 1, null()) }
}

/// The panic is armed for the whole process, so all of it is one test.
#[test]
fn a_panic_is_a_failed_call_and_the_library_goes_on() {
    // The message of a panic that is wanted would look like a failure.
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.to_string();
        if !text.contains("forced by linsock_panic_in_next_call") {
            eprintln!("{text}");
        }
    }));
    assert_eq!(startup(), 0);
    let (s, port, event) = (open(), port(), signaled_event());
    works(s, port, event);

    // One of each kind of failure value: SOCKET, int, the error itself, BOOL, HANDLE, DWORD.
    panics("socket", INVALID_SOCKET, open);
    panics("closesocket", SOCKET_ERROR, || close(s));
    // SAFETY: takes no pointer.
    panics("listen", SOCKET_ERROR, || unsafe { listen(s, 1) });
    panics("WSAStartup", WSASYSCALLFAILURE, startup);
    panics("PostQueuedCompletionStatus", 0, || post(port));
    panics("CloseHandle", 0, || close_handle(event));
    panics("CreateIoCompletionPort", 0, self::port);
    panics("CreateEventA", 0, self::event);
    panics("WaitForSingleObject", u32::MAX, || wait(event));
    works(s, port, event);

    // What a panic kept from being closed is still there to be closed.
    assert_eq!(close(s), 0);
    assert_eq!([close_handle(event), close_handle(port)], [1, 1]);
    // SAFETY: takes no pointer.
    assert_eq!(unsafe { WSACleanup() }, 0);
}

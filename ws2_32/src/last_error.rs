//! The calling thread's last error: one number for GetLastError and WSAGetLastError, as on Windows.

use std::cell::Cell;

use linsock::NtStatus;

thread_local! {
    static LAST: Cell<u32> = const { Cell::new(0) };
    /// A call has failed since somebody asked.
    static FAILED: Cell<bool> = const { Cell::new(false) };
}

/// The last error.
#[inline]
pub fn get() -> u32 {
    LAST.get()
}

/// Sets the last error.
#[inline]
pub fn set(error: u32) {
    LAST.set(error);
}

/// Sets the last error by which a call fails.
#[inline]
pub(crate) fn fail(error: Error) {
    set(error.0);
    FAILED.set(true);
}

/// Whether a call of this thread has failed since this was asked last.
pub(crate) fn take_failure() -> bool {
    FAILED.take()
}

/// A failure on its way to the last error: a WSA or Win32 code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error(pub u32);

impl From<NtStatus> for Error {
    /// The WSA code of the status.
    fn from(status: NtStatus) -> Self {
        Self(status.wsa())
    }
}

macro_rules! errors {
    ($($name:ident = $code:literal;)*) => {
        impl Error {
            $(#[doc = stringify!($name)] pub const $name: Self = Self($code);)*

            /// The name, of the errors that are named here.
            pub fn name(self) -> Option<&'static str> {
                const NAMES: &[(u32, &str)] = &[$(($code, stringify!($name))),*];
                NAMES.iter().find(|(code, _)| *code == self.0).map(|(_, name)| *name)
            }
        }
    };
}

errors! {
    ERROR_FILE_NOT_FOUND = 2;
    ERROR_PATH_NOT_FOUND = 3;
    ERROR_TOO_MANY_OPEN_FILES = 4;
    ERROR_ACCESS_DENIED = 5;
    ERROR_INVALID_HANDLE = 6;
    ERROR_NOT_ENOUGH_MEMORY = 8;
    ERROR_GEN_FAILURE = 31;
    ERROR_HANDLE_EOF = 38;
    ERROR_FILE_EXISTS = 80;
    ERROR_INVALID_PARAMETER = 87;
    ERROR_BUFFER_OVERFLOW = 111;
    ERROR_INSUFFICIENT_BUFFER = 122;
    ERROR_MOD_NOT_FOUND = 126;
    ERROR_PROC_NOT_FOUND = 127;
    ERROR_NEGATIVE_SEEK = 131;
    ERROR_NOT_LOCKED = 158;
    ERROR_BAD_EXE_FORMAT = 193;
    ERROR_INVALID_DATA = 13;
    ERROR_SERVICE_ALREADY_RUNNING = 1056;
    ERROR_FAILED_SERVICE_CONTROLLER_CONNECT = 1063;
    ERROR_SERVICE_NOT_IN_EXE = 1083;
    ERROR_DLL_INIT_FAILED = 1114;
    ERROR_ALREADY_EXISTS = 183;
    ERROR_ENVVAR_NOT_FOUND = 203;
    ERROR_NO_DATA = 232;
    ERROR_INVALID_NAME = 123;
    ERROR_FILENAME_EXCED_RANGE = 206;
    ERROR_NO_MORE_ITEMS = 259;
    ERROR_DIRECTORY = 267;
    ERROR_TOO_MANY_POSTS = 298;
    ERROR_NOT_OWNER = 288;
    ERROR_INVALID_ADDRESS = 487;
    ERROR_ABANDONED_WAIT_0 = 735;
    ERROR_IO_INCOMPLETE = 996;
    ERROR_IO_PENDING = 997;
    ERROR_NOACCESS = 998;
    ERROR_INVALID_FLAGS = 1004;
    ERROR_FILE_INVALID = 1006;
    ERROR_MAPPED_ALIGNMENT = 1132;
    ERROR_NO_UNICODE_TRANSLATION = 1113;
    ERROR_NOT_FOUND = 1168;
    ERROR_NETWORK_UNREACHABLE = 1231;
    ERROR_CANT_RESOLVE_FILENAME = 1921;
    ERROR_TIMEOUT = 1460;
    ERROR_NO_MORE_FILES = 18;
    ERROR_DIR_NOT_EMPTY = 145;
    ERROR_NOT_SUPPORTED = 50;
    ERROR_NOT_SAME_DEVICE = 17;
    ERROR_SHARING_VIOLATION = 32;
    ERROR_LOCK_VIOLATION = 33;
    WAIT_TIMEOUT = 258;
    WAIT_IO_COMPLETION = 192;
    WSAEINTR = 10004;
    WSAEACCES = 10013;
    WSAEFAULT = 10014;
    WSAEINVAL = 10022;
    WSAEWOULDBLOCK = 10035;
    WSAEINPROGRESS = 10036;
    WSAENOTSOCK = 10038;
    WSAEPROTOTYPE = 10041;
    WSAENOPROTOOPT = 10042;
    WSAEPROTONOSUPPORT = 10043;
    WSAESOCKTNOSUPPORT = 10044;
    WSAEOPNOTSUPP = 10045;
    WSAEAFNOSUPPORT = 10047;
    WSAENOBUFS = 10055;
    WSAEADDRNOTAVAIL = 10049;
    WSAECONNREFUSED = 10061;
    WSAVERNOTSUPPORTED = 10092;
    WSANOTINITIALISED = 10093;
    WSAEADDRINUSE = 10048;
    WSAENETUNREACH = 10051;
    WSAECONNABORTED = 10053;
    WSAECONNRESET = 10054;
    WSAEISCONN = 10056;
    WSAENOTCONN = 10057;
    WSAESHUTDOWN = 10058;
    WSAETIMEDOUT = 10060;
    WSAEHOSTUNREACH = 10065;
    WSAEDISCON = 10101;
    WSAEALREADY = 10037;
    WSAEMSGSIZE = 10040;
    WSAEMFILE = 10024;
    ERROR_OPERATION_ABORTED = 995;
    ERROR_NETNAME_DELETED = 64;
    ERROR_CONNECTION_ABORTED = 1236;
    WSASYSCALLFAILURE = 10107;
}

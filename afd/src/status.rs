//! NTSTATUS, and the two error maps: Win32 for `GetOverlappedResult` and
//! `GetQueuedCompletionStatus`, WSA for `WSAGetOverlappedResult` and completion routines.
//!
//! The WSA column was verified exhaustively on Windows (`test_WSAGetOverlappedResult`, map_status);
//! the Win32 column holds for the rows that Windows tests use and is otherwise the documented
//! meaning of each status.

use core::fmt;

/// The result of an operation, as the kernel of Windows would report it in `OVERLAPPED.Internal`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NtStatus(u32);

/// Customer bit and error severity: a WSA error that has no NTSTATUS of its own travels as
/// `WSA_BASE | code`. Such a status never reaches `OVERLAPPED.Internal`; it answers a refused call.
const WSA_BASE: u32 = 0xE000_0000;

/// One row of the map: status, its name, Win32 error, WSA error.
struct Row(NtStatus, &'static str, u32, u32);

macro_rules! statuses {
    ($(
        $(#[$doc:meta])*
        $name:ident = $value:literal, win32 $win32:literal, wsa $wsa:literal;
    )*) => {
        impl NtStatus {
            $($(#[$doc])* pub const $name: Self = Self($value);)*
        }
        const ROWS: &[Row] = &[$(Row(NtStatus::$name, stringify!($name), $win32, $wsa),)*];
    };
}

statuses! {
    /// Done.
    SUCCESS = 0x0000_0000, win32 0, wsa 0;
    /// What was waited for was given up.
    ABANDONED = 0x0000_0080, win32 735, wsa 0;
    /// A wait ended because an APC ran.
    USER_APC = 0x0000_00C0, win32 192, wsa 0;
    /// Time ran out for a wait, which is no failure.
    TIMEOUT = 0x0000_0102, win32 258, wsa 0;
    /// Not done yet.
    PENDING = 0x0000_0103, win32 997, wsa 996;
    /// A structure is not where structures of its kind can be.
    DATATYPE_MISALIGNMENT = 0x8000_0002, win32 998, wsa 10014;
    /// More data than the buffer holds; the rest is lost.
    BUFFER_OVERFLOW = 0x8000_0005, win32 234, wsa 10040;
    /// The call is not implemented.
    NOT_IMPLEMENTED = 0xC000_0002, win32 1, wsa 10045;
    /// The pointer is not in valid memory.
    ACCESS_VIOLATION = 0xC000_0005, win32 998, wsa 10014;
    /// No such handle.
    INVALID_HANDLE = 0xC000_0008, win32 6, wsa 10038;
    /// An argument is out of range, or the state does not allow the call.
    INVALID_PARAMETER = 0xC000_000D, win32 87, wsa 10022;
    /// The device knows no such request.
    INVALID_DEVICE_REQUEST = 0xC000_0010, win32 1, wsa 10022;
    /// The file has nothing there any more.
    END_OF_FILE = 0xC000_0011, win32 38, wsa 10022;
    /// Not allowed.
    ACCESS_DENIED = 0xC000_0022, win32 5, wsa 10013;
    /// The buffer is too small; nothing was done.
    BUFFER_TOO_SMALL = 0xC000_0023, win32 122, wsa 10014;
    /// The handle is of another kind.
    OBJECT_TYPE_MISMATCH = 0xC000_0024, win32 6, wsa 10038;
    /// Nothing has that name.
    OBJECT_NAME_NOT_FOUND = 0xC000_0034, win32 2, wsa 10022;
    /// That cannot be a name.
    OBJECT_PATH_SYNTAX_BAD = 0xC000_003B, win32 161, wsa 10022;
    /// The address is in use.
    SHARING_VIOLATION = 0xC000_0043, win32 32, wsa 10048;
    /// Another lock of the file keeps this one away.
    LOCK_NOT_GRANTED = 0xC000_0055, win32 33, wsa 10022;
    /// No lock of the file has this range.
    RANGE_NOT_LOCKED = 0xC000_007E, win32 158, wsa 10022;
    /// No room is left on the disk.
    DISK_FULL = 0xC000_007F, win32 112, wsa 10022;
    /// The operation would have to wait (non-blocking socket).
    DEVICE_NOT_READY = 0xC000_00A3, win32 21, wsa 10035;
    /// There are as many instances of the pipe as there may be.
    INSTANCE_NOT_AVAILABLE = 0xC000_00AB, win32 231, wsa 10022;
    /// Nobody has the pipe's other end any more.
    PIPE_BROKEN = 0xC000_014B, win32 109, wsa 10022;
    /// Every instance of the pipe has a client.
    PIPE_NOT_AVAILABLE = 0xC000_00AC, win32 231, wsa 10022;
    /// The pipe is in no state for that.
    INVALID_PIPE_STATE = 0xC000_00AD, win32 230, wsa 10022;
    /// Something waits in the pipe that would come in between.
    PIPE_BUSY = 0xC000_00AE, win32 231, wsa 10022;
    /// The pipe's other end has that function.
    ILLEGAL_FUNCTION = 0xC000_00AF, win32 1, wsa 10022;
    /// The pipe's other end is closed: nobody will read.
    PIPE_CLOSING = 0xC000_00B1, win32 232, wsa 10022;
    /// The pipe has a client already.
    PIPE_CONNECTED = 0xC000_00B2, win32 535, wsa 10022;
    /// The pipe has no client yet.
    PIPE_LISTENING = 0xC000_00B3, win32 536, wsa 10022;
    /// The pipe is not read by messages.
    INVALID_READ_MODE = 0xC000_00B4, win32 230, wsa 10022;
    /// Nothing is in the pipe.
    PIPE_EMPTY = 0xC000_00D9, win32 232, wsa 10022;
    /// This direction of the connection was shut down by this side; of a pipe: it has no client.
    PIPE_DISCONNECTED = 0xC000_00B0, win32 233, wsa 10058;
    /// Time ran out.
    IO_TIMEOUT = 0xC000_00B5, win32 121, wsa 10060;
    /// Not supported by this kind of socket.
    NOT_SUPPORTED = 0xC000_00BB, win32 50, wsa 10045;
    /// Nobody listens there.
    REMOTE_NOT_LISTENING = 0xC000_00BC, win32 51, wsa 10061;
    /// An error of the implementation's own.
    INTERNAL_ERROR = 0xC000_00E5, win32 1359, wsa 10022;
    /// Nothing was there to be found.
    NOT_FOUND = 0xC000_0225, win32 1168, wsa 10022;
    /// No memory, buffers or descriptors left.
    INSUFFICIENT_RESOURCES = 0xC000_009A, win32 1450, wsa 10055;
    /// Cancelled by the caller, by a closed handle or by the end of the issuing thread.
    CANCELLED = 0xC000_0120, win32 995, wsa 995;
    /// Too many handles.
    TOO_MANY_OPENED_FILES = 0xC000_011F, win32 4, wsa 10024;
    /// The device failed.
    IO_DEVICE_ERROR = 0xC000_0185, win32 1117, wsa 10022;
    /// This side disconnected.
    LOCAL_DISCONNECT = 0xC000_013B, win32 64, wsa 10053;
    /// The other side disconnected.
    REMOTE_DISCONNECT = 0xC000_013C, win32 64, wsa 10054;
    /// Not connected.
    INVALID_CONNECTION = 0xC000_0140, win32 59, wsa 10057;
    /// The address cannot be used here.
    INVALID_ADDRESS = 0xC000_0141, win32 59, wsa 10049;
    /// Part of the address cannot be used here.
    INVALID_ADDRESS_COMPONENT = 0xC000_0207, win32 1214, wsa 10049;
    /// The address is in use.
    ADDRESS_ALREADY_EXISTS = 0xC000_020A, win32 52, wsa 10048;
    /// The connection is gone.
    CONNECTION_DISCONNECTED = 0xC000_020C, win32 64, wsa 10054;
    /// The peer reset the connection.
    CONNECTION_RESET = 0xC000_020D, win32 64, wsa 10054;
    /// The transaction was aborted.
    TRANSACTION_ABORTED = 0xC000_020F, win32 59, wsa 10053;
    /// The peer refused the connection.
    CONNECTION_REFUSED = 0xC000_0236, win32 1225, wsa 10061;
    /// The peer ended the connection in an orderly way.
    GRACEFUL_DISCONNECT = 0xC000_0237, win32 1226, wsa 10101;
    /// The address is already associated.
    ADDRESS_ALREADY_ASSOCIATED = 0xC000_0238, win32 1227, wsa 10022;
    /// Connected already.
    CONNECTION_ACTIVE = 0xC000_023B, win32 1230, wsa 10056;
    /// No route to the network.
    NETWORK_UNREACHABLE = 0xC000_023C, win32 1231, wsa 10051;
    /// No route to the host.
    HOST_UNREACHABLE = 0xC000_023D, win32 1232, wsa 10065;
    /// Nobody listens on that port.
    PORT_UNREACHABLE = 0xC000_023F, win32 1234, wsa 10054;
    /// The request was aborted.
    REQUEST_ABORTED = 0xC000_0240, win32 1235, wsa 10004;
    /// The connection was aborted.
    CONNECTION_ABORTED = 0xC000_0241, win32 1236, wsa 10053;
    /// The file would become larger than its system allows.
    FILE_TOO_LARGE = 0xC000_0904, win32 223, wsa 10022;
}

impl NtStatus {
    /// A second `connect` while the first is in progress (no NTSTATUS of its own).
    pub const CONNECT_IN_PROGRESS: Self = Self::from_wsa(10037);
    /// The option is unknown or not supported at this level (no NTSTATUS of its own).
    pub const OPTION_NOT_SUPPORTED: Self = Self::from_wsa(10042);

    /// The status with this value, as a caller may have stored it in `OVERLAPPED.Internal`.
    pub const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }

    /// A status that stands for a WSA error which has no NTSTATUS of its own.
    pub const fn from_wsa(code: u16) -> Self {
        Self(WSA_BASE | code as u32)
    }

    /// The 32-bit value.
    pub const fn raw(self) -> u32 {
        self.0
    }

    /// True for success and informational statuses (`NT_SUCCESS`).
    pub const fn is_success(self) -> bool {
        self.0 < 0x8000_0000
    }

    /// The error that `GetOverlappedResult` and `GetQueuedCompletionStatus` report.
    pub fn win32(self) -> u32 {
        if let Some(wsa) = self.carried_wsa() {
            return wsa;
        }
        // FACILITY_NTWIN32 carries a Win32 error in the low half: 0x8007xxxx and 0xC007xxxx.
        if matches!(self.0 >> 16, 0x8007 | 0xC007) {
            return self.0 & 0xFFFF;
        }
        match self.row() {
            Some(row) => row.2,
            // ERROR_MR_MID_NOT_FOUND: what RtlNtStatusToDosError gives for what it does not know.
            None => 317,
        }
    }

    /// The error that `WSAGetOverlappedResult` and completion routines report.
    ///
    /// Any failure that is not in the map is WSAEINVAL; any success that is not in the map keeps
    /// its Win32 value (`test_WSAGetOverlappedResult`).
    pub fn wsa(self) -> u32 {
        if let Some(wsa) = self.carried_wsa() {
            return wsa;
        }
        match self.row() {
            Some(row) => row.3,
            None if self.is_success() => self.win32(),
            None => 10022,
        }
    }

    const fn carried_wsa(self) -> Option<u32> {
        if self.0 & 0xFFFF_0000 == WSA_BASE { Some(self.0 & 0xFFFF) } else { None }
    }

    fn row(self) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.0 == self)
    }
}

impl fmt::Debug for NtStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.row(), self.carried_wsa()) {
            (Some(row), _) => write!(f, "STATUS_{}", row.1),
            (None, Some(wsa)) => write!(f, "WSA error {wsa}"),
            (None, None) => write!(f, "NTSTATUS {:#010x}", self.0),
        }
    }
}

impl fmt::Display for NtStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: winsock-semantics 6.4, the rows whose both columns are Windows facts.
    #[test]
    fn the_two_maps_hold_the_tested_rows() {
        for (raw, win32, wsa) in [
            (0x0000_0000, 0, 0),
            (0x0000_0103, 997, 996),
            (0xC000_0120, 995, 995),
            (0xC000_020D, 64, 10054),
            (0xC000_020C, 64, 10054),
            (0xC000_013C, 64, 10054),
            (0xC000_013B, 64, 10053),
            (0xC000_0241, 1236, 10053),
            (0xC000_0236, 1225, 10061),
            (0xC000_0237, 1226, 10101),
            (0xC000_023B, 1230, 10056),
            (0xC000_0140, 59, 10057),
            (0xC000_00B0, 233, 10058),
            (0xC000_00A3, 21, 10035),
            (0xC000_00B5, 121, 10060),
            (0xC000_000D, 87, 10022),
            (0xC000_0008, 6, 10038),
            (0xC000_0023, 122, 10014),
            (0x8000_0005, 234, 10040),
            (0xC000_0005, 998, 10014),
            (0xC000_009A, 1450, 10055),
            (0xC000_0240, 1235, 10004),
            // MS-ERREF; "any failure that is not in the map is WSAEINVAL".
            (0xC000_0011, 38, 10022),
            (0xC000_007F, 112, 10022),
            (0xC000_014B, 109, 10022),
            (0xC000_0185, 1117, 10022),
            (0xC000_0904, 223, 10022),
        ] {
            let status = NtStatus::from_raw(raw);
            assert_eq!((status.win32(), status.wsa()), (win32, wsa), "{status:?}");
        }
    }

    /// MS-ERREF: the top two bits are the severity, success and information below 0x80000000; the
    /// facility NTWIN32 carries a Win32 code.
    #[test]
    fn severity_and_facility_are_read_as_ms_erref_has_them() {
        for (raw, success) in [
            (0, true),
            (0x0000_0103, true),
            (0x7FFF_FFFF, true),
            (0x8000_0000, false),
            (0x8000_0005, false),
            (0xC000_000D, false),
        ] {
            let status = NtStatus::from_raw(raw);
            assert_eq!((status.raw(), status.is_success()), (raw, success), "{status:?}");
        }
        assert_eq!(NtStatus::from_raw(0x8007_0005).win32(), 5);
        assert_eq!(NtStatus::from_raw(0xC007_274C).win32(), 10060);
        // ERROR_MR_MID_NOT_FOUND; a success keeps its Win32 value.
        assert_eq!(NtStatus::from_raw(0x0000_1234).wsa(), 317);
        assert_eq!(NtStatus::from_wsa(10037).raw() & 0xFFFF, 10037);
    }

    #[test]
    fn a_status_is_shown_by_its_name_or_number() {
        for (status, shown) in [
            (NtStatus::from_raw(0xC000_013C), "STATUS_REMOTE_DISCONNECT"),
            (NtStatus::from_wsa(10037), "WSA error 10037"),
            (NtStatus::from_raw(0xC000_1234), "NTSTATUS 0xc0001234"),
        ] {
            assert_eq!(alloc::format!("{status}"), shown);
            assert_eq!(alloc::format!("{status:?}"), shown);
        }
    }

    #[test]
    fn unknown_failures_are_wsaeinval_and_carried_errors_come_back() {
        assert_eq!(NtStatus::from_raw(0xC000_1234).wsa(), 10022);
        assert_eq!(NtStatus::from_wsa(10037).wsa(), 10037);
        assert_eq!(NtStatus::from_wsa(10037).win32(), 10037);
        assert!(!NtStatus::from_wsa(10037).is_success());
    }
}

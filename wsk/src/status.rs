//! Statuses as clients of WSK see them.

use linsock::NtStatus;

/// An NTSTATUS of C.
pub type Status = i32;

macro_rules! statuses {
    ($($name:ident = $value:literal;)*) => {
        $(
            #[doc = concat!("STATUS_", stringify!($name), ".")]
            pub const $name: Status = i32::from_ne_bytes(u32::to_ne_bytes($value));
        )*
    };
}

statuses! {
    SUCCESS = 0;
    WAIT_1 = 1;
    TIMEOUT = 0x102;
    PENDING = 0x103;
    EVENT_PENDING = 0x4000_0013;
    BUFFER_OVERFLOW = 0x8000_0005;
    NOT_IMPLEMENTED = 0xC000_0002;
    INVALID_HANDLE = 0xC000_0008;
    INVALID_PARAMETER = 0xC000_000D;
    MORE_PROCESSING_REQUIRED = 0xC000_0016;
    BUFFER_TOO_SMALL = 0xC000_0023;
    INSUFFICIENT_RESOURCES = 0xC000_009A;
    DEVICE_NOT_READY = 0xC000_00A3;
    FILE_FORCED_CLOSED = 0xC000_00B6;
    NOT_SUPPORTED = 0xC000_00BB;
    REQUEST_NOT_ACCEPTED = 0xC000_00D0;
    CANCELLED = 0xC000_0120;
    INVALID_DEVICE_STATE = 0xC000_0184;
    CONNECTION_DISCONNECTED = 0xC000_020C;
    DATA_NOT_ACCEPTED = 0xC000_021B;
    NOT_FOUND = 0xC000_0225;
    ADDRESS_ALREADY_ASSOCIATED = 0xC000_0238;
    NOINTERFACE = 0xC000_02B9;
}

/// What a status of the endpoint is to a client of WSK.
///
/// A call that the state does not allow is STATUS_INVALID_DEVICE_STATE (WskConnect before WskBind
/// is, on Windows; wsk 2.2); a send behind the own disconnect STATUS_CONNECTION_DISCONNECTED (our
/// choice among those that clients look for; wsk 3.3).
pub fn of(status: NtStatus) -> Status {
    match status {
        NtStatus::INVALID_CONNECTION | NtStatus::CONNECTION_ACTIVE => INVALID_DEVICE_STATE,
        NtStatus::CONNECT_IN_PROGRESS => INVALID_DEVICE_STATE,
        NtStatus::PIPE_DISCONNECTED => CONNECTION_DISCONNECTED,
        NtStatus::ADDRESS_ALREADY_EXISTS => ADDRESS_ALREADY_ASSOCIATED,
        NtStatus::OPTION_NOT_SUPPORTED => NOT_SUPPORTED,
        other => other.raw().cast_signed(),
    }
}

/// One of the statuses above, as the endpoint's are.
pub(crate) const fn as_nt(status: Status) -> NtStatus {
    NtStatus::from_raw(status.cast_unsigned())
}

/// Whether a status is a success or says something beside one.
pub const fn is_success(status: Status) -> bool {
    status >= 0
}

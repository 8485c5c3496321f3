//! Windows' types as they cross the boundary, with their names.
//!
//! Layouts are checked against `windows-sys` (tests) and against mingw-w64's headers (the golden
//! file of the header tests).

/// A socket handle.
pub type SOCKET = usize;
/// A kernel handle.
pub type HANDLE = usize;
/// A truth value: 0 or not.
pub type BOOL = i32;

/// What socket creation gives on failure.
pub const INVALID_SOCKET: SOCKET = usize::MAX;
/// What most Winsock calls give on failure.
pub const SOCKET_ERROR: i32 = -1;
/// What CreateFile-like calls give on failure.
pub const INVALID_HANDLE_VALUE: HANDLE = usize::MAX;
/// Truth.
pub const TRUE: BOOL = 1;
/// Untruth.
pub const FALSE: BOOL = 0;

/// A scatter/gather buffer.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct WSABUF {
    /// Octets.
    pub len: u32,
    /// Where.
    pub buf: *mut u8,
}

/// How a native call went. (The status is the lower half of the first member; the rest is unused.)
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct IO_STATUS_BLOCK {
    /// The status.
    pub Status: usize,
    /// What the call has to tell besides, such as octets transferred.
    pub Information: usize,
}

/// A packet of a completion port, as native calls give it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FILE_IO_COMPLETION_INFORMATION {
    /// The file's completion key.
    pub KeyContext: usize,
    /// What the operation was given, such as the address of its OVERLAPPED.
    pub ApcContext: usize,
    /// How it went.
    pub IoStatusBlock: IO_STATUS_BLOCK,
}

/// A counted string of 16-bit units.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct UNICODE_STRING {
    /// In octets.
    pub Length: u16,
    /// The room, in octets.
    pub MaximumLength: u16,
    /// The units.
    pub Buffer: *const u16,
}

/// What a native call creates or opens.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct OBJECT_ATTRIBUTES {
    /// The size of this structure.
    pub Length: u32,
    /// Where the name begins.
    pub RootDirectory: HANDLE,
    /// The name.
    pub ObjectName: *const UNICODE_STRING,
    /// `OBJ_*`.
    pub Attributes: u32,
    /// Not looked at.
    pub SecurityDescriptor: *const u8,
    /// Not looked at.
    pub SecurityQualityOfService: *const u8,
}

/// What IOCTL_AFD_POLL asks, and tells, before the rows.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct AFD_POLL_INFO {
    /// As NtWaitForSingleObject's; the largest number is never.
    pub Timeout: i64,
    /// How many rows follow.
    pub NumberOfHandles: u32,
    /// Whether the poll takes the place of another.
    pub Exclusive: u32,
}

/// A row of IOCTL_AFD_POLL.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct AFD_POLL_HANDLE_INFO {
    /// The socket.
    pub Handle: SOCKET,
    /// `AFD_POLL_*`.
    pub Events: u32,
    /// Why a connect failed.
    pub Status: i32,
}

/// A part of registered memory.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct RIO_BUF {
    /// The memory.
    pub BufferId: usize,
    /// Where it begins there.
    pub Offset: u32,
    /// Octets.
    pub Length: u32,
}

/// A request of Registered I/O that is over.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct RIORESULT {
    /// 0 or an error.
    pub Status: i32,
    /// Octets transferred.
    pub BytesTransferred: u32,
    /// The program's number for the socket.
    pub SocketContext: u64,
    /// The program's number for the request.
    pub RequestContext: u64,
}

/// How a completion queue of Registered I/O tells that it has something.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct RIO_NOTIFICATION_COMPLETION {
    /// An event or a completion port.
    pub Type: i32,
    /// Which.
    pub Handle: usize,
    /// Whether the event is reset (a BOOL), or the completion key.
    pub Second: usize,
    /// The OVERLAPPED.
    pub Third: usize,
}

/// WSAStartup's answer, in the order of 64-bit Windows.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WSADATA {
    /// Version to be used.
    pub wVersion: u16,
    /// Highest version.
    pub wHighVersion: u16,
    /// Obsolete.
    pub iMaxSockets: u16,
    /// Obsolete.
    pub iMaxUdpDg: u16,
    /// Obsolete.
    pub lpVendorInfo: *mut u8,
    /// Name.
    pub szDescription: [u8; 257],
    /// Status.
    pub szSystemStatus: [u8; 129],
}

/// One dequeued completion.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct OVERLAPPED_ENTRY {
    /// The file's key.
    pub lpCompletionKey: usize,
    /// The operation.
    pub lpOverlapped: usize,
    /// The status.
    pub Internal: usize,
    /// Octets.
    pub dwNumberOfBytesTransferred: u32,
}

/// A GUID.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GUID {
    /// First group.
    pub data1: u32,
    /// Second group.
    pub data2: u16,
    /// Third group.
    pub data3: u16,
    /// The rest.
    pub data4: [u8; 8],
}

/// An entry of WSAPoll.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WSAPOLLFD {
    /// The socket.
    pub fd: SOCKET,
    /// What is wanted.
    pub events: i16,
    /// What is.
    pub revents: i16,
}

const _: () = {
    assert!(size_of::<WSABUF>() == 16);
    assert!(size_of::<WSADATA>() == 408);
    assert!(std::mem::offset_of!(WSADATA, szDescription) == 16);
    assert!(size_of::<OVERLAPPED_ENTRY>() == 32);
    assert!(size_of::<GUID>() == 16);
    assert!(size_of::<WSAPOLLFD>() == 16);
};

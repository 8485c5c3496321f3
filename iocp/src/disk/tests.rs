use super::*;
use std::fs::OpenOptions;
use std::sync::atomic::Ordering;

use crate::clock::Deadline;
use crate::event::Event;
use crate::irp::{Beside, Target};
use crate::overlapped::tests::lend;

/// A file without a name, with these octets, that goes away with its handle.
fn file_with(octets: &[u8], opening: Opening) -> Arc<DiskFile> {
    static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("linsock-disk-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    fs::write(&path, octets).unwrap();
    let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let handle = DiskFile::enter(file, opening).unwrap();
    DiskFile::from_value(handle.value()).unwrap()
}

const ALL: Access = Access { read: true, write: true, append: true };

fn read(file: &DiskFile, count: usize, place: Option<u64>) -> Result<Vec<u8>, NtStatus> {
    let mut buffers = Buffers::from_vec(vec![0; count]);
    let octets = file.transfer(Way::Read, &mut buffers, place)?;
    Ok(buffers.into_vec()[..octets].to_vec())
}

fn write(file: &DiskFile, octets: &[u8], place: Option<u64>) -> Result<usize, NtStatus> {
    file.transfer(Way::Write, &mut Buffers::from_vec(octets.to_vec()), place)
}

/// ReadFile page: the position moves with what is read; the end is no octets, or ERROR_HANDLE_EOF
/// where a place was given.
#[test]
fn reads_go_on_where_the_last_one_ended() {
    let file = file_with(b"0123456789", Opening { access: ALL, ..Opening::default() });
    assert_eq!(read(&file, 4, None).unwrap(), b"0123");
    assert_eq!(read(&file, 4, None).unwrap(), b"4567");
    assert_eq!(read(&file, 4, None).unwrap(), b"89");
    assert_eq!(read(&file, 4, None).unwrap(), b"");
    assert_eq!(read(&file, 3, Some(2)).unwrap(), b"234");
    assert_eq!(*file.position(), 5, "the system updates the file pointer");
    assert_eq!(read(&file, 1, Some(10)), Err(NtStatus::END_OF_FILE));
    assert_eq!(read(&file, 0, Some(10)).unwrap(), b"");
    assert_eq!(read(&file, 1, Some(u64::MAX)), Err(NtStatus::INVALID_PARAMETER));
}

/// WriteFile page: the place 0xFFFFFFFFFFFFFFFF is the end of the file.
#[test]
fn writes_go_to_their_place() {
    let file = file_with(b"0123", Opening { access: ALL, overlapped: true, doomed: None });
    assert_eq!(write(&file, b"ab", Some(1)), Ok(2));
    assert_eq!(write(&file, b"end", Some(u64::MAX)), Ok(3));
    assert_eq!(write(&file, b"gap", Some(9)), Ok(3));
    assert_eq!(read(&file, 32, Some(0)).unwrap(), b"0ab3end\0\0gap");
    assert_eq!(write(&file, b"x", Some(u64::MAX - 1)), Err(NtStatus::FILE_TOO_LARGE));
    assert_eq!(*file.position(), 0, "an overlapped file has no position that moves");
}

#[test]
fn only_what_it_was_opened_for() {
    let reader = Access { read: true, ..Access::default() };
    let file = file_with(b"x", Opening { access: reader, ..Opening::default() });
    assert_eq!(write(&file, b"y", None), Err(NtStatus::ACCESS_DENIED));
    assert_eq!(file.set_len(0), Err(NtStatus::ACCESS_DENIED));
    assert_eq!(file.flush(), Err(NtStatus::ACCESS_DENIED));
    let appender = Access { append: true, ..Access::default() };
    let file = file_with(b"x", Opening { access: appender, ..Opening::default() });
    assert_eq!(read(&file, 1, None), Err(NtStatus::ACCESS_DENIED));
    assert_eq!(write(&file, b"y", Some(0)), Ok(1));
    assert_eq!(file.set_len(0), Err(NtStatus::ACCESS_DENIED));
    assert_eq!(file.flush(), Ok(()));
    assert_eq!(file.size(), Ok(2), "behind the end, whatever place is given");
    assert_eq!(*file.position(), 2);
}

#[test]
fn a_bad_address_is_an_error() {
    let file = file_with(b"x", Opening { access: ALL, ..Opening::default() });
    let memory = crate::buffer::RawBuffer { base: std::ptr::without_provenance_mut(16), len: 1 };
    // SAFETY: nothing lives there; the kernel says so.
    #[allow(unsafe_code, reason = "the address is the test")]
    let mut nowhere = unsafe { Buffers::from_raw(&[memory]) };
    assert_eq!(file.transfer(Way::Read, &mut nowhere, None), Err(NtStatus::ACCESS_VIOLATION));
    assert_eq!(file.transfer(Way::Write, &mut nowhere, None), Err(NtStatus::ACCESS_VIOLATION));
}

/// FILE_FLAG_DELETE_ON_CLOSE; and a port is for overlapped files (CreateIoCompletionPort page).
#[test]
fn what_happens_to_the_handle() {
    let path = std::env::temp_dir().join(format!("linsock-doomed-{}", std::process::id()));
    fs::write(&path, b"x").unwrap();
    let opening = Opening { access: ALL, overlapped: false, doomed: Some(path.clone()) };
    let handle = DiskFile::enter(OpenFile::open(&path).unwrap(), opening).unwrap();
    let file = DiskFile::from_value(handle.value()).unwrap();
    let port = CompletionPort::new(1).unwrap();
    assert_eq!(file.associate(&port, 1), Err(AlreadyAssociated));
    handle::table().remove(handle).unwrap();
    file.close();
    assert!(!path.exists());
    assert!(DiskFile::from_value(handle.value()).is_none());

    let file = file_with(b"x", Opening { access: ALL, overlapped: true, doomed: None });
    assert_eq!(file.associate(&port, 1), Ok(()));
    assert_eq!(file.associate(&port, 1), Err(AlreadyAssociated));
}

/// GetQueuedCompletionStatus page: a packet is queued also for what is over when its call returns.
#[test]
fn an_overlapped_transfer_tells_its_end() {
    let file = file_with(b"0123456789", Opening { access: ALL, overlapped: true, doomed: None });
    let port = CompletionPort::new(1).unwrap();
    file.associate(&port, 5).unwrap();
    let (overlapped, ptr) = lend();
    let event = Arc::new(Event::new(true, true));
    let target = Target::overlapped(ptr, true, Some(Beside::Event(Arc::clone(&event))));
    let irp = Irp::new(target, Buffers::from_vec(vec![0; 8]));
    assert_eq!(file.start(Way::Read, irp, 4), Ok(6));
    assert_eq!(overlapped.internal.load(Ordering::Acquire), 0);
    assert_eq!(overlapped.internal_high.load(Ordering::Relaxed), 6);
    assert!(event.is_set());
    let told = port.wait_one(Deadline::after_ms(0)).unwrap().told();
    assert_eq!((told.key, told.status, told.bytes), (5, NtStatus::SUCCESS, 6));
    assert_eq!(told.overlapped, std::ptr::from_ref(overlapped).addr());
    assert_eq!(file.cancel(&|_| true), 0, "nothing is ever pending");
}

/// GetQueuedCompletionStatus page: a call that fails at once queues no packet.
#[test]
fn a_refused_overlapped_transfer_tells_nobody() {
    let file = file_with(b"0123", Opening { access: ALL, overlapped: true, doomed: None });
    let port = CompletionPort::new(1).unwrap();
    file.associate(&port, 5).unwrap();
    let target = Target::overlapped(lend().1, true, None);
    let irp = Irp::new(target, Buffers::from_vec(vec![0; 8]));
    assert_eq!(file.start(Way::Read, irp, 4), Err(NtStatus::END_OF_FILE));
    assert!(port.wait_one(Deadline::after_ms(0)).is_err());
}

/// System Error Codes page, by the NTSTATUS that each is made of (RtlNtStatusToDosError).
#[test]
fn what_the_disk_says_has_its_status() {
    let table = [
        (Errno::FAULT, NtStatus::ACCESS_VIOLATION),
        (Errno::ACCESS, NtStatus::ACCESS_DENIED),
        (Errno::PERM, NtStatus::ACCESS_DENIED),
        (Errno::BADF, NtStatus::ACCESS_DENIED),
        (Errno::ROFS, NtStatus::ACCESS_DENIED),
        (Errno::NOSPC, NtStatus::DISK_FULL),
        (Errno::DQUOT, NtStatus::DISK_FULL),
        (Errno::FBIG, NtStatus::FILE_TOO_LARGE),
        (Errno::INVAL, NtStatus::INVALID_PARAMETER),
        (Errno::NOMEM, NtStatus::INSUFFICIENT_RESOURCES),
        (Errno::IO, NtStatus::IO_DEVICE_ERROR),
    ];
    for (errno, status) in table {
        assert_eq!(status_of(&errno.into()), status, "{errno}");
    }
    let no_errno = std::io::ErrorKind::Unsupported.into();
    assert_eq!(status_of(&no_errno), NtStatus::IO_DEVICE_ERROR);
}

/// The kernel's own "disk full", full(4), and a descriptor that is not open for what the handle
/// says.
#[test]
fn what_the_kernel_refuses_is_told() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let handle = DiskFile::enter(full, Opening { access: ALL, ..Opening::default() }).unwrap();
    let file = DiskFile::from_value(handle.value()).unwrap();
    assert_eq!(write(&file, b"x", None), Err(NtStatus::DISK_FULL));
    assert_eq!(read(&file, 1, None), Err(NtStatus::ACCESS_DENIED));
    assert_eq!(*file.position(), 0, "a transfer that fails moves nothing");
}

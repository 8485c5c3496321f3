//! Completion ports, by their native names.
#![allow(unsafe_code, reason = "the exports")]

use linsock::NtStatus;
use linsock::iocp::handle::{self, Handle, Object};
use linsock::iocp::irp::Deferred;
use linsock::iocp::port::{self, CompletionPort, Known, NoPacket, Packet, Told};
use linsock::settings;

use super::{INTERNAL_ERROR, NTSTATUS, Native, bad_pointer, deadline, object, report, told};
use crate::abi::{FILE_IO_COMPLETION_INFORMATION, HANDLE, IO_STATUS_BLOCK};
use crate::export::export;
use crate::ptr::{self, Out, OutMany};

fn find(value: HANDLE) -> Result<Known, NtStatus> {
    match Handle::from_value(value).and_then(port::find) {
        Some(port) => Ok(port),
        None => Err(object(value).map_or_else(|status| status, |_| NtStatus::OBJECT_TYPE_MISMATCH)),
    }
}

fn create(at: *mut HANDLE, concurrency: u32) -> Native {
    let at = Out::new(at).map_err(bad_pointer)?;
    settings::begin();
    let exhausted = NtStatus::INSUFFICIENT_RESOURCES;
    let port = CompletionPort::new(concurrency as usize).map_err(|_| exhausted)?;
    let handle = handle::table().insert(Object::Port(port)).map_err(|_| exhausted)?;
    at.put(handle.value());
    Ok(NtStatus::SUCCESS)
}

const fn status_of(no_packet: NoPacket) -> NtStatus {
    match no_packet {
        NoPacket::TimedOut => NtStatus::TIMEOUT,
        NoPacket::Closed => NtStatus::ABANDONED,
        NoPacket::Alerted => NtStatus::USER_APC,
    }
}

fn take(
    port: HANDLE,
    key: *mut usize,
    context: *mut usize,
    block: *mut IO_STATUS_BLOCK,
    timeout: *const i64,
) -> Native {
    let key = Out::new(key).map_err(bad_pointer)?;
    let context = Out::new(context).map_err(bad_pointer)?;
    ptr::check_writable(block, 1).map_err(bad_pointer)?;
    match find(port)?.wait_one(deadline(timeout)?) {
        Ok(packet) => {
            key.put(packet.key);
            context.put(packet.overlapped);
            report(block, packet.status, packet.bytes)?;
            Ok(NtStatus::SUCCESS)
        }
        Err(no_packet) => Ok(status_of(no_packet)),
    }
}

fn take_many(
    port: HANDLE,
    (entries, count): (*mut FILE_IO_COMPLETION_INFORMATION, u32),
    removed: *mut u32,
    timeout: *const i64,
    alertable: bool,
) -> Native {
    if count == 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let entries = OutMany::new(entries, count as usize).map_err(bad_pointer)?;
    let removed = Out::new(removed).map_err(bad_pointer)?;
    let mut at = 0;
    let put = |told: Told| {
        let Status = told.status.raw() as usize;
        let entry = FILE_IO_COMPLETION_INFORMATION {
            KeyContext: told.key,
            ApcContext: told.overlapped,
            IoStatusBlock: IO_STATUS_BLOCK { Status, Information: told.bytes },
        };
        entries.put(at, entry);
        at += 1;
    };
    let taken = find(port)?.wait(entries.count(), deadline(timeout)?, alertable, put);
    removed.put(u32::try_from(*taken.as_ref().unwrap_or(&0)).unwrap_or(u32::MAX));
    Ok(taken.map_or_else(status_of, |_| NtStatus::SUCCESS))
}

export! {
    /// Creates a completion port. CreateIoCompletionPort ties files to it.
    ///
    /// Microsoft documents it nowhere but in its own headers.
    ///
    /// # Errors
    /// STATUS_ACCESS_VIOLATION, STATUS_INSUFFICIENT_RESOURCES.
    ///
    /// # Differs from Windows
    /// Access rights mean nothing, and a name is not looked at: the port is the process's own.
    fn NtCreateIoCompletion(
        IoCompletionHandle: *mut HANDLE,
        _DesiredAccess: u32,
        _ObjectAttributes: *const u8,
        Count: u32,
    ) -> NTSTATUS, fail INTERNAL_ERROR; {
        Ok(told(create(IoCompletionHandle, Count)))
    }

    /// Queues a packet of the program's own.
    ///
    /// Microsoft documents it nowhere but in its own headers; PostQueuedCompletionStatus is the
    /// same without a status.
    ///
    /// # Errors
    /// STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH.
    fn NtSetIoCompletion(
        IoCompletionHandle: HANDLE,
        KeyContext: usize,
        ApcContext: usize,
        IoStatus: NTSTATUS,
        IoStatusInformation: usize,
    ) -> NTSTATUS, fail INTERNAL_ERROR; {
        let status = NtStatus::from_raw(IoStatus.cast_unsigned());
        Ok(told(find(IoCompletionHandle).map(|port| {
            let (key, overlapped, bytes) = (KeyContext, ApcContext, IoStatusInformation);
            let mut after = Deferred::default();
            port.post(Packet { key, overlapped, status, bytes, sink: None }, &mut after);
            after.run();
            NtStatus::SUCCESS
        })))
    }

    /// Takes a packet, waiting for one.
    ///
    /// Microsoft documents it nowhere but in its own headers; GetQueuedCompletionStatus is the same
    /// without the status. Blocks until the time is over.
    ///
    /// # Errors
    /// STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH, STATUS_ACCESS_VIOLATION. No errors:
    /// STATUS_TIMEOUT, and STATUS_ABANDONED when the port was closed.
    fn NtRemoveIoCompletion(
        IoCompletionHandle: HANDLE,
        KeyContext: *mut usize,
        ApcContext: *mut usize,
        IoStatusBlock: *mut IO_STATUS_BLOCK,
        Timeout: *const i64,
    ) -> NTSTATUS, fail INTERNAL_ERROR; {
        Ok(told(take(IoCompletionHandle, KeyContext, ApcContext, IoStatusBlock, Timeout)))
    }

    /// Takes several packets, waiting for the first.
    ///
    /// Microsoft documents it nowhere but in its own headers; GetQueuedCompletionStatusEx is the
    /// same. Blocks until the time is over; an alertable wait runs APCs.
    ///
    /// # Errors
    /// As [`NtRemoveIoCompletion`], and STATUS_INVALID_PARAMETER for no room. No error:
    /// STATUS_USER_APC.
    fn NtRemoveIoCompletionEx(
        IoCompletionHandle: HANDLE,
        IoCompletionInformation: *mut FILE_IO_COMPLETION_INFORMATION,
        Count: u32,
        NumEntriesRemoved: *mut u32,
        Timeout: *const i64,
        Alertable: u8,
    ) -> NTSTATUS, fail INTERNAL_ERROR; {
        let room = (IoCompletionInformation, Count);
        let alertable = Alertable != 0;
        Ok(told(take_many(IoCompletionHandle, room, NumEntriesRemoved, Timeout, alertable)))
    }
}

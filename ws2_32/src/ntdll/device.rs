//! Requests to Winsock's driver.
#![allow(unsafe_code, reason = "structures of the caller's; the exports")]

use std::ptr::NonNull;
use std::sync::Arc;

use linsock::NtStatus;
use linsock::device::{self, HEAD, Patience, Question, ROW};
use linsock::iocp::buffer::{Buffers, CheckedMemory};
use linsock::iocp::event::Event;
use linsock::iocp::file::File;
use linsock::iocp::handle::Object;
use linsock::iocp::irp::{Irp, Native as NativeCall, Routine, Target};
use linsock::iocp::overlapped::{OverlappedPtr, StatusBlock};
use linsock::iocp::thread;
use linsock::socket::{PollEvents, Started};

use super::{INTERNAL_ERROR, NTSTATUS, Native, bad_pointer, object, report, told};
use crate::abi::{AFD_POLL_HANDLE_INFO, AFD_POLL_INFO, HANDLE, IO_STATUS_BLOCK};
use crate::export::export;
use crate::kernel32::timer::due_at;
use crate::ptr::{self, Plain};

const IOCTL_AFD_POLL: u32 = 0x0001_2024;

/// Called in an alertable wait: the context, the block, and a reserved 0.
pub type IO_APC_ROUTINE = unsafe extern "system" fn(usize, *mut IO_STATUS_BLOCK, u32);

// SAFETY: integers are valid whatever their octets.
unsafe impl Plain for AFD_POLL_INFO {}
// SAFETY: as above.
unsafe impl Plain for AFD_POLL_HANDLE_INFO {}

const _: () = assert!(size_of::<AFD_POLL_INFO>() == HEAD);
const _: () = assert!(size_of::<AFD_POLL_HANDLE_INFO>() == ROW);

fn file(value: HANDLE) -> Result<Arc<dyn File>, NtStatus> {
    match object(value)? {
        Object::File(file) => Ok(file),
        _ => Err(NtStatus::OBJECT_TYPE_MISMATCH),
    }
}

fn event(value: HANDLE) -> Result<Option<Arc<Event>>, NtStatus> {
    if value == 0 {
        return Ok(None);
    }
    match object(value)? {
        Object::Event(event) => Ok(Some(event)),
        _ => Err(NtStatus::OBJECT_TYPE_MISMATCH),
    }
}

/// How the end of a call is told: what all native calls on files have in common.
struct Call {
    event: HANDLE,
    routine: Option<IO_APC_ROUTINE>,
    context: usize,
    block: *mut IO_STATUS_BLOCK,
}

impl Call {
    /// Checks it. Nobody is told of what is not begun yet.
    fn checked(self, file: &Arc<dyn File>) -> Result<NativeCall, NtStatus> {
        let Self { event: wanted, routine, context, block } = self;
        let event = event(wanted)?;
        ptr::check_writable(block, 1).map_err(bad_pointer)?;
        let at = NonNull::new(block.cast::<StatusBlock>()).filter(|at| at.is_aligned());
        let at = at.ok_or(NtStatus::DATATYPE_MISALIGNMENT)?;
        if routine.is_some() && file.core().association().is_some() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let routine = routine.map(|call| (thread::current(), apc_of(call, context, block)));
        // SAFETY: valid and aligned (checked); that it stays so until completion is the contract of
        // every native call, kept by the C program.
        let block = unsafe { OverlappedPtr::of_block(at) };
        Ok(NativeCall { block, event, context, routine })
    }
}

fn apc_of(call: IO_APC_ROUTINE, context: usize, block: *mut IO_STATUS_BLOCK) -> Routine {
    let address = block.expose_provenance();
    Box::new(move |_, _| {
        let block = std::ptr::with_exposed_provenance_mut(address);
        // SAFETY: the program gave this function for this purpose; it is called on the thread that
        // issued the operation, in an alertable wait, with no lock held.
        unsafe { call(context, block, 0) };
    })
}

/// The question in the input, whose answer fits where the question was.
fn question_of(
    (input, input_len): (*const u8, u32),
    (output, output_len): (*mut u8, u32),
) -> Result<Question, NtStatus> {
    let invalid = NtStatus::INVALID_PARAMETER;
    let input_len = input_len as usize;
    // Before the pointers, which may be none then (`test_poll`).
    if (output_len as usize) < input_len || input_len < HEAD {
        return Err(invalid);
    }
    let head = ptr::read(input.cast::<AFD_POLL_INFO>()).map_err(bad_pointer)?;
    let count = head.NumberOfHandles as usize;
    if count == 0 || (input_len - HEAD) / ROW < count {
        return Err(invalid);
    }
    let rows = input.wrapping_add(HEAD).cast::<AFD_POLL_HANDLE_INFO>();
    let rows = ptr::read_all(rows, count).map_err(bad_pointer)?;
    ptr::check_writable(output, HEAD + count * ROW).map_err(bad_pointer)?;
    // SAFETY: writable (checked); that it stays so until completion is the contract of every
    // native call, kept by the C program.
    let answer = unsafe { CheckedMemory::new(output, HEAD + count * ROW) };
    let wanted = |row: AFD_POLL_HANDLE_INFO| (row.Handle, PollEvents::from_bits(row.Events));
    Ok(Question {
        rows: rows.into_iter().map(wanted).collect(),
        patience: patience(head.Timeout),
        exclusive: head.Exclusive & 0xFF != 0,
        timeout: head.Timeout,
        answer,
    })
}

/// A time that no clock reaches is never.
fn patience(timeout: i64) -> Patience {
    match timeout {
        0 => Patience::None,
        i64::MAX => Patience::Forever,
        _ => due_at(timeout).map_or(Patience::Forever, Patience::Until),
    }
}

fn control(
    handle: HANDLE,
    call: Call,
    code: u32,
    input: (*const u8, u32),
    output: (*mut u8, u32),
) -> Native {
    let file = file(handle)?;
    if code != IOCTL_AFD_POLL {
        return Err(NtStatus::INVALID_DEVICE_REQUEST);
    }
    let call = call.checked(&file)?;
    let question = question_of(input, output)?;
    let irp = Irp::new(Target::Native(Box::new(call)), Buffers::empty());
    match device::poll(&file, irp, question)? {
        Started::Done(_) => Ok(NtStatus::SUCCESS),
        Started::Pending => Ok(NtStatus::PENDING),
    }
}

fn cancel(handle: HANDLE, block: *mut IO_STATUS_BLOCK, chosen: &dyn Fn(&Irp) -> bool) -> Native {
    ptr::check_writable(block, 1).map_err(bad_pointer)?;
    let cancelled = file(handle)?.cancel(chosen);
    let status = if cancelled > 0 { NtStatus::SUCCESS } else { NtStatus::NOT_FOUND };
    report(block, status, 0)
}

export! {
    /// Has Winsock's driver do something. The one request that there is, is IOCTL_AFD_POLL
    /// (0x12024), by a handle of `\Device\Afd` or of any socket: it tells which of some sockets are
    /// ready, as soon as one is.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntdeviceiocontrolfile>
    ///
    /// Does not block: STATUS_PENDING if none is ready. The end is told by the event, or the
    /// handle's own signal, by the APC routine, and by a packet of the handle's port that carries
    /// `ApcContext`, if there is one, also where this returns STATUS_SUCCESS. Time-out 0 asks for
    /// what is known now; the largest number is never; the others are as NtWaitForSingleObject's,
    /// and end with STATUS_TIMEOUT. Closing a socket ends its polls with AFD_POLL_LOCAL_CLOSE.
    ///
    /// # Errors
    /// STATUS_INVALID_HANDLE (for a row too), STATUS_OBJECT_TYPE_MISMATCH,
    /// STATUS_INVALID_DEVICE_REQUEST for any other code or kind of file, STATUS_ACCESS_VIOLATION,
    /// STATUS_DATATYPE_MISALIGNMENT, STATUS_INVALID_PARAMETER (no rows, rows that the input does
    /// not hold, less room than input, an APC routine where the packet goes to a port).
    ///
    /// # Differs from Windows
    /// Winsock's calls do not go through this one, so that no other request is known. An exclusive
    /// poll whose place another one takes ends with STATUS_CANCELLED; no test has looked at that.
    fn NtDeviceIoControlFile(
        FileHandle: HANDLE,
        Event: HANDLE,
        ApcRoutine: Option<IO_APC_ROUTINE>,
        ApcContext: usize,
        IoStatusBlock: *mut IO_STATUS_BLOCK,
        IoControlCode: u32,
        InputBuffer: *const u8,
        InputBufferLength: u32,
        OutputBuffer: *mut u8,
        OutputBufferLength: u32,
    ) -> NTSTATUS, fail INTERNAL_ERROR; {
        let (routine, context, block) = (ApcRoutine, ApcContext, IoStatusBlock);
        let call = Call { event: Event, routine, context, block };
        let input = (InputBuffer, InputBufferLength);
        let output = (OutputBuffer, OutputBufferLength);
        Ok(told(control(FileHandle, call, IoControlCode, input, output)))
    }

    /// Cancels what the calling thread has asked of a file.
    ///
    /// Microsoft documents it nowhere; CancelIo is the same.
    ///
    /// # Errors
    /// STATUS_ACCESS_VIOLATION, STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH,
    /// STATUS_NOT_FOUND.
    fn NtCancelIoFile(
        FileHandle: HANDLE,
        IoStatusBlock: *mut IO_STATUS_BLOCK,
    ) -> NTSTATUS, fail INTERNAL_ERROR; {
        let me = thread::id();
        Ok(told(cancel(FileHandle, IoStatusBlock, &|irp| irp.thread() == me)))
    }

    /// Cancels one call on a file, by its block, or all of them, whoever has made them.
    ///
    /// Microsoft documents it nowhere; CancelIoEx is the same.
    ///
    /// # Errors
    /// As [`NtCancelIoFile`].
    fn NtCancelIoFileEx(
        FileHandle: HANDLE,
        IoRequestToCancel: *const IO_STATUS_BLOCK,
        IoStatusBlock: *mut IO_STATUS_BLOCK,
    ) -> NTSTATUS, fail INTERNAL_ERROR; {
        let wanted = IoRequestToCancel.addr();
        let chosen = |irp: &Irp| wanted == 0 || irp.key() == wanted;
        Ok(told(cancel(FileHandle, IoStatusBlock, &chosen)))
    }
}

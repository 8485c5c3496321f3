//! IRPs: memory that the client owns, in the layout of 64-bit Windows.

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU8, Ordering};

use super::memory::Mdl;
use crate::request;
use crate::{misuse, status};

/// IO_COMPLETION_ROUTINE.
pub type CompletionRoutine =
    unsafe extern "C" fn(device: *mut c_void, irp: *mut Irp, context: *mut c_void) -> i32;
/// DRIVER_CANCEL.
pub type CancelRoutine = unsafe extern "C" fn(device: *mut c_void, irp: *mut Irp);

const SL_PENDING_RETURNED: u8 = 0x01;
const SL_INVOKE_ON_CANCEL: u8 = 0x20;
const SL_INVOKE_ON_SUCCESS: u8 = 0x40;
const SL_INVOKE_ON_ERROR: u8 = 0x80;
const INVOKE_ALWAYS: u8 = SL_INVOKE_ON_CANCEL | SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR;
const IO_TYPE_IRP: i16 = 6;

/// IO_STACK_LOCATION.
#[repr(C)]
#[derive(Debug)]
pub struct StackLocation {
    major: u8,
    minor: u8,
    flags: u8,
    control: u8,
    parameters: [usize; 4],
    device: *mut c_void,
    file: *mut c_void,
    routine: Option<CompletionRoutine>,
    context: *mut c_void,
}

/// IRP.
#[repr(C)]
#[derive(Debug)]
pub struct Irp {
    kind: i16,
    size: u16,
    processor: u16,
    reserved: u16,
    /// MdlAddress.
    pub mdl: *mut Mdl,
    flags: u32,
    associated: usize,
    thread_list: [usize; 2],
    status: i32,
    information: usize,
    requestor_mode: i8,
    pending_returned: u8,
    stack_count: i8,
    current_location: i8,
    cancel: AtomicU8,
    cancel_irql: u8,
    apc_environment: i8,
    allocation_flags: u8,
    user_iosb: usize,
    user_event: usize,
    overlay: [usize; 2],
    cancel_routine: AtomicPtr<c_void>,
    user_buffer: usize,
    driver_context: [usize; 4],
    thread: usize,
    auxiliary: usize,
    list_entry: [usize; 2],
    current_stack: *mut StackLocation,
    original_file: usize,
    extension: usize,
}

const _: () = assert!(size_of::<Irp>() == 0xD0 && size_of::<StackLocation>() == 0x48);

/// An IRP that the provider has in its hands, from the call to its completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IrpPtr(NonNull<Irp>);

// SAFETY: the client has handed the IRP to the provider, which touches it from one thread at a
// time: the calling one, then whoever completes it. `cancel` and the cancel routine are atomic.
unsafe impl Send for IrpPtr {}
// SAFETY: as above.
unsafe impl Sync for IrpPtr {}

impl IrpPtr {
    /// An IRP of the client's; `None` for null.
    pub fn new(irp: *mut Irp) -> Option<Self> {
        NonNull::new(irp).map(Self)
    }

    /// Its address.
    pub fn addr(self) -> usize {
        self.0.addr().get()
    }

    fn irp<'a>(self) -> &'a mut Irp {
        // SAFETY: the client's memory, alive until the completion (the pages' rule), and in the
        // provider's hands now.
        unsafe { &mut *self.0.as_ptr() }
    }

    fn location<'a>(self) -> &'a mut StackLocation {
        // SAFETY: `take_location` and `IoInitializeIrp` keep the pointer inside the IRP's memory.
        unsafe { &mut *self.irp().current_stack }
    }

    /// Whether it is the client's own, and no driver has it.
    pub fn is_at_rest(self) -> bool {
        let irp = self.0.as_ptr();
        // SAFETY: the client's memory, read where it lies without a reference to the whole: against
        // the rules, another thread may have the IRP.
        let at = unsafe { (*irp).current_location };
        // SAFETY: as above.
        let count = unsafe { (*irp).stack_count };
        at == count.wrapping_add(1)
    }

    /// Moves to the next stack location, as the driver below the client. False when the IRP has
    /// none.
    pub fn take_location(self, call: &str) -> bool {
        let self_made = self.is_at_rest();
        let irp = self.irp();
        if irp.current_location <= 1 {
            misuse::report(call, format_args!("the IRP {self:?} has no free stack location"));
            return false;
        }
        irp.current_location -= 1;
        irp.current_stack = irp.current_stack.wrapping_sub(1);
        irp.pending_returned = 0;
        let location = self.location();
        if self_made && location.routine.is_none() {
            misuse::report(call, format_args!("the client's own IRP has no completion routine"));
        } else if self_made && location.control & INVOKE_ALWAYS != INVOKE_ALWAYS {
            misuse::report(
                call,
                format_args!(
                    "the completion routine of the client's own IRP is not always invoked"
                ),
            );
        }
        true
    }

    /// IoMarkIrpPending, or takes it back.
    pub fn set_pending(self, pending: bool) {
        let location = self.location();
        if pending {
            location.control |= SL_PENDING_RETURNED;
        } else {
            location.control &= !SL_PENDING_RETURNED;
        }
    }

    /// IoSetCancelRoutine. What was set before is forgotten.
    pub fn set_cancel_routine(self, routine: CancelRoutine) {
        self.irp().cancel_routine.store(routine as *mut c_void, Ordering::SeqCst);
    }

    /// Whether IoCancelIrp was called.
    pub fn is_cancelled(self) -> bool {
        // SAFETY: the client's memory, alive until the completion; an atomic, which other threads
        // touch, so the rest is left out.
        let cancel = unsafe { &(*self.0.as_ptr()).cancel };
        cancel.load(Ordering::SeqCst) != 0
    }

    /// Sets the result and completes. The IRP is the client's again.
    pub fn complete(self, status: i32, information: usize) {
        let irp = self.irp();
        // Who cancels from now on finds nothing of ours; who has begun to finds no request.
        irp.cancel_routine.store(ptr::null_mut(), Ordering::Release);
        irp.status = status;
        irp.information = information;
        complete_request(self);
    }
}

/// Walks up the stack locations, as IoCompleteRequest does.
fn complete_request(ptr: IrpPtr) {
    let mut invoked = false;
    while ptr.irp().current_location <= ptr.irp().stack_count {
        let location = ptr.location();
        let (control, routine, context) = (location.control, location.routine, location.context);
        let irp = ptr.irp();
        irp.pending_returned = control & SL_PENDING_RETURNED;
        irp.current_location += 1;
        irp.current_stack = irp.current_stack.wrapping_add(1);
        let at_top = irp.current_location > irp.stack_count;
        let wanted =
            if status::is_success(irp.status) { SL_INVOKE_ON_SUCCESS } else { SL_INVOKE_ON_ERROR };
        let cancelled = ptr.is_cancelled() && control & SL_INVOKE_ON_CANCEL != 0;
        match routine {
            Some(routine) if control & wanted != 0 || cancelled => {
                let device = if at_top { ptr::null_mut() } else { ptr.location().device };
                invoked = true;
                // SAFETY: the client's routine, with what its page says it is called with.
                let status = unsafe { routine(device, ptr.0.as_ptr(), context) };
                if status == status::MORE_PROCESSING_REQUIRED {
                    return;
                }
            }
            _ if irp.pending_returned != 0 && !at_top => ptr.set_pending(true),
            _ => {}
        }
    }
    if invoked {
        let rule = "did not return STATUS_MORE_PROCESSING_REQUIRED";
        let whose = "a completion routine of the client's own IRP";
        misuse::report("IoCompleteRequest", format_args!("{whose} {rule}"));
    }
}

fn size_of_irp(stack: i8) -> usize {
    size_of::<Irp>() + usize::try_from(stack).unwrap_or(0) * size_of::<StackLocation>()
}

/// Allocates an IRP with so many stack locations.
///
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-ioallocateirp>
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IoAllocateIrp(StackSize: i8, _ChargeQuota: u8) -> *mut Irp {
    // SAFETY: a size above zero; null is handled below.
    let memory = unsafe { libc::malloc(size_of_irp(StackSize)) }.cast::<Irp>();
    if !memory.is_null() {
        initialize(memory, StackSize);
    }
    memory
}

// Never inlined: the compiler would make a calloc of an allocation and this, and glibc's does not
// look into the thread's own cache.
#[inline(never)]
fn initialize(irp: *mut Irp, stack: i8) {
    let size = size_of_irp(stack);
    // SAFETY: the caller's memory, which has room for the IRP and its stack locations.
    unsafe { ptr::write_bytes(irp.cast::<u8>(), 0, size) };
    // SAFETY: as above; all-zero is a valid IRP.
    let irp = unsafe { &mut *irp };
    irp.kind = IO_TYPE_IRP;
    irp.size = u16::try_from(size).unwrap_or(u16::MAX);
    irp.stack_count = stack;
    irp.current_location = stack + 1;
    let locations = ptr::from_mut(irp).wrapping_add(1).cast::<StackLocation>();
    irp.current_stack = locations.wrapping_add(usize::try_from(stack).unwrap_or(0));
}

/// Initializes an IRP in the caller's memory.
///
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-ioinitializeirp>
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IoInitializeIrp(Irp: *mut Irp, _PacketSize: u16, StackSize: i8) {
    if request::check_idle("IoInitializeIrp", Irp) {
        initialize(Irp, StackSize);
    }
}

/// As [`request::check_idle`], of an initialized IRP: what lies at rest is in nobody's hands.
fn is_idle(call: &str, irp: *mut Irp) -> bool {
    IrpPtr::new(irp).is_some_and(IrpPtr::is_at_rest) || request::check_idle(call, irp)
}

/// Ends the use of an IRP that IoInitializeIrp made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IoCleanupIrp(Irp: *mut Irp) {
    request::check_idle("IoCleanupIrp", Irp);
}

/// Frees an IRP. One that the provider still has is reported, and kept.
///
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iofreeirp>
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IoFreeIrp(Irp: *mut Irp) {
    if is_idle("IoFreeIrp", Irp) {
        // SAFETY: IoAllocateIrp allocated it.
        unsafe { libc::free(Irp.cast()) };
    }
}

/// Makes an IRP ready for another request.
///
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-ioreuseirp>
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IoReuseIrp(Irp: *mut Irp, Iostatus: i32) {
    if !is_idle("IoReuseIrp", Irp) {
        return;
    }
    // SAFETY: the caller's IRP.
    let stack = unsafe { (*Irp).stack_count };
    initialize(Irp, stack);
    // SAFETY: as above.
    unsafe { (*Irp).status = Iostatus };
}

/// Cancels what an IRP waits for. True if it had a cancel routine, which was called; the IRP
/// completes later, and perhaps with success.
///
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iocancelirp>
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IoCancelIrp(Irp: *mut Irp) -> u8 {
    // SAFETY: the caller's IRP, which lives until its completion; only atomics are touched.
    let cancel = unsafe { &(*Irp).cancel };
    cancel.store(1, Ordering::SeqCst);
    // SAFETY: as above.
    let routine = unsafe { &(*Irp).cancel_routine };
    let routine = routine.swap(ptr::null_mut(), Ordering::SeqCst);
    if routine.is_null() {
        return 0;
    }
    // SAFETY: only cancel routines are stored there, by IoSetCancelRoutine's contract.
    let routine: CancelRoutine = unsafe { std::mem::transmute(routine) };
    // SAFETY: as its contract has it.
    unsafe { routine(ptr::null_mut(), Irp) };
    1
}

/// Completes an IRP that the client was handed by a driver above it.
///
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iocompleterequest>
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IofCompleteRequest(Irp: *mut Irp, _PriorityBoost: i8) {
    if request::check_idle("IoCompleteRequest", Irp)
        && let Some(irp) = IrpPtr::new(Irp)
    {
        complete_request(irp);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    impl Irp {
        /// IoStatus.Status.
        pub(crate) const fn status(&self) -> i32 {
            self.status
        }
    }

    /// IoSetCompletionRoutine, which is the header's, for every outcome.
    pub(crate) fn set_completion_routine(
        irp: *mut Irp,
        routine: CompletionRoutine,
        context: *mut c_void,
    ) {
        // SAFETY: the test's IRP.
        let next = unsafe { (*irp).current_stack }.wrapping_sub(1);
        // SAFETY: the stack location below the current one, inside the IRP's memory.
        let next = unsafe { &mut *next };
        (next.routine, next.context, next.control) = (Some(routine), context, INVOKE_ALWAYS);
    }
}

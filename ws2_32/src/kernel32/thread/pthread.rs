//! The C library's threads, declared so that the unwinding of pthread_exit is allowed to pass.

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;

/// What a new thread runs first.
pub(super) type Routine = extern "C-unwind" fn(*mut c_void) -> *mut c_void;

mod c {
    use std::ffi::{c_int, c_void};

    unsafe extern "C" {
        pub(super) fn pthread_create(
            thread: *mut libc::pthread_t,
            attributes: *const libc::pthread_attr_t,
            routine: super::Routine,
            argument: *mut c_void,
        ) -> c_int;
    }

    unsafe extern "C-unwind" {
        pub(super) fn pthread_exit(result: *mut c_void) -> !;
    }
}

/// Windows' granularity of reservations, and its usual stack.
const GRANULARITY: usize = 64 << 10;
const USUAL_STACK: usize = 1 << 20;
/// The least stack in which the functions of this library and of the C library run.
const LEAST_STACK: usize = 2 * GRANULARITY;

/// The stack that a thread gets; `None` for the C library's default.
fn stack_size(asked: usize, exact: bool) -> Option<usize> {
    if asked == 0 {
        return None;
    }
    let (least, unit) = if exact { (LEAST_STACK, GRANULARITY) } else { (1, USUAL_STACK) };
    // What cannot be rounded up cannot be had either; the C library says so.
    Some(asked.max(least).checked_next_multiple_of(unit).unwrap_or(usize::MAX))
}

struct Attributes(libc::pthread_attr_t);

impl Attributes {
    fn new() -> Result<Self, c_int> {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: the C library initializes the local.
        check(unsafe { libc::pthread_attr_init(attributes.as_mut_ptr()) })?;
        // SAFETY: initialized.
        Ok(Self(unsafe { attributes.assume_init() }))
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: initialized by `new`.
        unsafe { libc::pthread_attr_destroy(&raw mut self.0) };
    }
}

const fn check(error: c_int) -> Result<(), c_int> {
    if error == 0 { Ok(()) } else { Err(error) }
}

/// Starts a thread that nobody joins. With `exact`, `stack` is its reservation, else what is used
/// of one; 0 leaves it to the C library.
pub(super) fn create_detached(
    stack: usize,
    exact: bool,
    routine: Routine,
    argument: *mut c_void,
) -> Result<(), c_int> {
    let mut attributes = Attributes::new()?;
    let detached = libc::PTHREAD_CREATE_DETACHED;
    // SAFETY: the attributes are initialized.
    check(unsafe { libc::pthread_attr_setdetachstate(&raw mut attributes.0, detached) })?;
    if let Some(size) = stack_size(stack, exact) {
        // SAFETY: the attributes are initialized.
        check(unsafe { libc::pthread_attr_setstacksize(&raw mut attributes.0, size) })?;
    }
    let mut thread = MaybeUninit::uninit();
    // SAFETY: the attributes are initialized; what the routine does with its argument is checked
    // where it is written.
    check(unsafe {
        c::pthread_create(thread.as_mut_ptr(), &raw const attributes.0, routine, argument)
    })
}

/// Ends the calling thread. Every frame of Rust between the thread's first and this one has nothing
/// to destroy and catches nothing.
pub(super) fn exit() -> ! {
    // SAFETY: the frames are the caller's `extern "C-unwind"` function and the trampoline; those
    // of the program are the program's affair.
    unsafe { c::pthread_exit(std::ptr::null_mut()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_are_reserved_as_on_windows() {
        const MB: usize = 1 << 20;
        for (asked, exact, size) in [
            (0, false, None),
            (0, true, None),
            (1, false, Some(MB)),
            (MB, false, Some(MB)),
            (MB + 1, false, Some(2 * MB)),
            (1, true, Some(LEAST_STACK)),
            (LEAST_STACK + 1, true, Some(LEAST_STACK + GRANULARITY)),
            (MB, true, Some(MB)),
            (usize::MAX, false, Some(usize::MAX)),
        ] {
            assert_eq!(stack_size(asked, exact), size, "{asked} {exact}");
        }
    }
}

//! WaitOnAddress: threads that wait for a value in the program's memory to change.
#![allow(unsafe_code, reason = "shared memory of the program, as atomics")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::thread::Thread;
use std::time::Instant;

use linsock::iocp::clock::Deadline;
use linsock::iocp::sync::Lock;

use super::object::no_access;
use crate::abi::{BOOL, FALSE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;

/// One thread that waits.
struct Waiting {
    address: usize,
    thread: Thread,
    woken: AtomicBool,
}

/// Who waits, by address: a few lists, so that threads at different addresses seldom meet. Whoever
/// waits looks at the value and enters the list under its lock; whoever wakes has changed the value
/// before, and takes the lock after: one of the two sees the other.
static WAITING: [Lock<Vec<Arc<Waiting>>>; LISTS] = [const { Lock::new(Vec::new()) }; LISTS];
const LISTS: usize = 64;

fn list_of(address: usize) -> &'static Lock<Vec<Arc<Waiting>>> {
    &WAITING[(address >> 3) % LISTS]
}

/// Memory of the program that may change at any time.
#[derive(Clone, Copy)]
struct Place {
    at: *const u8,
    size: usize,
}

impl Place {
    /// # Errors
    /// ERROR_INVALID_PARAMETER for another size than 1, 2, 4 and 8, and where it is not aligned;
    /// ERROR_NOACCESS.
    fn new(at: *const u8, size: usize) -> Outcome<Self> {
        if !matches!(size, 1 | 2 | 4 | 8) || !at.addr().is_multiple_of(size) {
            return Err(Error::ERROR_INVALID_PARAMETER);
        }
        ptr::check_readable(at, size).map_err(no_access)?;
        Ok(Self { at, size })
    }

    fn value(self) -> u64 {
        let at = self.at.cast_mut();
        let order = Ordering::SeqCst;
        match self.size {
            // SAFETY: readable and aligned (checked by `new`); the program changes it by atomic
            // operations or none at all, and keeps it in place while a thread waits for it.
            1 => unsafe { AtomicU8::from_ptr(at) }.load(order).into(),
            // SAFETY: as above.
            2 => unsafe { AtomicU16::from_ptr(at.cast()) }.load(order).into(),
            // SAFETY: as above.
            4 => unsafe { AtomicU32::from_ptr(at.cast()) }.load(order).into(),
            // SAFETY: as above.
            _ => unsafe { AtomicU64::from_ptr(at.cast()) }.load(order),
        }
    }

    /// Waits while the value is `undesired`. False when the time is over.
    fn wait(self, undesired: u64, deadline: Deadline) -> bool {
        let address = self.at.addr();
        let thread = std::thread::current();
        let own = Arc::new(Waiting { address, thread, woken: AtomicBool::new(false) });
        {
            let mut list = list_of(address).lock();
            if self.value() != undesired {
                return true;
            }
            list.push(Arc::clone(&own));
        }
        while !own.woken.load(Ordering::SeqCst) {
            match deadline {
                Deadline::Never => std::thread::park(),
                Deadline::At(at) => {
                    std::thread::park_timeout(at.saturating_duration_since(Instant::now()));
                }
            }
            if deadline.is_over() {
                break;
            }
        }
        // Under the lock: a waker that has taken this thread off the list has woken it.
        list_of(address).lock().retain(|other| !Arc::ptr_eq(other, &own));
        own.woken.load(Ordering::SeqCst)
    }
}

/// Wakes up to `most` of those who wait at an address, first come, first served.
fn wake(address: usize, mut most: usize) {
    let mut woken = Vec::new();
    list_of(address).lock().retain(|waiting| {
        let takes = most > 0 && waiting.address == address;
        if takes {
            most -= 1;
            waiting.woken.store(true, Ordering::SeqCst);
            woken.push(Arc::clone(waiting));
        }
        !takes
    });
    woken.iter().for_each(|waiting| waiting.thread.unpark());
}

export! {
    /// Waits while the value at an address is the one at another, until it is told that it changed
    /// or the time is over. It may return without a reason: look at the value.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitonaddress>
    ///
    /// Blocks; not alertable.
    ///
    /// # Errors
    /// FALSE with ERROR_TIMEOUT, ERROR_INVALID_PARAMETER (a size other than 1, 2, 4 and 8, or an
    /// address that is not aligned to it), ERROR_NOACCESS.
    fn WaitOnAddress(
        Address: *const u8,
        CompareAddress: *const u8,
        AddressSize: usize,
        dwMilliseconds: u32,
    ) -> BOOL, fail FALSE; {
        let deadline = Deadline::after_ms(dwMilliseconds);
        let place = Place::new(Address, AddressSize)?;
        let mut undesired = [0; 8];
        let compared = ptr::read_into(CompareAddress, &mut undesired[..AddressSize]);
        compared.map_err(no_access)?;
        let waited = place.wait(u64::from_le_bytes(undesired), deadline);
        if waited { Ok(TRUE) } else { Err(Error::ERROR_TIMEOUT) }
    }

    /// Wakes one thread that waits at an address, if one does.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-wakebyaddresssingle>
    ///
    /// The memory is not looked at.
    fn WakeByAddressSingle(Address: *const u8) -> (), fail (); {
        wake(Address.addr(), 1);
        Ok(())
    }

    /// Wakes all threads that wait at an address.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-wakebyaddressall>
    ///
    /// The memory is not looked at.
    fn WakeByAddressAll(Address: *const u8) -> (), fail (); {
        wake(Address.addr(), usize::MAX);
        Ok(())
    }
}

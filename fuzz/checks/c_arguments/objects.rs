//! Names of objects, timers, one-time initialization, values that are waited for, dates, the thread
//! pool's objects by numbers that are none.

use linsock_c::kernel32::address::{WaitOnAddress, WakeByAddressAll};
use linsock_c::kernel32::calendar::{FileTimeToSystemTime, SystemTimeToFileTime};
use linsock_c::kernel32::critical::{InitOnceBeginInitialize, InitOnceComplete};
use linsock_c::kernel32::object::{CloseHandle, CreateEventW, OpenEventW};
use linsock_c::kernel32::pool::object::timer::{
    SetThreadpoolTimerEx, WaitForThreadpoolTimerCallbacks,
};
use linsock_c::kernel32::pool::object::work::{CloseThreadpoolWork, SubmitThreadpoolWork};
use linsock_c::kernel32::pool::queue::DeleteTimerQueueEx;
use linsock_c::kernel32::pool::registered::UnregisterWaitEx;
use linsock_c::kernel32::signal::{GetHandleInformation, PulseEvent, SignalObjectAndWait};
use linsock_c::kernel32::timer::{CancelWaitableTimer, CreateWaitableTimerW, SetWaitableTimer};
use linsock_c::kernel32::tls::{TlsGetValue, TlsSetValue};

use super::{Run, Step, outcome};
use crate::c::memory::Use;
use crate::c::sockets::call;

pub(crate) const STEPS: &[Step] = &[
    name_an_event,
    set_timer,
    wait_on_address,
    initialize_once,
    dates,
    signal_it,
    what_is_of_the_pool,
    thread_storage,
];

fn name_an_event(run: &mut Run<'_>) {
    let name = run.wide_text();
    let event = match run.script.rarely(2) {
        true => call!(OpenEventW(0, 0, name)),
        false => call!(CreateEventW(std::ptr::null(), 0, 0, name)),
    };
    if !outcome(event == 0).is_refused() {
        assert_ne!(call!(CloseHandle(event)), 0, "its own handle");
    }
}

/// A time: none, now, long ago, never.
fn time(run: &mut Run<'_>) -> *mut u8 {
    let any = u64::from(run.script.number()) << 32 | u64::from(run.script.number());
    let time = run.script.pick(&[any, 0, 1, 1 << 63, u64::MAX, u64::MAX >> 1, any | 1 << 63]);
    run.memory.pointer(&mut run.script, &time.to_ne_bytes(), Use::Read)
}

fn set_timer(run: &mut Run<'_>) {
    let (due, period) = (time(run), run.script.pick(&[0, 1, -1, i32::MAX, i32::MIN]));
    let timer = call!(CreateWaitableTimerW(std::ptr::null(), 0, std::ptr::null()));
    let other = run.handles.closable(&mut run.script);
    let meant = if run.script.rarely(4) { other } else { timer };
    let none = std::ptr::null_mut();
    let set = outcome(call!(SetWaitableTimer(meant, due.cast(), period, None, none, 0)) == 0);
    assert!(meant == timer || set.is_refused(), "{meant:#x} is no timer");
    outcome(call!(CancelWaitableTimer(meant)) == 0);
    assert_ne!(call!(CloseHandle(timer)), 0, "its own handle");
}

fn wait_on_address(run: &mut Run<'_>) {
    let value = run.script.number().to_ne_bytes();
    let [at, compared] = [(), ()].map(|()| {
        run.memory.pointer(&mut run.script, &[value, value].concat(), Use::Read).cast_const()
    });
    let size = run.script.pick(&[4, 8, 2, 1, 0, 3, usize::MAX]);
    outcome(call!(WaitOnAddress(at, compared, size, 0)) == 0);
    call!(WakeByAddressAll(at));
}

/// Never in the way that waits for another thread.
fn initialize_once(run: &mut Run<'_>) {
    let word = u64::from(run.script.octet());
    let once = run.memory.pointer(&mut run.script, &word.to_ne_bytes(), Use::Write);
    let flags = run.script.flags(&[1, 2, 4]) | run.script.pick(&[1, 2]);
    let pending = run.memory.place_for(&mut run.script, 4);
    let context = run.memory.place_for(&mut run.script, 8);
    let begun = call!(InitOnceBeginInitialize(once.cast(), flags, pending.cast(), context.cast()));
    outcome(begun == 0);
    let (flags, value) = (run.script.flags(&[1, 2, 4]), u64::from(run.script.number()));
    outcome(call!(InitOnceComplete(once.cast(), flags, value)) == 0);
}

fn dates(run: &mut Run<'_>) {
    let (of, date) = (time(run), run.memory.place_for(&mut run.script, 16));
    if !outcome(call!(FileTimeToSystemTime(of.cast(), date.cast())) == 0).is_refused() {
        let again = run.memory.plain(&[0; 8]);
        let turned = call!(SystemTimeToFileTime(date.cast(), again.cast()));
        outcome(turned == 0);
    }
    let octets: Vec<u8> = (0..16).map(|_| run.script.octet() & 0x1F).collect();
    let date = run.memory.pointer(&mut run.script, &octets, Use::Read);
    let into = run.memory.place_for(&mut run.script, 8);
    outcome(call!(SystemTimeToFileTime(date.cast(), into.cast())) == 0);
}

fn signal_it(run: &mut Run<'_>) {
    let [one, two] = [(), ()].map(|()| run.handles.event(&mut run.script));
    let flags = run.memory.place_for(&mut run.script, 4);
    match run.script.below(3) {
        0 => outcome(call!(PulseEvent(one)) == 0),
        1 => outcome(call!(SignalObjectAndWait(one, two, 0, 1)) == u32::MAX),
        _ => outcome(call!(GetHandleInformation(one, flags.cast())) == 0),
    };
}

/// None of a run's handles is an object of the pool.
fn what_is_of_the_pool(run: &mut Run<'_>) {
    let (number, due) = (run.handles.closable(&mut run.script), time(run));
    call!(SubmitThreadpoolWork(number));
    call!(CloseThreadpoolWork(number));
    call!(WaitForThreadpoolTimerCallbacks(number, 1));
    let set = outcome(call!(SetThreadpoolTimerEx(number, due.cast(), 1, 0)) != 0);
    let deleted = outcome(call!(DeleteTimerQueueEx(number, usize::MAX)) == 0);
    let ended = outcome(call!(UnregisterWaitEx(number, usize::MAX)) == 0);
    assert!(deleted.is_refused() && ended.is_refused(), "{number:#x} is no such object");
    assert!(set.is_refused() || crate::c::sockets::error() != 0, "{number:#x} is no timer");
}

fn thread_storage(run: &mut Run<'_>) {
    let index = run.script.number();
    outcome(call!(TlsSetValue(index, 7)) == 0);
    call!(TlsGetValue(index));
}

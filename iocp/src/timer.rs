//! Waitable timers: events that a time signals.

use std::io;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime};

use crate::alarm::{Due, Ring, Setting};
use crate::apc::Apc;
use crate::event::{Event, Waitable, Waiters};
use crate::handle::AnyWaitable;
use crate::sync::Lock;
use crate::thread::{self, Thread};

/// What is called on the thread that set a timer, with the time at which it was signaled.
pub type Routine = Arc<dyn Fn(SystemTime) + Send + Sync>;

/// A waitable timer, as its handles have it: with the last of them it is cancelled, even if the
/// clock's thread has it in hands just then.
pub struct Timer(Arc<Inner>);

struct Inner {
    signal: Event,
    state: Lock<State>,
    me: Weak<Self>,
}

#[derive(Default)]
struct State {
    setting: Setting,
    call: Option<Call>,
    /// Counts settings: a call that an earlier one queued is not made.
    epoch: u64,
}

#[derive(Clone)]
struct Call {
    thread: Arc<Thread>,
    routine: Routine,
    /// It waits in the thread's queue, which takes it once at a time.
    queued: bool,
}

impl Timer {
    /// A timer that is not set. One that resets itself releases one who waits, and is then not
    /// signaled; the other kind stays signaled until it is set again.
    pub fn new(manual_reset: bool) -> Self {
        Self(Arc::new_cyclic(|me| Inner {
            signal: Event::new(manual_reset, false),
            state: Lock::default(),
            me: Weak::clone(me),
        }))
    }

    /// Sets the timer: it is not signaled until then. A routine is queued to the calling thread
    /// each time; one of a former setting that waits there is not run any more.
    ///
    /// # Errors
    /// When the clock cannot be started; then the timer is not set.
    pub fn set(
        &self,
        at: Option<Instant>,
        period: Duration,
        routine: Option<Routine>,
    ) -> io::Result<()> {
        self.0.set(at, period, routine)
    }

    /// The timer expires no more; its signal stays as it is.
    pub fn cancel(&self) {
        self.0.state.lock().abandon();
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl Inner {
    fn set(
        &self,
        at: Option<Instant>,
        period: Duration,
        routine: Option<Routine>,
    ) -> io::Result<()> {
        let mut state = self.state.lock();
        state.abandon();
        self.signal.reset();
        state.setting.set(at, period, &self.me)?;
        let call = |routine| Call { thread: thread::current(), routine, queued: false };
        state.call = routine.map(call);
        if let Some(at) = at.filter(|at| *at <= Instant::now()) {
            // Who looks right after the call sees it.
            state.setting.overtake(at, &self.me);
            self.expire(&mut state);
        }
        Ok(())
    }

    /// Under the lock, so that no later setting comes between.
    fn expire(&self, state: &mut State) {
        if state.call.as_ref().is_some_and(|call| call.thread.has_exited()) {
            // SetWaitableTimer page: the end of that thread cancels the timer.
            return state.abandon();
        }
        self.signal.set();
        let epoch = state.epoch;
        if let Some(call) = state.call.as_mut().filter(|call| !call.queued) {
            let (timer, routine, now) =
                (Weak::clone(&self.me), Arc::clone(&call.routine), SystemTime::now());
            call.queued = call.thread.queue_apc(Apc::revocable(move || {
                let is_due = timer.upgrade().is_some_and(|timer| timer.begin_call(epoch));
                if is_due {
                    routine(now);
                }
                is_due
            }));
        }
    }

    /// A queued call is about to be made; false if the timer was set anew or cancelled since.
    fn begin_call(&self, epoch: u64) -> bool {
        let mut state = self.state.lock();
        let is_due = state.epoch == epoch;
        if let Some(call) = state.call.as_mut().filter(|_| is_due) {
            call.queued = false;
        }
        is_due
    }
}

impl State {
    fn abandon(&mut self) {
        self.setting.clear();
        self.call = None;
        self.epoch += 1;
    }
}

impl Ring for Inner {
    fn ring(self: Arc<Self>, due: Due) {
        let mut state = self.state.lock();
        if state.setting.rings(due, &self.me) {
            self.expire(&mut state);
        }
    }
}

impl Waitable for Timer {
    fn take(&self) -> bool {
        self.0.signal.take()
    }

    fn is_signaled(&self) -> bool {
        self.0.signal.is_set()
    }

    fn give_back(&self) {
        self.0.signal.give_back();
    }

    fn waiters(&self) -> &Waiters {
        self.0.signal.waiters()
    }
}

impl AnyWaitable for Timer {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Deadline;
    use crate::sync::atomic::{AtomicU32, Ordering};
    use crate::wait::{Waited, Which, sleep, wait};

    const MS: Duration = Duration::from_millis(1);
    const HOUR: Duration = Duration::from_secs(3600);

    fn after(delay: Duration) -> Option<Instant> {
        Instant::now().checked_add(delay)
    }

    fn counting() -> (Routine, Arc<AtomicU32>) {
        let count = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&count);
        let call = move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
        };
        (Arc::new(call), count)
    }

    fn expires(timer: &Timer) -> bool {
        wait(&[timer], Which::Any, Deadline::after(10 * MS), false) == Waited::Object(0)
    }

    #[test]
    fn a_timer_that_is_due_is_signaled_when_the_call_returns() {
        for manual_reset in [true, false] {
            let timer = Timer::new(manual_reset);
            timer.set(after(Duration::ZERO), Duration::ZERO, None).unwrap();
            assert!(timer.is_signaled());
            assert_eq!([timer.take(), timer.take()], [true, manual_reset]);
        }
    }

    /// A wait looks once more when its time is up, so one that was not woken shows in the time.
    #[test]
    fn a_timer_wakes_who_waits() {
        let (timer, begun) = (Timer::new(false), Instant::now());
        timer.set(after(20 * MS), Duration::ZERO, None).unwrap();
        let waited = wait(&[&timer], Which::Any, Deadline::after(5000 * MS), false);
        assert_eq!(waited, Waited::Object(0));
        assert!(begun.elapsed() < 5000 * MS);
    }

    /// The second of the two has nothing to take, and so the first gives it back.
    #[test]
    fn a_wait_for_all_that_has_nothing_takes_nothing() {
        let timer = Timer::new(false);
        timer.set(after(Duration::ZERO), Duration::ZERO, None).unwrap();
        let both: [&dyn Waitable; 2] = [&timer, &timer];
        assert_eq!(wait(&both, Which::All, Deadline::after_ms(0), false), Waited::TimedOut);
        assert!(timer.is_signaled());
    }

    #[test]
    fn setting_anew_takes_the_signal_and_the_queued_call_away() {
        let timer = Timer::new(true);
        let (routine, count) = counting();
        timer.set(after(Duration::ZERO), Duration::ZERO, Some(routine)).unwrap();
        timer.set(after(HOUR), Duration::ZERO, None).unwrap();
        assert!(!timer.is_signaled());
        let slept = sleep(Deadline::after(MS), true);
        assert_eq!(slept, Waited::TimedOut, "what is not called alerts nobody");
        assert_eq!(count.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn a_cancelled_timer_keeps_its_signal_and_expires_no_more() {
        let timer = Timer::new(false);
        let (routine, count) = counting();
        timer.set(after(Duration::ZERO), MS, Some(routine)).unwrap();
        timer.cancel();
        assert!(timer.take());
        assert!(!expires(&timer));
        sleep(Deadline::after_ms(0), true);
        assert_eq!(count.load(Ordering::SeqCst), 0);
    }

    /// Whoever has closed it may free what its routine uses.
    #[test]
    fn a_closed_timer_calls_nobody_even_if_it_has_expired() {
        let timer = Timer::new(false);
        let (routine, count) = counting();
        timer.set(after(Duration::ZERO), MS, Some(routine)).unwrap();
        // As the clock's thread has it while it rings.
        let in_hands = Arc::clone(&timer.0);
        drop(timer);
        assert_eq!(sleep(Deadline::after(5 * MS), true), Waited::TimedOut);
        assert_eq!(count.load(Ordering::SeqCst), 0);
        assert!(!in_hands.state.lock().setting.is_set());
    }

    /// A kernel APC object is in one queue once.
    #[test]
    fn the_call_is_queued_once_at_a_time() {
        let timer = Timer::new(false);
        let (routine, count) = counting();
        timer.set(after(Duration::ZERO), MS, Some(routine)).unwrap();
        (0..5).for_each(|_| while !expires(&timer) {});
        assert_eq!(sleep(Deadline::after_ms(0), true), Waited::Alerted);
        timer.cancel();
        assert!((1..=2).contains(&count.load(Ordering::SeqCst)));
    }

    #[test]
    fn the_end_of_the_thread_that_is_called_cancels_the_timer() {
        let timer = Timer::new(true);
        let (routine, _) = counting();
        let of_another = || timer.set(after(5 * MS), MS, Some(routine)).unwrap();
        std::thread::scope(|scope| scope.spawn(of_another).join().unwrap());
        assert!(!expires(&timer) && !expires(&timer));
        assert!(!timer.0.state.lock().setting.is_set());
    }
}

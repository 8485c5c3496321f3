//! The alarm clock: tells an object when a time has come, unless it is called off before.
//!
//! One lazily started thread with all alarms in their order. Not the guardian's: that looks at
//! ports and performs what others left, and a time is not to wait for that; and not a descriptor
//! of the reactor: somebody has to be there for it when nobody waits. What an alarm sets off is
//! short and is never the program's own code, which runs on the threads of a pool
//! ([`pool`](crate::pool)) or as an APC.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, OnceLock, Weak};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crate::servant;
use crate::sync::Lock;
use crate::sync::atomic::{AtomicU64, Ordering};

/// Something that is told when its time has come.
pub trait Ring: Send + Sync {
    /// The alarm rings. It may have been called off a moment ago: see [`Setting::rings`].
    ///
    /// Called on the clock's thread, with no lock held.
    fn ring(self: Arc<Self>, due: Due);
}

/// When an alarm rings, and which of several at the same time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    at: Instant,
    number: u64,
}

/// An alarm that is set; dropping it calls it off.
#[derive(Debug)]
struct Alarm(Due);

impl Drop for Alarm {
    fn drop(&mut self) {
        let gone = CLOCK.alarms.lock().remove(&self.0);
        // Outside the lock: it may be the last trace of the object.
        drop(gone);
    }
}

struct Clock {
    alarms: Lock<BTreeMap<Due, Weak<dyn Ring>>>,
    thread: OnceLock<Thread>,
}

static CLOCK: Clock = Clock { alarms: Lock::new(BTreeMap::new()), thread: OnceLock::new() };

impl Clock {
    fn set(&'static self, at: Instant, ring: Weak<dyn Ring>) -> io::Result<Alarm> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let thread = self.thread()?;
        let due = Due { at, number: NEXT.fetch_add(1, Ordering::Relaxed) };
        let mut alarms = self.alarms.lock();
        alarms.insert(due, ring);
        let is_next = alarms.first_key_value().is_some_and(|(first, _)| *first == due);
        drop(alarms);
        if is_next {
            thread.unpark();
        }
        Ok(Alarm(due))
    }

    fn thread(&'static self) -> io::Result<&'static Thread> {
        static STARTING: Lock<()> = Lock::new(());
        if let Some(thread) = self.thread.get() {
            return Ok(thread);
        }
        let _one_at_a_time = STARTING.lock();
        if let Some(thread) = self.thread.get() {
            return Ok(thread);
        }
        let started = servant::spawn("linsock-alarm", None, || self.run())?;
        Ok(self.thread.get_or_init(|| started))
    }

    fn run(&self) {
        loop {
            match self.next() {
                Next::Ring(due, ring) => {
                    // A panic must not take the alarms of all others along.
                    let ring = std::panic::AssertUnwindSafe(move || ring.ring(due));
                    let _ = std::panic::catch_unwind(ring);
                }
                Next::Rest(time) => std::thread::park_timeout(time),
                Next::Sleep => std::thread::park(),
            }
        }
    }

    fn next(&self) -> Next {
        loop {
            let mut alarms = self.alarms.lock();
            let Some((&first, _)) = alarms.first_key_value() else { return Next::Sleep };
            let left = first.at.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                return Next::Rest(left);
            }
            let ring = alarms.pop_first().and_then(|(_, ring)| ring.upgrade());
            drop(alarms);
            if let Some(ring) = ring {
                return Next::Ring(first, ring);
            }
        }
    }
}

/// What the clock's thread does next.
enum Next {
    Ring(Due, Arc<dyn Ring>),
    Rest(Duration),
    Sleep,
}

/// What a timer is set to: once, again and again, or not at all. It stands under its timer's lock.
#[derive(Debug, Default)]
pub struct Setting {
    alarm: Option<Alarm>,
    period: Duration,
    /// It has rung since it was set.
    has_rung: bool,
}

impl Setting {
    /// Sets it anew: to ring at a time, and then each `period` unless that is zero. No time is one
    /// that no clock reaches.
    ///
    /// # Errors
    /// When the clock's thread cannot be started; then it is not set.
    pub fn set(
        &mut self,
        at: Option<Instant>,
        period: Duration,
        ring: &Weak<impl Ring + 'static>,
    ) -> io::Result<()> {
        self.clear();
        self.period = period;
        self.has_rung = false;
        if let Some(at) = at {
            self.alarm = Some(CLOCK.set(at, Weak::clone(ring) as Weak<dyn Ring>)?);
        }
        Ok(())
    }

    /// It rings no more.
    pub fn clear(&mut self) {
        self.alarm = None;
    }

    /// Whether it is going to ring.
    pub const fn is_set(&self) -> bool {
        self.alarm.is_some()
    }

    /// Whether it has rung and is not going to ring again.
    pub const fn has_rung_out(&self) -> bool {
        self.has_rung && !self.is_set()
    }

    /// An alarm has rung: true if it is what this is set to, and not a former setting's that was
    /// called off too late. Then the next one of a period is set.
    pub fn rings(&mut self, due: Due, ring: &Weak<impl Ring + 'static>) -> bool {
        let is_own = self.alarm.as_ref().is_some_and(|alarm| alarm.0 == due);
        if is_own {
            self.clear();
            self.repeat(due.at, ring);
        }
        is_own
    }

    /// The time was over when it was set, and its timer has seen to it: only the period is left.
    pub fn overtake(&mut self, at: Instant, ring: &Weak<impl Ring + 'static>) {
        self.clear();
        self.repeat(at, ring);
    }

    /// The next one of a period after this time; those that are over already are left out.
    fn repeat(&mut self, last: Instant, ring: &Weak<impl Ring + 'static>) {
        self.has_rung = true;
        if let Some(next) = next_of(last, self.period, Instant::now()) {
            // The clock's thread is there: an alarm has rung.
            self.alarm = CLOCK.set(next, Weak::clone(ring) as Weak<dyn Ring>).ok();
        }
    }
}

/// The first time after `now` that is a whole number of periods after `last`.
fn next_of(last: Instant, period: Duration, now: Instant) -> Option<Instant> {
    if period.is_zero() {
        return None;
    }
    let over = now.saturating_duration_since(last).as_nanos() / period.as_nanos();
    let periods = u32::try_from(over).unwrap_or(u32::MAX - 1) + 1;
    last.checked_add(period.checked_mul(periods)?)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const HOUR: Duration = Duration::from_secs(3600);

    /// Tells of each alarm that is its own.
    struct Bell {
        setting: Lock<Setting>,
        rung: Lock<Sender<Instant>>,
        me: Weak<Self>,
    }

    impl Ring for Bell {
        fn ring(self: Arc<Self>, due: Due) {
            if self.setting.lock().rings(due, &self.me) {
                self.rung.lock().send(Instant::now()).unwrap();
            }
        }
    }

    impl Bell {
        fn set(&self, after: Duration, period: Duration) {
            let at = Instant::now().checked_add(after);
            self.setting.lock().set(at, period, &self.me).unwrap();
        }
    }

    fn bell() -> (Arc<Bell>, std::sync::mpsc::Receiver<Instant>) {
        let (rung, told) = channel();
        let bell = Arc::new_cyclic(|me| Bell {
            setting: Lock::default(),
            rung: Lock::new(rung),
            me: Weak::clone(me),
        });
        (bell, told)
    }

    #[test]
    fn an_alarm_rings_once_and_not_early() {
        let (bell, told) = bell();
        let begun = Instant::now();
        bell.set(20 * MS, Duration::ZERO);
        assert!(!bell.setting.lock().has_rung_out());
        assert!(told.recv().unwrap() - begun >= 20 * MS);
        assert!(bell.setting.lock().has_rung_out());
        assert!(told.recv_timeout(30 * MS).is_err(), "once");
    }

    #[test]
    fn a_period_rings_until_it_is_cleared() {
        let (bell, told) = bell();
        bell.set(Duration::ZERO, MS);
        for _ in 0..5 {
            told.recv().unwrap();
        }
        bell.setting.lock().clear();
        while told.try_recv().is_ok() {}
        assert!(told.recv_timeout(20 * MS).is_err());
    }

    /// The later one is set first: the thread has to be told of the earlier one.
    #[test]
    fn the_earlier_alarm_rings_first() {
        let ((late, _late_told), (early, early_told)) = (bell(), bell());
        late.set(HOUR, Duration::ZERO);
        early.set(MS, Duration::ZERO);
        early_told.recv().unwrap();
        assert!(late.setting.lock().is_set());
    }

    #[test]
    fn an_alarm_of_what_is_gone_or_was_set_anew_is_forgotten() {
        let number_of_alarms = |bell: &Weak<Bell>| {
            let alarms = CLOCK.alarms.lock();
            alarms.values().filter(|ring| ring.as_ptr().addr() == bell.as_ptr().addr()).count()
        };
        let (bell, _told) = bell();
        let weak = Arc::downgrade(&bell);
        (0..10).for_each(|_| bell.set(HOUR, Duration::ZERO));
        assert_eq!(number_of_alarms(&weak), 1);
        drop(bell);
        assert_eq!(number_of_alarms(&weak), 0);
    }

    #[test]
    fn only_what_has_rung_and_is_not_set_has_rung_out() {
        let (bell, told) = bell();
        assert!(!bell.setting.lock().has_rung_out(), "never set");
        bell.set(HOUR, Duration::ZERO);
        bell.setting.lock().clear();
        assert!(!bell.setting.lock().has_rung_out(), "called off");
        bell.set(Duration::ZERO, HOUR);
        told.recv().unwrap();
        assert!(!bell.setting.lock().has_rung_out(), "it has a period");
        bell.setting.lock().clear();
        assert!(bell.setting.lock().has_rung_out());
        bell.set(HOUR, Duration::ZERO);
        bell.setting.lock().clear();
        assert!(!bell.setting.lock().has_rung_out(), "set anew");
    }

    /// Whoever set it has seen to the time that was over: nobody is told of that once more.
    #[test]
    fn what_is_overtaken_has_rung() {
        let (bell, told) = bell();
        let overtaken = |period| {
            let now = Instant::now();
            let mut setting = bell.setting.lock();
            setting.set(Some(now), period, &bell.me).unwrap();
            setting.overtake(now, &bell.me);
            (setting.is_set(), setting.has_rung_out())
        };
        assert_eq!(overtaken(Duration::ZERO), (false, true));
        assert_eq!(overtaken(HOUR), (true, false));
        assert!(told.recv_timeout(20 * MS).is_err());
    }

    #[test]
    fn a_late_period_is_not_made_up_for() {
        let last = Instant::now();
        assert_eq!(next_of(last, Duration::ZERO, last), None);
        assert_eq!(next_of(last, 10 * MS, last), Some(last + 10 * MS));
        assert_eq!(next_of(last, 10 * MS, last + 9 * MS), Some(last + 10 * MS));
        assert_eq!(next_of(last, 10 * MS, last + 10 * MS), Some(last + 20 * MS));
        assert_eq!(next_of(last, 10 * MS, last + 35 * MS), Some(last + 40 * MS));
        let (tiny, most) = (Duration::from_nanos(1), Duration::from_nanos(u32::MAX.into()));
        let at_once = Some(last + most);
        assert_eq!(next_of(last, tiny, last + 2 * most), at_once, "as many as 32 bits count");
    }
}

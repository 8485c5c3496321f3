//! The keyed event: two threads meet at an address, one that waits and one that releases it.
//!
//! Whoever comes first waits for the other, so no release is lost and none is kept. What locks of
//! programs' own are made of that must not allocate: ntdll's are, and wepoll's.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::clock::Deadline;
use crate::event::Event;
use crate::sync::Lock;
use crate::wait::{self, Waited, Which};

/// What a thread has come for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// To be released.
    Wait,
    /// To release one that waits.
    Release,
}

/// A keyed event.
#[derive(Debug, Default)]
pub struct KeyedEvent(Lock<HashMap<usize, Early>>);

/// Those that came to a key first, and what all of them have come for.
#[derive(Debug)]
struct Early {
    role: Role,
    threads: VecDeque<Arc<Event>>,
}

impl KeyedEvent {
    /// Meets a thread that has come to the key for the other role: true, or what ended the wait for
    /// one. Those that came first are met first.
    ///
    /// Blocks until the deadline. An alertable wait ends with an APC.
    pub fn meet(&self, key: usize, role: Role, deadline: Deadline, alertable: bool) -> Waited {
        let Some(own) = self.meet_or_stay(key, role) else { return Waited::Object(0) };
        let waited = wait::wait(&[&*own], Which::Any, deadline, alertable);
        match waited {
            // Met at the last moment: the other one is gone, and counts on it.
            Waited::TimedOut | Waited::Alerted if !self.leave(key, &own) => Waited::Object(0),
            waited => waited,
        }
    }

    /// Meets who is there, or stays: `Some` is what is set when the other comes.
    fn meet_or_stay(&self, key: usize, role: Role) -> Option<Arc<Event>> {
        let mut keys = self.0.lock();
        let early = keys.entry(key).or_insert_with(|| Early { role, threads: VecDeque::new() });
        if early.role == role {
            let own = Arc::new(Event::new(false, false));
            early.threads.push_back(Arc::clone(&own));
            return Some(own);
        }
        let met = early.threads.pop_front();
        if early.threads.is_empty() {
            keys.remove(&key);
        }
        drop(keys);
        if let Some(met) = met {
            met.set();
        }
        None
    }

    /// Gives up; false when the other has come.
    fn leave(&self, key: usize, own: &Arc<Event>) -> bool {
        let mut keys = self.0.lock();
        let Some(early) = keys.get_mut(&key) else { return false };
        let before = early.threads.len();
        early.threads.retain(|event| !Arc::ptr_eq(event, own));
        let was_there = early.threads.len() < before;
        if early.threads.is_empty() {
            keys.remove(&key);
        }
        was_there
    }

    /// How many threads have come to the key and wait, and for what.
    #[cfg(test)]
    fn early(&self, key: usize) -> Option<(Role, usize)> {
        self.0.lock().get(&key).map(|early| (early.role, early.threads.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: u32 = 1;

    fn meet(event: &KeyedEvent, key: usize, role: Role) -> Waited {
        event.meet(key, role, Deadline::Never, false)
    }

    /// Whoever comes first waits (our choice after NtReleaseKeyedEvent's behaviour, which wepoll's
    /// locks rely on: a release before the wait is not lost).
    #[test]
    fn each_role_waits_for_the_other() {
        for (first, second) in [(Role::Wait, Role::Release), (Role::Release, Role::Wait)] {
            let event = KeyedEvent::default();
            std::thread::scope(|scope| {
                let early = scope.spawn(|| meet(&event, 2, first));
                while event.early(2) != Some((first, 1)) {
                    std::thread::yield_now();
                }
                assert_eq!(meet(&event, 2, second), Waited::Object(0));
                assert_eq!(early.join().unwrap(), Waited::Object(0));
            });
            assert_eq!(event.early(2), None);
        }
    }

    #[test]
    fn a_thread_that_gives_up_is_met_by_nobody() {
        let event = KeyedEvent::default();
        for role in [Role::Wait, Role::Release, Role::Wait] {
            let waited = event.meet(4, role, Deadline::after_ms(SOON), false);
            assert_eq!(waited, Waited::TimedOut);
            assert_eq!(event.early(4), None);
        }
    }

    #[test]
    fn other_keys_are_others_affair() {
        let event = KeyedEvent::default();
        std::thread::scope(|scope| {
            let early = scope.spawn(|| meet(&event, 2, Role::Wait));
            while event.early(2).is_none() {
                std::thread::yield_now();
            }
            let other = event.meet(4, Role::Release, Deadline::after_ms(SOON), false);
            assert_eq!(other, Waited::TimedOut);
            assert_eq!(meet(&event, 2, Role::Release), Waited::Object(0));
            assert_eq!(early.join().unwrap(), Waited::Object(0));
        });
    }

    /// As many meet as came, whatever the order.
    #[test]
    fn every_thread_meets_one() {
        let event = &KeyedEvent::default();
        std::thread::scope(|scope| {
            for role in [Role::Wait, Role::Release] {
                for _ in 0..4 {
                    scope.spawn(move || {
                        for _ in 0..200 {
                            assert_eq!(meet(event, 6, role), Waited::Object(0));
                        }
                    });
                }
            }
        });
        assert_eq!(event.early(6), None);
    }
}

//! First-in, first-out queues for what an endpoint has little of.
//!
//! The receives of nearly every endpoint are none or one: [`Queue`] holds one element without the
//! heap. Sends that wait are rare: a [`RareQueue`] is one pointer while it is empty, because every
//! connection carries its room and pays for it in cache lines.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

/// A queue that is nearly always empty.
#[derive(Clone, Debug)]
#[expect(clippy::box_collection, reason = "an empty one is to be small")]
pub struct RareQueue<T>(Option<Box<VecDeque<T>>>);

/// A queue of nearly always one at most. While `first` is empty, so is `rest`.
#[derive(Clone, Debug)]
pub struct Queue<T> {
    first: Option<T>,
    rest: RareQueue<T>,
}

/// The elements of a queue, oldest first.
#[derive(Debug)]
pub struct Drain<T>(Queue<T>);

impl<T> Default for RareQueue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> RareQueue<T> {
    /// An empty queue.
    pub const fn new() -> Self {
        Self(None)
    }

    /// True when nothing waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many wait.
    #[inline]
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |elements| elements.len())
    }

    /// Every element, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flat_map(|elements| elements.iter())
    }

    /// Adds the newest.
    pub fn push_back(&mut self, element: T) {
        self.0.get_or_insert_default().push_back(element);
    }

    /// Puts back the oldest.
    pub fn push_front(&mut self, element: T) {
        self.0.get_or_insert_default().push_front(element);
    }

    /// Takes the oldest.
    #[inline]
    pub fn pop_front(&mut self) -> Option<T> {
        self.0.as_mut()?.pop_front()
    }
}

impl<T> Extend<T> for RareQueue<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, elements: I) {
        elements.into_iter().for_each(|element| self.push_back(element));
    }
}

impl<T> IntoIterator for RareQueue<T> {
    type Item = T;
    type IntoIter = core::iter::Flatten<core::option::IntoIter<VecDeque<T>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.map(|elements| *elements).into_iter().flatten()
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Queue<T> {
    /// An empty queue.
    pub const fn new() -> Self {
        Self { first: None, rest: RareQueue::new() }
    }

    /// True when nothing waits.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    /// The oldest.
    #[inline]
    pub const fn front(&self) -> Option<&T> {
        self.first.as_ref()
    }

    /// The oldest, to work on.
    #[inline]
    pub const fn front_mut(&mut self) -> Option<&mut T> {
        self.first.as_mut()
    }

    /// Every element, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(self.rest.iter())
    }

    /// Adds the newest.
    #[inline]
    pub fn push_back(&mut self, element: T) {
        if self.first.is_none() {
            self.first = Some(element);
        } else {
            self.rest.push_back(element);
        }
    }

    /// Puts back the oldest.
    #[inline]
    pub fn push_front(&mut self, element: T) {
        if let Some(second) = self.first.replace(element) {
            self.rest.push_front(second);
        }
    }

    /// Takes the oldest. Most looks find nothing, and then nothing is moved.
    #[inline]
    pub fn pop_front(&mut self) -> Option<T> {
        if self.rest.is_empty() { self.first.take() } else { self.advance() }
    }

    #[cold]
    fn advance(&mut self) -> Option<T> {
        core::mem::replace(&mut self.first, self.rest.pop_front())
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// Whether an element waits.
    pub fn contains(&self, element: &T) -> bool
    where
        T: PartialEq,
    {
        self.iter().any(|waiting| waiting == element)
    }
}

impl<T: PartialEq> PartialEq for Queue<T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<T: Eq> Eq for Queue<T> {}

impl<T> Iterator for Drain<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.pop_front()
    }
}

impl<T> IntoIterator for Queue<T> {
    type Item = T;
    type IntoIter = Drain<T>;

    fn into_iter(self) -> Drain<T> {
        Drain(self)
    }
}

impl<T> Extend<T> for Queue<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, elements: I) {
        elements.into_iter().for_each(|element| self.push_back(element));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn a_rare_queue_is_a_queue_whatever_its_length() {
        assert_eq!(size_of::<RareQueue<[u8; 100]>>(), size_of::<usize>());
        for len in 0..5 {
            let mut queue = RareQueue::new();
            assert!(queue.is_empty() && queue.pop_front().is_none());
            queue.extend(1..=len);
            queue.push_front(0);
            assert_eq!((queue.len(), queue.is_empty()), (len + 1, false));
            assert_eq!(queue.iter().copied().collect::<Vec<_>>(), (0..=len).collect::<Vec<_>>());
            assert_eq!(queue.pop_front(), Some(0));
            assert_eq!(queue.into_iter().collect::<Vec<_>>(), (1..=len).collect::<Vec<_>>());
        }
    }

    #[test]
    fn it_is_a_queue_whatever_its_length() {
        for len in 0..5 {
            let mut queue = Queue::new();
            queue.extend(1..=len);
            queue.push_front(0);
            assert_eq!((queue.len(), queue.front()), (len + 1, Some(&0)));
            assert!(queue.contains(&len) && !queue.contains(&(len + 1)));
            assert_eq!(queue, queue.clone());
            assert_eq!(queue.front_mut(), Some(&mut 0));
            assert_eq!(queue.pop_front(), Some(0));
            assert_ne!(queue, Queue { first: Some(9), rest: RareQueue::new() });
            assert_eq!(queue.into_iter().collect::<Vec<_>>(), (1..=len).collect::<Vec<_>>());
        }
    }
}

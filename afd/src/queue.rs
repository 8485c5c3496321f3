//! A first-in, first-out queue that holds one element without the heap.
//!
//! Nearly every queue of an endpoint holds nothing or one operation; a connection should not pay an
//! allocation for each.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

/// The queue. While `first` is empty, so is `rest`, which is made when it is first needed.
#[derive(Clone, Debug)]
pub struct Queue<T> {
    first: Option<T>,
    #[expect(clippy::box_collection, reason = "a queue of one does not carry its room")]
    rest: Option<Box<VecDeque<T>>>,
}

/// The elements of a queue, oldest first.
#[derive(Debug)]
pub struct Drain<T>(Queue<T>);

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Queue<T> {
    /// An empty queue.
    pub const fn new() -> Self {
        Self { first: None, rest: None }
    }

    /// True when nothing waits.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.as_ref().map_or(0, |rest| rest.len())
    }

    /// The oldest.
    #[inline]
    pub const fn front(&self) -> Option<&T> {
        self.first.as_ref()
    }

    /// Every element, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(self.rest.iter().flat_map(|rest| rest.iter()))
    }

    /// Adds the newest.
    #[inline]
    pub fn push_back(&mut self, element: T) {
        if self.first.is_none() {
            self.first = Some(element);
        } else {
            self.rest.get_or_insert_default().push_back(element);
        }
    }

    /// Puts back the oldest.
    #[inline]
    pub fn push_front(&mut self, element: T) {
        if let Some(second) = self.first.replace(element) {
            self.rest.get_or_insert_default().push_front(second);
        }
    }

    /// Takes the oldest. Most looks find nothing, and then nothing is moved.
    #[inline]
    pub fn pop_front(&mut self) -> Option<T> {
        if self.is_empty() { None } else { self.advance() }
    }

    fn advance(&mut self) -> Option<T> {
        let second = self.rest.as_mut().and_then(|rest| rest.pop_front());
        core::mem::replace(&mut self.first, second)
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
    fn it_is_a_queue_whatever_its_length() {
        for len in 0..5 {
            let mut queue = Queue::new();
            queue.extend(1..=len);
            queue.push_front(0);
            assert_eq!((queue.len(), queue.front()), (len + 1, Some(&0)));
            assert!(queue.contains(&len) && !queue.contains(&(len + 1)));
            assert_eq!(queue, queue.clone());
            assert_eq!(queue.pop_front(), Some(0));
            assert_ne!(queue, Queue { first: Some(9), rest: None });
            assert_eq!(queue.into_iter().collect::<Vec<_>>(), (1..=len).collect::<Vec<_>>());
        }
    }
}

//! A first-in, first-out queue that holds one element without the heap.
//!
//! Nearly every queue of an endpoint holds nothing or one operation; a connection should not pay an
//! allocation for each.

use alloc::collections::{VecDeque, vec_deque};
use core::iter::Chain;
use core::option;

/// The queue. While `first` is empty, so is `rest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue<T> {
    first: Option<T>,
    rest: VecDeque<T>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Queue<T> {
    /// An empty queue.
    pub const fn new() -> Self {
        Self { first: None, rest: VecDeque::new() }
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

    /// Every element, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(&self.rest)
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

    /// Takes the oldest.
    #[inline]
    pub fn pop_front(&mut self) -> Option<T> {
        let first = self.first.take()?;
        if !self.rest.is_empty() {
            self.first = self.rest.pop_front();
        }
        Some(first)
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
        self.first.as_ref() == Some(element) || self.rest.contains(element)
    }
}

impl<T> IntoIterator for Queue<T> {
    type Item = T;
    type IntoIter = Chain<option::IntoIter<T>, vec_deque::IntoIter<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.first.into_iter().chain(self.rest)
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
            assert_eq!(queue.pop_front(), Some(0));
            assert_eq!(queue.into_iter().collect::<Vec<_>>(), (1..=len).collect::<Vec<_>>());
        }
    }
}

//! What is known of reserved memory: which of its pages are committed, and how protected.

use std::collections::BTreeMap;
use std::ops::Range;

/// What may be done with a page: Windows' number, and the kernel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Protection {
    pub(super) windows: u32,
    pub(super) kernel: i32,
}

/// A page of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    Reserved,
    Committed(Protection),
}

/// A reservation: its pages, as runs of pages that are alike. A run begins at its key and goes on
/// to the next, or to the end; so each page is in exactly one.
#[derive(Debug)]
pub(super) struct Reservation {
    end: usize,
    runs: BTreeMap<usize, Page>,
}

impl Reservation {
    /// Addresses of whole pages, all of them reserved.
    pub(super) fn new(pages: &Range<usize>) -> Self {
        Self { end: pages.end, runs: BTreeMap::from([(pages.start, Page::Reserved)]) }
    }

    pub(super) const fn end(&self) -> usize {
        self.end
    }

    /// The page at an address of the reservation.
    pub(super) fn page(&self, at: usize) -> Page {
        self.runs.range(..=at).next_back().map_or(Page::Reserved, |(_, page)| *page)
    }

    /// Whether all of these pages are committed.
    pub(super) fn is_committed(&self, pages: &Range<usize>) -> bool {
        let inside = self.runs.range(pages.clone()).map(|(_, page)| *page);
        inside.chain([self.page(pages.start)]).all(|page| page != Page::Reserved)
    }

    /// Pages of the reservation become alike.
    pub(super) fn set(&mut self, pages: &Range<usize>, page: Page) {
        let behind = self.page(pages.end);
        self.runs.retain(|at, _| !pages.contains(at));
        if pages.end < self.end {
            self.runs.insert(pages.end, behind);
        }
        self.runs.insert(pages.start, page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Page = Page::Committed(Protection { windows: 2, kernel: 1 });
    const WRITE: Page = Page::Committed(Protection { windows: 4, kernel: 3 });

    /// Against one entry for each page.
    #[test]
    fn runs_are_what_single_pages_would_be() {
        let mut runs = Reservation::new(&(100..120));
        let mut single = [Page::Reserved; 20];
        let mut random = 12345_usize;
        for step in 0..2000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (a, b) = (random >> 33 & 0xFF, random >> 45 & 0xFF);
            let start = 100 + a % 20;
            let pages = start..(start + 1 + b % (120 - start));
            let page = [Page::Reserved, READ, WRITE][step % 3];
            runs.set(&pages, page);
            single[pages.start - 100..pages.end - 100].fill(page);
            for (at, expected) in (100..).zip(&single) {
                assert_eq!(runs.page(at), *expected, "step {step}, page {at}");
            }
            let (from, to) = (100 + b % 20, 100 + a % 20);
            let asked = from.min(to)..from.max(to) + 1;
            let inside = &single[asked.start - 100..asked.end - 100];
            let committed = inside.iter().all(|page| *page != Page::Reserved);
            assert_eq!(runs.is_committed(&asked), committed, "step {step}, {asked:?}");
        }
    }
}

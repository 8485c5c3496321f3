//! The octets of an input, taken one after the other. Behind their end everything is 0.

pub(crate) struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    pub(crate) const fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    pub(crate) fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(crate) fn octet(&mut self) -> u8 {
        self.next().unwrap_or(0)
    }

    /// A number below `count`, which is at most 256.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::from(self.octet()) % count
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// True once in `count` times.
    pub(crate) fn rarely(&mut self, count: usize) -> bool {
        self.below(count) == count - 1
    }

    /// One of these, and rarely any number.
    pub(crate) fn pick_or_any(&mut self, from: &[i32]) -> i32 {
        if self.rarely(16) { self.number().cast_signed() } else { self.pick(from) }
    }

    pub(crate) fn number(&mut self) -> u32 {
        u32::from_le_bytes([0; 4].map(|_: u8| self.octet()))
    }

    /// A count, and so many octets.
    pub(crate) fn octets(&mut self) -> &'a [u8] {
        let count = usize::from(self.octet()).min(self.0.len());
        let (octets, rest) = self.0.split_at(count);
        self.0 = rest;
        octets
    }

    /// What a flags argument may be: mostly none, else bits that have a meaning, or any.
    pub(crate) fn flags(&mut self, known: &[u32]) -> u32 {
        match self.below(8) {
            0..=3 => 0,
            4 | 5 => self.pick(known),
            6 => self.pick(known) | self.pick(known),
            _ => self.number(),
        }
    }
}

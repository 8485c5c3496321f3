//! The memory that calls are given: good, bad and in between; with guards around all of it.
//!
//! One mapping per thread, which is never changed or given back: the library remembers pages that
//! it has found to be there.

use super::script::Script;

const PAGE: usize = 4096;
/// Octets that are mapped twice: to be written, and only to be read.
const SHARED: usize = 256 * PAGE;
/// Single pages with nothing mapped behind each.
const EDGES: usize = 256;
/// What a step may use at most.
const STEP_MAX: usize = 16 * PAGE;
const STEP_EDGES_MAX: usize = 24;
/// Data for long sends, at the front of the shared octets.
pub(crate) const BULK: usize = 64 * PAGE;

const GUARD: [u8; 16] = [0xA5; 16];
const ALIGNMENT: usize = 16;

/// What a call does with memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Read,
    Write,
}

/// Where the parts of a thread's mapping are.
#[derive(Clone, Copy)]
struct Map {
    writable: *mut u8,
    readable: *mut u8,
    edges: *mut u8,
}

thread_local! {
    static MAP: Map = Map::new();
}

fn map(at: *mut u8, len: usize, protection: i32, flags: i32, file: i32) -> *mut u8 {
    // SAFETY: fresh memory, or a part of a reservation of our own that nothing uses yet.
    let at = unsafe { libc::mmap(at.cast(), len, protection, flags, file, 0) };
    assert_ne!(at, libc::MAP_FAILED, "no memory");
    at.cast()
}

impl Map {
    fn new() -> Self {
        let whole = (3 * PAGE) + 2 * SHARED + EDGES * 2 * PAGE;
        let (nothing, both) = (libc::PROT_NONE, libc::PROT_READ | libc::PROT_WRITE);
        let private = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let base = map(std::ptr::null_mut(), whole, nothing, private | libc::MAP_NORESERVE, -1);
        // SAFETY: the name is a text that ends in zero.
        let file = unsafe { libc::memfd_create(c"shared".as_ptr(), libc::MFD_CLOEXEC) };
        assert!(file >= 0, "no memory file");
        // SAFETY: the file was just made.
        let sized = unsafe { libc::ftruncate(file, SHARED as i64) };
        assert_eq!(sized, 0, "no memory file");
        let writable = base.wrapping_add(PAGE);
        let readable = writable.wrapping_add(SHARED + PAGE);
        let edges = readable.wrapping_add(SHARED + PAGE);
        let fixed = libc::MAP_SHARED | libc::MAP_FIXED;
        map(writable, SHARED, both, fixed, file);
        map(readable, SHARED, libc::PROT_READ, fixed, file);
        // SAFETY: the mappings keep the memory; the number is ours to close.
        unsafe { libc::close(file) };
        for edge in 0..EDGES {
            let at = edges.wrapping_add(edge * 2 * PAGE);
            map(at, PAGE, both, private | libc::MAP_FIXED, -1);
        }
        Self { writable, readable, edges }
    }
}

/// Octets that no call may change.
struct Kept {
    at: *const u8,
    octets: Box<[u8]>,
}

/// The mapping, for one run.
pub(crate) struct Memory {
    map: Map,
    used: usize,
    edges_used: usize,
    kept: Vec<Kept>,
}

fn write(at: *mut u8, octets: &[u8]) {
    // SAFETY: the callers give memory of the mapping that can be written.
    unsafe { std::ptr::copy_nonoverlapping(octets.as_ptr(), at, octets.len()) };
}

/// What is at a place of the mapping.
pub(crate) fn read(at: *const u8, len: usize) -> Vec<u8> {
    let mut octets = vec![0; len];
    // SAFETY: the callers give memory of the mapping that can be read.
    unsafe { std::ptr::copy_nonoverlapping(at, octets.as_mut_ptr(), len) };
    octets
}

/// Memory as a call is given it: where, and the length that the call is told.
#[derive(Clone, Copy)]
pub(crate) struct Lent {
    pub(crate) at: *mut u8,
    pub(crate) told: u32,
}

impl Lent {
    pub(crate) const fn told_signed(self) -> i32 {
        self.told.cast_signed()
    }
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self { map: MAP.with(|map| *map), used: BULK, edges_used: 0, kept: Vec::new() }
    }

    /// Whether another step may not find enough.
    pub(crate) const fn is_nearly_used(&self) -> bool {
        self.used + STEP_MAX > SHARED || self.edges_used + STEP_EDGES_MAX > EDGES
    }

    /// Whether `len` octets can be read and written there.
    pub(crate) fn is_good(&self, at: *const u8, len: usize) -> bool {
        let inside = |base: *mut u8, room: usize| {
            let from = at.addr().wrapping_sub(base.addr());
            from < room && room - from >= len
        };
        let edge = |n: usize| self.map.edges.wrapping_add(n * 2 * PAGE);
        inside(self.map.writable, SHARED) || (0..self.edges_used).any(|n| inside(edge(n), PAGE))
    }

    /// Many octets that can be read.
    pub(crate) const fn bulk(&self) -> *mut u8 {
        self.map.readable
    }

    /// From now on these octets must stay as they are.
    pub(crate) fn keep(&mut self, at: *const u8, len: usize) {
        self.kept.push(Kept { at, octets: read(at, len).into() });
    }

    /// Nothing has written where nothing was to be written.
    pub(crate) fn hold(&self) {
        for Kept { at, octets } in &self.kept {
            // SAFETY: memory of the mapping that can be read, and that nothing is to write.
            let now = unsafe { std::slice::from_raw_parts(*at, octets.len()) };
            assert_eq!(*now, **octets, "memory at {at:?} that was not given");
        }
    }

    /// Where among the shared octets `octets` are now, between guards, `off` the alignment.
    fn place(&mut self, octets: &[u8], off: usize) -> usize {
        let at = self.used.next_multiple_of(ALIGNMENT) + GUARD.len() + off;
        let behind = at + octets.len();
        assert!(behind + GUARD.len() <= SHARED, "INVARIANT: a step needs less than STEP_MAX");
        let base = self.map.writable;
        write(base.wrapping_add(at - GUARD.len()), &GUARD);
        write(base.wrapping_add(at), octets);
        write(base.wrapping_add(behind), &GUARD);
        self.keep(base.wrapping_add(at - GUARD.len()), GUARD.len());
        self.keep(base.wrapping_add(behind), GUARD.len());
        self.used = behind + GUARD.len();
        at
    }

    /// Good memory that holds `octets`.
    pub(crate) fn plain(&mut self, octets: &[u8]) -> *mut u8 {
        let at = self.place(octets, 0);
        self.map.writable.wrapping_add(at)
    }

    fn misaligned(&mut self, octets: &[u8], off: usize) -> *mut u8 {
        let at = self.place(octets, off);
        self.map.writable.wrapping_add(at)
    }

    fn read_only(&mut self, octets: &[u8]) -> *mut u8 {
        let at = self.place(octets, 0);
        self.map.readable.wrapping_add(at)
    }

    /// The end of a page with nothing behind it.
    fn next_edge(&mut self) -> *mut u8 {
        let edge = self.edges_used;
        assert!(edge < EDGES, "INVARIANT: a step needs less than STEP_EDGES_MAX");
        self.edges_used += 1;
        self.map.edges.wrapping_add(edge * 2 * PAGE + PAGE)
    }

    /// The last octets of a page, with nothing behind it; the first `missing` of `octets` are all
    /// that is not beyond.
    fn at_edge(&mut self, octets: &[u8], missing: usize) -> *mut u8 {
        let there = &octets[..octets.len().saturating_sub(missing)];
        assert!(there.len() + GUARD.len() <= PAGE, "INVARIANT: only long data fills a page");
        let at = self.next_edge().wrapping_sub(there.len());
        let guard = at.wrapping_sub(GUARD.len());
        write(guard, &GUARD);
        write(at, there);
        self.keep(guard, GUARD.len());
        at
    }

    /// Memory whose first and last octets are there, and not all between; and its length.
    pub(crate) fn holed(&mut self, front: usize) -> (*mut u8, usize) {
        let front = front.clamp(1, PAGE);
        let end = self.next_edge();
        self.next_edge();
        (end.wrapping_sub(front), front + PAGE + 1)
    }

    /// Where nothing is.
    pub(crate) const fn unmapped(&self) -> *mut u8 {
        self.map.edges.wrapping_add(PAGE)
    }

    /// Where nothing can be.
    fn nowhere(&self, script: &mut Script<'_>) -> *mut u8 {
        let wild = [1, 0xFFF, usize::MAX, usize::MAX - 7, 0xdead_beef_0000, 1 << 63];
        // No address of a program's has a bit from the 47th on.
        let near = [self.map.readable, self.map.writable].map(|there| there.addr() ^ 1 << 63);
        let beside = [self.map.readable.addr() ^ 1 << 47, self.map.writable.addr() ^ 1 << 62];
        let at = script.pick(&[&wild[..], &near, &beside].concat());
        std::ptr::without_provenance_mut(at)
    }

    /// A pointer to `octets`, or one that leads elsewhere. What is only to be read is kept.
    pub(crate) fn pointer(
        &mut self,
        script: &mut Script<'_>,
        octets: &[u8],
        purpose: Use,
    ) -> *mut u8 {
        let at = match script.below(32) {
            0..=21 => self.plain(octets),
            22 | 23 => {
                let off = 1 + script.below(7);
                self.misaligned(octets, off)
            }
            24 | 25 => self.at_edge(octets, 0),
            26 => {
                let missing = 1 + script.below(4);
                return self.at_edge(octets, missing);
            }
            27 => return self.read_only(octets),
            28 | 29 => return std::ptr::null_mut(),
            30 => return self.unmapped(),
            _ => return self.nowhere(script),
        };
        if purpose == Use::Read {
            self.keep(at, octets.len());
        }
        at
    }

    /// As [`pointer`](Self::pointer), for a length that is more than is there.
    fn pointer_to_less(&mut self, script: &mut Script<'_>, octets: &[u8], purpose: Use) -> *mut u8 {
        match script.below(8) {
            0..=4 => {
                let at = self.at_edge(octets, 0);
                if purpose == Use::Read {
                    self.keep(at, octets.len());
                }
                at
            }
            5 => std::ptr::null_mut(),
            6 => self.read_only(octets),
            _ => self.unmapped(),
        }
    }

    /// A length for memory of `exact` octets: that, or another.
    pub(crate) fn told(script: &mut Script<'_>, exact: usize) -> u32 {
        let exact = u32::try_from(exact).unwrap_or(u32::MAX);
        match script.below(32) {
            0..=22 => exact,
            23 => 0,
            24 => 1,
            25 | 26 => exact.saturating_sub(1),
            27 | 28 => exact + 1 + u32::from(script.octet()),
            29 => i32::MAX.cast_unsigned(),
            30 => u32::MAX,
            _ => 1 << 31,
        }
    }

    /// Memory that holds `octets`, with a length; or neither is as it should be.
    pub(crate) fn lend(&mut self, script: &mut Script<'_>, octets: &[u8], purpose: Use) -> Lent {
        let told = Self::told(script, octets.len());
        let Some(untold) = octets.len().checked_sub(told as usize) else {
            return Lent { at: self.pointer_to_less(script, octets, purpose), told };
        };
        let told_octets = &octets[..octets.len() - untold];
        if script.rarely(2) || untold == 0 {
            return Lent { at: self.pointer(script, told_octets, purpose), told };
        }
        // Good memory that is longer than the call is told.
        let at = self.plain(octets);
        self.keep(at.wrapping_add(told_octets.len()), untold);
        Lent { at, told }
    }

    /// Room for `len` octets that a call writes.
    pub(crate) fn room(&mut self, script: &mut Script<'_>, len: usize) -> Lent {
        self.lend(script, &vec![0xA5; len], Use::Write)
    }

    /// Where a call writes a value of `len` octets.
    pub(crate) fn place_for(&mut self, script: &mut Script<'_>, len: usize) -> *mut u8 {
        self.pointer(script, &vec![0xA5; len], Use::Write)
    }

    /// Room for a few octets, with nothing behind it, where a call is told of more.
    pub(crate) fn place_for_less(&mut self) -> *mut u8 {
        self.at_edge(&[0xA5; 100], 0)
    }

    /// `octets`, with nothing behind them.
    pub(crate) fn place_with_less(&mut self, octets: &[u8]) -> *mut u8 {
        self.at_edge(octets, 0)
    }

    /// Where a call reads, and may write, a number.
    pub(crate) fn number(&mut self, script: &mut Script<'_>, value: u32) -> *mut u8 {
        self.pointer(script, &value.to_ne_bytes(), Use::Write)
    }
}

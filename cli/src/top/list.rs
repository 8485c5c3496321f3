//! What is on the screen: the sockets that were seen, how fast they are, and which are chosen.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::KeyCode;
use ratatui::widgets::TableState;

use crate::json::number;
use crate::sockets::{Row, ended, rows};
use crate::view::Process;

/// How long a socket that is gone is still shown.
const AFTERGLOW: Duration = Duration::from_secs(10);
/// The same of a connection that has ended, which its process knows why.
const MEMORY: Duration = Duration::from_secs(60);

/// A socket of a process, or a connection that has ended, which has a number of its own.
type Key = (u32, Option<u64>, u64);

fn key_of(row: &Row) -> Key {
    let (process, handle) = row.key();
    (process, row.ended().map(|_| row.count("number")), handle)
}

/// Octets a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rates {
    pub(super) sent: f64,
    pub(super) received: f64,
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) row: Row,
    pub(super) rates: Rates,
    /// Since when it is not there any more.
    pub(super) gone: Option<Instant>,
    seen: Instant,
}

/// What the rows are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    #[default]
    Process,
    Traffic,
    Idle,
    Unread,
    Unsent,
    State,
}

impl Order {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Traffic => "traffic",
            Self::Idle => "idle",
            Self::Unread => "unread",
            Self::Unsent => "unsent",
            Self::State => "state",
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::Process => Self::Traffic,
            Self::Traffic => Self::Idle,
            Self::Idle => Self::Unread,
            Self::Unread => Self::Unsent,
            Self::Unsent => Self::State,
            Self::State => Self::Process,
        }
    }
}

/// What there is besides sockets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) processes: usize,
    pub(super) sockets: usize,
    pub(super) ports: usize,
    pub(super) packets: u64,
    pub(super) waiting: u64,
    pub(super) pairs: usize,
}

/// Where the cursor goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Move {
    By(isize),
    First,
    Last,
}

/// Everything that is shown.
#[derive(Debug, Default)]
pub(super) struct List {
    entries: HashMap<Key, Entry>,
    /// Those that are shown, in order: put together when something changes, not for each drawing.
    order_shown: Vec<Key>,
    pub(super) totals: Totals,
    pub(super) order: Order,
    pub(super) filter: String,
    pub(super) is_typing: bool,
    pub(super) is_paused: bool,
    /// Also sockets without an address.
    pub(super) shows_all: bool,
    /// Only sockets that there is a note of.
    pub(super) only_notes: bool,
    /// No connections that have ended.
    pub(super) hides_ended: bool,
    pub(super) cursor: TableState,
}

impl List {
    /// Takes in what the processes have told at `now`.
    pub(super) fn update(&mut self, processes: &[Process], now: Instant) {
        self.keep_chosen(|list| list.take_in(processes, now));
    }

    fn take_in(&mut self, processes: &[Process], now: Instant) {
        let fresh: Vec<_> = processes.iter().flat_map(rows).collect();
        self.totals = Totals { sockets: fresh.len(), ..totals(processes) };
        for entry in self.entries.values_mut() {
            entry.gone = entry.gone.or(Some(now));
            entry.rates = Rates::default();
        }
        for row in fresh {
            let key = key_of(&row);
            let before = self.entries.get(&key);
            let rates = before.map_or_else(Rates::default, |before| before.rates_to(&row, now));
            self.entries.insert(key, Entry { row, rates, gone: None, seen: now });
        }
        for row in processes.iter().flat_map(ended) {
            self.take_in_ended(row, now);
        }
        self.entries.retain(|_, entry| {
            let glow = if entry.row.ended().is_some() { MEMORY } else { AFTERGLOW };
            entry.gone.is_none_or(|gone| now.saturating_duration_since(gone) < glow)
        });
    }

    fn take_in_ended(&mut self, row: Row, now: Instant) {
        let key = key_of(&row);
        // Its handle, if that is gone too, has nothing to add.
        let (process, _, handle) = key;
        let open = (process, None, handle);
        if self.entries.get(&open).is_some_and(|open| open.gone.is_some()) {
            self.entries.remove(&open);
        }
        let gone = row.ended().and_then(|ago| now.checked_sub(ago)).or(Some(now));
        self.entries.insert(key, Entry { row, rates: Rates::default(), gone, seen: now });
    }

    /// Changes what is shown. The cursor stays on its socket if that is shown still.
    fn keep_chosen(&mut self, change: impl FnOnce(&mut Self)) {
        let chosen = self.chosen().map(|entry| key_of(&entry.row));
        change(self);
        self.arrange();
        let place = |key| self.order_shown.iter().position(|shown| *shown == key);
        match chosen.and_then(place) {
            Some(at) => self.cursor.select(Some(at)),
            None => self.go(Move::By(0)),
        }
    }

    fn arrange(&mut self) {
        let shown = self.entries.iter().filter(|(_, entry)| self.is_shown(entry));
        let mut shown: Vec<_> = shown.map(|(key, _)| *key).collect();
        shown.sort_by_cached_key(|key| {
            let entry = &self.entries[key];
            let most = |name| Reverse(entry.row.count(name));
            let (number, text) = match self.order {
                Order::Process => (Reverse(0), String::new()),
                // The bits of numbers that are not negative have their order.
                Order::Traffic => (Reverse(entry.rates.sum().to_bits()), String::new()),
                Order::Idle => (most("idle_ms"), String::new()),
                Order::Unread => (most("unread"), String::new()),
                Order::Unsent => (most("unsent"), String::new()),
                Order::State => (Reverse(0), entry.row.state()),
            };
            (number, text, *key)
        });
        self.order_shown = shown;
    }

    /// The rows, in order.
    pub(super) fn shown(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.order_shown.iter().map(|key| &self.entries[key])
    }

    /// Of the rows those for which there is room, the one that the cursor is on among them; and
    /// where that is.
    pub(super) fn visible(&mut self, room: usize) -> (impl Iterator<Item = &Entry>, TableState) {
        let chosen = self.cursor.selected().unwrap_or(0);
        let last_first = self.order_shown.len().saturating_sub(room);
        let first = self.cursor.offset().min(last_first);
        let first = first.max((chosen + 1).saturating_sub(room)).min(chosen);
        *self.cursor.offset_mut() = first;
        let selected = self.cursor.selected().map(|at| at - first);
        (self.shown().skip(first).take(room), TableState::default().with_selected(selected))
    }

    /// The row that the cursor is on.
    pub(super) fn chosen(&self) -> Option<&Entry> {
        self.entries.get(self.order_shown.get(self.cursor.selected()?)?)
    }

    fn is_shown(&self, entry: &Entry) -> bool {
        let row = &entry.row;
        (self.shows_all || !row.is_idle())
            && (!self.only_notes || row.note().is_some())
            && (!self.hides_ended || row.ended().is_none())
            && (self.filter.is_empty() || row.contains(&self.filter))
    }

    pub(super) fn go(&mut self, to: Move) {
        let last = self.order_shown.len().checked_sub(1);
        let at = self.cursor.selected().unwrap_or(0);
        let to = match to {
            Move::By(by) => at.saturating_add_signed(by),
            Move::First => 0,
            Move::Last => usize::MAX,
        };
        self.cursor.select(last.map(|last| to.min(last)));
    }

    pub(super) fn sort_otherwise(&mut self) {
        self.keep_chosen(|list| list.order = list.order.next());
    }

    pub(super) fn toggle_all(&mut self) {
        self.keep_chosen(|list| list.shows_all = !list.shows_all);
    }

    pub(super) fn toggle_notes(&mut self) {
        self.keep_chosen(|list| list.only_notes = !list.only_notes);
    }

    pub(super) fn toggle_ended(&mut self) {
        self.keep_chosen(|list| list.hides_ended = !list.hides_ended);
    }

    /// A key while the filter is typed.
    pub(super) fn type_key(&mut self, key: KeyCode) {
        self.keep_chosen(|list| match key {
            KeyCode::Enter => list.is_typing = false,
            KeyCode::Esc => {
                list.filter.clear();
                list.is_typing = false;
            }
            KeyCode::Backspace => drop(list.filter.pop()),
            KeyCode::Char(letter) => list.filter.push(letter),
            _ => {}
        });
    }
}

impl Entry {
    /// How fast it has been until `now`. A handle that has another connection begins anew.
    fn rates_to(&self, row: &Row, now: Instant) -> Rates {
        let seconds = now.saturating_duration_since(self.seen).as_secs_f64();
        let is_same = self.row.count("former") == row.count("former") && seconds > 0.0;
        let rate = |name| {
            let more = row.count(name).saturating_sub(self.row.count(name));
            // Octets of a second are few enough for a float.
            #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
            let rate = more as f64 / seconds;
            if is_same { rate } else { 0.0 }
        };
        Rates { sent: rate("sent"), received: rate("received") }
    }
}

impl Rates {
    fn sum(self) -> f64 {
        self.sent + self.received
    }
}

fn totals(processes: &[Process]) -> Totals {
    let ports = || processes.iter().flat_map(|process| process.lines("port"));
    // Whoever tells may tell anything.
    let sum = |name| {
        let numbers = ports().filter_map(|line| number(line, name));
        numbers.fold(0, u64::saturating_add)
    };
    Totals {
        processes: processes.len(),
        sockets: 0,
        ports: ports().count(),
        packets: sum("packets"),
        waiting: sum("waiting"),
        pairs: processes.iter().map(|process| process.lines("pair").count()).sum(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A process with sockets of these handles and particulars.
    pub(crate) fn process(sockets: &[(u64, &str)]) -> Process {
        let line = |(handle, rest): &(u64, &str)| {
            format!(
                "{{\"kind\":\"socket\",\"handle\":{handle},\"local\":\"127.0.0.1:80\"{rest}}}\n"
            )
        };
        let told: String = sockets.iter().map(line).collect();
        let more =
            "{\"kind\":\"port\",\"handle\":4,\"packets\":3,\"waiting\":2}\n{\"kind\":\"pair\"}\n";
        Process::new(7, "server", &(told + more))
    }

    fn handles(list: &List) -> Vec<u64> {
        list.shown().map(|entry| entry.row.key().1).collect()
    }

    #[test]
    fn what_is_gone_stays_for_ten_seconds() {
        let (mut list, begin) = (List::default(), Instant::now());
        list.update(&[process(&[(8, ""), (12, "")])], begin);
        let after = |seconds| begin + Duration::from_secs(seconds);
        list.update(&[process(&[(12, "")])], after(1));
        assert_eq!(handles(&list), [8, 12]);
        assert_eq!(list.shown().next().unwrap().gone, Some(after(1)));
        list.update(&[process(&[(12, "")])], after(10));
        assert_eq!(list.shown().next().unwrap().gone, Some(after(1)), "the first time counts");
        list.update(&[process(&[(12, "")])], after(11));
        assert_eq!(handles(&list), [12]);
        list.update(&[], after(12));
        assert!(list.shown().next().unwrap().gone.is_some());
    }

    fn with_ended(open: &[(u64, &str)], ended: &[(u64, u64, u64)]) -> Process {
        let told: String = open
            .iter()
            .map(|(handle, rest)| {
                format!("{{\"kind\":\"socket\",\"handle\":{handle},\"local\":\"a\"{rest}}}\n")
            })
            .chain(ended.iter().map(|(number, handle, ago)| {
                format!(
                    "{{\"kind\":\"ended\",\"number\":{number},\"handle\":{handle},\"local\":\"a\",\
                     \"reason\":\"peer-fin\",\"over\":\"why\",\"ago_ms\":{ago}}}\n"
                )
            }))
            .collect();
        Process::new(7, "server", &told)
    }

    /// In place of the handle that is gone, for a minute; a handle that is recycled stays beside.
    #[test]
    fn what_has_ended_says_so_for_a_minute() {
        let (mut list, begin) = (List::default(), Instant::now() + MEMORY);
        let after = |seconds| begin + Duration::from_secs(seconds);
        list.update(&[with_ended(&[(8, ""), (12, "")], &[])], begin);
        list.update(&[with_ended(&[(12, "")], &[(0, 8, 500), (1, 12, 0)])], after(1));
        assert_eq!(handles(&list), [12, 8, 12]);
        assert_eq!(list.totals.sockets, 1);
        list.toggle_ended();
        assert_eq!(handles(&list), [12]);
        list.toggle_ended();
        list.update(&[with_ended(&[(12, "")], &[(0, 8, 59_400)])], after(60));
        assert_eq!(handles(&list), [12, 8, 12]);
        list.update(&[with_ended(&[(12, "")], &[])], after(61));
        assert_eq!(handles(&list), [12]);
    }

    #[test]
    fn rates_are_of_one_connection() {
        let (mut list, begin) = (List::default(), Instant::now());
        list.update(&[process(&[(8, ",\"sent\":100,\"received\":0")])], begin);
        assert_eq!(list.shown().next().unwrap().rates, Rates::default(), "it may be hours old");
        let later = begin + Duration::from_secs(2);
        list.update(&[process(&[(8, ",\"sent\":300,\"received\":50")])], later);
        assert_eq!(list.shown().next().unwrap().rates, Rates { sent: 100.0, received: 25.0 });
        let again = later + Duration::from_secs(2);
        list.update(&[process(&[(8, ",\"former\":1,\"sent\":900,\"received\":50")])], again);
        assert_eq!(list.shown().next().unwrap().rates, Rates::default());
    }

    #[test]
    fn rows_are_sorted_filtered_and_chosen() {
        let mut list = List::default();
        let sockets = [(8, ",\"unread\":1"), (12, ",\"unread\":5,\"state\":\"q\""), (16, "")];
        list.update(&[process(&sockets)], Instant::now());
        assert_eq!(handles(&list), [8, 12, 16]);
        assert_eq!(list.chosen().unwrap().row.key(), (7, 8));
        while list.order != Order::Unread {
            list.sort_otherwise();
        }
        assert_eq!(handles(&list), [12, 8, 16]);
        assert_eq!(list.chosen().unwrap().row.key(), (7, 8), "the cursor stays on its socket");
        list.go(Move::Last);
        assert_eq!(list.chosen().unwrap().row.key(), (7, 16));
        list.go(Move::By(-1));
        assert_eq!(list.chosen().unwrap().row.key(), (7, 8));
        list.is_typing = true;
        list.type_key(KeyCode::Char('q'));
        assert_eq!(handles(&list), [12]);
        assert_eq!(list.chosen().unwrap().row.key(), (7, 12), "the cursor is on a row");
        list.type_key(KeyCode::Char('y'));
        assert_eq!((handles(&list).len(), list.chosen()), (0, None));
        list.type_key(KeyCode::Backspace);
        list.type_key(KeyCode::Enter);
        assert_eq!((handles(&list).len(), list.is_typing), (1, false));
        list.type_key(KeyCode::Esc);
        assert_eq!(handles(&list).len(), 3);
        let expected =
            Totals { processes: 1, sockets: 3, ports: 1, packets: 3, waiting: 2, pairs: 1 };
        assert_eq!(list.totals, expected);
    }

    /// Not the letters of the JSON: each line has "connects" in it.
    #[test]
    fn a_filter_looks_at_what_is_shown() {
        let mut list = List::default();
        let sockets = [(8, ",\"state\":\"connected\",\"accepts\":0"), (12, ",\"accepts\":2")];
        list.update(&[process(&sockets)], Instant::now());
        for (filter, expected) in [
            ("connect", &[8][..]),
            ("accept", &[12]),
            ("kind", &[]),
            ("server", &[8, 12]),
            ("0xc", &[12]),
        ] {
            list.is_typing = true;
            filter.chars().for_each(|letter| list.type_key(KeyCode::Char(letter)));
            assert_eq!(handles(&list), expected, "{filter}");
            list.type_key(KeyCode::Esc);
        }
    }

    #[test]
    fn the_cursor_is_among_the_rows_that_there_is_room_for() {
        let mut list = List::default();
        let sockets: Vec<_> = (1..=9).map(|handle| (handle, "")).collect();
        list.update(&[process(&sockets)], Instant::now());
        let mut see = |to, room| {
            list.go(to);
            let (rows, cursor) = list.visible(room);
            (rows.map(|entry| entry.row.key().1).collect::<Vec<_>>(), cursor.selected())
        };
        assert_eq!(see(Move::First, 3), (vec![1, 2, 3], Some(0)));
        assert_eq!(see(Move::By(3), 3), (vec![2, 3, 4], Some(2)));
        assert_eq!(see(Move::By(-1), 3), (vec![2, 3, 4], Some(1)));
        assert_eq!(see(Move::Last, 3), (vec![7, 8, 9], Some(2)));
        assert_eq!(see(Move::By(0), 5), (vec![5, 6, 7, 8, 9], Some(4)));
        assert_eq!(see(Move::By(0), 0).0, []);
        assert_eq!(see(Move::By(-7), 20), ((1..=9).collect(), Some(1)));
        list.update(&[], Instant::now() + 2 * AFTERGLOW);
        list.update(&[], Instant::now() + 4 * AFTERGLOW);
        assert_eq!(list.visible(3).0.count(), 0);
    }

    /// A sum that is too large ends a program that is built for tests.
    #[test]
    fn who_tells_anything_ends_nothing() {
        let mut list = List::default();
        let told = format!("{{\"kind\":\"port\",\"packets\":{0},\"waiting\":{0}}}\n", u64::MAX);
        list.update(&[Process::new(7, "server", &told.repeat(2))], Instant::now());
        assert_eq!((list.totals.packets, list.totals.ports), (u64::MAX, 2));
    }

    #[test]
    fn what_has_no_address_or_no_note_can_be_hidden() {
        let mut list = List::default();
        let waiting = ",\"queued\":1";
        let idle = Process::new(9, "idle", "{\"kind\":\"socket\",\"handle\":4}\n");
        list.update(&[process(&[(8, ""), (12, waiting)]), idle], Instant::now());
        assert_eq!(handles(&list), [8, 12]);
        list.toggle_all();
        assert_eq!(handles(&list), [8, 12, 4]);
        list.toggle_notes();
        assert_eq!(handles(&list), [12]);
    }
}

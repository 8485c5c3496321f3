//! How the list is drawn.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style, Stylize};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Block, Cell, Paragraph, Row, Table};

use super::list::{Entry, List};
use crate::sockets::{self, shown, some};

const HEAD: [&str; 13] = [
    "PID", "PROGRAM", "HANDLE", "STATE", "TCP", "LOCAL", "REMOTE", "PENDING", "UNREAD", "UNSENT",
    "IN/s", "OUT/s", "IDLE",
];

const WIDTHS: [Constraint; 13] = [
    Constraint::Length(7),
    Constraint::Length(12),
    Constraint::Length(10),
    Constraint::Fill(3),
    Constraint::Length(12),
    Constraint::Fill(3),
    Constraint::Fill(3),
    Constraint::Fill(2),
    Constraint::Length(7),
    Constraint::Length(7),
    Constraint::Length(7),
    Constraint::Length(7),
    Constraint::Length(7),
];

const KEYS: &str = "q quit  arrows choose  s sort  / filter  n notes only  e ended  a all  p pause";

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, list: &mut List) {
    let [head, table, details, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(3),
        Constraint::Length(6),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(Line::from(heading(list)).bold(), head);
    draw_details(frame, list, details);
    frame.render_widget(Line::from(footing(list)).dim(), foot);
    let (rows, mut cursor) = list.visible(usize::from(table.height.saturating_sub(1)));
    let rows: Vec<_> = rows.map(row).collect();
    let head = Row::new(HEAD).style(Modifier::UNDERLINED);
    let sockets = Table::new(rows, WIDTHS).header(head).row_highlight_style(Modifier::REVERSED);
    frame.render_stateful_widget(sockets, table, &mut cursor);
}

fn heading(list: &List) -> String {
    let totals = list.totals;
    let shown = list.shown().len();
    format!(
        "linsock: {} processes, {} sockets ({shown} shown), {} completion ports ({} packets, {} \
         threads wait), {} pairs held",
        totals.processes,
        totals.sockets,
        totals.ports,
        totals.packets,
        totals.waiting,
        totals.pairs
    )
}

fn footing(list: &List) -> String {
    if list.is_typing {
        return format!("filter: {}_  (Enter keeps it, Esc clears it)", list.filter);
    }
    let mut text = format!("{KEYS}  |  by {}", list.order.name());
    if !list.filter.is_empty() {
        text += &format!(", filter {}", list.filter);
    }
    if list.hides_ended {
        text += ", without what has ended";
    }
    if list.is_paused {
        text += ", PAUSED";
    }
    text
}

fn row(entry: &Entry) -> Row<'static> {
    let row = &entry.row;
    let is_lost = entry.gone.is_some() && row.ended().is_none();
    let state = if is_lost { "gone".to_owned() } else { row.state() };
    let cells = [
        row.process.to_string(),
        row.program.clone(),
        format!("{:#x}", row.count("handle")),
        state,
        row.text("tcp").to_owned(),
        row.text("local").to_owned(),
        row.text("remote").to_owned(),
        row.pending(),
        some(row.count("unread")),
        some(row.count("unsent")),
        rate(entry.rates.received),
        rate(entry.rates.sent),
        shown(row.time("idle_ms")),
    ];
    Row::new(cells.map(Cell::from)).style(style(entry))
}

fn style(entry: &Entry) -> Style {
    if entry.gone.is_some() {
        Style::new().dim()
    } else if entry.row.note().is_some() {
        Style::new().yellow()
    } else {
        Style::new()
    }
}

fn draw_details(frame: &mut Frame<'_>, list: &List, area: Rect) {
    let Some(entry) = list.chosen() else { return };
    let row = &entry.row;
    let (process, handle) = row.key();
    let title = format!(" {} {process}, socket {handle:#x}: {} ", row.program, row.provider());
    let pending = Some(row.pending()).filter(|pending| !pending.is_empty());
    let lines = [
        attachments(row),
        course(row),
        pending.map_or_else(|| "nothing is pending".into(), |it| format!("pending: {it}")),
        row.note().map_or_else(String::new, |note| format!("note: {note}")),
    ];
    let text = Text::from_iter(lines.map(Line::from));
    frame.render_widget(Paragraph::new(text).block(Block::bordered().title(title)), area);
}

/// What the socket is tied to.
fn attachments(row: &sockets::Row) -> String {
    if row.ended().is_some() {
        return format!("connection {} of its handle", row.count("connection"));
    }
    let descriptor = match row.time("descriptor") {
        Some(_) => format!("descriptor {}", row.count("descriptor")),
        None => "no descriptor".into(),
    };
    let port = match row.count("port") {
        0 => "no completion port".into(),
        port => format!("completion port {port}, key {:#x}", row.count("key")),
    };
    let backlog = match row.count("backlog") {
        0 => String::new(),
        most => format!("; {} of {most} connections wait", row.count("queued")),
    };
    format!("{descriptor}, {port}{backlog}; {} connections before", row.count("former"))
}

/// How its connection goes.
fn course(row: &sockets::Row) -> String {
    let age = row.time("age_ms").map(|age| format!("; connected for {}", shown(Some(age))));
    let reason = match row.text("reason") {
        // Its state has it.
        _ if row.ended().is_some() => String::new(),
        "" => String::new(),
        reason => format!("; ends by {reason}"),
    };
    let (sent, received) = (row.count("sent"), row.count("received"));
    let state = row.state();
    format!("{state}{}{reason}; sent {sent}, received {received} octets", age.unwrap_or_default())
}

/// Octets a second, in four letters.
fn rate(octets: f64) -> String {
    let units = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    match units.into_iter().find(|(unit, _)| octets >= *unit) {
        Some((unit, name)) => format!("{:.1}{name}", octets / unit),
        None if octets > 0.0 => format!("{octets:.0}"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::crossterm::event::KeyCode;

    use super::super::list::tests::process;
    use super::super::list::{List, Move};
    use super::{draw, rate};

    fn screen(list: &mut List, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, list)).unwrap();
        terminal.backend().to_string()
    }

    fn list() -> List {
        let mut list = List::default();
        let sockets = [
            (8, ",\"state\":\"listening\",\"accepts\":3,\"queued\":2,\"backlog\":511"),
            (
                12,
                ",\"state\":\"connected\",\"send\":\"open\",\"receive\":\"ended\",\
                 \"remote\":\"10.0.0.1:9\",\"tcp\":\"CLOSE_WAIT\",\"idle_ms\":61000,\"port\":4,\
                 \"key\":255,\"descriptor\":9,\"reason\":\"peer-fin\"",
            ),
        ];
        list.update(&[process(&sockets)], Instant::now());
        list
    }

    #[test]
    fn the_screen_shows_rows_details_and_keys() {
        let mut list = list();
        let text = screen(&mut list, 160, 14);
        for expected in [
            "linsock: 1 processes, 2 sockets (2 shown), 1 completion ports (3 packets, 2 threads",
            "PID     PROGRAM",
            "3 accepts",
            "connected, fin came",
            "CLOSE_WAIT",
            "10.0.0.1:9",
            "61.0 s",
            "2 of 511 connections wait",
            "s sort",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        list.go(Move::Last);
        let text = screen(&mut list, 160, 14);
        for expected in [
            "descriptor 9, completion port 4, key 0xff",
            "ends by peer-fin",
            "note: the peer has closed, this program has not",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
    }

    #[test]
    fn any_size_will_do() {
        for (width, height) in [(1, 1), (1, 50), (150, 1), (20, 3), (80, 24), (300, 100)] {
            screen(&mut list(), width, height);
            screen(&mut List::default(), width, height);
        }
    }

    #[test]
    fn the_filter_is_seen_while_it_is_typed() {
        let mut list = list();
        list.is_typing = true;
        list.type_key(KeyCode::Char('x'));
        assert!(screen(&mut list, 100, 20).contains("filter: x_"));
        list.type_key(KeyCode::Enter);
        list.is_paused = true;
        let text = screen(&mut list, 120, 20);
        assert!(text.contains("by process, filter x, PAUSED"), "{text}");
    }

    #[test]
    fn rates_are_short() {
        let shown = [0.0, 12.4, 999.0, 1_500.0, 2.5e6, 3e9].map(rate);
        assert_eq!(shown, ["", "12", "999", "1.5k", "2.5M", "3.0G"]);
    }
}

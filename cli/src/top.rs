//! `linsock top`: the sockets of running programs on the whole screen, looked at again and again.
//!
//! What is shown ([`List`]) and how it is drawn ([`screen`]) know nothing of terminals, so that the
//! tests can do both.

mod list;
mod screen;

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::error::Error;
use crate::sockets::ask;
use crate::view;
use list::{List, Move};

/// What the command was asked for.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Look again after so many seconds.
    #[arg(long, short, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    interval: Duration,
    /// Only these processes.
    #[arg(value_name = "PID")]
    processes: Vec<u32>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds is expected".to_owned())?;
    let is_sensible = (0.1..=3600.0).contains(&seconds);
    if is_sensible { Ok(Duration::from_secs_f64(seconds)) } else { Err("0.1 to 3600".into()) }
}

/// Shows them until the user has seen enough.
///
/// # Errors
/// A process that was named tells nothing; there is no terminal.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    // Those that were named have to be there at the beginning.
    ask(&arguments.processes)?;
    if !io::stdout().is_terminal() {
        return Err(Error::Screen(io::Error::other("the output is none")));
    }
    let ended = end_by_signal().map_err(Error::Screen)?;
    let mut terminal = ratatui::try_init().map_err(Error::Screen)?;
    let result = watch(&mut terminal, arguments, &ended);
    ratatui::restore();
    result.map_err(Error::Screen)?;
    Ok(ExitCode::SUCCESS)
}

/// What is true once a signal has asked for the end: the terminal is to be as it was then.
fn end_by_signal() -> io::Result<Arc<AtomicBool>> {
    let ended = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGHUP, SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&ended))?;
    }
    Ok(ended)
}

/// How soon a signal is looked for, at the latest.
const GLANCE: Duration = Duration::from_millis(250);

fn watch(
    terminal: &mut DefaultTerminal,
    arguments: &Arguments,
    ended: &AtomicBool,
) -> io::Result<()> {
    let mut list = List::default();
    let mut next = Instant::now();
    loop {
        if ended.load(Ordering::Relaxed) {
            return Ok(());
        }
        let now = Instant::now();
        if now >= next {
            if !list.is_paused {
                list.update(&look(&arguments.processes), now);
            }
            next = now + arguments.interval;
        }
        terminal.draw(|frame| screen::draw(frame, &mut list))?;
        if event::poll(next.saturating_duration_since(Instant::now()).min(GLANCE))?
            && let Event::Key(key) = event::read()?
            && key.kind == KeyEventKind::Press
            && is_enough(&mut list, key)
        {
            return Ok(());
        }
    }
}

/// Of those that were named, the ones that are still there.
fn look(named: &[u32]) -> Vec<view::Process> {
    if named.is_empty() {
        return view::all();
    }
    named.iter().filter_map(|process| view::ask(*process).ok()).collect()
}

/// Does what a key asks for; true when it asks for the end.
fn is_enough(list: &mut List, key: KeyEvent) -> bool {
    let interrupts =
        key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c');
    if interrupts {
        return true;
    }
    if list.is_typing {
        list.type_key(key.code);
        return false;
    }
    match key.code {
        KeyCode::Char('q') | KeyCode::Esc => return true,
        KeyCode::Up | KeyCode::Char('k') => list.go(Move::By(-1)),
        KeyCode::Down | KeyCode::Char('j') => list.go(Move::By(1)),
        KeyCode::PageUp => list.go(Move::By(-20)),
        KeyCode::PageDown => list.go(Move::By(20)),
        KeyCode::Home | KeyCode::Char('g') => list.go(Move::First),
        KeyCode::End | KeyCode::Char('G') => list.go(Move::Last),
        KeyCode::Char('s') => list.sort_otherwise(),
        KeyCode::Char('a') => list.toggle_all(),
        KeyCode::Char('n') => list.toggle_notes(),
        KeyCode::Char('p' | ' ') => list.is_paused = !list.is_paused,
        KeyCode::Char('/') => list.is_typing = true,
        _ => {}
    }
    false
}

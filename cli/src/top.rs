//! `linsock top`: the sockets of running programs on the whole screen, looked at again and again.
//!
//! What is shown ([`List`]) and how it is drawn ([`screen`]) know nothing of terminals, so that the
//! tests can do both.

mod list;
mod screen;

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};

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
    let signals = Signals::begin().map_err(Error::Screen)?;
    let told = looks(arguments);
    let mut terminal = ratatui::try_init().map_err(Error::Screen)?;
    let result = keyboard().and_then(|keys| watch(&mut terminal, &keys, &told, &signals));
    if ratatui::try_restore().is_err() {
        // It is gone; ratatui would complain there, and panic because that fails.
        std::mem::forget(terminal);
    }
    result.map_err(Error::Screen)?;
    Ok(ExitCode::SUCCESS)
}

/// Signals that have come: the terminal is to be as it was before anything comes of them.
#[derive(Default)]
struct Signals {
    end: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    resume: Arc<AtomicBool>,
}

impl Signals {
    fn begin() -> io::Result<Self> {
        let this = Self::default();
        let what = [
            (SIGTERM, &this.end),
            (SIGHUP, &this.end),
            (SIGINT, &this.end),
            (SIGTSTP, &this.stop),
            (SIGCONT, &this.resume),
        ];
        for (signal, has_come) in what {
            signal_hook::flag::register(signal, Arc::clone(has_come))?;
        }
        Ok(this)
    }
}

/// What the processes told, and when they were asked.
type Look = (Instant, Vec<view::Process>);

/// Asks them again and again, on a thread of its own: one that is stopped answers nothing, and the
/// keys are not to wait for that.
fn looks(arguments: &Arguments) -> Receiver<Look> {
    let (tell, told) = mpsc::sync_channel(0);
    let (named, interval) = (arguments.processes.clone(), arguments.interval);
    std::thread::spawn(move || {
        while tell.send((Instant::now(), look(&named))).is_ok() {
            std::thread::sleep(interval);
        }
    });
    told
}

/// How soon a signal, and what has been told, is looked for at the latest.
const GLANCE: Duration = Duration::from_millis(100);
/// However many keys come, the screen is drawn in between.
const KEYS_AT_ONCE: usize = 100;

/// Where the keys come from, chosen as the library that reads them does.
fn keyboard() -> io::Result<OwnedFd> {
    let input = io::stdin();
    if input.is_terminal() {
        return input.as_fd().try_clone_to_owned();
    }
    File::open("/dev/tty").map(Into::into)
}

/// Waits for a key, or a glance. False when the terminal is gone: who reads keys from it then
/// reads nothing, without end.
fn is_there(keys: &OwnedFd) -> bool {
    let mut polled = [PollFd::new(keys, PollFlags::IN)];
    let glance = Timespec::try_from(GLANCE).ok();
    let told = poll(&mut polled, glance.as_ref());
    told.is_err() || !polled[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}

fn watch(
    terminal: &mut DefaultTerminal,
    keys: &OwnedFd,
    told: &Receiver<Look>,
    signals: &Signals,
) -> io::Result<()> {
    let mut list = List::default();
    let mut has_changed = true;
    while !signals.end.load(Ordering::Relaxed) {
        if signals.stop.swap(false, Ordering::Relaxed) {
            ratatui::try_restore()?;
            signal_hook::low_level::emulate_default_handler(SIGTSTP)?;
            signals.resume.store(true, Ordering::Relaxed);
        }
        // Whoever had the terminal meanwhile has left it in a mode of its own.
        if signals.resume.swap(false, Ordering::Relaxed) {
            ratatui::try_restore()?;
            *terminal = ratatui::try_init()?;
            has_changed = true;
        }
        if let Ok((when, processes)) = told.try_recv()
            && !list.is_paused
        {
            list.update(&processes, when);
            has_changed = true;
        }
        if has_changed {
            terminal.draw(|frame| screen::draw(frame, &mut list))?;
            has_changed = false;
        }
        if !is_there(keys) {
            return Ok(());
        }
        // Many keys at once, as from a clipboard, are drawn once.
        for _ in 0..KEYS_AT_ONCE {
            if !event::poll(Duration::ZERO)? {
                break;
            }
            has_changed = true;
            if let Event::Key(key) = event::read()?
                && key.kind == KeyEventKind::Press
                && is_enough(&mut list, key, signals)
            {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Of those that were named, the ones that are still there.
fn look(named: &[u32]) -> Vec<view::Process> {
    if named.is_empty() {
        return view::all();
    }
    named.iter().filter_map(|process| view::ask(*process).ok()).collect()
}

/// Does what a key asks for; true when it asks for the end.
fn is_enough(list: &mut List, key: KeyEvent, signals: &Signals) -> bool {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        // A terminal in this mode makes no signals of them.
        let stops = key.code == KeyCode::Char('z');
        signals.stop.fetch_or(stops, Ordering::Relaxed);
        return key.code == KeyCode::Char('c');
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
        KeyCode::Char('e') => list.toggle_ended(),
        KeyCode::Char('p' | ' ') => list.is_paused = !list.is_paused,
        KeyCode::Char('/') => list.is_typing = true,
        _ => {}
    }
    false
}

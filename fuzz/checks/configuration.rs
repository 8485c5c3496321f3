//! Any octets as a configuration file: every line is a setting, nothing, or a fault that names it;
//! and what was read can be written, and reads the same.

use std::cell::Cell;
use std::ops::RangeInclusive;

use linsock::settings::TimeWaitPolicy;
use linsock::settings::config::{self, Config, Fault};

const FILE: &str = "a file:1";

pub(crate) fn check(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    let (config, faults) = read(&text);
    let faulty = faulty_lines(&faults, text.lines().count());
    hold_the_ranges(&config);

    let sound: Vec<&str> = without(&text, &faulty);
    assert_eq!(read(&sound.join("\n")), (config, vec![]), "what is wrong counts for nothing");
    assert_eq!(read(&sound.join("\r\n")), (config, vec![]));
    assert_eq!(read(&write(&config)), (config, vec![]));
    check_environment(&text);
}

fn read(text: &str) -> (Config, Vec<Fault>) {
    let mut faults = Vec::new();
    let config = config::parse(FILE, text, &mut faults);
    (config, faults)
}

/// The lines that faults name, in ascending order and each once.
fn faulty_lines(faults: &[Fault], lines: usize) -> Vec<usize> {
    let line_of = |fault: &Fault| {
        let said = fault.to_string();
        let place = said.strip_prefix(FILE).and_then(|rest| rest.strip_prefix(':'));
        let (line, what) = place.and_then(|rest| rest.split_once(": ")).expect("a place");
        assert!(!what.is_empty(), "{said:?}");
        line.parse::<usize>().expect("a line")
    };
    let named: Vec<_> = faults.iter().map(line_of).collect();
    assert!(named.iter().all(|line| (1..=lines).contains(line)), "{named:?} of {lines}");
    assert!(named.is_sorted_by(|a, b| a < b), "{named:?}");
    named
}

fn without<'a>(text: &'a str, faulty: &[usize]) -> Vec<&'a str> {
    let lines = text.lines().enumerate();
    lines.filter(|(at, _)| !faulty.contains(&(at + 1))).map(|(_, line)| line).collect()
}

/// The numbers of a configuration: name, value, range.
fn numbers(config: &Config) -> [(&'static str, Option<u32>, RangeInclusive<u32>); 3] {
    let Config { timed_wait, fin_wait2, policy: _, spin, view: _ } = *config;
    [
        ("TcpTimedWaitDelay", timed_wait, 0..=300),
        ("TcpFinWait2Delay", fin_wait2, 1..=300),
        ("SpinMicroseconds", spin, 0..=100_000),
    ]
}

fn hold_the_ranges(config: &Config) {
    for (name, value, range) in numbers(config) {
        assert!(value.is_none_or(|value| range.contains(&value)), "{name} is {value:?}");
    }
}

/// The library only reads; this is what its documentation says of the form.
fn write(config: &Config) -> String {
    let mut text = String::from("# written\n");
    for (name, value, _) in numbers(config) {
        if let Some(value) = value {
            text += &format!("{name} = {value}\n");
        }
    }
    if let Some(policy) = config.policy {
        let word = match policy {
            TimeWaitPolicy::Auto => "auto",
            TimeWaitPolicy::Always => "always",
            TimeWaitPolicy::Never => "never",
        };
        text += &format!("TimeWaitPolicy = {word} # the policy\n");
    }
    text
}

/// The same text as the value of every variable: taken, or a fault that names the variable.
fn check_environment(text: &str) {
    let (mut faults, asked) = (Vec::new(), Cell::new(0));
    let variable = |_: &str| {
        asked.set(asked.get() + 1);
        Some(text.to_owned())
    };
    let config = config::from_environment(variable, &mut faults);
    hold_the_ranges(&config);
    let taken = numbers(&config).iter().filter(|(_, value, _)| value.is_some()).count();
    let taken = taken + usize::from(config.policy.is_some());
    assert_eq!(taken + faults.len(), asked.get());
    assert!(faults.iter().all(|fault| fault.to_string().starts_with("LINSOCK_")));
}

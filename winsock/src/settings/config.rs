//! The configuration file, and the same values from the environment. Pure: text in, values out.
//!
//! One setting on a line, `Name = value`; `#` begins a comment. The names are those of the registry
//! values on Windows, in any case, and the values are seconds or words:
//!
//! ```text
//! # TIME_WAIT of 30 seconds
//! TcpTimedWaitDelay = 30
//! TcpFinWait2Delay  = 60
//! TimeWaitPolicy    = auto     # or always, never
//! SpinMicroseconds  = 0        # waits look this long before they block
//! View              = yes      # or no: whether tools may look at the process
//! ```

use std::fmt;
use std::ops::RangeInclusive;

use super::TimeWaitPolicy;

/// The values that one source gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// `TcpTimedWaitDelay`, in seconds.
    pub timed_wait: Option<u32>,
    /// `TcpFinWait2Delay`, in seconds.
    pub fin_wait2: Option<u32>,
    /// `TimeWaitPolicy`.
    pub policy: Option<TimeWaitPolicy>,
    /// `SpinMicroseconds`.
    pub spin: Option<u32>,
    /// `View`.
    pub view: Option<bool>,
}

impl Config {
    /// These values, and for those that are missing the others.
    pub fn or(self, other: Self) -> Self {
        Self {
            timed_wait: self.timed_wait.or(other.timed_wait),
            fin_wait2: self.fin_wait2.or(other.fin_wait2),
            policy: self.policy.or(other.policy),
            spin: self.spin.or(other.spin),
            view: self.view.or(other.view),
        }
    }
}

/// What is wrong with a source, and where; the rest of the source counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    place: String,
    what: String,
}

impl Fault {
    /// Something is wrong with what stands there.
    pub(super) fn new(place: &str, what: String) -> Self {
        Self { place: place.to_owned(), what }
    }

    /// The file cannot be read.
    pub fn unreadable(file: &str, error: &dyn fmt::Display) -> Self {
        Self { place: file.to_owned(), what: format!("cannot be read: {error}") }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// The settings: name in the file, variable of the environment, range.
const TIMED_WAIT: (&str, &str, RangeInclusive<u32>) =
    ("TcpTimedWaitDelay", "LINSOCK_TCP_TIMED_WAIT_DELAY", 0..=super::TIMED_WAIT_MOST);
const FIN_WAIT2: (&str, &str, RangeInclusive<u32>) =
    ("TcpFinWait2Delay", "LINSOCK_TCP_FIN_WAIT2_DELAY", 1..=300);
const SPIN: (&str, &str, RangeInclusive<u32>) =
    ("SpinMicroseconds", "LINSOCK_SPIN_MICROSECONDS", 0..=100_000);
const POLICY: (&str, &str) = ("TimeWaitPolicy", "LINSOCK_TIME_WAIT_POLICY");
const VIEW: (&str, &str) = ("View", "LINSOCK_VIEW");

/// Reads a file's text; `file` names it in the faults.
pub fn parse(file: &str, text: &str, faults: &mut Vec<Fault>) -> Config {
    let mut config = Config::default();
    for (at, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let set = match line.split_once('=') {
            Some((name, value)) => set(&mut config, name.trim(), value.trim()),
            None => Err("expected `Name = value`".to_owned()),
        };
        if let Err(what) = set {
            faults.push(Fault { place: format!("{file}:{}", at + 1), what });
        }
    }
    config
}

/// Reads the variables of the environment.
pub fn from_environment(get: impl Fn(&str) -> Option<String>, faults: &mut Vec<Fault>) -> Config {
    let mut config = Config::default();
    let numbers = [TIMED_WAIT, FIN_WAIT2, SPIN].map(|(name, variable, _)| (name, variable));
    for (name, variable) in numbers.into_iter().chain([POLICY, VIEW]) {
        let Some(value) = get(variable) else { continue };
        if let Err(what) = set(&mut config, name, value.trim()) {
            faults.push(Fault { place: variable.to_owned(), what });
        }
    }
    config
}

fn set(config: &mut Config, name: &str, value: &str) -> Result<(), String> {
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    if is(TIMED_WAIT.0) {
        config.timed_wait = Some(number(TIMED_WAIT, "seconds", value)?);
    } else if is(FIN_WAIT2.0) {
        config.fin_wait2 = Some(number(FIN_WAIT2, "seconds", value)?);
    } else if is(SPIN.0) {
        config.spin = Some(number(SPIN, "microseconds", value)?);
    } else if is(POLICY.0) {
        config.policy = Some(policy(value)?);
    } else if is(VIEW.0) {
        config.view = Some(yes_or_no(VIEW.0, value)?);
    } else {
        let known = [TIMED_WAIT.0, FIN_WAIT2.0, POLICY.0, SPIN.0, VIEW.0].join(", ");
        return Err(format!("`{name}` is no setting (there are {known})"));
    }
    Ok(())
}

fn number(
    (name, _, range): (&str, &str, RangeInclusive<u32>),
    unit: &str,
    value: &str,
) -> Result<u32, String> {
    value.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        let (least, most) = (range.start(), range.end());
        format!("{name} is `{value}`, but must be from {least} to {most} {unit}")
    })
}

fn policy(value: &str) -> Result<TimeWaitPolicy, String> {
    match value.to_ascii_lowercase().as_str() {
        "auto" => Ok(TimeWaitPolicy::Auto),
        "always" => Ok(TimeWaitPolicy::Always),
        "never" => Ok(TimeWaitPolicy::Never),
        _ => Err(format!("{} is `{value}`, but must be auto, always or never", POLICY.0)),
    }
}

fn yes_or_no(name: &str, value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "yes" | "1" => Ok(true),
        "no" | "0" => Ok(false),
        _ => Err(format!("{name} is `{value}`, but must be yes or no")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Config, Vec<String>) {
        let mut faults = Vec::new();
        let config = parse("linsock.conf", text, &mut faults);
        (config, faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_file_of_the_documentation() {
        let text = "# TIME_WAIT\nTcpTimedWaitDelay = 30\n\n  tcpfinwait2delay=60\r\n\
                    TimeWaitPolicy = Always # or never\nSpinMicroseconds = 20\nView = No\n";
        let expected = Config {
            timed_wait: Some(30),
            fin_wait2: Some(60),
            policy: Some(TimeWaitPolicy::Always),
            spin: Some(20),
            view: Some(false),
        };
        assert_eq!(parsed(text), (expected, vec![]));
    }

    /// DisconnectEx page: "from 0 to 300 seconds".
    #[test]
    fn the_delay_is_from_0_to_300_seconds() {
        for (value, taken) in [("0", Some(0)), ("300", Some(300)), ("240", Some(240))] {
            assert_eq!(parsed(&format!("TcpTimedWaitDelay={value}")).0.timed_wait, taken);
        }
        for value in ["301", "-1", "1.5", "", "forever", "4294967296", "0x1e"] {
            let (config, faults) = parsed(&format!("\nTcpTimedWaitDelay = {value}"));
            assert_eq!(config, Config::default());
            let fault = format!(
                "linsock.conf:2: TcpTimedWaitDelay is `{value}`, but must be from 0 to 300 seconds"
            );
            assert_eq!(faults, [fault]);
        }
    }

    #[test]
    fn a_fault_names_its_line_and_the_rest_counts() {
        let (config, faults) = parsed(
            "MaxUserPort = 1\nTcpTimedWaitDelay\nTimeWaitPolicy=0\n\
                                       TcpTimedWaitDelay = 7\nView = maybe",
        );
        assert_eq!((config.timed_wait, config.view), (Some(7), None));
        assert_eq!(faults.len(), 4, "{faults:?}");
        assert_eq!(faults[3], "linsock.conf:5: View is `maybe`, but must be yes or no");
        assert!(faults[0].starts_with("linsock.conf:1: `MaxUserPort` is no setting"));
        assert_eq!(faults[1], "linsock.conf:2: expected `Name = value`");
        assert!(faults[2].starts_with("linsock.conf:3: TimeWaitPolicy is `0`"));
    }

    #[test]
    fn the_environment_goes_before_the_file() {
        let mut faults = Vec::new();
        let variable = |name: &str| match name {
            "LINSOCK_TCP_TIMED_WAIT_DELAY" => Some(" 5 ".to_owned()),
            "LINSOCK_TCP_FIN_WAIT2_DELAY" => Some("0".to_owned()),
            _ => None,
        };
        let environment = from_environment(variable, &mut faults);
        let file = Config { timed_wait: Some(9), fin_wait2: Some(8), ..Config::default() };
        let both = environment.or(file);
        assert_eq!((both.timed_wait, both.fin_wait2, both.policy), (Some(5), Some(8), None));
        assert_eq!(faults.len(), 1, "{faults:?}");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*", lines in "([A-Za-z=# 0-9]*\n){0,9}") {
            parsed(&text);
            parsed(&lines);
        }
    }
}

//! Settings of the process, each from the environment once.

use std::sync::OnceLock;
use std::time::Duration;

/// `TcpFinWait2Delay`: how long a disconnect with reuse waits for the peer's FIN before it resets
/// the connection. From `LINSOCK_TCP_FIN_WAIT2_DELAY` in seconds, 1 to 300; 120 by default (our
/// choice: the two minutes that users of Windows report).
pub fn fin_wait2_delay() -> Duration {
    static DELAY: OnceLock<Duration> = OnceLock::new();
    *DELAY.get_or_init(|| {
        let seconds = std::env::var("LINSOCK_TCP_FIN_WAIT2_DELAY").ok();
        Duration::from_secs(parse_delay(seconds.as_deref()).unwrap_or(120))
    })
}

fn parse_delay(text: Option<&str>) -> Option<u64> {
    text?.trim().parse().ok().filter(|seconds| (1..=300).contains(seconds))
}

#[cfg(test)]
mod tests {
    use super::parse_delay;

    #[test]
    fn a_delay_outside_its_range_is_not_taken() {
        for (text, seconds) in [
            (None, None),
            (Some("1"), Some(1)),
            (Some(" 300 "), Some(300)),
            (Some("0"), None),
            (Some("301"), None),
            (Some("two"), None),
        ] {
            assert_eq!(parse_delay(text), seconds, "{text:?}");
        }
    }
}

//! What the fuzzer has found worth keeping (`fuzz/corpus`), replayed without it; and scripts at
//! random.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

#[path = "../../fuzz/checks/configuration.rs"]
mod configuration;
#[path = "../../fuzz/checks/iso_connection.rs"]
mod iso_connection;
#[path = "../../fuzz/checks/iso_tpdu.rs"]
mod iso_tpdu;

fn replay(target: &str, check: impl Fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut count = 0;
    for entry in fs::read_dir(&corpus).unwrap() {
        check(&fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count > 20, "{} has {count} files", corpus.display());
}

#[test]
fn tpdus_of_the_corpus() {
    replay("iso_tpdu", iso_tpdu::check);
}

#[test]
fn connections_of_the_corpus() {
    replay("iso_connection", iso_connection::check);
}

#[test]
fn configurations_of_the_corpus() {
    replay("configuration", configuration::check);
}

proptest! {
    #[test]
    fn tpdus_at_random(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        iso_tpdu::check(&octets);
    }

    #[test]
    fn connections_at_random(script in prop::collection::vec(any::<u8>(), 0..400)) {
        iso_connection::check(&script);
    }
}

proptest! {
    #[test]
    fn configurations_at_random(
        lines in prop::collection::vec("[ -~]{0,9}|(TcpTimedWaitDelay|TcpFinWait2Delay|TimeWaitPolicy|[#a-zA-Z]{0,9}) ?= ?([0-9]{0,4}|auto|NEVER|.{0,9})( #.*)?", 0..9),
        octets in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        configuration::check(lines.join("\n").as_bytes());
        configuration::check(&octets);
    }
}

/// A peer that sends what means nothing, forever, behind the beginning of a message.
#[test]
fn nothing_is_held_of_what_means_nothing() {
    let mut script = vec![5, 3, 1];
    script.extend([3, 0].repeat(1 << 20));
    iso_connection::check(&script);
}

//! What the fuzzer has found worth keeping (`fuzz/corpus`), replayed without it; and scripts at
//! random.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use proptest::prelude::*;

#[path = "../../fuzz/checks/addresses_and_options.rs"]
mod addresses_and_options;
#[path = "../../fuzz/checks/c.rs"]
mod c;
#[path = "../../fuzz/checks/c_arguments.rs"]
mod c_arguments;
#[path = "../../fuzz/checks/c_two_threads.rs"]
mod c_two_threads;
#[path = "../../fuzz/checks/named_pipes.rs"]
mod named_pipes;
#[path = "../../fuzz/checks/registered_io.rs"]
mod registered_io;

/// One run at a time: a number that one takes for a handle may be another's, and descriptors are
/// counted.
fn alone(check: impl FnOnce()) {
    static RUNNING: Mutex<()> = Mutex::new(());
    let _running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    check();
}

fn replay(target: &str, check: impl Fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut count = 0;
    for entry in fs::read_dir(&corpus).unwrap() {
        let path = entry.unwrap().path();
        let octets = fs::read(&path).unwrap();
        alone(|| check(&octets));
        count += 1;
    }
    assert!(count > 20, "{} has {count} files", corpus.display());
}

#[test]
fn arguments_of_the_corpus() {
    replay("c_arguments", c_arguments::check);
}

#[test]
fn two_threads_of_the_corpus() {
    replay("c_two_threads", c_two_threads::check);
}

#[test]
fn named_pipes_of_the_corpus() {
    replay("named_pipes", named_pipes::check);
}

#[test]
fn registered_io_of_the_corpus() {
    replay("registered_io", registered_io::check);
}

#[test]
fn addresses_and_options_of_the_corpus() {
    replay("addresses_and_options", addresses_and_options::check);
}

proptest! {
    #[test]
    fn arguments_at_random(script in prop::collection::vec(any::<u8>(), 0..1000)) {
        alone(|| c_arguments::check(&script));
    }

    #[test]
    fn named_pipes_at_random(script in prop::collection::vec(any::<u8>(), 0..800)) {
        alone(|| named_pipes::check(&script));
    }

    #[test]
    fn registered_io_at_random(script in prop::collection::vec(any::<u8>(), 0..800)) {
        alone(|| registered_io::check(&script));
    }

    #[test]
    fn addresses_and_options_at_random(script in prop::collection::vec(any::<u8>(), 0..600)) {
        alone(|| addresses_and_options::check(&script));
    }
}

proptest! {
    // Each run starts threads.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn two_threads_at_random(script in prop::collection::vec(any::<u8>(), 0..200)) {
        alone(|| c_two_threads::check(&script));
    }
}

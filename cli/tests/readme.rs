//! The README's C program, as it stands there: it compiles, runs, and prints what it should. (The
//! Rust program is a documentation test of package `linsock`.)

use std::fs;
use std::path::Path;
use std::process::Command;

/// The first block of that language.
fn block(text: &str, language: &str) -> String {
    let begin = format!("```{language}\n");
    let (_, rest) = text.split_once(&begin).expect("the README has such a block");
    rest.split_once("```").expect("the block ends").0.to_owned()
}

#[test]
fn the_c_program_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let readme = fs::read_to_string(root.join("README.md")).expect("the README");
    let directory = tempfile::tempdir().expect("a directory");
    let source = directory.path().join("readme.c");
    fs::write(&source, block(&readme, "c")).expect("it is ours");
    let linsock = env!("CARGO_BIN_EXE_linsock");
    let output = Command::new(linsock).arg("run").arg(&source).output().expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "hello\n", "{errors}");
}

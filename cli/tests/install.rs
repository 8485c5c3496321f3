//! What `linsock install` leaves, moved elsewhere, compiles and runs programs by itself.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const PROGRAM: &str = r#"
#include <winsock2.h>
int main(void)
{
    WSADATA data;
    return WSAStartup(MAKEWORD(2, 2), &data);
}
"#;

fn run(command: &mut Command) -> Output {
    // Or the tree's own headers would serve.
    command.env_remove("LINSOCK_HOME").output().expect("it starts")
}

fn install(linsock: impl AsRef<Path>, prefix: &Path) -> Output {
    run(Command::new(linsock.as_ref()).arg("install").arg("--prefix").arg(prefix))
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_installation_works_wherever_it_is_moved() {
    let directory = tempfile::tempdir().expect("a directory");
    let (first, moved) = (directory.path().join("first"), directory.path().join("moved"));
    let built = env!("CARGO_BIN_EXE_linsock");
    for _ in 0..2 {
        let output = install(built, &first);
        assert!(output.status.success(), "{}", errors(&output));
        // Behind the second there is nothing of the first.
        assert!(!first.join("include/linsock/of_another_version.h").exists());
        fs::write(first.join("include/linsock/of_another_version.h"), "").expect("it is ours");
    }
    fs::rename(&first, &moved).expect("both are ours");
    let linsock = moved.join("bin/linsock");
    let source = directory.path().join("program.c");
    fs::write(&source, PROGRAM).expect("the directory is ours");
    let output = run(Command::new(&linsock).arg("run").arg(&source));
    assert!(output.status.success(), "{}", errors(&output));
    let output = run(Command::new(&linsock).arg("env"));
    let found = String::from_utf8_lossy(&output.stdout).into_owned();
    let headers = moved.join("include/linsock");
    assert!(found.contains(&format!("LINSOCK_INCLUDE={}\n", headers.display())), "{found}");
    // It does not copy itself over itself, and goes on working.
    let output = install(&linsock, &moved);
    assert!(errors(&output).contains("over itself"), "{}", errors(&output));
    assert!(run(Command::new(&linsock).arg("run").arg(&source)).status.success());
    build_by_pkg_config(&moved, &source);
}

/// As a makefile would that knows nothing of us.
fn build_by_pkg_config(prefix: &Path, source: &Path) {
    let packages = prefix.join("lib/pkgconfig");
    let program = prefix.join("program");
    let script =
        "cc $(pkg-config --cflags linsock) \"$0\" -o \"$1\" $(pkg-config --libs linsock) && \"$1\"";
    if !Command::new("pkg-config").arg("--version").output().is_ok_and(|o| o.status.success()) {
        eprintln!("skipped: an installation by pkg-config: needs pkg-config");
        return;
    }
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).arg(source).arg(&program).env("PKG_CONFIG_PATH", packages);
    let output = run(&mut shell);
    assert!(output.status.success(), "{}", errors(&output));
}

#[test]
fn a_place_that_cannot_be_written_is_an_error_that_names_it() {
    let output = install(env!("CARGO_BIN_EXE_linsock"), Path::new("/proc/linsock"));
    assert_eq!(output.status.code(), Some(1));
    let said = errors(&output);
    assert!(said.contains("/proc/linsock/include/linsock") && said.contains("--prefix"), "{said}");
}

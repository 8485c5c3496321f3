//! A project for Windows, built unmodified by CMake and by Meson through `linsock toolchain`, with
//! both compilers. Skipped by name where a build system is not installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const LINSOCK: &str = env!("CARGO_BIN_EXE_linsock");

const COMPILERS: [(&str, &str); 2] = [("gcc", "g++"), ("clang", "clang++")];

fn is_installed(command: &str) -> bool {
    Command::new(command).arg("--version").output().is_ok_and(|output| output.status.success())
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/project")
}

/// The file for a build system.
fn toolchain(system: &str, directory: &Path) -> PathBuf {
    let output = Command::new(LINSOCK).args(["toolchain", system]).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = directory.join(system);
    fs::write(&file, output.stdout).expect("the directory is ours");
    file
}

fn run(command: &mut Command, (cc, cxx): (&str, &str)) -> String {
    let output = command.env("CC", cc).env("CXX", cxx).output().expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{command:?} with {cc}\n{said}");
    said
}

/// Each compiler that is installed, with a directory of its own; nothing without the commands.
fn with_each_compiler(system: &str, commands: &[&str], build: impl Fn((&str, &str), &Path)) {
    if let Some(missing) = commands.iter().find(|command| !is_installed(command)) {
        eprintln!("skipped: {system} builds a project for Windows: needs {missing}");
        return;
    }
    for compilers in COMPILERS.into_iter().filter(|(cc, cxx)| is_installed(cc) && is_installed(cxx))
    {
        let directory = tempfile::tempdir().expect("a directory");
        build(compilers, directory.path());
    }
}

#[test]
fn cmake_builds_a_project_for_windows() {
    with_each_compiler("cmake", &["cmake", "make"], |compilers, directory| {
        let file = toolchain("cmake", directory);
        let build = directory.join("build");
        let mut configure = Command::new("cmake");
        configure.arg("-S").arg(project()).arg("-B").arg(&build);
        configure.arg("--toolchain").arg(&file).args(["-G", "Unix Makefiles"]);
        run(&mut configure, compilers);
        run(Command::new("cmake").arg("--build").arg(&build), compilers);
        let said = run(Command::new("ctest").current_dir(&build), compilers);
        assert!(said.contains("2/2"), "{said}");
        // The names are this system's, and what is installed finds its library.
        let prefix = directory.join("installed");
        run(
            Command::new("cmake").arg("--install").arg(&build).arg("--prefix").arg(&prefix),
            compilers,
        );
        for file in ["bin/exchange", "lib/libnetwork.a", "lib/libanswer.so"] {
            assert!(prefix.join(file).is_file(), "{file}");
        }
        let mut installed = Command::new(prefix.join("bin/exchange"));
        run(installed.env("LD_LIBRARY_PATH", prefix.join("lib")), compilers);
    });
}

#[test]
fn meson_builds_a_project_for_windows() {
    with_each_compiler("meson", &["meson", "ninja"], |compilers, directory| {
        let file = toolchain("meson", directory);
        let build = directory.join("build");
        let mut setup = Command::new("meson");
        setup.arg("setup").arg(&build).arg(project()).arg("--cross-file").arg(&file);
        run(&mut setup, compilers);
        run(Command::new("meson").arg("compile").arg("-C").arg(&build), compilers);
        let said = run(Command::new("meson").arg("test").arg("-C").arg(&build), compilers);
        assert!(said.contains("2/2"), "{said}");
    });
}

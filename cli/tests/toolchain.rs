//! A project for Windows, built unmodified by CMake, by Meson and by Autoconf's configure through
//! `linsock toolchain`, with both compilers. Skipped by name where a build system is not installed.

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

/// Every line of the file counts: configure takes what it says without a look.
#[test]
fn configure_builds_a_project_for_windows() {
    with_each_compiler("autoconf", &["autoconf", "make"], |compilers, directory| {
        for entry in fs::read_dir(project()).expect("the project") {
            let path = entry.expect("an entry").path();
            fs::copy(&path, directory.join(path.file_name().unwrap()))
                .expect("the directory is ours");
        }
        let site = toolchain("autoconf", directory);
        run(Command::new("autoconf").current_dir(directory), compilers);
        let build = directory.join("build");
        fs::create_dir(&build).expect("the directory is ours");
        let mut configure = Command::new("../configure");
        configure.current_dir(&build).arg("--host=x86_64-w64-mingw32").env("CONFIG_SITE", &site);
        run(&mut configure, compilers);
        let said = run(Command::new("make").arg("check").current_dir(&build), compilers);
        assert!(said.contains("21 octets, 42"), "{said}");
    });
}

/// What linsock has is not denied.
#[test]
fn the_site_file_denies_only_what_windows_has_not() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = fs::read_to_string(toolchain("autoconf", directory.path())).expect("just written");
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../include");
    let exports = fs::read_to_string(include.join("linsock_exports.list")).expect("the exports");
    let of = |prefix: &str| {
        let script = format!("{file}\nset | sed -n 's/^{prefix}\\(.*\\)=.*no.*/\\1/p'");
        let output = Command::new("sh").arg("-c").arg(script).output().expect("it starts");
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        let names = String::from_utf8(output.stdout).expect("names");
        names.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (headers, functions) = (of("ac_cv_header_"), of("ac_cv_func_"));
    assert!(headers.len() > 50 && functions.len() > 100, "{headers:?} {functions:?}");
    for header in headers {
        let name = header.strip_suffix("_h").expect("a header");
        assert!(!include.join(format!("{}.h", name.replacen('_', "/", 1))).exists(), "{name}");
        assert!(!include.join(format!("{name}.h")).exists(), "{name}");
    }
    for function in functions {
        let known = [format!("    {function};"), format!("    WS_{function};")];
        assert!(!exports.lines().any(|line| known.iter().any(|name| name == line)), "{function}");
    }
}

//! The system compiler: which one, and with what added to the user's arguments.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::arguments::Arguments;
use crate::error::Error;
use crate::locate::Installation;

/// Makes the sources see Windows. Many test `__linux__` before `_WIN32`, so defining is not enough.
/// A `char` is signed there, which it is on Linux by the machine.
const PLATFORM: &[&str] = &[
    "-D_WIN32",
    "-D_WIN64",
    "-DWIN32",
    "-U__linux__",
    "-U__linux",
    "-Ulinux",
    "-U__unix__",
    "-U__unix",
    "-Uunix",
    "-U__gnu_linux__",
    "-fsigned-char",
];

/// Winsock sources name their libraries in `#pragma comment(lib, …)`. This follows the user's
/// arguments because clang lets a later `-Wall` switch the warning on again.
const QUIET: &str = "-Wno-unknown-pragmas";

/// The functions that have a format. To the compilers' minds it is the C library's, in which the
/// 64 of Microsoft's `%I64d` is a width: they would warn of it, and reckon with the length.
const FORMATTED: [&str; 14] = [
    "printf",
    "fprintf",
    "sprintf",
    "snprintf",
    "vprintf",
    "vfprintf",
    "vsprintf",
    "vsnprintf",
    "scanf",
    "fscanf",
    "sscanf",
    "vscanf",
    "vfscanf",
    "vsscanf",
];

/// What drivers are compiled with; `L""` is a string of 16-bit units there.
const KERNEL: &[&str] = &[
    "-D_KERNEL_MODE=1",
    if cfg!(target_arch = "aarch64") { "-D_ARM64_" } else { "-D_AMD64_" },
    "-D_WIN32_WINNT=0x0A00",
    "-DNTDDI_VERSION=0x0A000000",
    "-fshort-wchar",
    "-Wno-multichar",
];

/// What programs whose texts are UTF-16 are compiled with: `L""` is a string of 16-bit units.
const WIDE: &[&str] = &["-fshort-wchar", "-DUNICODE", "-D_UNICODE"];

/// The `main` of a driver, among the headers.
const DRIVER_MAIN: &str = "linsock_driver.c";

/// The words of compilers for Windows, among the headers.
const WORDS: &str = "linsock_words.h";

/// The names of the library's functions, among the headers: a program lets the libraries that it
/// loads see them, so that all have one library, with its sockets.
const EXPORTS: &str = "linsock_exports.list";

/// What a Rust static library needs of the system (`rustc --print native-static-libs`).
const SYSTEM_LIBRARIES: &[&str] = &["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc"];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Language {
    C,
    Cxx,
}

impl Language {
    fn name(self) -> &'static str {
        match self {
            Self::C => "C",
            Self::Cxx => "C++",
        }
    }

    fn variable(self) -> &'static str {
        match self {
            Self::C => "CC",
            Self::Cxx => "CXX",
        }
    }

    fn package(self) -> &'static str {
        match self {
            Self::C => "gcc",
            Self::Cxx => "g++",
        }
    }

    fn defaults(self) -> [&'static str; 3] {
        match self {
            Self::C => ["cc", "gcc", "clang"],
            Self::Cxx => ["c++", "g++", "clang++"],
        }
    }

    /// The commands to try: the one that was asked for, or the usual ones.
    fn candidates(self, chosen: Option<&OsStr>) -> Vec<Vec<OsString>> {
        // As in CC="ccache gcc".
        let chosen = chosen.map(OsStr::to_string_lossy).unwrap_or_default();
        let words: Vec<OsString> = chosen.split_whitespace().map(OsString::from).collect();
        // `make CC="linsock cc"` exports the variable: we would start ourselves without end.
        let is_ours =
            words.iter().any(|word| Path::new(word).file_name() == Some("linsock".as_ref()));
        if words.is_empty() || is_ours {
            return self.defaults().map(|name| vec![OsString::from(name)]).to_vec();
        }
        vec![words]
    }
}

/// Becomes the compiler, so that its exit status, signals and output are its own.
pub(crate) fn replace(
    language: Language,
    installation: &Installation,
    arguments: Vec<OsString>,
) -> Result<ExitCode, Error> {
    let arguments = command_line(installation, Arguments::parse(arguments))?;
    // `exec` comes back only when it has failed.
    start(language, &arguments, |compiler| Err(compiler.exec()))
}

/// Starts the first compiler that is installed.
pub(crate) fn start<T>(
    language: Language,
    arguments: &[OsString],
    launch: impl Fn(&mut Command) -> io::Result<T>,
) -> Result<T, Error> {
    let candidates = language.candidates(env::var_os(language.variable()).as_deref());
    for words in &candidates {
        match launch(Command::new(&words[0]).args(&words[1..]).args(arguments)) {
            Ok(started) => return Ok(started),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => {
                let program = words[0].to_string_lossy().into_owned();
                return Err(Error::Start { program, source });
            }
        }
    }
    let tried: Vec<_> = candidates.iter().map(|words| words[0].to_string_lossy()).collect();
    Err(Error::NoCompiler {
        language: language.name(),
        tried: tried.join(", "),
        package: language.package(),
        variable: language.variable(),
    })
}

/// Ours first, so that the user's `-D`, `-U` and `-I` prevail; libraries last, as the linker reads.
pub(crate) fn command_line(
    installation: &Installation,
    user: Arguments,
) -> Result<Vec<OsString>, Error> {
    let links = user.links();
    let mut line = preprocessor_flags(installation);
    if user.is_driver {
        line.extend(KERNEL.iter().map(OsString::from));
    }
    if user.is_wide {
        line.extend(WIDE.iter().map(OsString::from));
    }
    if user.is_shared {
        // Compilers for Windows need not be told.
        line.push("-fPIC".into());
    }
    line.extend(user.words);
    line.push(QUIET.into());
    if links && user.is_driver {
        let main = installation.headers().join(DRIVER_MAIN);
        line.extend(["-x".into(), "c".into(), main.into(), "-x".into(), "none".into()]);
    }
    if links && !user.is_shared && !user.is_static {
        let exports = installation.headers().join(EXPORTS);
        line.push(prefixed("-Wl,--dynamic-list=", exports.as_os_str()));
    }
    if links {
        if user.uses_lld {
            line.push("-Wl,--no-dependent-libraries".into());
        }
        if user.language_is_forced {
            // Or the library would be compiled.
            line.extend(["-x".into(), "none".into()]);
        }
        line.extend(libraries(installation, user.is_static)?);
    }
    Ok(line)
}

/// What a build system adds when it compiles.
pub(crate) fn cflags(installation: &Installation) -> Vec<OsString> {
    let mut flags = preprocessor_flags(installation);
    flags.push(QUIET.into());
    flags
}

/// What a build system adds when it links.
pub(crate) fn libs(installation: &Installation) -> Result<Vec<OsString>, Error> {
    libraries(installation, false)
}

fn preprocessor_flags(installation: &Installation) -> Vec<OsString> {
    let headers = installation.headers();
    let mut flags: Vec<OsString> = PLATFORM.iter().map(OsString::from).collect();
    flags.extend(FORMATTED.iter().map(|name| format!("-fno-builtin-{name}").into()));
    // What compilers for Windows know without a header.
    flags.extend(["-include".into(), headers.join(WORDS).into_os_string()]);
    // Other spellings of the names, as `WinSock2.h`, lie in `alias`.
    for directory in [headers.to_path_buf(), headers.join("alias")] {
        flags.extend(["-isystem".into(), directory.into_os_string()]);
    }
    flags
}

fn prefixed(option: &str, value: &OsStr) -> OsString {
    let mut word = OsString::from(option);
    word.push(value);
    word
}

fn libraries(installation: &Installation, is_static: bool) -> Result<Vec<OsString>, Error> {
    let mut libraries = vec![installation.library()?.into()];
    libraries.extend(SYSTEM_LIBRARIES.iter().map(|&library| {
        // The unwinder of a static executable lies in another library.
        OsString::from(if is_static && library == "-lgcc_s" { "-lgcc_eh" } else { library })
    }));
    Ok(libraries)
}

/// Joins words so that a shell splits them again; paths may hold blanks.
pub(crate) fn shell_words(words: &[OsString]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=+,:@%".contains(c);
    let quoted = words.iter().map(|word| {
        let word = word.to_string_lossy();
        if !word.is_empty() && word.chars().all(is_plain) {
            word.into_owned()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_is_the_chosen_one_or_one_of_the_usual_ones() {
        let rows = [
            (Language::C, None, "cc|gcc|clang"),
            (Language::Cxx, None, "c++|g++|clang++"),
            (Language::C, Some(""), "cc|gcc|clang"),
            (Language::C, Some("clang-19"), "clang-19"),
            (Language::C, Some(" ccache  gcc -m64 "), "ccache gcc -m64"),
            // Ourselves, as a makefile names us.
            (Language::C, Some("linsock cc"), "cc|gcc|clang"),
            (Language::Cxx, Some("/usr/bin/linsock c++"), "c++|g++|clang++"),
            (Language::C, Some("ccache linsock cc"), "cc|gcc|clang"),
        ];
        for (language, chosen, expected) in rows {
            let candidates = language.candidates(chosen.map(OsStr::new));
            let commands: Vec<_> = candidates.iter().map(|words| shell_words(words)).collect();
            assert_eq!(commands.join("|"), expected, "{chosen:?}");
        }
    }

    fn installation() -> (tempfile::TempDir, Installation) {
        let root = tempfile::tempdir().unwrap();
        for file in ["include/winsock2.h", "lib/liblinsock_c.a"] {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let installation = Installation::at_home(root.path()).unwrap();
        (root, installation)
    }

    /// `<` stands for the flags before the user's arguments, `ROOT` for the directory.
    #[test]
    fn flags_come_first_and_libraries_last() {
        const SYSTEM: &str = "-lutil -lrt -lpthread -lm -ldl -lc";
        const SEEN: &str = "-Wl,--dynamic-list=ROOT/include/linsock_exports.list";
        let library = "ROOT/lib/liblinsock_c.a";
        let rows = [
            ("a.c", format!("< a.c -Wno-unknown-pragmas {SEEN} {library} -lgcc_s {SYSTEM}")),
            (
                "-shared a.c -o a.dll",
                format!(
                    "< -fPIC -shared a.c -o a.dll -Wno-unknown-pragmas {library} -lgcc_s {SYSTEM}"
                ),
            ),
            ("-c a.c", "< -c a.c -Wno-unknown-pragmas".to_owned()),
            (
                "-c -municode a.c",
                "< -fshort-wchar -DUNICODE -D_UNICODE -c a.c -Wno-unknown-pragmas".to_owned(),
            ),
            (
                "-x c a",
                format!("< -x c a -Wno-unknown-pragmas {SEEN} -x none {library} -lgcc_s {SYSTEM}"),
            ),
            (
                "-static a.c -lws2_32",
                format!("< -static a.c -Wno-unknown-pragmas {library} -lgcc_eh {SYSTEM}"),
            ),
            (
                "-fuse-ld=lld a.c",
                format!(
                    "< -fuse-ld=lld a.c -Wno-unknown-pragmas {SEEN} \
                     -Wl,--no-dependent-libraries {library} -lgcc_s {SYSTEM}"
                ),
            ),
        ];
        let (root, installation) = installation();
        let formatted = FORMATTED.map(|name| format!("-fno-builtin-{name}")).join(" ");
        let flags = format!(
            "{} {formatted} -include ROOT/include/linsock_words.h -isystem ROOT/include \
             -isystem ROOT/include/alias",
            PLATFORM.join(" ")
        );
        for (line, expected) in rows {
            let user = Arguments::parse(line.split(' ').map(OsString::from).collect());
            let line = shell_words(&command_line(&installation, user).unwrap());
            let line = line.replace(&root.path().display().to_string(), "ROOT");
            assert_eq!(line, expected.replace('<', &flags));
        }
    }

    #[test]
    fn words_survive_a_shell() {
        let words = ["a b", "it's", "", "-DX=\"y\"", "$HOME", "-lws2_32"].map(OsString::from);
        let script = format!("printf '%s|' {}", shell_words(&words));
        let output = Command::new("/bin/sh").args(["-c", &script]).output().unwrap();
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            "a b|it's||-DX=\"y\"|$HOME|-lws2_32|"
        );
    }
}

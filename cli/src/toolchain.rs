//! Files by which build systems take linsock for a compiler for Windows.

use std::env;

use clap::ValueEnum;

use crate::error::Error;
use crate::locate::Installation;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The build system: a toolchain file for `cmake --toolchain`, a cross file for
    /// `meson setup --cross-file`, or a site file for Autoconf's `configure`, by CONFIG_SITE.
    system: System,
}

#[derive(Clone, Copy, ValueEnum)]
enum System {
    Cmake,
    Meson,
    Autoconf,
}

/// What the files call the path of this command.
const PLACEHOLDER: &str = "@LINSOCK@";

/// What the files call the machine.
const PROCESSOR: &str = "@PROCESSOR@";

/// The file for a build system, which calls this very command. Refused where headers or library are
/// missing: the build system would blame the compiler.
pub(crate) fn text(arguments: &Arguments, installation: &Installation) -> Result<String, Error> {
    installation.library()?;
    let command = env::current_exe().map_err(|error| Error::Command(error.to_string()))?;
    let unfit = |why| Error::Command(format!("{} {why}", command.display()));
    let path = command.to_str().ok_or_else(|| unfit("is not UTF-8"))?;
    if !arguments.system.takes(path) {
        return Err(unfit(
            "has a blank or a quote in its path, at which configure parts the command",
        ));
    }
    Ok(arguments.system.file(path))
}

impl System {
    fn file(self, command: &str) -> String {
        let file = match self {
            Self::Cmake => include_str!("toolchain/linsock.cmake"),
            Self::Meson => include_str!("toolchain/linsock.ini"),
            Self::Autoconf => include_str!("toolchain/config.site"),
        };
        let file = file.trim_end().replace(PROCESSOR, self.processor());
        file.replace(PLACEHOLDER, &self.quoted(command))
    }

    /// The machine: to CMake under Windows' name, to the others under its own.
    const fn processor(self) -> &'static str {
        match self {
            Self::Cmake if cfg!(target_arch = "aarch64") => "ARM64",
            Self::Cmake => "AMD64",
            Self::Meson | Self::Autoconf => env::consts::ARCH,
        }
    }

    /// Whether the path can stand in the file: configure parts the compiler's command at blanks,
    /// and knows no quotes in it.
    fn takes(self, path: &str) -> bool {
        let is_plain = |c: char| c.is_alphanumeric() || "/._+-".contains(c);
        !matches!(self, Self::Autoconf) || path.chars().all(is_plain)
    }

    /// A path as it stands between the quotes of the file's language.
    fn quoted(self, path: &str) -> String {
        let special: &[char] = match self {
            Self::Cmake => &['\\', '"', '$', ';'],
            Self::Meson => &['\\', '\''],
            Self::Autoconf => &[],
        };
        let escaped =
            path.chars().flat_map(|c| special.contains(&c).then_some('\\').into_iter().chain([c]));
        escaped.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_named_in_the_language_of_the_file() {
        let rows = [
            (System::Cmake, r#"/a b/$x;"'"#, r#"set(CMAKE_C_COMPILER "/a b/\$x\;\"'" cc)"#),
            (System::Meson, r#"/a b/$x;"'"#, r#"c = ['/a b/$x;"\'', 'cc']"#),
        ];
        for (system, command, line) in rows {
            let file = system.file(command);
            assert!(file.lines().any(|each| each.trim() == line), "{file}");
            assert!(!file.contains('@'), "{file}");
        }
        let file = System::Autoconf.file("/a/b");
        assert!(file.lines().any(|line| line == "CC=\"/a/b cc\""), "{file}");
        assert!(!file.contains("@LINSOCK@") && !file.contains("@PROCESSOR@"), "{file}");
        assert!(!System::Autoconf.takes("/a b/c") && !System::Autoconf.takes("/a$b"));
        assert!(System::Autoconf.takes("/opt/linsock-1.0/bin/linsock"));
    }
}

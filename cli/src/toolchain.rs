//! Files by which build systems take linsock for a compiler for Windows.

use std::env;

use clap::ValueEnum;

use crate::error::Error;
use crate::locate::Installation;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The build system: a toolchain file for `cmake --toolchain`, or a cross file for
    /// `meson setup --cross-file`.
    system: System,
}

#[derive(Clone, Copy, ValueEnum)]
enum System {
    Cmake,
    Meson,
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
    let unfit = || Error::Command(format!("{} is not UTF-8", command.display()));
    Ok(arguments.system.file(command.to_str().ok_or_else(unfit)?))
}

impl System {
    fn file(self, command: &str) -> String {
        let file = match self {
            Self::Cmake => include_str!("toolchain/linsock.cmake"),
            Self::Meson => include_str!("toolchain/linsock.ini"),
        };
        let file = file.trim_end().replace(PROCESSOR, self.processor());
        file.replace(PLACEHOLDER, &self.quoted(command))
    }

    /// The machine: to CMake under Windows' name, to Meson under its own.
    const fn processor(self) -> &'static str {
        match self {
            Self::Cmake if cfg!(target_arch = "aarch64") => "ARM64",
            Self::Cmake => "AMD64",
            Self::Meson => env::consts::ARCH,
        }
    }

    /// A path as it stands between the quotes of the file's language.
    fn quoted(self, path: &str) -> String {
        let special: &[char] = match self {
            Self::Cmake => &['\\', '"', '$', ';'],
            Self::Meson => &['\\', '\''],
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
    }
}

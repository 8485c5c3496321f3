//! What only linkers for Windows know: its libraries, and how an image is laid out.

/// Import libraries that have no counterpart here: linsock is what they stand for. A program that
/// uses more of them than there is learns it from the linker, symbol by symbol.
const LIBRARIES: &[&str] = &[
    "ws2_32",
    "wsock32",
    "mswsock",
    "kernel32",
    "ntdll",
    "netio",
    "user32",
    "advapi32",
    "iphlpapi",
    "winmm",
    "bcrypt",
    "crypt32",
    "psapi",
    "shlwapi",
    "secur32",
    "userenv",
    "dbghelp",
    "version",
    "synchronization",
    "gdi32",
    "winspool",
    "shell32",
    "ole32",
    "oleaut32",
    "uuid",
    "rpcrt4",
    "comdlg32",
    "msvcrt",
    "ucrt",
    "mingw32",
    "mingwex",
    "moldname",
];

/// Options of compilers for Windows about the image.
const OF_THE_COMPILER: &[&str] = &["-mwindows", "-mconsole", "-mthreads", "-mdll", "-mwin32"];

/// Options of linkers for Windows that stand alone.
const OF_THE_LINKER: &[&str] = &[
    "enable-auto-import",
    "disable-auto-import",
    "enable-auto-image-base",
    "enable-runtime-pseudo-reloc",
    "disable-runtime-pseudo-reloc",
    "enable-stdcall-fixup",
    "disable-stdcall-fixup",
    "add-stdcall-alias",
    "kill-at",
    "export-all-symbols",
    "nxcompat",
    "no-nxcompat",
    "dynamicbase",
    "disable-dynamicbase",
    "high-entropy-va",
    "disable-high-entropy-va",
    "large-address-aware",
    "tsaware",
    "no-seh",
    "no-insert-timestamp",
    "insert-timestamp",
];

/// Options of linkers for Windows with a value, behind `=` or the next word.
const WITH_A_VALUE: &[&str] = &[
    "out-implib",
    "output-def",
    "subsystem",
    "major-image-version",
    "minor-image-version",
    "major-os-version",
    "minor-os-version",
    "major-subsystem-version",
    "minor-subsystem-version",
    "image-base",
    "stack",
    "heap",
];

/// Whether it names a library of Windows, as `-l` does: `ws2_32`, and `WS2_32.lib`.
pub(crate) fn is_library(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    LIBRARIES.contains(&name.strip_suffix(".lib").unwrap_or(&name))
}

/// Whether it names a library of Windows as makefiles for Visual C++ name an input: `WS2_32.lib`.
pub(crate) fn is_library_file(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".lib") && is_library(name)
}

/// Whether it is an option for the compiler that is about an image of Windows.
pub(crate) fn is_image_option(option: &str) -> bool {
    OF_THE_COMPILER.contains(&option)
}

/// What is left of a `-Wl,…` without what is about an image of Windows; empty if nothing is.
pub(crate) fn without_image_options(option: &str) -> Option<String> {
    let mut words = option.strip_prefix("-Wl,")?.split(',');
    let mut left = String::new();
    while let Some(word) = words.next() {
        let name = word.strip_prefix("--").or_else(|| word.strip_prefix('-')).unwrap_or("");
        let (name, value) = name.split_once('=').map_or((name, None), |(n, v)| (n, Some(v)));
        if WITH_A_VALUE.contains(&name) {
            if value.is_none() {
                words.next();
            }
        } else if !OF_THE_LINKER.contains(&name) {
            left.push_str(if left.is_empty() { "-Wl," } else { "," });
            left.push_str(word);
        }
    }
    Some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: ld's manual, "Options Specific to i386 PE Targets"; what CMake and Meson pass.
    #[test]
    fn options_about_an_image_go_and_the_others_stay() {
        let rows = [
            ("-Wl,--out-implib,liba.dll.a", ""),
            ("-Wl,--out-implib=liba.dll.a", ""),
            ("-Wl,-out-implib=liba.dll.a", ""),
            ("-Wl,--major-image-version,0,--minor-image-version,0", ""),
            ("-Wl,--as-needed,--subsystem,console,-s", "-Wl,--as-needed,-s"),
            ("-Wl,--nxcompat,-rpath,/a,--dynamicbase", "-Wl,-rpath,/a"),
            ("-Wl,--out-implib", ""),
            ("-Wl,-z,stack-size=1", "-Wl,-z,stack-size=1"),
            ("-Wl,--start-group", "-Wl,--start-group"),
            ("-Wl,heap", "-Wl,heap"),
        ];
        for (option, left) in rows {
            assert_eq!(without_image_options(option).as_deref(), Some(left), "{option}");
        }
        assert_eq!(without_image_options("-L."), None);
    }
}

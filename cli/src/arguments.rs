//! What the compiler's arguments ask for: whether it links, and which of them only Windows knows.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::windows;

/// Options that end the work before the program is linked; `-r` leaves that to a later link.
const STOPS: &[&str] = &[
    "-c",
    "-S",
    "-E",
    "-M",
    "-MM",
    "-r",
    "-fsyntax-only",
    "-emit-ast",
    "--compile",
    "--assemble",
    "--preprocess",
    "--dependencies",
    "--user-dependencies",
    "--analyze",
    "--precompile",
];

/// Options whose value is the next argument, so that `-Xlinker -E` or `-MF out.c` mislead nobody.
const TAKES_VALUE: &[&str] = &[
    "-o",
    "-x",
    "-I",
    "-D",
    "-U",
    "-L",
    "-l",
    "-A",
    "-B",
    "-T",
    "-F",
    "-e",
    "-u",
    "-z",
    "-MF",
    "-MT",
    "-MQ",
    "-Xlinker",
    "-Xassembler",
    "-Xpreprocessor",
    "-Xclang",
    "-mllvm",
    "-include",
    "-imacros",
    "-idirafter",
    "-iprefix",
    "-iwithprefix",
    "-iwithprefixbefore",
    "-isystem",
    "-iquote",
    "-isysroot",
    "-ivfsoverlay",
    "-include-pch",
    "-arch",
    "-target",
    "-rpath",
    "--param",
    "--sysroot",
    "-aux-info",
    "-dumpbase",
    "-dumpbase-ext",
    "-dumpdir",
    "-wrapper",
];

/// The source is a driver: a client of Winsock Kernel, with DriverEntry for `main`.
pub(crate) const DRIVER: &str = "--wsk";

/// Texts are UTF-16: as compilers for Windows on other systems spell it.
pub(crate) const WIDE: &str = "-municode";

/// A header as the only input is precompiled, not linked.
const HEADER_EXTENSIONS: &[&str] = &["h", "hh", "hp", "hpp", "hxx", "h++", "H", "tcc"];

/// The user's arguments, understood as far as we must.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    /// What the compiler gets: everything but the libraries of Windows.
    pub(crate) words: Vec<OsString>,
    /// `-x` reigns over every later file, ours included.
    pub(crate) language_is_forced: bool,
    /// There is no static libgcc_s.
    pub(crate) is_static: bool,
    /// A shared object is made: a DLL.
    pub(crate) is_shared: bool,
    /// lld would look for the libraries that clang notes for `#pragma comment(lib, …)`.
    pub(crate) uses_lld: bool,
    /// [`DRIVER`] was given.
    pub(crate) is_driver: bool,
    /// [`WIDE`] was given.
    pub(crate) is_wide: bool,
    stops: bool,
    has_input: bool,
    /// `--` has been seen.
    only_inputs: bool,
    /// The option whose value comes next.
    awaiting: Option<String>,
    /// An argument has been dropped or rewritten.
    changed: bool,
}

impl Arguments {
    pub(crate) fn parse(arguments: Vec<OsString>) -> Self {
        let mut parsed = Self::default();
        for argument in arguments {
            match response_file(&argument) {
                Some(words) => parsed.take_response_file(argument, words),
                None => parsed.take(argument),
            }
        }
        parsed
    }

    /// Whether an executable or shared object is made. Without an input it is not, whatever the
    /// options say: `cc -v` must not become a link of nothing but our library.
    pub(crate) fn links(&self) -> bool {
        self.has_input && !self.stops
    }

    /// Leaves the file to the compiler unless something in it has to go.
    fn take_response_file(&mut self, argument: OsString, words: Vec<OsString>) {
        let start = self.words.len();
        let changed_before = std::mem::take(&mut self.changed);
        for word in words {
            self.take(word);
        }
        if !self.changed {
            self.words.truncate(start);
            self.words.push(argument);
        }
        self.changed |= changed_before;
    }

    fn take(&mut self, argument: OsString) {
        let text = argument.to_string_lossy().into_owned();
        if let Some(option) = self.awaiting.take() {
            self.take_value(&option, &text, argument);
        } else if text == DRIVER && !self.only_inputs {
            (self.is_driver, self.changed) = (true, true);
        } else if self.only_inputs {
            self.take_input_after_dashes(&text, argument);
        } else if text == "--" {
            // Our library and its -l options follow the inputs, so nothing may hide behind a `--`.
            self.only_inputs = true;
            self.changed = true;
        } else if text.starts_with('-') && text != "-" {
            self.take_option(text, argument);
        } else if windows::is_library_file(&text) {
            self.changed = true;
        } else {
            self.take_input(&text, argument);
        }
    }

    fn take_option(&mut self, text: String, argument: OsString) {
        if windows::is_image_option(&text) {
            self.changed = true;
            return;
        }
        if let Some(left) = windows::without_image_options(&text).filter(|left| *left != text) {
            self.changed = true;
            if !left.is_empty() {
                self.words.push(left.into());
            }
            return;
        }
        if text.strip_prefix("-l").is_some_and(windows::is_library) {
            self.changed = true;
            return;
        }
        if text == WIDE {
            (self.is_wide, self.changed) = (true, true);
            return;
        }
        self.stops |= STOPS.contains(&text.as_str());
        self.is_static |= matches!(text.as_str(), "-static" | "--static" | "-static-pie");
        self.is_shared |= matches!(text.as_str(), "-shared" | "--shared");
        self.uses_lld |= text.starts_with("-fuse-ld=") && text.contains("lld");
        // `-xc` is one word.
        if let Some(language) = text.strip_prefix("-x").filter(|language| !language.is_empty()) {
            self.force_language(language);
        }
        if TAKES_VALUE.contains(&text.as_str()) {
            self.awaiting = Some(text);
        }
        self.words.push(argument);
    }

    fn take_value(&mut self, option: &str, text: &str, argument: OsString) {
        if option == "-l" && windows::is_library(text) {
            self.words.pop();
            self.changed = true;
            return;
        }
        if option == "-x" {
            self.force_language(text);
        }
        self.words.push(argument);
    }

    fn force_language(&mut self, language: &str) {
        self.language_is_forced = language != "none";
        self.stops |= language.ends_with("-header");
    }

    fn take_input(&mut self, text: &str, argument: OsString) {
        let extension = text.rsplit_once('.').map_or("", |(_, extension)| extension);
        self.has_input |= !HEADER_EXTENSIONS.contains(&extension);
        self.words.push(argument);
    }

    /// Says without `--` that this is a file.
    fn take_input_after_dashes(&mut self, text: &str, argument: OsString) {
        if text.starts_with('-') {
            let mut path = OsString::from("./");
            path.push(argument);
            self.take_input(text, path);
        } else {
            self.take_input(text, argument);
        }
    }
}

/// The words of `@FILE`; the compiler takes the argument literally where there is no such file.
fn response_file(argument: &OsStr) -> Option<Vec<OsString>> {
    let path = argument.as_bytes().strip_prefix(b"@")?;
    Some(split(&fs::read(OsStr::from_bytes(path)).ok()?))
}

/// Splits as GNU does: blanks separate, quotes group, a backslash protects the next character.
fn split(text: &[u8]) -> Vec<OsString> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => word.get_or_insert_default().extend(bytes.next()),
            _ if quote == Some(byte) => quote = None,
            b'\'' | b'"' if quote.is_none() => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            _ if quote.is_none() && byte.is_ascii_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    words.into_iter().map(OsString::from_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Arguments {
        Arguments::parse(split(line.as_bytes()))
    }

    fn joined(arguments: &Arguments) -> String {
        let words: Vec<_> = arguments.words.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }

    #[test]
    fn links_only_where_the_compiler_reaches_the_linker() {
        let rows = [
            ("a.c", true),
            ("a.c -o a", true),
            ("a.o b.o", true),
            ("-x c -", true),
            ("-shared -fPIC a.c -o liba.so", true),
            ("-MMD -MF a.d a.c", true),
            ("-save-temps a.c", true),
            ("-c a.c", false),
            ("a.c -c -o a.o", false),
            ("-S a.c", false),
            ("-E a.c", false),
            ("-M a.c", false),
            ("-MM a.c", false),
            ("-fsyntax-only a.c", false),
            ("-r a.o b.o -o c.o", false),
            ("--preprocess a.c", false),
            ("--analyze a.c", false),
            // Without an input there is nothing to link.
            ("", false),
            ("-v", false),
            ("--version", false),
            ("-o a", false),
            ("-I include", false),
            // A header alone is precompiled.
            ("a.h -o a.h.gch", false),
            ("-x c++-header a.c", false),
            ("-xc-header a.c", false),
            ("a.h a.c", true),
            // Values are not options, and options of the linker are not the compiler's.
            ("a.c -Xlinker -E", true),
            ("a.c -Xlinker -M", true),
            ("a.c -Wl,-E", true),
            ("a.c -D -c", true),
            ("a.c -o -S", true),
        ];
        for (line, links) in rows {
            assert_eq!(parse(line).links(), links, "{line}");
        }
    }

    #[test]
    fn drops_the_libraries_of_windows_and_nothing_else() {
        let rows = [
            ("a.c -lws2_32 -o a", "a.c -o a"),
            ("a.c -lmswsock -lwsock32 -lkernel32", "a.c"),
            ("a.c -lWs2_32", "a.c"),
            ("a.c -lws2_32.lib", "a.c"),
            ("a.c Ws2_32.lib MSWSOCK.LIB", "a.c"),
            ("a.c -l ws2_32 -l m", "a.c -l m"),
            ("a.c -lm -lssl", "a.c -lm -lssl"),
            ("a.c -lws2_32x", "a.c -lws2_32x"),
            ("a.c mine.lib", "a.c mine.lib"),
            // The name of a file, not of a library.
            ("a.c -o ws2_32.lib", "a.c -o ws2_32.lib"),
            ("ws2_32", "ws2_32"),
            ("-D -lws2_32 a.c", "-D -lws2_32 a.c"),
            // What build systems add for images of Windows.
            ("a.o -o a -mwindows -Wl,--out-implib,a.dll.a -lgdi32 -luuid", "a.o -o a"),
            ("a.o -Wl,--as-needed,--subsystem,console -lm", "a.o -Wl,--as-needed -lm"),
        ];
        for (line, expected) in rows {
            assert_eq!(joined(&parse(line)), expected, "{line}");
        }
    }

    #[test]
    fn keeps_the_order_and_the_spelling_of_everything_else() {
        for line in
            ["-x c - -O2 -Wall -std=c11", "-I a -isystem b a.c -L c -lz -Wl,-rpath,d", "@no"]
        {
            assert_eq!(joined(&parse(line)), line);
        }
    }

    /// The option is ours; behind `-o` or `--` it is a name.
    #[test]
    fn a_driver_is_what_the_option_says() {
        let rows = [
            ("--wsk a.c -o a", true, "a.c -o a"),
            ("a.c --wsk", true, "a.c"),
            ("a.c -o --wsk", false, "a.c -o --wsk"),
            ("a.c -- --wsk", false, "a.c ./--wsk"),
        ];
        for (line, is_driver, words) in rows {
            let parsed = parse(line);
            assert_eq!((parsed.is_driver, joined(&parsed).as_str()), (is_driver, words), "{line}");
        }
    }

    /// Our library comes last and would otherwise be a file named `-lm`.
    #[test]
    fn two_dashes_become_paths() {
        let rows = [
            ("-O2 -- a.c", "-O2 a.c", true),
            ("-- -c", "./-c", true),
            ("-c -- -a.c", "-c ./-a.c", false),
        ];
        for (line, expected, links) in rows {
            let parsed = parse(line);
            assert_eq!((joined(&parsed).as_str(), parsed.links()), (expected, links), "{line}");
        }
    }

    #[test]
    fn sees_what_our_own_flags_depend_on() {
        let flags = |line: &str| {
            let parsed = parse(line);
            (parsed.language_is_forced, parsed.is_static, parsed.uses_lld)
        };
        let rows = [
            ("a.c", (false, false, false)),
            ("-x c a", (true, false, false)),
            ("-xc++ a", (true, false, false)),
            ("-x c a -x none b.c", (false, false, false)),
            ("-static a.c", (false, true, false)),
            ("-static-libgcc a.c", (false, false, false)),
            ("-fuse-ld=lld a.c", (false, false, true)),
            ("-fuse-ld=gold a.c", (false, false, false)),
        ];
        for (line, expected) in rows {
            assert_eq!(flags(line), expected, "{line}");
        }
    }

    /// Each row: the file, the words the compiler gets (`@` for the file itself), whether it links.
    #[test]
    fn a_response_file_is_read_and_passed_on_unless_something_in_it_has_to_go() {
        let rows = [
            ("-O2 a.c\n", "@", true),
            ("-c a.c", "@", false),
            ("-o a a.c\n-lws2_32\n", "-o a a.c", true),
            ("-lws2_32 'a b.c' \"c d.c\" e\\ f.c", "a b.c c d.c e f.c", true),
        ];
        for (content, expected, links) in rows {
            let file = tempfile::NamedTempFile::new().unwrap();
            fs::write(file.path(), content).unwrap();
            let argument = format!("@{}", file.path().display());
            let parsed = Arguments::parse(vec![OsString::from(&argument)]);
            assert_eq!(joined(&parsed), expected.replace('@', &argument), "{content}");
            assert_eq!(parsed.links(), links, "{content}");
        }
    }

    #[test]
    fn a_response_file_after_a_dropped_library_is_still_passed_on() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "a.c").unwrap();
        let argument = format!("@{}", file.path().display());
        let parsed = Arguments::parse(vec!["-lws2_32".into(), OsString::from(&argument)]);
        assert_eq!(joined(&parsed), argument);
    }

    /// The separate words matter: `-o ""` must not eat the next argument.
    #[test]
    fn splits_as_gnu_does() {
        let rows: [(&str, &[&str]); 5] = [
            (" a\tb\nc ", &["a", "b", "c"]),
            ("a '' b", &["a", "", "b"]),
            (r#"-DX="\"y z\"""#, &[r#"-DX="y z""#]),
            (r"'a\'b'", &["a'b"]),
            ("\"it's\"", &["it's"]),
        ];
        for (text, words) in rows {
            assert_eq!(split(text.as_bytes()), words, "{text}");
        }
    }
}

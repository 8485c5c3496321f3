//! The rules of the house that a compiler does not check. Each failure names the file, the line and
//! the rule; the lists of exceptions may only get shorter.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The most lines of a function: more is a sign that one is missing.
const FUNCTION_LINES: usize = 70;
/// The most lines of a source file, its tests apart.
const FILE_LINES: usize = 600;
/// The most characters of a line.
const COLUMNS: usize = 100;
/// The most characters of a signature in an `export!` block: rustfmt leaves such blocks alone, and
/// a C signature with Windows' nine arguments reads best as one line.
const EXPORT_COLUMNS: usize = 220;

/// Lines that are too long, by file: no more than these.
const LONG_LINES: &[(&str, usize)] = &[];

/// Functions that are too long: no longer than this.
const LONG_FUNCTIONS: &[(&str, usize)] = &[
    // A table, row by row.
    ("afd/src/endpoint/state.rs: refusals", 85),
];

/// Files that are too long: no longer than this.
const LONG_FILES: &[(&str, usize)] = &[];

/// Which package may depend on which: afd <- iocp <- winsock <- {ws2_32, cli}.
const ARROWS: &[(&str, &[&str])] = &[
    ("afd", &[]),
    ("iocp", &["linsock-afd"]),
    ("winsock", &["linsock-afd", "linsock-iocp"]),
    ("wsk", &["linsock"]),
    // Not to call it: one C library carries the exports of both.
    ("ws2_32", &["linsock", "linsock-wsk"]),
    // Not to call it: cargo builds the C library beside the command.
    ("cli", &["linsock", "linsock-ws2_32"]),
];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] =
    &["util", "utils", "helper", "helpers", "common", "manager", "managers"];

fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("the package lies in the workspace").to_owned()
}

/// Every file below `directory` whose extension is one of these, sorted, from the root. Not what is
/// built, nor what is hidden.
fn files(directory: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory of the workspace") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path, extensions));
        } else if path.extension().is_some_and(|e| extensions.iter().any(|wanted| e == *wanted)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A source file without its tests.
struct Source {
    name: String,
    /// The lines, by number.
    lines: Vec<(usize, String)>,
}

impl Source {
    fn read(path: &Path) -> Self {
        let name =
            path.strip_prefix(root()).expect("a file of the workspace").display().to_string();
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let lines = text.lines().map(str::to_owned).enumerate().map(|(n, line)| (n + 1, line));
        Self { name, lines: without_tests(lines.collect()) }
    }

    fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.name)
    }
}

/// The lines without `#[cfg(test)]` and the module or item below it.
fn without_tests(lines: Vec<(usize, String)>) -> Vec<(usize, String)> {
    let mut kept = Vec::new();
    let mut lines = lines.into_iter();
    while let Some((number, line)) = lines.next() {
        if line.trim_start().starts_with("#[cfg(test)]") {
            let end = format!("{}}}", indent(&line));
            let mut rest =
                lines.by_ref().skip_while(|(_, line)| line.trim_start().starts_with("#["));
            let is_short = rest.next().is_none_or(|(_, line)| line.ends_with(';'));
            if !is_short {
                lines.by_ref().find(|(_, line)| *line == end);
            }
        } else {
            kept.push((number, line));
        }
    }
    kept
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// The files of the modules that a file declares below `#[cfg(test)]`.
fn test_modules(path: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(path).expect("a source file");
    let stem = path.file_stem().expect("a file").to_string_lossy().into_owned();
    let directory = match stem.as_str() {
        "lib" | "main" => path.with_file_name(""),
        _ => path.with_extension(""),
    };
    let mut found = Vec::new();
    for below in text.split("#[cfg(test)]").skip(1) {
        let mut lines = below.lines().map(str::trim).skip(1);
        let item = lines.find(|line| !line.starts_with("#[")).unwrap_or("");
        let name = item.split("mod ").nth(1).and_then(|name| name.strip_suffix(';'));
        found.extend(name.map(|name| directory.join(format!("{name}.rs"))));
    }
    found
}

/// The sources of the packages, without their tests.
fn sources() -> Vec<Source> {
    let directories = ARROWS.iter().map(|(package, _)| root().join(package).join("src"));
    let paths: Vec<_> = directories.flat_map(|directory| files(&directory, &["rs"])).collect();
    let tests: Vec<_> = paths.iter().flat_map(|path| test_modules(path)).collect();
    let is_test = |path: &&PathBuf| {
        tests.contains(path) || tests.iter().any(|test| path.starts_with(test.with_extension("")))
    };
    let sources = paths.iter().filter(|path| !is_test(path)).map(|path| Source::read(path));
    let sources: Vec<_> = sources.collect();
    assert!(sources.len() > 30, "the sources were not found");
    sources
}

/// The code of a line: nothing of a comment.
fn code(line: &str) -> &str {
    let code = line.trim_start();
    if code.starts_with("//") { "" } else { line.split(" // ").next().unwrap_or(line) }
}

/// Fails with every violation, one per line.
#[track_caller]
fn none(violations: &[String], rule: &str) {
    let list = violations.join("\n  ");
    assert!(violations.is_empty(), "{} times: {rule}\n  {list}", violations.len());
}

/// Compares what is too much with the list of what may be: nothing new, nothing more, and what
/// keeps the rule again leaves the list.
#[track_caller]
fn ratchet(found: &BTreeMap<String, usize>, list: &[(&str, usize)], rule: &str) {
    let listed: BTreeMap<_, _> = list.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
    let allowed = |name: &String| listed.get(name).copied().unwrap_or(0);
    let worse = found.iter().filter(|(name, n)| **n > allowed(name));
    let worse: Vec<_> = worse.map(|(name, n)| format!("{name}: {n}")).collect();
    none(&worse, rule);
    // An entry may be generous for a while, but not outlive its reason.
    let is_gone = |name: &&String| !found.contains_key(*name);
    let gone: Vec<_> = listed.keys().filter(is_gone).cloned().collect();
    none(&gone, "keeps the rule now: take it off the list in this test");
}

/// The functions of a source: line, name, length.
fn functions(source: &Source) -> Vec<(usize, String, usize)> {
    let mut found = Vec::new();
    for (at, (number, line)) in source.lines.iter().enumerate() {
        let Some(name) = function_name(line) else {
            continue;
        };
        let end = format!("{}}}", indent(line));
        let length = source.lines[at..].iter().position(|(_, line)| *line == end);
        let body = source.lines[at..].iter().position(|(_, line)| line.ends_with([';', '}']));
        // A declaration, or a function on one line.
        let is_short = body.is_some_and(|n| {
            let lines = &source.lines[at..=at + n];
            lines.iter().all(|(_, line)| !line.ends_with('{'))
        });
        if let Some(length) = length.filter(|_| !is_short) {
            found.push((*number, name, length + 1));
        }
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let (before, after) = code(line).split_once("fn ")?;
    let words =
        ["pub", "pub(crate)", "pub(super)", "const", "unsafe", "async", "winsock", "extern"];
    let is_qualifier = |word: &str| words.contains(&word) || word.starts_with('"');
    let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (before.split_whitespace().all(is_qualifier) && !name.is_empty()).then_some(name)
}

#[test]
fn functions_are_short() {
    let mut found = BTreeMap::new();
    let mut seen = 0;
    for source in sources() {
        for (_, name, length) in functions(&source) {
            seen += 1;
            if length > FUNCTION_LINES {
                found.insert(format!("{}: {name}", source.name), length);
            }
        }
    }
    assert!(seen > 300, "only {seen} functions were found");
    ratchet(&found, LONG_FUNCTIONS, "a function has more than 70 lines");
}

#[test]
fn files_are_short() {
    let too_long = sources().into_iter().filter(|source| source.lines.len() > FILE_LINES);
    let found = too_long.map(|source| (source.name, source.lines.len())).collect();
    ratchet(&found, LONG_FILES, "a file has more than 600 lines that are no tests");
}

/// Whether a line may be as long as it is: a link cannot be broken, and rustfmt does not break the
/// signatures of exported functions.
fn may_be_long(line: &str, is_export: bool, characters: usize) -> bool {
    let is_link = line.contains("<https://");
    let is_signature =
        is_export && (line.starts_with("    fn ") || line.starts_with("    winsock fn "));
    is_link || is_signature && characters <= EXPORT_COLUMNS
}

/// The lines of a source that are too long, by number.
fn long_lines(source: &Source) -> Vec<usize> {
    let mut found = Vec::new();
    let mut is_export = false;
    for (number, line) in &source.lines {
        match line.as_str() {
            "export! {" => is_export = true,
            "}" => is_export = false,
            _ => {}
        }
        let characters = line.chars().count();
        if characters > COLUMNS && !may_be_long(line, is_export, characters) {
            found.push(*number);
        }
    }
    found
}

#[test]
fn lines_are_short() {
    let sources = sources();
    let found: BTreeMap<_, _> = sources
        .iter()
        .map(|source| (source.name.clone(), long_lines(source)))
        .filter(|(_, lines)| !lines.is_empty())
        .collect();
    let counts = found.iter().map(|(name, lines)| (name.clone(), lines.len())).collect();
    let rule = format!("a file has more lines of over {COLUMNS} characters than listed: {found:?}");
    ratchet(&counts, LONG_LINES, &rule);
}

#[test]
fn nothing_unfinished_and_nothing_printed() {
    let mut violations = Vec::new();
    for source in sources() {
        // The kernel debugger's output is standard error.
        let prints = source.name.starts_with("cli/") || source.name == "wsk/src/misuse.rs";
        for (number, line) in &source.lines {
            let banned = ["todo!(", "unimplemented!(", "dbg!("];
            let printing = ["println!(", "print!("];
            let is_banned = banned.iter().any(|word| code(line).contains(word));
            if is_banned || !prints && printing.iter().any(|word| code(line).contains(word)) {
                violations.push(format!("{}: {}", source.place(*number), line.trim()));
            }
        }
    }
    none(&violations, "todo!, unimplemented! and dbg! nowhere; output in cli only");
}

/// The `count` lines above a line, and all of a comment that ends among them.
fn above(source: &Source, at: usize, count: usize) -> String {
    let is_comment = |n: usize| source.lines[n].1.trim_start().starts_with("//");
    let mut first = at.saturating_sub(count);
    while first > 0 && is_comment(first) && is_comment(first - 1) {
        first -= 1;
    }
    source.lines[first..at].iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_cannot_fail_says_why() {
    let mut violations = Vec::new();
    for source in sources() {
        for (at, (number, line)) in source.lines.iter().enumerate() {
            let unwraps = code(line).contains(".unwrap()") || code(line).contains(".expect(");
            let message = source.lines.get(at + 1).map_or("", |(_, line)| line);
            let says = [line.as_str(), message, &above(&source, at, 3)];
            if unwraps && !says.iter().any(|text| text.contains("INVARIANT:")) {
                violations.push(format!("{}: {}", source.place(*number), line.trim()));
            }
        }
    }
    none(&violations, "unwrap or expect without `INVARIANT:` in the message or in a comment above");
}

/// Four lines, and two more where rustfmt breaks the pattern that a block's value goes into.
#[test]
fn unsafe_blocks_say_why_they_are_sound() {
    let mut violations = Vec::new();
    for source in sources() {
        for (at, (number, line)) in source.lines.iter().enumerate() {
            let opens = code(line).contains("unsafe {");
            if opens && !line.contains("SAFETY") && !above(&source, at, 6).contains("SAFETY") {
                violations.push(format!("{}: {}", source.place(*number), line.trim()));
            }
        }
    }
    none(&violations, "an unsafe block without `SAFETY:` within six lines above");
}

/// The macro gives every function its boundary; only what never returns cannot go through it. The
/// kernel has no last error: there a panic ends the process, as a bug check does.
#[test]
fn one_macro_exports() {
    let mut violations = Vec::new();
    for source in sources().iter().filter(|source| !has_own_boundary(source)) {
        for (at, (number, line)) in source.lines.iter().enumerate() {
            let exports = code(line).contains("no_mangle") || code(line).contains("export_name");
            let below = source.lines[at..].iter().take(4);
            // A few lines of assembly that hand on to a function with a boundary.
            let is_naked = at > 0 && source.lines[at - 1].1.contains("unsafe(naked)");
            if exports && !is_naked && !below.clone().any(|(_, line)| line.contains("-> ! {")) {
                violations.push(source.place(*number));
            }
        }
    }
    none(&violations, "an export that did not go through `export!`, and returns");
}

fn has_own_boundary(source: &Source) -> bool {
    source.name == "ws2_32/src/export.rs" || source.name.starts_with("wsk/")
}

#[test]
fn modules_have_telling_names() {
    let is_empty = |name: &str| name.split('_').any(|word| EMPTY_NAMES.contains(&word));
    let mut violations = Vec::new();
    for source in sources() {
        let stem =
            Path::new(&source.name).file_stem().expect("a file").to_string_lossy().into_owned();
        if is_empty(&stem) || stem == "mod" {
            violations.push(source.name.clone());
        }
        for (number, line) in &source.lines {
            let name = line.trim().trim_start_matches("pub ").strip_prefix("mod ");
            if name.is_some_and(|name| is_empty(name.trim_end_matches([';', '{', ' ']))) {
                violations.push(source.place(*number));
            }
        }
    }
    none(&violations, "a module is named for nothing, or is a mod.rs");
}

/// The workspace's packages that a package depends on, its tests apart.
fn dependencies(package: &str) -> Vec<String> {
    let path = root().join(package).join("Cargo.toml");
    let text = fs::read_to_string(path).expect("the package's manifest");
    let mut found = Vec::new();
    let mut is_inside = false;
    for line in text.lines() {
        if let Some(section) = line.strip_prefix('[') {
            is_inside = section.ends_with("dependencies]") && !section.contains("dev-");
        } else if let Some((name, _)) = line.split_once(['=', '.']).filter(|_| is_inside) {
            let name = name.trim();
            if name.starts_with("linsock") {
                found.push(name.to_owned());
            }
        }
    }
    found
}

#[test]
fn packages_depend_in_one_direction() {
    let mut violations = Vec::new();
    for (package, allowed) in ARROWS {
        for dependency in dependencies(package) {
            if !allowed.contains(&dependency.as_str()) {
                violations.push(format!("{package} -> {dependency}"));
            }
        }
    }
    none(&violations, "afd <- iocp <- winsock <- wsk <- ws2_32 <- cli, and nothing else");
    assert!(!dependencies("cli").is_empty(), "the manifests were not understood");
}

/// What is in the tree has to work wherever it is checked out.
#[test]
fn no_path_of_one_machine_is_written_down() {
    let homes = ["home", "root", "work", "Users"].map(|top| format!("/{top}/"));
    let extensions = ["rs", "toml", "md", "h", "c", "cpp", "sh", "py", "golden", "expect", "supp"];
    let mut violations = Vec::new();
    for path in files(&root(), &extensions) {
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            // In the middle of a longer path or of a link it is something else.
            let is_start = |at: usize| {
                let before = line[..at].chars().next_back().unwrap_or(' ');
                !before.is_alphanumeric() && !"._-$/}".contains(before)
            };
            if homes.iter().any(|home| line.match_indices(home).any(|(at, _)| is_start(at))) {
                violations.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    none(&violations, "a path of one machine");
}

/// The text of the file that a test in docs/seeds.md is in: `x.c` is a C program, `package/x.rs` a
/// test of a package.
fn test_file(file: &str) -> Option<String> {
    let path = match file.split_once('/') {
        Some((package, name)) => root().join(package).join("tests").join(name),
        None if file.starts_with("wsk_") => root().join("wsk/tests/c").join(file),
        None => root().join("ws2_32/tests/c").join(file),
    };
    fs::read_to_string(path).ok()
}

/// The tests that a row names: `file::function`.
fn named_tests(row: &str) -> impl Iterator<Item = (&str, &str)> {
    row.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::"))
}

#[test]
fn every_rule_of_the_pages_has_a_test_that_exists() {
    let path = root().join("docs/seeds.md");
    let text = fs::read_to_string(path).expect("INVARIANT: the file is part of the sources");
    let mut violations = Vec::new();
    let mut rows = 0;
    let is_row = |line: &&str| line.starts_with("| ") && !line.ends_with("| shown by |");
    for row in text.lines().filter(is_row) {
        rows += 1;
        if named_tests(row).next().is_none() {
            violations.push(format!("no test: {row}"));
        }
        for (file, function) in named_tests(row) {
            let exists = test_file(file).is_some_and(|text| {
                text.contains(&format!(" {function}(")) || text.contains(&format!("*{function}("))
            });
            if !exists {
                violations.push(format!("no such test: {file}::{function}"));
            }
        }
    }
    assert!(rows > 50, "the tables of docs/seeds.md are gone");
    none(&violations, "a row of docs/seeds.md without a test, or with one that does not exist");
}

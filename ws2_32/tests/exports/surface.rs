//! What the library says it exports and what the headers say it does, read from their sources: the
//! tests of the boundary compare these lists with each other and with the built library.
// Each test binary that includes this file uses a part of it.
#![allow(dead_code)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The flags `linsock cc` gives, as far as headers look at them.
const DEFINES: &[&str] = &["-D_WIN32", "-D_WIN64", "-DWIN32", "-U__linux__", "-U__unix__"];

/// Everything a program can include.
const INCLUDES: &str = "#include <winsock2.h>\n#include <ws2tcpip.h>\n#include <mswsock.h>\n\
    #include <mstcpip.h>\n#include <windows.h>\n#include <process.h>\n#include <conio.h>\n#include <ntstatus.h>\n\
    #include <iphlpapi.h>\n#include <wincrypt.h>\n#include <io.h>\n#include <bcrypt.h>\n\
    #include <psapi.h>\n#include <winternl.h>\n";

/// One exported function.
#[derive(Clone, Debug)]
pub(crate) struct Export {
    /// Windows' name.
    pub(crate) name: String,
    /// The symbol in the library.
    pub(crate) symbol: String,
    /// The source file, from the crate's root.
    pub(crate) file: String,
    /// The text of its doc comment, without the slashes.
    pub(crate) doc: String,
}

impl Export {
    /// What its doc says after `# Differs from Windows`, as one line.
    pub(crate) fn difference(&self) -> Option<String> {
        let (_, section) = self.doc.split_once("# Differs from Windows\n")?;
        let text = section.lines().take_while(|line| !line.starts_with('#'));
        Some(text.collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("the package lies in the workspace").to_owned()
}

/// Every file below `directory` with that extension, sorted.
pub(crate) fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory of the workspace") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A file's text.
pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every function that the sources of this crate export.
pub(crate) fn exports() -> Vec<Export> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = files(&package.join("src"), "rs");
    sources.iter().flat_map(|path| exports_of(package, path)).collect()
}

/// The functions that Winsock Kernel's package exports into the same library.
#[allow(dead_code, reason = "each test that includes this file uses a part of it")]
pub(crate) fn kernel_exports() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in files(&root().join("wsk/src"), "rs") {
        let text = read(&path);
        let after = text.split("#[unsafe(no_mangle)]").skip(1);
        found.extend(after.filter_map(|item| {
            // A constant is no function.
            let (before, words) = item.split_once("fn ")?;
            if before.contains("static ") {
                return None;
            }
            Some(words.split(['(', ':']).next()?.to_owned())
        }));
    }
    found
}

fn exports_of(package: &Path, path: &Path) -> Vec<Export> {
    let file = path.strip_prefix(package).expect("a file of the package").display().to_string();
    let mut found = Vec::new();
    let (mut doc, mut symbol) = (String::new(), None);
    let mut is_inside = false;
    for line in read(path).lines() {
        match line {
            "export! {" => is_inside = true,
            "}" => is_inside = false,
            _ => {}
        }
        let code = line.trim_start();
        let indent = line.len() - code.len();
        if let Some(text) = code.strip_prefix("///") {
            doc.push_str(text.strip_prefix(' ').unwrap_or(text));
            doc.push('\n');
        } else if code.starts_with("#[") {
            symbol = hand_written_symbol(code).or(symbol);
        } else if let Some(signature) = signature_of(code) {
            let is_exported = is_inside && indent == 4 || symbol.is_some();
            if let Some((name, declared)) = names_of(signature).filter(|_| is_exported) {
                let symbol = symbol.take().filter(|symbol| !symbol.is_empty());
                let symbol = declared.or(symbol).unwrap_or_else(|| name.clone());
                found.push(Export { name, symbol, file: file.clone(), doc: doc.clone() });
            }
            (doc, symbol) = (String::new(), None);
        } else if !code.starts_with("//") {
            (doc, symbol) = (String::new(), None);
        }
    }
    found
}

/// The symbol that an attribute gives to the function below it; empty when it is the function's
/// name.
fn hand_written_symbol(attribute: &str) -> Option<String> {
    let attribute = attribute.strip_prefix("#[unsafe(")?;
    if attribute.starts_with("no_mangle") {
        return Some(String::new());
    }
    let symbol = attribute.strip_prefix("export_name = \"")?;
    Some(symbol.split('"').next().unwrap_or_default().to_owned())
}

/// What stands behind `fn`, if the line begins a function.
fn signature_of(code: &str) -> Option<&str> {
    let (before, signature) = code.split_once("fn ")?;
    let is_qualifier = |word| {
        let known = ["winsock", "pub", "unsafe", "extern", "\"system\"", "\"C\"", "\"C-unwind\""];
        known.contains(&word) || word == "\"system-unwind\"" || word == "pub(crate)"
    };
    before.split_whitespace().all(is_qualifier).then_some(signature)
}

/// A function's name, and the symbol behind `as`. `$name` is the macro itself.
fn names_of(signature: &str) -> Option<(String, Option<String>)> {
    let end = signature.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    let (name, rest) = signature.split_at(end);
    let symbol = rest.strip_prefix(" as \"").and_then(|rest| rest.split('"').next());
    (!name.is_empty()).then(|| (name.to_owned(), symbol.map(str::to_owned)))
}

/// A function that a header declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Declaration {
    /// The symbol a call ends up at.
    pub(crate) symbol: String,
    /// The header.
    pub(crate) header: String,
    /// The result's type.
    pub(crate) result: String,
    /// The parameters' types.
    pub(crate) parameters: Vec<String>,
}

/// The functions that the headers declare, without those that have their body there.
///
/// `prefixed` asks for the view of a program that defines `USE_WS_PREFIX`.
pub(crate) fn declarations(prefixed: bool) -> Vec<Declaration> {
    let include = root().join("include");
    let text = preprocessed(prefixed);
    let mut found = Vec::new();
    let mut header = None;
    let mut statement = String::new();
    let mut depth = 0_usize;
    for line in text.lines() {
        if let Some(marker) = line.strip_prefix("# ") {
            let path = marker.split('"').nth(1).unwrap_or_default();
            header = Path::new(path).strip_prefix(&include).ok().map(|p| p.display().to_string());
            continue;
        }
        let Some(header) = &header else { continue };
        for c in line.chars().chain([' ']) {
            depth = match c {
                '{' => depth + 1,
                '}' => depth.saturating_sub(1),
                _ => depth,
            };
            if depth == 0 && (c == ';' || c == '}') {
                found.extend(declaration_of(header, &statement));
                statement.clear();
            } else {
                statement.push(c);
            }
        }
    }
    found
}

fn preprocessed(prefixed: bool) -> String {
    let source = format!("{}{INCLUDES}", if prefixed { "#define USE_WS_PREFIX\n" } else { "" });
    let output = compiler(&source, &["-E"]).output().expect("gcc starts: install gcc");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).expect("headers are ASCII")
}

/// gcc on `source`, with our headers. The source goes through a file of its own.
fn compiler(source: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("gcc");
    command.arg("-std=gnu11").args(DEFINES).arg("-I").arg(root().join("include"));
    command.args(arguments).arg(scratch(source, "c"));
    command
}

/// A file in cargo's directory for the tests' files, named after its content.
fn scratch(content: &str, extension: &str) -> PathBuf {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    let name = format!("{}-{:016x}.{extension}", env!("CARGO_CRATE_NAME"), hasher.finish());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // Tests run side by side: the same file appears complete or not at all.
    let partial = path.with_extension(format!("{:?}", std::thread::current().id()));
    fs::write(&partial, content).expect("the test's directory can be written");
    fs::rename(&partial, &path).expect("the test's directory can be written");
    path
}

/// What a C program prints whose `main` consists of `statements`.
pub(crate) fn printed(prefixed: bool, statements: &str) -> String {
    let prefix = if prefixed { "#define USE_WS_PREFIX\n" } else { "" };
    let source = format!(
        "{prefix}{INCLUDES}#include <stdio.h>\nint main(void)\n{{\n{statements}    return 0;\n}}\n"
    );
    let program = scratch(&source, "c").with_extension("program");
    let thread = format!("{:?}", std::thread::current().id());
    let program = program.with_extension(thread);
    let output = compiler(&source, &["-w", "-o"]);
    let arguments: Vec<_> = output.get_args().map(ToOwned::to_owned).collect();
    let (file, flags) = arguments.split_last().expect("the source is the last argument");
    let built = Command::new("gcc").args(flags).arg(&program).arg(file).output();
    let built = built.expect("gcc starts: install gcc");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let ran = Command::new(&program).output().expect("the program starts");
    let _ = fs::remove_file(&program);
    String::from_utf8(ran.stdout).expect("the program prints ASCII")
}

/// The function that a statement of a header declares, if it does.
fn declaration_of(header: &str, statement: &str) -> Option<Declaration> {
    let text = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.strip_prefix("__attribute__((noreturn)) ").unwrap_or(&text);
    if ["typedef ", "static ", "struct ", "_Static_assert", "extern "]
        .iter()
        .any(|no| text.starts_with(no))
    {
        return None;
    }
    let (head, tail) = text.split_once('(')?;
    let head = head.trim_end();
    let start = head.rfind(|c: char| !c.is_alphanumeric() && c != '_')? + 1;
    // The label may be put together from two strings.
    let label = tail.split_once("__asm__(").and_then(|(_, label)| label.split(')').next());
    let label = label.map(|label| label.replace(['"', ' '], ""));
    let tail = tail.split("__asm__").next().unwrap_or(tail);
    let parameters = tail.rsplit_once(')')?.0;
    let parameters = parameters.split(',').map(str::trim).filter(|text| *text != "void");
    Some(Declaration {
        symbol: label.unwrap_or_else(|| head[start..].to_owned()),
        header: header.to_owned(),
        result: head[..start].trim().to_owned(),
        parameters: parameters.map(type_of).collect(),
    })
}

/// A parameter without its name.
fn type_of(parameter: &str) -> String {
    parameter.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_').trim().to_owned()
}

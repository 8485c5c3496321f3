//! The list of exported functions: in the sources, in the built library, in the headers, and none
//! of it in the C library, whose names an export would take over for the whole process.

#[path = "exports/surface.rs"]
mod surface;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use surface::{declarations, exports, root};

/// Exported, and in no header.
const NOT_DECLARED: &[(&str, &str)] = &[
    ("linsock_panic_in_next_call", "for our own tests of the boundary"),
    ("linsock_ConnectEx", "reached through SIO_GET_EXTENSION_FUNCTION_POINTER, as on Windows"),
    ("linsock_DisconnectEx", "reached through SIO_GET_EXTENSION_FUNCTION_POINTER, as on Windows"),
    ("linsock_RIOReceive", REGISTERED),
    ("linsock_RIOReceiveEx", REGISTERED),
    ("linsock_RIOSend", REGISTERED),
    ("linsock_RIOSendEx", REGISTERED),
    ("linsock_RIOCloseCompletionQueue", REGISTERED),
    ("linsock_RIOCreateCompletionQueue", REGISTERED),
    ("linsock_RIOCreateRequestQueue", REGISTERED),
    ("linsock_RIODequeueCompletion", REGISTERED),
    ("linsock_RIODeregisterBuffer", REGISTERED),
    ("linsock_RIONotify", REGISTERED),
    ("linsock_RIORegisterBuffer", REGISTERED),
    ("linsock_RIOResizeCompletionQueue", REGISTERED),
    ("linsock_RIOResizeRequestQueue", REGISTERED),
    ("linsock_TransmitPackets", "as linsock_DisconnectEx"),
    ("NtCancelIoFile", NATIVE),
    ("NtCancelIoFileEx", NATIVE),
    ("NtCreateIoCompletion", NATIVE),
    ("NtCreateKeyedEvent", NATIVE),
    ("NtReleaseKeyedEvent", NATIVE),
    ("NtRemoveIoCompletion", NATIVE),
    ("NtRemoveIoCompletionEx", NATIVE),
    ("NtSetIoCompletion", NATIVE),
    ("NtWaitForKeyedEvent", NATIVE),
    ("linsock_WSARecvMsg", "reached through SIO_GET_EXTENSION_FUNCTION_POINTER, as on Windows"),
];

const NATIVE: &str = "in no header of Windows' either: programs declare it, or look it up in ntdll";

const REGISTERED: &str =
    "reached through SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, as on Windows";

/// In a header, and not exported.
const NOT_EXPORTED: &[(&str, &str)] = &[
    ("__errno_location", "glibc's"),
    ("popen", "glibc's"),
    ("pclose", "glibc's"),
    ("GetCommState", ELSEWHERE),
    ("SetCommState", ELSEWHERE),
    ("SetCommTimeouts", ELSEWHERE),
    ("SetCommBreak", ELSEWHERE),
    ("ClearCommBreak", ELSEWHERE),
    ("InitializeSListHead", KERNEL),
    ("InterlockedFlushSList", KERNEL),
    ("InterlockedPopEntrySList", KERNEL),
    ("InterlockedPushEntrySList", KERNEL),
    ("QueryDepthSList", KERNEL),
    ("RtlInitUnicodeString", KERNEL),
];

const KERNEL: &str = "Winsock Kernel's package exports it into the same library";

const ELSEWHERE: &str = "headers of libraries mention it; a program that calls it is not linked";

/// In the library, and not one of its functions.
const NOT_OURS: &[(&str, &str)] = &[];

fn names<'a>(list: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    list.into_iter().map(str::to_owned).collect()
}

fn allowed(list: &[(&str, &str)]) -> BTreeSet<String> {
    assert!(list.iter().all(|(_, reason)| !reason.is_empty()), "an exception has a reason");
    names(list.iter().map(|(name, _)| *name))
}

fn symbols() -> BTreeSet<String> {
    exports().into_iter().map(|export| export.symbol).collect()
}

/// The functions that a shared object defines, without their versions.
fn defined_in(library: &Path) -> BTreeSet<String> {
    let output = Command::new("nm").args(["-D", "--defined-only"]).arg(library).output();
    let output = output.expect("nm starts: install binutils");
    assert!(output.status.success(), "nm cannot read {}", library.display());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let name = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let (kind, symbol) = (words.next()?, words.next()?);
        // T, W and i: functions, weak functions, and those that are chosen when the program starts.
        let is_function = ["T", "W", "i"].contains(&kind);
        is_function.then(|| symbol.split('@').next().unwrap_or(symbol).to_owned())
    };
    text.lines().filter_map(name).collect()
}

/// The library as cargo built it for this test.
fn library() -> PathBuf {
    let test = std::env::current_exe().expect("the test has a path");
    test.with_file_name("liblinsock_c.so")
}

/// The C library that this test runs with, and those of its parts that are files of their own.
fn c_library() -> Vec<PathBuf> {
    let test = std::env::current_exe().expect("the test has a path");
    let output = Command::new("ldd").arg(test).output().expect("ldd starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let path = text.lines().find_map(|line| line.trim().strip_prefix("libc.so.6 => "));
    let path = path.and_then(|path| path.split_whitespace().next()).expect("the C library");
    let parts = ["libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1"];
    let parts = parts.iter().map(|part| Path::new(path).with_file_name(part));
    let found: Vec<_> = parts.filter(|part| part.exists()).collect();
    assert!(defined_in(&found[0]).contains("connect"), "{path} is no C library");
    found
}

#[test]
fn no_name_and_no_symbol_is_exported_twice() {
    let exports = exports();
    assert!(exports.len() > 50, "the sources were not understood: {} exports", exports.len());
    let mut seen = BTreeSet::new();
    for export in &exports {
        for name in BTreeSet::from([&export.name, &export.symbol]) {
            assert!(
                seen.insert(name),
                "{name} is exported twice, the second time in {}",
                export.file
            );
        }
    }
}

#[test]
fn the_library_exports_what_the_sources_say_and_nothing_else() {
    let (built, mut written) = (defined_in(&library()), symbols());
    written.extend(surface::kernel_exports());
    let missing: Vec<_> = written.difference(&built).collect();
    assert!(missing.is_empty(), "in the sources and not in the library: {missing:?}");
    let extra = &(&built - &written) - &allowed(NOT_OURS);
    assert!(extra.is_empty(), "in the library and not in the sources: {extra:?}");
}

/// What the linker is told of the library, so that what a program loads has the same one.
#[test]
fn the_list_of_exports_is_up_to_date() {
    let mut names = symbols();
    names.extend(surface::kernel_exports());
    let names: String = names.iter().map(|name| format!("    {name};\n")).collect();
    let wanted = format!("{{\n{names}}};\n");
    let path = root().join("include/linsock_exports.list");
    if std::env::var_os("LINSOCK_BLESS").is_some() {
        std::fs::write(&path, &wanted).expect("the list can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let bless = "LINSOCK_BLESS=1 cargo test -p linsock-ws2_32 --test exports";
    assert!(found == wanted, "{} is out of date; write it with\n{bless}", path.display());
}

#[test]
fn every_declared_function_is_exported() {
    let exported = symbols();
    let exceptions = allowed(NOT_EXPORTED);
    for declaration in declarations(false) {
        let symbol = &declaration.symbol;
        assert_ne!(
            exported.contains(symbol),
            exceptions.contains(symbol),
            "{symbol} ({}): declared, and neither exported nor an exception, or both",
            declaration.header
        );
    }
}

#[test]
fn every_exported_function_is_declared() {
    let declared: BTreeSet<_> = declarations(false).into_iter().map(|d| d.symbol).collect();
    let exceptions = allowed(NOT_DECLARED);
    for symbol in symbols() {
        assert_ne!(
            declared.contains(&symbol),
            exceptions.contains(&symbol),
            "{symbol}: exported, and neither declared nor an exception, or both"
        );
    }
}

/// A program that defines USE_WS_PREFIX calls the same functions as one that does not.
#[test]
fn both_views_of_the_headers_lead_to_the_same_functions() {
    let view = |prefixed| -> BTreeSet<_> {
        let found = declarations(prefixed).into_iter();
        found.map(|declaration| declaration.symbol).collect()
    };
    assert_eq!(view(false), view(true));
}

#[test]
fn no_exported_symbol_is_one_of_the_c_librarys() {
    let ours = symbols();
    for library in c_library() {
        let theirs = defined_in(&library);
        let taken: Vec<_> = ours.intersection(&theirs).collect();
        assert!(taken.is_empty(), "{} has these too: {taken:?}", library.display());
    }
}

/// The symbol of a name that the C library has is that name with `WS_` in front: the headers rely
/// on it.
#[test]
fn only_the_c_librarys_names_are_prefixed() {
    let theirs: BTreeSet<_> = c_library().iter().flat_map(|path| defined_in(path)).collect();
    for export in exports() {
        if export.symbol.starts_with("linsock_") {
            continue;
        }
        let collides = theirs.contains(&export.name);
        let wanted = if collides { format!("WS_{}", export.name) } else { export.name.clone() };
        assert_eq!(export.symbol, wanted, "in {}", root().join(&export.file).display());
    }
}

/// A Rust program on windows-sys reaches the same functions: `sys/windows-link` has a row for each
/// name that has a prefix, and for no other.
#[test]
fn windows_sys_finds_the_prefixed_names() {
    let crate_of_names = root().join("sys/windows-link/src/lib.rs");
    let text = std::fs::read_to_string(crate_of_names).expect("the crate is in the tree");
    let rows = text.lines().filter_map(|line| {
        let (name, symbol) = line.trim().strip_prefix('(')?.split_once(") => { \"")?;
        Some((name.to_owned(), symbol.strip_suffix("\" };")?.to_owned()))
    });
    let prefixed = exports().into_iter().filter(|export| export.symbol.starts_with("WS_"));
    let wanted: BTreeSet<_> = prefixed.map(|export| (export.name, export.symbol)).collect();
    assert_eq!(rows.collect::<BTreeSet<_>>(), wanted);
}

/// Programs look functions up by the library of Windows that has them. The C runtime is the
/// program's own on Windows, and is not looked into.
#[test]
fn every_export_is_found_in_a_library() {
    use linsock_c::kernel32::library::{GetProcAddress, LoadLibraryA};
    let libraries = [
        c"kernelbase",
        c"winmm",
        c"ws2_32",
        c"mswsock",
        c"iphlpapi",
        c"advapi32",
        c"bcrypt",
        c"psapi",
        c"ntdll",
    ];
    // SAFETY: the names end with a zero.
    let libraries = libraries.map(|library| unsafe { LoadLibraryA(library.as_ptr().cast()) });
    let is_found = |name: &str| {
        let name = std::ffi::CString::new(name).expect("no zero in a name");
        // SAFETY: the name ends with a zero.
        let found = |module| unsafe { GetProcAddress(module, name.as_ptr().cast()) };
        libraries.iter().any(|module| !found(*module).is_null())
    };
    let is_of_windows = |name: &str| !name.starts_with("linsock_") && !name.starts_with('_');
    for export in exports().iter().filter(|export| !export.symbol.starts_with("linsock_")) {
        let is_expected = is_of_windows(&export.name) || export.name == "__WSAFDIsSet";
        assert_eq!(is_found(&export.name), is_expected, "{}", export.name);
    }
}

//! Programs whose texts are wide: wmain and wprintf, and `-municode`, with every compiler that is
//! installed, as C and as C++.

use std::fs;
use std::process::{Command, Output};

const LINSOCK: &str = env!("CARGO_BIN_EXE_linsock");

/// As the documentation's own examples look.
const DOCUMENTED: &str = r#"
#ifndef UNICODE
#define UNICODE
#endif
#define WIN32_LEAN_AND_MEAN
#include <winsock2.h>
#include <Ws2tcpip.h>
#include <stdio.h>
#pragma comment(lib, "ws2_32.lib")
int wmain(int argc, wchar_t **argv)
{
    WSADATA data;
    int result = WSAStartup(MAKEWORD(2, 2), &data);
    if (result != NO_ERROR)
        wprintf(L"WSAStartup failed with error: %d\n", result);
    printf("%d ", argc);
    wprintf(L"%s %ls\n", argv[1], argv[2]);
    WSACleanup();
    return 0;
}
"#;

/// What needs L"" to be UTF-16; each line of output that is wrong says which.
const MUNICODE: &str = r#"
#include <winsock2.h>
#include <ws2tcpip.h>
#include <tchar.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <stdarg.h>
static int failed;
#define CHECK(condition) ((condition) ? (void)0 : (void)(failed = 1, printf("line %d: %s\n", __LINE__, #condition)))
static int twice(char *to, size_t size, const char *format, ...)
{
    va_list arguments, again;
    int length;
    va_start(arguments, format);
    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    CHECK(vsnprintf(to, size, format, arguments) == length);
    va_end(arguments);
    return length;
}
int _tmain(int argc, TCHAR *argv[])
{
    wchar_t to[32], *end, *next, *copy;
    char narrow[32];
    WSADATA data;
    ADDRINFOW *found = NULL;
    FILE *file;
    CHECK(sizeof(wchar_t) == 2 && sizeof(WCHAR) == 2 && sizeof L"ab" == 6);
    CHECK(argc == 2 && wcscmp(argv[1], L"B\u00fccher") == 0 && argv[2] == NULL);
    CHECK(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    CHECK(GetAddrInfoW(L"127.0.0.1", L"80", NULL, &found) == 0);
    FreeAddrInfoW(found);
    CHECK(CreateEventW(NULL, TRUE, FALSE, L"municode") != NULL);
    CHECK(OpenEvent(EVENT_ALL_ACCESS, FALSE, TEXT("municode")) != NULL);
    CHECK(wcslen(L"four") == 4 && wcsnlen(L"four", 2) == 2);
    CHECK(wcscpy(to, L"one") == to && wcscat(to, L" two") == to && wcscmp(to, L"one two") == 0);
    CHECK(wcsncmp(to, L"one x", 4) == 0 && wcscmp(L"a", L"b") < 0 && wcscmp(L"b", L"a") > 0);
    CHECK(wcschr(to, L't') == to + 4 && wcsrchr(to, L'o') == to + 6 && wcschr(to, L'x') == NULL);
    CHECK(wcsstr(to, L"tw") == to + 4 && wcsstr(to, L"tx") == NULL && wcspbrk(to, L"xt") == to + 4);
    CHECK(wcsspn(to, L"eno") == 3 && wcscspn(to, L" ") == 3);
    CHECK(_wcsicmp(to, L"ONE Two") == 0 && _wcsnicmp(to, L"ONX", 2) == 0 && _wcsicmp(to, L"one") > 0);
    CHECK(wcscmp(wcstok(to, L" ", &next), L"one") == 0 && wcscmp(wcstok(NULL, L" ", &next), L"two") == 0);
    CHECK(wcstok(NULL, L" ", &next) == NULL);
    CHECK(wcsncpy(to, L"ab", 4) == to && to[1] == 'b' && to[2] == 0 && to[3] == 0);
    CHECK(wcscpy_s(to, 3, L"abc") != 0 && to[0] == 0 && wcscpy_s(to, 4, L"abc") == 0);
    CHECK(wcscat_s(to, 6, L"de") == 0 && wcscmp(to, L"abcde") == 0 && wcscat_s(to, 6, L"f") != 0);
    CHECK(wcsncpy_s(to, 4, L"abcdef", _TRUNCATE) != 0 && wcscmp(to, L"abc") == 0);
    CHECK(wcstol(L"-77 x", &end, 10) == -77 && *end == L' ' && wcstoul(L"ff", NULL, 16) == 255);
    CHECK(wcstod(L"1.5e1", NULL) == 15.0 && _wtoi(L"12") == 12);
    copy = wcsdup(L"copy");
    CHECK(copy != NULL && wcscmp(copy, L"copy") == 0);
    free(copy);
    CHECK(mbstowcs(to, "\xc3\xa4\xf0\x9f\x98\x80", 32) == 3 && to[0] == 0xe4 && to[1] == 0xd83d && to[3] == 0);
    CHECK(wcstombs(narrow, to, 32) == 6 && strcmp(narrow, "\xc3\xa4\xf0\x9f\x98\x80") == 0);
    CHECK(snprintf(narrow, 32, "%ls|%S|%ws|%.1ls|%lc", L"\u00fc", L"b", L"\U0001f600", L"xy", 0xe4) == 14);
    CHECK(strcmp(narrow, "\xc3\xbc|b|\xf0\x9f\x98\x80|x|\xc3\xa4") == 0);
    CHECK(sprintf_s(narrow, 32, "%d %hs %I64d %ls", 1, "n", 5LL, L"w") == 7 && strcmp(narrow, "1 n 5 w") == 0);
    CHECK(twice(narrow, 32, "%d %ls %f %ls %d%%", 1, L"\u00fc", 0.5, L"z", 7) == 18);
    CHECK(strcmp(narrow, "1 \xc3\xbc 0.500000 z 7%") == 0);
    CHECK(sscanf("B\xc3\xbc \xf0\x9f\x98\x80 x", "%ls %S %lc", to, to + 8, to + 16) == 3);
    CHECK(wcscmp(to, L"B\u00fc") == 0 && wcscmp(to + 8, L"\U0001f600") == 0 && to[16] == L'x');
    CHECK(swprintf(to, 32, L"%s-%d", L"wide", 5) == 6 && wcscmp(to, L"wide-5") == 0);
    file = _wfopen(L"B\u00fccher.txt", L"w");
    CHECK(file != NULL && fputws(L"B\u00fccher", file) == 0 && fclose(file) == 0);
    if (!failed)
        _tprintf(_T("%s\n"), _T("fine"));
    return failed;
}
"#;

fn compilers() -> Vec<(&'static str, &'static str, &'static str)> {
    let all = [
        ("cc", "CC", "gcc"),
        ("cc", "CC", "clang"),
        ("c++", "CXX", "g++"),
        ("c++", "CXX", "clang++"),
    ];
    let is_installed = |name: &str| Command::new(name).arg("--version").output().is_ok();
    let found: Vec<_> = all.into_iter().filter(|(_, _, name)| is_installed(name)).collect();
    assert!(!found.is_empty(), "no compiler: install gcc or clang");
    found
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// Compiles a source with one compiler; the command's output.
fn compile(
    (command, variable, compiler): (&str, &str, &str),
    directory: &tempfile::TempDir,
    source: &str,
    options: &[&str],
) -> Output {
    let file = directory.path().join(if command == "cc" { "wide.c" } else { "wide.cpp" });
    fs::write(&file, source).unwrap();
    Command::new(LINSOCK)
        .args([command, "-O1", "-Wall", "-Wextra", "-Werror", "-o", "wide"])
        .args(options)
        .arg(&file)
        .current_dir(directory.path())
        .env(variable, compiler)
        .output()
        .unwrap()
}

#[track_caller]
fn assert_prints(source: &str, options: &[&str], arguments: &[&str], expected: &str) {
    for compiler in compilers() {
        let directory = tempfile::tempdir().unwrap();
        let compiled = compile(compiler, &directory, source, options);
        assert!(compiled.status.success(), "{compiler:?}: {}", text(&compiled.stderr));
        let mut program = Command::new(directory.path().join("wide"));
        let output = program.args(arguments).current_dir(directory.path()).output().unwrap();
        assert_eq!(text(&output.stdout), expected, "{compiler:?}");
        assert_eq!(output.status.code(), Some(0), "{compiler:?}");
    }
}

#[test]
fn examples_of_the_documentation_print_wide_texts_and_begin_with_wmain() {
    assert_prints(DOCUMENTED, &[], &["Bücher", "日本"], "3 Bücher 日本\n");
    assert_prints(DOCUMENTED, &["-municode"], &["Bücher", "😀"], "3 Bücher 😀\n");
}

#[test]
fn with_municode_wide_texts_are_utf_16() {
    assert_prints(MUNICODE, &["-municode"], &["Bücher"], "fine\n");
}

/// What would read or write units of 32 bits where there are some of 16.
#[test]
fn with_municode_functions_that_would_read_wrongly_are_refused() {
    let call = "#include <windows.h>\n#include <wchar.h>\nint main(void) { int n; return swscanf(L\"1\", L\"%d\", &n); }";
    let object = "#include <windows.h>\n#include <string>\nint main() { std::wstring s; return (int)s.size(); }";
    for compiler in compilers() {
        let directory = tempfile::tempdir().unwrap();
        let source = if compiler.0 == "cc" { call } else { object };
        let refused = compile(compiler, &directory, source, &["-municode"]);
        assert!(!refused.status.success(), "{compiler:?}");
        assert!(text(&refused.stderr).contains("with_municode"), "{compiler:?}");
        let taken = compile(compiler, &directory, source, &[]);
        assert!(taken.status.success(), "{compiler:?}: {}", text(&taken.stderr));
    }
}

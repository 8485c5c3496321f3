//! Libraries of a program's own: built by `linsock cc -shared`, loaded by LoadLibrary.

use std::fs;
use std::process::{Command, Output, Stdio};

const LINSOCK: &str = env!("CARGO_BIN_EXE_linsock");

/// Tells by DllMain when it comes and goes, and sends through a socket of the program's.
const LIBRARY: &str = r#"
#include <winsock2.h>
#include <windows.h>
#include <stdio.h>
static HINSTANCE own;
__declspec(dllexport) int number = 7;
BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, LPVOID reserved)
{
    if (reason == DLL_PROCESS_ATTACH)
        own = instance;
    printf("%s %s\n", reason == DLL_PROCESS_ATTACH ? "attach" : "detach", reserved ? "at exit" : "");
    fflush(stdout);
    return GetEnvironmentVariableA("REFUSES", NULL, 0) == 0;
}
__declspec(dllexport) HINSTANCE instance(void) { return own; }
__declspec(dllexport) int say(SOCKET s, const char *text)
{
    char line[64];
    return send(s, line, sprintf(line, "%I64d %s", (__int64)number, text), 0);
}
"#;

const PROGRAM: &str = r#"
#include <winsock2.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define CHECK(condition) ((condition) ? (void)0 : (void)(failed = 1, printf("line %d: %s\n", __LINE__, #condition)))
typedef int (*say_function)(SOCKET, const char *);
typedef HINSTANCE (*instance_function)(void);
static int failed;
static HMODULE last;
static void at_exit(void)
{
    CHECK(last == NULL || (GetProcAddress(last, "say") != NULL && GetModuleHandleA("lib.dll") == last && FreeLibrary(last)));
    fflush(stdout);
}
int main(int count, char **arguments)
{
    struct sockaddr_in at = {0};
    int length = sizeof at;
    char text[64] = "", path[MAX_PATH] = "";
    WSADATA data;
    SOCKET listener, client, server;
    HMODULE module, again;
    say_function say;
    instance_function instance;
    CHECK(atexit(at_exit) == 0);
    if (count > 1) {
        CHECK(LoadLibraryA("lib.dll") == NULL && GetLastError() == ERROR_DLL_INIT_FAILED);
        CHECK(GetModuleHandleA("lib.dll") == NULL);
        return failed;
    }
    CHECK(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    CHECK(GetModuleHandleA("lib.dll") == NULL && GetLastError() == ERROR_MOD_NOT_FOUND);
    CHECK(LoadLibraryA("text.dll") == NULL && GetLastError() == ERROR_BAD_EXE_FORMAT);
    CHECK(LoadLibraryA("none.dll") == NULL && GetLastError() == ERROR_MOD_NOT_FOUND);
    module = LoadLibraryA("lib.dll");
    CHECK(module != NULL);
    if (!module)
        return 1;
    again = LoadLibraryA(".\\LIB\\..\\lib");
    CHECK(again == NULL && GetLastError() == ERROR_MOD_NOT_FOUND);
    again = LoadLibraryA(".\\lib");
    CHECK(again == module && GetModuleHandleA("lib") == module && GetModuleHandleA("lib.dll") == module);
    CHECK(GetModuleFileNameA(module, path, sizeof path) > 8 && strstr(path, "/lib.dll") != NULL);
    say = (say_function)GetProcAddress(module, "say");
    instance = (instance_function)GetProcAddress(module, "instance");
    CHECK(say != NULL && instance != NULL && GetProcAddress(module, "number") != NULL);
    CHECK(GetProcAddress(module, "printf") == NULL && GetLastError() == ERROR_PROC_NOT_FOUND);
    CHECK(GetProcAddress(module, "none") == NULL && GetLastError() == ERROR_PROC_NOT_FOUND);
    CHECK(instance() == module);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    client = socket(AF_INET, SOCK_STREAM, 0);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 1) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&at, &length) == 0);
    CHECK(connect(client, (struct sockaddr *)&at, sizeof at) == 0);
    server = accept(listener, NULL, NULL);
    CHECK(say(client, "words") == 7 && recv(server, text, sizeof text, 0) == 7 && !strcmp(text, "7 words"));
    CHECK(say(INVALID_SOCKET, "x") == -1 && WSAGetLastError() == WSAENOTSOCK);
    CHECK(FreeLibrary(module) && GetProcAddress(module, "say") != NULL);
    CHECK(FreeLibrary(module));
    CHECK(GetModuleHandleA("lib.dll") == NULL && GetProcAddress(module, "say") == NULL);
    CHECK(!FreeLibrary(module) && GetLastError() == ERROR_MOD_NOT_FOUND);
    last = LoadLibraryW(u"lib.dll");
    CHECK(last != NULL);
    return failed;
}
"#;

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}

fn is_installed(compiler: &str) -> bool {
    let mut version = Command::new(compiler);
    version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}

#[test]
fn a_library_has_the_programs_sockets_and_hears_of_its_coming_and_going() {
    let mut built = 0;
    for compiler in ["gcc", "clang"].into_iter().filter(|compiler| is_installed(compiler)) {
        let desk = tempfile::tempdir().expect("a directory for the program");
        let here = desk.path();
        fs::write(here.join("lib.c"), LIBRARY).unwrap();
        fs::write(here.join("main.c"), PROGRAM).unwrap();
        fs::write(here.join("text.dll"), "no library").unwrap();
        for line in ["cc -shared lib.c -o lib.dll -lws2_32", "cc -std=gnu11 main.c -o main"] {
            let mut build = Command::new(LINSOCK);
            build.args(line.split(' ')).current_dir(here).env("CC", compiler);
            let output = build.output().expect("linsock cc starts");
            assert!(output.status.success(), "{line} ({compiler}): {}", text(&output));
        }
        let program = here.join("main");
        let output = Command::new(&program).current_dir(here).output().unwrap();
        assert!(output.status.success(), "{compiler}: {}", text(&output));
        assert_eq!(text(&output), "attach \ndetach \nattach \ndetach at exit\n", "{compiler}");
        let mut refused = Command::new(&program);
        refused.arg("refused").env("REFUSES", "1").current_dir(here);
        let output = refused.output().unwrap();
        assert!(output.status.success(), "{compiler}: {}", text(&output));
        assert_eq!(text(&output), "attach \ndetach \n", "{compiler}");
        built += 1;
    }
    assert!(built > 0, "no compiler: install gcc or clang");
}

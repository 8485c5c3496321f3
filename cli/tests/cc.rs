//! The command from outside: real compilers, real programs, real exit statuses.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;

const LINSOCK: &str = env!("CARGO_BIN_EXE_linsock");

/// Prints `hello` when the library answers; its pragma and library names are those of Windows.
const HELLO: &str = r#"
    #include <winsock2.h>
    #include <stdio.h>
    #pragma comment(lib, "ws2_32.lib")
    #pragma warning(disable: 4996)
    int main(void) {
        WSADATA data;
        SOCKET s;
        if (WSAStartup(MAKEWORD(2, 2), &data) != 0) return 1;
        s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
        if (s == INVALID_SOCKET) return 2;
        if (closesocket(s) != 0) return 3;
        if (WSACleanup() != 0) return 4;
        printf("hello\n");
        return 0;
    }
"#;

/// Says when it runs, then waits for a signal: status 9 on SIGINT, 8 on SIGTERM.
const WAITER: &str = r#"
    #include <signal.h>
    #include <stdio.h>
    #include <unistd.h>
    static void on_signal(int number) { _exit(number == SIGINT ? 9 : 8); }
    int main(void) {
        signal(SIGINT, on_signal);
        signal(SIGTERM, on_signal);
        puts("ready");
        fflush(stdout);
        sleep(60);
        return 1;
    }
"#;

/// A directory with sources in it, and the command started there.
struct Desk(TempDir);

impl Desk {
    fn with(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(directory.path().join(name), content).unwrap();
        }
        Self(directory)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// An empty directory that the command uses for temporary files.
    fn temporary(&self) -> PathBuf {
        let path = self.path("tmp");
        fs::create_dir_all(&path).unwrap();
        path
    }

    fn linsock(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(LINSOCK);
        command.args(arguments).current_dir(self.0.path()).env("TMPDIR", self.temporary());
        // The environment of whoever runs the tests must not choose.
        for variable in ["CC", "CXX", "LINSOCK_HOME"] {
            command.env_remove(variable);
        }
        command
    }

    #[track_caller]
    fn succeed(&self, arguments: &[&str]) {
        assert_quiet_success(&self.linsock(arguments).output().unwrap());
    }

    #[track_caller]
    fn assert_says_hello(&self, program: &str) {
        let output = Command::new(self.path(program)).output().unwrap();
        assert_quiet_success(&output);
        assert_eq!(text(&output.stdout), "hello\n");
    }

    #[track_caller]
    fn assert_nothing_is_left(&self) {
        let left: Vec<_> = fs::read_dir(self.temporary()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// A warning is a failure: what we add must not make the compiler talk.
#[track_caller]
fn assert_quiet_success(output: &Output) {
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[track_caller]
fn assert_fails(mut command: Command, status: i32, message: &[&str]) {
    let output = command.output().unwrap();
    let stderr = text(&output.stderr);
    for part in message {
        assert!(stderr.contains(part), "{part:?} is missing in: {stderr}");
    }
    assert_eq!(output.status.code(), Some(status), "{stderr}");
}

/// The compilers of this machine; every one that is installed must do.
fn compilers(names: &[&'static str]) -> Vec<&'static str> {
    let is_installed = |name: &&str| Command::new(name).arg("--version").output().is_ok();
    let found: Vec<_> = names.iter().copied().filter(is_installed).collect();
    assert!(!found.is_empty(), "none of {names:?} is installed");
    found
}

#[test]
fn a_winsock_program_compiles_links_and_runs() {
    let desk = Desk::with(&[("hello.c", HELLO), ("hello.cpp", HELLO)]);
    for (command, variable, file, names) in
        [("cc", "CC", "hello.c", ["gcc", "clang"]), ("c++", "CXX", "hello.cpp", ["g++", "clang++"])]
    {
        for compiler in compilers(&names) {
            let output = desk
                .linsock(&[command, "-Wall", "-O1", file, "-lws2_32", "-lmswsock", "-o", "hello"])
                .env(variable, compiler)
                .output()
                .unwrap();
            assert_quiet_success(&output);
            desk.assert_says_hello("hello");
        }
    }
}

/// `_tmain` is given its arguments in UTF-16, and may have none.
#[test]
fn a_unicode_program_starts_in_tmain() {
    let with_arguments = r#"
        #define UNICODE
        #define _UNICODE
        #include <winsock2.h>
        #include <stdio.h>
        #include <tchar.h>
        int _tmain(int argc, TCHAR *argv[]) {
            int i;
            for (i = 1; i < argc; i++) _tprintf(_T("%d: %s, %d\n"), i, argv[i], (int)_tcslen(argv[i]));
            return argv[argc] != NULL;
        }
    "#;
    let without = r#"
        #define UNICODE
        #include <Windows.h>
        #include <TCHAR.h>
        int __cdecl _tmain(void) { return _putts(_T("hello")) < 0; }
    "#;
    let ansi =
        with_arguments.replace("#define", "#undef").replace("(int)_tcslen(argv[i])", "i + 1");
    let files = [("a.c", with_arguments), ("b.c", without), ("c.c", ansi.as_str())];
    let cpp = [("a.cc", with_arguments), ("b.cc", without), ("c.cc", ansi.as_str())];
    let desk = Desk::with(&[files, cpp].concat());
    for (command, variable, names, sources) in
        [("cc", "CC", ["gcc", "clang"], files), ("c++", "CXX", ["g++", "clang++"], cpp)]
    {
        for compiler in compilers(&names) {
            for ((file, _), expected) in
                sources.into_iter().zip(["1: \u{e4}b, 2\n", "hello\n", "1: \u{e4}b, 2\n"])
            {
                let arguments = [command, "-Wall", "-Wextra", "-Werror", file, "-o", "unicode"];
                let output = desk.linsock(&arguments).env(variable, compiler).output().unwrap();
                assert_quiet_success(&output);
                let unicode = desk.0.path().join("unicode");
                let output = Command::new(unicode).arg("\u{e4}b").output().unwrap();
                assert_quiet_success(&output);
                assert_eq!(text(&output.stdout), expected, "{compiler} {file}");
            }
        }
    }
}

/// As on Windows: `strsafe.h` brings the C library's headers of texts along.
#[test]
fn strsafe_is_enough_for_its_users() {
    let source = r#"
        #include <windows.h>
        #include <strsafe.h>
        int main(void) {
            char text[8], *rest;
            if (FAILED(StringCchCopyA(text, sizeof text, "a,b"))) return 1;
            strtok_s(text, ",", &rest);
            printf("%d\n", strcmp(text, "a"));
            return 0;
        }
    "#;
    let desk = Desk::with(&[("a.c", source), ("a.cc", source)]);
    desk.succeed(&["cc", "-Wall", "-Werror", "a.c", "-o", "a"]);
    desk.succeed(&["c++", "-Wall", "-Werror", "a.cc", "-o", "a"]);
}

/// On Windows u_long is unsigned long, and programs write either.
#[test]
fn ioctlsocket_takes_what_is_long_on_windows() {
    let source = r#"
        #include <winsock2.h>
        int main(void) {
            unsigned long on = 1, count = (unsigned long)-1;
            u_long off = 0;
            WSADATA data;
            SOCKET s;
            if (WSAStartup(MAKEWORD(2, 2), &data) != 0) return 1;
            s = socket(AF_INET, SOCK_DGRAM, 0);
            if (ioctlsocket(s, FIONBIO, &on) != 0 || ioctlsocket(s, FIONBIO, &off) != 0) return 2;
            if (ioctlsocket(s, FIONREAD, &count) != 0 || count != 0) return 3;
            return ioctlsocket(s, FIONBIO, 0) == SOCKET_ERROR ? 0 : 4;
        }
    "#;
    let desk = Desk::with(&[("a.c", source), ("a.cc", source)]);
    for (command, variable, file, names) in
        [("cc", "CC", "a.c", ["gcc", "clang"]), ("c++", "CXX", "a.cc", ["g++", "clang++"])]
    {
        for compiler in compilers(&names) {
            let arguments = [command, "-Wall", "-Wextra", "-Werror", file, "-o", "long"];
            let output = desk.linsock(&arguments).env(variable, compiler).output().unwrap();
            assert_quiet_success(&output);
            let output = Command::new(desk.0.path().join("long")).output().unwrap();
            assert_quiet_success(&output);
        }
    }
}

/// `__declspec` and its like are words of compilers for Windows: no header is needed for them.
#[test]
fn words_of_compilers_for_windows_need_no_header() {
    let source = "
        __declspec(dllexport) int __cdecl narrow(__int64 wide);
        static __forceinline int __stdcall zero(void) { return 0; }
        int __cdecl narrow(__int64 wide) { return (int)wide; }
        int main(void) { return narrow(4294967296) + zero(); }
    ";
    let desk = Desk::with(&[("words.c", source), ("words.cpp", source)]);
    for (command, variable, file, names) in
        [("cc", "CC", "words.c", ["gcc", "clang"]), ("c++", "CXX", "words.cpp", ["g++", "clang++"])]
    {
        for compiler in compilers(&names) {
            for arguments in [["-c", file, "-o", "words.o"], ["words.o", "-o", "words", "-Wall"]] {
                let line = [&[command], &arguments[..]].concat();
                let output = desk.linsock(&line).env(variable, compiler).output().unwrap();
                assert_quiet_success(&output);
            }
            assert_quiet_success(&Command::new(desk.path("words")).output().unwrap());
        }
    }
}

#[test]
fn the_default_compiler_writes_a_out() {
    let desk = Desk::with(&[("hello.c", HELLO)]);
    desk.succeed(&["cc", "hello.c"]);
    desk.assert_says_hello("a.out");
}

#[test]
fn compiling_and_linking_may_be_two_steps() {
    let desk = Desk::with(&[("hello.c", HELLO)]);
    desk.succeed(&["cc", "-c", "hello.c", "-o", "hello.o"]);
    desk.succeed(&["cc", "hello.o", "-lws2_32", "-o", "hello"]);
    desk.assert_says_hello("hello");
}

#[test]
fn headers_are_found_in_other_spellings() {
    let source = HELLO.replace("<winsock2.h>", "<WinSock2.h>");
    let desk = Desk::with(&[("hello.c", &source)]);
    desk.succeed(&["cc", "hello.c", "-o", "hello"]);
    desk.assert_says_hello("hello");
}

/// Sources that test `__linux__` before `_WIN32` take the branch for Windows too.
#[test]
fn sources_see_windows_and_no_unix() {
    let source = "
        #if defined __linux__ || defined __linux || defined linux || defined __unix__ \\
            || defined __unix || defined unix || defined __gnu_linux__
        #error unix
        #endif
        #if !defined _WIN32 || !defined _WIN64 || !defined WIN32
        #error not windows
        #endif
    ";
    let desk = Desk::with(&[("a.c", source), ("a.cc", source)]);
    desk.succeed(&["cc", "-std=gnu11", "-fsyntax-only", "a.c"]);
    desk.succeed(&["c++", "-std=gnu++17", "-fsyntax-only", "a.cc"]);
}

#[test]
fn a_source_on_standard_input_is_compiled_in_the_language_of_x() {
    let desk = Desk::with(&[]);
    let mut child = desk
        .linsock(&["cc", "-x", "c", "-", "-o", "hello"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(HELLO.as_bytes()).unwrap();
    assert_quiet_success(&child.wait_with_output().unwrap());
    desk.assert_says_hello("hello");
}

#[test]
fn a_response_file_may_hold_everything() {
    let desk = Desk::with(&[("hel lo.c", HELLO), ("all", "'hel lo.c'\n-o hello\n-lws2_32\n")]);
    desk.succeed(&["cc", "@all"]);
    desk.assert_says_hello("hello");
}

#[test]
fn a_static_executable_links() {
    let desk = Desk::with(&[("hello.c", HELLO)]);
    // The linker warns about the resolver of glibc: only the outcome counts.
    let output = desk.linsock(&["cc", "-static", "hello.c", "-o", "hello"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    desk.assert_says_hello("hello");
}

/// `make CC="linsock cc"` exports CC.
#[test]
fn a_compiler_variable_that_names_the_command_itself_is_passed_over() {
    let desk = Desk::with(&[("hello.c", HELLO)]);
    let mut command = desk.linsock(&["cc", "hello.c", "-o", "hello"]);
    assert_quiet_success(&command.env("CC", format!("{LINSOCK} cc")).output().unwrap());
    desk.assert_says_hello("hello");
}

#[test]
fn the_compilers_options_and_status_are_its_own() {
    let script = "#!/bin/sh\nfor word; do printf '%s\\n' \"$word\"; done\nexit 42\n";
    let desk = Desk::with(&[("compiler", script)]);
    fs::set_permissions(desk.path("compiler"), fs::Permissions::from_mode(0o755)).unwrap();
    let compiler = format!("{} first", desk.path("compiler").display());
    for options in [["--help", "--version"], ["-V", "-h"], ["help", "-###"]] {
        let arguments = [&["cc"][..], &options].concat();
        let output = desk.linsock(&arguments).env("CC", &compiler).output().unwrap();
        let words = text(&output.stdout);
        assert!(words.starts_with("first\n"), "{words}");
        assert!(words.contains(&format!("\n{}\n", options.join("\n"))), "{words}");
        assert_eq!(output.status.code(), Some(42));
    }
    let desk = Desk::with(&[("wrong.c", "int main(void) { return }\n")]);
    assert_fails(desk.linsock(&["cc", "wrong.c"]), 1, &["wrong.c"]);
}

#[test]
fn a_missing_compiler_is_named_with_its_remedy() {
    let desk = Desk::with(&[("a.c", ""), ("a.cc", "")]);
    let rows: [(&[&str], &[&str]); 3] = [
        (&["cc", "a.c"], &["no C compiler", "cc, gcc, clang", "apt install gcc", "$CC"]),
        (&["c++", "a.cc"], &["no C++ compiler", "c++, g++, clang++", "apt install g++", "$CXX"]),
        (&["run", "a.c"], &["no C compiler"]),
    ];
    for (arguments, message) in rows {
        let mut command = desk.linsock(arguments);
        // An empty directory.
        command.env("PATH", desk.temporary());
        assert_fails(command, 127, message);
    }
    let mut command = desk.linsock(&["cc", "a.c"]);
    command.env("CC", "no-such-compiler -m64");
    assert_fails(command, 127, &["tried no-such-compiler;"]);
    desk.assert_nothing_is_left();
}

#[test]
fn missing_headers_and_library_are_named_with_where_they_were_looked_for() {
    let desk = Desk::with(&[("a.c", "int main(void) { return 0; }\n")]);
    let home = desk.path("home");
    let in_home = |arguments: &[&str]| {
        let mut command = desk.linsock(arguments);
        command.env("LINSOCK_HOME", &home);
        command
    };
    assert_fails(in_home(&["cc", "a.c"]), 1, &["home/include", "LINSOCK_HOME"]);
    fs::create_dir_all(home.join("include")).unwrap();
    for header in ["winsock2.h", "linsock_words.h"] {
        fs::write(home.join("include").join(header), "").unwrap();
    }
    assert_fails(in_home(&["cc", "a.c"]), 1, &["home/lib/liblinsock_c.a", "cargo build"]);
    // Compiling does not need the library.
    assert_quiet_success(&in_home(&["cc", "-c", "a.c"]).output().unwrap());
}

#[test]
fn a_build_system_gets_the_same_flags() {
    let scripts = [
        r#"eval "cc $("$0" cflags) hello.c $("$0" libs) -o hello""#,
        r#"eval "$("$0" env)"; eval "cc $LINSOCK_CFLAGS hello.c $LINSOCK_LIBS -o hello"
           test -f "$LINSOCK_LIBRARY" && test -f "$LINSOCK_INCLUDE/winsock2.h""#,
    ];
    for script in scripts {
        let desk = Desk::with(&[("hello.c", HELLO)]);
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", script, LINSOCK]).current_dir(desk.0.path()).env_remove("LINSOCK_HOME");
        assert_quiet_success(&shell.output().unwrap());
        desk.assert_says_hello("hello");
    }
}

#[test]
fn usage_errors_end_with_2() {
    let desk = Desk::with(&[]);
    for arguments in [&[][..], &["no-such-command"], &["run"]] {
        assert_fails(desk.linsock(arguments), 2, &["Usage"]);
    }
}

#[test]
fn run_compiles_c_and_cpp_by_extension() {
    let cpp = "#include <iostream>\nint main() { std::cout << \"C++\\n\"; }\n";
    let desk = Desk::with(&[("hello.c", HELLO), ("a.cc", cpp), ("a.cpp", cpp), ("a.cxx", cpp)]);
    for (file, expected) in
        [("hello.c", "hello\n"), ("a.cc", "C++\n"), ("a.cpp", "C++\n"), ("a.cxx", "C++\n")]
    {
        let output = desk.linsock(&["run", file]).output().unwrap();
        assert_quiet_success(&output);
        assert_eq!(text(&output.stdout), expected, "{file}");
    }
    desk.assert_nothing_is_left();
}

#[test]
fn run_passes_arguments_input_and_status() {
    let source = r#"
        #include <stdio.h>
        int main(int argc, char **argv) {
            int i, c;
            for (i = 1; i < argc; i++) printf("%s|", argv[i]);
            while ((c = getchar()) != EOF) putchar(c);
            return 7;
        }
    "#;
    let desk = Desk::with(&[("echo.c", source)]);
    let mut child = desk
        .linsock(&["run", "echo.c", "--help", "-p", "80", "a b"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"input").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stdout), "--help|-p|80|a b|input");
    assert_eq!(output.status.code(), Some(7));
    desk.assert_nothing_is_left();
}

#[test]
fn run_reports_a_failed_compilation_and_leaves_nothing() {
    let desk = Desk::with(&[("wrong.c", "int main(void) { return }\n")]);
    assert_fails(desk.linsock(&["run", "wrong.c"]), 1, &["wrong.c"]);
    desk.assert_nothing_is_left();
}

#[test]
fn run_reports_a_killed_program_as_a_shell_does() {
    let source = "#include <stdlib.h>\nint main(void) { abort(); }\n";
    let desk = Desk::with(&[("abort.c", source)]);
    let output = desk.linsock(&["run", "abort.c"]).output().unwrap();
    assert_eq!(output.status.code(), Some(128 + 6));
    desk.assert_nothing_is_left();
}

#[test]
fn run_refuses_what_is_no_source_file() {
    let desk = Desk::with(&[("a.rs", ""), ("Makefile", "")]);
    let rows = [
        ("missing.c", ["missing.c", "No such file"]),
        ("a.rs", ["a.rs", ".cpp"]),
        ("Makefile", ["Makefile", "linsock cc"]),
    ];
    for (file, message) in rows {
        assert_fails(desk.linsock(&["run", file]), 1, &message);
    }
}

/// Starts the program and returns when it runs, with the process that leads its group.
fn start_waiter(desk: &Desk) -> (Child, Pid) {
    let mut child =
        desk.linsock(&["run", "wait.c"]).process_group(0).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    let pid = Pid::from_child(&child);
    (child, pid)
}

/// Ctrl-C goes to the whole group: the program decides, and we are there to clean up.
#[test]
fn run_survives_an_interrupt_that_its_program_handles() {
    let desk = Desk::with(&[("wait.c", WAITER)]);
    let (mut child, group) = start_waiter(&desk);
    kill_process_group(group, Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(9));
    desk.assert_nothing_is_left();
}

#[test]
fn run_passes_on_a_termination_that_only_it_was_sent() {
    let desk = Desk::with(&[("wait.c", WAITER)]);
    let (mut child, pid) = start_waiter(&desk);
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(8));
    desk.assert_nothing_is_left();
}

/// As under `nohup`: the program would otherwise die with the terminal.
#[test]
fn run_leaves_an_ignored_signal_ignored() {
    let source = r#"
        #include <signal.h>
        int main(void) {
            int hup = signal(SIGHUP, SIG_DFL) == SIG_IGN;
            int term = signal(SIGTERM, SIG_DFL) == SIG_IGN;
            return 40 + hup + 2 * term;
        }
    "#;
    let desk = Desk::with(&[("ask.c", source)]);
    let status = Command::new("/bin/sh")
        .args(["-c", r#"trap "" HUP; exec "$0" run "$1""#, LINSOCK])
        .arg(desk.path("ask.c"))
        .env("TMPDIR", desk.temporary())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(41), "only SIGHUP is ignored");
    desk.assert_nothing_is_left();
}

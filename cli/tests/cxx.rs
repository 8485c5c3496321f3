//! What C++ programs pass that is of another type here than on Windows, with every compiler that is
//! installed, and the C++ library beside Windows' names.

use std::fs;
use std::process::{Command, Output};

const LINSOCK: &str = env!("CARGO_BIN_EXE_linsock");

/// Each line of output says which row is wrong.
const CHECK: &str = r#"
#include <cstdio>
static int failed;
#define CHECK(condition) ((condition) ? (void)0 : (void)(failed = 1, printf("line %d: %s\n", __LINE__, #condition)))
"#;

/// Names of objects in the texts of L"", which are UTF-32 here. NULL, 0, nullptr and u"" go on
/// meaning what they do.
const NAMES: &str = r#"
#include <string>
#include <winsock2.h>
#include <windows.h>
int main()
{
    wchar_t name[] = L"linsock \u00e4\u20ac\U0001F600";
    HANDLE mutex = CreateMutexW(0, TRUE, name);
    CHECK(mutex != NULL && GetLastError() == ERROR_SUCCESS);
    CHECK(OpenMutexW(SYNCHRONIZE, FALSE, u"linsock \u00e4\u20ac\U0001F600") != NULL);
    CHECK(OpenMutexW(SYNCHRONIZE, FALSE, L"linsock \u00e4\u20ac") == NULL);
    CHECK(CreateMutexW(0, FALSE, std::wstring(name).c_str()) != NULL && GetLastError() == ERROR_ALREADY_EXISTS);
    CHECK(CreateMutexW(0, FALSE, std::wstring(260, L'm').c_str()) != NULL);
    CHECK(CreateMutexW(0, FALSE, std::wstring(261, L'm').c_str()) == NULL && GetLastError() == ERROR_FILENAME_EXCED_RANGE);
    CHECK(CreateMutexW(0, FALSE, std::wstring(3000, L'\U0001F600').c_str()) == NULL);
    CHECK(CreateMutexExW(0, L"ex", 0, SYNCHRONIZE) != NULL && OpenMutexW(SYNCHRONIZE, FALSE, L"ex") != NULL);
    CHECK(CreateEventW(0, true, false, 0) != NULL && CreateEventW(NULL, TRUE, FALSE, NULL) != NULL);
    CHECK(CreateEventW(nullptr, TRUE, FALSE, nullptr) != NULL && CreateEventW(0, 1, 0, (const wchar_t *)0) != NULL);
    CHECK(CreateEventW(0, TRUE, FALSE, L"event") != NULL && OpenEventW(SYNCHRONIZE, FALSE, L"event") != NULL);
    CHECK(CreateEventExW(0, L"event", 0, SYNCHRONIZE) != NULL && GetLastError() == ERROR_ALREADY_EXISTS);
    CHECK(CreateSemaphoreW(0, 1, 1, L"semaphore") != NULL && OpenSemaphoreW(SYNCHRONIZE, FALSE, u"semaphore") != NULL);
    CHECK(OpenSemaphoreW(SYNCHRONIZE, FALSE, L"semaphore") != NULL && OpenSemaphoreW(SYNCHRONIZE, FALSE, L"s") == NULL);
    CHECK(CreateWaitableTimerW(0, TRUE, L"timer") != NULL && OpenEventW(SYNCHRONIZE, FALSE, L"timer") == NULL);
    CHECK(GetModuleHandleW(L"kernel32.dll") == GetModuleHandleA("KERNEL32") && GetModuleHandleW(0) != NULL);
    CHECK(SetThreadDescription(GetCurrentThread(), L"main") >= 0);
    const wchar_t *path = L"wide \u00e4\u20ac";
    HANDLE file = CreateFileW(path, GENERIC_WRITE, 0, 0, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, 0);
    CHECK(file != INVALID_HANDLE_VALUE && CloseHandle(file));
    CHECK(GetFileAttributesA("wide \xc3\xa4\xe2\x82\xac") == GetFileAttributesW(path));
    CHECK(DeleteFileW(path) && GetFileAttributesW(path) == INVALID_FILE_ATTRIBUTES);
    std::wstring far_away(5000, L'x');
    CHECK(CreateFileW(far_away.c_str(), GENERIC_WRITE, 0, 0, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, 0) == INVALID_HANDLE_VALUE);
    return failed;
}
"#;

/// Windows' u_long is `unsigned long`, which has 64 bits here: a pointer to one will do.
const NUMBERS: &str = r#"
#include <winsock2.h>
int main()
{
    WSADATA data;
    CHECK(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    unsigned long on = 1, unread = ~0ul, wide = 1ul << 32;
    u_long both = 1;
    char octet;
    CHECK(ioctlsocket(s, FIONBIO, &on) == 0 && on == 1);
    CHECK(recv(s, &octet, 1, 0) == SOCKET_ERROR && WSAGetLastError() != 0);
    CHECK(ioctlsocket(s, FIONREAD, &unread) == 0 && unread == 0);
    CHECK(ioctlsocket(s, FIONBIO, &both) == 0 && ioctlsocket(s, FIONBIO, &wide) == 0 && wide == 0);
    CHECK(ioctlsocket(s, FIONBIO, nullptr) == SOCKET_ERROR && WSAGetLastError() == WSAEFAULT);
    CHECK(ioctlsocket(s, FIONBIO, (unsigned long *)0) == SOCKET_ERROR && WSAGetLastError() == WSAEFAULT);
    unread = 7;
    CHECK(ioctlsocket(INVALID_SOCKET, FIONREAD, &unread) == SOCKET_ERROR && unread == 7);
    CHECK(closesocket(s) == 0);
    static long counter = 0;
    CHECK(::InterlockedIncrement(&counter) == 1 && ::InterlockedExchangeAdd(&counter, 0) == 1);
    CRITICAL_SECTION member_by_member = { 0, 0, 0, 0, 0, 0 };
    EnterCriticalSection(&member_by_member);
    LeaveCriticalSection(&member_by_member);
    WSACleanup();
    return failed;
}
"#;

/// A guarded block runs; C++ exceptions pass it, and the C++ library's own blocks stay what they
/// are, whichever header comes first.
const GUARDED: &str = r#"
INCLUDES
static int initialize(CRITICAL_SECTION *section)
{
    __try
    {
        if (!InitializeCriticalSectionAndSpinCount(section, 0x80000000))
            return GetLastError();
    }
    __except(GetExceptionCode() == STATUS_NO_MEMORY ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH)
    {
        return ERROR_OUTOFMEMORY;
    }
    return 0;
}
#if __cpp_exceptions
static bool is_handled = false;
static void pass(int what)
{
    __try
    {
        throw what;
    }
    __except(EXCEPTION_EXECUTE_HANDLER)
    {
        is_handled = true;
    }
}
#endif
int main()
{
    CRITICAL_SECTION section;
    CHECK(initialize(&section) == 0);
    DeleteCriticalSection(&section);
    std::vector<std::string> texts(3, "a text that lies in the heap");
    texts.insert(texts.begin(), "another");
    CHECK(texts.size() == 4);
#if __cpp_exceptions
    int caught = 0;
    try {
        pass(3);
    } catch (int what) {
        caught = what;
    }
    CHECK(caught == 3 && !is_handled);
    try {
        (void)texts.at(9);
    } catch (const std::out_of_range &) {
        caught = 9;
    }
    CHECK(caught == 9);
#endif
    return failed;
}
"#;

/// Threads, locks and clocks of the C++ library, with handles of Windows between them.
const LIBRARY: &str = r#"
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>
#include <vector>
#include <winsock2.h>
int main()
{
    std::mutex mutex;
    std::condition_variable changed;
    int arrived = 0;
    HANDLE go = CreateEventW(0, TRUE, FALSE, 0);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++)
        threads.emplace_back([&] {
            WaitForSingleObject(go, INFINITE);
            std::lock_guard<std::mutex> lock(mutex);
            arrived++;
            changed.notify_one();
        });
    auto answer = std::async(std::launch::async, [&] { return WaitForSingleObject(go, INFINITE); });
    SetEvent(go);
    {
        std::unique_lock<std::mutex> lock(mutex);
        changed.wait(lock, [&] { return arrived == 4; });
    }
    for (auto &thread : threads)
        thread.join();
    CHECK(answer.get() == WAIT_OBJECT_0);
    const auto before = std::chrono::steady_clock::now();
    CHECK(WaitForSingleObject(go, 0) == WAIT_OBJECT_0 && ResetEvent(go) && WaitForSingleObject(go, 15) == WAIT_TIMEOUT);
    CHECK(std::chrono::steady_clock::now() - before >= std::chrono::milliseconds(14));
    CloseHandle(go);
    return failed;
}
"#;

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}

fn runs(name: &str, source: &str, flags: &[&str]) {
    let desk = tempfile::tempdir().unwrap();
    fs::write(desk.path().join("a.cc"), format!("{CHECK}{source}")).unwrap();
    let mut built = 0;
    for compiler in ["g++", "clang++"] {
        if Command::new(compiler).arg("--version").output().is_err() {
            continue;
        }
        let mut build = Command::new(LINSOCK);
        build.args(["c++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "a.cc", "-o", "a"]);
        let output = build.args(flags).current_dir(&desk).env("CXX", compiler).output().unwrap();
        assert!(output.status.success(), "{name}, {compiler}: {}", text(&output));
        let output = Command::new(desk.path().join("a")).current_dir(&desk).output().unwrap();
        assert!(output.status.success(), "{name}, {compiler}: {}", text(&output));
        built += 1;
    }
    assert!(built > 0, "no compiler: install g++ or clang");
}

/// printf by all of its C++ names, with Microsoft's sizes.
const FORMATS: &str = r#"
#include <cstdarg>
#include <cstring>
#include <string>
#include <windows.h>
static int print(char *to, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = std::vsnprintf(to, size, format, arguments);
    va_end(arguments);
    return length;
}
struct Log {
    int printf(const char *text) { return std::printf("%s\n", text); }
};
int main()
{
    char text[64];
    __int64 number = 0;
    int (*pointer)(char *, size_t, const char *, ...) = std::snprintf;
    CHECK(std::snprintf(text, sizeof text, "%I64d", (__int64)-5000000000LL) == 11 && !strcmp(text, "-5000000000"));
    CHECK(::sprintf(text, "%I32u %Iu", 7u, (SIZE_T)8) == 3 && !strcmp(text, "7 8"));
    CHECK(print(text, sizeof text, "%I64x", 255ULL) == 2 && !strcmp(text, "ff"));
    CHECK(pointer(text, sizeof text, "%I64u", 5ULL) == 1 && !strcmp(text, "5"));
    CHECK(sprintf_s(text, "%I64u", 6ULL) == 1 && !strcmp(text, "6"));
    CHECK(std::sscanf("99", "%I64d", &number) == 1 && number == 99);
    CHECK(std::to_string(2.5) == "2.500000");
    CHECK(Log().printf("a method may have the name") == 27);
    return failed;
}
"#;

#[test]
fn formats_have_the_sizes_of_windows() {
    runs("formats", FORMATS, &[]);
    // Checked by the C library's rules, for who asks for that.
    let checked = r#"int main() { CHECK(printf("%d %s\n", 1, "text") == 7); return failed; }"#;
    runs("formats that are checked", checked, &["-DLINSOCK_CHECK_FORMATS"]);
    runs("the C library's formats", checked, &["-DLINSOCK_NO_PRINTF"]);
}

#[test]
fn names_of_objects_may_be_wide() {
    runs("names", NAMES, &[]);
}

#[test]
fn a_long_is_a_number_of_windows() {
    runs("numbers", NUMBERS, &[]);
}

#[test]
fn a_guarded_block_runs() {
    let standard = "#include <vector>\n#include <string>\n#include <stdexcept>\n";
    let windows = "#include <windows.h>\n";
    for includes in [[standard, windows], [windows, standard]] {
        let source = GUARDED.replace("INCLUDES", &includes.concat());
        runs("guarded", &source, &[]);
        runs("guarded, without exceptions", &source, &["-fno-exceptions"]);
    }
}

#[test]
fn the_library_of_cxx_works_beside_windows_names() {
    runs("library", LIBRARY, &["-pthread"]);
}

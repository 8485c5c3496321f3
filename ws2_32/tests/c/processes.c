/*
 * processes.c - the process's program, command line and environment; where its threads run, and the older way
 * to make one.
 */
#include "check.h"
#include <errno.h>
#include <process.h>
#include <signal.h>

#define REFUSED(call, error, source) do { \
        SetLastError(CHECK_UNSET); \
        CHECK(!(call), source); \
        CHECK_EQ(GetLastError(), error, source); \
    } while (0)

#define NAME "LINSOCK_TEST_VARIABLE"

static void environment(void)
{
    WCHAR wide[16];
    char value[16] = "before";

    REFUSED(GetEnvironmentVariableA(NAME, value, sizeof value), ERROR_ENVVAR_NOT_FOUND, "D GetEnvironmentVariable");
    CHECK(SetEnvironmentVariableA(NAME, "12345"), "D SetEnvironmentVariable");
    CHECK_EQ(GetEnvironmentVariableA(NAME, value, 6), 5, "D GetEnvironmentVariable: without the zero");
    CHECK(strcmp(value, "12345") == 0, "D GetEnvironmentVariable");
    CHECK_EQ(GetEnvironmentVariableA(NAME, value, 5), 6, "D GetEnvironmentVariable: too small, with the zero");
    CHECK_EQ(GetEnvironmentVariableA(NAME, NULL, 0), 6, "D GetEnvironmentVariable: too small, with the zero");
    CHECK(getenv(NAME) != NULL && strcmp(getenv(NAME), "12345") == 0, "choice: getenv sees it");
    CHECK(SetEnvironmentVariableW(u"" NAME, u"\x20ac" u"1"), "D SetEnvironmentVariable");
    CHECK_EQ(GetEnvironmentVariableW(u"" NAME, wide, 16), 2, "D GetEnvironmentVariable");
    CHECK(wide[0] == 0x20ac && wide[1] == '1' && wide[2] == 0, "D GetEnvironmentVariable");
    CHECK_EQ(GetEnvironmentVariableW(u"" NAME, wide, 2), 3, "D GetEnvironmentVariable: in characters");
    CHECK(SetEnvironmentVariableA(NAME, ""), "D SetEnvironmentVariable: an empty value");
    SetLastError(CHECK_UNSET);
    CHECK_EQ(GetEnvironmentVariableA(NAME, value, sizeof value), 0, "D GetEnvironmentVariable");
    CHECK_EQ(GetLastError(), ERROR_SUCCESS, "choice: what tells an empty value from none");
    CHECK(SetEnvironmentVariableA(NAME, NULL), "D SetEnvironmentVariable: NULL removes");
    REFUSED(GetEnvironmentVariableW(u"" NAME, wide, 16), ERROR_ENVVAR_NOT_FOUND, "D SetEnvironmentVariable: NULL removes");
    REFUSED(SetEnvironmentVariableA("a=b", "c"), ERROR_INVALID_PARAMETER, "D SetEnvironmentVariable: no = in a name");
#ifndef __MINGW32__
    REFUSED(SetEnvironmentVariableA(NULL, "c"), ERROR_NOACCESS, "choice: an error, and no crash");
    REFUSED(GetEnvironmentVariableA((LPCSTR)16, value, 1), ERROR_NOACCESS, "choice: an error, and no crash");
    REFUSED(GetEnvironmentVariableA("PATH", (LPSTR)16, 30000), ERROR_NOACCESS, "choice: an error, and no crash");
#endif
}

static void program(void)
{
    char path[600], cut[4];
    WCHAR wide[600];
    DWORD length = GetModuleFileNameA(NULL, path, sizeof path), i;

    CHECK(GetModuleHandleA(NULL) != NULL, "D GetModuleHandle");
    CHECK(GetModuleHandleA(NULL) == GetModuleHandleW(NULL), "D GetModuleHandle");
    REFUSED(GetModuleHandleA("no-such-module.dll"), ERROR_MOD_NOT_FOUND, "choice: the page names no error");
    CHECK(length > 4 && strlen(path) == length, "D GetModuleFileName");
    CHECK_EQ(GetModuleFileNameA(GetModuleHandleA(NULL), path, sizeof path), length, "D GetModuleFileName");
    CHECK_EQ(GetModuleFileNameW(NULL, wide, 600), length, "D GetModuleFileName");
    for (i = 0; i <= length && wide[i] == (WCHAR)path[i]; i++)
        ;
    CHECK_EQ(i, length + 1, "D GetModuleFileName");
    SetLastError(CHECK_UNSET);
    CHECK_EQ(GetModuleFileNameA(NULL, cut, 4), 4, "D GetModuleFileName: too small, the size");
    CHECK_EQ(GetLastError(), ERROR_INSUFFICIENT_BUFFER, "D GetModuleFileName: too small");
    CHECK(memcmp(cut, path, 3) == 0 && cut[3] == 0, "D GetModuleFileName: cut off, with a zero");
    CHECK(strstr(GetCommandLineA(), "processes") != NULL || strchr(GetCommandLineA(), '/') != NULL,
          "D GetCommandLine: begins with the program");
    CHECK_EQ(lstrlenW(GetCommandLineW()), (int)strlen(GetCommandLineA()), "D GetCommandLine");
}

#ifndef __MINGW32__
static volatile sig_atomic_t stops;

static void on_stop(int signal)
{
    (void)signal;
    stops = 1;
}
#endif

static void debugger(void)
{
    CHECK_EQ(IsDebuggerPresent(), FALSE, "D IsDebuggerPresent; nobody debugs the test");
#ifndef __MINGW32__
    signal(SIGTRAP, on_stop);
    DebugBreak();
    CHECK_EQ(stops, 1, "choice: what stops in a debugger is SIGTRAP");
    signal(SIGTRAP, SIG_DFL);
#endif
}

static volatile LONG ran_on;

static DWORD WINAPI look_where(void *unused)
{
    int i;

    (void)unused;
    for (i = 0; i < 64; i++) {
        InterlockedOr(&ran_on, (LONG)(1u << (GetCurrentProcessorNumber() & 31)));
        SwitchToThread();
    }
    return GetCurrentThreadId();
}

static void affinity(void)
{
    DWORD_PTR process = 0, system = 0, lowest, before;
    DWORD id = 0, code = 0;
    HANDLE thread;

    CHECK(GetProcessAffinityMask(GetCurrentProcess(), &process, &system), "D GetProcessAffinityMask");
    CHECK(process != 0 && (process & ~system) == 0, "D GetProcessAffinityMask: a part of the system's");
    lowest = process & (0 - process);
    before = SetThreadAffinityMask(GetCurrentThread(), lowest);
    CHECK_EQ(before, process, "D SetThreadAffinityMask: the mask before");
    CHECK_EQ((DWORD_PTR)1 << GetCurrentProcessorNumber(), lowest, "D SetThreadAffinityMask");
    CHECK_EQ(SetThreadAffinityMask(GetCurrentThread(), process), lowest, "D SetThreadAffinityMask: the mask before");
    REFUSED(SetThreadAffinityMask(GetCurrentThread(), 0), ERROR_INVALID_PARAMETER, "D SetThreadAffinityMask");
    if (~process != 0)
        REFUSED(SetThreadAffinityMask(GetCurrentThread(), ~process), ERROR_INVALID_PARAMETER,
                "D SetThreadAffinityMask: a part of the process's");
    thread = CreateThread(NULL, 0, look_where, NULL, CREATE_SUSPENDED, &id);
    REQUIRE(thread != NULL);
    CHECK_EQ(GetThreadId(thread), id, "D GetThreadId");
    CHECK_EQ(SetThreadAffinityMask(thread, lowest), process, "D SetThreadAffinityMask: of a thread that has not begun");
    CHECK(SUCCEEDED(SetThreadDescription(thread, u"a name that is far longer than Linux takes")),
          "D SetThreadDescription");
    ResumeThread(thread);
    CHECK(is_set(thread, CHECK_WAIT_MS), "setup");
    CHECK(GetExitCodeThread(thread, &code) && code == id, "D GetThreadId: as GetCurrentThreadId in it");
    CHECK_EQ((DWORD)ran_on, (DWORD)lowest, "D SetThreadAffinityMask: it ran nowhere else");
    REFUSED(SetThreadAffinityMask(thread, lowest), ERROR_INVALID_HANDLE, "choice: a thread that has ended");
    CloseHandle(thread);
    CHECK(SetProcessAffinityMask(GetCurrentProcess(), lowest), "D SetProcessAffinityMask");
    CHECK(GetProcessAffinityMask(GetCurrentProcess(), &process, &system) && process == lowest,
          "D SetProcessAffinityMask");
    CHECK_EQ((DWORD_PTR)1 << GetCurrentProcessorNumber(), lowest, "D SetProcessAffinityMask");
    CHECK(SetProcessAffinityMask(GetCurrentProcess(), before), "D SetProcessAffinityMask");
    CHECK_EQ(GetThreadId(GetCurrentThread()), GetCurrentThreadId(), "D GetThreadId");
    REFUSED(GetThreadId(NULL), ERROR_INVALID_HANDLE, "D GetThreadId");
    CHECK(FAILED(SetThreadDescription(NULL, u"x")), "D SetThreadDescription");
    CHECK(SUCCEEDED(SetThreadDescription(GetCurrentThread(), u"main")), "D SetThreadDescription");
#ifndef __MINGW32__
    CHECK_EQ(SetThreadDescription(GetCurrentThread(), (PCWSTR)16), E_POINTER, "choice: an error, and no crash");
#endif
}

static HANDLE ready;

static void __cdecl returns(void *argument)
{
    InterlockedIncrement((volatile LONG *)argument);
    SetEvent(ready);
}

static void __cdecl leaves(void *argument)
{
    InterlockedIncrement((volatile LONG *)argument);
    SetEvent(ready);
    _endthread();
}

static void older_threads(void)
{
    static volatile LONG runs;
    HANDLE threads[2];
    int i;

    ready = CreateEventA(NULL, FALSE, FALSE, NULL);
    for (i = 0; i < 2; i++) {
        threads[i] = (HANDLE)_beginthread(i == 0 ? returns : leaves, 0, (void *)&runs);
        CHECK(threads[i] != (HANDLE)-1 && threads[i] != NULL, "D _beginthread");
        CHECK(is_set(ready, CHECK_WAIT_MS), "D _beginthread: it runs");
    }
    CHECK_EQ(runs, 2, "D _beginthread");
    for (i = 0; i < 2; i++) {
        ULONGLONG limit = GetTickCount64() + CHECK_WAIT_MS;
        DWORD code;

        while (GetExitCodeThread(threads[i], &code) && GetTickCount64() < limit)
            Sleep(1);
        CHECK(!GetExitCodeThread(threads[i], &code), "D _endthread: the handle is closed");
    }
    CloseHandle(ready);
#ifndef __MINGW32__
    errno = 0;
    CHECK_EQ((LONG_PTR)_beginthread(NULL, 0, NULL), -1, "D _beginthread");
    CHECK_EQ(errno, EINVAL, "D _beginthread");
#endif
}

static ULONGLONG time_of(FILETIME time)
{
    return (ULONGLONG)time.dwHighDateTime << 32 | time.dwLowDateTime;
}

/* Runs for a while, and is told to end. */
static DWORD WINAPI work(void *go)
{
    volatile unsigned n;

    for (n = 0; n < 20000000; n++)
        ;
    CHECK(is_set(go, CHECK_WAIT_MS), "setup");
    return 0;
}

static void times_of_a_thread(void)
{
    FILETIME before, after, creation, leaving, kernel, user, first;
    HANDLE go = CreateEventA(NULL, TRUE, FALSE, NULL), thread;

    GetSystemTimeAsFileTime(&before);
    thread = CreateThread(NULL, 0, work, go, 0, NULL);
    REQUIRE(thread != NULL);
    CHECK(GetThreadTimes(thread, &creation, &leaving, &kernel, &user), "D GetThreadTimes");
    GetSystemTimeAsFileTime(&after);
    CHECK(time_of(creation) + 200000 >= time_of(before) && time_of(creation) <= time_of(after),
          "D GetThreadTimes: when it was created; setup: a clock's step");
#ifndef __MINGW32__
    CHECK_EQ(time_of(leaving), 0, "choice: undefined before the thread has ended");
#endif
    first = creation;
    SetEvent(go);
    CHECK(is_set(thread, CHECK_WAIT_MS), "setup");
    CHECK(GetThreadTimes(thread, &creation, &leaving, &kernel, &user), "D GetThreadTimes");
    GetSystemTimeAsFileTime(&after);
    CHECK_EQ(time_of(creation), time_of(first), "D GetThreadTimes");
    CHECK(time_of(leaving) >= time_of(creation) && time_of(leaving) <= time_of(after) + 200000,
          "D GetThreadTimes: when it ended; setup: a clock's step");
    CHECK(time_of(user) > 0, "D GetThreadTimes: the time that it has run");
    CHECK(time_of(user) + time_of(kernel) <= time_of(leaving) - time_of(creation) + 400000,
          "D GetThreadTimes: no more than there was; setup: two steps");
    REFUSED(GetThreadTimes(go, &creation, &leaving, &kernel, &user), ERROR_INVALID_HANDLE, "D GetThreadTimes");
    CloseHandle(thread);
    CloseHandle(go);
}

static void times(void)
{
    FILETIME now, creation, leaving, kernel, user, more;
    DWORD_PTR mask = 0, system = 0;
    HANDLE own;
    ULONGLONG first = 0, former = 0, limit = GetTickCount64() + CHECK_WAIT_MS;
    BOOL is_32 = TRUE;

    GetSystemTimeAsFileTime(&now);
    CHECK(GetProcessTimes(GetCurrentProcess(), &creation, &leaving, &kernel, &user), "D GetProcessTimes");
    CHECK(time_of(creation) <= time_of(now) + 200000, "D GetProcessTimes: when it was created; setup: a clock's step");
    CHECK(time_of(creation) + 600000000ULL * 10 > time_of(now), "setup: ten minutes ago at most");
    former = time_of(kernel) + time_of(user);
    do {
        CHECK(GetProcessTimes(GetCurrentProcess(), &more, &leaving, &kernel, &user), "D GetProcessTimes");
    } while (time_of(kernel) + time_of(user) == former && GetTickCount64() < limit);
    CHECK(time_of(kernel) + time_of(user) > former, "D GetProcessTimes: the time that its threads have run");
    CHECK_EQ(time_of(more), time_of(creation), "D GetProcessTimes");
    first = time_of(creation);
    CHECK(GetThreadTimes(GetCurrentThread(), &creation, &leaving, &kernel, &user), "D GetThreadTimes");
    CHECK(time_of(creation) <= time_of(now) + 200000, "D GetThreadTimes");
    CHECK(time_of(creation) + 600000000ULL * 10 > time_of(now), "setup: ten minutes ago at most");
    CHECK(IsWow64Process(GetCurrentProcess(), &is_32), "D IsWow64Process");
    CHECK_EQ(is_32, FALSE, "D IsWow64Process: of 64 bits on a system of 64");
    own = OpenProcess(PROCESS_ALL_ACCESS, FALSE, GetCurrentProcessId());
    CHECK(own != NULL, "D OpenProcess");
    CHECK(GetProcessTimes(own, &more, &leaving, &kernel, &user), "D GetProcessTimes: a handle to the process");
    CHECK_EQ(time_of(more), first, "D GetProcessTimes: a handle to the process");
    CHECK(IsWow64Process(own, &is_32) && !is_32, "D IsWow64Process: a handle to the process");
    CHECK(GetProcessAffinityMask(own, &mask, &system) && mask != 0, "D GetProcessAffinityMask: a handle to the process");
    CHECK(SetProcessAffinityMask(own, mask), "D SetProcessAffinityMask: a handle to the process");
    CloseHandle(own);
    REFUSED(GetProcessTimes(NULL, &creation, &leaving, &kernel, &user), ERROR_INVALID_HANDLE, "D GetProcessTimes");
    REFUSED(IsWow64Process(NULL, &is_32), ERROR_INVALID_HANDLE, "D IsWow64Process");
#ifndef __MINGW32__
    REFUSED(GetProcessTimes(GetCurrentProcess(), NULL, &leaving, &kernel, &user), ERROR_NOACCESS,
            "choice: an error, and no crash");
    REFUSED(GetThreadTimes(GetCurrentThread(), &creation, &leaving, &kernel, (FILETIME *)16), ERROR_NOACCESS,
            "choice: an error, and no crash");
    REFUSED(IsWow64Process(GetCurrentProcess(), NULL), ERROR_NOACCESS, "choice: an error, and no crash");
#endif
    times_of_a_thread();
}

int main(void)
{
    check_begin("processes");
    environment();
    program();
    debugger();
    affinity();
    older_threads();
    times();
    return check_end();
}

/*
 * process.c - processes: started, waited for, ended; what they are given and what they leave. The program starts
 * itself, and its first argument says what it is to be then.
 */
#include "check.h"
#include <fcntl.h>
#include <io.h>
#ifndef __MINGW32__
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#endif

#define REFUSED(call, error, source) do { \
        SetLastError(CHECK_UNSET); \
        CHECK(!(call), source); \
        CHECK_EQ(GetLastError(), error, source); \
    } while (0)

#define VARIABLE "LINSOCK_TEST_CHILD"

static char self[600];

/* ---- what the children do ------------------------------------------------------------------------------- */

static int say(const char *text)
{
    DWORD octets = 0;

    return WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), text, (DWORD)strlen(text), &octets, NULL) ? 0 : 1;
}

/* Copies what it reads until there is no more. */
static int copies(HANDLE from, HANDLE to)
{
    char buffer[64];
    DWORD octets, written;

    while (ReadFile(from, buffer, sizeof buffer, &octets, NULL) && octets > 0)
        if (!WriteFile(to, buffer, octets, &written, NULL))
            return 1;
    return GetLastError() == ERROR_BROKEN_PIPE ? 0 : 2;
}

/* A file of 7 octets that came as a standard stream. */
static int measures(HANDLE input)
{
    LARGE_INTEGER size, to;
    DWORD octets;
    char c = 0;

    to.QuadPart = -2;
    if (GetFileType(input) != FILE_TYPE_DISK || GetFileSize(input, NULL) != 7)
        return 1;
    if (!GetFileSizeEx(input, &size) || size.QuadPart != 7)
        return 2;
    if (SetFilePointer(input, 2, NULL, FILE_BEGIN) != 2 || !ReadFile(input, &c, 1, &octets, NULL) || c != 'r')
        return 3;
    if (SetFilePointer(input, 1, NULL, FILE_CURRENT) != 4 || !ReadFile(input, &c, 1, &octets, NULL) || c != 'n')
        return 4;
    if (!SetFilePointerEx(input, to, &size, FILE_END) || size.QuadPart != 5)
        return 5;
    return SetFilePointer(input, -6, NULL, FILE_CURRENT) != INVALID_SET_FILE_POINTER || GetLastError() != ERROR_NEGATIVE_SEEK;
}

/* Repairs the memory, or says what happened and lets the process end. */
static char *volatile guarded;

static LONG WINAPI filter(EXCEPTION_POINTERS *pointers)
{
    DWORD before;

    if (pointers->ExceptionRecord->ExceptionCode != EXCEPTION_ACCESS_VIOLATION)
        return EXCEPTION_CONTINUE_SEARCH;
    if (pointers->ExceptionRecord->ExceptionInformation[1] == (ULONG_PTR)guarded)
        return VirtualProtect(guarded, 1, PAGE_READWRITE, &before) ? EXCEPTION_CONTINUE_EXECUTION
                                                                  : EXCEPTION_EXECUTE_HANDLER;
    say("filtered");
    return EXCEPTION_EXECUTE_HANDLER;
}

static int faults(void)
{
    int *volatile nowhere = NULL;

    CHECK(SetUnhandledExceptionFilter(filter) == NULL, "D SetUnhandledExceptionFilter: NULL, none before");
    guarded = (char *)VirtualAlloc(NULL, 4096, MEM_RESERVE | MEM_COMMIT, PAGE_READONLY);
    *guarded = 1;
    if (*guarded != 1 || SetUnhandledExceptionFilter(filter) != filter)
        return 1;
    return *nowhere;
}

/* Two threads fault, and each waits in the filter for the other. */
static HANDLE both_are_there;
static volatile LONG are_there;

static LONG WINAPI filter_of_two(EXCEPTION_POINTERS *pointers)
{
    DWORD before;

    if (InterlockedIncrement(&are_there) == 2)
        SetEvent(both_are_there);
    if (WaitForSingleObject(both_are_there, CHECK_WAIT_MS) != WAIT_OBJECT_0)
        return EXCEPTION_EXECUTE_HANDLER;
    return VirtualProtect((void *)pointers->ExceptionRecord->ExceptionInformation[1], 1, PAGE_READWRITE, &before)
               ? EXCEPTION_CONTINUE_EXECUTION
               : EXCEPTION_EXECUTE_HANDLER;
}

static DWORD WINAPI writes(void *page)
{
    *(volatile char *)page = 7;
    return (DWORD)*(volatile char *)page;
}

static int faults_at_once(void)
{
    char *pages = (char *)VirtualAlloc(NULL, 2 * 4096, MEM_RESERVE | MEM_COMMIT, PAGE_READONLY);
    HANDLE other;
    DWORD code = 0;

    both_are_there = CreateEventA(NULL, TRUE, FALSE, NULL);
    SetUnhandledExceptionFilter(filter_of_two);
    other = CreateThread(NULL, 0, writes, pages, 0, NULL);
    if (writes(pages + 4096) != 7 || WaitForSingleObject(other, CHECK_WAIT_MS) != WAIT_OBJECT_0)
        return 1;
    return GetExitCodeThread(other, &code) && code == 7 ? 0 : 2;
}

/* Two threads that end the process: whoever is first runs the handlers, and waits for the other one to begin. */
static DWORD WINAPI ends_too(void *begun)
{
    SetEvent((HANDLE)begun);
    ExitProcess(0x202);
}

static void end_twice(void)
{
    HANDLE begun = CreateEventA(NULL, TRUE, FALSE, NULL);
    HANDLE other = CreateThread(NULL, 0, ends_too, begun, 0, NULL);

    WaitForSingleObject(begun, CHECK_WAIT_MS);
    WaitForSingleObject(other, CHECK_QUIET_MS);
}

static void end_in_the_end(void)
{
    ExitProcess(0x303);
}

/* The last thread of the program, when the main thread has ended; the library may have threads of its own. */
static DWORD WINAPI outlives(void *main_thread)
{
    OVERLAPPED ov;
    char octet;
    SOCKET client, server;

    memset(&ov, 0, sizeof ov);
    if (WaitForSingleObject((HANDLE)main_thread, CHECK_WAIT_MS) != WAIT_OBJECT_0)
        return 1;
    tcp_pair(&client, &server);
    if (ReadFile((HANDLE)client, &octet, 1, NULL, &ov) || GetLastError() != ERROR_IO_PENDING)
        return 2;
    return send(server, "a", 1, 0) == 1 && GetOverlappedResult((HANDLE)client, &ov, (DWORD *)&ov.Offset, TRUE) ? 47 : 3;
}

static void leaves_a_thread(void)
{
    WSADATA data;
    HANDLE self_handle;

    if (WSAStartup(MAKEWORD(2, 2), &data) != 0
        || !DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), &self_handle, 0, FALSE,
                            DUPLICATE_SAME_ACCESS)
        || CreateThread(NULL, 0, outlives, self_handle, 0, NULL) == NULL)
        ExitProcess(4);
    ExitThread(46);
}

static int child(int argc, char **argv)
{
    char buffer[800];
    int i;

    if (strcmp(argv[1], "exit") == 0)
        return atoi(argv[2]);
    if (strcmp(argv[1], "exit-process") == 0)
        ExitProcess((UINT)atoi(argv[2]));
    if (strcmp(argv[1], "exit-twice") == 0) {
        atexit(end_twice);
        ExitProcess(0x101);
    }
    if (strcmp(argv[1], "exit-at-exit") == 0) {
        atexit(end_in_the_end);
        ExitProcess(0x101);
    }
    if (strcmp(argv[1], "exit-at-return") == 0) {
        atexit(end_in_the_end);
        return 1;
    }
    if (strcmp(argv[1], "exit-thread") == 0)
        ExitThread((DWORD)atoi(argv[2]));
    if (strcmp(argv[1], "leave-a-thread") == 0)
        leaves_a_thread();
    if (strcmp(argv[1], "terminate") == 0)
        TerminateProcess(GetCurrentProcess(), (UINT)atoi(argv[2]));
    if (strcmp(argv[1], "abort") == 0)
        abort();
    if (strcmp(argv[1], "fault") == 0)
        return faults();
    if (strcmp(argv[1], "fault-at-once") == 0)
        return faults_at_once();
    if (strcmp(argv[1], "sleep") == 0)
        Sleep(INFINITE);
    if (strcmp(argv[1], "copy") == 0)
        return copies(GetStdHandle(STD_INPUT_HANDLE), GetStdHandle(STD_OUTPUT_HANDLE));
    if (strcmp(argv[1], "copy-handles") == 0)
        return copies((HANDLE)(ULONG_PTR)strtoull(argv[2], NULL, 10), (HANDLE)(ULONG_PTR)strtoull(argv[3], NULL, 10));
    if (strcmp(argv[1], "same-output") == 0) {
        HANDLE output = (HANDLE)(ULONG_PTR)strtoull(argv[2], NULL, 10);
        DWORD octets;

        return GetStdHandle(STD_OUTPUT_HANDLE) != output || !WriteFile(output, "a", 1, &octets, NULL)
            || _write(1, "b", 1) != 1;
    }
    if (strcmp(argv[1], "silent") == 0)
        return _close(1) != 0 || _read(0, buffer, 1) != 0;
    if (strcmp(argv[1], "measure") == 0)
        return measures(GetStdHandle(STD_INPUT_HANDLE));
    if (strcmp(argv[1], "append") == 0) {
        HANDLE file = (HANDLE)(ULONG_PTR)strtoull(argv[2], NULL, 10);
        DWORD octets;

        return WriteFile(file, "child", 5, &octets, NULL) && octets == 5 ? 0 : (int)GetLastError();
    }
    if (strcmp(argv[1], "has-handle") == 0) {
        DWORD flags;

        return GetHandleInformation((HANDLE)(ULONG_PTR)strtoull(argv[2], NULL, 10), &flags) ? 1 + (int)flags : 0;
    }
    if (strcmp(argv[1], "variable") == 0)
        return say(getenv(VARIABLE) ? getenv(VARIABLE) : "none");
    if (strcmp(argv[1], "directory") == 0) {
        GetFullPathNameA("x", sizeof buffer, buffer, NULL);
        return say(buffer);
    }
    if (strcmp(argv[1], "arguments") == 0) {
        for (i = 2; i < argc; i++) {
            snprintf(buffer, sizeof buffer, "[%s]", argv[i]);
            say(buffer);
        }
        return 0;
    }
    return 99;
}

/* ---- starting them -------------------------------------------------------------------------------------- */

static PROCESS_INFORMATION started(const char *arguments, BOOL inherits, DWORD flags, void *environment,
                                   const char *directory, HANDLE input, HANDLE output)
{
    PROCESS_INFORMATION info;
    STARTUPINFOA startup;
    char line[1400];

    memset(&startup, 0, sizeof startup);
    startup.cb = sizeof startup;
    if (input || output) {
        startup.dwFlags = STARTF_USESTDHANDLES;
        startup.hStdInput = input;
        startup.hStdOutput = output;
        startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    }
    snprintf(line, sizeof line, "\"%s\" %s", self, arguments);
    memset(&info, 0, sizeof info);
    if (!CreateProcessA(NULL, line, NULL, NULL, inherits, flags, environment, directory, &startup, &info)) {
        printf("    CreateProcess %s: error %lu\n", line, (unsigned long)GetLastError());
        REQUIRE(0);
    }
    return info;
}

static PROCESS_INFORMATION start(const char *arguments)
{
    return started(arguments, FALSE, 0, NULL, NULL, NULL, NULL);
}

/* The exit code, when it has ended. */
static DWORD end_of(PROCESS_INFORMATION info)
{
    DWORD code = CHECK_UNSET;

    CHECK(is_set(info.hProcess, CHECK_WAIT_MS), "D CreateProcess: signaled by its end");
    CHECK(GetExitCodeProcess(info.hProcess, &code), "D GetExitCodeProcess");
    CHECK(CloseHandle(info.hThread), "D CloseHandle");
    CHECK(CloseHandle(info.hProcess), "D CloseHandle");
    return code;
}

static void inherited_pipe(HANDLE *reader, HANDLE *writer)
{
    SECURITY_ATTRIBUTES attributes;

    attributes.nLength = sizeof attributes;
    attributes.lpSecurityDescriptor = NULL;
    attributes.bInheritHandle = TRUE;
    REQUIRE(CreatePipe(reader, writer, &attributes, 0));
}

/* What a child writes, up to its end, and its exit code. */
static DWORD output_of(const char *arguments, DWORD flags, void *environment, const char *directory, char *text,
                       DWORD size)
{
    PROCESS_INFORMATION info;
    HANDLE reader, writer;
    DWORD octets, total = 0;

    inherited_pipe(&reader, &writer);
    SetHandleInformation(reader, HANDLE_FLAG_INHERIT, 0);
    info = started(arguments, TRUE, flags, environment, directory, NULL, writer);
    CloseHandle(writer);
    while (total + 1 < size && ReadFile(reader, text + total, size - 1 - total, &octets, NULL))
        total += octets;
    text[total] = 0;
    CloseHandle(reader);
    return end_of(info);
}

/* ---- the rows ------------------------------------------------------------------------------------------- */

#ifndef __MINGW32__
/* A shell's code is its own, whatever ends before it. */
static void end_of_a_shell(void)
{
    PROCESS_INFORMATION info;
    STARTUPINFOA startup;
    char line[1400];

    memset(&startup, 0, sizeof startup);
    startup.cb = sizeof startup;
    snprintf(line, sizeof line, "/bin/sh -c \"'%s' exit 256; exit 0\"", self);
    REQUIRE(CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info));
    CHECK_EQ(end_of(info), 0, "D GetExitCodeProcess: of the process");
}
#endif

static void ends(void)
{
    PROCESS_INFORMATION info, many[8];
    HANDLE handles[8];
    DWORD code = 0, i;

    CHECK_EQ(end_of(start("exit 0")), 0, "D GetExitCodeProcess");
    CHECK_EQ(end_of(start("exit 42")), 42, "D GetExitCodeProcess: what main returns");
    CHECK_EQ(end_of(start("exit-process 43")), 43, "D ExitProcess");
    CHECK_EQ(end_of(start("terminate 44")), 44, "D TerminateProcess");
    CHECK_EQ(end_of(start("exit-thread 45")), 45, "D Terminating a Process: with its last thread");
    CHECK_EQ(end_of(start("leave-a-thread")), 47, "D Terminating a Process: with its last thread");
#ifndef __MINGW32__
    CHECK_EQ(end_of(start("exit-process 256")), 256, "D ExitProcess: uExitCode, 32 bits");
    CHECK_EQ(end_of(start("terminate 512")), 512, "D TerminateProcess: uExitCode, 32 bits");
    CHECK_EQ(end_of(start("exit 70000")), 70000, "D GetExitCodeProcess: what main returned");
    CHECK_EQ(end_of(start("exit -1073741819")), 0xC0000005, "D GetExitCodeProcess: what main returned");
    CHECK_EQ(end_of(start("exit-process 0")), 0, "D ExitProcess");
    CHECK_EQ(end_of(start("exit-twice")), 0x101, "choice: the first of two ends the process");
    CHECK_EQ(end_of(start("exit-at-exit")), 0x303, "choice: as exit in a handler of exit");
    CHECK_EQ(end_of(start("exit-at-return")), 0x303, "choice: as exit in a handler of exit");
    end_of_a_shell();
#endif
    info = start("abort");
    CHECK_EQ(end_of(info), 3, "D abort: the exit code 3");
    info = start("sleep");
    CHECK_EQ(WaitForSingleObject(info.hProcess, 0), WAIT_TIMEOUT, "D CreateProcess");
    CHECK_EQ(WaitForSingleObject(info.hThread, 0), WAIT_TIMEOUT, "D CreateProcess");
    CHECK(GetExitCodeProcess(info.hProcess, &code) && code == STILL_ACTIVE, "D GetExitCodeProcess");
    CHECK(GetExitCodeThread(info.hThread, &code) && code == STILL_ACTIVE, "D GetExitCodeThread");
    CHECK_EQ(GetProcessId(info.hProcess), info.dwProcessId, "D GetProcessId");
    CHECK_EQ(GetThreadId(info.hThread), info.dwThreadId, "D GetThreadId");
    CHECK(TerminateProcess(info.hProcess, 0x12345678), "D TerminateProcess");
    CHECK(is_set(info.hThread, CHECK_WAIT_MS), "D TerminateProcess: its threads end");
    CHECK(is_set(info.hProcess, CHECK_WAIT_MS), "D TerminateProcess");
    CHECK(is_set(info.hProcess, 0), "D WaitForSingleObject: it stays signaled");
    REFUSED(TerminateProcess(info.hProcess, 1), ERROR_ACCESS_DENIED, "D TerminateProcess: it has ended");
    CHECK(GetExitCodeThread(info.hThread, &code) && code == 0x12345678, "D TerminateProcess: of its threads too");
    CHECK_EQ(end_of(info), 0x12345678, "D TerminateProcess: uExitCode, 32 bits");
    for (i = 0; i < 8; i++) {
        char arguments[32];

        snprintf(arguments, sizeof arguments, "exit %u", (unsigned)i);
        many[i] = start(arguments);
        handles[i] = many[i].hProcess;
    }
    CHECK_EQ(WaitForMultipleObjects(8, handles, TRUE, CHECK_WAIT_MS), WAIT_OBJECT_0, "D WaitForMultipleObjects");
    for (i = 0; i < 8; i++)
        CHECK_EQ(end_of(many[i]), i, "D GetExitCodeProcess");
}

static void unhandled(void)
{
    char text[64];

    CHECK_EQ(output_of("fault", 0, NULL, NULL, text, sizeof text), EXCEPTION_ACCESS_VIOLATION,
             "D SetUnhandledExceptionFilter: EXCEPTION_EXECUTE_HANDLER, the process ends");
    CHECK(strcmp(text, "filtered") == 0, "D SetUnhandledExceptionFilter: the second fault; the first was repaired");
    CHECK_EQ(output_of("fault-at-once", 0, NULL, NULL, text, sizeof text), 0,
             "D SetUnhandledExceptionFilter: of all threads; each is called in the thread that faults");
}

static void refusals(void)
{
    PROCESS_INFORMATION info;
    STARTUPINFOA startup;
    char none[] = "no-such-program-anywhere x", line[700];
    DWORD code;

    memset(&startup, 0, sizeof startup);
    startup.cb = sizeof startup;
    snprintf(line, sizeof line, "\"%s\" exit 0", self);
    REFUSED(CreateProcessA(NULL, none, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info), ERROR_FILE_NOT_FOUND,
            "D CreateProcess: searched for");
    REFUSED(CreateProcessA("no-such-program", NULL, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info),
            ERROR_FILE_NOT_FOUND, "D CreateProcess: not searched for");
    REFUSED(CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, "no-such-directory", &startup, &info),
            ERROR_DIRECTORY, "choice: the page names no error; Windows' for a directory that is none");
    REFUSED(CreateProcessA(NULL, line, NULL, NULL, FALSE, DETACHED_PROCESS | CREATE_NEW_CONSOLE, NULL, NULL, &startup,
                           &info), ERROR_INVALID_PARAMETER, "D Process creation flags: not together");
    REFUSED(OpenProcess(SYNCHRONIZE, FALSE, 0), ERROR_INVALID_PARAMETER, "D OpenProcess: the idle process");
    REFUSED(GetExitCodeProcess(NULL, &code), ERROR_INVALID_HANDLE, "D GetExitCodeProcess");
    REFUSED(TerminateProcess(NULL, 0), ERROR_INVALID_HANDLE, "D TerminateProcess");
    REFUSED(GetProcessId(NULL), ERROR_INVALID_HANDLE, "D GetProcessId");
#ifndef __MINGW32__
    REFUSED(CreateProcessA(NULL, NULL, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info), ERROR_INVALID_PARAMETER,
            "choice: no name at all");
    REFUSED(CreateProcessA("/etc/passwd", NULL, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info), ERROR_ACCESS_DENIED,
            "choice: a file that is no program");
    REFUSED(CreateProcessA(NULL, line, NULL, NULL, FALSE, DEBUG_PROCESS, NULL, NULL, &startup, &info),
            ERROR_NOT_SUPPORTED, "choice: no debugging");
    REFUSED(CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, NULL, &info), ERROR_NOACCESS,
            "choice: an error, and no crash");
    REFUSED(CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, NULL), ERROR_NOACCESS,
            "choice: an error, and no crash");
    REFUSED(CreateProcessA((LPCSTR)16, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info), ERROR_NOACCESS,
            "choice: an error, and no crash");
    REFUSED(CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, (LPVOID)16, NULL, &startup, &info), ERROR_NOACCESS,
            "choice: an error, and no crash");
#endif
}

static void lines(void)
{
    static const struct {
        const char *line, *expected;
    } rows[] = {
        { "\"abc\" d e", "[abc][d][e]" },
        { "a\\\\b d\"e f\"g h", "[a\\\\b][de fg][h]" },
        { "a\\\\\\\"b c d", "[a\\\"b][c][d]" },
        { "a\\\\\\\\\"b c\" d e", "[a\\\\b c][d][e]" },
        { "a\"b\"\" c d", "[ab\" c d]" },
        { "\"\"  x", "[][x]" },
    };
    char arguments[100], text[200];
    size_t i;

    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(arguments, sizeof arguments, "arguments %s", rows[i].line);
        CHECK_EQ(output_of(arguments, 0, NULL, NULL, text, sizeof text), 0, "setup");
        CHECK(strcmp(text, rows[i].expected) == 0, "D Parsing C command-line arguments: its table");
        if (strcmp(text, rows[i].expected) != 0)
            printf("    %s: got %s\n", rows[i].line, text);
    }
}

static void surroundings(void)
{
    char block[] = VARIABLE "=given\0OTHER=1\0";
    static WCHAR wide[] = u"" VARIABLE u"=\x20ac\0OTHER=1\0";
    char text[800], directory[600];
    char *slash;

    SetEnvironmentVariableA(VARIABLE, "own");
    CHECK_EQ(output_of("variable", 0, NULL, NULL, text, sizeof text), 0, "setup");
    CHECK(strcmp(text, "own") == 0, "D CreateProcess: NULL, the environment of this process");
    SetEnvironmentVariableA(VARIABLE, NULL);
    CHECK_EQ(output_of("variable", 0, NULL, NULL, text, sizeof text), 0, "setup");
    CHECK(strcmp(text, "none") == 0, "D SetEnvironmentVariable");
#ifndef __MINGW32__
    CHECK_EQ(output_of("variable", 0, block, NULL, text, sizeof text), 0, "setup");
    CHECK(strcmp(text, "given") == 0, "D CreateProcess: lpEnvironment");
    CHECK_EQ(output_of("variable", CREATE_UNICODE_ENVIRONMENT, wide, NULL, text, sizeof text), 0, "setup");
    CHECK(strcmp(text, "\xe2\x82\xac") == 0, "D CreateProcess: CREATE_UNICODE_ENVIRONMENT; choice: octets are UTF-8");
#else
    (void)block, (void)wide;
#endif
    strcpy(directory, self);
    slash = strrchr(directory, '/') ? strrchr(directory, '/') : strrchr(directory, '\\');
    REQUIRE(slash != NULL);
    *slash = 0;
    CHECK_EQ(output_of("directory", 0, NULL, directory, text, sizeof text), 0, "setup");
    CHECK(strncmp(text, directory, strlen(directory)) == 0 && strlen(text) == strlen(directory) + 2,
          "D CreateProcess: lpCurrentDirectory");
}

static void wide_and_named(void)
{
    WCHAR program[600], line[] = u"name arguments \x20ac \"b c\"";
    PROCESS_INFORMATION info;
    STARTUPINFOW startup;
    HANDLE reader, writer;
    char text[64] = "";
    DWORD octets = 0, total = 0;

    CHECK(GetModuleFileNameW(NULL, program, 600) > 0, "D GetModuleFileName");
    memset(&startup, 0, sizeof startup);
    inherited_pipe(&reader, &writer);
    startup.cb = sizeof startup;
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdOutput = writer;
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    REQUIRE(CreateProcessW(program, line, NULL, NULL, TRUE, CREATE_NO_WINDOW, NULL, NULL, &startup, &info));
    CloseHandle(writer);
    while (total + 1 < sizeof text && ReadFile(reader, text + total, sizeof text - 1 - total, &octets, NULL))
        total += octets;
    CloseHandle(reader);
    CHECK_EQ(end_of(info), 0, "D CreateProcess: lpApplicationName is the program, whatever the line begins with");
#ifndef __MINGW32__
    CHECK(strcmp(text, "[\xe2\x82\xac][b c]") == 0, "choice: octets are UTF-8");
#endif
}

static void streams(void)
{
    HANDLE to_child, from_parent, from_child, to_parent, kept;
    PROCESS_INFORMATION info;
    char text[16] = "", line[64];
    DWORD octets = 0;

    inherited_pipe(&from_parent, &to_child);
    inherited_pipe(&from_child, &to_parent);
    SetHandleInformation(to_child, HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(from_child, HANDLE_FLAG_INHERIT, 0);
    info = started("copy", TRUE, 0, NULL, NULL, from_parent, to_parent);
    CloseHandle(from_parent);
    CloseHandle(to_parent);
    CHECK(WriteFile(to_child, "hello", 5, &octets, NULL), "D Creating a child process with redirected streams");
    CHECK(ReadFile(from_child, text, sizeof text, &octets, NULL) && octets == 5 && memcmp(text, "hello", 5) == 0,
          "D Creating a child process with redirected streams");
    CHECK_EQ(WaitForSingleObject(info.hProcess, 0), WAIT_TIMEOUT, "setup: it waits for more");
    CloseHandle(to_child);
    REFUSED(ReadFile(from_child, text, sizeof text, &octets, NULL), ERROR_BROKEN_PIPE,
            "D Pipe: the child has closed the other end");
    CHECK_EQ(end_of(info), 0, "D ReadFile: the child sees the end too");
    CloseHandle(from_child);
#ifndef __MINGW32__
    /* One that closes its output and goes on. */
    inherited_pipe(&from_parent, &to_child);
    inherited_pipe(&from_child, &to_parent);
    SetHandleInformation(to_child, HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(from_child, HANDLE_FLAG_INHERIT, 0);
    info = started("silent", TRUE, 0, NULL, NULL, from_parent, to_parent);
    CloseHandle(from_parent);
    CloseHandle(to_parent);
    REFUSED(ReadFile(from_child, text, sizeof text, &octets, NULL), ERROR_BROKEN_PIPE,
            "D Handle inheritance: the stream is the handle, and no second one");
    CHECK_EQ(WaitForSingleObject(info.hProcess, 0), WAIT_TIMEOUT, "setup: it goes on");
    CloseHandle(to_child);
    CHECK_EQ(end_of(info), 0, "setup");
    CloseHandle(from_child);
#endif
    /* The stream's handle has the value that it has here. */
    inherited_pipe(&from_child, &to_parent);
    snprintf(line, sizeof line, "same-output %llu", (unsigned long long)(ULONG_PTR)to_parent);
    info = started(line, TRUE, 0, NULL, NULL, NULL, to_parent);
    CloseHandle(to_parent);
    CHECK_EQ(end_of(info), 0, "D Handle inheritance: the same value");
    CHECK(ReadFile(from_child, text, sizeof text, &octets, NULL) && octets == 2 && memcmp(text, "ab", 2) == 0,
          "D Handle inheritance: the same object");
    CloseHandle(from_child);
    /* Without the flag: those that SetStdHandle set. */
    inherited_pipe(&from_child, &to_parent);
    SetHandleInformation(from_child, HANDLE_FLAG_INHERIT, 0);
    kept = GetStdHandle(STD_OUTPUT_HANDLE);
    SetStdHandle(STD_OUTPUT_HANDLE, to_parent);
    info = started("arguments x", TRUE, 0, NULL, NULL, NULL, NULL);
    SetStdHandle(STD_OUTPUT_HANDLE, kept);
    CloseHandle(to_parent);
    CHECK(ReadFile(from_child, text, sizeof text, &octets, NULL) && octets == 3 && memcmp(text, "[x]", 3) == 0,
          "D Creating a child process with redirected streams: SetStdHandle");
    CHECK_EQ(end_of(info), 0, "setup");
    CloseHandle(from_child);
}

static void handles(void)
{
    HANDLE to_child, from_parent, from_child, to_parent;
    PROCESS_INFORMATION info;
    char arguments[100], text[16] = "";
    DWORD octets = 0;

    inherited_pipe(&from_parent, &to_child);
    inherited_pipe(&from_child, &to_parent);
    SetHandleInformation(to_child, HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(from_child, HANDLE_FLAG_INHERIT, 0);
    snprintf(arguments, sizeof arguments, "copy-handles %llu %llu", (unsigned long long)(ULONG_PTR)from_parent,
             (unsigned long long)(ULONG_PTR)to_parent);
    info = started(arguments, TRUE, 0, NULL, NULL, NULL, NULL);
    CloseHandle(from_parent);
    CloseHandle(to_parent);
    CHECK(WriteFile(to_child, "values", 6, &octets, NULL), "D Handle inheritance: the same value");
    CloseHandle(to_child);
    CHECK(ReadFile(from_child, text, sizeof text, &octets, NULL) && octets == 6 && memcmp(text, "values", 6) == 0,
          "D Handle inheritance: the same value");
    CHECK_EQ(end_of(info), 0, "D Handle inheritance: others are not there, so the end is seen");
    CloseHandle(from_child);

    inherited_pipe(&from_child, &to_parent);
    snprintf(arguments, sizeof arguments, "has-handle %llu", (unsigned long long)(ULONG_PTR)to_parent);
    info = started(arguments, TRUE, 0, NULL, NULL, NULL, NULL);
    CHECK_EQ(end_of(info), 2, "D Handle inheritance: it is inherited again");
#ifndef __MINGW32__
    info = started(arguments, FALSE, 0, NULL, NULL, NULL, NULL);
    CHECK_EQ(end_of(info), 0, "D CreateProcess: bInheritHandles");
    SetHandleInformation(to_parent, HANDLE_FLAG_INHERIT, 0);
    info = started(arguments, TRUE, 0, NULL, NULL, NULL, NULL);
    CHECK_EQ(end_of(info), 0, "D SetHandleInformation: HANDLE_FLAG_INHERIT");
#endif
    CloseHandle(from_child);
    CloseHandle(to_parent);
}

static void files(void)
{
    static const char name[] = "process-test.tmp";
    SECURITY_ATTRIBUTES attributes;
    PROCESS_INFORMATION info;
    char arguments[100], text[32] = "";
    DWORD octets = 0;
    HANDLE file;

    attributes.nLength = sizeof attributes;
    attributes.lpSecurityDescriptor = NULL;
    attributes.bInheritHandle = TRUE;
    file = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, &attributes,
                       CREATE_ALWAYS, 0, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK(WriteFile(file, "parent-", 7, &octets, NULL), "D WriteFile");
    CHECK_EQ(end_of(started("measure", TRUE, 0, NULL, NULL, file, GetStdHandle(STD_OUTPUT_HANDLE))), 0,
             "D GetFileSize, SetFilePointer: a handle of a file, also as a standard stream");
    CHECK_EQ(SetFilePointer(file, 7, NULL, FILE_BEGIN), 7, "setup");
    snprintf(arguments, sizeof arguments, "append %llu", (unsigned long long)(ULONG_PTR)file);
    info = started(arguments, TRUE, 0, NULL, NULL, NULL, NULL);
    CHECK_EQ(end_of(info), 0, "D Handle inheritance: a file");
    CHECK_EQ(SetFilePointer(file, 12, NULL, FILE_BEGIN), 12, "D SetFilePointer");
    info = started("arguments as-output", TRUE, 0, NULL, NULL, NULL, file);
    CHECK_EQ(end_of(info), 0, "setup");
    CHECK_EQ(SetFilePointer(file, 0, NULL, FILE_BEGIN), 0, "D SetFilePointer");
    CHECK(ReadFile(file, text, sizeof text, &octets, NULL), "D ReadFile");
    CHECK(octets == 23 && memcmp(text, "parent-child[as-output]", 23) == 0, "D Handle inheritance: where it is positioned");
    CloseHandle(file);
    DeleteFileA(name);
}

static void suspended(void)
{
    PROCESS_INFORMATION info = started("exit 5", FALSE, CREATE_SUSPENDED, NULL, NULL, NULL, NULL), second;

    second = started("exit 6", FALSE, CREATE_SUSPENDED, NULL, NULL, NULL, NULL);
    CHECK_EQ(WaitForSingleObject(info.hProcess, CHECK_QUIET_MS), WAIT_TIMEOUT, "D CREATE_SUSPENDED");
    CHECK_EQ(ResumeThread(info.hThread), 1, "D ResumeThread: the count before");
    CHECK_EQ(end_of(info), 5, "D ResumeThread: it runs");
    CHECK(TerminateProcess(second.hProcess, 0x87654321), "D TerminateProcess: of one that has not begun");
    CHECK_EQ(end_of(second), 0x87654321, "D TerminateProcess");
    info = started("sleep", FALSE, CREATE_SUSPENDED | CREATE_NEW_PROCESS_GROUP, NULL, NULL, NULL, NULL);
    CHECK_EQ(ResumeThread(info.hThread), 1, "D ResumeThread");
    CHECK_EQ(ResumeThread(info.hThread), 0, "D ResumeThread: it was not suspended");
    CHECK(TerminateProcess(info.hProcess, 1), "D TerminateProcess");
    CHECK_EQ(end_of(info), 1, "D TerminateProcess");
}

/* What it does not inherit is not there while it waits. */
static void suspended_and_pipes(void)
{
    HANDLE reader, writer, from_child, to_parent;
    PROCESS_INFORMATION info;
    DWORD available = 0, octets = 0;
    char text[16] = "";

    REQUIRE(CreatePipe(&reader, &writer, NULL, 0));
    inherited_pipe(&from_child, &to_parent);
    SetHandleInformation(from_child, HANDLE_FLAG_INHERIT, 0);
    info = started("arguments x", TRUE, CREATE_SUSPENDED, NULL, NULL, NULL, to_parent);
    CloseHandle(writer);
    CloseHandle(to_parent);
    REFUSED(PeekNamedPipe(reader, NULL, 0, NULL, &available, NULL), ERROR_BROKEN_PIPE,
            "D Handle inheritance: of a process that was created suspended");
    CHECK(PeekNamedPipe(from_child, NULL, 0, NULL, &available, NULL), "D Handle inheritance: it has this one");
    CHECK_EQ(ResumeThread(info.hThread), 1, "D ResumeThread");
    CHECK(ReadFile(from_child, text, sizeof text, &octets, NULL) && octets == 3 && memcmp(text, "[x]", 3) == 0,
          "D CreateProcess: its standard streams");
    CHECK_EQ(end_of(info), 0, "setup");
    CloseHandle(from_child);
    CloseHandle(reader);
}

static void by_number(void)
{
    PROCESS_INFORMATION info = start("sleep");
    HANDLE waits = OpenProcess(SYNCHRONIZE, FALSE, info.dwProcessId), own, second, later;
    HANDLE all = OpenProcess(PROCESS_TERMINATE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, info.dwProcessId);
    DWORD code = 0;

    CHECK(waits != NULL && all != NULL, "D OpenProcess");
    REFUSED(TerminateProcess(waits, 1), ERROR_ACCESS_DENIED, "D TerminateProcess: PROCESS_TERMINATE");
    REFUSED(GetExitCodeProcess(waits, &code), ERROR_ACCESS_DENIED, "D GetExitCodeProcess: PROCESS_QUERY_LIMITED_INFORMATION");
    CHECK(GetExitCodeProcess(all, &code) && code == STILL_ACTIVE, "D OpenProcess");
    CHECK_EQ(GetProcessId(all), info.dwProcessId, "D GetProcessId");
    CHECK(DuplicateHandle(GetCurrentProcess(), all, GetCurrentProcess(), &second, 0, FALSE, DUPLICATE_SAME_ACCESS),
          "D DuplicateHandle: a process");
    CHECK(TerminateProcess(second, 7), "D TerminateProcess");
    CHECK(is_set(waits, CHECK_WAIT_MS), "D OpenProcess: SYNCHRONIZE");
    CHECK(GetExitCodeProcess(all, &code) && code == 7, "D GetExitCodeProcess");
    later = OpenProcess(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, info.dwProcessId);
    CHECK(later != NULL, "D PROCESS_INFORMATION: dwProcessId is valid until all handles are closed");
    CHECK(is_set(later, 0) && GetExitCodeProcess(later, &code) && code == 7, "D PROCESS_INFORMATION: dwProcessId");
    CHECK(CloseHandle(later), "D CloseHandle");
    CHECK_EQ(end_of(info), 7, "D GetExitCodeProcess");
    CHECK(CloseHandle(waits) && CloseHandle(all) && CloseHandle(second), "D CloseHandle");
    CHECK_EQ(GetProcessId(GetCurrentProcess()), GetCurrentProcessId(), "D GetProcessId");
    CHECK(GetExitCodeProcess(GetCurrentProcess(), &code) && code == STILL_ACTIVE, "D GetExitCodeProcess");
    own = OpenProcess(PROCESS_ALL_ACCESS, FALSE, GetCurrentProcessId());
    CHECK(own != NULL && GetProcessId(own) == GetCurrentProcessId(), "D OpenProcess");
    CHECK_EQ(WaitForSingleObject(own, 0), WAIT_TIMEOUT, "D OpenProcess: it has not ended");
    CloseHandle(own);
}

#ifndef __MINGW32__
static DWORD WINAPI waits_for(void *process)
{
    return WaitForSingleObject((HANDLE)process, CHECK_WAIT_MS / 2);
}

/* A debugger hears of the end first, and keeps it to itself for a while. */
static void debugged(void)
{
    PROCESS_INFORMATION info = started("exit 6", FALSE, CREATE_SUSPENDED, NULL, NULL, NULL, NULL);
    pid_t debugger, id = (pid_t)info.dwProcessId;
    ULONGLONG begin = GetTickCount64();
    int told[2], go[2];
    HANDLE waiter;
    DWORD waited = CHECK_UNSET;
    char step = 0;

    REQUIRE(pipe(told) == 0 && pipe(go) == 0);
    debugger = fork();
    if (debugger == 0) {
        siginfo_t end;

        step = ptrace(PTRACE_SEIZE, id, NULL, NULL) == 0 ? 's' : 'n';
        if (write(told[1], &step, 1) != 1 || step == 'n')
            _exit(0);
        waitid(P_PID, (id_t)id, &end, WEXITED | WNOWAIT);
        if (write(told[1], "e", 1) != 1 || read(go[0], &step, 1) != 1)
            _exit(1);
        waitpid(id, NULL, 0);
        _exit(0);
    }
    REQUIRE(debugger > 0 && read(told[0], &step, 1) == 1);
    waiter = CreateThread(NULL, 0, waits_for, info.hProcess, 0, NULL);
    REQUIRE(waiter != NULL);
    ResumeThread(info.hThread);
    if (step == 's') { /* otherwise nobody may be debugged here */
        REQUIRE(read(told[0], &step, 1) == 1 && step == 'e');
        CHECK_EQ(WaitForSingleObject(waiter, CHECK_QUIET_MS), WAIT_TIMEOUT, "setup: the debugger has it");
        REQUIRE(write(go[1], "g", 1) == 1);
    }
    CHECK(is_set(waiter, CHECK_WAIT_MS) && GetExitCodeThread(waiter, &waited) && waited == WAIT_OBJECT_0,
          "D WaitForSingleObject: a process that was debugged");
    CHECK(GetTickCount64() - begin < CHECK_WAIT_MS / 2, "D WaitForSingleObject: when it has ended");
    CHECK_EQ(end_of(info), 6, "D GetExitCodeProcess");
    waitpid(debugger, NULL, 0);
    close(told[0]), close(told[1]), close(go[0]), close(go[1]);
    CloseHandle(waiter);
}

/* The program's own children, and what becomes of ours when nobody has a handle of them any more. */
static void families(void)
{
    PROCESS_INFORMATION info;
    HANDLE other;
    DWORD code = CHECK_UNSET;
    pid_t own = fork(), left;
    int status = 0, fds[2];

    if (own == 0) {
        execl("/bin/sh", "sh", "-c", "exit 9", (char *)NULL);
        _exit(1);
    }
    REQUIRE(own > 0);
    CHECK_EQ(end_of(start("exit 1")), 1, "setup");
    CHECK(waitpid(own, &status, 0) == own && status == 9 << 8, "choice: the program's own children are its own");
    info = start("exit 0");
    left = (pid_t)info.dwProcessId;
    CloseHandle(info.hThread);
    CHECK(is_set(info.hProcess, CHECK_WAIT_MS), "setup");
    CloseHandle(info.hProcess);
    CHECK_EQ(waitpid(left, &status, WNOHANG), -1, "choice: no child is left behind");
    CHECK(OpenProcess(SYNCHRONIZE, FALSE, info.dwProcessId) == NULL, "D OpenProcess: no such process");
    REQUIRE(pipe(fds) == 0);
    own = fork();
    if (own == 0) {
        close(fds[1]);
        dup2(fds[0], 0);
        execl("/bin/sh", "sh", "-c", "read line; exit 8", (char *)NULL);
        _exit(1);
    }
    REQUIRE(own > 0);
    other = OpenProcess(SYNCHRONIZE | PROCESS_QUERY_INFORMATION, FALSE, (DWORD)own);
    if (other == NULL)
        CHECK_EQ(GetLastError(), ERROR_NOT_SUPPORTED, "choice: the kernel has no descriptors of processes (before Linux 5.3)");
    else
        CHECK_EQ(WaitForSingleObject(other, 0), WAIT_TIMEOUT, "D OpenProcess");
    close(fds[1]);
    close(fds[0]);
    if (other != NULL)
        CHECK(is_set(other, CHECK_WAIT_MS), "D OpenProcess");
    CHECK(waitpid(own, &status, 0) == own && status == 8 << 8, "choice: the program's own children are its own");
    if (other != NULL && GetExitCodeProcess(other, &code))
        CHECK_EQ(code, 8, "D GetExitCodeProcess");
    else if (other != NULL)
        CHECK_EQ(GetLastError(), ERROR_NOT_SUPPORTED, "choice: the kernel does not tell (before Linux 6.15)");
    if (other != NULL)
        CloseHandle(other);
    info = start("sleep");
    kill((pid_t)info.dwProcessId, SIGSEGV);
    CHECK_EQ(end_of(info), 0xC0000005, "choice: the exception's code");
    SetEnvironmentVariableA("LINSOCK_INHERITED_HANDLES", "1:2:3,4:9:1:1:stream,,x");
    CHECK_EQ(end_of(start("exit 4")), 4, "choice: nonsense is not believed");
    SetEnvironmentVariableA("LINSOCK_INHERITED_HANDLES", NULL);
}
#endif

static DWORD WINAPI starts_some(void *unused)
{
    DWORD i, wrong = 0;

    (void)unused;
    for (i = 0; i < 10; i++) {
        char arguments[32], text[64];
        PROCESS_INFORMATION info;

        snprintf(arguments, sizeof arguments, "exit %u", (unsigned)i);
        info = start(arguments);
        wrong += end_of(info) != i;
        wrong += output_of("arguments x y", 0, NULL, NULL, text, sizeof text) != 0 || strcmp(text, "[x][y]") != 0;
    }
    return wrong;
}

static void at_once(void)
{
    HANDLE threads[4];
    DWORD i, wrong;

    for (i = 0; i < 4; i++) {
        threads[i] = CreateThread(NULL, 0, starts_some, NULL, 0, NULL);
        REQUIRE(threads[i] != NULL);
    }
    for (i = 0; i < 4; i++) {
        CHECK(is_set(threads[i], 4 * CHECK_WAIT_MS), "D CreateProcess: by several threads");
        CHECK(GetExitCodeThread(threads[i], &wrong) && wrong == 0, "D CreateProcess: by several threads");
        CloseHandle(threads[i]);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return child(argc, argv);
    check_begin("process");
    REQUIRE(GetModuleFileNameA(NULL, self, sizeof self) > 0);
    ends();
    unhandled();
    refusals();
    lines();
    surroundings();
    wide_and_named();
    streams();
    handles();
    files();
    suspended();
    suspended_and_pipes();
    by_number();
#ifndef __MINGW32__
    debugged();
    families();
#endif
    at_once();
    return check_end();
}

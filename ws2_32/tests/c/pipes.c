/*
 * pipes.c - anonymous pipes and the standard streams: read, written, looked into, duplicated; what is no terminal is no
 * console.
 */
#include "check.h"
#include <fcntl.h>
#include <io.h>
#ifndef __MINGW32__
#include <signal.h>
#endif

#define REFUSED(call, error, source) do { \
        SetLastError(CHECK_UNSET); \
        CHECK(!(call), source); \
        CHECK_EQ(GetLastError(), error, source); \
    } while (0)

static void make(HANDLE *reader, HANDLE *writer)
{
    REQUIRE(CreatePipe(reader, writer, NULL, 0));
}

static void close_pair(HANDLE a, HANDLE b)
{
    CHECK(CloseHandle(a), "D CloseHandle");
    CHECK(CloseHandle(b), "D CloseHandle");
}

static void transfers(void)
{
    HANDLE reader, writer;
    char buffer[16] = "";
    DWORD octets = 77;

    make(&reader, &writer);
    CHECK_EQ(GetFileType(reader), FILE_TYPE_PIPE, "D GetFileType: an anonymous pipe");
    CHECK(WriteFile(writer, "hello", 5, &octets, NULL), "D WriteFile");
    CHECK_EQ(octets, 5, "D WriteFile");
    CHECK(ReadFile(reader, buffer, 3, &octets, NULL), "D ReadFile");
    CHECK_EQ(octets, 3, "D ReadFile");
    CHECK(ReadFile(reader, buffer + 3, sizeof buffer - 3, &octets, NULL), "D ReadFile: what is there");
    CHECK_EQ(octets, 2, "D ReadFile: what is there");
    CHECK(memcmp(buffer, "hello", 5) == 0, "D ReadFile");
    CHECK(FlushFileBuffers(writer), "D FlushFileBuffers: everything has been read");
    REFUSED(FlushFileBuffers(reader), ERROR_ACCESS_DENIED, "D FlushFileBuffers: GENERIC_WRITE");
    REFUSED(WriteFile(reader, "x", 1, &octets, NULL), ERROR_ACCESS_DENIED, "D CreatePipe: the read handle");
    REFUSED(ReadFile(writer, buffer, 1, &octets, NULL), ERROR_ACCESS_DENIED, "D CreatePipe: the write handle");
    CHECK(WriteFile(writer, "last", 4, &octets, NULL), "D WriteFile");
    CHECK(CloseHandle(writer), "D CloseHandle");
    CHECK(ReadFile(reader, buffer, sizeof buffer, &octets, NULL), "D Pipe: what was written stays");
    CHECK_EQ(octets, 4, "D Pipe: what was written stays");
    REFUSED(ReadFile(reader, buffer, sizeof buffer, &octets, NULL), ERROR_BROKEN_PIPE,
            "D ReadFile: the write handle is closed");
    CHECK_EQ(octets, 0, "D ReadFile: the write handle is closed");
    CHECK(CloseHandle(reader), "D CloseHandle");
    REFUSED(ReadFile(reader, buffer, 1, &octets, NULL), ERROR_INVALID_HANDLE, "D ReadFile");
}

#ifndef __MINGW32__
static volatile sig_atomic_t signals;

static void on_signal(int number)
{
    (void)number;
    signals++;
}
#endif

static void nobody_reads(void)
{
    HANDLE reader, writer;
    DWORD octets = 77;

#ifndef __MINGW32__
    signal(SIGPIPE, on_signal);
#endif
    make(&reader, &writer);
    CHECK(CloseHandle(reader), "D CloseHandle");
    SetLastError(CHECK_UNSET);
    CHECK(!WriteFile(writer, "x", 1, &octets, NULL), "D WriteFile: the read handle is closed");
    CHECK(GetLastError() == ERROR_BROKEN_PIPE || GetLastError() == ERROR_NO_DATA,
          "D WriteFile: ERROR_BROKEN_PIPE; Windows says ERROR_NO_DATA");
    CHECK_EQ(octets, 0, "D WriteFile");
#ifndef __MINGW32__
    CHECK_EQ(signals, 0, "choice: an error, and no signal");
    raise(SIGPIPE);
    CHECK_EQ(signals, 1, "choice: the program's own signals are its own");
    signal(SIGPIPE, SIG_DFL);
#endif
    CHECK(CloseHandle(writer), "D CloseHandle");
}

static void with_overlapped(void)
{
    HANDLE reader, writer, event = new_event();
    OVERLAPPED ov;
    char buffer[8];
    DWORD octets = 77;

    make(&reader, &writer);
    ov_init(&ov, event);
    CHECK(WriteFile(writer, "abc", 3, NULL, &ov), "D Anonymous pipe operations: no overlapped ones, so it is over");
    CHECK(is_set(event, 0), "D WriteFile: the event");
    ov_init(&ov, event);
    ResetEvent(event);
    CHECK(ReadFile(reader, buffer, sizeof buffer, NULL, &ov), "D Anonymous pipe operations");
    CHECK(GetOverlappedResult(reader, &ov, &octets, FALSE) && octets == 3, "D GetOverlappedResult");
    CHECK(CreateIoCompletionPort(reader, NULL, 0, 0) == NULL, "D CreateIoCompletionPort: opened for overlapped I/O");
    close_pair(reader, writer);
    CloseHandle(event);
}

static void looks(void)
{
    HANDLE reader, writer, event = new_event();
    char buffer[16] = "";
    DWORD read = 77, available = 77, left = 77, octets;

    make(&reader, &writer);
    CHECK(PeekNamedPipe(reader, NULL, 0, NULL, &available, NULL), "D PeekNamedPipe");
    CHECK_EQ(available, 0, "D PeekNamedPipe: empty");
    CHECK(WriteFile(writer, "hello", 5, &octets, NULL), "D WriteFile");
    CHECK(PeekNamedPipe(reader, buffer, 3, &read, &available, &left), "D PeekNamedPipe");
    CHECK(read == 3 && memcmp(buffer, "hel", 4) == 0, "D PeekNamedPipe: as many as there is room for");
    CHECK_EQ(available, 5, "D PeekNamedPipe: all that can be read");
    CHECK_EQ(left, 0, "D PeekNamedPipe: zero for byte-type pipes");
    CHECK(CloseHandle(writer), "D CloseHandle");
    CHECK(PeekNamedPipe(reader, buffer, sizeof buffer, &read, NULL, NULL) && read == 5, "D Pipe: what was written stays");
    CHECK(ReadFile(reader, buffer, sizeof buffer, &octets, NULL) && octets == 5, "D PeekNamedPipe: nothing is taken");
    REFUSED(PeekNamedPipe(reader, NULL, 0, NULL, &available, NULL), ERROR_BROKEN_PIPE, "D Pipe: the other end is closed");
    CHECK(CloseHandle(reader), "D CloseHandle");
    REFUSED(PeekNamedPipe(event, NULL, 0, NULL, &available, NULL), ERROR_INVALID_HANDLE, "choice: no file at all");
    CloseHandle(event);
#ifndef __MINGW32__
    make(&reader, &writer);
    REFUSED(PeekNamedPipe(writer, NULL, 0, NULL, &available, NULL), ERROR_ACCESS_DENIED, "D PeekNamedPipe: GENERIC_READ");
    REFUSED(PeekNamedPipe(reader, (LPVOID)16, 4, NULL, NULL, NULL), ERROR_NOACCESS, "choice: an error, and no crash");
    REFUSED(CreatePipe(&reader, (PHANDLE)16, NULL, 0), ERROR_NOACCESS, "choice: an error, and no crash");
    REFUSED(ReadFile(reader, (LPVOID)16, 4, &octets, NULL), ERROR_NOACCESS, "choice: an error, and no crash");
    close_pair(reader, writer);
#endif
}

/* More than a pipe holds that nobody has asked for more. */
static void looks_far(void)
{
    enum { SIZE = 300000, MUCH = 200000 };
    char *from = (char *)malloc(MUCH), *to = (char *)calloc(1, MUCH);
    DWORD read = 0, available = 0, octets = 0;
    HANDLE reader, writer;

    REQUIRE(from != NULL && to != NULL && CreatePipe(&reader, &writer, NULL, SIZE));
    memset(from, 'x', MUCH);
    CHECK(WriteFile(writer, from, MUCH, &octets, NULL), "D CreatePipe: nSize");
    CHECK(PeekNamedPipe(reader, to, MUCH, &read, &available, NULL), "D PeekNamedPipe");
    CHECK_EQ(available, MUCH, "D PeekNamedPipe: all that can be read");
    CHECK_EQ(read, MUCH, "D PeekNamedPipe: as many as there is room for");
    CHECK(memcmp(from, to, MUCH) == 0, "D PeekNamedPipe");
    close_pair(reader, writer);
    free(from);
    free(to);
}

#define LARGE 1000000

static DWORD WINAPI write_large(void *writer)
{
    char *data = (char *)malloc(LARGE);
    DWORD i, octets = 0;

    for (i = 0; i < LARGE; i++)
        data[i] = (char)(i % 251);
    WriteFile(writer, data, LARGE, &octets, NULL);
    free(data);
    CloseHandle(writer);
    return octets;
}

static void waits(void)
{
    HANDLE reader, writer, thread;
    char buffer[5000];
    DWORD octets, total = 0, i, code = 0, wrong = 0;

    make(&reader, &writer);
    thread = CreateThread(NULL, 0, write_large, writer, 0, NULL);
    REQUIRE(thread != NULL);
    while (ReadFile(reader, buffer, sizeof buffer, &octets, NULL)) {
        for (i = 0; i < octets; i++)
            wrong += buffer[i] != (char)((total + i) % 251);
        total += octets;
    }
    CHECK_EQ(GetLastError(), ERROR_BROKEN_PIPE, "D ReadFile: the write handle is closed");
    CHECK_EQ(total, LARGE, "D WriteFile: returns when everything is written");
    CHECK_EQ(wrong, 0, "D ReadFile");
    CHECK(is_set(thread, CHECK_WAIT_MS) && GetExitCodeThread(thread, &code) && code == LARGE, "D WriteFile");
    CloseHandle(thread);
    CloseHandle(reader);
}

static void duplicates(void)
{
    HANDLE reader, writer, second;
    SECURITY_ATTRIBUTES inherited;
    DWORD octets = 0, flags = 77;
    char buffer[8];

    make(&reader, &writer);
    CHECK(GetHandleInformation(writer, &flags) && flags == 0, "D CreatePipe: without attributes it is not inherited");
    CHECK(DuplicateHandle(GetCurrentProcess(), writer, GetCurrentProcess(), &second, 0, TRUE, DUPLICATE_SAME_ACCESS),
          "D DuplicateHandle");
    CHECK(GetHandleInformation(second, &flags) && flags == HANDLE_FLAG_INHERIT, "D DuplicateHandle: bInheritHandle");
    CHECK(GetHandleInformation(writer, &flags) && flags == 0, "D SetHandleInformation: of the handle, not of the object");
    CHECK(SetHandleInformation(second, HANDLE_FLAG_INHERIT, 0), "D SetHandleInformation");
    CHECK(GetHandleInformation(second, &flags) && flags == 0, "D SetHandleInformation");
    CHECK(CloseHandle(writer), "D CloseHandle");
    CHECK(WriteFile(second, "x", 1, &octets, NULL), "D DuplicateHandle: the same object");
    CHECK(ReadFile(reader, buffer, sizeof buffer, &octets, NULL) && octets == 1, "D DuplicateHandle: the same object");
    CHECK(CloseHandle(second), "D CloseHandle");
    REFUSED(ReadFile(reader, buffer, sizeof buffer, &octets, NULL), ERROR_BROKEN_PIPE, "D Pipe: the last handle is closed");
    CloseHandle(reader);
    inherited.nLength = sizeof inherited;
    inherited.lpSecurityDescriptor = NULL;
    inherited.bInheritHandle = TRUE;
    REQUIRE(CreatePipe(&reader, &writer, &inherited, 4096));
    CHECK(GetHandleInformation(reader, &flags) && flags == HANDLE_FLAG_INHERIT, "D CreatePipe: bInheritHandle");
    CHECK(GetHandleInformation(writer, &flags) && flags == HANDLE_FLAG_INHERIT, "D CreatePipe: bInheritHandle");
    close_pair(reader, writer);
}

/* WSACleanup ends the sockets, and nothing else. */
static void beyond_winsock(void)
{
    HANDLE reader, writer;
    DWORD octets = 0;
    WSADATA data;

    make(&reader, &writer);
    CHECK_EQ(WSACleanup(), 0, "D WSACleanup");
    CHECK(WriteFile(writer, "x", 1, &octets, NULL), "D WSACleanup: of sockets");
    CHECK(GetStdHandle(STD_OUTPUT_HANDLE) == GetStdHandle(STD_OUTPUT_HANDLE), "D GetStdHandle");
    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), &data), 0, "setup");
    close_pair(reader, writer);
}

static void numbers(void)
{
    HANDLE reader, writer;
    char buffer[8];
    DWORD octets = 0;
    int fd, fds[2];

    make(&reader, &writer);
    fd = _open_osfhandle((intptr_t)writer, 0);
    CHECK(fd >= 0, "D _open_osfhandle");
    CHECK_EQ(_write(fd, "abc", 3), 3, "D _open_osfhandle");
    CHECK(ReadFile(reader, buffer, sizeof buffer, &octets, NULL) && octets == 3, "D _open_osfhandle");
    CHECK_EQ(_close(fd), 0, "D _open_osfhandle: closing the number closes the handle");
    REFUSED(ReadFile(reader, buffer, sizeof buffer, &octets, NULL), ERROR_BROKEN_PIPE, "D _open_osfhandle");
    CloseHandle(reader);
    make(&reader, &writer);
    fd = _open_osfhandle((intptr_t)reader, 0);
    reader = (HANDLE)_get_osfhandle(fd);
    CHECK(GetFileType(reader) == FILE_TYPE_PIPE, "D _get_osfhandle");
    CHECK((HANDLE)_get_osfhandle(fd) == reader, "D _get_osfhandle");
    CHECK(WriteFile(writer, "de", 2, &octets, NULL), "D WriteFile");
    CHECK(ReadFile(reader, buffer, sizeof buffer, &octets, NULL) && octets == 2, "D _get_osfhandle");
    CHECK_EQ(_close(fd), 0, "D _close");
    CloseHandle(writer);
    CHECK_EQ(_pipe(fds, 4096, _O_BINARY | _O_NOINHERIT), 0, "D _pipe");
    CHECK_EQ(_write(fds[1], "fg", 2), 2, "D _pipe: the second is written");
    CHECK_EQ(_read(fds[0], buffer, sizeof buffer), 2, "D _pipe: the first is read");
    CHECK(GetFileType((HANDLE)_get_osfhandle(fds[0])) == FILE_TYPE_PIPE, "D _get_osfhandle");
    CHECK(_close(fds[0]) == 0 && _close(fds[1]) == 0, "D _close");
}

static void streams(void)
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    HANDLE nul, reader, writer, before = GetStdHandle(STD_ERROR_HANDLE);
    DWORD octets = 77, mode;
    char buffer[8];

    CHECK(before != INVALID_HANDLE_VALUE, "D GetStdHandle");
    CHECK_CALL((LONG_PTR)GetStdHandle(0), -1, ERROR_INVALID_HANDLE, "choice: no such stream");
    make(&reader, &writer);
    CHECK(SetStdHandle(STD_ERROR_HANDLE, writer), "D SetStdHandle");
    CHECK(GetStdHandle(STD_ERROR_HANDLE) == writer, "D SetStdHandle");
    CHECK(WriteFile(GetStdHandle(STD_ERROR_HANDLE), "x", 1, &octets, NULL), "D SetStdHandle");
    CHECK(SetStdHandle(STD_ERROR_HANDLE, before), "D SetStdHandle");
    REFUSED(GetConsoleMode(reader, &mode), ERROR_INVALID_HANDLE, "D GetConsoleMode: a console");
    REFUSED(SetConsoleMode(reader, 0), ERROR_INVALID_HANDLE, "D SetConsoleMode: a console");
    REFUSED(GetConsoleScreenBufferInfo(writer, &info), ERROR_INVALID_HANDLE, "D GetConsoleScreenBufferInfo: a console");
    REFUSED(SetConsoleTextAttribute(writer, FOREGROUND_RED), ERROR_INVALID_HANDLE, "D SetConsoleTextAttribute: a console");
    REFUSED(WriteConsoleA(writer, "x", 1, &octets, NULL), ERROR_INVALID_HANDLE, "D WriteConsole: a console");
    close_pair(reader, writer);
    nul = CreateFileA("NUL", GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    CHECK(nul != INVALID_HANDLE_VALUE, "D Naming files: NUL");
    CHECK_EQ(GetFileType(nul), FILE_TYPE_CHAR, "D GetFileType: a character device");
    CHECK(WriteFile(nul, "abc", 3, &octets, NULL) && octets == 3, "D Naming files: NUL");
    CHECK(ReadFile(nul, buffer, sizeof buffer, &octets, NULL) && octets == 0, "D ReadFile: the end");
    CloseHandle(nul);
}

#ifndef __MINGW32__
/* A terminal of our own, of 40 columns and 10 lines. */
static void terminal(void)
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    char name[64], text[64] = "";
    HANDLE console;
    DWORD mode = 0, written = 0;
    struct { unsigned short rows, columns, x, y; } size = { 10, 40, 0, 0 };
    int master = open("/dev/ptmx", 02 | 0400), unlocked = 0, number = 0, slave, got, total;
    extern int ioctl(int, unsigned long, ...);

    if (master < 0) /* a system without terminals */
        return;
    REQUIRE(ioctl(master, 0x40045431UL, &unlocked) == 0 && ioctl(master, 0x80045430UL, &number) == 0);
    snprintf(name, sizeof name, "/dev/pts/%d", number);
    slave = open(name, 02 | 0400);
    if (slave < 0) {
        close(master);
        return;
    }
    REQUIRE(ioctl(slave, 0x5414UL, &size) == 0);
    console = (HANDLE)_get_osfhandle(slave);
    CHECK_EQ(GetFileType(console), FILE_TYPE_CHAR, "D GetFileType: a console");
    CHECK(GetConsoleMode(console, &mode) && (mode & ENABLE_PROCESSED_OUTPUT), "D GetConsoleMode");
    CHECK(SetConsoleMode(console, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING), "D SetConsoleMode");
    REFUSED(FlushFileBuffers(console), ERROR_INVALID_HANDLE, "D FlushFileBuffers: console output");
    CHECK(GetConsoleScreenBufferInfo(console, &info), "D GetConsoleScreenBufferInfo");
    CHECK(info.dwSize.X == 40 && info.dwSize.Y == 10, "D GetConsoleScreenBufferInfo: its size");
    CHECK(info.srWindow.Right == 39 && info.srWindow.Bottom == 9, "D GetConsoleScreenBufferInfo: what can be seen");
    CHECK_EQ(info.wAttributes, FOREGROUND_RED | FOREGROUND_GREEN | FOREGROUND_BLUE, "choice: what a console begins with");
    CHECK(SetConsoleTextAttribute(console, FOREGROUND_RED | FOREGROUND_INTENSITY), "D SetConsoleTextAttribute");
    CHECK(GetConsoleScreenBufferInfo(console, &info), "D GetConsoleScreenBufferInfo");
    CHECK_EQ(info.wAttributes, FOREGROUND_RED | FOREGROUND_INTENSITY, "D SetConsoleTextAttribute");
    CHECK(WriteConsoleW(console, u"\x20ac!", 2, &written, NULL) && written == 2, "D WriteConsole: in characters");
    CHECK(SetConsoleTextAttribute(console, 7), "D SetConsoleTextAttribute");
    for (total = 0; total < 15 && (got = (int)read(master, text + total, sizeof text - 1 - total)) > 0; total += got)
        ;
    CHECK(total == 15 && strcmp(text, "\x1b[0;91m\xe2\x82\xac!\x1b[0m") == 0, "choice: by escape sequences");
    REFUSED(GetConsoleMode(console, (LPDWORD)16), ERROR_NOACCESS, "choice: an error, and no crash");
    close(slave);
    close(master);
    CloseHandle(console);
}
#endif

int main(void)
{
    check_begin("pipes");
    transfers();
    nobody_reads();
    with_overlapped();
    looks();
    looks_far();
    waits();
    duplicates();
    beyond_winsock();
    numbers();
    streams();
#ifndef __MINGW32__
    terminal();
#endif
    return check_end();
}

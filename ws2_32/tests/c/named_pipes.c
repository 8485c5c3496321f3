/*
 * named_pipes.c - named pipes: instances that go from client to client, octets and messages, overlapped and waited for,
 * and what is refused in which state.
 */
#include "check.h"
#include <tlhelp32.h>

#define REFUSED(call, error, source) do { \
        SetLastError(CHECK_UNSET); \
        CHECK(!(call), source); \
        CHECK_EQ(GetLastError(), error, source); \
    } while (0)

#define DUPLEX_LATER (PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED)
#define MESSAGES (PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE)
#define MANY PIPE_UNLIMITED_INSTANCES

/* A name that no other program of this test's has. */
static const char *name_for(const char *purpose)
{
    static char name[128];

    snprintf(name, sizeof name, "\\\\.\\pipe\\linsock-%s-%lu", purpose, (unsigned long)GetCurrentProcessId());
    return name;
}

static HANDLE server_of(const char *name, DWORD open, DWORD mode, DWORD instances)
{
    HANDLE pipe = CreateNamedPipeA(name, open, mode, instances, 4096, 4096, 0, NULL);

    REQUIRE(pipe != INVALID_HANDLE_VALUE);
    return pipe;
}

static HANDLE try_client(const char *name, DWORD access, DWORD flags)
{
    SetLastError(CHECK_UNSET);
    return CreateFileA(name, access, 0, NULL, OPEN_EXISTING, flags, NULL);
}

static HANDLE client_of(const char *name, DWORD flags)
{
    HANDLE pipe = try_client(name, GENERIC_READ | GENERIC_WRITE, flags);

    REQUIRE(pipe != INVALID_HANDLE_VALUE);
    return pipe;
}

static void no_client(const char *name, DWORD access, DWORD error, const char *source)
{
    CHECK(try_client(name, access, 0) == INVALID_HANDLE_VALUE, source);
    CHECK_EQ(GetLastError(), error, source);
}

static void put(HANDLE pipe, const char *text, const char *source)
{
    DWORD octets = 0;

    CHECK(WriteFile(pipe, text, (DWORD)strlen(text), &octets, NULL), source);
    CHECK_EQ(octets, strlen(text), source);
}

static void get(HANDLE pipe, const char *text, const char *source)
{
    char buffer[64] = "";
    DWORD octets = 77;

    CHECK(ReadFile(pipe, buffer, sizeof buffer, &octets, NULL), source);
    CHECK_EQ(octets, strlen(text), source);
    CHECK(memcmp(buffer, text, strlen(text)) == 0, source);
}

/* An operation with an event of its own. */
struct later {
    OVERLAPPED ov;
};

static void begin(struct later *later)
{
    memset(later, 0, sizeof *later);
    later->ov.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    REQUIRE(later->ov.hEvent != NULL);
}

static void ends(HANDLE pipe, struct later *later, DWORD error, DWORD octets, const char *source)
{
    DWORD got = 77;

    CHECK_EQ(WaitForSingleObject(later->ov.hEvent, CHECK_WAIT_MS), WAIT_OBJECT_0, source);
    SetLastError(0);
    CHECK_EQ(GetOverlappedResult(pipe, &later->ov, &got, FALSE), error == 0, source);
    CHECK_EQ(GetLastError(), error, source);
    CHECK_EQ(got, octets, source);
    CloseHandle(later->ov.hEvent);
}

static void creation(void)
{
    static const char *const never = "\\\\.\\pipe\\linsock-never";
    const char *name = name_for("made");
    HANDLE one, two;

#define NOT_MADE(name, open, mode, instances, error, source) do { \
        HANDLE made; \
        SetLastError(CHECK_UNSET); \
        made = CreateNamedPipeA(name, open, mode, instances, 0, 0, 0, NULL); \
        CHECK(made == INVALID_HANDLE_VALUE, source); \
        CHECK_EQ(GetLastError(), error, source); \
        if (made != INVALID_HANDLE_VALUE) \
            CloseHandle(made); \
    } while (0)
    NOT_MADE(name, 0, 0, 1, ERROR_INVALID_PARAMETER, "D CreateNamedPipe: one of the access modes");
    NOT_MADE(name, PIPE_ACCESS_DUPLEX, PIPE_READMODE_MESSAGE, 1, ERROR_INVALID_PARAMETER,
             "D CreateNamedPipe: messages are read only of pipes of messages");
    NOT_MADE(never, PIPE_ACCESS_DUPLEX, 0, 0, ERROR_INVALID_PARAMETER, "D CreateNamedPipe: 1 to 255");
    NOT_MADE(never, PIPE_ACCESS_DUPLEX, 0, 256, ERROR_INVALID_PARAMETER, "D CreateNamedPipe: 1 to 255");
    NOT_MADE("linsock", PIPE_ACCESS_DUPLEX, 0, 1, ERROR_INVALID_NAME, "D CreateNamedPipe: \\\\.\\pipe\\pipename");
    no_client(name, GENERIC_READ, ERROR_FILE_NOT_FOUND, "D CreateFile: a pipe that there is not");
    REFUSED(WaitNamedPipeA(name, NMPWAIT_WAIT_FOREVER), ERROR_FILE_NOT_FOUND,
            "D WaitNamedPipe: no instances, returns immediately");

    one = server_of(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE, MESSAGES, 2);
    NOT_MADE(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE, MESSAGES, 2, ERROR_ACCESS_DENIED,
             "D CreateNamedPipe: FILE_FLAG_FIRST_PIPE_INSTANCE");
    NOT_MADE(name, PIPE_ACCESS_INBOUND, MESSAGES, 2, ERROR_ACCESS_DENIED, "D CreateNamedPipe: the same access");
    NOT_MADE(name, PIPE_ACCESS_DUPLEX, 0, 2, ERROR_ACCESS_DENIED, "D CreateNamedPipe: the same type");
    two = server_of(name, PIPE_ACCESS_DUPLEX, MESSAGES, 2);
    NOT_MADE(name, PIPE_ACCESS_DUPLEX, MESSAGES, 2, ERROR_PIPE_BUSY, "D CreateNamedPipe: nMaxInstances");
    CHECK(CloseHandle(one), "D CloseHandle");
    one = server_of(name, PIPE_ACCESS_DUPLEX, MESSAGES, 2);
    CHECK(CloseHandle(one), "D CloseHandle");
    CHECK(CloseHandle(two), "D CloseHandle");
    no_client(name, GENERIC_READ, ERROR_FILE_NOT_FOUND, "D CreateNamedPipe: closed with its last instance");
    one = server_of(name, PIPE_ACCESS_INBOUND | FILE_FLAG_FIRST_PIPE_INSTANCE, PIPE_TYPE_BYTE, 1);
    no_client(name, GENERIC_READ, ERROR_ACCESS_DENIED, "D CreateNamedPipe: PIPE_ACCESS_INBOUND");
    CHECK(CloseHandle(one), "D CloseHandle");
#undef NOT_MADE
}

/* What is refused in which state of a server's end, and of a client's. */
static void states(void)
{
    const char *name = name_for("states");
    HANDLE server = server_of(name, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE | PIPE_NOWAIT, 1), client;
    char octet;
    DWORD octets, mode = PIPE_READMODE_BYTE | PIPE_WAIT;

    CHECK_EQ(GetFileType(server), FILE_TYPE_PIPE, "D GetFileType: a named pipe");
    REFUSED(ReadFile(server, &octet, 1, &octets, NULL), ERROR_PIPE_LISTENING, "D ERROR_PIPE_LISTENING");
    REFUSED(WriteFile(server, "x", 1, &octets, NULL), ERROR_PIPE_LISTENING, "D ERROR_PIPE_LISTENING");
    REFUSED(DisconnectNamedPipe(server), ERROR_PIPE_LISTENING, "T test_DisconnectNamedPipe: without a client");
    REFUSED(ConnectNamedPipe(server, NULL), ERROR_PIPE_LISTENING, "D ConnectNamedPipe: PIPE_NOWAIT, no client yet");
    REFUSED(PeekNamedPipe(server, NULL, 0, NULL, &octets, NULL), ERROR_BAD_PIPE,
            "D [MS-FSCC] FSCTL_PIPE_PEEK: neither connected nor closing");
    client = client_of(name, 0);
    no_client(name, GENERIC_READ, ERROR_PIPE_BUSY, "D WaitNamedPipe: ERROR_PIPE_BUSY");
    REFUSED(ConnectNamedPipe(server, NULL), ERROR_PIPE_CONNECTED, "D ConnectNamedPipe: the client was faster");
    REFUSED(ReadFile(server, &octet, 1, &octets, NULL), ERROR_NO_DATA, "D Synchronous and overlapped I/O: PIPE_NOWAIT");
    REFUSED(ConnectNamedPipe(client, NULL), ERROR_INVALID_FUNCTION, "choice: at a client's end");
    REFUSED(DisconnectNamedPipe(client), ERROR_INVALID_FUNCTION, "choice: at a client's end");
    CHECK(SetNamedPipeHandleState(server, &mode, NULL, NULL), "D SetNamedPipeHandleState");
    put(client, "there", "D WriteFile");
    get(server, "there", "D ReadFile");
    put(server, "back", "D WriteFile");
    CHECK(PeekNamedPipe(client, &octet, 1, &octets, NULL, NULL), "D PeekNamedPipe");
    CHECK_EQ(octets, 1, "D PeekNamedPipe");
    get(client, "back", "D PeekNamedPipe: what is looked at stays");
    put(client, "last", "D WriteFile");
    CHECK(CloseHandle(client), "D CloseHandle");
    no_client(name, GENERIC_READ, ERROR_PIPE_BUSY, "D DisconnectNamedPipe: until then the instance is the client's");
    get(server, "last", "D Named Pipe Operations: what was written stays");
    REFUSED(ReadFile(server, &octet, 1, &octets, NULL), ERROR_BROKEN_PIPE, "D ReadFile: the other end is closed");
    REFUSED(PeekNamedPipe(server, NULL, 0, NULL, &octets, NULL), ERROR_BROKEN_PIPE,
            "D [MS-FSCC] FSCTL_PIPE_PEEK: nobody will write");
    REFUSED(WriteFile(server, "x", 1, &octets, NULL), ERROR_NO_DATA, "D ERROR_NO_DATA: the pipe is being closed");
    REFUSED(ConnectNamedPipe(server, NULL), ERROR_NO_DATA, "D ConnectNamedPipe: the previous client has closed");
    CHECK(DisconnectNamedPipe(server), "D DisconnectNamedPipe");
    REFUSED(DisconnectNamedPipe(server), ERROR_PIPE_NOT_CONNECTED, "T test_DisconnectNamedPipe: twice");
    REFUSED(ReadFile(server, &octet, 1, &octets, NULL), ERROR_PIPE_NOT_CONNECTED, "D DisconnectNamedPipe");
    REFUSED(WriteFile(server, "x", 1, &octets, NULL), ERROR_PIPE_NOT_CONNECTED, "D DisconnectNamedPipe");
    no_client(name, GENERIC_READ, ERROR_PIPE_BUSY, "D DisconnectNamedPipe: it has to be connected again");
    CHECK(CloseHandle(server), "D CloseHandle");
    REFUSED(ConnectNamedPipe(server, NULL), ERROR_INVALID_HANDLE, "D ConnectNamedPipe: hNamedPipe");
    CHECK_EQ(try_client(name, GENERIC_READ, 0) == INVALID_HANDLE_VALUE, 1, "D CreateFile");
}

/* One instance, one handle, and one client after the other. */
static void reuse(void)
{
    const char *name = name_for("reuse");
    HANDLE server = server_of(name, DUPLEX_LATER, PIPE_TYPE_BYTE, 1), client;
    struct later connect, read;
    char text[16], buffer[16];
    int i;

    for (i = 0; i < 50; i++) {
        begin(&connect);
        CHECK_FALSE(ConnectNamedPipe(server, &connect.ov), ERROR_IO_PENDING, "D ConnectNamedPipe: asynchronous");
        CHECK_EQ(connect.ov.Internal, ST_PENDING, "D OVERLAPPED: Internal");
        client = client_of(name, 0);
        ends(server, &connect, 0, 0, "D ConnectNamedPipe: asynchronous");
        begin(&read);
        CHECK_FALSE(ReadFile(server, buffer, sizeof buffer, NULL, &read.ov), ERROR_IO_PENDING, "D ReadFile");
        snprintf(text, sizeof text, "client %d", i);
        put(client, text, "D WriteFile");
        ends(server, &read, 0, (DWORD)strlen(text), "D ReadFile");
        CHECK(memcmp(buffer, text, strlen(text)) == 0, "D ReadFile");
        CHECK(CloseHandle(client), "D CloseHandle");
        CHECK(DisconnectNamedPipe(server), "D DisconnectNamedPipe");
    }
    /* What waits when the client is let go. */
    begin(&connect);
    CHECK_FALSE(ConnectNamedPipe(server, &connect.ov), ERROR_IO_PENDING, "D ConnectNamedPipe");
    client = client_of(name, FILE_FLAG_OVERLAPPED);
    ends(server, &connect, 0, 0, "D ConnectNamedPipe");
    begin(&read);
    begin(&connect);
    CHECK_FALSE(ReadFile(server, buffer, sizeof buffer, NULL, &read.ov), ERROR_IO_PENDING, "D ReadFile");
    CHECK_FALSE(ReadFile(client, text, sizeof text, NULL, &connect.ov), ERROR_IO_PENDING, "D ReadFile");
    CHECK(DisconnectNamedPipe(server), "D DisconnectNamedPipe");
    ends(server, &read, ERROR_PIPE_NOT_CONNECTED, 0, "D DisconnectNamedPipe");
#ifndef __MINGW32__
    ends(client, &connect, ERROR_BROKEN_PIPE, 0, "choice: Windows has ERROR_PIPE_NOT_CONNECTED here");
#endif
    CHECK(CloseHandle(client), "D CloseHandle");
    CHECK(CloseHandle(server), "D CloseHandle");
}

static void messages(void)
{
    const char *name = name_for("messages");
    HANDLE server = server_of(name, PIPE_ACCESS_DUPLEX, MESSAGES, 1), client = client_of(name, 0);
    char buffer[64];
    DWORD octets, all, left, mode = PIPE_READMODE_MESSAGE;

    put(server, "first", "D WriteFile: a message");
    put(server, "second", "D WriteFile: a message");
    CHECK(SetNamedPipeHandleState(client, &mode, NULL, NULL), "D SetNamedPipeHandleState");
    CHECK(PeekNamedPipe(client, buffer, 2, &octets, &all, &left), "D PeekNamedPipe");
    CHECK_EQ(octets, 2, "D PeekNamedPipe");
    CHECK_EQ(all, 11, "D PeekNamedPipe: of all messages");
    CHECK_EQ(left, 3, "D PeekNamedPipe: lpBytesLeftThisMessage");
    REFUSED(ReadFile(client, buffer, 2, &octets, NULL), ERROR_MORE_DATA, "D ReadFile: a longer message");
    CHECK_EQ(octets, 2, "D ReadFile: a longer message");
    CHECK(memcmp(buffer, "fi", 2) == 0, "D ReadFile");
    CHECK(PeekNamedPipe(client, buffer, 1, &octets, &all, &left), "D PeekNamedPipe");
    CHECK_EQ(buffer[0], 'r', "D PeekNamedPipe: the rest of a message");
    CHECK_EQ(all, 9, "D PeekNamedPipe: the rest of a message");
    CHECK_EQ(left, 2, "D PeekNamedPipe: the rest of a message");
    get(client, "rst", "D ReadFile: the rest of a message");
    get(client, "second", "D ReadFile: one message");
    /* An empty one is one. */
    CHECK(WriteFile(server, "", 0, &octets, NULL), "D WriteFile: a null write to a pipe of messages");
    put(server, "third", "D WriteFile");
    CHECK(ReadFile(client, buffer, sizeof buffer, &octets, NULL), "D ReadFile: an empty message");
    CHECK_EQ(octets, 0, "D ReadFile: an empty message");
    get(client, "third", "D ReadFile");
    mode = PIPE_READMODE_BYTE;
    CHECK(SetNamedPipeHandleState(client, &mode, NULL, NULL), "D SetNamedPipeHandleState");
    put(server, "octets", "D WriteFile");
    CHECK(ReadFile(client, buffer, 3, &octets, NULL), "D Named Pipe Type, Read, and Wait Modes: as octets");
    CHECK_EQ(octets, 3, "D Named Pipe Type, Read, and Wait Modes: as octets");
    get(client, "ets", "D Named Pipe Type, Read, and Wait Modes: as octets");
    put(server, "long", "D WriteFile");
    CHECK(CloseHandle(server), "D CloseHandle");
    get(client, "long", "D Named Pipe Operations: what was written stays");
    REFUSED(ReadFile(client, buffer, 1, &octets, NULL), ERROR_BROKEN_PIPE, "D ReadFile: the other end is closed");
    CHECK(CloseHandle(client), "D CloseHandle");
}

/* A read of no length, by which programs ask to be told of data. */
static void told_of_data(void)
{
    const char *name = name_for("told");
    HANDLE server = server_of(name, DUPLEX_LATER, PIPE_TYPE_BYTE, 1), client = client_of(name, FILE_FLAG_OVERLAPPED);
    struct later read, first;
    char buffer[16];

    begin(&read);
    begin(&first);
    CHECK_FALSE(ConnectNamedPipe(server, &first.ov), ERROR_PIPE_CONNECTED, "D ConnectNamedPipe: the client was faster");
    CHECK_FALSE(ReadFile(client, buffer, 0, NULL, &read.ov), ERROR_IO_PENDING, "T test_zero_length_read: it waits");
    CHECK_EQ(WaitForSingleObject(read.ov.hEvent, CHECK_QUIET_MS), WAIT_TIMEOUT, "T test_zero_length_read: it waits");
    CHECK(WriteFile(server, "data", 4, NULL, &first.ov), "D WriteFile");
    ends(client, &read, 0, 0, "T test_zero_length_read: something is there");
    ends(server, &first, 0, 4, "D WriteFile");
    begin(&read);
    CHECK(ReadFile(client, buffer, sizeof buffer, NULL, &read.ov), "D ReadFile: it is there");
    ends(client, &read, 0, 4, "D ReadFile: it is there");
    CHECK(CloseHandle(client), "D CloseHandle");
    CHECK(CloseHandle(server), "D CloseHandle");
}

/* Instances on a completion port: the usual server. */
static void on_a_port(void)
{
    const char *name = name_for("port");
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1), servers[4], clients[4];
    OVERLAPPED connects[4] = {{0}}, reads[4] = {{0}}, *got;
    char buffers[4][8];
    DWORD octets;
    ULONG_PTR key;
    BOOL seen[4] = {FALSE};
    int i;

    for (i = 0; i < 4; i++) {
        servers[i] = server_of(name, DUPLEX_LATER, PIPE_TYPE_BYTE, MANY);
        CHECK(CreateIoCompletionPort(servers[i], port, (ULONG_PTR)i, 0) == port, "D CreateIoCompletionPort");
        CHECK_FALSE(ConnectNamedPipe(servers[i], &connects[i]), ERROR_IO_PENDING, "D ConnectNamedPipe");
    }
    for (i = 0; i < 4; i++)
        clients[i] = client_of(name, 0);
    no_client(name, GENERIC_READ, ERROR_PIPE_BUSY, "D CreateFile: all instances are busy");
    REFUSED(WaitNamedPipeA(name, 20), ERROR_SEM_TIMEOUT, "D WaitNamedPipe: the time-out elapses");
    for (i = 0; i < 4; i++) {
        REQUIRE(GetQueuedCompletionStatus(port, &octets, &key, &got, CHECK_WAIT_MS));
        REQUIRE(key < 4);
        CHECK(got == &connects[key], "D ConnectNamedPipe: its packet");
        CHECK(!seen[key], "D ConnectNamedPipe: once");
        seen[key] = TRUE;
        CHECK_FALSE(ReadFile(servers[key], buffers[key], 8, NULL, &reads[key]), ERROR_IO_PENDING, "D ReadFile");
    }
    for (i = 0; i < 4; i++)
        put(clients[i], "hello", "D WriteFile");
    for (i = 0; i < 4; i++) {
        REQUIRE(GetQueuedCompletionStatus(port, &octets, &key, &got, CHECK_WAIT_MS));
        CHECK(key < 4 && got == &reads[key], "D ReadFile: its packet");
        CHECK_EQ(octets, 5, "D ReadFile: its packet");
        CHECK_FALSE(ReadFile(servers[key], buffers[key], 8, NULL, &reads[key]), ERROR_IO_PENDING, "D ReadFile");
    }
    CHECK(CloseHandle(clients[0]), "D CloseHandle");
    CHECK(!GetQueuedCompletionStatus(port, &octets, &key, &got, CHECK_WAIT_MS), "D ReadFile: the client is gone");
    CHECK_EQ(GetLastError(), ERROR_BROKEN_PIPE, "D ReadFile: the client is gone");
    CHECK(DisconnectNamedPipe(servers[key]), "D DisconnectNamedPipe");
    memset(&connects[key], 0, sizeof connects[key]);
    CHECK_FALSE(ConnectNamedPipe(servers[key], &connects[key]), ERROR_IO_PENDING, "D ConnectNamedPipe: again");
    CHECK(WaitNamedPipeA(name, NMPWAIT_WAIT_FOREVER), "D WaitNamedPipe: an instance is available");
    clients[0] = client_of(name, 0);
    REQUIRE(GetQueuedCompletionStatus(port, &octets, &key, &got, CHECK_WAIT_MS));
    CHECK(got == &connects[key], "D ConnectNamedPipe: again");
    /* Cancelled, each once. */
    memset(&reads[key], 0, sizeof reads[key]);
    CHECK_FALSE(ReadFile(servers[key], buffers[key], 8, NULL, &reads[key]), ERROR_IO_PENDING, "D ReadFile");
    for (i = 0; i < 4; i++)
        CHECK(CancelIo(servers[i]), "D CancelIo");
    for (i = 0; i < 4; i++) {
        CHECK(!GetQueuedCompletionStatus(port, &octets, &key, &got, CHECK_WAIT_MS), "D CancelIo");
        CHECK_EQ(GetLastError(), ERROR_OPERATION_ABORTED, "D CancelIo");
        CHECK(key < 4 && got == &reads[key], "D CancelIo");
    }
    for (i = 0; i < 4; i++) {
        CHECK(CloseHandle(servers[i]), "D CloseHandle");
        CHECK(CloseHandle(clients[i]), "D CloseHandle");
    }
    CHECK(!GetQueuedCompletionStatus(port, &octets, &key, &got, 0), "D CloseHandle: nothing was pending");
    CHECK(got == NULL, "D CloseHandle: nothing was pending");
    CHECK(CloseHandle(port), "D CloseHandle");
}

/* A server of the documentation's kind: a thread that waits, reads, answers, flushes and goes on. */
static DWORD WINAPI answer(LPVOID context)
{
    HANDLE pipe = (HANDLE)context;
    char request[32];
    DWORD octets;
    int i;

    for (i = 0; i < 3; i++) {
        BOOL connected = ConnectNamedPipe(pipe, NULL) || GetLastError() == ERROR_PIPE_CONNECTED;

        CHECK(connected, "D ConnectNamedPipe");
        while (ReadFile(pipe, request, sizeof request, &octets, NULL)) {
            CHECK(WriteFile(pipe, request, octets, &octets, NULL), "D WriteFile");
            /* CallNamedPipe does not read it, and may be gone. */
            WriteFile(pipe, "!", 1, &octets, NULL);
            FlushFileBuffers(pipe);
        }
        CHECK_EQ(GetLastError(), ERROR_BROKEN_PIPE, "D ReadFile: the client is gone");
        CHECK(DisconnectNamedPipe(pipe), "D DisconnectNamedPipe");
    }
    return 0;
}

static void transactions(void)
{
    const char *name = name_for("transactions");
    HANDLE server = server_of(name, PIPE_ACCESS_DUPLEX, MESSAGES, 1), client, thread;
    char answered[32];
    DWORD octets, mode = PIPE_READMODE_MESSAGE;
    ULONG id = 7;

    thread = CreateThread(NULL, 0, answer, server, 0, NULL);
    REQUIRE(thread != NULL);
    client = client_of(name, 0);
    REFUSED(TransactNamedPipe(client, (LPVOID)"ask", 3, answered, sizeof answered, &octets, NULL), ERROR_BAD_PIPE,
            "D TransactNamedPipe: message-read mode");
    CHECK(SetNamedPipeHandleState(client, &mode, NULL, NULL), "D SetNamedPipeHandleState");
    CHECK(TransactNamedPipe(client, (LPVOID)"ask", 3, answered, sizeof answered, &octets, NULL), "D TransactNamedPipe");
    CHECK_EQ(octets, 3, "D TransactNamedPipe");
    CHECK(memcmp(answered, "ask", 3) == 0, "D TransactNamedPipe");
    get(client, "!", "D ReadFile");
    CHECK(GetNamedPipeServerProcessId(client, &id), "D GetNamedPipeServerProcessId");
    CHECK_EQ(id, GetCurrentProcessId(), "D GetNamedPipeServerProcessId");
    CHECK(GetNamedPipeClientProcessId(server, &id), "D GetNamedPipeClientProcessId");
    CHECK_EQ(id, GetCurrentProcessId(), "D GetNamedPipeClientProcessId");
    REFUSED(CallNamedPipeA(name, (LPVOID)"x", 1, answered, sizeof answered, &octets, NMPWAIT_NOWAIT), ERROR_PIPE_BUSY,
            "choice: what CreateFile says");
    CHECK(CloseHandle(client), "D CloseHandle");
    CHECK(CallNamedPipeA(name, (LPVOID)"call", 4, answered, sizeof answered, &octets, CHECK_WAIT_MS), "D CallNamedPipe");
    CHECK_EQ(octets, 4, "D CallNamedPipe");
    REFUSED(CallNamedPipeA(name, (LPVOID)"longer", 6, answered, 2, &octets, CHECK_WAIT_MS), ERROR_MORE_DATA,
            "D CallNamedPipe: a longer answer");
    CHECK_EQ(octets, 2, "D CallNamedPipe: a longer answer");
    CHECK_EQ(WaitForSingleObject(thread, CHECK_WAIT_MS), WAIT_OBJECT_0, "setup");
    CHECK(CloseHandle(thread), "D CloseHandle");
    CHECK(CloseHandle(server), "D CloseHandle");
}

/* More than the pipe has room for. */
static void much(void)
{
    enum { SIZE = 4 << 20 };
    const char *name = name_for("much");
    HANDLE server = server_of(name, DUPLEX_LATER, PIPE_TYPE_BYTE, 1), client = client_of(name, 0);
    char *sent = (char *)malloc(SIZE), *received = (char *)calloc(1, SIZE);
    struct later write;
    DWORD octets, all = 0;
    int i;

    REQUIRE(sent && received);
    for (i = 0; i < SIZE; i++)
        sent[i] = (char)(i * 31 >> 3);
    begin(&write);
    CHECK_FALSE(ConnectNamedPipe(server, &write.ov), ERROR_PIPE_CONNECTED, "D ConnectNamedPipe");
    CHECK_FALSE(WriteFile(server, sent, SIZE, NULL, &write.ov), ERROR_IO_PENDING, "D WriteFile: nobody reads yet");
    while (all < SIZE && ReadFile(client, received + all, SIZE - all, &octets, NULL))
        all += octets;
    CHECK_EQ(all, SIZE, "D WriteFile: everything arrives");
    CHECK(memcmp(sent, received, SIZE) == 0, "D WriteFile: everything arrives");
    ends(server, &write, 0, SIZE, "D WriteFile");
    /* The reader leaves while it is written. */
    begin(&write);
    CHECK_FALSE(WriteFile(server, sent, SIZE, NULL, &write.ov), ERROR_IO_PENDING, "D WriteFile");
    CHECK(CloseHandle(client), "D CloseHandle");
    CHECK_EQ(WaitForSingleObject(write.ov.hEvent, CHECK_WAIT_MS), WAIT_OBJECT_0, "D WriteFile: nobody reads");
    CHECK(!GetOverlappedResult(server, &write.ov, &octets, FALSE), "D WriteFile: nobody reads");
    CHECK_EQ(GetLastError(), ERROR_BROKEN_PIPE, "D WriteFile: ERROR_BROKEN_PIPE, the other end is closed");
    CloseHandle(write.ov.hEvent);
    CHECK(CloseHandle(server), "D CloseHandle");
    free(sent);
    free(received);
}

/* A message and its answer on what was opened for overlapped operations. */
static void transactions_later(void)
{
    const char *name = name_for("later");
    HANDLE server = server_of(name, PIPE_ACCESS_DUPLEX, MESSAGES, 1), client = client_of(name, FILE_FLAG_OVERLAPPED);
    DWORD mode = PIPE_READMODE_MESSAGE, octets;
    struct later asked;
    char answered[32] = "";

    CHECK(SetNamedPipeHandleState(client, &mode, NULL, NULL), "D SetNamedPipeHandleState");
#ifndef __MINGW32__
    REFUSED(TransactNamedPipe(client, (LPVOID)"ask", 3, answered, sizeof answered, &octets, NULL),
            ERROR_INVALID_PARAMETER, "choice: as ReadFile, there has to be an OVERLAPPED");
#endif
    begin(&asked);
    CHECK_FALSE(TransactNamedPipe(client, (LPVOID)"ask", 3, answered, sizeof answered, NULL, &asked.ov),
                ERROR_IO_PENDING, "D TransactNamedPipe: overlapped");
    get(server, "ask", "D TransactNamedPipe");
    put(server, "answer", "D WriteFile");
    ends(client, &asked, 0, 6, "D TransactNamedPipe: overlapped");
    CHECK(memcmp(answered, "answer", 6) == 0, "D TransactNamedPipe");
    put(server, "more", "D WriteFile");
    begin(&asked);
    REFUSED(TransactNamedPipe(client, (LPVOID)"ask", 3, answered, sizeof answered, NULL, &asked.ov), ERROR_PIPE_BUSY,
            "D TransactNamedPipe: something waits to be read");
    CloseHandle(asked.ov.hEvent);
    /* An OVERLAPPED where nothing is overlapped. */
    begin(&asked);
    CHECK(WriteFile(server, "told", 4, &octets, &asked.ov), "D WriteFile");
    ends(server, &asked, 0, 4, "D WriteFile: not opened for overlapped operations");
    CHECK(CloseHandle(client), "D CloseHandle");
    CHECK(CloseHandle(server), "D CloseHandle");
}

static void facts(void)
{
    const char *name = name_for("facts");
    HANDLE server = CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX, MESSAGES, 3, 1000, 2000, 0, NULL), client;
    DWORD flags, out, in, most, state, instances, mode = 8;

    REQUIRE(server != INVALID_HANDLE_VALUE);
    client = client_of(name, 0);
    CHECK(GetNamedPipeInfo(server, &flags, &out, &in, &most), "D GetNamedPipeInfo");
    CHECK_EQ(flags, PIPE_SERVER_END | PIPE_TYPE_MESSAGE, "D GetNamedPipeInfo");
    CHECK_EQ(out, 1000, "D GetNamedPipeInfo");
    CHECK_EQ(in, 2000, "D GetNamedPipeInfo");
    CHECK_EQ(most, 3, "D GetNamedPipeInfo");
    CHECK(GetNamedPipeInfo(client, &flags, NULL, NULL, NULL), "D GetNamedPipeInfo: each is optional");
    CHECK_EQ(flags, PIPE_CLIENT_END | PIPE_TYPE_MESSAGE, "D GetNamedPipeInfo");
    CHECK(GetNamedPipeHandleStateA(server, &state, &instances, NULL, NULL, NULL, 0), "D GetNamedPipeHandleState");
    CHECK_EQ(state, PIPE_READMODE_MESSAGE, "D GetNamedPipeHandleState");
    CHECK_EQ(instances, 1, "D GetNamedPipeHandleState");
    CHECK(GetNamedPipeHandleStateA(client, &state, NULL, NULL, NULL, NULL, 0), "D GetNamedPipeHandleState");
    CHECK_EQ(state, 0, "D CreateFile: a client begins with octets");
    REFUSED(SetNamedPipeHandleState(client, &mode, NULL, NULL), ERROR_INVALID_PARAMETER, "D SetNamedPipeHandleState");
    REFUSED(GetNamedPipeHandleStateA(server, NULL, NULL, &mode, NULL, NULL, 0), ERROR_INVALID_PARAMETER,
            "D GetNamedPipeHandleState: lpMaxCollectionCount of a server");
    CHECK(CloseHandle(client), "D CloseHandle");
    CHECK(CloseHandle(server), "D CloseHandle");
}

static void descriptors(void)
{
#ifndef __MINGW32__
    SECURITY_DESCRIPTOR descriptor = {0};

    CHECK(!IsValidSecurityDescriptor(&descriptor), "D IsValidSecurityDescriptor: an unknown revision");
    descriptor.Revision = SECURITY_DESCRIPTOR_REVISION;
    CHECK(IsValidSecurityDescriptor(&descriptor), "D IsValidSecurityDescriptor");
#endif
}

/* What else is not there, and says so. */
static void modules(void)
{
#ifndef __MINGW32__
    MODULEENTRY32 module = {0};

    module.dwSize = sizeof module;
    CHECK_CALL((LONG_PTR)CreateToolhelp32Snapshot(TH32CS_SNAPMODULE, 0), -1, ERROR_NOT_SUPPORTED,
               "choice: no modules are listed");
    CHECK_FALSE(Module32First(INVALID_HANDLE_VALUE, &module), ERROR_INVALID_HANDLE, "choice: nothing is a snapshot");
#endif
}

int main(void)
{
    check_begin("named_pipes");
    creation();
    states();
    reuse();
    messages();
    told_of_data();
    on_a_port();
    transactions();
    transactions_later();
    much();
    facts();
    descriptors();
    modules();
    return check_end();
}

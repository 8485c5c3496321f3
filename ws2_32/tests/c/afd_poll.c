/* afd_poll.c - IOCTL_AFD_POLL: the readiness of sockets from Winsock's driver, as wepoll, libuv and mio ask for it. */
#include "check.h"
#include <winternl.h>

#define POLL "T test_poll"
#define EXCLUSIVE "T test_poll_exclusive"
#define PORT "T test_poll_completion_port"
#define RESET "T test_poll_reset"
#define OPEN "T test_open_device"

#define CODE 0x00012024 /* IOCTL_AFD_POLL */

#define RECEIVE 0x001
#define EXPEDITED 0x002
#define SEND_ 0x004
#define DISCONNECT 0x008
#define ABORT_ 0x010
#define LOCAL_CLOSE 0x020
#define CONNECT_ 0x040
#define ACCEPT_ 0x080
#define CONNECT_FAIL 0x100
#define ANY (~0u)

#define ST_TIMEOUT 0x00000102u
#define ST_INVALID_HANDLE 0xC0000008u
#define ST_INVALID_PARAMETER 0xC000000Du
#define ST_INVALID_REQUEST 0xC0000010u
#define ST_TYPE_MISMATCH 0xC0000024u
#define ST_NO_NAME 0xC0000034u
#define ST_BAD_PATH 0xC000003Bu
#define ST_ACCESS_VIOLATION 0xC0000005u
#define ST_NOT_FOUND 0xC0000225u
#define ST_USER_APC 0x000000C0u
#define ST_ABANDONED_ 0x00000080u

#define FOREVER 0x7fffffffffffffffLL
#define IN_MS(ms) (-10000LL * (ms))
#define ROWS 3
#define SIZE(rows) ((ULONG)(16 + 16 * (rows)))

struct row {
    SOCKET socket;
    ULONG events;
    LONG status;
};

struct poll_info {
    LONGLONG timeout;
    ULONG count;
    ULONG exclusive;
    struct row rows[ROWS];
};

/* A poll, from the call to its end. */
struct poll_call {
    struct poll_info in, out;
    IO_STATUS_BLOCK block;
    HANDLE event;
};

static struct {
    NTSTATUS(NTAPI *cancel)(HANDLE, IO_STATUS_BLOCK *);
    NTSTATUS(NTAPI *cancel_ex)(HANDLE, IO_STATUS_BLOCK *, IO_STATUS_BLOCK *);
    NTSTATUS(NTAPI *remove)(HANDLE, ULONG_PTR *, ULONG_PTR *, IO_STATUS_BLOCK *, LARGE_INTEGER *);
    NTSTATUS(NTAPI *remove_ex)(HANDLE, void *, ULONG, ULONG *, LARGE_INTEGER *, BOOLEAN);
    NTSTATUS(NTAPI *post)(HANDLE, ULONG_PTR, ULONG_PTR, NTSTATUS, ULONG_PTR);
    NTSTATUS(NTAPI *new_port)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, ULONG);
    NTSTATUS(NTAPI *new_keyed)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, ULONG);
    NTSTATUS(NTAPI *wait_keyed)(HANDLE, void *, BOOLEAN, LARGE_INTEGER *);
    NTSTATUS(NTAPI *release_keyed)(HANDLE, void *, BOOLEAN, LARGE_INTEGER *);
} nt;

static void look_up(void)
{
    HMODULE ntdll = GetModuleHandleA("ntdll.dll");

    REQUIRE(ntdll != NULL);
    *(FARPROC *)&nt.cancel = GetProcAddress(ntdll, "NtCancelIoFile");
    *(FARPROC *)&nt.cancel_ex = GetProcAddress(ntdll, "NtCancelIoFileEx");
    *(FARPROC *)&nt.remove = GetProcAddress(ntdll, "NtRemoveIoCompletion");
    *(FARPROC *)&nt.remove_ex = GetProcAddress(ntdll, "NtRemoveIoCompletionEx");
    *(FARPROC *)&nt.post = GetProcAddress(ntdll, "NtSetIoCompletion");
    *(FARPROC *)&nt.new_port = GetProcAddress(ntdll, "NtCreateIoCompletion");
    *(FARPROC *)&nt.new_keyed = GetProcAddress(ntdll, "NtCreateKeyedEvent");
    *(FARPROC *)&nt.wait_keyed = GetProcAddress(ntdll, "NtWaitForKeyedEvent");
    *(FARPROC *)&nt.release_keyed = GetProcAddress(ntdll, "NtReleaseKeyedEvent");
    REQUIRE(nt.cancel && nt.cancel_ex && nt.remove && nt.remove_ex && nt.post && nt.new_port);
    REQUIRE(nt.new_keyed && nt.wait_keyed && nt.release_keyed);
    REQUIRE(GetProcAddress(ntdll, "NtDeviceIoControlFile") && GetProcAddress(ntdll, "NtCreateFile"));
    REQUIRE(GetProcAddress(ntdll, "RtlNtStatusToDosError") && GetProcAddress(ntdll, "RtlInitUnicodeString"));
}

/* ---- the device ----------------------------------------------------------------------------------------- */

static ULONG open_name(const WCHAR *text, ULONG options, HANDLE *handle)
{
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;
    IO_STATUS_BLOCK block;
    ULONG status;

    RtlInitUnicodeString(&name, (PCWSTR)text);
    InitializeObjectAttributes(&attributes, &name, 0, NULL, NULL);
    memset(&block, 0x55, sizeof block);
    status = (ULONG)NtCreateFile(handle, SYNCHRONIZE, &attributes, &block, NULL, 0, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                 FILE_OPEN, options, NULL, 0);
    if (status == ST_SUCCESS) {
        CHECK_EQ((ULONG)block.Status, ST_SUCCESS, "D NtCreateFile");
        CHECK_EQ(block.Information, 1, "D NtCreateFile (FILE_OPENED)");
    }
    return status;
}

static HANDLE open_device(void)
{
    HANDLE handle = NULL;

    REQUIRE(open_name((const WCHAR *)u"\\Device\\Afd\\check", 0, &handle) == ST_SUCCESS);
    return handle;
}

static void devices(void)
{
    static const WCHAR *const names[] = { (const WCHAR *)u"\\Device\\Afd", (const WCHAR *)u"\\Device\\Afd\\",
                                          (const WCHAR *)u"\\Device\\Afd\\foobar", (const WCHAR *)u"\\dEVICE\\aFD\\Mio" };
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;
    IO_STATUS_BLOCK block;
    HANDLE handle;
    WSADATA data;
    DWORD flags;
    int n;

    for (n = 0; n < 4; n++) {
        CHECK_EQ(open_name(names[n], 0, &handle), ST_SUCCESS, OPEN);
        CHECK_EQ(NtClose(handle), 0, OPEN);
        CHECK_EQ((ULONG)NtClose(handle), ST_INVALID_HANDLE, "D NtClose");
        RtlInitUnicodeString(&name, (PCWSTR)names[n]);
        InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, NULL, NULL);
        CHECK_EQ(NtOpenFile(&handle, SYNCHRONIZE, &attributes, &block, 0, 0), 0, OPEN);
        CHECK(CloseHandle(handle), OPEN);
    }
    /* It is no socket, though it is Winsock's. */
    handle = open_device();
    CHECK(GetHandleInformation(handle, &flags) && !(flags & HANDLE_FLAG_INHERIT), "D OBJECT_ATTRIBUTES: without OBJ_INHERIT");
    CHECK_FAIL(closesocket((SOCKET)handle), WSAENOTSOCK, "D closesocket");
    CHECK_EQ(WSACleanup(), 0, "setup");
    CHECK(CloseHandle(handle), "D WSACleanup: sockets");
    REQUIRE(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    CHECK_EQ(open_name((const WCHAR *)u"\\Device\\Afdx", 0, &handle), ST_NO_NAME, "D NtCreateFile");
    CHECK_EQ(open_name((const WCHAR *)u"\\Device\\Linsock", 0, &handle), ST_NO_NAME, "D NtCreateFile");
    CHECK_EQ(open_name((const WCHAR *)u"Afd", 0, &handle), ST_BAD_PATH, "D NtCreateFile");
    attributes.Length = 1;
    CHECK_EQ((ULONG)NtOpenFile(&handle, SYNCHRONIZE, &attributes, &block, 0, 0), ST_INVALID_PARAMETER, "D NtOpenFile");
    CHECK_EQ(RtlNtStatusToDosError((NTSTATUS)ST_INVALID_HANDLE), ERROR_INVALID_HANDLE, "D RtlNtStatusToDosError");
    CHECK_EQ(RtlNtStatusToDosError((NTSTATUS)ST_CANCELLED), ERROR_OPERATION_ABORTED, "D RtlNtStatusToDosError");
    CHECK_EQ(RtlNtStatusToDosError((NTSTATUS)ST_NOT_FOUND), ERROR_NOT_FOUND, "D RtlNtStatusToDosError");
}

/* ---- polls ---------------------------------------------------------------------------------------------- */

static struct poll_call poll_of(LONGLONG timeout)
{
    struct poll_call call;

    memset(&call, 0, sizeof call);
    memset(&call.out, 0xcc, sizeof call.out);
    memset(&call.block, 0x55, sizeof call.block);
    call.in.timeout = timeout;
    call.event = new_event();
    return call;
}

static void add(struct poll_call *call, SOCKET s, ULONG events)
{
    struct row *row = &call->in.rows[call->in.count++];

    row->socket = s;
    row->events = events;
    row->status = (LONG)CHECK_UNSET;
}

static ULONG issue(HANDLE by, struct poll_call *call)
{
    ULONG size = SIZE(call->in.count);

    return (ULONG)NtDeviceIoControlFile(by, call->event, NULL, NULL, &call->block, CODE, &call->in, size, &call->out, size);
}

/* Waits for the end; its status. */
static ULONG end_of(struct poll_call *call)
{
    return is_set(call->event, CHECK_WAIT_MS) ? (ULONG)call->block.Status : CHECK_UNSET;
}

static void check_row(const struct poll_call *call, ULONG row, SOCKET s, ULONG events, ULONG status, int line)
{
    check_equal((LONGLONG)call->out.rows[row].socket, (LONGLONG)s, __FILE__, line, "the socket of the row", POLL);
    check_equal(call->out.rows[row].events, events, __FILE__, line, "the events of the row", POLL);
    check_equal((ULONG)call->out.rows[row].status, status, __FILE__, line, "the status of the row", POLL);
}

static void check_head(const struct poll_call *call, ULONG status, ULONG count, int line)
{
    check_equal((ULONG)call->block.Status, status, __FILE__, line, "the status of the block", POLL);
    check_equal((LONGLONG)call->block.Information, SIZE(count), __FILE__, line, "the length of the answer", POLL);
    check_equal(call->out.timeout, call->in.timeout, __FILE__, line, "the time-out is told back", POLL);
    check_equal(call->out.count, count, __FILE__, line, "the number of rows", POLL);
}

/* What is told of one socket, now or soon. */
#define CHECK_POLL(s, wanted, expected) check_poll(s, wanted, expected, ST_SUCCESS, __LINE__)
static void check_poll(SOCKET s, ULONG wanted, ULONG expected, ULONG expected_status, int line)
{
    struct poll_call call = poll_of(IN_MS(CHECK_WAIT_MS));
    ULONG status;

    add(&call, s, wanted);
    status = issue((HANDLE)s, &call);
    check_result(status == ST_SUCCESS || status == ST_PENDING, __FILE__, line, "the poll is accepted", POLL);
    check_equal(end_of(&call), ST_SUCCESS, __FILE__, line, "the poll ends", POLL);
    check_head(&call, ST_SUCCESS, 1, line);
    check_row(&call, 0, s, expected, expected_status, line);
    CloseHandle(call.event);
}

/* What is told now, 0 if nothing is. */
static ULONG known(SOCKET s, ULONG wanted)
{
    struct poll_call call = poll_of(0);
    ULONG events;

    add(&call, s, wanted);
    CHECK_EQ(issue((HANDLE)s, &call), ST_SUCCESS, POLL);
    CHECK(is_set(call.event, 0), POLL);
    events = call.out.count ? call.out.rows[0].events : 0;
    check_head(&call, ST_SUCCESS, call.out.count, __LINE__);
    CloseHandle(call.event);
    return events;
}

#define CHECK_PENDING(by, call) CHECK_EQ(issue((HANDLE)(by), call), ST_PENDING, POLL)
#define CHECK_QUIET(call, source) CHECK(!is_set((call)->event, CHECK_QUIET_MS), source)
#define CHECK_END(call, s, expected) do { \
        CHECK_EQ(end_of(call), ST_SUCCESS, POLL); \
        check_head(call, ST_SUCCESS, 1, __LINE__); \
        check_row(call, 0, s, expected, ST_SUCCESS, __LINE__); \
    } while (0)

static void arguments(void)
{
    struct poll_call call = poll_of(0);
    struct sockaddr_in at;
    SOCKET l = listener(&at);
    HANDLE by = (HANDLE)l, port = new_port();
    char *in = (char *)&call.in, *out = (char *)&call.out;
    ULONG one = SIZE(1);

#define CALL(in, in_size, out, out_size) \
    (ULONG)NtDeviceIoControlFile(by, call.event, NULL, NULL, &call.block, CODE, in, in_size, out, out_size)
    call.in.count = 1;
    CHECK_EQ(CALL(in, one, NULL, 0), ST_INVALID_PARAMETER, POLL);
    CHECK_EQ(CALL(NULL, 0, out, one), ST_INVALID_PARAMETER, POLL);
    CHECK_EQ(CALL(in, one, out, one + 1), ST_INVALID_HANDLE, POLL);
    CHECK_EQ(CALL(in, one + 1, out, one), ST_INVALID_PARAMETER, POLL);
    CHECK_EQ(CALL(in, one - 1, out, one - 1), ST_INVALID_PARAMETER, POLL);
    CHECK_EQ(CALL(in, one + 1, out, one + 1), ST_INVALID_HANDLE, POLL);
    call.in.count = 2;
    CHECK_EQ(CALL(in, one, out, one), ST_INVALID_PARAMETER, POLL);
    call.in.count = 0x10000001; /* times 16 it is 16 again, in 32 bits */
    CHECK_EQ(CALL(in, one, out, one), ST_INVALID_PARAMETER, "choice: what 32 bits cannot hold");
    call.in.count = 0;
    CHECK_EQ(CALL(in, one, out, one), ST_INVALID_PARAMETER, POLL);
    add(&call, l, ANY);
    CHECK_EQ(CALL((void *)16, one, out, one), ST_ACCESS_VIOLATION, "choice: a fault is told");
    CHECK_EQ(CALL(in, one, (void *)16, one), ST_ACCESS_VIOLATION, "choice: a fault is told");
    CHECK_EQ((ULONG)call.block.Status, 0x55555555u, "T test_poll: a refused call leaves the block");
    CHECK_EQ((ULONG)NtDeviceIoControlFile(by, call.event, NULL, NULL, (void *)16, CODE, in, one, out, one),
             ST_ACCESS_VIOLATION, "choice: a fault is told");
    CHECK_EQ((ULONG)NtDeviceIoControlFile(by, port, NULL, NULL, &call.block, CODE, in, one, out, one), ST_TYPE_MISMATCH,
             "D NtDeviceIoControlFile (Event)");
    CHECK_EQ((ULONG)NtDeviceIoControlFile((HANDLE)0xabacab, NULL, NULL, NULL, &call.block, CODE, in, one, out, one),
             ST_INVALID_HANDLE, "D NtDeviceIoControlFile");
    CHECK_EQ((ULONG)NtDeviceIoControlFile(port, NULL, NULL, NULL, &call.block, CODE, in, one, out, one), ST_TYPE_MISMATCH,
             "D NtDeviceIoControlFile");
    CHECK_EQ((ULONG)NtDeviceIoControlFile(by, NULL, NULL, NULL, &call.block, 0x12fff, in, one, out, one),
             ST_INVALID_REQUEST, "choice: there is no such request");
    add(&call, 0xabacab, ANY);
    CHECK_EQ(issue(by, &call), ST_INVALID_HANDLE, POLL);
    call.in.rows[1].socket = (SOCKET)call.event;
    CHECK_EQ(issue(by, &call), ST_INVALID_HANDLE, "choice: as no socket");
#undef CALL
    CloseHandle(call.event);
    CloseHandle(port);
    closesocket(l);
}

static void time_outs(void)
{
    struct poll_call call;
    struct sockaddr_in at;
    SOCKET l = listener(&at);
    HANDLE device = open_device();
    LARGE_INTEGER now;

    CHECK_EQ(known(l, ANY), 0, POLL);
    CHECK_EQ(NtQuerySystemTime(&now), 0, "D NtQuerySystemTime");
    call = poll_of(now.QuadPart);
    add(&call, l, ANY);
    CHECK_PENDING(device, &call);
    CHECK_EQ(end_of(&call), ST_TIMEOUT, POLL);
    check_head(&call, ST_TIMEOUT, 0, __LINE__);
    CloseHandle(call.event);
    call = poll_of(IN_MS(20));
    add(&call, l, ANY);
    CHECK_PENDING(l, &call);
    CHECK_EQ(end_of(&call), ST_TIMEOUT, POLL);
    check_head(&call, ST_TIMEOUT, 0, __LINE__);
    CloseHandle(call.event);
    closesocket(l);
    CloseHandle(device);
}

static void connections(void)
{
    struct poll_call call = poll_of(IN_MS(CHECK_WAIT_MS)), other = poll_of(FOREVER);
    struct sockaddr_in at;
    SOCKET l = listener(&at), client, server;

    add(&call, l, ANY);
    CHECK_PENDING(l, &call);
    client = tcp_socket();
    add(&other, client, ANY);
    CHECK_PENDING(client, &other);
    REQUIRE(connect(client, (struct sockaddr *)&at, sizeof at) == 0);
    CHECK_END(&call, l, ACCEPT_);
    /* Connected, and room to send: at the same moment. */
    CHECK_END(&other, client, CONNECT_ | SEND_);
    CHECK_POLL(l, ANY, ACCEPT_);
    CHECK_EQ(known(l, ANY & ~ACCEPT_), 0, POLL);
    server = accept(l, NULL, NULL);
    CHECK_EQ(known(l, ANY), 0, POLL);
    CHECK_POLL(client, ANY, SEND_ | CONNECT_);
    CHECK_POLL(server, ANY, SEND_ | CONNECT_);
    CloseHandle(call.event);
    call = poll_of(0);
    add(&call, server, ANY);
    CHECK_EQ(issue((HANDLE)l, &call), ST_SUCCESS, POLL); /* by another socket's handle */
    CHECK_END(&call, server, SEND_ | CONNECT_);
    CloseHandle(call.event);
    CloseHandle(other.event);
    close_both(client, server);
    closesocket(l);
}

static void refused_connections(void)
{
    struct poll_call call = poll_of(FOREVER);
    struct sockaddr_in at;
    SOCKET nobody = refusing(&at), s = tcp_socket();

    set_nonblocking(s, TRUE);
    add(&call, s, ANY);
    CHECK_PENDING(s, &call);
    CHECK_FAIL(connect(s, (struct sockaddr *)&at, sizeof at), WSAEWOULDBLOCK, POLL);
    CHECK_EQ(end_of(&call), ST_SUCCESS, POLL);
    check_row(&call, 0, s, CONNECT_FAIL, ST_CONNECTION_REFUSED, __LINE__);
    check_poll(s, ANY, CONNECT_FAIL, ST_CONNECTION_REFUSED, __LINE__);
    check_poll(s, ANY, CONNECT_FAIL, ST_CONNECTION_REFUSED, __LINE__);
    closesocket(s);
    s = tcp_socket();
    CHECK_FAIL(connect(s, (struct sockaddr *)&at, sizeof at), WSAECONNREFUSED, POLL);
    check_poll(s, ANY, CONNECT_FAIL, ST_CONNECTION_REFUSED, __LINE__);
    close_both(s, nobody);
    CloseHandle(call.event);
}

static void data(void)
{
    static char much[1 << 16];
    struct poll_call call = poll_of(FOREVER), room = poll_of(FOREVER);
    SOCKET client, server;
    OVERLAPPED ov;
    HANDLE event = new_event();
    WSABUF buffer;
    DWORD flags = 0, bytes;
    char octets[8];
    int on = 1;

    tcp_pair(&client, &server);
    CHECK_EQ(send(server, "data", 5, 0), 5, "setup");
    CHECK_POLL(client, RECEIVE, RECEIVE);
    CHECK_POLL(client, ANY, SEND_ | CONNECT_ | RECEIVE);
    set_nonblocking(server, TRUE);
    while (send(server, much, sizeof much, 0) > 0)
        ;
    CHECK_POLL(client, ANY, SEND_ | CONNECT_ | RECEIVE);
    CHECK_POLL(server, ANY, CONNECT_);
    add(&room, server, SEND_);
    CHECK_PENDING(server, &room);
    /* What a receive that waits takes is not told. */
    add(&call, server, RECEIVE);
    CHECK_PENDING(server, &call);
    ov_init(&ov, event);
    buffer.buf = octets;
    buffer.len = 1;
    CHECK_WSA_PENDS(WSARecv(server, &buffer, 1, NULL, &flags, &ov, NULL), POLL);
    CHECK_EQ(send(client, "a", 1, 0), 1, POLL);
    CHECK_EQ(finish(server, &ov, &bytes), 0, POLL);
    CHECK_QUIET(&call, POLL);
    CHECK_EQ(send(client, "a", 1, 0), 1, POLL);
    CHECK_END(&call, server, RECEIVE);
    CHECK_EQ(recv(server, octets, 1, 0), 1, POLL);
    /* Urgent data: apart, and in line. */
    CHECK_EQ(send(client, "a", 1, MSG_OOB), 1, POLL);
    CHECK_POLL(server, EXPEDITED, EXPEDITED);
    CHECK_POLL(server, ANY, CONNECT_ | EXPEDITED);
    CHECK_EQ(recv(server, octets, 1, MSG_OOB), 1, POLL);
    CHECK_POLL(server, ANY, CONNECT_);
    REQUIRE(setsockopt(server, SOL_SOCKET, SO_OOBINLINE, (char *)&on, sizeof on) == 0);
    CHECK_EQ(send(client, "a", 1, MSG_OOB), 1, POLL);
    CHECK_POLL(server, RECEIVE, RECEIVE);
    CHECK_POLL(server, ANY, CONNECT_ | RECEIVE);
    /* The peer makes room. */
    CHECK_QUIET(&room, POLL);
    while (!is_set(room.event, 0) && recv(client, much, sizeof much, 0) > 0)
        ;
    CHECK_END(&room, server, SEND_);
    CloseHandle(call.event);
    CloseHandle(room.event);
    CloseHandle(event);
    close_both(client, server);
}

static void halves(void)
{
    SOCKET client, server;
    char octets[8];

    tcp_pair(&client, &server);
    REQUIRE(shutdown(client, SD_RECEIVE) == 0);
    CHECK_POLL(client, ANY, SEND_ | CONNECT_);
    CHECK_POLL(server, ANY, SEND_ | CONNECT_);
    REQUIRE(shutdown(client, SD_SEND) == 0);
    CHECK_POLL(client, ANY, SEND_ | CONNECT_);
    CHECK_POLL(server, DISCONNECT, DISCONNECT);
    CHECK_POLL(server, ANY, SEND_ | CONNECT_ | DISCONNECT);
    close_both(client, server);

    tcp_pair(&client, &server);
    CHECK_EQ(send(client, "data", 5, 0), 5, "setup");
    CHECK_POLL(server, ANY & ~(SEND_ | CONNECT_), RECEIVE);
    REQUIRE(shutdown(client, SD_SEND) == 0);
    CHECK_POLL(server, DISCONNECT, DISCONNECT);
    CHECK_POLL(server, ANY, SEND_ | CONNECT_ | RECEIVE | DISCONNECT); /* before the data is received */
    CHECK_EQ(recv(server, octets, sizeof octets, 0), 5, "setup");
    CHECK_POLL(server, ANY, SEND_ | CONNECT_ | DISCONNECT);
    CHECK_EQ(recv(server, octets, sizeof octets, 0), 0, "setup");
    CHECK_POLL(server, ANY, SEND_ | CONNECT_ | DISCONNECT);
    close_both(client, server);
}

static void resets(void)
{
    struct poll_call call = poll_of(FOREVER);
    SOCKET client, server;

    tcp_pair(&client, &server);
    add(&call, client, ANY & ~(SEND_ | CONNECT_));
    CHECK_PENDING(client, &call);
    close_with_rst(server);
    CHECK_END(&call, client, ABORT_);
    CHECK_POLL(client, ANY, SEND_ | CONNECT_ | ABORT_);
    CloseHandle(call.event);
    closesocket(client);
}

static void closing(void)
{
    struct poll_call call = poll_of(FOREVER), other = poll_of(IN_MS(50));
    HANDLE port = new_port(), device = open_device();
    SOCKET client, server;

    tcp_pair(&client, &server);
    add(&call, client, 0);
    CHECK_PENDING(client, &call);
    closesocket(client);
    CHECK_END(&call, client, LOCAL_CLOSE); /* though nobody asked for it */
    CloseHandle(call.event);

    /* Who was asked is closed: it goes on. */
    tcp_pair(&client, &server);
    add(&other, client, RECEIVE);
    CHECK_PENDING(server, &other);
    closesocket(server);
    CHECK_EQ(end_of(&other), ST_TIMEOUT, POLL);
    check_head(&other, ST_TIMEOUT, 0, __LINE__);
    CloseHandle(other.event);
    closesocket(client);

    tcp_pair(&client, &server);
    REQUIRE(CreateIoCompletionPort(device, port, 7, 0) == port);
    call = poll_of(FOREVER);
    add(&call, client, RECEIVE);
    CHECK_EQ((ULONG)NtDeviceIoControlFile(device, NULL, NULL, (void *)&call, &call.block, CODE, &call.in, SIZE(1), &call.in,
                                          SIZE(1)), ST_PENDING, PORT);
    REQUIRE(CloseHandle(device));
    CHECK_EQ(send(server, "x", 1, 0), 1, "setup");
    CHECK_PACKET(port, 7, (OVERLAPPED *)&call, SIZE(1), 0, PORT);
    CHECK_EQ(call.in.rows[0].events, RECEIVE, POLL); /* the answer, where the question was */
    CloseHandle(call.event);
    CloseHandle(port);
    close_both(client, server);
}

static void several(void)
{
    struct poll_call call = poll_of(IN_MS(CHECK_WAIT_MS));
    SOCKET client, server;

    tcp_pair(&client, &server);
    add(&call, client, RECEIVE);
    add(&call, server, RECEIVE);
    CHECK_PENDING(client, &call);
    CHECK_EQ(send(client, "data", 5, 0), 5, POLL);
    CHECK_END(&call, server, RECEIVE);
    call.in.rows[0].events = call.in.rows[1].events = RECEIVE | SEND_;
    CHECK_EQ(issue((HANDLE)client, &call), ST_SUCCESS, POLL);
    check_head(&call, ST_SUCCESS, 2, __LINE__);
    check_row(&call, 0, client, SEND_, ST_SUCCESS, __LINE__);
    check_row(&call, 1, server, RECEIVE | SEND_, ST_SUCCESS, __LINE__);
    CloseHandle(call.event);
    /* One socket three times. */
    call = poll_of(FOREVER);
    add(&call, client, RECEIVE | SEND_);
    add(&call, client, RECEIVE | SEND_);
    add(&call, client, RECEIVE | SEND_ | CONNECT_);
    CHECK_EQ(issue((HANDLE)client, &call), ST_SUCCESS, POLL);
    check_head(&call, ST_SUCCESS, 3, __LINE__);
    check_row(&call, 0, client, SEND_, ST_SUCCESS, __LINE__);
    check_row(&call, 1, client, SEND_, ST_SUCCESS, __LINE__);
    check_row(&call, 2, client, SEND_ | CONNECT_, ST_SUCCESS, __LINE__);
    call.in.count = 2;
    call.in.rows[0].events = call.in.rows[1].events = RECEIVE;
    CHECK_PENDING(client, &call);
    CHECK_EQ(send(server, "data", 5, 0), 5, POLL);
    CHECK_END(&call, client, RECEIVE);
    CloseHandle(call.event);
    close_both(client, server);
}

/* More polls of one socket than it takes without a look at which are over. */
static void crowd(void)
{
    static struct poll_call calls[20];
    SOCKET client, server;
    int n;

    tcp_pair(&client, &server);
    for (n = 0; n < 20; n++) {
        calls[n] = poll_of(FOREVER);
        add(&calls[n], client, RECEIVE);
        CHECK_PENDING(client, &calls[n]);
    }
    /* One that is cancelled takes no other with it. */
    CHECK(CancelIoEx((HANDLE)client, (OVERLAPPED *)&calls[7].block), "D CancelIoEx");
    CHECK_EQ(end_of(&calls[7]), ST_CANCELLED, "D CancelIoEx");
    CHECK_EQ(send(server, "x", 1, 0), 1, "setup");
    for (n = 0; n < 20; n++) {
        if (n != 7)
            CHECK_END(&calls[n], client, RECEIVE);
        CloseHandle(calls[n].event);
    }
    close_both(client, server);
}

static void accepts(void)
{
    struct poll_call call = poll_of(FOREVER), into = poll_of(FOREVER);
    struct sockaddr_in at;
    SOCKET l = listener(&at), client = tcp_socket(), server = tcp_socket();
    char addresses[2 * ADDRESS_SIZE];
    HANDLE event = new_event();
    OVERLAPPED ov;
    DWORD bytes;

    add(&call, l, ACCEPT_);
    CHECK_PENDING(l, &call);
    add(&into, server, ANY);
    CHECK_PENDING(l, &into);
    ov_init(&ov, event);
    CHECK_PENDS(ext()->accept_ex(l, server, addresses, 0, ADDRESS_SIZE, ADDRESS_SIZE, &bytes, &ov), POLL);
    REQUIRE(connect(client, (struct sockaddr *)&at, sizeof at) == 0);
    CHECK_EQ(finish(l, &ov, &bytes), 0, POLL);
    CHECK_QUIET(&call, POLL); /* AcceptEx has taken it */
    CHECK_END(&into, server, SEND_ | CONNECT_);
    close_both(client, server);
    client = tcp_socket();
    REQUIRE(connect(client, (struct sockaddr *)&at, sizeof at) == 0);
    CHECK_END(&call, l, ACCEPT_);
    CloseHandle(call.event);
    CloseHandle(into.event);
    CloseHandle(event);
    close_both(client, l);
}

static DWORD WINAPI accept_in_vain(void *listener)
{
    CHECK_CALL(accept((SOCKET)listener, NULL, NULL), INVALID_SOCKET, WSAEINTR, "D CancelSynchronousIo");
    return 0;
}

/* A connection that comes when a blocked accept was given up: the poll was asked while that would have taken it. */
static void accept_given_up(void)
{
    struct poll_call call = poll_of(FOREVER);
    struct sockaddr_in at;
    SOCKET l = listener(&at), client = tcp_socket();
    HANDLE thread = CreateThread(NULL, 0, accept_in_vain, (void *)l, 0, NULL);

    CHECK(!is_set(thread, CHECK_QUIET_MS), "setup"); /* It blocks by then, or the row shows nothing. */
    add(&call, l, ACCEPT_);
    CHECK_PENDING(l, &call);
    while (!CancelSynchronousIo(thread) && !is_set(thread, 1))
        ;
    CHECK(is_set(thread, CHECK_WAIT_MS), "setup");
    REQUIRE(connect(client, (struct sockaddr *)&at, sizeof at) == 0);
    CHECK_END(&call, l, ACCEPT_);
    CloseHandle(thread);
    CloseHandle(call.event);
    close_both(client, l);
}

static void datagrams(void)
{
    struct poll_call call = poll_of(FOREVER), joined = poll_of(FOREVER);
    SOCKET here = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP), there = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    struct sockaddr_in at;
    char octets[8];

    CHECK_POLL(here, ANY, SEND_);
    bind_loopback(here);
    at = name_of(here);
    CHECK_POLL(here, ANY, SEND_);
    add(&call, here, ANY & ~SEND_);
    CHECK_PENDING(here, &call);
    CHECK_EQ(sendto(there, "data", 5, 0, (struct sockaddr *)&at, sizeof at), 5, POLL);
    CHECK_END(&call, here, RECEIVE);
    CHECK_POLL(here, ANY, SEND_ | RECEIVE);
    CHECK_EQ(recv(here, octets, sizeof octets, 0), 5, POLL);
    CHECK_POLL(here, ANY, SEND_);
    add(&joined, there, CONNECT_);
    CHECK_PENDING(there, &joined);
    REQUIRE(connect(there, (struct sockaddr *)&at, sizeof at) == 0);
    CHECK_END(&joined, there, CONNECT_);
    CloseHandle(call.event);
    CloseHandle(joined.event);
    close_both(here, there);
}

/* ---- whose turn it is ----------------------------------------------------------------------------------- */

static struct poll_call exclusive_poll(SOCKET s, BOOL exclusive)
{
    struct poll_call call = poll_of(FOREVER);

    add(&call, s, ANY);
    call.in.exclusive = (ULONG)exclusive;
    return call;
}

static ULONG later(struct poll_call *call)
{
    return is_set(call->event, CHECK_QUIET_MS) ? (ULONG)call->block.Status : ST_PENDING;
}

static void exclusive(void)
{
    SOCKET by = tcp_socket(), s = tcp_socket(), t = tcp_socket();
    struct poll_call calls[4];
    static const struct {
        BOOL exclusive[3];
        int ended; /* which of the polls the others put an end to; 3: none */
    } rows[] = {
        { { FALSE, FALSE, FALSE }, 3 },
        { { FALSE, TRUE, TRUE }, 3 },
        { { TRUE, FALSE, FALSE }, 3 },
        { { TRUE, TRUE, FALSE }, 0 },
        { { TRUE, FALSE, TRUE }, 0 },
    };
    int n, row;

    for (row = 0; row < 5; row++) {
        for (n = 0; n < 3; n++) {
            calls[n] = exclusive_poll(s, rows[row].exclusive[n]);
            CHECK_EQ(issue((HANDLE)by, &calls[n]), ST_PENDING, EXCLUSIVE);
        }
        for (n = 0; n < 3; n++)
            CHECK_EQ(later(&calls[n]), n == rows[row].ended ? ST_CANCELLED : ST_PENDING, EXCLUSIVE);
        CHECK(CancelIo((HANDLE)by), EXCLUSIVE);
        for (n = 0; n < 3; n++) {
            CHECK_EQ(end_of(&calls[n]), ST_CANCELLED, EXCLUSIVE);
            CloseHandle(calls[n].event);
        }
    }
    /* The first is gone: who comes next is the first, whoever waits already. */
    for (n = 0; n < 4; n++)
        calls[n] = exclusive_poll(s, n > 0);
    CHECK_EQ(issue((HANDLE)t, &calls[0]), ST_PENDING, EXCLUSIVE);
    CHECK_EQ(issue((HANDLE)by, &calls[1]), ST_PENDING, EXCLUSIVE);
    CHECK(CancelIo((HANDLE)t), EXCLUSIVE);
    CHECK_EQ(end_of(&calls[0]), ST_CANCELLED, EXCLUSIVE);
    CHECK_EQ(issue((HANDLE)by, &calls[2]), ST_PENDING, EXCLUSIVE);
    CHECK_EQ(later(&calls[1]), ST_PENDING, EXCLUSIVE);
    CHECK_EQ(later(&calls[2]), ST_PENDING, EXCLUSIVE);
    CHECK_EQ(issue((HANDLE)by, &calls[3]), ST_PENDING, EXCLUSIVE);
    CHECK_EQ(later(&calls[1]), ST_PENDING, EXCLUSIVE);
    CHECK_EQ(later(&calls[2]), ST_CANCELLED, EXCLUSIVE);
    CHECK_EQ(later(&calls[3]), ST_PENDING, EXCLUSIVE);
    CHECK(CancelIo((HANDLE)by), EXCLUSIVE);
    for (n = 0; n < 4; n++)
        CloseHandle(calls[n].event);
    /* Other sockets are others' affair; one in common is enough. */
    calls[0] = exclusive_poll(s, TRUE);
    calls[1] = exclusive_poll(t, TRUE);
    CHECK_EQ(issue((HANDLE)by, &calls[0]), ST_PENDING, EXCLUSIVE);
    CHECK_EQ(issue((HANDLE)by, &calls[1]), ST_PENDING, EXCLUSIVE);
    CHECK_EQ(later(&calls[0]), ST_PENDING, EXCLUSIVE);
    calls[2] = exclusive_poll(by, TRUE);
    add(&calls[2], t, ANY);
    CHECK_EQ(issue((HANDLE)by, &calls[2]), ST_PENDING, EXCLUSIVE);
    CHECK_EQ(later(&calls[0]), ST_PENDING, EXCLUSIVE);
    CHECK_EQ(later(&calls[1]), ST_CANCELLED, EXCLUSIVE);
    CHECK_EQ(later(&calls[2]), ST_PENDING, EXCLUSIVE);
    CHECK(CancelIo((HANDLE)by), EXCLUSIVE);
    for (n = 0; n < 3; n++)
        CloseHandle(calls[n].event);
    close_both(s, t);
    /* One that ends at once displaces too. */
    tcp_pair(&s, &t);
    for (n = 0; n < 2; n++) {
        calls[n] = poll_of(FOREVER);
        calls[n].in.exclusive = TRUE;
        add(&calls[n], s, n == 0 ? RECEIVE : SEND_);
    }
    CHECK_EQ(issue((HANDLE)by, &calls[0]), ST_PENDING, EXCLUSIVE);
    CHECK_EQ(issue((HANDLE)by, &calls[1]), ST_SUCCESS, POLL);
    CHECK_EQ(end_of(&calls[0]), ST_CANCELLED, "choice: as one that waits");
    for (n = 0; n < 2; n++)
        CloseHandle(calls[n].event);
    close_both(s, t);
    closesocket(by);
}

/* ---- how the end is told -------------------------------------------------------------------------------- */

static void ports(void)
{
    struct poll_info info;
    IO_STATUS_BLOCK block, told;
    SOCKET client, server;
    HANDLE port, event = new_event();
    ULONG_PTR key, value;
    LARGE_INTEGER zero, some;
    struct { ULONG_PTR key, context; IO_STATUS_BLOCK block; } entries[4];
    ULONG count;

    zero.QuadPart = 0;
    some.QuadPart = IN_MS(CHECK_WAIT_MS);
    tcp_pair(&client, &server);
    CHECK_EQ(nt.new_port(&port, 0x1f0003, NULL, 0), 0, "choice: as CreateIoCompletionPort");
    REQUIRE(CreateIoCompletionPort((HANDLE)client, port, 3, 0) == port);
    memset(&info, 0, sizeof info);
    info.timeout = IN_MS(CHECK_WAIT_MS);
    info.count = 1;
    info.rows[0].socket = client;
    info.rows[0].events = SEND_;
#define CALL(context) \
    (ULONG)NtDeviceIoControlFile((HANDLE)client, event, NULL, (void *)(context), &block, CODE, &info, SIZE(1), &info, SIZE(1))
#define TAKE(wait) (ULONG)nt.remove(port, &key, &value, &told, wait)
    CHECK_EQ(CALL(0), ST_SUCCESS, PORT);
    CHECK_EQ(TAKE(&zero), ST_TIMEOUT, PORT);
    CHECK_EQ(CALL(0xdeadbeef), ST_SUCCESS, PORT);
    CHECK_EQ(TAKE(&zero), ST_SUCCESS, PORT);
    CHECK_EQ(key, 3, PORT);
    CHECK_EQ(value, 0xdeadbeef, PORT);
    CHECK_EQ(told.Information, SIZE(1), PORT);
    info.timeout = 0;
    info.rows[0].events = RECEIVE;
    CHECK_EQ(CALL(0xdeadbeef), ST_SUCCESS, PORT);
    CHECK_EQ(TAKE(&zero), ST_SUCCESS, PORT);
    CHECK_EQ(told.Information, SIZE(0), PORT);
    /* Its time is over: no failure, for Win32 either. */
    info.timeout = IN_MS(10);
    info.count = 1;
    info.rows[0].socket = client;
    info.rows[0].events = RECEIVE;
    CHECK_EQ(CALL(&info), ST_PENDING, PORT);
    CHECK_EQ(TAKE(&some), ST_SUCCESS, PORT);
    CHECK_EQ((ULONG)told.Status, ST_TIMEOUT, PORT);
    /* Data, taken with another packet. */
    info.timeout = FOREVER;
    info.count = 1;
    info.rows[0].socket = client;
    info.rows[0].events = RECEIVE;
    CHECK_EQ(CALL(&info), ST_PENDING, PORT);
    CHECK_EQ(send(server, "x", 1, 0), 1, "setup");
    CHECK(is_set(event, CHECK_WAIT_MS), "D NtDeviceIoControlFile");
    CHECK_EQ(nt.post(port, 4, 5, (NTSTATUS)ST_CANCELLED, 6), 0, "choice: as PostQueuedCompletionStatus");
    count = CHECK_UNSET;
    CHECK_EQ(nt.remove_ex(port, entries, 4, &count, &some, FALSE), 0, "choice: as GetQueuedCompletionStatusEx");
    CHECK_EQ(count, 2, "choice: as GetQueuedCompletionStatusEx");
    CHECK(entries[0].context == (ULONG_PTR)&info && (ULONG)entries[0].block.Status == ST_SUCCESS, PORT);
    CHECK(entries[1].key == 4 && entries[1].context == 5 && entries[1].block.Information == 6, PORT);
    CHECK_EQ((ULONG)entries[1].block.Status, ST_CANCELLED, PORT);
    CHECK_EQ(nt.remove_ex(port, entries, 0, &count, &zero, FALSE), (NTSTATUS)ST_INVALID_PARAMETER,
             "choice: as GetQueuedCompletionStatusEx");
    CHECK_EQ((ULONG)nt.remove(event, &key, &value, &told, &zero), ST_TYPE_MISMATCH, "choice: no port");
    CHECK_EQ((ULONG)nt.remove((HANDLE)0xabacab, &key, &value, &told, &zero), ST_INVALID_HANDLE, "choice: no handle");
#undef CALL
#undef TAKE
    CloseHandle(port);
    CloseHandle(event);
    close_both(client, server);
}

static volatile LONG calls_run;

static VOID NTAPI count_call(PVOID context, PIO_STATUS_BLOCK block, ULONG reserved)
{
    struct poll_call *call = context;

    CHECK(block == &call->block && reserved == 0, "D NtDeviceIoControlFile");
    CHECK_EQ((ULONG)block->Status, ST_SUCCESS, "D NtDeviceIoControlFile");
    InterlockedIncrement(&calls_run);
}

static void routines(void)
{
    struct poll_call call = poll_of(FOREVER);
    SOCKET client, server;
    HANDLE port = new_port();

    tcp_pair(&client, &server);
    add(&call, client, RECEIVE);
#define CALL() (ULONG)NtDeviceIoControlFile((HANDLE)client, NULL, count_call, &call, &call.block, CODE, &call.in, SIZE(1), \
                                            &call.out, SIZE(1))
    CHECK_EQ(CALL(), ST_PENDING, "D NtDeviceIoControlFile");
    CHECK_EQ(send(server, "x", 1, 0), 1, "setup");
    CHECK_EQ(SleepEx(CHECK_WAIT_MS, TRUE), WAIT_IO_COMPLETION, "D NtDeviceIoControlFile");
    CHECK_EQ(calls_run, 1, "D NtDeviceIoControlFile");
    associate(client, port, 0);
    CHECK_EQ(CALL(), ST_INVALID_PARAMETER, "T test_async_thread_termination: a routine and a port");
#undef CALL
    CloseHandle(call.event);
    CloseHandle(port);
    close_both(client, server);
}

static void cancellation(void)
{
    struct poll_call one = poll_of(FOREVER), two = poll_of(FOREVER);
    HANDLE device = open_device();
    IO_STATUS_BLOCK block;
    SOCKET client, server;

    tcp_pair(&client, &server);
    add(&one, client, RECEIVE);
    add(&two, client, RECEIVE);
    CHECK_EQ((ULONG)nt.cancel_ex(device, NULL, &block), ST_NOT_FOUND, "choice: as CancelIoEx");
    CHECK_EQ((ULONG)block.Status, ST_NOT_FOUND, "choice: as CancelIoEx");
    CHECK_PENDING(device, &one);
    CHECK_PENDING(device, &two);
    CHECK_EQ((ULONG)nt.cancel_ex((HANDLE)client, &one.block, &block), ST_NOT_FOUND, "choice: another handle");
    CHECK_EQ((ULONG)nt.cancel_ex(device, &one.block, &block), ST_SUCCESS, "choice: as CancelIoEx");
    CHECK_EQ(end_of(&one), ST_CANCELLED, "D CancelIoEx");
    CHECK_EQ(one.block.Information, 0, "D CancelIoEx");
    CHECK_EQ(one.out.count, 0xccccccccu, "choice: no answer is written");
    CHECK_QUIET(&two, "D CancelIoEx");
    CHECK_EQ((ULONG)nt.cancel_ex(device, &one.block, &block), ST_NOT_FOUND, "D CancelIoEx");
    CHECK_EQ((ULONG)nt.cancel(device, &block), ST_SUCCESS, "D CancelIo");
    CHECK_EQ(end_of(&two), ST_CANCELLED, "D CancelIo");
    CHECK_PENDING(client, &one);
    CHECK(CancelIoEx((HANDLE)client, (OVERLAPPED *)&one.block), "D CancelIoEx");
    CHECK_EQ(end_of(&one), ST_CANCELLED, "D CancelIoEx");
    CHECK_PENDING(client, &two);
    CHECK_EQ(send(server, "x", 1, 0), 1, "setup");
    CHECK_END(&two, client, RECEIVE);
    CloseHandle(one.event);
    CloseHandle(two.event);
    CloseHandle(device);
    close_both(client, server);
}

/* A thread that asks and ends. */
struct leaver {
    HANDLE by;
    struct poll_call *call;
    BOOL with_event;
    void *context;
};

static DWORD WINAPI ask_and_leave(void *argument)
{
    struct leaver *leaver = argument;
    struct poll_call *call = leaver->call;

    CHECK_EQ((ULONG)NtDeviceIoControlFile(leaver->by, leaver->with_event ? call->event : NULL, NULL, leaver->context,
                                          &call->block, CODE, &call->in, SIZE(1), &call->out, SIZE(1)), ST_PENDING,
             "T test_async_thread_termination");
    return 0;
}

static void thread_exit(void)
{
    SOCKET client, server;
    int on_port, with_event, with_context;

    for (on_port = 0; on_port < 2; on_port++)
        for (with_event = 0; with_event < 2; with_event++)
            for (with_context = 0; with_context < 2; with_context++) {
                BOOL survives = on_port && !with_event && with_context;
                struct poll_call call = poll_of(FOREVER);
                HANDLE port = new_port(), device = open_device(), thread;
                struct leaver leaver;

                tcp_pair(&client, &server);
                if (on_port)
                    REQUIRE(CreateIoCompletionPort(device, port, 1, 0) == port);
                add(&call, client, RECEIVE);
                leaver.by = device;
                leaver.call = &call;
                leaver.with_event = with_event;
                leaver.context = with_context ? &call : NULL;
                thread = CreateThread(NULL, 0, ask_and_leave, &leaver, 0, NULL);
                CHECK(is_set(thread, CHECK_WAIT_MS), "setup");
                CloseHandle(thread);
                CHECK_EQ((ULONG)call.block.Status, survives ? 0x55555555u : ST_CANCELLED, "T test_async_thread_termination");
                if (with_event)
                    CHECK(is_set(call.event, 0), "T test_async_thread_termination");
                if (survives)
                    CHECK_EQ(send(server, "x", 1, 0), 1, "setup");
                if (on_port && with_context)
                    CHECK_PACKET(port, 1, (OVERLAPPED *)&call, survives ? SIZE(1) : 0,
                                 survives ? 0 : ERROR_OPERATION_ABORTED, "T test_async_thread_termination");
                else
                    CHECK(no_packet(port), "T test_async_thread_termination");
                CloseHandle(call.event);
                CloseHandle(port);
                CloseHandle(device);
                close_both(client, server);
            }
}

/* ---- keyed events --------------------------------------------------------------------------------------- */

#define MEETINGS 500

struct meeting {
    HANDLE event;
    void *key;
    NTSTATUS(NTAPI *come)(HANDLE, void *, BOOLEAN, LARGE_INTEGER *);
    volatile LONG met;
};

static DWORD WINAPI come(void *argument)
{
    struct meeting *meeting = argument;
    int n;

    for (n = 0; n < MEETINGS; n++)
        if (meeting->come(meeting->event, meeting->key, FALSE, NULL) == 0)
            InterlockedIncrement(&meeting->met);
    return 0;
}

static void keyed_events(void)
{
    struct meeting sides[4];
    HANDLE threads[4], event, own = NULL;
    LARGE_INTEGER soon, zero;
    int key[2], n, round;

    soon.QuadPart = IN_MS(10);
    zero.QuadPart = 0;
    CHECK_EQ(nt.new_keyed(&event, 0x1f0003, NULL, 0), 0, "choice: as wepoll calls it");
    CHECK_EQ((ULONG)nt.new_keyed(&own, 0x1f0003, NULL, 1), ST_INVALID_PARAMETER, "choice: there are no flags");
    CHECK_EQ((ULONG)nt.wait_keyed(event, key, FALSE, &soon), ST_TIMEOUT, "choice: nobody comes");
    CHECK_EQ((ULONG)nt.release_keyed(event, key, FALSE, &zero), ST_TIMEOUT, "choice: nobody waits");
    CHECK_EQ((ULONG)nt.wait_keyed(event, (char *)key + 1, FALSE, &zero), ST_INVALID_PARAMETER, "choice: an odd key");
    CHECK_EQ((ULONG)nt.wait_keyed((HANDLE)0xabacab, key, FALSE, &zero), ST_INVALID_HANDLE, "choice: no handle");
    for (round = 0; round < 2; round++) {
        for (n = 0; n < 4; n++) {
            sides[n].event = round ? event : NULL; /* every process has one */
            sides[n].key = &key[n / 2];
            sides[n].come = n % 2 ? nt.wait_keyed : nt.release_keyed;
            sides[n].met = 0;
            threads[n] = CreateThread(NULL, 0, come, &sides[n], 0, NULL);
        }
        CHECK_EQ(WaitForMultipleObjects(4, threads, TRUE, CHECK_WAIT_MS), WAIT_OBJECT_0, "choice: each meets one");
        for (n = 0; n < 4; n++) {
            CHECK_EQ(sides[n].met, MEETINGS, "choice: each meets one");
            CloseHandle(threads[n]);
        }
    }
    CHECK_EQ(NtClose(event), 0, "D NtClose");
}

/* ---- many ----------------------------------------------------------------------------------------------- */

#define PAIRS 8
#define ROUNDS 200
#define WORKERS 2

static struct {
    HANDLE port, device;
    volatile LONG echoes, closed;
    struct pair {
        struct poll_call call;
        SOCKET here, there;
    } pairs[PAIRS];
} echo;

static void arm(struct pair *pair)
{
    pair->call.in.count = 0;
    pair->call.in.timeout = FOREVER;
    add(&pair->call, pair->there, RECEIVE | DISCONNECT);
    REQUIRE(NtDeviceIoControlFile(echo.device, NULL, NULL, pair, &pair->call.block, CODE, &pair->call.in, SIZE(1),
                                  &pair->call.in, SIZE(1)) >= 0);
}

/* A readiness loop: what is told is done, and asked for again. */
static DWORD WINAPI serve(void *unused)
{
    (void)unused;
    for (;;) {
        struct packet p = next_packet(echo.port, INFINITE);
        struct pair *pair = (struct pair *)p.ov;
        char octet;

        if (!pair)
            return 0;
        CHECK_EQ(pair->call.in.count, 1, POLL);
        if (recv(pair->there, &octet, 1, 0) == 1) {
            InterlockedIncrement(&echo.echoes); /* before the peer can know */
            REQUIRE(send(pair->there, &octet, 1, 0) == 1);
            arm(pair);
        } else {
            InterlockedIncrement(&echo.closed);
        }
    }
}

static void many(void)
{
    HANDLE workers[WORKERS];
    char octet;
    int n, round;

    echo.port = new_port();
    echo.device = open_device();
    REQUIRE(CreateIoCompletionPort(echo.device, echo.port, 0, 0) == echo.port);
    for (n = 0; n < PAIRS; n++) {
        tcp_pair(&echo.pairs[n].here, &echo.pairs[n].there);
        arm(&echo.pairs[n]);
    }
    for (n = 0; n < WORKERS; n++)
        workers[n] = CreateThread(NULL, 0, serve, NULL, 0, NULL);
    for (round = 0; round < ROUNDS; round++) {
        for (n = 0; n < PAIRS; n++)
            REQUIRE(send(echo.pairs[n].here, "x", 1, 0) == 1);
        for (n = 0; n < PAIRS; n++)
            REQUIRE(recv(echo.pairs[n].here, &octet, 1, 0) == 1);
    }
    CHECK_EQ(echo.echoes, PAIRS * ROUNDS, POLL);
    for (n = 0; n < PAIRS; n++)
        REQUIRE(shutdown(echo.pairs[n].here, SD_SEND) == 0);
    for (n = 0; n < CHECK_WAIT_MS / 10 && echo.closed < PAIRS; n++)
        Sleep(10);
    CHECK_EQ(echo.closed, PAIRS, POLL);
    for (n = 0; n < WORKERS; n++)
        PostQueuedCompletionStatus(echo.port, 0, 0, NULL);
    CHECK_EQ(WaitForMultipleObjects(WORKERS, workers, TRUE, CHECK_WAIT_MS), WAIT_OBJECT_0, "setup");
    for (n = 0; n < WORKERS; n++)
        CloseHandle(workers[n]);
    for (n = 0; n < PAIRS; n++)
        close_both(echo.pairs[n].here, echo.pairs[n].there);
    CloseHandle(echo.device);
    CloseHandle(echo.port);
}

int main(void)
{
    check_begin("afd_poll");
    look_up();
    devices();
    arguments();
    time_outs();
    connections();
    refused_connections();
    data();
    halves();
    resets();
    closing();
    several();
    crowd();
    accepts();
    accept_given_up();
    datagrams();
    exclusive();
    ports();
    routines();
    cancellation();
    thread_exit();
    keyed_events();
    many();
    return check_end();
}

/* cancel_calls.c - CancelSynchronousIo and OpenThread; what Winsock 2 says of Winsock 1.1's way to cancel. */
#include "check.h"

#define PAGE "D CancelSynchronousIo"

/* ---- a call that blocks on another thread ---------------------------------------------------------------- */

struct blocked {
    SOCKET s;
    struct sockaddr_in at;
    HANDLE file;
    volatile DWORD id;
    int result;
    DWORD error;
};

static DWORD WINAPI blocks_in_recv(void *context)
{
    struct blocked *b = context;
    char octet;

    b->result = recv(b->s, &octet, 1, 0);
    b->error = (DWORD)WSAGetLastError();
    return 0;
}

static DWORD WINAPI blocks_in_recvfrom(void *context)
{
    struct blocked *b = context;
    char octet;

    b->result = recvfrom(b->s, &octet, 1, 0, NULL, NULL);
    b->error = (DWORD)WSAGetLastError();
    return 0;
}

static DWORD WINAPI blocks_in_accept(void *context)
{
    struct blocked *b = context;

    b->result = accept(b->s, NULL, NULL) == INVALID_SOCKET ? SOCKET_ERROR : 0;
    b->error = (DWORD)WSAGetLastError();
    return 0;
}

static DWORD WINAPI blocks_in_read(void *context)
{
    struct blocked *b = context;
    DWORD octets = 0;
    char octet;

    b->result = ReadFile((HANDLE)b->s, &octet, 1, &octets, NULL) ? 0 : SOCKET_ERROR;
    b->error = GetLastError();
    return 0;
}

static DWORD WINAPI blocks_in_pipe(void *context)
{
    struct blocked *b = context;
    DWORD octets = 0;
    char octet;

    b->result = ReadFile(b->file, &octet, 1, &octets, NULL) ? (int)octets : SOCKET_ERROR;
    b->error = GetLastError();
    return 0;
}

static DWORD WINAPI blocks_in_send(void *context)
{
    struct blocked *b = context;
    static char data[65536];

    do
        b->result = send(b->s, data, sizeof data, 0);
    while (b->result == (int)sizeof data);
    b->error = b->result < 0 ? (DWORD)WSAGetLastError() : 0;
    return 0;
}

static DWORD WINAPI blocks_in_disconnect(void *context)
{
    struct blocked *b = context;

    b->result = ext()->disconnect_ex(b->s, NULL, TF_REUSE_SOCKET, 0) ? 0 : SOCKET_ERROR;
    b->error = GetLastError();
    return 0;
}

static DWORD WINAPI blocks_in_lock(void *context)
{
    struct blocked *b = context;
    OVERLAPPED ov;

    memset(&ov, 0, sizeof ov);
    b->result = LockFileEx(b->file, LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, &ov) ? 0 : SOCKET_ERROR;
    b->error = GetLastError();
    return 0;
}

/* Begins the call on a thread, and cancels it as soon as it blocks. */
static void cancel(LPTHREAD_START_ROUTINE call, struct blocked *b)
{
    HANDLE thread = CreateThread(NULL, 0, call, b, 0, NULL);
    ULONGLONG limit = GetTickCount64() + CHECK_WAIT_MS;
    BOOL cancelled;

    REQUIRE(thread != NULL);
    do {
        SetLastError(0);
        cancelled = CancelSynchronousIo(thread);
        if (!cancelled)
            SwitchToThread();
    } while (!cancelled && GetLastError() == ERROR_NOT_FOUND && GetTickCount64() < limit);
    CHECK(cancelled, PAGE);
    CHECK_EQ(WaitForSingleObject(thread, CHECK_WAIT_MS), WAIT_OBJECT_0, PAGE);
    CHECK_FALSE(CancelSynchronousIo(thread), ERROR_NOT_FOUND, PAGE);
    CloseHandle(thread);
}

static void calls(void)
{
    struct blocked b;
    SOCKET peer;

    memset(&b, 0, sizeof b);
    tcp_pair(&b.s, &peer);
    cancel(blocks_in_recv, &b);
    CHECK_EQ(b.result, SOCKET_ERROR, PAGE);
    CHECK_EQ(b.error, WSAEINTR, "D recv: the blocking call was canceled");
    REQUIRE(send(peer, "x", 1, 0) == 1);
    blocks_in_recv(&b);
    CHECK_EQ(b.result, 1, "choice: the connection goes on, and no data is lost");
    cancel(blocks_in_send, &b);
    CHECK(b.result > 0 || b.error == WSAEINTR, "choice: what was sent is told");
    close_both(b.s, peer);

    b.s = listener(&b.at);
    cancel(blocks_in_accept, &b);
    CHECK_EQ(b.result, SOCKET_ERROR, PAGE);
    CHECK_EQ(b.error, WSAEINTR, "D accept: the blocking call was canceled");
    peer = tcp_socket();
    REQUIRE(connect(peer, (struct sockaddr *)&b.at, sizeof b.at) == 0);
    blocks_in_accept(&b);
    CHECK_EQ(b.result, 0, "choice: the listener goes on");
    close_both(b.s, peer);

    b.s = WSASocketW(AF_INET, SOCK_DGRAM, 0, NULL, 0, 0);
    REQUIRE(b.s != INVALID_SOCKET);
    bind_loopback(b.s);
    cancel(blocks_in_read, &b);
    CHECK_EQ(b.result, SOCKET_ERROR, PAGE);
    CHECK_EQ(b.error, ERROR_OPERATION_ABORTED, PAGE);
    closesocket(b.s);

    b.s = socket(AF_INET, SOCK_DGRAM, 0);
    REQUIRE(b.s != INVALID_SOCKET);
    bind_loopback(b.s);
    cancel(blocks_in_recvfrom, &b);
    CHECK_EQ(b.result, SOCKET_ERROR, PAGE);
    CHECK_EQ(b.error, WSAEINTR, "D recvfrom: the blocking call was canceled");
    closesocket(b.s);

    tcp_pair(&b.s, &peer);
    cancel(blocks_in_disconnect, &b);
    CHECK_EQ(b.result, SOCKET_ERROR, PAGE);
    CHECK_EQ(b.error, ERROR_OPERATION_ABORTED, PAGE);
    close_both(b.s, peer);
}

static void pipes(void)
{
    struct blocked b;
    HANDLE writer;
    DWORD octets = 0;

    memset(&b, 0, sizeof b);
    REQUIRE(CreatePipe(&b.file, &writer, NULL, 0));
    cancel(blocks_in_pipe, &b);
    CHECK_EQ(b.result, SOCKET_ERROR, PAGE);
    CHECK_EQ(b.error, ERROR_OPERATION_ABORTED, PAGE);
    REQUIRE(WriteFile(writer, "x", 1, &octets, NULL));
    blocks_in_pipe(&b);
    CHECK_EQ(b.result, 1, "choice: the pipe goes on");
    CloseHandle(writer);
    blocks_in_pipe(&b);
    CHECK_EQ(b.result, SOCKET_ERROR, "D ReadFile");
    CHECK_EQ(b.error, ERROR_BROKEN_PIPE, "D ReadFile: the other end was closed");
    CloseHandle(b.file);
}

static void locks(void)
{
    struct blocked b;
    char name[MAX_PATH];
    HANDLE holder;

    memset(&b, 0, sizeof b);
    snprintf(name, sizeof name, "cancel_calls.%lu.tmp", (unsigned long)GetCurrentProcessId());
    holder = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, CREATE_ALWAYS,
                         0, NULL);
    b.file = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
                         0, NULL);
    REQUIRE(holder != INVALID_HANDLE_VALUE && b.file != INVALID_HANDLE_VALUE);
    REQUIRE(LockFile(holder, 0, 0, 1, 0));
    cancel(blocks_in_lock, &b);
    CHECK_EQ(b.result, SOCKET_ERROR, PAGE);
    CHECK_EQ(b.error, ERROR_OPERATION_ABORTED, PAGE);
    CloseHandle(b.file);
    CloseHandle(holder);
    REQUIRE(DeleteFileA(name));
}

/* ---- threads by number ------------------------------------------------------------------------------------ */

static HANDLE go_on;

static DWORD WINAPI waits(void *context)
{
    (void)context;
    WaitForSingleObject(go_on, INFINITE);
    return 7;
}

static DWORD WINAPI opens_main(void *context)
{
    HANDLE thread = OpenThread(THREAD_ALL_ACCESS, FALSE, *(DWORD *)context);

    if (!thread)
        return 1;
    if (GetThreadId(thread) != *(DWORD *)context)
        return 2;
    CloseHandle(thread);
    return 0;
}

static void threads(void)
{
    DWORD id = 0, code = 0, own = GetCurrentThreadId();
    HANDLE thread, other;

    go_on = CreateEventA(NULL, TRUE, FALSE, NULL);
    thread = CreateThread(NULL, 0, waits, NULL, 0, &id);
    REQUIRE(go_on != NULL && thread != NULL);
    other = OpenThread(THREAD_QUERY_INFORMATION | SYNCHRONIZE, FALSE, id);
    CHECK(other != NULL, "D OpenThread");
    CHECK_EQ(GetThreadId(other), id, "D OpenThread");
    CHECK_EQ(WaitForSingleObject(other, 0), WAIT_TIMEOUT, "D OpenThread");
    CHECK_FALSE(CancelSynchronousIo(other), ERROR_NOT_FOUND, "choice: a wait for an object is no I/O");
    CloseHandle(thread);
    REQUIRE(SetEvent(go_on));
    CHECK_EQ(WaitForSingleObject(other, CHECK_WAIT_MS), WAIT_OBJECT_0, "D OpenThread");
    CHECK(GetExitCodeThread(other, &code), "D OpenThread");
    CHECK_EQ(code, 7, "D OpenThread");
    thread = OpenThread(SYNCHRONIZE, FALSE, id);
    CHECK(thread != NULL, "D OpenThread: the object lives as long as a handle");
    CloseHandle(thread);
    CloseHandle(other);
    CloseHandle(go_on);
    CHECK_CALL((INT_PTR)OpenThread(SYNCHRONIZE, FALSE, 0), 0, ERROR_INVALID_PARAMETER, "choice: no such thread");

    thread = CreateThread(NULL, 0, opens_main, &own, 0, NULL);
    CHECK_EQ(WaitForSingleObject(thread, CHECK_WAIT_MS), WAIT_OBJECT_0, "D OpenThread");
    CHECK(GetExitCodeThread(thread, &code), "setup");
    CHECK_EQ(code, 0, "D OpenThread");
    CloseHandle(thread);
    CHECK_FALSE(CancelSynchronousIo(NULL), ERROR_INVALID_HANDLE, "choice: no thread");
    CHECK_FALSE(CancelSynchronousIo(GetCurrentThread()), ERROR_NOT_FOUND, PAGE);
}

static volatile LONG called;

static VOID CALLBACK count(ULONG_PTR by)
{
    InterlockedExchangeAdd(&called, (LONG)by);
}

static void queued_calls(void)
{
    CHECK(QueueUserAPC2(count, GetCurrentThread(), 3, QUEUE_USER_APC_FLAGS_NONE), "D QueueUserAPC2");
    CHECK_EQ(called, 0, "D QueueUserAPC2");
    CHECK_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION, "D QueueUserAPC2");
    CHECK_EQ(called, 3, "D QueueUserAPC2");
    CHECK_FALSE(QueueUserAPC2(count, GetCurrentThread(), 1, QUEUE_USER_APC_FLAGS_SPECIAL_USER_APC),
                ERROR_NOT_SUPPORTED, "choice: a special call might find the C library's locks taken");
    CHECK_FALSE(QueueUserAPC2(count, GetCurrentThread(), 1, (QUEUE_USER_APC_FLAGS)0x80), ERROR_INVALID_PARAMETER,
                "choice: an unknown flag");
    CHECK_FALSE(QueueUserAPC2(NULL, GetCurrentThread(), 1, QUEUE_USER_APC_FLAGS_NONE), ERROR_INVALID_PARAMETER,
                "choice: as QueueUserAPC");
    CHECK_EQ(SleepEx(0, TRUE), 0, "choice: what was refused is not called");
}

static void hooks(void)
{
    CHECK_FAIL(WSACancelBlockingCall(), WSAEOPNOTSUPP, "choice: Winsock 2 has it no more");
    CHECK_FALSE(WSAIsBlocking(), WSAEOPNOTSUPP, "choice: Winsock 2 has it no more");
    CHECK_CALL((INT_PTR)WSASetBlockingHook(NULL), 0, WSAEOPNOTSUPP, "choice: Winsock 2 has it no more");
    CHECK_FAIL(WSAUnhookBlockingHook(), WSAEOPNOTSUPP, "choice: Winsock 2 has it no more");
}

int main(void)
{
    check_begin("cancel_calls");
    calls();
    pipes();
    locks();
    threads();
    queued_calls();
    hooks();
    return check_end();
}

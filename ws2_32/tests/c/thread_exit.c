/*
 * thread_exit.c - what becomes of the operations that a thread began when that thread exits.
 */
#include "check.h"

struct begin {
    SOCKET s;
    OVERLAPPED ov;
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine;
    char buffer[64];
    int result;
    DWORD error;
};

static DWORD WINAPI begin_receive(void *argument)
{
    struct begin *b = argument;
    WSABUF space;
    DWORD flags = 0;

    space.buf = b->buffer;
    space.len = sizeof b->buffer;
    b->result = WSARecv(b->s, &space, 1, NULL, &flags, &b->ov, b->routine);
    b->error = GetLastError();
    return 0;
}

static DWORD WINAPI begin_receive_and_exit(void *argument)
{
    begin_receive(argument);
    ExitThread(5);
    return 0; /* never reached */
}

static DWORD WINAPI begin_disconnect(void *argument)
{
    struct begin *b = argument;

    b->result = ext()->disconnect_ex(b->s, &b->ov, TF_REUSE_SOCKET, 0) ? 0 : SOCKET_ERROR;
    b->error = GetLastError();
    return 0;
}

/* Runs the function in a thread of its own and waits for the thread's end. */
static void in_a_thread(LPTHREAD_START_ROUTINE function, struct begin *b)
{
    HANDLE thread;

    b->result = 0;
    b->error = 0;
    thread = CreateThread(NULL, 0, function, b, 0, NULL);
    REQUIRE(thread != NULL);
    CHECK(is_set(thread, CHECK_WAIT_MS), "setup");
    CHECK_EQ(b->result, SOCKET_ERROR, "setup");
    CHECK_EQ(b->error, WSA_IO_PENDING, "setup");
    CloseHandle(thread);
}

static BOOL completes(const struct begin *b)
{
    ULONGLONG limit = GetTickCount64() + CHECK_WAIT_MS;

    while (!HasOverlappedIoCompleted(&b->ov) && GetTickCount64() < limit)
        WaitForSingleObject(check_books()->stop, 5); /* nothing signals it: it is looked at, with a rest between */
    return HasOverlappedIoCompleted(&b->ov);
}

static void without_port(void)
{
    static const LPTHREAD_START_ROUTINE ways[] = { begin_receive, begin_receive_and_exit };
    SOCKET client, server;
    struct begin b;
    HANDLE event = new_event();
    int i;

    for (i = 0; i < 2; i++) {
        memset(&b, 0, sizeof b);
        tcp_pair(&client, &server);
        b.s = client;
        ov_init(&b.ov, event);
        in_a_thread(ways[i], &b);
        CHECK_EQ(finish(client, &b.ov, NULL), ERROR_OPERATION_ABORTED, "T test_async_thread_termination");
        CHECK_EQ((DWORD)b.ov.Internal, ST_CANCELLED, "T test_async_thread_termination");
        CHECK_EQ(wsa_result(client, &b.ov), WSA_OPERATION_ABORTED, "T test_async_thread_termination");
        check_transfer(server, client, "T test_async_thread_termination: only the operation is cancelled");
        close_both(client, server);
    }
    memset(&b, 0, sizeof b);
    tcp_pair(&client, &server);
    b.s = client;
    in_a_thread(begin_receive, &b);
    CHECK(completes(&b), "T test_async_thread_termination: no event either");
    CHECK_EQ((DWORD)b.ov.Internal, ST_CANCELLED, "T test_async_thread_termination");
    close_both(client, server);
    CloseHandle(event);
}

static volatile LONG routine_calls;

static void CALLBACK never(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov, DWORD flags)
{
    (void)error; (void)bytes; (void)ov; (void)flags;
    InterlockedIncrement(&routine_calls);
}

static void with_routine(void)
{
    SOCKET client, server;
    struct begin b;

    memset(&b, 0, sizeof b);
    tcp_pair(&client, &server);
    b.s = client;
    b.routine = never;
    in_a_thread(begin_receive, &b);
    CHECK(completes(&b), "T test_async_thread_termination");
    CHECK_EQ((DWORD)b.ov.Internal, ST_CANCELLED, "T test_async_thread_termination");
    CHECK_EQ(SleepEx(0, TRUE), 0, "T test_async_thread_termination");
    CHECK_EQ(routine_calls, 0, "T test_async_thread_termination: the routine never runs, in no thread");
    close_both(client, server);
}

static void with_port(void)
{
    SOCKET client, server;
    HANDLE port = new_port(), event = new_event();
    struct begin b;

    memset(&b, 0, sizeof b);
    tcp_pair(&client, &server);
    associate(client, port, 1);
    b.s = client;
    ov_init(&b.ov, event);
    in_a_thread(begin_receive, &b);
    CHECK_PACKET(port, 1, &b.ov, 0, ERROR_OPERATION_ABORTED, "T test_async_thread_termination: port and event");
    CHECK_EQ((DWORD)b.ov.Internal, ST_CANCELLED, "T test_async_thread_termination");
    CHECK(is_set(event, CHECK_WAIT_MS), "T test_async_thread_termination");
    close_both(client, server);

    tcp_pair(&client, &server);
    associate(client, port, 2);
    ResetEvent(event);
    b.s = client;
    ov_init(&b.ov, (HANDLE)((ULONG_PTR)event | 1));
    in_a_thread(begin_receive, &b);
    CHECK(is_set(event, CHECK_WAIT_MS), "T test_async_thread_termination: low bit");
    CHECK_EQ((DWORD)b.ov.Internal, ST_CANCELLED, "T test_async_thread_termination: low bit");
    CHECK(no_packet(port), "T test_async_thread_termination: low bit, no packet");
    close_both(client, server);

    tcp_pair(&client, &server);
    associate(client, port, 3);
    b.s = client;
    ov_init(&b.ov, NULL);
    in_a_thread(begin_receive, &b);
    CHECK(no_packet(port), "T test_iocp iocp_async_read_thread: port and no event: spared");
    CHECK_EQ((DWORD)b.ov.Internal, ST_PENDING, "T test_iocp iocp_async_read_thread");
    CHECK_EQ(send(server, "Hello World!", 12, 0), 12, "setup");
    CHECK_PACKET(port, 3, &b.ov, 12, 0, "T test_iocp iocp_async_read_thread");
    CHECK(memcmp(b.buffer, "Hello World!", 12) == 0, "T test_iocp iocp_async_read_thread");
    close_both(client, server);
    CloseHandle(port);
    CloseHandle(event);
}

/* A reuse that waits for the peer is an operation like any other. */
static void disconnects(void)
{
    SOCKET l, client, server;
    HANDLE port = new_port(), event = new_event();
    struct begin b;

    memset(&b, 0, sizeof b);
    ex_pair(&l, &client, &server);
    b.s = client;
    ov_init(&b.ov, event);
    in_a_thread(begin_disconnect, &b);
    CHECK_EQ(finish(client, &b.ov, NULL), ERROR_OPERATION_ABORTED, "choice design 4, S 000: thread exit cancels");
    close_both(client, server);
    closesocket(l);

    ex_pair(&l, &client, &server);
    associate(client, port, 4);
    b.s = client;
    ov_init(&b.ov, NULL);
    in_a_thread(begin_disconnect, &b);
    CHECK(no_packet(port), "choice design 4: port and no event: spared");
    CHECK_EQ(closesocket(server), 0, "setup");
    CHECK_PACKET(port, 4, &b.ov, 0, 0, "choice design 4: port and no event: spared");
    closesocket(client);
    closesocket(l);
    CloseHandle(port);
    CloseHandle(event);
}

static DWORD WINAPI send_and_exit(void *argument)
{
    struct begin *b = argument;
    WSABUF data;

    data.buf = b->buffer;
    data.len = 5;
    b->result = WSASend(b->s, &data, 1, NULL, 0, &b->ov, NULL);
    b->error = GetLastError();
    return 0;
}

static void buffered_send(void)
{
    SOCKET client, server;
    struct begin b;
    HANDLE thread;
    char buffer[16];

    memset(&b, 0, sizeof b);
    memcpy(b.buffer, "12345", 5);
    tcp_pair(&client, &server);
    b.s = client;
    thread = CreateThread(NULL, 0, send_and_exit, &b, 0, NULL);
    REQUIRE(thread != NULL);
    CHECK(is_set(thread, CHECK_WAIT_MS), "setup");
    CHECK_EQ(b.result, 0, "T test_send_buffering");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 5, "T test_send_buffering: buffered data survives the thread");
    CloseHandle(thread);
    close_both(client, server);
}

int main(void)
{
    check_begin("thread_exit");
    without_port();
    with_routine();
    with_port();
    disconnects();
    buffered_send();
    return check_end();
}

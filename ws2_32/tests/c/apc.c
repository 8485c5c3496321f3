/*
 * apc.c - completion routines and user APCs: when they run, when they do not, and what they are told.
 */
#include "check.h"

struct call {
    DWORD count, error, bytes, flags;
    OVERLAPPED *ov;
};

static struct call last; /* only the main thread's routines write it */

static void CALLBACK on_complete(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov, DWORD flags)
{
    last.count++;
    last.error = error;
    last.bytes = bytes;
    last.ov = ov;
    last.flags = flags;
}

static void expect_call(DWORD count, DWORD error, DWORD bytes, const OVERLAPPED *ov, const char *source)
{
    CHECK_EQ(last.count, count, source);
    CHECK_EQ(last.error, error, source);
    CHECK_EQ(last.bytes, bytes, source);
    CHECK(last.ov == ov, source);
    memset(&last, 0, sizeof last);
}

static int receive(SOCKET s, char *buffer, ULONG length, OVERLAPPED *ov)
{
    WSABUF space;
    DWORD flags = 0;

    space.buf = buffer;
    space.len = length;
    return WSARecv(s, &space, 1, NULL, &flags, ov, on_complete);
}

/* An alertable wait that runs one routine, or gives up. */
static DWORD alertable_wait(void)
{
    return SleepEx(CHECK_WAIT_MS, TRUE);
}

static void receive_routine(void)
{
    static const char *const T = "T test_WSARecv";
    SOCKET client, server;
    HANDLE event = new_event();
    OVERLAPPED ov;
    char buffer[16];

    tcp_pair(&client, &server);
    ov_init(&ov, event);
    CHECK_WSA_PENDS(receive(client, buffer, sizeof buffer, &ov), T);
    CHECK_EQ(SleepEx(0, TRUE), 0, T);
    CHECK_EQ(send(server, "12345", 5, 0), 5, "setup");
    CHECK_EQ(SleepEx(CHECK_QUIET_MS, FALSE), 0, "D SleepEx: not alertable");
    CHECK_EQ(last.count, 0, "D WSARecv: only in an alertable wait");
    CHECK_EQ(alertable_wait(), WAIT_IO_COMPLETION, T);
    expect_call(1, 0, 5, &ov, T);
    CHECK(memcmp(buffer, "12345", 5) == 0, T);
    CHECK_EQ((DWORD)ov.Internal, ST_SUCCESS, T);
    CHECK(!is_set(event, 0), "T test_WSARecv: hEvent is not signalled when a routine is given");

    CHECK_EQ(send(server, "12345", 5, 0), 5, "setup");
    CHECK(readable(client, CHECK_WAIT_MS), "setup");
    ov_init(&ov, event);
    CHECK_EQ(receive(client, buffer, sizeof buffer, &ov), 0, "D WSARecv: at once");
    CHECK_EQ(last.count, 0, "D WSARecv: the routine all the same waits");
    CHECK_EQ(alertable_wait(), WAIT_IO_COMPLETION, "D WSARecv");
    expect_call(1, 0, 5, &ov, "D WSARecv: an immediate success queues the routine");
    CHECK_EQ(SleepEx(0, TRUE), 0, "D WSARecv: once");
    close_both(client, server);
    CloseHandle(event);
}

static void failures(void)
{
    SOCKET client, server;
    HANDLE port = new_port();
    OVERLAPPED ov;
    char buffer[16];

    tcp_pair(&client, &server);
    ov_init(&ov, NULL);
    CHECK_WSA_PENDS(receive(client, buffer, sizeof buffer, &ov), "D WSARecv");
    close_with_rst(server);
    CHECK_EQ(alertable_wait(), WAIT_IO_COMPLETION, "reference 5.2");
    expect_call(1, WSAECONNRESET, 0, &ov, "reference 5.2: a Winsock code");
    closesocket(client);

    tcp_pair(&client, &server);
    ov_init(&ov, NULL);
    CHECK_WSA_PENDS(receive(client, buffer, sizeof buffer, &ov), "D WSARecv");
    CHECK(CancelIoEx((HANDLE)client, &ov), "D CancelIoEx");
    CHECK_EQ(alertable_wait(), WAIT_IO_COMPLETION, "reference 5.2");
    expect_call(1, WSA_OPERATION_ABORTED, 0, &ov, "reference 5.2");

    associate(client, port, 1);
    CHECK_FAIL(receive(client, buffer, sizeof buffer, &ov), WSAEINVAL, "T test_WSARecv: a routine on a port's socket");
    CHECK_EQ(send(server, "12345", 5, 0), 5, "setup");
    CHECK(readable(client, CHECK_WAIT_MS), "setup");
    CHECK_EQ(SleepEx(0, TRUE), 0, "T test_WSARecv: and it is not called");
    CHECK(no_packet(port), "T test_WSARecv");
    close_both(client, server);
    CloseHandle(port);
}

static DWORD apcs;
static HANDLE apc_event;

static void CALLBACK on_apc(ULONG_PTR value)
{
    apcs += (DWORD)value;
    if (apc_event)
        SetEvent(apc_event);
}

static void queue_to_self(ULONG_PTR value)
{
    REQUIRE(QueueUserAPC(on_apc, GetCurrentThread(), value));
}

/* Every kind of wait, alertable and not. */
static void kinds_of_wait(void)
{
    HANDLE event = new_event(), port = new_port();
    WSAEVENT events[1];
    OVERLAPPED_ENTRY entry;
    ULONG count = 0;

    events[0] = event;
    apcs = 0;
    queue_to_self(1);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT, "D QueueUserAPC");
    CHECK_EQ(WaitForSingleObjectEx(event, 0, FALSE), WAIT_TIMEOUT, "D WaitForSingleObjectEx");
    CHECK_EQ(WSAWaitForMultipleEvents(1, events, FALSE, 0, FALSE), WSA_WAIT_TIMEOUT, "D WSAWaitForMultipleEvents");
    CHECK_EQ(apcs, 0, "D QueueUserAPC: only in an alertable wait");
    CHECK_EQ(WaitForSingleObjectEx(event, CHECK_WAIT_MS, TRUE), WAIT_IO_COMPLETION, "D WaitForSingleObjectEx");
    CHECK_EQ(apcs, 1, "D QueueUserAPC");
    queue_to_self(1);
    CHECK_EQ(WaitForMultipleObjectsEx(1, events, FALSE, CHECK_WAIT_MS, TRUE), WAIT_IO_COMPLETION,
             "D WaitForMultipleObjectsEx");
    queue_to_self(1);
    CHECK_EQ(WSAWaitForMultipleEvents(1, events, FALSE, CHECK_WAIT_MS, TRUE), WSA_WAIT_IO_COMPLETION,
             "D WSAWaitForMultipleEvents");
    queue_to_self(1);
    CHECK_FALSE(GetQueuedCompletionStatusEx(port, &entry, 1, &count, CHECK_WAIT_MS, TRUE), WAIT_IO_COMPLETION,
                "D GetQueuedCompletionStatusEx");
    CHECK_EQ(apcs, 4, "D QueueUserAPC");
    queue_to_self(1);
    queue_to_self(10);
    CHECK_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION, "D SleepEx");
    CHECK_EQ(apcs, 15, "D QueueUserAPC: all that are queued, in one wait");
    CHECK_EQ(SleepEx(0, TRUE), 0, "D SleepEx");
    CloseHandle(event);
    CloseHandle(port);
}

struct sleeper {
    HANDLE begun;
    DWORD result;
};

static DWORD WINAPI sleep_alertably(void *argument)
{
    struct sleeper *sleeper = argument;

    SetEvent(sleeper->begun);
    sleeper->result = SleepEx(CHECK_WAIT_MS, TRUE);
    return 0;
}

static void to_another_thread(void)
{
    struct sleeper sleeper;
    HANDLE thread;

    sleeper.begun = new_event();
    sleeper.result = 0;
    apcs = 0;
    thread = CreateThread(NULL, 0, sleep_alertably, &sleeper, 0, NULL);
    REQUIRE(thread != NULL);
    CHECK(is_set(sleeper.begun, CHECK_WAIT_MS), "setup");
    CHECK(QueueUserAPC(on_apc, thread, 3) != 0, "D QueueUserAPC");
    CHECK(is_set(thread, CHECK_WAIT_MS), "D QueueUserAPC: wakes the wait");
    CHECK_EQ(sleeper.result, WAIT_IO_COMPLETION, "D SleepEx");
    CHECK_EQ(apcs, 3, "D QueueUserAPC");
    CHECK(QueueUserAPC(on_apc, thread, 3) == 0, "D QueueUserAPC: the thread has ended");
    CloseHandle(thread);
    CloseHandle(sleeper.begun);
}

/* Acts once an APC has run inside the main thread's blocking call; without that, after a while all the same. */
struct helper {
    SOCKET s;
    struct sockaddr_in at;
    HANDLE apc_ran;
    BOOL in_time;
};

static DWORD WINAPI help(void *argument)
{
    struct helper *h = argument;

    h->in_time = is_set(h->apc_ran, 2000);
    if (h->at.sin_family)
        connect(h->s, (struct sockaddr *)&h->at, sizeof h->at);
    else
        send(h->s, "12345", 5, 0);
    return 0;
}

static HANDLE start_help(struct helper *h, SOCKET s, const struct sockaddr_in *at)
{
    HANDLE thread;

    memset(h, 0, sizeof *h);
    h->s = s;
    if (at)
        h->at = *at;
    h->apc_ran = apc_event = new_event();
    apcs = 0;
    queue_to_self(1);
    thread = CreateThread(NULL, 0, help, h, 0, NULL);
    REQUIRE(thread != NULL);
    return thread;
}

static void end_help(struct helper *h, HANDLE thread, const char *source)
{
    CHECK(is_set(thread, CHECK_WAIT_MS), "setup");
    CHECK(h->in_time, source);
    CHECK_EQ(apcs, 1, source);
    apc_event = NULL;
    CloseHandle(h->apc_ran);
    CloseHandle(thread);
    SleepEx(0, TRUE); /* whatever a failed check left behind */
}

/* A Winsock call that has to wait lets APCs in, and then goes on waiting. */
static void inside_blocking_calls(void)
{
    struct timeval limit = { CHECK_WAIT_MS / 1000, 0 };
    struct sockaddr_in at;
    SOCKET l = listener(&at), client = tcp_socket(), server;
    struct helper h;
    HANDLE thread;
    char buffer[16];
    WSABUF space;
    DWORD bytes = 0, flags = 0;
    WSAPOLLFD fd;
    fd_set set;

    thread = start_help(&h, client, &at);
    server = accept(l, NULL, NULL);
    CHECK(server != INVALID_SOCKET, "T test_accept: accept went on waiting");
    end_help(&h, thread, "T test_accept");
    limit_waits(client);
    limit_waits(server);

    thread = start_help(&h, server, NULL);
    CHECK_EQ(recv(client, buffer, sizeof buffer, 0), 5, "T test_WSARecv");
    end_help(&h, thread, "T test_WSARecv");

    space.buf = buffer;
    space.len = sizeof buffer;
    thread = start_help(&h, server, NULL);
    CHECK_EQ(WSARecv(client, &space, 1, &bytes, &flags, NULL, NULL), 0, "T test_WSARecv");
    CHECK_EQ(bytes, 5, "T test_WSARecv");
    end_help(&h, thread, "T test_WSARecv");

    FD_ZERO(&set);
    FD_SET(client, &set);
    thread = start_help(&h, server, NULL);
    CHECK_EQ(select(0, &set, NULL, NULL, &limit), 1, "T test_select");
    end_help(&h, thread, "T test_select");
    recv(client, buffer, sizeof buffer, 0);

    fd.fd = client;
    fd.events = POLLRDNORM;
    fd.revents = 0;
    thread = start_help(&h, server, NULL);
    CHECK_EQ(WSAPoll(&fd, 1, CHECK_WAIT_MS), 1, "T test_WSAPoll");
    end_help(&h, thread, "T test_WSAPoll");
    close_both(client, server);
    closesocket(l);
}

/* A call that has nothing to wait for runs none. */
static void not_inside_immediate_calls(void)
{
    struct timeval limit = { 0, 0 };
    SOCKET client, server;
    OVERLAPPED ov;
    HANDLE event = new_event();
    DWORD bytes = 0, flags = 0;
    char buffer[16];
    fd_set set;

    tcp_pair(&client, &server);
    CHECK_EQ(send(server, "12345", 5, 0), 5, "setup");
    CHECK(readable(client, CHECK_WAIT_MS), "setup");
    apcs = 0;
    queue_to_self(1);
    CHECK_EQ(recv(client, buffer, 2, 0), 2, "T test_WSARecv");
    CHECK_EQ(apcs, 0, "T test_WSARecv: a call that completes at once");
    FD_ZERO(&set);
    FD_SET(client, &set);
    CHECK_EQ(select(0, &set, NULL, NULL, &limit), 1, "T test_select");
    CHECK_EQ(apcs, 0, "T test_select: ready at once");
    ov_init(&ov, event);
    ov.Internal = ST_PENDING;
    SetEvent(event);
    WSAGetOverlappedResult(client, &ov, &bytes, TRUE, &flags);
    CHECK_EQ(apcs, 0, "T test_WSAGetOverlappedResult: its wait is not alertable");
    CHECK_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION, "setup");
    CHECK_EQ(apcs, 1, "setup");
    close_both(client, server);
    CloseHandle(event);
}

int main(void)
{
    check_begin("apc");
    receive_routine();
    failures();
    kinds_of_wait();
    to_another_thread();
    inside_blocking_calls();
    not_inside_immediate_calls();
    return check_end();
}

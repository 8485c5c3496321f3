/*
 * completion_port.c - completion ports: association, packets of every call, posted packets, waits, many at once.
 */
#include "check.h"

static void creation(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 4), event = new_event();
    SOCKET s = tcp_socket(), gone = tcp_socket();

    closesocket(gone);
    CHECK(port != NULL, "D CreateIoCompletionPort");
    CHECK_CALL(CreateIoCompletionPort(INVALID_HANDLE_VALUE, port, 0, 0), 0, ERROR_INVALID_PARAMETER,
               "D CreateIoCompletionPort: nothing to associate");
    CHECK_CALL(CreateIoCompletionPort((HANDLE)gone, port, 0, 0), 0, ERROR_INVALID_HANDLE, "D CreateIoCompletionPort");
    CHECK_CALL(CreateIoCompletionPort((HANDLE)s, event, 0, 0), 0, ERROR_INVALID_HANDLE, "D CreateIoCompletionPort");
    CHECK(CreateIoCompletionPort((HANDLE)s, port, 77, 0) == port, "D CreateIoCompletionPort");
    CHECK_CALL(CreateIoCompletionPort((HANDLE)s, port, 78, 0), 0, ERROR_INVALID_PARAMETER,
               "choice: a second association fails; porting 0: the old key stays");
    CHECK(CloseHandle(port), "D CloseHandle");
    CHECK_FALSE(CloseHandle(port), ERROR_INVALID_HANDLE, "D CloseHandle: twice");
    closesocket(s);

    s = tcp_socket();
    port = CreateIoCompletionPort((HANDLE)s, NULL, 79, 0);
    CHECK(port != NULL, "D CreateIoCompletionPort: creates and associates in one");
    if (port)
        CloseHandle(port);
    closesocket(s);
    CloseHandle(event);
}

static void empty(void)
{
    HANDLE port = new_port(), event = new_event();
    ULONGLONG start = GetTickCount64();
    struct packet p = next_packet(port, 0);

    CHECK(!p.ok && p.error == WAIT_TIMEOUT, "T test_completion_port");
    CHECK(p.ov == NULL, "T test_completion_port: the OVERLAPPED pointer is cleared");
    CHECK_EQ(p.bytes, CHECK_UNSET, "T test_completion_port: bytes untouched");
    CHECK_EQ(p.key, CHECK_UNSET, "T test_completion_port: key untouched");
    p = next_packet(port, 100);
    CHECK(!p.ok && p.error == WAIT_TIMEOUT && p.ov == NULL, "T test_completion_port");
    CHECK(GetTickCount64() - start >= 80, "D GetQueuedCompletionStatus: waits as long as it was told");
    p = next_packet(event, 0);
    CHECK(!p.ok && p.error == ERROR_INVALID_HANDLE, "D GetQueuedCompletionStatus: not a port");
    CHECK(p.ov == NULL, "D GetQueuedCompletionStatus");
    CloseHandle(event);
    CloseHandle(port);
    p = next_packet(port, 0);
    CHECK(!p.ok && p.error == ERROR_INVALID_HANDLE, "D GetQueuedCompletionStatus: a closed port");
    CHECK_FALSE(PostQueuedCompletionStatus(port, 0, 0, NULL), ERROR_INVALID_HANDLE, "D PostQueuedCompletionStatus");
}

static void posted(void)
{
    HANDLE port = new_port();
    OVERLAPPED ov;
    struct packet p;
    int i;

    CHECK(PostQueuedCompletionStatus(port, 1, 2, &ov), "D PostQueuedCompletionStatus");
    p = next_packet(port, 0);
    CHECK_EQ(GetLastError(), CHECK_UNSET, "T test_completion_port: success leaves the last error alone");
    CHECK(p.ok && p.bytes == 1 && p.key == 2 && p.ov == &ov, "D PostQueuedCompletionStatus: passed through as given");
    CHECK(PostQueuedCompletionStatus(port, 0xffffffffu, (ULONG_PTR)-1, NULL), "D PostQueuedCompletionStatus");
    p = next_packet(port, 0);
    CHECK(p.ok && p.bytes == 0xffffffffu && p.key == (ULONG_PTR)-1 && !p.ov, "D PostQueuedCompletionStatus");
    for (i = 0; i < 1000; i++)
        CHECK(PostQueuedCompletionStatus(port, 0, (ULONG_PTR)i, NULL), "D PostQueuedCompletionStatus");
    for (i = 0; i < 1000; i++) {
        p = next_packet(port, 0);
        CHECK(p.ok && p.key == (ULONG_PTR)i, "D completion ports: packets come first in, first out");
    }
    CHECK(no_packet(port), "D completion ports");
    CloseHandle(port);
}

static void several_at_once(void)
{
    HANDLE port = new_port();
    OVERLAPPED_ENTRY entries[8];
    ULONG count = CHECK_UNSET;
    OVERLAPPED ov;
    ULONG i;

    CHECK_FALSE(GetQueuedCompletionStatusEx(port, entries, 8, &count, 0, FALSE), WAIT_TIMEOUT,
                "D GetQueuedCompletionStatusEx");
    ov_init(&ov, NULL);
    ov.Internal = 0x1234;
    for (i = 0; i < 10; i++)
        PostQueuedCompletionStatus(port, i, 100 + i, &ov);
    memset(entries, 0xcc, sizeof entries);
    CHECK(GetQueuedCompletionStatusEx(port, entries, 8, &count, 0, FALSE), "D GetQueuedCompletionStatusEx");
    CHECK_EQ(count, 8, "D GetQueuedCompletionStatusEx: as many as there is room for");
    for (i = 0; i < 8; i++)
        CHECK(entries[i].dwNumberOfBytesTransferred == i && entries[i].lpCompletionKey == 100 + i
              && entries[i].lpOverlapped == &ov, "D GetQueuedCompletionStatusEx");
    CHECK(GetQueuedCompletionStatusEx(port, entries, 8, &count, 0, FALSE), "D GetQueuedCompletionStatusEx");
    CHECK_EQ(count, 2, "D GetQueuedCompletionStatusEx");
    CHECK_EQ(entries[1].lpCompletionKey, 109, "D GetQueuedCompletionStatusEx");
    CHECK_FALSE(GetQueuedCompletionStatusEx(port, entries, 0, &count, 0, FALSE), ERROR_INVALID_PARAMETER,
                "D GetQueuedCompletionStatusEx: no room");
    CloseHandle(port);
}

/* A failed operation is a success of GetQueuedCompletionStatusEx; its status is in the OVERLAPPED. */
static void several_with_failure(void)
{
    SOCKET client, server;
    HANDLE port = new_port();
    OVERLAPPED_ENTRY entries[4];
    OVERLAPPED ov;
    WSABUF space;
    char buffer[16];
    DWORD flags = 0;
    ULONG count = 0;

    tcp_pair(&client, &server);
    associate(client, port, 9);
    space.buf = buffer;
    space.len = sizeof buffer;
    ov_init(&ov, NULL);
    CHECK_WSA_PENDS(WSARecv(client, &space, 1, NULL, &flags, &ov, NULL), "D WSARecv");
    close_with_rst(server);
    CHECK(GetQueuedCompletionStatusEx(port, entries, 4, &count, CHECK_WAIT_MS, FALSE), "D GetQueuedCompletionStatusEx");
    CHECK_EQ(count, 1, "D GetQueuedCompletionStatusEx");
    CHECK(entries[0].lpOverlapped == &ov && entries[0].lpCompletionKey == 9, "D GetQueuedCompletionStatusEx");
    CHECK_EQ((DWORD)ov.Internal, ST_CONNECTION_RESET, "T test_tcp_reset");
    closesocket(client);
    CloseHandle(port);
}

static void transfers(void)
{
    SOCKET client, server;
    HANDLE port = new_port(), event = new_event();
    OVERLAPPED sending, receiving;
    char buffer[16];
    WSABUF out, in;
    DWORD bytes = 0, flags = 0;

    tcp_pair(&client, &server);
    associate(client, port, 21);
    associate(server, port, 22);
    out.buf = (char *)"hello";
    out.len = 5;
    in.buf = buffer;
    in.len = sizeof buffer;
    ov_init(&receiving, event);
    ov_init(&sending, NULL);
    CHECK_WSA_PENDS(WSARecv(server, &in, 1, NULL, &flags, &receiving, NULL), "D WSARecv");
    CHECK_EQ(WSASend(client, &out, 1, &bytes, 0, &sending, NULL), 0, "D WSASend: room in the buffers");
    CHECK_EQ(bytes, 5, "D WSASend");
    {
        struct packet a = next_packet(port, CHECK_WAIT_MS), b = next_packet(port, CHECK_WAIT_MS);

        CHECK(a.ok && b.ok && a.bytes == 5 && b.bytes == 5, "D completion ports: an immediate success queues too");
        CHECK((a.ov == &sending && a.key == 21 && b.ov == &receiving && b.key == 22)
              || (b.ov == &sending && b.key == 21 && a.ov == &receiving && a.key == 22), "D completion ports");
    }
    CHECK(is_set(event, 0), "T test_connect_completion_port: event and packet");
    CHECK(no_packet(port), "D completion ports: one packet each");

    CHECK_EQ(WSASend(client, &out, 1, &bytes, 0, NULL, NULL), 0, "setup");
    flags = 0;
    CHECK_EQ(WSARecv(server, &in, 1, &bytes, &flags, NULL, NULL), 0, "setup");
    CHECK(no_packet(port), "reference 1.11: no OVERLAPPED, no packet");

    ResetEvent(event);
    ov_init(&receiving, (HANDLE)((ULONG_PTR)event | 1));
    flags = 0;
    CHECK_WSA_PENDS(WSARecv(server, &in, 1, NULL, &flags, &receiving, NULL), "D WSARecv");
    CHECK_EQ(send(client, "hello", 5, 0), 5, "setup");
    CHECK_EQ(WaitForSingleObject(receiving.hEvent, CHECK_WAIT_MS), WAIT_OBJECT_0,
             "T test_shutdown_completion_port: the low bit does not harm the handle");
    CHECK(no_packet(port), "D GetQueuedCompletionStatus: low bit, no packet");
    close_both(client, server);
    CloseHandle(port);
    CloseHandle(event);
}

static void skip_on_success(void)
{
    SOCKET client, server;
    HANDLE port = new_port();
    OVERLAPPED ov;
    char buffer[16];
    WSABUF out, in;
    DWORD bytes = 0, flags = 0;

    tcp_pair(&client, &server);
    associate(client, port, 31);
    associate(server, port, 32);
    CHECK(SetFileCompletionNotificationModes((HANDLE)client, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS),
          "D SetFileCompletionNotificationModes");
    CHECK(SetFileCompletionNotificationModes((HANDLE)server, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS
                                                             | FILE_SKIP_SET_EVENT_ON_HANDLE),
          "D SetFileCompletionNotificationModes");
    CHECK(SetFileCompletionNotificationModes((HANDLE)server, 0), "D: nothing more; what is set stays set");
    out.buf = (char *)"hello";
    out.len = 5;
    in.buf = buffer;
    in.len = sizeof buffer;
    ov_init(&ov, NULL);
    CHECK_EQ(WSASend(client, &out, 1, &bytes, 0, &ov, NULL), 0, "D WSASend");
    CHECK(no_packet(port), "D SetFileCompletionNotificationModes: done at once, no packet");
    CHECK(readable(server, CHECK_WAIT_MS), "setup");
    ov_init(&ov, NULL);
    CHECK_EQ(WSARecv(server, &in, 1, &bytes, &flags, &ov, NULL), 0, "D WSARecv");
    CHECK_EQ(bytes, 5, "D WSARecv");
    CHECK(no_packet(port), "D SetFileCompletionNotificationModes: flags accumulate");
    ov_init(&ov, NULL);
    CHECK_WSA_PENDS(WSARecv(server, &in, 1, NULL, &flags, &ov, NULL), "D WSARecv");
    CHECK_EQ(send(client, "hello", 5, 0), 5, "setup");
    CHECK_PACKET(port, 32, &ov, 5, 0, "T test_connect_completion_port: what pended queues");
    CHECK_EQ(shutdown(client, SD_SEND), 0, "setup");
    CHECK(readable(server, CHECK_WAIT_MS), "setup");
    ov_init(&ov, NULL);
    CHECK_EQ(WSARecv(server, &in, 1, &bytes, &flags, &ov, NULL), 0, "D WSARecv");
    CHECK(no_packet(port), "reference 1.11: nor for the end of the stream");
    close_both(client, server);
    CloseHandle(port);
}

static void associated_late(void)
{
    SOCKET client, server;
    HANDLE port = new_port();
    OVERLAPPED ov;
    char buffer[16];
    WSABUF in;
    DWORD flags = 0;

    tcp_pair(&client, &server);
    in.buf = buffer;
    in.len = sizeof buffer;
    ov_init(&ov, NULL);
    CHECK_WSA_PENDS(WSARecv(server, &in, 1, NULL, &flags, &ov, NULL), "D WSARecv");
    associate(server, port, 41);
    CHECK_EQ(send(client, "hello", 5, 0), 5, "setup");
    CHECK_PACKET(port, 41, &ov, 5, 0, "T test_completion_port: port created after the call");
    CHECK_CALL(CreateIoCompletionPort((HANDLE)server, port, 42, 0), 0, ERROR_INVALID_PARAMETER,
               "choice: a second time");
    ov_init(&ov, NULL);
    CHECK_WSA_PENDS(WSARecv(server, &in, 1, NULL, &flags, &ov, NULL), "D WSARecv");
    CHECK_EQ(send(client, "hello", 5, 0), 5, "setup");
    CHECK_PACKET(port, 41, &ov, 5, 0, "porting 0: the old key stays");
    CloseHandle(port);
    check_transfer(client, server, "D CloseHandle: the socket outlives its port");
    close_both(client, server);
}

struct waiter {
    HANDLE port, begun, got, go;
    struct packet p;
    volatile LONG count;
};

static DWORD WINAPI wait_for_packet(void *argument)
{
    struct waiter *w = argument;

    SetEvent(w->begun);
    w->p = next_packet(w->port, CHECK_WAIT_MS);
    SetEvent(w->got);
    if (w->go)
        WaitForSingleObject(w->go, CHECK_WAIT_MS);
    return 0;
}

static void waiter_init(struct waiter *w, HANDLE port)
{
    memset(w, 0, sizeof *w);
    w->port = port;
    w->begun = new_event();
    w->got = new_event();
}

static void waiter_end(struct waiter *w, HANDLE thread)
{
    CHECK(is_set(thread, 2 * CHECK_WAIT_MS), "setup");
    CloseHandle(thread);
    CloseHandle(w->begun);
    CloseHandle(w->got);
}

static void closed_while_waiting(void)
{
    struct waiter w;
    HANDLE thread, port = new_port();

    waiter_init(&w, port);
    thread = CreateThread(NULL, 0, wait_for_packet, &w, 0, NULL);
    REQUIRE(thread != NULL);
    CHECK(is_set(w.begun, CHECK_WAIT_MS), "setup");
    CHECK(!is_set(w.got, CHECK_QUIET_MS), "setup");
    CHECK(CloseHandle(port), "D CloseHandle");
    CHECK(is_set(w.got, CHECK_WAIT_MS), "D GetQueuedCompletionStatus: the port is closed");
    CHECK(!w.p.ok && w.p.error == ERROR_ABANDONED_WAIT_0 && w.p.ov == NULL, "D GetQueuedCompletionStatus");
    waiter_end(&w, thread);
}

/* A port for one thread at a time: while that one is blocked elsewhere, another is let through. */
static void concurrency(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1), go = new_event(), threads[2];
    struct waiter w[2];
    int i;

    for (i = 0; i < 2; i++) {
        waiter_init(&w[i], port);
        w[i].go = go;
        threads[i] = CreateThread(NULL, 0, wait_for_packet, &w[i], 0, NULL);
        REQUIRE(threads[i] != NULL);
        CHECK(is_set(w[i].begun, CHECK_WAIT_MS), "setup");
    }
    CHECK(PostQueuedCompletionStatus(port, 0, 1, NULL), "D PostQueuedCompletionStatus");
    CHECK(PostQueuedCompletionStatus(port, 0, 2, NULL), "D PostQueuedCompletionStatus");
    CHECK(is_set(w[0].got, CHECK_WAIT_MS), "D completion ports: a blocked thread does not count");
    CHECK(is_set(w[1].got, CHECK_WAIT_MS), "D completion ports: a blocked thread does not count");
    CHECK(w[0].p.ok && w[1].p.ok && w[0].p.key + w[1].p.key == 3, "D completion ports: each packet once");
    SetEvent(go);
    for (i = 0; i < 2; i++)
        waiter_end(&w[i], threads[i]);
    CloseHandle(port);
    CloseHandle(go);
}

enum { CROWD = 4, CROWD_PACKETS = 4000 };

struct crowd {
    HANDLE port;
    volatile LONG taken[CROWD_PACKETS];
    volatile LONG total;
};

static DWORD WINAPI take_packets(void *argument)
{
    struct crowd *crowd = argument;

    for (;;) {
        struct packet p = next_packet(crowd->port, CHECK_WAIT_MS);

        if (!p.ok || p.key == CROWD_PACKETS)
            return 0;
        InterlockedIncrement(&crowd->taken[p.key]);
        InterlockedIncrement(&crowd->total);
    }
}

static void many_threads(void)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);
    HANDLE threads[CROWD];
    BOOL once = TRUE;
    int i;

    REQUIRE(crowd != NULL);
    crowd->port = new_port();
    for (i = 0; i < CROWD; i++) {
        threads[i] = CreateThread(NULL, 0, take_packets, crowd, 0, NULL);
        REQUIRE(threads[i] != NULL);
    }
    for (i = 0; i < CROWD_PACKETS; i++)
        REQUIRE(PostQueuedCompletionStatus(crowd->port, 0, (ULONG_PTR)i, NULL));
    for (i = 0; i < CROWD; i++)
        REQUIRE(PostQueuedCompletionStatus(crowd->port, 0, CROWD_PACKETS, NULL));
    CHECK_EQ(WaitForMultipleObjects(CROWD, threads, TRUE, 2 * CHECK_WAIT_MS), WAIT_OBJECT_0, "setup");
    for (i = 0; i < CROWD_PACKETS; i++)
        once = once && crowd->taken[i] == 1;
    CHECK(once, "D completion ports: each packet exactly once");
    CHECK_EQ(crowd->total, CROWD_PACKETS, "D completion ports");
    for (i = 0; i < CROWD; i++)
        CloseHandle(threads[i]);
    CloseHandle(crowd->port);
    free(crowd);
}

int main(void)
{
    check_begin("completion_port");
    creation();
    empty();
    posted();
    several_at_once();
    several_with_failure();
    transfers();
    skip_on_success();
    associated_late();
    closed_while_waiting();
    concurrency();
    many_threads();
    return check_end();
}

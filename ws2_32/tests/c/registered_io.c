/* registered_io.c - Registered I/O: requests of registered memory, and completion queues that are looked at, or that tell by an
 * event or a completion port. */
#include "check.h"

#define TABLE "D RIO_EXTENSION_FUNCTION_TABLE"
#define BUFFER "D RIORegisterBuffer"
#define CQ_PAGE "D RIOCreateCompletionQueue"
#define RQ_PAGE "D RIOCreateRequestQueue"
#define NOTIFY "D RIONotify"
#define RECEIVE "D RIOReceive"
#define RESULT "D RIORESULT"

enum { MEMORY = 65536, DEPTH = 8 };

static RIO_EXTENSION_FUNCTION_TABLE rio;
static char memory[MEMORY];
static RIO_BUFFERID registered;

static SOCKET rio_socket(void)
{
    SOCKET s = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_REGISTERED_IO | WSA_FLAG_OVERLAPPED);

    REQUIRE(s != INVALID_SOCKET);
    return s;
}

/* Two ends of a connection, both made for requests: the accepted one as its listener. */
static void rio_pair(SOCKET *client, SOCKET *server)
{
    struct sockaddr_in at = loopback(0);
    SOCKET l = rio_socket();

    bind_loopback(l);
    REQUIRE(listen(l, 5) == 0);
    at = name_of(l);
    *client = rio_socket();
    REQUIRE(connect(*client, (struct sockaddr *)&at, sizeof at) == 0);
    *server = accept(l, NULL, NULL);
    REQUIRE(*server != INVALID_SOCKET);
    closesocket(l);
}

static RIO_BUF part(ULONG offset, ULONG length)
{
    RIO_BUF buf;

    buf.BufferId = registered;
    buf.Offset = offset;
    buf.Length = length;
    return buf;
}

static BOOL receive(RIO_RQ rq, ULONG offset, ULONG length, DWORD flags, ULONG_PTR context)
{
    RIO_BUF buf = part(offset, length);

    return rio.RIOReceive(rq, &buf, 1, flags, (PVOID)context);
}

static BOOL send_part(RIO_RQ rq, ULONG offset, ULONG length, DWORD flags, ULONG_PTR context)
{
    RIO_BUF buf = part(offset, length);

    return rio.RIOSend(rq, &buf, 1, flags, (PVOID)context);
}

/* The next completion, by looking again and again. */
static RIORESULT next_result(RIO_CQ cq)
{
    RIORESULT result;
    ULONGLONG end = GetTickCount64() + CHECK_WAIT_MS;
    ULONG count;

    memset(&result, 0x55, sizeof result);
    while ((count = rio.RIODequeueCompletion(cq, &result, 1)) == 0 && GetTickCount64() < end)
        ;
    REQUIRE(count == 1);
    return result;
}

#define CHECK_RESULT(cq, context, status, bytes, source) do { \
        RIORESULT result_ = next_result(cq); \
        CHECK_EQ(result_.RequestContext, context, source); \
        CHECK_EQ(result_.Status, status, source); \
        CHECK_EQ(result_.BytesTransferred, bytes, source); \
    } while (0)

static RIO_CQ polled(DWORD size)
{
    RIO_CQ cq = rio.RIOCreateCompletionQueue(size, NULL);

    REQUIRE(cq != RIO_INVALID_CQ);
    return cq;
}

static RIO_RQ requests(SOCKET s, RIO_CQ cq, ULONG_PTR context)
{
    RIO_RQ rq = rio.RIOCreateRequestQueue(s, DEPTH, 1, DEPTH, 1, cq, cq, (PVOID)context);

    REQUIRE(rq != RIO_INVALID_RQ);
    return rq;
}

static void table(void)
{
    GUID id = WSAID_MULTIPLE_RIO, other = WSAID_DISCONNECTEX;
    SOCKET s = rio_socket();
    DWORD bytes = CHECK_UNSET;

    CHECK_FAIL(WSAIoctl(s, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &rio, sizeof rio - 1, &bytes, NULL, NULL),
               WSAEFAULT, "D WSAIoctl: the room is too small");
    CHECK_FAIL(WSAIoctl(s, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, &other, sizeof other, &rio, sizeof rio, &bytes, NULL, NULL),
               WSAEINVAL, "D WSAIoctl: not a table's identifier");
    CHECK_EQ(WSAIoctl(s, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &rio, sizeof rio, &bytes, NULL, NULL), 0, TABLE);
    CHECK_EQ(bytes, sizeof rio, TABLE);
    CHECK_EQ(rio.cbSize, sizeof rio, TABLE);
    closesocket(s);
    registered = rio.RIORegisterBuffer(memory, sizeof memory);
    REQUIRE(registered != RIO_INVALID_BUFFERID);
}

static void buffers(void)
{
    RIO_CQ cq = polled(2 * DEPTH);
    SOCKET client, server;
    RIO_BUF buf = part(0, 1);
    RIO_RQ rq;

    SetLastError(0);
    CHECK(rio.RIORegisterBuffer(NULL, 16) == RIO_INVALID_BUFFERID && WSAGetLastError() == WSAEFAULT, BUFFER);
    CHECK(rio.RIORegisterBuffer((char *)16, 16) == RIO_INVALID_BUFFERID && WSAGetLastError() == WSAEFAULT, BUFFER);
    CHECK(rio.RIORegisterBuffer(memory, 0) == RIO_INVALID_BUFFERID && WSAGetLastError() == WSAEINVAL, "choice: no memory");
    rio_pair(&client, &server);
    rq = requests(client, cq, 0);
    CHECK_FALSE(receive(rq, MEMORY - 1, 2, 0, 0), WSAEINVAL, RECEIVE);
    CHECK_FALSE(receive(rq, 0xffffffff, 0xffffffff, 0, 0), WSAEINVAL, RECEIVE);
    CHECK_FALSE(rio.RIOReceive(rq, (RIO_BUF *)16, 1, 0, NULL), WSAEFAULT, RECEIVE);
    CHECK_FALSE(rio.RIOReceive(rq, &buf, 2, 0, NULL), WSAEINVAL, "D RIOReceive: DataBufferCount is 1");
    CHECK_FALSE(rio.RIOReceive(rq, &buf, 1, 0x10, NULL), WSAEINVAL, RECEIVE);
    CHECK_FALSE(rio.RIOSend(rq, &buf, 1, RIO_MSG_WAITALL, NULL), WSAEINVAL, "D RIOSend: a flag of receives");
    CHECK_FALSE(rio.RIOSend(rq, &buf, 1, RIO_MSG_COMMIT_ONLY, NULL), WSAEINVAL, "D RIOSend: COMMIT_ONLY goes with nothing");
    CHECK_EQ(rio.RIOSend(rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL), TRUE, "D RIOSend");
    CHECK_FALSE(receive((RIO_RQ)8, 0, 1, 0, 0), WSAEINVAL, RECEIVE);
    buf.BufferId = rio.RIORegisterBuffer(memory, 16);
    rio.RIODeregisterBuffer(buf.BufferId);
    CHECK_FALSE(rio.RIOReceive(rq, &buf, 1, 0, NULL), WSAEFAULT, "D RIOReceive: deregistered");
    CHECK_EQ(rio.RIODequeueCompletion(cq, (RIORESULT *)16, 1), RIO_CORRUPT_CQ, "D RIODequeueCompletion");
    CHECK_EQ(rio.RIODequeueCompletion((RIO_CQ)8, NULL, 0), RIO_CORRUPT_CQ, "D RIODequeueCompletion");
    close_both(client, server);
    rio.RIOCloseCompletionQueue(cq);
    CHECK_EQ(rio.RIODequeueCompletion(cq, NULL, 0), RIO_CORRUPT_CQ, "D RIOCloseCompletionQueue");
}

static void queues(void)
{
    RIO_NOTIFICATION_COMPLETION how;
    SOCKET first = rio_socket(), second = rio_socket(), plain = tcp_socket();
    RIO_CQ cq = polled(4);
    RIO_RQ rq;

    CHECK(rio.RIOCreateCompletionQueue(0, NULL) == RIO_INVALID_CQ && WSAGetLastError() == WSAEINVAL, CQ_PAGE);
    CHECK(rio.RIOCreateCompletionQueue(RIO_MAX_CQ_SIZE + 1, NULL) == RIO_INVALID_CQ && WSAGetLastError() == WSAEINVAL, CQ_PAGE);
    CHECK(rio.RIOCreateCompletionQueue(1, (RIO_NOTIFICATION_COMPLETION *)16) == RIO_INVALID_CQ && WSAGetLastError() == WSAEFAULT, CQ_PAGE);
    memset(&how, 0, sizeof how);
    how.Type = RIO_EVENT_COMPLETION;
    CHECK(rio.RIOCreateCompletionQueue(1, &how) == RIO_INVALID_CQ && WSAGetLastError() == WSAEINVAL, "D: no event");
    how.Type = RIO_IOCP_COMPLETION;
    how.Iocp.IocpHandle = (HANDLE)first;
    CHECK(rio.RIOCreateCompletionQueue(1, &how) == RIO_INVALID_CQ && WSAGetLastError() == WSAEINVAL, "D: no port");
    CHECK(rio.RIOCreateRequestQueue(plain, 1, 1, 1, 1, cq, cq, NULL) == RIO_INVALID_RQ && WSAGetLastError() == WSAEOPNOTSUPP,
          "choice: not made with WSA_FLAG_REGISTERED_IO");
    CHECK(rio.RIOCreateRequestQueue(INVALID_SOCKET, 1, 1, 1, 1, cq, cq, NULL) == RIO_INVALID_RQ && WSAGetLastError() == WSAENOTSOCK, RQ_PAGE);
    CHECK(rio.RIOCreateRequestQueue(first, 1, 1, 1, 1, cq, (RIO_CQ)8, NULL) == RIO_INVALID_RQ && WSAGetLastError() == WSAEINVAL, RQ_PAGE);
    CHECK(rio.RIOCreateRequestQueue(first, 1, 2, 1, 1, cq, cq, NULL) == RIO_INVALID_RQ && WSAGetLastError() == WSAEINVAL, RQ_PAGE);
    CHECK(rio.RIOCreateRequestQueue(first, 3, 1, 2, 1, cq, cq, NULL) == RIO_INVALID_RQ && WSAGetLastError() == WSAENOBUFS, RQ_PAGE);
    rq = rio.RIOCreateRequestQueue(first, 2, 1, 2, 1, cq, cq, NULL);
    CHECK(rq != RIO_INVALID_RQ, "D: what was refused has no places");
    CHECK(rio.RIOCreateRequestQueue(first, 0, 0, 0, 0, cq, cq, NULL) == RIO_INVALID_RQ && WSAGetLastError() == WSAEINVAL,
          "choice: one queue of requests for a socket");
    CHECK(rio.RIOCreateRequestQueue(second, 1, 1, 0, 0, cq, cq, NULL) == RIO_INVALID_RQ && WSAGetLastError() == WSAENOBUFS, RQ_PAGE);
    CHECK_FALSE(rio.RIOResizeCompletionQueue(cq, 3), WSAENOBUFS, "D RIOResizeCompletionQueue: reserved");
    CHECK_FALSE(rio.RIOResizeRequestQueue(rq, 3, 2), WSAENOBUFS, "D RIOResizeRequestQueue");
    CHECK_FALSE(rio.RIOResizeRequestQueue(rq, 1, 4), WSAENOBUFS, "D RIOResizeRequestQueue");
    CHECK_EQ(rio.RIOResizeCompletionQueue(cq, 5), TRUE, "D RIOResizeCompletionQueue");
    CHECK_EQ(rio.RIOResizeRequestQueue(rq, 1, 2), TRUE, "D RIOResizeRequestQueue: what failed changed nothing");
    CHECK(rio.RIOCreateRequestQueue(second, 1, 1, 1, 1, cq, cq, NULL) != RIO_INVALID_RQ, RQ_PAGE);
    closesocket(first);
    CHECK_EQ(rio.RIOResizeCompletionQueue(cq, 2), TRUE, "choice: closesocket gives the places back");
    CHECK_FALSE(rio.RIOResizeRequestQueue(rq, 1, 1), WSAEINVAL, "D: closed with its socket");
    closesocket(second);
    closesocket(plain);
    rio.RIOCloseCompletionQueue(cq);
    CHECK_EQ(rio.RIONotify(cq), WSAEINVAL, NOTIFY);
}

/* Places go from one direction to the other where both end in one queue; what is closed takes nothing. */
static void places(void)
{
    RIO_CQ cq = polled(8), other = polled(4), last = polled(2 * DEPTH);
    SOCKET shared = rio_socket(), apart = rio_socket(), without = rio_socket(), client, server;
    RIO_RQ rq = rio.RIOCreateRequestQueue(shared, 4, 1, 4, 1, cq, cq, NULL);

    CHECK_EQ(rio.RIOResizeRequestQueue(rq, 6, 2), TRUE, "D RIOResizeRequestQueue: as many in all");
    CHECK_EQ(rio.RIOResizeRequestQueue(rq, 1, 7), TRUE, "D RIOResizeRequestQueue");
    CHECK_FALSE(rio.RIOResizeRequestQueue(rq, 2, 7), WSAENOBUFS, "D RIOResizeRequestQueue");
    closesocket(shared);
    rq = rio.RIOCreateRequestQueue(apart, 4, 1, 4, 1, cq, other, NULL);
    CHECK_FALSE(rio.RIOResizeRequestQueue(rq, 2, 5), WSAENOBUFS, "D RIOResizeRequestQueue: the other is full");
    CHECK_FALSE(rio.RIOResizeCompletionQueue(cq, 3), WSAENOBUFS, "D RIOResizeRequestQueue: what failed changed nothing");
    CHECK_EQ(rio.RIOResizeRequestQueue(rq, 8, 3), TRUE, "D RIOResizeRequestQueue");
    CHECK_FALSE(rio.RIOReceive((RIO_RQ)without, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL), WSAEINVAL, "D RIOReceive: no queue of requests");
    closesocket(apart);
    closesocket(without);
    rio_pair(&client, &server);
    rq = requests(client, last, 1);
    CHECK_EQ(receive(rq, 0, 1, 0, 1), TRUE, RECEIVE);
    CHECK_EQ(receive(rq, 0, 1, 0, 2), TRUE, RECEIVE);
    CHECK_FALSE(rio.RIOResizeRequestQueue(rq, 1, 1), WSAEINVAL, "D RIOResizeRequestQueue: fewer than are under way");
    CHECK_EQ(rio.RIOResizeRequestQueue(rq, 2, 1), TRUE, "D RIOResizeRequestQueue");
    CHECK_FALSE(receive(rq, 0, 1, 0, 3), WSAENOBUFS, "D RIOReceive");
    REQUIRE(send(server, "ab", 2, 0) == 2);
    CHECK_RESULT(last, 1, 0, 1, RECEIVE);
    CHECK_RESULT(last, 2, 0, 1, RECEIVE);
    rio.RIOCloseCompletionQueue(last);
    CHECK_FALSE(send_part(rq, 0, 1, 0, 1), WSAEINVAL, "D RIOSend: the completion queue is closed");
    CHECK_FALSE(receive(rq, 0, 1, 0, 1), WSAEINVAL, "D RIOReceive: the completion queue is closed");
    CHECK_FALSE(rio.RIOResizeRequestQueue(rq, 1, 1), WSAEINVAL, "choice: the completion queue is closed");
    CHECK_EQ(rio.RIOResizeRequestQueue(rq, 0, 0), TRUE, "choice: no places are had anywhere");
    close_both(client, server);
    rio.RIOCloseCompletionQueue(cq);
    rio.RIOCloseCompletionQueue(other);
}

static void looked_at(void)
{
    RIO_CQ cq = polled(2 * DEPTH), of_server = polled(2 * DEPTH);
    SOCKET client, server;
    RIO_RQ c, s;
    RIORESULT results[4];
    int n;

    rio_pair(&client, &server);
    c = requests(client, cq, 1);
    s = requests(server, of_server, 2);
    CHECK_EQ(rio.RIODequeueCompletion(of_server, results, 4), 0, "D RIODequeueCompletion: nothing");
    CHECK_EQ(rio.RIONotify(cq), WSAEINVAL, "D RIONotify: made without notification");
    CHECK_EQ(receive(s, 0, 100, 0, 11), TRUE, RECEIVE);
    CHECK_EQ(receive(s, 100, 4, 0, 12), TRUE, RECEIVE);
    memcpy(memory + 1000, "hello", 5);
    CHECK_EQ(send_part(c, 1000, 5, 0, 21), TRUE, "D RIOSend");
    CHECK_RESULT(cq, 21, 0, 5, RESULT);
    {
        RIORESULT got = next_result(of_server);

        CHECK_EQ(got.SocketContext, 2, RESULT);
        CHECK_EQ(got.RequestContext, 11, RESULT);
        CHECK_EQ(got.Status, 0, RESULT);
        CHECK_EQ(got.BytesTransferred, 5, RESULT);
    }
    CHECK(memcmp(memory, "hello", 5) == 0, RECEIVE);
    REQUIRE(send(client, "abcdef", 6, 0) == 6);
    CHECK_RESULT(of_server, 12, 0, 4, "D RIOReceive: in order, no more than there is room for");
    CHECK_EQ(receive(s, 0, 100, RIO_MSG_DEFER, 13), TRUE, "D RIOReceive");
    CHECK_EQ(rio.RIOReceive(s, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL), TRUE, "D RIOReceive");
    CHECK_RESULT(of_server, 13, 0, 2, "D RIOReceive: what was left");
    CHECK_EQ(receive(s, 0, 6, RIO_MSG_WAITALL, 14), TRUE, "D RIOReceive");
    REQUIRE(send(client, "abc", 3, 0) == 3);
    CHECK_EQ(rio.RIODequeueCompletion(of_server, results, 4), 0, "D RIO_MSG_WAITALL");
    REQUIRE(send(client, "def", 3, 0) == 3);
    CHECK_RESULT(of_server, 14, 0, 6, "D RIO_MSG_WAITALL");
    for (n = 0; n < DEPTH; n++)
        CHECK_EQ(send_part(c, 0, 1, 0, n), TRUE, "D RIOSend");
    CHECK_FALSE(send_part(c, 0, 1, 0, n), WSAENOBUFS, "D RIOSend: under way until the completion is taken");
    CHECK_EQ(rio.RIODequeueCompletion(cq, results, 4), 4, "D RIODequeueCompletion: no more than asked for");
    for (n = 0; n < 4; n++)
        CHECK_EQ(results[n].RequestContext, n, "D RIODequeueCompletion: in order");
    CHECK_EQ(send_part(c, 0, 1, 0, 9), TRUE, "D RIOSend");
    CHECK_EQ(rio.RIODequeueCompletion(cq, results, 4), 4, "D RIODequeueCompletion");
    CHECK_RESULT(cq, 9, 0, 1, "D RIOSend");
    close_both(client, server);
    rio.RIOCloseCompletionQueue(cq);
    rio.RIOCloseCompletionQueue(of_server);
}

static void told_by_event(void)
{
    RIO_NOTIFICATION_COMPLETION how;
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    SOCKET client, server;
    RIORESULT result;
    RIO_CQ cq;
    RIO_RQ s;

    memset(&how, 0, sizeof how);
    how.Type = RIO_EVENT_COMPLETION;
    how.Event.EventHandle = event;
    how.Event.NotifyReset = TRUE;
    cq = rio.RIOCreateCompletionQueue(2 * DEPTH, &how);
    REQUIRE(cq != RIO_INVALID_CQ);
    rio_pair(&client, &server);
    s = requests(server, cq, 0);
    CHECK_EQ(receive(s, 0, 100, 0, 1), TRUE, RECEIVE);
    REQUIRE(send(client, "a", 1, 0) == 1);
    CHECK_RESULT(cq, 1, 0, 1, RECEIVE);
    CHECK(!is_set(event, 0), "D RIONotify: nobody has asked");
    SetEvent(event);
    CHECK_EQ(rio.RIONotify(cq), ERROR_SUCCESS, NOTIFY);
    CHECK(!is_set(event, 0), "D RIO_NOTIFICATION_COMPLETION: NotifyReset");
    CHECK_EQ(rio.RIONotify(cq), WSAEALREADY, NOTIFY);
    CHECK_EQ(receive(s, 0, 100, 0, 2), TRUE, RECEIVE);
    REQUIRE(send(client, "b", 1, 0) == 1);
    CHECK(is_set(event, CHECK_WAIT_MS), NOTIFY);
    CHECK_EQ(rio.RIONotify(cq), ERROR_SUCCESS, "D RIONotify: at once, as there is something");
    CHECK(is_set(event, 0), NOTIFY);
    CHECK_RESULT(cq, 2, 0, 1, RECEIVE);
    CHECK_EQ(rio.RIONotify(cq), ERROR_SUCCESS, NOTIFY);
    CHECK_EQ(receive(s, 0, 100, RIO_MSG_DONT_NOTIFY, 3), TRUE, RECEIVE);
    REQUIRE(send(client, "c", 1, 0) == 1);
    CHECK_RESULT(cq, 3, 0, 1, RECEIVE);
    CHECK(!is_set(event, 0), "D RIO_MSG_DONT_NOTIFY");
    CHECK_EQ(send_part(s, 0, 1, 0, 4), TRUE, "D RIOSend");
    CHECK(is_set(event, 0), NOTIFY);
    CHECK_EQ(rio.RIODequeueCompletion(cq, &result, 1), 1, "D RIODequeueCompletion");
    close_both(client, server);
    rio.RIOCloseCompletionQueue(cq);
    CloseHandle(event);
}

static void told_by_port(void)
{
    RIO_NOTIFICATION_COMPLETION how;
    HANDLE port = new_port();
    SOCKET client, server;
    OVERLAPPED mark;
    RIO_CQ cq;
    RIO_RQ s;

    memset(&how, 0, sizeof how);
    memset(&mark, 0, sizeof mark);
    how.Type = RIO_IOCP_COMPLETION;
    how.Iocp.IocpHandle = port;
    how.Iocp.CompletionKey = (PVOID)77;
    how.Iocp.Overlapped = &mark;
    cq = rio.RIOCreateCompletionQueue(2 * DEPTH, &how);
    REQUIRE(cq != RIO_INVALID_CQ);
    rio_pair(&client, &server);
    s = requests(server, cq, 0);
    CHECK_EQ(receive(s, 0, 100, 0, 1), TRUE, RECEIVE);
    CHECK_EQ(rio.RIONotify(cq), ERROR_SUCCESS, NOTIFY);
    REQUIRE(send(client, "a", 1, 0) == 1);
    CHECK_PACKET(port, 77, &mark, 0, 0, "D RIO_NOTIFICATION_COMPLETION");
    CHECK_RESULT(cq, 1, 0, 1, RECEIVE);
    CHECK_EQ(receive(s, 0, 100, 0, 2), TRUE, RECEIVE);
    REQUIRE(send(client, "b", 1, 0) == 1);
    CHECK(no_packet(port), "D RIONotify: told once for each time");
    CHECK_EQ(rio.RIONotify(cq), ERROR_SUCCESS, NOTIFY);
    CHECK_PACKET(port, 77, &mark, 0, 0, "D RIONotify: at once");
    CHECK_RESULT(cq, 2, 0, 1, RECEIVE);
    close_both(client, server);
    rio.RIOCloseCompletionQueue(cq);
    CloseHandle(port);
}

static void ends(void)
{
    RIO_CQ cq = polled(8 * DEPTH);
    SOCKET client, server, unconnected = rio_socket();
    RIO_RQ rq;

    rq = requests(unconnected, cq, 0);
    CHECK_EQ(receive(rq, 0, 1, 0, 1), TRUE, "choice: what the connection has to say comes as a completion");
    CHECK_RESULT(cq, 1, WSAENOTCONN, 0, RESULT);
    closesocket(unconnected);
    rio_pair(&client, &server);
    rq = requests(server, cq, 0);
    CHECK_EQ(receive(rq, 0, 100, 0, 2), TRUE, RECEIVE);
    REQUIRE(shutdown(client, SD_SEND) == 0);
    CHECK_RESULT(cq, 2, 0, 0, "D RIOReceive: the connection was closed");
    CHECK_EQ(send_part(rq, 0, 3, 0, 3), TRUE, "D RIOSend");
    CHECK_RESULT(cq, 3, 0, 3, "D shutdown: the other direction goes on");
    close_both(client, server);
    rio_pair(&client, &server);
    rq = requests(server, cq, 0);
    CHECK_EQ(receive(rq, 0, 100, 0, 4), TRUE, RECEIVE);
    close_with_rst(client);
    CHECK_RESULT(cq, 4, WSAECONNRESET, 0, "choice: a Winsock error");
    CHECK_EQ(receive(rq, 0, 100, 0, 5), TRUE, RECEIVE);
    CHECK_RESULT(cq, 5, WSAECONNRESET, 0, RESULT);
    closesocket(server);
    rio_pair(&client, &server);
    rq = requests(server, cq, 0);
    CHECK_EQ(receive(rq, 0, 100, 0, 6), TRUE, RECEIVE);
    CHECK_EQ(receive(rq, 0, 100, 0, 7), TRUE, RECEIVE);
    closesocket(server);
    CHECK_RESULT(cq, 6, WSAECONNABORTED, 0, "choice: as of WSARecv (T test_iocp)");
    CHECK_RESULT(cq, 7, WSAECONNABORTED, 0, "choice: as of WSARecv");
    CHECK_FALSE(receive(rq, 0, 1, 0, 8), WSAEINVAL, "D RIOReceive: the queue went with the socket");
    closesocket(client);
    rio_pair(&client, &server);
    rq = requests(server, cq, 0);
    CHECK_EQ(receive(rq, 0, 100, 0, 9), TRUE, RECEIVE);
    rio.RIOCloseCompletionQueue(cq);
    close_both(client, server); /* the request ends and tells nobody */
}

/* A handle that is recycled keeps its queue. */
static void reused(void)
{
    RIO_CQ cq = polled(2 * DEPTH);
    struct sockaddr_in at;
    SOCKET l = listener(&at), client = rio_socket(), server;
    RIO_RQ rq = requests(client, cq, 5);
    int turn;

    bind_loopback(client);
    for (turn = 0; turn < 3; turn++) {
        OVERLAPPED ov;
        DWORD bytes;

        ov_init(&ov, new_event());
        CHECK_PENDS(ext()->connect_ex(client, (struct sockaddr *)&at, sizeof at, NULL, 0, NULL, &ov), "D ConnectEx");
        CHECK_EQ(finish(client, &ov, &bytes), ERROR_SUCCESS, "D ConnectEx");
        server = accept_one(l);
        CHECK_EQ(receive(rq, 0, 10, 0, turn), TRUE, RECEIVE);
        REQUIRE(send(server, "abc", 3, 0) == 3);
        CHECK_RESULT(cq, turn, 0, 3, RECEIVE);
        closesocket(server);
        ov_init(&ov, ov.hEvent);
        CHECK_PENDS(ext()->disconnect_ex(client, &ov, TF_REUSE_SOCKET, 0), "S 000");
        CHECK_EQ(finish(client, &ov, &bytes), ERROR_SUCCESS, "S 000");
        CloseHandle(ov.hEvent);
    }
    close_both(client, l);
    rio.RIOCloseCompletionQueue(cq);
}

static void datagrams(void)
{
    SOCKET a = WSASocketW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_REGISTERED_IO);
    SOCKET b = WSASocketW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_REGISTERED_IO);
    RIO_BUF data = part(0, 100), address = part(200, sizeof(SOCKADDR_INET)), from = part(300, sizeof(SOCKADDR_INET)), small = part(0, 27);
    SOCKADDR_INET *sender = (SOCKADDR_INET *)(memory + 300);
    RIO_CQ cq = polled(2 * DEPTH), of_b = polled(2 * DEPTH); /* what has come may be told before it is told that it went */
    struct sockaddr_in to;
    RIO_RQ ra, rb;

    REQUIRE(a != INVALID_SOCKET && b != INVALID_SOCKET);
    bind_loopback(a);
    bind_loopback(b);
    ra = requests(a, cq, 1);
    rb = requests(b, of_b, 2);
    to = name_of(b);
    memcpy(memory + 200, &to, sizeof to);
    memset(memory + 300, 0x55, sizeof(SOCKADDR_INET));
    CHECK_FALSE(rio.RIOReceiveEx(rb, &data, 1, NULL, &small, NULL, NULL, 0, NULL), WSAEFAULT, "choice: no room for the address");
    CHECK_FALSE(rio.RIOReceiveEx(rb, &data, 1, NULL, &from, NULL, NULL, RIO_MSG_WAITALL, NULL), WSAEINVAL, "D RIO_MSG_WAITALL: streams");
    CHECK_FALSE(rio.RIOReceiveEx(rb, &data, 1, &from, NULL, NULL, NULL, 0, NULL), WSAEOPNOTSUPP, "choice: not told");
    CHECK_FALSE(rio.RIOSendEx(ra, &data, 1, NULL, &address, &from, NULL, 0, NULL), WSAEOPNOTSUPP, "choice: not heeded");
    CHECK_EQ(rio.RIOReceiveEx(rb, &data, 1, NULL, &from, NULL, NULL, 0, (PVOID)1), TRUE, "D RIOReceiveEx");
    data = part(1000, 5);
    memcpy(memory + 1000, "datum", 5);
    CHECK_EQ(rio.RIOSendEx(ra, &data, 1, NULL, &address, NULL, NULL, 0, (PVOID)2), TRUE, "D RIOSendEx");
    CHECK_RESULT(cq, 2, 0, 5, "D RIOSendEx");
    CHECK_RESULT(of_b, 1, 0, 5, "D RIOReceiveEx");
    CHECK(memcmp(memory, "datum", 5) == 0, "D RIOReceiveEx");
    CHECK_EQ(sender->Ipv4.sin_family, AF_INET, "D RIOReceiveEx");
    CHECK_EQ(sender->Ipv4.sin_port, name_of(a).sin_port, "D RIOReceiveEx");
    CHECK_EQ(receive(rb, 0, 2, 0, 3), TRUE, RECEIVE);
    CHECK_EQ(rio.RIOSendEx(ra, &data, 1, NULL, &address, NULL, NULL, 0, (PVOID)4), TRUE, "D RIOSendEx");
    CHECK_RESULT(cq, 4, 0, 5, "D RIOSendEx");
    CHECK_RESULT(of_b, 3, WSAEMSGSIZE, 2, "choice: as of WSARecv");
    memcpy(memory + 200, "\x17\0\0\1", 4);
    CHECK_FALSE(rio.RIOSendEx(ra, &data, 1, NULL, &address, NULL, NULL, 0, NULL), WSAEAFNOSUPPORT, "choice: another family");
    close_both(a, b);
    rio.RIOCloseCompletionQueue(cq);
    rio.RIOCloseCompletionQueue(of_b);
}

/* Many connections, an echo: threads that wait at a port for one queue each, while clients send. */
enum { CLIENTS = 8, ROUNDS = 200, SLOT = 64, WORKERS = 3 };

struct service {
    HANDLE port;
    RIO_CQ cq;
    RIO_RQ rq[CLIENTS];
    CRITICAL_SECTION lock; /* of the queue, and of the requests: they are for one thread at a time */
    volatile LONG ended;
};

static void serve_one(struct service *service, const RIORESULT *result)
{
    ULONG n = (ULONG)result->SocketContext, offset = 8192 + n * SLOT;
    BOOL good = TRUE;

    if (result->RequestContext == 1 && result->BytesTransferred == 0)
        InterlockedIncrement(&service->ended);
    else if (result->RequestContext == 1)
        good = send_part(service->rq[n], offset, result->BytesTransferred, 0, 2);
    else
        good = receive(service->rq[n], offset, SLOT, 0, 1);
    CHECK(good && result->Status == 0, "D RIOReceive");
}

static DWORD WINAPI serve(void *argument)
{
    struct service *service = argument;

    for (;;) {
        RIORESULT results[4];
        OVERLAPPED *ov;
        ULONG_PTR key;
        DWORD bytes;
        ULONG count, n;

        CHECK(GetQueuedCompletionStatus(service->port, &bytes, &key, &ov, CHECK_WAIT_MS), NOTIFY);
        if (ov == NULL)
            return 0;
        EnterCriticalSection(&service->lock);
        while ((count = rio.RIODequeueCompletion(service->cq, results, 4)) > 0)
            for (n = 0; n < count; n++)
                serve_one(service, &results[n]);
        CHECK_EQ(rio.RIONotify(service->cq), ERROR_SUCCESS, NOTIFY);
        LeaveCriticalSection(&service->lock);
    }
}

static void many(void)
{
    RIO_NOTIFICATION_COMPLETION how;
    struct service service;
    SOCKET clients[CLIENTS], servers[CLIENTS];
    HANDLE workers[WORKERS];
    OVERLAPPED mark;
    int n, round;

    memset(&how, 0, sizeof how);
    memset(&service, 0, sizeof service);
    InitializeCriticalSection(&service.lock);
    how.Type = RIO_IOCP_COMPLETION;
    how.Iocp.IocpHandle = service.port = new_port();
    how.Iocp.Overlapped = &mark;
    service.cq = rio.RIOCreateCompletionQueue(2 * CLIENTS, &how);
    for (n = 0; n < CLIENTS; n++) {
        rio_pair(&clients[n], &servers[n]);
        limit_waits(clients[n]);
        service.rq[n] = rio.RIOCreateRequestQueue(servers[n], 1, 1, 1, 1, service.cq, service.cq, (PVOID)(ULONG_PTR)n);
        REQUIRE(service.rq[n] != RIO_INVALID_RQ);
        REQUIRE(receive(service.rq[n], 8192 + n * SLOT, SLOT, 0, 1));
    }
    for (n = 0; n < WORKERS; n++)
        workers[n] = CreateThread(NULL, 0, serve, &service, 0, NULL);
    REQUIRE(rio.RIONotify(service.cq) == ERROR_SUCCESS);
    for (round = 0; round < ROUNDS; round++) {
        for (n = 0; n < CLIENTS; n++)
            REQUIRE(send(clients[n], (char *)&round, sizeof round, 0) == sizeof round);
        for (n = 0; n < CLIENTS; n++) {
            int echo = -1;

            REQUIRE(recv(clients[n], (char *)&echo, sizeof echo, MSG_WAITALL) == sizeof echo);
            CHECK_EQ(echo, round, "D RIOReceive");
        }
    }
    for (n = 0; n < CLIENTS; n++) {
        REQUIRE(shutdown(clients[n], SD_SEND) == 0);
        closesocket(clients[n]);
    }
    while (service.ended < CLIENTS)
        Sleep(1);
    for (n = 0; n < WORKERS; n++)
        PostQueuedCompletionStatus(service.port, 0, 0, NULL);
    CHECK_EQ(WaitForMultipleObjects(WORKERS, workers, TRUE, CHECK_WAIT_MS), WAIT_OBJECT_0, "D GetQueuedCompletionStatus");
    for (n = 0; n < WORKERS; n++)
        CloseHandle(workers[n]);
    for (n = 0; n < CLIENTS; n++)
        closesocket(servers[n]);
    rio.RIOCloseCompletionQueue(service.cq);
    CloseHandle(service.port);
    DeleteCriticalSection(&service.lock);
}

int main(void)
{
    check_begin("registered_io");
    table();
    buffers();
    queues();
    places();
    looked_at();
    told_by_event();
    told_by_port();
    ends();
    reused();
    datagrams();
    many();
    rio.RIODeregisterBuffer(registered);
    return check_end();
}

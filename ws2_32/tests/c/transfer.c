/*
 * transfer.c - send, recv, WSASend, WSARecv: errors by state, end of stream, resets, order, time limits.
 */
#include "check.h"

struct io {
    OVERLAPPED ov;
    HANDLE event;
    WSABUF space;
    DWORD flags;
    char buffer[64];
};

static void io_init(struct io *io, DWORD length)
{
    memset(io, 0, sizeof *io);
    io->event = new_event();
    ov_init(&io->ov, io->event);
    io->space.buf = io->buffer;
    io->space.len = length;
}

static void io_again(struct io *io)
{
    ov_init(&io->ov, io->event);
    io->flags = 0;
}

static int receive(SOCKET s, struct io *io)
{
    return WSARecv(s, &io->space, 1, NULL, &io->flags, &io->ov, NULL);
}

static void unconnected(void)
{
    SOCKET s = tcp_socket();
    HANDLE port = new_port();
    struct io io;
    DWORD bytes = CHECK_UNSET, flags = 0;

    io_init(&io, 16);
    CHECK_FAIL(recv(s, io.buffer, 16, 0), WSAENOTCONN, "T test_connecting_socket");
    CHECK_FAIL(send(s, io.buffer, 16, 0), WSAENOTCONN, "T test_connecting_socket");
    associate(s, port, 1);
    CHECK_FAIL(WSARecv(s, &io.space, 1, &bytes, &flags, &io.ov, NULL), WSAENOTCONN, "T test_completion_port");
    CHECK_EQ(bytes, CHECK_UNSET, "T test_completion_port: bytes untouched");
    CHECK_FAIL(WSASend(s, &io.space, 1, &bytes, 0, &io.ov, NULL), WSAENOTCONN, "T test_completion_port");
    CHECK(no_packet(port), "T test_completion_port: an immediate error queues nothing");
    closesocket(s);
    CloseHandle(port);
    CloseHandle(io.event);
}

static void end_of_stream(void)
{
    SOCKET client, server;
    HANDLE port = new_port();
    struct io io;
    DWORD bytes = CHECK_UNSET;

    io_init(&io, 16);
    tcp_pair(&client, &server);
    associate(client, port, 7);
    CHECK_EQ(send(server, "12345", 5, 0), 5, "setup");
    CHECK_EQ(shutdown(server, SD_SEND), 0, "setup");
    CHECK_EQ(recv(client, io.buffer, 16, 0), 5, "T test_shutdown");
    CHECK_EQ(recv(client, io.buffer, 16, 0), 0, "T test_shutdown");
    CHECK_EQ(recv(client, io.buffer, 16, 0), 0, "T test_shutdown: repeatedly");
    CHECK_EQ(WSARecv(client, &io.space, 1, &bytes, &io.flags, &io.ov, NULL), 0, "T test_completion_port: at once");
    CHECK_EQ(bytes, 0, "T test_completion_port");
    CHECK_PACKET(port, 7, &io.ov, 0, 0, "T test_completion_port: and a packet");
    check_transfer(client, server, "T test_shutdown: the other direction goes on");
    close_both(client, server);
    CloseHandle(port);
    CloseHandle(io.event);
}

static void reset(void)
{
    static const char *const T = "T test_tcp_reset";
    SOCKET client, server;
    HANDLE port = new_port();
    struct io io;
    DWORD bytes = CHECK_UNSET;
    int error = -1, length = sizeof error;

    io_init(&io, 16);
    tcp_pair(&client, &server);
    CHECK_WSA_PENDS(receive(server, &io), T);
    close_with_rst(client);
    CHECK_EQ(finish(server, &io.ov, &bytes), ERROR_NETNAME_DELETED, T);
    CHECK_EQ(bytes, 0, T);
    CHECK_EQ((DWORD)io.ov.Internal, ST_CONNECTION_RESET, T);
    CHECK_EQ(wsa_result(server, &io.ov), WSAECONNRESET, T);
    CHECK_FAIL(recv(server, io.buffer, 16, 0), WSAECONNRESET, T);
    CHECK_FAIL(recv(server, io.buffer, 16, 0), WSAECONNRESET, "T test_tcp_reset: sticky");
    CHECK_FAIL(send(server, io.buffer, 16, 0), WSAECONNRESET, T);
    CHECK_FAIL(send(server, io.buffer, 16, 0), WSAECONNRESET, T);
    io_again(&io);
    CHECK_FAIL(receive(server, &io), WSAECONNRESET, T);
    CHECK_EQ(getsockopt(server, SOL_SOCKET, SO_ERROR, (char *)&error, &length), 0, T);
    CHECK_EQ(error, 0, "T test_tcp_reset: SO_ERROR stays 0");
    closesocket(server);

    tcp_pair(&client, &server);
    associate(server, port, 8);
    ov_init(&io.ov, NULL);
    CHECK_WSA_PENDS(receive(server, &io), "T test_completion_port");
    close_with_rst(client);
    CHECK_PACKET(port, 8, &io.ov, 0, ERROR_NETNAME_DELETED, "T test_completion_port");
    CHECK_FAIL(receive(server, &io), WSAECONNRESET, "T test_completion_port");
    CHECK(no_packet(port), "T test_completion_port: an immediate error queues nothing");
    closesocket(server);
    CloseHandle(port);
    CloseHandle(io.event);
}

static void fin_then_reset(void)
{
    SOCKET client, server;
    char buffer[16];
    int i;

    tcp_pair(&client, &server);
    CHECK_EQ(shutdown(client, SD_SEND), 0, "setup");
    closesocket(client);
    CHECK(readable(server, CHECK_WAIT_MS), "setup");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 0, "T test_shutdown");
    CHECK_EQ(send(server, "12345", 5, 0), 5, "T test_shutdown: the first send succeeds");
    for (i = 0; i < 100 && recv(server, buffer, sizeof buffer, 0) == 0; i++)
        WaitForSingleObject(check_books()->stop, 10); /* the reset is on its way; nothing signals it */
    CHECK_FAIL(recv(server, buffer, sizeof buffer, 0), WSAECONNABORTED, "T test_shutdown");
    CHECK_FAIL(recv(server, buffer, sizeof buffer, 0), WSAECONNABORTED, "T test_shutdown");
    closesocket(server);
}

static void lengths(void)
{
    SOCKET client, server;
    struct io io;
    DWORD bytes = CHECK_UNSET, flags = 0;
    char buffer[16];

    io_init(&io, 0);
    tcp_pair(&client, &server);
    CHECK_FAIL(WSARecv(client, &io.space, 0, &bytes, &flags, NULL, NULL), WSAEINVAL, "T test_empty_recv");
    CHECK_FAIL(WSARecv(client, &io.space, 0, NULL, &flags, &io.ov, NULL), WSAEINVAL, "T test_empty_recv");
    CHECK_WSA_PENDS(receive(client, &io), "T test_empty_recv: one buffer of length 0 waits for data");
    CHECK(stays_pending(&io.ov, CHECK_QUIET_MS), "T test_empty_recv");
    CHECK_EQ(send(server, "12345", 5, 0), 5, "setup");
    CHECK_EQ(finish(client, &io.ov, &bytes), 0, "T test_empty_recv");
    CHECK_EQ(bytes, 0, "T test_empty_recv");
    CHECK_EQ(recv(client, buffer, sizeof buffer, 0), 5, "T test_empty_recv: the data stays");
    CHECK_EQ(send(client, "", 0, 0), 0, "D send: 0 bytes are permissible");
    check_transfer(client, server, "D send: and nothing was sent for them");
    close_both(client, server);
    CloseHandle(io.event);
}

static void pending_values(void)
{
    SOCKET client, server;
    struct io io;
    DWORD bytes = CHECK_UNSET;

    io_init(&io, 16);
    tcp_pair(&client, &server);
    SetEvent(io.event);
    io.ov.Internal = 0xdead;
    io.ov.InternalHigh = 0xdead;
    CHECK_WSA_PENDS(WSARecv(client, &io.space, 1, &bytes, &io.flags, &io.ov, NULL), "T test_nonblocking_async_recv");
    CHECK_EQ((DWORD)io.ov.Internal, ST_PENDING, "T test_nonblocking_async_recv");
    CHECK_EQ(io.ov.InternalHigh, 0xdead, "T test_nonblocking_async_recv: keeps its old value");
    CHECK_EQ(bytes, CHECK_UNSET, "T test_nonblocking_async_recv: untouched");
    CHECK(!is_set(io.event, 0), "D OVERLAPPED: the event is reset when the operation begins");
    CHECK_EQ(send(server, "12345", 5, 0), 5, "setup");
    CHECK_EQ(finish(client, &io.ov, &bytes), 0, "D WSARecv");
    CHECK_EQ(bytes, 5, "D WSARecv");
    CHECK_EQ(io.ov.InternalHigh, 5, "D OVERLAPPED");
    CHECK(memcmp(io.buffer, "12345", 5) == 0, "D WSARecv");
    close_both(client, server);
    CloseHandle(io.event);
}

static void fifo(void)
{
    SOCKET client, server;
    struct io one, two;
    DWORD bytes = 0;

    io_init(&one, 5);
    io_init(&two, 5);
    tcp_pair(&client, &server);
    CHECK_WSA_PENDS(receive(client, &one), "T test_simultaneous_async_recv");
    CHECK_WSA_PENDS(receive(client, &two), "T test_simultaneous_async_recv");
    CHECK_EQ(send(server, "1234567890", 10, 0), 10, "setup");
    CHECK_EQ(finish(client, &one.ov, &bytes), 0, "T test_simultaneous_async_recv");
    CHECK_EQ(bytes, 5, "T test_simultaneous_async_recv");
    CHECK_EQ(finish(client, &two.ov, &bytes), 0, "T test_simultaneous_async_recv");
    CHECK_EQ(bytes, 5, "T test_simultaneous_async_recv");
    CHECK(memcmp(one.buffer, "12345", 5) == 0, "T test_simultaneous_async_recv: first in, first out");
    CHECK(memcmp(two.buffer, "67890", 5) == 0, "T test_simultaneous_async_recv: first in, first out");
    close_both(client, server);
    CloseHandle(one.event);
    CloseHandle(two.event);
}

static void gather_and_scatter(void)
{
    SOCKET client, server;
    char a[] = "one", b[] = "twofour", in1[4] = "", in2[16] = "";
    WSABUF out[3], in[2];
    DWORD bytes = 0, flags = 0, total = 0;

    tcp_pair(&client, &server);
    out[0].buf = a;
    out[0].len = 3;
    out[1].buf = NULL;
    out[1].len = 0;
    out[2].buf = b;
    out[2].len = 7;
    CHECK_EQ(WSASend(client, out, 3, &bytes, 0, NULL, NULL), 0, "D WSASend");
    CHECK_EQ(bytes, 10, "D WSASend");
    in[0].buf = in1;
    in[0].len = 3;
    in[1].buf = in2;
    in[1].len = sizeof in2;
    flags = MSG_PEEK;
    CHECK_EQ(WSARecv(server, in, 2, &bytes, &flags, NULL, NULL), 0, "D WSARecv");
    CHECK(bytes > 0, "D WSARecv: MSG_PEEK");
    memset(in1, 0, sizeof in1);
    memset(in2, 0, sizeof in2);
    flags = 0;
    CHECK_EQ(WSARecv(server, in, 2, &total, &flags, NULL, NULL), 0, "D WSARecv");
    CHECK_EQ(total, 10, "D WSARecv: what was peeked is still there");
    CHECK_EQ(flags, 0, "D WSARecv");
    CHECK(memcmp(in1, "one", 3) == 0 && memcmp(in2, "twofour", 7) == 0, "D WSARecv");
    CHECK_EQ(send(client, "12345", 5, 0), 5, "setup");
    CHECK_EQ(recv(server, in2, 5, MSG_WAITALL), 5, "D recv: MSG_WAITALL");
    CHECK_FAIL(recv(server, in2, 5, MSG_WAITALL | MSG_PEEK), WSAEOPNOTSUPP, "D recv: MSG_WAITALL stands alone");
    CHECK_FAIL(recv(server, in2, 5, MSG_WAITALL | MSG_OOB), WSAEOPNOTSUPP, "D recv: MSG_WAITALL stands alone");
    set_nonblocking(server, TRUE);
    CHECK_FAIL(recv(server, in2, 5, MSG_WAITALL), WSAEOPNOTSUPP, "D recv: MSG_WAITALL, and not to block");
    flags = MSG_WAITALL;
    CHECK_FAIL(WSARecv(server, in, 2, &total, &flags, NULL, NULL), WSAEOPNOTSUPP, "D WSARecv: as recv");
    CHECK_FAIL(recv(server, in2, -1, 0), WSAEFAULT, "T test_read_events: length -1");
    close_both(client, server);
}

static void nonblocking(void)
{
    SOCKET client, server;
    struct io io;
    DWORD bytes = CHECK_UNSET, flags = 0;

    io_init(&io, 16);
    tcp_pair(&client, &server);
    set_nonblocking(client, TRUE);
    CHECK_FAIL(recv(client, io.buffer, 16, 0), WSAEWOULDBLOCK, "T test_nonblocking_async_recv");
    CHECK_FAIL(WSARecv(client, &io.space, 1, &bytes, &flags, NULL, NULL), WSAEWOULDBLOCK,
               "T test_nonblocking_async_recv");
    CHECK_WSA_PENDS(receive(client, &io), "T test_nonblocking_async_recv: an overlapped one pends as usual");
    CHECK_EQ(send(server, "12345", 5, 0), 5, "setup");
    CHECK_EQ(finish(client, &io.ov, &bytes), 0, "T test_nonblocking_async_recv");
    CHECK_EQ(bytes, 5, "T test_nonblocking_async_recv");
    CHECK_EQ(send(server, "12345", 5, 0), 5, "setup");
    CHECK(readable(client, CHECK_WAIT_MS), "setup");
    io_again(&io);
    bytes = 0;
    CHECK_EQ(WSARecv(client, &io.space, 1, &bytes, &io.flags, &io.ov, NULL), 0, "D WSARecv: data is there");
    CHECK_EQ(bytes, 5, "D WSARecv");
    CHECK(is_set(io.event, 0), "D WSARecv: the event is set on an immediate success too");
    close_both(client, server);
    CloseHandle(io.event);
}

/* hEvent NULL: the socket itself is the event. */
static void socket_is_signalled(void)
{
    SOCKET client, server;
    struct io io;
    DWORD bytes = 0;

    io_init(&io, 16);
    tcp_pair(&client, &server);
    ov_init(&io.ov, NULL);
    CHECK_WSA_PENDS(receive(client, &io), "T test_nonblocking_async_recv");
    CHECK_EQ(WaitForSingleObject((HANDLE)client, CHECK_QUIET_MS), WAIT_TIMEOUT, "T test_nonblocking_async_recv");
    CHECK_EQ(send(server, "12345", 5, 0), 5, "setup");
    CHECK_EQ(WaitForSingleObject((HANDLE)client, CHECK_WAIT_MS), WAIT_OBJECT_0, "T test_nonblocking_async_recv");
    CHECK(GetOverlappedResult((HANDLE)client, &io.ov, &bytes, FALSE), "T test_nonblocking_async_recv");
    CHECK_EQ(bytes, 5, "T test_nonblocking_async_recv");
    close_both(client, server);
    CloseHandle(io.event);
}

struct sender {
    SOCKET s;
    HANDLE go;
};

static DWORD WINAPI send_when_told(void *argument)
{
    struct sender *sender = argument;

    WaitForSingleObject(sender->go, CHECK_QUIET_MS); /* never set: the receiver is blocked by then */
    return (DWORD)send(sender->s, "12345", 5, 0);
}

/* Without WSA_FLAG_OVERLAPPED an OVERLAPPED changes nothing: the call blocks. */
static void not_overlapped(void)
{
    static const char *const T = "T test_nonblocking_async_recv";
    struct sockaddr_in at;
    SOCKET l = listener(&at), client, server;
    struct sender sender;
    struct io io;
    HANDLE thread;
    DWORD bytes = 0;
    int blocking;

    for (blocking = 1; blocking >= 0; blocking--) {
        io_init(&io, 16);
        client = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, 0);
        REQUIRE(client != INVALID_SOCKET);
        REQUIRE(connect(client, (struct sockaddr *)&at, sizeof at) == 0);
        server = accept_one(l);
        set_nonblocking(client, !blocking);
        sender.s = server;
        sender.go = new_event();
        thread = CreateThread(NULL, 0, send_when_told, &sender, 0, NULL);
        REQUIRE(thread != NULL);
        CHECK_EQ(WSARecv(client, &io.space, 1, &bytes, &io.flags, &io.ov, NULL), 0, T);
        CHECK_EQ(bytes, 5, T);
        CHECK_EQ((DWORD)io.ov.Internal, ST_SUCCESS, T);
        CHECK_EQ(io.ov.InternalHigh, 5, T);
        CHECK(is_set(thread, CHECK_WAIT_MS), "setup");
        CloseHandle(thread);
        CloseHandle(sender.go);
        CloseHandle(io.event);
        close_both(client, server);
    }
    closesocket(l);
}

static void time_limit(void)
{
    SOCKET client, server;
    struct io io;
    DWORD limit = 100, bytes, flags = 0;
    ULONGLONG start;

    io_init(&io, 16);
    tcp_pair(&client, &server);
    CHECK_EQ(setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, (char *)&limit, sizeof limit), 0, "T test_timeout");
    start = GetTickCount64();
    CHECK_FAIL(recv(client, io.buffer, 16, 0), WSAETIMEDOUT, "T test_timeout");
    CHECK(GetTickCount64() - start >= 80, "T test_timeout: not before");
    CHECK(GetTickCount64() - start < 3000, "T test_timeout");
    CHECK_FAIL(WSARecv(client, &io.space, 1, &bytes, &flags, NULL, NULL), WSAETIMEDOUT, "T test_timeout");
    CHECK_WSA_PENDS(receive(client, &io), "T test_timeout");
    CHECK(stays_pending(&io.ov, 300), "T test_timeout: an overlapped receive ignores it");
    CHECK_EQ(send(server, "12345", 5, 0), 5, "setup");
    CHECK_EQ(finish(client, &io.ov, &bytes), 0, "T test_timeout");
    close_both(client, server);
    CloseHandle(io.event);
}

static void cancel(void)
{
    SOCKET client, server;
    struct io one, two;

    io_init(&one, 16);
    io_init(&two, 16);
    tcp_pair(&client, &server);
    CHECK_WSA_PENDS(receive(client, &one), "D CancelIoEx");
    CHECK_WSA_PENDS(receive(client, &two), "D CancelIoEx");
    CHECK(CancelIoEx((HANDLE)client, &two.ov), "D CancelIoEx");
    CHECK_EQ(finish(client, &two.ov, NULL), ERROR_OPERATION_ABORTED, "D CancelIoEx");
    CHECK_EQ((DWORD)two.ov.Internal, ST_CANCELLED, "D CancelIoEx");
    CHECK(stays_pending(&one.ov, CHECK_QUIET_MS), "D CancelIoEx: only the one");
    io_again(&two);
    CHECK_WSA_PENDS(receive(client, &two), "D CancelIoEx");
    CHECK(CancelIoEx((HANDLE)client, NULL), "D CancelIoEx: all of them");
    CHECK_EQ(finish(client, &one.ov, NULL), ERROR_OPERATION_ABORTED, "D CancelIoEx");
    CHECK_EQ(finish(client, &two.ov, NULL), ERROR_OPERATION_ABORTED, "D CancelIoEx");
    CHECK_FALSE(CancelIoEx((HANDLE)client, NULL), ERROR_NOT_FOUND, "D CancelIoEx");
    CHECK(CancelIo((HANDLE)client), "D CancelIo: nothing to do is no failure");
    check_transfer(server, client, "D CancelIoEx: the connection goes on");
    close_both(client, server);
    CloseHandle(one.event);
    CloseHandle(two.event);
}

/* What a cancelled operation has moved is told, and the stream goes on behind it. */
static void cancel_midway(void)
{
    static const char *const C = "choice: the octets that a cancelled operation has moved are told";
    static char most[8 << 20];
    SOCKET client, server;
    struct io io;
    char buffer[64];
    DWORD bytes, arrived = 0;
    int got;

    io_init(&io, 8);
    tcp_pair(&client, &server);
    CHECK_EQ(send(server, "half", 4, 0), 4, "setup");
    CHECK(readable(client, CHECK_WAIT_MS), "setup");
    io.flags = MSG_WAITALL;
    CHECK_WSA_PENDS(receive(client, &io), "D WSARecv: MSG_WAITALL");
    CHECK(CancelIoEx((HANDLE)client, &io.ov), "D CancelIoEx");
    CHECK_EQ(finish(client, &io.ov, &bytes), ERROR_OPERATION_ABORTED, "D CancelIoEx");
    CHECK_EQ(bytes, 4, C);
    CHECK_EQ((DWORD)io.ov.InternalHigh, 4, C);
    CHECK(memcmp(io.buffer, "half", 4) == 0, C);
    check_transfer(server, client, C);

    io_again(&io);
    io.space.buf = most;
    io.space.len = sizeof most;
    CHECK_WSA_PENDS(WSASend(client, &io.space, 1, NULL, 0, &io.ov, NULL), "setup");
    CHECK(CancelIoEx((HANDLE)client, &io.ov), "D CancelIoEx");
    CHECK_EQ(finish(client, &io.ov, &bytes), ERROR_OPERATION_ABORTED, "D CancelIoEx");
    CHECK(bytes > 0 && bytes < sizeof most, C);
    CHECK_EQ(shutdown(client, SD_SEND), 0, "setup");
    while ((got = recv(server, buffer, sizeof buffer, 0)) > 0)
        arrived += (DWORD)got;
    CHECK_EQ(got, 0, "setup");
    CHECK_EQ(arrived, bytes, C);
    close_both(client, server);
    CloseHandle(io.event);
}

/* More than any buffer: an overlapped send completes with the whole count, and all arrives in order. */
static void big_send(void)
{
    enum { SIZE = 8 << 20 };
    SOCKET client, server;
    struct io io;
    unsigned char *data = malloc(SIZE), *in = malloc(1 << 16);
    DWORD bytes = 0;
    int n, i, total = 0;
    BOOL right = TRUE;

    REQUIRE(data && in);
    for (i = 0; i < SIZE; i++)
        data[i] = (unsigned char)(i * 7 + (i >> 12));
    io_init(&io, 0);
    tcp_pair(&client, &server);
    io.space.buf = (char *)data;
    io.space.len = SIZE;
    n = WSASend(client, &io.space, 1, NULL, 0, &io.ov, NULL);
    CHECK(n == 0 || GetLastError() == WSA_IO_PENDING, "D WSASend");
    while (total < SIZE && (n = recv(server, (char *)in, 1 << 16, 0)) > 0) {
        right = right && memcmp(in, data + total, (size_t)n) == 0;
        total += n;
    }
    CHECK_EQ(total, SIZE, "D WSASend");
    CHECK(right, "D WSASend: in order");
    CHECK_EQ(finish(client, &io.ov, &bytes), 0, "D WSASend");
    CHECK_EQ(bytes, SIZE, "D WSASend: never a part of it");
    close_both(client, server);
    CloseHandle(io.event);
    free(data);
    free(in);
}

int main(void)
{
    check_begin("transfer");
    unconnected();
    end_of_stream();
    reset();
    fin_then_reset();
    lengths();
    pending_values();
    fifo();
    gather_and_scatter();
    nonblocking();
    socket_is_signalled();
    not_overlapped();
    time_limit();
    cancel();
    cancel_midway();
    big_send();
    return check_end();
}

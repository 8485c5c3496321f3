/*
 * connectex.c - ConnectEx and connect: their checks, success, refusal, and the packets.
 */
#include "check.h"

static const char *const T = "T test_connect";

static BOOL connect_ex(SOCKET s, const struct sockaddr_in *to, OVERLAPPED *ov)
{
    return ext()->connect_ex(s, (const struct sockaddr *)to, sizeof *to, NULL, 0, NULL, ov);
}

#define REFUSED(call, error, source) do { \
        ov.Internal = 0; \
        ov.InternalHigh = 0xdead; \
        CHECK_FALSE(call, error, source); \
        CHECK_EQ((DWORD)ov.Internal, ST_PENDING, "T test_connect: Internal after an immediate failure"); \
        CHECK_EQ(ov.InternalHigh, 0xdead, "T test_connect: InternalHigh untouched"); \
    } while (0)

static void refusals(void)
{
    struct sockaddr_in at, at2;
    SOCKET l = listener(&at), l2 = listener(&at2), fresh = tcp_socket(), bound = bound_socket(), client, server;
    SOCKET ex_l, ex_client, ex_server;
    HANDLE event = new_event();
    OVERLAPPED ov;

    ov_init(&ov, event);
    CHECK_FALSE(connect_ex(bound, &at, NULL), ERROR_INVALID_PARAMETER, T);
    CHECK_FALSE(connect_ex(INVALID_SOCKET, &at, &ov), WSAENOTSOCK, T);
    CHECK_FALSE(connect_ex(fresh, &at, &ov), WSAEINVAL, "T test_connect: not bound");
    REFUSED(connect_ex(l2, &at, &ov), WSAEINVAL, "T test_connect: a listener");
    tcp_pair(&client, &server);
    REFUSED(connect_ex(client, &at, &ov), WSAEISCONN, "T test_connect: connected by connect");
    REFUSED(connect_ex(server, &at, &ov), WSAEISCONN, "T test_connect: connected by accept");
    CHECK_FAIL(connect(client, (struct sockaddr *)&at, sizeof at), WSAEISCONN, T);
    CHECK_FAIL(connect(server, (struct sockaddr *)&at, sizeof at), WSAEISCONN, T);
    CHECK_FAIL(connect(l2, (struct sockaddr *)&at, sizeof at), WSAEINVAL, "T test_connect: a listener");
    check_transfer(client, server, "T test_connect: a refused call changes nothing");
    close_both(client, server);
    ex_pair(&ex_l, &ex_client, &ex_server);
    REFUSED(connect_ex(ex_client, &at, &ov), WSAEISCONN, "T test_connect: connected by ConnectEx");
    close_both(ex_client, ex_server);
    closesocket(ex_l);
    at.sin_addr.s_addr = htonl(INADDR_ANY);
    REFUSED(connect_ex(bound, &at, &ov), WSAEADDRNOTAVAIL, "D ConnectEx: no address, such as ADDR_ANY");
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = 0;
    REFUSED(connect_ex(bound, &at, &ov), WSAEADDRNOTAVAIL, "choice: nor without a port, as connect");
    CHECK(!is_set(event, 0), T);
    close_both(l, l2);
    close_both(fresh, bound);
    CloseHandle(event);
}

static void success(void)
{
    struct sockaddr_in at;
    SOCKET l = listener(&at), s = bound_socket(), server;
    HANDLE event = new_event();
    OVERLAPPED ov;
    DWORD bytes = CHECK_UNSET, seconds = 0;
    int length = sizeof seconds;
    char buffer[16] = "";

    ov_init(&ov, event);
    CHECK_PENDS(ext()->connect_ex(s, (struct sockaddr *)&at, sizeof at, "hello", 5, &bytes, &ov), T);
    CHECK_EQ(finish(s, &ov, &bytes), 0, T);
    CHECK_EQ(bytes, 5, "T test_connect: as many as were sent");
    CHECK_FAIL(connect(s, (struct sockaddr *)&at, sizeof at), WSAEINVAL,
               "T test_connect: connect after ConnectEx, no SO_UPDATE_CONNECT_CONTEXT");
    server = accept_one(l);
    REQUIRE(server != INVALID_SOCKET);
    limit_waits(server);
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 5, T);
    CHECK(memcmp(buffer, "hello", 5) == 0, T);
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_CONNECT_TIME, (char *)&seconds, &length), 0, "D ConnectEx");
    CHECK(seconds < 60, "D ConnectEx: seconds since the connection");
    CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0), 0, "D ConnectEx");
    CHECK_EQ(name_of(s).sin_addr.s_addr, htonl(INADDR_LOOPBACK), "D ConnectEx");
    check_transfer(server, s, T);
    close_both(s, server);
    closesocket(l);
    CloseHandle(event);
}

/* A socket bound to any address gets its own when it connects. */
static void bound_to_any(void)
{
    struct sockaddr_in at, any;
    SOCKET l = listener(&at), s = tcp_socket(), server;
    HANDLE event = new_event();
    OVERLAPPED ov;

    memset(&any, 0, sizeof any);
    any.sin_family = AF_INET;
    CHECK_EQ(bind(s, (struct sockaddr *)&any, sizeof any), 0, "D bind");
    ov_init(&ov, event);
    CHECK_PENDS(connect_ex(s, &at, &ov), T);
    CHECK_EQ(finish(s, &ov, NULL), 0, T);
    CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0), 0, "D ConnectEx");
    server = accept_one(l);
    CHECK_EQ(name_of(s).sin_addr.s_addr, htonl(INADDR_LOOPBACK), "D ConnectEx, D getsockname");
    close_both(s, server);
    closesocket(l);
    CloseHandle(event);
}

static void refused(void)
{
    struct sockaddr_in nobody, at;
    SOCKET holder = refusing(&nobody), l = listener(&at), s = bound_socket(), server;
    HANDLE event = new_event();
    OVERLAPPED ov;
    DWORD bytes = CHECK_UNSET;

    ov_init(&ov, event);
    CHECK_PENDS(connect_ex(s, &nobody, &ov), "T test_connect: pends, then fails");
    CHECK_EQ(finish(s, &ov, &bytes), ERROR_CONNECTION_REFUSED, T);
    CHECK_EQ(bytes, 0, T);
    CHECK_EQ((DWORD)ov.Internal, ST_CONNECTION_REFUSED, T);
    CHECK_EQ(wsa_result(s, &ov), WSAECONNREFUSED, T);
    ResetEvent(event);
    CHECK_PENDS(connect_ex(s, &at, &ov), "D ConnectEx: may be tried again");
    CHECK_EQ(finish(s, &ov, NULL), 0, "D ConnectEx: may be tried again");
    server = accept_one(l);
    CHECK(server != INVALID_SOCKET, "D ConnectEx");
    close_both(s, server);

    s = tcp_socket();
    CHECK_FAIL(connect(s, (struct sockaddr *)&nobody, sizeof nobody), WSAECONNREFUSED, T);
    CHECK_EQ(connect(s, (struct sockaddr *)&at, sizeof at), 0, "T test_connect: may be tried again");
    server = accept_one(l);
    check_transfer(s, server, T);
    close_both(s, server);
    close_both(holder, l);
    CloseHandle(event);
}

/* The error of connect, called again and again until it is the one that is wanted. */
static int connect_until(SOCKET s, const struct sockaddr_in *to, int wanted)
{
    ULONGLONG limit = GetTickCount64() + CHECK_WAIT_MS;
    int error;

    do
        error = connect(s, (const struct sockaddr *)to, sizeof *to) ? WSAGetLastError() : 0;
    while (error != wanted && (error == WSAEWOULDBLOCK || error == WSAEALREADY) && GetTickCount64() < limit);
    return error;
}

/* A connect that does not block: WSAEWOULDBLOCK, then writable, or the error in SO_ERROR and exceptfds. */
static void nonblocking(void)
{
    struct sockaddr_in at, nobody;
    SOCKET l = listener(&at), holder = refusing(&nobody), s = tcp_socket(), server;
    struct timeval limit = { CHECK_WAIT_MS / 1000, 0 };
    fd_set readable, writable, failed;
    int error = -1, length = sizeof error, again;

    set_nonblocking(s, TRUE);
    CHECK_FAIL(connect(s, (struct sockaddr *)&at, sizeof at), WSAEWOULDBLOCK, "D connect");
    FD_ZERO(&writable);
    FD_SET(s, &writable);
    CHECK_EQ(select(0, NULL, &writable, NULL, &limit), 1, "D connect");
    CHECK_FAIL(connect(s, (struct sockaddr *)&at, sizeof at), WSAEISCONN, "D connect");
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_ERROR, (char *)&error, &length), 0, "D connect");
    CHECK_EQ(error, 0, "D connect");
    server = accept_one(l);
    close_both(s, server);

    s = tcp_socket();
    set_nonblocking(s, TRUE);
    CHECK_FAIL(connect(s, (struct sockaddr *)&nobody, sizeof nobody), WSAEWOULDBLOCK, "D connect");
    for (again = 0; again < 2; again++) {
        FD_ZERO(&readable);
        FD_ZERO(&writable);
        FD_ZERO(&failed);
        FD_SET(s, &readable);
        FD_SET(s, &writable);
        FD_SET(s, &failed);
        CHECK_EQ(select(0, &readable, &writable, &failed, &limit), 1,
                 "D select: a failed connect is in exceptfds, and nowhere else");
        CHECK(FD_ISSET(s, &failed), "D select");
    }
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_ERROR, (char *)&error, &length), 0, "D select");
    CHECK_EQ(error, WSAECONNREFUSED, "D select: SO_ERROR tells why");
    closesocket(s);

    /* Polled by calling it again, as old programs do. */
    s = tcp_socket();
    set_nonblocking(s, TRUE);
    CHECK_EQ(connect_until(s, &at, WSAEISCONN), WSAEISCONN, "D connect: WSAEALREADY, and then WSAEISCONN");
    server = accept_one(l);
    close_both(s, server);
    s = tcp_socket();
    set_nonblocking(s, TRUE);
    CHECK_EQ(connect_until(s, &nobody, WSAECONNREFUSED), WSAECONNREFUSED, "D connect: WSAEALREADY, and then why not");
    closesocket(s);
    close_both(l, holder);
}

/* connect marks an unbound socket as bound, whether it is connected then or not. */
static void bound_by_a_failed_connect(void)
{
    static const char *const D = "D connect: the socket is marked as bound";
    struct sockaddr_in at, nobody, name;
    SOCKET l = listener(&at), holder = refusing(&nobody), s = tcp_socket(), server;
    int length = sizeof name;

    CHECK_FAIL(getsockname(s, (struct sockaddr *)&name, &length), WSAEINVAL, "T test_getsockname");
    CHECK_FAIL(connect(s, (struct sockaddr *)&nobody, sizeof nobody), WSAECONNREFUSED, "D connect");
    CHECK_EQ(getsockname(s, (struct sockaddr *)&name, &length), 0, D);
    CHECK(name.sin_family == AF_INET && name.sin_port != 0, D);
    CHECK_FAIL(bind(s, (struct sockaddr *)&name, sizeof name), WSAEINVAL, D);
    CHECK_EQ(connect(s, (struct sockaddr *)&at, sizeof at), 0, "D connect: it may try again");
    server = accept_one(l);
    check_transfer(s, server, "D connect: it may try again");
    close_both(s, server);
    close_both(l, holder);
}

static void packets(void)
{
    static const char *const P = "T test_connect_completion_port";
    struct sockaddr_in at, nobody;
    SOCKET l = listener(&at), holder = refusing(&nobody), s, server;
    HANDLE port = new_port(), event = new_event();
    OVERLAPPED ov;

    s = tcp_socket();
    associate(s, port, 1);
    CHECK_EQ(connect(s, (struct sockaddr *)&at, sizeof at), 0, P);
    CHECK(no_packet(port), "T test_connect_completion_port: connect never queues");
    server = accept_one(l);
    close_both(s, server);

    s = bound_socket();
    associate(s, port, 2);
    ov_init(&ov, NULL);
    CHECK_PENDS(connect_ex(s, &at, &ov), P);
    CHECK_PACKET(port, 2, &ov, 0, 0, P);
    server = accept_one(l);
    close_both(s, server);

    s = bound_socket();
    associate(s, port, 3);
    CHECK(SetFileCompletionNotificationModes((HANDLE)s, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS), P);
    ov_init(&ov, event);
    CHECK_PENDS(connect_ex(s, &at, &ov), P);
    CHECK_PACKET(port, 3, &ov, 0, 0, "T test_connect_completion_port: with SKIP, because it pended");
    CHECK(is_set(event, 0), "T test_connect_completion_port: event and packet");
    server = accept_one(l);
    close_both(s, server);

    s = bound_socket();
    associate(s, port, 4);
    ResetEvent(event);
    ov_init(&ov, (HANDLE)((ULONG_PTR)event | 1));
    CHECK_PENDS(connect_ex(s, &at, &ov), P);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, CHECK_WAIT_MS), WAIT_OBJECT_0, P);
    CHECK(no_packet(port), "T test_connect_completion_port: low bit, no packet");
    server = accept_one(l);
    close_both(s, server);

    s = bound_socket();
    associate(s, port, 5);
    ov_init(&ov, NULL);
    CHECK_PENDS(connect_ex(s, &nobody, &ov), P);
    CHECK_PACKET(port, 5, &ov, 0, ERROR_CONNECTION_REFUSED, P);
    closesocket(s);
    close_both(l, holder);
    CloseHandle(port);
    CloseHandle(event);
}

int main(void)
{
    check_begin("connectex");
    refusals();
    success();
    bound_to_any();
    refused();
    nonblocking();
    bound_by_a_failed_connect();
    packets();
    return check_end();
}

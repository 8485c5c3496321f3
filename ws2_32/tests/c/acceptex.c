/*
 * acceptex.c - AcceptEx: its checks, its buffer, its first data, and what ends it.
 */
#include "check.h"

static const char *const T = "T test_AcceptEx";

struct accept {
    OVERLAPPED ov;
    DWORD bytes;
    char buffer[256 + 2 * ADDRESS_SIZE];
};

static BOOL accept_ex(SOCKET l, SOCKET acceptor, struct accept *a, DWORD first, DWORD local, DWORD remote)
{
    a->ov.Internal = 0;
    a->ov.InternalHigh = 0;
    return ext()->accept_ex(l, acceptor, a->buffer, first, local, remote, &a->bytes, &a->ov);
}

static SOCKET connected_to(const struct sockaddr_in *at)
{
    SOCKET s = tcp_socket();

    REQUIRE(connect(s, (const struct sockaddr *)at, sizeof *at) == 0);
    limit_waits(s);
    return s;
}

/* An immediate failure: the error, and the status that mswsock wrote before it tried. */
#define REFUSED(call, error, source) do { \
        CHECK_FALSE(call, error, source); \
        CHECK_EQ((DWORD)a.ov.Internal, ST_PENDING, "T test_AcceptEx: Internal after an immediate failure"); \
    } while (0)

static void refusals(void)
{
    struct sockaddr_in at;
    SOCKET l = listener(&at), bound = bound_socket(), acceptor = tcp_socket(), client, server;
    HANDLE event = new_event();
    struct accept a;

    memset(&a, 0, sizeof a);
    ov_init(&a.ov, event);
    CHECK_FALSE(ext()->accept_ex(l, acceptor, a.buffer, 0, ADDRESS_SIZE, ADDRESS_SIZE, &a.bytes, NULL),
                ERROR_INVALID_PARAMETER, T);
    CHECK_FALSE(ext()->accept_ex(l, acceptor, a.buffer, 0, 0, 0, &a.bytes, NULL), ERROR_INVALID_PARAMETER, T);
    REFUSED(accept_ex(INVALID_SOCKET, acceptor, &a, 0, ADDRESS_SIZE, ADDRESS_SIZE), WSAENOTSOCK, T);
    REFUSED(accept_ex(bound, acceptor, &a, 0, ADDRESS_SIZE, ADDRESS_SIZE), WSAEINVAL, T);
    REFUSED(accept_ex(l, INVALID_SOCKET, &a, 0, ADDRESS_SIZE, ADDRESS_SIZE), WSAENOTSOCK, T);
    REFUSED(accept_ex(l, acceptor, &a, 0, ADDRESS_SIZE, 0), WSAEFAULT, T);
    a.ov.Internal = 0;
    REFUSED(ext()->accept_ex(l, acceptor, NULL, 16, ADDRESS_SIZE, ADDRESS_SIZE, &a.bytes, &a.ov), WSAEFAULT, T);
    REFUSED(accept_ex(l, bound, &a, 0, ADDRESS_SIZE, ADDRESS_SIZE), WSAEINVAL, T);
    tcp_pair(&client, &server);
    REFUSED(accept_ex(l, client, &a, 0, ADDRESS_SIZE, ADDRESS_SIZE), WSAEINVAL, T);
    REFUSED(accept_ex(l, server, &a, 0, ADDRESS_SIZE, ADDRESS_SIZE), WSAEINVAL, T);
    check_transfer(client, server, "T test_AcceptEx: a refused call changes nothing");
    close_both(client, server);
    CHECK(!is_set(event, 0), T);
    close_both(l, bound);
    closesocket(acceptor);
    CloseHandle(event);
}

static void busy_acceptor(void)
{
    struct sockaddr_in at;
    SOCKET l = listener(&at), acceptor = tcp_socket(), client;
    HANDLE event = new_event(), other = new_event();
    struct accept a, b;
    OVERLAPPED ov;
    DWORD bytes;

    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    ov_init(&a.ov, event);
    ov_init(&b.ov, other);
    ov_init(&ov, other);
    CHECK_PENDS(accept_ex(l, acceptor, &a, 0, ADDRESS_SIZE, ADDRESS_SIZE), T);
    CHECK_EQ((DWORD)a.ov.Internal, ST_PENDING, T);
    CHECK_FALSE(accept_ex(l, acceptor, &b, 0, ADDRESS_SIZE, ADDRESS_SIZE), WSAEINVAL, T);
    CHECK_FAIL(connect(acceptor, (struct sockaddr *)&at, sizeof at), WSAEINVAL, T);
    CHECK_FALSE(ext()->connect_ex(acceptor, (struct sockaddr *)&at, sizeof at, NULL, 0, &bytes, &ov), WSAEINVAL, T);
    CHECK(stays_pending(&a.ov, CHECK_QUIET_MS), T);
    client = connected_to(&at);
    CHECK_EQ(finish(l, &a.ov, &bytes), 0, T);
    CHECK_EQ(bytes, 0, T);
    CHECK_EQ(setsockopt(acceptor, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&l, sizeof l), 0, "D AcceptEx");
    check_transfer(client, acceptor, T);
    close_both(client, acceptor);
    closesocket(l);
    CloseHandle(event);
    CloseHandle(other);
}

/* The two addresses, and the first data in front of them. */
static void addresses_and_first_data(void)
{
    struct sockaddr_in at, own;
    struct sockaddr *local = NULL, *remote = NULL;
    SOCKET l = listener(&at), acceptor = tcp_socket(), client;
    HANDLE event = new_event();
    int local_length = 0, remote_length = 0;
    struct accept a;
    DWORD bytes = 0;

    memset(&a, 0, sizeof a);
    ov_init(&a.ov, event);
    CHECK_PENDS(accept_ex(l, acceptor, &a, 256, ADDRESS_SIZE, ADDRESS_SIZE), T);
    client = connected_to(&at);
    own = name_of(client);
    CHECK(stays_pending(&a.ov, CHECK_QUIET_MS), "T test_AcceptEx: waits for the first data");
    CHECK_EQ(send(client, "a", 1, 0), 1, "setup");
    CHECK_EQ(finish(l, &a.ov, &bytes), 0, "T test_AcceptEx: one byte is enough");
    CHECK_EQ(bytes, 1, T);
    CHECK_EQ(a.buffer[0], 'a', T);
    ext()->get_accept_ex_sockaddrs(a.buffer, 256, ADDRESS_SIZE, ADDRESS_SIZE, &local, &local_length, &remote,
                                   &remote_length);
    CHECK(local != NULL && remote != NULL, "D GetAcceptExSockaddrs");
    if (local && remote) {
        CHECK_EQ(local_length, sizeof at, "D GetAcceptExSockaddrs");
        CHECK_EQ(remote_length, sizeof at, "D GetAcceptExSockaddrs");
        CHECK_EQ(local->sa_family, AF_INET, "D GetAcceptExSockaddrs");
        CHECK_EQ(((struct sockaddr_in *)local)->sin_port, at.sin_port, "D GetAcceptExSockaddrs");
        CHECK_EQ(((struct sockaddr_in *)remote)->sin_port, own.sin_port, "D GetAcceptExSockaddrs");
        CHECK_EQ(((struct sockaddr_in *)remote)->sin_addr.s_addr, htonl(INADDR_LOOPBACK), "D GetAcceptExSockaddrs");
    }
    close_both(client, acceptor);

    acceptor = tcp_socket();
    ResetEvent(event);
    CHECK_PENDS(accept_ex(l, acceptor, &a, 256, ADDRESS_SIZE, ADDRESS_SIZE), T);
    client = connected_to(&at);
    CHECK_EQ(shutdown(client, SD_SEND), 0, "setup");
    CHECK_EQ(finish(l, &a.ov, &bytes), 0, "T test_AcceptEx: the peer closes without data: success");
    CHECK_EQ(bytes, 0, T);
    close_both(client, acceptor);
    closesocket(l);
    CloseHandle(event);
}

static void lengths(void)
{
    static const DWORD short_lengths[] = { 3, sizeof(struct sockaddr_in) + 4 };
    struct sockaddr_in at;
    SOCKET l = listener(&at), acceptor, client, server;
    HANDLE event = new_event();
    struct sockaddr *local = (struct sockaddr *)&at, *remote = NULL;
    int local_length = 4711, remote_length = 0;
    struct accept a;
    DWORD bytes = 0;
    unsigned i;

    memset(&a, 0, sizeof a);
    ov_init(&a.ov, event);
    acceptor = tcp_socket();
    CHECK_PENDS(accept_ex(l, acceptor, &a, 0, 0, ADDRESS_SIZE), T);
    client = connected_to(&at);
    CHECK_EQ(finish(l, &a.ov, &bytes), 0, "T test_AcceptEx: no local address");
    CHECK_EQ((DWORD)a.ov.Internal, ST_SUCCESS, T);
    ext()->get_accept_ex_sockaddrs(a.buffer, 0, 0, ADDRESS_SIZE, &local, &local_length, &remote, &remote_length);
    CHECK(local == (struct sockaddr *)&at && local_length == 4711, "T test_AcceptEx: the local outputs stay");
    CHECK(remote != NULL && remote_length == sizeof at, T);
    close_both(client, acceptor);

    for (i = 0; i < 2; i++) {
        acceptor = tcp_socket();
        ResetEvent(event);
        CHECK_PENDS(accept_ex(l, acceptor, &a, 0, short_lengths[i], ADDRESS_SIZE), T);
        client = connected_to(&at);
        CHECK_EQ(finish(l, &a.ov, &bytes), ERROR_INSUFFICIENT_BUFFER, T);
        CHECK_EQ((DWORD)a.ov.Internal, ST_BUFFER_TOO_SMALL, T);
        CHECK_EQ(bytes, 0, T);
        CHECK(readable(l, CHECK_WAIT_MS), "T test_AcceptEx: the connection stays in the backlog");
        if (readable(l, 0)) {
            server = accept(l, NULL, NULL);
            CHECK(server != INVALID_SOCKET, "T test_AcceptEx: plain accept gets it");
            check_transfer(client, server, T);
            closesocket(server);
        }
        close_both(client, acceptor);
    }

    acceptor = tcp_socket();
    ResetEvent(event);
    CHECK_PENDS(accept_ex(l, acceptor, &a, 0, sizeof at + 15, ADDRESS_SIZE), T);
    CHECK(CancelIo((HANDLE)l), T);
    CHECK_EQ(finish(l, &a.ov, NULL), ERROR_OPERATION_ABORTED, T);
    ResetEvent(event);
    CHECK_PENDS(accept_ex(l, acceptor, &a, 0, ADDRESS_SIZE, sizeof at + 15), T);
    CHECK(CancelIo((HANDLE)l), T);
    CHECK_EQ(finish(l, &a.ov, NULL), ERROR_OPERATION_ABORTED, T);
    ResetEvent(event);
    a.ov.Internal = 0;
    CHECK_PENDS(ext()->accept_ex(l, acceptor, a.buffer, 0, ADDRESS_SIZE, ADDRESS_SIZE, NULL, &a.ov),
                "T test_accept_events: no place for the count");
    client = connected_to(&at);
    CHECK_EQ(finish(l, &a.ov, NULL), 0, "T test_accept_events");
    close_both(client, acceptor);
    closesocket(l);
    CloseHandle(event);
}

/* A connection that waits already: still pending, and then done. */
static void waiting_connection(void)
{
    struct sockaddr_in at;
    SOCKET l = listener(&at), acceptor = tcp_socket(), client = connected_to(&at);
    HANDLE event = new_event();
    struct accept a;

    memset(&a, 0, sizeof a);
    ov_init(&a.ov, event);
    CHECK(readable(l, CHECK_WAIT_MS), "setup");
    CHECK_PENDS(accept_ex(l, acceptor, &a, 0, ADDRESS_SIZE, ADDRESS_SIZE), T);
    CHECK_EQ(finish(l, &a.ov, NULL), 0, T);
    CHECK_EQ(setsockopt(acceptor, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&l, sizeof l), 0, "D AcceptEx");
    check_transfer(client, acceptor, T);
    close_both(client, acceptor);
    closesocket(l);
    CloseHandle(event);
}

static void cancelled(void)
{
    struct sockaddr_in at;
    SOCKET l = listener(&at), acceptor = tcp_socket(), client;
    HANDLE event = new_event();
    struct accept a;
    DWORD seconds = CHECK_UNSET;
    int length = sizeof seconds;

    memset(&a, 0, sizeof a);
    ov_init(&a.ov, event);
    CHECK_PENDS(accept_ex(l, acceptor, &a, 0, ADDRESS_SIZE, ADDRESS_SIZE), T);
    CHECK(CancelIo((HANDLE)acceptor), "T test_AcceptEx: does nothing");
    CHECK(stays_pending(&a.ov, CHECK_QUIET_MS), "T test_AcceptEx: the request belongs to the listener");
    CHECK(CancelIo((HANDLE)l), T);
    CHECK_EQ(finish(l, &a.ov, NULL), ERROR_OPERATION_ABORTED, T);
    CHECK_EQ((DWORD)a.ov.Internal, ST_CANCELLED, T);

    ResetEvent(event);
    CHECK_PENDS(accept_ex(l, acceptor, &a, 0, ADDRESS_SIZE, ADDRESS_SIZE),
                "T test_AcceptEx: the acceptor is free again");
    CHECK(CancelIoEx((HANDLE)l, &a.ov), "D CancelIoEx");
    CHECK_EQ(finish(l, &a.ov, NULL), ERROR_OPERATION_ABORTED, "D CancelIoEx");

    ResetEvent(event);
    CHECK_PENDS(accept_ex(l, acceptor, &a, 0, ADDRESS_SIZE, ADDRESS_SIZE), T);
    closesocket(acceptor);
    CHECK_EQ(finish(l, &a.ov, NULL), ERROR_OPERATION_ABORTED, "T test_AcceptEx: closing the acceptor");
    CHECK_EQ((DWORD)a.ov.Internal, ST_CANCELLED, T);

    /* The acceptor has its connection and waits for data. */
    acceptor = tcp_socket();
    ResetEvent(event);
    CHECK_PENDS(accept_ex(l, acceptor, &a, 16, ADDRESS_SIZE, ADDRESS_SIZE), T);
    client = connected_to(&at);
    CHECK(stays_pending(&a.ov, CHECK_QUIET_MS), T);
    CHECK_EQ(getsockopt(acceptor, SOL_SOCKET, SO_CONNECT_TIME, (char *)&seconds, &length), 0, "D AcceptEx");
    CHECK(seconds < 60, "D AcceptEx: SO_CONNECT_TIME tells which connections send nothing");
    CHECK(CancelIo((HANDLE)acceptor), "T test_AcceptEx: does nothing");
    CHECK_CALL(CancelIoEx((HANDLE)acceptor, NULL), FALSE, ERROR_NOT_FOUND, "T test_AcceptEx: nothing of the acceptor's");
    CHECK(stays_pending(&a.ov, CHECK_QUIET_MS), "T test_AcceptEx: the request belongs to the listener");
    closesocket(acceptor);
    CHECK(is_set(event, CHECK_WAIT_MS), "T test_completion_port");
    CHECK((DWORD)a.ov.Internal == ST_CANCELLED || (DWORD)a.ov.Internal == ST_CONNECTION_ABORTED,
          "T test_completion_port: either of the two");
    closesocket(client);

    acceptor = tcp_socket();
    ResetEvent(event);
    CHECK_PENDS(accept_ex(l, acceptor, &a, 0, ADDRESS_SIZE, ADDRESS_SIZE), T);
    closesocket(l);
    CHECK_EQ(finish(l, &a.ov, NULL), ERROR_OPERATION_ABORTED, "T test_AcceptEx: closing the listener");
    CHECK_EQ((DWORD)a.ov.Internal, ST_CANCELLED, T);
    closesocket(acceptor);
    CloseHandle(event);
}

/* First data for an acceptor without a port, or on one that nobody waits on: the call is the listener's. */
static void first_data_elsewhere(void)
{
    static const char *const D = "D AcceptEx: the packet comes when the data does";
    struct sockaddr_in at;
    SOCKET l = listener(&at), acceptor, client;
    HANDLE port = new_port(), other;
    struct accept a;
    int on_other;

    associate(l, port, 125);
    for (on_other = 0; on_other < 2; on_other++) {
        acceptor = tcp_socket();
        other = new_port(); /* one that nobody has looked at */
        if (on_other)
            associate(acceptor, other, 236);
        memset(&a, 0, sizeof a);
        CHECK_PENDS(accept_ex(l, acceptor, &a, 16, ADDRESS_SIZE, ADDRESS_SIZE), D);
        client = connected_to(&at);
        CHECK(no_packet(port), D);
        if (!on_other) /* It may get a port meanwhile. */
            associate(acceptor, other, 236);
        CHECK_EQ(send(client, "12345", 5, 0), 5, "setup");
        CHECK_PACKET(port, 125, &a.ov, 5, 0, D);
        CHECK_EQ(setsockopt(acceptor, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&l, sizeof l), 0, "setup");
        check_transfer(client, acceptor, "D AcceptEx: a connected socket");
        close_both(client, acceptor);
        CloseHandle(other);
    }
    closesocket(l);
    CloseHandle(port);
}

/* The packet goes to the port of the listener. */
static void packets(void)
{
    struct sockaddr_in at;
    SOCKET l = listener(&at), acceptor = tcp_socket(), client;
    HANDLE port = new_port();
    struct accept a;

    memset(&a, 0, sizeof a);
    associate(l, port, 125);
    associate(acceptor, port, 236);
    CHECK_PENDS(accept_ex(l, acceptor, &a, 0, ADDRESS_SIZE, ADDRESS_SIZE), T);
    client = connected_to(&at);
    CHECK_PACKET(port, 125, &a.ov, 0, 0, "T test_completion_port: the key of the listener");
    close_both(client, acceptor);

    acceptor = tcp_socket();
    CHECK_PENDS(accept_ex(l, acceptor, &a, 0, ADDRESS_SIZE, ADDRESS_SIZE), T);
    closesocket(acceptor);
    CHECK_PACKET(port, 125, &a.ov, 0, ERROR_OPERATION_ABORTED, "T test_completion_port");
    acceptor = tcp_socket();
    CHECK_FALSE(accept_ex(l, acceptor, &a, 0, ADDRESS_SIZE, 0), WSAEFAULT, T);
    CHECK(no_packet(port), "T test_completion_port: an immediate error queues nothing");
    CHECK_PENDS(accept_ex(l, acceptor, &a, 0, ADDRESS_SIZE, ADDRESS_SIZE), T);
    closesocket(l);
    CHECK_PACKET(port, 125, &a.ov, 0, ERROR_OPERATION_ABORTED, "T test_completion_port");
    closesocket(acceptor);
    CloseHandle(port);
}

/* Requests are served first come, first served, and several may wait. */
static void several(void)
{
    enum { COUNT = 4 };
    struct sockaddr_in at;
    SOCKET l = listener(&at), acceptors[COUNT], clients[COUNT];
    struct accept a[COUNT];
    HANDLE events[COUNT];
    int i;

    memset(a, 0, sizeof a);
    for (i = 0; i < COUNT; i++) {
        acceptors[i] = tcp_socket();
        events[i] = new_event();
        ov_init(&a[i].ov, events[i]);
        CHECK_PENDS(accept_ex(l, acceptors[i], &a[i], 0, ADDRESS_SIZE, ADDRESS_SIZE), "D AcceptEx");
    }
    for (i = 0; i < COUNT; i++)
        clients[i] = connected_to(&at);
    for (i = 0; i < COUNT; i++) {
        CHECK_EQ(finish(l, &a[i].ov, NULL), 0, "D AcceptEx");
        CHECK_EQ(setsockopt(acceptors[i], SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&l, sizeof l), 0, "D AcceptEx");
    }
    for (i = 0; i < COUNT; i++) {
        struct sockaddr_in peer;
        int length = sizeof peer, j;

        CHECK_EQ(getpeername(acceptors[i], (struct sockaddr *)&peer, &length), 0, "D AcceptEx");
        for (j = 0; j < COUNT && name_of(clients[j]).sin_port != peer.sin_port; j++)
            ;
        CHECK(j < COUNT, "D AcceptEx: each request has a connection of its own");
        if (j < COUNT)
            check_transfer(clients[j], acceptors[i], "D AcceptEx");
    }
    for (i = 0; i < COUNT; i++) {
        close_both(clients[i], acceptors[i]);
        CloseHandle(events[i]);
    }
    closesocket(l);
}

int main(void)
{
    check_begin("acceptex");
    refusals();
    busy_acceptor();
    addresses_and_first_data();
    lengths();
    waiting_connection();
    cancelled();
    first_data_elsewhere();
    packets();
    several();
    return check_end();
}

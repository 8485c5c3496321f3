/*
 * closesocket.c - closesocket: what the peer sees, what becomes of pending operations, and handles that are none.
 */
#include "check.h"

static void refusals(void)
{
    HANDLE event = new_event(), port = new_port();
    SOCKET s = tcp_socket();

    CHECK_FAIL(closesocket(INVALID_SOCKET), WSAENOTSOCK, "D closesocket");
    CHECK_FAIL(closesocket((SOCKET)(ULONG_PTR)event), WSAENOTSOCK, "T test_valid_handle");
    CHECK(SetEvent(event), "T test_valid_handle: a handle of another kind is not closed");
    CHECK(is_set(event, 0), "T test_valid_handle");
    CHECK_FAIL(closesocket((SOCKET)(ULONG_PTR)port), WSAENOTSOCK, "T test_valid_handle");
    CHECK(no_packet(port), "T test_valid_handle");
    CHECK_CALL(closesocket(s), 0, CHECK_UNSET, "D closesocket");
    CHECK_FAIL(closesocket(s), WSAENOTSOCK, "D closesocket: twice");
    CloseHandle(event);
    CloseHandle(port);
}

static void what_the_peer_sees(void)
{
    SOCKET client, server;
    char buffer[16];

    tcp_pair(&client, &server);
    CHECK_EQ(send(client, "12345", 5, 0), 5, "setup");
    CHECK_EQ(closesocket(client), 0, "D closesocket");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 5, "D closesocket: graceful, the data goes first");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 0, "D closesocket: graceful");
    closesocket(server);

    tcp_pair(&client, &server);
    close_with_rst(client);
    CHECK(readable(server, CHECK_WAIT_MS), "D closesocket: linger 0 resets");
    CHECK_FAIL(recv(server, buffer, sizeof buffer, 0), WSAECONNRESET, "D closesocket, T test_tcp_reset");
    closesocket(server);
}

/* What was sent and not read yet arrives after the handle is gone. */
static void buffered_data_goes_out(void)
{
    enum { SIZE = 64 * 1024 };
    SOCKET client, server;
    char *data = calloc(1, SIZE), *in = malloc(SIZE);
    int n, total = 0;

    REQUIRE(data && in);
    tcp_pair(&client, &server);
    CHECK_EQ(send(client, data, SIZE, 0), SIZE, "setup");
    CHECK_EQ(closesocket(client), 0, "D closesocket");
    while ((n = recv(server, in, SIZE, 0)) > 0)
        total += n;
    CHECK_EQ(n, 0, "T test_send_buffering");
    CHECK_EQ(total, SIZE, "T test_send_buffering: buffered data still goes out");
    closesocket(server);
    free(data);
    free(in);
}

static void linger(void)
{
    SOCKET client, server;
    struct linger linger = { 1, 5 };
    ULONGLONG start;
    char chunk[4096];
    int n, round;

    tcp_pair(&client, &server);
    CHECK_EQ(setsockopt(client, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof linger), 0, "D closesocket");
    CHECK_EQ(send(client, "x", 1, 0), 1, "setup");
    start = GetTickCount64();
    CHECK_EQ(closesocket(client), 0, "D closesocket: blocks until the data is acknowledged");
    CHECK(GetTickCount64() - start < 4000, "D closesocket: and no longer");
    CHECK_EQ(recv(server, chunk, 1, 0), 1, "D closesocket");
    CHECK_EQ(recv(server, chunk, 1, 0), 0, "D closesocket");
    closesocket(server);

    /* A full pipe and a socket that must not block. */
    tcp_pair(&client, &server);
    memset(chunk, 'x', sizeof chunk);
    CHECK_EQ(setsockopt(client, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof linger), 0, "D closesocket");
    set_nonblocking(client, TRUE);
    /* Filled again as long as the connection takes more: what is in flight leaves room as it arrives. */
    for (round = 0; round < 20; round++) {
        struct timeval limit = { 0, 20000 };
        fd_set writable;

        do
            n = send(client, chunk, sizeof chunk, 0);
        while (n > 0);
        FD_ZERO(&writable);
        FD_SET(client, &writable);
        if (select(0, NULL, &writable, NULL, &limit) == 0)
            break;
    }
    CHECK_FAIL(closesocket(client), WSAEWOULDBLOCK, "D closesocket: linger on a non-blocking socket");
    linger.l_linger = 0;
    CHECK_EQ(setsockopt(client, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof linger), 0,
             "D closesocket: the handle is still valid");
    CHECK_EQ(closesocket(client), 0, "D closesocket");
    closesocket(server);
}

static BOOL closed_receive_status(DWORD status)
{
    return status == ST_CONNECTION_ABORTED || status == ST_LOCAL_DISCONNECT || status == ST_CONNECTION_RESET;
}

static void pending_receive(void)
{
    SOCKET client, server;
    HANDLE port = new_port(), event = new_event();
    OVERLAPPED ov, ov2;
    char buffer[16], buffer2[16];
    WSABUF space, space2;
    DWORD flags = 0;
    struct packet p;

    space.buf = buffer;
    space2.buf = buffer2;
    space.len = space2.len = sizeof buffer;
    tcp_pair(&client, &server);
    associate(client, port, 125);
    ov_init(&ov, NULL);
    CHECK_WSA_PENDS(WSARecv(client, &space, 1, NULL, &flags, &ov, NULL), "T test_iocp");
    CHECK_EQ(closesocket(client), 0, "T test_iocp");
    p = next_packet(port, CHECK_WAIT_MS);
    CHECK(!p.ok && (p.error == ERROR_CONNECTION_ABORTED || p.error == ERROR_NETNAME_DELETED),
          "T test_iocp: 1236 since Windows 7, 64 before; A corosio: 64 on Windows 10 and 11");
    CHECK_EQ(p.key, 125, "T test_iocp");
    CHECK(p.ov == &ov, "T test_iocp");
    CHECK_EQ(p.bytes, 0, "T test_iocp");
    CHECK(closed_receive_status((DWORD)ov.Internal), "T test_iocp");
    CHECK(no_packet(port), "T test_iocp: one packet");
    closesocket(server);

    tcp_pair(&client, &server);
    ov_init(&ov, event);
    CHECK_WSA_PENDS(WSARecv(client, &space, 1, NULL, &flags, &ov, NULL), "T test_iocp");
    CHECK_EQ(closesocket(client), 0, "T test_iocp");
    CHECK(is_set(event, CHECK_WAIT_MS), "T test_iocp");
    CHECK(closed_receive_status((DWORD)ov.Internal), "T test_iocp");
    CHECK(HasOverlappedIoCompleted(&ov), "porting 0: programs poll for this after closesocket");
    closesocket(server);

    /* Several of them: each has its packet. */
    tcp_pair(&client, &server);
    associate(client, port, 126);
    ov_init(&ov, NULL);
    ov_init(&ov2, NULL);
    CHECK_WSA_PENDS(WSARecv(client, &space, 1, NULL, &flags, &ov, NULL), "T test_iocp");
    CHECK_WSA_PENDS(WSARecv(client, &space2, 1, NULL, &flags, &ov2, NULL), "T test_iocp");
    CHECK_EQ(closesocket(client), 0, "T test_iocp");
    p = next_packet(port, CHECK_WAIT_MS);
    CHECK(!p.ok && (p.ov == &ov || p.ov == &ov2), "T test_iocp");
    p = next_packet(port, CHECK_WAIT_MS);
    CHECK(!p.ok && (p.ov == &ov || p.ov == &ov2), "T test_iocp");
    CHECK(no_packet(port), "T test_iocp");
    closesocket(server);
    CloseHandle(port);
    CloseHandle(event);
}

struct acceptor {
    SOCKET listener, accepted;
    int error;
    HANDLE begun;
};

static DWORD WINAPI accept_blocking(void *argument)
{
    struct acceptor *a = argument;

    SetEvent(a->begun);
    a->accepted = accept(a->listener, NULL, NULL);
    a->error = WSAGetLastError();
    return 0;
}

static void blocked_accept(void)
{
    struct sockaddr_in at;
    struct acceptor a;
    HANDLE thread;
    SOCKET again;

    a.listener = listener(&at);
    a.accepted = 0;
    a.begun = new_event();
    thread = CreateThread(NULL, 0, accept_blocking, &a, 0, NULL);
    REQUIRE(thread != NULL);
    CHECK(is_set(a.begun, CHECK_WAIT_MS), "setup");
    CHECK(!is_set(thread, CHECK_QUIET_MS), "D accept: blocks");
    CHECK_EQ(closesocket(a.listener), 0, "T test_accept");
    again = tcp_socket();
    CHECK_EQ(bind(again, (struct sockaddr *)&at, sizeof at), 0, "choice: the port is free at once");
    CHECK_EQ(listen(again, 1), 0, "choice: the port is free at once");
    closesocket(again);
    CHECK(is_set(thread, CHECK_WAIT_MS), "T test_accept: closesocket wakes accept");
    CHECK(a.accepted == INVALID_SOCKET, "T test_accept");
    CHECK_EQ(a.error, WSAEINTR, "D accept: a blocking call was cancelled");
    CloseHandle(thread);
    CloseHandle(a.begun);
}

enum blocking { RECV, RECVFROM, WSA_RECV, WSA_RECVFROM, WSA_RECVMSG, WSA_RECVEX, WSA_ACCEPT, WAYS };

struct blocked {
    enum blocking way;
    SOCKET s;
    int result, error;
    HANDLE begun;
    LPFN_WSARECVMSG recv_msg;
};

static DWORD WINAPI block(void *argument)
{
    struct blocked *b = argument;
    char byte;
    WSABUF space = { 1, &byte };
    WSAMSG message = { .lpBuffers = &space, .dwBufferCount = 1 };
    DWORD bytes, flags = 0;
    int partial = 0;

    SetEvent(b->begun);
    switch (b->way) {
    case RECV: b->result = recv(b->s, &byte, 1, 0); break;
    case RECVFROM: b->result = recvfrom(b->s, &byte, 1, 0, NULL, NULL); break;
    case WSA_RECV: b->result = WSARecv(b->s, &space, 1, &bytes, &flags, NULL, NULL); break;
    case WSA_RECVFROM: b->result = WSARecvFrom(b->s, &space, 1, &bytes, &flags, NULL, NULL, NULL, NULL); break;
    case WSA_RECVMSG: b->result = b->recv_msg(b->s, &message, &bytes, NULL, NULL); break;
    case WSA_RECVEX: b->result = WSARecvEx(b->s, &byte, 1, &partial); break;
    default: b->result = WSAAccept(b->s, NULL, NULL, NULL, 0) == INVALID_SOCKET ? SOCKET_ERROR : 0; break;
    }
    b->error = WSAGetLastError();
    return 0;
}

/* The error of a call that closesocket ends; WSAENOTSOCK if it came later. */
static int error_of_blocked(struct blocked *b)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    HANDLE thread;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    b->s = b->way == WSA_ACCEPT ? listener(&at) : socket(AF_INET, SOCK_DGRAM, 0);
    REQUIRE(b->way == WSA_ACCEPT || bind(b->s, (struct sockaddr *)&at, sizeof at) == 0);
    ResetEvent(b->begun);
    thread = CreateThread(NULL, 0, block, b, 0, NULL);
    REQUIRE(thread != NULL && is_set(b->begun, CHECK_WAIT_MS));
    CHECK(!is_set(thread, CHECK_QUIET_MS), "D recvfrom: blocks");
    CHECK_EQ(closesocket(b->s), 0, "setup");
    CHECK(is_set(thread, CHECK_WAIT_MS), "D closesocket: pending blocking calls are cancelled");
    CHECK_EQ(b->result, SOCKET_ERROR, "D recvfrom");
    CloseHandle(thread);
    return b->error;
}

/* What a server's thread sees that waits for datagrams when another ends it. */
static void blocked_calls(void)
{
    static const GUID recv_msg = WSAID_WSARECVMSG;
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    struct blocked b;
    int tries, error;

    REQUIRE(get_extension(s, recv_msg, &b.recv_msg) == 0);
    closesocket(s);
    b.begun = new_event();
    for (b.way = RECV; b.way < WAYS; b.way++) {
        for (tries = 0, error = WSAENOTSOCK; tries < 20 && error == WSAENOTSOCK; tries++)
            error = error_of_blocked(&b);
        CHECK_EQ(error, WSAEINTR, "D recv, recvfrom, WSARecv, WSAAccept: a blocking call was cancelled");
    }
    CloseHandle(b.begun);
}

#ifndef __MINGW32__ /* Windows and Wine refuse some */
/* More connections at once than the backlog: each that was told to be connected is served. */
static void crowded(void)
{
    enum { CLIENTS = 40 };
    SOCKET clients[CLIENTS], server, l = tcp_socket();
    struct sockaddr_in at;
    int i, served = 0;
    char octet;

    bind_loopback(l);
    at = name_of(l);
    CHECK_EQ(listen(l, 5), 0, "setup");
    for (i = 0; i < CLIENTS; i++) {
        clients[i] = tcp_socket();
        REQUIRE(connect(clients[i], (struct sockaddr *)&at, sizeof at) == 0);
        REQUIRE(send(clients[i], "x", 1, 0) == 1);
    }
    for (i = 0; i < CLIENTS; i++) {
        server = accept_one(l);
        limit_waits(server);
        served += recv(server, &octet, 1, 0) == 1 && send(server, "y", 1, 0) == 1;
        limit_waits(clients[i]);
        served += recv(clients[i], &octet, 1, 0) == 1;
        close_both(server, clients[i]);
    }
    CHECK_EQ(served, 2 * CLIENTS, "choice: a backlog refuses or serves");
    closesocket(l);
}
#endif

int main(void)
{
    check_begin("closesocket");
    refusals();
    what_the_peer_sees();
    buffered_data_goes_out();
    linger();
    pending_receive();
    blocked_accept();
    blocked_calls();
#ifndef __MINGW32__
    crowded();
#endif
    return check_end();
}

/*
 * WSAEventSelect and WSAEnumNetworkEvents: what is recorded, when it is told, and what has to be done before it is told
 * again (winsock-semantics 3.8).
 */
#include "check.h"

#define CLOSE_EVENTS "T test_close_events"
#define READ_EVENTS "T test_read_events"
#define WRITE_EVENTS "T test_write_events"
#define ACCEPT_EVENTS "T test_accept_events"
#define CONNECT_EVENTS "T test_connect_events"
#define PAGE "D WSAEventSelect"

static HANDLE event;

/* Waits until the event is set, takes what is recorded, and gives the mask; 0 if nothing came. */
static LONG next_events(SOCKET s, WSANETWORKEVENTS *events)
{
    memset(events, 0xcc, sizeof *events);
    if (!is_set(event, CHECK_WAIT_MS))
        return 0;
    CHECK_EQ(WSAEnumNetworkEvents(s, event, events), 0, "D WSAEnumNetworkEvents");
    return events->lNetworkEvents;
}

/* Takes events until these have all come, for what need not come together; gives what came. */
static LONG gather(SOCKET s, LONG wanted, WSANETWORKEVENTS *last)
{
    LONG got = 0, more = 1;

    while ((got & wanted) != wanted && more) {
        more = next_events(s, last);
        got |= more;
    }
    return got;
}

static BOOL quiet(SOCKET s)
{
    WSANETWORKEVENTS events;

    if (is_set(event, CHECK_QUIET_MS))
        return FALSE;
    return WSAEnumNetworkEvents(s, NULL, &events) == 0 && events.lNetworkEvents == 0;
}

static void select_on(SOCKET s, LONG mask)
{
    CHECK_EQ(WSAEventSelect(s, event, mask), 0, PAGE);
}

static void done(SOCKET a, SOCKET b)
{
    close_both(a, b);
    ResetEvent(event);
}

static void refusals(void)
{
    WSANETWORKEVENTS events;
    SOCKET s = tcp_socket(), stale = tcp_socket();
    HANDLE port = new_port();
    u_long off = 0;

    closesocket(stale);
    CHECK_FAIL(WSAEventSelect(INVALID_SOCKET, event, FD_READ), WSAENOTSOCK, PAGE);
    CHECK_FAIL(WSAEventSelect(stale, event, FD_READ), WSAENOTSOCK, PAGE);
    CHECK_FAIL(WSAEventSelect((SOCKET)(ULONG_PTR)event, event, FD_READ), WSAENOTSOCK, PAGE);
    CHECK_FAIL(WSAEventSelect(s, NULL, FD_READ), WSAEINVAL, "D WSAEventSelect: invalid parameter");
    CHECK_FAIL(WSAEventSelect(s, port, FD_READ), WSAEINVAL, "D WSAEventSelect: invalid parameter");
    CHECK_FAIL(WSAEventSelect(s, event, 1 << FD_MAX_EVENTS), WSAEINVAL, "D WSAEventSelect: invalid parameter");
    CHECK_FAIL(WSAEventSelect(s, NULL, 1 << FD_MAX_EVENTS), WSAEINVAL, "D WSAEventSelect: invalid parameter");
    CHECK_EQ(ioctlsocket(s, FIONBIO, &off), 0, "choice: a refused call changes nothing");

    CHECK_FAIL(WSAEnumNetworkEvents(stale, NULL, &events), WSAENOTSOCK, "D WSAEnumNetworkEvents");
    CHECK_FAIL(WSAEnumNetworkEvents(s, NULL, NULL), WSAEFAULT, "D WSAEnumNetworkEvents");
    CHECK_FAIL(WSAEnumNetworkEvents(s, NULL, (WSANETWORKEVENTS *)(ULONG_PTR)8), WSAEFAULT, "D WSAEnumNetworkEvents");
    CHECK_FAIL(WSAEnumNetworkEvents(s, port, &events), WSAEINVAL, "choice: not an event object");
    CHECK_EQ(WSAEnumNetworkEvents(s, NULL, &events), 0, "choice: nothing is selected, nothing is told");
    CHECK_EQ(events.lNetworkEvents, 0, "choice: nothing is selected, nothing is told");

    /* The socket is non-blocking while events are selected, and afterwards until it is told. */
    select_on(s, FD_READ);
    CHECK_FAIL(ioctlsocket(s, FIONBIO, &off), WSAEINVAL, PAGE);
    CHECK_EQ(WSAEventSelect(s, NULL, 0), 0, "D WSAEventSelect: cancels");
    CHECK_EQ(ioctlsocket(s, FIONBIO, &off), 0, PAGE);
    closesocket(s);
    CloseHandle(port);
}

static void closing(void)
{
    WSANETWORKEVENTS events;
    SOCKET client, server;
    char buffer[8];

    /* A clean close, and a half close: once, with error 0. */
    tcp_pair(&client, &server);
    select_on(server, FD_CLOSE);
    CHECK(quiet(server), CLOSE_EVENTS);
    CHECK_EQ(shutdown(client, SD_SEND), 0, "setup");
    CHECK_EQ(next_events(server, &events), FD_CLOSE, CLOSE_EVENTS);
    CHECK_EQ(events.iErrorCode[FD_CLOSE_BIT], 0, CLOSE_EVENTS);
    CHECK_EQ((unsigned)events.iErrorCode[FD_READ_BIT], 0xccccccccu, "T test_close_events: other codes are left alone");
    CHECK_EQ(closesocket(client), 0, "setup");
    CHECK(quiet(server), "T test_close_events: a later close adds nothing");
    select_on(server, FD_CLOSE);
    CHECK(quiet(server), "T test_close_events: the same mask again tells nothing again");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 0, "S 003: a zero return value tells it too");
    CHECK(quiet(server), CLOSE_EVENTS);
    closesocket(server);
    ResetEvent(event);

    /* A reset reads 10053 here, 10054 to a receive. */
    tcp_pair(&client, &server);
    select_on(server, FD_CLOSE);
    close_with_rst(client);
    CHECK_EQ(next_events(server, &events), FD_CLOSE, CLOSE_EVENTS);
    CHECK_EQ(events.iErrorCode[FD_CLOSE_BIT], WSAECONNABORTED, "T test_close_events: D6");
    CHECK_FAIL(recv(server, buffer, sizeof buffer, 0), WSAECONNRESET, "T test_tcp_reset");
    CHECK(quiet(server), CLOSE_EVENTS);
    closesocket(server);
    ResetEvent(event);

    /* At once, though data is unread (D5). */
    tcp_pair(&client, &server);
    select_on(server, FD_READ | FD_CLOSE);
    CHECK_EQ(send(client, "12345", 5, 0), 5, "setup");
    CHECK_EQ(next_events(server, &events), FD_READ, CLOSE_EVENTS);
    CHECK_EQ(closesocket(client), 0, "setup");
    CHECK_EQ(next_events(server, &events), FD_CLOSE, "T test_close_events: D5");
    CHECK_EQ(events.iErrorCode[FD_CLOSE_BIT], 0, CLOSE_EVENTS);
    CHECK_EQ(recv(server, buffer, 3, 0), 3, CLOSE_EVENTS);
    CHECK_EQ(next_events(server, &events), FD_READ, "T test_close_events: two octets are left");
    CHECK_EQ(recv(server, buffer, 3, 0), 2, CLOSE_EVENTS);
    CHECK(quiet(server), CLOSE_EVENTS);
    CHECK_EQ(recv(server, buffer, 3, 0), 0, CLOSE_EVENTS);
    CHECK(quiet(server), "T test_close_events: a receive of 0 tells nothing");
    closesocket(server);
    ResetEvent(event);

    /* So does a reset: who is blocked in its own output does not read. */
    tcp_pair(&client, &server);
    select_on(server, FD_READ | FD_CLOSE);
    CHECK_EQ(send(client, "12345", 5, 0), 5, "setup");
    CHECK_EQ(next_events(server, &events), FD_READ, CLOSE_EVENTS);
    close_with_rst(client);
    CHECK_EQ(next_events(server, &events), FD_CLOSE, "choice: as the end of data, D5");
    CHECK_EQ(events.iErrorCode[FD_CLOSE_BIT], WSAECONNABORTED, "T test_close_events: D6");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 5, "choice: what came before is still there");
    CHECK_FAIL(recv(server, buffer, sizeof buffer, 0), WSAECONNRESET, "T test_tcp_reset");
    CHECK(quiet(server), "choice: told once");
    closesocket(server);
    ResetEvent(event);

    /* Selected after it happened; and added to another selection. */
    tcp_pair(&client, &server);
    select_on(server, FD_READ);
    CHECK_EQ(closesocket(client), 0, "setup");
    CHECK(quiet(server), CLOSE_EVENTS);
    select_on(server, FD_READ | FD_CLOSE);
    CHECK_EQ(next_events(server, &events), FD_CLOSE, "T test_close_events: reported when it is added");
    closesocket(server);
    ResetEvent(event);

    tcp_pair(&client, &server);
    CHECK_EQ(closesocket(client), 0, "setup");
    CHECK(readable(server, CHECK_WAIT_MS), "setup");
    select_on(server, FD_CLOSE);
    CHECK_EQ(next_events(server, &events), FD_CLOSE, "T test_close_events: selected late");
    closesocket(server);
    ResetEvent(event);

    /* The own ends tell nothing, and leave the selection as it is. */
    tcp_pair(&client, &server);
    select_on(server, FD_CLOSE);
    CHECK_EQ(shutdown(server, SD_BOTH), 0, "setup");
    CHECK(quiet(server), CLOSE_EVENTS);
    CHECK_EQ(shutdown(client, SD_SEND), 0, "setup");
    CHECK_EQ(next_events(server, &events), FD_CLOSE, "T test_close_events: the selection survives");
    CHECK_EQ(closesocket(server), 0, "setup");
    CHECK(!is_set(event, CHECK_QUIET_MS), "T test_iocp: a local close tells nothing");
    closesocket(client);
}

static void reading(void)
{
    WSANETWORKEVENTS events;
    SOCKET client, server;
    OVERLAPPED ov;
    HANDLE other = new_event();
    DWORD bytes = 0, flags = 0;
    char buffer[8];
    WSABUF space;

    tcp_pair(&client, &server);
    select_on(server, FD_READ);
    CHECK(quiet(server), READ_EVENTS);
    CHECK_EQ(send(client, "123", 3, 0), 3, "setup");
    CHECK_EQ(next_events(server, &events), FD_READ, READ_EVENTS);
    CHECK_EQ(events.iErrorCode[FD_READ_BIT], 0, READ_EVENTS);
    CHECK_EQ(send(client, "4", 1, 0), 1, "setup");
    CHECK(quiet(server), "D WSAEventSelect: not again before a receive");
    CHECK_EQ(recv(server, buffer, 2, 0), 2, "setup");
    CHECK_EQ(next_events(server, &events), FD_READ, "T test_read_events: after a receive that leaves data");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 2, "setup");
    CHECK(quiet(server), READ_EVENTS);
    CHECK_FAIL(recv(server, buffer, sizeof buffer, 0), WSAEWOULDBLOCK, "D WSAEventSelect: non-blocking");
    CHECK(quiet(server), READ_EVENTS);
    CHECK_EQ(send(client, "5", 1, 0), 1, "setup");
    CHECK_EQ(next_events(server, &events), FD_READ, READ_EVENTS);
    CHECK_EQ(recv(server, buffer, 1, MSG_PEEK), 1, "setup");
    CHECK_EQ(next_events(server, &events), FD_READ, "D WSAEventSelect: a peek is a receive that leaves data");
    CHECK_EQ(recv(server, buffer, 1, 0), 1, "setup");

    /* A receive that pends takes the data, and nobody else hears of it. */
    space.buf = buffer;
    space.len = sizeof buffer;
    ov_init(&ov, other);
    CHECK_WSA_PENDS(WSARecv(server, &space, 1, NULL, &flags, &ov, NULL), "setup");
    CHECK_EQ(send(client, "6", 1, 0), 1, "setup");
    CHECK(is_set(other, CHECK_WAIT_MS), READ_EVENTS);
    CHECK(quiet(server), "T test_read_events: not if a pending WSARecv takes it");
    CHECK_EQ(send(client, "7", 1, 0), 1, "setup");
    CHECK_EQ(next_events(server, &events), FD_READ, READ_EVENTS);
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 1, "setup");

    /* Selected late, and cancelled. */
    CHECK_EQ(WSAEventSelect(server, NULL, 0), 0, "D WSAEventSelect: cancels");
    CHECK_EQ(send(client, "8", 1, 0), 1, "setup");
    CHECK(!is_set(event, CHECK_QUIET_MS), "D WSAEventSelect: cancels");
    select_on(server, FD_READ);
    CHECK_EQ(next_events(server, &events), FD_READ, "D WSAEventSelect: what is so already is told");
    done(client, server);
    (void)bytes;
    CloseHandle(other);
}

static void writing(void)
{
    static char block[1 << 16];
    WSANETWORKEVENTS events;
    SOCKET client, server;
    int n, sent = 0, received = 0;

    tcp_pair(&client, &server);
    select_on(client, FD_WRITE);
    CHECK_EQ(next_events(client, &events), FD_WRITE, "T test_write_events: at the first selection");
    CHECK_EQ(send(client, "x", 1, 0), 1, "setup");
    CHECK(quiet(client), "T test_write_events: a send that succeeds tells nothing");
    sent = 1;
    while ((n = send(client, block, sizeof block, 0)) > 0)
        sent += n;
    CHECK_FAIL(send(client, block, sizeof block, 0), WSAEWOULDBLOCK, WRITE_EVENTS);
    set_nonblocking(server, TRUE);
    while (received < sent / 2) {
        n = recv(server, block, sizeof block, 0);
        received += n > 0 ? n : 0;
    }
    CHECK_EQ(next_events(client, &events), FD_WRITE, "T test_write_events: room after WSAEWOULDBLOCK");
    CHECK(quiet(client), WRITE_EVENTS);
    done(client, server);

    /* Recorded and not taken: a send does not clear it (D8). */
    tcp_pair(&client, &server);
    select_on(client, FD_WRITE);
    CHECK(is_set(event, CHECK_WAIT_MS), WRITE_EVENTS);
    CHECK_EQ(send(client, "x", 1, 0), 1, "setup");
    CHECK_EQ(WSAEnumNetworkEvents(client, event, &events), 0, WRITE_EVENTS);
    CHECK_EQ(events.lNetworkEvents, FD_WRITE, "T test_write_events: D8");
    done(client, server);
}

static void accepting(void)
{
    WSANETWORKEVENTS events;
    struct sockaddr_in at;
    SOCKET l = listener(&at), clients[3], accepted;
    OVERLAPPED ov;
    HANDLE other = new_event();
    char addresses[2 * ADDRESS_SIZE];
    DWORD bytes;
    int i;

    select_on(l, FD_ACCEPT);
    CHECK(quiet(l), ACCEPT_EVENTS);
    CHECK_EQ((LONG)accept(l, NULL, NULL), (LONG)INVALID_SOCKET, "D WSAEventSelect: non-blocking");
    for (i = 0; i < 3; i++) {
        clients[i] = tcp_socket();
        CHECK_EQ(connect(clients[i], (struct sockaddr *)&at, sizeof at), 0, "setup");
    }
    CHECK_EQ(next_events(l, &events), FD_ACCEPT, ACCEPT_EVENTS);
    CHECK_EQ(events.iErrorCode[FD_ACCEPT_BIT], 0, ACCEPT_EVENTS);
    CHECK(quiet(l), "D WSAEventSelect: not again before an accept");
    for (i = 0; i < 3; i++) {
        accepted = accept(l, NULL, NULL);
        CHECK(accepted != INVALID_SOCKET, ACCEPT_EVENTS);
        closesocket(accepted);
        if (i < 2)
            CHECK_EQ(next_events(l, &events), FD_ACCEPT, "T test_accept_events: more wait");
    }
    ResetEvent(event); /* by the accepted sockets, which have the selection too but for FD_ACCEPT nothing to tell */
    CHECK(quiet(l), ACCEPT_EVENTS);
    for (i = 0; i < 3; i++)
        closesocket(clients[i]);

    /* A connection that AcceptEx takes is not told. */
    accepted = tcp_socket();
    ov_init(&ov, other);
    CHECK_PENDS(ext()->accept_ex(l, accepted, addresses, 0, ADDRESS_SIZE, ADDRESS_SIZE, &bytes, &ov), "setup");
    clients[0] = tcp_socket();
    CHECK_EQ(connect(clients[0], (struct sockaddr *)&at, sizeof at), 0, "setup");
    CHECK(is_set(other, CHECK_WAIT_MS), ACCEPT_EVENTS);
    CHECK(quiet(l), "T test_accept_events: not for a connection that AcceptEx takes");
    closesocket(accepted);
    closesocket(clients[0]);

    /* The accepted socket has the listener's selection. */
    select_on(l, FD_ACCEPT | FD_READ | FD_CLOSE);
    clients[0] = tcp_socket();
    CHECK_EQ(connect(clients[0], (struct sockaddr *)&at, sizeof at), 0, "setup");
    CHECK_EQ(next_events(l, &events), FD_ACCEPT, ACCEPT_EVENTS);
    accepted = accept(l, NULL, NULL);
    CHECK(accepted != INVALID_SOCKET, "setup");
    CHECK_EQ(send(clients[0], "x", 1, 0), 1, "setup");
    CHECK_EQ(next_events(accepted, &events), FD_READ, "D accept, T test_accept_events: inherited");
    CHECK_EQ(closesocket(clients[0]), 0, "setup");
    CHECK_EQ(next_events(accepted, &events), FD_CLOSE, "D accept, T test_accept_events: inherited");
    closesocket(accepted);
    closesocket(l);
    ResetEvent(event);
    CloseHandle(other);
}

static void connecting(void)
{
    WSANETWORKEVENTS events;
    struct sockaddr_in at;
    SOCKET l = listener(&at), s = tcp_socket(), accepted, closed;

    select_on(s, FD_CONNECT | FD_WRITE);
    CHECK(quiet(s), CONNECT_EVENTS);
    CHECK_FAIL(connect(s, (struct sockaddr *)&at, sizeof at), WSAEWOULDBLOCK, "D WSAEventSelect: non-blocking");
    CHECK_EQ(gather(s, FD_CONNECT | FD_WRITE, &events), FD_CONNECT | FD_WRITE, "T test_connect_events: together");
    CHECK_EQ(events.iErrorCode[FD_CONNECT_BIT], 0, CONNECT_EVENTS);
    CHECK(quiet(s), CONNECT_EVENTS);
    accepted = accept_one(l);
    check_transfer(s, accepted, "setup");
    close_both(s, accepted);
    ResetEvent(event);

    closed = refusing(&at);
    s = tcp_socket();
    select_on(s, FD_CONNECT | FD_WRITE);
    CHECK_FAIL(connect(s, (struct sockaddr *)&at, sizeof at), WSAEWOULDBLOCK, CONNECT_EVENTS);
    CHECK_EQ(next_events(s, &events), FD_CONNECT, CONNECT_EVENTS);
    CHECK_EQ(events.iErrorCode[FD_CONNECT_BIT], WSAECONNREFUSED, CONNECT_EVENTS);
    CHECK(quiet(s), CONNECT_EVENTS);
    closesocket(s);
    if (closed != INVALID_SOCKET)
        closesocket(closed);
    closesocket(l);
    ResetEvent(event);
}

/* select() does not take from the record, nor the record from select(). */
static void beside_select(void)
{
    WSANETWORKEVENTS events;
    SOCKET client, server;

    tcp_pair(&client, &server);
    select_on(server, FD_READ);
    CHECK_EQ(send(client, "x", 1, 0), 1, "setup");
    CHECK(readable(server, CHECK_WAIT_MS), "T test_select_after_WSAEventSelect");
    CHECK_EQ(next_events(server, &events), FD_READ, "T test_select_after_WSAEventSelect");
    CHECK(readable(server, 0), "T test_select_after_WSAEventSelect");
    done(client, server);
}

/* On a completion port that nobody waits on, and over a reuse of the handle. */
static void on_a_port_and_over_reuse(void)
{
    WSANETWORKEVENTS events;
    SOCKET l, client, server;
    OVERLAPPED leaving;
    HANDLE port = new_port(), left = new_event();
    char byte;

    ex_pair(&l, &client, &server);
    associate(server, port, 7);
    CHECK_EQ(WSAEventSelect(server, event, FD_READ | FD_CLOSE), 0, PAGE);
    CHECK_EQ(send(client, "x", 1, 0), 1, "setup");
    CHECK_EQ(next_events(server, &events), FD_READ, "choice: also when nobody waits on the port");
    CHECK(no_packet(port), PAGE);
    CHECK_EQ(recv(server, &byte, 1, 0), 1, "setup");
    ov_init(&leaving, (HANDLE)((ULONG_PTR)left | 1));
    CHECK_PENDS(ext()->disconnect_ex(client, &leaving, TF_REUSE_SOCKET, 0), "setup");
    CHECK_EQ(next_events(server, &events), FD_CLOSE, "S 003: FD_CLOSE tells that the peer has closed");
    CHECK_EQ(recv(server, &byte, 1, 0), 0, "setup");
    CHECK(ext()->disconnect_ex(server, NULL, TF_REUSE_SOCKET, 0), "setup");
    CHECK(is_set(left, CHECK_WAIT_MS), "setup");
    ResetEvent(event);
    CHECK_EQ(WSAEnumNetworkEvents(server, event, &events), 0, "choice: the record ends with the connection");
    CHECK_EQ(events.lNetworkEvents, 0, "choice: the record ends with the connection");
    CHECK(ex_connect(l, server, client), "setup");
    CHECK_EQ(send(client, "x", 1, 0), 1, "setup");
    CHECK_EQ(next_events(server, &events), FD_READ, "choice: the selection belongs to the handle");
    closesocket(l);
    done(client, server);
    CloseHandle(port);
    CloseHandle(left);
}

int main(void)
{
    WSANETWORKEVENTS events;
    WSADATA data;

    check_begin_bare("network_events");
    CHECK_FAIL(WSAEventSelect(INVALID_SOCKET, NULL, 0), WSANOTINITIALISED, PAGE);
    CHECK_FAIL(WSAEnumNetworkEvents(INVALID_SOCKET, NULL, &events), WSANOTINITIALISED, PAGE);
    REQUIRE(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    event = new_event();
    refusals();
    closing();
    reading();
    writing();
    accepting();
    connecting();
    beside_select();
    on_a_port_and_over_reuse();
    CloseHandle(event);
    return check_end();
}

/*
 * ended_outside.c - what a program sees of a connection that an administrator ends (SetTcpEntry, ss -K): every operation
 * that pends is over once, everybody who waits is woken, and it is no reset of the peer.
 */
#include "check.h"
#include <iphlpapi.h>

static DWORD end_between(struct sockaddr_in own, struct sockaddr_in peer)
{
    MIB_TCPROW row = { .dwState = MIB_TCP_STATE_DELETE_TCB };

    row.dwLocalAddr = own.sin_addr.s_addr;
    row.dwLocalPort = own.sin_port;
    row.dwRemoteAddr = peer.sin_addr.s_addr;
    row.dwRemotePort = peer.sin_port;
    return SetTcpEntry(&row);
}

static void end_it(SOCKET s)
{
    struct sockaddr_in peer = { 0 };
    int len = sizeof peer;

    REQUIRE(getpeername(s, (struct sockaddr *)&peer, &len) == 0);
    CHECK_EQ(end_between(name_of(s), peer), NO_ERROR, "D SetTcpEntry");
}

/* What is asked of it afterwards. */
static void check_over(SOCKET s)
{
    char octet = 0;

    CHECK_FAIL(recv(s, &octet, 1, 0), WSAECONNABORTED, "D recv: \"terminated due to a time-out or other failure\"");
    CHECK_FAIL(send(s, &octet, 1, 0), WSAECONNABORTED, "D send: \"terminated due to a time-out or other failure\"");
    CHECK_FAIL(recv(s, &octet, 1, 0), WSAECONNABORTED, "choice: it stays so");
    CHECK_FAIL(shutdown(s, SD_SEND), WSAENOTCONN, "choice: as after a reset");
}

static void transfers(void)
{
    static char octets[3][8 << 20];
    OVERLAPPED ov[3];
    SOCKET client, server;
    HANDLE port = new_port();
    DWORD i, n, flags, told[3] = { 0 };
    struct packet packet;

    tcp_pair(&client, &server);
    associate(client, port, 1);
    for (i = 0; i < 3; i++) {
        WSABUF buffer = { sizeof octets[i], octets[i] };

        ov_init(&ov[i], NULL);
        flags = 0;
        if (i < 2)
            CHECK_WSA_PENDS(WSARecv(client, &buffer, 1, &n, &flags, &ov[i], NULL), "setup");
        else
            CHECK_WSA_PENDS(WSASend(client, &buffer, 1, &n, 0, &ov[i], NULL), "setup");
    }
    end_it(client);
    for (i = 0; i < 3; i++) {
        packet = next_packet(port, CHECK_WAIT_MS);
        REQUIRE(packet.ov >= ov && packet.ov < ov + 3);
        told[packet.ov - ov]++;
        CHECK_EQ((DWORD)packet.ov->Internal, ST_CONNECTION_ABORTED, "D WSARecv, WSASend: WSAECONNABORTED");
    }
    CHECK(told[0] == 1 && told[1] == 1 && told[2] == 1, "D I/O completion ports: one packet each");
    CHECK(no_packet(port), "D I/O completion ports: one packet each");
    check_over(client);
    close_both(client, server);
    CloseHandle(port);
}

static void waits(void)
{
    struct timeval soon = { CHECK_WAIT_MS / 1000, 0 };
    WSANETWORKEVENTS events;
    WSAPOLLFD polled;
    fd_set read;
    SOCKET client, server;
    HANDLE event = new_event();

    tcp_pair(&client, &server);
    end_it(client);
    FD_ZERO(&read);
    FD_SET(client, &read);
    CHECK_EQ(select(0, &read, NULL, NULL, &soon), 1, "D select: readfds, \"connection has been ... terminated\"");
    check_over(client);
    close_both(client, server);

    tcp_pair(&client, &server);
    end_it(client);
    polled.fd = client;
    polled.events = POLLIN;
    CHECK_EQ(WSAPoll(&polled, 1, CHECK_WAIT_MS), 1, "D WSAPoll");
    CHECK(polled.revents & POLLHUP, "D WSAPoll: POLLHUP, \"disconnected or aborted\"");
    check_over(client);
    close_both(client, server);

    tcp_pair(&client, &server);
    REQUIRE(WSAEventSelect(client, event, FD_READ | FD_WRITE | FD_CLOSE) == 0);
    REQUIRE(WSAEnumNetworkEvents(client, event, &events) == 0);
    end_it(client);
    CHECK(is_set(event, CHECK_WAIT_MS), "D WSAEventSelect: FD_CLOSE");
    REQUIRE(WSAEnumNetworkEvents(client, event, &events) == 0);
    CHECK(events.lNetworkEvents & FD_CLOSE, "D WSAEventSelect: FD_CLOSE");
    CHECK_EQ(events.iErrorCode[FD_CLOSE_BIT], WSAECONNABORTED, "D WSAEventSelect: FD_CLOSE");
    CHECK(!is_set(event, CHECK_QUIET_MS), "D WSAEventSelect: once");
    check_over(client);
    close_both(client, server);
    CloseHandle(event);
}

static void disconnects(void)
{
    SOCKET client, server;
    OVERLAPPED ov;
    DWORD n;

    tcp_pair(&client, &server);
    ov_init(&ov, new_event());
    CHECK_PENDS(ext()->disconnect_ex(client, &ov, TF_REUSE_SOCKET, 0), "setup");
    CHECK(stays_pending(&ov, CHECK_QUIET_MS), "S 001: it waits for the peer");
    end_it(client);
    CHECK_EQ(finish(client, &ov, &n), ERROR_CONNECTION_ABORTED, "choice: the connection is over, and not gracefully");
    CHECK_FALSE(ext()->disconnect_ex(client, NULL, TF_REUSE_SOCKET, 0), WSAENOTCONN, "D DisconnectEx");
    close_both(client, server);
    CloseHandle(ov.hEvent);
}

/* A connection that waits for its first data. */
static void accepted(void)
{
    struct sockaddr_in at, own;
    SOCKET l = listener(&at), server = tcp_socket(), client = tcp_socket();
    char octets[64 + 2 * ADDRESS_SIZE], octet;
    OVERLAPPED ov;
    DWORD n;

    ov_init(&ov, new_event());
    CHECK_PENDS(ext()->accept_ex(l, server, octets, 64, ADDRESS_SIZE, ADDRESS_SIZE, &n, &ov), "setup");
    REQUIRE(connect(client, (struct sockaddr *)&at, sizeof at) == 0);
    own = name_of(client);
    CHECK(stays_pending(&ov, CHECK_QUIET_MS), "D AcceptEx: the first block of data");
    CHECK_EQ(end_between(at, own), NO_ERROR, "D SetTcpEntry");
    CHECK_EQ(finish(l, &ov, &n), ERROR_CONNECTION_ABORTED, "choice: as a reset fails it");
    CHECK_FAIL(recv(client, &octet, 1, 0), WSAECONNRESET, "choice: its peer sees a reset");
    close_both(client, server);
    closesocket(l);
    CloseHandle(ov.hEvent);
}

/* Over the loopback a connection is made in the call, or its listener has no room for it. */
static BOOL is_being_made(struct sockaddr_in own)
{
    MIB_TCPTABLE *table = NULL;
    ULONG size = 0;
    BOOL found = FALSE;
    DWORD i;

    while (GetTcpTable(table, &size, FALSE) == ERROR_INSUFFICIENT_BUFFER)
        table = realloc(table, size);
    for (i = 0; i < table->dwNumEntries; i++)
        if (table->table[i].dwLocalAddr == own.sin_addr.s_addr && table->table[i].dwLocalPort == own.sin_port)
            found |= table->table[i].dwState == MIB_TCP_STATE_SYN_SENT;
    free(table);
    return found;
}

/* One that is being made: its listener's backlog is full. */
static void connecting(void)
{
    enum { MOST = 1000 };
    static OVERLAPPED ov[MOST];
    static SOCKET s[MOST];
    struct sockaddr_in at;
    SOCKET l = listener(&at);
    DWORD n;
    int i, made = 0;

    for (; made < MOST; made++) {
        s[made] = bound_socket();
        ov_init(&ov[made], new_event());
        ext()->connect_ex(s[made], (struct sockaddr *)&at, sizeof at, NULL, 0, &n, &ov[made]);
        if (!is_set(ov[made].hEvent, CHECK_QUIET_MS) && is_being_made(name_of(s[made])))
            break;
    }
    REQUIRE(made < MOST);
    CHECK_EQ(end_between(name_of(s[made]), at), NO_ERROR, "D SetTcpEntry");
    CHECK_EQ(finish(s[made], &ov[made], &n), ERROR_CONNECTION_ABORTED, "choice: somebody has ended it");
    for (i = 0; i <= made; i++) {
        closesocket(s[i]);
        CloseHandle(ov[i].hEvent);
    }
    closesocket(l);
}

/* Whether this process may. */
static BOOL is_administrator(void)
{
    SOCKET client, server;
    DWORD error;

    tcp_pair(&client, &server);
    error = end_between(name_of(client), name_of(server));
    close_both(client, server);
    return error == NO_ERROR;
}

int main(void)
{
    check_begin("ended_outside");
    if (is_administrator()) {
        transfers();
        waits();
        disconnects();
        accepted();
        connecting();
    } else {
        printf("skipped: ended_outside needs CAP_NET_ADMIN\n");
    }
    return check_end();
}

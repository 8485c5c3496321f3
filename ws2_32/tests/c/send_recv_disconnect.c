/* WSASendDisconnect and WSARecvDisconnect (winsock-semantics 1.3 and 3; S 002, S 003). */
#include "check.h"

#define ORDER "choice: WSAENOTSOCK, WSAEFAULT, WSAENOPROTOOPT, WSAENOTCONN"

static char octets[] = "goodbye";

/* A WSABUF of so many octets at `at`. */
static WSABUF wsabuf(void *at, ULONG len)
{
    WSABUF buffer;

    buffer.buf = at;
    buffer.len = len;
    return buffer;
}

static void refusals(void)
{
    WSABUF good = wsabuf(octets, sizeof octets), wild = wsabuf((void *)(ULONG_PTR)16, 8);
    WSABUF *nowhere = (WSABUF *)(ULONG_PTR)8;
    struct sockaddr_in at;
    SOCKET fresh = tcp_socket(), bound = bound_socket(), l = listener(&at), stale = tcp_socket();
    SOCKET unconnected[3];
    HANDLE event = new_event();
    int i;

    closesocket(stale);
    CHECK_FAIL(WSASendDisconnect(INVALID_SOCKET, NULL), WSAENOTSOCK, "S 002");
    CHECK_FAIL(WSARecvDisconnect(INVALID_SOCKET, NULL), WSAENOTSOCK, "S 003");
    CHECK_FAIL(WSASendDisconnect(stale, NULL), WSAENOTSOCK, "S 002");
    CHECK_FAIL(WSARecvDisconnect(stale, NULL), WSAENOTSOCK, "S 003");
    CHECK_FAIL(WSASendDisconnect((SOCKET)(ULONG_PTR)event, NULL), WSAENOTSOCK, "S 002");
    CHECK_FAIL(WSARecvDisconnect((SOCKET)(ULONG_PTR)event, NULL), WSAENOTSOCK, "S 003");
    CHECK_FAIL(WSASendDisconnect(stale, nowhere), WSAENOTSOCK, ORDER);
    CHECK_FAIL(WSARecvDisconnect(stale, nowhere), WSAENOTSOCK, ORDER);

    unconnected[0] = fresh;
    unconnected[1] = bound;
    unconnected[2] = l;
    for (i = 0; i < 3; i++) {
        CHECK_FAIL(WSASendDisconnect(unconnected[i], NULL), WSAENOTCONN, "S 002: not connected");
        CHECK_FAIL(WSARecvDisconnect(unconnected[i], NULL), WSAENOTCONN, "S 003: not connected");
        CHECK_FAIL(WSASendDisconnect(unconnected[i], nowhere), WSAEFAULT, ORDER);
        CHECK_FAIL(WSASendDisconnect(unconnected[i], &wild), WSAEFAULT, ORDER);
        CHECK_FAIL(WSARecvDisconnect(unconnected[i], nowhere), WSAEFAULT, ORDER);
        CHECK_FAIL(WSARecvDisconnect(unconnected[i], &wild), WSAEFAULT, ORDER);
        CHECK_FAIL(WSASendDisconnect(unconnected[i], &good), WSAENOPROTOOPT, ORDER);
        CHECK_FAIL(WSARecvDisconnect(unconnected[i], &good), WSAENOTCONN, ORDER);
        CHECK_EQ(good.len, sizeof octets, "choice: a refused call leaves the buffer alone");
    }
    CHECK_EQ(listen(bound, 1), 0, "choice: a refused call changes nothing");
    closesocket(fresh);
    closesocket(bound);
    closesocket(l);
    CloseHandle(event);
}

/* A refused call sends nothing and closes nothing. */
static void data_is_refused_on_tcp(void)
{
    static const char constant[] = "constant";
    WSABUF good = wsabuf(octets, sizeof octets), empty = wsabuf(NULL, 0), wild = wsabuf((void *)(ULONG_PTR)16, 8);
    WSABUF half = wsabuf(octets, 0x7fffffff), readonly = wsabuf((void *)(ULONG_PTR)constant, sizeof constant);
    SOCKET client, server;

    tcp_pair(&client, &server);
    CHECK_FAIL(WSASendDisconnect(client, &good), WSAENOPROTOOPT, "S 002: not supported by the provider");
    CHECK_FAIL(WSASendDisconnect(client, &empty), WSAENOPROTOOPT, "S 002: the parameter is not NULL");
    CHECK_FAIL(WSASendDisconnect(client, &readonly), WSAENOPROTOOPT, "S 002: it has only to be in valid memory");
    CHECK_FAIL(WSASendDisconnect(client, &wild), WSAEFAULT, "S 002: not completely in user memory");
    CHECK_FAIL(WSASendDisconnect(client, &half), WSAEFAULT, "S 002: not completely in user memory");
    CHECK_FAIL(WSASendDisconnect(client, (WSABUF *)(ULONG_PTR)8), WSAEFAULT, "S 002");
    CHECK_FAIL(WSARecvDisconnect(client, (WSABUF *)(ULONG_PTR)8), WSAEFAULT, "design 4: bad pointer");
    CHECK_FAIL(WSARecvDisconnect(client, &wild), WSAEFAULT, "design 4: bad pointer");
    CHECK_FAIL(WSARecvDisconnect(client, &readonly), WSAEFAULT, "design 4: a buffer that cannot be written");
    check_transfer(client, server, "design 4: nothing sent, the connection is as before");
    check_transfer(server, client, "design 4: the connection is as before");

    CHECK_EQ(WSARecvDisconnect(client, &good), 0, "S 003: TCP need not return WSAENOPROTOOPT");
    CHECK_EQ(good.len, 0, "choice: TCP never has disconnect data");
    CHECK(good.buf == octets && octets[0] == 'g', "choice: and writes none");
    close_both(client, server);
}

static void after_send_disconnect(void)
{
    struct sockaddr_in to, name;
    SOCKET client, server;
    OVERLAPPED ov;
    HANDLE event = new_event();
    DWORD bytes = CHECK_UNSET, flags = 0;
    int length = sizeof name;
    char buffer[16];
    WSABUF space = wsabuf(buffer, sizeof buffer);

    tcp_pair(&client, &server);
    to = name_of(server);
    ov_init(&ov, event);
    CHECK_WSA_PENDS(WSARecv(server, &space, 1, NULL, &flags, &ov, NULL), "setup");
    SetLastError(CHECK_UNSET);
    CHECK_EQ(WSASendDisconnect(client, NULL), 0, "S 002: returns zero");
    CHECK_EQ(GetLastError(), 0, "T test_shutdown, which it equals");
    CHECK_EQ(finish(server, &ov, &bytes), 0, "T test_shutdown: a pending receive of the peer succeeds");
    CHECK_EQ(bytes, 0, "T test_shutdown");
    CHECK_FAIL(send(client, "x", 1, 0), WSAESHUTDOWN, "S 002: subsequent sends are disallowed");
    ov_init(&ov, event);
    CHECK_FAIL(WSASend(client, &space, 1, NULL, 0, &ov, NULL), WSAESHUTDOWN, "S 002");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 0, "T test_shutdown: every time");
    check_transfer(server, client, "T test_shutdown: the other direction goes on");
    CHECK_EQ(WSASendDisconnect(client, NULL), 0, "T test_shutdown: again");
    CHECK_EQ(getpeername(client, (struct sockaddr *)&name, &length), 0, "S 002: resources are not freed");
    CHECK_EQ(getsockname(client, (struct sockaddr *)&name, &length), 0, "S 002: resources are not freed");
    CHECK_FAIL(connect(client, (struct sockaddr *)&to, sizeof to), WSAEISCONN, "S 002: no reuse");
    CHECK_EQ(WSASendDisconnect(server, NULL), 0, "S 002: the passive side too");
    CHECK_EQ(recv(client, buffer, sizeof buffer, 0), 0, "T test_shutdown");
    close_both(client, server);
    CloseHandle(event);
}

static void after_recv_disconnect(void)
{
    SOCKET client, server;
    OVERLAPPED ov, late;
    HANDLE event = new_event(), other = new_event();
    DWORD bytes = CHECK_UNSET, flags = 0;
    char buffer[16], buffer2[16];
    WSABUF space = wsabuf(buffer, sizeof buffer), space2 = wsabuf(buffer2, sizeof buffer2);

    tcp_pair(&client, &server);
    ov_init(&ov, event);
    CHECK_WSA_PENDS(WSARecv(server, &space, 1, NULL, &flags, &ov, NULL), "setup");
    SetLastError(CHECK_UNSET);
    CHECK_EQ(WSARecvDisconnect(server, NULL), 0, "S 003: returns zero");
    CHECK_EQ(GetLastError(), 0, "T test_shutdown, which it equals");
    CHECK_FAIL(recv(server, buffer2, sizeof buffer2, 0), WSAESHUTDOWN, "S 003, T test_shutdown: not 0");
    ov_init(&late, other);
    CHECK_FAIL(WSARecv(server, &space2, 1, NULL, &flags, &late, NULL), WSAESHUTDOWN, "T test_shutdown: at once");
    CHECK(!is_set(other, 0), "T test_shutdown");
    CHECK(stays_pending(&ov, CHECK_QUIET_MS), "T test_shutdown: a receive that was pending survives");
    CHECK_EQ(send(client, "12345", 5, 0), 5, "S 003: no effect on the lower layers");
    CHECK_EQ(finish(server, &ov, &bytes), 0, "T test_shutdown: and takes the data");
    CHECK_EQ(bytes, 5, "T test_shutdown");
    check_transfer(server, client, "T test_shutdown: the other direction goes on");
    CHECK_EQ(WSARecvDisconnect(server, NULL), 0, "T test_shutdown: again");
    CHECK_EQ(WSASendDisconnect(server, NULL), 0, "T test_shutdown_completion_port: both in sequence");
    CHECK_EQ(recv(client, buffer2, sizeof buffer2, 0), 0, "T test_shutdown");
    close_both(client, server);
    CloseHandle(event);
    CloseHandle(other);
}

/* S 003: "if there is still data queued on the socket waiting to be received, or data arrives subsequently, the
 * connection is reset, since the data cannot be delivered to the user". */
static void undeliverable_data_resets(void)
{
    SOCKET client, server;
    char byte;

    tcp_pair(&client, &server);
    CHECK_EQ(WSARecvDisconnect(server, NULL), 0, "S 003");
    CHECK_EQ(send(client, "x", 1, 0), 1, "T test_shutdown: the send succeeds");
    CHECK(readable(client, CHECK_WAIT_MS), "S 003: data that arrives subsequently resets");
    CHECK_FAIL(recv(client, &byte, 1, 0), WSAECONNRESET, "S 003: data that arrives subsequently resets");
    CHECK_FAIL(recv(server, &byte, 1, 0), WSAESHUTDOWN, "T test_shutdown: still");
    CHECK_FAIL(send(server, "x", 1, 0), WSAECONNABORTED, "choice: this side reset the connection");
    close_both(client, server);

    tcp_pair(&client, &server);
    CHECK_EQ(send(client, "x", 1, 0), 1, "setup");
    CHECK(readable(server, CHECK_WAIT_MS), "setup");
    CHECK_EQ(WSARecvDisconnect(server, NULL), 0, "S 003");
    CHECK(readable(client, CHECK_WAIT_MS), "S 003: data still queued resets");
    CHECK_FAIL(recv(client, &byte, 1, 0), WSAECONNRESET, "S 003: data still queued resets");
    close_both(client, server);

    /* The receive that survived takes its data; what comes after that resets. */
    {
        OVERLAPPED ov;
        HANDLE event = new_event();
        DWORD bytes = 0, flags = 0;
        char two[2];
        WSABUF space = wsabuf(two, sizeof two);

        tcp_pair(&client, &server);
        ov_init(&ov, event);
        CHECK_WSA_PENDS(WSARecv(server, &space, 1, NULL, &flags, &ov, NULL), "setup");
        CHECK_EQ(WSARecvDisconnect(server, NULL), 0, "S 003");
        CHECK_EQ(send(client, "123", 3, 0), 3, "T test_shutdown");
        CHECK_EQ(finish(server, &ov, &bytes), 0, "T test_shutdown: it takes its two");
        CHECK_EQ(bytes, 2, "T test_shutdown");
        CHECK(readable(client, CHECK_WAIT_MS), "S 003: the third cannot be delivered");
        CHECK_FAIL(recv(client, &byte, 1, 0), WSAECONNRESET, "S 003: the third cannot be delivered");
        close_both(client, server);
        CloseHandle(event);
    }
}

/* A lone FIN carries nothing that could not be delivered, before and after. */
static void a_fin_does_not_reset(void)
{
    SOCKET client, server;
    char byte;

    tcp_pair(&client, &server);
    CHECK_EQ(WSARecvDisconnect(server, NULL), 0, "S 003");
    CHECK_EQ(WSASendDisconnect(client, NULL), 0, "S 002");
    check_transfer(server, client, "design 4: a FIN does not reset");
    CHECK_EQ(WSASendDisconnect(server, NULL), 0, "S 002");
    CHECK_EQ(recv(client, &byte, 1, 0), 0, "design 4: a clean end");
    close_both(client, server);

    tcp_pair(&client, &server);
    CHECK_EQ(WSASendDisconnect(client, NULL), 0, "S 002");
    CHECK_EQ(recv(server, &byte, 1, 0), 0, "T test_shutdown");
    CHECK_EQ(WSARecvDisconnect(server, NULL), 0, "S 003: after the peer's end");
    check_transfer(server, client, "design 4: a FIN does not reset");
    CHECK_FAIL(recv(server, &byte, 1, 0), WSAESHUTDOWN, "S 003: not 0 any more");
    close_both(client, server);
}

/* S 002, S 003: "does not block regardless of the SO_LINGER setting", here with megabytes that nobody reads. */
static void neither_blocks(void)
{
    struct linger lingers[3] = {{0, 0}, {1, 0}, {1, 30}};
    static char block[1 << 16];
    int i;

    for (i = 0; i < 3; i++) {
        SOCKET client, server;
        ULONGLONG before;
        int total = 0, n, received = 0;

        tcp_pair(&client, &server);
        CHECK_EQ(setsockopt(client, SOL_SOCKET, SO_LINGER, (char *)&lingers[i], sizeof lingers[i]), 0, "setup");
        set_nonblocking(client, TRUE);
        while ((n = send(client, block, sizeof block, 0)) > 0)
            total += n;
        set_nonblocking(client, FALSE);
        before = GetTickCount64();
        CHECK_EQ(WSASendDisconnect(client, NULL), 0, "S 002: does not block");
        CHECK_EQ(WSARecvDisconnect(client, NULL), 0, "S 003: does not block");
        CHECK(GetTickCount64() - before < 2000, "S 002, S 003: far from the 30 s of SO_LINGER");
        while ((n = recv(server, block, sizeof block, 0)) > 0)
            received += n;
        CHECK_EQ(n, 0, "S 002: graceful, whatever SO_LINGER");
        CHECK_EQ(received, total, "S 002: initiates termination behind the data");
        close_both(server, client);
    }
}

/* T test_shutdown_completion_port: neither queues a packet. */
static void no_packets(void)
{
    SOCKET client, server;
    HANDLE port = new_port();

    tcp_pair(&client, &server);
    associate(client, port, 1);
    CHECK_EQ(WSASendDisconnect(client, NULL), 0, "T test_shutdown_completion_port");
    CHECK_EQ(WSARecvDisconnect(client, NULL), 0, "T test_shutdown_completion_port");
    CHECK(no_packet(port), "T test_shutdown_completion_port");
    close_both(client, server);
    CloseHandle(port);
}

/* Sends that pend when the half closes go out first: the FIN is behind them. */
static void behind_pending_sends(void)
{
    enum { SIZE = 8 << 20 };
    SOCKET client, server;
    OVERLAPPED ov;
    HANDLE event = new_event();
    DWORD bytes = 0;
    char *block = malloc(SIZE), *part = malloc(1 << 16);
    WSABUF data = wsabuf(block, SIZE);
    int n, received = 0;

    REQUIRE(block != NULL && part != NULL);
    memset(block, 'd', SIZE);
    tcp_pair(&client, &server);
    ov_init(&ov, event);
    CHECK_WSA_PENDS(WSASend(client, &data, 1, NULL, 0, &ov, NULL), "setup");
    CHECK_EQ(WSASendDisconnect(client, NULL), 0, "S 002: does not block");
    CHECK_FAIL(send(client, "x", 1, 0), WSAESHUTDOWN, "S 002");
    while ((n = recv(server, part, 1 << 16, 0)) > 0)
        received += n;
    CHECK_EQ(n, 0, "D shutdown: all data sent, then FIN");
    CHECK_EQ(received, SIZE, "D shutdown: all data sent, then FIN");
    CHECK_EQ(finish(client, &ov, &bytes), 0, "D shutdown");
    CHECK_EQ(bytes, SIZE, "D shutdown");
    close_both(client, server);
    free(block);
    free(part);
    CloseHandle(event);
}

/* After both halves the handle is ready for TF_REUSE_SOCKET, "the supported second step" (S 000). */
static void then_reuse(void)
{
    SOCKET client, server;
    char byte;

    tcp_pair(&client, &server);
    CHECK_EQ(WSASendDisconnect(client, NULL), 0, "S 002");
    CHECK_EQ(recv(server, &byte, 1, 0), 0, "T test_shutdown");
    CHECK_EQ(WSASendDisconnect(server, NULL), 0, "S 002");
    CHECK(ext()->disconnect_ex(client, NULL, TF_REUSE_SOCKET, 0), "S 000: reuse after the send half is closed");
    CHECK(ext()->disconnect_ex(server, NULL, TF_REUSE_SOCKET, 0), "S 000: reuse after the send half is closed");
    CHECK_FAIL(WSASendDisconnect(client, NULL), WSAENOTCONN, "S 002: not connected any more");
    CHECK_FAIL(WSARecvDisconnect(server, NULL), WSAENOTCONN, "S 003: not connected any more");
    close_both(client, server);
}

/* A connection that the peer has reset. */
static void after_a_reset(void)
{
    SOCKET client, server;
    char byte;

    tcp_pair(&client, &server);
    close_with_rst(client);
    CHECK_FAIL(recv(server, &byte, 1, 0), WSAECONNRESET, "T test_tcp_reset");
    CHECK_FAIL(send(server, "x", 1, 0), WSAECONNRESET, "T test_tcp_reset");
    closesocket(server);
}

int main(void)
{
    WSABUF good = wsabuf(octets, sizeof octets);
    WSADATA data;

    check_begin_bare("send_recv_disconnect");
    CHECK_FAIL(WSASendDisconnect(INVALID_SOCKET, &good), WSANOTINITIALISED, "S 002");
    CHECK_FAIL(WSARecvDisconnect(INVALID_SOCKET, &good), WSANOTINITIALISED, "S 003");
    REQUIRE(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    refusals();
    data_is_refused_on_tcp();
    after_send_disconnect();
    after_recv_disconnect();
    undeliverable_data_resets();
    a_fin_does_not_reset();
    neither_blocks();
    no_packets();
    behind_pending_sends();
    then_reuse();
    after_a_reset();
    return check_end();
}

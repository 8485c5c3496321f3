/*
 * disconnectex.c - DisconnectEx: its checks and their order, the half-close that flags 0 means, and the reuse of
 * the handle that TF_REUSE_SOCKET means.
 */
#include "check.h"

static BOOL disconnect(SOCKET s, OVERLAPPED *ov, DWORD flags, DWORD reserved)
{
    return ext()->disconnect_ex(s, ov, flags, reserved);
}

/* ---- 1.1: the checks ------------------------------------------------------------------------------------ */

static void not_a_socket(void)
{
    OVERLAPPED ov;

    ov_init(&ov, NULL);
    CHECK_FALSE(disconnect(INVALID_SOCKET, &ov, 0, 0), WSAENOTSOCK, "T test_DisconnectEx");
    CHECK_FALSE(disconnect(INVALID_SOCKET, NULL, 0, 0), WSAENOTSOCK, "T test_DisconnectEx");
    CHECK_FALSE(disconnect(INVALID_SOCKET, &ov, 0, 1), WSAENOTSOCK, "choice design 4: before WSAEINVAL");
    CHECK_FALSE(disconnect(INVALID_SOCKET, &ov, 0x40, 0), WSAENOTSOCK, "choice design 4: before WSAEINVAL");
    CHECK_FALSE(disconnect(INVALID_SOCKET, (OVERLAPPED *)16, 0, 0), WSAENOTSOCK, "choice design 4: before WSAEFAULT");
}

static void bad_arguments(void)
{
    static const DWORD bad[] = { TF_DISCONNECT, TF_DISCONNECT | TF_REUSE_SOCKET, TF_WRITE_BEHIND, 0x10, 0x20,
                                 0x40, 0x80000000u, 0xffffffffu };
    SOCKET fresh = tcp_socket(), client, server;
    OVERLAPPED ov;
    unsigned i;

    tcp_pair(&client, &server);
    ov_init(&ov, NULL);
    CHECK_FALSE(disconnect(client, &ov, 0, 1), WSAEINVAL, "S 000: dwReserved");
    CHECK_FALSE(disconnect(client, NULL, 0, 0xffffffffu), WSAEINVAL, "S 000: dwReserved");
    CHECK_FALSE(disconnect(client, NULL, TF_REUSE_SOCKET, 1), WSAEINVAL, "S 000: dwReserved");
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_FALSE(disconnect(client, &ov, bad[i], 0), WSAEINVAL, "S 000: dwFlags");
        CHECK_FALSE(disconnect(client, NULL, bad[i], 0), WSAEINVAL, "S 000: dwFlags");
    }
    CHECK_FALSE(disconnect(client, (OVERLAPPED *)16, 0x40, 0), WSAEINVAL, "choice design 4: before WSAEFAULT");
    CHECK_FALSE(disconnect(client, (OVERLAPPED *)16, 0, 1), WSAEINVAL, "choice design 4: before WSAEFAULT");
    CHECK_FALSE(disconnect(fresh, &ov, 0x40, 0), WSAEINVAL, "choice design 4: before WSAENOTCONN");
    CHECK_FALSE(disconnect(fresh, NULL, 0, 1), WSAEINVAL, "choice design 4: before WSAENOTCONN");
    CHECK_FALSE(disconnect(client, (OVERLAPPED *)16, 0, 0), WSAEFAULT, "S 000: lpOverlapped");
    CHECK_FALSE(disconnect(client, (OVERLAPPED *)16, TF_REUSE_SOCKET, 0), WSAEFAULT, "S 000: lpOverlapped");
    CHECK_FALSE(disconnect(fresh, (OVERLAPPED *)16, 0, 0), WSAEFAULT, "choice design 4: before WSAENOTCONN");
    check_transfer(client, server, "S 000: a refused call changes nothing");
    check_transfer(server, client, "S 000: a refused call changes nothing");
    close_both(client, server);
    closesocket(fresh);
}

static void not_connected(void)
{
    struct sockaddr_in at;
    HANDLE event = new_event(), port = new_port();
    SOCKET fresh = tcp_socket(), bound = bound_socket(), listening = listener(&at);
    SOCKET datagram = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    OVERLAPPED ov;

    ov_init(&ov, event);
    associate(fresh, port, 1);
    CHECK_FALSE(disconnect(fresh, &ov, 0, 0), WSAENOTCONN, "T test_DisconnectEx");
    CHECK(no_packet(port), "T test_completion_port: an immediate error queues nothing");
    CHECK(!is_set(event, 0), "T test_DisconnectEx: synchronous");
    CHECK_FALSE(disconnect(fresh, &ov, TF_REUSE_SOCKET, 0), WSAENOTCONN, "T .NET DisconnectTest");
    CHECK_FALSE(disconnect(fresh, NULL, 0, 0), WSAENOTCONN, "T .NET DisconnectTest");
    CHECK_FALSE(disconnect(fresh, NULL, TF_REUSE_SOCKET, 0), WSAENOTCONN, "T .NET DisconnectTest");
    CHECK_FALSE(disconnect(bound, &ov, 0, 0), WSAENOTCONN, "S 000");
    CHECK_FALSE(disconnect(listening, &ov, 0, 0), WSAENOTCONN, "choice: as shutdown on a listener");
    CHECK_FALSE(disconnect(listening, &ov, TF_REUSE_SOCKET, 0), WSAENOTCONN, "choice: as shutdown on a listener");
    if (datagram != INVALID_SOCKET) { /* sockets of this kind come later */
        CHECK_FALSE(disconnect(datagram, &ov, 0, 0), WSAENOTCONN, "choice: as TransmitFile on a datagram socket");
        closesocket(datagram);
    }
    closesocket(fresh);
    closesocket(bound);
    closesocket(listening);
    CHECK_FALSE(disconnect(fresh, &ov, 0, 0), WSAENOTSOCK, "D closesocket: the handle is gone");
    CloseHandle(port);
    CloseHandle(event);
}

/* ---- 2.1: flags 0 --------------------------------------------------------------------------------------- */

/* What both ends see after a graceful half-close of `client`. */
static void check_half_closed(SOCKET client, SOCKET server)
{
    static const char *const T = "T test_DisconnectEx";
    struct sockaddr_in name, to = name_of(server);
    int length = sizeof name;
    char buffer[16];
    OVERLAPPED ov;
    HANDLE event = new_event();
    DWORD bytes = 0;

    CHECK_FAIL(send(client, "12345", 5, 0), WSAESHUTDOWN, T);
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 0, T);
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 0, T);
    check_transfer(server, client, T);
    CHECK_EQ(getpeername(client, (struct sockaddr *)&name, &length), 0, T);
    CHECK_EQ(getsockname(client, (struct sockaddr *)&name, &length), 0, T);
    CHECK_EQ(getpeername(server, (struct sockaddr *)&name, &length), 0, T);
    CHECK_EQ(getsockname(server, (struct sockaddr *)&name, &length), 0, T);
    CHECK_FAIL(connect(client, (struct sockaddr *)&to, sizeof to), WSAEISCONN, T);
    ov_init(&ov, event);
    CHECK_FALSE(ext()->connect_ex(client, (struct sockaddr *)&to, sizeof to, NULL, 0, &bytes, &ov), WSAEISCONN,
                "T .NET DisconnectTest, no reuse");
    CloseHandle(event);
}

static void half_close_overlapped(void)
{
    SOCKET client, server;
    OVERLAPPED ov;
    HANDLE event = new_event();
    DWORD bytes = CHECK_UNSET;

    tcp_pair(&client, &server);
    ov_init(&ov, event);
    ov.InternalHigh = 0xdead;
    CHECK_PENDS(disconnect(client, &ov, 0, 0), "T test_DisconnectEx: always pending");
    CHECK_EQ(finish(client, &ov, &bytes), 0, "T test_DisconnectEx: does not wait for the peer");
    CHECK_EQ(bytes, 0, "T test_DisconnectEx");
    CHECK_EQ((DWORD)ov.Internal, ST_SUCCESS, "T test_DisconnectEx");
    CHECK_EQ(ov.InternalHigh, 0, "T test_DisconnectEx");
    check_half_closed(client, server);
    close_both(client, server);
    CloseHandle(event);
}

static void half_close_synchronous(void)
{
    SOCKET client, server;

    tcp_pair(&client, &server);
    CHECK_CALL(disconnect(client, NULL, 0, 0), TRUE, 0, "T test_DisconnectEx: the last error is set to 0");
    check_half_closed(client, server);
    close_both(client, server);
}

/* Without an event, the socket itself is signalled. */
static void half_close_signals_socket(void)
{
    SOCKET client, server;
    OVERLAPPED ov;
    DWORD bytes = CHECK_UNSET;

    tcp_pair(&client, &server);
    ov_init(&ov, NULL);
    CHECK_PENDS(disconnect(client, &ov, 0, 0), "T test_DisconnectEx");
    CHECK_EQ(WaitForSingleObject((HANDLE)client, CHECK_WAIT_MS), WAIT_OBJECT_0, "S 000: or the socket is signalled");
    CHECK(GetOverlappedResult((HANDLE)client, &ov, &bytes, FALSE), "S 000");
    CHECK_EQ(bytes, 0, "S 000");
    close_both(client, server);
}

static void second_half_close(void)
{
    SOCKET client, server;
    OVERLAPPED ov;
    HANDLE event = new_event();

    tcp_pair(&client, &server);
    CHECK(disconnect(client, NULL, 0, 0), "T test_DisconnectEx");
    CHECK_FALSE(disconnect(client, NULL, 0, 0), WSAENOTCONN, "choice design 4, S 000: transmit closing state");
    ov_init(&ov, event);
    CHECK_FALSE(disconnect(client, &ov, 0, 0), WSAENOTCONN, "choice design 4, S 000: transmit closing state");
    close_both(client, server);

    tcp_pair(&client, &server);
    CHECK_EQ(shutdown(client, SD_SEND), 0, "T test_shutdown");
    CHECK_FALSE(disconnect(client, &ov, 0, 0), WSAENOTCONN, "choice design 4, S 000: transmit closing state");
    close_both(client, server);
    CloseHandle(event);
}

/* Everything sent before goes out before the FIN. */
static void half_close_behind_data(void)
{
    enum { SIZE = 1 << 20 };
    SOCKET client, server;
    OVERLAPPED sending, ov;
    HANDLE sent = new_event(), event = new_event();
    char *data = calloc(1, SIZE), *in = malloc(65536);
    WSABUF buf;
    DWORD bytes = 0;
    int n, total = 0;

    REQUIRE(data && in);
    tcp_pair(&client, &server);
    buf.buf = data;
    buf.len = SIZE;
    ov_init(&sending, sent);
    n = WSASend(client, &buf, 1, &bytes, 0, &sending, NULL);
    CHECK(n == 0 || GetLastError() == WSA_IO_PENDING, "D WSASend");
    ov_init(&ov, event);
    CHECK_PENDS(disconnect(client, &ov, 0, 0), "T test_DisconnectEx");
    while ((n = recv(server, in, 65536, 0)) > 0)
        total += n;
    CHECK_EQ(n, 0, "D graceful shutdown: FIN behind the data");
    CHECK_EQ(total, SIZE, "D graceful shutdown: FIN behind the data");
    CHECK_EQ(finish(client, &sending, &bytes), 0, "D WSASend");
    CHECK_EQ(bytes, SIZE, "D WSASend");
    CHECK_EQ(finish(client, &ov, &bytes), 0, "choice design 4: completes when data and FIN are given to TCP");
    close_both(client, server);
    CloseHandle(sent);
    CloseHandle(event);
    free(data);
    free(in);
}

/* A receive that was pending goes on. */
static void half_close_with_pending_receive(void)
{
    SOCKET client, server;
    OVERLAPPED receiving, ov;
    HANDLE received = new_event(), event = new_event();
    char buffer[16];
    WSABUF space;
    DWORD bytes = 0, flags = 0;

    tcp_pair(&client, &server);
    space.buf = buffer;
    space.len = sizeof buffer;
    ov_init(&receiving, received);
    CHECK_WSA_PENDS(WSARecv(client, &space, 1, NULL, &flags, &receiving, NULL), "D WSARecv");
    ov_init(&ov, event);
    CHECK_PENDS(disconnect(client, &ov, 0, 0), "T test_DisconnectEx");
    CHECK_EQ(finish(client, &ov, NULL), 0, "T test_DisconnectEx");
    CHECK(stays_pending(&receiving, CHECK_QUIET_MS), "T test_shutdown: the receive side is untouched");
    CHECK_EQ(send(server, "12345", 5, 0), 5, "T test_DisconnectEx");
    CHECK_EQ(finish(client, &receiving, &bytes), 0, "T test_shutdown");
    CHECK_EQ(bytes, 5, "T test_shutdown");
    close_both(client, server);
    CloseHandle(received);
    CloseHandle(event);
}

static void packets(void)
{
    SOCKET client, server;
    OVERLAPPED ov;
    HANDLE port = new_port(), event = new_event();
    DWORD bytes = CHECK_UNSET;

    ov_init(&ov, NULL);
    tcp_pair(&client, &server);
    associate(client, port, 125);
    CHECK_PENDS(disconnect(client, &ov, 0, 0), "T test_shutdown_completion_port");
    CHECK_PACKET(port, 125, &ov, 0, 0, "T test_shutdown_completion_port");
    CHECK(no_packet(port), "T test_shutdown_completion_port: one packet");
    close_both(client, server);

    tcp_pair(&client, &server);
    associate(client, port, 126);
    CHECK(SetFileCompletionNotificationModes((HANDLE)client, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS), "setup");
    ov_init(&ov, event);
    CHECK_PENDS(disconnect(client, &ov, 0, 0), "T test_shutdown_completion_port");
    CHECK_PACKET(port, 126, &ov, 0, 0, "T test_shutdown_completion_port: also with SKIP set");
    CHECK(is_set(event, 0), "T test_connect_completion_port: event and packet");
    close_both(client, server);

    tcp_pair(&client, &server);
    associate(client, port, 127);
    ResetEvent(event);
    ov_init(&ov, (HANDLE)((ULONG_PTR)event | 1));
    CHECK_PENDS(disconnect(client, &ov, 0, 0), "T test_shutdown_completion_port");
    CHECK_EQ(WaitForSingleObject(ov.hEvent, CHECK_WAIT_MS), WAIT_OBJECT_0, "T test_shutdown_completion_port: low bit");
    CHECK(GetOverlappedResult((HANDLE)client, &ov, &bytes, FALSE), "T test_shutdown_completion_port");
    CHECK(no_packet(port), "T test_shutdown_completion_port: low bit, no packet");
    close_both(client, server);

    tcp_pair(&client, &server);
    associate(client, port, 128);
    CHECK_CALL(disconnect(client, NULL, 0, 0), TRUE, 0, "T test_shutdown_completion_port");
    CHECK(no_packet(port), "T test_shutdown_completion_port: no OVERLAPPED, no packet");
    close_both(client, server);
    CloseHandle(port);
    CloseHandle(event);
}

/* The peer closed first: then this is the graceful end of both directions. */
static void half_close_after_peer(void)
{
    SOCKET client, server;
    OVERLAPPED ov;
    HANDLE event = new_event();
    char byte;

    tcp_pair(&client, &server);
    CHECK_EQ(shutdown(server, SD_SEND), 0, "T test_shutdown");
    CHECK_EQ(recv(client, &byte, 1, 0), 0, "T test_shutdown");
    ov_init(&ov, event);
    CHECK_PENDS(disconnect(client, &ov, 0, 0), "T test_DisconnectEx");
    CHECK_EQ(finish(client, &ov, NULL), 0, "D graceful shutdown");
    CHECK_EQ(recv(server, &byte, 1, 0), 0, "D graceful shutdown");
    close_both(client, server);
    CloseHandle(event);
}

/* ---- 2.2: TF_REUSE_SOCKET ------------------------------------------------------------------------------- */

/* The packet waits for the peer's data to be read and for its FIN. */
static void reuse_waits_for_peer(void)
{
    static const char *const D = "D TransmitFile: not before the peer's data is read and its FIN has come";
    SOCKET l, client, server;
    OVERLAPPED ov;
    HANDLE event = new_event();
    DWORD bytes = CHECK_UNSET;
    char buffer[16];

    ex_pair(&l, &client, &server);
    CHECK_EQ(send(server, "12345", 5, 0), 5, "setup");
    CHECK(readable(client, CHECK_WAIT_MS), "setup");
    ov_init(&ov, event);
    CHECK_PENDS(disconnect(client, &ov, TF_REUSE_SOCKET, 0), D);
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 0, "S 000: the FIN is sent at once");
    CHECK(stays_pending(&ov, CHECK_QUIET_MS), D);
    CHECK_EQ(shutdown(server, SD_SEND), 0, "setup");
    CHECK(stays_pending(&ov, CHECK_QUIET_MS), D);
    CHECK_EQ(recv(client, buffer, sizeof buffer, 0), 5, D);
    CHECK_EQ(finish(client, &ov, &bytes), 0, D);
    CHECK_EQ(bytes, 0, "T .NET DisconnectTest");
    CHECK_EQ((DWORD)ov.Internal, ST_SUCCESS, "T .NET DisconnectTest");
    CHECK_FAIL(recv(client, buffer, sizeof buffer, 0), WSAENOTCONN, "D ConnectEx: not connected, but still bound");
    CHECK_FAIL(send(client, buffer, 1, 0), WSAENOTCONN, "D ConnectEx: not connected, but still bound");
    close_both(client, server);
    closesocket(l);
    CloseHandle(event);
}

/* A receive that is pending when the reuse begins gets the peer's data or its FIN. */
static void reuse_with_pending_receive(void)
{
    SOCKET l, client, server;
    OVERLAPPED ov, receiving;
    HANDLE event = new_event(), received = new_event();
    DWORD bytes = CHECK_UNSET, flags = 0;
    char buffer[16];
    WSABUF space;

    ex_pair(&l, &client, &server);
    space.buf = buffer;
    space.len = sizeof buffer;
    ov_init(&receiving, received);
    CHECK_WSA_PENDS(WSARecv(client, &space, 1, NULL, &flags, &receiving, NULL), "D WSARecv");
    ov_init(&ov, event);
    CHECK_PENDS(disconnect(client, &ov, TF_REUSE_SOCKET, 0), "S 000");
    CHECK_EQ(closesocket(server), 0, "setup");
    CHECK_EQ(finish(client, &receiving, &bytes), 0, "choice: follows from D TransmitFile");
    CHECK_EQ(bytes, 0, "choice: follows from D TransmitFile");
    CHECK_EQ(finish(client, &ov, NULL), 0, "D TransmitFile");
    closesocket(client);
    closesocket(l);
    CloseHandle(event);
    CloseHandle(received);
}

static void reuse_both_origins(void)
{
    struct sockaddr_in at2, name;
    SOCKET l, l2 = listener(&at2), client, server;
    int length = sizeof name, round;

    ex_pair(&l, &client, &server);
    for (round = 0; round < 4; round++) { /* the closer alternates */
        check_transfer(client, server, "T .NET DisconnectTest");
        CHECK(round % 2 ? ex_recycle(server, client) : ex_recycle(client, server), "T .NET DisconnectTest, reuse");
        CHECK_FAIL(getpeername(client, (struct sockaddr *)&name, &length), WSAENOTCONN, "D ConnectEx: not connected");
        CHECK_EQ(getsockname(client, (struct sockaddr *)&name, &length), 0, "D ConnectEx: but still bound");
        CHECK_FAIL(getpeername(server, (struct sockaddr *)&name, &length), WSAENOTCONN,
                   "D AcceptEx: neither bound nor connected");
        CHECK_FAIL(getsockname(server, (struct sockaddr *)&name, &length), WSAEINVAL, "D AcceptEx: neither bound");
        CHECK_FALSE(disconnect(client, NULL, TF_REUSE_SOCKET, 0), WSAENOTCONN, "S 000: not in a connected state");
        CHECK(ex_connect(round < 2 ? l : l2, server, client),
              "T .NET DisconnectTest, compio tcp_disconnect: another endpoint, no bind; a different listener");
    }
    check_transfer(server, client, "T .NET DisconnectTest");
    close_both(client, server);
    close_both(l, l2);
}

/* The same on sockets that connect and accept made. */
static void reuse_after_connect_and_accept(void)
{
    struct sockaddr_in at;
    SOCKET client, server, l = listener(&at);

    tcp_pair(&client, &server);
    CHECK(ex_recycle(client, server), "T .NET Disconnect_Sync");
    CHECK(ex_connect(l, server, client), "T .NET Disconnect_Sync: ConnectEx without bind; choice design 4 for accept");
    check_transfer(client, server, "T .NET Disconnect_Sync");
    close_both(client, server);
    closesocket(l);
}

/* Accepted handles are unbound afterwards, connected ones bound; both uses are open to either all the same. */
static void reuse_by_origin(void)
{
    SOCKET l, client, server;
    struct sockaddr_in at;
    char buffer[2 * ADDRESS_SIZE];
    OVERLAPPED ov;
    HANDLE event = new_event();
    DWORD bytes = 0;

    ex_pair(&l, &client, &server);
    at = name_of(l);
    CHECK(ex_recycle(client, server), "T .NET DisconnectTest");
    bind_loopback(server);
    CHECK(name_of(server).sin_port != 0, "D AcceptEx: an accepted handle is unbound afterwards");
    CHECK(ex_connect(l, server, client), "choice design 4: and ConnectEx takes it, bound or not");
    /* S 000 lets AcceptEx take it, D AcceptEx wants an unbound one, and this one is still bound. */
    CHECK(ex_recycle(server, client), "T .NET DisconnectTest");
    ov_init(&ov, event);
    if (!ext()->accept_ex(l, client, buffer, 0, ADDRESS_SIZE, ADDRESS_SIZE, &bytes, &ov)
        && GetLastError() == ERROR_IO_PENDING) {
        SOCKET other = bound_socket();

        CHECK(connect(other, (struct sockaddr *)&at, sizeof at) == 0, "choice design 4: AcceptEx takes it");
        CHECK_EQ(finish(l, &ov, NULL), 0, "choice design 4: both AcceptEx and ConnectEx are accepted");
        closesocket(other);
    } else {
        CHECK_EQ(GetLastError(), WSAEINVAL, "choice design 4: AcceptEx takes it; Windows may refuse a bound one");
    }
    close_both(client, server);
    closesocket(l);
    CloseHandle(event);
}

static struct sockaddr_in6 name6_of(SOCKET s)
{
    struct sockaddr_in6 address;
    int length = sizeof address;

    memset(&address, 0, sizeof address);
    REQUIRE(getsockname(s, (struct sockaddr *)&address, &length) == 0);
    return address;
}

/* On ::1: connections in TIME_WAIT on 127.0.0.1, which a busy machine may have on every port, do not meet it. */
static void pair6(SOCKET *client, SOCKET *server, int is_bound)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6};
    SOCKET l = socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);

    at.sin6_addr.s6_addr[15] = 1;
    REQUIRE(bind(l, (struct sockaddr *)&at, sizeof at) == 0 && listen(l, 1) == 0);
    *client = socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    REQUIRE(!is_bound || bind(*client, (struct sockaddr *)&at, sizeof at) == 0);
    at = name6_of(l);
    REQUIRE(connect(*client, (struct sockaddr *)&at, sizeof at) == 0);
    *server = accept(l, NULL, NULL);
    REQUIRE(*server != INVALID_SOCKET);
    closesocket(l);
    limit_waits(*client);
    limit_waits(*server);
}

/* A recycled handle may listen too, and getsockname says where; whether that is where it said before. */
static int listens_where_it_was_bound(SOCKET client)
{
    static const char *const D = "D ConnectEx: not connected, but still bound";
    struct sockaddr_in6 before = name6_of(client), at;
    SOCKET other;

    CHECK_EQ(listen(client, 5), 0, D);
    at = name6_of(client);
    memset(&at.sin6_addr, 0, sizeof at.sin6_addr);
    at.sin6_addr.s6_addr[15] = 1;
    other = socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    CHECK_EQ(connect(other, (struct sockaddr *)&at, sizeof at), 0, D);
    close_both(other, client);
    return at.sin6_port == before.sin6_port;
}

/* It is bound still. The kernel may have given a port that it chose to somebody else meanwhile, so a few are tried;
 * where this end closed first, a connection in TIME_WAIT keeps it. */
static void reuse_to_listen(void)
{
    enum { ROUNDS = 5 };
    SOCKET client, server;
    int round, first, bound, same[2] = {0, 0};

    for (round = 0; round < ROUNDS; round++)
        for (first = 0; first < 2; first++)
            for (bound = 0; bound < 2; bound++) {
                pair6(&client, &server, bound);
                CHECK(first ? ex_recycle(client, server) : ex_recycle(server, client), "S 000");
                closesocket(server);
                same[bound] += listens_where_it_was_bound(client) && !first;
            }
    CHECK(same[0] > 0, "D ConnectEx: not connected, but still bound, as connect had bound it");
    CHECK(same[1] > 0, "D ConnectEx: not connected, but still bound, as bind had");
}

/* The second step after a half-close. */
static void reuse_after_half_close(void)
{
    SOCKET l, client, server;
    int how;

    for (how = 0; how < 3; how++) {
        ex_pair(&l, &client, &server);
        if (how == 0)
            CHECK(disconnect(client, NULL, 0, 0), "T test_DisconnectEx");
        else
            CHECK_EQ(shutdown(client, how == 1 ? SD_SEND : SD_BOTH), 0, "T test_shutdown");
        CHECK(ex_recycle(client, server), "S 000: closing state is fine with TF_REUSE_SOCKET");
        CHECK(ex_connect(l, server, client), "S 000");
        check_transfer(client, server, "S 000");
        close_both(client, server);
        closesocket(l);
    }
}

static DWORD WINAPI close_when_readable(void *argument)
{
    SOCKET s = *(SOCKET *)argument;
    char byte;

    if (readable(s, CHECK_WAIT_MS))
        recv(s, &byte, 1, 0);
    closesocket(s);
    return 0;
}

/* Without an OVERLAPPED the call blocks until all is done. */
static void reuse_synchronous(void)
{
    SOCKET l, client, server;
    HANDLE thread;

    ex_pair(&l, &client, &server);
    thread = CreateThread(NULL, 0, close_when_readable, &server, 0, NULL);
    REQUIRE(thread != NULL);
    CHECK_CALL(disconnect(client, NULL, TF_REUSE_SOCKET, 0), TRUE, 0, "T .NET Disconnect_Sync");
    CHECK_EQ(WaitForSingleObject(thread, CHECK_WAIT_MS), WAIT_OBJECT_0, "setup");
    CloseHandle(thread);
    server = tcp_socket();
    CHECK(ex_connect(l, server, client), "T .NET Disconnect_Sync");
    check_transfer(client, server, "T .NET Disconnect_Sync");
    close_both(client, server);
    closesocket(l);
}

static void reuse_both_at_once(void)
{
    SOCKET l, client, server;
    OVERLAPPED one, two;
    HANDLE e1 = new_event(), e2 = new_event();

    ex_pair(&l, &client, &server);
    ov_init(&one, e1);
    ov_init(&two, e2);
    CHECK_PENDS(disconnect(client, &one, TF_REUSE_SOCKET, 0), "T compio tcp_disconnect");
    CHECK_PENDS(disconnect(server, &two, TF_REUSE_SOCKET, 0), "T compio tcp_disconnect");
    CHECK_EQ(finish(client, &one, NULL), 0, "T compio tcp_disconnect: both ends at once");
    CHECK_EQ(finish(server, &two, NULL), 0, "T compio tcp_disconnect: both ends at once");
    CHECK(ex_connect(l, server, client), "T compio tcp_disconnect");
    check_transfer(client, server, "T compio tcp_disconnect");
    close_both(client, server);
    closesocket(l);
    CloseHandle(e1);
    CloseHandle(e2);
}

static void reuse_packets(void)
{
    SOCKET l, client, server;
    OVERLAPPED ov;
    HANDLE port = new_port();

    ex_pair(&l, &client, &server);
    associate(client, port, 55);
    associate(server, port, 56);
    CHECK(SetFileCompletionNotificationModes((HANDLE)client, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS), "setup");
    CHECK(SetFileCompletionNotificationModes((HANDLE)server, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS), "setup");
    ov_init(&ov, NULL);
    CHECK_PENDS(disconnect(client, &ov, TF_REUSE_SOCKET, 0), "S 000");
    CHECK(no_packet(port), "D TransmitFile: not before the peer's FIN");
    CHECK(readable(server, CHECK_WAIT_MS), "setup");
    {
        OVERLAPPED passive;

        ov_init(&passive, NULL);
        CHECK_PENDS(disconnect(server, &passive, TF_REUSE_SOCKET, 0),
                    "choice design 4: passive closer, pending all the same");
        CHECK_EQ((next_packet(port, CHECK_WAIT_MS)).error, 0, "porting 0: a packet even with SKIP set");
        CHECK_EQ((next_packet(port, CHECK_WAIT_MS)).error, 0, "porting 0: a packet even with SKIP set");
        CHECK_EQ((DWORD)ov.Internal, ST_SUCCESS, "T compio tcp_disconnect");
        CHECK_EQ((DWORD)passive.Internal, ST_SUCCESS, "T compio tcp_disconnect");
    }
    CHECK(no_packet(port), "D completion ports: one packet each");
    close_both(client, server);
    closesocket(l);
    CloseHandle(port);
}

/* ---- what ends a reuse before its time ------------------------------------------------------------------ */

static void reuse_cancelled(void)
{
    SOCKET l, client, server;
    OVERLAPPED ov;
    HANDLE event = new_event();

    ex_pair(&l, &client, &server);
    ov_init(&ov, event);
    CHECK_PENDS(disconnect(client, &ov, TF_REUSE_SOCKET, 0), "S 000");
    CHECK(CancelIoEx((HANDLE)client, &ov), "D CancelIoEx");
    CHECK_EQ(finish(client, &ov, NULL), ERROR_OPERATION_ABORTED, "choice design 4: CancelIoEx ends it at once");
    CHECK_EQ((DWORD)ov.Internal, ST_CANCELLED, "choice design 4");
    CHECK_EQ(wsa_result(client, &ov), WSA_OPERATION_ABORTED, "choice design 4");
    CHECK_FALSE(CancelIoEx((HANDLE)client, &ov), ERROR_NOT_FOUND, "D CancelIoEx: nothing left");
    close_both(client, server);
    closesocket(l);
    CloseHandle(event);
}

static void reuse_closed(void)
{
    SOCKET l, client, server;
    OVERLAPPED ov;
    HANDLE event = new_event();

    ex_pair(&l, &client, &server);
    ov_init(&ov, event);
    CHECK_PENDS(disconnect(client, &ov, TF_REUSE_SOCKET, 0), "S 000");
    CHECK_EQ(closesocket(client), 0, "D closesocket");
    CHECK(is_set(event, CHECK_WAIT_MS), "choice design 4: closesocket ends it at once");
    CHECK((DWORD)ov.Internal == ST_CANCELLED || (DWORD)ov.Internal == ST_CONNECTION_ABORTED
          || (DWORD)ov.Internal == ST_LOCAL_DISCONNECT, "choice design 4; the statuses of T test_iocp, test_AcceptEx");
    closesocket(server);
    closesocket(l);
    CloseHandle(event);
}

static void reuse_reset(void)
{
    SOCKET l, client, server;
    OVERLAPPED ov;
    HANDLE event = new_event();

    ex_pair(&l, &client, &server);
    ov_init(&ov, event);
    CHECK_PENDS(disconnect(client, &ov, TF_REUSE_SOCKET, 0), "S 000");
    CHECK(stays_pending(&ov, CHECK_QUIET_MS), "D TransmitFile");
    close_with_rst(server);
    CHECK_EQ(finish(client, &ov, NULL), ERROR_NETNAME_DELETED, "choice: as a pending receive, T test_tcp_reset");
    CHECK_EQ((DWORD)ov.Internal, ST_CONNECTION_RESET, "choice: as a pending receive");
    CHECK_EQ(wsa_result(client, &ov), WSAECONNRESET, "choice: as a pending receive");
    closesocket(client);
    closesocket(l);
    CloseHandle(event);
}

int main(void)
{
    check_begin("disconnectex");
    not_a_socket();
    bad_arguments();
    not_connected();
    half_close_overlapped();
    half_close_synchronous();
    half_close_signals_socket();
    second_half_close();
    half_close_behind_data();
    half_close_with_pending_receive();
    packets();
    half_close_after_peer();
    reuse_waits_for_peer();
    reuse_with_pending_receive();
    reuse_both_origins();
    reuse_after_connect_and_accept();
    reuse_by_origin();
    reuse_to_listen();
    reuse_after_half_close();
    reuse_synchronous();
    reuse_both_at_once();
    reuse_packets();
    reuse_cancelled();
    reuse_closed();
    reuse_reset();
    return check_end();
}

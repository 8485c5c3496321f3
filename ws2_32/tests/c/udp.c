/* Datagram sockets: UDP over IPv4 and IPv6, with every kind of completion (winsock-semantics 3.5, 1.8). */
#include "check.h"

#define UDP "T test_UDP"
#define ST_BUFFER_OVERFLOW 0x80000005u

#ifndef SIO_UDP_CONNRESET
#define SIO_UDP_CONNRESET 0x9800000C
#endif

static SOCKET udp_socket(void)
{
    SOCKET s = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);

    REQUIRE(s != INVALID_SOCKET);
    limit_waits(s);
    return s;
}

/* A socket bound to a loopback port, and its address. */
static SOCKET bound_udp(struct sockaddr_in *at)
{
    SOCKET s = udp_socket();

    bind_loopback(s);
    *at = name_of(s);
    return s;
}

static int send_to(SOCKET s, const char *text, const struct sockaddr_in *to)
{
    return sendto(s, text, (int)strlen(text), 0, (const struct sockaddr *)to, sizeof *to);
}

static void creation(void)
{
    WSAPROTOCOL_INFOW info;
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    int value = 0, length = sizeof value;

    CHECK(s != INVALID_SOCKET, "D socket");
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_TYPE, (char *)&value, &length), 0, "D SO_TYPE");
    CHECK_EQ(value, SOCK_DGRAM, "D SO_TYPE");
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_MAX_MSG_SIZE, (char *)&value, &length), 0, "D SO_MAX_MSG_SIZE");
    CHECK_EQ(value, 65507, "choice: what can be sent over IPv4");
    length = sizeof info;
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&info, &length), 0, "D SO_PROTOCOL_INFO");
    CHECK_EQ(info.iSocketType, SOCK_DGRAM, "T test_WSAEnumProtocolsW");
    CHECK_EQ(info.iProtocol, IPPROTO_UDP, "T test_WSAEnumProtocolsW");
    CHECK(info.dwServiceFlags1 & XP1_CONNECTIONLESS, "D WSAPROTOCOL_INFO");
    closesocket(s);
    s = WSASocketW(AF_INET6, 0, IPPROTO_UDP, NULL, 0, WSA_FLAG_OVERLAPPED);
    CHECK(s != INVALID_SOCKET, "D WSASocket");
    closesocket(s);
    s = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0, 0);
    CHECK(s != INVALID_SOCKET, "D WSASocket");
    closesocket(s);
    CHECK(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP) == INVALID_SOCKET, "T test_WSASocket");
    CHECK_EQ(WSAGetLastError(), WSAEPROTONOSUPPORT, "T test_WSASocket");
}

static void there_and_back(void)
{
    struct sockaddr_in at, from;
    SOCKET server = bound_udp(&at), client = udp_socket();
    int length = sizeof from;
    char buffer[16];
    u_long waiting = 0;

    CHECK_FAIL(getsockname(client, (struct sockaddr *)&from, &length), WSAEINVAL, "T test_getsockname: unbound");
    CHECK_FAIL(recvfrom(client, buffer, sizeof buffer, 0, NULL, NULL), WSAEINVAL, "D recvfrom: not bound");
    CHECK_FAIL(recv(client, buffer, sizeof buffer, 0), WSAEINVAL, "D recv: not bound");
    CHECK_FAIL(send(client, "x", 1, 0), WSAENOTCONN, "D send: no destination");
    CHECK_FAIL(getpeername(client, (struct sockaddr *)&from, &length), WSAENOTCONN, "D getpeername");
    CHECK_EQ(send_to(client, "hello", &at), 5, UDP);
    CHECK_EQ(getsockname(client, (struct sockaddr *)&from, &length), 0, "D sendto: binds");
    CHECK(from.sin_port != 0, "D sendto: binds");
    CHECK_FAIL(bind(client, (struct sockaddr *)&from, sizeof from), WSAEINVAL, "D bind: bound already");
    CHECK(readable(server, CHECK_WAIT_MS), UDP);
    CHECK_EQ(ioctlsocket(server, FIONREAD, &waiting), 0, "D ioctlsocket");
    CHECK_EQ(waiting, 5, "D ioctlsocket: FIONREAD");
    memset(&from, 0, sizeof from);
    length = sizeof from;
    CHECK_EQ(recvfrom(server, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &length), 5, UDP);
    CHECK(memcmp(buffer, "hello", 5) == 0, UDP);
    CHECK_EQ(length, sizeof from, "D recvfrom");
    CHECK_EQ(from.sin_port, name_of(client).sin_port, UDP);
    CHECK_EQ(send_to(server, "answer", &from), 6, UDP);
    CHECK_EQ(recv(client, buffer, sizeof buffer, 0), 6, "D recv: anybody's, without a default destination");
    /* A datagram of no octets is one. */
    CHECK_EQ(sendto(client, NULL, 0, 0, (struct sockaddr *)&at, sizeof at), 0, "D sendto: zero-length is allowed");
    CHECK_EQ(recvfrom(server, buffer, sizeof buffer, 0, NULL, NULL), 0, "D recvfrom");
    close_both(client, server);
}

static void boundaries(void)
{
    static char large[70000];
    struct sockaddr_in at;
    SOCKET server = bound_udp(&at), client = udp_socket();
    OVERLAPPED ov;
    HANDLE event = new_event();
    DWORD bytes = 0, flags = 0;
    char buffer[16] = "";
    WSABUF two[2], small;

    CHECK_EQ(send_to(client, "first", &at), 5, "setup");
    CHECK_EQ(send_to(client, "second", &at), 6, "setup");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 5, "D recv: one datagram");
    CHECK_EQ(recv(server, buffer, sizeof buffer, MSG_PEEK), 6, "D recv: MSG_PEEK");
    CHECK_FAIL(recv(server, buffer, 3, 0), WSAEMSGSIZE, "D recv: longer than the buffer");
    CHECK(memcmp(buffer, "sec", 3) == 0, "D recv: as much as fits");
    set_nonblocking(server, TRUE);
    CHECK_FAIL(recv(server, buffer, sizeof buffer, 0), WSAEWOULDBLOCK, "D recv: the rest is lost");
    set_nonblocking(server, FALSE);

    /* Over two buffers; and overlapped, cut short. */
    two[0].buf = buffer;
    two[0].len = 2;
    two[1].buf = buffer + 8;
    two[1].len = 8;
    CHECK_EQ(send_to(client, "third", &at), 5, "setup");
    CHECK_EQ(WSARecvFrom(server, two, 2, &bytes, &flags, NULL, NULL, NULL, NULL), 0, "D WSARecvFrom");
    CHECK_EQ(bytes, 5, "D WSARecvFrom");
    CHECK(memcmp(buffer, "th", 2) == 0 && memcmp(buffer + 8, "ird", 3) == 0, "D WSARecvFrom: scattered");
    small.buf = buffer;
    small.len = 2;
    CHECK_EQ(send_to(client, "cut", &at), 3, "setup");
    CHECK(readable(server, CHECK_WAIT_MS), "setup");
    ov_init(&ov, event);
    CHECK_WSA_PENDS(WSARecvFrom(server, &small, 1, NULL, &flags, NULL, NULL, &ov, NULL), "choice: pends");
    CHECK(is_set(event, CHECK_WAIT_MS), "D WSARecvFrom");
    CHECK_EQ(ov.Internal, ST_BUFFER_OVERFLOW, "D WSARecvFrom: WSAEMSGSIZE");
    CHECK_EQ(wsa_result(server, &ov), WSAEMSGSIZE, "D WSARecvFrom: WSAEMSGSIZE");
    CHECK_EQ(ov.InternalHigh, 2, "D WSARecvFrom: as much as fits");

    CHECK_FAIL(sendto(client, large, sizeof large, 0, (struct sockaddr *)&at, sizeof at), WSAEMSGSIZE, "D sendto");
    CHECK_EQ(sendto(client, large, 60000, 0, (struct sockaddr *)&at, sizeof at), 60000, "D sendto");
    CHECK_EQ(recv(server, large, sizeof large, 0), 60000, "D recv");
    close_both(client, server);
    CloseHandle(event);
}

/* T test_connect_udp: a default destination, another one, none. */
static void connecting(void)
{
    struct sockaddr_in at, other_at, none;
    SOCKET server = bound_udp(&at), other = bound_udp(&other_at), client = udp_socket();
    int length = sizeof none;
    char buffer[16];

    CHECK_EQ(connect(client, (struct sockaddr *)&at, sizeof at), 0, "T test_connect_udp");
    CHECK_EQ(getpeername(client, (struct sockaddr *)&none, &length), 0, "T test_connect_udp");
    CHECK_EQ(none.sin_port, at.sin_port, "T test_connect_udp");
    CHECK_EQ(send(client, "x", 1, 0), 1, "D connect: a default destination");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 1, "D connect");
    CHECK_EQ(connect(client, (struct sockaddr *)&other_at, sizeof other_at), 0, "T test_connect_udp: again");
    CHECK_EQ(send(client, "yy", 2, 0), 2, "T test_connect_udp");
    CHECK_EQ(recv(other, buffer, sizeof buffer, 0), 2, "T test_connect_udp");
    CHECK_EQ(send_to(server, "stranger", &none), 8, "setup");
    none = name_of(client);
    CHECK_EQ(send_to(server, "stranger", &none), 8, "setup");
    CHECK_EQ(send_to(other, "friend", &none), 6, "setup");
    CHECK_EQ(recv(client, buffer, sizeof buffer, 0), 6, "D connect: datagrams of others are discarded");
    memset(&none, 0, sizeof none);
    none.sin_family = AF_INET;
    CHECK_EQ(connect(client, (struct sockaddr *)&none, sizeof none), 0, "D connect: all zeros dissolve");
    CHECK_FAIL(send(client, "x", 1, 0), WSAENOTCONN, "D connect: all zeros dissolve");
    length = sizeof none;
    CHECK_FAIL(getpeername(client, (struct sockaddr *)&none, &length), WSAENOTCONN, "T test_connect_udp");
    CHECK_EQ(connect(client, (struct sockaddr *)&at, sizeof at), 0, "T test_connect_udp");
    none.sin_family = AF_UNSPEC;
    CHECK_EQ(connect(client, (struct sockaddr *)&none, sizeof none), 0, "T test_connect_udp: AF_UNSPEC dissolves");
    CHECK_FAIL(send(client, "x", 1, 0), WSAENOTCONN, "T test_connect_udp");
    close_both(client, server);
    closesocket(other);
}

static int routine_calls;
static DWORD routine_error, routine_bytes;

static void CALLBACK on_done(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov, DWORD flags)
{
    (void)ov;
    (void)flags;
    routine_calls++;
    routine_error = error;
    routine_bytes = bytes;
}

static void completions(void)
{
    struct sockaddr_in at, from;
    SOCKET server = bound_udp(&at), client = udp_socket(), ported;
    OVERLAPPED one, two;
    HANDLE event = new_event(), other = new_event(), port = new_port();
    int length = sizeof from;
    DWORD bytes = 0, flags = 0;
    char buffer[16], second[16];
    WSABUF space, more, data;
    struct packet p;

    space.buf = buffer;
    more.buf = second;
    space.len = more.len = sizeof buffer;
    data.buf = "data";
    data.len = 4;

    /* An event; the address is written when it completes. In order of issue. */
    ov_init(&one, event);
    ov_init(&two, other);
    memset(&from, 0, sizeof from);
    CHECK_WSA_PENDS(WSARecvFrom(server, &space, 1, NULL, &flags, (struct sockaddr *)&from, &length, &one, NULL), UDP);
    CHECK_WSA_PENDS(WSARecvFrom(server, &more, 1, NULL, &flags, NULL, NULL, &two, NULL), UDP);
    CHECK_EQ(from.sin_port, 0, "D WSARecvFrom: not before it completes");
    CHECK_EQ(WSASendTo(client, &data, 1, &bytes, 0, (struct sockaddr *)&at, sizeof at, NULL, NULL), 0, "D WSASendTo");
    CHECK_EQ(bytes, 4, "D WSASendTo");
    CHECK_EQ(finish(server, &one, &bytes), 0, UDP);
    CHECK_EQ(bytes, 4, UDP);
    CHECK_EQ(from.sin_port, name_of(client).sin_port, "D WSARecvFrom");
    CHECK_EQ(length, sizeof from, "D WSARecvFrom");
    CHECK(stays_pending(&two, CHECK_QUIET_MS), "T test_simultaneous_async_recv: in order");
    CHECK_EQ(send_to(client, "next", &at), 4, "setup");
    CHECK_EQ(finish(server, &two, &bytes), 0, "T test_simultaneous_async_recv");

    /* Without an event the socket is signaled. */
    ov_init(&one, NULL);
    CHECK_WSA_PENDS(WSARecvFrom(server, &space, 1, NULL, &flags, NULL, NULL, &one, NULL), "setup");
    CHECK_EQ(WaitForSingleObject((HANDLE)server, 0), WAIT_TIMEOUT, "D OVERLAPPED");
    CHECK_EQ(send_to(client, "next", &at), 4, "setup");
    CHECK_EQ(WaitForSingleObject((HANDLE)server, CHECK_WAIT_MS), WAIT_OBJECT_0, "D OVERLAPPED");

    /* Cancelled, and closed. */
    ov_init(&one, event);
    CHECK_WSA_PENDS(WSARecvFrom(server, &space, 1, NULL, &flags, NULL, NULL, &one, NULL), "setup");
    CHECK(CancelIoEx((HANDLE)server, &one), "D CancelIoEx");
    CHECK_EQ(wsa_result(server, &one), WSA_OPERATION_ABORTED, "D CancelIoEx");
    ov_init(&one, event);
    CHECK_WSA_PENDS(WSARecvFrom(server, &space, 1, NULL, &flags, NULL, NULL, &one, NULL), "setup");
    CHECK_EQ(closesocket(server), 0, "T test_recv");
    CHECK(is_set(event, CHECK_WAIT_MS), "T test_recv");
    CHECK_EQ(one.Internal, ST_CANCELLED, "T test_recv of AFD: a closed datagram socket cancels");
    CHECK_EQ(one.InternalHigh, 0, "T test_recv");

    /* A completion routine. */
    server = bound_udp(&at);
    ov_init(&one, NULL);
    CHECK_WSA_PENDS(WSARecvFrom(server, &space, 1, NULL, &flags, NULL, NULL, &one, on_done), "setup");
    CHECK_EQ(send_to(client, "routine", &at), 7, "setup");
    CHECK_EQ(SleepEx(CHECK_WAIT_MS, TRUE), WAIT_IO_COMPLETION, "D WSARecvFrom");
    CHECK(routine_calls == 1 && routine_error == 0 && routine_bytes == 7, "D WSARecvFrom");

    /* A completion port: what has pended, and what has not. */
    ported = bound_udp(&at);
    associate(ported, port, 5);
    ov_init(&one, NULL);
    CHECK_WSA_PENDS(WSARecvFrom(ported, &space, 1, NULL, &flags, NULL, NULL, &one, NULL), "setup");
    CHECK_EQ(send_to(client, "port", &at), 4, "setup");
    CHECK_PACKET(port, 5, &one, 4, 0, "D WSARecvFrom");
    ov_init(&two, NULL);
    CHECK_EQ(WSASendTo(ported, &data, 1, &bytes, 0, (struct sockaddr *)&at, sizeof at, &two, NULL), 0, "D WSASendTo");
    CHECK_PACKET(port, 5, &two, 4, 0, "D WSASendTo: a packet also when it succeeds at once");
    CHECK_EQ(recv(ported, buffer, sizeof buffer, 0), 4, "setup");
    ov_init(&one, NULL);
    CHECK_FAIL(WSARecvFrom(ported, &space, 1, NULL, &flags, NULL, NULL, &one, on_done), WSAEINVAL, "T test_WSARecv");
    CHECK_WSA_PENDS(WSARecvFrom(ported, &space, 1, NULL, &flags, NULL, NULL, &one, NULL), "setup");
    closesocket(ported);
    p = next_packet(port, CHECK_WAIT_MS);
    CHECK(!p.ok && p.ov == &one && p.error == ERROR_OPERATION_ABORTED, "T test_recv of AFD");
    CHECK(no_packet(port), "T test_recv of AFD");
    close_both(client, server);
    CloseHandle(event);
    CloseHandle(other);
    CloseHandle(port);
}

/* winsock-semantics 3.5; S 003: "incoming datagrams are accepted and queued. In no case will an ICMP error packet be
 * generated". */
static void shutting_down(void)
{
    struct sockaddr_in at;
    SOCKET server = bound_udp(&at), client = udp_socket(), unbound = udp_socket();
    OVERLAPPED ov;
    HANDLE event = new_event();
    DWORD flags = 0, bytes = 0;
    char buffer[16];
    WSABUF space;
    int i;

    for (i = 0; i < 2; i++) {
        CHECK_EQ(shutdown(unbound, SD_SEND), 0, "T test_shutdown: unbound, repeated");
        CHECK_EQ(shutdown(unbound, SD_RECEIVE), 0, "T test_shutdown: unbound, repeated");
        CHECK_EQ(WSASendDisconnect(unbound, NULL), 0, "S 002: WSAENOTCONN is for connection-oriented sockets only");
        CHECK_EQ(WSARecvDisconnect(unbound, NULL), 0, "S 003: WSAENOTCONN is for connection-oriented sockets only");
    }
    CHECK_FAIL(send_to(unbound, "x", &at), WSAESHUTDOWN, "T test_shutdown");
    CHECK_FAIL(recvfrom(unbound, buffer, sizeof buffer, 0, NULL, NULL), WSAESHUTDOWN, "T test_shutdown");

    space.buf = buffer;
    space.len = sizeof buffer;
    ov_init(&ov, event);
    CHECK_WSA_PENDS(WSARecvFrom(server, &space, 1, NULL, &flags, NULL, NULL, &ov, NULL), "setup");
    CHECK_EQ(WSARecvDisconnect(server, NULL), 0, "S 003");
    CHECK_FAIL(recv(server, buffer, sizeof buffer, 0), WSAESHUTDOWN, "S 003: later receives are disallowed");
    CHECK_EQ(connect(client, (struct sockaddr *)&at, sizeof at), 0, "setup");
    for (i = 0; i < 3; i++)
        CHECK_EQ(send(client, "x", 1, 0), 1, "S 003: accepted and queued, no ICMP error");
    CHECK_EQ(finish(server, &ov, &bytes), 0, "T test_shutdown: a receive that was pending survives");
    set_nonblocking(client, TRUE);
    CHECK_FAIL(recv(client, buffer, sizeof buffer, 0), WSAEWOULDBLOCK, "S 003: no ICMP error");
    CHECK_EQ(send_to(server, "x", &at), 1, "S 003: sending goes on");
    CHECK_EQ(WSASendDisconnect(server, NULL), 0, "S 002");
    CHECK_FAIL(send_to(server, "x", &at), WSAESHUTDOWN, "S 002: later sends are disallowed");
    close_both(client, server);
    closesocket(unbound);
    CloseHandle(event);
}

/* D recvfrom: "on a UDP-datagram socket this error indicates a previous send operation resulted in an ICMP Port
 * Unreachable message". */
static void nobody_there(void)
{
    struct sockaddr_in at;
    SOCKET gone = bound_udp(&at), client = udp_socket();
    char buffer[16];
    BOOL off = FALSE;
    DWORD bytes = 0;

    closesocket(gone);
    CHECK_EQ(connect(client, (struct sockaddr *)&at, sizeof at), 0, "setup");
    CHECK_EQ(send(client, "x", 1, 0), 1, "D recvfrom");
    CHECK_FAIL(recv(client, buffer, sizeof buffer, 0), WSAECONNRESET, "D recvfrom");
    CHECK_EQ(send(client, "x", 1, 0), 1, "setup");
    CHECK_EQ(send(client, "x", 1, 0), 1, "D recvfrom: a receive tells, not a send");
    CHECK_FAIL(recv(client, buffer, sizeof buffer, 0), WSAECONNRESET, "D recvfrom");
    CHECK_EQ(WSAIoctl(client, SIO_UDP_CONNRESET, &off, sizeof off, NULL, 0, &bytes, NULL, NULL), 0,
             "D SIO_UDP_CONNRESET");
    CHECK_EQ(send(client, "x", 1, 0), 1, "setup");
    set_nonblocking(client, TRUE);
    CHECK_FAIL(recv(client, buffer, sizeof buffer, 0), WSAEWOULDBLOCK, "D SIO_UDP_CONNRESET");
    closesocket(client);
}

/* The same without a default destination: a send that nobody takes is told to the next receive, or to one that waits. */
static void nobody_at_a_destination(void)
{
    struct sockaddr_in at, own;
    SOCKET gone = bound_udp(&at), s = bound_udp(&own);
    HANDLE event = new_event(), port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    DWORD flags = 0, bytes = 0;
    BOOL off = FALSE;
    char buffer[16];
    WSABUF space = { sizeof buffer, buffer };
    OVERLAPPED ov;
    struct packet p;

    closesocket(gone);
    CHECK_EQ(send_to(s, "x", &at), 1, "D recvfrom");
    CHECK_EQ(send_to(s, "x", &own), 1, "D recvfrom: a receive tells, not a send");
    CHECK_FAIL(recvfrom(s, buffer, sizeof buffer, 0, NULL, NULL), WSAECONNRESET, "D recvfrom");
    CHECK_EQ(recvfrom(s, buffer, sizeof buffer, 0, NULL, NULL), 1, "D recvfrom: the socket goes on");
    ov_init(&ov, event);
    CHECK_WSA_PENDS(WSARecvFrom(s, &space, 1, NULL, &flags, NULL, NULL, &ov, NULL), "setup");
    CHECK_EQ(send_to(s, "x", &at), 1, "setup");
    CHECK_EQ(finish(s, &ov, NULL), ERROR_PORT_UNREACHABLE, "D WSARecvFrom");
    CHECK_EQ(wsa_result(s, &ov), WSAECONNRESET, "D WSARecvFrom");
    associate(s, port, 5);
    ov_init(&ov, NULL);
    CHECK_WSA_PENDS(WSARecvFrom(s, &space, 1, NULL, &flags, NULL, NULL, &ov, NULL), "setup");
    CHECK_EQ(send_to(s, "x", &at), 1, "setup");
    p = next_packet(port, CHECK_WAIT_MS);
    CHECK(!p.ok && p.ov == &ov && p.error == ERROR_PORT_UNREACHABLE, "D WSARecvFrom: STATUS_PORT_UNREACHABLE, in Win32's words");
    CHECK_EQ(WSAIoctl(s, SIO_UDP_CONNRESET, &off, sizeof off, NULL, 0, &bytes, NULL, NULL), 0, "D SIO_UDP_CONNRESET");
    CHECK_EQ(send_to(s, "x", &at), 1, "setup");
    set_nonblocking(s, TRUE);
    CHECK_FAIL(recvfrom(s, buffer, sizeof buffer, 0, NULL, NULL), WSAEWOULDBLOCK, "D SIO_UDP_CONNRESET");
    closesocket(s);
    CloseHandle(event);
    CloseHandle(port);
}

/* What only connections have. */
static void refusals(void)
{
    struct sockaddr_in at, l_at;
    SOCKET s = bound_udp(&at), l = listener(&l_at), stale = udp_socket();
    OVERLAPPED ov;
    char buffer[2 * ADDRESS_SIZE];
    int value = 1, length = sizeof value;
    struct linger linger = {1, 0};
    DWORD bytes = 0, flags = 0;
    WSABUF space;

    space.buf = buffer;
    space.len = sizeof buffer;
    closesocket(stale);
    ov_init(&ov, NULL);
    CHECK_FAIL(listen(s, 1), WSAEOPNOTSUPP, "D listen");
    CHECK(accept(s, NULL, NULL) == INVALID_SOCKET && WSAGetLastError() == WSAEOPNOTSUPP, "D accept");
    CHECK_FALSE(ext()->disconnect_ex(s, NULL, 0, 0), WSAENOTCONN, "S 000: not for datagrams; which error is our choice");
    CHECK_FALSE(ext()->disconnect_ex(s, &ov, TF_REUSE_SOCKET, 0), WSAENOTCONN, "S 000: not for datagrams");
    CHECK_FALSE(ext()->accept_ex(l, s, buffer, 0, ADDRESS_SIZE, ADDRESS_SIZE, &bytes, &ov), WSAEINVAL, "T test_AcceptEx");
    CHECK_FAIL(setsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof linger), WSAENOPROTOOPT,
               "T test_sockopt_validity");
    CHECK_FAIL(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, (char *)&value, sizeof value), WSAENOPROTOOPT,
               "T test_sockopt_validity");
    CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_BROADCAST, (char *)&value, sizeof value), 0, "T test_sockopt_validity");
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_BROADCAST, (char *)&value, &length), 0, "T test_sockopt_validity");
    CHECK_EQ(value, 1, "T test_sockopt_validity");

    CHECK_FAIL(sendto(stale, "x", 1, 0, (struct sockaddr *)&at, sizeof at), WSAENOTSOCK, "D sendto");
    CHECK_FAIL(recvfrom(stale, buffer, 1, 0, NULL, NULL), WSAENOTSOCK, "D recvfrom");
    CHECK_FAIL(sendto(s, "x", 1, 0, (struct sockaddr *)&at, 4), WSAEFAULT, "D sendto: tolen too small");
    CHECK_FAIL(sendto(s, "x", 1, 0, (struct sockaddr *)(ULONG_PTR)8, sizeof at), WSAEFAULT, "D sendto");
    CHECK_FAIL(sendto(s, (char *)(ULONG_PTR)8, 1, 0, (struct sockaddr *)&at, sizeof at), WSAEFAULT, "D sendto");
    CHECK_FAIL(sendto(s, "x", 1, 0, NULL, 0), WSAENOTCONN, "choice: as send");
    length = 4;
    CHECK_FAIL(recvfrom(s, buffer, 1, 0, (struct sockaddr *)&l_at, &length), WSAEFAULT, "D recvfrom: too small");
    CHECK_FAIL(recvfrom(s, buffer, 1, 0, (struct sockaddr *)&l_at, NULL), WSAEFAULT, "D recvfrom");
    length = sizeof l_at;
    CHECK_FAIL(recvfrom(s, buffer, 1, 0, (struct sockaddr *)(ULONG_PTR)8, &length), WSAEFAULT, "D recvfrom");
    CHECK_FAIL(WSARecvFrom(s, NULL, 1, &bytes, &flags, NULL, NULL, NULL, NULL), WSAEFAULT, "D WSARecvFrom");
    CHECK_FAIL(WSARecvFrom(s, &space, 0, &bytes, &flags, NULL, NULL, NULL, NULL), WSAEINVAL, "T test_empty_recv");
    CHECK_FAIL(WSASendTo(s, NULL, 1, &bytes, 0, (struct sockaddr *)&at, sizeof at, NULL, NULL), WSAEFAULT, "D WSASendTo");
    closesocket(s);
    closesocket(l);
}

/* T test_timeout, T test_WSAPoll, T test_select; WSAEventSelect. */
static void waiting(void)
{
    struct sockaddr_in at;
    SOCKET server = bound_udp(&at), client = udp_socket();
    WSANETWORKEVENTS events;
    HANDLE event = new_event();
    int ms = 50;
    char buffer[8];

    CHECK_EQ(setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms, sizeof ms), 0, "T test_timeout");
    CHECK_FAIL(recv(server, buffer, sizeof buffer, 0), WSAETIMEDOUT, "T test_timeout");
    CHECK(!readable(server, 0), "T test_select");
    CHECK_EQ(poll_for(server, POLLWRNORM, POLLWRNORM), POLLWRNORM, "T test_WSAPoll");
    CHECK_EQ(send_to(client, "x", &at), 1, "setup");
    CHECK_EQ(poll_for(server, POLLRDNORM, POLLRDNORM), POLLRDNORM, "T test_WSAPoll");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 1, "setup");

    CHECK_EQ(WSAEventSelect(server, event, FD_READ | FD_WRITE | FD_CLOSE), 0, "D WSAEventSelect");
    CHECK(is_set(event, CHECK_WAIT_MS), "D WSAEventSelect");
    CHECK_EQ(WSAEnumNetworkEvents(server, event, &events), 0, "D WSAEventSelect");
    CHECK_EQ(events.lNetworkEvents, FD_WRITE, "D WSAEventSelect: sending is possible from the beginning");
    CHECK_EQ(send_to(client, "x", &at), 1, "setup");
    CHECK(is_set(event, CHECK_WAIT_MS), "D WSAEventSelect");
    CHECK_EQ(WSAEnumNetworkEvents(server, event, &events), 0, "D WSAEventSelect");
    CHECK_EQ(events.lNetworkEvents, FD_READ, "D WSAEventSelect");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 1, "setup");
    CHECK(!is_set(event, CHECK_QUIET_MS), "D WSAEventSelect");
    CHECK_FAIL(recv(server, buffer, sizeof buffer, 0), WSAEWOULDBLOCK, "D WSAEventSelect");
    close_both(client, server);
    CloseHandle(event);
}

static void over_ipv6(void)
{
    struct sockaddr_in6 at, from;
    SOCKET server = socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP), client = socket(AF_INET6, SOCK_DGRAM, 0);
    int length = sizeof at;
    char buffer[8];

    memset(&at, 0, sizeof at);
    at.sin6_family = AF_INET6;
    at.sin6_addr.s6_addr[15] = 1;
    if (bind(server, (struct sockaddr *)&at, sizeof at) != 0) {
        printf("    skipped: no IPv6 here\n");
    } else {
        limit_waits(server);
        CHECK_EQ(getsockname(server, (struct sockaddr *)&at, &length), 0, UDP);
        CHECK_EQ(sendto(client, "six", 3, 0, (struct sockaddr *)&at, sizeof at), 3, UDP);
        length = sizeof from;
        CHECK_EQ(recvfrom(server, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &length), 3, UDP);
        CHECK_EQ(length, sizeof from, UDP);
        CHECK_EQ(from.sin6_family, AF_INET6, UDP);
        CHECK_EQ(from.sin6_addr.s6_addr[15], 1, UDP);
    }
    close_both(client, server);
}

/* T test_tcp_sendto_recvfrom: addresses mean nothing on a connection. */
static void on_a_connection(void)
{
    struct sockaddr_in other;
    SOCKET client, server;
    int length = 3;
    char buffer[8];

    tcp_pair(&client, &server);
    other = loopback(htons(9));
    CHECK_EQ(sendto(client, "hello", 5, 0, (struct sockaddr *)&other, sizeof other), 5, "T test_tcp_sendto_recvfrom");
    CHECK_EQ(recvfrom(server, buffer, sizeof buffer, 0, (struct sockaddr *)&other, &length), 5,
             "T test_tcp_sendto_recvfrom");
    CHECK_EQ(length, 3, "T test_tcp_sendto_recvfrom: left alone");
    CHECK_EQ(other.sin_port, htons(9), "T test_tcp_sendto_recvfrom: left alone");
    close_both(client, server);
}

int main(void)
{
    check_begin("udp");
    creation();
    there_and_back();
    boundaries();
    connecting();
    completions();
    shutting_down();
    nobody_there();
    nobody_at_a_destination();
    refusals();
    waiting();
    over_ipv6();
    on_a_connection();
    return check_end();
}

/*
 * options.c - socket options and ioctls: defaults, what is set is read back, lengths, errors, inheritance.
 */
#include "check.h"
#include <mstcpip.h>

static int get_int(SOCKET s, int level, int option)
{
    int value = 0x5a5a5a5a, length = sizeof value;

    if (getsockopt(s, level, option, (char *)&value, &length) != 0)
        return -1;
    return length == 1 ? (unsigned char)value : value; /* a BOOL may come as one byte where one was asked for */
}

static int set_int(SOCKET s, int level, int option, int value)
{
    return setsockopt(s, level, option, (char *)&value, sizeof value);
}

static void booleans(void)
{
    static const struct { int level, option, initial; const char *source; } list[] = {
        { SOL_SOCKET, SO_KEEPALIVE, 0, "D SO_KEEPALIVE" },
        { SOL_SOCKET, SO_REUSEADDR, 0, "D SO_REUSEADDR" },
        { SOL_SOCKET, SO_OOBINLINE, 0, "D SO_OOBINLINE" },
        { SOL_SOCKET, SO_DONTLINGER, 1, "D SO_DONTLINGER" },
        { IPPROTO_TCP, TCP_NODELAY, 0, "D TCP_NODELAY" },
    };
    SOCKET s = tcp_socket();
    unsigned i;

    for (i = 0; i < sizeof list / sizeof list[0]; i++) {
        CHECK_EQ(get_int(s, list[i].level, list[i].option), list[i].initial, list[i].source);
        CHECK_EQ(set_int(s, list[i].level, list[i].option, !list[i].initial), 0, list[i].source);
        CHECK_EQ(get_int(s, list[i].level, list[i].option), !list[i].initial, list[i].source);
        CHECK_EQ(set_int(s, list[i].level, list[i].option, list[i].initial), 0, list[i].source);
        CHECK_EQ(get_int(s, list[i].level, list[i].option), list[i].initial, list[i].source);
    }
    closesocket(s);
    s = tcp_socket();
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE), 0, "D SO_EXCLUSIVEADDRUSE");
    CHECK_EQ(set_int(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1), 0, "D SO_EXCLUSIVEADDRUSE");
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE), 1, "D SO_EXCLUSIVEADDRUSE");
    closesocket(s);
}

static void numbers(void)
{
    SOCKET s = tcp_socket();

    CHECK_EQ(get_int(s, SOL_SOCKET, SO_TYPE), SOCK_STREAM, "D SO_TYPE");
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_ERROR), 0, "D SO_ERROR");
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_ACCEPTCONN), 0, "D SO_ACCEPTCONN");
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_RCVTIMEO), 0, "T test_timeout: no limit");
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_SNDTIMEO), 0, "T test_timeout: no limit");
    CHECK_EQ(set_int(s, SOL_SOCKET, SO_RCVTIMEO, 1234), 0, "T test_timeout");
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_RCVTIMEO), 1234, "T test_timeout: milliseconds, a DWORD");
    CHECK_EQ(set_int(s, SOL_SOCKET, SO_SNDTIMEO, 777), 0, "T test_timeout");
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_SNDTIMEO), 777, "T test_timeout");
    CHECK(get_int(s, SOL_SOCKET, SO_RCVBUF) > 0, "D SO_RCVBUF");
    CHECK(get_int(s, SOL_SOCKET, SO_SNDBUF) > 0, "D SO_SNDBUF");
    CHECK_EQ(set_int(s, SOL_SOCKET, SO_RCVBUF, 8192), 0, "D SO_RCVBUF");
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_RCVBUF), 8192, "T test_set_getsockopt: what was set, not twice that");
    CHECK_EQ(set_int(s, SOL_SOCKET, SO_SNDBUF, 8192), 0, "D SO_SNDBUF");
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_SNDBUF), 8192, "T test_set_getsockopt");
    closesocket(s);
}

static void lingering(void)
{
    SOCKET s = tcp_socket();
    struct linger l = { 9, 9 };
    int length = sizeof l;

    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&l, &length), 0, "D SO_LINGER");
    CHECK_EQ(length, sizeof l, "D SO_LINGER: two 16-bit numbers");
    CHECK_EQ(l.l_onoff, 0, "D SO_LINGER");
    CHECK_EQ(l.l_linger, 0, "T test_set_getsockopt");
    l.l_onoff = 1;
    l.l_linger = 30;
    CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&l, sizeof l), 0, "D SO_LINGER");
    memset(&l, 0, sizeof l);
    length = sizeof l;
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&l, &length), 0, "D SO_LINGER");
    CHECK(l.l_onoff != 0, "D SO_LINGER");
    CHECK_EQ(l.l_linger, 30, "D SO_LINGER");
    CHECK_EQ(get_int(s, SOL_SOCKET, SO_DONTLINGER), 0, "D SO_DONTLINGER: the opposite of SO_LINGER");
    CHECK_EQ(set_int(s, SOL_SOCKET, SO_DONTLINGER, 1), 0, "D SO_DONTLINGER");
    length = sizeof l;
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&l, &length), 0, "D SO_LINGER");
    CHECK_EQ(l.l_onoff, 0, "D SO_DONTLINGER");
    length = 1;
    CHECK_FAIL(getsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&l, &length), WSAEFAULT,
               "T test_set_getsockopt: too small");
    CHECK_FAIL(setsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&l, 1), WSAEFAULT, "D setsockopt: too small");
    closesocket(s);
}

static void errors(void)
{
    SOCKET s = tcp_socket();
    int value = 0, length = sizeof value;

    CHECK_FAIL(getsockopt(INVALID_SOCKET, SOL_SOCKET, SO_ERROR, (char *)&value, &length), WSAENOTSOCK, "D getsockopt");
    CHECK_FAIL(setsockopt(INVALID_SOCKET, SOL_SOCKET, SO_KEEPALIVE, (char *)&value, length), WSAENOTSOCK,
               "D setsockopt");
    CHECK_FAIL(getsockopt(s, SOL_SOCKET, 0x6789, (char *)&value, &length), WSAENOPROTOOPT, "D getsockopt");
    CHECK_FAIL(setsockopt(s, SOL_SOCKET, 0x6789, (char *)&value, length), WSAENOPROTOOPT, "D setsockopt");
    CHECK_FAIL(getsockopt(s, 0x4321, 1, (char *)&value, &length), WSAEINVAL, "D getsockopt: an unknown level");
    CHECK_FAIL(setsockopt(s, 0x4321, 1, (char *)&value, length), WSAEINVAL, "D setsockopt: an unknown level");
    CHECK_FAIL(getsockopt(s, SOL_SOCKET, SO_KEEPALIVE, NULL, &length), WSAEFAULT, "D getsockopt");
    CHECK_FAIL(getsockopt(s, SOL_SOCKET, SO_KEEPALIVE, (char *)&value, NULL), WSAEFAULT, "D getsockopt");
    CHECK_FAIL(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, NULL, 4), WSAEFAULT, "D setsockopt");
    closesocket(s);
}

static void connect_time(void)
{
    SOCKET s = tcp_socket(), client, server;
    DWORD seconds = 0;
    int length = sizeof seconds;

    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_CONNECT_TIME, (char *)&seconds, &length), 0, "T test_connect_time");
    CHECK_EQ(seconds, 0xffffffffu, "T test_connect_time: not connected");
    tcp_pair(&client, &server);
    CHECK_EQ(getsockopt(client, SOL_SOCKET, SO_CONNECT_TIME, (char *)&seconds, &length), 0, "T test_connect_time");
    CHECK(seconds < 60, "T test_connect_time");
    CHECK_EQ(getsockopt(server, SOL_SOCKET, SO_CONNECT_TIME, (char *)&seconds, &length), 0, "T test_connect_time");
    CHECK(seconds < 60, "T test_connect_time");
    close_both(client, server);
    closesocket(s);
}

static void contexts(void)
{
    struct sockaddr_in at;
    SOCKET l = listener(&at), fresh = tcp_socket();

    CHECK_FAIL(setsockopt(fresh, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0), WSAENOTCONN,
               "choice: refused where nothing was connected");
    CHECK_FAIL(setsockopt(fresh, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, NULL, 0), WSAEFAULT,
               "choice: no listener given");
    close_both(l, fresh);
}

static void inheritance(void)
{
    struct sockaddr_in at;
    SOCKET l = listener(&at), client = tcp_socket(), server, acceptor, connector;
    struct linger linger = { 1, 42 }, seen = { 0, 0 };
    int length = sizeof seen;

    CHECK_EQ(setsockopt(l, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof linger), 0, "setup");
    CHECK_EQ(set_int(l, SOL_SOCKET, SO_KEEPALIVE, 1), 0, "setup");
    CHECK_EQ(connect(client, (struct sockaddr *)&at, sizeof at), 0, "setup");
    server = accept_one(l);
    CHECK_EQ(getsockopt(server, SOL_SOCKET, SO_LINGER, (char *)&seen, &length), 0, "T test_accept_inheritance");
    CHECK(seen.l_onoff && seen.l_linger == 42, "T test_accept_inheritance");
    CHECK_EQ(get_int(server, SOL_SOCKET, SO_KEEPALIVE), 1, "T test_accept_inheritance");
    close_both(client, server);

    acceptor = tcp_socket();
    connector = bound_socket();
    CHECK(ex_connect(l, acceptor, connector), "setup");
    memset(&seen, 0, sizeof seen);
    CHECK_EQ(getsockopt(acceptor, SOL_SOCKET, SO_LINGER, (char *)&seen, &length), 0, "D AcceptEx");
    CHECK(seen.l_onoff && seen.l_linger == 42, "D AcceptEx: SO_UPDATE_ACCEPT_CONTEXT takes the listener's properties");
    CHECK_EQ(get_int(acceptor, SOL_SOCKET, SO_KEEPALIVE), 1, "D AcceptEx");
    close_both(acceptor, connector);
    closesocket(l);
}

static void version_6(void)
{
    SOCKET s = socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    struct sockaddr_in6 any;

    if (s == INVALID_SOCKET)
        return;
    CHECK_EQ(get_int(s, IPPROTO_IPV6, IPV6_V6ONLY), 1, "T test_ipv6only: on by default");
    CHECK_EQ(set_int(s, IPPROTO_IPV6, IPV6_V6ONLY, 0), 0, "T test_ipv6only");
    CHECK_EQ(get_int(s, IPPROTO_IPV6, IPV6_V6ONLY), 0, "T test_ipv6only");
    memset(&any, 0, sizeof any);
    any.sin6_family = AF_INET6;
    CHECK_EQ(bind(s, (struct sockaddr *)&any, sizeof any), 0, "setup");
    CHECK_FAIL(set_int(s, IPPROTO_IPV6, IPV6_V6ONLY, 1), WSAEINVAL, "choice: which addresses it takes is decided");
    CHECK_EQ(get_int(s, IPPROTO_IPV6, IPV6_V6ONLY), 0, "choice: a refused call changes nothing");
    closesocket(s);
}

static void ioctls(void)
{
    struct tcp_keepalive keepalive = { 1, 60000, 1000 };
    SOCKET client, server;
    u_long count = 99, on = 1;
    DWORD bytes = CHECK_UNSET;
    char byte;

    tcp_pair(&client, &server);
    CHECK_EQ(ioctlsocket(client, FIONREAD, &count), 0, "T test_fionread_siocatmark");
    CHECK_EQ(count, 0, "T test_fionread_siocatmark");
    CHECK_EQ(send(server, "12345", 5, 0), 5, "setup");
    CHECK(readable(client, CHECK_WAIT_MS), "setup");
    CHECK_EQ(ioctlsocket(client, FIONREAD, &count), 0, "T test_fionread_siocatmark");
    CHECK_EQ(count, 5, "T test_fionread_siocatmark");
    CHECK_FAIL(ioctlsocket(client, FIONREAD, NULL), WSAEFAULT, "T test_fionread_siocatmark");
    CHECK_FAIL(ioctlsocket(client, FIONBIO, NULL), WSAEFAULT, "T test_fionbio");
    CHECK_FAIL(ioctlsocket(INVALID_SOCKET, FIONBIO, &on), WSAENOTSOCK, "D ioctlsocket");
    CHECK_EQ(ioctlsocket(server, FIONBIO, &on), 0, "T test_fionbio");
    CHECK_FAIL(recv(server, &byte, 1, 0), WSAEWOULDBLOCK, "T test_fionbio");
    CHECK_FAIL(ioctlsocket(client, 0x1234567, &on), WSAEOPNOTSUPP, "T test_unsupported_ioctls");
    CHECK_EQ(WSAIoctl(client, SIO_KEEPALIVE_VALS, &keepalive, sizeof keepalive, NULL, 0, &bytes, NULL, NULL), 0,
             "T test_keepalive_vals");
    CHECK_EQ(bytes, 0, "T test_keepalive_vals");
    CHECK_FAIL(WSAIoctl(client, SIO_KEEPALIVE_VALS, NULL, sizeof keepalive, NULL, 0, &bytes, NULL, NULL), WSAEFAULT,
               "T test_keepalive_vals");
    CHECK_FAIL(WSAIoctl(client, SIO_KEEPALIVE_VALS, &keepalive, 4, NULL, 0, &bytes, NULL, NULL), WSAEFAULT,
               "T test_keepalive_vals");
    CHECK_FAIL(WSAIoctl(client, SIO_KEEPALIVE_VALS, &keepalive, sizeof keepalive, NULL, 0, NULL, NULL, NULL), WSAEFAULT,
               "T test_keepalive_vals");
    close_both(client, server);
}

static SOCKET exclusive_socket(void)
{
    SOCKET s = tcp_socket();

    CHECK_EQ(set_int(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1), 0, "setup");
    return s;
}

/* "Using SO_REUSEADDR and SO_EXCLUSIVEADDRUSE": a connection that was accepted on the port keeps it as long as it is active. */
static void exclusive_port(void)
{
    static const char source[] = "D Using SO_REUSEADDR and SO_EXCLUSIVEADDRUSE";
    SOCKET listener = exclusive_socket(), client = tcp_socket(), server, next = exclusive_socket();
    struct sockaddr_in at = loopback(0);
    int length = sizeof at;
    char byte;

    CHECK_EQ(bind(listener, (struct sockaddr *)&at, sizeof at), 0, "setup");
    CHECK_EQ(listen(listener, 1), 0, "setup");
    CHECK_EQ(getsockname(listener, (struct sockaddr *)&at, &length), 0, "setup");
    CHECK_FAIL(bind(next, (struct sockaddr *)&at, sizeof at), WSAEADDRINUSE, source);
    CHECK_EQ(connect(client, (struct sockaddr *)&at, sizeof at), 0, "setup");
    server = accept(listener, NULL, NULL);
    CHECK(server != INVALID_SOCKET, "setup");
    closesocket(listener);
    CHECK_FAIL(bind(next, (struct sockaddr *)&at, sizeof at), WSAEADDRINUSE, source);
    /* The side that closes first is left in TIME_WAIT. */
    CHECK_EQ(shutdown(server, SD_SEND), 0, "setup");
    CHECK_EQ(recv(client, &byte, 1, 0), 0, "setup");
    closesocket(client);
    CHECK_EQ(recv(server, &byte, 1, 0), 0, "setup");
    closesocket(server);
    CHECK_EQ(bind(next, (struct sockaddr *)&at, sizeof at), 0, source);
    CHECK_EQ(listen(next, 1), 0, source);
    client = exclusive_socket();
    CHECK_FAIL(bind(client, (struct sockaddr *)&at, sizeof at), WSAEADDRINUSE, "D SO_EXCLUSIVEADDRUSE");
    closesocket(client);
    closesocket(next);
}

int main(void)
{
    check_begin("options");
    booleans();
    exclusive_port();
    numbers();
    lingering();
    errors();
    connect_time();
    contexts();
    inheritance();
    version_6();
    ioctls();
    return check_end();
}

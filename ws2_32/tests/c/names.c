/*
 * names.c - getsockname, getpeername, bind, listen, accept, socket: what they say and what they refuse.
 */
#include "check.h"

static void peer_names(void)
{
    static const char *const T = "T test_getpeername";
    struct sockaddr_in name;
    struct sockaddr *to = (struct sockaddr *)&name;
    SOCKET fresh = tcp_socket(), bound = bound_socket(), client, server;
    int length = sizeof name;

    CHECK_FAIL(getpeername(INVALID_SOCKET, NULL, NULL), WSAENOTSOCK, T);
    CHECK_FAIL(getpeername(fresh, NULL, NULL), WSAENOTCONN, "T test_getpeername: before the pointers");
    CHECK_FAIL(getpeername(fresh, to, &length), WSAENOTCONN, T);
    CHECK_FAIL(getpeername(bound, NULL, NULL), WSAENOTCONN, T);
    tcp_pair(&client, &server);
    CHECK_FAIL(getpeername(client, NULL, NULL), WSAEFAULT, T);
    CHECK_FAIL(getpeername(client, to, NULL), WSAEFAULT, T);
    CHECK_FAIL(getpeername(client, NULL, &length), WSAEFAULT, T);
    length = 0;
    CHECK_FAIL(getpeername(client, to, &length), WSAEFAULT, T);
    CHECK_EQ(length, 0, "T test_getpeername: the length is left as it was");
    length = sizeof name - 1;
    CHECK_FAIL(getpeername(client, to, &length), WSAEFAULT, T);
    CHECK_EQ(length, sizeof name - 1, T);
    length = sizeof name + 20;
    CHECK_EQ(getpeername(client, to, &length), 0, T);
    CHECK_EQ(length, sizeof name, T);
    CHECK_EQ(name.sin_family, AF_INET, T);
    CHECK_EQ(name.sin_port, name_of(server).sin_port, T);
    CHECK_EQ(name.sin_addr.s_addr, htonl(INADDR_LOOPBACK), T);
    close_both(client, server);
    close_both(fresh, bound);
}

static void own_names(void)
{
    static const char *const T = "T test_getsockname";
    struct sockaddr_in name, any;
    struct sockaddr *to = (struct sockaddr *)&name;
    SOCKET fresh = tcp_socket(), bound = bound_socket(), client, server;
    int length = sizeof name;

    CHECK_FAIL(getsockname(INVALID_SOCKET, to, &length), WSAENOTSOCK, "D getsockname");
    CHECK_FAIL(getsockname(fresh, to, &length), WSAEINVAL, "T test_getsockname: unbound");
    CHECK_FAIL(getsockname(bound, NULL, &length), WSAEFAULT, "D getsockname");
    CHECK_FAIL(getsockname(bound, to, NULL), WSAEFAULT, "D getsockname");
    length = 1;
    CHECK_FAIL(getsockname(bound, to, &length), WSAEFAULT, T);
    length = sizeof name;
    CHECK_EQ(getsockname(bound, to, &length), 0, T);
    CHECK_EQ(length, sizeof name, T);
    CHECK(name.sin_port != 0, "D bind: port 0 gets a port at once");
    CHECK_EQ(name.sin_addr.s_addr, htonl(INADDR_LOOPBACK), T);
    memset(&any, 0, sizeof any);
    any.sin_family = AF_INET;
    CHECK_EQ(bind(fresh, (struct sockaddr *)&any, sizeof any), 0, "D bind");
    CHECK_EQ(name_of(fresh).sin_addr.s_addr, INADDR_ANY, "D getsockname");
    tcp_pair(&client, &server);
    CHECK_EQ(name_of(client).sin_addr.s_addr, htonl(INADDR_LOOPBACK), "T test_getsockname: bound by connect");
    CHECK(name_of(client).sin_port != 0, "T test_getsockname: bound by connect");
    close_both(client, server);
    close_both(fresh, bound);
}

static void binding(void)
{
    struct sockaddr_in at = loopback(0), foreign = loopback(0);
    SOCKET s = tcp_socket(), other = tcp_socket();

    CHECK_FAIL(bind(INVALID_SOCKET, (struct sockaddr *)&at, sizeof at), WSAENOTSOCK, "T test_bind");
    CHECK_FAIL(bind(s, NULL, sizeof at), WSAEFAULT, "T test_bind");
    CHECK_FAIL(bind(s, (struct sockaddr *)&at, sizeof at - 1), WSAEFAULT, "T test_bind: too short");
    foreign.sin_addr.s_addr = inet_addr("192.0.2.1");
    CHECK_FAIL(bind(s, (struct sockaddr *)&foreign, sizeof foreign), WSAEADDRNOTAVAIL, "T test_bind");
    CHECK_EQ(bind(s, (struct sockaddr *)&at, sizeof at), 0, "T test_bind");
    CHECK_FAIL(bind(s, (struct sockaddr *)&at, sizeof at), WSAEINVAL, "T test_bind: twice");
    at = name_of(s);
    CHECK_FAIL(bind(other, (struct sockaddr *)&at, sizeof at), WSAEADDRINUSE, "D bind");
    closesocket(s);
    CHECK_EQ(bind(other, (struct sockaddr *)&at, sizeof at), 0, "D bind");
    closesocket(other);
}

static void listening(void)
{
    SOCKET fresh = tcp_socket(), s = bound_socket(), client, server;
    int on = -1, length = sizeof on;

    CHECK_FAIL(listen(INVALID_SOCKET, 1), WSAENOTSOCK, "T test_listen");
    CHECK_FAIL(listen(fresh, 1), WSAEINVAL, "T test_listen: unbound");
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_ACCEPTCONN, (char *)&on, &length), 0, "T test_listen");
    CHECK_EQ(on, 0, "T test_listen");
    CHECK_EQ(listen(s, 0), 0, "T test_listen");
    CHECK_EQ(listen(s, 5), 0, "T test_listen: twice");
    CHECK_EQ(listen(s, SOMAXCONN), 0, "D listen");
    on = -1;
    length = sizeof on;
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_ACCEPTCONN, (char *)&on, &length), 0, "T test_listen");
    CHECK_EQ(on, 1, "T test_listen");
    tcp_pair(&client, &server);
    CHECK_FAIL(listen(client, 1), WSAEISCONN, "T test_listen: connected");
    close_both(client, server);
    close_both(fresh, s);
}

static void accepting(void)
{
    struct sockaddr_in at, name;
    SOCKET l = listener(&at), bound = bound_socket(), client = tcp_socket(), server;
    int length = sizeof name;

    CHECK_CALL(accept(INVALID_SOCKET, NULL, NULL), INVALID_SOCKET, WSAENOTSOCK, "D accept");
    CHECK_CALL(accept(bound, NULL, NULL), INVALID_SOCKET, WSAEINVAL, "T test_accept: not listening");
    CHECK_CALL(WSAAccept(bound, NULL, NULL, NULL, 0), INVALID_SOCKET, WSAEINVAL, "T test_accept: not listening");
    set_nonblocking(l, TRUE);
    CHECK_CALL(accept(l, NULL, NULL), INVALID_SOCKET, WSAEWOULDBLOCK, "D accept");
    CHECK_EQ(connect(client, (struct sockaddr *)&at, sizeof at), 0, "setup");
    CHECK(readable(l, CHECK_WAIT_MS), "setup");
    server = accept(l, (struct sockaddr *)&name, &length);
    CHECK(server != INVALID_SOCKET, "D accept");
    CHECK_EQ(length, sizeof name, "D accept");
    CHECK_EQ(name.sin_port, name_of(client).sin_port, "D accept");
    CHECK_FAIL(recv(server, (char *)&name, 1, 0), WSAEWOULDBLOCK, "D accept: has the properties of the listener");
    CHECK_CALL(accept(client, NULL, NULL), INVALID_SOCKET, WSAEINVAL, "D accept");
    close_both(client, server);
    close_both(l, bound);
}

static int CALLBACK refuse(LPWSABUF caller, LPWSABUF data, LPQOS qos, LPQOS group_qos, LPWSABUF callee,
                           LPWSABUF callee_data, GROUP *group, DWORD_PTR context)
{
    (void)caller; (void)data; (void)qos; (void)group_qos; (void)callee; (void)callee_data; (void)group;
    ++*(int *)context;
    return CF_REJECT;
}

static void conditional_accept(void)
{
    struct sockaddr_in at;
    SOCKET l = listener(&at), client = tcp_socket();
    int calls = 0;

    CHECK_EQ(connect(client, (struct sockaddr *)&at, sizeof at), 0, "setup");
    CHECK_CALL(WSAAccept(l, NULL, NULL, refuse, (DWORD_PTR)&calls), INVALID_SOCKET, WSAECONNREFUSED, "T test_accept");
    CHECK_EQ(calls, 1, "T test_accept");
    close_both(client, l);
}

static void creating(void)
{
    SOCKET s;

    CHECK_CALL(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), INVALID_SOCKET, WSAEPROTONOSUPPORT, "T test_WSASocket");
    CHECK_CALL(socket(AF_INET, 0xdead, IPPROTO_TCP), INVALID_SOCKET, WSAESOCKTNOSUPPORT, "T test_WSASocket");
    CHECK_CALL(socket(0xbeef, SOCK_STREAM, IPPROTO_TCP), INVALID_SOCKET, WSAEAFNOSUPPORT, "T test_WSASocket");
    s = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(s != INVALID_SOCKET, "T test_WSASocket: protocol 0");
    CHECK_EQ(s % 4, 0, "porting 0, D handles: the low two bits are free");
    closesocket(s);
    s = socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    CHECK(s != INVALID_SOCKET, "D socket");
    closesocket(s);
    s = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    CHECK(s != INVALID_SOCKET, "D WSASocket");
    closesocket(s);
}

/* The same over IPv6. */
static void version_6(void)
{
    struct sockaddr_in6 at, name;
    SOCKET l = socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP), client, server;
    int length = sizeof at;

    memset(&at, 0, sizeof at);
    at.sin6_family = AF_INET6;
    at.sin6_addr.s6_addr[15] = 1;
    if (l == INVALID_SOCKET || bind(l, (struct sockaddr *)&at, sizeof at) != 0) {
        printf("names: no IPv6 loopback here: skipped\n");
        closesocket(l);
        return;
    }
    CHECK_EQ(listen(l, 1), 0, "D listen");
    CHECK_EQ(getsockname(l, (struct sockaddr *)&at, &length), 0, "D getsockname");
    CHECK_EQ(length, sizeof at, "D getsockname");
    CHECK_EQ(at.sin6_family, AF_INET6, "D getsockname: 23, whatever the host calls it");
    client = socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    CHECK_EQ(connect(client, (struct sockaddr *)&at, sizeof at), 0, "D connect");
    length = sizeof name;
    server = accept(l, (struct sockaddr *)&name, &length);
    CHECK(server != INVALID_SOCKET, "D accept");
    CHECK_EQ(length, sizeof name, "D accept");
    CHECK_EQ(name.sin6_family, AF_INET6, "D accept");
    check_transfer(client, server, "D connect");
    close_both(client, server);
    closesocket(l);
}

int main(void)
{
    check_begin("names");
    peer_names();
    own_names();
    binding();
    listening();
    accepting();
    conditional_accept();
    creating();
    version_6();
    return check_end();
}

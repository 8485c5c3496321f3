/*
 * AF_UNIX stream sockets, end to end: names, data, every kind of completion, teardown and reuse. Sources: the AF_UNIX
 * announcement for Windows (A), the pages of the functions, and choices where neither says.
 */
#include "check.h"
#include <afunix.h>

static const char *const A = "A AF_UNIX comes to Windows";

/* A path that no other run has. */
static SOCKADDR_UN fresh_path(void)
{
    static LONG number;
    SOCKADDR_UN at;

    memset(&at, 0, sizeof at);
    at.sun_family = AF_UNIX;
    snprintf(at.sun_path, sizeof at.sun_path, "linsock-%lu-%ld.sock", (unsigned long)GetCurrentProcessId(),
             (long)InterlockedIncrement(&number));
    remove(at.sun_path);
    return at;
}

static SOCKET unix_socket(void)
{
    SOCKET s = socket(AF_UNIX, SOCK_STREAM, 0);

    REQUIRE(s != INVALID_SOCKET);
    return s;
}

static SOCKET unix_listener(SOCKADDR_UN *at)
{
    SOCKET s = unix_socket();

    *at = fresh_path();
    REQUIRE(bind(s, (struct sockaddr *)at, sizeof *at) == 0);
    REQUIRE(listen(s, 8) == 0);
    return s;
}

static void stop_listening(SOCKET l, const SOCKADDR_UN *at)
{
    closesocket(l);
    CHECK_EQ(remove(at->sun_path), 0, "A AF_UNIX comes to Windows: the file stays until it is deleted");
}

static void unix_pair(SOCKET *client, SOCKET *server)
{
    SOCKADDR_UN at;
    SOCKET l = unix_listener(&at);

    *client = unix_socket();
    REQUIRE(connect(*client, (struct sockaddr *)&at, sizeof at) == 0);
    *server = accept(l, NULL, NULL);
    REQUIRE(*server != INVALID_SOCKET);
    stop_listening(l, &at);
    limit_waits(*client);
    limit_waits(*server);
}

static void names(void)
{
    SOCKADDR_UN at, name, nobody = fresh_path();
    SOCKET l = unix_listener(&at), second = unix_socket(), client = unix_socket(), server;
    struct sockaddr_in inet = loopback(htons(1));
    int len = sizeof name;

    memset(&name, 0x55, sizeof name);
    CHECK_EQ(getsockname(l, (struct sockaddr *)&name, &len), 0, A);
    CHECK_EQ(len, 2 + (int)strlen(at.sun_path) + 1, "choice: the path and its NUL");
    CHECK(name.sun_family == AF_UNIX && strcmp(name.sun_path, at.sun_path) == 0, A);
    len = 4;
    CHECK_FAIL(getsockname(l, (struct sockaddr *)&name, &len), WSAEFAULT, "D getsockname");

    CHECK_FAIL(bind(second, (struct sockaddr *)&at, sizeof at), WSAEADDRINUSE, "A Go net: a file that exists");
    CHECK_FAIL(bind(second, (struct sockaddr *)&inet, sizeof inet), WSAEAFNOSUPPORT, "D bind");
    CHECK_FAIL(bind(second, (struct sockaddr *)&at, 1), WSAEFAULT, "D bind");
    CHECK_FAIL(connect(client, (struct sockaddr *)&nobody, sizeof nobody), WSAECONNREFUSED, "A Go net: no such file");
    CHECK_FAIL(connect(client, (struct sockaddr *)&inet, sizeof inet), WSAEAFNOSUPPORT, "D connect");

    CHECK_EQ(connect(client, (struct sockaddr *)&at, sizeof at), 0, "choice: a refused connect may be tried again");
    len = sizeof name;
    server = accept(l, (struct sockaddr *)&name, &len);
    CHECK(server != INVALID_SOCKET, A);
    CHECK(len == 2 && name.sun_family == AF_UNIX, "choice: a peer without a name");
    len = sizeof name;
    CHECK_EQ(getpeername(client, (struct sockaddr *)&name, &len), 0, A);
    CHECK_EQ(strcmp(name.sun_path, at.sun_path), 0, A);
    check_transfer(client, server, A);
    check_transfer(server, client, A);
    close_both(client, server);
    closesocket(second);
    stop_listening(l, &at);
}

static void numbers_and_options(void)
{
    SOCKET s = unix_socket();
    int value = 1, size = sizeof value;

    CHECK_CALL(socket(AF_UNIX, SOCK_DGRAM, 0), INVALID_SOCKET, WSAESOCKTNOSUPPORT, "A: no datagrams");
    CHECK_CALL(socket(AF_UNIX, SOCK_STREAM, IPPROTO_TCP), INVALID_SOCKET, WSAEPROTONOSUPPORT, "choice");
    CHECK_FAIL(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, (char *)&value, sizeof value), WSAENOPROTOOPT, "choice: it is not TCP");
    CHECK_FAIL(getsockopt(s, IPPROTO_TCP, TCP_NODELAY, (char *)&value, &size), WSAENOPROTOOPT, "choice: it is not TCP");
    CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, (char *)&value, sizeof value), 0, "D SOL_SOCKET options");
    CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_SNDBUF, (char *)&value, sizeof value), 0, "D SOL_SOCKET options");
    closesocket(s);
}

static void teardown(void)
{
    SOCKET client, server;
    char buffer[8];
    WSABUF data;

    unix_pair(&client, &server);
    CHECK_EQ(send(client, "last", 4, 0), 4, "setup");
    CHECK_EQ(shutdown(client, SD_SEND), 0, "D shutdown");
    CHECK_FAIL(send(client, "x", 1, 0), WSAESHUTDOWN, "D shutdown");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 4, "D shutdown: what was sent comes first");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 0, "D recv: gracefully closed");
    check_transfer(server, client, "D shutdown: the other half goes on");
    close_both(client, server);

    unix_pair(&client, &server);
    data.buf = buffer;
    data.len = sizeof buffer;
    CHECK_FAIL(WSASendDisconnect(client, &data), WSAENOPROTOOPT, "S 002: no XP1_DISCONNECT_DATA");
    CHECK_EQ(WSASendDisconnect(client, NULL), 0, "S 002");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 0, "S 002");
    close_both(client, server);

    unix_pair(&client, &server);
    CHECK_EQ(send(server, "unread", 6, 0), 6, "setup");
    CHECK(readable(client, CHECK_WAIT_MS), "setup");
    closesocket(client);
    CHECK_FAIL(recv(server, buffer, sizeof buffer, 0), WSAECONNRESET, "choice: closed with data unread, as TCP");
    closesocket(server);
}

/* A client that connects with ConnectEx needs a bound socket; on AF_UNIX an empty path will do. */
static BOOL connect_ex(SOCKET l, SOCKET acceptor, SOCKET connector, const SOCKADDR_UN *at)
{
    static char addresses[2 * (sizeof(SOCKADDR_UN) + 16)];
    HANDLE a_event = new_event(), c_event = new_event();
    OVERLAPPED a, c;
    BOOL ok;
    DWORD bytes;

    ov_init(&a, a_event);
    ov_init(&c, c_event);
    CHECK_PENDS(ext()->accept_ex(l, acceptor, addresses, 0, sizeof addresses / 2, sizeof addresses / 2, &bytes, &a), A);
    CHECK_PENDS(ext()->connect_ex(connector, (const struct sockaddr *)at, sizeof *at, NULL, 0, NULL, &c), A);
    ok = finish(connector, &c, NULL) == 0 && finish(l, &a, NULL) == 0;
    ok = ok && setsockopt(acceptor, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&l, sizeof l) == 0;
    ok = ok && setsockopt(connector, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0) == 0;
    if (ok) {
        SOCKADDR_UN *local = NULL, *remote = NULL;
        int local_len = 0, remote_len = 0;

        ext()->get_accept_ex_sockaddrs(addresses, 0, sizeof addresses / 2, sizeof addresses / 2,
                                       (struct sockaddr **)&local, &local_len, (struct sockaddr **)&remote, &remote_len);
        CHECK(local_len > 2 && strcmp(local->sun_path, at->sun_path) == 0, "D GetAcceptExSockaddrs");
        CHECK(remote_len == 2 && remote->sun_family == AF_UNIX, "D GetAcceptExSockaddrs");
    }
    CloseHandle(a_event);
    CloseHandle(c_event);
    return ok;
}

/* Handles go on being used; on Windows they cannot (dotnet/runtime 71291), which is why this is a choice. */
static void reuse(void)
{
    SOCKADDR_UN at, nowhere;
    SOCKET l = unix_listener(&at), client = unix_socket(), server = unix_socket();
    int round;
    char byte;

    memset(&nowhere, 0, sizeof nowhere);
    nowhere.sun_family = AF_UNIX;
    CHECK_EQ(bind(client, (struct sockaddr *)&nowhere, 2), 0, "choice: bound to nothing, for ConnectEx");
    for (round = 0; round < 20; round++) {
        HANDLE event = new_event();
        OVERLAPPED ov;

        if (!CHECK(connect_ex(l, server, client, &at), "choice: reuse works"))
            break;
        check_transfer(client, server, "choice: reuse works");
        check_transfer(server, client, "choice: reuse works");
        ov_init(&ov, event);
        CHECK_PENDS(ext()->disconnect_ex(client, &ov, TF_REUSE_SOCKET, 0), "S 000");
        CHECK_EQ(recv(server, &byte, 1, 0), 0, "S 000");
        CHECK(ext()->disconnect_ex(server, NULL, TF_REUSE_SOCKET, 0), "S 000");
        CHECK_EQ(finish(client, &ov, NULL), 0, "S 000");
        CloseHandle(event);
    }
    close_both(client, server);
    stop_listening(l, &at);
}

static void completions(void)
{
    SOCKET client, server;
    HANDLE port = new_port();
    static char data[1 << 18], into[1 << 18];
    OVERLAPPED sending, receiving;
    WSABUF out, in;
    DWORD flags = 0, got = 0;
    int i;

    for (i = 0; i < (int)sizeof data; i++)
        data[i] = (char)(i * 7);
    unix_pair(&client, &server);
    associate(client, port, 1);
    associate(server, port, 2);
    out.buf = data;
    out.len = sizeof data;
    ov_init(&sending, NULL);
    ov_init(&receiving, NULL);
    in.buf = into;
    in.len = 16;
    CHECK_WSA_PENDS(WSARecv(server, &in, 1, NULL, &flags, &receiving, NULL), A);
    if (WSASend(client, &out, 1, NULL, 0, &sending, NULL) != 0)
        CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING, A);
    while (got < sizeof data) {
        struct packet p = next_packet(port, CHECK_WAIT_MS);

        if (!CHECK(p.ok, A))
            break;
        if (p.key == 1) {
            CHECK_EQ(p.bytes, sizeof data, A);
            continue;
        }
        got += p.bytes;
        if (got == sizeof data)
            break;
        in.buf = into + got;
        in.len = sizeof data - got;
        flags = 0;
        if (WSARecv(server, &in, 1, NULL, &flags, &receiving, NULL) != 0)
            CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING, A);
    }
    CHECK_EQ(memcmp(data, into, sizeof data), 0, A);
    close_both(client, server);
    CloseHandle(port);
}

/* A backlog that is full refuses, at once. */
static void a_full_backlog_refuses(void)
{
    SOCKADDR_UN at;
    SOCKET l = unix_listener(&at), clients[64];
    int count = 0, i;

    while (count < 64) {
        SOCKET s = unix_socket();

        if (connect(s, (struct sockaddr *)&at, sizeof at) != 0) {
            CHECK_EQ(WSAGetLastError(), WSAECONNREFUSED, "choice: no room, as TCP on Windows");
            closesocket(s);
            break;
        }
        clients[count++] = s;
    }
    CHECK(count >= 8 && count < 64, "D listen: the backlog");
    for (i = 0; i < count; i++)
        closesocket(clients[i]);
    stop_listening(l, &at);
}

int main(void)
{
    check_begin("unix_streams");
    names();
    numbers_and_options();
    teardown();
    reuse();
    completions();
    a_full_backlog_refuses();
    return check_end();
}

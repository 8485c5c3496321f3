/*
 * TIME_WAIT as the DisconnectEx page has it: "While in the TIME_WAIT state, a socket pair cannot be re-used", which causes
 * "the DisconnectEx call to be delayed". The delay is TcpTimedWaitDelay, here one second (on Windows: set it in the
 * registry). A disconnect waits where the socket was bound to a port of the program's choice and closed first
 * (design section 6); nothing else does.
 */
#include "check.h"

enum { DELAY_MS = 1000, AT_ONCE_MS = 800, MARGIN_MS = 4000 };

static const char *const DELAYED = "S 000: the call is delayed, design 6: one second";
static const char *const AT_ONCE = "design 6: at once everywhere else";
static const char *const HELD = "S 000: a pair in TIME_WAIT cannot be used again";

/* A socket bound to a port that this program names: one that the system had free a moment ago. */
static SOCKET socket_at_a_port(void)
{
    int attempt;

    for (attempt = 0; attempt < 50; attempt++) {
        SOCKET s = bound_socket();
        struct sockaddr_in at = name_of(s);

        closesocket(s);
        s = tcp_socket();
        if (bind(s, (struct sockaddr *)&at, sizeof at) == 0)
            return s;
        closesocket(s); /* another program was faster */
    }
    REQUIRE(!"a port that stays free");
    return INVALID_SOCKET;
}

static void connect_to(SOCKET l, SOCKET client, SOCKET *server)
{
    struct sockaddr_in at = name_of(l);

    REQUIRE(connect(client, (struct sockaddr *)&at, sizeof at) == 0);
    *server = accept_one(l);
    REQUIRE(*server != INVALID_SOCKET);
    limit_waits(client);
    limit_waits(*server);
}

static BOOL is_at_once(ULONGLONG since)
{
    return GetTickCount64() - since < AT_ONCE_MS;
}

static BOOL is_delayed(ULONGLONG since)
{
    ULONGLONG took = GetTickCount64() - since;

    return took >= DELAY_MS - 20 && took < DELAY_MS + MARGIN_MS; /* the clock ticks every 16 ms on Windows */
}

/* The overlapped flavour, on a port: the packet comes when the pair has left TIME_WAIT, and the handle connects again. */
static void the_side_that_closes_first_is_delayed(void)
{
    struct sockaddr_in at, name;
    SOCKET l = listener(&at), client = socket_at_a_port(), server;
    HANDLE port = new_port();
    OVERLAPPED first;
    ULONGLONG begun;
    u_short chosen = name_of(client).sin_port;
    char byte;

    connect_to(l, client, &server);
    associate(client, port, 7);
    ov_init(&first, NULL);
    begun = GetTickCount64();
    CHECK_PENDS(ext()->disconnect_ex(client, &first, TF_REUSE_SOCKET, 0), DELAYED);
    CHECK_EQ(recv(server, &byte, 1, 0), 0, "S 000: the FIN is not delayed");
    CHECK(ext()->disconnect_ex(server, NULL, TF_REUSE_SOCKET, 0), AT_ONCE);
    CHECK(is_at_once(begun), "design 6: the side that closed second, and accepted handles");
    CHECK(no_packet(port), DELAYED);
    CHECK_PACKET(port, 7, &first, 0, 0, DELAYED);
    CHECK(is_delayed(begun), DELAYED);

    CHECK(ex_connect(l, server, client), "S 000: both handles can be used again");
    name = name_of(client);
    CHECK_EQ(name.sin_port, chosen, "D ConnectEx: still bound");
    check_transfer(client, server, "S 000: both handles can be used again");
    close_both(client, server);
    closesocket(l);
    CloseHandle(port);
}

/* The blocking flavour. */
static DWORD WINAPI follow(void *server)
{
    char byte;

    CHECK_EQ(recv((SOCKET)(ULONG_PTR)server, &byte, 1, 0), 0, "setup");
    closesocket((SOCKET)(ULONG_PTR)server);
    return 0;
}

static void a_blocking_call_takes_as_long(void)
{
    struct sockaddr_in at;
    SOCKET l = listener(&at), client = socket_at_a_port(), server;
    HANDLE peer;
    ULONGLONG begun;

    connect_to(l, client, &server);
    peer = CreateThread(NULL, 0, follow, (void *)(ULONG_PTR)server, 0, NULL);
    begun = GetTickCount64();
    CHECK(ext()->disconnect_ex(client, NULL, TF_REUSE_SOCKET, 0), DELAYED);
    CHECK(is_delayed(begun), DELAYED);
    REQUIRE(WaitForSingleObject(peer, CHECK_WAIT_MS) == WAIT_OBJECT_0);
    CloseHandle(peer);
    close_both(l, client);
}

/* Whose port the system chose goes on with another one; what was reset leaves nothing behind. */
static void nothing_else_is_delayed(void)
{
    struct sockaddr_in at;
    SOCKET l = listener(&at), client = tcp_socket(), server;
    ULONGLONG begun = GetTickCount64();
    HANDLE event = new_event();
    OVERLAPPED ov;
    char byte;

    connect_to(l, client, &server);
    ov_init(&ov, event);
    CHECK_PENDS(ext()->disconnect_ex(client, &ov, TF_REUSE_SOCKET, 0), "setup");
    CHECK_EQ(recv(server, &byte, 1, 0), 0, "setup");
    CHECK(ext()->disconnect_ex(server, NULL, TF_REUSE_SOCKET, 0), AT_ONCE);
    CHECK_EQ(finish(client, &ov, NULL), 0, AT_ONCE);
    CHECK(is_at_once(begun), "design 6: the system chose the port");
    close_both(client, server);
    CloseHandle(event);

    client = socket_at_a_port();
    at = name_of(client);
    begun = GetTickCount64();
    connect_to(l, client, &server);
    close_with_rst(client);
    closesocket(server);
    client = tcp_socket();
    CHECK_EQ(bind(client, (struct sockaddr *)&at, sizeof at), 0, "RFC 9293: a reset skips TIME_WAIT");
    connect_to(l, client, &server);
    CHECK(is_at_once(begun), "RFC 9293: a reset skips TIME_WAIT");
    close_both(client, server);
    closesocket(l);
}

/* The pair is in use, and only the pair. */
static void a_held_pair_is_in_use(void)
{
    struct sockaddr_in at, other_at, from;
    SOCKET l = listener(&at), other = listener(&other_at), client = socket_at_a_port(), server, again;
    ULONGLONG begun;
    OVERLAPPED ov;
    char byte;

    from = name_of(client);
    connect_to(l, client, &server);
    begun = GetTickCount64();
    closesocket(client);
    CHECK_EQ(recv(server, &byte, 1, 0), 0, "setup");
    closesocket(server);

    again = tcp_socket();
    CHECK_EQ(bind(again, (struct sockaddr *)&from, sizeof from), 0, "design 6: never a whole port");
    CHECK_FAIL(connect(again, (struct sockaddr *)&at, sizeof at), WSAEADDRINUSE, HELD);
    ov_init(&ov, NULL);
    CHECK_FALSE(ext()->connect_ex(again, (struct sockaddr *)&at, sizeof at, NULL, 0, NULL, &ov), WSAEADDRINUSE, HELD);
    connect_to(other, again, &server);
    CHECK(is_at_once(begun), "design 6: blocks that pair only");
    check_transfer(again, server, "design 6: a refused connect leaves the handle usable");
    close_both(again, server);
    close_both(l, other);
}

/* CancelIoEx and closesocket end the wait; the connection was over, so the handle is recycled. */
static void the_wait_can_be_ended(void)
{
    struct sockaddr_in at, other_at;
    SOCKET l = listener(&at), other = listener(&other_at), client = socket_at_a_port(), server;
    HANDLE event = new_event();
    OVERLAPPED ov;
    char byte;

    connect_to(l, client, &server);
    ov_init(&ov, event);
    CHECK_PENDS(ext()->disconnect_ex(client, &ov, TF_REUSE_SOCKET, 0), "setup");
    CHECK_EQ(recv(server, &byte, 1, 0), 0, "setup");
    CHECK(ext()->disconnect_ex(server, NULL, TF_REUSE_SOCKET, 0), "setup");
    CHECK(stays_pending(&ov, CHECK_QUIET_MS), DELAYED);
    CHECK(CancelIoEx((HANDLE)client, &ov), "D CancelIoEx");
    CHECK_EQ(finish(client, &ov, NULL), ERROR_OPERATION_ABORTED, "D CancelIoEx");
    CHECK_FAIL(connect(client, (struct sockaddr *)&at, sizeof at), WSAEADDRINUSE, HELD);
    connect_to(other, client, &server);
    check_transfer(client, server, "choice: the connection was over, the handle is recycled");

    ov_init(&ov, event);
    CHECK_PENDS(ext()->disconnect_ex(client, &ov, TF_REUSE_SOCKET, 0), "setup");
    closesocket(server);
    CHECK(stays_pending(&ov, CHECK_QUIET_MS), DELAYED);
    closesocket(client);
    CHECK(is_set(event, AT_ONCE_MS), "S 000, design 6: closesocket ends it at once");
    CHECK_EQ((DWORD)ov.Internal, ST_CANCELLED, "choice: as a cancelled disconnect");
    close_both(l, other);
    CloseHandle(event);
}

int main(void)
{
#ifndef __MINGW32__
    setenv("LINSOCK_TCP_TIMED_WAIT_DELAY", "1", 1);
#endif
    check_begin("time_wait");
    the_side_that_closes_first_is_delayed();
    a_blocking_call_takes_as_long();
    nothing_else_is_delayed();
    a_held_pair_is_in_use();
    the_wait_can_be_ended();
    return check_end();
}

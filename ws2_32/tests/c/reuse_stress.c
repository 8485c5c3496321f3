/*
 * reuse_stress.c - one handle on each side carries 2000 connections, everything through one completion port: the
 * handles, their options, their association and its key survive every DisconnectEx(TF_REUSE_SOCKET).
 */
#include "check.h"

enum { ROUNDS = 2000, LISTENER_KEY = 1, SERVER_KEY = 2, CLIENT_KEY = 3, OTHER_KEY = 99 };

static const char *const SURVIVES = "porting 0, choice design 4: survives reuse";

struct test {
    HANDLE port;
    SOCKET listener, server, client;
    struct sockaddr_in at;
    unsigned wrong_packets;
    /* Here, not on a stack that is gone when a check fails and the operation is still under way. */
    OVERLAPPED accepting, connecting, sending, receiving, one, two;
    char addresses[2 * ADDRESS_SIZE], in[32], out[32];
};

/* Takes the packets of these two operations, in whichever order they come; both must succeed. */
static BOOL take_two(struct test *t, const OVERLAPPED *a, ULONG_PTR key_a, DWORD bytes_a,
                     const OVERLAPPED *b, ULONG_PTR key_b, DWORD bytes_b)
{
    int i;
    BOOL got_a = FALSE, got_b = FALSE;

    for (i = 0; i < 2; i++) {
        struct packet p = next_packet(t->port, CHECK_WAIT_MS);

        if (p.ok && p.ov == a && p.key == key_a && p.bytes == bytes_a && !got_a)
            got_a = TRUE;
        else if (p.ok && p.ov == b && p.key == key_b && p.bytes == bytes_b && !got_b)
            got_b = TRUE;
        else if (t->wrong_packets++ < 5)
            printf("    packet: ok %d, key %lu, bytes %lu, error %lu, %s\n", p.ok, (unsigned long)p.key,
                   (unsigned long)p.bytes, (unsigned long)p.error,
                   p.ov == a ? "first" : p.ov == b ? "second" : "neither");
    }
    return got_a && got_b;
}

static BOOL pends(BOOL result)
{
    return !result && GetLastError() == ERROR_IO_PENDING;
}

static BOOL open_connection(struct test *t)
{
    DWORD bytes;

    ov_init(&t->accepting, NULL);
    ov_init(&t->connecting, NULL);
    return CHECK(pends(ext()->accept_ex(t->listener, t->server, t->addresses, 0, ADDRESS_SIZE, ADDRESS_SIZE, &bytes,
                                        &t->accepting)), "D AcceptEx, S 000: the handle again")
        && CHECK(pends(ext()->connect_ex(t->client, (struct sockaddr *)&t->at, sizeof t->at, NULL, 0, &bytes,
                                         &t->connecting)), "D ConnectEx, S 000: the handle again, no bind")
        && CHECK(take_two(t, &t->accepting, LISTENER_KEY, 0, &t->connecting, CLIENT_KEY, 0), SURVIVES)
        && CHECK(setsockopt(t->server, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&t->listener,
                            sizeof t->listener) == 0, "D AcceptEx")
        && CHECK(setsockopt(t->client, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0) == 0, "D ConnectEx");
}

static BOOL transfer(struct test *t, SOCKET from, ULONG_PTR from_key, SOCKET to, ULONG_PTR to_key, int round)
{
    WSABUF buf;
    DWORD flags = 0;
    int length = snprintf(t->out, sizeof t->out, "round %d", round), result;

    ov_init(&t->sending, NULL);
    ov_init(&t->receiving, NULL);
    buf.buf = t->in;
    buf.len = sizeof t->in;
    result = WSARecv(to, &buf, 1, NULL, &flags, &t->receiving, NULL);
    if (!CHECK(result == SOCKET_ERROR && GetLastError() == WSA_IO_PENDING, "D WSARecv: nothing of an older connection"))
        return FALSE;
    buf.buf = t->out;
    buf.len = (ULONG)length;
    result = WSASend(from, &buf, 1, NULL, 0, &t->sending, NULL);
    return CHECK(result == 0 || GetLastError() == WSA_IO_PENDING, "D WSASend")
        && CHECK(take_two(t, &t->sending, from_key, (DWORD)length, &t->receiving, to_key, (DWORD)length), SURVIVES)
        && CHECK(memcmp(t->in, t->out, (size_t)length) == 0, "D WSARecv");
}

static BOOL close_connection(struct test *t, BOOL client_first)
{
    SOCKET first = client_first ? t->client : t->server, second = client_first ? t->server : t->client;
    ULONG_PTR first_key = client_first ? CLIENT_KEY : SERVER_KEY, second_key = client_first ? SERVER_KEY : CLIENT_KEY;
    DWORD flags = 0, bytes = CHECK_UNSET;
    WSABUF buf;
    struct packet p;
    int result;

    buf.buf = t->in;
    buf.len = 1;
    ov_init(&t->one, NULL);
    ov_init(&t->two, NULL);
    ov_init(&t->receiving, NULL);
    if (!CHECK(pends(ext()->disconnect_ex(first, &t->one, TF_REUSE_SOCKET, 0)), "T .NET DisconnectTest"))
        return FALSE;
    result = WSARecv(second, &buf, 1, &bytes, &flags, &t->receiving, NULL);
    if (!CHECK(result == 0 || GetLastError() == WSA_IO_PENDING, "D WSARecv"))
        return FALSE;
    p = next_packet(t->port, CHECK_WAIT_MS);
    return CHECK(p.ok && p.ov == &t->receiving && p.key == second_key && p.bytes == 0,
                 "D TransmitFile: the FIN first, the reuse only after the peer's")
        && CHECK(pends(ext()->disconnect_ex(second, &t->two, TF_REUSE_SOCKET, 0)), "T .NET DisconnectTest")
        && CHECK(take_two(t, &t->one, first_key, 0, &t->two, second_key, 0), SURVIVES);
}

static void set_options(SOCKET s)
{
    struct linger linger = { 1, 7 };
    int on = 1;

    REQUIRE(setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, (char *)&on, sizeof on) == 0);
    REQUIRE(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, (char *)&on, sizeof on) == 0);
    REQUIRE(setsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof linger) == 0);
    set_nonblocking(s, TRUE);
}

/* Between two connections: the handle's options, its port and its key. */
static void check_handle(struct test *t, SOCKET s, BOOL is_client)
{
    struct linger linger = { 0, 0 };
    struct sockaddr_in name;
    int length = sizeof linger, name_length = sizeof name;
    char byte;

    if (is_client) { /* the server's are those of the listener, since SO_UPDATE_ACCEPT_CONTEXT */
        int on = 0, on_length = sizeof on;

        CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_KEEPALIVE, (char *)&on, &on_length), 0, SURVIVES);
        CHECK(on, SURVIVES);
        on = 0;
        on_length = sizeof on;
        CHECK_EQ(getsockopt(s, IPPROTO_TCP, TCP_NODELAY, (char *)&on, &on_length), 0, SURVIVES);
        CHECK(on, SURVIVES);
        CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&linger, &length), 0, SURVIVES);
        CHECK(linger.l_onoff && linger.l_linger == 7, SURVIVES);
        CHECK_EQ(getsockname(s, (struct sockaddr *)&name, &name_length), 0, "D ConnectEx: still bound");
    } else {
        CHECK_FAIL(getsockname(s, (struct sockaddr *)&name, &name_length), WSAEINVAL, "D AcceptEx: not bound");
    }
    CHECK_FAIL(getpeername(s, (struct sockaddr *)&name, &name_length), WSAENOTCONN, "D ConnectEx, D AcceptEx");
    CHECK_FAIL(recv(s, &byte, 1, 0), WSAENOTCONN, "D ConnectEx, D AcceptEx");
    CHECK_CALL(CreateIoCompletionPort((HANDLE)s, t->port, OTHER_KEY, 0), 0, ERROR_INVALID_PARAMETER,
               "porting 0, choice: a second association fails, the old key stays");
}

int main(void)
{
    static struct test t;
    int round;

    check_begin("reuse_stress");
    t.port = new_port();
    t.listener = listener(&t.at);
    t.server = tcp_socket();
    t.client = bound_socket();
    associate(t.listener, t.port, LISTENER_KEY);
    associate(t.server, t.port, SERVER_KEY);
    associate(t.client, t.port, CLIENT_KEY);
    set_options(t.client);
    for (round = 0; round < ROUNDS; round++) {
        if (!open_connection(&t) || !transfer(&t, t.client, CLIENT_KEY, t.server, SERVER_KEY, round)
            || !transfer(&t, t.server, SERVER_KEY, t.client, CLIENT_KEY, round)
            || !close_connection(&t, round % 2 == 0)) {
            printf("reuse_stress: gave up in round %d\n", round);
            break;
        }
        if (round % 100 == 0) {
            check_handle(&t, t.server, FALSE);
            check_handle(&t, t.client, TRUE);
        }
    }
    CHECK_EQ(round, ROUNDS, "S 000");
    CHECK(no_packet(t.port), "D completion ports: one packet for each operation");
    CHECK_EQ(t.wrong_packets, 0, "D completion ports");
    closesocket(t.client);
    closesocket(t.server);
    closesocket(t.listener);
    CloseHandle(t.port);
    return check_end();
}

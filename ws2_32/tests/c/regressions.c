/* What a review found wrong once in the C interface: each row failed before its cure. */
#include "check.h"

enum { MANY = 1500 };

static int CALLBACK put_off(LPWSABUF caller, LPWSABUF caller_data, LPQOS sqos, LPQOS gqos, LPWSABUF callee,
                            LPWSABUF callee_data, GROUP *group, DWORD_PTR context)
{
    (void)caller, (void)caller_data, (void)sqos, (void)gqos, (void)callee, (void)callee_data, (void)group;
    (void)context;
    return CF_DEFER;
}

/* Connections that a condition function puts off wait for the next accepts, all of them, and are seen by polls. */
static void deferred_connections_are_kept(void)
{
    struct sockaddr_in at;
    SOCKET l = listener(&at), clients[2], servers[2];
    int i;

    for (i = 0; i < 2; i++) {
        clients[i] = tcp_socket();
        CHECK_EQ(connect(clients[i], (struct sockaddr *)&at, sizeof at), 0, "setup");
    }
    for (i = 0; i < 2; i++)
        CHECK_CALL(WSAAccept(l, NULL, NULL, put_off, 0), INVALID_SOCKET, WSATRY_AGAIN, "D WSAAccept: CF_DEFER");
    CHECK(readable(l, CHECK_WAIT_MS), "D WSAAccept: the connection is still there to be accepted");
    for (i = 0; i < 2; i++) {
        servers[i] = accept_one(l);
        CHECK(servers[i] != INVALID_SOCKET, "D WSAAccept: CF_DEFER loses nothing");
    }
    set_nonblocking(l, TRUE);
    CHECK_CALL(accept(l, NULL, NULL), INVALID_SOCKET, WSAEWOULDBLOCK, "D accept: and makes nothing up");
    for (i = 0; i < 2; i++)
        close_both(clients[i], servers[i]);
    closesocket(l);
}

/* The addresses in an AcceptEx buffer can be asked for after the accepted socket was closed. */
static void addresses_outlive_the_socket(void)
{
    struct sockaddr_in at = loopback(0);
    SOCKET l = tcp_socket(), acceptor = tcp_socket(), client = tcp_socket();
    struct sockaddr *local = NULL, *remote = NULL;
    int local_len = 0, remote_len = 0, at_len = sizeof at;
    char buffer[2 * ADDRESS_SIZE];
    OVERLAPPED ov;
    HANDLE event = new_event();
    DWORD bytes;

    at.sin_addr.s_addr = htonl(INADDR_ANY);
    CHECK_EQ(bind(l, (struct sockaddr *)&at, sizeof at), 0, "setup");
    CHECK_EQ(listen(l, 1), 0, "setup");
    CHECK_EQ(getsockname(l, (struct sockaddr *)&at, &at_len), 0, "setup");
    ov_init(&ov, event);
    CHECK_PENDS(ext()->accept_ex(l, acceptor, buffer, 0, ADDRESS_SIZE, ADDRESS_SIZE, &bytes, &ov), "setup");
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(connect(client, (struct sockaddr *)&at, sizeof at), 0, "setup");
    CHECK_EQ(finish(l, &ov, NULL), 0, "setup");
    closesocket(acceptor);
    ext()->get_accept_ex_sockaddrs(buffer, 0, ADDRESS_SIZE, ADDRESS_SIZE, &local, &local_len, &remote, &remote_len);
    CHECK(local != NULL && remote != NULL, "D GetAcceptExSockaddrs");
    if (remote != NULL) {
        CHECK_EQ(remote_len, sizeof(struct sockaddr_in), "D GetAcceptExSockaddrs");
        CHECK_EQ(((struct sockaddr_in *)(void *)remote)->sin_port, name_of(client).sin_port, "D GetAcceptExSockaddrs");
    }
    close_both(l, client);
    CloseHandle(event);
}

/* More buffers than the kernel takes at once: what does not fit is not forgotten. */
static void many_buffers(void)
{
    SOCKET client, server;
    static char data[2 * MANY], into[2 * MANY];
    static WSABUF buffers[MANY];
    HANDLE port = new_port();
    OVERLAPPED ov;
    DWORD flags = 0, bytes = 0, received = 0;
    int i;

    tcp_pair(&client, &server);
    associate(server, port, 1);
    for (i = 0; i < 2 * MANY; i++)
        data[i] = (char)i;
    /* One receive that pends, so that the report of readiness has been used up by the port. */
    buffers[0].buf = into;
    buffers[0].len = 1;
    ov_init(&ov, NULL);
    CHECK_WSA_PENDS(WSARecv(server, buffers, 1, NULL, &flags, &ov, NULL), "setup");
    CHECK_EQ(send(client, data, 2 * MANY, 0), 2 * MANY, "setup");
    CHECK_PACKET(port, 1, &ov, 1, 0, "setup");
    received = 1;
    while (received < 2 * MANY) {
        DWORD count = 2 * MANY - received < MANY ? 2 * MANY - received : MANY;
        struct packet p;

        for (i = 0; i < (int)count; i++) {
            buffers[i].buf = into + received + i;
            buffers[i].len = 1;
        }
        ov_init(&ov, NULL);
        flags = 0;
        if (WSARecv(server, buffers, count, NULL, &flags, &ov, NULL) != 0)
            CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING, "D WSARecv");
        p = next_packet(port, CHECK_WAIT_MS);
        if (!CHECK(p.ov == &ov, "D WSARecv: all the data arrives"))
            break;
        bytes = p.bytes;
        received += bytes;
    }
    CHECK_EQ(memcmp(data, into, sizeof data), 0, "D WSARecv");
    close_both(client, server);
    CloseHandle(port);
}

/* select for room on the accepting side of a pending AcceptEx is no answer, and ends by its time. */
static void accepting_handles_answer_no_select(void)
{
    struct sockaddr_in at;
    SOCKET l = listener(&at), acceptor = tcp_socket(), client = tcp_socket();
    char buffer[16 + 2 * ADDRESS_SIZE];
    struct timeval time = { 0, 20000 };
    HANDLE event = new_event();
    OVERLAPPED ov;
    DWORD bytes;
    fd_set set;

    ov_init(&ov, event);
    CHECK_PENDS(ext()->accept_ex(l, acceptor, buffer, 16, ADDRESS_SIZE, ADDRESS_SIZE, &bytes, &ov), "setup");
    CHECK_EQ(connect(client, (struct sockaddr *)&at, sizeof at), 0, "setup");
    FD_ZERO(&set);
    FD_SET(acceptor, &set);
    CHECK_EQ(select(0, NULL, &set, NULL, &time), 0, "choice: not connected until AcceptEx is over");
    CHECK_EQ(send(client, "x", 1, 0), 1, "setup");
    CHECK_EQ(finish(l, &ov, &bytes), 0, "T test_AcceptEx");
    CHECK_EQ(bytes, 1, "T test_AcceptEx");
    close_both(l, client);
    closesocket(acceptor);
    CloseHandle(event);
}

/* The stand-in for the local address of a socket that was closed has the family of the socket. */
static void a_closed_socket_has_a_family(void)
{
    enum { AREA = sizeof(struct sockaddr_in6) + 16 };
    SOCKET l = socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP), acceptor = socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    SOCKET client = socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    struct sockaddr_in6 at = {.sin6_family = AF_INET6};
    struct sockaddr *local = NULL, *remote = NULL;
    int local_len = 0, remote_len = 0, at_len = sizeof at;
    char buffer[2 * AREA];
    OVERLAPPED ov;
    HANDLE event = new_event();
    DWORD bytes;

    CHECK_EQ(bind(l, (struct sockaddr *)&at, sizeof at), 0, "setup");
    CHECK_EQ(listen(l, 1), 0, "setup");
    CHECK_EQ(getsockname(l, (struct sockaddr *)&at, &at_len), 0, "setup");
    ov_init(&ov, event);
    CHECK_PENDS(ext()->accept_ex(l, acceptor, buffer, 0, AREA, AREA, &bytes, &ov), "setup");
    at.sin6_addr.s6_addr[15] = 1;
    CHECK_EQ(connect(client, (struct sockaddr *)&at, sizeof at), 0, "setup");
    CHECK_EQ(finish(l, &ov, NULL), 0, "setup");
    closesocket(acceptor);
    ext()->get_accept_ex_sockaddrs(buffer, 0, AREA, AREA, &local, &local_len, &remote, &remote_len);
    CHECK(local != NULL && remote != NULL, "D GetAcceptExSockaddrs");
    if (local != NULL && remote != NULL) {
        CHECK_EQ(local->sa_family, AF_INET6, "choice: no address of the wrong family");
        CHECK_EQ(local_len, sizeof(struct sockaddr_in6), "choice: no address of the wrong family");
        CHECK_EQ(remote->sa_family, AF_INET6, "D GetAcceptExSockaddrs");
    }
    close_both(l, client);
    CloseHandle(event);
}

int main(void)
{
    check_begin("regressions");
    deferred_connections_are_kept();
    addresses_outlive_the_socket();
    a_closed_socket_has_a_family();
    many_buffers();
    accepting_handles_answer_no_select();
    return check_end();
}

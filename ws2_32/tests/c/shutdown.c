/*
 * shutdown.c - shutdown in every state: what it refuses, and what each direction does afterwards at both ends.
 */
#include "check.h"

static const char *const T = "T test_shutdown";

static void refusals(void)
{
    struct sockaddr_in at;
    SOCKET fresh = tcp_socket(), bound = bound_socket(), listening = listener(&at), client, server;

    CHECK_FAIL(shutdown(INVALID_SOCKET, SD_SEND), WSAENOTSOCK, "D shutdown");
    CHECK_FAIL(shutdown(fresh, SD_SEND), WSAENOTCONN, T);
    CHECK_FAIL(shutdown(fresh, SD_RECEIVE), WSAENOTCONN, T);
    CHECK_FAIL(shutdown(bound, SD_SEND), WSAENOTCONN, T);
    CHECK_FAIL(shutdown(listening, SD_SEND), WSAENOTCONN, T);
    CHECK_FAIL(shutdown(listening, SD_RECEIVE), WSAENOTCONN, T);
    CHECK_EQ(connect(fresh, (struct sockaddr *)&at, sizeof at), 0, "T test_shutdown: the listener still listens");
    server = accept_one(listening);
    CHECK(server != INVALID_SOCKET, T);
    close_both(fresh, server);
    close_both(bound, listening);

    tcp_pair(&client, &server);
    CHECK_FAIL(shutdown(client, (int)0xdeadbeef), WSAEINVAL, T);
    CHECK_FAIL(shutdown(client, 3), WSAEINVAL, "D shutdown");
    CHECK_FAIL(shutdown(client, -1), WSAEINVAL, "D shutdown");
    check_transfer(client, server, "D shutdown: a refused call changes nothing");
    close_both(client, server);
    CHECK_FAIL(shutdown(client, SD_SEND), WSAENOTSOCK, "D shutdown: a closed handle");
}

/* Any order, any number of times: success, and the last error is set to 0. */
static void repeats(void)
{
    static const int mix[] = { SD_SEND, SD_SEND, SD_RECEIVE, SD_RECEIVE, SD_BOTH, SD_BOTH, SD_SEND, SD_RECEIVE };
    SOCKET client, server;
    unsigned i;

    tcp_pair(&client, &server);
    for (i = 0; i < sizeof mix / sizeof mix[0]; i++)
        CHECK_CALL(shutdown(client, mix[i]), 0, 0, T);
    for (i = sizeof mix / sizeof mix[0]; i-- > 0;)
        CHECK_CALL(shutdown(server, mix[i]), 0, 0, T);
    close_both(client, server);
}

/* A socket that AcceptEx or ConnectEx connected counts as unconnected until its context is updated. */
static void without_context(void)
{
    struct sockaddr_in at, name;
    SOCKET l = listener(&at), client = bound_socket(), server = tcp_socket();
    OVERLAPPED accepting, connecting;
    HANDLE accepted = new_event(), connected = new_event();
    char buffer[2 * ADDRESS_SIZE];
    int length = sizeof name;
    DWORD bytes = 0;

    ov_init(&accepting, accepted);
    ov_init(&connecting, connected);
    CHECK_PENDS(ext()->accept_ex(l, server, buffer, 0, ADDRESS_SIZE, ADDRESS_SIZE, &bytes, &accepting), "D AcceptEx");
    CHECK_PENDS(ext()->connect_ex(client, (struct sockaddr *)&at, sizeof at, NULL, 0, &bytes, &connecting),
                "D ConnectEx");
    CHECK_EQ(finish(client, &connecting, NULL), 0, "D ConnectEx");
    CHECK_EQ(finish(l, &accepting, NULL), 0, "D AcceptEx");
    CHECK_FAIL(shutdown(client, SD_SEND), WSAENOTCONN, "D ConnectEx: SO_UPDATE_CONNECT_CONTEXT first");
    CHECK_FAIL(shutdown(server, SD_SEND), WSAENOTCONN, "D AcceptEx: SO_UPDATE_ACCEPT_CONTEXT first");
    CHECK_FAIL(getpeername(client, (struct sockaddr *)&name, &length), WSAENOTCONN, "D ConnectEx");
    CHECK_FAIL(getpeername(server, (struct sockaddr *)&name, &length), WSAENOTCONN, "D AcceptEx");
    check_transfer(client, server, "D AcceptEx: send and recv need no context");
    check_transfer(server, client, "D ConnectEx: send and recv need no context");
    CHECK_EQ(setsockopt(client, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0), 0, "D ConnectEx");
    CHECK_EQ(setsockopt(server, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&l, sizeof l), 0, "D AcceptEx");
    CHECK_EQ(getpeername(client, (struct sockaddr *)&name, &length), 0, "D ConnectEx");
    CHECK_EQ(name.sin_port, at.sin_port, "D ConnectEx");
    CHECK_EQ(getpeername(server, (struct sockaddr *)&name, &length), 0, "D AcceptEx");
    CHECK_EQ(name.sin_port, name_of(client).sin_port, "D AcceptEx");
    CHECK_EQ(shutdown(client, SD_SEND), 0, "D ConnectEx");
    CHECK_EQ(shutdown(server, SD_SEND), 0, "D AcceptEx");
    close_both(client, server);
    closesocket(l);
    CloseHandle(accepted);
    CloseHandle(connected);
}

static void after_send_side(void)
{
    struct sockaddr_in name, to;
    SOCKET client, server;
    OVERLAPPED ov;
    HANDLE event = new_event();
    int length = sizeof name;
    DWORD bytes = CHECK_UNSET, flags = 0;
    char buffer[16];
    WSABUF space;

    tcp_pair(&client, &server);
    to = name_of(server);
    space.buf = buffer;
    space.len = sizeof buffer;
    ov_init(&ov, event);
    CHECK_WSA_PENDS(WSARecv(server, &space, 1, NULL, &flags, &ov, NULL), "D WSARecv");
    CHECK_EQ(shutdown(client, SD_SEND), 0, T);
    CHECK_EQ(finish(server, &ov, &bytes), 0, "T test_shutdown: a pending receive of the peer succeeds");
    CHECK_EQ(bytes, 0, "T test_shutdown: with 0 bytes");
    CHECK_FAIL(send(client, "x", 1, 0), WSAESHUTDOWN, T);
    CHECK_FAIL(send(client, "x", 1, 0), WSAESHUTDOWN, T);
    ResetEvent(event);
    ov_init(&ov, event);
    CHECK_FAIL(WSASend(client, &space, 1, NULL, 0, &ov, NULL), WSAESHUTDOWN, "T test_shutdown: at once");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 0, T);
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 0, T);
    check_transfer(server, client, T);
    CHECK_EQ(shutdown(client, SD_SEND), 0, T);
    CHECK_EQ(getpeername(client, (struct sockaddr *)&name, &length), 0, T);
    CHECK_EQ(getsockname(client, (struct sockaddr *)&name, &length), 0, T);
    CHECK_EQ(getpeername(server, (struct sockaddr *)&name, &length), 0, T);
    CHECK_EQ(getsockname(server, (struct sockaddr *)&name, &length), 0, T);
    CHECK_FAIL(connect(client, (struct sockaddr *)&to, sizeof to), WSAEISCONN, T);
    close_both(client, server);
    CloseHandle(event);
}

static void after_receive_side(void)
{
    SOCKET client, server;
    OVERLAPPED ov, late;
    HANDLE event = new_event(), other = new_event();
    DWORD bytes = CHECK_UNSET, flags = 0;
    char buffer[16], buffer2[16];
    WSABUF space, space2;

    tcp_pair(&client, &server);
    space.buf = buffer;
    space2.buf = buffer2;
    space.len = space2.len = sizeof buffer;
    ov_init(&ov, event);
    CHECK_WSA_PENDS(WSARecv(server, &space, 1, NULL, &flags, &ov, NULL), "D WSARecv");
    CHECK_EQ(shutdown(server, SD_RECEIVE), 0, T);
    CHECK_FAIL(recv(server, buffer2, sizeof buffer2, 0), WSAESHUTDOWN, "T test_shutdown: every time, not 0");
    CHECK_FAIL(recv(server, buffer2, sizeof buffer2, 0), WSAESHUTDOWN, "T test_shutdown: every time, not 0");
    CHECK_FAIL(WSARecv(server, &space2, 1, &bytes, &flags, NULL, NULL), WSAESHUTDOWN, T);
    ov_init(&late, other);
    CHECK_FAIL(WSARecv(server, &space2, 1, NULL, &flags, &late, NULL), WSAESHUTDOWN, "T test_shutdown: at once");
    CHECK(!is_set(other, 0), "T test_shutdown");
    CHECK(stays_pending(&ov, CHECK_QUIET_MS), "T test_shutdown: a receive that was pending survives");
    CHECK_EQ(send(client, "12345", 5, 0), 5, "T test_shutdown: the peer notices nothing");
    CHECK_EQ(finish(server, &ov, &bytes), 0, "T test_shutdown: and takes the data");
    CHECK_EQ(bytes, 5, T);
    check_transfer(server, client, "T test_shutdown: the other direction goes on");
    close_both(client, server);
    CloseHandle(event);
    CloseHandle(other);
}

/* A FIN does no harm to a closed receive side; data that nobody can take resets the connection. */
static void after_receive_side_data_resets(void)
{
    SOCKET client, server;
    char byte;

    tcp_pair(&client, &server);
    CHECK_EQ(shutdown(server, SD_RECEIVE), 0, T);
    CHECK_EQ(shutdown(client, SD_SEND), 0, T);
    check_transfer(server, client, "choice design 4: a FIN does not reset");
    close_both(client, server);

    tcp_pair(&client, &server);
    CHECK_EQ(shutdown(server, SD_RECEIVE), 0, T);
    CHECK_EQ(send(client, "x", 1, 0), 1, "T test_shutdown: the send succeeds");
    CHECK(readable(client, CHECK_WAIT_MS), "D shutdown, S 003: data that arrives later resets");
    CHECK_FAIL(recv(client, &byte, 1, 0), WSAECONNRESET, "D shutdown, S 003: data that arrives later resets");
    close_both(client, server);

    tcp_pair(&client, &server);
    CHECK_EQ(send(client, "x", 1, 0), 1, "setup");
    CHECK(readable(server, CHECK_WAIT_MS), "setup");
    CHECK_EQ(shutdown(server, SD_RECEIVE), 0, T);
    CHECK(readable(client, CHECK_WAIT_MS), "D shutdown, S 003: data that is queued resets");
    CHECK_FAIL(recv(client, &byte, 1, 0), WSAECONNRESET, "D shutdown, S 003: data that is queued resets");
    close_both(client, server);
}

static void after_both(void)
{
    struct sockaddr_in name;
    SOCKET client, server;
    int length = sizeof name;
    char byte;

    tcp_pair(&client, &server);
    CHECK_EQ(shutdown(client, SD_BOTH), 0, T);
    CHECK_FAIL(send(client, "x", 1, 0), WSAESHUTDOWN, T);
    CHECK_FAIL(recv(client, &byte, 1, 0), WSAESHUTDOWN, T);
    CHECK_EQ(recv(server, &byte, 1, 0), 0, T);
    CHECK_EQ(shutdown(server, SD_BOTH), 0, T);
    CHECK_FAIL(send(server, "x", 1, 0), WSAESHUTDOWN, T);
    CHECK_FAIL(recv(server, &byte, 1, 0), WSAESHUTDOWN, T);
    CHECK_EQ(getpeername(client, (struct sockaddr *)&name, &length), 0, T);
    CHECK_EQ(getsockname(client, (struct sockaddr *)&name, &length), 0, T);
    CHECK_EQ(getpeername(server, (struct sockaddr *)&name, &length), 0, T);
    CHECK_EQ(getsockname(server, (struct sockaddr *)&name, &length), 0, T);
    close_both(client, server);
}

/* The peer closed after its FIN and we send into the void. */
static void send_to_a_closed_peer(void)
{
    SOCKET client, server;
    char byte;

    tcp_pair(&client, &server);
    CHECK_EQ(shutdown(client, SD_SEND), 0, T);
    closesocket(client);
    CHECK(readable(server, CHECK_WAIT_MS), "setup");
    CHECK_EQ(send(server, "12345", 5, 0), 5, "T test_shutdown: send data to a peer which is closed");
    poll_for(server, POLLRDNORM, POLLERR); /* until the reset is in */
    CHECK_FAIL(recv(server, &byte, 1, 0), WSAECONNABORTED, "T test_shutdown: FIN, then RST");
    closesocket(server);
}

static void no_packets(void)
{
    SOCKET client, server;
    HANDLE port = new_port();

    tcp_pair(&client, &server);
    associate(client, port, 1);
    CHECK_EQ(shutdown(client, SD_SEND), 0, "T test_shutdown_completion_port");
    CHECK_EQ(shutdown(client, SD_RECEIVE), 0, "T test_shutdown_completion_port");
    CHECK_EQ(shutdown(client, SD_BOTH), 0, "T test_shutdown_completion_port");
    CHECK(no_packet(port), "T test_shutdown_completion_port");
    close_both(client, server);
    CloseHandle(port);
}

int main(void)
{
    check_begin("shutdown");
    refusals();
    repeats();
    without_context();
    after_send_side();
    after_receive_side();
    after_receive_side_data_resets();
    after_both();
    send_to_a_closed_peer();
    no_packets();
    return check_end();
}

/*
 * select_poll.c - select and WSAPoll: arguments, connected, closing, reset and closed sockets.
 */
#include "check.h"

static short poll_now(SOCKET s, short events, int *result)
{
    WSAPOLLFD fd;

    fd.fd = s;
    fd.events = events;
    fd.revents = 0;
    *result = WSAPoll(&fd, 1, 0);
    return fd.revents;
}

static void poll_arguments(void)
{
    static const short bad[] = { POLLERR, POLLHUP, POLLNVAL, POLLPRI, POLLWRBAND };
    SOCKET client, server;
    WSAPOLLFD fds[2];
    unsigned i;

    tcp_pair(&client, &server);
    CHECK_FAIL(WSAPoll(NULL, 0, 0), WSAEINVAL, "T test_WSAPoll");
    CHECK_FAIL(WSAPoll(NULL, 1, 0), WSAEFAULT, "T test_WSAPoll");
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        fds[0].fd = client;
        fds[0].events = bad[i];
        fds[0].revents = 0;
        CHECK_FAIL(WSAPoll(fds, 1, 0), WSAEINVAL, "T test_WSAPoll");
    }
    fds[0].fd = client;
    fds[0].events = POLLRDNORM;
    fds[0].revents = 0x7777;
    fds[1].fd = INVALID_SOCKET;
    fds[1].events = POLLRDNORM;
    fds[1].revents = 0x7777;
    CHECK_EQ(WSAPoll(fds, 2, 0), 0, "T test_WSAPoll: a descriptor of -1 does not count");
    CHECK_EQ(fds[0].revents, 0, "T test_WSAPoll");
    CHECK_EQ(fds[1].revents, POLLNVAL, "T test_WSAPoll");
    close_both(client, server);
    fds[0].events = POLLRDNORM;
    CHECK_EQ(WSAPoll(fds, 1, CHECK_WAIT_MS), 1, "T test_WSAPoll: a closed socket");
    CHECK_EQ(fds[0].revents, POLLNVAL, "T test_WSAPoll");
}

static void poll_states(void)
{
    static const char *const T = "T test_WSAPoll";
    struct sockaddr_in at;
    SOCKET l = listener(&at), client = tcp_socket(), server;
    int result;
    char buffer[16];

    CHECK_EQ(poll_now(l, POLLIN, &result), 0, T);
    CHECK_EQ(result, 0, T);
    CHECK_EQ(connect(client, (struct sockaddr *)&at, sizeof at), 0, "setup");
    CHECK_EQ(poll_for(l, POLLIN, POLLRDNORM), POLLRDNORM, "T test_WSAPoll: a connection waits");
    server = accept_one(l);
    limit_waits(client);
    limit_waits(server);
    CHECK_EQ(poll_now(client, POLLIN | POLLOUT, &result), POLLWRNORM, T);
    CHECK_EQ(result, 1, T);
    CHECK_EQ(send(client, "12345", 5, 0), 5, "setup");
    CHECK_EQ(poll_for(server, POLLIN | POLLOUT, POLLRDNORM), POLLRDNORM | POLLWRNORM, T);
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 5, "setup");
    CHECK_EQ(poll_now(server, POLLIN | POLLOUT, &result), POLLWRNORM, T);

    CHECK_EQ(shutdown(client, SD_RECEIVE), 0, "setup");
    CHECK_EQ(poll_now(client, POLLIN | POLLOUT, &result), POLLWRNORM, "T test_WSAPoll: after own SD_RECEIVE");
    CHECK_EQ(poll_now(server, POLLIN | POLLOUT, &result), POLLWRNORM, "T test_WSAPoll: the peer notices nothing");
    CHECK_EQ(send(client, "12345", 5, 0), 5, "setup");
    CHECK_EQ(shutdown(client, SD_SEND), 0, "setup");
    CHECK_EQ(poll_now(client, POLLIN | POLLOUT, &result), POLLWRNORM, "T test_WSAPoll: after own SD_SEND");
    CHECK_EQ(poll_for(server, POLLIN | POLLOUT, POLLHUP), POLLHUP | POLLRDNORM | POLLWRNORM,
             "T test_WSAPoll: peer closed, data left");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 5, "setup");
    CHECK_EQ(poll_now(server, POLLIN | POLLOUT, &result), POLLHUP | POLLWRNORM, "T test_WSAPoll: peer closed, no data");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 0, "setup");
    CHECK_EQ(poll_now(server, POLLIN | POLLOUT, &result), POLLHUP | POLLWRNORM, T);
    close_both(client, server);
    closesocket(l);
}

static DWORD WINAPI half_close_later(void *socket)
{
    Sleep(CHECK_QUIET_MS);
    shutdown((SOCKET)socket, SD_SEND);
    return 0;
}

/* POLLHUP cannot be asked for, and comes whatever is. */
static void poll_hang_up(void)
{
    static const char *const D = "D WSAPoll: POLLHUP is told whatever was asked for";
    SOCKET client, server;
    WSAPOLLFD fd;
    HANDLE thread;
    int result;

    tcp_pair(&client, &server);
    fd.fd = client;
    fd.events = 0;
    thread = CreateThread(NULL, 0, half_close_later, (void *)server, 0, NULL);
    CHECK_EQ(WSAPoll(&fd, 1, CHECK_WAIT_MS), 1, "D WSAPoll: also if it comes meanwhile");
    CHECK_EQ(fd.revents, POLLHUP, D);
    CHECK_EQ(poll_now(client, 0, &result), POLLHUP, D);
    CHECK_EQ(poll_now(client, POLLRDBAND, &result), POLLHUP, D);
    CHECK_EQ(poll_now(client, POLLOUT, &result), POLLHUP | POLLWRNORM, D);
    CHECK_EQ(poll_now(client, POLLIN, &result), POLLHUP, D);
    CHECK_EQ(WaitForSingleObject(thread, CHECK_WAIT_MS), WAIT_OBJECT_0, "setup");
    CloseHandle(thread);
    close_both(client, server);
}

static void after_reset(void)
{
    static const char *const T = "T test_tcp_reset";
    struct timeval limit = { 0, 0 };
    SOCKET client, server;
    fd_set readers, writers, failed;
    int error = -1, length = sizeof error;

    tcp_pair(&client, &server);
    close_with_rst(client);
    CHECK_EQ(poll_for(server, POLLIN | POLLOUT, POLLERR), POLLERR | POLLHUP | POLLWRNORM, T);
    FD_ZERO(&readers);
    FD_ZERO(&writers);
    FD_ZERO(&failed);
    FD_SET(server, &readers);
    FD_SET(server, &writers);
    FD_SET(server, &failed);
    CHECK_EQ(select(0, &readers, &writers, &failed, &limit), 2, T);
    CHECK(FD_ISSET(server, &readers), T);
    CHECK(FD_ISSET(server, &writers), T);
    CHECK(!FD_ISSET(server, &failed), "T test_tcp_reset: not in exceptfds");
    CHECK_EQ(getsockopt(server, SOL_SOCKET, SO_ERROR, (char *)&error, &length), 0, T);
    CHECK_EQ(error, 0, T);
    closesocket(server);
}

static void select_arguments(void)
{
    struct timeval now = { 0, 0 }, bad = { -1, 0 }, less = { 0, -1000 };
    SOCKET client, server;
    fd_set empty, set;

    FD_ZERO(&empty);
    CHECK_FAIL(select(0, NULL, NULL, NULL, &now), WSAEINVAL, "D select: all three are NULL");
    CHECK_FAIL(select(0, &empty, NULL, NULL, &now), WSAEINVAL, "D select: at least one socket");
    tcp_pair(&client, &server);
    FD_ZERO(&set);
    FD_SET(client, &set);
    CHECK_FAIL(select(0, &set, NULL, NULL, &bad), WSAEINVAL, "D select: the time is not valid");
    CHECK_EQ(select(0, &set, NULL, NULL, &less), 0, "choice: nothing is ready at once");
    FD_SET(client, &set);
    CHECK_EQ(select(0, NULL, &set, NULL, &less), 1, "T nanomsg tests/poll.c: nn_poll(..., -1)");
    less.tv_sec = 1;
    CHECK_EQ(select(0, NULL, &set, NULL, &less), 1, "choice: the sum counts");
    close_both(client, server);
    FD_ZERO(&set);
    FD_SET(client, &set);
    CHECK_FAIL(select(0, &set, NULL, NULL, &now), WSAENOTSOCK, "T test_select: closed before");
    CHECK(set.fd_count == 1 && set.fd_array[0] == client, "T test_select: the sets are unchanged");
}

static void select_states(void)
{
    struct timeval now = { 0, 0 }, brief = { 0, 100000 }, limit = { CHECK_WAIT_MS / 1000, 0 };
    struct sockaddr_in at;
    SOCKET l = listener(&at), client = tcp_socket(), server, many[3];
    ULONGLONG start;
    fd_set readers, writers;
    char buffer[16];
    int i;

    FD_ZERO(&readers);
    FD_SET(l, &readers);
    start = GetTickCount64();
    CHECK_EQ(select(0, &readers, NULL, NULL, &brief), 0, "D select");
    CHECK(GetTickCount64() - start >= 80, "D select: waits as long as it was told");
    CHECK_EQ(readers.fd_count, 0, "D select: nothing is ready, the set is empty");
    CHECK_EQ(connect(client, (struct sockaddr *)&at, sizeof at), 0, "setup");
    FD_SET(l, &readers);
    CHECK_EQ(select(0, &readers, NULL, NULL, &limit), 1, "D select: a connection waits");
    server = accept_one(l);
    limit_waits(server);

    FD_ZERO(&readers);
    FD_ZERO(&writers);
    FD_SET(client, &readers);
    FD_SET(server, &readers);
    FD_SET(client, &writers);
    CHECK_EQ(select(0, &readers, &writers, NULL, &now), 1, "D select");
    CHECK(FD_ISSET(client, &writers) && readers.fd_count == 0, "D select");
    CHECK_EQ(send(client, "12345", 5, 0), 5, "setup");
    FD_ZERO(&readers);
    FD_SET(client, &readers);
    FD_SET(server, &readers);
    CHECK_EQ(select(0, &readers, NULL, NULL, &limit), 1, "D select");
    CHECK(FD_ISSET(server, &readers) && !FD_ISSET(client, &readers), "D select");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 5, "setup");
    CHECK_EQ(shutdown(client, SD_SEND), 0, "setup");
    FD_ZERO(&readers);
    FD_SET(server, &readers);
    CHECK_EQ(select(0, &readers, NULL, NULL, &limit), 1, "D select: the end of the stream is readable");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 0, "D select");
    close_both(client, server);

    FD_ZERO(&writers);
    for (i = 0; i < 3; i++) {
        many[i] = tcp_socket();
        REQUIRE(connect(many[i], (struct sockaddr *)&at, sizeof at) == 0);
        FD_SET(many[i], &writers);
        FD_SET(many[i], &writers);
    }
    CHECK_EQ(writers.fd_count, 3, "D FD_SET: once each");
    CHECK_EQ(select(0, NULL, &writers, NULL, &limit), 3, "D select: how many are ready");
    FD_CLR(many[1], &writers);
    CHECK(!FD_ISSET(many[1], &writers) && FD_ISSET(many[2], &writers) && writers.fd_count == 2, "D FD_CLR");
    for (i = 0; i < 3; i++)
        closesocket(many[i]);
    closesocket(l);
}

struct selector {
    SOCKET s;
    enum { READS, WRITES, EXCEPTS } in;
    HANDLE begun;
    HANDLE thread;
    int result;
    DWORD error;
};

static DWORD WINAPI select_in_thread(void *argument)
{
    struct selector *selector = argument;
    struct timeval limit = { CHECK_WAIT_MS / 1000, 0 };
    fd_set set;

    FD_ZERO(&set);
    FD_SET(selector->s, &set);
    SetEvent(selector->begun);
    selector->result = select(0, selector->in == READS ? &set : NULL, selector->in == WRITES ? &set : NULL,
                              selector->in == EXCEPTS ? &set : NULL, &limit);
    selector->error = GetLastError();
    return 0;
}

/* Starts a thread that waits in select for `s`, and gives it the time to fall asleep there. */
static void begin_select(struct selector *selector, SOCKET s, int in)
{
    selector->s = s;
    selector->in = in;
    selector->begun = new_event();
    selector->result = -2;
    selector->thread = CreateThread(NULL, 0, select_in_thread, selector, 0, NULL);
    REQUIRE(selector->thread != NULL);
    CHECK(is_set(selector->begun, CHECK_WAIT_MS), "setup");
    CHECK(!is_set(selector->thread, CHECK_QUIET_MS), "setup: nothing to tell yet");
}

static int end_select(struct selector *selector)
{
    CHECK(is_set(selector->thread, 2 * CHECK_WAIT_MS), "setup");
    CloseHandle(selector->thread);
    CloseHandle(selector->begun);
    return selector->result;
}

static void closed_while_waiting(void)
{
    struct selector selector;
    SOCKET client, server;

    tcp_pair(&client, &server);
    begin_select(&selector, client, READS);
    closesocket(client);
    CHECK_EQ(end_select(&selector), 1, "T test_select: closed, in readfds");
    closesocket(server);

    tcp_pair(&client, &server);
    begin_select(&selector, client, EXCEPTS);
    closesocket(client);
    CHECK_EQ(end_select(&selector), SOCKET_ERROR, "T test_select: closed, in exceptfds only");
    CHECK_EQ(selector.error, WSAENOTSOCK, "T test_select");
    closesocket(server);
}

/* Who waits for a socket that has no connection yet waits for the one that another thread makes. */
static void begun_while_waiting(void)
{
    static const char *const C = "choice: select waits for the socket, whatever becomes of it meanwhile";
    struct selector for_room, for_data, for_request;
    SOCKET l = bound_socket(), client = bound_socket(), server = tcp_socket(), late = tcp_socket();
    struct sockaddr_in at = name_of(l);

    begin_select(&for_request, l, READS);
    CHECK_EQ(listen(l, 1), 0, "setup");
    CHECK_EQ(connect(late, (struct sockaddr *)&at, sizeof at), 0, "setup");
    CHECK_EQ(end_select(&for_request), 1, C);
    closesocket(accept_one(l));
    closesocket(late);

    begin_select(&for_room, client, WRITES);
    begin_select(&for_data, server, READS);
    REQUIRE(ex_connect(l, server, client));
    CHECK_EQ(end_select(&for_room), 1, C);
    CHECK_EQ(send(client, "x", 1, 0), 1, "setup");
    CHECK_EQ(end_select(&for_data), 1, C);
    close_both(client, server);
    closesocket(l);
}

/* The end of a connection is told to who waits for it, also when a disconnect has taken it in. */
static void ended_while_waiting(void)
{
    static const char *const C = "choice: a connection that a disconnect ends has ended for select too";
    struct selector selector;
    SOCKET l, client, server;
    OVERLAPPED ov;
    int round;

    for (round = 0; round < 10; round++) {
        ex_pair(&l, &client, &server);
        ov_init(&ov, new_event());
        CHECK_CALL(ext()->disconnect_ex(server, &ov, TF_REUSE_SOCKET, 0), FALSE, ERROR_IO_PENDING, "setup");
        begin_select(&selector, server, READS);
        closesocket(client);
        CHECK_EQ(finish(server, &ov, NULL), 0, "setup");
        CloseHandle(ov.hEvent);
        CHECK_EQ(end_select(&selector), 1, C);
        closesocket(server);
        closesocket(l);
    }
}

int main(void)
{
    check_begin("select_poll");
    poll_arguments();
    poll_states();
    poll_hang_up();
    after_reset();
    select_arguments();
    select_states();
    closed_while_waiting();
    begun_while_waiting();
    ended_while_waiting();
    return check_end();
}

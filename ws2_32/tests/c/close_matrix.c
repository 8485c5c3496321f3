/*
 * closesocket with every linger setting, on a connection that is idle, that has a receive or a send pending, or that
 * has data nobody read (winsock-semantics 1.6, 3.9; D closesocket).
 */
#include "check.h"

enum { BLOCK = 32 << 20 }; /* more than the kernel takes */

static const char *const CHOICE_SEND = "choice: the send succeeds and its data is delivered behind the handle";
static const char *const RESET = "D closesocket: hard close";

struct pending {
    SOCKET client, server;
    OVERLAPPED ov;
    HANDLE event;
    WSABUF buffer;
    char *block;
};

/* A client that is about to be closed, with these linger settings. */
static void begin(struct pending *p, int on, int seconds)
{
    struct linger linger;

    memset(p, 0, sizeof *p);
    linger.l_onoff = (u_short)on;
    linger.l_linger = (u_short)seconds;
    p->event = new_event();
    p->block = calloc(1, BLOCK);
    REQUIRE(p->block != NULL);
    p->buffer.buf = p->block;
    p->buffer.len = BLOCK;
    tcp_pair(&p->client, &p->server);
    CHECK_EQ(setsockopt(p->client, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof linger), 0, "D closesocket");
    ov_init(&p->ov, p->event);
}

static void end(struct pending *p)
{
    closesocket(p->server);
    CloseHandle(p->event);
    free(p->block);
}

static void pend_receive(struct pending *p)
{
    DWORD flags = 0;

    CHECK_WSA_PENDS(WSARecv(p->client, &p->buffer, 1, NULL, &flags, &p->ov, NULL), "setup");
}

static void pend_send(struct pending *p)
{
    CHECK_WSA_PENDS(WSASend(p->client, &p->buffer, 1, NULL, 0, &p->ov, NULL), "setup");
}

static void leave_unread(struct pending *p)
{
    CHECK_EQ(send(p->server, "unread", 6, 0), 6, "setup");
    CHECK(readable(p->client, CHECK_WAIT_MS), "setup");
}

/* Sends until the connection takes no more: what is in flight leaves room as it arrives. */
static void fill(struct pending *p)
{
    WSAPOLLFD room;

    set_nonblocking(p->client, TRUE);
    do {
        while (send(p->client, p->block, 1 << 16, 0) > 0)
            ;
        room.fd = p->client;
        room.events = POLLWRNORM;
        room.revents = 0;
    } while (WSAPoll(&room, 1, CHECK_QUIET_MS) == 1);
    set_nonblocking(p->client, FALSE);
}

/* Everything that the peer can still receive; the last answer of recv in `last`. */
static int drain(SOCKET s, int *last)
{
    static char part[1 << 16];
    int n, total = 0;

    while ((n = recv(s, part, sizeof part, 0)) > 0)
        total += n;
    *last = n;
    return total;
}

#define CHECK_CLEAN_END(s, octets, source) do { \
        int last_ = 1, total_ = drain(s, &last_); \
        CHECK_EQ(last_, 0, source); \
        CHECK_EQ(total_, octets, source); \
    } while (0)

#define CHECK_RESET(s, source) do { \
        int last_ = 1; \
        char byte_; \
        drain(s, &last_); \
        CHECK_EQ(last_, SOCKET_ERROR, source); \
        CHECK_FAIL(recv(s, &byte_, 1, 0), WSAECONNRESET, source); \
    } while (0)

/* T test_iocp: 1236 since Windows 7; field reports of 64 (winsock-semantics 3.9). */
static void check_receive_ended(struct pending *p)
{
    CHECK(is_set(p->event, CHECK_WAIT_MS), "T test_iocp");
    CHECK_EQ(p->ov.Internal, ST_CONNECTION_ABORTED, "T test_iocp");
    CHECK_EQ(p->ov.InternalHigh, 0, "T test_iocp");
}

static void linger_off(void)
{
    struct pending p;

    begin(&p, 0, 0);
    CHECK_EQ(closesocket(p.client), 0, "D closesocket: graceful");
    CHECK_CLEAN_END(p.server, 0, "D closesocket: graceful");
    end(&p);

    begin(&p, 0, 0);
    pend_receive(&p);
    CHECK_EQ(closesocket(p.client), 0, "D closesocket");
    check_receive_ended(&p);
    CHECK_CLEAN_END(p.server, 0, "choice: nothing was lost, so the end is clean");
    end(&p);

    begin(&p, 0, 0);
    pend_send(&p);
    CHECK_EQ(closesocket(p.client), 0, "D closesocket: returns at once");
    CHECK(is_set(p.event, CHECK_WAIT_MS), "T test_send_buffering");
    CHECK_EQ(p.ov.Internal, ST_SUCCESS, CHOICE_SEND);
    CHECK_EQ(p.ov.InternalHigh, BLOCK, CHOICE_SEND);
    memset(p.block, 1, BLOCK); /* the memory is the program's again */
    CHECK_CLEAN_END(p.server, BLOCK, "T test_send_buffering: data still goes out");
    end(&p);

    begin(&p, 0, 0);
    leave_unread(&p);
    CHECK_EQ(closesocket(p.client), 0, "D closesocket");
    CHECK_RESET(p.server, "RFC 1122 4.2.2.13: close with data unread resets");
    end(&p);
}

static void linger_zero(void)
{
    struct pending p;

    begin(&p, 1, 0);
    CHECK_EQ(closesocket(p.client), 0, RESET);
    CHECK_RESET(p.server, RESET);
    end(&p);

    begin(&p, 1, 0);
    pend_receive(&p);
    CHECK_EQ(closesocket(p.client), 0, RESET);
    check_receive_ended(&p);
    CHECK_RESET(p.server, RESET);
    end(&p);

    begin(&p, 1, 0);
    pend_send(&p);
    CHECK_EQ(closesocket(p.client), 0, RESET);
    CHECK(is_set(p.event, CHECK_WAIT_MS), "D closesocket");
    CHECK_EQ(p.ov.Internal, ST_CONNECTION_ABORTED, "choice: as the receive");
    CHECK_RESET(p.server, RESET);
    end(&p);

    begin(&p, 1, 0);
    leave_unread(&p);
    CHECK_EQ(closesocket(p.client), 0, RESET);
    CHECK_RESET(p.server, RESET);
    end(&p);
}

static DWORD WINAPI drain_in_background(void *server)
{
    int last = 1, total = drain(*(SOCKET *)server, &last);

    return last == 0 ? (DWORD)total : 0;
}

static void linger_seconds(void)
{
    struct pending p;
    ULONGLONG before, took;
    DWORD delivered = 0;
    HANDLE reader;

    begin(&p, 1, 30);
    before = GetTickCount64();
    CHECK_EQ(closesocket(p.client), 0, "D closesocket: nothing to wait for");
    CHECK(GetTickCount64() - before < 5000, "D closesocket: nothing to wait for");
    CHECK_CLEAN_END(p.server, 0, "D closesocket");
    end(&p);

    begin(&p, 1, 30);
    pend_receive(&p);
    CHECK_EQ(closesocket(p.client), 0, "D closesocket: a receive is nothing to wait for");
    CHECK(GetTickCount64() - before < 10000, "D closesocket: a receive is nothing to wait for");
    check_receive_ended(&p);
    CHECK_CLEAN_END(p.server, 0, "D closesocket");
    end(&p);

    /* The data goes out within the time. */
    begin(&p, 1, 30);
    pend_send(&p);
    reader = CreateThread(NULL, 0, drain_in_background, &p.server, 0, NULL);
    CHECK_EQ(closesocket(p.client), 0, "D closesocket: blocks until the data is sent");
    CHECK(is_set(reader, CHECK_WAIT_MS), "D closesocket");
    CHECK(GetExitCodeThread(reader, &delivered), "setup");
    CHECK_EQ(delivered, BLOCK, "D closesocket: gracefully, all of it");
    CHECK_EQ(p.ov.Internal, ST_SUCCESS, CHOICE_SEND);
    CloseHandle(reader);
    end(&p);

    /* It does not: nobody reads. */
    begin(&p, 1, 1);
    pend_send(&p);
    before = GetTickCount64();
    CHECK_EQ(closesocket(p.client), 0, "D closesocket: blocks");
    took = GetTickCount64() - before;
    CHECK(took >= 900 && took < 10000, "D closesocket: for the linger time");
    CHECK_RESET(p.server, "D closesocket: hard close when the time is over");
    end(&p);

    /* Nothing pends, but what the kernel has taken does not fit into the peer either. */
    begin(&p, 1, 1);
    fill(&p);
    before = GetTickCount64();
    CHECK_EQ(closesocket(p.client), 0, "D closesocket: blocks");
    took = GetTickCount64() - before;
    CHECK(took >= 900 && took < 10000, "D closesocket: for the linger time");
    CHECK_RESET(p.server, "D closesocket: hard close when the time is over");
    end(&p);

    begin(&p, 1, 30);
    leave_unread(&p);
    before = GetTickCount64();
    CHECK_EQ(closesocket(p.client), 0, "D closesocket");
    CHECK(GetTickCount64() - before < 5000, "D closesocket: nothing to send");
    CHECK_RESET(p.server, "RFC 1122 4.2.2.13: close with data unread resets");
    end(&p);
}

/* D closesocket: WSAEWOULDBLOCK where it would have to wait, and the handle stays. */
static void linger_seconds_nonblocking(void)
{
    struct pending p;
    DWORD bytes = 0;

    begin(&p, 1, 30);
    set_nonblocking(p.client, TRUE);
    CHECK_EQ(closesocket(p.client), 0, "D closesocket: it would not have to wait");
    CHECK_CLEAN_END(p.server, 0, "D closesocket");
    end(&p);

    begin(&p, 1, 30);
    set_nonblocking(p.client, TRUE);
    pend_send(&p);
    CHECK_FAIL(closesocket(p.client), WSAEWOULDBLOCK, "D closesocket");
    CHECK_FAIL(closesocket(p.client), WSAEWOULDBLOCK, "D closesocket: the handle stays valid");
    CHECK_EQ(p.ov.Internal, ST_PENDING, "choice: a refused call changes nothing");
    CHECK_EQ(shutdown(p.client, SD_SEND), 0, "D closesocket: the socket is as it was");
    CHECK_CLEAN_END(p.server, BLOCK, "D closesocket: the socket is as it was");
    CHECK_EQ(finish(p.client, &p.ov, &bytes), 0, "D closesocket: the socket is as it was");
    /* The acknowledgement of the FIN may be on its way. */
    set_nonblocking(p.client, FALSE);
    CHECK_EQ(closesocket(p.client), 0, "D closesocket: blocks, if at all, until it is acknowledged");
    end(&p);
}

/* T test_tcp_reset, T test_shutdown: how the end reads on the side that did not close. */
static void what_the_other_side_reads(void)
{
    struct pending p;
    int error = 1, length = sizeof error, i;
    char byte;

    begin(&p, 1, 0);
    closesocket(p.client);
    for (i = 0; i < 3; i++) {
        CHECK_FAIL(recv(p.server, &byte, 1, 0), WSAECONNRESET, "T test_tcp_reset: sticky");
        CHECK_FAIL(send(p.server, "x", 1, 0), WSAECONNRESET, "T test_tcp_reset: sticky");
        CHECK_EQ(getsockopt(p.server, SOL_SOCKET, SO_ERROR, (char *)&error, &length), 0, "T test_tcp_reset");
        CHECK_EQ(error, 0, "T test_tcp_reset: SO_ERROR reads 0");
    }
    end(&p);

    begin(&p, 0, 0);
    CHECK_EQ(shutdown(p.client, SD_SEND), 0, "setup");
    closesocket(p.client);
    CHECK_EQ(recv(p.server, &byte, 1, 0), 0, "T test_shutdown");
    CHECK_EQ(send(p.server, "12345", 5, 0), 5, "T test_shutdown: the first send succeeds");
    poll_for(p.server, POLLRDNORM, POLLERR); /* until the reset is in */
    for (i = 0; i < 3; i++)
        CHECK_FAIL(recv(p.server, &byte, 1, 0), WSAECONNABORTED, "T test_shutdown: FIN, then RST; sticky");
    end(&p);
}

int main(void)
{
    check_begin("close_matrix");
    linger_off();
    linger_zero();
    linger_seconds();
    linger_seconds_nonblocking();
    what_the_other_side_reads();
    return check_end();
}

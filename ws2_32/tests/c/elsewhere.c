/*
 * A process of one thread, which has work under way on a completion port and does not wait there. On Windows the
 * system finishes the work, and each row is one way to tell, in a process of its own.
 */
#include "check.h"

#ifdef __MINGW32__
#define popen _popen
#else
#include <sys/resource.h>
extern unsigned alarm(unsigned seconds);
#endif

/* More than a send buffer takes, and more than a receive buffer. */
enum { SENT = 16 << 20, RECEIVED = 1 << 20 };

static const char *self;

struct work {
    HANDLE port;
    SOCKET client, server;
    OVERLAPPED ov;
    char buffer[8];
};

/* The only thread has taken a packet from the port and not come back. */
static void leave_port(HANDLE port)
{
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *ov;

    REQUIRE(PostQueuedCompletionStatus(port, 0, 0, NULL));
    REQUIRE(GetQueuedCompletionStatus(port, &bytes, &key, &ov, 0));
}

/* A connection whose accepted end has a receive under way on a port; then the data comes. */
static struct work *receive(HANDLE event)
{
    static struct work w;
    struct sockaddr_in at;
    SOCKET l = listener(&at);
    WSABUF buffer = {sizeof w.buffer, w.buffer};
    DWORD flags = 0;

    w.client = tcp_socket();
    REQUIRE(connect(w.client, (struct sockaddr *)&at, sizeof at) == 0);
    w.server = accept_one(l);
    w.port = CreateIoCompletionPort((HANDLE)w.server, NULL, 0, 0);
    REQUIRE(w.port != NULL);
    leave_port(w.port);
    w.ov.hEvent = event;
    CHECK_WSA_PENDS(WSARecv(w.server, &buffer, 1, NULL, &flags, &w.ov, NULL), "setup");
    REQUIRE(send(w.client, "x", 1, 0) == 1);
    return &w;
}

static void has_completed(void)
{
    struct work *w = receive(NULL);

    while (!HasOverlappedIoCompleted(&w->ov))
        ;
    CHECK_EQ(w->ov.InternalHigh, 1, "D HasOverlappedIoCompleted: it tests for completion without waiting");
}

static void sleeps(void)
{
    struct work *w = receive(NULL);

    while (*(volatile ULONG_PTR *)&w->ov.Internal == ST_PENDING)
        Sleep(1);
    CHECK_EQ(w->ov.InternalHigh, 1, "D OVERLAPPED");
}

static void yields(void)
{
    struct work *w = receive(NULL);

    while (*(volatile ULONG_PTR *)&w->ov.Internal == ST_PENDING)
        SwitchToThread();
    CHECK_EQ(w->ov.InternalHigh, 1, "D OVERLAPPED");
}

/* The page of AcceptEx has a server ask this of its accepting sockets. */
static void looks_at_connect_time(void)
{
    static OVERLAPPED ov;
    static char buffer[2 * ADDRESS_SIZE];
    struct sockaddr_in at;
    SOCKET l = listener(&at), s = tcp_socket(), c = tcp_socket();
    DWORD bytes, seconds = MAXDWORD;
    int length = sizeof seconds;

    leave_port(CreateIoCompletionPort((HANDLE)l, NULL, 0, 0));
    CHECK_PENDS(ext()->accept_ex(l, s, buffer, 0, ADDRESS_SIZE, ADDRESS_SIZE, &bytes, &ov), "setup");
    REQUIRE(connect(c, (struct sockaddr *)&at, sizeof at) == 0);
    while (seconds == MAXDWORD)
        REQUIRE(getsockopt(s, SOL_SOCKET, SO_CONNECT_TIME, (char *)&seconds, &length) == 0);
    CHECK(seconds < 60, "D AcceptEx: SO_CONNECT_TIME");
}

static void result_without_waiting(void)
{
    struct work *w = receive(NULL);
    DWORD bytes = 0;

    while (!GetOverlappedResult((HANDLE)w->server, &w->ov, &bytes, FALSE))
        REQUIRE(GetLastError() == ERROR_IO_INCOMPLETE);
    CHECK_EQ(bytes, 1, "D GetOverlappedResult: bWait FALSE");
}

static void wsa_result_without_waiting(void)
{
    struct work *w = receive(NULL);
    DWORD bytes = 0, flags = 0;

    while (!WSAGetOverlappedResult(w->server, &w->ov, &bytes, FALSE, &flags))
        REQUIRE(GetLastError() == WSA_IO_INCOMPLETE);
    CHECK_EQ(bytes, 1, "D WSAGetOverlappedResult: fWait FALSE");
}

static void wsa_result_with_waiting(void)
{
    struct work *w = receive(NULL);
    DWORD bytes = 0, flags = 0;

    CHECK(WSAGetOverlappedResult(w->server, &w->ov, &bytes, TRUE, &flags), "D WSAGetOverlappedResult: fWait TRUE");
    CHECK_EQ(bytes, 1, "D WSAGetOverlappedResult");
}

static void looks_at_event(void)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);

    receive(event);
    while (WaitForSingleObject(event, 0) != WAIT_OBJECT_0)
        ;
    CHECK(TRUE, "D OVERLAPPED: hEvent");
}

static void waits_for_event(void)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);

    receive(event);
    CHECK_EQ(WaitForSingleObject(event, CHECK_WAIT_MS), WAIT_OBJECT_0, "D OVERLAPPED: hEvent");
}

/* Another port, where nothing happens: it waits, though not where the work is. */
static void waits_on_another_port(void)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    HANDLE other = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    struct work *w = receive(event);
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *ov;

    CHECK_FALSE(GetQueuedCompletionStatus(other, &bytes, &key, &ov, 200), WAIT_TIMEOUT, "setup");
    CHECK_EQ(w->ov.Internal, ST_SUCCESS, "D OVERLAPPED");
}

/* It works for one port, and has work at another where it never was. */
static void has_work_at_two_ports(void)
{
    struct work *w = receive(NULL);
    HANDLE other = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    static OVERLAPPED ov;
    static char octet;
    WSABUF buffer = {1, &octet};
    DWORD bytes, flags = 0;
    ULONG_PTR key;
    OVERLAPPED *taken;

    REQUIRE(CreateIoCompletionPort((HANDLE)w->client, other, 0, 0) == other);
    CHECK_WSA_PENDS(WSARecv(w->client, &buffer, 1, NULL, &flags, &ov, NULL), "setup");
    REQUIRE(send(w->server, "x", 1, 0) == 1);
    CHECK(GetQueuedCompletionStatus(w->port, &bytes, &key, &taken, CHECK_WAIT_MS), "setup");
    CHECK_FALSE(GetQueuedCompletionStatus(w->port, &bytes, &key, &taken, 200), WAIT_TIMEOUT, "setup");
    CHECK_EQ(ov.Internal, ST_SUCCESS, "D OVERLAPPED");
}

static HANDLE begun;

static DWORD WINAPI spin(void *ov)
{
    SetEvent(begun);
    while (*(volatile ULONG_PTR *)&((OVERLAPPED *)ov)->Internal != ST_SUCCESS)
        ;
    exit(0);
}

/* The first thread spins for ever, and the second one spins for the result. */
static void another_thread_spins(void)
{
    static struct work w;
    static volatile int turns;
    WSABUF buffer = {sizeof w.buffer, w.buffer};
    DWORD flags = 0;

    begun = CreateEventW(NULL, TRUE, FALSE, NULL);
    w.ov.Internal = ST_PENDING;
    CreateThread(NULL, 0, spin, &w.ov, 0, NULL);
    REQUIRE(WaitForSingleObject(begun, CHECK_WAIT_MS) == WAIT_OBJECT_0);
    tcp_pair(&w.client, &w.server);
    w.port = CreateIoCompletionPort((HANDLE)w.server, NULL, 0, 0);
    leave_port(w.port);
    CHECK_WSA_PENDS(WSARecv(w.server, &buffer, 1, NULL, &flags, &w.ov, NULL), "setup");
    REQUIRE(send(w.client, "x", 1, 0) == 1);
    for (;;)
        turns = turns + 1;
}

static DWORD WINAPI wait_and_leave(void *event)
{
    CHECK_EQ(WaitForSingleObject((HANDLE)event, CHECK_WAIT_MS), WAIT_OBJECT_0, "D OVERLAPPED: hEvent");
    exit(check_books()->failed ? 1 : 0);
}

/* The first thread started the work and spins for ever; a second one waits for it. */
static void another_thread_waits(void)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    static volatile int turns;

    receive(event);
    CreateThread(NULL, 0, wait_and_leave, event, 0, NULL);
    for (;;)
        turns = turns + 1;
}

/* The connection of a peer in another process, which then says how it fared. */
static SOCKET connection_of(const char *role, FILE **peer)
{
    struct sockaddr_in at;
    SOCKET l = listener(&at), s;
    char command[512];

    snprintf(command, sizeof command, "\"%s\" %s %d", self, role, ntohs(at.sin_port));
    *peer = popen(command, "r");
    REQUIRE(*peer != NULL);
    s = accept_one(l);
    leave_port(CreateIoCompletionPort((HANDLE)s, NULL, 0, 0));
    return s;
}

/* Waits for the peer where linsock knows nothing of it. */
static void peer_is_content(FILE *peer, const char *source)
{
    char line[16] = "";

    CHECK(fgets(line, sizeof line, peer) != NULL && line[0] == '+', source);
}

static void peer_waits_for_data(void)
{
    static char data[SENT];
    static OVERLAPPED ov;
    WSABUF buffer = {sizeof data, data};
    FILE *peer;
    SOCKET s = connection_of("reads", &peer);

    CHECK_WSA_PENDS(WSASend(s, &buffer, 1, NULL, 0, &ov, NULL), "setup");
    peer_is_content(peer, "D WSASend: the transport goes on sending");
}

#ifndef __MINGW32__
static void peer_waits_for_room(void)
{
    static char data[RECEIVED];
    static OVERLAPPED ov;
    WSABUF buffer = {sizeof data, data};
    DWORD flags = MSG_WAITALL;
    FILE *peer;
    SOCKET s = connection_of("writes", &peer);

    CHECK_WSA_PENDS(WSARecv(s, &buffer, 1, NULL, &flags, &ov, NULL), "setup");
    peer_is_content(peer, "D WSARecv: the transport fills the buffer");
}
#endif

/* The backlog takes two; the other peers are taken by the AcceptEx calls that wait. */
static void peers_wait_to_be_accepted(void)
{
    enum { PEERS = 5 };
    static OVERLAPPED ovs[PEERS];
    static char buffers[PEERS][2 * ADDRESS_SIZE];
    struct sockaddr_in at;
    SOCKET l = bound_socket();
    HANDLE port = CreateIoCompletionPort((HANDLE)l, NULL, 0, 0);
    DWORD bytes;
    FILE *peer;
    char command[512];
    int i;

    REQUIRE(listen(l, 1) == 0);
    at = name_of(l);
    for (i = 0; i < PEERS; i++)
        CHECK_PENDS(ext()->accept_ex(l, tcp_socket(), buffers[i], 0, ADDRESS_SIZE, ADDRESS_SIZE, &bytes, &ovs[i]), "setup");
    leave_port(port);
    snprintf(command, sizeof command, "\"%s\" connects %d", self, ntohs(at.sin_port));
    peer = popen(command, "r");
    REQUIRE(peer != NULL);
    peer_is_content(peer, "D AcceptEx: a connection that comes is accepted");
}

/* It is at its port all the time, where a packet of its own always waits. */
static void never_empty(BOOL many)
{
    static OVERLAPPED ov;
    static char buffer[2 * ADDRESS_SIZE];
    struct sockaddr_in at;
    SOCKET l = listener(&at), c = tcp_socket();
    HANDLE port = CreateIoCompletionPort((HANDLE)l, NULL, 0, 0);
    OVERLAPPED *taken = NULL;
    ULONG_PTR key;
    DWORD bytes;
    int turns = 0;

    CHECK_PENDS(ext()->accept_ex(l, tcp_socket(), buffer, 0, ADDRESS_SIZE, ADDRESS_SIZE, &bytes, &ov), "setup");
    leave_port(port);
    REQUIRE(connect(c, (struct sockaddr *)&at, sizeof at) == 0);
    REQUIRE(PostQueuedCompletionStatus(port, 0, 0, NULL));
    while (taken != &ov && turns < 1000) {
        OVERLAPPED_ENTRY entry;

        REQUIRE(PostQueuedCompletionStatus(port, 0, 0, NULL));
        if (many) {
            REQUIRE(GetQueuedCompletionStatusEx(port, &entry, 1, &bytes, INFINITE, FALSE));
            taken = entry.lpOverlapped;
        } else {
            REQUIRE(GetQueuedCompletionStatus(port, &bytes, &key, &taken, INFINITE));
        }
        turns++;
    }
    CHECK(turns < 200, "choice: every 61 packets; Windows: first come, first served");
}

static void queue_is_never_empty(void)
{
    never_empty(FALSE);
}

static void queue_is_never_empty_for_many(void)
{
    never_empty(TRUE);
}

static SOCKET connect_to(const char *port)
{
    struct sockaddr_in at = loopback(htons((u_short)atoi(port)));
    SOCKET s = tcp_socket();
    int none = 0;

    REQUIRE(setsockopt(s, SOL_SOCKET, SO_SNDBUF, (char *)&none, sizeof none) == 0);
    REQUIRE(connect(s, (struct sockaddr *)&at, sizeof at) == 0);
    return s;
}

static int peer(const char *role, const char *port)
{
    static char data[SENT];
    SOCKET s = connect_to(port);
    int more = strcmp(role, "connects") == 0 ? 4 : 0;
    int whole = strcmp(role, "reads") == 0 ? SENT : RECEIVED, done = 0, some = 1;

    Sleep(100); /* until the operation is under way; nothing depends on it but what the row shows */
    if (whole == SENT) {
        while (done < whole && (some = recv(s, data, sizeof data, 0)) > 0)
            done += some;
    } else if (more > 0) {
        while (more-- > 0)
            connect_to(port);
        done = whole;
    } else {
        done = send(s, data, whole, 0);
    }
    printf("%s\n", done == whole ? "+" : "-");
    return 0;
}

/* A limit of memory that leaves no room for another thread's stack, and then none. */
static void no_thread_can_be_started(void)
{
#ifndef __MINGW32__
    struct rlimit none;
    struct work *w;
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    int i;

    REQUIRE(getrlimit(RLIMIT_AS, &none) == 0);
    REQUIRE(setrlimit(RLIMIT_AS, &(struct rlimit){1, none.rlim_max}) == 0);
    for (i = 0; i < 3; i++)
        leave_port(port);
    REQUIRE(setrlimit(RLIMIT_AS, &none) == 0);
    CHECK_EQ(i, 3, "D GetQueuedCompletionStatus: the packet is delivered");
    w = receive(NULL);
    while (!HasOverlappedIoCompleted(&w->ov))
        ;
    CHECK_EQ(w->ov.InternalHigh, 1, "D OVERLAPPED");
#endif
}

static const struct {
    const char *name;
    void (*run)(void);
} rows[] = {
    {"has_completed", has_completed},
    {"no_thread_can_be_started", no_thread_can_be_started},
    {"sleeps", sleeps},
    {"yields", yields},
    {"looks_at_connect_time", looks_at_connect_time},
    {"result_without_waiting", result_without_waiting},
    {"wsa_result_without_waiting", wsa_result_without_waiting},
    {"wsa_result_with_waiting", wsa_result_with_waiting},
    {"looks_at_event", looks_at_event},
    {"waits_for_event", waits_for_event},
    {"waits_on_another_port", waits_on_another_port},
    {"has_work_at_two_ports", has_work_at_two_ports},
    {"another_thread_waits", another_thread_waits},
    {"another_thread_spins", another_thread_spins},
    {"peer_waits_for_data", peer_waits_for_data},
#ifndef __MINGW32__ /* Wine 8.0 never fills the buffer */
    {"peer_waits_for_room", peer_waits_for_room},
#endif
    {"peers_wait_to_be_accepted", peers_wait_to_be_accepted},
    {"queue_is_never_empty", queue_is_never_empty},
    {"queue_is_never_empty_for_many", queue_is_never_empty_for_many},
};

/* In its own process, without the watchdog of the others, which is a thread. */
static int run_row(const char *name)
{
    WSADATA data;
    size_t i;

#ifndef __MINGW32__
    alarm(CHECK_WATCHDOG_MS / 1000);
#endif
    check_books()->name = name;
    REQUIRE(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].name, name) == 0)
            rows[i].run();
    return check_books()->failed ? 1 : 0;
}

int main(int argc, char **argv)
{
    size_t i;

    self = argv[0];
    if (argc == 2)
        return run_row(argv[1]);
    if (argc == 3) {
        WSADATA data;
        REQUIRE(WSAStartup(MAKEWORD(2, 2), &data) == 0);
        return peer(argv[1], argv[2]);
    }
    check_begin("elsewhere");
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char command[512];

        snprintf(command, sizeof command, "\"%s\" %s", self, rows[i].name);
        fflush(stdout);
        if (!CHECK_EQ(system(command), 0, "the rows of this file"))
            printf("    %s\n", rows[i].name);
    }
    return check_end();
}

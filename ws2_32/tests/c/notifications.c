/* notifications.c - ProcessSocketNotifications: the readiness of sockets as packets of a completion port. */
#include "check.h"

#define PAGE "D ProcessSocketNotifications"
#define ENTRY "D SOCK_NOTIFY_REGISTRATION"

#define IN_ SOCK_NOTIFY_EVENT_IN
#define OUT_ SOCK_NOTIFY_EVENT_OUT
#define HANGUP SOCK_NOTIFY_EVENT_HANGUP
#define LEVEL (SOCK_NOTIFY_TRIGGER_LEVEL | SOCK_NOTIFY_TRIGGER_PERSISTENT)
#define EDGE (SOCK_NOTIFY_TRIGGER_EDGE | SOCK_NOTIFY_TRIGGER_PERSISTENT)
#define LEVEL_ONCE (SOCK_NOTIFY_TRIGGER_LEVEL | SOCK_NOTIFY_TRIGGER_ONESHOT)

static int key; /* its address is the key of most packets */

static SOCK_NOTIFY_REGISTRATION entry_of(SOCKET s, int operation, int filter, int triggers)
{
    SOCK_NOTIFY_REGISTRATION entry;

    memset(&entry, 0, sizeof entry);
    entry.socket = s;
    entry.completionKey = &key;
    entry.eventFilter = (UINT16)filter;
    entry.operation = (UINT8)operation;
    entry.triggerFlags = (UINT8)triggers;
    entry.registrationResult = CHECK_UNSET;
    return entry;
}

/* One operation on one registration: what came of it. */
static DWORD perform(HANDLE port, SOCKET s, int operation, int filter, int triggers)
{
    SOCK_NOTIFY_REGISTRATION entry = entry_of(s, operation, filter, triggers);
    DWORD result = ProcessSocketNotifications(port, 1, &entry, 0, 0, NULL, NULL);

    return result ? result : entry.registrationResult;
}

static DWORD enable(HANDLE port, SOCKET s, int filter, int triggers)
{
    return perform(port, s, SOCK_NOTIFY_OP_ENABLE, filter, triggers);
}

/* The events of the next packet; -1 if there is none within the time. */
static int next_within(HANDLE port, DWORD ms)
{
    OVERLAPPED_ENTRY entry;
    UINT32 count = CHECK_UNSET;
    DWORD result;

    memset(&entry, 0x55, sizeof entry);
    result = ProcessSocketNotifications(port, 0, NULL, ms, 1, &entry, &count);
    if (result != ERROR_SUCCESS) {
        CHECK_EQ(result, WAIT_TIMEOUT, PAGE);
        CHECK_EQ(count, 0, PAGE);
        return -1;
    }
    CHECK_EQ(count, 1, PAGE);
    CHECK(entry.lpCompletionKey == (ULONG_PTR)&key, ENTRY);
    CHECK(entry.lpOverlapped == NULL, "choice: a notification has no OVERLAPPED");
    return (int)SocketNotificationRetrieveEvents(&entry);
}

static int next(HANDLE port)
{
    return next_within(port, CHECK_WAIT_MS);
}

static int nothing(HANDLE port)
{
    return next_within(port, 0) == -1 && next_within(port, 0) == -1;
}

static void put(SOCKET s, const char *text)
{
    REQUIRE(send(s, text, (int)strlen(text), 0) == (int)strlen(text));
}

static int get(SOCKET s)
{
    char room[64];

    return recv(s, room, sizeof room, 0);
}

static void refusals(void)
{
    HANDLE port = new_port(), other = new_port();
    SOCK_NOTIFY_REGISTRATION two[2];
    SOCKET s = tcp_socket(), gone = tcp_socket();
    OVERLAPPED_ENTRY entry;
    UINT32 count;

    closesocket(gone);
    two[0] = entry_of(gone, SOCK_NOTIFY_OP_ENABLE, IN_, LEVEL);
    two[1] = entry_of(s, SOCK_NOTIFY_OP_ENABLE, IN_, LEVEL);
    CHECK_EQ(ProcessSocketNotifications(port, 2, two, 0, 0, NULL, NULL), ERROR_SUCCESS, ENTRY);
    CHECK_EQ(two[0].registrationResult, WSAENOTSOCK, "choice: each entry says how it went");
    CHECK_EQ(two[1].registrationResult, ERROR_SUCCESS, ENTRY);
    CHECK_EQ(enable(other, s, IN_, LEVEL), WSAEINVAL, "choice: one port at a time");
    CHECK_EQ(perform(other, s, SOCK_NOTIFY_OP_REMOVE, 0, 0), WSAEINVAL, "choice: it is another port's");
    CHECK_EQ(perform(port, s, SOCK_NOTIFY_OP_NONE, 0, 0), ERROR_SUCCESS, ENTRY);
    CHECK_EQ(perform(port, s, SOCK_NOTIFY_OP_ENABLE | SOCK_NOTIFY_OP_DISABLE, IN_, LEVEL), WSAEINVAL, ENTRY);
    CHECK_EQ(enable(port, s, 0x40, LEVEL), WSAEINVAL, "choice: ERR and REMOVE are told unasked");
    CHECK_EQ(enable(port, s, 0x8001, LEVEL), WSAEINVAL, "choice: an unknown event");
    CHECK_EQ(enable(port, s, IN_, 0), WSAEINVAL, "choice: one of each pair of triggers");
    CHECK_EQ(enable(port, s, IN_, SOCK_NOTIFY_TRIGGER_ALL), WSAEINVAL, "choice: one of each pair of triggers");
    CHECK_EQ(enable(port, s, IN_, SOCK_NOTIFY_TRIGGER_EDGE), WSAEINVAL, "choice: one of each pair of triggers");
    CHECK_EQ(enable(port, s, IN_, 0x10 | LEVEL), WSAEINVAL, "choice: an unknown trigger");
    CHECK(nothing(port), "choice: what is refused tells nothing");
    CHECK_EQ(perform(port, s, SOCK_NOTIFY_OP_REMOVE, 0, 0), ERROR_SUCCESS, ENTRY);
    CHECK_EQ(next(port), SOCK_NOTIFY_EVENT_REMOVE, ENTRY);
    CHECK_EQ(perform(port, s, SOCK_NOTIFY_OP_REMOVE, 0, 0), WSAEINVAL, "choice: it is not registered");
    CHECK_EQ(perform(port, s, SOCK_NOTIFY_OP_DISABLE, 0, 0), WSAEINVAL, "choice: it is not registered");
    CHECK_EQ(enable(other, s, IN_, LEVEL), ERROR_SUCCESS, "choice: a removed one may go to another port");

    CHECK_EQ(ProcessSocketNotifications(port, 0, NULL, 0, 0, NULL, NULL), WSAEINVAL, "choice: nothing is asked for");
    CHECK_EQ(ProcessSocketNotifications(port, 0, NULL, 0, 1, NULL, &count), WSAEINVAL, "choice: no room");
    CHECK_EQ(ProcessSocketNotifications(port, 0, NULL, 0, 1, &entry, NULL), WSAEINVAL, "choice: no place");
    CHECK_EQ(ProcessSocketNotifications(NULL, 0, NULL, 0, 1, &entry, &count), ERROR_INVALID_HANDLE,
             "choice: as GetQueuedCompletionStatus");
    CHECK_EQ(ProcessSocketNotifications((HANDLE)s, 0, NULL, 0, 1, &entry, &count), ERROR_INVALID_HANDLE,
             "choice: as GetQueuedCompletionStatus");
    closesocket(s);
    CloseHandle(other);
    CloseHandle(port);
    CHECK_EQ(ProcessSocketNotifications(port, 0, NULL, 0, 1, &entry, &count), ERROR_INVALID_HANDLE,
             "choice: as GetQueuedCompletionStatus");
}

static void levels(void)
{
    HANDLE port = new_port();
    SOCKET a, b;

    tcp_pair(&a, &b);
    CHECK_EQ(enable(port, b, IN_, LEVEL), ERROR_SUCCESS, PAGE);
    CHECK(nothing(port), ENTRY);
    put(a, "one");
    CHECK_EQ(next(port), IN_, ENTRY);
    CHECK_EQ(next(port), IN_, "D SOCK_NOTIFY_REGISTRATION: a level trigger");
    put(a, "two");
    CHECK_EQ(next(port), IN_, ENTRY);
    CHECK_EQ(get(b), 6, "setup");
    CHECK(nothing(port), ENTRY);
    CHECK_EQ(enable(port, b, IN_ | OUT_, LEVEL), ERROR_SUCCESS, ENTRY);
    CHECK_EQ(next(port), OUT_, ENTRY);
    put(a, "three");
    CHECK_EQ(next(port), IN_ | OUT_, ENTRY);
    CHECK_EQ(enable(port, b, SOCK_NOTIFY_REGISTER_EVENT_NONE, LEVEL), ERROR_SUCCESS, ENTRY);
    CHECK(nothing(port), ENTRY);
    close_both(a, b);
    CloseHandle(port);
}

static void edges(void)
{
    HANDLE port = new_port();
    SOCKET a, b;

    tcp_pair(&a, &b);
    CHECK_EQ(enable(port, b, IN_ | OUT_, EDGE), ERROR_SUCCESS, PAGE);
    CHECK_EQ(next(port), OUT_, "choice: what holds at first is told");
    CHECK(nothing(port), "D SOCK_NOTIFY_REGISTRATION: an edge trigger");
    put(a, "one");
    CHECK_EQ(next(port), IN_, ENTRY);
    CHECK(nothing(port), "D SOCK_NOTIFY_REGISTRATION: an edge trigger");
    put(a, "two");
    CHECK_EQ(next(port), IN_, "choice: more data is an edge too");
    CHECK_EQ(get(b), 6, "setup");
    CHECK(nothing(port), ENTRY);
    put(a, "three");
    put(a, "four");
    CHECK_EQ(next(port), IN_, ENTRY);
    CHECK(nothing(port), "choice: one packet waits at most for what it tells");
    close_both(a, b);
    CloseHandle(port);
}

/* A full pipe: room is told when it comes. */
static void room(void)
{
    static char data[65536];
    HANDLE port = new_port();
    SOCKET a, b;
    long long sent = 0, received = 0;
    int n;

    tcp_pair(&a, &b);
    set_nonblocking(a, TRUE);
    CHECK_EQ(enable(port, a, OUT_, EDGE), ERROR_SUCCESS, PAGE);
    CHECK_EQ(next(port), OUT_, ENTRY);
    while ((n = send(a, data, sizeof data, 0)) > 0)
        sent += n;
    CHECK_EQ(WSAGetLastError(), WSAEWOULDBLOCK, "setup");
    CHECK(nothing(port), ENTRY);
    while (received < sent && (n = recv(b, data, sizeof data, 0)) > 0)
        received += n;
    CHECK_EQ(received, sent, "setup");
    CHECK_EQ(next(port), OUT_, ENTRY);
    close_both(a, b);
    CloseHandle(port);
}

static void operations(void)
{
    HANDLE port = new_port();
    SOCKET a, b;

    tcp_pair(&a, &b);
    CHECK_EQ(enable(port, b, IN_, LEVEL_ONCE), ERROR_SUCCESS, PAGE);
    put(a, "one");
    CHECK_EQ(next(port), IN_, ENTRY);
    CHECK(nothing(port), "D SOCK_NOTIFY_REGISTRATION: disabled upon delivery");
    put(a, "two");
    CHECK(nothing(port), "D SOCK_NOTIFY_REGISTRATION: disabled upon delivery");
    CHECK_EQ(enable(port, b, IN_, LEVEL_ONCE), ERROR_SUCCESS, ENTRY);
    CHECK_EQ(next(port), IN_, ENTRY);

    CHECK_EQ(enable(port, b, IN_, LEVEL), ERROR_SUCCESS, ENTRY);
    CHECK_EQ(next(port), IN_, ENTRY);
    CHECK_EQ(perform(port, b, SOCK_NOTIFY_OP_DISABLE, 0, 0), ERROR_SUCCESS, ENTRY);
    put(a, "three");
    CHECK(nothing(port), "D SOCK_NOTIFY_REGISTRATION: disabled");
    CHECK_EQ(enable(port, b, IN_, EDGE), ERROR_SUCCESS, ENTRY);
    put(a, "four");
    CHECK_EQ(perform(port, b, SOCK_NOTIFY_OP_REMOVE, 0, 0), ERROR_SUCCESS, ENTRY);
    CHECK_EQ(next(port), IN_, "choice: what was told before comes before");
    CHECK_EQ(next(port), SOCK_NOTIFY_EVENT_REMOVE, ENTRY);
    put(a, "five");
    CHECK(nothing(port), "D SOCK_NOTIFY_REGISTRATION: no more notifications");
    CHECK_EQ(enable(port, b, IN_, EDGE), ERROR_SUCCESS, "D SOCK_NOTIFY_REGISTRATION: re-registered");
    CHECK_EQ(next(port), IN_, ENTRY);
    closesocket(b);
    CHECK(nothing(port), "choice: a closed socket tells nothing");
    closesocket(a);
    CloseHandle(port);
}

/* A registration that changes while a packet of the former one waits: it tells by itself what holds. */
static void changes(void)
{
    static const int triggers[] = {LEVEL, EDGE, LEVEL_ONCE, SOCK_NOTIFY_TRIGGER_EDGE | SOCK_NOTIFY_TRIGGER_ONESHOT};
    HANDLE port = new_port();
    SOCK_NOTIFY_REGISTRATION entry;
    OVERLAPPED_ENTRY taken;
    UINT32 count;
    SOCKET a, b;
    size_t n;

    tcp_pair(&a, &b);
    put(a, "one");
    CHECK_EQ(enable(port, b, IN_, LEVEL_ONCE), ERROR_SUCCESS, PAGE);
    CHECK_EQ(next(port), IN_, ENTRY);
    for (n = 0; n < sizeof triggers / sizeof triggers[0]; n++) {
        entry = entry_of(b, SOCK_NOTIFY_OP_ENABLE, IN_, LEVEL_ONCE);
        entry.completionKey = &entry;
        CHECK_EQ(ProcessSocketNotifications(port, 1, &entry, 0, 0, NULL, NULL), ERROR_SUCCESS, PAGE);
        CHECK_EQ(enable(port, b, IN_, triggers[n]), ERROR_SUCCESS, PAGE);
        count = 0;
        CHECK_EQ(ProcessSocketNotifications(port, 0, NULL, CHECK_WAIT_MS, 1, &taken, &count), ERROR_SUCCESS, PAGE);
        CHECK(taken.lpCompletionKey == (ULONG_PTR)&entry, "choice: what was told stays told");
        CHECK_EQ(next(port), IN_, "D ProcessSocketNotifications: completionKey is the registration's");
    }
    CHECK_EQ(enable(port, b, IN_, LEVEL_ONCE), ERROR_SUCCESS, PAGE);
    CHECK_EQ(enable(port, b, IN_, LEVEL_ONCE), ERROR_SUCCESS, PAGE);
    CHECK_EQ(next(port), IN_, ENTRY);
    CHECK_EQ(next(port), IN_, "choice: a level that holds is told once for each time that it is asked for");
    CHECK(nothing(port), ENTRY);
    close_both(a, b);
    CloseHandle(port);
}

static void ends(void)
{
    HANDLE port = new_port();
    SOCKET a, b;

    tcp_pair(&a, &b);
    CHECK_EQ(enable(port, b, IN_ | HANGUP, EDGE), ERROR_SUCCESS, PAGE);
    REQUIRE(shutdown(a, SD_SEND) == 0);
    CHECK_EQ(next(port), IN_ | HANGUP, "choice: a receive would not wait for the end of data");
    CHECK(nothing(port), ENTRY);
    CHECK_EQ(get(b), 0, "setup");
    CHECK_EQ(enable(port, b, HANGUP, LEVEL), ERROR_SUCCESS, ENTRY);
    CHECK_EQ(next(port), HANGUP, ENTRY);
    CHECK_EQ(next(port), HANGUP, ENTRY);
    CHECK_EQ(enable(port, b, OUT_, LEVEL), ERROR_SUCCESS, ENTRY);
    CHECK_EQ(next(port), OUT_, "D shutdown: the other half is open");
    close_both(a, b);

    tcp_pair(&a, &b);
    CHECK_EQ(enable(port, b, HANGUP, EDGE), ERROR_SUCCESS, PAGE);
    CHECK(nothing(port), ENTRY);
    close_with_rst(a);
    CHECK_EQ(next(port), HANGUP | SOCK_NOTIFY_EVENT_ERR, "choice: a reset is an end and an error");
    closesocket(b);
    CloseHandle(port);
}

static void connections(void)
{
    HANDLE port = new_port();
    struct sockaddr_in at;
    SOCKET l = listener(&at), s = tcp_socket(), t = tcp_socket(), u = tcp_socket(), taken;

    CHECK_EQ(enable(port, l, IN_, EDGE), ERROR_SUCCESS, PAGE);
    CHECK(nothing(port), ENTRY);
    REQUIRE(connect(t, (struct sockaddr *)&at, sizeof at) == 0);
    CHECK_EQ(next(port), IN_, ENTRY);
    CHECK(nothing(port), ENTRY);
    REQUIRE(connect(u, (struct sockaddr *)&at, sizeof at) == 0);
    taken = accept(l, NULL, NULL);
    REQUIRE(taken != INVALID_SOCKET);
    closesocket(taken);
    CHECK_EQ(next(port), IN_, "choice: another connection waits behind the one that was taken");
    taken = accept(l, NULL, NULL);
    REQUIRE(taken != INVALID_SOCKET);
    closesocket(taken);
    CHECK(nothing(port), ENTRY);
    close_both(t, u);

    CHECK_EQ(enable(port, l, SOCK_NOTIFY_REGISTER_EVENT_NONE, EDGE), ERROR_SUCCESS, PAGE);
    set_nonblocking(s, TRUE);
    CHECK_EQ(enable(port, s, OUT_, LEVEL_ONCE), ERROR_SUCCESS, "choice: before there is a connection");
    CHECK(nothing(port), ENTRY);
    CHECK_FAIL(connect(s, (struct sockaddr *)&at, sizeof at), WSAEWOULDBLOCK, "D connect");
    CHECK_EQ(next(port), OUT_, ENTRY);
    CHECK_EQ(send(s, "x", 1, 0), 1, "D connect");
    closesocket(s);
    closesocket(l);

    l = refusing(&at);
    s = tcp_socket();
    set_nonblocking(s, TRUE);
    CHECK_FAIL(connect(s, (struct sockaddr *)&at, sizeof at), WSAEWOULDBLOCK, "D connect");
    CHECK_EQ(enable(port, s, OUT_, LEVEL_ONCE), ERROR_SUCCESS, PAGE);
    CHECK_EQ(next(port), SOCK_NOTIFY_EVENT_ERR, "choice: a connect that failed is an error");
    close_both(l, s);
    CloseHandle(port);
}

static void datagrams(void)
{
    HANDLE port = new_port();
    SOCKET a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in at;

    REQUIRE(a != INVALID_SOCKET && b != INVALID_SOCKET);
    bind_loopback(b);
    at = name_of(b);
    CHECK_EQ(enable(port, b, IN_, LEVEL), ERROR_SUCCESS, PAGE);
    CHECK(nothing(port), ENTRY);
    REQUIRE(sendto(a, "one", 3, 0, (struct sockaddr *)&at, sizeof at) == 3);
    CHECK_EQ(next(port), IN_, ENTRY);
    CHECK_EQ(next(port), IN_, ENTRY);
    CHECK_EQ(get(b), 3, "setup");
    CHECK(nothing(port), ENTRY);
    CHECK_EQ(enable(port, b, OUT_, LEVEL_ONCE), ERROR_SUCCESS, ENTRY);
    CHECK_EQ(next(port), OUT_, ENTRY);
    close_both(a, b);
    CloseHandle(port);
}

/* Notifications among the packets of operations and of the program. */
static void mixed(void)
{
    HANDLE port = new_port();
    SOCK_NOTIFY_REGISTRATION entry;
    OVERLAPPED_ENTRY taken[4];
    OVERLAPPED ov, *told = NULL;
    DWORD octets = 0, flags = 0;
    ULONG_PTR whose = 0;
    UINT32 count = 0;
    char data[8];
    WSABUF buffer;
    SOCKET a, b;

    tcp_pair(&a, &b);
    REQUIRE(CreateIoCompletionPort((HANDLE)b, port, 7, 0) == port);
    put(a, "one");
    entry = entry_of(b, SOCK_NOTIFY_OP_ENABLE, IN_, LEVEL_ONCE);
    REQUIRE(PostQueuedCompletionStatus(port, 1, 2, NULL));
    CHECK_EQ(ProcessSocketNotifications(port, 1, &entry, CHECK_WAIT_MS, 4, taken, &count), ERROR_SUCCESS, PAGE);
    CHECK_EQ(count, 2, "choice: what registering finds is there to be taken");
    CHECK_EQ(taken[0].lpCompletionKey, 2, PAGE);
    CHECK(taken[1].lpCompletionKey == (ULONG_PTR)&key, PAGE);
    CHECK_EQ(SocketNotificationRetrieveEvents(&taken[1]), IN_, PAGE);
    CHECK_EQ(get(b), 3, "setup");

    CHECK_EQ(enable(port, b, IN_, LEVEL_ONCE), ERROR_SUCCESS, PAGE);
    memset(&ov, 0, sizeof ov);
    buffer.buf = data;
    buffer.len = sizeof data;
    CHECK_WSA_PENDS(WSARecv(b, &buffer, 1, NULL, &flags, &ov, NULL), "D WSARecv");
    put(a, "two");
    CHECK(GetQueuedCompletionStatus(port, &octets, &whose, &told, CHECK_WAIT_MS), "D WSARecv");
    CHECK_EQ(whose, 7, "choice: data that a receive takes is not told");
    CHECK_EQ(octets, 3, "D WSARecv");
    CHECK(told == &ov, "D WSARecv");
    put(a, "three");
    CHECK(GetQueuedCompletionStatus(port, &octets, &whose, &told, CHECK_WAIT_MS), PAGE);
    CHECK_EQ(octets, IN_, PAGE);
    CHECK(whose == (ULONG_PTR)&key && told == NULL, PAGE);
    close_both(a, b);
    CloseHandle(port);
}

/* ---- several threads, one-shot registrations: every octet comes back, and every registration ends ---- */

#define SOCKETS 8
#define ROUNDS 40
#define WORKERS 3

struct ends {
    SOCKET here, there;
};

static struct {
    HANDLE port;
    struct ends ends[SOCKETS];
    volatile LONG removed;
} echo;

static void arm(struct ends *ends, int operation)
{
    SOCK_NOTIFY_REGISTRATION entry = entry_of(ends->there, operation, IN_ | HANGUP, LEVEL_ONCE);

    entry.completionKey = ends;
    CHECK_EQ(ProcessSocketNotifications(echo.port, 1, &entry, 0, 0, NULL, NULL), ERROR_SUCCESS, PAGE);
    CHECK_EQ(entry.registrationResult, ERROR_SUCCESS, PAGE);
}

static DWORD WINAPI serve(void *unused)
{
    OVERLAPPED_ENTRY taken[2];
    UINT32 count, n;
    (void)unused;

    for (;;) {
        if (ProcessSocketNotifications(echo.port, 0, NULL, INFINITE, 2, taken, &count) != ERROR_SUCCESS)
            return 1;
        for (n = 0; n < count; n++) {
            struct ends *ends = (struct ends *)taken[n].lpCompletionKey;
            UINT32 events = SocketNotificationRetrieveEvents(&taken[n]);
            char octet;

            if (!ends) {
                PostQueuedCompletionStatus(echo.port, 0, 0, NULL);
                return 0;
            }
            if (events & SOCK_NOTIFY_EVENT_REMOVE) {
                if (InterlockedIncrement(&echo.removed) == SOCKETS)
                    PostQueuedCompletionStatus(echo.port, 0, 0, NULL);
                continue;
            }
            if (recv(ends->there, &octet, 1, 0) == 1) {
                CHECK_EQ(send(ends->there, &octet, 1, 0), 1, PAGE);
                arm(ends, SOCK_NOTIFY_OP_ENABLE);
            } else {
                arm(ends, SOCK_NOTIFY_OP_REMOVE);
            }
        }
    }
}

static void many(void)
{
    HANDLE workers[WORKERS];
    int n, round;

    echo.port = new_port();
    for (n = 0; n < SOCKETS; n++) {
        tcp_pair(&echo.ends[n].here, &echo.ends[n].there);
        arm(&echo.ends[n], SOCK_NOTIFY_OP_ENABLE);
    }
    for (n = 0; n < WORKERS; n++)
        workers[n] = CreateThread(NULL, 0, serve, NULL, 0, NULL);
    for (round = 0; round < ROUNDS; round++) {
        for (n = 0; n < SOCKETS; n++)
            REQUIRE(send(echo.ends[n].here, "x", 1, 0) == 1);
        for (n = 0; n < SOCKETS; n++)
            REQUIRE(get(echo.ends[n].here) == 1);
    }
    for (n = 0; n < SOCKETS; n++)
        REQUIRE(shutdown(echo.ends[n].here, SD_SEND) == 0);
    CHECK_EQ(WaitForMultipleObjects(WORKERS, workers, TRUE, CHECK_WAIT_MS), WAIT_OBJECT_0, PAGE);
    CHECK_EQ(echo.removed, SOCKETS, ENTRY);
    for (n = 0; n < WORKERS; n++)
        CloseHandle(workers[n]);
    for (n = 0; n < SOCKETS; n++)
        close_both(echo.ends[n].here, echo.ends[n].there);
    CloseHandle(echo.port);
}

int main(void)
{
    check_begin("notifications");
    refusals();
    levels();
    edges();
    room();
    operations();
    changes();
    ends();
    connections();
    datagrams();
    mixed();
    many();
    return check_end();
}

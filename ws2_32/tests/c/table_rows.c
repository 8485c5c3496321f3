/*
 * table_rows.c - which rows the tables of iphlpapi have: sockets that take both families, what waits in a backlog, pairs
 * that linsock and the kernel hold, the size that is told, what netstat-like programs and those that wait for TIME_WAIT
 * rely on; and that all of it is there when the main thread has ended.
 */
#include "check.h"
#include <iphlpapi.h>

enum kind { TCP4, TCP6, UDP4, UDP6 };

/* The rows of a table that have this local port. */
struct found {
    DWORD count, listening, time_wait, others, owner, left_to;
    BOOL any, loopback; /* the address of the last that is no connection: others' may have the same port */
};

static DWORD ask(enum kind kind, void *table, DWORD *size)
{
    switch (kind) {
    case TCP4: return GetExtendedTcpTable(table, size, TRUE, AF_INET, TCP_TABLE_OWNER_PID_ALL, 0);
    case TCP6: return GetExtendedTcpTable(table, size, TRUE, AF_INET6, TCP_TABLE_OWNER_PID_ALL, 0);
    case UDP4: return GetExtendedUdpTable(table, size, TRUE, AF_INET, UDP_TABLE_OWNER_PID, 0);
    default: return GetExtendedUdpTable(table, size, TRUE, AF_INET6, UDP_TABLE_OWNER_PID, 0);
    }
}

static void count(struct found *found, DWORD state, DWORD owner, BOOL any, BOOL loopback)
{
    found->count++;
    found->listening += state == MIB_TCP_STATE_LISTEN;
    found->time_wait += state == MIB_TCP_STATE_TIME_WAIT;
    found->others += state != MIB_TCP_STATE_LISTEN && state != MIB_TCP_STATE_TIME_WAIT;
    if (state == MIB_TCP_STATE_LISTEN || state == 0) {
        found->owner = owner;
        found->any = any;
        found->loopback = loopback;
    }
    if (state == MIB_TCP_STATE_TIME_WAIT)
        found->left_to |= owner;
}

static struct found rows_at(enum kind kind, u_short port)
{
    struct found found = { 0 };
    void *table = NULL;
    DWORD size = 0, error, i;

    while ((error = ask(kind, table, &size)) == ERROR_INSUFFICIENT_BUFFER)
        table = realloc(table, size);
    CHECK_EQ(error, NO_ERROR, "D GetExtendedTcpTable, GetExtendedUdpTable");
#define ROWS(type, is_any, is_loopback, state) do { \
        type *t = table; \
        for (i = 0; error == NO_ERROR && i < t->dwNumEntries; i++) \
            if (t->table[i].dwLocalPort == port) \
                count(&found, state, t->table[i].dwOwningPid, is_any, is_loopback); \
    } while (0)
#define ANY4 (t->table[i].dwLocalAddr == 0)
#define LOOP4 (t->table[i].dwLocalAddr == htonl(INADDR_LOOPBACK))
#define ANY6 IN6_IS_ADDR_UNSPECIFIED((struct in6_addr *)t->table[i].ucLocalAddr)
#define LOOP6 IN6_IS_ADDR_LOOPBACK((struct in6_addr *)t->table[i].ucLocalAddr)
    switch (kind) {
    case TCP4: ROWS(MIB_TCPTABLE_OWNER_PID, ANY4, LOOP4, t->table[i].dwState); break;
    case TCP6: ROWS(MIB_TCP6TABLE_OWNER_PID, ANY6, LOOP6, t->table[i].dwState); break;
    case UDP4: ROWS(MIB_UDPTABLE_OWNER_PID, ANY4, LOOP4, 0); break;
    case UDP6: ROWS(MIB_UDP6TABLE_OWNER_PID, ANY6, LOOP6, 0); break;
    }
    free(table);
    return found;
}

static SOCKET of_both(int type, const char *ip, u_short *port)
{
    struct sockaddr_in6 at = { .sin6_family = AF_INET6 };
    SOCKET s = socket(AF_INET6, type, 0);
    DWORD off = 0;
    int len = sizeof at;

    if (s == INVALID_SOCKET)
        return s;
    REQUIRE(setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, (const char *)&off, sizeof off) == 0);
    REQUIRE(inet_pton(AF_INET6, ip, &at.sin6_addr) == 1);
    REQUIRE(bind(s, (struct sockaddr *)&at, sizeof at) == 0);
    REQUIRE(type != SOCK_STREAM || listen(s, 5) == 0);
    REQUIRE(getsockname(s, (struct sockaddr *)&at, &len) == 0);
    *port = at.sin6_port;
    return s;
}

static void both_families(void)
{
    u_short port, mapped, datagrams, mapped_datagrams;
    SOCKET l = of_both(SOCK_STREAM, "::", &port), m, u, v;
    struct found found;

    if (l == INVALID_SOCKET) {
        printf("skipped: both_families needs IPv6\n");
        return;
    }
    m = of_both(SOCK_STREAM, "::ffff:127.0.0.1", &mapped);
    u = of_both(SOCK_DGRAM, "::", &datagrams);
    v = of_both(SOCK_DGRAM, "::ffff:127.0.0.1", &mapped_datagrams);
    found = rows_at(TCP6, port);
    CHECK(found.listening == 1 && found.any, "D IPV6_V6ONLY: a listener of both families");
    found = rows_at(TCP4, port);
    CHECK(found.listening == 1 && found.any, "choice: ... is in both tables, as netstat shows it");
    CHECK_EQ(found.owner, GetCurrentProcessId(), "D MIB_TCPROW_OWNER_PID: dwOwningPid");
    found = rows_at(UDP6, datagrams);
    CHECK(found.count == 1 && found.any, "D IPV6_V6ONLY: a socket for datagrams of both families");
    found = rows_at(UDP4, datagrams);
    CHECK(found.count == 1 && found.any, "choice: ... is in both tables, as netstat shows it");
    CHECK_EQ(rows_at(TCP6, mapped).listening, 0, "choice: an address that is mapped is one of IPv4");
    found = rows_at(TCP4, mapped);
    CHECK(found.listening == 1 && found.loopback, "choice: an address that is mapped is one of IPv4");
    CHECK_EQ(rows_at(UDP6, mapped_datagrams).count, 0, "choice: an address that is mapped is one of IPv4");
    found = rows_at(UDP4, mapped_datagrams);
    CHECK(found.count == 1 && found.loopback, "choice: an address that is mapped is one of IPv4");
    closesocket(l);
    closesocket(m);
    closesocket(u);
    closesocket(v);
    /* By default a socket of IPv6 is of IPv6 alone (IPV6_V6ONLY page). */
    l = socket(AF_INET6, SOCK_STREAM, 0);
    REQUIRE(bind(l, (struct sockaddr *)&(struct sockaddr_in6){ .sin6_family = AF_INET6 }, sizeof(struct sockaddr_in6)) == 0);
    REQUIRE(listen(l, 5) == 0);
    {
        struct sockaddr_in6 at;
        int len = sizeof at;

        REQUIRE(getsockname(l, (struct sockaddr *)&at, &len) == 0);
        CHECK_EQ(rows_at(TCP6, at.sin6_port).listening, 1, "D IPV6_V6ONLY: on by default");
        CHECK_EQ(rows_at(TCP4, at.sin6_port).listening, 0, "D IPV6_V6ONLY: on by default");
    }
    closesocket(l);
}

static void backlog(void)
{
    struct sockaddr_in at, own;
    SOCKET l = listener(&at), client = tcp_socket(), server;
    MIB_TCPTABLE2 *table = NULL;
    ULONG size = 0;
    DWORD i, seen = 0;

    REQUIRE(connect(client, (struct sockaddr *)&at, sizeof at) == 0);
    own = name_of(client);
    while (GetTcpTable2(table, &size, TRUE) == ERROR_INSUFFICIENT_BUFFER)
        table = realloc(table, size);
    for (i = 0; i < table->dwNumEntries; i++)
        if (table->table[i].dwLocalPort == at.sin_port && table->table[i].dwRemotePort == own.sin_port) {
            seen++;
            CHECK_EQ(table->table[i].dwOwningPid, GetCurrentProcessId(), "D MIB_TCPROW2: who \"issued a context bind\"");
        }
    CHECK_EQ(seen, 1, "D GetTcpTable2: what nobody has accepted yet");
    free(table);
    server = accept_one(l);
    closesocket(l);
    close_both(client, server);
}

/* A loop that many programs have: until nothing of ours is left. */
static void time_wait(void)
{
    struct sockaddr_in at;
    SOCKET client = bound_socket(), l = listener(&at), server;
    u_short port = name_of(client).sin_port;
    struct found found;
    DWORD begin = GetTickCount();
    char octet;

    REQUIRE(connect(client, (struct sockaddr *)&at, sizeof at) == 0);
    server = accept_one(l);
    REQUIRE(shutdown(client, SD_SEND) == 0 && recv(server, &octet, 1, 0) == 0);
    closesocket(server);
    REQUIRE(recv(client, &octet, 1, 0) == 0);
    closesocket(client);
    do
        found = rows_at(TCP4, port);
    while (found.others != 0 && GetTickCount() - begin < CHECK_WAIT_MS);
    CHECK(found.count == 1 && found.time_wait == 1, "D MIB_TCP_STATE_TIME_WAIT: who closed first, once");
    CHECK_EQ(found.left_to, 0, "choice: a pair in TIME_WAIT is nobody's");
    CHECK_EQ(rows_at(TCP4, at.sin_port).listening, 1, "D MIB_TCP_STATE_LISTEN");
    closesocket(l);
}

/* The same over IPv4 with sockets of IPv6. */
static void time_wait_of_both(void)
{
    struct sockaddr_in at;
    struct sockaddr_in6 to = { .sin6_family = AF_INET6 }, own = { .sin6_family = AF_INET6 };
    SOCKET client = socket(AF_INET6, SOCK_STREAM, 0), l = listener(&at), server;
    struct found found;
    DWORD off = 0, begin = GetTickCount();
    int len = sizeof own;
    char octet;

    if (client == INVALID_SOCKET) {
        printf("skipped: time_wait_of_both needs IPv6\n");
        return;
    }
    /* linsock holds the pair of a port that the program has chosen. */
    own.sin6_port = name_of(server = bound_socket()).sin_port;
    closesocket(server);
    REQUIRE(setsockopt(client, IPPROTO_IPV6, IPV6_V6ONLY, (const char *)&off, sizeof off) == 0);
    REQUIRE(bind(client, (struct sockaddr *)&own, len) == 0);
    REQUIRE(inet_pton(AF_INET6, "::ffff:127.0.0.1", &to.sin6_addr) == 1);
    to.sin6_port = at.sin_port;
    REQUIRE(connect(client, (struct sockaddr *)&to, sizeof to) == 0);
    server = accept_one(l);
    REQUIRE(shutdown(client, SD_SEND) == 0 && recv(server, &octet, 1, 0) == 0);
    closesocket(server);
    REQUIRE(recv(client, &octet, 1, 0) == 0);
    closesocket(client);
    do
        found = rows_at(TCP4, own.sin6_port);
    while (found.others != 0 && GetTickCount() - begin < CHECK_WAIT_MS);
    CHECK(found.count == 1 && found.time_wait == 1, "D MIB_TCP_STATE_TIME_WAIT: over IPv4");
    CHECK_EQ(rows_at(TCP6, own.sin6_port).count, 0, "choice: what is mapped is IPv4's, in every table");
    closesocket(l);
}

static void sizes(void)
{
    DWORD size, needed, rows = 0, i, again;
    BOOL exact = FALSE;
    char *table;
    SOCKET client[8], server[8];

    /* Two calls, as the example of the page has them: what comes in between has room. */
    for (i = again = 0; i < 8; i++) {
        size = 0;
        CHECK_EQ(ask(TCP4, NULL, &size), ERROR_INSUFFICIENT_BUFFER, "D GetExtendedTcpTable");
        tcp_pair(&client[i], &server[i]);
        table = malloc(size);
        again += ask(TCP4, table, &size) == NO_ERROR;
        free(table);
    }
    CHECK(again >= 4, "choice: the size that is told has room for rows that come");
    /* One octet is missing, or none, while others' connections do not come and go. */
    for (i = 0; i < 200 && !exact; i++) {
        size = 0;
        ask(TCP4, NULL, &size);
        table = malloc(size + 1);
        exact = ask(TCP4, table + 1, &size) == NO_ERROR; /* at an odd address */
        memcpy(&rows, table + 1, sizeof rows);
        needed = sizeof(DWORD) + rows * sizeof(MIB_TCPROW_OWNER_PID);
        size = needed - 1;
        exact = exact && ask(TCP4, table + 1, &size) == ERROR_INSUFFICIENT_BUFFER;
        free(table);
        table = malloc(needed);
        size = needed;
        exact = exact && ask(TCP4, table, &size) == NO_ERROR;
        free(table);
    }
    CHECK(exact, "D GetExtendedTcpTable: an octet is missing; exactly enough");
    for (i = 0; i < 8; i++)
        close_both(client[i], server[i]);
}

static void counted(void)
{
    MIB_TCPSTATS stats;
    MIB_TCPTABLE *table = NULL;
    SOCKET l[64];
    struct sockaddr_in at;
    ULONG size = 0;
    DWORD i, tries, connections;

    for (i = 0; i < 64; i++)
        l[i] = listener(&at);
    for (tries = 0; tries < 100; tries++) { /* others' connections come and go */
        while (GetTcpTable(table, &size, TRUE) == ERROR_INSUFFICIENT_BUFFER)
            table = realloc(table, size);
        REQUIRE(GetTcpStatistics(&stats) == NO_ERROR);
        for (i = connections = 0; i < table->dwNumEntries; i++)
            connections += table->table[i].dwState != MIB_TCP_STATE_LISTEN;
        if (stats.dwNumConns < connections + 32 && connections < stats.dwNumConns + 32)
            break;
    }
    CHECK(tries < 100, "D MIB_TCPSTATS: dwNumConns, \"in all states except listening\"");
    free(table);
    for (i = 0; i < 64; i++)
        closesocket(l[i]);
}

/* Programs ask so for the interface of the default route. */
static void the_way_out(void)
{
    DWORD best = 0, error = GetBestInterface(INADDR_ANY, &best);
    struct sockaddr_in6 any = { .sin6_family = AF_INET6 };

    CHECK(error == ERROR_NETWORK_UNREACHABLE || (error == NO_ERROR && best != if_nametoindex("lo")),
          "choice: the way to 0.0.0.0 is the default route");
    if (error == NO_ERROR) {
        DWORD same = 0;

        CHECK_EQ(GetBestInterface(INADDR_BROADCAST, &same), NO_ERROR, "D GetBestInterface");
        CHECK_EQ(same, best, "choice: everybody is that way");
    }
    error = GetBestInterfaceEx((struct sockaddr *)&any, &best);
    CHECK(error == ERROR_NETWORK_UNREACHABLE || error == NO_ERROR, "choice: of IPv6 too");
    CHECK_EQ(GetAdaptersInfo(NULL, NULL), ERROR_INVALID_PARAMETER, "D GetAdaptersInfo: no size");
    CHECK_EQ(GetAdaptersAddresses(AF_UNSPEC, 0, NULL, NULL, NULL), ERROR_INVALID_PARAMETER, "D GetAdaptersAddresses: no size");
}

static HANDLE main_thread;

/* The kernel's files of a process are those of its main thread. */
static DWORD WINAPI the_rest(void *unused)
{
    struct sockaddr_in at;
    MIB_TCPSTATS stats = { .dwInSegs = 0 };
    struct found found;
    SOCKET l;

    UNREFERENCED_PARAMETER(unused);
    REQUIRE(WaitForSingleObject(main_thread, CHECK_WAIT_MS) == WAIT_OBJECT_0);
    l = listener(&at);
    found = rows_at(TCP4, at.sin_port);
    CHECK_EQ(found.listening, 1, "choice: the tables are there when the main thread has ended");
    CHECK_EQ(found.owner, GetCurrentProcessId(), "choice: ... and the owners");
    CHECK_EQ(GetTcpStatistics(&stats), NO_ERROR, "choice: ... and the counters");
    CHECK(stats.dwInSegs > 0, "choice: ... and the counters");
    closesocket(l);
    exit(check_end());
    return 0;
}

int main(void)
{
    HANDLE own = GetCurrentProcess();

    check_begin("table_rows");
    both_families();
    backlog();
    time_wait();
    time_wait_of_both();
    sizes();
    counted();
    the_way_out();
    REQUIRE(DuplicateHandle(own, GetCurrentThread(), own, &main_thread, 0, FALSE, DUPLICATE_SAME_ACCESS));
    REQUIRE(CreateThread(NULL, 0, the_rest, NULL, 0, NULL) != NULL);
    ExitThread(0);
}

/*
 * tcp_tables.c - everybody's connections and their states, counters, and the end of a connection from outside.
 */
#include "check.h"
#include <iphlpapi.h>
#include <ws2tcpip.h>


/* A table, in memory that is as large as the call says: connections of others come and go meanwhile. */
#define TABLE(table, call) do { \
    ULONG size_ = 0, error_; \
    (table) = NULL; \
    while ((error_ = call) == ERROR_INSUFFICIENT_BUFFER) \
        (table) = realloc(table, size_); \
    CHECK_EQ(error_, NO_ERROR, "D " #call); \
    REQUIRE((table) != NULL); \
} while (0)

/* What is looked for: both ends of IPv4, in network order. */
struct ends {
    DWORD local, local_port, remote, remote_port;
};

static struct ends ends_of(SOCKET s, BOOL connected)
{
    struct sockaddr_in own = name_of(s), peer = { 0 };
    int len = sizeof peer;
    struct ends ends = { own.sin_addr.s_addr, own.sin_port, 0, 0 };

    if (connected) {
        REQUIRE(getpeername(s, (struct sockaddr *)&peer, &len) == 0);
        ends.remote = peer.sin_addr.s_addr;
        ends.remote_port = peer.sin_port;
    }
    return ends;
}

#define IS(row, ends) ((row).dwLocalAddr == (ends).local && (row).dwLocalPort == (ends).local_port \
                       && (row).dwRemoteAddr == (ends).remote && (row).dwRemotePort == (ends).remote_port)

/* The state of a connection; 0: there is none. */
static DWORD state_of(struct ends ends)
{
    MIB_TCPTABLE *table;
    DWORD i, state = 0;

    TABLE(table, GetTcpTable(table, &size_, TRUE));
    for (i = 0; i < table->dwNumEntries; i++)
        if (IS(table->table[i], ends))
            state = table->table[i].dwState;
    free(table);
    return state;
}

/* The kernel's other half may be a moment behind. */
static BOOL comes_to(struct ends ends, DWORD state)
{
    DWORD begin = GetTickCount();

    while (state_of(ends) != state)
        if (GetTickCount() - begin > CHECK_WAIT_MS)
            return FALSE;
    return TRUE;
}

static void states(void)
{
    struct sockaddr_in at;
    SOCKET l = listener(&at), client, server;
    struct ends listens = ends_of(l, FALSE), of_client, of_server;
    char octet;

    CHECK_EQ(state_of(listens), MIB_TCP_STATE_LISTEN, "D MIB_TCPROW: a listener");
    tcp_pair(&client, &server);
    of_client = ends_of(client, TRUE);
    of_server = ends_of(server, TRUE);
    CHECK_EQ(state_of(of_client), MIB_TCP_STATE_ESTAB, "D MIB_TCPROW: connected");
    CHECK_EQ(state_of(of_server), MIB_TCP_STATE_ESTAB, "D MIB_TCPROW: the other end");
    REQUIRE(shutdown(client, SD_SEND) == 0);
    CHECK(comes_to(of_server, MIB_TCP_STATE_CLOSE_WAIT), "D MIB_TCPROW: the peer has closed");
    CHECK(comes_to(of_client, MIB_TCP_STATE_FIN_WAIT2), "D MIB_TCPROW: half-closed and acknowledged");
    CHECK_EQ(recv(server, &octet, 1, 0), 0, "D recv: the peer's end");
    close_both(server, client);
    CHECK(comes_to(of_client, MIB_TCP_STATE_TIME_WAIT), "D MIB_TCPROW: who closed first");
    CHECK(comes_to(of_server, 0), "D MIB_TCPROW: who closed last leaves nothing");
    closesocket(l);
    CHECK(comes_to(listens, 0), "D MIB_TCPROW: a listener that is closed");
}

/* Rows of each kind that are this process's. */
#define FIND(type, family, class, match, found, pid) do { \
    type *table_; \
    DWORD i_; \
    (found) = 0; \
    (pid) = 0; \
    TABLE(table_, GetExtendedTcpTable(table_, &size_, TRUE, family, class, 0)); \
    for (i_ = 0; i_ < table_->dwNumEntries; i_++) \
        if (match(table_->table[i_])) { \
            (found)++; \
            (pid) = table_->table[i_].dwOwningPid; \
        } \
    free(table_); \
} while (0)

static struct ends wanted;
#define IS_WANTED(row) IS(row, wanted)

static void classes(void)
{
    static const TCP_TABLE_CLASS pid[] = { TCP_TABLE_OWNER_PID_LISTENER, TCP_TABLE_OWNER_PID_CONNECTIONS,
                                           TCP_TABLE_OWNER_PID_ALL };
    static const TCP_TABLE_CLASS module[] = { TCP_TABLE_OWNER_MODULE_LISTENER, TCP_TABLE_OWNER_MODULE_CONNECTIONS,
                                              TCP_TABLE_OWNER_MODULE_ALL };
    static const BOOL has[2][3] = { { TRUE, FALSE, TRUE }, { FALSE, TRUE, TRUE } };
    struct sockaddr_in at;
    SOCKET l = listener(&at), client, server;
    MIB_TCPTABLE2 *second;
    MIB_TCPTABLE *basic;
    DWORD found, owner, i, k;

    tcp_pair(&client, &server);
    for (k = 0; k < 2; k++) {
        wanted = k == 0 ? ends_of(l, FALSE) : ends_of(client, TRUE);
        for (i = 0; i < 3; i++) {
            FIND(MIB_TCPTABLE_OWNER_PID, AF_INET, pid[i], IS_WANTED, found, owner);
            CHECK_EQ(found, has[k][i], "D TCP_TABLE_CLASS: listeners, connections, all");
            CHECK_EQ(owner, has[k][i] ? GetCurrentProcessId() : 0, "D MIB_TCPROW_OWNER_PID: dwOwningPid");
            FIND(MIB_TCPTABLE_OWNER_MODULE, AF_INET, module[i], IS_WANTED, found, owner);
            CHECK_EQ(found, has[k][i], "D TCP_TABLE_CLASS: listeners, connections, all");
            CHECK_EQ(owner, has[k][i] ? GetCurrentProcessId() : 0, "D MIB_TCPROW_OWNER_MODULE: dwOwningPid");
        }
        TABLE(second, GetTcpTable2(second, &size_, FALSE));
        for (i = found = 0; i < second->dwNumEntries; i++)
            if (IS(second->table[i], wanted)) {
                found++;
                CHECK_EQ(second->table[i].dwOwningPid, GetCurrentProcessId(), "D MIB_TCPROW2: dwOwningPid");
                CHECK_EQ(second->table[i].dwOffloadState, TcpConnectionOffloadStateInHost, "C MIB_TCPROW2");
            }
        CHECK_EQ(found, 1, "D GetTcpTable2");
        free(second);
    }
    TABLE(basic, GetExtendedTcpTable(basic, &size_, TRUE, AF_INET, TCP_TABLE_BASIC_CONNECTIONS, 0));
    for (i = 0; i < basic->dwNumEntries; i++)
        CHECK(basic->table[i].dwState != MIB_TCP_STATE_LISTEN, "D TCP_TABLE_BASIC_CONNECTIONS");
    for (i = 1; i < basic->dwNumEntries; i++)
        CHECK(ntohl(basic->table[i - 1].dwLocalAddr) <= ntohl(basic->table[i].dwLocalAddr), "D GetTcpTable: Order");
    free(basic);
    close_both(client, server);
    closesocket(l);
}

static DWORD port_of_six;
#define IS_SIX(row) ((row).dwLocalPort == port_of_six && (row).dwState == MIB_TCP_STATE_LISTEN)

static void six(void)
{
    struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
    SOCKET l = socket(AF_INET6, SOCK_STREAM, 0);
    MIB_TCP6TABLE *basic;
    MIB_TCP6TABLE2 *second;
    DWORD found, owner, i;
    int len = sizeof at;

    if (l == INVALID_SOCKET || bind(l, (struct sockaddr *)&at, len) != 0) {
        printf("skipped: six needs IPv6\n");
        return;
    }
    REQUIRE(listen(l, 1) == 0 && getsockname(l, (struct sockaddr *)&at, &len) == 0);
    port_of_six = at.sin6_port;
    FIND(MIB_TCP6TABLE_OWNER_PID, AF_INET6, TCP_TABLE_OWNER_PID_ALL, IS_SIX, found, owner);
    CHECK_EQ(found, 1, "D MIB_TCP6ROW_OWNER_PID");
    CHECK_EQ(owner, GetCurrentProcessId(), "D MIB_TCP6ROW_OWNER_PID: dwOwningPid");
    FIND(MIB_TCP6TABLE_OWNER_MODULE, AF_INET6, TCP_TABLE_OWNER_MODULE_LISTENER, IS_SIX, found, owner);
    CHECK_EQ(found, 1, "D MIB_TCP6ROW_OWNER_MODULE");
    CHECK_EQ(owner, GetCurrentProcessId(), "D MIB_TCP6ROW_OWNER_MODULE: dwOwningPid");
    TABLE(basic, GetTcp6Table(basic, &size_, TRUE));
    for (i = found = 0; i < basic->dwNumEntries; i++)
        if (basic->table[i].dwLocalPort == port_of_six && basic->table[i].State == MIB_TCP_STATE_LISTEN
            && IN6_IS_ADDR_LOOPBACK(&basic->table[i].LocalAddr) && basic->table[i].dwRemotePort == 0)
            found++;
    CHECK_EQ(found, 1, "D MIB_TCP6ROW");
    free(basic);
    TABLE(second, GetTcp6Table2(second, &size_, TRUE));
    for (i = found = 0; i < second->dwNumEntries; i++)
        if (second->table[i].dwLocalPort == port_of_six && second->table[i].State == MIB_TCP_STATE_LISTEN
            && second->table[i].dwOwningPid == GetCurrentProcessId())
            found++;
    CHECK_EQ(found, 1, "D MIB_TCP6ROW2");
    free(second);
    closesocket(l);
}

/* Rows of a table of UDP that are at this port; those with an owner have this process. */
#define COUNT_UDP(type, family, class, port, owner, found) do { \
    type *table_; \
    DWORD i_; \
    (found) = 0; \
    TABLE(table_, GetExtendedUdpTable(table_, &size_, TRUE, family, class, 0)); \
    for (i_ = 0; i_ < table_->dwNumEntries; i_++) \
        if (table_->table[i_].dwLocalPort == (port) && (owner)) \
            (found)++; \
    free(table_); \
} while (0)
#define OWN (table_->table[i_].dwOwningPid == GetCurrentProcessId())

static void datagrams(void)
{
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0), t = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
    MIB_UDPTABLE *four;
    MIB_UDP6TABLE *all;
    DWORD port, found, i;
    int len = sizeof at;

    bind_loopback(s);
    port = name_of(s).sin_port;
    COUNT_UDP(MIB_UDPTABLE, AF_INET, UDP_TABLE_BASIC, port, TRUE, found);
    CHECK_EQ(found, 1, "D UDP_TABLE_BASIC");
    COUNT_UDP(MIB_UDPTABLE_OWNER_PID, AF_INET, UDP_TABLE_OWNER_PID, port, OWN, found);
    CHECK_EQ(found, 1, "D UDP_TABLE_OWNER_PID");
    COUNT_UDP(MIB_UDPTABLE_OWNER_MODULE, AF_INET, UDP_TABLE_OWNER_MODULE, port, OWN, found);
    CHECK_EQ(found, 1, "D UDP_TABLE_OWNER_MODULE");
    TABLE(four, GetUdpTable(four, &size_, TRUE));
    for (i = found = 0; i < four->dwNumEntries; i++)
        if (four->table[i].dwLocalPort == port && four->table[i].dwLocalAddr == htonl(INADDR_LOOPBACK))
            found++;
    CHECK_EQ(found, 1, "D GetUdpTable");
    free(four);
    closesocket(s);
    if (t == INVALID_SOCKET || bind(t, (struct sockaddr *)&at, len) != 0) {
        printf("skipped: the rest of datagrams needs IPv6\n");
        return;
    }
    REQUIRE(getsockname(t, (struct sockaddr *)&at, &len) == 0);
    port = at.sin6_port;
    COUNT_UDP(MIB_UDP6TABLE_OWNER_PID, AF_INET6, UDP_TABLE_OWNER_PID, port, OWN, found);
    CHECK_EQ(found, 1, "D UDP_TABLE_OWNER_PID, IPv6");
    COUNT_UDP(MIB_UDP6TABLE_OWNER_MODULE, AF_INET6, UDP_TABLE_OWNER_MODULE, port, OWN, found);
    CHECK_EQ(found, 1, "D UDP_TABLE_OWNER_MODULE, IPv6");
    TABLE(all, GetUdp6Table(all, &size_, TRUE));
    for (i = found = 0; i < all->dwNumEntries; i++)
        if (all->table[i].dwLocalPort == port && IN6_IS_ADDR_LOOPBACK(&all->table[i].dwLocalAddr))
            found++;
    CHECK_EQ(found, 1, "D GetUdp6Table");
    free(all);
    closesocket(t);
}

static void refused(void)
{
    MIB_TCPTABLE table;
    ULONG size = 0, large = 1 << 24;

    CHECK_EQ(GetTcpTable(NULL, &size, TRUE), ERROR_INSUFFICIENT_BUFFER, "D GetTcpTable: no room");
    CHECK(size >= sizeof(DWORD), "D GetTcpTable: the size that is needed");
    CHECK_EQ(GetTcpTable((MIB_TCPTABLE *)8, &large, TRUE), ERROR_NOACCESS, "C GetTcpTable: no memory there");
    CHECK_EQ(GetTcpTable(&table, (ULONG *)8, TRUE), ERROR_NOACCESS, "C GetTcpTable: no memory there");
    CHECK_EQ(GetTcpStatistics((MIB_TCPSTATS *)8), ERROR_NOACCESS, "C GetTcpStatistics: no memory there");
    CHECK_EQ(SetTcpEntry((MIB_TCPROW *)8), ERROR_INVALID_PARAMETER, "C SetTcpEntry: no memory there");
    CHECK_EQ(GetIpAddrTable((MIB_IPADDRTABLE *)8, &large, TRUE), ERROR_NOACCESS, "C GetIpAddrTable: no memory there");
    CHECK_EQ(GetTcpTable(&table, NULL, TRUE), ERROR_INVALID_PARAMETER, "D GetTcpTable: no size");
    CHECK_EQ(GetExtendedTcpTable(NULL, &size, TRUE, AF_UNSPEC, TCP_TABLE_BASIC_ALL, 0), ERROR_INVALID_PARAMETER,
             "D GetExtendedTcpTable: the family");
    CHECK_EQ(GetExtendedTcpTable(NULL, &size, TRUE, AF_INET, (TCP_TABLE_CLASS)9, 0), ERROR_INVALID_PARAMETER,
             "D GetExtendedTcpTable: the class");
    CHECK_EQ(GetExtendedTcpTable(NULL, &size, TRUE, AF_INET6, TCP_TABLE_BASIC_ALL, 0), ERROR_NOT_SUPPORTED,
             "C GetExtendedTcpTable: a basic class of IPv6");
    CHECK_EQ(GetExtendedUdpTable(NULL, &size, TRUE, AF_INET, (UDP_TABLE_CLASS)3, 0), ERROR_INVALID_PARAMETER,
             "D GetExtendedUdpTable: the class");
    CHECK_EQ(GetExtendedUdpTable(NULL, &size, TRUE, 99, UDP_TABLE_BASIC, 0), ERROR_INVALID_PARAMETER,
             "D GetExtendedUdpTable: the family");
    CHECK_EQ(GetTcpStatistics(NULL), ERROR_INVALID_PARAMETER, "D GetTcpStatistics");
    CHECK_EQ(GetUdpStatistics(NULL), ERROR_INVALID_PARAMETER, "D GetUdpStatistics");
    CHECK_EQ(GetTcpStatisticsEx((MIB_TCPSTATS *)&table, 99), ERROR_INVALID_PARAMETER, "D GetTcpStatisticsEx");
    CHECK_EQ(GetUdpStatisticsEx((MIB_UDPSTATS *)&table, 99), ERROR_INVALID_PARAMETER, "D GetUdpStatisticsEx");
}

static void statistics(void)
{
    MIB_TCPSTATS before, after, six;
    MIB_UDPSTATS datagrams, more;
    SOCKET client, server, s = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in at;

    CHECK_EQ(GetTcpStatistics(&before), NO_ERROR, "D GetTcpStatistics");
    tcp_pair(&client, &server);
    CHECK_EQ(GetTcpStatisticsEx(&after, AF_INET), NO_ERROR, "D GetTcpStatisticsEx");
    CHECK(after.dwActiveOpens - before.dwActiveOpens >= 1, "D MIB_TCPSTATS: dwActiveOpens");
    CHECK(after.dwPassiveOpens - before.dwPassiveOpens >= 1, "D MIB_TCPSTATS: dwPassiveOpens");
    CHECK(after.dwInSegs - before.dwInSegs >= 3, "D MIB_TCPSTATS: dwInSegs");
    CHECK(after.dwNumConns >= 2, "D MIB_TCPSTATS: dwNumConns");
    CHECK(after.dwRtoMin > 0 && after.dwRtoMin < after.dwRtoMax, "D MIB_TCPSTATS: milliseconds");
    CHECK_EQ(GetTcpStatisticsEx(&six, AF_INET6), NO_ERROR, "D GetTcpStatisticsEx");
    close_both(client, server);
    bind_loopback(s);
    at = name_of(s);
    CHECK_EQ(GetUdpStatistics(&datagrams), NO_ERROR, "D GetUdpStatistics");
    REQUIRE(sendto(s, "x", 1, 0, (struct sockaddr *)&at, sizeof at) == 1);
    CHECK_EQ(GetUdpStatisticsEx(&more, AF_INET), NO_ERROR, "D GetUdpStatisticsEx");
    CHECK(more.dwOutDatagrams - datagrams.dwOutDatagrams >= 1, "D MIB_UDPSTATS: dwOutDatagrams");
    CHECK(more.dwNumAddrs >= 1, "D MIB_UDPSTATS: dwNumAddrs");
    CHECK_EQ(GetUdpStatisticsEx(&more, AF_INET6), NO_ERROR, "D GetUdpStatisticsEx");
    closesocket(s);
}

static void ended_from_outside(void)
{
    SOCKET client, server;
    struct ends ends;
    MIB_TCPROW row;
    DWORD error;
    char octet;

    tcp_pair(&client, &server);
    ends = ends_of(client, TRUE);
    row.dwState = MIB_TCP_STATE_ESTAB;
    row.dwLocalAddr = ends.local;
    row.dwLocalPort = ends.local_port;
    row.dwRemoteAddr = ends.remote;
    row.dwRemotePort = ends.remote_port;
    CHECK_EQ(SetTcpEntry(&row), ERROR_INVALID_PARAMETER, "D SetTcpEntry: only MIB_TCP_STATE_DELETE_TCB");
    CHECK_EQ(SetTcpEntry(NULL), ERROR_INVALID_PARAMETER, "D SetTcpEntry");
    row.dwState = MIB_TCP_STATE_DELETE_TCB;
    row.dwRemotePort = 0;
    CHECK_EQ(SetTcpEntry(&row), ERROR_NOT_FOUND, "C SetTcpEntry: no such connection");
    check_transfer(client, server, "D SetTcpEntry: a refused call changes nothing");
    row.dwRemotePort = ends.remote_port;
    error = SetTcpEntry(&row);
    if (error != NO_ERROR) {
        CHECK(error == ERROR_ACCESS_DENIED || error == ERROR_NOT_SUPPORTED, "D SetTcpEntry: for administrators");
        printf("skipped: ended_from_outside needs CAP_NET_ADMIN\n");
        close_both(client, server);
        return;
    }
    CHECK_FAIL(recv(client, &octet, 1, 0), WSAECONNABORTED, "D SetTcpEntry: the connection is over here");
    CHECK_FAIL(recv(server, &octet, 1, 0), WSAECONNRESET, "C SetTcpEntry: and its peer sees a reset");
    CHECK(comes_to(ends, 0), "D SetTcpEntry: nothing is left of it");
    close_both(client, server);
}

static void addresses(void)
{
    MIB_IPADDRTABLE *table;
    DWORD i, found = 0, count = 0, best = 0, lo = if_nametoindex("lo");
    struct sockaddr_in four = loopback(0);
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
    struct sockaddr strange = { .sa_family = 99 };

    TABLE(table, GetIpAddrTable(table, &size_, TRUE));
    for (i = 0; i < table->dwNumEntries; i++)
        if (table->table[i].dwAddr == htonl(INADDR_LOOPBACK)) {
            found++;
            CHECK_EQ(table->table[i].dwMask, htonl(0xff000000), "D MIB_IPADDRROW: dwMask");
            CHECK_EQ(table->table[i].dwIndex, lo, "D MIB_IPADDRROW: dwIndex");
            CHECK_EQ(table->table[i].dwReasmSize, 65535, "D MIB_IPADDRROW: dwReasmSize");
            CHECK(table->table[i].wType & MIB_IPADDR_PRIMARY, "D MIB_IPADDRROW: wType");
        }
    CHECK_EQ(found, 1, "D GetIpAddrTable");
    CHECK_EQ(GetNumberOfInterfaces(&count), NO_ERROR, "D GetNumberOfInterfaces");
    CHECK(count >= 1, "D GetNumberOfInterfaces: with loopback");
    CHECK_EQ(GetNumberOfInterfaces(NULL), ERROR_INVALID_PARAMETER, "D GetNumberOfInterfaces");
    CHECK_EQ(GetBestInterface(htonl(INADDR_LOOPBACK), &best), NO_ERROR, "D GetBestInterface");
    CHECK_EQ(best, lo, "D GetBestInterface");
    CHECK_EQ(GetBestInterface(htonl(INADDR_LOOPBACK), NULL), ERROR_INVALID_PARAMETER, "D GetBestInterface");
    best = 0;
    CHECK_EQ(GetBestInterfaceEx((struct sockaddr *)&four, &best), NO_ERROR, "D GetBestInterfaceEx");
    CHECK_EQ(best, lo, "D GetBestInterfaceEx");
    best = 0;
    if (GetBestInterfaceEx((struct sockaddr *)&six, &best) == NO_ERROR)
        CHECK_EQ(best, lo, "D GetBestInterfaceEx: IPv6");
    CHECK_EQ(GetBestInterfaceEx(&strange, &best), ERROR_INVALID_PARAMETER, "D GetBestInterfaceEx: the family");
    CHECK_EQ(GetBestInterfaceEx(NULL, &best), ERROR_INVALID_PARAMETER, "D GetBestInterfaceEx: no address");
    free(table);
}

static void adapters(void)
{
    IP_ADAPTER_INFO *list = NULL, *one;
    IP_ADDR_STRING *at;
    struct in_addr address;
    ULONG size = 0, error, count = 0;

    CHECK_EQ(GetAdaptersInfo(NULL, NULL) == NO_ERROR, FALSE, "D GetAdaptersInfo: no size");
    while ((error = GetAdaptersInfo(list, &size)) == ERROR_BUFFER_OVERFLOW)
        list = realloc(list, size);
    if (error == ERROR_NO_DATA) {
        printf("skipped: adapters needs one besides loopback\n");
        return;
    }
    CHECK_EQ(error, NO_ERROR, "D GetAdaptersInfo");
    for (one = list; one != NULL; one = one->Next, count++) {
        CHECK(if_nametoindex(one->AdapterName) == one->Index, "C IP_ADAPTER_INFO: AdapterName");
        CHECK(one->Type != MIB_IF_TYPE_LOOPBACK, "D GetAdaptersInfo: without loopback");
        CHECK(one->AddressLength <= MAX_ADAPTER_ADDRESS_LENGTH, "D IP_ADAPTER_INFO: AddressLength");
        for (at = &one->IpAddressList; at != NULL; at = at->Next) {
            CHECK_EQ(inet_pton(AF_INET, at->IpAddress.String, &address), 1, "D IP_ADDR_STRING: IpAddress");
            CHECK_EQ(inet_pton(AF_INET, at->IpMask.String, &address), 1, "D IP_ADDR_STRING: IpMask");
        }
    }
    CHECK(count >= 1, "D GetAdaptersInfo");
    free(list);
}

int main(void)
{
    check_begin("tcp_tables");
    states();
    classes();
    six();
    datagrams();
    refused();
    statistics();
    ended_from_outside();
    addresses();
    adapters();
    return check_end();
}

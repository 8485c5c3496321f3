/* Options of the levels IPPROTO_IP, IPPROTO_IPV6 and IPPROTO_TCP that are the kernel's to mean, and multicast groups. */
#include "check.h"
#include <mstcpip.h>

#define IP_PAGE "D IPPROTO_IP socket options"
#define IP6_PAGE "D IPPROTO_IPV6 socket options"
#define TCP_PAGE "D IPPROTO_TCP socket options"

static int get_int(SOCKET s, int level, int option)
{
    int value = 0x5a5a5a5a, length = sizeof value;

    return getsockopt(s, level, option, (char *)&value, &length) == 0 && length == sizeof value ? value : -2;
}

static int set_int(SOCKET s, int level, int option, int value)
{
    return setsockopt(s, level, option, (char *)&value, sizeof value);
}

struct option {
    int level, name, initial, good, bad; /* bad: a value out of range, or ANY if there is none */
    const char *source;
};
enum { ANY = 0x7ABCDEF };

static void check_options(SOCKET s, const struct option *list, size_t count)
{
    for (; count > 0; count--, list++) {
        CHECK_EQ(get_int(s, list->level, list->name), list->initial, list->source);
        CHECK_EQ(set_int(s, list->level, list->name, list->good), 0, list->source);
        CHECK_EQ(get_int(s, list->level, list->name), list->good, list->source);
        if (list->bad == ANY)
            continue;
        CHECK_FAIL(set_int(s, list->level, list->name, list->bad), WSAEINVAL, list->source);
        CHECK_EQ(get_int(s, list->level, list->name), list->good, "choice: a refused call changes nothing");
    }
}

static const struct option of_ip[] = {
    { IPPROTO_IP, IP_TTL, 64, 7, 0, IP_PAGE ", IP_TTL; choice: the initial value is this kernel's" },
    { IPPROTO_IP, IP_TTL, 7, 255, 256, IP_PAGE ", IP_TTL" },
    { IPPROTO_IP, IP_TOS, 0, 0x10, 256, IP_PAGE ", IP_TOS" },
    { IPPROTO_IP, IP_DONTFRAGMENT, 0, 1, ANY, IP_PAGE ", IP_DONTFRAGMENT" },
    { IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_NOT_SET, IP_PMTUDISC_DO, IP_PMTUDISC_MAX, IP_PAGE ", IP_MTU_DISCOVER" },
    { IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO, IP_PMTUDISC_DONT, -1, IP_PAGE ", IP_MTU_DISCOVER" },
    { IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT, IP_PMTUDISC_PROBE, ANY, IP_PAGE ", IP_MTU_DISCOVER" },
};
static const struct option of_ip6[] = {
    { IPPROTO_IPV6, IPV6_UNICAST_HOPS, 64, 9, 0, IP6_PAGE ", IPV6_UNICAST_HOPS; choice: the initial value is this kernel's" },
    { IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9, -1, 256, IP6_PAGE ", IPV6_UNICAST_HOPS" },
    { IPPROTO_IPV6, IPV6_DONTFRAG, 0, 1, ANY, IP6_PAGE ", IPV6_DONTFRAG" },
    { IPPROTO_IPV6, IPV6_MTU_DISCOVER, IP_PMTUDISC_NOT_SET, IP_PMTUDISC_PROBE, IP_PMTUDISC_MAX, IP6_PAGE ", IPV6_MTU_DISCOVER" },
    { IPPROTO_IPV6, IPV6_TCLASS, 0, 0xB8, 256, "D RFC 3542, IPV6_TCLASS" },
};
/* What a WSARecvMsg is to tell, and where datagrams leave. */
static const struct option of_datagrams[] = {
    { IPPROTO_IP, IP_RECVTTL, 0, 1, ANY, IP_PAGE ", IP_RECVTTL" },
    { IPPROTO_IP, IP_RECVTOS, 0, 1, ANY, IP_PAGE ", IP_RECVTOS" },
    { IPPROTO_IP, IP_UNICAST_IF, 0, 0x01000000, ANY, IP_PAGE ", IP_UNICAST_IF: network byte order" },
};
static const struct option of_datagrams6[] = {
    { IPPROTO_IPV6, IPV6_HOPLIMIT, 0, 1, ANY, IP6_PAGE ", IPV6_HOPLIMIT" },
    { IPPROTO_IPV6, IPV6_RECVTCLASS, 0, 1, ANY, IP6_PAGE ", IPV6_RECVTCLASS" },
    { IPPROTO_IPV6, IPV6_UNICAST_IF, 0, 1, ANY, IP6_PAGE ", IPV6_UNICAST_IF: host byte order" },
};
/* Of what Linux does always, and what only saves time. */
static const struct option of_ports[] = {
    { SOL_SOCKET, SO_RANDOMIZE_PORT, 0, 1, ANY, "D SOL_SOCKET socket options, SO_RANDOMIZE_PORT" },
    { SOL_SOCKET, SO_PORT_SCALABILITY, 0, 1, ANY, "D SO_PORT_SCALABILITY" },
};
static const struct option of_streams[] = {
    { SOL_SOCKET, SO_REUSE_UNICASTPORT, 0, 1, ANY, "D SOL_SOCKET socket options, SO_REUSE_UNICASTPORT" },
    { IPPROTO_TCP, TCP_FASTOPEN, 0, 1, ANY, TCP_PAGE ", TCP_FASTOPEN" },
};
static const struct option of_tcp[] = {
    { IPPROTO_TCP, TCP_KEEPIDLE, 7200, 30, 0, TCP_PAGE ", TCP_KEEPIDLE" },
    { IPPROTO_TCP, TCP_KEEPCNT, 9, 5, 256, TCP_PAGE ", TCP_KEEPCNT; choice: the initial value is this kernel's" },
    { IPPROTO_TCP, TCP_KEEPINTVL, 75, 3, 0, TCP_PAGE ", TCP_KEEPINTVL; choice: the initial value is this kernel's" },
    { IPPROTO_TCP, TCP_MAXRT, 0, 20, 0x40000000, TCP_PAGE ", TCP_MAXRT" },
    { IPPROTO_TCP, TCP_MAXRT, 20, -1, ANY, TCP_PAGE ", TCP_MAXRT: for ever" },
    { IPPROTO_TCP, TCP_MAXRTMS, 0, 1500, ANY, TCP_PAGE ", TCP_MAXRTMS" },
};
static const struct option of_multicast[] = {
    { IPPROTO_IP, IP_MULTICAST_TTL, 1, 3, 256, IP_PAGE ", IP_MULTICAST_TTL" },
    { IPPROTO_IP, IP_MULTICAST_LOOP, 1, 0, ANY, IP_PAGE ", IP_MULTICAST_LOOP" },
};
static const struct option of_multicast6[] = {
    { IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1, 3, 256, IP6_PAGE ", IPV6_MULTICAST_HOPS" },
    { IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1, 0, ANY, IP6_PAGE ", IPV6_MULTICAST_LOOP" },
};
#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static void values(void)
{
    SOCKET tcp = tcp_socket(), tcp6 = socket(AF_INET6, SOCK_STREAM, 0);
    SOCKET udp = socket(AF_INET, SOCK_DGRAM, 0), udp6 = socket(AF_INET6, SOCK_DGRAM, 0);

    check_options(tcp, of_ip, COUNT(of_ip));
    check_options(udp, of_ip, COUNT(of_ip));
    check_options(tcp, of_tcp, COUNT(of_tcp));
    check_options(tcp6, of_tcp, COUNT(of_tcp));
    check_options(tcp6, of_ip6, COUNT(of_ip6));
    check_options(udp6, of_ip6, COUNT(of_ip6));
    check_options(udp, of_datagrams, COUNT(of_datagrams));
    check_options(udp6, of_datagrams6, COUNT(of_datagrams6));
    check_options(tcp, of_ports, COUNT(of_ports));
    check_options(udp, of_ports, COUNT(of_ports));
    check_options(tcp, of_streams, COUNT(of_streams));
    check_options(tcp6, of_streams, COUNT(of_streams));
    check_options(udp, of_multicast, COUNT(of_multicast));
    check_options(udp6, of_multicast6, COUNT(of_multicast6));
    close_both(tcp, tcp6);
    close_both(udp, udp6);
}

/* Many programs give the limit of hops for groups as one octet, as Asio does, whose tests run on Windows. */
static void one_octet(SOCKET s)
{
    static const char *const T = "T Asio src/tests/unit/ip/multicast.cpp";
    unsigned char hops = 5, got[4] = { 9, 9, 9, 9 };
    int length = 1;

    CHECK_EQ(setsockopt(s, IPPROTO_IP, IP_MULTICAST_TTL, (char *)&hops, 1), 0, T);
    CHECK_EQ(getsockopt(s, IPPROTO_IP, IP_MULTICAST_TTL, (char *)got, &length), 0, T);
    CHECK(length == 1 && got[0] == 5 && got[1] == 9, T);
    CHECK_EQ(get_int(s, IPPROTO_IP, IP_MULTICAST_TTL), 5, IP_PAGE ", IP_MULTICAST_TTL");
    CHECK_EQ(set_int(s, IPPROTO_IP, IP_MULTICAST_TTL, 1), 0, IP_PAGE ", IP_MULTICAST_TTL");
    length = 0;
    CHECK_FAIL(setsockopt(s, IPPROTO_IP, IP_MULTICAST_TTL, (char *)&hops, 0), WSAEFAULT, "D setsockopt");
    CHECK_FAIL(getsockopt(s, IPPROTO_IP, IP_MULTICAST_TTL, (char *)got, &length), WSAEFAULT, "D getsockopt");
}

/* Which sockets have which. */
static void foreign(void)
{
    static const struct { int level, name, of_tcp, of_tcp6, of_udp, of_udp6; } list[] = {
        { IPPROTO_IP, IP_TTL, 1, 1, 1, 1 },
        { IPPROTO_IPV6, IPV6_UNICAST_HOPS, 0, 1, 0, 1 },
        { IPPROTO_TCP, TCP_KEEPIDLE, 1, 1, 0, 0 },
        { IPPROTO_IP, IP_MULTICAST_TTL, 0, 0, 1, 1 },
        { IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 0, 0, 0, 1 },
        { IPPROTO_IP, 12345, 0, 0, 0, 0 },
    };
    SOCKET s[4];
    unsigned i, j;

    s[0] = tcp_socket();
    s[1] = socket(AF_INET6, SOCK_STREAM, 0);
    s[2] = socket(AF_INET, SOCK_DGRAM, 0);
    s[3] = socket(AF_INET6, SOCK_DGRAM, 0);
    for (i = 0; i < COUNT(list); i++) {
        const int has[4] = { list[i].of_tcp, list[i].of_tcp6, list[i].of_udp, list[i].of_udp6 };

        for (j = 0; j < 4; j++)
            if (has[j]) {
                CHECK_EQ(set_int(s[j], list[i].level, list[i].name, 5), 0, "choice: where it means something");
            } else {
                CHECK_FAIL(set_int(s[j], list[i].level, list[i].name, 5), WSAENOPROTOOPT, "D setsockopt");
                CHECK_EQ(get_int(s[j], list[i].level, list[i].name), -2, "D getsockopt");
            }
    }
    for (j = 2; j < 4; j++)
        one_octet(s[j]);
    CHECK_FAIL(setsockopt(s[0], IPPROTO_IP, IP_TTL, "", 1), WSAEFAULT, "D setsockopt: optlen is too small");
    for (j = 0; j < 4; j++)
        closesocket(s[j]);
}

/* What is set before there is a connection, on the listener too, holds for the connection, and for the next on the same handle. */
static void survive(void)
{
    SOCKET l, client, server;
    struct tcp_keepalive times = { 1, 45000, 2000 };
    DWORD bytes;

    l = listener(&(struct sockaddr_in){ 0 });
    CHECK_EQ(set_int(l, IPPROTO_TCP, TCP_KEEPIDLE, 33), 0, TCP_PAGE);
    client = bound_socket();
    CHECK_EQ(set_int(client, IPPROTO_IP, IP_TTL, 11), 0, IP_PAGE);
    server = tcp_socket();
    CHECK_EQ(set_int(server, IPPROTO_IP, IP_TTL, 12), 0, IP_PAGE);
    REQUIRE(ex_connect(l, server, client));
    CHECK_EQ(setsockopt(server, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&l, sizeof l), 0, "D SO_UPDATE_ACCEPT_CONTEXT");
    CHECK_EQ(get_int(server, IPPROTO_TCP, TCP_KEEPIDLE), 33, "D SO_UPDATE_ACCEPT_CONTEXT: the listener's options");
    CHECK_EQ(get_int(server, IPPROTO_IP, IP_TTL), 12, "choice: what was set on the accepting socket stays");
    CHECK_EQ(WSAIoctl(server, SIO_KEEPALIVE_VALS, &times, sizeof times, NULL, 0, &bytes, NULL, NULL), 0, "D SIO_KEEPALIVE_VALS");
    CHECK_EQ(get_int(server, IPPROTO_TCP, TCP_KEEPIDLE), 45, "D SIO_KEEPALIVE_VALS, TCP_KEEPIDLE: the same time, in seconds");
    CHECK_EQ(get_int(server, IPPROTO_TCP, TCP_KEEPINTVL), 2, "D SIO_KEEPALIVE_VALS, TCP_KEEPINTVL");
    CHECK(ex_recycle(client, server), "T .NET DisconnectTest");
    CHECK(ex_connect(l, server, client), "S 000");
    CHECK_EQ(get_int(client, IPPROTO_IP, IP_TTL), 11, "choice: options survive reuse");
    check_transfer(client, server, "S 000");
    close_both(client, server);
    closesocket(l);
}

/* A datagram to a group reaches who has joined it on the interface, until it is left. */
static void group(void)
{
    SOCKET receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in at = { .sin_family = AF_INET };
    struct ip_mreq joined;
    char text[8];

    limit_waits(receiver);
    REQUIRE(bind(receiver, (struct sockaddr *)&at, sizeof at) == 0);
    at = name_of(receiver);
    joined.imr_multiaddr.s_addr = at.sin_addr.s_addr = inet_addr("239.192.77.1");
    joined.imr_interface.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(setsockopt(receiver, IPPROTO_IP, IP_ADD_MEMBERSHIP, (char *)&joined, sizeof joined), 0, IP_PAGE);
    CHECK_EQ(setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, (char *)&joined.imr_interface, 4), 0, IP_PAGE);
    CHECK_EQ(get_int(sender, IPPROTO_IP, IP_MULTICAST_IF), (int)joined.imr_interface.s_addr, IP_PAGE);
    CHECK_EQ(sendto(sender, "hello", 5, 0, (struct sockaddr *)&at, sizeof at), 5, IP_PAGE);
    CHECK_EQ(recv(receiver, text, sizeof text, 0), 5, IP_PAGE ", IP_ADD_MEMBERSHIP");
    CHECK_EQ(setsockopt(receiver, IPPROTO_IP, IP_DROP_MEMBERSHIP, (char *)&joined, sizeof joined), 0, IP_PAGE);
    CHECK_FAIL(setsockopt(receiver, IPPROTO_IP, IP_DROP_MEMBERSHIP, (char *)&joined, sizeof joined), WSAEADDRNOTAVAIL, "choice: it is in no such group");
    joined.imr_multiaddr.s_addr = inet_addr("10.0.0.1");
    CHECK_FAIL(setsockopt(receiver, IPPROTO_IP, IP_ADD_MEMBERSHIP, (char *)&joined, sizeof joined), WSAEINVAL, "choice: that is no group");
    CHECK_FAIL(setsockopt(receiver, IPPROTO_IP, IP_ADD_MEMBERSHIP, (char *)&joined, 7), WSAEFAULT, "D setsockopt");
    CHECK_EQ(getsockopt(receiver, IPPROTO_IP, IP_ADD_MEMBERSHIP, text, &(int){ 8 }), SOCKET_ERROR, IP_PAGE ": only set");
    close_both(receiver, sender);
}

/* Only from one sender; Windows has the members in another order than Linux. */
static void group_of_one_source(void)
{
    SOCKET receiver = socket(AF_INET, SOCK_DGRAM, 0), good, bad;
    struct sockaddr_in at = { .sin_family = AF_INET }, from = loopback(0);
    struct ip_mreq_source joined;
    char text[8];

    limit_waits(receiver);
    REQUIRE(bind(receiver, (struct sockaddr *)&at, sizeof at) == 0);
    at = name_of(receiver);
    joined.imr_multiaddr.s_addr = at.sin_addr.s_addr = inet_addr("232.1.77.1");
    joined.imr_sourceaddr.s_addr = inet_addr("127.0.0.2");
    joined.imr_interface.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(setsockopt(receiver, IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, (char *)&joined, sizeof joined), 0, IP_PAGE);
    bad = socket(AF_INET, SOCK_DGRAM, 0);
    good = socket(AF_INET, SOCK_DGRAM, 0);
    REQUIRE(bind(bad, (struct sockaddr *)&from, sizeof from) == 0);
    from.sin_addr = joined.imr_sourceaddr;
    REQUIRE(bind(good, (struct sockaddr *)&from, sizeof from) == 0);
    CHECK_EQ(setsockopt(bad, IPPROTO_IP, IP_MULTICAST_IF, (char *)&joined.imr_interface, 4), 0, IP_PAGE);
    CHECK_EQ(setsockopt(good, IPPROTO_IP, IP_MULTICAST_IF, (char *)&joined.imr_interface, 4), 0, IP_PAGE);
    CHECK_EQ(sendto(bad, "bad", 3, 0, (struct sockaddr *)&at, sizeof at), 3, IP_PAGE);
    CHECK_EQ(sendto(good, "good", 4, 0, (struct sockaddr *)&at, sizeof at), 4, IP_PAGE);
    CHECK_EQ(recv(receiver, text, sizeof text, 0), 4, IP_PAGE ", IP_ADD_SOURCE_MEMBERSHIP: only from that source");
    CHECK_EQ(setsockopt(receiver, IPPROTO_IP, IP_DROP_SOURCE_MEMBERSHIP, (char *)&joined, sizeof joined), 0, IP_PAGE);
    closesocket(receiver);
    close_both(good, bad);
}

/* Whether a socket of this machine is in the group on the loopback interface: the kernel's list. */
static int is_joined(const char *group)
{
    FILE *list = fopen("/proc/net/igmp6", "r");
    char line[128];
    int found = 0;

    REQUIRE(list != NULL);
    while (!found && fgets(line, sizeof line, list) != NULL)
        found = strncmp(line, "1 ", 2) == 0 && strstr(line, group) != NULL;
    fclose(list);
    return found;
}

/* The same over IPv6, by both kinds of request; the loopback interface has the index 1 on both systems. Joined and left, by
 * the kernel's list: Linux has no route for such datagrams on its loopback. */
static void group6(int by_group_req)
{
    SOCKET receiver = socket(AF_INET6, SOCK_DGRAM, 0);
    struct ipv6_mreq joined = { .ipv6mr_interface = 1 };
    struct group_req request = { .gr_interface = 1 };
    struct sockaddr_in6 group = { .sin6_family = AF_INET6 };
    const char *value = by_group_req ? (char *)&request : (char *)&joined;
    int length = by_group_req ? sizeof request : sizeof joined;
    int join = by_group_req ? MCAST_JOIN_GROUP : IPV6_ADD_MEMBERSHIP, leave = by_group_req ? MCAST_LEAVE_GROUP : IPV6_DROP_MEMBERSHIP;
    unsigned own = GetCurrentProcessId();
    char text[48], listed[48];

    sprintf(text, "ff01::77:%x:%x", own >> 16 & 0xffff, own & 0xffff);
    sprintf(listed, "ff01000000000000000000770%03x%04x", own >> 16 & 0xfff, own & 0xffff);
    REQUIRE(inet_pton(AF_INET6, text, &group.sin6_addr) == 1);
    joined.ipv6mr_multiaddr = group.sin6_addr;
    memcpy(&request.gr_group, &group, sizeof group);
    CHECK(!is_joined(listed), "choice: nobody else has it");
    CHECK_EQ(setsockopt(receiver, IPPROTO_IPV6, join, value, length), 0, IP6_PAGE ", IPV6_ADD_MEMBERSHIP");
    CHECK(is_joined(listed), IP6_PAGE ", IPV6_ADD_MEMBERSHIP");
    CHECK_EQ(set_int(receiver, IPPROTO_IPV6, IPV6_MULTICAST_IF, 1), 0, IP6_PAGE ", IPV6_MULTICAST_IF");
    CHECK_EQ(setsockopt(receiver, IPPROTO_IPV6, leave, value, length), 0, IP6_PAGE ", IPV6_DROP_MEMBERSHIP");
    CHECK(!is_joined(listed), IP6_PAGE ", IPV6_DROP_MEMBERSHIP");
    CHECK_FAIL(setsockopt(receiver, IPPROTO_IPV6, join, value, 19), WSAEFAULT, "D setsockopt: optlen is too small");
    closesocket(receiver);
}

int main(void)
{
    check_begin("ip_options");
    values();
    foreign();
    survive();
    group();
    group_of_one_source();
    group6(0);
    group6(1);
    return check_end();
}

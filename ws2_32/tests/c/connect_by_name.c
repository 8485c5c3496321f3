/*
 * connect_by_name.c - WSAConnectByName and WSAConnectByList; nothing here needs a network.
 */
#include "check.h"

#define BAD ((void *)16)

static const char *const NAME = "D WSAConnectByNameA";
static const char *const LIST = "D WSAConnectByList";

/* An IPv6 socket; one that is not only for IPv6 takes mapped IPv4 addresses too. */
static SOCKET v6_socket(BOOL only)
{
    DWORD value = (DWORD)only;
    SOCKET s = socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);

    REQUIRE(s != INVALID_SOCKET);
    REQUIRE(setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, (const char *)&value, sizeof value) == 0);
    return s;
}

static struct sockaddr_in6 mapped(const struct sockaddr_in *v4)
{
    struct sockaddr_in6 v6;

    memset(&v6, 0, sizeof v6);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = v4->sin_port;
    memset(&v6.sin6_addr.s6_addr[10], 0xff, 2);
    memcpy(&v6.sin6_addr.s6_addr[12], &v4->sin_addr, 4);
    return v6;
}

static void port_text(char *text, const struct sockaddr_in *at)
{
    sprintf(text, "%u", ntohs(at->sin_port));
}

/* The connection is one: what is sent arrives, and the context can be updated. */
static void is_connected(SOCKET s, SOCKET l, const char *source)
{
    SOCKET peer = accept_one(l);
    char octet = 0;

    CHECK(peer != INVALID_SOCKET, source);
    limit_waits(peer);
    CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0), 0, "D WSAConnectByName: the option that follows");
    CHECK_EQ(send(s, "x", 1, 0), 1, source);
    CHECK_EQ(recv(peer, &octet, 1, 0), 1, source);
    CHECK_EQ(octet, 'x', source);
    closesocket(peer);
}

static void by_name(void)
{
    struct sockaddr_in at, local, remote, name;
    SOCKET l = listener(&at), s = tcp_socket();
    DWORD local_length = sizeof local, remote_length = sizeof remote;
    WCHAR wide[8];
    char port[8] = "";
    unsigned i;

    port_text(port, &at);
    CHECK_EQ(WSAConnectByNameA(s, "127.0.0.1", port, &local_length, (SOCKADDR *)&local, &remote_length,
                               (SOCKADDR *)&remote, NULL, NULL), TRUE, NAME);
    is_connected(s, l, NAME);
    name = name_of(s);
    CHECK(local_length == sizeof local && memcmp(&local, &name, sizeof local) == 0, "D WSAConnectByNameA: LocalAddress");
    CHECK(remote_length == sizeof remote && memcmp(&remote, &at, sizeof remote) == 0,
          "D WSAConnectByNameA: RemoteAddress");
    CHECK_FALSE(WSAConnectByNameA(s, "127.0.0.1", port, NULL, NULL, NULL, NULL, NULL, NULL), WSAEISCONN, NAME);
    closesocket(s);

    s = tcp_socket();
    for (i = 0; i < sizeof wide / sizeof wide[0]; i++)
        wide[i] = (WCHAR)port[i];
    set_nonblocking(s, TRUE);
    CHECK_EQ(WSAConnectByNameW(s, u"127.0.0.1", wide, NULL, NULL, NULL, NULL, NULL, NULL), TRUE,
             "D WSAConnectByNameW: blocks in non-blocking mode too");
    is_connected(s, l, "D WSAConnectByNameW");
    closesocket(s);
    closesocket(l);
}

static void by_name_over_both_families(void)
{
    struct sockaddr_in at;
    struct sockaddr_in6 remote, expected;
    SOCKET l = listener(&at), s = v6_socket(FALSE);
    DWORD length = sizeof remote;
    char port[8] = "";

    port_text(port, &at);
    expected = mapped(&at);
    CHECK_EQ(WSAConnectByNameA(s, "127.0.0.1", port, NULL, NULL, &length, (SOCKADDR *)&remote, NULL, NULL), TRUE,
             "D WSAConnectByNameA: IPv4 through an IPv6 socket without IPV6_V6ONLY");
    CHECK(length == sizeof remote && memcmp(&remote, &expected, sizeof remote) == 0, "D WSAConnectByNameA: mapped");
    is_connected(s, l, NAME);
    closesocket(s);
    s = v6_socket(TRUE);
    CHECK_FALSE(WSAConnectByNameA(s, "127.0.0.1", port, NULL, NULL, NULL, NULL, NULL, NULL), WSAHOST_NOT_FOUND,
                "choice: the host has no address that an IPv6 socket with IPV6_V6ONLY could take");
    closesocket(s);
    closesocket(l);
}

static void by_name_refusals(void)
{
    struct sockaddr_in at, room;
    SOCKET r = refusing(&at), s = tcp_socket(), udp = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    DWORD length = sizeof room - 1;
    struct timeval bad;
    OVERLAPPED ov;
    char port[8] = "";

    memset(&ov, 0, sizeof ov);
    port_text(port, &at);
    CHECK_FALSE(WSAConnectByNameA(s, "127.0.0.1", port, NULL, NULL, NULL, NULL, NULL, NULL), WSAECONNREFUSED, NAME);
    CHECK_FALSE(WSAConnectByNameA(s, NULL, port, NULL, NULL, NULL, NULL, NULL, NULL), WSAEINVAL, NAME);
    CHECK_FALSE(WSAConnectByNameA(s, "127.0.0.1", NULL, NULL, NULL, NULL, NULL, NULL, NULL), WSAEINVAL, NAME);
    CHECK_FALSE(WSAConnectByNameA(s, "127.0.0.1", port, NULL, NULL, NULL, NULL, NULL, &ov), WSAEINVAL, NAME);
    CHECK_FALSE(WSAConnectByNameA(s, "...", port, NULL, NULL, NULL, NULL, NULL, NULL), WSAHOST_NOT_FOUND, NAME);
    CHECK_FALSE(WSAConnectByNameA(s, "127.0.0.1", "no such service", NULL, NULL, NULL, NULL, NULL, NULL),
                WSATYPE_NOT_FOUND, "choice: as getaddrinfo");
    CHECK_FALSE(WSAConnectByNameA(s, BAD, port, NULL, NULL, NULL, NULL, NULL, NULL), WSAEFAULT, NAME);
    CHECK_FALSE(WSAConnectByNameA(s, "127.0.0.1", BAD, NULL, NULL, NULL, NULL, NULL, NULL), WSAEFAULT, NAME);
    CHECK_FALSE(WSAConnectByNameA(s, "127.0.0.1", port, &length, (SOCKADDR *)&room, NULL, NULL, NULL, NULL), WSAEFAULT,
                "choice: too little room is seen before anything is connected");
    CHECK_FALSE(WSAConnectByNameA(s, "127.0.0.1", port, NULL, (SOCKADDR *)&room, NULL, NULL, NULL, NULL), WSAEFAULT, NAME);
    length = sizeof room;
    CHECK_FALSE(WSAConnectByNameA(s, "127.0.0.1", port, NULL, NULL, &length, BAD, NULL, NULL), WSAEFAULT, NAME);
    CHECK_FALSE(WSAConnectByNameA(s, "127.0.0.1", port, NULL, NULL, NULL, NULL, BAD, NULL), WSAEFAULT, NAME);
    bad.tv_sec = -1;
    bad.tv_usec = 0;
    CHECK_FALSE(WSAConnectByNameA(s, "127.0.0.1", port, NULL, NULL, NULL, NULL, &bad, NULL), WSAEINVAL, "choice: no time");
    CHECK_FALSE(WSAConnectByNameA(udp, "127.0.0.1", port, NULL, NULL, NULL, NULL, NULL, NULL), WSAEOPNOTSUPP,
                "D WSAConnectByNameA: connection-oriented sockets only; the code is a choice");
    close_both(s, udp);
    CHECK_FALSE(WSAConnectByNameA(s, "127.0.0.1", port, NULL, NULL, NULL, NULL, NULL, NULL), WSAENOTSOCK, NAME);
    closesocket(r);
}

/* A list of up to three addresses. */
struct list {
    SOCKET_ADDRESS_LIST head;
    SOCKET_ADDRESS more[2];
};

static SOCKET_ADDRESS_LIST *list_of(struct list *list, int count, void *first, void *second, int length)
{
    SOCKET_ADDRESS *entries = list->head.Address;

    memset(list, 0, sizeof *list);
    list->head.iAddressCount = count;
    entries[0].lpSockaddr = first;
    entries[0].iSockaddrLength = length;
    list->more[0].lpSockaddr = second;
    list->more[0].iSockaddrLength = length;
    return &list->head;
}

static void by_list(void)
{
    struct sockaddr_in nobody, at, remote;
    struct sockaddr_in6 nobody_mapped, at_mapped;
    SOCKET r = refusing(&nobody), l = listener(&at), s = tcp_socket();
    DWORD length = sizeof remote;
    struct list list;

    CHECK_EQ(WSAConnectByList(s, list_of(&list, 2, &nobody, &at, sizeof at), NULL, NULL, &length,
                              (SOCKADDR *)&remote, NULL, NULL), TRUE, "D WSAConnectByList: one after the other");
    CHECK(memcmp(&remote, &at, sizeof at) == 0, "D WSAConnectByList: the one that answered");
    is_connected(s, l, LIST);
    closesocket(s);

    nobody_mapped = mapped(&nobody);
    at_mapped = mapped(&at);
    s = v6_socket(FALSE);
    CHECK_EQ(WSAConnectByList(s, list_of(&list, 2, &nobody_mapped, &at_mapped, sizeof at_mapped), NULL, NULL, NULL,
                              NULL, NULL, NULL), TRUE, "D WSAConnectByList: IPv4 addresses mapped");
    is_connected(s, l, LIST);
    closesocket(s);

    s = tcp_socket();
    CHECK_FALSE(WSAConnectByList(s, list_of(&list, 2, &at, &at_mapped, sizeof at), NULL, NULL, NULL, NULL, NULL, NULL),
                WSAEAFNOSUPPORT, "choice: an address of another family, and none is tried");
    CHECK_FALSE(WSAConnectByList(s, list_of(&list, 1, &nobody, NULL, sizeof at), NULL, NULL, NULL, NULL, NULL, NULL),
                WSAECONNREFUSED, LIST);
    CHECK_FALSE(WSAConnectByList(s, list_of(&list, 2, &at, BAD, sizeof at), NULL, NULL, NULL, NULL, NULL, NULL),
                WSAEFAULT, "choice: every address is read before one is tried");
    CHECK_FALSE(WSAConnectByList(s, list_of(&list, 0, &at, NULL, sizeof at), NULL, NULL, NULL, NULL, NULL, NULL),
                WSAEINVAL, "D WSAConnectByList: no addresses");
    CHECK_FALSE(WSAConnectByList(s, BAD, NULL, NULL, NULL, NULL, NULL, NULL), WSAEFAULT, LIST);
    CHECK(!readable(l, CHECK_QUIET_MS), "choice: what was refused has not connected");
    close_both(r, l);
    closesocket(s);
}

#define CROWD 400
#define LONG_ENOUGH_MS 250 /* an answer on the loopback, on a busy machine */

/* A listener that answers nobody any more: its backlog is full, and the kernel leaves what comes without an answer. */
static int fill_backlog(const struct sockaddr_in *at, SOCKET *crowd)
{
    WSAPOLLFD fd;
    int count;

    for (count = 0; count < CROWD; count++) {
        crowd[count] = tcp_socket();
        set_nonblocking(crowd[count], TRUE);
        connect(crowd[count], (const struct sockaddr *)at, sizeof *at);
        fd.fd = crowd[count];
        fd.events = POLLOUT;
        fd.revents = 0;
        if (WSAPoll(&fd, 1, LONG_ENOUGH_MS) == 0)
            return count + 1;
    }
    return count;
}

static void time_limit(void)
{
    const struct timeval limit = { 0, 100 * 1000 };
    static SOCKET crowd[CROWD];
    struct sockaddr_in at, other;
    SOCKET l = listener(&at), good = listener(&other), s = tcp_socket();
    int count = fill_backlog(&at, crowd), i;
    ULONGLONG begun = GetTickCount64();
    struct list list;
    char port[8] = "";

    port_text(port, &at);
    REQUIRE(count < CROWD);
    CHECK_FALSE(WSAConnectByNameA(s, "127.0.0.1", port, NULL, NULL, NULL, NULL, &limit, NULL), WSAETIMEDOUT,
                "D WSAConnectByNameA: timeout");
    CHECK(GetTickCount64() - begun >= 80, "D WSAConnectByNameA: not before its time");
    CHECK_FALSE(WSAConnectByList(s, list_of(&list, 2, &at, &other, sizeof at), NULL, NULL, NULL, NULL, &limit, NULL),
                WSAETIMEDOUT, "choice: the time is for all addresses together");
    CHECK_EQ(WSAConnectByList(s, list_of(&list, 1, &other, NULL, sizeof at), NULL, NULL, NULL, NULL, &limit, NULL), TRUE,
             "choice: the socket can be connected elsewhere");
    is_connected(s, good, LIST);
    for (i = 0; i < count; i++)
        close_with_rst(crowd[i]);
    close_both(l, good);
    closesocket(s);
}

int main(void)
{
    check_begin("connect_by_name");
    by_name();
    by_name_over_both_families();
    by_name_refusals();
    by_list();
    time_limit();
    return check_end();
}

/* What is told beside datagrams, hops and class of traffic, and options about ports and paths that have effect. */
#include "check.h"

#define RECV "D LPFN_WSARECVMSG"
#define SEND "D WSASendMsg"
#define IP_PAGE "D IPPROTO_IP socket options"
#define IP6_PAGE "D IPPROTO_IPV6 socket options"
#define NAMED "choice: the message has the name of the value, as programs for Windows read it (MsQuic)"

static LPFN_WSARECVMSG recv_msg;
static LPFN_WSASENDMSG send_msg;

static int set_int(SOCKET s, int level, int option, int value)
{
    return setsockopt(s, level, option, (char *)&value, sizeof value);
}

static void extensions(void)
{
    const GUID recv_id = WSAID_WSARECVMSG, send_id = WSAID_WSASENDMSG;
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);

    REQUIRE(get_extension(s, recv_id, &recv_msg) == 0 && get_extension(s, send_id, &send_msg) == 0);
    closesocket(s);
}

/* A datagram to be sent or received, and its control messages. */
struct letter {
    WSAMSG msg;
    WSABUF data;
    struct sockaddr_in6 name;
    DECLSPEC_ALIGN(8) char control[256];
    char text[16];
};

static void letter_init(struct letter *letter, DWORD control)
{
    memset(letter, 0, sizeof *letter);
    letter->data.buf = letter->text;
    letter->data.len = sizeof letter->text;
    letter->msg.lpBuffers = &letter->data;
    letter->msg.dwBufferCount = 1;
    letter->msg.Control.buf = letter->control;
    letter->msg.Control.len = control;
}

/* Adds a control message that is a number. */
static void letter_say(struct letter *letter, int level, int type, int value)
{
    WSACMSGHDR *header = (WSACMSGHDR *)(void *)(letter->control + letter->msg.Control.len);

    header->cmsg_len = WSA_CMSG_LEN(sizeof value);
    header->cmsg_level = level;
    header->cmsg_type = type;
    memcpy(WSA_CMSG_DATA(header), &value, sizeof value);
    letter->msg.Control.len += (ULONG)WSA_CMSG_SPACE(sizeof value);
}

/* The number in the control message of a type; -1 if there is none, -2 if it is none. */
static int told(const struct letter *letter, int level, int type)
{
    for (WSACMSGHDR *header = WSA_CMSG_FIRSTHDR(&letter->msg); header; header = WSA_CMSG_NXTHDR(&letter->msg, header)) {
        int value;

        if (header->cmsg_level != level || header->cmsg_type != type)
            continue;
        if (header->cmsg_len != WSA_CMSG_LEN(sizeof value))
            return -2;
        memcpy(&value, WSA_CMSG_DATA(header), sizeof value);
        return value;
    }
    return -1;
}

static void receive(SOCKET s, struct letter *letter)
{
    DWORD bytes = 0;

    letter_init(letter, sizeof letter->control);
    CHECK_EQ(recv_msg(s, &letter->msg, &bytes, NULL, NULL), 0, RECV);
    CHECK_EQ(bytes, 3, RECV);
    CHECK_EQ(letter->msg.dwFlags, 0, RECV);
}

struct numbers {
    int family, level, hops, tells_hops, hops_type, traffic, tells_traffic, traffic_type;
    const char *page;
};
static const struct numbers of_ip = {
    AF_INET, IPPROTO_IP, IP_TTL, IP_RECVTTL, IP_TTL, IP_TOS, IP_RECVTOS, IP_TOS, IP_PAGE
};
static const struct numbers of_ip6 = {
    AF_INET6, IPPROTO_IPV6, IPV6_UNICAST_HOPS, IPV6_HOPLIMIT, IPV6_HOPLIMIT, IPV6_TCLASS, IPV6_RECVTCLASS, IPV6_TCLASS, IP6_PAGE
};

static SOCKET udp_on_loopback(int family, struct sockaddr_in6 *at, int *len)
{
    SOCKET s = socket(family, SOCK_DGRAM, 0);

    memset(at, 0, sizeof *at);
    at->sin6_family = (short)family;
    *len = family == AF_INET ? (int)sizeof(struct sockaddr_in) : (int)sizeof *at;
    if (family == AF_INET)
        ((struct sockaddr_in *)at)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        at->sin6_addr.s6_addr[15] = 1;
    REQUIRE(bind(s, (struct sockaddr *)at, *len) == 0);
    REQUIRE(getsockname(s, (struct sockaddr *)at, len) == 0);
    limit_waits(s);
    return s;
}

static void header_numbers(const struct numbers *of)
{
    struct sockaddr_in6 at, from;
    int len, from_len;
    SOCKET receiver = udp_on_loopback(of->family, &at, &len), sender = udp_on_loopback(of->family, &from, &from_len);
    struct letter letter;
    DWORD bytes = 0;

    CHECK_EQ(sendto(sender, "one", 3, 0, (struct sockaddr *)&at, len), 3, "setup");
    receive(receiver, &letter);
    CHECK_EQ(letter.msg.Control.len, 0, "D LPFN_WSARECVMSG: nothing was asked for");

    CHECK_EQ(set_int(receiver, of->level, of->tells_hops, TRUE), 0, of->page);
    CHECK_EQ(set_int(sender, of->level, of->hops, 77), 0, of->page);
    CHECK_EQ(sendto(sender, "two", 3, 0, (struct sockaddr *)&at, len), 3, "setup");
    receive(receiver, &letter);
    CHECK_EQ(told(&letter, of->level, of->hops_type), 77, NAMED);
    CHECK_EQ(letter.msg.Control.len, WSA_CMSG_SPACE(sizeof(int)), "D WSAMSG");

    /* Both, as the sockets have them and as a control message says for one datagram. */
    CHECK_EQ(set_int(receiver, of->level, of->tells_traffic, TRUE), 0, of->page);
    CHECK_EQ(set_int(sender, of->level, of->traffic, 0x28), 0, "choice: it has effect");
    CHECK_EQ(sendto(sender, "six", 3, 0, (struct sockaddr *)&at, len), 3, "setup");
    receive(receiver, &letter);
    CHECK_EQ(told(&letter, of->level, of->hops_type), 77, NAMED);
    CHECK_EQ(told(&letter, of->level, of->traffic_type), 0x28, NAMED);
    letter_init(&letter, 0);
    letter.msg.name = (LPSOCKADDR)&at;
    letter.msg.namelen = len;
    letter.data.len = 3;
    letter_say(&letter, of->level, of->hops_type, 9);
    letter_say(&letter, of->level, of->traffic_type, 0x48);
    CHECK_EQ(send_msg(sender, &letter.msg, 0, &bytes, NULL, NULL), 0, "choice: what is told can be said");
    receive(receiver, &letter);
    CHECK_EQ(told(&letter, of->level, of->hops_type), 9, "choice: what is told can be said");
    CHECK_EQ(told(&letter, of->level, of->traffic_type), 0x48, "choice: what is told can be said");
    CHECK_EQ(sendto(sender, "ten", 3, 0, (struct sockaddr *)&at, len), 3, "setup");
    receive(receiver, &letter);
    CHECK_EQ(told(&letter, of->level, of->hops_type), 77, "choice: for one datagram only");

    /* Too little room: what fits is told. */
    CHECK_EQ(sendto(sender, "ten", 3, 0, (struct sockaddr *)&at, len), 3, "setup");
    letter_init(&letter, WSA_CMSG_SPACE(sizeof(int)));
    CHECK_FAIL(recv_msg(receiver, &letter.msg, &bytes, NULL, NULL), WSAEMSGSIZE, RECV);
    CHECK_EQ(letter.msg.dwFlags, MSG_CTRUNC, "D WSAMSG, MSG_CTRUNC");
    CHECK_EQ(told(&letter, of->level, of->hops_type), 77, "choice: those that fit are told");

    CHECK_EQ(set_int(receiver, of->level, of->tells_hops, FALSE), 0, of->page);
    CHECK_EQ(set_int(receiver, of->level, of->tells_traffic, FALSE), 0, of->page);
    CHECK_EQ(sendto(sender, "end", 3, 0, (struct sockaddr *)&at, len), 3, "setup");
    receive(receiver, &letter);
    CHECK_EQ(letter.msg.Control.len, 0, of->page);
    close_both(receiver, sender);
}

static void refused(void)
{
    static const struct { int level, type, value; const char *source; } wrong[] = {
        { IPPROTO_IP, IP_TTL, 0, "choice: no datagram has no hops" },
        { IPPROTO_IP, IP_TTL, 256, "choice: out of range" },
        { IPPROTO_IP, IP_TOS, -1, "choice: out of range" },
        { IPPROTO_IPV6, IPV6_HOPLIMIT, 5, "choice: IPv6's header on an IPv4 socket" },
        { IPPROTO_IPV6, IPV6_TCLASS, 5, "choice: IPv6's header on an IPv4 socket" },
        { IPPROTO_IP, IP_RECVTTL, 5, "choice: a message that is unknown" },
    };
    struct sockaddr_in6 at, at6;
    int len, len6;
    SOCKET s = udp_on_loopback(AF_INET, &at, &len), s6 = udp_on_loopback(AF_INET6, &at6, &len6), tcp = tcp_socket();
    struct letter letter;
    DWORD bytes;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        letter_init(&letter, 0);
        letter.msg.name = (LPSOCKADDR)&at;
        letter.msg.namelen = len;
        letter_say(&letter, wrong[i].level, wrong[i].type, wrong[i].value);
        CHECK_FAIL(send_msg(s, &letter.msg, 0, &bytes, NULL, NULL), WSAEINVAL, wrong[i].source);
    }
    letter_init(&letter, 0);
    letter.msg.name = (LPSOCKADDR)&at6;
    letter.msg.namelen = len6;
    letter_say(&letter, IPPROTO_IP, IP_TTL, 5);
    CHECK_FAIL(send_msg(s6, &letter.msg, 0, &bytes, NULL, NULL), WSAEINVAL, "choice: IPv4's header towards an IPv6 host");
    CHECK_FAIL(set_int(tcp, IPPROTO_IP, IP_RECVTTL, 1), WSAENOPROTOOPT, IP_PAGE ", IP_RECVTTL: for datagrams");
    CHECK_FAIL(set_int(tcp, IPPROTO_IP, IP_UNICAST_IF, 1), WSAENOPROTOOPT, "choice: the kernel looks at it for datagrams only");
    CHECK_FAIL(set_int(s, IPPROTO_IPV6, IPV6_HOPLIMIT, 1), WSAENOPROTOOPT, "choice: IPv6's on an IPv4 socket");
    CHECK_FAIL(set_int(s, SOL_SOCKET, SO_REUSE_UNICASTPORT, 1), WSAENOPROTOOPT, "choice: for connections");
    CHECK_FAIL(set_int(s, SOL_SOCKET, SO_RANDOMIZE_PORT, 1), WSAEINVAL, "D SO_RANDOMIZE_PORT: before the socket is bound");
    closesocket(tcp);
    close_both(s, s6);
}

/* Datagrams leave by the interface, or not at all. */
static void interface_of_datagrams(void)
{
    struct sockaddr_in6 at;
    int len;
    SOCKET receiver = udp_on_loopback(AF_INET, &at, &len), s = socket(AF_INET, SOCK_DGRAM, 0);
    char text[4];

    CHECK_EQ(set_int(s, IPPROTO_IP, IP_UNICAST_IF, (int)htonl(1)), 0, IP_PAGE ", IP_UNICAST_IF");
    CHECK_EQ(sendto(s, "one", 3, 0, (struct sockaddr *)&at, len), 3, IP_PAGE ", IP_UNICAST_IF");
    CHECK_EQ(recv(receiver, text, sizeof text, 0), 3, IP_PAGE ", IP_UNICAST_IF");
    CHECK_EQ(set_int(s, IPPROTO_IP, IP_UNICAST_IF, (int)htonl(0x7ffff0)), SOCKET_ERROR, "choice: there is no such interface");
    CHECK_EQ(set_int(s, IPPROTO_IP, IP_UNICAST_IF, 0), 0, IP_PAGE ", IP_UNICAST_IF: 0 is the default interface");
    close_both(receiver, s);
}

static void path(void)
{
    struct sockaddr_in6 at;
    int len, mtu = 0, size = sizeof mtu;
    SOCKET receiver = udp_on_loopback(AF_INET6, &at, &len), s = socket(AF_INET6, SOCK_DGRAM, 0), client, server;

    CHECK_FAIL(getsockopt(s, IPPROTO_IPV6, IPV6_MTU, (char *)&mtu, &size), WSAENOTCONN, "choice: \"the socket must be connected\"");
    CHECK_EQ(connect(s, (struct sockaddr *)&at, len), 0, "setup");
    CHECK_EQ(getsockopt(s, IPPROTO_IPV6, IPV6_MTU, (char *)&mtu, &size), 0, IP6_PAGE ", IPV6_MTU");
    CHECK(mtu >= 1280 && size == sizeof mtu, IP6_PAGE ", IPV6_MTU");
    CHECK_FAIL(set_int(s, IPPROTO_IPV6, IPV6_MTU, 1280), WSAENOPROTOOPT, IP6_PAGE ", IPV6_MTU: get");
    close_both(receiver, s);
    s = tcp_socket();
    CHECK_FAIL(getsockopt(s, IPPROTO_IP, IP_MTU, (char *)&mtu, &size), WSAENOTCONN, "choice: \"the socket must be connected\"");
    closesocket(s);
    tcp_pair(&client, &server);
    mtu = 0;
    CHECK_EQ(getsockopt(client, IPPROTO_IP, IP_MTU, (char *)&mtu, &size), 0, IP_PAGE ", IP_MTU");
    CHECK(mtu >= 576, IP_PAGE ", IP_MTU");
    close_both(client, server);
}

/* ConnectEx wants a bind; with the option one local port serves connections to several peers. */
static void one_port_for_many(void)
{
    struct sockaddr_in at, own = loopback(0);
    SOCKET listening = listener(&at), s = tcp_socket(), server;
    OVERLAPPED ov = { 0 };
    DWORD bytes, flags;

    CHECK_EQ(set_int(s, SOL_SOCKET, SO_REUSE_UNICASTPORT, TRUE), 0, "D SO_REUSE_UNICASTPORT");
    REQUIRE(bind(s, (struct sockaddr *)&own, sizeof own) == 0);
    CHECK_EQ(name_of(s).sin_port, 0, "choice: the port is chosen at connect");
    CHECK_FAIL(set_int(s, SOL_SOCKET, SO_REUSE_UNICASTPORT, FALSE), WSAEINVAL, "choice: it says how to bind");
    if (!ext()->connect_ex(s, (struct sockaddr *)&at, sizeof at, NULL, 0, &bytes, &ov))
        CHECK_EQ(WSAGetLastError(), ERROR_IO_PENDING, "setup");
    CHECK_EQ(WSAGetOverlappedResult(s, &ov, &bytes, TRUE, &flags), TRUE, "D ConnectEx");
    CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0), 0, "setup");
    server = accept_one(listening);
    own = name_of(s);
    CHECK(own.sin_port != 0 && own.sin_addr.s_addr == htonl(INADDR_LOOPBACK), "D SO_REUSE_UNICASTPORT");
    CHECK_EQ(send(s, "x", 1, 0), 1, "D SO_REUSE_UNICASTPORT");
    CHECK_EQ(recv(server, (char *)&flags, 1, 0), 1, "D SO_REUSE_UNICASTPORT");
    close_both(s, server);
    closesocket(listening);
}

static void fast_open(void)
{
    struct sockaddr_in at;
    SOCKET listening = bound_socket(), client = tcp_socket(), server;

    CHECK_EQ(set_int(listening, IPPROTO_TCP, TCP_FASTOPEN, TRUE), 0, "D IPPROTO_TCP socket options, TCP_FASTOPEN");
    CHECK_EQ(listen(listening, 5), 0, "setup");
    at = name_of(listening);
    CHECK_EQ(set_int(client, IPPROTO_TCP, TCP_FASTOPEN, TRUE), 0, "D IPPROTO_TCP socket options, TCP_FASTOPEN");
    CHECK_EQ(connect(client, (struct sockaddr *)&at, sizeof at), 0, "choice: a connection is made the ordinary way");
    server = accept_one(listening);
    CHECK_EQ(set_int(server, IPPROTO_TCP, TCP_FASTOPEN, FALSE), 0, "choice: without effect on a connection");
    CHECK_EQ(send(client, "x", 1, 0), 1, "setup");
    CHECK_EQ(recv(server, (char *)&at, 1, 0), 1, "setup");
    close_both(client, server);
    closesocket(listening);
}

int main(void)
{
    check_begin("beside");
    extensions();
    header_numbers(&of_ip);
    header_numbers(&of_ip6);
    refused();
    interface_of_datagrams();
    path();
    one_port_for_many();
    fast_open();
    return check_end();
}

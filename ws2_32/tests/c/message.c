/* WSARecvMsg and WSASendMsg: datagrams with the address they came to, or are to come from. */
#include "check.h"

#define RECV "D LPFN_WSARECVMSG"
#define SEND "D WSASendMsg"
#define PKTINFO "T test_ip_pktinfo"

static LPFN_WSARECVMSG recv_msg;
static LPFN_WSASENDMSG send_msg;

static void *extension(GUID id)
{
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    void *function = NULL;
    DWORD bytes;

    CHECK_EQ(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &function, sizeof function, &bytes, NULL, NULL), 0, RECV);
    closesocket(s);
    return function;
}

static SOCKET udp_at(const char *ip, struct sockaddr_in *at)
{
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);

    *at = loopback(0);
    at->sin_addr.s_addr = inet_addr(ip);
    REQUIRE(bind(s, (struct sockaddr *)at, sizeof *at) == 0);
    *at = name_of(s);
    limit_waits(s);
    return s;
}

/* A message with room for everything. */
struct letter {
    WSAMSG msg;
    WSABUF data;
    struct sockaddr_in6 name;
    DECLSPEC_ALIGN(8) char control[WSA_CMSG_SPACE(sizeof(struct in6_pktinfo))];
    char text[16];
};

static void letter_init(struct letter *letter)
{
    memset(letter, 0, sizeof *letter);
    letter->data.buf = letter->text;
    letter->data.len = sizeof letter->text;
    letter->msg.name = (LPSOCKADDR)&letter->name;
    letter->msg.namelen = sizeof letter->name;
    letter->msg.lpBuffers = &letter->data;
    letter->msg.dwBufferCount = 1;
    letter->msg.Control.buf = letter->control;
    letter->msg.Control.len = sizeof letter->control;
}

/* A control message that says where a datagram is to come from. */
static void letter_from(struct letter *letter, const char *ip)
{
    WSACMSGHDR *header = (WSACMSGHDR *)(void *)letter->control;
    struct in_pktinfo info = { .ipi_ifindex = 0 };

    info.ipi_addr.s_addr = inet_addr(ip);
    header->cmsg_len = WSA_CMSG_LEN(sizeof info);
    header->cmsg_level = IPPROTO_IP;
    header->cmsg_type = IP_PKTINFO;
    memcpy(WSA_CMSG_DATA(header), &info, sizeof info);
    letter->msg.Control.len = WSA_CMSG_SPACE(sizeof info);
}

static void check_info(const struct letter *letter, const char *ip, const char *source)
{
    const WSACMSGHDR *header = WSA_CMSG_FIRSTHDR(&letter->msg);
    struct in_pktinfo info;

    CHECK_EQ(letter->msg.Control.len, WSA_CMSG_SPACE(sizeof info), source);
    REQUIRE(header != NULL);
    CHECK(header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO && header->cmsg_len == WSA_CMSG_LEN(sizeof info), source);
    memcpy(&info, WSA_CMSG_DATA(header), sizeof info);
    CHECK_EQ(info.ipi_addr.s_addr, inet_addr(ip), source);
    CHECK_EQ(info.ipi_ifindex, 1, source);
}

static int enable(SOCKET s, int level, int option, int on)
{
    return setsockopt(s, level, option, (char *)&on, sizeof on);
}

static void where_it_came_to(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET }, from;
    SOCKET receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = udp_at("127.0.0.1", &from);
    struct letter letter;
    DWORD bytes = 0;

    REQUIRE(bind(receiver, (struct sockaddr *)&at, sizeof at) == 0);
    limit_waits(receiver);
    at = name_of(receiver);
    at.sin_addr.s_addr = inet_addr("127.0.0.7");
    /* Not asked for. */
    sendto(sender, "one", 3, 0, (struct sockaddr *)&at, sizeof at);
    letter_init(&letter);
    CHECK_EQ(recv_msg(receiver, &letter.msg, &bytes, NULL, NULL), 0, RECV);
    CHECK_EQ(bytes, 3, RECV);
    CHECK_EQ(letter.msg.Control.len, 0, PKTINFO);
    CHECK_EQ(letter.msg.namelen, sizeof from, RECV);
    CHECK(memcmp(&letter.name, &from, 8) == 0, RECV ": who sent it");
    CHECK_EQ(letter.msg.dwFlags, 0, RECV);

    CHECK_EQ(enable(receiver, IPPROTO_IP, IP_PKTINFO, 1), 0, PKTINFO);
    sendto(sender, "two", 3, 0, (struct sockaddr *)&at, sizeof at);
    letter_init(&letter);
    CHECK_EQ(recv_msg(receiver, &letter.msg, &bytes, NULL, NULL), 0, RECV);
    check_info(&letter, "127.0.0.7", PKTINFO);

    /* No room for it. */
    sendto(sender, "three", 5, 0, (struct sockaddr *)&at, sizeof at);
    letter_init(&letter);
    letter.msg.Control.len = 1;
    CHECK_FAIL(recv_msg(receiver, &letter.msg, &bytes, NULL, NULL), WSAEMSGSIZE, PKTINFO);
    CHECK_EQ(letter.msg.dwFlags, MSG_CTRUNC, PKTINFO);
    CHECK(memcmp(letter.text, "three", 5) == 0, PKTINFO);

    /* No room for the data; a look first. */
    sendto(sender, "four", 4, 0, (struct sockaddr *)&at, sizeof at);
    letter_init(&letter);
    letter.msg.dwFlags = MSG_PEEK;
    CHECK_EQ(recv_msg(receiver, &letter.msg, &bytes, NULL, NULL), 0, RECV ": MSG_PEEK");
    letter_init(&letter);
    letter.data.len = 2;
    CHECK_FAIL(recv_msg(receiver, &letter.msg, &bytes, NULL, NULL), WSAEMSGSIZE, RECV);
    CHECK_EQ(letter.msg.dwFlags, MSG_TRUNC, RECV);
    check_info(&letter, "127.0.0.7", RECV);

    CHECK_EQ(enable(receiver, IPPROTO_IP, IP_PKTINFO, 0), 0, PKTINFO);
    sendto(sender, "five", 4, 0, (struct sockaddr *)&at, sizeof at);
    letter_init(&letter);
    CHECK_EQ(recv_msg(receiver, &letter.msg, NULL, NULL, NULL), 0, RECV ": the count may be left out");
    CHECK_EQ(letter.msg.Control.len, 0, PKTINFO);
    close_both(receiver, sender);
}

static void pending(void)
{
    struct sockaddr_in at, from;
    SOCKET receiver = udp_at("127.0.0.1", &at), sender = udp_at("127.0.0.1", &from);
    HANDLE event = new_event();
    struct letter letter;
    OVERLAPPED ov;
    DWORD bytes = 0, flags;

    CHECK_EQ(enable(receiver, IPPROTO_IP, IP_PKTINFO, 1), 0, PKTINFO);
    letter_init(&letter);
    ov_init(&ov, event);
    CHECK_FAIL(recv_msg(receiver, &letter.msg, NULL, &ov, NULL), WSA_IO_PENDING, PKTINFO);
    sendto(sender, "pending", 7, 0, (struct sockaddr *)&at, sizeof at);
    CHECK(WSAGetOverlappedResult(receiver, &ov, &bytes, TRUE, &flags) && bytes == 7, PKTINFO);
    check_info(&letter, "127.0.0.1", PKTINFO);
    CHECK(memcmp(&letter.name, &from, 8) == 0, PKTINFO);
    /* Cancelled: the message is left alone from then on. */
    letter_init(&letter);
    ov_init(&ov, event);
    CHECK_FAIL(recv_msg(receiver, &letter.msg, NULL, &ov, NULL), WSA_IO_PENDING, RECV);
    CHECK(CancelIoEx((HANDLE)receiver, &ov), "D CancelIoEx");
    CHECK(!WSAGetOverlappedResult(receiver, &ov, &bytes, TRUE, &flags) && WSAGetLastError() == WSA_OPERATION_ABORTED, "D CancelIoEx");
    CHECK_EQ(letter.msg.Control.len, sizeof letter.control, RECV);
    close_both(receiver, sender);
    CloseHandle(event);
}

static void where_it_comes_from(void)
{
    struct sockaddr_in at, any = { .sin_family = AF_INET }, got;
    SOCKET receiver = udp_at("127.0.0.1", &at), sender = socket(AF_INET, SOCK_DGRAM, 0);
    HANDLE event = new_event();
    struct letter letter;
    OVERLAPPED ov;
    DWORD bytes = 0;
    int length = sizeof got;
    char text[8];

    REQUIRE(bind(sender, (struct sockaddr *)&any, sizeof any) == 0);
    letter_init(&letter);
    letter_from(&letter, "127.0.0.9");
    letter.msg.name = (LPSOCKADDR)&at;
    letter.msg.namelen = sizeof at;
    letter.data.len = 3;
    CHECK_EQ(send_msg(sender, &letter.msg, 0, &bytes, NULL, NULL), 0, SEND);
    CHECK_EQ(bytes, 3, SEND);
    CHECK_EQ(recvfrom(receiver, text, sizeof text, 0, (struct sockaddr *)&got, &length), 3, SEND);
    CHECK_EQ(got.sin_addr.s_addr, inet_addr("127.0.0.9"), SEND ": IP_PKTINFO");
    CHECK_EQ(got.sin_port, name_of(sender).sin_port, SEND);
    /* Overlapped, from where the system chooses, by the name that the library exports. */
    letter.msg.Control.len = 0;
    ov_init(&ov, event);
    CHECK_EQ(WSASendMsg(sender, &letter.msg, 0, &bytes, &ov, NULL), 0, SEND);
    CHECK(is_set(event, CHECK_WAIT_MS), SEND);
    CHECK_EQ(recvfrom(receiver, text, sizeof text, 0, (struct sockaddr *)&got, &length), 3, SEND);
    CHECK_EQ(got.sin_addr.s_addr, htonl(INADDR_LOOPBACK), SEND);
    /* To the default destination. */
    CHECK_EQ(connect(sender, (struct sockaddr *)&at, sizeof at), 0, "D connect");
    letter.msg.name = NULL;
    letter.msg.namelen = 0;
    CHECK_EQ(send_msg(sender, &letter.msg, 0, &bytes, NULL, NULL), 0, SEND);
    CHECK_EQ(recv(receiver, text, sizeof text, 0), 3, SEND);
    close_both(receiver, sender);
    CloseHandle(event);
}

static void recv_ex(void)
{
    struct sockaddr_in at;
    SOCKET s = udp_at("127.0.0.1", &at), client, server;
    int flags = 0;
    char text[4];

    sendto(s, "long one", 8, 0, (struct sockaddr *)&at, sizeof at);
    CHECK_EQ(WSARecvEx(s, text, sizeof text, &flags), sizeof text, "D WSARecvEx: a part");
    CHECK_EQ(flags, MSG_PARTIAL, "D WSARecvEx");
    sendto(s, "one", 3, 0, (struct sockaddr *)&at, sizeof at);
    flags = MSG_PEEK;
    CHECK_EQ(WSARecvEx(s, text, sizeof text, &flags), 3, "D WSARecvEx");
    CHECK_EQ(flags, 0, "D WSARecvEx: all of it");
    CHECK_EQ(recv(s, text, sizeof text, 0), 3, "D WSARecvEx: MSG_PEEK");
    CHECK_FAIL(WSARecvEx(s, text, sizeof text, NULL), WSAEFAULT, "choice: no crash");
    tcp_pair(&client, &server);
    send(client, "stream", 6, 0);
    CHECK_EQ(WSARecvEx(server, text, sizeof text, &flags), sizeof text, "D WSARecvEx");
    CHECK_EQ(flags, 0, "D WSARecvEx: a stream has no messages");
    close_both(client, server);
    closesocket(s);
}

static void version_6(void)
{
    SOCKET s = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 at = { .sin6_family = AF_INET6 };
    struct in6_pktinfo info;
    struct letter letter;
    WSACMSGHDR *header;
    int length = sizeof at;
    DWORD bytes;

    at.sin6_addr.s6_addr[15] = 1;
    REQUIRE(bind(s, (struct sockaddr *)&at, sizeof at) == 0 && getsockname(s, (struct sockaddr *)&at, &length) == 0);
    limit_waits(s);
    CHECK_EQ(enable(s, IPPROTO_IPV6, IPV6_PKTINFO, 1), 0, "D IPPROTO_IPV6 socket options");
    letter_init(&letter);
    header = (WSACMSGHDR *)(void *)letter.control;
    header->cmsg_len = WSA_CMSG_LEN(sizeof info);
    header->cmsg_level = IPPROTO_IPV6;
    header->cmsg_type = IPV6_PKTINFO;
    info.ipi6_addr = at.sin6_addr;
    info.ipi6_ifindex = 1;
    memcpy(WSA_CMSG_DATA(header), &info, sizeof info);
    letter.msg.name = (LPSOCKADDR)&at;
    letter.msg.namelen = sizeof at;
    CHECK_EQ(WSASendMsg(s, &letter.msg, 0, &bytes, NULL, NULL), 0, SEND);
    letter_init(&letter);
    CHECK_EQ(recv_msg(s, &letter.msg, &bytes, NULL, NULL), 0, RECV);
    CHECK_EQ(letter.msg.Control.len, WSA_CMSG_SPACE(sizeof info), RECV);
    CHECK(header->cmsg_len == WSA_CMSG_LEN(sizeof info) && header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO, RECV);
    CHECK(memcmp(WSA_CMSG_DATA(header), &info, sizeof info) == 0, RECV);
    CHECK_EQ(letter.msg.namelen, sizeof at, RECV);
    CHECK(memcmp(&letter.name, &at, sizeof at) == 0, RECV);
    closesocket(s);
}

static void refused(void)
{
    struct sockaddr_in at;
    SOCKET stream = tcp_socket(), s = udp_at("127.0.0.1", &at), unbound = socket(AF_INET, SOCK_DGRAM, 0);
    struct letter letter;
    DWORD bytes;

    letter_init(&letter);
    CHECK_FAIL(recv_msg(INVALID_SOCKET, &letter.msg, &bytes, NULL, NULL), WSAENOTSOCK, RECV);
    CHECK_FAIL(recv_msg(stream, &letter.msg, &bytes, NULL, NULL), WSAEOPNOTSUPP, "choice: only datagrams have messages");
    CHECK_FAIL(send_msg(stream, &letter.msg, 0, &bytes, NULL, NULL), WSAEOPNOTSUPP, "choice: only datagrams have messages");
    CHECK_FAIL(recv_msg(unbound, &letter.msg, &bytes, NULL, NULL), WSAEINVAL, "D recv: not bound");
    CHECK_FAIL(recv_msg(s, NULL, &bytes, NULL, NULL), WSAEFAULT, RECV);
    letter.msg.namelen = 15;
    CHECK_FAIL(recv_msg(s, &letter.msg, &bytes, NULL, NULL), WSAEFAULT, RECV);
    letter_init(&letter);
    letter.msg.Control.buf = (char *)16;
    CHECK_FAIL(recv_msg(s, &letter.msg, &bytes, NULL, NULL), WSAEFAULT, RECV);
    letter_init(&letter);
    letter.msg.dwBufferCount = 0;
    CHECK_FAIL(recv_msg(s, &letter.msg, &bytes, NULL, NULL), WSAEINVAL, "T test_empty_recv: no buffers");
    letter_init(&letter);
    letter.msg.dwFlags = MSG_OOB;
    CHECK_FAIL(recv_msg(s, &letter.msg, &bytes, NULL, NULL), WSAEOPNOTSUPP, RECV ": only MSG_PEEK");
    letter_init(&letter);
    letter_from(&letter, "127.0.0.1");
    letter.msg.name = (LPSOCKADDR)&at;
    letter.msg.namelen = sizeof at;
    ((WSACMSGHDR *)(void *)letter.control)->cmsg_len = 1000;
    CHECK_FAIL(send_msg(s, &letter.msg, 0, &bytes, NULL, NULL), WSAEINVAL, "choice: a control message beyond its room");
    ((WSACMSGHDR *)(void *)letter.control)->cmsg_len = 3;
    CHECK_FAIL(send_msg(s, &letter.msg, 0, &bytes, NULL, NULL), WSAEINVAL, "choice: a control message shorter than its head");
    letter_from(&letter, "127.0.0.1");
    ((WSACMSGHDR *)(void *)letter.control)->cmsg_type = 99;
    CHECK_FAIL(send_msg(s, &letter.msg, 0, &bytes, NULL, NULL), WSAEINVAL, "choice: a control message that nobody knows");
    close_both(stream, s);
    closesocket(unbound);
}

/* A length is 64 bits of the header, and what it says is believed as a whole. */
static void lengths(void)
{
    const SIZE_T lies[] = { 1, sizeof(WSACMSGHDR) - 1, WSA_CMSG_LEN(8) - 1, WSA_CMSG_LEN(8) + 1, 0x7fffffff, 0xffffffff, (SIZE_T)1 << 32 | WSA_CMSG_LEN(8), (SIZE_T)1 << 63 | WSA_CMSG_LEN(8), ~(SIZE_T)0, ~(SIZE_T)7 };
    struct sockaddr_in at;
    SOCKET s = udp_at("127.0.0.1", &at);
    struct letter letter;
    DWORD bytes;
    unsigned i;

    letter_init(&letter);
    letter_from(&letter, "127.0.0.1");
    letter.msg.name = (LPSOCKADDR)&at;
    letter.msg.namelen = sizeof at;
    for (i = 0; i < sizeof lies / sizeof *lies; i++) {
        ((WSACMSGHDR *)(void *)letter.control)->cmsg_len = lies[i];
        CHECK_FAIL(send_msg(s, &letter.msg, 0, &bytes, NULL, NULL), WSAEINVAL, "choice: a control message whose length is not its own");
    }
    ((WSACMSGHDR *)(void *)letter.control)->cmsg_len = WSA_CMSG_LEN(8);
    CHECK_EQ(send_msg(s, &letter.msg, 0, &bytes, NULL, NULL), 0, SEND);
    closesocket(s);
}

/* Where a datagram is to come from has to be of its own family: the kernel would pass over another. */
static void families(void)
{
    struct sockaddr_in at;
    struct sockaddr_in6 at6 = { .sin6_family = AF_INET6, .sin6_port = htons(9) };
    SOCKET s = udp_at("127.0.0.1", &at), s6 = socket(AF_INET6, SOCK_DGRAM, 0);
    struct in6_pktinfo info = { .ipi6_ifindex = 1 };
    WSACMSGHDR *header;
    struct letter letter;
    DWORD bytes;

    letter_init(&letter);
    header = (WSACMSGHDR *)(void *)letter.control;
    header->cmsg_len = WSA_CMSG_LEN(sizeof info);
    header->cmsg_level = IPPROTO_IPV6;
    header->cmsg_type = IPV6_PKTINFO;
    info.ipi6_addr.s6_addr[15] = 1;
    memcpy(WSA_CMSG_DATA(header), &info, sizeof info);
    letter.msg.Control.len = WSA_CMSG_SPACE(sizeof info);
    letter.msg.name = (LPSOCKADDR)&at;
    letter.msg.namelen = sizeof at;
    CHECK_FAIL(send_msg(s, &letter.msg, 0, &bytes, NULL, NULL), WSAEINVAL, "choice: an IPv4 datagram from an IPv6 address");
    at6.sin6_addr.s6_addr[15] = 1;
    letter_init(&letter);
    letter_from(&letter, "127.0.0.1");
    letter.msg.name = (LPSOCKADDR)&at6;
    letter.msg.namelen = sizeof at6;
    CHECK_FAIL(send_msg(s6, &letter.msg, 0, &bytes, NULL, NULL), WSAEINVAL, "choice: an IPv6 datagram from an IPv4 address");
    closesocket(s);
    closesocket(s6);
}

int main(void)
{
    const GUID recv_id = WSAID_WSARECVMSG, send_id = WSAID_WSASENDMSG;

    check_begin("message");
    recv_msg = (LPFN_WSARECVMSG)extension(recv_id);
    send_msg = (LPFN_WSASENDMSG)extension(send_id);
    REQUIRE(recv_msg != NULL && send_msg != NULL);
    where_it_came_to();
    pending();
    where_it_comes_from();
    version_6();
    recv_ex();
    refused();
    lengths();
    families();
    return check_end();
}

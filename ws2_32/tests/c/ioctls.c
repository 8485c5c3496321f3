/* WSAIoctl: what it tells of interfaces, addresses, routes and connections. */
#include "check.h"
#include <mstcpip.h>
#include <iphlpapi.h>

#define IOCTLS "D Winsock IOCTLs"
#define TCP_INFO_PAGE "D TCP_INFO_v0"

static DWORD written;

/* WSAIoctl without an OVERLAPPED; the octets that it tells are in `written`. */
static int control(SOCKET s, DWORD code, const void *in, DWORD in_len, void *out, DWORD out_len)
{
    written = 0;
    return WSAIoctl(s, code, (void *)(ULONG_PTR)in, in_len, out, out_len, &written, NULL, NULL);
}

static struct sockaddr_in ip_at(const char *ip)
{
    struct sockaddr_in at = { .sin_family = AF_INET };

    at.sin_addr.s_addr = inet_addr(ip);
    return at;
}

static void interface_list(void)
{
    INTERFACE_INFO all[64];
    SOCKET tcp = tcp_socket(), udp = socket(AF_INET, SOCK_DGRAM, 0);
    BOOL loopback_found = FALSE;

    memset(all, 0x55, sizeof all);
    CHECK_EQ(control(tcp, SIO_GET_INTERFACE_LIST, NULL, 0, all, sizeof all), 0, IOCTLS ", SIO_GET_INTERFACE_LIST");
    CHECK(written >= sizeof *all && written % sizeof *all == 0, "D INTERFACE_INFO");
    for (size_t i = 0; i < written / sizeof *all; i++) {
        const INTERFACE_INFO *one = &all[i];

        CHECK_EQ(one->iiAddress.AddressIn.sin_family, AF_INET, IOCTLS ", SIO_GET_INTERFACE_LIST: IPv4 only");
        CHECK_EQ(one->iiNetmask.AddressIn.sin_family, AF_INET, "D INTERFACE_INFO");
        CHECK_EQ(one->iiBroadcastAddress.AddressIn.sin_addr.s_addr, INADDR_BROADCAST, "choice: programs make the network's from the mask");
        if (one->iiAddress.AddressIn.sin_addr.s_addr != htonl(INADDR_LOOPBACK))
            continue;
        loopback_found = TRUE;
        CHECK_EQ(one->iiFlags & (IFF_UP | IFF_LOOPBACK | IFF_BROADCAST), IFF_UP | IFF_LOOPBACK, "D INTERFACE_INFO");
        CHECK_EQ(one->iiNetmask.AddressIn.sin_addr.s_addr, htonl(0xff000000), "D INTERFACE_INFO");
    }
    CHECK(loopback_found, "T test_get_interface_list");
    CHECK_FAIL(control(udp, SIO_GET_INTERFACE_LIST, NULL, 0, all, sizeof *all - 1), WSAEFAULT, IOCTLS);
    CHECK_FAIL(control(udp, SIO_GET_INTERFACE_LIST, NULL, 0, NULL, 0), WSAEFAULT, IOCTLS);
    closesocket(tcp);
    CHECK_EQ(control(udp, SIO_GET_INTERFACE_LIST, NULL, 0, all, sizeof all), 0, IOCTLS);
    closesocket(udp);
}

/* The addresses of the adapters but loopback, by GetAdaptersAddresses. */
static int adapter_addresses(int family)
{
    static ULONGLONG room[8192];
    ULONG size = sizeof room;
    IP_ADAPTER_ADDRESSES *adapters = (IP_ADAPTER_ADDRESSES *)(void *)room;
    int count = 0;

    if (GetAdaptersAddresses((ULONG)family, 0, NULL, adapters, &size) != ERROR_SUCCESS)
        return 0;
    for (; adapters; adapters = adapters->Next) {
        if (adapters->IfType == IF_TYPE_SOFTWARE_LOOPBACK)
            continue;
        for (IP_ADAPTER_UNICAST_ADDRESS *one = adapters->FirstUnicastAddress; one; one = one->Next)
            count++;
    }
    return count;
}

static void address_list(int family)
{
    ULONGLONG room[512];
    SOCKET_ADDRESS_LIST *list = (SOCKET_ADDRESS_LIST *)(void *)room;
    SOCKET s = socket(family, SOCK_STREAM, 0);
    DWORD needed;

    CHECK_FAIL(control(s, SIO_ADDRESS_LIST_QUERY, NULL, 0, NULL, 0), WSAEFAULT, IOCTLS ", SIO_ADDRESS_LIST_QUERY");
    needed = written;
    CHECK(needed >= sizeof *list, IOCTLS ", SIO_ADDRESS_LIST_QUERY: the required size is told");
    CHECK_FAIL(control(s, SIO_ADDRESS_LIST_QUERY, NULL, 0, room, needed - 1), WSAEFAULT, IOCTLS ", SIO_ADDRESS_LIST_QUERY");
    CHECK_EQ(written, needed, IOCTLS ", SIO_ADDRESS_LIST_QUERY: the required size is told");
    CHECK_EQ(control(s, SIO_ADDRESS_LIST_QUERY, NULL, 0, room, needed), 0, IOCTLS ", SIO_ADDRESS_LIST_QUERY");
    CHECK_EQ(written, needed, IOCTLS ", SIO_ADDRESS_LIST_QUERY");
    CHECK_EQ(list->iAddressCount, adapter_addresses(family), "T test_address_list_query: the addresses of the adapters");
    for (int i = 0; i < list->iAddressCount; i++) {
        const SOCKET_ADDRESS *one = &list->Address[i];
        int len = family == AF_INET ? (int)sizeof(struct sockaddr_in) : (int)sizeof(struct sockaddr_in6);

        CHECK(one->iSockaddrLength == len && one->lpSockaddr->sa_family == family, "D SOCKET_ADDRESS_LIST");
    }
    closesocket(s);
}

static void routes(void)
{
    struct sockaddr_in to = ip_at("127.0.0.5"), from;
    struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 }, from6;
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0), s6 = socket(AF_INET6, SOCK_STREAM, 0);

    memset(&from, 0x55, sizeof from);
    CHECK_EQ(control(s, SIO_ROUTING_INTERFACE_QUERY, &to, sizeof to, &from, sizeof from), 0, "T test_sioRoutingInterfaceQuery");
    CHECK_EQ(written, sizeof from, "T test_sioRoutingInterfaceQuery");
    CHECK(from.sin_family == AF_INET && from.sin_port == 0, "T test_sioRoutingInterfaceQuery");
    CHECK_EQ(from.sin_addr.s_addr, htonl(INADDR_LOOPBACK), "T test_sioRoutingInterfaceQuery");
    CHECK_FAIL(control(s, SIO_ROUTING_INTERFACE_QUERY, &to, sizeof to - 1, &from, sizeof from), WSAEFAULT, "T test_sioRoutingInterfaceQuery");
    CHECK_FAIL(control(s, SIO_ROUTING_INTERFACE_QUERY, NULL, 0, &from, sizeof from), WSAEFAULT, "T test_sioRoutingInterfaceQuery");
    CHECK_FAIL(control(s, SIO_ROUTING_INTERFACE_QUERY, &to, sizeof to, NULL, 0), WSAEFAULT, IOCTLS);
    to.sin_family = AF_INET6;
    CHECK_FAIL(control(s, SIO_ROUTING_INTERFACE_QUERY, &to, sizeof to, &from, sizeof from), WSAEAFNOSUPPORT, "T test_sioRoutingInterfaceQuery");
    to6.sin6_addr.s6_addr[15] = 1;
    CHECK_EQ(control(s6, SIO_ROUTING_INTERFACE_QUERY, &to6, sizeof to6, &from6, sizeof from6), 0, IOCTLS);
    CHECK(memcmp(&from6.sin6_addr, &to6.sin6_addr, sizeof from6.sin6_addr) == 0 && from6.sin6_port == 0, IOCTLS);
    close_both(s, s6);
}

static void broadcast_address(void)
{
    struct sockaddr_in to;
    SOCKET udp = socket(AF_INET, SOCK_DGRAM, 0), tcp = tcp_socket();

    CHECK_EQ(control(udp, SIO_GET_BROADCAST_ADDRESS, NULL, 0, &to, sizeof to), 0, IOCTLS ", SIO_GET_BROADCAST_ADDRESS");
    CHECK(to.sin_family == AF_INET && to.sin_addr.s_addr == INADDR_BROADCAST, IOCTLS ", SIO_GET_BROADCAST_ADDRESS");
    CHECK_FAIL(control(udp, SIO_GET_BROADCAST_ADDRESS, NULL, 0, &to, sizeof to - 1), WSAEFAULT, IOCTLS);
    CHECK_FAIL(control(tcp, SIO_GET_BROADCAST_ADDRESS, NULL, 0, &to, sizeof to), WSAEOPNOTSUPP, "choice: a stream has no broadcasts");
    close_both(udp, tcp);
}

static void tcp_info(void)
{
    static char text[3000];
    struct sockaddr_in at;
    TCP_INFO_v0 info;
    DWORD version = 0;
    SOCKET client, server, listening = listener(&at), udp = socket(AF_INET, SOCK_DGRAM, 0), fresh = tcp_socket();

    tcp_pair(&client, &server);
    CHECK_EQ(send(client, text, sizeof text, 0), sizeof text, "setup");
    CHECK_EQ(recv(server, text, sizeof text, MSG_WAITALL), sizeof text, "setup");
    CHECK_EQ(send(server, text, 100, 0), 100, "setup");
    CHECK_EQ(recv(client, text, 100, MSG_WAITALL), 100, "setup");
    memset(&info, 0x55, sizeof info);
    CHECK_EQ(control(client, SIO_TCP_INFO, &version, sizeof version, &info, sizeof info), 0, TCP_INFO_PAGE);
    CHECK_EQ(written, sizeof info, TCP_INFO_PAGE);
    CHECK_EQ(info.State, TCPSTATE_ESTABLISHED, TCP_INFO_PAGE);
    CHECK_EQ(info.BytesOut, sizeof text, TCP_INFO_PAGE);
    CHECK_EQ(info.BytesIn, 100, TCP_INFO_PAGE);
    CHECK(info.Mss > 500 && info.Cwnd >= info.Mss && info.RcvBuf > 0, TCP_INFO_PAGE);
    CHECK(info.RttUs > 0 && info.RttUs < 5000000 && info.MinRttUs <= info.RttUs, TCP_INFO_PAGE);
    CHECK(info.ConnectionTimeMs < CHECK_WATCHDOG_MS, TCP_INFO_PAGE);
    CHECK_EQ(info.BytesRetrans + info.SynRetrans, 0, TCP_INFO_PAGE);
    CHECK_EQ(shutdown(client, SD_SEND), 0, "setup");
    CHECK_EQ(recv(server, text, 1, 0), 0, "setup");
    CHECK_EQ(control(server, SIO_TCP_INFO, &version, sizeof version, &info, sizeof info), 0, TCP_INFO_PAGE);
    CHECK_EQ(info.State, TCPSTATE_CLOSE_WAIT, TCP_INFO_PAGE);
    CHECK_EQ(control(listening, SIO_TCP_INFO, &version, sizeof version, &info, sizeof info), 0, TCP_INFO_PAGE);
    CHECK_EQ(info.State, TCPSTATE_LISTEN, TCP_INFO_PAGE);

    CHECK_FAIL(control(client, SIO_TCP_INFO, &version, sizeof version, &info, sizeof info - 1), WSAEFAULT, TCP_INFO_PAGE);
    CHECK_FAIL(control(client, SIO_TCP_INFO, &version, 1, &info, sizeof info), WSAEFAULT, TCP_INFO_PAGE);
    CHECK_FAIL(control(fresh, SIO_TCP_INFO, &version, sizeof version, &info, sizeof info), WSAENOTCONN, "choice: there is nothing to tell");
    CHECK_FAIL(control(udp, SIO_TCP_INFO, &version, sizeof version, &info, sizeof info), WSAEOPNOTSUPP, "choice: not TCP");
    version = 99;
    CHECK_FAIL(control(client, SIO_TCP_INFO, &version, sizeof version, &info, sizeof info), WSAEINVAL, "choice: an unknown version");
    close_both(client, server);
    close_both(listening, udp);
    closesocket(fresh);
}

static void ideal_backlog(void)
{
    SOCKET client, server, fresh = tcp_socket();
    ULONG octets = 0;

    CHECK_FAIL(control(fresh, SIO_IDEAL_SEND_BACKLOG_QUERY, NULL, 0, &octets, sizeof octets), WSAENOTCONN, "T test_backlog_query");
    tcp_pair(&client, &server);
    CHECK_EQ(control(client, SIO_IDEAL_SEND_BACKLOG_QUERY, NULL, 0, &octets, sizeof octets), 0, "T test_backlog_query");
    CHECK(written == sizeof octets && octets > 1000, "T test_backlog_query");
    CHECK_FAIL(control(client, SIO_IDEAL_SEND_BACKLOG_QUERY, NULL, 0, &octets, 3), WSAEFAULT, IOCTLS);
    close_both(client, server);
    closesocket(fresh);
}

static void fast_path(void)
{
    int on = 1;
    SOCKET tcp = tcp_socket(), udp = socket(AF_INET, SOCK_DGRAM, 0);

    CHECK_EQ(control(tcp, SIO_LOOPBACK_FAST_PATH, &on, sizeof on, NULL, 0), 0, "D SIO_LOOPBACK_FAST_PATH");
    CHECK_FAIL(control(tcp, SIO_LOOPBACK_FAST_PATH, &on, 1, NULL, 0), WSAEFAULT, IOCTLS);
    CHECK_FAIL(control(udp, SIO_LOOPBACK_FAST_PATH, &on, sizeof on, NULL, 0), WSAEOPNOTSUPP, "D SIO_LOOPBACK_FAST_PATH: TCP only");
    close_both(tcp, udp);
}

/* With an OVERLAPPED: the octets are in lpcbBytesReturned, and it completes at once. */
static void overlapped(void)
{
    struct sockaddr_in to = ip_at("127.0.0.5"), from;
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    OVERLAPPED ov = { 0 };
    DWORD bytes = 0;

    CHECK_EQ(WSAIoctl(s, SIO_ROUTING_INTERFACE_QUERY, &to, sizeof to, &from, sizeof from, &bytes, &ov, NULL), 0, "T test_sioRoutingInterfaceQuery");
    CHECK_EQ(bytes, sizeof from, "T test_sioRoutingInterfaceQuery");
    CHECK_EQ(ov.Internal, ST_SUCCESS, "T test_sioRoutingInterfaceQuery");
    closesocket(s);
}

int main(void)
{
    check_begin("ioctls");
    interface_list();
    address_list(AF_INET);
    address_list(AF_INET6);
    routes();
    broadcast_address();
    tcp_info();
    ideal_backlog();
    fast_path();
    overlapped();
    return check_end();
}

/*
 * resolve_wide.c - services and protocols, addresses as text with ports, and the names in UTF-16; nothing here
 * needs a network.
 */
#include "check.h"

#define BAD ((void *)16)

static BOOL same(const WCHAR *a, const WCHAR *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static BOOL same_narrow(const WCHAR *a, const char *b)
{
    while (*a && *a == (WCHAR)*b)
        a++, b++;
    return *a == (WCHAR)*b;
}

/* A list of pointers stands where a pointer may stand. */
static BOOL is_aligned(const void *list)
{
    return (ULONG_PTR)list % sizeof(void *) == 0;
}

static void services(void)
{
    static const char *const D = "D getservbyname";
    struct servent *found, *again;

    found = getservbyname("http", "tcp");
    REQUIRE(found != NULL);
    CHECK(strcmp(found->s_name, "http") == 0, D);
    CHECK(strcmp(found->s_proto, "tcp") == 0, D);
    CHECK_EQ(ntohs((u_short)found->s_port), 80, "D servent: the port is in network order");
    CHECK(found->s_aliases != NULL && is_aligned(found->s_aliases), "D servent: a list that ends in NULL");
    again = getservbyname("HTTPS", "TCP");
    CHECK(again != NULL && ntohs((u_short)again->s_port) == 443, "choice: capitals do not matter");
    found = getservbyname("domain", NULL);
    CHECK(found != NULL && ntohs((u_short)found->s_port) == 53, "D getservbyname: any protocol");
    found = getservbyname("domain", "");
    CHECK(found != NULL && ntohs((u_short)found->s_port) == 53, "choice: an empty protocol is none");
    found = getservbyname("domain", "udp");
    CHECK(found != NULL && strcmp(found->s_proto, "udp") == 0, D);
    CHECK_CALL(getservbyname("no such service", "tcp"), NULL, WSANO_DATA, "D getservbyname: WSANO_DATA is among the codes");
    CHECK_CALL(getservbyname("http", "no such protocol"), NULL, WSANO_DATA, D);
    CHECK_CALL(getservbyname("", NULL), NULL, WSANO_DATA, "choice: an empty name is no service");
    CHECK_CALL(getservbyname(NULL, "tcp"), NULL, WSAEFAULT, D);
    CHECK_CALL(getservbyname(BAD, "tcp"), NULL, WSAEFAULT, D);
    CHECK_CALL(getservbyname("http", BAD), NULL, WSAEFAULT, D);

    found = getservbyport(htons(22), "tcp");
    CHECK(found != NULL && strcmp(found->s_name, "ssh") == 0, "D getservbyport");
    CHECK(found != NULL && found->s_port == (short)htons(22), "D getservbyport");
    found = getservbyport(htons(123), "udp");
    CHECK(found != NULL && strcmp(found->s_name, "ntp") == 0, "D getservbyport");
    found = getservbyport(htons(25), NULL);
    CHECK(found != NULL && strcmp(found->s_name, "smtp") == 0, "D getservbyport: any protocol");
    CHECK_CALL(getservbyport(htons(4), "tcp"), NULL, WSANO_DATA, "D getservbyport: nobody has port 4");
    CHECK_CALL(getservbyport(htons(22), BAD), NULL, WSAEFAULT, "D getservbyport");
}

static void protocols(void)
{
    static const struct { const char *name; short number; } all[] = {
        { "ip", 0 }, { "icmp", 1 }, { "tcp", 6 }, { "udp", 17 }, { "ipv6", 41 }, { "ipv6-icmp", 58 },
    };
    struct protoent *found;
    unsigned i;

    for (i = 0; i < sizeof all / sizeof all[0]; i++) {
        found = getprotobyname(all[i].name);
        CHECK(found != NULL && found->p_proto == all[i].number, "D getprotobyname");
        CHECK(found != NULL && strcmp(found->p_name, all[i].name) == 0, "D getprotobyname");
    }
    found = getprotobyname("TCP");
    CHECK(found != NULL && found->p_proto == IPPROTO_TCP, "D getprotobyname");
    found = getprotobynumber(IPPROTO_UDP);
    CHECK(found != NULL && strcmp(found->p_name, "udp") == 0, "D getprotobynumber");
    CHECK(found != NULL && found->p_aliases != NULL && is_aligned(found->p_aliases),
          "D protoent: a list that ends in NULL");
    CHECK_CALL(getprotobyname("no such protocol"), NULL, WSANO_DATA, "D getprotobyname: WSANO_DATA is among the codes");
    CHECK_CALL(getprotobynumber(70000), NULL, WSANO_DATA, "D getprotobynumber");
    CHECK_CALL(getprotobyname(NULL), NULL, WSAEFAULT, "D getprotobyname");
    CHECK_CALL(getprotobyname(BAD), NULL, WSAEFAULT, "D getprotobyname");
}

struct other_thread {
    struct servent *service;
    struct protoent *protocol;
};

static DWORD WINAPI ask_elsewhere(void *context)
{
    struct other_thread *seen = context;

    seen->service = getservbyname("smtp", "tcp");
    seen->protocol = getprotobyname("udp");
    return 0;
}

/* D getservbyname, getprotobyname: one structure for each thread; each kind has its own here. */
static void one_for_each_thread(void)
{
    struct servent *service = getservbyname("http", "tcp");
    struct protoent *protocol = getprotobyname("tcp");
    struct other_thread seen = { NULL, NULL };
    struct hostent *host;
    HANDLE thread = CreateThread(NULL, 0, ask_elsewhere, &seen, 0, NULL);

    REQUIRE(thread != NULL && service != NULL && protocol != NULL);
    CHECK_EQ(WaitForSingleObject(thread, CHECK_WAIT_MS), WAIT_OBJECT_0, "setup");
    CloseHandle(thread);
    host = gethostbyname("127.0.0.1");
    CHECK(seen.service != NULL && seen.service != service, "D getservbyname: allocated per thread");
    CHECK(seen.protocol != NULL && seen.protocol != protocol, "D getprotobyname: allocated per thread");
    CHECK(host != NULL && strcmp(host->h_name, "127.0.0.1") == 0, "D gethostbyname");
    CHECK(strcmp(service->s_name, "http") == 0, "choice: the service outlives questions for other kinds");
    CHECK(strcmp(protocol->p_name, "tcp") == 0, "choice: the protocol outlives questions for other kinds");
}

static void order(void)
{
    SOCKET s = tcp_socket();
    u_long n = 0;
    u_short h = 0;

    CHECK_EQ(WSAHtonl(s, 0x12345678, &n), 0, "D WSAHtonl");
    CHECK_EQ(n, htonl(0x12345678), "D WSAHtonl");
    CHECK_EQ(WSAHtons(s, 0x1234, &h), 0, "D WSAHtons");
    CHECK_EQ(h, htons(0x1234), "D WSAHtons");
    CHECK_EQ(WSANtohl(s, n, &n), 0, "D WSANtohl");
    CHECK_EQ(n, 0x12345678, "D WSANtohl");
    CHECK_EQ(WSANtohs(s, h, &h), 0, "D WSANtohs");
    CHECK_EQ(h, 0x1234, "D WSANtohs");
    CHECK_FAIL(WSAHtonl(s, 1, NULL), WSAEFAULT, "D WSAHtonl");
    CHECK_FAIL(WSAHtons(s, 1, NULL), WSAEFAULT, "D WSAHtons");
    CHECK_FAIL(WSANtohl(s, 1, BAD), WSAEFAULT, "D WSANtohl");
    CHECK_FAIL(WSANtohs(s, 1, BAD), WSAEFAULT, "D WSANtohs");
    closesocket(s);
    CHECK_FAIL(WSAHtonl(s, 1, &n), WSAENOTSOCK, "D WSAHtonl");
    CHECK_FAIL(WSAHtons(s, 1, &h), WSAENOTSOCK, "D WSAHtons");
    CHECK_FAIL(WSANtohl(s, 1, &n), WSAENOTSOCK, "D WSANtohl");
    CHECK_FAIL(WSANtohs(s, 1, &h), WSAENOTSOCK, "D WSANtohs");
}

static void wide_text(void)
{
    struct in_addr v4;
    struct in6_addr v6;
    WCHAR text[64];
    static const WCHAR half[] = { 0xD83D, 0 };

    CHECK_EQ(InetPtonW(AF_INET, u"192.0.2.7", &v4), 1, "D InetPtonW");
    CHECK_EQ(ntohl(v4.s_addr), 0xc0000207, "D InetPtonW");
    CHECK(InetNtopW(AF_INET, &v4, text, 64) == text && same(text, u"192.0.2.7"), "D InetNtopW");
    CHECK(InetNtopW(AF_INET, &v4, text, 10) == text, "D InetNtopW: the size counts characters");
    CHECK_CALL(InetNtopW(AF_INET, &v4, text, 9) != NULL, 0, ERROR_INVALID_PARAMETER, "D InetNtopW");
    CHECK_EQ(InetPtonW(AF_INET6, u"2001:db8::7", &v6), 1, "D InetPtonW");
    CHECK(InetNtopW(AF_INET6, &v6, text, 64) == text && same(text, u"2001:db8::7"), "D InetNtopW");
    CHECK_EQ(InetPtonW(AF_INET, u"1.2.3", &v4), 0, "D InetPtonW: four parts");
    CHECK_EQ(InetPtonW(AF_INET, half, &v4), 0, "D InetPtonW: no address");
    CHECK_CALL(InetPtonW(99, u"1.2.3.4", &v4), -1, WSAEAFNOSUPPORT, "D InetPtonW");
    CHECK_CALL(InetPtonW(AF_INET, NULL, &v4), -1, WSAEFAULT, "D InetPtonW");
    CHECK_CALL(InetPtonW(AF_INET, u"1.2.3.4", NULL), -1, WSAEFAULT, "D InetPtonW");
}

static void host_name(void)
{
    char narrow[256];
    WCHAR wide[256];
    int needed;

    REQUIRE(gethostname(narrow, sizeof narrow) == 0);
    CHECK_EQ(GetHostNameW(wide, 256), 0, "D GetHostNameW");
    CHECK(same_narrow(wide, narrow), "D GetHostNameW");
    needed = (int)strlen(narrow) + 1;
    CHECK_EQ(GetHostNameW(wide, needed), 0, "D GetHostNameW: the size counts characters");
    CHECK_FAIL(GetHostNameW(wide, needed - 1), WSAEFAULT, "D GetHostNameW");
    CHECK_FAIL(GetHostNameW(NULL, 256), WSAEFAULT, "D GetHostNameW");
    CHECK_FAIL(GetHostNameW(wide, -1), WSAEFAULT, "D GetHostNameW");
}

static void wide_names(void)
{
    static const WCHAR half[] = { 'a', 0xD83D, 0 };
    ADDRINFOW hints, *found = NULL;
    struct sockaddr_in *v4;

    memset(&hints, 0, sizeof hints);
    hints.ai_flags = AI_NUMERICHOST | AI_CANONNAME;
    hints.ai_socktype = SOCK_STREAM;
    CHECK_EQ(GetAddrInfoW(u"192.0.2.1", u"8080", &hints, &found), 0, "D GetAddrInfoW");
    if (CHECK(found != NULL, "D GetAddrInfoW")) {
        v4 = (struct sockaddr_in *)found->ai_addr;
        CHECK_EQ(found->ai_family, AF_INET, "D GetAddrInfoW");
        CHECK_EQ(found->ai_socktype, SOCK_STREAM, "D GetAddrInfoW");
        CHECK_EQ(found->ai_addrlen, sizeof *v4, "D GetAddrInfoW");
        CHECK(v4->sin_family == AF_INET && v4->sin_port == htons(8080), "D GetAddrInfoW");
        CHECK_EQ(ntohl(v4->sin_addr.s_addr), 0xc0000201, "D GetAddrInfoW");
        CHECK(found->ai_canonname != NULL && same(found->ai_canonname, u"192.0.2.1"), "D GetAddrInfoW: AI_CANONNAME");
        CHECK(found->ai_next == NULL, "D GetAddrInfoW");
        FreeAddrInfoW(found);
    }
    found = NULL;
    hints.ai_flags = 0;
    CHECK_EQ(GetAddrInfoW(u"::1", u"domain", &hints, &found), 0, "D GetAddrInfoW");
    if (CHECK(found != NULL, "D GetAddrInfoW")) {
        CHECK_EQ(found->ai_family, AF_INET6, "D GetAddrInfoW");
        CHECK_EQ(((struct sockaddr_in6 *)found->ai_addr)->sin6_port, htons(53), "D GetAddrInfoW: a service by name");
        CHECK(found->ai_canonname == NULL, "D GetAddrInfoW: not asked for");
        FreeAddrInfoW(found);
    }
    hints.ai_flags = AI_NUMERICHOST;
    CHECK_EQ(GetAddrInfoW(u"not.a.number", NULL, &hints, &found), WSAHOST_NOT_FOUND, "D GetAddrInfoW: AI_NUMERICHOST");
    CHECK_EQ(WSAGetLastError(), WSAHOST_NOT_FOUND, "D GetAddrInfoW: WSAGetLastError tells it too");
    CHECK(found == NULL, "D GetAddrInfoW: no list");
    CHECK_EQ(GetAddrInfoW(NULL, NULL, &hints, &found), WSAHOST_NOT_FOUND, "D GetAddrInfoW: neither name nor service");
    CHECK_EQ(GetAddrInfoW(half, NULL, &hints, &found), WSAEINVAL, "choice: half a surrogate pair is no name");
    CHECK_EQ(GetAddrInfoW(BAD, NULL, &hints, &found), WSAEFAULT, "choice: as every bad pointer");
    CHECK_EQ(GetAddrInfoW(u"::1", NULL, &hints, NULL), WSAEFAULT, "choice: as every bad pointer");
    FreeAddrInfoW(NULL); /* does nothing */
}

static void wide_back_to_text(void)
{
    struct sockaddr_in v4 = loopback(htons(8080));
    const struct sockaddr *address = (struct sockaddr *)&v4;
    const int numeric = NI_NUMERICHOST | NI_NUMERICSERV;
    WCHAR host[NI_MAXHOST], service[NI_MAXSERV];

    CHECK_EQ(GetNameInfoW(address, sizeof v4, host, NI_MAXHOST, service, NI_MAXSERV, numeric), 0, "D GetNameInfoW");
    CHECK(same(host, u"127.0.0.1") && same(service, u"8080"), "D GetNameInfoW");
    CHECK_EQ(GetNameInfoW(address, sizeof v4, host, 10, NULL, 0, numeric), 0, "D GetNameInfoW: sizes count characters");
    CHECK_EQ(GetNameInfoW(address, sizeof v4, host, 9, NULL, 0, numeric), ERROR_INSUFFICIENT_BUFFER,
             "D GetNameInfoW");
    CHECK_EQ(GetNameInfoW(address, sizeof v4, BAD, 10, NULL, 0, numeric), WSAEFAULT, "D GetNameInfoW");
    v4.sin_family = 99;
    CHECK_EQ(GetNameInfoW(address, sizeof v4, host, 10, NULL, 0, numeric), WSAEAFNOSUPPORT, "D GetNameInfoW");
    CHECK(same_narrow(gai_strerrorW(WSAHOST_NOT_FOUND), gai_strerrorA(WSAHOST_NOT_FOUND)), "D gai_strerror");
}

/* The address FIRST::LAST. */
static struct sockaddr_in6 address_v6(u_short first, u_short last, u_short port, u_long scope)
{
    struct sockaddr_in6 v6;

    memset(&v6, 0, sizeof v6);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    v6.sin6_scope_id = scope;
    v6.sin6_addr.s6_addr[0] = (unsigned char)(first >> 8);
    v6.sin6_addr.s6_addr[1] = (unsigned char)first;
    v6.sin6_addr.s6_addr[14] = (unsigned char)(last >> 8);
    v6.sin6_addr.s6_addr[15] = (unsigned char)last;
    return v6;
}

static void is_written_as(const void *address, DWORD size, const WCHAR *wide, const char *narrow, const char *source)
{
    LPSOCKADDR at = (LPSOCKADDR)(ULONG_PTR)address;
    const DWORD needed = (DWORD)strlen(narrow) + 1;
    DWORD length = 64;
    char text[64];
    WCHAR units[64];

    CHECK_EQ(WSAAddressToStringA(at, size, NULL, text, &length), 0, source);
    CHECK(strcmp(text, narrow) == 0, source);
    CHECK_EQ(length, needed, "T test_WSAAddressToString: the length counts the zero");
    length = 64;
    CHECK_EQ(WSAAddressToStringW(at, size, NULL, units, &length), 0, source);
    CHECK(same(units, wide), source);
    CHECK_EQ(length, needed, "D WSAAddressToStringW: in characters");
    CHECK_EQ(WSAAddressToStringW(at, size, NULL, units, &length), 0, "D WSAAddressToStringW: just enough");
    length = needed - 1;
    CHECK_FAIL(WSAAddressToStringA(at, size, NULL, text, &length), WSAEFAULT, "T test_WSAAddressToString: too little");
    CHECK_EQ(length, needed, "T test_WSAAddressToString: the length that is needed");
    length = 0;
    CHECK_FAIL(WSAAddressToStringW(at, size, NULL, NULL, &length), WSAEFAULT, "T test_WSAAddressToString");
    CHECK_EQ(length, needed, "T test_WSAAddressToString");
}

static void address_to_text(void)
{
    static const char *const T = "T test_WSAAddressToString";
    struct sockaddr_in v4 = loopback(0);
    struct sockaddr_in6 v6 = address_v6(0, 1, 0, 0);
    WSAPROTOCOL_INFOA info;
    DWORD length = 64;
    char text[64];

    is_written_as(&v4, sizeof v4, u"127.0.0.1", "127.0.0.1", "D WSAAddressToString");
    v4.sin_addr.s_addr = 0;
    v4.sin_port = htons(65535);
    is_written_as(&v4, sizeof v4, u"0.0.0.0:65535", "0.0.0.0:65535", T);
    is_written_as(&v6, sizeof v6, u"::1", "::1", T);
    v6 = address_v6(0x20ab, 0x2001, 33274, 0);
    is_written_as(&v6, sizeof v6, u"[20ab::2001]:33274", "[20ab::2001]:33274", T);
    v6 = address_v6(0x20ab, 0x2001, 33274, 4660);
    is_written_as(&v6, sizeof v6, u"[20ab::2001%4660]:33274", "[20ab::2001%4660]:33274", T);
    v6 = address_v6(0x20ab, 0x2001, 0, 4660);
    is_written_as(&v6, sizeof v6, u"20ab::2001%4660", "20ab::2001%4660", T);

    memset(&info, 0, sizeof info);
    info.iAddressFamily = AF_INET;
    CHECK_EQ(WSAAddressToStringA((LPSOCKADDR)&v4, sizeof v4, &info, text, &length), 0, "D WSAAddressToString");
    length = 64;
    CHECK_FAIL(WSAAddressToStringA((LPSOCKADDR)&v6, sizeof v6, &info, text, &length), WSAEINVAL,
               "choice: a provider for another family");
    CHECK_FAIL(WSAAddressToStringA((LPSOCKADDR)&v4, sizeof v4, BAD, text, &length), WSAEFAULT, "D WSAAddressToString");
    CHECK_FAIL(WSAAddressToStringA((LPSOCKADDR)&v4, sizeof v4, NULL, BAD, &length), WSAEFAULT, "D WSAAddressToString");
    CHECK_FAIL(WSAAddressToStringA((LPSOCKADDR)&v4, sizeof v4, NULL, text, NULL), WSAEFAULT, "D WSAAddressToString");
    CHECK_FAIL(WSAAddressToStringA(BAD, sizeof v4, NULL, text, &length), WSAEFAULT, "D WSAAddressToString");
    CHECK_FAIL(WSAAddressToStringA((LPSOCKADDR)&v4, 15, NULL, text, &length), WSAEINVAL,
               "D WSAAddressToString: not a valid socket address");
    v4.sin_family = 99;
    CHECK_FAIL(WSAAddressToStringA((LPSOCKADDR)&v4, sizeof v4, NULL, text, &length), WSAEINVAL,
               "D WSAAddressToString: no provider for the family");
}

static void text_to_v4(void)
{
    static const char *const T = "T test_WSAStringToAddress";
    static const struct { const char *text; u_long host; u_short port; } good[] = {
        { "0.0.0.0", 0, 0 }, { "127.127.127.127", 0x7f7f7f7f, 0 }, { "255.255.255.255", 0xffffffff, 0 },
        { "127.127.127.127:65535", 0x7f7f7f7f, 65535 },
    };
    static const char *const bad[] = { "127.127.127.127:65536", "256.1.1.1", "", "::1", "1.2.3.4:", "name", "1.2.3.4 " };
    struct sockaddr_in v4;
    int length = sizeof v4;
    char text[32];
    unsigned i;

    for (i = 0; i < sizeof good / sizeof good[0]; i++) {
        memset(&v4, 0xee, sizeof v4);
        strcpy(text, good[i].text);
        CHECK_EQ(WSAStringToAddressA(text, AF_INET, NULL, (LPSOCKADDR)&v4, &length), 0, T);
        CHECK_EQ(length, sizeof v4, "D WSAStringToAddress");
        CHECK_EQ(v4.sin_family, AF_INET, "D WSAStringToAddress");
        CHECK_EQ(ntohl(v4.sin_addr.s_addr), good[i].host, T);
        CHECK_EQ(ntohs(v4.sin_port), good[i].port, T);
    }
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        strcpy(text, bad[i]);
        CHECK_FAIL(WSAStringToAddressA(text, AF_INET, NULL, (LPSOCKADDR)&v4, &length), WSAEINVAL,
                   "D WSAStringToAddress: no address of the family");
    }
}

static void text_to_v6(void)
{
    WCHAR plain[] = u"::1", full[] = u"[20ab::2001%4660]:65535", large[] = u"[::1]:65536", half[] = { 0xDC00, 0 };
    struct sockaddr_in6 v6, expected = address_v6(0x20ab, 0x2001, 65535, 4660);
    WSAPROTOCOL_INFOW info;
    int length = sizeof v6;

    CHECK_EQ(WSAStringToAddressW(plain, AF_INET6, NULL, (LPSOCKADDR)&v6, &length), 0, "T test_WSAStringToAddress");
    CHECK(v6.sin6_family == AF_INET6 && v6.sin6_port == 0 && IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr),
          "T test_WSAStringToAddress");
    CHECK_EQ(WSAStringToAddressW(full, AF_INET6, NULL, (LPSOCKADDR)&v6, &length), 0, "D WSAStringToAddress");
    CHECK(memcmp(&v6, &expected, sizeof v6) == 0, "D WSAStringToAddress: port and scope");
    CHECK_FAIL(WSAStringToAddressW(large, AF_INET6, NULL, (LPSOCKADDR)&v6, &length), WSAEINVAL,
               "D WSAStringToAddress: no port");
    CHECK_FAIL(WSAStringToAddressW(half, AF_INET6, NULL, (LPSOCKADDR)&v6, &length), WSAEINVAL,
               "choice: half a surrogate pair");
    CHECK_FAIL(WSAStringToAddressW(plain, AF_INET, NULL, (LPSOCKADDR)&v6, &length), WSAEINVAL, "D WSAStringToAddress");
    CHECK_FAIL(WSAStringToAddressW(plain, 99, NULL, (LPSOCKADDR)&v6, &length), WSAEINVAL, "D WSAStringToAddress");
    length = sizeof v6 - 1;
    CHECK_FAIL(WSAStringToAddressW(plain, AF_INET6, NULL, (LPSOCKADDR)&v6, &length), WSAEFAULT,
               "D WSAStringToAddress: too little");
    CHECK_EQ(length, sizeof v6, "D WSAStringToAddress: the length that is needed");
    CHECK_FAIL(WSAStringToAddressW(BAD, AF_INET6, NULL, (LPSOCKADDR)&v6, &length), WSAEFAULT, "D WSAStringToAddress");
    CHECK_FAIL(WSAStringToAddressW(plain, AF_INET6, NULL, BAD, &length), WSAEFAULT, "D WSAStringToAddress");
    CHECK_FAIL(WSAStringToAddressW(plain, AF_INET6, NULL, (LPSOCKADDR)&v6, NULL), WSAEFAULT, "D WSAStringToAddress");
    memset(&info, 0, sizeof info);
    info.iAddressFamily = AF_INET6;
    CHECK_EQ(WSAStringToAddressW(plain, AF_INET6, &info, (LPSOCKADDR)&v6, &length), 0, "D WSAStringToAddress");
    info.iAddressFamily = AF_INET;
    CHECK_FAIL(WSAStringToAddressW(plain, AF_INET6, &info, (LPSOCKADDR)&v6, &length), WSAEINVAL,
               "choice: a provider for another family");
}

static void before_startup(void)
{
    struct sockaddr_in v4;
    ADDRINFOW *found;
    WCHAR wide[8];
    int length = sizeof v4;
    char text[] = "1.2.3.4";

    CHECK_CALL(getservbyname("http", "tcp"), NULL, WSANOTINITIALISED, "D getservbyname");
    CHECK_CALL(getservbyport(htons(80), "tcp"), NULL, WSANOTINITIALISED, "D getservbyport");
    CHECK_CALL(getprotobyname("tcp"), NULL, WSANOTINITIALISED, "D getprotobyname");
    CHECK_CALL(getprotobynumber(6), NULL, WSANOTINITIALISED, "D getprotobynumber");
    CHECK_FAIL(GetHostNameW(wide, 8), WSANOTINITIALISED, "D GetHostNameW");
    CHECK_FAIL(WSAStringToAddressA(text, AF_INET, NULL, (LPSOCKADDR)&v4, &length), WSANOTINITIALISED,
               "D WSAStringToAddress");
    CHECK_EQ(GetAddrInfoW(u"::1", NULL, NULL, &found), WSANOTINITIALISED, "D GetAddrInfoW");
}

int main(void)
{
    WSADATA data;

    check_begin_bare("resolve_wide");
    before_startup();
    REQUIRE(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    services();
    protocols();
    one_for_each_thread();
    order();
    wide_text();
    host_name();
    wide_names();
    wide_back_to_text();
    address_to_text();
    text_to_v4();
    text_to_v6();
    return check_end();
}

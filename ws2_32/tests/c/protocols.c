/*
 * The protocol catalog: WSAEnumProtocols, SO_PROTOCOL_INFO, sockets by protocol info, and flags that tell what is done.
 */
#include "check.h"

enum { MOST = 32 };

static const char *const PAGE = "D WSAEnumProtocols";
static const char *const TEST = "T test_WSAEnumProtocolsW";

/* The whole catalog; how many entries. */
static int catalog(WSAPROTOCOL_INFOW *entries)
{
    DWORD len = MOST * sizeof *entries;
    int count = WSAEnumProtocolsW(NULL, entries, &len);

    REQUIRE(count > 0);
    CHECK_EQ(len, count * sizeof *entries, "choice: the length that was needed");
    return count;
}

static void sizes(void)
{
    static WSAPROTOCOL_INFOW entries[MOST];
    static WSAPROTOCOL_INFOA narrow[MOST];
    DWORD len = 0, needed;
    int count = catalog(entries), i;

    CHECK_FAIL(WSAEnumProtocolsW(NULL, NULL, &len), WSAENOBUFS, TEST);
    needed = len;
    CHECK_EQ(needed, count * sizeof *entries, TEST);
    len = needed - 1;
    CHECK_FAIL(WSAEnumProtocolsW(NULL, entries, &len), WSAENOBUFS, TEST);
    CHECK_EQ(len, needed, TEST);
    len = needed;
    CHECK_FAIL(WSAEnumProtocolsW(NULL, NULL, &len), WSAENOBUFS, TEST);
    len = needed;
    CHECK_EQ(WSAEnumProtocolsW(NULL, entries, &len), count, TEST);
    CHECK_FAIL(WSAEnumProtocolsW(NULL, entries, NULL), WSAEFAULT, PAGE);

    len = 0;
    CHECK_FAIL(WSAEnumProtocolsA(NULL, NULL, &len), WSAENOBUFS, "T test_WSAEnumProtocolsA");
    CHECK_EQ(len, count * sizeof *narrow, "T test_WSAEnumProtocolsA");
    len = sizeof narrow;
    CHECK_EQ(WSAEnumProtocolsA(NULL, narrow, &len), count, "T test_WSAEnumProtocolsA");
    for (i = 0; i < count; i++) {
        size_t at;

        CHECK_EQ(memcmp(&narrow[i], &entries[i], FIELD_OFFSET(WSAPROTOCOL_INFOA, szProtocol)), 0, PAGE);
        for (at = 0; entries[i].szProtocol[at]; at++)
            if (entries[i].szProtocol[at] != (WCHAR)(unsigned char)narrow[i].szProtocol[at])
                break;
        CHECK(at > 0 && !entries[i].szProtocol[at] && !narrow[i].szProtocol[at], PAGE);
    }
}

static void filters(void)
{
    static WSAPROTOCOL_INFOW entries[MOST];
    INT tcp[] = { IPPROTO_TCP, 0 }, both[] = { IPPROTO_UDP, IPPROTO_TCP, 0 }, none[] = { 0xdead, 0xbeef, 0 }, empty[] = { 0 };
    DWORD len = sizeof entries;
    int count = WSAEnumProtocolsW(tcp, entries, &len), i;

    CHECK_EQ(count, 2, "D WSAEnumProtocols: over IPv4 and over IPv6");
    for (i = 0; i < count; i++)
        CHECK_EQ(entries[i].iProtocol, IPPROTO_TCP, PAGE);
    len = sizeof entries;
    CHECK_EQ(WSAEnumProtocolsW(both, entries, &len), 4, PAGE);
    len = sizeof entries;
    CHECK_EQ(WSAEnumProtocolsW(none, entries, &len), 0, TEST);
    len = sizeof entries;
    CHECK_EQ(WSAEnumProtocolsW(empty, entries, &len), 0, "choice: a list of nothing");
}

/* Every entry makes a socket that says the same of itself. */
static void every_entry_makes_its_socket(void)
{
    static WSAPROTOCOL_INFOW entries[MOST], own;
    int count = catalog(entries), i;

    for (i = 0; i < count; i++) {
        WSAPROTOCOL_INFOW *entry = &entries[i];
        SOCKET by_info = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, entry, 0,
                                    WSA_FLAG_OVERLAPPED);
        SOCKET by_number = socket(entry->iAddressFamily, entry->iSocketType, entry->iProtocol);
        int len = sizeof own, type = 0, size = sizeof type;

        CHECK(by_info != INVALID_SOCKET, "D WSASocket: FROM_PROTOCOL_INFO");
        CHECK(by_number != INVALID_SOCKET, "D WSASocket: its three numbers");
        CHECK_EQ(getsockopt(by_info, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&own, &len), 0, "D SOL_SOCKET options");
        CHECK_EQ(memcmp(&own, entry, sizeof own), 0, "D SOL_SOCKET options: SO_PROTOCOL_INFO");
        CHECK_EQ(getsockopt(by_number, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&own, &len), 0, "D SOL_SOCKET options");
        CHECK_EQ(memcmp(&own, entry, sizeof own), 0, "D SOL_SOCKET options: SO_PROTOCOL_INFO");
        CHECK_EQ(getsockopt(by_info, SOL_SOCKET, SO_TYPE, (char *)&type, &size), 0, "setup");
        CHECK_EQ(type, entry->iSocketType, "D WSAPROTOCOL_INFO");
        CHECK_EQ(entry->ProtocolChain.ChainLen, BASE_PROTOCOL, "D WSAPROTOCOL_INFO: a base protocol");
        CHECK(!(entry->dwProviderFlags & PFL_HIDDEN), "D WSAPROTOCOL_INFO: hidden ones are not listed");
        CHECK((entry->dwServiceFlags1 & XP1_MESSAGE_ORIENTED) ? entry->dwMessageSize > 0 : entry->dwMessageSize == 0,
              "D WSAPROTOCOL_INFO: dwMessageSize");
        close_both(by_info, by_number);
    }
}

static const WSAPROTOCOL_INFOW *entry_of(int family, int type)
{
    static WSAPROTOCOL_INFOW entries[MOST];
    int count = catalog(entries), i;

    for (i = 0; i < count; i++)
        if (entries[i].iAddressFamily == family && entries[i].iSocketType == type)
            return &entries[i];
    REQUIRE(!"an entry");
    return NULL;
}

/* XP1 flags against behaviour. */
static void flags_are_true(void)
{
    const WSAPROTOCOL_INFOW *tcp = entry_of(AF_INET, SOCK_STREAM), *udp = entry_of(AF_INET, SOCK_DGRAM);
    SOCKET client, server;
    char octets[4] = { 0 };
    WSABUF data;

    CHECK_EQ(tcp->dwServiceFlags1, 0x20066, "T protocol catalog of Windows");
    CHECK_EQ(udp->dwServiceFlags1, 0x20609, "T protocol catalog of Windows");
    CHECK_EQ(tcp->dwCatalogEntryId, 1001, "T protocol catalog of Windows");
    tcp_pair(&client, &server);
    data.buf = octets;
    data.len = sizeof octets;
    CHECK(!(tcp->dwServiceFlags1 & (XP1_DISCONNECT_DATA | XP1_CONNECT_DATA)), "S 002: TCP has none");
    CHECK_FAIL(WSASendDisconnect(client, &data), WSAENOPROTOOPT, "S 002: no XP1_DISCONNECT_DATA");
    CHECK(tcp->dwServiceFlags1 & XP1_EXPEDITED_DATA, "setup");
    CHECK_EQ(send(client, "!", 1, MSG_OOB), 1, "D WSAPROTOCOL_INFO: XP1_EXPEDITED_DATA");
    CHECK_EQ(recv(server, octets, 1, MSG_OOB), 1, "D WSAPROTOCOL_INFO: XP1_EXPEDITED_DATA");
    CHECK_EQ(octets[0], '!', "D recv: MSG_OOB");
    close_both(client, server);
}

int main(void)
{
    DWORD len = 0;

    check_begin_bare("protocols");
    CHECK_FAIL(WSAEnumProtocolsW(NULL, NULL, &len), WSANOTINITIALISED, PAGE);
    {
        WSADATA data;

        REQUIRE(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    }
    sizes();
    filters();
    every_entry_makes_its_socket();
    flags_are_true();
    return check_end();
}

/*
 * ip_helper.c - the adapters and their addresses, names of interfaces, and the host's name servers.
 */
#include "check.h"
#include <iphlpapi.h>
#include <ws2tcpip.h>

/* The list, in memory that is as large as the first call says, or larger. */
static IP_ADAPTER_ADDRESSES *adapters(ULONG family, ULONG flags)
{
    IP_ADAPTER_ADDRESSES *list = NULL;
    ULONG size = 0, error;

    CHECK_EQ(GetAdaptersAddresses(family, flags, NULL, NULL, &size), ERROR_BUFFER_OVERFLOW,
             "D GetAdaptersAddresses: no room");
    CHECK(size >= sizeof *list, "D GetAdaptersAddresses: the size that is needed");
    /* The page's own way: adapters may come between the calls. */
    do {
        free(list);
        list = malloc(size);
        REQUIRE(list != NULL);
        error = GetAdaptersAddresses(family, flags, NULL, list, &size);
    } while (error == ERROR_BUFFER_OVERFLOW);
    CHECK_EQ(error, ERROR_SUCCESS, "D GetAdaptersAddresses");
    return list;
}

/* The adapter that has 127.0.0.1. */
static IP_ADAPTER_ADDRESSES *with_loopback(IP_ADAPTER_ADDRESSES *list)
{
    IP_ADAPTER_UNICAST_ADDRESS *at;

    for (; list != NULL; list = list->Next)
        for (at = list->FirstUnicastAddress; at != NULL; at = at->Next)
            if (at->Address.lpSockaddr->sa_family == AF_INET
                && ((struct sockaddr_in *)at->Address.lpSockaddr)->sin_addr.s_addr == htonl(INADDR_LOOPBACK))
                return list;
    return NULL;
}

static void list(void)
{
    IP_ADAPTER_ADDRESSES *all = adapters(AF_UNSPEC, GAA_FLAG_INCLUDE_PREFIX), *one = with_loopback(all);
    IP_ADAPTER_UNICAST_ADDRESS *address;
    char name[IF_NAMESIZE];

    REQUIRE(one != NULL);
    CHECK(one->Length >= sizeof *one, "D IP_ADAPTER_ADDRESSES: Length");
    CHECK_EQ(one->IfType, IF_TYPE_SOFTWARE_LOOPBACK, "D IP_ADAPTER_ADDRESSES: IfType");
    CHECK_EQ(one->OperStatus, IfOperStatusUp, "D IP_ADAPTER_ADDRESSES: OperStatus");
    CHECK(one->Flags & IP_ADAPTER_IPV4_ENABLED, "D IP_ADAPTER_ADDRESSES: Ipv4Enabled");
    CHECK(one->Mtu >= 576, "D IP_ADAPTER_ADDRESSES: Mtu");
    CHECK(one->IfIndex != 0, "D IP_ADAPTER_ADDRESSES: IfIndex");
    CHECK(one->FriendlyName != NULL && one->FriendlyName[0] != 0, "D IP_ADAPTER_ADDRESSES: FriendlyName");
    CHECK(one->FirstDnsServerAddress == NULL || one->FirstDnsServerAddress->Address.lpSockaddr != NULL,
          "D IP_ADAPTER_ADDRESSES: FirstDnsServerAddress");
    CHECK(one->FirstPrefix != NULL, "D GAA_FLAG_INCLUDE_PREFIX");
    for (address = one->FirstUnicastAddress; address != NULL; address = address->Next)
        if (address->Address.lpSockaddr->sa_family == AF_INET)
            break;
    REQUIRE(address != NULL);
    CHECK_EQ(address->Address.iSockaddrLength, (int)sizeof(struct sockaddr_in), "D SOCKET_ADDRESS");
    CHECK_EQ(address->OnLinkPrefixLength, 8, "D IP_ADAPTER_UNICAST_ADDRESS: of 127.0.0.0/8");
    CHECK_EQ(address->DadState, IpDadStatePreferred, "D IP_ADAPTER_UNICAST_ADDRESS: DadState");
    CHECK(if_indextoname(one->IfIndex, name) == name, "D if_indextoname");
    CHECK_EQ(if_nametoindex(name), one->IfIndex, "D if_nametoindex");
#ifndef __MINGW32__
    CHECK(strcmp(one->AdapterName, name) == 0, "choice: Linux's name");
#endif
    free(all);
}

static void chosen(void)
{
    IP_ADAPTER_ADDRESSES *v4 = adapters(AF_INET, 0), *at;
    IP_ADAPTER_UNICAST_ADDRESS *address;
    BOOL is_v4 = TRUE;

    for (at = v4; at != NULL; at = at->Next)
        for (address = at->FirstUnicastAddress; address != NULL; address = address->Next)
            is_v4 = is_v4 && address->Address.lpSockaddr->sa_family == AF_INET;
    CHECK(is_v4, "D GetAdaptersAddresses: of that family alone");
    CHECK(with_loopback(v4) != NULL && with_loopback(v4)->FirstPrefix == NULL, "D GAA_FLAG_INCLUDE_PREFIX: not given");
    free(v4);
    v4 = adapters(AF_INET, GAA_FLAG_SKIP_UNICAST | GAA_FLAG_SKIP_FRIENDLY_NAME | GAA_FLAG_SKIP_DNS_SERVER);
    CHECK(v4->FirstUnicastAddress == NULL, "D GAA_FLAG_SKIP_UNICAST");
    CHECK(v4->FirstDnsServerAddress == NULL, "D GAA_FLAG_SKIP_DNS_SERVER");
    free(v4);
}

static void refused(void)
{
    char name[IF_NAMESIZE];
    ULONG size = 0;

    CHECK_EQ(GetAdaptersAddresses(AF_IPX, 0, NULL, NULL, &size), ERROR_INVALID_PARAMETER,
             "D GetAdaptersAddresses: the family");
    CHECK_EQ(GetAdaptersAddresses(AF_UNSPEC, 0, NULL, NULL, NULL), ERROR_INVALID_PARAMETER,
             "D GetAdaptersAddresses: SizePointer");
    CHECK_EQ(if_nametoindex("no-such-interface"), 0, "D if_nametoindex");
    CHECK(if_indextoname(0x7fffffff, name) == NULL, "D if_indextoname");
#ifndef __MINGW32__
    size = 1 << 20;
    CHECK_EQ(GetAdaptersAddresses(AF_UNSPEC, 0, NULL, (IP_ADAPTER_ADDRESSES *)16, &size), ERROR_NOACCESS,
             "choice: an error, and no crash");
    CHECK_EQ(GetNetworkParams((FIXED_INFO *)16, &size), ERROR_NOACCESS, "choice: an error, and no crash");
    CHECK_EQ(GetNetworkParams(NULL, (PULONG)16), ERROR_NOACCESS, "choice: an error, and no crash");
    CHECK_EQ(if_nametoindex((PCSTR)16), 0, "choice: an error, and no crash");
    CHECK(if_indextoname(1, (PCHAR)16) == NULL, "choice: an error, and no crash");
#endif
}

static void host(void)
{
    ULONG size = 0;
    FIXED_INFO *info;
    IP_ADDR_STRING *server;
    struct in_addr address;
    char name[256];

    CHECK_EQ(GetNetworkParams(NULL, &size), ERROR_BUFFER_OVERFLOW, "D GetNetworkParams: no room");
    CHECK(size >= sizeof *info, "D GetNetworkParams: the size that is needed");
    info = malloc(size);
    REQUIRE(info != NULL);
    size--;
    CHECK_EQ(GetNetworkParams(info, &size), ERROR_BUFFER_OVERFLOW, "D GetNetworkParams: an octet is missing");
    CHECK_EQ(GetNetworkParams(info, &size), ERROR_SUCCESS, "D GetNetworkParams");
    REQUIRE(gethostname(name, sizeof name) == 0);
    CHECK(strncmp(name, info->HostName, strlen(info->HostName)) == 0, "D FIXED_INFO: HostName, without the domain");
    for (server = &info->DnsServerList; server != NULL; server = server->Next)
        CHECK(server->IpAddress.String[0] == 0 || inet_pton(AF_INET, server->IpAddress.String, &address) == 1,
              "D IP_ADDR_STRING: an IPv4 address");
    CHECK(info->NodeType == BROADCAST_NODETYPE || info->NodeType == HYBRID_NODETYPE, "D FIXED_INFO: NodeType");
    free(info);
}

int main(void)
{
    check_begin("ip_helper");
    list();
    chosen();
    refused();
    host();
    return check_end();
}

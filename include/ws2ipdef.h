/* ws2ipdef.h - IPv6 addresses, multicast requests, options of the IP, IPV6 and TCP levels. */
#ifndef LINSOCK_WS2IPDEF_H
#define LINSOCK_WS2IPDEF_H

#include "ws2def.h"
#include "in6addr.h"

/* winsock/ipproto-ip-socket-options */
#ifndef USE_WS_PREFIX
#define IP_OPTIONS 1
#define IP_HDRINCL 2
#define IP_TOS 3
#define IP_TTL 4
#define IP_MULTICAST_IF 9
#define IP_MULTICAST_TTL 10
#define IP_MULTICAST_LOOP 11
#define IP_ADD_MEMBERSHIP 12
#define IP_DROP_MEMBERSHIP 13
#define IP_DONTFRAGMENT 14
#define IP_ADD_SOURCE_MEMBERSHIP 15
#define IP_DROP_SOURCE_MEMBERSHIP 16
#define IP_BLOCK_SOURCE 17
#define IP_UNBLOCK_SOURCE 18
#define IP_PKTINFO 19
#define IP_HOPLIMIT 21
#define IP_RECVTTL 21
#define IP_RECEIVE_BROADCAST 22
#define IP_RECVIF 24
#define IP_RECVDSTADDR 25
#define IP_IFLIST 28
#define IP_ADD_IFLIST 29
#define IP_DEL_IFLIST 30
#define IP_UNICAST_IF 31
#define IP_RTHDR 32
#define IP_RECVRTHDR 38
#define IP_RECVTOS 40
#define IP_ORIGINAL_ARRIVAL_IF 47
#define IP_MTU_DISCOVER 71
#define IP_MTU 73
#define IP_DEFAULT_MULTICAST_TTL 1
#define IP_DEFAULT_MULTICAST_LOOP 1
#define IP_MAX_MEMBERSHIPS 20
#define MCAST_JOIN_GROUP 41
#define MCAST_LEAVE_GROUP 42
#else
#define WS_IP_OPTIONS 1
#define WS_IP_HDRINCL 2
#define WS_IP_TOS 3
#define WS_IP_TTL 4
#define WS_IP_MULTICAST_IF 9
#define WS_IP_MULTICAST_TTL 10
#define WS_IP_MULTICAST_LOOP 11
#define WS_IP_ADD_MEMBERSHIP 12
#define WS_IP_DROP_MEMBERSHIP 13
#define WS_IP_DONTFRAGMENT 14
#define WS_IP_ADD_SOURCE_MEMBERSHIP 15
#define WS_IP_DROP_SOURCE_MEMBERSHIP 16
#define WS_IP_BLOCK_SOURCE 17
#define WS_IP_UNBLOCK_SOURCE 18
#define WS_IP_PKTINFO 19
#define WS_IP_HOPLIMIT 21
#define WS_IP_RECVTTL 21
#define WS_IP_RECEIVE_BROADCAST 22
#define WS_IP_RECVIF 24
#define WS_IP_RECVDSTADDR 25
#define WS_IP_IFLIST 28
#define WS_IP_ADD_IFLIST 29
#define WS_IP_DEL_IFLIST 30
#define WS_IP_UNICAST_IF 31
#define WS_IP_RTHDR 32
#define WS_IP_RECVRTHDR 38
#define WS_IP_RECVTOS 40
#define WS_IP_ORIGINAL_ARRIVAL_IF 47
#define WS_IP_MTU_DISCOVER 71
#define WS_IP_MTU 73
#define WS_IP_DEFAULT_MULTICAST_TTL 1
#define WS_IP_DEFAULT_MULTICAST_LOOP 1
#define WS_IP_MAX_MEMBERSHIPS 20
#define WS_MCAST_JOIN_GROUP 41
#define WS_MCAST_LEAVE_GROUP 42
#endif
/* winsock/ipproto-ipv6-socket-options */
#ifndef USE_WS_PREFIX
#define IPV6_HOPOPTS 1
#define IPV6_HDRINCL 2
#define IPV6_UNICAST_HOPS 4
#define IPV6_MULTICAST_IF 9
#define IPV6_MULTICAST_HOPS 10
#define IPV6_MULTICAST_LOOP 11
#define IPV6_ADD_MEMBERSHIP 12
#define IPV6_JOIN_GROUP IPV6_ADD_MEMBERSHIP
#define IPV6_DROP_MEMBERSHIP 13
#define IPV6_LEAVE_GROUP IPV6_DROP_MEMBERSHIP
#define IPV6_DONTFRAG 14
#define IPV6_PKTINFO 19
#define IPV6_HOPLIMIT 21
#define IPV6_PROTECTION_LEVEL 23
#define IPV6_RECVIF 24
#define IPV6_RECVDSTADDR 25
#define IPV6_CHECKSUM 26
#define IPV6_V6ONLY 27
#define IPV6_UNICAST_IF 31
#define IPV6_RTHDR 32
#define IPV6_RECVRTHDR 38
#define IPV6_TCLASS 39
#define IPV6_RECVTCLASS 40
#define IPV6_MTU_DISCOVER 71
#define IPV6_MTU 72
#else
#define WS_IPV6_HOPOPTS 1
#define WS_IPV6_HDRINCL 2
#define WS_IPV6_UNICAST_HOPS 4
#define WS_IPV6_MULTICAST_IF 9
#define WS_IPV6_MULTICAST_HOPS 10
#define WS_IPV6_MULTICAST_LOOP 11
#define WS_IPV6_ADD_MEMBERSHIP 12
#define WS_IPV6_JOIN_GROUP WS_IPV6_ADD_MEMBERSHIP
#define WS_IPV6_DROP_MEMBERSHIP 13
#define WS_IPV6_LEAVE_GROUP WS_IPV6_DROP_MEMBERSHIP
#define WS_IPV6_DONTFRAG 14
#define WS_IPV6_PKTINFO 19
#define WS_IPV6_HOPLIMIT 21
#define WS_IPV6_PROTECTION_LEVEL 23
#define WS_IPV6_RECVIF 24
#define WS_IPV6_RECVDSTADDR 25
#define WS_IPV6_CHECKSUM 26
#define WS_IPV6_V6ONLY 27
#define WS_IPV6_UNICAST_IF 31
#define WS_IPV6_RTHDR 32
#define WS_IPV6_RECVRTHDR 38
#define WS_IPV6_TCLASS 39
#define WS_IPV6_RECVTCLASS 40
#define WS_IPV6_MTU_DISCOVER 71
#define WS_IPV6_MTU 72
#endif
/* winsock/winsock-ioctls */
#define SIO_GET_INTERFACE_LIST 0x4004747f
#ifndef USE_WS_PREFIX
#define IFF_UP 0x00000001
#define IFF_BROADCAST 0x00000002
#define IFF_LOOPBACK 0x00000004
#define IFF_POINTTOPOINT 0x00000008
#define IFF_MULTICAST 0x00000010
#else
#define WS_IFF_UP 0x00000001
#define WS_IFF_BROADCAST 0x00000002
#define WS_IFF_LOOPBACK 0x00000004
#define WS_IFF_POINTTOPOINT 0x00000008
#define WS_IFF_MULTICAST 0x00000010
#endif
struct sockaddr_in6_old {
    SHORT sin6_family;
    USHORT sin6_port;
    ULONG sin6_flowinfo;
    IN6_ADDR sin6_addr;
};
typedef union sockaddr_gen {
    SOCKADDR Address;
    SOCKADDR_IN AddressIn;
    struct sockaddr_in6_old AddressIn6;
} sockaddr_gen;
typedef struct _INTERFACE_INFO {
    ULONG iiFlags;
    sockaddr_gen iiAddress;
    sockaddr_gen iiBroadcastAddress;
    sockaddr_gen iiNetmask;
} INTERFACE_INFO, *LPINTERFACE_INFO;
/* IP_MTU_DISCOVER, IPV6_MTU_DISCOVER */
typedef enum _PMTUD_STATE {
#ifndef USE_WS_PREFIX
    IP_PMTUDISC_NOT_SET,
    IP_PMTUDISC_DO,
    IP_PMTUDISC_DONT,
    IP_PMTUDISC_PROBE,
    IP_PMTUDISC_MAX
#else
    WS_IP_PMTUDISC_NOT_SET,
    WS_IP_PMTUDISC_DO,
    WS_IP_PMTUDISC_DONT,
    WS_IP_PMTUDISC_PROBE,
    WS_IP_PMTUDISC_MAX
#endif
} PMTUD_STATE, *PPMTUD_STATE;
/* winsock/ipproto-tcp-socket-options */
#ifndef USE_WS_PREFIX
#define TCP_NODELAY 0x0001
#define TCP_EXPEDITED_1122 0x0002
#define TCP_KEEPALIVE 3
#define TCP_MAXSEG 4
#define TCP_MAXRT 5
#define TCP_STDURG 6
#define TCP_NOURG 7
#define TCP_ATMARK 8
#define TCP_NOSYNRETRIES 9
#define TCP_TIMESTAMPS 10
#define TCP_CONGESTION_ALGORITHM 12
#define TCP_DELAY_FIN_ACK 13
#define TCP_MAXRTMS 14
#define TCP_FASTOPEN 15
#define TCP_KEEPCNT 16
#define TCP_KEEPIDLE TCP_KEEPALIVE
#define TCP_KEEPINTVL 17
#define TCP_FAIL_CONNECT_ON_ICMP_ERROR 18
#define UDP_NOCHECKSUM 1
#define UDP_CHECKSUM_COVERAGE 20
#else
#define WS_TCP_NODELAY 0x0001
#define WS_TCP_EXPEDITED_1122 0x0002
#define WS_TCP_KEEPALIVE 3
#define WS_TCP_MAXSEG 4
#define WS_TCP_MAXRT 5
#define WS_TCP_STDURG 6
#define WS_TCP_NOURG 7
#define WS_TCP_ATMARK 8
#define WS_TCP_NOSYNRETRIES 9
#define WS_TCP_TIMESTAMPS 10
#define WS_TCP_CONGESTION_ALGORITHM 12
#define WS_TCP_DELAY_FIN_ACK 13
#define WS_TCP_MAXRTMS 14
#define WS_TCP_FASTOPEN 15
#define WS_TCP_KEEPCNT 16
#define WS_TCP_KEEPIDLE WS_TCP_KEEPALIVE
#define WS_TCP_KEEPINTVL 17
#define WS_TCP_FAIL_CONNECT_ON_ICMP_ERROR 18
#define WS_UDP_NOCHECKSUM 1
#define WS_UDP_CHECKSUM_COVERAGE 20
#endif
/* winsock2: textual lengths */
#ifndef USE_WS_PREFIX
#define INET_ADDRSTRLEN 22
#define INET6_ADDRSTRLEN 65
#else
#define WS_INET_ADDRSTRLEN 22
#define WS_INET6_ADDRSTRLEN 65
#endif

#define PROTECTION_LEVEL_UNRESTRICTED 10
#define PROTECTION_LEVEL_EDGERESTRICTED 20
#define PROTECTION_LEVEL_RESTRICTED 30

/* ws2ipdef/ns-ws2ipdef-sockaddr_in6_lh */
typedef struct LINSOCK_N(sockaddr_in6) {
    ADDRESS_FAMILY sin6_family;
    USHORT sin6_port;
    ULONG sin6_flowinfo;
    IN6_ADDR sin6_addr;
    __extension__ union {
        ULONG sin6_scope_id;
        SCOPE_ID sin6_scope_struct;
    };
} SOCKADDR_IN6, *PSOCKADDR_IN6, *LPSOCKADDR_IN6, SOCKADDR_IN6_LH, *PSOCKADDR_IN6_LH;

/* ws2ipdef/ns-ws2ipdef-sockaddr_inet */
typedef union _SOCKADDR_INET {
    SOCKADDR_IN Ipv4;
    SOCKADDR_IN6 Ipv6;
    ADDRESS_FAMILY si_family;
} SOCKADDR_INET, *PSOCKADDR_INET;

/* ws2ipdef/ns-ws2ipdef-ip_mreq */
typedef struct LINSOCK_N(ip_mreq) {
    IN_ADDR imr_multiaddr;
    IN_ADDR imr_interface;
} IP_MREQ, *PIP_MREQ;

/* ws2ipdef/ns-ws2ipdef-ip_mreq_source */
typedef struct LINSOCK_N(ip_mreq_source) {
    IN_ADDR imr_multiaddr;
    IN_ADDR imr_sourceaddr;
    IN_ADDR imr_interface;
} IP_MREQ_SOURCE, *PIP_MREQ_SOURCE;

/* ws2ipdef/ns-ws2ipdef-ipv6_mreq */
typedef struct LINSOCK_N(ipv6_mreq) {
    IN6_ADDR ipv6mr_multiaddr;
    ULONG ipv6mr_interface;
} IPV6_MREQ, *PIPV6_MREQ;

/* ws2ipdef/ns-ws2ipdef-group_req */
typedef struct LINSOCK_N(group_req) {
    ULONG gr_interface;
    SOCKADDR_STORAGE gr_group;
} GROUP_REQ, *PGROUP_REQ;

/* ws2ipdef/ns-ws2ipdef-in_pktinfo */
typedef struct LINSOCK_N(in_pktinfo) {
    IN_ADDR ipi_addr;
    ULONG ipi_ifindex;
} IN_PKTINFO, *PIN_PKTINFO;

/* ws2ipdef/ns-ws2ipdef-in6_pktinfo */
typedef struct LINSOCK_N(in6_pktinfo) {
    IN6_ADDR ipi6_addr;
    ULONG ipi6_ifindex;
} IN6_PKTINFO, *PIN6_PKTINFO;

LINSOCK_ASSERT(sizeof(SOCKADDR_IN6) == 28, "sockaddr_in6");
LINSOCK_ASSERT(sizeof(SOCKADDR_INET) == 28, "SOCKADDR_INET");

#endif

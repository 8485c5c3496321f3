/* ws2def.h - addresses, buffers, messages and the numbers that go with them. The numbers are those of
 * Windows and mostly differ from Linux: AF_INET6 is 23, SOL_SOCKET is 0xffff. */
#ifndef LINSOCK_WS2DEF_H
#define LINSOCK_WS2DEF_H

#include "linsock_names.h"
#include "inaddr.h"
#include "winnt.h"

/* winsock2/nf-winsock2-socket: address families */
#ifndef USE_WS_PREFIX
#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_INET 2
#define AF_IMPLINK 3
#define AF_PUP 4
#define AF_CHAOS 5
#define AF_NS 6
#define AF_IPX AF_NS
#define AF_ISO 7
#define AF_OSI AF_ISO
#define AF_ECMA 8
#define AF_DATAKIT 9
#define AF_CCITT 10
#define AF_SNA 11
#define AF_DECnet 12
#define AF_DLI 13
#define AF_LAT 14
#define AF_HYLINK 15
#define AF_APPLETALK 16
#define AF_NETBIOS 17
#define AF_VOICEVIEW 18
#define AF_FIREFOX 19
#define AF_BAN 21
#define AF_ATM 22
#define AF_INET6 23
#define AF_CLUSTER 24
#define AF_IRDA 26
#define AF_NETDES 28
#define AF_BTH 32
#define AF_HYPERV 34
#define AF_MAX 35
#else
#define WS_AF_UNSPEC 0
#define WS_AF_UNIX 1
#define WS_AF_INET 2
#define WS_AF_IMPLINK 3
#define WS_AF_PUP 4
#define WS_AF_CHAOS 5
#define WS_AF_NS 6
#define WS_AF_IPX WS_AF_NS
#define WS_AF_ISO 7
#define WS_AF_OSI WS_AF_ISO
#define WS_AF_ECMA 8
#define WS_AF_DATAKIT 9
#define WS_AF_CCITT 10
#define WS_AF_SNA 11
#define WS_AF_DECnet 12
#define WS_AF_DLI 13
#define WS_AF_LAT 14
#define WS_AF_HYLINK 15
#define WS_AF_APPLETALK 16
#define WS_AF_NETBIOS 17
#define WS_AF_VOICEVIEW 18
#define WS_AF_FIREFOX 19
#define WS_AF_BAN 21
#define WS_AF_ATM 22
#define WS_AF_INET6 23
#define WS_AF_CLUSTER 24
#define WS_AF_IRDA 26
#define WS_AF_NETDES 28
#define WS_AF_BTH 32
#define WS_AF_HYPERV 34
#define WS_AF_MAX 35
#endif
/* winsock2: protocol families */
#ifndef USE_WS_PREFIX
#define PF_UNSPEC AF_UNSPEC
#define PF_UNIX AF_UNIX
#define PF_INET AF_INET
#define PF_IMPLINK AF_IMPLINK
#define PF_PUP AF_PUP
#define PF_CHAOS AF_CHAOS
#define PF_NS AF_NS
#define PF_IPX AF_IPX
#define PF_ISO AF_ISO
#define PF_OSI AF_OSI
#define PF_ECMA AF_ECMA
#define PF_DATAKIT AF_DATAKIT
#define PF_CCITT AF_CCITT
#define PF_SNA AF_SNA
#define PF_DECnet AF_DECnet
#define PF_DLI AF_DLI
#define PF_LAT AF_LAT
#define PF_HYLINK AF_HYLINK
#define PF_APPLETALK AF_APPLETALK
#define PF_VOICEVIEW AF_VOICEVIEW
#define PF_FIREFOX AF_FIREFOX
#define PF_BAN AF_BAN
#define PF_ATM AF_ATM
#define PF_INET6 AF_INET6
#define PF_BTH AF_BTH
#define PF_MAX AF_MAX
#else
#define WS_PF_UNSPEC WS_AF_UNSPEC
#define WS_PF_UNIX WS_AF_UNIX
#define WS_PF_INET WS_AF_INET
#define WS_PF_IMPLINK WS_AF_IMPLINK
#define WS_PF_PUP WS_AF_PUP
#define WS_PF_CHAOS WS_AF_CHAOS
#define WS_PF_NS WS_AF_NS
#define WS_PF_IPX WS_AF_IPX
#define WS_PF_ISO WS_AF_ISO
#define WS_PF_OSI WS_AF_OSI
#define WS_PF_ECMA WS_AF_ECMA
#define WS_PF_DATAKIT WS_AF_DATAKIT
#define WS_PF_CCITT WS_AF_CCITT
#define WS_PF_SNA WS_AF_SNA
#define WS_PF_DECnet WS_AF_DECnet
#define WS_PF_DLI WS_AF_DLI
#define WS_PF_LAT WS_AF_LAT
#define WS_PF_HYLINK WS_AF_HYLINK
#define WS_PF_APPLETALK WS_AF_APPLETALK
#define WS_PF_VOICEVIEW WS_AF_VOICEVIEW
#define WS_PF_FIREFOX WS_AF_FIREFOX
#define WS_PF_BAN WS_AF_BAN
#define WS_PF_ATM WS_AF_ATM
#define WS_PF_INET6 WS_AF_INET6
#define WS_PF_BTH WS_AF_BTH
#define WS_PF_MAX WS_AF_MAX
#endif
/* winsock2/nf-winsock2-socket: socket types */
#ifndef USE_WS_PREFIX
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOCK_RDM 4
#define SOCK_SEQPACKET 5
#else
#define WS_SOCK_STREAM 1
#define WS_SOCK_DGRAM 2
#define WS_SOCK_RAW 3
#define WS_SOCK_RDM 4
#define WS_SOCK_SEQPACKET 5
#endif
/* winsock/sol-socket-socket-options */
#ifndef USE_WS_PREFIX
#define SOL_SOCKET 0xffff
#define SO_DEBUG 0x0001
#define SO_ACCEPTCONN 0x0002
#define SO_REUSEADDR 0x0004
#define SO_KEEPALIVE 0x0008
#define SO_DONTROUTE 0x0010
#define SO_BROADCAST 0x0020
#define SO_USELOOPBACK 0x0040
#define SO_LINGER 0x0080
#define SO_OOBINLINE 0x0100
#define SO_DONTLINGER ((int)(~SO_LINGER))
#define SO_EXCLUSIVEADDRUSE ((int)(~SO_REUSEADDR))
#define SO_SNDBUF 0x1001
#define SO_RCVBUF 0x1002
#define SO_SNDLOWAT 0x1003
#define SO_RCVLOWAT 0x1004
#define SO_SNDTIMEO 0x1005
#define SO_RCVTIMEO 0x1006
#define SO_ERROR 0x1007
#define SO_TYPE 0x1008
#define SO_BSP_STATE 0x1009
#define SO_GROUP_ID 0x2001
#define SO_GROUP_PRIORITY 0x2002
#define SO_MAX_MSG_SIZE 0x2003
#define SO_CONDITIONAL_ACCEPT 0x3002
#define SO_PAUSE_ACCEPT 0x3003
#define SO_COMPARTMENT_ID 0x3004
#define SO_RANDOMIZE_PORT 0x3005
#define SO_PORT_SCALABILITY 0x3006
#define SO_REUSE_UNICASTPORT 0x3007
#define SO_REUSE_MULTICASTPORT 0x3008
#define SO_PROTOCOL_INFOA 0x2004
#define SO_PROTOCOL_INFOW 0x2005
#else
#define WS_SOL_SOCKET 0xffff
#define WS_SO_DEBUG 0x0001
#define WS_SO_ACCEPTCONN 0x0002
#define WS_SO_REUSEADDR 0x0004
#define WS_SO_KEEPALIVE 0x0008
#define WS_SO_DONTROUTE 0x0010
#define WS_SO_BROADCAST 0x0020
#define WS_SO_USELOOPBACK 0x0040
#define WS_SO_LINGER 0x0080
#define WS_SO_OOBINLINE 0x0100
#define WS_SO_DONTLINGER ((int)(~WS_SO_LINGER))
#define WS_SO_EXCLUSIVEADDRUSE ((int)(~WS_SO_REUSEADDR))
#define WS_SO_SNDBUF 0x1001
#define WS_SO_RCVBUF 0x1002
#define WS_SO_SNDLOWAT 0x1003
#define WS_SO_RCVLOWAT 0x1004
#define WS_SO_SNDTIMEO 0x1005
#define WS_SO_RCVTIMEO 0x1006
#define WS_SO_ERROR 0x1007
#define WS_SO_TYPE 0x1008
#define WS_SO_BSP_STATE 0x1009
#define WS_SO_GROUP_ID 0x2001
#define WS_SO_GROUP_PRIORITY 0x2002
#define WS_SO_MAX_MSG_SIZE 0x2003
#define WS_SO_CONDITIONAL_ACCEPT 0x3002
#define WS_SO_PAUSE_ACCEPT 0x3003
#define WS_SO_COMPARTMENT_ID 0x3004
#define WS_SO_RANDOMIZE_PORT 0x3005
#define WS_SO_PORT_SCALABILITY 0x3006
#define WS_SO_REUSE_UNICASTPORT 0x3007
#define WS_SO_REUSE_MULTICASTPORT 0x3008
#define WS_SO_PROTOCOL_INFOA 0x2004
#define WS_SO_PROTOCOL_INFOW 0x2005
#endif
/* winsock: protocol numbers, IPPROTO */
#ifndef USE_WS_PREFIX
#define IPPROTO_IP 0
#define IPPROTO_HOPOPTS 0
#define IPPROTO_ICMP 1
#define IPPROTO_IGMP 2
#define IPPROTO_GGP 3
#define IPPROTO_IPV4 4
#define IPPROTO_ST 5
#define IPPROTO_TCP 6
#define IPPROTO_CBT 7
#define IPPROTO_EGP 8
#define IPPROTO_IGP 9
#define IPPROTO_PUP 12
#define IPPROTO_UDP 17
#define IPPROTO_IDP 22
#define IPPROTO_RDP 27
#define IPPROTO_IPV6 41
#define IPPROTO_ROUTING 43
#define IPPROTO_FRAGMENT 44
#define IPPROTO_ESP 50
#define IPPROTO_AH 51
#define IPPROTO_ICMPV6 58
#define IPPROTO_NONE 59
#define IPPROTO_DSTOPTS 60
#define IPPROTO_ND 77
#define IPPROTO_ICLFXBM 78
#define IPPROTO_PIM 103
#define IPPROTO_PGM 113
#define IPPROTO_L2TP 115
#define IPPROTO_SCTP 132
#define IPPROTO_RAW 255
#define IPPROTO_MAX 256
#else
#define WS_IPPROTO_IP 0
#define WS_IPPROTO_HOPOPTS 0
#define WS_IPPROTO_ICMP 1
#define WS_IPPROTO_IGMP 2
#define WS_IPPROTO_GGP 3
#define WS_IPPROTO_IPV4 4
#define WS_IPPROTO_ST 5
#define WS_IPPROTO_TCP 6
#define WS_IPPROTO_CBT 7
#define WS_IPPROTO_EGP 8
#define WS_IPPROTO_IGP 9
#define WS_IPPROTO_PUP 12
#define WS_IPPROTO_UDP 17
#define WS_IPPROTO_IDP 22
#define WS_IPPROTO_RDP 27
#define WS_IPPROTO_IPV6 41
#define WS_IPPROTO_ROUTING 43
#define WS_IPPROTO_FRAGMENT 44
#define WS_IPPROTO_ESP 50
#define WS_IPPROTO_AH 51
#define WS_IPPROTO_ICMPV6 58
#define WS_IPPROTO_NONE 59
#define WS_IPPROTO_DSTOPTS 60
#define WS_IPPROTO_ND 77
#define WS_IPPROTO_ICLFXBM 78
#define WS_IPPROTO_PIM 103
#define WS_IPPROTO_PGM 113
#define WS_IPPROTO_L2TP 115
#define WS_IPPROTO_SCTP 132
#define WS_IPPROTO_RAW 255
#define WS_IPPROTO_MAX 256
#endif
/* winsock: well-known ports */
#ifndef USE_WS_PREFIX
#define IPPORT_ECHO 7
#define IPPORT_DISCARD 9
#define IPPORT_SYSTAT 11
#define IPPORT_DAYTIME 13
#define IPPORT_NETSTAT 15
#define IPPORT_FTP 21
#define IPPORT_TELNET 23
#define IPPORT_SMTP 25
#define IPPORT_TIMESERVER 37
#define IPPORT_NAMESERVER 42
#define IPPORT_WHOIS 43
#define IPPORT_TFTP 69
#define IPPORT_FINGER 79
#define IPPORT_RESERVED 1024
#else
#define WS_IPPORT_ECHO 7
#define WS_IPPORT_DISCARD 9
#define WS_IPPORT_SYSTAT 11
#define WS_IPPORT_DAYTIME 13
#define WS_IPPORT_NETSTAT 15
#define WS_IPPORT_FTP 21
#define WS_IPPORT_TELNET 23
#define WS_IPPORT_SMTP 25
#define WS_IPPORT_TIMESERVER 37
#define WS_IPPORT_NAMESERVER 42
#define WS_IPPORT_WHOIS 43
#define WS_IPPORT_TFTP 69
#define WS_IPPORT_FINGER 79
#define WS_IPPORT_RESERVED 1024
#endif
/* winsock2: special IPv4 addresses */
#ifndef USE_WS_PREFIX
#define INADDR_ANY ((ULONG)0x00000000)
#define INADDR_LOOPBACK 0x7f000001
#define INADDR_BROADCAST ((ULONG)0xffffffff)
#define INADDR_NONE 0xffffffff
#define IN_CLASSA(i) (((LONG)(i) & 0x80000000) == 0)
#define IN_CLASSB(i) (((LONG)(i) & 0xc0000000) == 0x80000000)
#define IN_CLASSC(i) (((LONG)(i) & 0xe0000000) == 0xc0000000)
#define IN_CLASSD(i) (((LONG)(i) & 0xf0000000) == 0xe0000000)
#define IN_MULTICAST(i) IN_CLASSD(i)
#else
#define WS_INADDR_ANY ((ULONG)0x00000000)
#define WS_INADDR_LOOPBACK 0x7f000001
#define WS_INADDR_BROADCAST ((ULONG)0xffffffff)
#define WS_INADDR_NONE 0xffffffff
#define WS_IN_CLASSA(i) (((LONG)(i) & 0x80000000) == 0)
#define WS_IN_CLASSB(i) (((LONG)(i) & 0xc0000000) == 0x80000000)
#define WS_IN_CLASSC(i) (((LONG)(i) & 0xe0000000) == 0xc0000000)
#define WS_IN_CLASSD(i) (((LONG)(i) & 0xf0000000) == 0xe0000000)
#define WS_IN_MULTICAST(i) WS_IN_CLASSD(i)
#endif
/* winsock2/nf-winsock2-recv, -send, -wsarecv: flags */
#ifndef USE_WS_PREFIX
#define MSG_OOB 0x1
#define MSG_PEEK 0x2
#define MSG_DONTROUTE 0x4
#define MSG_WAITALL 0x8
#define MSG_PUSH_IMMEDIATE 0x20
#define MSG_PARTIAL 0x8000
#define MSG_INTERRUPT 0x10
#define MSG_MAXIOVLEN 16
#define MSG_TRUNC 0x0100
#define MSG_CTRUNC 0x0200
#define MSG_BCAST 0x0400
#define MSG_MCAST 0x0800
#define MSG_ERRQUEUE 0x1000
#else
#define WS_MSG_OOB 0x1
#define WS_MSG_PEEK 0x2
#define WS_MSG_DONTROUTE 0x4
#define WS_MSG_WAITALL 0x8
#define WS_MSG_PUSH_IMMEDIATE 0x20
#define WS_MSG_PARTIAL 0x8000
#define WS_MSG_INTERRUPT 0x10
#define WS_MSG_MAXIOVLEN 16
#define WS_MSG_TRUNC 0x0100
#define WS_MSG_CTRUNC 0x0200
#define WS_MSG_BCAST 0x0400
#define WS_MSG_MCAST 0x0800
#define WS_MSG_ERRQUEUE 0x1000
#endif
/* ws2tcpip/nf-ws2tcpip-getaddrinfo: hints and flags */
#ifndef USE_WS_PREFIX
#define AI_PASSIVE 0x00000001
#define AI_CANONNAME 0x00000002
#define AI_NUMERICHOST 0x00000004
#define AI_NUMERICSERV 0x00000008
#define AI_DNS_ONLY 0x00000010
#define AI_ALL 0x00000100
#define AI_ADDRCONFIG 0x00000400
#define AI_V4MAPPED 0x00000800
#define AI_NON_AUTHORITATIVE 0x00004000
#define AI_SECURE 0x00008000
#define AI_RETURN_PREFERRED_NAMES 0x00010000
#define AI_FQDN 0x00020000
#define AI_FILESERVER 0x00040000
#define NI_NOFQDN 0x01
#define NI_NUMERICHOST 0x02
#define NI_NAMEREQD 0x04
#define NI_NUMERICSERV 0x08
#define NI_DGRAM 0x10
#define NI_MAXHOST 1025
#define NI_MAXSERV 32
#else
#define WS_AI_PASSIVE 0x00000001
#define WS_AI_CANONNAME 0x00000002
#define WS_AI_NUMERICHOST 0x00000004
#define WS_AI_NUMERICSERV 0x00000008
#define WS_AI_DNS_ONLY 0x00000010
#define WS_AI_ALL 0x00000100
#define WS_AI_ADDRCONFIG 0x00000400
#define WS_AI_V4MAPPED 0x00000800
#define WS_AI_NON_AUTHORITATIVE 0x00004000
#define WS_AI_SECURE 0x00008000
#define WS_AI_RETURN_PREFERRED_NAMES 0x00010000
#define WS_AI_FQDN 0x00020000
#define WS_AI_FILESERVER 0x00040000
#define WS_NI_NOFQDN 0x01
#define WS_NI_NUMERICHOST 0x02
#define WS_NI_NAMEREQD 0x04
#define WS_NI_NUMERICSERV 0x08
#define WS_NI_DGRAM 0x10
#define WS_NI_MAXHOST 1025
#define WS_NI_MAXSERV 32
#endif

/* winsock2/nf-winsock2-wsaioctl: how a control code is put together */
#define LINSOCK_IOC_UNIX 0x00000000
#ifndef USE_WS_PREFIX
#undef _IO
#undef _IOR
#undef _IOW
#define IOC_UNIX LINSOCK_IOC_UNIX
#define IOC_VOID 0x20000000
#define IOC_OUT 0x40000000
#define IOC_IN 0x80000000
#define IOC_INOUT (IOC_IN | IOC_OUT)
#define _IO(x, y) (IOC_VOID | ((x) << 8) | (y))
#define _IOR(x, y, t) (IOC_OUT | (((LONG)sizeof(t) & 0x7f) << 16) | ((x) << 8) | (y))
#define _IOW(x, y, t) (IOC_IN | (((LONG)sizeof(t) & 0x7f) << 16) | ((x) << 8) | (y))
#endif
#define IOC_WS2 0x08000000
#define IOC_PROTOCOL 0x10000000
#define IOC_VENDOR 0x18000000
#define IOC_WSK (IOC_WS2 | 0x07000000)
#define _WSAIO(x, y) (0x20000000 | (x) | (y))
#define _WSAIOR(x, y) (0x40000000 | (x) | (y))
#define _WSAIOW(x, y) (0x80000000 | (x) | (y))
#define _WSAIORW(x, y) (0xC0000000 | (x) | (y))
/* winsock/winsock-ioctls */
#define SIO_IDEAL_SEND_BACKLOG_QUERY 0x4004747b
#define SIO_ASSOCIATE_HANDLE _WSAIOW(IOC_WS2, 1)
#define SIO_ENABLE_CIRCULAR_QUEUEING _WSAIO(IOC_WS2, 2)
#define SIO_FIND_ROUTE _WSAIOR(IOC_WS2, 3)
#define SIO_FLUSH _WSAIO(IOC_WS2, 4)
#define SIO_GET_BROADCAST_ADDRESS _WSAIOR(IOC_WS2, 5)
#define SIO_GET_EXTENSION_FUNCTION_POINTER _WSAIORW(IOC_WS2, 6)
#define SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER _WSAIORW(IOC_WS2, 36)
#define SIO_GET_QOS _WSAIORW(IOC_WS2, 7)
#define SIO_GET_GROUP_QOS _WSAIORW(IOC_WS2, 8)
#define SIO_MULTIPOINT_LOOPBACK _WSAIOW(IOC_WS2, 9)
#define SIO_MULTICAST_SCOPE _WSAIOW(IOC_WS2, 10)
#define SIO_SET_QOS _WSAIOW(IOC_WS2, 11)
#define SIO_SET_GROUP_QOS _WSAIOW(IOC_WS2, 12)
#define SIO_TRANSLATE_HANDLE _WSAIORW(IOC_WS2, 13)
#define SIO_ROUTING_INTERFACE_QUERY _WSAIORW(IOC_WS2, 20)
#define SIO_ROUTING_INTERFACE_CHANGE _WSAIOW(IOC_WS2, 21)
#define SIO_ADDRESS_LIST_QUERY _WSAIOR(IOC_WS2, 22)
#define SIO_ADDRESS_LIST_CHANGE _WSAIO(IOC_WS2, 23)
#define SIO_QUERY_TARGET_PNP_HANDLE _WSAIOR(IOC_WS2, 24)
#define SIO_ADDRESS_LIST_SORT _WSAIORW(IOC_WS2, 25)
#define SIO_BSP_HANDLE _WSAIOR(IOC_WS2, 27)
#define SIO_BSP_HANDLE_SELECT _WSAIOR(IOC_WS2, 28)
#define SIO_BSP_HANDLE_POLL _WSAIOR(IOC_WS2, 29)
#define SIO_BASE_HANDLE _WSAIOR(IOC_WS2, 34)

/* ws2def/ns-ws2def-sockaddr */
typedef USHORT ADDRESS_FAMILY;
typedef struct LINSOCK_N(sockaddr) {
    ADDRESS_FAMILY sa_family;
    CHAR sa_data[14];
} SOCKADDR, *PSOCKADDR, *LPSOCKADDR;

/* winsock2/ns-winsock2-sockaddr_in (ws2def/ns-ws2def-sockaddr_in) */
typedef struct LINSOCK_N(sockaddr_in) {
    ADDRESS_FAMILY sin_family;
    USHORT sin_port;
    IN_ADDR sin_addr;
    CHAR sin_zero[8];
} SOCKADDR_IN, *PSOCKADDR_IN, *LPSOCKADDR_IN;

/* winsock2/ns-winsock2-sockaddr_storage (ws2def/ns-ws2def-sockaddr_storage_lh) */
typedef struct LINSOCK_N(sockaddr_storage) {
    ADDRESS_FAMILY ss_family;
    CHAR __ss_pad1[6];
    LONGLONG __ss_align;
    CHAR __ss_pad2[112];
} SOCKADDR_STORAGE, *PSOCKADDR_STORAGE, *LPSOCKADDR_STORAGE, SOCKADDR_STORAGE_LH, *PSOCKADDR_STORAGE_LH;

/* ws2def/ns-ws2def-wsabuf */
typedef struct _WSABUF {
    ULONG len;
    CHAR *buf;
} WSABUF, *LPWSABUF;

/* ws2def/ns-ws2def-wsamsg */
typedef struct _WSAMSG {
    LPSOCKADDR name;
    INT namelen;
    LPWSABUF lpBuffers;
    ULONG dwBufferCount;
    WSABUF Control;
    ULONG dwFlags;
} WSAMSG, *PWSAMSG, *LPWSAMSG;

/* ws2def/ns-ws2def-wsacmsghdr */
typedef struct _WSACMSGHDR {
    SIZE_T cmsg_len;
    INT cmsg_level;
    INT cmsg_type;
} WSACMSGHDR, *PWSACMSGHDR, *LPWSACMSGHDR;
typedef WSACMSGHDR CMSGHDR, *PCMSGHDR;
#define WSA_CMSGHDR_ALIGN(n) (((n) + 7) & ~(SIZE_T)7)
#define WSA_CMSGDATA_ALIGN(n) (((n) + 7) & ~(SIZE_T)7)
#define WSA_CMSG_FIRSTHDR(msg)                                                                             \
    (((msg)->Control.len >= sizeof(WSACMSGHDR)) ? (LPWSACMSGHDR)(void *)(msg)->Control.buf : (LPWSACMSGHDR)NULL)
#define WSA_CMSG_NXTHDR(msg, c)                                                                            \
    (((c) == NULL) ? WSA_CMSG_FIRSTHDR(msg)                                                                \
     : ((UCHAR *)(c) + WSA_CMSGHDR_ALIGN((c)->cmsg_len) + sizeof(WSACMSGHDR) >                             \
        (UCHAR *)(msg)->Control.buf + (msg)->Control.len)                                                  \
         ? (LPWSACMSGHDR)NULL                                                                              \
         : (LPWSACMSGHDR)(void *)((UCHAR *)(c) + WSA_CMSGHDR_ALIGN((c)->cmsg_len)))
#define WSA_CMSG_DATA(c) ((UCHAR *)(c) + WSA_CMSGDATA_ALIGN(sizeof(WSACMSGHDR)))
#define WSA_CMSG_SPACE(n) (WSA_CMSGDATA_ALIGN(sizeof(WSACMSGHDR) + WSA_CMSGHDR_ALIGN(n)))
#define WSA_CMSG_LEN(n) (WSA_CMSGDATA_ALIGN(sizeof(WSACMSGHDR)) + (n))

/* ws2def/ns-ws2def-socket_address */
typedef struct _SOCKET_ADDRESS {
    LPSOCKADDR lpSockaddr;
    INT iSockaddrLength;
} SOCKET_ADDRESS, *PSOCKET_ADDRESS, *LPSOCKET_ADDRESS;

/* ws2def/ns-ws2def-socket_address_list */
typedef struct _SOCKET_ADDRESS_LIST {
    INT iAddressCount;
    SOCKET_ADDRESS Address[1];
} SOCKET_ADDRESS_LIST, *PSOCKET_ADDRESS_LIST, *LPSOCKET_ADDRESS_LIST;

/* ws2def/ns-ws2def-addrinfoa */
typedef struct LINSOCK_N(addrinfo) {
    int ai_flags;
    int ai_family;
    int ai_socktype;
    int ai_protocol;
    SIZE_T ai_addrlen;
    char *ai_canonname;
    struct LINSOCK_N(sockaddr) *ai_addr;
    struct LINSOCK_N(addrinfo) *ai_next;
} ADDRINFOA, *PADDRINFOA, ADDRINFO, *LPADDRINFO;

/* ws2def/ns-ws2def-addrinfow */
typedef struct LINSOCK_N(addrinfoW) {
    int ai_flags;
    int ai_family;
    int ai_socktype;
    int ai_protocol;
    SIZE_T ai_addrlen;
    PWSTR ai_canonname;
    struct LINSOCK_N(sockaddr) *ai_addr;
    struct LINSOCK_N(addrinfoW) *ai_next;
} ADDRINFOW, *PADDRINFOW;

/* ws2def/ns-ws2def-addrinfoexa */
typedef struct LINSOCK_N(addrinfoexA) {
    int ai_flags;
    int ai_family;
    int ai_socktype;
    int ai_protocol;
    SIZE_T ai_addrlen;
    char *ai_canonname;
    struct LINSOCK_N(sockaddr) *ai_addr;
    void *ai_blob;
    SIZE_T ai_bloblen;
    GUID *ai_provider;
    struct LINSOCK_N(addrinfoexA) *ai_next;
} ADDRINFOEXA, *PADDRINFOEXA, *LPADDRINFOEXA;

/* ws2def/ns-ws2def-addrinfoexw */
typedef struct LINSOCK_N(addrinfoexW) {
    int ai_flags;
    int ai_family;
    int ai_socktype;
    int ai_protocol;
    SIZE_T ai_addrlen;
    PWSTR ai_canonname;
    struct LINSOCK_N(sockaddr) *ai_addr;
    void *ai_blob;
    SIZE_T ai_bloblen;
    GUID *ai_provider;
    struct LINSOCK_N(addrinfoexW) *ai_next;
} ADDRINFOEXW, *PADDRINFOEXW, *LPADDRINFOEXW;
LINSOCK_ASSERT(sizeof(ADDRINFOEXW) == 72 && sizeof(ADDRINFOEXA) == 72, "addrinfoex");

/* ws2def/ns-ws2def-scope_id */
typedef struct {
    __extension__ union {
        __extension__ struct {
            ULONG Zone : 28;
            ULONG Level : 4;
        };
        ULONG Value;
    };
} SCOPE_ID, *PSCOPE_ID;

LINSOCK_ASSERT(sizeof(SOCKADDR) == 16, "sockaddr");
LINSOCK_ASSERT(sizeof(SOCKADDR_IN) == 16, "sockaddr_in");
LINSOCK_ASSERT(sizeof(SOCKADDR_STORAGE) == 128, "sockaddr_storage");
LINSOCK_ASSERT(sizeof(WSABUF) == 16 && offsetof(WSABUF, len) == 0 && offsetof(WSABUF, buf) == 8, "WSABUF");
LINSOCK_ASSERT(sizeof(WSAMSG) == 56, "WSAMSG");
LINSOCK_ASSERT(sizeof(WSACMSGHDR) == 16, "WSACMSGHDR");
LINSOCK_ASSERT(sizeof(ADDRINFOA) == 48 && sizeof(ADDRINFOW) == 48, "addrinfo");
LINSOCK_ASSERT(sizeof(SCOPE_ID) == 4, "SCOPE_ID");

#endif

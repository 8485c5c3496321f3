/* winsock2.h - Windows Sockets 2 for Linux.
 *
 * HOW THE NAMES GET TO THE RIGHT PLACE
 *
 * 1. Functions. `connect`, `send`, `bind` and thirty others live in the C library too, with other types
 *    and other rules. The library exports them as WS_connect and so on, and the declarations below carry
 *    an asm label, so the source name stays `connect`: a struct member or a C++ method called connect is
 *    not touched, as it would be by a macro. Every other function is exported under its own name.
 *
 * 2. Types and macros. In GNU mode <stdlib.h>, and so nearly every C++ header, brings <sys/types.h> and
 *    <sys/select.h>: fd_set (a bitmap), struct timeval (16 bytes), u_long (64 bits), select, FD_SET and
 *    FD_SETSIZE. Windows has all these names with other contents. Either order of inclusion must give
 *    Windows' meaning and compile:
 *      - fd_set, timeval and u_long are macros for WS_fd_set, WS_timeval, WS_u_long, whatever the order,
 *        so two source files agree on mangled C++ names.
 *      - C library first: its own types exist under their real names and stay unharmed; the macros
 *        FD_SET and so on are redefined. Its `select` exists with another type, so ours is an overload
 *        in C++ and a macro for WS_select in C. (In C++, four literal zeros are then ambiguous.)
 *      - ours first: the C library must not read `fd_set` as ours, so its include guards for exactly
 *        those definitions (_SYS_SELECT_H, __u_char_defined, __timeval_defined, and _BITS_TIMEX_H, whose
 *        struct timex contains a timeval) are set here. Where a later header really needs the C
 *        library's struct timeval, alias/sys/time.h and alias/sys/resource.h give it back to them.
 *      - gethostname is in <unistd.h>, which C++ <thread> includes: it is declared with the C library's
 *        own type, int gethostname(char *, size_t), and an asm label; the two declarations then agree.
 *        Under _FORTIFY_SOURCE <unistd.h> also gives it a body: before us, a macro for WS_gethostname
 *        steps round it; after us, alias/unistd.h reads that header with the name changed.
 *      - socklen_t is signed on Windows: it is a macro for WS_socklen_t, as u_long is.
 *      - FD_SETSIZE is 64 unless the program defined it; the C library's own definition does not count.
 *
 * 3. <sys/socket.h> and <netinet/in.h> cannot share a source file with this one, and say so, unless
 *    USE_WS_PREFIX is defined before the first of our headers. Then every colliding function, type and
 *    macro is offered as WS_connect, struct WS_sockaddr, WS_AF_INET6, ... only, and the plain names are
 *    the C library's. Types that collide with nothing (SOCKADDR_IN, WSABUF, SOCKET) keep their names.
 */
#ifndef LINSOCK_WINSOCK2_H
#define LINSOCK_WINSOCK2_H
#define _WINSOCK2API_
#ifndef _WINSOCKAPI_
#define _WINSOCKAPI_
#endif

#include "linsock_names.h"
#include "windows.h"
#include "ws2def.h"

LINSOCK_EXTERN_C_BEGIN

#ifndef WSAAPI
#define WSAAPI
#endif
#define WINSOCK_API_LINKAGE
#define WINSOCK_VERSION MAKEWORD(2, 2)

typedef UINT_PTR SOCKET;
typedef HANDLE WSAEVENT, *LPWSAEVENT;
typedef unsigned int GROUP;
typedef DWORD SERVICETYPE;

#define INVALID_SOCKET ((SOCKET)(~0))
#define SOCKET_ERROR (-1)
#define FROM_PROTOCOL_INFO (-1)
#define WSADESCRIPTION_LEN 256
#define WSASYS_STATUS_LEN 128
#define MAXGETHOSTSTRUCT 1024
#define WSAPROTOCOL_LEN 255
#define MAX_PROTOCOL_CHAIN 7
#define BASE_PROTOCOL 1
#define LAYERED_PROTOCOL 0
#define BIGENDIAN 0x0000
#define LITTLEENDIAN 0x0001
#define SECURITY_PROTOCOL_NONE 0x0000
#define SO_PROTOCOL_INFO LINSOCK_SO_PROTOCOL_INFO
#ifdef UNICODE
#define LINSOCK_SO_PROTOCOL_INFO LINSOCK_N(SO_PROTOCOL_INFOW)
#else
#define LINSOCK_SO_PROTOCOL_INFO LINSOCK_N(SO_PROTOCOL_INFOA)
#endif
#define PVD_CONFIG 0x3001

/* winsock2/nf-winsock2-shutdown */
#define SD_RECEIVE 0x00
#define SD_SEND 0x01
#define SD_BOTH 0x02

/* winsock2/nf-winsock2-wsasocketw */
#define WSA_FLAG_OVERLAPPED 0x01
#define WSA_FLAG_MULTIPOINT_C_ROOT 0x02
#define WSA_FLAG_MULTIPOINT_C_LEAF 0x04
#define WSA_FLAG_MULTIPOINT_D_ROOT 0x08
#define WSA_FLAG_MULTIPOINT_D_LEAF 0x10
#define WSA_FLAG_ACCESS_SYSTEM_SECURITY 0x40
#define WSA_FLAG_NO_HANDLE_INHERIT 0x80
#define WSA_FLAG_REGISTERED_IO 0x100

/* winsock2/nf-winsock2-wsaaccept */
#define CF_ACCEPT 0x0000
#define CF_REJECT 0x0001
#define CF_DEFER 0x0002

/* winsock2/nf-winsock2-wsaeventselect */
#define FD_READ_BIT 0
#define FD_WRITE_BIT 1
#define FD_OOB_BIT 2
#define FD_ACCEPT_BIT 3
#define FD_CONNECT_BIT 4
#define FD_CLOSE_BIT 5
#define FD_QOS_BIT 6
#define FD_GROUP_QOS_BIT 7
#define FD_ROUTING_INTERFACE_CHANGE_BIT 8
#define FD_ADDRESS_LIST_CHANGE_BIT 9
#define FD_MAX_EVENTS 10
#define FD_READ (1 << FD_READ_BIT)
#define FD_WRITE (1 << FD_WRITE_BIT)
#define FD_OOB (1 << FD_OOB_BIT)
#define FD_ACCEPT (1 << FD_ACCEPT_BIT)
#define FD_CONNECT (1 << FD_CONNECT_BIT)
#define FD_CLOSE (1 << FD_CLOSE_BIT)
#define FD_QOS (1 << FD_QOS_BIT)
#define FD_GROUP_QOS (1 << FD_GROUP_QOS_BIT)
#define FD_ROUTING_INTERFACE_CHANGE (1 << FD_ROUTING_INTERFACE_CHANGE_BIT)
#define FD_ADDRESS_LIST_CHANGE (1 << FD_ADDRESS_LIST_CHANGE_BIT)
#define FD_ALL_EVENTS ((1 << FD_MAX_EVENTS) - 1)

/* winsock2/ns-winsock2-wsaprotocol_infow: dwServiceFlags1, dwProviderFlags */
#define XP1_CONNECTIONLESS 0x00000001
#define XP1_GUARANTEED_DELIVERY 0x00000002
#define XP1_GUARANTEED_ORDER 0x00000004
#define XP1_MESSAGE_ORIENTED 0x00000008
#define XP1_PSEUDO_STREAM 0x00000010
#define XP1_GRACEFUL_CLOSE 0x00000020
#define XP1_EXPEDITED_DATA 0x00000040
#define XP1_CONNECT_DATA 0x00000080
#define XP1_DISCONNECT_DATA 0x00000100
#define XP1_SUPPORT_BROADCAST 0x00000200
#define XP1_SUPPORT_MULTIPOINT 0x00000400
#define XP1_MULTIPOINT_CONTROL_PLANE 0x00000800
#define XP1_MULTIPOINT_DATA_PLANE 0x00001000
#define XP1_QOS_SUPPORTED 0x00002000
#define XP1_INTERRUPT 0x00004000
#define XP1_UNI_SEND 0x00008000
#define XP1_UNI_RECV 0x00010000
#define XP1_IFS_HANDLES 0x00020000
#define XP1_PARTIAL_MESSAGE 0x00040000
#define PFL_MULTIPLE_PROTO_ENTRIES 0x00000001
#define PFL_RECOMMENDED_PROTO_ENTRY 0x00000002
#define PFL_HIDDEN 0x00000004
#define PFL_MATCHES_PROTOCOL_ZERO 0x00000008

/* ws2tcpip/nf-ws2tcpip-getaddrinfoexw: name spaces */
#define NS_ALL (0)
#define NS_DNS (12)
#define NS_NETBT (13)
#define NS_WINS (14)
#define NS_NLA (15)
#define NS_BTH (16)
#define NS_NTDS (32)
#define NS_EMAIL (37)
#define NS_PNRPNAME (38)
#define NS_PNRPCLOUD (39)

/* winsock2/nf-winsock2-wsawaitformultipleevents */
#define WSA_IO_PENDING (ERROR_IO_PENDING)
#define WSA_IO_INCOMPLETE (ERROR_IO_INCOMPLETE)
#define WSA_INVALID_HANDLE (ERROR_INVALID_HANDLE)
#define WSA_INVALID_PARAMETER (ERROR_INVALID_PARAMETER)
#define WSA_NOT_ENOUGH_MEMORY (ERROR_NOT_ENOUGH_MEMORY)
#define WSA_OPERATION_ABORTED (ERROR_OPERATION_ABORTED)
#define WSA_INVALID_EVENT ((WSAEVENT)NULL)
#define WSA_MAXIMUM_WAIT_EVENTS (MAXIMUM_WAIT_OBJECTS)
#define WSA_WAIT_FAILED (WAIT_FAILED)
#define WSA_WAIT_EVENT_0 (WAIT_OBJECT_0)
#define WSA_WAIT_IO_COMPLETION (WAIT_IO_COMPLETION)
#define WSA_WAIT_TIMEOUT (WAIT_TIMEOUT)
#define WSA_INFINITE (INFINITE)

/* winsock2/nf-winsock2-listen */
#ifndef USE_WS_PREFIX
#define SOMAXCONN 0x7fffffff
#define SOMAXCONN_HINT(b) (-(b))
#else
#define WS_SOMAXCONN 0x7fffffff
#define WS_SOMAXCONN_HINT(b) (-(b))
#endif
/* winsock2/nf-winsock2-ioctlsocket */
#ifndef USE_WS_PREFIX
#undef IOCPARM_MASK
#define IOCPARM_MASK 0x7f
#undef FIONREAD
#define FIONREAD 0x4004667f
#undef FIONBIO
#define FIONBIO ((int)0x8004667e)
#undef FIOASYNC
#define FIOASYNC ((int)0x8004667d)
#undef SIOCSHIWAT
#define SIOCSHIWAT ((int)0x80047300)
#undef SIOCGHIWAT
#define SIOCGHIWAT 0x40047301
#undef SIOCSLOWAT
#define SIOCSLOWAT ((int)0x80047302)
#undef SIOCGLOWAT
#define SIOCGLOWAT 0x40047303
#undef SIOCATMARK
#define SIOCATMARK 0x40047307
#else
#define WS_IOCPARM_MASK 0x7f
#define WS_FIONREAD 0x4004667f
#define WS_FIONBIO ((int)0x8004667e)
#define WS_FIOASYNC ((int)0x8004667d)
#define WS_SIOCSHIWAT ((int)0x80047300)
#define WS_SIOCGHIWAT 0x40047301
#define WS_SIOCSLOWAT ((int)0x80047302)
#define WS_SIOCGLOWAT 0x40047303
#define WS_SIOCATMARK 0x40047307
#endif
/* winsock2/ns-winsock2-wsapollfd */
#ifndef USE_WS_PREFIX
#undef POLLERR
#define POLLERR 0x0001
#undef POLLHUP
#define POLLHUP 0x0002
#undef POLLNVAL
#define POLLNVAL 0x0004
#undef POLLWRNORM
#define POLLWRNORM 0x0010
#undef POLLWRBAND
#define POLLWRBAND 0x0020
#undef POLLOUT
#define POLLOUT POLLWRNORM
#undef POLLRDNORM
#define POLLRDNORM 0x0100
#undef POLLRDBAND
#define POLLRDBAND 0x0200
#undef POLLIN
#define POLLIN (POLLRDNORM | POLLRDBAND)
#undef POLLPRI
#define POLLPRI 0x0400
#else
#define WS_POLLERR 0x0001
#define WS_POLLHUP 0x0002
#define WS_POLLNVAL 0x0004
#define WS_POLLWRNORM 0x0010
#define WS_POLLWRBAND 0x0020
#define WS_POLLOUT WS_POLLWRNORM
#define WS_POLLRDNORM 0x0100
#define WS_POLLRDBAND 0x0200
#define WS_POLLIN (WS_POLLRDNORM | WS_POLLRDBAND)
#define WS_POLLPRI 0x0400
#endif
/* winsock2/nf-winsock2-gethostbyname: h_errno values */
#ifndef USE_WS_PREFIX
#define HOST_NOT_FOUND WSAHOST_NOT_FOUND
#define TRY_AGAIN WSATRY_AGAIN
#define NO_RECOVERY WSANO_RECOVERY
#define NO_DATA WSANO_DATA
#define NO_ADDRESS WSANO_DATA
#else
#define WS_HOST_NOT_FOUND WSAHOST_NOT_FOUND
#define WS_TRY_AGAIN WSATRY_AGAIN
#define WS_NO_RECOVERY WSANO_RECOVERY
#define WS_NO_DATA WSANO_DATA
#define WS_NO_ADDRESS WSANO_DATA
#endif

#ifndef USE_WS_PREFIX
#define h_errno WSAGetLastError()
#endif

/* winsock2/ns-winsock2-wsadata, in the order of 64-bit Windows */
typedef struct WSAData {
    WORD wVersion;
    WORD wHighVersion;
    unsigned short iMaxSockets;
    unsigned short iMaxUdpDg;
    char *lpVendorInfo;
    char szDescription[WSADESCRIPTION_LEN + 1];
    char szSystemStatus[WSASYS_STATUS_LEN + 1];
} WSADATA, *LPWSADATA;

#ifdef USE_WS_PREFIX
#ifndef WS_FD_SETSIZE
#define WS_FD_SETSIZE 64
#endif
#define LINSOCK_FD_SETSIZE WS_FD_SETSIZE
#else
#ifndef FD_SETSIZE
#define FD_SETSIZE 64
#endif
#define LINSOCK_FD_SETSIZE FD_SETSIZE
#endif

/* winsock2/ns-winsock2-fd_set */
typedef struct WS_fd_set {
    unsigned int fd_count;
    SOCKET fd_array[LINSOCK_FD_SETSIZE];
} WS_fd_set;

/* winsock2/ns-winsock2-timeval */
struct WS_timeval {
    LONG tv_sec;
    LONG tv_usec;
};
typedef struct WS_timeval TIMEVAL, *PTIMEVAL, *LPTIMEVAL;

/* winsock2/ns-winsock2-linger */
struct LINSOCK_N(linger) {
    unsigned short l_onoff;
    unsigned short l_linger;
};
typedef struct LINSOCK_N(linger) LINGER, *PLINGER, *LPLINGER;

/* winsock2/ns-winsock2-hostent */
struct LINSOCK_N(hostent) {
    char *h_name;
    char **h_aliases;
    short h_addrtype;
    short h_length;
    char **h_addr_list;
};
typedef struct LINSOCK_N(hostent) HOSTENT, *PHOSTENT, *LPHOSTENT;
#ifndef USE_WS_PREFIX
#define h_addr h_addr_list[0]
#endif

/* winsock2/ns-winsock2-servent, in the order of 64-bit Windows */
struct LINSOCK_N(servent) {
    char *s_name;
    char **s_aliases;
    char *s_proto;
    short s_port;
};
typedef struct LINSOCK_N(servent) SERVENT, *PSERVENT, *LPSERVENT;

/* winsock2/ns-winsock2-protoent */
struct LINSOCK_N(protoent) {
    char *p_name;
    char **p_aliases;
    short p_proto;
};
typedef struct LINSOCK_N(protoent) PROTOENT, *PPROTOENT, *LPPROTOENT;

/* winsock2/ns-winsock2-wsapollfd; <poll.h> has its own struct pollfd */
#if defined(USE_WS_PREFIX) || defined(_SYS_POLL_H)
#define LINSOCK_POLLFD WS_pollfd
#else
#define LINSOCK_POLLFD pollfd
#endif
typedef struct LINSOCK_POLLFD {
    SOCKET fd;
    SHORT events;
    SHORT revents;
} WSAPOLLFD, *PWSAPOLLFD, *LPWSAPOLLFD;

/* winsock2/ns-winsock2-sock_notify_registration */
#define SOCK_NOTIFY_REGISTER_EVENT_NONE 0x00
#define SOCK_NOTIFY_REGISTER_EVENT_IN 0x01
#define SOCK_NOTIFY_REGISTER_EVENT_OUT 0x02
#define SOCK_NOTIFY_REGISTER_EVENT_HANGUP 0x04
#define SOCK_NOTIFY_REGISTER_EVENTS_ALL \
    (SOCK_NOTIFY_REGISTER_EVENT_IN | SOCK_NOTIFY_REGISTER_EVENT_OUT | SOCK_NOTIFY_REGISTER_EVENT_HANGUP)
#define SOCK_NOTIFY_EVENT_IN SOCK_NOTIFY_REGISTER_EVENT_IN
#define SOCK_NOTIFY_EVENT_OUT SOCK_NOTIFY_REGISTER_EVENT_OUT
#define SOCK_NOTIFY_EVENT_HANGUP SOCK_NOTIFY_REGISTER_EVENT_HANGUP
#define SOCK_NOTIFY_EVENT_ERR 0x40
#define SOCK_NOTIFY_EVENT_REMOVE 0x80
#define SOCK_NOTIFY_EVENTS_ALL \
    (SOCK_NOTIFY_REGISTER_EVENTS_ALL | SOCK_NOTIFY_EVENT_ERR | SOCK_NOTIFY_EVENT_REMOVE)
#define SOCK_NOTIFY_OP_NONE 0x00
#define SOCK_NOTIFY_OP_ENABLE 0x01
#define SOCK_NOTIFY_OP_DISABLE 0x02
#define SOCK_NOTIFY_OP_REMOVE 0x04
#define SOCK_NOTIFY_TRIGGER_ONESHOT 0x01
#define SOCK_NOTIFY_TRIGGER_PERSISTENT 0x02
#define SOCK_NOTIFY_TRIGGER_LEVEL 0x04
#define SOCK_NOTIFY_TRIGGER_EDGE 0x08
#define SOCK_NOTIFY_TRIGGER_ALL \
    (SOCK_NOTIFY_TRIGGER_ONESHOT | SOCK_NOTIFY_TRIGGER_PERSISTENT | SOCK_NOTIFY_TRIGGER_LEVEL | \
     SOCK_NOTIFY_TRIGGER_EDGE)
typedef struct SOCK_NOTIFY_REGISTRATION {
    SOCKET socket;
    PVOID completionKey;
    UINT16 eventFilter;
    UINT8 operation;
    UINT8 triggerFlags;
    DWORD registrationResult;
} SOCK_NOTIFY_REGISTRATION;

/* winsock2/nf-winsock2-socketnotificationretrieveevents */
static __inline__ UINT32 SocketNotificationRetrieveEvents(OVERLAPPED_ENTRY *notification)
{
    return notification->dwNumberOfBytesTransferred;
}

/* winsock2: the OVERLAPPED of kernel32 under another name */
typedef OVERLAPPED WSAOVERLAPPED;
typedef OVERLAPPED *LPWSAOVERLAPPED;

/* winsock2/ns-winsock2-wsanetworkevents */
typedef struct _WSANETWORKEVENTS {
    LONG lNetworkEvents;
    int iErrorCode[FD_MAX_EVENTS];
} WSANETWORKEVENTS, *LPWSANETWORKEVENTS;

/* winsock2/ns-winsock2-wsaprotocolchain */
typedef struct _WSAPROTOCOLCHAIN {
    int ChainLen;
    DWORD ChainEntries[MAX_PROTOCOL_CHAIN];
} WSAPROTOCOLCHAIN, *LPWSAPROTOCOLCHAIN;

/* winsock2/ns-winsock2-wsaprotocol_infoa, winsock2/ns-winsock2-wsaprotocol_infow */
#define LINSOCK_PROTOCOL_INFO_FIELDS(C)                                                                    \
    DWORD dwServiceFlags1;                                                                                 \
    DWORD dwServiceFlags2;                                                                                 \
    DWORD dwServiceFlags3;                                                                                 \
    DWORD dwServiceFlags4;                                                                                 \
    DWORD dwProviderFlags;                                                                                 \
    GUID ProviderId;                                                                                       \
    DWORD dwCatalogEntryId;                                                                                \
    WSAPROTOCOLCHAIN ProtocolChain;                                                                        \
    int iVersion;                                                                                          \
    int iAddressFamily;                                                                                    \
    int iMaxSockAddr;                                                                                      \
    int iMinSockAddr;                                                                                      \
    int iSocketType;                                                                                       \
    int iProtocol;                                                                                         \
    int iProtocolMaxOffset;                                                                                \
    int iNetworkByteOrder;                                                                                 \
    int iSecurityScheme;                                                                                   \
    DWORD dwMessageSize;                                                                                   \
    DWORD dwProviderReserved;                                                                              \
    C szProtocol[WSAPROTOCOL_LEN + 1];
typedef struct _WSAPROTOCOL_INFOA {
    LINSOCK_PROTOCOL_INFO_FIELDS(CHAR)
} WSAPROTOCOL_INFOA, *LPWSAPROTOCOL_INFOA;
typedef struct _WSAPROTOCOL_INFOW {
    LINSOCK_PROTOCOL_INFO_FIELDS(WCHAR)
} WSAPROTOCOL_INFOW, *LPWSAPROTOCOL_INFOW;
#ifdef UNICODE
typedef WSAPROTOCOL_INFOW WSAPROTOCOL_INFO;
typedef LPWSAPROTOCOL_INFOW LPWSAPROTOCOL_INFO;
#else
typedef WSAPROTOCOL_INFOA WSAPROTOCOL_INFO;
typedef LPWSAPROTOCOL_INFOA LPWSAPROTOCOL_INFO;
#endif

/* qos/ns-qos-flowspec */
typedef struct _flowspec {
    ULONG TokenRate;
    ULONG TokenBucketSize;
    ULONG PeakBandwidth;
    ULONG Latency;
    ULONG DelayVariation;
    SERVICETYPE ServiceType;
    ULONG MaxSduSize;
    ULONG MinimumPolicedSize;
} FLOWSPEC, *PFLOWSPEC, *LPFLOWSPEC;

/* winsock2/ns-winsock2-qos */
typedef struct _QualityOfService {
    FLOWSPEC SendingFlowspec;
    FLOWSPEC ReceivingFlowspec;
    WSABUF ProviderSpecific;
} QOS, *LPQOS;

/* winsock2/nc-winsock2-lpwsaoverlapped_completion_routine */
typedef void(CALLBACK *LPWSAOVERLAPPED_COMPLETION_ROUTINE)(DWORD dwError, DWORD cbTransferred,
                                                            LPWSAOVERLAPPED lpOverlapped, DWORD dwFlags);
/* winsock2/nc-winsock2-lpconditionproc */
typedef int(CALLBACK *LPCONDITIONPROC)(LPWSABUF lpCallerId, LPWSABUF lpCallerData, LPQOS lpSQOS, LPQOS lpGQOS,
                                        LPWSABUF lpCalleeId, LPWSABUF lpCalleeData, GROUP *g,
                                        DWORD_PTR dwCallbackData);

/* winsock/nf-winsock-wsastartup */
int WSAAPI WSAStartup(WORD wVersionRequested, LPWSADATA lpWSAData);
/* winsock2/nf-winsock2-wsacleanup */
int WSAAPI WSACleanup(void);
/* winsock2/nf-winsock2-wsagetlasterror */
int WSAAPI WSAGetLastError(void);
/* winsock2/nf-winsock2-wsasetlasterror */
void WSAAPI WSASetLastError(int iError);

/* winsock2/nf-winsock2-socket */
SOCKET WSAAPI LINSOCK_N(socket)(int af, int type, int protocol) LINSOCK_BIND(socket);
/* winsock2/nf-winsock2-wsasocketa */
SOCKET WSAAPI WSASocketA(int af, int type, int protocol, LPWSAPROTOCOL_INFOA lpProtocolInfo, GROUP g, DWORD dwFlags);
/* winsock2/nf-winsock2-wsasocketw */
SOCKET WSAAPI WSASocketW(int af, int type, int protocol, LPWSAPROTOCOL_INFOW lpProtocolInfo, GROUP g, DWORD dwFlags);
/* winsock2/nf-winsock2-wsaduplicatesocketa */
int WSAAPI WSADuplicateSocketA(SOCKET s, DWORD dwProcessId, LPWSAPROTOCOL_INFOA lpProtocolInfo);
/* winsock2/nf-winsock2-wsaduplicatesocketw */
int WSAAPI WSADuplicateSocketW(SOCKET s, DWORD dwProcessId, LPWSAPROTOCOL_INFOW lpProtocolInfo);
/* winsock/nf-winsock-bind */
int WSAAPI LINSOCK_N(bind)(SOCKET s, const struct LINSOCK_N(sockaddr) *name, int namelen) LINSOCK_BIND(bind);
/* winsock2/nf-winsock2-listen */
int WSAAPI LINSOCK_N(listen)(SOCKET s, int backlog) LINSOCK_BIND(listen);
/* winsock2/nf-winsock2-accept */
SOCKET WSAAPI LINSOCK_N(accept)(SOCKET s, struct LINSOCK_N(sockaddr) *addr, int *addrlen) LINSOCK_BIND(accept);
/* winsock2/nf-winsock2-wsaaccept */
SOCKET WSAAPI WSAAccept(SOCKET s, struct LINSOCK_N(sockaddr) *addr, LPINT addrlen, LPCONDITIONPROC lpfnCondition,
                        DWORD_PTR dwCallbackData);
/* winsock2/nf-winsock2-connect */
int WSAAPI LINSOCK_N(connect)(SOCKET s, const struct LINSOCK_N(sockaddr) *name, int namelen) LINSOCK_BIND(connect);
/* winsock2/nf-winsock2-wsaconnect */
int WSAAPI WSAConnect(SOCKET s, const struct LINSOCK_N(sockaddr) *name, int namelen, LPWSABUF lpCallerData,
                      LPWSABUF lpCalleeData, LPQOS lpSQOS, LPQOS lpGQOS);
/* winsock2/nf-winsock2-send */
int WSAAPI LINSOCK_N(send)(SOCKET s, const char *buf, int len, int flags) LINSOCK_BIND(send);
/* winsock2/nf-winsock2-recv */
int WSAAPI LINSOCK_N(recv)(SOCKET s, char *buf, int len, int flags) LINSOCK_BIND(recv);
/* winsock2/nf-winsock2-wsasend */
int WSAAPI WSASend(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount, LPDWORD lpNumberOfBytesSent, DWORD dwFlags,
                   LPWSAOVERLAPPED lpOverlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);
/* winsock2/nf-winsock2-wsarecv */
int WSAAPI WSARecv(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount, LPDWORD lpNumberOfBytesRecvd, LPDWORD lpFlags,
                   LPWSAOVERLAPPED lpOverlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);
/* winsock/nf-winsock-sendto */
int WSAAPI LINSOCK_N(sendto)(SOCKET s, const char *buf, int len, int flags, const struct LINSOCK_N(sockaddr) *to,
                             int tolen) LINSOCK_BIND(sendto);
/* winsock/nf-winsock-recvfrom */
int WSAAPI LINSOCK_N(recvfrom)(SOCKET s, char *buf, int len, int flags, struct LINSOCK_N(sockaddr) *from,
                               int *fromlen) LINSOCK_BIND(recvfrom);
/* winsock2/nf-winsock2-wsasendmsg */
int WSAAPI WSASendMsg(SOCKET Handle, LPWSAMSG lpMsg, DWORD dwFlags, LPDWORD lpNumberOfBytesSent,
                      LPWSAOVERLAPPED lpOverlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);
/* winsock2/nf-winsock2-wsasendto */
int WSAAPI WSASendTo(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount, LPDWORD lpNumberOfBytesSent, DWORD dwFlags,
                     const struct LINSOCK_N(sockaddr) *lpTo, int iTolen, LPWSAOVERLAPPED lpOverlapped,
                     LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);
/* winsock2/nf-winsock2-wsarecvfrom */
int WSAAPI WSARecvFrom(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount, LPDWORD lpNumberOfBytesRecvd,
                       LPDWORD lpFlags, struct LINSOCK_N(sockaddr) *lpFrom, LPINT lpFromlen,
                       LPWSAOVERLAPPED lpOverlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);
/* winsock2/nf-winsock2-shutdown */
int WSAAPI LINSOCK_N(shutdown)(SOCKET s, int how) LINSOCK_BIND(shutdown);
/* winsock2/nf-winsock2-wsasenddisconnect */
int WSAAPI WSASendDisconnect(SOCKET s, LPWSABUF lpOutboundDisconnectData);
/* winsock2/nf-winsock2-wsarecvdisconnect */
int WSAAPI WSARecvDisconnect(SOCKET s, LPWSABUF lpInboundDisconnectData);
/* winsock2/nf-winsock2-closesocket */
int WSAAPI closesocket(SOCKET s);
/* winsock2/nf-winsock2-getsockname */
int WSAAPI LINSOCK_N(getsockname)(SOCKET s, struct LINSOCK_N(sockaddr) *name, int *namelen) LINSOCK_BIND(getsockname);
/* winsock2/nf-winsock2-getpeername */
int WSAAPI LINSOCK_N(getpeername)(SOCKET s, struct LINSOCK_N(sockaddr) *name, int *namelen) LINSOCK_BIND(getpeername);
/* winsock2/nf-winsock2-setsockopt */
int WSAAPI LINSOCK_N(setsockopt)(SOCKET s, int level, int optname, const char *optval, int optlen)
    LINSOCK_BIND(setsockopt);
/* winsock2/nf-winsock2-getsockopt */
int WSAAPI LINSOCK_N(getsockopt)(SOCKET s, int level, int optname, char *optval, int *optlen) LINSOCK_BIND(getsockopt);
/* winsock2/nf-winsock2-ioctlsocket */
int WSAAPI ioctlsocket(SOCKET s, int cmd, WS_u_long *argp);
/* winsock2/nf-winsock2-wsaioctl */
int WSAAPI WSAIoctl(SOCKET s, DWORD dwIoControlCode, LPVOID lpvInBuffer, DWORD cbInBuffer, LPVOID lpvOutBuffer,
                    DWORD cbOutBuffer, LPDWORD lpcbBytesReturned, LPWSAOVERLAPPED lpOverlapped,
                    LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);
/* winsock2/nf-winsock2-wsaeventselect */
int WSAAPI WSAEventSelect(SOCKET s, WSAEVENT hEventObject, LONG lNetworkEvents);
/* winsock2/nf-winsock2-wsaenumnetworkevents */
int WSAAPI WSAEnumProtocolsA(LPINT lpiProtocols, LPWSAPROTOCOL_INFOA lpProtocolBuffer, LPDWORD lpdwBufferLength);
int WSAAPI WSAEnumProtocolsW(LPINT lpiProtocols, LPWSAPROTOCOL_INFOW lpProtocolBuffer, LPDWORD lpdwBufferLength);
int WSAAPI WSAEnumNetworkEvents(SOCKET s, WSAEVENT hEventObject, LPWSANETWORKEVENTS lpNetworkEvents);
/* winsock2/nf-winsock2-wsagetoverlappedresult */
BOOL WSAAPI WSAGetOverlappedResult(SOCKET s, LPWSAOVERLAPPED lpOverlapped, LPDWORD lpcbTransfer, BOOL fWait,
                                   LPDWORD lpdwFlags);
/* winsock2/nf-winsock2-wsapoll */
int WSAAPI WSAPoll(LPWSAPOLLFD fdArray, ULONG fds, INT timeout);
/* winsock2/nf-winsock2-wsajoinleaf */
#define JL_SENDER_ONLY 0x01
#define JL_RECEIVER_ONLY 0x02
#define JL_BOTH 0x04
SOCKET WSAAPI WSAJoinLeaf(SOCKET s, const SOCKADDR *name, int namelen, LPWSABUF lpCallerData, LPWSABUF lpCalleeData,
                          LPQOS lpSQOS, LPQOS lpGQOS, DWORD dwFlags);
/* winsock2/nf-winsock2-wsacancelblockingcall */
int WSAAPI WSACancelBlockingCall(void);
/* winsock2/nf-winsock2-wsaisblocking */
BOOL WSAAPI WSAIsBlocking(void);
/* winsock2/nf-winsock2-wsasetblockinghook */
FARPROC WSAAPI WSASetBlockingHook(FARPROC lpBlockFunc);
/* winsock2/nf-winsock2-wsaunhookblockinghook */
int WSAAPI WSAUnhookBlockingHook(void);
/* winsock2/nf-winsock2-processsocketnotifications */
DWORD WSAAPI ProcessSocketNotifications(HANDLE completionPort, UINT32 registrationCount,
                                        SOCK_NOTIFY_REGISTRATION *registrationInfos, UINT32 timeoutMs,
                                        ULONG completionCount, OVERLAPPED_ENTRY *completionPortEntries,
                                        UINT32 *receivedEntryCount);
/* winsock2/nf-winsock2-__wsafdisset */
int WSAAPI __WSAFDIsSet(SOCKET fd, WS_fd_set *set);

/* winsock2/nf-winsock2-select */
#if !defined(USE_WS_PREFIX) && !defined(LINSOCK_SELECT_TAKEN)
int WSAAPI select(int nfds, WS_fd_set *readfds, WS_fd_set *writefds, WS_fd_set *exceptfds,
                  const struct WS_timeval *timeout) __asm__("WS_select");
#else
int WSAAPI WS_select(int nfds, WS_fd_set *readfds, WS_fd_set *writefds, WS_fd_set *exceptfds,
                     const struct WS_timeval *timeout);
#endif

/* winsock2/nf-winsock2-gethostbyname */
PHOSTENT WSAAPI LINSOCK_N(gethostbyname)(const char *name) LINSOCK_BIND(gethostbyname);
/* winsock2/nf-winsock2-gethostbyaddr */
PHOSTENT WSAAPI LINSOCK_N(gethostbyaddr)(const char *addr, int len, int type)
    LINSOCK_BIND(gethostbyaddr);
/* winsock2/nf-winsock2-getservbyname */
PSERVENT WSAAPI LINSOCK_N(getservbyname)(const char *name, const char *proto) LINSOCK_BIND(getservbyname);
/* winsock2/nf-winsock2-getservbyport */
PSERVENT WSAAPI LINSOCK_N(getservbyport)(int port, const char *proto) LINSOCK_BIND(getservbyport);
/* winsock2/nf-winsock2-getprotobyname */
PPROTOENT WSAAPI LINSOCK_N(getprotobyname)(const char *name) LINSOCK_BIND(getprotobyname);
/* winsock2/nf-winsock2-getprotobynumber */
PPROTOENT WSAAPI LINSOCK_N(getprotobynumber)(int number) LINSOCK_BIND(getprotobynumber);
/* winsock2/nf-winsock2-gethostnamew */
int WSAAPI GetHostNameW(PWSTR name, int namelen);
/* winsock2/nf-winsock2-gethostname */
#ifdef USE_WS_PREFIX
int WSAAPI WS_gethostname(char *name, int namelen);
#elif defined(_UNISTD_H) && defined(__USE_FORTIFY_LEVEL) && __USE_FORTIFY_LEVEL > 0
/* <unistd.h> has already given gethostname a body that calls the C library. */
int WSAAPI WS_gethostname(char *name, int namelen);
#define gethostname(name, namelen) WS_gethostname(name, (int)(namelen))
#else
#ifdef __cplusplus
int WSAAPI gethostname(char *name, size_t namelen) noexcept(true) __asm__("WS_gethostname");
#else
int WSAAPI gethostname(char *name, size_t namelen) __asm__("WS_gethostname");
#endif
#endif

/* winsock2/nf-winsock2-htonl */
WS_u_long WSAAPI LINSOCK_N(htonl)(WS_u_long hostlong) LINSOCK_BIND(htonl);
/* winsock2/nf-winsock2-htons */
unsigned short WSAAPI LINSOCK_N(htons)(unsigned short hostshort) LINSOCK_BIND(htons);
/* winsock2/nf-winsock2-ntohl */
WS_u_long WSAAPI LINSOCK_N(ntohl)(WS_u_long netlong) LINSOCK_BIND(ntohl);
/* winsock2/nf-winsock2-ntohs */
unsigned short WSAAPI LINSOCK_N(ntohs)(unsigned short netshort) LINSOCK_BIND(ntohs);
/* winsock2/nf-winsock2-inet_addr */
unsigned int WSAAPI LINSOCK_N(inet_addr)(const char *cp) LINSOCK_BIND(inet_addr);
/* winsock2/nf-winsock2-inet_ntoa */
char *WSAAPI LINSOCK_N(inet_ntoa)(struct LINSOCK_N(in_addr) in) LINSOCK_BIND(inet_ntoa);

/* winsock2/nf-winsock2-wsaconnectbynamea */
BOOL WSAAPI WSAConnectByNameA(SOCKET s, LPCSTR nodename, LPCSTR servicename, LPDWORD LocalAddressLength,
                              LPSOCKADDR LocalAddress, LPDWORD RemoteAddressLength, LPSOCKADDR RemoteAddress,
                              const struct WS_timeval *timeout, LPWSAOVERLAPPED Reserved);
/* winsock2/nf-winsock2-wsaconnectbynamew */
BOOL WSAAPI WSAConnectByNameW(SOCKET s, LPWSTR nodename, LPWSTR servicename, LPDWORD LocalAddressLength,
                              LPSOCKADDR LocalAddress, LPDWORD RemoteAddressLength, LPSOCKADDR RemoteAddress,
                              const struct WS_timeval *timeout, LPWSAOVERLAPPED Reserved);
/* winsock2/nf-winsock2-wsaconnectbylist */
BOOL WSAAPI WSAConnectByList(SOCKET s, PSOCKET_ADDRESS_LIST SocketAddress, LPDWORD LocalAddressLength,
                             LPSOCKADDR LocalAddress, LPDWORD RemoteAddressLength, LPSOCKADDR RemoteAddress,
                             const struct WS_timeval *timeout, LPWSAOVERLAPPED Reserved);
/* winsock2/nf-winsock2-wsahtonl */
int WSAAPI WSAHtonl(SOCKET s, WS_u_long hostlong, WS_u_long *lpnetlong);
/* winsock2/nf-winsock2-wsahtons */
int WSAAPI WSAHtons(SOCKET s, unsigned short hostshort, unsigned short *lpnetshort);
/* winsock2/nf-winsock2-wsantohl */
int WSAAPI WSANtohl(SOCKET s, WS_u_long netlong, WS_u_long *lphostlong);
/* winsock2/nf-winsock2-wsantohs */
int WSAAPI WSANtohs(SOCKET s, unsigned short netshort, unsigned short *lphostshort);
/* winsock2/nf-winsock2-wsaaddresstostringa */
INT WSAAPI WSAAddressToStringA(LPSOCKADDR lpsaAddress, DWORD dwAddressLength, LPWSAPROTOCOL_INFOA lpProtocolInfo,
                               LPSTR lpszAddressString, LPDWORD lpdwAddressStringLength);
/* winsock2/nf-winsock2-wsaaddresstostringw */
INT WSAAPI WSAAddressToStringW(LPSOCKADDR lpsaAddress, DWORD dwAddressLength, LPWSAPROTOCOL_INFOW lpProtocolInfo,
                               LPWSTR lpszAddressString, LPDWORD lpdwAddressStringLength);
/* winsock2/nf-winsock2-wsastringtoaddressa */
INT WSAAPI WSAStringToAddressA(LPSTR AddressString, INT AddressFamily, LPWSAPROTOCOL_INFOA lpProtocolInfo,
                               LPSOCKADDR lpAddress, LPINT lpAddressLength);
/* winsock2/nf-winsock2-wsastringtoaddressw */
INT WSAAPI WSAStringToAddressW(LPWSTR AddressString, INT AddressFamily, LPWSAPROTOCOL_INFOW lpProtocolInfo,
                               LPSOCKADDR lpAddress, LPINT lpAddressLength);

/* winsock2/nf-winsock2-wsacreateevent */
WSAEVENT WSAAPI WSACreateEvent(void);
/* winsock2/nf-winsock2-wsacloseevent */
BOOL WSAAPI WSACloseEvent(WSAEVENT hEvent);
/* winsock2/nf-winsock2-wsasetevent */
BOOL WSAAPI WSASetEvent(WSAEVENT hEvent);
/* winsock2/nf-winsock2-wsaresetevent */
BOOL WSAAPI WSAResetEvent(WSAEVENT hEvent);
/* winsock2/nf-winsock2-wsawaitformultipleevents */
DWORD WSAAPI WSAWaitForMultipleEvents(DWORD cEvents, const WSAEVENT *lphEvents, BOOL fWaitAll, DWORD dwTimeout,
                                      BOOL fAlertable);

#ifdef UNICODE
#define WSASocket WSASocketW
#define WSADuplicateSocket WSADuplicateSocketW
#define WSAEnumProtocols WSAEnumProtocolsW
#define WSAAddressToString WSAAddressToStringW
#define WSAStringToAddress WSAStringToAddressW
#define WSAConnectByName WSAConnectByNameW
#else
#define WSASocket WSASocketA
#define WSADuplicateSocket WSADuplicateSocketA
#define WSAEnumProtocols WSAEnumProtocolsA
#define WSAAddressToString WSAAddressToStringA
#define WSAStringToAddress WSAStringToAddressA
#define WSAConnectByName WSAConnectByNameA
#endif

/* winsock2/nf-winsock2-fd_set and siblings: bodies of the FD_ macros */
static __inline__ void linsock_fd_set(SOCKET fd, WS_fd_set *set)
{
    unsigned int i;
    for (i = 0; i < set->fd_count; i++)
        if (set->fd_array[i] == fd)
            return;
    if (i < LINSOCK_FD_SETSIZE)
        set->fd_array[set->fd_count++] = fd;
}
static __inline__ void linsock_fd_clr(SOCKET fd, WS_fd_set *set)
{
    unsigned int i;
    for (i = 0; i < set->fd_count; i++) {
        if (set->fd_array[i] == fd) {
            for (set->fd_count--; i < set->fd_count; i++)
                set->fd_array[i] = set->fd_array[i + 1];
            return;
        }
    }
}
#ifndef USE_WS_PREFIX
#define FD_ZERO(set) ((void)(((WS_fd_set *)(set))->fd_count = 0))
#define FD_SET(fd, set) linsock_fd_set((SOCKET)(fd), (WS_fd_set *)(set))
#define FD_CLR(fd, set) linsock_fd_clr((SOCKET)(fd), (WS_fd_set *)(set))
#define FD_ISSET(fd, set) __WSAFDIsSet((SOCKET)(fd), (WS_fd_set *)(set))
#undef timerisset
#undef timerclear
#undef timercmp
#define timerisset(t) ((t)->tv_sec || (t)->tv_usec)
#define timerclear(t) ((t)->tv_sec = (t)->tv_usec = 0)
#define timercmp(a, b, CMP)                                                                                \
    (((a)->tv_sec == (b)->tv_sec) ? ((a)->tv_usec CMP(b)->tv_usec) : ((a)->tv_sec CMP(b)->tv_sec))
#else
#define WS_FD_ZERO(set) ((void)(((WS_fd_set *)(set))->fd_count = 0))
#define WS_FD_SET(fd, set) linsock_fd_set((SOCKET)(fd), (WS_fd_set *)(set))
#define WS_FD_CLR(fd, set) linsock_fd_clr((SOCKET)(fd), (WS_fd_set *)(set))
#define WS_FD_ISSET(fd, set) __WSAFDIsSet((SOCKET)(fd), (WS_fd_set *)(set))
#endif

#define WSAGETSELECTEVENT(l) LOWORD(l)
#define WSAGETSELECTERROR(l) HIWORD(l)

LINSOCK_EXTERN_C_END

#if !defined(USE_WS_PREFIX) && defined(LINSOCK_SELECT_TAKEN)
#ifdef __cplusplus
extern "C++" {
static __inline__ int select(int nfds, WS_fd_set *readfds, WS_fd_set *writefds, WS_fd_set *exceptfds,
                             const struct WS_timeval *timeout)
{
    return WS_select(nfds, readfds, writefds, exceptfds, timeout);
}
/* Four nullptrs, or four NULLs (an integer as wide as a pointer): else the two selects would tie. */
static __inline__ int select(int nfds, decltype(nullptr), decltype(nullptr), decltype(nullptr), decltype(nullptr))
{
    return WS_select(nfds, nullptr, nullptr, nullptr, nullptr);
}
static __inline__ int select(int nfds, INT_PTR, INT_PTR, INT_PTR, INT_PTR)
{
    return WS_select(nfds, nullptr, nullptr, nullptr, nullptr);
}
}
#else
#define select WS_select
#endif
#endif

/* On Windows u_long is unsigned long, and programs say so; that is twice as wide here. */
#if defined(__cplusplus) || (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L)
static __inline__ int linsock_ioctlsocket_long(SOCKET s, int cmd, unsigned long *argp)
{
    WS_u_long value = argp ? (WS_u_long)*argp : 0;
    int result = ioctlsocket(s, cmd, argp ? &value : (WS_u_long *)0);

    if (argp)
        *argp = value;
    return result;
}
#ifdef __cplusplus
extern "C++" {
/* A template, so that no null pointer has to choose: it is the function's. */
template <typename T> struct linsock_if_long;
template <> struct linsock_if_long<unsigned long> { typedef int type; };
template <typename T>
static __inline__ typename linsock_if_long<T>::type ioctlsocket(SOCKET s, int cmd, T *argp)
{
    return linsock_ioctlsocket_long(s, cmd, argp);
}
}
#else
#define ioctlsocket(s, cmd, argp) \
    _Generic((argp), unsigned long *: linsock_ioctlsocket_long, default: ioctlsocket)(s, cmd, argp)
#endif
#endif

#include "linsock_time.h"

LINSOCK_ASSERT(sizeof(SOCKET) == 8, "SOCKET");
LINSOCK_ASSERT(sizeof(WSAOVERLAPPED) == 32, "WSAOVERLAPPED");
LINSOCK_ASSERT(sizeof(WSADATA) == 408, "WSADATA");
LINSOCK_ASSERT(offsetof(WSADATA, wVersion) == 0 && offsetof(WSADATA, wHighVersion) == 2, "WSADATA versions");
LINSOCK_ASSERT(offsetof(WSADATA, iMaxSockets) == 4 && offsetof(WSADATA, iMaxUdpDg) == 6, "WSADATA numbers");
LINSOCK_ASSERT(offsetof(WSADATA, lpVendorInfo) == 8 && offsetof(WSADATA, szDescription) == 16, "WSADATA texts");
LINSOCK_ASSERT(offsetof(WSADATA, szSystemStatus) == 273, "WSADATA.szSystemStatus");
LINSOCK_ASSERT(sizeof(WSANETWORKEVENTS) == 44 && offsetof(WSANETWORKEVENTS, iErrorCode) == 4, "WSANETWORKEVENTS");
LINSOCK_ASSERT(sizeof(WSAPROTOCOL_INFOW) == 628 && offsetof(WSAPROTOCOL_INFOW, szProtocol) == 116, "PROTOCOL_INFOW");
LINSOCK_ASSERT(sizeof(WSAPROTOCOL_INFOA) == 372 && offsetof(WSAPROTOCOL_INFOA, szProtocol) == 116, "PROTOCOL_INFOA");
LINSOCK_ASSERT(offsetof(WSAPROTOCOL_INFOW, ProviderId) == 20, "PROTOCOL_INFO.ProviderId");
LINSOCK_ASSERT(offsetof(WSAPROTOCOL_INFOW, ProtocolChain) == 40, "PROTOCOL_INFO.ProtocolChain");
LINSOCK_ASSERT(offsetof(WSAPROTOCOL_INFOW, dwMessageSize) == 108, "PROTOCOL_INFO.dwMessageSize");
LINSOCK_ASSERT(sizeof(LINGER) == 4, "linger");
LINSOCK_ASSERT(sizeof(SERVENT) == 32 && offsetof(SERVENT, s_proto) == 16, "servent");
LINSOCK_ASSERT(offsetof(SERVENT, s_port) == 24, "servent.s_port");
LINSOCK_ASSERT(sizeof(PROTOENT) == 24 && offsetof(PROTOENT, p_proto) == 16, "protoent");
LINSOCK_ASSERT(sizeof(TIMEVAL) == 8, "timeval");
LINSOCK_ASSERT(sizeof(WS_fd_set) == 8 + 8 * (LINSOCK_FD_SETSIZE), "fd_set");
LINSOCK_ASSERT(offsetof(WS_fd_set, fd_array) == 8, "fd_set.fd_array");
LINSOCK_ASSERT(sizeof(SOCK_NOTIFY_REGISTRATION) == 24, "SOCK_NOTIFY_REGISTRATION");
LINSOCK_ASSERT(sizeof(WSAPOLLFD) == 16 && offsetof(WSAPOLLFD, events) == 8 && offsetof(WSAPOLLFD, revents) == 10,
               "WSAPOLLFD");

#endif
